package retain_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

func eachArchive(t *testing.T, story func(t *testing.T, w *world)) {
	each(t, func(t *testing.T, w *world) {
		w.rules[0].Archive = policy.Period{N: 90, Unit: policy.Days}
		w.use(w.shelf.archiving(w.db))
		k, err := w.keys.Org(t.Context(), int64(w.org.ID))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.EnsureSubjects(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		w.shelf.put(item(1, w.now, 3))
		story(t, w)
	})
}

func (w *world) archived() []retain.Archived {
	w.t.Helper()
	all, err := w.Archive(w.t.Context(), w.by)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestTheArchiveKeepsForItsPeriodAndForItsRole(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		w.days(366)
		all := w.archived()
		if w.shelf.has("number/1") || len(all) != 1 || all[0].Rows != 3 || !all[0].Ends.Equal(all[0].Since.AddDate(0, 0, 90)) {
			t.Fatalf("the archive is %+v", all)
		}
		_, plain, err := w.Open(t.Context(), w.by, all[0].ID)
		if err != nil || string(plain) != "canary of number/1" {
			t.Errorf("it opens as %q (%v)", plain, err)
		}
		var sealed []byte
		if err := w.db.Row(t.Context(), `SELECT sealed FROM archive_items WHERE org_id = $1 AND id = $2`, w.org.ID, all[0].ID).Scan(&sealed); err != nil || bytes.Contains(sealed, []byte("canary")) {
			t.Errorf("what is stored is %q (%v)", sealed, err)
		}
		k, err := w.keys.Org(t.Context(), int64(w.org.ID))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Open("archive|number/1", sealed); err == nil {
			t.Error("the organisation's ordinary key opens the archive")
		}
		for _, role := range []account.Role{account.Admin, account.Manager, account.Viewer, account.Agent} {
			reader := *w.by
			reader.Member = &account.Member{Org: w.org.ID, Role: role, Active: true}
			if _, _, err := w.Open(t.Context(), &reader, all[0].ID); fault.KindOf(err) != fault.Denied {
				t.Errorf("a %s opened an archived item: %v", role, err)
			}
			if _, err := w.Archive(t.Context(), &reader); fault.KindOf(err) != fault.Denied {
				t.Errorf("a %s listed the archive: %v", role, err)
			}
		}
		if w.logged("archive.opened") != 1 {
			t.Error("the opening is not in the audit log")
		}
		w.days(89)
		if len(w.archived()) != 1 || len(w.shelf.forgot) != 0 {
			t.Error("it is gone on day 89 of the archive")
		}
		w.days(2)
		if n := len(w.archived()); n != 0 {
			t.Errorf("%d items are in the archive on day 91", n)
		}
		if len(w.shelf.forgot) != 1 || w.shelf.forgot[0] != subject.OfNumber(1) {
			t.Errorf("keys were to be destroyed of %v", w.shelf.forgot)
		}
	})
}

func TestAnErasedPersonIsUnreadableInTheArchiveToo(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		w.days(366)
		a := w.archived()[0]
		k, err := w.keys.Org(t.Context(), int64(w.org.ID))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := w.EachArchived(t.Context(), w.org.ID, subject.OfNumber(1), func(*retain.Archived, []byte) error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("the person's copy has %d archived items (%v)", n, err)
		}
		if err := k.DestroySubject(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.Open(t.Context(), w.by, a.ID); fault.KindOf(err) != fault.Gone {
			t.Errorf("it opens without the person's key: %v", err)
		}
		if err := w.db.Tx(t.Context(), func(tx *db.Tx) error {
			n, err := retain.EraseOf(t.Context(), tx, w.org.ID, subject.OfNumber(1))
			if n != 1 {
				t.Errorf("%d items were erased", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnArchivingThatIsBrokenOffIsFinished(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		w.days(365)
		w.shelf.crash = true
		w.now = w.now.AddDate(0, 0, 1)
		if _, err := w.Run(t.Context(), w.org.ID); err == nil {
			t.Fatal("the crash was not told")
		}
		if n := len(w.archived()); n != 0 {
			t.Fatalf("%d items count as archived before it was finished", n)
		}
		w.days(1)
		if n := len(w.archived()); n != 1 {
			t.Fatalf("%d items are in the archive, want 1", n)
		}
		history, err := w.History(t.Context(), w.org.ID, 5)
		if err != nil || len(history) != 1 || history[0].State != retain.Applied || history[0].Removed != 3 {
			t.Errorf("the history is %+v (%v)", history[0], err)
		}
	})
}

func TestReviewsOfTheArchive(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		w.days(366)
		w.days(29)
		if st := w.status(); len(st.Reviews) != 0 {
			t.Fatalf("a review was opened early: %+v", st.Reviews)
		}
		w.days(1)
		st := w.status()
		if len(st.Reviews) != 1 || st.Reviews[0].Items != 1 || len(st.Alarms) != 0 {
			t.Fatalf("the reviews are %+v, alarms %v", st.Reviews, st.Alarms)
		}
		w.days(15)
		if got := alarms(w.status()); got != "overdue_review" {
			t.Fatalf("the alarms are %q", got)
		}
		r := st.Reviews[0]
		officer := *w.by
		officer.Member = &account.Member{Org: w.org.ID, ID: "mem_officer", Role: account.PrivacyOfficer, Active: true}
		if _, err := w.Decide(t.Context(), &officer, r.ID, "perhaps", ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an unknown decision gave %v", err)
		}
		got, err := w.Decide(t.Context(), &officer, r.ID, retain.Keep, "Suit is possible.")
		if err != nil || got.Signer != "mem_officer" || got.Removed != 0 {
			t.Fatalf("the review is %+v (%v)", got, err)
		}
		if _, err := w.Decide(t.Context(), &officer, r.ID, retain.Erase, ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a review was decided twice: %v", err)
		}
		all, err := w.Reviews(t.Context(), w.org.ID, 5)
		if err != nil || all[0].Note != "Suit is possible." || len(w.status().Alarms) != 0 {
			t.Errorf("the reviews are %+v (%v)", all[0], err)
		}
		w.days(16)
		if st = w.status(); len(st.Reviews) != 1 {
			t.Fatalf("there is no second review: %+v", st.Reviews)
		}
		if got, err = w.Decide(t.Context(), w.by, st.Reviews[0].ID, retain.Erase, ""); err != nil || got.Removed != 1 || len(w.archived()) != 0 {
			t.Errorf("erasing by decision gave %+v (%v)", got, err)
		}
	})
}

func TestUndecidedItemsExpireAnyway(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		w.days(366)
		w.days(91)
		if n := len(w.archived()); n != 0 {
			t.Errorf("%d undecided items stay", n)
		}
	})
}

