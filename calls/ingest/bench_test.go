package ingest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/platform/db/dbtest"
)

// stream makes calls as about 50 phones send them: in order of time, a quarter of them with a number never met.
type stream struct {
	rand *rand.Rand
	at   time.Time
	next int
	met  int
}

func newStream() *stream {
	return &stream{rand: rand.New(rand.NewPCG(1, 2)), at: calltest.Start().AddDate(0, -3, 0)}
}

func (s *stream) batch(n int) []ingest.Item {
	items := make([]ingest.Item, n)
	for i := range items {
		s.at = s.at.Add(20 * time.Second)
		s.next++
		num := s.rand.IntN(s.met + 1)
		if s.rand.IntN(4) == 0 {
			s.met++
			num = s.met
		}
		agent := 1 + s.rand.IntN(50)
		items[i] = ingest.Item{
			Agent: account.AgentNo(agent), Line: call.LineNo(agent), Start: s.at, Number: fmt.Sprintf("+9198%08d", num),
			Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: s.rand.IntN(300), Ref: int64(s.next),
		}
	}
	return items
}

// BenchmarkPut is the sync path from the writer on: batches of 500, each a commit of its own.
func BenchmarkPut(b *testing.B) {
	w := calltest.New(b, dbtest.SQLite(b, calltest.Schemas()...))
	s := newStream()
	calls := 0
	for b.Loop() {
		w.Put(b, s.batch(500)...)
		calls += 500
	}
	b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "calls/s")
}
