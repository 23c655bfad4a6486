package rights

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/trust/subject"
)

// Store is a keeper of data about people, as the package that owns the rows registers it in app. Stores are asked in the
// order in which they were registered; what others need to be found by (the number itself, for a tombstone) goes first.
//
// Every function may be nil when the store has nothing to do there. Erase must be idempotent: after a crash it is called
// again, also when it had finished. A person of a kind that the store does not know has nothing there: no lines, no error.
type Store struct {
	Name   string   // "calls", "number book": shown in plans and receipts
	Tables []string // the tables it answers for; every table with data about people is in exactly one store
	// Once says that the store finds a person by any of their names, so that it is asked for one of them. Others are asked for
	// each.
	Once bool

	// Export writes everything the store has about who. Data of other people stays out.
	Export func(ctx context.Context, org account.OrgID, who subject.Ref, p *Package) error
	// Plan lists what Erase would remove. It changes nothing.
	Plan func(ctx context.Context, org account.OrgID, who subject.Ref) ([]Line, error)
	// Erase removes it, but for the categories that d keeps, and tells what it removed this time. It asks d.Gate inside the
	// transaction that deletes, once for each category.
	Erase func(ctx context.Context, org account.OrgID, who subject.Ref, d Decision) ([]Line, error)
	// Fields are what may be corrected there.
	Fields []Field
}

// Thing is what sort of thing a line of a plan counts.
type Thing string

// The things.
const (
	Rows    Thing = "rows"
	Keys    Thing = "keys"
	Indexes Thing = "indexes"
	Blobs   Thing = "blobs"
	Devices Thing = "devices" // phones that hold a copy and are told to delete it
)

// Line is one thing that an erasure would remove, or has removed.
type Line struct {
	Store    string    `json:"store"` // set by this package
	Thing    Thing     `json:"thing"`
	Name     string    `json:"name"`               // for people: "calls", "names in phone books"
	Category string    `json:"category,omitempty"` // of the policy; "" for what is no data about anybody, such as a key
	Count    int64     `json:"count"`
	Newest   time.Time `json:"newest,omitzero"` // when the youngest of them came to be: legal floors count from here
	// Loose says that the count moves while the request is worked on, as that of the audit log does: it is shown, and not
	// part of what is approved.
	Loose bool `json:"loose,omitempty"`
}

// Decision is what was approved: how a store carries out an erasure.
type Decision struct {
	Request string    // id of the request
	At      time.Time // when it is carried out
	Keep    []Lock    // what stays, locked, because a law demands it

	gate func(ctx context.Context, c db.Conn, category string) error
}

// Lock is a category that a legal floor keeps for a while: nobody reads it, and it is erased when the floor ends.
type Lock struct {
	Category string    `json:"category"`
	Until    time.Time `json:"until"`
	Law      string    `json:"law"` // citation
}

// Keeps tells whether a category must stay.
func (d Decision) Keeps(category string) bool {
	return slices.ContainsFunc(d.Keep, func(l Lock) bool { return l.Category == category })
}

// KeepsAny tells whether anything stays, so that the person's key must stay, too.
func (d Decision) KeepsAny() bool { return len(d.Keep) > 0 }

// Gate refuses with a Conflict when a legal hold covers the person's data of this category ("" = any).
func (d Decision) Gate(ctx context.Context, c db.Conn, category string) error {
	if d.gate == nil {
		return nil
	}
	return d.gate(ctx, c, category)
}

// Field is a value about people that they may have corrected.
type Field struct {
	Key   string // "contact.name"
	Kind  subject.Kind
	Read  func(ctx context.Context, org account.OrgID, who subject.Ref) (string, error)
	Write func(ctx context.Context, org account.OrgID, who subject.Ref, value string) error
}
