package timeline_test

import (
	"testing"
	"time"

	"parley/calls/ingest"
	"parley/crm/timeline"
	"parley/platform/civil"
	"parley/platform/db/dbtest"
)

// BenchmarkTimeline pages through a person with 10,000 events: 7,000 calls over two years among 20 times as many of others, and
// notes, follow-ups, changes, consents and mails.
func BenchmarkTimeline(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b, schemas()...))
	start := w.Now()
	for i := range 3000 {
		w.Clock.Set(start.Add(time.Duration(i) * 5 * time.Hour))
		switch i % 6 {
		case 0:
			w.note()
		case 1:
			w.follow() // two events
		case 2, 3:
			w.change() // two events
		case 4:
			w.say() // two events
		default:
			w.write()
		}
	}
	var items []ingest.Item
	for i := range 5000 {
		w.Clock.Set(start.Add(time.Duration(i) * 3 * time.Hour))
		items = append(items, w.call(w.asha, num(1+i%2), i%60))
		for j := range 20 {
			it := w.call(w.ravi, num(100+(i*20+j)%5000), 9)
			it.Start = it.Start.Add(time.Duration(j) * time.Second)
			items = append(items, it)
		}
		if len(items) > 4000 {
			w.Put(b, items...)
			items = items[:0]
		}
	}
	w.Put(b, items...)
	if _, err := w.Reporter.Settle(b.Context(), w.Org, civil.Today(w.Now(), w.Org.Location())-1, 10_000); err != nil {
		b.Fatal(err)
	}
	owner := w.Accounts.Operator(w.Org)
	all, _ := w.all(owner, 200, timeline.Query{Contact: w.who.ID})
	b.Logf("%d events", len(all))
	if len(all) < 9_900 {
		b.Fatalf("only %d events were made", len(all))
	}
	deep := ""
	for range 50 { // 2,500 events down
		page, err := w.lines.Timeline(b.Context(), owner, timeline.Query{Contact: w.who.ID, After: deep, Limit: 50})
		if err != nil {
			b.Fatal(err)
		}
		deep = page.Next
	}
	for name, after := range map[string]string{"first": "", "deep": deep} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page, err := w.lines.Timeline(b.Context(), owner, timeline.Query{Contact: w.who.ID, After: after, Limit: 50})
				if err != nil || len(page.Items) != 50 {
					b.Fatal(err)
				}
			}
		})
	}
}
