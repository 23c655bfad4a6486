package web

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/attest"
	"parley/web/ui"
)

const attestHome = "/trust/attestations"

// attestRoutes keep what people attest: audits, trainings, scans of the release.
func (s *site) attestRoutes() []route {
	return []route{
		{"GET " + attestHome, account.ReadPrivacy, duties},
		{"GET " + attestHome + "/new", account.ManagePrivacy, dutyForm},
		{"POST " + attestHome + "/new", account.ManagePrivacy, addDuty},
		{"GET " + attestHome + "/materials", account.ReadPrivacy, materials},
		{"GET " + attestHome + "/materials.json", account.ReadPrivacy, materialsFile},
		{"GET " + attestHome + "/{duty}", account.ReadPrivacy, dutyOf},
		{"POST " + attestHome + "/{duty}", account.ManagePrivacy, signDuty},
		{"POST " + attestHome + "/{duty}/drop", account.ManagePrivacy, dropDuty},
		{"GET " + attestHome + "/{duty}/statement", account.ReadPrivacy, dutyStatement},
	}
}

// dutiesPage lists what is due.
type dutiesPage struct {
	ui.Frame
	Acts  []ui.Action
	Table ui.Table
}

func duties(v *visit) error {
	all, err := v.Attested.Duties(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return err
	}
	p := &dutiesPage{Frame: v.trustFrame(v.t("attest.title")), Acts: []ui.Action{{Title: v.t("attest.materials"), Href: attestHome + "/materials", Icon: "shield"}}}
	if v.keeps() {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("attest.new"), Href: attestHome + "/new", Icon: "plus", Primary: true})
	}
	p.Table = ui.Table{Title: v.t("attest.list"), Columns: []ui.Column{{Title: v.t("attest.what")}, {Title: v.t("attest.due")}, {Title: v.t("attest.last")}, {Title: v.t("attest.done")}}}
	late := 0
	for _, d := range all {
		if v.Attested.Overdue(d, v.Now()) {
			late++
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{
			{Text: d.Title, Sub: v.dutyKind(d, names), Href: attestHome + "/" + d.ID, Strong: true}, v.dueCell(d), v.resultCell(d.Last), doneCell(v, d.Last)}})
	}
	p.Lead = v.words.Rich("attest.lead", "Count", late)
	if late == 0 {
		p.Lead = v.words.Rich("attest.lead.none")
	}
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("attest.none"), Text: v.t("attest.none.text")}
	return v.render("attestations", p)
}

func (v *visit) dutyKind(d *attest.Duty, names map[account.MemberID]string) string {
	kind := v.t("attest.kind." + string(d.Kind))
	if d.Member != "" {
		kind += ", " + nonEmpty(names[d.Member], string(d.Member))
	}
	return kind
}

// dueCell tells when a duty is due.
func (v *visit) dueCell(d *attest.Duty) ui.Cell {
	out := ui.Cell{Text: v.t("attest.due.never")}
	if !d.Due.IsZero() {
		out.Text = v.words.Date(civil.DayOf(d.Due.Add(-1), v.org().Location()))
	}
	if v.Attested.Overdue(d, v.Now()) {
		out.Tag = &ui.Tag{Text: v.t("attest.overdue"), Kind: ui.Bad, Icon: "alert"}
		if d.Due.IsZero() {
			out.Text = v.t("attest.due.release", "Version", v.Attested.Release())
		}
	}
	return out
}

func (v *visit) resultCell(x *attest.Attestation) ui.Cell {
	if x == nil {
		return ui.Cell{Text: "–"}
	}
	kind := map[attest.Result]ui.Kind{attest.Passed: ui.Good, attest.Findings: ui.Warn, attest.Failed: ui.Bad}[x.Result]
	return ui.Cell{Tag: &ui.Tag{Text: v.t("attest.result." + string(x.Result)), Kind: kind}, Sub: x.Release}
}

func doneCell(v *visit, x *attest.Attestation) ui.Cell {
	if x == nil {
		return ui.Cell{Text: v.t("attest.done.never")}
	}
	return ui.Cell{Text: v.words.Date(civil.DayOf(x.Done, v.org().Location()))}
}

