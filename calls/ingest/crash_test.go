package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/vault"
)

// home is a server's data folder, opened.
type home struct {
	keys     *vault.Keys
	data     *db.DB
	accounts *account.Accounts
	org      *account.Org
	calls    *call.Store
	writer   *ingest.Writer
	imports  *ingest.Imports
	stop     func()
}

func openHome(ctx context.Context, dir string) (*home, error) {
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		return nil, err
	}
	h := &home{}
	if h.keys, err = vault.Open(ctx, dir, master); err != nil {
		return nil, err
	}
	if h.data, err = db.OpenSQLite(ctx, filepath.Join(dir, "parley.db"), h.keys.DatabaseKey()); err != nil {
		return nil, err
	}
	for _, s := range calltest.Schemas() {
		if err := h.data.Migrate(ctx, s.Series, s.Files); err != nil {
			return nil, err
		}
	}
	h.accounts = account.New(h.data, h.keys, calltest.Start)
	book := number.New(h.data, h.keys)
	h.calls = call.New(h.data, h.keys, book, nil, calltest.Start)
	devices := device.New(h.data, h.keys, h.accounts, book, calltest.Start)
	h.writer = ingest.NewWriter(h.data, h.keys, book, ingest.Trust{}, calltest.Start)
	h.imports = ingest.NewImports(h.data, h.keys, h.accounts, devices, h.writer, calltest.Start)
	running, stop := context.WithCancel(ctx)
	var writing sync.WaitGroup
	writing.Go(func() { h.writer.Run(running) })
	h.stop = func() { stop(); writing.Wait() }
	return h, h.organisation(ctx)
}

func (h *home) organisation(ctx context.Context) error {
	orgs, err := h.accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	if len(orgs) > 0 {
		h.org = orgs[0]
		return nil
	}
	if h.org, err = h.accounts.CreateOrg(ctx, account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "owner@example.com"}); err != nil {
		return err
	}
	_, err = h.accounts.AddAgent(ctx, h.org.ID, account.NewAgent{Name: "Asha"})
	return err
}

func (h *home) close() error {
	h.stop()
	return errors.Join(h.data.Close(), h.keys.Close())
}

// The calls of the crash test: a sync of batch b brings crashBatch calls, the import of file f crashFile.
const (
	crashBatch = 20
	crashFile  = 5000
)

func crashCall(b, n int) ingest.Item {
	return ingest.Item{Agent: 1, Line: 1, Start: calltest.Start().Add(-time.Duration(b*crashBatch+n)*31*time.Second + 500*time.Millisecond),
		Number: fmt.Sprintf("+9198%08d", (b*crashBatch+n)*7%1000), Direction: call.Outgoing, Type: call.TypeOutgoing, Seconds: n, Ref: int64(b*crashBatch + n + 1)}
}

func crashRecord(f, n int) *logfile.Record {
	r := heard(f*crashFile + n)
	r.Start = calltest.Start().AddDate(-1, 0, 0).Add(-time.Duration(f*crashFile+n) * 7 * time.Second)
	r.Number = fmt.Sprintf("98%08d", n%1000)
	return r
}

