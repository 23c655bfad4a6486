// Package stats answers what the calls say: one registry of metrics with published definitions, and one function of
// scope, range and filter behind every figure on a page, in the API, in an export and on the command line.
package stats

import (
	"parley/calls/call"
	"parley/calls/roll"
)

// Unit says how a figure is to be read.
type Unit string

// The units.
const (
	UnitCalls   Unit = "calls"
	UnitPeople  Unit = "people"
	UnitSeconds Unit = "seconds"
	UnitRatio   Unit = "ratio" // 0 to 1, null where nothing was counted
)

// MetricID names a metric: the same in pages, API, exports and on the command line.
type MetricID string

// Metric is one figure with its published definition.
type Metric struct {
	ID         MetricID
	Title      string
	Definition string
	Unit       Unit
	// Value computes the figure; ok is false where there is nothing to divide by.
	Value func(f *Figures) (v float64, ok bool)
	// Rows are the calls behind the figure, or, for people, the list behind it.
	Rows func() call.Filter
	List List // "" where the rows are calls
	// Down tells that less is better, for the colour of a change.
	Down bool
}

// List names a report whose rows are people.
type List string

// The lists.
const (
	ListClients       List = "clients"
	ListReached       List = "reached"
	ListNew           List = "new"
	ListNeverAttended List = "never_attended"
	ListNeverPickedUp List = "never_picked_up"
)

// Figures are the sums that metrics are computed from.
type Figures struct {
	Types                 [8]int64
	ZeroIncoming          int64
	ConnectedIn           int64
	ConnectedOut          int64
	TalkIn, TalkOut       int64
	Unattended            int64
	Span, Active          int64
	AgentDays             int64 // days with calls, per agent
	UniqueClients         int64
	ReachedClients        int64
	NewClients            int64
	NeverAttendedClients  int64
	NeverAttendedCalls    int64
	NeverPickedUpClients  int64
	UnattendedClients     int64 // numbers with an unattended call, recovered or not
	LongestIn, LongestOut int64
	MedianTalk            float64 // seconds, of all connected calls
	MedianIn, MedianOut   float64
	hasTalk               bool
}

func (f *Figures) add(d *roll.Day) {
	for t, n := range d.Types {
		f.Types[t] += int64(n)
	}
	f.ZeroIncoming += int64(d.ZeroIncoming)
	f.ConnectedIn += int64(d.ConnectedIn)
	f.ConnectedOut += int64(d.ConnectedOut)
	f.TalkIn += d.TalkIn
	f.TalkOut += d.TalkOut
	f.Unattended += int64(d.UnattendedCalls())
	f.Span += int64(d.Span)
	f.Active += int64(d.Span - d.Idle)
	if d.Calls() > 0 {
		f.AgentDays++
	}
	if n := len(d.TalksIn); n > 0 {
		f.LongestIn = max(f.LongestIn, int64(d.TalksIn[n-1]))
	}
	if n := len(d.TalksOut); n > 0 {
		f.LongestOut = max(f.LongestOut, int64(d.TalksOut[n-1]))
	}
}

// Calls is the number of all calls.
func (f *Figures) Calls() int64 {
	var n int64
	for _, c := range f.Types {
		n += c
	}
	return n
}

// Connected is the number of connected calls.
func (f *Figures) Connected() int64 { return f.ConnectedIn + f.ConnectedOut }

// Talk is the seconds of all connected calls.
func (f *Figures) Talk() int64 { return f.TalkIn + f.TalkOut }

// Missed is the calls logged as missed and the incoming ones of 0 s.
func (f *Figures) Missed() int64 { return f.Types[call.TypeMissed] + f.ZeroIncoming }

// NotPickedUp is the outgoing calls that did not connect.
func (f *Figures) NotPickedUp() int64 { return f.Types[call.TypeOutgoing] - f.ConnectedOut }

