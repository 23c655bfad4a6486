// Package callback keeps who is to call a missed caller back, and that it was done where no call shows it (the person
// came by, wrote, or called from a phone we do not see).
package callback

import (
	"context"
	"embed"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/vault"
)

// Schema holds the package's tables, series "callback".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Callbacks keeps the callbacks of all organisations.
type Callbacks struct {
	db   *db.DB
	keys *vault.Keys
	book *number.Book
	gate call.Gate
	now  func() time.Time
}

// New gives the callbacks kept in d. gate is asked before a note is removed or replaced; now is the clock.
func New(d *db.DB, keys *vault.Keys, book *number.Book, gate call.Gate, now func() time.Time) *Callbacks {
	return &Callbacks{db: d, keys: keys, book: book, gate: gate, now: now}
}

// Callback is what was agreed about one number.
type Callback struct {
	Number     number.ID
	AssignedTo account.AgentNo  // 0 = nobody
	AssignedBy account.MemberID // "" = the operator
	AssignedAt time.Time        // zero = never
	HandledBy  account.MemberID
	HandledAt  time.Time // zero = not handled
	Note       string    // what whoever handled it wrote; "" once the person's data was erased
}

// State says where a callback stands.
type State string

// The states.
const (
	Open     State = "open"     // nobody took it
	Assigned State = "assigned" // somebody is to call
	Handled  State = "handled"  // somebody said that it is settled
)

// State is where the callback stands, given the start of the number's latest unattended call. Handling settles what was
// missed until then: when the number calls in vain again later the mark lapses, and the callback is open unless it was
// assigned anew since.
func (c Callback) State(lastMissed time.Time) State {
	switch {
	case !c.HandledAt.IsZero() && !c.HandledAt.Before(lastMissed):
		return Handled
	case c.AssignedTo != 0 && c.AssignedAt.After(c.HandledAt):
		return Assigned
	default:
		return Open
	}
}

// Remove removes what was agreed about some numbers inside a running transaction, and tells of how many something was.
func Remove(ctx context.Context, tx *db.Tx, org account.OrgID, numbers ...number.ID) (n int64, err error) {
	for part := range slices.Chunk(numbers, chunk) {
		args := []any{org}
		for _, n := range part {
			args = append(args, n)
		}
		rows, err := tx.Exec(ctx, `DELETE FROM callbacks WHERE org_id = $1 AND num IN `+db.In(2, len(part)), args...)
		if err != nil {
			return n, err
		}
		n += rows
	}
	return n, nil
}

// Put keeps a callback as it is, unless something was agreed about its number since: for one that comes back from the
// archive.
func (c *Callbacks) Put(ctx context.Context, tx *db.Tx, org account.OrgID, b Callback) error {
	sealed, err := c.seal(ctx, org, b.Number, b.Note)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO callbacks (org_id, num, agent, assigned_by, assigned_ms, handled_by, handled_ms, note_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, num) DO NOTHING`, org, b.Number, b.AssignedTo, b.AssignedBy, millis(b.AssignedAt), b.HandledBy, millis(b.HandledAt), sealed)
	return err
}

// Delete removes every callback of an organisation.
func (c *Callbacks) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `DELETE FROM callbacks WHERE org_id = $1`, org)
	return err
}
