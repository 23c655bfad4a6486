// Package funnel answers what became of leads and of what was planned with people: one registry of metrics with published
// definitions, and one function of scope and range behind every figure on a page, in the API, in an export and on the command line.
// Figures are counted from the leads, follow-ups and calls as they are; nothing is added up ahead.
package funnel

import (
	"slices"
	"time"

	"parley/calls/stats"
	"parley/crm/lead"
)

// The units beside those of stats.
const (
	UnitLeads     stats.Unit = "leads"
	UnitFollowUps stats.Unit = "follow_ups"
	UnitAmount    stats.Unit = "amount" // of one currency
)

// Metric is one figure with its published definition.
type Metric struct {
	ID         stats.MetricID
	Title      string
	Definition string
	Unit       stats.Unit
	// Value computes the figure; ok is false where there is nothing to divide by.
	Value func(f *Figures) (v float64, ok bool)
	// Rows are the leads behind the figure of a range; nil where its rows are follow-ups or callers.
	Rows func(from, to time.Time) lead.Filter
	Down bool // less is better
}

// Figures are what metrics are computed from: of one group of leads, follow-ups or missed callers.
type Figures struct {
	Made, MadeOpen, MadeWon, MadeLost int64   // leads made in the range, and how they stand now
	Never                             int64   // of them, open ones that nobody tried to call
	Attempts                          int64   // calls to reach those made in the range
	Answered, InTime, Asked           int64   // leads made in the range with an answer; with one in time; and all whose time was over or that have one
	Business, Wall                    []int64 // seconds until their first answer, in and out of working hours
	Won, Lost                         int64   // closed in the range
	ToWin                             []int64 // seconds from making to winning
	Open, Overdue                     int64   // now
	Ages                              []int64 // seconds at their stage, of open ones
	WonValue, OpenValue, Weighted     int64   // in the minor unit of the group's currency

	Due, Done, DoneLate, Left, PutOff int64 // follow-ups that were due in the range: done in time, done late, not done and over, and how often put off
	Promised, Kept                    int64 // call-backs that were promised for the range, and done in time

	Missed, Recovered, RecoveredInTime, ByCaller int64   // callers missed in the range
	Recovery                                     []int64 // working seconds until they were reached
}

// add adds the figures of another group.
func (f *Figures) add(o *Figures) {
	for _, x := range []struct{ to, from *int64 }{
		{&f.Made, &o.Made}, {&f.MadeOpen, &o.MadeOpen}, {&f.MadeWon, &o.MadeWon}, {&f.MadeLost, &o.MadeLost}, {&f.Never, &o.Never}, {&f.Attempts, &o.Attempts}, {&f.Answered, &o.Answered},
		{&f.InTime, &o.InTime}, {&f.Asked, &o.Asked}, {&f.Won, &o.Won}, {&f.Lost, &o.Lost}, {&f.Open, &o.Open}, {&f.Overdue, &o.Overdue}, {&f.WonValue, &o.WonValue}, {&f.OpenValue, &o.OpenValue}, {&f.Weighted, &o.Weighted},
		{&f.Due, &o.Due}, {&f.Done, &o.Done}, {&f.DoneLate, &o.DoneLate}, {&f.Left, &o.Left}, {&f.PutOff, &o.PutOff}, {&f.Promised, &o.Promised}, {&f.Kept, &o.Kept},
		{&f.Missed, &o.Missed}, {&f.Recovered, &o.Recovered}, {&f.RecoveredInTime, &o.RecoveredInTime}, {&f.ByCaller, &o.ByCaller},
	} {
		*x.to += *x.from
	}
	f.Business, f.Wall, f.ToWin = append(f.Business, o.Business...), append(f.Wall, o.Wall...), append(f.ToWin, o.ToWin...)
	f.Ages, f.Recovery = append(f.Ages, o.Ages...), append(f.Recovery, o.Recovery...)
}

