package web

import (
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/rights"
	"parley/web/ui"
)

const requestsHome = "/trust/requests"

// requestsRoutes are the queue of people's requests, for those who answer them.
func (s *site) requestsRoutes() []route {
	deed := func(do func(v *visit, id string) (*rights.Request, error)) func(*visit) error {
		return func(v *visit) error { return v.requestDeed(do) }
	}
	return []route{
		{"GET " + requestsHome, account.AnswerRequests, requests},
		{"GET " + requestsHome + "/new", account.AnswerRequests, requestForm},
		{"POST " + requestsHome + "/new", account.AnswerRequests, enterRequest},
		{"GET " + requestsHome + "/{request}", account.AnswerRequests, requestOf},
		{"GET " + requestsHome + "/{request}/package", account.AnswerRequests, requestPackage},
		{"GET " + requestsHome + "/{request}/receipt", account.AnswerRequests, requestReceipt},
		{"POST " + requestsHome + "/{request}/speak", account.AnswerRequests, speakCode},
		{"POST " + requestsHome + "/{request}/review", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Review(v.ctx(), v.actor, id, v.form("evidence"))
		})},
		{"POST " + requestsHome + "/{request}/plan", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.MakePlan(v.ctx(), v.actor, id)
		})},
		{"POST " + requestsHome + "/{request}/propose", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Propose(v.ctx(), v.actor, id, v.form("field"), v.form("value"))
		})},
		{"POST " + requestsHome + "/{request}/approve", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Approve(v.ctx(), v.actor, id, v.form("plan"))
		})},
		{"POST " + requestsHome + "/{request}/run", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Run(v.ctx(), v.actor, id)
		})},
		{"POST " + requestsHome + "/{request}/refuse", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Refuse(v.ctx(), v.actor, id, rights.Reason(v.form("reason")), v.form("sentence"))
		})},
		{"POST " + requestsHome + "/{request}/extend", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Extend(v.ctx(), v.actor, id, v.form("why"))
		})},
		{"POST " + requestsHome + "/{request}/note", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Note(v.ctx(), v.actor, id, v.form("note"))
		})},
		{"POST " + requestsHome + "/{request}/answer", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Answer(v.ctx(), v.actor, id, v.form("text"))
		})},
		{"POST " + requestsHome + "/{request}/hear", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Hear(v.ctx(), v.actor, id, v.form("recipient"), rights.Answer(v.form("answer")))
		})},
		{"POST " + requestsHome + "/{request}/lift", account.AnswerRequests, deed(func(v *visit, id string) (*rights.Request, error) {
			return v.Rights.Lift(v.ctx(), v.actor, id, v.form("why"))
		})},
	}
}

// requestsPage is the queue.
type requestsPage struct {
	ui.Frame
	Add   ui.Action
	Table ui.Table
	Other ui.Link // to the other half of the queue
}

func requests(v *visit) error {
	closed := v.query("show") == "closed"
	all, err := v.Rights.List(v.ctx(), v.actor, rights.Queue{Closed: closed})
	if err != nil {
		return err
	}
	name, err := v.Policies.Name(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p := &requestsPage{Frame: v.trustFrame(v.t("request.title")), Add: ui.Action{Title: v.t("request.new"), Href: requestsHome + "/new", Icon: "plus", Primary: true}, Other: v.otherQueue(closed)}
	p.Table = ui.Table{Title: v.t("request.open"), Columns: []ui.Column{{Title: v.t("request.what")}, {Title: v.t("request.from")}, {Title: v.t("request.state")}, {Title: v.t("request.channel")}, {Title: v.t("request.due.short")}}}
	late := 0
	for _, q := range all {
		p.Table.Rows = append(p.Table.Rows, v.requestRow(q))
		if q.Overdue(v.Now()) {
			late++
		}
	}
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("request.none"), Text: v.t("request.none.text", "Link", v.base(v.r)+"/privacy/"+name+"/request")}
	switch {
	case closed:
		p.Table.Title, p.Table.Empty.Title = v.t("request.closed"), v.t("request.none.closed")
		p.Table.Columns[4].Title = v.t("request.closed")
	case late > 0:
		p.Lead = v.words.Rich("request.lead.late", "Count", late)
	default:
		p.Lead = v.words.Rich("request.lead", "Count", len(all))
	}
	return v.render("requests", p)
}

func (v *visit) otherQueue(closed bool) ui.Link {
	if closed {
		return ui.Link{Title: v.t("request.open"), Href: requestsHome}
	}
	return ui.Link{Title: v.t("request.closed"), Href: requestsHome + "?show=closed"}
}

func (v *visit) requestRow(q *rights.Request) ui.Row {
	due := ui.Cell{Text: v.words.Date(civil.DayOf(q.Due.Add(-time.Second), v.org().Location()))}
	if !q.Open() {
		due = ui.Cell{Text: v.words.Date(civil.DayOf(q.Closed, v.org().Location()))}
	}
	if q.Overdue(v.Now()) {
		due.Tag = &ui.Tag{Text: v.t("request.late"), Kind: ui.Bad, Icon: "clock"}
	}
	return ui.Row{Muted: !q.Open(), Cells: []ui.Cell{{Text: v.t("request.kind." + string(q.Kind)), Href: requestsHome + "/" + q.ID, Strong: true},
		v.requester(q), {Tag: v.requestTag(q)}, {Text: v.t("request.channel." + string(q.Channel))}, due}}
}

