package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/intake"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/sheet"
)

const tagLists = "Lists in and out"

// ListImport is one list of contacts or leads that was brought in.
type ListImport struct {
	ID        string           `json:"id"`
	Kind      intake.Kind      `json:"kind" enum:"leads,contacts"`
	Name      string           `json:"name"`
	Format    string           `json:"format"`
	State     intake.State     `json:"state" enum:"running,done,failed,undone,dry"`
	Policy    intake.Policy    `json:"policy" enum:"skip,update,both"`
	Counts    ListCounts       `json:"counts"`
	Bytes     int64            `json:"bytes"`
	BytesDone int64            `json:"bytes_done"`
	StartedAt *time.Time       `json:"started_at"`
	EndedAt   *time.Time       `json:"ended_at,omitempty"`
	By        account.MemberID `json:"by,omitempty"`
	Sentence  string           `json:"sentence,omitempty" doc:"Why it failed, or what undoing it did"`
	Problems  []ListProblem    `json:"problems,omitempty" doc:"Of one import that was asked for: the first 100 rows that were not taken"`
}

// ListProblem is one row that was not taken.
type ListProblem struct {
	Row     int    `json:"row" doc:"Of a card its place in the file"`
	Column  string `json:"column,omitempty"`
	Value   string `json:"value,omitempty"`
	Reason  string `json:"reason"`
	Skipped bool   `json:"skipped,omitempty" doc:"Left out, not refused"`
}

// ListCounts is what became of a list's rows.
type ListCounts struct {
	Rows     int64            `json:"rows"`
	Leads    int64            `json:"leads" doc:"Made"`
	Contacts int64            `json:"contacts" doc:"Made"`
	New      int64            `json:"new" doc:"Rows that made something"`
	Updated  int64            `json:"updated"`
	Same     int64            `json:"same" doc:"Said nothing new"`
	Skipped  int64            `json:"skipped" doc:"About somebody who is known"`
	Left     int64            `json:"left" doc:"With a number of your own lines, or one that is kept out"`
	Erased   int64            `json:"erased" doc:"Of a person who was erased"`
	Refused  int64            `json:"refused"`
	Removed  int64            `json:"removed,omitempty" doc:"By undoing it"`
	Restored int64            `json:"restored,omitempty"`
	Kept     int64            `json:"kept,omitempty" doc:"Changed or used since, and not undone"`
	Owners   map[string]int64 `json:"owners,omitempty" doc:"How many went to whom, by member; nobody is nobody"`
}

// ListSpec says how a list is to be read. In a multipart form, the same names may be fields before the file.
type ListSpec struct {
	Kind      string `query:"kind" doc:"leads or contacts; left out: leads"`
	Name      string `query:"name" maxLength:"300" doc:"The file's name"`
	Policy    string `query:"policy" doc:"For persons who are known: skip, update or both; left out: skip"`
	Give      string `query:"give" doc:"Who gets the new rows: rules, or a member's id; left out: nobody"`
	Map       string `query:"map" maxLength:"5000" doc:"field=Column, several with commas, such as first=First name,number=Phone,number=Mobile; left out: as the headers say. Own fields are contact.KEY and lead.KEY"`
	DateOrder string `query:"date_order" doc:"dmy, mdy or ymd, where the file's dates do not tell"`
	Sheet     string `query:"sheet" doc:"Of a workbook"`
	NoHeader  bool   `query:"no_header" doc:"Whether the table begins with its first row; columns are then named by number"`
	Pipeline  string `query:"pipeline" doc:"Of all rows, as are the next ones; what a row says itself goes before"`
	Stage     string `query:"stage"`
	Source    string `query:"source" maxLength:"200"`
	SourceDay string `query:"source_day"`
	Tags      string `query:"tags" maxLength:"1000" doc:"Several with commas"`
	DryRun    bool   `query:"dry_run" doc:"Do everything but write"`
}

// ListGuess is what a list looks like.
type ListGuess struct {
	Format  string         `json:"format" enum:"csv,xlsx,vcard"`
	Columns []ListColumn   `json:"columns"`
	Known   bool           `json:"known" doc:"A list with these columns was brought in before, and is mapped as then"`
	Sheets  []string       `json:"sheets,omitempty"`
	Sample  [][]string     `json:"sample"`
	Missing []intake.Field `json:"missing,omitempty" doc:"What has to be said before the list can be read"`
}

// ListColumn is a column of a list with what it is taken for.
type ListColumn struct {
	Header string       `json:"header"`
	Field  intake.Field `json:"field,omitempty" doc:"Absent: left out"`
	Sample string       `json:"sample,omitempty"`
}

