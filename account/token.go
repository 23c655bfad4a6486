package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/revoke"
)

// Token lets a program act for the member who made it.
type Token struct {
	ID        string
	Org       OrgID
	Member    MemberID // who made it
	Name      string
	Scopes    []Permission
	CreatedAt time.Time
	ExpiresAt time.Time // zero = never
	UsedAt    time.Time // to the minute; zero = not yet
}

// NewToken is what a token to be made is to allow, and until when.
type NewToken struct {
	Name    string
	Scopes  []Permission
	Expires *time.Time // nil = never
}

// CreateToken makes a token for the actor and gives its secret, which is shown once. A token cannot do more than its
// maker, and never more than its maker may do at the time it is used.
func (a *Accounts) CreateToken(ctx context.Context, by *Actor, n NewToken) (string, *Token, error) {
	if err := by.Require(ManageTokens); err != nil {
		return "", nil, err
	}
	if by.Member.ID == "" {
		return "", nil, fault.New(fault.Invalid, "A token acts for a member. Say for which, by e-mail address or id.")
	}
	t, err := a.readToken(by, n)
	if err != nil {
		return "", nil, err
	}
	words := make([]string, len(t.Scopes))
	for i, s := range t.Scopes {
		words[i] = string(s)
	}
	expires := int64(0)
	if !t.ExpiresAt.IsZero() {
		expires = t.ExpiresAt.UnixMilli()
	}
	secret := newSecret(tokenPrefix, t.Org)
	_, err = a.db.Exec(ctx, `
		INSERT INTO tokens (org_id, id, member_id, name, secret_hash, scopes, created_ms, expires_ms, used_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		t.Org, t.ID, t.Member, t.Name, id.Hash(secret), strings.Join(words, " "), t.CreatedAt.UnixMilli(), expires)
	return secret, t, err
}

func (a *Accounts) readToken(by *Actor, n NewToken) (*Token, error) {
	t := &Token{ID: id.New("tok"), Org: by.Org.ID, Member: by.Member.ID, CreatedAt: a.now()}
	var nameErr, expiryErr error
	t.Name, nameErr = cleanName("name", "The token's name", n.Name)
	words := make([]string, len(n.Scopes))
	for i, s := range n.Scopes {
		words[i] = string(s)
	}
	var scopesErr error
	t.Scopes, scopesErr = ParseScopes(words)
	if scopesErr == nil && len(t.Scopes) == 0 {
		scopesErr = fault.Field("scopes", "A token without scopes could do nothing. Choose at least one.")
	}
	for _, s := range t.Scopes {
		if scopesErr == nil && !by.Can(s) {
			scopesErr = fault.Field("scopes", "You cannot give a token the scope %q, since you do not have that permission yourself.", s)
		}
	}
	if n.Expires != nil {
		t.ExpiresAt = *n.Expires
		if !t.ExpiresAt.After(t.CreatedAt) {
			expiryErr = fault.Field("expires", "The token would be expired already. Choose a later day, or none.")
		}
	}
	return t, fault.Join(nameErr, scopesErr, expiryErr)
}

// Tokens lists an organisation's tokens, newest first.
func (a *Accounts) Tokens(ctx context.Context, org OrgID) ([]*Token, error) {
	return db.Select(ctx, a.db, scanToken, `SELECT `+tokenColumns+` FROM tokens WHERE org_id = $1 ORDER BY created_ms DESC, id DESC`, org)
}

// RevokeToken ends a token at once.
func (a *Accounts) RevokeToken(ctx context.Context, by *Actor, token string) error {
	if err := by.Require(ManageTokens); err != nil {
		return err
	}
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM tokens WHERE org_id = $1 AND id = $2`, by.Org.ID, token)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "There is no token %s in this organisation.", token)
		}
		if err != nil {
			return err
		}
		return a.noteAway(by.Org.ID, revoke.Token, token, revoke.None)
	})
}

// ByToken gives who acts through a token, and notes that it is in use.
func (a *Accounts) ByToken(ctx context.Context, secret string) (*Actor, error) {
	unknown := fault.New(fault.Unauthenticated, "This token is not known, or was revoked. Make one under Settings, API tokens, and send it whole, as \"Authorization: Bearer ply_…\".")
	org, hash, ok := readSecret(tokenPrefix, secret)
	if !ok {
		return nil, unknown
	}
	actor := &Actor{accounts: a}
	err := a.db.Read(ctx, func(tx *db.Tx) error {
		t, ok, err := db.One(ctx, tx, scanToken, `SELECT `+tokenColumns+` FROM tokens WHERE org_id = $1 AND secret_hash = $2`, org, hash)
		if err != nil {
			return err
		}
		if !ok {
			return unknown
		}
		actor.Token = t
		if actor.Org, err = a.org(ctx, tx, org); err != nil {
			return err
		}
		actor.Member, err = a.member(ctx, tx, org, t.Member)
		return err
	})
	if err != nil {
		return nil, err
	}
	t := actor.Token
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(a.now()) {
		return nil, fault.New(fault.Unauthenticated, "This token expired on %s. Make a new one under Settings, API tokens.", t.ExpiresAt.In(actor.Org.Location()).Format(time.DateOnly))
	}
	if !actor.Member.Active {
		return nil, fault.New(fault.Unauthenticated, "The member who made this token is no longer active. Somebody else must make a new one under Settings, API tokens.")
	}
	if err := a.touchToken(ctx, t); err != nil {
		return nil, err
	}
	return a.gated(ctx, actor)
}

func (a *Accounts) touchToken(ctx context.Context, t *Token) error {
	now := a.now()
	if now.Sub(t.UsedAt) < seenPrecision {
		return nil
	}
	t.UsedAt = now
	_, err := a.db.Exec(ctx, `UPDATE tokens SET used_ms = $3 WHERE org_id = $1 AND id = $2`, t.Org, t.ID, now.UnixMilli())
	return unlessFull(err)
}

const tokenColumns = `org_id, id, member_id, name, scopes, created_ms, expires_ms, used_ms`

func scanToken(r db.Scanner) (*Token, error) {
	var t Token
	var scopes string
	var created, expires, used int64
	if err := r.Scan(&t.Org, &t.ID, &t.Member, &t.Name, &scopes, &created, &expires, &used); err != nil {
		return nil, err
	}
	known := Permissions()
	for w := range strings.FieldsSeq(scopes) {
		if p := Permission(w); slices.Contains(known, p) { // one that a later version dropped allows nothing
			t.Scopes = append(t.Scopes, p)
		}
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt = time.UnixMilli(created), moment(expires), moment(used)
	return &t, nil
}
