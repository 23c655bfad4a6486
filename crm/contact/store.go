package contact

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
)

// sealField binds what is sealed to its place.
const sealField = "contact"

// kept is what is sealed of a contact.
type kept struct {
	Person
	Tags []string `json:"k,omitempty"`
}

func seal(ctx context.Context, k *vault.OrgKeys, c *Contact) ([]byte, error) {
	plain, err := json.Marshal(kept{c.Person, c.Tags})
	if err != nil {
		return nil, err
	}
	return k.SealSubject(ctx, c.Subject, sealField, plain)
}

const columns = `contact, subject, rev, owner, team, sealed, origin, import, merged_into, made_ms, made_by, changed_ms, changed_by, last_ms, restricted`

// row is a contact as the table has it.
type row struct {
	Contact
	sealed              []byte
	made, changed, last int64
}

func scanRow(r db.Scanner) (*row, error) {
	var x row
	var restricted int
	err := r.Scan(&x.ID, &x.Subject, &x.Rev, &x.Owner, &x.Team, &x.sealed, &x.Origin, &x.Import, &x.MergedInto, &x.made, &x.MadeBy, &x.changed, &x.ChangedBy, &x.last, &restricted)
	x.Restricted = restricted == 1
	x.Made, x.Changed, x.Last = at(x.made), at(x.changed), at(x.last)
	return &x, err
}

// open opens rows; those whose key was destroyed are left out.
func open(ctx context.Context, k *vault.OrgKeys, rows []*row) (map[ID]*Contact, error) {
	out := make(map[ID]*Contact, len(rows))
	for _, x := range rows {
		plain, err := k.OpenSubject(ctx, x.Subject, sealField, x.sealed)
		if fault.KindOf(err) == fault.Gone {
			continue
		}
		var in kept
		if err == nil {
			err = json.Unmarshal(plain, &in)
		}
		if err != nil {
			return nil, err
		}
		x.Person, x.Tags = in.Person, in.Tags
		out[x.ID] = &x.Contact
	}
	return out, nil
}

