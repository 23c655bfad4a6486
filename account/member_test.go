package account_test

import (
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
)

func TestAgentsAreNumberedPerOrganisation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		one, owner := w.signUp(asha())
		two, err := w.CreateOrg(ctx, account.NewOrg{Name: "Two", Country: "IN", Zone: "Asia/Kolkata"})
		must(t, err)
		team, err := w.CreateTeam(ctx, one.ID, "Sales")
		must(t, err)
		ravi, err := w.AddAgent(ctx, one.ID, account.NewAgent{Name: " Ravi  Kumar ", Teams: []account.TeamID{team.ID}})
		must(t, err)
		meena, err := w.AddAgent(ctx, one.ID, account.NewAgent{Name: "meena", Email: "Meena@example.com"})
		must(t, err)
		foreign, err := w.AddAgent(ctx, two.ID, account.NewAgent{Name: "ravi kumar"})
		must(t, err)
		boss, err := w.MakeAgent(ctx, one.ID, owner.ID)
		must(t, err)
		if ravi.Agent != 1 || meena.Agent != 2 || boss.Agent != 3 || foreign.Agent != 1 {
			t.Errorf("agents have numbers %d %d %d and %d", ravi.Agent, meena.Agent, boss.Agent, foreign.Agent)
		}
		if again, err := w.MakeAgent(ctx, one.ID, owner.ID); err != nil || again.Agent != 3 {
			t.Errorf("making an agent twice gave %v, %v", again, err)
		}
		if ravi.Name != "Ravi Kumar" || ravi.Role != account.Agent || !slices.Equal(ravi.Teams, []account.TeamID{team.ID}) || ravi.Email != "" {
			t.Errorf("the agent is %+v", ravi)
		}
		for _, said := range []string{string(meena.ID), "MEENA", "meena@EXAMPLE.com"} {
			if got, err := w.FindAgent(ctx, one.ID, said); err != nil || got.ID != meena.ID {
				t.Errorf("%q finds %v, %v", said, got, err)
			}
		}
		if got, err := w.AgentByNo(ctx, one.ID, 1); err != nil || got.ID != ravi.ID {
			t.Errorf("agent 1 is %v, %v", got, err)
		}
		if all, err := w.Agents(ctx, one.ID); err != nil || len(all) != 3 || all[2].ID != owner.ID {
			t.Errorf("the agents are %v, %v", all, err)
		}
		_, err = w.AddAgent(ctx, one.ID, account.NewAgent{Name: "ravi kumar"})
		must(t, err)
		_, err = w.FindAgent(ctx, one.ID, "Ravi Kumar")
		refused(t, "a name of two", err, fault.Conflict)
		_, err = w.FindAgent(ctx, one.ID, "")
		refused(t, "no name", err, fault.NotFound)
		_, err = w.AddAgent(ctx, one.ID, account.NewAgent{Name: "Twin", Email: "meena@example.com"})
		refused(t, "a second member with an address", err, fault.Conflict)
		_, err = w.AddAgent(ctx, one.ID, account.NewAgent{Name: "\x00", Email: "nobody"})
		if len(fault.Fields(err)) != 2 {
			t.Errorf("a bad name and address gave %v", err)
		}
	})
}

func TestAnotherOrganisationsIdsDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		one, owner := w.signUp(asha())
		two, err := w.CreateOrg(ctx, account.NewOrg{Name: "Two", Country: "IN", Zone: "Asia/Kolkata"})
		must(t, err)
		team, err := w.CreateTeam(ctx, two.ID, "Theirs")
		must(t, err)
		agent, err := w.AddAgent(ctx, two.ID, account.NewAgent{Name: "Their agent"})
		must(t, err)
		by, theirs := w.as(owner), w.Operator(two)
		_, inv, err := w.Invite(ctx, theirs, account.NewInvitation{Email: "x@example.com", Role: account.Viewer})
		must(t, err)
		owner2, err := w.Owner(ctx, two.ID)
		must(t, err)
		_, token, err := w.CreateToken(ctx, w.as(owner2), account.NewToken{Name: "x", Scopes: []account.Permission{account.ReadCalls}})
		must(t, err)
		link, err := w.OneTimeLink(ctx, two.ID, agent.ID, time.Hour)
		must(t, err)
		session, err := w.UseOneTimeLink(ctx, link, account.SignInFrom{})
		must(t, err)
		foreign := []account.TeamID{team.ID}
		for what, try := range map[string]func() error{
			"Member":           func() error { _, err := w.Member(ctx, one.ID, agent.ID); return err },
			"AgentByNo":        func() error { _, err := w.AgentByNo(ctx, one.ID, agent.Agent); return err },
			"AgentByNo 0":      func() error { _, err := w.AgentByNo(ctx, one.ID, 0); return err },
			"FindAgent":        func() error { _, err := w.FindAgent(ctx, one.ID, string(agent.ID)); return err },
			"MakeAgent":        func() error { _, err := w.MakeAgent(ctx, one.ID, agent.ID); return err },
			"Rename":           func() error { _, err := w.Rename(ctx, one.ID, agent.ID, "Mine"); return err },
			"SetRole":          func() error { _, err := w.SetRole(ctx, by, agent.ID, account.Viewer); return err },
			"Deactivate":       func() error { _, err := w.Deactivate(ctx, by, agent.ID); return err },
			"Reactivate":       func() error { _, err := w.Reactivate(ctx, by, agent.ID); return err },
			"SetTeams, member": func() error { _, err := w.SetTeams(ctx, one.ID, agent.ID, nil); return err },
			"SetTeams, team":   func() error { _, err := w.SetTeams(ctx, one.ID, owner.ID, foreign); return err },
			"AddAgent": func() error {
				_, err := w.AddAgent(ctx, one.ID, account.NewAgent{Name: "x", Teams: foreign})
				return err
			},
			"Invite, team": func() error {
				_, _, err := w.Invite(ctx, by, account.NewInvitation{Email: "y@example.com", Role: account.Agent, Teams: foreign})
				return err
			},
			"Invite, member": func() error {
				_, _, err := w.Invite(ctx, by, account.NewInvitation{Email: "y@example.com", Member: agent.ID})
				return err
			},
			"RenameTeam":         func() error { return w.RenameTeam(ctx, one.ID, team.ID, "Mine") },
			"DeleteTeam":         func() error { return w.DeleteTeam(ctx, one.ID, team.ID) },
			"TeamAgents":         func() error { _, err := w.TeamAgents(ctx, one.ID, team.ID); return err },
			"Revoke":             func() error { return w.Revoke(ctx, by, inv.ID) },
			"RevokeToken":        func() error { return w.RevokeToken(ctx, by, token.ID) },
			"EndSession":         func() error { return w.EndSession(ctx, by, w.actor(session).Session.ID) },
			"OneTimeLink":        func() error { _, err := w.OneTimeLink(ctx, one.ID, agent.ID, time.Hour); return err },
			"As":                 func() error { _, err := w.As(ctx, one.ID, agent.ID); return err },
			"SwitchOrg":          func() error { _, err := w.SwitchOrg(ctx, by, two.ID); return err },
			"CreateTeam, no org": func() error { _, err := w.CreateTeam(ctx, 99, "x"); return err },
			"AddAgent, no org":   func() error { _, err := w.AddAgent(ctx, 99, account.NewAgent{Name: "x"}); return err },
			"Owner, no org":      func() error { _, err := w.Owner(ctx, 99); return err },
		} {
			refused(t, what, try(), fault.NotFound)
		}
		if got, err := w.Member(ctx, two.ID, agent.ID); err != nil || got.Name != "Their agent" || !got.Active || got.Role != account.Agent {
			t.Errorf("somebody else's agent was changed: %+v, %v", got, err)
		}
	})
}

func TestTeams(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, _ := w.signUp(asha())
		sales, err := w.CreateTeam(ctx, org.ID, "Sales")
		must(t, err)
		_, err = w.CreateTeam(ctx, org.ID, " SALES ")
		refused(t, "a second team of the name", err, fault.Conflict)
		support, err := w.CreateTeam(ctx, org.ID, "support")
		must(t, err)
		refused(t, "renaming into a taken name", w.RenameTeam(ctx, org.ID, support.ID, "sales"), fault.Conflict)
		must(t, w.RenameTeam(ctx, org.ID, support.ID, "Aftercare"))
		ravi, err := w.AddAgent(ctx, org.ID, account.NewAgent{Name: "Ravi", Teams: []account.TeamID{sales.ID, sales.ID, support.ID}})
		must(t, err)
		teams, err := w.Teams(ctx, org.ID)
		must(t, err)
		if want := []account.Team{{ID: support.ID, Name: "Aftercare", Members: 1}, {ID: sales.ID, Name: "Sales", Members: 1}}; !slices.Equal(teams, want) {
			t.Errorf("the teams are %v, want %v", teams, want)
		}
		if got, err := w.TeamAgents(ctx, org.ID, sales.ID); err != nil || !slices.Equal(got, []account.AgentNo{1}) {
			t.Errorf("the team's agents are %v, %v", got, err)
		}
		must(t, w.DeleteTeam(ctx, org.ID, support.ID))
		if got, err := w.Member(ctx, org.ID, ravi.ID); err != nil || !slices.Equal(got.Teams, []account.TeamID{sales.ID}) {
			t.Errorf("after a team is deleted its member is %+v, %v", got, err)
		}
		if got, err := w.SetTeams(ctx, org.ID, ravi.ID, nil); err != nil || len(got.Teams) != 0 {
			t.Errorf("taken out of all teams the member is %+v, %v", got, err)
		}
	})
}

