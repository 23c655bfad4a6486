package web

import (
	"html/template"
	"slices"
	"time"

	"parley/account"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/funnel"
	"parley/platform/fault"
	"parley/web/ui"
)

// reportRoutes are the reports. Each report has a page of its own; those that are a page of the navigation lead there.
func (s *site) reportRoutes() []route {
	return []route{
		{"GET /reports", account.ReadReports, reportIndex},
		{"GET /reports/{report}", account.ReadReports, reportPageOf},
		{"GET /definitions", account.ReadReports, metricsPage},
	}
}

// reportPath is the page of a report.
func reportPath(id report.ID) string {
	switch id {
	case report.Calls, report.Missed, report.Leaderboard:
		return "/" + string(id)
	default:
		return "/reports/" + string(id)
	}
}

// reportPage is a page with a report on it.
type reportPage struct {
	ui.Frame
	Filter ui.Filter
	Parts  []part
	Foot   *foot
}

// builder writes the parts of a report, and the answer in a sentence that stands above them.
type builder func(s *sight) (lead template.HTML, parts []part, err error)

// reportKind is how a report is shown.
type reportKind struct {
	id      report.ID
	group   string // of the index: a key of phrases after "reports."
	preset  string // the range of a page whose address names none
	compare bool
	build   builder
	leads   bool // it is about leads: filters of calls say nothing about it
}

// reportKinds are the reports in the order of the index.
func reportKinds() []reportKind {
	return []reportKind{
		{report.Summary, "group_figures", "last_30_days", true, summaryReport, false},
		{report.Leaderboard, "group_figures", "last_7_days", true, nil, false},
		{report.Analysis, "group_figures", "last_30_days", false, analysisReport, false},
		{report.Missed, "group_people", "last_7_days", false, nil, false},
		{report.NeverAttended, "group_people", "last_7_days", false, peopleReport(report.NeverAttended, stats.ListNeverAttended), false},
		{report.NeverPickedUp, "group_people", "last_7_days", false, peopleReport(report.NeverPickedUp, stats.ListNeverPickedUp), false},
		{report.Clients, "group_people", "last_30_days", false, peopleReport(report.Clients, stats.ListClients), false},
		{report.Reached, "group_people", "last_30_days", false, peopleReport(report.Reached, stats.ListReached), false},
		{report.NewClients, "group_people", "last_30_days", false, peopleReport(report.NewClients, stats.ListNew), false},
		{report.NotPickedUp, "group_calls", "last_7_days", false, notPickedUpReport, false},
		{report.Calls, "group_calls", "last_30_days", false, nil, false},
		{report.WorkingTime, "group_time", "last_7_days", false, workingTimeReport, false},
		{report.Hours, "group_time", "last_30_days", false, hoursReport, false},
		{report.Days, "group_time", "last_30_days", false, daysReport, false},
		{report.Heatmap, "group_time", "last_30_days", false, heatmapReport, false},
		{report.LeadPipeline, "group_leads", "last_30_days", false, leadReport(report.LeadPipeline), true},
		{report.LeadConversion, "group_leads", "last_30_days", false, leadReport(report.LeadConversion), true},
		{report.LeadResponse, "group_leads", "last_30_days", false, leadReport(report.LeadResponse), true},
		{report.Discipline, "group_leads", "last_30_days", false, leadReport(report.Discipline), true},
		{report.Recovery, "group_leads", "last_30_days", false, leadReport(report.Recovery), true},
	}
}

// reportIndexPage names each report in a sentence.
type reportIndexPage struct {
	ui.Frame
	Groups []reportGroup
}

type reportGroup struct {
	Title string
	Items []reportLine
}

type reportLine struct{ Title, Text, Href string }

