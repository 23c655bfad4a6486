// Package incident keeps the files of what must not happen and of what must be answered: incidents with people's data and
// the clocks of the laws that run then, requests of authorities, the transfer of a business, and what happened around
// signing in. Every step in a file is kept in its order and stands in the audit log.
package incident

import (
	"context"
	"embed"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/law"
	"parley/trust/policy"
	"parley/trust/subject"
)

// Schema holds the tables of this package, series "incident", and says what is in their columns.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Deps are what Incidents work with.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Log      *audit.Log
	Laws     *law.Tables
	Policy   func(ctx context.Context, org account.OrgID) (*policy.Document, error)
	// Affected lists the people outside whose calls lie within a scope.
	Affected func(ctx context.Context, org *account.Org, s Scope) ([]Person, error)
	// Export writes what is kept of persons, and of it only what lies within categories and times.
	Export func(ctx context.Context, org account.OrgID, s LegalScope, w io.Writer) (files int64, err error)
	// Tell mails members; nil = nobody is told.
	Tell func(ctx context.Context, org *account.Org, l Letter) (told int, err error)
	Now  func() time.Time
}

// Letter is a mail to members.
type Letter struct {
	Kind     LetterKind
	Incident *Incident
	Clock    Clock
	Transfer *Transfer
}

// LetterKind says what a letter is about.
type LetterKind string

// The letters.
const (
	ClockAlarm   LetterKind = "clock"    // to owners and privacy officers: a clock runs out
	TransferNews LetterKind = "transfer" // to every member: the business goes to a successor
)

// Incidents keeps the files of all organisations.
type Incidents struct{ d Deps }

// New gives the files.
func New(d Deps) *Incidents {
	if d.Tell == nil {
		d.Tell = func(context.Context, *account.Org, Letter) (int, error) { return 0, nil }
	}
	return &Incidents{d: d}
}

// State says whether a file is worked on.
type State string

// The states of an incident.
const (
	Open   State = "open"
	Closed State = "closed"
)

// Risk is how bad an incident is for the people concerned.
type Risk string

// The risks.
const (
	Low  Risk = "low"
	High Risk = "high"
)

// Scope says whose data an incident concerns: people who had calls on certain days with certain agents. Zero values mean
// all.
type Scope struct {
	From, To civil.Day
	Agents   []account.MemberID
	Numbers  []string // canonical; only these
}

// Person is somebody outside whom an incident concerns.
type Person struct {
	Who     subject.Ref
	Number  string // canonical; "" when it was erased
	Country string // ISO code; "" when it is not known
	Calls   int64
}

// Facts are what is known of an incident.
type Facts struct {
	Title        string
	What         string // what happened
	Systems      string
	Consequences string // likely ones, for the people concerned
	Advice       string // what they can do
	Categories   []string
	Places       []string // whose law applies besides the organisation's own
	Risk         Risk
	Began, Ended time.Time // zero = not known
	Noticed      time.Time
	Scope        Scope
}

// Incident is the file of one incident.
type Incident struct {
	Facts
	ID        string
	Org       account.OrgID
	State     State
	Affected  int64 // people, when it was last counted; -1 = never
	CountedAt time.Time
	OpenedBy  account.MemberID // "" = the operator
	OpenedAt  time.Time
	ClosedBy  account.MemberID
	ClosedAt  time.Time
	Report    string // when it is closed

	digest []byte
}

// content is what is sealed of an incident.
type content struct{ Title, What, Systems, Consequences, Advice, Numbers string }

const (
	maxTitle = 200
	maxText  = 20_000
)

