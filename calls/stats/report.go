package stats

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Reporter answers reports.
type Reporter struct {
	db     *db.DB
	book   *number.Book
	calls  *call.Store
	now    func() time.Time
	cache  cache[packKey, *pack]
	tables sync.Pool
	slots  sync.Pool
	before beforeCache
	sets   cache[setKey, *roaring.Bitmap]
	totals cache[packKey, *totals]
	missed cache[packKey, []byte]
}

// cacheBytes bounds the roll-ups kept in memory: about eight months of 1,000 agents.
const cacheBytes = 56 << 20

// New makes a Reporter.
func New(d *db.DB, book *number.Book, calls *call.Store, now func() time.Time) *Reporter {
	r := &Reporter{db: d, book: book, calls: calls, now: now}
	r.cache.limit, r.sets.limit, r.totals.limit, r.missed.limit = cacheBytes, setBytes, totalBytes, missedBytes
	r.tables.New = func() any { return &table{} }
	r.slots.New = func() any { return &slots{} }
	return r
}

// maxDays bounds a range: positions of days are kept in 16 bits.
const maxDays = 20_000

// Query says what a report is about: a scope, a range of local days and a filter.
type Query struct {
	Agents   []account.AgentNo // nil = the whole organisation
	From, To civil.Day         // To exclusive
	Filter   call.Filter
	// Until lets connected calls after the range count as attending those missed in it; zero means the range's end.
	Until civil.Day
}

func (q *Query) check() error {
	if q.To <= q.From {
		return fault.Field("to", "The range ends on %s, which is not after its first day %s. Choose a later end; it is not part of the range itself.", q.To, q.From)
	}
	if q.To-q.From > maxDays {
		return fault.Field("from", "The range has %d days; at most %d fit. Choose a later start.", q.To-q.From, maxDays)
	}
	return nil
}

func (q *Query) agentSet() map[account.AgentNo]bool {
	if q.Agents == nil {
		return nil
	}
	m := make(map[account.AgentNo]bool, len(q.Agents))
	for _, a := range q.Agents {
		m[a] = true
	}
	return m
}

// HourSum is calls by the local hour they started in.
type HourSum struct {
	Calls, Connected, Unattended, Talk int64
}

func (h *HourSum) add(o *roll.Hour) {
	h.Calls += int64(o.Calls)
	h.Connected += int64(o.Connected)
	h.Unattended += int64(o.Unattended)
	h.Talk += o.Talk
}

// AgentFigures are one agent's.
type AgentFigures struct {
	Agent account.AgentNo
	Figures
}

// DayFigures are one day's; figures about people are left out.
type DayFigures struct {
	Day civil.Day
	Figures
	// First and Last are the team's working day: the earliest start and the latest end of any call in scope. Both are
	// zero on a day without calls.
	First, Last time.Time
}

// TeamSpan is the time from the scope's first call to its last one's end, however many agents share it.
func (d *DayFigures) TeamSpan() time.Duration { return d.Last.Sub(d.First) }

// reach is from when to when a day's calls go, in seconds after its first instant.
type reach struct {
	first, end int32
	any        bool
}

func (r *reach) widen(first, end int32) {
	if !r.any || first < r.first {
		r.first = first
	}
	r.end, r.any = max(r.end, end), true
}

// Span is one agent's working day.
type Span struct {
	Agent       account.AgentNo
	Day         civil.Day
	First, Last time.Time
	Span        time.Duration
	Active      time.Duration
	Calls       int64
	Talk        time.Duration
}

// Report is everything one pass over the roll-ups says about a scope and range.
type Report struct {
	Figures
	Agents []AgentFigures // by calls, most first
	Days   []DayFigures   // every day of the range, without calls too
	Heat   [7][24]HourSum // weekday (Sunday first) × local hour
	Hours  [24]HourSum    // local hour
	Spans  []Span         // by day and agent; only with WithSpans
	Rules  roll.Rules     // the settings the figures were computed with
}

// Part asks for parts of a report that cost extra.
type Part int

// The parts.
const (
	WithAgents Part = 1 << iota // figures per agent
	WithSpans                   // each agent's working days
	WithPeople                  // figures about people
)

// Report computes a report over one snapshot of the data.
func (r *Reporter) Report(ctx context.Context, org *account.Org, q Query, parts Part) (*Report, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	var out *Report
	err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
		out, err = r.report(ctx, tx, org, &q, parts)
		return err
	})
	return out, err
}

