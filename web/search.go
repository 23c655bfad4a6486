package web

import (
	"slices"
	"strings"

	"parley/account"
	"parley/calls/number"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/contact"
	"parley/crm/funnel"
	"parley/crm/lead"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/web/ui"
)

func (s *site) searchRoutes() []route {
	return []route{{"GET /search", SignedIn, search}}
}

// searchPage shows what was found, for who comes without script.
type searchPage struct {
	ui.Frame
	Query string
	Hits  []ui.Hits
	Note  string
}

// mostHits is how many of each kind are shown.
const mostHits = 8

// fewestDigits is how many last digits of a number are needed: fewer would open too many numbers.
const fewestDigits = 4

// search finds contacts with their leads by name, company, address or number, notes about them and of calls by their words, numbers
// by all or their last digits or the name that a phone logged, members, pages, reports and figures.
func search(v *visit) error {
	q := strings.Join(strings.Fields(v.query("q")), " ")
	var hits []ui.Hits
	if len([]rune(q)) >= 2 {
		for _, find := range []func(q string) (ui.Hits, error){v.findContacts, v.findNotes, v.findCallNotes, v.findNumbers, v.findPeople, v.findTeams, v.findPages} {
			found, err := find(q)
			if err != nil {
				return err
			}
			if len(found.Items) > 0 {
				hits = append(hits, found)
			}
		}
	}
	if ui.IsFragment(v.r) {
		return v.fragment("search", "hits", hits)
	}
	if q != "" {
		if pages, err := v.findNav(q); err != nil || len(pages.Items) > 0 {
			if err != nil {
				return err
			}
			hits = append(hits, pages)
		}
	}
	p := &searchPage{Frame: v.frame(v.t("search.search")), Query: q, Hits: hits}
	p.Note = v.t("search.note")
	return v.render("search", p)
}

// matches tells whether a title has every word of a query in it.
func matches(title, query string) bool {
	title = strings.ToLower(title)
	for w := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(title, w) {
			return false
		}
	}
	return true
}

// findContacts finds the people outside whom the actor sees, by name, company, e-mail address or number, each with the open lead
// that was made last.
func (v *visit) findContacts(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("nav.contacts")}
	if !v.actor.Can(account.ReadLeads) {
		return out, nil
	}
	d, err := v.desk()
	if err != nil {
		return out, err
	}
	ids, err := v.Contacts.Find(v.ctx(), v.DB, v.org().ID, d.sight, q, mostHits)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	found, err := v.Contacts.Load(v.ctx(), v.DB, v.org().ID, ids...)
	if err != nil {
		return out, err
	}
	leads, err := v.Leads.OfContacts(v.ctx(), v.DB, v.org().ID, ids...)
	if err != nil {
		return out, err
	}
	for _, x := range ids {
		c := found[x]
		v.concernContact(c)
		hit := ui.Hit{Title: nonEmpty(v.contactName(c), v.t("contact.nameless")), Aside: c.Person.Company, Href: contactPath(c.ID), Icon: "people"}
		out.Items = append(out.Items, hit)
		for _, l := range leads { // the newest first
			if l.Contact == x && l.State == lead.Open && d.sight.Sees(l.Owner) {
				out.Items = append(out.Items, ui.Hit{Title: hit.Title, Aside: v.t("search.lead", "Stage", d.stageTitle(l.Pipeline, l.Stage)), Href: "/leads/" + string(l.ID), Icon: "target"})
				break
			}
		}
	}
	return out, nil
}

// findNotes finds notes about contacts in sight by their words.
func (v *visit) findNotes(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("search.notes")}
	if !v.actor.Can(account.ReadLeads) {
		return out, nil
	}
	d, err := v.desk()
	if err != nil {
		return out, err
	}
	notes, err := v.Contacts.FindNotes(v.ctx(), v.DB, v.org().ID, d.sight, q, mostHits)
	if err != nil || len(notes) == 0 {
		return out, err
	}
	ids := make([]contact.ID, len(notes))
	for i, n := range notes {
		ids[i] = n.Contact
	}
	found, err := v.Contacts.Load(v.ctx(), v.DB, v.org().ID, ids...)
	for _, n := range notes {
		c := found[n.Contact]
		if c == nil {
			continue
		}
		v.concernContact(c)
		out.Items = append(out.Items, ui.Hit{Title: beginningOf(n.Text), Aside: nonEmpty(v.contactName(c), v.t("contact.nameless")), Href: contactPath(c.ID) + "?kind=note", Icon: "note"})
	}
	return out, err
}

// findCallNotes finds notes of calls that the actor sees, by their words.
func (v *visit) findCallNotes(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("search.call_notes")}
	if !v.actor.Can(account.ReadCalls) {
		return out, nil
	}
	agents, err := v.actor.Agents(v.ctx())
	if err != nil {
		return out, err
	}
	calls, err := v.Calls.FindNotes(v.ctx(), v.DB, v.org(), agents, q, mostHits)
	for i := range calls {
		c := &calls[i]
		if err := v.concernCall(c.Row.Key); err != nil {
			return out, err
		}
		aside := v.callTitle(c) + ", " + v.words.Moment(c.Row.At(), v.Now())
		out.Items = append(out.Items, ui.Hit{Title: beginningOf(c.Note), Aside: aside, Href: "/calls/" + c.ID, Icon: "note"})
	}
	return out, err
}

