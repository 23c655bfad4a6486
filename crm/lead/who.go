package lead

import (
	"context"
	"slices"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
)

// whose is what leads must know of a contact.
type whose struct {
	id      contact.ID // the one that is left after merges
	subject int64
	owner   account.MemberID
}

// subjects gives what leads must know of contacts, by the ids that were asked for.
func (s *Leads) subjects(ctx context.Context, c db.Conn, org account.OrgID, ids []contact.ID) (map[contact.ID]whose, error) {
	out := make(map[contact.ID]whose, len(ids))
	for part := range slices.Chunk(ids, 1000) {
		found, err := s.d.Contacts.Load(ctx, c, org, part...)
		if err != nil {
			return nil, err
		}
		for id, x := range found {
			out[id] = whose{x.ID, x.Subject, x.Owner}
		}
	}
	return out, nil
}

// hand gives the contacts of new leads to the leads' owners.
func (s *Leads) hand(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, leads []*Lead) error {
	owners := map[contact.ID]account.MemberID{}
	for _, l := range leads {
		if l.Owner != "" {
			owners[l.Contact] = l.Owner
		}
	}
	return s.d.Contacts.SetOwners(ctx, tx, org, by, owners)
}

// follow makes the owner of a contact's newest open lead the contact's. Without an open lead the contact keeps its owner.
func (s *Leads) follow(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id contact.ID) error {
	found, err := s.d.Contacts.Load(ctx, tx, org.ID, id)
	if err != nil || found[id] == nil {
		return err
	}
	id = found[id].ID // the one that it was merged into
	family, err := s.d.Contacts.Family(ctx, tx, org.ID, id)
	if err != nil {
		return err
	}
	args := []any{org.ID}
	for _, x := range family {
		args = append(args, x)
	}
	owner, ok, err := db.One(ctx, tx, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
		`SELECT owner FROM leads WHERE org_id = $1 AND contact IN `+db.In(2, len(family))+` AND state = 0 ORDER BY made_ms DESC, lead DESC LIMIT 1`, args...)
	if err != nil || !ok {
		return err
	}
	return s.d.Contacts.SetOwners(ctx, tx, org, by, map[contact.ID]account.MemberID{id: owner})
}

// family adds the contacts that were merged into others.
func (s *Leads) family(ctx context.Context, c db.Conn, org account.OrgID, ids []contact.ID) ([]contact.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.d.Contacts.Family(ctx, c, org, ids...)
}
