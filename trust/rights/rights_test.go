package rights_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/platform/db"
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
			secret, q := w.submit(t, rights.Ask{Kind: rights.Access, Contact: contact})
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
		if !locked[who] || may {
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

func TestAccessGivesASignedPackageBehindAFreshCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		w.know(t, subject.OfNumber(8), number)
		_, err := w.db.Exec(t.Context(), `UPDATE things SET word = 'of another' WHERE org_id = $1 AND who = 'number/8'`, w.org.ID)
		must(t, err)
		secret, q := w.approved(t, rights.Ask{Kind: rights.Access, Contact: asker})
		_, _, err = w.Fetch(t.Context(), w.org.ID, secret, "123456")
		refused(t, err, fault.NotFound, "no package")
		_, err = w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		_, _, err = w.Fetch(t.Context(), w.org.ID, secret, w.code(t))
		refused(t, err, fault.Invalid, "not the right one") // the code that proved the request works no more
		_, err = w.SendCode(t.Context(), w.org.ID, secret)
		must(t, err)
		f, _, err := w.Fetch(t.Context(), w.org.ID, secret, w.code(t))
		must(t, err)
		text, err := io.ReadAll(f)
		must(t, errors.Join(err, f.Close()))
		key, err := w.Log.Key(t.Context(), int64(w.org.ID))
		must(t, err)
		v, err := rights.VerifyPackage(bytes.NewReader(text), int64(len(text)), key)
		must(t, err)
		if v.Manifest.Request != q.ID || len(v.Manifest.Files) < 6 || !v.KeyKnown {
			t.Errorf("the manifest is %+v", v.Manifest)
		}
		z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
		must(t, err)
		if got := read(t, z, "data/call.meta/calls.csv"); got != "word,tags\n'=word calls1,a; b\n'=word calls2,a; b\n'=word calls3,a; b\n" {
			t.Errorf("the CSV is %q", got)
		}
		if got := read(t, z, "data/call.meta/calls.json"); !strings.HasPrefix(got, "[\n{\"word\":\"=word calls1\",\"tags\":[\"a\",\"b\"]},\n") {
			t.Errorf("the JSON is %q", got)
		}
		for _, f := range z.File {
			if strings.Contains(read(t, z, f.Name), "of another") {
				t.Errorf("%s holds data of somebody else", f.Name)
			}
		}
		for word, edit := range map[string]func(name, text string) (string, string){
			"was changed":    func(name, text string) (string, string) { return name, strings.Replace(text, "calls2", "calls4", 1) },
			"lacks the file": func(name, text string) (string, string) { return strings.Replace(name, "notes", "votes", 1), text },
			"has 7 files":    func(name, text string) (string, string) { return strings.Replace(name, "notes.csv", "", 1), text },
		} {
			forged := repack(t, z, edit)
			_, err := rights.VerifyPackage(bytes.NewReader(forged), int64(len(forged)), key)
			refused(t, err, fault.Invalid, word)
		}
		onDisk(t, w.Dir, "=word calls1")
		w.now = w.now.AddDate(0, 0, 31)
		must(t, w.Tick(t.Context()))
		if left, err := os.ReadDir(w.Dir); err != nil || len(left) != 0 {
			t.Errorf("%d packages are left after 31 days (%v)", len(left), err)
		}
	})
}

// repack writes a ZIP anew with other names and contents; a file whose name ends in a slash is left out.
func repack(t *testing.T, z *zip.Reader, edit func(name, text string) (string, string)) []byte {
	t.Helper()
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, f := range z.File {
		name, text := edit(f.Name, read(t, z, f.Name))
		if strings.HasSuffix(name, "/") {
			continue
		}
		w, err := out.Create(name)
		must(t, err)
		_, err = io.WriteString(w, text)
		must(t, err)
	}
	must(t, out.Close())
	return b.Bytes()
}

func read(t *testing.T, z *zip.Reader, name string) string {
	t.Helper()
	f, err := z.Open(name)
	must(t, err)
	text, err := io.ReadAll(f)
	must(t, errors.Join(err, f.Close()))
	return string(text)
}

