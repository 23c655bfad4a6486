package attach

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// settled is a follow-up that a call settled.
type settled struct {
	followUp followup.ID
	key      call.Key
}

// settleFollowUps marks as done what a connected call did. An open call or promised call-back of a contact is settled by the
// first connected call, by anyone and either way, that belongs to the contact, began after the follow-up was made, and not
// before the day for which it is planned: who was promised a call on Friday and calls on Thursday still waits for it. When
// that call turns out not to have been one, the follow-up is open again. One that somebody opened again is not settled by the
// same call.
func (a *Attach) settleFollowUps(ctx context.Context, tx *db.Tx, org *account.Org, r *reckoning) error {
	had, err := a.settledOf(ctx, tx, org.ID, r.contact.ID)
	if err != nil {
		return err
	}
	for _, s := range had {
		if err := a.review(ctx, tx, org, s); err != nil {
			return err
		}
	}
	all, err := a.FollowUps.OfContacts(ctx, tx, org.ID, r.contact.ID)
	if err != nil {
		return err
	}
	for _, f := range all {
		if !waitsForCall(f) {
			continue
		}
		since := f.Made
		if i := slices.IndexFunc(had, func(s settled) bool { return s.followUp == f.ID }); i >= 0 {
			since = later(since, time.UnixMilli(had[i].key.Start))
		}
		k, ok, err := a.settling(ctx, tx, org, r, since, civil.DayOf(f.At, org.Location()))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if _, err := a.FollowUps.Done(ctx, tx, org, "", f.ID, followup.Finish{Settled: true}); err != nil {
			return err
		}
		if err := putSettled(ctx, tx, org.ID, r.contact.ID, settled{f.ID, k}); err != nil {
			return err
		}
	}
	return nil
}

// waitsForCall tells whether a call can settle a follow-up.
func waitsForCall(f *followup.FollowUp) bool {
	return f.State == followup.Open && (f.Kind == followup.Call || f.Kind == followup.Promised)
}

// settling finds the first connected call after a moment, on or after a day, that belongs to a contact.
func (a *Attach) settling(ctx context.Context, tx *db.Tx, org *account.Org, r *reckoning, since time.Time, day civil.Day) (k call.Key, ok bool, err error) {
	for i := range r.rows {
		x := &r.rows[i]
		if !x.At().After(since) || civil.DayOf(x.At(), org.Location()) < day || x.Outcome(org.ConnectedFrom) != call.OutcomeConnected {
			continue
		}
		m, err := a.Attach(ctx, tx, org.ID, x.Key)
		if err != nil || m.Contact == r.contact.ID {
			return x.Key, err == nil, err
		}
	}
	return k, false, nil
}

// review opens a follow-up again when the call that settled it is none any more, or was not connected after all.
func (a *Attach) review(ctx context.Context, tx *db.Tx, org *account.Org, s settled) error {
	row, there, err := call.RowByKey(ctx, tx, org.ID, s.key)
	if err != nil || there && row.Outcome(org.ConnectedFrom) == call.OutcomeConnected {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM settled_follow_ups WHERE org_id = $1 AND follow_up = $2`, org.ID, s.followUp); err != nil {
		return err
	}
	all, err := a.FollowUps.Load(ctx, tx, org.ID, s.followUp)
	if err != nil {
		return err
	}
	if f := all[s.followUp]; f == nil || f.State != followup.Done || f.EndedBy != "" {
		return nil // somebody has had a say in it since
	}
	_, err = a.FollowUps.Undo(ctx, tx, org, "", s.followUp)
	if fault.KindOf(err) == fault.Conflict {
		return nil
	}
	return err
}

// settledOf lists what calls settled of the follow-ups of a contact, and of those that were merged into it.
func (a *Attach) settledOf(ctx context.Context, c db.Conn, org account.OrgID, of contact.ID) ([]settled, error) {
	family, err := a.Contacts.Family(ctx, c, org, of)
	if err != nil || len(family) == 0 {
		return nil, err
	}
	args := []any{org}
	for _, id := range family {
		args = append(args, id)
	}
	return db.Select(ctx, c, func(r db.Scanner) (s settled, err error) {
		k := &s.key
		return s, r.Scan(&s.followUp, &k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line)
	}, `SELECT follow_up, day, agent, start, num, dir, line FROM settled_follow_ups WHERE org_id = $1 AND contact IN `+db.In(2, len(family)), args...)
}

func putSettled(ctx context.Context, tx *db.Tx, org account.OrgID, of contact.ID, s settled) error {
	k := s.key
	_, err := tx.Exec(ctx, `INSERT INTO settled_follow_ups (org_id, follow_up, contact, day, agent, start, num, dir, line) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org_id, follow_up) DO UPDATE SET contact = excluded.contact, day = excluded.day, agent = excluded.agent, start = excluded.start, num = excluded.num,
		dir = excluded.dir, line = excluded.line`, org, s.followUp, of, k.Day, k.Agent, k.Start, k.Number, k.Direction, k.Line)
	return err
}

// SettledBy tells which call settled a follow-up; ok is false when none did.
func (a *Attach) SettledBy(ctx context.Context, c db.Conn, org account.OrgID, id followup.ID) (k call.Key, ok bool, err error) {
	return db.One(ctx, c, func(r db.Scanner) (k call.Key, err error) {
		return k, r.Scan(&k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line)
	}, `SELECT day, agent, start, num, dir, line FROM settled_follow_ups WHERE org_id = $1 AND follow_up = $2`, org, id)
}

// checkNext refuses a next step that is no follow-up of the organisation.
func (a *Attach) checkNext(ctx context.Context, org account.OrgID, next string) error {
	all, err := a.FollowUps.Load(ctx, a.DB, org, followup.ID(next))
	if err == nil && all[followup.ID(next)] == nil {
		err = fault.New(fault.NotFound, "There is no follow-up %q here. Make it first, or say that none is needed.", next)
	}
	return err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
