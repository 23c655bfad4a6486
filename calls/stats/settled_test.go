package stats_test

import (
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
	"parley/platform/db/dbtest"
)

func TestASettledCallerWaitsAgainAfterAnotherMiss(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		asha := w.Agent(t, "Asha")
		missed := func(number string, at time.Time) {
			w.Put(t, ingest.Item{Agent: asha.Agent, Line: 1, Start: at, Type: call.TypeMissed, Direction: call.Incoming, Number: number})
		}
		now := w.Now()
		missed("+919812300077", now.Add(-30*time.Hour))
		missed("+919812300077", now.Add(-3*time.Hour))
		missed("+919812300088", now.Add(-3*time.Hour))
		who, ok, err := w.Book.Find(t.Context(), w.DB, w.Org.ID, "+919812300077")
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		today := civil.Today(now, w.Org.Location())
		for _, c := range []struct {
			what    string
			settled time.Time
			want    int64
		}{
			{"before the last miss, on another day", now.Add(-29 * time.Hour), 0},
			{"before the last miss, on its day", now.Add(-4 * time.Hour), 0},
			{"after it, on its day", now.Add(-2 * time.Hour), 1},
			{"a day after it", now.Add(24 * time.Hour), 1},
		} {
			page, err := w.Reporter.People(t.Context(), w.Org, stats.PeopleQuery{
				Query: stats.Query{From: today - 7, To: today + 1}, List: stats.ListMissed, States: []stats.Recovery{stats.Settled},
				Settled: map[number.ID]time.Time{who: c.settled}, Limit: 10,
			})
			if err != nil {
				t.Fatal(err)
			}
			if page.Total != c.want || page.ByState[stats.Open] != 2-c.want || int64(len(page.People)) != c.want {
				t.Errorf("settled %s: %d settled and %d open, want %d and %d", c.what, page.Total, page.ByState[stats.Open], c.want, 2-c.want)
			}
			for _, p := range page.People {
				if p.State != stats.Settled {
					t.Errorf("settled %s: the person is told to be %s", c.what, p.State)
				}
			}
		}
	}, calltest.Schemas()...)
}

func TestOneNumbersWholeStory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		asha, ravi := w.Agent(t, "Asha"), w.Agent(t, "Ravi")
		now := w.Now()
		w.Put(t,
			ingest.Item{Agent: asha.Agent, Line: 1, Start: now.Add(-90 * 24 * time.Hour), Type: call.TypeOutgoing, Direction: call.Outgoing, Seconds: 60, Number: "+919812300077"},
			ingest.Item{Agent: asha.Agent, Line: 1, Start: now.Add(-2 * time.Hour), Type: call.TypeMissed, Direction: call.Incoming, Number: "+919812300077"},
			ingest.Item{Agent: ravi.Agent, Line: 2, Start: now.Add(-time.Hour), Type: call.TypeOutgoing, Direction: call.Outgoing, Seconds: 30, Number: "+919812300077"},
		)
		n, _, err := w.Book.Find(t.Context(), w.DB, w.Org.ID, "+919812300077")
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.Reporter.PersonOf(t.Context(), w.Org, nil, n)
		if err != nil {
			t.Fatal(err)
		}
		if p.Calls != 3 || p.Connected != 2 || p.Talk != 90*time.Second || p.State != stats.RecoveredByUs || p.RecoveredBy != ravi.Agent || p.Number != "+919812300077" {
			t.Errorf("the whole story is %+v", p)
		}
		p, err = w.Reporter.PersonOf(t.Context(), w.Org, []account.AgentNo{asha.Agent}, n)
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := p.Suggested(); p.Calls != 2 || p.State != stats.Open || !ok || c.Agent != asha.Agent || c.Why != stats.SpokeLast {
			t.Errorf("Asha's part of it is %+v", p)
		}
	}, calltest.Schemas()...)
}
