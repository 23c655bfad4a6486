package attach_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// world is an organisation whose calls meet people.
type world struct {
	*crmtest.World
	t         testing.TB
	followups *followup.FollowUps
	attach    *attach.Attach
	owner     *account.Actor
}

func schemas() []dbtest.Schema {
	return append(crmtest.Schemas(), dbtest.Schema{Series: "followup", Files: followup.Schema}, dbtest.Schema{Series: "attach", Files: attach.Schema})
}

// newWorld puts the packages together as app does.
func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{World: crmtest.New(t, d), t: t}
	w.followups = followup.NewFollowUps(followup.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Contacts: w.Contacts, Leads: w.Leads, Log: w.Log, Gate: w.Holds.Check, Now: w.Now})
	w.attach = attach.New(attach.Deps{DB: d, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Devices: w.Devices, Reporter: w.Reporter, Callbacks: w.Callbacks,
		Consents: w.Consents, Contacts: w.Contacts, Leads: w.Leads, FollowUps: w.followups, Gate: w.Holds.Check, Now: w.Now})
	w.Leads.OnTurn(w.attach.Mark)
	w.Contacts.OnNumbers(w.attach.Mark)
	w.Leads.OnGone(w.attach.LeadsGone)
	w.Contacts.OnGone(w.attach.ContactsGone)
	w.Writer.Watch(w.attach.Heard)
	w.owner = w.Accounts.Operator(w.Org)
	return w
}

func each(t *testing.T, story func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(newWorld(t, d)) }, schemas()...)
}

// must fails the test on an error.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// tx runs fn in a transaction.
func (w *world) tx(fn func(tx *db.Tx) error) {
	w.t.Helper()
	w.must(w.DB.Tx(w.t.Context(), fn))
}

func (w *world) stageRule(by *account.Actor, pipeline string, r attach.StageRule) error {
	return w.DB.Tx(w.t.Context(), func(tx *db.Tx) error { return w.attach.SetStageRule(w.t.Context(), tx, by, pipeline, r) })
}

// line gives an agent a line with a number.
func (w *world) line(agent account.AgentNo, own string) call.LineNo {
	w.t.Helper()
	l, err := w.Devices.AddLine(w.t.Context(), w.Org, device.NewLine{Agent: agent, Number: own, Label: "desk"})
	w.must(err)
	return l.No
}

// person enters a contact with numbers.
func (w *world) person(name string, owner account.MemberID, numbers ...string) *contact.Contact {
	w.t.Helper()
	n := contact.New{Person: contact.Person{First: name}, Owner: owner, Origin: "manual"}
	for _, text := range numbers {
		n.Person.Numbers = append(n.Person.Numbers, contact.Labelled{Text: text})
	}
	return w.Add(w.t, n)
}

// lead makes a lead of a contact.
func (w *world) lead(c contact.ID, owner account.MemberID) *lead.Lead {
	w.t.Helper()
	var l *lead.Lead
	w.tx(func(tx *db.Tx) (err error) {
		l, err = w.Leads.Add(w.t.Context(), tx, w.Org, "", lead.New{Contact: c, Owner: owner})
		return err
	})
	return l
}

// work does all that there is to do.
func (w *world) work() {
	w.t.Helper()
	for {
		more, err := w.attach.Work(w.t.Context())
		w.must(err)
		if !more {
			return
		}
	}
}

// now gives a lead as it is.
func (w *world) now(id lead.ID) *lead.Lead {
	w.t.Helper()
	all, err := w.Leads.Load(w.t.Context(), w.DB, w.Org.ID, id)
	w.must(err)
	if all[id] == nil {
		w.t.Fatalf("the lead %s is gone", id)
	}
	return all[id]
}

// open lists the open leads of whoever has a number.
func (w *world) open(canonical string) (out []*lead.Lead) {
	w.t.Helper()
	ids, err := w.Book.Known(w.t.Context(), w.DB, w.Org.ID, []string{canonical})
	w.must(err)
	n := ids[canonical]
	if n == number.Withheld {
		return nil
	}
	having, err := w.Contacts.ByNumber(w.t.Context(), w.DB, w.Org.ID, n)
	w.must(err)
	leads, err := w.Leads.OfContacts(w.t.Context(), w.DB, w.Org.ID, having[n]...)
	w.must(err)
	return slices.DeleteFunc(leads, func(l *lead.Lead) bool { return l.State != lead.Open })
}

func in(agent *account.Member, line call.LineNo, number string, at time.Time, seconds int) ingest.Item {
	it := ingest.Item{Agent: agent.Agent, Line: line, Start: at, Number: number, Direction: call.Incoming, Type: call.TypeIncoming, Seconds: seconds, Ref: ref(agent, number, at)}
	if seconds == 0 {
		it.Type = call.TypeMissed
	}
	return it
}

func out(agent *account.Member, line call.LineNo, number string, at time.Time, seconds int) ingest.Item {
	return ingest.Item{Agent: agent.Agent, Line: line, Start: at, Number: number, Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: seconds, Ref: -ref(agent, number, at) & (1<<62 - 1)}
}

// ref is a key of a phone's own: another for each call.
func ref(agent *account.Member, number string, at time.Time) int64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, agent.Agent, number, at.UnixMilli()) // never fails, see hash.Hash
	return int64(h.Sum64() >> 2)
}

func num(i int) string { return fmt.Sprintf("+9198123%05d", i) }
