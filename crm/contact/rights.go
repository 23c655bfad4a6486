package contact

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Store is what rights asks of contacts. It knows who has which number, and takes the keys of contacts away: it is registered
// behind every other.
func (s *Contacts) Store() rights.Store {
	return rights.Store{
		Name: "contact cards", Once: true,
		Tables: []string{"contacts", "contact_numbers", "contact_index", "contact_events", "contact_notes", "contact_note_words", "contact_tags", "contact_distinct", "archived_contacts"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
			return s.export(ctx, org, who, to)
		},
		Plan: s.plan, Erase: s.erase,
		Fields: slices.Concat(s.fields(subject.Number), s.fields(subject.Contact)),
	}
}

// Names gives every name under which a person outside is kept, the given one first: their contacts with all that were merged
// into them, in the archive, too, and those of their numbers that nobody else has. Whoever has a number is taken for every
// contact with it.
func (s *Contacts) Names(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]subject.Ref, error) {
	out := []subject.Ref{who}
	add := func(r subject.Ref) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	shelved, err := shelvedOf(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	for _, key := range shelved {
		add(subject.OfContact(key))
	}
	ids, err := s.Of(ctx, c, org, who)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	keys, err := s.keysOf(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	for _, x := range ids {
		add(subject.OfContact(keys[x]))
	}
	own, err := s.ownNumbers(ctx, c, org, ids)
	for _, n := range own {
		add(subject.OfNumber(int64(n)))
	}
	return out, err
}

// shelvedOf gives the keys of a person's contacts that lie in the archive.
func shelvedOf(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]int64, error) {
	return db.Select(ctx, c, scanInt, `SELECT DISTINCT subject FROM archived_contacts WHERE org_id = $1 AND (num = $2 AND num > 0 OR subject = $3) ORDER BY subject`, org, who.Num(), who.Con())
}

// ownNumbers gives the numbers of contacts that no other contact has.
func (s *Contacts) ownNumbers(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) ([]number.ID, error) {
	var nums []number.ID
	for _, x := range ids {
		some, err := db.Select(ctx, c, scanNum, `SELECT num FROM contact_numbers WHERE org_id = $1 AND contact = $2 ORDER BY num`, org, x)
		if err != nil {
			return nil, err
		}
		nums = append(nums, some...)
	}
	with, err := s.ByNumber(ctx, c, org, nums...)
	nums = slices.DeleteFunc(nums, func(n number.ID) bool {
		return slices.ContainsFunc(with[n], func(x ID) bool { return !slices.Contains(ids, x) })
	})
	slices.Sort(nums)
	return slices.Compact(nums), err
}

func scanInt(r db.Scanner) (n int64, err error)     { return n, r.Scan(&n) }
func scanNum(r db.Scanner) (n number.ID, err error) { return n, r.Scan(&n) }

// persons are the contacts that a person is.
func (s *Contacts) persons(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]*Contact, error) {
	ids, err := s.Of(ctx, c, org, who)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := s.load(ctx, c, org, ids)
	var out []*Contact
	for _, x := range ids {
		if found[x] != nil {
			out = append(out, found[x])
		}
	}
	return out, err
}

// copies takes the tables of a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
}

