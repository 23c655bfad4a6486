package web

import (
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/phone"
	"parley/web/ui"
)

// leadPageStruct is one lead: where it stands, whom it is about, and what can be done.
type leadPageStruct struct {
	ui.Frame
	Acts    []ui.Action
	Warns   []ui.Note
	Steps   []leadStep
	StepTo  string // address of a move
	Rev     int64
	Facts   []ui.Fact
	Person  []ui.Fact
	PersonH ui.Link
	Close   *leadClose
	Give    *leadGive
	Planned *followUpList
	Files   *fileList
	History ui.Table
	Log     *ui.Table // who got it by the rules, and why
	Danger  []ui.Action
}

// leadStep is a stage of the lead's pipeline, as a button that moves it there.
type leadStep struct {
	Key, Title string
	Done       bool // a stage before
	Now        bool
	May        bool
}

// leadClose asks how a lead ended.
type leadClose struct {
	Action  string
	Reasons []ui.Option
}

// leadGive asks who goes on with a lead.
type leadGive struct {
	Action string
	Owner  ui.Field
}

func leadPage(v *visit) error {
	d, l, err := v.theLead()
	if err != nil {
		return err
	}
	found, err := v.Contacts.Load(v.ctx(), v.DB, v.org().ID, l.Contact)
	if err != nil {
		return err
	}
	c := found[l.Contact]
	p := &leadPageStruct{Frame: v.frame(v.who(lead.Row{Lead: l, Who: c})), Rev: l.Rev}
	p.Crumbs = []ui.Link{{Title: v.t("nav.leads"), Href: "/leads?pipeline=" + l.Pipeline}}
	p.Lead = v.words.Rich("lead.lead."+l.State.String(), "Stage", d.stageTitle(l.Pipeline, l.Stage), "Owner", d.ownerName(l.Owner), "Since", v.words.Ago(l.Staged, v.Now()), "Reason", nonEmpty(d.reasonTitle(l.Reason), "–"))
	path := "/leads/" + string(l.ID)
	if c != nil {
		p.Acts = append(p.Acts, v.dials(c)...)
		p.Person, p.PersonH = v.contactFacts(c), ui.Link{Title: v.t("lead.contact"), Href: contactPath(c.ID)}
		v.concernContact(c)
		if p.Warns, err = d.talkNotes(c.Nums); err != nil {
			return err
		}
	}
	if v.actor.Can(account.WriteLeads) {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("lead.edit"), Href: path + "/edit", Icon: "edit"})
		d.steps(p, l)
	}
	if p.Facts, err = d.leadFacts(l); err != nil {
		return err
	}
	if v.actor.Can(account.AssignLeads) && l.State == lead.Open {
		p.Give = &leadGive{Action: path + "/owner", Owner: ui.Field{Name: "owner", Label: v.t("lead.give"), Type: "select", Value: string(l.Owner), Options: d.owners(), Size: "medium"}}
	}
	if v.actor.Can(account.DeleteLeads) {
		p.Danger = []ui.Action{{Title: v.t("lead.delete"), Href: path + "/delete", Post: true, Danger: true, Icon: "trash", Confirm: v.t("lead.delete.confirm"), ConfirmText: v.t("lead.delete.text")}}
	}
	if c != nil && d.sight.Sees(c.Owner) {
		if p.Files, err = d.filesOf(c, path); err != nil {
			return err
		}
	}
	if p.Planned, err = d.followUpsOf(followup.Filter{Lead: l.ID}, ui.Param{Name: "lead", Value: string(l.ID)}, account.MemberID(nonEmpty(string(l.Owner), string(v.actor.Member.ID))), path); err != nil {
		return err
	}
	if err := d.leadHistory(p, l); err != nil {
		return err
	}
	if err := d.leadDecisions(p, l); err != nil {
		return err
	}
	return v.render("lead", p)
}

func contactPath(c contact.ID) string { return "/contacts/" + string(c) }

// dials are the ways to call somebody.
func (v *visit) dials(c *contact.Contact) []ui.Action {
	var out []ui.Action
	for i, n := range c.Person.Numbers {
		out = append(out, ui.Action{Title: v.phone(n.Text), Dial: n.Text, Icon: "call", Primary: i == 0})
		if i == 1 {
			break // further ones stand below
		}
	}
	return out
}

// leadDecisions shows what the rules of assignment decided about a lead, and lets whoever may ask them.
func (d *desk) leadDecisions(p *leadPageStruct, l *lead.Lead) error {
	if d.actor.Can(account.AssignLeads) && l.State == lead.Open {
		p.Acts = append(p.Acts, ui.Action{Title: d.t("assign.ask"), Href: "/leads/" + string(l.ID) + "/assign", Post: true, Icon: "people"})
	}
	all, _, err := d.Assign.Log(d.ctx(), d.DB, d.org().ID, d.sight, assign.Filter{Lead: l.ID}, historyRows)
	if err != nil || len(all) == 0 {
		return err
	}
	t, err := d.decisions(all, false)
	p.Log = &t
	return err
}

