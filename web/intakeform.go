package web

import (
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/crm/field"
	"parley/crm/intake"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/sheet"
	"parley/web/ui"
)

func listForm(v *visit) error {
	f, err := v.lists.get(v.actor, v.r.PathValue("file"))
	if err != nil {
		return err
	}
	p, err := v.listFormPage(f, f.take)
	if err != nil {
		return err
	}
	return v.render("import-new", p)
}

// listFormPage asks how a list is to be read and what becomes of it.
func (v *visit) listFormPage(f *staged, spec *intake.Spec) (*importFormPage, error) {
	d, err := v.desk()
	if err != nil {
		return nil, err
	}
	g := f.look
	p := &importFormPage{form: form{Frame: v.under(f.name, v.listCrumbs(true)...), Submit: v.t("imports.now")}, Dry: v.t("imports.dry")}
	p.Lead = v.words.Rich("imports.found", "Format", v.t("intake.format."+g.Format), "Size", v.size(f.file.Size()))
	p.Sample = v.listSample(g)
	p.Sections = append(p.Sections, section{Title: v.t("intake.policy"), Fields: []ui.Field{v.policyField(spec)}}, section{Title: v.t("intake.give"), Fields: d.giveFields(spec)}, d.saidSection(spec))
	if len(g.Heads) == 0 {
		return p, nil
	}
	columns, err := v.mappingSection(g, spec)
	if err != nil {
		return nil, err
	}
	p.Sections = append(p.Sections, columns)
	if order := v.orderField(g, spec); order != nil {
		p.Sections = append(p.Sections, section{Title: v.t("imports.times"), Fields: []ui.Field{*order}})
	}
	return p, nil
}

