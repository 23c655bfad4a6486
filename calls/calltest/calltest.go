// Package calltest sets up an organisation that is ready to take calls, for the tests of whatever works with calls.
package calltest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/person"
	"parley/calls/report"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/rights"
)

// Schemas are the tables that a World needs.
func Schemas() []dbtest.Schema {
	return []dbtest.Schema{
		{Series: "account", Files: account.Schema},
		{Series: "number", Files: number.Schema},
		{Series: "call", Files: call.Schema},
		{Series: "roll", Files: roll.Schema},
		{Series: "device", Files: device.Schema},
		{Series: "callback", Files: callback.Schema},
		{Series: "ingest", Files: ingest.Schema},
		{Series: "audit", Files: audit.Schema},
		{Series: "hold", Files: hold.Schema},
		{Series: "consent", Files: consent.Schema},
		{Series: "policy", Files: policy.Schema},
		{Series: "rights", Files: rights.Schema},
	}
}

// Clock is a clock that stands still until a test moves it.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set puts the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// Start is what a World's clock shows at first: noon of Wednesday, 15 April 2026, in Asia/Kolkata.
func Start() time.Time { return time.Date(2026, 4, 15, 6, 30, 0, 0, time.UTC) }

// World is an organisation in India with its key store, and everything that takes and reads calls over one database.
// The writer runs until the test ends.
type World struct {
	DB        *db.DB
	Keys      *vault.Keys
	KeyDir    string // folder of the key store
	Accounts  *account.Accounts
	Org       *account.Org
	Book      *number.Book
	Calls     *call.Store
	Devices   *device.Devices
	Writer    *ingest.Writer
	Imports   *ingest.Imports
	Reporter  *stats.Reporter
	Callbacks *callback.Callbacks
	Reports   *report.Reports
	Log       *audit.Log
	Holds     *hold.Holds
	Consents  *consent.Consents
	Policies  *policy.Policies
	Persons   *person.Persons
	Clock     *Clock
	Now       func() time.Time
}

// New makes a World on a database that has Schemas.
func New(t testing.TB, d *db.DB) *World {
	t.Helper()
	w := &World{DB: d, KeyDir: t.TempDir(), Clock: &Clock{at: Start()}}
	w.Keys = keys(t, w.KeyDir)
	w.Now = w.Clock.Now
	w.Accounts = account.New(d, w.Keys, w.Now)
	w.Book = number.New(d, w.Keys)
	w.Book.Clock(w.Now)
	w.Log = audit.New(d, w.Keys, w.Now)
	w.Policies = policy.New(d, w.Keys, w.Accounts, w.Log, w.Now)
	w.Holds = hold.New(d, w.Keys, w.Accounts, w.Log, w.Now)
	w.Consents = consent.New(consent.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Log: w.Log, People: person.InBook(w.Book), Now: w.Now,
		Purposes: func(context.Context, account.OrgID) ([]consent.Purpose, error) { return nil, nil }})
	w.Calls = call.New(d, w.Keys, w.Book, w.Holds.Check, w.Now)
	w.Devices = device.New(d, w.Keys, w.Accounts, w.Book, w.Now)
	w.Writer = ingest.NewWriter(d, w.Keys, w.Book, person.Trust(w.Consents, w.Holds.Check), w.Now)
	w.Imports = ingest.NewImports(d, w.Keys, w.Accounts, w.Devices, w.Writer, w.Now)
	w.Reporter = stats.New(d, w.Book, w.Calls, w.Now)
	w.Callbacks = callback.New(d, w.Keys, w.Book, w.Holds.Check, w.Now)
	w.Reports = report.New(d, w.Accounts, w.Devices, w.Book, w.Calls, w.Reporter, w.Callbacks, w.Now)
	w.Persons = person.New(person.Deps{DB: d, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Devices: w.Devices, Writer: w.Writer,
		Callbacks: w.Callbacks, Now: w.Now})
	w.Org = w.NewOrg(t, "Asha Traders")
	run(t, w.Writer)
	return w
}

func keys(t testing.TB, dir string) *vault.Keys {
	t.Helper()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := vault.Open(t.Context(), dir, master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func run(t testing.TB, w *ingest.Writer) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

// NewOrg makes one more organisation in India.
func (w *World) NewOrg(t testing.TB, name string) *account.Org {
	t.Helper()
	org, err := w.Accounts.CreateOrg(t.Context(), account.NewOrg{
		Name: name, Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Owner", OwnerEmail: "owner@example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	return org
}

// Agent makes an agent of the World's organisation.
func (w *World) Agent(t testing.TB, name string) *account.Member {
	t.Helper()
	m, err := w.Accounts.AddAgent(t.Context(), w.Org.ID, account.NewAgent{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Put stores calls and fails the test when one is refused.
func (w *World) Put(t testing.TB, items ...ingest.Item) []ingest.Answer {
	t.Helper()
	answers, err := w.Writer.Put(t.Context(), w.Org, items)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a.State == ingest.Refused {
			t.Fatalf("call %d was refused: %s", i, a.Reason)
		}
	}
	return answers
}

// Rows reads every call of the World's organisation in the table's order.
func (w *World) Rows(t testing.TB) []call.Row {
	t.Helper()
	var out []call.Row
	if err := call.Each(t.Context(), w.DB, call.Where(w.Org.ID), "ORDER BY day, agent, start, num, dir, line", func(r *call.Row) error {
		out = append(out, *r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
