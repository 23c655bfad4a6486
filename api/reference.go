package api

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"parley/account"
)

//go:embed page
var pages embed.FS

// referencePage is the reference as people read it, made from the OpenAPI document.
type referencePage struct {
	Title    string
	About    [][]span
	Groups   []referenceGroup
	Problems []referenceProblem
	Schemas  []referenceSchema
}

type referenceGroup struct {
	Name       string
	Operations []referenceOperation
}

type referenceOperation struct {
	ID, Method, Path, Summary, Needs string
	About                            [][]span
	Parameters                       []referenceField
	Body                             []typeText
	Answers                          []referenceAnswer
	Example                          string
}

type referenceField struct {
	Name, In, About string
	Must            bool
	Type            typeText
}

type referenceAnswer struct {
	Status, About string
	Types         []typeText
}

type referenceProblem struct {
	Slug, Title, About string
	Status             int
}

type referenceSchema struct {
	Name, About string
	Fields      []referenceField
}

// typeText is a type in words, with a link to its schema where it has one.
type typeText struct{ Before, Ref, Text string }

// span is a piece of text with one look.
type span struct {
	Text         string
	Code, Strong bool
}

// reference renders the page and gives its style beside it.
func reference(doc *huma.OpenAPI) (page, style []byte, err error) {
	t, err := template.ParseFS(pages, "page/reference.html")
	if err != nil {
		return nil, nil, err
	}
	p := referencePage{Title: doc.Info.Title, About: paragraphs(doc.Info.Description), Groups: groups(doc), Problems: problems(), Schemas: schemas(doc)}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "reference.html", p); err != nil {
		return nil, nil, err
	}
	style, err = pages.ReadFile("page/style.css")
	return out.Bytes(), style, err
}

// paragraphs reads the little Markdown that descriptions use: empty lines, **strong**, `code`, and lists as paragraphs.
func paragraphs(text string) [][]span {
	var out [][]span
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if p = strings.TrimSpace(strings.ReplaceAll(p, "\n", " ")); p == "" {
			continue
		}
		var spans []span
		for i, part := range strings.Split(p, "`") {
			if i%2 == 1 {
				spans = append(spans, span{Text: part, Code: true})
				continue
			}
			for j, piece := range strings.Split(part, "**") {
				if piece != "" {
					spans = append(spans, span{Text: piece, Strong: j%2 == 1})
				}
			}
		}
		out = append(out, spans)
	}
	return out
}

// groups are the operations by tag, both in the order of their declaration.
func groups(doc *huma.OpenAPI) []referenceGroup {
	byTag := map[string][]referenceOperation{}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				tag := op.Tags[0]
				byTag[tag] = append(byTag[tag], operationText(doc, path, op))
			}
		}
	}
	var out []referenceGroup
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		ops := byTag[tag]
		slices.SortFunc(ops, func(a, b referenceOperation) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
		})
		out = append(out, referenceGroup{Name: tag, Operations: ops})
	}
	return out
}

func operationText(doc *huma.OpenAPI, path string, op *huma.Operation) referenceOperation {
	out := referenceOperation{
		ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary, About: paragraphs(op.Description), Needs: needsText(op.Extensions["x-needs"]),
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, referenceField{Name: p.Name, In: p.In, About: p.Description, Must: p.Required, Type: typeOf(p.Schema)})
	}
	if op.RequestBody != nil {
		for _, kind := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
			out.Body = append(out.Body, mediaText(kind, op.RequestBody.Content[kind]))
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		a := referenceAnswer{Status: status, About: r.Description}
		if status == "default" {
			a.Status = "4xx, 5xx"
		}
		for _, kind := range slices.Sorted(maps.Keys(r.Content)) {
			a.Types = append(a.Types, mediaText(kind, r.Content[kind]))
		}
		out.Answers = append(out.Answers, a)
	}
	out.Example = curl(doc, path, op)
	return out
}

// mediaText is the schema of a body, or its media type where that says more.
func mediaText(kind string, m *huma.MediaType) typeText {
	if m.Schema == nil || m.Schema.Ref == "" {
		return typeText{Text: kind}
	}
	return typeOf(m.Schema)
}

func needsText(needs any) string {
	switch word := fmt.Sprint(needs); word {
	case NeedsNothing:
		return "open to anybody"
	case NeedsDevice:
		return "needs a device's token"
	default:
		return "needs " + word + " (" + account.Permission(word).Title() + ")"
	}
}

const schemaPrefix = "#/components/schemas/"

// typeOf says what kind of value a schema takes.
func typeOf(s *huma.Schema) typeText {
	switch {
	case s == nil:
		return typeText{}
	case s.Ref != "":
		return typeText{Ref: strings.TrimPrefix(s.Ref, schemaPrefix)}
	case s.Type == huma.TypeArray:
		t := typeOf(s.Items)
		t.Before = "list of " + t.Before
		return t
	case len(s.OneOf) > 0:
		return typeText{Text: "text or whole number"}
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			words[i] = fmt.Sprint(e)
		}
		return typeText{Text: strings.Join(words, " · ")}
	}
	return typeText{Text: plainType(s)}
}

