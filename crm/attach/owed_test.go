package attach_test

import (
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// TestWhatIsOwed: calls to open leads want an outcome and a next step since the organisation switched it on.
func TestWhatIsOwed(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha, ravi := w.Agent(w.t, "Asha"), w.Agent(w.t, "Ravi")
		desk := w.line(asha.Agent, num(901))
		one, two := w.person("One", "", num(1)), w.person("Two", "", num(2))
		l := w.lead(one.ID, "").ID
		w.Clock.Advance(time.Hour)
		w.Put(w.t, out(asha, desk, num(1), w.Now(), 40)) // before it was switched on
		w.Clock.Advance(time.Hour)
		yes := true
		if _, err := w.followups.SetSettings(ctx, w.owner, 0, followup.NewSettings{AfterConnected: &yes, AfterTried: &yes}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Hour)
		at := w.Now()
		k := w.Put(w.t, out(asha, desk, num(1), at, 40))[0].Key
		tried := w.Put(w.t, out(asha, desk, num(1), at.Add(time.Minute), 0))[0].Key
		w.Put(w.t, out(asha, desk, num(2), at, 40), in(asha, desk, num(1), at.Add(2*time.Minute), 0), out(ravi, desk, num(1), at, 40), out(asha, desk, num(3), at, 9))
		w.Clock.Advance(time.Hour)
		want := func(debts ...attach.Debt) {
			t.Helper()
			got, err := w.attach.Owed(ctx, w.Org, asha.ID)
			w.must(err)
			if len(got) != len(debts) {
				t.Fatalf("%d calls owe something, want %d: %+v", len(got), len(debts), got)
			}
			for i, d := range debts {
				if g := got[i]; g.Call.Key != d.Call.Key || g.Lead != l || g.Contact != one.ID || g.Outcome != d.Outcome || g.Next != d.Next {
					t.Errorf("call %d owes %+v, want %+v", i, g, d)
				}
			}
		}
		debt := func(k call.Key, outcome, next bool) attach.Debt {
			return attach.Debt{Call: call.Row{Key: k}, Outcome: outcome, Next: next}
		}
		want(debt(tried, true, false), debt(k, true, false))
		as, err := w.Accounts.As(ctx, w.Org.ID, asha.ID)
		w.must(err)
		note := "wants the big one"
		w.must(w.attach.SetOutcome(ctx, as, k, attach.NewOutcome{Outcome: "interested", Note: &note}))
		w.must(w.attach.SetOutcome(ctx, as, tried, attach.NewOutcome{Outcome: "wrong_number"}))
		want(debt(k, false, true))
		w.must(w.attach.SetOutcome(ctx, as, k, attach.NewOutcome{Outcome: "interested", Next: call.NoNext}))
		want()
		c, err := w.Calls.One(ctx, w.Org, k)
		w.must(err)
		if c.Said.Outcome != "interested" || c.Said.By != asha.ID || c.Note != note {
			t.Errorf("the call says %+v and %q", c.Said, c.Note)
		}
		w.tx(func(tx *db.Tx) error {
			_, err := w.Leads.Lose(ctx, tx, w.Org, "", l, 0, "", "")
			return err
		})
		w.must(w.attach.SetOutcome(ctx, as, tried, attach.NewOutcome{}))
		want() // nobody owes anything about a closed lead
		if got, err := w.attach.Owed(ctx, w.Org, "mem_nobody"); err != nil || got != nil {
			t.Errorf("nobody owes %+v, %v", got, err)
		}
		_ = two
	})
}

