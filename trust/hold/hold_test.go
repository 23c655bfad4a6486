package hold_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/hold"
	"parley/trust/subject"
)

var schemas = []dbtest.Schema{{Series: "account", Files: account.Schema}, {Series: "audit", Files: audit.Schema}, {Series: "hold", Files: hold.Schema}}

type world struct {
	db       *db.DB
	accounts *account.Accounts
	org      *account.Org
	owner    *account.Member
	by       *account.Actor
	holds    *hold.Holds
	log      *audit.Log
	now      time.Time
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := vault.Open(t.Context(), dir, master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	w := &world{db: d, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.now }
	w.accounts = account.New(d, k, now)
	w.log = audit.New(d, k, now)
	w.holds = hold.New(d, k, w.accounts, w.log, now)
	w.org = w.newOrg(t, "Asha Traders")
	if w.owner, err = w.accounts.Owner(t.Context(), w.org.ID); err != nil {
		t.Fatal(err)
	}
	if w.by, err = w.accounts.As(t.Context(), w.org.ID, w.owner.ID); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) newOrg(t *testing.T, name string) *account.Org {
	t.Helper()
	org, err := w.accounts.CreateOrg(t.Context(), account.NewOrg{Name: name, Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Owner", OwnerEmail: "owner@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return org
}

func (w *world) add(t *testing.T, in hold.Hold) *hold.Hold {
	t.Helper()
	if in.Owner == "" {
		in.Owner = w.owner.ID
	}
	if in.Ends.IsZero() {
		in.Ends = w.now.AddDate(0, 3, 0)
	}
	if in.Reason == "" {
		in.Reason = "Dispute over an invoice"
	}
	h, err := w.holds.Add(t.Context(), w.by, in)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (w *world) check(t *testing.T, d hold.Deletion) error {
	t.Helper()
	if d.Path == "" {
		d.Path = hold.CallDelete
	}
	err := w.holds.Check(t.Context(), w.db, w.org.ID, d)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		t.Fatal(err)
	}
	return err
}

var asha, ravi = subject.OfNumber(17), subject.OfNumber(18)

func TestAHoldStopsWhatItCovers(t *testing.T) {
	persons := func(r ...subject.Ref) hold.Hold { return hold.Hold{Scope: hold.Person, Persons: r} }
	narrow := persons(asha)
	narrow.Categories = []string{"call.recording"}
	cases := []struct {
		name    string
		hold    hold.Hold
		delete  hold.Deletion
		stopped bool
	}{
		{"the person", persons(asha), hold.Deletion{Who: []subject.Ref{asha}, Category: "call.meta"}, true},
		{"the person among others", persons(asha), hold.Deletion{Who: []subject.Ref{ravi, asha}, Category: "call.meta"}, true},
		{"everything about the person", persons(asha), hold.Deletion{Who: []subject.Ref{asha}}, true},
		{"everybody", persons(asha), hold.Deletion{Category: "call.meta"}, true},
		{"the whole organisation", persons(asha), hold.Deletion{Path: hold.OrgClose}, true},
		{"another person", persons(asha), hold.Deletion{Who: []subject.Ref{ravi}, Category: "call.meta"}, false},
		{"a member with the number's id", persons(asha), hold.Deletion{Who: []subject.Ref{subject.OfMember("17")}}, false},
		{"the category held of the person", narrow, hold.Deletion{Who: []subject.Ref{asha}, Category: "call.recording"}, true},
		{"another category of the person", narrow, hold.Deletion{Who: []subject.Ref{asha}, Category: "call.note"}, false},
		{"all of the person, the held category too", narrow, hold.Deletion{Who: []subject.Ref{asha}}, true},
		{"the category", hold.Hold{Scope: hold.Category, Categories: []string{"call.note"}}, hold.Deletion{Who: []subject.Ref{ravi}, Category: "call.note"}, true},
		{"another category", hold.Hold{Scope: hold.Category, Categories: []string{"call.note"}}, hold.Deletion{Who: []subject.Ref{ravi}, Category: "call.meta"}, false},
		{"a person of a case", hold.Hold{Scope: hold.Case, Case: "CS 12/2026", Persons: []subject.Ref{asha, ravi}}, hold.Deletion{Who: []subject.Ref{ravi}, Category: "lead"}, true},
		{"a category of a case", hold.Hold{Scope: hold.Case, Case: "CS 12/2026", Categories: []string{"lead"}}, hold.Deletion{Who: []subject.Ref{ravi}, Category: "lead"}, true},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, c := range cases {
			h := w.add(t, c.hold)
			err := w.check(t, c.delete)
			if (err != nil) != c.stopped {
				t.Errorf("%s: stopped %v, want %v", c.name, err, c.stopped)
			}
			if err != nil && !strings.Contains(fault.Sentence(err), h.ID) {
				t.Errorf("%s: the refusal does not name the hold: %v", c.name, err)
			}
			if _, err := w.holds.Release(t.Context(), w.by, h.ID, "settled"); err != nil {
				t.Fatal(err)
			}
			if err := w.check(t, c.delete); err != nil {
				t.Errorf("%s: a released hold still stops it: %v", c.name, err)
			}
		}
	}, schemas...)
}

func TestAHoldNeedsReasonOwnerEndAndMatter(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	good := hold.Hold{Scope: hold.Person, Persons: []subject.Ref{asha}, Reason: "Dispute", Owner: w.owner.ID, Ends: w.now.AddDate(0, 1, 0)}
	for field, spoil := range map[string]func(*hold.Hold){
		"reason":     func(h *hold.Hold) { h.Reason = "  " },
		"owner":      func(h *hold.Hold) { h.Owner = "" },
		"owner ":     func(h *hold.Hold) { h.Owner = "mem_none" },
		"ends":       func(h *hold.Hold) { h.Ends = time.Time{} },
		"ends ":      func(h *hold.Hold) { h.Ends = w.now },
		"ends  ":     func(h *hold.Hold) { h.Ends = w.now.AddDate(11, 0, 0) },
		"scope":      func(h *hold.Hold) { h.Scope = "all" },
		"persons":    func(h *hold.Hold) { h.Persons = nil },
		"case":       func(h *hold.Hold) { h.Scope = hold.Case },
		"persons ":   func(h *hold.Hold) { h.Scope, h.Case, h.Persons = hold.Case, "CS 1", nil },
		"persons  ":  func(h *hold.Hold) { h.Scope, h.Categories = hold.Category, []string{"lead"} },
		"categories": func(h *hold.Hold) { h.Scope, h.Persons = hold.Category, nil },
	} {
		bad := good
		bad.Persons = slices.Clone(good.Persons)
		spoil(&bad)
		_, err := w.holds.Add(t.Context(), w.by, bad)
		if f := fault.Fields(err); len(f) != 1 || f[0].Field != strings.TrimSpace(field) {
			t.Errorf("a hold with a bad %s gave %v", field, err)
		}
	}
	if all, err := w.holds.List(t.Context(), w.org.ID); err != nil || len(all) != 0 {
		t.Errorf("%d refused holds were kept, %v", len(all), err)
	}
	if _, err := w.holds.Add(t.Context(), w.by, good); err != nil {
		t.Errorf("a sound hold was refused: %v", err)
	}
}

func TestAHoldEndsOnItsDayAndCanBeExtended(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		h := w.add(t, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{asha}, Ends: w.now.Add(time.Hour)})
		del := hold.Deletion{Who: []subject.Ref{asha}}
		if _, err := w.holds.Extend(t.Context(), w.by, h.ID, w.now.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(2*time.Hour - time.Millisecond)
		if w.check(t, del) == nil {
			t.Error("the extended hold did not stop a deletion before its end")
		}
		w.now = w.now.Add(time.Millisecond)
		if err := w.check(t, del); err != nil {
			t.Errorf("the hold outlived its end: %v", err)
		}
		if _, err := w.holds.Release(t.Context(), w.by, h.ID, "over"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("releasing an ended hold gave %v", err)
		}
		if _, err := w.holds.Extend(t.Context(), w.by, h.ID, w.now.Add(time.Hour)); fault.KindOf(err) != fault.Conflict {
			t.Errorf("extending an ended hold gave %v", err)
		}
	}, schemas...)
}

func TestRefusalsAreKeptAlsoInsideATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		h := w.add(t, hold.Hold{Scope: hold.Case, Case: "CS 9", Persons: []subject.Ref{asha}})
		if w.check(t, hold.Deletion{Who: []subject.Ref{asha}}) == nil {
			t.Fatal("not stopped")
		}
		for range 2 {
			if err := d.Tx(t.Context(), func(tx *db.Tx) error {
				return w.holds.Check(t.Context(), tx, w.org.ID, hold.Deletion{Who: []subject.Ref{asha}, Path: hold.RightsErase})
			}); fault.KindOf(err) != fault.Conflict {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.holds.Run(ctx, func(err error) { t.Error(err) }) })
		stop()
		running.Wait()
		got, err := w.holds.Get(t.Context(), w.org.ID, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := []hold.Refused{{Path: hold.CallDelete, Times: 1}, {Path: hold.RightsErase, Times: 2}}
		if len(got.Refused) != 2 || got.Refused[0].Path != want[0].Path || got.Refused[0].Times != 1 || got.Refused[1].Path != want[1].Path || got.Refused[1].Times != 2 {
			t.Errorf("kept %+v, want %+v", got.Refused, want)
		}
		if got.Case != "CS 9" || got.Reason != "Dispute over an invoice" || got.Owner != w.owner.ID || !slices.Equal(got.Persons, []subject.Ref{asha}) {
			t.Errorf("the hold came back as %+v", got)
		}
		logged, _, err := w.log.List(t.Context(), int64(w.org.ID), audit.Filter{About: asha.String()})
		if err != nil || len(logged) != 4 {
			t.Fatalf("the audit log has %+v, %v", logged, err)
		}
		if r := logged[0]; r.Action != audit.HoldRefused || r.Object != "hold/"+h.ID || r.Result != audit.Denied || r.Details["path"] != string(hold.RightsErase) {
			t.Errorf("the refusal was logged as %+v", r)
		}
		if r := logged[3]; r.Action != audit.HoldChanged || r.Details["what"] != "added" || r.Actor != string(w.owner.ID) {
			t.Errorf("the hold was logged as %+v", r)
		}
	}, schemas...)
}

