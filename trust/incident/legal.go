package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/subject"
)

// LegalScope is what an authority may get: of these persons, only these categories, and only what is dated within the
// time. Nothing of it may be empty but the time.
type LegalScope struct {
	Persons    []subject.Ref
	Categories []string
	From, To   time.Time // zero = any time; To is not within it
}

// LegalState says where a request of an authority stands.
type LegalState string

// The states.
const (
	LegalOpen      LegalState = "open"      // waits for two members to decide
	LegalRefused   LegalState = "refused"   // a member refused
	LegalDisclosed LegalState = "disclosed" // the package was handed over; the persons are to be told unless that is barred
	LegalClosed    LegalState = "closed"
)

// LegalFacts are what is known of a request.
type LegalFacts struct {
	Authority   string
	Law         string // what it relies on
	Reference   string // its own
	Asked       string // what it asks for, in its words
	Received    time.Time
	Due         time.Time // zero = it set none
	Scope       LegalScope
	Barred      bool      // the persons must not be told
	BarReason   string    // by which order
	BarredUntil time.Time // zero = not known
}

// LegalRequest is the file of one request of an authority.
type LegalRequest struct {
	LegalFacts
	ID          string
	State       LegalState
	Decisions   []LegalDecision // on the request as it is now
	OpenedBy    account.MemberID
	OpenedAt    time.Time
	DisclosedBy account.MemberID
	DisclosedAt time.Time
	SHA256      string // of the package
	Files       int64
	ToldBy      account.MemberID
	ToldAt      time.Time // when the persons were told; zero = not yet

	version int64
}

// LegalDecision is what one member decided.
type LegalDecision struct {
	By       account.MemberID
	At       time.Time
	Approves bool
	Why      string
}

// Approvals counts the different members who approve the request as it is now.
func (q *LegalRequest) Approvals() int {
	n := 0
	for _, d := range q.Decisions {
		if d.Approves {
			n++
		}
	}
	return n
}

// approvers is how many members must approve before anything is handed over.
const approvers = 2

// NoticeDue tells whether the persons concerned should be told now.
func (q *LegalRequest) NoticeDue(now time.Time) bool {
	if q.State != LegalDisclosed || !q.ToldAt.IsZero() {
		return false
	}
	return !q.Barred || !q.BarredUntil.IsZero() && !now.Before(q.BarredUntil)
}

type legalContent struct{ Authority, Law, Reference, Asked, BarReason string }

func (x *Incidents) checkLegal(ctx context.Context, org account.OrgID, f *LegalFacts) error {
	for _, s := range []*string{&f.Authority, &f.Law, &f.Reference, &f.Asked, &f.BarReason} {
		if *s = strings.TrimSpace(*s); len(*s) > maxText {
			return fault.Field("asked", "A text is too long; at most %d characters are kept.", maxText)
		}
	}
	if f.Received.IsZero() {
		f.Received = x.d.Now()
	}
	slices.SortFunc(f.Scope.Persons, func(a, b subject.Ref) int { return strings.Compare(a.String(), b.String()) })
	f.Scope.Persons = slices.Compact(f.Scope.Persons)
	slices.Sort(f.Scope.Categories)
	f.Scope.Categories = slices.Compact(f.Scope.Categories)
	switch {
	case f.Authority == "":
		return fault.Field("authority", "Say which authority asks.")
	case f.Law == "":
		return fault.Field("law", "Say which law or order it relies on. Without one nothing is handed over.")
	case len(f.Scope.Persons) == 0:
		return fault.Field("persons", "Say whom the request is about. A request about everybody is not answered by a package.")
	case len(f.Scope.Categories) == 0:
		return fault.Field("categories", "Say which categories of data it is about: no more than what was asked for is handed over.")
	case f.Barred && f.BarReason == "":
		return fault.Field("bar_reason", "Say which order forbids to tell the persons concerned. Otherwise they are told.")
	case !f.Scope.From.IsZero() && !f.Scope.To.IsZero() && !f.Scope.From.Before(f.Scope.To):
		return fault.Field("to", "The end of the time lies before its beginning.")
	}
	for _, p := range f.Scope.Persons {
		if _, err := subject.Parse(p.String()); err != nil {
			return err
		}
	}
	doc, err := x.d.Policy(ctx, org)
	if err != nil {
		return err
	}
	for _, c := range f.Scope.Categories {
		if doc.Category(c) == nil {
			return fault.Field("categories", "The privacy policy has no category %q.", c)
		}
	}
	return nil
}

