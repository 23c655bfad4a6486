package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// cardsPerStage is how many cards of a stage a board shows at first: more are not read, and make the page slow.
const cardsPerStage = 50

// boardPage is the open leads of a pipeline.
type boardPage struct {
	ui.Frame
	Add     *ui.Action
	More    []ui.Action
	Filters *leadFilterForm
	Board   ui.Board
}

func leadBoard(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	f, wrong := d.leadFilter()
	per := cardsPerStage
	if n, err := strconv.Atoi(v.query("cards")); err == nil && n > 0 && n <= 1000 {
		per = n
	}
	b, err := v.Leads.Board(v.ctx(), v.DB, v.org().ID, d.sight, v.query("pipeline"), f, per)
	if err != nil {
		return err
	}
	p := &boardPage{Frame: d.leadFrame()}
	p.Errors = append(p.Errors, wrong...)
	p.Add, p.More = d.leadActions()
	if p.Filters, err = d.leadFilters("/leads", false); err != nil {
		return err
	}
	p.Board = ui.Board{Label: b.Pipeline.Title, Hint: v.t("board.hint")}
	total := int64(0)
	for _, col := range b.Columns {
		total += col.Count
		p.Board.Lanes = append(p.Board.Lanes, d.lane(b.Pipeline, col, per))
	}
	p.Lead = v.words.Rich("lead.board.lead", "Count", total, "Pipeline", b.Pipeline.Title)
	if total == 0 && !p.Filters.Narrowed {
		p.Board.Lanes = nil
		p.Board.Empty = d.noLeads()
	}
	return v.render("leads", p)
}

func (d *desk) noLeads() *ui.Empty {
	e := &ui.Empty{Icon: "people", Title: d.t("lead.none"), Text: d.t("lead.none.text")}
	if d.actor.Can(account.ImportLeads) {
		e.Action = &ui.Action{Title: d.t("lead.import"), Href: "/leads/imports/new", Icon: "import"}
	}
	return e
}

func (d *desk) lane(p *lead.Pipeline, col lead.Column, per int) ui.Lane {
	l := ui.Lane{ID: col.Stage.Key, Title: col.Stage.Title, Count: d.words.Number(col.Count), Note: d.sums(col.Sum), Empty: d.t("lead.stage_empty")}
	for _, r := range col.Cards {
		l.Cards = append(l.Cards, d.card(p, r))
	}
	if col.More != "" {
		q := d.r.URL.Query()
		q.Set("cards", strconv.Itoa(min(per*4, 1000)))
		more := ui.Link{Title: d.t("lead.more_cards", "Count", col.Count-int64(len(col.Cards))), Href: "/leads?" + q.Encode()}
		if per >= 1000 {
			more.Href = "/leads/table?" + url.Values{"pipeline": {p.Key}, "stage": {col.Stage.Key}, "state": {"open"}}.Encode()
		}
		l.More = &more
	}
	return l
}

func (d *desk) card(p *lead.Pipeline, r lead.Row) ui.Card {
	c := ui.Card{ID: string(r.ID), Rev: r.Rev, Title: d.who(r), Href: "/leads/" + string(r.ID), Side: d.money(r.Value, r.Currency)}
	if r.Who != nil && r.Who.Person.Company != "" && c.Title != r.Who.Person.Company {
		c.Sub = r.Who.Person.Company
	}
	if d.actor.Can(account.WriteLeads) {
		c.Move = c.Href + "/move"
		for _, s := range p.Active() {
			if s.Key != r.Stage {
				c.Stages = append(c.Stages, ui.Option{Value: s.Key, Title: s.Title})
			}
		}
	}
	if !r.Due.IsZero() {
		fact := ui.CardFact{Icon: "clock", Text: d.words.Moment(r.Due, d.Now()), Title: d.t("lead.due")}
		if r.Due.Before(d.Now()) {
			fact.Kind, c.Late = ui.Bad, true
		}
		c.Facts = append(c.Facts, fact)
	}
	if r.Attempts > 0 {
		c.Facts = append(c.Facts, ui.CardFact{Icon: "call-out", Text: d.words.Number(int64(r.Attempts)), Title: d.t("lead.attempts_help", "Count", r.Attempts, "Connected", r.Connected)})
	}
	if d.actor.Member.Role != account.Agent {
		c.Facts = append(c.Facts, ui.CardFact{Icon: "user", Text: d.ownerName(r.Owner), Title: d.t("lead.owner")})
	}
	for _, t := range r.Tags {
		c.Tags = append(c.Tags, ui.Tag{Text: t})
	}
	return c
}

// head of a stage as the board's script takes it after a move.
type laneHead struct {
	Stage string `json:"stage"`
	Count string `json:"count"`
	Note  string `json:"note"`
}

