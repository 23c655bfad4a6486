package rights_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/rights"
	"parley/trust/subject"
)

func TestErasureFromPageToReceipt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who, other := subject.OfNumber(7), subject.OfNumber(8)
		w.know(t, who, "meera@example.com")
		w.know(t, other, number)
		w.loose = 1
		secret, q := w.approved(t, w.erasure())
		if q.Plan.Count() != 9+2+3+4 || q.Due != w.now.AddDate(0, 0, 15) || q.Proof != rights.Code || q.Who != who {
			t.Errorf("the approved request is %+v with plan %+v", q, q.Plan)
		}
		w.now = w.now.Add(time.Hour)
		q, err := w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		if q.State != rights.Done || w.left(t, who) != 0 || w.left(t, other) != 9 || w.settled != 1 {
			t.Errorf("state %s, %d left of the person, %d of another, settled %d", q.State, w.left(t, who), w.left(t, other), w.settled)
		}
		if !w.get(t, q.ID).Contact.IsZero() || w.get(t, q.ID).Text != "" {
			t.Error("the request still says who asked")
		}
		if last := w.letters[len(w.letters)-1]; last.Kind != rights.LetterDone || last.To != "meera@example.com" || last.Locale != "hi" {
			t.Errorf("the last letter is %+v", last)
		}
		r := w.receipts(t, q.ID)[0]
		if r.Result != rights.Done || r.Left != 0 || len(r.Lines) != 3 || r.Lines[0].Count != 3 || r.Policy != 3 {
			t.Errorf("the receipt is %+v", r)
		}
		if again, err := w.Follow(t.Context(), w.org.ID, secret); err != nil || again.State != rights.Done {
			t.Errorf("the page of the request shows %v, %v", again, err)
		}
	})
}

func TestAReceiptThatWasChangedDoesNotVerify(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), "meera@example.com")
		_, q := w.approved(t, w.erasure())
		_, err := w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		all, err := w.Receipts(t.Context(), w.org.ID, q.ID)
		must(t, err)
		forged := bytes.Replace(all[0], []byte(`"count":3`), []byte(`"count":4`), 1)
		if bytes.Equal(forged, all[0]) {
			t.Fatal("nothing was changed")
		}
		_, err = rights.VerifyReceipt(forged, "")
		refused(t, err, fault.Invalid, "changed")
		_, err = rights.VerifyReceipt([]byte("{}"), "")
		refused(t, err, fault.Invalid, "no statement")
		var pretty bytes.Buffer
		must(t, json.Indent(&pretty, all[0], "", "  "))
		if _, err := rights.VerifyReceipt(pretty.Bytes(), ""); err != nil {
			t.Errorf("written out over lines, the receipt does not verify: %v", err)
		}
		_, err = rights.VerifyReceipt(all[0], "parley/log_1+00000000+AAAA")
		refused(t, err, fault.Invalid, "public key")
	})
}

func TestNothingIsLookedUpBeforeTheProof(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), "meera@example.com", number)
		var shown [][]string
		for _, contact := range []string{"meera@example.com", "nobody@example.com"} {
			secret, _ := w.submit(t, rights.Ask{Kind: rights.Access, Contact: contact})
			q, err := w.Follow(t.Context(), w.org.ID, secret)
			must(t, err)
			_, wrong := w.Confirm(t.Context(), w.org.ID, secret, "12345x")
			events, err := w.History(t.Context(), w.org.ID, q.ID)
			must(t, err)
			seen := []string{string(q.State), q.Law, q.Due.String(), string(q.Proof), fault.Sentence(wrong)}
			for _, e := range events {
				seen = append(seen, string(e.What)+string(e.State))
			}
			shown = append(shown, seen)
		}
		if a, b := strings.Join(shown[0], "|"), strings.Join(shown[1], "|"); a != b {
			t.Errorf("who is known is shown otherwise:\n%s\n%s", a, b)
		}
		if w.looked != 0 {
			t.Errorf("people were looked up %d times before anybody proved who they are", w.looked)
		}
		if len(w.letters) != 2 || w.letters[0].Kind != w.letters[1].Kind {
			t.Errorf("the letters are %+v", w.letters)
		}
		_, q := w.proved(t, rights.Ask{Kind: rights.Access, Contact: "nobody@example.com"})
		if q.Known() || q.Plan.Count() != 0 {
			t.Errorf("a stranger got %+v", q)
		}
	})
}

