package contact

import (
	"context"
	"fmt"
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
	fewestDigits = 4   // of a number: fewer would open too many
	mostTries    = 400 // candidates that one search opens
)

// ByEmail gives the contacts that have an e-mail address.
func (s *Contacts) ByEmail(ctx context.Context, c db.Conn, org account.OrgID, email string) ([]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	ids, err := db.Select(ctx, c, scanID, `SELECT contact FROM contact_index WHERE org_id = $1 AND idx = $2`, org, emailIndex(k, email))
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

// byWords finds contacts by the beginnings of words. The index answers up to five characters of each; what is longer is
// settled by opening what was found.
func (s *Contacts) byWords(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, sight Sight, query []string, most int) ([]ID, error) {
	if len(query) == 0 {
		return nil, nil
	}
	query = query[:min(len(query), 5)]
	slices.SortFunc(query, func(a, b string) int { return len(b) - len(a) }) // the longest says the most
	args := []any{org}
	from, where := `contact_index i`, `i.org_id = $1`
	for n, w := range query {
		args = append(args, wordIndex(k, start(w)))
		if n == 0 {
			where += ` AND i.idx = $2`
			continue
		}
		from += fmt.Sprintf(` JOIN contact_index i%d ON i%d.org_id = i.org_id AND i%d.contact = i.contact AND i%d.idx = $%d`, n, n, n, n, len(args))
	}
	if !sight.All {
		from += ` JOIN contacts c ON c.org_id = i.org_id AND c.contact = i.contact`
		var seen string
		seen, args = sight.where("c.owner", args)
		where += seen
	}
	args = append(args, max(mostTries, most))
	ids, err := db.Select(ctx, c, scanID, `SELECT i.contact FROM `+from+` WHERE `+where+` ORDER BY i.contact DESC LIMIT `+placeholder(len(args)), args...)
	if err != nil {
		return nil, err
	}
	var out []ID
	for part := range slices.Chunk(ids, 2*chunk) {
		found, err := s.load(ctx, c, org, part)
		if err != nil {
			return nil, err
		}
		for _, x := range part {
			if one := found[x]; one != nil && one.MergedInto == "" && has(&one.Person, query) {
				if out = append(out, x); len(out) == most {
					return s.unrestricted(ctx, c, org, out)
				}
			}
		}
	}
	return s.unrestricted(ctx, c, org, out)
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

// unrestricted leaves out whom a restriction keeps from being used.
func (s *Contacts) unrestricted(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) ([]ID, error) {
	found, err := s.load(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ids, func(x ID) bool {
		one := found[x]
		return one != nil && s.CheckUse(ctx, c, org, one) != nil
	}), nil
}

// CheckUse refuses a contact one of whose numbers may be kept and not used.
func (s *Contacts) CheckUse(ctx context.Context, c db.Conn, org account.OrgID, one *Contact) error {
	for _, n := range one.Nums {
		if err := s.d.Book.CheckUse(ctx, c, org, n); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}