// beginningOf is as much of a note as a hit shows.
func beginningOf(note string) string {
	const shown = 80 // characters
	text := []rune(strings.Join(strings.Fields(note), " "))
	if len(text) > shown {
		text = append(text[:shown], '…')
	}
	return string(text)
}

// findNumbers finds numbers with calls that the actor sees, by their digits or by the name that a phone logged.
func (v *visit) findNumbers(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("search.numbers")}
	if !v.actor.Can(account.ReadCalls) {
		return out, nil
	}
	agents, err := v.actor.Agents(v.ctx())
	if err != nil {
		return out, err
	}
	err = v.numbersLike(q, func(ids []number.ID) (bool, error) {
		for _, n := range ids {
			page, err := v.Reporter.CallsOf(v.ctx(), v.org(), agents, n, "", 1)
			if err != nil {
				return false, err
			}
			if len(page.Calls) == 0 { // of somebody whom the actor does not see, or of nobody any more
				continue
			}
			c := &page.Calls[0]
			v.concernNumber(n)
			out.Items = append(out.Items, ui.Hit{Title: v.phone(c.Number), Aside: strings.TrimSpace(c.Name + " " + v.words.Moment(c.Row.At(), v.Now())), Href: "/numbers/" + string(c.NumberKey), Icon: "call"})
			if len(out.Items) == mostHits {
				return false, nil
			}
		}
		return true, nil
	})
	return out, err
}

// numbersLike finds a whole number, else those that end in the digits, or have a name with the words, until each wants no more.
func (v *visit) numbersLike(q string, each func([]number.ID) (bool, error)) error {
	n, ok, err := v.Book.Seek(v.ctx(), v.DB, v.org().ID, phone.Parse(q, v.org().Country).Canonical())
	if fault.KindOf(err) == fault.Denied {
		return nil // of somebody restricted nothing is said
	}
	if err != nil {
		return err
	}
	if ok {
		_, err := each([]number.ID{n})
		return err
	}
	if digits := phone.Digits(q); len(digits) >= fewestDigits {
		return v.Book.Endings(v.ctx(), v.DB, v.org().ID, digits, each)
	}
	return v.Book.Named(v.ctx(), v.DB, v.org().ID, q, each)
}

// findPeople finds those whose figures the actor may see, and for who may see people all members.
func (v *visit) findPeople(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("nav.people")}
	agents, err := v.names()
	if err != nil {
		return out, err
	}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return out, err
	}
	for _, m := range members {
		if len(out.Items) == mostHits {
			break
		}
		if !matches(m.Name, q) {
			continue
		}
		switch {
		case m.Agent != 0 && agents[m.Agent] != nil:
			out.Items = append(out.Items, ui.Hit{Title: m.Name, Aside: v.t("role.agent"), Href: "/agents/" + string(m.ID), Icon: "user"})
		case v.actor.Can(account.ReadPeople):
			out.Items = append(out.Items, ui.Hit{Title: m.Name, Aside: v.t("role." + string(m.Role)), Href: "/people/" + string(m.ID), Icon: "user"})
		}
	}
	return out, nil
}

func (v *visit) findTeams(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("nav.teams")}
	if v.actor.Member.Role == account.Agent {
		return out, nil
	}
	teams, err := v.Accounts.Teams(v.ctx(), v.org().ID)
	if err != nil {
		return out, err
	}
	for _, t := range teams {
		mine := v.actor.Member.Role != account.Manager || slices.Contains(v.actor.Member.Teams, t.ID)
		if mine && matches(t.Name, q) && len(out.Items) < mostHits {
			out.Items = append(out.Items, ui.Hit{Title: t.Name, Aside: v.t("reports.summary"), Href: at("/reports/summary", report.Ask{Team: t.ID}), Icon: "team"})
		}
	}
	return out, nil
}

// findPages finds reports and figures; the pages of the navigation the palette knows by itself.
func (v *visit) findPages(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("nav.reports")}
	if !v.actor.Can(account.ReadReports) {
		return out, nil
	}
	for _, k := range reportKinds() {
		if title := v.t("reports." + string(k.id)); matches(title, q) && k.build != nil {
			out.Items = append(out.Items, ui.Hit{Title: title, Href: reportPath(k.id), Icon: "reports"})
		}
	}
	ids := make([]stats.MetricID, 0, 64)
	for _, m := range stats.Metrics() {
		ids = append(ids, m.ID)
	}
	for _, m := range funnel.Metrics() {
		ids = append(ids, m.ID)
	}
	for _, id := range ids {
		if title := v.t("metric." + string(id)); matches(title, q) && len(out.Items) < mostHits {
			out.Items = append(out.Items, ui.Hit{Title: title, Aside: v.t("how.question"), Href: "/definitions#" + string(id), Icon: "help"})
		}
	}
	return out, nil
}

func (v *visit) findNav(q string) (ui.Hits, error) {
	out := ui.Hits{Title: v.t("search.pages")}
	daily, organisation := places()
	for _, p := range slices.Concat(daily, organisation) {
		if title := v.t(p.key); v.actor.Can(p.needs) && matches(title, q) {
			out.Items = append(out.Items, ui.Hit{Title: title, Href: p.path, Icon: p.icon})
		}
	}
	return out, nil
}
