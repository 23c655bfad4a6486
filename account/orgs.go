package account

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// NewOrg is what the command line says of an organisation to be made.
type NewOrg struct {
	Name, Country, Zone   string
	Industry, Locale      string
	OwnerName, OwnerEmail string // the name may stay empty
	Demo                  bool
}

// CreateOrg makes an organisation and its owner, who has no password: give them an invitation (Invite with Member) or
// a one-time link.
func (a *Accounts) CreateOrg(ctx context.Context, n NewOrg) (*Org, error) {
	s, err := OrgSettings{
		Name: n.Name, Country: n.Country, Zone: n.Zone, Industry: n.Industry, Locale: n.Locale,
		ContactName: n.OwnerName, Email: n.OwnerEmail,
	}.tidy()
	if err != nil {
		return nil, err
	}
	name := s.ContactName
	if name == "" {
		name = Owner.Title()
	}
	var org *Org
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		if org, err = a.insertOrg(ctx, tx, s, n.Demo); err != nil {
			return err
		}
		_, err = a.insertMember(ctx, tx, newMember{org: org.ID, name: name, email: s.Email, role: Owner})
		return err
	})
	return org, err
}

// insertOrg writes tidied settings as a new organisation.
func (a *Accounts) insertOrg(ctx context.Context, tx *db.Tx, s OrgSettings, demo bool) (*Org, error) {
	if _, err := tx.Exec(ctx, `INSERT INTO counters (name, next) VALUES ('organisation', 2)
		ON CONFLICT (name) DO UPDATE SET next = counters.next + 1`); err != nil {
		return nil, err
	}
	var next OrgID
	if err := tx.Row(ctx, `SELECT next FROM counters WHERE name = 'organisation'`).Scan(&next); err != nil {
		return nil, err
	}
	org := next - 1
	if _, err := tx.Exec(ctx, `
		INSERT INTO organisations (org_id, name, country, zone, industry, locale, workdays, work_from, work_to,
			connected_from, gap_minutes, demo, next_agent, created_ms, changed_ms)
		VALUES ($1, '', '', '', '', '', 0, 0, 0, 0, 0, $2, 1, $3, $3)`, org, flag(demo), a.now().UnixMilli()); err != nil {
		return nil, err
	}
	return a.writeSettings(ctx, tx, org, s)
}

// UpdateOrg gives an organisation new settings. Whoever changes the zone must have the days of calls reckoned anew.
func (a *Accounts) UpdateOrg(ctx context.Context, by *Actor, org OrgID, s OrgSettings) (*Org, error) {
	if err := by.over(org, ManageSettings); err != nil {
		return nil, err
	}
	s, err := s.tidy()
	if err != nil {
		return nil, err
	}
	var out *Org
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		out, err = a.writeSettings(ctx, tx, org, s)
		return err
	})
	return out, err
}

func (a *Accounts) writeSettings(ctx context.Context, tx *db.Tx, org OrgID, s OrgSettings) (*Org, error) {
	k, err := a.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `
		UPDATE organisations SET name = $2, country = $3, zone = $4, contact_name_sealed = $5, contact_phone_sealed = $6,
			email_sealed = $7, industry = $8, locale = $9, workdays = $10, work_from = $11, work_to = $12,
			connected_from = $13, gap_minutes = $14, changed_ms = $15
		WHERE org_id = $1`,
		org, s.Name, s.Country, s.Zone, seal(k, "organisation.contact_name", s.ContactName), seal(k, "organisation.contact_phone", s.ContactPhone),
		seal(k, "organisation.email", s.Email), s.Industry, s.Locale, int(s.Workdays), s.WorkFrom, s.WorkTo,
		s.ConnectedFrom, s.GapMinutes, a.now().UnixMilli()); err != nil {
		return nil, err
	}
	return a.org(ctx, tx, org)
}

// Orgs lists all organisations of the installation, oldest first.
func (a *Accounts) Orgs(ctx context.Context) ([]*Org, error) {
	return db.Select(ctx, a.db, a.scanOrg(ctx), `SELECT `+orgColumns+` FROM organisations ORDER BY org_id`)
}

// Org gives one organisation.
func (a *Accounts) Org(ctx context.Context, org OrgID) (*Org, error) { return a.org(ctx, a.db, org) }

func (a *Accounts) org(ctx context.Context, c db.Conn, org OrgID) (*Org, error) {
	o, ok, err := db.One(ctx, c, a.scanOrg(ctx), `SELECT `+orgColumns+` FROM organisations WHERE org_id = $1`, org)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no organisation %d.", org)
	}
	return o, err
}

// FindOrg gives the organisation that an operator means: by number, by name in any case, or, where nothing is said,
// the only one there is (demo data aside, if there is other).
func (a *Accounts) FindOrg(ctx context.Context, nameOrID string) (*Org, error) {
	orgs, err := a.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	want := strings.Join(strings.Fields(nameOrID), " ")
	if want == "" {
		return onlyOrg(orgs)
	}
	var found []*Org
	for _, o := range orgs {
		if strconv.FormatInt(int64(o.ID), 10) == want {
			return o, nil
		}
		if strings.EqualFold(o.Name, want) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return nil, fault.New(fault.NotFound, "There is no organisation %q. See \"parley org list\".", want)
	case 1:
		return found[0], nil
	default:
		return nil, fault.New(fault.Conflict, "%d organisations are called %q. Give the number of one, from \"parley org list\".", len(found), want)
	}
}

