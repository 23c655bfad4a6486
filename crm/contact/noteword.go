package contact

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/platform/words"
)

const (
	noteLabel = "contact note word"
	mostNotes = 400 // that one search opens
)

// noteRow is one note whose words are kept.
type noteRow struct {
	contact ID
	note    NoteID
	text    string
}

// putNoteWords keeps what notes are found by.
func putNoteWords(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, notes ...noteRow) error {
	type row struct {
		noteRow
		idx []byte
	}
	var rows []row
	for _, n := range notes {
		for _, w := range words.OfNote(n.text) {
			rows = append(rows, row{n, words.Index(k, noteLabel, w)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.idx, b.idx) })
	for part := range slices.Chunk(rows, 2*chunk) {
		args := make([]any, 0, 4*len(part))
		for _, r := range part {
			args = append(args, org, r.idx, r.contact, r.note)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_note_words (org_id, idx, contact, note) VALUES `+db.Values(len(part), 4)+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// dropNoteWords removes what the notes of a contact are found by, or those of one note.
func dropNoteWords(ctx context.Context, tx *db.Tx, org account.OrgID, x ID, note NoteID) error {
	query, args := `DELETE FROM contact_note_words WHERE org_id = $1 AND contact = $2`, []any{org, x}
	if note != "" {
		query, args = query+` AND note = $3`, append(args, note)
	}
	_, err := tx.Exec(ctx, query, args...)
	return err
}

// FindNotes gives notes about contacts in sight in which every word of a text is, or begins, a word: at most so many, the newest
// first. Of words that very many notes have, not every note is looked at. Notes about whom is restricted are not found.
func (s *Contacts) FindNotes(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, text string, most int) ([]Note, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	query := words.OfQuery(text)
	if len(query) == 0 {
		return nil, nil
	}
	rarest, n, err := words.Rarest(ctx, c, k, "contact_note_words", noteLabel, int64(org), query, manyRows)
	if err != nil || n == 0 {
		return nil, err
	}
	first, last := words.Around(words.Beginning(k, noteLabel, query[rarest]))
	found, err := db.Select(ctx, c, func(r db.Scanner) (n noteRow, err error) { return n, r.Scan(&n.contact, &n.note) },
		`SELECT contact, note FROM contact_note_words WHERE org_id = $1 AND idx >= $2 AND idx <= $3 LIMIT $4`, org, first, last, manyRows)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b noteRow) int { return strings.Compare(string(b.note), string(a.note)) })
	found = slices.Compact(found)
	return s.openNotes(ctx, c, k, org, sight, query, found[:min(len(found), mostNotes)], most)
}

// openNotes opens notes and keeps those in sight that have the words of a query.
func (s *Contacts) openNotes(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, sight Sight, query []string, found []noteRow, most int) (out []Note, err error) {
	for part := range slices.Chunk(found, chunk) {
		ids := make([]ID, len(part))
		args := []any{org}
		for i, n := range part {
			ids[i] = n.contact
			args = append(args, n.note)
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		whose, err := s.Load(ctx, c, org, ids...)
		if err != nil {
			return nil, err
		}
		if err := s.usable(ctx, c, org, whose); err != nil {
			return nil, err
		}
		keys, err := s.keysOf(ctx, c, org, ids)
		if err != nil {
			return nil, err
		}
		notes, err := db.Select(ctx, c, func(r db.Scanner) (n Note, err error) {
			var sealed []byte
			var made, changed int64
			if err := r.Scan(&n.Contact, &n.ID, &sealed, &n.By, &made, &changed); err != nil {
				return n, err
			}
			n.At, n.Changed = at(made), at(changed)
			plain, err := k.OpenSubject(ctx, keys[n.Contact], "contact_notes", sealed)
			if fault.KindOf(err) == fault.Gone {
				return n, nil // erased
			}
			n.Text = string(plain)
			return n, err
		}, `SELECT contact, note, sealed, by_member, at_ms, changed_ms FROM contact_notes WHERE org_id = $1 AND note IN `+db.In(2, len(part))+` ORDER BY note DESC`, args...)
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			if one := whose[n.Contact]; one == nil || !sight.Sees(one.Owner) || !words.HasAll(words.OfNote(n.Text), query) {
				continue
			}
			if out = append(out, n); len(out) == most {
				return out, nil
			}
		}
	}
	return out, nil
}

// reindexNotes makes the index of all notes anew, under a new index key.
func (s *Contacts) reindexNotes(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	if _, err := tx.Exec(ctx, `DELETE FROM contact_note_words WHERE org_id = $1`, org); err != nil {
		return err
	}
	type sealed struct {
		noteRow
		text []byte
	}
	for after := NoteID(""); ; {
		part, err := db.Select(ctx, tx, func(r db.Scanner) (n sealed, err error) { return n, r.Scan(&n.contact, &n.note, &n.text) },
			`SELECT contact, note, sealed FROM contact_notes WHERE org_id = $1 AND note > $2 ORDER BY note LIMIT 500`, org, after)
		if err != nil || len(part) == 0 {
			return err
		}
		ids := make([]ID, len(part))
		for i, n := range part {
			ids[i] = n.contact
		}
		keys, err := s.keysOf(ctx, tx, org, ids)
		if err != nil {
			return err
		}
		var rows []noteRow
		for _, n := range part {
			plain, err := k.OpenSubject(ctx, keys[n.contact], "contact_notes", n.text)
			if fault.KindOf(err) == fault.Gone {
				continue // erased
			}
			if err != nil {
				return err
			}
			n.noteRow.text = string(plain)
			rows = append(rows, n.noteRow)
		}
		if err := putNoteWords(ctx, tx, k, org, rows...); err != nil {
			return err
		}
		after = part[len(part)-1].note
	}
}
