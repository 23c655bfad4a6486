package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/platform/db"
	"parley/web/phrase"
	"parley/web/ui"
)

// dayRoutes show what a member is to do next, and what was planned with people.
func (s *site) dayRoutes() []route {
	return []route{
		{"GET /day", account.ReadLeads, dayPage},
		{"POST /day/seen", account.WriteLeads, seeNotices},
		{"POST /day/calendar", account.WriteLeads, newCalendar},
		{"POST /day/calendar/drop", account.WriteLeads, dropCalendar},
		{"GET /calendar/{secret}", Public, calendarFeed},
		{"GET " + followup.Path, account.ReadLeads, followUpsPage},
		{"GET " + followup.Path + "/{followup}", account.ReadLeads, followUpPage},
		{"POST " + followup.Path, account.WriteLeads, addFollowUp},
		{"GET " + followup.Path + "/{followup}/edit", account.WriteLeads, editFollowUp},
		{"POST " + followup.Path + "/{followup}/edit", account.WriteLeads, changeFollowUp},
		{"POST " + followup.Path + "/{followup}/done", account.WriteLeads, finishFollowUp},
		{"POST " + followup.Path + "/{followup}/snooze", account.WriteLeads, snoozeFollowUp},
		{"POST " + followup.Path + "/{followup}/cancel", account.WriteLeads, cancelFollowUp},
		{"POST " + followup.Path + "/{followup}/undo", account.WriteLeads, undoFollowUp},
	}
}

// dayPageStruct is what a member is to do next.
type dayPageStruct struct {
	ui.Frame
	Notices  []noticeLine
	Items    []dayItem
	Empty    *ui.Empty
	Owed     ui.Table
	Calendar calendarCard
}

// noticeLine is something that a member has not looked at yet.
type noticeLine struct {
	Text, Href string
	At         time.Time
}

// dayItem is one thing to do, with why.
type dayItem struct {
	Reason  string
	Kind    ui.Kind
	Also    []string
	Name    string
	Company string
	Href    string
	When    string
	Text    string
	Dial    *ui.Action
	Stopped string
	Talks   []ui.Note // colleagues who talk to them now, or did just now
	Acts    *followUpActs
}

// followUpActs are the forms by which a follow-up is ended or put off.
type followUpActs struct {
	Path, Back string
	Outcomes   []ui.Option
	Presets    []ui.Option
}

// calendarCard says how calendar programs get to a member's follow-ups.
type calendarCard struct {
	Made, Used time.Time
	Details    bool
	May        bool
}

func dayPage(v *visit) error {
	items, err := v.FollowUps.MyDay(v.ctx(), v.org(), v.actor.Member.ID, v.Now())
	if err != nil {
		return err
	}
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return err
	}
	p := &dayPageStruct{Frame: v.frame(v.t("nav.day"))}
	p.Lead = v.words.Rich("day.lead", "Count", len(items))
	for i := range items {
		p.Items = append(p.Items, v.dayItem(&items[i], set))
	}
	if err := v.warnOfTalks(p.Items[:min(len(items), watched)], items); err != nil {
		return err
	}
	if len(items) == 0 {
		p.Lead = ""
		p.Empty = &ui.Empty{Icon: "check", Title: v.t("day.none"), Text: v.t("day.none.text")}
	}
	notices, err := v.FollowUps.Unseen(v.ctx(), v.DB, v.org().ID, v.actor.Member.ID, 20)
	if err != nil {
		return err
	}
	for _, n := range notices {
		p.Notices = append(p.Notices, noticeLine{Text: v.t("day.notice." + string(n.Kind)), Href: n.Link, At: n.At})
	}
	feed, err := v.FollowUps.FeedOf(v.ctx(), v.DB, v.org().ID, v.actor.Member.ID)
	if err != nil {
		return err
	}
	p.Calendar = calendarCard{Made: feed.Made, Used: feed.Used, Details: set.Details, May: v.actor.Can(account.WriteLeads)}
	if err := v.owed(p); err != nil {
		return err
	}
	return v.render("day", p)
}

// watched is of how many lines at the top of a day it is looked up whether a colleague talks to the person just now.
const watched = 20

// warnOfTalks says on each line that can be dialled who else talks to the person.
func (v *visit) warnOfTalks(lines []dayItem, items []followup.Item) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	for i := range lines {
		if lines[i].Dial == nil {
			continue
		}
		if lines[i].Talks, err = d.talkNotes([]number.ID{items[i].Dial.Number}); err != nil {
			return err
		}
	}
	return nil
}

