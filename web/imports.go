package web

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/spool"
	"parley/web/ui"
)

// importRoutes bring in files.
func (s *site) importRoutes() []route {
	return []route{
		{"GET /imports", account.ImportCalls, imports},
		{"POST /imports", account.ImportCalls, receiveFile},
		{"GET /files/{file}", account.ImportCalls, importForm},
		{"POST /files/{file}", account.ImportCalls, startImport},
		{"GET /imports/{import}", account.ImportCalls, oneImport},
		{"GET /imports/{import}/progress", account.ImportCalls, importProgress},
		{"GET /imports/{import}/rejected", account.ImportCalls, rejectedRows},
		{"POST /imports/{import}/undo", account.ImportCalls, undoImport},
		{"POST /imports/{import}/stop", account.ImportCalls, stopImport},
	}
}

// importsPage takes a file and lists what was imported.
type importsPage struct {
	ui.Frame
	Drop  ui.Drop
	Table ui.Table
}

// shownImports is how many imports the page lists.
const shownImports = 50

func imports(v *visit) error {
	p, err := v.importsPage()
	if err != nil {
		return err
	}
	return v.render("imports", p)
}

func (v *visit) importsPage() (*importsPage, error) {
	p := &importsPage{Frame: v.frame(v.t("nav.imports"))}
	p.Lead = v.words.Rich("imports.lead")
	p.Drop = ui.Drop{Name: "file", Title: v.t("imports.drop"), Help: v.t("imports.formats"), Accept: ".xml,.zip,.csv,.tsv,.txt,.xlsx,.json,.ndjson,.html"}
	all, err := v.Imports.List(v.ctx(), v.org(), shownImports)
	if err != nil {
		return nil, err
	}
	p.Table = ui.Table{Title: v.t("imports.title"), Columns: []ui.Column{
		{Title: v.t("imports.file")}, {Title: v.t("imports.state")}, {Title: v.t("imports.rows"), Numeric: true}, {Title: v.t("imports.new"), Numeric: true},
		{Title: v.t("imports.known"), Numeric: true}, {Title: v.t("imports.refused"), Numeric: true}, {Title: v.t("imports.when")},
	}, Empty: &ui.Empty{Icon: "import", Title: v.t("imports.none"), Text: v.t("imports.none.text")}}
	for i := range all {
		p.Table.Rows = append(p.Table.Rows, v.importRow(&all[i]))
	}
	return p, nil
}

func (v *visit) importRow(m *ingest.Import) ui.Row {
	return ui.Row{Cells: []ui.Cell{
		{Text: m.Name, Href: importPath(m.ID), Strong: true, Sub: logfile.Format(m.Format).Title()},
		{Tag: v.importTag(m)}, {Text: v.words.Number(m.Rows)}, {Text: v.words.Number(m.New)}, {Text: v.words.Number(m.Known + m.Changed)},
		{Text: v.words.Number(m.Refused)}, {Time: m.StartedAt},
	}}
}

func importPath(imported string) string { return "/imports/" + url.PathEscape(imported) }

func (v *visit) importTag(m *ingest.Import) *ui.Tag {
	kinds := map[ingest.ImportState]ui.Kind{ingest.ImportRunning: ui.Info, ingest.ImportDone: ui.Good, ingest.ImportFailed: ui.Bad}
	return &ui.Tag{Text: v.t("imports.state." + string(m.State)), Kind: kinds[m.State]}
}

// receiveFile puts an uploaded file aside and looks at it.
func receiveFile(v *visit) error {
	f, err := v.receive("Choose a file with calls in it.", url.Values{})
	if err == nil {
		if f.guess, err = logfile.Detect(f.file, f.file.Size(), f.name); err != nil {
			err = errors.Join(err, f.file.Close())
		}
	}
	if err != nil {
		p, pageErr := v.importsPage()
		if pageErr != nil {
			return pageErr
		}
		p.Drop.Error = fault.Sentence(err)
		return v.again("imports", p, fault.Field("file", "%s", fault.Sentence(err)))
	}
	return v.to("/files/" + v.staging.add(f))
}

// receive streams the form's file to disk, so that its size costs no memory. What the form says before it goes to fields; none
// is the sentence where there is no file.
func (v *visit) receive(none string, fields url.Values) (*staged, error) {
	f, err := v.upload(none, maxUpload, fault.New(fault.TooLarge, "The file is larger than the %d GB that are taken here. Split it, or import it with \"parley import\".", maxUpload>>30), fields)
	if err != nil {
		return nil, err
	}
	return &staged{org: v.org().ID, by: v.actor.Member.ID, name: f.name, at: v.Now(), file: f.file}, nil
}

