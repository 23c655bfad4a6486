package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/platform/fault"
)

const problemType = "application/problem+json"

// Problem says why a request was refused, as RFC 9457 has it.
type Problem struct {
	Type   string         `json:"type" doc:"Names the sort of problem; open it in a browser for an explanation" example:"/api/docs#problem-invalid"`
	Title  string         `json:"title" doc:"The sort of problem in a few words" example:"Not valid"`
	Status int            `json:"status" doc:"The HTTP status" example:"422"`
	Detail string         `json:"detail" doc:"What is wrong here and what to do, for people to read"`
	Errors []FieldProblem `json:"errors,omitempty" doc:"The same by field, where the problem lies in fields"`
}

// FieldProblem says what is wrong with one field.
type FieldProblem struct {
	Field  string `json:"field" doc:"The field, such as name or calls[3].start" example:"name"`
	In     string `json:"in,omitempty" enum:"body,query,path,header" doc:"Where the field stands, when that is known"`
	Detail string `json:"detail" doc:"What is wrong with it and what to do"`
}

// Error is the problem's sentence.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders are what the answer says beside the problem: when to try again what is not available now.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "60")
	}
	return h
}

// sortOf is the sort of problem that a status stands for: the last part of its type, and its title.
func sortOf(status int) (slug, title string) {
	switch status {
	case http.StatusBadRequest:
		return "malformed", "Not readable"
	case http.StatusUnauthorized:
		return "unauthenticated", "Not signed in"
	case http.StatusForbidden:
		return "denied", "Not allowed"
	case http.StatusNotFound:
		return "not-found", "Not there"
	case http.StatusMethodNotAllowed:
		return "method", "Method not known here"
	case http.StatusRequestTimeout:
		return "slow", "Sent too slowly"
	case http.StatusConflict:
		return "conflict", "In conflict"
	case http.StatusGone:
		return "gone", "Gone"
	case http.StatusRequestEntityTooLarge:
		return "too-large", "Too large"
	case http.StatusUnsupportedMediaType:
		return "unsupported", "Not supported"
	case http.StatusUnprocessableEntity:
		return "invalid", "Not valid"
	case http.StatusTooManyRequests:
		return "too-many", "Too many requests"
	case http.StatusServiceUnavailable:
		return "unavailable", "Not available now"
	default:
		return "internal", "Something went wrong"
	}
}

func newProblem(status int, detail string, fields ...FieldProblem) *Problem {
	slug, title := sortOf(status)
	return &Problem{Type: "/api/docs#problem-" + slug, Title: title, Status: status, Detail: detail, Errors: fields}
}

// problemOf is the problem that an error is.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	p := newProblem(fault.KindOf(err).Status(), fault.Sentence(err))
	for _, f := range fault.Fields(err) {
		p.Errors = append(p.Errors, FieldProblem{Field: f.Field, Detail: f.Sentence})
	}
	return p
}

// problem is problemOf for an operation's error; what is our own fault is logged.
func (s *API) problem(ctx context.Context, o *operation, err error) *Problem {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "api operation failed", "operation", o.id, "status", p.Status, "error", err)
	}
	return p
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", problemType)
	maps.Copy(w.Header(), p.GetHeaders())
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the reader may be gone
}

func noSuchAddress() *Problem {
	return newProblem(http.StatusNotFound, "There is no such address in this API. The reference at /api/docs lists what there is.")
}

// nowhere answers a request that is no operation's.
func (s *API) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
		try := r.Clone(r.Context())
		try.Method = m
		if _, pattern := s.mux.Handler(try); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 {
		writeProblem(w, noSuchAddress())
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	writeProblem(w, newProblem(http.StatusMethodNotAllowed, fmt.Sprintf("This address knows the method %s, and not %.20q.", strings.Join(allowed, " or "), r.Method)))
}

// translate turns huma's own refusals into our problems. It is a huma.Transformer.
func translate(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	switch m.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		return refusal(m), nil
	default:
		return newProblem(m.Status, fault.Sentence(errors.New(m.Detail))), nil
	}
}

