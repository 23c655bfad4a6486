package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/person"
	"parley/platform/fault"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/policy"
	"parley/trust/subject"
)

// asks gives a house the shipped policy's purposes.
func (h *house) asks(t *testing.T) {
	t.Helper()
	h.api.Consents = consent.New(consent.Deps{DB: h.DB, Keys: h.Keys, Accounts: h.Accounts, Log: h.Log, People: person.InBook(h.Book), Now: h.Now,
		Purposes: func(context.Context, account.OrgID) ([]consent.Purpose, error) {
			doc, err := policy.Shipped()
			if err != nil {
				return nil, err
			}
			return consent.FromPolicy(doc), nil
		}})
}

func TestConsentsAreKeptByTheAPI(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.asks(t)
		person := PersonText{"98123 00001"}
		may := func(channel string) ContactAnswer {
			var out ContactAnswer
			h.send(t, http.MethodPost, "/contact-checks", ContactQuestion{PersonText: person, Purpose: "marketing", Channel: channel}, http.StatusOK, &out)
			return out
		}
		if got := may("sms"); got.Allowed || got.Reason != consent.NoConsent || len(got.Checks) < 4 {
			t.Errorf("before: %+v", got)
		}
		yes := NewConsent{PersonText: person, State: "given", Purposes: []string{"marketing"}, Channels: []string{"sms"}, How: "paper", Wording: "I want offers.", Language: "en", Evidence: "folder 7"}
		bad := yes
		bad.Evidence = ""
		h.do(t, h.owner, http.MethodPost, root+"/consents", bad).problem(t, http.StatusUnprocessableEntity)
		bad = yes
		bad.Person = "nobody"
		h.do(t, h.owner, http.MethodPost, root+"/consents", bad).problem(t, http.StatusUnprocessableEntity)
		h.send(t, http.MethodPost, "/consents", yes, http.StatusNoContent, nil)
		if got := may("sms"); !got.Allowed {
			t.Errorf("after a consent: %+v", got)
		}
		h.send(t, http.MethodPost, "/suppressions", NewSuppression{PersonText: person, Channel: "sms"}, http.StatusNoContent, nil)
		if got := may("sms"); got.Reason != consent.IsSuppressed {
			t.Errorf("after a suppression: %+v", got)
		}
		var of PersonConsents
		h.send(t, http.MethodPost, "/consents/of", person, http.StatusOK, &of)
		if len(of.Ledger) != 1 || of.Ledger[0].Evidence != "folder 7" || !strings.HasPrefix(of.Link, "/preferences/plp_") || len(of.Preferences) == 0 {
			t.Errorf("of the person: %+v", of)
		}
		var file json.RawMessage
		h.send(t, http.MethodPost, "/consents/export", person, http.StatusOK, &file)
		if v, err := consent.VerifyExport(strings.NewReader(string(file)), ""); err != nil || v.Entries != 1 {
			t.Errorf("the export: %+v, %v", v, err)
		}
	})
}

func TestHoldsAreKeptByTheAPI(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
		if err != nil {
			t.Fatal(err)
		}
		in := NewHold{Scope: "case", Case: "CS 1", Numbers: []string{"98123 00001"}, Members: []account.MemberID{owner.ID}, Reason: "Dispute", Owner: owner.ID, EndsAt: h.Now().Add(24 * time.Hour)}
		bad := in
		bad.Owner = "mem_none"
		h.do(t, h.owner, http.MethodPost, root+"/holds", bad).problem(t, http.StatusUnprocessableEntity)
		bad = in
		bad.EndsAt = h.Now()
		h.do(t, h.owner, http.MethodPost, root+"/holds", bad).problem(t, http.StatusUnprocessableEntity)
		var made Hold
		h.send(t, http.MethodPost, "/holds", in, http.StatusCreated, &made)
		if !made.Active || len(made.Numbers) != 1 || len(made.Members) != 1 || made.Case != "CS 1" {
			t.Errorf("made %+v", made)
		}
		if err := h.Holds.Check(t.Context(), h.DB, h.Org.ID, hold.Deletion{Who: []subject.Ref{subject.OfMember(string(owner.ID))}, Path: hold.AccountDelete}); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the hold stops nothing: %v", err)
		}
		var list Page[Hold]
		h.get(t, "/holds", &list)
		if len(list.Items) != 1 || list.Items[0].Refused != 1 {
			t.Errorf("listed %+v", list)
		}
		h.send(t, http.MethodPost, "/holds/"+made.ID+"/extend", map[string]any{"ends_at": h.Now().Add(48 * time.Hour)}, http.StatusOK, &made)
		h.send(t, http.MethodPost, "/holds/"+made.ID+"/release", map[string]any{"reason": "settled"}, http.StatusOK, &made)
		if made.Active || made.Released != "settled" {
			t.Errorf("released %+v", made)
		}
		h.do(t, h.owner, http.MethodGet, root+"/holds/hld_none", nil).problem(t, http.StatusNotFound)
	})
}
