package attest

import (
	"encoding/json"
	"runtime/debug"
	"slices"
	"strings"
)

// Bill is what a program is made of.
type Bill struct {
	Program  string
	Version  string
	Go       string
	Revision string // of the source; "" when it is not known
	Parts    []Part
}

// Part is a library in the program.
type Part struct {
	Path    string
	Version string
	Sum     string // as in go.sum; "" when it is not known
}

// BillOf reads what a program was built of, as its build notes it: nothing is looked up.
func BillOf(info *debug.BuildInfo, version string) *Bill {
	b := &Bill{Program: info.Main.Path, Version: version, Go: info.GoVersion}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Parts = append(b.Parts, Part{m.Path, m.Version, m.Sum})
	}
	slices.SortFunc(b.Parts, func(x, y Part) int { return strings.Compare(x.Path, y.Path) })
	return b
}

// CycloneDX writes the bill in the form that scanners read: CycloneDX 1.5 (ECMA-424) as JSON, with package URLs.
func (b *Bill) CycloneDX() ([]byte, error) {
	type property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type component struct {
		Type       string     `json:"type"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	main := component{Type: "application", Name: b.Program, Version: b.Version, PURL: purl(b.Program, b.Version)}
	if b.Revision != "" {
		main.Properties = []property{{"vcs.revision", b.Revision}}
	}
	std := strings.TrimPrefix(b.Go, "go")
	parts := []component{{Type: "library", Name: "std", Version: std, PURL: purl("std", std)}}
	for _, p := range b.Parts {
		c := component{Type: "library", Name: p.Path, Version: p.Version, PURL: purl(p.Path, p.Version)}
		if p.Sum != "" {
			c.Properties = []property{{"go.sum", p.Sum}}
		}
		parts = append(parts, c)
	}
	return json.MarshalIndent(struct {
		Format   string `json:"bomFormat"`
		Spec     string `json:"specVersion"`
		Version  int    `json:"version"`
		Metadata struct {
			Component component `json:"component"`
		} `json:"metadata"`
		Components []component `json:"components"`
	}{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: struct {
		Component component `json:"component"`
	}{main}, Components: parts}, "", "  ")
}

// purl is a package URL of the type golang.
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}
