package web

import (
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/platform/fault"
	"parley/web/ui"
)

// lineRoutes change the lines of agents.
func (s *site) lineRoutes() []route {
	return []route{
		{"GET /people/{member}/lines/add", account.ManagePeople, addLineForm},
		{"POST /people/{member}/lines/add", account.ManagePeople, addLine},
		{"GET /lines/{line}", account.ManagePeople, lineForm},
		{"POST /lines/{line}", account.ManagePeople, changeLine},
		{"POST /lines/{line}/move", account.ManagePeople, moveLine},
		{"POST /lines/{line}/archive", account.ManagePeople, archiveLine},
	}
}

func (v *visit) lineFields(number, label string, slot int) []ui.Field {
	f := ui.Field{Name: "sim_slot", Label: v.t("line.slot"), Type: "select", Size: "medium", Value: strconv.Itoa(slot), Options: []ui.Option{{Value: "0", Title: v.t("line.slot.none")}}}
	for i := 1; i <= 4; i++ {
		f.Options = append(f.Options, ui.Option{Value: strconv.Itoa(i), Title: v.t("line.sim", "Slot", i)})
	}
	return []ui.Field{
		{Name: "number", Label: v.t("line.number"), Help: v.t("people.number.help"), Type: "tel", Value: number, Optional: true, Size: "medium", Complete: "off", Focus: true},
		{Name: "label", Label: v.t("line.label"), Help: v.t("line.label.help"), Value: label, Optional: true, Size: "medium", Complete: "off"},
		f,
	}
}

func (v *visit) slot() int {
	n, err := strconv.Atoi(v.form("sim_slot"))
	if err != nil {
		return 0
	}
	return n
}

// agentOf gives the agent of the address.
func (v *visit) agentOf() (*account.Member, error) {
	m, err := v.seen(account.MemberID(v.r.PathValue("member")))
	if err == nil && m.Agent == 0 {
		err = fault.New(fault.NotFound, "%s is no agent, and so has no lines. Have their calls kept first.", m.Name)
	}
	return m, err
}

func (v *visit) addLinePage(m *account.Member, n device.NewLine) *form {
	p := &form{Frame: v.under(v.t("line.add"), ui.Link{Title: v.t("nav.people"), Href: "/people"}, ui.Link{Title: m.Name, Href: personPath(m.ID)}), Submit: v.t("line.add")}
	p.Sections = []section{{Fields: v.lineFields(n.Number, n.Label, n.SIMSlot)}}
	return p
}

func addLineForm(v *visit) error {
	m, err := v.agentOf()
	if err != nil {
		return err
	}
	return v.render("form", v.addLinePage(m, device.NewLine{}))
}

func addLine(v *visit) error {
	m, err := v.agentOf()
	if err != nil {
		return err
	}
	n := device.NewLine{Agent: m.Agent, Number: v.form("number"), Label: v.form("label"), SIMSlot: v.slot()}
	if _, err := v.Devices.AddLine(v.ctx(), v.org(), n); err != nil {
		return v.again("form", v.addLinePage(m, n), err)
	}
	return v.to(personPath(m.ID), v.good("line.added"))
}

// linePage changes one line: what it is called, whose it is, and whether it is in use.
type linePage struct {
	form
	Line    *device.Line
	Move    form
	Archive ui.Action
	Notes   []ui.Note
}

func (p *linePage) mark() {
	p.form.mark()
	p.Move.Errors = p.Errors
	p.Move.mark()
}

// change is what the form of a line says.
func (v *visit) lineChange() device.LineChange {
	number, label, slot := v.form("number"), v.form("label"), v.slot()
	return device.LineChange{Number: &number, Label: &label, SIMSlot: &slot}
}

