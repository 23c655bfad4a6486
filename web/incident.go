package web

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/incident"
	"parley/trust/policy"
	"parley/web/region"
	"parley/web/ui"
)

const incidentsHome = "/trust/incidents"

// incidentRoutes keep the files of incidents.
func (s *site) incidentRoutes() []route {
	return []route{
		{"GET /trust/incidents", account.ReadPrivacy, incidents},
		{"GET /trust/incidents/new", account.ManagePrivacy, incidentForm},
		{"POST /trust/incidents/new", account.ManagePrivacy, addIncident},
		{"GET /trust/incidents/{incident}", account.ReadPrivacy, incidentOf},
		{"GET /trust/incidents/{incident}/edit", account.ManagePrivacy, incidentForm},
		{"POST /trust/incidents/{incident}/edit", account.ManagePrivacy, changeIncident},
		{"POST /trust/incidents/{incident}/count", account.ManagePrivacy, countAffected},
		{"GET /trust/incidents/{incident}/people.csv", account.ReadPrivacy, affectedPeople},
		{"POST /trust/incidents/{incident}/step", account.ManagePrivacy, incidentStep},
		{"GET /trust/incidents/{incident}/draft", account.ReadPrivacy, incidentDraft},
		{"POST /trust/incidents/{incident}/close", account.ManagePrivacy, closeIncident},
	}
}

// incidentsPage lists the files, and what happened around signing in.
type incidentsPage struct {
	ui.Frame
	Add      *ui.Action // nil for whoever may only look
	Table    ui.Table
	Security ui.Table
}

const eventsShown = 50

func incidents(v *visit) error {
	all, err := v.Incidents.List(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	p := &incidentsPage{Frame: v.trustFrame(v.t("incident.title")), Add: v.forKeepers(ui.Action{Title: v.t("incident.new"), Href: incidentsHome + "/new", Icon: "plus", Primary: true})}
	p.Table = ui.Table{Title: v.t("incident.title"), Columns: []ui.Column{{Title: v.t("incident.what")}, {Title: v.t("incident.state")}, {Title: v.t("incident.next")}, {Title: v.t("incident.people"), Numeric: true}, {Title: v.t("incident.noticed")}}}
	open := 0
	for _, i := range all {
		next := ui.Cell{Text: "–"}
		state := ui.Cell{Tag: &ui.Tag{Text: v.t("incident.closed"), Kind: ui.Off}}
		if i.State == incident.Open {
			open++
			state.Tag.Text, state.Tag.Kind = v.t("incident.open"), ui.Warn
			clocks, err := v.Incidents.Clocks(v.ctx(), i)
			if err != nil {
				return err
			}
			if at := slices.IndexFunc(clocks, func(c incident.Clock) bool { return c.Running() }); at >= 0 {
				next = v.clockState(&clocks[at])
				next.Sub = clocks[at].Name
			}
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Muted: i.State != incident.Open, Cells: []ui.Cell{{Text: i.Title, Sub: v.t("incident.risk." + string(i.Risk)), Href: incidentsHome + "/" + i.ID, Strong: true}, state, next, v.countCell(i), {Time: i.Noticed}}})
	}
	p.Lead = v.words.Rich("incident.lead", "Count", open)
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("incident.none"), Text: v.t("incident.none.text")}
	if p.Security, err = v.securityTable(); err != nil {
		return err
	}
	return v.render("incidents", p)
}

func (v *visit) countCell(i *incident.Incident) ui.Cell {
	if i.Affected < 0 {
		return ui.Cell{Text: "–"}
	}
	return ui.Cell{Text: v.words.Number(i.Affected)}
}

