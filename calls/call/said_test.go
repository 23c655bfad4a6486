package call_test

import (
	"testing"
	"time"

	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// TestWhatIsSaidOfACall follows what somebody says of a call: shown with it, carried along when its phone corrects it, gone
// with it, with its person, and with what else was written.
func TestWhatIsSaidOfACall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		a := w.Agent(t, "Ravi")
		it := ingest.Item{Agent: a.Agent, Line: 1, Start: w.Now().Add(-time.Hour), Number: "+919812300001", Direction: call.Incoming, Type: call.TypeIncoming, Seconds: 9, Ref: 7}
		said := call.Said{Outcome: "interested", Next: call.NoNext, By: "mem_1", At: w.Now()}
		write := func(k call.Key, s call.Said) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return call.WriteSaid(t.Context(), tx, w.Org.ID, k, s) }); err != nil {
				t.Fatal(err)
			}
		}
		want := func(k call.Key, s call.Said) {
			t.Helper()
			c, err := w.Calls.One(t.Context(), w.Org, k)
			if err != nil {
				t.Fatal(err)
			}
			if !c.Said.At.Equal(s.At) && s.Outcome != "" || c.Said.Outcome != s.Outcome || c.Said.Next != s.Next || c.Said.By != s.By {
				t.Fatalf("of the call %+v is said, want %+v", c.Said, s)
			}
		}
		rows := func() (n int) {
			t.Helper()
			if err := d.Row(t.Context(), `SELECT count(*) FROM call_outcomes WHERE org_id = $1`, w.Org.ID).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		k := w.Put(t, it)[0].Key
		want(k, call.Said{})
		write(k, said)
		want(k, said)
		it.Start = it.Start.Add(-time.Minute)
		k = w.Put(t, it)[0].Key
		want(k, said)
		if n := rows(); n != 1 {
			t.Errorf("%d rows are kept of one call that moved", n)
		}
		written, err := w.Calls.Written(t.Context(), d, w.Org.ID, 0, 0, k.Number)
		if err != nil || len(written) != 1 || written[0].Said.Outcome != "interested" {
			t.Fatalf("written are %+v, %v", written, err)
		}
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			notes, _, err := call.RemoveNotes(t.Context(), tx, w.Org.ID, []number.ID{k.Number})
			if err == nil && notes != 1 {
				t.Errorf("%d rows were removed, want 1", notes)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want(k, call.Said{})
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.Calls.Rewrite(t.Context(), tx, w.Org.ID, written) }); err != nil {
			t.Fatal(err)
		}
		want(k, said)
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			n, err := call.RemoveNotesOf(t.Context(), tx, w.Org.ID, k.Day, k.Agent, k.Number)
			if err == nil && n != 1 {
				t.Errorf("%d rows of an agent's day were removed, want 1", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want(k, call.Said{})
		write(k, said)
		write(k, call.Said{})
		want(k, call.Said{})
		write(k, said)
		if _, err := w.Writer.Delete(t.Context(), w.Org, []call.Key{k}); err != nil {
			t.Fatal(err)
		}
		if n := rows(); n != 0 {
			t.Errorf("%d rows are left of a call that was deleted", n)
		}
	}, calltest.Schemas()...)
}
