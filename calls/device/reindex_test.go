package device_test

import (
	"testing"

	"parley/calls/calltest"
	"parley/calls/device"
	"parley/platform/db"
	"parley/platform/fault"
)

func TestLinesAreFoundAfterAReIndex(t *testing.T) {
	each(t, func(t *testing.T, w *calltest.World) {
		ctx := t.Context()
		agent := w.Agent(t, "Asha").Agent
		addLine(t, w, device.NewLine{Agent: agent, Number: "+919812300001"})
		addLine(t, w, device.NewLine{Agent: agent, Label: "desk"})
		phone, _ := pair(t, w, agent, "install-1")
		next, _, err := w.Keys.NextIndex(ctx, int64(w.Org.ID))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error {
			if err := w.Devices.Reindex(ctx, tx, w.Org.ID, next); err != nil {
				return err
			}
			return w.Devices.ReindexInstallation(ctx, tx)
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.Keys.CommitIndex(ctx, int64(w.Org.ID)); err != nil {
			t.Fatal(err)
		}
		_, err = w.Devices.AddLine(ctx, w.Org, device.NewLine{Agent: w.Agent(t, "Ravi").Agent, Number: "+919812300001"})
		wantKind(t, err, fault.Conflict, "already a line of Asha")
		// The phone's own index cannot be made anew, so it is listed once more and never taken for another.
		if again, _ := pair(t, w, agent, "install-1"); again.ID == phone.ID {
			t.Error("a phone was found by an index that should be unknown")
		}
	})
}
