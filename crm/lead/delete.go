package lead

import (
	"context"
	"slices"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Delete removes leads with their history for good. A legal hold stops all of it. The contacts stay.
func (s *Leads) Delete(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, ids ...ID) error {
	leads, err := s.Load(ctx, tx, org.ID, ids...)
	if err != nil {
		return err
	}
	var contacts []contact.ID
	var who []subject.Ref
	for _, id := range ids {
		l := leads[id]
		if l == nil {
			return errNone(id)
		}
		contacts = append(contacts, l.Contact)
		who = append(who, subject.OfContact(l.Subject))
	}
	for _, category := range []string{Category, CategoryTags} {
		if err := s.ask(ctx, tx, org.ID, hold.LeadDelete, category, who); err != nil {
			return err
		}
	}
	if _, err := s.remove(ctx, tx, org.ID, ids); err != nil {
		return err
	}
	slices.Sort(contacts)
	for _, x := range slices.Compact(contacts) {
		if err := s.follow(ctx, tx, org, by, x); err != nil {
			return err
		}
	}
	return nil
}

// ask asks the holds about data of contacts.
func (s *Leads) ask(ctx context.Context, c db.Conn, org account.OrgID, path hold.Path, category string, who []subject.Ref) error {
	if s.d.Gate == nil || len(who) == 0 {
		return nil
	}
	return s.d.Gate(ctx, c, org, hold.Deletion{Who: who, Category: category, Path: path})
}

// remove deletes leads with all that belongs to them, and counts the leads. The holds were asked.
func (s *Leads) remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) (n int64, err error) {
	for _, g := range s.gone {
		if err := g(ctx, tx, org, ids); err != nil {
			return 0, err
		}
	}
	for part := range slices.Chunk(ids, chunk) {
		for _, q := range []string{`DELETE FROM lead_events WHERE org_id = $1 AND lead IN `, `DELETE FROM lead_tags WHERE org_id = $1 AND lead IN `} {
			if _, err := tx.Exec(ctx, q+db.In(2, chunk), listArgs(org, part)...); err != nil {
				return n, err
			}
		}
		rows, err := tx.Exec(ctx, `DELETE FROM leads WHERE org_id = $1 AND lead IN `+db.In(2, chunk), listArgs(org, part)...)
		if n += rows; err != nil {
			return n, err
		}
	}
	return n, nil
}

// ContactsGone deletes the leads of contacts that are about to be deleted. It is registered with contact.Contacts.OnGone.
func (s *Leads) ContactsGone(ctx context.Context, tx *db.Tx, org account.OrgID, contacts []contact.ID) error {
	leads, err := s.OfContacts(ctx, tx, org, contacts...)
	if err != nil || len(leads) == 0 {
		return err
	}
	var who []subject.Ref
	for _, l := range leads {
		who = append(who, subject.OfContact(l.Subject))
	}
	for _, category := range []string{Category, CategoryTags} {
		if err := s.ask(ctx, tx, org, hold.LeadDelete, category, who); err != nil {
			return err
		}
	}
	_, err = s.remove(ctx, tx, org, idsOf(leads))
	return err
}

// Brought lists the leads that an import brought, with the rev of each: those at rev 1 were not changed since.
func (s *Leads) Brought(ctx context.Context, c db.Conn, org account.OrgID, imported string) (map[ID]int64, error) {
	type row struct {
		id  ID
		rev int64
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.id, &x.rev) },
		`SELECT lead, rev FROM leads WHERE org_id = $1 AND import = $2 AND import <> ''`, org, imported)
	out := make(map[ID]int64, len(all))
	for _, x := range all {
		out[x.id] = x.rev
	}
	return out, err
}

// DeleteOrg removes everything that leads keep of an organisation.
func (s *Leads) DeleteOrg(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM leads WHERE org_id = $1`, `DELETE FROM lead_tags WHERE org_id = $1`, `DELETE FROM lead_events WHERE org_id = $1`,
		`DELETE FROM lead_bulks WHERE org_id = $1`, `DELETE FROM lead_views WHERE org_id = $1`, `DELETE FROM pipelines WHERE org_id = $1`,
		`DELETE FROM stages WHERE org_id = $1`, `DELETE FROM lead_reasons WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
