package callback_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

const caller = "+919812300101"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, kind fault.Kind, word string) {
	t.Helper()
	if fault.KindOf(err) != kind || !strings.Contains(fault.Sentence(err), word) {
		t.Errorf("got %v, want kind %d with %q", err, kind, word)
	}
}

// story is an organisation in which somebody called and reached nobody.
type story struct {
	*calltest.World
	asha, bina *account.Member
	key        number.Key
	num        number.ID
}

func newStory(t *testing.T, d *db.DB) *story {
	w := calltest.New(t, d)
	s := &story{World: w, asha: w.Agent(t, "Asha"), bina: w.Agent(t, "Bina")}
	answers := s.miss(t, w.Now().Add(-time.Hour))
	s.num = answers[0].Key.Number
	key, err := w.Book.Key(t.Context(), w.Org.ID, caller)
	must(t, err)
	s.key = key
	return s
}

func (s *story) miss(t *testing.T, at time.Time) []ingest.Answer {
	t.Helper()
	return s.Put(t, ingest.Item{Agent: s.asha.Agent, Line: 1, Start: at, Number: caller, Name: "Meera", Direction: call.Incoming, Type: call.TypeMissed})
}

func (s *story) as(t *testing.T, m *account.Member) *account.Actor {
	t.Helper()
	a, err := s.Accounts.As(t.Context(), s.Org.ID, m.ID)
	must(t, err)
	return a
}

func (s *story) become(t *testing.T, m *account.Member, role account.Role) *account.Actor {
	t.Helper()
	_, err := s.Accounts.SetRole(t.Context(), s.Accounts.Operator(s.Org), m.ID, role)
	must(t, err)
	return s.as(t, m)
}

func (s *story) kept(t *testing.T) callback.Callback {
	t.Helper()
	of, err := s.Callbacks.Of(t.Context(), s.Org.ID, []number.ID{s.num})
	must(t, err)
	return of[s.num]
}

func TestAMissedCallerIsAssignedHandledAndMissedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx, operator := t.Context(), s.Accounts.Operator(s.Org)
		missed := s.Now().Add(-time.Hour)
		if got := s.kept(t).State(missed); got != callback.Open {
			t.Errorf("at first the callback is %s", got)
		}
		must(t, s.Callbacks.Assign(ctx, operator, s.key, s.bina.Agent))
		if c := s.kept(t); c.State(missed) != callback.Assigned || c.AssignedTo != s.bina.Agent || !c.AssignedAt.Equal(s.Now()) {
			t.Errorf("assigned: %+v", c)
		}
		tasks, err := s.Callbacks.Mine(ctx, s.as(t, s.bina))
		must(t, err)
		if len(tasks) != 1 || tasks[0].Text != caller || tasks[0].Name != "Meera" || tasks[0].Key != s.key {
			t.Errorf("Bina's tasks are %+v", tasks)
		}
		s.Clock.Advance(time.Minute)
		must(t, s.Callbacks.Handle(ctx, s.as(t, s.bina), s.key, " Came by the shop. "))
		if c := s.kept(t); c.State(missed) != callback.Handled || c.Note != "Came by the shop." || c.HandledBy != s.bina.ID {
			t.Errorf("handled: %+v", c)
		}
		if tasks, _ := s.Callbacks.Mine(ctx, s.as(t, s.bina)); len(tasks) != 0 {
			t.Errorf("a handled callback is still a task: %+v", tasks)
		}
		if got := s.kept(t).State(s.Now().Add(time.Minute)); got != callback.Open {
			t.Errorf("missed again after it was handled, the callback is %s", got)
		}
		must(t, s.Callbacks.Assign(ctx, operator, s.key, s.asha.Agent))
		if got := s.kept(t).State(s.Now().Add(time.Minute)); got != callback.Assigned {
			t.Errorf("assigned anew, the callback is %s", got)
		}
	}, calltest.Schemas()...)
}

func TestReopeningGivesTheCallbackBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx, operator := t.Context(), s.Accounts.Operator(s.Org)
		must(t, s.Callbacks.Assign(ctx, operator, s.key, s.bina.Agent))
		must(t, s.Callbacks.Handle(ctx, operator, s.key, ""))
		must(t, s.Callbacks.Reopen(ctx, operator, s.key))
		if c := s.kept(t); c.State(s.Now()) != callback.Assigned || c.AssignedTo != s.bina.Agent {
			t.Errorf("reopened: %+v", c)
		}
		must(t, s.Callbacks.Assign(ctx, operator, s.key, 0))
		if c := s.kept(t); c.State(s.Now()) != callback.Open {
			t.Errorf("taken back: %+v", c)
		}
		must(t, s.DB.Tx(ctx, func(tx *db.Tx) error { return s.Callbacks.Delete(ctx, tx, s.Org.ID) }))
		if all, err := s.Callbacks.All(ctx, s.Org.ID); err != nil || len(all) != 0 {
			t.Errorf("after deletion there is %+v (%v)", all, err)
		}
	}, calltest.Schemas()...)
}

