package attach_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// life is a world in which calls come late, twice, are corrected, reclassified and deleted, numbers are restricted and not
// any more, leads are closed and opened, and work is broken off.
type life struct {
	*world
	rnd    *rand.Rand
	agents []*account.Member
	people []*contact.Contact
	made   []lead.ID
	ref    int64
}

// naive reckons a lead from every row of the table of calls.
func (l *life) naive(x *lead.Lead, of *contact.Contact, rows []call.Row, restricted map[number.ID]bool) (t lead.Touch, ok bool) {
	if slices.ContainsFunc(of.Nums, func(n number.ID) bool { return restricted[n] }) {
		return t, false
	}
	slices.SortFunc(rows, func(a, b call.Row) int { return int(a.Start - b.Start) })
	for _, r := range rows {
		if !slices.Contains(of.Nums, r.Number) || r.Start < x.Made.UnixMilli() || !x.Closed.IsZero() && r.Start > x.Closed.UnixMilli() {
			continue
		}
		reached := (r.Type == call.TypeIncoming || r.Type == call.TypeOutgoing) && r.Seconds >= l.Org.ConnectedFrom
		if r.Direction == call.Outgoing {
			t.Attempts++
		}
		if reached {
			t.Connected++
		}
		if r.Direction == call.Outgoing || reached {
			if t.First.IsZero() {
				t.First = r.At()
			}
			t.Last = r.At()
		}
	}
	return t, true
}

// check compares every lead and contact with what the table of calls says.
func (l *life) check(step int, what string) {
	l.t.Helper()
	rows := l.Rows(l.t)
	kept, err := l.Book.Excluded(l.t.Context(), l.DB, l.Org.ID)
	l.must(err)
	ids := make([]contact.ID, len(l.people))
	for i, p := range l.people {
		ids[i] = p.ID
	}
	people, err := l.Contacts.Load(l.t.Context(), l.DB, l.Org.ID, ids...)
	l.must(err)
	for _, id := range l.made {
		x := l.now(id)
		want, ok := l.naive(x, people[x.Contact], rows, kept.Restricted)
		got := lead.Touch{Attempts: x.Attempts, Connected: x.Connected, First: x.First, Last: x.Last}
		if ok && (got.Attempts != want.Attempts || got.Connected != want.Connected || !got.First.Equal(want.First) || !got.Last.Equal(want.Last)) {
			l.t.Fatalf("step %d (%s): a lead says %+v, its calls %+v", step, what, got, want)
		}
	}
	for _, p := range people {
		if slices.ContainsFunc(p.Nums, func(n number.ID) bool { return kept.Restricted[n] }) {
			continue
		}
		var last time.Time
		for _, r := range rows {
			if slices.Contains(p.Nums, r.Number) && r.At().After(last) {
				last = r.At()
			}
		}
		if p.Last.Before(last) {
			l.t.Fatalf("step %d (%s): there was something with %s at %s last, says the contact; there was a call at %s", step, what, p.Name(), p.Last, last)
		}
	}
}

// item is a call at any time of the last three days, or ahead by a phone's clock.
func (l *life) item() ingest.Item {
	l.ref++
	a := l.agents[l.rnd.IntN(len(l.agents))]
	at := l.Now().Add(-time.Duration(l.rnd.IntN(3*24*60)-60) * time.Minute)
	it := in(a, call.LineNo(a.Agent), num(l.rnd.IntN(9)), at, l.rnd.IntN(4))
	if l.rnd.IntN(2) == 0 {
		it = out(a, call.LineNo(a.Agent), num(l.rnd.IntN(9)), at, l.rnd.IntN(4))
	}
	if l.rnd.IntN(10) == 0 {
		it.Number = ""
	}
	it.Ref = l.ref
	return it
}

func (l *life) key() call.Key {
	rows := l.Rows(l.t)
	return rows[l.rnd.IntN(len(rows))].Key
}

