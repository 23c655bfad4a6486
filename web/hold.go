package web

import (
	"slices"
	"strings"

	"parley/account"
	persons "parley/calls/person"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
	"parley/web/ui"
)

// holdRoutes keep legal holds.
func (s *site) holdRoutes() []route {
	return []route{
		{"GET /trust/holds", account.ReadPrivacy, holds},
		{"GET /trust/holds/new", account.ManagePrivacy, holdForm},
		{"POST /trust/holds/new", account.ManagePrivacy, addHold},
		{"GET /trust/holds/{hold}", account.ReadPrivacy, holdOf},
		{"POST /trust/holds/{hold}/release", account.ManagePrivacy, releaseHold},
		{"POST /trust/holds/{hold}/extend", account.ManagePrivacy, extendHold},
	}
}

// holdsPage lists holds, those in force first.
type holdsPage struct {
	ui.Frame
	Add   *ui.Action // nil for whoever may only look
	Table ui.Table
	Paths []string // what every hold is asked about
}

func holds(v *visit) error {
	all, err := v.Holds.List(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return err
	}
	p := &holdsPage{Frame: v.trustFrame(v.t("hold.title")), Add: v.forKeepers(ui.Action{Title: v.t("hold.new"), Href: "/trust/holds/new", Icon: "plus", Primary: true})}
	p.Table = ui.Table{Title: v.t("hold.title"), Columns: []ui.Column{{Title: v.t("hold.about")}, {Title: v.t("hold.state")}, {Title: v.t("hold.owner")}, {Title: v.t("hold.ends")}, {Title: v.t("hold.refused"), Numeric: true}}}
	active := 0
	slices.SortStableFunc(all, func(a, b *hold.Hold) int { return rank(b.Active(v.Now())) - rank(a.Active(v.Now())) })
	for _, h := range all {
		if h.Active(v.Now()) {
			active++
		}
		var times int64
		for _, r := range h.Refused {
			times += r.Times
		}
		p.Table.Rows = append(p.Table.Rows, ui.Row{Muted: !h.Active(v.Now()), Cells: []ui.Cell{
			{Text: v.holdTitle(h), Sub: v.holdScope(h), Href: "/trust/holds/" + h.ID, Strong: true}, v.holdState(h), {Text: names[h.Owner]},
			{Text: v.words.Date(lastDay(h, v.org()))}, {Text: v.words.Number(times)},
		}})
	}
	p.Lead = v.words.Rich("hold.lead", "Count", active)
	p.Table.Empty = &ui.Empty{Icon: "shield", Title: v.t("hold.none"), Text: v.t("hold.none.text")}
	for _, path := range hold.Paths() {
		p.Paths = append(p.Paths, v.t("hold.path."+string(path.Path)))
	}
	return v.render("holds", p)
}

func rank(active bool) int {
	if active {
		return 1
	}
	return 0
}

// lastDay is the last day on which a hold is in force.
func lastDay(h *hold.Hold, org *account.Org) civil.Day {
	return civil.DayOf(h.Ends.Add(-1), org.Location())
}

func (v *visit) namesOfMembers() (map[account.MemberID]string, error) {
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	names := map[account.MemberID]string{"": v.t("consent.operator")}
	for _, m := range members {
		names[m.ID] = m.Name
	}
	return names, err
}

func (v *visit) holdTitle(h *hold.Hold) string {
	switch h.Scope {
	case hold.Case:
		return h.Case
	case hold.Person:
		return v.t("hold.persons.count", "Count", len(h.Persons))
	default:
		return strings.Join(h.Categories, ", ")
	}
}

func (v *visit) holdScope(h *hold.Hold) string { return v.t("hold.scope." + string(h.Scope)) }

func (v *visit) holdState(h *hold.Hold) ui.Cell {
	switch {
	case h.Active(v.Now()):
		return ui.Cell{Tag: &ui.Tag{Text: v.t("hold.active"), Kind: ui.Warn, Icon: "shield"}}
	case !h.ReleasedAt.IsZero():
		return ui.Cell{Tag: &ui.Tag{Text: v.t("hold.released"), Kind: ui.Off}}
	default:
		return ui.Cell{Tag: &ui.Tag{Text: v.t("hold.ended"), Kind: ui.Off}}
	}
}