// AddLegal opens the file of a request.
func (x *Incidents) AddLegal(ctx context.Context, by *account.Actor, f LegalFacts) (*LegalRequest, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	if err := x.checkLegal(ctx, by.Org.ID, &f); err != nil {
		return nil, err
	}
	q := &LegalRequest{LegalFacts: f, ID: id.New("leg"), State: LegalOpen, OpenedBy: by.Member.ID, OpenedAt: x.d.Now(), version: 1}
	return q, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		sealed, err := x.sealLegal(ctx, by.Org.ID, q)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO legal_requests (org_id, `+legalColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14, '', 0, '', 0, 0, '')`,
			by.Org.ID, q.ID, q.State, words(q.Scope.Categories), refs(q.Scope.Persons), ms(q.Scope.From), ms(q.Scope.To), ms(q.Received), ms(q.Due), flag(q.Barred), ms(q.BarredUntil),
			sealed, q.OpenedBy, ms(q.OpenedAt)); err != nil {
			return err
		}
		return x.noteLegal(ctx, tx, by, q, audit.LegalChanged, map[string]string{"change": "opened"})
	})
}

// ChangeLegal writes new facts into a file that is not decided. Approvals of the request as it was count no more.
func (x *Incidents) ChangeLegal(ctx context.Context, by *account.Actor, request string, f LegalFacts) (*LegalRequest, error) {
	q, err := x.openLegal(ctx, by, request)
	if err != nil {
		return nil, err
	}
	if err := x.checkLegal(ctx, by.Org.ID, &f); err != nil {
		return nil, err
	}
	q.LegalFacts, q.Decisions = f, nil
	return q, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		sealed, err := x.sealLegal(ctx, by.Org.ID, q)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE legal_requests SET categories = $3, persons = $4, from_ms = $5, to_ms = $6, received_ms = $7, due_ms = $8, barred = $9, barred_until_ms = $10,
			sealed = $11, version = version + 1 WHERE org_id = $1 AND id = $2 AND state = 'open' AND version = $12`, by.Org.ID, q.ID, words(q.Scope.Categories), refs(q.Scope.Persons),
			ms(q.Scope.From), ms(q.Scope.To), ms(q.Received), ms(q.Due), flag(q.Barred), ms(q.BarredUntil), sealed, q.version)
		if err != nil {
			return err
		}
		if n == 0 {
			return errMeanwhile()
		}
		q.version++
		return x.noteLegal(ctx, tx, by, q, audit.LegalChanged, map[string]string{"change": "changed"})
	})
}

func errMeanwhile() error {
	return fault.New(fault.Conflict, "The file was changed meanwhile. Open it again and look.")
}

// Decide is one member's approval or refusal, with the reason. Each member decides once on a request as it is; two
// different ones must approve. A refusal ends it.
func (x *Incidents) Decide(ctx context.Context, by *account.Actor, request string, approves bool, why string) (*LegalRequest, error) {
	if by.Member != nil && by.Member.ID == "" {
		return nil, fault.New(fault.Denied, "Whether data is handed over is decided by members who sign in with their own name, not by the operator.")
	}
	q, err := x.openLegal(ctx, by, request)
	if err != nil {
		return nil, err
	}
	if why = strings.TrimSpace(why); why == "" || len(why) > maxText {
		return nil, fault.Field("why", "Give the reason: what was checked, and why it is or is not enough.")
	}
	err = x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		k, err := x.d.Keys.Org(ctx, int64(by.Org.ID))
		if err != nil {
			return err
		}
		state := LegalOpen
		if !approves {
			state = LegalRefused
		}
		// The row of the request makes decisions at once wait for each other on PostgreSQL, too.
		n, err := tx.Exec(ctx, `UPDATE legal_requests SET state = $3 WHERE org_id = $1 AND id = $2 AND state = 'open' AND version = $4`, by.Org.ID, q.ID, state, q.version)
		if err == nil && n == 0 {
			err = errMeanwhile()
		}
		if err != nil {
			return err
		}
		n, err = tx.Exec(ctx, `INSERT INTO legal_decisions (org_id, request, version, member, approves, at_ms, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			by.Org.ID, q.ID, q.version, by.Member.ID, flag(approves), ms(x.d.Now()), k.Seal("legal_decisions|"+q.ID+"|"+string(by.Member.ID), []byte(why)))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "You have decided on this request already. The second decision must be somebody else's.")
		}
		if err != nil {
			return err
		}
		return x.noteLegal(ctx, tx, by, q, audit.LegalDecided, map[string]string{"approves": strconv.FormatBool(approves)})
	})
	if err != nil {
		return nil, err
	}
	return x.Legal(ctx, by, request)
}

