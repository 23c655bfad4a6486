package web

import (
	"maps"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/fault"
	"parley/web/ui"
)

func (s *site) numberRoutes() []route {
	return []route{
		{"GET /numbers/{key}", account.ReadCalls, numberPage},
		{"POST /numbers/{key}/exclude", account.ManageExclusions, excludeNumber},
	}
}

// numberPageStruct is everything about one number, whoever had calls with it.
type numberPageStruct struct {
	ui.Frame
	Acts    []ui.Action
	Waiting *ui.Note
	Assign  *ui.Filter // the form that asks a colleague to call back; nil for who may not, or where nobody waits
	Facts   []ui.Fact
	Notes   []numberNote
	Calls   *ui.Table
	Danger  []ui.Action
	Hidden  *ui.Note
}

// numberNote is the note of a call, in the list of all.
type numberNote struct {
	Text, By, Href, When string
	Tags                 []string
}

// theNumber is the number of the address. One with which nobody whom the actor sees had a call is not there for them.
func (v *visit) theNumber() (number.ID, []account.AgentNo, error) {
	key := number.Key(v.r.PathValue("key"))
	n, err := v.Book.ByKey(v.ctx(), v.DB, v.org().ID, key)
	if err != nil {
		return 0, nil, err
	}
	agents, err := v.actor.Agents(v.ctx())
	if err != nil {
		return 0, nil, err
	}
	known, err := v.knows(agents, n)
	if err == nil && !known {
		err = notSeen()
	}
	v.concernNumber(n)
	return n, agents, err
}

func notSeen() error {
	return fault.New(fault.NotFound, "There is no number under this address, or none that you may see.")
}

// knows tells whether somebody whom the actor sees had a call with a number.
func (v *visit) knows(agents []account.AgentNo, n number.ID) (bool, error) {
	page, err := v.Reporter.CallsOf(v.ctx(), v.org(), agents, n, "", 1)
	return err == nil && len(page.Calls) > 0, err
}

func numberPage(v *visit) error {
	n, agents, err := v.theNumber()
	if err != nil {
		return err
	}
	page, err := v.Reporter.CallsOf(v.ctx(), v.org(), agents, n, v.query("after"), pageRows)
	if err != nil {
		return err
	}
	who, err := v.Reporter.PersonOf(v.ctx(), v.org(), agents, n)
	if err != nil {
		return err
	}
	title := v.t("number.erased")
	if who.Number != "" {
		title = v.phone(who.Number)
	}
	p := &numberPageStruct{Frame: v.frame(title)}
	p.Crumbs = []ui.Link{{Title: v.t("nav.calls"), Href: "/calls"}}
	p.Lead = v.words.Rich("number.lead", "Count", who.Calls, "Connected", who.Connected)
	if who.Name != "" {
		p.Lead = v.words.Rich("number.lead_named", "Name", who.Name, "Count", who.Calls, "Connected", who.Connected)
	}
	if who.Number != "" {
		p.Acts = []ui.Action{{Title: v.t("call.call_back"), Dial: who.Number, Icon: "call-back", Primary: true}}
	}
	names, err := v.names()
	if err != nil {
		return err
	}
	if p.Waiting, err = v.waitingNote(who, names); err != nil {
		return err
	}
	if who.State.Waiting() && v.actor.Can(account.WriteCalls) {
		p.Assign = v.assignForm(who, names)
	}
	p.Facts = v.numberFacts(who, names)
	p.Calls = v.calls(page.Calls, names.of)
	p.Calls.Title = v.t("number.calls")
	p.Calls.Columns = p.Calls.Columns[1:] // the number is that of the page
	for i := range p.Calls.Rows {
		p.Calls.Rows[i].Cells = p.Calls.Rows[i].Cells[1:]
	}
	if page.Next != "" {
		p.Calls.Pager = &ui.Pager{Older: v.r.URL.Path + "?after=" + page.Next}
	}
	p.Notes = v.numberNotes(page.Calls)
	return v.numberExclusion(p, n, who)
}