func TestACodeWorksOnceForAWhileAndForFewTries(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), "meera@example.com")
		confirm := func(secret, code string) error {
			_, err := w.Confirm(t.Context(), w.org.ID, secret, code)
			return err
		}
		secret, _ := w.submit(t, w.erasure())
		first := w.code(t)
		_, err := w.SendCode(t.Context(), w.org.ID, secret)
		must(t, err)
		if first != w.code(t) {
			refused(t, confirm(secret, first), fault.Invalid, "not the right one") // a new code ends the old one
		}
		w.now = w.now.Add(15 * time.Minute)
		refused(t, confirm(secret, w.code(t)), fault.Invalid, "not the right one") // too late
		_, err = w.SendCode(t.Context(), w.org.ID, secret)
		must(t, err)
		for range 5 {
			refused(t, confirm(secret, "00000a"), fault.Invalid, "not the right one")
		}
		refused(t, confirm(secret, w.code(t)), fault.Invalid, "not the right one") // too many tries
		_, err = w.SendCode(t.Context(), w.org.ID, secret)
		must(t, err)
		must(t, confirm(secret, " "+w.code(t)[:3]+" "+w.code(t)[3:]))
		refused(t, confirm(secret, w.code(t)), fault.Conflict, "confirmed already")
		_, err = w.SendCode(t.Context(), w.org.ID, secret)
		must(t, err)
		_, err = w.SendCode(t.Context(), w.org.ID, secret)
		refused(t, err, fault.TooMany, "too often")
		_, err = w.Follow(t.Context(), w.org.ID, "pqrs")
		refused(t, err, fault.NotFound, "no request")
		_, err = w.Follow(t.Context(), w.org.ID+1, secret)
		refused(t, err, fault.NotFound, "no request")
	})
}

func TestRequestsOfOneNetworkAreLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ask := rights.Ask{Kind: rights.Complaint, Text: "You call too often."}
		for range 20 {
			w.submit(t, ask)
		}
		_, _, err := w.Submit(t.Context(), w.org, ask, "192.0.2.1")
		refused(t, err, fault.TooMany, "too often")
		_, _, err = w.Submit(t.Context(), w.org, ask, "192.0.2.2")
		must(t, err)
		w.now = w.now.Add(time.Hour)
		w.submit(t, ask)
	})
}

func TestANumberIsCalledAndTheCodeReadOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, number)
		secret, q := w.submit(t, rights.Ask{Kind: rights.Access, Contact: "098123 00101"})
		if len(w.letters) != 0 || q.Contact.Number != number {
			t.Errorf("letters %+v to %+v", w.letters, q.Contact)
		}
		_, err := w.SendCode(t.Context(), w.org.ID, secret)
		refused(t, err, fault.Conflict, "read out")
		code, err := w.SpeakCode(t.Context(), w.owner, q.ID)
		must(t, err)
		q, err = w.Confirm(t.Context(), w.org.ID, secret, code)
		must(t, err)
		if q.Who != who || q.State != rights.Planned {
			t.Errorf("the request is %+v", q)
		}
	})
}