// steps are what can happen.
func (l *life) steps() map[string]func() {
	ctx := l.t.Context()
	return map[string]func(){
		"calls":      func() { l.Put(l.t, l.item(), l.item(), l.item(), l.item()) },
		"late calls": func() { l.Clock.Advance(3 * time.Hour); l.Put(l.t, l.item(), l.item()) },
		"again": func() {
			it := l.item()
			it.Ref = 1 + l.rnd.Int64N(l.ref) // its phone corrected an earlier one
			l.Put(l.t, it)
		},
		"correct": func() {
			_, err := l.Writer.Correct(ctx, l.Org, l.key(), l.item())
			l.must(err)
		},
		"delete": func() {
			_, err := l.Writer.Delete(ctx, l.Org, []call.Key{l.key(), l.key()})
			l.must(err)
		},
		"threshold": func() {
			s := l.Org.Settings()
			s.ConnectedFrom = 1 + l.rnd.IntN(3)
			var err error
			l.Org, err = l.Accounts.UpdateOrg(ctx, l.owner, l.Org.ID, s)
			l.must(err)
			l.owner = l.Accounts.Operator(l.Org)
			l.must(l.Writer.Rebuild(ctx, l.Org, nil))
		},
		"restrict": func() {
			n := number.ID(1 + l.rnd.IntN(5))
			kept, err := l.Book.Excluded(ctx, l.DB, l.Org.ID)
			l.must(err)
			l.must(l.Writer.Restrict(ctx, l.Org, n, !kept.Restricted[n]))
		},
		"lead": func() {
			p := l.people[l.rnd.IntN(len(l.people))]
			l.made = append(l.made, l.lead(p.ID, "").ID)
		},
		"another number": func() {
			all, err := l.Contacts.Load(ctx, l.DB, l.Org.ID, l.people[l.rnd.IntN(len(l.people))].ID)
			l.must(err)
			for _, c := range all {
				c.Person.Numbers = []contact.Labelled{{Text: num(l.rnd.IntN(9))}, {Text: num(l.rnd.IntN(9))}}
				if err := l.DB.Tx(ctx, func(tx *db.Tx) error {
					_, _, err := l.Contacts.Change(ctx, tx, l.Org, "", c.ID, 0, c.Person, nil)
					return err
				}); err != nil && fault.KindOf(err) != fault.Denied { // of somebody restricted
					l.t.Fatal(err)
				}
			}
		},
		"merge or split": func() {
			a, b := l.people[l.rnd.IntN(len(l.people))].ID, l.people[l.rnd.IntN(len(l.people))].ID
			err := l.DB.Tx(ctx, func(tx *db.Tx) error {
				_, _, err := l.Contacts.Merge(ctx, tx, l.Org, "", a, b)
				if err != nil {
					_, _, err = l.Contacts.Split(ctx, tx, l.Org, "", a)
				}
				return err
			})
			if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.Conflict && k != fault.Denied {
				l.t.Fatal(err)
			}
		},
		"close or open": func() {
			x := l.now(l.made[l.rnd.IntN(len(l.made))])
			l.tx(func(tx *db.Tx) (err error) {
				if x.State == lead.Open {
					_, err = l.Leads.Win(ctx, tx, l.Org, "", x.ID, 0, "", "")
				} else {
					_, err = l.Leads.Reopen(ctx, tx, l.Org, "", x.ID, 0, "")
				}
				return err
			})
		},
	}
}

// TestLeadsSayWhatTheirCallsSay: whatever happens to calls, and wherever work is broken off, leads say what a naive count of
// the table of calls says.
func TestLeadsSayWhatTheirCallsSay(t *testing.T) {
	each(t, func(w *world) {
		l := &life{world: w, rnd: rand.New(rand.NewPCG(11, 12))}
		for _, name := range []string{"Asha", "Ravi", "Meera"} {
			l.agents = append(l.agents, w.Agent(w.t, name))
		}
		l.people = []*contact.Contact{w.person("One", "", num(0)), w.person("Two", "", num(1), num(2)), w.person("Desk", "", num(3)), w.person("Desk again", "", num(3), num(4)),
			w.person("Fifth", "", num(5))}
		for _, p := range l.people[:4] {
			l.made = append(l.made, w.lead(p.ID, "").ID)
		}
		l.Clock.Advance(24 * time.Hour)
		l.Put(l.t, l.item(), l.item(), l.item())
		steps := l.steps()
		names := slices.Sorted(maps.Keys(steps))
		killed := errors.New("killed")
		for step := range 250 {
			what := names[l.rnd.IntN(len(names))]
			l.Clock.Advance(time.Duration(l.rnd.IntN(240)) * time.Minute)
			steps[what]()
			if l.rnd.IntN(3) > 0 {
				continue // more happens before anybody looks
			}
			at := []string{"leads made", "read", "written"}[l.rnd.IntN(3)]
			l.attach.Trip(func(s string) error {
				if s == at {
					return killed
				}
				return nil
			})
			_, _ = l.attach.Work(l.t.Context()) // may be killed
			l.attach.Trip(nil)
			l.Clock.Advance(2 * time.Minute) // until what could not be reckoned is tried again
			l.work()
			l.check(step, what)
		}
		if len(l.Rows(l.t)) < 100 {
			t.Errorf("only %d calls were left to reckon", len(l.Rows(l.t)))
		}
	})
}

func TestNotesOfTheWriterReadAsWritten(t *testing.T) {
	day := func(d int, a account.AgentNo) ingest.AgentDay {
		return ingest.AgentDay{Day: 20_000 + civil.Day(d), Agent: a}
	}
	days, numbers, err := attach.Reread(
		&ingest.Changes{Days: []ingest.AgentDay{day(3, 9), day(-4, 1)}, Numbers: []number.ID{900, 3, 3, 70_000, 4}, Flagged: []number.ID{5}},
		&ingest.Changes{Days: []ingest.AgentDay{day(3, 9)}, Numbers: []number.ID{4, 1 << 40}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []ingest.AgentDay{day(-4, 1), day(3, 9)}; !slices.Equal(days, want) {
		t.Errorf("days read as %v, want %v", days, want)
	}
	if want := []int64{3, 4, 5, 900, 70_000, 1 << 40}; !slices.Equal(numbers, want) {
		t.Errorf("numbers read as %v, want %v", numbers, want)
	}
	for _, b := range [][]byte{{}, {2, 0}, {0, 0x80}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		if !attach.Broken(b) {
			t.Errorf("the bytes %v are read", b)
		}
	}
}
