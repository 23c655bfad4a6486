package stats_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// Every report is compared with a recomputation straight from the rows, for drawn scopes, ranges and filters.
func TestReportsAreWhatTheRowsSay(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.zone+" "+s.first, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				l := live(t, d, s)
				n := l.naive(t)
				t.Run("roll-ups", func(t *testing.T) { l.rollUpsAreAsBuiltAnew(t, n) })
				t.Run("reports", func(t *testing.T) { l.reportsAreExact(t, n) })
				t.Run("people", func(t *testing.T) { l.peopleAreExact(t, n) })
				t.Run("rows", func(t *testing.T) { l.figuresOpenTheirRows(t, n) })
				t.Run("analysis", func(t *testing.T) { l.analysisNamesWhoLeads(t, n) })
				t.Run("coarse sets", func(t *testing.T) { l.coarseSetsCountTheSame(t, n) })
			}, calltest.Schemas()...)
		})
	}
}

const drawn = 14 // queries per scene and engine

func (l *life) reportsAreExact(t *testing.T, n *naive) {
	t.Helper()
	for range drawn {
		q := l.query(n)
		rep, err := l.reporter.Report(t.Context(), l.org, q, stats.WithAgents|stats.WithPeople|stats.WithSpans)
		if err != nil {
			t.Fatal(err)
		}
		n.check(t, rep, q)
		bare, err := l.reporter.Report(t.Context(), l.org, q, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rep.Days, bare.Days, figures()...) + cmp.Diff(rep.Heat, bare.Heat) + cmp.Diff(rep.Hours, bare.Hours); d != "" {
			t.Fatalf("%+v: a report without parts differs:\n%s", q, d)
		}
	}
}

func figures() []cmp.Option { return []cmp.Option{cmpopts.IgnoreUnexported(stats.Figures{})} }

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// compare checks values against what they should be; only those that both have.
func compareValues(t *testing.T, what string, f *stats.Figures, want map[stats.MetricID]float64, skip func(m *stats.Metric) bool) {
	t.Helper()
	for _, m := range stats.Metrics() {
		w, ok := want[m.ID]
		if !ok {
			t.Fatalf("there is no recomputation of %s", m.ID)
		}
		got, ok := m.Value(f)
		if !ok {
			got = math.NaN()
		}
		if !same(got, w) && !skip(&m) {
			t.Fatalf("%s: %s is %v, want %v", what, m.ID, got, w)
		}
	}
}

func (n *naive) check(t *testing.T, rep *stats.Report, q stats.Query) {
	t.Helper()
	what := describe(q)
	rows, later := n.calls(q.Agents, q.Filter, q.From, q.To), n.calls(q.Agents, q.Filter, q.To, max(q.To, q.Until))
	compareValues(t, what, &rep.Figures, n.metrics(rows, later, q.From, q.Filter.Excluded), func(*stats.Metric) bool { return false })
	if d := cmp.Diff(n.heat(rows), rep.Heat); d != "" {
		t.Fatalf("%s: heat\n%s", what, d)
	}
	spans := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if d := cmp.Diff(n.workingDays(rows), rep.Spans, spans, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s: working days\n%s", what, d)
	}
	seen := 0
	for i := range rep.Agents {
		a := &rep.Agents[i]
		mine, after := slices.Clone(rows), slices.Clone(later)
		other := func(r call.Row) bool { return r.Agent != a.Agent }
		mine, after = slices.DeleteFunc(mine, other), slices.DeleteFunc(after, other)
		seen += len(mine)
		compareValues(t, what+", an agent", &a.Figures, n.metrics(mine, after, q.From, q.Filter.Excluded),
			func(m *stats.Metric) bool { return m.ID == "median_talk_seconds" })
		if i > 0 && a.Calls() > rep.Agents[i-1].Calls() {
			t.Fatalf("%s: agents are not in order", what)
		}
	}
	if seen != len(rows) {
		t.Fatalf("%s: the agents have %d calls of %d", what, seen, len(rows))
	}
	n.checkDays(t, rep, q, rows)
}