// onDisk fails when a file of a folder can be read.
func onDisk(t *testing.T, dir, word string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	must(t, err)
	if len(files) == 0 {
		t.Error("there is no package on the disk")
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		must(t, err)
		if bytes.Contains(text, []byte(word)) || bytes.Contains(text, []byte("PK\x03\x04")) {
			t.Errorf("%s lies readable on the disk", f.Name())
		}
	}
}

func TestRestrictionAndObjectionTakeEffectAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		may := func(purpose string) bool {
			t.Helper()
			ok, err := w.May(t.Context(), w.db, w.org.ID, who, purpose)
			must(t, err)
			return ok
		}
		_, q := w.proved(t, rights.Ask{Kind: rights.Objection, Contact: asker, Purposes: []string{"marketing"}})
		if q.State != rights.Done || may("marketing") || !may("call_ops") || len(w.withdrawn) != 1 {
			t.Errorf("an objection is %s; marketing %v, calls %v, withdrawn %v", q.State, may("marketing"), may("call_ops"), w.withdrawn)
		}
		against, err := w.Objectors(t.Context(), w.db, w.org.ID, "marketing")
		must(t, err)
		if !against[who] {
			t.Error("the objector is not listed")
		}
		_, r := w.proved(t, rights.Ask{Kind: rights.Restriction, Contact: asker})
		if r.State != rights.Done || may("call_ops") || !may("rights") || !may("legal") || !w.restricted[who] {
			t.Errorf("a restriction is %s; calls %v, rights %v", r.State, may("call_ops"), may("rights"))
		}
		_, err = w.Lift(t.Context(), w.owner, r.ID, "")
		refused(t, err, fault.Invalid, "why")
		_, err = w.Lift(t.Context(), w.owner, r.ID, "She asked for it.")
		must(t, err)
		if !may("call_ops") || may("marketing") || w.restricted[who] {
			t.Error("lifting the restriction did not lift it, or lifted the objection too")
		}
		_, x := w.proved(t, rights.Ask{Kind: rights.Withdrawal, Contact: "nobody@example.com"})
		if x.State != rights.Done || !strings.Contains(w.withdrawn[1], "nobody@example.com marketing+personalise") {
			t.Errorf("a stranger's withdrawal is %s: %v", x.State, w.withdrawn)
		}
	})
}

func TestACorrectionKeepsItsHistoryUntilItIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, "meera@example.com")
		w.recipients, w.answer = []string{"crm"}, rights.DidIt
		_, q := w.proved(t, rights.Ask{Kind: rights.Correction, Contact: asker, Text: "My name is Mira."})
		_, err := w.Propose(t.Context(), w.owner, q.ID, "height", "2")
		refused(t, err, fault.Invalid, "cannot be corrected")
		q, err = w.Propose(t.Context(), w.owner, q.ID, "calls.word", "Mira")
		must(t, err)
		approved, err := w.Approve(t.Context(), w.off, q.ID, q.Plan.Hash())
		must(t, err)
		w.fail = func(step string) error { return map[bool]error{true: errors.New("off")}[step == "wrote calls"] }
		if _, err := w.Run(t.Context(), w.owner, approved.ID); err == nil {
			t.Error("the failure was not told")
		}
		w.fail = nil
		must(t, w.Tick(t.Context()))
		w.stateOf(t, q.ID, rights.Done)
		changes, err := w.Changes(t.Context(), w.org.ID, q.ID)
		must(t, err)
		if len(changes) != 1 || changes[0].Old != "=word calls1" || changes[0].New != "Mira" {
			t.Errorf("the history is %+v", changes)
		}
		if len(w.orders) != 1 || w.orders[0].Changes[0].New != "Mira" || w.orders[0].Contact.Email != "meera@example.com" {
			t.Errorf("the recipient was told %+v", w.orders)
		}
		w.now = w.now.AddDate(0, 0, 91)
		must(t, w.Tick(t.Context()))
		if changes, err = w.Changes(t.Context(), w.org.ID, q.ID); err != nil || len(changes) != 0 || !w.get(t, q.ID).Contact.IsZero() {
			t.Errorf("after its time the old value is still there: %+v, %v", changes, err)
		}
	})
}

