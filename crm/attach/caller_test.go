package attach_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/consent"
)

// TestUnknownCallersBecomeLeads goes through who becomes a lead and who does not.
func TestUnknownCallersBecomeLeads(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha, ravi := w.Agent(w.t, "Asha"), w.Agent(w.t, "Ravi")
		desk, mobile := w.line(asha.Agent, num(901)), w.line(ravi.Agent, num(902))
		before := w.Now()
		w.Put(w.t, in(asha, desk, num(1), before.Add(-time.Minute), 0))
		w.work()
		if got := w.open(num(1)); len(got) > 0 {
			t.Fatal("a lead was made before the organisation said so")
		}
		w.Clock.Advance(time.Minute)
		w.must(w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true, Source: "Website"}))
		w.must(w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: mobile, Incoming: true, Outgoing: true, Min: 30 * time.Second}))
		w.Clock.Advance(time.Hour)
		at := w.Now().Add(-time.Minute)
		w.must(w.Consents.Block(ctx, w.Org.ID, consent.Who{Number: num(15)}, consent.Scope{Channel: consent.Call}, "staff", ""))
		w.must(w.Consents.Block(ctx, w.Org.ID, consent.Who{Number: num(16)}, consent.Scope{Channel: consent.Email}, "staff", ""))
		w.tx(func(tx *db.Tx) error { return w.Consents.Bury(ctx, tx, w.Org.ID, num(17)) })
		w.Clock.Advance(time.Minute) // a call after an erasure is a new one, and still makes no lead
		after := w.Now()
		w.must(w.Writer.Exclude(ctx, w.Org, number.Exclusion{Number: num(18), Strength: number.Hidden, AddedAt: at}))
		known := w.person("Known", "", num(19))
		w.Put(w.t, in(asha, desk, num(20), at, 5))
		held := w.Put(w.t, in(asha, desk, num(21), before.Add(-time.Hour), 5))[0].Key.Number
		w.must(w.Writer.Restrict(ctx, w.Org, held, true))
		blocked := in(asha, desk, num(22), at, 0)
		blocked.Type = call.TypeBlocked
		w.Put(w.t,
			in(asha, desk, num(10), at, 0), in(asha, desk, num(10), at.Add(-time.Second), 9), // twice: one lead, by the first
			out(asha, desk, num(11), at, 50), // the line takes incoming ones alone
			out(ravi, mobile, num(12), at, 50), in(ravi, mobile, num(13), at, 29), in(ravi, mobile, num(14), at, 30),
			in(asha, desk, num(15), at, 5), in(asha, desk, num(16), at, 5), in(asha, desk, num(17), after, 5), in(asha, desk, num(18), at, 5), in(asha, desk, num(19), at, 5),
			in(asha, desk, num(21), at, 5), blocked, in(asha, desk, num(902), at, 5), in(asha, desk, "", at, 5))
		w.Put(w.t, in(asha, desk, num(1), before.Add(-2*time.Minute), 4)) // from before the switch
		w.work()
		for n, want := range map[int]int{1: 0, 10: 1, 11: 0, 12: 1, 13: 0, 14: 1, 15: 0, 16: 1, 17: 0, 18: 0, 19: 0, 20: 1, 21: 0, 22: 0, 902: 0} {
			if got := w.open(num(n)); len(got) != want {
				t.Errorf("%s has %d leads, want %d", num(n), len(got), want)
			}
		}
		l := w.open(num(10))[0]
		if l.Source != "Website" || l.SourceDay.String() != "2026-04-15" || l.Connected != 1 || !l.First.Equal(at.Add(-time.Second)) {
			t.Errorf("the lead of the caller is %+v", l)
		}
		if l := w.open(num(12))[0]; l.Source != "Call" || l.Attempts != 1 {
			t.Errorf("the lead of somebody who was called is %+v", l)
		}
		whose, err := w.Contacts.Load(ctx, w.DB, w.Org.ID, l.Contact)
		w.must(err)
		if c := whose[l.Contact]; c.Origin != "call" {
			t.Errorf("the contact is %+v", c)
		}
		if leads, err := w.Leads.OfContacts(ctx, w.DB, w.Org.ID, known.ID); err != nil || len(leads) > 0 {
			t.Errorf("somebody known got %d leads, %v", len(leads), err)
		}
	})
}

