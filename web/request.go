package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/consent"
	"parley/trust/rights"
	"parley/web/region"
	"parley/web/ui"
)

// requestRoutes let anybody ask about their data, without an account. They set no cookie.
func (s *site) requestRoutes() []route {
	return []route{
		{"GET /privacy/{org}/request", Public, askPage},
		{"POST /privacy/{org}/request", Public, ask},
		{"GET /privacy/{org}/request/{secret}", Public, askedPage},
		{"POST /privacy/{org}/request/{secret}/code", Public, confirmAsker},
		{"POST /privacy/{org}/request/{secret}/send", Public, sendAskerCode},
		{"POST /privacy/{org}/request/{secret}/package", Public, fetchAsked},
		{"GET /privacy/{org}/request/{secret}/receipt", Public, askedReceipt},
	}
}

// asking is the organisation that somebody asks, with the address of its request page.
func (v *visit) asking() (*account.Org, string, error) {
	org, err := v.Policies.Find(v.ctx(), v.r.PathValue("org"))
	return org, "/privacy/" + v.r.PathValue("org") + "/request", err
}

// askChoice is one kind of request to choose.
type askChoice struct{ Title, Text, Href string }

// choicesPage is the first step: what would you like?
type choicesPage struct {
	ui.Frame
	Choices []askChoice
	Policy  ui.Link
}

func (v *visit) askFrame(org *account.Org, title string) ui.Frame {
	f := v.bare(title)
	f.Org, f.Wide = &ui.Org{Name: org.Name}, true
	return f
}

// askPage shows the kinds of requests and, once one was chosen, its form.
func askPage(v *visit) error {
	org, path, err := v.asking()
	if err != nil {
		return err
	}
	if kind, err := rights.ParseKind(v.query("kind")); err == nil {
		return v.renderAskForm(org, path, kind, nil)
	}
	p := &choicesPage{Frame: v.askFrame(org, v.t("request.ask.title", "Organisation", org.Name)), Policy: ui.Link{Title: v.t("request.ask.policy"), Href: strings.TrimSuffix(path, "/request")}}
	p.Lead = v.words.Rich("request.ask.lead")
	for _, k := range rights.Kinds() {
		p.Choices = append(p.Choices, askChoice{v.t("request.kind." + string(k)), v.t("request.kind." + string(k) + ".text"), path + "?kind=" + string(k)})
	}
	return v.render("request-choices", p)
}

