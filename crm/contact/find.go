package contact

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/platform/vault"
)

const (
	fewestDigits = 4    // of a number: fewer would open too many
	mostQuery    = 5    // words of one search
	mostTries    = 1000 // candidates that one search opens
	manyRows     = 5000 // of the index; where there are more, it does not matter how many
)

// ByEmail gives the contacts that have an e-mail address.
func (s *Contacts) ByEmail(ctx context.Context, c db.Conn, org account.OrgID, email string) ([]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	ids, err := db.Select(ctx, c, scanID, `SELECT contact FROM contact_index WHERE org_id = $1 AND kind = 2 AND idx = $2`, org, emailIndex(k, email))
	if err != nil {
		return nil, err
	}
	found, err := s.Load(ctx, c, org, ids...)
	return slices.DeleteFunc(ids, func(x ID) bool { // another address with the same 8 bytes
		return found[x] == nil || !slices.ContainsFunc(found[x].Person.Emails, func(e Labelled) bool { return strings.EqualFold(e.Text, strings.TrimSpace(email)) })
	}), err
}

// Search is Find for who sees everything.
func (s *Contacts) Search(ctx context.Context, c db.Conn, org account.OrgID, text string, most int) ([]ID, error) {
	return s.Find(ctx, c, org, Sight{All: true}, text, most)
}

// Find gives the contacts in sight that a text means, at most so many: by an e-mail address, by a phone number or at least its
// last four digits, or by words, each of which a name or the company has or begins with. Restricted numbers find nobody.
func (s *Contacts) Find(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, text string, most int) ([]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	text = strings.TrimSpace(text)
	if strings.Contains(text, "@") {
		ids, err := s.ByEmail(ctx, c, org, text)
		return s.seen(ctx, c, org, sight, ids, most, err)
	}
	if digits := phone.Digits(text); len(digits) >= fewestDigits && len(words(strings.Map(dropDigits, text))) == 0 {
		ids, err := s.byDigits(ctx, c, org, text)
		return s.seen(ctx, c, org, sight, ids, most, err)
	}
	return s.byWords(ctx, c, k, org, sight, words(text), most)
}

func dropDigits(r rune) rune {
	if len(phone.Digits(string(r))) > 0 {
		return -1
	}
	return r
}

// seen keeps those in sight.
func (s *Contacts) seen(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, ids []ID, most int, err error) ([]ID, error) {
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := s.Load(ctx, c, org, ids...)
	if err == nil {
		err = s.usable(ctx, c, org, found)
	}
	var out []ID
	for _, x := range ids {
		if one := found[x]; one != nil && sight.Sees(one.Owner) && !slices.Contains(out, one.ID) && len(out) < most {
			out = append(out, one.ID)
		}
	}
	return out, err
}

func (s *Contacts) byDigits(ctx context.Context, c db.Conn, org account.OrgID, text string) ([]ID, error) {
	o, err := s.d.Accounts.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	var nums []number.ID
	if n, ok, err := s.d.Book.Seek(ctx, c, org, phone.Parse(text, o.Country).Canonical()); err != nil {
		return nil, err
	} else if ok {
		nums = append(nums, n)
	} else if nums, err = s.d.Book.FindEnding(ctx, c, org, text); err != nil {
		return nil, err
	}
	with, err := s.ByNumber(ctx, c, org, nums...)
	var out []ID
	for _, n := range nums {
		out = append(out, with[n]...)
	}
	return out, err
}

// byWords finds contacts by words: first those who have them as they are written, then those who have words that begin so.
// What is longer than the index knows beginnings of is settled by opening what was found.
func (s *Contacts) byWords(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, sight Sight, query []string, most int) ([]ID, error) {
	query = query[:min(len(query), mostQuery)]
	if len(query) == 0 {
		return nil, nil
	}
	whole, begun := make([][]byte, len(query)), make([][]byte, len(query))
	same := true
	for i, w := range query {
		whole[i], begun[i] = wordIndex(k, w), wordIndex(k, w)
		if b := start(w); b != "" {
			begun[i] = wordIndex(k, b)
		}
		same = same && bytes.Equal(whole[i], begun[i])
	}
	var out []ID
	for _, parts := range [][][]byte{whole, begun} {
		ids, err := s.withAll(ctx, c, org, sight, parts)
		if err != nil {
			return nil, err
		}
		if out, err = s.take(ctx, c, org, query, ids, out, most); err != nil || len(out) == most || same {
			return out, err
		}
	}
	return out, nil
}

