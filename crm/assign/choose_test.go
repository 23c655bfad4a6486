package assign_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// TestTheFirstRuleThatFitsDecides: rules in their order, each condition by itself, and what is said of those that did not fit.
func TestTheFirstRuleThatFitsDecides(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		team, err := s.Accounts.CreateTeam(t.Context(), s.Org.ID, "West")
		must(t, err)
		west := []assign.Territory{{Country: "in", State: " maharashtra "}, {Country: "IN", Postcode: "39 5"}}
		for _, x := range []struct {
			when assign.When
			fits assign.Case
			miss assign.Miss
		}{
			{assign.When{Sources: []string{"Trade fair "}}, assign.Case{Source: "trade  FAIR"}, assign.MissSource},
			{assign.When{Words: []string{"diwali"}}, assign.Case{Campaign: "Big Diwali Sale"}, assign.MissWord},
			{assign.When{Words: []string{"Diwali"}}, assign.Case{Source: "Ad: diwali 2026"}, assign.MissWord},
			{assign.When{Countries: []string{"np"}}, assign.Case{Country: "NP"}, assign.MissCountry},
			{assign.When{Territories: west}, assign.Case{Country: "IN", State: "MAHARASHTRA"}, assign.MissTerritory},
			{assign.When{Territories: west}, assign.Case{Country: "IN", State: "Gujarat", Postcode: "395-001"}, assign.MissTerritory},
			{assign.When{Languages: []string{"HI"}}, assign.Case{Language: "hi-IN"}, assign.MissLanguage},
			{assign.When{Tags: []string{"VIP"}}, assign.Case{Tags: []string{"old", "vip"}}, assign.MissTag},
			{assign.When{Pipelines: []string{"sales"}}, assign.Case{}, assign.MissPipeline}, // the organisation's first
			{assign.When{Lines: []call.LineNo{3}}, assign.Case{Line: 3}, assign.MissLine},
			{assign.When{Teams: []account.TeamID{team.ID}}, assign.Case{Team: team.ID}, assign.MissTeam},
		} {
			kept := s.rule(t, assign.Rule{Name: "Special", When: x.when, Choice: assign.Choice{To: assign.Target{Members: []account.MemberID{s.bina.ID}}}})
			if d := s.decide(t, x.fits); d.Owner != s.bina.ID || d.Rule != kept.ID {
				t.Errorf("%+v went to %s, by %q", x.fits, s.name(d.Owner), d.Sentence())
			}
			e, err := s.assign.Explain(t.Context(), s.DB, s.Org, s.Now(), assign.Case{Source: "Web", Country: "US", Pipeline: "other", Language: "en", Postcode: "9"})
			must(t, err)
			if len(e.Tried) != 1 || e.Tried[0].Miss != x.miss || e.Owner != "" || keys(&e.Decision) != "no_rule" {
				t.Errorf("of %+v it was said %+v, %s", x.when, e.Tried, e.Sentence())
			}
			must(t, s.assign.DropRule(t.Context(), s.boss, kept.ID))
		}
		first := s.rule(t, assign.Rule{Name: "First", Choice: assign.Choice{To: assign.Target{Members: []account.MemberID{s.asha.ID}}}})
		second := s.rule(t, assign.Rule{Name: "Second", Choice: assign.Choice{To: assign.Target{Members: []account.MemberID{s.bina.ID}}}})
		if d := s.decide(t, assign.Case{}); d.Rule != first.ID {
			t.Errorf("the second of two rules decided")
		}
		must(t, s.assign.OrderRules(t.Context(), s.boss, []assign.RuleID{second.ID, first.ID}))
		if d := s.decide(t, assign.Case{}); d.Rule != second.ID {
			t.Errorf("the rules were not put into order")
		}
		refused(t, s.assign.OrderRules(t.Context(), s.boss, []assign.RuleID{second.ID}), fault.Conflict, "came or went")
		second.Off = true
		_, err = s.assign.SaveRule(t.Context(), s.boss, *second)
		must(t, err)
		if d := s.decide(t, assign.Case{}); d.Rule != first.ID {
			t.Errorf("a rule that is off decided")
		}
	})
}

