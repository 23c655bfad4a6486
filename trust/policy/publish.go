package policy

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

// Proposal is what publishing a text would mean.
type Proposal struct {
	Version  int
	Text     string // with its number in it
	Findings Findings
	Document *Document // nil when it cannot be read
	Against  *Version  // the version in force, with which it is compared
	Changes  []Change
	Material bool
	// Effective is when it would take effect when it is published now.
	Effective time.Time
}

// Propose looks at a text without publishing it.
func (p *Policies) Propose(ctx context.Context, org account.OrgID, text string) (*Proposal, error) {
	return p.propose(ctx, p.db, org, text)
}

func (p *Policies) propose(ctx context.Context, c db.Conn, org account.OrgID, text string) (*Proposal, error) {
	all, err := p.read(ctx, c, org)
	if err != nil {
		return nil, err
	}
	shipped, err := p.ship(ctx, org)
	if err != nil {
		return nil, err
	}
	now := p.now()
	current, latest := shipped, shipped
	for _, v := range all {
		latest = v
		if !v.Effective.After(now) {
			current = v
		}
	}
	out := &Proposal{Version: latest.Number + 1, Text: numbered(plainLines(text), latest.Number+1), Against: current, Effective: now}
	d, err := Parse([]byte(out.Text))
	if fs, ok := err.(Findings); ok { //nolint:errorlint // Parse gives nothing else
		out.Findings = fs
		return out, nil
	}
	out.Document = d
	out.Findings = append(d.Lint(), d.uncovered(shipped.Document)...).sorted()
	out.Changes = Diff(current.Document, d)
	out.Material = Material(out.Changes)
	out.Effective = effective(now, current, latest, d, out.Changes)
	return out, nil
}

// effective is when a new document may take effect: what is not material at once, the rest after the notice that the
// document in force promises. What only repeats a version that is coming already comes with it.
func effective(now time.Time, current, latest *Version, d *Document, changes []Change) time.Time {
	if !Material(changes) {
		return now
	}
	if latest.Effective.After(now) && !Material(Diff(latest.Document, d)) {
		return latest.Effective
	}
	days := max(current.Document.Notice.MaterialChangeDays, minNotice)
	if current.Number == 0 && now.Before(current.Effective.AddDate(0, 0, days)) {
		return now // the organisation is being set up: it has not promised anything for longer than the notice
	}
	return now.AddDate(0, 0, days)
}

// uncovered finds what the program keeps and the document does not speak of, and what would lock the officer out.
func (d *Document) uncovered(shipped *Document) Findings {
	var out Findings
	for _, key := range both(shipped.Categories, nil) {
		if shipped.Categories[key].Default == On && d.Categories[key] == nil {
			out = append(out, Finding{d.Line("categories"), "category_missing", "P26", sentence("The program keeps %q, and the document does not speak of it.", key), "Take the category over from the shipped document: \"parley policy show --shipped\" prints it."})
		}
	}
	if err := d.permits(account.ManagePrivacy); err != nil {
		out = append(out, Finding{d.Line("purposes"), "lock_out", "P27", "Nobody could manage privacy any more, this document included: " + fault.Sentence(err), "Allow the purpose \"rights\" for requests and consent."})
	}
	return out
}

// Publish makes a text the next version. It is refused while it has findings. A material change takes effect after the
// notice that the document in force promises, anything else at once. The change and its hash go to the audit log.
func (p *Policies) Publish(ctx context.Context, by *account.Actor, text string) (*Version, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	org := by.Org.ID
	var out *Version
	err := p.db.Tx(ctx, func(tx *db.Tx) error {
		in, err := p.propose(ctx, tx, org, text)
		if err != nil {
			return err
		}
		if len(in.Findings) > 0 {
			return fault.Wrap(fault.Invalid, in.Findings, "The policy was not published: %d passages must be mended first. The first is in %s", len(in.Findings), in.Findings[0])
		}
		if in.Against.Number > 0 && in.Version == in.Against.Number+1 && numbered(in.Against.Document.text, in.Version) == in.Text {
			return fault.New(fault.Conflict, "Nothing changed since version %d, so there is nothing to publish.", in.Against.Number)
		}
		out = &Version{Number: in.Version, Hash: Hash(in.Text), Author: by.Member.ID, Published: p.now(), Effective: in.Effective, Material: in.Material, Document: in.Document}
		return p.insert(ctx, tx, by, out)
	})
	if err != nil {
		return nil, err
	}
	p.Reload(org)
	return out, nil
}