// take opens candidates and adds those who have the words of a query, until there are most.
func (s *Contacts) take(ctx context.Context, c db.Conn, org account.OrgID, query []string, ids, out []ID, most int) ([]ID, error) {
	for part := range slices.Chunk(ids, 2*chunk) {
		found, err := s.load(ctx, c, org, part)
		if err == nil {
			err = s.usable(ctx, c, org, found)
		}
		if err != nil {
			return nil, err
		}
		for _, x := range part {
			if one := found[x]; one != nil && one.MergedInto == "" && has(&one.Person, query) && !slices.Contains(out, x) {
				if out = append(out, x); len(out) == most {
					return out, nil
				}
			}
		}
	}
	return out, nil
}

// withAll gives the newest contacts in sight that have all parts of words in the index. It begins with whatever leaves the
// fewest: the rarest part, or the contacts of the owners in sight.
func (s *Contacts) withAll(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, parts [][]byte) ([]ID, error) {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, bytes.Compare)
	parts = slices.CompactFunc(parts, bytes.Equal)
	counts := make(map[string]int, len(parts))
	fewest := manyRows
	if len(parts) > 1 || !sight.All {
		for _, p := range parts {
			n, err := count(ctx, c, `SELECT 1 FROM contact_index WHERE org_id = $1 AND kind = 1 AND idx = $2`, []any{org, p})
			if err != nil {
				return nil, err
			}
			counts[string(p)], fewest = n, min(fewest, n)
		}
		slices.SortStableFunc(parts, func(a, b []byte) int { return counts[string(a)] - counts[string(b)] })
	}
	seen, owners := sight.where("c.owner", []any{org})
	var from []string
	if !sight.All {
		n, err := count(ctx, c, `SELECT 1 FROM contacts c WHERE c.org_id = $1`+seen, owners)
		if err != nil {
			return nil, err
		}
		if n < fewest {
			from = append(from, "contacts c")
		}
	}
	args, where := owners, `1 = 1`
	for n, p := range parts {
		args = append(args, p)
		from = append(from, fmt.Sprintf("contact_index i%d", n))
		where += fmt.Sprintf(" AND i%d.org_id = $1 AND i%d.kind = 1 AND i%d.idx = $%d", n, n, n, len(args))
		if n > 0 {
			where += fmt.Sprintf(" AND i%d.contact = i0.contact", n)
		}
	}
	if !sight.All {
		if from[0] != "contacts c" {
			from = append(from, "contacts c")
		}
		where += ` AND c.org_id = $1 AND c.contact = i0.contact` + seen
	}
	args = append(args, mostTries)
	return db.Select(ctx, c, scanID, `SELECT i0.contact FROM `+strings.Join(from, " CROSS JOIN ")+` WHERE `+where+` ORDER BY i0.contact DESC LIMIT `+placeholder(len(args)), args...)
}

// count counts rows, as far as it matters.
func count(ctx context.Context, c db.Conn, query string, args []any) (n int, err error) {
	return n, c.Row(ctx, fmt.Sprintf(`SELECT count(*) FROM (%s LIMIT %d) counted`, query, manyRows), args...).Scan(&n)
}

// has tells whether every word of a query begins a word of the person.
func has(p *Person, query []string) bool {
	all := p.words()
	for _, q := range query {
		if !slices.ContainsFunc(all, func(w string) bool { return strings.HasPrefix(w, q) }) {
			return false
		}
	}
	return true
}

// usable leaves out whom a restriction keeps from being used.
func (s *Contacts) usable(ctx context.Context, c db.Conn, org account.OrgID, found map[ID]*Contact) error {
	held, err := s.d.Book.Restricted(ctx, c, org)
	maps.DeleteFunc(found, func(_ ID, one *Contact) bool {
		return one.Restricted || slices.ContainsFunc(one.Nums, func(n number.ID) bool { return held[n] })
	})
	return err
}

// CheckUse refuses, as Denied, a contact who is restricted, or one of whose numbers is: they are kept and not used.
func (s *Contacts) CheckUse(ctx context.Context, c db.Conn, org account.OrgID, one *Contact) error {
	if one.Restricted {
		return errRestricted()
	}
	for _, n := range one.Nums {
		if err := s.d.Book.CheckUse(ctx, c, org, n); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

func errRestricted() error {
	return fault.New(fault.Denied, "This person's data is restricted: it is kept, and nobody may look at it or use it. The privacy officer can tell more, and end the restriction.")
}
