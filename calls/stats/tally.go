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

// progress is how far a recovery has come.
type progress uint8

const (
	nobodyMissed progress = iota
	open
	attempted
	byUs
	byCaller
	handled // somebody said that no call is needed
)

func (p progress) recovery() Recovery {
	return [...]Recovery{open: Open, attempted: Attempted, byUs: RecoveredByUs, byCaller: RecoveredByCaller, handled: Settled}[p]
}

// waits tells whether the caller still waits.
func (p progress) waits() bool { return p == open || p == attempted }

// chase follows what became of a number's last unattended call, day by day.
type chase struct {
	missDay uint16 // of the last unattended call
	state   progress
	// Where several agents had calls with the number on a day that decides, the calls must be read to put them in order:
	// those of the day of the last unattended call (sameDay; state is then what came after that day), and those of the day
	// of the recovery, which then tell its direction (readDay).
	sameDay bool
	readDay uint16

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
		c.missDay, c.readDay = c.day, 0
		c.sameDay = c.parts > 1 && f&(roll.Connected|roll.NotPickedUp) != 0
		c.state = c.ownDay()
	case c.state.waits() && f&roll.Connected != 0:
		c.state = c.reached(f)
	case c.state == open && f&roll.NotPickedUp != 0:
		c.state = attempted
	}
}

// ownDay is the state at the end of the day of an unattended call, which one agent's entry tells.
func (c *chase) ownDay() progress {
	switch {
	case c.sameDay:
		return open
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

// reached is who made the first connected call of a later day.
func (c *chase) reached(f roll.Flags) progress {
	switch {
	case f&roll.Connected == roll.ConnectedOut:
		return byUs
	case f&roll.Connected == roll.ConnectedIn:
		return byCaller
	case c.parts > 1:
		c.readDay = c.day
	case c.sequel&roll.InFirst != 0:
		return byCaller
	}
	return byUs
}

// unread is the next day whose calls must be read; 0 when the state is settled.
func (c *chase) unread() uint16 {
	if c.sameDay {
		return c.missDay
	}
	return c.readDay
}

// read settles the unread day with its calls in scope, in order.
func (c *chase) read(u pursuit) {
	if !c.sameDay {
		c.readDay, c.state = 0, u.state
		return
	}
	c.sameDay = false
	switch {
	case !u.state.waits():
		c.state, c.readDay = u.state, 0
	case c.state == open:
		c.state = u.state
	}
}
