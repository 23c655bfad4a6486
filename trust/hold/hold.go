// Package hold keeps legal holds, and is the one gate that every deletion of data about people asks: by person, by case
// or by category, each with a reason, a member who answers for it, and a day on which it ends.
package hold

import (
	"context"
	"embed"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/subject"
)

// Schema holds the tables of this package, series "hold".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Scope says what a hold is about.
type Scope string

// The scopes.
const (
	Person   Scope = "person"   // one or more persons
	Case     Scope = "case"     // a case: whom it names, and what it names
	Category Scope = "category" // a category, whoever it is about
)

// longest is the longest a hold may run without somebody looking at it again.
const longest = 10 * 366 * 24 * time.Hour

const maxReason = 2000

// Hold is one legal hold.
type Hold struct {
	ID         string
	Scope      Scope
	Case       string        // name or number of the case; for Case only
	Persons    []subject.Ref // for Person and Case
	Categories []string      // keys of the policy; empty means all
	Reason     string
	Owner      account.MemberID // who answers for it
	Ends       time.Time

	CreatedBy     account.MemberID // "" is the operator
	CreatedAt     time.Time
	ReleasedBy    account.MemberID
	ReleasedAt    time.Time // zero while it was not released
	ReleaseReason string
	Refused       []Refused // deletions it stopped; filled by List and Get
}

// Refused tells how often a hold stopped deletions that came one way.
type Refused struct {
	Path  Path
	Times int64
	Last  time.Time
}

// Active tells whether the hold stops deletions at a time.
func (h *Hold) Active(at time.Time) bool { return h.ReleasedAt.IsZero() && at.Before(h.Ends) }

// Holds keeps the holds of all organisations.
type Holds struct {
	db       *db.DB
	keys     *vault.Keys
	accounts *account.Accounts
	log      *audit.Log
	now      func() time.Time

	mu    sync.Mutex
	noted []refusal // inside transactions, not written yet
	wake  chan struct{}
}

// New gives the holds kept in d. Changes and refusals go into log. now is the clock.
func New(d *db.DB, keys *vault.Keys, accounts *account.Accounts, log *audit.Log, now func() time.Time) *Holds {
	return &Holds{db: d, keys: keys, accounts: accounts, log: log, now: now, wake: make(chan struct{}, 1)}
}

// Add puts a hold into force and gives it with its id. It is refused without reason, owner and end date.
func (h *Holds) Add(ctx context.Context, by *account.Actor, in Hold) (*Hold, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	in.ID, in.CreatedBy, in.CreatedAt = id.New("hld"), by.Member.ID, h.now()
	in.ReleasedBy, in.ReleasedAt, in.ReleaseReason, in.Refused = "", time.Time{}, "", nil
	if err := h.check(ctx, by.Org.ID, &in); err != nil {
		return nil, err
	}
	return &in, h.db.Tx(ctx, func(tx *db.Tx) error { return h.enter(ctx, tx, by, "added", &in) })
}

// enter stores what somebody changed about a hold, and logs it.
func (h *Holds) enter(ctx context.Context, tx *db.Tx, by *account.Actor, what string, in *Hold) error {
	if err := h.Put(ctx, tx, by.Org.ID, in); err != nil {
		return err
	}
	e := audit.Entry{Actor: string(by.Member.ID), Action: audit.HoldChanged, Object: "hold/" + in.ID, Purpose: "legal", Details: map[string]string{
		"what": what, "scope": string(in.Scope), "categories": strings.Join(in.Categories, " "), "owner": string(in.Owner), "ends": in.Ends.UTC().Format(time.RFC3339)}}
	if len(in.Persons) == 1 {
		e.About = in.Persons[0].String()
	}
	_, err := h.log.Append(ctx, tx, int64(by.Org.ID), e)
	return err
}

func (h *Holds) check(ctx context.Context, org account.OrgID, in *Hold) error {
	in.Reason, in.Case = strings.TrimSpace(in.Reason), strings.TrimSpace(in.Case)
	return fault.Join(checkScope(in), checkReason("reason", in.Reason), h.checkOwner(ctx, org, in.Owner), h.checkEnd(in.Ends))
}

