package account_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
)

func TestAnInvitedPersonJoins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		team, err := w.CreateTeam(ctx, org.ID, "Sales")
		must(t, err)
		gone, err := w.CreateTeam(ctx, org.ID, "Soon gone")
		must(t, err)
		secret, made, err := w.Invite(ctx, w.as(owner), account.NewInvitation{
			Email: "Ravi@example.com", Name: "Ravi", Role: account.Agent, Teams: []account.TeamID{team.ID, gone.ID}})
		must(t, err)
		must(t, w.DeleteTeam(ctx, org.ID, gone.ID))
		inv, err := w.Invitation(ctx, secret)
		must(t, err)
		if inv.ID != made.ID || inv.Email != "ravi@example.com" || inv.Role != account.Agent || !inv.Agent || inv.InvitedBy != owner.ID {
			t.Errorf("the invitation is %+v", inv)
		}
		if known, err := w.KnownPerson(ctx, inv); known || err != nil {
			t.Errorf("a new person is known: %v", err)
		}
		_, err = w.Accept(ctx, secret, account.Acceptance{Password: secretWords})
		if len(fault.Fields(err)) != 2 {
			t.Errorf("accepting without terms and age gave %v", err)
		}
		in := yes("")
		in.Password = "ravi@example.com"
		_, err = w.Accept(ctx, secret, in)
		refused(t, "one's address as password", err, fault.Invalid)
		m, err := w.Accept(ctx, secret, yes(""))
		must(t, err)
		if m.Name != "Ravi" || m.Email != "ravi@example.com" || m.Agent != 1 || !slices.Equal(m.Teams, []account.TeamID{team.ID}) || m.JoinedAt.IsZero() {
			t.Errorf("the member is %+v", m)
		}
		if n := w.count(`SELECT count(*) FROM acceptances WHERE member_id = $1 AND terms = $2`, m.ID, account.Terms); n != 1 {
			t.Error("nothing tells that the terms were accepted")
		}
		_, err = w.Accept(ctx, secret, yes("Ravi"))
		refused(t, "accepting twice", err, fault.Gone)
		w.signIn("ravi@example.com", secretWords)
		_, _, err = w.Invite(ctx, w.as(owner), account.NewInvitation{Email: "ravi@example.com", Role: account.Viewer})
		refused(t, "inviting a member", err, fault.Conflict)
	})
}

func TestAnAgentGetsASignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		by := w.as(owner)
		named, err := w.AddAgent(ctx, org.ID, account.NewAgent{Name: "No address"})
		must(t, err)
		mailed, err := w.AddAgent(ctx, org.ID, account.NewAgent{Name: "With address", Email: "with@example.com"})
		must(t, err)
		_, _, err = w.Invite(ctx, by, account.NewInvitation{Member: named.ID})
		refused(t, "no address at all", err, fault.Invalid)
		first, _, err := w.Invite(ctx, by, account.NewInvitation{Member: named.ID, Email: "one@example.com"})
		must(t, err)
		second, _, err := w.Invite(ctx, by, account.NewInvitation{Member: named.ID, Email: "two@example.com"})
		must(t, err)
		_, err = w.Accept(ctx, first, yes(""))
		refused(t, "an invitation replaced by a newer one", err, fault.Gone)
		m, err := w.Accept(ctx, second, yes(""))
		must(t, err)
		if m.ID != named.ID || m.Agent != named.Agent || m.Email != "two@example.com" || m.Name != "No address" {
			t.Errorf("the agent is %+v", m)
		}
		// The address alone means the member who has it.
		secret, inv, err := w.Invite(ctx, by, account.NewInvitation{Email: "WITH@example.com", Role: account.Owner, Name: "Other"})
		must(t, err)
		if inv.Member != mailed.ID || inv.Role != account.Agent || inv.Name != "With address" {
			t.Errorf("the invitation is %+v", inv)
		}
		m, err = w.Accept(ctx, secret, yes("My own name"))
		must(t, err)
		if m.ID != mailed.ID || m.Name != "My own name" {
			t.Errorf("the agent is %+v", m)
		}
		third, err := w.AddAgent(ctx, org.ID, account.NewAgent{Name: "Third"})
		must(t, err)
		secret, _, err = w.Invite(ctx, by, account.NewInvitation{Member: third.ID, Email: "two@example.com"})
		must(t, err)
		_, err = w.Accept(ctx, secret, yes(""))
		refused(t, "an address that another member has", err, fault.Conflict)
	})
}

