package contact

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/freetext"
	"parley/trust/hold"
	"parley/trust/subject"
)

// NoteID is a note's name, such as "nte_06c1…".
type NoteID string

// maxNote is how many characters a note has at most.
const maxNote = 10_000

// Note is what somebody wrote down about a contact.
type Note struct {
	ID          NoteID
	Contact     ID
	Text        string
	By          account.MemberID
	At, Changed time.Time
}

func cleanNote(text string) (string, error) {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), ""))
	if text == "" {
		return "", fault.Field("note", "The note is empty. Write something, or leave it.")
	}
	if n := utf8.RuneCountInString(text); n > maxNote {
		return "", fault.Field("note", "The note has %d characters; at most %d fit. Shorten it, or write two.", n, maxNote)
	}
	return text, freetext.Check("note", text)
}

// AddNote writes a note about a contact.
func (s *Contacts) AddNote(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, x ID, text string) (*Note, error) {
	text, err := cleanNote(text)
	if err != nil {
		return nil, err
	}
	c, err := s.locked(ctx, tx, org, x)
	if err != nil {
		return nil, err
	}
	now := s.d.Now()
	n := &Note{ID: NoteID(id.New("nte")), Contact: c.ID, Text: text, By: by, At: now, Changed: now}
	sealed, err := s.sealNote(ctx, org, c.Subject, text)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO contact_notes (org_id, contact, note, sealed, by_member, at_ms, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $6)`, org, c.ID, n.ID, sealed, by, millis(now)); err != nil {
		return nil, err
	}
	if err := s.indexNote(ctx, tx, org, noteRow{c.ID, n.ID, text}); err != nil {
		return nil, err
	}
	return n, s.SetLast(ctx, tx, org, c.ID, now)
}

// indexNote keeps what a note is found by, in place of what it was found by before.
func (s *Contacts) indexNote(ctx context.Context, tx *db.Tx, org account.OrgID, n noteRow) error {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	if err := dropNoteWords(ctx, tx, org, n.contact, n.note); err != nil {
		return err
	}
	return putNoteWords(ctx, tx, k, org, n)
}

func (s *Contacts) sealNote(ctx context.Context, org account.OrgID, key int64, text string) ([]byte, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return k.SealSubject(ctx, key, "contact_notes", []byte(text))
}

// ChangeNote rewrites a note of one's own.
func (s *Contacts) ChangeNote(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, x ID, note NoteID, text string) error {
	text, err := cleanNote(text)
	if err != nil {
		return err
	}
	c, err := s.locked(ctx, tx, org, x)
	if err != nil {
		return err
	}
	sealed, err := s.sealNote(ctx, org, c.Subject, text)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE contact_notes SET sealed = $5, changed_ms = $6 WHERE org_id = $1 AND contact = $2 AND note = $3 AND by_member = $4`, org, c.ID, note, by, sealed, millis(s.d.Now()))
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no note of yours here. Notes are changed by who wrote them.")
	}
	if err != nil {
		return err
	}
	return s.indexNote(ctx, tx, org, noteRow{c.ID, note, text})
}

// DropNote deletes a note of one's own, unless a hold keeps it.
func (s *Contacts) DropNote(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, x ID, note NoteID) error {
	c, err := s.locked(ctx, tx, org, x)
	if err != nil {
		return err
	}
	kin, err := s.Kin(ctx, tx, org, c.ID)
	if err != nil {
		return err
	}
	if err := s.ask(ctx, tx, org, hold.ContactDelete, CategoryNote, kin); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM contact_notes WHERE org_id = $1 AND contact = $2 AND note = $3 AND by_member = $4`, org, c.ID, note, by)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no note of yours here. Notes are deleted by who wrote them.")
	}
	if err != nil {
		return err
	}
	return dropNoteWords(ctx, tx, org, c.ID, note)
}

// Notes gives notes about a contact, the newest first: at most limit of those before a moment (zero = all).
func (s *Contacts) Notes(ctx context.Context, c db.Conn, org account.OrgID, x ID, before time.Time, limit int) ([]Note, error) {
	found, err := s.Load(ctx, c, org, x)
	if err != nil || found[x] == nil {
		return nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	family, err := s.Family(ctx, c, org, found[x].ID)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysOf(ctx, c, org, family)
	if err != nil {
		return nil, err
	}
	args := []any{org, limit}
	for _, m := range family {
		args = append(args, m)
	}
	where := ` AND contact IN ` + db.In(3, len(family))
	if !before.IsZero() {
		args = append(args, millis(before))
		where += ` AND at_ms < ` + placeholder(len(args))
	}
	return db.Select(ctx, c, func(r db.Scanner) (Note, error) {
		var n Note
		var sealed []byte
		var made, changed int64
		if err := r.Scan(&n.Contact, &n.ID, &sealed, &n.By, &made, &changed); err != nil {
			return n, err
		}
		n.At, n.Changed = at(made), at(changed)
		plain, err := k.OpenSubject(ctx, keys[n.Contact], "contact_notes", sealed)
		n.Text = string(plain)
		return n, err
	}, `SELECT contact, note, sealed, by_member, at_ms, changed_ms FROM contact_notes WHERE org_id = $1`+where+` ORDER BY at_ms DESC, note DESC LIMIT $2`, args...)
}

// keysOf gives the ids of contacts' keys.
func (s *Contacts) keysOf(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) (map[ID]int64, error) {
	out := map[ID]int64{}
	for part := range slices.Chunk(ids, 4*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		type pair struct {
			id  ID
			key int64
		}
		found, err := db.Select(ctx, c, func(r db.Scanner) (p pair, err error) { return p, r.Scan(&p.id, &p.key) }, `SELECT contact, subject FROM contacts WHERE org_id = $1 AND contact IN `+db.In(2, len(part)), args...)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			out[p.id] = p.key
		}
	}
	return out, nil
}

// ask asks the hold gate whether contacts may lose something.
func (s *Contacts) ask(ctx context.Context, c db.Conn, org account.OrgID, path hold.Path, category string, all []*Contact) error {
	if s.d.Gate == nil {
		return nil
	}
	var who []subject.Ref
	for _, one := range all {
		who = append(who, one.Refs()...)
	}
	return s.d.Gate(ctx, c, org, hold.Deletion{Who: who, Category: category, Path: path})
}

// Refs are the names under which holds and requests know a contact: its own and those of its numbers.
func (c *Contact) Refs() []subject.Ref {
	out := []subject.Ref{subject.OfContact(c.Subject)}
	for _, n := range c.Nums {
		out = append(out, subject.OfNumber(int64(n)))
	}
	return out
}
