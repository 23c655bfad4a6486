package account

import (
	"context"
	"slices"

	"parley/account/password"
	"parley/platform/db"
	"parley/platform/fault"
)

// SignInFrom says where somebody signs in from.
type SignInFrom struct {
	IP        string // "" at the command line
	UserAgent string
}

// Membership is one organisation that a person belongs to.
type Membership struct {
	Org     OrgID
	OrgName string
	Member  MemberID
	Role    Role
}

// SignIn checks a password and opens a session in the organisation the person used last. Their organisations come back
// with that one first; SwitchOrg goes to another.
func (a *Accounts) SignIn(ctx context.Context, email, pass string, from SignInFrom) ([]Membership, string, error) {
	email, err := parseEmail("email", email)
	if err != nil {
		return nil, "", err
	}
	person, err := a.personKey(ctx, email)
	if err != nil {
		return nil, "", err
	}
	hash, err := a.credential(ctx, a.db, person)
	if err != nil {
		return nil, "", err
	}
	ok, err := a.checkPassword(ctx, person, hash, pass, from)
	if err != nil {
		return nil, "", a.turnedAway(ctx, person, from, err)
	}
	if !ok {
		if err := a.tell(ctx, person, SecurityEvent{Kind: WrongPassword, From: from, Cause: AtSignIn}); err != nil {
			return nil, "", err
		}
		return nil, "", fault.New(fault.Unauthenticated, "The e-mail address or the password is wrong. Try again, or ask for a new password under \"Forgot password\".")
	}
	renewed := hash
	if password.Stale(hash) {
		if renewed, err = a.passwords.Hash(ctx, pass); err != nil {
			return nil, "", err
		}
	}
	return a.enter(ctx, person, hash, renewed, from)
}

// enter opens a session for a person whose password matched hash, and stores it as renewed when its cost has changed.
func (a *Accounts) enter(ctx context.Context, person []byte, hash, renewed string, from SignInFrom) (all []Membership, secret string, err error) {
	var fresh bool
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		now, err := a.credential(ctx, tx, person)
		if err != nil {
			return err
		}
		if now != hash {
			return fault.New(fault.Unauthenticated, "The password was changed a moment ago. Sign in with the new one.")
		}
		if renewed != hash {
			if err := a.setCredential(ctx, tx, person, renewed); err != nil {
				return err
			}
		}
		if all, err = memberships(ctx, tx, person); err != nil {
			return err
		}
		if len(all) == 0 {
			return fault.New(fault.Unauthenticated, "Your access has been ended. Ask an owner or admin of your organisation to let you in again.")
		}
		if fresh, err = a.newBrowser(ctx, tx, all[0], from); err != nil {
			return err
		}
		secret, err = a.insertSession(ctx, tx, all[0].Org, all[0].Member, true, from)
		return err
	})
	if err == nil && fresh && a.security != nil {
		err = a.security(ctx, SecurityEvent{Kind: NewBrowser, Org: all[0].Org, Member: all[0].Member, From: from})
	}
	return all, secret, err
}

// memberships lists where a person is an active member who has joined, the organisation used last first.
func memberships(ctx context.Context, c db.Conn, person []byte) ([]Membership, error) {
	return db.Select(ctx, c, func(r db.Scanner) (m Membership, err error) {
		var seen int64
		return m, r.Scan(&m.Org, &m.OrgName, &m.Member, &m.Role, &seen)
	}, `
		SELECT m.org_id, o.name, m.id, m.role, coalesce(max(s.seen_ms), 0) AS seen FROM members m
		JOIN organisations o ON o.org_id = m.org_id
		LEFT JOIN sessions s ON s.org_id = m.org_id AND s.member_id = m.id
		WHERE m.email_key = $1 AND m.active = 1 AND m.joined_ms > 0
		GROUP BY m.org_id, o.name, m.id, m.role ORDER BY seen DESC, m.org_id`, person)
}

// Memberships lists the organisations that the actor can switch to, their own among them.
func (a *Accounts) Memberships(ctx context.Context, by *Actor) ([]Membership, error) {
	if by.Session == nil || !by.Session.ByPassword || by.Member.Email == "" {
		return []Membership{{Org: by.Org.ID, OrgName: by.Org.Name, Member: by.Member.ID, Role: by.Member.Role}}, nil
	}
	person, err := a.personKey(ctx, by.Member.Email)
	if err != nil {
		return nil, err
	}
	return memberships(ctx, a.db, person)
}

// SwitchOrg ends the actor's session and opens one in another organisation that the same person belongs to. A session
// that a one-time link opened proves no person and stays where it is.
func (a *Accounts) SwitchOrg(ctx context.Context, by *Actor, org OrgID) (string, error) {
	all, err := a.Memberships(ctx, by)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(m Membership) bool { return m.Org == org })
	if i < 0 || by.Session == nil {
		return "", fault.New(fault.NotFound, "You do not belong to an organisation %d. Sign in with your password to see all of yours.", org)
	}
	var secret string
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		if err := endSession(ctx, tx, by.Org.ID, by.Member.ID, by.Session.ID); err != nil {
			return err
		}
		from := SignInFrom{IP: by.Session.IP, UserAgent: by.Session.UserAgent}
		secret, err = a.insertSession(ctx, tx, org, all[i].Member, by.Session.ByPassword, from)
		return err
	})
	return secret, err
}
