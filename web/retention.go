package web

import (
	"encoding/hex"
	"html/template"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/web/ui"
)

const retentionHome = "/trust/retention"

// retentionRoutes show what is kept how long, and let people decide what waits for them.
func (s *site) retentionRoutes() []route {
	return []route{
		{"GET /trust/retention", account.ReadPrivacy, retention},
		{"GET /trust/retention/plan", account.ReadPrivacy, retentionPlan},
		{"POST /trust/retention/confirm", account.ManagePrivacy, confirmRetention},
		{"GET /trust/retention/archive", account.OpenArchive, archive},
		{"GET /trust/retention/archive/{item}", account.OpenArchive, archived},
		{"POST /trust/retention/archive/{item}/return", account.OpenArchive, returnArchived},
		{"GET /trust/retention/reviews/{review}", account.OpenArchive, reviewForm},
		{"POST /trust/retention/reviews/{review}", account.OpenArchive, decideReview},
	}
}

// retentionPage is how retention stands.
type retentionPage struct {
	ui.Frame
	Acts    []ui.Action
	Notes   []ui.Note
	Waiting ui.Table
	Rules   ui.Table
	Locks   ui.Table
	Reviews ui.Table
	History ui.Table
}

const historyShown = 50

func retention(v *visit) error {
	st, err := v.Retain.Status(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	history, err := v.Retain.History(v.ctx(), v.org().ID, historyShown)
	if err != nil {
		return err
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p := &retentionPage{Frame: v.trustFrame(v.t("retention.title")), Acts: []ui.Action{{Title: v.t("retention.plan"), Href: retentionHome + "/plan", Icon: "search"}}}
	if v.actor.Can(account.OpenArchive) {
		p.Acts = append(p.Acts, ui.Action{Title: v.t("archive.title"), Href: retentionHome + "/archive", Icon: "file"})
	}
	p.Lead = v.retentionLead(st)
	p.Notes = v.retentionNotes(st)
	p.Waiting = v.waitingTable(st.Waiting, doc)
	p.Rules = v.rulesTable(st.Rules, doc)
	if p.Locks, err = v.locksTable(st.Locks, doc); err != nil {
		return err
	}
	if p.Reviews, err = v.reviewsTable(doc); err != nil {
		return err
	}
	p.History = v.historyTable(history, doc)
	return v.render("retention", p)
}

func (v *visit) retentionLead(st *retain.Status) template.HTML {
	var rows int64
	stopped := 0
	for _, p := range st.Waiting {
		rows += p.Rows
		if p.Stopped() {
			stopped++
		}
	}
	switch {
	case stopped > 0:
		return v.words.Rich("retention.lead.stopped", "Count", stopped)
	case rows > 0:
		return v.words.Rich("retention.lead.waiting", "Count", rows)
	case st.LastRun.IsZero():
		return v.words.Rich("retention.lead.never")
	default:
		return v.words.Rich("retention.lead", "Time", v.words.DateTime(st.LastRun))
	}
}

func (v *visit) retentionNotes(st *retain.Status) []ui.Note {
	var out []ui.Note
	for _, a := range st.Alarms {
		if a.Kind == "stopped" { // the table below says it
			continue
		}
		n := ui.Note{Kind: ui.Warn, Title: v.t("retention.alarm." + a.Kind), Text: v.t("retention.alarm."+a.Kind+".text", "What", a.Object)}
		if a.Kind == "overdue_review" && v.actor.Can(account.OpenArchive) {
			n.Action = &ui.Action{Title: v.t("review.decide"), Href: retentionHome + "/reviews/" + a.Object}
		}
		out = append(out, n)
	}
	return out
}

// category is the name of a category in the reader's language.
func (v *visit) category(doc *policy.Document, key string) string {
	if c := doc.Category(key); c != nil {
		return c.Title.In(v.words.Lang(), doc.Languages)
	}
	return key
}

// period writes a period of the policy in words.
func (v *visit) period(p policy.Period) string {
	if !p.Said() {
		return "–"
	}
	return v.t("period."+string(p.Unit), "Count", p.N)
}

func (v *visit) waitingTable(plans []*retain.Plan, doc *policy.Document) ui.Table {
	t := ui.Table{Title: v.t("retention.waiting"), Columns: []ui.Column{{Title: v.t("retention.what")}, {Title: v.t("retention.rows"), Numeric: true}, {Title: v.t("retention.share"), Numeric: true},
		{Title: v.t("retention.due")}, {Title: v.t("table.actions"), Acts: true}}}
	for _, p := range plans {
		row := ui.Row{ID: p.ID, Cells: []ui.Cell{
			{Text: v.category(doc, p.Category), Sub: p.Keeper, Strong: true}, {Text: v.words.Number(p.Rows)}, {Text: v.words.Percent(float64(p.Share()) / 100)},
			{Text: v.words.Date(civil.DayOf(p.DueAt, v.org().Location())), Sub: v.planSub(p)},
			{},
		}}
		if p.Stopped() && v.keeps() {
			row.Cells[4] = ui.Cell{Acts: []ui.Action{{Title: v.t("retention.confirm"), Post: true, Danger: true, Href: retentionHome + "/confirm",
				Fields:  []ui.Param{{Name: "plan", Value: p.ID}, {Name: "digest", Value: hex.EncodeToString(p.Digest)}},
				Confirm: v.t("retention.confirm.title"), ConfirmText: v.t("retention.confirm.text", "Count", p.Rows, "Share", p.Share(), "What", v.category(doc, p.Category))}}}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Empty = &ui.Empty{Icon: "check", Title: v.t("retention.waiting.none"), Text: v.t("retention.waiting.none.text")}
	return t
}

func (v *visit) planSub(p *retain.Plan) string {
	switch {
	case p.Stopped():
		return v.t("retention.stopped")
	case p.Archives:
		return v.t("retention.archives")
	default:
		return v.t("retention.erases")
	}
}

func (v *visit) rulesTable(rules []retain.Standing, doc *policy.Document) ui.Table {
	t := ui.Table{Title: v.t("retention.rules"), Columns: []ui.Column{{Title: v.t("retention.category")}, {Title: v.t("retention.period")}, {Title: v.t("retention.archive")}, {Title: v.t("retention.law")}, {Title: v.t("retention.kept_in")}}}
	slices.SortStableFunc(rules, func(a, b retain.Standing) int { return rank(len(a.Keepers) == 0) - rank(len(b.Keepers) == 0) }) // what is kept comes first
	for _, r := range rules {
		var laws []string
		for _, f := range r.Floors {
			laws = append(laws, v.t("retention.floor", "Place", f.Place, "Period", v.period(f.Min), "Law", f.Cite))
		}
		sub := v.t("event." + string(r.From))
		if r.Unused {
			sub = v.t("retention.unused")
		}
		name := ui.Cell{Text: v.category(doc, r.Category), Strong: true}
		if r.Reserved != "" {
			name.Sub = v.t("retention.own_rule")
		} else if r.Part == retain.Address {
			name.Sub = v.t("retention.masked")
		}
		t.Rows = append(t.Rows, ui.Row{Muted: len(r.Keepers) == 0, Cells: []ui.Cell{
			name, {Text: v.period(r.Max), Sub: sub}, {Text: v.period(r.Archive)}, {Text: nonEmpty(strings.Join(laws, "; "), "–")}, {Text: nonEmpty(strings.Join(r.Keepers, ", "), v.t("retention.nothing_kept"))},
		}})
	}
	return t
}

func (v *visit) locksTable(locks []retain.Lock, doc *policy.Document) (ui.Table, error) {
	items := make([]string, len(locks))
	for i, l := range locks {
		items[i] = nonEmpty(l.Item, l.Who.String())
	}
	names, err := v.itemNames(items)
	t := ui.Table{Title: v.t("retention.locked"), Columns: []ui.Column{{Title: v.t("retention.category")}, {Title: v.t("retention.item")}, {Title: v.t("retention.law")}, {Title: v.t("retention.until")}}}
	for i, l := range locks {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.category(doc, l.Category), Strong: true}, {Text: names[items[i]]}, {Text: l.Law}, {Text: v.words.Date(civil.DayOf(l.Until, v.org().Location()))}}})
	}
	t.Empty = &ui.Empty{Icon: "shield", Title: v.t("retention.locked.none"), Text: v.t("retention.locked.none.text")}
	return t, err
}

