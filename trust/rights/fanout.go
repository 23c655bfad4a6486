package rights

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// Recipient is somebody outside whom a request must reach.
type Recipient struct {
	Recipient string
	Told      time.Time // zero = not reached yet
	Tries     int
	Answer    Answer
	Answered  time.Time

	next time.Time
}

// Recipients lists whom a request must reach, and what they answered.
func (r *Rights) Recipients(ctx context.Context, org account.OrgID, request string) ([]Recipient, error) {
	return db.Select(ctx, r.DB, func(row db.Scanner) (o Recipient, err error) {
		var told, answered, next int64
		err = row.Scan(&o.Recipient, &told, &o.Tries, &next, &o.Answer, &answered)
		o.Told, o.Answered, o.next = fromMs(told), fromMs(answered), fromMs(next)
		return o, err
	}, `SELECT recipient, told_ms, tries, next_ms, answer, answered_ms FROM request_recipients WHERE org_id = $1 AND request_id = $2 ORDER BY recipient`, org, request)
}

func (r *Rights) unanswered(ctx context.Context, q *Request) (n int, err error) {
	err = r.DB.Row(ctx, `SELECT count(*) FROM request_recipients WHERE org_id = $1 AND request_id = $2 AND answer = ''`, q.Org, q.ID).Scan(&n)
	return n, err
}

// handOn tells each recipient that was not reached yet, and whose time to be tried has come.
func (r *Rights) handOn(ctx context.Context, q *Request) (*Request, error) {
	if q.Plan == nil {
		return q, nil
	}
	for _, key := range q.Plan.Recipients {
		if _, err := r.DB.Exec(ctx, `INSERT INTO request_recipients (org_id, request_id, recipient, told_ms, tries, next_ms, answer, answered_ms) VALUES ($1, $2, $3, 0, 0, 0, '', 0)
			ON CONFLICT DO NOTHING`, q.Org, q.ID, key); err != nil {
			return nil, err
		}
	}
	all, err := r.Recipients(ctx, q.Org, q.ID)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.Answer == NoAnswer && o.Told.IsZero() && !o.next.After(r.Now()) {
			if err := r.tell(ctx, q, o); err != nil {
				return nil, err
			}
		}
	}
	return q, nil
}

// tell hands the order to one recipient. One that cannot be reached is tried again later, less and less often.
func (r *Rights) tell(ctx context.Context, q *Request, o Recipient) error {
	order := Order{Org: q.Org, Recipient: o.Recipient, Request: q.ID, Kind: q.Kind, Who: q.Who, Contact: q.Contact, Purposes: q.Purposes}
	if q.Kind == Correction {
		changes, err := r.Changes(ctx, q.Org, q.ID)
		if err != nil {
			return err
		}
		order.Changes = changes
	}
	answer, failed := r.Tell(ctx, order)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := r.Now()
	told, answered, next := ms(now), int64(0), int64(0)
	switch {
	case failed != nil:
		told, next, answer = 0, ms(now.Add(min(time.Hour<<min(o.Tries, 6), 24*time.Hour))), NoAnswer
	case answer != NoAnswer:
		answered = ms(now)
	}
	_, err := r.DB.Exec(ctx, `UPDATE request_recipients SET told_ms = $4, tries = tries + 1, next_ms = $5, answer = $6, answered_ms = $7 WHERE org_id = $1 AND request_id = $2 AND recipient = $3 AND answer = ''`,
		q.Org, q.ID, o.Recipient, told, next, answer, answered)
	return err
}

// Hear notes what a recipient answered. When all have, the request ends.
func (r *Rights) Hear(ctx context.Context, by *account.Actor, id, recipient string, answer Answer) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	if answer != DidIt && answer != Declined {
		return nil, fault.Field("answer", "Say what the recipient answered: done or refused.")
	}
	q, err := r.change(ctx, by.Org.ID, id, name(by), Heard, recipient, func(tx *db.Tx, q *Request) error {
		n, err := tx.Exec(ctx, `UPDATE request_recipients SET answer = $4, answered_ms = $5 WHERE org_id = $1 AND request_id = $2 AND recipient = $3 AND answer = ''`,
			q.Org, q.ID, recipient, answer, ms(r.Now()))
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "The request %s waits for no answer of %q.", id, recipient)
		}
		return err
	})
	if err != nil || q.State != Waiting {
		return q, err
	}
	r.run.Lock()
	defer r.run.Unlock()
	if q, err = r.get(ctx, r.DB, q.Org, id); err != nil {
		return nil, err
	}
	return r.close(ctx, q)
}
