package contact

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
)

const (
	indexBytes = 8
	// Words are found whole and by their beginnings of these lengths, in characters: every further length makes the index
	// larger, and a search that is longer looks at what it finds by the longest of them.
	shortStart = 3
	longStart  = 5
	maxWords   = 12 // of one person
	chunk      = 50 // rows of one statement
)

// fold makes texts alike that people take for the same: capitals, widths, and the accents of Latin, Greek and Cyrillic
// letters. Vowel signs of other scripts stay.
func fold(text string) string {
	return strings.ToLower(norm.NFKC.String(strings.Map(func(r rune) rune {
		if r >= 0x0300 && r <= 0x036f {
			return -1
		}
		return r
	}, norm.NFKD.String(text))))
}

// words cuts a text into folded words.
func words(text string) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}

// starts are the beginnings by which a word is found, the word itself last where it is no longer than them.
func starts(word string) []string {
	runes := []rune(word)
	switch {
	case len(runes) <= shortStart:
		return []string{word}
	case len(runes) <= longStart:
		return []string{string(runes[:shortStart]), word}
	default:
		return []string{string(runes[:shortStart]), string(runes[:longStart])}
	}
}

// start is the beginning that a word of a query is looked for by.
func start(word string) string {
	s := starts(word)
	return s[len(s)-1]
}

func wordIndex(k *vault.OrgKeys, part string) []byte {
	return k.Index("contact word", part)[:indexBytes]
}

func emailIndex(k *vault.OrgKeys, email string) []byte {
	return k.Index("contact email", strings.ToLower(strings.TrimSpace(email)))[:indexBytes]
}

func tagIndex(k *vault.OrgKeys, tag string) []byte {
	return k.Index("contact tag", fold(strings.Join(strings.Fields(tag), " ")))[:indexBytes]
}

// names are the words that a person is found by.
func (p *Person) words() []string {
	var out []string
	for _, text := range []string{p.First, p.Last, p.Company} {
		for _, w := range words(text) {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out[:min(len(out), maxWords)]
}

// indexes are all blind indexes of a contact, sorted, each once.
func indexes(k *vault.OrgKeys, p *Person, tags []string) [][]byte {
	var out [][]byte
	parts := map[string]bool{}
	for _, w := range p.words() {
		for _, s := range starts(w) {
			parts[s] = true
		}
	}
	for part := range parts {
		out = append(out, wordIndex(k, part))
	}
	for _, e := range p.Emails {
		out = append(out, emailIndex(k, e.Text))
	}
	for _, t := range tags {
		out = append(out, tagIndex(k, t))
	}
	slices.SortFunc(out, bytes.Compare)
	return slices.CompactFunc(out, bytes.Equal)
}

// indexRow is one row of the index.
type indexRow struct {
	idx     []byte
	contact ID
}

// putIndex writes rows in the order of the table.
func putIndex(ctx context.Context, tx *db.Tx, org account.OrgID, rows []indexRow) error {
	slices.SortFunc(rows, func(a, b indexRow) int {
		if c := bytes.Compare(a.idx, b.idx); c != 0 {
			return c
		}
		return strings.Compare(string(a.contact), string(b.contact))
	})
	for part := range slices.Chunk(rows, 2*chunk) {
		args := make([]any, 0, 3*len(part))
		for _, r := range part {
			args = append(args, org, r.idx, r.contact)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_index (org_id, idx, contact) VALUES `+db.Values(len(part), 3)+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// dropIndex removes rows.
func dropIndex(ctx context.Context, tx *db.Tx, org account.OrgID, id ID, idx [][]byte) error {
	for part := range slices.Chunk(idx, chunk) {
		args := []any{org, id}
		for _, i := range part {
			args = append(args, i)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM contact_index WHERE org_id = $1 AND contact = $2 AND idx IN `+db.In(3, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// reindex replaces what is found of a contact by what shall be.
func reindex(ctx context.Context, tx *db.Tx, org account.OrgID, id ID, old, next [][]byte) error {
	in := func(all [][]byte, i []byte) bool {
		_, ok := slices.BinarySearchFunc(all, i, bytes.Compare)
		return ok
	}
	var gone [][]byte
	for _, i := range old {
		if !in(next, i) {
			gone = append(gone, i)
		}
	}
	if err := dropIndex(ctx, tx, org, id, gone); err != nil {
		return err
	}
	var added []indexRow
	for _, i := range next {
		if !in(old, i) {
			added = append(added, indexRow{i, id})
		}
	}
	return putIndex(ctx, tx, org, added)
}

// putTags keeps the tags that are in use, so that they can be listed.
func putTags(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, tags []string) error {
	for part := range slices.Chunk(tags, chunk) {
		var args []any
		for _, t := range part {
			args = append(args, org, tagIndex(k, t), k.Seal("contact_tags", []byte(t)))
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_tags (org_id, idx, sealed) VALUES `+db.Values(len(part), 3)+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// TagCount is a tag and how many contacts have it.
type TagCount struct {
	Tag      string
	Contacts int
}

// Tags lists the tags of an organisation's contacts, the most used first.
func (s *Contacts) Tags(ctx context.Context, c db.Conn, org account.OrgID) ([]TagCount, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	out, err := db.Select(ctx, c, func(r db.Scanner) (TagCount, error) {
		var t TagCount
		var sealed []byte
		if err := r.Scan(&sealed, &t.Contacts); err != nil {
			return t, err
		}
		plain, err := k.Open("contact_tags", sealed)
		t.Tag = string(plain)
		return t, err
	}, `SELECT t.sealed, (SELECT count(*) FROM contact_index i WHERE i.org_id = t.org_id AND i.idx = t.idx) FROM contact_tags t WHERE t.org_id = $1`, org)
	out = slices.DeleteFunc(out, func(t TagCount) bool { return t.Contacts == 0 })
	slices.SortFunc(out, func(a, b TagCount) int {
		if a.Contacts != b.Contacts {
			return b.Contacts - a.Contacts
		}
		return strings.Compare(strings.ToLower(a.Tag), strings.ToLower(b.Tag))
	})
	return out, err
}

// Reindex makes all blind indexes anew under a new index key, inside the transaction that changes it.
func (s *Contacts) Reindex(ctx context.Context, tx *db.Tx, org account.OrgID, k *vault.OrgKeys) error {
	for _, table := range []string{"contact_index", "contact_tags"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
			return err
		}
	}
	after := ID("")
	for {
		ids, err := db.Select(ctx, tx, scanID, `SELECT contact FROM contacts WHERE org_id = $1 AND contact > $2 AND merged_into = '' ORDER BY contact LIMIT 1000`, org, after)
		if err != nil || len(ids) == 0 {
			return err
		}
		found, err := s.load(ctx, tx, org, ids)
		if err != nil {
			return err
		}
		var rows []indexRow
		for id, c := range found {
			for _, i := range indexes(k, &c.Person, c.Tags) {
				rows = append(rows, indexRow{i, id})
			}
			if err := putTags(ctx, tx, k, org, c.Tags); err != nil {
				return err
			}
		}
		if err := putIndex(ctx, tx, org, rows); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

func scanID(r db.Scanner) (id ID, err error) { return id, r.Scan(&id) }
