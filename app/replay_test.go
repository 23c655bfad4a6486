package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Whose calls the phone of a past has.
const (
	meera = "+919812300101" // is erased after the backup
	ravi  = "+919812300202" // is held after it
	kiran = "+919812300303" // wants no contact after it, and is restricted
	lata  = "+919812300404" // calls for the first time after it, and is held
	uma   = "+919812300505" // consented before it and withdrew after it
)

// past is an organisation with a backup, and what happened after that.
type past struct {
	t     *testing.T
	dir   string
	p     *Parley
	org   *account.Org
	owner *account.Member
	zoya  account.MemberID // a member, erased after the backup
	phone *device.Device
	meera number.ID
	call  ingest.SyncCall // one of Meera's
	at    time.Time       // when she was erased
	calls int
}

func ok1[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *past) open() {
	w.t.Helper()
	w.p = open(w.t, w.dir)
	w.org = ok1[*account.Org](w.t)(w.p.Accounts.FindOrg(w.t.Context(), "First"))
}

func (w *past) close() {
	w.t.Helper()
	must(w.t, w.p.Close())
}

func (w *past) sync(calls ...ingest.SyncCall) []ingest.SyncAnswer {
	w.t.Helper()
	return ok1[[]ingest.SyncAnswer](w.t)(w.p.Writer.Sync(w.t.Context(), w.p.Devices, w.org, w.phone, ingest.Batch{Calls: calls}))
}

func (w *past) callOf(canonical string, ago time.Duration) ingest.SyncCall {
	start := time.Now().Add(-ago).UnixMilli()
	return ingest.SyncCall{Number: canonical, Start: ingest.Moment(fmt.Sprint(start)), Type: "1", Seconds: 61, ClientKey: fmt.Sprint(canonical, start)}
}

func (w *past) find(canonical string) (number.ID, bool) {
	w.t.Helper()
	n, ok, err := w.p.Book.Find(w.t.Context(), w.p.DB, w.org.ID, canonical)
	must(w.t, err)
	return n, ok
}

func (w *past) count(query string, args ...any) (n int) {
	w.t.Helper()
	must(w.t, w.p.DB.Row(w.t.Context(), query, args...).Scan(&n))
	return n
}

func (w *past) said(who string, state consent.State) {
	w.t.Helper()
	change := consent.Change{Who: consent.Who{Number: who}, Purposes: []string{"marketing"}, Channels: []consent.Channel{consent.Call}, State: state, How: consent.ByWebForm}
	if state == consent.Given {
		change.Wording = consent.Wording{Language: "en", Text: "Yes, call me."}
	}
	must(w.t, w.p.Consents.Record(w.t.Context(), w.org.ID, change))
}

// newPast tells the story up to the moment before the restore.
func newPast(t *testing.T) *past {
	w := &past{t: t, dir: t.TempDir()}
	must(t, os.Mkdir(filepath.Join(w.dir, "place"), 0o700))
	parley(t, w.dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "owner@example.com")
	w.open()
	ctx := t.Context()
	operator := w.p.Accounts.Operator(w.org)
	w.owner = ok1[[]*account.Member](t)(w.p.Accounts.Members(ctx, w.org.ID))[0]
	asha := ok1[*account.Member](t)(w.p.Accounts.AddAgent(ctx, w.org.ID, account.NewAgent{Name: "Asha"}))
	w.zoya = ok1[*account.Member](t)(w.p.Accounts.AddAgent(ctx, w.org.ID, account.NewAgent{Name: "Zoya Canary"})).ID
	code, _, err := w.p.Devices.PairingCode(ctx, w.org, asha.Agent)
	must(t, err)
	w.phone, _, err = w.p.Devices.Pair(ctx, code, device.PairRequest{InstallID: "phone", SIMs: []device.SIM{{Slot: 1, Number: "+919812300001"}}})
	must(t, err)
	w.call = w.callOf(meera, 90*time.Minute)
	w.call.Name, w.call.Note = "Meera Canary", "wants the blue canary"
	answers := w.sync(w.call, w.callOf(meera, 26*time.Hour), w.callOf(ravi, time.Hour), w.callOf(kiran, 2*time.Hour), w.callOf(uma, 3*time.Hour))
	must(t, w.p.Calls.SetTags(ctx, w.org, answers[0].Key, []string{"canary tag"}))
	must(t, w.p.Writer.Exclude(ctx, w.org, number.Exclusion{Number: meera, Strength: number.Hidden, Label: "canary label", AddedAt: w.p.Now()}))
	key := ok1[number.Key](t)(w.p.Book.Key(ctx, w.org.ID, meera))
	must(t, w.p.Callbacks.Handle(ctx, operator, key, "called the canary back"))
	w.said(meera, consent.Given)
	w.said(uma, consent.Given)
	w.meera, _ = w.find(meera)
	w.calls = w.count(`SELECT count(*) FROM calls WHERE org_id = $1`, w.org.ID)
	w.close()
	parley(t, w.dir, 0, "backup", "place")
	w.open()
	w.later()
	w.close()
	return w
}

