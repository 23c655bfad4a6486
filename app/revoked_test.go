package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/platform/fault"
	"parley/platform/revoke"
)

const (
	firstWords  = "neun lila elefanten"
	secondWords = "zwei gelbe giraffen"
)

// staff is an organisation whose people had more access when its backup was made than they have now.
type staff struct {
	past
	manager, admin, leaver *account.Member
	managers               string // token
	kept                   string // a token that nobody revoked
	session                string // of the manager
	pending                string // an invitation that was taken back
	phones                 [2]string
	tokens                 [2]string // of the phones: one unpaired since, one paired anew
}

func (s *staff) joins(name string, role account.Role) *account.Member {
	s.t.Helper()
	secret, _, err := s.p.Accounts.Invite(s.t.Context(), s.p.Accounts.Operator(s.org), account.NewInvitation{Email: strings.ToLower(name) + "@example.com", Name: name, Role: role})
	must(s.t, err)
	return ok1[*account.Member](s.t)(s.p.Accounts.Accept(s.t.Context(), secret, account.Acceptance{Password: firstWords, AcceptTerms: true, Adult: true}))
}

func (s *staff) pair(install string, agent account.AgentNo) (string, string) {
	s.t.Helper()
	code, _, err := s.p.Devices.PairingCode(s.t.Context(), s.org, agent)
	must(s.t, err)
	d, token, err := s.p.Devices.Pair(s.t.Context(), code, device.PairRequest{InstallID: install})
	must(s.t, err)
	return d.ID, token
}

func newStaff(t *testing.T) *staff {
	s := &staff{past: past{t: t, dir: t.TempDir()}}
	must(t, os.Mkdir(filepath.Join(s.dir, "place"), 0o700))
	parley(t, s.dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "owner@example.com")
	s.open()
	ctx := t.Context()
	team := ok1[account.Team](t)(s.p.Accounts.CreateTeam(ctx, s.org.ID, "North"))
	s.manager, s.admin, s.leaver = s.joins("Mira", account.Manager), s.joins("Anil", account.Admin), s.joins("Lena", account.Viewer)
	ok1[*account.Member](t)(s.p.Accounts.SetTeams(ctx, s.org.ID, s.manager.ID, []account.TeamID{team.ID}))
	by := ok1[*account.Actor](t)(s.p.Accounts.As(ctx, s.org.ID, s.admin.ID))
	for _, token := range []*string{&s.managers, &s.kept} {
		secret, _, err := s.p.Accounts.CreateToken(ctx, by, account.NewToken{Name: "program", Scopes: []account.Permission{account.ReadCalls}})
		must(t, err)
		*token = secret
	}
	for i, install := range []string{"one", "two"} {
		agent := ok1[*account.Member](t)(s.p.Accounts.AddAgent(ctx, s.org.ID, account.NewAgent{Name: "Agent " + install}))
		s.phones[i], s.tokens[i] = s.pair(install, agent.Agent)
	}
	var err error
	_, s.session, err = s.p.Accounts.SignIn(ctx, "mira@example.com", firstWords, account.SignInFrom{})
	must(t, err)
	s.pending, _, err = s.p.Accounts.Invite(ctx, s.p.Accounts.Operator(s.org), account.NewInvitation{Email: "later@example.com", Name: "Later", Role: account.Admin})
	must(t, err)
	s.close()
	parley(t, s.dir, 0, "backup", "place")
	s.open()
	s.ends()
	must(t, s.p.Backups.Sync(ctx)) // as the server does when a journal grew
	s.close()
	return s
}

// ends takes access away, after the backup.
func (s *staff) ends() {
	t, ctx := s.t, s.t.Context()
	operator := s.p.Accounts.Operator(s.org)
	secret, found, err := s.p.Accounts.StartReset(ctx, "mira@example.com")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	must(t, s.p.Accounts.UseReset(ctx, secret, secondWords))
	ok1[*account.Member](t)(s.p.Accounts.SetTeams(ctx, s.org.ID, s.manager.ID, nil))
	tokens := ok1[[]*account.Token](t)(s.p.Accounts.Tokens(ctx, s.org.ID))
	actor := ok1[*account.Actor](t)(s.p.Accounts.ByToken(ctx, s.managers))
	for _, token := range tokens {
		if token.ID == actor.Token.ID {
			must(t, s.p.Accounts.RevokeToken(ctx, operator, token.ID))
		}
	}
	must(t, s.p.Devices.Unpair(ctx, s.org, s.phones[0]))
	agents := ok1[[]*account.Member](t)(s.p.Accounts.Members(ctx, s.org.ID))
	for _, m := range agents {
		if m.Name == "Agent two" {
			if again, _ := s.pair("two", m.Agent); again != s.phones[1] {
				t.Fatalf("the phone became %s, want %s again", again, s.phones[1])
			}
		}
	}
	ok1[*account.Member](t)(s.p.Accounts.SetRole(ctx, operator, s.admin.ID, account.Manager))
	ok1[*account.Member](t)(s.p.Accounts.SetRole(ctx, operator, s.admin.ID, account.Viewer))
	ok1[*account.Member](t)(s.p.Accounts.Deactivate(ctx, operator, s.leaver.ID))
	invitations := ok1[[]*account.Invitation](t)(s.p.Accounts.Invitations(ctx, s.org.ID))
	for _, i := range invitations {
		must(t, s.p.Accounts.Revoke(ctx, operator, i.ID))
	}
}

