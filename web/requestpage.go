package web

import (
	"strings"

	"parley/account"
	"parley/trust/rights"
	"parley/web/ui"
)

// requestPage is one request, its plan, and what can be done now.
type requestPage struct {
	ui.Frame
	Facts      []ui.Fact
	Asked      string
	Code       *ui.Note // the code to read out, once
	Speak      *ui.Action
	Review     *form // nil when the person is known
	Notes      []ui.Note
	Plan       *ui.Table // nil before there is one
	Changes    *ui.Table
	Propose    *form
	Acts       []ui.Action
	Wait       string // why it is not carried out yet
	Answer     *form
	Package    *ui.Link
	Receipt    *ui.Link
	Recipients []recipientRow
	Lift       *form
	Extend     *form
	Refuse     *form
	Note       *form
	History    ui.Table
}

// recipientRow is a recipient, with the two answers that can be noted.
type recipientRow struct {
	Name, Told, Answer string
	Acts               []ui.Action
}

func (p *requestPage) mark() {
	for _, f := range []*form{p.Review, p.Propose, p.Answer, p.Lift, p.Extend, p.Refuse, p.Note} {
		if f != nil {
			f.Errors = p.Errors
			f.mark()
		}
	}
}

func requestOf(v *visit) error {
	p, err := v.requestPage()
	if err != nil {
		return err
	}
	return v.render("request", p)
}

// requestDeed does something to a request, and shows it again.
func (v *visit) requestDeed(do func(v *visit, id string) (*rights.Request, error)) error {
	id := v.r.PathValue("request")
	before, err := v.Rights.One(v.ctx(), v.actor, id)
	if err != nil {
		return err
	}
	q, err := do(v, id)
	if err == nil {
		said := v.good("request.done.saved")
		if before.State == rights.Approved {
			said = v.good("request.done.run", "State", v.t("request.state."+string(q.State)))
		}
		return v.to(requestsHome+"/"+id, said)
	}
	p, pageErr := v.requestPage()
	if pageErr != nil {
		return pageErr
	}
	return v.again("request", p, err)
}

func speakCode(v *visit) error {
	id := v.r.PathValue("request")
	code, err := v.Rights.SpeakCode(v.ctx(), v.actor, id)
	p, pageErr := v.requestPage()
	if pageErr != nil {
		return pageErr
	}
	if err != nil {
		return v.again("request", p, err)
	}
	q, err := v.Rights.One(v.ctx(), v.actor, id)
	if err != nil {
		return err
	}
	v.w.Header().Set("Cache-Control", "no-store")
	p.Code = &ui.Note{Kind: ui.Info, Title: v.t("request.speak.is", "Contact", v.phone(q.Contact.Number), "Code", code[:3]+" "+code[3:]), Text: v.t("request.speak.text")}
	return v.render("request", p)
}

func (v *visit) requestPage() (*requestPage, error) {
	q, err := v.Rights.One(v.ctx(), v.actor, v.r.PathValue("request"))
	if err != nil {
		return nil, err
	}
	p := &requestPage{Frame: v.trustFrame(v.t("request.kind." + string(q.Kind))), Asked: q.Text}
	p.Crumbs = []ui.Link{{Title: v.t("request.title"), Href: requestsHome}}
	v.requestFacts(p, q)
	for _, part := range []func(*requestPage, *rights.Request) error{v.requestIdentity, v.requestPlan, v.requestCorrection, v.requestActs, v.requestOutcome, v.requestHistory} {
		if err := part(p, q); err != nil {
			return nil, err
		}
	}
	path := requestsHome + "/" + q.ID
	p.Note = oneField(path+"/note", v.t("request.note.add"), ui.Field{Name: "note", Label: v.t("request.note"), Type: "textarea", Rows: 2, Value: v.form("note")})
	return p, nil
}

// oneField is a small form.
func oneField(action, submit string, fields ...ui.Field) *form {
	return &form{Action: action, Submit: submit, Sections: []section{{Fields: fields}}}
}

