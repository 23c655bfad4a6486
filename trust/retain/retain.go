// Package retain lets nothing be kept longer than the privacy policy says. Each package that owns rows registers a
// Keeper; the rules come from the policy document. A plan shows what is due; what it shows, and nothing else, is removed
// after the notice has passed. Legal holds stop it, legal floors lock instead, and a plan that would take an unusual share
// waits for a person.
package retain

import (
	"context"
	"embed"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/subject"
)

// Schema holds the tables of this package, series "retain", and says what is in their columns.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Item is the smallest thing that is removed as a whole: all calls with one number, one session, one day of answers.
type Item struct {
	Key   string        // its name within its keeper, without anything personal: "number/17", "ses_06c1…", "2026-01-31"
	Who   []subject.Ref // whose data it is; none where no person can be told
	At    time.Time     // the moment of the event that its period counts from
	Rows  int64
	Bytes int64 // 0 where it is not known
}

// Cut says what of a keeper's items is due.
type Cut struct {
	From   policy.Event // what the period counts from
	Before time.Time    // due is what has its event before this moment
}

// Order is what a keeper is to remove.
type Order struct {
	Cut
	Items []Item
	// Archived says that copies of the items lie in the archive, sealed under the keys of their persons: those keys must
	// stay until Forget is called.
	Archived bool

	gate  func(ctx context.Context, c db.Conn, items []Item) error
	parts *parts
}

// Gate refuses with a Conflict when a legal hold covers one of the items. A keeper asks it inside the transaction that
// deletes.
func (o Order) Gate(ctx context.Context, c db.Conn) error {
	if o.gate == nil {
		return nil
	}
	return o.gate(ctx, c, o.Items)
}

// Rows is how many rows the order is about.
func (o Order) Rows() int64 {
	_, rows, _ := sums(o.Items)
	return rows
}

// Keeper is whoever keeps rows of one category, as the package that owns them registers it in app.
type Keeper struct {
	Name     string // "calls", "sessions": shown in plans, unique
	Category string // a key of the policy
	// Part tells keepers of one category apart that follow different rules: "" for whole items, Address for network
	// addresses that are masked. Any other part has a rule of its own, in Own.
	Part   string
	Events []policy.Event // what it can reckon a period from
	Own    *Rule          // the rule of a keeper that the policy does not speak of; it may be stricter, not looser
	// Routine items end by themselves, such as sessions: nobody is told before, and no share of them is unusual.
	Routine bool

	// Count tells how many rows there are, due or not: for the share.
	Count func(ctx context.Context, org account.OrgID) (int64, error)
	// Due lists what has its event before cut.Before. It changes nothing.
	Due func(ctx context.Context, org account.OrgID, cut Cut) ([]Item, error)
	// Remove removes exactly the items of the order and tells how many rows that were. When one of them is not any more
	// what it was, because rows came or went, it removes nothing and answers with a Conflict; or it removes in parts, see
	// Order.Part, and leaves such items out.
	Remove func(ctx context.Context, org account.OrgID, o Order) (rows int64, err error)

	// The archive. All three are given, or none.
	//
	// Bundle copies one item. What is returned is sealed under the key of the item's number, and that under the archive's.
	Bundle func(ctx context.Context, org account.OrgID, item Item) ([]byte, error)
	// Bundles copies many items at once, in any order; nil where that is no cheaper than one by one.
	Bundles func(ctx context.Context, org account.OrgID, items []Item, each func(item Item, content []byte) error) error
	// Return brings a copy back from the archive.
	Return func(ctx context.Context, org account.OrgID, key string, bundle []byte) error
	// Forget is told that archived items of persons are gone, too: keys that nothing needs any more are destroyed.
	Forget func(ctx context.Context, org account.OrgID, who []subject.Ref) error
}

// Notice tells members what is about to be erased.
type Notice struct {
	Plan   *Plan
	Alarm  string        // why a person must look at it; "" for a mere notice
	People []subject.Ref // members whose own data goes
}

// Deps are what a Sweeper works with.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Holds    *hold.Holds
	Keepers  []Keeper
	Rules    func(ctx context.Context, org account.OrgID) ([]Rule, error)
	Tell     func(ctx context.Context, org account.OrgID, n Notice) (told int, err error) // mails; nil = nobody is told
	Log      *audit.Log
	Now      func() time.Time
	MaxShare int // per cent of a category that may go without a person; 0 means 20
}

// Sweeper carries the rules out.
type Sweeper struct{ d Deps }

// usualShare is how much of a category, in per cent, may go at once without a person, and fewRows how little is never
// stopped: in a small organisation one person may be half of all.
const (
	usualShare = 20
	fewRows    = 10
)

// New gives a Sweeper.
func New(d Deps) *Sweeper {
	if d.MaxShare <= 0 {
		d.MaxShare = usualShare
	}
	if d.Tell == nil {
		d.Tell = func(context.Context, account.OrgID, Notice) (int, error) { return 0, nil }
	}
	return &Sweeper{d: d}
}

// keeper finds one by its name.
func (s *Sweeper) keeper(name string) *Keeper {
	for i := range s.d.Keepers {
		if s.d.Keepers[i].Name == name {
			return &s.d.Keepers[i]
		}
	}
	return nil
}

// Delete removes what is kept about an organisation that is closed.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM retain_plans WHERE org_id = $1`, `DELETE FROM retain_items WHERE org_id = $1`, `DELETE FROM retain_locks WHERE org_id = $1`,
		`DELETE FROM retain_runs WHERE org_id = $1`, `DELETE FROM archive_items WHERE org_id = $1`, `DELETE FROM archive_reviews WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
