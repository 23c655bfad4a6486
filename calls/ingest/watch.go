package ingest

import (
	"context"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
)

// Changes are what one transaction changes about an organisation's calls. Lists are in no order, and numbers may come twice.
type Changes struct {
	Days    []AgentDay  // on which calls are new, changed or gone
	Numbers []number.ID // whose calls these are; never withheld
	// Flagged are numbers that were excluded or restricted, or are not any more: none of their calls changed, but what may be
	// done with them did.
	Flagged []number.ID
}

// AgentDay is an agent's local day.
type AgentDay struct {
	Day   civil.Day
	Agent account.AgentNo
}

// Watch has fn hear, inside each transaction that changes calls, what it changes. What fn writes is committed together with the
// calls or not at all; an error of fn fails them. It runs in the one writer of calls, so it must be quick. Watch is called
// before Run.
func (w *Writer) Watch(fn func(ctx context.Context, tx *db.Tx, org account.OrgID, c *Changes) error) {
	w.watch = fn
}

// changesOf collects what is to be told of an organisation.
func (u *unit) changesOf(org account.OrgID) *Changes {
	c := u.changes[org]
	if c == nil {
		c = &Changes{}
		u.changes[org] = c
	}
	return c
}

// note collects what a unit does to an agent's day.
func (u *unit) note(k dayKey, d *agentDay) {
	if u.w.watch == nil {
		return
	}
	var c *Changes
	for i := range d.rows {
		if d.fresh[i] == d.gone[i] { // as it was, or come and gone again
			continue
		}
		if c == nil {
			c = u.changesOf(k.org)
			c.Days = append(c.Days, AgentDay{k.day, k.agent})
		}
		if n := d.rows[i].Number; n != number.Withheld {
			c.Numbers = append(c.Numbers, n)
		}
	}
}

// tell tells whoever watches what the unit changes.
func (u *unit) tell(ctx context.Context) error {
	if u.w.watch == nil {
		return nil
	}
	for org, c := range u.changes {
		if err := u.w.watch(ctx, u.tx, org, c); err != nil {
			return err
		}
	}
	return nil
}