func (v *visit) securityTable() (ui.Table, error) {
	t := ui.Table{Title: v.t("security.title"), Columns: []ui.Column{{Title: v.t("security.what")}, {Title: v.t("security.member")}, {Title: v.t("security.from")}, {Title: v.t("security.times"), Numeric: true}, {Title: v.t("security.last")}}}
	t.Empty = &ui.Empty{Icon: "shield", Title: v.t("security.none"), Text: v.t("security.none.text")}
	events, err := v.Incidents.Security(v.ctx(), v.actor, eventsShown)
	if err != nil {
		return t, err
	}
	names, err := v.namesOfMembers()
	for _, e := range events {
		who := "–"
		if e.Member != "" {
			who = nonEmpty(names[e.Member], "–")
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.t("security." + string(e.Kind)), Strong: true}, {Text: who}, {Text: nonEmpty(e.IP, "–"), Sub: e.Browser}, {Text: v.words.Number(e.Times)}, {Time: e.At}}})
	}
	return t, err
}

// clockState says where a clock stands.
func (v *visit) clockState(c *incident.Clock) ui.Cell {
	now := v.Now()
	switch {
	case !c.Running() && c.Waived:
		return ui.Cell{Tag: &ui.Tag{Text: v.t("clock.waived"), Kind: ui.Off}}
	case !c.Running():
		return ui.Cell{Tag: &ui.Tag{Text: v.t("clock.done"), Kind: ui.Good, Icon: "check"}}
	case c.Due.Equal(now) || c.Within.N == 0:
		return ui.Cell{Tag: &ui.Tag{Text: v.t("clock.now"), Kind: ui.Bad}}
	case c.Overdue(now):
		return ui.Cell{Tag: &ui.Tag{Text: v.t("clock.overdue"), Kind: ui.Bad}}
	default:
		return ui.Cell{Tag: &ui.Tag{Text: v.t("clock.left", "Time", v.words.Duration(int64(c.Left(now).Seconds()))), Kind: ui.Warn}}
	}
}

func localTime(v *visit, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(v.org().Location()).Format("2006-01-02T15:04")
}

