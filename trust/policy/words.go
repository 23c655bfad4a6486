package policy

import "time"

// The closed sets of words that a document is written in. Each type lists its words, so that reading a document refuses
// any other.

// Basis is the ground on which the law allows a use.
type Basis string

// The bases.
const (
	Contract           Basis = "contract"
	Consent            Basis = "consent"
	LegitimateInterest Basis = "legitimate_interest"
	LegalObligation    Basis = "legal_obligation"
	VitalInterest      Basis = "vital_interest"
	PublicTask         Basis = "public_task"
)

func (Basis) words() []string {
	return words(Contract, Consent, LegitimateInterest, LegalObligation, VitalInterest, PublicTask)
}

// Subject is what a person is to the organisation.
type Subject string

// The subjects.
const (
	Contact Subject = "contact" // a person outside who calls, is called or is written to
	Member  Subject = "member"  // a person inside: whoever signs in or whose calls are kept
	Visitor Subject = "visitor" // a person who opens a page
)

func (Subject) words() []string { return words(Contact, Member, Visitor) }

// Right is what a person may ask for.
type Right string

// The rights.
const (
	Access   Right = "access"
	Export   Right = "export"
	Correct  Right = "correct"
	Erase    Right = "erase"
	Restrict Right = "restrict"
	Object   Right = "object"
	Withdraw Right = "withdraw"
	Complain Right = "complain"
)

func (Right) words() []string {
	return words(Access, Export, Correct, Erase, Restrict, Object, Withdraw, Complain)
}

// Role is who decides about data: the organisation itself, or a customer of it.
type Role string

// The roles.
const (
	AsController Role = "controller"
	AsProcessor  Role = "processor"
)

func (Role) words() []string { return words(AsController, AsProcessor) }

// Switch says whether data of a category comes in.
type Switch string

// The switches.
const (
	On  Switch = "on"  // belongs to the service
	Ask Switch = "ask" // not before somebody switches it on, and shows it to the people concerned
	Off Switch = "off" // never
)

func (Switch) words() []string { return words(On, Ask, Off) }

// StoreClass is how a value lies in the database, beyond the encryption of the whole file.
type StoreClass string

// The classes, from readable with the database key to not readable at all.
const (
	StoredClear   StoreClass = "clear"   // under the key of the whole database
	StoredOrg     StoreClass = "org"     // sealed under the organisation's key
	StoredSubject StoreClass = "subject" // sealed under the person's own key
	StoredBlob    StoreClass = "blob"    // a sealed stream
	StoredHash    StoreClass = "hash"    // only as a keyed hash
)

func (StoreClass) words() []string {
	return words(StoredClear, StoredOrg, StoredSubject, StoredBlob, StoredHash)
}

// Event is what a period of keeping counts from.
type Event string

// The events.
const (
	Created       Event = "created"        // the item was made
	Received      Event = "received"       // the item arrived
	Replaced      Event = "replaced"       // a newer value came
	CallEnd       Event = "call_end"       // the call was over
	LastActivity  Event = "last_activity"  // the last call or message with the person
	Closed        Event = "closed"         // the case was closed
	Withdrawn     Event = "withdrawn"      // consent ended
	AccountClosed Event = "account_closed" // the member's account was deleted
	OrgClosed     Event = "org_closed"     // the organisation was closed
)

func (Event) words() []string {
	return words(Created, Received, Replaced, CallEnd, LastActivity, Closed, Withdrawn, AccountClosed, OrgClosed)
}

// RecipientKind is what a recipient is.
type RecipientKind string

// The kinds.
const (
	ByOrder     RecipientKind = "processor"  // works by our order
	OwnPurposes RecipientKind = "controller" // decides itself
	Affiliate   RecipientKind = "affiliate"
	Marketer    RecipientKind = "marketing"
	Sale        RecipientKind = "sale" // read so that it can be refused
)

func (RecipientKind) words() []string {
	return words(ByOrder, OwnPurposes, Affiliate, Marketer, Sale)
}

func words[W ~string](all ...W) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(w)
	}
	return out
}

// Date is a day of the calendar, written 2026-12-31.
type Date struct{ time.Time }

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}
