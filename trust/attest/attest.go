// Package attest keeps what no program can prove by itself and people attest: audits that are due on dates, trainings that
// expire, and scans of the release that runs for known vulnerabilities. Each result is a statement that the audit log certifies.
package attest

import (
	"context"
	"embed"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Schema holds the tables of this package, series "attest", and says what is in their columns.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Kind says what a duty is about.
type Kind string

// The kinds.
const (
	Audit    Kind = "audit"    // of how data is protected
	Training Kind = "training" // of a member
	Scan     Kind = "scan"     // of the release that runs, for known vulnerabilities
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Audit, Training, Scan} }

// Result is what came of it.
type Result string

// The results.
const (
	Passed   Result = "passed"
	Findings Result = "findings" // some things have to be mended
	Failed   Result = "failed"   // it does not count: the duty stays due
)

// Results lists them.
func Results() []Result { return []Result{Passed, Findings, Failed} }

const (
	maxTitle = 200  // characters
	maxNote  = 4000 // characters
	// longest is how far apart two audits may be at most.
	longest = 5 * 366 * 24 * time.Hour
)

// Duty is something that has to be attested by a day, once or again and again.
type Duty struct {
	ID        string
	Kind      Kind
	Title     string
	Member    account.MemberID // for Training: who
	Every     int              // days; 0 = once, and for Scan once for each release
	Due       time.Time        // zero = never again
	CreatedBy account.MemberID
	CreatedAt time.Time
	Last      *Attestation // the newest; nil when there is none
}

// Attestation is what somebody signed.
type Attestation struct {
	N         int64
	Result    Result
	Release   string // of a scan
	Note      string
	Signer    account.MemberID // "" is the operator
	Done      time.Time
	Next      time.Time // when it is due again; zero = never
	Statement []byte    // for audit.ReadCertified
}

// Statement is the newest statement about the duty, with its proof: for Verify.
func (d *Duty) Statement() ([]byte, error) {
	if d.Last == nil {
		return nil, fault.New(fault.NotFound, "Nothing was attested of this yet.")
	}
	return d.Last.Statement, nil
}

// Attestations keeps the duties of all organisations.
type Attestations struct {
	db      *db.DB
	keys    *vault.Keys
	log     *audit.Log
	gate    Gate
	release string
	now     func() time.Time
}

// Gate is asked before a duty is taken off the list, as hold.Holds.Check is.
type Gate func(ctx context.Context, c db.Conn, org account.OrgID, d hold.Deletion) error

// New gives what is kept in d. release is the version of the program that runs; now is the clock.
func New(d *db.DB, keys *vault.Keys, log *audit.Log, gate Gate, release string, now func() time.Time) *Attestations {
	return &Attestations{db: d, keys: keys, log: log, gate: gate, release: release, now: now}
}

// Release is the version of the program that runs.
func (a *Attestations) Release() string { return a.release }

// Overdue tells whether a duty should have been attested by a time. A scan is of one release, and due for the next at once.
func (a *Attestations) Overdue(d *Duty, at time.Time) bool {
	if d.Kind == Scan && d.Last != nil && d.Last.Result != Failed && d.Last.Release != a.release {
		return true
	}
	return !d.Due.IsZero() && at.After(d.Due)
}

// Add puts a duty on the list.
func (a *Attestations) Add(ctx context.Context, by *account.Actor, d Duty) (*Duty, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	d.Title = strings.Join(strings.Fields(d.Title), " ")
	if err := a.check(ctx, by.Org.ID, &d); err != nil {
		return nil, err
	}
	k, err := a.keys.Org(ctx, int64(by.Org.ID))
	if err != nil {
		return nil, err
	}
	d.ID, d.CreatedBy, d.CreatedAt, d.Last = id.New("att"), by.Member.ID, a.now(), nil
	return &d, a.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO attest_duties (org_id, id, kind, title_sealed, member, every_days, due_ms, created_by, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			by.Org.ID, d.ID, d.Kind, k.Seal(titleField(d.ID), []byte(d.Title)), d.Member, d.Every, millis(d.Due), d.CreatedBy, d.CreatedAt.UnixMilli()); err != nil {
			return err
		}
		_, err := a.log.Append(ctx, tx, int64(by.Org.ID), a.entry(by, &d, audit.AttestChanged, "added"))
		return err
	})
}