func TestAHoldAndALawKeepArchivedItems(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		began := w.now
		w.days(366)
		if _, err := w.holds.Add(t.Context(), w.by, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfNumber(1)}, Reason: "Suit", Owner: w.by.Member.ID, Ends: w.now.AddDate(0, 0, 100)}); err != nil {
			t.Fatal(err)
		}
		w.rules[0].Floors = []retain.Floor{{Place: "IN", Min: policy.Period{N: 480, Unit: policy.Days}, Cite: "DPDP Rules 2025 r. 8(3)"}}
		w.days(95)
		if all := w.archived(); len(all) != 1 || !all[0].Ends.Equal(began.AddDate(0, 0, 480)) {
			t.Fatalf("the archive is %+v", all)
		}
		w.rules[0].Floors = nil
		w.days(4)
		if len(w.archived()) != 1 {
			t.Error("a held item expired")
		}
		w.days(3)
		if len(w.archived()) != 0 {
			t.Error("it stays after the hold")
		}
	})
}

func TestAnItemComesBackFromTheArchive(t *testing.T) {
	eachArchive(t, func(t *testing.T, w *world) {
		w.days(366)
		a := w.archived()[0]
		if err := w.Return(t.Context(), w.by, a.ID); err != nil {
			t.Fatal(err)
		}
		if w.shelf.returned["number/1"] != "canary of number/1" || len(w.archived()) != 0 {
			t.Errorf("returned was %v", w.shelf.returned)
		}
		if err := w.Return(t.Context(), w.by, a.ID); fault.KindOf(err) != fault.NotFound || !strings.Contains(fault.Sentence(err), a.ID) {
			t.Errorf("a second time gave %v", err)
		}
	})
}

func TestRulesOfADocument(t *testing.T) {
	day := time.Date(2027, 5, 12, 0, 0, 0, 0, time.UTC)
	d := &policy.Document{
		Laws:     []string{"IN"},
		Purposes: map[string]*policy.Purpose{"call_ops": {}},
		Categories: map[string]*policy.Category{
			"call.meta": {Purposes: []string{"call_ops"}, Retention: policy.Retention{
				From: policy.LastActivity, Max: year, Archive: policy.Period{N: 90, Unit: policy.Days}, Ceiling: policy.Period{N: 60, Unit: policy.Months},
				Floor: map[string]*policy.Floor{
					"IN": {Min: year, Cite: "r. 8(3)", NotBefore: policy.Date{Time: day.AddDate(0, 0, 1)}}, "DE": {Min: year, Cite: "AO"},
				}}},
			"weblog": {Purposes: []string{"gone"}, Retention: policy.Retention{From: policy.Created, Max: year}},
		},
		Deadlines: policy.Deadlines{EraseNotice: policy.Period{N: 2, Unit: policy.Days}, MaskWebLog: policy.Period{N: 7, Unit: policy.Days}},
	}
	rules := retain.Of(d, day)
	if len(rules) != 4 {
		t.Fatalf("the rules are %+v", rules)
	}
	ceiling, calls, log, mask := rules[0], rules[1], rules[2], rules[3]
	if calls.From != policy.LastActivity || calls.Max != year || len(calls.Floors) != 0 || calls.Notice.N != 2 || calls.Unused {
		t.Errorf("calls: %+v", calls)
	}
	if ceiling.From != policy.Created || ceiling.Max.String() != "60mo" || ceiling.Archive.Said() {
		t.Errorf("the ceiling: %+v", ceiling)
	}
	if !log.Unused || mask.Part != retain.Address || mask.Max.N != 7 {
		t.Errorf("the web log: %+v, %+v", log, mask)
	}
	if f := retain.Of(d, day.AddDate(0, 0, 1))[1].Floors; len(f) != 1 || f[0].Place != "IN" {
		t.Errorf("on the day it begins the floor is %+v", f)
	}
}
