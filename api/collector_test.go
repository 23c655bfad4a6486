package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/account"
)

// pairedPhone pairs a phone with one SIM for an agent, the way people do, and gives its token.
func (h *house) pairedPhone(t *testing.T, agent *account.Member) string {
	t.Helper()
	var code PairingCode
	h.send(t, http.MethodPost, "/pairing-codes", NewPairingCode{agent.ID}, http.StatusCreated, &code)
	var paired Paired
	h.do(t, "", http.MethodPost, root+"/device/pair", Pairing{Code: strings.ToLower(code.Code), InstallID: "install-" + agent.Name, Model: "Test 1", SIMs: []SIM{{Slot: 1, SubscriptionID: "7"}}}).
		read(t, http.StatusCreated, &paired)
	if len(paired.Config.Lines) != 1 || paired.Config.Zone != "Asia/Kolkata" || paired.Config.MaxBatch != 500 {
		t.Fatalf("the phone was told %+v", paired.Config)
	}
	return paired.Token
}

func (h *house) syncOne(t *testing.T, dev string, c SyncCall) SyncAnswer {
	t.Helper()
	var out SyncAnswers
	h.do(t, dev, http.MethodPost, root+"/device/calls", Batch{Calls: []SyncCall{c}}).read(t, http.StatusOK, &out)
	if len(out.Answers) != 1 {
		t.Fatalf("answers: %+v", out)
	}
	return out.Answers[0]
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPhonePairsSyncsAndIsComplete(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi := h.Agent(t, "Ravi")
		dev := h.pairedPhone(t, ravi)
		batch := zipped(t, []byte(`{"waiting": 0, "calls": [
			{"client_key":"a","number":"098123 45678","type":1,"start":1776227400000,"seconds":65,"name":"Meera"},
			{"client_key":"b","type":"missed","presentation":2,"start":"2026-04-15T10:05:00+05:30"},
			{"client_key":"c","number":"+919812345678","type":99,"start":"2026-04-15T10:10:00+05:30"},
			{"client_key":"d","number":"+919812345678","type":2,"start":"yesterday"}]}`))
		var out SyncAnswers
		r := h.do(t, dev, http.MethodPost, root+"/device/calls", batch, "Content-Encoding", "gzip").read(t, http.StatusOK, &out)
		var states strings.Builder
		for _, a := range out.Answers {
			states.WriteString(a.State + " ")
		}
		if states.String() != "new new new refused " || out.Answers[0].Number != "+919812345678" || !strings.Contains(out.Answers[3].Reason, "RFC 3339") {
			t.Fatalf("answers: %s", r.text)
		}
		if rows := h.Rows(t); len(rows) != 3 {
			t.Fatalf("%d rows after the answer", len(rows))
		}
		h.do(t, dev, http.MethodPost, root+"/device/calls", batch, "Content-Encoding", "gzip").read(t, http.StatusOK, &out)
		if out.Answers[0].State != "known" || len(h.Rows(t)) != 3 {
			t.Errorf("the same batch again: %+v", out.Answers)
		}
		var c Call
		h.get(t, "/calls/"+out.Answers[0].ID, &c)
		if c.Number != "+919812345678" || c.Outcome != "connected" || c.Name != "Meera" || c.Agent == nil || c.Agent.ID != ravi.ID || c.Start.Format("15:04 -07:00") != "10:00 +05:30" {
			t.Errorf("the call is shown as %+v", c)
		}
		h.digestStory(t, dev)
		h.correctionStory(t, dev, out.Answers)
	})
}

// digestStory compares digests as docs/device-protocol.md describes them.
func (h *house) digestStory(t *testing.T, dev string) {
	t.Helper()
	var c CollectorConfig
	h.do(t, dev, http.MethodGet, root+"/device/config", nil).read(t, http.StatusOK, &c)
	sum := sha256.Sum256([]byte("1776227400000|1|1|65|+919812345678\n1776227700000|1|3|0|\n1776228000000|0|0|0|+919812345678\n"))
	ask := Digests{[]Digest{{Line: c.Lines[0].ID, Day: "2026-04-15", Count: 3, Hash: hex.EncodeToString(sum[:])}}}
	var diff DayDiffs
	h.do(t, dev, http.MethodPost, root+"/device/digests", ask).read(t, http.StatusOK, &diff)
	if len(diff.Differ) != 0 {
		t.Errorf("equal sides differ: %+v", diff)
	}
	ask.Digests[0].Count, ask.Digests[0].Hash = 4, strings.Repeat("0", 64)
	h.do(t, dev, http.MethodPost, root+"/device/digests", ask).read(t, http.StatusOK, &diff)
	if len(diff.Differ) != 1 || !diff.Differ[0].Lacking || diff.Differ[0].Count != 3 {
		t.Errorf("a lacking call: %+v", diff)
	}
}