// moment reads a field with a local time; zero when it is empty.
func (v *visit) moment(name string) (time.Time, error) {
	if v.form(name) == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(form, v.form(name), v.org().Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.Field(name, "%q is no time. Write day and time, for example 2027-06-01T14:30.", v.form(name))
}

func (v *visit) incidentForm() (*form, error) {
	_ = v.form("") // reads the form
	p := &form{Frame: v.trustFrame(v.t("incident.new")), Submit: v.t("incident.add")}
	p.Crumbs = []ui.Link{{Title: v.t("incident.title"), Href: incidentsHome}}
	p.Lead = v.words.Rich("incident.new.lead")
	f := incident.Facts{Risk: incident.High, Noticed: v.Now()}
	if id := v.r.PathValue("incident"); id != "" {
		i, err := v.Incidents.One(v.ctx(), v.actor, id)
		if err != nil {
			return nil, err
		}
		f = i.Facts
		p.Title, p.Submit = v.t("incident.edit"), v.t("incident.save")
		p.Crumbs = append(p.Crumbs, ui.Link{Title: i.Title, Href: incidentsHome + "/" + i.ID})
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	agents, err := v.Accounts.Agents(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	value := func(name, kept string) string {
		if v.r.PostForm.Has(name) {
			return v.form(name)
		}
		return kept
	}
	values := func(name string, kept []string) []string {
		if v.r.Method == "POST" {
			return v.r.PostForm[name]
		}
		return kept
	}
	day := func(d civil.Day) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	who := ui.Field{Name: "agents", Label: v.t("incident.agents"), Help: v.t("incident.agents.help"), Type: "checks", Optional: true, Values: values("agents", texts(f.Scope.Agents))}
	for _, a := range agents {
		who.Options = append(who.Options, ui.Option{Value: string(a.ID), Title: a.Name})
	}
	risk := ui.Field{Name: "risk", Label: v.t("incident.risk"), Type: "radio", Value: value("risk", string(f.Risk))}
	for _, r := range []incident.Risk{incident.High, incident.Low} {
		risk.Options = append(risk.Options, ui.Option{Value: string(r), Title: v.t("incident.risk." + string(r)), Help: v.t("incident.risk." + string(r) + ".text")})
	}
	p.Sections = []section{
		{Fields: []ui.Field{
			{Name: "title", Label: v.t("incident.what"), Help: v.t("incident.what.help"), Value: value("title", f.Title), Complete: "off"},
			{Name: "text", Label: v.t("incident.happened"), Type: "textarea", Rows: 4, Value: value("text", f.What), Optional: true},
			{Name: "noticed", Label: v.t("incident.noticed"), Help: v.t("incident.noticed.help"), Type: "datetime-local", Size: "medium", Value: value("noticed", localTime(v, f.Noticed))},
			{Name: "began", Label: v.t("incident.began"), Type: "datetime-local", Size: "medium", Value: value("began", localTime(v, f.Began)), Optional: true},
			{Name: "ended", Label: v.t("incident.ended"), Type: "datetime-local", Size: "medium", Value: value("ended", localTime(v, f.Ended)), Optional: true},
			risk,
		}},
		{Title: v.t("incident.data"), Fields: []ui.Field{
			v.categoriesField(doc, "categories", values("categories", f.Categories)),
			{Name: "systems", Label: v.t("incident.systems"), Value: value("systems", f.Systems), Optional: true, Complete: "off"},
		}},
		{Title: v.t("incident.concerned"), Text: v.t("incident.concerned.text"), Fields: []ui.Field{
			{Name: "from", Label: v.t("range.from"), Type: "date", Size: "short", Value: value("from", day(f.Scope.From)), Optional: true},
			{Name: "to", Label: v.t("range.to"), Type: "date", Size: "short", Value: value("to", day(f.Scope.To)), Optional: true},
			who,
			{Name: "numbers", Label: v.t("incident.numbers"), Help: v.t("hold.numbers.help"), Type: "textarea", Rows: 3, Value: value("numbers", strings.Join(f.Scope.Numbers, "\n")), Optional: true},
			{Name: "places", Label: v.t("incident.places"), Help: v.t("incident.places.help"), Value: value("places", strings.Join(f.Places, " ")), Size: "medium", Optional: true, Complete: "off"},
		}},
		{Title: v.t("incident.tell"), Fields: []ui.Field{
			{Name: "consequences", Label: v.t("incident.consequences"), Type: "textarea", Rows: 3, Value: value("consequences", f.Consequences), Optional: true},
			{Name: "advice", Label: v.t("incident.advice"), Type: "textarea", Rows: 3, Value: value("advice", f.Advice), Optional: true},
		}},
	}
	return p, nil
}

func texts[S ~string](all []S) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return out
}

// categoriesField asks for categories of the policy.
func (v *visit) categoriesField(doc *policy.Document, name string, chosen []string) ui.Field {
	f := ui.Field{Name: name, Label: v.t("hold.categories"), Type: "checks", Values: chosen}
	for key := range doc.Categories {
		f.Options = append(f.Options, ui.Option{Value: key, Title: v.category(doc, key)})
	}
	slices.SortFunc(f.Options, func(a, b ui.Option) int { return strings.Compare(a.Value, b.Value) })
	return f
}

func incidentForm(v *visit) error {
	p, err := v.incidentForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

// incidentFacts reads the form.
func (v *visit) incidentFacts() (f incident.Facts, err error) {
	f = incident.Facts{Title: v.form("title"), What: v.form("text"), Systems: v.form("systems"), Consequences: v.form("consequences"), Advice: v.form("advice"), Risk: incident.Risk(v.form("risk")),
		Categories: v.r.PostForm["categories"], Places: strings.Fields(strings.ReplaceAll(v.form("places"), ",", " "))}
	for name, to := range map[string]*time.Time{"noticed": &f.Noticed, "began": &f.Began, "ended": &f.Ended} {
		if *to, err = v.moment(name); err != nil {
			return f, err
		}
	}
	if f.Noticed.After(v.Now()) && f.Noticed.Sub(v.Now()) < time.Minute { // the field has no seconds
		f.Noticed = v.Now()
	}
	for name, to := range map[string]*civil.Day{"from": &f.Scope.From, "to": &f.Scope.To} {
		if v.form(name) == "" {
			continue
		}
		if *to, err = civil.Parse(v.form(name)); err != nil {
			return f, fault.Field(name, "%s", fault.Sentence(err))
		}
	}
	for _, a := range v.r.PostForm["agents"] {
		if _, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(a)); err != nil {
			return f, fault.Field("agents", "There is no such agent. Choose some of the list.")
		}
		f.Scope.Agents = append(f.Scope.Agents, account.MemberID(a))
	}
	for _, n := range filled(strings.Split(v.form("numbers"), "\n")) {
		f.Scope.Numbers = append(f.Scope.Numbers, phone.Parse(n, v.org().Country).Canonical())
	}
	return f, nil
}

func addIncident(v *visit) error {
	_ = v.form("") // reads the form
	f, err := v.incidentFacts()
	var i *incident.Incident
	if err == nil {
		i, err = v.Incidents.Add(v.ctx(), v.actor, f)
	}
	if err == nil {
		i, err = v.Incidents.Count(v.ctx(), v.actor, i.ID)
	}
	if err == nil {
		return v.to(incidentsHome+"/"+i.ID, v.good("incident.added"))
	}
	p, formErr := v.incidentForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}

func changeIncident(v *visit) error {
	_ = v.form("") // reads the form
	f, err := v.incidentFacts()
	if err == nil {
		_, err = v.Incidents.Change(v.ctx(), v.actor, v.r.PathValue("incident"), f)
	}
	if err == nil {
		return v.to(incidentsHome+"/"+v.r.PathValue("incident"), v.good("incident.saved"))
	}
	p, formErr := v.incidentForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}

// incidentPage is one file.
type incidentPage struct {
	ui.Frame
	Acts   []ui.Action
	What   string
	Facts  []ui.Fact
	Clocks ui.Table
	Advice string // that tables are no legal advice
	Steps  ui.Table
	Step   *form
	Close  *form
	Report string
}

func (p *incidentPage) mark() {
	for _, f := range []*form{p.Step, p.Close} {
		if f != nil {
			f.Errors = p.Errors
			f.mark()
		}
	}
}

func incidentOf(v *visit) error {
	p, err := v.incidentPage()
	if err != nil {
		return err
	}
	return v.render("incident", p)
}

func (v *visit) incidentPage() (*incidentPage, error) {
	i, err := v.Incidents.One(v.ctx(), v.actor, v.r.PathValue("incident"))
	if err != nil {
		return nil, err
	}
	clocks, err := v.Incidents.Clocks(v.ctx(), i)
	if err != nil {
		return nil, err
	}
	steps, err := v.Incidents.Steps(v.ctx(), i)
	if err != nil {
		return nil, err
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return nil, err
	}
	path := incidentsHome + "/" + i.ID
	p := &incidentPage{Frame: v.trustFrame(i.Title), What: i.What, Report: i.Report, Advice: v.t("clock.advice")}
	p.Crumbs = []ui.Link{{Title: v.t("incident.title"), Href: incidentsHome}}
	running := slices.IndexFunc(clocks, func(c incident.Clock) bool { return c.Running() })
	switch {
	case i.State == incident.Closed:
		p.Lead = v.words.Rich("incident.lead.closed", "Time", v.words.DateTime(i.ClosedAt))
	case running >= 0:
		key := "incident.lead.next"
		if clocks[running].Within.N == 0 {
			key = "incident.lead.now"
		}
		p.Lead = v.words.Rich(key, "Whom", clocks[running].Name, "Time", v.words.DateTime(clocks[running].Due))
	default:
		p.Lead = v.words.Rich("incident.lead.told")
	}
	p.Facts = v.incidentFactsOf(i, doc, names)
	p.Clocks = v.clocksTable(i, clocks)
	p.Steps = ui.Table{Title: v.t("incident.steps"), Columns: []ui.Column{{Title: v.t("step.text")}, {Title: v.t("step.kind")}, {Title: v.t("step.by")}, {Title: v.t("step.at")}}}
	for _, s := range steps {
		p.Steps.Rows = append(p.Steps.Rows, ui.Row{Cells: []ui.Cell{{Text: s.Text}, {Text: v.t("step." + string(s.Kind)), Sub: clockName(clocks, s.Clock)}, {Text: nonEmpty(names[s.By], "–")}, {Time: s.At}}})
	}
	p.Steps.Empty = &ui.Empty{Icon: "clock", Title: v.t("incident.steps.none"), Text: v.t("incident.steps.none.text")}
	if i.State == incident.Open && v.keeps() {
		p.Acts = []ui.Action{{Title: v.t("incident.edit"), Href: path + "/edit", Icon: "edit"}, {Title: v.t("incident.count"), Post: true, Href: path + "/count", Icon: "refresh"}}
		p.Step, p.Close = v.stepForm(path, clocks), &form{Action: path + "/close", Submit: v.t("incident.close"), Sections: []section{{Fields: []ui.Field{
			{Name: "lessons", Label: v.t("incident.lessons"), Help: v.t("incident.lessons.help"), Type: "textarea", Rows: 3, Value: v.form("lessons")}}}}}
	}
	if i.Affected > 0 {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("incident.people.csv"), Href: path + "/people.csv", Icon: "download"})
	}
	return p, nil
}

