package web

import (
	"html/template"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/report"
	"parley/platform/fault"
	"parley/web/ui"
)

func (s *site) callRoutes() []route {
	return []route{
		{"GET /calls", account.ReadCalls, callList},
		{"GET /calls/{call}", account.ReadCalls, callPage},
		{"POST /calls/{call}/note", account.WriteCalls, keepNote},
		{"POST /calls/{call}/outcome", account.WriteCalls, sayOutcome},
		{"POST /calls/{call}/tags", account.WriteCalls, keepTags},
		{"POST /calls/{call}/delete", account.DeleteCalls, deleteCall},
	}
}

func callList(v *visit) error {
	s, err := v.sight("/calls", "last_30_days")
	if err != nil {
		return err
	}
	return s.fill(&reportPage{Frame: s.head(v.t("nav.calls"))}, callsReport)
}

func callsReport(s *sight) (template.HTML, []part, error) {
	t, err := s.callTable(s.Query.Filter, report.Calls)
	if err != nil {
		return "", nil, err
	}
	parts := []part{{Table: t}}
	if !s.Query.Filter.IsZero() {
		// Counting what a filter leaves reads every call of the range, which a list need not wait for.
		return s.lead("calls.lead_filtered"), parts, nil
	}
	rep, err := s.Reporter.Report(s.ctx(), s.Org, s.Query, 0)
	if err != nil {
		return "", nil, err
	}
	if rep.Calls() == 0 {
		return s.lead("reports.lead_none"), parts, nil
	}
	return s.lead("calls.lead", "Count", rep.Calls(), "Connected", rep.Connected(), "Unattended", rep.Unattended), parts, nil
}

// onePage shows everything that is known about a call.
type onePage struct {
	ui.Frame
	Call   *call.Call
	Facts  []ui.Fact
	Person *calledPerson  // nil where nobody is known
	Note   map[string]any // of the form; nil for who may not write
	Tags   ui.Field
	Acts   []ui.Action
	Danger []ui.Action
	Writes bool
}

// theCall is the call of the address. One of an agent whose calls the actor does not see is not there for them.
func (v *visit) theCall() (call.Key, error) {
	id := v.r.PathValue("call")
	k, err := call.ParseID(v.org().ID, id)
	if err != nil {
		return k, err
	}
	sees, err := v.actor.Sees(v.ctx(), k.Agent)
	if err == nil && !sees {
		err = fault.New(fault.NotFound, "There is no call %q here. It may have been deleted.", id)
	}
	if err == nil {
		err = v.concernCall(k)
	}
	return k, err
}

func callPage(v *visit) error {
	k, err := v.theCall()
	if err != nil {
		return err
	}
	c, err := v.Calls.One(v.ctx(), v.org(), k)
	if err != nil {
		return err
	}
	p := &onePage{Frame: v.frame(v.callTitle(c)), Call: c, Writes: v.actor.Can(account.WriteCalls)}
	p.Crumbs = []ui.Link{{Title: v.t("nav.calls"), Href: "/calls"}}
	p.Lead = v.words.Rich("call.lead", "Outcome", v.t("outcome."+c.Outcome.String()), "Time", v.words.DateTime(c.Row.At()), "Duration", v.words.Duration(int64(c.Row.Seconds)))
	if p.Facts, err = v.callFacts(c); err != nil {
		return err
	}
	if p.Person, err = v.calledPerson(c, k); err != nil {
		return err
	}
	if c.Number != "" {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("call.call_back"), Dial: c.Number, Icon: "call-back", Primary: true})
	}
	if p.Writes {
		p.Note = map[string]any{"ID": "call-note", "Label": v.t("call.note"), "Value": c.Note, "Href": "/calls/" + c.ID + "/note", "Fields": []ui.Param(nil)}
		p.Tags = ui.Field{Name: "tags", Label: v.t("call.tags"), Help: v.t("call.tags.help"), Value: strings.Join(c.Tags, ", ")}
	}
	if v.actor.Can(account.DeleteCalls) {
		p.Danger = []ui.Action{{Title: v.t("call.delete"), Href: "/calls/" + c.ID + "/delete", Icon: "trash", Post: true, Danger: true, Confirm: v.t("call.delete_title"), ConfirmText: v.t("call.delete_text")}}
	}
	return v.render("call", p)
}

// callTitle names a call by its direction and number.
func (v *visit) callTitle(c *call.Call) string {
	who := v.t("number.withheld")
	switch {
	case c.Number != "":
		who = v.phone(c.Number)
	case c.Presentation == call.PresentationErased:
		who = v.t("number.erased")
	}
	switch c.Row.Direction {
	case call.Incoming:
		return v.t("call.from", "Number", who)
	case call.Outgoing:
		return v.t("call.to", "Number", who)
	default:
		return v.t("call.with", "Number", who)
	}
}