func TestWhoseCallsAnActorSees(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		sales, err := w.CreateTeam(ctx, org.ID, "Sales")
		must(t, err)
		support, err := w.CreateTeam(ctx, org.ID, "Support")
		must(t, err)
		var agents []*account.Member
		for _, team := range []account.TeamID{sales.ID, sales.ID, support.ID} {
			m, err := w.AddAgent(ctx, org.ID, account.NewAgent{Name: "Agent", Teams: []account.TeamID{team}})
			must(t, err)
			agents = append(agents, m)
		}
		_, err = w.Deactivate(ctx, w.as(owner), agents[1].ID) // their calls stay, so they stay in sight
		must(t, err)
		member := func(email string, role account.Role, teams ...account.TeamID) *account.Actor {
			return w.as(w.join(w.as(owner), account.NewInvitation{Email: email, Role: role, Teams: teams}))
		}
		sees := func(who string, a *account.Actor, want []account.AgentNo) {
			got, err := a.Agents(ctx)
			must(t, err)
			if (got == nil) != (want == nil) || !slices.Equal(got, want) {
				t.Errorf("%s sees %#v, want %#v", who, got, want)
			}
		}
		sees("the owner", w.as(owner), nil)
		sees("the operator", w.Operator(org), nil)
		sees("a viewer", member("v@example.com", account.Viewer), nil)
		sees("the privacy officer", member("p@example.com", account.PrivacyOfficer), nil)
		sees("a manager of sales", member("m@example.com", account.Manager, sales.ID), []account.AgentNo{1, 2})
		sees("a manager of nobody", member("n@example.com", account.Manager), []account.AgentNo{})
		sees("an agent", w.as(agents[2]), []account.AgentNo{3})
		both := member("b@example.com", account.Manager, sales.ID, support.ID)
		sees("a manager of both", both, []account.AgentNo{1, 2, 3})
		if ok, err := both.Sees(ctx, 4); ok || err != nil {
			t.Errorf("a manager sees an agent of no team: %v", err)
		}
		if ok, err := w.as(owner).Sees(ctx, 4); !ok || err != nil {
			t.Errorf("an owner does not see an agent: %v", err)
		}
	})
}

func TestOneOwnerAlwaysRemains(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		by := w.as(owner)
		_, err := w.SetRole(ctx, by, owner.ID, account.Admin)
		refused(t, "demoting the last owner", err, fault.Conflict)
		_, err = w.Deactivate(ctx, by, owner.ID)
		refused(t, "removing the last owner", err, fault.Conflict)
		idle, err := w.AddAgent(ctx, org.ID, account.NewAgent{Name: "Never signed in"})
		must(t, err)
		_, err = w.SetRole(ctx, by, idle.ID, account.Owner)
		must(t, err)
		_, err = w.Deactivate(ctx, by, owner.ID)
		refused(t, "leaving an owner who cannot sign in", err, fault.Conflict)
		second := w.join(by, account.NewInvitation{Email: "b@example.com", Role: account.Owner})
		_, err = w.SetRole(ctx, by, owner.ID, account.Viewer)
		must(t, err)
		_, err = w.SetRole(ctx, w.as(second), second.ID, account.Viewer)
		refused(t, "the second demoting themself", err, fault.Conflict)
		_, err = w.SetRole(ctx, w.as(second), second.ID, "emperor")
		refused(t, "an unknown role", err, fault.Invalid)
	})
}

