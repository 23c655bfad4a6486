package assign

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/civil"
	"parley/platform/db"
)

// Run decides about many leads of an organisation with what it looked up once. It counts what it gives itself; what others do
// meanwhile it learns by Refresh. It is for one goroutine.
type Run struct {
	a   *Assign
	org *account.Org

	rules   []*Rule
	first   string // the organisation's first pipeline
	all     []*person
	byID    map[account.MemberID]*person
	byAgent map[account.AgentNo]*person
	targets map[*Target][]candidate
	known   fact
	day     civil.Day
	clock   *clock
	spoken  *spoken

	single  bool // few decisions are made with it
	cases   int  // that were decided
	credits map[slot]map[account.MemberID]int64
	delta   map[slot]map[account.MemberID]int64 // of them, what is not kept yet
	fresh   []Decision                          // not kept yet
	kept    bool                                // they were given to Keep
}

// NewRun looks up what decisions need. Nothing is written before Keep, so a dry run is a run that is not kept.
func (a *Assign) NewRun(ctx context.Context, c db.Conn, org *account.Org, at time.Time) (*Run, error) {
	r := &Run{a: a, org: org, credits: map[slot]map[account.MemberID]int64{}, delta: map[slot]map[account.MemberID]int64{}}
	return r, r.Refresh(ctx, c, at)
}

// Turn is NewRun for few decisions in a transaction: nobody else decides in the organisation until it ends, so that turns and caps
// hold whoever else is at it.
func (a *Assign) Turn(ctx context.Context, tx *db.Tx, org *account.Org, at time.Time) (*Run, error) {
	if _, err := a.take(ctx, tx, org.ID, 0); err != nil {
		return nil, err
	}
	r, err := a.NewRun(ctx, tx, org, at)
	if err == nil {
		r.single = true
	}
	return r, err
}

// Refresh looks up anew who there is, who is away, which rules there are and whose phones are silent. What the run gave counts on.
func (r *Run) Refresh(ctx context.Context, c db.Conn, at time.Time) error {
	had := r.byID
	var err error
	if r.rules, err = r.a.Rules(ctx, c, r.org.ID); err != nil {
		return err
	}
	if r.all, err = people(ctx, c, r.org.ID, at); err != nil {
		return err
	}
	r.byID, r.byAgent = make(map[account.MemberID]*person, len(r.all)), map[account.AgentNo]*person{}
	r.targets, r.clock, r.spoken = map[*Target][]candidate{}, nil, nil
	r.known &^= factPhone
	for _, p := range r.all {
		r.byID[p.id] = p
		if p.agent != 0 {
			r.byAgent[p.agent] = p
		}
		if was := had[p.id]; was != nil {
			p.open, p.gen, p.stale, p.given, p.talk, p.passed, p.counted = was.open, was.gen, was.stale, was.given, was.talk, was.passed, was.counted
		} else {
			r.known = 0 // of somebody new nothing is known
		}
	}
	return nil
}

// Decide says who gets a lead. What comes of it is not kept before Keep.
func (r *Run) Decide(ctx context.Context, c db.Conn, at time.Time, cs Case) (Decision, error) {
	r.anew()
	d, _, err := r.byRules(ctx, c, at, &cs)
	if err == nil {
		r.fresh = append(r.fresh, d)
	}
	return d, err
}

// anew begins with what is to be kept, before the first turn after a Keep is paid for.
func (r *Run) anew() {
	if r.kept {
		r.kept, r.fresh = false, r.fresh[:0]
		clear(r.delta)
	}
}

// Tried is a rule that a case came to.
type Tried struct {
	Rule   RuleID
	Name   string
	Miss   Miss // the condition that the case did not fit; "" = the rule was for it
	Nobody bool // it was for it, and nobody could have the lead
}

// Explanation is what would come of a case.
type Explanation struct {
	Decision
	Tried []Tried // up to the rule that decided
}

// Explain says who would get a lead, and why, and changes nothing.
func (a *Assign) Explain(ctx context.Context, c db.Conn, org *account.Org, at time.Time, cs Case) (*Explanation, error) {
	r, err := a.NewRun(ctx, c, org, at)
	if err != nil {
		return nil, err
	}
	r.single = true
	d, tried, err := r.byRules(ctx, c, at, &cs)
	return &Explanation{d, tried}, err
}

// byRules goes through the rules.
func (r *Run) byRules(ctx context.Context, c db.Conn, at time.Time, cs *Case) (d Decision, tried []Tried, err error) {
	if err := r.begin(ctx, c, at, cs); err != nil {
		return d, nil, err
	}
	for _, rule := range r.rules {
		t := Tried{Rule: rule.ID, Name: rule.Name, Miss: MissOff}
		if !rule.Off {
			if rule.When.Hours != AnyTime {
				if err := r.needClock(ctx, c); err != nil {
					return d, nil, err
				}
			}
			t.Miss = rule.When.misses(cs, r.first, func() bool { return r.clock.open(at) })
		}
		if t.Miss != "" {
			tried = append(tried, t)
			continue
		}
		d.Rule = rule.ID
		why := len(d.Why)
		d.Why = append(d.Why, part(ByRule, "Rule", rule.Name))
		found, err := r.choose(ctx, c, at, cs, rule.ID, &rule.Choice, &d)
		t.Nobody = err == nil && !found
		tried = append(tried, t)
		if err != nil || found {
			return d, tried, err
		}
		if !rule.Onward {
			d.Why = append(d.Why, part(NobodyFits))
			return d, tried, nil
		}
		d.Why = append(d.Why[:why], part(OnwardRule, "Rule", rule.Name))
	}
	d.Rule = ""
	d.Why = append(d.Why, part(NoRule))
	return d, tried, nil
}

