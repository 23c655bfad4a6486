package spool_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"parley/platform/spool"
)

func TestAFileIsReadAnywhereAsItWasWritten(t *testing.T) {
	want := make([]byte, 300_000)
	for i := range want {
		want[i] = byte(i * 7)
	}
	f, err := spool.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for part := range bytes.Lines(bytes.ReplaceAll(want, []byte{'\n'}, []byte{'\n'})) { // parts of uneven length
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if f.Size() != int64(len(want)) {
		t.Fatalf("size is %d, want %d", f.Size(), len(want))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		off := random.IntN(len(want))
		p := make([]byte, random.IntN(len(want)-off)+1)
		if _, err := f.ReadAt(p, int64(off)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p, want[off:off+len(p)]) {
			t.Fatalf("%d bytes at %d differ", len(p), off)
		}
	}
	if n, err := f.ReadAt(make([]byte, 10), int64(len(want)-4)); n != 4 || err != io.EOF {
		t.Errorf("past the end: %d, %v; want 4 and EOF", n, err)
	}
}

func TestNothingReadableLiesOnDisk(t *testing.T) {
	dir := t.TempDir()
	f, err := spool.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(strings.NewReader(strings.Repeat("canary +919812300001 ", 1000))); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range files { // none on systems where an open file can lose its name
		raw, err := os.ReadFile(dir + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("canary")) {
			t.Error("the file can be read on disk")
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}
