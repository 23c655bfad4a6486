package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/crm/attach"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// leadSettingsRoutes arrange how an organisation works on its leads.
func (s *site) leadSettingsRoutes() []route {
	return []route{
		{"GET /leads/settings", account.ManagePipelines, leadSettings},
		{"GET /leads/settings/pipeline", account.ManagePipelines, pipelineForm},
		{"POST /leads/settings/pipeline", account.ManagePipelines, savePipeline},
		{"GET /leads/settings/reasons", account.ManagePipelines, reasonsForm},
		{"POST /leads/settings/reasons", account.ManagePipelines, saveReasons},
		{"GET /leads/settings/field", account.ManagePipelines, fieldForm},
		{"POST /leads/settings/field", account.ManagePipelines, saveField},
		{"GET /leads/settings/line", account.ManagePipelines, leadLineForm},
		{"POST /leads/settings/line", account.ManagePipelines, saveLeadLine},
	}
}

const leadSettingsPath = "/leads/settings"

// leadSettingsPage shows what can be arranged.
type leadSettingsPage struct {
	ui.Frame
	Acts  []ui.Action
	Parts []settingsPart
}

// settingsPart is a table with what is added to it.
type settingsPart struct {
	Table ui.Table
	Text  string
	Acts  []ui.Action
}

