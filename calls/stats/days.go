package stats

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
)

// DaysWith lists the days before a day that may have calls with one of the numbers, hidden and restricted ones too, by the
// coarse sets; where those are missing or stale the day is listed. Numbers that called on few days of many cost little more
// than those days.
func DaysWith(ctx context.Context, c db.Conn, org account.OrgID, to civil.Day, numbers []number.ID) ([]civil.Day, error) {
	s := seeker{want: roaring.New()}
	for _, n := range numbers {
		if n > number.Withheld {
			s.want.Add(uint32(n))
		}
	}
	days, err := daysOf(ctx, c, org, -1<<30, 1<<30)
	if err != nil || s.want.IsEmpty() {
		return nil, err
	}
	gens := map[int32]int64{}
	for _, d := range days {
		gens[int32(d.day/blockDays)] += d.gen
	}
	blocks, err := s.look(ctx, c, gens, `SELECT period, kind, gen, b FROM coarse WHERE org_id = $1 AND level = $2 AND kind IN ($3, $4, $5)`, org, levelBlock)
	if err != nil {
		return nil, err
	}
	var out []civil.Day
	for len(days) > 0 {
		block := days[0].day / blockDays
		n := 0
		for n < len(days) && days[n].day/blockDays == block {
			n++
		}
		in := days[:n]
		days = days[n:]
		if in[0].day >= to || !blocks.may(int32(block)) {
			continue
		}
		gens := make(map[int32]int64, len(in))
		for _, d := range in {
			gens[int32(d.day)] = d.gen
		}
		found, err := s.look(ctx, c, gens, `SELECT period, kind, gen, b FROM coarse WHERE org_id = $1 AND level = $2 AND kind IN ($3, $4, $5) AND period >= $6 AND period < $7`,
			org, levelDay, block*blockDays, (block+1)*blockDays)
		if err != nil {
			return nil, err
		}
		for _, d := range in {
			if d.day < to && found.may(int32(d.day)) {
				out = append(out, d.day)
			}
		}
	}
	return out, nil
}

// seeker looks for numbers in stored sets.
type seeker struct{ want *roaring.Bitmap }

// sought tells of periods how many of their sets were looked at, and whether one of them has a number.
type sought map[int32]struct {
	sets int
	has  bool
}

// whereabouts is how many sets tell together whether a period has a number.
const whereabouts = 3

// may tells whether a period may have one of the numbers.
func (s sought) may(period int32) bool { return s[period].has || s[period].sets < whereabouts }

// look reads the sets that a query gives, as far as they are of the generations. Its first two parameters are the
// organisation and the level, the kinds are put after them.
func (s *seeker) look(ctx context.Context, c db.Conn, gens map[int32]int64, query string, org account.OrgID, level int, more ...any) (sought, error) {
	args := append([]any{org, level, int(kindAll), int(kindHidden), int(kindRestricted)}, more...)
	out := sought{}
	_, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var period int32
		var kind int
		var gen int64
		var b []byte
		if err := r.Scan(&period, &kind, &gen, &b); err != nil || gen != gens[period] {
			return struct{}{}, err
		}
		m := roaring.New()
		if _, err := m.FromBuffer(b); err != nil {
			return struct{}{}, err
		}
		x := out[period]
		x.sets, x.has = x.sets+1, x.has || m.Intersects(s.want)
		out[period] = x
		return struct{}{}, nil
	}, query, args...)
	return out, err
}
