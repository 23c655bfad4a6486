package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/platform/fault"
	"parley/platform/spool"
)

const tagImports = "Imports"

// maxUpload is the largest file that is taken; real ones of ten years are below 100 MB.
const maxUpload = 4 << 30

// Import is one import of a file. Every row read is counted once in new, known, changed, excluded, refused or skipped.
type Import struct {
	ID        string             `json:"id"`
	Name      string             `json:"name" doc:"The file's name"`
	Format    string             `json:"format"`
	State     ingest.ImportState `json:"state" enum:"running,done,failed,undone,dry" doc:"dry: a rehearsal that ended"`
	DryRun    bool               `json:"dry_run"`
	Rows      int64              `json:"rows"`
	New       int64              `json:"new"`
	Known     int64              `json:"known" doc:"There already"`
	Changed   int64              `json:"changed"`
	Excluded  int64              `json:"excluded" doc:"With a number that is never stored"`
	Erased    int64              `json:"erased" doc:"With a number whose person's data was erased"`
	Refused   int64              `json:"refused" doc:"Listed by /imports/{import}/rejected"`
	Skipped   int64              `json:"skipped" doc:"Calls between two of your own numbers"`
	Bytes     int64              `json:"bytes"`
	BytesDone int64              `json:"bytes_done"`
	From      *time.Time         `json:"from,omitempty" doc:"First call that was added"`
	To        *time.Time         `json:"to,omitempty" doc:"Last call that was added"`
	StartedAt *time.Time         `json:"started_at"`
	EndedAt   *time.Time         `json:"ended_at,omitempty"`
	By        account.MemberID   `json:"by,omitempty"`
	Sentence  string             `json:"sentence,omitempty" doc:"Why it failed, or what undoing it did"`
}

// Undone says what undoing an import did.
type Undone struct {
	Removed int64  `json:"removed" doc:"Calls that were removed; those that something else confirmed since stay"`
	Import  Import `json:"import"`
}

// Guess is what a file looks like.
type Guess struct {
	Format   string            `json:"format,omitempty" doc:"Empty when it is none that is known"`
	Title    string            `json:"title,omitempty"`
	Columns  []string          `json:"columns,omitempty" doc:"Headers of a table, as written"`
	Sample   [][]string        `json:"sample,omitempty" doc:"Its first rows"`
	Map      map[string]string `json:"map,omitempty" doc:"Which column holds what, as guessed or as used the last time for these columns"`
	Missing  []string          `json:"missing,omitempty" doc:"Fields that no column was found for"`
	Sheets   []string          `json:"sheets,omitempty" doc:"Of a workbook"`
	Zoned    bool              `json:"zoned" doc:"Whether its times carry a zone; otherwise say one"`
	NeedOurs bool              `json:"need_ours" doc:"Whether it names caller and callee, so that you must say which numbers are yours"`
	Known    bool              `json:"known" doc:"Whether a file with these columns was imported before"`
}

// ImportPath names an import.
type ImportPath struct {
	Import string `path:"import"`
}

// ImportSpec says how a file is to be read. In a multipart form, the same names may be fields before the file.
type ImportSpec struct {
	Name      string `query:"name" maxLength:"300" doc:"The file's name"`
	Agent     string `query:"agent" doc:"Whose calls they are: a member's id; leave it out when the file says"`
	Format    string `query:"format" doc:"smsbackup, asterisk, freepbx, freeswitch, takeout, termux, smsie or table; leave it out to let the content decide"`
	Map       string `query:"map" doc:"For tables: field=Column, several with commas, such as caller=Call No,callee=Rec No,start=Start,duration=Dur (s)"`
	DateOrder string `query:"date_order" doc:"dmy, mdy, ymd, epoch or epoch_ms"`
	Sheet     string `query:"sheet" doc:"Of a workbook"`
	Delimiter string `query:"delimiter" doc:"Of a table of text, one character, or tab"`
	NoHeader  bool   `query:"no_header" doc:"Whether the table begins with its first row; columns are then named by number"`
	Zone      string `query:"zone" doc:"The zone of times that carry none, such as Asia/Kolkata; the organisation's otherwise"`
	Ours      string `query:"ours" doc:"Which numbers are yours, where the file names caller and callee: agents, all, or numbers with commas"`
	DryRun    bool   `query:"dry_run" doc:"Do everything but write"`
}

