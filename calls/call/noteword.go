package call

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/platform/words"
)

// Bounds of one search for notes, so that it takes milliseconds however many notes there are.
const (
	wordLabel   = "call note word"
	manyRows    = 3000    // where more notes have a word, it does not matter how many
	newestRows  = 1500    // notes with a word that very many have which are looked at, of everybody
	scopedRows  = 6000    // the same to find those of some agents
	otherWords  = 20      // words that begin like one of the query which very many have
	otherRows   = 150     // notes with each of them that are looked at
	mostOpened  = 400     // notes
	mostRead    = 1 << 19 // bytes of notes
	openedOnce  = 50      // notes of one statement
	wordsAtOnce = 90      // rows of one statement
)

// wordsOf is a note whose words are kept.
type wordsOf struct {
	key  Key
	text string
}

// putWords keeps what notes are found by, in the order of the table.
func putWords(ctx context.Context, tx *db.Tx, keys *vault.OrgKeys, org account.OrgID, notes ...wordsOf) error {
	type row struct {
		idx []byte
		key Key
	}
	var rows []row
	for _, n := range notes {
		for _, w := range words.OfNote(n.text) {
			rows = append(rows, row{words.Index(keys, wordLabel, w), n.key})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(bytes.Compare(a.idx, b.idx), a.key.Compare(b.key)) })
	for part := range slices.Chunk(rows, wordsAtOnce) {
		args := make([]any, 0, 8*len(part))
		for _, r := range part {
			args = append(append(args, r.idx), r.key.args(org)...)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO call_note_words (idx, org_id, day, agent, start, num, dir, line) VALUES `+db.Values(len(part), 8)+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// dropNotes removes notes and what they are found by, and counts the notes. where is a condition on columns of the call's key.
func dropNotes(ctx context.Context, tx *db.Tx, where string, args ...any) (int64, error) {
	n, err := tx.Exec(ctx, `DELETE FROM call_notes WHERE `+where, args...)
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM call_note_words WHERE `+where, args...)
	return n, err
}

// FindNotes gives calls with some agents (nil = everybody) whose notes have every word of a text, or words that begin so: at most
// so many, the newest first. Of words that very many notes have, not every note is looked at. Calls with numbers that are hidden
// or restricted are not found.
func (s *Store) FindNotes(ctx context.Context, c db.Conn, org *account.Org, agents []account.AgentNo, text string, most int) ([]Call, error) {
	k, err := s.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, err
	}
	query := words.OfQuery(text)
	if len(query) == 0 {
		return nil, nil
	}
	found, err := (&wordSearch{c, k, org.ID, agents}).keys(ctx, query)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	excluded, err := s.book.Excluded(ctx, c, org.ID)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(k Key) bool { return excluded.Hidden[k.Number] })
	slices.SortFunc(found, func(a, b Key) int { return cmp.Or(cmp.Compare(b.Start, a.Start), b.Compare(a)) })
	found = slices.Compact(found)
	rows, err := s.noted(ctx, c, org.ID, query, found[:min(len(found), mostOpened)], most)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return s.Dress(ctx, c, org, rows)
}

// noted opens notes and gives the calls of those that have the words of a query, at most so many.
func (s *Store) noted(ctx context.Context, c db.Conn, org account.OrgID, query []string, keys []Key, most int) (out []Row, err error) {
	read := 0
	for part := range slices.Chunk(keys, openedOnce) {
		sealed, err := notesOf(ctx, c, org, part)
		if err != nil {
			return nil, err
		}
		for _, k := range part {
			n, ok := sealed[k]
			if read += len(n.sealed); !ok || read > mostRead {
				continue
			}
			text, err := s.openNote(ctx, org, n)
			if err != nil {
				return nil, err
			}
			if !words.HasAll(words.OfNote(text), query) {
				continue
			}
			r, ok, err := RowByKey(ctx, c, org, k)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue // the call is gone, and its note waits for its own term
			}
			if out = append(out, r); len(out) == most {
				return out, nil
			}
		}
	}
	return out, nil
}

// wordSearch looks for words of notes on calls with some agents.
type wordSearch struct {
	c      db.Conn
	k      *vault.OrgKeys
	org    account.OrgID
	agents []account.AgentNo
}

