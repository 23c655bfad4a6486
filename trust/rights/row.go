package rights

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/subject"
)

const columns = `org_id, id, kind, channel, state, reason, place, locale, purposes, minor, proof, reviewer, evidence_hash, contact_sealed, text_sealed,
	subject_ref, law, received_ms, due_ms, extend_ms, extended_ms, confirm_ms, warned_ms, changed_ms, closed_ms, plan, plan_hash,
	approved_by, approved_ms, run_ms, round`

func (r *Rights) scan(ctx context.Context) func(db.Scanner) (*Request, error) {
	return func(row db.Scanner) (*Request, error) {
		var q Request
		var purposes, who string
		var contact, text, plan []byte
		var received, due, extend, extended, confirm, warned, changed, closed, approved, run int64
		if err := row.Scan(&q.Org, &q.ID, &q.Kind, &q.Channel, &q.State, &q.Reason, &q.Place, &q.Locale, &purposes, &q.Minor, &q.Proof, &q.Reviewer, &q.evidence,
			&contact, &text, &who, &q.Law, &received, &due, &extend, &extended, &confirm, &warned, &changed, &closed, &plan, &q.planHash,
			&q.Approver, &approved, &run, &q.Round); err != nil {
			return nil, err
		}
		for at, ms := range map[*time.Time]int64{&q.Received: received, &q.Due: due, &q.Extend: extend, &q.Extended: extended, &q.Confirm: confirm, &q.Warned: warned,
			&q.Changed: changed, &q.Closed: closed, &q.Approved: approved, &q.RunAfter: run} {
			*at = fromMs(ms)
		}
		q.Purposes = splitWords(purposes)
		if who != "" {
			var err error
			if q.Who, err = subject.Parse(who); err != nil {
				return nil, err
			}
		}
		if plan != nil {
			q.Plan = &Plan{}
			if err := json.Unmarshal(plan, q.Plan); err != nil {
				return nil, err
			}
		}
		return &q, r.open(ctx, &q, contact, text)
	}
}

func (r *Rights) open(ctx context.Context, q *Request, contact, text []byte) error {
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return err
	}
	c, err := openText(k, "request.contact|"+q.ID, contact)
	if err == nil && c != "" {
		err = json.Unmarshal([]byte(c), &q.Contact)
	}
	if err != nil {
		return err
	}
	q.Text, err = openText(k, "request.text|"+q.ID, text)
	return err
}

func (r *Rights) get(ctx context.Context, c db.Conn, org account.OrgID, id string) (*Request, error) {
	q, ok, err := db.One(ctx, c, r.scan(ctx), `SELECT `+columns+` FROM requests WHERE org_id = $1 AND id = $2`, org, id)
	if err == nil && !ok {
		err = notHere(id)
	}
	return q, err
}

// insert writes a new request. secret is that of its page, "" for none.
func (r *Rights) insert(ctx context.Context, tx *db.Tx, q *Request, secretHash []byte) error {
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return err
	}
	var contactKey, contact any
	if !q.Contact.IsZero() {
		plain, err := json.Marshal(q.Contact)
		if err != nil {
			return err
		}
		contactKey, contact = k.Index("request.contact", q.Contact.address()), k.Seal("request.contact|"+q.ID, plain)
	}
	_, err = tx.Exec(ctx, `INSERT INTO requests (org_id, id, kind, channel, state, reason, place, locale, purposes, minor, proof, reviewer, contact_key, contact_sealed,
		text_sealed, subject_ref, secret_hash, law, received_ms, due_ms, extend_ms, extended_ms, confirm_ms, warned_ms, changed_ms, closed_ms, approved_by, approved_ms, run_ms, round)
		VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, '', $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, $20, 0, $21, 0, '', 0, $22, 1)`,
		q.Org, q.ID, q.Kind, q.Channel, q.State, q.Place, q.Locale, strings.Join(q.Purposes, ","), flag(q.Minor), q.Proof, contactKey, contact,
		sealText(k, "request.text|"+q.ID, q.Text), refText(q.Who), secretHash, q.Law, ms(q.Received), ms(q.Due), ms(q.Extend), ms(q.Confirm), ms(q.Changed), ms(q.RunAfter))
	return err
}

