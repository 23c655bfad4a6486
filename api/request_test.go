package api

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/ingest"
	"parley/calls/person"
	"parley/trust/law"
	"parley/trust/rights"
	"parley/trust/subject"
)

// desk gives a house the desk of requests, over calls. It comes before the handler is made.
func (h *house) desk(t *testing.T) *rights.Rights {
	t.Helper()
	tables, err := law.Load()
	if err != nil {
		t.Fatal(err)
	}
	persons := person.New(person.Deps{DB: h.DB, Keys: h.Keys, Accounts: h.Accounts, Book: h.Book, Calls: h.Calls, Devices: h.Devices, Writer: h.Writer, Callbacks: h.Callbacks, Now: h.Now})
	r := rights.New(rights.Deps{
		DB: h.DB, Keys: h.Keys, Accounts: h.Accounts, Holds: h.Holds, Log: h.Log, Now: h.Now, Dir: filepath.Join(t.TempDir(), "packages"),
		Find: func(ctx context.Context, org *account.Org, c rights.Contact) (subject.Ref, bool, error) {
			return person.InBook(h.Book).Find(ctx, h.DB, org.ID, c.Number)
		},
		Clock: func(ctx context.Context, org *account.Org, q rights.Question) (rights.Clock, error) {
			doc, err := h.Policies.Current(ctx, org.ID)
			if err != nil {
				return rights.Clock{}, err
			}
			return rights.ClockOf(tables, doc, org, q)
		},
		Policy: func(ctx context.Context, org account.OrgID) (rights.Policy, error) {
			v, err := h.Policies.At(ctx, org, h.Now())
			if err != nil {
				return rights.Policy{}, err
			}
			return rights.PolicyOf(v)
		},
		Floor: func(context.Context, account.OrgID, string, time.Time) (rights.Lock, bool, error) {
			return rights.Lock{}, false, nil
		},
		Write:    func(context.Context, rights.Letter) error { return nil },
		Tell:     func(context.Context, rights.Order) (rights.Answer, error) { return rights.DidIt, nil },
		Withdraw: func(context.Context, account.OrgID, subject.Ref, rights.Contact, []string, string) error { return nil },
		Restrict: func(context.Context, account.OrgID, subject.Ref, bool) error { return nil },
		Settle:   h.DB.Checkpoint,
	})
	r.Stores = []rights.Store{r.Own(), persons.Store()}
	return r
}

func TestRequestsAreWorkedOnByTheAPI(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const number = "+919812300101"
		agent := h.Agent(t, "Asha")
		h.Put(t, ingest.Item{Agent: agent.Agent, Line: 1, Start: h.Now().Add(-time.Hour), Number: number, Name: "Meera", Direction: call.Incoming, Type: call.TypeMissed})
		h.do(t, h.owner, http.MethodPost, root+"/requests", NewRequest{Kind: "erasure", Contact: "nobody"}).problem(t, http.StatusUnprocessableEntity)
		var q PersonRequest
		h.send(t, http.MethodPost, "/requests", NewRequest{Kind: "erasure", Contact: "98123 00101", Name: "Meera", Place: "IN"}, http.StatusCreated, &q)
		if q.State != rights.Received || q.Channel != rights.API || q.Contact != number || q.Known || q.DueAt == nil {
			t.Errorf("the request is %+v", q)
		}
		at := "/requests/" + q.ID
		h.do(t, h.owner, http.MethodPost, root+at+"/run", nil).problem(t, http.StatusConflict)
		h.send(t, http.MethodPost, at+"/review", RequestText{"Called back, knew the last call."}, http.StatusOK, &q)
		if q.State != rights.Planned || q.Plan == nil || len(q.Plan.Lines) == 0 || q.PlanHash == "" || !q.Known {
			t.Errorf("after the proof it is %+v", q)
		}
		h.do(t, h.owner, http.MethodPost, root+at+"/approve", RequestApproval{"00"}).problem(t, http.StatusConflict)
		h.send(t, http.MethodPost, at+"/note", RequestText{"Urgent."}, http.StatusOK, &q)
		h.send(t, http.MethodPost, at+"/approve", RequestApproval{q.PlanHash}, http.StatusOK, &q)
		h.send(t, http.MethodPost, at+"/run", nil, http.StatusOK, &q)
		if q.State != rights.Done || q.Contact != "" && q.ClosedAt == nil {
			t.Errorf("carried out, it is %+v", q)
		}
		var receipts RequestReceipts
		h.send(t, http.MethodGet, at+"/receipts", nil, http.StatusOK, &receipts)
		if len(receipts.Receipts) != 1 {
			t.Fatalf("there are %d receipts", len(receipts.Receipts))
		}
		if v, err := rights.VerifyReceipt(receipts.Receipts[0], ""); err != nil || v.Receipt.Left != 0 {
			t.Errorf("the receipt: %+v, %v", v, err)
		}
		var page struct{ Items []json.RawMessage }
		h.send(t, http.MethodGet, "/requests?closed=true", nil, http.StatusOK, &page)
		if len(page.Items) != 1 || strings.Contains(string(page.Items[0]), "98123") {
			t.Errorf("the closed ones are %s", page.Items)
		}
		h.do(t, h.owner, http.MethodGet, root+"/requests/req_x", nil).problem(t, http.StatusNotFound)
		h.do(t, h.owner, http.MethodGet, root+at+"/package", nil).problem(t, http.StatusNotFound)
	})
}
