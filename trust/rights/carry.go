package rights

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/trust/subject"
)

// Carry puts the requests that another database has of an organisation, and what must not be done with whose data, in the
// place of those here: their clocks run on whatever is restored. rename tells who a person there is here.
func (r *Rights) Carry(ctx context.Context, from *Rights, tx *db.Tx, org account.OrgID, rename func(subject.Ref) (subject.Ref, error)) error {
	change := func(column string, v any) (any, error) {
		text, ok := v.(string)
		if column != "subject_ref" || !ok || text == "" {
			return v, nil
		}
		ref, err := subject.Parse(text)
		if err != nil {
			return nil, err
		}
		if ref, err = rename(ref); err != nil {
			return nil, err
		}
		return ref.String(), nil
	}
	for _, table := range []string{"requests", "request_events", "request_codes", "request_steps", "request_receipts", "request_packages", "request_recipients",
		"request_corrections", "subject_states"} {
		if err := db.CopyRows(ctx, from.DB, tx, table, int64(org), change); err != nil {
			return err
		}
	}
	return nil
}

// LockAgain removes once more what no law keeps of people whose erasure waits for the end of a legal floor, after a restored
// backup brought it back.
func (r *Rights) LockAgain(ctx context.Context, org account.OrgID) error {
	waiting, err := db.Select(ctx, r.DB, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND state = $2`, org, Locked)
	if err != nil {
		return err
	}
	for _, q := range waiting {
		if q.Plan == nil {
			continue
		}
		names, err := r.names(ctx, r.DB, org, q.Who)
		if err != nil {
			return err
		}
		for _, s := range r.Stores {
			if s.Erase == nil {
				continue
			}
			if _, err := s.erase(ctx, org, names, Decision{Request: q.ID, At: r.Now(), Keep: q.Plan.Locks}); err != nil {
				return err
			}
		}
	}
	return nil
}

// EraseBeside asks every store but one to erase a person who was erased before, and whom a restored backup brought back, under
// this one name: each name whose key was destroyed comes by itself. Stores that find a person by any name are asked for the
// names of contacts and members. No hold is asked: that they were erased shows that they could be.
func (r *Rights) EraseBeside(ctx context.Context, org account.OrgID, who subject.Ref, but string, d Decision) error {
	for _, s := range r.Stores {
		if s.Erase == nil || s.Name == but || s.Once && who.Num() > 0 {
			continue
		}
		if _, err := s.Erase(ctx, org, who, d); err != nil {
			return err
		}
	}
	return nil
}
