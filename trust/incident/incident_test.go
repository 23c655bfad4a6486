package incident_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/incident"
	"parley/trust/law"
	"parley/trust/policy"
	"parley/trust/subject"
)

type world struct {
	t        *testing.T
	db       *db.DB
	accounts *account.Accounts
	org      *account.Org
	by       *account.Actor
	log      *audit.Log
	now      time.Time
	people   []incident.Person
	letters  []incident.Letter
	exported []incident.LegalScope
	*incident.Incidents
}

func each(t *testing.T, story func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(t, newWorld(t, d)) },
		dbtest.Schema{Series: "account", Files: account.Schema}, dbtest.Schema{Series: "audit", Files: audit.Schema}, dbtest.Schema{Series: "incident", Files: incident.Schema})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	must(t, err)
	keys, err := vault.Open(t.Context(), dir, master)
	must(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	w := &world{t: t, db: d, now: time.Date(2027, 6, 1, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.now }
	w.accounts = account.New(d, keys, now)
	w.log = audit.New(d, keys, now)
	w.org, err = w.accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "asha@example.com"})
	must(t, err)
	owner, err := w.accounts.Owner(t.Context(), w.org.ID)
	must(t, err)
	w.by, err = w.accounts.As(t.Context(), w.org.ID, owner.ID)
	must(t, err)
	laws, err := law.Load()
	must(t, err)
	w.Incidents = incident.New(incident.Deps{
		DB: d, Keys: keys, Accounts: w.accounts, Log: w.log, Laws: laws, Now: now,
		Policy: func(context.Context, account.OrgID) (*policy.Document, error) { return policy.Shipped() },
		Affected: func(context.Context, *account.Org, incident.Scope) ([]incident.Person, error) {
			return w.people, nil
		},
		Export: func(_ context.Context, _ account.OrgID, s incident.LegalScope, out io.Writer) (int64, error) {
			w.exported = append(w.exported, s)
			_, err := io.WriteString(out, "package")
			return 2, err
		},
		Tell: func(_ context.Context, _ *account.Org, l incident.Letter) (int, error) {
			w.letters = append(w.letters, l)
			return 1, nil
		},
	})
	return w
}

// member gives somebody else who may.
func (w *world) member(id string, role account.Role) *account.Actor {
	return &account.Actor{Org: w.org, Member: &account.Member{ID: account.MemberID(id), Org: w.org.ID, Role: role, Active: true}}
}

func lost() incident.Facts {
	return incident.Facts{Title: "Laptop with an export lost", What: "A laptop was left in a train.", Categories: []string{"call.meta"}, Risk: incident.High, Systems: "Export of March"}
}

func refused(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != kind || err == nil {
		t.Errorf("%s gave %v, want a refusal of kind %d", what, err, kind)
	}
}

func (w *world) clocks(i *incident.Incident) map[string]incident.Clock {
	w.t.Helper()
	all, err := w.Clocks(w.t.Context(), i)
	must(w.t, err)
	out := map[string]incident.Clock{}
	for _, c := range all {
		out[c.Key] = c
	}
	return out
}

func TestEachLawHasItsClock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := lost()
		f.Places = []string{"de"}
		i, err := w.Add(t.Context(), w.by, f)
		must(t, err)
		clocks, err := w.Clocks(t.Context(), i)
		must(t, err)
		var got []string
		for _, c := range clocks {
			got = append(got, fmt.Sprintf("%s %s %s", c.Whom, c.Name, c.Due.Sub(i.Noticed)))
		}
		for _, want := range []string{"authority CERT-In 6h0m0s", "authority the data protection authority 72h0m0s", "report the Data Protection Board 72h0m0s",
			"people every affected person 0s", "authority the Data Protection Board 0s"} {
			if !strings.Contains(strings.Join(got, "\n"), want) {
				t.Errorf("there is no clock %q in\n%s", want, strings.Join(got, "\n"))
			}
		}
	})
}

func TestAlarmsGoOutOnceInTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i, err := w.Add(t.Context(), w.by, lost())
		must(t, err)
		heard := func() string {
			_, err := w.Watch(t.Context())
			must(t, err)
			var names []string
			for _, l := range w.letters {
				names = append(names, string(l.Clock.Whom)+" "+l.Clock.Name)
			}
			w.letters = nil
			return strings.Join(names, ", ")
		}
		if got := heard(); got != "people every affected person, authority the Data Protection Board" && got != "authority the Data Protection Board, people every affected person" {
			t.Errorf("at once: %q", got)
		}
		if got := heard(); got != "" {
			t.Errorf("again: %q", got)
		}
		for _, step := range []struct {
			after time.Duration
			want  string
		}{
			{2 * time.Hour, ""}, {3 * time.Hour, "authority CERT-In"}, {5*time.Hour + 30*time.Minute, "authority CERT-In"}, {6 * time.Hour, "authority CERT-In"},
			{35 * time.Hour, ""}, {36 * time.Hour, "report the Data Protection Board"}, {72 * time.Hour, "report the Data Protection Board"}, {100 * time.Hour, ""},
		} {
			w.now = i.Noticed.Add(step.after)
			if got := heard(); got != step.want {
				t.Errorf("after %s: %q, want %q", step.after, got, step.want)
			}
		}
		if n, err := w.Overdue(t.Context()); err != nil || n != 4 {
			t.Errorf("%d clocks are overdue, want 4 (%v)", n, err)
		}
		for _, c := range w.clocks(i) {
			must(t, w.Step(t.Context(), w.by, i.ID, incident.Step{Kind: incident.Notice, Clock: c.Key, Text: "Told by their form."}))
		}
		if n, err := w.Overdue(t.Context()); err != nil || n != 0 {
			t.Errorf("%d clocks are overdue after everybody was told (%v)", n, err)
		}
	})
}

func TestWhoWasToldStopsAClock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		i, err := w.Add(ctx, w.by, lost())
		must(t, err)
		refused(t, "a clock that is not there", w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Notice, Clock: "xx", Text: "x"}), fault.Invalid)
		refused(t, "a waiver without reason", w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Waived, Clock: "in/authority/cert-in", Text: " "}), fault.Invalid)
		w.now = w.now.Add(2 * time.Hour)
		must(t, w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Notice, Clock: "in/authority/cert-in", Text: "Form sent, number 12."}))
		c := w.clocks(i)["in/authority/cert-in"]
		if c.Running() || !c.Done.Equal(w.now) || c.Overdue(w.now.AddDate(0, 0, 9)) {
			t.Errorf("the clock is %+v", c)
		}
		refused(t, "a second notice", w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Notice, Clock: "in/authority/cert-in", Text: "again"}), fault.Conflict)
		must(t, w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Measure, Text: "Wiped the laptop from afar."}))
		_, err = w.Close(ctx, w.by, i.ID, "Encrypt laptops.")
		refused(t, "closing while clocks run", err, fault.Conflict)
		for key, c := range w.clocks(i) {
			if c.Running() {
				must(t, w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Waived, Clock: key, Text: "The disk was encrypted."}))
			}
		}
		closed, err := w.Close(ctx, w.by, i.ID, "Encrypt laptops.")
		must(t, err)
		for _, want := range []string{"Laptop with an export lost", "CERT-In (6 hours", "Wiped the laptop", "The disk was encrypted.", "Encrypt laptops.", "Form sent, number 12."} {
			if !strings.Contains(closed.Report, want) {
				t.Errorf("the report lacks %q:\n%s", want, closed.Report)
			}
		}
		again, err := w.One(ctx, w.by, i.ID)
		must(t, err)
		if again.State != incident.Closed || again.Report != closed.Report {
			t.Errorf("the file is %+v", again)
		}
		refused(t, "a step in a closed file", w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Note, Text: "x"}), fault.Conflict)
		entries, _, err := w.log.List(ctx, int64(w.org.ID), audit.Filter{Actions: []audit.Action{audit.IncidentChanged}})
		must(t, err)
		if len(entries) < 6 {
			t.Errorf("%d entries are in the audit log", len(entries))
		}
	})
}

