package app

import (
	"context"
	"strconv"

	"parley/account"
	"parley/platform/audit"
)

// logSecurity records what happened around signing in. No address of a network, a person or a browser is in it: a member
// stands in the log as a keyed hash, and so does an address that nobody has.
func (p *Parley) logSecurity(ctx context.Context, e account.SecurityEvent) error {
	x := audit.Entry{Actor: audit.Public, Purpose: "security", Details: map[string]string{}}
	if e.Member != "" {
		x.About = "member/" + string(e.Member)
	}
	if e.Pseudonym != "" {
		x.Object = "address/" + e.Pseudonym
	}
	if e.Cause != "" {
		x.Details["cause"] = string(e.Cause)
	}
	switch e.Kind {
	case account.WrongPassword:
		x.Action, x.Result = audit.SignInFailed, "failed"
	case account.Guesses:
		x.Action, x.Result = audit.SignInFailed, audit.Denied
	case account.ResetAsked:
		x.Action = audit.ResetAsked
		if e.Cause == account.TooOften {
			x.Result = audit.Denied
		}
	case account.ResetDone:
		x.Action = audit.ResetDone
	case account.SessionsEnded:
		x.Action, x.Details["sessions"] = audit.SessionEnded, strconv.FormatInt(e.Count, 10)
		if e.Cause == account.ByMember || e.Cause == account.AtChange {
			x.Actor = string(e.Member)
		} else {
			x.Actor = audit.System
		}
	default:
		return nil
	}
	if e.Cause == account.TooOften { // costs a guesser nothing, so it must not fill the log
		return p.Audit.RecordOnce(ctx, int64(e.Org), audit.Once, x)
	}
	return p.Audit.Record(ctx, int64(e.Org), x)
}