func TestCoverTellsWhatToLeave(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	a := w.add(t, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{asha}, Categories: []string{"call.meta"}})
	b := w.add(t, hold.Hold{Scope: hold.Category, Categories: []string{"lead"}})
	cover := func(category string) *hold.Cover {
		c, err := w.holds.Cover(t.Context(), w.db, w.org.ID, category)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got, held := cover("call.meta").Holds(ravi, asha); !held || got != a.ID {
		t.Errorf("the held person is covered by %q, %v", got, held)
	}
	if _, held := cover("call.meta").Holds(ravi); held {
		t.Error("a person not held is covered")
	}
	if got, held := cover("lead").Holds(ravi); !held || got != b.ID {
		t.Errorf("the held category is covered by %q, %v", got, held)
	}
	if _, held := cover("call.note").Holds(asha); held {
		t.Error("a category that no hold names is covered")
	}
}

func TestHoldsOfOthersAreNotSeen(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	h := w.add(t, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{asha}})
	other := w.newOrg(t, "Other")
	if _, err := w.holds.Get(t.Context(), other.ID, h.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another organisation's hold gave %v", err)
	}
	if err := w.holds.Check(t.Context(), w.db, other.ID, hold.Deletion{Path: hold.OrgClose}); err != nil {
		t.Errorf("a hold reaches into another organisation: %v", err)
	}
	if _, err := w.holds.Release(t.Context(), w.accounts.Operator(other), h.ID, "mine"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("releasing another organisation's hold gave %v", err)
	}
	viewer := *w.by
	viewer.Member = &account.Member{Org: w.org.ID, Role: account.Viewer, Active: true}
	if _, err := w.holds.Add(t.Context(), &viewer, hold.Hold{}); fault.KindOf(err) != fault.Denied {
		t.Errorf("a viewer who makes a hold got %v", err)
	}
}

func TestARestoredHoldIsPutBack(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	h := w.add(t, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{asha}})
	if err := w.db.Tx(t.Context(), func(tx *db.Tx) error {
		if err := hold.Delete(t.Context(), tx, w.org.ID); err != nil {
			return err
		}
		return w.holds.Put(t.Context(), tx, w.org.ID, h)
	}); err != nil {
		t.Fatal(err)
	}
	if w.check(t, hold.Deletion{Who: []subject.Ref{asha}}) == nil {
		t.Error("the hold that was put back stops nothing")
	}
}

func TestAWayThatIsNotDeclaredIsRefused(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	if err := w.holds.Check(t.Context(), w.db, w.org.ID, hold.Deletion{Path: "back.door"}); fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
}
