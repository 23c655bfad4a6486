package assign_test

import (
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/lead"
	"parley/platform/db"
)

func (s *story) rescue(t testing.TB, r assign.Rescue) *assign.Rescue {
	t.Helper()
	if !r.ByRule && r.To.Empty() {
		r.To.All, r.Phoneless = true, true
	}
	r.Name = "Lying about"
	kept, err := s.assign.SaveRescue(t.Context(), s.boss, r)
	must(t, err)
	return kept
}

// TestALeadThatNobodyTries is taken away after so many working minutes, goes to those who did not have it yet, and stays in the end:
// it does not go round in circles.
func TestALeadThatNobodyTries(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		s.clock(t, "2026-04-16 17:30")
		s.rescue(t, assign.Rescue{Reason: assign.NoAttempt, After: 60, Most: 2})
		l := s.lead(t, lead.New{Owner: s.asha.ID})
		tried := s.lead(t, lead.New{Owner: s.asha.ID})
		s.Tx(t, func(tx *db.Tx) error {
			return s.Leads.SetTouch(t.Context(), tx, s.Org.ID, tried.ID, lead.Touch{Attempts: 1, First: s.Now(), Last: s.Now()})
		})
		owners := []string{}
		for range 60 * 40 / 5 { // until the evening of the next day but one, every five minutes
			s.round(t)
			if name := s.name(s.get(t, l.ID).Owner); len(owners) == 0 || !strings.HasPrefix(owners[len(owners)-1], name) {
				owners = append(owners, name+s.Now().In(s.Org.Location()).Format(" Mon 15:04"))
			}
			s.Clock.Advance(5 * time.Minute)
		}
		if len(owners) != 3 || owners[0] != "Asha Thu 17:30" || owners[1][len(owners[1])-9:] != "Fri 09:30" || owners[2][len(owners[2])-9:] != "Fri 10:30" || owners[1][0] == owners[2][0] {
			t.Errorf("it was with %v", owners)
		}
		log := s.log(t, assign.Filter{Lead: l.ID})
		if len(log) != 3 || keys(&log[0].Decision) != "rule attempt limit stays" || keys(&log[2].Decision) != "rule attempt turn" || log[2].Was != s.asha.ID || log[0].Owner != log[1].Owner {
			t.Errorf("the log says %+v", log)
		}
		if len(s.handed) != 2 || !strings.HasPrefix(s.handed[0], string(l.ID)+" "+string(s.asha.ID)) {
			t.Errorf("handed over was %v", s.handed)
		}
		if got := s.get(t, tried.ID).Owner; got != s.asha.ID {
			t.Errorf("a lead that was tried is %s's now", s.name(got))
		}
	})
}

// TestRescueByHandAndByRules: whoever got a lead by hand has the whole time; where nobody can take it, it stays, the log says so once,
// and it is tried again.
func TestRescueByHandAndByRules(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		s.clock(t, "2026-04-16 10:00")
		s.rescue(t, assign.Rescue{Reason: assign.NoAttempt, After: 60, Most: 3, ByRule: true})
		rule := s.rule(t, assign.Rule{Choice: assign.Choice{To: assign.Target{Members: []account.MemberID{s.asha.ID, s.bina.ID}}}})
		l := s.lead(t, lead.New{Owner: s.asha.ID})
		s.Clock.Advance(40 * time.Minute)
		s.round(t)
		s.Tx(t, func(tx *db.Tx) error { return s.Leads.SetOwner(t.Context(), tx, s.Org, "", l.ID, s.bina.ID, "") })
		must(t, s.assign.SetAssignee(t.Context(), s.boss, assign.Assignee{Member: s.asha.ID, Paused: true}))
		for range 10 {
			s.Clock.Advance(10 * time.Minute)
			s.round(t)
			if got := s.get(t, l.ID).Owner; got != s.bina.ID {
				t.Fatalf("at %v it is %s's", s.Now(), s.name(got))
			}
		}
		log := s.log(t, assign.Filter{Lead: l.ID})
		if len(log) != 1 || keys(&log[0].Decision) != "rule attempt rule nobody stays" || s.passed(&log[0].Decision) != "Asha paused, Bina had_it" {
			t.Errorf("the log says %+v", log)
		}
		must(t, s.assign.SetAssignee(t.Context(), s.boss, assign.Assignee{Member: s.asha.ID}))
		s.Clock.Advance(30 * time.Minute)
		s.round(t)
		log = s.log(t, assign.Filter{Lead: l.ID})
		if got := s.get(t, l.ID).Owner; got != s.asha.ID || log[0].Rule != rule.ID {
			t.Errorf("then it is %s's: %s", s.name(got), log[0].Sentence())
		}
	})
}

// TestALateFollowUp takes a lead away, too.
func TestALateFollowUp(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		s.clock(t, "2026-04-16 16:00")
		s.rescue(t, assign.Rescue{Reason: assign.LateFollowUp, After: 180, Most: 1, Sources: []string{"web"}})
		l, other := s.lead(t, lead.New{Owner: s.asha.ID, Source: "Web"}), s.lead(t, lead.New{Owner: s.asha.ID, Source: "Fair"})
		for _, x := range []*lead.Lead{l, other} {
			s.Tx(t, func(tx *db.Tx) error {
				return s.Leads.SetDue(t.Context(), tx, s.Org.ID, x.ID, s.Now().Add(30*time.Minute))
			})
		}
		moved := ""
		for range 24 * 12 {
			s.round(t)
			if s.get(t, l.ID).Owner != s.asha.ID && moved == "" {
				moved = s.Now().In(s.Org.Location()).Format("Mon 15:04")
			}
			s.Clock.Advance(5 * time.Minute)
		}
		log := s.log(t, assign.Filter{})
		if moved != "Fri 10:30" || len(log) != 2 || keys(&log[1].Decision) != "rule follow_up turn" || keys(&log[0].Decision) != "rule follow_up limit stays" {
			t.Errorf("it was moved on %s, %+v", moved, log)
		}
		if got := s.get(t, other.ID).Owner; got != s.asha.ID {
			t.Errorf("a lead of another source is %s's now", s.name(got))
		}
	})
}

// TestManyLeadsAreFollowed: leads that were there before the rule, more than one page of them in one millisecond, are all looked after.
func TestManyLeadsAreFollowed(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.hours(t)
		s.clock(t, "2026-04-16 10:00")
		who := s.Contact(t, "Meera", "Joshi").ID
		var news []lead.New
		for range 1203 {
			news = append(news, lead.New{Contact: who, Owner: s.asha.ID})
		}
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Leads.AddMany(t.Context(), tx, s.Org, "", news)
			return err
		})
		s.Clock.Advance(time.Hour)
		s.rescue(t, assign.Rescue{Reason: assign.NoAttempt, After: 30, Most: 1})
		s.round(t)
		var due, all int
		must(t, s.DB.Row(t.Context(), `SELECT count(*), coalesce(sum(CASE WHEN due_ms > 0 THEN 1 ELSE 0 END), 0) FROM assign_watch WHERE org_id = $1`, s.Org.ID).Scan(&all, &due))
		if all != 1203 {
			t.Errorf("%d leads are looked after, want 1203", all)
		}
		for range 12 {
			s.round(t)
		}
		if n := len(s.logAll(t)); n != 1203 {
			t.Errorf("%d leads were moved, want 1203", n)
		}
		must(t, s.DB.Row(t.Context(), `SELECT count(*) FROM leads WHERE org_id = $1 AND owner = $2`, s.Org.ID, s.asha.ID).Scan(&due))
		if due != 0 {
			t.Errorf("%d are still Asha's", due)
		}
	})
}
