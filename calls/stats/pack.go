package stats

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// pack is all roll-ups of one organisation's day, one after the other.
type pack struct {
	day    civil.Day
	gen    int64
	agents []account.AgentNo // ascending
	ends   []uint32          // where each agent's roll-up ends in buf
	buf    []byte
}

func (p *pack) add(agent account.AgentNo, blob []byte) {
	p.agents = append(p.agents, agent)
	p.buf = append(p.buf, blob...)
	p.ends = append(p.ends, uint32(len(p.buf)))
}

func (p *pack) at(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = p.ends[i-1]
	}
	return p.buf[from:p.ends[i]]
}

// of is one agent's roll-up, or nil.
func (p *pack) of(agent account.AgentNo) []byte {
	if i, ok := slices.BinarySearch(p.agents, agent); ok {
		return p.at(i)
	}
	return nil
}

func (p *pack) bytes() int { return cap(p.buf) + 8*cap(p.agents) + 64 }

// packKey names a day of an organisation.
type packKey struct {
	org account.OrgID
	day civil.Day
}

// dayGen is a day that has calls, with its generation.
type dayGen struct {
	day civil.Day
	gen int64
}

func daysOf(ctx context.Context, c db.Conn, org account.OrgID, from, to civil.Day) ([]dayGen, error) {
	return db.Select(ctx, c, func(r db.Scanner) (d dayGen, err error) { return d, r.Scan(&d.day, &d.gen) },
		`SELECT day, gen FROM days WHERE org_id = $1 AND day >= $2 AND day < $3 ORDER BY day`, org, from, to)
}

// longRange is from how many days on a range may be larger than the cache.
const longRange = 100

// fewAgents is up to how many agents their own roll-ups are read one by one instead of the whole day's.
const fewAgents = 3

// packs gives the roll-ups that a query stands on, by day: the stored ones, or, where the query filters, roll-ups built
// for it from the calls.
func (r *Reporter) packs(ctx context.Context, tx *db.Tx, org *account.Org, q *Query) ([]*pack, error) {
	days, err := daysOf(ctx, tx, org.ID, q.From, q.To)
	if err != nil {
		return nil, err
	}
	if !q.Filter.IsZero() {
		return r.filteredPacks(ctx, tx, org, q)
	}
	few := q.Agents != nil && len(q.Agents) <= fewAgents
	keep := r.cache.put
	if len(days) > longRange { // it would drive out the days that are asked for all day long, and itself
		keep = r.cache.offer
	}
	out := make([]*pack, len(days))
	var missing []*pack
	for i, d := range days {
		var ok bool
		if out[i], ok = r.cache.get(packKey{org.ID, d.day}, d.gen); ok {
			continue
		}
		if few {
			out[i] = &pack{day: d.day, gen: d.gen}
			missing = append(missing, out[i])
			continue
		}
		if out[i], err = loadPack(ctx, tx, org.ID, d); err != nil {
			return nil, err
		}
		keep(packKey{org.ID, d.day}, d.gen, out[i], out[i].bytes())
	}
	return out, loadFew(ctx, tx, org.ID, missing, q.Agents)
}

// packOf gives all roll-ups of a day, from memory where they are. It does not keep what it reads.
func (r *Reporter) packOf(ctx context.Context, tx *db.Tx, org account.OrgID, d dayGen) (*pack, error) {
	if p, ok := r.cache.get(packKey{org, d.day}, d.gen); ok {
		return p, nil
	}
	return loadPack(ctx, tx, org, d)
}

func loadPack(ctx context.Context, tx *db.Tx, org account.OrgID, d dayGen) (*pack, error) {
	rows, err := tx.Rows(ctx, `SELECT agent, b FROM rolls WHERE org_id = $1 AND day = $2 ORDER BY agent`, org, d.day)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	p := &pack{day: d.day, gen: d.gen}
	for rows.Next() {
		var agent account.AgentNo
		var b sql.RawBytes
		if err := rows.Scan(&agent, &b); err != nil {
			return nil, err
		}
		p.add(agent, b)
	}
	p.buf = slices.Clip(p.buf)
	return p, rows.Err()
}

// fewDays is how many days of one agent a statement reads.
const fewDays = 64

