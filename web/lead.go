package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/ui"
)

// leadRoutes show leads as a board, a table and a calendar.
func (s *site) leadRoutes() []route {
	return []route{
		{"GET /leads", account.ReadLeads, leadBoard},
		{"GET /leads/table", account.ReadLeads, leadTable},
		{"GET /leads/calendar", account.ReadLeads, leadCalendar},
		{"POST /leads/bulk", account.WriteLeads, bulkLeads},
		{"POST /leads/bulk/{bulk}/undo", account.WriteLeads, undoBulk},
		{"POST /leads/views", account.WriteLeads, saveLeadView},
		{"POST /leads/views/{view}/delete", account.WriteLeads, dropLeadView},
		{"GET /leads/new", account.WriteLeads, newLead},
		{"POST /leads/new", account.WriteLeads, addLead},
		{"GET /leads/{lead}", account.ReadLeads, leadPage},
		{"GET /leads/{lead}/edit", account.WriteLeads, editLead},
		{"POST /leads/{lead}/edit", account.WriteLeads, changeLead},
		{"POST /leads/{lead}/move", account.WriteLeads, moveLead},
		{"POST /leads/{lead}/close", account.WriteLeads, closeLead},
		{"POST /leads/{lead}/reopen", account.WriteLeads, reopenLead},
		{"POST /leads/{lead}/owner", account.AssignLeads, giveLead},
		{"POST /leads/{lead}/delete", account.DeleteLeads, deleteLead},
	}
}

// desk is a page about leads: whose the reader sees, and what is needed to name what they show.
type desk struct {
	*visit
	sight     contact.Sight
	pipelines []*lead.Pipeline
	reasons   []lead.Reason
	members   []*account.Member // those who may own a lead, and those who once did
	names     map[account.MemberID]string
	teams     map[account.TeamID]string
}

func (v *visit) desk() (*desk, error) {
	d := &desk{visit: v, names: map[account.MemberID]string{}}
	var err error
	if d.sight, err = contact.SightOf(v.ctx(), v.Accounts, v.actor); err != nil {
		return nil, err
	}
	if d.pipelines, err = v.Leads.Pipelines(v.ctx(), v.DB, v.org().ID); err != nil {
		return nil, err
	}
	if d.reasons, err = v.Leads.Reasons(v.ctx(), v.DB, v.org().ID); err != nil {
		return nil, err
	}
	if d.members, err = v.Accounts.Members(v.ctx(), v.org().ID); err != nil {
		return nil, err
	}
	for _, m := range d.members {
		d.names[m.ID] = m.Name
	}
	teams, err := v.Accounts.Teams(v.ctx(), v.org().ID)
	d.teams = map[account.TeamID]string{}
	for _, t := range teams {
		d.teams[t.ID] = t.Name
	}
	return d, err
}

// pipeline is the one of a key, nil when there is none.
func (d *desk) pipeline(key string) *lead.Pipeline {
	if i := slices.IndexFunc(d.pipelines, func(p *lead.Pipeline) bool { return p.Key == key }); i >= 0 {
		return d.pipelines[i]
	}
	return nil
}

// pipelineOr is the one of a key, or the first one.
func (d *desk) pipelineOr(key string) *lead.Pipeline {
	if p := d.pipeline(key); p != nil {
		return p
	}
	return d.pipelines[0]
}

func (d *desk) stageTitle(pipeline, stage string) string {
	if p := d.pipeline(pipeline); p != nil {
		for _, s := range p.Stages {
			if s.Key == stage {
				return s.Title
			}
		}
	}
	return stage
}

func (d *desk) reasonTitle(key string) string {
	for _, r := range d.reasons {
		if r.Key == key {
			return r.Title
		}
	}
	return key
}

// ownerName names who works on a lead.
func (d *desk) ownerName(m account.MemberID) string {
	if m == "" {
		return d.t("lead.unowned")
	}
	return nonEmpty(d.names[m], d.t("lead.owner_gone"))
}

// owners are those whom the reader may give leads to.
func (d *desk) owners() []ui.Option {
	out := []ui.Option{{Title: d.t("lead.unowned")}}
	for _, m := range d.members {
		if m.Active && (d.sight.All || d.sight.Sees(m.ID)) && m.Role.Can(account.WriteLeads) {
			out = append(out, ui.Option{Value: string(m.ID), Title: m.Name})
		}
	}
	return out
}