// begin gets ready for a case.
func (r *Run) begin(ctx context.Context, c db.Conn, at time.Time, cs *Case) error {
	r.cases++
	cs.Language, cs.State, cs.Postcode, cs.Source = tongue(cs.Language), tidy(cs.State), postcode(cs.Postcode), tidy(cs.Source)
	if today := civil.DayOf(at, r.org.Location()); today != r.day {
		r.day = today
		r.known &^= factGiven | factTalk
		for _, p := range r.all {
			p.counted = false
		}
	}
	if r.first == "" && cs.Pipeline == "" && slices.ContainsFunc(r.rules, func(x *Rule) bool { return len(x.When.Pipelines) > 0 }) {
		all, err := r.a.d.Leads.Pipelines(ctx, c, r.org.ID)
		if err != nil {
			return err
		}
		for _, p := range all {
			if !p.Archived {
				r.first = p.Key
				break
			}
		}
	}
	return nil
}

func (r *Run) needClock(ctx context.Context, c db.Conn) error {
	if r.clock != nil {
		return nil
	}
	s, err := r.a.Settings(ctx, c, r.org.ID)
	if err == nil {
		r.clock = newClock(r.org, s)
	}
	return err
}

// owners fills in who looks after the contacts of cases, where a rule asks.
func (r *Run) owners(ctx context.Context, c db.Conn, cases []Case) error {
	if !slices.ContainsFunc(r.rules, func(x *Rule) bool { return x.OwnContacts && !x.Off }) {
		return nil
	}
	var ids []contact.ID
	for i := range cases {
		if cases[i].Contact != "" && cases[i].Owner == "" {
			ids = append(ids, cases[i].Contact)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.a.d.Contacts.Load(ctx, c, r.org.ID, ids...)
	for i := range cases {
		if x := found[cases[i].Contact]; x != nil && cases[i].Owner == "" {
			cases[i].Owner = x.Owner
		}
	}
	return err
}

// DecideAll is Decide for several cases, of each of which it knows who looks after the contact.
func (r *Run) DecideAll(ctx context.Context, c db.Conn, at time.Time, cases []Case) ([]Decision, error) {
	cases = slices.Clone(cases)
	if err := r.owners(ctx, c, cases); err != nil {
		return nil, err
	}
	out := make([]Decision, len(cases))
	for i := range cases {
		var err error
		if out[i], err = r.Decide(ctx, c, at, cases[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unit is the credit that a lead costs.
const unit int64 = 1 << 32

// turn says whose turn it is among some, by smooth weighted round robin: each has their share coming, and whoever has most coming gets
// the lead and pays for it by pay. Shares are those of whoever can have a lead now, so nobody is owed anything for a time during
// which they could not.
func (r *Run) turn(ctx context.Context, c db.Conn, s slot, of []candidate, weight func(account.MemberID) int) (next candidate, pay func(), err error) {
	credits, err := r.creditsOf(ctx, c, s)
	if err != nil {
		return next, nil, err
	}
	sum := 0
	for _, x := range of {
		sum += weight(x.id)
	}
	share := func(x candidate) int64 { return int64(weight(x.id)) * unit / int64(sum) }
	most := int64(0)
	for i, x := range of {
		if coming := credits[x.id] + share(x); i == 0 || coming > most {
			next, most = x, coming
		}
	}
	return next, func() {
		delta := r.delta[s]
		if delta == nil {
			delta = map[account.MemberID]int64{}
			r.delta[s] = delta
		}
		for _, x := range of {
			credits[x.id] += share(x)
			delta[x.id] += share(x)
		}
		credits[next.id] -= unit
		delta[next.id] -= unit
	}, nil
}

func (r *Run) creditsOf(ctx context.Context, c db.Conn, s slot) (map[account.MemberID]int64, error) {
	if had, ok := r.credits[s]; ok {
		return had, nil
	}
	text, _, err := db.One(ctx, c, func(row db.Scanner) (t string, err error) { return t, row.Scan(&t) },
		`SELECT credits FROM assign_turns WHERE org_id = $1 AND rule = $2 AND part = $3`, r.org.ID, s.rule, s.part)
	if err != nil {
		return nil, err
	}
	r.credits[s] = parseCredits(text)
	return r.credits[s], nil
}

func parseCredits(text string) map[account.MemberID]int64 {
	out := map[account.MemberID]int64{}
	for one := range strings.FieldsSeq(text) {
		m, n, _ := strings.Cut(one, ":")
		if credit, err := strconv.ParseInt(n, 10, 64); err == nil {
			out[account.MemberID(m)] = credit
		}
	}
	return out
}

// creditsText writes credits so that they add up to nothing: whoever comes new begins with none, in the middle of the others.
func creditsText(credits map[account.MemberID]int64) string {
	var sum int64
	members := make([]account.MemberID, 0, len(credits))
	for m, n := range credits {
		sum += n
		members = append(members, m)
	}
	slices.Sort(members)
	var b strings.Builder
	for _, m := range members {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(m) + ":" + strconv.FormatInt(credits[m]-sum/int64(len(members)), 10))
	}
	return b.String()
}
