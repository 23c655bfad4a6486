// Package person does what is done with all that calls hold of one person, or of an age: it erases people, restricts the
// use of their data, writes their copy of it, and lets nothing be kept longer than the privacy policy says.
package person

import (
	"context"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/trust/consent"
	"parley/trust/subject"
)

// Deps are what Persons is made from. All are needed.
type Deps struct {
	DB        *db.DB
	Keys      *vault.Keys
	Accounts  *account.Accounts
	Book      *number.Book
	Calls     *call.Store
	Devices   *device.Devices
	Writer    *ingest.Writer
	Callbacks *callback.Callbacks
	Now       func() time.Time
}

// Persons is what calls hold of people.
type Persons struct {
	Deps
	known Known
}

// Known gives the numbers of persons with whom something happened since a moment that is no call.
type Known func(ctx context.Context, c db.Conn, org account.OrgID, since time.Time) ([]number.ID, error)

// OnIdle says who is asked before somebody counts as idle. It is called at wiring.
func (p *Persons) OnIdle(k Known) { p.known = k }

// New gives what calls hold of people.
func New(d Deps) *Persons { return &Persons{Deps: d} }

// Trust is what the writer of calls must know of consents and holds.
func Trust(consents *consent.Consents, gate call.Gate) ingest.Trust {
	return ingest.Trust{
		Buried: func(ctx context.Context, c db.Conn, org account.OrgID) (ingest.Buried, error) {
			return consents.Tombstones(ctx, c, org)
		},
		Bury: consents.Bury,
		Gate: gate,
	}
}

// InBook is how consents and requests find people in the number book: restricted ones and archived ones, too.
func InBook(book *number.Book) consent.People {
	ref := func(n number.ID, ok bool, err error) (subject.Ref, bool, error) {
		if err != nil || !ok {
			return subject.Ref{}, false, err
		}
		return subject.OfNumber(int64(n)), true, nil
	}
	return consent.People{
		Find: func(ctx context.Context, c db.Conn, org account.OrgID, canonical string) (subject.Ref, bool, error) {
			n, ok, err := book.Find(ctx, c, org, canonical)
			if err == nil && !ok {
				n, ok, err = book.FindArchived(ctx, c, org, canonical)
			}
			return ref(n, ok, err)
		},
		Make: func(ctx context.Context, tx *db.Tx, org account.OrgID, canonical string) (subject.Ref, error) {
			// What is learned is not remembered: an erasure may come between this commit and the remembering.
			ids, _, err := book.Resolve(ctx, tx, org, []string{canonical})
			if err != nil {
				return subject.Ref{}, err
			}
			return subject.OfNumber(int64(ids[canonical])), nil
		},
		Number: func(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) (string, bool, error) {
			n := number.ID(who.Num())
			texts, err := book.Texts(ctx, c, org, []number.ID{n})
			text, ok := texts[n]
			return text, ok, err
		},
	}
}
