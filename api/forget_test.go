package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"parley/trust/rights"
	"parley/trust/subject"
)

func TestAPhoneForgetsAnErasedPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev := h.pairedPhone(t, h.Agent(t, "Ravi"))
		c := SyncCall{ClientKey: "a", Number: "098123 45678", Type: "1", Start: "1776227400000", Seconds: 65}
		kept := h.syncOne(t, dev, c)
		n, _, err := h.Book.Find(t.Context(), h.DB, h.Org.ID, kept.Number)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Persons.Store().Erase(t.Context(), h.Org.ID, subject.OfNumber(int64(n)), rights.Decision{}); err != nil {
			t.Fatal(err)
		}
		if a := h.syncOne(t, dev, c); a.State != "erased" || a.ID != "" || a.Number != "" {
			t.Errorf("sent again: %+v", a)
		}
		var config CollectorConfig
		h.do(t, dev, http.MethodPost, root+"/device/heartbeat", Heartbeat{}).read(t, http.StatusOK, &config)
		if len(config.Forget) != 1 {
			t.Fatalf("orders: %+v", config.Forget)
		}
		order := config.Forget[0]
		salt, err := hex.DecodeString(order.Salt)
		if err != nil {
			t.Fatal(err)
		}
		mark := hmac.New(sha256.New, salt)
		mark.Write([]byte(kept.Number))
		if order.Hash != hex.EncodeToString(mark.Sum(nil)[:16]) {
			t.Error("the phone does not find the number by the order, as docs/device-protocol.md describes it")
		}
		h.do(t, dev, http.MethodPost, root+"/device/forgotten", ForgottenOrders{[]string{order.ID, "fgt_none"}}).problem(t, http.StatusNotFound)
		h.do(t, dev, http.MethodGet, root+"/device/config", nil).read(t, http.StatusOK, &config)
		if len(config.Forget) != 1 {
			t.Error("an answer that was refused counted")
		}
		h.do(t, dev, http.MethodPost, root+"/device/forgotten", ForgottenOrders{[]string{order.ID}}).read(t, http.StatusNoContent, nil)
		h.do(t, dev, http.MethodGet, root+"/device/config", nil).read(t, http.StatusOK, &config)
		if len(config.Forget) != 0 {
			t.Errorf("an answered order is given again: %+v", config.Forget)
		}
		h.do(t, h.owner, http.MethodPost, root+"/device/forgotten", ForgottenOrders{[]string{order.ID}}).problem(t, http.StatusUnauthorized)
	})
}

func TestARestrictedNumberIsDeniedByTheAPI(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dev := h.pairedPhone(t, h.Agent(t, "Ravi"))
		kept := h.syncOne(t, dev, SyncCall{ClientKey: "a", Number: "098123 45678", Type: "1", Start: "1776227400000", Seconds: 65})
		n, _, err := h.Book.Find(t.Context(), h.DB, h.Org.ID, kept.Number)
		if err != nil {
			t.Fatal(err)
		}
		key, err := h.Book.Key(t.Context(), h.Org.ID, kept.Number)
		if err != nil {
			t.Fatal(err)
		}
		paths := []string{"/calls/" + kept.ID, "/numbers/" + string(key), "/numbers?q=9812345678"}
		for _, p := range paths {
			h.do(t, h.owner, http.MethodGet, root+p, nil).read(t, http.StatusOK, nil)
		}
		if err := h.Persons.Restrict(t.Context(), h.Org, n, true); err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			h.do(t, h.owner, http.MethodGet, root+p, nil).problem(t, http.StatusForbidden)
		}
		if a := h.syncOne(t, dev, SyncCall{ClientKey: "b", Number: "098123 45678", Type: "1", Start: "1776227500000", Seconds: 65}); a.State != "new" {
			t.Errorf("a further call was answered %q", a.State)
		}
	})
}