// later is what happens after the backup.
func (w *past) later() {
	t, ctx := w.t, w.t.Context()
	w.sync(w.callOf(lata, time.Minute))
	for _, who := range []subject.Ref{subject.OfNumber(int64(w.meera)), subject.OfMember(string(w.zoya))} {
		for _, s := range w.p.Rights.Stores {
			if s.Erase != nil {
				ok1[[]rights.Line](t)(s.Erase(ctx, w.org.ID, who, rights.Decision{At: w.p.Now()}))
			}
		}
	}
	w.at = time.Now()
	var held []subject.Ref
	for _, who := range []string{ravi, lata} {
		n, _ := w.find(who)
		held = append(held, subject.OfNumber(int64(n)))
	}
	ok1[*hold.Hold](t)(w.p.Holds.Add(ctx, w.p.Accounts.Operator(w.org), hold.Hold{Scope: hold.Person, Persons: held, Reason: "A dispute.", Owner: w.owner.ID, Ends: w.p.Now().AddDate(0, 1, 0)}))
	must(t, w.p.Consents.Block(ctx, w.org.ID, consent.Who{Number: kiran}, consent.Scope{}, "staff", w.owner.ID))
	w.said(uma, consent.Withdrawn)
	n, _ := w.find(kiran)
	if _, err := w.p.DB.Exec(ctx, `INSERT INTO subject_states (org_id, subject_ref, state, purpose, request_id, since_ms) VALUES ($1, $2, 'restricted', '', 'req_1', 1)`,
		w.org.ID, subject.OfNumber(int64(n)).String()); err != nil {
		t.Fatal(err)
	}
	ok1[*policy.Version](t)(w.p.Policies.Publish(ctx, w.p.Accounts.Operator(w.org), policy.DefaultText(policy.Facts{Name: "First", Address: "12 Ring Road, Pune 411001", Country: "IN",
		Contact: "privacy@first.example", Phone: "+91 20 5550 0100", Grievance: policy.Officer{Name: "Meena Joshi", Email: "grievance@first.example"}})))
}

// erased looks for Meera everywhere in the restored data.
func (w *past) erased() {
	t := w.t
	t.Helper()
	if _, ok := w.find(meera); ok {
		t.Error("her number is found")
	}
	tables := ok1[[]string](t)(db.Select(t.Context(), w.p.DB, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
		`SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'num')`))
	if len(tables) < 6 {
		t.Fatalf("only %v have numbers", tables)
	}
	for _, table := range tables {
		if n := w.count(`SELECT count(*) FROM `+table+` WHERE org_id = $1 AND num = $2`, w.org.ID, w.meera); n > 0 {
			t.Errorf("%s has %d rows of her", table, n)
		}
	}
	for _, query := range []string{`SELECT count(*) FROM consents WHERE org_id = $1 AND person = $2`, `SELECT count(*) FROM hold_persons WHERE org_id = $1 AND person = $2`} {
		if n := w.count(query, w.org.ID, subject.OfNumber(int64(w.meera)).String()); n > 0 {
			t.Errorf("%q gives %d", query, n)
		}
	}
	if n := w.count(`SELECT count(*) FROM calls WHERE org_id = $1`, w.org.ID); n != w.calls {
		t.Errorf("%d calls are there, want %d: they stay without her", n, w.calls)
	}
	nameless := 0
	must(t, call.Each(t.Context(), w.p.DB, call.Where(w.org.ID), "", func(r *call.Row) error {
		if r.Presentation == call.PresentationErased {
			nameless++
		}
		return nil
	}))
	if nameless != 2 {
		t.Errorf("%d calls are of somebody erased, want 2", nameless)
	}
	at, ok, err := w.p.Consents.Erased(t.Context(), w.p.DB, w.org.ID, meera)
	if err != nil || !ok || at.After(w.at) || w.at.Sub(at) > time.Minute {
		t.Errorf("her tombstone is of %s (%v, %v), want the moment before %s", at, ok, err, w.at)
	}
	if excluded := ok1[[]number.Exclusion](t)(w.p.Book.Exclusions(t.Context(), w.p.DB, w.org.ID)); len(excluded) != 1 || excluded[0].Number != "" || excluded[0].Label != "" {
		t.Errorf("kept out: %+v", excluded)
	}
	if a := w.sync(w.call); a[0].State != ingest.Erased {
		t.Errorf("her old call is taken again: %+v", a)
	}
}