func TestRecipientsThatDoNotAnswerAreInTheReceipt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), "meera@example.com")
		w.recipients = []string{"crm", "sms"}
		w.unreachable = true
		_, q := w.approved(t, w.erasure())
		q, err := w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		if q.State != rights.Waiting {
			t.Fatalf("the request is %s", q.State)
		}
		w.unreachable = false
		must(t, w.Tick(t.Context()))
		if len(w.orders) != 0 {
			t.Error("a recipient was tried again at once")
		}
		w.now = w.now.Add(2 * time.Hour)
		must(t, w.Tick(t.Context()))
		if len(w.orders) != 2 || w.orders[0].Contact.Email != "meera@example.com" {
			t.Errorf("the recipients were told %+v", w.orders)
		}
		_, err = w.Hear(t.Context(), w.owner, q.ID, "fax", rights.DidIt)
		refused(t, err, fault.NotFound, "waits for no answer")
		_, err = w.Hear(t.Context(), w.owner, q.ID, "crm", rights.DidIt)
		must(t, err)
		w.stateOf(t, q.ID, rights.Waiting)
		w.now = w.now.AddDate(0, 0, 8)
		must(t, w.Tick(t.Context()))
		w.stateOf(t, q.ID, rights.Done)
		of := w.receipts(t, q.ID)[0].Recipients
		if len(of) != 2 || of[0].Answer != rights.DidIt || of[1].Answer != rights.NoAnswer || !of[1].Told {
			t.Errorf("the receipt says of recipients %+v", of)
		}
	})
}

func TestAChildsDataIsGoneWithinOneRequest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfNumber(7)
		w.know(t, who, number)
		q, err := w.ReportMinor(t.Context(), w.owner, rights.Ask{Channel: rights.Phone, Contact: number}, "The mother called and named her child's age.")
		must(t, err)
		if q.State != rights.Done || w.left(t, who) != 0 {
			t.Errorf("the request is %s with %d things left", q.State, w.left(t, who))
		}
		// Where a hold stops it, it is locked all the same.
		w.know(t, who, number)
		_, err = w.Holds.Add(t.Context(), w.owner, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{who}, Reason: "Case 12", Owner: w.owner.Member.ID, Ends: w.now.AddDate(0, 1, 0)})
		must(t, err)
		_, err = w.ReportMinor(t.Context(), w.owner, rights.Ask{Channel: rights.Phone, Contact: number}, "The mother called and named her child's age.")
		refused(t, err, fault.Conflict, "legal hold")
		if locked, err := w.Restricted(t.Context(), w.db, w.org.ID); err != nil || !locked[who] {
			t.Errorf("the child's data is not locked: %v, %v", locked, err)
		}
	})
}

func TestAMemberLeavesAndMayChangeTheirMind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfMember(string(w.off.Member.ID))
		w.know(t, who)
		_, err := w.DeleteAccount(t.Context(), w.owner, 72*time.Hour)
		refused(t, err, fault.Conflict, "only owner")
		q, err := w.DeleteAccount(t.Context(), w.off, 72*time.Hour)
		must(t, err)
		again, err := w.DeleteAccount(t.Context(), w.off, 72*time.Hour)
		must(t, err)
		if again.ID != q.ID || q.State != rights.Approved {
			t.Errorf("asked twice gives %s and %s, %s", q.ID, again.ID, q.State)
		}
		_, err = w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Conflict, "taken back")
		must(t, w.Undo(t.Context(), w.off))
		if w.get(t, q.ID).Reason != rights.Undone {
			t.Errorf("the request is %+v", w.get(t, q.ID))
		}
		q, err = w.DeleteAccount(t.Context(), w.off, 72*time.Hour)
		must(t, err)
		w.add(t, "calls", who, 4) // life goes on
		w.now = w.now.Add(73 * time.Hour)
		must(t, w.Tick(t.Context()))
		w.stateOf(t, q.ID, rights.Done)
		if w.left(t, who) != 0 || len(w.receipts(t, q.ID)) != 1 {
			t.Errorf("%d things are left", w.left(t, who))
		}
	})
}

