package web

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/web/phrase"
	"parley/web/ui"
)

// privacyRoutes are the public pages about an organisation's privacy policy. They need no account and set no cookie.
func (s *site) privacyRoutes() []route {
	return []route{
		{"GET /privacy/{org}", Public, privacyNow},
		{"GET /privacy/{org}/v/{version}", Public, privacyVersion},
		{"GET /privacy/{org}/v/{version}/policy.yaml", Public, privacySource},
		{"GET /privacy/{org}/recipients", Public, privacyRecipients},
		{"GET /privacy/{org}/proof", Public, privacyProof},
	}
}

const privacyPath = "/privacy/"

// privacyPage is a text made from a policy.
type privacyPage struct {
	ui.Frame
	Ask      *ui.Action // leads to the page where anybody asks about their data
	Notes    []ui.Note
	Lines    []policy.Line
	Contents []ui.Link // the parts of a long text
	Parts    []privacyPart
	Changes  []amendment // since the version before; nil for none
	Before   *ui.Link    // the version before
	Links    []ui.Link   // to the text itself and other forms of it
}

// privacyPart is a section with tables as pages show them.
type privacyPart struct {
	ID, Title string
	Level     int
	Blocks    []privacyBlock
}

type privacyBlock struct {
	policy.Block
	Data *ui.Table
}

// amendment is a change in words.
type amendment struct {
	Text     string
	Material bool
}

// show puts a text on a page.
func (p *privacyPage) show(text *policy.Page) {
	p.Title, p.Lines = text.Title, text.Lead
	for _, s := range text.Sections {
		part := privacyPart{ID: s.ID, Title: s.Title, Level: s.Level}
		for _, b := range s.Blocks {
			block := privacyBlock{Block: b}
			if b.Table != nil {
				block.Data = tableOf(s.Title, b.Table)
			}
			part.Blocks = append(part.Blocks, block)
		}
		p.Parts = append(p.Parts, part)
		if s.Level == 2 {
			p.Contents = append(p.Contents, ui.Link{Title: s.Title, Href: "#" + s.ID})
		}
	}
}

