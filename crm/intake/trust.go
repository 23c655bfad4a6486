package intake

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/rights"
	"parley/trust/subject"
)

const (
	categoryMember = "org.member"
	// mappingDays is how long it is remembered how a table was read, counted from its last import.
	mappingDays = 365
)

// Expiring are the rows that end by age: what is known of imports, with the rows they did not take; what they changed, as long
// as they can be undone; how tables were read; and which groups a member who left had let a phone send.
func Expiring() []expire.Table {
	const left = `(SELECT id FROM members WHERE org_id = $1 AND active = 0 AND left_ms > 0 AND left_ms < $2)`
	return []expire.Table{
		{
			Name: "imports of contacts and leads", Category: category, From: "created",
			Count: `SELECT (SELECT count(*) FROM crm_imports WHERE org_id = $1) + (SELECT count(*) FROM crm_import_rejects WHERE org_id = $1)`,
			Due: `SELECT i.import, CASE WHEN i.by_member = '' THEN '' ELSE 'member/' || i.by_member END, i.started_ms,
				1 + (SELECT count(*) FROM crm_import_rejects r WHERE r.org_id = i.org_id AND r.no = i.no), i.bytes
				FROM crm_imports i WHERE i.org_id = $1 AND i.started_ms < $2 AND i.ended_ms > 0`,
			Do: func(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
				no, ok, err := db.One(ctx, tx, func(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) },
					`DELETE FROM crm_imports WHERE org_id = $1 AND import = $2 AND started_ms < $3 AND ended_ms > 0 RETURNING no`, org, row.Key, before.UnixMilli())
				if err != nil || !ok {
					return 0, err
				}
				n, err := tx.Exec(ctx, `DELETE FROM crm_import_rejects WHERE org_id = $1 AND no = $2`, org, no)
				return n + 1, err
			},
		},
		{
			Name: "what imports changed", Category: contact.Category, Part: "undo", From: "created", Days: undoDays, Routine: true,
			Count: `SELECT count(*) FROM crm_import_changes WHERE org_id = $1`,
			Due: `SELECT no || '/' || contact || '/' || lead, 'contact/' || subject, at_ms, 1, 0 FROM crm_import_changes
				WHERE org_id = $1 AND at_ms < $2`,
			Remove: `DELETE FROM crm_import_changes WHERE org_id = $1 AND at_ms < $2 AND no || '/' || contact || '/' || lead = $3`,
		},
		{
			Name: "ways lists were read", Category: category, Part: "mappings", From: "used", Days: mappingDays, Routine: true,
			Count:  `SELECT count(*) FROM crm_import_mappings WHERE org_id = $1`,
			Due:    `SELECT CAST(used_ms AS TEXT), '', used_ms, count(*), 0 FROM crm_import_mappings WHERE org_id = $1 AND used_ms < $2 GROUP BY used_ms`,
			Remove: `DELETE FROM crm_import_mappings WHERE org_id = $1 AND used_ms < $2 AND CAST(used_ms AS TEXT) = $3`,
		},
		{
			Name: "groups that phones may send", Category: categoryMember, Part: "groups", From: "account_closed",
			Count: `SELECT count(*) FROM contact_group_consents WHERE org_id = $1`,
			Due: `SELECT g.device, 'member/' || g.member, m.left_ms, 1, 0 FROM contact_group_consents g JOIN members m ON m.org_id = g.org_id AND m.id = g.member
				WHERE g.org_id = $1 AND m.active = 0 AND m.left_ms > 0 AND m.left_ms < $2`,
			Remove: `DELETE FROM contact_group_consents WHERE org_id = $1 AND member IN ` + left + ` AND device = $3`,
		},
	}
}

