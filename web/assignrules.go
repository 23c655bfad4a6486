package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

const assignPath = leadSettingsPath + "/assignment"

// assignRoutes arrange who gets a lead, and show who got which, and why.
func (s *site) assignRoutes() []route {
	return []route{
		{"GET " + assignPath, account.ReadLeads, assignPage},
		{"GET " + assignPath + "/rule", account.ManagePipelines, ruleForm},
		{"POST " + assignPath + "/rule", account.ManagePipelines, saveRule},
		{"POST " + assignPath + "/rules/{rule}/up", account.ManagePipelines, raiseRule},
		{"POST " + assignPath + "/rules/{rule}/delete", account.ManagePipelines, dropRule},
		{"GET " + assignPath + "/rescue", account.ManagePipelines, rescueForm},
		{"POST " + assignPath + "/rescue", account.ManagePipelines, saveRescue},
		{"GET " + assignPath + "/closed", account.ManagePipelines, closedForm},
		{"POST " + assignPath + "/closed", account.ManagePipelines, saveClosed},
		{"POST " + assignPath + "/away", account.WriteLeads, addAbsence},
		{"POST " + assignPath + "/away/{absence}/delete", account.WriteLeads, dropAbsence},
		{"POST /leads/{lead}/assign", account.AssignLeads, assignNow},
	}
}

// assignPageStruct shows the rules in order, who is away, and what was decided last.
type assignPageStruct struct {
	ui.Frame
	Parts []settingsPart
	Away  *form
}

func assignPage(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	p := &assignPageStruct{Frame: v.leadSettingsFrame(v.t("assign.title"))}
	p.Lead = v.words.Rich("assign.lead")
	for _, part := range []func(d *desk) (settingsPart, error){rulesPart, rescuesPart, awayPart, waitingPart, logPart} {
		one, err := part(d)
		if err != nil {
			return err
		}
		p.Parts = append(p.Parts, one)
	}
	if v.actor.Can(account.WriteLeads) {
		p.Away = d.awayForm()
	}
	return v.render("assignment", p)
}

func rulesPart(d *desk) (settingsPart, error) {
	part := settingsPart{Text: d.t("assign.rules.text")}
	part.Table = ui.Table{Title: d.t("assign.rules"), Columns: []ui.Column{{Title: d.t("leadset.name")}, {Title: d.t("assign.for")}, {Title: d.t("assign.to")}},
		Empty: &ui.Empty{Icon: "people", Title: d.t("assign.none"), Text: d.t("assign.none.text")}}
	may := d.actor.Can(account.ManagePipelines)
	if may {
		part.Acts = []ui.Action{{Title: d.t("assign.rule.add"), Href: assignPath + "/rule", Icon: "plus"}, {Title: d.t("assign.closed"), Href: assignPath + "/closed", Icon: "calendar"}}
		part.Table.Columns = append(part.Table.Columns, ui.Column{Title: d.t("table.actions"), Acts: true})
	}
	all, err := d.Assign.Rules(d.ctx(), d.DB, d.org().ID)
	for i, r := range all {
		row := ui.Row{Muted: r.Off, Cells: []ui.Cell{{Text: r.Name, Strong: true}, {Text: d.ruleWhen(&r.When)}, {Text: d.choiceText(&r.Choice)}}}
		if r.Off {
			row.Cells[0].Sub = d.t("assign.off")
		}
		if may {
			row.Cells[0].Href = assignPath + "/rule?" + url.Values{"rule": {string(r.ID)}}.Encode()
			path := assignPath + "/rules/" + string(r.ID)
			acts := []ui.Action{{Title: d.t("assign.delete"), Href: path + "/delete", Post: true, Icon: "trash", Confirm: d.t("assign.delete.confirm", "Name", r.Name), ConfirmText: d.t("assign.delete.text")}}
			if i > 0 {
				acts = slices.Insert(acts, 0, ui.Action{Title: d.t("assign.up"), Href: path + "/up", Post: true, Icon: "arrow-up"})
			}
			row.Cells = append(row.Cells, ui.Cell{Acts: acts})
		}
		part.Table.Rows = append(part.Table.Rows, row)
	}
	return part, err
}

