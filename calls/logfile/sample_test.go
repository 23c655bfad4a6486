package logfile_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/calls/logfile"
)

var update = flag.Bool("update", false, "write the golden files")

func kolkata(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func india(t testing.TB) logfile.Options {
	return logfile.Options{Zone: kolkata(t), Country: "IN", Now: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)}
}

// told writes a record as one line, leaving out what is empty.
func told(r *logfile.Record) string {
	parts := []string{fmt.Sprintf("%d", r.Row), r.Start.UTC().Format("2006-01-02T15:04:05.000Z"), fmt.Sprintf("%ds", r.Seconds), r.Type.String(), r.Direction.String(), r.Source.String()}
	add := func(name, v string) {
		if v != "" {
			parts = append(parts, name+"="+v)
		}
	}
	add("file", r.File)
	add("number", r.Number)
	add("caller", r.Caller)
	add("callee", r.Callee)
	if r.Presentation > 1 {
		add("shown", r.Presentation.String())
	}
	if r.Unanswered {
		add("unanswered", "yes")
	}
	add("name", r.Name)
	add("note", fmt.Sprintf("%q", r.Note)[1:len(fmt.Sprintf("%q", r.Note))-1])
	add("tags", strings.Join(r.Tags, "/"))
	add("line", r.Line)
	add("agent", r.Agent)
	add("key", r.Key)
	return strings.Join(parts, " ")
}

// readAll reads a file to its end and checks what every reader keeps: rows ascend within a file, a refused row does not
// end the reading and says where it stands, the end is the end for good.
func readAll(t testing.TB, r logfile.Reader) (out []string, err error) {
	t.Helper()
	defer r.Close()
	file, last := "", 0
	for {
		rec, next := r.Next()
		row, of := 0, ""
		bad, refused := next.(*logfile.RowError)
		switch {
		case refused:
			row, of = bad.Row, bad.File
			out = append(out, fmt.Sprintf("%d refused %s %q: %s", bad.Row, bad.Column, bad.Value, bad.Sentence))
			if bad.Sentence == "" || bad.Row < 1 || len([]rune(bad.Value)) > 81 {
				t.Errorf("a refusal lacks its sentence or row, or holds too much: %+v", bad)
			}
		case next != nil:
			for range 3 {
				if rec, again := r.Next(); again != next || rec != nil {
					t.Errorf("after the end %v came %v, %v", next, rec, again)
				}
			}
			if next == io.EOF {
				next = nil
			}
			return out, next
		default:
			row, of = rec.Row, rec.File
			out = append(out, told(rec))
		}
		if of != file {
			file, last = of, 0
		}
		if row <= last {
			t.Errorf("row %d came after row %d", row, last)
		}
		last = row
	}
}

func openBytes(t testing.TB, name string, data []byte, o logfile.Options) (logfile.Reader, error) {
	t.Helper()
	return logfile.Open(bytes.NewReader(data), int64(len(data)), name, o)
}

func TestEveryFormatIsRecognisedByItsContentAndRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if filepath.Ext(path) == ".golden" {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			g, err := logfile.Detect(bytes.NewReader(data), int64(len(data)), "upload")
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			fmt.Fprintf(&b, "format %s (%s) zoned=%v ours=%v missing=%v order=%q\n", g.Format, g.Title, g.Zoned, g.NeedsOurs, g.Missing, g.Mapping.DateOrder)
			var mapped []string
			for f, h := range g.Mapping.Columns {
				mapped = append(mapped, string(f)+"="+h)
			}
			slices.Sort(mapped)
			fmt.Fprintf(&b, "mapping %s\n", strings.Join(mapped, ", "))
			r, err := openBytes(t, "upload", data, india(t))
			if err != nil {
				t.Fatal(err)
			}
			lines, err := readAll(t, r)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(strings.Join(lines, "\n") + "\n")
			golden(t, path+".golden", b.String())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant\n%s", path, got, want)
	}
}
