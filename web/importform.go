package web

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/platform/fault"
	"parley/web/ui"
)

// importFormPage asks how a file is to be read.
type importFormPage struct {
	form
	Sample ui.Table
	Dry    string // what the second button says
}

func importForm(v *visit) error {
	f, err := v.staging.get(v.actor, v.r.PathValue("file"))
	if err != nil {
		return err
	}
	spec, err := v.firstSpec(f)
	if err != nil {
		return err
	}
	p, err := v.importFormPage(f, spec)
	if err != nil {
		return err
	}
	return v.render("import-new", p)
}

// firstSpec is what the form shows at first: how the file was tried, how one with these columns was read last, or what
// its content suggests.
func (v *visit) firstSpec(f *staged) (*ingest.ImportSpec, error) {
	if f.spec != nil {
		return f.spec, nil
	}
	g := f.guess
	spec := &ingest.ImportSpec{Name: f.name, Format: g.Format, Zone: v.org().Zone}
	if g.Format == logfile.Table {
		m := g.Mapping
		spec.Mapping = &m
	}
	if g.NeedsOurs {
		spec.Ours = ingest.OursAgents
	}
	last, ok, err := v.Imports.Remembered(v.ctx(), v.org(), g.Columns)
	if err != nil || !ok {
		return spec, err
	}
	m := last.Mapping
	spec.Mapping, spec.Zone, spec.Agent, spec.Ours, spec.OurNumbers = &m, last.Zone, last.Agent, last.Ours, last.OurNumbers
	return spec, nil
}

func (v *visit) importFormPage(f *staged, spec *ingest.ImportSpec) (*importFormPage, error) {
	g := f.guess
	p := &importFormPage{form: form{Frame: v.frame(f.name), Submit: v.t("imports.now")}, Dry: v.t("imports.dry")}
	p.Crumbs = []ui.Link{{Title: v.t("nav.imports"), Href: "/imports"}}
	p.Lead = v.words.Rich("imports.found", "Format", g.Title, "Size", v.size(f.file.Size()))
	agents, err := v.agentField(spec.Agent)
	if err != nil {
		return nil, err
	}
	who := section{Title: v.t("imports.whose"), Fields: []ui.Field{agents}}
	if g.NeedsOurs || g.Format == logfile.Table {
		who.Fields = append(who.Fields, v.oursFields(spec)...)
	}
	p.Sections = append(p.Sections, who)
	if g.Format == logfile.Table {
		p.Sections = append(p.Sections, v.columnSection(g, spec.Mapping))
		p.Sample = v.sample(g)
	}
	if !g.Zoned {
		zone := zoneField(v.words, spec.Zone, v.Now())
		zone.Label, zone.Help, zone.Follows = v.t("imports.zone"), v.t("imports.zone.help"), ""
		p.Sections = append(p.Sections, section{Title: v.t("imports.times"), Fields: v.timeFields(g, spec, zone)})
	}
	return p, nil
}

// size writes a number of bytes for people.
func (v *visit) size(n int64) string {
	switch {
	case n < 1000:
		return v.words.Number(n) + " B"
	case n < 1_000_000:
		return v.words.Number((n+500)/1000) + " KB"
	default:
		return v.words.Decimal(float64(n)/1e6, 1) + " MB"
	}
}