func (s *API) imports() {
	handle(s, does(http.MethodGet, "/imports", "list-imports", account.ImportCalls, tagImports, "List imports").saying("Newest first."), s.listImports)
	run := does(http.MethodPost, "/imports", "import-file", account.ImportCalls, tagImports, "Import a file").
		saying("Send the file as the body, or as the part `file` of a multipart form. The answer comes when the file has arrived; the import goes on in the background, " +
			"and /imports/{import} tells how far it is. A file sent twice adds nothing the second time.\n\n" +
			"An idempotency key of an upload stands for its address, type and length, since the file is not read ahead.").giving(http.StatusAccepted)
	run.upload = true
	handle(s, run, s.importFile)
	look := does(http.MethodPost, "/imports/detect", "detect-file", account.ImportCalls, tagImports, "Look at a file").
		saying("Says what the file is, and shows columns and first rows of a table. The first megabyte is enough. Nothing is kept.")
	look.upload = true
	handle(s, look, s.detect)
	handle(s, does(http.MethodGet, "/imports/{import}", "get-import", account.ImportCalls, tagImports, "One import"), s.getImport)
	rejected := does(http.MethodGet, "/imports/{import}/rejected", "get-rejected-rows", account.ImportCalls, tagImports, "Rows that were refused").
		saying("As CSV: row, column, reason and value. No cell is a live formula.")
	rejected.files = []string{"text/csv"}
	handle(s, rejected, s.rejected)
	handle(s, does(http.MethodPost, "/imports/{import}/undo", "undo-import", account.ImportCalls, tagImports, "Undo an import").
		saying("Removes the calls that it added and that nothing else confirmed since."), s.undo)
	s.uploads("/imports", "/imports/detect")
}

// uploads documents bodies that are streamed, which huma would otherwise read.
func (s *API) uploads(paths ...string) {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	for _, p := range paths {
		s.huma.OpenAPI().Paths[root+p].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: binary},
			"multipart/form-data":      {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": binary}, Required: []string{"file"}}},
		}}
	}
}

func importOf(org *account.Org, m *ingest.Import) Import {
	return Import{
		ID: m.ID, Name: m.Name, Format: m.Format, State: m.State, DryRun: m.DryRun, Rows: m.Rows, New: m.New, Known: m.Known, Changed: m.Changed,
		Excluded: m.Excluded, Erased: m.Erased, Refused: m.Refused, Skipped: m.Skipped, Bytes: m.Bytes, BytesDone: m.BytesDone, From: at(org, m.From), To: at(org, m.To),
		StartedAt: at(org, m.StartedAt), EndedAt: at(org, m.EndedAt), By: m.By, Sentence: m.Sentence,
	}
}

func (s *API) listImports(ctx context.Context, in *struct{ Paging }) (*body[Page[Import]], error) {
	org := callerOf(ctx).org
	all, err := s.Imports.List(ctx, org, mostImports)
	if err != nil {
		return nil, err
	}
	out := make([]Import, len(all))
	for i := range all {
		out[i] = importOf(org, &all[i])
	}
	return pageOf(out, in.Paging, func(m Import) string { return m.ID })
}

// mostImports is how far back the list goes.
const mostImports = 500

func (s *API) getImport(ctx context.Context, in *ImportPath) (*body[Import], error) {
	org := callerOf(ctx).org
	m, err := s.Imports.One(ctx, org, in.Import)
	if err != nil {
		return nil, err
	}
	return answerOf(importOf(org, m)), nil
}