// TestWhoCanHaveALead: everybody who cannot is passed over, and the log says why.
func TestWhoCanHaveALead(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		s.phone(t, s.asha, "a")
		bina := s.phone(t, s.bina, "b")
		kept := s.rule(t, assign.Rule{Choice: assign.Choice{Silent: 4}})
		if d := s.decide(t, assign.Case{}); d.Owner != s.asha.ID || s.passed(&d) != "Chitra no_phone" {
			t.Errorf("%s got it, %s", s.name(d.Owner), s.passed(&d))
		}
		kept.Phoneless = true
		kept, err := s.assign.SaveRule(t.Context(), s.boss, *kept)
		must(t, err)
		s.clock(t, "2026-04-16 09:30") // half an hour and six hours of working time later
		s.beat(t, bina)
		d := s.decide(t, assign.Case{Not: []account.MemberID{s.chitra.ID}})
		if d.Owner != s.bina.ID || s.passed(&d) != "Asha silent, Chitra had_it" || detail(&d, assign.IsSilent) != 390 {
			t.Errorf("%s got it, %s, silent for %d minutes", s.name(d.Owner), s.passed(&d), detail(&d, assign.IsSilent))
		}
		boss := s.boss
		_, err = s.assign.AddAbsence(t.Context(), boss, s.bina.ID, s.at(t, "2026-04-16 09:00"), s.at(t, "2026-04-18 18:00"))
		must(t, err)
		must(t, s.assign.SetAssignee(t.Context(), boss, assign.Assignee{Member: s.chitra.ID, Paused: true}))
		if d := s.decide(t, assign.Case{}); d.Owner != "" || s.passed(&d) != "Asha silent, Bina away, Chitra paused" || keys(&d) != "rule nobody" {
			t.Errorf("%s got it, %s: %s", s.name(d.Owner), s.passed(&d), d.Sentence())
		}
		if d := s.decide(t, assign.Case{}); !moment(detail(&d, assign.IsAway)).Equal(s.at(t, "2026-04-18 18:00")) {
			t.Errorf("Bina is back at %v", moment(detail(&d, assign.IsAway)))
		}
		_, err = s.Accounts.Deactivate(t.Context(), boss, s.asha.ID)
		must(t, err)
		if _, err = s.Accounts.SetRole(t.Context(), boss, s.chitra.ID, account.Viewer); err != nil {
			t.Fatal(err)
		}
		kept.To = assign.Target{Members: []account.MemberID{s.asha.ID, s.chitra.ID}}
		_, err = s.assign.SaveRule(t.Context(), boss, *kept)
		must(t, err)
		if d := s.decide(t, assign.Case{}); d.Owner != "" || s.passed(&d) != "Asha left, Chitra role" {
			t.Errorf("%s got it, %s", s.name(d.Owner), s.passed(&d))
		}
	})
}

// TestSkills: languages and territories of members count where the rule says so and the lead has one.
func TestSkills(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		must(t, s.assign.SetAssignee(t.Context(), s.boss, assign.Assignee{Member: s.bina.ID, Languages: []string{"HI-in", "mr"}, Territories: []assign.Territory{{Country: "IN", Postcode: "4"}}}))
		s.rule(t, assign.Rule{Choice: assign.Choice{Speaks: true, Covers: true}})
		for _, x := range []struct {
			of   assign.Case
			want string
		}{
			{assign.Case{Language: "hi"}, "Bina"},
			{assign.Case{Language: "ta"}, "nobody"},
			{assign.Case{Country: "IN", Postcode: "411 001"}, "Bina"},
			{assign.Case{Country: "IN", Postcode: "560 001"}, "nobody"},
			{assign.Case{}, "Asha"},
		} {
			if d := s.decide(t, x.of); s.name(d.Owner) != x.want {
				t.Errorf("%+v went to %s, want %s: %s", x.of, s.name(d.Owner), x.want, s.passed(&d))
			}
		}
	})
}

