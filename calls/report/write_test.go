package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/report"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// named replaces ids that are drawn at random by what they stand for.
func (s *shop) named(t *testing.T, text string) string {
	t.Helper()
	var pairs []string
	for _, m := range []struct{ id, name string }{{string(s.asha.ID), "asha"}, {string(s.bina.ID), "bina"}, {string(s.chetan.ID), "chetan"}} {
		pairs = append(pairs, m.id, "<"+m.name+">")
	}
	for name, l := range s.lines {
		pairs = append(pairs, string(l.ID), "<line of "+name+">")
	}
	for _, n := range []string{meera, irfan, sunita, deepak, odd} {
		key, err := s.Book.Key(t.Context(), s.Org.ID, n)
		must(t, err)
		pairs = append(pairs, string(key), "<key of "+n+">")
	}
	for i, r := range s.Rows(t) {
		pairs = append(pairs, r.Key.ID(s.Org.ID), fmt.Sprintf("<call %d>", i))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got == string(want) {
		return
	}
	is, was := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(is), len(was)) {
		if is[i] != was[i] {
			t.Errorf("%s differs at line %d:\n got %s\nwant %s", name, i+1, is[i], was[i])
			return
		}
	}
	t.Errorf("%s has %d lines, want %d", name, len(is), len(was))
}

// cells writes a workbook as a spreadsheet shows it: a line per row, each cell with its type.
func cells(t *testing.T, file []byte) string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	must(t, err)
	defer f.Close()
	var b strings.Builder
	for _, name := range f.GetSheetList() {
		fmt.Fprintf(&b, "[%s]\n", name)
		rows, err := f.GetRows(name)
		must(t, err)
		for i, row := range rows {
			for j, shown := range row {
				at, err := excelize.CoordinatesToCellName(j+1, i+1)
				must(t, err)
				kind, err := f.GetCellType(name, at)
				must(t, err)
				formula, err := f.GetCellFormula(name, at)
				must(t, err)
				if formula != "" {
					t.Errorf("%s %s holds the formula %q", name, at, formula)
				}
				if j > 0 {
					b.WriteString(" | ")
				}
				if kind == excelize.CellTypeInlineString {
					b.WriteString("'")
				}
				b.WriteString(shown)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// Every report in every form. Both engines give the same.
func TestEverySheetInEveryForm(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		key, err := s.Book.Key(t.Context(), s.Org.ID, irfan)
		must(t, err)
		must(t, s.Callbacks.Assign(t.Context(), s.operator(), key, s.bina.Agent))
		v := s.view(t, ask())
		for _, f := range report.Formats() {
			var all strings.Builder
			for _, id := range report.IDs() {
				if !id.OfCalls() {
					continue
				}
				sheet := s.sheet(t, v, id)
				var b bytes.Buffer
				must(t, sheet.Write(t.Context(), &b, f))
				fmt.Fprintf(&all, "== %s\n", sheet.FileName(f))
				if f == report.XLSX {
					all.WriteString(cells(t, b.Bytes()))
				} else {
					all.Write(b.Bytes())
				}
			}
			golden(t, "sheets."+string(f)+".golden", s.named(t, all.String()))
		}
	})
}

// What the command line promises: an object keyed by metric ids.
func TestSummaryJSONIsKeyedByMetrics(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	a := ask()
	a.Agent = string(s.asha.ID)
	var b bytes.Buffer
	must(t, s.sheet(t, s.view(t, a), report.Summary).WriteJSON(t.Context(), &b))
	var out struct {
		From, To, Zone string
		Scope          report.Scope
		ConnectedFrom  int                 `json:"connected_from_seconds"`
		Gap            int                 `json:"gap_minutes"`
		Complete       report.Complete     `json:"complete"`
		Metrics        map[string]*float64 `json:"metrics"`
	}
	must(t, json.Unmarshal(b.Bytes(), &out))
	if out.From != monday || out.To != "2026-04-16" || out.Zone != "Asia/Kolkata" || out.Scope != (report.Scope{Kind: report.ScopeAgent, Title: "Asha"}) ||
		out.ConnectedFrom != 1 || out.Gap != 15 || !out.Complete.Complete {
		t.Errorf("the head is %+v", out)
	}
	if *out.Metrics["calls"] != 4 || *out.Metrics["talk_seconds"] != 600 || *out.Metrics["connection_rate"] != 0 {
		t.Errorf("the figures are %s", b.String())
	}
	a.Types = []string{"incoming"}
	b.Reset()
	must(t, s.sheet(t, s.view(t, a), report.Summary).WriteJSON(t.Context(), &b))
	if !strings.Contains(b.String(), `"connection_rate":null`) {
		t.Errorf("a rate of nothing is not null: %s", b.String())
	}
}

// A cell that a spreadsheet would take for a formula, or for a number that it is not, must not be in a CSV.
func TestCSVIsSafeInASpreadsheet(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	for _, id := range report.IDs() {
		if !id.OfCalls() {
			continue
		}
		var b bytes.Buffer
		must(t, s.sheet(t, s.view(t, ask()), id).Write(t.Context(), &b, report.CSV))
		text, ok := strings.CutPrefix(b.String(), "\ufeff")
		if !ok || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
			t.Errorf("%s: no byte order mark, or a line that does not end in CRLF", id)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll() // as many fields in every row, or this fails
		must(t, err)
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("%s has the live cell %q", id, cell)
				}
			}
		}
	}
}

