package main

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// wayOut is the one package that connects to anybody outside.
const wayOut = "trust/recipient"

// connecting lists what connects, by import path: calls, and types of which a new value would.
var connecting = map[string][]string{
	"net":        {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	"net/http":   {"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport"},
	"net/smtp":   {"*"}, "net/rpc": {"*"}, "net/rpc/jsonrpc": {"*"}, "log/syslog": {"*"}, "os/exec": {"*"},
}

// mayConnect are the other places that may: the command line speaks to the server through a socket in the data folder.
var mayConnect = map[string][]string{
	"app/socket.go": {"net.Dial"},
}

// handedOver are the libraries that connect by themselves, and the words by which their importer hands them the way out.
var handedOver = map[string]string{
	"github.com/wneessen/go-mail": "WithDialContextFunc",
	"github.com/minio/minio-go":   "Transport",
}

func TestOneWayOut(t *testing.T) {
	fset, files := readSources(t)
	handed := map[string]bool{}
	for _, f := range files {
		if f.test || f.dir == wayOut || slices.ContainsFunc(forTests, func(d string) bool { return f.dir == d }) {
			continue
		}
		names := imported(f)
		pointers := map[ast.Expr]bool{} // *http.Client is somebody else's client
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StarExpr:
				pointers[n.X] = true
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if !ok || x.Obj != nil {
					return true
				}
				path := names[x.Name]
				what := connecting[path]
				if !slices.Contains(what, n.Sel.Name) && !slices.Contains(what, "*") || pointers[n] || slices.Contains(mayConnect[f.path], x.Name+"."+n.Sel.Name) {
					return true
				}
				t.Errorf("%s: %s.%s goes around the one way out; take an *http.Client or a dial function of %s", fset.Position(n.Pos()), x.Name, n.Sel.Name, wayOut)
			case *ast.Ident:
				handed[f.dir+" "+n.Name] = true
			}
			return true
		})
	}
	for _, f := range files {
		for _, path := range f.imports() {
			for library, word := range handedOver {
				if !f.test && strings.HasPrefix(path, library) && !handed[f.dir+" "+word] {
					t.Errorf("%s imports %s, which connects by itself, and never says %s", f.path, path, word)
				}
			}
		}
	}
}

// imported gives the packages that a file imports, by the names it uses for them.
func imported(f *sourceFile) map[string]string {
	out := map[string]string{}
	for i, path := range f.imports() {
		name := path[strings.LastIndexByte(path, '/')+1:]
		if n := f.syntax.Imports[i].Name; n != nil {
			name = n.Name
		}
		out[name] = path
	}
	return out
}
