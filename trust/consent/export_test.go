package consent_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/consent"
)

func TestAnExportVerifiesWithoutTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := give(asha, consent.SMS)
		in.How, in.Evidence, in.Expires = consent.BySpoken, "recording rec_1", w.now.AddDate(1, 0, 0)
		w.record(in)
		w.record(give(ravi, consent.SMS))
		w.record(take(asha, consent.SMS))
		w.record(give(asha, consent.Call))
		x, err := w.consents.Export(t.Context(), w.org, asha)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		key, err := w.log.Key(t.Context(), int64(w.org.ID))
		if err != nil {
			t.Fatal(err)
		}
		got, err := consent.VerifyExport(bytes.NewReader(text), key)
		if err != nil || got.Entries != 3 || got.Person != asha.Number || got.Size != 4 {
			t.Fatalf("verified as %+v, %v", got, err)
		}
		if len(x.Suppressions) != 1 {
			t.Errorf("the suppression is missing: %+v", x.Suppressions)
		}
		for _, change := range []struct{ old, new string }{
			{`"state":"withdrawn"`, `"state":"given"`}, {"recording rec_1", "recording rec_2"}, {`"how":"spoken"`, `"how":"web_form"`}, {"about offers", "about anything"},
			{`"n":2,"id"`, `"n":3,"id"`}, {`"channel":"call"`, `"channel":"email"`}, {`"expires":"2027`, `"expires":"2037`}, {`"opening":"`, `"opening":"AA`}, {x.Key, x.Key[:len(x.Key)-2] + "A="},
		} {
			forged := strings.Replace(string(text), change.old, change.new, 1)
			if forged == string(text) {
				t.Errorf("%s is not in the export", change.old)
				continue
			}
			if _, err := consent.VerifyExport(strings.NewReader(forged), key); err == nil {
				t.Errorf("an export in which %s became %s was taken as sound", change.old, change.new)
			}
		}
		x.Entries = append(x.Entries[:1], x.Entries[2:]...)
		if text, err = json.Marshal(x); err != nil {
			t.Fatal(err)
		}
		if _, err := consent.VerifyExport(bytes.NewReader(text), key); err == nil {
			t.Error("an export without the withdrawal was taken as sound")
		}
	}, schemas...)
}
