package web_test

import (
	"net/url"
	"testing"
	"time"

	"parley/calls/call"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// Missed callers are told by their contacts' names, with their open leads and what is left of the time to call back.
func TestMissedCallersAreKnown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.call(o.meera, 3*time.Hour, call.TypeMissed, 0, sharma)
		o.call(o.ravi, 10*time.Minute, call.TypeMissed, 0, gupta)
		owner := o.owner()
		lead := owner.post("/leads/new", url.Values{"first": {"Nandini"}, "last": {"Sharma"}, "number": {sharma}, "stage": {"sales/new"}}).want(t, "a lead", 200)
		owner.get("/missed?preset=today").want(t, "missed callers", 200, "Nandini Sharma", "Open lead, ", lead.path, "past the target", "left", "1 caller of the last 14 days has waited longer than your target of 1 h")
		if agent := o.as(o.ravi); agent.get("/missed?preset=today").has("Nandini") {
			t.Error("the page tells the name of a contact whom the reader does not see")
		}
	}, schemas()...)
}
