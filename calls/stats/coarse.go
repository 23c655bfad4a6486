package stats

import (
	"context"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"parley/account"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// blockDays is how many days a coarse block covers; blocks are aligned to the day number.
const blockDays = roll.BlockDays

// Levels of coarse rows.
const (
	levelDay   = roll.LevelDay
	levelBlock = roll.LevelBlock
)

// setKey names a coarse row.
type setKey struct {
	org    account.OrgID
	level  int
	period int32
	kind   kind
}

// setBytes bounds the coarse sets kept in memory: what a report over a year of ten million calls needs, twice.
const setBytes = 24 << 20

// kind names one of the sets of numbers that coarse rows hold.
type kind int

const (
	kindAll kind = iota
	kindUnattended
	kindConnected
	kindNotPickedUp
	kindHidden // numbers hidden from reports, which belong to no other kind
	// kindMissed is no set: the coarse row lists a day's missed callers with what the sets cannot say: how often each was
	// missed, and whether the same day attended them. Only days have one.
	kindMissed
	kindRestricted // numbers that no report may have, which belong to no other kind: for DaysWith alone
	kinds
)

// setKinds are the kinds that are sets.
func setKinds() [6]kind {
	return [...]kind{kindAll, kindUnattended, kindConnected, kindNotPickedUp, kindHidden, kindRestricted}
}

// sets are the numbers of a period by kind.
type sets [kinds]*roaring.Bitmap

func newSets() (s sets) {
	for _, k := range setKinds() {
		s[k] = roaring.New()
	}
	return s
}

// setsOf collects a day's numbers from its roll-ups.
func setsOf(p *pack) (sets, error) {
	s := newSets()
	var ids [kinds][]uint32
	var d roll.Day
	for i := range p.agents {
		if err := d.Decode(p.at(i)); err != nil {
			return s, err
		}
		for _, e := range d.Numbers {
			n := uint32(e.Number)
			if e.Flags&roll.Restricted != 0 {
				ids[kindRestricted] = append(ids[kindRestricted], n)
				continue
			}
			if e.Flags&roll.Hidden != 0 {
				ids[kindHidden] = append(ids[kindHidden], n)
				continue
			}
			ids[kindAll] = append(ids[kindAll], n)
			if e.Flags&roll.Unattended != 0 {
				ids[kindUnattended] = append(ids[kindUnattended], n)
			}
			if e.Flags&roll.Connected != 0 {
				ids[kindConnected] = append(ids[kindConnected], n)
			}
			if e.Flags&roll.NotPickedUp != 0 {
				ids[kindNotPickedUp] = append(ids[kindNotPickedUp], n)
			}
		}
	}
	for _, k := range setKinds() {
		s[k].AddMany(ids[k])
	}
	return s, nil
}

// parts are the sets that make up a range, by kind, not united yet.
type parts [kinds][]*roaring.Bitmap

func (p *parts) add(s *sets) {
	for _, k := range setKinds() {
		p[k] = append(p[k], s[k])
	}
}

// united is the union of each kind's sets.
func (p *parts) united() (s sets) {
	for _, k := range setKinds() {
		s[k] = roaring.FastOr(p[k]...)
	}
	return s
}

// coarse gives the sets of numbers of [from, to), of the wanted kinds only: whole blocks and days from their rows where
// those are still true, everything else from the roll-ups.
func (r *Reporter) coarse(ctx context.Context, tx *db.Tx, org account.OrgID, from, to civil.Day, want ...kind) (sets, error) {
	var out parts
	days, err := daysOf(ctx, tx, org, from, to)
	if err != nil {
		return sets{}, err
	}
	for len(days) > 0 {
		block := days[0].day / blockDays
		n := 0
		var gen int64
		for n < len(days) && days[n].day/blockDays == block {
			gen += days[n].gen
			n++
		}
		inBlock := days[:n]
		days = days[n:]
		if block*blockDays >= from && (block+1)*blockDays <= to {
			ok, err := r.addRow(ctx, tx, org, levelBlock, int32(block), gen, &out, want)
			if err != nil {
				return sets{}, err
			}
			if ok {
				continue
			}
		}
		for _, d := range inBlock {
			if err := r.addDay(ctx, tx, org, d, &out, want); err != nil {
				return sets{}, err
			}
		}
	}
	return out.united(), nil
}

func (r *Reporter) addDay(ctx context.Context, tx *db.Tx, org account.OrgID, d dayGen, out *parts, want []kind) error {
	ok, err := r.addRow(ctx, tx, org, levelDay, int32(d.day), d.gen, out, want)
	if ok || err != nil {
		return err
	}
	p, err := r.packOf(ctx, tx, org, d)
	if err != nil {
		return err
	}
	s, err := setsOf(p)
	if err == nil {
		out.add(&s)
	}
	return err
}

// addRow adds the stored sets of a period when they are of the given generation.
func (r *Reporter) addRow(ctx context.Context, tx *db.Tx, org account.OrgID, level int, period int32, gen int64, out *parts, want []kind) (bool, error) {
	for _, k := range want { // kinds of one period are written together, so only the first can fail
		key := setKey{org, level, period, k}
		if m, ok := r.sets.get(key, gen); ok {
			out[k] = append(out[k], m)
			continue
		}
		var have int64
		b, ok, err := db.One(ctx, tx, func(s db.Scanner) (b []byte, err error) { return b, s.Scan(&b, &have) },
			`SELECT b, gen FROM coarse WHERE org_id = $1 AND level = $2 AND period = $3 AND kind = $4`, org, level, period, int(k))
		if err != nil {
			return false, err
		}
		if !ok || have != gen {
			return false, nil
		}
		m := roaring.New()
		if _, err := m.FromBuffer(b); err != nil {
			return false, err
		}
		r.sets.put(key, gen, m, len(b)+64)
		out[k] = append(out[k], m)
	}
	return true, nil
}

// Clients are figures about people over whole days of the whole organisation. Never attended is missing: sets know no
// order.
type Clients struct {
	Unique, Reached, New, NeverPickedUp int64
}

// Clients counts people of the whole organisation from the coarse sets: a year costs about as much as a month.
func (r *Reporter) Clients(ctx context.Context, org *account.Org, from, to civil.Day) (Clients, error) {
	var c Clients
	if err := (&Query{From: from, To: to}).check(); err != nil {
		return c, err
	}
	err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
		c, err = r.clients(ctx, tx, org.ID, from, to)
		return err
	})
	return c, err
}