func (s *API) undo(ctx context.Context, in *ImportPath) (*body[Undone], error) {
	a := actorOf(ctx)
	n, err := s.Imports.Undo(ctx, a.Org, in.Import, a.Member.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.Imports.One(ctx, a.Org, in.Import)
	if err != nil {
		return nil, err
	}
	return answerOf(Undone{Removed: n, Import: importOf(a.Org, m)}), nil
}

func (s *API) rejected(ctx context.Context, in *ImportPath) (*huma.StreamResponse, error) {
	org := callerOf(ctx).org
	m, err := s.Imports.One(ctx, org, in.Import)
	if err != nil {
		return nil, err
	}
	return s.file(ctx, "text/csv; charset=utf-8", "parley-rejected.csv", func(w io.Writer) error { return s.Imports.Rejected(ctx, org, m.ID, w) }), nil
}

// upload is a file that has arrived, put aside.
type upload struct {
	file *spool.File
	size int64
	name string
	form url.Values // fields that came before the file
}

func (u *upload) close() {
	_ = u.file.Close()
}

// receive streams a request's file aside: the body, or the part "file" of a multipart form.
func (s *API) receive(ctx context.Context, most int64) (*upload, error) {
	r := requestOf(ctx)
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, fault.New(fault.Unsupported, "The body's Content-Encoding %.20q is not understood here. Send the file as it is; a zip may stay one.", e)
	}
	u := &upload{form: url.Values{}}
	src := io.Reader(r.Body)
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "multipart/form-data":
		part, err := u.find(multipart.NewReader(r.Body, params["boundary"]))
		if err != nil {
			return nil, err
		}
		src = part
	case kind == "application/x-www-form-urlencoded":
		return nil, fault.New(fault.Unsupported, "The file must be the body itself, or the part \"file\" of a multipart form. With curl, use --data-binary @FILE and -H 'Content-Type: application/octet-stream'.")
	}
	var err error
	if u.file, err = spool.New(s.TempDir); err != nil {
		return nil, err
	}
	if u.size, err = u.file.ReadFrom(io.LimitReader(src, most+1)); err != nil {
		u.close()
		if fault.KindOf(err) == fault.Unavailable {
			return nil, err
		}
		return nil, bodyError(err, "The file broke off on its way. Send it again.")
	}
	switch {
	case u.size == 0:
		u.close()
		return nil, fault.Field("file", "The file is empty. Choose another one.")
	case u.size > most:
		u.close()
		return nil, fault.New(fault.TooLarge, "The file is larger than the %d MB that are taken here. Send it in parts.", most>>20)
	}
	return u, nil
}

// find reads the fields of a form up to its file.
func (u *upload) find(m *multipart.Reader) (*multipart.Part, error) {
	for range 50 {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, fault.Field("file", "The form has no part named \"file\". Send the file under that name, after the other fields.")
		}
		if err != nil {
			return nil, bodyError(err, "The form could not be read: it broke off, or its parts are damaged. Send it again.")
		}
		if part.FormName() == "file" {
			u.name = part.FileName()
			return part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, 10_000))
		if err != nil {
			return nil, bodyError(err, "The form broke off. Send it again.")
		}
		u.form.Add(part.FormName(), string(value))
	}
	return nil, fault.New(fault.Invalid, "The form has too many fields before its file. Send only those that the reference lists.")
}

// fill takes what the query left out from the form.
func (in *ImportSpec) fill(u *upload) error {
	return u.fill(map[string]*string{
		"name": &in.Name, "agent": &in.Agent, "format": &in.Format, "map": &in.Map, "date_order": &in.DateOrder, "sheet": &in.Sheet,
		"delimiter": &in.Delimiter, "zone": &in.Zone, "ours": &in.Ours,
	}, map[string]*bool{"no_header": &in.NoHeader, "dry_run": &in.DryRun}, &in.Name)
}

// fill takes what a query left out from the form that came with the file, and the file's name where nobody gave another.
func (u *upload) fill(texts map[string]*string, switches map[string]*bool, name *string) error {
	for field, to := range texts {
		if *to == "" {
			*to = u.form.Get(field)
		}
		u.form.Del(field)
	}
	for field, to := range switches {
		if u.form.Get(field) == "true" {
			*to = true
		}
		u.form.Del(field)
	}
	for field := range u.form {
		return fault.Field(cutText(field, 100), "This operation knows no field %.60q. Check its spelling, or leave it out.", field)
	}
	if *name == "" {
		*name = u.name
	}
	return nil
}

// spec reads what is said about the file.
func (s *API) spec(ctx context.Context, in *ImportSpec) (ingest.ImportSpec, error) {
	out := ingest.ImportSpec{Name: in.Name, Zone: in.Zone, DryRun: in.DryRun, By: actorOf(ctx).Member.ID}
	var errs [3]error
	if in.Agent != "" {
		out.Agent, errs[0] = s.agentNo(ctx, "agent", account.MemberID(in.Agent))
	}
	out.Format, errs[1] = logfile.ParseFormat(in.Format)
	out.Mapping, errs[2] = in.mapping()
	if err := fault.Join(errs[:]...); err != nil {
		return out, err
	}
	switch ours, err := ingest.ParseOurs(in.Ours); {
	case err == nil:
		out.Ours = ours
	case strings.ContainsAny(in.Ours, "0123456789"):
		out.Ours, out.OurNumbers = ingest.OursList, strings.Split(in.Ours, ",")
	default:
		return out, err
	}
	return out, nil
}

