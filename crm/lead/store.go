package lead

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

const (
	// chunk is how many leads one statement reads.
	chunk = 200
	// rows is how many leads one statement writes.
	rows = 50

	columns = `lead, contact, subject, pipeline, stage, state, rank, reason, value, currency, source, source_day, owner, team, import, rev,
	made_ms, made_by, changed_ms, changed_by, stage_ms, closed_ms, due_ms, attempts, connected, first_ms, last_ms, tags, custom`
	width = 30 // org_id and columns
)

// What binds sealed values to their place; the subject's key binds them to the contact.
func tagsField(id ID) string   { return "leads.tags|" + string(id) }
func customField(id ID) string { return "leads.custom|" + string(id) }

// scan gives what reads a row of columns. What was sealed under a key that is destroyed is left out.
func (s *Leads) scan(ctx context.Context, org account.OrgID) func(db.Scanner) (*Lead, error) {
	var k *vault.OrgKeys
	return func(r db.Scanner) (*Lead, error) {
		var l Lead
		var made, changed, staged, closed, due, first, last int64
		var tags, custom []byte
		if err := r.Scan(&l.ID, &l.Contact, &l.Subject, &l.Pipeline, &l.Stage, &l.State, (*[]byte)(&l.rank), &l.Reason, &l.Value, &l.Currency, &l.Source, &l.SourceDay,
			&l.Owner, &l.Team, &l.Import, &l.Rev, &made, &l.MadeBy, &changed, &l.ChangedBy, &staged, &closed, &due, &l.Attempts, &l.Connected, &first, &last,
			&tags, &custom); err != nil {
			return nil, err
		}
		l.Made, l.Changed, l.Staged, l.Closed, l.Due, l.First, l.Last = at(made), at(changed), at(staged), at(closed), at(due), at(first), at(last)
		if tags == nil && custom == nil {
			return &l, nil
		}
		if k == nil {
			var err error
			if k, err = s.d.Keys.Org(ctx, int64(org)); err != nil {
				return nil, err
			}
		}
		if err := unseal(ctx, k, l.Subject, tagsField(l.ID), tags, &l.Tags); err != nil {
			return nil, err
		}
		return &l, unseal(ctx, k, l.Subject, customField(l.ID), custom, &l.Custom)
	}
}

// unseal reads a sealed value into to, and leaves to as it is when there is none or its key was destroyed.
func unseal(ctx context.Context, k *vault.OrgKeys, subject int64, field string, sealed []byte, to any) error {
	if sealed == nil {
		return nil
	}
	plain, err := k.OpenSubject(ctx, subject, field, sealed)
	if fault.KindOf(err) == fault.Gone {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, to)
}

