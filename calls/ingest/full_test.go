package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// fill puts batches until one is refused, and gives how many calls were acknowledged before.
func (d *desk) fill() (kept int) {
	d.t.Helper()
	for b := range 2000 {
		items := make([]ingest.Item, 100)
		for n := range items {
			at := b*len(items) + n
			items[n] = ingest.Item{Agent: d.asha, Line: d.line.No, Start: d.Now().Add(-time.Duration(at) * time.Minute), Number: fmt.Sprintf("+9198%08d", at),
				Direction: call.Outgoing, Type: call.TypeOutgoing, Ref: int64(at + 1)}
		}
		_, err := d.Writer.Put(d.t.Context(), d.Org, items)
		if err != nil {
			wantKind(d.t, err, fault.Unavailable, "The disk that holds the data is full")
			return kept
		}
		kept += len(items)
	}
	d.t.Fatal("200,000 calls fit on a disk that should be full")
	return 0
}

// wantAlive checks that nothing partial was left, that imports and syncs are refused with the sentence while the disk is
// full, and that both work once there is space.
func (d *desk) wantAlive(kept int, free func()) {
	d.t.Helper()
	if n := len(d.Rows(d.t)); n != kept {
		d.t.Fatalf("%d calls are kept, %d were acknowledged", n, kept)
	}
	var rows []any
	for n := range 4000 {
		r := heard(n)
		r.Start = r.Start.AddDate(-2, 0, 0)
		rows = append(rows, r)
	}
	_, err := d.Imports.RunRecords(d.t.Context(), d.Org, fileOf(rows...), ingest.ImportSpec{Agent: d.asha}, nil)
	wantKind(d.t, err, fault.Unavailable, "disk")
	if len(d.Rows(d.t)) != kept {
		d.t.Fatal("a refused import left calls behind")
	}
	free()
	m := d.run(fileOf(rows...), ingest.ImportSpec{Agent: d.asha})
	d.want(m, 4000, 0, 0, 0, 0)
	d.Put(d.t, ingest.Item{Agent: d.asha, Line: d.line.No, Start: d.Now(), Number: "+919800000001", Direction: call.Outgoing, Type: call.TypeOutgoing, Ref: 1 << 40})
	all, err := d.Imports.List(d.t.Context(), d.Org, 10)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, m := range all[1:] {
		if m.State == ingest.ImportRunning {
			d.t.Errorf("an import that the full disk ended is said to run: %+v", m)
		}
	}
	d.wantTrueRolls()
	if err := d.DB.Check(d.t.Context()); err != nil {
		d.t.Error(err)
	}
}

func newDesk(t *testing.T, b *db.DB) *desk {
	t.Helper()
	w := calltest.New(t, b)
	d := &desk{World: w, t: t, asha: w.Agent(t, "Asha").Agent}
	d.line = d.addLine(d.asha, ashasNumber)
	return d
}

func TestADatabaseThatMayNotGrowRefusesAndLives(t *testing.T) {
	d := newDesk(t, dbtest.SQLite(t, calltest.Schemas()...))
	grow := func(pages int) {
		t.Helper()
		if err := d.DB.Tx(t.Context(), func(tx *db.Tx) error {
			var have, most int
			if err := tx.Row(t.Context(), `PRAGMA page_count`).Scan(&have); err != nil {
				return err
			}
			return tx.Row(t.Context(), fmt.Sprint(`PRAGMA max_page_count=`, have+pages)).Scan(&most)
		}); err != nil {
			t.Fatal(err)
		}
	}
	grow(40)
	kept := d.fill()
	d.wantAlive(kept, func() { grow(100_000) })
}

func TestAFullDiskRefusesAndLives(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a small disk")
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("the small disk stays: %v %s", err, out)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := db.OpenSQLite(t.Context(), filepath.Join(dir, "parley.db"), bytes.Repeat([]byte{7}, db.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range calltest.Schemas() {
		if err := b.Migrate(t.Context(), s.Series, s.Files); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk(t, b)
	kept := d.fill()
	d.wantAlive(kept, func() {
		grown := exec.CommandContext(t.Context(), "mount", "-o", "remount,size=64m", dir)
		if out, err := grown.CombinedOutput(); err != nil {
			t.Fatal(errors.Join(err, errors.New(string(out))))
		}
	})
}
