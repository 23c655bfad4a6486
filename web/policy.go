package web

import (
	"errors"
	"mime"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/web/phrase"
	"parley/web/ui"
)

// policyRoutes keep the privacy policy, and let members accept its changes.
func (s *site) policyRoutes() []route {
	return []route{
		{"GET /trust/policy", account.ReadPrivacy, policies},
		{"GET /trust/policy/edit", account.ManagePrivacy, policyEditor},
		{"POST /trust/policy/edit", account.ManagePrivacy, savePolicy},
		{"POST /trust/policy/publish", account.ManagePrivacy, publishPolicy},
		{"POST /trust/policy/discard", account.ManagePrivacy, discardPolicy},
		{"GET /trust/policy/preview", account.ManagePrivacy, policyPreview},
		{"GET /trust/policy/text/{text}", account.ReadPrivacy, policyText},
		{"GET /trust/policy/file/{file}", account.ReadPrivacy, policyFile},
		{"GET /policy", SignedIn, policyChange},
		{"POST /policy/accept", SignedIn, acceptPolicy},
	}
}

const policyHome = "/trust/policy"

// policiesPage shows what is in force, what is coming and what was.
type policiesPage struct {
	ui.Frame
	Acts  []ui.Action
	Notes []ui.Note
	Table ui.Table
	Texts []ui.Link
	Files []ui.Link
}

func policies(v *visit) error {
	org := v.org()
	all, err := v.Policies.Versions(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	current, err := v.current(org)
	if err != nil {
		return err
	}
	draft, err := v.Policies.Draft(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	name, err := v.Policies.Name(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	p := &policiesPage{Frame: v.trustFrame(v.t("policy.title"))}
	edit := v.forKeepers(ui.Action{Title: v.t("policy.edit"), Href: policyHome + "/edit", Icon: "edit", Primary: true})
	if edit != nil {
		p.Acts = append(p.Acts, *edit)
	}
	p.Acts = append(p.Acts, ui.Action{Title: v.t("policy.public"), Href: privacyPath + name, Icon: "eye"})
	if current.Number == 0 {
		p.Lead = v.words.Rich("policy.lead.shipped")
	} else {
		p.Lead = v.words.Rich("policy.lead", "Version", current.Number, "Day", v.words.Date(v.dayOf(current)))
	}
	if found := policy.Check([]byte(current.Document.Source())); len(found) > 0 {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Warn, Title: v.t("policy.missing", "Count", len(found)), Text: found[0].Reason, Action: v.forKeepers(ui.Action{Title: v.t("policy.edit"), Href: policyHome + "/edit"})})
	}
	if !draft.Changed.IsZero() {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Info, Text: v.t("policy.draft.waits"), Action: v.forKeepers(ui.Action{Title: v.t("policy.draft.open"), Href: policyHome + "/edit"})})
	}
	if p.Table, err = v.versionsTable(all, current, name); err != nil {
		return err
	}
	for _, t := range []string{"register", "recipients", "annex"} {
		p.Texts = append(p.Texts, ui.Link{Title: v.t("policy.text." + t), Href: policyHome + "/text/" + t})
	}
	for _, f := range []string{"policy.yaml", "fideslang.json", "dpv.jsonld"} {
		p.Files = append(p.Files, ui.Link{Title: v.t("policy.file." + f), Href: policyHome + "/file/" + f})
	}
	return v.render("policy", p)
}

func (v *visit) dayOf(x *policy.Version) civil.Day { return civil.DayOf(x.Effective, v.words.Zone()) }

