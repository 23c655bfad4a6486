package contact

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/platform/words"
)

const (
	wordLabel = "contact word"
	maxWords  = 12 // of one person
	chunk     = 50 // rows of one statement
)

// The kinds of what a contact is found by.
const (
	kindWord  = 1
	kindEmail = 2
	kindName  = 3
	kindTag   = 4
)

func emailIndex(k *vault.OrgKeys, email string) []byte {
	return k.Index("contact email", strings.ToLower(strings.TrimSpace(email)))[:words.IndexBytes]
}

// nameIndex finds those of the same first and last name; nil where one of them is missing.
func nameIndex(k *vault.OrgKeys, p *Person) []byte {
	if p.First == "" || p.Last == "" {
		return nil
	}
	return k.Index("contact name", p.sameName())[:words.IndexBytes]
}

// sameName is what two people of one name have in common: the words of both names, in any order.
func (p *Person) sameName() string {
	all := words.Of(p.First + " " + p.Last)
	slices.Sort(all)
	return strings.Join(all, " ")
}

// fold makes tags alike that people take for the same.
func fold(text string) string { return words.Fold(text) }

func tagIndex(k *vault.OrgKeys, tag string) []byte {
	return k.Index("contact tag", fold(strings.Join(strings.Fields(tag), " ")))[:words.IndexBytes]
}

// words are those that a person is found by.
func (p *Person) words() []string {
	var out []string
	for _, text := range []string{p.First, p.Last, p.Company} {
		for _, w := range words.Of(text) {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out[:min(len(out), maxWords)]
}

// entry is what one row of the index says of a contact.
type entry struct {
	kind int
	idx  [words.IndexBytes]byte
}

func (e entry) compare(o entry) int {
	if e.kind != o.kind {
		return e.kind - o.kind
	}
	return bytes.Compare(e.idx[:], o.idx[:])
}

// entries are all of a contact, sorted, each once.
func entries(k *vault.OrgKeys, p *Person, tags []string) []entry {
	var out []entry
	add := func(kind int, idx []byte) {
		if idx != nil {
			out = append(out, entry{kind, [words.IndexBytes]byte(idx)})
		}
	}
	for _, w := range p.words() {
		add(kindWord, words.Index(k, wordLabel, w))
	}
	for _, e := range p.Emails {
		add(kindEmail, emailIndex(k, e.Text))
	}
	add(kindName, nameIndex(k, p))
	for _, t := range tags {
		add(kindTag, tagIndex(k, t))
	}
	slices.SortFunc(out, entry.compare)
	return slices.Compact(out)
}

// indexRow is one row of the index.
type indexRow struct {
	entry
	subject int64
}

// putIndex writes rows in the order of the table.
func putIndex(ctx context.Context, tx *db.Tx, org account.OrgID, rows []indexRow) error {
	slices.SortFunc(rows, func(a, b indexRow) int {
		if c := a.compare(b.entry); c != 0 {
			return c
		}
		return cmp.Compare(a.subject, b.subject)
	})
	for part := range slices.Chunk(rows, 2*chunk) {
		args := make([]any, 0, 4*len(part))
		for _, r := range part {
			args = append(args, org, r.kind, r.idx[:], r.subject)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_index (org_id, kind, idx, subject) VALUES `+db.Values(len(part), 4)+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// dropIndex removes all that contacts are found by.
func dropIndex(ctx context.Context, tx *db.Tx, org account.OrgID, subjects ...int64) error {
	for part := range slices.Chunk(subjects, 4*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM contact_index WHERE org_id = $1 AND subject IN `+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// reindex replaces what a contact is found by, where that changed.
func reindex(ctx context.Context, tx *db.Tx, org account.OrgID, subject int64, old, next []entry) error {
	if slices.Equal(old, next) {
		return nil
	}
	if err := dropIndex(ctx, tx, org, subject); err != nil {
		return err
	}
	rows := make([]indexRow, len(next))
	for i, e := range next {
		rows[i] = indexRow{e, subject}
	}
	return putIndex(ctx, tx, org, rows)
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
	}, `SELECT t.sealed, (SELECT count(*) FROM contact_index i WHERE i.org_id = t.org_id AND i.kind = 4 AND i.idx = t.idx) FROM contact_tags t WHERE t.org_id = $1`, org)
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
	if err := s.reindexNotes(ctx, tx, org, k); err != nil {
		return err
	}
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
		for _, c := range found {
			for _, e := range entries(k, &c.Person, c.Tags) {
				rows = append(rows, indexRow{e, c.Subject})
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
