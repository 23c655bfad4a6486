package attach

import (
	"context"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/crm/followup"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
)

// NewOutcome is what somebody says of a call.
type NewOutcome struct {
	Outcome string  // "" takes back what was said
	Next    string  // as call.Said.Next
	Note    *string // nil leaves the call's note as it is
	// Plan is the next step, to be made with the outcome: Next is its id then. Whom it is about is the call's contact and lead.
	Plan *followup.New
}

// SetOutcome keeps what a call has come to. The actor needs write_calls and must see the call's agent. What was said before is
// gone, so the legal holds are asked.
func (a *Attach) SetOutcome(ctx context.Context, by *account.Actor, k call.Key, in NewOutcome) error {
	if err := by.Require(account.WriteCalls); err != nil {
		return err
	}
	org := by.Org
	if sees, err := by.Sees(ctx, k.Agent); err != nil || !sees {
		if err == nil {
			err = noCall(org.ID, k)
		}
		return err
	}
	in.Outcome, in.Next = strings.TrimSpace(in.Outcome), strings.TrimSpace(in.Next)
	if err := a.checkOutcome(ctx, org.ID, &in); err != nil {
		return err
	}
	if in.Note != nil {
		if err := a.Calls.SetNote(ctx, org, k, *in.Note, by.Member.ID); err != nil {
			return err
		}
	}
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, there, err := call.RowByKey(ctx, tx, org.ID, k); err != nil || !there {
			if err == nil {
				err = noCall(org.ID, k)
			}
			return err
		}
		if err := a.Book.CheckUse(ctx, tx, org.ID, k.Number); err != nil {
			return err
		}
		all, err := call.SaidOf(ctx, tx, org.ID, k)
		if err != nil {
			return err
		}
		if had, ok := all[k]; ok && (had.Outcome != in.Outcome || had.Next != in.Next) {
			if err := a.gate().Ask(ctx, tx, org.ID, hold.NoteClear, call.CategoryNote, k); err != nil {
				return err
			}
		}
		if in.Outcome != "" && in.Plan != nil {
			if in.Next, err = a.planNext(ctx, tx, org, by.Member.ID, k, *in.Plan); err != nil {
				return err
			}
		}
		return call.WriteSaid(ctx, tx, org.ID, k, call.Said{Outcome: in.Outcome, Next: in.Next, By: by.Member.ID, At: a.Now()})
	})
}

// planNext plans the next step after a call with whom it was with, and gives its id.
func (a *Attach) planNext(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, k call.Key, n followup.New) (string, error) {
	m, err := a.Attach(ctx, tx, org.ID, k)
	if err != nil {
		return "", err
	}
	if m.Contact == "" {
		return "", fault.Field("next", "The call was with nobody in your contacts, so nothing can be planned with them. Make a contact of the number first.")
	}
	n.Contact, n.Lead = m.Contact, m.Lead
	f, err := a.FollowUps.Add(ctx, tx, org, by, n)
	if err != nil {
		return "", err
	}
	return string(f.ID), nil
}

func noCall(org account.OrgID, k call.Key) error {
	return fault.New(fault.NotFound, "There is no call %q here. It may have been deleted.", k.ID(org))
}

// checkOutcome refuses an outcome that is not on the list, and a next step that is none.
func (a *Attach) checkOutcome(ctx context.Context, org account.OrgID, in *NewOutcome) error {
	if in.Outcome == "" {
		in.Next = ""
		return nil
	}
	set, err := a.FollowUps.Settings(ctx, a.DB, org)
	if err != nil {
		return err
	}
	if k, ok := set.Outcome(in.Outcome); !ok || k.Retired {
		return fault.Field("outcome", "%q is not on your organisation's list of outcomes. Choose one of the list.", in.Outcome)
	}
	if in.Next == "" || in.Next == call.NoNext {
		return nil
	}
	return a.checkNext(ctx, org, in.Next)
}

// atOnce is how many ids one statement names.
const atOnce = 200
