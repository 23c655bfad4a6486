package person_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/rights"
	"parley/trust/subject"
)

// everyRow is the content of every table that has data about people, to see that nothing of it changed.
func (s *story) everyRow() string {
	s.t.Helper()
	var out strings.Builder
	for _, q := range []string{
		`SELECT 'call ' || day || '|' || agent || '|' || start || '|' || num || '|' || dir || '|' || line || '|' || type || '|' || seconds FROM calls WHERE org_id = $1`,
		`SELECT 'note ' || start || '|' || num || '|' || at FROM call_notes WHERE org_id = $1`, `SELECT 'tag ' || start || '|' || num || '|' || tag FROM call_tags WHERE org_id = $1`,
		`SELECT 'number ' || num FROM numbers WHERE org_id = $1`, `SELECT 'name ' || num || '|' || at FROM number_names WHERE org_id = $1`,
		`SELECT 'call-back ' || num || '|' || handled_ms FROM callbacks WHERE org_id = $1`, `SELECT 'import ' || id || '|' || state FROM imports WHERE org_id = $1`,
	} {
		rows, err := db.Select(s.t.Context(), s.DB, func(r db.Scanner) (t string, err error) { return t, r.Scan(&t) }, q, s.Org.ID)
		must(s.t, err)
		slices.Sort(rows)
		out.WriteString(strings.Join(rows, "\n") + "\n")
	}
	return out.String()
}

// TestEveryWayOfDeletingCallsAsksTheGate goes every way by which calls and what belongs to them can be deleted.
func TestEveryWayOfDeletingCallsAsksTheGate(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		file := "number,start,duration,type\n" + meera + ",2026-04-01T10:00:00Z,5,incoming\n"
		m, err := s.Imports.Run(t.Context(), s.Org, strings.NewReader(file), int64(len(file)), ingest.ImportSpec{Name: "calls.csv", Agent: s.asha.Agent}, nil)
		must(t, err)
		n, who := s.find(meera), subject.OfNumber(int64(s.find(meera)))
		var noted call.Key
		for _, r := range s.Rows(t) {
			if r.Number == n && r.Start == s.Now().Add(-90*time.Minute).UnixMilli() {
				noted = r.Key
			}
		}
		op := s.Accounts.Operator(s.Org)
		corrected := s.call(other, 90*time.Minute)
		corrected.ClientKey = ""
		ways := map[string]func() error{
			"deleting a call": func() error { _, err := s.Writer.Delete(t.Context(), s.Org, []call.Key{noted}); return err },
			"a phone deletes a call": func() error {
				return s.Writer.DeleteCalls(t.Context(), s.Devices, s.Org, s.dev, []ingest.CallRef{{ID: noted.ID(s.Org.ID)}})
			},
			"a phone makes a call another's": func() error {
				_, err := s.Writer.CorrectCalls(t.Context(), s.Devices, s.Org, s.dev, []ingest.Correction{{CallRef: ingest.CallRef{ID: noted.ID(s.Org.ID)}, Call: corrected}})
				return err
			},
			"removing a note":       func() error { return s.Calls.SetNote(t.Context(), s.Org, noted, "", "") },
			"replacing a note":      func() error { return s.Calls.SetNote(t.Context(), s.Org, noted, "something else", "") },
			"removing tags":         func() error { return s.Calls.SetTags(t.Context(), s.Org, noted, nil) },
			"opening a call-back":   func() error { return s.Callbacks.Reopen(t.Context(), op, s.key(meera)) },
			"handling it once more": func() error { return s.Callbacks.Handle(t.Context(), op, s.key(meera), "another note") },
			"undoing an import":     func() error { _, err := s.Imports.Undo(t.Context(), s.Org, m.ID, ""); return err },
			"erasing the person": func() error {
				_, err := s.Writer.Erase(t.Context(), s.Devices, s.Org, ingest.Erasure{Numbers: []number.ID{n}, First: func(ctx context.Context, tx *db.Tx) error {
					return s.Holds.Check(ctx, tx, s.Org.ID, hold.Deletion{Who: []subject.Ref{who}, Category: call.CategoryContact, Path: hold.RightsErase})
				}})
				return err
			},
		}
		for _, scope := range []hold.Hold{
			{Scope: hold.Person, Persons: []subject.Ref{who}},
			{Scope: hold.Category, Categories: []string{call.CategoryCall, call.CategoryNote, call.CategoryContact}},
			{Scope: hold.Case, Case: "C 17", Persons: []subject.Ref{subject.OfMember(string(s.asha.ID)), who}},
		} {
			scope.Reason, scope.Owner, scope.Ends = "A claim", s.officer().Member.ID, s.Now().AddDate(0, 1, 0)
			h, err := s.Holds.Add(t.Context(), s.officer(), scope)
			must(t, err)
			before := s.everyRow()
			for name, way := range ways {
				if err := way(); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Sentence(err), h.ID) {
					t.Errorf("%s under a hold on a %s: %v", name, scope.Scope, err)
				}
				if now := s.everyRow(); now != before {
					t.Fatalf("%s under a hold on a %s changed\n%s\nto\n%s", name, scope.Scope, before, now)
				}
			}
			must(t, s.Calls.SetTags(t.Context(), s.Org, noted, []string{"canary tag"})) // nothing goes
			_, err = s.Holds.Release(t.Context(), s.officer(), h.ID, "Settled")
			must(t, err)
		}
		for name, way := range ways { // each of them does delete something when it may
			if name == "erasing the person" || name == "removing a note" || name == "removing tags" || name == "opening a call-back" {
				continue
			}
			if err := way(); err != nil && fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s without a hold: %v", name, err)
			}
		}
	})
}

func TestTheFloorOfALawLocksInsteadOfErasing(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		n := s.find(meera)
		d := rights.Decision{Keep: []rights.Lock{{Category: call.CategoryCall, Until: s.Now().AddDate(1, 0, 0), Law: "DPDP Rules 2025, r. 8(3)"}}}
		lines, err := s.Persons.Store().Erase(t.Context(), s.Org.ID, subject.OfNumber(int64(n)), d)
		must(t, err)
		if counts(lines) != "1 names from phone books, 1 notes, 1 tags" {
			t.Errorf("erased: %s", counts(lines))
		}
		kept := 0
		for _, r := range s.Rows(t) {
			if r.Number == n {
				kept++
			}
		}
		if kept != 3 {
			t.Errorf("%d calls are kept, want 3", kept)
		}
		if seen := s.everywhere(); strings.Contains(seen, "9812300101") || strings.Contains(seen, "anary") {
			t.Errorf("what a law keeps is seen:\n%s", seen)
		}
		again, err := s.Persons.Store().Erase(t.Context(), s.Org.ID, subject.OfNumber(int64(n)), rights.Decision{}) // the period ended
		must(t, err)
		if !strings.Contains(counts(again), "3 calls") {
			t.Errorf("at the end of the period: %s", counts(again))
		}
		if _, ok, err := s.Book.Find(t.Context(), s.DB, s.Org.ID, meera); err != nil || ok {
			t.Errorf("the number is still there (%v)", err)
		}
	})
}
