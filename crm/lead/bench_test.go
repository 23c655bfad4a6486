package lead_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// fill makes leads of new contacts as an import does, and gives how long it took to make the leads.
func (s *story) fill(t testing.TB, pipeline string, n int) (took time.Duration) {
	t.Helper()
	stages := []string{"new", "contacted", "qualified", "proposal", "negotiation"}
	owners := []account.MemberID{s.asha.ID, s.bina.ID, ""}
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	for part := range slices.Chunk(numbers, 1000) {
		names := make([]string, len(part))
		for i, x := range part {
			names[i] = fmt.Sprintf("Person %d", x)
		}
		ids := s.persons(t, names...)
		news := make([]lead.New, len(part))
		for i, x := range part {
			news[i] = lead.New{Contact: ids[i], Pipeline: pipeline, Stage: stages[x%len(stages)], Value: int64(x), Source: "list", SourceDay: civil.Date(2026, 4, 1), Owner: owners[x%3],
				Tags: []string{"list", fmt.Sprint("t", x%20)}, Custom: map[string]string{"city": "Pune"}, Import: "imp_1", Due: s.Now().Add(time.Duration(x) * time.Minute)}
			if pipeline != "" {
				news[i].Stage = ""
			}
		}
		began := time.Now()
		s.tx(t, func(tx *db.Tx) error {
			_, err := s.leads.AddMany(t.Context(), tx, s.Org, s.asha.ID, news)
			return err
		})
		took += time.Since(began)
	}
	return took
}

// someContacts are those of the oldest leads.
func someContacts(t testing.TB, s *story) (ids []contact.ID) {
	t.Helper()
	p, err := s.leads.Table(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, lead.Ask{Sort: "made", Limit: 60})
	must(t, err)
	for _, r := range p.Rows {
		ids = append(ids, r.Contact)
	}
	return ids
}

// BenchmarkLeads measures what has a budget: 100,000 leads are made in 20 s, a board of 5,000 opens in 300 ms.
func BenchmarkLeads(b *testing.B) {
	s := newStory(b, dbtest.SQLite(b, schemas()...))
	s.fill(b, "", 5000)
	all := contact.Sight{All: true}
	board := func(name string, sight contact.Sight, perColumn int) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				x, err := s.leads.Board(b.Context(), s.DB, s.Org.ID, sight, "", lead.Filter{}, perColumn)
				must(b, err)
				if len(x.Columns) != 5 || x.Columns[0].Count == 0 {
					b.Fatalf("a board of %d columns", len(x.Columns))
				}
			}
		})
	}
	board("board of 5000, all cards", all, 1000)
	board("board of 5000, 50 cards a column", all, 50)
	board("board of 5000, those of two", contact.Sight{Members: []account.MemberID{s.asha.ID, s.bina.ID}}, 1000)
	s.tx(b, func(tx *db.Tx) error {
		_, err := s.leads.SavePipeline(b.Context(), tx, s.Org, "", lead.Pipeline{Title: "Import", Stages: []lead.Stage{{Title: "New"}}})
		return err
	})
	b.Logf("95,000 leads made in %v", s.fill(b, "import", 95_000))
	for _, x := range []lead.Ask{
		{}, {Count: true}, {Sort: "-value"}, {Sort: "due"}, {Sort: "-touched", Filter: lead.Filter{Owners: []account.MemberID{s.asha.ID}}, Count: true},
		{Filter: lead.Filter{Tags: []string{"t7"}, States: []lead.State{lead.Open}}, Count: true}, {Filter: lead.Filter{Pipeline: "sales", Stages: []string{"new"}}, Count: true},
		{Filter: lead.Filter{DueBefore: s.Now().Add(day)}, Sort: "due", Count: true}, {Filter: lead.Filter{Text: "Person 77"}, Count: true},
		{Filter: lead.Filter{Contacts: someContacts(b, s)}, Count: true},
	} {
		b.Run(fmt.Sprintf("table of 100000 by %q, count %v, %d tags, text %q, %d contacts", x.Sort, x.Count, len(x.Filter.Tags), x.Filter.Text, len(x.Filter.Contacts)), func(b *testing.B) {
			for b.Loop() {
				p, err := s.leads.Table(b.Context(), s.DB, s.Org.ID, all, x)
				must(b, err)
				if len(p.Rows) != 50 && x.Filter.Text == "" || len(p.Rows) == 0 {
					b.Fatal(len(p.Rows))
				}
			}
		})
	}
	board("board of 5000 beside 95000", all, 1000)
	b.Run("board of 95000, 50 cards", func(b *testing.B) {
		for b.Loop() {
			_, err := s.leads.Board(b.Context(), s.DB, s.Org.ID, all, "import", lead.Filter{}, 50)
			must(b, err)
		}
	})
	b.Run("calendar of a month", func(b *testing.B) {
		today := civil.Today(s.Now(), s.Org.Location())
		for b.Loop() {
			_, err := s.leads.Calendar(b.Context(), s.DB, s.Org, all, today, today+30, 5)
			must(b, err)
		}
	})
	b.Run("move", func(b *testing.B) {
		ids, err := s.leads.IDs(b.Context(), s.DB, s.Org.ID, all, lead.Filter{Pipeline: "sales"})
		must(b, err)
		i := 0
		for b.Loop() {
			i++
			must(b, s.move(b, ids[i%len(ids)], 0, lead.Spot{Above: ids[(i*7+1)%len(ids)]}))
		}
	})
}
