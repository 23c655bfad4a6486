package contact

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// For timelines, which have many sources: what was written about a contact itself, and what was changed of it, before a moment,
// newest first and at most limit. What came with contacts that were merged into it is theirs, see Family.

// PastNotes lists notes from before a moment, or from its millisecond with an id below one.
func (s *Contacts) PastNotes(ctx context.Context, c db.Conn, org account.OrgID, x ID, before time.Time, below NoteID, limit int) ([]Note, error) {
	keys, err := s.keysOf(ctx, c, org, []ID{x})
	if err != nil {
		return nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (Note, error) {
		n := Note{Contact: x}
		var sealed []byte
		var made, changed int64
		if err := r.Scan(&n.ID, &sealed, &n.By, &made, &changed); err != nil {
			return n, err
		}
		n.At, n.Changed = at(made), at(changed)
		plain, err := k.OpenSubject(ctx, keys[x], "contact_notes", sealed)
		if fault.KindOf(err) == fault.Gone {
			return n, nil
		}
		n.Text = string(plain)
		return n, err
	}, `SELECT note, sealed, by_member, at_ms, changed_ms FROM contact_notes WHERE org_id = $1 AND contact = $2
		AND (at_ms < $3 OR at_ms = $3 AND note < $4) ORDER BY note DESC LIMIT $5`, org, x, millis(before), below, limit)
}

// Past lists changes from before a moment, or from its millisecond with a rev below one; those of one rev by field.
func (s *Contacts) Past(ctx context.Context, c db.Conn, org account.OrgID, x ID, before time.Time, below int64, limit int) ([]Event, error) {
	keys, err := s.keysOf(ctx, c, org, []ID{x})
	if err != nil {
		return nil, err
	}
	return s.events(ctx, c, org, keys[x], `contact = $2 AND (at_ms < $3 OR at_ms = $3 AND rev < $4) ORDER BY rev DESC, field LIMIT $5`, org, x, millis(before), below, limit)
}

// Kin gives a contact with all that were merged into it, as each of them is, the first one that was made first.
func (s *Contacts) Kin(ctx context.Context, c db.Conn, org account.OrgID, x ID) ([]*Contact, error) {
	family, err := s.Family(ctx, c, org, x)
	if err != nil {
		return nil, err
	}
	found, err := s.load(ctx, c, org, family)
	out := slices.Collect(maps.Values(found))
	slices.SortFunc(out, func(a, b *Contact) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return out, err
}
