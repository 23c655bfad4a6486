package rights_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/hold"
	"parley/trust/rights"
	"parley/trust/subject"
)

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

const (
	asker  = "Meera@Example.com"
	number = "+919812300101"
)

// world is an organisation with an owner and a second officer, and stores that keep things about people in tables of
// their own.
type world struct {
	*rights.Rights
	db          *db.DB
	now         time.Time
	org         *account.Org
	owner, off  *account.Actor
	agent       *account.Member
	people      map[string]subject.Ref // by contact
	looked      int                    // how often somebody was looked up
	letters     []rights.Letter
	orders      []rights.Order
	withdrawn   []string
	restricted  map[subject.Ref]bool
	answer      rights.Answer
	unreachable bool
	floor       map[string]time.Duration
	recipients  []string
	settled     int
	loose       int

	mu   sync.Mutex
	fail func(step string) error // asked before and after each deed of a fake
}

func each(t *testing.T, story func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(t, newWorld(t, d)) },
		dbtest.Schema{Series: "account", Files: account.Schema}, dbtest.Schema{Series: "hold", Files: hold.Schema},
		dbtest.Schema{Series: "audit", Files: audit.Schema}, dbtest.Schema{Series: "rights", Files: rights.Schema},
		dbtest.Schema{Series: "things", Files: fstest.MapFS{"0001_things.sql": {Data: []byte(`
			CREATE TABLE things (org_id BIGINT NOT NULL, store TEXT NOT NULL, who TEXT NOT NULL, n BIGINT NOT NULL, category TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (org_id, store, who, n)) WITHOUT ROWID;`)}}})
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	must(t, err)
	keys, err := vault.Open(t.Context(), dir, master)
	must(t, err)
	t.Cleanup(func() { must(t, keys.Close()) })
	w := &world{db: d, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), people: map[string]subject.Ref{}, floor: map[string]time.Duration{}, restricted: map[subject.Ref]bool{}}
	clock := func() time.Time { return w.now }
	accounts := account.New(d, keys, clock)
	org, owner, err := accounts.SignUp(t.Context(), account.SignUp{Company: "Ashoka Traders", ContactName: "Asha", ContactPhone: "+919812300001", Email: "asha@example.com",
		Password: "seven wonderful monsoon clouds", Country: "IN", Zone: "Asia/Kolkata", Locale: "en", Workdays: account.MondayToFriday, WorkFrom: 540, WorkTo: 1080, AcceptTerms: true, Adult: true})
	must(t, err)
	w.org = org
	log := audit.New(d, keys, clock)
	w.Rights = rights.New(rights.Deps{
		DB: d, Keys: keys, Accounts: accounts, Holds: hold.New(d, keys, accounts, log, clock), Log: log, Now: clock, Dir: filepath.Join(dir, "packages"),
		Find: w.find, Clock: w.clock, Policy: w.policy, Floor: w.floorOf, Write: w.write, Tell: w.tell, Withdraw: w.withdraw, Restrict: w.restrict,
		Settle: func(context.Context) error { w.settled++; return w.may("settle") },
	})
	w.Stores = []rights.Store{w.store("calls", "call.meta"), w.store("notes", "call.note"), w.store("key", ""), w.Own()}
	w.owner = w.as(t, owner.ID)
	w.off = w.officer(t, "off@example.com")
	w.agent, err = accounts.AddAgent(t.Context(), org.ID, account.NewAgent{Name: "Ravi"})
	must(t, err)
	return w
}

func (w *world) as(t *testing.T, id account.MemberID) *account.Actor {
	t.Helper()
	a, err := w.Accounts.As(t.Context(), w.org.ID, id)
	must(t, err)
	a.Session = &account.Session{}
	return a
}

// officer adds a privacy officer who has joined.
func (w *world) officer(t *testing.T, email string) *account.Actor {
	t.Helper()
	secret, _, err := w.Accounts.Invite(t.Context(), w.Accounts.Operator(w.org), account.NewInvitation{Email: email, Name: "Omar", Role: account.PrivacyOfficer})
	must(t, err)
	m, err := w.Accounts.Accept(t.Context(), secret, account.Acceptance{Name: "Omar", Password: "nine quiet paper lanterns", AcceptTerms: true, Adult: true})
	must(t, err)
	return w.as(t, m.ID)
}

// may is asked before and after each deed of a fake.
func (w *world) may(step string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail == nil {
		return nil
	}
	return w.fail(step)
}