func (v *visit) callFacts(c *call.Call) ([]ui.Fact, error) {
	line, err := v.lineFact(c)
	if err != nil {
		return nil, err
	}
	agent := ui.Cell{Text: v.t("agent.unseen"), Muted: true}
	switch m, err := v.Accounts.AgentByNo(v.ctx(), v.org().ID, c.Row.Agent); {
	case err == nil:
		agent = ui.Cell{Text: m.Name, Href: "/agents/" + string(m.ID)}
	case fault.KindOf(err) != fault.NotFound:
		return nil, err
	}
	facts := []ui.Fact{
		{Title: v.t("column.number"), Cell: v.callerCell(c)},
		{Title: v.t("column.when"), Cell: ui.Cell{Text: v.words.DateTime(c.Row.At())}},
		{Title: v.t("column.outcome"), Cell: ui.Cell{Tag: v.outcomeTag(c.Outcome, c.Row.Direction)}},
		{Title: v.t("column.duration"), Cell: ui.Cell{Text: v.words.Duration(int64(c.Row.Seconds))}},
		{Title: v.t("role.agent"), Cell: agent},
		{Title: v.t("whose.line"), Cell: line},
		{Title: v.t("filter.type"), Cell: ui.Cell{Text: v.t("type." + c.Row.Type.String())}},
		{Title: v.t("filter.source"), Cell: ui.Cell{Text: v.t("source." + c.Row.Source.String())}},
	}
	if c.Presentation != call.PresentationUnsaid && c.Presentation != call.PresentationAllowed {
		facts = append(facts, ui.Fact{Title: v.t("call.presentation"), Cell: ui.Cell{Text: v.t("presentation." + c.Presentation.String())}})
	}
	if c.Row.Ref < 0 {
		from, err := v.importFact(-c.Row.Ref)
		if err != nil {
			return nil, err
		}
		facts = append(facts, ui.Fact{Title: v.t("call.imported"), Cell: from})
	}
	return append(facts, ui.Fact{Title: v.t("call.synced"), Cell: ui.Cell{Time: unix(c.Row.Synced)}}), nil
}

// mostImports is how many imports back a call's own is looked for.
const mostImports = 500

// importFact names the import that brought a call, by its number.
func (v *visit) importFact(no int64) (ui.Cell, error) {
	all, err := v.Imports.List(v.ctx(), v.org(), mostImports)
	if err != nil {
		return ui.Cell{}, err
	}
	for i := range all {
		if all[i].No != no {
			continue
		}
		c := ui.Cell{Text: all[i].Name, Sub: v.words.Moment(all[i].StartedAt, v.Now())}
		if v.actor.Can(account.ImportCalls) {
			c.Href = "/imports/" + all[i].ID
		}
		return c, nil
	}
	return ui.Cell{Text: v.t("call.import_no", "No", no)}, nil
}

// lineFact names the line and the phone that reports for it.
func (v *visit) lineFact(c *call.Call) (ui.Cell, error) {
	l, err := v.Devices.LineByNo(v.ctx(), v.org(), c.Row.Line)
	if fault.KindOf(err) == fault.NotFound {
		return ui.Cell{Text: "–"}, nil
	}
	if err != nil {
		return ui.Cell{}, err
	}
	cell := ui.Cell{Text: v.lineName(l)}
	if l.Device == "" || !v.actor.Can(account.ReadDevices) {
		return cell, nil
	}
	d, err := v.Devices.Device(v.ctx(), v.org(), l.Device)
	if err != nil {
		return cell, err
	}
	cell.Sub = v.t("call.reported_by", "Device", d.Name)
	return cell, nil
}

// unix is a time in Unix seconds; 0 is none.
func unix(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0)
}

func keepNote(v *visit) error {
	k, err := v.theCall()
	if err != nil {
		return err
	}
	if err := v.Calls.SetNote(v.ctx(), v.org(), k, v.form("note"), v.actor.Member.ID); err != nil {
		return err
	}
	return v.to("/calls/"+k.ID(v.org().ID), v.good("note.saved"))
}

func keepTags(v *visit) error {
	k, err := v.theCall()
	if err != nil {
		return err
	}
	if err := v.Calls.SetTags(v.ctx(), v.org(), k, strings.Split(v.form("tags"), ",")); err != nil {
		return err
	}
	return v.to("/calls/"+k.ID(v.org().ID), v.good("call.tags_kept"))
}

func deleteCall(v *visit) error {
	k, err := v.theCall()
	if err != nil {
		return err
	}
	gone, err := v.Writer.Delete(v.ctx(), v.org(), []call.Key{k})
	if err != nil {
		return err
	}
	if len(gone) == 0 || !gone[0] {
		return fault.New(fault.NotFound, "There is no call %q here. It may have been deleted already.", k.ID(v.org().ID))
	}
	return v.to("/calls", v.good("call.deleted"))
}