// Texts that look like formulas are text cells in a workbook, as they were written.
func TestXLSXHoldsNoFormula(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	var b bytes.Buffer
	must(t, s.sheet(t, s.view(t, ask()), report.Calls).WriteXLSX(t.Context(), &b))
	shown := cells(t, b.Bytes())
	for _, want := range []string{`'=HYPERLINK("http://evil.example";"Sunita")`, `'+1+1 wants a quote, "soon"`, `'@home; vip`, `'+919812300103`, `'0800123`, `600 | 0:10:00`} {
		if !strings.Contains(shown, want) {
			t.Errorf("the workbook lacks the text cell %s", want)
		}
	}
}

// A sheet that is longer than a worksheet goes on in the next one.
func TestALongXLSXGoesOnInTheNextWorksheet(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	var b bytes.Buffer
	must(t, report.WriteXLSXOf(t.Context(), s.sheet(t, s.view(t, ask()), report.Calls), &b, 6))
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	must(t, err)
	defer f.Close()
	if got := f.GetSheetList(); strings.Join(got, ",") != "Calls,Calls 2,Calls 3,About" {
		t.Errorf("the worksheets are %v", got)
	}
	rows := 0
	for _, name := range f.GetSheetList()[:3] {
		all, err := f.GetRows(name)
		must(t, err)
		if len(all) > 6 || all[0][0] != "Id" {
			t.Errorf("%s has %d rows under %v", name, len(all), all[0])
		}
		rows += len(all) - 1
	}
	if rows != 12 {
		t.Errorf("%d calls in the workbook, want 12", rows)
	}
	panes, err := f.GetPanes("Calls 2")
	must(t, err)
	if !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the header is not frozen: %+v", panes)
	}
}

// An export of many calls takes no more memory than one of few: rows are read in pages and written as they come.
func TestAnExportTakesConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 20,000 calls")
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine() == db.Postgres {
			t.Skip("the same code reads pages on both engines; one is enough for the memory")
		}
		s := newShop(t, d)
		const calls, batch = 20_000, 5000
		start := s.at(-60, 6, 0)
		for from := 0; from < calls; from += batch {
			items := make([]ingest.Item, batch)
			for i := range items {
				n := from + i
				at := start.Add(time.Duration(n/2000)*24*time.Hour + time.Duration(n%2000)*20*time.Second)
				items[i] = s.item(s.asha, at, fmt.Sprintf("+9198%08d", n%50), call.TypeOutgoing, n%300)
			}
			s.Put(t, items...)
		}
		v := s.view(t, report.Ask{From: "2026-01-01", Through: "2026-04-15"})
		for _, f := range report.Formats() {
			w := &meter{}
			before := heap()
			must(t, s.sheet(t, v, report.Calls).Write(t.Context(), w, f))
			if w.bytes < calls*80 {
				t.Errorf("%s: only %d bytes written", f, w.bytes)
			}
			if grown := int64(w.peak) - int64(before); grown > 3<<20 {
				t.Errorf("%s: the heap grew by %d MB while %d MB were written", f, grown>>20, w.bytes>>20)
			}
		}
	}, calltest.Schemas()...)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// meter counts what is written and looks at the live heap now and then.
type meter struct {
	bytes, next int
	peak        uint64
}

func (m *meter) Write(p []byte) (int, error) {
	m.bytes += len(p)
	if m.bytes >= m.next {
		m.next = m.bytes + 1<<20
		m.peak = max(m.peak, heap())
	}
	return len(p), nil
}

// A reader that goes away ends an export.
func TestAnExportEndsWithItsReader(t *testing.T) {
	d := dbtest.SQLite(t, calltest.Schemas()...)
	s := newShop(t, d)
	for _, f := range report.Formats() {
		if err := s.sheet(t, s.view(t, ask()), report.Calls).Write(t.Context(), broken{}, f); err == nil {
			t.Errorf("%s: a broken pipe went unnoticed", f)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	sheet := s.sheet(t, s.view(t, ask()), report.Calls)
	cancel()
	if err := sheet.Write(ended, io.Discard, report.CSV); err == nil {
		t.Error("an export went on after its request had ended")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
