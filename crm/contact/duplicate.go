package contact

import (
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
)

// Twin is a contact that may be the same person as another one.
type Twin struct {
	Contact *Contact
	Why     []string // what they have in common: "number", "email" or "name"
}

// Twins suggests who in sight may be the same person as a contact: with the same number or e-mail address, or the same first
// and last name. Those that somebody called two persons are left out.
func (s *Contacts) Twins(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, one *Contact) ([]Twin, error) {
	why := map[ID][]string{}
	with, err := s.ByNumber(ctx, c, org, one.Nums...)
	if err != nil {
		return nil, err
	}
	note := func(ids []ID, reason string) {
		for _, x := range ids {
			if x != one.ID && !slices.Contains(why[x], reason) {
				why[x] = append(why[x], reason)
			}
		}
	}
	for _, ids := range with {
		note(ids, "number")
	}
	for _, e := range one.Person.Emails {
		ids, err := s.ByEmail(ctx, c, org, e.Text)
		if err != nil {
			return nil, err
		}
		note(ids, "email")
	}
	if one.Person.First != "" && one.Person.Last != "" {
		ids, err := s.Find(ctx, c, org, sight, one.Person.First+" "+one.Person.Last, 50)
		if err != nil {
			return nil, err
		}
		same, err := s.sameName(ctx, c, org, one, ids)
		if err != nil {
			return nil, err
		}
		note(same, "name")
	}
	return s.twins(ctx, c, org, sight, one, why)
}

func (s *Contacts) sameName(ctx context.Context, c db.Conn, org account.OrgID, one *Contact, ids []ID) ([]ID, error) {
	found, err := s.Load(ctx, c, org, ids...)
	return slices.DeleteFunc(ids, func(x ID) bool {
		o := found[x]
		return o == nil || fold(o.Person.First) != fold(one.Person.First) || fold(o.Person.Last) != fold(one.Person.Last)
	}), err
}

func (s *Contacts) twins(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, one *Contact, why map[ID][]string) ([]Twin, error) {
	apart, err := db.Select(ctx, c, scanID, `SELECT other FROM contact_distinct WHERE org_id = $1 AND one = $2`, org, one.ID)
	if err != nil {
		return nil, err
	}
	var ids []ID
	for x := range why {
		if !slices.Contains(apart, x) {
			ids = append(ids, x)
		}
	}
	found, err := s.Load(ctx, c, org, ids...)
	var out []Twin
	for x, o := range found {
		if o.ID != one.ID && o.ID == x && sight.Sees(o.Owner) {
			out = append(out, Twin{o, why[x]})
		}
	}
	slices.SortFunc(out, func(a, b Twin) int {
		if len(a.Why) != len(b.Why) {
			return len(b.Why) - len(a.Why)
		}
		return strings.Compare(string(a.Contact.ID), string(b.Contact.ID))
	})
	return out, err
}

// Apart notes that two contacts are two persons, so that nobody is asked again.
func (s *Contacts) Apart(ctx context.Context, tx *db.Tx, org account.OrgID, by account.MemberID, a, b ID) error {
	now := millis(s.d.Now())
	_, err := tx.Exec(ctx, `INSERT INTO contact_distinct (org_id, one, other, by_member, at_ms) VALUES ($1, $2, $3, $4, $5), ($1, $3, $2, $4, $5) ON CONFLICT DO NOTHING`, org, a, b, by, now)
	return err
}

// Pair is two contacts that may be one person.
type Pair struct {
	One, Other *Contact
	Why        string // "number" or "index": an e-mail address, or a name
}

// Duplicates lists pairs in sight that share a number or an e-mail address, the latest contacts first, at most so many.
func (s *Contacts) Duplicates(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, most int) ([]Pair, error) {
	type two struct{ a, b ID }
	scan := func(r db.Scanner) (x two, err error) { return x, r.Scan(&x.a, &x.b) }
	found, err := db.Select(ctx, c, scan, `SELECT x.contact, y.contact FROM contact_numbers x JOIN contact_numbers y ON y.org_id = x.org_id AND y.num = x.num AND y.contact < x.contact
		WHERE x.org_id = $1 AND NOT EXISTS (SELECT 1 FROM contact_distinct d WHERE d.org_id = x.org_id AND d.one = x.contact AND d.other = y.contact)
		ORDER BY x.contact DESC LIMIT $2`, org, 4*most)
	if err != nil {
		return nil, err
	}
	var ids []ID
	for _, x := range found {
		ids = append(ids, x.a, x.b)
	}
	all, err := s.load(ctx, c, org, ids)
	var out []Pair
	for _, x := range found {
		a, b := all[x.a], all[x.b]
		if a != nil && b != nil && sight.Sees(a.Owner) && sight.Sees(b.Owner) && len(out) < most {
			out = append(out, Pair{a, b, "number"})
		}
	}
	return out, err
}
