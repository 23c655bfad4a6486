package stats_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db/dbtest"
)

// busy is a month of agents with about 27 calls a day each, a fifth of them unattended. A quarter of the calls is with
// new people, 2 % with somebody else's, the rest with the agent's own, recent ones mostly.
func busy(b *testing.B, agents int) (*calltest.World, *stats.Reporter, stats.Query) {
	b.Helper()
	w := calltest.New(b, dbtest.SQLite(b, calltest.Schemas()...))
	const days = 30
	first := civil.Today(w.Now(), w.Org.Location()) - days
	rng := rand.New(rand.NewPCG(1, 2))
	people := crowd{Rand: rng, own: make([][]int, agents)}
	types := []call.Type{2, 2, 2, 2, 2, 1, 1, 1, 3, 5}
	for day := range civil.Day(days) {
		start := (first + day).Start(w.Org.Location()).Add(9 * time.Hour)
		items := make([]ingest.Item, agents*27)
		for i := range items {
			it := ingest.Item{Agent: account.AgentNo(1 + i%agents), Line: 1, Type: types[rng.IntN(len(types))], Ref: int64(day)<<32 | int64(i+1)}
			it.Start, it.Direction = start.Add(time.Duration(rng.IntN(9*3600))*time.Second), it.Type.Direction()
			if it.Type < call.TypeMissed && rng.IntN(3) > 0 {
				it.Seconds = 5 + rng.IntN(400)
			}
			it.Number = "+9198" + strconv.Itoa(10_000_000+people.next(i%agents))
			items[i] = it
		}
		for part := range slices.Chunk(items, 5000) {
			w.Put(b, part...)
		}
	}
	return w, stats.New(w.DB, w.Book, w.Calls, w.Now), stats.Query{From: first, To: first + days, Until: first + days + 1}
}

// crowd is the people that agents know.
type crowd struct {
	*rand.Rand
	own [][]int
	all int
}

// next is the number of whoever an agent talks with next.
func (c *crowd) next(agent int) int {
	own := c.own[agent]
	switch d := c.IntN(100); {
	case d < 25 || len(own) == 0:
		c.all++
		c.own[agent] = append(own, c.all)
		return c.all
	case d < 27:
		return 1 + c.IntN(c.all)
	case d < 70:
		return own[max(0, len(own)-1-c.IntN(20))]
	default:
		return own[c.IntN(len(own))]
	}
}

// A page of the list of missed callers and the others a manager opens all day.
func BenchmarkPeople(b *testing.B) {
	w, r, q := busy(b, 100)
	for _, c := range []struct {
		name   string
		q      stats.Query
		list   stats.List
		sort   stats.Sort
		states []stats.Recovery
	}{
		{"missed, waiting", q, stats.ListMissed, stats.SortWaiting, []stats.Recovery{stats.Open, stats.Attempted}},
		{"missed, last", q, stats.ListMissed, stats.SortLast, nil},
		{"never attended", q, stats.ListNeverAttended, stats.SortWaiting, nil},
		{"clients, talk", q, stats.ListClients, stats.SortTalk, nil},
		{"one agent, missed", stats.Query{Agents: []account.AgentNo{7}, From: q.From, To: q.To, Until: q.Until}, stats.ListMissed, stats.SortWaiting, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := r.People(b.Context(), w.Org, stats.PeopleQuery{Query: c.q, List: c.list, Sort: c.sort, States: c.states, Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("analysis", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Analysis(b.Context(), w.Org, q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("report", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Report(b.Context(), w.Org, q, stats.WithAgents|stats.WithPeople); err != nil {
				b.Fatal(err)
			}
		}
	})
}
