package web

import (
	"cmp"
	"slices"
	"strconv"

	"parley/crm/attach"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// rowsForm is a form with rows of fields, such as the stages of a pipeline; the last rows are empty, for new ones.
type rowsForm struct {
	form
	Rows  string // their heading
	Text  string
	Name  string // that faults about them have
	Heads []string
	Lines [][]ui.Field // the fields of each row, their labels for screen readers
}

// emptyRows is how many rows are free for new ones.
const emptyRows = 3

func pipelineForm(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	p, rule, err := d.thePipeline()
	if err != nil {
		return err
	}
	return v.render("rows-form", d.pipelinePage(p, rule))
}

// thePipeline is the pipeline of the address with its rule; a new one where it names none.
func (d *desk) thePipeline() (lead.Pipeline, attach.StageRule, error) {
	key := d.query("key")
	if key == "" {
		return lead.Pipeline{}, attach.StageRule{}, nil
	}
	p := d.pipeline(key)
	if p == nil {
		return lead.Pipeline{}, attach.StageRule{}, fault.New(fault.NotFound, "There is no such pipeline. Choose one in the settings.")
	}
	rules, err := d.Attach.StageRules(d.ctx(), d.DB, d.org().ID)
	return *p, rules[key], err
}

func (d *desk) pipelinePage(p lead.Pipeline, rule attach.StageRule) *rowsForm {
	f := &rowsForm{Rows: d.t("leadset.stages"), Text: d.t("leadset.stages.text"), Name: "stages", Heads: []string{d.t("leadset.place"), d.t("leadset.name"), d.t("leadset.probability")}}
	f.Frame, f.Submit = d.leadSettingsFrame(nonEmpty(p.Title, d.t("leadset.pipeline.add"))), d.t("leadset.save")
	f.Hidden = []ui.Param{{Name: "rev", Value: strconv.FormatInt(p.Rev, 10)}}
	about := section{Fields: []ui.Field{
		{Name: "title", Label: d.t("leadset.name"), Value: p.Title, Size: "medium", Focus: p.Key == ""},
		{Name: "currency", Label: d.t("leadset.currency"), Help: d.t("leadset.currency.help"), Value: p.Currency, Optional: true, Size: "short"},
		{Name: "win_reason", Label: d.t("leadset.win_reason"), Type: "check", Checked: p.WinReason},
		{Name: "lose_reason", Label: d.t("leadset.lose_reason"), Type: "check", Checked: p.LoseReason},
	}}
	if p.Key == "" {
		f.Sections = []section{about}
	} else {
		about.Fields = append(about.Fields, ui.Field{Name: "archived", Label: d.t("leadset.archive"), Help: d.t("leadset.archive.help"), Type: "check", Checked: p.Archived})
		f.Heads = append(f.Heads, d.t("leadset.take_out"))
		moves := section{Title: d.t("leadset.rule"), Text: d.t("leadset.rule.text")}
		for _, x := range []struct{ name, value string }{{"attempted", rule.Attempted}, {"connected", rule.Connected}} {
			to := ui.Field{Name: x.name, Label: d.t("leadset." + x.name), Type: "select", Value: x.value, Size: "medium", Options: []ui.Option{{Title: d.t("leadset.stays")}}}
			for _, s := range p.Active() {
				if s.Key != "" {
					to.Options = append(to.Options, ui.Option{Value: s.Key, Title: s.Title})
				}
			}
			moves.Fields = append(moves.Fields, to)
		}
		f.Sections = []section{about, moves}
	}
	stages := slices.Clone(p.Stages)
	for range emptyRows {
		stages = append(stages, lead.Stage{})
	}
	for i, s := range stages {
		f.Lines = append(f.Lines, d.stageRow(i, s, p.Key != ""))
	}
	return f
}

func (d *desk) stageRow(i int, s lead.Stage, known bool) []ui.Field {
	n := strconv.Itoa(i)
	if s.Title != "" {
		f := []ui.Field{
			{Name: "place-" + n, Label: d.t("leadset.place"), Type: "number", Min: "1", Max: "99", Value: strconv.Itoa(i + 1), Size: "short"},
			{Name: "title-" + n, Label: d.t("leadset.name"), Value: s.Title},
			{Name: "chance-" + n, Label: d.t("leadset.probability"), Type: "number", Min: "0", Max: "100", Value: strconv.Itoa(s.Probability), Size: "short"},
			{Name: "key-" + n, Type: "hidden", Value: s.Key},
		}
		if known {
			f = slices.Insert(f, 3, ui.Field{Name: "gone-" + n, Label: d.t("leadset.take_out"), Type: "check", Checked: s.Gone})
		}
		return f
	}
	f := []ui.Field{{Name: "place-" + n, Label: d.t("leadset.place"), Type: "number", Min: "1", Max: "99", Value: strconv.Itoa(i + 1), Size: "short"},
		{Name: "title-" + n, Label: d.t("leadset.new_row")}, {Name: "chance-" + n, Label: d.t("leadset.probability"), Type: "number", Min: "0", Max: "100", Size: "short"}}
	if known {
		f = append(f, ui.Field{Type: "none"})
	}
	return f
}

// row is one line of a form of rows as it was sent.
type row struct {
	place              int
	title, key, chance string
	state              string
	gone, next         bool
}

// rows reads the lines of a form that have a title or a key, by their places.
func (v *visit) rows() []row {
	const most = 200
	var out []row
	for i := range most {
		n := strconv.Itoa(i)
		r := row{title: v.form("title-" + n), key: v.form("key-" + n), chance: v.form("chance-" + n), state: v.form("state-" + n), gone: v.checked("gone-" + n), next: v.checked("next-" + n)}
		if r.title == "" && r.key == "" {
			continue
		}
		if place, err := strconv.Atoi(v.form("place-" + n)); err == nil {
			r.place = place
		} else {
			r.place = most
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(a.place, b.place) })
	return out
}

func savePipeline(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	p, rule, err := d.thePipeline()
	if err != nil {
		return err
	}
	before := rule
	if err = d.readPipeline(&p, &rule); err == nil {
		err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
			kept, err := v.Leads.SavePipeline(v.ctx(), tx, v.org(), v.actor.Member.ID, p)
			if err != nil || rule == before {
				return err
			}
			return v.Attach.SetStageRule(v.ctx(), tx, v.actor, kept.Key, rule)
		})
	}
	if err != nil {
		return v.again("rows-form", d.pipelinePage(p, rule), err)
	}
	return v.to(leadSettingsPath, v.good("leadset.saved"))
}

