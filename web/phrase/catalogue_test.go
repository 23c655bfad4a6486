package phrase_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/web/phrase"
)

// message is one entry of a catalogue: its forms by plural, "other" alone where it has none.
type message map[string]string

func (m *message) UnmarshalJSON(b []byte) error {
	var plain string
	if json.Unmarshal(b, &plain) == nil {
		*m = message{"other": plain}
		return nil
	}
	forms := map[string]string{}
	err := json.Unmarshal(b, &forms)
	*m = forms
	return err
}

func read(t *testing.T, lang string) map[string]message {
	t.Helper()
	b, err := os.ReadFile("catalogue/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]message{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%s.json: %v", lang, err)
	}
	return out
}

var placeholder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

func placeholders(text string) []string {
	names := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		names[m[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func TestEveryLanguageSaysTheSameThings(t *testing.T) {
	en := read(t, "en")
	for _, l := range phrase.Languages()[1:] {
		other := read(t, l.Code)
		for key, m := range en {
			theirs, ok := other[key]
			if !ok {
				t.Errorf("%s.json lacks %q", l.Code, key)
				continue
			}
			want := placeholders(m["other"])
			for form, text := range theirs {
				if got := placeholders(text); !slices.Equal(got, want) {
					t.Errorf("%s.json: %q (%s) has the placeholders %v, want %v", l.Code, key, form, got, want)
				}
				if strings.Count(text, "**") != strings.Count(m["other"], "**") {
					t.Errorf("%s.json: %q (%s) stresses other words than en.json", l.Code, key, form)
				}
			}
			if len(m) != len(theirs) {
				t.Errorf("%s.json: %q has the plural forms %v, want %v", l.Code, key, slices.Sorted(maps.Keys(theirs)), slices.Sorted(maps.Keys(m)))
			}
		}
		for key := range other {
			if _, ok := en[key]; !ok {
				t.Errorf("%s.json has %q, which en.json lacks", l.Code, key)
			}
		}
	}
}

var (
	inTemplate = regexp.MustCompile(`[{(|]-?\s*(?:rich|t)\s+(?:\(print\s+)?"([a-z0-9_.]+)"|\((?:rich|t)\s+(?:\(print\s+)?"([a-z0-9_.]+)"|:?=\s*(?:rich|t)\s+(?:\(print\s+)?"([a-z0-9_.]+)"|(?:if|else|with|and|or)\s+\(?(?:rich|t)\s+"([a-z0-9_.]+)"`)
	inGo       = regexp.MustCompile(`\.(?:T|Rich|Has)\(\s*"([a-z0-9_.]+)"`)
)

// used lists the keys that the templates and Go files under web name, with the file that names them. A key that ends in
// a point is the start of one that is put together.
func used(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		var found *regexp.Regexp
		switch filepath.Ext(path) {
		case ".html":
			found = inTemplate
		case ".go":
			found = inGo
		default:
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range found.FindAllStringSubmatch(string(b), -1) {
			out[strings.Join(m[1:], "")] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryUsedKeyIsInTheCatalogue(t *testing.T) {
	en := read(t, "en")
	keys := slices.Sorted(maps.Keys(en))
	found := used(t)
	if len(found) < 20 {
		t.Fatalf("only %d used keys were found: the search for them is broken", len(found))
	}
	for key, file := range found {
		if _, ok := en[key]; ok {
			continue
		}
		starts := func(k string) bool { return strings.HasPrefix(k, key) }
		if strings.HasSuffix(key, ".") && slices.ContainsFunc(keys, starts) {
			continue
		}
		t.Errorf("%s uses %q, which the catalogue lacks", file, key)
	}
}