// check tidies facts and refuses what cannot be.
func (x *Incidents) check(ctx context.Context, org account.OrgID, f *Facts) error {
	for _, s := range []*string{&f.Title, &f.What, &f.Systems, &f.Consequences, &f.Advice} {
		if *s = strings.TrimSpace(*s); len(*s) > maxText {
			return fault.Field("what", "A text is too long; at most %d characters are kept.", maxText)
		}
	}
	now := x.d.Now()
	if f.Noticed.IsZero() {
		f.Noticed = now
	}
	if f.Risk == "" {
		f.Risk = High // nobody has found out yet that it is not
	}
	slices.Sort(f.Categories)
	f.Categories = slices.Compact(f.Categories)
	switch {
	case f.Title == "" || len(f.Title) > maxTitle:
		return fault.Field("title", "Give the incident a title of at most %d characters, such as \"Laptop with an export lost\".", maxTitle)
	case f.Risk != Low && f.Risk != High:
		return fault.Field("risk", "The risk is low or high.")
	case f.Noticed.After(now.Add(time.Minute)):
		return fault.Field("noticed", "It cannot have been noticed in the future.")
	case !f.Began.IsZero() && f.Began.After(f.Noticed):
		return fault.Field("began", "It cannot have begun after it was noticed.")
	case !f.Ended.IsZero() && f.Ended.Before(f.Began):
		return fault.Field("ended", "It cannot have ended before it began.")
	case f.Scope.From != 0 && f.Scope.To != 0 && f.Scope.To < f.Scope.From:
		return fault.Field("to", "The last day of the calls concerned lies before the first.")
	}
	for i, p := range f.Places {
		place, err := law.ParsePlace(strings.ToUpper(strings.TrimSpace(p)))
		if err != nil {
			return fault.Field("places", "%s", fault.Sentence(err))
		}
		f.Places[i] = place.String()
	}
	doc, err := x.d.Policy(ctx, org)
	if err != nil {
		return err
	}
	for _, c := range f.Categories {
		if doc.Category(c) == nil {
			return fault.Field("categories", "The privacy policy has no category %q.", c)
		}
	}
	return nil
}

// Add opens the file of an incident. Its clocks run from when it was noticed.
func (x *Incidents) Add(ctx context.Context, by *account.Actor, f Facts) (*Incident, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	if err := x.check(ctx, by.Org.ID, &f); err != nil {
		return nil, err
	}
	i := &Incident{Facts: f, ID: id.New("inc"), Org: by.Org.ID, State: Open, Affected: -1, OpenedBy: by.Member.ID, OpenedAt: x.d.Now()}
	return i, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		k, err := x.d.Keys.Org(ctx, int64(i.Org))
		if err != nil {
			return err
		}
		sealed, err := i.seal(k)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO incidents (org_id, `+incidentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, -1, $13, 0, $14, $15, $16, '', 0, NULL)`,
			i.Org, i.ID, i.State, i.Risk, words(i.Categories), words(i.Places), ms(i.Began), ms(i.Ended), ms(i.Noticed), int64(i.Scope.From), int64(i.Scope.To),
			words(i.Scope.Agents), []byte{}, sealed, i.OpenedBy, ms(i.OpenedAt)); err != nil {
			return err
		}
		return x.note(ctx, tx, by, i, "opened", map[string]string{"risk": string(i.Risk)})
	})
}