func (v *visit) dutyForm() (*form, error) {
	_ = v.form("") // reads the form
	p := &form{Frame: v.trustFrame(v.t("attest.new")), Submit: v.t("attest.add")}
	p.Crumbs = []ui.Link{{Title: v.t("attest.title"), Href: attestHome}}
	kind := ui.Field{Name: "kind", Label: v.t("attest.kind"), Type: "radio", Value: nonEmpty(v.form("kind"), string(attest.Audit))}
	for _, k := range attest.Kinds() {
		kind.Options = append(kind.Options, ui.Option{Value: string(k), Title: v.t("attest.kind." + string(k)), Help: v.t("attest.kind." + string(k) + ".text")})
	}
	member := ui.Field{Name: "member", Label: v.t("attest.member"), Help: v.t("attest.member.help"), Type: "select", Size: "medium", Value: v.form("member"), Optional: true, Options: []ui.Option{{Title: v.t("attest.member.none")}}}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.Active {
			member.Options = append(member.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		}
	}
	p.Sections = []section{{Fields: []ui.Field{
		kind, {Name: "title", Label: v.t("attest.what"), Help: v.t("attest.what.help"), Value: v.form("title"), Complete: "off"}, member,
		{Name: "due", Label: v.t("attest.due"), Help: v.t("attest.due.help"), Type: "date", Value: v.form("due"), Size: "short"},
		{Name: "every", Label: v.t("attest.every"), Help: v.t("attest.every.help"), Type: "number", Mode: "numeric", Min: "0", Max: "1830", Value: nonEmpty(v.form("every"), "365"), Size: "short"},
	}}}
	return p, nil
}

func dutyForm(v *visit) error {
	p, err := v.dutyForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func addDuty(v *visit) error {
	in := attest.Duty{Kind: attest.Kind(v.form("kind")), Title: v.form("title"), Member: account.MemberID(v.form("member"))}
	every, err := strconv.Atoi(nonEmpty(strings.TrimSpace(v.form("every")), "0"))
	if err != nil {
		err = fault.Field("every", "Write a whole number of days, or 0 for once.")
	}
	in.Every = every
	var dueErr error
	in.Due, dueErr = v.lastMoment("due")
	var d *attest.Duty
	if err = fault.Join(err, dueErr); err == nil {
		d, err = v.Attested.Add(v.ctx(), v.actor, in)
	}
	if err == nil {
		return v.to(attestHome+"/"+d.ID, v.good("attest.added"))
	}
	p, formErr := v.dutyForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}

// dutyPage is one duty: what was attested of it, and the form that attests more.
type dutyPage struct {
	form
	Facts     []ui.Fact
	Table     ui.Table
	Drop      *ui.Action // nil for whoever may only look, as the form is empty then
	Statement string     // where the newest statement is; "" when there is none
}

func (v *visit) dutyPage() (*dutyPage, error) {
	_ = v.form("") // reads the form
	d, err := v.Attested.Get(v.ctx(), v.org().ID, v.r.PathValue("duty"))
	if err != nil {
		return nil, err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return nil, err
	}
	all, err := v.Attested.Of(v.ctx(), v.org().ID, d.ID)
	if err != nil {
		return nil, err
	}
	path := attestHome + "/" + d.ID
	p := &dutyPage{form: form{Frame: v.trustFrame(d.Title), Action: path, Submit: v.t("attest.sign")}}
	p.Crumbs = []ui.Link{{Title: v.t("attest.title"), Href: attestHome}}
	p.Facts = []ui.Fact{{Title: v.t("attest.kind"), Cell: ui.Cell{Text: v.dutyKind(d, names)}}, {Title: v.t("attest.due"), Cell: v.dueCell(d)}, {Title: v.t("attest.every"), Cell: ui.Cell{Text: v.everyText(d)}}}
	p.Drop = v.forKeepers(ui.Action{Title: v.t("attest.drop"), Post: true, Danger: true, Icon: "trash", Href: path + "/drop", Confirm: v.t("attest.drop"), ConfirmText: v.t("attest.drop.text")})
	if len(all) > 0 {
		p.Statement = path + "/statement"
	}
	p.Table = ui.Table{Title: v.t("attest.signed"), Columns: []ui.Column{{Title: v.t("attest.result")}, {Title: v.t("attest.done")}, {Title: v.t("attest.note")}, {Title: v.t("attest.signer")}}}
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("attest.signed.none"), Text: v.t("attest.signed.none.text")}
	for _, x := range all {
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{v.resultCell(x), doneCell(v, x), {Text: x.Note}, {Text: names[x.Signer]}}})
	}
	if v.keeps() {
		p.Sections = []section{{Fields: v.outcomeFields()}}
	}
	return p, nil
}

func (v *visit) everyText(d *attest.Duty) string {
	if d.Every == 0 {
		return v.t("attest.once")
	}
	return v.t("attest.every.days", "Count", d.Every)
}