// Disclose writes the package of a request that two members approved: what lies within its scope, and no more.
func (x *Incidents) Disclose(ctx context.Context, by *account.Actor, request string, w io.Writer) (*LegalRequest, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	q, err := x.Legal(ctx, by, request)
	if err != nil {
		return nil, err
	}
	switch {
	case q.State == LegalRefused || q.State == LegalClosed:
		return nil, fault.New(fault.Conflict, "This request was refused or is closed, so nothing is handed over.")
	case q.Approvals() < approvers:
		return nil, fault.New(fault.Denied, "Nothing is handed over before two different members have approved this request; %d did.", q.Approvals())
	}
	sum := sha256.New()
	files, err := x.d.Export(ctx, by.Org.ID, q.Scope, io.MultiWriter(w, sum))
	if err != nil {
		return nil, err
	}
	q.State, q.Files, q.SHA256, q.DisclosedBy, q.DisclosedAt = LegalDisclosed, files, hex.EncodeToString(sum.Sum(nil)), by.Member.ID, x.d.Now()
	return q, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE legal_requests SET state = $3, disclosed_by = $4, disclosed_ms = $5, package_sha256 = $6, package_files = $7
			WHERE org_id = $1 AND id = $2 AND state IN ('open', 'disclosed') AND version = $8`, by.Org.ID, q.ID, q.State, q.DisclosedBy, ms(q.DisclosedAt), q.SHA256, q.Files, q.version)
		if err == nil && n == 0 {
			err = errMeanwhile()
		}
		if err != nil {
			return err
		}
		e := audit.Entry{Actor: string(by.Member.ID), Action: audit.LegalDisclosed, Object: "legal/" + q.ID, Purpose: "legal", Details: map[string]string{"sha256": q.SHA256, "categories": words(q.Scope.Categories)}}
		about := []string{""}
		if !q.Barred { // each sees in what was done with their data that it was handed over
			about = strings.Fields(refs(q.Scope.Persons))
		}
		for _, e.About = range about {
			if _, err := x.d.Log.Append(ctx, tx, int64(by.Org.ID), e); err != nil {
				return err
			}
		}
		return nil
	})
}

// Told writes down that the persons concerned were told of a disclosure. It is refused while an order forbids it.
func (x *Incidents) Told(ctx context.Context, by *account.Actor, request string) (*LegalRequest, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	q, err := x.Legal(ctx, by, request)
	if err != nil {
		return nil, err
	}
	if !q.NoticeDue(x.d.Now()) {
		return nil, fault.New(fault.Conflict, "The persons concerned are not to be told now: nothing was handed over yet, they know already, or an order forbids it.")
	}
	q.State, q.ToldBy, q.ToldAt = LegalClosed, by.Member.ID, x.d.Now()
	return q, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE legal_requests SET state = $3, told_by = $4, told_ms = $5 WHERE org_id = $1 AND id = $2 AND state = 'disclosed'`,
			by.Org.ID, q.ID, q.State, q.ToldBy, ms(q.ToldAt))
		if err == nil && n == 0 {
			err = errMeanwhile()
		}
		if err != nil {
			return err
		}
		return x.noteLegal(ctx, tx, by, q, audit.LegalChanged, map[string]string{"change": "persons told"})
	})
}

func (x *Incidents) openLegal(ctx context.Context, by *account.Actor, request string) (*LegalRequest, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	q, err := x.Legal(ctx, by, request)
	if err == nil && q.State != LegalOpen {
		err = fault.New(fault.Conflict, "This request is decided already. Open a new file if the authority asks again.")
	}
	return q, err
}

