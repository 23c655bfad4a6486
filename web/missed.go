package web

import (
	"html/template"
	"slices"
	"time"

	"parley/account"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/platform/fault"
	"parley/web/ui"
)

func (s *site) missedRoutes() []route {
	return []route{
		{"GET /missed", account.ReadReports, missedPage},
		{"POST /missed/{key}/assign", account.WriteCalls, assignCallback},
		{"POST /missed/{key}/handle", account.WriteCalls, handleCallback},
		{"POST /missed/{key}/reopen", account.WriteCalls, reopenCallback},
	}
}

// missedTab is a part of the list of missed callers.
type missedTab struct {
	word   string // in the address and, after "missed.tab_", in the phrases
	states []stats.Recovery
}

func missedTabs() []missedTab {
	return []missedTab{
		{"open", []stats.Recovery{stats.Open}},
		{"attempted", []stats.Recovery{stats.Attempted}},
		{"recovered", []stats.Recovery{stats.RecoveredByUs, stats.RecoveredByCaller}},
		{"handled", []stats.Recovery{stats.Settled}},
		{"all", nil},
	}
}

func missedPage(v *visit) error {
	s, err := v.sight("/missed", "last_7_days")
	if err != nil {
		return err
	}
	s.own("state")
	p := &reportPage{Frame: s.head(v.t("nav.missed"))}
	return s.fill(p, func(s *sight) (template.HTML, []part, error) { return missedReport(s, &p.Frame) })
}

// tab is the part that the address asks for, the first one when it names none.
func (s *sight) tab() missedTab {
	tabs := missedTabs()
	word := s.query("state")
	return tabs[max(slices.IndexFunc(tabs, func(t missedTab) bool { return t.word == word }), 0)]
}

// settled are the callers of whom somebody said that no call is needed any more, and when.
func (v *visit) settled() (map[number.ID]callback.Callback, error) {
	return v.Callbacks.All(v.ctx(), v.org().ID)
}

func missedReport(s *sight, f *ui.Frame) (template.HTML, []part, error) {
	kept, err := s.settled()
	if err != nil {
		return "", nil, err
	}
	tab := s.tab()
	q := s.Reports.People(s.View, stats.ListMissed)
	q.States, q.After, q.Limit, q.Settled = tab.states, s.query("after"), pageRows, handledAt(kept)
	if len(tab.states) > 0 && !tab.states[0].Waiting() || tab.word == "all" {
		q.Sort = stats.SortLast
	}
	page, err := s.Reporter.People(s.ctx(), s.Org, q)
	if err != nil {
		return "", nil, err
	}
	f.Tabs = s.missedTabs(tab, page.ByState)
	var parts []part
	if mine, err := s.mine(); err != nil || mine != nil {
		if err != nil {
			return "", nil, err
		}
		parts = append(parts, part{Table: mine})
	}
	late, err := s.lateCallers(tab)
	if err != nil {
		return "", nil, err
	}
	if late != nil {
		parts = append(parts, part{Note: late})
	}
	t, err := s.missedTable(tab, page, kept)
	if err != nil {
		return "", nil, err
	}
	parts = append(parts, part{Table: t})
	waiting := page.ByState[stats.Open] + page.ByState[stats.Attempted]
	if waiting == 0 {
		return s.lead("missed.lead_none"), parts, nil
	}
	return s.lead("missed.lead", "Count", waiting, "Open", page.ByState[stats.Open]), parts, nil
}

// handledAt is when each caller was settled.
func handledAt(kept map[number.ID]callback.Callback) map[number.ID]time.Time {
	out := map[number.ID]time.Time{}
	for n, b := range kept {
		if !b.HandledAt.IsZero() {
			out[n] = b.HandledAt
		}
	}
	return out
}

func (s *sight) missedTabs(now missedTab, by map[stats.Recovery]int64) []ui.Link {
	var out []ui.Link
	var all int64
	for _, n := range by {
		all += n
	}
	for _, t := range missedTabs() {
		count := all
		if t.states != nil {
			count = 0
			for _, st := range t.states {
				count += by[st]
			}
		}
		out = append(out, ui.Link{Title: s.t("missed.tab_" + t.word), Href: s.here(s.Ask, "state", t.word), Current: t.word == now.word, Count: s.words.Number(count)})
	}
	return out
}

func (v *visit) missedColumns() []ui.Column {
	return []ui.Column{{Title: v.t("column.number")}, {Title: v.t("column.state")}, {Title: v.t("column.waiting"), Numeric: true, Help: v.t("column.waiting.help")}, {Title: v.t("column.last_missed")}, {Title: v.t("column.call_back")}, {Title: v.t("table.actions"), Acts: true}}
}

