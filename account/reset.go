package account

import (
	"context"
	"strings"
	"time"

	"parley/account/password"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// resetLife is how long the link to set a new password works.
const resetLife = time.Hour

// StartReset begins setting a new password. When found, the caller mails the link with the secret to that address, and
// otherwise tells the asker the same. The work is the same either way, so that its duration tells nothing.
func (a *Accounts) StartReset(ctx context.Context, email string) (secret string, found bool, err error) {
	email, err = parseEmail("email", email)
	if err != nil {
		return "", false, err
	}
	person, err := a.personKey(ctx, email)
	if err != nil {
		return "", false, err
	}
	if err := a.knock(ctx, resetDoor(person)); err != nil {
		if fault.KindOf(err) == fault.TooMany { // enough mails were sent; the asker hears the same as ever
			return "", false, a.tell(ctx, person, SecurityEvent{Kind: ResetAsked, Cause: TooOften})
		}
		return "", false, err
	}
	secret = newSecret(resetPrefix, installation)
	err = a.db.Tx(ctx, func(tx *db.Tx) error {
		all, err := memberships(ctx, tx, person)
		if err != nil {
			return err
		}
		found = len(all) > 0
		_, err = tx.Exec(ctx, `INSERT INTO resets (secret_hash, email_key, expires_ms) VALUES ($1, $2, $3)`,
			id.Hash(secret), person, a.now().Add(resetLife).UnixMilli())
		return err
	})
	if err == nil {
		err = a.tell(ctx, person, SecurityEvent{Kind: ResetAsked})
	}
	if err != nil || !found {
		return "", false, err
	}
	return secret, true, nil
}

// ResetFor gives the membership of a reset's person in the organisation they used last: its language is the mail's.
func (a *Accounts) ResetFor(ctx context.Context, secret string) (Membership, error) {
	person, err := a.resetPerson(ctx, secret)
	if err != nil {
		return Membership{}, err
	}
	all, err := memberships(ctx, a.db, person)
	if err != nil {
		return Membership{}, err
	}
	if len(all) == 0 {
		return Membership{}, errResetGone()
	}
	return all[0], nil
}

// resetPerson gives whose password a secret can set.
func (a *Accounts) resetPerson(ctx context.Context, secret string) ([]byte, error) {
	_, hash, ok := readSecret(resetPrefix, secret)
	if !ok {
		return nil, errResetGone()
	}
	person, ok, err := db.One(ctx, a.db, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT email_key FROM resets WHERE secret_hash = $1 AND expires_ms > $2`, hash, a.now().UnixMilli())
	if err == nil && !ok {
		err = errResetGone()
	}
	return person, err
}

// UseReset sets a new password, once, and ends all of the person's sessions.
func (a *Accounts) UseReset(ctx context.Context, secret, newPassword string) error {
	person, err := a.resetPerson(ctx, secret)
	if err != nil {
		return err
	}
	encoded, err := a.newPassword(ctx, person, newPassword)
	if err != nil {
		return err
	}
	var ended []endedSessions
	if err := a.db.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM resets WHERE secret_hash = $1`, id.Hash(strings.TrimSpace(secret)))
		if err != nil {
			return err
		}
		if n == 0 {
			return errResetGone()
		}
		if err := a.replacePassword(ctx, tx, person, encoded); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM sign_in_attempts WHERE subject_key = $1`, person); err != nil {
			return err
		}
		ended, err = endSessionsOf(ctx, tx, person, "")
		return err
	}); err != nil {
		return err
	}
	if err := a.tell(ctx, person, SecurityEvent{Kind: ResetDone}); err != nil {
		return err
	}
	return a.tellEnded(ctx, ByReset, ended...)
}

func errResetGone() error {
	return fault.New(fault.Gone, "This link to set a password was used or has expired; it works once, for an hour. Ask for a new one under \"Forgot password\".")
}

// ChangePassword replaces the password of the actor's person and ends their other sessions.
func (a *Accounts) ChangePassword(ctx context.Context, by *Actor, old, newPassword string) error {
	if by.Session == nil || by.Member.Email == "" {
		return fault.New(fault.Denied, "A password can be changed by somebody who signed in and has an e-mail address.")
	}
	person, err := a.personKey(ctx, by.Member.Email)
	if err != nil {
		return err
	}
	hash, err := a.credential(ctx, a.db, person)
	if err != nil {
		return err
	}
	ok, err := a.checkPassword(ctx, person, hash, old, SignInFrom{IP: by.Session.IP})
	if err != nil {
		return a.turnedAway(ctx, person, SignInFrom{IP: by.Session.IP, UserAgent: by.Session.UserAgent}, err)
	}
	if !ok {
		if err := a.tell(ctx, person, SecurityEvent{Kind: WrongPassword, Cause: AtChange}); err != nil {
			return err
		}
		return fault.Field("old_password", "This is not your password. Try again, or sign out and ask for a new one under \"Forgot password\".")
	}
	encoded, err := a.newPassword(ctx, person, newPassword)
	if err != nil {
		return err
	}
	var ended []endedSessions
	if err := a.db.Tx(ctx, func(tx *db.Tx) error {
		if err := a.replacePassword(ctx, tx, person, encoded); err != nil {
			return err
		}
		ended, err = endSessionsOf(ctx, tx, person, by.Session.ID)
		return err
	}); err != nil {
		return err
	}
	return a.tellEnded(ctx, AtChange, ended...)
}

// newPassword checks and hashes a new password for a person, who must belong somewhere.
func (a *Accounts) newPassword(ctx context.Context, person []byte, pass string) (string, error) {
	all, err := memberships(ctx, a.db, person)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", errResetGone()
	}
	var about []string
	for _, in := range all {
		m, err := a.Member(ctx, in.Org, in.Member)
		if err != nil {
			return "", err
		}
		about = append(about, m.Email, m.Name, in.OrgName)
	}
	if err := password.Check(pass, about...); err != nil {
		return "", err
	}
	return a.passwords.Hash(ctx, pass)
}

// replacePassword stores a hash and withdraws the links to set another.
func (a *Accounts) replacePassword(ctx context.Context, tx *db.Tx, person []byte, hash string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM resets WHERE email_key = $1`, person); err != nil {
		return err
	}
	if err := a.notePassword(ctx, tx, person, a.now()); err != nil {
		return err
	}
	return a.setCredential(ctx, tx, person, hash)
}
