package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// rolls reads every roll-up of the organisation.
func (d *desk) rolls() map[string]roll.Day {
	d.t.Helper()
	out := map[string]roll.Day{}
	_, err := db.Select(d.t.Context(), d.DB, func(r db.Scanner) (none struct{}, err error) {
		var day civil.Day
		var agent account.AgentNo
		var b []byte
		if err := r.Scan(&day, &agent, &b); err != nil {
			return none, err
		}
		var x roll.Day
		err = x.Decode(b)
		out[fmt.Sprint(day, " ", agent)] = x
		return none, err
	}, `SELECT day, agent, b FROM rolls WHERE org_id = $1`, d.Org.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// wantTrueRolls compares the roll-ups with ones built of the stored calls by the organisation's settings of now.
func (d *desk) wantTrueRolls() {
	d.t.Helper()
	org, err := d.Accounts.Org(d.t.Context(), d.Org.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	ex, err := d.Book.Excluded(d.t.Context(), d.DB, org.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	rows := map[string][]roll.Row{}
	starts := map[string]civil.Day{}
	for _, r := range d.Rows(d.t) {
		if want := civil.DayOf(r.At(), org.Location()); r.Day != want {
			d.t.Errorf("a call of %s is filed under %s, want %s", r.At().In(org.Location()), r.Day, want)
		}
		k := fmt.Sprint(r.Day, " ", r.Agent)
		starts[k] = r.Day
		rows[k] = append(rows[k], roll.Row{Start: r.Start, Number: r.Number, Type: r.Type, Seconds: r.Seconds, Line: int32(r.Line), Hidden: ex.Hidden[r.Number]})
	}
	stored := d.rolls()
	if len(stored) != len(rows) {
		d.t.Errorf("there are %d roll-ups of %d agent-days", len(stored), len(rows))
	}
	for k, of := range rows {
		var want roll.Day
		want.Build(of, starts[k].Start(org.Location()), roll.Of(org))
		have := stored[k]
		if got := string(have.Encode(nil)); got != string(want.Encode(nil)) {
			d.t.Errorf("the roll-up of %s is %+v, want %+v", k, have, want)
		}
	}
}

// spread puts calls of three agents over some days, most of them around midnight in Kolkata or in New York.
func (d *desk) spread(n int) []ingest.Item {
	d.t.Helper()
	items := make([]ingest.Item, n)
	for i := range items {
		items[i] = ingest.Item{Agent: account.AgentNo(1 + i%3), Line: call.LineNo(1 + i%3), Start: d.Now().Add(-time.Duration(i) * 47 * time.Minute),
			Number: fmt.Sprintf("+9198999%05d", i%17), Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: i % 5, Ref: int64(i + 1)}
	}
	d.Put(d.t, items...)
	return items
}

func (d *desk) change(change func(s *account.OrgSettings)) {
	d.t.Helper()
	s := d.Org.Settings()
	change(&s)
	if _, err := d.Accounts.UpdateOrg(d.t.Context(), d.Accounts.Operator(d.Org), d.Org.ID, s); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) wantRebuilding(want bool) {
	d.t.Helper()
	if got, err := d.Writer.Rebuilding(d.t.Context(), d.Org); err != nil || got != want {
		d.t.Errorf("rebuilding is %t (%v), want %t", got, err, want)
	}
}

func TestAChangeOfZoneMovesCallsWithTheirNotes(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		items := d.spread(200)
		noted := d.Rows(t)[0].Key
		if err := d.Calls.SetNote(t.Context(), d.Org, noted, "asked for a price", "mem_1"); err != nil {
			t.Fatal(err)
		}
		if err := d.Calls.SetTags(t.Context(), d.Org, noted, []string{"hot"}); err != nil {
			t.Fatal(err)
		}
		d.wantRebuilding(false)
		d.change(func(s *account.OrgSettings) { s.Zone = "America/New_York" })
		d.wantRebuilding(true)
		// A phone that was told nothing yet sends old calls and new ones in between, and its sender knows the old zone.
		again := append([]ingest.Item{}, items[:50]...)
		late := items[0]
		late.Start, late.Ref = late.Start.Add(-time.Minute), 9001
		d.Put(t, append(again, late)...)
		last := 0
		if err := d.Writer.Rebuild(t.Context(), d.Org, func(done, total int) {
			if done < last || done > total {
				t.Errorf("%d of %d days are done after %d", done, total, last)
			}
			last = done
		}); err != nil {
			t.Fatal(err)
		}
		d.wantRebuilding(false)
		d.wantTrueRolls()
		if n := len(d.Rows(t)); n != len(items)+1 {
			t.Errorf("%d calls are kept, want %d", n, len(items)+1)
		}
		org, err := d.Accounts.Org(t.Context(), d.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		to := noted
		to.Day = civil.DayOf(time.UnixMilli(noted.Start), org.Location())
		c, err := d.Calls.One(t.Context(), org, to)
		if err != nil || to.Day == noted.Day || c.Note != "asked for a price" || c.NoteBy != "mem_1" || len(c.Tags) != 1 || c.Tags[0] != "hot" {
			t.Errorf("the call with a note is %+v (%v)", c, err)
		}
		for _, a := range d.Put(t, items...) {
			if a.State != ingest.Known {
				t.Fatalf("sent again after the change, a call is %s", a.State)
			}
		}
	})
}

func TestThresholdAndGapAreReckonedAnew(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.spread(120)
		d.change(func(s *account.OrgSettings) { s.ConnectedFrom, s.GapMinutes = 3, 60 })
		if err := d.Writer.Rebuild(t.Context(), d.Org, nil); err != nil {
			t.Fatal(err)
		}
		d.wantTrueRolls()
	})
}

func TestAStoppedRebuildIsResumed(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.spread(200)
		d.change(func(s *account.OrgSettings) { s.Zone = "Pacific/Kiritimati" })
		ctx, stop := context.WithCancel(t.Context())
		if err := d.Writer.Rebuild(ctx, d.Org, func(done, total int) {
			if done == 3 {
				stop()
			}
		}); err == nil {
			t.Fatal("a rebuild whose context ended came to its end")
		}
		stop()
		d.wantRebuilding(true)
		d.change(func(s *account.OrgSettings) { s.Zone, s.GapMinutes = "Pacific/Pago_Pago", 30 }) // and once more, 25 hours back
		if err := d.Writer.Resume(t.Context(), d.Accounts, d.Devices); err != nil {
			t.Fatal(err)
		}
		d.wantRebuilding(false)
		d.wantTrueRolls()
	})
}