func clockName(clocks []incident.Clock, key string) string {
	for _, c := range clocks {
		if c.Key == key {
			return c.Name
		}
	}
	return ""
}

func (v *visit) incidentFactsOf(i *incident.Incident, doc *policy.Document, names map[account.MemberID]string) []ui.Fact {
	var out []ui.Fact
	fact := func(key, text string) {
		if text != "" {
			out = append(out, ui.Fact{Title: v.t(key), Cell: ui.Cell{Text: text}})
		}
	}
	var categories, agents []string
	for _, key := range i.Categories {
		categories = append(categories, v.category(doc, key))
	}
	for _, a := range i.Scope.Agents {
		agents = append(agents, nonEmpty(names[a], string(a)))
	}
	fact("incident.noticed", v.words.DateTime(i.Noticed))
	if !i.Began.IsZero() {
		fact("incident.began", v.words.DateTime(i.Began))
	}
	if !i.Ended.IsZero() {
		fact("incident.ended", v.words.DateTime(i.Ended))
	}
	fact("incident.risk", v.t("incident.risk."+string(i.Risk)))
	fact("hold.categories", strings.Join(categories, ", "))
	fact("incident.systems", i.Systems)
	fact("incident.agents", strings.Join(agents, ", "))
	fact("incident.numbers", strings.Join(i.Scope.Numbers, ", "))
	if i.Scope.From != 0 {
		fact("range.from", v.words.Date(i.Scope.From))
	}
	if i.Scope.To != 0 {
		fact("range.to", v.words.Date(i.Scope.To))
	}
	fact("incident.places", v.countries(i.Places))
	if i.Affected >= 0 {
		fact("incident.people", v.t("incident.people.count", "Count", i.Affected))
	}
	fact("incident.opened", nonEmpty(names[i.OpenedBy], "–"))
	return out
}

