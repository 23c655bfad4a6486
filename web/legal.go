package web

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	persons "parley/calls/person"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/incident"
	"parley/trust/subject"
	"parley/web/ui"
)

const legalHome = "/trust/legal"

// legalRoutes keep the requests of authorities, and the handing over of the business.
func (s *site) legalRoutes() []route {
	return []route{
		{"GET /trust/legal", account.ReadPrivacy, legal},
		{"GET /trust/legal/new", account.ManagePrivacy, legalForm},
		{"POST /trust/legal/new", account.ManagePrivacy, addLegal},
		{"GET /trust/legal/{request}", account.ReadPrivacy, legalOf},
		{"POST /trust/legal/{request}/decide", account.ManagePrivacy, decideLegal},
		{"POST /trust/legal/{request}/disclose", account.ManagePrivacy, discloseLegal},
		{"POST /trust/legal/{request}/told", account.ManagePrivacy, toldLegal},
		{"GET /trust/transfers/new", account.ManageOrg, transferForm},
		{"POST /trust/transfers/new", account.ManageOrg, announceTransfer},
		{"POST /trust/transfers/{transfer}/withdraw", account.ManageOrg, withdrawTransfer},
		{"GET /trust/transfers/{transfer}/object", account.ManagePrivacy, objectForm},
		{"POST /trust/transfers/{transfer}/object", account.ManagePrivacy, objectTransfer},
	}
}

// legalPage lists what authorities asked for, and transfers.
type legalPage struct {
	ui.Frame
	Acts      []ui.Action
	Table     ui.Table
	Transfers ui.Table
}

func legal(v *visit) error {
	all, err := v.Incidents.LegalRequests(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	p := &legalPage{Frame: v.trustFrame(v.t("legal.title"))}
	if v.keeps() {
		p.Acts = []ui.Action{{Title: v.t("legal.new"), Href: legalHome + "/new", Icon: "plus", Primary: true}}
	}
	if v.actor.Can(account.ManageOrg) {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("transfer.new"), Href: "/trust/transfers/new"})
	}
	p.Table = ui.Table{Title: v.t("legal.title"), Columns: []ui.Column{{Title: v.t("legal.authority")}, {Title: v.t("legal.state")}, {Title: v.t("legal.approvals"), Numeric: true}, {Title: v.t("legal.due")}, {Title: v.t("legal.received")}}}
	open := 0
	for _, q := range all {
		if q.State == incident.LegalOpen {
			open++
		}
		due := ui.Cell{Text: "–"}
		if !q.Due.IsZero() {
			due.Text = v.words.Date(civil.DayOf(q.Due.Add(-1), v.org().Location()))
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Muted: q.State == incident.LegalClosed || q.State == incident.LegalRefused, Cells: []ui.Cell{
			{Text: q.Authority, Sub: q.Law, Href: legalHome + "/" + q.ID, Strong: true}, v.legalState(q), {Text: v.words.Number(int64(q.Approvals()))}, due, {Time: q.Received}}})
	}
	p.Lead = v.words.Rich("legal.lead", "Count", open)
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("legal.none"), Text: v.t("legal.none.text")}
	if p.Transfers, err = v.transfersTable(); err != nil {
		return err
	}
	return v.render("legal", p)
}

func (v *visit) legalState(q *incident.LegalRequest) ui.Cell {
	if q.NoticeDue(v.Now()) {
		return ui.Cell{Tag: &ui.Tag{Text: v.t("legal.state.tell"), Kind: ui.Bad}}
	}
	kind := ui.Off
	switch q.State {
	case incident.LegalOpen:
		kind = ui.Warn
	case incident.LegalDisclosed:
		kind = ui.Info
	}
	return ui.Cell{Tag: &ui.Tag{Text: v.t("legal.state." + string(q.State)), Kind: kind}}
}