func TestAnAdminDoesNotTouchOwners(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		w.join(w.as(owner), account.NewInvitation{Email: "o@example.com", Role: account.Owner})
		admin := w.as(w.join(w.as(owner), account.NewInvitation{Email: "a@example.com", Role: account.Admin}))
		_, err := w.SetRole(ctx, admin, admin.Member.ID, account.Owner)
		refused(t, "making oneself owner", err, fault.Denied)
		_, err = w.SetRole(ctx, admin, owner.ID, account.Viewer)
		refused(t, "demoting an owner", err, fault.Denied)
		_, err = w.Deactivate(ctx, admin, owner.ID)
		refused(t, "removing an owner", err, fault.Denied)
		_, _, err = w.Invite(ctx, admin, account.NewInvitation{Email: "friend@example.com", Role: account.Owner})
		refused(t, "inviting an owner", err, fault.Denied)
		viewer := w.as(w.join(admin, account.NewInvitation{Email: "v@example.com", Role: account.Viewer}))
		_, err = w.Deactivate(ctx, viewer, admin.Member.ID)
		refused(t, "a viewer removing somebody", err, fault.Denied)
		_, _, err = w.Invite(ctx, viewer, account.NewInvitation{Email: "x@example.com", Role: account.Viewer})
		refused(t, "a viewer inviting somebody", err, fault.Denied)
	})
}

func TestADeactivatedMemberIsOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, owner := w.signUp(asha())
		by := w.as(owner)
		w.join(by, account.NewInvitation{Email: "a@example.com", Role: account.Admin})
		_, session, err := w.SignIn(ctx, "a@example.com", secretWords, account.SignInFrom{})
		must(t, err)
		admin := w.actor(session)
		token, _, err := w.CreateToken(ctx, admin, account.NewToken{Name: "x", Scopes: []account.Permission{account.ReadCalls}})
		must(t, err)
		link, err := w.OneTimeLink(ctx, org.ID, admin.Member.ID, time.Hour)
		must(t, err)
		backdoor, _, err := w.Invite(ctx, admin, account.NewInvitation{Email: "private@example.com", Role: account.Admin})
		must(t, err)
		gone, err := w.Deactivate(ctx, by, admin.Member.ID)
		must(t, err)
		if gone.Active {
			t.Error("still active")
		}
		_, err = w.Session(ctx, session)
		refused(t, "their session", err, fault.Unauthenticated)
		_, err = w.ByToken(ctx, token)
		refused(t, "their token", err, fault.Unauthenticated)
		_, err = w.UseOneTimeLink(ctx, link, account.SignInFrom{})
		refused(t, "their link", err, fault.Gone)
		_, err = w.Accept(ctx, backdoor, yes("Again"))
		refused(t, "the invitation they gave", err, fault.Gone)
		_, _, err = w.SignIn(ctx, "a@example.com", secretWords, account.SignInFrom{})
		refused(t, "their password", err, fault.Unauthenticated)
		if _, found, err := w.StartReset(ctx, "a@example.com"); found || err != nil {
			t.Errorf("they may set a new password: %v, %v", found, err)
		}
		_, err = w.OneTimeLink(ctx, org.ID, gone.ID, time.Hour)
		refused(t, "a new link for them", err, fault.Conflict)
		_, _, err = w.Invite(ctx, by, account.NewInvitation{Email: "a@example.com", Role: account.Viewer})
		refused(t, "inviting them anew", err, fault.Conflict)
		_, err = w.Reactivate(ctx, by, gone.ID)
		must(t, err)
		w.signIn("a@example.com", secretWords)
		if m, err := w.Rename(ctx, org.ID, gone.ID, "New Name"); err != nil || m.Name != "New Name" || m.Role != account.Admin {
			t.Errorf("they are %+v, %v", m, err)
		}
		if all, err := w.Members(ctx, org.ID); err != nil || len(all) != 2 || all[0].Name != "Asha Patel" {
			t.Errorf("the members are %v, %v", all, err)
		}
	})
}

func TestTwoOwnersCannotRemoveEachOtherAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org, first := w.signUp(asha())
		second := w.join(w.as(first), account.NewInvitation{Email: "b@example.com", Role: account.Owner})
		results := make(chan error)
		for _, pair := range [][2]*account.Member{{first, second}, {second, first}} {
			by := w.as(pair[0])
			go func() {
				_, err := w.Deactivate(t.Context(), by, pair[1].ID)
				results <- err
			}()
		}
		a, b := <-results, <-results
		if (a == nil) == (b == nil) {
			t.Errorf("two owners removing each other gave %v and %v; want one refusal", a, b)
		}
		if _, err := w.Owner(t.Context(), org.ID); err != nil {
			t.Errorf("no owner is left: %v", err)
		}
	})
}