// quantile is the value that a share of all does not exceed; between two, their mean.
func quantile(all []int64, share float64) (float64, bool) {
	if len(all) == 0 {
		return 0, false
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	at := share * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return float64(sorted[low]) + (at-float64(low))*float64(sorted[high]-sorted[low]), true
}

func whole(pick func(f *Figures) int64) func(*Figures) (float64, bool) {
	return func(f *Figures) (float64, bool) { return float64(pick(f)), true }
}

func ratio(part, all func(f *Figures) int64) func(*Figures) (float64, bool) {
	return func(f *Figures) (float64, bool) {
		if all(f) == 0 {
			return 0, false
		}
		return float64(part(f)) / float64(all(f)), true
	}
}

func median(pick func(f *Figures) []int64) func(*Figures) (float64, bool) {
	return func(f *Figures) (float64, bool) { return quantile(pick(f), 0.5) }
}

// madeIn lists leads made in a range; narrow says more about them.
func madeIn(narrow func(*lead.Filter)) func(from, to time.Time) lead.Filter {
	return func(from, to time.Time) lead.Filter {
		f := lead.Filter{MadeFrom: from, MadeTo: to}
		if narrow != nil {
			narrow(&f)
		}
		return f
	}
}

func closedIn(states ...lead.State) func(from, to time.Time) lead.Filter {
	return func(from, to time.Time) lead.Filter {
		return lead.Filter{States: states, ClosedFrom: from, ClosedTo: to}
	}
}

func open(time.Time, time.Time) lead.Filter { return lead.Filter{States: []lead.State{lead.Open}} }

// Metrics is the registry, in the order in which figures are shown.
func Metrics() []Metric {
	return append(leadMetrics(), workMetrics()...)
}

func leadMetrics() []Metric {
	made := func(f *Figures) int64 { return f.Made }
	return []Metric{
		{ID: "new_leads", Title: "New leads", Unit: UnitLeads, Definition: "Leads that were made in the range.", Value: whole(made), Rows: madeIn(nil)},
		{ID: "won_leads", Title: "Won", Unit: UnitLeads, Definition: "Leads that were closed as won in the range, whenever they were made.", Value: whole(func(f *Figures) int64 { return f.Won }), Rows: closedIn(lead.Won)},
		{ID: "lost_leads", Title: "Lost", Unit: UnitLeads, Definition: "Leads that were closed as lost in the range, whenever they were made.", Value: whole(func(f *Figures) int64 { return f.Lost }), Rows: closedIn(lead.Lost), Down: true},
		{ID: "win_rate", Title: "Win rate", Unit: stats.UnitRatio, Definition: "Won leads divided by won and lost ones, of those closed in the range.", Value: ratio(func(f *Figures) int64 { return f.Won }, func(f *Figures) int64 { return f.Won + f.Lost }), Rows: closedIn(lead.Won, lead.Lost)},
		{ID: "conversion_rate", Title: "Conversion", Unit: stats.UnitRatio, Definition: "Of the leads made in the range, the share that is won by now. Young leads have had less time.", Value: ratio(func(f *Figures) int64 { return f.MadeWon }, made), Rows: madeIn(func(f *lead.Filter) { f.States = []lead.State{lead.Won} })},
		{ID: "time_to_win_seconds", Title: "Time to win", Unit: stats.UnitSeconds, Definition: "The median time from making to winning, of leads won in the range.", Value: median(func(f *Figures) []int64 { return f.ToWin }), Rows: closedIn(lead.Won), Down: true},
		{ID: "won_value", Title: "Won value", Unit: UnitAmount, Definition: "The values of leads won in the range, currency by currency.", Value: whole(func(f *Figures) int64 { return f.WonValue }), Rows: closedIn(lead.Won)},
		{ID: "open_leads", Title: "Open leads", Unit: UnitLeads, Definition: "Leads that are open now, whenever they were made.", Value: whole(func(f *Figures) int64 { return f.Open }), Rows: open},
		{ID: "open_value", Title: "Open value", Unit: UnitAmount, Definition: "The values of the leads that are open now, currency by currency.", Value: whole(func(f *Figures) int64 { return f.OpenValue }), Rows: open},
		{ID: "weighted_value", Title: "Weighted value", Unit: UnitAmount, Definition: "The same, each value times the chance of winning that its stage has.", Value: whole(func(f *Figures) int64 { return f.Weighted }), Rows: open},
		{ID: "stage_age_seconds", Title: "Age at stage", Unit: stats.UnitSeconds, Definition: "The median time since open leads came to the stage where they are.", Value: median(func(f *Figures) []int64 { return f.Ages }), Rows: open, Down: true},
		{ID: "stage_age_90_seconds", Title: "Age at stage, 90 %", Unit: stats.UnitSeconds, Definition: "Nine of ten open leads came to their stage no longer ago than this.", Value: func(f *Figures) (float64, bool) { return quantile(f.Ages, 0.9) }, Rows: open, Down: true},
		{ID: "overdue_leads", Title: "Overdue", Unit: UnitLeads, Definition: "Open leads on which something was due before now.", Value: whole(func(f *Figures) int64 { return f.Overdue }), Down: true},
		{ID: "never_attempted_leads", Title: "Never called", Unit: UnitLeads, Definition: "Leads made in the range that are open and that nobody has tried to call.", Value: whole(func(f *Figures) int64 { return f.Never }), Rows: madeIn(func(f *lead.Filter) { f.States, f.AttemptsMax = []lead.State{lead.Open}, new(0) }), Down: true},
		{ID: "attempts_per_lead", Title: "Attempts a lead", Unit: stats.UnitCalls, Definition: "Calls to reach the leads made in the range, divided by these leads.", Value: ratio(func(f *Figures) int64 { return f.Attempts }, made), Rows: madeIn(nil)},
		{ID: "first_response_seconds", Title: "First response", Unit: stats.UnitSeconds, Definition: "The median time within working hours from making a lead, or from the call that made it, to the first attempt to call back or the first connected call; of leads made in the range that have one.", Value: median(func(f *Figures) []int64 { return f.Business }), Rows: madeIn(nil), Down: true},
		{ID: "first_response_wall_seconds", Title: "First response, by the clock", Unit: stats.UnitSeconds, Definition: "The same, nights and days off counted in.", Value: median(func(f *Figures) []int64 { return f.Wall }), Rows: madeIn(nil), Down: true},
		{ID: "answered_in_time_rate", Title: "Answered in time", Unit: stats.UnitRatio, Definition: "Leads made in the range with a first response within the organisation's target, divided by all of them that have one or whose time is over.", Value: ratio(func(f *Figures) int64 { return f.InTime }, func(f *Figures) int64 { return f.Asked }), Rows: madeIn(nil)},
	}
}

func workMetrics() []Metric {
	due := func(f *Figures) int64 { return f.Due }
	return []Metric{
		{ID: "due_follow_ups", Title: "Follow-ups due", Unit: UnitFollowUps, Definition: "Follow-ups that were planned for the range, cancelled ones aside.", Value: whole(due)},
		{ID: "follow_ups_in_time", Title: "Done in time", Unit: UnitFollowUps, Definition: "Of them, those done before they were overdue: by the time they were put off to, or the end of a day that was meant as a whole.", Value: whole(func(f *Figures) int64 { return f.Done })},
		{ID: "follow_ups_late", Title: "Done late", Unit: UnitFollowUps, Definition: "Of them, those done after that.", Value: whole(func(f *Figures) int64 { return f.DoneLate }), Down: true},
		{ID: "follow_ups_left", Title: "Not done", Unit: UnitFollowUps, Definition: "Of them, those that are overdue now.", Value: whole(func(f *Figures) int64 { return f.Left }), Down: true},
		{ID: "discipline_rate", Title: "Discipline", Unit: stats.UnitRatio, Definition: "Follow-ups done in time, divided by all that were due in the range and are done or overdue.", Value: ratio(func(f *Figures) int64 { return f.Done }, func(f *Figures) int64 { return f.Done + f.DoneLate + f.Left })},
		{ID: "put_off_times", Title: "Put off", Unit: UnitFollowUps, Definition: "How often the follow-ups of the range were put off.", Value: whole(func(f *Figures) int64 { return f.PutOff }), Down: true},
		{ID: "promises_kept_rate", Title: "Promises kept", Unit: stats.UnitRatio, Definition: "Call-backs that were promised for the range and done in time, divided by those promised that are done or overdue.", Value: ratio(func(f *Figures) int64 { return f.Kept }, func(f *Figures) int64 { return f.Promised })},
		{ID: "missed_callers", Title: "Missed callers", Unit: stats.UnitPeople, Definition: "People with an unattended call in the range, counted for the agent whose line rang last.", Value: whole(func(f *Figures) int64 { return f.Missed }), Down: true},
		{ID: "recovered_callers", Title: "Recovered", Unit: stats.UnitPeople, Definition: "Missed callers who were reached since, by anyone and on any line, or called again and were answered.", Value: whole(func(f *Figures) int64 { return f.Recovered })},
		{ID: "recovery_rate", Title: "Recovery", Unit: stats.UnitRatio, Definition: "Recovered callers divided by missed callers.", Value: ratio(func(f *Figures) int64 { return f.Recovered }, func(f *Figures) int64 { return f.Missed })},
		{ID: "recovered_in_time_rate", Title: "Recovered in time", Unit: stats.UnitRatio, Definition: "Missed callers who were recovered within the organisation's target of working time, divided by missed callers.", Value: ratio(func(f *Figures) int64 { return f.RecoveredInTime }, func(f *Figures) int64 { return f.Missed })},
		{ID: "recovered_by_caller", Title: "Called again", Unit: stats.UnitPeople, Definition: "Recovered callers who called again themselves.", Value: whole(func(f *Figures) int64 { return f.ByCaller }), Down: true},
		{ID: "recovery_seconds", Title: "Time to recovery", Unit: stats.UnitSeconds, Definition: "The median working time from the last unattended call to the recovery.", Value: median(func(f *Figures) []int64 { return f.Recovery }), Down: true},
	}
}

// pick gives metrics of the registry by their ids.
func pick(ids ...stats.MetricID) []Metric {
	all := Metrics()
	out := make([]Metric, len(ids))
	for i, x := range ids {
		out[i] = all[slices.IndexFunc(all, func(m Metric) bool { return m.ID == x })]
	}
	return out
}
