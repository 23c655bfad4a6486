package account

import (
	"context"
	"slices"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
)

// How long the closing of an organisation can be taken back: usually, and at most. Everything is gone within thirty days
// of the wish, copies in backups aside, whose keys end by then too.
const (
	UsualUndo   = 7 * 24 * time.Hour
	LongestUndo = 30 * 24 * time.Hour
)

// Closing tells whether the organisation is being closed. Until it is gone, its owners can look, take copies, answer what
// people ask about their data, and change their mind; nothing else can be done.
func (o *Org) Closing() bool { return o != nil && !o.ClosesAt.IsZero() }

// WhileClosing lists what owners may still do in an organisation that is being closed: look, take copies, answer what people
// ask, whose clocks go on, and change their mind. Nothing else of it is granted to anybody.
func WhileClosing() []Permission {
	return []Permission{ReadOwn, ReadReports, ReadCalls, ExportCalls, ReadPeople, ReadDevices, ReadAudit, ReadLeads, ExportLeads, ReadPrivacy, AnswerRequests, CloseOrg}
}

func errClosing(o *Org) error {
	return fault.New(fault.Denied, "The organisation %s is being closed and will be gone on %s, so nothing can be changed. Its owners can still look, take copies, answer what people ask about their data, and take the closing back.",
		o.Name, o.ClosesAt.In(o.Location()).Format(time.DateOnly))
}

// mayWhileClosing tells whether an actor may do p in an organisation that is being closed.
func (a *Actor) mayWhileClosing(p Permission) bool {
	return !a.Org.Closing() || a.Member.Role == Owner && slices.Contains(WhileClosing(), p)
}

// CloseOrg begins to close the actor's organisation: it is locked now, and due to be removed after undo.
func (a *Accounts) CloseOrg(ctx context.Context, by *Actor, undo time.Duration) (*Org, error) {
	if err := by.Require(CloseOrg); err != nil {
		return nil, err
	}
	if undo < 0 || undo > LongestUndo {
		return nil, fault.Field("undo", "The closing can be taken back for at most 30 days. Choose fewer.")
	}
	now := a.now()
	n, err := a.db.Exec(ctx, `UPDATE organisations SET closing_ms = $2, closes_ms = $3, closing_by = $4, changed_ms = $2 WHERE org_id = $1 AND closes_ms = 0`,
		by.Org.ID, now.UnixMilli(), now.Add(undo).UnixMilli(), by.Member.ID)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "The organisation is being closed already.")
	}
	if err != nil {
		return nil, err
	}
	return a.Org(ctx, by.Org.ID)
}

// ReopenOrg takes the closing back.
func (a *Accounts) ReopenOrg(ctx context.Context, by *Actor) (*Org, error) {
	if err := by.Require(CloseOrg); err != nil {
		return nil, err
	}
	n, err := a.db.Exec(ctx, `UPDATE organisations SET closing_ms = 0, closes_ms = 0, closing_by = '', changed_ms = $2 WHERE org_id = $1 AND closes_ms > 0`,
		by.Org.ID, a.now().UnixMilli())
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "The organisation is not being closed.")
	}
	if err != nil {
		return nil, err
	}
	return a.Org(ctx, by.Org.ID)
}

// DueToClose lists the organisations whose closing cannot be taken back any more.
func (a *Accounts) DueToClose(ctx context.Context) ([]*Org, error) {
	return db.Select(ctx, a.db, a.scanOrg(ctx), `SELECT `+orgColumns+` FROM organisations WHERE closes_ms > 0 AND closes_ms <= $1 ORDER BY org_id`, a.now().UnixMilli())
}
