package stats_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
)

// life is an organisation that lived through some weeks: calls came late, twice, were corrected, reclassified and
// deleted, and numbers were hidden.
type life struct {
	*calltest.World
	*rand.Rand
	reporter *stats.Reporter
	org      *account.Org
	agents   []account.AgentNo
	first    civil.Day
	days     int
	numbers  []string
	ref      int64
}

// where a life takes place: days with a change of clocks in the middle.
type scene struct {
	zone, first string
	seed        uint64
}

func scenes() []scene {
	return []scene{
		{"Europe/Berlin", "2026-10-14", 1}, // a day of 25 hours
		{"Europe/Berlin", "2026-03-18", 2}, // a day of 23 hours
		{"Asia/Amman", "2021-10-18", 3},    // midnight comes twice
	}
}

const liveDays = 24

func live(t *testing.T, d *db.DB, s scene) *life {
	t.Helper()
	l := &life{World: calltest.New(t, d), Rand: rand.New(rand.NewPCG(s.seed, 7)), days: liveDays}
	first, err := civil.Parse(s.first)
	if err != nil {
		t.Fatal(err)
	}
	l.first = first
	l.setUp(t, s.zone)
	l.Clock.Set((l.first + civil.Day(l.days)).Start(l.org.Location()).Add(11 * time.Hour))
	l.reporter = stats.New(d, l.Book, l.Calls, l.Now)
	for i := range 9 {
		l.numbers = append(l.numbers, fmt.Sprintf("+9198123%05d", i*7919%100000))
	}
	for i := range 31 {
		l.numbers = append(l.numbers, fmt.Sprintf("+4930123%05d", i*104729%100000))
	}
	l.call(t)
	l.hide(t)
	return l
}

func (l *life) setUp(t *testing.T, zone string) {
	t.Helper()
	org, err := l.Accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Everywhere", Country: "IN", Zone: zone, OwnerEmail: "o@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	settings := org.Settings()
	settings.ConnectedFrom, settings.GapMinutes, settings.WorkFrom, settings.WorkTo = 3, 10, 8*60+30, 17*60+15
	if l.org, err = l.Accounts.UpdateOrg(t.Context(), l.Accounts.Operator(org), org.ID, settings); err != nil {
		t.Fatal(err)
	}
	l.Org = l.org
	for _, name := range []string{"Asha", "Bilal", "Chitra", "Dev", "Esther"} {
		l.agents = append(l.agents, l.Agent(t, name).Agent)
	}
}

// pick chooses; the first ones are likelier.
func pick[T any](l *life, all []T) T { return all[min(l.IntN(len(all)), l.IntN(len(all)))] }

func (l *life) item() ingest.Item {
	zone := l.org.Location()
	// Few minutes, so that calls meet at one instant; hours of the night, too, where clocks change.
	at := l.day().Start(zone).Add(time.Duration(pick(l, []int{10, 11, 15, 9, 16, 2, 1, 3, 0, 23, 19})) * time.Hour).
		Add(time.Duration(l.IntN(12)*5) * time.Minute).Add(time.Duration(pick(l, []int{0, 0, 250, 999, 30_500})) * time.Millisecond)
	l.ref++
	it := ingest.Item{
		Agent: pick(l, l.agents), Start: at, Ref: l.ref, Number: pick(l, l.numbers), Source: pick(l, []call.Source{0, 3, 1, 4}),
		Type: pick(l, []call.Type{2, 3, 1, 1, 2, 5, 4, 0, 6, 7}), Seconds: pick(l, []int{0, 0, 40, 2, 200, 1, 3, 63, 1200, 15_000}),
	}
	it.Line = call.LineNo(int32(it.Agent)*2 + l.Int32N(2))
	it.Direction = it.Type.Direction()
	if it.Type == call.TypeUnknown && l.IntN(2) == 0 {
		it.Direction = call.Outgoing
	}
	if l.IntN(12) == 0 {
		it.Number, it.Presentation = "", call.PresentationRestricted
	}
	if l.IntN(6) == 0 {
		it.Tags = []string{pick(l, []string{"price", "repair"})}
	}
	return it
}

func (l *life) day() civil.Day { return l.first + civil.Day(l.IntN(l.days)) }

