package followup_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/retain"
)

// story is an organisation with two agents, and somebody whom they work on.
type story struct {
	*crmtest.World
	all        *followup.FollowUps
	asha, bina *account.Member
	boss       *account.Actor
	meera      *contact.Contact
	lead       *lead.Lead // Meera's, of Asha
	mails      []followup.Notice
	fail       error // of keeping mails
}

func each(t *testing.T, tell func(t *testing.T, s *story)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { tell(t, newStory(t, d)) }, append(crmtest.Schemas(), dbtest.Schema{Series: "retain", Files: retain.Schema}, dbtest.Schema{Series: "followup", Files: followup.Schema})...)
}

func newStory(t testing.TB, d *db.DB) *story {
	w := crmtest.New(t, d)
	s := &story{World: w, asha: w.Agent(t, "Asha"), bina: w.Agent(t, "Bina"), boss: w.Accounts.Operator(w.Org)}
	s.all = s.open()
	s.meera = w.Contact(t, "Meera", "Joshi", "+919812300101")
	s.lead = s.leadOf(t, s.meera, lead.New{})
	return s
}

// open gives the follow-ups as a program has them that has just started.
func (s *story) open() *followup.FollowUps {
	all := followup.NewFollowUps(followup.Deps{DB: s.DB, Keys: s.Keys, Accounts: s.Accounts, Book: s.Book, Contacts: s.Contacts, Leads: s.Leads, Log: s.Log, Gate: s.Holds.Check, Now: s.Now})
	all.Wire(followup.Sources{Mail: func(_ context.Context, _ *db.Tx, _ *account.Org, notices []followup.Notice) (func(), error) {
		if s.fail != nil {
			return nil, s.fail
		}
		return func() { s.mails = append(s.mails, notices...) }, nil
	}})
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, words ...string) {
	t.Helper()
	for _, word := range words {
		if fault.KindOf(err) != kind || !strings.Contains(fault.Sentence(err), word) {
			t.Errorf("got %v, want kind %d with %q", err, kind, word)
		}
	}
}

// leadOf makes a lead of a contact, Asha's unless another owner is given.
func (s *story) leadOf(t testing.TB, c *contact.Contact, n lead.New) (l *lead.Lead) {
	t.Helper()
	n.Contact = c.ID
	if n.Owner == "" {
		n.Owner = s.asha.ID
	}
	s.Tx(t, func(tx *db.Tx) (err error) {
		l, err = s.Leads.Add(t.Context(), tx, s.Org, "", n)
		return err
	})
	return l
}

// try does something in a transaction, and gives its error.
func (s *story) try(t testing.TB, do func(ctx context.Context, tx *db.Tx) error) error {
	t.Helper()
	return s.DB.Tx(t.Context(), func(tx *db.Tx) error { return do(t.Context(), tx) })
}

// add makes a follow-up of Asha's on Meera's lead unless it says otherwise.
func (s *story) add(t testing.TB, n followup.New) (f *followup.FollowUp) {
	t.Helper()
	if n.Kind == "" {
		n.Kind = followup.Call
	}
	if n.Contact == "" && n.Lead == "" {
		n.Lead = s.lead.ID
	}
	must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
		f, err = s.all.Add(ctx, tx, s.Org, s.asha.ID, n)
		return err
	}))
	return f
}

func (s *story) get(t testing.TB, id followup.ID) *followup.FollowUp {
	t.Helper()
	f, err := s.all.Get(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, id)
	must(t, err)
	return f
}

// dueOn is when something is due on Meera's lead, by the organisation's clocks.
func (s *story) dueOn(t testing.TB) string {
	t.Helper()
	all, err := s.Leads.Load(t.Context(), s.DB, s.Org.ID, s.lead.ID)
	must(t, err)
	return s.clock(all[s.lead.ID].Due)
}

// clock writes an instant by the organisation's clocks.
func (s *story) clock(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(s.Org.Location()).Format("Mon 2006-01-02 15:04")
}

func (s *story) done(t testing.TB, id followup.ID, fin followup.Finish) (e *followup.Ended) {
	t.Helper()
	must(t, s.try(t, func(ctx context.Context, tx *db.Tx) (err error) {
		e, err = s.all.Done(ctx, tx, s.Org, s.asha.ID, id, fin)
		return err
	}))
	return e
}

// unseen are the kinds of what a member has not seen, the newest first.
func (s *story) unseen(t testing.TB, m *account.Member) string {
	t.Helper()
	all, err := s.all.Unseen(t.Context(), s.DB, s.Org.ID, m.ID, 50)
	must(t, err)
	var out []string
	for _, n := range all {
		out = append(out, string(n.Kind))
	}
	return strings.Join(out, " ")
}

// at is a time by the clocks of the World's organisation.
func (s *story) at(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, s.Org.Location())
	must(t, err)
	return at
}

func (s *story) day(t testing.TB, text string) civil.Day {
	t.Helper()
	d, err := civil.Parse(text)
	must(t, err)
	return d
}

// settings changes the organisation's.
func (s *story) settings(t testing.TB, in followup.NewSettings) {
	t.Helper()
	had, err := s.all.Settings(t.Context(), s.DB, s.Org.ID)
	must(t, err)
	_, err = s.all.SetSettings(t.Context(), s.boss, had.Rev, in)
	must(t, err)
}

// move puts the organisation into another zone, with working hours from 9 to 18 on Monday to Friday.
func (s *story) move(t testing.TB, zone string) {
	t.Helper()
	_, err := s.DB.Exec(t.Context(), `UPDATE organisations SET zone = $2, workdays = $3, work_from = 540, work_to = 1080 WHERE org_id = $1`, s.Org.ID, zone, account.MondayToFriday)
	if err != nil {
		t.Fatal(err)
	}
	s.Org, err = s.Accounts.Org(t.Context(), s.Org.ID)
	must(t, err)
}