func (v *visit) holdForm() (*form, error) {
	_ = v.form("") // reads the form
	p := &form{Frame: v.trustFrame(v.t("hold.new")), Submit: v.t("hold.add")}
	p.Crumbs = []ui.Link{{Title: v.t("hold.title"), Href: "/trust/holds"}}
	p.Lead = v.words.Rich("hold.new.lead")
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	scope := ui.Field{Name: "scope", Label: v.t("hold.about"), Type: "radio", Value: nonEmpty(v.form("scope"), "person")}
	for _, s := range []hold.Scope{hold.Person, hold.Case, hold.Category} {
		scope.Options = append(scope.Options, ui.Option{Value: string(s), Title: v.t("hold.scope." + string(s)), Help: v.t("hold.scope." + string(s) + ".text")})
	}
	categories := ui.Field{Name: "categories", Label: v.t("hold.categories"), Help: v.t("hold.categories.help"), Type: "checks", Values: v.r.PostForm["categories"], Optional: true}
	for key, c := range doc.Categories {
		categories.Options = append(categories.Options, ui.Option{Value: key, Title: c.Title.In(v.words.Lang(), doc.Languages)})
	}
	slices.SortFunc(categories.Options, func(a, b ui.Option) int { return strings.Compare(a.Value, b.Value) })
	member := ui.Field{Name: "member", Label: v.t("hold.member"), Type: "select", Size: "medium", Value: v.form("member"), Optional: true, Options: []ui.Option{{Title: v.t("hold.member.none")}}}
	owner := ui.Field{Name: "owner", Label: v.t("hold.owner"), Help: v.t("hold.owner.help"), Type: "select", Size: "medium", Value: v.form("owner"), Options: []ui.Option{{Title: v.t("hold.owner.choose")}}}
	for _, m := range members {
		member.Options = append(member.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		if m.Active {
			owner.Options = append(owner.Options, ui.Option{Value: string(m.ID), Title: m.Name})
		}
	}
	p.Sections = []section{
		{Fields: []ui.Field{scope, {Name: "case", Label: v.t("hold.case"), Help: v.t("hold.case.help"), Value: v.form("case"), Optional: true, Size: "medium", Complete: "off"},
			{Name: "persons", Label: v.t("hold.numbers"), Help: v.t("hold.numbers.help"), Type: "textarea", Rows: 3, Value: v.form("persons"), Optional: true}, member, categories}},
		{Title: v.t("hold.terms"), Fields: []ui.Field{
			{Name: "reason", Label: v.t("hold.reason"), Help: v.t("hold.reason.help"), Type: "textarea", Rows: 3, Value: v.form("reason")}, owner,
			{Name: "ends", Label: v.t("hold.ends"), Help: v.t("hold.ends.help"), Type: "date", Value: v.form("ends"), Size: "short"}}},
	}
	return p, nil
}

func holdForm(v *visit) error {
	p, err := v.holdForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func addHold(v *visit) error {
	h, err := v.addHold()
	if err == nil {
		return v.to("/trust/holds/"+h.ID, v.good("hold.added"))
	}
	p, formErr := v.holdForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}

func (v *visit) addHold() (*hold.Hold, error) {
	_ = v.form("") // reads the form
	in := hold.Hold{Scope: hold.Scope(v.form("scope")), Case: v.form("case"), Categories: v.r.PostForm["categories"], Reason: v.form("reason"), Owner: account.MemberID(v.form("owner"))}
	var err error
	if in.Ends, err = v.lastMoment("ends"); err != nil {
		return nil, err
	}
	if m := v.form("member"); m != "" {
		if _, err := v.Accounts.Member(v.ctx(), v.org().ID, account.MemberID(m)); err != nil {
			return nil, fault.Field("member", "There is no such member. Choose one of the list.")
		}
		in.Persons = append(in.Persons, subject.OfMember(m))
	}
	numbers, err := persons.Enter(v.ctx(), v.DB, v.Book, v.org(), "persons", filled(strings.Split(v.form("persons"), "\n")))
	if err != nil {
		return nil, err
	}
	in.Persons = append(in.Persons, numbers...)
	return v.Holds.Add(v.ctx(), v.actor, in)
}

// filled are the lines that say something.
func filled(lines []string) []string {
	var out []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// holdPage is one hold, and the forms that change it.
type holdPage struct {
	ui.Frame
	Facts   []ui.Fact
	Refused ui.Table
	Release *form // nil for one that has ended
	Extend  *form
}

func (p *holdPage) mark() {
	for _, f := range []*form{p.Release, p.Extend} {
		if f != nil {
			f.Errors = p.Errors
			f.mark()
		}
	}
}

func holdOf(v *visit) error {
	p, err := v.holdPage()
	if err != nil {
		return err
	}
	return v.render("hold", p)
}

func (v *visit) holdPage() (*holdPage, error) {
	h, err := v.Holds.Get(v.ctx(), v.org().ID, v.r.PathValue("hold"))
	if err != nil {
		return nil, err
	}
	names, err := v.namesOfMembers()
	if err != nil {
		return nil, err
	}
	p := &holdPage{Frame: v.trustFrame(v.holdTitle(h))}
	p.Crumbs = []ui.Link{{Title: v.t("hold.title"), Href: "/trust/holds"}}
	persons, err := v.namesOf(h.Persons, names)
	if err != nil {
		return nil, err
	}
	fact := func(key, text string) {
		if text != "" {
			p.Facts = append(p.Facts, ui.Fact{Title: v.t(key), Cell: ui.Cell{Text: text}})
		}
	}
	p.Facts = append(p.Facts, ui.Fact{Title: v.t("hold.state"), Cell: v.holdState(h)})
	fact("hold.about", v.holdScope(h))
	fact("hold.persons", strings.Join(persons, ", "))
	fact("hold.categories", nonEmpty(strings.Join(h.Categories, ", "), v.t("hold.categories.all")))
	fact("hold.reason", h.Reason)
	fact("hold.owner", names[h.Owner])
	fact("hold.ends", v.words.Date(lastDay(h, v.org())))
	fact("hold.made", names[h.CreatedBy])
	fact("hold.release.reason", h.ReleaseReason)
	p.Refused = ui.Table{Title: v.t("hold.refused"), Columns: []ui.Column{{Title: v.t("hold.path")}, {Title: v.t("hold.times"), Numeric: true}, {Title: v.t("hold.last")}}}
	for _, r := range h.Refused {
		p.Refused.Rows = append(p.Refused.Rows, ui.Row{Cells: []ui.Cell{{Text: v.t("hold.path." + string(r.Path))}, {Text: v.words.Number(r.Times)}, {Time: r.Last}}})
	}
	p.Refused.Empty = &ui.Empty{Icon: "shield", Title: v.t("hold.refused.none"), Text: v.t("hold.refused.none.text")}
	if h.Active(v.Now()) && v.keeps() {
		path := "/trust/holds/" + h.ID
		p.Release = &form{Action: path + "/release", Submit: v.t("hold.release"), Danger: true, Sections: []section{{Fields: []ui.Field{{Name: "reason", Label: v.t("hold.release.reason"), Value: v.form("reason")}}}}}
		p.Extend = &form{Action: path + "/extend", Submit: v.t("hold.extend"), Sections: []section{{Fields: []ui.Field{{Name: "ends", Label: v.t("hold.ends"), Type: "date", Size: "short", Value: nonEmpty(v.form("ends"), lastDay(h, v.org()).String())}}}}}
	}
	return p, nil
}

func releaseHold(v *visit) error {
	_, err := v.Holds.Release(v.ctx(), v.actor, v.r.PathValue("hold"), v.form("reason"))
	return v.holdChanged(err, "hold.released.flash")
}

func extendHold(v *visit) error {
	ends, err := v.lastMoment("ends")
	if err == nil {
		_, err = v.Holds.Extend(v.ctx(), v.actor, v.r.PathValue("hold"), ends)
	}
	return v.holdChanged(err, "hold.extended.flash")
}

func (v *visit) holdChanged(err error, done string) error {
	if err == nil {
		return v.to("/trust/holds/"+v.r.PathValue("hold"), v.good(done))
	}
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.Conflict {
		return err
	}
	p, pageErr := v.holdPage()
	if pageErr != nil {
		return pageErr
	}
	return v.again("hold", p, err)
}
