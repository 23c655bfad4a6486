package assign

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// speakers remembers who spoke with which number on which day, out of the roll-ups: calls are kept by day and agent, and to look
// for a number through three months of them takes longer than a decision may. What it remembers of a day holds as long as the
// day's generation.
type speakers struct {
	mu      sync.Mutex
	days    map[orgDay]*spokenDay
	entries int
}

type orgDay struct {
	org account.OrgID
	day civil.Day
}

type spokenDay struct {
	gen int64
	all []conversation // by number
}

// conversation says that an agent spoke with a number.
type conversation struct {
	number number.ID
	agent  account.AgentNo
}

// mostSpoken is how many conversations are remembered at most, of 16 bytes each.
const mostSpoken = 4_000_000

func newSpeakers() *speakers { return &speakers{days: map[orgDay]*spokenDay{}} }

// day gives the conversations of a day whose generation is known.
func (s *speakers) day(ctx context.Context, c db.Conn, key orgDay, gen int64) (*spokenDay, error) {
	s.mu.Lock()
	had := s.days[key]
	s.mu.Unlock()
	if had != nil && had.gen == gen {
		return had, nil
	}
	x := &spokenDay{gen: gen}
	var entries []roll.Entry
	if err := roll.Walk(ctx, c, key.org, key.day, key.day+1, func(_ civil.Day, agent account.AgentNo, b []byte) (err error) {
		if entries, err = roll.DecodeNumbers(b, entries); err != nil {
			return err
		}
		for _, e := range entries {
			if e.Flags&roll.Connected != 0 && e.Flags&roll.Restricted == 0 {
				x.all = append(x.all, conversation{e.Number, agent})
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	slices.SortFunc(x.all, func(a, b conversation) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.agent, b.agent))
	})
	x.all = slices.Clip(x.all)
	s.mu.Lock()
	defer s.mu.Unlock()
	if had := s.days[key]; had != nil {
		s.entries -= len(had.all)
	}
	if s.entries+len(x.all) > mostSpoken {
		clear(s.days)
		s.entries = 0
	}
	s.days[key] = x
	s.entries += len(x.all)
	return x, nil
}

// with are those who spoke with a number.
func (d *spokenDay) with(n number.ID) []conversation {
	i, _ := slices.BinarySearchFunc(d.all, n, func(x conversation, n number.ID) int { return cmp.Compare(x.number, n) })
	j := i
	for j < len(d.all) && d.all[j].number == n {
		j++
	}
	return d.all[i:j]
}

// spoken are the days of a run, the newest first.
type spoken struct {
	from civil.Day
	days []spokenOn
}

type spokenOn struct {
	day civil.Day
	*spokenDay
}

// speaker is somebody who spoke with a number, and when last.
type speaker struct {
	agent account.AgentNo
	day   civil.Day
}

// spokeWith lists who spoke with one of some numbers in the last days, the latest first.
func (r *Run) spokeWith(ctx context.Context, c db.Conn, at time.Time, nums []number.ID, days int) ([]speaker, error) {
	if len(nums) == 0 {
		return nil, nil
	}
	from := civil.DayOf(at.AddDate(0, 0, -days), r.org.Location())
	if r.spoken == nil || r.spoken.from > from {
		if err := r.loadSpoken(ctx, c, from); err != nil {
			return nil, err
		}
	}
	var out []speaker
	for _, d := range r.spoken.days {
		if d.day < from {
			break
		}
		var agents []account.AgentNo
		for _, n := range nums {
			for _, x := range d.with(n) {
				if !slices.Contains(agents, x.agent) && !slices.ContainsFunc(out, func(s speaker) bool { return s.agent == x.agent }) {
					agents = append(agents, x.agent)
				}
			}
		}
		if len(agents) > 1 {
			var err error
			if agents, err = r.latestFirst(ctx, c, d.day, agents, nums); err != nil {
				return nil, err
			}
		}
		for _, a := range agents {
			out = append(out, speaker{a, d.day})
		}
	}
	return out, nil
}

func (r *Run) loadSpoken(ctx context.Context, c db.Conn, from civil.Day) error {
	type gen struct {
		day civil.Day
		gen int64
	}
	gens, err := db.Select(ctx, c, func(row db.Scanner) (g gen, err error) { return g, row.Scan(&g.day, &g.gen) },
		`SELECT day, gen FROM days WHERE org_id = $1 AND day >= $2 ORDER BY day DESC`, r.org.ID, from)
	if err != nil {
		return err
	}
	s := &spoken{from: from}
	for _, g := range gens {
		d, err := r.a.spoke.day(ctx, c, orgDay{r.org.ID, g.day}, g.gen)
		if err != nil {
			return err
		}
		s.days = append(s.days, spokenOn{g.day, d})
	}
	r.spoken = s
	return nil
}

// latestFirst puts agents who spoke with some numbers on the same day into order: only the calls tell who did last.
func (r *Run) latestFirst(ctx context.Context, c db.Conn, day civil.Day, agents []account.AgentNo, nums []number.ID) ([]account.AgentNo, error) {
	args := []any{r.org.ID, day, max(r.org.ConnectedFrom, 1)}
	for _, a := range agents {
		args = append(args, a)
	}
	for _, n := range nums {
		args = append(args, n)
	}
	ordered, err := db.Select(ctx, c, func(row db.Scanner) (a account.AgentNo, err error) {
		var last int64
		return a, row.Scan(&a, &last)
	}, `SELECT agent, max(start) AS last FROM calls WHERE org_id = $1 AND day = $2 AND seconds >= $3 AND type IN (1, 2) AND agent IN `+db.In(4, len(agents))+`
		AND num IN `+db.In(4+len(agents), len(nums))+` GROUP BY agent ORDER BY last DESC, agent`, args...)
	return ordered, err
}
