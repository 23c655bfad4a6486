package account

import (
	"context"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// How long a session lasts: without use, and at most.
const (
	idleSession   = 14 * 24 * time.Hour
	longestStay   = 90 * 24 * time.Hour
	seenPrecision = time.Minute // last-use times are written no more often, so that reading pages does not write
)

const maxUserAgent = 300

// Session is one signed-in browser.
type Session struct {
	ID         string
	Org        OrgID
	Member     MemberID
	ByPassword bool // else by a one-time link
	CreatedAt  time.Time
	SeenAt     time.Time // to the minute
	IP         string
	UserAgent  string
}

// insertSession opens a session and gives its secret, for a cookie.
func (a *Accounts) insertSession(ctx context.Context, tx *db.Tx, org OrgID, m MemberID, byPassword bool, from SignInFrom) (string, error) {
	k, err := a.keys.Org(ctx, int64(org))
	if err != nil {
		return "", err
	}
	agent := strings.ToValidUTF8(from.UserAgent[:min(len(from.UserAgent), maxUserAgent)], "")
	secret, now := newSecret(sessionPrefix, org), a.now().UnixMilli()
	_, err = tx.Exec(ctx, `
		INSERT INTO sessions (org_id, id, member_id, secret_hash, by_password, from_sealed, created_ms, seen_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
		org, id.New("ses"), m, id.Hash(secret), flag(byPassword), k.Seal("session.from", []byte(from.IP+"\n"+agent)), now)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `UPDATE members SET seen_ms = $3 WHERE org_id = $1 AND id = $2`, org, m, now)
	return secret, err
}

// Session gives who acts through a session, and notes that it is in use.
func (a *Accounts) Session(ctx context.Context, secret string) (*Actor, error) {
	org, hash, ok := readSecret(sessionPrefix, secret)
	if !ok {
		return nil, errSignedOut()
	}
	actor := &Actor{accounts: a}
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		s, ok, err := db.One(ctx, tx, a.scanSession(ctx), `SELECT `+sessionColumns+` FROM sessions WHERE org_id = $1 AND secret_hash = $2`, org, hash)
		if err != nil {
			return err
		}
		if !ok || a.ended(s) {
			return errSignedOut()
		}
		actor.Session = s
		if actor.Org, err = a.org(ctx, tx, org); err != nil {
			return err
		}
		actor.Member, err = a.member(ctx, tx, org, s.Member)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !actor.Member.Active {
		return nil, errSignedOut()
	}
	if err := a.touch(ctx, actor.Session); err != nil {
		return nil, err
	}
	return a.gated(ctx, actor)
}

func (a *Accounts) ended(s *Session) bool {
	now := a.now()
	return now.Sub(s.SeenAt) > idleSession || now.Sub(s.CreatedAt) > longestStay
}

func errSignedOut() error {
	return fault.New(fault.Unauthenticated, "You are not signed in, or not any more. Sign in to go on.")
}

func (a *Accounts) touch(ctx context.Context, s *Session) error {
	now := a.now()
	if now.Sub(s.SeenAt) < seenPrecision {
		return nil
	}
	s.SeenAt = now
	_, err := a.db.Exec(ctx, `UPDATE sessions SET seen_ms = $3 WHERE org_id = $1 AND id = $2`, s.Org, s.ID, now.UnixMilli())
	return unlessFull(err)
}

// unlessFull lets reading go on when the disk is full: a time of last use is not worth a refusal.
func unlessFull(err error) error {
	if fault.KindOf(err) == fault.Unavailable {
		return nil
	}
	return err
}

// Sessions lists where the actor is signed in to their organisation, used last first.
func (a *Accounts) Sessions(ctx context.Context, by *Actor) ([]*Session, error) {
	all, err := db.Select(ctx, a.db, a.scanSession(ctx), `SELECT `+sessionColumns+` FROM sessions
		WHERE org_id = $1 AND member_id = $2 ORDER BY seen_ms DESC, id DESC`, by.Org.ID, by.Member.ID)
	live := make([]*Session, 0, len(all))
	for _, s := range all {
		if !a.ended(s) {
			live = append(live, s)
		}
	}
	return live, err
}

// EndSession ends one of the actor's sessions.
func (a *Accounts) EndSession(ctx context.Context, by *Actor, session string) error {
	if err := a.db.Tx(ctx, func(tx *db.Tx) error { return endSession(ctx, tx, by.Org.ID, by.Member.ID, session) }); err != nil {
		return err
	}
	return a.tellEnded(ctx, ByMember, endedSessions{by.Org.ID, by.Member.ID, 1})
}

func endSession(ctx context.Context, tx *db.Tx, org OrgID, m MemberID, session string) error {
	n, err := tx.Exec(ctx, `DELETE FROM sessions WHERE org_id = $1 AND member_id = $2 AND id = $3`, org, m, session)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no such session; it may have ended already.")
	}
	return err
}

// EndOtherSessions ends all sessions of the actor's person but the one in use, in all their organisations.
func (a *Accounts) EndOtherSessions(ctx context.Context, by *Actor) error {
	keep := ""
	if by.Session != nil {
		keep = by.Session.ID
	}
	var ended []endedSessions
	if err := a.db.Tx(ctx, func(tx *db.Tx) error {
		here, err := tx.Exec(ctx, `DELETE FROM sessions WHERE org_id = $1 AND member_id = $2 AND id <> $3`, by.Org.ID, by.Member.ID, keep)
		ended = []endedSessions{{by.Org.ID, by.Member.ID, here}}
		if err != nil || by.Member.Email == "" || by.Session == nil || !by.Session.ByPassword {
			return err
		}
		person, err := a.personKey(ctx, by.Member.Email)
		if err != nil {
			return err
		}
		elsewhere, err := endSessionsOf(ctx, tx, person, keep)
		ended = append(ended, elsewhere...)
		return err
	}); err != nil {
		return err
	}
	return a.tellEnded(ctx, ByMember, ended...)
}

// endSessionsOf ends a person's sessions everywhere, but one, and tells how many those were.
func endSessionsOf(ctx context.Context, tx *db.Tx, person []byte, keep string) ([]endedSessions, error) {
	ended, err := db.Select(ctx, tx, func(r db.Scanner) (e endedSessions, err error) { return e, r.Scan(&e.org, &e.member, &e.count) }, `
		SELECT s.org_id, s.member_id, count(*) FROM sessions s JOIN members m ON m.org_id = s.org_id AND m.id = s.member_id
		WHERE m.email_key = $1 AND s.id <> $2 GROUP BY s.org_id, s.member_id ORDER BY s.org_id, s.member_id`, person, keep)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM sessions WHERE id <> $2 AND EXISTS (SELECT 1 FROM members m
		WHERE m.email_key = $1 AND m.org_id = sessions.org_id AND m.id = sessions.member_id)`, person, keep)
	return ended, err
}

// SignOut ends the session with this secret. One that ended already is no error.
func (a *Accounts) SignOut(ctx context.Context, secret string) error {
	org, hash, ok := readSecret(sessionPrefix, secret)
	if !ok {
		return nil
	}
	_, err := a.db.Exec(ctx, `DELETE FROM sessions WHERE org_id = $1 AND secret_hash = $2`, org, hash)
	return err
}

const sessionColumns = `org_id, id, member_id, by_password, from_sealed, created_ms, seen_ms`

func (a *Accounts) scanSession(ctx context.Context) func(db.Scanner) (*Session, error) {
	return func(r db.Scanner) (*Session, error) {
		var s Session
		var byPassword int
		var sealed []byte
		var created, seen int64
		if err := r.Scan(&s.Org, &s.ID, &s.Member, &byPassword, &sealed, &created, &seen); err != nil {
			return nil, err
		}
		s.ByPassword, s.CreatedAt, s.SeenAt = byPassword == 1, time.UnixMilli(created), time.UnixMilli(seen)
		k, err := a.keys.Org(ctx, int64(s.Org))
		if err != nil {
			return nil, err
		}
		from, err := open(k, "session.from", sealed)
		s.IP, s.UserAgent, _ = strings.Cut(from, "\n")
		return &s, err
	}
}
