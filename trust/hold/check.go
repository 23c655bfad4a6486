package hold

import (
	"context"
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
	"parley/trust/subject"
)

// Deletion is what somebody is about to delete.
type Deletion struct {
	Who      []subject.Ref // whose data; empty means anybody's
	Category string        // a key of the policy; "" means whatever there is of them
	Path     Path          // the way the deletion comes
}

// Check is asked before anything about people is deleted, inside the transaction that deletes. A hold that covers any part
// of the deletion stops all of it with a Conflict that names the hold. Each refusal is kept.
func (h *Holds) Check(ctx context.Context, c db.Conn, org account.OrgID, d Deletion) error {
	what := d.Path.what()
	if what == "" {
		return fault.New(fault.Internal, "The way of deleting %q is not declared.", d.Path)
	}
	if flaw.On(flaw.NoHold) {
		return nil
	}
	active, err := h.Active(ctx, c, org)
	if err != nil {
		return err
	}
	for _, x := range active {
		if !x.covers(d) {
			continue
		}
		if err := h.note(ctx, c, refusal{org: org, hold: x.ID, deletion: d, at: h.now()}); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "The legal hold %s stops %s until %s. Nothing was deleted. Ask whoever answers for the hold to release it, or wait until it ends.",
			x.name(), what, x.Ends.UTC().Format(time.DateOnly))
	}
	return nil
}

func (h *Hold) name() string {
	if h.Case != "" {
		return h.ID + " (" + h.Case + ")"
	}
	return h.ID
}

func (h *Hold) covers(d Deletion) bool {
	if len(h.Categories) > 0 && d.Category != "" && !slices.Contains(h.Categories, d.Category) {
		return false
	}
	return len(h.Persons) == 0 || len(d.Who) == 0 || slices.ContainsFunc(d.Who, func(r subject.Ref) bool { return slices.Contains(h.Persons, r) })
}

// Cover is what of one category must not be deleted now: for whoever deletes many rows at once and leaves out what is
// held, such as retention.
type Cover struct {
	Everybody string                 // the hold that covers the whole category, or ""
	Persons   map[subject.Ref]string // persons held, each with the hold
}

// Holds tells which hold, if any, keeps a row that is about these persons.
func (c *Cover) Holds(who ...subject.Ref) (hold string, held bool) {
	if c.Everybody != "" {
		return c.Everybody, true
	}
	for _, r := range who {
		if hold, held = c.Persons[r]; held {
			return hold, true
		}
	}
	return "", false
}

// Cover gives what of a category is held.
func (h *Holds) Cover(ctx context.Context, c db.Conn, org account.OrgID, category string) (*Cover, error) {
	active, err := h.Active(ctx, c, org)
	if err != nil {
		return nil, err
	}
	out := &Cover{Persons: map[subject.Ref]string{}}
	for _, x := range active {
		switch {
		case len(x.Categories) > 0 && !slices.Contains(x.Categories, category):
		case len(x.Persons) == 0:
			out.Everybody = x.ID
		default:
			for _, p := range x.Persons {
				out.Persons[p] = x.ID
			}
		}
	}
	return out, nil
}

// refusal is one deletion that a hold stopped.
type refusal struct {
	org      account.OrgID
	hold     string
	deletion Deletion
	at       time.Time
}

// note keeps a refusal. Inside a transaction, which ends without effect because of the refusal, it is left to Run.
func (h *Holds) note(ctx context.Context, c db.Conn, r refusal) error {
	if _, inside := c.(*db.Tx); !inside {
		return h.write(ctx, r)
	}
	h.mu.Lock()
	h.noted = append(h.noted, r)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default: // Run is awake
	}
	return nil
}

// Run writes down the refusals that were noted inside transactions, until ctx ends and none is left. failed is told what
// could not be written.
func (h *Holds) Run(ctx context.Context, failed func(error)) {
	for ended := false; !ended; {
		select {
		case <-h.wake:
		case <-ctx.Done():
			ended = true
		}
		h.mu.Lock()
		noted := h.noted
		h.noted = nil
		h.mu.Unlock()
		for _, r := range noted {
			if err := h.write(context.WithoutCancel(ctx), r); err != nil {
				failed(err)
			}
		}
	}
}

func (h *Holds) write(ctx context.Context, r refusal) error {
	if _, err := h.db.Exec(ctx, `INSERT INTO hold_refusals (org_id, hold_id, path, times, last_ms) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (org_id, hold_id, path) DO UPDATE SET times = hold_refusals.times + 1, last_ms = excluded.last_ms`,
		r.org, r.hold, r.deletion.Path, r.at.UnixMilli()); err != nil {
		return err
	}
	e := audit.Entry{Actor: audit.System, Action: audit.HoldRefused, Object: "hold/" + r.hold, Purpose: "legal", Result: audit.Denied,
		Details: map[string]string{"path": string(r.deletion.Path), "category": r.deletion.Category, "persons": strconv.Itoa(len(r.deletion.Who))}}
	if len(r.deletion.Who) > 0 {
		e.About = r.deletion.Who[0].String()
	}
	return h.log.Record(ctx, int64(r.org), e)
}