func (v *visit) legalForm() (*form, error) {
	_ = v.form("") // reads the form
	p := &form{Frame: v.trustFrame(v.t("legal.new")), Submit: v.t("legal.add")}
	p.Crumbs = []ui.Link{{Title: v.t("legal.title"), Href: legalHome}}
	p.Lead = v.words.Rich("legal.new.lead")
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	member := ui.Field{Name: "member", Label: v.t("hold.member"), Type: "select", Size: "medium", Value: v.form("member"), Optional: true, Options: []ui.Option{{Title: v.t("hold.member.none")}}}
	for _, m := range members {
		member.Options = append(member.Options, ui.Option{Value: string(m.ID), Title: m.Name})
	}
	day := func(name, label, help string, optional bool) ui.Field {
		f := ui.Field{Name: name, Label: v.t(label), Type: "date", Size: "short", Value: v.form(name), Optional: optional}
		if help != "" {
			f.Help = v.t(help)
		}
		return f
	}
	p.Sections = []section{
		{Fields: []ui.Field{
			{Name: "authority", Label: v.t("legal.authority"), Value: v.form("authority"), Complete: "off"},
			{Name: "law", Label: v.t("legal.law"), Help: v.t("legal.law.help"), Value: v.form("law"), Complete: "off"},
			{Name: "reference", Label: v.t("legal.reference"), Value: v.form("reference"), Optional: true, Size: "medium", Complete: "off"},
			{Name: "asked", Label: v.t("legal.asked"), Type: "textarea", Rows: 3, Value: v.form("asked"), Optional: true},
			{Name: "received", Label: v.t("legal.received"), Type: "datetime-local", Size: "medium", Value: nonEmpty(v.form("received"), localTime(v, v.Now()))},
			day("due", "legal.due", "", true),
		}},
		{Title: v.t("legal.scope"), Text: v.t("legal.scope.text"), Fields: []ui.Field{
			{Name: "persons", Label: v.t("hold.numbers"), Help: v.t("hold.numbers.help"), Type: "textarea", Rows: 3, Value: v.form("persons"), Optional: true}, member,
			v.categoriesField(doc, "categories", v.r.PostForm["categories"]), day("from", "range.from", "", true), day("to", "range.to", "", true),
		}},
		{Title: v.t("legal.silence"), Text: v.t("legal.silence.text"), Fields: []ui.Field{
			{Name: "bar", Label: v.t("legal.bar"), Help: v.t("legal.bar.help"), Value: v.form("bar"), Optional: true, Complete: "off"}, day("bar_until", "legal.bar_until", "", true),
		}},
	}
	return p, nil
}

func legalForm(v *visit) error {
	p, err := v.legalForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func (v *visit) legalFacts() (f incident.LegalFacts, err error) {
	_ = v.form("") // reads the form
	f = incident.LegalFacts{Authority: v.form("authority"), Law: v.form("law"), Reference: v.form("reference"), Asked: v.form("asked"), BarReason: v.form("bar"), Barred: v.form("bar") != ""}
	if f.Received, err = v.moment("received"); err != nil {
		return f, err
	}
	for name, to := range map[string]*time.Time{"due": &f.Due, "to": &f.Scope.To, "bar_until": &f.BarredUntil} {
		if *to, err = v.lastMoment(name); err != nil {
			return f, err
		}
	}
	if v.form("from") != "" {
		d, err := civil.Parse(v.form("from"))
		if err != nil {
			return f, fault.Field("from", "%s", fault.Sentence(err))
		}
		f.Scope.From = d.Start(v.org().Location())
	}
	f.Scope.Categories = v.r.PostForm["categories"]
	f.Scope.Persons, err = v.personsOfForm()
	return f, err
}

// personsOfForm reads the numbers and the member that a form names.
func (v *visit) personsOfForm() ([]subject.Ref, error) {
	out, err := persons.Enter(v.ctx(), v.DB, v.Book, v.org(), "persons", filled(strings.Split(v.form("persons"), "\n")))
	if err != nil {
		return nil, err
	}
	if m := v.form("member"); m != "" {
		if _, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(m)); err != nil {
			return nil, fault.Field("member", "There is no such member. Choose one of the list.")
		}
		out = append(out, subject.OfMember(m))
	}
	return out, nil
}

func addLegal(v *visit) error {
	f, err := v.legalFacts()
	var q *incident.LegalRequest
	if err == nil {
		q, err = v.Incidents.AddLegal(v.ctx(), v.actor, f)
	}
	if err == nil {
		return v.to(legalHome+"/"+q.ID, v.good("legal.added"))
	}
	p, formErr := v.legalForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}

