// Package roll holds the roll-up of one agent's calls on one day: what every report is added up from. A roll-up is
// always rebuilt from its calls, never adjusted, so late, repeated, corrected and deleted calls cannot make it drift.
package roll

import (
	"cmp"
	"slices"
	"time"

	"parley/calls/call"
	"parley/calls/number"
)

// Row is what a roll-up needs of a call.
type Row struct {
	Start   int64 // Unix milliseconds
	Number  number.ID
	Type    call.Type
	Seconds int
	Line    int32
	Hidden  bool // the number is excluded from reports
	// Restricted says that no report may have the number, asked for or not. Such a call is Hidden, too.
	Restricted bool
}

// Rules are an organisation's settings that decide what a roll-up says.
type Rules struct {
	ConnectedFrom int // seconds of talk from which a call counts as connected
	GapMinutes    int // the longest gap between calls that still counts as active time
}

// Flags say what happened with one number on one day.
type Flags uint8

// The flags. Hidden numbers are in reports that ask for them, Restricted ones, which are Hidden, too, in none. Recovered means: a connected call at or after the day's first unattended one, by the same agent.
const (
	Unattended Flags = 1 << iota
	ConnectedIn
	ConnectedOut
	NotPickedUp
	Recovered
	Hidden
	Restricted

	Connected = ConnectedIn | ConnectedOut
)

// Sequel says in which order a day's calls with one number came, as far as recovery needs it.
type Sequel uint8

// The sequels. The first three speak of what followed the day's last unattended call; the same instant counts as after.
const (
	BackIn  Sequel = 1 << iota // the first connected call came in: the caller reached us
	BackOut                    // the first connected call went out: we reached the caller
	Tried                      // an outgoing call was not picked up
	InFirst                    // the day's first connected call came in; set only where one went out, too
)

// Entry is one number's part in a roll-up.
type Entry struct {
	Number     number.ID
	Calls      int32 // all calls with the number
	Incoming   int32 // of them, those that came in (missed, rejected, … included)
	Outgoing   int32 // of them, those of type outgoing
	Unattended int32 // of them, those nobody attended
	Talk       int32 // seconds of the connected ones
	Flags      Flags
	Sequel     Sequel
}

// Hour counts the calls that started within one local hour.
type Hour struct {
	Calls, Connected, Unattended int32
	Talk                         int64 // seconds
}

// Shown tells whether a report has the number; hidden takes along those that reports usually leave out.
func (e *Entry) Shown(hidden bool) bool {
	return e.Flags&Hidden == 0 || hidden && e.Flags&Restricted == 0
}

// Day is the roll-up of one agent's day. Hidden numbers appear among Numbers only.
type Day struct {
	Types        [8]int32 // calls by type
	ZeroIncoming int32    // calls of type incoming with 0 s: missed, too
	ConnectedIn  int32
	ConnectedOut int32
	TalkIn       int64 // seconds
	TalkOut      int64
	First        int32 // earliest start, seconds after the day's first instant
	Span         int32 // seconds from there to the latest end; 0 with Calls() == 0
	Idle         int32 // seconds in gaps longer than the rule's
	Hours        [24]Hour
	TalksIn      []int32 // talk times of connected incoming calls, ascending
	TalksOut     []int32
	Numbers      []Entry // ascending by number, withheld left out
}

// Calls is how many calls the day has, hidden ones aside.
func (d *Day) Calls() int32 {
	var n int32
	for _, c := range d.Types {
		n += c
	}
	return n
}

// UnattendedCalls is how many incoming calls nobody attended.
func (d *Day) UnattendedCalls() int32 {
	return d.Types[call.TypeMissed] + d.Types[call.TypeRejected] + d.Types[call.TypeVoicemail] + d.Types[call.TypeIncoming] - d.ConnectedIn
}

// flagsOf is what a single call says of its number.
func flagsOf(t call.Type, o call.Outcome) Flags {
	switch {
	case o == call.OutcomeConnected && t == call.TypeIncoming:
		return ConnectedIn
	case o == call.OutcomeConnected:
		return ConnectedOut
	case o == call.OutcomeNotPickedUp:
		return NotPickedUp
	case o == call.OutcomeMissed, o == call.OutcomeShort, o == call.OutcomeRejected, o == call.OutcomeVoicemail:
		return Unattended
	default:
		return 0
	}
}

// IsUnattended tells whether a call came in and nobody attended it.
func IsUnattended(t call.Type, seconds, connectedFrom int) bool {
	return flagsOf(t, call.OutcomeOf(t, seconds, connectedFrom))&Unattended != 0
}

// rank puts the unattended one of two calls at the same instant first, so that the other counts as after it.
func (r Rules) rank(row *Row) int {
	if IsUnattended(row.Type, row.Seconds, r.ConnectedFrom) {
		return 0
	}
	return 1
}