// owed lists the calls of which something is still to be said.
func (v *visit) owed(p *dayPageStruct) error {
	debts, err := v.Attach.Owed(v.ctx(), v.org(), v.actor.Member.ID)
	if err != nil || len(debts) == 0 {
		return err
	}
	var ids []contact.ID
	for _, d := range debts {
		ids = append(ids, d.Contact)
	}
	found, err := v.Contacts.Load(v.ctx(), v.DB, v.org().ID, ids...)
	if err != nil {
		return err
	}
	p.Owed = ui.Table{Title: v.t("day.owed"), Note: v.words.Number(int64(len(debts))), Columns: []ui.Column{{Title: v.t("lead.person")}, {Title: v.t("day.owed.call")}, {Title: v.t("day.owed.lacks")}}}
	for _, d := range debts {
		name := v.t("lead.erased")
		if c := found[d.Contact]; c != nil {
			name = v.contactName(c)
		}
		lacks := v.t("day.owed.outcome")
		if !d.Outcome {
			lacks = v.t("day.owed.next")
		}
		p.Owed.Rows = append(p.Owed.Rows, ui.Row{Cells: []ui.Cell{{Text: name, Href: "/leads/" + string(d.Lead), Strong: true}, {Time: d.Call.At()}, {Text: lacks}}})
	}
	return nil
}

// dayItem shows one thing to do.
func (v *visit) dayItem(i *followup.Item, set followup.Settings) dayItem {
	out := dayItem{Reason: v.t("day.reason." + string(i.Reason)), Name: i.Name, Company: i.Company}
	switch i.Reason {
	case followup.PromiseBroken, followup.MissedWaits:
		out.Kind = ui.Bad
	case followup.AnswerDue:
		out.Kind = ui.Warn
	}
	if i.FollowUp != nil && i.FollowUp.Overdue(v.Now()) {
		out.Kind = ui.Bad
	}
	for _, a := range i.Also {
		out.Also = append(out.Also, v.t("day.reason."+string(a)))
	}
	out.When = v.words.Moment(i.At, v.Now())
	if i.AllDay {
		out.When = v.words.LongDate(i.FollowUp.Day)
	}
	switch {
	case i.Lead != "":
		out.Href = "/leads/" + string(i.Lead)
	case i.Contact != "":
		out.Href = contactPath(i.Contact)
	}
	if out.Name == "" {
		out.Name = nonEmpty(v.phone(i.Dial.Text), v.t("contact.nameless"))
	}
	switch {
	case i.Dial.Stopped == followup.StopMissing:
	case i.Dial.Stopped != "":
		out.Stopped = v.t("day.stopped." + i.Dial.Stopped)
		if i.Dial.Stopped == followup.StopRestricted {
			out.Name, out.Company, out.Href = v.t("day.stopped.nameless"), "", ""
		}
	case i.Dial.Text != "":
		out.Dial = &ui.Action{Title: v.phone(i.Dial.Text), Dial: i.Dial.Text, Icon: "call", Primary: true}
	}
	if f := i.FollowUp; f != nil {
		out.Text = f.Text
		if v.actor.Can(account.WriteLeads) {
			out.Acts = v.followUpActs(f, set, "/day")
		}
	}
	return out
}

func (v *visit) followUpActs(f *followup.FollowUp, set followup.Settings, back string) *followUpActs {
	a := &followUpActs{Path: followup.Link(f.ID), Back: back, Outcomes: []ui.Option{{Title: v.t("followup.no_outcome")}}}
	for _, o := range set.Outcomes {
		if !o.Retired {
			a.Outcomes = append(a.Outcomes, ui.Option{Value: o.Key, Title: o.Title})
		}
	}
	for _, p := range []followup.Preset{followup.TenMinutes, followup.OneHour, followup.Tomorrow, followup.NextWorkday} {
		a.Presets = append(a.Presets, ui.Option{Value: string(p), Title: v.t("followup.preset." + string(p))})
	}
	return a
}

func seeNotices(v *visit) error {
	all, err := v.FollowUps.Unseen(v.ctx(), v.DB, v.org().ID, v.actor.Member.ID, 500)
	if err != nil {
		return err
	}
	var ids []string
	for _, n := range all {
		ids = append(ids, n.ID)
	}
	if err := v.FollowUps.See(v.ctx(), v.org().ID, v.actor.Member.ID, ids...); err != nil {
		return err
	}
	return v.to("/day")
}