func TestTheOwnerOfACreatedOrganisationIsInvited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, err := w.CreateOrg(ctx, account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "owner@example.com"})
		must(t, err)
		owner, err := w.Owner(ctx, org.ID)
		must(t, err)
		if owner.Role != account.Owner || owner.Email != "owner@example.com" || !owner.JoinedAt.IsZero() {
			t.Errorf("the owner is %+v", owner)
		}
		secret, _, err := w.Invite(ctx, w.Operator(org), account.NewInvitation{Member: owner.ID})
		must(t, err)
		_, err = w.Accept(ctx, secret, yes("Asha"))
		must(t, err)
		if got := w.signIn("owner@example.com", secretWords); got.Member.ID != owner.ID || !got.Can(account.ManageOrg) {
			t.Errorf("the owner signs in as %+v", got.Member)
		}
		_, err = w.CreateOrg(ctx, account.NewOrg{Name: " ", Country: "India", Zone: "IST", OwnerEmail: "x"})
		if len(fault.Fields(err)) != 4 {
			t.Errorf("a bad organisation gave %v", err)
		}
	})
}

func TestInvitationsExpireAndAreWithdrawn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		by := w.as(owner)
		late, _, err := w.Invite(ctx, by, account.NewInvitation{Email: "late@example.com", Role: account.Viewer})
		must(t, err)
		w.pass(time.Minute)
		taken, inv, err := w.Invite(ctx, by, account.NewInvitation{Email: "taken@example.com", Role: account.Viewer})
		must(t, err)
		if all, err := w.Invitations(ctx, org.ID); err != nil || len(all) != 2 || all[0].ID != inv.ID {
			t.Errorf("the invitations are %v, %v", all, err)
		}
		must(t, w.Revoke(ctx, by, inv.ID))
		_, err = w.Accept(ctx, taken, yes("X"))
		refused(t, "a withdrawn invitation", err, fault.Gone)
		refused(t, "withdrawing it again", w.Revoke(ctx, by, inv.ID), fault.NotFound)
		w.pass(7 * 24 * time.Hour)
		_, err = w.Accept(ctx, late, yes("X"))
		refused(t, "an expired invitation", err, fault.Gone)
		if !strings.Contains(fault.Sentence(err), "7 days") {
			t.Errorf("%q does not say how long it could be accepted", fault.Sentence(err))
		}
		w.pass(31 * 24 * time.Hour)
		w.expire()
		if all, err := w.Invitations(ctx, org.ID); len(all) != 0 || err != nil {
			t.Errorf("%d old invitations are kept, %v", len(all), err)
		}
	})
}

func TestAKnownPersonJoinsWithTheirPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		two, err := w.CreateOrg(ctx, account.NewOrg{Name: "Two", Country: "IN", Zone: "Asia/Kolkata"})
		must(t, err)
		secret, inv, err := w.Invite(ctx, w.Operator(two), account.NewInvitation{Email: "asha@example.com", Role: account.Manager})
		must(t, err)
		if known, err := w.KnownPerson(ctx, inv); !known || err != nil {
			t.Errorf("the person is not known: %v", err)
		}
		in := yes("Asha")
		in.Password = "wrong password"
		for range 5 {
			_, err = w.Accept(ctx, secret, in)
			refused(t, "another password", err, fault.Invalid)
		}
		_, err = w.Accept(ctx, secret, in)
		refused(t, "guessing through an invitation", err, fault.TooMany)
		w.pass(time.Minute)
		_, err = w.Accept(ctx, secret, yes("Asha"))
		must(t, err)
		if all, err := w.Memberships(ctx, w.signIn("asha@example.com", secretWords)); err != nil || len(all) != 2 {
			t.Errorf("the organisations are %v, %v", all, err)
		}
	})
}
