package app

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/platform/revoke"
)

// TestPagesInABrowser starts the server with demo data, as "make run" does, and walks its pages in a real browser. It
// needs a browser, which "make test" installs and names in PARLEY_TEST_BROWSER; PARLEY_TEST_PICTURES keeps pictures.
func TestPagesInABrowser(t *testing.T) {
	browser := os.Getenv("PARLEY_TEST_BROWSER")
	if browser == "" {
		t.Skip("PARLEY_TEST_BROWSER names no browser; \"make test\" does")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "parley")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	growOld(t, dir)
	link := serve(t, binary, filepath.Join(dir, "data"))
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	walk := exec.CommandContext(ctx, "node", "script/walk.mjs", browser, link, os.Getenv("PARLEY_TEST_PICTURES"))
	walk.Dir = root
	out, err := walk.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// growOld makes the demo organisation, with calls that are so old that retention has put some into the archive already and
// has others on its list.
func growOld(t *testing.T, dir string) {
	t.Helper()
	parley(t, dir, 0, "demo")
	now := time.Now()
	bring := func(name, number string, age int) {
		var calls strings.Builder
		for i := range 3 {
			fmt.Fprintf(&calls, `<call number="%s" duration="%d" date="%d" type="1" presentation="1" contact_name="(Unknown)" />`, number, 20+i, now.AddDate(0, 0, -age).Add(time.Duration(i)*time.Hour).UnixMilli())
		}
		path := filepath.Join(dir, name+".xml")
		must(t, os.WriteFile(path, []byte("<?xml version='1.0' encoding='UTF-8'?><calls count=\"3\">"+calls.String()+"</calls>"), 0o600))
		parley(t, dir, 0, "import", path, "--agent", "Meera Iyer")
	}
	sweep := func(at time.Time) {
		c := ok1[*Config](t)(readConfig(map[string]string{"data": filepath.Join(dir, "data")}, "", func(string) (string, bool) { return "", false }))
		held := ok1[*lock](t)(takeLock(c.Data))
		p := &Parley{Config: c, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return at }, held: held, Revoked: revoke.InFolder(c.Data)}
		must(t, p.open(t.Context()))
		must(t, p.retainAll(t.Context()))
		must(t, p.Close())
	}
	bring("archived", "+919845019991", 400)
	sweep(now.AddDate(0, 0, -3)) // plans, and tells the owners
	bring("waiting", "+919845019992", 380)
	sweep(now)
}

// serve runs the server on data until the test ends, and gives the sign-in link it prints.
func serve(t *testing.T, binary, data string) string {
	t.Helper()
	server := exec.Command(binary, "serve", "--demo", "--listen", "127.0.0.1:0", "--data", data)
	said, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	server.Stderr = &errs
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := server.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, errs.String())
		}
	})
	links := regexp.MustCompile(`http://\S+/link/\S+`)
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if l := links.FindString(lines.Text()); l != "" {
				found <- l
			}
		}
		close(found)
	}()
	select {
	case link, ok := <-found:
		if !ok {
			t.Fatalf("the server printed no sign-in link\n%s", errs.String())
		}
		return link
	case <-time.After(2 * time.Minute):
		t.Fatal("the server printed no sign-in link in two minutes")
		return ""
	}
}
