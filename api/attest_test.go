package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/calltest"
	"parley/platform/audit"
	"parley/trust/attest"
	"parley/trust/subject"
)

// attested gives the API what people attest, and a bill of one library.
func attested(w *calltest.World, d *Deps) {
	d.Attested = attest.New(w.DB, w.Keys, w.Log, w.Holds.Check, "v1.2.0", w.Now)
	d.Bill = func() (*attest.Bill, error) {
		return &attest.Bill{Program: "parley", Version: "v1.2.0", Go: "go1.26.0", Parts: []attest.Part{{Path: "example.com/library", Version: "v0.9.0"}}}, nil
	}
}

func TestAttestationsForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, _ := h.member(t, "Asha", account.Agent)
		in := NewDuty{Kind: "training", Title: "Handling people's data", Member: asha.ID, EveryDays: 365, DueAt: h.Now().Add(24 * time.Hour)}
		for what, spoil := range map[string]func(*NewDuty){
			"a kind of its own": func(d *NewDuty) { d.Kind = "party" }, "no title": func(d *NewDuty) { d.Title = "  " }, "a training of nobody": func(d *NewDuty) { d.Member = "" },
			"a stranger": func(d *NewDuty) { d.Member = "mem_none" }, "no day": func(d *NewDuty) { d.DueAt = time.Time{} },
		} {
			bad := in
			spoil(&bad)
			if p := h.do(t, h.owner, http.MethodPost, root+"/attestations", bad).problem(t, http.StatusUnprocessableEntity); p.Detail == "" && len(p.Errors) == 0 {
				t.Errorf("%s is refused without a word", what)
			}
		}
		var made Duty
		h.send(t, http.MethodPost, "/attestations", in, http.StatusCreated, &made)
		if made.Title != in.Title || made.Member != asha.ID || made.Overdue || made.Last != nil || !made.DueAt.Equal(in.DueAt.Truncate(time.Millisecond)) {
			t.Errorf("made %+v", made)
		}
		path := "/attestations/" + made.ID
		h.do(t, h.owner, http.MethodGet, root+path+"/statement", nil).problem(t, http.StatusNotFound)
		h.do(t, h.owner, http.MethodPost, root+path+"/results", NewAttested{Result: "findings"}).problem(t, http.StatusUnprocessableEntity)
		h.send(t, http.MethodPost, path+"/results", NewAttested{Result: "passed"}, http.StatusCreated, &made)
		if made.Last == nil || made.Last.Result != attest.Passed || len(made.Results) != 1 || made.DueAt.Before(h.Now().AddDate(0, 11, 0)) {
			t.Errorf("attested %+v", made)
		}
		var statement json.RawMessage
		h.get(t, path+"/statement", &statement)
		if s, _, err := attest.Verify(statement, ""); err != nil || s.Duty != made.ID || s.Result != attest.Passed {
			t.Errorf("the statement is %+v, %v", s, err)
		}
		var list Page[Duty]
		h.get(t, "/attestations", &list)
		if len(list.Items) != 1 || list.Items[0].ID != made.ID || list.Items[0].Results != nil {
			t.Errorf("listed %+v", list.Items)
		}
		h.get(t, path, &made)
		if seen, _, err := h.Log.List(t.Context(), int64(h.Org.ID), audit.Filter{About: subject.OfMember(string(asha.ID)).String(), Actions: []audit.Action{audit.PrivacyOpened}}); err != nil || len(seen) == 0 {
			t.Errorf("that somebody looked at a training of Asha's stands in no log: %v, %v", seen, err)
		}
		var bill struct {
			Components []struct{ Name string } `json:"components"`
		}
		h.get(t, "/materials", &bill)
		if len(bill.Components) != 2 || bill.Components[1].Name != "example.com/library" {
			t.Errorf("the bill of materials is %+v", bill)
		}
		h.send(t, http.MethodDelete, path, nil, http.StatusNoContent, nil)
		h.do(t, h.owner, http.MethodGet, root+path, nil).problem(t, http.StatusNotFound)
	})
}

func TestChildrenForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.asks(t)
		child := PersonText{"98123 00001"}
		under := func() bool {
			var out Age
			h.send(t, http.MethodPost, "/minors/of", child, http.StatusOK, &out)
			return out.UnderAge
		}
		if under() {
			t.Error("somebody is under age whom nobody marked")
		}
		h.do(t, h.owner, http.MethodPost, root+"/minors", NewAge{PersonText{"nobody"}, true}).problem(t, http.StatusUnprocessableEntity)
		h.send(t, http.MethodPost, "/minors", NewAge{child, true}, http.StatusNoContent, nil)
		if !under() {
			t.Error("the mark was not kept")
		}
		h.send(t, http.MethodPost, "/minors", NewAge{child, false}, http.StatusNoContent, nil)
		if under() {
			t.Error("the mark was not taken back")
		}
		if seen, _, err := h.Log.List(t.Context(), int64(h.Org.ID), audit.Filter{Actions: []audit.Action{audit.MinorChanged}}); err != nil || len(seen) != 2 || seen[0].Details["source"] != "api" {
			t.Errorf("the log says %+v, %v", seen, err)
		}
	})
}

func TestTransfersForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asha, admin := h.member(t, "Asha", account.Admin)
		in := NewTransfer{Successor: "Bharat Traders", Reason: "Sold.", Contact: "object@example.org", ObjectUntil: h.Now().AddDate(0, 0, 31)}
		bad := in
		bad.ObjectUntil = h.Now().AddDate(0, 0, 29)
		h.do(t, h.owner, http.MethodPost, root+"/transfers", bad).problem(t, http.StatusUnprocessableEntity)
		h.do(t, admin, http.MethodPost, root+"/transfers", in).problem(t, http.StatusForbidden)
		var made Transfer
		h.send(t, http.MethodPost, "/transfers", in, http.StatusCreated, &made)
		if made.State != "announced" || made.Successor != in.Successor || len(made.Objections) != 0 {
			t.Errorf("announced %+v", made)
		}
		path := "/transfers/" + made.ID
		for _, who := range []NewObjection{{}, {Number: "98123 00001", Member: asha.ID}, {Number: "nobody"}} {
			h.do(t, h.owner, http.MethodPost, root+path+"/objections", who).problem(t, http.StatusUnprocessableEntity)
		}
		h.do(t, h.owner, http.MethodPost, root+path+"/objections", NewObjection{Member: "mem_none"}).problem(t, http.StatusNotFound)
		for _, who := range []NewObjection{{Number: "98123 00001"}, {Member: asha.ID}, {Member: asha.ID}} {
			h.send(t, http.MethodPost, path+"/objections", who, http.StatusCreated, &made)
		}
		if len(made.Objections) != 2 || !strings.HasPrefix(made.Objections[0].Person+made.Objections[1].Person, "member/") {
			t.Errorf("objections: %+v", made.Objections)
		}
		h.do(t, admin, http.MethodPost, root+path+"/withdraw", nil).problem(t, http.StatusForbidden)
		h.send(t, http.MethodPost, path+"/withdraw", nil, http.StatusOK, &made)
		h.do(t, h.owner, http.MethodPost, root+path+"/objections", NewObjection{Number: "98123 00001"}).problem(t, http.StatusConflict)
		var list Page[Transfer]
		h.get(t, "/transfers", &list)
		if len(list.Items) != 1 || list.Items[0].State != "withdrawn" || len(list.Items[0].Objections) != 2 {
			t.Errorf("listed %+v", list.Items)
		}
		h.get(t, path, &made)
		h.do(t, h.owner, http.MethodGet, root+"/transfers/tra_none", nil).problem(t, http.StatusNotFound)
	})
}