func (v *visit) versionsTable(all []*policy.Version, current *policy.Version, name string) (ui.Table, error) {
	t := ui.Table{Title: v.t("policy.versions"), Columns: []ui.Column{
		{Title: v.t("policy.version")}, {Title: v.t("policy.state")}, {Title: v.t("policy.effective")}, {Title: v.t("policy.author")}, {Title: v.t("policy.hash")},
	}, Empty: &ui.Empty{Icon: "file", Title: v.t("policy.none"), Text: v.t("policy.none.text"), Action: v.forKeepers(ui.Action{Title: v.t("policy.edit"), Href: policyHome + "/edit"})}}
	names, err := v.namesOfMembers()
	if err != nil {
		return t, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		x := all[i]
		tag := &ui.Tag{Text: v.t("policy.state.former"), Kind: ui.Off}
		switch {
		case x.Number == current.Number:
			tag = &ui.Tag{Text: v.t("policy.state.current"), Kind: ui.Good, Icon: "check"}
		case x.Number > current.Number:
			tag = &ui.Tag{Text: v.t("policy.state.coming"), Kind: ui.Info, Icon: "clock"}
		}
		kind := v.t("policy.words")
		if x.Material {
			kind = v.t("policy.material")
		}
		t.Rows = append(t.Rows, ui.Row{Muted: x.Number < current.Number, Cells: []ui.Cell{
			{Text: v.t("policy.number", "Version", x.Number), Sub: kind, Href: privacyPath + name + "/v/" + strconv.Itoa(x.Number), Strong: true}, {Tag: tag},
			{Text: v.words.Date(v.dayOf(x))}, {Text: names[x.Author]}, {Text: x.Hash[:16] + "…"},
		}})
	}
	return t, nil
}

// policyForm is the editor: the whole text, and what is wrong with it and changes by it.
type policyForm struct {
	form
	Notes    []ui.Note
	Findings []findingLine
	Changes  []amendment
	Checked  bool // the text was looked at: it can be read
	Publish  *ui.Action
	Discard  *ui.Action
	Preview  []ui.Link
}

// findingLine is a finding beside the line it is about.
type findingLine struct {
	policy.Finding
	Text string // of the line
}

func (v *visit) policyForm(text string, saved bool) (*policyForm, error) {
	in, err := v.Policies.Propose(v.ctx(), v.org().ID, text)
	if err != nil {
		return nil, err
	}
	p := &policyForm{form: form{Frame: v.trustFrame(v.t("policy.edit")), Action: policyHome + "/edit", Submit: v.t("policy.save")}}
	p.Crumbs = []ui.Link{{Title: v.t("policy.title"), Href: policyHome}}
	p.Sections = []section{{Fields: []ui.Field{{Name: "text", Label: v.t("policy.text"), Help: v.t("policy.text.help"), Type: "textarea", Size: "code", Rows: 32, Value: text}}}}
	lines := strings.Split(in.Text, "\n")
	for _, f := range in.Findings {
		line := findingLine{Finding: f}
		if f.Line <= len(lines) {
			line.Text = strings.TrimSpace(lines[f.Line-1])
		}
		p.Findings = append(p.Findings, line)
	}
	if in.Document != nil {
		p.Checked, p.Changes = true, v.changes(in.Against.Document, in.Document)
		for _, l := range phrase.Languages() {
			if slices.Contains(in.Document.Languages, l.Code) {
				p.Preview = append(p.Preview, ui.Link{Title: v.t("policy.preview", "Language", l.Name), Href: policyHome + "/preview?lang=" + l.Code})
			}
		}
	}
	if saved {
		p.Discard = &ui.Action{Title: v.t("policy.discard"), Post: true, Danger: true, Icon: "trash", Href: policyHome + "/discard", Confirm: v.t("policy.discard.title"), ConfirmText: v.t("policy.discard.text")}
	}
	v.lead(p, in)
	return p, nil
}

// lead says in a sentence where the text stands, and offers to publish it where that can be done.
func (v *visit) lead(p *policyForm, in *policy.Proposal) {
	switch {
	case len(in.Findings) > 0:
		p.Lead = v.words.Rich("policy.lead.findings", "Count", len(in.Findings))
	case len(in.Changes) == 0 && in.Against.Number > 0:
		p.Lead = v.words.Rich("policy.lead.same", "Version", in.Against.Number)
	default:
		day := v.words.Date(civil.DayOf(in.Effective, v.words.Zone()))
		p.Lead = v.words.Rich("policy.lead.ready", "Version", in.Version, "Day", day)
		confirm := v.t("policy.publish.words", "Day", day)
		if in.Material {
			confirm = v.t("policy.publish.material", "Day", day)
		}
		p.Publish = &ui.Action{Title: v.t("policy.publish"), Post: true, Primary: true, Icon: "check", Href: policyHome + "/publish", Confirm: v.t("policy.publish.title", "Version", in.Version), ConfirmText: confirm,
			Fields: []ui.Param{{Name: "hash", Value: policy.Hash(in.Text)}}}
	}
}