// stays looks whether what was taken away is gone in the restored data.
func (s *staff) stays() {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	if _, _, err := s.p.Accounts.SignIn(ctx, "mira@example.com", firstWords, account.SignInFrom{}); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("the old password gave %v", err)
	}
	if _, err := s.p.Accounts.Session(ctx, s.session); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("an ended session gave %v", err)
	}
	if _, err := s.p.Accounts.ByToken(ctx, s.managers); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("a revoked token gave %v", err)
	}
	if _, err := s.p.Accounts.ByToken(ctx, s.kept); err != nil {
		t.Errorf("a token that nobody revoked gave %v", err)
	}
	for i, token := range s.tokens {
		if _, _, err := s.p.Devices.ByToken(ctx, token); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("the old token of phone %d gave %v", i, err)
		}
	}
	for id, want := range map[account.MemberID]account.Role{s.admin.ID: account.Viewer, s.manager.ID: account.Manager} {
		m := ok1[*account.Member](t)(s.p.Accounts.Member(ctx, s.org.ID, id))
		if m.Role != want || !m.Active || len(m.Teams) != 0 {
			t.Errorf("%s is %s, active %v, in teams %v; want %s", m.Name, m.Role, m.Active, m.Teams, want)
		}
	}
	if m := ok1[*account.Member](t)(s.p.Accounts.Member(ctx, s.org.ID, s.leaver.ID)); m.Active {
		t.Error("somebody who left is back")
	}
	if _, err := s.p.Accounts.Accept(ctx, s.pending, account.Acceptance{Password: secondWords, AcceptTerms: true, Adult: true}); err == nil {
		t.Error("an invitation that was taken back lets somebody in")
	}
}

func TestAnOldBackupBringsNoAccessBack(t *testing.T) {
	for _, how := range []string{"over the data", "data alone", "beside nothing"} {
		t.Run(how, func(t *testing.T) {
			s := newStaff(t)
			args := []string{"restore", "place", "--force"}
			if how == "data alone" {
				args = append(args, "--only", "data")
			}
			data := filepath.Join(s.dir, "data")
			if how == "beside nothing" {
				key := mustRead(t, filepath.Join(data, masterFile))
				must(t, os.RemoveAll(data))
				must(t, os.Mkdir(data, 0o700))
				must(t, os.WriteFile(filepath.Join(data, masterFile), key, 0o600))
			}
			out := parley(t, s.dir, 0, args...)
			if signsIn := strings.Contains(out, "signs in anew"); signsIn != (how == "beside nothing") || !strings.Contains(out, "Forgot password") {
				t.Errorf("the restore says\n%s", out)
			}
			raw := mustRead(t, filepath.Join(data, revoke.FileName))
			if list, err := revoke.Read(raw); err != nil || len(list) < 8 {
				t.Errorf("the journal after the restore: %v, %v", list, err)
			}
			s.open()
			defer s.close()
			s.stays()
		})
	}
}

// Whoever is an owner only in the backup stays one when it knows no other: somebody must be able to mend the rest.
func TestAnOldBackupKeepsAnOwner(t *testing.T) {
	s := &staff{past: past{t: t, dir: t.TempDir()}}
	must(t, os.Mkdir(filepath.Join(s.dir, "place"), 0o700))
	parley(t, s.dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "owner@example.com")
	parley(t, s.dir, 0, "backup", "place")
	s.open()
	owners := ok1[[]*account.Member](t)(s.p.Accounts.Members(t.Context(), s.org.ID))
	s.joins("Nadia", account.Owner)
	ok1[*account.Member](t)(s.p.Accounts.SetRole(t.Context(), s.p.Accounts.Operator(s.org), owners[0].ID, account.Viewer))
	s.close()
	if out := parley(t, s.dir, 0, "restore", "place", "--force"); !strings.Contains(out, "is the only one in the backup") {
		t.Errorf("the restore says\n%s", out)
	}
	s.open()
	defer s.close()
	if m := ok1[*account.Member](t)(s.p.Accounts.Member(t.Context(), s.org.ID, owners[0].ID)); m.Role != account.Owner {
		t.Errorf("the only owner of the backup is %s now", m.Role)
	}
}

// A change that cannot be written down is not made, so that no restore undoes it unseen.
func TestNoAccessEndsUnnoted(t *testing.T) {
	s := &staff{past: past{t: t, dir: t.TempDir()}}
	parley(t, s.dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "owner@example.com")
	s.open()
	defer s.close()
	lena := s.joins("Lena", account.Viewer)
	path := filepath.Join(s.dir, "data", revoke.FileName)
	must(t, os.RemoveAll(path))
	must(t, os.Mkdir(path, 0o700))
	if _, err := s.p.Accounts.Deactivate(t.Context(), s.p.Accounts.Operator(s.org), lena.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without its journal it gave %v", err)
	}
	if n := s.count(`SELECT count(*) FROM members WHERE org_id = $1 AND active = 1`, s.org.ID); n != 2 {
		t.Errorf("%d members are active, want both", n)
	}
	must(t, os.Remove(path))
	ok1[*account.Member](t)(s.p.Accounts.Deactivate(t.Context(), s.p.Accounts.Operator(s.org), lena.ID))
	if err := s.p.Revoked.Forget(time.Now()); err != nil {
		t.Error(err)
	}
}
