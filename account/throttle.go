package account

import (
	"context"
	"math/bits"
	"net/netip"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
)

// door is something that may be tried a few times, then less and less often: signing in as one person, or from one
// network address.
type door struct {
	kind string
	key  []byte
	free int           // tries without waiting
	step time.Duration // the first wait; each further try doubles it
	most time.Duration // the longest wait. Short enough that a stranger cannot keep the owner of an address out for long.
}

// forgotten is when old failures no longer count.
const forgotten = 24 * time.Hour

func personDoor(person []byte) door {
	return door{kind: "person", key: person, free: 5, step: 30 * time.Second, most: 15 * time.Minute}
}

func resetDoor(person []byte) door {
	return door{kind: "reset", key: person, free: 3, step: 10 * time.Minute, most: time.Hour}
}

// addressDoor is wider, since a whole office may share an address. An IPv6 customer has a /64 network.
func (a *Accounts) addressDoor(ctx context.Context, ip string) (door, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return door{}, nil // the command line has no address
	}
	addr = addr.Unmap().WithZone("")
	network := netip.PrefixFrom(addr, addr.BitLen())
	if addr.Is6() {
		network = netip.PrefixFrom(addr, 64).Masked()
	}
	k, err := a.keys.Org(ctx, installation)
	if err != nil {
		return door{}, err
	}
	return door{kind: "address", key: k.Index("sign_in_address", network.String()), free: 30, step: 30 * time.Second, most: 15 * time.Minute}, nil
}

// wait is how long the door stays shut after so many failures.
func (d door) wait(failures int) time.Duration {
	over := failures - d.free
	if over < 0 {
		return 0
	}
	if over >= bits.Len64(uint64(d.most/d.step)) {
		return d.most
	}
	return min(d.step<<over, d.most)
}

// knock counts a try at each door before it is known to fail, so that many tries at once do not slip through. A door
// that is shut refuses with a sentence that says until when; then nothing is counted.
func (a *Accounts) knock(ctx context.Context, doors ...door) error {
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		for _, d := range doors {
			if d.kind == "" {
				continue
			}
			if err := a.count(ctx, tx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *Accounts) count(ctx context.Context, tx *db.Tx, d door) error {
	now := a.now()
	// The insert comes first: it makes tries at one door wait for each other on PostgreSQL too.
	if _, err := tx.Exec(ctx, `
		INSERT INTO sign_in_attempts (kind, subject_key, failures, last_ms, blocked_until_ms) VALUES ($1, $2, 0, $3, 0)
		ON CONFLICT (kind, subject_key) DO UPDATE SET failures = sign_in_attempts.failures`, d.kind, d.key, now.UnixMilli()); err != nil {
		return err
	}
	var failures int
	var last, blocked int64
	if err := tx.Row(ctx, `SELECT failures, last_ms, blocked_until_ms FROM sign_in_attempts WHERE kind = $1 AND subject_key = $2`,
		d.kind, d.key).Scan(&failures, &last, &blocked); err != nil {
		return err
	}
	if until := time.UnixMilli(blocked); until.After(now) {
		return fault.New(fault.TooMany, "There were too many attempts. Try again in %s.", inWords(until.Sub(now)))
	}
	if now.Sub(time.UnixMilli(last)) > forgotten {
		failures = 0
	}
	failures++
	_, err := tx.Exec(ctx, `UPDATE sign_in_attempts SET failures = $3, last_ms = $4, blocked_until_ms = $5 WHERE kind = $1 AND subject_key = $2`,
		d.kind, d.key, failures, now.UnixMilli(), now.Add(d.wait(failures)).UnixMilli())
	return err
}

// forgive takes back what knock counted, after a success: all failures of the person, but only this one of the
// address, lest somebody with one good password tries those of others without end.
func (a *Accounts) forgive(ctx context.Context, doors ...door) error {
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		for _, d := range doors {
			query := `DELETE FROM sign_in_attempts WHERE kind = $1 AND subject_key = $2`
			if d.kind == "address" {
				query = `UPDATE sign_in_attempts SET failures = failures - 1, blocked_until_ms = 0 WHERE kind = $1 AND subject_key = $2 AND failures > 0`
			}
			if d.kind == "" {
				continue
			}
			if _, err := tx.Exec(ctx, query, d.kind, d.key); err != nil {
				return err
			}
		}
		return nil
	})
}

// inWords writes a wait for people, rounded up.
func inWords(d time.Duration) string {
	n, unit := int((d+time.Second-1)/time.Second), "second"
	if d > time.Minute {
		n, unit = int((d+time.Minute-1)/time.Minute), "minute"
	}
	return plural(n, unit)
}