func policyEditor(v *visit) error {
	d, err := v.Policies.Draft(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	p, err := v.policyForm(d.Text, !d.Changed.IsZero())
	if err != nil {
		return err
	}
	return v.render("policy-edit", p)
}

func savePolicy(v *visit) error {
	text := v.typed("text")
	if err := v.Policies.SaveDraft(v.ctx(), v.actor, text); err != nil {
		p, formErr := v.policyForm(text, false)
		if formErr != nil {
			return formErr
		}
		return v.again("policy-edit", p, err)
	}
	return v.to(policyHome+"/edit", v.good("policy.saved"))
}

// publishPolicy publishes the draft that the officer looked at: when it changed meanwhile, it is shown first.
func publishPolicy(v *visit) error {
	d, err := v.Policies.Draft(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	in, err := v.Policies.Propose(v.ctx(), v.org().ID, d.Text)
	if err != nil {
		return err
	}
	if policy.Hash(in.Text) != v.form("hash") {
		return v.to(policyHome+"/edit", ui.Flash{Kind: ui.Warn, Text: v.t("policy.moved")})
	}
	x, err := v.Policies.Publish(v.ctx(), v.actor, d.Text)
	if _, found := errors.AsType[policy.Findings](err); found || fault.KindOf(err) == fault.Conflict {
		return v.to(policyHome+"/edit", ui.Flash{Kind: ui.Warn, Text: fault.Sentence(err)})
	}
	if err != nil {
		return err
	}
	return v.to(policyHome, v.good("policy.published", "Version", x.Number, "Day", v.words.Date(v.dayOf(x))))
}

func discardPolicy(v *visit) error {
	if err := v.Policies.DropDraft(v.ctx(), v.actor); err != nil {
		return err
	}
	return v.to(policyHome, v.good("policy.discarded"))
}

// policyPreview is the public page as the draft would make it.
func policyPreview(v *visit) error {
	d, err := v.Policies.Draft(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	in, err := v.Policies.Propose(v.ctx(), v.org().ID, d.Text)
	if err != nil {
		return err
	}
	if in.Document == nil {
		return v.to(policyHome + "/edit")
	}
	x := &policy.Version{Number: in.Version, Hash: policy.Hash(in.Text), Published: v.Now(), Effective: in.Effective, Document: in.Document}
	f := policy.PageFacts{Version: x, MailServer: v.MailServer}
	text := in.Document.PublicPage(nonEmpty(v.query("lang"), v.words.Lang()), f)
	p := &privacyPage{Frame: v.trustFrame(text.Title), Notes: []ui.Note{{Kind: ui.Info, Text: v.t("policy.preview.note")}}}
	p.Crumbs = []ui.Link{{Title: v.t("policy.title"), Href: policyHome}, {Title: v.t("policy.edit"), Href: policyHome + "/edit"}}
	p.show(text)
	return v.render("policy-text", p)
}

// madeText gives one of the texts that are made from the policy in force.
func (v *visit) madeText(which string) (*policy.Page, error) {
	x, err := v.current(v.org())
	if err != nil {
		return nil, err
	}
	lang := nonEmpty(v.query("lang"), v.words.Lang())
	switch which {
	case "register":
		return x.Document.Register(lang, x), nil
	case "recipients":
		return x.Document.Subprocessors(lang, x), nil
	case "annex":
		return x.Document.Annex(lang, x, v.query("customer")), nil
	default:
		return nil, fault.New(fault.NotFound, "There is no text %q. There are register, recipients and annex.", which)
	}
}

func policyText(v *visit) error {
	which := v.r.PathValue("text")
	text, err := v.madeText(which)
	if err != nil {
		return err
	}
	p := &privacyPage{Frame: v.trustFrame(text.Title)}
	p.Crumbs = []ui.Link{{Title: v.t("policy.title"), Href: policyHome}}
	p.show(text)
	for _, kind := range []string{"md", "csv"} {
		p.Links = append(p.Links, ui.Link{Title: v.t("policy.download." + kind), Href: policyHome + "/file/" + which + "." + kind + "?lang=" + text.Language})
	}
	return v.render("policy-text", p)
}

// policyFile gives a text, the policy or one of its exports as a file.
func policyFile(v *visit) error {
	file := v.r.PathValue("file")
	x, err := v.current(v.org())
	if err != nil {
		return err
	}
	var body []byte
	kind := "application/json"
	switch file {
	case "policy.yaml":
		body, kind = []byte(x.Document.Source()), "text/plain; charset=utf-8"
	case "fideslang.json":
		body, err = x.Document.Fideslang()
	case "dpv.jsonld":
		body, err = x.Document.DPV()
		kind = "application/ld+json"
	default:
		which, ending, _ := strings.Cut(file, ".")
		var text *policy.Page
		if text, err = v.madeText(which); err == nil {
			body, kind, err = textAs(text, ending)
		}
	}
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file}))
	return v.text(kind, body)
}

