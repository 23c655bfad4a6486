package account_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/fault"
)

func free(context.Context, db.Conn) error { return nil }

// expire removes what ends by a rule of its own.
func (w *world) expire() {
	w.t.Helper()
	orgs, err := w.Orgs(w.t.Context())
	must(w.t, err)
	for _, t := range w.Expiring() {
		if t.Days == 0 {
			continue
		}
		w.clear(t, 0, w.now.AddDate(0, 0, -t.Days))
		for _, o := range orgs {
			w.clear(t, int64(o.ID), w.now.AddDate(0, 0, -t.Days))
		}
	}
}

// clear removes what is older and checks that it is gone then.
func (w *world) clear(t expire.Table, org int64, before time.Time) int64 {
	w.t.Helper()
	ctx := w.t.Context()
	old, err := t.Old(ctx, w.db, org, before)
	must(w.t, err)
	n, err := t.Clear(ctx, w.db, org, before, old, free)
	must(w.t, err)
	if again, err := t.Old(ctx, w.db, org, before); len(again) != 0 || err != nil {
		w.t.Errorf("%s: %d are old still, %v", t.Name, len(again), err)
	}
	return n
}

func (w *world) table(name string) expire.Table {
	w.t.Helper()
	for _, t := range w.Expiring() {
		if t.Name == name {
			return t
		}
	}
	w.t.Fatalf("there is no table %q", name)
	return expire.Table{}
}

func TestAddressesAreMasked(t *testing.T) {
	for ip, want := range map[string]string{"203.0.113.77": "203.0.0.0", "2001:db8:1:2::9": "2001:db8::", "::ffff:203.0.113.77": "203.0.0.0", "fe80::1%eth0": "fe80::", "": "", "x": ""} {
		if got := account.MaskAddress(ip); got != want {
			t.Errorf("%q is masked as %q, want %q", ip, got, want)
		}
	}
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.signUp(asha())
		_, secret, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{IP: "203.0.113.77", UserAgent: "Firefox"})
		must(t, err)
		by := w.actor(secret)
		log := w.table("addresses of sessions")
		w.pass(6 * 24 * time.Hour)
		if n := w.clear(log, int64(by.Org.ID), w.now.AddDate(0, 0, -7)); n != 0 {
			t.Errorf("%d addresses were masked after six days", n)
		}
		w.pass(25 * time.Hour)
		if n := w.clear(log, int64(by.Org.ID), w.now.AddDate(0, 0, -7)); n == 0 {
			t.Error("no address was masked after a week")
		}
		s, err := w.Sessions(ctx, w.actor(secret))
		must(t, err)
		if s[0].IP != "203.0.0.0" || s[0].UserAgent != "Firefox" {
			t.Errorf("the session is from %q with %q", s[0].IP, s[0].UserAgent)
		}
	})
}

func TestAnAccountIsGoneAMonthAfterItWasClosed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		by := w.as(owner)
		org := by.Org.ID
		w.join(by, account.NewInvitation{Email: "ravi@example.com", Name: "Ravi", Role: account.Manager, Agent: true})
		w.join(by, account.NewInvitation{Email: "zoe@example.com", Name: "Zoe", Role: account.Viewer})
		members, err := w.Members(ctx, org)
		must(t, err)
		for _, m := range members {
			if m.Role != account.Owner {
				_, err := w.Deactivate(ctx, by, m.ID)
				must(t, err)
			}
		}
		closed, former := w.table("closed accounts"), w.table("former members")
		w.pass(29 * 24 * time.Hour)
		if n := w.clear(closed, int64(org), w.now.AddDate(0, 0, -30)) + w.clear(former, int64(org), w.now.AddDate(0, 0, -30)); n != 0 {
			t.Errorf("%d went early", n)
		}
		w.pass(25 * time.Hour)
		if n := w.clear(closed, int64(org), w.now.AddDate(0, 0, -30)); n != 2 {
			t.Errorf("%d accounts were closed", n)
		}
		if n := w.count(`SELECT count(*) FROM credentials`); n != 1 {
			t.Errorf("%d passwords are kept", n)
		}
		if n := w.clear(former, int64(org), w.now.AddDate(0, 0, -30)); n != 2 {
			t.Errorf("%d former members went", n)
		}
		members, err = w.Members(ctx, org)
		must(t, err)
		var names []string
		for _, m := range members {
			names = append(names, fmt.Sprintf("%s <%s> %d", m.Name, m.Email, m.Agent))
		}
		if got := strings.Join(names, ", "); got != "Agent 1 <> 1, Asha Patel <asha@example.com> 0" {
			t.Errorf("left are %s", got)
		}
		must(t, w.NoteLeft(ctx))
		w.pass(60 * 24 * time.Hour)
		if n := w.clear(former, int64(org), w.now.AddDate(0, 0, -30)); n != 0 {
			t.Errorf("%d went a second time", n)
		}
	})
}

