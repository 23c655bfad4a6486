package app

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/platform/db"
	"parley/reach/mail"
	"parley/trust/consent"
)

// workday is an installation whose owner takes calls, with a colleague.
type workday struct {
	*Parley
	t          *testing.T
	org        *account.Org
	asha, bina *account.Member
}

func (w *workday) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newWorkday(t *testing.T) *workday {
	t.Helper()
	dir, ctx := t.TempDir(), t.Context()
	link := regexp.MustCompile(`/invitation/(\S+)`).FindStringSubmatch(parley(t, dir, 0, "org", "create", "--name", "Asha Traders", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "asha@example.com"))
	w := &workday{Parley: open(t, dir), t: t}
	t.Cleanup(func() { w.must(w.Close()) })
	_, err := w.Accounts.Accept(ctx, link[1], account.Acceptance{Password: "neun lila elefanten", AcceptTerms: true, Adult: true})
	w.must(err)
	w.org, err = w.Accounts.Org(ctx, 1)
	w.must(err)
	owner, err := w.Accounts.Owner(ctx, 1)
	w.must(err)
	w.asha, err = w.Accounts.MakeAgent(ctx, 1, owner.ID)
	w.must(err)
	w.bina, err = w.Accounts.AddAgent(ctx, 1, account.NewAgent{Name: "Bina"})
	w.must(err)
	return w
}

// person enters a contact of somebody.
func (w *workday) person(name, number string, owner account.MemberID) *contact.Contact {
	w.t.Helper()
	var c *contact.Contact
	var done func()
	w.must(w.DB.Tx(w.t.Context(), func(tx *db.Tx) (err error) {
		c, done, err = w.Contacts.Add(w.t.Context(), tx, w.org, "", contact.New{Person: contact.Person{First: name, Numbers: []contact.Labelled{{Text: number}}}, Owner: owner})
		return err
	}))
	done()
	return c
}

// missed has somebody call and reach nobody.
func (w *workday) missed(by *account.Member, number string) {
	w.t.Helper()
	_, err := w.Writer.Put(w.t.Context(), w.org, []ingest.Item{{Agent: by.Agent, Line: 1, Start: time.Now().Add(-time.Hour), Number: number, Direction: call.Incoming, Type: call.TypeMissed}})
	w.must(err)
}

func (w *workday) plan(of contact.ID, owner account.MemberID, kind followup.Kind, due time.Time) *followup.FollowUp {
	w.t.Helper()
	var f *followup.FollowUp
	w.must(w.DB.Tx(w.t.Context(), func(tx *db.Tx) (err error) {
		f, err = w.FollowUps.Add(w.t.Context(), tx, w.org, owner, followup.New{Kind: kind, Contact: of, Due: due, Reminders: &[]int{0}})
		return err
	}))
	return f
}

func TestMissedCallersAreForWhoeverTheyBelongTo(t *testing.T) {
	w := newWorkday(t)
	ctx := t.Context()
	w.person("Meera", "+919812300101", w.asha.ID)
	w.person("Ravi", "+919812300102", w.bina.ID)
	w.person("Taken", "+919812300103", w.asha.ID)
	for number, by := range map[string]*account.Member{
		"+919812300101": w.bina, // on a colleague's phone
		"+919812300102": w.asha, "+919812300103": w.asha,
		"+919812300104": w.asha, "+919812300105": w.bina, // nobody knows them
	} {
		w.missed(by, number)
	}
	key, err := w.Book.Key(ctx, 1, "+919812300103")
	w.must(err)
	w.must(w.Callbacks.Assign(ctx, w.Accounts.Operator(w.org), key, w.bina.Agent))
	w.must(w.Consents.Block(ctx, 1, consent.Who{Number: "+919812300104"}, consent.Scope{Channel: consent.Call}, "staff", w.asha.ID))
	w.must(w.Consents.Block(ctx, 1, consent.Who{Number: "+919812300101"}, consent.Scope{Channel: consent.Email}, "staff", w.asha.ID))
	for m, want := range map[*account.Member]string{
		w.asha: "+919812300101 Meera, +919812300104 suppressed", w.bina: "+919812300102 Ravi, +919812300103 Taken, +919812300105",
	} {
		items, err := w.FollowUps.MyDay(ctx, w.org, m.ID, time.Now())
		w.must(err)
		var got []string
		for _, it := range items {
			got = append(got, strings.TrimSpace(it.Dial.Text+" "+it.Name+it.Dial.Stopped))
			if it.Reason != followup.MissedWaits || it.Count != 1 {
				t.Errorf("%s has %+v", m.Name, it)
			}
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != want {
			t.Errorf("%s is to call %s, want %s", m.Name, strings.Join(got, ", "), want)
		}
	}
}

func TestRemindersGoOutByMailAndNameNobody(t *testing.T) {
	w := newWorkday(t)
	ctx, now := t.Context(), time.Now()
	meera := w.person("Meera", "+919812300101", w.asha.ID)
	f := w.plan(meera.ID, w.asha.ID, followup.Promised, now.Add(time.Hour))
	w.plan(meera.ID, w.bina.ID, followup.Call, now.Add(time.Hour)) // Bina has no address
	mails := func() []mail.Sent {
		t.Helper()
		all, err := w.Mail.Recent(ctx, 1, 20)
		w.must(err)
		return slices.DeleteFunc(all, func(m mail.Sent) bool { return !strings.Contains(m.Text, followup.Path) })
	}
	for range 2 {
		w.must(w.FollowUps.Remind(ctx, now.Add(2*time.Hour)))
	}
	all := mails()
	if len(all) != 1 || all[0].To != "asha@example.com" || !strings.Contains(all[0].Subject, "Call back, as promised") || !strings.Contains(all[0].Text, followup.Link(f.ID)) {
		t.Fatalf("the mails are %+v", all)
	}
	if strings.Contains(all[0].Subject+all[0].Text, "Meera") || strings.Contains(all[0].Text, "98123") {
		t.Errorf("the mail names somebody: %s", all[0].Text)
	}
	// A week later whoever leads hears of what Bina left undone, in one mail; a second of hers came with it.
	w.plan(meera.ID, w.bina.ID, followup.Task, now.Add(90*time.Minute))
	w.must(w.FollowUps.Remind(ctx, now.Add(7*24*time.Hour)))
	all = mails()
	if len(all) != 2 || !strings.Contains(all[0].Subject, "2 follow-ups in your team are overdue") {
		t.Errorf("the mails are %+v", all)
	}
}