// load reads contacts as they are, merged ones, too.
func (s *Contacts) load(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) (map[ID]*Contact, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	var rows []*row
	for part := range slices.Chunk(ids, 4*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		some, err := db.Select(ctx, c, scanRow, `SELECT `+columns+` FROM contacts WHERE org_id = $1 AND contact IN `+db.In(2, len(part)), args...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	out, err := open(ctx, k, rows)
	if err != nil {
		return nil, err
	}
	return out, numbered(ctx, c, org, out)
}

// Load gives contacts by the ids that were asked for. A contact that was merged gives the one that it became part of. Those
// that are not there, or were erased, are left out.
func (s *Contacts) Load(ctx context.Context, c db.Conn, org account.OrgID, ids ...ID) (map[ID]*Contact, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	out, err := s.load(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	for range maxMerges {
		var next []ID
		for _, x := range out {
			if x.MergedInto != "" {
				next = append(next, x.MergedInto)
			}
		}
		if len(next) == 0 {
			return out, nil
		}
		found, err := s.load(ctx, c, org, next)
		if err != nil {
			return nil, err
		}
		for asked, x := range out {
			if x.MergedInto == "" {
				continue
			}
			if to := found[x.MergedInto]; to != nil {
				out[asked] = to
			} else {
				delete(out, asked)
			}
		}
	}
	return out, nil
}

// Get gives one contact that somebody sees; one that was merged gives the contact that it became part of. A restricted person
// is Denied.
func (s *Contacts) Get(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, x ID) (*Contact, error) {
	found, err := s.Load(ctx, c, org, x)
	if err != nil {
		return nil, err
	}
	if one := found[x]; one != nil && sight.Sees(one.Owner) {
		return one, s.CheckUse(ctx, c, org, one)
	}
	return nil, errNone(x)
}

// Page is part of a list of contacts.
type Page struct {
	Contacts []*Contact
	Cursor   string // of the next page; "" = this is the last
	Count    int64  // of all contacts of the list, when it was asked for; -1 otherwise
}

// Ask is a page of the list that is asked for.
type Ask struct {
	Text   string            // name, company, e-mail or number; "" = all
	Tag    string            // "" = any
	Owner  *account.MemberID // nil = anybody
	Import string            // brought by this import; "" = any
	Cursor string
	Limit  int // 0 = 50; at most 500
	Count  bool
}

// List gives the contacts that somebody sees, those with the latest activity first.
func (s *Contacts) List(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, a Ask) (*Page, error) {
	limit := min(max(a.Limit, 0), 500)
	if limit == 0 {
		limit = 50
	}
	if a.Text != "" {
		return s.listFound(ctx, c, org, sight, a, limit)
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	where, args := s.listWhere(k, org, sight, a)
	p := &Page{Count: -1}
	if a.Count {
		if err := c.Row(ctx, `SELECT count(*) FROM contacts WHERE `+where, args...).Scan(&p.Count); err != nil {
			return nil, err
		}
	}
	if a.Cursor != "" {
		last, contact, err := readCursor(a.Cursor)
		if err != nil {
			return nil, err
		}
		args = append(args, last, contact)
		where += ` AND (last_ms, contact) < ` + db.In(len(args)-1, 2)
	}
	args = append(args, limit+1)
	rows, err := db.Select(ctx, c, scanRow, `SELECT `+columns+` FROM contacts WHERE `+where+` ORDER BY last_ms DESC, contact DESC LIMIT `+placeholder(len(args)), args...)
	if err != nil {
		return nil, err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		p.Cursor = cursor(rows[limit-1].last, rows[limit-1].ID)
	}
	found, err := open(ctx, k, rows)
	if err == nil {
		err = numbered(ctx, c, org, found)
	}
	if err == nil {
		err = s.usable(ctx, c, org, found)
	}
	for _, r := range rows {
		if x := found[r.ID]; x != nil {
			p.Contacts = append(p.Contacts, x)
		}
	}
	return p, err
}

func (s *Contacts) listWhere(k *vault.OrgKeys, org account.OrgID, sight Sight, a Ask) (string, []any) {
	where, args := `org_id = $1 AND merged_into = '' AND restricted = 0`, []any{org}
	if a.Owner != nil {
		args = append(args, *a.Owner)
		where += ` AND owner = ` + placeholder(len(args))
	}
	if a.Import != "" {
		args = append(args, a.Import)
		where += ` AND import = ` + placeholder(len(args))
	}
	if a.Tag != "" {
		args = append(args, tagIndex(k, a.Tag))
		where += ` AND EXISTS (SELECT 1 FROM contact_index i WHERE i.org_id = contacts.org_id AND i.subject = contacts.subject AND i.kind = 4 AND i.idx = ` + placeholder(len(args)) + `)`
	}
	seen, args := sight.where("owner", args)
	return where + seen, args
}

// listFound is List for a search: what was found, without further pages.
func (s *Contacts) listFound(ctx context.Context, c db.Conn, org account.OrgID, sight Sight, a Ask, limit int) (*Page, error) {
	ids, err := s.Find(ctx, c, org, sight, a.Text, limit)
	if err != nil {
		return nil, err
	}
	found, err := s.Load(ctx, c, org, ids...)
	p := &Page{Count: -1}
	for _, x := range ids {
		if one := found[x]; one != nil && (a.Owner == nil || *a.Owner == one.Owner) && (a.Tag == "" || hasTag(one.Tags, a.Tag)) {
			p.Contacts = append(p.Contacts, one)
		}
	}
	if a.Count {
		p.Count = int64(len(p.Contacts))
	}
	return p, err
}

func hasTag(tags []string, tag string) bool {
	return slices.ContainsFunc(tags, func(t string) bool { return fold(t) == fold(tag) })
}

func placeholder(n int) string {
	one := db.In(n, 1)
	return one[1 : len(one)-1]
}

func cursor(last int64, contact ID) string {
	raw, _ := json.Marshal([]any{last, contact}) // a number and a text
	return id.Encode(raw)
}

func readCursor(text string) (last int64, contact ID, err error) {
	raw, err := id.Decode(text)
	if err == nil {
		err = json.Unmarshal(raw, &[]any{&last, &contact})
	}
	if err != nil {
		err = fault.Wrap(fault.Invalid, err, "This is not the cursor of a page of contacts. Begin again with the first page.")
	}
	return last, contact, err
}

// ByNumber gives the contacts that have numbers, those with the latest activity first.
func (s *Contacts) ByNumber(ctx context.Context, c db.Conn, org account.OrgID, nums ...number.ID) (map[number.ID][]ID, error) {
	out := map[number.ID][]ID{}
	type pair struct {
		num     number.ID
		contact ID
	}
	for part := range slices.Chunk(nums, 4*chunk) {
		args := []any{org}
		for _, n := range part {
			args = append(args, n)
		}
		found, err := db.Select(ctx, c, func(r db.Scanner) (x pair, err error) { return x, r.Scan(&x.num, &x.contact) },
			`SELECT n.num, n.contact FROM contact_numbers n JOIN contacts c ON c.org_id = n.org_id AND c.contact = n.contact
			WHERE n.org_id = $1 AND n.num IN `+db.In(2, len(part))+` ORDER BY c.last_ms DESC, n.contact DESC`, args...)
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			out[x.num] = append(out[x.num], x.contact)
		}
	}
	return out, nil
}

// numbered adds the ids of contacts' numbers.
func numbered(ctx context.Context, c db.Conn, org account.OrgID, contacts map[ID]*Contact) error {
	ids := slices.Sorted(maps.Keys(contacts))
	for part := range slices.Chunk(ids, 4*chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		type pair struct {
			contact ID
			num     number.ID
		}
		found, err := db.Select(ctx, c, func(r db.Scanner) (x pair, err error) { return x, r.Scan(&x.contact, &x.num) },
			`SELECT contact, num FROM contact_numbers WHERE org_id = $1 AND contact IN `+db.In(2, len(part))+` ORDER BY contact, num`, args...)
		if err != nil {
			return err
		}
		for _, x := range found {
			contacts[x.contact].Nums = append(contacts[x.contact].Nums, x.num)
		}
	}
	return nil
}
