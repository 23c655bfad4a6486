package rights

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// What must not be done with a person's data.
const (
	subjectRestricted = "restricted"
	subjectLocked     = "locked"
	subjectObjected   = "objected"
)

func (r *Rights) setState(ctx context.Context, tx *db.Tx, q *Request, names []subject.Ref, state, purpose string) error {
	for _, who := range names {
		if who == (subject.Ref{}) {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO subject_states (org_id, subject_ref, state, purpose, request_id, since_ms) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org_id, subject_ref, state, purpose) DO NOTHING`, q.Org, who.String(), state, purpose, q.ID, ms(r.Now())); err != nil {
			return err
		}
	}
	return nil
}

// restrict ends every use of a person's data but keeping it.
func (r *Rights) restrict(ctx context.Context, q *Request, state string) error {
	if !q.Known() {
		return nil
	}
	if err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		names, err := r.names(ctx, tx, q.Org, q.Who)
		if err != nil {
			return err
		}
		return r.setState(ctx, tx, q, names, state, "")
	}); err != nil {
		return err
	}
	return r.Restrict(ctx, q.Org, q.Who, true)
}

// Restricted gives everybody whose data may only be kept: restricted on their request, or locked until a law lets it be
// erased. Reports and searches leave them out.
func (r *Rights) Restricted(ctx context.Context, c db.Conn, org account.OrgID) (map[subject.Ref]bool, error) {
	return r.refs(ctx, c, `SELECT subject_ref FROM subject_states WHERE org_id = $1 AND state IN ('restricted', 'locked')`, org)
}

func (r *Rights) refs(ctx context.Context, c db.Conn, query string, args ...any) (map[subject.Ref]bool, error) {
	texts, err := db.Select(ctx, c, scanText, query, args...)
	if err != nil {
		return nil, err
	}
	out := make(map[subject.Ref]bool, len(texts))
	for _, t := range texts {
		ref, err := subject.Parse(t)
		if err != nil {
			return nil, err
		}
		out[ref] = true
	}
	return out, nil
}

// May tells whether a person's data may be used for a purpose: not when it is restricted or locked, unless for the person's
// own rights or a legal duty, and not when they objected to the purpose.
func (r *Rights) May(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref, purpose string) (bool, error) {
	if purpose == "rights" || purpose == "legal" {
		return true, nil
	}
	var n int
	err := c.Row(ctx, `SELECT count(*) FROM subject_states WHERE org_id = $1 AND subject_ref = $2 AND (state IN ('restricted', 'locked') OR state = 'objected' AND purpose = $3)`,
		org, who.String(), purpose).Scan(&n)
	return n == 0, err
}

// Lift ends a restriction or an objection, for instance because the person asked for it. A lock ends by itself.
func (r *Rights) Lift(ctx context.Context, by *account.Actor, id, note string) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	if note == "" {
		return nil, fault.Field("note", "Say why it ends, for example: the person asked for it by mail on 3 March.")
	}
	q, err := r.change(ctx, by.Org.ID, id, name(by), Lifted, note, func(tx *db.Tx, q *Request) error {
		n, err := tx.Exec(ctx, `DELETE FROM subject_states WHERE org_id = $1 AND request_id = $2 AND state IN ('restricted', 'objected')`, q.Org, q.ID)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "The request %s restricts nothing now.", q.ID)
		}
		return err
	})
	if err != nil || q.Kind != Restriction {
		return q, err
	}
	all, err := r.Restricted(ctx, r.DB, q.Org)
	if err != nil || all[q.Who] { // another request keeps the restriction
		return q, err
	}
	return q, r.Restrict(ctx, q.Org, q.Who, false)
}

// Stands tells whether a restriction or an objection of a request is in force.
func (r *Rights) Stands(ctx context.Context, q *Request) (bool, error) {
	var n int
	err := r.DB.Row(ctx, `SELECT count(*) FROM subject_states WHERE org_id = $1 AND request_id = $2 AND state IN ('restricted', 'objected')`, q.Org, q.ID).Scan(&n)
	return n > 0, err
}
