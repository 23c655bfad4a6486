package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
)

func scopes(p ...account.Permission) []account.Permission { return p }

func TestATokenActsForItsMaker(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		admin := w.as(w.join(w.as(owner), account.NewInvitation{Email: "a@example.com", Role: account.Admin}))
		secret, made, err := w.CreateToken(ctx, admin, account.NewToken{Name: "Nightly export", Scopes: scopes(account.ReadCalls, account.ImportCalls, account.ReadCalls)})
		must(t, err)
		if !strings.HasPrefix(secret, "ply_1_") || !slices.Equal(made.Scopes, scopes(account.ReadCalls, account.ImportCalls)) {
			t.Errorf("the token is %q, %+v", secret, made)
		}
		by, err := w.ByToken(ctx, secret)
		must(t, err)
		if by.Org.ID != org.ID || by.Member.ID != admin.Member.ID || by.Token.ID != made.ID || by.Session != nil {
			t.Errorf("the token acts as %+v", by)
		}
		if !by.Can(account.ImportCalls) || by.Can(account.DeleteCalls) {
			t.Error("the token does not keep to its scopes")
		}
		if err := by.Require(account.DeleteCalls); fault.KindOf(err) != fault.Denied || !strings.Contains(fault.Sentence(err), "delete_calls") {
			t.Errorf("a missing scope gave %v", err)
		}
		_, _, err = w.CreateToken(ctx, by, account.NewToken{Name: "child", Scopes: scopes(account.ReadCalls)})
		refused(t, "a token made by a token without the scope", err, fault.Denied)
		_, err = w.SetRole(ctx, w.as(owner), admin.Member.ID, account.Manager)
		must(t, err)
		by, err = w.ByToken(ctx, secret)
		must(t, err)
		if by.Can(account.ImportCalls) || !by.Can(account.ReadCalls) {
			t.Error("the token can do what its maker no longer can")
		}
		if got, err := by.Agents(ctx); err != nil || got == nil {
			t.Errorf("a manager's token sees %v, %v; want no more than the manager", got, err)
		}
		w.pass(time.Hour)
		_, err = w.ByToken(ctx, secret)
		must(t, err)
		all, err := w.Tokens(ctx, org.ID)
		must(t, err)
		if len(all) != 1 || !all[0].UsedAt.Equal(w.now) || all[0].Name != "Nightly export" || !all[0].ExpiresAt.IsZero() {
			t.Errorf("the tokens are %+v", all)
		}
		must(t, w.RevokeToken(ctx, w.as(owner), made.ID))
		_, err = w.ByToken(ctx, secret)
		refused(t, "a revoked token", err, fault.Unauthenticated)
		refused(t, "revoking it again", w.RevokeToken(ctx, w.as(owner), made.ID), fault.NotFound)
	})
}

func TestATokenExpires(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		until := w.now.Add(24 * time.Hour)
		secret, _, err := w.CreateToken(ctx, w.as(owner), account.NewToken{Name: "x", Scopes: scopes(account.ReadCalls), Expires: &until})
		must(t, err)
		w.pass(24*time.Hour - time.Second)
		_, err = w.ByToken(ctx, secret)
		must(t, err)
		w.pass(time.Second)
		_, err = w.ByToken(ctx, secret)
		refused(t, "an expired token", err, fault.Unauthenticated)
		if !strings.Contains(fault.Sentence(err), "expired on 2026-03-03") {
			t.Errorf("%q does not say when it expired", fault.Sentence(err))
		}
		for _, bad := range []string{"", "ply_1_nonsense", "ply_2" + strings.TrimPrefix(secret, "ply_1"), "pls" + strings.TrimPrefix(secret, "ply")} {
			_, err := w.ByToken(ctx, bad)
			refused(t, bad, err, fault.Unauthenticated)
		}
	})
}

func TestABadTokenIsNotMade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		past := w.now
		_, _, err := w.CreateToken(ctx, w.as(owner), account.NewToken{Expires: &past})
		if len(fault.Fields(err)) != 3 {
			t.Errorf("an empty token gave %v, want three sentences", err)
		}
		_, _, err = w.CreateToken(ctx, w.as(owner), account.NewToken{Name: "x", Scopes: scopes("all")})
		refused(t, "an unknown scope", err, fault.Invalid)
		_, _, err = w.CreateToken(ctx, w.Operator(org), account.NewToken{Name: "x", Scopes: scopes(account.ReadCalls)})
		refused(t, "a token for the operator", err, fault.Invalid)
		admin := w.as(w.join(w.as(owner), account.NewInvitation{Email: "a@example.com", Role: account.Admin}))
		_, _, err = w.CreateToken(ctx, admin, account.NewToken{Name: "x", Scopes: scopes(account.ManageOrg)})
		refused(t, "a scope above one's own", err, fault.Invalid)
		agent := w.as(w.join(w.as(owner), account.NewInvitation{Email: "g@example.com", Role: account.Agent}))
		_, _, err = w.CreateToken(ctx, agent, account.NewToken{Name: "x", Scopes: scopes(account.ReadCalls)})
		refused(t, "an agent's token", err, fault.Denied)
		refused(t, "an agent revoking", w.RevokeToken(ctx, agent, "tok_x"), fault.Denied)
	})
}