func leadSettings(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	p := &leadSettingsPage{Frame: v.under(v.t("leadset.title"), ui.Link{Title: v.t("nav.leads"), Href: "/leads"})}
	p.Lead = v.words.Rich("leadset.lead")
	p.Acts = []ui.Action{{Title: v.t("assign.title"), Href: assignPath, Icon: "people"}, {Title: v.t("followset.title"), Href: followSetPath, Icon: "clock"}}
	rules, err := v.Attach.StageRules(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	p.Parts = append(p.Parts, d.pipelinesPart(rules), d.reasonsPart())
	for _, of := range []string{field.OfLead, field.OfContact} {
		part, err := v.fieldsPart(of)
		if err != nil {
			return err
		}
		p.Parts = append(p.Parts, part)
	}
	part, err := d.linesPart()
	if err != nil {
		return err
	}
	groups, err := d.groupsPart()
	if err != nil {
		return err
	}
	p.Parts = append(p.Parts, part, groups)
	return v.render("lead-settings", p)
}

func (d *desk) pipelinesPart(rules map[string]attach.StageRule) settingsPart {
	part := settingsPart{Text: d.t("leadset.pipelines.text"), Acts: []ui.Action{{Title: d.t("leadset.pipeline.add"), Href: leadSettingsPath + "/pipeline", Icon: "plus"}}}
	part.Table = ui.Table{Title: d.t("leadset.pipelines"), Columns: []ui.Column{{Title: d.t("leadset.name")}, {Title: d.t("leadset.stages")}, {Title: d.t("leadset.rule")}}}
	for _, p := range d.pipelines {
		var stages, moves []string
		for _, s := range p.Active() {
			stages = append(stages, d.t("leadset.stage", "Name", s.Title, "Percent", d.words.Number(int64(s.Probability))))
		}
		if r := rules[p.Key]; r.Attempted != "" {
			moves = append(moves, d.t("leadset.attempted")+": "+d.stageTitle(p.Key, r.Attempted))
		}
		if r := rules[p.Key]; r.Connected != "" {
			moves = append(moves, d.t("leadset.connected")+": "+d.stageTitle(p.Key, r.Connected))
		}
		name := ui.Cell{Text: p.Title, Strong: true, Href: leadSettingsPath + "/pipeline?" + url.Values{"key": {p.Key}}.Encode()}
		if p.Archived {
			name.Sub = d.t("leadset.archived")
		}
		part.Table.Rows = append(part.Table.Rows, ui.Row{Muted: p.Archived, Cells: []ui.Cell{name, {Text: strings.Join(stages, " → ")}, {Text: nonEmpty(strings.Join(moves, ", "), d.t("leadset.by_hand"))}}})
	}
	return part
}

func (d *desk) reasonsPart() settingsPart {
	part := settingsPart{Acts: []ui.Action{{Title: d.t("leadset.reasons.edit"), Href: leadSettingsPath + "/reasons", Icon: "edit"}}}
	part.Table = ui.Table{Title: d.t("leadset.reasons"), Columns: []ui.Column{{Title: d.t("lead.state")}, {Title: d.t("leadset.reasons")}}}
	for _, st := range []lead.State{lead.Won, lead.Lost} {
		var titles []string
		for _, r := range d.reasons {
			if r.State == st && !r.Gone {
				titles = append(titles, r.Title)
			}
		}
		part.Table.Rows = append(part.Table.Rows, ui.Row{Cells: []ui.Cell{{Text: d.t("lead.state." + st.String()), Strong: true}, {Text: nonEmpty(strings.Join(titles, ", "), "–")}}})
	}
	return part
}

func (v *visit) fieldsPart(of string) (settingsPart, error) {
	path := leadSettingsPath + "/field?of=" + of
	part := settingsPart{Text: v.t("leadset.fields.text"), Acts: []ui.Action{{Title: v.t("leadset.field.add"), Href: path, Icon: "plus"}}}
	part.Table = ui.Table{Title: v.t("leadset.fields." + of), Columns: []ui.Column{{Title: v.t("leadset.name")}, {Title: v.t("leadset.kind")}, {Title: v.t("leadset.choices")}}}
	all, err := v.Fields.All(v.ctx(), v.DB, v.org().ID, of)
	for _, f := range all {
		name := ui.Cell{Text: f.Title, Strong: true, Href: path + "&" + url.Values{"key": {f.Key}}.Encode()}
		if f.Gone {
			name.Sub = v.t("leadset.gone")
		} else if f.Required {
			name.Sub = v.t("leadset.required")
		}
		part.Table.Rows = append(part.Table.Rows, ui.Row{Muted: f.Gone, Cells: []ui.Cell{name, {Text: v.t("leadset.kind." + string(f.Kind))}, {Text: strings.Join(f.Choices, ", ")}}})
	}
	part.Table.Empty = &ui.Empty{Icon: "edit", Title: v.t("leadset.fields.none"), Text: v.t("leadset.fields.none.text")}
	return part, err
}

func (d *desk) linesPart() (settingsPart, error) {
	part := settingsPart{Text: d.t("leadset.lines.text")}
	part.Table = ui.Table{Title: d.t("leadset.lines"), Columns: []ui.Column{{Title: d.t("leadset.line")}, {Title: d.t("leadset.makes")}, {Title: d.t("lead.source")}},
		Empty: &ui.Empty{Icon: "phone", Title: d.t("leadset.lines.none"), Text: d.t("leadset.lines.none.text")}}
	lines, err := d.Devices.Lines(d.ctx(), d.org())
	if err != nil {
		return part, err
	}
	set, err := d.Attach.LeadLines(d.ctx(), d.DB, d.org().ID)
	if err != nil {
		return part, err
	}
	for _, l := range lines {
		if l.Archived() {
			continue
		}
		makes, source := d.t("leadset.makes.none"), ""
		if i := slices.IndexFunc(set, func(s attach.LeadLine) bool { return s.Line == l.No }); i >= 0 {
			makes, source = d.makes(set[i]), set[i].Source
		}
		part.Table.Rows = append(part.Table.Rows, ui.Row{Cells: []ui.Cell{
			{Text: d.lineName(l), Strong: true, Href: leadSettingsPath + "/line?" + url.Values{"line": {string(l.ID)}}.Encode()}, {Text: makes}, {Text: source}}})
	}
	return part, nil
}

func (v *visit) makes(l attach.LeadLine) string {
	switch {
	case l.Incoming && l.Outgoing:
		return v.t("leadset.makes.both")
	case l.Incoming:
		return v.t("leadset.makes.incoming")
	default:
		return v.t("leadset.makes.outgoing")
	}
}

// leadSettingsFrame is the frame of a form of the settings.
func (v *visit) leadSettingsFrame(title string) ui.Frame {
	return v.under(title, ui.Link{Title: v.t("nav.leads"), Href: "/leads"}, ui.Link{Title: v.t("leadset.title"), Href: leadSettingsPath})
}

// fieldPage is the form of one own field.
func (v *visit) fieldPage(d field.Def) *form {
	p := &form{Frame: v.leadSettingsFrame(v.t("leadset.field.add")), Submit: v.t("leadset.save")}
	s := section{Fields: []ui.Field{{Name: "title", Label: v.t("leadset.name"), Value: d.Title, Size: "medium", Focus: true}}}
	if d.Key == "" {
		kind := ui.Field{Name: "kind", Label: v.t("leadset.kind"), Type: "select", Value: string(d.Kind), Size: "medium"}
		for _, k := range field.Kinds() {
			kind.Options = append(kind.Options, ui.Option{Value: string(k), Title: v.t("leadset.kind." + string(k))})
		}
		s.Fields = append(s.Fields, kind)
	} else {
		p.Title = v.t("leadset.field.edit")
	}
	if d.Key == "" || d.Kind == field.Choice {
		s.Fields = append(s.Fields, ui.Field{Name: "choices", Label: v.t("leadset.choices"), Help: v.t("leadset.choices.help"), Type: "textarea", Rows: 5, Value: strings.Join(d.Choices, "\n"), Optional: d.Key == "", Size: "medium"})
	}
	place := ""
	if d.Place != 0 {
		place = strconv.Itoa(d.Place)
	}
	s.Fields = append(s.Fields, ui.Field{Name: "required", Label: v.t("leadset.required.ask"), Type: "check", Checked: d.Required},
		ui.Field{Name: "place", Label: v.t("leadset.place"), Type: "number", Min: "1", Max: "999", Value: place, Optional: true, Size: "short"})
	if d.Key != "" {
		s.Fields = append(s.Fields, ui.Field{Name: "gone", Label: v.t("leadset.gone.ask"), Help: v.t("leadset.gone.help"), Type: "check", Checked: d.Gone})
	}
	p.Sections = []section{s}
	return p
}

// theField is the own field of the address; a new one where it names none.
func (v *visit) theField() (field.Def, error) {
	d := field.Def{Of: v.query("of"), Kind: field.Text}
	if d.Of != field.OfLead && d.Of != field.OfContact {
		return d, fault.New(fault.NotFound, "Own fields are those of leads and of contacts. Choose one in the settings.")
	}
	key := v.query("key")
	if key == "" {
		return d, nil
	}
	all, err := v.Fields.All(v.ctx(), v.DB, v.org().ID, d.Of)
	if err != nil {
		return d, err
	}
	i := slices.IndexFunc(all, func(o field.Def) bool { return o.Key == key })
	if i < 0 {
		return d, fault.New(fault.NotFound, "There is no such field. Choose one in the settings.")
	}
	return all[i], nil
}

func fieldForm(v *visit) error {
	d, err := v.theField()
	if err != nil {
		return err
	}
	return v.render("form", v.fieldPage(d))
}

func saveField(v *visit) error {
	d, err := v.theField()
	if err != nil {
		return err
	}
	d.Title, d.Required, d.Gone = v.form("title"), v.checked("required"), d.Key != "" && v.checked("gone")
	if d.Key == "" {
		d.Kind = field.Kind(v.form("kind"))
	}
	if d.Key == "" || d.Kind == field.Choice {
		d.Choices = strings.Split(v.form("choices"), "\n")
	}
	d.Place = 0
	if v.form("place") != "" {
		d.Place, err = v.whole("place")
	}
	if err == nil && (d.Place < 0 || d.Place > 999) {
		err = fault.Field("place", "A place is a number from 1 to 999.")
	}
	if err == nil {
		err = v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
			_, err := v.Fields.Save(v.ctx(), tx, v.org().ID, d)
			return err
		})
	}
	if err != nil {
		return v.again("form", v.fieldPage(d), err)
	}
	return v.to(leadSettingsPath, v.good("leadset.saved"))
}

