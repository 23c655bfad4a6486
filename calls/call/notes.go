package call

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/freetext"
	"parley/trust/hold"
)

// Limits of what people write on a call.
const (
	maxNote = 10_000 // characters
	maxTag  = 40
	maxTags = 20
)

type note struct {
	key    Key
	sealed []byte
	by     account.MemberID
}

func scanNote(r db.Scanner) (n note, err error) {
	k := &n.key
	return n, r.Scan(&k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line, &n.sealed, &n.by)
}

// noteField binds a sealed note to its call, so that it cannot be moved to another.
func noteField(org account.OrgID, k Key) string { return "call_notes|" + k.ID(org) }

func (s *Store) openNote(ctx context.Context, org account.OrgID, n note) (string, error) {
	keys, err := s.keys.Org(ctx, int64(org))
	if err != nil {
		return "", err
	}
	var plain []byte
	if n.key.Number == number.Withheld {
		plain, err = keys.Open(noteField(org, n.key), n.sealed)
	} else {
		plain, err = keys.OpenSubject(ctx, int64(n.key.Number), noteField(org, n.key), n.sealed)
	}
	if fault.KindOf(err) == fault.Gone {
		return "", nil
	}
	return string(plain), err
}

func sealNote(ctx context.Context, keys *vault.OrgKeys, org account.OrgID, k Key, text string) ([]byte, error) {
	if k.Number == number.Withheld {
		return keys.Seal(noteField(org, k), []byte(text)), nil
	}
	return keys.SealSubject(ctx, int64(k.Number), noteField(org, k), []byte(text))
}

// SetNote keeps the note of a call; an empty one removes it. What stood there before is gone, so the gate is asked.
func (s *Store) SetNote(ctx context.Context, org *account.Org, k Key, text string, by account.MemberID) error {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n > maxNote {
		return fault.Field("note", "The note has %d characters; at most %d fit. Shorten it.", n, maxNote)
	}
	if err := freetext.Check("note", text); err != nil {
		return err
	}
	keys, err := s.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := s.mustExist(ctx, tx, org.ID, k); err != nil {
			return err
		}
		if err := s.askNote(ctx, tx, org.ID, k); err != nil {
			return err
		}
		if text == "" {
			_, err := dropNotes(ctx, tx, keyWhere, k.args(org.ID)...)
			return err
		}
		return WriteNote(ctx, tx, keys, org.ID, k, text, by, s.now().UnixMilli())
	})
}

// WriteNote keeps a note, and what it is found by, inside a running transaction; at is in Unix milliseconds.
func WriteNote(ctx context.Context, tx *db.Tx, keys *vault.OrgKeys, org account.OrgID, k Key, text string, by account.MemberID, at int64) error {
	sealed, err := sealNote(ctx, keys, org, k, text)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO call_notes (org_id, day, agent, start, num, dir, line, sealed, by_member, at) VALUES `+db.In(1, 10)+`
		ON CONFLICT (org_id, day, agent, start, num, dir, line) DO UPDATE SET sealed = excluded.sealed, by_member = excluded.by_member, at = excluded.at`,
		append(k.args(org), sealed, by, at)...)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM call_note_words WHERE `+keyWhere, k.args(org)...); err != nil {
		return err
	}
	return putWords(ctx, tx, keys, org, wordsOf{k, text})
}

// CleanTags trims tags, drops empty and repeated ones, and refuses those that are too long or too many.
func CleanTags(tags []string) ([]string, error) {
	var out []string
	for _, t := range tags {
		t = strings.Join(strings.Fields(t), " ")
		if t == "" {
			continue
		}
		if utf8.RuneCountInString(t) > maxTag {
			return nil, fault.Field("tags", "The tag %q is longer than %d characters. Shorten it.", t, maxTag)
		}
		out = append(out, t)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > maxTags {
		return nil, fault.Field("tags", "A call can have at most %d tags; %d were given.", maxTags, len(out))
	}
	return out, nil
}

// SetTags replaces the tags of a call. The gate is asked where one goes.
func (s *Store) SetTags(ctx context.Context, org *account.Org, k Key, tags []string) error {
	tags, err := CleanTags(tags)
	if err == nil {
		err = freetext.Check("tags", strings.Join(tags, ", "))
	}
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := s.mustExist(ctx, tx, org.ID, k); err != nil {
			return err
		}
		if err := s.askTags(ctx, tx, org.ID, k, tags); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM call_tags WHERE `+keyWhere, k.args(org.ID)...); err != nil {
			return err
		}
		return WriteTags(ctx, tx, org.ID, k, tags)
	})
}

// WriteTags adds tags to a call inside a running transaction.
func WriteTags(ctx context.Context, tx *db.Tx, org account.OrgID, k Key, tags []string) error {
	for _, t := range tags {
		if _, err := tx.Exec(ctx, `INSERT INTO call_tags (org_id, day, agent, start, num, dir, line, tag) VALUES `+db.In(1, 8)+` ON CONFLICT DO NOTHING`,
			append(k.args(org), t)...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) mustExist(ctx context.Context, tx *db.Tx, org account.OrgID, k Key) error {
	_, ok, err := RowByKey(ctx, tx, org, k)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no call %q here. It may have been deleted.", k.ID(org))
	}
	if err != nil {
		return err
	}
	return s.book.CheckUse(ctx, tx, org, k.Number)
}

// askNote asks the gate whether the note of a call may go, if there is one.
func (s *Store) askNote(ctx context.Context, tx *db.Tx, org account.OrgID, k Key) error {
	_, ok, err := db.One(ctx, tx, scanText, `SELECT by_member FROM call_notes WHERE `+keyWhere, k.args(org)...)
	if err != nil || !ok {
		return err
	}
	return s.gate.Ask(ctx, tx, org, hold.NoteClear, CategoryNote, k)
}

func (s *Store) askTags(ctx context.Context, tx *db.Tx, org account.OrgID, k Key, stay []string) error {
	have, err := tagsOf(ctx, tx, org, k)
	if err != nil || !slices.ContainsFunc(have, func(t string) bool { return !slices.Contains(stay, t) }) {
		return err
	}
	return s.gate.Ask(ctx, tx, org, hold.NoteClear, CategoryNote, k)
}

func tagsOf(ctx context.Context, c db.Conn, org account.OrgID, k Key) ([]string, error) {
	return db.Select(ctx, c, scanText, `SELECT tag FROM call_tags WHERE `+keyWhere+` ORDER BY tag`, k.args(org)...)
}

func scanText(r db.Scanner) (t string, err error) { return t, r.Scan(&t) }

// DeleteRow removes a call with its note, tags and what was said of it inside a running transaction, and tells whether it was there. The
// caller rebuilds the roll-up of its day.
func DeleteRow(ctx context.Context, tx *db.Tx, org account.OrgID, k Key) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM calls WHERE `+keyWhere, k.args(org)...)
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := dropNotes(ctx, tx, keyWhere, k.args(org)...); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM call_tags WHERE `+keyWhere, k.args(org)...); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM call_outcomes WHERE `+keyWhere, k.args(org)...)
	return true, err
}

