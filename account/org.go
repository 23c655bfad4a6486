package account

import (
	"time"
	_ "time/tzdata" // zones are checked and used on machines that have no zone files of their own
)

// Weekdays is a set of days of the week: bit 0 is Sunday, bit 6 Saturday.
type Weekdays uint8

// MondayToFriday is the working week of an organisation that did not say another.
const MondayToFriday Weekdays = 0b0111110

// Has tells whether d is in the set.
func (w Weekdays) Has(d time.Weekday) bool { return w>>uint(d)&1 == 1 }

// With is the set with d added.
func (w Weekdays) With(d time.Weekday) Weekdays { return w | 1<<uint(d) }

// Org is an organisation.
type Org struct {
	ID           OrgID
	Name         string
	Country      string // ISO 3166-1 alpha-2, such as IN
	Zone         string // IANA name, such as Asia/Kolkata
	ContactName  string
	ContactPhone string
	Email        string
	Industry     string
	Locale       string // BCP 47, such as en or hi
	Workdays     Weekdays
	WorkFrom     int // minutes after midnight
	WorkTo       int // minutes after midnight, above WorkFrom, at most 1440
	// ConnectedFrom is the talk time in seconds from which a call counts as connected.
	ConnectedFrom int
	// GapMinutes is the longest pause between two calls that still counts as active time.
	GapMinutes int
	Demo       bool
	CreatedAt  time.Time
	ClosingAt  time.Time // when somebody asked for it to be closed; zero = nobody did
	ClosesAt   time.Time // when it will be gone
	ClosingBy  MemberID  // "" = the operator

	zone *time.Location
}

// Location is the organisation's zone, and UTC when the zone is not known.
func (o *Org) Location() *time.Location {
	if o.zone != nil {
		return o.zone
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}
