package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/trust/policy"
	"parley/web/phrase"
)

// policyOf is the policy that an organisation has in force.
func (p *Parley) policyOf(ctx context.Context, org account.OrgID) (*policy.Document, error) {
	if org == 0 { // what belongs to no organisation follows the document that ships
		return policy.Shipped()
	}
	return p.Policies.Current(ctx, org)
}

// collects tells whether an organisation's policy lets data of a category come in.
func (p *Parley) collects(ctx context.Context, org account.OrgID, category string) (bool, error) {
	doc, err := p.policyOf(ctx, org)
	return err == nil && doc.Collects(category), err
}

// policyPath is where an organisation's public privacy page is.
const policyPath = "/privacy/"

type policyCmd struct {
	Lint     policyLintCmd     `cmd:"" help:"Find the traps in a policy: each with its line, the reason and what to do."`
	Show     policyShowCmd     `cmd:"" help:"Write a policy: the one in force, a version, or the one that ships."`
	Edit     policyEditCmd     `cmd:"" help:"Take a file as the draft, and show what publishing it would change."`
	Publish  policyPublishCmd  `cmd:"" help:"Publish the draft, or a file."`
	Diff     policyDiffCmd     `cmd:"" help:"Show what changed between two policies: versions or files."`
	Versions policyVersionsCmd `cmd:"" help:"List what was published."`
	Page     policyPageCmd     `cmd:"" help:"Write a text that is made from the policy: the public page, a register, an annex."`
	Export   policyExportCmd   `cmd:"" help:"Write the policy in the words of others."`
	Test     policyTestCmd     `cmd:"" help:"List promises without a rule or a test, and those of features that are still to come."`
}

type policyLintCmd struct {
	asJSON
	File string `arg:"" help:"The policy."`
}

func (c *policyLintCmd) plain(_ context.Context, r *Run) error {
	text, err := readPolicy(r, c.File)
	if err != nil {
		return err
	}
	return tellFindings(r, c.asJSON, c.File, policy.Check(text))
}

func readPolicy(r *Run, name string) ([]byte, error) {
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		return nil, unreadable(name, err)
	}
	return text, nil
}

// tellFindings writes what was found, and fails when it was anything.
func tellFindings(r *Run, j asJSON, name string, found policy.Findings) error {
	if j.JSON {
		if err := writeJSON(r, append(policy.Findings{}, found...)); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			promise := ""
			if f.Promise != "" {
				promise = " " + f.Promise
			}
			if err := r.printf("%s:%d: %s [%s%s]\n    %s\n", name, f.Line, f.Reason, f.Rule, promise, f.Mend); err != nil {
				return err
			}
		}
	}
	if len(found) > 0 {
		return fault.New(fault.Invalid, "%d findings in %s. A policy with findings cannot be published.", len(found), name)
	}
	if j.JSON {
		return nil
	}
	return r.printf("%s: nothing was found.\n", name)
}

// ofVersion is a command about one version of an organisation's policy.
type ofVersion struct {
	inOrg
	Version *int `placeholder:"N" help:"A published version; without, the one in force."`
}

