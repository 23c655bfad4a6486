package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
)

const tagAccess = "Tokens and sessions"

// Token lets a program act for the member who made it.
type Token struct {
	ID        string               `json:"id"`
	Name      string               `json:"name"`
	Member    account.MemberID     `json:"member" doc:"Who made it; it can never do more than they may"`
	Scopes    []account.Permission `json:"scopes"`
	CreatedAt *time.Time           `json:"created_at"`
	ExpiresAt *time.Time           `json:"expires_at,omitempty" doc:"Absent when it never does"`
	UsedAt    *time.Time           `json:"used_at,omitempty" doc:"To the minute; absent before its first use"`
}

// NewToken is what a token is to allow, and until when.
type NewToken struct {
	Name      string     `json:"name" minLength:"1" maxLength:"200"`
	Scopes    []string   `json:"scopes" minItems:"1" maxItems:"50" doc:"Permissions, each one that you have yourself"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Leave it out for a token that never expires"`
}

// MadeToken is a token with its secret.
type MadeToken struct {
	Token
	Secret string `json:"secret" doc:"Shown this once" example:"ply_…"`
}

// Session is one signed-in browser.
type Session struct {
	ID        string     `json:"id"`
	IP        string     `json:"ip,omitempty"`
	UserAgent string     `json:"user_agent,omitempty"`
	CreatedAt *time.Time `json:"created_at"`
	SeenAt    *time.Time `json:"seen_at" doc:"Its last use, to the minute"`
	Current   bool       `json:"current" doc:"Whether this request came through it"`
}

func tokenOf(org *account.Org, t *account.Token) Token {
	return Token{ID: t.ID, Name: t.Name, Member: t.Member, Scopes: t.Scopes, CreatedAt: at(org, t.CreatedAt), ExpiresAt: at(org, t.ExpiresAt), UsedAt: at(org, t.UsedAt)}
}

func (s *API) tokens() {
	handle(s, does(http.MethodGet, "/tokens", "list-tokens", account.ManageTokens, tagAccess, "List API tokens").
		saying("Those of the whole organisation, newest first, without their secrets."), s.listTokens)
	handle(s, does(http.MethodPost, "/tokens", "create-token", account.ManageTokens, tagAccess, "Make an API token").giving(http.StatusCreated), s.createToken)
	handle(s, does(http.MethodDelete, "/tokens/{token}", "revoke-token", account.ManageTokens, tagAccess, "Revoke an API token").
		saying("It ends at once.").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			Token string `path:"token"`
		}) (*struct{}, error) {
			return nil, s.Accounts.RevokeToken(ctx, actorOf(ctx), in.Token)
		})
}

func (s *API) listTokens(ctx context.Context, in *struct{ Paging }) (*body[Page[Token]], error) {
	org := callerOf(ctx).org
	all, err := s.Accounts.Tokens(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Token, len(all))
	for i := range all {
		out[i] = tokenOf(org, all[i])
	}
	return pageOf(out, in.Paging, func(t Token) string { return t.ID })
}

func (s *API) createToken(ctx context.Context, in *struct{ Body NewToken }) (*body[MadeToken], error) {
	scopes, err := account.ParseScopes(in.Body.Scopes)
	if err != nil {
		return nil, err
	}
	secret, t, err := s.Accounts.CreateToken(ctx, actorOf(ctx), account.NewToken{Name: in.Body.Name, Scopes: scopes, Expires: in.Body.ExpiresAt})
	if err != nil {
		return nil, err
	}
	return answerOf(MadeToken{Token: tokenOf(callerOf(ctx).org, t), Secret: secret}), nil
}

func (s *API) sessions() {
	handle(s, does(http.MethodGet, "/sessions", "list-sessions", account.ReadOwn, tagAccess, "Where you are signed in").
		saying("The browsers in which the caller's member is signed in to this organisation, used last first."), s.listSessions)
	// Ending a session is a deed on credentials, so a token must be allowed those.
	handle(s, does(http.MethodDelete, "/sessions/{session}", "end-session", account.ManageTokens, tagAccess, "End one of your sessions").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			Session string `path:"session"`
		}) (*struct{}, error) {
			return nil, s.Accounts.EndSession(ctx, actorOf(ctx), in.Session)
		})
}

func (s *API) listSessions(ctx context.Context, in *struct{ Paging }) (*body[Page[Session]], error) {
	a := actorOf(ctx)
	all, err := s.Accounts.Sessions(ctx, a)
	if err != nil {
		return nil, err
	}
	out := make([]Session, len(all))
	for i, x := range all {
		out[i] = Session{
			ID: x.ID, IP: x.IP, UserAgent: x.UserAgent, CreatedAt: at(a.Org, x.CreatedAt), SeenAt: at(a.Org, x.SeenAt),
			Current: a.Session != nil && a.Session.ID == x.ID,
		}
	}
	return pageOf(out, in.Paging, func(x Session) string { return x.ID })
}