func checkScope(in *Hold) error {
	slices.SortFunc(in.Persons, func(a, b subject.Ref) int { return strings.Compare(a.String(), b.String()) })
	in.Persons = slices.Compact(in.Persons)
	slices.Sort(in.Categories)
	in.Categories = slices.Compact(in.Categories)
	for _, p := range in.Persons {
		if _, err := subject.Parse(p.String()); err != nil {
			return err
		}
	}
	for _, c := range in.Categories {
		if c == "" || strings.ContainsAny(c, " \t\r\n") {
			return fault.Field("categories", "%q is not the key of a category. Use keys of the privacy policy, such as call.recording.", c)
		}
	}
	switch {
	case in.Scope != Person && in.Scope != Case && in.Scope != Category:
		return fault.Field("scope", "%q is not what a hold can be about. Choose person, case or category.", string(in.Scope))
	case in.Scope == Person && len(in.Persons) == 0:
		return fault.Field("persons", "Say whom the hold is about: a number or a member.")
	case in.Scope == Category && len(in.Categories) == 0:
		return fault.Field("categories", "Say which category the hold is about.")
	case in.Scope == Category && len(in.Persons) > 0:
		return fault.Field("persons", "A hold on a category is about everybody. For certain persons choose person or case.")
	case in.Scope == Case && in.Case == "":
		return fault.Field("case", "Give the name or number of the case.")
	case in.Scope == Case && len(in.Persons) == 0 && len(in.Categories) == 0:
		return fault.Field("persons", "Say whom or which category the case concerns: without either the hold would cover nothing.")
	case in.Scope != Case:
		in.Case = ""
	}
	if len(in.Case) > 200 {
		return fault.Field("case", "The name of the case is too long; at most 200 characters are kept.")
	}
	return nil
}

func checkReason(field, reason string) error {
	if reason == "" {
		return fault.Field(field, "Give the reason, so that whoever looks at the hold later can tell whether it still stands.")
	}
	if len(reason) > maxReason {
		return fault.Field(field, "The reason is too long; at most %d characters are kept.", maxReason)
	}
	return nil
}

func (h *Holds) checkOwner(ctx context.Context, org account.OrgID, owner account.MemberID) error {
	if owner == "" {
		return fault.Field("owner", "Name the member who answers for the hold: a hold without an owner is never looked at again.")
	}
	m, err := h.accounts.Member(ctx, org, owner)
	if fault.KindOf(err) == fault.NotFound || err == nil && !m.Active {
		return fault.Field("owner", "The owner is not an active member of this organisation. Choose somebody who is.")
	}
	return err
}

func (h *Holds) checkEnd(ends time.Time) error {
	switch now := h.now(); {
	case ends.IsZero():
		return fault.Field("ends", "Give the day on which the hold ends: a hold without an end would keep data for ever. It can be extended.")
	case !ends.After(now):
		return fault.Field("ends", "The hold would end in the past. Choose a later day.")
	case ends.Sub(now) > longest:
		return fault.Field("ends", "The hold would run for more than ten years. Choose an earlier day; it can be extended.")
	}
	return nil
}

