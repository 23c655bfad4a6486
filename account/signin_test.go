package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
)

func TestSignInTellsNobodyWhoHasAnAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.signUp(asha())
		_, _, wrong := w.SignIn(t.Context(), "asha@example.com", "not the password", account.SignInFrom{})
		_, _, nobody := w.SignIn(t.Context(), "nobody@example.com", "not the password", account.SignInFrom{})
		refused(t, "a wrong password", wrong, fault.Unauthenticated)
		if fault.Sentence(wrong) != fault.Sentence(nobody) || fault.KindOf(nobody) != fault.Unauthenticated {
			t.Errorf("a known address gives %q, an unknown one %q", fault.Sentence(wrong), fault.Sentence(nobody))
		}
		_, _, err := w.SignIn(t.Context(), "asha@example.com", strings.Repeat("x", 1<<20), account.SignInFrom{})
		refused(t, "a password of a megabyte", err, fault.Unauthenticated)
		_, _, err = w.SignIn(t.Context(), "asha", secretWords, account.SignInFrom{})
		refused(t, "no address", err, fault.Invalid)
	})
}

func TestGuessingAPasswordIsSlowedDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		guess := func(password string) error {
			_, _, err := w.SignIn(ctx, "asha@example.com", password, account.SignInFrom{})
			return err
		}
		for range 5 {
			refused(t, "a guess", guess("wrong password"), fault.Unauthenticated)
		}
		err := guess(secretWords)
		refused(t, "even the right password after five guesses", err, fault.TooMany)
		if !strings.Contains(fault.Sentence(err), "30 seconds") {
			t.Errorf("%q does not say when to try again", fault.Sentence(err))
		}
		w.pass(31 * time.Second)
		refused(t, "the sixth guess", guess("wrong password"), fault.Unauthenticated)
		w.pass(31 * time.Second)
		err = guess(secretWords)
		refused(t, "a wait that doubles", err, fault.TooMany)
		if !strings.Contains(fault.Sentence(err), "29 seconds") {
			t.Errorf("%q does not say when to try again", fault.Sentence(err))
		}
		for range 10 {
			w.pass(15*time.Minute + time.Second)
			refused(t, "a guess after the longest wait", guess("wrong password"), fault.Unauthenticated)
		}
		err = guess(secretWords)
		if !strings.Contains(fault.Sentence(err), "15 minutes") {
			t.Errorf("%q says another wait than the longest", fault.Sentence(err))
		}
		w.pass(15*time.Minute + time.Second)
		if err := guess(secretWords); err != nil {
			t.Errorf("the right password after the wait gave %v", err)
		}
		for range 4 {
			refused(t, "a guess after a success", guess("wrong password"), fault.Unauthenticated)
		}
		if err := guess(secretWords); err != nil {
			t.Errorf("a success did not clear the count: %v", err)
		}
	})
}

func TestOneAddressCannotGuessManyPasswords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		guess := func(n int, ip string) error {
			_, _, err := w.SignIn(ctx, fmt.Sprintf("person%d@example.com", n), "wrong password", account.SignInFrom{IP: ip})
			return err
		}
		for n := range 30 {
			refused(t, "a guess", guess(n, fmt.Sprintf("2001:db8::%x", n+1)), fault.Unauthenticated)
		}
		refused(t, "one more from the network", guess(31, "2001:db8::ffff"), fault.TooMany)
		refused(t, "one from elsewhere", guess(32, "2001:db8:0:1::1"), fault.Unauthenticated)
		w.pass(31 * time.Second)
		if _, _, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{IP: "2001:db8::2"}); err != nil {
			t.Errorf("the right password after the wait gave %v", err)
		}
		refused(t, "a guess after somebody's success", guess(33, "2001:db8::3"), fault.Unauthenticated)
		refused(t, "another", guess(34, "2001:db8::3"), fault.TooMany)
		w.pass(25 * time.Hour)
		w.expire()
		if n := w.count(`SELECT count(*) FROM sign_in_attempts`); n != 0 {
			t.Errorf("%d counts are kept after a day", n)
		}
	})
}

