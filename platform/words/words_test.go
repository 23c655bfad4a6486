package words_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/platform/vault"
	"parley/platform/words"
)

func TestTextsAreCutIntoWordsThatPeopleTakeForTheSame(t *testing.T) {
	for text, want := range map[string][]string{
		"Élégance, ÉLÉGANCE & élégance's": {"elegance", "elegance", "elegance", "s"},
		"ख़रीदना है":                      {"खरीदना", "है"},
		"मीरा\u200dजी 🍋🍋️ ４２":             {"मीराजी", "🍋🍋", "42"},
		"سَارَة": {"سارة"},
		" \t—/":  nil,
	} {
		if got := words.Of(text); !slices.Equal(got, want) {
			t.Errorf("%q is cut into %q, want %q", text, got, want)
		}
	}
	if got := words.OfNote("b a b"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("a note has the words %q", got)
	}
	if got := words.OfQuery("I am here and you are there too"); !slices.Equal(got, []string{"am", "here", "and", "you", "are"}) {
		t.Errorf("a query has the words %q", got)
	}
	if got := words.OfNote(strings.Repeat("x ", 10) + fmt.Sprint(slices.Repeat([]int{7}, 3))); len(got) != 2 {
		t.Errorf("repeated words are %q", got)
	}
	if all := words.OfNote("wants the catalogue"); !words.HasAll(all, []string{"cat", "wants"}) || words.HasAll(all, []string{"cat", "dog"}) || !words.HasAll(all, nil) {
		t.Error("the words of a note begin otherwise")
	}
}

// Words that begin alike lie in one range of the index, whatever the key.
func TestBeginningsShareTheirPartOfTheIndex(t *testing.T) {
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(t.Context(), dir, master)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	}()
	k, err := keys.Org(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		begin, word string
		part        int // bytes of the index that a search for the beginning looks at
		in          bool
	}{
		{"ca", "catalogue", 2, true}, {"cata", "catalogue", 4, true}, {"catalo", "catalogue", 6, true}, {"catalogu", "catalogue", 8, true},
		{"catalogues", "catalogue", 8, true}, // settled by opening
		{"cb", "catalogue", 2, false}, {"cat", "ca", 4, false}, {"ठी", "ठीक", 2, true}, {"c", "c", 10, true}, {"c", "ca", 10, false},
	} {
		part := words.Beginning(k, "a label", c.begin)
		first, last := words.Around(part)
		idx := words.Index(k, "a label", c.word)
		if in := bytes.Compare(first, idx) <= 0 && bytes.Compare(idx, last) <= 0; len(part) != c.part || in != c.in || len(idx) != words.IndexBytes {
			t.Errorf("%q looks at %d bytes and finds %q: %v", c.begin, len(part), c.word, in)
		}
	}
	if bytes.Equal(words.Index(k, "a label", "word"), words.Index(k, "another", "word")) {
		t.Error("two indexes have one word alike")
	}
}
