package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parley/platform/journal"
)

func read(t *testing.T, f *journal.File) string {
	t.Helper()
	raw, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func add(t *testing.T, f *journal.File, lines string) {
	t.Helper()
	if err := f.Add([]byte(lines)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatACrashCutOffIsOverwritten(t *testing.T) {
	f := journal.At(filepath.Join(t.TempDir(), "a.log"))
	if got := read(t, f); got != "" {
		t.Errorf("a journal that was never written holds %q", got)
	}
	add(t, f, "one\ntwo\n")
	cut, err := os.OpenFile(f.Path(), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = cut.WriteString("thr")
	}
	if err := errors.Join(err, cut.Close()); err != nil {
		t.Fatal(err)
	}
	raw, err := f.Read()
	if got := string(journal.Whole(raw)); got != "one\ntwo\n" || err != nil {
		t.Errorf("after a crash it holds %q, %v", got, err)
	}
	add(t, f, "four\n")
	if got := read(t, f); got != "one\ntwo\nfour\n" {
		t.Errorf("the next line went to %q", got)
	}
}

func TestAJournalIsChangedAllOrNothing(t *testing.T) {
	f := journal.At(filepath.Join(t.TempDir(), "a.log"))
	add(t, f, "one\n")
	if err := f.Change(func([]byte) ([]byte, error) { return nil, os.ErrInvalid }); !errors.Is(err, os.ErrInvalid) || read(t, f) != "one\n" {
		t.Errorf("a change that failed gave %v and left %q", err, read(t, f))
	}
	before, err := os.Stat(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	same := f.Change(func(raw []byte) ([]byte, error) { return raw, nil })
	if after, err := os.Stat(f.Path()); same != nil || err != nil || !os.SameFile(before, after) {
		t.Errorf("a change of nothing wrote the file anew: %v, %v", same, err)
	}
	if err := f.Change(func(raw []byte) ([]byte, error) { return append(raw, "two\n"...), nil }); err != nil || read(t, f) != "one\ntwo\n" {
		t.Errorf("a change gave %v and left %q", err, read(t, f))
	}
}
