package attach_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// stream makes calls as about 50 phones send them, a quarter of them with a number never met.
type stream struct {
	rand      *rand.Rand
	at        time.Time
	next, met int
}

func newStream() *stream {
	return &stream{rand: rand.New(rand.NewPCG(1, 2)), at: calltest.Start().AddDate(0, -3, 0)}
}

func (s *stream) batch(n int) []ingest.Item {
	items := make([]ingest.Item, n)
	for i := range items {
		s.at = s.at.Add(20 * time.Second)
		s.next++
		to := s.rand.IntN(s.met + 1)
		if s.rand.IntN(4) == 0 {
			s.met++
			to = s.met
		}
		agent := 1 + s.rand.IntN(50)
		items[i] = ingest.Item{Agent: account.AgentNo(agent), Line: call.LineNo(agent), Start: s.at, Number: fmt.Sprintf("+9198%08d", to),
			Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: s.rand.IntN(300), Ref: int64(s.next)}
	}
	return items
}

// BenchmarkHeard is the sync path with and without somebody who hears of the calls: batches of 500. The rest is what Run does
// with the notes afterwards, where every tenth number is a contact with a lead.
func BenchmarkHeard(b *testing.B) {
	for _, heard := range []bool{false, true} {
		b.Run(fmt.Sprint("heard=", heard), func(b *testing.B) {
			w := newWorld(b, dbtest.SQLite(b, schemas()...))
			if !heard {
				w.Writer.Watch(nil)
			}
			s := newStream()
			for b.Loop() {
				w.Put(b, s.batch(500)...)
			}
		})
	}
	b.Run("work", func(b *testing.B) {
		w := newWorld(b, dbtest.SQLite(b, schemas()...))
		s := newStream()
		for range 100 {
			w.Put(b, s.batch(500)...)
		}
		var ids []contact.ID
		w.tx(func(tx *db.Tx) error {
			for i := 1; i < s.met; i += 10 {
				c, _, err := w.Contacts.Add(b.Context(), tx, w.Org, "", contact.New{Person: contact.Person{Numbers: []contact.Labelled{{Text: fmt.Sprintf("+9198%08d", i)}}}, Origin: "manual"})
				if err != nil {
					return err
				}
				ids = append(ids, c.ID)
			}
			return nil
		})
		for _, id := range ids {
			w.lead(id, "")
		}
		w.work()
		for b.Loop() {
			b.StopTimer()
			w.Put(b, s.batch(500)...)
			b.StartTimer()
			w.work()
		}
	})
}
