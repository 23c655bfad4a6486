package assign_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/lead"
	"parley/platform/db"
)

// spread is the difference between who got most and who got least.
func spread(got map[account.MemberID]int, of ...account.MemberID) int {
	var n []int
	for _, m := range of {
		n = append(n, got[m])
	}
	return slices.Max(n) - slices.Min(n)
}

// TestTurnsAreFair: with equal weights nobody who is always there is ever more than one lead ahead of another, whoever else comes
// and goes.
func TestTurnsAreFair(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		deva := s.Agent(t, "Deva")
		s.rule(t, assign.Rule{})
		dice := rand.New(rand.NewPCG(1, 2))
		r, err := s.assign.NewRun(t.Context(), s.DB, s.Org, s.Now())
		must(t, err)
		got := map[account.MemberID]int{}
		for i := range 3000 {
			var not []account.MemberID
			for _, m := range []*account.Member{s.chitra, deva} { // who are there now and then
				if dice.IntN(3) > 0 {
					not = append(not, m.ID)
				}
			}
			d, err := r.Decide(t.Context(), s.DB, s.Now(), assign.Case{Not: not})
			must(t, err)
			if slices.Contains(not, d.Owner) || d.Owner == "" {
				t.Fatalf("lead %d went to %q, who cannot have it", i, d.Owner)
			}
			got[d.Owner]++
			if n := spread(got, s.asha.ID, s.bina.ID); n > 1 {
				t.Fatalf("after %d leads, %v", i+1, got)
			}
		}
		if got[s.chitra.ID] < 250 || got[s.chitra.ID] > got[s.asha.ID] {
			t.Errorf("who was there a third of the time got %d, who was there always %d", got[s.chitra.ID], got[s.asha.ID])
		}
	})
}

// TestTurnsGoOnAfterACrash: whose turn it is lies in the transaction that makes the lead. One that is rolled back took no turn, a new
// process goes on where the old one stopped, and runs and single decisions go on side by side.
func TestTurnsGoOnAfterACrash(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.rule(t, assign.Rule{})
		got := map[account.MemberID]int{}
		for i := range 30 {
			l := s.lead(t, lead.New{})
			broken := errors.New("the power went")
			if err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
				if _, err := s.assign.Give(t.Context(), tx, s.Org, "", l.ID); err != nil {
					return err
				}
				if i%2 == 0 {
					return broken
				}
				return nil
			}); err != nil && !errors.Is(err, broken) {
				t.Fatal(err)
			}
			s.assign = newStoryAssign(s) // a new process
			if s.get(t, l.ID).Owner == "" {
				s.give(t, l.ID)
			}
			got[s.get(t, l.ID).Owner]++
			if n := spread(got, s.asha.ID, s.bina.ID, s.chitra.ID); n > 1 {
				t.Fatalf("after %d leads, %v", i+1, got)
			}
		}
		if n := len(s.log(t, assign.Filter{})); n != 30 {
			t.Errorf("the log has %d decisions of 30", n)
		}
	})
}

// TestARunKeepsItsTurns: an import decides about many leads, keeps them part by part, and a part that is not made takes no turns.
func TestARunKeepsItsTurns(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.rule(t, assign.Rule{})
		r, err := s.assign.NewRun(t.Context(), s.DB, s.Org, s.Now())
		must(t, err)
		got := map[account.MemberID]int{}
		for part := range 4 {
			all, err := r.DecideAll(t.Context(), s.DB, s.Now(), make([]assign.Case, 50))
			must(t, err)
			if part == 1 {
				continue // a dry run
			}
			s.Tx(t, func(tx *db.Tx) error {
				ids := make([]lead.ID, len(all))
				for i, d := range all {
					if part == 2 && i%2 == 0 {
						continue // one that could not be made
					}
					l, err := s.Leads.Add(t.Context(), tx, s.Org, "", lead.New{Contact: s.meera(t, tx), Owner: d.Owner})
					if err != nil {
						return err
					}
					ids[i] = l.ID
					got[d.Owner]++
				}
				if part == 2 {
					ids = append(make([]lead.ID, 50), ids...) // those of the dry run
				}
				return r.Keep(t.Context(), tx, s.Now(), ids)
			})
		}
		total := got[s.asha.ID] + got[s.bina.ID] + got[s.chitra.ID]
		if total != 125 || len(s.logAll(t)) != 125 {
			t.Errorf("%d leads were made and %d decisions kept, want 125 of each", total, len(s.logAll(t)))
		}
		before := map[account.MemberID]int{}
		for range 12 { // single decisions even out what is left
			d := s.give(t, s.lead(t, lead.New{}).ID)
			got[d.Owner]++
			before[d.Owner]++
		}
		if n := spread(got, s.asha.ID, s.bina.ID, s.chitra.ID); n > 1 {
			t.Errorf("in the end %v", got)
		}
	})
}

