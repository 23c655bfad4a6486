package rights

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// Rules of codes.
const (
	codeLife   = 15 * time.Minute
	codeTries  = 5 // wrong ones, then a new code is needed
	codesDaily = 5 // to one contact
)

// SendCode sends a new code to the e-mail address of a request, which ends the one before. A number is called instead:
// see SpeakCode.
func (r *Rights) SendCode(ctx context.Context, org account.OrgID, secret string) (*Request, error) {
	q, err := r.Follow(ctx, org, secret)
	if err != nil {
		return nil, err
	}
	if q.Contact.Email == "" {
		return nil, fault.New(fault.Conflict, "Codes for phone numbers are read out on the phone. Somebody will call this number; wait for the call.")
	}
	return q, r.sendCode(ctx, q)
}

func (r *Rights) sendCode(ctx context.Context, q *Request) error {
	code, err := r.makeCode(ctx, q, person, CodeSent)
	if err != nil {
		return err
	}
	return r.Write(ctx, Letter{Org: q.Org, To: q.Contact.Email, Locale: q.Locale, Kind: LetterCode, Request: q.ID, About: q.Kind, Code: code})
}

// SpeakCode makes a code that an officer reads out after calling the number of a request. The person types it into the
// page of their request. The code is shown this once.
func (r *Rights) SpeakCode(ctx context.Context, by *account.Actor, id string) (code string, err error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return "", err
	}
	if q.Contact.Number == "" {
		return "", fault.New(fault.Conflict, "This request has no phone number to call. A code is sent by mail from the page of the request.")
	}
	return r.makeCode(ctx, q, name(by), CodeSpoken)
}

// makeCode makes the one code of a request, and ends the one before.
func (r *Rights) makeCode(ctx context.Context, q *Request, actor string, what What) (string, error) {
	if q.Contact.IsZero() || !q.Open() && !q.Kind.Gives() {
		return "", wrongState(q, "no code is needed")
	}
	if err := r.count(ctx, q.Org, limit{"codes", q.Contact.address(), codesDaily, 24 * time.Hour}); err != nil {
		return "", err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	code := fmt.Sprintf("%06d", n)
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return "", err
	}
	_, err = r.change(ctx, q.Org, q.ID, actor, what, "", func(tx *db.Tx, now *Request) error {
		if now.State == Received {
			now.State = Verifying
		}
		_, err := tx.Exec(ctx, `INSERT INTO request_codes (org_id, request_id, code_hash, expires_ms, tries) VALUES ($1, $2, $3, $4, 0)
			ON CONFLICT (org_id, request_id) DO UPDATE SET code_hash = excluded.code_hash, expires_ms = excluded.expires_ms, tries = 0`,
			q.Org, q.ID, k.Index("request.code|"+q.ID, code), ms(r.Now().Add(codeLife)))
		return err
	})
	return code, err
}

// wrongCode is the one answer to every code that does not fit, whatever the reason.
func wrongCode() error {
	return fault.Field("code", "This code is not the right one, or it no longer works. Check the six digits, or ask for a new code: each works for 15 minutes and five tries.")
}

// useCode takes a code once. A wrong one counts, also when several are tried at once.
func (r *Rights) useCode(ctx context.Context, q *Request, code string) error {
	k, err := r.Keys.Org(ctx, int64(q.Org))
	if err != nil {
		return err
	}
	given := k.Index("request.code|"+q.ID, strings.Join(strings.Fields(code), ""))
	right := false
	err = r.DB.Tx(ctx, func(tx *db.Tx) error {
		right = false
		if _, err := tx.Exec(ctx, `UPDATE request_codes SET tries = tries + 1 WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID); err != nil {
			return err
		}
		var hash []byte
		var expires int64
		var tries int
		_, ok, err := db.One(ctx, tx, func(row db.Scanner) (struct{}, error) { return struct{}{}, row.Scan(&hash, &expires, &tries) },
			`SELECT code_hash, expires_ms, tries FROM request_codes WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID)
		if err != nil {
			return err
		}
		if right = ok && tries <= codeTries && ms(r.Now()) < expires && subtle.ConstantTimeCompare(hash, given) == 1; !right {
			return r.happen(ctx, tx, q, person, CodeWrong, "")
		}
		_, err = tx.Exec(ctx, `DELETE FROM request_codes WHERE org_id = $1 AND request_id = $2`, q.Org, q.ID)
		return err
	})
	if err == nil && !right {
		err = wrongCode()
	}
	return err
}