func (v *visit) requestFacts(p *requestPage, q *rights.Request) {
	fact := func(key string, c ui.Cell) { p.Facts = append(p.Facts, ui.Fact{Title: v.t(key), Cell: c}) }
	fact("request.state", ui.Cell{Tag: v.requestTag(q)})
	if q.State == rights.Refused {
		p.Facts[0].Cell.Sub = v.t("request.reason." + string(q.Reason))
	}
	fact("request.from", v.requester(q))
	fact("request.proof", ui.Cell{Text: v.t("request.proof." + nonEmpty(string(q.Proof), "none"))})
	fact("request.channel", ui.Cell{Text: v.t("request.channel." + string(q.Channel))})
	if q.Minor {
		p.Facts[len(p.Facts)-1].Cell.Sub = v.t("request.minor")
	}
	fact("request.received", ui.Cell{Text: v.day(q.Received)})
	due := ui.Cell{Text: v.dayBefore(q.Due), Sub: v.clockName(q.Law)}
	if q.Overdue(v.Now()) {
		due.Tag = &ui.Tag{Text: v.t("request.late"), Kind: ui.Bad, Icon: "clock"}
	}
	fact("request.due.short", due)
	fact("request.number", ui.Cell{Text: q.ID})
}

// clockName is whose clock runs.
func (v *visit) clockName(law string) string {
	if law == "policy" || law == "strictest" {
		return v.t("request.law." + law)
	}
	return law
}

// requestIdentity asks for the proof of who asks.
func (v *visit) requestIdentity(p *requestPage, q *rights.Request) error {
	if q.State != rights.Received && q.State != rights.Verifying || q.Contact.IsZero() {
		return nil
	}
	path := requestsHome + "/" + q.ID
	if q.Contact.Number != "" {
		p.Speak = &ui.Action{Title: v.t("request.speak"), Href: path + "/speak", Post: true, Primary: true, Icon: "call"}
	}
	p.Review = oneField(path+"/review", v.t("request.review.submit"), ui.Field{Name: "evidence", Label: v.t("request.review.evidence"), Help: v.t("request.review.help"), Type: "textarea", Rows: 2, Value: v.form("evidence")})
	return nil
}

// requestPlan shows what there is, and what stands in the way.
func (v *visit) requestPlan(p *requestPage, q *rights.Request) error {
	if q.Plan == nil {
		return nil
	}
	doc, err := v.Policies.Current(v.ctx(), q.Org)
	if err != nil {
		return err
	}
	title := func(category string) string {
		if c := doc.Category(category); c != nil {
			return c.Title.In(v.words.Lang(), doc.Languages)
		}
		return category
	}
	p.Plan = &ui.Table{Title: v.t("request.plan"), Columns: []ui.Column{{Title: v.t("request.plan.item")}, {Title: v.t("request.plan.store")}, {Title: v.t("request.plan.category")}, {Title: v.t("request.plan.count"), Numeric: true}},
		Empty: &ui.Empty{Icon: "shield", Title: v.t("request.plan.none")}}
	for _, l := range q.Plan.Lines {
		p.Plan.Rows = append(p.Plan.Rows, ui.Row{Cells: []ui.Cell{{Text: l.Name}, {Text: l.Store}, {Text: title(l.Category)}, {Text: v.words.Number(l.Count)}}})
	}
	for _, l := range q.Plan.Locks {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Warn, Title: v.t("request.plan.locks"), Text: v.t("request.plan.lock", "Category", title(l.Category), "Day", v.day(l.Until), "Law", l.Law)})
	}
	for _, h := range q.Plan.Holds {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Bad, Title: v.t("request.plan.holds"), Text: v.t("request.plan.hold", "Category", title(h.Category), "Hold", h.Hold),
			Action: &ui.Action{Title: v.t("hold.title"), Href: "/trust/holds/" + h.Hold}})
	}
	if len(q.Plan.Others) > 0 {
		p.Notes = append(p.Notes, ui.Note{Kind: ui.Info, Text: v.t("request.plan.others", "Requests", strings.Join(q.Plan.Others, ", "))})
	}
	return nil
}