// ruleWhen says in words which leads a rule is for.
func (d *desk) ruleWhen(w *assign.When) string {
	var out []string
	add := func(key string, values []string) {
		if len(values) > 0 {
			out = append(out, d.t("assign.when."+key)+" "+strings.Join(values, ", "))
		}
	}
	add("sources", w.Sources)
	add("words", w.Words)
	add("countries", w.Countries)
	add("languages", w.Languages)
	add("tags", w.Tags)
	var named []string
	for _, key := range w.Pipelines {
		if p := d.pipeline(key); p != nil {
			named = append(named, p.Title)
		}
	}
	add("pipelines", named)
	if len(w.Territories) > 0 {
		out = append(out, d.t("assign.when.territories")+" "+territoryText(w.Territories, ", "))
	}
	if w.Hours != assign.AnyTime {
		out = append(out, d.t("assign.hours."+string(w.Hours)))
	}
	return nonEmpty(strings.Join(out, "; "), d.t("assign.when.all"))
}

// choiceText says in words whom leads go to.
func (d *desk) choiceText(c *assign.Choice) string {
	out := d.targetText(&c.To) + ": " + d.t("assign.way."+string(c.Way))
	if c.SpokeDays > 0 {
		out += "; " + d.t("assign.spoke", "Count", c.SpokeDays)
	}
	return out
}

func (d *desk) targetText(t *assign.Target) string {
	if t.All {
		return d.t("assign.everybody")
	}
	var names []string
	for _, m := range t.Members {
		names = append(names, d.ownerName(m))
	}
	for _, x := range t.Teams {
		names = append(names, nonEmpty(d.teams[x], string(x)))
	}
	return strings.Join(names, ", ")
}

func rescuesPart(d *desk) (settingsPart, error) {
	part := settingsPart{Text: d.t("assign.rescues.text")}
	part.Table = ui.Table{Title: d.t("assign.rescues"), Columns: []ui.Column{{Title: d.t("leadset.name")}, {Title: d.t("assign.rescue.when")}, {Title: d.t("assign.to")}},
		Empty: &ui.Empty{Icon: "clock", Title: d.t("assign.rescues.none"), Text: d.t("assign.rescues.none.text")}}
	may := d.actor.Can(account.ManagePipelines)
	if may {
		part.Acts = []ui.Action{{Title: d.t("assign.rescue.add"), Href: assignPath + "/rescue", Icon: "plus"}}
		part.Table.Columns = append(part.Table.Columns, ui.Column{Title: d.t("table.actions"), Acts: true})
	}
	all, err := d.Assign.Rescues(d.ctx(), d.DB, d.org().ID)
	for _, r := range all {
		to := d.t("assign.by_rules")
		if !r.ByRule {
			to = d.choiceText(&r.Choice)
		}
		row := ui.Row{Muted: r.Off, Cells: []ui.Cell{{Text: r.Name, Strong: true}, {Text: d.t("assign.reason."+string(r.Reason), "Time", d.worked(time.Duration(r.After)*time.Minute))}, {Text: to}}}
		if may {
			row.Cells[0].Href = assignPath + "/rescue?" + url.Values{"rule": {string(r.ID)}}.Encode()
			row.Cells = append(row.Cells, ui.Cell{Acts: []ui.Action{{Title: d.t("assign.delete"), Href: assignPath + "/rules/" + string(r.ID) + "/delete", Post: true, Icon: "trash",
				Confirm: d.t("assign.delete.confirm", "Name", r.Name), ConfirmText: d.t("assign.delete.text")}}})
		}
		part.Table.Rows = append(part.Table.Rows, row)
	}
	return part, err
}

func awayPart(d *desk) (settingsPart, error) {
	part := settingsPart{Text: d.t("assign.away.text")}
	part.Table = ui.Table{Title: d.t("assign.away"), Columns: []ui.Column{{Title: d.t("assign.member")}, {Title: d.t("assign.from")}, {Title: d.t("assign.until")}, {Title: d.t("table.actions"), Acts: true}},
		Empty: &ui.Empty{Icon: "calendar", Title: d.t("assign.away.none"), Text: d.t("assign.away.none.text")}}
	all, err := d.Assign.Absences(d.ctx(), d.DB, d.org().ID, d.Now())
	for _, a := range all {
		row := ui.Row{Cells: []ui.Cell{{Text: d.ownerName(a.Member), Strong: true}, {Time: a.From}, {Time: a.Until}, {}}}
		if a.Member == d.actor.Member.ID || d.actor.Can(account.AssignLeads) {
			row.Cells[3].Acts = []ui.Action{{Title: d.t("assign.away.drop"), Href: assignPath + "/away/" + string(a.ID) + "/delete", Post: true, Icon: "trash"}}
		}
		part.Table.Rows = append(part.Table.Rows, row)
	}
	return part, err
}