func TestEvidenceIsLookedAtByOneAndApprovedByAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), number)
		received := w.now.AddDate(0, 0, -4)
		q, err := w.Take(t.Context(), w.owner, rights.Ask{Kind: rights.Erasure, Channel: rights.Phone, Contact: number, Received: received})
		must(t, err)
		if !q.Received.Equal(received) || q.Due != received.AddDate(0, 0, 15) {
			t.Errorf("the clock runs from %s to %s", q.Received, q.Due)
		}
		_, err = w.Review(t.Context(), w.owner, q.ID, "ok")
		refused(t, err, fault.Invalid, "what proved")
		q, err = w.Review(t.Context(), w.owner, q.ID, "Called back on the number, knew the last call.")
		must(t, err)
		_, err = w.Approve(t.Context(), w.owner, q.ID, q.Plan.Hash())
		refused(t, err, fault.Denied, "somebody else")
		_, err = w.Approve(t.Context(), w.off, q.ID, "0000")
		refused(t, err, fault.Conflict, "changed")
		_, err = w.Approve(t.Context(), w.off, q.ID, q.Plan.Hash())
		must(t, err)
		viewer, err := w.Accounts.As(t.Context(), w.org.ID, w.agent.ID)
		must(t, err)
		_, err = w.Run(t.Context(), viewer, q.ID)
		refused(t, err, fault.Denied, "role")
		_, err = w.Take(t.Context(), viewer, rights.Ask{Kind: rights.Erasure, Channel: rights.Phone, Contact: number})
		refused(t, err, fault.Denied, "role")
	})
}

func TestWhatChangedAfterTheApprovalIsPlannedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		_, q := w.approved(t, w.erasure())
		w.add(t, "calls", who, 4)
		_, err := w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Conflict, "has changed since")
		w.stateOf(t, q.ID, rights.Planned)
		if w.left(t, who) != 10 {
			t.Errorf("%d things are left, nothing should be gone", w.left(t, who))
		}
	})
}

func TestAHoldStopsAnErasure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		_, q := w.approved(t, w.erasure())
		h, err := w.Holds.Add(t.Context(), w.owner, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{who}, Reason: "Case 12", Owner: w.owner.Member.ID, Ends: w.now.AddDate(0, 1, 0)})
		must(t, err)
		_, err = w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Conflict, "has changed since") // the hold came after the approval
		q, err = w.MakePlan(t.Context(), w.owner, q.ID)
		must(t, err)
		if len(q.Plan.Holds) != 2 || q.Plan.Holds[0].Hold != h.ID {
			t.Errorf("the plan shows the holds %+v", q.Plan.Holds)
		}
		_, err = w.Approve(t.Context(), w.owner, q.ID, q.Plan.Hash())
		must(t, err)
		_, err = w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Conflict, h.ID)
		if w.left(t, who) != 9 {
			t.Errorf("%d things are left of 9", w.left(t, who))
		}
		events, err := w.History(t.Context(), w.org.ID, q.ID)
		must(t, err)
		if last := events[len(events)-1]; last.What != rights.Stopped || !strings.Contains(last.Note, h.ID) {
			t.Errorf("the history ends with %+v", last)
		}
		kept, err := w.Holds.Get(t.Context(), w.org.ID, h.ID)
		must(t, err)
		if len(kept.Refused) != 1 || kept.Refused[0].Path != hold.RightsErase {
			t.Errorf("the hold noted %+v", kept.Refused)
		}
	})
}

func TestAFloorLocksAndErasesWhenItEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		w.floor["call.meta"] = 365 * 24 * time.Hour
		until := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
		_, q := w.approved(t, w.erasure())
		q, err := w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		if q.State != rights.Locked || !q.RunAfter.Equal(until) || w.left(t, who) != 6 {
			t.Errorf("state %s until %s, %d left", q.State, q.RunAfter, w.left(t, who))
		}
		locked, err := w.Restricted(t.Context(), w.db, w.org.ID)
		must(t, err)
		may, err := w.May(t.Context(), w.db, w.org.ID, who, "call_ops")
		must(t, err)
		if !locked[who] || may || !w.restricted[who] {
			t.Error("what is locked can be read")
		}
		if last := w.letters[len(w.letters)-1]; last.Kind != rights.LetterLocked || !last.Due.Equal(until) || !strings.Contains(last.Note, "rule 8(3)") {
			t.Errorf("the person was told %+v", last)
		}
		w.now = until.Add(-time.Hour)
		must(t, w.Tick(t.Context()))
		w.stateOf(t, q.ID, rights.Locked)
		w.now = until.Add(time.Hour)
		must(t, w.Tick(t.Context()))
		w.stateOf(t, q.ID, rights.Done)
		if w.left(t, who) != 0 {
			t.Errorf("%d things are left after the floor ended", w.left(t, who))
		}
		r := w.receipts(t, q.ID)
		if len(r) != 2 || r[0].Result != rights.Locked || r[0].Locks[0].Law == "" || r[1].Result != rights.Done {
			t.Errorf("the receipts are %+v", r)
		}
		if locked, err = w.Restricted(t.Context(), w.db, w.org.ID); err != nil || len(locked) != 0 {
			t.Errorf("locks stay: %v, %v", locked, err)
		}
	})
}

func TestTwoErasuresOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com", number)
		_, first := w.approved(t, w.erasure())
		_, second := w.proved(t, w.erasure())
		if len(second.Plan.Others) != 1 || second.Plan.Others[0] != first.ID {
			t.Errorf("the second plan names %v", second.Plan.Others)
		}
		second, err := w.Approve(t.Context(), w.owner, second.ID, second.Plan.Hash())
		must(t, err)
		for _, q := range []*rights.Request{first, second} {
			done, err := w.Run(t.Context(), w.owner, q.ID)
			must(t, err)
			if done.State != rights.Done {
				t.Errorf("a request is %s", done.State)
			}
		}
		if a, b := w.receipts(t, first.ID)[0], w.receipts(t, second.ID)[0]; len(a.Lines) != 3 || len(b.Lines) != 0 || b.Left != 0 {
			t.Errorf("the receipts say %+v and %+v", a.Lines, b.Lines)
		}
	})
}

func TestWhatComesBackWhileErasingIsErasedToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		synced := false
		w.fail = func(step string) error {
			if step == "after notes" && !synced { // a phone that was on its way
				synced = true
				w.add(t, "calls", who, 1)
			}
			return nil
		}
		_, q := w.approved(t, w.erasure())
		q, err := w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		if q.State != rights.Done || w.left(t, who) != 0 || w.receipts(t, q.ID)[0].Lines[0].Count != 4 {
			t.Errorf("%s, %d left, receipt %+v", q.State, w.left(t, who), w.receipts(t, q.ID)[0])
		}
		// One that never stops is told, and tried again.
		w.know(t, who)
		n := 10
		w.fail = func(step string) error {
			if step == "after notes" {
				n++
				w.add(t, "calls", who, n)
			}
			return nil
		}
		_, q = w.approved(t, w.erasure())
		_, err = w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Unavailable, "came back")
		w.stateOf(t, q.ID, rights.Running)
		w.fail = nil
		must(t, w.Tick(t.Context()))
		w.stateOf(t, q.ID, rights.Done)
		if w.left(t, who) != 0 {
			t.Errorf("%d things are left", w.left(t, who))
		}
	})
}

// TestAFailureAfterEachStep breaks each run off at another point, and lets a later one go on.
func TestAFailureAfterEachStep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.recipients = []string{"crm"}
		w.answer = rights.DidIt
		steps := 0
		for at := 1; ; at++ {
			w.fail = nil
			w.know(t, who, "meera@example.com")
			_, q := w.approved(t, w.erasure())
			w.now = w.now.Add(25 * time.Hour) // the limits of codes and requests
			n, broke := 0, false
			w.fail = func(string) error {
				if n++; n == at {
					broke = true
					return errors.New("the power went off")
				}
				return nil
			}
			_, err := w.Run(t.Context(), w.owner, q.ID)
			if !broke {
				must(t, err)
				steps = at
				break
			}
			w.fail = nil
			w.now = w.now.Add(2 * time.Hour)
			must(t, w.Tick(t.Context()))
			w.stateOf(t, q.ID, rights.Done)
			r := w.receipts(t, q.ID)
			if w.left(t, who) != 0 || len(r) != 1 || r[0].Left != 0 || r[0].Recipients[0].Answer != rights.DidIt {
				t.Fatalf("broken off at %d: %d left, receipts %+v", at, w.left(t, who), r)
			}
		}
		if steps < 8 {
			t.Errorf("only %d steps were broken off", steps-1)
		}
	})
}