func (c *ofVersion) version(ctx context.Context, r *Run) (*account.Org, *policy.Version, error) {
	org, err := c.find(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	var v *policy.Version
	if c.Version != nil {
		v, err = r.p.Policies.Get(ctx, org.ID, *c.Version)
	} else {
		v, err = r.p.Policies.At(ctx, org.ID, r.p.Now())
	}
	return org, v, err
}

type policyShowCmd struct {
	ofVersion
	Shipped bool `help:"The one that ships, filled in with what the organisation says of itself."`
	Draft   bool `help:"The draft."`
}

func (c *policyShowCmd) onData(ctx context.Context, r *Run) error {
	if c.Shipped {
		c.Version = new(int)
	}
	org, v, err := c.version(ctx, r)
	if err != nil {
		return err
	}
	text := v.Document.Source()
	if c.Draft {
		d, err := r.p.Policies.Draft(ctx, r.p.Accounts.Operator(org))
		if err != nil {
			return err
		}
		text = d.Text
	}
	return r.printf("%s", text)
}

type policyEditCmd struct {
	inOrg
	File string `arg:"" help:"The new text."`
}

func (c *policyEditCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	text, err := readPolicy(r, c.File)
	if err != nil {
		return err
	}
	if err := r.p.Policies.SaveDraft(ctx, r.p.Accounts.Operator(org), string(text)); err != nil {
		return err
	}
	in, err := r.p.Policies.Propose(ctx, org.ID, string(text))
	if err != nil {
		return err
	}
	if len(in.Findings) > 0 {
		return tellFindings(r, asJSON{}, c.File, in.Findings)
	}
	if err := tellChanges(r, in.Against.Document, in.Document, in.Changes); err != nil {
		return err
	}
	return r.printf("The draft is kept. Published now, it takes effect as version %d on %s: \"parley policy publish\".\n", in.Version, in.Effective.In(org.Location()).Format("2006-01-02 15:04"))
}

// tellChanges writes what changed, material changes first.
func tellChanges(r *Run, was, is *policy.Document, changes []policy.Change) error {
	if len(changes) == 0 {
		return r.printf("Nothing changes.\n")
	}
	for _, c := range changes {
		mark := "-"
		if c.Material {
			mark = "!"
		}
		if err := r.printf("%s %s\n", mark, plainCell(policy.Say(c, was, is, "en"))); err != nil {
			return err
		}
	}
	if policy.Material(changes) {
		return r.printf("Lines with ! are material: they wait for their notice, and new uses for acceptance.\n")
	}
	return nil
}

type policyPublishCmd struct {
	inOrg
	File string `arg:"" optional:"" help:"The text; without, the draft."`
}

func (c *policyPublishCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	by, name := r.p.Accounts.Operator(org), "draft"
	d, err := r.p.Policies.Draft(ctx, by)
	if err != nil {
		return err
	}
	text := d.Text
	if c.File != "" {
		file, err := readPolicy(r, c.File)
		if err != nil {
			return err
		}
		text, name = string(file), c.File
	}
	v, err := r.p.Policies.Publish(ctx, by, text)
	if found, ok := errors.AsType[policy.Findings](err); ok {
		return tellFindings(r, asJSON{}, name, found)
	}
	if err != nil {
		return err
	}
	public, err := r.p.Policies.Name(ctx, org.ID)
	if err != nil {
		return err
	}
	return r.printf("Version %d is published and takes effect on %s.\nSHA-256 %s\nEverybody can read it at %s%s%s\n", v.Number, v.Effective.In(org.Location()).Format("2006-01-02 15:04"), v.Hash, r.Config.base(), policyPath, public)
}

type policyDiffCmd struct {
	inOrg
	A string `arg:"" help:"The older: a version's number, or a file."`
	B string `arg:"" help:"The newer: a version's number, or a file."`
}

func (c *policyDiffCmd) onData(ctx context.Context, r *Run) error {
	was, err := c.read(ctx, r, c.A)
	if err != nil {
		return err
	}
	is, err := c.read(ctx, r, c.B)
	if err != nil {
		return err
	}
	return tellChanges(r, was, is, policy.Diff(was, is))
}

func (c *policyDiffCmd) read(ctx context.Context, r *Run, name string) (*policy.Document, error) {
	if n, err := strconv.Atoi(name); err == nil {
		_, v, err := (&ofVersion{inOrg: c.inOrg, Version: &n}).version(ctx, r)
		if err != nil {
			return nil, err
		}
		return v.Document, nil
	}
	text, err := readPolicy(r, name)
	if err != nil {
		return nil, err
	}
	d, err := policy.Parse(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s cannot be read as a policy: %s", name, err)
	}
	return d, nil
}

type policyVersionsCmd struct {
	inOrg
	asJSON
}

func (c *policyVersionsCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Policies.Versions(ctx, org.ID)
	if err != nil {
		return err
	}
	current, err := r.p.Policies.At(ctx, org.ID, r.p.Now())
	if err != nil {
		return err
	}
	return c.write(r, append([]*policy.Version{}, all...), func(t *table) {
		t.row("VERSION", "STATE", "PUBLISHED", "TAKES EFFECT", "MATERIAL", "SHA-256")
		if current.Number == 0 {
			t.row(0, "in force", "ships with Parley", "-", "-", current.Hash)
		}
		for _, v := range all {
			state := "former"
			switch {
			case v.Number == current.Number:
				state = "in force"
			case v.Number > current.Number:
				state = "coming"
			}
			t.row(v.Number, state, v.Published.In(org.Location()).Format(time.DateOnly), v.Effective.In(org.Location()).Format(time.DateOnly), yes(v.Material), v.Hash)
		}
	})
}

type policyPageCmd struct {
	ofVersion
	asJSON
	Language string `default:"en" help:"en or hi."`
	What     string `arg:"" optional:"" default:"page" enum:"page,register,recipients,annex" help:"page, register, recipients or annex."`
	Customer string `help:"Name of the customer, for the annex."`
}

func (c *policyPageCmd) onData(ctx context.Context, r *Run) error {
	org, v, err := c.version(ctx, r)
	if err != nil {
		return err
	}
	var page *policy.Page
	switch c.What {
	case "register":
		page = v.Document.Register(c.Language, v)
	case "recipients":
		page = v.Document.Subprocessors(c.Language, v)
	case "annex":
		page = v.Document.Annex(c.Language, v, c.Customer)
	default:
		f, err := r.p.Policies.Facts(ctx, org.ID, v, r.Config.base()+policyPath)
		if err != nil {
			return err
		}
		f.MailServer = r.Config.Mail.Host
		page = v.Document.PublicPage(c.Language, f)
	}
	if c.JSON {
		return writeJSON(r, page)
	}
	return r.printf("%s", page.Text())
}

type policyExportCmd struct {
	ofVersion
	Fideslang bool `help:"As a manifest of fideslang."`
	DPV       bool `name:"dpv" help:"As JSON-LD in the words of the Data Privacy Vocabulary."`
}

func (c *policyExportCmd) onData(ctx context.Context, r *Run) error {
	if c.Fideslang == c.DPV {
		return invalidf("Say in whose words: --fideslang or --dpv.")
	}
	_, v, err := c.version(ctx, r)
	if err != nil {
		return err
	}
	write := v.Document.Fideslang
	if c.DPV {
		write = v.Document.DPV
	}
	text, err := write()
	if err != nil {
		return err
	}
	return r.printf("%s\n", text)
}

// tellPolicies mails everybody who was not told yet of a material change of their organisation's policy. Organisations
// that have no address for their public pages yet get one.
func (p *Parley) tellPolicies(ctx context.Context) error {
	orgs, err := p.Accounts.Orgs(ctx)
	errs := []error{err}
	for _, org := range orgs {
		_, err := p.Policies.Name(ctx, org.ID)
		errs = append(errs, err)
		if !org.Demo && ctx.Err() == nil {
			errs = append(errs, p.tellPolicy(ctx, org))
		}
	}
	return errors.Join(errs...)
}

func (p *Parley) tellPolicy(ctx context.Context, org *account.Org) error {
	v, members, err := p.Policies.Untold(ctx, org.ID, policy.ByEmail)
	if err != nil || len(members) == 0 {
		return err
	}
	before, err := p.Policies.Get(ctx, org.ID, v.Number-1)
	if err != nil {
		return err
	}
	name, err := p.Policies.Name(ctx, org.ID)
	if err != nil {
		return err
	}
	words := phrase.For(org.Locale).In(org.Location())
	var changes strings.Builder
	for _, c := range policy.Diff(before.Document, v.Document) {
		if c.Material {
			fmt.Fprintf(&changes, "- %s\n", policy.Say(c, before.Document, v.Document, words.Lang()))
		}
	}
	text := words.T("mail.policy.text", "Organisation", org.Name, "Version", v.Number, "Day", words.Date(civil.DayOf(v.Effective, org.Location())), "Changes", strings.TrimSpace(changes.String()),
		"Link", p.Config.base()+policyPath+name+"/v/"+strconv.Itoa(v.Number))
	for _, m := range members {
		// Noted before it is sent: a crash between the two must not mail everybody twice.
		first, err := p.Policies.Told(ctx, org.ID, v.Number, m.ID, policy.ByEmail)
		if err == nil && first {
			err = p.Mail.Send(ctx, mail.Message{Org: org.ID, To: m.Email, Subject: words.T("mail.policy.subject", "Organisation", org.Name), Text: text})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tellPoliciesEvery is how often it is looked whether somebody must be told.
const tellPoliciesEvery = 10 * time.Minute

func (s *server) policies(ctx context.Context) {
	s.every(ctx, tellPoliciesEvery, "notices of policies", s.p.tellPolicies)
}