// Change writes new facts into an open file.
func (x *Incidents) Change(ctx context.Context, by *account.Actor, incident string, f Facts) (*Incident, error) {
	i, err := x.open(ctx, by, incident)
	if err != nil {
		return nil, err
	}
	if err := x.check(ctx, by.Org.ID, &f); err != nil {
		return nil, err
	}
	if f.Noticed.After(i.Noticed) {
		return nil, fault.Field("noticed", "The clocks run already, from %s. Put it earlier if it was noticed before, but not later.", i.Noticed.UTC().Format(time.DateTime))
	}
	i.Facts = f
	return i, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		k, err := x.d.Keys.Org(ctx, int64(i.Org))
		if err != nil {
			return err
		}
		sealed, err := i.seal(k)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE incidents SET risk = $3, categories = $4, places = $5, began_ms = $6, ended_ms = $7, noticed_ms = $8, scope_from = $9,
			scope_to = $10, scope_agents = $11, sealed = $12 WHERE org_id = $1 AND id = $2 AND state = 'open'`, i.Org, i.ID, i.Risk, words(i.Categories), words(i.Places), ms(i.Began),
			ms(i.Ended), ms(i.Noticed), int64(i.Scope.From), int64(i.Scope.To), words(i.Scope.Agents), sealed); err != nil {
			return err
		}
		return x.note(ctx, tx, by, i, "changed", map[string]string{"risk": string(i.Risk)})
	})
}

// open gives a file that is worked on.
func (x *Incidents) open(ctx context.Context, by *account.Actor, incident string) (*Incident, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	i, err := x.One(ctx, by, incident)
	if err != nil {
		return nil, err
	}
	if i.State != Open {
		return nil, fault.New(fault.Conflict, "The file of this incident is closed. Open a new one if there is news.")
	}
	return i, nil
}

// One gives the file of one incident.
func (x *Incidents) One(ctx context.Context, by *account.Actor, incident string) (*Incident, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	i, ok, err := db.One(ctx, x.d.DB, x.scan(ctx, by.Org.ID), `SELECT `+incidentColumns+` FROM incidents WHERE org_id = $1 AND id = $2`, by.Org.ID, incident)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no incident %q.", incident)
	}
	return i, err
}

// List gives the files of an organisation, open ones first, newest first.
func (x *Incidents) List(ctx context.Context, by *account.Actor) ([]*Incident, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	return db.Select(ctx, x.d.DB, x.scan(ctx, by.Org.ID), `SELECT `+incidentColumns+` FROM incidents WHERE org_id = $1
		ORDER BY CASE state WHEN 'open' THEN 0 ELSE 1 END, noticed_ms DESC, id DESC`, by.Org.ID)
}

const incidentColumns = `id, state, risk, categories, places, began_ms, ended_ms, noticed_ms, scope_from, scope_to, scope_agents, affected, affected_digest, counted_ms,
	sealed, opened_by, opened_ms, closed_by, closed_ms, report_sealed`

func (x *Incidents) scan(ctx context.Context, org account.OrgID) func(db.Scanner) (*Incident, error) {
	return func(r db.Scanner) (*Incident, error) {
		i := &Incident{Org: org}
		var categories, places, agents string
		var began, ended, noticed, from, to, counted, opened, closed int64
		var sealed, report []byte
		if err := r.Scan(&i.ID, &i.State, &i.Risk, &categories, &places, &began, &ended, &noticed, &from, &to, &agents, &i.Affected, &i.digest, &counted,
			&sealed, &i.OpenedBy, &opened, &i.ClosedBy, &closed, &report); err != nil {
			return nil, err
		}
		i.Categories, i.Places = strings.Fields(categories), strings.Fields(places)
		i.Began, i.Ended, i.Noticed, i.CountedAt, i.OpenedAt, i.ClosedAt = at(began), at(ended), at(noticed), at(counted), at(opened), at(closed)
		i.Scope.From, i.Scope.To = civil.Day(from), civil.Day(to)
		for a := range strings.FieldsSeq(agents) {
			i.Scope.Agents = append(i.Scope.Agents, account.MemberID(a))
		}
		k, err := x.d.Keys.Org(ctx, int64(org))
		if err != nil {
			return nil, err
		}
		return i, i.unseal(k, sealed, report)
	}
}

func (i *Incident) seal(k *vault.OrgKeys) ([]byte, error) {
	return sealJSON(k, "incidents|"+i.ID, content{i.Title, i.What, i.Systems, i.Consequences, i.Advice, strings.Join(i.Scope.Numbers, " ")})
}

func (i *Incident) unseal(k *vault.OrgKeys, sealed, report []byte) error {
	var c content
	if err := openJSON(k, "incidents|"+i.ID, sealed, &c); err != nil {
		return err
	}
	i.Title, i.What, i.Systems, i.Consequences, i.Advice, i.Scope.Numbers = c.Title, c.What, c.Systems, c.Consequences, c.Advice, strings.Fields(c.Numbers)
	if report == nil {
		return nil
	}
	text, err := k.Open("incidents.report|"+i.ID, report)
	i.Report = string(text)
	return err
}

func sealJSON(k *vault.OrgKeys, field string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return k.Seal(field, plain), nil
}

func openJSON(k *vault.OrgKeys, field string, sealed []byte, v any) error {
	plain, err := k.Open(field, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}

// note writes a change of an incident to the audit log.
func (x *Incidents) note(ctx context.Context, tx *db.Tx, by *account.Actor, i *Incident, what string, details map[string]string) error {
	if details == nil {
		details = map[string]string{}
	}
	details["change"] = what
	_, err := x.d.Log.Append(ctx, tx, int64(i.Org), audit.Entry{Actor: string(by.Member.ID), Action: audit.IncidentChanged, Object: "incident/" + i.ID, Details: details})
	return err
}

// at is the time of Unix milliseconds; 0 is no time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func words[S ~string](all []S) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return strings.Join(out, " ")
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Delete removes every file of an organisation that is closed.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM incidents WHERE org_id = $1`, `DELETE FROM incident_steps WHERE org_id = $1`, `DELETE FROM incident_alarms WHERE org_id = $1`,
		`DELETE FROM legal_requests WHERE org_id = $1`, `DELETE FROM legal_decisions WHERE org_id = $1`, `DELETE FROM transfers WHERE org_id = $1`,
		`DELETE FROM transfer_objections WHERE org_id = $1`, `DELETE FROM security_events WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
