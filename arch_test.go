package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"parley/platform/audit"
)

// floors are the wings of the house, lowest first; imports go down only. A package belongs to the floor with the longest
// prefix of its path. Within a floor, packages may import each other as the compiler allows.
var floors = []struct {
	name     string
	prefixes []string
}{
	{"platform: errors, ids, days, numbers", []string{"platform/fault", "platform/id", "platform/civil", "platform/phone", "platform/filetype", "platform/sheet", "platform/spool", "platform/seal", "platform/flaw", "platform/journal"}},
	{"platform: databases", []string{"platform/db"}},
	{"platform: keys", []string{"platform/vault"}},
	{"platform: duties", []string{"platform"}},
	{"account", []string{"account"}},
	{"trust: persons, law and the policy", []string{"trust/subject", "trust/datamap", "trust/law", "trust/policy"}},
	{"trust: what the policy governs", []string{"trust"}},
	{"calls: the number book", []string{"calls/number"}},
	{"calls: one call", []string{"calls/call"}},
	{"calls: roll-ups and devices", []string{"calls/roll", "calls/device", "calls/logfile"}},
	{"calls: figures and ingest", []string{"calls/stats", "calls/ingest", "calls/callback"}},
	{"calls: reports and persons", []string{"calls/report", "calls/person"}},
	{"crm: fields and formats", []string{"crm/field", "crm/vcard"}},
	{"crm: persons", []string{"crm/contact"}},
	{"crm: files and chances of business", []string{"crm/file", "crm/lead"}},
	{"crm: who does what next", []string{"crm/assign", "crm/followup"}},
	{"crm: calls, files, figures and search", []string{"crm"}},
	{"reach", []string{"reach"}},
	{"web kit", []string{"web/phrase", "web/chart", "web/assets", "web/template", "web/ui"}},
	{"api and web", []string{"api", "web"}},
	{"app", []string{"app"}},
	{"main", []string{"."}},
}

// forTests are packages that only tests import; they may know everything below the app.
var forTests = []string{"platform/db/dbtest", "calls/calltest", "crm/crmtest"}

// soleImporters are the libraries that one package wraps for everybody else.
var soleImporters = map[string][]string{
	"github.com/ncruces/go-sqlite3":       {"platform/db"},
	"github.com/jackc/pgx":                {"platform/db"},
	"github.com/nyaruka/phonenumbers":     {"platform/phone"},
	"github.com/danielgtaylor/huma":       {"api"},
	"github.com/RoaringBitmap/roaring":    {"calls/stats"},
	"github.com/wneessen/go-mail":         {"reach/mail"},
	"github.com/alecthomas/kong":          {"app"},
	"go.yaml.in/yaml":                     {"trust/policy"},
	"github.com/nicksnyder/go-i18n":       {"web/phrase"},
	"github.com/rickar/cal":               {"trust/law"},
	"github.com/trustelem/zxcvbn":         {"account/password"},
	"golang.org/x/crypto/argon2":          {"account/password"},
	"github.com/prometheus/client_golang": {"app"},
	"golang.org/x/mod/sumdb/tlog":         {"platform/audit"},
	"github.com/minio/minio-go":           {"platform/blob"},
	"github.com/gabriel-vasile/mimetype":  {"platform/filetype"},
}

// Budgets.
const (
	longestChain    = 17 // packages of ours from main down
	longestFunction = 80 // lines
	usualFunction   = 50 // lines, 95 of 100 functions
	longestFile     = 600
)

// sourceFile is one Go file of the product, tests included.
type sourceFile struct {
	path, dir string
	test      bool
	lines     int
	syntax    *ast.File
}

func readSources(t *testing.T) (*token.FileSet, []*sourceFile) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*sourceFile
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || p == "bench" || p == "data" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, &sourceFile{
			path: p, dir: filepath.ToSlash(filepath.Dir(p)), test: strings.HasSuffix(p, "_test.go"),
			lines: fset.File(syntax.Pos()).LineCount(), syntax: syntax,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d Go files were found", len(files))
	}
	return fset, files
}

func (f *sourceFile) imports() []string {
	var out []string
	for _, i := range f.syntax.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			out = append(out, p)
		}
	}
	return out
}

func floorOf(dir string) int {
	best, length := -1, -1
	for i, f := range floors {
		for _, p := range f.prefixes {
			if (dir == p || strings.HasPrefix(dir, p+"/")) && len(p) > length {
				best, length = i, len(p)
			}
		}
	}
	return best
}

func TestImportsGoDown(t *testing.T) {
	_, files := readSources(t)
	graph := map[string]map[string]bool{}
	for _, f := range files {
		if slices.Contains(forTests, f.dir) {
			continue
		}
		from := floorOf(f.dir)
		if from < 0 {
			t.Errorf("%s stands on no floor: name its place in arch_test.go and ARCHITECTURE.md", f.path)
			continue
		}
		for _, imported := range f.imports() {
			dir, ours := strings.CutPrefix(imported, "parley/")
			if !ours || f.test {
				continue
			}
			if slices.Contains(forTests, dir) {
				t.Errorf("%s imports %s, which is for tests", f.path, imported)
			}
			if to := floorOf(dir); to > from {
				t.Errorf("%s (floor %q) imports %s from above (floor %q)", f.path, floors[from].name, imported, floors[to].name)
			}
			if graph[f.dir] == nil {
				graph[f.dir] = map[string]bool{}
			}
			graph[f.dir][dir] = true
		}
	}
	if chain := longest(graph, ".", nil); len(chain) > longestChain {
		t.Errorf("a chain of imports has %d packages, at most %d are wanted: %s", len(chain), longestChain, strings.Join(chain, " → "))
	}
}

