package hold_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/trust/hold"
)

// deletions finds every function of the program that removes rows, and every use of a way that package hold names.
func deletions(t *testing.T) (functions map[string]bool, asked map[string]bool) {
	t.Helper()
	functions, asked = map[string]bool{}, map[string]bool{}
	root := filepath.Join("..", "..")
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (slices.Contains([]string{"node_modules", "testdata", "bench", "data"}, d.Name()) || strings.HasPrefix(d.Name(), ".") && p != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, p, nil, 0)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if n.Kind == token.STRING && strings.Contains(n.Value, "DELETE FROM") {
						functions[filepath.ToSlash(dir)+"."+fn.Name.Name] = true
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "hold" {
						asked[n.Sel.Name] = true
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return functions, asked
}

// TestEveryDeletionIsKnown compares the functions that remove rows with a list that says of each by which way it comes,
// whose gate is asked, or why it is no deletion of what is known about people. A new one fails until somebody has thought
// about it.
func TestEveryDeletionIsKnown(t *testing.T) {
	const list = "testdata/deletions.tsv"
	found, asked := deletions(t)
	if len(found) < 40 {
		t.Fatalf("only %d functions that remove rows were found", len(found))
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	known, ways := map[string]string{}, map[hold.Path]bool{}
	for _, p := range hold.Paths() {
		ways[p.Path] = false
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, "\t")
		if len(parts) != 3 || parts[2] == "" {
			t.Errorf("the line %q does not say function, ways and why", line)
			continue
		}
		known[parts[0]] = line
		for way := range strings.SplitSeq(parts[1], " ") {
			if _, ok := ways[hold.Path(way)]; !ok && way != "-" {
				t.Errorf("%s is said to come by %q, which is no way", parts[0], way)
			}
			ways[hold.Path(way)] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if known[name] == "" {
			t.Errorf("%s removes rows and is not in %s: say by which way, so that holds are asked, or why it needs none", name, list)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !found[name] {
			t.Errorf("%s stands in %s and removes nothing any more", name, list)
		}
	}
	for way, used := range ways {
		if !used && way != "-" {
			t.Errorf("nothing is deleted by the way %q", way)
		}
	}
	for name, way := range map[string]hold.Path{"CallDelete": hold.CallDelete, "NoteClear": hold.NoteClear, "ImportUndo": hold.ImportUndo, "AccountDelete": hold.AccountDelete,
		"OrgClose": hold.OrgClose, "RightsErase": hold.RightsErase, "RetainApply": hold.RetainApply, "ArchiveExpire": hold.ArchiveExpire, "AttestDrop": hold.AttestDrop,
		"ContactDelete": hold.ContactDelete, "LeadDelete": hold.LeadDelete} {
		if _, ok := ways[way]; !ok || len(hold.Paths()) != 11 {
			t.Errorf("this test and the list of ways disagree about %s", way)
		}
		if !asked[name] {
			t.Errorf("nobody asks the gate for the way %s", way)
		}
	}
}
