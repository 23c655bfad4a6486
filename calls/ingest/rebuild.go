package ingest

import (
	"context"
	"math"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
)

const (
	// rebuildCalls is about how many calls one transaction of a rebuild handles.
	rebuildCalls = 4000
	// rebuildDays is how many agent-days one transaction of a rebuild handles at most.
	rebuildDays = 250
)

// Rebuild reckons the days and roll-ups of all calls anew, after the organisation's zone, threshold or gap changed. A call
// whose local day is another one moves there with its note and tags; its public id changes with it. Calls that come
// meanwhile are filed by the new settings at once.
//
// Reports may mix old and new until the end; Rebuilding tells. The work is done in short transactions, from the oldest day
// to the newest, and how far it is stands in the table: whoever calls Rebuild or Resume next goes on from there. progress,
// which may be nil, hears how many of how many days are done.
func (w *Writer) Rebuild(ctx context.Context, org *account.Org, progress func(done, total int)) error {
	if err := w.submit(ctx, 0, func(ctx context.Context, u *unit) error { return u.startRebuild(ctx, org) }); err != nil {
		return err
	}
	return w.goOn(ctx, org, progress)
}

// Rebuilding tells whether an organisation's reports may mix figures reckoned by old settings and new ones.
func (w *Writer) Rebuilding(ctx context.Context, org *account.Org) (bool, error) {
	var n int
	err := w.db.Row(ctx, `SELECT (SELECT count(*) FROM rebuilds r JOIN organisations o ON o.org_id = r.org_id
			WHERE r.org_id = $1 AND (r.done = 0 OR r.zone <> o.zone OR r.connected_from <> o.connected_from OR r.gap_minutes <> o.gap_minutes))
		+ (SELECT count(*) FROM unsettled_numbers WHERE org_id = $1)`, org.ID).Scan(&n)
	return n > 0, err
}

// Resume finishes what a stopped server left: erasures, calls that went to the archive, rebuilds, those that a change of settings calls for, and exclusions.
func (w *Writer) Resume(ctx context.Context, accounts *account.Accounts, devices *device.Devices) error {
	orgs, err := accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if _, err := w.EndErasing(ctx, devices, org); err != nil {
			return err
		}
		if _, err := w.EndTaking(ctx, devices, org); err != nil {
			return err
		}
		numbers, err := db.Select(ctx, w.db, func(r db.Scanner) (n number.ID, err error) { return n, r.Scan(&n) },
			`SELECT num FROM unsettled_numbers WHERE org_id = $1`, org.ID)
		if err != nil {
			return err
		}
		for _, n := range numbers {
			if err := w.settleNumber(ctx, org, n); err != nil {
				return err
			}
		}
		if due, err := w.Rebuilding(ctx, org); err != nil || !due {
			if err != nil {
				return err
			}
			continue
		}
		if err := w.goOn(ctx, org, nil); err != nil {
			return err
		}
	}
	return nil
}

// rebuilding is the state of a rebuild.
type rebuilding struct {
	settings reckoning
	next     civil.Day
	done     bool
}

func readRebuild(ctx context.Context, c db.Conn, org account.OrgID) (s rebuilding, err error) {
	s, _, err = db.One(ctx, c, func(r db.Scanner) (s rebuilding, err error) {
		var done int
		err = r.Scan(&s.settings.zone, &s.settings.connectedFrom, &s.settings.gapMinutes, &s.next, &done)
		s.done = done == 1
		return s, err
	}, `SELECT zone, connected_from, gap_minutes, next_day, done FROM rebuilds WHERE org_id = $1`, org)
	return s, err
}

// startRebuild marks every day as one to be reckoned anew.
func (u *unit) startRebuild(ctx context.Context, org *account.Org) error {
	h, err := u.enter(ctx, org)
	if err != nil {
		return err
	}
	return writeRebuild(ctx, u.tx, org.ID, rebuilding{settings: h.settings, next: math.MinInt32})
}

func writeRebuild(ctx context.Context, tx *db.Tx, org account.OrgID, s rebuilding) error {
	done := 0
	if s.done {
		done = 1
	}
	_, err := tx.Exec(ctx, `UPDATE rebuilds SET zone = $2, connected_from = $3, gap_minutes = $4, next_day = $5, done = $6 WHERE org_id = $1`,
		org, s.settings.zone, s.settings.connectedFrom, s.settings.gapMinutes, s.next, done)
	return err
}

// goOn rebuilds from where the table says until the end.
func (w *Writer) goOn(ctx context.Context, org *account.Org, progress func(done, total int)) error {
	for {
		s, err := readRebuild(ctx, w.db, org.ID)
		if err != nil {
			return err
		}
		day, ok, err := db.One(ctx, w.db, scanDay, `SELECT day FROM days WHERE org_id = $1 AND day >= $2 ORDER BY day LIMIT 1`, org.ID, s.next)
		if err != nil {
			return err
		}
		if !ok {
			done, err := w.endRebuild(ctx, org)
			if err != nil || done {
				return err
			}
			continue
		}
		if err := w.rebuildDay(ctx, org, day); err != nil {
			return err
		}
		if err := w.tellRebuild(ctx, org, day, progress); err != nil {
			return err
		}
	}
}

