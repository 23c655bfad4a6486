package web

import (
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/crm/assign"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/ui"
)

// commas reads a list that people write with commas or on lines.
func (v *visit) commas(name string) []string {
	var out []string
	for part := range strings.FieldsFuncSeq(v.typed(name), func(r rune) bool { return r == ',' || r == '\n' || r == ';' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// territoryText writes territories as the form takes them: country, state and postcode with blanks between.
func territoryText(all []assign.Territory, between string) string {
	var out []string
	for _, t := range all {
		out = append(out, strings.Join(strings.Fields(t.Country+" / "+t.State+" / "+t.Postcode), " "))
	}
	return strings.Join(out, between)
}

// territories reads them.
func (v *visit) territories(name string) []assign.Territory {
	var out []assign.Territory
	for _, line := range v.commas(name) {
		parts := append(strings.Split(line, "/"), "", "")
		out = append(out, assign.Territory{Country: strings.ToUpper(strings.TrimSpace(parts[0])), State: strings.TrimSpace(parts[1]), Postcode: strings.TrimSpace(parts[2])})
	}
	return out
}

// whole0 reads a number that may be left empty.
func (v *visit) whole0(name string) (int, error) {
	if v.form(name) == "" {
		return 0, nil
	}
	return v.whole(name)
}

// whom asks whom leads go to and how.
func (d *desk) whom(c *assign.Choice, waits bool) []section {
	var people, groups, ways []ui.Option
	for _, m := range d.owners()[1:] {
		if w, ok := c.Weights[account.MemberID(m.Value)]; ok {
			m.Help = d.t("assign.weight.has", "Count", w)
		}
		people = append(people, m)
	}
	for id, name := range d.teams {
		groups = append(groups, ui.Option{Value: string(id), Title: name})
	}
	slices.SortFunc(groups, func(a, b ui.Option) int { return strings.Compare(a.Title, b.Title) })
	for _, w := range assign.Ways() {
		ways = append(ways, ui.Option{Value: string(w), Title: d.t("assign.way." + string(w)), Help: d.t("assign.way." + string(w) + ".help")})
	}
	to := []ui.Field{{Name: "all", Label: d.t("assign.everybody"), Type: "check", Checked: c.To.All}}
	if len(groups) > 0 {
		to = append(to, ui.Field{Name: "teams", Label: d.t("nav.teams"), Type: "checks", Values: texts(c.To.Teams), Options: groups, Row: true, Optional: true})
	}
	to = append(to, ui.Field{Name: "members", Label: d.t("assign.members"), Type: "checks", Values: texts(c.To.Members), Options: people, Row: true, Optional: true},
		ui.Field{Name: "way", Label: d.t("assign.way"), Type: "radio", Value: nonEmpty(string(c.Way), string(assign.RoundRobin)), Options: ways},
		ui.Field{Name: "weights", Label: d.t("assign.weights"), Help: d.t("assign.weights.help"), Type: "textarea", Rows: 3, Value: d.weightsText(c), Optional: true, Size: "medium"})
	known := []ui.Field{
		{Name: "spoke_days", Label: d.t("assign.spoke_days"), Help: d.t("assign.spoke_days.help"), Type: "number", Min: "0", Max: "365", Value: unlessZero(c.SpokeDays), Optional: true, Size: "short"},
		{Name: "own_contacts", Label: d.t("assign.own_contacts"), Type: "check", Checked: c.OwnContacts}, {Name: "speaks", Label: d.t("assign.speaks"), Type: "check", Checked: c.Speaks},
		{Name: "covers", Label: d.t("assign.covers"), Type: "check", Checked: c.Covers}, {Name: "phoneless", Label: d.t("assign.phoneless"), Type: "check", Checked: c.Phoneless},
		{Name: "silent", Label: d.t("assign.silent"), Help: d.t("assign.silent.help"), Type: "number", Min: "0", Max: "720", Value: unlessZero(c.Silent), Optional: true, Size: "short"},
		{Name: "working", Label: d.t("assign.working"), Type: "check", Checked: c.Working},
	}
	if waits {
		known = append(known, ui.Field{Name: "queue", Label: d.t("assign.queue"), Type: "check", Checked: c.Away == assign.Queue},
			ui.Field{Name: "wait", Label: d.t("assign.wait"), Help: d.t("assign.wait.help"), Type: "number", Min: "0", Max: "720", Value: unlessZero(c.Wait), Optional: true, Size: "short"})
	}
	return []section{{Title: d.t("assign.to"), Fields: to}, {Title: d.t("assign.who_can"), Fields: known}}
}

func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// weightsText writes weights as "Name = 3" on lines.
func (d *desk) weightsText(c *assign.Choice) string {
	var out []string
	for _, m := range d.members {
		if w, ok := c.Weights[m.ID]; ok {
			out = append(out, m.Name+" = "+strconv.Itoa(w))
		}
	}
	return strings.Join(out, "\n")
}

// choice reads whom leads go to and how.
func (d *desk) choice(c *assign.Choice) (err error) {
	c.To = assign.Target{All: d.checked("all")}
	for _, m := range d.r.PostForm["members"] {
		c.To.Members = append(c.To.Members, account.MemberID(m))
	}
	for _, t := range d.r.PostForm["teams"] {
		c.To.Teams = append(c.To.Teams, account.TeamID(t))
	}
	c.Way, c.OwnContacts, c.Speaks, c.Covers, c.Phoneless, c.Working, c.Away = assign.Way(d.form("way")), d.checked("own_contacts"), d.checked("speaks"), d.checked("covers"), d.checked("phoneless"), d.checked("working"), assign.PassOver
	if d.checked("queue") {
		c.Away = assign.Queue
	}
	c.Weights = nil
	for line := range strings.SplitSeq(d.form("weights"), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, weight, _ := strings.Cut(line, "=")
		i := slices.IndexFunc(d.members, func(m *account.Member) bool { return strings.EqualFold(m.Name, strings.TrimSpace(name)) })
		n, bad := strconv.Atoi(strings.TrimSpace(weight))
		if i < 0 || bad != nil {
			return fault.Field("weights", "%q is no weight. Write a member's name, = and a whole number, such as Asha Verma = 3.", strings.TrimSpace(line))
		}
		if c.Weights == nil {
			c.Weights = map[account.MemberID]int{}
		}
		c.Weights[d.members[i].ID] = n
	}
	var errs [3]error
	c.SpokeDays, errs[0] = d.whole0("spoke_days")
	c.Silent, errs[1] = d.whole0("silent")
	c.Wait, errs[2] = d.whole0("wait")
	return fault.Join(errs[:]...)
}

// theRule is the rule of the address; a new one where it names none.
func (d *desk) theRule() (assign.Rule, error) {
	id := assign.RuleID(d.query("rule"))
	if id == "" {
		return assign.Rule{Choice: assign.Choice{Way: assign.RoundRobin, Phoneless: true}}, nil
	}
	all, err := d.Assign.Rules(d.ctx(), d.DB, d.org().ID)
	if i := slices.IndexFunc(all, func(r *assign.Rule) bool { return r.ID == id }); err == nil && i >= 0 {
		return *all[i], nil
	}
	if err == nil {
		err = fault.New(fault.NotFound, "There is no such rule. It may have been deleted.")
	}
	return assign.Rule{}, err
}

func (d *desk) rulePage(r *assign.Rule) *form {
	p := &form{Frame: d.assignFrame(nonEmpty(r.Name, d.t("assign.rule.add"))), Submit: d.t("leadset.save"), Hidden: []ui.Param{{Name: "rev", Value: strconv.FormatInt(r.Rev, 10)}}}
	var ways []ui.Option
	for _, x := range d.pipelines {
		if !x.Archived {
			ways = append(ways, ui.Option{Value: x.Key, Title: x.Title})
		}
	}
	list := func(name, help string, values []string) ui.Field {
		f := ui.Field{Name: name, Label: d.t("assign.when." + name), Value: strings.Join(values, ", "), Optional: true, Size: "medium"}
		if help != "" {
			f.Help = d.t("assign.when." + name + ".help")
		}
		return f
	}
	when := []ui.Field{list("sources", "help", r.When.Sources), list("words", "help", r.When.Words), list("countries", "help", r.When.Countries), list("languages", "help", r.When.Languages), list("tags", "", r.When.Tags),
		{Name: "territories", Label: d.t("assign.when.territories"), Help: d.t("assign.when.territories.help"), Type: "textarea", Rows: 3, Value: territoryText(r.When.Territories, "\n"), Optional: true, Size: "medium"}}
	if len(ways) > 1 {
		when = append(when, ui.Field{Name: "pipelines", Label: d.t("assign.when.pipelines"), Type: "checks", Values: r.When.Pipelines, Options: ways, Row: true, Optional: true})
	}
	when = append(when, ui.Field{Name: "hours", Label: d.t("assign.when.hours"), Type: "select", Value: string(r.When.Hours), Size: "medium",
		Options: []ui.Option{{Title: d.t("assign.hours.any")}, {Value: string(assign.Within), Title: d.t("assign.hours.within")}, {Value: string(assign.Outside), Title: d.t("assign.hours.outside")}}})
	whom := d.whom(&r.Choice, true)
	p.Sections = append([]section{{Fields: []ui.Field{{Name: "name", Label: d.t("leadset.name"), Value: r.Name, Size: "medium", Focus: r.ID == ""}, {Name: "off", Label: d.t("assign.off.ask"), Type: "check", Checked: r.Off}}},
		{Title: d.t("assign.for"), Text: d.t("assign.for.text"), Fields: when}}, whom...)
	p.Sections = append(p.Sections, section{Fields: []ui.Field{{Name: "onward", Label: d.t("assign.onward"), Type: "check", Checked: r.Onward}}})
	return p
}

func (d *desk) assignFrame(title string) ui.Frame {
	f := d.leadSettingsFrame(title)
	f.Crumbs = append(f.Crumbs, ui.Link{Title: d.t("assign.title"), Href: assignPath})
	return f
}

func ruleForm(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	r, err := d.theRule()
	if err != nil {
		return err
	}
	return v.render("form", d.rulePage(&r))
}

func saveRule(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	r, err := d.theRule()
	if err != nil {
		return err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	r.Rev, r.Name, r.Off, r.Onward = rev, v.form("name"), v.checked("off"), v.checked("onward")
	r.When = assign.When{Sources: v.commas("sources"), Words: v.commas("words"), Countries: v.commas("countries"), Languages: v.commas("languages"), Tags: v.commas("tags"), Territories: v.territories("territories"),
		Pipelines: v.r.PostForm["pipelines"], Hours: assign.Hours(v.form("hours")), Lines: r.When.Lines, Teams: r.When.Teams}
	if err = d.choice(&r.Choice); err == nil {
		_, err = v.Assign.SaveRule(v.ctx(), v.actor, r)
	}
	if err != nil {
		return v.again("form", d.rulePage(&r), err)
	}
	return v.to(assignPath, v.good("leadset.saved"))
}

func (d *desk) theRescue() (assign.Rescue, error) {
	id := assign.RuleID(d.query("rule"))
	if id == "" {
		return assign.Rescue{Reason: assign.NoAttempt, After: 4 * 60, Most: 2, ByRule: true, Choice: assign.Choice{Way: assign.RoundRobin, Phoneless: true}}, nil
	}
	all, err := d.Assign.Rescues(d.ctx(), d.DB, d.org().ID)
	if i := slices.IndexFunc(all, func(r *assign.Rescue) bool { return r.ID == id }); err == nil && i >= 0 {
		return *all[i], nil
	}
	if err == nil {
		err = fault.New(fault.NotFound, "There is no such rule. It may have been deleted.")
	}
	return assign.Rescue{}, err
}

func (d *desk) rescuePage(r *assign.Rescue) *form {
	p := &form{Frame: d.assignFrame(nonEmpty(r.Name, d.t("assign.rescue.add"))), Submit: d.t("leadset.save"), Hidden: []ui.Param{{Name: "rev", Value: strconv.FormatInt(r.Rev, 10)}}}
	whom := d.whom(&r.Choice, false)
	whom[0].Fields = slices.Insert(whom[0].Fields, 0, ui.Field{Name: "by_rule", Label: d.t("assign.by_rules"), Help: d.t("assign.by_rules.help"), Type: "check", Checked: r.ByRule})
	p.Sections = append([]section{{Fields: []ui.Field{{Name: "name", Label: d.t("leadset.name"), Value: r.Name, Size: "medium"}, {Name: "off", Label: d.t("assign.off.ask"), Type: "check", Checked: r.Off},
		{Name: "reason", Label: d.t("assign.rescue.when"), Type: "radio", Value: string(r.Reason), Options: []ui.Option{{Value: string(assign.NoAttempt), Title: d.t("assign.reason.attempt.ask")}, {Value: string(assign.LateFollowUp), Title: d.t("assign.reason.follow_up.ask")}}},
		{Name: "after", Label: d.t("assign.after"), Help: d.t("assign.after.help"), Type: "number", Min: "1", Max: "43200", Value: strconv.Itoa(r.After), Size: "short"},
		{Name: "sources", Label: d.t("assign.when.sources"), Value: strings.Join(r.Sources, ", "), Optional: true, Size: "medium"},
		{Name: "most", Label: d.t("assign.most"), Help: d.t("assign.most.help"), Type: "number", Min: "1", Max: "10", Value: strconv.Itoa(r.Most), Size: "short"}}}}, whom...)
	return p
}

func rescueForm(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	r, err := d.theRescue()
	if err != nil {
		return err
	}
	return v.render("form", d.rescuePage(&r))
}

func saveRescue(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	r, err := d.theRescue()
	if err != nil {
		return err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	r.Rev, r.Name, r.Off, r.Reason, r.Sources, r.ByRule = rev, v.form("name"), v.checked("off"), assign.Overdue(v.form("reason")), v.commas("sources"), v.checked("by_rule")
	var errs [3]error
	r.After, errs[0] = v.whole("after")
	r.Most, errs[1] = v.whole("most")
	errs[2] = d.choice(&r.Choice)
	if err = fault.Join(errs[:]...); err == nil {
		_, err = v.Assign.SaveRescue(v.ctx(), v.actor, r)
	}
	if err != nil {
		return v.again("form", d.rescuePage(&r), err)
	}
	return v.to(assignPath, v.good("leadset.saved"))
}

// closedPage asks on which days nobody works.
func (d *desk) closedPage(set *assign.Settings) *form {
	p := &form{Frame: d.assignFrame(d.t("assign.closed")), Submit: d.t("leadset.save"), Hidden: []ui.Param{{Name: "rev", Value: strconv.FormatInt(set.Rev, 10)}}}
	var lines []string
	for _, x := range set.Closed {
		lines = append(lines, strings.TrimSpace(x.Day.String()+" "+x.Title))
	}
	text := strings.Join(lines, "\n")
	if d.r.Method != "GET" {
		text = d.typed("closed")
	}
	p.Sections = []section{{Fields: []ui.Field{{Name: "holidays", Label: d.t("assign.holidays"), Type: "check", Checked: set.Holidays},
		{Name: "closed", Label: d.t("assign.closed.days"), Help: d.t("assign.closed.help"), Type: "textarea", Rows: 8, Value: text, Optional: true, Size: "medium"}}}}
	return p
}

func closedForm(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	set, err := v.Assign.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	return v.render("form", d.closedPage(set))
}

func saveClosed(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	set := assign.Settings{Holidays: v.checked("holidays")}
	if set.Rev, err = strconv.ParseInt(v.form("rev"), 10, 64); err != nil {
		return fault.New(fault.Invalid, "The form did not arrive whole. Open it again.")
	}
	for line := range strings.SplitSeq(v.form("closed"), "\n") {
		text, title, _ := strings.Cut(strings.TrimSpace(line), " ")
		if text == "" {
			continue
		}
		day, bad := civil.Parse(text)
		if bad != nil {
			err = fault.Field("closed", "%q is no day. Write days like 2026-11-08, each on a line of its own, with what they are behind them.", text)
			break
		}
		set.Closed = append(set.Closed, assign.ClosedDay{Day: day, Title: strings.TrimSpace(title)})
	}
	if err == nil {
		_, err = v.Assign.SetSettings(v.ctx(), v.actor, set)
	}
	if err != nil {
		return v.again("form", d.closedPage(&set), err)
	}
	return v.to(assignPath, v.good("leadset.saved"))
}
