package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestTheSignalOfABrowserIsAnswered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		page := func(path, signal string) string {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if signal != "" {
				r.Header.Set("Sec-GPC", signal)
			}
			res, err := w.server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
			}
			return string(text)
		}
		const answer = "neither sold nor given away for advertising"
		path := w.link(asha)
		if !strings.Contains(page(path, "1"), answer) {
			t.Error("a browser that sends the signal gets no answer")
		}
		if strings.Contains(page(path, ""), answer) || strings.Contains(page(path, "0"), answer) {
			t.Error("a browser that does not send the signal gets an answer to it")
		}
		var said struct {
			GPC        bool   `json:"gpc"`
			LastUpdate string `json:"lastUpdate"`
		}
		if err := json.Unmarshal([]byte(page("/.well-known/gpc.json", "")), &said); err != nil || !said.GPC || said.LastUpdate == "" {
			t.Errorf("the statement is %+v, %v", said, err)
		}
	}, schemas()...)
}
