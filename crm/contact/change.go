package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/field"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// The fields that a history speaks of. Own ones are "custom." with their key.
const (
	fieldOwner  = "owner"
	fieldMerged = "merged" // To is the id of the contact that came in
	fieldSplit  = "split"  // To is the id of the contact that went out again
	fieldCustom = "custom."
)

// values are a contact's fields as texts that can be compared and kept in a history.
func (c *Contact) values() map[string]string {
	p := &c.Person
	text := func(v any) string {
		raw, _ := json.Marshal(v) // texts and lists of texts
		return string(raw)
	}
	out := map[string]string{"first": p.First, "last": p.Last, "company": p.Company, "title": p.Title, "photo": p.Photo, "language": p.Language, "tags": strings.Join(c.Tags, ", ")}
	if len(p.Numbers) > 0 {
		out["numbers"] = text(p.Numbers)
	}
	if len(p.Emails) > 0 {
		out["emails"] = text(p.Emails)
	}
	if p.Address != (Address{}) {
		out["address"] = text(p.Address)
	}
	for key, v := range p.Custom {
		out[fieldCustom+key] = v
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// put writes one field back from its text.
func (c *Contact) put(name, value string) error {
	p := &c.Person
	list := func(to *[]Labelled) error {
		*to = nil
		if value == "" {
			return nil
		}
		return json.Unmarshal([]byte(value), to)
	}
	switch name {
	case "first":
		p.First = value
	case "last":
		p.Last = value
	case "company":
		p.Company = value
	case "title":
		p.Title = value
	case "photo":
		p.Photo = value
	case "language":
		p.Language = value
	case "tags":
		c.Tags = nil
		if value != "" {
			c.Tags = strings.Split(value, ", ")
		}
	case "numbers":
		return list(&p.Numbers)
	case "emails":
		return list(&p.Emails)
	case "address":
		p.Address = Address{}
		if value != "" {
			return json.Unmarshal([]byte(value), &p.Address)
		}
	default:
		if key, ok := strings.CutPrefix(name, fieldCustom); ok {
			if value == "" {
				delete(p.Custom, key)
			} else {
				if p.Custom == nil {
					p.Custom = map[string]string{}
				}
				p.Custom[key] = value
			}
		}
	}
	return nil
}

// Event is one field that was changed.
type Event struct {
	Contact  ID
	Rev      int64 // the contact's after the change
	At       time.Time
	By       account.MemberID // "" = the program or the operator
	Field    string           // first, last, company, title, numbers, emails, photo, address, language, tags, owner, merged, split or custom.KEY
	From, To string           // lists and the address as JSON

	subject int64 // the contact's key
}

// secret is what of an event is sealed.
type secret struct {
	From string `json:"f,omitempty"`
	To   string `json:"t,omitempty"`
}

func record(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, events ...Event) error {
	for part := range slices.Chunk(events, chunk) {
		var args []any
		for _, e := range part {
			plain, err := json.Marshal(secret{e.From, e.To})
			if err != nil {
				return err
			}
			sealed, err := k.SealSubject(ctx, e.subject, "contact_events", plain)
			if err != nil {
				return err
			}
			args = append(args, org, e.Contact, e.Rev, e.Field, millis(e.At), e.By, sealed)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_events (org_id, contact, rev, field, at_ms, by_member, sealed) VALUES `+db.Values(len(part), 7), args...); err != nil {
			return err
		}
	}
	return nil
}

// History gives the changes of a contact, the newest first: at most limit of those before a rev (0 = all).
func (s *Contacts) History(ctx context.Context, c db.Conn, org account.OrgID, x ID, before int64, limit int) ([]Event, error) {
	found, err := s.load(ctx, c, org, []ID{x})
	if err != nil || found[x] == nil {
		return nil, err
	}
	where, args := ``, []any{org, x, limit}
	if before > 0 {
		where, args = ` AND rev < $4`, append(args, before)
	}
	return s.events(ctx, c, org, found[x].Subject, `contact = $2`+where+` ORDER BY rev DESC, field LIMIT $3`, args...)
}

func (s *Contacts) events(ctx context.Context, c db.Conn, org account.OrgID, subject int64, where string, args ...any) ([]Event, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (Event, error) {
		var e Event
		var sealed []byte
		var ms int64
		if err := r.Scan(&e.Contact, &e.Rev, &e.Field, &ms, &e.By, &sealed); err != nil {
			return e, err
		}
		e.At = at(ms)
		plain, err := k.OpenSubject(ctx, subject, "contact_events", sealed)
		if err != nil {
			return e, err
		}
		var in secret
		err = json.Unmarshal(plain, &in)
		e.From, e.To = in.From, in.To
		return e, err
	}, `SELECT contact, rev, field, at_ms, by_member, sealed FROM contact_events WHERE org_id = $1 AND `+where, args...)
}

// Change makes a contact what p and tags say. rev is the one that the editor saw, 0 the contact as it is: what the editor did
// not touch stays as colleagues left it since, and when both changed the same field differently, nothing is changed and the
// Conflict says who changed what and when. Call the returned function once the transaction has committed.
func (s *Contacts) Change(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, x ID, rev int64, p Person, tags []string) (*Contact, func(), error) {
	now, err := s.locked(ctx, tx, org.ID, x)
	if err != nil {
		return nil, nil, err
	}
	defs, err := s.d.Fields.Of(ctx, tx, org.ID, field.OfContact)
	if err != nil {
		return nil, nil, err
	}
	if p.Custom == nil {
		p.Custom = maps.Clone(now.Person.Custom)
	} else { // values of fields that were taken out stay
		p.Custom = maps.Clone(p.Custom)
	}
	hidden := map[string]string{}
	for key, v := range now.Person.Custom {
		if !slices.ContainsFunc(defs, func(d field.Def) bool { return d.Key == key }) {
			hidden[key] = v
			delete(p.Custom, key)
		}
	}
	if err := check(org, defs, &p); err != nil {
		return nil, nil, err
	}
	for key, v := range hidden {
		if p.Custom == nil {
			p.Custom = map[string]string{}
		}
		p.Custom[key] = v
	}
	if tags, err = CleanTags(tags); err != nil {
		return nil, nil, err
	}
	buried, err := s.buried(ctx, tx, org.ID)
	if err == nil {
		err = s.notErased(ctx, tx, org.ID, buried, &p, false)
	}
	if err != nil {
		return nil, nil, err
	}
	next, err := s.merged(ctx, tx, org, now, rev, &Contact{Person: p, Tags: tags})
	if err != nil {
		return nil, nil, err
	}
	return s.keep(ctx, tx, org, by, now, next)
}

// merged is the contact as it is now with what an editor changed against what they saw.
func (s *Contacts) merged(ctx context.Context, c db.Conn, org *account.Org, now *Contact, rev int64, wanted *Contact) (*Contact, error) {
	seen := clone(now)
	since := map[string]Event{}
	if rev > 0 && rev != now.Rev {
		if rev > now.Rev {
			return nil, fault.New(fault.Invalid, "The form's version is not one of this contact. Open the page again.")
		}
		events, err := s.events(ctx, c, org.ID, now.Subject, `contact = $2 AND rev > $3 ORDER BY rev DESC, field`, org.ID, now.ID, rev)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if err := seen.put(e.Field, e.From); err != nil {
				return nil, err
			}
			if _, ok := since[e.Field]; !ok {
				since[e.Field] = e
			}
		}
	}
	next := clone(now)
	var clashes []string
	had, have, want := seen.values(), now.values(), wanted.values()
	for _, name := range fieldNames(had, have, want) {
		if want[name] == had[name] || want[name] == have[name] {
			continue
		}
		if e, ok := since[name]; ok && have[name] != had[name] {
			clash, err := s.clash(ctx, c, org, e)
			if err != nil {
				return nil, err
			}
			clashes = append(clashes, clash)
			continue
		}
		if err := next.put(name, want[name]); err != nil {
			return nil, err
		}
	}
	if len(clashes) > 0 {
		return nil, fault.New(fault.Conflict, "Nothing was saved, because somebody else changed the same since you opened the page: %s. Look at what stands there now, and change it again.", strings.Join(clashes, "; "))
	}
	return next, nil
}

// clash says who changed a field, and when.
func (s *Contacts) clash(ctx context.Context, c db.Conn, org *account.Org, e Event) (string, error) {
	who := "the program"
	if e.By != "" {
		name, ok, err := db.One(ctx, c, func(r db.Scanner) (n string, err error) { return n, r.Scan(&n) }, `SELECT name FROM members WHERE org_id = $1 AND id = $2`, org.ID, e.By)
		if err != nil {
			return "", err
		}
		who = "a member who has left"
		if ok {
			who = name
		}
	}
	return fmt.Sprintf("%s changed %s at %s", who, strings.TrimPrefix(e.Field, fieldCustom), e.At.In(org.Location()).Format("2006-01-02 15:04")), nil
}

func fieldNames(all ...map[string]string) []string {
	var out []string
	for _, m := range all {
		out = slices.AppendSeq(out, maps.Keys(m))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func clone(c *Contact) *Contact {
	out := *c
	out.Person.Numbers, out.Person.Emails = slices.Clone(c.Person.Numbers), slices.Clone(c.Person.Emails)
	out.Person.Custom, out.Tags, out.Nums = maps.Clone(c.Person.Custom), slices.Clone(c.Tags), slices.Clone(c.Nums)
	return &out
}

// locked reads a contact that is about to be changed; nobody else changes it until the transaction ends.
func (s *Contacts) locked(ctx context.Context, tx *db.Tx, org account.OrgID, x ID) (*Contact, error) {
	if _, err := tx.Exec(ctx, `UPDATE contacts SET rev = rev WHERE org_id = $1 AND contact = $2`, org, x); err != nil {
		return nil, err
	}
	found, err := s.Load(ctx, tx, org, x)
	if err != nil {
		return nil, err
	}
	c := found[x]
	if c == nil {
		return nil, errNone(x)
	}
	if c.ID != x {
		return s.locked(ctx, tx, org, c.ID)
	}
	return c, s.CheckUse(ctx, tx, org, c)
}

// keep writes what became of a contact, with its history.
func (s *Contacts) keep(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, was, c *Contact) (*Contact, func(), error) {
	had, have := was.values(), c.values()
	now := s.d.Now()
	var events []Event
	for _, name := range fieldNames(had, have) {
		if had[name] != have[name] {
			events = append(events, Event{Contact: c.ID, Rev: was.Rev + 1, At: now, By: by, Field: name, From: had[name], To: have[name], subject: c.Subject})
		}
	}
	if len(events) == 0 {
		return was, func() {}, nil
	}
	k, err := s.d.Keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, nil, err
	}
	if err := record(ctx, tx, k, org.ID, events...); err != nil {
		return nil, nil, err
	}
	c.Rev, c.Changed, c.ChangedBy, c.Last = was.Rev+1, now, by, now
	committed, err := s.write(ctx, tx, k, org.ID, was, c)
	return c, committed, err
}

// write keeps a contact in place of what it was, with its numbers and index.
func (s *Contacts) write(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, was, c *Contact) (func(), error) {
	sealed, err := seal(ctx, k, c)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, n := range c.Person.Numbers {
		texts = append(texts, n.Text)
	}
	nums, committed, err := s.d.Book.Resolve(ctx, tx, org, texts)
	if err != nil {
		return nil, err
	}
	c.Nums = numsOf(nums, c.Person)
	if _, err := tx.Exec(ctx, `UPDATE contacts SET rev = $3, sealed = $4, owner = $5, team = $6, changed_ms = $7, changed_by = $8, last_ms = $9 WHERE org_id = $1 AND contact = $2`,
		org, c.ID, c.Rev, sealed, c.Owner, c.Team, millis(c.Changed), c.ChangedBy, millis(c.Last)); err != nil {
		return nil, err
	}
	if err := dropNumbers(ctx, tx, org, c.ID, without(was.Nums, c.Nums)); err != nil {
		return nil, err
	}
	if err := putNumbers(ctx, tx, org, c); err != nil {
		return nil, err
	}
	if !slices.Equal(was.Nums, c.Nums) {
		if err := s.renumber(ctx, tx, org, c.ID); err != nil {
			return nil, err
		}
	}
	if err := reindex(ctx, tx, org, c.Subject, entries(k, &was.Person, was.Tags), entries(k, &c.Person, c.Tags)); err != nil {
		return nil, err
	}
	return committed, putTags(ctx, tx, k, org, c.Tags)
}

// without gives what of a is not in b.
func without(a, b []number.ID) []number.ID {
	return slices.DeleteFunc(slices.Clone(a), func(n number.ID) bool { return slices.Contains(b, n) })
}

func dropNumbers(ctx context.Context, tx *db.Tx, org account.OrgID, x ID, nums []number.ID) error {
	for _, n := range nums {
		if _, err := tx.Exec(ctx, `DELETE FROM contact_numbers WHERE org_id = $1 AND num = $2 AND contact = $3`, org, n, x); err != nil {
			return err
		}
	}
	return nil
}

// SetLast notes an activity with a contact, unless a later one is known.
func (s *Contacts) SetLast(ctx context.Context, tx *db.Tx, org account.OrgID, x ID, last time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE contacts SET last_ms = $3 WHERE org_id = $1 AND contact = $2 AND last_ms < $3`, org, x, millis(last))
	return err
}

// SetOwner gives a contact to somebody.
func (s *Contacts) SetOwner(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, x ID, to account.MemberID) error {
	if err := s.checkOwner(ctx, tx, org.ID, to); err != nil {
		return err
	}
	c, err := s.locked(ctx, tx, org.ID, x)
	if err != nil {
		return err
	}
	return s.SetOwners(ctx, tx, org, by, map[ID]account.MemberID{c.ID: to})
}

// SetOwners gives contacts to owners, whom the caller has checked, with a line in the history of each.
func (s *Contacts) SetOwners(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, owners map[ID]account.MemberID) error {
	k, err := s.d.Keys.Org(ctx, int64(org.ID))
	if err != nil {
		return err
	}
	byOwner := map[account.MemberID][]ID{}
	for c, m := range owners {
		byOwner[m] = append(byOwner[m], c)
	}
	for _, m := range slices.Sorted(maps.Keys(byOwner)) {
		slices.Sort(byOwner[m])
		for part := range slices.Chunk(byOwner[m], 4*chunk) {
			if err := s.setOwner(ctx, tx, k, org.ID, by, part, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Contacts) setOwner(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, by account.MemberID, all []ID, to account.MemberID) error {
	now := s.d.Now()
	args := []any{org, to, millis(now), by}
	for _, c := range all {
		args = append(args, c)
	}
	where := ` WHERE org_id = $1 AND owner <> $2 AND contact IN ` + db.In(5, len(all))
	if _, err := tx.Exec(ctx, `UPDATE contacts SET rev = rev + 1, changed_ms = $3, changed_by = $4`+where, args...); err != nil {
		return err
	}
	events, err := db.Select(ctx, tx, func(r db.Scanner) (Event, error) {
		e := Event{At: now, By: by, Field: fieldOwner, To: string(to)}
		return e, r.Scan(&e.Contact, &e.subject, &e.Rev, &e.From)
	}, `SELECT contact, subject, rev, owner FROM contacts`+where+` AND changed_ms = $3 AND changed_by = $4 ORDER BY contact`, args...)
	if err != nil {
		return err
	}
	if err := record(ctx, tx, k, org, events...); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE contacts SET owner = $2, changed_ms = $3, changed_by = $4`+where, args...)
	return err
}