// taken is a file that came with a form, put aside.
type taken struct {
	name string
	size int64
	file *spool.File
}

// upload is receive for files of at most most bytes; large is what is said of others.
func (v *visit) upload(none string, most int64, large error, fields url.Values) (*taken, error) {
	const longest = 1000 // bytes of another field
	m, err := v.r.MultipartReader()
	if err != nil {
		return nil, fault.Field("file", "%s", none)
	}
	for {
		part, err := m.NextPart()
		if err != nil {
			return nil, fault.Field("file", "%s", none)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			b, err := io.ReadAll(io.LimitReader(part, longest))
			if err != nil {
				return nil, fault.Wrap(fault.Invalid, err, "The form did not arrive whole. Send it again.")
			}
			fields.Set(part.FormName(), string(b))
			continue
		}
		file, err := spool.New(v.TempDir)
		if err != nil {
			return nil, err
		}
		n, err := file.ReadFrom(io.LimitReader(part, most+1))
		switch {
		case fault.KindOf(err) == fault.Unavailable:
		case err != nil:
			err = fault.Wrap(fault.Invalid, err, "The file broke off on its way. Send it again.")
		case n > most:
			err = large
		case n == 0:
			err = fault.Field("file", "%q is empty. Export it again and check that the copy is complete.", part.FileName())
		}
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		return &taken{part.FileName(), n, file}, nil
	}
}

// importPage shows one import.
type importPage struct {
	ui.Frame
	Watch    string // address to ask for progress; "" when nothing runs
	Progress *ui.Progress
	Note     *ui.Note
	Tiles    []ui.Tile
	Facts    []ui.Fact
	Actions  []ui.Action
}

func oneImport(v *visit) error {
	m, err := v.Imports.One(v.ctx(), v.org(), v.r.PathValue("import"))
	if err != nil {
		return err
	}
	return v.render("import", v.importPage(m))
}

// importProgress is the page's changing part; when the import has ended the whole page is asked for again.
func importProgress(v *visit) error {
	m, err := v.Imports.One(v.ctx(), v.org(), v.r.PathValue("import"))
	if err != nil {
		return err
	}
	if m.State != ingest.ImportRunning {
		v.w.Header().Set("HX-Refresh", "true")
	}
	return v.fragment("import", "watched", v.importPage(m))
}

func (v *visit) importPage(m *ingest.Import) *importPage {
	p := &importPage{Frame: v.frame(m.Name)}
	p.Crumbs = []ui.Link{{Title: v.t("nav.imports"), Href: "/imports"}}
	p.Lead = v.words.Rich("imports.lead."+string(m.State), "Count", m.New, "Refused", v.words.Number(m.Refused))
	if m.State == ingest.ImportRunning {
		p.Watch = importPath(m.ID) + "/progress"
		p.Progress = &ui.Progress{Title: m.Name, Text: v.t("imports.read", "Count", m.Rows), Busy: m.Bytes == 0}
		if m.Bytes > 0 {
			p.Progress.Ratio = float64(m.BytesDone) / float64(m.Bytes)
		}
	}
	if m.Sentence != "" {
		p.Note = &ui.Note{Kind: ui.Info, Text: m.Sentence}
		if m.State == ingest.ImportFailed {
			p.Note.Kind = ui.Bad
		}
	}
	p.Tiles = v.importTiles(m)
	p.Facts = v.importFacts(m)
	p.Actions = v.importActions(m)
	return p
}

func (v *visit) importTiles(m *ingest.Import) []ui.Tile {
	var out []ui.Tile
	add := func(key string, n int64, always bool) {
		if n > 0 || always {
			out = append(out, ui.Tile{Title: v.t("imports." + key), Figure: v.words.Number(n), How: v.t("imports." + key + ".how")})
		}
	}
	add("rows", m.Rows, true)
	add("new", m.New, true)
	add("known", m.Known, true)
	add("changed", m.Changed, false)
	add("excluded", m.Excluded, false)
	add("erased", m.Erased, false)
	add("skipped", m.Skipped, false)
	add("refused", m.Refused, true)
	if m.Refused > 0 {
		out[len(out)-1].Kind = ui.Warn
	}
	return out
}

