package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"time"

	"parley/account"
	"parley/crm/intake"
	"parley/platform/fault"
	"parley/web/ui"
)

// intakeRoutes bring lists of contacts and leads in, and give them out.
func (s *site) intakeRoutes() []route {
	return []route{
		{"GET /leads/imports", account.ImportLeads, lists},
		{"GET /leads/imports/new", account.ImportLeads, dropList},
		{"POST /leads/imports/new", account.ImportLeads, receiveList},
		{"GET /leads/imports/files/{file}", account.ImportLeads, listForm},
		{"POST /leads/imports/files/{file}", account.ImportLeads, startList},
		{"GET /leads/imports/runs/{import}", account.ImportLeads, oneList},
		{"GET /leads/imports/runs/{import}/progress", account.ImportLeads, listProgress},
		{"GET /leads/imports/runs/{import}/rejected", account.ImportLeads, listRejected},
		{"POST /leads/imports/runs/{import}/undo", account.ImportLeads, undoList},
		{"POST /leads/imports/runs/{import}/stop", account.ImportLeads, stopList},
		{"GET /leads/export", account.ExportLeads, exportLeads},
		{"GET /contacts/export", account.ExportLeads, exportContacts},
	}
}

// listsPage lists what was brought in.
type listsPage struct {
	ui.Frame
	Add   *ui.Action
	More  []ui.Action
	Table ui.Table
}

func listPath(id string) string { return "/leads/imports/runs/" + url.PathEscape(id) }

func (v *visit) listCrumbs(imports bool) []ui.Link {
	out := []ui.Link{{Title: v.t("nav.leads"), Href: "/leads"}}
	if imports {
		out = append(out, ui.Link{Title: v.t("intake.title"), Href: "/leads/imports"})
	}
	return out
}

func lists(v *visit) error {
	all, err := v.Intake.List(v.ctx(), v.org().ID, shownImports)
	if err != nil {
		return err
	}
	p := &listsPage{Frame: v.under(v.t("intake.title"), v.listCrumbs(false)...)}
	p.Lead = v.words.Rich("intake.lead")
	p.Add = &ui.Action{Title: v.t("intake.new"), Href: "/leads/imports/new", Icon: "import", Primary: true}
	p.Table = ui.Table{Columns: []ui.Column{
		{Title: v.t("imports.file")}, {Title: v.t("imports.state")}, {Title: v.t("imports.rows"), Numeric: true}, {Title: v.t("intake.leads"), Numeric: true},
		{Title: v.t("intake.contacts"), Numeric: true}, {Title: v.t("intake.updated"), Numeric: true}, {Title: v.t("imports.refused"), Numeric: true}, {Title: v.t("imports.when")},
	}, Empty: &ui.Empty{Icon: "import", Title: v.t("intake.none"), Text: v.t("intake.none.text"), Action: p.Add}}
	for _, m := range all {
		c := &m.Counts
		p.Table.Rows = append(p.Table.Rows, ui.Row{Cells: []ui.Cell{
			{Text: m.Spec.Name, Href: listPath(m.ID), Strong: true, Sub: v.t("intake.kind." + string(m.Spec.Kind))}, {Tag: v.listTag(m)},
			{Text: v.words.Number(c.Rows)}, {Text: v.words.Number(c.Leads)}, {Text: v.words.Number(c.Contacts)}, {Text: v.words.Number(c.Updated)}, {Text: v.words.Number(c.Refused)}, {Time: m.StartedAt},
		}})
	}
	return v.render("lists", p)
}

func (v *visit) listTag(m *intake.Import) *ui.Tag {
	kinds := map[intake.State]ui.Kind{intake.Running: ui.Info, intake.Done: ui.Good, intake.Failed: ui.Bad}
	return &ui.Tag{Text: v.t("imports.state." + string(m.State)), Kind: kinds[m.State]}
}

// dropPage takes a file.
type dropPage struct {
	ui.Frame
	Kind ui.Field
	Drop ui.Drop
}

func dropList(v *visit) error {
	kind, err := intake.ParseKind(nonEmpty(v.query("kind"), string(intake.Leads)))
	if err != nil {
		return err
	}
	return v.render("list-drop", v.dropPage(kind))
}