func (s *sight) missedTable(tab missedTab, page *stats.People, kept map[number.ID]callback.Callback) (*ui.Table, error) {
	known, err := s.knownCallers(page.People)
	if err != nil {
		return nil, err
	}
	t := &ui.Table{Title: s.t("missed.tab_" + tab.word), Note: s.t("people.count", "Count", page.Total), Columns: s.missedColumns(), Exports: s.exports(report.Missed), Pager: s.pager(page.Next)}
	n := names(s.Agents)
	for i := range page.People {
		t.Rows = append(t.Rows, s.missedRow(&page.People[i], kept[page.People[i].ID], n, known))
	}
	t.Empty = &ui.Empty{Icon: "check", Title: s.t("missed.none_" + tab.word), Text: s.t("missed.none.text")}
	return t, nil
}

// missedRow shows one missed caller: what became of them, and what can be done.
func (v *visit) missedRow(p *stats.Person, b callback.Callback, n names, known *knownCallers) ui.Row {
	state := b.State(p.LastMissed)
	handled := p.State == stats.Settled || state == callback.Handled && p.State.Waiting()
	row := ui.Row{ID: "n-" + string(p.Key), Muted: handled}
	row.Cells = []ui.Cell{
		v.numberCell(p.Number, string(p.Key), p.Name),
		{Tag: v.recoveryTag(p, handled), Sub: v.tried(p)},
		{Text: v.waited(p.Waiting), Sub: v.t("missed.business", "Time", v.worked(p.WaitingBusiness))},
		{Time: p.LastMissed, Sub: v.missedBy(p, n)},
		v.callbackCell(p, b, n, handled),
		{Acts: v.missedActs(p, handled)},
	}
	known.tell(v, p, handled, &row)
	if p.RecoveredAt.IsZero() {
		return row
	}
	by := v.nameCell(n, p.RecoveredBy)
	by.Sub = v.words.Moment(p.RecoveredAt, v.Now())
	row.Cells[4] = by
	return row
}

// tried says how often we called back in vain.
func (v *visit) tried(p *stats.Person) string {
	if p.Attempts == 0 {
		return ""
	}
	return v.t("missed.tried", "Count", p.Attempts)
}

// missedBy says whose phone rang, and how often.
func (v *visit) missedBy(p *stats.Person, n names) string {
	by := v.t("missed.by", "Agent", n.of(p.MissedBy))
	if p.Unattended < 2 {
		return by
	}
	return by + ", " + v.t("missed.times", "Count", p.Unattended)
}

func (v *visit) recoveryTag(p *stats.Person, handled bool) *ui.Tag {
	if handled {
		return &ui.Tag{Text: v.t("missed.handled"), Icon: "check"}
	}
	t := &ui.Tag{Text: v.t("recovery." + string(p.State)), Kind: ui.Good, Icon: "check"}
	switch p.State {
	case stats.Open:
		t.Kind, t.Icon = ui.Bad, "call-missed"
	case stats.Attempted:
		t.Kind, t.Icon = ui.Warn, "call-out"
	}
	return t
}

// callbackCell says who is to call back: whoever was asked to, else who is suggested, with a button that asks them.
func (v *visit) callbackCell(p *stats.Person, b callback.Callback, n names, handled bool) ui.Cell {
	if handled {
		return ui.Cell{Text: b.Note, Muted: true}
	}
	if b.State(p.LastMissed) == callback.Assigned {
		c := v.nameCell(n, b.AssignedTo)
		c.Sub = v.t("missed.assigned", "Time", v.words.Moment(b.AssignedAt, v.Now()))
		return c
	}
	for _, x := range p.Candidates {
		m := n[x.Agent]
		if m == nil || !m.Active {
			continue
		}
		c := ui.Cell{Text: m.Name, Href: "/agents/" + string(m.ID), Sub: v.t("why." + string(x.Why))}
		if v.actor.Can(account.WriteCalls) {
			c.Acts = []ui.Action{{Title: v.t("missed.assign"), Href: "/missed/" + string(p.Key) + "/assign", Post: true, Swap: true, Fields: v.fromHere(ui.Param{Name: "agent", Value: string(m.ID)})}}
		}
		return c
	}
	return ui.Cell{Text: "–", Muted: true}
}

// fromHere are the fields of a form that leads back to this page.
func (v *visit) fromHere(fields ...ui.Param) []ui.Param {
	return append(fields, ui.Param{Name: "back", Value: v.comeBack()})
}

// comeBack is the page to come back to: this one, or the one a fragment was asked for by.
func (v *visit) comeBack() string {
	if b := v.form("back"); b != "" {
		return local(b)
	}
	return v.r.URL.RequestURI()
}