// contactFacts are what is known of a person.
func (v *visit) contactFacts(c *contact.Contact) []ui.Fact {
	var out []ui.Fact
	add := func(key, text string) {
		if text != "" {
			out = append(out, ui.Fact{Title: v.t(key), Cell: ui.Cell{Text: text}})
		}
	}
	who := c.Person
	out = append(out, ui.Fact{Title: v.t("contact.name"), Cell: ui.Cell{Text: nonEmpty(v.contactName(c), "–"), Href: contactPath(c.ID), Strong: true}})
	add("contact.company", who.Company)
	add("contact.title", who.Title)
	for _, n := range who.Numbers {
		out = append(out, ui.Fact{Title: nonEmpty(n.Label, v.t("contact.number")), Cell: ui.Cell{Text: v.phone(n.Text), Href: "tel:" + phone.Parse(n.Text, v.org().Country).Canonical()}})
	}
	for _, e := range who.Emails {
		out = append(out, ui.Fact{Title: nonEmpty(e.Label, v.t("contact.email")), Cell: ui.Cell{Text: e.Text, Href: "mailto:" + e.Text}})
	}
	add("contact.address", v.addressLine(who.Address))
	add("contact.language", who.Language)
	return out
}

// addressLine writes an address in one line; a country alone is none.
func (v *visit) addressLine(a contact.Address) string {
	var parts []string
	for _, part := range []string{a.Street, strings.TrimSpace(a.Postcode + " " + a.City), a.State} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 && a.Country != "" {
		parts = append(parts, v.countries([]string{a.Country}))
	}
	return strings.Join(parts, ", ")
}

func (d *desk) steps(p *leadPageStruct, l *lead.Lead) {
	way := d.pipeline(l.Pipeline)
	if way == nil || l.State != lead.Open {
		if l.State != lead.Open {
			p.Acts = append(p.Acts, ui.Action{Title: d.t("lead.reopen"), Href: "/leads/" + string(l.ID) + "/reopen", Post: true, Icon: "history", Fields: []ui.Param{{Name: "rev", Value: strconv.FormatInt(l.Rev, 10)}}})
		}
		return
	}
	p.StepTo = "/leads/" + string(l.ID) + "/move"
	done := true
	for _, s := range way.Active() {
		if s.Key == l.Stage {
			done = false
		}
		p.Steps = append(p.Steps, leadStep{Key: s.Key, Title: s.Title, Done: done, Now: s.Key == l.Stage, May: s.Key != l.Stage})
	}
	p.Close = &leadClose{Action: "/leads/" + string(l.ID) + "/close", Reasons: d.closings(false)}
}

func (d *desk) leadFacts(l *lead.Lead) ([]ui.Fact, error) {
	out := []ui.Fact{{Title: d.t("lead.owner"), Cell: ui.Cell{Text: d.ownerName(l.Owner), Muted: l.Owner == ""}}}
	add := func(key string, c ui.Cell) { out = append(out, ui.Fact{Title: d.t(key), Cell: c}) }
	if len(d.pipelines) > 1 {
		if p := d.pipeline(l.Pipeline); p != nil {
			add("lead.pipeline", ui.Cell{Text: p.Title})
		}
	}
	if l.Value != 0 {
		add("lead.worth", ui.Cell{Text: d.money(l.Value, l.Currency)})
	}
	if l.Source != "" {
		c := ui.Cell{Text: l.Source, Href: "/leads/table?source=" + l.Source}
		if l.SourceDay != 0 {
			c.Sub = d.words.Date(l.SourceDay)
		}
		add("lead.source", c)
	}
	if !l.Due.IsZero() {
		c := ui.Cell{Time: l.Due}
		if l.Due.Before(d.Now()) && l.State == lead.Open {
			c = ui.Cell{Tag: &ui.Tag{Text: d.words.Moment(l.Due, d.Now()), Kind: ui.Bad, Icon: "clock"}}
		}
		add("lead.due", c)
	}
	add("lead.attempts", ui.Cell{Text: d.t("lead.attempts_help", "Count", l.Attempts, "Connected", l.Connected)})
	if l.First.IsZero() {
		add("lead.first", ui.Cell{Text: d.t("lead.first.none"), Muted: true})
	} else {
		add("lead.first", ui.Cell{Text: d.words.Duration(int64(l.First.Sub(l.Made) / time.Second)), Sub: d.words.Moment(l.First, d.Now())})
	}
	if !l.Last.IsZero() {
		add("lead.touched", ui.Cell{Ago: l.Last})
	}
	add("lead.made", ui.Cell{Time: l.Made, Sub: d.names[l.MadeBy]})
	if len(l.Tags) > 0 {
		c := ui.Cell{}
		for _, t := range l.Tags {
			c.Tags = append(c.Tags, ui.Tag{Text: t})
		}
		add("lead.tags", c)
	}
	defs, err := d.Fields.Of(d.ctx(), d.DB, d.org().ID, "lead")
	if err != nil {
		return nil, err
	}
	for _, def := range defs {
		if value := l.Custom[def.Key]; value != "" {
			out = append(out, ui.Fact{Title: def.Title, Cell: ui.Cell{Text: d.customText(def, value)}})
		}
	}
	return out, nil
}