// money writes the value of a lead, "" when it has none.
func (v *visit) money(amount int64, currency string) string {
	if amount == 0 {
		return ""
	}
	return v.words.Money(amount, currency, lead.MinorDigits(currency))
}

func (v *visit) sums(all []lead.Money) string {
	var out []string
	for _, m := range all {
		out = append(out, v.money(m.Amount, m.Currency))
	}
	return strings.Join(out, " + ")
}

// who names the person behind a lead.
func (v *visit) who(r lead.Row) string {
	if r.Who == nil {
		return v.t("lead.erased")
	}
	return nonEmpty(v.contactName(r.Who), v.t("contact.nameless"))
}

// contactName is a contact's name; a number that stands for it is written as people write it.
func (v *visit) contactName(c *contact.Contact) string {
	name := c.Name()
	if len(c.Person.Numbers) > 0 && name == c.Person.Numbers[0].Text {
		return v.phone(name)
	}
	return name
}

// leadFilter reads the filter of the board, the table and the calendar from the address.
func (d *desk) leadFilter() (lead.Filter, []fault.FieldError) {
	var f lead.Filter
	var wrong []fault.FieldError
	f.Text = d.query("q")
	if o := d.query("owner"); o == "none" {
		f.Owners = []account.MemberID{""}
	} else if o == "me" {
		f.Owners = []account.MemberID{d.actor.Member.ID}
	} else if o != "" {
		f.Owners = []account.MemberID{account.MemberID(o)}
	}
	if t := d.query("team"); t != "" {
		f.Teams = []account.TeamID{account.TeamID(t)}
	}
	if s := d.query("source"); s != "" {
		f.Sources = []string{s}
	}
	if t := d.query("tag"); t != "" {
		f.Tags = []string{t}
	}
	if r := d.query("reason"); r != "" {
		f.Reasons = []string{r}
	}
	f.Import = d.query("import")
	d.leadDue(&f)
	wrong = append(wrong, d.leadDays(&f)...)
	return f, wrong
}

// leadDue reads the choice of what is due.
func (d *desk) leadDue(f *lead.Filter) {
	today := d.today()
	zone := d.org().Location()
	switch d.query("due") {
	case "late":
		f.DueBefore = d.Now()
	case "today":
		f.DueBefore = (today + 1).Start(zone)
	case "week":
		f.DueBefore = (today + 7).Start(zone)
	case "none":
		f.DueNever = true
	}
	switch d.query("tried") {
	case "never":
		none := 0
		f.AttemptsMax = &none
	case "once":
		f.AttemptsMin = 1
	}
	if n, err := strconv.Atoi(d.query("quiet")); err == nil && n > 0 && n < 10000 {
		f.TouchedBefore = d.Now().AddDate(0, 0, -n)
	}
}

// leadDays reads between which days leads were made or closed.
func (d *desk) leadDays(f *lead.Filter) []fault.FieldError {
	var wrong []fault.FieldError
	for _, x := range []struct {
		name string
		to   *time.Time
		add  civil.Day
	}{{"made_from", &f.MadeFrom, 0}, {"made_through", &f.MadeTo, 1}, {"closed_from", &f.ClosedFrom, 0}, {"closed_through", &f.ClosedTo, 1}} {
		text := d.query(x.name)
		if text == "" {
			continue
		}
		day, err := civil.Parse(text)
		if err != nil {
			wrong = append(wrong, fault.FieldError{Field: x.name, Sentence: fault.Sentence(err)})
			continue
		}
		*x.to = (day + x.add).Start(d.org().Location())
	}
	return wrong
}

// leadFrame is the frame of the pages about leads, with their tabs.
func (d *desk) leadFrame() ui.Frame {
	f := d.frame(d.t("nav.leads"))
	for _, t := range []struct{ key, path string }{{"lead.board", "/leads"}, {"lead.table", "/leads/table"}, {"lead.calendar", "/leads/calendar"}} {
		href := t.path
		if q := d.leadQuery(); q != "" {
			href += "?" + q
		}
		f.Tabs = append(f.Tabs, ui.Link{Title: d.t(t.key), Href: href, Current: d.r.URL.Path == t.path})
	}
	return f
}