// ListPath names an import of a list.
type ListPath struct {
	List string `path:"list"`
}

func (s *API) lists() {
	handle(s, does(http.MethodGet, "/lists", "list-lists", account.ImportLeads, tagLists, "Lists that were brought in").saying("Rehearsals, too, newest first, at most 500."), s.listLists)
	run := does(http.MethodPost, "/lists", "import-list", account.ImportLeads, tagLists, "Bring a list of leads or contacts in").
		saying("CSV, XLSX or vCard, as the body or as the part `file` of a multipart form. The answer comes when the file has arrived; the import goes on in the background, and /lists/{list} tells how far it is.").giving(http.StatusAccepted)
	run.upload = true
	handle(s, run, s.importList)
	look := does(http.MethodPost, "/lists/detect", "detect-list", account.ImportLeads, tagLists, "Look at a list").saying("Says what the columns are taken for. Nothing is kept.")
	look.upload = true
	handle(s, look, s.detectList)
	handle(s, does(http.MethodGet, "/lists/{list}", "get-list", account.ImportLeads, tagLists, "One import of a list"), s.getList)
	rejected := does(http.MethodGet, "/lists/{list}/rejected", "get-list-rejected", account.ImportLeads, tagLists, "Rows that were not taken").
		saying("As CSV, as they stood in the file, with the reason in front. No cell is a live formula.")
	rejected.files = []string{"text/csv"}
	handle(s, rejected, func(ctx context.Context, in *ListPath) (*huma.StreamResponse, error) {
		org := callerOf(ctx).org.ID
		m, err := s.Intake.One(ctx, org, in.List)
		if err != nil {
			return nil, err
		}
		return s.file(ctx, "text/csv; charset=utf-8", "parley-rejected.csv", func(w io.Writer) error { return s.Intake.Rejected(ctx, org, m, w) }), nil
	})
	handle(s, does(http.MethodPost, "/lists/{list}/undo", "undo-list", account.ImportLeads, tagLists, "Take an import back").
		saying("What it made is deleted and what it changed is as before, except what somebody changed or used since. It goes on in the background: /lists/{list} says undone when it has ended.").giving(http.StatusAccepted), s.undoList)
	leads := does(http.MethodGet, "/leads/export", "export-leads", account.ExportLeads, tagLists, "Leads as a file").saying("Those of the filter that you see, so that they can be brought in again.")
	leads.files = []string{kindCSV, kindXLSX}
	handle(s, leads, s.exportLeads)
	contacts := does(http.MethodGet, "/contacts/export", "export-contacts", account.ExportLeads, tagLists, "Contacts as a file")
	contacts.files = []string{kindCSV, kindXLSX, kindCard}
	handle(s, contacts, s.exportContacts)
	s.uploads("/lists", "/lists/detect")
}

// Kinds of files.
const (
	kindCSV  = "text/csv"
	kindXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	kindCard = "text/vcard"
)

// file answers with a file that is written on the way. What breaks off is seen as broken off.
func (s *API) file(ctx context.Context, kind, name string, write func(w io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		if err := write(w); err != nil {
			if ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "api file broke off", "name", name, "error", err)
			}
			panic(http.ErrAbortHandler)
		}
	}}
}

func listOf(org *account.Org, m *intake.Import) ListImport {
	c := &m.Counts
	out := ListImport{ID: m.ID, Kind: m.Spec.Kind, Name: m.Spec.Name, Format: m.Format, State: m.State, Policy: m.Spec.Policy, Bytes: m.Bytes, BytesDone: m.BytesDone, StartedAt: at(org, m.StartedAt), EndedAt: at(org, m.EndedAt),
		By: m.By, Sentence: m.Sentence, Counts: ListCounts{Rows: c.Rows, Leads: c.Leads, Contacts: c.Contacts, New: c.New, Updated: c.Updated, Same: c.Same, Skipped: c.Skipped, Left: c.Left, Erased: c.Erased,
			Refused: c.Refused, Removed: c.Removed, Restored: c.Restored, Kept: c.Kept}}
	for m, n := range c.Owners {
		if out.Counts.Owners == nil {
			out.Counts.Owners = map[string]int64{}
		}
		if m == "" {
			m = "nobody"
		}
		out.Counts.Owners[string(m)] = n
	}
	return out
}