// ContactsGone forgets what imports changed of contacts that are about to be deleted. It is registered with
// contact.Contacts.OnGone.
func (i *Imports) ContactsGone(ctx context.Context, tx *db.Tx, org account.OrgID, contacts []contact.ID) error {
	for part := range slices.Chunk(contacts, 200) {
		args := []any{org}
		for _, c := range part {
			args = append(args, c)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM crm_import_changes WHERE org_id = $1 AND contact IN `+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// LeadsGone forgets what imports changed of leads that are about to be deleted. It is registered with lead.Leads.OnGone.
func (i *Imports) LeadsGone(ctx context.Context, tx *db.Tx, org account.OrgID, leads []lead.ID) error {
	for part := range slices.Chunk(leads, 200) {
		args := []any{org}
		for _, l := range part {
			args = append(args, l)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM crm_import_changes WHERE org_id = $1 AND lead <> '' AND lead IN `+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// Store is what rights asks of imports: what they changed of a person and can be put back still, the person's rows that were
// not taken, and which groups a member let a phone send. It finds persons by their contacts, whose store takes the keys away
// and is registered behind it. Who brought in a file stays with the import, until its time.
func (i *Imports) Store() rights.Store {
	return rights.Store{
		Name: "imports of contacts", Once: true,
		Tables: []string{"crm_imports", "crm_import_rejects", "crm_import_changes", "crm_import_mappings", "contact_groups", "contact_group_consents"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
			return i.export(ctx, org, who, to)
		},
		Plan: i.planErasure, Erase: i.erase,
	}
}

// marks are what a person is known by in the rows of a file.
type marks struct {
	endings []string // of their numbers: the last digits, since people write the beginning in many ways
	emails  []string
	keys    []int64 // of their contacts
}

// endDigits are enough to know a number by.
const endDigits = 8

func (i *Imports) marks(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) (m marks, err error) {
	all, err := i.d.Contacts.Names(ctx, c, org, who)
	if err != nil {
		return m, err
	}
	var nums []number.ID
	for _, r := range all {
		if n := r.Num(); n > 0 {
			nums = append(nums, number.ID(n))
		}
		if n := r.Con(); n > 0 {
			m.keys = append(m.keys, n)
		}
	}
	texts, err := i.d.Book.Texts(ctx, c, org, nums)
	if err != nil {
		return m, err
	}
	ids, err := i.d.Contacts.Of(ctx, c, org, who)
	if err != nil {
		return m, err
	}
	contacts, err := i.d.Contacts.Load(ctx, c, org, ids...)
	if err != nil {
		return m, err
	}
	numbers := make([]string, 0, len(texts))
	for _, t := range texts {
		numbers = append(numbers, t)
	}
	for _, one := range contacts {
		for _, e := range one.Person.Emails {
			m.emails = append(m.emails, strings.ToLower(e.Text))
		}
	}
	for _, t := range numbers {
		if d := phone.Digits(t); len(d) >= endDigits {
			m.endings = append(m.endings, d[len(d)-endDigits:])
		}
	}
	return m, nil
}

// in tells whether a row is about the person.
func (m *marks) in(p *Problem) bool {
	for _, text := range append([]string{p.Value, p.Reason}, p.Cells...) {
		lower := strings.ToLower(text)
		if slices.ContainsFunc(m.emails, func(e string) bool { return strings.Contains(lower, e) }) {
			return true
		}
		for one := range strings.FieldsFuncSeq(text, func(r rune) bool { return !(r >= '0' && r <= '9') && !strings.ContainsRune("+ .-()/\u00a0", r) }) {
			d := phone.Digits(one)
			if slices.ContainsFunc(m.endings, func(e string) bool { return strings.HasSuffix(d, e) }) {
				return true
			}
		}
	}
	return false
}

// rowsOf visits the rows that were not taken and are about a person, with the part that holds them.
func (i *Imports) rowsOf(ctx context.Context, c db.Conn, org account.OrgID, m *marks, visit func(p *part, n int) error) error {
	if len(m.endings)+len(m.emails) == 0 {
		return nil
	}
	for p := (part{}); ; {
		var ok bool
		var err error
		if p, ok, err = i.nextPart(ctx, c, org, p, false); err != nil || !ok {
			return err
		}
		for n := range p.rows {
			if m.in(&p.rows[n]) {
				if err := visit(&p, n); err != nil {
					return err
				}
			}
		}
	}
}

// copies takes the tables of a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
}

func (i *Imports) export(ctx context.Context, org account.OrgID, who subject.Ref, to copies) error {
	if who.Kind == subject.Member {
		return i.exportMember(ctx, org, account.MemberID(who.ID), to)
	}
	m, err := i.marks(ctx, i.d.DB, org, who)
	if err != nil {
		return err
	}
	if err := to.Table(category, "rows_not_taken", []string{"row", "reason", "cells"}, func(add func(...any) error) error {
		return i.rowsOf(ctx, i.d.DB, org, &m, func(p *part, n int) error { return add(p.rows[n].Row, p.rows[n].Reason, p.rows[n].Cells) })
	}); err != nil {
		return err
	}
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	return to.Table(contact.Category, "before_imports", []string{"import", "at", "before"}, func(add func(...any) error) error {
		for _, key := range m.keys {
			type found struct {
				id     string
				at     int64
				sealed []byte
			}
			all, err := db.Select(ctx, i.d.DB, func(r db.Scanner) (f found, err error) { return f, r.Scan(&f.id, &f.at, &f.sealed) },
				`SELECT i.import, c.at_ms, c.sealed FROM crm_import_changes c JOIN crm_imports i ON i.org_id = c.org_id AND i.no = c.no WHERE c.org_id = $1 AND c.subject = $2 ORDER BY c.at_ms, c.lead`, org, key)
			if err != nil {
				return err
			}
			for _, f := range all {
				plain, err := k.OpenSubject(ctx, key, changeField(f.id), f.sealed)
				if fault.KindOf(err) == fault.Gone && err != nil {
					continue
				}
				if err != nil {
					return err
				}
				if err := add(f.id, moment(f.at), string(plain)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (i *Imports) exportMember(ctx context.Context, org account.OrgID, m account.MemberID, to copies) error {
	scan, err := i.scan(ctx, org)
	if err != nil {
		return err
	}
	all, err := db.Select(ctx, i.d.DB, scan, `SELECT `+importColumns+` FROM crm_imports WHERE org_id = $1 AND by_member = $2 ORDER BY no`, org, m)
	if err != nil {
		return err
	}
	if err := to.Table(category, "imports_of_contacts", []string{"import", "file", "started", "rows"}, func(add func(...any) error) error {
		for _, x := range all {
			if err := add(x.ID, x.Spec.Name, x.StartedAt, x.Counts.Rows); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	given, err := i.consentsOf(ctx, i.d.DB, org, m)
	if err != nil {
		return err
	}
	return to.Table(categoryMember, "groups_phones_may_send", []string{"groups", "since"}, func(add func(...any) error) error {
		for _, g := range given {
			if err := add(g.Names, g.At); err != nil {
				return err
			}
		}
		return nil
	})
}

// planErasure lists what an erasure would remove.
func (i *Imports) planErasure(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	return i.count(ctx, i.d.DB, org, who)
}

func (i *Imports) count(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	if who.Kind == subject.Member {
		given, err := i.consentsOf(ctx, c, org, account.MemberID(who.ID))
		line := rights.Line{Thing: rights.Rows, Name: "groups that phones may send", Category: categoryMember, Count: int64(len(given))}
		for _, g := range given {
			if g.At.After(line.Newest) {
				line.Newest = g.At
			}
		}
		return []rights.Line{line}, err
	}
	lines := []rights.Line{{Thing: rights.Rows, Name: "rows that imports of contacts had refused", Category: category}, {Thing: rights.Rows, Name: "what imports changed", Category: contact.Category}}
	m, err := i.marks(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	if err := i.rowsOf(ctx, c, org, &m, func(*part, int) error { lines[0].Count++; return nil }); err != nil {
		return nil, err
	}
	for _, key := range m.keys {
		var n, newest int64
		if err := c.Row(ctx, `SELECT count(*), coalesce(max(at_ms), 0) FROM crm_import_changes WHERE org_id = $1 AND subject = $2`, org, key).Scan(&n, &newest); err != nil {
			return nil, err
		}
		lines[1].Count += n
		if at := moment(newest); at.After(lines[1].Newest) {
			lines[1].Newest = at
		}
	}
	return lines, nil
}

// scrubbed is what stays of a row that was not taken once the person in it was erased. Its place stays, so that counts do.
const scrubbed = "The row was about a person whose data was erased since."

func (i *Imports) erase(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	return lines, i.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if lines, err = i.count(ctx, tx, org, who); err != nil {
			return err
		}
		if who.Kind == subject.Member {
			if d.Keeps(categoryMember) {
				lines = nil
				return nil
			}
			if err := d.Gate(ctx, tx, categoryMember); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `DELETE FROM contact_group_consents WHERE org_id = $1 AND member = $2`, org, who.ID)
			return err
		}
		m, err := i.marks(ctx, tx, org, who)
		if err != nil {
			return err
		}
		var gone []rights.Line
		if !d.Keeps(category) {
			if err := d.Gate(ctx, tx, category); err != nil {
				return err
			}
			if err := i.scrub(ctx, tx, org, &m); err != nil {
				return err
			}
			gone = append(gone, lines[0])
		}
		if !d.Keeps(contact.Category) {
			if err := d.Gate(ctx, tx, contact.Category); err != nil {
				return err
			}
			for _, key := range m.keys {
				if _, err := tx.Exec(ctx, `DELETE FROM crm_import_changes WHERE org_id = $1 AND subject = $2`, org, key); err != nil {
					return err
				}
			}
			gone = append(gone, lines[1])
		}
		lines = gone
		return nil
	})
}

// scrub blanks the rows that were not taken and are about a person.
func (i *Imports) scrub(ctx context.Context, tx *db.Tx, org account.OrgID, m *marks) error {
	return i.rowsOf(ctx, tx, org, m, func(p *part, n int) error {
		r := &p.rows[n]
		*r = Problem{Row: r.Row, Column: r.Column, Reason: scrubbed, Skipped: r.Skipped}
		return i.putRejects(ctx, tx, org, p.no, p.n, p.rows)
	})
}