// customText writes the value of a custom field for people.
func (v *visit) customText(def field.Def, value string) string {
	switch def.Kind {
	case field.YesNo:
		if value == "yes" {
			return v.t("field.yes")
		}
		return v.t("field.no")
	default:
		return value
	}
}

const historyRows = 50

// leadHistory lists what was changed, by whom and why.
func (d *desk) leadHistory(p *leadPageStruct, l *lead.Lead) error {
	events, err := d.Leads.History(d.ctx(), d.DB, d.org().ID, l.ID, 0, historyRows)
	if err != nil {
		return err
	}
	defs, err := d.Fields.Of(d.ctx(), d.DB, d.org().ID, "lead")
	if err != nil {
		return err
	}
	p.History = ui.Table{Title: d.t("lead.history"), Columns: []ui.Column{{Title: d.t("lead.history.when")}, {Title: d.t("lead.history.what")}, {Title: d.t("lead.history.who")}}}
	for _, e := range events {
		by := d.names[e.By]
		if e.By == "" {
			by = d.t("lead.history.program")
		}
		p.History.Rows = append(p.History.Rows, ui.Row{Cells: []ui.Cell{{Time: e.At}, {Text: d.eventText(e, defs), Sub: e.Why}, {Text: nonEmpty(by, d.t("lead.owner_gone"))}}})
	}
	return nil
}

// eventText says in a sentence what one change of a lead was.
func (d *desk) eventText(e lead.Event, defs []field.Def) string {
	name, from, to := e.Field, d.eventValue(e.Field, e.From), d.eventValue(e.Field, e.To)
	if e.Field == "made" {
		return d.t("lead.event.made", "Stage", to)
	}
	title := d.t("lead.field." + name)
	if key, ok := strings.CutPrefix(name, "custom."); ok {
		title = key
		for _, def := range defs {
			if def.Key == key {
				title = def.Title
			}
		}
	}
	switch {
	case from == "":
		return d.t("lead.event.set", "Field", title, "To", to)
	case to == "":
		return d.t("lead.event.emptied", "Field", title, "From", from)
	default:
		return d.t("lead.event.changed", "Field", title, "From", from, "To", to)
	}
}

// eventValue writes one side of a change for people.
func (d *desk) eventValue(name, value string) string {
	if value == "" && name != "owner" {
		return ""
	}
	switch name {
	case "made", "stage":
		pipeline, stage, _ := strings.Cut(value, "/")
		return d.stageTitle(pipeline, stage)
	case "state":
		return d.t("lead.state." + value)
	case "reason":
		return d.reasonTitle(value)
	case "owner":
		return d.ownerName(account.MemberID(value))
	case "value":
		amount, code, _ := strings.Cut(value, " ")
		n, err := strconv.ParseInt(amount, 10, 64)
		if err != nil {
			return value
		}
		return nonEmpty(d.money(n, code), "0")
	case "due":
		ms, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return value
		}
		return d.words.DateTime(time.UnixMilli(ms).In(d.org().Location()))
	default:
		return value
	}
}

func closeLead(v *visit) error {
	word, reason, _ := strings.Cut(v.form("close"), "/")
	st, err := lead.ParseState(word)
	if err != nil {
		return err
	}
	l, err := v.carriedLead(func(tx *db.Tx, l *lead.Lead, rev int64) (*lead.Lead, error) {
		end := v.Leads.Win
		if st == lead.Lost {
			end = v.Leads.Lose
		}
		return end(v.ctx(), tx, v.org(), v.actor.Member.ID, l.ID, rev, reason, v.form("why"))
	})
	if err != nil {
		return err
	}
	return v.to("/leads/"+string(l.ID), v.good("lead.closed."+l.State.String()))
}

func reopenLead(v *visit) error {
	l, err := v.carriedLead(func(tx *db.Tx, l *lead.Lead, rev int64) (*lead.Lead, error) {
		return v.Leads.Reopen(v.ctx(), tx, v.org(), v.actor.Member.ID, l.ID, rev, v.form("why"))
	})
	if err != nil {
		return err
	}
	return v.to("/leads/"+string(l.ID), v.good("lead.reopened"))
}

func giveLead(v *visit) error {
	l, err := v.carriedLead(func(tx *db.Tx, l *lead.Lead, rev int64) (*lead.Lead, error) {
		return v.Leads.Give(v.ctx(), tx, v.org(), v.actor.Member.ID, l.ID, rev, account.MemberID(v.form("owner")), v.form("why"))
	})
	if err != nil {
		return err
	}
	return v.to("/leads/"+string(l.ID), v.good("lead.given"))
}

func deleteLead(v *visit) error {
	_, l, err := v.theLead()
	if err != nil {
		return err
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		return v.Leads.Delete(v.ctx(), tx, v.org(), v.actor.Member.ID, l.ID)
	})
	if err != nil {
		return err
	}
	return v.to("/leads", v.good("lead.deleted"))
}
