package stats

import (
	"math"

	"parley/calls/number"
	"parley/calls/roll"
)

// tally is what roll-ups say of one number for a list of people. Days are positions in the range plus one; those after
// the range follow on.
type tally struct {
	seen
	chase
	id                        int32
	calls, incoming, outgoing int32
	talk                      int64 // seconds
	lastDay                   uint16
}

func (t *tally) number() number.ID { return number.ID(t.id) }

// add takes in one agent-day's entry of the range.
func (t *tally) add(e *roll.Entry, day uint16) {
	t.seen.add(e.Flags, e.Unattended, day)
	t.calls += e.Calls
	t.incoming += e.Incoming
	t.outgoing += e.Outgoing
	t.talk += int64(e.Talk)
	t.lastDay = max(t.lastDay, day)
}

// progress is a recovery as far as roll-ups tell it.
type progress uint8

const (
	nobodyMissed progress = iota
	open
	attempted
	byUs
	byCaller
	settled   // somebody said that no call is needed
	unordered // calls of several agents on one day must be put in order
)

// recovery is the state that people see; of those unordered there is none yet.
func (p progress) recovery() Recovery {
	return [...]Recovery{open: Open, attempted: Attempted, byUs: RecoveredByUs, byCaller: RecoveredByCaller, settled: Settled, unordered: ""}[p]
}

// chase follows what became of a number's last unattended call, day by day.
type chase struct {
	missDay uint16 // of the last unattended call
	state   progress

	// The day being collected.
	day    uint16
	parts  uint8 // agent-days that missed, reached or tried the number, at most 255
	flags  roll.Flags
	sequel roll.Sequel
}

const pursued = roll.Unattended | roll.Connected | roll.NotPickedUp

// follow takes in one agent-day's entry; days must ascend. Beyond the range nobody is missed.
func (c *chase) follow(e *roll.Entry, day uint16, within bool) {
	f := e.Flags & pursued
	if !within {
		f &^= roll.Unattended
	}
	if f == 0 {
		return
	}
	if day != c.day {
		c.turn()
		c.day, c.parts, c.flags, c.sequel = day, 0, 0, 0
	}
	c.flags |= f
	c.sequel |= e.Sequel
	if c.parts < math.MaxUint8 {
		c.parts++
	}
}

// turn closes the day being collected, of which all agents' entries are in.
func (c *chase) turn() {
	f := c.flags
	c.flags = 0
	switch {
	case f&roll.Unattended != 0: // missed again: what came before no longer counts
		c.missDay, c.state = c.day, c.sameDay(f)
	case c.state == open || c.state == attempted:
		c.state = c.laterDay(f)
	}
}

// sameDay is the state at the end of the day of an unattended call.
func (c *chase) sameDay(f roll.Flags) progress {
	switch {
	case f&(roll.Connected|roll.NotPickedUp) == 0:
		return open
	case c.parts > 1:
		return unordered
	case c.sequel&roll.BackOut != 0:
		return byUs
	case c.sequel&roll.BackIn != 0:
		return byCaller
	case c.sequel&roll.Tried != 0:
		return attempted
	default:
		return open
	}
}

// laterDay is the state at the end of a day on which nobody was missed.
func (c *chase) laterDay(f roll.Flags) progress {
	switch f & roll.Connected {
	case roll.ConnectedOut:
		return byUs
	case roll.ConnectedIn:
		return byCaller
	case roll.Connected:
		if c.parts > 1 {
			return unordered
		}
		if c.sequel&roll.InFirst != 0 {
			return byCaller
		}
		return byUs
	}
	if f&roll.NotPickedUp != 0 {
		return attempted
	}
	return c.state
}