// TestCaps: nobody gets more than they take, in a day and at once, and a new day is a new day.
func TestCaps(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		for _, x := range []assign.Assignee{{Member: s.asha.ID, DayCap: 2}, {Member: s.bina.ID, OpenCap: 3}, {Member: s.chitra.ID, Paused: true}} {
			must(t, s.assign.SetAssignee(t.Context(), s.boss, x))
		}
		mine := s.lead(t, lead.New{Owner: s.bina.ID})
		s.rule(t, assign.Rule{Choice: assign.Choice{Fallback: assign.Target{Members: []account.MemberID{s.chitra.ID}}}})
		got := map[string]int{}
		var last *assign.Decision
		for range 6 {
			last = s.give(t, s.lead(t, lead.New{}).ID)
			got[s.name(last.Owner)]++
		}
		if got["Asha"] != 2 || got["Bina"] != 2 || got["nobody"] != 2 {
			t.Errorf("leads went to %v", got)
		}
		if keys(last) != "rule fallback nobody" || !slices.Contains(last.Skipped, assign.Skip{Member: s.bina.ID, Reason: assign.OpenFull, Detail: 3}) ||
			!slices.Contains(last.Skipped, assign.Skip{Member: s.asha.ID, Reason: assign.DayFull, Detail: 2}) {
			t.Errorf("at last: %s, %+v", last.Sentence(), last.Skipped)
		}
		s.Tx(t, func(tx *db.Tx) error { return s.Leads.SetOwner(t.Context(), tx, s.Org, "", mine.ID, s.chitra.ID, "") })
		if d := s.give(t, s.lead(t, lead.New{}).ID); d.Owner != s.bina.ID {
			t.Errorf("Bina has room again, and %s got it", s.name(d.Owner))
		}
		r, err := s.assign.NewRun(t.Context(), s.DB, s.Org, s.Now())
		must(t, err)
		if d, err := r.Decide(t.Context(), s.DB, s.Now(), assign.Case{}); err != nil || d.Owner != "" {
			t.Errorf("%s got it in a run, %v", s.name(d.Owner), err)
		}
		s.Clock.Advance(24 * time.Hour)
		for i, want := range []string{"Asha", "Asha", "nobody"} {
			if d, err := r.Decide(t.Context(), s.DB, s.Now(), assign.Case{}); err != nil || s.name(d.Owner) != want {
				t.Errorf("on the next day %s got lead %d, %v", s.name(d.Owner), i, err)
			}
		}
	})
}

// TestANumberGoesBack: to whoever spoke with it last, then to whoever spoke before, then to whoever looks after the contact; the turns
// of the others do not move.
func TestANumberGoesBack(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		const text = "+919812300101"
		now := s.Now()
		s.spoke(t, s.asha, text, now.AddDate(0, 0, -40))
		s.spoke(t, s.chitra, text, now.AddDate(0, 0, -3))
		s.spoke(t, s.bina, text, now.Add(-2*time.Hour))
		n := s.spoke(t, s.asha, text, now.Add(-3*time.Hour))
		meera := s.Contact(t, "Meera", "Joshi", text)
		s.rule(t, assign.Rule{Choice: assign.Choice{To: assign.Target{Members: []account.MemberID{s.asha.ID}}, SpokeDays: 30, OwnContacts: true}})
		cs := assign.Case{Contact: meera.ID, Numbers: []number.ID{n}, Owner: s.asha.ID}
		d := s.decide(t, cs)
		if d.Owner != s.bina.ID || keys(&d) != "rule spoke" || d.Why[1].Args["Day"] != civil.DayOf(now, s.Org.Location()).String() {
			t.Errorf("%s got it: %s", s.name(d.Owner), d.Sentence())
		}
		cs.Not = []account.MemberID{s.bina.ID}
		if d := s.decide(t, cs); d.Owner != s.asha.ID || keys(&d) != "rule spoke" {
			t.Errorf("then %s got it: %s", s.name(d.Owner), d.Sentence())
		}
		cs.Not = append(cs.Not, s.asha.ID)
		if d := s.decide(t, cs); d.Owner != s.chitra.ID {
			t.Errorf("then %s got it: %s", s.name(d.Owner), d.Sentence())
		}
		s.Clock.Advance(31 * 24 * time.Hour)
		if d := s.decide(t, assign.Case{Contact: meera.ID, Numbers: cs.Numbers, Owner: s.chitra.ID}); d.Owner != s.chitra.ID || keys(&d) != "rule contact" {
			t.Errorf("a month later %s got it: %s", s.name(d.Owner), d.Sentence())
		}
		if d := s.decide(t, assign.Case{Contact: meera.ID, Numbers: cs.Numbers}); d.Owner != s.asha.ID || keys(&d) != "rule turn" {
			t.Errorf("of nobody's, %s got it: %s", s.name(d.Owner), d.Sentence())
		}
		n2 := s.spoke(t, s.chitra, text, s.Now().Add(-time.Minute)) // what is remembered of a day is forgotten with a new call
		if d := s.decide(t, assign.Case{Numbers: []number.ID{n2}}); d.Owner != s.chitra.ID {
			t.Errorf("after a new call %s got it: %s", s.name(d.Owner), d.Sentence())
		}
		l := s.lead(t, lead.New{Contact: meera.ID, Owner: ""})
		if d := s.give(t, l.ID); d.Owner != s.chitra.ID || s.get(t, l.ID).Owner != s.chitra.ID {
			t.Errorf("Meera's lead went to %s: %s", s.name(d.Owner), d.Sentence())
		}
	})
}

