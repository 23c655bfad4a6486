package rights

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// waitForAnswers is how long recipients have to answer before the receipt lists them as silent.
const waitForAnswers = 7 * 24 * time.Hour

// close ends a request that was carried out, once its recipients have answered or their time is over.
func (r *Rights) close(ctx context.Context, q *Request) (*Request, error) {
	if q.State != Running && q.State != Waiting {
		return q, nil
	}
	waiting, err := r.unanswered(ctx, q)
	if err != nil {
		return nil, err
	}
	end, err := r.answersEnd(ctx, q)
	if err != nil {
		return nil, err
	}
	if waiting > 0 && r.Now().Before(end) {
		if q.State == Waiting {
			return q, nil
		}
		return r.change(ctx, q.Org, q.ID, system, Told, "", func(_ *db.Tx, q *Request) error {
			q.State = Waiting
			return nil
		})
	}
	result := Done
	if q.Kind == Erasure && q.Plan != nil && len(q.Plan.Locks) > 0 {
		result = Locked
	}
	if err := r.receipt(ctx, q, result); err != nil {
		return nil, err
	}
	return r.finish(ctx, q, result)
}

// answersEnd is when recipients are waited for no longer: in any case before the answer is due.
func (r *Rights) answersEnd(ctx context.Context, q *Request) (time.Time, error) {
	var began int64
	if err := r.DB.Row(ctx, `SELECT COALESCE(MAX(at_ms), 0) FROM request_events WHERE org_id = $1 AND request_id = $2 AND what = 'told'`, q.Org, q.ID).Scan(&began); err != nil {
		return time.Time{}, err
	}
	end := fromMs(began).Add(waitForAnswers)
	if began == 0 {
		end = r.Now().Add(waitForAnswers)
	}
	if last := q.Due.Add(-24 * time.Hour); last.Before(end) {
		end = last
	}
	return end, nil
}

// finish tells the person, and lets the request rest.
func (r *Rights) finish(ctx context.Context, q *Request, result State) (*Request, error) {
	letter := Letter{Org: q.Org, To: q.Contact.Email, Locale: q.Locale, Request: q.ID, About: q.Kind, Kind: LetterDone}
	switch {
	case result == Locked:
		letter.Kind, letter.Due, letter.Note = LetterLocked, lastLock(q.Plan.Locks), laws(q.Plan.Locks)
	case q.Kind.Gives():
		letter.Kind = LetterReady
	}
	if letter.To != "" {
		if err := r.Write(ctx, letter); err != nil {
			return nil, err
		}
	}
	return r.change(ctx, q.Org, q.ID, system, Ended, "", func(tx *db.Tx, q *Request) error {
		if q.State != Running && q.State != Waiting {
			return wrongState(q, "it was ended already")
		}
		if q.State = result; result == Locked {
			q.RunAfter = lastLock(q.Plan.Locks)
			return nil
		}
		q.Closed = r.Now()
		if q.Kind != Erasure {
			return nil
		}
		if _, err := tx.Exec(ctx, `DELETE FROM subject_states WHERE org_id = $1 AND (subject_ref = $2 OR request_id = $3)`, q.Org, refText(q.Who), q.ID); err != nil {
			return err
		}
		return forget(ctx, tx, q.Org, q.ID) // nothing of the person stays, here neither
	})
}

func lastLock(locks []Lock) (last time.Time) {
	for _, l := range locks {
		if l.Until.After(last) {
			last = l.Until
		}
	}
	return last
}

func laws(locks []Lock) string {
	var out []string
	for _, l := range locks {
		out = append(out, l.Category+": "+l.Law)
	}
	return strings.Join(out, "; ")
}

// forget removes everything that a person wrote or is reached by from a request. Kind, days and receipt stay.
func forget(ctx context.Context, tx *db.Tx, org account.OrgID, id string) error {
	for _, s := range []string{
		`UPDATE requests SET contact_key = NULL, contact_sealed = NULL, text_sealed = NULL, evidence_hash = NULL WHERE org_id = $1 AND id = $2`,
		`UPDATE request_events SET note_sealed = NULL WHERE org_id = $1 AND request_id = $2`,
		`DELETE FROM request_corrections WHERE org_id = $1 AND request_id = $2`,
		`DELETE FROM request_codes WHERE org_id = $1 AND request_id = $2`,
	} {
		if _, err := tx.Exec(ctx, s, org, id); err != nil {
			return err
		}
	}
	return nil
}

// Refuse turns a request down, with a reason and a sentence for the person.
func (r *Rights) Refuse(ctx context.Context, by *account.Actor, id string, reason Reason, sentence string) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	if !known(reason) {
		return nil, fault.Field("reason", "Choose the reason for which the request is refused.")
	}
	if sentence = strings.TrimSpace(sentence); sentence == "" {
		return nil, fault.Field("sentence", "Write a sentence for the person: why the request is refused, and that they may complain to the authority.")
	}
	return r.refuse(ctx, by.Org.ID, id, name(by), reason, sentence)
}