func TestAMemberTakesTheirData(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := subject.OfMember(string(w.off.Member.ID))
		w.know(t, who)
		q, err := w.Self(t.Context(), w.off, rights.Ask{Kind: rights.Portability})
		must(t, err)
		if q.State != rights.Done || q.Proof != rights.Session {
			t.Errorf("the request is %+v", q)
		}
		f, _, err := w.FetchMine(t.Context(), w.off, q.ID)
		must(t, err)
		text, err := io.ReadAll(f)
		must(t, errors.Join(err, f.Close()))
		if !bytes.HasPrefix(text, []byte("PK")) {
			t.Error("the package is no ZIP")
		}
		_, _, err = w.FetchMine(t.Context(), w.owner, q.ID)
		refused(t, err, fault.NotFound, "no request")
		mine, err := w.Mine(t.Context(), w.off)
		must(t, err)
		if len(mine) != 1 {
			t.Errorf("%d requests are listed", len(mine))
		}
	})
}

func TestClocksWarnAndAreExtended(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), "meera@example.com")
		_, q := w.proved(t, rights.Ask{Kind: rights.Access, Contact: asker, Place: "de"})
		if q.Due != w.now.AddDate(0, 1, 0) || q.Place != "DE" {
			t.Errorf("it is due on %s in %s", q.Due, q.Place)
		}
		sent := len(w.letters)
		w.now = w.now.AddDate(0, 0, 20)
		must(t, w.Tick(t.Context()))
		if len(w.letters) != sent {
			t.Errorf("a warning came early: %+v", w.letters[sent:])
		}
		w.now = w.now.AddDate(0, 0, 5)
		must(t, w.Tick(t.Context()))
		must(t, w.Tick(t.Context()))
		if len(w.letters) != sent+2 || w.letters[sent].Kind != rights.LetterWarning { // two officers, once
			t.Errorf("the warnings are %+v", w.letters[sent:])
		}
		_, err := w.Extend(t.Context(), w.owner, q.ID, "")
		refused(t, err, fault.Invalid, "why")
		extended, err := w.Extend(t.Context(), w.owner, q.ID, "Many recordings.")
		must(t, err)
		if extended.Due != q.Received.AddDate(0, 3, 0) {
			t.Errorf("it is due on %s", extended.Due)
		}
		_, err = w.Extend(t.Context(), w.owner, q.ID, "Still many.")
		refused(t, err, fault.Conflict, "once")
		w.now = q.Received.AddDate(0, 3, 1)
		late, err := w.Overdue(t.Context())
		must(t, err)
		must(t, w.Tick(t.Context()))
		if late != 1 || w.letters[len(w.letters)-1].Kind != rights.LetterOverdue {
			t.Errorf("%d are overdue, the last letter is %+v", late, w.letters[len(w.letters)-1])
		}
		list, err := w.List(t.Context(), w.owner, rights.Queue{Overdue: true})
		must(t, err)
		if len(list) != 1 || list[0].ID != q.ID {
			t.Errorf("the overdue ones are %+v", list)
		}
	})
}

func TestRefusalsHaveAReasonAndAReceipt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfNumber(7), "meera@example.com")
		_, q := w.proved(t, w.erasure())
		_, err := w.Refuse(t.Context(), w.owner, q.ID, "because", "No.")
		refused(t, err, fault.Invalid, "reason")
		_, err = w.Refuse(t.Context(), w.owner, q.ID, rights.Duty, "")
		refused(t, err, fault.Invalid, "sentence")
		_, err = w.Refuse(t.Context(), w.owner, q.ID, rights.Duty, "A court asked us to keep it.")
		must(t, err)
		if r := w.receipts(t, q.ID)[0]; r.Result != rights.Refused || r.Reason != rights.Duty {
			t.Errorf("the receipt is %+v", r)
		}
		if last := w.letters[len(w.letters)-1]; last.Kind != rights.LetterRefused || last.Note == "" {
			t.Errorf("the last letter is %+v", last)
		}
		_, err = w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Conflict, "refused")
		// One that nobody proved is given up silently.
		w.submit(t, rights.Ask{Kind: rights.Access, Contact: "nobody@example.com"})
		sent := len(w.letters)
		w.now = w.now.AddDate(0, 0, 31)
		must(t, w.Tick(t.Context()))
		closed, err := w.List(t.Context(), w.owner, rights.Queue{Closed: true})
		must(t, err)
		if len(closed) != 2 || closed[0].Reason != rights.Unverified {
			t.Errorf("the closed ones are %+v", closed)
		}
		for _, l := range w.letters[sent:] {
			if l.To == "nobody@example.com" {
				t.Errorf("somebody unproved was written to: %+v", l)
			}
		}
	})
}

