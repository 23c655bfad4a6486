package logfile_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"parley/calls/logfile"
)

// endless is a file of a given size that exists nowhere: a beginning, then the same rows over and over, then an end.
type endless struct {
	begin, rows, end string
	repeats          int64
}

func (e *endless) size() int64 {
	return int64(len(e.begin)) + int64(len(e.rows))*e.repeats + int64(len(e.end))
}

func (e *endless) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		part, from := e.part(at + int64(n))
		if part == "" {
			return n, io.EOF
		}
		n += copy(p[n:], part[from:])
	}
	return n, nil
}

func (e *endless) part(at int64) (string, int64) {
	if at < int64(len(e.begin)) {
		return e.begin, at
	}
	at -= int64(len(e.begin))
	if body := int64(len(e.rows)) * e.repeats; at < body {
		return e.rows, at % int64(len(e.rows))
	} else if at -= body; at < int64(len(e.end)) {
		return e.end, at
	}
	return "", 0
}

const (
	csvLine  = "+919812300111,Incoming,2026-03-02 10:11:12,80,Meera Sons,\"Wants a quote, soon\"\n"
	xmlLine  = `  <call number="+919812300101" duration="125" date="1775015400000" type="1" presentation="1" subscription_id="1" post_dial_digits="" subscription_component_name="com.android.phone/com.android.services.telephony.TelephonyConnectionService" readable_date="1 Apr 2026 09:20:00" contact_name="Meera &amp; Sons" />` + "\n"
	jsonLine = `{"_id":"1","number":"+912266200101","date":"1775015400000","duration":"125","type":"1","presentation":"1","name":"Meera","subscription_id":"1"}` + "\n"
)

func asteriskLines() string {
	var b strings.Builder
	for i := range 4096 {
		fmt.Fprintf(&b, `"","+912266200101","201","from-trunk","""Meera"" <+912266200101>","PJSIP/trunk-1","PJSIP/201-2","Dial","PJSIP/201,30","2026-03-02 10:11:12","2026-03-02 10:11:20","2026-03-02 10:13:20",128,120,"ANSWERED","DOCUMENTATION","177242%04d.%d",""`+"\n", i, i)
	}
	return b.String()
}

// bigFiles are files of about so many megabytes, by format.
func bigFiles(megabytes int64) map[string]*endless {
	out := map[string]*endless{
		"csv":      {begin: "Number,Type,Start time,Duration,Name,Note\n", rows: csvLine},
		"xml":      {begin: "<?xml version='1.0' encoding='UTF-8'?>\n<calls count=\"1\">\n", rows: xmlLine, end: "</calls>"},
		"ndjson":   {rows: jsonLine},
		"json":     {begin: "[\n" + jsonLine, rows: "," + jsonLine, end: "]"},
		"asterisk": {rows: asteriskLines()},
	}
	for _, e := range out {
		e.repeats = megabytes << 20 / int64(len(e.rows))
	}
	return out
}

// drain reads a file to its end and gives the number of rows and the most memory that was in use on the way.
func drain(t testing.TB, r logfile.Reader, every int) (rows int, heap uint64) {
	t.Helper()
	defer r.Close()
	var m runtime.MemStats
	for {
		if _, err := r.Next(); err == io.EOF {
			return rows, heap
		} else if err != nil {
			t.Fatal(err)
		}
		if rows++; rows%every == 0 {
			runtime.ReadMemStats(&m)
			heap = max(heap, m.HeapAlloc)
		}
	}
}

func TestBigFilesAreReadInConstantMemory(t *testing.T) {
	megabytes := int64(32)
	if testing.Short() {
		megabytes = 8
	}
	for name, e := range bigFiles(megabytes) {
		runtime.GC()
		r, err := logfile.Open(e, e.size(), "big", india(t))
		must(t, err)
		rows, heap := drain(t, r, 10_000)
		if heap > 40<<20 {
			t.Errorf("%s: %d MB in use on the way through %d rows", name, heap>>20, rows)
		}
		if rows < int(e.repeats) {
			t.Errorf("%s: %d rows of %d", name, rows, e.repeats)
		}
	}
}

