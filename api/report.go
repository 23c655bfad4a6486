package api

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/account"
	"parley/calls/report"
)

// ReportKind is one report that can be asked for.
type ReportKind struct {
	ID    report.ID          `json:"id"`
	Title string             `json:"title"`
	About string             `json:"about"`
	Needs account.Permission `json:"needs" doc:"The permission that reading it takes"`
}

// Completeness says whether everything has arrived that a report counts.
type Completeness struct {
	Complete bool            `json:"complete"`
	Waiting  []WaitingDevice `json:"waiting" doc:"Devices that have not told everything"`
}

// WaitingDevice is a phone that has not told everything about a range.
type WaitingDevice struct {
	Device      string     `json:"device"`
	Name        string     `json:"name"`
	Agent       *AgentRef  `json:"agent"`
	Since       *time.Time `json:"since,omitempty" doc:"It has told everything up to then"`
	Calls       int        `json:"calls" doc:"Calls that it says are left"`
	MissingDays []string   `json:"missing_days" doc:"Days of which it has calls that the server lacks"`
}

func (s *API) reports() {
	handle(s, does(http.MethodGet, "/reports", "list-reports", account.ReadReports, tagReports, "Which reports there are"),
		func(context.Context, *struct{}) (*body[Page[ReportKind]], error) {
			out := Page[ReportKind]{}
			for _, id := range report.IDs() {
				out.Items = append(out.Items, ReportKind{ID: id, Title: id.Title(), About: id.Sentence(), Needs: id.Needs()})
			}
			return answerOf(out), nil
		})
	o := does(http.MethodGet, "/reports/{report}", "get-report", account.ReadReports, tagReports, "One report").
		saying("As JSON, an object with the range, the scope, the rules, the completeness, and then `metrics` by metric id (summary) or `rows` (every other report). " +
			"Seconds are numbers, times RFC 3339, days 2026-03-02; null stands where nothing was counted.\n\n" +
			"With `format` or the header Accept it comes as a file: csv, xlsx or json; that, and JSON by `format=json`, needs the permission export_calls. " +
			"No cell of a file is a live formula. Rows are streamed; when something fails on the way, the connection breaks off.\n\n" +
			"Reports whose rows are calls or people also need read_calls.")
	o.files = []string{report.JSON.ContentType(), "text/csv", report.XLSX.ContentType()}
	handle(s, o, s.getReport)
	handle(s, does(http.MethodGet, "/completeness", "get-completeness", account.ReadReports, tagReports, "Whether everything has arrived").
		saying("For the days and scope asked for. Agents without a paired phone, whose calls come from files, are never waited for."), s.completeness)
}

// ReportInput asks for a report.
type ReportInput struct {
	Report report.ID `path:"report" doc:"An id of /reports"`
	Ask
	Compare string `query:"compare" doc:"previous, year or weekdays: with what a summary is compared; its figures stand beside, under compared"`
	By      string `query:"by" doc:"What a report about leads is grouped by: source, owner, team, pipeline or stage, as the report allows"`
	Format  string `query:"format" enum:"json,csv,xlsx" doc:"As a file"`
	Accept  string `header:"Accept" hidden:"true"`
}

func (s *API) getReport(ctx context.Context, in *ReportInput) (*huma.StreamResponse, error) {
	format, export := formatOf(in.Format, in.Accept)
	var also []account.Permission
	if export {
		also = append(also, account.ExportCalls)
	}
	ask := in.ask()
	ask.Compare, ask.By = in.Compare, in.By
	v, err := s.Reports.View(ctx, actorOf(ctx), ask, also...)
	if err != nil {
		return nil, err
	}
	sheet, err := s.Reports.Sheet(ctx, v, in.Report)
	if err != nil {
		return nil, err
	}
	return s.stream(ctx, format, export, sheet), nil
}

// formatOf reads in which form a report is wanted, and whether that takes it out as a file.
func formatOf(word, accept string) (f report.Format, export bool) {
	if word != "" {
		return report.Format(word), true
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, err := mime.ParseMediaType(strings.TrimSpace(part))
		switch {
		case err != nil:
		case kind == "text/csv":
			return report.CSV, true
		case kind == report.XLSX.ContentType():
			return report.XLSX, true
		case kind == "application/json", kind == "*/*":
			return report.JSON, false
		}
	}
	return report.JSON, false
}

// stream writes a sheet as it is read. When that fails on the way, the connection is broken off, so that what has
// arrived cannot be taken for the whole.
func (s *API) stream(ctx context.Context, f report.Format, attach bool, sheet *report.Sheet) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", f.ContentType())
		if attach {
			w.Header().Set("Content-Disposition", `attachment; filename="`+sheet.FileName(f)+`"`)
		}
		started := &starting{w: w}
		err := sheet.Write(ctx, started, f)
		switch {
		case err == nil:
		case !started.begun:
			w.Header().Del("Content-Disposition")
			writeProblem(w, s.problem(ctx, &operation{id: "get-report"}, err))
		default:
			if ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "api export broke off", "report", string(sheet.ID), "error", err)
			}
			panic(http.ErrAbortHandler)
		}
	}}
}

// starting notes whether anything was written.
type starting struct {
	w     http.ResponseWriter
	begun bool
}

func (s *starting) Write(p []byte) (int, error) {
	s.begun = true
	return s.w.Write(p)
}

func (s *API) completeness(ctx context.Context, in *struct{ Ask }) (*body[Completeness], error) {
	v, err := s.view(ctx, &in.Ask)
	if err != nil {
		return nil, err
	}
	c, err := s.Devices.Complete(ctx, v.Org, v.Query.Agents, v.From, v.To)
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, v.Org)
	if err != nil {
		return nil, err
	}
	out := Completeness{Complete: c.Complete, Waiting: make([]WaitingDevice, len(c.Waiting))}
	for i, w := range c.Waiting {
		x := WaitingDevice{Device: w.DeviceID, Name: w.Name, Since: at(v.Org, w.Since), Calls: w.Waiting, MissingDays: make([]string, len(w.MissingDays))}
		for j, d := range w.MissingDays {
			x.MissingDays[j] = d.String()
		}
		x.Agent = refTo(agents, w.Agent)
		out.Waiting[i] = x
	}
	return answerOf(out), nil
}