// TestTheLeadOfACallerIsAssigned: the function that is handed in says to whom, and one that errs does not lose the lead.
func TestTheLeadOfACallerIsAssigned(t *testing.T) {
	each(t, func(w *world) {
		asha := w.Agent(w.t, "Asha")
		desk := w.line(asha.Agent, num(901))
		w.must(w.attach.SetLeadLine(w.t.Context(), w.owner, attach.LeadLine{Line: desk, Incoming: true}))
		w.Clock.Advance(time.Hour)
		kept := lead.ID("")
		w.attach.Assign = func(_ context.Context, _ *db.Tx, _ *account.Org, c attach.Caller) (attach.Given, error) {
			if c.Line != desk || c.Agent != asha.Agent || c.Contact == "" {
				t.Errorf("the caller to be assigned is %+v", c)
			}
			if c.At.Equal(w.Now()) {
				return attach.Given{Owner: "mem_left", Why: "round robin"}, nil
			}
			return attach.Given{Owner: asha.ID, Why: "round robin", Keep: func(_ context.Context, _ *db.Tx, l lead.ID) error {
				kept = l
				return nil
			}}, nil
		}
		w.Put(w.t, in(asha, desk, num(1), w.Now().Add(-time.Minute), 0), in(asha, desk, num(2), w.Now(), 0))
		w.work()
		if l := w.open(num(1))[0]; l.Owner != asha.ID || kept != l.ID {
			t.Errorf("the lead %s belongs to %q, and %q was kept", l.ID, l.Owner, kept)
		}
		if l := w.open(num(2))[0]; l.Owner != "" {
			t.Errorf("the lead of whoever left belongs to %q", l.Owner)
		}
	})
}

// TestALeadThatWasDeletedStaysSo: what moves an old call does not make its lead again.
func TestALeadThatWasDeletedStaysSo(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha := w.Agent(w.t, "Asha")
		desk := w.line(asha.Agent, num(901))
		w.must(w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true}))
		w.Clock.Advance(time.Hour)
		w.Put(w.t, in(asha, desk, num(1), w.Now(), 0))
		w.work()
		l := w.open(num(1))[0]
		w.tx(func(tx *db.Tx) error {
			if err := w.Leads.Delete(ctx, tx, w.Org, "", l.ID); err != nil {
				return err
			}
			_, err := w.Contacts.Delete(ctx, tx, w.Org.ID, l.Contact)
			return err
		})
		w.Clock.Advance(time.Hour)
		s := w.Org.Settings()
		s.Zone = "Pacific/Auckland" // the call moves to another day
		org, err := w.Accounts.UpdateOrg(ctx, w.owner, w.Org.ID, s)
		w.must(err)
		w.must(w.Writer.Rebuild(ctx, org, nil))
		w.work()
		if got := w.open(num(1)); len(got) > 0 {
			t.Errorf("the lead came back: %+v", got[0])
		}
	})
}