// bigBook writes a workbook of so many rows, with texts shared or in the cells.
func bigBook(t testing.TB, rows int) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	w, err := x.NewStreamWriter("Sheet1")
	must(t, err)
	must(t, w.SetRow("A1", []any{"Number", "Type", "Start time", "Duration"}))
	for i := range rows {
		must(t, w.SetRow(fmt.Sprintf("A%d", i+2), []any{919812300000 + i%1000, "Incoming", "2026-03-02 10:11:12", 80}))
	}
	must(t, w.Flush())
	b, err := x.WriteToBuffer()
	must(t, err)
	return b.Bytes()
}

func TestALargeWorkbookIsReadInConstantMemory(t *testing.T) {
	data := bigBook(t, 60_000)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := logfile.Open(bytes.NewReader(data), int64(len(data)), "big.xlsx", india(t))
	must(t, err)
	rows, heap := drain(t, r, 5000)
	if rows != 60_000 || heap > before.HeapAlloc+24<<20 {
		t.Errorf("%d rows with %d MB in use, %d before", rows, heap>>20, before.HeapAlloc>>20)
	}
}

func BenchmarkOpen(b *testing.B) {
	for name, e := range bigFiles(16) {
		b.Run(name, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				r, err := logfile.Open(e, e.size(), "big", india(b))
				must(b, err)
				n, _ := drain(b, r, 1<<30)
				rows += n
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	book := bigBook(b, 50_000)
	b.Run("xlsx", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			r, err := logfile.Open(bytes.NewReader(book), int64(len(book)), "big.xlsx", india(b))
			must(b, err)
			n, _ := drain(b, r, 1<<30)
			rows += n
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}

// fuzzOpen opens and reads whatever comes as one format; readAll checks the contract of readers.
func fuzzOpen(f *testing.F, o func(testing.TB) logfile.Options, patterns ...string) {
	for _, p := range patterns {
		files, err := filepath.Glob("testdata/" + p)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds %s: %v", p, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			must(f, err)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		if g, err := logfile.Detect(bytes.NewReader(data), int64(len(data)), "x"); err == nil && g.Format.Title() == "" {
			t.Errorf("detected %q", g.Format)
		}
		r, err := openBytes(t, "x", data, o(t))
		if err != nil {
			return
		}
		readAll(t, r)
	})
}

func as(f logfile.Format) func(testing.TB) logfile.Options {
	return func(t testing.TB) logfile.Options {
		o := india(t)
		o.Format = f
		return o
	}
}

func FuzzOpenSMSBackup(f *testing.F) { fuzzOpen(f, as(logfile.SMSBackup), "*.xml") }
func FuzzOpenPBX(f *testing.F) {
	fuzzOpen(f, as(logfile.Asterisk), "Master*.csv", "free*.csv", "cdr_custom.csv")
}
func FuzzOpenTakeout(f *testing.F) { fuzzOpen(f, as(logfile.Takeout), "*.html", "takeout.zip") }
func FuzzOpenJSON(f *testing.F)    { fuzzOpen(f, as(logfile.SMSIE), "*.json", "*.ndjson") }
func FuzzOpenTable(f *testing.F)   { fuzzOpen(f, as(logfile.Table), "*.csv", "*.tsv") }
func FuzzOpenAny(f *testing.F) {
	f.Add(workbook(f))
	fuzzOpen(f, as(""), "*.zip", "*.csv", "*.xml")
}

// counting tells how far a file has been read.
type counting struct {
	io.ReaderAt
	furthest int64
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.furthest = max(c.furthest, at+int64(n))
	return n, err
}

func TestRowsThatAllClaimOneCallDoNotReadTheWholeFileAhead(t *testing.T) {
	row := `"","9812300111","201","c","","SIP/trunk-1","SIP/201-2","Dial","x","2026-03-02 10:11:12","2026-03-02 10:11:20","2026-03-02 10:13:20",128,120,"ANSWERED","D","1772426472.1",""` + "\n"
	e := &endless{rows: row, repeats: 400_000}
	c := &counting{ReaderAt: e}
	r, err := logfile.Open(c, e.size(), "Master.csv", india(t))
	must(t, err)
	defer r.Close()
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if c.furthest > 8<<20 {
		t.Errorf("the first call needed %d MB of %d", c.furthest>>20, e.size()>>20)
	}
}
