package contact

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
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
	same, err := s.byName(ctx, c, org, &one.Person)
	if err != nil {
		return nil, err
	}
	note(same, "name")
	return s.twins(ctx, c, org, sight, one, why)
}

// byName gives contacts of the same first and last name, at most 50.
func (s *Contacts) byName(ctx context.Context, c db.Conn, org account.OrgID, p *Person) ([]ID, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	idx := nameIndex(k, p)
	if idx == nil {
		return nil, nil
	}
	ids, err := db.Select(ctx, c, scanID, withIdx, org, kindName, idx)
	if err != nil {
		return nil, err
	}
	found, err := s.load(ctx, c, org, ids)
	return slices.DeleteFunc(ids, func(x ID) bool { return found[x] == nil || found[x].Person.sameName() != p.sameName() }), err
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
	if err == nil {
		err = s.usable(ctx, c, org, found)
	}
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

// Group is contacts that may be one person.
type Group struct {
	Why      string     // what they have in common: "number", "email" or "name"
	Contacts []*Contact // two at least, and at most 20
}

const mostAlike = 20

// alike are the queries that find what several contacts share, after a key; and what somebody has of it.
var alike = [...]struct {
	why, shared, who string
	values           func(*Contact) []string
}{
	{"number", `SELECT num FROM contact_numbers WHERE org_id = $1 AND num > $2 GROUP BY num HAVING count(*) > 1 ORDER BY num LIMIT $3`,
		`SELECT contact FROM contact_numbers WHERE org_id = $1 AND num = $2 ORDER BY contact LIMIT $3`, nil},
	{"email", `SELECT idx FROM contact_index WHERE org_id = $1 AND kind = 2 AND idx > $2 GROUP BY idx HAVING count(*) > 1 ORDER BY idx LIMIT $3`,
		`SELECT c.contact FROM contact_index i JOIN contacts c ON c.org_id = i.org_id AND c.subject = i.subject WHERE i.org_id = $1 AND i.kind = 2 AND i.idx = $2 ORDER BY i.subject LIMIT $3`,
		func(c *Contact) (out []string) {
			for _, e := range c.Person.Emails {
				out = append(out, strings.ToLower(e.Text))
			}
			return out
		}},
	{"name", `SELECT idx FROM contact_index WHERE org_id = $1 AND kind = 3 AND idx > $2 GROUP BY idx HAVING count(*) > 1 ORDER BY idx LIMIT $3`,
		`SELECT c.contact FROM contact_index i JOIN contacts c ON c.org_id = i.org_id AND c.subject = i.subject WHERE i.org_id = $1 AND i.kind = 3 AND i.idx = $2 ORDER BY i.subject LIMIT $3`,
		func(c *Contact) []string { return []string{c.Person.sameName()} }},
}

// place is where a list of duplicates goes on: behind a key of one of alike.
type place struct {
	Step int    `json:"s"`
	Num  int64  `json:"n,omitempty"`
	Idx  []byte `json:"i,omitempty"`
}

func (p place) key() any {
	if p.Step == 0 {
		return p.Num
	}
	return p.Idx
}

// Duplicates lists contacts in sight that share a number, an e-mail address or a name: those groups first that share a number.
// Those that somebody called two persons are left out. next is the cursor of the next page, "" on the last.
func (s *Contacts) Duplicates(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, cursor string, limit int) (groups []Group, next string, err error) {
	var at place
	if cursor != "" {
		raw, err := id.Decode(cursor)
		if err == nil {
			err = json.Unmarshal(raw, &at)
		}
		if err != nil || at.Step < 0 || at.Step >= len(alike) {
			return nil, "", fault.Wrap(fault.Invalid, err, "This is not the cursor of a page of duplicates. Begin again with the first page.")
		}
	}
	if at.Idx == nil {
		at.Idx = []byte{}
	}
	for at.Step < len(alike) {
		keys, err := s.shared(ctx, c, org, at, limit-len(groups)+1)
		if err != nil {
			return nil, "", err
		}
		for _, k := range keys {
			if len(groups) == limit {
				raw, err := json.Marshal(at)
				return groups, id.Encode(raw), err
			}
			g, err := s.group(ctx, c, org, sight, k)
			if err != nil {
				return nil, "", err
			}
			groups, at = append(groups, g...), k
		}
		if len(keys) == 0 {
			at = place{Step: at.Step + 1, Idx: []byte{}}
		}
	}
	return groups, "", nil
}

// shared gives the next keys that several contacts share.
func (s *Contacts) shared(ctx context.Context, c db.Conn, org account.OrgID, after place, most int) ([]place, error) {
	return db.Select(ctx, c, func(r db.Scanner) (place, error) {
		p := place{Step: after.Step}
		if p.Step == 0 {
			return p, r.Scan(&p.Num)
		}
		return p, r.Scan(&p.Idx)
	}, alike[after.Step].shared, org, after.key(), most)
}

// group gives those who share a key, as far as they are in sight: none, or one group for each value, since a hash may stand for
// two.
func (s *Contacts) group(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, key place) ([]Group, error) {
	a := alike[key.Step]
	ids, err := db.Select(ctx, c, scanID, a.who, org, key.key(), mostAlike)
	if err != nil {
		return nil, err
	}
	found, err := s.load(ctx, c, org, ids)
	if err == nil {
		err = s.usable(ctx, c, org, found)
	}
	if err != nil {
		return nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	byValue := map[string][]*Contact{}
	var order []string
	for _, x := range ids {
		one := found[x]
		if one == nil || !sight.Sees(one.Owner) {
			continue
		}
		values := []string{""}
		if a.values != nil {
			values = a.values(one)
		}
		for _, v := range values {
			if a.why == "email" && !bytes.Equal(emailIndex(k, v), key.Idx) {
				continue // another address of theirs
			}
			if byValue[v] == nil {
				order = append(order, v)
			}
			byValue[v] = append(byValue[v], one)
		}
	}
	var out []Group
	for _, v := range order {
		same, err := s.together(ctx, c, org, byValue[v])
		if err != nil {
			return nil, err
		}
		if len(same) > 1 {
			out = append(out, Group{a.why, same})
		}
	}
	return out, nil
}

// together leaves out those who were called other persons than all the rest.
func (s *Contacts) together(ctx context.Context, c db.Conn, org account.OrgID, all []*Contact) ([]*Contact, error) {
	if len(all) < 2 {
		return nil, nil
	}
	args := []any{org}
	for _, one := range all {
		args = append(args, one.ID)
	}
	type pair struct{ one, other ID }
	apart, err := db.Select(ctx, c, func(r db.Scanner) (p pair, err error) { return p, r.Scan(&p.one, &p.other) },
		`SELECT one, other FROM contact_distinct WHERE org_id = $1 AND one IN `+db.In(2, len(all)), args...)
	return slices.DeleteFunc(slices.Clone(all), func(x *Contact) bool {
		return !slices.ContainsFunc(all, func(o *Contact) bool { return o.ID != x.ID && !slices.Contains(apart, pair{x.ID, o.ID}) })
	}), err
}