func (d *desk) awayForm() *form {
	p := &form{Submit: d.t("assign.away.add"), Action: assignPath + "/away"}
	var fields []ui.Field
	if d.actor.Can(account.AssignLeads) {
		fields = append(fields, ui.Field{Name: "member", Label: d.t("assign.member"), Type: "select", Value: string(d.actor.Member.ID), Options: d.owners()[1:], Size: "medium"})
	}
	fields = append(fields, ui.Field{Name: "from", Label: d.t("assign.from"), Type: "datetime-local", Size: "medium"}, ui.Field{Name: "until", Label: d.t("assign.until"), Type: "datetime-local", Size: "medium"})
	p.Sections = []section{{Fields: fields}}
	return p
}

func addAbsence(v *visit) error {
	m := v.actor.Member.ID
	if v.form("member") != "" {
		m = account.MemberID(v.form("member"))
	}
	from, err := v.moment("from")
	if err != nil {
		return err
	}
	until, err := v.moment("until")
	if err != nil {
		return err
	}
	if _, err := v.Assign.AddAbsence(v.ctx(), v.actor, m, from, until); err != nil {
		return err
	}
	return v.to(assignPath, v.good("assign.away.added"))
}

func dropAbsence(v *visit) error {
	if err := v.Assign.DropAbsence(v.ctx(), v.actor, assign.AbsenceID(v.r.PathValue("absence"))); err != nil {
		return err
	}
	return v.to(assignPath, v.good("assign.away.dropped"))
}

// shownDecisions is how many decisions the page shows.
const shownDecisions = 30

func waitingPart(d *desk) (settingsPart, error) {
	part := settingsPart{}
	part.Table = ui.Table{Title: d.t("assign.waiting"), Columns: []ui.Column{{Title: d.t("nav.leads")}, {Title: d.t("assign.until")}},
		Empty: &ui.Empty{Icon: "check", Title: d.t("assign.waiting.none"), Text: d.t("assign.waiting.none.text")}}
	waiting, err := d.Assign.Waiting(d.ctx(), d.DB, d.org().ID, shownDecisions)
	if err != nil {
		return part, err
	}
	var ids []lead.ID
	for id := range waiting {
		ids = append(ids, id)
	}
	names, err := d.leadNames(ids)
	if err != nil {
		return part, err
	}
	slices.SortFunc(ids, func(a, b lead.ID) int { return waiting[a].Compare(waiting[b]) })
	for _, id := range ids {
		if name, ok := names[id]; ok {
			part.Table.Rows = append(part.Table.Rows, ui.Row{Cells: []ui.Cell{{Text: name, Href: "/leads/" + string(id), Strong: true}, {Time: waiting[id]}}})
		}
	}
	return part, nil
}

// leadNames are whom leads in sight are about.
func (d *desk) leadNames(ids []lead.ID) (map[lead.ID]string, error) {
	leads, err := d.Leads.Load(d.ctx(), d.DB, d.org().ID, ids...)
	if err != nil {
		return nil, err
	}
	out := map[lead.ID]string{}
	for id, l := range leads {
		if !d.sight.Sees(l.Owner) {
			continue
		}
		found, err := d.Contacts.Load(d.ctx(), d.DB, d.org().ID, l.Contact)
		if err != nil {
			return nil, err
		}
		c := found[l.Contact]
		if c != nil {
			d.concernContact(c)
		}
		out[id] = d.who(lead.Row{Lead: l, Who: c})
	}
	return out, nil
}