// leadQuery is the part of the address that board, table and calendar share.
func (d *desk) leadQuery() string {
	q := d.r.URL.Query()
	for _, own := range []string{"after", "sort", "month", "view", "state", "stage"} {
		q.Del(own)
	}
	for name, values := range q {
		if len(values) == 0 || values[0] == "" {
			q.Del(name)
		}
	}
	return q.Encode()
}

// leadActions are what is done on the pages about leads.
func (d *desk) leadActions() (add *ui.Action, more []ui.Action) {
	if d.actor.Can(account.ManagePipelines) {
		more = append(more, ui.Action{Title: d.t("lead.settings"), Href: "/leads/settings", Icon: "settings"})
	}
	if d.actor.Can(account.ImportLeads) {
		more = append(more, ui.Action{Title: d.t("lead.import"), Href: "/leads/imports/new", Icon: "import"})
	}
	if d.actor.Can(account.WriteLeads) {
		add = &ui.Action{Title: d.t("lead.add"), Href: "/leads/new", Icon: "plus", Primary: true}
	}
	return add, more
}

// leadFilters are the fields above the board and the table.
func (d *desk) leadFilters(path string, stages bool) (*leadFilterForm, error) {
	f := &leadFilterForm{Action: path}
	add := func(name, label string, options ...ui.Option) {
		f.Fields = append(f.Fields, ui.Field{Name: name, Label: label, Type: "select", Value: d.query(name), Options: options})
	}
	f.Fields = append(f.Fields, ui.Field{Name: "q", Label: d.t("lead.find"), Type: "search", Value: d.query("q")})
	if len(d.pipelines) > 1 {
		var all []ui.Option
		if path != "/leads" {
			all = append(all, ui.Option{Title: d.t("lead.all_pipelines")})
		}
		for _, p := range d.pipelines {
			all = append(all, ui.Option{Value: p.Key, Title: p.Title})
		}
		add("pipeline", d.t("lead.pipeline"), all...)
	}
	if stages {
		add("state", d.t("lead.state"), ui.Option{Title: d.t("lead.any_state")}, ui.Option{Value: "open", Title: d.t("lead.state.open")}, ui.Option{Value: "won", Title: d.t("lead.state.won")}, ui.Option{Value: "lost", Title: d.t("lead.state.lost")})
	}
	if d.actor.Member.Role != account.Agent {
		owners := []ui.Option{{Title: d.t("lead.any_owner")}, {Value: "me", Title: d.t("lead.mine")}, {Value: "none", Title: d.t("lead.unowned")}}
		add("owner", d.t("lead.owner"), append(owners, d.owners()[1:]...)...)
	}
	add("due", d.t("lead.due"), ui.Option{Title: d.t("lead.any_due")}, ui.Option{Value: "late", Title: d.t("lead.due.late")}, ui.Option{Value: "today", Title: d.t("lead.due.today")}, ui.Option{Value: "week", Title: d.t("lead.due.week")}, ui.Option{Value: "none", Title: d.t("lead.due.none")})
	tags, err := d.Leads.Tags(d.ctx(), d.DB, d.org().ID)
	if err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		all := []ui.Option{{Title: d.t("lead.any_tag")}}
		for _, t := range tags {
			all = append(all, ui.Option{Value: t.Tag, Title: fmt.Sprintf("%s (%s)", t.Tag, d.words.Number(int64(t.Leads)))})
		}
		add("tag", d.t("lead.tag"), all...)
	}
	for _, keep := range []string{"source", "team", "reason", "import", "tried", "quiet", "made_from", "made_through", "sort"} {
		if value := d.query(keep); value != "" {
			f.Keep = append(f.Keep, ui.Param{Name: keep, Value: value})
		}
	}
	f.Clear = path
	f.Narrowed = d.leadQuery() != "" && d.leadQuery() != "pipeline="+d.query("pipeline")
	return f, nil
}

// leadFilterForm is a row of fields that narrow what is shown.
type leadFilterForm struct {
	Action   string
	Fields   []ui.Field
	Keep     []ui.Param
	Clear    string // the address without a filter
	Narrowed bool
}
