package web

import (
	"net/url"
	"strings"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/web/ui"
)

// leadTablePage is leads as a table, of which many can be changed at once.
type leadTablePage struct {
	ui.Frame
	Add     *ui.Action
	More    []ui.Action
	Filters *leadFilterForm
	Views   []leadViewLink
	Save    *viewForm
	Table   ui.Table
	IDs     []string // of the rows, for the boxes before them
	Bulk    *bulkForm
	Undo    *ui.Action
}

// leadViewLink is a saved view.
type leadViewLink struct {
	ui.Link
	Shared bool
	Drop   *ui.Action // nil for who did not make it
}

// viewForm keeps what the address asks for as a view.
type viewForm struct{ Query string }

// bulkForm changes the chosen leads, or all of the filter.
type bulkForm struct {
	Query  string // the filter, for all
	Count  int64
	Owners []ui.Option // nil for who may not give leads away
	Stages []ui.Option
	Close  []ui.Option
}

func leadTable(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	if view := v.query("view"); view != "" {
		kept, err := v.Leads.View(v.ctx(), v.DB, v.org().ID, v.actor.Member.ID, view)
		if err != nil {
			return err
		}
		return d.leadTable(kept.Filter, kept.Sort, nil, kept)
	}
	f, wrong := d.tableFilter()
	return d.leadTable(f, lead.Sort(v.query("sort")), wrong, nil)
}

// tableFilter is the filter of the address with what the table alone can show: closed leads and single stages.
func (d *desk) tableFilter() (lead.Filter, []fault.FieldError) {
	f, wrong := d.leadFilter()
	f.Pipeline = d.query("pipeline")
	if st := d.query("stage"); st != "" {
		f.Stages = []string{st}
	}
	if word := d.query("state"); word != "" {
		st, err := lead.ParseState(word)
		if err != nil {
			wrong = append(wrong, fault.Fields(err)...)
		} else {
			f.States = []lead.State{st}
		}
	}
	return f, wrong
}

func (d *desk) leadTable(f lead.Filter, sort lead.Sort, wrong []fault.FieldError, kept *lead.View) error {
	page, err := d.Leads.Table(d.ctx(), d.DB, d.org().ID, d.sight, lead.Ask{Filter: f, Sort: sort, Cursor: d.query("after"), Limit: pageRows, Count: true})
	if err != nil && len(fault.Fields(err)) > 0 {
		wrong = append(wrong, fault.Fields(err)...)
		page, err = d.Leads.Table(d.ctx(), d.DB, d.org().ID, d.sight, lead.Ask{Filter: f, Limit: pageRows, Count: true})
	}
	if err != nil {
		return err
	}
	p := &leadTablePage{Frame: d.leadFrame()}
	p.Errors = append(p.Errors, wrong...)
	p.Add, p.More = d.leadActions()
	if p.Filters, err = d.leadFilters("/leads/table", true); err != nil {
		return err
	}
	p.Table = d.leadRows(page, sort)
	p.Table.Exports = d.exports("/leads/export", "csv", "xlsx")
	for _, r := range page.Rows {
		p.IDs = append(p.IDs, string(r.ID))
	}
	p.Lead = d.words.Rich("lead.table.lead", "Count", page.Count)
	if kept != nil {
		p.Title = kept.Name
	}
	if page.Count == 0 && !p.Filters.Narrowed && kept == nil {
		p.Table.Empty = d.noLeads()
	}
	if err := d.leadViews(p, kept); err != nil {
		return err
	}
	if d.actor.Can(account.WriteLeads) && len(page.Rows) > 0 {
		p.Bulk = d.bulkForm(page.Count)
	}
	if bulk := d.query("undo"); bulk != "" && d.actor.Can(account.WriteLeads) {
		p.Undo = &ui.Action{Title: d.t("lead.undo"), Href: "/leads/bulk/" + url.PathEscape(bulk) + "/undo", Post: true, Icon: "history"}
	}
	return d.render("leads-table", p)
}