func (v *visit) missedActs(p *stats.Person, handled bool) []ui.Action {
	var out []ui.Action
	writes := v.actor.Can(account.WriteCalls)
	path := "/missed/" + string(p.Key)
	if handled {
		if writes {
			out = append(out, ui.Action{Title: v.t("flash.undo"), Href: path + "/reopen", Post: true, Swap: true, Fields: v.fromHere()})
		}
		return out
	}
	if p.State.Waiting() {
		if p.Number != "" {
			out = append(out, ui.Action{Title: v.t("missed.call"), Dial: p.Number, Icon: "call-back"})
		}
		if writes {
			out = append(out, ui.Action{Title: v.t("missed.handle"), Href: path + "/handle", Icon: "check", Post: true, Swap: true, Fields: v.fromHere()})
		}
	}
	return out
}

// mine is what the actor was asked to call back; nil when that is nothing.
func (v *visit) mine() (*ui.Table, error) {
	tasks, err := v.Callbacks.Mine(v.ctx(), v.actor)
	if err != nil || len(tasks) == 0 {
		return nil, err
	}
	t := &ui.Table{Title: v.t("missed.mine"), Note: v.t("people.count", "Count", len(tasks)), Columns: []ui.Column{{Title: v.t("column.number")}, {Title: v.t("column.assigned")}, {Title: v.t("table.actions"), Acts: true}}}
	for i := range tasks {
		x := &tasks[i]
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.phone(x.Text), Strong: true, Sub: x.Name}, {Ago: x.AssignedAt}, {Acts: []ui.Action{
			{Title: v.t("missed.call"), Dial: x.Text, Icon: "call-back", Primary: true},
			{Title: v.t("missed.handle"), Href: "/missed/" + string(x.Key) + "/handle", Icon: "check", Post: true, Fields: v.fromHere()},
		}}}})
	}
	return t, nil
}

// theCaller checks that the number of the address is one the actor may follow up: somebody whom they see had a call with
// it, or was asked to call it back.
func (v *visit) theCaller() error {
	n, err := v.Book.ByKey(v.ctx(), v.DB, v.org().ID, v.key())
	if err != nil {
		return err
	}
	v.concernNumber(n)
	agents, err := v.actor.Agents(v.ctx())
	if err != nil || agents == nil {
		return err
	}
	kept, err := v.Callbacks.Of(v.ctx(), v.org().ID, []number.ID{n})
	if err != nil || slices.Contains(agents, kept[n].AssignedTo) {
		return err
	}
	known, err := v.knows(agents, n)
	if err == nil && !known {
		err = notSeen()
	}
	return err
}

func assignCallback(v *visit) error {
	if err := v.theCaller(); err != nil {
		return err
	}
	agent := account.AgentNo(0)
	if id := v.form("agent"); id != "" {
		m, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(id))
		if err != nil {
			return err
		}
		if m.Agent == 0 {
			return fault.New(fault.Conflict, "%s is no agent, so nobody could see the call. Choose somebody whose calls are kept.", m.Name)
		}
		agent = m.Agent
	}
	if err := v.Callbacks.Assign(v.ctx(), v.actor, v.key(), agent); err != nil {
		return err
	}
	return v.changed("missed.assigned_flash", "")
}

func handleCallback(v *visit) error {
	if err := v.theCaller(); err != nil {
		return err
	}
	if err := v.Callbacks.Handle(v.ctx(), v.actor, v.key(), v.form("note")); err != nil {
		return err
	}
	return v.changed("missed.handled_flash", "/missed/"+string(v.key())+"/reopen")
}

func reopenCallback(v *visit) error {
	if err := v.theCaller(); err != nil {
		return err
	}
	if err := v.Callbacks.Reopen(v.ctx(), v.actor, v.key()); err != nil {
		return err
	}
	return v.changed("missed.reopened_flash", "")
}

// key is the number that the address is about.
func (v *visit) key() number.Key { return number.Key(v.r.PathValue("key")) }

// changed answers a deed on a missed caller: with the row as it is now where script asks for it, else with the page it
// came from.
func (v *visit) changed(message, undo string) error {
	scope, agents, err := v.scope()
	if err != nil {
		return err
	}
	v.tally.forget(scope)
	if !ui.IsFragment(v.r) {
		return v.to(v.back("/missed"), ui.Flash{Kind: ui.Good, Text: v.t(message), Undo: undo})
	}
	n, err := v.Book.ByKey(v.ctx(), v.DB, v.org().ID, v.key())
	if err != nil {
		return err
	}
	who, err := v.Reporter.PersonOf(v.ctx(), v.org(), agents, n)
	if err != nil {
		return err
	}
	who.Unattended = 0 // counts calls of all days, where the page counts those of its range
	kept, err := v.Callbacks.Of(v.ctx(), v.org().ID, []number.ID{n})
	if err != nil {
		return err
	}
	all, err := v.names()
	if err != nil {
		return err
	}
	known, err := v.knownCallers([]stats.Person{*who})
	if err != nil {
		return err
	}
	return v.fragment("report", "row", ui.RowOf{Row: v.missedRow(who, kept[n], all, known), Columns: v.missedColumns()})
}