func (n *naive) checkDays(t *testing.T, rep *stats.Report, q stats.Query, rows []call.Row) {
	t.Helper()
	if len(rep.Days) != int(q.To-q.From) {
		t.Fatalf("%d days in a range of %d", len(rep.Days), q.To-q.From)
	}
	for i := range rep.Days {
		d := &rep.Days[i]
		on := slices.DeleteFunc(slices.Clone(rows), func(r call.Row) bool { return r.Day != d.Day })
		compareValues(t, describe(q)+", "+d.Day.String(), &d.Figures, n.metrics(on, nil, q.From, false),
			func(m *stats.Metric) bool { return m.List != "" || m.ID == "median_talk_seconds" })
		var first, last time.Time
		for _, s := range n.workingDays(on) {
			if first.IsZero() || s.First.Before(first) {
				first = s.First
			}
			if s.Last.After(last) {
				last = s.Last
			}
		}
		if !d.First.Equal(first) || !d.Last.Equal(last) {
			t.Fatalf("%s: the team worked from %v to %v on %s, want %v to %v", describe(q), d.First, d.Last, d.Day, first, last)
		}
	}
}

func (l *life) peopleAreExact(t *testing.T, n *naive) {
	t.Helper()
	for i := range drawn * 2 {
		q := stats.PeopleQuery{Query: l.query(n), List: stats.Lists()[i%len(stats.Lists())], Sort: pick(l, stats.Sorts()), Limit: 1 + l.IntN(12)}
		missed := q.List == stats.ListMissed || q.List == stats.ListNeverAttended
		if !missed && q.Sort == stats.SortWaiting {
			q.Sort = stats.SortTalk
		}
		if missed && l.IntN(3) == 0 {
			q.States = []stats.Recovery{pick(l, stats.Recoveries()), stats.Open}
		}
		if missed && l.IntN(2) == 0 {
			q.Settled = map[number.ID]time.Time{}
			for id := range number.ID(12) {
				q.Settled[1+id*3] = l.item().Start
			}
		}
		l.checkPeople(t, n, q)
	}
}