func (v *visit) importFacts(m *ingest.Import) []ui.Fact {
	facts := []ui.Fact{
		{Title: v.t("imports.state"), Cell: ui.Cell{Tag: v.importTag(m)}},
		{Title: v.t("imports.format"), Cell: ui.Cell{Text: logfile.Format(m.Format).Title()}},
		{Title: v.t("imports.when"), Cell: ui.Cell{Time: m.StartedAt}},
	}
	if !m.EndedAt.IsZero() {
		facts = append(facts, ui.Fact{Title: v.t("imports.took"), Cell: ui.Cell{Text: v.words.Duration(int64(m.EndedAt.Sub(m.StartedAt).Seconds()))}})
	}
	if by, err := v.Accounts.Member(v.ctx(), v.org().ID, m.By); err == nil {
		facts = append(facts, ui.Fact{Title: v.t("imports.by"), Cell: ui.Cell{Text: by.Name}})
	}
	if !m.From.IsZero() {
		zone := v.org().Location()
		facts = append(facts, ui.Fact{Title: v.t("imports.span"), Cell: ui.Cell{Text: v.words.Range(civil.DayOf(m.From, zone), civil.DayOf(m.To, zone)+1)}})
	}
	return facts
}

func (v *visit) importActions(m *ingest.Import) []ui.Action {
	var out []ui.Action
	if m.State == ingest.ImportDone && m.New > 0 {
		zone := v.org().Location()
		span := url.Values{"from": {civil.DayOf(m.From, zone).String()}, "through": {civil.DayOf(m.To, zone).String()}}
		out = append(out, ui.Action{Title: v.t("imports.see_report"), Href: "/reports/summary?" + span.Encode(), Primary: true, Icon: "reports"})
	}
	if f := v.staging.of(m.ID); m.State == ingest.ImportDry && f != "" {
		out = append(out, ui.Action{Title: v.t("imports.now"), Href: "/files/" + f, Post: true, Primary: true, Icon: "import", Fields: []ui.Param{{Name: "again", Value: "1"}}},
			ui.Action{Title: v.t("imports.settings"), Href: "/files/" + f, Icon: "edit"})
	}
	if m.Refused+m.Skipped > 0 {
		out = append(out, ui.Action{Title: v.t("imports.rejected"), Href: importPath(m.ID) + "/rejected", Icon: "download"})
	}
	switch {
	case m.State == ingest.ImportRunning:
		out = append(out, ui.Action{Title: v.t("imports.stop"), Href: importPath(m.ID) + "/stop", Post: true})
	case !m.DryRun && m.New+m.Changed > 0 && m.State != ingest.ImportUndone:
		out = append(out, ui.Action{Title: v.t("imports.undo"), Href: importPath(m.ID) + "/undo", Post: true, Danger: true, Icon: "trash",
			Confirm: v.t("imports.undo.title"), ConfirmText: v.t("imports.undo.text")})
	}
	return out
}

func rejectedRows(v *visit) error {
	m, err := v.Imports.One(v.ctx(), v.org(), v.r.PathValue("import"))
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="parley-rejected-`+strconv.FormatInt(m.No, 10)+`.csv"`)
	return v.Imports.Rejected(v.ctx(), v.org(), m.ID, v.w)
}

func undoImport(v *visit) error {
	n, err := v.Imports.Undo(v.ctx(), v.org(), v.r.PathValue("import"), v.actor.Member.ID)
	if err != nil {
		return err
	}
	return v.to(importPath(v.r.PathValue("import")), v.good("imports.undone", "Count", n))
}

func stopImport(v *visit) error {
	m, err := v.Imports.One(v.ctx(), v.org(), v.r.PathValue("import"))
	if err != nil {
		return err
	}
	if m.State == ingest.ImportRunning && !v.staging.stop(m.ID) {
		return fault.New(fault.Conflict, "This import was not started on these pages, so it cannot be stopped here. Stop it where it runs.")
	}
	return v.to(importPath(m.ID))
}

// run carries out an import in the background and gives its id as soon as it has one. What is wrong before it begins
// comes back as an error.
func (v *visit) run(f *staged, spec ingest.ImportSpec) (string, error) {
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
	org := v.org()
	end := v.staging.begin(f)
	f.spec = &spec
	v.Background("import", func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		known := ""
		m, err := v.Imports.Run(ctx, org, f.file, f.file.Size(), spec, func(m ingest.Import) {
			if known == "" {
				known = m.ID
				v.staging.started(known, f, stop)
				tell(began{id: known})
			}
		})
		if known == "" && m != nil && m.ID != "" {
			known = m.ID
			v.staging.started(known, f, stop)
		}
		v.staging.ended(known)
		end(spec.DryRun || err != nil)
		tell(began{known, err})
		if k := fault.KindOf(err); k == fault.Internal || k == fault.Unavailable {
			return err
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