// moveLead puts a lead at another stage, or another place in its column. The board's script is answered with the new
// figures, a form with the page it came from.
func moveLead(v *visit) error {
	scripted := strings.HasPrefix(v.r.Header.Get("Accept"), "application/json")
	l, err := v.carriedLead(func(tx *db.Tx, l *lead.Lead, rev int64) (*lead.Lead, error) {
		to := lead.Spot{Stage: v.form("stage"), Below: lead.ID(v.form("above"))}
		return v.Leads.Move(v.ctx(), tx, v.org(), v.actor.Member.ID, l.ID, rev, to)
	})
	if !scripted {
		if err != nil {
			return err
		}
		return v.to(v.back("/leads?pipeline="+url.QueryEscape(l.Pipeline)), v.good("lead.moved"))
	}
	if err != nil {
		v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		v.w.WriteHeader(fault.KindOf(err).Status())
		_, _ = fmt.Fprint(v.w, fault.Sentence(err))
		return nil
	}
	d, err := v.desk()
	if err != nil {
		return err
	}
	f, _ := d.boardFilter()
	b, err := v.Leads.Board(v.ctx(), v.DB, v.org().ID, d.sight, l.Pipeline, f, 1)
	if err != nil {
		return err
	}
	out := struct {
		Rev   int64      `json:"rev"`
		Lanes []laneHead `json:"lanes"`
	}{Rev: l.Rev}
	for _, col := range b.Columns {
		out.Lanes = append(out.Lanes, laneHead{col.Stage.Key, v.words.Number(col.Count), v.sums(col.Sum)})
	}
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(out)
}

// boardFilter is the filter of the board that a move came from.
func (d *desk) boardFilter() (lead.Filter, []fault.FieldError) {
	if u, err := url.Parse(d.r.Referer()); err == nil && u.Path == "/leads" {
		d.r.URL.RawQuery = u.RawQuery
	}
	return d.leadFilter()
}

// theLead is the lead of the address, if the reader sees it.
func (v *visit) theLead() (*desk, *lead.Lead, error) {
	d, err := v.desk()
	if err != nil {
		return nil, nil, err
	}
	l, err := v.Leads.Get(v.ctx(), v.DB, v.org().ID, d.sight, lead.ID(v.r.PathValue("lead")))
	return d, l, err
}

// carriedLead changes the lead of the address, from the state that the form was shown in.
func (v *visit) carriedLead(do func(tx *db.Tx, l *lead.Lead, rev int64) (*lead.Lead, error)) (*lead.Lead, error) {
	_, l, err := v.theLead()
	if err != nil {
		return nil, err
	}
	rev, err := strconv.ParseInt(v.form("rev"), 10, 64)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The form lacks the lead's version. Open the page again.")
	}
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		l, err = do(tx, l, rev)
		return err
	})
	return l, err
}

// calendarPage is what is due, day by day.
type calendarPage struct {
	ui.Frame
	Add    *ui.Action
	More   []ui.Action
	Month  string
	Before ui.Link
	After  ui.Link
	Days   []calendarDay
	Heads  []string
}

type calendarDay struct {
	Title    string // for who does not see the grid
	Number   string
	Today    bool
	Outside  bool // of another month
	Count    int
	Items    []calendarItem
	MoreHref string
	MoreText string
}

type calendarItem struct {
	Time, Title, Href string
	Late              bool
}

const itemsPerDay = 4

func leadCalendar(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	y, m, _ := v.today().Date()
	if t, err := time.Parse("2006-01", v.query("month")); err == nil {
		y, m, _ = t.Date()
	}
	first := civil.Date(y, m, 1)
	p := &calendarPage{Frame: d.leadFrame(), Month: v.words.Month(first)}
	p.Add, p.More = d.leadActions()
	step := func(n time.Month) ui.Link {
		day := civil.Date(y, m+n, 1)
		return ui.Link{Title: v.words.Month(day), Href: "/leads/calendar?month=" + day.String()[:7]}
	}
	p.Before, p.After = step(-1), step(1)
	return d.calendar(p, first, civil.Date(y, m+1, 1))
}

// calendar fills the weeks that a month touches.
func (d *desk) calendar(p *calendarPage, first, next civil.Day) error {
	start := first
	for start.Weekday() != time.Monday {
		start--
	}
	end := next
	for end.Weekday() != time.Monday {
		end++
	}
	for i := range civil.Day(7) {
		p.Heads = append(p.Heads, d.words.WeekdayShort((start + i).Weekday()))
	}
	days, err := d.Leads.Calendar(d.ctx(), d.DB, d.org(), d.sight, start, end-1, itemsPerDay)
	if err != nil {
		return err
	}
	total := 0
	for _, x := range days {
		_, _, n := x.Day.Date()
		c := calendarDay{Title: d.words.LongDate(x.Day), Number: d.words.Number(int64(n)), Today: x.Day == d.today(), Outside: x.Day < first || x.Day >= next, Count: x.Count}
		for _, r := range x.Rows {
			c.Items = append(c.Items, calendarItem{Time: d.words.Time(r.Due), Title: d.who(r), Href: "/leads/" + string(r.ID), Late: r.Due.Before(d.Now())})
		}
		if rest := x.Count - len(x.Rows); rest > 0 {
			c.MoreText, c.MoreHref = d.t("lead.calendar.more", "Count", rest), "/leads/table?state=open&sort=due"
		}
		if !c.Outside {
			total += x.Count
		}
		p.Days = append(p.Days, c)
	}
	p.Lead = d.words.Rich("lead.calendar.lead", "Count", total, "Month", p.Month)
	return d.render("lead-calendar", p)
}