// loadFew fills the packs, ascending by day, with the roll-ups of a few agents alone.
func loadFew(ctx context.Context, tx *db.Tx, org account.OrgID, packs []*pack, agents []account.AgentNo) error {
	if len(packs) == 0 {
		return nil
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(agents)))
	for part := range slices.Chunk(packs, fewDays) {
		byDay := make(map[civil.Day]*pack, len(part))
		args := []any{org, 0}
		for _, p := range part {
			byDay[p.day] = p
			args = append(args, p.day)
		}
		for len(args) < fewDays+2 { // one statement text for every size
			args = append(args, part[0].day)
		}
		for _, agent := range sorted { // in order, since packs list their agents ascending
			args[1] = agent
			if err := loadAgent(ctx, tx, byDay, agent, args); err != nil {
				return err
			}
		}
	}
	return nil
}

func loadAgent(ctx context.Context, tx *db.Tx, byDay map[civil.Day]*pack, agent account.AgentNo, args []any) error {
	rows, err := tx.Rows(ctx, `SELECT day, b FROM rolls WHERE org_id = $1 AND agent = $2 AND day IN `+db.In(3, fewDays), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var day civil.Day
		var b sql.RawBytes
		if err := rows.Scan(&day, &b); err != nil {
			return err
		}
		byDay[day].add(agent, b)
	}
	return rows.Err()
}

// peoplePacks gives roll-ups that say of people what a query wants. Those that take hidden numbers in, too, are the
// stored ones, whose entries tell who is hidden.
func (r *Reporter) peoplePacks(ctx context.Context, tx *db.Tx, org *account.Org, q *Query) ([]*pack, error) {
	all := *q
	if all.Filter.Excluded = false; !all.Filter.IsZero() {
		return r.packs(ctx, tx, org, q)
	}
	return r.packs(ctx, tx, org, &all)
}

// filteredPacks builds roll-ups from the calls that pass the filter, so that filtered reports go the same way as all
// others.
func (r *Reporter) filteredPacks(ctx context.Context, tx *db.Tx, org *account.Org, q *Query) ([]*pack, error) {
	excluded, err := r.book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	b := packBuilder{zone: org.Location(), rules: roll.Of(org)}
	visit := func(row *call.Row) error {
		if q.Filter.Match(row, b.zone, &excluded) {
			b.add(row)
		}
		return nil
	}
	if len(q.Filter.Numbers) > 0 {
		err = r.eachOfNumbers(ctx, tx, org, q, visit)
	} else {
		where := call.Where(org.ID).And(`day >= ?`, q.From).And(`day < ?`, q.To).Agents(q.Agents).Filter(&q.Filter, org.ConnectedFrom)
		err = call.Each(ctx, tx, where, `ORDER BY org_id, day, agent`, visit)
	}
	b.finish()
	return b.packs, err
}

// eachOfNumbers walks the calls of the filter's numbers by day and agent, reading only the days that have some.
func (r *Reporter) eachOfNumbers(ctx context.Context, tx *db.Tx, org *account.Org, q *Query, visit func(*call.Row) error) error {
	days, err := daysOf(ctx, tx, org.ID, q.From, q.To)
	if err != nil {
		return err
	}
	find := r.finder(org.ID, q.Agents, q.Filter.Numbers)
	for _, d := range days {
		agents, err := find(ctx, tx, d.day)
		if err != nil {
			return err
		}
		if len(agents) == 0 {
			continue
		}
		where := call.Where(org.ID).And(`day = ?`, d.day).Agents(agents).Filter(&q.Filter, org.ConnectedFrom)
		if err := call.Each(ctx, tx, where, `ORDER BY agent`, visit); err != nil {
			return err
		}
	}
	return nil
}

type packBuilder struct {
	zone  *time.Location
	rules roll.Rules
	packs []*pack
	agent account.AgentNo
	rows  []roll.Row
	day   roll.Day
	blob  []byte
}

func (b *packBuilder) add(r *call.Row) {
	if len(b.packs) == 0 || b.packs[len(b.packs)-1].day != r.Day {
		b.finish()
		b.packs = append(b.packs, &pack{day: r.Day})
	}
	if r.Agent != b.agent {
		b.finish()
		b.agent = r.Agent
	}
	b.rows = append(b.rows, roll.Row{Start: r.Start, Number: r.Number, Type: r.Type, Seconds: r.Seconds, Line: int32(r.Line)})
}

func (b *packBuilder) finish() {
	if len(b.rows) == 0 {
		return
	}
	p := b.packs[len(b.packs)-1]
	b.day.Build(b.rows, p.day.Start(b.zone), b.rules)
	b.blob = b.day.Encode(b.blob[:0])
	p.add(b.agent, b.blob)
	b.rows = b.rows[:0]
}