// save writes what may change of a request after it came.
func (r *Rights) save(ctx context.Context, tx *db.Tx, q *Request) error {
	var plan any
	if q.Plan != nil {
		text, err := json.Marshal(q.Plan)
		if err != nil {
			return err
		}
		plan = text
	}
	q.Changed = r.Now()
	n, err := tx.Exec(ctx, `UPDATE requests SET state = $3, reason = $4, proof = $5, reviewer = $6, evidence_hash = $7, subject_ref = $8, law = $9, due_ms = $10, extend_ms = $11,
		extended_ms = $12, confirm_ms = $13, warned_ms = $14, changed_ms = $15, closed_ms = $16, plan = $17, plan_hash = $18, approved_by = $19, approved_ms = $20, run_ms = $21, round = $22,
		minor = $23 WHERE org_id = $1 AND id = $2`,
		q.Org, q.ID, q.State, q.Reason, q.Proof, q.Reviewer, nullable(q.evidence), refText(q.Who), q.Law, ms(q.Due), ms(q.Extend),
		ms(q.Extended), ms(q.Confirm), ms(q.Warned), ms(q.Changed), ms(q.Closed), plan, nullable(q.planHash), q.Approver, ms(q.Approved), ms(q.RunAfter), q.Round, flag(q.Minor))
	if err == nil && n != 1 {
		err = notHere(q.ID)
	}
	return err
}

// happen appends a line to a request's history, and enters the deed in the audit log.
func (r *Rights) happen(ctx context.Context, tx *db.Tx, q *Request, actor string, what What, note string) error {
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return err
	}
	var last int
	if err := tx.Row(ctx, `SELECT COALESCE(MAX(n), 0) FROM request_events WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID).Scan(&last); err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, `INSERT INTO request_events (org_id, request_id, n, at_ms, actor, what, state, note_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		q.Org, q.ID, last+1, ms(r.Now()), actor, what, q.State, sealText(k, "request.note|"+q.ID, note)); err != nil {
		return err
	}
	_, err = r.Log.Append(ctx, tx, int64(q.Org), entry(q, actor, what))
	return err
}

// change reads a request, lets change it, and writes it with a line of history, in one transaction.
func (r *Rights) change(ctx context.Context, org account.OrgID, id, actor string, what What, note string, edit func(tx *db.Tx, q *Request) error) (*Request, error) {
	var q *Request
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := lockRow(ctx, tx, org, id); err != nil {
			return err
		}
		var err error
		if q, err = r.get(ctx, tx, org, id); err != nil {
			return err
		}
		if err := edit(tx, q); err != nil {
			return err
		}
		if err := r.save(ctx, tx, q); err != nil {
			return err
		}
		return r.happen(ctx, tx, q, actor, what, note)
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

// entry is a deed as the audit log keeps it.
func entry(q *Request, actor string, what What) audit.Entry {
	e := audit.Entry{Actor: actor, Action: audit.RequestChanged, About: refText(q.Who), Object: "request/" + q.ID, Purpose: "rights", Policy: q.policy(),
		Details: map[string]string{"what": string(what), "kind": string(q.Kind), "state": string(q.State)}}
	if q.Kind == Erasure && (q.State == Waiting || !q.Open()) {
		e.About = "" // who was erased is not named again
	}
	return e
}

// policy is the version of the policy under which a request was planned, 0 before.
func (q *Request) policy() int {
	if q.Plan == nil {
		return 0
	}
	return q.Plan.Policy
}

// lockRow makes changes of one request wait for each other on PostgreSQL too.
func lockRow(ctx context.Context, tx *db.Tx, org account.OrgID, id string) error {
	_, err := tx.Exec(ctx, `UPDATE requests SET changed_ms = changed_ms WHERE org_id = $1 AND id = $2`, org, id)
	return err
}

// wrongState refuses what does not fit how far a request is.
func wrongState(q *Request, wanted string) error {
	return fault.New(fault.Conflict, "The request %s is %s; %s.", q.ID, q.State, wanted)
}

func sealText(k *vault.OrgKeys, field, text string) any {
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

func refText(who subject.Ref) string {
	if who == (subject.Ref{}) {
		return ""
	}
	return who.String()
}

func nullable(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMs(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func splitWords(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