// legalRequestPage is one file.
type legalRequestPage struct {
	ui.Frame
	Facts     []ui.Fact
	Decisions ui.Table
	Decide    *form
	Disclose  *ui.Action
	Told      *ui.Action
}

func (p *legalRequestPage) mark() {
	if p.Decide != nil {
		p.Decide.Errors = p.Errors
		p.Decide.mark()
	}
}

func legalOf(v *visit) error {
	p, err := v.legalRequestPage()
	if err != nil {
		return err
	}
	return v.render("legal-request", p)
}

func (v *visit) legalRequestPage() (*legalRequestPage, error) {
	q, err := v.Incidents.Legal(v.ctx(), v.actor, v.r.PathValue("request"))
	if err != nil {
		return nil, err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return nil, err
	}
	p := &legalRequestPage{Frame: v.trustFrame(q.Authority)}
	p.Crumbs = []ui.Link{{Title: v.t("legal.title"), Href: legalHome}}
	p.Lead = v.words.Rich("legal.lead."+string(q.State), "Count", q.Approvals())
	if p.Facts, err = v.legalFactsOf(q, names); err != nil {
		return nil, err
	}
	p.Decisions = ui.Table{Title: v.t("legal.decisions"), Columns: []ui.Column{{Title: v.t("step.by")}, {Title: v.t("legal.decision")}, {Title: v.t("legal.why")}, {Title: v.t("step.at")}}}
	mine := false
	for _, d := range q.Decisions {
		mine = mine || d.By == v.actor.Member.ID
		tag := &ui.Tag{Text: v.t("legal.approves"), Kind: ui.Good}
		if !d.Approves {
			tag.Text, tag.Kind = v.t("legal.refuses"), ui.Bad
		}
		p.Decisions.Rows = append(p.Decisions.Rows, ui.Row{Cells: []ui.Cell{{Text: nonEmpty(names[d.By], "–"), Strong: true}, {Tag: tag}, {Text: d.Why}, {Time: d.At}}})
	}
	p.Decisions.Empty = &ui.Empty{Icon: "shield", Title: v.t("legal.decisions.none"), Text: v.t("legal.decisions.none.text")}
	path := legalHome + "/" + q.ID
	if !v.keeps() {
		return p, nil
	}
	if q.State == incident.LegalOpen && !mine {
		p.Decide = &form{Action: path + "/decide", Submit: v.t("legal.sign"), Sections: []section{{Fields: []ui.Field{
			{Name: "decision", Label: v.t("legal.decision"), Type: "radio", Value: v.form("decision"), Options: []ui.Option{{Value: "approve", Title: v.t("legal.approve"), Help: v.t("legal.approve.text")}, {Value: "refuse", Title: v.t("legal.refuse"), Help: v.t("legal.refuse.text")}}},
			{Name: "why", Label: v.t("legal.why"), Help: v.t("legal.why.help"), Type: "textarea", Rows: 3, Value: v.form("why")},
		}}}}
	}
	if q.Approvals() > 1 && (q.State == incident.LegalOpen || q.State == incident.LegalDisclosed) {
		p.Disclose = &ui.Action{Title: v.t("legal.disclose"), Post: true, Primary: q.State == incident.LegalOpen, Icon: "download", Href: path + "/disclose"}
	}
	if q.NoticeDue(v.Now()) {
		p.Told = &ui.Action{Title: v.t("legal.told"), Post: true, Href: path + "/told"}
	}
	return p, nil
}

