package web_test

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/person"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/consent"
	"parley/trust/law"
	"parley/trust/rights"
	"parley/trust/subject"
	"parley/web"
)

// desk makes the desk of requests as the app does, over calls and the requests themselves.
func desk(w *world, d *web.Deps) {
	tables, err := law.Load()
	if err != nil {
		w.t.Fatal(err)
	}
	persons := person.New(person.Deps{DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Devices: w.Devices, Writer: w.Writer, Callbacks: w.Callbacks, Now: w.Now})
	d.Rights = rights.New(rights.Deps{
		DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Holds: w.Holds, Log: w.Log, Now: w.Now, Dir: filepath.Join(w.t.TempDir(), "packages"),
		Find: func(ctx context.Context, org *account.Org, c rights.Contact) (subject.Ref, bool, error) {
			if c.Number != "" {
				return person.InBook(w.Book).Find(ctx, w.DB, org.ID, c.Number)
			}
			members, err := w.Accounts.Members(ctx, org.ID)
			i := slices.IndexFunc(members, func(m *account.Member) bool { return m.Email == c.Email })
			if err != nil || i < 0 {
				return subject.Ref{}, false, err
			}
			return subject.OfMember(string(members[i].ID)), true, nil
		},
		Clock: func(ctx context.Context, org *account.Org, q rights.Question) (rights.Clock, error) {
			doc, err := w.Policies.Current(ctx, org.ID)
			if err != nil {
				return rights.Clock{}, err
			}
			return rights.ClockOf(tables, doc, org, q)
		},
		Policy: func(ctx context.Context, org account.OrgID) (rights.Policy, error) {
			v, err := w.Policies.At(ctx, org, w.Now())
			if err != nil {
				return rights.Policy{}, err
			}
			return rights.PolicyOf(v)
		},
		Floor: func(context.Context, account.OrgID, string, time.Time) (rights.Lock, bool, error) {
			return rights.Lock{}, false, nil
		},
		Write: func(_ context.Context, l rights.Letter) error { w.letters = append(w.letters, l); return nil },
		Tell:  func(context.Context, rights.Order) (rights.Answer, error) { return rights.DidIt, nil },
		Withdraw: func(ctx context.Context, org account.OrgID, who subject.Ref, c rights.Contact, purposes []string, request string) error {
			return w.Consents.Record(ctx, org, consent.Change{Who: consent.Who{Ref: who, Number: c.Number, Email: c.Email}, Purposes: []string{"marketing"}, Channels: consent.Channels(), State: consent.Objected, How: consent.ByRequest})
		},
		Restrict: func(ctx context.Context, org account.OrgID, _ subject.Ref, _ bool) error {
			restricted, err := d.Rights.Restricted(ctx, w.DB, org)
			if err != nil {
				return err
			}
			return persons.Heed(ctx, w.Org, restricted)
		},
		Settle: w.DB.Checkpoint,
	})
	d.Rights.Stores = []rights.Store{d.Rights.Own(), persons.Store()}
	w.rights = d.Rights
}

// askAt is the public page of requests.
func (w *world) askAt() string {
	w.t.Helper()
	name, err := w.Policies.Name(w.t.Context(), w.Org.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return "/privacy/" + name + "/request"
}

const asker = "meera@example.com"

var codeForm = regexp.MustCompile(`^\d{6}$`)

// code is the code of the last letter.
func (w *world) code() string {
	w.t.Helper()
	for _, l := range slices.Backward(w.letters) {
		if codeForm.MatchString(l.Code) {
			return l.Code
		}
	}
	w.t.Fatal("no code was sent")
	return ""
}

func eachDesk(t *testing.T, story func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(t, newWorld(t, d, nil)) }, schemas()...)
}

