package followup

import (
	"context"
	"errors"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

const (
	// duesAtOnce is how many reminders one transaction keeps.
	duesAtOnce = 100
	// whileRestricted is how long a reminder about somebody whose data is restricted waits until it is looked at again.
	whileRestricted = time.Hour
)

// Remind tells members of what they are to do soon, in all organisations, and managers of what stays undone: on the pages and,
// where the organisation wants it, by mail. That somebody was told is kept in one transaction with the notice and the mail, so
// that nobody is told twice, and nobody is forgotten, whenever it is broken off. It is called every minute or so.
func (s *FollowUps) Remind(ctx context.Context, now time.Time) error {
	orgs, err := db.Select(ctx, s.d.DB, func(r db.Scanner) (o account.OrgID, err error) { return o, r.Scan(&o) },
		`SELECT DISTINCT org_id FROM follow_ups WHERE remind_ms > 0 AND remind_ms <= $1
		UNION SELECT DISTINCT org_id FROM follow_ups WHERE state = 0 AND escalated_ms = 0 AND late_ms <= $1`, now.UnixMilli())
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range orgs {
		org, err := s.d.Accounts.Org(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			continue // closed meanwhile
		}
		if err == nil {
			err = errors.Join(s.remind(ctx, org, now), s.escalate(ctx, org, now))
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// remind speaks of what is due to be spoken of in one organisation.
func (s *FollowUps) remind(ctx context.Context, org *account.Org, now time.Time) error {
	for {
		n, err := s.batch(ctx, org, func(tx *db.Tx) (found int, notices []Notice, err error) {
			due, err := db.Select(ctx, tx, s.scan(ctx, org.ID), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND remind_ms > 0 AND remind_ms <= $2
				ORDER BY remind_ms, follow_up LIMIT $3`, org.ID, now.UnixMilli(), duesAtOnce)
			if err != nil {
				return 0, nil, err
			}
			for _, f := range due {
				n, ok, err := s.speak(ctx, tx, org, f, now)
				if err != nil {
					return 0, nil, err
				}
				if ok {
					notices = append(notices, n)
				}
			}
			notices, err = tell(ctx, tx, org.ID, now, notices...)
			return len(due), notices, err
		})
		if err != nil || n < duesAtOnce {
			return err
		}
	}
}

// batch runs a transaction that finds what there is to tell, and keeps the mails about it.
func (s *FollowUps) batch(ctx context.Context, org *account.Org, find func(tx *db.Tx) (found int, notices []Notice, err error)) (found int, err error) {
	committed := func() {}
	err = s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		var notices []Notice
		if found, notices, err = find(tx); err != nil || s.src.Mail == nil || len(notices) == 0 {
			return err
		}
		set, err := s.Settings(ctx, tx, org.ID)
		if err != nil || !set.Mail {
			return err
		}
		committed, err = s.src.Mail(ctx, tx, org, notices)
		return err
	})
	if err == nil && committed != nil {
		committed()
	}
	return found, err
}

// speak notes that a reminder was given, unless somebody else did or changed it; reminders that were missed meanwhile are given
// as one. Of somebody whose data is restricted nothing is said until that ends.
func (s *FollowUps) speak(ctx context.Context, tx *db.Tx, org *account.Org, f *FollowUp, now time.Time) (n Notice, ok bool, err error) {
	mark := f.remind
	err = s.usable(ctx, tx, org.ID, f)
	switch {
	case fault.KindOf(err) == fault.Denied:
		f.remind = now.Add(whileRestricted)
	case err != nil:
		return n, false, err
	default:
		ok = true
		f.rearm(now)
	}
	rows, err := tx.Exec(ctx, `UPDATE follow_ups SET remind_ms = $4 WHERE org_id = $1 AND follow_up = $2 AND remind_ms = $3`, org.ID, f.ID, millis(mark), millis(f.remind))
	return Notice{Member: f.Owner, Kind: Reminder, About: f.ID, FollowUp: f, mark: mark}, ok && rows > 0, err
}

// usable refuses, as Denied, what is about somebody whose data is restricted.
func (s *FollowUps) usable(ctx context.Context, c db.Conn, org account.OrgID, f *FollowUp) error {
	found, err := s.d.Contacts.Load(ctx, c, org, f.Contact)
	if err != nil || found[f.Contact] == nil {
		return err
	}
	return s.d.Contacts.CheckUse(ctx, c, org, found[f.Contact])
}

// refs are the names under which holds know the person of a follow-up.
func (s *FollowUps) refs(ctx context.Context, c db.Conn, org account.OrgID, f *FollowUp) ([]subject.Ref, error) {
	found, err := s.d.Contacts.Load(ctx, c, org, f.Contact)
	if err != nil {
		return nil, err
	}
	own := []subject.Ref{subject.OfContact(f.Subject)}
	if one := found[f.Contact]; one != nil {
		return append(own, one.Refs()...), nil
	}
	return own, nil
}

// escalate tells managers of what has been overdue for as many working hours as the organisation wants, once for each.
func (s *FollowUps) escalate(ctx context.Context, org *account.Org, now time.Time) error {
	set, err := s.Settings(ctx, s.d.DB, org.ID)
	if err != nil || set.Escalate == 0 {
		return err
	}
	patience := time.Duration(set.Escalate) * time.Hour
	for {
		found, err := s.batch(ctx, org, func(tx *db.Tx) (int, []Notice, error) {
			late, err := db.Select(ctx, tx, s.scan(ctx, org.ID), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND state = 0 AND escalated_ms = 0 AND late_ms <= $2
				ORDER BY late_ms, follow_up LIMIT $3`+forUpdate(tx), org.ID, millis(now.Add(-patience)), duesAtOnce)
			if err != nil {
				return 0, nil, err
			}
			var notices []Notice
			for i, f := range late {
				if org.WorkingTime(f.Late, now) < patience { // nor have those that came after it waited longer
					late = late[:i]
					break
				}
				n, err := s.hear(ctx, tx, org, f, now)
				if err != nil {
					return 0, nil, err
				}
				notices = append(notices, n...)
			}
			notices, err = tell(ctx, tx, org.ID, now, notices...)
			return len(late), notices, err
		})
		if err != nil || found < duesAtOnce {
			return err
		}
	}
}

// hear notes that managers hear of an overdue follow-up, and gives their notices.
func (s *FollowUps) hear(ctx context.Context, tx *db.Tx, org *account.Org, f *FollowUp, now time.Time) (out []Notice, err error) {
	who, err := above(ctx, tx, org.ID, f.Owner)
	if err != nil {
		return nil, err
	}
	f.Escalated = now
	if err := s.keep(ctx, tx, org.ID, "", f, Escalated, nil, nil); err != nil {
		return nil, err
	}
	if err := s.log(ctx, tx, org.ID, audit.Entry{Actor: audit.System, Action: audit.FollowUpEscalated, About: subject.OfContact(f.Subject).String(),
		Object: "follow_up/" + string(f.ID), Details: map[string]string{"owner": string(f.Owner), "late_since": f.Late.UTC().Format(time.RFC3339)}}); err != nil {
		return nil, err
	}
	for _, m := range who {
		out = append(out, Notice{Member: m, Kind: Escalation, About: f.ID, FollowUp: f, mark: now})
	}
	return out, nil
}

// above gives whoever hears of what a member leaves undone: the managers of their teams; without one, owners and admins. Nobody
// hears of their own.
func above(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) ([]account.MemberID, error) {
	scan := func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) }
	managers, err := db.Select(ctx, c, scan, `SELECT DISTINCT p.id FROM team_members mine
		JOIN team_members t ON t.org_id = mine.org_id AND t.team_id = mine.team_id
		JOIN members p ON p.org_id = t.org_id AND p.id = t.member_id
		WHERE mine.org_id = $1 AND mine.member_id = $2 AND p.role = $3 AND p.active = 1 AND p.id <> $2 ORDER BY p.id`, org, m, account.Manager)
	if err != nil || len(managers) > 0 {
		return managers, err
	}
	return db.Select(ctx, c, scan, `SELECT id FROM members WHERE org_id = $1 AND role IN ($2, $3) AND active = 1 AND id <> $4 ORDER BY id`, org, account.Owner, account.Admin, m)
}