func (v *visit) legalFactsOf(q *incident.LegalRequest, names map[account.MemberID]string) ([]ui.Fact, error) {
	var out []ui.Fact
	fact := func(key, text string) {
		if text != "" {
			out = append(out, ui.Fact{Title: v.t(key), Cell: ui.Cell{Text: text}})
		}
	}
	day := func(t time.Time, last bool) string {
		if t.IsZero() {
			return ""
		}
		if last {
			t = t.Add(-1)
		}
		return v.words.Date(civil.DayOf(t, v.org().Location()))
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	var categories []string
	for _, key := range q.Scope.Categories {
		categories = append(categories, v.category(doc, key))
	}
	who, err := v.namesOf(q.Scope.Persons, names)
	out = append(out, ui.Fact{Title: v.t("legal.state"), Cell: v.legalState(q)})
	fact("legal.law", q.Law)
	fact("legal.reference", q.Reference)
	fact("legal.asked", q.Asked)
	fact("hold.persons", strings.Join(who, ", "))
	fact("hold.categories", strings.Join(categories, ", "))
	fact("range.from", day(q.Scope.From, false))
	fact("range.to", day(q.Scope.To, true))
	fact("legal.received", v.words.DateTime(q.Received))
	fact("legal.due", day(q.Due, true))
	fact("legal.bar", q.BarReason)
	fact("legal.bar_until", day(q.BarredUntil, true))
	if q.SHA256 != "" {
		fact("legal.package", q.SHA256)
		fact("legal.disclosed_by", nonEmpty(names[q.DisclosedBy], "–"))
	}
	if !q.ToldAt.IsZero() {
		fact("legal.told_at", v.words.DateTime(q.ToldAt))
	}
	return out, err
}

// namesOf writes persons as people know them: numbers, and names of members.
func (v *visit) namesOf(refs []subject.Ref, names map[account.MemberID]string) ([]string, error) {
	var ids []number.ID
	for _, r := range refs {
		if n := r.Num(); n > 0 {
			ids = append(ids, number.ID(n))
		}
	}
	texts, err := v.Book.Show(v.ctx(), v.DB, v.org().ID, ids)
	var out []string
	for _, r := range refs {
		if n := r.Num(); n > 0 {
			out = append(out, nonEmpty(phone.Display(texts[number.ID(n)], v.org().Country), v.t("person.nameless", "N", strconv.FormatInt(n, 10))))
		} else {
			out = append(out, nonEmpty(names[account.MemberID(r.ID)], r.ID))
		}
	}
	return out, err
}

func decideLegal(v *visit) error {
	var err error
	switch v.form("decision") {
	case "approve", "refuse":
		_, err = v.Incidents.Decide(v.ctx(), v.actor, v.r.PathValue("request"), v.form("decision") == "approve", v.form("why"))
	default:
		err = fault.Field("decision", "Choose whether you approve or refuse.")
	}
	return v.legalDone(err, "legal.decided")
}

func toldLegal(v *visit) error {
	_, err := v.Incidents.Told(v.ctx(), v.actor, v.r.PathValue("request"))
	return v.legalDone(err, "legal.told.flash")
}

func (v *visit) legalDone(err error, done string) error {
	if err == nil {
		return v.to(legalHome+"/"+v.r.PathValue("request"), v.good(done))
	}
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.Conflict {
		return err
	}
	p, pageErr := v.legalRequestPage()
	if pageErr != nil {
		return pageErr
	}
	return v.again("legal-request", p, err)
}

// discloseLegal gives the package as a file, once it is whole and stands in the audit log.
func discloseLegal(v *visit) error {
	var b bytes.Buffer
	if _, err := v.Incidents.Disclose(v.ctx(), v.actor, v.r.PathValue("request"), &b); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+v.r.PathValue("request")+`.zip"`)
	h.Set("Cache-Control", "no-store")
	if _, err := b.WriteTo(v.w); err != nil {
		v.Log.Debug("package not delivered", "err", err)
	}
	return nil
}

