package assign_test

import (
	"testing"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// round has the server do what is due.
func (s *story) round(t testing.TB) {
	t.Helper()
	must(t, s.assign.Reassign(t.Context(), s.Org, s.Now()))
}

// TestALeadWaits: outside working hours, and while everybody is absent, it has no owner, and somebody gets it when they are back; whoever
// got it by hand meanwhile keeps it.
func TestALeadWaits(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		_, err := s.assign.SetSettings(t.Context(), s.boss, assign.Settings{Closed: []assign.ClosedDay{{Day: day(t, "2026-04-20"), Title: "Stocktaking"}}})
		must(t, err)
		s.rule(t, assign.Rule{Choice: assign.Choice{Working: true, Away: assign.Queue, Wait: 96}})
		s.clock(t, "2026-04-17 19:00") // on Friday evening; Monday is closed
		l, byHand := s.lead(t, lead.New{}), s.lead(t, lead.New{})
		d := s.give(t, l.ID)
		s.give(t, byHand.ID)
		if opens := s.at(t, "2026-04-21 09:00"); d.Owner != "" || !d.Until.Equal(opens) || keys(d) != "rule waits" || s.passed(d) != "Asha closed, Bina closed, Chitra closed" {
			t.Errorf("%s got it, it waits until %v: %s", s.name(d.Owner), d.Until, s.passed(d))
		}
		if all, err := s.assign.Waiting(t.Context(), s.DB, s.Org.ID, 10); err != nil || len(all) != 2 || !all[l.ID].Equal(d.Until) {
			t.Errorf("waiting are %v, %v", all, err)
		}
		s.Tx(t, func(tx *db.Tx) error { return s.Leads.SetOwner(t.Context(), tx, s.Org, "", byHand.ID, s.chitra.ID, "") })
		s.clock(t, "2026-04-21 08:59")
		s.round(t)
		if got := s.get(t, l.ID).Owner; got != "" {
			t.Errorf("a minute too early %s got it", s.name(got))
		}
		s.clock(t, "2026-04-21 09:00")
		_, err = s.assign.AddAbsence(t.Context(), s.boss, s.asha.ID, s.Now(), s.Now().Add(time.Hour))
		must(t, err)
		s.round(t)
		if got := s.get(t, l.ID).Owner; got != s.bina.ID && got != s.chitra.ID {
			t.Errorf("then %s got it", s.name(got))
		}
		if got := s.get(t, byHand.ID).Owner; got != s.chitra.ID {
			t.Errorf("what Chitra got by hand is %s's now", s.name(got))
		}
		if log := s.log(t, assign.Filter{Lead: l.ID}); len(log) != 2 || keys(&log[0].Decision) != "back rule turn" || log[1].Until.IsZero() {
			t.Errorf("the log says %+v", log)
		}
		if all, err := s.assign.Waiting(t.Context(), s.DB, s.Org.ID, 10); err != nil || len(all) != 0 {
			t.Errorf("still waiting are %v, %v", all, err)
		}
	})
}

// TestALeadWaitsForOne: whoever spoke with the number is absent for a day, and the lead waits for them, but not for longer than the rule
// lets it.
func TestALeadWaitsForOne(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		const text = "+919812300101"
		s.spoke(t, s.bina, text, s.Now().Add(-time.Hour))
		meera := s.Contact(t, "Meera", "Joshi", text)
		s.rule(t, assign.Rule{Choice: assign.Choice{To: assign.Target{All: true}, SpokeDays: 30, Away: assign.Queue, Wait: 30}})
		_, err := s.assign.AddAbsence(t.Context(), s.boss, s.bina.ID, s.Now(), s.Now().Add(24*time.Hour))
		must(t, err)
		l := s.lead(t, lead.New{Contact: meera.ID})
		if d := s.give(t, l.ID); d.Owner != "" || keys(d) != "rule spoke waits" || !d.Until.Equal(s.Now().Add(24*time.Hour)) {
			t.Errorf("%s got it: %s", s.name(d.Owner), d.Sentence())
		}
		_, err = s.assign.AddAbsence(t.Context(), s.boss, s.bina.ID, s.Now().Add(24*time.Hour), s.Now().Add(48*time.Hour))
		must(t, err)
		s.Clock.Advance(24 * time.Hour)
		s.round(t)
		log := s.log(t, assign.Filter{Lead: l.ID})
		if got := s.get(t, l.ID).Owner; got == "" || got == s.bina.ID || keys(&log[0].Decision) != "back rule turn" {
			t.Errorf("in the end %s got it: %s", s.name(got), log[0].Sentence())
		}
	})
}