func (w *Writer) tellRebuild(ctx context.Context, org *account.Org, day civil.Day, progress func(done, total int)) error {
	if progress == nil {
		return nil
	}
	var done, total int
	if err := w.db.Row(ctx, `SELECT count(*), COALESCE(SUM(CASE WHEN day <= $2 THEN 1 ELSE 0 END), 0) FROM days WHERE org_id = $1`, org.ID, day).Scan(&total, &done); err != nil {
		return err
	}
	progress(done, total)
	return nil
}

// endRebuild closes a rebuild unless a day came in or the settings changed since, in which case it starts anew.
func (w *Writer) endRebuild(ctx context.Context, org *account.Org) (done bool, err error) {
	err = w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
		h, s, err := u.rebuild(ctx, org)
		if err != nil {
			return err
		}
		if s.settings != h.settings {
			done = false
			return u.startRebuild(ctx, org)
		}
		_, more, err := db.One(ctx, u.tx, scanDay, `SELECT day FROM days WHERE org_id = $1 AND day >= $2 LIMIT 1`, org.ID, s.next)
		if err != nil || more {
			done = false
			return err
		}
		done, s.done = true, true
		return writeRebuild(ctx, u.tx, org.ID, s)
	})
	return done && err == nil, err
}

func (u *unit) rebuild(ctx context.Context, org *account.Org) (*house, rebuilding, error) {
	h, err := u.enter(ctx, org)
	if err != nil {
		return nil, rebuilding{}, err
	}
	s, err := readRebuild(ctx, u.tx, org.ID)
	return h, s, err
}

// rebuildDay reckons one stored day anew, a group of agents at a time.
func (w *Writer) rebuildDay(ctx context.Context, org *account.Org, day civil.Day) error {
	groups, err := w.agentGroups(ctx, org, day)
	if err != nil {
		return err
	}
	for n, agents := range groups {
		last := n == len(groups)-1
		if err := w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
			h, s, err := u.rebuild(ctx, org)
			if err != nil {
				return err
			}
			if s.settings != h.settings { // changed once more
				return u.startRebuild(ctx, org)
			}
			for _, a := range agents {
				if err := u.refile(ctx, h, day, a); err != nil {
					return err
				}
			}
			if !last || s.next > day || s.done {
				return nil
			}
			s.next = day + 1
			return writeRebuild(ctx, u.tx, org.ID, s)
		}); err != nil {
			return err
		}
	}
	return nil
}

// agentGroups lists whoever has calls or a roll-up on a day, in groups that fit one transaction. There is at least one
// group, which may be empty.
func (w *Writer) agentGroups(ctx context.Context, org *account.Org, day civil.Day) ([][]account.AgentNo, error) {
	type load struct {
		agent account.AgentNo
		calls int
	}
	loads, err := db.Select(ctx, w.db, func(r db.Scanner) (l load, err error) { return l, r.Scan(&l.agent, &l.calls) }, `
		SELECT agent, SUM(n) FROM (
			SELECT agent, count(*) AS n FROM calls WHERE org_id = $1 AND day = $2 GROUP BY agent
			UNION ALL SELECT agent, 0 AS n FROM rolls WHERE org_id = $1 AND day = $2) AS a GROUP BY agent ORDER BY agent`, org.ID, day)
	if err != nil {
		return nil, err
	}
	groups, calls := [][]account.AgentNo{nil}, 0
	for _, l := range loads {
		last := len(groups) - 1
		if len(groups[last]) > 0 && (calls+l.calls > rebuildCalls || len(groups[last]) >= rebuildDays) {
			groups, calls, last = append(groups, nil), 0, last+1
		}
		groups[last] = append(groups[last], l.agent)
		calls += l.calls
	}
	return groups, nil
}

// refile moves the calls of a stored day that belong to another by now, and has the roll-up rebuilt.
func (u *unit) refile(ctx context.Context, h *house, day civil.Day, agent account.AgentNo) error {
	d, err := u.day(ctx, h, day, agent)
	if err != nil {
		return err
	}
	d.changed = true
	for i := range d.rows {
		if d.gone[i] || d.rows[i].Day != day {
			continue
		}
		r := d.rows[i]
		if r.Day = h.dayOf(r.Start); r.Day == day {
			continue
		}
		to, err := u.day(ctx, h, r.Day, agent)
		if err != nil {
			return err
		}
		if err := u.rehouse(ctx, d, i, to, &r); err != nil {
			return err
		}
	}
	return nil
}

// rehouse moves row i of from to its day. While days were being rebuilt the same call may have come in there once more,
// from its phone or from a file; then the phone's row stands, with the note and tags of the older.
func (u *unit) rehouse(ctx context.Context, from *agentDay, i int, to *agentDay, r *call.Row) error {
	j, ok := to.find(&r.Key)
	if !ok {
		j, ok = to.byRef(r)
	}
	if !ok {
		j, ok = to.nearby(r, nil)
	}
	if !ok {
		return u.move(ctx, from, i, to, r)
	}
	stays := &to.rows[j]
	if stays.Ref < 0 && r.Ref >= 0 {
		if err := call.Move(ctx, u.tx, u.w.keys, to.house.id, stays.Key, r.Key); err != nil {
			return err
		}
		to.remove(j)
		return u.move(ctx, from, i, to, r)
	}
	if err := call.Move(ctx, u.tx, u.w.keys, from.house.id, from.rows[i].Key, stays.Key); err != nil {
		return err
	}
	from.remove(i)
	return nil
}