func logPart(d *desk) (settingsPart, error) {
	part := settingsPart{Text: d.t("assign.log.text")}
	f := assign.Filter{Lead: lead.ID(d.query("lead")), Nobody: d.query("nobody") != ""}
	all, _, err := d.Assign.Log(d.ctx(), d.DB, d.org().ID, d.sight, f, shownDecisions)
	if err != nil {
		return part, err
	}
	part.Table, err = d.decisions(all, true)
	return part, err
}

// decisions is a table of who got which lead, and why.
func (d *desk) decisions(all []assign.Entry, named bool) (ui.Table, error) {
	t := ui.Table{Title: d.t("assign.log"), Columns: []ui.Column{{Title: d.t("lead.history.when")}, {Title: d.t("lead.owner")}, {Title: d.t("lead.why")}},
		Empty: &ui.Empty{Icon: "history", Title: d.t("assign.log.none"), Text: d.t("assign.log.none.text")}}
	var ids []lead.ID
	for i := range all {
		ids = append(ids, all[i].Lead)
	}
	names := map[lead.ID]string{}
	if named {
		t.Columns = slices.Insert(t.Columns, 1, ui.Column{Title: d.t("nav.leads")})
		var err error
		if names, err = d.leadNames(ids); err != nil {
			return t, err
		}
	}
	for i := range all {
		e := &all[i]
		why := d.decisionWhy(&e.Decision)
		row := ui.Row{Cells: []ui.Cell{{Time: e.At}, {Text: d.ownerName(e.Owner), Muted: e.Owner == ""}, {Text: why, Sub: d.passedOver(e.Skipped)}}}
		if named {
			row.Cells = slices.Insert(row.Cells, 1, ui.Cell{Text: nonEmpty(names[e.Lead], "–"), Href: "/leads/" + string(e.Lead), Strong: true})
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// decisionWhy says in the reader's language why a lead went to somebody, or to nobody.
func (d *desk) decisionWhy(x *assign.Decision) string {
	var out []string
	for _, p := range x.Why {
		var args []any
		for name, value := range p.Args {
			args = append(args, name, d.decisionArg(p.Key, name, value))
		}
		out = append(out, d.t("assign.why."+string(p.Key), args...))
	}
	return strings.Join(out, " ")
}

func (d *desk) decisionArg(_ assign.Key, name, value string) string {
	switch name {
	case "Day":
		if day, err := civil.Parse(value); err == nil {
			return d.words.Date(day)
		}
	case "Until":
		if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
			return d.words.Moment(time.UnixMilli(ms), d.Now())
		}
	}
	return value
}

// passedOver says who could not have a lead.
func (d *desk) passedOver(all []assign.Skip) string {
	const most = 6
	var out []string
	for _, x := range all[:min(len(all), most)] {
		out = append(out, d.ownerName(x.Member)+" ("+d.t("assign.skip."+string(x.Reason))+")")
	}
	if len(out) == 0 {
		return ""
	}
	return d.t("assign.passed", "Who", strings.Join(out, ", "))
}

// assignNow has the rules say who gets a lead.
func assignNow(v *visit) error {
	_, l, err := v.theLead()
	if err != nil {
		return err
	}
	if err := v.DB.Tx(v.ctx(), func(tx *db.Tx) error { return v.AssignLead(v.ctx(), tx, v.org(), l) }); err != nil {
		return err
	}
	return v.to("/leads/"+string(l.ID), v.good("assign.asked"))
}

func raiseRule(v *visit) error {
	all, err := v.Assign.Rules(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	var order []assign.RuleID
	for _, r := range all {
		order = append(order, r.ID)
	}
	i := slices.Index(order, assign.RuleID(v.r.PathValue("rule")))
	if i < 0 {
		return fault.New(fault.NotFound, "There is no such rule. It may have been deleted.")
	}
	if i > 0 {
		order[i-1], order[i] = order[i], order[i-1]
		if err := v.Assign.OrderRules(v.ctx(), v.actor, order); err != nil {
			return err
		}
	}
	return v.to(assignPath, v.good("leadset.saved"))
}

func dropRule(v *visit) error {
	if err := v.Assign.DropRule(v.ctx(), v.actor, assign.RuleID(v.r.PathValue("rule"))); err != nil {
		return err
	}
	return v.to(assignPath, v.good("assign.deleted"))
}
