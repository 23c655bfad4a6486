package retain_test

import (
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/trust/datamap"
	"parley/trust/retain"
)

func TestEveryColumnIsDescribed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m, err := datamap.Read(retain.Schema)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.CheckSchema(t.Context(), d); err != nil {
			t.Error(err)
		}
	}, dbtest.Schema{Series: "retain", Files: retain.Schema})
}
