package rights

import (
	"context"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// DeleteAccount asks for the erasure of everything about the member who acts, with a window in which they can take it back.
// Nobody has to approve it. An organisation keeps at least one owner: the last one closes it instead.
func (r *Rights) DeleteAccount(ctx context.Context, by *account.Actor, undo time.Duration) (*Request, error) {
	q, err := r.self(by, Ask{Kind: Erasure, Channel: Member})
	if err != nil {
		return nil, err
	}
	if err := r.mayLeave(ctx, by); err != nil {
		return nil, err
	}
	if have, err := r.Leaving(ctx, by); err != nil || have != nil {
		return have, err
	}
	q.RunAfter = r.Now().Add(undo)
	if _, err := r.enter(ctx, by.Org, q, string(by.Member.ID)); err != nil {
		return nil, err
	}
	if q, err = r.plan(ctx, q.Org, q.ID, system); err != nil {
		return nil, err
	}
	return r.approve(ctx, q, string(by.Member.ID))
}

// mayLeave refuses the last owner.
func (r *Rights) mayLeave(ctx context.Context, by *account.Actor) error {
	if by.Member.Role != account.Owner {
		return nil
	}
	members, err := r.Accounts.Members(ctx, by.Org.ID)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.ID != by.Member.ID && m.Active && m.Role == account.Owner && !m.JoinedAt.IsZero() {
			return nil
		}
	}
	return fault.New(fault.Conflict, "You are the only owner. Make somebody else an owner first, or close the organisation, which deletes everything in it.")
}

// Leaving gives the open request by which a member deletes their account, nil when there is none.
func (r *Rights) Leaving(ctx context.Context, by *account.Actor) (*Request, error) {
	all, err := r.Mine(ctx, by)
	if err != nil {
		return nil, err
	}
	for _, q := range all {
		if q.Kind == Erasure && q.Channel == Member && q.Open() {
			return q, nil
		}
	}
	return nil, nil
}

// Undo takes back the deletion of the account of the member who acts, as long as it was not carried out.
func (r *Rights) Undo(ctx context.Context, by *account.Actor) error {
	q, err := r.Leaving(ctx, by)
	if err != nil {
		return err
	}
	if q == nil {
		return fault.New(fault.NotFound, "Your account is not about to be deleted.")
	}
	_, err = r.refuse(ctx, q.Org, q.ID, string(by.Member.ID), Undone, "")
	return err
}

// proceed carries out what waited: for the end of an undo window, or of the time for which a law kept something. Everything
// is planned anew, since what there is has changed; the approval stands, since it was for all there is.
func (r *Rights) proceed(ctx context.Context, q *Request) error {
	if q.State == Locked {
		var err error
		if q, err = r.change(ctx, q.Org, q.ID, system, Started, "", func(_ *db.Tx, q *Request) error {
			if q.State != Locked {
				return wrongState(q, "nothing is locked")
			}
			q.State = Verified
			q.Round++
			return nil
		}); err != nil {
			return err
		}
	}
	q, err := r.plan(ctx, q.Org, q.ID, system)
	if err != nil {
		return err
	}
	if len(q.Plan.Holds) > 0 { // an officer sees it in the queue, and it is tried again
		return nil
	}
	if q, err = r.approve(ctx, q, system); err != nil {
		return err
	}
	_, err = r.carryOut(ctx, q.Org, q.ID, system)
	return err
}