// Legal gives the file of one request.
func (x *Incidents) Legal(ctx context.Context, by *account.Actor, request string) (*LegalRequest, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	q, ok, err := db.One(ctx, x.d.DB, x.scanLegal(ctx, by.Org.ID), `SELECT `+legalColumns+` FROM legal_requests WHERE org_id = $1 AND id = $2`, by.Org.ID, request)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no request %q of an authority.", request)
	}
	q.Decisions, err = x.decisions(ctx, by.Org.ID, q)
	return q, err
}

// LegalRequests lists the files of an organisation, newest first.
func (x *Incidents) LegalRequests(ctx context.Context, by *account.Actor) ([]*LegalRequest, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, x.d.DB, x.scanLegal(ctx, by.Org.ID), `SELECT `+legalColumns+` FROM legal_requests WHERE org_id = $1 ORDER BY received_ms DESC, id DESC`, by.Org.ID)
	for _, q := range all {
		if err == nil {
			q.Decisions, err = x.decisions(ctx, by.Org.ID, q)
		}
	}
	return all, err
}

const legalColumns = `id, state, categories, persons, from_ms, to_ms, received_ms, due_ms, barred, barred_until_ms, version, sealed, opened_by, opened_ms, disclosed_by, disclosed_ms,
	package_sha256, package_files, told_ms, told_by`

func (x *Incidents) scanLegal(ctx context.Context, org account.OrgID) func(db.Scanner) (*LegalRequest, error) {
	return func(r db.Scanner) (*LegalRequest, error) {
		var q LegalRequest
		var categories, persons string
		var from, to, received, due, until, opened, disclosed, told int64
		var barred int
		var sealed []byte
		if err := r.Scan(&q.ID, &q.State, &categories, &persons, &from, &to, &received, &due, &barred, &until, &q.version, &sealed, &q.OpenedBy, &opened, &q.DisclosedBy, &disclosed,
			&q.SHA256, &q.Files, &told, &q.ToldBy); err != nil {
			return nil, err
		}
		q.Scope.Categories, q.Scope.From, q.Scope.To = strings.Fields(categories), at(from), at(to)
		for p := range strings.FieldsSeq(persons) {
			who, err := subject.Parse(p)
			if err != nil {
				return nil, err
			}
			q.Scope.Persons = append(q.Scope.Persons, who)
		}
		q.Received, q.Due, q.Barred, q.BarredUntil, q.OpenedAt, q.DisclosedAt, q.ToldAt = at(received), at(due), barred == 1, at(until), at(opened), at(disclosed), at(told)
		k, err := x.d.Keys.Org(ctx, int64(org))
		if err != nil {
			return nil, err
		}
		var c legalContent
		err = openJSON(k, "legal_requests|"+q.ID, sealed, &c)
		q.Authority, q.Law, q.Reference, q.Asked, q.BarReason = c.Authority, c.Law, c.Reference, c.Asked, c.BarReason
		return &q, err
	}
}

func (x *Incidents) decisions(ctx context.Context, org account.OrgID, q *LegalRequest) ([]LegalDecision, error) {
	var k *vault.OrgKeys
	k, err := x.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, x.d.DB, func(r db.Scanner) (d LegalDecision, err error) {
		var approves int
		var decided int64
		var sealed []byte
		if err := r.Scan(&d.By, &approves, &decided, &sealed); err != nil {
			return d, err
		}
		why, err := k.Open("legal_decisions|"+q.ID+"|"+string(d.By), sealed)
		d.Approves, d.At, d.Why = approves == 1, at(decided), string(why)
		return d, err
	}, `SELECT member, approves, at_ms, sealed FROM legal_decisions WHERE org_id = $1 AND request = $2 AND version = $3 ORDER BY at_ms, member`, org, q.ID, q.version)
}

func (x *Incidents) sealLegal(ctx context.Context, org account.OrgID, q *LegalRequest) ([]byte, error) {
	k, err := x.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return sealJSON(k, "legal_requests|"+q.ID, legalContent{q.Authority, q.Law, q.Reference, q.Asked, q.BarReason})
}

func (x *Incidents) noteLegal(ctx context.Context, tx *db.Tx, by *account.Actor, q *LegalRequest, action audit.Action, details map[string]string) error {
	_, err := x.d.Log.Append(ctx, tx, int64(by.Org.ID), audit.Entry{Actor: string(by.Member.ID), Action: action, Object: "legal/" + q.ID, Purpose: "legal", Details: details})
	return err
}

func refs(all []subject.Ref) string {
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = r.String()
	}
	return strings.Join(out, " ")
}
