package stats

import (
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
)

// tally is what roll-ups say of one number for a list of people. Days are positions in the range plus one; those after
// the range follow on.
type tally struct {
	seen
	id      number.ID
	calls   int32
	lastDay uint16

	// The recovery, by days: what happened since the day of the last unattended call.
	missDay uint16     // of the last unattended call
	sameDay bool       // that day has connected calls or attempts, too: their order is in the calls
	connDay uint16     // the first later day with a connected call
	kinds   roll.Flags // the directions of that day's connected calls
	tried   bool       // a later call of ours was not picked up

	day   uint16 // being collected
	flags roll.Flags
	state Recovery
}

// note takes in one agent-day's entry; days must ascend. Beyond the range only what bears on a recovery counts.
func (t *tally) note(e *roll.Entry, day uint16, within bool) {
	if day != t.day {
		t.turn()
		t.day = day
	}
	flags := e.Flags
	if within {
		t.seen.add(e.Flags, e.Unattended, day)
		t.calls += e.Calls
		t.lastDay = day
	} else {
		flags &^= roll.Unattended
		if flags&roll.Connected != 0 && t.firstUnattended != 0 {
			t.lastConnected = day
		}
	}
	t.flags |= flags
}

// turn closes the day being collected, of which all agents' entries are in.
func (t *tally) turn() {
	f := t.flags
	t.flags = 0
	switch {
	case f&roll.Unattended != 0:
		t.missDay, t.connDay, t.kinds, t.tried = t.day, 0, 0, false
		t.sameDay = f&(roll.Connected|roll.NotPickedUp) != 0
	case t.missDay == 0 || t.connDay != 0:
	case f&roll.Connected != 0:
		t.connDay, t.kinds = t.day, f&roll.Connected
	case f&roll.NotPickedUp != 0:
		t.tried = true
	}
}

// recovery is the state that days alone tell, or the day whose calls must be read, and whether only calls after the
// last unattended one count on it.
func (t *tally) recovery() (s Recovery, read uint16) {
	switch {
	case t.missDay == 0:
		return "", 0
	case t.sameDay:
		return "", t.missDay
	default:
		return t.later()
	}
}

// later is recovery for what happened after the day of the last unattended call.
func (t *tally) later() (s Recovery, read uint16) {
	switch {
	case t.connDay == 0 && t.tried:
		return Attempted, 0
	case t.connDay == 0:
		return Open, 0
	case t.kinds == roll.ConnectedOut:
		return RecoveredByUs, 0
	case t.kinds == roll.ConnectedIn:
		return RecoveredByCaller, 0
	default:
		return "", t.connDay
	}
}

// settle reads one day's calls of the number, ascending by start, when days alone did not tell.
func (t *tally) settle(rows []call.Row, read uint16, connectedFrom int) {
	from := int64(-1)
	if read == t.missDay {
		for i := range rows {
			if roll.IsUnattended(rows[i].Type, rows[i].Seconds, connectedFrom) {
				from = rows[i].Start
			}
		}
	}
	for i := range rows {
		r := &rows[i]
		if r.Start < from {
			continue
		}
		switch r.Outcome(connectedFrom) {
		case call.OutcomeConnected:
			t.state = recoveredBy(r)
			return
		case call.OutcomeNotPickedUp:
			t.tried = true
		}
	}
	if s, again := t.later(); again == 0 {
		t.state = s
	}
}

func recoveredBy(r *call.Row) Recovery {
	if r.Type == call.TypeOutgoing {
		return RecoveredByUs
	}
	return RecoveredByCaller
}