// readPipeline reads the form over a pipeline and its rule.
func (d *desk) readPipeline(p *lead.Pipeline, rule *attach.StageRule) error {
	var err error
	if p.Rev, err = strconv.ParseInt(d.form("rev"), 10, 64); err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	p.Title, p.Currency = d.form("title"), d.form("currency")
	p.WinReason, p.LoseReason = d.checked("win_reason"), d.checked("lose_reason")
	if p.Key != "" {
		p.Archived = d.checked("archived")
		rule.Attempted, rule.Connected = d.form("attempted"), d.form("connected")
	}
	p.Stages = nil
	for _, r := range d.rows() {
		s := lead.Stage{Key: r.key, Title: r.title, Gone: r.gone}
		if r.chance != "" {
			n, bad := strconv.Atoi(r.chance)
			if bad != nil {
				err = fault.Field("stages", "The stage %q has the probability %q. Write a number between 0 and 100.", r.title, r.chance)
			}
			s.Probability = n
		}
		p.Stages = append(p.Stages, s)
	}
	return err
}

func reasonsForm(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	return v.render("rows-form", d.reasonsPage(d.reasons))
}

func (d *desk) reasonsPage(all []lead.Reason) *rowsForm {
	f := &rowsForm{Rows: d.t("leadset.reasons"), Text: d.t("leadset.reasons.text"), Name: "reasons", Heads: []string{d.t("leadset.place"), d.t("leadset.name"), d.t("lead.state"), d.t("leadset.take_out")}}
	f.Frame, f.Submit = d.leadSettingsFrame(d.t("leadset.reasons")), d.t("leadset.save")
	rows := slices.Clone(all)
	for range emptyRows {
		rows = append(rows, lead.Reason{State: lead.Lost})
	}
	for i, r := range rows {
		n := strconv.Itoa(i)
		state := ui.Field{Name: "state-" + n, Label: d.t("lead.state"), Type: "select", Value: r.State.String()}
		for _, st := range []lead.State{lead.Won, lead.Lost} {
			if r.Key == "" || st == r.State { // a reason cannot change sides
				state.Options = append(state.Options, ui.Option{Value: st.String(), Title: d.t("lead.state." + st.String())})
			}
		}
		line := []ui.Field{{Name: "place-" + n, Label: d.t("leadset.place"), Type: "number", Min: "1", Max: "199", Value: strconv.Itoa(i + 1), Size: "short"},
			{Name: "title-" + n, Label: nonEmpty(r.Title, d.t("leadset.new_row")), Value: r.Title}, state}
		if r.Key != "" {
			line = append(line, ui.Field{Name: "gone-" + n, Label: d.t("leadset.take_out"), Type: "check", Checked: r.Gone}, ui.Field{Name: "key-" + n, Type: "hidden", Value: r.Key})
		} else {
			line = append(line, ui.Field{Type: "none"})
		}
		f.Lines = append(f.Lines, line)
	}
	return f
}

func saveReasons(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	var all, offered []lead.Reason
	for _, r := range v.rows() {
		x := lead.Reason{Key: r.key, Title: r.title, Gone: r.gone}
		if x.State, err = lead.ParseState(r.state); err != nil {
			return err
		}
		all = append(all, x)
		if !x.Gone {
			offered = append(offered, x)
		}
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		_, err := v.Leads.SaveReasons(v.ctx(), tx, v.org(), offered)
		return err
	})
	if err != nil {
		return v.again("rows-form", d.reasonsPage(all), err)
	}
	return v.to(leadSettingsPath, v.good("leadset.saved"))
}
