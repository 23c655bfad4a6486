package attach

import (
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/crm/lead"
)

// reckon tells what the calls with a contact's numbers, in order of time, say of a lead: calls from since on, and until the
// lead was closed (zero = it is open).
//
//   - An attempt is an outgoing call, whether it was picked up or not, by anyone.
//   - A connected call went either way.
//   - The first answer is the first attempt or connected call, whichever came first.
//   - The last touch is the last attempt or connected call.
func reckon(rows []call.Row, since, until time.Time, connectedFrom int) (t lead.Touch) {
	for i := range rows {
		at := rows[i].At()
		if at.Before(since) || !until.IsZero() && at.After(until) {
			continue
		}
		attempt := rows[i].Direction == call.Outgoing
		connected := rows[i].Outcome(connectedFrom) == call.OutcomeConnected
		if attempt {
			t.Attempts++
		}
		if connected {
			t.Connected++
		}
		if !attempt && !connected {
			continue
		}
		if t.First.IsZero() {
			t.First = at
		}
		t.Last = at
	}
	return t
}

// Response is how long it took until somebody answered a lead: the first outgoing call after the lead was made, or the first
// connected call, if that came earlier.
type Response struct {
	At       time.Time
	Wall     time.Duration
	Business time.Duration // the part within the organisation's working days and hours
}

// FirstResponse tells of a lead whose calls count from since; ok is false while nobody has answered.
func FirstResponse(org *account.Org, since, first time.Time) (r Response, ok bool) {
	if first.IsZero() {
		return r, false
	}
	return Response{At: first, Wall: first.Sub(since), Business: org.WorkingTime(since, first)}, true
}