// renderAskForm shows the form of one kind, with what was wrong with it.
func (v *visit) renderAskForm(org *account.Org, path string, kind rights.Kind, wrong error) error {
	p := &form{Frame: v.askFrame(org, v.t("request.kind."+string(kind))), Action: path, Submit: v.t("request.submit"), Hidden: []ui.Param{{Name: "kind", Value: string(kind)}}}
	p.Crumbs = []ui.Link{{Title: v.t("request.ask.title", "Organisation", org.Name), Href: path}}
	p.Lead = v.words.Rich("request.form.lead")
	if kind == rights.Complaint {
		p.Lead = v.words.Rich("request.form.lead.complaint")
	}
	doc, err := v.Policies.Current(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	contact := ui.Field{Name: "contact", Label: v.t("request.contact"), Help: v.t("request.contact.help"), Value: v.form("contact"), Complete: "email", Size: "medium", Focus: true}
	text := ui.Field{Name: "text", Label: v.t("request.text"), Type: "textarea", Value: v.form("text"), Optional: true}
	switch kind {
	case rights.Complaint:
		contact.Help, contact.Optional = v.t("request.contact.complaint"), true
		text.Label, text.Optional = v.t("request.text.complaint"), false
	case rights.Correction:
		text.Label, text.Optional = v.t("request.text.correction"), false
	}
	fields := []ui.Field{contact, {Name: "name", Label: v.t("request.name"), Value: v.form("name"), Complete: "name", Optional: true, Size: "medium"}}
	if kind == rights.Objection || kind == rights.Withdrawal {
		of := ui.Field{Name: "purposes", Label: v.t("request.purposes"), Help: v.t("request.purposes.help"), Type: "checks", Values: v.r.PostForm["purposes"], Optional: true}
		if kind == rights.Withdrawal {
			of.Label = v.t("request.purposes.withdraw")
		}
		for _, key := range rights.Objectable(doc) {
			of.Options = append(of.Options, ui.Option{Value: key, Title: purposeTitle(doc, key, v.words.Lang())})
		}
		fields = append(fields, of)
	}
	fields = append(fields, text, v.placeField())
	if kind == rights.Erasure {
		fields = append(fields, ui.Field{Name: "minor", Label: v.t("request.minor"), Help: v.t("request.minor.help"), Type: "check", Checked: v.checked("minor"), Optional: true})
	}
	p.Sections = []section{{Text: v.t("request.kind." + string(kind) + ".text"), Fields: fields}}
	if wrong != nil {
		return v.again("form", p, wrong)
	}
	return v.render("form", p)
}

// placeField asks where a person lives, for the law that counts.
func (v *visit) placeField() ui.Field {
	f := ui.Field{Name: "place", Label: v.t("request.place"), Help: v.t("request.place.help"), Type: "select", Size: "medium", Value: v.form("place"), Optional: true, Options: []ui.Option{{Title: v.t("request.place.none")}}}
	for _, c := range region.Countries(v.words.Lang()) {
		f.Options = append(f.Options, ui.Option{Value: c.Code, Title: c.Name})
	}
	return f
}

func ask(v *visit) error {
	org, path, err := v.asking()
	if err != nil {
		return err
	}
	kind, err := rights.ParseKind(v.form("kind"))
	if err != nil {
		return v.to(path)
	}
	secret, _, err := v.Rights.Submit(v.ctx(), org, rights.Ask{Kind: kind, Contact: v.form("contact"), Name: v.form("name"), Text: v.form("text"), Place: v.form("place"),
		Locale: v.words.Lang(), Purposes: v.r.PostForm["purposes"], Minor: v.checked("minor") && kind == rights.Erasure}, network(v.r).String())
	if err != nil {
		return v.renderAskForm(org, path, kind, err)
	}
	return v.to(path + "/" + secret)
}

// askedStatus is the page of one request, behind its secret link.
type askedStatus struct {
	ui.Frame
	Note     *ui.Note
	Said     string // how it stands, in a sentence
	Facts    []ui.Fact
	Code     *form      // nil when no code is awaited
	CodeBy   string     // how the code comes
	Again    *ui.Action // sends a new code
	Package  *form      // nil when there is nothing to fetch
	Until    string     // when the package ends
	Answer   string     // to a complaint, or why it was refused
	Receipt  string     // address, "" without one
	Complain *ui.Action
	Keep     bool
}

// asked finds the request of a secret link. Links that were not made here are counted against whoever tries them.
func (v *visit) asked() (*account.Org, *rights.Request, string, error) {
	org, path, err := v.asking()
	if err != nil {
		return nil, nil, "", err
	}
	if err := v.guessed.check(v.r, v.Now()); err != nil {
		return nil, nil, "", err
	}
	secret := v.r.PathValue("secret")
	q, err := v.Rights.Follow(v.ctx(), org.ID, secret)
	if fault.KindOf(err) == fault.NotFound {
		v.guessed.miss(v.r)
	}
	v.w.Header().Set("Referrer-Policy", "no-referrer") // the address is the key
	v.w.Header().Set("Cache-Control", "no-store")
	return org, q, path + "/" + secret, err
}

func askedPage(v *visit) error { return v.renderAsked(nil) }

func (v *visit) renderAsked(wrong error) error {
	org, q, path, err := v.asked()
	if err != nil {
		return err
	}
	v.words = v.words.In(org.Location())
	p := &askedStatus{Frame: v.askFrame(org, v.t("request.status.title", "What", v.t("request.kind."+string(q.Kind)))), Keep: q.Open()}
	if q.Kind == rights.Complaint {
		p.Title = v.t("request.status.title.complaint")
	}
	p.Said = v.said(q)
	v.askedFacts(p, q)
	v.askedCode(p, q, path)
	if err := v.askedResult(p, org, q, path); err != nil {
		return err
	}
	if v.query("done") == "sent" {
		p.Note = &ui.Note{Kind: ui.Good, Text: v.t("request.code.sent")}
	}
	if !q.Open() && q.Kind != rights.Complaint {
		p.Complain = &ui.Action{Title: v.t("request.complain.go"), Href: strings.TrimSuffix(path, "/"+v.r.PathValue("secret")) + "?kind=complaint"}
	}
	if wrong != nil {
		return v.again("request-asked", p, wrong)
	}
	return v.render("request-asked", p)
}

// mark writes what is wrong with the code beside its field.
func (p *askedStatus) mark() {
	for _, f := range []*form{p.Code, p.Package} {
		if f != nil {
			f.Errors = p.Errors
			f.mark()
		}
	}
}

// said is how a request stands, in a sentence for the person.
func (v *visit) said(q *rights.Request) string {
	key := "request.said." + string(q.State)
	switch {
	case q.State == rights.Done && !q.Known() && (q.Kind.Gives() || q.Kind == rights.Erasure || q.Kind == rights.Correction):
		key += ".empty"
	case q.State == rights.Done && q.Kind == rights.Complaint:
		key += ".complaint"
	case q.State == rights.Refused:
		return v.t(key, "Reason", v.t("request.reason."+string(q.Reason)))
	case q.State == rights.Locked:
		return v.t(key, "Day", v.dayBefore(q.RunAfter))
	}
	return v.t(key)
}

// dayBefore writes the day that ends at a moment.
func (v *visit) dayBefore(end time.Time) string {
	return v.words.LongDate(civil.DayOf(end.Add(-time.Second), v.words.Zone()))
}

func (v *visit) day(at time.Time) string { return v.words.LongDate(civil.DayOf(at, v.words.Zone())) }

func (v *visit) askedFacts(p *askedStatus, q *rights.Request) {
	fact := func(key, text string) { p.Facts = append(p.Facts, ui.Fact{Title: v.t(key), Cell: ui.Cell{Text: text}}) }
	fact("request.state", v.requestState(q))
	fact("request.received", v.day(q.Received))
	if q.Open() && q.State != rights.Locked {
		fact("request.due", v.dayBefore(q.Due))
		if !q.Extended.IsZero() {
			p.Facts[len(p.Facts)-1].Cell.Sub = v.t("request.extended")
		}
	}
	fact("request.number", q.ID)
}

// askedCode shows how a code comes, and where to type it.
func (v *visit) askedCode(p *askedStatus, q *rights.Request, path string) {
	if q.State != rights.Received && q.State != rights.Verifying || q.Contact.IsZero() {
		return
	}
	p.Code = &form{Action: path + "/code", Submit: v.t("request.code.submit"), Sections: []section{{Fields: []ui.Field{v.codeField()}}}}
	masked := maskedName(consent.Who{Number: q.Contact.Number, Email: q.Contact.Email})
	if q.Contact.Email == "" {
		p.CodeBy = v.t("request.code.phone", "Contact", masked)
		return
	}
	p.CodeBy = v.t("request.code.mail", "Contact", masked)
	p.Again = &ui.Action{Title: v.t("request.code.again"), Href: path + "/send", Post: true}
}

func (v *visit) codeField() ui.Field {
	return ui.Field{Name: "code", Label: v.t("request.code"), Size: "short", Mode: "numeric", Complete: "one-time-code"}
}

// askedResult shows what came of a request: the package, the receipt, the answer in words.
func (v *visit) askedResult(p *askedStatus, org *account.Org, q *rights.Request, path string) error {
	until, _, err := v.Rights.Ready(v.ctx(), org.ID, q.ID)
	if err != nil {
		return err
	}
	if !until.IsZero() && q.State == rights.Done && q.Channel != rights.Member {
		p.Until = v.t("request.package.text", "Day", v.day(until))
		p.Package = &form{Action: path + "/package", Submit: v.t("request.package.fetch"), Sections: []section{{Fields: []ui.Field{v.codeField()}}}}
		if q.Contact.Email != "" {
			p.Again = &ui.Action{Title: v.t("request.package.send"), Href: path + "/send", Post: true}
		}
	}
	receipts, err := v.Rights.Receipts(v.ctx(), org.ID, q.ID)
	if err != nil {
		return err
	}
	if len(receipts) > 0 {
		p.Receipt = path + "/receipt"
	}
	if q.State != rights.Refused && q.Kind != rights.Complaint {
		return nil
	}
	history, err := v.Rights.History(v.ctx(), org.ID, q.ID)
	for _, e := range history {
		if e.What == rights.Turned || e.What == rights.Ended {
			p.Answer = e.Note
		}
	}
	return err
}

func confirmAsker(v *visit) error {
	org, _, path, err := v.asked()
	if err != nil {
		return err
	}
	if _, err := v.Rights.Confirm(v.ctx(), org.ID, v.r.PathValue("secret"), v.form("code")); err != nil {
		return v.renderAsked(err)
	}
	return v.to(path)
}

func sendAskerCode(v *visit) error {
	org, _, path, err := v.asked()
	if err != nil {
		return err
	}
	if _, err := v.Rights.SendCode(v.ctx(), org.ID, v.r.PathValue("secret")); err != nil {
		return v.renderAsked(err)
	}
	return v.to(path + "?done=sent")
}

func fetchAsked(v *visit) error {
	org, _, _, err := v.asked()
	if err != nil {
		return err
	}
	from, q, err := v.Rights.Fetch(v.ctx(), org.ID, v.r.PathValue("secret"), v.form("code"))
	if err != nil {
		return v.renderAsked(err)
	}
	return v.sendFile(rights.PackageName(q.ID), "application/zip", from)
}

func askedReceipt(v *visit) error {
	org, q, _, err := v.asked()
	if err != nil {
		return err
	}
	return v.sendReceipt(org.ID, q.ID)
}

func (v *visit) sendReceipt(org account.OrgID, request string) error {
	all, err := v.Rights.Receipts(v.ctx(), org, request)
	if err == nil && len(all) == 0 {
		err = fault.New(fault.NotFound, "There is no receipt yet. It is made when the request was answered.")
	}
	if err != nil {
		return err
	}
	return v.sendFile(rights.ReceiptName(request), "application/json", io.NopCloser(bytes.NewReader(all[len(all)-1])))
}

// sendFile hands out a file to be saved, and closes it.
func (v *visit) sendFile(name, kind string, from io.ReadCloser) error {
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, err := io.Copy(v.w, from)
	if err = errors.Join(err, from.Close()); err != nil { // too late for a page
		v.Log.Error("file not sent whole", "err", err)
	}
	return nil
}