func (r *Reporter) clients(ctx context.Context, tx *db.Tx, org account.OrgID, from, to civil.Day) (c Clients, err error) {
	s, err := r.coarse(ctx, tx, org, from, to, kindAll, kindConnected, kindNotPickedUp)
	if err != nil {
		return c, err
	}
	b, err := r.seenBefore(ctx, tx, org, from, false)
	if err != nil {
		return c, err
	}
	c.Unique = int64(s[kindAll].GetCardinality())
	c.Reached = int64(s[kindConnected].GetCardinality())
	c.New = c.Unique - int64(s[kindAll].AndCardinality(b.set))
	c.NeverPickedUp = int64(s[kindNotPickedUp].GetCardinality() - s[kindNotPickedUp].AndCardinality(s[kindConnected]))
	return c, nil
}

// before is the set of numbers that had a call before some day, as a set to count with and as bits to look up.
type before struct {
	set  *roaring.Bitmap
	bits []uint64
}

func newBefore(set *roaring.Bitmap) *before {
	set.RunOptimize() // ids are given out in order of appearance, so these are mostly runs
	b := &before{set: set}
	if !set.IsEmpty() {
		b.bits = make([]uint64, set.Maximum()/64+1)
		set.Iterate(func(n uint32) bool {
			b.bits[n/64] |= 1 << (n % 64)
			return true
		})
	}
	return b
}

func (b *before) has(n number.ID) bool {
	i := int(n / 64)
	return i < len(b.bits) && b.bits[i]>>(n%64)&1 == 1
}

// beforeCache keeps the last few such sets; the sum of the generations of the days before tells whether one is still
// true.
type beforeCache struct {
	mu   sync.Mutex
	sets map[beforeKey]*before
}

type beforeKey struct {
	org    account.OrgID
	from   civil.Day
	hidden bool
	gens   int64
	days   int64
}

const maxBefore = 16

// seenBefore gives the numbers with a call before a day; hidden takes along those that reports leave out.
func (r *Reporter) seenBefore(ctx context.Context, tx *db.Tx, org account.OrgID, from civil.Day, hidden bool) (*before, error) {
	key := beforeKey{org: org, from: from, hidden: hidden}
	if err := tx.Row(ctx, `SELECT coalesce(sum(gen), 0), count(*) FROM days WHERE org_id = $1 AND day < $2`, org, from).Scan(&key.gens, &key.days); err != nil {
		return nil, err
	}
	r.before.mu.Lock()
	b, ok := r.before.sets[key]
	r.before.mu.Unlock()
	if ok {
		return b, nil
	}
	want := []kind{kindAll, kindHidden}
	if !hidden {
		want = want[:1]
	}
	s, err := r.coarse(ctx, tx, org, -1<<30, from, want...)
	if err != nil {
		return nil, err
	}
	if hidden {
		s[kindAll].Or(s[kindHidden])
	}
	b = newBefore(s[kindAll])
	r.before.mu.Lock()
	defer r.before.mu.Unlock()
	if len(r.before.sets) >= maxBefore || r.before.sets == nil {
		r.before.sets = map[beforeKey]*before{}
	}
	r.before.sets[key] = b
	return b, nil
}

