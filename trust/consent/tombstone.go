package consent

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/flaw"
	"parley/platform/vault"
)

// hashBytes is the length of the keyed hashes that survive an erasure.
const hashBytes = 16

type hash [hashBytes]byte

func tombHash(k *vault.OrgKeys, number string) hash {
	return hash(k.Suppress("tombstone:" + number))
}

// Tombstones is the set of an organisation's erased numbers, for whoever looks at many numbers.
type Tombstones struct {
	Generation int64 // rises with each change

	keys *vault.OrgKeys
	at   map[hash]int64
}

// Erased tells whether and when a canonical number was erased. A call that began before then belongs to what was erased;
// one that began later is a new one.
func (t *Tombstones) Erased(number string) (at time.Time, ok bool) {
	if len(t.at) == 0 || number == "" {
		return time.Time{}, false
	}
	ms, ok := t.at[tombHash(t.keys, number)]
	return time.UnixMilli(ms), ok
}

// Len is how many numbers were erased.
func (t *Tombstones) Len() int { return len(t.at) }

// Bury marks a canonical number as erased now, for good: what phones and files still hold of it from before is not taken
// again.
func (s *Consents) Bury(ctx context.Context, tx *db.Tx, org account.OrgID, number string) error {
	return s.BuryAt(ctx, tx, org, number, s.Now())
}

// BuryAt is Bury for a number that was erased at another time.
func (s *Consents) BuryAt(ctx context.Context, tx *db.Tx, org account.OrgID, number string, at time.Time) error {
	if flaw.On(flaw.NoTombstone) {
		return nil
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	h := tombHash(k, number)
	return s.putTombstone(ctx, tx, org, Tombstone{Hash: h[:], At: at})
}

func (s *Consents) putTombstone(ctx context.Context, tx *db.Tx, org account.OrgID, t Tombstone) error {
	if _, err := tx.Exec(ctx, `INSERT INTO tombstones (org_id, hash, at_ms) VALUES ($1, $2, $3)
		ON CONFLICT (org_id, hash) DO UPDATE SET at_ms = excluded.at_ms WHERE tombstones.at_ms < excluded.at_ms`, org, t.Hash, t.At.UnixMilli()); err != nil {
		return err
	}
	return touch(ctx, tx, org)
}

// touch lets everybody who holds the set read it anew.
func touch(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `INSERT INTO tombstone_generations (org_id, generation) VALUES ($1, 1)
		ON CONFLICT (org_id) DO UPDATE SET generation = tombstone_generations.generation + 1`, org)
	return err
}

// Unbury takes a tombstone back, for a number that was erased by mistake or whose person wants to be known again. It
// brings no data back.
func (s *Consents) Unbury(ctx context.Context, tx *db.Tx, org account.OrgID, number string) (found bool, err error) {
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return false, err
	}
	h := tombHash(k, number)
	n, err := tx.Exec(ctx, `DELETE FROM tombstones WHERE org_id = $1 AND hash = $2`, org, h[:])
	if err != nil || n == 0 {
		return false, err
	}
	return true, touch(ctx, tx, org)
}

// Erased tells whether and when a canonical number was erased.
func (s *Consents) Erased(ctx context.Context, c db.Conn, org account.OrgID, number string) (at time.Time, ok bool, err error) {
	all, err := s.Tombstones(ctx, c, org)
	if err != nil {
		return time.Time{}, false, err
	}
	at, ok = all.Erased(number)
	return at, ok, nil
}

// Tombstones gives the set as it is now: one cheap look at its generation, and a reading when it changed. A transaction
// that buries must not ask, since what it has not committed would be remembered.
func (s *Consents) Tombstones(ctx context.Context, c db.Conn, org account.OrgID) (*Tombstones, error) {
	generation, _, err := db.One(ctx, c, scanInt, `SELECT generation FROM tombstone_generations WHERE org_id = $1`, org)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	have := s.buried[org]
	s.mu.Unlock()
	if have != nil && have.Generation == generation {
		return have, nil
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	all, err := s.AllTombstones(ctx, c, org)
	if err != nil {
		return nil, err
	}
	fresh := &Tombstones{Generation: generation, keys: k, at: make(map[hash]int64, len(all))}
	for _, t := range all {
		fresh.at[hash(t.Hash)] = t.At.UnixMilli()
	}
	s.mu.Lock()
	s.buried[org] = fresh
	s.mu.Unlock()
	return fresh, nil
}

// Tombstone is one erased number as it is kept.
type Tombstone struct {
	Hash []byte
	At   time.Time
}

// AllTombstones lists the tombstones of an organisation, for a backup and whoever checks it.
func (s *Consents) AllTombstones(ctx context.Context, c db.Conn, org account.OrgID) ([]Tombstone, error) {
	return db.Select(ctx, c, func(r db.Scanner) (t Tombstone, err error) {
		var at int64
		err = r.Scan(&t.Hash, &at)
		t.At = time.UnixMilli(at)
		return t, err
	}, `SELECT hash, at_ms FROM tombstones WHERE org_id = $1 ORDER BY hash`, org)
}

// PutTombstones enters tombstones as they are, for a restored backup that lacks them.
func (s *Consents) PutTombstones(ctx context.Context, tx *db.Tx, org account.OrgID, all []Tombstone) error {
	for _, t := range all {
		if err := s.putTombstone(ctx, tx, org, t); err != nil {
			return err
		}
	}
	return nil
}

func scanInt(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) }
