package assign_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/retain"
)

// story is an organisation with three agents, none of whom has a phone, and whoever gives out its leads.
type story struct {
	*crmtest.World
	assign             *assign.Assign
	boss               *account.Actor
	asha, bina, chitra *account.Member
	handed             []string // "lead from to"
}

func schemas() []dbtest.Schema {
	return append(crmtest.Schemas(), dbtest.Schema{Series: "retain", Files: retain.Schema}, dbtest.Schema{Series: "assign", Files: assign.Schema})
}

func each(t *testing.T, tell func(t *testing.T, s *story)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { tell(t, newStory(t, d)) }, schemas()...)
}

func newStory(t testing.TB, d *db.DB) *story {
	w := crmtest.New(t, d)
	s := &story{World: w, boss: w.Accounts.Operator(w.Org)}
	for _, m := range []struct {
		name string
		is   **account.Member
	}{{"Asha", &s.asha}, {"Bina", &s.bina}, {"Chitra", &s.chitra}} {
		*m.is = w.Agent(t, m.name)
		time.Sleep(2 * time.Millisecond) // ids of one millisecond have no order, and whose turn is first goes by them
	}
	s.assign = newStoryAssign(s)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if fault.KindOf(err) != kind {
		t.Errorf("got %v, want kind %d", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(fault.Sentence(err), word) {
			t.Errorf("got %q, want it to say %q", fault.Sentence(err), word)
		}
	}
}

// rule keeps a rule: for all agents in turn, with or without phones, unless it says otherwise.
func (s *story) rule(t testing.TB, r assign.Rule) *assign.Rule {
	t.Helper()
	if r.Name == "" {
		r.Name = "All"
	}
	if r.To.Empty() && r.SpokeDays == 0 && !r.OwnContacts {
		r.To.All = true
	}
	if r.Silent == 0 {
		r.Phoneless = true
	}
	kept, err := s.assign.SaveRule(t.Context(), s.boss, r)
	must(t, err)
	return kept
}

// lead makes an open lead of nobody, of a new contact.
func (s *story) lead(t testing.TB, n lead.New) *lead.Lead {
	t.Helper()
	if n.Contact == "" {
		n.Contact = s.Contact(t, "Meera", "Joshi").ID
	}
	var l *lead.Lead
	s.Tx(t, func(tx *db.Tx) (err error) {
		l, err = s.Leads.Add(t.Context(), tx, s.Org, "", n)
		return err
	})
	return l
}

// give gives a lead out by the rules.
func (s *story) give(t testing.TB, id lead.ID) *assign.Decision {
	t.Helper()
	var d *assign.Decision
	s.Tx(t, func(tx *db.Tx) (err error) {
		d, err = s.assign.Give(t.Context(), tx, s.Org, "", id)
		return err
	})
	return d
}

// decide says who would get a case; nothing is kept.
func (s *story) decide(t testing.TB, cs assign.Case) assign.Decision {
	t.Helper()
	e, err := s.assign.Explain(t.Context(), s.DB, s.Org, s.Now(), cs)
	must(t, err)
	return e.Decision
}

// name is what a member is called, "nobody" for none.
func (s *story) name(m account.MemberID) string {
	for _, x := range []*account.Member{s.asha, s.bina, s.chitra} {
		if x.ID == m {
			return x.Name
		}
	}
	if m == "" {
		return "nobody"
	}
	return string(m)
}

// passed are those who were passed over, with why, by name.
func (s *story) passed(d *assign.Decision) string {
	var out []string
	for _, x := range d.Skipped {
		out = append(out, s.name(x.Member)+" "+string(x.Reason))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// keys are the parts of a reason.
func keys(d *assign.Decision) string {
	var out []string
	for _, p := range d.Why {
		out = append(out, string(p.Key))
	}
	return strings.Join(out, " ")
}

func (s *story) get(t testing.TB, id lead.ID) *lead.Lead {
	t.Helper()
	all, err := s.Leads.Load(t.Context(), s.DB, s.Org.ID, id)
	must(t, err)
	return all[id]
}

// log is what the log says, the newest first.
func (s *story) log(t testing.TB, f assign.Filter) []assign.Entry {
	t.Helper()
	page, _, err := s.assign.Log(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, f, 100)
	must(t, err)
	return page
}

// clock puts the clock to a time that the organisation's clocks show.
func (s *story) clock(t testing.TB, text string) {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, s.Org.Location())
	must(t, err)
	s.Clock.Set(at)
}

func (s *story) at(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, s.Org.Location())
	must(t, err)
	return at
}

// hours has the organisation work from 9 to 18 on Monday to Friday.
func (s *story) hours(t testing.TB) {
	t.Helper()
	if _, err := s.DB.Exec(t.Context(), `UPDATE organisations SET workdays = $2, work_from = 540, work_to = 1080 WHERE org_id = $1`, s.Org.ID, account.MondayToFriday); err != nil {
		t.Fatal(err)
	}
	var err error
	s.Org, err = s.Accounts.Org(t.Context(), s.Org.ID)
	must(t, err)
	s.boss = s.Accounts.Operator(s.Org)
}

// phone pairs a phone with an agent.
func (s *story) phone(t testing.TB, m *account.Member, install string) *device.Device {
	t.Helper()
	code, _, err := s.Devices.PairingCode(t.Context(), s.Org, m.Agent)
	must(t, err)
	d, _, err := s.Devices.Pair(t.Context(), code, device.PairRequest{InstallID: install, Model: "Pixel 9", OS: "Android 16", AppVersion: "1.0", SIMs: []device.SIM{{Slot: 1}}})
	must(t, err)
	s.beat(t, d)
	return d
}

// beat has a phone tell that it is there.
func (s *story) beat(t testing.TB, d *device.Device) {
	t.Helper()
	_, err := s.Devices.Heartbeat(t.Context(), d, device.Beat{SIMs: []device.SIM{{Slot: 1}}})
	must(t, err)
}

// spoke has an agent talk with a number.
func (s *story) spoke(t testing.TB, m *account.Member, text string, at time.Time) number.ID {
	t.Helper()
	line, err := s.Devices.DefaultLine(t.Context(), s.Org, m.Agent)
	must(t, err)
	s.Put(t, ingest.Item{Agent: m.Agent, Line: line.No, Number: text, Type: call.TypeOutgoing, Start: at, Seconds: 60})
	n, ok, err := s.Book.Find(t.Context(), s.DB, s.Org.ID, text)
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	return n
}

// newStoryAssign is what gives out leads as a program has it that has just started.
func newStoryAssign(s *story) *assign.Assign {
	return assign.New(assign.Deps{DB: s.DB, Accounts: s.Accounts, Book: s.Book, Devices: s.Devices, Contacts: s.Contacts, Leads: s.Leads, Now: s.Now,
		Handed: func(_ context.Context, _ *db.Tx, _ *account.Org, l *lead.Lead, from, to account.MemberID) error {
			s.handed = append(s.handed, string(l.ID)+" "+string(from)+" "+string(to))
			return nil
		}})
}

// meera makes a contact.
func (s *story) meera(t testing.TB, tx *db.Tx) contact.ID {
	t.Helper()
	c, _, err := s.Contacts.Add(t.Context(), tx, s.Org, "", contact.New{Person: contact.Person{First: "Meera"}, Origin: "manual"})
	must(t, err)
	return c.ID
}

// logAll is the whole log, page by page.
func (s *story) logAll(t testing.TB) []assign.Entry {
	t.Helper()
	var out []assign.Entry
	for before := int64(0); ; {
		page, next, err := s.assign.Log(t.Context(), s.DB, s.Org.ID, contact.Sight{All: true}, assign.Filter{Before: before}, 40)
		must(t, err)
		out = append(out, page...)
		if before = next; next == 0 {
			return out
		}
	}
}