// TestWhoMaySayWhatACallHasComeTo goes through what is refused.
func TestWhoMaySayWhatACallHasComeTo(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha, ravi := w.Agent(w.t, "Asha"), w.Agent(w.t, "Ravi")
		k := w.Put(w.t, out(asha, 1, num(1), w.Now(), 40))[0].Key
		as := func(m account.MemberID) *account.Actor {
			a, err := w.Accounts.As(ctx, w.Org.ID, m)
			w.must(err)
			return a
		}
		refused := func(what string, err error, want fault.Kind) {
			t.Helper()
			if err == nil || fault.KindOf(err) != want {
				t.Errorf("%s: got %v, want kind %d", what, err, want)
			}
		}
		gone := k
		gone.Start++
		refused("a colleague's call", w.attach.SetOutcome(ctx, as(ravi.ID), k, attach.NewOutcome{Outcome: "done"}), fault.NotFound)
		refused("no call", w.attach.SetOutcome(ctx, as(asha.ID), gone, attach.NewOutcome{Outcome: "done"}), fault.NotFound)
		refused("no outcome of the list", w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "nice"}), fault.Invalid)
		refused("no follow-up", w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "done", Next: "fol_none"}), fault.NotFound)
		card := "his card is 4111 1111 1111 1111"
		refused("a card", w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "done", Note: &card}), fault.Invalid)
		w.must(w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "done"}))
		if _, err := w.Holds.Add(ctx, w.owner, hold.Hold{Scope: hold.Person, Reason: "court", Owner: asha.ID, Persons: []subject.Ref{subject.OfNumber(int64(k.Number))}, Ends: w.Now().AddDate(1, 0, 0)}); err != nil {
			t.Fatal(err)
		}
		refused("held", w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "no_answer"}), fault.Conflict)
		refused("held", w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{}), fault.Conflict)
		w.must(w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "done"})) // the same again removes nothing
		w.must(w.Writer.Restrict(ctx, w.Org, k.Number, true))
		refused("restricted", w.attach.SetOutcome(ctx, as(asha.ID), k, attach.NewOutcome{Outcome: "done"}), fault.Denied)
	})
}

// TestMissedCallersAreRecoveredAcrossColleagues: who waits, whose they are, and how long there is left.
func TestMissedCallersAreRecoveredAcrossColleagues(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha, ravi := w.Agent(w.t, "Asha"), w.Agent(w.t, "Ravi")
		one := w.person("One", ravi.ID, num(1))
		l := w.lead(one.ID, ravi.ID).ID
		w.person("Two", asha.ID, num(2))
		noon := w.Now() // a Wednesday
		w.Put(w.t, in(asha, 1, num(1), noon.Add(-90*time.Minute), 0), in(asha, 1, num(2), noon.Add(-30*time.Minute), 0), in(ravi, 2, num(3), noon.Add(-20*time.Minute), 0))
		w.work()
		sights := map[string]contact.Sight{"all": {All: true}, "ravi": {Members: []account.MemberID{ravi.ID}}, "unowned": {Unowned: true}}
		want := func(sight string, numbers ...string) []attach.Waiting {
			t.Helper()
			got, err := w.attach.Recovery(ctx, w.Org, sights[sight], w.Now())
			w.must(err)
			if len(got) != len(numbers) {
				t.Fatalf("%s sees %d waiting callers, want %d: %+v", sight, len(got), len(numbers), got)
			}
			for i := range got {
				if got[i].Person.Number != numbers[i] {
					t.Errorf("%s sees %s as number %d, want %s", sight, got[i].Person.Number, i, numbers[i])
				}
			}
			return got
		}
		all := want("all", num(1), num(2), num(3))
		if x := all[0]; x.Contact != one.ID || x.Lead != lead.ID(l) || x.Owner != ravi.ID || !x.Broken() || x.Left != -30*time.Minute || x.Target != time.Hour {
			t.Errorf("the first waits like %+v", x)
		}
		if x := all[1]; x.Broken() || x.Left != 30*time.Minute {
			t.Errorf("the second waits like %+v", x)
		}
		if x := want("ravi", num(1))[0]; x.Person.MissedBy != asha.Agent {
			t.Errorf("a colleague's line missed %+v", x)
		}
		want("unowned", num(3))
		w.Put(w.t, out(ravi, 2, num(1), noon.Add(-time.Minute), 60)) // reached on another line
		want("all", num(2), num(3))
	})
}

// TestFirstResponse: working time stands still at night.
func TestFirstResponse(t *testing.T) {
	each(t, func(w *world) {
		zone := w.Org.Location()
		made := time.Date(2026, 4, 15, 17, 30, 0, 0, zone) // Wednesday, half an hour before closing
		r, ok := attach.FirstResponse(w.Org, made, made.Add(16*time.Hour))
		if !ok || r.Wall != 16*time.Hour || r.Business != time.Hour {
			t.Errorf("the response is %+v, %v", r, ok)
		}
		if _, ok := attach.FirstResponse(w.Org, made, time.Time{}); ok {
			t.Error("nobody has answered")
		}
	})
}