func (v *visit) reviewsTable(doc *policy.Document) (ui.Table, error) {
	t := ui.Table{Title: v.t("review.title"), Columns: []ui.Column{{Title: v.t("retention.category")}, {Title: v.t("review.items"), Numeric: true}, {Title: v.t("review.due")}, {Title: v.t("review.decision")}, {Title: v.t("review.signer")}}}
	t.Empty = &ui.Empty{Icon: "file", Title: v.t("review.none"), Text: v.t("review.none.text")}
	all, err := v.Retain.Reviews(v.ctx(), v.org().ID, historyShown)
	if err != nil {
		return t, err
	}
	names, err := v.namesOfMembers()
	for _, r := range all {
		state := ui.Cell{Tag: &ui.Tag{Text: v.t("review.open"), Kind: ui.Warn}}
		switch {
		case r.Decision != retain.Undecided:
			state = ui.Cell{Text: v.t("review." + string(r.Decision)), Sub: r.Note}
		case r.Overdue(v.Now()):
			state.Tag.Text, state.Tag.Kind = v.t("review.overdue"), ui.Bad
		}
		name := ui.Cell{Text: v.category(doc, r.Category), Strong: true}
		signer := ui.Cell{Text: "–"}
		if r.Decision != retain.Undecided {
			signer.Text = nonEmpty(names[r.Signer], "–")
		} else if v.actor.Can(account.OpenArchive) {
			name.Href = retentionHome + "/reviews/" + r.ID
		}
		t.Rows = append(t.Rows, ui.Row{Muted: r.Decision != retain.Undecided, Cells: []ui.Cell{name, {Text: v.words.Number(r.Items)}, {Text: v.words.Date(civil.DayOf(r.DueAt, v.org().Location()))}, state, signer}})
	}
	return t, err
}