func TestManyGuessesAtOnceDoNotSlipThrough(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.signUp(asha())
		results := make(chan error)
		for range 20 {
			go func() {
				_, _, err := w.SignIn(t.Context(), "asha@example.com", "wrong password", account.SignInFrom{})
				results <- err
			}()
		}
		tried := 0
		for range 20 {
			if err := <-results; fault.KindOf(err) == fault.Unauthenticated {
				tried++
			}
		}
		if tried > 5 {
			t.Errorf("%d of 20 guesses at once were tried, want at most 5", tried)
		}
	})
}

func TestASessionEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		_, secret, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{IP: "203.0.113.9", UserAgent: "Firefox\xff" + strings.Repeat("x", 400)})
		must(t, err)
		s := w.actor(secret).Session
		if s.IP != "203.0.113.9" || !strings.HasPrefix(s.UserAgent, "Firefoxx") || len(s.UserAgent) > 300 || !s.ByPassword {
			t.Errorf("the session is %+v", s)
		}
		w.pass(50 * time.Second)
		if got := w.actor(secret).Session.SeenAt; !got.Equal(s.CreatedAt) {
			t.Errorf("seen at %v within the first minute, want the start", got)
		}
		for day := range 6 {
			w.pass(13 * 24 * time.Hour)
			if got := w.actor(secret).Session.SeenAt; !got.Equal(w.now) {
				t.Errorf("on day %d seen at %v, want %v", day*13, got, w.now)
			}
		}
		w.pass(13 * 24 * time.Hour)
		_, err = w.Session(ctx, secret)
		refused(t, "a session of 91 days", err, fault.Unauthenticated)
		_, secret, err = w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{})
		must(t, err)
		by := w.actor(secret)
		w.pass(14*24*time.Hour + time.Second)
		_, err = w.Session(ctx, secret)
		refused(t, "a session unused for 14 days", err, fault.Unauthenticated)
		if all, err := w.Sessions(ctx, by); len(all) != 0 || err != nil {
			t.Errorf("%d ended sessions are listed, %v", len(all), err)
		}
		w.expire()
		if n := w.count(`SELECT count(*) FROM sessions`); n != 0 {
			t.Errorf("%d ended sessions are kept", n)
		}
		for _, bad := range []string{"", "pls_1_x", "pls__", "pls_-1_x", "ply" + strings.TrimPrefix(secret, "pls"), secret + "x"} {
			_, err := w.Session(ctx, bad)
			refused(t, bad, err, fault.Unauthenticated)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		sign := func() string {
			w.pass(time.Second)
			_, secret, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{})
			must(t, err)
			return secret
		}
		phone, laptop, tablet := sign(), sign(), sign()
		by := w.actor(laptop)
		all, err := w.Sessions(ctx, by)
		must(t, err)
		if len(all) != 3 || all[0].ID != w.actor(tablet).Session.ID {
			t.Errorf("the sessions are %+v", all)
		}
		must(t, w.EndSession(ctx, by, w.actor(phone).Session.ID))
		_, err = w.Session(ctx, phone)
		refused(t, "an ended session", err, fault.Unauthenticated)
		must(t, w.EndOtherSessions(ctx, by))
		_, err = w.Session(ctx, tablet)
		refused(t, "another session", err, fault.Unauthenticated)
		w.actor(laptop)
		must(t, w.SignOut(ctx, laptop))
		must(t, w.SignOut(ctx, laptop))
		must(t, w.SignOut(ctx, "nonsense"))
		_, err = w.Session(ctx, laptop)
		refused(t, "a session signed out of", err, fault.Unauthenticated)
	})
}

func TestOnePersonInTwoOrganisations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		one, _ := w.signUp(asha())
		s := asha()
		s.Company = "Second"
		two, _ := w.signUp(s)
		all, secret, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{})
		must(t, err)
		if len(all) != 2 || all[0].Org != one.ID || all[1].OrgName != "Second" {
			t.Errorf("the organisations are %+v", all)
		}
		w.pass(time.Hour)
		next, err := w.SwitchOrg(ctx, w.actor(secret), two.ID)
		must(t, err)
		_, err = w.Session(ctx, secret)
		refused(t, "the session before the switch", err, fault.Unauthenticated)
		if got := w.actor(next); got.Org.ID != two.ID || got.Member.Org != two.ID {
			t.Errorf("switched to %+v", got.Org)
		}
		w.pass(time.Hour)
		if all, _, err = w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{}); err != nil || all[0].Org != two.ID {
			t.Errorf("signing in leads to %+v, %v; want the organisation used last", all, err)
		}
	})
}

