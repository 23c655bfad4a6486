package call_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestWhomAScopeConcerns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		ravi := w.Agent(t, "Ravi").Agent
		for i, who := range []account.AgentNo{asha, ravi, asha, ravi} {
			for n := range 3 {
				w.Put(t, item(w, who, time.Duration(24*i+n)*time.Hour, "+91981230000"+string(rune('0'+(i+n)%4)), call.TypeIncoming, 5, int64(10*i+n+1)))
			}
		}
		w.Put(t, item(w, asha, 30*time.Minute, "", call.TypeIncoming, 5, 99))
		rows := w.Rows(t)
		days := map[civil.Day]bool{}
		for _, r := range rows {
			days[r.Key.Day] = true
		}
		for first := range days {
			for last := range days {
				for _, agents := range [][]account.AgentNo{nil, {asha}, {asha, ravi}} {
					want := map[number.ID]int64{}
					for _, r := range rows {
						in := len(agents) == 0
						for _, a := range agents {
							in = in || a == r.Key.Agent
						}
						if in && r.Key.Day >= first && r.Key.Day <= last && r.Key.Number > 0 {
							want[r.Key.Number]++
						}
					}
					all, err := w.Calls.Concerned(t.Context(), w.Org.ID, first, last, agents)
					if err != nil {
						t.Fatal(err)
					}
					got := map[number.ID]int64{}
					for _, c := range all {
						got[c.Number] = c.Calls
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s to %s, agents %v:\n%s", first, last, agents, diff)
					}
				}
			}
		}
		if all, err := w.Calls.Concerned(t.Context(), w.Org.ID, 0, 0, nil); err != nil || len(all) != 4 {
			t.Errorf("without bounds %d numbers are concerned (%v)", len(all), err)
		}
	}, calltest.Schemas()...)
}
