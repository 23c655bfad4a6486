package web

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/subject"
	"parley/web/ui"
)

// auditRoutes show the audit log to who keeps an eye on privacy, and to everybody what was done with their own data.
func (s *site) auditRoutes() []route {
	return []route{
		{"GET /audit", account.ReadAudit, auditLog},
		{"POST /audit/verify", account.ReadAudit, verifyLog},
		{"GET /audit/log.jsonl", account.ReadAudit, exportLog},
		{"GET /audit/checkpoint", account.ReadAudit, checkpointText},
		{"GET /me/seen", account.ReadOwn, seenPage},
	}
}

// auditPage lists what was logged.
type auditPage struct {
	ui.Frame
	Notes  []ui.Note
	Acts   []ui.Action
	Filter ui.Filter
	Table  ui.Table
	Facts  []ui.Fact
	Key    string // the log's public key
	Signed string // the newest checkpoint
}

// logAsk is what is asked of the log.
type logAsk struct {
	who, action, about, number string
	from, through              string
}

func (v *visit) logAsk() logAsk {
	return logAsk{v.query("who"), v.query("action"), v.query("about"), v.query("number"), v.query("from"), v.query("through")}
}

// address is that of the page without some of what narrows it.
func (a logAsk) address(path string, without ...string) string {
	q := url.Values{}
	for name, value := range map[string]string{"who": a.who, "action": a.action, "about": a.about, "number": a.number, "from": a.from, "through": a.through} {
		if value != "" && !slices.Contains(without, name) {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// filter turns what is asked into what the log understands. Fields that make no sense come back as errors.
func (v *visit) logFilter(a logAsk) (f audit.Filter, err error) {
	f = audit.Filter{Actor: a.who, Limit: pageRows}
	if a.action != "" {
		f.Actions = []audit.Action{audit.Action(a.action)}
		if a.action == "looks" {
			f.Actions = audit.Accesses()
		}
	}
	if a.about != "" {
		f.About = subject.OfMember(a.about).String()
	}
	var wrong []error
	if a.number != "" {
		n, known, err := v.Book.Find(v.ctx(), v.DB, v.org().ID, phone.Parse(a.number, v.org().Country).Canonical())
		if err != nil {
			return f, err
		}
		if !known {
			wrong = append(wrong, fault.Field("number", "No call with the number %q is kept. Write it whole, with its country where it is not yours.", a.number))
		}
		f.About = subject.OfNumber(int64(n)).String()
	}
	for _, d := range []struct {
		name, text string
		to         *time.Time
		days       civil.Day
	}{{"from", a.from, &f.From, 0}, {"through", a.through, &f.To, 1}} {
		if d.text == "" {
			continue
		}
		day, err := civil.Parse(d.text)
		if err != nil {
			wrong = append(wrong, fault.Field(d.name, "%q is no day. Write it as 2026-03-02.", d.text))
			continue
		}
		*d.to = (day + d.days).Start(v.org().Location())
	}
	if before := v.query("before"); before != "" {
		if f.Before, err = strconv.ParseInt(before, 10, 64); err != nil || f.Before < 1 {
			return f, fault.New(fault.NotFound, "There is no such page of the audit log.")
		}
	}
	return f, fault.Join(wrong...)
}

func auditLog(v *visit) error { return v.auditPage(nil) }

// auditPage writes the page, with what verifying found when that was just done.
func (v *visit) auditPage(found *audit.Verdict) error {
	a := v.logAsk()
	p := &auditPage{Frame: v.trustFrame(v.t("audit.title"))}
	p.Lead = v.words.Rich("audit.lead")
	members, err := v.membersByID()
	if err != nil {
		return err
	}
	p.Filter = v.logFilterForm(a, members)
	f, err := v.logFilter(a)
	if fields := fault.Fields(err); len(fields) > 0 {
		p.Errors = fields
		for i := range p.Filter.Fields {
			p.Filter.Fields[i].Error = p.Wrong(p.Filter.Fields[i].Name)
		}
	} else if err != nil {
		return err
	} else if err := v.logTable(p, a, f, members); err != nil {
		return err
	}
	if found != nil {
		p.Notes = append(p.Notes, v.verdictNote(found))
	}
	if err := v.logFacts(p); err != nil {
		return err
	}
	p.Acts = []ui.Action{{Title: v.t("audit.verify"), Href: "/audit/verify", Icon: "check", Post: true, Primary: true}, {Title: v.t("audit.export"), Href: "/audit/log.jsonl", Icon: "download"}}
	return v.render("audit", p)
}

func (v *visit) membersByID() (map[account.MemberID]*account.Member, error) {
	all, err := v.Accounts.Members(v.ctx(), v.org().ID)
	out := make(map[account.MemberID]*account.Member, len(all))
	for _, m := range all {
		out[m.ID] = m
	}
	return out, err
}

// logFilterForm narrows the list.
func (v *visit) logFilterForm(a logAsk, members map[account.MemberID]*account.Member) ui.Filter {
	f := ui.Filter{Action: "/audit", Clear: "/audit"}
	people := make([]ui.Option, 0, len(members)+1)
	for id, m := range members {
		people = append(people, ui.Option{Value: string(id), Title: m.Name})
	}
	slices.SortFunc(people, func(a, b ui.Option) int {
		return strings.Compare(strings.ToLower(a.Title)+a.Value, strings.ToLower(b.Title)+b.Value)
	})
	who := ui.Field{Name: "who", Label: v.t("audit.who"), Type: "select", Value: a.who, Options: []ui.Option{{Title: v.t("audit.anybody")}}}
	who.Options = append(who.Options, people...)
	for _, other := range []string{audit.Operator, audit.System, audit.Public} {
		who.Options = append(who.Options, ui.Option{Value: other, Title: v.t("audit.actor." + other)})
	}
	action := ui.Field{Name: "action", Label: v.t("audit.what"), Type: "select", Value: a.action, Options: []ui.Option{{Title: v.t("audit.anything")}, {Value: "looks", Title: v.t("audit.looks")}}}
	for _, x := range audit.Actions() {
		action.Options = append(action.Options, ui.Option{Value: string(x), Title: v.actionTitle(x)})
	}
	f.Scope = []ui.Field{who, action}
	about := ui.Field{Name: "about", Label: v.t("audit.about"), Type: "select", Value: a.about, Size: "medium", Options: append([]ui.Option{{Title: v.t("audit.anybody")}}, people...)}
	f.Fields = []ui.Field{
		about, {Name: "number", Label: v.t("audit.number"), Help: v.t("audit.number.help"), Type: "tel", Value: a.number, Size: "medium", Complete: "off"},
		{Name: "from", Label: v.t("audit.from"), Type: "date", Value: a.from, Size: "short"}, {Name: "through", Label: v.t("audit.through"), Type: "date", Value: a.through, Size: "short"},
	}
	active := func(name, value, title string) {
		if value != "" {
			f.Active = append(f.Active, ui.Link{Title: title, Href: a.address("/audit", name)})
		}
	}
	active("who", a.who, optionTitle(who, a.who))
	active("action", a.action, optionTitle(action, a.action))
	active("about", a.about, v.t("audit.about")+": "+optionTitle(about, a.about))
	active("number", a.number, v.t("audit.number")+": "+a.number)
	active("from", a.from, v.t("audit.from")+" "+a.from)
	active("through", a.through, v.t("audit.through")+" "+a.through)
	return f
}

func optionTitle(f ui.Field, value string) string {
	for _, o := range f.Options {
		if o.Value == value {
			return o.Title
		}
	}
	return value
}

// actionTitle says in words what was done. Actions without words stand for themselves.
func (v *visit) actionTitle(a audit.Action) string {
	if key := "audit.action." + string(a); v.words.Has(key) {
		return v.t(key)
	}
	return string(a)
}

func (v *visit) logTable(p *auditPage, a logAsk, f audit.Filter, members map[account.MemberID]*account.Member) error {
	records, next, err := v.Audit.List(v.ctx(), int64(v.org().ID), f)
	if err != nil {
		return err
	}
	shown, err := v.numbersIn(records)
	if err != nil {
		return err
	}
	p.Table = ui.Table{Title: v.t("audit.entries"), Columns: []ui.Column{{Title: v.t("audit.when")}, {Title: v.t("audit.who")}, {Title: v.t("audit.what")}, {Title: v.t("audit.about")}, {Title: v.t("audit.result")}}}
	for i := range records {
		p.Table.Rows = append(p.Table.Rows, v.logRow(&records[i], members, shown))
	}
	if next > 0 {
		older := a.address("/audit")
		sep := "?"
		if strings.Contains(older, "?") {
			sep = "&"
		}
		p.Table.Pager = &ui.Pager{Older: older + sep + "before=" + strconv.FormatInt(next, 10)}
	}
	if f.Before > 0 {
		if p.Table.Pager == nil {
			p.Table.Pager = &ui.Pager{}
		}
		p.Table.Pager.First = a.address("/audit")
	}
	p.Table.Empty = &ui.Empty{Icon: "search", Title: v.t("audit.none"), Text: v.t("audit.none.text")}
	return nil
}

// numbersIn are the numbers that entries are about, as they can be shown.
func (v *visit) numbersIn(records []audit.Record) (map[number.ID]string, error) {
	var ids []number.ID
	for _, r := range records {
		if ref, err := subject.Parse(r.About); err == nil && ref.Num() > 0 && !slices.Contains(ids, number.ID(ref.Num())) {
			ids = append(ids, number.ID(ref.Num()))
		}
	}
	return v.Book.Show(v.ctx(), v.DB, v.org().ID, ids)
}

func (v *visit) logRow(r *audit.Record, members map[account.MemberID]*account.Member, shown map[number.ID]string) ui.Row {
	result := ui.Cell{Tag: &ui.Tag{Text: v.t("audit.result.ok"), Kind: ui.Good}}
	if r.Result != audit.OK {
		result.Tag = &ui.Tag{Text: r.Result, Kind: ui.Warn}
		if key := "audit.result." + r.Result; v.words.Has(key) {
			result.Tag.Text = v.t(key)
		}
	}
	what := ui.Cell{Text: v.actionTitle(r.Action), Sub: r.Object}
	if strings.Contains(r.Object, "{") { // the page of somebody who stands beside
		what.Sub = ""
	}
	return ui.Row{ID: "e-" + strconv.FormatInt(r.N, 10), Cells: []ui.Cell{
		{Text: v.words.DateTime(r.At), Sub: v.t("audit.entry", "N", strconv.FormatInt(r.N, 10)), Strong: true}, v.whoCell(r, members), what, v.aboutCell(r, members, shown), result,
	}}
}

// whoCell names who did something.
func (v *visit) whoCell(r *audit.Record, members map[account.MemberID]*account.Member) ui.Cell {
	if r.Forgotten {
		if key := "audit.actor." + r.WhoHash; v.words.Has(key) {
			return ui.Cell{Text: v.t(key)}
		}
		return ui.Cell{Text: v.t("audit.erased"), Muted: true}
	}
	if key := "audit.actor." + r.Actor; v.words.Has(key) {
		return ui.Cell{Text: v.t(key)}
	}
	c := ui.Cell{Text: v.t("audit.former"), Muted: true}
	if m := members[account.MemberID(r.Actor)]; m != nil {
		c = ui.Cell{Text: m.Name, Sub: v.role(m.Role)}
	}
	if r.Details["token"] != "" {
		c.Sub = v.t("audit.by_token")
	}
	return c
}

// aboutCell names whose data it was.
func (v *visit) aboutCell(r *audit.Record, members map[account.MemberID]*account.Member, shown map[number.ID]string) ui.Cell {
	if r.Forgotten && r.AboutHash != "" {
		return ui.Cell{Text: v.t("audit.erased"), Muted: true}
	}
	ref, err := subject.Parse(r.About)
	switch {
	case err != nil:
		return ui.Cell{Text: "–", Muted: true}
	case ref.Kind == subject.Member:
		if m := members[account.MemberID(ref.ID)]; m != nil {
			return ui.Cell{Text: m.Name, Href: "/people/" + url.PathEscape(ref.ID)}
		}
		return ui.Cell{Text: v.t("audit.former"), Muted: true}
	case shown[number.ID(ref.Num())] == "":
		return ui.Cell{Text: v.t("number.erased"), Muted: true}
	}
	canonical := shown[number.ID(ref.Num())]
	c := ui.Cell{Text: v.phone(canonical)}
	if key, err := v.Book.Key(v.ctx(), v.org().ID, canonical); err == nil {
		c.Href = "/numbers/" + string(key)
	}
	return c
}

// logFacts say what was signed last, and by whom.
func (v *visit) logFacts(p *auditPage) error {
	org := int64(v.org().ID)
	c, ok, err := v.Audit.Last(v.ctx(), org)
	if err != nil {
		return err
	}
	size, err := v.Audit.Size(v.ctx(), org)
	if err != nil {
		return err
	}
	p.Facts = []ui.Fact{{Title: v.t("audit.size"), Cell: ui.Cell{Text: v.words.Number(size)}}}
	if !ok {
		return nil
	}
	if p.Key, err = v.Audit.Key(v.ctx(), org); err != nil {
		return err
	}
	p.Signed = c.Note
	p.Facts = append(p.Facts, ui.Fact{Title: v.t("audit.checkpoint"), Cell: ui.Cell{Text: v.t("audit.checkpoint.of", "Count", c.Size), Sub: v.words.DateTime(c.At), Href: "/audit/checkpoint"}})
	witnessed, ok, err := v.Audit.LastCosigned(v.ctx(), org)
	if err != nil {
		return err
	}
	cell := ui.Cell{Text: v.t("audit.witness.none"), Muted: true}
	if ok {
		cell = ui.Cell{Text: strings.Join(witnessed.By[1:], ", "), Sub: v.t("audit.checkpoint.of", "Count", witnessed.Size)}
	}
	p.Facts = append(p.Facts, ui.Fact{Title: v.t("audit.witness"), Cell: cell})
	return nil
}

// verifyLog adds the whole log up and says what it found.
func verifyLog(v *visit) error {
	if _, err := v.Audit.Checkpoint(v.ctx(), int64(v.org().ID)); err != nil {
		return err
	}
	found, err := v.Audit.Verify(v.ctx(), int64(v.org().ID))
	if err != nil {
		return err
	}
	return v.auditPage(found)
}

func (v *visit) verdictNote(found *audit.Verdict) ui.Note {
	if found.OK() {
		return ui.Note{Kind: ui.Good, Title: v.t("audit.whole"), Text: v.t("audit.whole.text", "Count", found.Entries, "Checkpoints", found.Checkpoints)}
	}
	return ui.Note{Kind: ui.Bad, Title: v.t("audit.broken"), Text: strings.Join(found.Faults, " ")}
}

// exportLog writes the log as a file that can be verified anywhere.
func exportLog(v *visit) error {
	name := "audit-" + v.today().String() + ".jsonl"
	out := &download{w: v.w, kind: "application/jsonl", name: name}
	_, err := v.Audit.Export(v.ctx(), int64(v.org().ID), out)
	if err != nil && out.begun {
		v.Log.Error("export broken off", "report", "audit", "err", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// checkpointText is the newest checkpoint as it is handed to a witness.
func checkpointText(v *visit) error {
	c, err := v.Audit.Checkpoint(v.ctx(), int64(v.org().ID))
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "checkpoint-" + strconv.FormatInt(c.Size, 10) + ".txt"}))
	h.Set("Cache-Control", "private, no-store")
	v.w.WriteHeader(http.StatusOK)
	if _, err = v.w.Write([]byte(c.Note)); err != nil {
		v.Log.Debug("checkpoint not delivered", "err", err)
	}
	return nil
}

// seenPage shows a member what was done with their data, by whom and when.
func seenPage(v *visit) error {
	p := &tablePage{Frame: v.under(v.t("seen.title"), ui.Link{Title: v.t("me.title"), Href: "/me"})}
	p.Lead = v.words.Rich("seen.lead", "Organisation", v.org().Name)
	before := int64(0)
	if text := v.query("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return fault.New(fault.NotFound, "There is no such page.")
		}
		before = n
	}
	t, next, err := v.seenTable(before, pageRows)
	if err != nil {
		return err
	}
	p.Table = t
	if next > 0 {
		p.Table.Pager = &ui.Pager{Older: "/me/seen?before=" + strconv.FormatInt(next, 10)}
	}
	if before > 0 {
		if p.Table.Pager == nil {
			p.Table.Pager = &ui.Pager{}
		}
		p.Table.Pager.First = "/me/seen"
	}
	return v.render("table", p)
}

// lastSeen puts the newest of that on one's own page.
func (v *visit) lastSeen(p *mePage) (err error) {
	const newest = 5
	p.Seen, _, err = v.seenTable(0, newest)
	return err
}

// seenTable lists what others did with the reader's data, the newest first.
func (v *visit) seenTable(before int64, limit int) (t ui.Table, next int64, err error) {
	t = ui.Table{Title: v.t("seen.title"), Columns: []ui.Column{{Title: v.t("audit.when")}, {Title: v.t("audit.who")}, {Title: v.t("audit.what")}, {Title: v.t("audit.purpose")}}}
	t.Empty = &ui.Empty{Icon: "eye-off", Title: v.t("seen.none"), Text: v.t("seen.none.text")}
	members, err := v.membersByID()
	if err != nil {
		return t, 0, err
	}
	me := string(v.actor.Member.ID)
	for {
		records, more, err := v.Audit.List(v.ctx(), int64(v.org().ID), audit.Filter{About: subject.OfMember(me).String(), Before: before, Limit: limit})
		if err != nil {
			return t, 0, err
		}
		for i := range records {
			r := &records[i]
			if r.Actor == me {
				continue
			}
			if len(t.Rows) == limit {
				return t, records[i-1].N, nil
			}
			what := ui.Cell{Text: v.actionTitle(r.Action)}
			if r.Result == audit.Denied {
				what.Tag = &ui.Tag{Text: v.t("audit.result.denied"), Kind: ui.Warn}
			}
			t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.words.DateTime(r.At), Strong: true}, v.whoCell(r, members), what, {Text: v.purposeTitle(r.Purpose), Muted: true}}})
		}
		if more == 0 || len(t.Rows) == limit {
			return t, more, nil
		}
		before = more
	}
}

func (v *visit) purposeTitle(purpose string) string {
	if key := "audit.purpose." + purpose; purpose != "" && v.words.Has(key) {
		return v.t(key)
	}
	return nonEmpty(purpose, "–")
}