func (s *API) listLists(ctx context.Context, in *struct{ Paging }) (*body[Page[ListImport]], error) {
	org := callerOf(ctx).org
	all, err := s.Intake.List(ctx, org.ID, mostImports)
	if err != nil {
		return nil, err
	}
	out := make([]ListImport, len(all))
	for i := range all {
		out[i] = listOf(org, all[i])
	}
	return pageOf(out, in.Paging, func(m ListImport) string { return m.ID })
}

func (s *API) getList(ctx context.Context, in *ListPath) (*body[ListImport], error) {
	const shown = 100
	org := callerOf(ctx).org
	m, err := s.Intake.One(ctx, org.ID, in.List)
	if err != nil {
		return nil, err
	}
	out := listOf(org, m)
	all, err := s.Intake.Problems(ctx, org.ID, m, shown)
	for _, x := range all {
		out.Problems = append(out.Problems, ListProblem{x.Row, x.Column, x.Value, x.Reason, x.Skipped})
	}
	return answerOf(out), err
}

// fill takes what the query left out from the form.
func (in *ListSpec) fill(u *upload) error {
	return u.fill(map[string]*string{"kind": &in.Kind, "name": &in.Name, "policy": &in.Policy, "give": &in.Give, "map": &in.Map, "date_order": &in.DateOrder, "sheet": &in.Sheet, "pipeline": &in.Pipeline,
		"stage": &in.Stage, "source": &in.Source, "source_day": &in.SourceDay, "tags": &in.Tags}, map[string]*bool{"no_header": &in.NoHeader, "dry_run": &in.DryRun}, &in.Name)
}

// spec reads what is said about a list.
func (in *ListSpec) spec() (intake.Spec, error) {
	out := intake.Spec{Name: in.Name, Pipeline: in.Pipeline, Stage: in.Stage, Source: in.Source, DryRun: in.DryRun, Kind: intake.Leads}
	var errs [3]error
	if in.Kind != "" {
		out.Kind, errs[0] = intake.ParseKind(in.Kind)
	}
	out.Policy, errs[1] = intake.ParsePolicy(in.Policy)
	var day civil.Day
	day, errs[2] = dayOf("source_day", &in.SourceDay)
	out.SourceDay = day
	switch in.Give {
	case "":
	case string(intake.ByRules):
		out.Give = intake.ByRules
	default:
		out.Give, out.Member = intake.Fixed, account.MemberID(in.Give)
	}
	if in.Tags != "" {
		out.Tags = strings.Split(in.Tags, ",")
	}
	out.Mapping = in.mapping()
	return out, fault.Join(errs[:]...)
}

// mapping is what is said about the columns; nil when nothing is.
func (in *ListSpec) mapping() *intake.Mapping {
	if in.Map == "" {
		return nil
	}
	return &intake.Mapping{Columns: intake.ParseColumns(in.Map), Sheet: in.Sheet, NoHeader: in.NoHeader, DateOrder: sheet.DateOrder(in.DateOrder)}
}

// importList takes the file in and lets the import go on in the background.
func (s *API) importList(ctx context.Context, in *ListSpec) (*body[ListImport], error) {
	u, err := s.receive(ctx, maxUpload)
	if err != nil {
		return nil, err
	}
	spec, err := s.listSpec(ctx, in, u)
	if err != nil {
		u.close()
		return nil, err
	}
	type ending struct {
		is  *intake.Import
		err error
	}
	begun, ended := make(chan intake.Import, 1), make(chan ending, 1)
	actor, org := actorOf(ctx), callerOf(ctx).org
	if ok := s.work.run(ctx, func(ctx context.Context) {
		defer u.close()
		m, err := s.Intake.Run(ctx, actor, u.file, u.size, spec, func(m intake.Import) {
			select {
			case begun <- m:
			default:
			}
		})
		if err != nil && fault.KindOf(err) == fault.Internal && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "import of a list failed", "org", org.ID, "error", err)
		}
		ended <- ending{m, err}
	}); !ok {
		u.close()
		return nil, fault.New(fault.Unavailable, "The server is about to stop. Send the file again in a minute.")
	}
	select {
	case m := <-begun:
		return answerOf(listOf(org, &m)), nil
	case e := <-ended:
		if e.err != nil {
			return nil, e.err
		}
		return answerOf(listOf(org, e.is)), nil
	case <-ctx.Done(): // it waits for its turn, and begins without its sender
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "The import waits for another one to end. See the list of imports.")
	}
}