func (l *life) checkPeople(t *testing.T, n *naive, q stats.PeopleQuery) {
	t.Helper()
	want := n.list(q)
	var got, walked []stats.Person
	for pages := 0; ; pages++ {
		page, err := l.reporter.People(t.Context(), l.org, q)
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != int64(len(want)) || pages > len(want) {
			t.Fatalf("%s %s: page %d says %d people, want %d", q.List, describe(q.Query), pages, page.Total, len(want))
		}
		n.checkStates(t, q, page)
		got = append(got, page.People...)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if err := l.reporter.EachPerson(t.Context(), l.org, q, func(p *stats.Person) error {
		walked = append(walked, *p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, walked, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s by %s, %s: walked\n%s", q.List, q.Sort, describe(q.Query), d)
	}
	for i := range got {
		if got[i].Number == "" || got[i].Key == "" {
			t.Fatalf("person %d has no number: %+v", i, got[i])
		}
		got[i].Number, got[i].Key = "", ""
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal)); d != "" {
		t.Fatalf("%s by %s, %s:\n%s", q.List, q.Sort, describe(q.Query), d)
	}
}

func (n *naive) checkStates(t *testing.T, q stats.PeopleQuery, page *stats.People) {
	t.Helper()
	if q.List != stats.ListMissed && q.List != stats.ListNeverAttended {
		return
	}
	q.States = nil
	want := map[stats.Recovery]int64{}
	for _, p := range n.list(q) {
		want[p.State]++
	}
	if d := cmp.Diff(want, page.ByState, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s %s: states\n%s", q.List, describe(q.Query), d)
	}
}

func (l *life) figuresOpenTheirRows(t *testing.T, n *naive) {
	t.Helper()
	for range 3 {
		q := l.query(n)
		rep, err := l.reporter.Report(t.Context(), l.org, q, stats.WithPeople)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range stats.Metrics() {
			rows := l.history(t, call.HistoryQuery{Agents: q.Agents, From: q.From, To: q.To, Filter: q.Filter.With(m.Rows()), Limit: 37})
			for i := range rows {
				if r := &rows[i]; i > 0 && (r.Day > rows[i-1].Day || r.Day == rows[i-1].Day && r.Start > rows[i-1].Start) {
					t.Fatalf("%s: calls are not newest first", describe(q))
				}
			}
			l.checkRows(t, n, rep, &m, q, rows)
		}
	}
}

// checkRows computes a figure from its own rows alone.
func (l *life) checkRows(t *testing.T, n *naive, rep *stats.Report, m *stats.Metric, q stats.Query, rows []call.Row) {
	t.Helper()
	slices.SortFunc(rows, n.order)
	got, ok := m.Value(&rep.Figures)
	want := n.metrics(rows, nil, q.From, q.Filter.Excluded)[m.ID]
	switch {
	case m.List != "":
		var people, unattended int64
		if err := l.reporter.EachPerson(t.Context(), l.org, stats.PeopleQuery{Query: q, List: m.List}, func(p *stats.Person) error {
			people++
			unattended += p.Unattended
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if want = float64(people); m.Unit == stats.UnitCalls {
			want = float64(unattended)
		}
	case m.Unit == stats.UnitCalls:
		want = float64(len(rows))
	case !ok:
		got = math.NaN()
	}
	if !same(got, want) {
		t.Fatalf("%s: %s is %v, and its rows say %v", describe(q), m.ID, got, want)
	}
}

func (l *life) history(t *testing.T, q call.HistoryQuery) (rows []call.Row) {
	t.Helper()
	for {
		page, err := l.reporter.History(t.Context(), l.org, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Calls {
			rows = append(rows, page.Calls[i].Row)
		}
		if q.After = page.Next; q.After == "" {
			return rows
		}
	}
}

func (l *life) analysisNamesWhoLeads(t *testing.T, n *naive) {
	t.Helper()
	for range 8 {
		q := l.query(n)
		a, err := l.reporter.Analysis(t.Context(), l.org, q)
		if err != nil {
			t.Fatal(err)
		}
		rows := n.calls(q.Agents, q.Filter, q.From, q.To)
		if talks := n.talks(rows, 0); len(talks) > 0 && (a.Longest == nil || int64(a.Longest.Row.Seconds) != most(talks)) {
			t.Fatalf("%s: the longest call is %+v, want %d s", describe(q), a.Longest, most(talks))
		}
		for sort, got := range map[stats.Sort][]stats.Person{stats.SortCalls: a.Callers, stats.SortIncoming: a.CallingIn, stats.SortOutgoing: a.Dialled, stats.SortTalk: a.TalkedWith} {
			want := n.list(stats.PeopleQuery{Query: q, List: stats.ListClients, Sort: sort})
			want = slices.DeleteFunc(want, func(p stats.Person) bool {
				return sort == stats.SortIncoming && p.Incoming == 0 || sort == stats.SortOutgoing && p.Outgoing == 0 || sort == stats.SortTalk && p.Talk == 0
			})
			if want = want[:min(5, len(want))]; !slices.EqualFunc(want, got, func(a, b stats.Person) bool { return a.ID == b.ID && a.Calls == b.Calls }) {
				t.Fatalf("%s: leaders by %s are %v, want %v", describe(q), sort, got, want)
			}
		}
		for _, top := range a.Diallers {
			if c := count(rows, func(r *call.Row) bool { return r.Agent == top.Agent && r.Type == call.TypeOutgoing }); c != top.Value {
				t.Fatalf("%s: agent %d dialled %d, said %d", describe(q), top.Agent, c, top.Value)
			}
		}
	}
}

// The coarse sets, written or not, stale or not, count the same people as the roll-ups; and all calls of a number are
// found through them.
func (l *life) coarseSetsCountTheSame(t *testing.T, n *naive) {
	t.Helper()
	for round := range 3 {
		for range 6 {
			q := stats.Query{From: l.day() - 3, To: l.first + civil.Day(l.days+3)}
			rep, err := l.reporter.Report(t.Context(), l.org, q, stats.WithPeople)
			if err != nil {
				t.Fatal(err)
			}
			c, err := l.reporter.Clients(t.Context(), l.org, q.From, q.To)
			want := stats.Clients{Unique: rep.UniqueClients, Reached: rep.ReachedClients, New: rep.NewClients, NeverPickedUp: rep.NeverPickedUpClients}
			if err != nil || c != want {
				t.Fatalf("round %d: coarse sets say %+v, roll-ups %+v (%v)", round, c, want, err)
			}
		}
		l.checkCallsOf(t, n)
		if done, err := l.reporter.Settle(t.Context(), l.org, l.first+civil.Day(l.days+40), 1000); err != nil || !done {
			t.Fatalf("the coarse sets were not written: %v", err)
		}
		if round == 1 {
			l.Put(t, l.item(), l.item(), l.item())
			n = l.naive(t)
		}
	}
}

func (l *life) checkCallsOf(t *testing.T, n *naive) {
	t.Helper()
	for _, id := range []number.ID{1, 7, 20, number.Withheld, 1 << 40} {
		agents := l.agents[1:4]
		if id == 7 {
			agents = nil
		}
		want := n.calls(agents, call.Filter{Numbers: []number.ID{id}, Excluded: true}, 0, 1<<30)
		var got []call.Row
		for after := ""; ; {
			page, err := l.reporter.CallsOf(t.Context(), l.org, agents, id, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			for i := range page.Calls {
				got = append(got, page.Calls[i].Row)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if err := l.DB.Read(t.Context(), func(tx *db.Tx) error {
			var raw []call.Row
			for next := ""; ; {
				rows, more, err := l.reporter.NewestOf(t.Context(), tx, l.org, agents, []number.ID{id}, next, 3)
				if err != nil {
					return err
				}
				raw = append(raw, rows...)
				if next = more; next == "" {
					break
				}
			}
			if d := cmp.Diff(got, raw, cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("newest calls of number %d:\n%s", id, d)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, n.order)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("calls of number %d:\n%s", id, d)
		}
		if len(want) > 0 && id != number.Withheld {
			l.checkPersonOf(t, n, agents, id, want)
		}
	}
	few := []number.ID{1, 7, 20, 1 << 40}
	from := l.day()
	var got []call.Row
	if err := l.DB.Read(t.Context(), func(tx *db.Tx) (err error) {
		got, err = l.reporter.RowsOf(t.Context(), tx, l.org, few, from)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(n.calls(nil, call.Filter{Numbers: few, Excluded: true}, from, 1<<30), got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("calls of %v from %s on:\n%s", few, from, d)
	}
}

func (l *life) checkPersonOf(t *testing.T, n *naive, agents []account.AgentNo, id number.ID, rows []call.Row) {
	t.Helper()
	got, err := l.reporter.PersonOf(t.Context(), l.org, agents, id)
	if err != nil {
		t.Fatal(err)
	}
	got.Number, got.Key = "", ""
	q := stats.PeopleQuery{List: stats.ListMissed, Query: stats.Query{Agents: agents, To: l.first + civil.Day(l.days+2), Filter: call.Filter{Excluded: true}}}
	if d := cmp.Diff(n.person(q, id, rows), *got, cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal)); d != "" {
		t.Fatalf("person %d:\n%s", id, d)
	}
}

func (l *life) rollUpsAreAsBuiltAnew(t *testing.T, n *naive) {
	t.Helper()
	type key struct {
		day   civil.Day
		agent int64
	}
	mine := map[key][]roll.Row{}
	for _, r := range n.rows {
		k := key{r.Day, int64(r.Agent)}
		mine[k] = append(mine[k], roll.Row{Start: r.Start, Number: r.Number, Type: r.Type, Seconds: r.Seconds, Line: int32(r.Line), Hidden: n.hidden[r.Number]})
	}
	kept := 0
	if _, err := db.Select(t.Context(), l.DB, func(s db.Scanner) (struct{}, error) {
		var k key
		var b []byte
		if err := s.Scan(&k.day, &k.agent, &b); err != nil {
			return struct{}{}, err
		}
		kept++
		var d roll.Day
		d.Build(mine[k], k.day.Start(l.org.Location()), roll.Of(l.org))
		if !bytes.Equal(b, d.Encode(nil)) {
			t.Errorf("the roll-up of agent %d on %s is not that of their %d calls", k.agent, k.day, len(mine[k]))
		}
		return struct{}{}, nil
	}, `SELECT day, agent, b FROM rolls WHERE org_id = $1`, l.org.ID); err != nil {
		t.Fatal(err)
	}
	if kept != len(mine) {
		t.Errorf("%d roll-ups are kept of %d agent-days", kept, len(mine))
	}
}