func (v *visit) transfersTable() (ui.Table, error) {
	t := ui.Table{Title: v.t("transfer.title"), Columns: []ui.Column{{Title: v.t("transfer.successor")}, {Title: v.t("transfer.state")}, {Title: v.t("transfer.until")}, {Title: v.t("transfer.objections"), Numeric: true}, {Title: v.t("table.actions"), Acts: true}}}
	t.Empty = &ui.Empty{Icon: "shield", Title: v.t("transfer.none"), Text: v.t("transfer.none.text")}
	all, err := v.Incidents.Transfers(v.ctx(), v.actor)
	for _, x := range all {
		row := ui.Row{Muted: x.State != incident.Announced, Cells: []ui.Cell{{Text: x.Successor, Sub: x.Reason, Strong: true}, {Tag: &ui.Tag{Text: v.t("transfer.state." + string(x.State))}},
			{Text: v.words.Date(civil.DayOf(x.Until.Add(-1), v.org().Location()))}, {Text: v.words.Number(int64(len(x.Objections)))}, {}}}
		if x.State == incident.Announced && v.keeps() {
			row.Cells[4].Acts = []ui.Action{{Title: v.t("transfer.object"), Href: "/trust/transfers/" + x.ID + "/object"}}
			if v.actor.Can(account.ManageOrg) {
				row.Cells[4].Acts = append(row.Cells[4].Acts, ui.Action{Title: v.t("transfer.withdraw"), Post: true, Href: "/trust/transfers/" + x.ID + "/withdraw", Confirm: v.t("transfer.withdraw.title"), ConfirmText: v.t("transfer.withdraw.text")})
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, err
}

func (v *visit) transferForm() *form {
	p := &form{Frame: v.trustFrame(v.t("transfer.new")), Submit: v.t("transfer.announce")}
	p.Crumbs = []ui.Link{{Title: v.t("legal.title"), Href: legalHome}}
	p.Lead = v.words.Rich("transfer.lead")
	p.Sections = []section{{Fields: []ui.Field{
		{Name: "successor", Label: v.t("transfer.successor"), Value: v.form("successor"), Complete: "off"},
		{Name: "reason", Label: v.t("transfer.reason"), Type: "textarea", Rows: 3, Value: v.form("reason"), Optional: true},
		{Name: "contact", Label: v.t("transfer.contact"), Help: v.t("transfer.contact.help"), Value: v.form("contact"), Complete: "off"},
		{Name: "until", Label: v.t("transfer.until"), Help: v.t("transfer.until.help"), Type: "date", Size: "short", Value: v.form("until")},
	}}}
	return p
}

func transferForm(v *visit) error { return v.render("form", v.transferForm()) }

func announceTransfer(v *visit) error {
	until, err := v.lastMoment("until")
	if err == nil {
		_, err = v.Incidents.Announce(v.ctx(), v.actor, incident.Transfer{Successor: v.form("successor"), Reason: v.form("reason"), Contact: v.form("contact"), Until: until})
	}
	if err != nil {
		return v.again("form", v.transferForm(), err)
	}
	return v.to(legalHome, v.good("transfer.announced"))
}

func withdrawTransfer(v *visit) error {
	if _, err := v.Incidents.Withdraw(v.ctx(), v.actor, v.r.PathValue("transfer")); err != nil {
		return err
	}
	return v.to(legalHome, v.good("transfer.withdrawn"))
}

func (v *visit) objectForm() (*form, error) {
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	p := &form{Frame: v.trustFrame(v.t("transfer.object")), Submit: v.t("transfer.object")}
	p.Crumbs = []ui.Link{{Title: v.t("legal.title"), Href: legalHome}}
	p.Lead = v.words.Rich("transfer.object.lead")
	member := ui.Field{Name: "member", Label: v.t("hold.member"), Type: "select", Size: "medium", Value: v.form("member"), Optional: true, Options: []ui.Option{{Title: v.t("hold.member.none")}}}
	for _, m := range members {
		member.Options = append(member.Options, ui.Option{Value: string(m.ID), Title: m.Name})
	}
	p.Sections = []section{{Fields: []ui.Field{{Name: "persons", Label: v.t("hold.numbers"), Help: v.t("hold.numbers.help"), Type: "textarea", Rows: 3, Value: v.form("persons"), Optional: true}, member}}}
	return p, err
}

func objectForm(v *visit) error {
	p, err := v.objectForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func objectTransfer(v *visit) error {
	who, err := v.personsOfForm()
	if err == nil && len(who) == 0 {
		err = fault.Field("persons", "Say who objects: a number or a member.")
	}
	for _, w := range who {
		if err == nil {
			err = v.Incidents.Object(v.ctx(), v.actor, v.r.PathValue("transfer"), w)
		}
	}
	if err == nil {
		return v.to(legalHome, v.good("transfer.objected"))
	}
	p, formErr := v.objectForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}
