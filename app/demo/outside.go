package demo

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"parley/calls/call"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
)

// Size of what is made beside the calls.
const (
	contacts   = 600
	chances    = 320
	ofTheOwner = 5 // leads that the owner keeps, so that their day is not empty
)

// Outside keeps the people outside, by a clock of the demo's.
type Outside struct {
	Contacts  *contact.Contacts
	Leads     *lead.Leads
	FollowUps *followup.FollowUps
	Files     *file.Files
	Assign    *assign.Assign
	Settle    func(ctx context.Context) error // lets calls meet their people
}

// acquaintance is somebody outside as the calls know them.
type acquaintance struct {
	number, name string
	first        told
	agent        int // who had most calls with them
	calls, talks int
}

// acquaintances are the people who called or were called at least twice, the first ones first.
func acquaintances(s *story) []acquaintance {
	by := map[string]*acquaintance{}
	counts := map[string]map[int]int{}
	for agent := range s.staff {
		for _, t := range s.of(agent) {
			if t.number == "" || t.number == customerNumber(familyNumber) || t.number == customerNumber(doctorNumber) {
				continue
			}
			a := by[t.number]
			if a == nil {
				a = &acquaintance{number: t.number, name: t.name, first: t}
				by[t.number], counts[t.number] = a, map[int]int{}
			}
			if t.start.Before(a.first.start) {
				a.first = t
			}
			a.calls++
			if t.seconds > 0 {
				a.talks++
			}
			counts[t.number][agent]++
		}
	}
	var out []acquaintance
	for number, a := range by {
		if a.calls < 2 {
			continue
		}
		for agent, n := range counts[number] {
			if best := counts[number][a.agent]; n > best || n == best && agent < a.agent {
				a.agent = agent
			}
		}
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b acquaintance) int {
		return cmp.Or(a.first.start.Compare(b.first.start), cmp.Compare(a.number, b.number))
	})
	return out
}

// relations makes contacts of those whom the agents know, leads of some, and what is planned with them.
type relations struct {
	*maker
	o   *Outside
	rng *rand.Rand
}

