package intake

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/device"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
)

const (
	originPhone = "phone"
	maxGroups   = 20
	maxGroup    = 60 // characters
	// MaxUpload is how many contacts a phone may send at once.
	MaxUpload = 200
)

// Groups are the groups of address books that an organisation collects from phones, and nothing else of these.
type Groups struct {
	Names   []string
	Rev     int64 // 0 = never set: no phone sends anything
	Changed time.Time
	By      account.MemberID
}

const groupsField = "contact_groups"

// Groups gives them.
func (i *Imports) Groups(ctx context.Context, c db.Conn, org account.OrgID) (g Groups, err error) {
	var sealed []byte
	g, ok, err := db.One(ctx, c, func(r db.Scanner) (g Groups, err error) {
		var ms int64
		err = r.Scan(&sealed, &g.Rev, &ms, &g.By)
		g.Changed = moment(ms)
		return g, err
	}, `SELECT sealed, rev, changed_ms, changed_by FROM contact_groups WHERE org_id = $1`, org)
	if err != nil || !ok {
		return Groups{}, err
	}
	g.Names, err = i.openNames(ctx, org, groupsField, sealed)
	return g, err
}

func (i *Imports) openNames(ctx context.Context, org account.OrgID, bound string, sealed []byte) (names []string, err error) {
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	plain, err := k.Open(bound, sealed)
	if err != nil {
		return nil, err
	}
	return names, json.Unmarshal(plain, &names)
}

func (i *Imports) sealNames(ctx context.Context, org account.OrgID, bound string, names []string) ([]byte, error) {
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(names)
	return k.Seal(bound, plain), err
}

// SetGroups says which groups the organisation collects; none stops all uploads. rev is the one that the editor saw. Names that
// stand for a whole address book are refused.
func (i *Imports) SetGroups(ctx context.Context, actor *account.Actor, rev int64, names []string) (Groups, error) {
	if err := actor.Require(account.ManagePipelines); err != nil {
		return Groups{}, err
	}
	names, err := cleanGroups(names)
	if err != nil {
		return Groups{}, err
	}
	org := actor.Org.ID
	if len(names) > 0 {
		if ok, err := i.collects(ctx, org); err != nil {
			return Groups{}, err
		} else if !ok {
			return Groups{}, fault.Field("groups", "The privacy policy says that contacts are never collected. Leave this empty, or have the policy changed first.")
		}
	}
	sealed, err := i.sealNames(ctx, org, groupsField, names)
	if err != nil {
		return Groups{}, err
	}
	var g Groups
	return g, i.d.DB.Tx(ctx, func(tx *db.Tx) error {
		had, err := i.Groups(ctx, tx, org)
		if err != nil {
			return err
		}
		if had.Rev != rev {
			return fault.New(fault.Conflict, "Somebody else changed the groups meanwhile. Look at them again, and then change them.")
		}
		g = Groups{Names: names, Rev: rev + 1, Changed: i.d.Now(), By: actor.Member.ID}
		_, err = tx.Exec(ctx, `INSERT INTO contact_groups (org_id, sealed, rev, changed_ms, changed_by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (org_id) DO UPDATE SET sealed = excluded.sealed, rev = excluded.rev, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by`,
			org, sealed, g.Rev, millis(g.Changed), g.By)
		return err
	})
}

// collects tells whether the policy in force lets contacts come in.
func (i *Imports) collects(ctx context.Context, org account.OrgID) (bool, error) {
	if i.d.Collects == nil {
		return false, nil
	}
	return i.d.Collects(ctx, org, contact.Category)
}

func cleanGroups(names []string) ([]string, error) {
	var out []string
	for _, n := range names {
		n = strings.Join(strings.Fields(strings.ToValidUTF8(n, "")), " ")
		if n == "" || slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, n) }) {
			continue
		}
		if utf8.RuneCountInString(n) > maxGroup {
			return nil, fault.Field("groups", "The name of a group has at most %d characters.", maxGroup)
		}
		switch strings.ToLower(strings.Trim(n, "*. ")) {
		case "", "all", "all contacts", "everyone", "everybody", "my contacts", "mycontacts", "contacts", "default", "phone", "सभी", "सभी संपर्क", "मेरे संपर्क":
			return nil, fault.Field("groups", "%q stands for a whole address book, which is never taken. Name a group that holds business contacts alone.", n)
		}
		if err := freetext.Check("groups", n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if len(out) > maxGroups {
		return nil, fault.Field("groups", "At most %d groups fit.", maxGroups)
	}
	slices.Sort(out)
	return out, nil
}