// kept looks for what was set after the backup.
func (w *past) kept() {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	for _, who := range []string{ravi, lata} {
		n, ok := w.find(who)
		d := hold.Deletion{Who: []subject.Ref{subject.OfNumber(int64(n))}, Category: call.CategoryCall, Path: hold.RightsErase}
		if err := w.p.Holds.Check(ctx, w.p.DB, w.org.ID, d); !ok || err == nil {
			t.Errorf("%s is not held (in the book: %v)", who, ok)
		}
	}
	if stops := ok1[[]consent.Suppression](t)(w.p.Consents.Suppressions(ctx, w.p.DB, w.org.ID, consent.Who{Number: kiran})); len(stops) != 1 {
		t.Errorf("somebody who wants no contact has %d entries in the suppression list", len(stops))
	}
	if e := ok1[[]consent.Entry](t)(w.p.Consents.Ledger(ctx, w.p.DB, w.org.ID, consent.Who{Number: uma})); len(e) != 2 || e[1].State != consent.Withdrawn {
		t.Errorf("the ledger says %+v", e)
	}
	n, _ := w.find(kiran)
	if x := ok1[number.Excluded](t)(w.p.Book.Excluded(ctx, w.p.DB, w.org.ID)); !x.Restricted[n] {
		t.Error("a restriction is gone")
	}
	if v := ok1[*policy.Version](t)(w.p.Policies.At(ctx, w.org.ID, w.p.Now())); v.Number != 1 {
		t.Errorf("the policy in force is version %d", v.Number)
	}
	members := ok1[[]*account.Member](t)(w.p.Accounts.Members(ctx, w.org.ID))
	if slices.ContainsFunc(members, func(m *account.Member) bool { return strings.Contains(m.Name, "Canary") }) {
		t.Error("a member who was erased is back")
	}
	if _, err := w.p.Audit.Verify(ctx, int64(w.org.ID)); err != nil {
		t.Errorf("the log does not verify: %v", err)
	}
	all, _, err := w.p.Audit.List(ctx, int64(w.org.ID), audit.Filter{Actions: []audit.Action{audit.PolicyChanged, audit.BackupMade, audit.BackupRestored, audit.KeyDestroyed}})
	must(t, err)
	var actions []string
	for _, r := range slices.Backward(all) {
		actions = append(actions, string(r.Action))
	}
	if got := strings.Join(actions, " "); got != "backup.made key.destroyed policy.changed backup.restored" {
		t.Errorf("the log says %s", got)
	}
}

// P77: what was erased, and what people asked for, since a backup was made is so in the restored data, too.
func TestAnOldBackupKnowsOfErasuresSince(t *testing.T) {
	for _, only := range []string{"all", "data"} {
		t.Run(only, func(t *testing.T) {
			w := newPast(t)
			if out := parley(t, w.dir, 0, "restore", "place", "--force", "--only", only); !strings.Contains(out, "erased in it too") {
				t.Errorf("the restore says\n%s", out)
			}
			w.open()
			defer w.close()
			w.erased()
			w.kept()
		})
	}
}

// Where the live data is lost, the journal beside the backups tells who was erased.
func TestAnOldBackupKnowsOfErasuresFromItsJournal(t *testing.T) {
	w := newPast(t)
	w.open()
	must(t, w.p.Backups.Sync(t.Context())) // as the server does when somebody was erased
	w.close()
	data := filepath.Join(w.dir, "data")
	key := mustRead(t, filepath.Join(data, masterFile))
	must(t, os.RemoveAll(data))
	must(t, os.Mkdir(data, 0o700))
	must(t, os.WriteFile(filepath.Join(data, masterFile), key, 0o600))
	parley(t, w.dir, 0, "restore", "place")
	w.open()
	defer w.close()
	w.erased()
	k := ok1[*vault.OrgKeys](t)(w.p.Keys.Org(t.Context(), int64(w.org.ID)))
	if _, err := k.SealSubject(t.Context(), int64(w.meera), "name", []byte("Meera")); err == nil {
		t.Error("her key is back")
	}
	for _, file := range []string{dataFile, dataFile + "-wal"} {
		if b, err := os.ReadFile(filepath.Join(data, file)); err == nil && bytes.Contains(b, []byte("Canary")) {
			t.Errorf("%s has her name in clear", file)
		}
	}
}