// outside makes what is known about the people of the calls.
func (m *maker) outside(ctx context.Context, s *story, seed uint64) error {
	r := &relations{maker: m, o: m.Outside(m.clock.Now), rng: rand.New(rand.NewPCG(seed, 0x1ead))}
	all := acquaintances(s)
	if n := len(all); n > contacts { // some of every day
		for i := range contacts {
			all[i] = all[i*n/contacts]
		}
		all = all[:contacts]
	}
	var leads []*lead.Lead
	var done []func()
	if err := m.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		leads, done = nil, nil
		r.rng = rand.New(rand.NewPCG(seed, 0x1ead)) // the transaction may run again
		for i := range all {
			l, committed, err := r.meet(ctx, tx, i, &all[i], len(all))
			if err != nil {
				return err
			}
			done = append(done, committed)
			if l != nil {
				leads = append(leads, l)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, committed := range done {
		committed()
	}
	m.clock.set(m.now)
	if err := r.o.Settle(ctx); err != nil {
		return err
	}
	if err := m.DB.Tx(ctx, func(tx *db.Tx) error {
		r.rng = rand.New(rand.NewPCG(seed, 0xacce))
		for i, l := range leads {
			if err := r.goOn(ctx, tx, i, l); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	m.clock.set(m.now)
	_, err := r.o.Assign.SaveRule(ctx, m.accounts.Operator(m.org), assign.Rule{Name: "New leads in turn", Choice: assign.Choice{To: assign.Target{All: true}, Way: assign.RoundRobin, SpokeDays: 30, Phoneless: true}})
	return err
}

// companies are names of firms; about every third person works for one.
func companies() []string {
	return []string{"Ganga Textiles", "Shree Balaji Stores", "Om Electricals", "Lotus Interiors", "Kaveri Foods", "Sunrise Traders", "Deccan Hardware", "Maa Durga Enterprises", "Blue Hills Exports", "श्री कृष्णा भंडार"}
}

// sources are where leads come from, the most frequent first.
func sources() []string { return []string{"Website", "Phone", "Referral", "Trade fair", "WhatsApp"} }

// meet makes a contact of somebody, and a lead where there is one: from before their first call, so that the calls are its.
func (r *relations) meet(ctx context.Context, tx *db.Tx, i int, a *acquaintance, of int) (*lead.Lead, func(), error) {
	at := a.first.start.Add(-time.Duration(2+r.rng.IntN(180)) * time.Minute)
	source := sources()[int(float64(len(sources()))*r.rng.Float64()*r.rng.Float64())]
	if a.first.kind != call.TypeOutgoing {
		at, source = a.first.start, "Phone"
	}
	r.clock.set(at)
	who := r.agents[a.agent].member
	first, last := names(a.name)
	p := contact.Person{First: first, Last: last, Numbers: []contact.Labelled{{Text: a.number}}}
	if r.rng.IntN(3) == 0 {
		p.Company = companies()[r.rng.IntN(len(companies()))]
	}
	if p.First == "" && p.Company == "" {
		p.First = "Caller"
	}
	var labels []string
	if r.rng.IntN(9) == 0 {
		labels = []string{tags()[r.rng.IntN(len(tags()))]}
	}
	owner := who.ID
	if of-i <= ofTheOwner {
		boss, err := r.accounts.Owner(ctx, r.org.ID)
		if err != nil {
			return nil, nil, err
		}
		owner = boss.ID
	} else if r.rng.IntN(12) == 0 {
		owner = "" // nobody has them yet
	}
	c, done, err := r.o.Contacts.Add(ctx, tx, r.org, owner, contact.New{Person: p, Tags: labels, Owner: owner, Origin: "manual"})
	if err != nil || (i+1)*chances/of == i*chances/of { // so many of them, spread out
		return nil, done, err
	}
	value := int64(math.Exp(4.6+1.1*r.rng.NormFloat64())) * 100 * 100 // hundreds of rupees, in paise
	l, err := r.o.Leads.Add(ctx, tx, r.org, owner, lead.New{Contact: c.ID, Owner: owner, Source: source, Value: value, Custom: nil})
	return l, done, err
}

// names cuts a name into first and last.
func names(full string) (first, last string) {
	for i := len(full) - 1; i > 0; i-- {
		if full[i] == ' ' {
			return full[:i], full[i+1:]
		}
	}
	return full, ""
}

// goOn moves a lead along as time goes: through stages, to its end, or to something that is planned.
func (r *relations) goOn(ctx context.Context, tx *db.Tx, i int, l *lead.Lead) error {
	stages := lead.Usual().Active()
	now, by := l.Made, l.Owner
	later := func(days float64) bool {
		now = now.Add(time.Duration(days * (0.3 + r.rng.Float64()) * float64(24*time.Hour))).Truncate(time.Minute)
		r.clock.set(now)
		return now.Before(r.now.Add(-time.Hour))
	}
	stage := 0
	for stage < len(stages)-1 && r.rng.Float64() < 0.72 && later(3) {
		stage++
		if _, err := r.o.Leads.Move(ctx, tx, r.org, by, l.ID, 0, lead.Spot{Stage: stages[stage].Key}); err != nil {
			return err
		}
	}
	switch x := r.rng.Float64(); {
	case stage >= 2 && x < 0.5 && later(4):
		_, err := r.o.Leads.Win(ctx, tx, r.org, by, l.ID, 0, "", "")
		return err
	case x < 0.7 && stage >= 1 && later(6):
		_, err := r.o.Leads.Lose(ctx, tx, r.org, by, l.ID, 0, lossReason(r.rng), "")
		return err
	}
	if by == "" || i%2 != 0 {
		return nil
	}
	if err := r.did(ctx, tx, l); err != nil {
		return err
	}
	return r.plan(ctx, tx, l)
}

// did has somebody have done something for a lead, in time or a while later.
func (r *relations) did(ctx context.Context, tx *db.Tx, l *lead.Lead) error {
	due := l.Made.Add(time.Duration(20+r.rng.IntN(100)) * time.Hour).Truncate(15 * time.Minute)
	end := due.Add(time.Duration(r.rng.IntN(300)-220) * time.Minute)
	if end.After(r.now) || end.Before(l.Made.Add(2*time.Minute)) {
		return nil
	}
	r.clock.set(l.Made.Add(time.Minute))
	kind := followup.Call
	if r.rng.IntN(3) == 0 {
		kind = followup.Promised
	}
	f, err := r.o.FollowUps.Add(ctx, tx, r.org, l.Owner, followup.New{Kind: kind, Lead: l.ID, Owner: l.Owner, Due: due, Text: "Call after the first talk"})
	if err != nil {
		return err
	}
	r.clock.set(end)
	if _, err := r.o.FollowUps.Done(ctx, tx, r.org, l.Owner, f.ID, followup.Finish{Outcome: "done"}); err != nil {
		return err
	}
	return r.write(ctx, tx, l)
}

// write has somebody have written down, or filed, what came of it.
func (r *relations) write(ctx context.Context, tx *db.Tx, l *lead.Lead) error {
	said := []string{"Wants the price list before the weekend", "Asked for delivery to the Pune branch", "Buys twice a year, before Diwali and in March", "Prefers calls after 4 pm", "Will talk to the partner first"}
	if _, err := r.o.Contacts.AddNote(ctx, tx, r.org.ID, l.Owner, l.Contact, said[r.rng.IntN(len(said))]); err != nil || r.rng.IntN(4) > 0 {
		return err
	}
	const list = "Price list, net of tax\n\nSteel rack 5 shelves   4,200\nSteel rack 7 shelves   5,600\nDelivery within 10 days\n"
	_, err := r.o.Files.Add(ctx, tx, r.org.ID, l.Owner, file.NewFile{Contact: l.Contact, Name: "Price list.txt", Content: strings.NewReader(list), Size: int64(len(list))})
	return err
}

// lossReason is why a lead was lost: a key of the usual reasons.
func lossReason(rng *rand.Rand) string {
	all := []string{"price", "competitor", "no_need", "no_answer"}
	return all[rng.IntN(len(all))]
}

// plan has somebody do something about a lead: some of it is late, some is due today, the rest comes.
func (r *relations) plan(ctx context.Context, tx *db.Tx, l *lead.Lead) error {
	hours := []int{-50, -3, 2, 5, 26, 30, 75, 120}[r.rng.IntN(8)]
	due := r.now.Add(time.Duration(hours) * time.Hour).Truncate(15 * time.Minute)
	r.clock.set(due.Add(-72 * time.Hour))
	if l.Made.After(r.clock.Now()) {
		r.clock.set(l.Made.Add(time.Minute))
	}
	if !due.After(r.clock.Now()) {
		return nil
	}
	kind, text := followup.Call, []string{"Ask about the sample", "Send the price list", "Delivery date", "Payment terms"}[r.rng.IntN(4)]
	if r.rng.IntN(3) == 0 {
		kind = followup.Promised
	}
	_, err := r.o.FollowUps.Add(ctx, tx, r.org, l.Owner, followup.New{Kind: kind, Lead: l.ID, Owner: l.Owner, Due: due, Text: text})
	return err
}
