package policy

import (
	"embed"
	"slices"
	"strings"
)

//go:embed vocabulary/*.txt
var vocabularies embed.FS

// vocabulary reads the keys of one list.
func vocabulary(name string) []string {
	text, err := vocabularies.ReadFile("vocabulary/" + name + ".txt")
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
}

func fidesCategories() []string { return vocabulary("fideslang_categories") }
func fidesUses() []string       { return vocabulary("fideslang_uses") }
func dpvTerms() []string        { return vocabulary("dpv") }

// Languages are those that the pages can be written in.
func Languages() []string { return []string{"en", "hi"} }
