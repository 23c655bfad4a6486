package app_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
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
	link := serve(t, binary)
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

// serve runs the server on demo data until the test ends, and gives the sign-in link it prints.
func serve(t *testing.T, binary string) string {
	t.Helper()
	server := exec.Command(binary, "serve", "--demo", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
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
