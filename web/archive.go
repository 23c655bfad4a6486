package web

import (
	"bytes"
	"encoding/json"
	"time"

	"parley/calls/call"
	"parley/platform/civil"
	"parley/trust/retain"
	"parley/trust/subject"
	"parley/web/ui"
)

// archivePage lists what is in the archive.
type archivePage struct {
	ui.Frame
	Table ui.Table
}

func archive(v *visit) error {
	all, err := v.Retain.Archive(v.ctx(), v.actor)
	if err != nil {
		return err
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	items := make([]string, len(all))
	for i, a := range all {
		items[i] = whose(&a)
	}
	names, err := v.itemNames(items)
	if err != nil {
		return err
	}
	p := &archivePage{Frame: v.trustFrame(v.t("archive.title"))}
	p.Crumbs = []ui.Link{{Title: v.t("retention.title"), Href: retentionHome}}
	p.Lead = v.words.Rich("archive.lead", "Count", len(all))
	p.Table = ui.Table{Title: v.t("archive.title"), Columns: []ui.Column{{Title: v.t("retention.item")}, {Title: v.t("retention.category")}, {Title: v.t("retention.rows"), Numeric: true}, {Title: v.t("archive.since")}, {Title: v.t("archive.ends")}}}
	for i, a := range all {
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{{Text: names[items[i]], Href: retentionHome + "/archive/" + a.ID, Strong: true}, {Text: v.category(doc, a.Category)}, {Text: v.words.Number(a.Rows)},
			{Text: v.dateOf(a.Since)}, {Text: v.dateOf(a.Ends)}}})
	}
	p.Table.Empty = &ui.Empty{Icon: "file", Title: v.t("archive.none"), Text: v.t("archive.none.text")}
	return v.render("archive", p)
}

func (v *visit) dateOf(at time.Time) string {
	return v.words.Date(civil.DayOf(at, v.org().Location()))
}

// whose is the person whom an archived item is about, else what its keeper calls it.
func whose(a *retain.Archived) string {
	if a.Who != (subject.Ref{}) {
		return a.Who.String()
	}
	return a.Item
}

// itemNames writes items of retention as people know them: most are persons. One who is not in the number book any more goes
// by the number they had there.
func (v *visit) itemNames(items []string) (map[string]string, error) {
	out := map[string]string{}
	var refs []subject.Ref
	for _, item := range items {
		out[item] = item
		if ref, err := subject.Parse(item); err == nil {
			refs = append(refs, ref)
		}
	}
	members, err := v.namesOfMembers()
	if err != nil {
		return nil, err
	}
	names, err := v.namesOf(refs, members)
	for i, ref := range refs {
		out[ref.String()] = names[i]
	}
	return out, err
}

// archivedPage is one archived item.
type archivedPage struct {
	ui.Frame
	Facts   []ui.Fact
	Calls   *ui.Table // nil when it holds something else
	Content string
	Return  ui.Action
}

func archived(v *visit) error {
	a, content, err := v.Retain.Open(v.ctx(), v.actor, v.r.PathValue("item"))
	if err != nil {
		return err
	}
	doc, err := v.Policy(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	names, err := v.itemNames([]string{whose(a)})
	if err != nil {
		return err
	}
	p := &archivedPage{Frame: v.trustFrame(names[whose(a)]), Content: string(content)}
	p.Crumbs = []ui.Link{{Title: v.t("retention.title"), Href: retentionHome}, {Title: v.t("archive.title"), Href: retentionHome + "/archive"}}
	var pretty bytes.Buffer
	if json.Indent(&pretty, content, "", "  ") == nil {
		p.Content = pretty.String()
	}
	if p.Calls, err = v.archivedCalls(a, content); err != nil {
		return err
	}
	p.Facts = []ui.Fact{{Title: v.t("retention.category"), Cell: ui.Cell{Text: v.category(doc, a.Category)}}, {Title: v.t("archive.since"), Cell: ui.Cell{Text: v.dateOf(a.Since)}}, {Title: v.t("retention.rows"), Cell: ui.Cell{Text: v.words.Number(a.Rows)}}}
	p.Return = ui.Action{Title: v.t("archive.return"), Post: true, Href: retentionHome + "/archive/" + a.ID + "/return", Confirm: v.t("archive.return.title"), ConfirmText: v.t("archive.return.text")}
	return v.render("archived", p)
}

// archivedCalls lists the calls that an item holds; nil when it holds something else.
func (v *visit) archivedCalls(a *retain.Archived, content []byte) (*ui.Table, error) {
	var rows []call.Row
	if a.Category != call.CategoryCall || json.Unmarshal(content, &rows) != nil || len(rows) == 0 || rows[0].Start == 0 {
		return nil, nil
	}
	agents, err := v.agentNames()
	if err != nil {
		return nil, err
	}
	t := &ui.Table{Title: v.t("nav.calls"), Columns: []ui.Column{{Title: v.t("audit.when")}, {Title: v.t("filter.type")}, {Title: v.t("whose.agent")}, {Title: v.t("metric.talk_seconds"), Numeric: true}}}
	for _, r := range rows {
		name := "–"
		if m := agents[r.Agent]; m != nil {
			name = m.Name
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.words.DateTime(r.At())}, {Text: v.t("type." + r.Type.String())}, {Text: name}, {Text: v.words.Duration(int64(r.Seconds))}}})
	}
	return t, nil
}

func returnArchived(v *visit) error {
	if err := v.Retain.Return(v.ctx(), v.actor, v.r.PathValue("item")); err != nil {
		return err
	}
	return v.to(retentionHome+"/archive", v.good("archive.returned"))
}
