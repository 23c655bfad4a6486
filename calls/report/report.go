// Package report is the one way from a request to a report: what was asked for (a query string, flags, a JSON body)
// becomes a View, with permissions and scope checked, and a View becomes sheets: rows with typed columns that pages
// show and that are written as CSV, XLSX, JSON or plain text.
package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/db"
	"parley/platform/fault"
)

// ID names a report: the same in pages, API, exports and on the command line.
type ID string

// The reports.
const (
	Summary       ID = "summary"
	Leaderboard   ID = "leaderboard"
	Analysis      ID = "analysis"
	NeverAttended ID = "never_attended"
	Missed        ID = "missed"
	NotPickedUp   ID = "not_picked_up"
	NeverPickedUp ID = "never_picked_up"
	Clients       ID = "clients"
	Reached       ID = "reached"
	NewClients    ID = "new_clients"
	WorkingTime   ID = "working_time"
	Hours         ID = "hours"
	Days          ID = "days"
	Heatmap       ID = "heatmap"
	Calls         ID = "calls"

	LeadPipeline   ID = "lead_pipeline"
	LeadConversion ID = "lead_conversion"
	LeadResponse   ID = "lead_response"
	Discipline     ID = "follow_up_discipline"
	Recovery       ID = "recovery"
)

// kind is what the program knows about one report.
type kind struct {
	id       ID
	title    string
	sentence string
	needs    account.Permission
	build    func(r *Reports, ctx context.Context, v *View, s *Sheet) error
}

// kinds is every report, in the order in which they are offered.
func kinds() []kind {
	return []kind{
		{Summary, "Summary", "Every figure of the range.", account.ReadReports, (*Reports).summary},
		{Leaderboard, "Leaderboard", "Every figure, agent by agent, most calls first.", account.ReadReports, (*Reports).leaderboard},
		{Analysis, "Analysis", "Averages and medians, the longest call, and who leads in what.", account.ReadReports, (*Reports).analysis},
		{NeverAttended, "Never attended", "People who called, reached nobody, and were not reached since within the range; whoever waits longest first.", account.ReadCalls, (*Reports).neverAttended},
		{Missed, "Missed callers", "Everybody with an unattended call in the range, and what became of them up to now; whoever waits longest first.", account.ReadCalls, (*Reports).missed},
		{NotPickedUp, "Not picked up", "Outgoing calls that were not connected, newest first.", account.ReadCalls, (*Reports).notPickedUp},
		{NeverPickedUp, "Never picked up", "People who were called and never reached, the last called first.", account.ReadCalls, (*Reports).neverPickedUp},
		{Clients, "Clients", "Everybody with a call in the range, the last first.", account.ReadCalls, (*Reports).clients},
		{Reached, "Clients reached", "Everybody with a connected call in the range, the last first.", account.ReadCalls, (*Reports).reached},
		{NewClients, "New clients", "Everybody whose first call with the organisation lies in the range, the last first.", account.ReadCalls, (*Reports).newClients},
		{WorkingTime, "Working time", "First and last call, working span and active time per agent and day.", account.ReadReports, (*Reports).workingTime},
		{Hours, "Hour of the day", "Calls by the local hour in which they started.", account.ReadReports, (*Reports).hours},
		{Days, "Day by day", "The figures of each day, and the working day of all agents together; figures about people cannot be added up over days and are left out.", account.ReadReports, (*Reports).days},
		{Heatmap, "Weekday and hour", "Calls by weekday and local hour.", account.ReadReports, (*Reports).heatmap},
		{Calls, "Calls", "Call history, newest first.", account.ReadCalls, (*Reports).callRows},
		{LeadPipeline, "Pipeline", "What is open now, stage by stage: how much, what it is worth, and for how long it has been there.", account.ReadLeads, (*Reports).outside},
		{LeadConversion, "Conversion", "What became of leads, by source, owner, team or pipeline.", account.ReadLeads, (*Reports).outside},
		{LeadResponse, "First response", "How soon new leads are answered, and which nobody has called.", account.ReadLeads, (*Reports).outside},
		{Discipline, "Follow-up discipline", "What was planned for the range, and whether it was done in time.", account.ReadLeads, (*Reports).outside},
		{Recovery, "Recovery", "How many missed callers were reached again, how soon, and by whom.", account.ReadLeads, (*Reports).outside},
	}
}

// IDs lists the reports.
func IDs() []ID {
	all := kinds()
	out := make([]ID, len(all))
	for i, k := range all {
		out[i] = k.id
	}
	return out
}

// OfCalls tells whether the report is made of calls alone.
func (id ID) OfCalls() bool {
	switch id {
	case LeadPipeline, LeadConversion, LeadResponse, Discipline, Recovery:
		return false
	default:
		return true
	}
}

func kindOf(id ID) (kind, error) {
	all := kinds()
	if i := slices.IndexFunc(all, func(k kind) bool { return k.id == id }); i >= 0 {
		return all[i], nil
	}
	return kind{}, fault.New(fault.NotFound, "There is no report %q. The reports are %s.", string(id), list(IDs()))
}

// ParseID reads a report's name, in any case, with a space or hyphen for the underscore.
func ParseID(word string) (ID, error) {
	k, err := kindOf(ID(strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(word)))))
	return k.id, err
}

// Title is the report's name for people.
func (id ID) Title() string {
	k, err := kindOf(id)
	if err != nil {
		return string(id)
	}
	return k.title
}

// Sentence says what the report shows.
func (id ID) Sentence() string {
	k, _ := kindOf(id)
	return k.sentence
}

// Needs is the permission that reading the report takes.
func (id ID) Needs() account.Permission {
	k, _ := kindOf(id)
	return k.needs
}

// list writes words as a sentence has them: a, b and c.
func list[T ~string](words []T) string {
	text := make([]string, len(words))
	for i, w := range words {
		text[i] = string(w)
	}
	if len(text) < 2 {
		return strings.Join(text, "")
	}
	last := len(text) - 1
	return strings.Join(text[:last], ", ") + " and " + text[last]
}

// Reports makes reports.
type Reports struct {
	db        *db.DB
	accounts  *account.Accounts
	devices   *device.Devices
	book      *number.Book
	calls     *call.Store
	reporter  *stats.Reporter
	callbacks *callback.Callbacks
	others    Others
	now       func() time.Time
}

// Others makes the rows of reports that are not made of calls alone.
type Others func(ctx context.Context, v *View, id ID) (columns []Column, rows [][]Value, err error)

// Wire says who makes the reports that are not made of calls alone. It is called once, before anything runs.
func (r *Reports) Wire(o Others) { r.others = o }

// outside has somebody above make a report.
func (r *Reports) outside(ctx context.Context, v *View, s *Sheet) error {
	if r.others == nil {
		return fault.New(fault.NotFound, "There is no report %q here.", string(s.ID))
	}
	columns, rows, err := r.others(ctx, v, s.ID)
	s.Columns = columns
	s.rows(len(rows), func(i int, row []Value) { copy(row, rows[i]) })
	return err
}

// New makes Reports over d. now is the clock.
func New(d *db.DB, accounts *account.Accounts, devices *device.Devices, book *number.Book, calls *call.Store, reporter *stats.Reporter,
	callbacks *callback.Callbacks, now func() time.Time) *Reports {
	return &Reports{db: d, accounts: accounts, devices: devices, book: book, calls: calls, reporter: reporter, callbacks: callbacks, now: now}
}