// countries names countries by their codes.
func (v *visit) countries(codes []string) string {
	names := map[string]string{}
	for _, c := range region.Countries(v.words.Lang()) {
		names[c.Code] = c.Name
	}
	out := make([]string, len(codes))
	for i, code := range codes {
		out[i] = nonEmpty(names[code], code)
	}
	return strings.Join(out, ", ")
}

func (v *visit) clocksTable(i *incident.Incident, clocks []incident.Clock) ui.Table {
	t := ui.Table{Title: v.t("clock.title"), Columns: []ui.Column{{Title: v.t("clock.whom")}, {Title: v.t("clock.within")}, {Title: v.t("clock.due")}, {Title: v.t("clock.state")}, {Title: v.t("table.actions"), Acts: true}}}
	for k := range clocks {
		c := &clocks[k]
		law := c.Row.Conditions
		if c.Guessed {
			law = v.t("clock.guessed")
		}
		within := v.t("clock.at_once")
		if c.Within.N > 0 {
			within = v.t("period."+string(c.Within.Unit), "Count", c.Within.N)
		}
		row := ui.Row{Cells: []ui.Cell{{Text: c.Name, Sub: law, Strong: true}, {Text: within}, {Text: v.words.DateTime(c.Due)}, v.clockState(c), {}}}
		draft := incidentsHome + "/" + i.ID + "/draft?clock=" + c.Key
		row.Cells[4] = ui.Cell{Acts: []ui.Action{{Title: v.t("clock.draft"), Href: draft, Icon: "file"}}}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (v *visit) stepForm(path string, clocks []incident.Clock) *form {
	kind := ui.Field{Name: "kind", Label: v.t("step.kind"), Type: "select", Size: "medium", Value: nonEmpty(v.form("kind"), string(incident.Measure))}
	for _, k := range []incident.Kind{incident.Measure, incident.Decided, incident.Notice, incident.Waived, incident.Note} {
		kind.Options = append(kind.Options, ui.Option{Value: string(k), Title: v.t("step." + string(k))})
	}
	clock := ui.Field{Name: "clock", Label: v.t("step.clock"), Help: v.t("step.clock.help"), Type: "select", Size: "medium", Value: v.form("clock"), Optional: true, Options: []ui.Option{{Title: "–"}}}
	for _, c := range clocks {
		if c.Running() {
			clock.Options = append(clock.Options, ui.Option{Value: c.Key, Title: c.Name})
		}
	}
	return &form{Action: path + "/step", Submit: v.t("step.add"), Sections: []section{{Fields: []ui.Field{kind, clock, {Name: "text", Label: v.t("step.text"), Type: "textarea", Rows: 3, Value: v.form("text")}}}}}
}

func incidentStep(v *visit) error {
	err := v.Incidents.Step(v.ctx(), v.actor, v.r.PathValue("incident"), incident.Step{Kind: incident.Kind(v.form("kind")), Clock: v.form("clock"), Text: v.form("text")})
	return v.incidentChanged(err, "step.added")
}

func closeIncident(v *visit) error {
	_, err := v.Incidents.Close(v.ctx(), v.actor, v.r.PathValue("incident"), v.form("lessons"))
	return v.incidentChanged(err, "incident.closed.flash")
}

func countAffected(v *visit) error {
	_, err := v.Incidents.Count(v.ctx(), v.actor, v.r.PathValue("incident"))
	return v.incidentChanged(err, "incident.counted")
}

func (v *visit) incidentChanged(err error, done string) error {
	if err == nil {
		return v.to(incidentsHome+"/"+v.r.PathValue("incident"), v.good(done))
	}
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.Conflict {
		return err
	}
	p, pageErr := v.incidentPage()
	if pageErr != nil {
		return pageErr
	}
	return v.again("incident", p, err)
}

// draftPage is the draft of a notice.
type draftPage struct {
	ui.Frame
	Text string
}

func incidentDraft(v *visit) error {
	i, err := v.Incidents.One(v.ctx(), v.actor, v.r.PathValue("incident"))
	if err != nil {
		return err
	}
	language := v.query("language")
	if !slices.Contains(incident.Languages(), language) {
		language = v.words.Lang()
	}
	text, err := v.Incidents.Draft(v.ctx(), v.actor, i.ID, v.query("clock"), language)
	if err != nil {
		return err
	}
	p := &draftPage{Frame: v.trustFrame(v.t("clock.draft")), Text: text}
	p.Crumbs = []ui.Link{{Title: v.t("incident.title"), Href: incidentsHome}, {Title: i.Title, Href: incidentsHome + "/" + i.ID}}
	p.Lead = v.words.Rich("clock.draft.lead")
	p.Tabs = nil
	for _, l := range incident.Languages() {
		p.Tabs = append(p.Tabs, ui.Link{Title: v.t("language." + l), Href: incidentsHome + "/" + i.ID + "/draft?clock=" + v.query("clock") + "&language=" + l, Current: l == language})
	}
	return v.render("incident-draft", p)
}

func affectedPeople(v *visit) error {
	people, err := v.Incidents.People(v.ctx(), v.actor, v.r.PathValue("incident"))
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	h.Set("Cache-Control", "no-store")
	out := csv.NewWriter(v.w)
	rows := [][]string{{"number", "country", "calls"}}
	for _, x := range people {
		rows = append(rows, []string{x.Number, x.Country, strconv.FormatInt(x.Calls, 10)})
	}
	return out.WriteAll(rows)
}