// TestEveryKindCanBeAskedFor walks from the public page to the proof for each kind.
func TestEveryKindCanBeAskedFor(t *testing.T) {
	eachDesk(t, func(t *testing.T, w *world) {
		stranger := w.stranger()
		first := stranger.get(w.askAt()).want(t, "the first step", http.StatusOK, "See my data", "Delete my data", "Complain")
		if first.header.Get("Set-Cookie") != "" {
			t.Error("the page of requests sets a cookie")
		}
		for _, k := range rights.Kinds() {
			form := w.askAt() + "?kind=" + string(k)
			if !first.has(form) {
				t.Errorf("the first step does not lead to %s", k)
			}
			stranger.get(form).want(t, string(k), http.StatusOK, `name="contact"`, `name="text"`, `name="place"`)
			sent := stranger.post(w.askAt(), url.Values{"kind": {string(k)}, "contact": {asker}, "text": {"Please."}, "name": {"Meera"}})
			if k == rights.Complaint {
				sent.want(t, "a complaint", http.StatusOK, "officer")
				continue
			}
			sent.want(t, string(k), http.StatusOK, "type in the code", "m•••@example.com", "You will have the answer by")
			if sent.header.Get("Referrer-Policy") != "no-referrer" || sent.header.Get("Set-Cookie") != "" {
				t.Errorf("the page of a request has the headers %v", sent.header)
			}
			stranger.post(sent.path+"/code", url.Values{"code": {"12345"}}).want(t, "a wrong code", http.StatusUnprocessableEntity, "not the right one")
			stranger.post(sent.path+"/code", url.Values{"code": {w.code()}}).want(t, "the right code", http.StatusOK, "request")
			w.letters = nil
			w.Clock.Advance(25 * time.Hour)
		}
		stranger.post(w.askAt(), url.Values{"kind": {"erasure"}, "contact": {"nonsense"}}).want(t, "a bad contact", http.StatusUnprocessableEntity, "neither an e-mail address nor a phone number")
		stranger.get("/privacy/nowhere/request").want(t, "another organisation", http.StatusNotFound)
		stranger.get(w.askAt()+"/abcdef").want(t, "a forged link", http.StatusNotFound, "leads to no request")
	})
}

// TestAPersonIsErasedFromTheirPhone goes the whole way: asked on the page, called back, approved, carried out, receipt.
func TestAPersonIsErasedFromTheirPhone(t *testing.T) {
	eachDesk(t, func(t *testing.T, w *world) {
		const number = "+919812300101"
		agent := w.Agent(t, "Asha")
		w.Put(t, ingest.Item{Agent: agent.Agent, Line: 1, Start: w.Now().Add(-time.Hour), Number: number, Name: "Meera", Direction: call.Incoming, Type: call.TypeMissed})
		stranger, owner := w.stranger(), w.owner()
		status := stranger.post(w.askAt(), url.Values{"kind": {"erasure"}, "contact": {"98123 00101"}}).want(t, "asking", http.StatusOK, "Somebody will call", "••• 0101")
		q := w.only()
		page := "/trust/requests/" + q.ID
		owner.get("/trust/requests").want(t, "the queue", http.StatusOK, "1 request", "Delete my data")
		owner.get(page).want(t, "the request", http.StatusOK, "Make a code to read out")
		spoken := owner.post(page+"/speak", nil).want(t, "the code", http.StatusOK, "read out")
		m := regexp.MustCompile(`read out: (\d{3}) (\d{3})`).FindStringSubmatch(spoken.text)
		if m == nil {
			t.Fatalf("no code is shown: %s", spoken.main())
		}
		stranger.post(status.path+"/code", url.Values{"code": {m[1] + m[2]}}).want(t, "the code", http.StatusOK, "An officer looks")
		planned := owner.get(page).want(t, "the plan", http.StatusOK, "phone numbers", "Approve the plan")
		hash := regexp.MustCompile(`name="plan" value="([0-9a-f]+)"`).FindStringSubmatch(planned.text)[1]
		owner.post(page+"/run", nil).want(t, "before the approval", http.StatusConflict, "only what was approved")
		owner.post(page+"/approve", url.Values{"plan": {"00"}}).want(t, "another plan", http.StatusConflict, "has changed")
		owner.post(page+"/approve", url.Values{"plan": {hash}}).want(t, "the approval", http.StatusOK, "Carry it out")
		owner.post(page+"/run", nil).want(t, "carrying out", http.StatusOK, "Done", "Forgotten")
		stranger.get(status.path).want(t, "the end", http.StatusOK, "was carried out", "Download the receipt")
		receipt := stranger.get(status.path+"/receipt").want(t, "the receipt", http.StatusOK)
		if _, err := rights.VerifyReceipt([]byte(receipt.text), ""); err != nil {
			t.Error(err)
		}
		if _, found, err := w.Book.Find(t.Context(), w.DB, w.Org.ID, number); err != nil || found {
			t.Errorf("the number is still there: %v, %v", found, err)
		}
		owner.get("/trust/requests?show=closed").want(t, "what was answered", http.StatusOK, "Delete my data")
	})
}

// only is the one request that is open.
func (w *world) only() *rights.Request {
	w.t.Helper()
	all, err := w.rights.List(w.t.Context(), w.Accounts.Operator(w.Org), rights.Queue{})
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d requests are open (%v)", len(all), err)
	}
	return all[0]
}