func (d *desk) leadViews(p *leadTablePage, kept *lead.View) error {
	views, err := d.Leads.Views(d.ctx(), d.DB, d.org().ID, d.actor.Member.ID)
	if err != nil {
		return err
	}
	for _, w := range views {
		l := leadViewLink{Link: ui.Link{Title: w.Name, Href: "/leads/table?view=" + w.ID, Current: kept != nil && kept.ID == w.ID}, Shared: w.Shared}
		if l.Current && w.Member == d.actor.Member.ID && d.actor.Can(account.WriteLeads) {
			l.Drop = &ui.Action{Title: d.t("lead.view.drop"), Href: "/leads/views/" + w.ID + "/delete", Post: true, Icon: "trash", Confirm: d.t("lead.view.drop_confirm", "Name", w.Name), ConfirmText: d.t("lead.view.drop_text")}
		}
		p.Views = append(p.Views, l)
	}
	if q := d.r.URL.Query(); kept == nil && d.actor.Can(account.WriteLeads) && (d.leadQuery() != "" || q.Get("state") != "" || q.Get("sort") != "") {
		q.Del("after")
		q.Del("undo")
		p.Save = &viewForm{Query: q.Encode()}
	}
	return nil
}

// leadColumns are the columns of the table and the orders that they stand for.
func (d *desk) leadColumns(sort lead.Sort) []ui.Column {
	head := func(key string, by lead.Sort, numeric bool) ui.Column {
		c := ui.Column{Title: d.t(key), Numeric: numeric}
		if by == "" {
			return c
		}
		q := d.r.URL.Query()
		q.Del("after")
		q.Set("sort", string(by))
		switch sort {
		case by:
			c.Sorted = "ascending"
			q.Set("sort", "-"+string(by))
		case "-" + by:
			c.Sorted = "descending"
		}
		c.SortURL = "/leads/table?" + q.Encode()
		return c
	}
	return []ui.Column{head("lead.person", "", false), head("lead.stage", lead.ByStaged, false), head("lead.owner", "", false), head("lead.worth", lead.ByValue, true),
		head("lead.due", lead.ByDue, false), head("lead.attempts", lead.ByAttempts, true), head("lead.touched", lead.ByTouched, false), head("lead.source", "", false), head("lead.made", lead.ByMade, false)}
}

func (d *desk) leadRows(page *lead.Page, sort lead.Sort) ui.Table {
	t := ui.Table{Title: d.t("nav.leads"), Note: d.words.Number(page.Count), Columns: d.leadColumns(sort)}
	for _, r := range page.Rows {
		t.Rows = append(t.Rows, d.leadRow(r))
	}
	q := d.r.URL.Query()
	if page.Cursor != "" || q.Get("after") != "" {
		t.Pager = &ui.Pager{}
		if page.Cursor != "" {
			q.Set("after", page.Cursor)
			t.Pager.Older = "/leads/table?" + q.Encode()
		}
		if d.query("after") != "" {
			q.Del("after")
			t.Pager.First = "/leads/table?" + q.Encode()
		}
	}
	if d.actor.Can(account.ExportLeads) {
		for _, f := range []struct{ word, title string }{{"csv", "CSV"}, {"xlsx", "XLSX"}} {
			q := d.r.URL.Query()
			q.Del("after")
			q.Set("format", f.word)
			t.Exports = append(t.Exports, ui.Link{Title: f.title, Href: "/leads/export?" + q.Encode()})
		}
	}
	t.Empty = &ui.Empty{Icon: "search", Title: d.t("lead.none_found"), Text: d.t("lead.none_found.text")}
	return t
}

