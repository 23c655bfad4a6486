package person_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/platform/civil"
	"parley/trust/subject"
)

// copies keeps the tables of a person's copy as CSV.
type copies map[string]*bytes.Buffer

func (c copies) Table(category, name string, columns []string, each func(add func(values ...any) error) error) error {
	b := &bytes.Buffer{}
	w := csv.NewWriter(b)
	if err := w.Write(columns); err != nil {
		return err
	}
	c[category+"/"+name] = b
	if err := each(func(values ...any) error {
		row := make([]string, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
			case []string:
				row[i] = strings.Join(v, "; ")
			case time.Time:
				row[i] = v.Format(time.RFC3339)
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		return w.Write(row)
	}); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

func (c copies) all() string {
	var out strings.Builder
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range c {
			if !yield(n) {
				return
			}
		}
	}) {
		fmt.Fprintf(&out, "== %s\n%s", name, c[name])
	}
	return out.String()
}

func TestTheCopyHasAllOfOneAndNothingOfOthers(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		theirs := s.call(other, 4*time.Hour)
		theirs.Name, theirs.Note = "Somebody Else", "another note"
		s.sync(theirs)
		n := s.find(meera)
		must(t, s.Persons.Restrict(t.Context(), s.Org, n, true)) // who is restricted gets it, too
		c := copies{}
		must(t, s.Persons.Export(t.Context(), s.Org.ID, subject.OfNumber(int64(n)), c))
		for _, canary := range []string{meera, "Meera Canary", "wants the blue canary", "canary tag", "called the canary back", "canary label"} {
			if !strings.Contains(c.all(), canary) {
				t.Errorf("the copy lacks %q:\n%s", canary, c.all())
			}
		}
		for _, canary := range []string{other, "Somebody Else", "another note", "Asha"} {
			if strings.Contains(c.all(), canary) {
				t.Errorf("the copy has %q of somebody else", canary)
			}
		}
		if lines := strings.Count(c["call.meta/calls"].String(), "\n"); lines != 4 {
			t.Errorf("the copy has %d calls, want 3", lines-1)
		}
		none := copies{}
		must(t, s.Persons.Export(t.Context(), s.Org.ID, subject.OfNumber(9999), none))
		if len(none) > 0 && none["call.meta/calls"] != nil && strings.Count(none.all(), "\n") > 2 {
			t.Errorf("a stranger's copy: %s", none.all())
		}
	})
}

func TestTheCopyCanBeImportedElsewhere(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		rejected := s.call(meera, 5*time.Hour)
		rejected.Type, rejected.Seconds = "5", 0
		dialled := s.call(meera, 6*time.Hour)
		dialled.Type, dialled.Seconds = "2", 17
		s.sync(rejected, dialled)
		c := copies{}
		must(t, s.Persons.Export(t.Context(), s.Org.ID, subject.OfNumber(int64(s.find(meera))), c))
		fresh := s.NewOrg(t, "Another Business")
		m, err := s.Accounts.AddAgent(t.Context(), fresh.ID, account.NewAgent{Name: "Bina"})
		must(t, err)
		file := c["call.meta/calls"].String()
		done, err := s.Imports.Run(t.Context(), fresh, strings.NewReader(file), int64(len(file)), ingest.ImportSpec{Name: "calls.csv", Agent: m.Agent}, nil)
		must(t, err)
		if done.New != 5 || done.Refused != 0 {
			t.Fatalf("imported: %+v", done)
		}
		ours, theirs := s.told(s.Org, meera), s.told(fresh, meera)
		if ours != theirs || strings.Count(ours, "\n") != 5 {
			t.Errorf("here:\n%s\nthere:\n%s", ours, theirs)
		}
	})
}

// told writes what an organisation has of a number's calls.
func (s *story) told(org *account.Org, canonical string) string {
	s.t.Helper()
	today := civil.Today(s.Now(), org.Location())
	page, err := s.Reporter.History(s.t.Context(), org, call.HistoryQuery{From: today - 40, To: today + 3, Limit: 500, Filter: call.Filter{Excluded: true}})
	must(s.t, err)
	var out strings.Builder
	for _, c := range page.Calls {
		if c.Number == canonical {
			b, err := json.Marshal([]any{c.Row.Start, c.Row.Direction.String(), c.Row.Type.String(), c.Row.Seconds, c.Number, c.Name, c.Note, c.Tags})
			must(s.t, err)
			out.Write(append(b, '\n'))
		}
	}
	return out.String()
}

func TestAnEmployeeGetsTheirOwnCallsWithoutTheOthers(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.known()
		bina := s.Agent(t, "Bina")
		s.Put(t, ingest.Item{Agent: bina.Agent, Line: 9, Start: s.Now().Add(-time.Hour), Number: other, Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: 1234})
		c := copies{}
		must(t, s.Persons.Export(t.Context(), s.Org.ID, subject.OfMember(string(s.asha.ID)), c))
		for _, canary := range []string{meera, other, "Meera", "canary", "1234"} {
			if strings.Contains(c.all(), canary) {
				t.Errorf("the copy has %q:\n%s", canary, c.all())
			}
		}
		if lines := strings.Count(c["call.meta/own_calls"].String(), "\n"); lines != 6 || !strings.Contains(c.all(), "+919812300001") || c["device/phones"] == nil {
			t.Errorf("the copy is\n%s", c.all())
		}
		before := len(s.Rows(t))
		lines, err := s.Persons.Store().Plan(t.Context(), s.Org.ID, subject.OfMember(string(s.asha.ID)))
		must(t, err)
		if counts(lines) != "1 phones" {
			t.Errorf("planned: %s", counts(lines))
		}
		if len(s.Rows(t)) != before {
			t.Error("a plan changed something")
		}
	})
}