func textAs(p *policy.Page, ending string) ([]byte, string, error) {
	switch ending {
	case "md":
		return []byte(p.Text()), "text/markdown; charset=utf-8", nil
	case "csv":
		var b strings.Builder
		err := p.WriteCSV(&b)
		return []byte(b.String()), "text/csv; charset=utf-8", err
	default:
		return nil, "", fault.New(fault.NotFound, "There is no file that ends with %q. There are md and csv.", ending)
	}
}

// policyChangePage lets a member read what changes, and accept it.
type policyChangePage struct {
	form
	Changes []amendment
	Read    ui.Action
	Settled bool
}

func (v *visit) policyChangePage(x *policy.Version) (*policyChangePage, error) {
	p := &policyChangePage{form: form{Frame: v.frame(v.t("policy.change.title")), Action: "/policy/accept", Submit: v.t("policy.accept")}}
	name, err := v.Policies.Name(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	p.Read = ui.Action{Title: v.t("policy.read"), Href: privacyPath + name, Icon: "eye"}
	if x == nil {
		p.Settled, p.Lead = true, v.words.Rich("policy.change.none")
		return p, nil
	}
	before, err := v.Policies.Get(v.ctx(), v.org().ID, x.Number-1)
	if err != nil {
		return nil, err
	}
	p.Read.Href += "/v/" + strconv.Itoa(x.Number)
	p.Lead = v.words.Rich("policy.change.lead", "Version", x.Number, "Day", v.words.Date(v.dayOf(x)))
	p.Changes = v.changes(before.Document, x.Document)
	p.Hidden = []ui.Param{{Name: "version", Value: strconv.Itoa(x.Number)}}
	p.Sections = []section{{Fields: []ui.Field{{Name: "agree", Label: v.wording(x.Number), Type: "check"}}}}
	return p, nil
}

// wording is what a member says yes to.
func (v *visit) wording(version int) string {
	return v.t("policy.wording", "Version", version, "Organisation", v.org().Name)
}

func (v *visit) pending() (*policy.Version, error) {
	return v.Policies.Pending(v.ctx(), v.org().ID, v.actor.Member.ID)
}

func policyChange(v *visit) error {
	x, err := v.pending()
	if err != nil {
		return err
	}
	p, err := v.policyChangePage(x)
	if err != nil {
		return err
	}
	return v.render("policy-change", p)
}

func acceptPolicy(v *visit) error {
	x, err := v.pending()
	if err != nil {
		return err
	}
	if x == nil || v.form("version") != strconv.Itoa(x.Number) {
		return v.to("/policy", ui.Flash{Kind: ui.Info, Text: v.t("policy.moved")})
	}
	if !v.checked("agree") {
		p, err := v.policyChangePage(x)
		if err != nil {
			return err
		}
		return v.again("policy-change", p, fault.Field("agree", "Tick the box to accept the change. Until then new uses of your data stay off."))
	}
	if err := v.Policies.Accept(v.ctx(), v.actor, x.Number, v.wording(x.Number)); err != nil {
		return err
	}
	return v.to("/policy", v.good("policy.accepted"))
}

// policyNotice tells a member of a change that they have not accepted, on every page, and notes that they were told.
func (v *visit) policyNotice() *ui.Link {
	x, err := v.pending()
	if x == nil || err != nil {
		if err != nil {
			v.Log.Error("change of the policy not told", "err", err)
		}
		return nil
	}
	if _, err := v.Policies.Told(v.ctx(), v.org().ID, x.Number, v.actor.Member.ID, policy.InApp); err != nil {
		v.Log.Error("notice of the policy not noted", "err", err)
	}
	return &ui.Link{Title: v.t("policy.notice", "Day", v.words.Date(v.dayOf(x))), Href: "/policy"}
}
