package person_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/calls/call"
	"parley/calls/report"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/subject"
)

// everywhere collects whatever people can see of calls and numbers.
func (s *story) everywhere() string {
	s.t.Helper()
	ctx, today := s.t.Context(), civil.Today(s.Now(), s.Org.Location())
	var out strings.Builder
	page, err := s.Reporter.History(ctx, s.Org, call.HistoryQuery{From: today - 40, To: today + 3, Limit: 500, Filter: call.Filter{Excluded: true}})
	must(s.t, err)
	for _, c := range page.Calls {
		out.WriteString(c.Number + "|" + c.Name + "|" + c.Note + "|" + strings.Join(c.Tags, ",") + "\n")
	}
	noted, err := s.Calls.FindNotes(ctx, s.DB, s.Org, nil, "canary blue", 9)
	must(s.t, err)
	for _, c := range noted {
		out.WriteString("found " + c.Number + "|" + c.Note + "\n")
	}
	actor := s.officer()
	for _, about := range report.IDs() {
		if !about.OfCalls() {
			continue
		}
		v, err := s.Reports.View(ctx, actor, report.Ask{From: (today - 40).String(), Through: (today + 1).String(), Excluded: true})
		must(s.t, err)
		sheet, err := s.Reports.Sheet(ctx, v, about)
		must(s.t, err)
		var csv bytes.Buffer
		must(s.t, sheet.WriteCSV(ctx, &csv, report.CSVOptions{}))
		fmt.Fprintf(&out, "%s has %d lines\n%s", about, bytes.Count(csv.Bytes(), []byte("\n")), csv.Bytes())
	}
	exclusions, err := s.Book.Exclusions(ctx, s.DB, s.Org.ID)
	must(s.t, err)
	for _, e := range exclusions {
		out.WriteString(e.Number + e.Label)
	}
	return out.String()
}

func TestARestrictedPersonIsKeptAndShownNowhere(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		n := s.find(meera)
		open := s.everywhere()
		for _, canary := range []string{meera, "Meera Canary", "blue canary", "canary tag", "canary label"} {
			if !strings.Contains(open, canary) {
				t.Fatalf("%q is not seen without a restriction:\n%s", canary, open)
			}
		}
		var key call.Key
		for _, r := range s.Rows(t) {
			if r.Number == n {
				key = r.Key
			}
		}
		must(t, s.Persons.Heed(t.Context(), s.Org, map[subject.Ref]bool{subject.OfNumber(int64(n)): true}))
		for range 2 { // also with what was reckoned beforehand
			for _, canary := range []string{"981 230 0101", "9812300101", "anary"} {
				if seen := s.everywhere(); strings.Contains(seen, canary) {
					t.Errorf("%q is seen:\n%s", canary, seen)
				}
			}
			if seen := s.everywhere(); !strings.Contains(seen, "clients has 2 lines") { // the titles, and the other caller
				t.Errorf("other people than the others are listed:\n%s", seen)
			}
			if calls := s.calls(call.Filter{Excluded: true}); calls != 2 {
				t.Errorf("%d calls are counted, want those of others, 2", calls)
			}
			done, err := s.Reporter.Settle(t.Context(), s.Org, civil.Today(s.Now(), s.Org.Location())+40, 1000)
			if err != nil || !done {
				t.Fatal(err)
			}
		}
		denied := func(what string, err error) {
			t.Helper()
			if fault.KindOf(err) != fault.Denied || !strings.Contains(fault.Sentence(err), "restricted") {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := s.Calls.One(t.Context(), s.Org, key)
		denied("one call", err)
		denied("a note", s.Calls.SetNote(t.Context(), s.Org, key, "hello", ""))
		denied("tags", s.Calls.SetTags(t.Context(), s.Org, key, []string{"x"}))
		denied("a call-back", s.Callbacks.Reopen(t.Context(), s.Accounts.Operator(s.Org), s.key(meera)))
		_, err = s.Book.ByKey(t.Context(), s.DB, s.Org.ID, s.key(meera))
		denied("the page of the number", err)
		_, _, err = s.Book.Seek(t.Context(), s.DB, s.Org.ID, meera)
		denied("the search", err)
		if ending, err := s.Book.FindEnding(t.Context(), s.DB, s.Org.ID, "00101"); err != nil || len(ending) > 0 {
			t.Errorf("numbers that end so: %v (%v)", ending, err)
		}
		if p, err := s.Reporter.PersonOf(t.Context(), s.Org, nil, n); err != nil || p.Calls != 0 || p.Number != "" {
			t.Errorf("the person: %+v (%v)", p, err)
		}
		// It is stored on: what comes, and the digest.
		s.sync(s.call(meera, time.Minute))
		if calls := s.calls(call.Filter{Excluded: true}); calls != 2 {
			t.Errorf("%d calls are counted after one more came", calls)
		}
		must(t, s.Persons.Heed(t.Context(), s.Org, nil))
		again := s.everywhere()
		for _, canary := range []string{meera, "Meera Canary", "blue canary", "canary tag", "canary label"} {
			if !strings.Contains(again, canary) {
				t.Errorf("%q is not seen when the restriction ended", canary)
			}
		}
		if calls := s.calls(call.Filter{Excluded: true}); calls != 6 {
			t.Errorf("%d calls are counted, want 6", calls)
		}
	})
}

func TestARestrictedPersonCanStillBeErased(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		n := s.find(meera)
		must(t, s.Persons.Restrict(t.Context(), s.Org, n, true))
		if lines := s.erase(meera); len(lines) == 0 {
			t.Error("nothing was erased")
		}
		if calls := s.calls(call.Filter{}); calls != 5 {
			t.Errorf("%d calls are counted, want 5: nobody's are not restricted", calls)
		}
		if err := s.Persons.Restrict(t.Context(), s.Org, n, true); fault.KindOf(err) != fault.NotFound {
			t.Errorf("restricting the erased: %v", err)
		}
		must(t, s.Persons.Heed(t.Context(), s.Org, map[subject.Ref]bool{subject.OfNumber(int64(n)): true}))
	})
}
