package timeline_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/reach/mail"
	"parley/trust/consent"
	"parley/trust/rights"
	"parley/trust/subject"
)

// world is an organisation with a person of whom there is something of every kind.
type world struct {
	*crmtest.World
	t         testing.TB
	followups *followup.FollowUps
	files     *file.Files
	mails     *mail.Mailer
	lines     *timeline.Timelines
	asha      *account.Member
	ravi      *account.Member
	who       *contact.Contact
	lead      *lead.Lead
	made      int
}

const address = "one@example.com"

func schemas() []dbtest.Schema {
	return append(crmtest.Schemas(), dbtest.Schema{Series: "followup", Files: followup.Schema}, dbtest.Schema{Series: "file", Files: file.Schema}, dbtest.Schema{Series: "mail", Files: mail.Schema})
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{World: crmtest.New(t, d), t: t}
	w.followups = followup.NewFollowUps(followup.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Contacts: w.Contacts, Leads: w.Leads, Log: w.Log, Gate: w.Holds.Check, Now: w.Now})
	w.files = file.New(file.Deps{DB: d, Keys: w.Keys, Contacts: w.Contacts, Gate: w.Holds.Check, Now: w.Now})
	w.mails = mail.New(d, w.Keys, mail.Server{}, w.Now)
	w.Consents.Purposes = func(context.Context, account.OrgID) ([]consent.Purpose, error) {
		return []consent.Purpose{{Key: "marketing", Basis: consent.ByConsent}}, nil
	}
	asked := rights.New(rights.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Holds: w.Holds, Log: w.Log, Now: w.Now})
	w.lines = timeline.New(timeline.Deps{DB: d, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Reporter: w.Reporter, Contacts: w.Contacts, Leads: w.Leads,
		FollowUps: w.followups, Files: w.files, Consents: w.Consents, Rights: asked, Now: w.Now,
		Letters: func(ctx context.Context, c db.Conn, org account.OrgID, to string, at time.Time, below string, limit int) ([]timeline.Letter, error) {
			all, err := w.mails.Past(ctx, c, org, to, at, below, limit)
			out := make([]timeline.Letter, len(all))
			for i, m := range all {
				out[i] = timeline.Letter{ID: m.ID, To: m.To, Subject: m.Subject, State: string(m.State), At: m.CreatedAt}
			}
			return out, err
		}})
	w.asha, w.ravi = w.Agent(t, "Asha"), w.Agent(t, "Ravi")
	w.who = w.Add(t, contact.New{Person: contact.Person{First: "One", Numbers: []contact.Labelled{{Text: num(1)}, {Text: num(2)}}, Emails: []contact.Labelled{{Text: address}}},
		Owner: w.asha.ID, Origin: "manual"})
	w.Tx(t, func(tx *db.Tx) (err error) {
		w.lead, err = w.Leads.Add(t.Context(), tx, w.Org, w.asha.ID, lead.New{Contact: w.who.ID, Owner: w.asha.ID})
		return err
	})
	return w
}

func num(i int) string { return fmt.Sprintf("+9198123%05d", i) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// as is a member at work.
func (w *world) as(m *account.Member) *account.Actor {
	w.t.Helper()
	a, err := w.Accounts.As(w.t.Context(), w.Org.ID, m.ID)
	w.must(err)
	return a
}

// call is a call with the person, at the clock's time.
func (w *world) call(of *account.Member, to string, seconds int) ingest.Item {
	w.made++
	return ingest.Item{Agent: of.Agent, Line: call.LineNo(of.Agent), Start: w.Now(), Number: to, Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: seconds, Ref: int64(w.made)}
}

// note writes a note about the person.
func (w *world) note() {
	w.Tx(w.t, func(tx *db.Tx) error {
		_, err := w.Contacts.AddNote(w.t.Context(), tx, w.Org.ID, w.asha.ID, w.who.ID, "a note")
		return err
	})
}

func (w *world) file() {
	w.Tx(w.t, func(tx *db.Tx) error {
		_, err := w.files.Add(w.t.Context(), tx, w.Org.ID, w.asha.ID, file.NewFile{Contact: w.who.ID, Name: "a.txt", Content: strings.NewReader("a text"), Size: 6})
		return err
	})
}

// follow makes a follow-up and does it.
func (w *world) follow() {
	w.Tx(w.t, func(tx *db.Tx) error {
		f, err := w.followups.Add(w.t.Context(), tx, w.Org, w.asha.ID, followup.New{Kind: followup.Task, Contact: w.who.ID, Owner: w.asha.ID, Due: w.Now().Add(time.Hour), Text: "x"})
		if err != nil {
			return err
		}
		_, err = w.followups.Done(w.t.Context(), tx, w.Org, w.asha.ID, f.ID, followup.Finish{})
		return err
	})
}

// change changes two fields of the lead, and the name of the person.
func (w *world) change() {
	w.made++
	value, source := int64(w.made), fmt.Sprint("source ", w.made)
	w.Tx(w.t, func(tx *db.Tx) error {
		if _, err := w.Leads.Change(w.t.Context(), tx, w.Org, w.asha.ID, w.lead.ID, 0, lead.Change{Value: &value, Source: &source}); err != nil {
			return err
		}
		p := w.who.Person
		p.Last = fmt.Sprint("Name ", w.made)
		_, _, err := w.Contacts.Change(w.t.Context(), tx, w.Org, w.asha.ID, w.who.ID, 0, p, nil)
		return err
	})
}

// say has the person agree to something by number, and take it back by mail.
func (w *world) say() {
	w.must(w.Consents.Record(w.t.Context(), w.Org.ID, consent.Change{Who: consent.Who{Ref: subject.OfNumber(int64(w.who.Nums[0]))}, Purposes: []string{"marketing"}, Channels: []consent.Channel{consent.Call},
		State: consent.Given, How: consent.ByWebForm, Wording: consent.Wording{Language: "en", Text: "yes"}}))
	w.must(w.Consents.Record(w.t.Context(), w.Org.ID, consent.Change{Who: consent.Who{Email: address}, Purposes: []string{"marketing"}, Channels: []consent.Channel{consent.Email},
		State: consent.Withdrawn, How: consent.ByWebForm}))
}

// write sends the person a mail.
func (w *world) write() {
	w.must(w.mails.Send(w.t.Context(), mail.Message{Org: w.Org.ID, To: address, Subject: "Hello", Text: "x"}))
}

// ask has the person ask for their data.
func (w *world) ask() {
	w.made++
	_, err := w.DB.Exec(w.t.Context(), `INSERT INTO requests (org_id, id, kind, channel, state, reason, place, locale, purposes, minor, proof, reviewer, contact_key, contact_sealed,
		text_sealed, subject_ref, secret_hash, law, received_ms, due_ms, extend_ms, extended_ms, confirm_ms, warned_ms, changed_ms, closed_ms, approved_by, approved_ms, run_ms, round)
		VALUES ($1, $2, 'access', 'mail', 'done', '', '', 'en', '', 0, '', '', NULL, NULL, NULL, $3, $4, '', $5, 0, 0, 0, 0, 0, 0, 0, '', 0, 0, 1)`,
		w.Org.ID, fmt.Sprintf("req_%06d", w.made), subject.OfContact(w.who.Subject).String(), fmt.Append(nil, "secret ", w.made), w.Now().UnixMilli())
	w.must(err)
}