func (v *visit) listSample(g *intake.Guess) ui.Table {
	t := ui.Table{Title: v.t("imports.sample"), Matrix: true}
	width := len(g.Heads)
	for _, h := range g.Heads {
		t.Columns = append(t.Columns, ui.Column{Title: h.Header})
	}
	if width == 0 {
		for _, key := range []string{"contact.name", "contact.company", "contact.number", "contact.email"} {
			t.Columns = append(t.Columns, ui.Column{Title: v.t(key)})
		}
		width = len(t.Columns)
	}
	for _, r := range g.Sample[:min(5, len(g.Sample))] {
		row := ui.Row{Cells: make([]ui.Cell, width)}
		for i := range row.Cells {
			if i < len(r) {
				row.Cells[i].Text = r[i]
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (v *visit) policyField(spec *intake.Spec) ui.Field {
	f := ui.Field{Name: "policy", Label: v.t("intake.policy.ask"), Type: "radio", Value: nonEmpty(string(spec.Policy), string(intake.Skip))}
	for _, p := range []intake.Policy{intake.Skip, intake.Update, intake.Both} {
		key := "intake.policy." + string(p)
		f.Options = append(f.Options, ui.Option{Value: string(p), Title: v.t(key), Help: v.t(key + ".help")})
	}
	return f
}

// giveFields ask who gets the rows.
func (d *desk) giveFields(spec *intake.Spec) []ui.Field {
	give := ui.Field{Name: "give", Label: d.t("intake.give.ask"), Help: d.t("intake.give.help"), Type: "radio", Value: nonEmpty(string(spec.Give), "nobody")}
	add := func(value string) {
		give.Options = append(give.Options, ui.Option{Value: value, Title: d.t("intake.give." + value)})
	}
	add("nobody")
	if spec.Kind == intake.Leads && d.AssignLead != nil {
		add(string(intake.ByRules))
	}
	add(string(intake.Fixed))
	member := ui.Field{Name: "member", Label: d.t("intake.member"), Type: "select", Value: string(spec.Member), Optional: true, Size: "medium", Options: append([]ui.Option{{Title: "–"}}, d.owners()[1:]...)}
	return []ui.Field{give, member}
}

// saidSection asks what is said of all rows.
func (d *desk) saidSection(spec *intake.Spec) section {
	s := section{Title: d.t("intake.said"), Text: d.t("intake.said.text")}
	if spec.Kind == intake.Leads {
		stage := ui.Field{Name: "stage", Label: d.t("lead.stage"), Type: "select", Size: "medium", Value: spec.Pipeline + "/" + spec.Stage}
		for _, p := range d.pipelines {
			if p.Archived {
				continue
			}
			for _, st := range p.Active() {
				title := st.Title
				if len(d.pipelines) > 1 {
					title = p.Title + ": " + st.Title
				}
				stage.Options = append(stage.Options, ui.Option{Value: p.Key + "/" + st.Key, Title: title})
			}
		}
		day := ""
		if spec.SourceDay != 0 {
			day = spec.SourceDay.String()
		}
		s.Fields = append(s.Fields, stage,
			ui.Field{Name: "source", Label: d.t("lead.source"), Value: spec.Source, Optional: true, Size: "medium"},
			ui.Field{Name: "source_day", Label: d.t("intake.field.source_day"), Type: "date", Value: day, Optional: true, Size: "medium"})
	}
	s.Fields = append(s.Fields, ui.Field{Name: "tags", Label: d.t("lead.tags"), Help: d.t("intake.tags.help"), Value: strings.Join(spec.Tags, ", "), Optional: true, Size: "medium"})
	return s
}

// mappingSection asks what each column means, beside what stands in it.
func (v *visit) mappingSection(g *intake.Guess, spec *intake.Spec) (section, error) {
	s := section{Title: v.t("imports.columns"), Text: v.t("intake.columns.text")}
	if g.Remembered {
		s.Text = v.t("intake.columns.remembered")
	}
	contacts, err := v.Fields.Of(v.ctx(), v.DB, v.org().ID, field.OfContact)
	if err != nil {
		return s, err
	}
	leads, err := v.Fields.Of(v.ctx(), v.DB, v.org().ID, field.OfLead)
	if err != nil {
		return s, err
	}
	own := map[intake.Field]string{}
	for _, d := range slices.Concat(contacts, leads) {
		own[intake.Field(d.Of+"."+d.Key)] = d.Title
	}
	options := []ui.Option{{Title: v.t("imports.column.none")}}
	for _, f := range intake.Fields(spec.Kind, contacts, leads) {
		title, ok := own[f]
		if !ok {
			title = v.t("intake.field." + string(f))
		}
		options = append(options, ui.Option{Value: string(f), Title: title})
	}
	if len(g.Sheets) > 1 {
		sheets := ui.Field{Name: "sheet", Label: v.t("intake.sheet"), Help: v.t("intake.sheet.help"), Type: "select", Size: "medium", Value: g.Mapping.Sheet}
		for _, name := range g.Sheets {
			sheets.Options = append(sheets.Options, ui.Option{Value: name, Title: name})
		}
		s.Fields = append(s.Fields, sheets)
	}
	for i, h := range g.Heads {
		f := ui.Field{Name: "col-" + strconv.Itoa(i), Label: h.Header, Help: examples(g.Sample, i), Type: "select", Size: "medium", Options: options}
		if h.Header == "" {
			f.Label = v.t("intake.column.nameless", "Place", v.words.Number(int64(h.Place)))
		}
		if spec.Mapping != nil {
			for _, c := range spec.Mapping.Columns {
				if c.Header == h.Header && c.Nth == h.Nth {
					f.Value = string(c.Field)
				}
			}
		}
		s.Fields = append(s.Fields, f)
	}
	return s, nil
}

// orderField asks for the order of day and month, nil where the file has no dates.
func (v *visit) orderField(g *intake.Guess, spec *intake.Spec) *ui.Field {
	if spec.Mapping == nil {
		return nil
	}
	f := &ui.Field{Name: "date_order", Label: v.t("imports.order"), Help: v.t("imports.order.help"), Type: "radio", Value: string(spec.Mapping.DateOrder)}
	for _, o := range []sheet.DateOrder{sheet.FromData, sheet.DayFirst, sheet.MonthFirst, sheet.YearFirst} {
		key := string(o)
		if o == sheet.FromData {
			key = "data"
		}
		f.Options = append(f.Options, ui.Option{Value: string(o), Title: v.t("imports.order." + key)})
	}
	if slices.Contains(g.Missing, intake.FieldDateOrder) && f.Value == "" {
		f.Help = v.t("intake.order.missing")
	}
	return f
}

// startList reads the form and begins.
func startList(v *visit) error {
	f, err := v.lists.get(v.actor, v.r.PathValue("file"))
	if err != nil {
		return err
	}
	spec := *f.take
	if v.checked("again") {
		spec.DryRun = false
	} else {
		other, err := v.readList(f, &spec)
		if err != nil {
			return v.listAgain(f, &spec, err)
		}
		if other {
			return v.lookAgain(f, spec)
		}
	}
	imported, err := v.take(f, spec)
	if err != nil {
		return v.listAgain(f, &spec, err)
	}
	return v.to(listPath(imported))
}

// lookAgain shows the form for another sheet of the workbook.
func (v *visit) lookAgain(f *staged, spec intake.Spec) error {
	ask := spec
	ask.Mapping = &intake.Mapping{Sheet: spec.Mapping.Sheet}
	g, err := v.Intake.Detect(v.ctx(), v.actor, f.file, f.file.Size(), ask)
	if err != nil {
		return v.listAgain(f, &spec, err)
	}
	m := g.Mapping
	ask.Mapping = &m
	f.look, f.take = g, &ask
	return v.to("/leads/imports/files/" + f.id)
}

func (v *visit) listAgain(f *staged, spec *intake.Spec, err error) error {
	p, pageErr := v.listFormPage(f, spec)
	if pageErr != nil {
		return pageErr
	}
	return v.again("import-new", p, err)
}

// readList reads what the form says into spec, as far as it can be read, and tells whether another sheet was chosen.
func (v *visit) readList(f *staged, spec *intake.Spec) (otherSheet bool, err error) {
	var errs [2]error
	spec.DryRun = v.checked("dry")
	spec.Policy, errs[0] = intake.ParsePolicy(v.form("policy"))
	spec.Give, spec.Member = intake.Give(v.form("give")), account.MemberID(v.form("member"))
	if spec.Give == "nobody" {
		spec.Give = intake.Nobody
	}
	spec.Pipeline, spec.Stage, _ = strings.Cut(v.form("stage"), "/")
	spec.Source, spec.Tags, spec.SourceDay = v.form("source"), nil, 0
	for t := range strings.SplitSeq(v.form("tags"), ",") {
		if t = strings.TrimSpace(t); t != "" {
			spec.Tags = append(spec.Tags, t)
		}
	}
	if day := v.form("source_day"); day != "" {
		if spec.SourceDay, err = civil.Parse(day); err != nil {
			errs[1] = fault.Field("source_day", "%s", fault.Sentence(err))
		}
	}
	if len(f.look.Heads) == 0 {
		return false, fault.Join(errs[:]...)
	}
	m := f.look.Mapping
	m.Columns, m.DateOrder = nil, sheet.DateOrder(v.form("date_order"))
	for i, h := range f.look.Heads {
		if to := v.form("col-" + strconv.Itoa(i)); to != "" {
			m.Columns = append(m.Columns, intake.Column{Header: h.Header, Nth: h.Nth, Field: intake.Field(to)})
		}
	}
	if name := v.form("sheet"); name != "" && name != m.Sheet {
		m.Sheet, otherSheet = name, true
	}
	spec.Mapping = &m
	return otherSheet, fault.Join(errs[:]...)
}