func (h *house) correctionStory(t *testing.T, dev string, had []SyncAnswer) {
	t.Helper()
	var out SyncAnswers
	h.do(t, dev, http.MethodPost, root+"/device/corrections", `{"corrections":[{"client_key":"c","start":"2026-04-15T10:10:00+05:30",
		"call":{"client_key":"c","number":"+919812345678","type":2,"start":"2026-04-15T10:10:00+05:30","seconds":12}}]}`).read(t, http.StatusOK, &out)
	if len(out.Answers) != 1 || out.Answers[0].State != "changed" {
		t.Fatalf("corrected: %+v", out)
	}
	h.do(t, dev, http.MethodPost, root+"/device/deletions", Deletions{[]CallRef{{ID: had[1].ID}, {ID: "c_nothing"}}}).problem(t, http.StatusNotFound)
	if n := len(h.Rows(t)); n != 3 {
		t.Errorf("%d calls after a deletion that named one too many", n)
	}
	h.do(t, dev, http.MethodPost, root+"/device/deletions", Deletions{[]CallRef{{ID: had[1].ID}}}).read(t, http.StatusNoContent, nil)
	if n := len(h.Rows(t)); n != 2 {
		t.Errorf("%d calls after one was deleted", n)
	}
	battery := 80
	var c CollectorConfig
	h.do(t, dev, http.MethodPost, root+"/device/heartbeat", Heartbeat{AppVersion: "1.2", Battery: &battery, Waiting: 7, Permissions: []string{"READ_CALL_LOG"}}).read(t, http.StatusOK, &c)
	var list Page[Device]
	h.get(t, "/devices", &list)
	if d := list.Items[0]; d.AppVersion != "1.2" || d.Waiting != 7 || d.Battery != nil || d.Health != "online" || len(d.Permissions) != 1 {
		t.Errorf("after the heartbeat: %+v", d)
	}
	h.send(t, http.MethodPost, "/devices/"+list.Items[0].ID+"/unpair", nil, http.StatusNoContent, nil)
	h.do(t, dev, http.MethodGet, root+"/device/config", nil).problem(t, http.StatusUnauthorized)
}

func TestBadBatchesAreRefusedInSentences(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev := h.pairedPhone(t, h.Agent(t, "Ravi"))
		bomb := zipped(t, append([]byte(`{"calls":[`), bytes.Repeat([]byte(" "), 64<<20)...))
		many := `{"calls":[` + strings.Repeat(`{"start":1},`, 500) + `{"start":1}]}`
		for name, x := range map[string]struct {
			body   any
			head   []string
			status int
			says   string
		}{
			"a gzip bomb":     {bomb, []string{"Content-Encoding", "gzip"}, 413, "8192 KiB"},
			"no gzip":         {`{"calls":[]}`, []string{"Content-Encoding", "gzip"}, 400, "gzip"},
			"half a gzip":     {zipped(t, []byte(`{"calls":[]}`))[:20], []string{"Content-Encoding", "gzip"}, 400, "broke off"},
			"brotli":          {`{"calls":[]}`, []string{"Content-Encoding", "br"}, 415, "gzip"},
			"deep nesting":    {strings.Repeat("[", 5000), nil, 400, "32 levels"},
			"a JSON bomb":     {`{"calls":[` + strings.Repeat(`[],`, 60_000) + `[]]}`, nil, 400, "50000 values"},
			"too many":        {many, nil, 422, "at most 500"},
			"an unknown word": {`{"calls":[{"start":1,"duration":3}]}`, nil, 422, `"calls[0].duration"`},
			"wrong type":      {`{"calls":[{"start":1,"seconds":"12"}]}`, nil, 422, "whole number"},
			"no calls":        {`{}`, nil, 422, `"calls" is missing`},
			"UTF-16":          {"\xff\xfe{\x00}\x00", nil, 400, "UTF-16"},
			"a BOM":           {"\xef\xbb\xbf{\"calls\":[]}", nil, 400, "byte order mark"},
			"Latin-1":         {"{\"calls\":[{\"name\":\"Ren\xe9\"}]}", nil, 400, "line 1, column 23"},
			"a form":          {"calls=1", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
			"half of it":      {`{"calls":[{"start":`, nil, 400, "not JSON"},
			"nothing":         {nil, nil, 400, "body"},
			"huge numbers":    {`{"calls":[{"start":1,"seconds":1e30}]}`, nil, 422, "seconds"},
		} {
			p := h.do(t, dev, http.MethodPost, root+"/device/calls", x.body, x.head...).problem(t, x.status)
			if !strings.Contains(p.Detail, x.says) {
				t.Errorf("%s: %q does not say %q", name, p.Detail, x.says)
			}
		}
		if rows := h.Rows(t); len(rows) != 0 {
			t.Errorf("%d calls were kept of refused batches", len(rows))
		}
	})
}

func TestPairingCodesServeOnceAndAreGuarded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ravi := h.Agent(t, "Ravi")
		var code PairingCode
		h.send(t, http.MethodPost, "/pairing-codes", NewPairingCode{ravi.ID}, http.StatusCreated, &code)
		h.do(t, "", http.MethodPost, root+"/device/pair", Pairing{Code: code.Code, InstallID: "x"}).read(t, http.StatusCreated, nil)
		h.do(t, "", http.MethodPost, root+"/device/pair", Pairing{Code: code.Code, InstallID: "x"}).problem(t, http.StatusUnprocessableEntity)
		for i := range 40 {
			if r := h.do(t, "", http.MethodPost, root+"/device/pair", Pairing{Code: fmt.Sprintf("AAAA-%04d", i), InstallID: "x"}); r.StatusCode == http.StatusTooManyRequests {
				return
			}
		}
		t.Error("codes can be guessed without end")
	})
}