// TestTheLog: pages through it, what it is filtered by, who sees what, and that it goes with the lead.
func TestTheLog(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		kept := s.rule(t, assign.Rule{Name: "In turn", When: assign.When{Sources: []string{"Web"}}})
		var leads []*lead.Lead
		for i := range 9 {
			n := lead.New{Source: "Web"}
			if i%3 == 0 {
				n.Source = "Street"
			}
			leads = append(leads, s.lead(t, n))
			s.give(t, leads[i].ID)
		}
		all := s.log(t, assign.Filter{})
		if len(all) != 9 || all[0].Lead != leads[8].ID || all[8].Lead != leads[0].ID {
			t.Fatalf("the log has %d entries", len(all))
		}
		var paged []assign.Entry
		for before := int64(0); ; {
			page, next, err := s.assign.Log(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, assign.Filter{Before: before}, 4)
			must(t, err)
			paged = append(paged, page...)
			if before = next; next == 0 {
				break
			}
		}
		for i, e := range paged {
			if e.Seq != all[i].Seq {
				t.Fatalf("page by page the log is another: %v", paged)
			}
		}
		for name, x := range map[string]struct {
			filter assign.Filter
			sight  contact.Sight
			want   int
		}{
			"of a rule": {assign.Filter{Rule: kept.ID}, contact.Sight{All: true}, 6}, "nobody got": {assign.Filter{Nobody: true}, contact.Sight{All: true}, 3},
			"an agent sees": {assign.Filter{}, contact.Sight{Members: []account.MemberID{s.asha.ID}}, 2}, "a manager sees": {assign.Filter{}, contact.Sight{Members: []account.MemberID{s.asha.ID}, Unowned: true}, 5},
			"who sees none": {assign.Filter{}, contact.Sight{}, 0}, "Bina got": {assign.Filter{Owner: s.bina.ID}, contact.Sight{All: true}, 2},
		} {
			if page, _, err := s.assign.Log(t.Context(), s.DB, s.Org.ID, x.sight, x.filter, 100); err != nil || len(page) != x.want {
				t.Errorf("%s %d decisions, want %d, %v", name, len(page), x.want, err)
			}
		}
		for _, e := range all {
			if e.Owner == "" && e.Sentence() != "No rule is for this lead." || e.Owner != "" && e.Sentence() != "By the rule “In turn”. It was their turn." {
				t.Errorf("a decision is explained by %q", e.Sentence())
			}
		}
		history, err := s.Leads.History(t.Context(), s.DB, s.Org.ID, all[0].Lead, 0, 10)
		must(t, err)
		if len(history) < 1 || history[0].Why != all[0].Sentence() {
			t.Errorf("the history of the lead says %+v", history)
		}
		s.Tx(t, func(tx *db.Tx) error { return s.Leads.Delete(t.Context(), tx, s.Org, "", leads[8].ID) })
		if n := len(s.log(t, assign.Filter{})); n != 8 {
			t.Errorf("after a lead was deleted the log has %d decisions", n)
		}
	})
}

// TestNothingIsDoneWithTheRestricted: their lead stays as it is, and the log says why.
func TestNothingIsDoneWithTheRestricted(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.rule(t, assign.Rule{})
		l := s.lead(t, lead.New{})
		if _, err := s.DB.Exec(t.Context(), `UPDATE contacts SET restricted = 1 WHERE org_id = $1 AND contact = $2`, s.Org.ID, l.Contact); err != nil {
			t.Fatal(err)
		}
		if d := s.give(t, l.ID); d.Owner != "" || keys(d) != "restricted" || len(s.log(t, assign.Filter{})) != 1 {
			t.Errorf("%s got it: %s", s.name(d.Owner), d.Sentence())
		}
	})
}

