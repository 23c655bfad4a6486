package app

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/platform/civil"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token for a program."`
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token."`
}

type tokenCreateCmd struct {
	inOrg
	asJSON
	Name    string   `required:"" help:"What the token is for."`
	Scope   []string `required:"" help:"What it may do, such as read_reports,read_calls."`
	Member  string   `help:"Member it acts for; the owner when left out."`
	Expires string   `placeholder:"2027-01-31" help:"Last day it works; without, it works until it is revoked."`
}

func (c *tokenCreateCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	m, err := r.p.Accounts.Owner(ctx, org.ID)
	if c.Member != "" {
		m, err = findMember(ctx, r, org, c.Member)
	}
	if err != nil {
		return err
	}
	n := account.NewToken{Name: c.Name}
	if n.Scopes, err = account.ParseScopes(c.Scope); err != nil {
		return err
	}
	if c.Expires != "" {
		day, err := civil.Parse(c.Expires)
		if err != nil {
			return err
		}
		end := (day + 1).Start(org.Location())
		n.Expires = &end
	}
	actor, err := r.p.Accounts.As(ctx, org.ID, m.ID)
	if err != nil {
		return err
	}
	secret, token, err := r.p.Accounts.CreateToken(ctx, actor, n)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, struct {
			ID    string `json:"id"`
			Token string `json:"token"`
		}{token.ID, secret})
	}
	return r.printf("%s\nThis is shown once. Send it as \"Authorization: Bearer …\".\n", secret)
}

type tokenListCmd struct {
	inOrg
	asJSON
}

// tokenView is a token as JSON; times that never come are null.
type tokenView struct {
	ID      string               `json:"id"`
	Name    string               `json:"name"`
	Member  account.MemberID     `json:"member"`
	Scopes  []account.Permission `json:"scopes"`
	Expires *time.Time           `json:"expires_at"`
	Used    *time.Time           `json:"used_at"`
}

func (c *tokenListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	tokens, err := r.p.Accounts.Tokens(ctx, org.ID)
	if err != nil {
		return err
	}
	out := make([]tokenView, len(tokens))
	for i, t := range tokens {
		out[i] = tokenView{t.ID, t.Name, t.Member, t.Scopes, orNil(t.ExpiresAt), orNil(t.UsedAt)}
	}
	return c.write(r, out, func(t *table) {
		t.row("NAME", "SCOPES", "EXPIRES", "LAST USED", "ID")
		for _, v := range out {
			var scopes []string
			for _, s := range v.Scopes {
				scopes = append(scopes, string(s))
			}
			t.row(v.Name, strings.Join(scopes, " "), moment(v.Expires, org), moment(v.Used, org), v.ID)
		}
	})
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// moment writes a time in the organisation's zone, and nothing for one that never was.
func moment(t *time.Time, org *account.Org) string {
	if t == nil {
		return ""
	}
	return t.In(org.Location()).Format("2006-01-02 15:04")
}

type tokenRevokeCmd struct {
	inOrg
	Token string `arg:"" help:"Id of the token, from \"parley token list\"."`
}

func (c *tokenRevokeCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if err := r.p.Accounts.RevokeToken(ctx, r.p.Accounts.Operator(org), c.Token); err != nil {
		return err
	}
	return r.printf("The token %s does not work any more.\n", c.Token)
}