// requester is who asks, as they wrote it.
func (v *visit) requester(q *rights.Request) ui.Cell {
	from := ui.Cell{Text: q.Contact.Name, Sub: q.Contact.Email}
	if q.Contact.Number != "" {
		from.Sub = v.phone(q.Contact.Number)
	}
	if from.Text == "" {
		from.Text, from.Sub = from.Sub, ""
	}
	if from.Text == "" {
		return ui.Cell{Text: v.t("request.from.forgotten"), Muted: true}
	}
	return from
}

// requestState says where a request stands. Who complains need not prove who they are, so theirs only waits.
func (v *visit) requestState(q *rights.Request) string {
	if q.Kind == rights.Complaint && q.State == rights.Verified {
		return v.t("request.state.verified.complaint")
	}
	return v.t("request.state." + string(q.State))
}

func (v *visit) requestTag(q *rights.Request) *ui.Tag {
	t := &ui.Tag{Text: v.requestState(q)}
	switch q.State {
	case rights.Planned, rights.Verified:
		t.Kind, t.Icon = ui.Warn, "clock"
	case rights.Done:
		t.Kind, t.Icon = ui.Good, "check"
	case rights.Refused:
		t.Kind = ui.Off
	case rights.Approved, rights.Running, rights.Waiting, rights.Locked:
		t.Kind = ui.Info
	}
	return t
}

// requestForm enters what came by letter, mail or phone.
func (v *visit) requestForm() (*form, error) {
	_ = v.form("") // reads the form
	p := &form{Frame: v.trustFrame(v.t("request.new")), Submit: v.t("request.new.add")}
	p.Crumbs = []ui.Link{{Title: v.t("request.title"), Href: requestsHome}}
	p.Lead = v.words.Rich("request.new.lead")
	doc, err := v.Policies.Current(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	kind := ui.Field{Name: "kind", Label: v.t("request.what"), Type: "radio", Value: v.form("kind")}
	for _, k := range rights.Kinds() {
		kind.Options = append(kind.Options, ui.Option{Value: string(k), Title: v.t("request.kind." + string(k))})
	}
	channel := ui.Field{Name: "channel", Label: v.t("request.channel"), Type: "radio", Row: true, Value: nonEmpty(v.form("channel"), string(rights.Phone))}
	for _, c := range []rights.Channel{rights.Phone, rights.Mail} {
		channel.Options = append(channel.Options, ui.Option{Value: string(c), Title: v.t("request.channel." + string(c))})
	}
	purposes := ui.Field{Name: "purposes", Label: v.t("request.purposes.other"), Help: v.t("request.purposes.help"), Type: "checks", Values: v.r.PostForm["purposes"], Optional: true}
	for _, key := range rights.Objectable(doc) {
		purposes.Options = append(purposes.Options, ui.Option{Value: key, Title: purposeTitle(doc, key, v.words.Lang())})
	}
	place := v.placeField()
	place.Label, place.Help, place.Options[0].Title = v.t("request.place.other"), v.t("request.place.other.help"), v.t("request.place.unknown")
	p.Sections = []section{{Fields: []ui.Field{kind, channel,
		{Name: "contact", Label: v.t("request.about.contact"), Value: v.form("contact"), Size: "medium", Complete: "off"},
		{Name: "name", Label: v.t("request.name.other"), Value: v.form("name"), Optional: true, Size: "medium", Complete: "off"},
		{Name: "text", Label: v.t("request.asked.other"), Type: "textarea", Value: v.form("text"), Optional: true},
		{Name: "received", Label: v.t("request.received.day"), Help: v.t("request.received.help"), Type: "date", Value: v.form("received"), Size: "short", Optional: true},
		place, purposes,
		{Name: "minor", Label: v.t("request.minor"), Type: "check", Checked: v.checked("minor"), Optional: true}}}}
	return p, nil
}

func purposeTitle(doc *policy.Document, key, lang string) string {
	if p := doc.Purpose(key); p != nil {
		return p.Title.In(lang, doc.Languages)
	}
	return key
}

func requestForm(v *visit) error {
	p, err := v.requestForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func enterRequest(v *visit) error {
	q, err := v.enterRequest()
	if err == nil {
		return v.to(requestsHome+"/"+q.ID, v.good("request.done.entered"))
	}
	p, formErr := v.requestForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}

func (v *visit) enterRequest() (*rights.Request, error) {
	_ = v.form("") // reads the form
	a := rights.Ask{Kind: rights.Kind(v.form("kind")), Channel: rights.Channel(v.form("channel")), Contact: v.form("contact"), Name: v.form("name"), Text: v.form("text"),
		Place: v.form("place"), Locale: v.org().Locale, Purposes: v.r.PostForm["purposes"], Minor: v.checked("minor")}
	if text := v.form("received"); text != "" {
		day, err := civil.Parse(text)
		if err != nil {
			return nil, fault.Field("received", "%s", fault.Sentence(err))
		}
		a.Received = day.Start(v.org().Location())
	}
	return v.Rights.Take(v.ctx(), v.actor, a)
}