func (in *ImportSpec) mapping() (*logfile.Mapping, error) {
	if in.Map == "" && in.DateOrder == "" && in.Sheet == "" && in.Delimiter == "" && !in.NoHeader {
		return nil, nil
	}
	m := &logfile.Mapping{DateOrder: logfile.DateOrder(in.DateOrder), NoHeader: in.NoHeader, Sheet: in.Sheet}
	var err error
	if in.Map != "" {
		if m.Columns, err = logfile.ParseMapping(in.Map); err != nil {
			return nil, err
		}
	}
	switch d := []rune(in.Delimiter); {
	case in.Delimiter == "tab":
		m.Delimiter = '\t'
	case len(d) == 1:
		m.Delimiter = d[0]
	case len(d) > 1:
		return nil, fault.Field("delimiter", "The delimiter is one character, such as ; or |, or the word tab.")
	}
	return m, nil
}

// importFile takes the file in and lets the import go on in the background.
func (s *API) importFile(ctx context.Context, in *ImportSpec) (*body[Import], error) {
	u, err := s.receive(ctx, maxUpload)
	if err != nil {
		return nil, err
	}
	if err := in.fill(u); err != nil {
		u.close()
		return nil, err
	}
	spec, err := s.spec(ctx, in)
	if err != nil {
		u.close()
		return nil, err
	}
	org := callerOf(ctx).org
	begun, ended := make(chan ingest.Import, 1), make(chan outcome, 1)
	ok := s.work.run(ctx, func(ctx context.Context) {
		defer u.close()
		m, err := s.Imports.Run(ctx, org, u.file, u.size, spec, func(m ingest.Import) {
			select {
			case begun <- m:
			default:
			}
		})
		if err != nil && fault.KindOf(err) == fault.Internal && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "import failed", "org", org.ID, "error", err)
		}
		ended <- outcome{m, err}
	})
	if !ok {
		u.close()
		return nil, fault.New(fault.Unavailable, "The server is about to stop. Send the file again in a minute.")
	}
	// The import is answered as soon as it has begun, or with its end when it never does.
	select {
	case m := <-begun:
		return answerOf(importOf(org, &m)), nil
	case o := <-ended:
		if o.err != nil {
			return nil, o.err
		}
		return answerOf(importOf(org, o.is)), nil
	case <-ctx.Done(): // it waits for its turn, and begins without its sender
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "The import waits for another one to end. See the list of imports.")
	}
}

type outcome struct {
	is  *ingest.Import
	err error
}

// maxLook is how much of a file is looked at.
const maxLook = 64 << 20

func (s *API) detect(ctx context.Context, in *struct {
	Name string `query:"name" maxLength:"300" doc:"The file's name, whose ending helps"`
}) (*body[Guess], error) {
	u, err := s.receive(ctx, maxLook)
	if err != nil {
		return nil, err
	}
	defer u.close()
	name := in.Name
	if name == "" {
		name = u.name
	}
	g, err := logfile.Detect(u.file, u.size, name)
	if err != nil {
		return nil, err
	}
	out := Guess{
		Format: string(g.Format), Title: g.Title, Columns: g.Columns, Sample: g.Sample, Map: columnsOf(g.Mapping.Columns), Sheets: g.Sheets, Zoned: g.Zoned, NeedOurs: g.NeedsOurs,
	}
	for _, f := range g.Missing {
		out.Missing = append(out.Missing, string(f))
	}
	if len(g.Columns) > 0 {
		m, ok, err := s.Imports.Remembered(ctx, callerOf(ctx).org, g.Columns)
		if err != nil {
			return nil, err
		}
		if out.Known = ok; ok {
			out.Map = columnsOf(m.Mapping.Columns)
		}
	}
	return answerOf(out), nil
}

func columnsOf(m map[logfile.Field]string) map[string]string {
	out := make(map[string]string, len(m))
	for f, c := range m {
		out[string(f)] = c
	}
	return out
}