func (p *Policies) insert(ctx context.Context, tx *db.Tx, by *account.Actor, v *Version) error {
	material := 0
	if v.Material {
		material = 1
	}
	org := by.Org.ID
	if _, err := tx.Exec(ctx, `INSERT INTO policies (org_id, version, text, hash, author, published_ms, effective_ms, material) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		org, v.Number, v.Document.text, v.Hash, v.Author, v.Published.UnixMilli(), v.Effective.UnixMilli(), material); err != nil {
		if db.IsUnique(err) {
			return fault.New(fault.Conflict, "Somebody else published a version at the same moment. Look at it, and publish yours again if it still stands.")
		}
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM policy_drafts WHERE org_id = $1`, org); err != nil {
		return err
	}
	_, err := p.log.Append(ctx, tx, int64(org), audit.Entry{
		Actor: string(by.Member.ID), Action: audit.PolicyChanged, Object: "policy/" + strconv.Itoa(v.Number), Purpose: "legal", Policy: v.Number,
		Details: map[string]string{"hash": v.Hash, "material": strconv.FormatBool(v.Material), "effective": v.Effective.UTC().Format(time.RFC3339)},
	})
	return err
}

// Name is what an organisation is called in the addresses of its public pages: made once, never changed.
func (p *Policies) Name(ctx context.Context, org account.OrgID) (string, error) {
	name, ok, err := p.name(ctx, org)
	if ok || err != nil {
		return name, err
	}
	o, err := p.accounts.Org(ctx, org)
	if err != nil {
		return "", err
	}
	base := slug(o.Name)
	for i := 1; i <= 50; i++ {
		if name = base; i > 1 || base == "" {
			name = strings.TrimPrefix(base+"-"+strconv.Itoa(i), "-")
		}
		if base == "" || len(name) < 2 {
			name = "organisation-" + strconv.Itoa(i)
		}
		_, err := p.db.Exec(ctx, `INSERT INTO public_names (org_id, name) VALUES ($1, $2)`, org, name)
		if err == nil {
			return name, nil
		}
		if !db.IsUnique(err) {
			return "", err
		}
		if mine, ok, err := p.name(ctx, org); ok || err != nil { // somebody else asked at the same moment
			return mine, err
		}
	}
	return "", fault.New(fault.Conflict, "No address is free for the public pages of %q. Rename the organisation a little and try again.", o.Name)
}

func (p *Policies) name(ctx context.Context, org account.OrgID) (string, bool, error) {
	return db.One(ctx, p.db, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }, `SELECT name FROM public_names WHERE org_id = $1`, org)
}

// Facts are what the public page of a version says besides the document. base is where public pages of policies begin,
// such as "/privacy/".
func (p *Policies) Facts(ctx context.Context, org account.OrgID, v *Version, base string) (PageFacts, error) {
	f := PageFacts{Version: v}
	name, err := p.Name(ctx, org)
	if err != nil {
		return f, err
	}
	all, err := p.Versions(ctx, org)
	if err != nil {
		return f, err
	}
	current, err := p.At(ctx, org, p.now())
	if err != nil {
		return f, err
	}
	f.Former = v.Number < current.Number
	for _, x := range slices.Backward(all) {
		f.All = append(f.All, VersionLink{Number: x.Number, Effective: x.Effective, Hash: x.Hash, Href: base + name + "/v/" + strconv.Itoa(x.Number)})
		if x.Number > current.Number && (f.Coming == nil || x.Number > f.Coming.Number) {
			f.Coming = x
		}
	}
	return f, nil
}

// Find gives the organisation whose public pages are at an address.
func (p *Policies) Find(ctx context.Context, name string) (*account.Org, error) {
	org, ok, err := db.One(ctx, p.db, func(r db.Scanner) (o account.OrgID, err error) { return o, r.Scan(&o) }, `SELECT org_id FROM public_names WHERE name = $1`, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no privacy policy at this address. Ask whoever gave it to you for the right one.")
	}
	return p.accounts.Org(ctx, org)
}

// slug makes a name fit for addresses: small letters, digits and hyphens. What is written in another script gives "".
func slug(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}
