package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/vault"
)

func TestAnEpochsKeyIsGoneOnTheThirtiethDay(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	ctx := t.Context()
	first := time.Date(2026, 10, 1, 23, 59, 0, 0, time.UTC)
	day, key, err := k.Epochs().Today(ctx, first)
	if err != nil || day.String() != "2026-10-01" {
		t.Fatalf("the epoch is %s (%v)", day, err)
	}
	if _, again, err := k.Epochs().Today(ctx, first); err != nil || !bytes.Equal(again, key) {
		t.Errorf("the same day has another key (%v)", err)
	}
	if _, other, err := k.Epochs().Today(ctx, first.Add(2*time.Minute)); err != nil || bytes.Equal(other, key) {
		t.Errorf("the next day has the same key (%v)", err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir)
	defer k.Close()
	lastDay := first.AddDate(0, 0, 29)
	if n, err := k.Epochs().Expire(ctx, lastDay); n != 0 || err != nil {
		t.Errorf("on the 29th day %d keys were destroyed (%v)", n, err)
	}
	if got, err := k.Epochs().Key(day, lastDay); err != nil || !bytes.Equal(got, key) {
		t.Errorf("on the 29th day the key is %x (%v)", got, err)
	}
	due := first.AddDate(0, 0, 30)
	// Even before it is destroyed, nobody is given it.
	if _, err := k.Epochs().Key(day, due); fault.KindOf(err) != fault.Gone || !strings.Contains(fault.Sentence(err), "2026-10-01") {
		t.Errorf("on the 30th day: %v", err)
	}
	file := filepath.Join(dir, vault.EpochsFile)
	old, err := os.OpenFile(file, os.O_RDONLY, 0) // stays with the old content's place on the disk
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if n, err := k.Epochs().Expire(ctx, due); n != 1 || err != nil {
		t.Errorf("on the 30th day %d keys were destroyed (%v)", n, err)
	}
	if _, err := k.Epochs().Key(day, lastDay); fault.KindOf(err) != fault.Gone {
		t.Errorf("with the clock set back: %v", err)
	}
	place := make([]byte, 100)
	if _, err := old.ReadAt(place, 0); err != nil || !bytes.Equal(place, make([]byte, 100)) {
		t.Errorf("the old file is still on the disk: %q (%v)", place, err)
	}
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := vault.ReadEpochs(ctx, k.Epochs().File(), master)
	if err != nil || !slices.Equal(e.Days(), []civil.Day{day + 1}) || e.Store() != k.StoreID() {
		t.Errorf("the file holds %v (%v)", e, err)
	}
}

func TestEpochsOfAnotherInstallationAreRefused(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		k := open(t, dir)
		if _, _, err := k.Epochs().Today(t.Context(), k.Now()); err != nil {
			t.Fatal(err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	raw := read(t, filepath.Join(b, vault.EpochsFile))
	if err := os.WriteFile(filepath.Join(a, vault.EpochsFile), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	master, err := vault.MasterFile(filepath.Join(a, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(t.Context(), a, master); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), vault.EpochsFile) {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"", "{}", "null", `{"form":"parley epochs 1","wraps":[]}`, strings.Replace(string(raw), `"wrapped":"`, `"wrapped":"AAAA`, 1)} {
		if _, err := vault.ReadEpochs(t.Context(), []byte(bad), master); err == nil {
			t.Errorf("%.40q was read", bad)
		}
	}
}