// TestCrashChild is no test but the server that the crash test kills: it syncs or imports for ever and says on standard
// output what was acknowledged, as "sync 7" and "import 3 2000".
func TestCrashChild(t *testing.T) {
	dir, from := os.Getenv("PARLEY_TEST_CRASH_DIR"), 0
	if dir == "" {
		t.Skip("the crash test starts it")
	}
	if _, err := fmt.Sscan(os.Getenv("PARLEY_TEST_CRASH_FROM"), &from); err != nil {
		t.Fatal(err)
	}
	h, err := openHome(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	go func() {
		for f := from; ; f++ {
			file := &file{}
			for n := range crashFile {
				file.rows = append(file.rows, crashRecord(f, n))
			}
			last := int64(0)
			_, err := h.imports.RunRecords(t.Context(), h.org, file, ingest.ImportSpec{Name: "calls.xml", Agent: 1}, func(m ingest.Import) {
				if m.Rows > last {
					last = m.Rows
					fmt.Printf("import %d %d\n", f, m.Rows)
				}
			})
			if err != nil {
				fmt.Println("failed", err)
				return
			}
		}
	}()
	for b := from * 100; ; b++ {
		items := make([]ingest.Item, crashBatch)
		for n := range items {
			items[n] = crashCall(b, n)
		}
		if _, err := h.writer.Put(t.Context(), h.org, items); err != nil {
			t.Fatal(err)
		}
		fmt.Println("sync", b)
	}
}

// acknowledged is what children said.
type acknowledged struct {
	syncs map[int]bool
	files map[int]int // rows of each file
}

func (a *acknowledged) hear(line string) error {
	words := strings.Fields(line)
	switch {
	case len(words) == 2 && words[0] == "sync":
		b, err := strconv.Atoi(words[1])
		a.syncs[b] = true
		return err
	case len(words) == 3 && words[0] == "import":
		f, err1 := strconv.Atoi(words[1])
		rows, err2 := strconv.Atoi(words[2])
		a.files[f] = max(a.files[f], rows)
		return errors.Join(err1, err2)
	case len(words) > 0 && words[0] == "failed":
		return errors.New(line)
	default:
		return nil
	}
}

// crash runs a child on dir and kills it a while after its first word.
func (a *acknowledged) crash(t *testing.T, dir string, from int, after time.Duration) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
	c.Env = append(os.Environ(), "PARLEY_TEST_CRASH_DIR="+dir, fmt.Sprint("PARLEY_TEST_CRASH_FROM=", from))
	var told bytes.Buffer
	c.Stderr = &told
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	lines := bufio.NewReader(io.TeeReader(out, &all))
	var kill *time.Timer
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line without its end was not said
		}
		if kill == nil && strings.HasPrefix(line, "ready") {
			kill = time.AfterFunc(after, func() { _ = c.Process.Kill() }) // SIGKILL; it may have ended by itself, which is told below
		}
		if err := a.hear(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Wait(); err == nil || kill == nil {
		t.Fatalf("the child ended by itself (%v): %s%s", err, all.String(), told.String())
	}
}

// check opens what the killed children left and looks for every acknowledged call.
func (a *acknowledged) check(t *testing.T, dir string) {
	t.Helper()
	h, err := openHome(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := h.imports.Interrupted(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.data.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := map[int64]int{}
	if err := call.Each(t.Context(), h.data, call.Where(h.org.ID), "", func(r *call.Row) error { at[r.Start]++; return nil }); err != nil {
		t.Fatal(err)
	}
	for start, n := range at {
		if n != 1 {
			t.Fatalf("%d calls start at %d, want one", n, start)
		}
	}
	for b := range a.syncs {
		for n := range crashBatch {
			if it := crashCall(b, n); at[it.Start.UnixMilli()] != 1 {
				t.Fatalf("call %d of the acknowledged batch %d is lost", n, b)
			}
		}
	}
	for f, rows := range a.files {
		for n := range rows {
			if at[crashRecord(f, n).Start.UnixMilli()] != 1 {
				t.Fatalf("row %d of file %d is lost, though %d were acknowledged", n, f, rows)
			}
		}
	}
	a.checkCounts(t, h)
}

// checkCounts compares what the imports say they added with what is there, and roll-ups with calls.
func (a *acknowledged) checkCounts(t *testing.T, h *home) {
	t.Helper()
	all, err := h.imports.List(t.Context(), h.org, 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		var n int64
		if err := h.data.Row(t.Context(), `SELECT count(*) FROM calls WHERE org_id = $1 AND ref = $2`, h.org.ID, -m.No).Scan(&n); err != nil || n != m.New {
			t.Fatalf("import %d says it added %d calls; %d are there (%v)", m.No, m.New, n, err)
		}
		if m.State == ingest.ImportRunning {
			t.Fatalf("import %d is still said to run", m.No)
		}
	}
	var days, rolls int
	if err := h.data.Row(t.Context(), `SELECT (SELECT count(*) FROM (SELECT DISTINCT day, agent FROM calls) AS d), (SELECT count(*) FROM rolls)`).Scan(&days, &rolls); err != nil || days != rolls {
		t.Fatalf("there are %d roll-ups of %d agent-days (%v)", rolls, days, err)
	}
}

// TestNothingAcknowledgedIsLostWhenTheServerIsKilled kills 10 servers, or PARLEY_TEST_KILLS.
func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	kills := 10
	if text := os.Getenv("PARLEY_TEST_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	if testing.Short() {
		kills = 2
	}
	rnd := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	const perFolder = 10 // so that the last folders are not slower than the first
	for from := 0; from < kills; from += perFolder {
		dir := t.TempDir()
		a := &acknowledged{syncs: map[int]bool{}, files: map[int]int{}}
		for k := range min(perFolder, kills-from) {
			a.crash(t, dir, 10*k, time.Duration(rnd.IntN(120)+k%4/3*rnd.IntN(300))*time.Millisecond)
			a.check(t, dir)
		}
		t.Logf("%d batches and %d files were acknowledged before the kills", len(a.syncs), len(a.files))
	}
}
