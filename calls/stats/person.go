package stats

import (
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
)

// ListMissed lists every number with an unattended incoming call in the range, recovered or not.
const ListMissed List = "missed"

// Recovery is what became of somebody who called and reached nobody. It is judged from the last unattended call in the
// range, since a caller who was reached and missed again later waits again.
type Recovery string

// The states of recovery.
const (
	Open              Recovery = "open"                // nobody tried
	Attempted         Recovery = "attempted"           // somebody called back and was not connected
	RecoveredByUs     Recovery = "recovered_by_us"     // the first connected call since was ours
	RecoveredByCaller Recovery = "recovered_by_caller" // they called again and were connected
)

// Recoveries lists the states, those that want work first.
func Recoveries() []Recovery {
	return []Recovery{Open, Attempted, RecoveredByUs, RecoveredByCaller}
}

// Waiting tells whether the caller still waits.
func (s Recovery) Waiting() bool { return s == Open || s == Attempted }

// Sort orders a list of people.
type Sort string

// The orders.
const (
	SortLast    Sort = "last"    // the newest last call first
	SortCalls   Sort = "calls"   // the most calls first
	SortWaiting Sort = "waiting" // the oldest last unattended call first; of missed callers only
)

// Why says why somebody should call back.
type Why string

// The reasons.
const (
	SpokeLast Why = "spoke_last" // had the last connected call with them
	KnowsThem Why = "knows_them" // had the most calls with them
	MissedIt  Why = "missed_it"  // it was their phone that rang
)

// Candidate is a colleague who could call back.
type Candidate struct {
	Agent account.AgentNo
	Why   Why
}

// Person is one number in a list: its calls in scope, range and filter, and, of a missed caller, the recovery, which
// also sees calls after the range up to the query's Until.
type Person struct {
	ID     number.ID
	Key    number.Key
	Number string // canonical; "" when erased
	Name   string // contact name as phones logged it

	Calls, Incoming, Outgoing, Connected int64
	Unattended, NotPickedUp              int64
	Talk                                 time.Duration // of connected calls
	First, Last                          time.Time     // starts of the first and last call
	Agents                               []account.AgentNo
	LastAgent                            account.AgentNo
	LastConnected                        time.Time // zero = none
	LastConnectedBy                      account.AgentNo

	// Of those with an unattended call; zero for others.
	FirstMissed, LastMissed time.Time
	MissedBy                account.AgentNo // whose line the last unattended call rang
	State                   Recovery
	Attempts                int64 // our calls since the last unattended one that were not connected, until the recovery
	RecoveredAt             time.Time
	RecoveredBy             account.AgentNo
	Waiting                 time.Duration // from the last unattended call to the recovery, or to now
	WaitingBusiness         time.Duration // the part of it within working days and hours

	// Candidates are who should call back, the best first.
	Candidates []Candidate
}

// Suggested is who should call back first, and why; ok is false where nobody had a call with them.
func (p *Person) Suggested() (c Candidate, ok bool) {
	if len(p.Candidates) == 0 {
		return Candidate{}, false
	}
	return p.Candidates[0], true
}

// PeopleQuery asks for a page of people.
type PeopleQuery struct {
	Query
	List   List
	States []Recovery // of ListMissed: only these; none = all
	Sort   Sort       // "" = SortLast
	After  string     // People.Next of the page before
	Limit  int        // 1 to 500
}

// People is one page of a list of people.
type People struct {
	Total   int64              // on all pages
	ByState map[Recovery]int64 // of ListMissed, whatever States asks for
	People  []Person
	Next    string // "" on the last page
}

// lookBack is how many days before a range are asked who knows a missed caller.
const lookBack civil.Day = 90