func onlyOrg(orgs []*Org) (*Org, error) {
	if len(orgs) == 0 {
		return nil, fault.New(fault.NotFound, "There is no organisation yet. Make one with \"parley org create\".")
	}
	var real []*Org
	for _, o := range orgs {
		if !o.Demo {
			real = append(real, o)
		}
	}
	if len(real) == 0 && len(orgs) == 1 {
		return orgs[0], nil
	}
	if len(real) != 1 {
		return nil, fault.New(fault.Invalid, "There are several organisations. Say which one with --org and its name or number, from \"parley org list\".")
	}
	return real[0], nil
}

const orgColumns = `org_id, name, country, zone, contact_name_sealed, contact_phone_sealed, email_sealed, industry, locale,
	workdays, work_from, work_to, connected_from, gap_minutes, demo, created_ms, closing_ms, closes_ms, closing_by`

func (a *Accounts) scanOrg(ctx context.Context) func(db.Scanner) (*Org, error) {
	return func(r db.Scanner) (*Org, error) {
		var o Org
		var contact, phone, email []byte
		var created, closing, closes int64
		var demo int
		if err := r.Scan(&o.ID, &o.Name, &o.Country, &o.Zone, &contact, &phone, &email, &o.Industry, &o.Locale,
			&o.Workdays, &o.WorkFrom, &o.WorkTo, &o.ConnectedFrom, &o.GapMinutes, &demo, &created,
			&closing, &closes, &o.ClosingBy); err != nil {
			return nil, err
		}
		o.Demo, o.CreatedAt, o.ClosingAt, o.ClosesAt = demo == 1, time.UnixMilli(created), moment(closing), moment(closes)
		o.zone = o.Location()
		k, err := a.keys.Org(ctx, int64(o.ID))
		if err != nil {
			return nil, err
		}
		return &o, o.open(k, contact, phone, email)
	}
}

func (o *Org) open(k *vault.OrgKeys, contact, phone, email []byte) (err error) {
	if o.ContactName, err = open(k, "organisation.contact_name", contact); err != nil {
		return err
	}
	if o.ContactPhone, err = open(k, "organisation.contact_phone", phone); err != nil {
		return err
	}
	o.Email, err = open(k, "organisation.email", email)
	return err
}

// MaxLogo is the largest logo, in bytes.
const MaxLogo = 512 << 10

// SetLogo keeps an organisation's logo; an empty image removes it. The kind of image is told by its content: PNG, JPEG
// or WebP. SVG is refused, since it can carry scripts.
func (a *Accounts) SetLogo(ctx context.Context, by *Actor, org OrgID, image []byte) error {
	if err := by.over(org, ManageSettings); err != nil {
		return err
	}
	return a.db.Tx(ctx, func(tx *db.Tx) error { return writeLogo(ctx, tx, org, image) })
}

func writeLogo(ctx context.Context, tx *db.Tx, org OrgID, image []byte) error {
	if len(image) == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM org_logos WHERE org_id = $1`, org)
		return err
	}
	kind, err := logoKind(image)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO org_logos (org_id, content_type, image) VALUES ($1, $2, $3)
		ON CONFLICT (org_id) DO UPDATE SET content_type = excluded.content_type, image = excluded.image`, org, kind, image)
	return err
}

func logoKind(image []byte) (string, error) {
	if len(image) > MaxLogo {
		return "", fault.Field("logo", "The logo has %d KB; it may have at most %d. Make it smaller: 512 pixels a side are plenty.", len(image)>>10, MaxLogo>>10)
	}
	switch kind := http.DetectContentType(image); kind {
	case "image/png", "image/jpeg", "image/webp":
		return kind, nil
	default:
		return "", fault.Field("logo", "The logo is not a PNG, JPEG or WebP image. Save it as one of these and try again.")
	}
}

// Logo gives an organisation's logo and its content type.
func (a *Accounts) Logo(ctx context.Context, org OrgID) (image []byte, contentType string, err error) {
	_, ok, err := db.One(ctx, a.db, func(r db.Scanner) (struct{}, error) { return struct{}{}, r.Scan(&contentType, &image) },
		`SELECT content_type, image FROM org_logos WHERE org_id = $1`, org)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "This organisation has no logo.")
	}
	return image, contentType, err
}

// DeleteOrg removes all account rows of an organisation, and the passwords of people who belonged to no other. It comes
// last when an organisation is closed: other packages remove what they hold first.
func (a *Accounts) DeleteOrg(ctx context.Context, org OrgID) error {
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		for _, orphans := range []string{`credentials`, `resets`} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+orphans+` WHERE email_key IN (SELECT email_key FROM members WHERE org_id = $1)
				AND NOT EXISTS (SELECT 1 FROM members m WHERE m.email_key = `+orphans+`.email_key AND m.org_id <> $1 AND m.joined_ms > 0)`, org); err != nil {
				return err
			}
		}
		for _, table := range []string{`tokens`, `one_time_links`, `sessions`, `invitations`, `acceptances`, `team_members`, `members`,
			`teams`, `org_logos`} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
				return err
			}
		}
		// Nothing of it is opened on the way: in data that was restored, its keys may be destroyed already.
		n, err := tx.Exec(ctx, `DELETE FROM organisations WHERE org_id = $1`, org)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "There is no organisation %d.", org)
		}
		return err
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