func (v *visit) dropPage(kind intake.Kind) *dropPage {
	p := &dropPage{Frame: v.under(v.t("intake.new"), v.listCrumbs(true)...)}
	p.Lead = v.words.Rich("intake.new.lead")
	p.Kind = ui.Field{Name: "kind", Label: v.t("intake.kind"), Type: "radio", Value: string(kind)}
	for _, k := range []intake.Kind{intake.Leads, intake.Contacts} {
		p.Kind.Options = append(p.Kind.Options, ui.Option{Value: string(k), Title: v.t("intake.kind." + string(k)), Help: v.t("intake.kind." + string(k) + ".help")})
	}
	p.Drop = ui.Drop{Name: "file", Title: v.t("intake.drop"), Help: v.t("intake.formats"), Accept: ".csv,.tsv,.txt,.xlsx,.vcf"}
	return p
}

// receiveList puts an uploaded file aside and looks at it.
func receiveList(v *visit) error {
	said := url.Values{}
	f, err := v.receive("Choose a file with contacts or leads in it.", said)
	kind, kindErr := intake.ParseKind(nonEmpty(said.Get("kind"), string(intake.Leads)))
	if err == nil {
		spec := &intake.Spec{Kind: kind, Name: f.name, Policy: intake.Skip}
		if err = kindErr; err == nil {
			f.look, err = v.Intake.Detect(v.ctx(), v.actor, f.file, f.file.Size(), *spec)
		}
		if err != nil {
			err = errors.Join(err, f.file.Close())
		}
		f.take = spec
	}
	if err != nil {
		p := v.dropPage(kind)
		p.Drop.Error = fault.Sentence(err)
		return v.again("list-drop", p, fault.Field("file", "%s", fault.Sentence(err)))
	}
	if m := f.look.Mapping; len(f.look.Heads) > 0 {
		f.take.Mapping = &m
	}
	return v.to("/leads/imports/files/" + v.lists.add(f))
}

// listPage shows one import.
type listPage struct {
	importPage
	Owners   ui.Table
	Problems ui.Table
}

// shownProblems is how many rows that were not taken the page shows; the file has all.
const shownProblems = 25

func (v *visit) theList() (*intake.Import, error) {
	return v.Intake.One(v.ctx(), v.org().ID, v.r.PathValue("import"))
}

func oneList(v *visit) error {
	m, err := v.theList()
	if err != nil {
		return err
	}
	p, err := v.listPage(m)
	if err != nil {
		return err
	}
	return v.render("list", p)
}

// listProgress is the page's changing part; when the import has ended the whole page is asked for again.
func listProgress(v *visit) error {
	m, err := v.theList()
	if err != nil {
		return err
	}
	if m.State != intake.Running {
		v.w.Header().Set("HX-Refresh", "true")
	}
	p, err := v.listPage(m)
	if err != nil {
		return err
	}
	return v.fragment("list", "watched", p)
}

func (v *visit) listPage(m *intake.Import) (*listPage, error) {
	p := &listPage{}
	p.Frame = v.under(m.Spec.Name, v.listCrumbs(true)...)
	c := &m.Counts
	p.Lead = v.words.Rich("intake.lead."+string(m.State), "Leads", v.words.Number(c.Leads), "Contacts", v.words.Number(c.Contacts), "Refused", v.words.Number(c.Refused))
	if m.State == intake.Running {
		p.Watch = listPath(m.ID) + "/progress"
		p.Progress = &ui.Progress{Title: m.Spec.Name, Text: v.t("imports.read", "Count", c.Rows), Busy: m.Bytes == 0}
		if m.Bytes > 0 {
			p.Progress.Ratio = float64(m.BytesDone) / float64(m.Bytes)
		}
	}
	if m.Sentence != "" {
		p.Note = &ui.Note{Kind: ui.Info, Text: m.Sentence}
		if m.State == intake.Failed {
			p.Note.Kind = ui.Bad
		}
	}
	p.Tiles = v.listTiles(m)
	p.Facts = v.listFacts(m)
	p.Actions = v.listActions(m)
	if err := v.listOwners(p, m); err != nil {
		return nil, err
	}
	problems, err := v.Intake.Problems(v.ctx(), v.org().ID, m, shownProblems)
	if err != nil {
		return nil, err
	}
	p.Problems = ui.Table{Title: v.t("intake.problems"), Columns: []ui.Column{{Title: v.t("intake.row")}, {Title: v.t("intake.column")}, {Title: v.t("intake.value")}, {Title: v.t("intake.reason")}}}
	for _, x := range problems {
		row := ui.Row{Muted: x.Skipped, Cells: []ui.Cell{{Text: v.words.Number(int64(x.Row))}, {Text: x.Column}, {Text: x.Value}, {Text: x.Reason}}}
		p.Problems.Rows = append(p.Problems.Rows, row)
	}
	if len(problems) == shownProblems {
		p.Problems.Note = v.t("intake.problems.first", "Count", shownProblems)
	}
	return p, nil
}