// listSpec reads what is said about a list that has arrived. Where the columns are not mapped, but something else about the table is
// said, they are as its headers suggest.
func (s *API) listSpec(ctx context.Context, in *ListSpec, u *upload) (intake.Spec, error) {
	if err := in.fill(u); err != nil {
		return intake.Spec{}, err
	}
	spec, err := in.spec()
	if err != nil || spec.Mapping != nil || in.Sheet == "" && in.DateOrder == "" && !in.NoHeader {
		return spec, err
	}
	spec.Mapping = &intake.Mapping{Sheet: in.Sheet, NoHeader: in.NoHeader, DateOrder: sheet.DateOrder(in.DateOrder)}
	g, err := s.Intake.Detect(ctx, actorOf(ctx), u.file, u.size, spec)
	if err != nil {
		return spec, err
	}
	spec.Mapping.Columns = g.Mapping.Columns
	return spec, nil
}

func (s *API) detectList(ctx context.Context, in *struct {
	Kind string `query:"kind" doc:"leads or contacts; left out: leads"`
	Name string `query:"name" maxLength:"300"`
}) (*body[ListGuess], error) {
	u, err := s.receive(ctx, maxLook)
	if err != nil {
		return nil, err
	}
	defer u.close()
	spec := ListSpec{Kind: in.Kind, Name: in.Name}
	if err := spec.fill(u); err != nil {
		return nil, err
	}
	how, err := spec.spec()
	if err != nil {
		return nil, err
	}
	g, err := s.Intake.Detect(ctx, actorOf(ctx), u.file, u.size, how)
	if err != nil {
		return nil, err
	}
	out := ListGuess{Format: g.Format, Columns: []ListColumn{}, Known: g.Remembered, Sheets: g.Sheets, Sample: listed(g.Sample), Missing: g.Missing}
	for _, h := range g.Heads {
		out.Columns = append(out.Columns, ListColumn{h.Header, h.Field, h.Sample})
	}
	return answerOf(out), nil
}

// undoList begins to take an import back. What is wrong with that is said at once.
func (s *API) undoList(ctx context.Context, in *ListPath) (*body[ListImport], error) {
	const soon = 2 * time.Second
	org, actor := callerOf(ctx).org, actorOf(ctx)
	m, err := s.Intake.One(ctx, org.ID, in.List)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	if ok := s.work.run(ctx, func(ctx context.Context) {
		_, err := s.Intake.Undo(ctx, actor, m.ID)
		if err != nil && fault.KindOf(err) == fault.Internal && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "undoing a list failed", "org", org.ID, "error", err)
		}
		done <- err
	}); !ok {
		return nil, fault.New(fault.Unavailable, "The server is about to stop. Try again in a minute.")
	}
	select {
	case err = <-done:
	case <-time.After(soon):
	case <-ctx.Done():
	}
	if err == nil {
		m, err = s.Intake.One(ctx, org.ID, in.List)
	}
	if err != nil {
		return nil, err
	}
	return answerOf(listOf(org, m)), nil
}

func (s *API) exportLeads(ctx context.Context, in *struct {
	LeadFilter
	Format string `query:"format" enum:"csv,xlsx" default:"csv"`
}) (*huma.StreamResponse, error) {
	f, err := in.filter(ctx)
	if err != nil {
		return nil, err
	}
	kind := kindCSV + "; charset=utf-8"
	if in.Format == string(intake.XLSX) {
		kind = kindXLSX
	}
	return s.file(ctx, kind, "leads."+in.Format, func(w io.Writer) error {
		return s.Intake.ExportLeads(ctx, actorOf(ctx), f, intake.Format(in.Format), w)
	}), nil
}

func (s *API) exportContacts(ctx context.Context, in *struct {
	Text   string `query:"q" maxLength:"200"`
	Tag    string `query:"tag" maxLength:"200"`
	Owner  string `query:"owner" doc:"A member's id, me, or none"`
	Format string `query:"format" enum:"csv,xlsx,vcard3,vcard4" default:"csv"`
}) (*huma.StreamResponse, error) {
	ask := contact.Ask{Text: in.Text, Tag: in.Tag}
	if in.Owner != "" {
		ask.Owner = new(ownerOf(ctx, account.MemberID(in.Owner)))
	}
	kind, end := kindCSV+"; charset=utf-8", "csv"
	switch intake.Format(in.Format) {
	case intake.XLSX:
		kind, end = kindXLSX, "xlsx"
	case intake.VCard3, intake.VCard4:
		kind, end = kindCard+"; charset=utf-8", "vcf"
	}
	return s.file(ctx, kind, "contacts."+end, func(w io.Writer) error {
		return s.Intake.ExportContacts(ctx, actorOf(ctx), ask, intake.Format(in.Format), w)
	}), nil
}