func (a *Attestations) entry(by *account.Actor, d *Duty, action audit.Action, what string) audit.Entry {
	e := audit.Entry{Actor: string(by.Member.ID), Action: action, Object: "attestation/" + d.ID, Purpose: "security", Details: map[string]string{"what": what, "kind": string(d.Kind)}}
	if d.Member != "" {
		e.About = "member/" + string(d.Member)
	}
	return e
}

func (a *Attestations) check(ctx context.Context, org account.OrgID, d *Duty) error {
	now := a.now()
	switch {
	case d.Kind != Audit && d.Kind != Training && d.Kind != Scan:
		return fault.Field("kind", "%q is no kind of duty. Choose audit, training or scan.", string(d.Kind))
	case d.Title == "" || utf8.RuneCountInString(d.Title) > maxTitle:
		return fault.Field("title", "Say in at most %d characters what is to be done, for example: yearly audit of who has access.", maxTitle)
	case d.Every < 0 || time.Duration(d.Every)*24*time.Hour > longest:
		return fault.Field("every", "Choose a number of days from 1 to %d, or 0 for once.", int(longest/(24*time.Hour)))
	case d.Due.IsZero():
		return fault.Field("due", "Give the day by which it has to be done.")
	case d.Due.Sub(now) > longest:
		return fault.Field("due", "The day is more than five years away. Choose an earlier one.")
	case d.Kind == Training && d.Member == "":
		return fault.Field("member", "Say who is to be trained.")
	case d.Kind != Training && d.Member != "":
		return fault.Field("member", "Only a training is about a member.")
	case d.Member == "":
		return nil
	}
	_, ok, err := db.One(ctx, a.db, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) }, `SELECT id FROM members WHERE org_id = $1 AND id = $2 AND active = 1`, org, d.Member)
	if err == nil && !ok {
		err = fault.Field("member", "That is no active member of this organisation. Choose somebody who is.")
	}
	return err
}

// category is that of everything here.
const category = "audit"

// Drop takes a duty off the list, with what was attested of it. The audit log keeps that it was. A legal hold on the
// category, or on a member whom the duty names, stops it.
func (a *Attestations) Drop(ctx context.Context, by *account.Actor, duty string) error {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return err
	}
	d, err := a.Get(ctx, by.Org.ID, duty)
	if err != nil {
		return err
	}
	return a.db.Tx(ctx, func(tx *db.Tx) error {
		who, err := named(ctx, tx, by.Org.ID, d)
		if err != nil {
			return err
		}
		if err := a.gate(ctx, tx, by.Org.ID, hold.Deletion{Who: who, Category: category, Path: hold.AttestDrop}); err != nil {
			return err
		}
		if err := drop(ctx, tx, by.Org.ID, d.ID); err != nil {
			return err
		}
		_, err = a.log.Append(ctx, tx, int64(by.Org.ID), a.entry(by, d, audit.AttestChanged, "dropped"))
		return err
	})
}

// named are the members whom a duty and its attestations name: who is trained, who put it on the list, who signed.
func named(ctx context.Context, c db.Conn, org account.OrgID, d *Duty) ([]subject.Ref, error) {
	all, err := db.Select(ctx, c, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) }, `SELECT DISTINCT signer FROM attestations WHERE org_id = $1 AND duty = $2`, org, d.ID)
	if err != nil {
		return nil, err
	}
	var out []subject.Ref
	for _, m := range append(all, d.Member, d.CreatedBy) {
		if m != "" {
			out = append(out, subject.OfMember(string(m)))
		}
	}
	return out, nil
}

func drop(ctx context.Context, tx *db.Tx, org account.OrgID, duty string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM attestations WHERE org_id = $1 AND duty = $2`, org, duty); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM attest_duties WHERE org_id = $1 AND id = $2`, org, duty)
	return err
}

// Delete removes everything of an organisation that is closed.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{`DELETE FROM attestations WHERE org_id = $1`, `DELETE FROM attest_duties WHERE org_id = $1`} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}

func titleField(duty string) string     { return "attest_duties.title|" + duty }
func noteField(duty string) string      { return "attestations.note|" + duty }
func statementField(duty string) string { return "attestations.statement|" + duty }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