// export writes what is kept of a person. Colleagues are not named: that is those people's data.
func (s *Contacts) export(ctx context.Context, org account.OrgID, who subject.Ref, to copies) error {
	all, err := s.persons(ctx, s.d.DB, org, who)
	if err != nil || len(all) == 0 {
		return err
	}
	if err := to.Table(Category, "contacts", []string{"contact", "first", "last", "company", "title", "numbers", "emails", "photo", "street", "city", "state", "postcode", "country",
		"language", "tags", "fields", "origin", "made", "changed", "last_activity", "merged_into"}, func(add func(...any) error) error {
		for _, c := range all {
			p := &c.Person
			fields, err := json.Marshal(p.Custom)
			if err != nil {
				return err
			}
			if err := add(string(c.ID), p.First, p.Last, p.Company, p.Title, labelled(p.Numbers), labelled(p.Emails), p.Photo, p.Address.Street, p.Address.City, p.Address.State, p.Address.Postcode,
				p.Address.Country, p.Language, c.Tags, string(fields), c.Origin, c.Made, c.Changed, c.Last, string(c.MergedInto)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := to.Table(CategoryNote, "contact_notes", []string{"contact", "at", "changed", "note"}, func(add func(...any) error) error {
		for _, c := range all {
			notes, err := s.PastNotes(ctx, s.d.DB, org, c.ID, farAway(), "", maxRows)
			if err != nil {
				return err
			}
			for _, n := range notes {
				if err := add(string(c.ID), n.At, n.Changed, n.Text); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return to.Table(Category, "contact_history", []string{"contact", "at", "field", "from", "to"}, func(add func(...any) error) error {
		for _, c := range all {
			events, err := s.events(ctx, s.d.DB, org, c.Subject, `contact = $2 ORDER BY rev, field`, org, c.ID)
			if err != nil {
				return err
			}
			for _, e := range events {
				if e.Field == fieldOwner {
					e.From, e.To = "", ""
				}
				if err := add(string(e.Contact), e.At, e.Field, e.From, e.To); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// maxRows is more than there are notes of anybody.
const maxRows = 1 << 30

func farAway() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// labelled writes numbers and addresses with what they are for.
func labelled(all []Labelled) []string {
	var out []string
	for _, x := range all {
		if x.Label != "" {
			x.Text += " (" + x.Label + ")"
		}
		out = append(out, x.Text)
	}
	return out
}

// plan lists what an erasure would remove.
func (s *Contacts) plan(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	ids, err := s.Of(ctx, s.d.DB, org, who)
	if err != nil {
		return nil, err
	}
	return s.tally(ctx, s.d.DB, org, who, ids)
}

// tally says how many rows there are of a person's contacts, and how many of them lie in the archive.
func (s *Contacts) tally(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref, ids []ID) ([]rights.Line, error) {
	shelved, err := shelvedOf(ctx, c, org, who)
	if err != nil || len(shelved)+len(ids) == 0 {
		return nil, err
	}
	lines := []rights.Line{
		{Thing: rights.Keys, Name: "keys of contacts"},
		{Thing: rights.Indexes, Name: "entries of the search index", Category: Category},
		{Thing: rights.Rows, Name: "contacts", Category: Category},
		{Thing: rights.Rows, Name: "numbers of contacts", Category: Category},
		{Thing: rights.Rows, Name: "changes of contacts", Category: Category},
		{Thing: rights.Rows, Name: "notes about contacts", Category: CategoryNote},
	}
	for part := range slices.Chunk(ids, 4*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		in := db.In(2, len(part))
		var count [6]int64
		var last, noted int64
		if err := c.Row(ctx, `SELECT count(*), coalesce(max(last_ms), 0) FROM contacts WHERE org_id = $1 AND contact IN `+in, args...).Scan(&count[2], &last); err != nil {
			return nil, err
		}
		for i, q := range []string{1: `SELECT count(*) FROM contact_index i JOIN contacts c ON c.org_id = i.org_id AND c.subject = i.subject WHERE i.org_id = $1 AND c.contact IN `,
			3: `SELECT count(*) FROM contact_numbers WHERE org_id = $1 AND contact IN `, 4: `SELECT count(*) FROM contact_events WHERE org_id = $1 AND contact IN `} {
			if q == "" {
				continue
			}
			if err := c.Row(ctx, q+in, args...).Scan(&count[i]); err != nil {
				return nil, err
			}
		}
		if err := c.Row(ctx, `SELECT count(*), coalesce(max(changed_ms), 0) FROM contact_notes WHERE org_id = $1 AND contact IN `+in, args...).Scan(&count[5], &noted); err != nil {
			return nil, err
		}
		for i := range lines {
			lines[i].Count += count[i]
			lines[i].Newest = later(lines[i].Newest, at(last))
		}
		lines[5].Newest = later(lines[5].Newest, at(noted))
	}
	lines[0].Count, lines[0].Newest = lines[2].Count+int64(len(shelved)), time.Time{}
	return lines, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// erase erases a person: what may be found again is buried, the keys are destroyed, and then the rows go. Broken off anywhere,
// it is done again. Where a law keeps something of the person, the contact stays, and nobody may use it.
func (s *Contacts) erase(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	if d.KeepsAny() {
		return s.lock(ctx, org, who, d)
	}
	var ids []ID
	var keys []int64
	if err := s.d.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		ids, keys, lines, err = s.begin(ctx, tx, org, who, d)
		return err
	}); err != nil || len(keys) == 0 {
		return nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	if err := k.DestroySubject(ctx, keys...); err != nil {
		return nil, err
	}
	return lines, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, key := range keys {
			if err := unshelve(ctx, tx, org, key); err != nil {
				return err
			}
		}
		_, err := s.remove(ctx, tx, org, ids)
		return err
	})
}

// begin asks whether a person may be erased, buries what may be found again, and says what there is.
func (s *Contacts) begin(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref, d rights.Decision) (ids []ID, keys []int64, lines []rights.Line, err error) {
	all, err := s.persons(ctx, tx, org, who)
	if err == nil {
		ids, err = s.Of(ctx, tx, org, who)
	}
	if err == nil {
		keys, err = shelvedOf(ctx, tx, org, who)
	}
	if err != nil || len(ids)+len(keys) == 0 {
		return nil, nil, nil, err
	}
	for _, category := range []string{Category, CategoryNote} {
		if err := d.Gate(ctx, tx, category); err != nil {
			return nil, nil, nil, err
		}
	}
	if lines, err = s.tally(ctx, tx, org, who, ids); err != nil {
		return nil, nil, nil, err
	}
	of, err := s.keysOf(ctx, tx, org, ids)
	if err != nil {
		return nil, nil, nil, err
	}
	keys = slices.AppendSeq(keys, maps.Values(of))
	return ids, keys, lines, s.bury(ctx, tx, org, all)
}

// bury keeps e-mail addresses of persons from being taken in again. Numbers are buried by the number book's erasure.
func (s *Contacts) bury(ctx context.Context, tx *db.Tx, org account.OrgID, all []*Contact) error {
	if s.d.Consents == nil {
		return nil
	}
	for _, c := range all {
		for _, e := range c.Person.Emails {
			if err := s.d.Consents.Bury(ctx, tx, org, buriedEmail(e.Text)); err != nil {
				return err
			}
		}
	}
	return nil
}

// lock removes what no law keeps, and keeps the rest from every use.
func (s *Contacts) lock(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	return lines, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		ids, err := s.Of(ctx, tx, org, who)
		if err != nil || len(ids) == 0 {
			return err
		}
		all, err := s.tally(ctx, tx, org, who, ids)
		if err != nil {
			return err
		}
		for i, x := range []struct {
			category, query string
		}{4: {Category, `DELETE FROM contact_events WHERE org_id = $1 AND contact = $2`}, 5: {CategoryNote, `DELETE FROM contact_notes WHERE org_id = $1 AND contact = $2`}} {
			if x.query == "" || d.Keeps(x.category) {
				continue
			}
			if err := d.Gate(ctx, tx, x.category); err != nil {
				return err
			}
			lines = append(lines, all[i])
			for _, c := range ids {
				if _, err := tx.Exec(ctx, x.query, org, c); err != nil {
					return err
				}
				if x.category != CategoryNote {
					continue
				}
				if err := dropNoteWords(ctx, tx, org, c, ""); err != nil {
					return err
				}
			}
		}
		for _, c := range ids {
			if _, err := tx.Exec(ctx, `UPDATE contacts SET restricted = 1 WHERE org_id = $1 AND contact = $2`, org, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Heed makes restrictions what they are to be: the contacts among restricted are, and nobody else is.
func (s *Contacts) Heed(ctx context.Context, org account.OrgID, restricted map[subject.Ref]bool) error {
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		had, err := db.Select(ctx, tx, scanInt, `SELECT subject FROM contacts WHERE org_id = $1 AND restricted = 1`, org)
		if err != nil {
			return err
		}
		set := func(key int64, on int) error {
			_, err := tx.Exec(ctx, `UPDATE contacts SET restricted = $3 WHERE org_id = $1 AND subject = $2`, org, key, on)
			return err
		}
		for _, key := range had {
			if !restricted[subject.OfContact(key)] {
				if err := set(key, 0); err != nil {
					return err
				}
			}
		}
		for who := range restricted {
			if who.Con() > 0 && !slices.Contains(had, who.Con()) {
				if err := set(who.Con(), 1); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// fields are what a person may have corrected. Of somebody with several contacts, the one with the latest activity counts.
func (s *Contacts) fields(kind subject.Kind) []rights.Field {
	var out []rights.Field
	for _, f := range []struct {
		key  string
		text func(p *Person) *string
	}{
		{"contact.first", func(p *Person) *string { return &p.First }},
		{"contact.last", func(p *Person) *string { return &p.Last }},
		{"contact.company", func(p *Person) *string { return &p.Company }},
	} {
		out = append(out, rights.Field{
			Key: f.key, Kind: kind,
			Read: func(ctx context.Context, org account.OrgID, who subject.Ref) (string, error) {
				c, err := s.latest(ctx, s.d.DB, org, who)
				if err != nil || c == nil {
					return "", err
				}
				return *f.text(&c.Person), nil
			},
			Write: func(ctx context.Context, org account.OrgID, who subject.Ref, value string) error {
				return s.correct(ctx, org, who, func(p *Person) { *f.text(p) = value })
			},
		})
	}
	return out
}

// latest is the contact of a person with the latest activity; nil when there is none.
func (s *Contacts) latest(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) (*Contact, error) {
	all, err := s.persons(ctx, c, org, who)
	all = slices.DeleteFunc(all, func(x *Contact) bool { return x.MergedInto != "" })
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return slices.MaxFunc(all, func(a, b *Contact) int { return a.Last.Compare(b.Last) }), nil
}

func (s *Contacts) correct(ctx context.Context, id account.OrgID, who subject.Ref, edit func(p *Person)) error {
	org, err := s.d.Accounts.Org(ctx, id)
	if err != nil {
		return err
	}
	committed := func() {}
	err = s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		c, err := s.latest(ctx, tx, id, who)
		if err != nil || c == nil {
			return err
		}
		edit(&c.Person)
		_, done, err := s.Change(ctx, tx, org, "", c.ID, 0, c.Person, c.Tags)
		if done != nil {
			committed = done
		}
		return err
	})
	if err == nil {
		committed()
	}
	return err
}
