package account

import (
	"context"
	"strings"

	"parley/platform/db"
	"parley/platform/fault"
)

// SecurityKind is what happened around signing in.
type SecurityKind string

// The kinds.
const (
	Guesses    SecurityKind = "guesses"     // so many wrong passwords that the door was shut
	NewBrowser SecurityKind = "new_browser" // a member signed in with a browser that they had not used before
)

// SecurityEvent is one such thing. Where the person belongs to several organisations there is one for each; what belongs
// to nobody, such as guesses at an address that nobody has, is of organisation 0.
type SecurityEvent struct {
	Kind   SecurityKind
	Org    OrgID
	Member MemberID // "" = nobody
	From   SignInFrom
}

// OnSecurity says who is told of security events, outside of any transaction. It is called once, at wiring.
func (a *Accounts) OnSecurity(told func(ctx context.Context, e SecurityEvent) error) {
	a.security = told
}

// tellGuesses tells that somebody was turned away after too many wrong passwords. As much is done for an address that
// nobody has as for one that somebody has.
func (a *Accounts) tellGuesses(ctx context.Context, person []byte, from SignInFrom) error {
	if a.security == nil {
		return nil
	}
	all, err := memberships(ctx, a.db, person)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		all = []Membership{{}}
	}
	for _, m := range all {
		if err := a.security(ctx, SecurityEvent{Kind: Guesses, Org: m.Org, Member: m.Member, From: from}); err != nil {
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
	if toldErr := a.tellGuesses(ctx, person, from); toldErr != nil {
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