func TestAComplaintNeedsNoProofAndGetsAnAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.Submit(t.Context(), w.org, rights.Ask{Kind: rights.Complaint}, "")
		refused(t, err, fault.Invalid, "complain about")
		secret, q := w.submit(t, rights.Ask{Kind: rights.Complaint, Text: "You call at night."})
		if q.State != rights.Verified {
			t.Errorf("the complaint is %s", q.State)
		}
		_, err = w.Answer(t.Context(), w.owner, q.ID, "We will not.")
		must(t, err)
		q, err = w.Follow(t.Context(), w.org.ID, secret)
		must(t, err)
		events, err := w.History(t.Context(), w.org.ID, q.ID)
		must(t, err)
		if q.State != rights.Done || events[len(events)-1].Note != "We will not." {
			t.Errorf("the complaint is %s: %+v", q.State, events)
		}
	})
}

func TestBadInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			ask  rights.Ask
			word string
		}{
			{rights.Ask{Kind: "sue", Contact: asker}, "no kind"},
			{rights.Ask{Kind: rights.Access}, "Give the e-mail"},
			{rights.Ask{Kind: rights.Access, Contact: "me"}, "neither"},
			{rights.Ask{Kind: rights.Access, Contact: "me@"}, "not an e-mail"},
			{rights.Ask{Kind: rights.Access, Contact: asker, Text: strings.Repeat("x", 5001)}, "5001 characters"},
			{rights.Ask{Kind: rights.Access, Contact: asker, Text: "\x00"}, "cannot be shown"},
			{rights.Ask{Kind: rights.Access, Contact: asker, Place: "the moon"}, "no place"},
			{rights.Ask{Kind: rights.Objection, Contact: asker, Purposes: []string{"a b"}}, "no purpose"},
		} {
			_, _, err := w.Submit(t.Context(), w.org, c.ask, "")
			refused(t, err, fault.Invalid, c.word)
		}
		_, err := w.Take(t.Context(), w.owner, rights.Ask{Kind: rights.Access, Channel: rights.Phone, Contact: asker, Received: w.now.AddDate(0, 0, 2)})
		refused(t, err, fault.Invalid, "future")
		_, err = w.Take(t.Context(), w.owner, rights.Ask{Kind: rights.Access, Channel: rights.Page, Contact: asker})
		refused(t, err, fault.Invalid, "no way")
		_, err = w.One(t.Context(), w.owner, "req_nothing")
		refused(t, err, fault.NotFound, "no request")
	})
}

func TestAClosedOrganisationLeavesNoRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.know(t, subject.OfMember(string(w.off.Member.ID)))
		_, err := w.Self(t.Context(), w.off, rights.Ask{Kind: rights.Access})
		must(t, err)
		must(t, w.db.Tx(t.Context(), func(tx *db.Tx) error { return w.Delete(t.Context(), tx, w.org.ID) }))
		for _, table := range []string{"requests", "request_events", "request_packages", "request_receipts", "subject_states"} {
			var n int
			must(t, w.db.Row(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
			if n != 0 {
				t.Errorf("%s has %d rows left", table, n)
			}
		}
		if left, err := os.ReadDir(w.Dir); err != nil || len(left) != 0 {
			t.Errorf("%d packages are left (%v)", len(left), err)
		}
	})
}