// numberExclusion says whether the number is hidden from reports, and lets it be.
func (v *visit) numberExclusion(p *numberPageStruct, n number.ID, who *stats.Person) error {
	excluded, err := v.Book.Excluded(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	if excluded.Hidden[n] {
		p.Hidden = &ui.Note{Kind: ui.Warn, Title: v.t("number.hidden"), Text: v.t("number.hidden.text")}
	} else if who.Number != "" && v.actor.Can(account.ManageExclusions) {
		p.Danger = []ui.Action{{Title: v.t("number.exclude"), Href: v.r.URL.Path + "/exclude", Icon: "block", Post: true, Danger: true, Confirm: v.t("number.exclude_title"), ConfirmText: v.t("number.exclude_text")}}
	}
	return v.render("number", p)
}

// names are those of the agents whom the actor may see.
type names map[account.AgentNo]*account.Member

func (n names) of(no account.AgentNo) string {
	if m := n[no]; m != nil {
		return m.Name
	}
	return "–"
}

// sorted lists the agents by name.
func (n names) sorted() []*account.Member {
	return slices.SortedFunc(maps.Values(n), func(a, b *account.Member) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
}

func (v *visit) names() (names, error) {
	all, err := v.Accounts.Agents(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	agents, err := v.actor.Agents(v.ctx())
	if err != nil {
		return nil, err
	}
	out := names{}
	for _, m := range all {
		if agents == nil || slices.Contains(agents, m.Agent) {
			out[m.Agent] = m
		}
	}
	return out, nil
}

func (v *visit) nameCell(n names, no account.AgentNo) ui.Cell {
	if m := n[no]; m != nil {
		return ui.Cell{Text: m.Name, Href: "/agents/" + string(m.ID)}
	}
	return ui.Cell{Text: v.t("agent.unseen"), Muted: true}
}

func (v *visit) numberFacts(who *stats.Person, n names) []ui.Fact {
	facts := []ui.Fact{
		{Title: v.t("metric.calls"), Cell: ui.Cell{Text: v.words.Number(who.Calls), Sub: v.t("number.split", "In", who.Incoming, "Out", who.Outgoing)}},
		{Title: v.t("metric.connected"), Cell: ui.Cell{Text: v.words.Number(who.Connected)}},
		{Title: v.t("metric.talk_seconds"), Cell: ui.Cell{Text: v.words.Duration(int64(who.Talk.Seconds()))}},
		{Title: v.t("column.first_call"), Cell: ui.Cell{Time: who.First}},
		{Title: v.t("column.last_call"), Cell: ui.Cell{Time: who.Last}},
	}
	if len(who.Agents) > 0 {
		facts = append(facts, ui.Fact{Title: v.t("number.most_with"), Cell: v.nameCell(n, who.Agents[0])})
	}
	if !who.LastConnected.IsZero() {
		c := v.nameCell(n, who.LastConnectedBy)
		c.Sub = v.words.Moment(who.LastConnected, v.Now())
		facts = append(facts, ui.Fact{Title: v.t("number.spoke_last"), Cell: c})
	}
	return facts
}

// waitingNote says that the number waits for a call back, and who is to make it.
func (v *visit) waitingNote(who *stats.Person, n names) (*ui.Note, error) {
	if who.LastMissed.IsZero() {
		return nil, nil //nolint:nilnil // nothing to say
	}
	kept, err := v.Callbacks.Of(v.ctx(), v.org().ID, []number.ID{who.ID})
	if err != nil {
		return nil, err
	}
	b := kept[who.ID]
	when := v.words.Moment(who.LastMissed, v.Now())
	switch {
	case !who.State.Waiting():
		return &ui.Note{Kind: ui.Good, Title: v.t("recovery." + string(who.State)), Text: v.t("number.recovered", "Time", when, "Wait", v.waited(who.Waiting))}, nil
	case b.State(who.LastMissed) == callback.Handled:
		return &ui.Note{Kind: ui.Good, Title: v.t("missed.handled"), Text: b.Note}, nil
	}
	note := &ui.Note{Kind: ui.Bad, Title: v.t("recovery."+string(who.State)) + ":", Text: v.t("number.waiting", "Time", when, "Wait", v.waited(who.Waiting), "Business", v.worked(who.WaitingBusiness))}
	if b.State(who.LastMissed) == callback.Assigned {
		note.Text += " " + v.t("missed.assigned_to", "Agent", n.of(b.AssignedTo))
	}
	if v.actor.Can(account.WriteCalls) {
		note.Action = &ui.Action{Title: v.t("missed.handle"), Href: "/missed/" + string(who.Key) + "/handle", Post: true, Fields: []ui.Param{{Name: "back", Value: v.r.URL.Path}}}
	}
	return note, nil
}

// assignForm chooses who is to call back; whoever is suggested is chosen already.
func (v *visit) assignForm(who *stats.Person, n names) *ui.Filter {
	f := ui.Field{Name: "agent", Label: v.t("column.call_back"), Type: "select", Size: "medium"}
	for _, m := range n.sorted() {
		if m.Active {
			f.Options = append(f.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		}
	}
	if c, ok := who.Suggested(); ok && n[c.Agent] != nil {
		f.Value = string(n[c.Agent].ID)
	}
	return &ui.Filter{Action: "/missed/" + string(who.Key) + "/assign", Keep: []ui.Param{{Name: "back", Value: v.r.URL.Path}}, Scope: []ui.Field{f}}
}

// numberNotes are the notes of the calls shown.
func (v *visit) numberNotes(calls []call.Call) []numberNote {
	var out []numberNote
	for i := range calls {
		if c := &calls[i]; c.Note != "" {
			note := numberNote{Text: c.Note, Href: "/calls/" + c.ID, When: v.words.Moment(c.Row.At(), v.Now()), Tags: c.Tags}
			if m, err := v.Accounts.Member(v.ctx(), v.org().ID, c.NoteBy); err == nil {
				note.By = m.Name
			}
			out = append(out, note)
		}
	}
	return out
}

func excludeNumber(v *visit) error {
	n, _, err := v.theNumber()
	if err != nil {
		return err
	}
	shown, err := v.Book.Show(v.ctx(), v.DB, v.org().ID, []number.ID{n})
	if err != nil {
		return err
	}
	if shown[n] == "" {
		return fault.New(fault.Gone, "The number was erased, so there is nothing to exclude any more.")
	}
	err = v.Writer.Exclude(v.ctx(), v.org(), number.Exclusion{Number: shown[n], Strength: number.Hidden, AddedBy: string(v.actor.Member.ID), AddedAt: v.Now()})
	if err != nil {
		return err
	}
	return v.to("/numbers/"+v.r.PathValue("key"), v.good("number.excluded"))
}
