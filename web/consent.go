package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/consent"
	"parley/web/ui"
)

// consentRoutes show staff what a person agreed to, and let them enter what a person said on the phone or on paper. A
// person is named in addresses by their sealed preference link, never by number.
func (s *site) consentRoutes() []route {
	return []route{
		{"GET /trust/consent", account.ReadPrivacy, consentForm},
		{"POST /trust/consent", account.ReadPrivacy, findConsent},
		{"GET /trust/consent/{link}", account.ReadPrivacy, consentOf},
		{"POST /trust/consent/{link}", account.ManagePrivacy, recordConsent},
		{"POST /trust/consent/{link}/stop", account.ManagePrivacy, blockPerson},
		{"POST /trust/consent/{link}/minor", account.ManagePrivacy, markMinor},
		{"GET /trust/consent/{link}/export", account.ReadPrivacy, exportConsent},
	}
}

func (v *visit) consentForm(person string) *form {
	p := &form{Frame: v.trustFrame(v.t("consent.title")), Submit: v.t("consent.find")}
	p.Lead = v.words.Rich("consent.lead")
	p.Sections = []section{{Fields: []ui.Field{{Name: "person", Label: v.t("consent.person"), Help: v.t("consent.person.help"), Value: person, Size: "medium", Complete: "off", Focus: true}}}}
	return p
}

func consentForm(v *visit) error { return v.render("form", v.consentForm("")) }

func findConsent(v *visit) error {
	who, err := consent.ParseWho(v.form("person"), v.org().Country)
	if err != nil {
		return v.again("form", v.consentForm(v.form("person")), err)
	}
	link, err := v.Consents.Link(v.ctx(), v.org().ID, who)
	if err != nil {
		return err
	}
	return v.to("/trust/consent/" + link)
}

// consentPage is what one person said, what follows from it, and the form that enters more.
type consentPage struct {
	form
	Choices ui.Table
	Ledger  ui.Table
	Link    string
	Stop    *ui.Action // nil for whoever may only look, as the form is empty then
	Age     *ui.Action
	Export  string
}

// onesConsent opens the link of the address; one of another organisation does not exist here.
func (v *visit) onesConsent() (consent.Who, error) {
	org, who, err := v.Consents.OpenLink(v.ctx(), v.r.PathValue("link"))
	if err == nil && org.ID != v.org().ID {
		err = fault.New(fault.NotFound, "There is nobody behind this address. Look the person up again.")
	}
	return who, err
}

