package intake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"parley/account"
	"parley/crm/intake"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/sheet"
)

// workbook writes a list of so many leads as Excel keeps it, and gives it opened.
func workbook(t testing.TB, rows int) (*os.File, int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "list.xlsx"))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	b := sheet.NewWorkbook(f)
	b.Begin("Leads", []int{20, 20, 20, 20, 20, 20, 20, 20})
	b.Row()
	for _, h := range []string{"First name", "Last name", "Company", "Mobile", "Email", "City", "Budget", "Enquiry date"} {
		b.Text(h, sheet.StyleHead)
	}
	for i := range rows {
		b.Row()
		b.Text(fmt.Sprint("Asha", i), sheet.StyleNone)
		b.Text([]string{"Sharma", "Rao", "Iyer", "Khan"}[i%4], sheet.StyleNone)
		b.Text(fmt.Sprintf("Firm %d & Sons", i/3), sheet.StyleNone)
		b.Number(919800000001+float64(i), sheet.StyleNone) // as spreadsheets keep numbers
		b.Text(fmt.Sprintf("asha%d@example.com", i), sheet.StyleNone)
		b.Text("Pune", sheet.StyleNone)
		b.Number(float64(i*100), sheet.StyleNone)
		b.Number(46082+float64(i%30), sheet.StyleDate)
	}
	b.End()
	must(t, b.Close())
	info, err := f.Stat()
	must(t, err)
	return f, info.Size()
}

// alternate gives leads to members in turn.
func (s *story) alternate() {
	s.deps.Assign = func(context.Context, *account.Org) (*intake.Assigner, error) {
		n := 0
		return &intake.Assigner{Decide: func(_ context.Context, _ db.Conn, cases []intake.Case) ([]intake.Given, error) {
			out := make([]intake.Given, len(cases))
			for i := range cases {
				out[i] = intake.Given{Owner: []account.MemberID{s.asha, s.bina}[n%2], Why: "in turn"}
				n++
			}
			return out, nil
		}}, nil
	}
	s.imports = intake.New(s.deps)
}

// bring imports a workbook and gives how long it took and how much memory was in use at most.
func (s *story) bring(t testing.TB, rows int, spec intake.Spec) (m *intake.Import, took time.Duration, peak uint64) {
	t.Helper()
	f, size := workbook(t, rows)
	s.alternate()
	spec.Kind, spec.Name, spec.Give = intake.Leads, "list.xlsx", intake.ByRules
	began := time.Now()
	looked := int64(0)
	m, err := s.imports.Run(t.Context(), s.owner, f, size, spec, func(m intake.Import) {
		if m.Counts.Rows-looked < int64(rows/20) {
			return
		}
		looked = m.Counts.Rows
		runtime.GC()
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		peak = max(peak, mem.HeapAlloc)
	})
	must(t, err)
	return m, time.Since(began), peak
}

func TestAWorkbookIsBroughtInInConstantMemory(t *testing.T) {
	s := newStory(t, dbtest.SQLite(t, schemas()...))
	_, _, small := s.bring(t, 2000, intake.Spec{DryRun: true})
	m, _, large := s.bring(t, 8000, intake.Spec{})
	if m.Counts.Leads != 8000 || m.Counts.Owners[s.asha] != 4000 || m.Counts.Owners[s.bina] != 4000 {
		t.Errorf("%+v", m.Counts)
	}
	if large > small+24<<20 {
		t.Errorf("%d MB for 8,000 rows, %d MB for 2,000", large>>20, small>>20)
	}
}

// BenchmarkImport measures what has a budget on an idle machine: 100,000 leads from a workbook, with assignment, in 60 s (1,700
// rows a second) and in constant memory.
func BenchmarkImport(b *testing.B) {
	const rows = 100_000
	for name, spec := range map[string]intake.Spec{"dry": {DryRun: true}, "real": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s := newStory(b, dbtest.SQLite(b, schemas()...))
				m, took, peak := s.bring(b, rows, spec)
				if m.Counts.Leads != rows {
					b.Errorf("%d leads in %s", m.Counts.Leads, took)
				}
				b.ReportMetric(rows/took.Seconds(), "rows/s")
				b.ReportMetric(float64(peak>>20), "MB")
			}
		})
	}
}
