// Package flaw plants faults on purpose, so that a test can see whether "parley prove" finds them. Programs that are built as
// usual have none: there On is always false, and the compiler leaves out what it guards. Only a build with the tag "faults"
// asks the environment variable PARLEY_FAULT.
package flaw

// Flaw is something that is done wrong.
type Flaw string

// The flaws, and what each breaks.
const (
	ClearNumber     Flaw = "clear-number"     // numbers lie readable in the number book
	KeptKey         Flaw = "kept-key"         // an erased person's key is not destroyed
	KeptName        Flaw = "kept-name"        // an erased person's name stays
	NoTombstone     Flaw = "no-tombstone"     // an erasure leaves nothing that stops the next sync
	EditedLog       Flaw = "edited-log"       // entries of the audit log are stored otherwise than they were hashed
	KeptExpired     Flaw = "kept-expired"     // retention leaves one of the people it says it removed
	OpenDoor        Flaw = "open-door"        // requests leave for any server
	ExtraColumn     Flaw = "extra-column"     // a table has a column that nobody described
	TrackingCookie  Flaw = "tracking-cookie"  // pages set a cookie that is in no register
	NoHold          Flaw = "no-hold"          // legal holds stop nothing
	AnyPurpose      Flaw = "any-purpose"      // data may be read for every purpose
	OpenRestriction Flaw = "open-restriction" // restricted people are shown
)