// refusal puts the errors that huma found into sentences.
func refusal(m *huma.ErrorModel) *Problem {
	p := newProblem(m.Status, "")
	var sentences []string
	for _, e := range m.Errors {
		f := sentenceOf(e)
		if len(sentences) == maxFieldProblems {
			break
		}
		sentences = append(sentences, f.Detail)
		if f.Field != "" {
			p.Errors = append(p.Errors, f)
		}
	}
	if more := len(m.Errors) - maxFieldProblems; more > 0 {
		sentences = append(sentences, fmt.Sprintf("%d more fields are wrong.", more))
	}
	if p.Detail = strings.Join(sentences, " "); p.Detail == "" {
		p.Detail = "The request needs a body in JSON. The reference at /api/docs shows its fields."
	}
	return p
}

// maxFieldProblems bounds an answer: a batch can be wrong 500 times over.
const maxFieldProblems = 20

// sentenceOf says what huma found about one place. The value is not echoed: it may be large or personal.
func sentenceOf(e *huma.ErrorDetail) FieldProblem {
	in, field, _ := strings.Cut(e.Location, ".")
	if i := strings.IndexByte(in, '['); i >= 0 {
		in, field = in[:i], e.Location[i:]
	}
	f := FieldProblem{Field: cutText(field, 100), In: in}
	if name, ok := between(e.Message, "expected required property ", " to be present"); ok {
		f.Field = strings.TrimPrefix(f.Field+"."+name, ".")
		f.Detail = fmt.Sprintf("The field %q is missing.", f.Field)
		return f
	}
	what := fmt.Sprintf("%q", f.Field)
	if f.Field == "" {
		what = "The body"
	}
	switch {
	case e.Message == "unexpected property":
		f.Detail = fmt.Sprintf("There is no field %s here. Check its spelling, or leave it out.", what)
	case e.Message == "unknown query parameter":
		f.Detail = fmt.Sprintf("This operation knows no query parameter %s. Check its spelling, or leave it out.", what)
	case strings.HasPrefix(e.Message, "required "):
		f.Detail = fmt.Sprintf("%s is missing.", what)
	case e.Location == "body" && !strings.HasPrefix(e.Message, "expected "):
		f.Detail = bodySentence(e.Message)
	default:
		f.Detail = what + " " + demand(e.Message) + "."
	}
	return f
}

// bodySentence is what our own reader of bodies said; huma's word for a foreign content type gets one, too.
func bodySentence(message string) string {
	if strings.HasPrefix(message, huma.ErrUnknownContentType.Error()) {
		return "The body must be JSON, sent as \"Content-Type: application/json\"."
	}
	return message
}

// demands are huma's demands in our words, each for the beginning that its message has.
var demands = [...]struct{ begins, says string }{
	{"expected boolean", "must be true or false"},
	{"invalid boolean", "must be true or false"},
	{"expected integer", "must be a whole number"},
	{"invalid integer", "must be a whole number"},
	{"expected number >= ", "must be at least %s"},
	{"expected number > ", "must be more than %s"},
	{"expected number <= ", "must be at most %s"},
	{"expected number < ", "must be less than %s"},
	{"expected number", "must be a number"},
	{"invalid float", "must be a number"},
	{"expected string to be RFC 3339 date-time", "must be a time as RFC 3339 has it, for example 2026-04-15T12:00:00+05:30"},
	{"invalid date/time", "must be a time as RFC 3339 has it, for example 2026-04-15T12:00:00+05:30"},
	{"expected string to be RFC 3339 date", "must be a day, for example 2026-04-15"},
	{"expected string to match pattern ", "must match %s"},
	{"expected string", "must be text in quotation marks"},
	{"expected array length >= ", "must have at least %s entries"},
	{"expected array length <= ", "may have at most %s entries"},
	{"expected array items to be unique", "may name each entry once"},
	{"expected array", "must be a list"},
	{"expected value to match exactly one schema", "must be text or a whole number"},
	{"expected object", "must be an object with fields, in braces"},
	{"expected length >= ", "must have at least %s characters"},
	{"expected length <= ", "may have at most %s characters"},
	{"expected value to be one of ", "must be one of %s"},
}

func demand(message string) string {
	if message == "expected length >= 1" {
		return "may not be empty"
	}
	for _, d := range demands {
		if rest, ok := strings.CutPrefix(message, d.begins); ok {
			if strings.Contains(d.says, "%s") {
				return fmt.Sprintf(d.says, strings.Trim(rest, `"`))
			}
			return d.says
		}
	}
	return "is not right: " + message
}

func between(text, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(text, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// cutText shortens text to at most n bytes, at a rune's edge.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}