func (d *desk) leadRow(r lead.Row) ui.Row {
	who := ui.Cell{Text: d.who(r), Href: "/leads/" + string(r.ID), Strong: true}
	if r.Who != nil && r.Who.Person.Company != who.Text {
		who.Sub = r.Who.Person.Company
	}
	for _, t := range r.Tags {
		who.Tags = append(who.Tags, ui.Tag{Text: t})
	}
	stage := ui.Cell{Text: d.stageTitle(r.Pipeline, r.Stage)}
	switch r.State {
	case lead.Won:
		stage = ui.Cell{Tag: &ui.Tag{Text: d.t("lead.state.won"), Kind: ui.Good, Icon: "check"}, Sub: d.reasonTitle(r.Reason)}
	case lead.Lost:
		stage = ui.Cell{Tag: &ui.Tag{Text: d.t("lead.state.lost")}, Sub: d.reasonTitle(r.Reason)}
	}
	due := ui.Cell{Time: r.Due}
	if !r.Due.IsZero() && r.Due.Before(d.Now()) && r.State == lead.Open {
		due = ui.Cell{Tag: &ui.Tag{Text: d.words.Moment(r.Due, d.Now()), Kind: ui.Bad, Icon: "clock"}}
	}
	attempts := ui.Cell{Text: d.words.Number(int64(r.Attempts))}
	if r.Attempts > 0 {
		attempts.Sub = d.t("lead.connected", "Count", r.Connected)
	}
	return ui.Row{Muted: r.State != lead.Open, Cells: []ui.Cell{who, stage, {Text: d.ownerName(r.Owner), Muted: r.Owner == ""}, {Text: d.money(r.Value, r.Currency)}, due, attempts, {Ago: r.Last}, {Text: r.Source}, {Time: r.Made}}}
}

func (d *desk) bulkForm(count int64) *bulkForm {
	b := &bulkForm{Query: d.r.URL.RawQuery, Count: count}
	if d.actor.Can(account.AssignLeads) {
		b.Owners = append([]ui.Option{{Title: d.t("lead.bulk.keep")}, {Value: "none", Title: d.t("lead.unowned")}}, d.owners()[1:]...)
	}
	b.Stages = []ui.Option{{Title: d.t("lead.bulk.keep")}}
	for _, p := range d.pipelines {
		for _, s := range p.Active() {
			title := s.Title
			if len(d.pipelines) > 1 {
				title = p.Title + ": " + s.Title
			}
			b.Stages = append(b.Stages, ui.Option{Value: p.Key + "/" + s.Key, Title: title})
		}
	}
	b.Close = d.closings(true)
	return b
}

// closings are the ends of a lead with their reasons.
func (d *desk) closings(keep bool) []ui.Option {
	var out []ui.Option
	if keep {
		out = append(out, ui.Option{Title: d.t("lead.bulk.keep")})
	}
	for _, st := range []lead.State{lead.Won, lead.Lost} {
		word := d.t("lead.state." + st.String())
		out = append(out, ui.Option{Value: st.String(), Title: word})
		for _, r := range d.reasons {
			if r.State == st && !r.Gone {
				out = append(out, ui.Option{Value: st.String() + "/" + r.Key, Title: word + ": " + r.Title})
			}
		}
	}
	return out
}

// bulkLeads changes many leads at once, and offers to take it back.
func bulkLeads(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	if err := v.r.ParseForm(); err != nil {
		return fault.Wrap(fault.Invalid, err, "The form did not arrive whole. Send it again.")
	}
	sel, err := d.selection()
	if err != nil {
		return err
	}
	e, err := d.bulkEdit()
	if err != nil {
		return err
	}
	out, err := v.Leads.Bulk(v.ctx(), v.actor, sel, e)
	if err != nil {
		return err
	}
	return v.bulkDone(out, true, v.form("query"))
}

// bulkDone leads back to the table and says what became of the leads.
func (v *visit) bulkDone(out *lead.Outcome, undo bool, query string) error {
	q, _ := url.ParseQuery(query)
	q.Del("undo")
	q.Del("after")
	if undo && out.Changed > 0 {
		q.Set("undo", out.Bulk)
	}
	flashes := []ui.Flash{v.good("lead.bulk.done", "Count", out.Changed)}
	if out.Changed == 0 {
		flashes = []ui.Flash{{Kind: ui.Plain, Text: v.t("lead.bulk.nothing")}}
	}
	said := map[string]int{}
	for _, s := range out.Skipped {
		said[s.Sentence]++
	}
	shown := 0
	for _, s := range out.Skipped {
		if n := said[s.Sentence]; n > 0 && shown < 3 {
			flashes = append(flashes, ui.Flash{Kind: ui.Warn, Text: v.t("lead.bulk.skipped", "Count", n) + " " + s.Sentence})
			shown++
		}
		delete(said, s.Sentence)
	}
	path := "/leads/table"
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return v.to(path, flashes...)
}