// TestBadRulesAreRefused, with a sentence about the field.
func TestBadRulesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		all := assign.Target{All: true}
		for _, x := range []struct {
			rule assign.Rule
			kind fault.Kind
			word string
		}{
			{assign.Rule{Choice: assign.Choice{To: all}}, fault.Invalid, "name"},
			{assign.Rule{Name: "Card 4111 1111 1111 1111", Choice: assign.Choice{To: all}}, fault.Invalid, "card"},
			{assign.Rule{Name: "Nobody"}, fault.Invalid, "nobody"},
			{assign.Rule{Name: "X", Choice: assign.Choice{To: all, Way: "dice"}}, fault.Invalid, "dice"},
			{assign.Rule{Name: "X", Choice: assign.Choice{To: all, Weights: map[account.MemberID]int{s.asha.ID: 101}}}, fault.Invalid, "101"},
			{assign.Rule{Name: "X", Choice: assign.Choice{To: assign.Target{Members: []account.MemberID{"mem_x"}}}}, fault.NotFound, "mem_x"},
			{assign.Rule{Name: "X", Choice: assign.Choice{To: assign.Target{Teams: []account.TeamID{"tea_x"}}}}, fault.NotFound, "tea_x"},
			{assign.Rule{Name: "X", When: assign.When{Pipelines: []string{"none"}}, Choice: assign.Choice{To: all}}, fault.NotFound, "none"},
			{assign.Rule{Name: "X", When: assign.When{Countries: []string{"India"}}, Choice: assign.Choice{To: all}}, fault.Invalid, "INDIA"},
			{assign.Rule{Name: "X", When: assign.When{Hours: "night"}, Choice: assign.Choice{To: all}}, fault.Invalid, "night"},
			{assign.Rule{ID: "rul_x", Name: "X", Choice: assign.Choice{To: all}}, fault.NotFound, "rul_x"},
		} {
			_, err := s.assign.SaveRule(t.Context(), s.boss, x.rule)
			refused(t, err, x.kind, x.word)
		}
		other := s.NewOrg(t, "Other")
		kept := s.rule(t, assign.Rule{})
		_, err := s.assign.SaveRule(t.Context(), s.Accounts.Operator(other), *kept)
		refused(t, err, fault.NotFound)
		refused(t, s.assign.DropRule(t.Context(), s.Accounts.Operator(other), kept.ID), fault.NotFound)
		stale := *kept
		_, err = s.assign.SaveRule(t.Context(), s.boss, *kept)
		must(t, err)
		_, err = s.assign.SaveRule(t.Context(), s.boss, stale)
		refused(t, err, fault.Conflict, "Somebody changed this rule")
		agent, err := s.Accounts.As(t.Context(), s.Org.ID, s.asha.ID)
		must(t, err)
		_, err = s.assign.SaveRule(t.Context(), agent, *kept)
		refused(t, err, fault.Denied)
		_, err = s.assign.AddAbsence(t.Context(), agent, s.bina.ID, s.Now(), s.Now().Add(time.Hour))
		refused(t, err, fault.Denied)
		away, err := s.assign.AddAbsence(t.Context(), agent, s.asha.ID, s.Now(), s.Now().Add(time.Hour))
		must(t, err)
		refused(t, s.assign.DropAbsence(t.Context(), s.Accounts.Operator(other), away.ID), fault.NotFound)
		must(t, s.assign.DropAbsence(t.Context(), agent, away.ID))
		_, err = s.assign.AddAbsence(t.Context(), s.boss, s.asha.ID, s.Now(), s.Now())
		refused(t, err, fault.Invalid, "before it begins")
		_, err = s.assign.SetSettings(t.Context(), s.boss, assign.Settings{Rev: 7})
		refused(t, err, fault.Conflict)
	})
}

func day(t testing.TB, text string) civil.Day {
	t.Helper()
	d, err := civil.Parse(text)
	must(t, err)
	return d
}

// Who has no rules is not told for every lead that none of them is for it, unless they ask.
func TestAnOrganisationWithoutRules(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		l := s.lead(t, lead.New{})
		if d := s.give(t, l.ID); d.Owner != "" || keys(d) != "no_rule" {
			t.Errorf("decided %+v", d)
		}
		log := func() int {
			all, _, err := s.assign.Log(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, assign.Filter{}, 10)
			must(t, err)
			return len(all)
		}
		if n := log(); n != 0 {
			t.Errorf("the log has %d entries of rules that there are not", n)
		}
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.assign.Give(t.Context(), tx, s.Org, s.asha.ID, l.ID)
			return err
		})
		if n := log(); n != 1 {
			t.Errorf("the log has %d entries after somebody asked", n)
		}
	})
}