// linePage shows a line; c is what the form said when it came back, nil at first.
func (v *visit) linePage(c *device.LineChange) (*linePage, error) {
	l, err := v.Devices.Line(v.ctx(), v.org(), device.LineID(v.r.PathValue("line")))
	if err != nil {
		return nil, err
	}
	holder, err := v.Accounts.AgentByNo(v.ctx(), v.org().ID, l.Agent)
	if err != nil {
		return nil, err
	}
	number, label, slot := v.lineNumber(l), l.Label, l.SIMSlot
	if c != nil {
		number, label, slot = *c.Number, *c.Label, *c.SIMSlot
	}
	path := "/lines/" + string(l.ID)
	p := &linePage{Line: l, form: form{Frame: v.under(v.lineTitle(l), ui.Link{Title: v.t("nav.people"), Href: "/people"}, ui.Link{Title: holder.Name, Href: personPath(holder.ID)}),
		Action: path, Submit: v.t("person.save"), Sections: []section{{Fields: v.lineFields(number, label, slot)}}}}
	if l.Archived() {
		p.Notes = []ui.Note{{Kind: ui.Warn, Title: v.t("line.archived"), Text: v.t("line.archived.text")}}
		return p, nil
	}
	p.Archive = ui.Action{Title: v.t("line.archive"), Href: path + "/archive", Post: true, Danger: true, Icon: "trash", Confirm: v.t("line.archive.title"), ConfirmText: v.t("line.archive.text")}
	p.Move, err = v.moveForm(path, holder)
	return p, err
}

func (v *visit) lineNumber(l *device.Line) string {
	if l.Number == "" {
		return ""
	}
	return v.lineTitle(l)
}

func (v *visit) moveForm(path string, holder *account.Member) (form, error) {
	agents, err := v.Accounts.Agents(v.ctx(), v.org().ID)
	to := ui.Field{Name: "to", Label: v.t("line.move.to"), Type: "select", Size: "medium", Value: v.form("to")}
	agents = slices.DeleteFunc(agents, func(m *account.Member) bool { return !m.Active || m.ID == holder.ID })
	for _, m := range agents {
		to.Options = append(to.Options, ui.Option{Value: string(m.ID), Title: m.Name})
	}
	from := ui.Field{Name: "at", Label: v.t("line.move.at"), Help: v.t("line.move.help", "Name", holder.Name), Type: "date", Size: "medium", Value: v.form("at"), Optional: true, Max: v.today().String()}
	f := form{Action: path + "/move", Submit: v.t("line.move")}
	if len(agents) > 0 {
		f.Sections = []section{{Fields: []ui.Field{to, from}}}
	}
	return f, err
}

func lineForm(v *visit) error {
	p, err := v.linePage(nil)
	if err != nil {
		return err
	}
	return v.render("line", p)
}

// lineDone goes back to the holder of a changed line, or shows the form again.
func (v *visit) lineDone(c *device.LineChange, said string, wrong error) error {
	p, err := v.linePage(c)
	if err != nil {
		return err
	}
	if wrong != nil {
		return v.again("line", p, wrong)
	}
	return v.to(p.Crumbs[len(p.Crumbs)-1].Href, v.good(said))
}

func changeLine(v *visit) error {
	c := v.lineChange()
	_, err := v.Devices.UpdateLine(v.ctx(), v.org(), device.LineID(v.r.PathValue("line")), c)
	return v.lineDone(&c, "line.changed", err)
}

func moveLine(v *visit) error {
	return v.lineDone(nil, "line.moved", v.moveLine())
}

func (v *visit) moveLine() error {
	m, err := v.seen(account.MemberID(v.form("to")))
	if err != nil {
		return err
	}
	var at time.Time
	if text := v.form("at"); text != "" {
		if at, err = time.ParseInLocation(time.DateOnly, text, v.org().Location()); err != nil {
			return fault.Field("at", "%q is not a day. Write it as year-month-day, for example 2026-03-02.", text)
		}
	}
	_, err = v.Devices.MoveLine(v.ctx(), v.org(), device.LineID(v.r.PathValue("line")), m.Agent, at)
	return err
}

func archiveLine(v *visit) error {
	return v.lineDone(nil, "line.archived.done", v.Devices.ArchiveLine(v.ctx(), v.org(), device.LineID(v.r.PathValue("line"))))
}