// Confirm proves who asks by the code that was sent to the contact, or read out. Only now the person is looked up.
func (r *Rights) Confirm(ctx context.Context, org account.OrgID, secret, code string) (*Request, error) {
	q, err := r.Follow(ctx, org, secret)
	if err != nil {
		return nil, err
	}
	if q.State != Received && q.State != Verifying {
		return nil, wrongState(q, "it was confirmed already")
	}
	if err := r.useCode(ctx, q, code); err != nil {
		return nil, err
	}
	return r.identify(ctx, q, person, Proved, func(q *Request) { q.Proof = Code })
}

// Review proves who asks by evidence that an officer looked at, such as a call to a known number. Only a hash of the note
// about it is kept.
func (r *Rights) Review(ctx context.Context, by *account.Actor, id, evidence string) (*Request, error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if q.State != Received && q.State != Verifying {
		return nil, wrongState(q, "who asks is known already")
	}
	if q.Contact.IsZero() {
		return nil, fault.New(fault.Conflict, "The request names no e-mail address or number, so there is nobody to find. Enter it again with one.")
	}
	if evidence = strings.TrimSpace(evidence); len(evidence) < 10 {
		return nil, fault.Field("evidence", "Say what proved who asks, for example: called back on the number in the letter, answered two questions about the last call.")
	}
	sum := sha256.Sum256([]byte(q.ID + "|" + evidence))
	return r.identify(ctx, q, name(by), Reviewed, func(q *Request) { q.Proof, q.Reviewer, q.evidence = Human, by.Member.ID, sum[:] })
}

// identify notes the proof, looks up the person, and lets take effect what needs nobody's approval.
func (r *Rights) identify(ctx context.Context, q *Request, actor string, what What, prove func(*Request)) (*Request, error) {
	org, err := r.Accounts.Org(ctx, q.Org)
	if err != nil {
		return nil, err
	}
	who, found, err := r.Find(ctx, org, q.Contact)
	if err != nil {
		return nil, err
	}
	q, err = r.change(ctx, q.Org, q.ID, actor, what, "", func(_ *db.Tx, q *Request) error {
		if q.State != Received && q.State != Verifying {
			return wrongState(q, "who asks is known already")
		}
		prove(q)
		if q.State = Verified; found {
			q.Who = who
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r.proved(ctx, q)
}

// proved goes on with a request whose person is known: what only protects them takes effect at once, and so do everything
// about a child and a member's look at their own data. The rest gets a plan and waits for approval.
func (r *Rights) proved(ctx context.Context, q *Request) (*Request, error) {
	if q.Kind == Complaint {
		return q, nil
	}
	if q.Kind == Erasure && q.Minor && r.Child != nil {
		if err := r.Child(ctx, q.Org, q.Who, q.Contact, q.ID); err != nil {
			return nil, err
		}
	}
	if q.Kind == Erasure && q.Minor && q.Known() {
		if err := r.restrict(ctx, q, subjectLocked); err != nil {
			return nil, err
		}
	}
	q, err := r.plan(ctx, q.Org, q.ID, system)
	if err != nil {
		return nil, err
	}
	if !q.Kind.protects() && !(q.Kind == Erasure && q.Minor) && !(q.Kind.Gives() && q.Proof == Session) {
		return q, nil
	}
	if q, err = r.approve(ctx, q, system); err != nil {
		return nil, err
	}
	return r.carryOut(ctx, q.Org, q.ID, system)
}

// ReportMinor takes the report that data about a child is kept, locks it at once and erases it without the ordinary wait.
// The officer answers for the evidence.
func (r *Rights) ReportMinor(ctx context.Context, by *account.Actor, a Ask, evidence string) (*Request, error) {
	a.Kind, a.Minor = Erasure, true
	q, err := r.Take(ctx, by, a)
	if err != nil {
		return nil, err
	}
	return r.Review(ctx, by, q.ID, evidence)
}

// mine tells whether an actor is the person that a request is about.
func mine(by *account.Actor, q *Request) bool {
	return by.Member.ID != "" && q.Who == subject.OfMember(string(by.Member.ID))
}