func TestLeadLinesAndRulesAreForThoseWhoArrange(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha := w.Agent(w.t, "Asha")
		desk := w.line(asha.Agent, num(901))
		as, err := w.Accounts.As(ctx, w.Org.ID, asha.ID)
		w.must(err)
		for what, err := range map[string]error{
			"line": w.attach.SetLeadLine(ctx, as, attach.LeadLine{Line: desk, Incoming: true}), "rule": w.stageRule(as, "", attach.StageRule{}),
		} {
			if fault.KindOf(err) != fault.Denied {
				t.Errorf("%s: an agent got %v", what, err)
			}
		}
		for what, try := range map[string]error{
			"no line":  w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: 99, Incoming: true}),
			"source":   w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true, Source: string(make([]byte, 100))}),
			"seconds":  w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true, Min: 2 * time.Hour}),
			"pipeline": w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true, Pipeline: "nowhere"}),
			"stage":    w.stageRule(w.owner, "sales", attach.StageRule{Attempted: "nowhere"}),
		} {
			if k := fault.KindOf(try); k != fault.Invalid && k != fault.NotFound {
				t.Errorf("%s: got %v", what, try)
			}
		}
		w.must(w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true}))
		w.must(w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk}))
		if lines, err := w.attach.LeadLines(ctx, w.DB, w.Org.ID); err != nil || len(lines) != 0 {
			t.Errorf("after it was switched off the line is %+v, %v", lines, err)
		}
	})
}

// TestCallsMoveLeads: to the stages that the pipeline says, once, and never back.
func TestCallsMoveLeads(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha := w.Agent(w.t, "Asha")
		desk := w.line(asha.Agent, num(901))
		w.must(w.stageRule(w.owner, "", attach.StageRule{Attempted: "contacted", Connected: "qualified"}))
		one, two, three := w.person("One", "", num(1)), w.person("Two", "", num(2)), w.person("Three", "", num(3))
		a, b, c := w.lead(one.ID, "").ID, w.lead(two.ID, "").ID, w.lead(three.ID, "").ID
		w.tx(func(tx *db.Tx) error {
			_, err := w.Leads.Move(ctx, tx, w.Org, "", c, 0, lead.Spot{Stage: "proposal"})
			return err
		})
		w.Clock.Advance(time.Hour)
		stage := func(id lead.ID, want string) {
			t.Helper()
			w.work()
			if got := w.now(id).Stage; got != want {
				t.Errorf("the lead is at %s, want %s", got, want)
			}
		}
		w.Put(w.t, out(asha, desk, num(1), w.Now(), 0), out(asha, desk, num(3), w.Now(), 60))
		stage(a, "contacted")
		stage(c, "proposal")
		stage(b, "new")
		w.tx(func(tx *db.Tx) error { // somebody knows better
			_, err := w.Leads.Move(ctx, tx, w.Org, "", a, 0, lead.Spot{Stage: "new"})
			return err
		})
		w.Clock.Advance(time.Hour)
		w.Put(w.t, out(asha, desk, num(1), w.Now(), 0))
		stage(a, "new")
		w.Put(w.t, in(asha, desk, num(1), w.Now(), 30), in(asha, desk, num(2), w.Now(), 30))
		stage(a, "qualified")
		stage(b, "qualified")
		events, err := w.Leads.History(ctx, w.DB, w.Org.ID, b, 0, 10)
		w.must(err)
		if i := slices.IndexFunc(events, func(e lead.Event) bool { return e.Field == "stage" }); i < 0 || events[i].Why != "first connected call" || events[i].By != "" {
			t.Errorf("the history says %+v", events)
		}
	})
}

