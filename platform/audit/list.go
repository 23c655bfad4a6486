package audit

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
)

// Filter chooses entries. Empty fields choose all.
type Filter struct {
	About   string // a person, as "kind/id"
	Actor   string // as in Entry, but "" for anybody
	Actions []Action
	From    time.Time // inclusive
	To      time.Time // exclusive
	Before  int64     // only entries before this position; 0 = from the newest on
	Limit   int       // 0 = 50
}

// Record is an entry as it is kept. What an erasure took away is empty, and Forgotten says so; the keyed hashes stay.
type Record struct {
	Entry
	N         int64
	At        time.Time
	Leaf      string
	Forgotten bool
	WhoHash   string // the actor as in the leaf, such as "member:1f…"
	AboutHash string
}

const maxPage = 500

// List gives entries, the newest first. next is the Before of the next page, 0 on the last one.
func (l *Log) List(ctx context.Context, org int64, f Filter) (out []Record, next int64, err error) {
	limit := f.Limit
	if limit <= 0 || limit > maxPage {
		limit = 50
	}
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		h, ok, err := l.head(ctx, tx, org, false)
		if err != nil || !ok {
			return err
		}
		where, args, some, err := l.where(ctx, tx, h, &f)
		if err != nil || !some {
			return err
		}
		out, err = db.Select(ctx, tx, l.scan(ctx, h), `SELECT e.n, e.leaf, s.sealed FROM audit_entries e
			LEFT JOIN audit_secrets s ON s.org_id = e.org_id AND s.n = e.n
			WHERE e.org_id = $1`+where+` ORDER BY e.n DESC LIMIT `+strconv.Itoa(limit+1), args...)
		return err
	})
	if len(out) > limit {
		out, next = out[:limit], out[limit-1].N
	}
	return out, next, err
}

// where writes the conditions of a filter; some is false when nothing can fit.
func (l *Log) where(ctx context.Context, tx *db.Tx, h *head, f *Filter) (where string, args []any, some bool, err error) {
	var b strings.Builder
	args = append(args, h.org)
	add := func(condition string, v ...any) {
		b.WriteString(condition)
		args = append(args, v...)
	}
	first, last := int64(0), h.size
	if !f.From.IsZero() {
		if first, err = position(ctx, tx, h, f.From.UnixMilli()); err != nil {
			return "", nil, false, err
		}
	}
	if !f.To.IsZero() {
		if last, err = position(ctx, tx, h, f.To.UnixMilli()); err != nil {
			return "", nil, false, err
		}
	}
	if f.Before > 0 {
		last = min(last, f.Before)
	}
	if first >= last {
		return "", nil, false, nil
	}
	add(` AND e.n >= $2 AND e.n < $3`, first, last)
	if f.About != "" {
		add(` AND e.about = $`+strconv.Itoa(len(args)+1), searchKey(h.hasher.pseudonym(f.About)))
	}
	if f.Actor != "" {
		add(` AND e.actor = $`+strconv.Itoa(len(args)+1), searchKey(h.hasher.pseudonym(actorRef(f.Actor))))
	}
	if len(f.Actions) > 0 {
		in := db.In(len(args)+1, len(f.Actions))
		add(` AND e.action IN ` + in)
		for _, a := range f.Actions {
			args = append(args, string(a))
		}
	}
	return b.String(), args, true, nil
}

// position finds the first entry at or after a time; times never go back within a log.
func position(ctx context.Context, tx *db.Tx, h *head, ms int64) (int64, error) {
	low, high := int64(0), h.size
	for low < high {
		mid := low + (high-low)/2
		var at int64
		if err := tx.Row(ctx, `SELECT at_ms FROM audit_entries WHERE org_id = $1 AND n = $2`, h.org, mid).Scan(&at); err != nil {
			return 0, fault.Wrap(fault.Unavailable, err, "The audit log is damaged: entry %d is missing. Restore a backup with \"parley restore\".", mid)
		}
		if at < ms {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, nil
}

func (l *Log) scan(ctx context.Context, h *head) func(db.Scanner) (Record, error) {
	return func(r db.Scanner) (Record, error) {
		var n int64
		var leaf string
		var sealed []byte
		if err := r.Scan(&n, &leaf, &sealed); err != nil {
			return Record{}, err
		}
		f, at, ok := parseLeaf([]byte(leaf))
		if !ok {
			return Record{}, fault.New(fault.Unavailable, "Entry %d of the audit log cannot be read: it was changed. Verify the log, and compare it with an export or a backup.", n)
		}
		out := Record{N: n, At: at, Leaf: leaf, WhoHash: f.Actor, AboutHash: f.About, Forgotten: true}
		out.Entry = Entry{Action: f.Action, Purpose: f.Purpose, Policy: f.Policy, Result: f.Result}
		opening, ok, err := unseal(ctx, h.keys, sealed)
		if err != nil || !ok {
			return out, err
		}
		p, err := readOpening(opening, f.Commitment)
		if err != nil {
			return out, err
		}
		out.Forgotten, out.Actor, out.About, out.Object, out.Details = false, actorOf(p.Actor), p.About, p.Object, p.Details
		return out, nil
	}
}

// Size is how many entries a log has.
func (l *Log) Size(ctx context.Context, org int64) (int64, error) {
	n, _, err := db.One(ctx, l.db, func(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) }, `SELECT size FROM audit_logs WHERE org_id = $1`, org)
	return n, err
}