func plainType(s *huma.Schema) string {
	switch {
	case s.Format == "date-time":
		return "time"
	case s.Format == "date":
		return "day"
	case s.Format == "binary":
		return "file"
	case s.Type == huma.TypeString:
		return "text"
	case s.Type == huma.TypeInteger:
		return "whole number"
	case s.Type == huma.TypeBoolean:
		return "true or false"
	default:
		return s.Type
	}
}

func schemas(doc *huma.OpenAPI) []referenceSchema {
	all := doc.Components.Schemas.Map()
	var out []referenceSchema
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		r := referenceSchema{Name: name, About: s.Description}
		for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[field]
			r.Fields = append(r.Fields, referenceField{Name: field, About: p.Description, Must: slices.Contains(s.Required, field), Type: typeOf(p)})
		}
		out = append(out, r)
	}
	return out
}

// curl is a request that can be pasted into a terminal once the token and the ids are filled in.
func curl(doc *huma.OpenAPI, path string, op *huma.Operation) string {
	var b strings.Builder
	b.WriteString("curl")
	if op.Method != http.MethodGet {
		b.WriteString(" -X " + op.Method)
	}
	switch op.Extensions["x-needs"] {
	case NeedsNothing:
	case NeedsDevice:
		b.WriteString(` -H "Authorization: Bearer $DEVICE_TOKEN"`)
	default:
		b.WriteString(` -H "Authorization: Bearer $TOKEN"`)
	}
	if op.RequestBody != nil {
		if m := op.RequestBody.Content["application/json"]; m != nil {
			body, _ := json.Marshal(sample(doc, m.Schema, 0)) // maps, lists, text and numbers always marshal
			b.WriteString(" -H 'Content-Type: application/json' \\\n  -d '" + string(body) + "'")
		} else {
			b.WriteString(" --data-binary @FILE")
		}
	}
	b.WriteString(" \\\n  \"$SERVER" + strings.NewReplacer("{", "$", "}", "").Replace(path) + "\"")
	return b.String()
}

// sample is a value of a schema: its example, or the simplest there is; optional fields without an example stay out.
func sample(doc *huma.OpenAPI, s *huma.Schema, depth int) any {
	if s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == huma.TypeArray:
		if depth > 3 {
			return []any{}
		}
		return []any{sample(doc, s.Items, depth+1)}
	case s.Type == huma.TypeObject:
		out := map[string]any{}
		for name, p := range s.Properties {
			if slices.Contains(s.Required, name) || len(p.Examples) > 0 || len(s.Required) == 0 && depth < 2 {
				out[name] = sample(doc, p, depth+1)
			}
		}
		return out
	case s.Type == huma.TypeInteger || s.Type == huma.TypeNumber:
		return 1
	case s.Type == huma.TypeBoolean:
		return true
	case s.Format == "date-time":
		return "2026-04-15T12:00:00+05:30"
	case s.Format == "date":
		return "2026-04-15"
	default:
		return "…"
	}
}

// problems explains each sort of problem.
func problems() []referenceProblem {
	about := []struct {
		status int
		about  string
	}{
		{http.StatusBadRequest, "The body or request could not be read: it is not JSON in UTF-8, is nested too deeply, or broke off. Mend the sender."},
		{http.StatusUnauthorized, "There was no token, or it is unknown, expired or revoked. Make a new one under Settings, API tokens; pair a phone again."},
		{http.StatusForbidden, "The token lacks a scope, or the role of its maker does not allow this. The sentence names what is missing."},
		{http.StatusNotFound, "There is no such thing in your organisation, or your role does not show it."},
		{http.StatusMethodNotAllowed, "The address exists, with other methods. The header Allow lists them."},
		{http.StatusRequestTimeout, "The body took longer than 30 seconds."},
		{http.StatusConflict, "What you ask for contradicts what is there, such as a second line with one number; or the first request with this idempotency key still runs."},
		{http.StatusGone, "It was there and was deleted for good, such as an erased number."},
		{http.StatusRequestEntityTooLarge, "The body or batch is larger than the operation takes. Send it in parts."},
		{http.StatusUnsupportedMediaType, "The body is not of a type or encoding that the operation takes."},
		{http.StatusUnprocessableEntity, "Fields are missing, misspelt or out of range; errors names each. An idempotency key that was used for another request comes here, too."},
		{http.StatusTooManyRequests, "The limit of requests per minute is spent. Wait for as many seconds as Retry-After says."},
		{http.StatusInternalServerError, "The server failed. Try again; its log has the details."},
		{http.StatusServiceUnavailable, "The server cannot do this at the moment, such as when its disk is full. Try again later."},
	}
	out := make([]referenceProblem, len(about))
	for i, a := range about {
		slug, title := sortOf(a.status)
		out[i] = referenceProblem{Slug: slug, Title: title, Status: a.status, About: a.about}
	}
	return out
}