// TestWhomACallBelongsTo goes through the rules for a number that several have.
func TestWhomACallBelongsTo(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha, ravi, meera := w.Agent(w.t, "Asha"), w.Agent(w.t, "Ravi"), w.Agent(w.t, "Meera")
		n := num(1)
		match := func(agent *account.Member, canonical string) attach.Match {
			t.Helper()
			ids, err := w.Book.Known(ctx, w.DB, w.Org.ID, []string{canonical})
			w.must(err)
			m, err := w.attach.Attach(ctx, w.DB, w.Org.ID, call.Key{Agent: agent.Agent, Number: ids[canonical]})
			w.must(err)
			return m
		}
		want := func(what string, got attach.Match, c *contact.Contact, l lead.ID, r attach.Rule) {
			t.Helper()
			id := contact.ID("")
			if c != nil {
				id = c.ID
			}
			if got != (attach.Match{Contact: id, Lead: l, Rule: r}) {
				t.Errorf("%s: got %+v, want %s, %s, %s", what, got, id, l, r)
			}
		}
		want("withheld", match(asha, ""), nil, "", attach.NoContact)
		one := w.person("One", "", n, num(2))
		want("one", match(asha, n), one, "", attach.OnlyOne)
		w.Clock.Advance(time.Minute)
		two := w.person("Two", ravi.ID, n)
		want("the later of two", match(asha, n), two, "", attach.LastTouched)
		w.Clock.Advance(time.Minute)
		three := w.person("Three", "", n)
		want("the agent's own", match(ravi, n), two, "", attach.AgentsOwn)
		w.Clock.Advance(time.Minute)
		first := w.lead(one.ID, meera.ID).ID
		w.Clock.Advance(time.Minute)
		second := w.lead(one.ID, "").ID
		want("an open lead", match(ravi, n), one, second, attach.OpenLead)
		w.Clock.Advance(time.Minute)
		third := w.lead(three.ID, "").ID
		want("the newest open lead", match(ravi, n), three, third, attach.OpenLead)
		want("the agent's open lead", match(meera, n), one, first, attach.AgentsLead)
		want("of one contact, the agent's lead", match(meera, num(2)), one, first, attach.OnlyOne)
		w.tx(func(tx *db.Tx) error {
			_, err := w.Leads.Win(ctx, tx, w.Org, "", third, 0, "", "")
			return err
		})
		want("closed leads take no calls", match(ravi, n), one, second, attach.OpenLead)
		other := w.NewOrg(w.t, "Elsewhere")
		if m, err := w.attach.Attach(ctx, w.DB, other.ID, call.Key{Agent: 1, Number: 1}); err != nil || m.Contact != "" {
			t.Errorf("another organisation gets %+v, %v", m, err)
		}
	})
}

// TestWhatIsKeptGoesWithLeadsAndContacts: nothing of a person stays behind.
func TestWhatIsKeptGoesWithLeadsAndContacts(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		asha := w.Agent(w.t, "Asha")
		desk := w.line(asha.Agent, num(901))
		w.must(w.attach.SetLeadLine(ctx, w.owner, attach.LeadLine{Line: desk, Incoming: true}))
		w.Clock.Advance(time.Hour)
		w.Put(w.t, in(asha, desk, num(1), w.Now(), 60))
		w.work()
		l := w.open(num(1))[0]
		today := civil.DayOf(w.Now(), w.Org.Location())
		w.tx(func(tx *db.Tx) error {
			_, err := w.followups.Add(ctx, tx, w.Org, asha.ID, followup.New{Kind: followup.Call, Contact: l.Contact, Owner: asha.ID, Day: today, Text: "x"})
			return err
		})
		w.Put(w.t, out(asha, desk, num(1), w.Now().Add(time.Minute), 60))
		w.work()
		w.tx(func(tx *db.Tx) error { return w.attach.Mark(ctx, tx, w.Org.ID, l.Contact) })
		count := func(tables ...string) (n int) {
			t.Helper()
			for _, table := range tables {
				var some int
				w.must(w.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = $1`, w.Org.ID).Scan(&some))
				n += some
			}
			return n
		}
		if n := count("call_leads", "settled_follow_ups", "due_contacts"); n != 3 {
			t.Fatalf("%d rows are kept about the caller, want 3", n)
		}
		w.tx(func(tx *db.Tx) error {
			if err := w.Leads.Delete(ctx, tx, w.Org, "", l.ID); err != nil {
				return err
			}
			_, err := w.Contacts.Delete(ctx, tx, w.Org.ID, l.Contact)
			return err
		})
		if n := count("call_leads", "settled_follow_ups", "due_contacts"); n != 0 {
			t.Errorf("%d rows are left of the caller", n)
		}
		w.tx(func(tx *db.Tx) error { return w.attach.Delete(ctx, tx, w.Org.ID) })
		if n := count("touched_calls", "lead_lines", "attach_reckoned", "stage_rules"); n != 0 {
			t.Errorf("%d rows are left of the organisation", n)
		}
	})
}
