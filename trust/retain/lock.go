package retain

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// Lock is something that would have been erased and must stay for a while because a law says so. It is erased when the
// law's period ends. A person who asked to be erased is restricted meanwhile (see package rights); single items of people who
// are still in touch are listed with their law, and can be read until then.
type Lock struct {
	Category string
	Item     string      // "" when all that the person has in the category is locked
	Who      subject.Ref // zero = nobody in particular
	Law      string      // citation
	Since    time.Time
	Until    time.Time
}

func (l Lock) person() string {
	if l.Who == (subject.Ref{}) {
		return ""
	}
	return l.Who.String()
}

func locksOf(k Kept, category string, now time.Time) []Lock {
	l := Lock{Category: category, Item: k.Key, Law: k.Law, Since: now, Until: k.Until}
	if len(k.Who) == 0 {
		return []Lock{l}
	}
	out := make([]Lock, len(k.Who))
	for i, w := range k.Who {
		out[i], out[i].Who = l, w
	}
	return out
}

// lockItems makes the locks of single items what the run found, and keeps since when they are locked. Locks of persons,
// which requests for erasure put there, stay until they end.
func (s *Sweeper) lockItems(ctx context.Context, org account.OrgID, now []Lock) error {
	was, err := s.Locks(ctx, org)
	if err != nil || len(was) == 0 && len(now) == 0 {
		return err
	}
	type place struct{ category, item, person string }
	since := map[place]time.Time{}
	for _, l := range was {
		since[place{l.Category, l.Item, l.person()}] = l.Since
	}
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM retain_locks WHERE org_id = $1 AND (item <> '' OR until_ms <= $2)`, org, s.d.Now().UnixMilli()); err != nil {
			return err
		}
		for _, l := range now {
			if t, ok := since[place{l.Category, l.Item, l.person()}]; ok {
				l.Since = t
			}
			if err := s.Lock(ctx, tx, org, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// Lock locks what a person has in a category. The later end counts when it was locked before.
func (s *Sweeper) Lock(ctx context.Context, tx *db.Tx, org account.OrgID, l Lock) error {
	if l.Law == "" || !l.Until.After(s.d.Now()) {
		return fault.New(fault.Invalid, "Only a law keeps data that should go: give its citation, and the day on which it lets go.")
	}
	if l.Since.IsZero() {
		l.Since = s.d.Now()
	}
	_, err := tx.Exec(ctx, `INSERT INTO retain_locks (org_id, category, item, person, law, since_ms, until_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, category, person, item) DO UPDATE SET law = excluded.law, until_ms = excluded.until_ms
		WHERE retain_locks.until_ms < excluded.until_ms`, org, l.Category, l.Item, l.person(), l.Law, l.Since.UnixMilli(), l.Until.UnixMilli())
	return err
}

// Locks lists what is locked now, what ends first before the rest.
func (s *Sweeper) Locks(ctx context.Context, org account.OrgID) ([]Lock, error) {
	return db.Select(ctx, s.d.DB, scanLock, `SELECT category, item, person, law, since_ms, until_ms FROM retain_locks
		WHERE org_id = $1 AND until_ms > $2 ORDER BY until_ms, category, person, item`, org, s.d.Now().UnixMilli())
}

// LocksOf lists what of one person is locked now.
func (s *Sweeper) LocksOf(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]Lock, error) {
	return db.Select(ctx, c, scanLock, `SELECT category, item, person, law, since_ms, until_ms FROM retain_locks
		WHERE org_id = $1 AND person = $2 AND until_ms > $3 ORDER BY until_ms, category, item`, org, who.String(), s.d.Now().UnixMilli())
}

func scanLock(r db.Scanner) (l Lock, err error) {
	var person string
	var since, until int64
	if err := r.Scan(&l.Category, &l.Item, &person, &l.Law, &since, &until); err != nil {
		return l, err
	}
	l.Since, l.Until = time.UnixMilli(since), time.UnixMilli(until)
	if person != "" {
		l.Who, err = subject.Parse(person)
	}
	return l, err
}
