package consent_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/consent"
)

// TestEveryCombinationIsDecided goes through what a person can have said × what stands on the suppression list × what the
// hour says × purpose × channel, and compares each answer with one worked out apart.
func TestEveryCombinationIsDecided(t *testing.T) {
	said := map[string]func(p string, c consent.Channel) *consent.Change{
		"nothing": func(string, consent.Channel) *consent.Change { return nil },
		"given": func(p string, c consent.Channel) *consent.Change {
			in := give(asha, c)
			in.Purposes = []string{p}
			return &in
		},
		"noticed": func(p string, c consent.Channel) *consent.Change {
			in := give(asha, c)
			in.Purposes, in.State, in.How = []string{p}, consent.Noticed, consent.ByTone
			return &in
		},
		"withdrawn": func(p string, c consent.Channel) *consent.Change {
			in := take(asha, c)
			in.Purposes = []string{p}
			return &in
		},
		"objected": func(p string, c consent.Channel) *consent.Change {
			in := take(asha, c)
			in.Purposes, in.State, in.How = []string{p}, consent.Objected, consent.ByRequest
			return &in
		},
	}
	scopes := map[string]*consent.Scope{"none": nil, "all": {}, "marketing": {Purpose: "marketing"}, "sms": {Channel: consent.SMS}, "marketing by sms": {Purpose: "marketing", Channel: consent.SMS}}
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	n := 0
	for what, change := range said {
		for listed, scope := range scopes {
			for _, p := range policy {
				for _, c := range consent.Channels() {
					n++
					who := consent.Who{Number: fmt.Sprintf("+9198123%05d", n)}
					if in := change(p.Key, c); in != nil {
						in.Who = who
						w.record(*in)
					}
					if scope != nil {
						w.tx(func(tx *db.Tx) error { return w.consents.Suppress(t.Context(), tx, w.org.ID, who, *scope, "staff") })
					}
					for _, night := range []bool{false, true} {
						w.bar = nil
						if night {
							w.bar = func(context.Context, db.Conn, account.OrgID, consent.Question) (consent.Check, error) {
								return consent.Check{Rule: "hours", Against: true, Reason: "outside_hours"}, nil
							}
						}
						want := ""
						switch {
						case what == "withdrawn" || what == "objected", scope != nil && (scope.Purpose == "" || scope.Purpose == p.Key) && (scope.Channel == "" || scope.Channel == c):
							want = consent.IsSuppressed
						case p.Basis == consent.ByConsent && what != "given":
							want = consent.NoConsent
						case night:
							want = "outside_hours"
						}
						d := w.may(who, p.Key, c)
						if d.Reason != want || d.Allowed != (want == "") {
							t.Errorf("said %s, list %s, %s by %s, night %v: allowed %v for %q, want %q", what, listed, p.Key, c, night, d.Allowed, d.Reason, want)
						}
						if last := d.Rows[len(d.Rows)-1]; last.Rule != "hours" || last.Against != night {
							t.Errorf("not every rule was looked at: %+v", d.Rows)
						}
					}
				}
			}
		}
	}
	if n != 5*5*3*4 {
		t.Errorf("%d combinations were tried", n)
	}
}

func TestAnObjectionIsToldApart(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.record(give(asha, consent.SMS)) // makes them known
	in := take(consent.Who{Ref: w.numbers[asha.Number]}, consent.SMS)
	in.State, in.Purposes = consent.Objected, []string{"service_notice"}
	w.record(in)
	d := w.may(asha, "service_notice", consent.SMS)
	if d.Allowed || d.Rows[3].Reason != consent.HasObjected {
		t.Errorf("got %+v", d)
	}
	w.want(asha, "service_notice", consent.Call, "")
}

func TestAPurposeThatThePolicyLacksIsDenied(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.want(asha, "profiling", consent.SMS, consent.NotDeclared)
	if _, err := w.consents.MayContact(t.Context(), w.org.ID, asha, "marketing", "fax", w.now); err == nil {
		t.Error("an unknown channel was answered")
	}
}

func TestAnswersToOnesOwnRequestAreNotStopped(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	if err := w.consents.Stop(t.Context(), w.org.ID, asha, consent.None, consent.ByWebForm, ""); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"rights", "legal", "security"} {
		w.want(asha, p, consent.SMS, "")
	}
	w.want(asha, "service_notice", consent.SMS, consent.IsSuppressed)
}

func TestADecisionIsKeptWithItsReasons(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.record(give(asha, consent.SMS))
		for _, c := range []consent.Channel{consent.SMS, consent.Call} {
			w.tx(func(tx *db.Tx) error {
				_, err := w.consents.Decide(t.Context(), tx, w.org.ID, consent.Question{Who: asha, Purpose: "marketing", Channel: c, At: w.now})
				return err
			})
			w.now = w.now.Add(1e9)
		}
		all, err := w.consents.Decisions(t.Context(), d, w.org.ID, asha)
		if err != nil || len(all) != 2 {
			t.Fatal(all, err)
		}
		if k := all[0]; k.Allowed || k.Reason != consent.NoConsent || k.Channel != consent.Call || len(k.Rows) != 6 || !k.Rows[4].Against {
			t.Errorf("kept %+v", k)
		}
		if !all[1].Allowed {
			t.Errorf("kept %+v", all[1])
		}
	}, schemas...)
}

func TestDecisionsEndByAge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.record(give(asha, consent.SMS))
		for _, who := range []consent.Who{asha, mira, ravi} {
			w.tx(func(tx *db.Tx) error {
				_, err := w.consents.Decide(t.Context(), tx, w.org.ID, consent.Question{Who: who, Purpose: "marketing", Channel: consent.Email, At: w.now})
				return err
			})
		}
		table := consent.Expiring()[0]
		if old, err := table.Old(t.Context(), d, int64(w.org.ID), w.now); err != nil || len(old) != 0 {
			t.Errorf("too early: %+v, %v", old, err)
		}
		old, err := table.Old(t.Context(), d, int64(w.org.ID), w.now.Add(1e6))
		if err != nil || len(old) != 3 {
			t.Fatal(old, err)
		}
		persons := []string{old[0].Who, old[1].Who, old[2].Who}
		slices.Sort(persons)
		if !slices.Equal(persons, []string{"", "", "number/1"}) {
			t.Errorf("they are about %q", persons)
		}
		pass := func(context.Context, db.Conn) error { return nil }
		if n, err := table.Clear(t.Context(), d, int64(w.org.ID), w.now.Add(1e6), old, pass); err != nil || n != 3 {
			t.Errorf("cleared %d, %v", n, err)
		}
		if n, err := table.All(t.Context(), d, int64(w.org.ID)); err != nil || n != 0 {
			t.Errorf("%d are left, %v", n, err)
		}
	}, schemas...)
}

// scan fails the test when a text stands readable in the database's files. The files are encrypted, so it looks at a copy
// that is not.
func scan(t *testing.T, d *db.DB, text string) {
	t.Helper()
	for _, table := range []string{"consents", "suppressions", "tombstones", "contact_decisions", "consent_wordings"} {
		rows, err := d.Rows(t.Context(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			for i, c := range cells {
				if bytes.Contains(fmt.Append(nil, *c.(*any)), []byte(text)) {
					t.Errorf("%s.%s holds %q", table, columns[i], text)
				}
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := os.ReadFile(d.Path()); err != nil || bytes.Contains(raw, []byte(text)) {
		t.Errorf("the file holds %q, %v", text, err)
	}
}