func (d *desk) selection() (lead.Selection, error) {
	if d.form("all") == "" {
		var sel lead.Selection
		for _, one := range d.r.PostForm["lead"] {
			sel.IDs = append(sel.IDs, lead.ID(one))
		}
		if len(sel.IDs) == 0 {
			return sel, fault.New(fault.Invalid, "No leads were chosen. Tick some in the table, or choose all of them.")
		}
		return sel, nil
	}
	d.r.URL.RawQuery = d.form("query")
	if view := d.query("view"); view != "" {
		kept, err := d.Leads.View(d.ctx(), d.DB, d.org().ID, d.actor.Member.ID, view)
		if err != nil {
			return lead.Selection{}, err
		}
		return lead.Selection{Filter: &kept.Filter}, nil
	}
	f, wrong := d.tableFilter()
	if len(wrong) > 0 {
		return lead.Selection{}, fault.New(fault.Invalid, "%s Nothing was changed.", wrong[0].Sentence)
	}
	return lead.Selection{Filter: &f}, nil
}

func (d *desk) bulkEdit() (lead.Edit, error) {
	var e lead.Edit
	if o := d.form("owner"); o == "none" {
		e.Owner = new(account.MemberID)
	} else if o != "" {
		to := account.MemberID(o)
		e.Owner = &to
	}
	e.Pipeline, e.Stage, _ = strings.Cut(d.form("stage"), "/")
	for t := range strings.SplitSeq(d.form("add_tags"), ",") {
		if t = strings.TrimSpace(t); t != "" {
			e.AddTags = append(e.AddTags, t)
		}
	}
	for t := range strings.SplitSeq(d.form("drop_tags"), ",") {
		if t = strings.TrimSpace(t); t != "" {
			e.DropTags = append(e.DropTags, t)
		}
	}
	if word, reason, _ := strings.Cut(d.form("close"), "/"); word != "" {
		st, err := lead.ParseState(word)
		if err != nil {
			return e, err
		}
		e.Close, e.Reason = st, reason
	}
	due, err := d.moment("due")
	if err != nil {
		return e, err
	}
	if !due.IsZero() {
		e.Due = &due
	}
	e.Why = d.form("why")
	return e, nil
}

func undoBulk(v *visit) error {
	out, err := v.Leads.Undo(v.ctx(), v.actor, v.r.PathValue("bulk"))
	if err != nil {
		return err
	}
	return v.bulkDone(out, false, "")
}

func saveLeadView(v *visit) error {
	d, err := v.desk()
	if err != nil {
		return err
	}
	d.r.URL.RawQuery = v.form("query")
	f, wrong := d.tableFilter()
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "%s The view was not saved.", wrong[0].Sentence)
	}
	view := lead.View{Name: v.form("name"), Shared: v.checked("shared"), Filter: f, Sort: lead.Sort(v.query("sort"))}
	var kept *lead.View
	err = v.DB.Tx(v.ctx(), func(tx *db.Tx) (err error) {
		kept, err = v.Leads.SaveView(v.ctx(), tx, v.org().ID, v.actor.Member.ID, view)
		return err
	})
	if err != nil {
		return err
	}
	return v.to("/leads/table?view="+kept.ID, v.good("lead.view.saved"))
}

func dropLeadView(v *visit) error {
	err := v.DB.Tx(v.ctx(), func(tx *db.Tx) error {
		return v.Leads.DropView(v.ctx(), tx, v.org().ID, v.actor.Member.ID, v.r.PathValue("view"))
	})
	if err != nil {
		return err
	}
	return v.to("/leads/table", v.good("lead.view.dropped"))
}