// call lets calls come in, in batches of every order, and changes some of them.
func (l *life) call(t *testing.T) {
	t.Helper()
	var all []ingest.Item
	for range 20 {
		batch := make([]ingest.Item, 30)
		for i := range batch {
			batch[i] = l.item()
		}
		if len(all) > 0 {
			batch = append(batch, pick(l, all), pick(l, all)) // sent twice
		}
		again := pick(l, batch)
		again.Ref, again.Seconds, again.Type = 0, 7, call.TypeRejected // reclassified: the same call by its natural key
		if again.Direction == call.Incoming {
			batch = append(batch, again)
		}
		all = append(all, batch...)
		answers := l.Put(t, batch...)
		l.change(t, batch, answers)
	}
}

func (l *life) change(t *testing.T, batch []ingest.Item, answers []ingest.Answer) {
	t.Helper()
	i := l.IntN(len(batch))
	corrected := batch[i]
	corrected.Seconds, corrected.Start = 90, corrected.Start.Add(-time.Duration(l.IntN(30))*time.Hour)
	if _, err := l.Writer.Correct(t.Context(), l.org, answers[i].Key, corrected); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Writer.Delete(t.Context(), l.org, []call.Key{answers[l.IntN(len(answers))].Key}); err != nil {
		t.Fatal(err)
	}
}

// hide hides two numbers from reports, one of them often called, and takes a third one back.
func (l *life) hide(t *testing.T) {
	t.Helper()
	for _, i := range []int{1, 12, 5} {
		if err := l.Writer.Exclude(t.Context(), l.org, number.Exclusion{Number: l.numbers[i], Strength: number.Hidden, AddedAt: l.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	key, err := l.Book.Key(t.Context(), l.org.ID, l.numbers[5])
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Writer.Include(t.Context(), l.org, key); err != nil {
		t.Fatal(err)
	}
}

func (l *life) naive(t *testing.T) *naive {
	t.Helper()
	ex, err := l.Book.Excluded(t.Context(), l.DB, l.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(ex.Hidden) != 2 {
		t.Fatalf("%d numbers are hidden, want 2", len(ex.Hidden))
	}
	n := &naive{org: l.org, hidden: ex.Hidden, now: l.Now(), rows: l.Rows(t), tags: map[call.Key][]string{}, working: map[int64]bool{}}
	for chunk := range slices.Chunk(n.rows, 500) {
		calls, err := l.Calls.Dress(t.Context(), l.DB, l.org, chunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			n.tags[c.Row.Key] = c.Tags
		}
	}
	return n
}

// query draws a scope, a range and a filter.
func (l *life) query(n *naive) stats.Query {
	from := l.first + civil.Day(l.IntN(l.days))
	q := stats.Query{From: from, To: from + 1 + civil.Day(l.IntN(l.days)), Filter: l.filter(n)}
	if l.IntN(2) == 0 {
		q.Until = q.To + civil.Day(l.IntN(8))
	}
	switch l.IntN(4) {
	case 0:
		q.Agents = []account.AgentNo{pick(l, l.agents)}
	case 1:
		q.Agents = []account.AgentNo{l.agents[4], l.agents[0], l.agents[2], l.agents[1], l.agents[0]}
	case 2:
		q.Agents = l.agents[1:3]
	}
	return q
}

func (l *life) filter(n *naive) (f call.Filter) {
	if l.IntN(3) == 0 {
		return f
	}
	f.Excluded = l.IntN(3) == 0
	switch l.IntN(12) {
	case 0:
		f.Types = []call.Type{pick(l, []call.Type{1, 2, 3, 0, 7}), 5}
	case 1:
		f.Outcomes = []call.Outcome{call.Outcome(l.IntN(8)), call.OutcomeConnected}
	case 2:
		f.MinSeconds = 2
	case 3:
		f.MaxSeconds = 60
	case 4, 5:
		f.HourFrom, f.HourTo = 9, 12
	case 6:
		f.HourFrom, f.HourTo = 22, 10
	case 7:
		f.Tag = "price"
	case 8:
		f.Numbers = []number.ID{n.rows[l.IntN(len(n.rows))].Number, n.rows[l.IntN(len(n.rows))].Number}
	case 9:
		f.Sources = []call.Source{call.SourcePBX, call.SourceBrowser}
	case 10:
		f.Line = n.rows[l.IntN(len(n.rows))].Line
	}
	return f
}

func describe(q stats.Query) string {
	return fmt.Sprintf("agents %v, %s to %s until %s, %+v", q.Agents, q.From, q.To, q.Until, q.Filter)
}