// TestWeightsHold: over 10,000 leads each gets their share within a hundredth, and shares are spread, not given in blocks.
func TestWeightsHold(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		weights := map[account.MemberID]int{s.asha.ID: 5, s.bina.ID: 3, s.chitra.ID: 2}
		deva := s.Agent(t, "Deva")
		weights[deva.ID] = 0
		s.rule(t, assign.Rule{Choice: assign.Choice{Way: assign.Weighted, Weights: weights}})
		r, err := s.assign.NewRun(t.Context(), s.DB, s.Org, s.Now())
		must(t, err)
		got, row, last := map[account.MemberID]int{}, 0, account.MemberID("")
		for range 10_000 {
			d, err := r.Decide(t.Context(), s.DB, s.Now(), assign.Case{})
			must(t, err)
			got[d.Owner]++
			if d.Owner != last {
				row, last = 0, d.Owner
			}
			if row++; row > 1 && last != s.asha.ID || row > 2 {
				t.Fatalf("%s got %d in a row", s.name(last), row)
			}
		}
		for m, w := range weights {
			if off := got[m] - w*1000; off > 10 || off < -10 {
				t.Errorf("%s with %d tenths got %d of 10,000", s.name(m), w, got[m])
			}
		}
	})
}

// TestLeastOpenAndLeastTalk: the load decides, and leads that were just given count.
func TestLeastOpenAndLeastTalk(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		for range 3 {
			s.lead(t, lead.New{Owner: s.asha.ID})
		}
		s.lead(t, lead.New{Owner: s.bina.ID})
		kept := s.rule(t, assign.Rule{Choice: assign.Choice{Way: assign.LeastOpen}})
		var order []string
		for range 8 {
			order = append(order, s.name(s.give(t, s.lead(t, lead.New{}).ID).Owner)[:1])
		}
		if got := count(order); got["A"] != 1 || got["B"] != 3 || got["C"] != 4 || order[0] != "C" {
			t.Errorf("leads went to %v, so that all have four at the end: one, three and four were missing", order)
		}
		kept.Way = assign.LeastTalk
		_, err := s.assign.SaveRule(t.Context(), s.boss, *kept)
		must(t, err)
		s.spoke(t, s.chitra, "+919812300101", s.Now().Add(-2*time.Hour))
		for range 60 {
			s.spoke(t, s.asha, "+919812300102", s.Now().Add(-time.Hour))
			s.Clock.Advance(time.Second)
		}
		// Asha has talked for an hour, Chitra for a minute and was given four leads, Bina not at all and was given three.
		if d := s.decide(t, assign.Case{}); d.Owner != s.bina.ID || keys(&d) != "rule talk" {
			t.Errorf("%s got it: %s", s.name(d.Owner), d.Sentence())
		}
	})
}

func count(all []string) map[string]int {
	out := map[string]int{}
	for _, x := range all {
		out[x]++
	}
	return out
}

// TestEveryTurnOfARunIsKept: the first after a Keep, too, and none of what is forgotten.
func TestEveryTurnOfARunIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.rule(t, assign.Rule{})
		r, err := s.assign.NewRun(t.Context(), s.DB, s.Org, s.Now())
		must(t, err)
		decide := func() string {
			d, err := r.Decide(t.Context(), s.DB, s.Now(), assign.Case{})
			must(t, err)
			return s.name(d.Owner)
		}
		keep := func() {
			made := s.lead(t, lead.New{}).ID
			s.Tx(t, func(tx *db.Tx) error { return r.Keep(t.Context(), tx, s.Now(), []lead.ID{made}) })
		}
		first := decide()
		keep()
		second := decide()
		keep()
		third := decide()
		r.Forget()
		if next := s.name(s.decide(t, assign.Case{}).Owner); next != third {
			t.Errorf("%s and %s had their turns, and %s is next, not %s", first, second, next, third)
		}
	})
}
