package retain_test

import (
	"context"
	"errors"
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
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

// shelf is a keeper in memory: what packages with tables do, without them.
type shelf struct {
	mu       sync.Mutex
	items    map[string]retain.Item
	forgot   []subject.Ref
	returned map[string]string
	broken   bool // removes another row than it was told to
	crash    bool // removes, and then seems to fail
}

func newShelf() *shelf {
	return &shelf{items: map[string]retain.Item{}, returned: map[string]string{}}
}

func (s *shelf) put(i retain.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[i.Key] = i
}

func (s *shelf) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.items[key]
	return ok
}

func (s *shelf) keeper(d *db.DB) retain.Keeper {
	return retain.Keeper{
		Name: "shelf", Category: "call.meta", Events: []policy.Event{policy.LastActivity},
		Count: func(context.Context, account.OrgID) (n int64, err error) {
			for _, i := range s.items {
				n += i.Rows
			}
			return n, nil
		},
		Due: func(_ context.Context, _ account.OrgID, cut retain.Cut) (out []retain.Item, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, i := range s.items {
				if i.At.Before(cut.Before) {
					out = append(out, i)
				}
			}
			return out, nil
		},
		Remove: func(ctx context.Context, _ account.OrgID, o retain.Order) (n int64, err error) {
			if err := d.Tx(ctx, func(tx *db.Tx) error { return o.Gate(ctx, tx) }); err != nil {
				return 0, err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, i := range o.Items {
				is, ok := s.items[i.Key]
				if !ok || is.Rows != i.Rows || !is.At.Equal(i.At) {
					return 0, fault.New(fault.Conflict, "The item changed.")
				}
			}
			for _, i := range o.Items {
				delete(s.items, i.Key)
				n += i.Rows
			}
			if s.broken {
				for key := range s.items {
					n += s.items[key].Rows
					delete(s.items, key)
					break
				}
			}
			if s.crash {
				s.crash = false
				return 0, errors.New("the power went off")
			}
			return n, nil
		},
	}
}

// archiving is the keeper with an archive.
func (s *shelf) archiving(d *db.DB) retain.Keeper {
	k := s.keeper(d)
	k.Bundle = func(_ context.Context, _ account.OrgID, i retain.Item) ([]byte, error) {
		return []byte("canary of " + i.Key), nil
	}
	k.Return = func(_ context.Context, _ account.OrgID, key string, bundle []byte) error {
		s.returned[key] = string(bundle)
		return nil
	}
	k.Forget = func(_ context.Context, _ account.OrgID, who []subject.Ref) error {
		s.forgot = append(s.forgot, who...)
		return nil
	}
	return k
}

type world struct {
	t        *testing.T
	db       *db.DB
	keys     *vault.Keys
	accounts *account.Accounts
	org      *account.Org
	by       *account.Actor
	holds    *hold.Holds
	now      time.Time
	rules    []retain.Rule
	notices  []retain.Notice
	log      *audit.Log
	shelf    *shelf
	*retain.Sweeper
}

var schemas = []dbtest.Schema{{Series: "account", Files: account.Schema}, {Series: "audit", Files: audit.Schema}, {Series: "hold", Files: hold.Schema}, {Series: "retain", Files: retain.Schema}}

var year = policy.Period{N: 365, Unit: policy.Days}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: d, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), shelf: newShelf()}
	if w.keys, err = vault.Open(t.Context(), dir, master); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.keys.Close() })
	now := func() time.Time { return w.now }
	w.accounts = account.New(d, w.keys, now)
	w.log = audit.New(d, w.keys, now)
	w.holds = hold.New(d, w.keys, w.accounts, w.log, now)
	if w.org, err = w.accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "asha@example.com"}); err != nil {
		t.Fatal(err)
	}
	owner, err := w.accounts.Owner(t.Context(), w.org.ID)
	if err != nil {
		t.Fatal(err)
	}
	if w.by, err = w.accounts.As(t.Context(), w.org.ID, owner.ID); err != nil {
		t.Fatal(err)
	}
	w.rules = []retain.Rule{{Category: "call.meta", From: policy.LastActivity, Max: year, Notice: policy.Period{N: 2, Unit: policy.Days}}}
	w.use(w.shelf.keeper(d))
	return w
}

func (w *world) use(keepers ...retain.Keeper) {
	w.Sweeper = retain.New(retain.Deps{
		DB: w.db, Keys: w.keys, Holds: w.holds, Keepers: keepers, Now: func() time.Time { return w.now },
		Rules: func(context.Context, account.OrgID) ([]retain.Rule, error) { return w.rules, nil },
		Tell: func(_ context.Context, _ account.OrgID, n retain.Notice) (int, error) {
			w.notices = append(w.notices, n)
			return 1, nil
		},
		Log: w.log,
	})
}

func (w *world) run() *retain.Outcome {
	w.t.Helper()
	o, err := w.Run(w.t.Context(), w.org.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// days passes days, the last of them with a run each: a server that was off for most of a long time.
func (w *world) days(n int) {
	w.t.Helper()
	const runs = 8
	if n > runs {
		w.now = w.now.AddDate(0, 0, n-runs)
		n = runs
	}
	for range n {
		w.now = w.now.AddDate(0, 0, 1)
		w.run()
	}
}

func (w *world) status() *retain.Status {
	w.t.Helper()
	st, err := w.Status(w.t.Context(), w.org.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

func (w *world) logged(action audit.Action) int {
	w.t.Helper()
	all, _, err := w.log.List(w.t.Context(), int64(w.org.ID), audit.Filter{Actions: []audit.Action{action}})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

func item(num int64, at time.Time, rows int64) retain.Item {
	who := subject.OfNumber(num)
	return retain.Item{Key: who.String(), Who: []subject.Ref{who}, At: at, Rows: rows, Bytes: 90 * rows}
}

func alarms(st *retain.Status) string {
	var kinds []string
	for _, a := range st.Alarms {
		kinds = append(kinds, a.Kind)
	}
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}
