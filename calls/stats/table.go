package stats

import (
	"math"

	"parley/calls/number"
	"parley/calls/roll"
)

// seen is what a scope knows of one number over a range. Its day fields are positions in the range plus one; 0 is never.
type seen struct {
	calls           int32
	unattended      int32
	firstUnattended uint16
	lastUnattended  uint16
	lastConnected   uint16
	firstParts      uint8 // agent-days with unattended calls on the first such day, at most 255
	connectedParts  uint8 // agent-days with connected calls on the last such day, at most 255
	flags           roll.Flags
	marks           uint8
}

// Marks on a seen number.
const (
	markRecovered = 1 << iota // on the first unattended day one agent connected after missing
	markBoth                  // the last connected agent-day had unattended calls, too
)

// table holds seen numbers by id, so that a figure costs one touch of memory per roll-up entry. It is used again and
// cleared by the list of ids it met.
type table struct {
	at  []seen
	met []int32
}

func (t *table) size(n number.ID) {
	if int(n) > len(t.at) {
		t.at = make([]seen, n+n/8+1024)
		t.met = t.met[:0]
	}
}

func (t *table) clear() {
	for _, n := range t.met {
		t.at[n] = seen{}
	}
	t.met = t.met[:0]
}

// add takes in one agent-day's entry; day is the position in the range plus one. Days and agents may come in any order.
func (t *table) add(e *roll.Entry, day uint16) {
	s := &t.at[e.Number]
	if s.calls == 0 {
		t.met = append(t.met, int32(e.Number))
	}
	s.calls += e.Calls
	s.flags |= e.Flags
	if e.Flags&roll.Unattended != 0 {
		s.miss(e, day)
	}
	if e.Flags&roll.Connected != 0 {
		s.connect(e, day)
	}
}

func (s *seen) miss(e *roll.Entry, day uint16) {
	s.unattended += e.Unattended
	s.lastUnattended = max(s.lastUnattended, day)
	switch {
	case s.firstUnattended == 0 || day < s.firstUnattended:
		s.firstUnattended, s.firstParts = day, 1
		s.marks &^= markRecovered
	case day == s.firstUnattended && s.firstParts < math.MaxUint8:
		s.firstParts++
	}
	if day == s.firstUnattended && e.Flags&roll.Recovered != 0 {
		s.marks |= markRecovered
	}
}

func (s *seen) connect(e *roll.Entry, day uint16) {
	switch {
	case day > s.lastConnected:
		s.lastConnected, s.connectedParts = day, 1
		s.marks &^= markBoth
	case day < s.lastConnected:
		return
	case s.connectedParts < math.MaxUint8:
		s.connectedParts++
	}
	if e.Flags&roll.Unattended != 0 {
		s.marks |= markBoth
	}
}

// attendance is what the roll-ups alone can say.
type attendance int8

const (
	notMissed attendance = iota
	attended
	neverAttended
	unsettled // several agents' calls of one day must be put in order
)

func (s *seen) attendance() attendance {
	switch {
	case s.firstUnattended == 0:
		return notMissed
	case s.lastConnected > s.firstUnattended, s.marks&markRecovered != 0:
		return attended
	case s.lastConnected < s.firstUnattended:
		return neverAttended
	case s.connectedParts == 1 && s.firstParts == 1 && s.marks&markBoth != 0:
		return neverAttended // one agent: connected first, missed later
	default:
		return unsettled
	}
}

func (s *seen) neverPickedUp() bool {
	return s.flags&roll.NotPickedUp != 0 && s.flags&roll.Connected == 0
}
