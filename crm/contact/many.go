package contact

import (
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/id"
)

// ByEmails gives the contacts that have e-mail addresses, by the addresses in small letters, without blanks.
func (s *Contacts) ByEmails(ctx context.Context, c db.Conn, org account.OrgID, emails ...string) (map[string][]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	var ids []ID
	for part := range slices.Chunk(emails, 4*chunk) {
		args := []any{org}
		for _, e := range part {
			args = append(args, emailIndex(k, e))
		}
		some, err := db.Select(ctx, c, scanID, `SELECT c.contact FROM contact_index i JOIN contacts c ON c.org_id = i.org_id AND c.subject = i.subject
			WHERE i.org_id = $1 AND i.kind = 2 AND i.idx IN `+db.In(2, len(part)), args...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	found, err := s.Load(ctx, c, org, ids...)
	if err != nil {
		return nil, err
	}
	out := map[string][]ID{}
	slices.Sort(ids)
	for _, x := range slices.Compact(ids) {
		if found[x] == nil {
			continue
		}
		for _, e := range found[x].Person.Emails {
			if key := strings.ToLower(strings.TrimSpace(e.Text)); !slices.Contains(out[key], x) {
				out[key] = append(out[key], x)
			}
		}
	}
	return out, nil
}

// Remark is a note to be written about a contact.
type Remark struct {
	Contact ID
	Text    string
}

// CheckNote refuses a text that no note can have.
func CheckNote(text string) error {
	_, err := cleanNote(text)
	return err
}

// AddNotes writes many notes at once.
func (s *Contacts) AddNotes(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, all []Remark) error {
	now := s.d.Now()
	for part := range slices.Chunk(all, 2*chunk) {
		ids := make([]ID, len(part))
		for i, r := range part {
			ids[i] = r.Contact
		}
		found, err := s.Load(ctx, tx, org, ids...)
		if err != nil {
			return err
		}
		var args []any
		var rows []noteRow
		for _, r := range part {
			c := found[r.Contact]
			if c == nil {
				return errNone(r.Contact)
			}
			text, err := cleanNote(r.Text)
			if err != nil {
				return err
			}
			sealed, err := s.sealNote(ctx, org, c.Subject, text)
			if err != nil {
				return err
			}
			n := noteRow{c.ID, NoteID(id.New("nte")), text}
			rows = append(rows, n)
			args = append(args, org, c.ID, n.note, sealed, by, millis(now), millis(now))
			if err := s.SetLast(ctx, tx, org, c.ID, now); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_notes (org_id, contact, note, sealed, by_member, at_ms, changed_ms) VALUES `+db.Values(len(part), 7), args...); err != nil {
			return err
		}
		k, err := s.d.Keys.Org(ctx, int64(org))
		if err != nil {
			return err
		}
		if err := putNoteWords(ctx, tx, k, org, rows...); err != nil {
			return err
		}
	}
	return nil
}
