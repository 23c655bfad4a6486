package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/trust/prove"
)

// zoneAt is a zone in which it is this hour now.
func zoneAt(hour int) string {
	east := hour - time.Now().UTC().Hour()
	switch {
	case east > 12:
		east -= 24
	case east < -12:
		east += 24
	}
	return fmt.Sprintf("Etc/GMT%+d", -east) // these names count westward
}

func TestProofRunsAreMadeByNightAndTheDoctorLooksAtThem(t *testing.T) {
	dir := t.TempDir()
	held, err := takeLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), &Config{Data: dir, Listen: "localhost:0", SignUp: true}, held, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	orgs := map[int]*account.Org{}
	for _, hour := range []int{nightFrom, nightTo + 8} {
		orgs[hour], err = p.Accounts.CreateOrg(t.Context(), account.NewOrg{Name: fmt.Sprintf("Asha at %d", hour), Country: "IN", Zone: zoneAt(hour), OwnerEmail: fmt.Sprintf("owner%d@asha-traders.example", hour)})
		if err == nil {
			err = p.demoPolicy(t.Context(), orgs[hour])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	night := orgs[nightFrom]
	runs := func(org *account.Org) (n int) {
		t.Helper()
		if err := p.proveDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.DB.Row(t.Context(), `SELECT count(*) FROM proofs WHERE org_id = $1`, org.ID).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	doctor := func(state, says string) {
		t.Helper()
		if got := checkProofs(t.Context(), &Run{Config: p.Config, p: p}); got.State != state || !strings.Contains(got.Sentence, says) {
			t.Errorf("the doctor says %+v, want %s, %q", got, state, says)
		}
	}
	if n := runs(night); n != 0 {
		t.Errorf("with no runs asked for, %d were made", n)
	}
	p.Config.ProveDays = 7
	doctor("ok", "no organisation")
	live, err := p.uploads()
	if err == nil {
		err = os.WriteFile(filepath.Join(live, "file"), nil, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := runs(night); n != 1 {
		t.Fatalf("by night %d runs were made", n)
	}
	if _, err := os.Stat(filepath.Join(live, "file")); err != nil {
		t.Errorf("a file that the server waits to read is gone: %v", err)
	}
	if n := runs(night); n != 1 {
		t.Errorf("%d runs were made in one night", n)
	}
	if n := runs(orgs[nightTo+8]); n != 0 {
		t.Errorf("by day %d runs were made", n)
	}
	last, _, _, err := p.Proofs.Last(t.Context(), night.ID)
	if err != nil || !last.Passed || p.Proofs.Progress(night.ID) != (prove.Progress{}) {
		t.Fatalf("the run found %v broken (%v)", last.Broken(), err)
	}
	doctor("ok", "no organisation")
	p.Now = func() time.Time { return time.Now().AddDate(0, 0, 15) }
	doctor("warning", "2 of 2 organisations had no proof run for 14 days")
	last.ID, last.At, last.Passed = "prf_broken", last.At.AddDate(0, 0, 15), false
	if _, err := p.Proofs.Keep(t.Context(), last, audit.System); err != nil {
		t.Fatal(err)
	}
	doctor("failed", "policy does not hold")
}