// TestOnlyWhoIsThere: whatever the rules and whoever is where, a lead never goes to somebody who left, is absent, silent or full, and
// whoever could have it and does not is in the log, or it was somebody else's turn.
func TestOnlyWhoIsThere(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		dice := rand.New(rand.NewPCG(7, 11))
		all := []*account.Member{s.asha, s.bina, s.chitra, s.Agent(t, "Deva"), s.Agent(t, "Esha"), s.Agent(t, "Farid")}
		for i, m := range all[:5] {
			d := s.phone(t, m, string(rune('a'+i)))
			if dice.IntN(2) == 0 {
				defer s.beat(t, d)
			}
		}
		rule := s.rule(t, assign.Rule{Choice: assign.Choice{Silent: 3, Working: true}})
		s.Clock.Set(s.at(t, "2026-04-16 08:00"))
		for i := range 60 {
			s.Clock.Advance(time.Duration(dice.IntN(200)) * time.Minute)
			m := all[dice.IntN(len(all))]
			switch dice.IntN(5) {
			case 0:
				_, err := s.Accounts.Deactivate(t.Context(), s.boss, m.ID)
				must(t, err)
			case 1:
				_, err := s.Accounts.Reactivate(t.Context(), s.boss, m.ID)
				must(t, err)
			case 2:
				_, err := s.assign.AddAbsence(t.Context(), s.boss, m.ID, s.Now().Add(-time.Hour), s.Now().Add(time.Duration(1+dice.IntN(600))*time.Minute))
				must(t, err)
			case 3:
				if phones, err := s.Devices.Devices(t.Context(), s.Org, []account.AgentNo{m.Agent}); err == nil && len(phones) > 0 && m.Active {
					s.beat(t, phones[0].Device)
				}
			default:
				must(t, s.assign.SetAssignee(t.Context(), s.boss, assign.Assignee{Member: m.ID, OpenCap: dice.IntN(12)}))
			}
			rule.Way = assign.Ways()[dice.IntN(4)]
			var err error
			rule, err = s.assign.SaveRule(t.Context(), s.boss, *rule)
			must(t, err)
			d := s.give(t, s.lead(t, lead.New{}).ID)
			cannot := s.cannot(t, all, d.Owner)
			if why := cannot[d.Owner]; why != "" {
				t.Fatalf("lead %d went to somebody who is %s", i, why)
			}
			for _, x := range d.Skipped {
				if cannot[x.Member] == "" {
					t.Fatalf("lead %d passed over somebody as %s who could have it", i, x.Reason)
				}
			}
			if able := len(all) - len(cannot); d.Owner == "" && able > 0 {
				t.Fatalf("lead %d went to nobody, and %d could have it: %s", i, able, d.Sentence())
			}
		}
	})
}

// cannot tells why members cannot have a lead that one of them was just given, looked up in another way than decisions do.
func (s *story) cannot(t *testing.T, all []*account.Member, owner account.MemberID) map[account.MemberID]string {
	t.Helper()
	out := map[account.MemberID]string{}
	now := s.Now()
	absences, err := s.assign.Absences(t.Context(), s.DB, s.Org.ID, now)
	must(t, err)
	caps, err := s.assign.Assignees(t.Context(), s.DB, s.Org.ID)
	must(t, err)
	local := now.In(s.Org.Location())
	for _, m := range all {
		who, err := s.Accounts.Member(t.Context(), s.Org.ID, m.ID)
		must(t, err)
		phones, err := s.Devices.Devices(t.Context(), s.Org, []account.AgentNo{m.Agent})
		must(t, err)
		open, err := s.Leads.IDs(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, lead.Filter{Owners: []account.MemberID{m.ID}})
		must(t, err)
		had := len(open)
		if m.ID == owner {
			had--
		}
		switch {
		case !who.Active:
			out[m.ID] = "gone"
		case slices.ContainsFunc(absences, func(x assign.Absence) bool { return x.Member == m.ID && !now.Before(x.From) && now.Before(x.Until) }):
			out[m.ID] = "away"
		case local.Hour() < 9 || local.Hour() >= 18 || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday:
			out[m.ID] = "not at work"
		case len(phones) > 0 && phones[0].SilentFor > 3*time.Hour:
			out[m.ID] = "silent"
		case len(phones) == 0:
			out[m.ID] = "without a phone"
		}
		for _, x := range caps {
			if x.Member == m.ID && x.OpenCap > 0 && had >= x.OpenCap && out[m.ID] == "" {
				out[m.ID] = "full"
			}
		}
	}
	return out
}

// detail is what is said of somebody who was passed over for a reason.
func detail(d *assign.Decision, reason assign.Reason) int64 {
	for _, x := range d.Skipped {
		if x.Reason == reason {
			return x.Detail
		}
	}
	return 0
}

func moment(ms int64) time.Time { return time.UnixMilli(ms) }