func (v *visit) listTiles(m *intake.Import) []ui.Tile {
	c := &m.Counts
	var out []ui.Tile
	add := func(key string, n int64, always bool) {
		if n > 0 || always {
			out = append(out, ui.Tile{Title: v.t("intake." + key), Figure: v.words.Number(n), How: v.t("intake." + key + ".how")})
		}
	}
	add("rows", c.Rows, true)
	if m.Spec.Kind == intake.Leads {
		add("leads", c.Leads, true)
		if c.Leads > 0 && !m.Spec.DryRun && m.State != intake.Undone {
			out[len(out)-1].Href = "/leads/table?import=" + url.QueryEscape(m.ID)
		}
	}
	add("contacts", c.Contacts, true)
	if c.Contacts > 0 && !m.Spec.DryRun && m.State != intake.Undone {
		out[len(out)-1].Href = "/contacts?import=" + url.QueryEscape(m.ID)
	}
	add("updated", c.Updated, m.Spec.Policy == intake.Update)
	add("same", c.Same, false)
	add("skipped", c.Skipped, false)
	add("left", c.Left, false)
	add("erased", c.Erased, false)
	add("refused", c.Refused, true)
	if c.Refused > 0 {
		out[len(out)-1].Kind = ui.Warn
	}
	add("removed", c.Removed, false)
	add("restored", c.Restored, false)
	add("kept", c.Kept, false)
	return out
}

func (v *visit) listFacts(m *intake.Import) []ui.Fact {
	facts := []ui.Fact{
		{Title: v.t("imports.state"), Cell: ui.Cell{Tag: v.listTag(m)}},
		{Title: v.t("intake.kind"), Cell: ui.Cell{Text: v.t("intake.kind." + string(m.Spec.Kind))}},
		{Title: v.t("intake.policy"), Cell: ui.Cell{Text: v.t("intake.policy." + string(m.Spec.Policy))}},
		{Title: v.t("imports.format"), Cell: ui.Cell{Text: v.t("intake.format." + m.Format)}},
		{Title: v.t("imports.when"), Cell: ui.Cell{Time: m.StartedAt}},
	}
	if !m.EndedAt.IsZero() {
		facts = append(facts, ui.Fact{Title: v.t("imports.took"), Cell: ui.Cell{Text: v.words.Duration(int64(m.EndedAt.Sub(m.StartedAt).Seconds()))}})
	}
	if by, err := v.Accounts.Member(v.ctx(), v.org().ID, m.By); err == nil {
		facts = append(facts, ui.Fact{Title: v.t("imports.by"), Cell: ui.Cell{Text: by.Name}})
	}
	return facts
}

// listOwners shows who got how many.
func (v *visit) listOwners(p *listPage, m *intake.Import) error {
	members, err := v.Accounts.Members(v.ctx(), v.org().ID)
	if err != nil {
		return err
	}
	p.Owners = ui.Table{Title: v.t("intake.owners"), Columns: []ui.Column{{Title: v.t("lead.owner")}, {Title: v.t("intake.got"), Numeric: true}}}
	left := map[account.MemberID]int64{}
	maps.Copy(left, m.Counts.Owners)
	for _, x := range members {
		if n := left[x.ID]; n > 0 {
			p.Owners.Rows = append(p.Owners.Rows, ui.Row{Cells: []ui.Cell{{Text: x.Name}, {Text: v.words.Number(n)}}})
			delete(left, x.ID)
		}
	}
	none := left[""]
	delete(left, "")
	gone := int64(0)
	for _, n := range left {
		gone += n
	}
	for _, x := range []struct {
		key string
		n   int64
	}{{"lead.unowned", none}, {"lead.owner_gone", gone}} {
		if x.n > 0 {
			p.Owners.Rows = append(p.Owners.Rows, ui.Row{Muted: true, Cells: []ui.Cell{{Text: v.t(x.key)}, {Text: v.words.Number(x.n)}}})
		}
	}
	return nil
}