func reportIndex(v *visit) error {
	p := &reportIndexPage{Frame: v.frame(v.t("nav.reports"))}
	p.Lead = v.words.Rich("reports.lead")
	for _, k := range reportKinds() {
		title := v.t("reports." + k.group)
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Title != title {
			p.Groups = append(p.Groups, reportGroup{Title: title})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Items = append(g.Items, reportLine{v.t("reports." + string(k.id)), v.t("reports." + string(k.id) + ".text"), reportPath(k.id)})
	}
	return v.render("reports", p)
}

func reportPageOf(v *visit) error {
	id := report.ID(v.r.PathValue("report"))
	kinds := reportKinds()
	i := slices.IndexFunc(kinds, func(k reportKind) bool { return k.id == id })
	if i < 0 {
		return fault.New(fault.NotFound, "There is no report %q. The page Reports lists those there are.", string(id))
	}
	if kinds[i].build == nil {
		path := reportPath(id)
		if q := v.r.URL.RawQuery; q != "" {
			path += "?" + q
		}
		return v.to(path)
	}
	return v.report(&kinds[i])
}

// report writes the page of a report.
func (v *visit) report(k *reportKind) error {
	s, err := v.sight(reportPath(k.id), k.preset)
	if err != nil {
		return err
	}
	s.own("sort", "states")
	if err := v.actor.Require(k.id.Needs()); err != nil {
		return err
	}
	s.leads = k.leads
	p := &reportPage{Frame: s.head(v.t("reports." + string(k.id)))}
	p.Crumbs = []ui.Link{{Title: v.t("nav.reports"), Href: "/reports"}}
	if k.compare {
		s.comparing(p.Range)
	}
	return s.fill(p, k.build)
}

// fill puts filter, parts and foot on a page.
func (s *sight) fill(p *reportPage, build builder) (err error) {
	if p.Filter, err = s.filter(); err != nil {
		return err
	}
	if p.Lead, p.Parts, err = build(s); err != nil {
		return err
	}
	f, err := s.foot()
	if err != nil {
		return err
	}
	p.Foot = &f
	return s.render("report", p)
}

// lead is the answer of a report in a sentence, which begins with whose calls and which days it is about.
func (s *sight) lead(key string, args ...any) template.HTML {
	return s.words.Rich(key, append([]any{"Scope", s.scopeTitle(), "Range", s.rangeInWords()}, args...)...)
}

// scopeTitle names whose calls are shown.
func (s *sight) scopeTitle() string {
	if s.Scope.Kind == report.ScopeTeams {
		return s.t("whose.your_teams")
	}
	return s.Scope.Title
}

// rangeInWords is the range within a sentence.
func (s *sight) rangeInWords() string {
	switch s.Ask.Preset {
	case "":
		return s.words.Range(s.From, s.To)
	default:
		return s.t("range.in." + s.Ask.Preset)
	}
}

// Headline figures of a summary, in order.
func headlines() []stats.MetricID {
	return []stats.MetricID{"calls", "connected", "unattended", "not_picked_up", "never_attended_clients", "unique_clients", "talk_seconds", "answer_rate"}
}

func summaryReport(s *sight) (template.HTML, []part, error) {
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, stats.WithPeople)
	if err != nil {
		return "", nil, err
	}
	base, err := s.base(stats.WithPeople)
	if err != nil {
		return "", nil, err
	}
	var tiles []ui.Tile
	for _, id := range headlines() {
		var spark []float64
		if m, _, _ := metric(id, &rep.Figures); m.List == "" && s.To-s.From > 1 {
			spark = sparks(rep.Days, id)
		}
		tiles = append(tiles, s.tile(id, &rep.Figures, base, spark))
	}
	parts := []part{{Tiles: tiles}}
	if s.To-s.From > 1 {
		parts = append(parts, part{Figure: s.dayChart(rep.Days, s.t("chart.days"), "connected", "unattended")})
	} else {
		parts = append(parts, part{Figure: s.hourChart(&rep.Hours, s.t("reports.hours"))})
	}
	parts = append(parts, part{Table: s.figureTable(&rep.Figures, base)})
	if rep.Calls() == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("reports.summary.lead", "Count", rep.Calls(), "Connected", rep.Connected(), "Clients", s.t("people.count", "Count", rep.UniqueClients), "Never", s.t("people.count", "Count", rep.NeverAttendedClients)), parts, nil
}

