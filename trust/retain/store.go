package retain

import (
	"context"
	"encoding/hex"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

const planColumns = `id, keeper, category, part, from_event, period, before_ms, archives, state, items, row_count, bytes, oldest_ms, newest_ms,
	total_rows, held, locked, digest, wide, made_ms, due_ms, told, confirmed_by, confirmed_ms, ended_ms, removed_rows, removed_digest, why`

func scanPlan(r db.Scanner) (*Plan, error) {
	var p Plan
	var before, oldest, newest, made, due, confirmed, ended int64
	var archives, wide int
	err := r.Scan(&p.ID, &p.Keeper, &p.Category, &p.Part, &p.Cut.From, &p.Period, &before, &archives, &p.State, &p.Count, &p.Rows, &p.Bytes, &oldest, &newest,
		&p.Total, &p.HeldCount, &p.LockedCount, &p.Digest, &wide, &made, &due, &p.Told, &p.ConfirmedBy, &confirmed, &ended, &p.Removed, &p.RemovedSum, &p.Why)
	p.Cut.Before, p.Oldest, p.Newest, p.MadeAt, p.DueAt = at(before), at(oldest), at(newest), at(made), at(due)
	p.ConfirmedAt, p.EndedAt, p.Archives, p.Wide = at(confirmed), at(ended), archives == 1, wide == 1
	return &p, err
}

// at is the time of Unix milliseconds; 0 is no time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// itemRows is how many items one statement stores: PostgreSQL and SQLite take 250 values easily.
const itemRows = 50

// insert stores a plan that waits, with its items.
func (s *Sweeper) insert(ctx context.Context, org account.OrgID, p *Plan) error {
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO retain_plans (org_id, `+planColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
			$16, $17, $18, $19, $20, $21, $22, 0, '', 0, 0, 0, $23, '')`,
			org, p.ID, p.Keeper, p.Category, p.Part, p.Cut.From, p.Period, ms(p.Cut.Before), flag(p.Archives), p.State, p.Count, p.Rows, p.Bytes, ms(p.Oldest), ms(p.Newest),
			p.Total, p.HeldCount, p.LockedCount, p.Digest, flag(p.Wide), ms(p.MadeAt), ms(p.DueAt), []byte{}); err != nil {
			return err
		}
		for rest := p.Items; len(rest) > 0; {
			part := rest[:min(itemRows, len(rest))]
			rest = rest[len(part):]
			args := make([]any, 0, 5*len(part))
			for _, i := range part {
				args = append(args, org, p.ID, i.Key, ms(i.At), i.Rows)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO retain_items (org_id, plan, item, at_ms, row_count) VALUES `+db.Values(len(part), 5), args...); err != nil {
				return err
			}
		}
		_, err := s.d.Log.Append(ctx, tx, int64(org), entry("", audit.RetentionPlanned, p, map[string]string{
			"rows": number(p.Rows), "items": number(p.Count), "digest": hex.EncodeToString(p.Digest)}))
		return err
	})
}

// store writes what became of a plan, and e to the audit log. Of one that has ended it is forgotten which items it was about.
func (s *Sweeper) store(ctx context.Context, org account.OrgID, p *Plan, e audit.Entry) error {
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE retain_plans SET state = $3, confirmed_by = $4, confirmed_ms = $5, ended_ms = $6, removed_rows = $7, removed_digest = $8, why = $9
			WHERE org_id = $1 AND id = $2 AND state = 'waiting'`, org, p.ID, p.State, p.ConfirmedBy, ms(p.ConfirmedAt), ms(p.EndedAt), p.Removed, orEmpty(p.RemovedSum), p.Why)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "The plan %s has ended meanwhile.", p.ID)
		}
		if _, err := s.d.Log.Append(ctx, tx, int64(org), e); err != nil || p.State == Waiting {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM retain_items WHERE org_id = $1 AND plan = $2`, org, p.ID)
		return err
	})
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (s *Sweeper) noteTold(ctx context.Context, org account.OrgID, p *Plan) error {
	_, err := s.d.DB.Exec(ctx, `UPDATE retain_plans SET told = $3 WHERE org_id = $1 AND id = $2`, org, p.ID, p.Told)
	return err
}

// Plan gives one plan; while it waits with its items, whose persons are not known.
func (s *Sweeper) Plan(ctx context.Context, org account.OrgID, plan string) (*Plan, error) {
	p, ok, err := db.One(ctx, s.d.DB, scanPlan, `SELECT `+planColumns+` FROM retain_plans WHERE org_id = $1 AND id = $2`, org, plan)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no plan %q.", plan)
	}
	items, err := s.items(ctx, s.d.DB, org, p.ID)
	for _, i := range items {
		p.Items = append(p.Items, i)
	}
	return p, err
}

// History lists the last n plans that were made, newest first.
func (s *Sweeper) History(ctx context.Context, org account.OrgID, n int) ([]*Plan, error) {
	return db.Select(ctx, s.d.DB, scanPlan, `SELECT `+planColumns+` FROM retain_plans WHERE org_id = $1 ORDER BY made_ms DESC, id DESC LIMIT $2`, org, n)
}

// waiting lists the plans that wait, the oldest first.
func (s *Sweeper) waiting(ctx context.Context, org account.OrgID) ([]*Plan, error) {
	return db.Select(ctx, s.d.DB, scanPlan, `SELECT `+planColumns+` FROM retain_plans WHERE org_id = $1 AND state = 'waiting' ORDER BY made_ms, id`, org)
}

// last is the latest stored plan of the same keeper and rule; nil when there is none.
func (s *Sweeper) last(ctx context.Context, org account.OrgID, of *Plan) (*Plan, error) {
	p, ok, err := db.One(ctx, s.d.DB, scanPlan, `SELECT `+planColumns+` FROM retain_plans WHERE org_id = $1 AND keeper = $2 AND part = $3 AND from_event = $4
		ORDER BY made_ms DESC, id DESC LIMIT 1`, org, of.Keeper, of.Part, of.Cut.From)
	if !ok {
		return nil, err
	}
	return p, err
}

// items are the items of a plan that waits, by key.
func (s *Sweeper) items(ctx context.Context, c db.Conn, org account.OrgID, plan string) (map[string]Item, error) {
	all, err := db.Select(ctx, c, func(r db.Scanner) (i Item, err error) {
		var event int64
		err = r.Scan(&i.Key, &event, &i.Rows)
		i.At = at(event)
		return i, err
	}, `SELECT item, at_ms, row_count FROM retain_items WHERE org_id = $1 AND plan = $2`, org, plan)
	out := make(map[string]Item, len(all))
	for _, i := range all {
		out[i.Key] = i
	}
	return out, err
}

// planned are the items of a keeper that some plan speaks of already.
func (s *Sweeper) planned(ctx context.Context, org account.OrgID, keeper string) (map[string]bool, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Scanner) (key string, err error) { return key, r.Scan(&key) }, `SELECT i.item FROM retain_items i
		JOIN retain_plans p ON p.org_id = i.org_id AND p.id = i.plan WHERE i.org_id = $1 AND p.keeper = $2 AND p.state = 'waiting'`, org, keeper)
	out := make(map[string]bool, len(all))
	for _, k := range all {
		out[k] = true
	}
	return out, err
}

func (s *Sweeper) ran(ctx context.Context, org account.OrgID, failed bool) error {
	_, err := s.d.DB.Exec(ctx, `INSERT INTO retain_runs (org_id, last_ms, failed) VALUES ($1, $2, $3)
		ON CONFLICT (org_id) DO UPDATE SET last_ms = excluded.last_ms, failed = excluded.failed`, org, s.d.Now().UnixMilli(), flag(failed))
	return err
}

// lastRun tells when Run last ended, and whether it failed.
func (s *Sweeper) lastRun(ctx context.Context, org account.OrgID) (last time.Time, failed bool, err error) {
	type run struct{ ms, failed int64 }
	r, _, err := db.One(ctx, s.d.DB, func(r db.Scanner) (x run, err error) { return x, r.Scan(&x.ms, &x.failed) }, `SELECT last_ms, failed FROM retain_runs WHERE org_id = $1`, org)
	return at(r.ms), r.failed == 1, err
}