func (v *visit) historyTable(plans []*retain.Plan, doc *policy.Document) ui.Table {
	t := ui.Table{Title: v.t("retention.history"), Columns: []ui.Column{{Title: v.t("retention.what")}, {Title: v.t("retention.made")}, {Title: v.t("retention.state")}, {Title: v.t("retention.planned"), Numeric: true}, {Title: v.t("retention.removed"), Numeric: true}}}
	for _, p := range plans {
		if p.State == retain.Waiting {
			continue
		}
		kind := ui.Good
		switch p.State {
		case retain.Cancelled:
			kind = ui.Off
		case retain.Failed:
			kind = ui.Bad
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.category(doc, p.Category), Sub: p.Keeper, Strong: true}, {Time: p.MadeAt}, {Tag: &ui.Tag{Text: v.t("retention.state." + string(p.State)), Kind: kind}},
			{Text: v.words.Number(p.Rows)}, {Text: v.words.Number(p.Removed)}}})
	}
	t.Empty = &ui.Empty{Icon: "clock", Title: v.t("retention.history.none"), Text: v.t("retention.history.none.text")}
	return t
}

// retentionPlanPage is what every rule would remove now.
type retentionPlanPage struct {
	ui.Frame
	Table ui.Table
	Kept  ui.Table
}