func (v *visit) consentPage(who consent.Who) (*consentPage, error) {
	path := "/trust/consent/" + v.r.PathValue("link")
	p := &consentPage{Link: v.base(v.r) + "/preferences/" + v.r.PathValue("link"), Export: path + "/export"}
	p.form = form{Frame: v.trustFrame(nonEmpty(phone.Display(who.Number, v.org().Country), who.Email)), Action: path, Submit: v.t("consent.enter")}
	p.Crumbs = []ui.Link{{Title: v.t("consent.title"), Href: "/trust/consent"}}
	purposes, err := v.Consents.Purposes(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	p.Stop = v.forKeepers(ui.Action{Title: v.t("consent.stop"), Post: true, Danger: true, Icon: "block", Href: path + "/stop", Confirm: v.t("consent.stop.title"), ConfirmText: v.t("consent.stop.text")})
	age, err := v.ageAction(who, path)
	if err != nil {
		return nil, err
	}
	p.Age = v.forKeepers(age)
	if err := v.fillChoices(p, who, purposes); err != nil {
		return nil, err
	}
	if err := v.fillLedger(p, who, purposes); err != nil {
		return nil, err
	}
	if v.keeps() {
		p.Sections = v.consentSections(purposes)
	}
	return p, nil
}

// fillChoices answers for each purpose and channel whether the person may be contacted now, and why not.
func (v *visit) fillChoices(p *consentPage, who consent.Who, purposes []consent.Purpose) error {
	p.Choices = ui.Table{Title: v.t("consent.now"), Columns: []ui.Column{{Title: v.t("consent.purpose")}, {Title: v.t("consent.channel")}, {Title: v.t("consent.answer")}}}
	choices, err := v.Consents.Preferences(v.ctx(), v.org().ID, who)
	if err != nil {
		return err
	}
	may := 0
	for _, c := range choices {
		d, err := v.Consents.MayContact(v.ctx(), v.org().ID, who, c.Purpose, c.Channel, v.Now())
		if err != nil {
			return err
		}
		answer := ui.Cell{Tag: &ui.Tag{Text: v.t("consent.allowed"), Kind: ui.Good, Icon: "check"}}
		if !d.Allowed {
			answer = ui.Cell{Tag: &ui.Tag{Text: v.t("consent.why." + d.Reason), Kind: ui.Bad, Icon: "block"}}
		} else {
			may++
		}
		p.Choices.Rows = append(p.Choices.Rows, ui.Row{Cells: []ui.Cell{{Text: v.purpose(purposes[v.at(purposes, c.Purpose)]), Strong: true}, {Text: v.channelName(c.Channel)}, answer}})
	}
	p.Lead = v.words.Rich("consent.answer.lead", "Count", may, "All", len(choices))
	p.Choices.Empty = &ui.Empty{Icon: "shield", Title: v.t("consent.no_purposes"), Text: v.t("consent.no_purposes.text")}
	return nil
}

// channelName is a channel in a table; what has none shows a dash.
func (v *visit) channelName(c consent.Channel) string {
	if c == consent.None {
		return "–"
	}
	return v.channel(c)
}

func (v *visit) at(purposes []consent.Purpose, key string) int {
	return slices.IndexFunc(purposes, func(p consent.Purpose) bool { return p.Key == key })
}

func (v *visit) fillLedger(p *consentPage, who consent.Who, purposes []consent.Purpose) error {
	p.Ledger = ui.Table{Title: v.t("consent.ledger"), Note: v.t("consent.ledger.note"), Columns: []ui.Column{{Title: v.t("consent.what")}, {Title: v.t("consent.purpose")}, {Title: v.t("consent.channel")}, {Title: v.t("consent.how")}, {Title: v.t("consent.by")}, {Title: v.t("consent.at")}}}
	p.Ledger.Empty = &ui.Empty{Icon: "shield", Title: v.t("consent.ledger.none"), Text: v.t("consent.ledger.none.text")}
	entries, err := v.Consents.Ledger(v.ctx(), v.DB, v.org().ID, who)
	if err != nil {
		return err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return err
	}
	names[""], names[audit.Operator] = v.t("consent.themself"), names[""]
	kinds := map[consent.State]ui.Kind{consent.Given: ui.Good, consent.Withdrawn: ui.Bad, consent.Objected: ui.Bad, consent.Noticed: ui.Info}
	for _, e := range slices.Backward(entries) {
		title := e.Purpose
		if i := v.at(purposes, e.Purpose); i >= 0 {
			title = v.purpose(purposes[i])
		}
		what := ui.Cell{Tag: &ui.Tag{Text: v.t("consent.state." + string(e.State)), Kind: kinds[e.State]}}
		if !e.Expires.IsZero() {
			what.Sub = v.t("consent.until", "Day", v.words.Date(civil.DayOf(e.Expires.Add(-time.Second), v.org().Location())))
		}
		p.Ledger.Rows = append(p.Ledger.Rows, ui.Row{ID: e.ID, Cells: []ui.Cell{what, {Text: title, Sub: e.Recipient}, {Text: v.channelName(e.Channel)},
			{Text: v.t("consent.how." + string(e.How)), Sub: e.Evidence}, {Text: names[e.By]}, {Time: e.At}}})
	}
	return nil
}

// consentSections ask what a person said, what it was about and how they said it. Giving and taking back is one form.
func (v *visit) consentSections(purposes []consent.Purpose) []section {
	_ = v.form("") // reads the form
	what := ui.Field{Name: "state", Label: v.t("consent.said"), Type: "radio", Value: nonEmpty(v.form("state"), "given"), Options: []ui.Option{
		{Value: "given", Title: v.t("consent.said.given")}, {Value: "withdrawn", Title: v.t("consent.said.withdrawn")}}}
	purpose := ui.Field{Name: "purpose", Label: v.t("consent.purpose"), Type: "select", Size: "medium", Value: v.form("purpose")}
	for _, p := range purposes {
		purpose.Options = append(purpose.Options, ui.Option{Value: p.Key, Title: v.purpose(p)})
	}
	channels := ui.Field{Name: "channels", Label: v.t("consent.channel"), Help: v.t("consent.channel.help"), Type: "checks", Row: true, Values: v.r.PostForm["channels"]}
	for _, c := range consent.Channels() {
		channels.Options = append(channels.Options, ui.Option{Value: string(c), Title: v.channel(c)})
	}
	how := ui.Field{Name: "how", Label: v.t("consent.how"), Type: "select", Size: "medium", Value: nonEmpty(v.form("how"), "spoken")}
	for _, h := range consent.Acts() {
		how.Options = append(how.Options, ui.Option{Value: string(h), Title: v.t("consent.how." + string(h))})
	}
	language := ui.Field{Name: "language", Label: v.t("consent.language"), Size: "short", Value: nonEmpty(v.form("language"), v.words.Lang()), Complete: "off"}
	return []section{{Fields: []ui.Field{
		what, purpose, channels, how,
		{Name: "wording", Label: v.t("consent.wording"), Help: v.t("consent.wording.help"), Type: "textarea", Rows: 3, Value: v.form("wording"), Optional: true}, language,
		{Name: "evidence", Label: v.t("consent.evidence"), Help: v.t("consent.evidence.help"), Value: v.form("evidence"), Optional: true, Complete: "off"},
		{Name: "expires", Label: v.t("consent.expires"), Help: v.t("consent.expires.help"), Type: "date", Value: v.form("expires"), Optional: true, Size: "short"},
	}}}
}

func consentOf(v *visit) error {
	who, err := v.onesConsent()
	if err != nil {
		return err
	}
	p, err := v.consentPage(who)
	if err != nil {
		return err
	}
	return v.render("consent", p)
}

func recordConsent(v *visit) error {
	who, err := v.onesConsent()
	if err != nil {
		return err
	}
	err = v.recordConsent(who)
	if err == nil {
		return v.to("/trust/consent/"+v.r.PathValue("link"), v.good("consent.entered"))
	}
	p, pageErr := v.consentPage(who)
	if pageErr != nil {
		return pageErr
	}
	return v.again("consent", p, err)
}

func (v *visit) recordConsent(who consent.Who) error {
	in := consent.Change{Who: who, Purposes: []string{v.form("purpose")}, State: consent.State(v.form("state")), How: consent.How(v.form("how")),
		Evidence: v.form("evidence"), By: v.actor.Member.ID}
	if in.State != consent.Given && in.State != consent.Withdrawn {
		return fault.Field("state", "%q is not something a person can say here. Choose one of the two.", v.form("state"))
	}
	for _, c := range v.r.PostForm["channels"] {
		in.Channels = append(in.Channels, consent.Channel(c))
	}
	if in.State == consent.Given {
		in.Wording = consent.Wording{Language: v.form("language"), Text: v.form("wording")}
	}
	var err error
	if in.Expires, err = v.lastMoment("expires"); err != nil {
		return err
	}
	return v.Consents.Record(v.ctx(), v.org().ID, in)
}

// blockPerson puts somebody on the suppression list because they said so.
func blockPerson(v *visit) error {
	who, err := v.onesConsent()
	if err != nil {
		return err
	}
	if err := v.Consents.Stop(v.ctx(), v.org().ID, who, consent.None, consent.BySpoken, v.actor.Member.ID); err != nil {
		return err
	}
	return v.to("/trust/consent/"+v.r.PathValue("link"), v.good("consent.stopped"))
}

// ageAction marks a person as under age, or takes the mark back.
func (v *visit) ageAction(who consent.Who, path string) (ui.Action, error) {
	under, err := v.Consents.Minor(v.ctx(), v.DB, v.org().ID, who)
	a := ui.Action{Title: v.t("consent.minor.set"), Post: true, Icon: "shield", Href: path + "/minor?under_age=yes", Confirm: v.t("consent.minor.set"), ConfirmText: v.t("consent.minor.text")}
	if under {
		a = ui.Action{Title: v.t("consent.minor.unset"), Post: true, Icon: "shield", Href: path + "/minor?under_age=no", Confirm: v.t("consent.minor.unset"), ConfirmText: v.t("consent.minor.unset.text")}
	}
	return a, err
}

func markMinor(v *visit) error {
	who, err := v.onesConsent()
	if err != nil {
		return err
	}
	under := v.r.URL.Query().Get("under_age") == "yes"
	if err := v.Consents.SetMinor(v.ctx(), v.org().ID, who, under, "staff", v.actor.Member.ID); err != nil {
		return err
	}
	notice := "consent.minor.unmarked"
	if under {
		notice = "consent.minor.marked"
	}
	return v.to("/trust/consent/"+v.r.PathValue("link"), v.good(notice))
}

// exportConsent hands out everything a person said, with the proof of each entry.
func exportConsent(v *visit) error {
	who, err := v.onesConsent()
	if err != nil {
		return err
	}
	x, err := v.Consents.Export(v.ctx(), v.org(), who)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="consents.json"`)
	h.Set("Cache-Control", "private, no-store")
	v.w.WriteHeader(http.StatusOK)
	if _, err := v.w.Write(append(text, '\n')); err != nil && !strings.Contains(err.Error(), "broken pipe") {
		v.Log.Debug("export not delivered", "err", err)
	}
	return nil
}
