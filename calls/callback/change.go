package callback

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
	"parley/trust/hold"
)

// maxNote is how long a note may be, in characters.
const maxNote = 2000

// Assign says that an agent is to call a number back; agent 0 takes the callback from whoever has it. An actor assigns
// to the agents they see: a manager to those of their teams, an agent to themself.
func (c *Callbacks) Assign(ctx context.Context, actor *account.Actor, key number.Key, agent account.AgentNo) error {
	return c.change(ctx, actor, key, func(tx *db.Tx, have Callback, sees func(account.AgentNo) bool) error {
		if agent != 0 {
			if err := checkAgent(ctx, tx, actor.Org.ID, agent, sees(agent)); err != nil {
				return err
			}
		}
		if have.AssignedTo != 0 && have.AssignedAt.After(have.HandledAt) && !sees(have.AssignedTo) {
			return fault.New(fault.Conflict, "A colleague whose calls you do not see has this callback already. Ask an admin to hand it over.")
		}
		// An assignment is later than the mark it follows, however coarse the clock.
		at := max(c.now().UnixMilli(), millis(have.HandledAt)+1)
		if agent == 0 {
			at = 0
		}
		_, err := tx.Exec(ctx, `INSERT INTO callbacks (org_id, num, agent, assigned_by, assigned_ms, handled_by, handled_ms) VALUES ($1, $2, $3, $4, $5, '', 0)
			ON CONFLICT (org_id, num) DO UPDATE SET agent = excluded.agent, assigned_by = excluded.assigned_by, assigned_ms = excluded.assigned_ms`,
			actor.Org.ID, have.Number, agent, actor.Member.ID, at)
		return err
	})
}

// Handle says that a missed caller needs no call any more; note may be empty. The mark lapses when the number calls in
// vain again, see Callback.State.
func (c *Callbacks) Handle(ctx context.Context, actor *account.Actor, key number.Key, note string) error {
	note = strings.TrimSpace(strings.ToValidUTF8(note, ""))
	if n := utf8.RuneCountInString(note); n > maxNote {
		return fault.Field("note", "The note has %d characters; at most %d fit. Shorten it.", n, maxNote)
	}
	if err := freetext.Check("note", note); err != nil {
		return err
	}
	return c.change(ctx, actor, key, func(tx *db.Tx, have Callback, _ func(account.AgentNo) bool) error {
		if err := c.askNote(ctx, tx, actor.Org.ID, have); err != nil {
			return err
		}
		sealed, err := c.seal(ctx, actor.Org.ID, have.Number, note)
		if err != nil {
			return err
		}
		at := max(c.now().UnixMilli(), millis(have.AssignedAt))
		_, err = tx.Exec(ctx, `INSERT INTO callbacks (org_id, num, agent, assigned_by, assigned_ms, handled_by, handled_ms, note_sealed) VALUES ($1, $2, 0, '', 0, $3, $4, $5)
			ON CONFLICT (org_id, num) DO UPDATE SET handled_by = excluded.handled_by, handled_ms = excluded.handled_ms, note_sealed = excluded.note_sealed`,
			actor.Org.ID, have.Number, actor.Member.ID, at, sealed)
		return err
	})
}

// Reopen takes a mark back. Whoever the callback was assigned to has it again.
func (c *Callbacks) Reopen(ctx context.Context, actor *account.Actor, key number.Key) error {
	return c.change(ctx, actor, key, func(tx *db.Tx, have Callback, _ func(account.AgentNo) bool) error {
		if err := c.askNote(ctx, tx, actor.Org.ID, have); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE callbacks SET handled_by = '', handled_ms = 0, note_sealed = NULL WHERE org_id = $1 AND num = $2`, actor.Org.ID, have.Number)
		return err
	})
}

// askNote asks the gate whether a note may go, if there is one.
func (c *Callbacks) askNote(ctx context.Context, tx *db.Tx, org account.OrgID, have Callback) error {
	if have.Note == "" {
		return nil
	}
	return c.gate.AskNumbers(ctx, tx, org, hold.NoteClear, call.CategoryNote, have.Number)
}

// change runs do on what is kept about a number, once it is settled that the actor may change it. sees tells whose
// calls the actor sees.
func (c *Callbacks) change(ctx context.Context, actor *account.Actor, key number.Key, do func(tx *db.Tx, have Callback, sees func(account.AgentNo) bool) error) error {
	if err := actor.Require(account.WriteCalls); err != nil {
		return err
	}
	agents, err := actor.Agents(ctx)
	if err != nil {
		return err
	}
	sees := func(a account.AgentNo) bool { return agents == nil || slices.Contains(agents, a) }
	return c.db.Tx(ctx, func(tx *db.Tx) error {
		n, err := c.book.ByKey(ctx, tx, actor.Org.ID, key)
		if err != nil {
			return err
		}
		have, _, err := db.One(ctx, tx, c.scan(ctx, actor.Org.ID), `SELECT `+columns+` FROM callbacks WHERE org_id = $1 AND num = $2`, actor.Org.ID, n)
		if err != nil {
			return err
		}
		have.Number = n
		return do(tx, have, sees)
	})
}

func checkAgent(ctx context.Context, c db.Conn, org account.OrgID, agent account.AgentNo, seen bool) error {
	active, ok, err := db.One(ctx, c, func(r db.Scanner) (a int, err error) { return a, r.Scan(&a) },
		`SELECT active FROM members WHERE org_id = $1 AND agent_no = $2 AND agent_no > 0`, org, agent)
	switch {
	case err != nil:
		return err
	case !ok || !seen:
		return fault.New(fault.NotFound, "There is no agent number %d in this organisation.", agent)
	case active == 0:
		return fault.Field("agent", "That agent was deactivated and cannot call anybody back. Choose another.")
	default:
		return nil
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// noteField binds a sealed note to its purpose; the subject's key binds it to its number.
const noteField = "callbacks.note"

func (c *Callbacks) seal(ctx context.Context, org account.OrgID, n number.ID, note string) ([]byte, error) {
	if note == "" {
		return nil, nil
	}
	k, err := c.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return k.SealSubject(ctx, int64(n), noteField, []byte(note))
}