// seal seals a value; an empty one is nil.
func seal(ctx context.Context, k *vault.OrgKeys, subject int64, field string, value any, empty bool) (any, error) {
	if empty {
		return nil, nil
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	sealed, err := k.SealSubject(ctx, subject, field, plain)
	if fault.KindOf(err) == fault.Gone {
		return nil, fault.Wrap(fault.Gone, err, "This contact was erased, and nothing more can be kept about them.")
	}
	return sealed, err
}

// args are the values of a row, org_id first.
func (l *Lead) args(ctx context.Context, k *vault.OrgKeys, org account.OrgID) ([]any, error) {
	tags, err := seal(ctx, k, l.Subject, tagsField(l.ID), l.Tags, len(l.Tags) == 0)
	if err != nil {
		return nil, err
	}
	custom, err := seal(ctx, k, l.Subject, customField(l.ID), l.Custom, len(l.Custom) == 0)
	if err != nil {
		return nil, err
	}
	return []any{org, l.ID, l.Contact, l.Subject, l.Pipeline, l.Stage, l.State, []byte(l.rank), l.Reason, l.Value, l.Currency, l.Source, l.SourceDay, l.Owner, l.Team, l.Import, l.Rev,
		millis(l.Made), l.MadeBy, millis(l.Changed), l.ChangedBy, millis(l.Staged), millis(l.Closed), millis(l.Due), l.Attempts, l.Connected, millis(l.First), millis(l.Last),
		tags, custom}, nil
}

// insert writes new leads.
func insert(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, leads []*Lead) error {
	for part := range slices.Chunk(leads, rows) {
		args := make([]any, 0, len(part)*width)
		for _, l := range part {
			one, err := l.args(ctx, k, org)
			if err != nil {
				return err
			}
			args = append(args, one...)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO leads (org_id, `+columns+`) VALUES `+db.Values(len(part), width), args...); err != nil {
			return err
		}
	}
	return putTags(ctx, tx, k, org, leads...)
}

// update writes a lead over what is there.
func update(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, l *Lead) error {
	args, err := l.args(ctx, k, org)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE leads SET contact = $3, subject = $4, pipeline = $5, stage = $6, state = $7, rank = $8, reason = $9, value = $10, currency = $11, source = $12,
		source_day = $13, owner = $14, team = $15, import = $16, rev = $17, made_ms = $18, made_by = $19, changed_ms = $20, changed_by = $21, stage_ms = $22, closed_ms = $23,
		due_ms = $24, attempts = $25, connected = $26, first_ms = $27, last_ms = $28, tags = $29, custom = $30 WHERE org_id = $1 AND lead = $2`, args...)
	return err
}

// Load gives leads by id; those that there are not are left out.
func (s *Leads) Load(ctx context.Context, c db.Conn, org account.OrgID, ids ...ID) (map[ID]*Lead, error) {
	out := make(map[ID]*Lead, len(ids))
	scan := s.scan(ctx, org)
	for part := range slices.Chunk(ids, chunk) {
		found, err := db.Select(ctx, c, scan, `SELECT `+columns+` FROM leads WHERE org_id = $1 AND lead IN `+db.In(2, chunk), listArgs(org, part)...)
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			out[l.ID] = l
		}
	}
	return out, nil
}

// listArgs are the arguments of a query about up to chunk things: one statement text for every number of them.
func listArgs[T any](org account.OrgID, part []T) []any {
	args := make([]any, 0, chunk+1)
	args = append(args, org)
	for _, x := range part {
		args = append(args, x)
	}
	for len(args) <= chunk {
		args = append(args, part[0])
	}
	return args
}

// Get gives one lead that somebody sees. Another organisation's lead, and one out of sight, is NotFound.
func (s *Leads) Get(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, id ID) (*Lead, error) {
	l, ok, err := db.One(ctx, c, s.scan(ctx, org), `SELECT `+columns+` FROM leads WHERE org_id = $1 AND lead = $2`, org, id)
	if err != nil {
		return nil, err
	}
	if !ok || !sight.Sees(l.Owner) {
		return nil, errNone(id)
	}
	return l, nil
}

// locked gives a lead that nobody else changes until the transaction ends.
func (s *Leads) locked(ctx context.Context, tx *db.Tx, org account.OrgID, id ID) (*Lead, error) {
	query := `SELECT ` + columns + ` FROM leads WHERE org_id = $1 AND lead = $2`
	if tx.Engine() == db.Postgres {
		query += ` FOR UPDATE`
	}
	l, ok, err := db.One(ctx, tx, s.scan(ctx, org), query, org, id)
	if err == nil && !ok {
		err = errNone(id)
	}
	return l, err
}

// OfContacts lists the leads of contacts, and of those that were merged into them, newest first.
func (s *Leads) OfContacts(ctx context.Context, c db.Conn, org account.OrgID, contacts ...contact.ID) ([]*Lead, error) {
	contacts, err := s.family(ctx, c, org, contacts)
	if err != nil {
		return nil, err
	}
	var out []*Lead
	scan := s.scan(ctx, org)
	for part := range slices.Chunk(contacts, chunk) {
		found, err := db.Select(ctx, c, scan, `SELECT `+columns+` FROM leads WHERE org_id = $1 AND contact IN `+db.In(2, chunk), listArgs(org, part)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, newestFirst)
	return out, nil
}

func newestFirst(a, b *Lead) int {
	if n := b.Made.Compare(a.Made); n != 0 {
		return n
	}
	if a.ID > b.ID {
		return -1
	}
	return 1
}

// EachFigure visits, without tags and custom fields and in no order, the leads that a report from a moment on is about: those made or
// closed since, and those that are open. The lead is valid during the visit alone.
func (s *Leads) EachFigure(ctx context.Context, c db.Conn, org account.OrgID, since time.Time, visit func(*Lead) error) error {
	rows, err := c.Rows(ctx, `SELECT lead, contact, pipeline, stage, state, value, currency, source, owner, team, made_ms, stage_ms, closed_ms, due_ms, attempts, connected, first_ms FROM leads
		WHERE org_id = $1 AND (state = 0 OR made_ms >= $2 OR closed_ms >= $2)`, org, millis(since))
	if err != nil {
		return err
	}
	defer rows.Close()
	var l Lead
	for rows.Next() {
		var made, staged, closed, due, first int64
		if err := rows.Scan(&l.ID, &l.Contact, &l.Pipeline, &l.Stage, &l.State, &l.Value, &l.Currency, &l.Source, &l.Owner, &l.Team, &made, &staged, &closed, &due, &l.Attempts, &l.Connected, &first); err != nil {
			return err
		}
		l.Made, l.Staged, l.Closed, l.Due, l.First = at(made), at(staged), at(closed), at(due), at(first)
		if err := visit(&l); err != nil {
			return err
		}
	}
	return rows.Err()
}