// An admin can give a member any address, so what they can do for that member must not reach the person's other places.
func TestAnAddressGivenByAnAdminOpensNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		victims, _ := w.signUp(asha())
		pirates, err := w.CreateOrg(ctx, account.NewOrg{Name: "Pirates", Country: "IN", Zone: "Asia/Kolkata"})
		must(t, err)
		fake, err := w.AddAgent(ctx, pirates.ID, account.NewAgent{Name: "Asha", Email: "asha@example.com"})
		must(t, err)
		link, err := w.OneTimeLink(ctx, pirates.ID, fake.ID, time.Hour)
		must(t, err)
		session, err := w.UseOneTimeLink(ctx, link, account.SignInFrom{})
		must(t, err)
		by := w.actor(session)
		if all, err := w.Memberships(ctx, by); err != nil || len(all) != 1 || all[0].Org != pirates.ID {
			t.Errorf("a one-time link shows %+v, %v", all, err)
		}
		_, err = w.SwitchOrg(ctx, by, victims.ID)
		refused(t, "switching by a one-time link", err, fault.NotFound)
		refused(t, "a new password by a one-time link", w.ChangePassword(ctx, by, "", "fünf grüne papageien"), fault.Invalid)
		invitation, _, err := w.Invite(ctx, w.Operator(pirates), account.NewInvitation{Member: fake.ID})
		must(t, err)
		in := yes("Asha")
		in.Password = "fünf grüne papageien"
		_, err = w.Accept(ctx, invitation, in)
		refused(t, "accepting with a password of one's own", err, fault.Invalid)
		mine := w.signIn("asha@example.com", secretWords)
		if all, err := w.Memberships(ctx, mine); err != nil || len(all) != 1 || all[0].Org != victims.ID {
			t.Errorf("a membership that was never accepted shows: %+v, %v", all, err)
		}
		must(t, w.EndOtherSessions(ctx, by))
		if _, err := w.Sessions(ctx, mine); err != nil {
			t.Error(err)
		}
		w.signIn("asha@example.com", secretWords)
		if got, err := w.Sessions(ctx, mine); err != nil || len(got) != 2 {
			t.Errorf("the pirates ended sessions of the victim: %d left, %v", len(got), err)
		}
	})
}

func TestAOneTimeLinkWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		org, err := w.CreateOrg(ctx, account.NewOrg{Name: "Demo", Country: "IN", Zone: "Asia/Kolkata", Demo: true})
		must(t, err)
		owner, err := w.Owner(ctx, org.ID)
		must(t, err)
		link, err := w.OneTimeLink(ctx, org.ID, owner.ID, time.Hour)
		must(t, err)
		session, err := w.UseOneTimeLink(ctx, link, account.SignInFrom{IP: "127.0.0.1"})
		must(t, err)
		if got := w.actor(session); got.Member.ID != owner.ID || got.Session.ByPassword || !got.Can(account.ManageOrg) {
			t.Errorf("the link signs in %+v", got.Member)
		}
		_, err = w.UseOneTimeLink(ctx, link, account.SignInFrom{})
		refused(t, "the link again", err, fault.Gone)
		late, err := w.OneTimeLink(ctx, org.ID, owner.ID, time.Hour)
		must(t, err)
		w.pass(time.Hour)
		_, err = w.UseOneTimeLink(ctx, late, account.SignInFrom{})
		refused(t, "an hour later", err, fault.Gone)
		_, err = w.UseOneTimeLink(ctx, "pll_1", account.SignInFrom{})
		refused(t, "half a link", err, fault.Gone)
	})
}

func TestAForgottenPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		s := asha()
		s.Company = "Second"
		two, _ := w.signUp(s)
		before := w.signIn("asha@example.com", secretWords)
		elsewhere, err := w.SwitchOrg(ctx, w.signIn("asha@example.com", secretWords), two.ID)
		must(t, err)
		if secret, found, err := w.StartReset(ctx, "nobody@example.com"); secret != "" || found || err != nil {
			t.Errorf("an unknown address gave %q, %v, %v", secret, found, err)
		}
		first, found, err := w.StartReset(ctx, " Asha@example.com")
		must(t, err)
		second, _, err := w.StartReset(ctx, "asha@example.com")
		must(t, err)
		if !found || first == second || !strings.HasPrefix(first, "plr_") {
			t.Errorf("the links are %q and %q, %v", first, second, found)
		}
		refused(t, "a weak password", w.UseReset(ctx, first, "password123"), fault.Invalid)
		refused(t, "a password of one's company", w.UseReset(ctx, first, "second asha!"), fault.Invalid)
		must(t, w.UseReset(ctx, first, "fünf grüne papageien"))
		refused(t, "the link again", w.UseReset(ctx, first, "sechs graue pinguine"), fault.Gone)
		refused(t, "the other link", w.UseReset(ctx, second, "sechs graue pinguine"), fault.Gone)
		refused(t, "no link", w.UseReset(ctx, "plr_0_x", "sechs graue pinguine"), fault.Gone)
		if all, err := w.Sessions(ctx, before); len(all) != 0 || err != nil {
			t.Errorf("%d sessions outlived the reset, %v", len(all), err)
		}
		_, err = w.Session(ctx, elsewhere)
		refused(t, "the session in the other organisation", err, fault.Unauthenticated)
		_, _, err = w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{})
		refused(t, "the old password", err, fault.Unauthenticated)
		w.signIn("asha@example.com", "fünf grüne papageien")
	})
}

func TestResetLinksExpireAndAreFew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		late, _, err := w.StartReset(ctx, "asha@example.com")
		must(t, err)
		w.pass(time.Hour)
		refused(t, "a link after an hour", w.UseReset(ctx, late, "fünf grüne papageien"), fault.Gone)
		mails := 0
		for range 20 {
			_, found, err := w.StartReset(ctx, "asha@example.com")
			must(t, err)
			if found {
				mails++
			}
		}
		if mails != 2 {
			t.Errorf("twenty requests at once sent %d mails, want the 2 that were left", mails)
		}
		w.pass(2 * time.Hour)
		secret, found, err := w.StartReset(ctx, "asha@example.com")
		must(t, err)
		if !found {
			t.Fatal("no mail after two hours")
		}
		for range 5 {
			_, _, err := w.SignIn(ctx, "asha@example.com", "wrong password", account.SignInFrom{})
			refused(t, "a guess", err, fault.Unauthenticated)
		}
		must(t, w.UseReset(ctx, secret, "fünf grüne papageien"))
		w.signIn("asha@example.com", "fünf grüne papageien")
		w.pass(25 * time.Hour)
		w.expire()
		if n := w.count(`SELECT count(*) FROM resets`); n != 0 {
			t.Errorf("%d expired links are kept", n)
		}
	})
}

func TestAChangedPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		other, by := w.signIn("asha@example.com", secretWords), w.signIn("asha@example.com", secretWords)
		refused(t, "a wrong old password", w.ChangePassword(ctx, by, "wrong password", "fünf grüne papageien"), fault.Invalid)
		refused(t, "a weak new one", w.ChangePassword(ctx, by, secretWords, "qwertyuiop"), fault.Invalid)
		refused(t, "somebody without a session", w.ChangePassword(ctx, w.as(owner), secretWords, "fünf grüne papageien"), fault.Denied)
		must(t, w.ChangePassword(ctx, by, secretWords, "fünf grüne papageien"))
		if all, err := w.Sessions(ctx, other); err != nil || len(all) != 1 || all[0].ID != by.Session.ID {
			t.Errorf("after the change these sessions are left: %v, %v", all, err)
		}
		w.signIn("asha@example.com", "fünf grüne papageien")
	})
}

func TestAnOldHashIsRenewedBySigningIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.signUp(asha())
		// The same password at a lower cost, as an earlier version might have stored it.
		cheap := cheapHash(secretWords)
		if n, err := w.db.Exec(t.Context(), `UPDATE credentials SET password_hash = $1`, cheap); n != 1 || err != nil {
			t.Fatalf("%d hashes replaced, %v", n, err)
		}
		w.signIn("asha@example.com", secretWords)
		var now string
		must(t, w.db.Row(t.Context(), `SELECT password_hash FROM credentials`).Scan(&now))
		if now == cheap || !strings.Contains(now, "m=19456,t=2") {
			t.Errorf("the stored hash is %q", now)
		}
		w.signIn("asha@example.com", secretWords)
	})
}
