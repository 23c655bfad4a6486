package person_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/calls/device"
	"parley/calls/ingest"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/fault"
)

func TestWhatEndsByAgeEnds(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		must(t, s.Devices.SetSettings(t.Context(), s.Org.ID, device.Settings{Battery: true}))
		battery := 80
		_, err := s.Devices.Heartbeat(t.Context(), s.dev, device.Beat{Battery: &battery})
		must(t, err)
		_, err = s.Devices.SetDigest(t.Context(), s.dev, []device.Digest{digest(s.dev.Lines[0].ID, civil.Today(s.Now(), s.Org.Location()), nil)})
		must(t, err)
		file := "number,start,duration,type\n" + meera + ",2026-04-01T10:00:00Z,5,incoming\n" + other + ",yesterday,5,incoming\n"
		m, err := s.Imports.Run(t.Context(), s.Org, strings.NewReader(file), int64(len(file)), ingest.ImportSpec{Name: "calls.csv", Agent: s.asha.Agent}, nil)
		must(t, err)
		must(t, s.Devices.Unpair(t.Context(), s.Org, s.dev.ID))
		_, err = s.DB.Exec(t.Context(), `UPDATE devices SET battery = 80 WHERE org_id = $1`, s.Org.ID) // as one that was unpaired by an older version
		must(t, err)

		tables := append(s.Devices.Expiring(), ingest.Expiring()...)
		want := map[string]int64{"battery levels": 1, "unpaired phones": 1, "digests of phones": 1, "imports": 2, "ways tables were read": 1}
		open := func(context.Context, db.Conn) error { return nil }
		for _, x := range tables {
			if all, err := x.All(t.Context(), s.DB, int64(s.Org.ID)); err != nil || all != want[x.Name] {
				t.Errorf("%s: %d rows (%v), want %d", x.Name, all, err, want[x.Name])
			}
			if young, err := x.Old(t.Context(), s.DB, int64(s.Org.ID), s.Now().Add(-time.Minute)); err != nil || len(young) > 0 {
				t.Errorf("%s: %+v are old (%v)", x.Name, young, err)
			}
			later := s.Now().Add(time.Minute)
			old, err := x.Old(t.Context(), s.DB, int64(s.Org.ID), later)
			must(t, err)
			if len(old) != 1 || old[0].Rows != want[x.Name] {
				t.Fatalf("%s: %+v are old", x.Name, old)
			}
			if _, err := x.Clear(t.Context(), s.DB, int64(s.Org.ID), later, append(old, expire.Row{Key: "0", Rows: 1}), open); fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s: a row that is not there: %v", x.Name, err)
			}
			if n, err := x.Clear(t.Context(), s.DB, int64(s.Org.ID), later, old, open); err != nil || n != want[x.Name] {
				t.Errorf("%s: %d rows were removed (%v)", x.Name, n, err)
			}
			if left, err := x.All(t.Context(), s.DB, int64(s.Org.ID)); err != nil || left != 0 {
				t.Errorf("%s: %d rows are left (%v)", x.Name, left, err)
			}
		}
		if _, err := s.Imports.One(t.Context(), s.Org, m.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the import is still there: %v", err)
		}
		if len(s.Rows(t)) != 1 {
			t.Error("the import's call is gone")
		}
	})
}