func (v *visit) agentField(chosen account.AgentNo) (ui.Field, error) {
	f := ui.Field{Name: "agent", Label: v.t("imports.agent"), Help: v.t("imports.agent.help"), Type: "select", Size: "medium",
		Options: []ui.Option{{Value: "", Title: v.t("imports.agent.file")}}}
	agents, err := v.Accounts.Agents(v.ctx(), v.org().ID)
	for _, m := range agents {
		if !m.Active {
			continue
		}
		f.Options = append(f.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		if m.Agent == chosen {
			f.Value = string(m.ID)
		}
	}
	return f, err
}

func (v *visit) oursFields(spec *ingest.ImportSpec) []ui.Field {
	ours := ui.Field{Name: "ours", Label: v.t("imports.ours"), Help: v.t("imports.ours.help"), Type: "radio", Value: string(spec.Ours)}
	if ours.Value == "" {
		ours.Value = string(ingest.OursAgents)
	}
	for _, o := range []ingest.Ours{ingest.OursAgents, ingest.OursList, ingest.OursAll} {
		ours.Options = append(ours.Options, ui.Option{Value: string(o), Title: v.t("imports.ours." + string(o)), Help: v.t("imports.ours." + string(o) + ".help")})
	}
	return []ui.Field{ours, {Name: "numbers", Label: v.t("imports.numbers"), Help: v.t("imports.numbers.help"), Type: "textarea", Rows: 2, Optional: true, Value: strings.Join(spec.OurNumbers, "\n")}}
}

// columnSection asks what each column means, beside what stands in it.
func (v *visit) columnSection(g *logfile.Guess, m *logfile.Mapping) section {
	s := section{Title: v.t("imports.columns"), Text: v.t("imports.columns.text")}
	meaning := map[string]logfile.Field{}
	if m != nil {
		for field, column := range m.Columns {
			meaning[column] = field
		}
	}
	options := []ui.Option{{Value: "", Title: v.t("imports.column.none")}}
	for _, f := range logfile.Fields() {
		options = append(options, ui.Option{Value: string(f), Title: v.t("imports.column." + string(f))})
	}
	for i, column := range g.Columns {
		s.Fields = append(s.Fields, ui.Field{Name: "col-" + strconv.Itoa(i), Label: column, Help: examples(g.Sample, i), Type: "select", Size: "medium",
			Value: string(meaning[column]), Options: options})
	}
	return s
}

// examples are the first different values of a column.
func examples(rows [][]string, column int) string {
	var out []string
	for _, r := range rows {
		if column >= len(r) || strings.TrimSpace(r[column]) == "" || slices.Contains(out, r[column]) {
			continue
		}
		value := r[column]
		if utf8.RuneCountInString(value) > 30 {
			value = string([]rune(value)[:30]) + "…"
		}
		if out = append(out, value); len(out) == 3 {
			break
		}
	}
	return strings.Join(out, " · ")
}

func (v *visit) sample(g *logfile.Guess) ui.Table {
	t := ui.Table{Title: v.t("imports.sample"), Matrix: true}
	for _, c := range g.Columns {
		t.Columns = append(t.Columns, ui.Column{Title: c})
	}
	for _, r := range g.Sample[:min(5, len(g.Sample))] {
		row := ui.Row{Cells: make([]ui.Cell, len(g.Columns))}
		for i := range row.Cells {
			if i < len(r) {
				row.Cells[i].Text = r[i]
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (v *visit) timeFields(g *logfile.Guess, spec *ingest.ImportSpec, zone ui.Field) []ui.Field {
	if g.Format != logfile.Table {
		return []ui.Field{zone}
	}
	order := ui.Field{Name: "date_order", Label: v.t("imports.order"), Help: v.t("imports.order.help"), Type: "radio"}
	if spec.Mapping != nil {
		order.Value = string(spec.Mapping.DateOrder)
	}
	for _, o := range []logfile.DateOrder{logfile.FromData, logfile.DayFirst, logfile.MonthFirst, logfile.YearFirst, logfile.EpochSeconds, logfile.EpochMillis} {
		key := string(o)
		if o == logfile.FromData {
			key = "data"
		}
		order.Options = append(order.Options, ui.Option{Value: string(o), Title: v.t("imports.order." + key)})
	}
	return []ui.Field{order, zone}
}

// startImport reads the form and begins.
func startImport(v *visit) error {
	f, err := v.staging.get(v.actor, v.r.PathValue("file"))
	if err != nil {
		return err
	}
	var spec *ingest.ImportSpec
	if v.checked("again") && f.spec != nil {
		again := *f.spec
		again.DryRun = false
		spec = &again
	} else if spec, err = v.readSpec(f); err != nil {
		return v.importAgain(f, spec, err)
	}
	imported, err := v.run(f, *spec)
	if err != nil {
		return v.importAgain(f, spec, err)
	}
	return v.to(importPath(imported))
}

func (v *visit) importAgain(f *staged, spec *ingest.ImportSpec, err error) error {
	p, pageErr := v.importFormPage(f, spec)
	if pageErr != nil {
		return pageErr
	}
	return v.again("import-new", p, err)
}

// readSpec gives what the form says, as far as it can be read, and what is wrong with it.
func (v *visit) readSpec(f *staged) (*ingest.ImportSpec, error) {
	spec := &ingest.ImportSpec{Name: f.name, Format: f.guess.Format, Zone: v.form("zone"), DryRun: v.checked("dry"), By: v.actor.Member.ID}
	if spec.Zone == "" {
		spec.Zone = v.org().Zone
	}
	var errs [3]error
	if who := v.form("agent"); who != "" {
		m, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(who))
		if err == nil {
			spec.Agent = m.Agent
		}
		errs[0] = err
	}
	spec.Ours, errs[1] = ingest.ParseOurs(v.form("ours"))
	for _, n := range strings.FieldsFunc(v.form("numbers"), func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
		if n = strings.TrimSpace(n); n != "" {
			spec.OurNumbers = append(spec.OurNumbers, n)
		}
	}
	if f.guess.Format == logfile.Table {
		spec.Mapping, errs[2] = v.readMapping(f.guess)
	}
	return spec, fault.Join(errs[:]...)
}

func (v *visit) readMapping(g *logfile.Guess) (*logfile.Mapping, error) {
	m := g.Mapping
	m.Columns = map[logfile.Field]string{}
	var errs []error
	var err error
	if m.DateOrder, err = logfile.ParseDateOrder(v.form("date_order")); err != nil {
		errs = append(errs, err)
	}
	for i, column := range g.Columns {
		name := "col-" + strconv.Itoa(i)
		field := logfile.Field(v.form(name))
		if field == "" {
			continue
		}
		if other, taken := m.Columns[field]; taken {
			errs = append(errs, fault.Field(name, "The columns %q and %q cannot both be %s. Choose one of them.", other, column, v.t("imports.column."+string(field))))
			continue
		}
		m.Columns[field] = column
	}
	return &m, fault.Join(errs...)
}
