package web_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"parley/account"
	"parley/platform/backup"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
	"parley/web"
)

// backups makes backups of the world in a folder; "" for none.
func (w *world) backups(where string) *backup.Service {
	w.t.Helper()
	return &backup.Service{Config: backup.Config{Where: where}, Dir: w.t.TempDir(), DB: w.DB, Keys: w.Keys, Now: w.Now}
}

func TestBackupsAreShownAndMade(t *testing.T) {
	d := dbtest.SQLite(t, schemas()...)
	service := &backup.Service{}
	w := newWorld(t, d, func(deps *web.Deps) {
		deps.Backups = service
		deps.Background = func(_ string, do func(context.Context) error) { _ = do(context.Background()) } // a failed drill is shown
	})
	place := t.TempDir()
	other, err := vault.MasterFile(filepath.Join(t.TempDir(), "m"))
	if err != nil {
		t.Fatal(err)
	}
	service.Dir, service.DB, service.Keys, service.Now, service.Master = t.TempDir(), w.DB, w.Keys, w.Now, other
	b := w.owner()
	b.get("/settings/backups").want(t, "no place", 200, "No backups are made by themselves")
	b.post("/settings/backups/run", nil).want(t, "a backup without a place", 409, "backup.target")
	service.Config.Where = place
	b.get("/settings/backups").want(t, "before the first", 200, "No backup went well yet", "There are no backups", "Back up now")
	b.post("/settings/backups/drill", nil).want(t, "a drill of nothing", 409, "no backup yet")
	b.post("/settings/backups/run", nil).want(t, "a backup", 200, "A backup is being made", "The last backup is of", "Data and keys", "Never tried")
	if list, err := filepath.Glob(filepath.Join(place, "parley-*")); err != nil || len(list) != 2 {
		t.Errorf("the place holds %v (%v)", list, err)
	}
	b.post("/settings/backups/run", nil).want(t, "another at once", 200, "made just now")
	b.post("/settings/backups/drill", nil).want(t, "a drill under another master key", 200, "The last restore drill failed", "opens only with the master key")
	if err := os.RemoveAll(place); err != nil {
		t.Fatal(err)
	}
	b.get("/settings/backups").want(t, "an unmounted disk", 200, "cannot be asked", "mount the disk")
	w.as(w.member(account.Manager, "Mina")).get("/settings/backups").want(t, "a manager", 403)
}
