package rights

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// Correctable lists the values about a person that can be corrected, with what is kept now.
func (r *Rights) Correctable(ctx context.Context, by *account.Actor, id string) (map[string]string, error) {
	q, err := r.One(ctx, by, id)
	if err != nil || !q.Known() {
		return nil, err
	}
	out := map[string]string{}
	for _, f := range r.fields(q.Who.Kind) {
		if out[f.Key], err = f.Read(ctx, q.Org, q.Who); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Rights) fields(kind subject.Kind) []Field {
	var out []Field
	for _, s := range r.Stores {
		for _, f := range s.Fields {
			if f.Kind == kind {
				out = append(out, f)
			}
		}
	}
	return out
}

func (r *Rights) field(kind subject.Kind, key string) (Field, error) {
	all := r.fields(kind)
	i := slices.IndexFunc(all, func(f Field) bool { return f.Key == key })
	if i < 0 {
		return Field{}, fault.Field("field", "%q cannot be corrected here.", key)
	}
	return all[i], nil
}

// Propose says what a correction will write. It can be proposed anew until it is approved; the request is planned again.
func (r *Rights) Propose(ctx context.Context, by *account.Actor, id, field, value string) (*Request, error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if q.Kind != Correction || !q.Known() {
		return nil, fault.New(fault.Conflict, "The request %s corrects nothing: it is no correction, or nothing is kept about the person.", q.ID)
	}
	if _, err := r.field(q.Who.Kind, field); err != nil {
		return nil, err
	}
	if value, err = cleanText("value", "The new value", strings.TrimSpace(value), maxText); err != nil {
		return nil, err
	}
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return nil, err
	}
	_, err = r.change(ctx, q.Org, id, name(by), Noted, "", func(tx *db.Tx, q *Request) error {
		if err := canPlan(q); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM request_corrections WHERE org_id = $1 AND request_id = $2 AND field = $3`, q.Org, q.ID, field); err != nil {
			return err
		}
		var n int
		if err := tx.Row(ctx, `SELECT COALESCE(MAX(n), 0) FROM request_corrections WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID).Scan(&n); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO request_corrections (org_id, request_id, n, field, old_sealed, new_sealed, at_ms) VALUES ($1, $2, $3, $4, NULL, $5, 0)`,
			q.Org, q.ID, n+1, field, sealText(k, "request.new|"+q.ID, value))
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.plan(ctx, q.Org, id, name(by))
}

// Change is one correction.
type Change struct {
	Field    string
	Old, New string // Old is "" before it was written
	Written  bool
	n        int
}

// Changes lists what a correction writes, or has written.
func (r *Rights) Changes(ctx context.Context, org account.OrgID, id string) ([]Change, error) {
	k, err := r.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, r.DB, func(row db.Scanner) (c Change, err error) {
		var before, after []byte
		var at int64
		if err := row.Scan(&c.n, &c.Field, &before, &after, &at); err != nil {
			return c, err
		}
		c.Written = at > 0
		if c.Old, err = openText(k, "request.old|"+id, before); err != nil {
			return c, err
		}
		c.New, err = openText(k, "request.new|"+id, after)
		return c, err
	}, `SELECT n, field, old_sealed, new_sealed, at_ms FROM request_corrections WHERE org_id = $1 AND request_id = $2 ORDER BY n`, org, id)
}

// sealCorrections puts the values to be written into a plan, as keyed hashes: they are approved with it.
func (r *Rights) sealCorrections(ctx context.Context, q *Request, p *Plan) error {
	if q.Kind != Correction {
		return nil
	}
	all, err := r.Changes(ctx, q.Org, q.ID)
	if err != nil {
		return err
	}
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return err
	}
	for _, c := range all {
		p.Changes = append(p.Changes, c.Field+" "+hex.EncodeToString(k.Index("request.new", c.New)))
	}
	return nil
}

// correct writes the new values, and keeps the old ones as the history of the correction. Where nothing is kept, there is
// nothing to correct.
func (r *Rights) correct(ctx context.Context, q *Request) error {
	all, err := r.Changes(ctx, q.Org, q.ID)
	if err != nil {
		return err
	}
	if len(all) == 0 && q.Known() {
		return fault.New(fault.Conflict, "The request %s says nothing of what is to be written. Propose the new value first, or refuse the request.", q.ID)
	}
	for _, c := range all {
		if err := r.step(ctx, q, "correct "+strconv.Itoa(c.n), func() ([]Line, error) { return r.write(ctx, q, c) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rights) write(ctx context.Context, q *Request, c Change) ([]Line, error) {
	f, err := r.field(q.Who.Kind, c.Field)
	if err != nil {
		return nil, err
	}
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return nil, err
	}
	if !c.Written { // after a crash the old value is there already, and reading it again would give the new one
		old, err := f.Read(ctx, q.Org, q.Who)
		if err != nil {
			return nil, err
		}
		if _, err := r.DB.Exec(ctx, `UPDATE request_corrections SET old_sealed = $4, at_ms = $5 WHERE org_id = $1 AND request_id = $2 AND n = $3`,
			q.Org, q.ID, c.n, sealText(k, "request.old|"+q.ID, old), ms(r.Now())); err != nil {
			return nil, err
		}
	}
	if err := f.Write(ctx, q.Org, q.Who, c.New); err != nil {
		return nil, err
	}
	return []Line{{Store: "corrections", Thing: Rows, Name: c.Field, Count: 1}}, nil
}