func (r *Reporter) report(ctx context.Context, tx *db.Tx, org *account.Org, q *Query, parts Part) (*Report, error) {
	p := &pass{r: r, org: org, q: q, parts: parts, zone: org.Location(), out: &Report{Rules: roll.Of(org)}}
	p.out.Days, p.reach = make([]DayFigures, q.To-q.From), make([]reach, q.To-q.From)
	for i := range p.out.Days {
		p.out.Days[i].Day = q.From + civil.Day(i)
	}
	var err error
	switch {
	case q.wantsTotals(parts):
		err = p.fromTotals(ctx, tx)
	case q.everything() && parts&WithPeople != 0:
		err = p.ofEverything(ctx, tx)
	default:
		err = p.fromRolls(ctx, tx)
	}
	if err != nil {
		return nil, err
	}
	p.finish()
	return p.out, nil
}

// ofEverything fills a report about people over all calls of the organisation: what the days' totals, sets and lists of
// missed callers say is taken from them, and roll-ups are read for agents alone.
func (p *pass) ofEverything(ctx context.Context, tx *db.Tx) error {
	p.totalled = true
	if err := p.fromTotals(ctx, tx); err != nil {
		return err
	}
	n, err := p.numbers(ctx, tx)
	if err != nil {
		return err
	}
	c, err := p.r.clients(ctx, tx, p.org.ID, p.q.From, p.q.To)
	if err != nil {
		return err
	}
	f := &p.out.Figures
	f.UniqueClients, f.ReachedClients, f.NewClients, f.NeverPickedUpClients = c.Unique, c.Reached, c.New, c.NeverPickedUp
	if err := p.neverAttended(ctx, tx, n); err != nil || p.parts&^WithPeople == 0 {
		return err
	}
	packs, err := p.r.packs(ctx, tx, p.org, p.q)
	if err != nil {
		return err
	}
	return p.walk(packs)
}

// fromRolls fills a report from the roll-ups of agents and days.
func (p *pass) fromRolls(ctx context.Context, tx *db.Tx) error {
	packs, err := p.r.packs(ctx, tx, p.org, p.q)
	if err != nil {
		return err
	}
	if p.parts&WithPeople == 0 {
		return p.walk(packs)
	}
	release, err := p.prepare(ctx, tx)
	if err != nil {
		return err
	}
	defer release()
	if err := p.walk(packs); err != nil {
		return err
	}
	p.all.settle()
	return p.people(ctx, tx, packs)
}

// pass is one walk over roll-ups, agent by agent.
type pass struct {
	r     *Reporter
	org   *account.Org
	q     *Query
	parts Part
	zone  *time.Location
	out   *Report

	totalled bool // the figures of all calls come from the days' totals, sets and lists; roll-ups tell of agents alone

	all                   *table  // numbers of the scope
	own                   few     // numbers of the agent at hand
	after                 []*pack // from the range's end to Until
	reach                 []reach // by day
	before                *before
	talk, talkIn, talkOut talkTimes
}

// numbers reads what telling people apart needs, and how many numbers there are.
func (p *pass) numbers(ctx context.Context, tx *db.Tx) (number.ID, error) {
	n, err := p.r.book.Count(ctx, tx, p.org.ID)
	if err != nil {
		return 0, err
	}
	if p.before, err = p.r.seenBefore(ctx, tx, p.org.ID, p.q.From, p.q.Filter.Excluded); err != nil {
		return 0, err
	}
	if p.q.Until > p.q.To && (!p.totalled || p.parts&WithAgents != 0) {
		q := *p.q
		q.From, q.To = p.q.To, p.q.Until
		p.after, err = p.r.packs(ctx, tx, p.org, &q)
	}
	return n, err
}

func (p *pass) prepare(ctx context.Context, tx *db.Tx) (release func(), err error) {
	n, err := p.numbers(ctx, tx)
	if err != nil {
		return nil, err
	}
	p.all = p.r.tables.Get().(*table)
	p.all.size(n, p.q.Agents == nil || len(p.q.Agents) > fewAgents)
	return func() {
		p.all.clear()
		p.r.tables.Put(p.all)
	}, nil
}

