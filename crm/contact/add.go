package contact

import (
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/number"
	"parley/crm/field"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/consent"
)

// New is a contact to be made.
type New struct {
	Person Person
	Tags   []string
	Owner  account.MemberID
	Team   account.TeamID
	Origin string // "manual", "import", "call", "phone" or "api"
	Import string
}

// Checker checks contacts to be made in one organisation, and remembers what it looked up: one for a whole import.
type Checker struct {
	s      *Contacts
	org    *account.Org
	defs   []field.Def
	owners map[account.MemberID]error
	buried *consent.Tombstones
}

// Checker gives one.
func (s *Contacts) Checker(ctx context.Context, c db.Conn, org *account.Org) (*Checker, error) {
	defs, err := s.d.Fields.Of(ctx, c, org.ID, field.OfContact)
	if err != nil {
		return nil, err
	}
	buried, err := s.buried(ctx, c, org.ID)
	return &Checker{s: s, org: org, defs: defs, owners: map[account.MemberID]error{}, buried: buried}, err
}

// Check refuses a contact that cannot be made, with a sentence about the field, and puts what was written into its canonical
// form. A person who was erased is not brought back: that is a fault of the kind Gone.
func (k *Checker) Check(ctx context.Context, c db.Conn, n *New) error {
	if err := check(k.org, k.defs, &n.Person); err != nil {
		return err
	}
	var err error
	if n.Tags, err = CleanTags(n.Tags); err != nil {
		return err
	}
	if len(n.Origin) > maxOrigin || len(n.Import) > maxOrigin {
		return fault.New(fault.Invalid, "The origin of a contact has at most %d characters.", maxOrigin)
	}
	known, ok := k.owners[n.Owner]
	if !ok {
		known = k.s.checkOwner(ctx, c, k.org.ID, n.Owner)
		k.owners[n.Owner] = known
	}
	if known != nil {
		return known
	}
	return k.s.notErased(ctx, c, k.org.ID, k.buried, &n.Person, n.Origin == originImport || n.Origin == originPhone)
}

