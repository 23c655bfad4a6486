package rights

import (
	"context"
	"errors"
	"time"

	"parley/account"
	"parley/platform/db"
)

const (
	unprovedFor = 30 * 24 * time.Hour // then a request from the page is given up
	keepClosed  = 90 * 24 * time.Hour // then what a person wrote is forgotten
	soonest     = 24 * time.Hour      // the latest warning before the day on which an answer is due
)

// Tick does what is due in all organisations: it goes on with what was broken off, tells recipients again, ends what waited
// long enough, warns of answers that are nearly due, and forgets what is needed no more. It is called at the start and then
// every few minutes. What fails for one request does not keep the others from their turn.
func (r *Rights) Tick(ctx context.Context) error {
	var errs []error
	for _, duty := range []func(context.Context) error{r.resume, r.await, r.wake, r.warn, r.giveUp, r.tidy} {
		errs = append(errs, duty(ctx))
	}
	return errors.Join(errs...)
}

// each does something for the requests that a condition finds.
func (r *Rights) each(ctx context.Context, do func(context.Context, *Request) error, condition string, args ...any) error {
	all, err := db.Select(ctx, r.DB, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id > 0 AND `+condition+` ORDER BY org_id, id`, args...)
	errs := []error{err}
	for _, q := range all {
		if ctx.Err() != nil {
			break
		}
		errs = append(errs, do(ctx, q))
	}
	return errors.Join(errs...)
}

// resume goes on with requests that were being carried out when the program ended, or failed.
func (r *Rights) resume(ctx context.Context) error {
	return r.each(ctx, func(ctx context.Context, q *Request) error {
		_, err := r.carryOut(ctx, q.Org, q.ID, system)
		return err
	}, `state = 'running'`)
}

// await tells recipients that could not be reached, and ends what waited long enough.
func (r *Rights) await(ctx context.Context) error {
	return r.each(ctx, func(ctx context.Context, q *Request) error {
		r.run.Lock()
		defer r.run.Unlock()
		q, err := r.handOn(ctx, q)
		if err != nil {
			return err
		}
		_, err = r.close(ctx, q)
		return err
	}, `state = 'waiting'`)
}

// wake carries out what waited for a day that has come.
func (r *Rights) wake(ctx context.Context) error {
	return r.each(ctx, r.proceed, `kind = 'erasure' AND run_ms > 0 AND run_ms <= $1 AND state IN ('locked', 'verified', 'planned', 'approved') AND (channel = 'member' OR round > 1 OR state = 'locked')`,
		ms(r.Now()))
}

// warn tells the officers when an answer is nearly due, and once more when it is late.
func (r *Rights) warn(ctx context.Context) error {
	now := r.Now()
	return r.each(ctx, func(ctx context.Context, q *Request) error {
		kind := LetterOverdue
		if now.Before(q.Due) {
			if kind = LetterWarning; !q.Warned.IsZero() || now.Before(warnAt(q)) {
				return nil
			}
		} else if !q.Warned.Before(q.Due) {
			return nil
		}
		return r.warnOfficers(ctx, q, kind)
	}, `closed_ms = 0 AND state <> 'locked'`)
}

// warnAt is when a quarter of the time is left, and at the latest a day before the end.
func warnAt(q *Request) time.Time {
	return q.Due.Add(-max(q.Due.Sub(q.Received)/4, soonest))
}

func (r *Rights) warnOfficers(ctx context.Context, q *Request, kind LetterKind) error {
	org, err := r.Accounts.Org(ctx, q.Org)
	if err != nil {
		return err
	}
	members, err := r.Accounts.Members(ctx, q.Org)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Email != "" && m.Active && !m.JoinedAt.IsZero() && m.Role.Can(account.ManagePrivacy) {
			if err := r.Write(ctx, Letter{Org: q.Org, To: m.Email, Locale: org.Locale, Kind: kind, Request: q.ID, About: q.Kind, Due: q.Due}); err != nil {
				return err
			}
		}
	}
	_, err = r.change(ctx, q.Org, q.ID, system, Warned, "", func(_ *db.Tx, q *Request) error {
		q.Warned = r.Now()
		return nil
	})
	return err
}

// giveUp ends requests of the page for which nobody proved who they are.
func (r *Rights) giveUp(ctx context.Context) error {
	return r.each(ctx, func(ctx context.Context, q *Request) error {
		_, err := r.refuse(ctx, q.Org, q.ID, system, Unverified, "")
		return err
	}, `channel = 'page' AND state IN ('received', 'verifying') AND received_ms < $1`, ms(r.Now().Add(-unprovedFor)))
}

// tidy removes what is needed no more.
func (r *Rights) tidy(ctx context.Context) error {
	now := r.Now()
	type of struct {
		org account.OrgID
		id  string
	}
	old, err := db.Select(ctx, r.DB, func(row db.Scanner) (o of, err error) { return o, row.Scan(&o.org, &o.id) },
		`SELECT org_id, request_id FROM request_packages WHERE org_id > 0 AND expires_ms < $1`, ms(now))
	errs := []error{err}
	for _, o := range old {
		errs = append(errs, r.unpack(ctx, o.org, o.id))
	}
	errs = append(errs, r.each(ctx, func(ctx context.Context, q *Request) error {
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return forget(ctx, tx, q.Org, q.ID) })
	}, `closed_ms > 0 AND closed_ms < $1 AND (contact_sealed IS NOT NULL OR text_sealed IS NOT NULL)`, ms(now.Add(-keepClosed))))
	_, err = r.DB.Exec(ctx, `DELETE FROM request_limits WHERE org_id > 0 AND since_ms < $1`, ms(now.Add(-24*time.Hour)))
	return errors.Join(append(errs, err)...)
}