// figureTable lists every figure with its definition.
func (s *sight) figureTable(f *stats.Figures, base map[stats.MetricID]stats.Value) *ui.Table {
	t := &ui.Table{Title: s.t("reports.all_figures"), Exports: s.exports(report.Summary),
		Columns: []ui.Column{{Title: s.t("column.figure")}, {Title: s.t("column.value"), Numeric: true}}}
	if base != nil {
		t.Columns = append(t.Columns, ui.Column{Title: s.t("column.before"), Numeric: true, Help: s.against()}, ui.Column{Title: s.t("column.change"), Numeric: true})
	}
	for _, m := range stats.Metrics() {
		x, ok := m.Value(f)
		row := ui.Row{Cells: []ui.Cell{{Text: s.t("metric." + string(m.ID)), Href: "/definitions#" + string(m.ID), Sub: s.t("metric." + string(m.ID) + ".how")}, {Text: s.write(m.Unit, x, ok), Href: s.rows(m.ID)}}}
		if base != nil {
			b := base[m.ID]
			cells := []ui.Cell{{Text: s.write(m.Unit, b.Value, b.OK)}, {Text: "–"}}
			if b.OK && ok {
				c := s.change(&m, x, b.Value)
				cells[1] = ui.Cell{Tag: &ui.Tag{Text: c.Text, Kind: c.Kind}}
				if c.Same {
					cells[1] = ui.Cell{Text: s.t("change.same"), Muted: true}
				}
			}
			row.Cells = append(row.Cells, cells...)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// metricsPageStruct lists the definitions of all figures.
type metricsPageStruct struct {
	ui.Frame
	Metrics []metricLine
	Rules   string
}

type metricLine struct{ ID, Title, Text, Unit, Href string }

func metricsPage(v *visit) error {
	s, err := v.sight("/definitions", "last_30_days")
	if err != nil {
		return err
	}
	p := &metricsPageStruct{Frame: v.frame(v.t("metrics.title"))}
	p.Crumbs = []ui.Link{{Title: v.t("nav.reports"), Href: "/reports"}}
	p.Lead = v.words.Rich("metrics.lead")
	f, err := s.foot()
	if err != nil {
		return err
	}
	p.Rules = f.Rules
	for _, m := range stats.Metrics() {
		p.Metrics = append(p.Metrics, metricLine{string(m.ID), v.t("metric." + string(m.ID)), v.t("metric." + string(m.ID) + ".how"), v.t("unit." + string(m.Unit)), s.rows(m.ID)})
	}
	for _, m := range funnel.Metrics() {
		p.Metrics = append(p.Metrics, metricLine{string(m.ID), v.t("metric." + string(m.ID)), v.t("metric." + string(m.ID) + ".how"), v.t("unit." + string(m.Unit)), s.leadRows(&m, nil)})
	}
	return v.render("metrics", p)
}

// waited writes a time somebody waits in words of its size: minutes below an hour, days above one.
func (v *visit) waited(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 60:
		return v.words.Duration(s)
	case s < 24*3600:
		return v.words.Duration(s / 60 * 60)
	default:
		return v.t("duration.dh", "D", v.words.Number(s/86400), "H", s%86400/3600)
	}
}

// worked writes a time within working hours: in hours, since a day of 24 of them is not meant.
func (v *visit) worked(d time.Duration) string {
	if d < time.Minute {
		return v.words.Duration(int64(d / time.Second))
	}
	if d >= 3*time.Hour { // minutes no longer matter
		d = d.Round(time.Hour)
	}
	return v.hoursMinutes(int64(d / time.Second))
}
