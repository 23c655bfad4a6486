package rights

import (
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/subject"
)

// Kind is what a person asks for.
type Kind string

// The kinds.
const (
	Access      Kind = "access"
	Portability Kind = "portability"
	Correction  Kind = "correction"
	Erasure     Kind = "erasure"
	Restriction Kind = "restriction"
	Objection   Kind = "objection"
	Withdrawal  Kind = "withdrawal"
	Complaint   Kind = "complaint"
)

// Kinds lists all kinds, in the order in which they are offered.
func Kinds() []Kind {
	return []Kind{Access, Portability, Correction, Erasure, Restriction, Objection, Withdrawal, Complaint}
}

// ParseKind reads a kind.
func ParseKind(word string) (Kind, error) {
	if k := Kind(strings.TrimSpace(word)); slices.Contains(Kinds(), k) {
		return k, nil
	}
	return "", fault.Field("kind", "%q is no kind of request. Choose one of: access, portability, correction, erasure, restriction, objection, withdrawal, complaint.", word)
}

// Gives tells whether the answer is a package of data.
func (k Kind) Gives() bool { return k == Access || k == Portability }

// protects tells whether the request only ends uses of data, so that it takes effect as soon as the person is known: nobody
// has to approve it.
func (k Kind) protects() bool { return k == Restriction || k == Objection || k == Withdrawal }

// Channel is the way a request came.
type Channel string

// The channels.
const (
	Page   Channel = "page"
	Mail   Channel = "mail"
	Phone  Channel = "phone"
	API    Channel = "api"
	Member Channel = "member" // their own page
)

// State is how far a request is.
type State string

// The states.
const (
	Received  State = "received"  // nobody knows yet who asks, and no code was sent
	Verifying State = "verifying" // a code is out
	Verified  State = "verified"
	Planned   State = "planned"
	Approved  State = "approved"
	Running   State = "running"
	Waiting   State = "waiting" // for recipients
	Locked    State = "locked"  // answered, but for what a law keeps until a day
	Done      State = "done"
	Refused   State = "refused"
)

// Open tells whether something is still to be done.
func (s State) Open() bool { return s != Done && s != Refused }

// Reason is why a request was refused.
type Reason string

// The reasons.
const (
	Unverified Reason = "unverified" // nobody proved who they are in time
	NoData     Reason = "no_data"    // nothing is kept about the person
	Unfounded  Reason = "unfounded"  // manifestly unfounded or excessive
	Duplicate  Reason = "duplicate"
	Duty       Reason = "legal_duty" // a law or a legal hold demands that the data is kept
	Others     Reason = "others"     // it would harm the rights of others
	Undone     Reason = "undone"     // the person took it back
	Answered   Reason = "answered"   // settled in another way, with their consent
)

// Reasons lists what an officer may choose from.
func Reasons() []Reason {
	return []Reason{Unverified, NoData, Unfounded, Duplicate, Duty, Others, Undone, Answered}
}

// Proof is how sure it is that a request comes from the person it is about.
type Proof string

// The levels of proof.
const (
	NoProof Proof = ""
	Session Proof = "session" // a member, signed in
	Code    Proof = "code"    // a code that was sent to the contact concerned
	Human   Proof = "human"   // an officer looked at evidence
)

// Contact is how a person is reached and found: an e-mail address or a phone number.
type Contact struct {
	Email  string `json:"email,omitempty"`  // lower case
	Number string `json:"number,omitempty"` // canonical
	Name   string `json:"name,omitempty"`   // as the person wrote it
}

// IsZero tells whether nobody is named.
func (c Contact) IsZero() bool { return c.Email == "" && c.Number == "" }

// address is what the contact is compared by.
func (c Contact) address() string {
	if c.Email != "" {
		return c.Email
	}
	return c.Number
}

// Ask is a request as it comes in.
type Ask struct {
	Kind     Kind
	Channel  Channel
	Contact  string // e-mail address or phone number, as written; a complaint may have none
	Name     string
	Text     string // what the person wrote
	Place    string // ISO 3166 country, perhaps with a state ("US-CA"); "" = unknown
	Locale   string // language to write to the person in
	Purposes []string
	Minor    bool      // the data is about a child
	Received time.Time // zero = now
}

// Request is what a person asked for, as it stands.
type Request struct {
	Org      account.OrgID
	ID       string
	Kind     Kind
	Channel  Channel
	State    State
	Reason   Reason
	Place    string
	Locale   string
	Purposes []string
	Minor    bool
	Proof    Proof
	Reviewer account.MemberID
	Contact  Contact // zero once it was forgotten
	Text     string
	Who      subject.Ref // zero before the proof, and when nothing is kept about the person
	Law      string
	Received time.Time
	Due      time.Time
	Extend   time.Time // the latest day after an extension; zero = none is possible
	Extended time.Time // when it was extended; zero = not
	Confirm  time.Time // until when receipt must be confirmed; zero = no such duty
	Warned   time.Time
	Changed  time.Time
	Closed   time.Time // zero while open
	Plan     *Plan     // nil before it was planned
	Approver string    // member id, or "system"
	Approved time.Time
	RunAfter time.Time // zero = at once
	Round    int

	planHash []byte
	evidence []byte
}

// Open tells whether something is still to be done.
func (q *Request) Open() bool { return q.State.Open() }

// Overdue tells whether the answer is late. What is locked by a law was answered.
func (q *Request) Overdue(now time.Time) bool {
	return q.Open() && q.State != Locked && now.After(q.Due)
}

// Known tells whether something may be kept about the person. It is false before the proof.
func (q *Request) Known() bool { return q.Who != subject.Ref{} }

// Clock is the time that a law, or the organisation's own promise, gives for an answer.
type Clock struct {
	Law     string // "GDPR Art. 12(3)", "the policy"
	Due     time.Time
	Extend  time.Time // the latest day after an extension; zero = none is possible
	Confirm time.Time // until when receipt must be confirmed; zero = no such duty
}

// Event is a line of a request's history.
type Event struct {
	N     int
	At    time.Time
	Actor string // member id, "system", "public" or "operator"
	What  What
	State State // afterwards
	Note  string
}

// What says what happened.
type What string

// What can happen to a request.
const (
	Came         What = "came"
	CodeSent     What = "code_sent"
	CodeSpoken   What = "code_spoken"
	CodeWrong    What = "code_wrong"
	Proved       What = "proved"
	Reviewed     What = "reviewed"
	PlanMade     What = "planned"
	PlanApproved What = "approved"
	Started      What = "started"
	Stopped      What = "stopped" // by a hold or a failure; it can be begun again
	Told         What = "told"    // a recipient
	Heard        What = "heard"   // from a recipient
	Corrected    What = "corrected"
	Prolonged    What = "extended"
	Noted        What = "noted"
	Warned       What = "warned"
	Ended        What = "ended"
	Turned       What = "refused"
	Lifted       What = "lifted"
	Fetched      What = "fetched"
	Forgotten    What = "forgotten"
)