func TestOneWhoComesBackIsNotErased(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		by := w.as(owner)
		m, err := w.AddAgent(ctx, by.Org.ID, account.NewAgent{Name: "Ravi"})
		must(t, err)
		_, err = w.Deactivate(ctx, by, m.ID)
		must(t, err)
		w.pass(31 * 24 * time.Hour)
		former, before := w.table("former members"), w.now.AddDate(0, 0, -30)
		old, err := former.Old(ctx, w.db, int64(by.Org.ID), before)
		must(t, err)
		_, err = w.Reactivate(ctx, by, m.ID)
		must(t, err)
		_, err = former.Clear(ctx, w.db, int64(by.Org.ID), before, old, free)
		refused(t, "erasing one who came back", err, fault.Conflict)
		if got, err := w.Member(ctx, by.Org.ID, m.ID); err != nil || got.Name != "Ravi" {
			t.Errorf("the member is %+v, %v", got, err)
		}
	})
}

func TestAMemberIsActiveWhenTheySignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		by := w.as(owner)
		w.join(by, account.NewInvitation{Email: "ravi@example.com", Name: "Ravi", Role: account.Manager})
		w.pass(300 * 24 * time.Hour)
		w.signIn("ravi@example.com", secretWords)
		signedIn := w.now
		w.expire()
		w.pass(364 * 24 * time.Hour)
		w.expire() // the sessions are gone by now, and the time of the last one is known still
		unused := w.table("unused accounts")
		if n := w.clear(unused, int64(by.Org.ID), w.now.AddDate(0, 0, -365)); n != 0 {
			t.Fatalf("%d accounts went on day 364", n)
		}
		w.pass(2 * 24 * time.Hour)
		members, err := w.Members(ctx, by.Org.ID)
		must(t, err)
		for _, m := range members {
			seen, err := w.LastSeen(ctx, by.Org.ID, m.ID)
			must(t, err)
			if m.Role == account.Manager && !seen.Equal(signedIn) {
				t.Errorf("they were last seen at %s, want %s", seen, signedIn)
			}
		}
		if n := w.clear(unused, int64(by.Org.ID), w.now.AddDate(0, 0, -365)); n != 1 {
			t.Errorf("%d accounts went on day 366; the owner's stays", n)
		}
		_, _, err = w.SignIn(ctx, "ravi@example.com", secretWords, account.SignInFrom{})
		refused(t, "signing in", err, fault.Unauthenticated)
	})
}

func TestClosingAnOrganisation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		by := w.as(owner)
		_, err := w.CloseOrg(ctx, by, 31*24*time.Hour)
		refused(t, "more than 30 days", err, fault.Invalid)
		admin := *by
		admin.Member = &account.Member{Org: by.Org.ID, Role: account.Admin, Active: true}
		_, err = w.CloseOrg(ctx, &admin, account.UsualUndo)
		refused(t, "closing by an admin", err, fault.Denied)
		org, err := w.CloseOrg(ctx, by, account.UsualUndo)
		must(t, err)
		if !org.Closing() || !org.ClosesAt.Equal(w.now.AddDate(0, 0, 7)) || org.ClosingBy != by.Member.ID {
			t.Errorf("the organisation is %+v", org)
		}
		by = w.as(owner)
		_, err = w.CloseOrg(ctx, by, account.UsualUndo)
		refused(t, "closing it twice", err, fault.Conflict)
		// Whoever adds a permission decides here whether it is for looking, taking copies, answering people or the closing.
		allowed := []account.Permission{account.ReadOwn, account.ReadReports, account.ReadCalls, account.ExportCalls, account.ReadPeople, account.ReadDevices, account.ReadAudit,
			account.ReadLeads, account.ExportLeads, account.ReadPrivacy, account.AnswerRequests, account.CloseOrg}
		for _, p := range account.Permissions() {
			if want := slices.Contains(allowed, p); by.Can(p) != want {
				t.Errorf("an owner's %s is %v", p, !want)
			}
		}
		if err := by.Require(account.ImportCalls); fault.KindOf(err) != fault.Denied || !strings.Contains(fault.Sentence(err), "being closed") {
			t.Errorf("importing gave %v", err)
		}
		admin.Org = org
		if admin.Can(account.ReadCalls) {
			t.Error("an admin reads calls of an organisation that is being closed")
		}
		if due, err := w.DueToClose(ctx); err != nil || len(due) != 0 {
			t.Errorf("%d are due, %v", len(due), err)
		}
		_, err = w.ReopenOrg(ctx, by)
		must(t, err)
		if by = w.as(owner); by.Org.Closing() || !by.Can(account.ImportCalls) {
			t.Error("the closing was not taken back")
		}
		_, err = w.ReopenOrg(ctx, by)
		refused(t, "taking it back twice", err, fault.Conflict)
		_, err = w.CloseOrg(ctx, by, account.UsualUndo)
		must(t, err)
		w.pass(7 * 24 * time.Hour)
		if due, err := w.DueToClose(ctx); err != nil || len(due) != 1 {
			t.Errorf("%d are due after a week, %v", len(due), err)
		}
	})
}