func TestExcludingANumberRebuildsItsRollUps(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		items := d.spread(200)
		hide := func(s number.Strength) {
			if err := d.Writer.Exclude(t.Context(), d.Org, number.Exclusion{Number: "+919899900003", Strength: s, AddedAt: d.Now()}); err != nil {
				t.Fatal(err)
			}
			d.wantRebuilding(false)
			d.wantTrueRolls()
		}
		calls := func() (n int32) {
			for _, r := range d.rolls() {
				n += r.Calls()
			}
			return n
		}
		hide(number.Hidden)
		if n := calls(); n != 200-12 {
			t.Errorf("%d calls count, want 12 fewer than 200", n)
		}
		more := items[3]
		more.Start, more.Ref = d.Now().Add(-time.Second), 7001
		if a := d.Put(t, more)[0]; a.State != ingest.New || calls() != 200-12 {
			t.Errorf("a call with the hidden number is %s and %d calls count", a.State, calls())
		}
		hide(number.NeverStored)
		more.Start, more.Ref = more.Start.Add(-time.Minute), 7002
		if a := d.Put(t, more)[0]; a.State != ingest.Excluded {
			t.Errorf("a call with the number that is never stored is %s", a.State)
		}
		key, err := d.Book.Key(t.Context(), d.Org.ID, "+919899900003")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Writer.Include(t.Context(), d.Org, key); err != nil {
			t.Fatal(err)
		}
		d.wantTrueRolls()
		if n := calls(); n != 201 {
			t.Errorf("%d calls count, want all 201", n)
		}
		wantKind(t, d.Writer.Include(t.Context(), d.Org, key), fault.NotFound, "not excluded")
		unseen := number.Exclusion{Number: "+919800000000", Strength: number.Hidden, AddedAt: d.Now()}
		if err := d.Writer.Exclude(t.Context(), d.Org, unseen); err != nil {
			t.Fatal(err)
		}
		more.Number = unseen.Number
		d.Put(t, more)
		d.wantTrueRolls()
	})
}

