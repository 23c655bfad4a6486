package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
	"parley/trust/policy"
)

const goodWords = "neun lila elefanten"

// signedUp is an installation with an owner who has a password.
func signedUp(t *testing.T) (*Parley, *account.Org, *account.Member) {
	t.Helper()
	p, ctx := founded(t), t.Context()
	org, owner, err := p.Accounts.SignUp(ctx, account.SignUp{Company: "Asha Traders", ContactName: "Asha Patel", ContactPhone: "+919812300001", Email: "owner@example.com",
		Password: goodWords, Country: "IN", Zone: "Asia/Kolkata", AcceptTerms: true, Adult: true})
	if err != nil {
		t.Fatal(err)
	}
	return p, org, owner
}

// around tells what a log says of signing in, the oldest first.
func around(t *testing.T, p *Parley, org account.OrgID) []string {
	t.Helper()
	all, _, err := p.Audit.List(t.Context(), int64(org), audit.Filter{Actions: []audit.Action{audit.SignInFailed, audit.ResetAsked, audit.ResetDone, audit.SessionEnded}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range slices.Backward(all) {
		text := fmt.Sprint(e.Entry)
		for _, secret := range []string{"@", "example", "203.0.113", "2001:db8", "Firefox", goodWords} {
			if strings.Contains(text, secret) || strings.Contains(e.Leaf, secret) {
				t.Errorf("the entry %s tells %q", text, secret)
			}
		}
		kind, _, _ := strings.Cut(e.Object, "/")
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s%s %s%s", e.Action, e.Result, e.Details["cause"], e.Details["sessions"], e.About, kind)))
	}
	return out
}

// P49, P51: who signs in wrongly, asks for a new password, sets one or loses sessions stands in the audit log, and no
// address does.
func TestWhatHappensAroundSigningInIsLogged(t *testing.T) {
	p, org, owner := signedUp(t)
	ctx, from := t.Context(), account.SignInFrom{IP: "203.0.113.9", UserAgent: "Firefox/9"}
	begun := len(around(t, p, org.ID))
	sign := func(email, pass string) (string, error) {
		_, secret, err := p.Accounts.SignIn(ctx, email, pass, from)
		return secret, err
	}
	first, err := sign("owner@example.com", goodWords)
	if err != nil {
		t.Fatal(err)
	}
	actor, err := p.Accounts.Session(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := sign("owner@example.com", goodWords); err != nil {
			t.Fatal(err)
		}
	}
	for range 7 {
		if _, err := sign("owner@example.com", "a wrong one"); err == nil {
			t.Fatal("a wrong password opens")
		}
	}
	if _, err := sign("nobody@example.com", "a wrong one"); fault.KindOf(err) != fault.Unauthenticated {
		t.Fatal(err)
	}
	if err := p.Accounts.EndOtherSessions(ctx, actor); err != nil {
		t.Fatal(err)
	}
	secret, _, err := p.Accounts.StartReset(ctx, "owner@example.com")
	if err == nil {
		_, _, err = p.Accounts.StartReset(ctx, "nobody@example.com")
	}
	if err == nil {
		err = p.Accounts.UseReset(ctx, secret, "acht gelbe nashoerner")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Accounts.Session(ctx, first); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("the session outlives the reset: %v", err)
	}
	me := "member/" + string(owner.ID)
	wrong := "sign_in.failed failed sign_in " + me
	want := []string{wrong, wrong, wrong, wrong, wrong, "sign_in.failed denied too_many " + me, "session.ended ok member2 " + me,
		"password.reset_asked ok  " + me, "password.reset ok  " + me, "session.ended ok reset1 " + me}
	if got := around(t, p, org.ID)[begun:]; !slices.Equal(got, want) {
		t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	want = []string{"sign_in.failed failed sign_in address", "password.reset_asked ok  address"}
	if got := around(t, p, 0); !slices.Equal(got, want) {
		t.Errorf("of an address that nobody has the log says %q, want %q", got, want)
	}
}

// P27: entries of requests name the version of the policy in force.
func TestEntriesNameThePolicy(t *testing.T) {
	p, org, owner := signedUp(t)
	ctx := t.Context()
	visit := func() int {
		t.Helper()
		if err := p.Audit.Visited(ctx, int64(org.ID), audit.Visit{Entry: audit.Entry{Actor: string(owner.ID), Action: audit.ExportMade}}); err != nil {
			t.Fatal(err)
		}
		all, _, err := p.Audit.List(ctx, int64(org.ID), audit.Filter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Policy
	}
	if n := visit(); n != 0 {
		t.Errorf("under the shipped document an entry names version %d", n)
	}
	if _, err := p.Policies.Publish(ctx, p.Accounts.Operator(org), policy.DefaultText(policy.Facts{Name: "First", Address: "12 Ring Road, Pune 411001", Country: "IN",
		Contact: "privacy@first.example", Phone: "+91 20 5550 0100", Grievance: policy.Officer{Name: "Meena Joshi", Email: "grievance@first.example"}})); err != nil {
		t.Fatal(err)
	}
	if n := visit(); n != 1 {
		t.Errorf("under the first version an entry names version %d", n)
	}
}