// cameIn is the calls from outside that were not blocked.
func (f *Figures) cameIn() int64 {
	return f.Types[call.TypeIncoming] + f.Types[call.TypeMissed] + f.Types[call.TypeRejected] + f.Types[call.TypeVoicemail]
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

func ofType(types ...call.Type) func() call.Filter {
	return func() call.Filter { return call.Filter{Types: types} }
}

func ofOutcome(outcomes ...call.Outcome) func() call.Filter {
	return func() call.Filter { return call.Filter{Outcomes: outcomes} }
}

func connectedOf(t call.Type) func() call.Filter {
	return func() call.Filter {
		return call.Filter{Types: []call.Type{t}, Outcomes: []call.Outcome{call.OutcomeConnected}}
	}
}

// Metrics is the registry, in the order in which figures are shown.
func Metrics() []Metric {
	all := func() call.Filter { return call.Filter{} }
	typed := func(t call.Type) func(*Figures) (float64, bool) {
		return whole(func(f *Figures) int64 { return f.Types[t] })
	}
	return []Metric{
		{ID: "calls", Title: "Calls", Unit: UnitCalls, Definition: "All calls in the range, whatever their type. Numbers hidden from reports are left out.", Value: whole((*Figures).Calls), Rows: all},
		{ID: "incoming", Title: "Incoming", Unit: UnitCalls, Definition: "Calls that the phone logged as incoming, whatever their length. Calls logged as missed, rejected, blocked or voicemail stand beside them.", Value: typed(call.TypeIncoming), Rows: ofType(call.TypeIncoming)},
		{ID: "outgoing", Title: "Outgoing", Unit: UnitCalls, Definition: "Calls that the phone logged as outgoing, whatever their length.", Value: typed(call.TypeOutgoing), Rows: ofType(call.TypeOutgoing)},
		{ID: "missed", Title: "Missed", Unit: UnitCalls, Definition: "Calls logged as missed, and incoming calls of 0 s that were neither rejected nor blocked.", Value: whole((*Figures).Missed), Rows: ofOutcome(call.OutcomeMissed), Down: true},
		{ID: "rejected", Title: "Rejected", Unit: UnitCalls, Definition: "Calls logged as rejected.", Value: typed(call.TypeRejected), Rows: ofType(call.TypeRejected), Down: true},
		{ID: "blocked", Title: "Blocked", Unit: UnitCalls, Definition: "Calls logged as blocked. They count as calls and are nobody's to attend.", Value: typed(call.TypeBlocked), Rows: ofType(call.TypeBlocked)},
		{ID: "voicemail", Title: "Voicemail", Unit: UnitCalls, Definition: "Calls that went to voicemail.", Value: typed(call.TypeVoicemail), Rows: ofType(call.TypeVoicemail), Down: true},
		{ID: "connected", Title: "Connected", Unit: UnitCalls, Definition: "Incoming and outgoing calls whose talk time reaches the organisation's threshold (1 s unless changed).", Value: whole((*Figures).Connected), Rows: ofOutcome(call.OutcomeConnected)},
		{ID: "connected_in", Title: "Connected, incoming", Unit: UnitCalls, Definition: "Incoming calls whose talk time reaches the threshold.", Value: whole(func(f *Figures) int64 { return f.ConnectedIn }), Rows: connectedOf(call.TypeIncoming)},
		{ID: "connected_out", Title: "Connected, outgoing", Unit: UnitCalls, Definition: "Outgoing calls whose talk time reaches the threshold.", Value: whole(func(f *Figures) int64 { return f.ConnectedOut }), Rows: connectedOf(call.TypeOutgoing)},
		{ID: "talk_seconds", Title: "Talk time", Unit: UnitSeconds, Definition: "The durations of all connected calls, added up.", Value: whole((*Figures).Talk), Rows: ofOutcome(call.OutcomeConnected)},
		{ID: "talk_in_seconds", Title: "Talk time, incoming", Unit: UnitSeconds, Definition: "The durations of connected incoming calls, added up.", Value: whole(func(f *Figures) int64 { return f.TalkIn }), Rows: connectedOf(call.TypeIncoming)},
		{ID: "talk_out_seconds", Title: "Talk time, outgoing", Unit: UnitSeconds, Definition: "The durations of connected outgoing calls, added up.", Value: whole(func(f *Figures) int64 { return f.TalkOut }), Rows: connectedOf(call.TypeOutgoing)},
		{ID: "average_talk_seconds", Title: "Average talk", Unit: UnitSeconds, Definition: "Talk time divided by connected calls.", Value: ratio((*Figures).Talk, (*Figures).Connected), Rows: ofOutcome(call.OutcomeConnected)},
		{ID: "median_talk_seconds", Title: "Median talk", Unit: UnitSeconds, Definition: "Half of the connected calls are shorter than this; between two middle calls, their mean.", Value: func(f *Figures) (float64, bool) { return f.MedianTalk, f.hasTalk }, Rows: ofOutcome(call.OutcomeConnected)},
		{ID: "longest_talk_seconds", Title: "Longest call", Unit: UnitSeconds, Definition: "The longest connected call.", Value: whole(func(f *Figures) int64 { return max(f.LongestIn, f.LongestOut) }), Rows: ofOutcome(call.OutcomeConnected)},
		{ID: "unattended", Title: "Unattended", Unit: UnitCalls, Definition: "Incoming calls that were not connected, blocked ones aside: missed, rejected, sent to voicemail, or shorter than the threshold.", Value: whole(func(f *Figures) int64 { return f.Unattended }), Rows: ofOutcome(call.Unattended()...), Down: true},
		{ID: "not_picked_up", Title: "Not picked up", Unit: UnitCalls, Definition: "Outgoing calls that were not connected.", Value: whole((*Figures).NotPickedUp), Rows: ofOutcome(call.OutcomeNotPickedUp), Down: true},
		{ID: "unique_clients", Title: "Clients", Unit: UnitPeople, Definition: "Distinct numbers with a call in the range. A withheld number counts as a call and never as a client.", Value: whole(func(f *Figures) int64 { return f.UniqueClients }), Rows: all, List: ListClients},
		{ID: "reached_clients", Title: "Clients reached", Unit: UnitPeople, Definition: "Distinct numbers with a connected call in the range.", Value: whole(func(f *Figures) int64 { return f.ReachedClients }), Rows: ofOutcome(call.OutcomeConnected), List: ListReached},
		{ID: "new_clients", Title: "New clients", Unit: UnitPeople, Definition: "Distinct numbers in the range that had no call with the organisation before it.", Value: whole(func(f *Figures) int64 { return f.NewClients }), Rows: all, List: ListNew},
		{ID: "unattended_clients", Title: "Missed callers", Unit: UnitPeople, Definition: "Distinct numbers with an unattended incoming call in the range, recovered or not. The recovery of each is judged from the last such call: open (nobody tried), attempted (an outgoing call at or after it was not picked up), recovered by us or by the caller (by the direction of the first connected call at or after it, by anyone in scope).", Value: whole(func(f *Figures) int64 { return f.UnattendedClients }), Rows: ofOutcome(call.Unattended()...), List: ListMissed, Down: true},
		{ID: "never_attended_clients", Title: "Never attended", Unit: UnitPeople, Definition: "Numbers with at least one unattended incoming call in the range and no connected call, in either direction and by anyone in scope, at or after the first such call.", Value: whole(func(f *Figures) int64 { return f.NeverAttendedClients }), Rows: ofOutcome(call.Unattended()...), List: ListNeverAttended, Down: true},
		{ID: "never_attended_calls", Title: "Never attended, calls", Unit: UnitCalls, Definition: "The unattended incoming calls of the numbers that were never attended.", Value: whole(func(f *Figures) int64 { return f.NeverAttendedCalls }), Rows: ofOutcome(call.Unattended()...), List: ListNeverAttended, Down: true},
		{ID: "never_picked_up_clients", Title: "Never picked up", Unit: UnitPeople, Definition: "Numbers with at least one outgoing call that was not connected and no connected call in scope.", Value: whole(func(f *Figures) int64 { return f.NeverPickedUpClients }), Rows: ofOutcome(call.OutcomeNotPickedUp), List: ListNeverPickedUp, Down: true},
		{ID: "working_span_seconds", Title: "Working span", Unit: UnitSeconds, Definition: "Per agent and day, the latest end of any call minus the earliest start of any; added up over days and agents.", Value: whole(func(f *Figures) int64 { return f.Span }), Rows: all},
		{ID: "active_seconds", Title: "Active time", Unit: UnitSeconds, Definition: "Within the working span, talk and the gaps between calls that are no longer than the organisation's limit (15 minutes unless changed).", Value: whole(func(f *Figures) int64 { return f.Active }), Rows: all},
		{ID: "connection_rate", Title: "Connection rate", Unit: UnitRatio, Definition: "Connected outgoing calls divided by outgoing calls.", Value: ratio(func(f *Figures) int64 { return f.ConnectedOut }, func(f *Figures) int64 { return f.Types[call.TypeOutgoing] }), Rows: ofType(call.TypeOutgoing)},
		{ID: "answer_rate", Title: "Answer rate", Unit: UnitRatio, Definition: "Connected incoming calls divided by all calls that came in and were not blocked.", Value: ratio(func(f *Figures) int64 { return f.ConnectedIn }, (*Figures).cameIn), Rows: ofType(call.TypeIncoming, call.TypeMissed, call.TypeRejected, call.TypeVoicemail)},
	}
}

// Value is one metric's figure.
type Value struct {
	ID    MetricID
	Value float64
	OK    bool // false: nothing was counted, show a dash
}

// Values are the figures of all metrics, in the registry's order.
func (f *Figures) Values() []Value {
	ms := Metrics()
	out := make([]Value, len(ms))
	for i, m := range ms {
		v, ok := m.Value(f)
		out[i] = Value{m.ID, v, ok}
	}
	return out
}
