package contact

import (
	"bytes"
	"cmp"
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
	"parley/platform/words"
)

const (
	fewestDigits = 4    // of a number: fewer would open too many
	mostTries    = 300  // candidates that one search opens
	mostLooks    = 1500 // candidates that one search looks up in the index
	manyRows     = 6000 // where there are more, it does not matter how many
)

// withIdx finds contacts by one value of the index, the newest first.
const withIdx = `SELECT c.contact FROM contact_index i JOIN contacts c ON c.org_id = i.org_id AND c.subject = i.subject
	WHERE i.org_id = $1 AND i.kind = $2 AND i.idx = $3 ORDER BY i.subject DESC LIMIT 200`

// ByEmail gives the contacts that have an e-mail address.
func (s *Contacts) ByEmail(ctx context.Context, c db.Conn, org account.OrgID, email string) ([]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	ids, err := db.Select(ctx, c, scanID, withIdx, org, kindEmail, emailIndex(k, email))
	if err != nil {
		return nil, err
	}
	found, err := s.Load(ctx, c, org, ids...)
	return slices.DeleteFunc(ids, func(x ID) bool { // another address with the same bytes
		return found[x] == nil || !slices.ContainsFunc(found[x].Person.Emails, func(e Labelled) bool { return strings.EqualFold(e.Text, strings.TrimSpace(email)) })
	}), err
}

