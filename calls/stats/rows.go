package stats

import (
	"cmp"
	"context"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// perStatement is how many agents' calls of a day one statement reads; more than half of a large day's agents are read
// as the whole day.
const perStatement = 16

// fewNumbers is up to how many numbers a statement names; of more, the rows are tested here.
const fewNumbers = 64

// of is the query with its filter narrowed to numbers, where they are few: so that other rows stay in the engine. There
// is one text for every count.
func (q Query) of(numbers []number.ID) *Query {
	if len(numbers) > 0 && len(numbers) <= fewNumbers && len(q.Filter.Numbers) == 0 {
		q.Filter.Numbers = slices.Grow(slices.Clone(numbers), fewNumbers)
		for len(q.Filter.Numbers) < fewNumbers {
			q.Filter.Numbers = append(q.Filter.Numbers, numbers[0])
		}
	}
	return &q
}

// rowsOf reads the calls of some numbers that a query takes, found through the roll-ups; in order of time, see inOrder.
func (r *Reporter) rowsOf(ctx context.Context, tx *db.Tx, org *account.Org, q *Query, packs []*pack, want roll.Set) ([]call.Row, error) {
	if len(want) == 0 {
		return nil, nil
	}
	excluded, err := r.book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	zone := org.Location()
	only := q.agentSet()
	var out []call.Row
	var agents []account.AgentNo
	for _, p := range packs {
		if agents, err = p.holding(want, only, agents[:0]); err != nil {
			return nil, err
		}
		for _, part := range statements(agents, len(p.agents)) {
			where := call.Where(org.ID).And(`day = ?`, p.day).Agents(part).Filter(&q.Filter, org.ConnectedFrom)
			if err := call.Each(ctx, tx, where, "", func(row *call.Row) error {
				if want.Has(row.Number) && q.Filter.Match(row, zone, &excluded) && (only == nil || only[row.Agent]) {
					out = append(out, *row)
				}
				return nil
			}); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(out, inOrder(org.ConnectedFrom))
	return out, nil
}

// holding appends the agents, of those in only, who had calls with one of the wanted numbers; nil takes all.
func (p *pack) holding(want roll.Set, only map[account.AgentNo]bool, into []account.AgentNo) ([]account.AgentNo, error) {
	for i, agent := range p.agents {
		if only != nil && !only[agent] {
			continue
		}
		has, err := roll.Holds(p.at(i), want)
		if err != nil {
			return nil, err
		}
		if has {
			into = append(into, agent)
		}
	}
	return into, nil
}

// statements says whose calls of a day each statement reads; nil is everybody's. There are three texts of them, so that
// each stays prepared: an agent who comes twice in a list is read once.
func statements(agents []account.AgentNo, of int) [][]account.AgentNo {
	if len(agents) > perStatement && 2*len(agents) > of {
		return [][]account.AgentNo{nil}
	}
	var out [][]account.AgentNo
	for part := range slices.Chunk(agents, perStatement) {
		if len(part) > 1 {
			part = slices.Clone(part)
			for len(part) < perStatement {
				part = append(part, part[0])
			}
		}
		out = append(out, part)
	}
	return out
}

// inOrder compares calls by the order in which recoveries see them: by start, and at the same instant the unattended
// ones first, so that the others count as after them.
func inOrder(connectedFrom int) func(a, b call.Row) int {
	rank := func(r *call.Row) int {
		if roll.IsUnattended(r.Type, r.Seconds, connectedFrom) {
			return 0
		}
		return 1
	}
	return func(a, b call.Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), rank(&a)-rank(&b), cmp.Compare(a.Type, b.Type), a.Compare(b.Key))
	}
}

func byNumber(rows []call.Row) map[number.ID][]call.Row {
	by := map[number.ID][]call.Row{}
	for _, r := range rows {
		by[r.Number] = append(by[r.Number], r)
	}
	return by
}

// finder makes a function that tells who had calls with one of the numbers on a day: by the coarse sets of the day's
// block and of the day where those are true still, and then by the roll-ups. agents nil is everybody.
func (r *Reporter) finder(org account.OrgID, agents []account.AgentNo, numbers []number.ID) func(context.Context, *db.Tx, civil.Day) ([]account.AgentNo, error) {
	return (&find{r: r, org: org, numbers: numbers, only: (&Query{Agents: agents}).agentSet()}).on
}

type find struct {
	r        *Reporter
	org      account.OrgID
	numbers  []number.ID // once loaded, those in the book
	set      roll.Set
	withheld bool // asked for, too: roll-ups do not list it, so every day may have it
	only     map[account.AgentNo]bool
	gens     map[civil.Day]int64
	blocks   map[civil.Day]bool // whether a block has one of the numbers, where its set tells
}

// on tells whose calls of a day can be with one of the numbers.
func (f *find) on(ctx context.Context, tx *db.Tx, day civil.Day) ([]account.AgentNo, error) {
	if err := f.load(ctx, tx); err != nil {
		return nil, err
	}
	d := dayGen{day, f.gens[day]}
	if !f.withheld {
		may, err := f.block(ctx, tx, day/blockDays)
		if err != nil || !may {
			return nil, err
		}
		if may, err = f.period(ctx, tx, levelDay, int32(day), d.gen); err != nil || !may {
			return nil, err
		}
	}
	p, err := f.r.packOf(ctx, tx, f.org, d)
	if err != nil {
		return nil, err
	}
	if !f.withheld {
		return p.holding(f.set, f.only, nil)
	}
	return slices.DeleteFunc(slices.Clone(p.agents), func(a account.AgentNo) bool { return f.only != nil && !f.only[a] }), nil
}

func (f *find) load(ctx context.Context, tx *db.Tx) error {
	if f.gens != nil {
		return nil
	}
	n, err := f.r.book.Count(ctx, tx, f.org)
	if err != nil {
		return err
	}
	f.withheld = slices.Contains(f.numbers, number.Withheld)
	f.numbers = slices.DeleteFunc(slices.Clone(f.numbers), func(id number.ID) bool { return id <= number.Withheld || id >= n })
	f.set = roll.SetOf(f.numbers...)
	days, err := daysOf(ctx, tx, f.org, -1<<30, 1<<30)
	f.gens, f.blocks = make(map[civil.Day]int64, len(days)), map[civil.Day]bool{}
	for _, d := range days {
		f.gens[d.day] = d.gen
	}
	return err
}

// block tells whether a block of days may have one of the numbers.
func (f *find) block(ctx context.Context, tx *db.Tx, block civil.Day) (bool, error) {
	if may, ok := f.blocks[block]; ok {
		return may, nil
	}
	var gen int64
	for day := block * blockDays; day < (block+1)*blockDays; day++ {
		gen += f.gens[day]
	}
	may, err := f.period(ctx, tx, levelBlock, int32(block), gen)
	f.blocks[block] = may
	return may, err
}

// period tells whether a period may have one of the numbers, which it may where its sets are missing or stale.
func (f *find) period(ctx context.Context, tx *db.Tx, level int, period int32, gen int64) (bool, error) {
	var found parts
	known, err := f.r.addRow(ctx, tx, f.org, level, period, gen, &found, []kind{kindAll, kindHidden})
	if err != nil || !known {
		return true, err
	}
	return slices.ContainsFunc(f.numbers, func(n number.ID) bool {
		return found[kindAll][0].Contains(uint32(n)) || found[kindHidden][0].Contains(uint32(n))
	}), nil
}
