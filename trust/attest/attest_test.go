package attest_test

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/attest"
	"parley/trust/hold"
	"parley/trust/subject"
)

var schemas = []dbtest.Schema{{Series: "account", Files: account.Schema}, {Series: "audit", Files: audit.Schema}, {Series: "hold", Files: hold.Schema}, {Series: "attest", Files: attest.Schema}}

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

// world is an organisation with a privacy officer and an agent.
type world struct {
	*attest.Attestations
	t        *testing.T
	db       *db.DB
	keys     *vault.Keys
	accounts *account.Accounts
	log      *audit.Log
	holds    *hold.Holds
	org      *account.Org
	by       *account.Actor
	asha     *account.Member
	owner    *account.Member
	now      time.Time
}

func each(t *testing.T, tell func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		master, err := vault.MasterFile(t.TempDir() + "/master.key")
		must(t, err)
		w := &world{t: t, db: d, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
		w.keys, err = vault.Open(t.Context(), t.TempDir(), master)
		must(t, err)
		t.Cleanup(func() { must(t, w.keys.Close()) })
		clock := func() time.Time { return w.now }
		w.accounts = account.New(d, w.keys, clock)
		w.log = audit.New(d, w.keys, clock)
		w.holds = hold.New(d, w.keys, w.accounts, w.log, clock)
		w.Attestations = attest.New(d, w.keys, w.log, w.holds.Check, "v1.2.0", clock)
		w.org, err = w.accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Owner", OwnerEmail: "owner@example.com"})
		must(t, err)
		w.owner, err = w.accounts.Owner(t.Context(), w.org.ID)
		must(t, err)
		w.by = w.accounts.Operator(w.org)
		w.asha, err = w.accounts.AddAgent(t.Context(), w.org.ID, account.NewAgent{Name: "Asha"})
		must(t, err)
		tell(t, w)
	}, schemas...)
}

func (w *world) add(d attest.Duty) *attest.Duty {
	w.t.Helper()
	out, err := w.Add(w.t.Context(), w.by, d)
	must(w.t, err)
	return out
}

func (w *world) late() int {
	w.t.Helper()
	n, err := w.Late(w.t.Context(), []*account.Org{w.org})
	must(w.t, err)
	return n
}

const aDay = 24 * time.Hour

// P55: audits are due on dates, overdue ones raise the alarm, and their results are signed.
func TestAnAuditIsDueUntilItsResultIsSigned(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		d := w.add(attest.Duty{Kind: attest.Audit, Title: " Yearly audit  of access ", Every: 365, Due: w.now.Add(30 * aDay)})
		w.now = w.now.Add(30 * aDay)
		if w.late() != 0 {
			t.Error("it is overdue on its day")
		}
		w.now = w.now.Add(time.Millisecond)
		if w.late() != 1 {
			t.Error("it is not overdue after its day")
		}
		_, err := w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Failed})
		refused(t, err, fault.Invalid, "what was found")
		_, err = w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Failed, Note: "The auditor did not come."})
		must(t, err)
		if w.late() != 1 {
			t.Error("what failed counts")
		}
		w.now = w.now.Add(aDay)
		x, err := w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Findings, Note: "Two accounts too many.", Done: w.now.Add(-time.Hour)})
		must(t, err)
		if w.late() != 0 || !x.Next.Equal(w.now.Add(-time.Hour).AddDate(0, 0, 365)) {
			t.Errorf("it is late still, or due again at %s", x.Next)
		}
		all, err := w.Of(ctx, w.org.ID, d.ID)
		must(t, err)
		if len(all) != 2 || all[0].Result != attest.Findings || all[0].Note != "Two accounts too many." || all[1].N != 1 {
			t.Fatalf("attested are %+v", all)
		}
		key, err := w.log.Key(ctx, int64(w.org.ID))
		must(t, err)
		s, _, err := attest.Verify(all[0].Statement, key)
		must(t, err)
		if s.Title != "Yearly audit of access" || s.Result != attest.Findings || s.Duty != d.ID {
			t.Errorf("the statement is %+v", s)
		}
		if _, _, err := attest.Verify(bytes.Replace(all[0].Statement, []byte("Two accounts"), []byte("No accounts"), 1), key); err == nil {
			t.Error("a statement that was changed verifies")
		}
		_, err = w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Passed, Done: w.now.Add(-2 * aDay)})
		refused(t, err, fault.Invalid, "later result")
	})
}

// P61: trainings are recorded, and expire.
func TestTrainingsExpire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.Add(ctx, w.by, attest.Duty{Kind: attest.Training, Title: "Privacy", Due: w.now.Add(aDay)})
		refused(t, err, fault.Invalid, "who is to be trained")
		_, err = w.Add(ctx, w.by, attest.Duty{Kind: attest.Training, Title: "Privacy", Due: w.now.Add(aDay), Member: "mem_other"})
		refused(t, err, fault.Invalid, "no active member")
		d := w.add(attest.Duty{Kind: attest.Training, Title: "Privacy", Due: w.now.Add(aDay), Every: 365, Member: w.asha.ID})
		_, err = w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Passed, Next: w.now.Add(100 * aDay)}) // the certificate's day
		must(t, err)
		w.now = w.now.Add(100*aDay + time.Second)
		if w.late() != 1 {
			t.Error("the training did not expire with its certificate")
		}
		duties, err := w.OfMember(ctx, w.org.ID, w.asha.ID)
		must(t, err)
		if len(duties) != 1 || duties[0].Last == nil {
			t.Errorf("of the member are %+v", duties)
		}
		must(t, w.db.Tx(ctx, func(tx *db.Tx) error {
			n, err := attest.EraseMember(ctx, tx, w.org.ID, w.asha.ID)
			if n != 1 {
				t.Errorf("%d trainings were erased", n)
			}
			return err
		}))
		if left, err := w.Duties(ctx, w.org.ID); err != nil || len(left) != 0 {
			t.Errorf("%d are left (%v)", len(left), err)
		}
	})
}