func followUpsPage(v *visit) error { return v.to("/day") }

// followUpPageStruct is one follow-up.
type followUpPageStruct struct {
	ui.Frame
	Facts []ui.Fact
	Edit  *ui.Action // nil of one that has ended, and for who may not
	Acts  *followUpActs
	Undo  *ui.Action
}

// theFollowUp is the follow-up of the address, if the reader sees it.
func (v *visit) theFollowUp() (*desk, *followup.FollowUp, error) {
	d, err := v.desk()
	if err != nil {
		return nil, nil, err
	}
	f, err := v.FollowUps.Get(v.ctx(), v.DB, v.org().ID, d.sight, followup.ID(v.r.PathValue("followup")))
	return d, f, err
}

func followUpPage(v *visit) error {
	d, f, err := v.theFollowUp()
	if err != nil {
		return err
	}
	found, err := v.Contacts.Load(v.ctx(), v.DB, v.org().ID, f.Contact)
	if err != nil {
		return err
	}
	who, href := v.t("lead.erased"), ""
	if c := found[f.Contact]; c != nil {
		if err := v.Contacts.CheckUse(v.ctx(), v.DB, v.org().ID, c); err != nil {
			return err
		}
		v.concernContact(c)
		who, href = nonEmpty(v.contactName(c), v.t("contact.nameless")), contactPath(c.ID)
	}
	p := &followUpPageStruct{Frame: v.under(v.t("followup.kind."+string(f.Kind)), ui.Link{Title: v.t("nav.day"), Href: "/day"})}
	add := func(key string, c ui.Cell) { p.Facts = append(p.Facts, ui.Fact{Title: v.t(key), Cell: c}) }
	add("lead.person", ui.Cell{Text: who, Href: href, Strong: true})
	if f.Lead != "" {
		add("timeline.lead", ui.Cell{Text: v.t("followup.open_lead"), Href: "/leads/" + string(f.Lead)})
	}
	add("lead.due", ui.Cell{Text: v.followUpWhen(f)})
	if f.Text != "" {
		add("followup.text", ui.Cell{Text: f.Text})
	}
	if f.Repeat.Unit != followup.Once {
		add("followup.repeat", ui.Cell{Text: v.repeatText(f.Repeat)})
	}
	add("lead.owner", ui.Cell{Text: d.ownerName(f.Owner)})
	add("lead.state", ui.Cell{Text: v.t("followup.state." + f.State.String())})
	if v.actor.Can(account.WriteLeads) {
		if f.State == followup.Open {
			set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
			if err != nil {
				return err
			}
			p.Acts = v.followUpActs(f, set, followup.Link(f.ID))
			p.Edit = &ui.Action{Title: v.t("followup.edit"), Href: followup.Link(f.ID) + "/edit", Icon: "edit"}
		} else {
			p.Undo = &ui.Action{Title: v.t("lead.undo"), Href: followup.Link(f.ID) + "/undo", Post: true, Icon: "history"}
		}
	}
	return v.render("followup", p)
}

// followUpWhen says for when a follow-up is planned.
func (v *visit) followUpWhen(f *followup.FollowUp) string {
	if f.AllDay && f.Snoozed.IsZero() {
		return v.words.LongDate(f.Day)
	}
	return v.words.DateTime(f.At.In(v.org().Location()))
}

// carriedFollowUp changes the follow-up of the address in a transaction, and leads back.
func (v *visit) carriedFollowUp(said string, do func(tx *db.Tx, f *followup.FollowUp) error) error {
	_, f, err := v.theFollowUp()
	if err != nil {
		return err
	}
	if err := v.DB.Tx(v.ctx(), func(tx *db.Tx) error { return do(tx, f) }); err != nil {
		return err
	}
	return v.to(v.back(followup.Link(f.ID)), v.good(said))
}

func finishFollowUp(v *visit) error {
	return v.carriedFollowUp("followup.done", func(tx *db.Tx, f *followup.FollowUp) error {
		fin := followup.Finish{Outcome: v.form("outcome"), Result: v.form("result"), NoNext: v.form("next") == ""}
		if next := v.form("next"); next != "" {
			due, err := v.moment("next")
			if err != nil {
				return err
			}
			fin.Next = &followup.New{Due: due}
		}
		_, err := v.FollowUps.Done(v.ctx(), tx, v.org(), v.actor.Member.ID, f.ID, fin)
		return err
	})
}