// requestCorrection offers the values that can be corrected.
func (v *visit) requestCorrection(p *requestPage, q *rights.Request) error {
	if q.Kind != rights.Correction {
		return nil
	}
	changes, err := v.Rights.Changes(v.ctx(), q.Org, q.ID)
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		p.Changes = &ui.Table{Title: v.t("request.plan.changes"), Columns: []ui.Column{{Title: v.t("request.changes.field")}, {Title: v.t("request.changes.old")}, {Title: v.t("request.changes.new")}}}
		for _, c := range changes {
			p.Changes.Rows = append(p.Changes.Rows, ui.Row{Cells: []ui.Cell{{Text: v.t("request.field." + c.Field)}, {Text: c.Old}, {Text: c.New}}})
		}
	}
	if q.State != rights.Planned && q.State != rights.Verified {
		return nil
	}
	now, err := v.Rights.Correctable(v.ctx(), v.actor, q.ID)
	if err != nil || len(now) == 0 {
		return err
	}
	field := ui.Field{Name: "field", Label: v.t("request.changes.field"), Type: "radio", Value: v.form("field")}
	for key, value := range now {
		field.Options = append(field.Options, ui.Option{Value: key, Title: v.t("request.field." + key), Help: v.t("request.propose.now", "Value", value)})
		field.Value = nonEmpty(field.Value, key)
	}
	p.Propose = oneField(requestsHome+"/"+q.ID+"/propose", v.t("request.propose.submit"), field, ui.Field{Name: "value", Label: v.t("request.propose.value"), Value: v.form("value"), Size: "medium"})
	return nil
}

// requestActs are the next steps.
func (v *visit) requestActs(p *requestPage, q *rights.Request) error {
	path := requestsHome + "/" + q.ID
	switch {
	case q.Kind == rights.Complaint && q.Open():
		p.Answer = oneField(path+"/answer", v.t("request.answer.submit"), ui.Field{Name: "text", Label: v.t("request.answer.text"), Type: "textarea", Value: v.form("text")})
	case q.State == rights.Planned && q.Kind == rights.Correction && q.Known() && p.Changes == nil: // the new value comes first
	case q.State == rights.Planned:
		p.Acts = append(p.Acts, ui.Action{Title: v.t("request.approve"), Href: path + "/approve", Post: true, Primary: true, Fields: []ui.Param{{Name: "plan", Value: q.Plan.Hash()}},
			Confirm: v.t("request.approve.confirm"), ConfirmText: v.t("request.approve.text")}, v.planAgain(path))
	case q.State == rights.Verified:
		p.Acts = append(p.Acts, v.planAgain(path))
	case q.State == rights.Approved && q.RunAfter.After(v.Now()):
		p.Wait = v.t("request.after", "Day", v.words.DateTime(q.RunAfter))
	case q.State == rights.Approved, q.State == rights.Running:
		run := ui.Action{Title: v.t("request.run"), Href: path + "/run", Post: true, Primary: true, Confirm: v.t("request.run.confirm"), ConfirmText: v.t("request.run.give")}
		if q.Kind == rights.Erasure {
			run.Primary, run.Danger, run.ConfirmText = false, true, v.t("request.run.erase")
		}
		p.Acts = append(p.Acts, run)
		if q.State == rights.Approved {
			p.Acts = append(p.Acts, v.planAgain(path))
		}
	}
	if !q.Extend.IsZero() && q.Extended.IsZero() && q.Open() && v.Now().Before(q.Due) {
		p.Extend = oneField(path+"/extend", v.t("request.extend.submit"), ui.Field{Name: "why", Label: v.t("request.extend.why"), Help: v.t("request.extend.text", "Day", v.dayBefore(q.Extend), "Due", v.dayBefore(q.Due)), Value: v.form("why")})
	}
	if rights.CanRefuse(q) {
		p.Refuse = v.refuseForm(path)
	}
	return nil
}

func (v *visit) planAgain(path string) ui.Action {
	return ui.Action{Title: v.t("request.plan.again"), Href: path + "/plan", Post: true}
}

