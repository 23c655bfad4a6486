package rights_test

import (
	"archive/zip"
	"bytes"
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
		_, r := w.proved(t, rights.Ask{Kind: rights.Restriction, Contact: asker})
		if r.State != rights.Done || may("call_ops") || !may("rights") || !may("legal") || !w.restricted[who] {
			t.Errorf("a restriction is %s; calls %v, rights %v", r.State, may("call_ops"), may("rights"))
		}
		_, err := w.Lift(t.Context(), w.owner, r.ID, "")
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