// theLeadLine is the line of the address with what it makes of unknown callers.
func (d *desk) theLeadLine() (*device.Line, attach.LeadLine, error) {
	var set attach.LeadLine
	l, err := d.Devices.Line(d.ctx(), d.org(), device.LineID(d.query("line")))
	if err != nil {
		return nil, set, err
	}
	all, err := d.Attach.LeadLines(d.ctx(), d.DB, d.org().ID)
	if i := slices.IndexFunc(all, func(s attach.LeadLine) bool { return s.Line == l.No }); i >= 0 {
		set = all[i]
	}
	set.Line = l.No
	return l, set, err
}

func (d *desk) leadLinePage(l *device.Line, set attach.LeadLine) *form {
	p := &form{Frame: d.leadSettingsFrame(d.lineName(l)), Submit: d.t("leadset.save")}
	p.Lead = d.words.Rich("leadset.line.lead")
	pipeline := ui.Field{Name: "pipeline", Label: d.t("lead.pipeline"), Type: "select", Value: set.Pipeline, Size: "medium", Options: []ui.Option{{Title: d.t("leadset.first")}}}
	for _, x := range d.pipelines {
		if !x.Archived {
			pipeline.Options = append(pipeline.Options, ui.Option{Value: x.Key, Title: x.Title})
		}
	}
	p.Sections = []section{{Fields: []ui.Field{
		{Name: "incoming", Label: d.t("leadset.incoming"), Type: "check", Checked: set.Incoming},
		{Name: "outgoing", Label: d.t("leadset.outgoing"), Type: "check", Checked: set.Outgoing},
		{Name: "min_seconds", Label: d.t("leadset.min"), Help: d.t("leadset.min.help"), Type: "number", Min: "0", Max: "3600", Value: strconv.Itoa(int(set.Min / time.Second)), Size: "short"},
		pipeline,
		{Name: "source", Label: d.t("lead.source"), Value: set.Source, Optional: true, Size: "medium"},
	}}}
	return p
}

func leadLineForm(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	l, set, err := d.theLeadLine()
	if err != nil {
		return err
	}
	return v.render("form", d.leadLinePage(l, set))
}

func saveLeadLine(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	l, set, err := d.theLeadLine()
	if err != nil {
		return err
	}
	set.Incoming, set.Outgoing, set.Pipeline, set.Source = v.checked("incoming"), v.checked("outgoing"), v.form("pipeline"), v.form("source")
	seconds, err := v.whole("min_seconds")
	if err == nil && (seconds < 0 || seconds > 3600) {
		err = fault.Field("min_seconds", "A call can be asked to last 0 to 3600 seconds; %d is outside.", seconds)
	}
	if err == nil {
		set.Min = time.Duration(seconds) * time.Second
		err = v.Attach.SetLeadLine(v.ctx(), v.actor, set)
	}
	if err != nil {
		return v.again("form", d.leadLinePage(l, set), err)
	}
	return v.to(leadSettingsPath, v.good("leadset.saved"))
}