// keys gives the calls whose notes may have the words of a query, in any order: all of them where few notes have one of the words,
// else the newest of those with the rarest word, and of those with some words that begin like it.
func (w *wordSearch) keys(ctx context.Context, query []string) ([]Key, error) {
	rarest, n, err := words.Rarest(ctx, w.c, w.k, "call_note_words", wordLabel, int64(w.org), query, manyRows)
	if err != nil || n == 0 {
		return nil, err
	}
	first, last := words.Around(words.Beginning(w.k, wordLabel, query[rarest]))
	others := slices.Delete(slices.Clone(query), rarest, rarest+1)
	if n < manyRows {
		return w.rows(ctx, others, `idx >= ? AND idx <= ?`, manyRows, first, last)
	}
	const whole = `idx = ? ORDER BY day DESC`
	exact := words.Index(w.k, wordLabel, query[rarest])
	newest := newestRows
	if w.agents != nil {
		newest = scopedRows
	}
	out, err := w.rows(ctx, others, whole, newest, exact)
	for i := 0; err == nil && i < otherWords; i++ {
		var more []Key
		var ok bool
		first, ok, err = db.One(ctx, w.c, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) },
			`SELECT idx FROM call_note_words WHERE org_id = $1 AND idx > $2 AND idx <= $3 ORDER BY idx LIMIT 1`, w.org, first, last)
		if err != nil || !ok {
			break
		}
		if !bytes.Equal(first, exact) {
			more, err = w.rows(ctx, others, whole, otherRows, first)
			out = append(out, more...)
		}
	}
	return out, err
}

// rows gives the calls of so many rows of the index, where they are of the agents and their notes may have the other words, too.
func (w *wordSearch) rows(ctx context.Context, others []string, which string, most int, args ...any) ([]Key, error) {
	index := Where(w.org).And(which, args...)
	calls := &Condition{Args: index.Args}
	calls.text.WriteString(`1 = 1`)
	calls.Agents(w.agents)
	for _, o := range others {
		first, last := words.Around(words.Beginning(w.k, wordLabel, o))
		calls.And(`EXISTS (SELECT 1 FROM call_note_words o WHERE o.org_id = w.org_id AND o.num = w.num AND o.day = w.day AND o.agent = w.agent
			AND o.start = w.start AND o.dir = w.dir AND o.line = w.line AND o.idx >= ? AND o.idx <= ?)`, first, last)
	}
	return db.Select(ctx, w.c, func(r db.Scanner) (k Key, err error) {
		return k, r.Scan(&k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line)
	}, fmt.Sprintf(`SELECT day, agent, start, num, dir, line FROM (SELECT org_id, day, agent, start, num, dir, line FROM call_note_words WHERE %s LIMIT %d) w WHERE %s`, index, most, calls),
		calls.Args...)
}

// notesOf gives the notes of calls, sealed. The first row of the list says of what types it is.
func notesOf(ctx context.Context, c db.Conn, org account.OrgID, keys []Key) (map[Key]note, error) {
	const typed = `(CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS BIGINT))`
	args, list := keys[0].args(org), typed
	for i, k := range keys[1:] {
		args = append(args, k.args(org)[1:]...)
		list += "," + db.In(6*i+8, 6)
	}
	found, err := db.Select(ctx, c, scanNote, `SELECT day, agent, start, num, dir, line, sealed, by_member FROM call_notes
		WHERE org_id = $1 AND (day, agent, start, num, dir, line) IN (VALUES `+list+`)`, args...)
	out := make(map[Key]note, len(found))
	for _, n := range found {
		out[n.key] = n
	}
	return out, err
}

// Reindex makes the index of all notes anew, under a new index key, inside the transaction that changes it.
func (s *Store) Reindex(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	if _, err := tx.Exec(ctx, `DELETE FROM call_note_words WHERE org_id = $1`, org); err != nil {
		return err
	}
	after := Key{Day: -1 << 31}
	for {
		part, err := db.Select(ctx, tx, scanNote, `SELECT day, agent, start, num, dir, line, sealed, by_member FROM call_notes
			WHERE org_id = $1 AND (day, agent, start, num, dir, line) > ($2, $3, $4, $5, $6, $7) ORDER BY day, agent, start, num, dir, line LIMIT 500`, after.args(org)...)
		if err != nil || len(part) == 0 {
			return err
		}
		all := make([]wordsOf, len(part))
		for i, n := range part {
			if all[i].text, err = s.openNote(ctx, org, n); err != nil {
				return err
			}
			all[i].key = n.key
		}
		if err := putWords(ctx, tx, k, org, all...); err != nil {
			return err
		}
		after = part[len(part)-1].key
	}
}
