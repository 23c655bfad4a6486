package stats

import (
	"time"

	"parley/account"
	"parley/calls/number"
)

// ListMissed lists every number with an unattended incoming call in the range, recovered or not.
const ListMissed List = "missed"

// Recovery is what became of somebody who called and reached nobody. It is judged from the last unattended call in the
// range, since a caller who was reached and missed again later waits again: the first connected call at or after it, by
// anyone in scope, in the range or after it up to the query's Until, is the recovery. It differs from never attended,
// which is judged from the first unattended call in the range.
//
// A query's filter selects whom a list is about and what is counted of them. A recovery is a fact about a person, so it
// looks at all calls in scope whatever the filter; only the line and hidden numbers, which belong to the scope, stay.
type Recovery string

// The states of recovery.
const (
	Open              Recovery = "open"                // nobody tried
	Attempted         Recovery = "attempted"           // somebody called back and was not connected
	RecoveredByUs     Recovery = "recovered_by_us"     // the first connected call since was ours
	RecoveredByCaller Recovery = "recovered_by_caller" // they called again and were connected
	Settled           Recovery = "settled"             // somebody said that no call is needed; only with PeopleQuery.Settled
)

// Recoveries lists the states, those that want work first.
func Recoveries() []Recovery {
	return []Recovery{Open, Attempted, RecoveredByUs, RecoveredByCaller, Settled}
}

// Waiting tells whether the caller still waits.
func (s Recovery) Waiting() bool { return s == Open || s == Attempted }

// Sort orders a list of people. Who stands level is ordered by when the number was first met.
type Sort string

// The orders.
const (
	SortLast     Sort = "last"     // the newest last call first
	SortCalls    Sort = "calls"    // the most calls first
	SortIncoming Sort = "incoming" // the most calls that came in first
	SortOutgoing Sort = "outgoing" // the most calls dialled first
	SortTalk     Sort = "talk"     // the most talk first
	// SortWaiting is for missed callers only: those who still wait before those recovered, and among them the oldest last
	// unattended call first.
	SortWaiting Sort = "waiting"
)

// Sorts lists the orders.
func Sorts() []Sort {
	return []Sort{SortLast, SortCalls, SortIncoming, SortOutgoing, SortTalk, SortWaiting}
}

// Lists lists the lists of people.
func Lists() []List {
	return []List{ListClients, ListReached, ListNew, ListMissed, ListNeverAttended, ListNeverPickedUp}
}

// aboutMissed tells whether a list is about people who called and reached nobody.
func (l List) aboutMissed() bool { return l == ListMissed || l == ListNeverAttended }

// Why says why somebody should call back.
type Why string

// The reasons.
const (
	SpokeLast Why = "spoke_last" // had the last connected call with them
	KnowsThem Why = "knows_them" // had the most calls with them, unattended ones aside
	MissedIt  Why = "missed_it"  // it was their phone that rang
)

// Candidate is a colleague who could call back.
type Candidate struct {
	Agent account.AgentNo
	Why   Why
}

// Person is one number in a list: its calls in scope, range and filter, and, of a missed caller, the recovery.
type Person struct {
	ID     number.ID
	Key    number.Key
	Number string // canonical; "" when erased
	Name   string // contact name as phones logged it

	Calls, Connected        int64
	Incoming                int64 // all that came in, missed and rejected ones too
	Outgoing                int64
	Unattended, NotPickedUp int64
	Talk                    time.Duration     // of connected calls
	First, Last             time.Time         // starts of the first and last call
	Agents                  []account.AgentNo // with calls of the person, most first
	LastAgent               account.AgentNo

	// The last connected call in scope, in the range or up to Until; zero = none.
	LastConnected   time.Time
	LastConnectedBy account.AgentNo

	// Of those with an unattended call in scope and range; zero for others.
	FirstMissed, LastMissed time.Time
	MissedBy                account.AgentNo // whose line the last unattended call rang
	State                   Recovery
	Attempts                int64 // our calls since the last unattended one that were not picked up, until the recovery
	RecoveredAt             time.Time
	RecoveredBy             account.AgentNo
	Waiting                 time.Duration // from the last unattended call to the recovery, or to now, or to where the query's calls end
	WaitingBusiness         time.Duration // the part of it within working days and hours

	// Candidates are who should call back somebody who waits, the best first: who spoke with them last, then those who
	// had calls with them, most first, then whose line rang. All are in scope, with calls up to 90 days before the range;
	// whether they still work here is for the caller to see.
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
	States []Recovery // of missed callers: only these; none = all
	// Settled is when somebody said of a missed caller that no call is needed; they count as Settled until they call in
	// vain again. nil leaves that out of account.
	Settled map[number.ID]time.Time
	Sort    Sort   // "" = SortLast
	After   string // People.Next of the page before
	Limit   int    // 1 to 500
}

// People is one page of a list of people.
type People struct {
	Total   int64              // on all pages
	ByState map[Recovery]int64 // of the lists of missed callers, whatever States asks for
	People  []Person
	Next    string // "" on the last page
}
