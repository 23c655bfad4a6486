package assign

import (
	"context"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/db"
)

// watched is what is known of a lead that is looked after.
type watched struct {
	lead  lead.ID
	since time.Time // since when its owner has it
	moves int
	told  bool
}

// watched gives it, and makes it where there is none yet.
func (j *rescuing) watched(ctx context.Context, tx *db.Tx, l *lead.Lead) (*watched, error) {
	since, err := ownedSince(ctx, tx, j.org.ID, l)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO assign_watch (org_id, lead, subject, owner, since_ms, due_ms, late_ms, moves, told) VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0)
		ON CONFLICT (org_id, lead) DO UPDATE SET owner = excluded.owner, since_ms = excluded.since_ms`, j.org.ID, l.ID, l.Subject, l.Owner, since.UnixMilli()); err != nil {
		return nil, err
	}
	w := &watched{lead: l.ID, since: since}
	var told int
	err = tx.Row(ctx, `SELECT moves, told FROM assign_watch WHERE org_id = $1 AND lead = $2`, j.org.ID, l.ID).Scan(&w.moves, &told)
	w.told = told == 1
	return w, err
}

// ownedSince is since when a lead's owner has it, by its history.
func ownedSince(ctx context.Context, c db.Conn, org account.OrgID, l *lead.Lead) (time.Time, error) {
	var ms int64
	err := c.Row(ctx, `SELECT coalesce(max(at_ms), 0) FROM lead_events WHERE org_id = $1 AND lead = $2 AND field IN ('made', 'owner', 'state')`, org, l.ID).Scan(&ms)
	return later(moment(ms), l.Made), err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// set says when a lead is looked at next for a reason; never = not for it.
func (w *watched) set(ctx context.Context, tx *db.Tx, org account.OrgID, reason Overdue, next int64) error {
	query := `UPDATE assign_watch SET late_ms = $3 WHERE org_id = $1 AND lead = $2`
	if reason == NoAttempt {
		query = `UPDATE assign_watch SET due_ms = $3 WHERE org_id = $1 AND lead = $2`
		if next == never {
			next = 0
		}
	}
	_, err := tx.Exec(ctx, query, org, w.lead, next)
	return err
}

// moved notes that a lead was moved. When it has waited too long for its new owner, too, is reckoned from its history, which says
// since when they have it.
func (j *rescuing) moved(ctx context.Context, tx *db.Tx, w *watched, to account.MemberID) error {
	_, err := tx.Exec(ctx, `UPDATE assign_watch SET owner = $3, since_ms = $4, due_ms = $5, late_ms = $4, moves = moves + 1, told = 0 WHERE org_id = $1 AND lead = $2`,
		j.org.ID, w.lead, to, j.now.UnixMilli(), j.now.UnixMilli())
	return err
}

// followed are the fields of a lead's history that say whose it is and whether it is open.
func followed() []string { return []string{"made", "owner", "state"} }

const (
	// pageOfEvents is how many changes of leads are looked at in one transaction, and pagesAtOnce how many pages in one round.
	pageOfEvents = 500
	pagesAtOnce  = 40
	// overlap is how far back changes are looked at again: a transaction that began earlier may end later.
	overlap = 2 * time.Minute
)

// follow looks at what changed of leads since the last round, and notes when each that has an owner will have waited too long.
func (j *rescuing) follow(ctx context.Context) error {
	for _, field := range followed() {
		for range pagesAtOnce {
			more := false
			if err := j.a.d.DB.Tx(ctx, func(tx *db.Tx) (err error) {
				more, err = j.followPage(ctx, tx, field)
				return err
			}); err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// followPage looks at some changes of a field.
func (j *rescuing) followPage(ctx context.Context, tx *db.Tx, field string) (more bool, err error) {
	type place struct {
		at   int64
		lead lead.ID
	}
	scan := func(r db.Scanner) (p place, err error) { return p, r.Scan(&p.at, &p.lead) }
	from, _, err := db.One(ctx, tx, scan, `SELECT at_ms, lead FROM assign_followed WHERE org_id = $1 AND field = $2`, j.org.ID, field)
	if err != nil {
		return false, err
	}
	changes, err := db.Select(ctx, tx, scan, `SELECT at_ms, lead FROM lead_events WHERE org_id = $1 AND field = $2 AND at_ms >= $3 AND (at_ms > $3 OR lead > $4)
		ORDER BY at_ms, lead LIMIT $5`, j.org.ID, field, from.at, from.lead, pageOfEvents)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	ids := make([]lead.ID, len(changes))
	for i, x := range changes {
		ids[i] = x.lead
	}
	if err := j.watch(ctx, tx, ids); err != nil {
		return false, err
	}
	last := changes[len(changes)-1]
	more = len(changes) == pageOfEvents
	if back := j.now.Add(-overlap).UnixMilli(); !more && last.at > back {
		last = place{at: back}
	}
	if last.at < from.at { // the clock went back
		last = from
	}
	_, err = tx.Exec(ctx, `INSERT INTO assign_followed (org_id, field, at_ms, lead) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, field) DO UPDATE SET at_ms = excluded.at_ms, lead = excluded.lead`, j.org.ID, field, last.at, last.lead)
	return more, err
}

// held is what watching needs of a lead.
type held struct {
	id               lead.ID
	subject          int64
	owner            account.MemberID
	state            lead.State
	first, since     int64
	pipeline, source string
}

// watch notes when leads will have waited too long for a first attempt.
func (j *rescuing) watch(ctx context.Context, tx *db.Tx, ids []lead.ID) error {
	args := []any{j.org.ID}
	for _, id := range ids {
		args = append(args, id)
	}
	in := db.In(2, len(ids))
	all, err := db.Select(ctx, tx, func(r db.Scanner) (h held, err error) {
		return h, r.Scan(&h.id, &h.subject, &h.owner, &h.state, &h.first, &h.since, &h.pipeline, &h.source)
	}, `SELECT l.lead, l.subject, l.owner, l.state, l.first_ms, coalesce((SELECT max(e.at_ms) FROM lead_events e WHERE e.org_id = l.org_id AND e.lead = l.lead
		AND e.field IN ('made', 'owner', 'state')), l.made_ms), l.pipeline, l.source FROM leads l WHERE l.org_id = $1 AND l.lead IN `+in, args...)
	if err != nil {
		return err
	}
	for _, h := range all {
		if err := j.watchOne(ctx, tx, &h); err != nil {
			return err
		}
	}
	return nil
}

// watchOne notes when one lead will have waited too long. What is noted already for the same owner stays: it may have been put off.
func (j *rescuing) watchOne(ctx context.Context, tx *db.Tx, h *held) error {
	due := int64(0)
	rule := j.rescueFor(NoAttempt, h.pipeline, h.source)
	if rule != nil && h.state == lead.Open && h.owner != "" && h.first == 0 {
		due = millis(j.clock.after(moment(h.since), rule.after()))
	}
	if due == 0 {
		_, err := tx.Exec(ctx, `UPDATE assign_watch SET due_ms = 0, since_ms = $3, owner = $4 WHERE org_id = $1 AND lead = $2`, j.org.ID, h.id, h.since, h.owner)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO assign_watch (org_id, lead, subject, owner, since_ms, due_ms, late_ms, moves, told) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0)
		ON CONFLICT (org_id, lead) DO UPDATE SET owner = excluded.owner, since_ms = excluded.since_ms, due_ms = excluded.due_ms, told = 0
		WHERE assign_watch.owner <> excluded.owner OR assign_watch.since_ms <> excluded.since_ms`, j.org.ID, h.id, h.subject, h.owner, h.since, due)
	return err
}

// followAnew has every lead looked at again: for whoever changes what they are looked at for.
func (a *Assign) followAnew(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM assign_followed WHERE org_id = $1`, org); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE assign_watch SET since_ms = 0, due_ms = 0, late_ms = 0 WHERE org_id = $1`, org)
	return err
}