func snoozeFollowUp(v *visit) error {
	return v.carriedFollowUp("followup.snoozed", func(tx *db.Tx, f *followup.FollowUp) error {
		until, err := v.moment("until")
		if err == nil && until.IsZero() {
			until, err = followup.Preset(v.form("preset")).After(v.org(), v.Now())
		}
		if err != nil {
			return err
		}
		_, err = v.FollowUps.Snooze(v.ctx(), tx, v.org(), v.actor.Member.ID, f.ID, until)
		return err
	})
}

func cancelFollowUp(v *visit) error {
	return v.carriedFollowUp("followup.cancelled", func(tx *db.Tx, f *followup.FollowUp) error {
		_, err := v.FollowUps.Cancel(v.ctx(), tx, v.org(), v.actor.Member.ID, f.ID, v.checked("just_this"))
		return err
	})
}

func undoFollowUp(v *visit) error {
	return v.carriedFollowUp("followup.undone", func(tx *db.Tx, f *followup.FollowUp) error {
		_, err := v.FollowUps.Undo(v.ctx(), tx, v.org(), v.actor.Member.ID, f.ID)
		return err
	})
}

// newCalendar makes a link for calendar programs, which is shown once.
func newCalendar(v *visit) error {
	secret, err := v.FollowUps.NewFeed(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	p := &tokenMadePage{Frame: v.under(v.t("day.calendar"), ui.Link{Title: v.t("nav.day"), Href: "/day"}), Secret: v.base(v.r) + "/calendar/" + secret}
	return v.render("calendar-made", p)
}

func dropCalendar(v *visit) error {
	if err := v.FollowUps.DropFeed(v.ctx(), v.actor); err != nil {
		return err
	}
	return v.to("/day", v.good("day.calendar.dropped"))
}

// calendarFeed answers a calendar program that has a member's link.
func calendarFeed(v *visit) error {
	body, err := v.FollowUps.Calendar(v.ctx(), v.r.PathValue("secret"), func(org *account.Org, m *account.Member) followup.Speech {
		words := phrase.For(v.locale(org)).In(org.Location())
		return followup.Speech{Name: "Parley: " + m.Name, Base: v.base(v.r),
			Summary: func(f *followup.FollowUp, who string) string {
				if who == "" {
					return words.T("followup.kind." + string(f.Kind))
				}
				return words.T("followup.with", "Kind", words.T("followup.kind."+string(f.Kind)), "Who", who)
			},
			Words: func(f *followup.FollowUp, numbers []string) string {
				var text strings.Builder
				text.WriteString(f.Text)
				for _, n := range numbers {
					text.WriteString("\n" + n)
				}
				return text.String()
			}}
	})
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(http.StatusOK)
	_, err = v.w.Write(body)
	return err
}

// followUpList is what is planned with a person or a lead, and a form to plan more.
type followUpList struct {
	Rows []followUpLine
	Add  *followUpForm // nil for who may not
}

// followUpLine is a follow-up that is open.
type followUpLine struct {
	Title, Href, When, Text string
	Kind                    ui.Kind
	Acts                    *followUpActs
}

// followUpsOf lists what is planned, as a filter asks; keep says what a new one is about, and owner who is to do it unless the
// form says somebody else.
func (d *desk) followUpsOf(f followup.Filter, keep ui.Param, owner account.MemberID, back string) (*followUpList, error) {
	f.States, f.Limit = []followup.State{followup.Open}, pageRows
	page, err := d.FollowUps.List(d.ctx(), d.DB, d.org().ID, d.sight, f)
	if err != nil {
		return nil, err
	}
	set, err := d.FollowUps.Settings(d.ctx(), d.DB, d.org().ID)
	if err != nil {
		return nil, err
	}
	may := d.actor.Can(account.WriteLeads)
	out := &followUpList{}
	for _, x := range page.Rows {
		l := followUpLine{Title: d.t("followup.kind." + string(x.Kind)), Href: followup.Link(x.ID), When: d.followUpWhen(x) + " · " + d.ownerName(x.Owner), Text: x.Text}
		if x.Overdue(d.Now()) {
			l.Kind = ui.Bad
		}
		if may {
			l.Acts = d.followUpActs(x, set, back)
		}
		out.Rows = append(out.Rows, l)
	}
	if !may {
		return out, nil
	}
	out.Add = &followUpForm{Keep: []ui.Param{keep}, Fields: d.followUpFields(&followup.FollowUp{Owner: owner})}
	return out, nil
}