func TestWhoMayTakeACallback(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx, operator := t.Context(), s.Accounts.Operator(s.Org)
		asha := s.as(t, s.asha)
		must(t, s.Callbacks.Assign(ctx, asha, s.key, s.asha.Agent))
		refused(t, s.Callbacks.Assign(ctx, asha, s.key, s.bina.Agent), fault.NotFound, "no agent")
		refused(t, s.Callbacks.Assign(ctx, s.as(t, s.bina), s.key, s.bina.Agent), fault.Conflict, "has this callback already")
		refused(t, s.Callbacks.Assign(ctx, operator, s.key, 99), fault.NotFound, "no agent number 99")

		team, err := s.Accounts.CreateTeam(ctx, s.Org.ID, "North")
		must(t, err)
		lead := s.Agent(t, "Lead")
		for _, m := range []*account.Member{lead, s.bina} {
			_, err := s.Accounts.SetTeams(ctx, s.Org.ID, m.ID, []account.TeamID{team.ID})
			must(t, err)
		}
		manager := s.become(t, lead, account.Manager)
		must(t, s.Callbacks.Assign(ctx, operator, s.key, 0))
		must(t, s.Callbacks.Assign(ctx, manager, s.key, s.bina.Agent))
		refused(t, s.Callbacks.Assign(ctx, manager, s.key, s.asha.Agent), fault.NotFound, "no agent")

		viewer := s.become(t, s.Agent(t, "Guest"), account.Viewer)
		refused(t, s.Callbacks.Handle(ctx, viewer, s.key, ""), fault.Denied, "role does not allow")

		other := s.NewOrg(t, "Other Traders")
		refused(t, s.Callbacks.Assign(ctx, s.Accounts.Operator(other), s.key, 1), fault.NotFound, "no number")
		refused(t, s.Callbacks.Handle(ctx, s.Accounts.Operator(other), s.key, ""), fault.NotFound, "no number")
		refused(t, s.Callbacks.Handle(ctx, operator, s.key, strings.Repeat("x", 2001)), fault.Invalid, "2001 characters")
		_, err = s.Accounts.Deactivate(ctx, operator, s.bina.ID)
		must(t, err)
		refused(t, s.Callbacks.Assign(ctx, operator, s.key, s.bina.Agent), fault.Invalid, "deactivated")
	}, calltest.Schemas()...)
}

func TestANoteIsSealedAndErasedWithItsPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		ctx, operator := t.Context(), s.Accounts.Operator(s.Org)
		must(t, s.Callbacks.Handle(ctx, operator, s.key, "Wrote to us from Jaipur"))
		var sealed []byte
		must(t, s.DB.Row(ctx, `SELECT note_sealed FROM callbacks WHERE org_id = $1`, s.Org.ID).Scan(&sealed))
		if len(sealed) == 0 || bytes.Contains(sealed, []byte("Jaipur")) {
			t.Errorf("the note lies open: %q", sealed)
		}
		if path := s.DB.Path(); path != "" {
			raw, err := os.ReadFile(path)
			must(t, err)
			if bytes.Contains(raw, []byte("Jaipur")) {
				t.Error("the database file holds the note in the clear")
			}
		}
		k, err := s.Keys.Org(ctx, int64(s.Org.ID))
		must(t, err)
		must(t, k.DestroySubject(ctx, int64(s.num)))
		if c := s.kept(t); c.Note != "" || c.HandledAt.IsZero() {
			t.Errorf("after the person was erased: %+v", c)
		}
		must(t, s.Callbacks.Reopen(ctx, operator, s.key))
		must(t, s.Callbacks.Assign(ctx, operator, s.key, s.asha.Agent))
		if tasks, err := s.Callbacks.Mine(ctx, s.as(t, s.asha)); err != nil || len(tasks) != 0 {
			t.Errorf("an erased person is a task: %+v (%v)", tasks, err)
		}
	}, calltest.Schemas()...)
}

// P14: a note about a call-back holds no number of a card or an identity.
func TestANoteHoldsNoCardNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newStory(t, d)
		by := s.Accounts.Operator(s.Org)
		refused(t, s.Callbacks.Handle(t.Context(), by, s.key, "gave the card 5555-5555-5555-4444"), fault.Invalid, "payment card")
		if !s.kept(t).HandledAt.IsZero() {
			t.Error("the refused note was kept")
		}
		must(t, s.Callbacks.Handle(t.Context(), by, s.key, "called +91 98123 00101 back"))
	}, calltest.Schemas()...)
}
