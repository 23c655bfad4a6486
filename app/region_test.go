package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// P137, P139: backups go where the policies of all organisations let data lie, and what the policies say of that is where it
// lies.
func TestBackupsStayInTheAllowedRegions(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "place"), 0o700))
	parley(t, dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	if out := parley(t, dir, 0, "doctor"); !strings.Contains(out, "it is not said where data lies") {
		t.Errorf("the doctor says\n%s", out)
	}
	t.Setenv("PARLEY_REGION", "IN")
	t.Setenv("PARLEY_BACKUP_REGION", "US")
	for _, args := range [][]string{{"backup", "place"}, {"backup", "--keys-only", "place"}} {
		if out := parley(t, dir, 1, args...); !strings.Contains(out, "backups lie in US (backup.region), and the privacy policy of First allows its data in IN only") {
			t.Errorf("a backup in another region gives\n%s", out)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "place", "*")); err != nil || len(left) > 0 {
		t.Errorf("%v came there all the same (%v)", left, err)
	}
	if out := parley(t, dir, 1, "doctor"); !strings.Contains(out, "No backup was made: backups lie in US") {
		t.Errorf("the doctor says\n%s", out)
	}
	t.Setenv("PARLEY_BACKUP_REGION", "IN")
	parley(t, dir, 0, "backup", "place")
	if out := parley(t, dir, 0, "doctor"); !strings.Contains(out, "data lies in IN and backups in IN, as the privacy policies say") {
		t.Errorf("the doctor says\n%s", out)
	}
	t.Setenv("PARLEY_REGION", "DE")
	if out := parley(t, dir, 1, "doctor"); !strings.Contains(out, "says that data lies in IN") || !strings.Contains(out, "region is DE") {
		t.Errorf("the doctor says\n%s", out)
	}
	t.Setenv("PARLEY_REGION", "Bavaria")
	if out := parley(t, dir, 1, "doctor"); !strings.Contains(out, "no country") {
		t.Errorf("the doctor says\n%s", out)
	}
}