func TestAPackageIsFetchedWithAFreshCode(t *testing.T) {
	eachDesk(t, func(t *testing.T, w *world) {
		stranger, owner := w.stranger(), w.owner()
		status := stranger.post(w.askAt(), url.Values{"kind": {"access"}, "contact": {asker}})
		stranger.post(status.path+"/code", url.Values{"code": {w.code()}})
		q := w.only()
		page := "/trust/requests/" + q.ID
		owner.post(page+"/approve", url.Values{"plan": {q.Plan.Hash()}})
		owner.post(page+"/run", nil).want(t, "carrying out", http.StatusOK, "Fetch the package")
		stranger.get(status.path).want(t, "the page", http.StatusOK, "Your data is ready", "Nothing is kept under this address")
		stranger.post(status.path+"/package", url.Values{"code": {"000000"}}).want(t, "a guessed code", http.StatusUnprocessableEntity, "not the right one")
		stranger.post(status.path+"/send", nil).want(t, "a new code", http.StatusOK, "on its way")
		got := stranger.post(status.path+"/package", url.Values{"code": {w.code()}}).want(t, "the package", http.StatusOK)
		if got.header.Get("Content-Type") != "application/zip" || !strings.Contains(got.header.Get("Content-Disposition"), q.ID) || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the package comes as %v", got.header)
		}
		owner.get(page+"/package").want(t, "the officer's copy", http.StatusOK)
	})
}

func TestOfficersEnterRefuseExtendAndAnswer(t *testing.T) {
	eachDesk(t, func(t *testing.T, w *world) {
		owner := w.owner()
		owner.get("/trust/requests").want(t, "an empty queue", http.StatusOK, "No request is open", w.askAt())
		owner.get("/trust/requests/new").want(t, "the form", http.StatusOK, `name="received"`)
		owner.post("/trust/requests/new", url.Values{"kind": {"access"}, "channel": {"mail"}, "contact": {"x"}}).want(t, "a bad one", http.StatusUnprocessableEntity, "neither")
		entered := owner.post("/trust/requests/new", url.Values{"kind": {"access"}, "channel": {"mail"}, "contact": {asker}, "place": {"DE"}, "received": {"2026-04-10"}}).want(t, "a letter", http.StatusOK, "The request is entered")
		owner.post(entered.path+"/note", url.Values{"note": {"Called her."}}).want(t, "a note", http.StatusOK, "Called her.")
		owner.post(entered.path+"/extend", url.Values{"why": {"Many calls."}}).want(t, "an extension", http.StatusOK, "The time was extended")
		owner.post(entered.path+"/review", url.Values{"evidence": {"short"}}).want(t, "thin evidence", http.StatusUnprocessableEntity, "Say what proved")
		owner.post(entered.path+"/review", url.Values{"evidence": {"She called back and knew the last call."}}).want(t, "evidence", http.StatusOK, "Nothing is kept about the person")
		owner.post(entered.path+"/refuse", url.Values{"reason": {"no_data"}, "sentence": {""}}).want(t, "no sentence", http.StatusUnprocessableEntity, "Write a sentence")
		owner.post(entered.path+"/refuse", url.Values{"reason": {"no_data"}, "sentence": {"We know nobody of this address."}}).want(t, "a refusal", http.StatusOK, "Refused")
		complaint := w.stranger().post(w.askAt(), url.Values{"kind": {"complaint"}, "text": {"You call at night."}})
		q := w.only()
		owner.get("/trust/requests/"+q.ID).want(t, "a complaint", http.StatusOK, "You call at night.", "Send the answer")
		owner.post("/trust/requests/"+q.ID+"/answer", url.Values{"text": {"Not any more."}}).want(t, "an answer", http.StatusOK)
		w.stranger().get(complaint.path).want(t, "the answer", http.StatusOK, "Not any more.")
	})
}

func TestMembersTakeTheirDataAndLeave(t *testing.T) {
	eachDesk(t, func(t *testing.T, w *world) {
		owner := w.owner()
		owner.get("/me").want(t, "one's own page", http.StatusOK, "Download everything", "Delete my account")
		made := owner.post("/me/data", nil).want(t, "the package", http.StatusOK, "Your package is ready", "/me/data/req_")
		link := regexp.MustCompile(`/me/data/req_\w+`).FindString(made.text)
		if got := owner.get(link); got.status != http.StatusOK || got.header.Get("Content-Type") != "application/zip" {
			t.Errorf("the package comes as %d %v", got.status, got.header)
		}
		owner.post("/me/leave", nil).want(t, "the only owner", http.StatusConflict, "only owner")
		m := w.member(account.Viewer, "Vera")
		viewer := w.as(m)
		viewer.get(link).want(t, "somebody else's package", http.StatusNotFound)
		viewer.post("/me/leave", nil).want(t, "leaving", http.StatusOK, "will be deleted on", "Keep my account")
		viewer.post("/me/stay", nil).want(t, "staying", http.StatusOK, "Your account stays", "Delete my account")
	})
}