// P62: each release is scanned, and what it is made of is known.
func TestEachReleaseIsScanned(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		d := w.add(attest.Duty{Kind: attest.Scan, Title: "govulncheck", Due: w.now.Add(aDay)})
		x, err := w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Passed})
		must(t, err)
		if x.Release != "v1.2.0" || w.late() != 0 {
			t.Errorf("the scan is of %q, %d are late", x.Release, w.late())
		}
		w.now = w.now.Add(400 * aDay)
		if w.late() != 0 {
			t.Error("a scan of the same release is due again")
		}
		w.Attestations = attest.New(w.db, w.keys, w.log, w.holds.Check, "v1.3.0", func() time.Time { return w.now })
		if w.late() != 1 {
			t.Error("a new release is not scanned, and nobody is told")
		}
		_, err = w.Sign(ctx, w.by, d.ID, attest.Outcome{Result: attest.Passed})
		must(t, err)
		if w.late() != 0 {
			t.Error("the new release is late though it was scanned")
		}
	})
}

func TestOnlyOfficersAttest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		as, err := w.accounts.As(t.Context(), w.org.ID, w.asha.ID)
		must(t, err)
		d := w.add(attest.Duty{Kind: attest.Audit, Title: "Access", Due: w.now.Add(aDay)})
		_, err = w.Add(t.Context(), as, attest.Duty{Kind: attest.Audit, Title: "Access", Due: w.now.Add(aDay)})
		refused(t, err, fault.Denied, "")
		_, err = w.Sign(t.Context(), as, d.ID, attest.Outcome{Result: attest.Passed})
		refused(t, err, fault.Denied, "")
		refused(t, w.Drop(t.Context(), as, d.ID), fault.Denied, "")
		other, err := w.accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Other", Country: "IN", Zone: "Asia/Kolkata"})
		must(t, err)
		_, err = w.Sign(t.Context(), w.accounts.Operator(other), d.ID, attest.Outcome{Result: attest.Passed})
		refused(t, err, fault.NotFound, "no duty")
		must(t, w.Drop(t.Context(), w.by, d.ID))
		_, err = w.Get(t.Context(), w.org.ID, d.ID)
		refused(t, err, fault.NotFound, "no duty")
	})
}

// P88: an officer takes nothing off the list that a legal hold covers.
func TestAHoldKeepsWhatWasAttested(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		training := w.add(attest.Duty{Kind: attest.Training, Title: "Privacy", Member: w.asha.ID, Due: w.now.Add(aDay)})
		check := w.add(attest.Duty{Kind: attest.Audit, Title: "Access", Due: w.now.Add(aDay)})
		_, err := w.Sign(ctx, w.by, training.ID, attest.Outcome{Result: attest.Passed})
		must(t, err)
		put := func(h hold.Hold) *hold.Hold {
			h.Reason, h.Ends = "Asked for by the labour court", w.now.Add(90*aDay)
			h.Owner = w.owner.ID
			out, err := w.holds.Add(ctx, w.by, h)
			must(t, err)
			return out
		}
		of := put(hold.Hold{Scope: hold.Case, Case: "LC 4/2026", Persons: []subject.Ref{subject.OfMember(string(w.asha.ID))}})
		refused(t, w.Drop(ctx, w.by, training.ID), fault.Conflict, "LC 4/2026")
		if all, err := w.Of(ctx, w.org.ID, training.ID); err != nil || len(all) != 1 {
			t.Errorf("%d results are left (%v), want 1", len(all), err)
		}
		_, err = w.holds.Release(ctx, w.by, of.ID, "The case is closed")
		must(t, err)
		must(t, w.Drop(ctx, w.by, training.ID))
		put(hold.Hold{Scope: hold.Category, Categories: []string{"audit"}})
		refused(t, w.Drop(ctx, w.by, check.ID), fault.Conflict, "off the list")
	})
}

func TestTheBillNamesEveryLibrary(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Path: "parley"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}}, Deps: []*debug.Module{
		{Path: "golang.org/x/text", Version: "v0.30.0", Sum: "h1:x"}, {Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.0.1+incompatible"}}}}
	text, err := attest.BillOf(info, "v1.2.0").CycloneDX()
	must(t, err)
	var b struct {
		BomFormat   string
		SpecVersion string
		Metadata    struct{ Component struct{ Version string } }
		Components  []struct{ Name, Version, PURL string }
	}
	must(t, json.Unmarshal(text, &b))
	var purls []string
	for _, c := range b.Components {
		purls = append(purls, c.PURL)
	}
	if got := strings.Join(purls, " "); b.BomFormat != "CycloneDX" || b.SpecVersion != "1.5" || b.Metadata.Component.Version != "v1.2.0" ||
		got != "pkg:golang/std@1.26.0 pkg:golang/example.com/fork@v1.0.1%2Bincompatible pkg:golang/golang.org/x/text@v0.30.0" {
		t.Errorf("the bill is %s", text)
	}
}
