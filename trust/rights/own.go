package rights

import (
	"context"
	"errors"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/trust/subject"
)

// ownCategory is the policy's category of what people write about their own data.
const ownCategory = "request"

// Own is the store of the requests themselves: a person may see what they asked for, and an erasure takes along what they
// wrote earlier. Requests that are open stay until they are answered.
func (r *Rights) Own() Store {
	return Store{
		Name: "requests",
		Tables: []string{"requests", "request_events", "request_codes", "request_steps", "request_receipts", "request_packages", "request_recipients",
			"request_corrections", "subject_states"},
		Export: r.exportOwn, Plan: r.planOwn, Erase: r.eraseOwn,
	}
}

func (r *Rights) exportOwn(ctx context.Context, org account.OrgID, who subject.Ref, p *Package) error {
	all, err := db.Select(ctx, r.DB, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND subject_ref = $2 ORDER BY received_ms, id`, org, who.String())
	if err != nil {
		return err
	}
	if err := p.Table(ownCategory, "requests", []string{"request", "kind", "channel", "state", "received", "due", "closed", "contact", "name", "text"}, func(add func(...any) error) error {
		for _, q := range all {
			if err := add(q.ID, string(q.Kind), string(q.Channel), string(q.State), q.Received, q.Due, q.Closed, q.Contact.address(), q.Contact.Name, q.Text); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return p.Table("consent", "restrictions", []string{"state", "purpose", "since"}, func(add func(...any) error) error {
		type state struct {
			state, purpose string
			since          int64
		}
		states, err := db.Select(ctx, r.DB, func(row db.Scanner) (s state, err error) { return s, row.Scan(&s.state, &s.purpose, &s.since) },
			`SELECT state, purpose, since_ms FROM subject_states WHERE org_id = $1 AND subject_ref = $2 ORDER BY since_ms, state, purpose`, org, who.String())
		for _, s := range states {
			if err := add(s.state, s.purpose, fromMs(s.since)); err != nil {
				return err
			}
		}
		return err
	})
}

// Past lists the requests about a person that came before a moment, or in its millisecond with an id below one, newest first
// and at most limit. Who may see them is for the caller to ask.
func (r *Rights) Past(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref, at time.Time, below string, limit int) ([]*Request, error) {
	return db.Select(ctx, c, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND subject_ref = $2
		AND (received_ms < $3 OR received_ms = $3 AND id < $4) ORDER BY received_ms DESC, id DESC LIMIT $5`, org, who.String(), ms(at), below, limit)
}

const written = `closed_ms > 0 AND (contact_sealed IS NOT NULL OR text_sealed IS NOT NULL)`

func (r *Rights) planOwn(ctx context.Context, org account.OrgID, who subject.Ref) ([]Line, error) {
	var texts, packages int64
	err := r.DB.Row(ctx, `SELECT count(*) FROM requests WHERE org_id = $1 AND subject_ref = $2 AND `+written, org, who.String()).Scan(&texts)
	if err != nil {
		return nil, err
	}
	err = r.DB.Row(ctx, `SELECT count(*) FROM request_packages p JOIN requests q ON q.org_id = p.org_id AND q.id = p.request_id WHERE p.org_id = $1 AND q.subject_ref = $2`, org, who.String()).Scan(&packages)
	return []Line{{Thing: Rows, Name: "earlier requests", Category: ownCategory, Count: texts}, {Thing: Blobs, Name: "packages", Category: ownCategory, Count: packages}}, err
}

func (r *Rights) eraseOwn(ctx context.Context, org account.OrgID, who subject.Ref, d Decision) ([]Line, error) {
	if d.Keeps(ownCategory) {
		return nil, nil
	}
	lines, err := r.planOwn(ctx, org, who)
	if err != nil {
		return nil, err
	}
	packages, err := db.Select(ctx, r.DB, scanText, `SELECT p.request_id FROM request_packages p JOIN requests q ON q.org_id = p.org_id AND q.id = p.request_id
		WHERE p.org_id = $1 AND q.subject_ref = $2`, org, who.String())
	if err != nil {
		return nil, err
	}
	err = r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := d.Gate(ctx, tx, ownCategory); err != nil {
			return err
		}
		ids, err := db.Select(ctx, tx, scanText, `SELECT id FROM requests WHERE org_id = $1 AND subject_ref = $2 AND `+written, org, who.String())
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := forget(ctx, tx, org, id); err != nil {
				return err
			}
		}
		if d.KeepsAny() {
			return nil
		}
		// Those of the request itself end with it.
		_, err = tx.Exec(ctx, `DELETE FROM subject_states WHERE org_id = $1 AND subject_ref = $2 AND request_id <> $3`, org, who.String(), d.Request)
		return err
	})
	for _, id := range packages {
		if err == nil {
			err = errors.Join(err, r.unpack(ctx, org, id))
		}
	}
	return lines, err
}