// Settle writes the coarse rows of an organisation's days before until that are missing or stale, a few at a time, and
// tells whether all are in place. The server calls it when it has nothing better to do.
func (r *Reporter) Settle(ctx context.Context, org *account.Org, until civil.Day, most int) (done bool, err error) {
	var days []dayGen
	stored := map[[2]int32]int64{}
	if err := r.db.Read(ctx, func(tx *db.Tx) (err error) {
		if days, err = daysOf(ctx, tx, org.ID, -1<<30, until); err != nil {
			return err
		}
		_, err = db.Select(ctx, tx, func(s db.Scanner) (struct{}, error) {
			var level, period int32
			var gen int64
			err := s.Scan(&level, &period, &gen)
			stored[[2]int32{level, period}] = gen
			return struct{}{}, err
		}, `SELECT level, period, gen FROM coarse WHERE org_id = $1 AND (level = $2 AND kind = $3 OR level = $4 AND kind = $5)`,
			org.ID, levelDay, int(kindRestricted), levelBlock, int(kindRestricted))
		return err
	}); err != nil {
		return false, err
	}
	blocks := map[civil.Day][]dayGen{}
	for _, d := range days {
		blocks[d.day/blockDays] = append(blocks[d.day/blockDays], d)
		if stored[[2]int32{levelDay, int32(d.day)}] == d.gen {
			continue
		}
		if most--; most < 0 {
			return false, nil
		}
		if err := r.settleDay(ctx, org, d); err != nil {
			return false, err
		}
	}
	for block, in := range blocks {
		if (block+1)*blockDays > until { // the newest block still grows
			continue
		}
		var gen int64
		for _, d := range in {
			gen += d.gen
		}
		if stored[[2]int32{levelBlock, int32(block)}] == gen {
			continue
		}
		if most--; most < 0 {
			return false, nil
		}
		if err := r.settleBlock(ctx, org.ID, block); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (r *Reporter) settleDay(ctx context.Context, org *account.Org, d dayGen) error {
	var s sets
	var missed []byte
	if err := r.db.Read(ctx, func(tx *db.Tx) error {
		now, err := daysOf(ctx, tx, org.ID, d.day, d.day+1)
		if err != nil || len(now) == 0 {
			return err
		}
		d = now[0] // it may have changed since it was listed
		p, err := loadPack(ctx, tx, org.ID, d)
		if err != nil {
			return err
		}
		if s, err = setsOf(p); err != nil {
			return err
		}
		missed, err = r.missedIn(ctx, tx, org, p)
		return err
	}); err != nil || s[kindAll] == nil {
		return err
	}
	return r.storeSets(ctx, org.ID, levelDay, int32(d.day), d.gen, &s, missed)
}

func (r *Reporter) settleBlock(ctx context.Context, org account.OrgID, block civil.Day) error {
	every := setKinds()
	var s sets
	var gen int64
	if err := r.db.Read(ctx, func(tx *db.Tx) error {
		days, err := daysOf(ctx, tx, org, block*blockDays, (block+1)*blockDays)
		if err != nil {
			return err
		}
		for _, d := range days {
			gen += d.gen
		}
		s, err = r.coarse(ctx, tx, org, block*blockDays, (block+1)*blockDays, every[:]...)
		return err
	}); err != nil {
		return err
	}
	return r.storeSets(ctx, org, levelBlock, int32(block), gen, &s, nil)
}

// storeSets writes sets, and a day's list of missed callers, with the generation they were made for.
func (r *Reporter) storeSets(ctx context.Context, org account.OrgID, level int, period int32, gen int64, s *sets, missed []byte) error {
	return r.db.Tx(ctx, func(tx *db.Tx) error {
		store := func(k kind, b []byte) error {
			_, err := tx.Exec(ctx, `INSERT INTO coarse (org_id, level, period, kind, gen, b) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (org_id, level, period, kind) DO UPDATE SET gen = excluded.gen, b = excluded.b`, org, level, period, int(k), gen, b)
			return err
		}
		for _, k := range setKinds() {
			s[k].RunOptimize()
			b, err := s[k].ToBytes()
			if err != nil {
				return err
			}
			if err := store(k, b); err != nil {
				return err
			}
		}
		if level == levelDay {
			return store(kindMissed, append([]byte{}, missed...)) // never NULL
		}
		return nil
	})
}