func TestWhomItConcernsIsCountedAndTheirLawsRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := lost()
		f.Scope = incident.Scope{From: civil.Date(2027, 3, 1), To: civil.Date(2027, 3, 31), Agents: []account.MemberID{"mem_1", "mem_2"}, Numbers: []string{"+919812300001"}}
		i, err := w.Add(ctx, w.by, f)
		must(t, err)
		if got, err := w.One(ctx, w.by, i.ID); err != nil || fmt.Sprint(got.Scope) != fmt.Sprint(f.Scope) || got.Affected != -1 {
			t.Errorf("the scope is kept as %+v (%v)", got.Scope, err)
		}
		w.people = []incident.Person{{Who: subject.OfNumber(1), Number: "+919812300001", Country: "IN", Calls: 3}, {Who: subject.OfNumber(2), Number: "+4930123456", Country: "DE", Calls: 1}}
		i, err = w.Count(ctx, w.by, i.ID)
		must(t, err)
		if i.Affected != 2 || fmt.Sprint(i.Places) != "[DE]" {
			t.Errorf("counted %d, places %v", i.Affected, i.Places)
		}
		if _, ok := w.clocks(i)["eea/authority/the-data-protection-authority"]; !ok {
			t.Errorf("the clock of a German is missing: %v", w.clocks(i))
		}
		people, err := w.People(ctx, w.by, i.ID)
		must(t, err)
		if len(people) != 2 {
			t.Errorf("listed are %v", people)
		}
		_, err = w.People(ctx, w.member("mem_m", account.Manager), i.ID)
		refused(t, "a manager's list", err, fault.Denied)
		if entries, _, err := w.log.List(ctx, int64(w.org.ID), audit.Filter{Actions: []audit.Action{"incident.people_listed"}}); err != nil || len(entries) != 1 {
			t.Errorf("%d lists are in the audit log (%v)", len(entries), err)
		}
	})
}