func (v *visit) listActions(m *intake.Import) []ui.Action {
	var out []ui.Action
	c := &m.Counts
	if m.State == intake.Done && c.Leads > 0 {
		out = append(out, ui.Action{Title: v.t("intake.see_leads"), Href: "/leads/table?import=" + url.QueryEscape(m.ID), Primary: true, Icon: "target"})
	} else if m.State == intake.Done && c.Contacts > 0 {
		out = append(out, ui.Action{Title: v.t("intake.see_contacts"), Href: "/contacts?import=" + url.QueryEscape(m.ID), Primary: true, Icon: "people"})
	}
	if f := v.lists.of(m.ID); m.State == intake.Dry && f != "" {
		path := "/leads/imports/files/" + f
		out = append(out, ui.Action{Title: v.t("imports.now"), Href: path, Post: true, Primary: true, Icon: "import", Fields: []ui.Param{{Name: "again", Value: "1"}}},
			ui.Action{Title: v.t("imports.settings"), Href: path, Icon: "edit"})
	}
	if c.Refused+c.Skipped+c.Left+c.Erased > 0 {
		out = append(out, ui.Action{Title: v.t("intake.rejected"), Href: listPath(m.ID) + "/rejected", Icon: "download"})
	}
	switch {
	case m.State == intake.Running:
		out = append(out, ui.Action{Title: v.t("imports.stop"), Href: listPath(m.ID) + "/stop", Post: true})
	case !m.Spec.DryRun && m.State != intake.Undone && c.Leads+c.Contacts+c.Updated > 0:
		out = append(out, ui.Action{Title: v.t("imports.undo"), Href: listPath(m.ID) + "/undo", Post: true, Danger: true, Icon: "trash",
			Confirm: v.t("imports.undo.title"), ConfirmText: v.t("intake.undo.text")})
	}
	return out
}

func listRejected(v *visit) error {
	m, err := v.theList()
	if err != nil {
		return err
	}
	out := &download{w: v.w, kind: "text/csv; charset=utf-8", name: "parley-rejected-" + strconv.FormatInt(m.No, 10) + ".csv"}
	return v.sent(out, v.Intake.Rejected(v.ctx(), v.org().ID, m, out))
}

// undoList takes an import back. A large one goes on behind the page, which then says so.
func undoList(v *visit) error {
	const soon = 3 * time.Second
	type undone struct {
		m   *intake.Import
		err error
	}
	ended := make(chan undone, 1)
	actor, id := v.actor, v.r.PathValue("import")
	v.Background("undoing a list", func(ctx context.Context) error {
		m, err := v.Intake.Undo(ctx, actor, id)
		ended <- undone{m, err}
		if k := fault.KindOf(err); err != nil && (k == fault.Internal || k == fault.Unavailable) {
			return fmt.Errorf("undoing import %s: %w", id, err)
		}
		return nil
	})
	var m *intake.Import
	select {
	case x := <-ended:
		if x.err != nil {
			return x.err
		}
		m = x.m
	case <-time.After(soon):
		return v.to(listPath(id), ui.Flash{Kind: ui.Plain, Text: v.t("intake.undoing")})
	case <-v.ctx().Done():
		return v.ctx().Err()
	}
	flashes := []ui.Flash{v.good("intake.undone", "Count", m.Counts.Removed)}
	if n := m.Counts.Kept; n > 0 {
		flashes = append(flashes, ui.Flash{Kind: ui.Warn, Text: v.t("intake.undone.kept", "Count", n)})
	}
	return v.to(listPath(m.ID), flashes...)
}

func stopList(v *visit) error {
	m, err := v.theList()
	if err != nil {
		return err
	}
	if m.State == intake.Running && !v.lists.stop(m.ID) {
		return fault.New(fault.Conflict, "This import was not started on these pages, so it cannot be stopped here. Stop it where it runs.")
	}
	return v.to(listPath(m.ID))
}

// take brings a list in, in the background, and gives the import's id as soon as it has one. What is wrong before it begins
// comes back as an error.
func (v *visit) take(f *staged, spec intake.Spec) (string, error) {
	type began struct {
		id  string
		err error
	}
	first := make(chan began, 1)
	tell := func(b began) {
		select {
		case first <- b:
		default: // told already
		}
	}
	actor := v.actor
	end := v.lists.begin(f)
	f.take = &spec
	v.Background("import of a list", func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		known := ""
		_, err := v.Intake.Run(ctx, actor, f.file, f.file.Size(), spec, func(m intake.Import) {
			if known == "" {
				known = m.ID
				v.lists.started(known, f, stop)
				tell(began{id: known})
			}
		})
		v.lists.ended(known)
		end(spec.DryRun || err != nil)
		tell(began{known, err})
		if k := fault.KindOf(err); err != nil && (k == fault.Internal || k == fault.Unavailable) {
			return fmt.Errorf("import %s: %w", known, err)
		}
		return nil // the import keeps its sentence
	})
	select {
	case b := <-first:
		if b.id != "" {
			return b.id, nil
		}
		return "", b.err
	case <-v.ctx().Done():
		return "", v.ctx().Err()
	}
}
