package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kills is how often programs are killed; PARLEY_TEST_KILLS sets another number.
func kills(t *testing.T, usual int) int {
	t.Helper()
	if text := os.Getenv("PARLEY_TEST_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return usual
}

func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("parley") // put there by testscript.Main
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"--data", filepath.Join(dir, "data")}, args...)...)
	cmd.Dir = dir
	return cmd
}

func callsKept(t *testing.T, dir string) int {
	t.Helper()
	found := regexp.MustCompile(`"calls":(\d+)`).FindStringSubmatch(parley(t, dir, 0, "report", "summary", "--from", "2026-04-01", "--to", "2026-05-01", "--json"))
	if found == nil {
		t.Fatal("the report has no calls")
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKilledImportsLeaveEveryCallOnce(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "org", "create", "--name", "Asha", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	parley(t, dir, 0, "agent", "add", "--name", "asha")
	const rows = 30_000
	var file strings.Builder
	file.WriteString("Phone,When,Secs,Type\n")
	for i := range rows {
		fmt.Fprintf(&file, "98%08d,2026-04-%02d %02d:%02d:%02d,%d,incoming\n", i%7919, 1+i/1200%25, 8+i%10, i/10%60, i/600%60, i%300)
	}
	if err := os.WriteFile(filepath.Join(dir, "calls.csv"), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", "--agent", "asha", "--map", "number=Phone,start=When,duration=Secs,type=Type", "calls.csv"}
	last := 0
	for range kills(t, 12) {
		cmd := program(t, dir, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(250)) * time.Millisecond) // the moment of the kill is the point
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		n := callsKept(t, dir)
		if n < last {
			t.Fatalf("%d calls after a kill, %d before it", n, last)
		}
		last = n
	}
	parley(t, dir, 0, args...)
	whole := callsKept(t, dir)
	if out := parley(t, dir, 0, args...); !strings.Contains(out, " 0 new") {
		t.Errorf("importing once more added calls:\n%s", out)
	}
	if whole != rows {
		t.Errorf("%d calls are kept of %d", whole, rows)
	}
}

// collector is a phone as the API sees it.
type collector struct {
	base, token string
}

// refused is an answer that is none of a server being killed.
type refused struct{ text string }

func (r *refused) Error() string { return r.text }

func (c *collector) post(path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, c.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return &refused{res.Status + ": " + string(text)}
	}
	return json.Unmarshal(text, into)
}

// startServer starts a server on a free port and gives it with its address.
func startServer(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := program(t, dir, "serve", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 256)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://[0-9.:]+`).FindString(string(line[:n]))
	if address == "" {
		t.Fatalf("the server said %q", line[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return cmd, address
}

func TestKilledServersKeepWhatTheyAcknowledged(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "org", "create", "--name", "Asha", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	parley(t, dir, 0, "agent", "add", "--name", "asha")
	cmd, base := startServer(t, dir)
	code := strings.Fields(parley(t, dir, 0, "device", "code", "asha"))[0]
	var paired struct{ Token string }
	phone := &collector{base: base}
	if err := phone.post(pairPath, map[string]any{"code": code, "install_id": "kill"}, &paired); err != nil {
		t.Fatal(err)
	}
	phone.token = paired.Token
	start := time.Date(2026, 4, 1, 4, 0, 0, 0, time.UTC)
	acknowledged, sent := 0, 0
	for round := range kills(t, 8) {
		if round > 0 {
			cmd, phone.base = startServer(t, dir)
		}
		kill := func() *time.Timer {
			return time.AfterFunc(time.Duration(30+rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		var killed *time.Timer
		if round%2 == 0 { // in the other rounds once something was acknowledged, however slow the machine is
			killed = kill()
		}
		for {
			calls := make([]map[string]any, 100)
			for i := range calls {
				n := acknowledged + i
				calls[i] = map[string]any{"client_key": strconv.Itoa(n), "number": fmt.Sprintf("98%08d", n), "type": 1, "seconds": 30,
					"start": start.Add(time.Duration(n) * 10 * time.Second).UnixMilli()}
			}
			sent = max(sent, acknowledged+len(calls))
			var answers struct{ Answers []struct{ State string } }
			if err := phone.post(syncPath, map[string]any{"calls": calls}, &answers); err != nil {
				if _, ok := errors.AsType[*refused](err); ok {
					t.Fatal(err)
				}
				break // killed; the batch is sent again
			}
			acknowledged += len(calls)
			if killed == nil {
				killed = kill()
			}
		}
		if killed != nil {
			killed.Stop()
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if n := callsKept(t, dir); n < acknowledged || n > sent {
			t.Fatalf("round %d: %d calls were acknowledged, %d sent, and %d are kept", round, acknowledged, sent, n)
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged, so nothing was tried")
	}
}

const (
	pairPath = "/api/v1/device/pair"
	syncPath = "/api/v1/device/calls"
)