func TestNoticesAreDrafted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := lost()
		f.Consequences, f.Advice = "Somebody may know who called.", "Beware of callers who know too much."
		i, err := w.Add(ctx, w.by, f)
		must(t, err)
		must(t, w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Measure, Text: "Wiped it."}))
		for _, c := range w.clocks(i) {
			for _, language := range incident.Languages() {
				text, err := w.Draft(ctx, w.by, i.ID, c.Key, language)
				must(t, err)
				want := []string{"A laptop was left in a train.", "Wiped it.", "Somebody may know who called.", i.ID}
				if c.Whom == law.People {
					want = append(want, "Beware of callers")
				} else {
					want = append(want, c.Name, "Export of March")
				}
				for _, x := range want {
					if !strings.Contains(text, x) {
						t.Errorf("the %s notice for %s lacks %q:\n%s", language, c.Key, x, text)
					}
				}
				if strings.Contains(text, "<no value>") || strings.Contains(text, "{{") {
					t.Errorf("the notice is not whole:\n%s", text)
				}
				if hindi := strings.Contains(text, "क्या हुआ"); hindi != (language == "hi") {
					t.Errorf("the notice is not in %s:\n%s", language, text)
				}
			}
		}
	})
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for what, change := range map[string]func(f *incident.Facts){
			"no title":            func(f *incident.Facts) { f.Title = " " },
			"an unknown category": func(f *incident.Facts) { f.Categories = []string{"call.nothing"} },
			"an unknown place":    func(f *incident.Facts) { f.Places = []string{"Germany"} },
			"an unknown risk":     func(f *incident.Facts) { f.Risk = "huge" },
			"the future":          func(f *incident.Facts) { f.Noticed = w.now.Add(time.Hour) },
			"begun after noticed": func(f *incident.Facts) { f.Began = w.now.Add(time.Minute) },
			"days upside down": func(f *incident.Facts) {
				f.Scope = incident.Scope{From: civil.Date(2027, 3, 2), To: civil.Date(2027, 3, 1)}
			},
		} {
			f := lost()
			change(&f)
			_, err := w.Add(ctx, w.by, f)
			refused(t, what, err, fault.Invalid)
		}
		_, err := w.Add(ctx, w.member("mem_a", account.Viewer), lost())
		refused(t, "a viewer", err, fault.Denied)
		i, err := w.Add(ctx, w.by, lost())
		must(t, err)
		f := i.Facts
		f.Noticed = i.Noticed.Add(time.Second)
		w.now = w.now.Add(time.Hour)
		_, err = w.Change(ctx, w.by, i.ID, f)
		refused(t, "setting the clocks back", err, fault.Invalid)
		f.Noticed, f.Title = i.Noticed.Add(-time.Hour), "Laptop and bag lost"
		changed, err := w.Change(ctx, w.by, i.ID, f)
		must(t, err)
		if c := w.clocks(changed)["in/authority/cert-in"]; !c.Due.Equal(f.Noticed.Add(6 * time.Hour)) {
			t.Errorf("noticed earlier, the clock is due at %s", c.Due)
		}
		other := &account.Actor{Org: &account.Org{ID: w.org.ID + 1}, Member: w.by.Member}
		_, err = w.One(ctx, other, i.ID)
		refused(t, "another organisation", err, fault.NotFound)
	})
}

func asked() incident.LegalFacts {
	return incident.LegalFacts{Authority: "Cyber Cell Pune", Law: "BNSS s. 94", Reference: "77/2027", Asked: "All calls with the number in March.",
		Scope: incident.LegalScope{Persons: []subject.Ref{subject.OfNumber(7)}, Categories: []string{"call.meta"}, From: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)}}
}

func TestNothingIsDisclosedWithoutTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		q, err := w.AddLegal(ctx, w.by, asked())
		must(t, err)
		disclose := func() error {
			_, err := w.Disclose(ctx, w.by, q.ID, io.Discard)
			return err
		}
		refused(t, "no approval", disclose(), fault.Denied)
		_, err = w.Decide(ctx, w.by, q.ID, true, "The order is valid.")
		must(t, err)
		refused(t, "one approval", disclose(), fault.Denied)
		_, err = w.Decide(ctx, w.by, q.ID, true, "I am sure.")
		refused(t, "the same member twice", err, fault.Conflict)
		_, err = w.Decide(ctx, w.accounts.Operator(w.org), q.ID, true, "I hold the server.")
		refused(t, "the operator", err, fault.Denied)
		refused(t, "still one approval", disclose(), fault.Denied)
		_, err = w.Decide(ctx, w.member("mem_v", account.Viewer), q.ID, true, "x")
		refused(t, "a viewer", err, fault.Denied)
		officer := w.member("mem_officer", account.PrivacyOfficer)
		f := q.LegalFacts
		f.Scope.Categories = []string{"call.meta", "call.note"}
		_, err = w.ChangeLegal(ctx, officer, q.ID, f)
		must(t, err)
		_, err = w.Decide(ctx, officer, q.ID, true, "Checked.")
		must(t, err)
		refused(t, "an approval of another scope", disclose(), fault.Denied)
		got, err := w.Decide(ctx, w.by, q.ID, true, "The wider scope is in the order, too.")
		must(t, err)
		if got.Approvals() != 2 {
			t.Fatalf("%d approvals", got.Approvals())
		}
		var out bytes.Buffer
		got, err = w.Disclose(ctx, w.by, q.ID, &out)
		must(t, err)
		if out.String() != "package" || got.SHA256 == "" || len(w.exported) != 1 || fmt.Sprint(w.exported[0].Categories) != "[call.meta call.note]" || fmt.Sprint(w.exported[0].Persons) != "[number/7]" {
			t.Errorf("exported was %+v, %q", w.exported, out.String())
		}
		if !got.NoticeDue(w.now) {
			t.Error("the person need not be told")
		}
		entries, _, err := w.log.List(ctx, int64(w.org.ID), audit.Filter{About: "number/7"})
		must(t, err)
		if len(entries) != 1 {
			t.Errorf("the person's log has %d entries", len(entries))
		}
		got, err = w.Told(ctx, w.by, q.ID)
		must(t, err)
		if got.State != incident.LegalClosed {
			t.Errorf("the file is %+v", got)
		}
		refused(t, "disclosing a closed request", disclose(), fault.Conflict)
	})
}

func TestARefusalEndsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		q, err := w.AddLegal(ctx, w.by, asked())
		must(t, err)
		_, err = w.Decide(ctx, w.by, q.ID, true, "Fine.")
		must(t, err)
		got, err := w.Decide(ctx, w.member("mem_officer", account.PrivacyOfficer), q.ID, false, "The order is not signed.")
		must(t, err)
		if got.State != incident.LegalRefused || len(got.Decisions) != 2 || got.Decisions[1].Why != "The order is not signed." {
			t.Errorf("the file is %+v", got)
		}
		_, err = w.Decide(ctx, w.member("mem_admin", account.Admin), q.ID, true, "I say yes.")
		refused(t, "deciding a refused request", err, fault.Conflict)
		_, err = w.Disclose(ctx, w.by, q.ID, io.Discard)
		refused(t, "disclosing a refused request", err, fault.Conflict)
	})
}

func TestAnOrderOfSilenceHidesTheDisclosure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := asked()
		f.Barred = true
		_, err := w.AddLegal(ctx, w.by, f)
		refused(t, "a bar without an order", err, fault.Invalid)
		f.BarReason, f.BarredUntil = "Order of 3 June", w.now.AddDate(0, 0, 30)
		q, err := w.AddLegal(ctx, w.by, f)
		must(t, err)
		for _, by := range []*account.Actor{w.by, w.member("mem_officer", account.PrivacyOfficer)} {
			_, err = w.Decide(ctx, by, q.ID, true, "Checked.")
			must(t, err)
		}
		_, err = w.Disclose(ctx, w.by, q.ID, io.Discard)
		must(t, err)
		entries, _, err := w.log.List(ctx, int64(w.org.ID), audit.Filter{About: "number/7"})
		must(t, err)
		if len(entries) != 0 {
			t.Errorf("the person would see %d entries", len(entries))
		}
		_, err = w.Told(ctx, w.by, q.ID)
		refused(t, "telling against the order", err, fault.Conflict)
		w.now = w.now.AddDate(0, 0, 30)
		_, err = w.Told(ctx, w.by, q.ID)
		must(t, err)
	})
}