// checkOwner refuses an owner who is not there, or has left.
func (s *Contacts) checkOwner(ctx context.Context, c db.Conn, org account.OrgID, owner account.MemberID) error {
	if owner == "" {
		return nil
	}
	active, ok, err := db.One(ctx, c, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT active FROM members WHERE org_id = $1 AND id = $2`, org, owner)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.Field("owner", "There is no member %q in this organisation. Choose another owner.", string(owner))
	case active == 0:
		return fault.Field("owner", "This member has left the organisation, so nothing can be given to them. Choose another owner.")
	default:
		return nil
	}
}

// notErased refuses somebody who was erased. Who called again since stands in the number book anew, and can be made a contact
// again, but not by a list or a phone's address book, which may be from before. buried is who was erased, nil nobody.
func (s *Contacts) notErased(ctx context.Context, c db.Conn, org account.OrgID, buried *consent.Tombstones, p *Person, listed bool) error {
	if buried == nil || buried.Len() == 0 {
		return nil
	}
	for _, n := range p.Numbers {
		if _, gone := buried.Erased(n.Text); !gone {
			continue
		}
		if !listed {
			_, again, err := s.d.Book.Find(ctx, c, org, n.Text)
			if err != nil {
				return err
			}
			if again {
				continue
			}
		}
		return fault.New(fault.Gone, "The person with this number was erased, so they are not taken in again. Leave them out. Should they call again, they can be added by hand.")
	}
	for _, e := range p.Emails {
		if _, gone := buried.Erased(buriedEmail(e.Text)); gone {
			return fault.New(fault.Gone, "The person with this e-mail address was erased, so they are not taken in again. Leave the address out.")
		}
	}
	return nil
}

// Where contacts come from as lists.
const (
	originImport = "import"
	originPhone  = "phone"
)

// buriedEmail is the name of an e-mail address among what was erased.
func buriedEmail(email string) string { return "email:" + strings.ToLower(strings.TrimSpace(email)) }

// buried gives who was erased; nil is nobody.
func (s *Contacts) buried(ctx context.Context, c db.Conn, org account.OrgID) (*consent.Tombstones, error) {
	if s.d.Consents == nil {
		return nil, nil
	}
	return s.d.Consents.Tombstones(ctx, c, org)
}

// Add makes a contact. Call the returned function once the transaction has committed.
func (s *Contacts) Add(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, n New) (*Contact, func(), error) {
	all, committed, err := s.AddMany(ctx, tx, org, by, []New{n})
	if err != nil {
		return nil, nil, err
	}
	return all[0], committed, nil
}

// AddMany makes many contacts at once and gives them in the order of news. The first that cannot be made stops all; Checker
// tells before. Call the returned function once the transaction has committed.
func (s *Contacts) AddMany(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, news []New) ([]*Contact, func(), error) {
	if len(news) == 0 {
		return nil, func() {}, nil
	}
	chk, err := s.Checker(ctx, tx, org)
	if err != nil {
		return nil, nil, err
	}
	news = slices.Clone(news)
	var texts []string
	for i := range news {
		if err := chk.Check(ctx, tx, &news[i]); err != nil {
			return nil, nil, err
		}
		for _, n := range news[i].Person.Numbers {
			texts = append(texts, n.Text)
		}
	}
	nums, committed, err := s.d.Book.Resolve(ctx, tx, org.ID, texts)
	if err != nil {
		return nil, nil, err
	}
	first, err := s.d.Book.NewSubjects(ctx, tx, org.ID, len(news))
	if err != nil {
		return nil, nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, nil, err
	}
	now := s.d.Now()
	out := make([]*Contact, len(news))
	for i, n := range news {
		out[i] = &Contact{ID: ID(id.New("con")), Subject: first + int64(i), Rev: 1, Owner: n.Owner, Team: n.Team, Person: n.Person, Tags: n.Tags, Origin: n.Origin, Import: n.Import,
			Made: now, MadeBy: by, Changed: now, ChangedBy: by, Last: now, Nums: numsOf(nums, n.Person)}
	}
	return out, committed, insert(ctx, tx, k, org.ID, out)
}

func numsOf(nums map[string]number.ID, p Person) []number.ID {
	var out []number.ID
	for _, n := range p.Numbers {
		if x := nums[n.Text]; x != number.Withheld && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

// insert writes new contacts with their numbers, their index and their tags.
func insert(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, all []*Contact) error {
	var rows []indexRow
	var tags []string
	for part := range slices.Chunk(all, chunk) {
		args := make([]any, 0, 16*len(part))
		for _, c := range part {
			sealed, err := seal(ctx, k, c)
			if err != nil {
				return err
			}
			args = append(args, org, c.ID, c.Subject, c.Rev, c.Owner, c.Team, sealed, c.Origin, c.Import, c.MergedInto, millis(c.Made), c.MadeBy, millis(c.Changed), c.ChangedBy, millis(c.Last), flag(c.Restricted))
			if c.MergedInto != "" { // whoever it became part of is found
				continue
			}
			for _, e := range entries(k, &c.Person, c.Tags) {
				rows = append(rows, indexRow{e, c.Subject})
			}
			for _, t := range c.Tags {
				if !slices.Contains(tags, t) {
					tags = append(tags, t)
				}
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contacts (org_id, contact, subject, rev, owner, team, sealed, origin, import, merged_into, made_ms, made_by, changed_ms, changed_by, last_ms, restricted) VALUES `+db.Values(len(part), 16), args...); err != nil {
			return err
		}
		if err := putNumbers(ctx, tx, org, part...); err != nil {
			return err
		}
	}
	if err := putIndex(ctx, tx, org, rows); err != nil {
		return err
	}
	return putTags(ctx, tx, k, org, tags)
}

// putNumbers ties contacts to their numbers.
func putNumbers(ctx context.Context, tx *db.Tx, org account.OrgID, all ...*Contact) error {
	var args []any
	for _, c := range all {
		for _, n := range c.Nums {
			args = append(args, org, n, c.ID)
		}
	}
	for part := range slices.Chunk(args, 3*chunk) {
		if _, err := tx.Exec(ctx, `INSERT INTO contact_numbers (org_id, num, contact) VALUES `+db.Values(len(part)/3, 3)+` ON CONFLICT DO NOTHING`, part...); err != nil {
			return err
		}
	}
	return nil
}