// Put stores a hold as it is, in place of one with the same id: for Add, and for a restored backup that lacks it.
func (h *Holds) Put(ctx context.Context, tx *db.Tx, org account.OrgID, in *Hold) error {
	k, err := h.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	var released int64
	if !in.ReleasedAt.IsZero() {
		released = in.ReleasedAt.UnixMilli()
	}
	if _, err := tx.Exec(ctx, `INSERT INTO holds (org_id, id, scope, case_sealed, categories, reason_sealed, owner, ends_ms, created_by, created_ms, released_by, released_ms, release_sealed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (org_id, id) DO UPDATE SET owner = excluded.owner, ends_ms = excluded.ends_ms, reason_sealed = excluded.reason_sealed,
			released_by = excluded.released_by, released_ms = excluded.released_ms, release_sealed = excluded.release_sealed`,
		org, in.ID, in.Scope, sealText(k, "holds.case", in.Case), strings.Join(in.Categories, " "), sealText(k, "holds.reason", in.Reason), in.Owner, in.Ends.UnixMilli(),
		in.CreatedBy, in.CreatedAt.UnixMilli(), in.ReleasedBy, released, sealText(k, "holds.release", in.ReleaseReason)); err != nil {
		return err
	}
	for _, p := range in.Persons {
		if _, err := tx.Exec(ctx, `INSERT INTO hold_persons (org_id, hold_id, person) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, org, in.ID, p.String()); err != nil {
			return err
		}
	}
	return nil
}

// Release ends a hold before its day.
func (h *Holds) Release(ctx context.Context, by *account.Actor, hold, reason string) (*Hold, error) {
	return h.change(ctx, by, "released", hold, func(in *Hold) error {
		in.ReleasedBy, in.ReleasedAt, in.ReleaseReason = by.Member.ID, h.now(), strings.TrimSpace(reason)
		return checkReason("reason", in.ReleaseReason)
	})
}

// Extend moves the end of an active hold. What it was until then lies in the audit log.
func (h *Holds) Extend(ctx context.Context, by *account.Actor, hold string, ends time.Time) (*Hold, error) {
	return h.change(ctx, by, "extended", hold, func(in *Hold) error {
		in.Ends = ends
		return h.checkEnd(ends)
	})
}

func (h *Holds) change(ctx context.Context, by *account.Actor, what, hold string, change func(*Hold) error) (*Hold, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	var in *Hold
	return in, h.db.Tx(ctx, func(tx *db.Tx) (err error) {
		if in, err = h.get(ctx, tx, by.Org.ID, hold); err != nil {
			return err
		}
		if !in.Active(h.now()) {
			return fault.New(fault.Conflict, "This hold has ended already. Make a new one if the data must be kept.")
		}
		if err := change(in); err != nil {
			return err
		}
		return h.enter(ctx, tx, by, what, in)
	})
}

// Get gives one hold.
func (h *Holds) Get(ctx context.Context, org account.OrgID, hold string) (*Hold, error) {
	return h.get(ctx, h.db, org, hold)
}

func (h *Holds) get(ctx context.Context, c db.Conn, org account.OrgID, hold string) (*Hold, error) {
	all, err := h.read(ctx, c, org, `AND id = $2`, hold)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fault.New(fault.NotFound, "There is no hold %q.", hold)
	}
	return all[0], nil
}

// List gives all holds of an organisation, ended ones too, newest first.
func (h *Holds) List(ctx context.Context, org account.OrgID) ([]*Hold, error) {
	return h.read(ctx, h.db, org, `ORDER BY created_ms DESC, id DESC`)
}

// Active gives the holds that stop deletions now.
func (h *Holds) Active(ctx context.Context, c db.Conn, org account.OrgID) ([]*Hold, error) {
	return h.read(ctx, c, org, `AND released_ms = 0 AND ends_ms > $2 ORDER BY created_ms, id`, h.now().UnixMilli())
}

func (h *Holds) read(ctx context.Context, c db.Conn, org account.OrgID, rest string, args ...any) ([]*Hold, error) {
	k, err := h.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, c, scanHold(k), `SELECT id, scope, case_sealed, categories, reason_sealed, owner, ends_ms, created_by, created_ms, released_by, released_ms, release_sealed
		FROM holds WHERE org_id = $1 `+rest, append([]any{org}, args...)...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	by := map[string]*Hold{}
	ids := []any{org}
	for _, x := range all {
		by[x.ID] = x
		ids = append(ids, x.ID)
	}
	if err := fillPersons(ctx, c, by, ids); err != nil {
		return nil, err
	}
	return all, fillRefused(ctx, c, by, ids)
}

func fillPersons(ctx context.Context, c db.Conn, by map[string]*Hold, args []any) error {
	type row struct {
		hold string
		ref  subject.Ref
	}
	persons, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) {
		var text string
		if err := r.Scan(&x.hold, &text); err != nil {
			return x, err
		}
		x.ref, err = subject.Parse(text)
		return x, err
	}, `SELECT hold_id, person FROM hold_persons WHERE org_id = $1 AND hold_id IN `+db.In(2, len(args)-1)+` ORDER BY hold_id, person`, args...)
	for _, p := range persons {
		by[p.hold].Persons = append(by[p.hold].Persons, p.ref)
	}
	return err
}

func fillRefused(ctx context.Context, c db.Conn, by map[string]*Hold, args []any) error {
	type row struct {
		hold string
		Refused
	}
	refused, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) {
		var last int64
		err = r.Scan(&x.hold, &x.Path, &x.Times, &last)
		x.Last = time.UnixMilli(last)
		return x, err
	}, `SELECT hold_id, path, times, last_ms FROM hold_refusals WHERE org_id = $1 AND hold_id IN `+db.In(2, len(args)-1)+` ORDER BY hold_id, path`, args...)
	for _, r := range refused {
		by[r.hold].Refused = append(by[r.hold].Refused, r.Refused)
	}
	return err
}

func scanHold(k *vault.OrgKeys) func(db.Scanner) (*Hold, error) {
	return func(r db.Scanner) (*Hold, error) {
		var h Hold
		var name, reason, release []byte
		var categories string
		var ends, created, released int64
		if err := r.Scan(&h.ID, &h.Scope, &name, &categories, &reason, &h.Owner, &ends, &h.CreatedBy, &created, &h.ReleasedBy, &released, &release); err != nil {
			return nil, err
		}
		h.Categories, h.Ends, h.CreatedAt = strings.Fields(categories), time.UnixMilli(ends), time.UnixMilli(created)
		if released > 0 {
			h.ReleasedAt = time.UnixMilli(released)
		}
		var errs [3]error
		h.Case, errs[0] = openText(k, "holds.case", name)
		h.Reason, errs[1] = openText(k, "holds.reason", reason)
		h.ReleaseReason, errs[2] = openText(k, "holds.release", release)
		return &h, fault.Join(errs[:]...)
	}
}

func sealText(k *vault.OrgKeys, field, text string) []byte {
	if text == "" {
		return nil
	}
	return k.Seal(field, []byte(text))
}

func openText(k *vault.OrgKeys, field string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := k.Open(field, sealed)
	return string(plain), err
}

// Delete removes every hold of an organisation that is closed.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{`DELETE FROM hold_refusals WHERE org_id = $1`, `DELETE FROM hold_persons WHERE org_id = $1`, `DELETE FROM holds WHERE org_id = $1`} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
