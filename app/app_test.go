package app

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley/platform/db"
)

// parley runs a command in a folder and gives what it wrote; it fails the test unless the exit code is want.
func parley(t *testing.T, dir string, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	r := &Run{Args: append([]string{"--data", filepath.Join(dir, "data")}, args...), Dir: dir, Out: &out, Err: &errs}
	if code := r.local(t.Context()); code != want {
		t.Fatalf("parley %s gave %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &errs)
	}
	return out.String() + errs.String()
}

func open(t *testing.T, dir string) *Parley {
	t.Helper()
	c, err := readConfig(map[string]string{"data": filepath.Join(dir, "data")}, "", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	held, err := takeLock(c.Data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), c, held, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTextAndJSONSayTheSame(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "demo")
	var said struct{ Metrics map[string]*float64 }
	if err := json.Unmarshal([]byte(parley(t, dir, 0, "report", "summary", "--preset", "last_30_days", "--json")), &said); err != nil {
		t.Fatal(err)
	}
	text := parley(t, dir, 0, "report", "summary", "--preset", "last_30_days")
	for id, title := range map[string]string{"calls": "Calls", "incoming": "Incoming", "outgoing": "Outgoing", "missed": "Missed", "connected": "Connected",
		"unique_clients": "Clients", "new_clients": "New clients", "never_attended_clients": "Never attended"} {
		found := regexp.MustCompile(`(?m)^` + title + ` +([0-9]+)$`).FindStringSubmatch(text)
		if found == nil || said.Metrics[id] == nil {
			t.Errorf("%s is missing in the text or the JSON", id)
			continue
		}
		if n, _ := strconv.ParseFloat(found[1], 64); n != *said.Metrics[id] || n == 0 {
			t.Errorf("%s is %s in the text and %v in the JSON", id, found[1], *said.Metrics[id])
		}
	}
}

func TestTheDemoIsBelievable(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "demo")
	p := open(t, dir)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	count := func(query string) (n int64) {
		t.Helper()
		if err := p.DB.Row(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(`SELECT count(*) FROM calls WHERE org_id = 1`); n < 38_500 || n > 41_500 {
		t.Errorf("%d calls, want about 40,000", n)
	}
	if n := count(`SELECT count(*) FROM calls WHERE org_id = 1 AND start > ` + strconv.FormatInt(p.Now().UnixMilli(), 10)); n != 0 {
		t.Errorf("%d calls lie in the future", n)
	}
	if n := count(`SELECT count(DISTINCT day) FROM calls WHERE org_id = 1`); n < 50 || n > 61 {
		t.Errorf("calls on %d days, want about 60", n)
	}
	if n := count(`SELECT count(*) FROM devices WHERE org_id = 1`); n != 12 {
		t.Errorf("%d phones, want 12", n)
	}
	// Few people call very often: the hundredth part of all numbers has more than a tenth of the calls.
	if top, all := count(`SELECT sum(n) FROM (SELECT count(*) AS n FROM calls WHERE org_id = 1 AND num > 0 GROUP BY num ORDER BY n DESC LIMIT 65)`),
		count(`SELECT count(*) FROM calls WHERE org_id = 1`); top*10 < all {
		t.Errorf("the 65 most frequent numbers have %d of %d calls", top, all)
	}
	for _, table := range []string{"call_notes", "call_tags", "excluded_numbers"} {
		if count(`SELECT count(*) FROM `+table+` WHERE org_id = 1`) == 0 {
			t.Errorf("%s is empty", table)
		}
	}
}

func TestRemovingAnOrganisationLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "demo")
	parley(t, dir, 0, "org", "create", "--name", "Stays", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	parley(t, dir, 0, "org", "delete", "Sample: Asha Traders", "--yes")
	p := open(t, dir)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx := context.Background()
	tables, err := db.Select(ctx, p.DB, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
		`SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%org_id%'`)
	if err != nil || len(tables) < 15 {
		t.Fatalf("%d tables (%v)", len(tables), err)
	}
	for _, table := range tables {
		var n int
		if err := p.DB.Row(ctx, `SELECT count(*) FROM `+table+` WHERE org_id = 1`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Errorf("%s holds %d rows of the removed organisation", table, n)
		}
	}
	if orgs, err := p.Accounts.Orgs(ctx); err != nil || len(orgs) != 1 || orgs[0].Name != "Stays" {
		t.Errorf("the other organisation is gone (%v)", err)
	}
}

func TestARestoreThatWasBrokenOffIsFinished(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	parley(t, dir, 0, "backup", "b")
	parley(t, dir, 0, "org", "set", "--name", "Second")
	c, err := readConfig(map[string]string{"data": filepath.Join(dir, "data")}, "", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{Dir: dir, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Config: c}
	if _, _, err := (&restoreCmd{Only: "all"}).stage(t.Context(), r, filepath.Join(dir, "b"), ""); err != nil {
		t.Fatal(err)
	}
	// The power failed after the first file was moved.
	stage := filepath.Join(c.Data, stageDir)
	if err := moveAside(filepath.Join(c.Data, dataFile), filepath.Join(c.Data, "aside")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(stage, dataFile), filepath.Join(c.Data, dataFile)); err != nil {
		t.Fatal(err)
	}
	if out := parley(t, dir, 0, "org", "list"); !strings.Contains(out, "First") || strings.Contains(out, "Second") {
		t.Errorf("the organisations are\n%s", out)
	}
	if _, err := os.Stat(stage); err == nil {
		t.Error("the stage is still there")
	}
}

func TestWorkdaysAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{"mon-fri": "mon,tue,wed,thu,fri", "Sat": "sat", "fri-mon": "sun,mon,fri,sat", "sun,tuesday": "sun,tue"} {
		if got, err := readWorkdays(text); err != nil || writeWorkdays(got) != want {
			t.Errorf("%s is read as %s (%v), want %s", text, writeWorkdays(got), err, want)
		}
	}
	for _, text := range []string{"", "mon-", "someday"} {
		if _, err := readWorkdays(text); err == nil {
			t.Errorf("%q was taken for days", text)
		}
	}
}

func TestCellsCannotSteerATerminal(t *testing.T) {
	if got := plainCell("a\x1b[31mb\nc\u009bd"); strings.ContainsAny(got, "\x1b\n\u009b") {
		t.Errorf("the cell is %q", got)
	}
	if got := plainCell(""); got != "-" {
		t.Errorf("an empty cell is %q", got)
	}
}
