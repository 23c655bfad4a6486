package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/account"
	"parley/platform/audit"
)

// What an operation may need besides a permission.
const (
	NeedsNothing = "public" // anybody may call it
	NeedsDevice  = "device" // the token of a paired phone
)

// Route is one operation and what its caller needs: a permission's word, NeedsDevice or NeedsNothing.
type Route struct {
	Method, Path string
	Needs        string
	Logs         audit.Action // what is written to the audit log; "" = nothing
}

// operation is what is declared of one operation.
type operation struct {
	id      string
	method  string
	path    string
	needs   string // "" is refused by New
	tag     string
	summary string // a short title
	about   string // more, in Markdown
	status  int    // of success; 0 = 200
	upload  bool   // the handler reads the body itself, as a stream
	maxBody int64  // bytes of the body once it is unpacked; 0 = the usual
	gzip    bool   // the body may be gzip-compressed
	files   []string
}

func (o *operation) pattern() string { return o.method + " " + o.path }

func (o *operation) writes() bool { return o.method != http.MethodGet }

// permission is the one that the caller's role and token must grant; "" for the two other kinds of need.
func (o *operation) permission() account.Permission {
	if o.needs == NeedsNothing || o.needs == NeedsDevice {
		return ""
	}
	return account.Permission(o.needs)
}

// does makes an operation for people's programs.
func does(method, path, id string, needs account.Permission, tag, summary string) operation {
	return operation{id: id, method: method, path: root + path, needs: string(needs), tag: tag, summary: summary}
}

// root is where this version's operations stand.
const root = "/api/v1"

// saying adds more about an operation.
func (o operation) saying(about string) operation { o.about = about; return o }

// giving says what status a success has.
func (o operation) giving(status int) operation { o.status = status; return o }

// handle declares an operation with its handler. An error of the handler becomes a problem.
func handle[I, O any](s *API, o operation, fn func(context.Context, *I) (*O, error)) {
	s.declare(&o)
	huma.Register(s.huma, s.describe(&o), func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, &o, err)
		}
		return out, nil
	})
}

// plain declares an operation that is not part of the OpenAPI document.
func (s *API) plain(o operation, h http.HandlerFunc) {
	s.declare(&o)
	gated{s}.HandleFunc(o.pattern(), h)
}

func (s *API) declare(o *operation) {
	if p := o.permission(); o.needs == "" || p != "" && !slices.Contains(account.Permissions(), p) {
		s.faults = append(s.faults, fmt.Errorf("operation %s (%s) declares no known permission, but %q", o.id, o.pattern(), o.needs))
	}
	s.declared[o.pattern()] = o
	s.routes = append(s.routes, Route{Method: o.method, Path: o.path, Needs: o.needs, Logs: traceOf(o).action})
}

// describe is the operation as huma knows it.
func (s *API) describe(o *operation) huma.Operation {
	out := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Tags: []string{o.tag}, Summary: o.summary, Description: o.about,
		DefaultStatus: o.status, MaxBodyBytes: -1, BodyReadTimeout: -1, // gate has read the body within its bounds
		Responses: map[string]*huma.Response{"default": {
			Description: "A problem",
			Content:     map[string]*huma.MediaType{problemType: {Schema: s.schemaOf(reflect.TypeFor[Problem]())}},
		}},
		Extensions: map[string]any{"x-needs": o.needs},
	}
	switch o.needs {
	case NeedsNothing:
	case NeedsDevice:
		out.Security = []map[string][]string{{"device": {}}}
	default:
		out.Security = []map[string][]string{{"token": {o.needs}}}
		if !o.writes() {
			out.Security = append(out.Security, map[string][]string{"session": {}})
		}
	}
	if len(o.files) > 0 {
		out.Responses["200"] = &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{}}
		for _, t := range o.files {
			out.Responses["200"].Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
	}
	if o.writes() && o.permission() != "" {
		out.Parameters = append(out.Parameters, &huma.Param{
			Name: idempotencyHeader, In: "header", Description: "A key of your own for this write, at most 255 characters. The same key gives the same answer for 24 hours, and the write happens once.",
			Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxIdempotencyKey)},
		})
	}
	return out
}

func (s *API) schemaOf(t reflect.Type) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

// gated is the multiplexer that huma sees: every handler is put behind the gate. One that was not declared does not
// start.
type gated struct{ s *API }

func adapter(s *API) huma.Adapter { return humago.NewAdapter(gated{s}, "") }

// HandleFunc puts a handler behind the gate.
func (g gated) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	o, ok := g.s.declared[pattern]
	if !ok {
		g.s.faults = append(g.s.faults, fmt.Errorf("the operation %s was not declared", pattern))
		return
	}
	g.s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { g.s.gate(o, w, r, h) })
}

// ServeHTTP is the multiplexer's.
func (g gated) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.s.mux.ServeHTTP(w, r) }
