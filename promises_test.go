package main

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"

	"parley/trust/prove"
)

// TestPromisesNameTestsThatExist finds names in the inventory of promises that no test has (any more).
func TestPromisesNameTestsThatExist(t *testing.T) {
	_, files := readSources(t)
	there := map[string]bool{}
	for _, f := range files {
		if !f.test {
			continue
		}
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				there[strings.TrimPrefix(f.dir, ".")+"."+fn.Name.Name] = true
			}
		}
	}
	lacking := map[string][]string{}
	for _, p := range prove.Promises() {
		for _, test := range p.Tests {
			if !there[test] {
				lacking[test] = append(lacking[test], p.ID)
			}
		}
		if !p.Open() && p.Kind != prove.Attested && p.Rule == "" {
			t.Errorf("%s has no rule", p.ID)
		}
	}
	for _, test := range slices.Sorted(maps.Keys(lacking)) {
		t.Errorf("there is no test %s, which %s name", test, strings.Join(lacking[test], ", "))
	}
}