// Known gives a contact in sight who has one of somebody's numbers or e-mail addresses, numbers first; nil when there is none.
func (s *Contacts) Known(ctx context.Context, c db.Conn, org *account.Org, sight Sight, who Person) (*Contact, error) {
	var ids []ID
	for _, n := range who.Numbers {
		num, ok, err := s.d.Book.Find(ctx, c, org.ID, phone.Parse(n.Text, org.Country).Canonical())
		if err != nil {
			return nil, err
		}
		if ok {
			with, err := s.ByNumber(ctx, c, org.ID, num)
			if err != nil {
				return nil, err
			}
			ids = append(ids, with[num]...)
		}
	}
	for _, e := range who.Emails {
		with, err := s.ByEmail(ctx, c, org.ID, e.Text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, with...)
	}
	found, err := s.Load(ctx, c, org.ID, ids...)
	if err != nil {
		return nil, err
	}
	for _, x := range ids {
		if k := found[x]; k != nil && sight.Sees(k.Owner) {
			return k, nil
		}
	}
	return nil, nil
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
	if digits := phone.Digits(text); len(digits) >= fewestDigits && len(words.Of(strings.Map(dropDigits, text))) == 0 {
		return s.byDigits(ctx, c, org, sight, text, most)
	}
	return s.byWords(ctx, c, k, org, sight, words.Of(text), most)
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

// byDigits finds who has a number, or one that ends so.
func (s *Contacts) byDigits(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, text string, most int) (out []ID, err error) {
	o, err := s.d.Accounts.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	with := func(nums []number.ID) (bool, error) {
		having, err := s.ByNumber(ctx, c, org, nums...)
		var ids []ID
		for _, n := range nums {
			ids = append(ids, having[n]...)
		}
		some, err := s.seen(ctx, c, org, sight, ids, most, err)
		for _, x := range some {
			if !slices.Contains(out, x) && len(out) < most {
				out = append(out, x)
			}
		}
		return len(out) < most, err
	}
	switch n, ok, err := s.d.Book.Seek(ctx, c, org, phone.Parse(text, o.Country).Canonical()); {
	case fault.KindOf(err) == fault.Denied:
		return nil, nil
	case err != nil:
		return nil, err
	case ok:
		_, err := with([]number.ID{n})
		return out, err
	}
	err = s.d.Book.Endings(ctx, c, org, text, with)
	return out, err
}

// byWords finds contacts by words: first those of that name, then those who have the words as they are written, then those who
// have words that begin so. What is longer than the beginnings that the index knows is settled by opening what was found. Of
// words that very many have, not everybody is looked at.
func (s *Contacts) byWords(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, sight Sight, query []string, most int) (out []ID, err error) {
	query = query[:min(len(query), words.MostQuery)]
	if len(query) == 0 {
		return nil, nil
	}
	var tries []try
	if len(query) > 1 {
		all := slices.Sorted(slices.Values(query))
		tries = append(tries, try{kindName, [][]byte{k.Index("contact name", strings.Join(all, " "))[:words.IndexBytes]}})
	}
	whole, begun := try{kind: kindWord}, try{kind: kindWord}
	for _, w := range query {
		whole.parts, begun.parts = append(whole.parts, words.Index(k, wordLabel, w)), append(begun.parts, words.Beginning(k, wordLabel, w))
	}
	for _, t := range append(tries, whole, begun) {
		subjects, err := s.candidates(ctx, c, org, sight, t)
		if err != nil {
			return nil, err
		}
		if out, err = s.take(ctx, c, org, query, subjects, out, most); err != nil || len(out) == most {
			return out, err
		}
	}
	return out, nil
}

// try is one look into the index: for what has all parts, each of them the beginning of a value.
type try struct {
	kind  int
	parts [][]byte
}

// take opens candidates and adds those who have the words of a query and may be used, until there are most.
func (s *Contacts) take(ctx context.Context, c db.Conn, org account.OrgID, query []string, subjects []int64, out []ID, most int) ([]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(subjects, 2*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		rows, err := db.Select(ctx, c, scanRow, `SELECT `+columns+` FROM contacts WHERE org_id = $1 AND subject IN `+db.In(2, len(part))+` ORDER BY subject DESC`, args...)
		if err != nil {
			return nil, err
		}
		found, err := open(ctx, k, rows)
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(found, func(x ID, one *Contact) bool {
			return one.MergedInto != "" || !has(&one.Person, query) || slices.Contains(out, x)
		})
		if err := numbered(ctx, c, org, found); err != nil {
			return nil, err
		}
		if err := s.usable(ctx, c, org, found); err != nil {
			return nil, err
		}
		for _, r := range rows {
			if found[r.ID] == nil {
				continue
			}
			if out = append(out, r.ID); len(out) == most {
				return out, nil
			}
		}
	}
	return out, nil
}

// candidates gives the keys of contacts in sight that a try finds, the newest first. What few have is intersected; of the rest,
// that is what very many have, so many candidates are looked up as there is time for.
func (s *Contacts) candidates(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, t try) ([]int64, error) {
	args := []any{org, t.kind}
	within := func(table string, part []byte) string {
		first, last := words.Around(part)
		args = append(args, first, last)
		return fmt.Sprintf("%s.org_id = $1 AND %s.kind = $2 AND %s.idx >= $%d AND %s.idx <= $%d", table, table, table, len(args)-1, table, len(args))
	}
	var few, where []string // selections that are intersected, and conditions on the joins of the rest
	join, rarest, fewest := "", t.parts[0], manyRows+1
	var many [][]byte
	for _, part := range t.parts {
		first, last := words.Around(part)
		n, err := words.Count(ctx, c, manyRows, `SELECT 1 FROM contact_index WHERE org_id = $1 AND kind = $2 AND idx >= $3 AND idx <= $4`, org, t.kind, first, last)
		if err != nil || n == 0 {
			return nil, err
		}
		if n < fewest {
			rarest, fewest = part, n
		}
		if n < manyRows {
			few = append(few, `SELECT +x.subject AS subject FROM contact_index x WHERE `+within("x", part))
		} else {
			many = append(many, part)
		}
	}
	if !sight.All {
		theirs, owners := sight.where("c.owner", []any{org})
		n, err := words.Count(ctx, c, manyRows, `SELECT 1 FROM contacts c WHERE c.org_id = $1`+theirs, owners...)
		if err != nil || n == 0 {
			return nil, err
		}
		theirs, args = sight.where("c.owner", args)
		if n < manyRows {
			few = append(few, `SELECT +c.subject AS subject FROM contacts c WHERE c.org_id = $1`+theirs)
		} else {
			join, where = ` CROSS JOIN contacts c`, append(where, `c.org_id = $1 AND c.subject = i.subject`+theirs)
		}
	}
	if len(few) == 0 {
		few = append(few, `SELECT +x.subject AS subject FROM contact_index x WHERE `+within("x", rarest))
		many = slices.DeleteFunc(many, func(p []byte) bool { return bytes.Equal(p, rarest) })
	}
	for n, part := range many {
		table := fmt.Sprint("i", n)
		join += ` CROSS JOIN contact_index ` + table
		where = append(where, within(table, part), table+".subject = i.subject")
	}
	limit := manyRows
	if len(many) > 0 || join != "" {
		limit = mostLooks
	} else if len(few) == 1 && fewest >= manyRows {
		limit = mostTries
	}
	// The plus keeps the engine from going through the whole index by subject to intersect in its order.
	query := fmt.Sprintf(`SELECT i.subject FROM (SELECT y.subject FROM (%s) y LIMIT %d) i%s`, strings.Join(few, ` INTERSECT `), limit, join)
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, " AND ")
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (x int64, err error) { return x, r.Scan(&x) }, query, args...)
	slices.SortFunc(all, func(a, b int64) int { return cmp.Compare(b, a) })
	all = slices.Compact(all)
	return all[:min(len(all), mostTries)], err
}

// has tells whether every word of a query begins a word of the person.
func has(p *Person, query []string) bool { return words.HasAll(p.words(), query) }

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
