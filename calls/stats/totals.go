package stats

import (
	"context"

	"parley/account"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// totals is what the roll-ups of all agents add up to on one day, people aside: with them a year of the whole
// organisation costs 365 steps, however many agents there are.
type totals struct {
	sums    Figures
	hours   [24]HourSum
	in, out []run // talk times of connected calls
	reach   reach
}

// run is how many calls had one talk time.
type run struct{ seconds, calls int32 }

func (t *totals) bytes() int { return 1200 + 8*(cap(t.in)+cap(t.out)) }

// totalBytes bounds the totals kept in memory: about a year of 1,000 agents.
const totalBytes = 8 << 20

// wantsTotals tells whether the days' totals answer a query.
func (q *Query) wantsTotals(parts Part) bool { return parts == 0 && q.everything() }

// everything tells whether a query is about all calls of the organisation.
func (q *Query) everything() bool { return q.Agents == nil && q.Filter.IsZero() }

// totalsOf gives a day's totals, made from its roll-ups when they are not at hand.
func (r *Reporter) totalsOf(ctx context.Context, tx *db.Tx, org account.OrgID, d dayGen) (*totals, error) {
	key := packKey{org, d.day}
	if t, ok := r.totals.get(key, d.gen); ok {
		return t, nil
	}
	p, err := r.packOf(ctx, tx, org, d)
	if err != nil {
		return nil, err
	}
	t, err := addUp(p)
	if err == nil {
		r.totals.put(key, d.gen, t, t.bytes())
	}
	return t, err
}

func addUp(p *pack) (*totals, error) {
	t := &totals{}
	var d roll.Day
	var in, out talkTimes
	for i := range p.agents {
		if err := d.DecodeSums(p.at(i)); err != nil {
			return nil, err
		}
		if d.Calls() > 0 {
			t.reach.widen(d.First, d.First+d.Span)
		}
		t.sums.add(&d)
		for h := range d.Hours {
			t.hours[h].add(&d.Hours[h])
		}
		in.add(d.TalksIn)
		out.add(d.TalksOut)
	}
	t.in, t.out = in.runs(), out.runs()
	return t, nil
}

// fromTotals fills a report from the days' totals.
func (p *pass) fromTotals(ctx context.Context, tx *db.Tx) error {
	days, err := daysOf(ctx, tx, p.org.ID, p.q.From, p.q.To)
	if err != nil {
		return err
	}
	for _, d := range days {
		t, err := p.r.totalsOf(ctx, tx, p.org.ID, d)
		if err != nil {
			return err
		}
		p.addTotals(t, d.day)
	}
	return nil
}

func (p *pass) addTotals(t *totals, day civil.Day) {
	p.out.merge(&t.sums)
	p.out.Days[day-p.q.From].merge(&t.sums)
	p.reach[day-p.q.From] = t.reach
	heat := &p.out.Heat[day.Weekday()]
	for h := range t.hours {
		heat[h].merge(&t.hours[h])
	}
	p.talkIn.addRuns(t.in)
	p.talkOut.addRuns(t.out)
}

func (h *HourSum) merge(o *HourSum) {
	h.Calls += o.Calls
	h.Connected += o.Connected
	h.Unattended += o.Unattended
	h.Talk += o.Talk
}
