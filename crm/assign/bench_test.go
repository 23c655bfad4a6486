package assign_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/crm/assign"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// crowd is an organisation with 50 agents with phones, 5,000 open leads, a month of calls and rules that look at everything.
func crowd(b *testing.B, way assign.Way) (*story, []*account.Member) {
	b.Helper()
	s := newStory(b, dbtest.SQLite(b, schemas()...))
	agents := []*account.Member{s.asha, s.bina, s.chitra}
	for i := range 47 {
		agents = append(agents, s.Agent(b, fmt.Sprintf("Agent %d", i)))
	}
	for i, m := range agents {
		s.phone(b, m, fmt.Sprintf("install-%d", i))
		must(b, s.assign.SetAssignee(b.Context(), s.boss, assign.Assignee{Member: m.ID, Languages: []string{"hi", "en"}, Territories: []assign.Territory{{Country: "IN"}}, DayCap: 100_000, OpenCap: 100_000}))
	}
	for i := range 9 { // rules that are for other leads
		s.rule(b, assign.Rule{Name: fmt.Sprintf("Rule %d", i), When: assign.When{Sources: []string{"Fair", "Ad"}, Countries: []string{"US"}, Tags: []string{"vip"}}})
	}
	s.rule(b, assign.Rule{Choice: assign.Choice{To: assign.Target{All: true}, Way: way, SpokeDays: 30, OwnContacts: true, Speaks: true, Covers: true, Silent: 8, Away: assign.Queue}})
	var news []lead.New
	who := s.Contact(b, "Meera", "Joshi").ID
	for i := range 5000 {
		news = append(news, lead.New{Contact: who, Owner: agents[i%50].ID})
	}
	s.Tx(b, func(tx *db.Tx) error {
		_, err := s.Leads.AddMany(b.Context(), tx, s.Org, "", news)
		return err
	})
	for day := range 30 {
		var items []ingest.Item
		for i, m := range agents {
			line, err := s.Devices.DefaultLine(b.Context(), s.Org, m.Agent)
			must(b, err)
			for n := range 40 {
				items = append(items, ingest.Item{Agent: m.Agent, Line: line.No, Number: fmt.Sprintf("+91981%07d", day*2000+i*40+n), Type: call.TypeOutgoing, Seconds: 60,
					Start: s.Now().Add(-time.Duration(day)*24*time.Hour - time.Duration(n)*time.Minute)})
			}
		}
		s.Put(b, items...)
	}
	return s, agents
}

func aCase() assign.Case {
	return assign.Case{Country: "IN", State: "Maharashtra", Language: "hi-IN", Source: "Web"}
}

// BenchmarkRun is one of the 100,000 decisions of an import, with its part of the log.
func BenchmarkRun(b *testing.B) {
	for _, way := range assign.Ways() {
		b.Run(string(way), func(b *testing.B) {
			s, _ := crowd(b, way)
			r, err := s.assign.NewRun(b.Context(), s.DB, s.Org, s.Now())
			must(b, err)
			for b.Loop() {
				d, err := r.Decide(b.Context(), s.DB, s.Now(), aCase())
				if err != nil || d.Owner == "" {
					b.Fatal(err, d.Sentence(), d.Skipped)
				}
			}
		})
	}
}

// BenchmarkExplain is one decision that looks everything up by itself, and changes nothing.
func BenchmarkExplain(b *testing.B) {
	for _, way := range assign.Ways() {
		b.Run(string(way), func(b *testing.B) {
			s, _ := crowd(b, way)
			s.give(b, s.lead(b, lead.New{}).ID)
			n, _, err := s.Book.Find(b.Context(), s.DB, s.Org.ID, "+919810000007")
			must(b, err)
			cs := aCase()
			cs.Numbers = append(cs.Numbers, n+1_000_000) // somebody unknown is the longest way
			_, err = s.assign.Explain(b.Context(), s.DB, s.Org, s.Now(), cs)
			must(b, err)
			from := spent(b)
			for b.Loop() {
				e, err := s.assign.Explain(b.Context(), s.DB, s.Org, s.Now(), cs)
				if err != nil || e.Owner == "" {
					b.Fatal(err, e.Sentence())
				}
			}
			b.ReportMetric(float64(spent(b)-from)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkGive is one lead given out by the rules, in a transaction of its own.
func BenchmarkGive(b *testing.B) {
	s, _ := crowd(b, assign.RoundRobin)
	l := s.lead(b, lead.New{})
	for b.Loop() {
		s.give(b, l.ID)
	}
}

// spent is the time that this process has worked: what a machine with other work to do cannot blur.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