func TestAnExclusionThatWasInterruptedIsSettledAtTheStart(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		d.spread(100)
		if err := d.DB.Tx(t.Context(), func(tx *db.Tx) error { // what is there when the server stops after the first group
			if err := d.Book.Exclude(t.Context(), tx, d.Org.ID, number.Exclusion{Number: "+919899900003", Strength: number.Hidden, AddedAt: d.Now()}); err != nil {
				return err
			}
			n, _, err := d.Book.Find(t.Context(), tx, d.Org.ID, "+919899900003")
			if err != nil {
				return err
			}
			_, err = tx.Exec(t.Context(), `INSERT INTO unsettled_numbers (org_id, num) VALUES ($1, $2)`, d.Org.ID, n)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		d.wantRebuilding(true)
		if err := d.Writer.Resume(t.Context(), d.Accounts, d.Devices); err != nil {
			t.Fatal(err)
		}
		d.wantRebuilding(false)
		d.wantTrueRolls()
	})
}

func TestExcludingBesideSyncsLeavesNoRollUpBehind(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		items := d.spread(60)
		done := make(chan error, 1)
		go func() {
			for n := range 30 {
				more := make([]ingest.Item, 20)
				for i := range more {
					more[i] = items[i]
					more[i].Start, more[i].Ref = items[i].Start.Add(-time.Duration(n+1)*time.Hour-time.Second), int64(1000+20*n+i)
				}
				if _, err := d.Writer.Put(t.Context(), d.Org, more); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for n := range 6 {
			e := number.Exclusion{Number: fmt.Sprintf("+9198999%05d", n), Strength: number.Hidden, AddedAt: d.Now()}
			if err := d.Writer.Exclude(t.Context(), d.Org, e); err != nil {
				t.Fatal(err)
			}
		}
		d.change(func(s *account.OrgSettings) { s.Zone = "America/Los_Angeles" })
		if err := d.Writer.Rebuild(t.Context(), d.Org, nil); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		d.wantTrueRolls()
		d.wantRebuilding(false)
		if n := len(d.Rows(t)); n != 60+600 {
			t.Errorf("%d calls are kept, want 660", n)
		}
	})
}

func TestTheWriterNoticesWhatOthersChanged(t *testing.T) {
	eachDesk(t, func(t *testing.T, d *desk) {
		items := d.spread(40)
		for _, r := range d.Rows(t)[:10] { // as another server on the same database does
			if err := d.DB.Tx(t.Context(), func(tx *db.Tx) error {
				if _, err := call.DeleteRow(t.Context(), tx, d.Org.ID, r.Key); err != nil {
					return err
				}
				_, err := call.Touch(t.Context(), tx, d.Org.ID, r.Day)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		count := map[ingest.State]int{}
		for _, a := range d.Put(t, items...) {
			count[a.State]++
		}
		if count[ingest.New] != 10 || count[ingest.Known] != 30 {
			t.Errorf("sent again, the calls are %v; want 10 new and 30 known", count)
		}
		// The same within one of the writer's own transactions.
		if err := d.Writer.Do(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			k := d.Rows(t)[0].Key
			if _, err := call.DeleteRow(ctx, tx, d.Org.ID, k); err != nil {
				return err
			}
			_, err := call.Touch(ctx, tx, d.Org.ID, k.Day)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		d.Put(t, items...)
		if n := len(d.Rows(t)); n != 40 {
			t.Errorf("%d calls are kept, want 40", n)
		}
		d.wantTrueRolls()
	})
}