// Build makes d the roll-up of rows, all of one agent and of the day whose first instant is dayStart. It sorts rows.
func (d *Day) Build(rows []Row, dayStart time.Time, r Rules) {
	*d = Day{TalksIn: d.TalksIn[:0], TalksOut: d.TalksOut[:0], Numbers: d.Numbers[:0]}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Number, b.Number), r.rank(&a)-r.rank(&b), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Seconds, b.Seconds))
	})
	hours := localHours(dayStart)
	clock := span{day: dayStart.Unix(), gap: int64(r.GapMinutes) * 60}
	for i := range rows {
		row := &rows[i]
		o := call.OutcomeOf(row.Type, row.Seconds, r.ConnectedFrom)
		f := flagsOf(row.Type, o)
		if row.Number != number.Withheld {
			d.note(row, f)
		}
		if row.Hidden || row.Restricted {
			continue
		}
		d.count(row, o, f)
		start := row.Start / 1000
		clock.add(start, int64(row.Seconds))
		h := &d.Hours[hours.at(start)]
		h.Calls++
		if f&Connected != 0 {
			h.Connected++
			h.Talk += int64(row.Seconds)
		}
		if f&Unattended != 0 {
			h.Unattended++
		}
	}
	d.First, d.Span, d.Idle = clock.result()
	slices.Sort(d.TalksIn)
	slices.Sort(d.TalksOut)
	d.merge()
}

func (d *Day) count(row *Row, o call.Outcome, f Flags) {
	d.Types[row.Type]++
	if row.Type == call.TypeIncoming && row.Seconds == 0 {
		d.ZeroIncoming++
	}
	if o != call.OutcomeConnected {
		return
	}
	if f&ConnectedIn != 0 {
		d.ConnectedIn++
		d.TalkIn += int64(row.Seconds)
		d.TalksIn = append(d.TalksIn, int32(row.Seconds))
		return
	}
	d.ConnectedOut++
	d.TalkOut += int64(row.Seconds)
	d.TalksOut = append(d.TalksOut, int32(row.Seconds))
}

// note keeps one call as an entry of its own; merge joins them.
func (d *Day) note(row *Row, f Flags) {
	e := Entry{Number: row.Number, Flags: f, Calls: 1}
	if row.Type.Direction() == call.Incoming {
		e.Incoming = 1
	}
	if row.Type == call.TypeOutgoing {
		e.Outgoing = 1
	}
	if f&Unattended != 0 {
		e.Unattended = 1
	}
	if f&Connected != 0 {
		e.Talk = int32(row.Seconds)
	}
	if row.Hidden {
		e.Flags |= Hidden
	}
	if row.Restricted {
		e.Flags |= Hidden | Restricted
	}
	d.Numbers = append(d.Numbers, e)
}

// merge joins the entries of each number. They are in order of time, so a connected call that follows an unattended one
// is seen as such; the same instant counts as after.
func (d *Day) merge() {
	slices.SortStableFunc(d.Numbers, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	out := d.Numbers[:0]
	for _, e := range d.Numbers {
		if len(out) == 0 || out[len(out)-1].Number != e.Number {
			out = append(out, e)
			continue
		}
		out[len(out)-1].follow(&e)
	}
	for i := range out {
		if out[i].Flags&Connected != Connected {
			out[i].Sequel &^= InFirst
		}
	}
	d.Numbers = out
}

// follow takes in the number's next call.
func (e *Entry) follow(next *Entry) {
	if e.Flags&Connected == ConnectedIn {
		e.Sequel |= InFirst
	}
	switch missed := e.Flags&Unattended != 0; {
	case next.Flags&Unattended != 0:
		e.Sequel &^= BackIn | BackOut | Tried
	case missed && next.Flags&Connected != 0:
		e.Flags |= Recovered
		if e.Sequel&(BackIn|BackOut) == 0 {
			e.Sequel |= back(next.Flags)
		}
	case missed && next.Flags&NotPickedUp != 0:
		e.Sequel |= Tried
	}
	e.Flags |= next.Flags
	e.Calls += next.Calls
	e.Incoming += next.Incoming
	e.Outgoing += next.Outgoing
	e.Unattended += next.Unattended
	e.Talk += next.Talk
}

func back(f Flags) Sequel {
	if f&ConnectedIn != 0 {
		return BackIn
	}
	return BackOut
}

// span measures the working span and the idle time in it. Starts are cut to whole seconds; a gap runs from the latest
// end so far, so that a call within another makes none.
type span struct {
	day, gap         int64
	first, end, idle int64
	any              bool
}

func (s *span) add(start, seconds int64) {
	if !s.any {
		s.first, s.end, s.any = start, start+seconds, true
		return
	}
	if gap := start - s.end; gap > s.gap {
		s.idle += gap
	}
	s.end = max(s.end, start+seconds)
}

func (s *span) result() (first, length, idle int32) {
	if !s.any {
		return 0, 0, 0
	}
	return int32(s.first - s.day), int32(s.end - s.first), int32(s.idle)
}

// hourTable finds the local hour of an instant within one day without asking the zone each time.
type hourTable struct {
	from []int64 // Unix seconds at which a new local hour or offset begins
	hour []int8
}

func localHours(dayStart time.Time) hourTable {
	var t hourTable
	// Offsets change on quarter hours at the finest; 26 hours cover the longest day.
	for q := range 26 * 4 {
		at := dayStart.Add(time.Duration(q) * 15 * time.Minute)
		h := int8(at.Hour())
		if q == 0 || t.hour[len(t.hour)-1] != h {
			t.from = append(t.from, at.Unix())
			t.hour = append(t.hour, h)
		}
	}
	return t
}

func (t hourTable) at(unix int64) int8 {
	i, found := slices.BinarySearch(t.from, unix)
	if !found {
		i--
	}
	return t.hour[max(0, i)]
}
