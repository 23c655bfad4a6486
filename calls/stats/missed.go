package stats

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"parley/account"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// missedBytes bounds the lists of missed callers kept in memory: about four months of ten million calls a year.
const missedBytes = 4 << 20

var errMissed = errors.New("a list of missed callers is damaged: rebuild it with \"parley doctor --rebuild\"")

// missedEntry is one number of such a list.
type missedEntry struct {
	number   int32
	calls    int32 // unattended ones
	attended bool  // a connected call at or after the first of them, on the same day, by anybody
}

// appendMissed encodes entries, ascending by number, as unsigned varints: gap to the previous number << 2 | more << 1 |
// attended, and where more is set the calls.
func appendMissed(b []byte, entries []missedEntry) []byte {
	last := int32(0)
	for _, e := range entries {
		v := uint64(e.number-last) << 2
		if e.calls > 1 {
			v |= 2
		}
		if e.attended {
			v |= 1
		}
		b = binary.AppendUvarint(b, v)
		if e.calls > 1 {
			b = binary.AppendUvarint(b, uint64(e.calls))
		}
		last = e.number
	}
	return b
}

// eachMissed walks what appendMissed wrote.
func eachMissed(b []byte, visit func(missedEntry)) error {
	last := int32(0)
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return errMissed
		}
		b = b[n:]
		last += int32(v >> 2)
		e := missedEntry{number: last, calls: 1, attended: v&1 != 0}
		if v&2 != 0 {
			calls, n := binary.Uvarint(b)
			if n <= 0 {
				return errMissed
			}
			b, e.calls = b[n:], int32(calls)
		}
		visit(e)
	}
	return nil
}

// missedIn makes the list of a day from its roll-ups; where several agents had the caller, from the calls.
func (r *Reporter) missedIn(ctx context.Context, tx *db.Tx, org *account.Org, p *pack) ([]byte, error) {
	seenBy := map[number.ID]*seen{}
	var d roll.Day
	for i := range p.agents {
		if err := d.DecodeNumbers(p.at(i)); err != nil {
			return nil, err
		}
		for j := range d.Numbers {
			e := &d.Numbers[j]
			if e.Flags&roll.Hidden != 0 || e.Flags&(roll.Unattended|roll.Connected) == 0 {
				continue
			}
			s := seenBy[e.Number]
			if s == nil {
				s = &seen{}
				seenBy[e.Number] = s
			}
			s.add(e.Flags, e.Unattended, 1)
		}
	}
	open := map[number.ID]civil.Day{}
	var entries []missedEntry
	for n, s := range seenBy {
		if s.firstUnattended == 0 {
			continue
		}
		a := s.attendance()
		if a == unsettled {
			open[n] = p.day
		}
		entries = append(entries, missedEntry{number: int32(n), calls: s.unattended, attended: a == attended || a == unsettled})
	}
	never, err := r.settle(ctx, tx, org, &Query{From: p.day, To: p.day + 1}, []*pack{p}, open)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if e := &entries[i]; never[number.ID(e.number)] {
			e.attended = false
		}
	}
	slices.SortFunc(entries, func(a, b missedEntry) int { return cmp.Compare(a.number, b.number) })
	return appendMissed(nil, entries), nil
}

// missedOf gives a day's list: from memory, from its row while that is true, or made anew.
func (r *Reporter) missedOf(ctx context.Context, tx *db.Tx, org *account.Org, d dayGen) ([]byte, error) {
	key := packKey{org.ID, d.day}
	if b, ok := r.missed.get(key, d.gen); ok {
		return b, nil
	}
	var have int64
	b, ok, err := db.One(ctx, tx, func(s db.Scanner) (b []byte, err error) { return b, s.Scan(&b, &have) },
		`SELECT b, gen FROM coarse WHERE org_id = $1 AND level = $2 AND period = $3 AND kind = $4`, org.ID, levelDay, d.day, int(kindMissed))
	if err != nil {
		return nil, err
	}
	if !ok || have != d.gen {
		p, err := r.packOf(ctx, tx, org.ID, d)
		if err != nil {
			return nil, err
		}
		if b, err = r.missedIn(ctx, tx, org, p); err != nil {
			return nil, err
		}
	}
	r.missed.put(key, d.gen, b, cap(b)+64)
	return b, nil
}

// bits is a set of numbers as small as the processor's second cache.
type bits []uint64

func (b bits) has(n int32) bool { return b[n>>6]>>(n&63)&1 != 0 }
func (b bits) add(n int32)      { b[n>>6] |= 1 << (n & 63) }
func (b bits) drop(n int32)     { b[n>>6] &^= 1 << (n & 63) }

// neverAttended counts who was missed in a query's range, and who of them was never attended, over all calls of the
// organisation. It goes by days: whoever is missed stays open until somebody is connected with them on the same day, at
// or after the miss, or on a later one.
func (p *pass) neverAttended(ctx context.Context, tx *db.Tx, numbers number.ID) error {
	days, err := daysOf(ctx, tx, p.org.ID, p.q.From, max(p.q.To, p.q.Until))
	if err != nil {
		return err
	}
	open, once := make(bits, numbers/64+1), make(bits, numbers/64+1)
	lists := make([][]byte, 0, len(days))
	ids := make([]uint32, 4096)
	for _, d := range days {
		var s parts
		if err := p.r.addDay(ctx, tx, p.org.ID, d, &s, []kind{kindConnected}); err != nil {
			return err
		}
		for it := s[kindConnected][0].ManyIterator(); ; {
			n := it.NextMany(ids)
			if n == 0 {
				break
			}
			for _, id := range ids[:n] {
				open.drop(int32(id))
			}
		}
		if d.day >= p.q.To {
			continue
		}
		list, err := p.r.missedOf(ctx, tx, p.org, d)
		if err != nil {
			return err
		}
		lists = append(lists, list)
		if err := eachMissed(list, func(e missedEntry) {
			if once.has(e.number) {
				return
			}
			once.add(e.number)
			p.out.UnattendedClients++
			if !e.attended {
				open.add(e.number)
			}
		}); err != nil {
			return err
		}
	}
	for _, list := range lists {
		if err := eachMissed(list, func(e missedEntry) {
			if open.has(e.number) {
				p.out.NeverAttendedCalls += int64(e.calls)
				if once.has(e.number) {
					once.drop(e.number)
					p.out.NeverAttendedClients++
				}
			}
		}); err != nil {
			return err
		}
	}
	return nil
}