// Consent is what whoever carries a phone lets it send.
type Consent struct {
	Names []string
	At    time.Time
}

func consentField(device string) string { return "contact_group_consents|" + device }

// AcceptGroups notes which of the organisation's groups the carrier of a phone lets it send; none takes it back. What was sent
// before stays. It is called for the phone, after its carrier chose there.
func (i *Imports) AcceptGroups(ctx context.Context, org *account.Org, d *device.Device, names []string) error {
	m, err := i.d.Accounts.AgentByNo(ctx, org.ID, d.Agent)
	if err != nil {
		return err
	}
	if names, err = cleanGroups(names); err != nil {
		return err
	}
	sealed, err := i.sealNames(ctx, org.ID, consentField(d.ID), names)
	if err != nil {
		return err
	}
	return i.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if len(names) == 0 {
			_, err := tx.Exec(ctx, `DELETE FROM contact_group_consents WHERE org_id = $1 AND device = $2`, org.ID, d.ID)
			return err
		}
		wanted, err := i.Groups(ctx, tx, org.ID)
		if err != nil {
			return err
		}
		for _, n := range names {
			if !slices.Contains(wanted.Names, n) {
				return fault.Field("groups", "Your organisation does not collect the group %q, so it stays on the phone.", n)
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO contact_group_consents (org_id, device, member, sealed, changed_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (org_id, device) DO UPDATE SET member = excluded.member, sealed = excluded.sealed, changed_ms = excluded.changed_ms`, org.ID, d.ID, m.ID, sealed, millis(i.d.Now()))
		return err
	})
}

// Accepted gives what the carrier of a phone lets it send. What the organisation does not collect any more is left out, and all
// of it where the phone is carried by somebody else since.
func (i *Imports) Accepted(ctx context.Context, c db.Conn, org account.OrgID, d *device.Device) (Consent, error) {
	m, err := i.d.Accounts.AgentByNo(ctx, org, d.Agent)
	if err != nil {
		return Consent{}, err
	}
	all, err := i.consents(ctx, c, org, `device = $2 AND member = $3`, d.ID, m.ID)
	if err != nil || len(all) == 0 {
		return Consent{}, err
	}
	wanted, err := i.Groups(ctx, c, org)
	all[0].Names = slices.DeleteFunc(all[0].Names, func(n string) bool { return !slices.Contains(wanted.Names, n) })
	return all[0], err
}

func (i *Imports) consents(ctx context.Context, c db.Conn, org account.OrgID, where string, args ...any) ([]Consent, error) {
	type found struct {
		device string
		sealed []byte
		at     int64
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (f found, err error) { return f, r.Scan(&f.device, &f.sealed, &f.at) },
		`SELECT device, sealed, changed_ms FROM contact_group_consents WHERE org_id = $1 AND `+where+` ORDER BY device`, append([]any{org}, args...)...)
	if err != nil {
		return nil, err
	}
	out := make([]Consent, len(all))
	for n, f := range all {
		out[n].At = moment(f.at)
		if out[n].Names, err = i.openNames(ctx, org, consentField(f.device), f.sealed); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// consentsOf are what a member let phones send.
func (i *Imports) consentsOf(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) ([]Consent, error) {
	return i.consents(ctx, c, org, `member = $2`, m)
}

// Upload is what a phone sends: contacts of one group.
type Upload struct {
	Group   string
	Persons []contact.Person
}

// Uploaded counts what became of the contacts of an upload. Left is those that are not taken: of one's own lines, kept out,
// erased or restricted; the phone is not told which.
type Uploaded struct {
	New, Updated, Same, Left int
	Refused                  []Refusal
}

// Refusal is a contact that cannot be kept as it is.
type Refusal struct {
	Place  int // in the upload, from 0
	Reason string
}

// ContactUpload takes contacts of a phone's address book: of a group that the organisation collects and whose sending the phone's
// carrier accepted there, and of no other. Whoever is known by a number gets what is empty filled, and nothing changed; others
// become contacts of the phone's carrier.
func (i *Imports) ContactUpload(ctx context.Context, org *account.Org, d *device.Device, u Upload) (*Uploaded, error) {
	if strings.TrimSpace(u.Group) == "" {
		return nil, fault.Field("group", "The upload names no group. Contacts are taken by group, and never a whole address book.")
	}
	if len(u.Persons) > MaxUpload {
		return nil, fault.New(fault.TooLarge, "An upload holds at most %d contacts; %d were sent. Send them in parts.", MaxUpload, len(u.Persons))
	}
	if ok, err := i.collects(ctx, org.ID); err != nil {
		return nil, err
	} else if !ok {
		return nil, fault.New(fault.Denied, "The organisation's privacy policy lets no contacts come in from phones.")
	}
	given, err := i.Accepted(ctx, i.d.DB, org.ID, d)
	if err != nil {
		return nil, err
	}
	if !d.UnpairedAt.IsZero() || !slices.Contains(given.Names, u.Group) {
		return nil, fault.New(fault.Denied, "The group %q is not one that your organisation collects and that you let this phone send. Choose it on the phone first.", u.Group)
	}
	m, err := i.d.Accounts.AgentByNo(ctx, org.ID, d.Agent)
	if err != nil {
		return nil, err
	}
	var out *Uploaded
	var committed []func()
	if err := i.d.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		out, committed, err = i.take(ctx, tx, org, m.ID, u.Persons)
		return err
	}); err != nil {
		return nil, err
	}
	for _, done := range committed {
		done()
	}
	return out, nil
}

// take keeps the contacts of an upload one by one: few come at once, and the next may be about the same person.
func (i *Imports) take(ctx context.Context, tx *db.Tx, org *account.Org, m account.MemberID, persons []contact.Person) (*Uploaded, []func(), error) {
	check, err := i.d.Contacts.Checker(ctx, tx, org)
	if err != nil {
		return nil, nil, err
	}
	ours, err := i.d.Devices.Ours(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	excluded, err := i.d.Book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, nil, err
	}
	out := &Uploaded{}
	var committed []func()
	for n, p := range persons {
		p.Custom, p.Photo = nil, "" // a phone's pictures and fields are not ours
		one := contact.New{Person: p, Owner: m, Origin: originPhone}
		err := check.Check(ctx, tx, &one)
		kept := slices.ContainsFunc(one.Person.Numbers, func(x contact.Labelled) bool {
			_, own := ours(x.Text)
			return own || excluded.Drops(x.Text)
		})
		var known *contact.Contact
		if err == nil && !kept {
			known, err = i.knownBy(ctx, tx, org.ID, one.Person.Numbers)
		}
		switch {
		case fault.KindOf(err) == fault.Gone && err != nil, err == nil && kept,
			known != nil && locked(known, excluded.Restricted):
			out.Left++
			continue
		case err != nil && user(err):
			out.Refused = append(out.Refused, Refusal{n, fault.Sentence(err)})
			continue
		case err != nil:
			return nil, nil, err
		}
		var done func()
		switch {
		case known == nil:
			_, done, err = i.d.Contacts.Add(ctx, tx, org, m, one)
			out.New++
		case fill(&known.Person, &one.Person):
			_, done, err = i.d.Contacts.Change(ctx, tx, org, m, known.ID, 0, known.Person, known.Tags)
			out.Updated++
		default:
			out.Same++
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		committed = append(committed, done)
	}
	return out, committed, nil
}

// knownBy is the contact with one of the numbers, nil for nobody.
func (i *Imports) knownBy(ctx context.Context, tx *db.Tx, org account.OrgID, numbers []contact.Labelled) (*contact.Contact, error) {
	var texts []string
	for _, n := range numbers {
		texts = append(texts, n.Text)
	}
	ids, err := i.d.Book.Known(ctx, tx, org, texts)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		n, ok := ids[text]
		if !ok {
			continue
		}
		with, err := i.d.Contacts.ByNumber(ctx, tx, org, n)
		if err != nil {
			return nil, err
		}
		found, err := i.d.Contacts.Load(ctx, tx, org, with[n]...)
		if err != nil {
			return nil, err
		}
		for _, id := range with[n] {
			if found[id] != nil {
				return found[id], nil
			}
		}
	}
	return nil, nil
}

// fill puts what a phone knows where nothing is known, and tells whether that changed anything.
func fill(own, p *contact.Person) (changed bool) {
	put := func(to *string, text string) {
		if *to == "" && text != "" {
			*to, changed = text, true
		}
	}
	if own.First == "" && own.Last == "" && p.First+p.Last != "" {
		own.First, own.Last, changed = p.First, p.Last, true
	}
	put(&own.Company, p.Company)
	put(&own.Title, p.Title)
	put(&own.Language, p.Language)
	if own.Address == (contact.Address{}) && p.Address != own.Address {
		own.Address, changed = p.Address, true
	}
	if len(own.Emails) == 0 && len(p.Emails) > 0 {
		own.Emails, changed = p.Emails, true
	}
	return changed
}
