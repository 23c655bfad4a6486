package account

import (
	"context"
	"strings"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// SecurityKind is what happened around signing in.
type SecurityKind string

// The kinds.
const (
	Guesses       SecurityKind = "guesses"        // so many wrong passwords that the door was shut
	NewBrowser    SecurityKind = "new_browser"    // a member signed in with a browser that they had not used before
	WrongPassword SecurityKind = "wrong_password" // somebody tried a password that is not the member's
	ResetAsked    SecurityKind = "reset_asked"    // somebody asked for a link to set a new password
	ResetDone     SecurityKind = "reset_done"     // a new password was set by such a link
	SessionsEnded SecurityKind = "sessions_ended" // a member's sessions were ended before their time
)

// SecurityCause says coarsely why something happened around signing in.
type SecurityCause string

// The causes.
const (
	AtSignIn   SecurityCause = "sign_in"  // of a wrong password: the form to sign in
	AtJoining  SecurityCause = "join"     // of a wrong password: the forms to sign up and to take an invitation
	AtChange   SecurityCause = "change"   // of a wrong password: the form to change it; of ended sessions: it was changed
	ByReset    SecurityCause = "reset"    // of ended sessions: a new password was set by a link
	ByMember   SecurityCause = "member"   // of ended sessions: the member ended them
	AccessOver SecurityCause = "access"   // of ended sessions: the member's access was ended
	TooOften   SecurityCause = "too_many" // turned away unheard, since it came too often
)

// SecurityEvent is one such thing. Where the person belongs to several organisations there is one for each; what belongs
// to nobody, such as guesses at an address that nobody has, is of organisation 0.
type SecurityEvent struct {
	Kind   SecurityKind
	Org    OrgID
	Member MemberID // "" = nobody
	From   SignInFrom
	// Pseudonym stands for an address that nobody has; it is keyed, so that no address can be told from it.
	Pseudonym string
	Cause     SecurityCause
	Count     int64 // sessions that were ended
}

// OnSecurity says who is told of security events, outside of any transaction. It is called once, at wiring.
func (a *Accounts) OnSecurity(told func(ctx context.Context, e SecurityEvent) error) {
	a.security = told
}

// tell tells of something that happened to a person, in each of their organisations. As much is done for an address that
// nobody has as for one that somebody has.
func (a *Accounts) tell(ctx context.Context, person []byte, e SecurityEvent) error {
	if a.security == nil {
		return nil
	}
	all, err := memberships(ctx, a.db, person)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		all, e.Pseudonym = []Membership{{}}, id.Encode(person)[:pseudonymLength]
	}
	for _, m := range all {
		e.Org, e.Member = m.Org, m.Member
		if err := a.security(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// pseudonymLength is enough to tell a handful of addresses apart, and no more.
const pseudonymLength = 16

// endedSessions are how many sessions of a member were ended.
type endedSessions struct {
	org    OrgID
	member MemberID
	count  int64
}

// tellEnded tells whose sessions were ended.
func (a *Accounts) tellEnded(ctx context.Context, cause SecurityCause, ended ...endedSessions) error {
	if a.security == nil {
		return nil
	}
	for _, e := range ended {
		if e.count == 0 {
			continue
		}
		if err := a.security(ctx, SecurityEvent{Kind: SessionsEnded, Org: e.org, Member: e.member, Cause: cause, Count: e.count}); err != nil {
			return err
		}
	}
	return nil
}

// turnedAway is err, after it was told that somebody guesses.
func (a *Accounts) turnedAway(ctx context.Context, person []byte, from SignInFrom, err error) error {
	if fault.KindOf(err) != fault.TooMany {
		return err
	}
	if toldErr := a.tell(ctx, person, SecurityEvent{Kind: Guesses, From: from, Cause: TooOften}); toldErr != nil {
		return toldErr
	}
	return err
}

// newBrowser tells whether a member who has signed in before comes with a browser that none of their sessions has.
func (a *Accounts) newBrowser(ctx context.Context, c db.Conn, m Membership, from SignInFrom) (bool, error) {
	var seen int64
	if err := c.Row(ctx, `SELECT seen_ms FROM members WHERE org_id = $1 AND id = $2`, m.Org, m.Member).Scan(&seen); err != nil || seen == 0 {
		return false, err
	}
	sessions, err := db.Select(ctx, c, a.scanSession(ctx), `SELECT `+sessionColumns+` FROM sessions WHERE org_id = $1 AND member_id = $2`, m.Org, m.Member)
	if err != nil {
		return false, err
	}
	for _, s := range sessions {
		if browserOf(s.UserAgent) == browserOf(from.UserAgent) {
			return false, nil
		}
	}
	return true, nil
}

// browserOf is a browser's name without its versions, which change by themselves.
func browserOf(userAgent string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' {
			return -1
		}
		return r
	}, userAgent)
}