func known(reason Reason) bool {
	return slices.Contains(Reasons(), reason)
}

func (r *Rights) refuse(ctx context.Context, org account.OrgID, id, actor string, reason Reason, sentence string) (*Request, error) {
	q, err := r.get(ctx, r.DB, org, id)
	if err != nil {
		return nil, err
	}
	if err := canRefuse(q); err != nil {
		return nil, err
	}
	q.Reason = reason
	if err := r.receipt(ctx, q, Refused); err != nil {
		return nil, err
	}
	proved := q.Proof != NoProof
	q, err = r.change(ctx, org, id, actor, Turned, sentence, func(tx *db.Tx, q *Request) error {
		if err := canRefuse(q); err != nil {
			return err
		}
		q.State, q.Reason, q.Closed = Refused, reason, r.Now()
		_, err := tx.Exec(ctx, `DELETE FROM subject_states WHERE org_id = $1 AND request_id = $2 AND state = 'locked'`, org, id)
		return err
	})
	if err != nil || q.Contact.Email == "" || !proved { // nobody is written to whose address was not proved
		return q, err
	}
	return q, r.Write(ctx, Letter{Org: org, To: q.Contact.Email, Locale: q.Locale, Kind: LetterRefused, Request: id, About: q.Kind, Note: sentence, Reason: reason})
}

// CanRefuse tells whether a request can still be refused: what was begun is carried through.
func CanRefuse(q *Request) bool {
	return q.Open() && q.State != Running && q.State != Waiting && q.State != Locked
}

func canRefuse(q *Request) error {
	if !CanRefuse(q) {
		return wrongState(q, "only what was not begun can be refused")
	}
	return nil
}

// Extend moves the day on which the answer is due to the latest that the law allows, and tells the person why.
func (r *Rights) Extend(ctx context.Context, by *account.Actor, id, why string) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	if why = strings.TrimSpace(why); why == "" {
		return nil, fault.Field("why", "Say why more time is needed: the person has a right to know.")
	}
	q, err := r.change(ctx, by.Org.ID, id, name(by), Prolonged, why, func(_ *db.Tx, q *Request) error {
		switch {
		case !q.Open():
			return wrongState(q, "nothing is due any more")
		case q.Extend.IsZero():
			return fault.New(fault.Conflict, "The clock of this request (%s) cannot be extended.", q.Law)
		case !q.Extended.IsZero():
			return fault.New(fault.Conflict, "The request was extended once, which is all that the law allows.")
		case r.Now().After(q.Due):
			return fault.New(fault.Conflict, "The answer was due on %s. An extension has to be told before that day.", q.Due.Format("2 January 2006"))
		}
		q.Due, q.Extended, q.Warned = q.Extend, r.Now(), time.Time{}
		return nil
	})
	if err != nil || q.Contact.Email == "" {
		return q, err
	}
	return q, r.Write(ctx, Letter{Org: q.Org, To: q.Contact.Email, Locale: q.Locale, Kind: LetterExtended, Request: id, About: q.Kind, Due: q.Due, Note: why})
}

// Note adds a remark to the history.
func (r *Rights) Note(ctx context.Context, by *account.Actor, id, text string) (*Request, error) {
	if err := officer(by); err != nil {
		return nil, err
	}
	text, err := cleanText("note", "The note", strings.TrimSpace(text), maxText)
	if err == nil && text == "" {
		err = fault.Field("note", "Write the note.")
	}
	if err != nil {
		return nil, err
	}
	return r.change(ctx, by.Org.ID, id, name(by), Noted, text, func(*db.Tx, *Request) error { return nil })
}

// Answer settles a complaint with a text, which goes to whoever left an address.
func (r *Rights) Answer(ctx context.Context, by *account.Actor, id, text string) (*Request, error) {
	q, err := r.One(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if q.Kind != Complaint || !q.Open() {
		return nil, wrongState(q, "only an open complaint is answered by a text")
	}
	if text, err = cleanText("text", "The answer", strings.TrimSpace(text), maxText); err == nil && text == "" {
		err = fault.Field("text", "Write the answer.")
	}
	if err != nil {
		return nil, err
	}
	if err := r.receipt(ctx, q, Done); err != nil {
		return nil, err
	}
	q, err = r.change(ctx, q.Org, id, name(by), Ended, text, func(_ *db.Tx, q *Request) error {
		if !q.Open() {
			return wrongState(q, "it was answered already")
		}
		q.State, q.Closed = Done, r.Now()
		return nil
	})
	if err != nil || q.Contact.Email == "" {
		return q, err
	}
	return q, r.Write(ctx, Letter{Org: q.Org, To: q.Contact.Email, Locale: q.Locale, Kind: LetterDone, Request: id, About: q.Kind, Note: text})
}