func tableOf(_ string, t *policy.Table) *ui.Table {
	out := &ui.Table{}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, ui.Column{Title: c})
	}
	for _, r := range t.Rows {
		row := ui.Row{}
		for i, c := range r {
			row.Cells = append(row.Cells, ui.Cell{Text: c, Strong: i == 0})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// reads finds the organisation of a public page and the language it is read in: the one that the address asks for, else
// one that the reader's browser prefers, else the document's first.
func (v *visit) reads(version func(org *account.Org) (*policy.Version, error)) (*account.Org, *policy.Version, error) {
	org, err := v.Policies.Find(v.ctx(), v.r.PathValue("org"))
	if err != nil {
		return nil, nil, err
	}
	x, err := version(org)
	if err != nil {
		return nil, nil, err
	}
	lang := v.query("lang")
	if !slices.Contains(x.Document.Languages, lang) {
		lang = v.words.Lang()
	}
	if !slices.Contains(x.Document.Languages, lang) {
		lang = x.Document.Languages[0]
	}
	v.words = phrase.For(lang + "-" + org.Country).In(org.Location())
	return org, x, nil
}

// public is the frame of a page that anybody reads, whoever is signed in: without cookies, with links for its languages.
func (v *visit) public(org *account.Org, languages []string) ui.Frame {
	f := ui.Frame{Phrases: v.words, Bare: true, Wide: true, Org: &ui.Org{Name: org.Name}, Path: v.r.URL.Path}
	for _, l := range phrase.Languages() {
		if slices.Contains(languages, l.Code) {
			f.Languages = append(f.Languages, ui.Link{Title: l.Name, Href: v.r.URL.Path + "?lang=" + l.Code, Current: l.Code == v.words.Lang()})
		}
	}
	return f
}

func (v *visit) current(org *account.Org) (*policy.Version, error) {
	return v.Policies.At(v.ctx(), org.ID, v.Now())
}

// numbered gives the version that the address names.
func (v *visit) numbered(org *account.Org) (*policy.Version, error) {
	n, err := strconv.Atoi(v.r.PathValue("version"))
	if err != nil || n < 0 {
		return nil, fault.New(fault.NotFound, "There is no version %q of this policy.", v.r.PathValue("version"))
	}
	return v.Policies.Get(v.ctx(), org.ID, n)
}

func privacyNow(v *visit) error { return v.privacy(v.current) }

func privacyVersion(v *visit) error { return v.privacy(v.numbered) }

func (v *visit) privacy(version func(org *account.Org) (*policy.Version, error)) error {
	org, x, err := v.reads(version)
	if err != nil {
		return err
	}
	f, err := v.Policies.Facts(v.ctx(), org.ID, x, privacyPath)
	if err != nil {
		return err
	}
	name := v.r.PathValue("org")
	f.Request, f.MailServer = privacyPath+name+"/request", v.MailServer
	if !f.Former {
		if f.Proof, err = v.Proofs.Shown(v.ctx(), org.ID, v.words.Lang(), privacyPath+name+"/proof"); err != nil {
			return err
		}
	}
	p := &privacyPage{Frame: v.public(org, x.Document.Languages), Ask: &ui.Action{Title: v.t("privacy.ask"), Href: f.Request}}
	p.show(x.Document.PublicPage(v.words.Lang(), f))
	base := privacyPath + name + "/v/" + strconv.Itoa(x.Number)
	p.Links = []ui.Link{{Title: v.t("privacy.source"), Href: base + "/policy.yaml"}, {Title: v.t("privacy.recipients"), Href: privacyPath + name + "/recipients"}}
	if f.Former {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Warn, Text: v.t("privacy.former"), Action: &ui.Action{Title: v.t("privacy.now"), Href: privacyPath + name}})
	}
	return v.withChanges(p, org, x, name)
}

// withChanges says what a version changed, and writes the page.
func (v *visit) withChanges(p *privacyPage, org *account.Org, x *policy.Version, name string) error {
	if x.Number > 1 {
		before, err := v.Policies.Get(v.ctx(), org.ID, x.Number-1)
		if err != nil {
			return err
		}
		p.Changes = v.changes(before.Document, x.Document)
		p.Before = &ui.Link{Title: v.t("privacy.before", "Version", before.Number), Href: privacyPath + name + "/v/" + strconv.Itoa(before.Number)}
	}
	return v.render("privacy", p)
}

func (v *visit) changes(was, is *policy.Document) []amendment {
	out := []amendment{}
	for _, c := range policy.Diff(was, is) {
		out = append(out, amendment{policy.Say(c, was, is, v.words.Lang()), c.Material})
	}
	return out
}

// privacySource gives the text itself, so that anybody can reckon its hash.
func privacySource(v *visit) error {
	_, x, err := v.reads(v.numbered)
	if err != nil {
		return err
	}
	return v.text("text/plain; charset=utf-8", []byte(x.Document.Source()))
}

func (v *visit) text(kind string, body []byte) error {
	v.w.Header().Set("Content-Type", kind)
	v.w.WriteHeader(http.StatusOK)
	if _, err := bytes.NewReader(body).WriteTo(v.w); err != nil {
		v.Log.Debug("text not delivered", "err", err)
	}
	return nil
}

// privacyRecipients is the register of recipients, with its history: the versions of the policy.
func privacyRecipients(v *visit) error {
	org, x, err := v.reads(v.current)
	if err != nil {
		return err
	}
	p := &privacyPage{Frame: v.public(org, x.Document.Languages)}
	p.show(x.Document.Subprocessors(v.words.Lang(), x))
	p.Links = []ui.Link{{Title: v.t("privacy.whole"), Href: privacyPath + v.r.PathValue("org")}}
	return v.render("privacy", p)
}
