package calltest_test

import (
	"testing"
	"time"

	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func TestAWorldTakesCalls(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := calltest.New(t, d)
		asha := w.Agent(t, "Asha")
		it := ingest.Item{Agent: asha.Agent, Line: 1, Start: w.Now().Add(-time.Hour), Number: "+919812300001",
			Direction: call.Incoming, Type: call.TypeMissed, Ref: 1}
		w.Put(t, it)
		w.Put(t, it)
		if rows := w.Rows(t); len(rows) != 1 || rows[0].Agent != asha.Agent {
			t.Errorf("rows are %+v, want the one call", rows)
		}
	}, calltest.Schemas()...)
}