// DeleteOf removes the calls of an agent's day with some numbers, and leaves their notes and tags, inside a running
// transaction. The caller rebuilds the roll-up.
func DeleteOf(ctx context.Context, tx *db.Tx, org account.OrgID, day civil.Day, agent account.AgentNo, numbers []number.ID) error {
	for part := range slices.Chunk(numbers, numbersAtOnce) {
		args := []any{org, day, agent}
		for _, n := range part {
			args = append(args, n)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM calls WHERE org_id = $1 AND day = $2 AND agent = $3 AND num IN `+db.In(4, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// RemoveNotes removes the notes and tags of all calls with some numbers inside a running transaction, and counts them. What was
// said of the calls goes, too, and counts with the notes.
func RemoveNotes(ctx context.Context, tx *db.Tx, org account.OrgID, numbers []number.ID) (notes, tags int64, err error) {
	for part := range slices.Chunk(numbers, numbersAtOnce) {
		args := []any{org}
		for _, n := range part {
			args = append(args, n)
		}
		n, err := dropNotes(ctx, tx, `org_id = $1 AND num IN `+db.In(2, len(part)), args...)
		if err != nil {
			return notes, tags, err
		}
		said, err := tx.Exec(ctx, `DELETE FROM call_outcomes WHERE org_id = $1 AND num IN `+db.In(2, len(part)), args...)
		if err != nil {
			return notes, tags, err
		}
		t, err := tx.Exec(ctx, `DELETE FROM call_tags WHERE org_id = $1 AND num IN `+db.In(2, len(part)), args...)
		if err != nil {
			return notes, tags, err
		}
		notes, tags = notes+n+said, tags+t
	}
	return notes, tags, nil
}

// numbersAtOnce is how many numbers one statement names.
const numbersAtOnce = 250

// Delete removes every call of an organisation.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{`DELETE FROM calls WHERE org_id = $1`, `DELETE FROM call_notes WHERE org_id = $1`, `DELETE FROM call_note_words WHERE org_id = $1`, `DELETE FROM call_tags WHERE org_id = $1`,
		`DELETE FROM call_outcomes WHERE org_id = $1`, `DELETE FROM days WHERE org_id = $1`} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}

// Touch marks a day as changed, so that everything derived from its calls is known to be stale, and gives its new
// generation. Whoever changes calls touches their days.
func Touch(ctx context.Context, tx *db.Tx, org account.OrgID, day civil.Day) (gen int64, err error) {
	return gen, tx.Row(ctx, `INSERT INTO days (org_id, day, gen) VALUES ($1, $2, 1)
		ON CONFLICT (org_id, day) DO UPDATE SET gen = days.gen + 1 RETURNING gen`, org, day).Scan(&gen)
}

// Move carries note, tags and what was said from one key to another inside a running transaction. The note is sealed anew, because
// its seal is bound to its call.
func Move(ctx context.Context, tx *db.Tx, keys *vault.Keys, org account.OrgID, from, to Key) error {
	if from == to {
		return nil
	}
	k, err := keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	n, ok, err := db.One(ctx, tx, scanNote, `SELECT day, agent, start, num, dir, line, sealed, by_member FROM call_notes WHERE `+keyWhere, from.args(org)...)
	if err != nil {
		return err
	}
	if ok {
		text, err := (&Store{keys: keys}).openNote(ctx, org, n)
		if err != nil {
			return err
		}
		var at int64
		if err := tx.Row(ctx, `SELECT at FROM call_notes WHERE `+keyWhere, from.args(org)...).Scan(&at); err != nil {
			return err
		}
		if err := WriteNote(ctx, tx, k, org, to, text, n.by, at); err != nil {
			return err
		}
	}
	tags, err := tagsOf(ctx, tx, org, from)
	if err != nil {
		return err
	}
	if err := WriteTags(ctx, tx, org, to, tags); err != nil {
		return err
	}
	return moveSaid(ctx, tx, org, from, to)
}