func (w *world) find(_ context.Context, _ *account.Org, c rights.Contact) (subject.Ref, bool, error) {
	w.looked++
	who, ok := w.people[c.Email+c.Number]
	return who, ok, nil
}

func (w *world) clock(_ context.Context, _ *account.Org, q rights.Question) (rights.Clock, error) {
	c := rights.Clock{Law: "GDPR Art. 12(3)", Due: q.Received.AddDate(0, 1, 0), Extend: q.Received.AddDate(0, 3, 0)}
	if q.Place == "" {
		c = rights.Clock{Law: "the strictest", Due: q.Received.AddDate(0, 0, 15)}
	}
	return c, nil
}

func (w *world) policy(context.Context, account.OrgID) (rights.Policy, error) {
	return rights.Policy{Version: 3, Hash: "abc", Facts: json.RawMessage(`{"categories":["call.meta"]}`), Recipients: w.recipients, Objectable: []string{"marketing", "personalise", "reports"}, Consented: []string{"marketing", "personalise"}}, nil
}

func (w *world) floorOf(_ context.Context, _ account.OrgID, category string, newest time.Time) (rights.Lock, bool, error) {
	period, ok := w.floor[category]
	return rights.Lock{Category: category, Until: newest.Add(period), Law: "DPDP Rules 2025, rule 8(3)"}, ok, nil
}

func (w *world) write(_ context.Context, l rights.Letter) error {
	if err := w.may("write " + string(l.Kind)); err != nil {
		return err
	}
	w.letters = append(w.letters, l)
	return nil
}

func (w *world) tell(_ context.Context, o rights.Order) (rights.Answer, error) {
	if w.unreachable {
		return rights.NoAnswer, errors.New("no route")
	}
	if err := w.may("tell"); err != nil {
		return rights.NoAnswer, err
	}
	w.orders = append(w.orders, o)
	return w.answer, nil
}

func (w *world) withdraw(_ context.Context, _ account.OrgID, who subject.Ref, c rights.Contact, purposes []string, _ string) error {
	w.withdrawn = append(w.withdrawn, who.String()+c.Email+" "+strings.Join(purposes, "+"))
	return w.may("withdraw")
}

func (w *world) restrict(_ context.Context, _ account.OrgID, who subject.Ref, on bool) error {
	w.restricted[who] = on
	return w.may("restrict")
}