func (v *visit) outcomeFields() []ui.Field {
	result := ui.Field{Name: "result", Label: v.t("attest.result"), Type: "radio", Value: nonEmpty(v.form("result"), string(attest.Passed))}
	for _, r := range attest.Results() {
		result.Options = append(result.Options, ui.Option{Value: string(r), Title: v.t("attest.result." + string(r)), Help: v.t("attest.result." + string(r) + ".text")})
	}
	today := civil.Today(v.Now(), v.org().Location()).String()
	return []ui.Field{result,
		{Name: "done", Label: v.t("attest.done"), Type: "date", Value: nonEmpty(v.form("done"), today), Size: "short"},
		{Name: "note", Label: v.t("attest.note"), Help: v.t("attest.note.help"), Type: "textarea", Rows: 3, Value: v.form("note"), Optional: true},
		{Name: "next", Label: v.t("attest.next"), Help: v.t("attest.next.help"), Type: "date", Value: v.form("next"), Optional: true, Size: "short"},
	}
}

func dutyOf(v *visit) error {
	p, err := v.dutyPage()
	if err != nil {
		return err
	}
	return v.render("attestation", p)
}

func signDuty(v *visit) error {
	err := v.signDuty()
	if err == nil {
		return v.to(attestHome+"/"+v.r.PathValue("duty"), v.good("attest.is_signed"))
	}
	p, pageErr := v.dutyPage()
	if pageErr != nil {
		return pageErr
	}
	return v.again("attestation", p, err)
}

func (v *visit) signDuty() error {
	o := attest.Outcome{Result: attest.Result(v.form("result")), Note: v.form("note")}
	var err, doneErr error
	if o.Next, err = v.lastMoment("next"); err != nil {
		return err
	}
	if text := strings.TrimSpace(v.form("done")); text != "" {
		var day civil.Day
		if day, doneErr = civil.Parse(text); doneErr != nil {
			return fault.Field("done", "%s", fault.Sentence(doneErr))
		}
		o.Done = day.Start(v.org().Location())
	}
	_, err = v.Attested.Sign(v.ctx(), v.actor, v.r.PathValue("duty"), o)
	return err
}

func dropDuty(v *visit) error {
	if err := v.Attested.Drop(v.ctx(), v.actor, v.r.PathValue("duty")); err != nil {
		return err
	}
	return v.to(attestHome, v.good("attest.dropped"))
}

// dutyStatement hands out the newest statement with its proof.
func dutyStatement(v *visit) error {
	d, err := v.Attested.Get(v.ctx(), v.org().ID, v.r.PathValue("duty"))
	if err != nil {
		return err
	}
	statement, err := d.Statement()
	if err != nil {
		return err
	}
	return v.sendFile("attestation.json", "application/json", io.NopCloser(bytes.NewReader(statement)))
}

// materialsPage lists what the program is made of.
type materialsPage struct {
	ui.Frame
	Facts []ui.Fact
	Table ui.Table
	File  string
}

func materials(v *visit) error {
	b, err := v.Bill()
	if err != nil {
		return err
	}
	p := &materialsPage{Frame: v.trustFrame(v.t("attest.materials")), File: attestHome + "/materials.json"}
	p.Crumbs = []ui.Link{{Title: v.t("attest.title"), Href: attestHome}}
	p.Lead = v.words.Rich("attest.materials.lead", "Count", len(b.Parts))
	p.Facts = []ui.Fact{{Title: v.t("attest.version"), Cell: ui.Cell{Text: b.Version}}, {Title: v.t("attest.go"), Cell: ui.Cell{Text: b.Go}}}
	if b.Revision != "" {
		p.Facts = append(p.Facts, ui.Fact{Title: v.t("attest.revision"), Cell: ui.Cell{Text: b.Revision}})
	}
	p.Table = ui.Table{Title: v.t("attest.parts"), Columns: []ui.Column{{Title: v.t("attest.part")}, {Title: v.t("attest.version")}}}
	for _, part := range b.Parts {
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{{Text: part.Path, Strong: true}, {Text: part.Version}}})
	}
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("attest.parts.none"), Text: v.t("attest.parts.none.text")}
	return v.render("materials", p)
}

func materialsFile(v *visit) error {
	b, err := v.Bill()
	if err != nil {
		return err
	}
	text, err := b.CycloneDX()
	if err != nil {
		return err
	}
	return v.sendFile("materials.json", "application/json", io.NopCloser(bytes.NewReader(text)))
}
