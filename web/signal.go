package web

import (
	"net/http"

	"parley/trust/recipient"
	"parley/web/ui"
)

// signalRoutes say that the Global Privacy Control of browsers is honoured.
func (s *site) signalRoutes() []route {
	return []route{{"GET /.well-known/gpc.json", Public, supportsSignal}}
}

// signalHonoured is the day since which the signal is honoured, as the statement names it.
const signalHonoured = "2026-11-22"

// supportsSignal is the statement of https://www.w3.org/TR/gpc/ that the signal is understood as an opt-out.
func supportsSignal(v *visit) error {
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(http.StatusOK)
	_, err := v.w.Write([]byte(`{"gpc": true, "lastUpdate": "` + signalHonoured + `"}` + "\n"))
	return err
}

// signalNote answers a browser that sends the signal; nil for one that does not.
func (v *visit) signalNote() *ui.Note {
	if !recipient.OptedOut(v.r.Header) {
		return nil
	}
	return &ui.Note{Kind: ui.Info, Text: v.t("preference.signal")}
}