func TestATransferWaitsForObjections(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.Announce(ctx, w.by, incident.Transfer{Successor: "Beta Ltd", Contact: "privacy@example.com", Until: w.now.AddDate(0, 0, 29)})
		refused(t, "too short a time", err, fault.Invalid)
		tr, err := w.Announce(ctx, w.by, incident.Transfer{Successor: "Beta Ltd", Contact: "privacy@example.com", Until: w.now.AddDate(0, 0, 30)})
		must(t, err)
		if len(w.letters) != 1 || w.letters[0].Kind != incident.TransferNews {
			t.Errorf("told were %+v", w.letters)
		}
		must(t, w.Object(ctx, w.by, tr.ID, subject.OfNumber(7)))
		var without []subject.Ref
		export := func(w []subject.Ref) error { without = w; return nil }
		w.now = w.now.AddDate(0, 0, 29)
		_, err = w.HandOver(ctx, w.by, tr.ID, export)
		refused(t, "a handing over before the time", err, fault.Denied)
		if without != nil {
			t.Error("the export ran")
		}
		w.now = w.now.AddDate(0, 0, 1)
		_, err = w.HandOver(ctx, w.member("mem_a", account.Admin), tr.ID, export)
		refused(t, "an admin", err, fault.Denied)
		_, err = w.HandOver(ctx, w.by, tr.ID, export)
		must(t, err)
		if fmt.Sprint(without) != "[number/7]" {
			t.Errorf("left out were %v", without)
		}
		_, err = w.HandOver(ctx, w.by, tr.ID, export)
		refused(t, "a second time", err, fault.Conflict)
		all, err := w.Transfers(ctx, w.by)
		must(t, err)
		if len(all) != 1 || all[0].State != incident.Done || len(all[0].Objections) != 1 || all[0].Policy == 0 {
			t.Errorf("the transfers are %+v", all[0])
		}
	})
}

func TestSecurityEvents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		e := account.SecurityEvent{Kind: account.Guesses, Org: w.org.ID, Member: w.by.Member.ID, From: account.SignInFrom{IP: "203.0.113.9", UserAgent: "Firefox/12"}}
		for range 3 {
			must(t, w.RecordSecurity(ctx, e))
			w.now = w.now.Add(time.Minute)
		}
		e.From.IP = "203.0.113.10"
		must(t, w.RecordSecurity(ctx, e))
		all, err := w.Security(ctx, w.by, 10)
		must(t, err)
		if len(all) != 2 || all[1].Times != 3 || all[1].IP != "203.0.113.9" || all[0].Browser != "Firefox/12" {
			t.Fatalf("the events are %+v", all)
		}
		free := func(context.Context, db.Conn) error { return nil }
		w.now = w.now.AddDate(0, 0, 8)
		for _, x := range w.Expiring() {
			if x.Part != "address" {
				continue
			}
			before := w.now.AddDate(0, 0, -7)
			old, err := x.Old(ctx, w.db, int64(w.org.ID), before)
			must(t, err)
			if n, err := x.Clear(ctx, w.db, int64(w.org.ID), before, old, free); err != nil || n != 2 {
				t.Errorf("%d addresses were masked (%v)", n, err)
			}
		}
		all, err = w.Security(ctx, w.by, 10)
		must(t, err)
		if all[0].IP != "203.0.0.0" || all[1].IP != "203.0.0.0" {
			t.Errorf("the addresses are %q and %q", all[0].IP, all[1].IP)
		}
	})
}

func TestClosedFilesEndWithTheirParts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		i, err := w.Add(ctx, w.by, lost())
		must(t, err)
		for key := range w.clocks(i) {
			must(t, w.Step(ctx, w.by, i.ID, incident.Step{Kind: incident.Waived, Clock: key, Text: "A drill."}))
		}
		_, err = w.Add(ctx, w.by, lost()) // stays open
		must(t, err)
		_, err = w.Close(ctx, w.by, i.ID, "A drill.")
		must(t, err)
		w.now = w.now.Add(time.Hour)
		for _, x := range w.Expiring() {
			if x.Name != "incidents" {
				continue
			}
			old, err := x.Old(ctx, w.db, int64(w.org.ID), w.now)
			must(t, err)
			if n, err := x.Clear(ctx, w.db, int64(w.org.ID), w.now, old, func(context.Context, db.Conn) error { return nil }); err != nil || n != 1 {
				t.Errorf("%d files went (%v)", n, err)
			}
		}
		var steps, files int
		must(t, w.db.Row(ctx, `SELECT count(*) FROM incident_steps`).Scan(&steps))
		must(t, w.db.Row(ctx, `SELECT count(*) FROM incidents`).Scan(&files))
		if steps != 0 || files != 1 {
			t.Errorf("%d steps and %d files are left", steps, files)
		}
	})
}