func (v *visit) refuseForm(path string) *form {
	reason := ui.Field{Name: "reason", Label: v.t("request.refuse.reason"), Type: "select", Size: "medium", Value: v.form("reason")}
	for _, r := range rights.Reasons() {
		if r != rights.Undone {
			reason.Options = append(reason.Options, ui.Option{Value: string(r), Title: v.t("request.reason." + string(r))})
		}
	}
	f := oneField(path+"/refuse", v.t("request.refuse.submit"), reason, ui.Field{Name: "sentence", Label: v.t("request.refuse.sentence"), Type: "textarea", Rows: 2, Value: v.form("sentence")})
	f.Danger = true
	return f
}

// requestOutcome shows what came of it.
func (v *visit) requestOutcome(p *requestPage, q *rights.Request) error {
	path := requestsHome + "/" + q.ID
	until, _, err := v.Rights.Ready(v.ctx(), q.Org, q.ID)
	if err != nil {
		return err
	}
	if !until.IsZero() {
		p.Package = &ui.Link{Title: v.t("request.package.get"), Href: path + "/package"}
	}
	receipts, err := v.Rights.Receipts(v.ctx(), q.Org, q.ID)
	if err != nil {
		return err
	}
	if len(receipts) > 0 {
		p.Receipt = &ui.Link{Title: v.t("request.receipt.get"), Href: path + "/receipt"}
	}
	stands, err := v.Rights.Stands(v.ctx(), q)
	if err != nil {
		return err
	}
	if stands {
		p.Lift = oneField(path+"/lift", v.t("request.lift"), ui.Field{Name: "why", Label: v.t("request.lift.why"), Help: v.t("request.lift.text"), Value: v.form("why")})
	}
	return v.requestRecipients(p, q)
}

func (v *visit) requestRecipients(p *requestPage, q *rights.Request) error {
	all, err := v.Rights.Recipients(v.ctx(), q.Org, q.ID)
	for _, o := range all {
		row := recipientRow{Name: o.Recipient, Told: v.t("request.recipient.not"), Answer: v.t("request.recipient." + nonEmpty(string(o.Answer), "none"))}
		if !o.Told.IsZero() {
			row.Told = v.words.DateTime(o.Told)
		}
		if o.Answer == rights.NoAnswer {
			for _, a := range []rights.Answer{rights.DidIt, rights.Declined} {
				row.Acts = append(row.Acts, ui.Action{Title: v.t("request.recipient." + string(a)), Href: requestsHome + "/" + q.ID + "/hear", Post: true,
					Fields: []ui.Param{{Name: "recipient", Value: o.Recipient}, {Name: "answer", Value: string(a)}}})
			}
		}
		p.Recipients = append(p.Recipients, row)
	}
	return err
}

func (v *visit) requestHistory(p *requestPage, q *rights.Request) error {
	history, err := v.Rights.History(v.ctx(), q.Org, q.ID)
	if err != nil {
		return err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return err
	}
	names["system"], names["public"], names["operator"] = v.t("request.who.system"), v.t("request.who.public"), names[""]
	p.History = ui.Table{Title: v.t("request.history"), Columns: []ui.Column{{Title: v.t("request.history.when")}, {Title: v.t("request.history.what")}, {Title: v.t("request.history.who")}}}
	for _, e := range history {
		who := names[account.MemberID(e.Actor)]
		p.History.Rows = append(p.History.Rows, ui.Row{Cells: []ui.Cell{{Text: v.words.DateTime(e.At)}, {Text: v.t("request.event." + string(e.What)), Sub: e.Note}, {Text: nonEmpty(who, e.Actor)}}})
	}
	return nil
}

func requestPackage(v *visit) error {
	from, q, err := v.Rights.FetchFor(v.ctx(), v.actor, v.r.PathValue("request"))
	if err != nil {
		return err
	}
	return v.sendFile(rights.PackageName(q.ID), "application/zip", from)
}

func requestReceipt(v *visit) error {
	q, err := v.Rights.One(v.ctx(), v.actor, v.r.PathValue("request"))
	if err != nil {
		return err
	}
	return v.sendReceipt(q.Org, q.ID)
}