// walk goes agent by agent, so that each agent's people can be counted on the way.
func (p *pass) walk(packs []*pack) error {
	agents := p.q.Agents
	if agents == nil {
		agents = agentsOf(packs)
	} else {
		agents = slices.Compact(slices.Sorted(slices.Values(agents)))
	}
	next := make([]int, len(packs)) // both lists ascend, so each pack is walked once
	var day roll.Day
	decode := day.Decode
	if p.parts&WithPeople == 0 || p.totalled && p.parts&WithAgents == 0 {
		decode = day.DecodeSums
	}
	for _, agent := range agents {
		mine := AgentFigures{Agent: agent}
		for i, pk := range packs {
			for next[i] < len(pk.agents) && pk.agents[next[i]] < agent {
				next[i]++
			}
			if next[i] == len(pk.agents) || pk.agents[next[i]] != agent {
				continue
			}
			if err := decode(pk.at(next[i])); err != nil {
				return err
			}
			p.agentDay(&mine, &day, pk.day)
		}
		if err := p.endAgent(&mine); err != nil {
			return err
		}
	}
	return nil
}

func agentsOf(packs []*pack) []account.AgentNo {
	var all []account.AgentNo
	for _, p := range packs {
		all = append(all, p.agents...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *pass) agentDay(mine *AgentFigures, d *roll.Day, day civil.Day) {
	i := int(day - p.q.From)
	mine.add(d)
	if !p.totalled {
		p.whole(d, i, day)
	}
	if p.parts&WithSpans != 0 && d.Calls() > 0 {
		p.span(mine.Agent, d, day)
	}
	if p.parts&WithPeople == 0 {
		return
	}
	position := uint16(i + 1)
	for j := range d.Numbers {
		e := &d.Numbers[j]
		if e.Flags&roll.Hidden != 0 {
			continue
		}
		if !p.totalled {
			p.all.add(e, position)
		}
		if p.parts&WithAgents != 0 {
			p.own.add(e, position)
		}
	}
}

// whole adds an agent's day to what the scope is told by day and hour.
func (p *pass) whole(d *roll.Day, i int, day civil.Day) {
	p.out.Days[i].add(d)
	if d.Calls() > 0 {
		p.reach[i].widen(d.First, d.First+d.Span)
	}
	heat := &p.out.Heat[day.Weekday()]
	for h := range d.Hours {
		if d.Hours[h].Calls > 0 {
			heat[h].add(&d.Hours[h])
		}
	}
	p.talkIn.add(d.TalksIn)
	p.talkOut.add(d.TalksOut)
}

func (p *pass) span(agent account.AgentNo, d *roll.Day, day civil.Day) {
	first := day.Start(p.zone).Add(time.Duration(d.First) * time.Second)
	p.out.Spans = append(p.out.Spans, Span{
		Agent: agent, Day: day, First: first, Last: first.Add(time.Duration(d.Span) * time.Second),
		Span: time.Duration(d.Span) * time.Second, Active: time.Duration(d.Span-d.Idle) * time.Second,
		Calls: int64(d.Calls()), Talk: time.Duration(d.TalkIn+d.TalkOut) * time.Second,
	})
}

func (p *pass) endAgent(mine *AgentFigures) error {
	if !p.totalled {
		p.out.merge(&mine.Figures)
	}
	if p.parts&WithAgents == 0 {
		return nil
	}
	if p.parts&WithPeople != 0 {
		for _, pk := range p.after {
			if err := p.later(pk.of(mine.Agent), p.own.find); err != nil {
				return err
			}
		}
		for _, i := range p.own.used {
			mine.person(&p.own.at[i], p.own.numbers[i], p.before)
		}
		p.own.clear()
	}
	if mine.Calls() > 0 || mine.UniqueClients > 0 {
		p.out.Agents = append(p.out.Agents, *mine)
	}
	return nil
}

// merge adds another scope's sums; figures about people do not add up and are counted apart.
func (f *Figures) merge(o *Figures) {
	for t, n := range o.Types {
		f.Types[t] += n
	}
	f.ZeroIncoming += o.ZeroIncoming
	f.ConnectedIn += o.ConnectedIn
	f.ConnectedOut += o.ConnectedOut
	f.TalkIn += o.TalkIn
	f.TalkOut += o.TalkOut
	f.Unattended += o.Unattended
	f.Span += o.Span
	f.Active += o.Active
	f.AgentDays += o.AgentDays
	f.LongestIn = max(f.LongestIn, o.LongestIn)
	f.LongestOut = max(f.LongestOut, o.LongestOut)
}

// person counts one number. Within one agent nothing is unsettled: the agent's day is in order by itself.
func (f *Figures) person(s *seen, n number.ID, b *before) {
	f.UniqueClients++
	if s.flags&roll.Connected != 0 {
		f.ReachedClients++
	}
	if !b.has(n) {
		f.NewClients++
	}
	if s.neverPickedUp() {
		f.NeverPickedUpClients++
	}
	if s.firstUnattended != 0 {
		f.UnattendedClients++
	}
	if s.attendance() == neverAttended {
		f.NeverAttendedClients++
		f.NeverAttendedCalls += int64(s.unattended)
	}
}

// people counts the scope's numbers, putting the unsettled ones in order.
func (p *pass) people(ctx context.Context, tx *db.Tx, packs []*pack) error {
	only := p.q.agentSet()
	for _, pk := range p.after {
		for i, agent := range pk.agents {
			if only != nil && !only[agent] {
				continue
			}
			if err := p.later(pk.at(i), p.all.find); err != nil {
				return err
			}
		}
	}
	open := map[number.ID]civil.Day{}
	for _, n := range p.all.met {
		s := &p.all.at[n]
		p.out.person(s, number.ID(n), p.before)
		if s.attendance() == unsettled {
			open[number.ID(n)] = p.q.From + civil.Day(s.firstUnattended-1)
		}
	}
	never, err := p.r.settle(ctx, tx, p.org, p.q, packs, open)
	if err != nil {
		return err
	}
	for n := range never {
		p.out.NeverAttendedClients++
		p.out.NeverAttendedCalls += int64(p.all.at[n].unattended)
	}
	return nil
}

// later lets the connected calls of a day after the range count as attending the numbers that find knows.
func (p *pass) later(blob []byte, find func(number.ID) *seen) error {
	if blob == nil {
		return nil
	}
	entries, err := roll.DecodeNumbers(blob, nil)
	if err != nil {
		return err
	}
	for i := range entries {
		if e := &entries[i]; e.Flags&roll.Connected != 0 {
			if s := find(e.Number); s != nil && s.firstUnattended != 0 {
				s.lastConnected = uint16(p.q.To-p.q.From) + 1 // any day after the range is after every day of it
			}
		}
	}
	return nil
}

// settle reads the calls of unsettled numbers on the day of each one's first unattended call, and tells which were never
// attended.
func (r *Reporter) settle(ctx context.Context, tx *db.Tx, org *account.Org, q *Query, packs []*pack, open map[number.ID]civil.Day) (map[number.ID]bool, error) {
	byDay := map[civil.Day][]number.ID{}
	for n, day := range open {
		byDay[day] = append(byDay[day], n)
	}
	never := map[number.ID]bool{}
	for _, pk := range packs {
		want := byDay[pk.day]
		if len(want) == 0 {
			continue
		}
		rows, err := r.rowsOf(ctx, tx, org, q.of(want), []*pack{pk}, roll.SetOf(want...))
		if err != nil {
			return nil, err
		}
		by := byNumber(rows)
		for _, n := range want {
			if !attendedIn(by[n], org.ConnectedFrom) {
				never[n] = true
			}
		}
	}
	return never, nil
}

// attendedIn tells whether a number was connected at or after its first unattended call; rows are in order.
func attendedIn(rows []call.Row, connectedFrom int) bool {
	missed := false
	for i := range rows {
		r := &rows[i]
		if roll.IsUnattended(r.Type, r.Seconds, connectedFrom) {
			missed = true
		} else if missed && r.Outcome(connectedFrom) == call.OutcomeConnected {
			return true
		}
	}
	return false
}

func (p *pass) finish() {
	f := &p.out.Figures
	for i, r := range p.reach {
		if d := &p.out.Days[i]; r.any {
			start := d.Day.Start(p.zone)
			d.First, d.Last = start.Add(time.Duration(r.first)*time.Second), start.Add(time.Duration(r.end)*time.Second)
		}
	}
	f.MedianIn, _ = p.talkIn.median()
	f.MedianOut, _ = p.talkOut.median()
	p.talk.merge(&p.talkIn)
	p.talk.merge(&p.talkOut)
	f.MedianTalk, f.hasTalk = p.talk.median()
	for w := range p.out.Heat {
		for h := range p.out.Heat[w] {
			x, sum := &p.out.Heat[w][h], &p.out.Hours[h]
			sum.Calls += x.Calls
			sum.Connected += x.Connected
			sum.Unattended += x.Unattended
			sum.Talk += x.Talk
		}
	}
	slices.SortFunc(p.out.Agents, func(a, b AgentFigures) int {
		return cmp.Or(cmp.Compare(b.Calls(), a.Calls()), cmp.Compare(a.Agent, b.Agent))
	})
	slices.SortFunc(p.out.Spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Agent, b.Agent))
	})
}