// store is a store of things. Its Erase removes one row of its table after the other in a transaction of its own, and
// fails before or after it when the story says so.
func (w *world) store(name, category string) rights.Store {
	return rights.Store{
		Name: name, Tables: []string{"things"},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			n, err := w.count(ctx, name, who)
			lines := []rights.Line{{Thing: rights.Rows, Name: name, Category: category, Count: n, Newest: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}}
			if w.loose > 0 && n > 0 { // a count that moves with every look
				w.loose++
				lines = append(lines, rights.Line{Thing: rights.Rows, Name: "looks", Category: category, Count: int64(w.loose), Loose: true})
			}
			return lines, err
		},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, p *rights.Package) error {
			words, err := db.Select(ctx, w.db, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
				`SELECT word FROM things WHERE org_id = $1 AND store = $2 AND who = $3 ORDER BY n`, org, name, who.String())
			if err != nil || category == "" {
				return err
			}
			return p.Table(category, name, []string{"word", "tags"}, func(add func(...any) error) error {
				for _, word := range words {
					if err := add(word, []string{"a", "b"}); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Erase: func(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) ([]rights.Line, error) {
			if d.Keeps(category) || category == "" && d.KeepsAny() {
				return nil, nil
			}
			if err := w.may("before " + name); err != nil {
				return nil, err
			}
			var n int64
			err := w.db.Tx(ctx, func(tx *db.Tx) (err error) {
				if err := d.Gate(ctx, tx, category); err != nil {
					return err
				}
				n, err = tx.Exec(ctx, `DELETE FROM things WHERE org_id = $1 AND store = $2 AND who = $3`, org, name, who.String())
				return err
			})
			if err == nil {
				err = w.may("after " + name)
			}
			return []rights.Line{{Thing: rights.Rows, Name: name, Category: category, Count: n}}, err
		},
		Fields: []rights.Field{{Key: name + ".word", Kind: subject.Number,
			Read: func(ctx context.Context, org account.OrgID, who subject.Ref) (s string, err error) {
				s, _, err = db.One(ctx, w.db, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
					`SELECT word FROM things WHERE org_id = $1 AND store = $2 AND who = $3 AND n = 1`, org, name, who.String())
				return s, err
			},
			Write: func(ctx context.Context, org account.OrgID, who subject.Ref, value string) error {
				_, err := w.db.Exec(ctx, `UPDATE things SET word = $4 WHERE org_id = $1 AND store = $2 AND who = $3 AND n = 1`, org, name, who.String(), value)
				if err == nil {
					err = w.may("wrote " + name)
				}
				return err
			}}},
	}
}

func (w *world) count(ctx context.Context, store string, who subject.Ref) (n int64, err error) {
	err = w.db.Row(ctx, `SELECT count(*) FROM things WHERE org_id = $1 AND store = $2 AND who = $3`, w.org.ID, store, who.String()).Scan(&n)
	return n, err
}

// know puts three things about a person into each store, and lets them be found by contacts.
func (w *world) know(t *testing.T, who subject.Ref, contacts ...string) {
	t.Helper()
	for _, c := range contacts {
		w.people[c] = who
	}
	for _, store := range []string{"calls", "notes", "key"} {
		w.add(t, store, who, 1, 2, 3)
	}
}

func (w *world) add(t *testing.T, store string, who subject.Ref, ns ...int) {
	t.Helper()
	for _, n := range ns {
		_, err := w.db.Exec(t.Context(), `INSERT INTO things (org_id, store, who, n, category, word) VALUES ($1, $2, $3, $4, '', $5)`, w.org.ID, store, who.String(), n, "=word "+store+strconv.Itoa(n))
		must(t, err)
	}
}

func (w *world) left(t *testing.T, who subject.Ref) (n int64) {
	t.Helper()
	for _, store := range []string{"calls", "notes", "key"} {
		k, err := w.count(t.Context(), store, who)
		must(t, err)
		n += k
	}
	return n
}

// submit sends a request from the page.
func (w *world) submit(t *testing.T, a rights.Ask) (string, *rights.Request) {
	t.Helper()
	secret, q, err := w.Submit(t.Context(), w.org, a, "192.0.2.1")
	must(t, err)
	return secret, q
}

// proved sends a request and proves it by the code that was mailed.
func (w *world) proved(t *testing.T, a rights.Ask) (string, *rights.Request) {
	t.Helper()
	secret, _ := w.submit(t, a)
	q, err := w.Confirm(t.Context(), w.org.ID, secret, w.code(t))
	must(t, err)
	return secret, q
}

// code is the code in the last letter.
func (w *world) code(t *testing.T) string {
	t.Helper()
	for _, l := range slices.Backward(w.letters) {
		if l.Kind == rights.LetterCode {
			return l.Code
		}
	}
	t.Fatal("no code was sent")
	return ""
}

// approved is proved with the owner's approval.
func (w *world) approved(t *testing.T, a rights.Ask) (string, *rights.Request) {
	t.Helper()
	secret, q := w.proved(t, a)
	q, err := w.Approve(t.Context(), w.owner, q.ID, q.Plan.Hash())
	must(t, err)
	return secret, q
}

func (w *world) get(t *testing.T, id string) *rights.Request {
	t.Helper()
	q, err := w.One(t.Context(), w.owner, id)
	must(t, err)
	return q
}

func (w *world) erasure() rights.Ask {
	return rights.Ask{Kind: rights.Erasure, Contact: asker, Name: "Meera", Text: "Please delete everything.", Locale: "hi"}
}

// stateOf wants a request in a state.
func (w *world) stateOf(t *testing.T, id string, want rights.State) *rights.Request {
	t.Helper()
	q := w.get(t, id)
	if q.State != want {
		t.Errorf("the request is %s, want %s", q.State, want)
	}
	return q
}

// receipts verifies the receipts of a request against the log's key.
func (w *world) receipts(t *testing.T, id string) []*rights.Receipt {
	t.Helper()
	key, err := w.Log.Key(t.Context(), int64(w.org.ID))
	must(t, err)
	all, err := w.Receipts(t.Context(), w.org.ID, id)
	must(t, err)
	var out []*rights.Receipt
	for _, text := range all {
		v, err := rights.VerifyReceipt(text, key)
		must(t, err)
		out = append(out, v.Receipt)
	}
	return out
}