func retentionPlan(v *visit) error {
	plans, err := v.Retain.Plans(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p := &retentionPlanPage{Frame: v.trustFrame(v.t("retention.plan"))}
	p.Crumbs = []ui.Link{{Title: v.t("retention.title"), Href: retentionHome}}
	p.Table = ui.Table{Title: v.t("retention.would_go"), Columns: []ui.Column{{Title: v.t("retention.what")}, {Title: v.t("retention.rows"), Numeric: true}, {Title: v.t("retention.share"), Numeric: true},
		{Title: v.t("retention.oldest")}, {Title: v.t("retention.newest")}, {Title: v.t("retention.change"), Numeric: true}}}
	p.Table.Empty = &ui.Empty{Icon: "check", Title: v.t("retention.nothing_due"), Text: v.t("retention.nothing_due.text")}
	p.Kept = ui.Table{Title: v.t("retention.stays"), Columns: []ui.Column{{Title: v.t("retention.what")}, {Title: v.t("retention.item")}, {Title: v.t("retention.why")}, {Title: v.t("retention.until")}}}
	var kept []string
	for _, x := range plans {
		for _, k := range slices.Concat(x.Locked, x.Held) {
			kept = append(kept, k.Key)
		}
	}
	names, err := v.itemNames(kept)
	if err != nil {
		return err
	}
	var rows int64
	for _, x := range plans {
		rows += x.Rows
		if x.Count > 0 {
			change := "–"
			if x.Before != nil && x.Before.More+x.Before.Fewer > 0 {
				change = "+" + v.words.Number(x.Before.More) + " −" + v.words.Number(x.Before.Fewer)
			}
			p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{{Text: v.category(doc, x.Category), Sub: x.Keeper, Strong: true}, {Text: v.words.Number(x.Rows), Sub: v.t("retention.items", "Count", x.Count)},
				{Text: v.words.Percent(float64(x.Share()) / 100)}, {Time: x.Oldest}, {Time: x.Newest}, {Text: change}}})
		}
		for _, k := range x.Locked {
			p.Kept.Rows = append(p.Kept.Rows, ui.Row{Cells: []ui.Cell{{Text: v.category(doc, x.Category), Sub: x.Keeper}, {Text: names[k.Key]}, {Text: k.Law}, {Text: v.words.Date(civil.DayOf(k.Until, v.org().Location()))}}})
		}
		for _, k := range x.Held {
			p.Kept.Rows = append(p.Kept.Rows, ui.Row{Cells: []ui.Cell{{Text: v.category(doc, x.Category), Sub: x.Keeper}, {Text: names[k.Key]}, {Text: v.t("retention.held"), Href: "/trust/holds/" + k.Hold}, {Text: "–"}}})
		}
	}
	p.Lead = v.words.Rich("retention.plan.lead", "Count", rows)
	p.Kept.Empty = &ui.Empty{Icon: "shield", Title: v.t("retention.stays.none"), Text: v.t("retention.stays.none.text")}
	return v.render("retention-plan", p)
}

func confirmRetention(v *visit) error {
	if _, err := v.Retain.Confirm(v.ctx(), v.actor, v.form("plan"), v.form("digest")); err != nil {
		return err
	}
	return v.to(retentionHome, v.good("retention.confirmed"))
}

func (v *visit) reviewForm() (*form, error) {
	all, err := v.Retain.Reviews(v.ctx(), v.org().ID, historyShown)
	if err != nil {
		return nil, err
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if r.ID != v.r.PathValue("review") {
			continue
		}
		p := &form{Frame: v.trustFrame(v.t("review.of", "What", v.category(doc, r.Category))), Submit: v.t("review.sign")}
		p.Crumbs = []ui.Link{{Title: v.t("retention.title"), Href: retentionHome}}
		p.Lead = v.words.Rich("review.lead", "Count", r.Items)
		decision := ui.Field{Name: "decision", Label: v.t("review.decision"), Type: "radio", Value: v.form("decision")}
		for _, d := range []retain.Decision{retain.Keep, retain.Erase} {
			decision.Options = append(decision.Options, ui.Option{Value: string(d), Title: v.t("review." + string(d)), Help: v.t("review." + string(d) + ".text")})
		}
		p.Sections = []section{{Fields: []ui.Field{decision, {Name: "note", Label: v.t("review.note"), Type: "textarea", Rows: 3, Value: v.form("note"), Optional: true}}}}
		return p, nil
	}
	return nil, fault.New(fault.NotFound, "There is no review %q.", v.r.PathValue("review"))
}

func reviewForm(v *visit) error {
	p, err := v.reviewForm()
	if err != nil {
		return err
	}
	return v.render("form", p)
}

func decideReview(v *visit) error {
	_, err := v.Retain.Decide(v.ctx(), v.actor, v.r.PathValue("review"), retain.Decision(v.form("decision")), v.form("note"))
	if err == nil {
		return v.to(retentionHome, v.good("review.signed"))
	}
	p, formErr := v.reviewForm()
	if formErr != nil {
		return formErr
	}
	return v.again("form", p, err)
}