func longest(graph map[string]map[string]bool, from string, seen []string) []string {
	best := []string{from}
	for to := range graph[from] {
		if slices.Contains(seen, to) {
			continue
		}
		if c := longest(graph, to, append(seen, from)); len(c)+1 > len(best) {
			best = append([]string{from}, c...)
		}
	}
	return best
}

func TestEachLibraryHasOneImporter(t *testing.T) {
	_, files := readSources(t)
	for _, f := range files {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			for library, allowed := range soleImporters {
				if (imported == library || strings.HasPrefix(imported, library+"/")) && !slices.ContainsFunc(allowed, func(a string) bool { return f.dir == a }) {
					t.Errorf("%s imports %s, which only %s may", f.path, imported, strings.Join(allowed, ", "))
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	fset, files := readSources(t)
	var lengths []int
	for _, f := range files {
		if f.lines > longestFile {
			t.Errorf("%s has %d lines; at most %d are wanted", f.path, f.lines, longestFile)
		}
		if f.test {
			continue
		}
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			lengths = append(lengths, n)
			if n > longestFunction {
				t.Errorf("%s: %s has %d lines; at most %d are wanted", fset.Position(fn.Pos()), fn.Name.Name, n, longestFunction)
			}
		}
	}
	sort.Ints(lengths)
	if p95 := lengths[len(lengths)*95/100]; p95 > usualFunction {
		t.Errorf("5 of 100 functions have more than %d lines; at most %d are wanted", p95, usualFunction)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	_, files := readSources(t)
	said := map[string]bool{}
	for _, f := range files {
		if f.test {
			continue
		}
		said[f.dir] = said[f.dir] || f.syntax.Doc != nil
	}
	for _, dir := range slices.Sorted(maps.Keys(said)) {
		if !said[dir] {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

func TestNoHiddenState(t *testing.T) {
	fset, files := readSources(t)
	vars := map[string]map[string]bool{} // by folder
	for _, f := range files {
		if f.test {
			continue
		}
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init runs behind everybody's back; call it from app", fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.VAR {
						for _, name := range v.Names {
							if vars[f.dir] == nil {
								vars[f.dir] = map[string]bool{}
							}
							if name.Name != "_" {
								vars[f.dir][name.Name] = true
							}
						}
					}
				}
			}
		}
	}
	for _, f := range files {
		if !f.test {
			checkState(t, fset, f, vars[f.dir])
		}
	}
}

// checkState finds assignments to package variables, and contexts made out of nothing.
func checkState(t *testing.T, fset *token.FileSet, f *sourceFile, vars map[string]bool) {
	t.Helper()
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				return true
			}
			for _, to := range n.Lhs {
				if name := packageVar(to, vars); name != "" {
					t.Errorf("%s: the package variable %s is changed; pass it instead", fset.Position(n.Pos()), name)
				}
			}
		case *ast.IncDecStmt:
			if name := packageVar(n.X, vars); name != "" {
				t.Errorf("%s: the package variable %s is changed; pass it instead", fset.Position(n.Pos()), name)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "context" && (n.Sel.Name == "Background" || n.Sel.Name == "TODO") && !mayStart(f.dir) {
				t.Errorf("%s: context.%s outside app; take the caller's context", fset.Position(n.Pos()), n.Sel.Name)
			}
		}
		return true
	})
}

func mayStart(dir string) bool {
	return dir == "app" || strings.HasPrefix(dir, "app/") || slices.Contains(forTests, dir)
}

// packageVar is the package variable that an assignment's left side changes, "" when it is none.
func packageVar(e ast.Expr, vars map[string]bool) string {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.Ident:
			if !vars[x.Name] {
				return ""
			}
			// Names of this file are resolved: a local one has a declaration that is no ValueSpec at the top.
			if x.Obj != nil {
				if _, ok := x.Obj.Decl.(*ast.ValueSpec); !ok {
					return ""
				}
			}
			return x.Name
		default:
			return ""
		}
	}
}

// TestEveryActionIsListed looks for kinds of entries of the audit log that its page could not name or filter by.
func TestEveryActionIsListed(t *testing.T) {
	fset, files := readSources(t)
	for _, f := range files {
		if f.test {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			switch typ := v.Type.(type) {
			case *ast.SelectorExpr:
				if x, ok := typ.X.(*ast.Ident); ok && x.Name == "audit" && typ.Sel.Name == "Action" && len(v.Values) > 0 {
					t.Errorf("%s: an action of the audit log; name it in platform/audit/action.go", fset.Position(v.Pos()))
				}
			case *ast.Ident:
				if f.path != "platform/audit/action.go" || typ.Name != "Action" {
					return true
				}
				for _, value := range v.Values {
					action, err := strconv.Unquote(value.(*ast.BasicLit).Value)
					if err != nil || !slices.Contains(audit.Actions(), audit.Action(action)) {
						t.Errorf("%s: %q is not among audit.Actions (%v)", fset.Position(v.Pos()), action, err)
					}
				}
			}
			return true
		})
	}
}

func TestFloorsNameWhatExists(t *testing.T) {
	_, files := readSources(t)
	for _, floor := range floors {
		for _, p := range floor.prefixes {
			if !slices.ContainsFunc(files, func(f *sourceFile) bool { return f.dir == p || strings.HasPrefix(f.dir, p+"/") }) {
				t.Errorf("floor %q names %s, where no code is", floor.name, path.Clean(p))
			}
		}
	}
}
