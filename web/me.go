package web

import (
	"slices"

	"parley/account"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/web/phrase"
	"parley/web/ui"
)

// meRoutes show everybody what is kept about them.
func (s *site) meRoutes() []route {
	return []route{{"GET /me", account.ReadOwn, me}}
}

// mePage is what the employer sees about the member who reads it, and who does.
type mePage struct {
	ui.Frame
	Agent   bool
	Today   []ui.Tile
	Month   []ui.Tile
	Range   string // the days of Month
	Report  string // address of the page with all days
	Kept    []string
	NotKept []string
	Facts   []ui.Fact
	Lines   ui.Table
	Phones  ui.Table
	Viewers ui.Table
	Seen    ui.Table // what others did with their data
	Data    *myData
}

// mine are the figures of one's own page, in their order.
func mine() []stats.MetricID {
	return []stats.MetricID{"calls", "connected", "talk_seconds", "missed", "not_picked_up", "unique_clients", "working_span_seconds", "active_seconds"}
}

func me(v *visit) error {
	m := v.actor.Member
	p := &mePage{Frame: v.frame(v.t("me.title")), Agent: m.Agent != 0}
	p.Lead = v.words.Rich("me.lead.member", "Organisation", v.org().Name)
	if err := v.lastSeen(p); err != nil {
		return err
	}
	var err error
	if p.Data, err = v.myData(); err != nil {
		return err
	}
	if !p.Agent {
		return v.render("me", p)
	}
	p.Lead = v.words.Rich("me.lead.agent", "Organisation", v.org().Name)
	if err := v.viewers(p); err != nil {
		return err
	}
	if err := v.myFigures(p); err != nil {
		return err
	}
	if err := v.myRules(p); err != nil {
		return err
	}
	return v.render("me", p)
}

// myFigures are one's own figures of today and of the last thirty days, by the function that all reports use.
func (v *visit) myFigures(p *mePage) error {
	today := v.today()
	month := today - 29
	p.Report = "/agents/" + string(v.actor.Member.ID)
	p.Range = v.words.Range(month, today+1)
	for _, part := range []struct {
		from   civil.Day
		preset string
		tiles  *[]ui.Tile
	}{{today, "today", &p.Today}, {month, "last_30_days", &p.Month}} {
		r, err := v.Reporter.Report(v.ctx(), v.org(), stats.Query{Agents: []account.AgentNo{v.actor.Member.Agent}, From: part.from, To: today + 1}, stats.WithPeople)
		if err != nil {
			return err
		}
		for _, id := range mine() {
			m, x, ok := metric(id, &r.Figures)
			*part.tiles = append(*part.tiles, ui.Tile{Title: v.t("metric." + string(id)), Figure: v.write(m.Unit, x, ok), How: v.t("metric." + string(id) + ".how"),
				Href: "/calls?agent=" + string(v.actor.Member.ID) + "&preset=" + part.preset})
		}
	}
	return nil
}

// myRules say what is collected, when, and from which lines and phones.
func (v *visit) myRules(p *mePage) error {
	org := v.org()
	settings, err := v.Devices.Settings(v.ctx(), org.ID)
	if err != nil {
		return err
	}
	excluded, err := v.Book.Exclusions(v.ctx(), v.DB, org.ID)
	if err != nil {
		return err
	}
	p.Kept = []string{v.t("me.kept.call"), v.t("me.kept.time"), v.t("me.kept.name"), v.t("me.kept.note"), v.t("me.kept.phone")}
	if settings.Battery {
		p.Kept = append(p.Kept, v.t("me.kept.battery"))
	}
	p.NotKept = []string{v.t("me.not.content"), v.t("me.not.messages"), v.t("me.not.place"), v.t("me.not.contacts")}
	never := 0
	for _, e := range excluded {
		if e.Strength == number.NeverStored {
			never++
		}
	}
	p.Facts = []ui.Fact{
		{Title: v.t("me.hours"), Cell: ui.Cell{Text: trackingWords(v.words, &settings)}},
		{Title: v.t("me.from"), Cell: ui.Cell{Text: v.collectedFrom(&settings)}},
		{Title: v.t("me.excluded"), Cell: ui.Cell{Text: v.t("me.excluded.never", "Count", never), Sub: v.t("me.excluded.hidden", "Count", len(excluded)-never)}},
		{Title: v.t("me.connected"), Cell: ui.Cell{Text: v.words.Duration(int64(org.ConnectedFrom))}},
	}
	s, err := v.staff()
	if err != nil {
		return err
	}
	person := &personPage{}
	v.personLines(person, s, v.actor.Member)
	p.Lines, p.Phones = person.Lines, person.Phones
	return nil
}

// trackingWords say on which days and at which hours phones hand over calls.
func trackingWords(p *phrase.Phrases, c *device.Settings) string {
	days := p.T("me.all_days")
	if c.TrackDays != 0 {
		days = weekdayWords(p, c.TrackDays)
	}
	if c.TrackFrom == 0 && c.TrackTo == 0 {
		return p.T("me.days_all_hours", "Days", days)
	}
	return p.T("me.days_hours", "Days", days, "From", clockField(c.TrackFrom), "To", clockField(c.TrackTo))
}

// weekdayWords lists days of the week, Monday first.
func weekdayWords(p *phrase.Phrases, days account.Weekdays) string {
	out := ""
	for i := range 7 {
		if d := weekday(i); days.Has(d) {
			if out != "" {
				out += ", "
			}
			out += p.WeekdayShort(d)
		}
	}
	return out
}

func (v *visit) collectedFrom(c *device.Settings) string {
	if c.CollectFrom == 0 {
		return v.t("me.from.all")
	}
	return v.words.Date(c.CollectFrom)
}

// viewers lists who may see the reader's calls, by what makes them see.
func (v *visit) viewers(p *mePage) error {
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p.Viewers = ui.Table{Title: v.t("me.viewers"), Columns: []ui.Column{{Title: v.t("people.role")}, {Title: v.t("me.viewers.who")}, {Title: v.t("me.viewers.what")}}}
	me := v.actor.Member
	for _, r := range account.Roles() {
		var names []ui.Tag
		for _, m := range members {
			if m.Active && m.Role == r && m.ID != me.ID && v.seesMe(m) {
				names = append(names, ui.Tag{Text: m.Name})
			}
		}
		if len(names) == 0 {
			continue
		}
		p.Viewers.Rows = append(p.Viewers.Rows, ui.Row{Cells: []ui.Cell{{Text: v.role(r), Strong: true}, {Tags: names}, {Text: v.t("me.sees." + string(r))}}})
	}
	p.Viewers.Note = v.words.Number(countTags(p.Viewers.Rows))
	p.Viewers.Empty = &ui.Empty{Icon: "eye-off", Title: v.t("me.viewers.none"), Text: v.t("me.viewers.none.text")}
	return nil
}

func countTags(rows []ui.Row) int64 {
	n := int64(0)
	for _, r := range rows {
		n += int64(len(r.Cells[1].Tags))
	}
	return n
}

// seesMe tells whether a member may see the calls of the reader.
func (v *visit) seesMe(m *account.Member) bool {
	switch m.Role {
	case account.Agent:
		return false
	case account.Manager:
		return slices.ContainsFunc(m.Teams, func(t account.TeamID) bool { return slices.Contains(v.actor.Member.Teams, t) })
	default:
		return true
	}
}
