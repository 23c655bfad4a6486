package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/account"
)

// document is the OpenAPI document in its forms, made once.
type document struct {
	json, yaml, page, style served
}

// served is something that is given as it is, with its ETag.
type served struct {
	kind, etag string
	bytes      []byte
}

func newServed(kind string, b []byte) served {
	sum := sha256.Sum256(b)
	return served{kind: kind, etag: `"` + hex.EncodeToString(sum[:16]) + `"`, bytes: b}
}

func (f *served) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("ETag", f.etag)
	w.Header().Set("Cache-Control", "public, no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.bytes))
}

const about = `The interface for programs of a Parley server.

**Signing in.** Send an API token as ` + "`Authorization: Bearer ply_…`" + `. Tokens are made under Settings, API tokens; each has scopes, and never
more than its maker's role allows. For reading, the browser's session serves, too. Phones and other collectors pair once and send their device token.

**Times** are RFC 3339 with the organisation's offset. Days are days of the organisation's zone; ranges include the first day and exclude the last.

**Lists** come in pages: send the field next of one page as cursor for the next.

**Problems** are RFC 9457 objects of the type application/problem+json. The field detail is a sentence that says what is wrong and what to do, and errors names fields.
A field or query parameter that an operation does not know is refused, so that a misspelt one is not silently left out.

**Writing twice.** Send a header Idempotency-Key of your own with a write: when the answer got lost, the same request with the same key gives the same answer, and the write
happens once. Keys are remembered for 24 hours. The device operations need no key, since sending the same calls again changes nothing.

**Limits** are told in the headers RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset (seconds until the full number is there again); 429 comes with Retry-After.

Another organisation's ids, and what the caller's role does not show, are 404.`

func (s *API) config() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Parley", Version: "1", Description: about, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: scopes()},
					"device":  {Type: "http", Scheme: "bearer", Description: "The token that a phone gets at pairing."},
					"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The browser's session; it serves for reading alone."},
				},
			},
		},
		Formats: formats(), DefaultFormat: "application/json", RejectUnknownQueryParameters: true,
		Transformers: []huma.Transformer{translate},
	}
}

// scopes lists what a token can allow.
func scopes() string {
	var b bytes.Buffer
	b.WriteString("An API token. Its scopes:\n\n")
	for _, p := range account.Permissions() {
		b.WriteString("- `" + string(p) + "`: " + p.Sentence() + "\n")
	}
	return b.String()
}

// documents declares the document, the page made of it, and the page's style.
func (s *API) documents() {
	for _, d := range []struct {
		path, id string
		f        *served
	}{
		{"/api/openapi.json", "openapi-json", &s.document.json},
		{"/api/openapi.yaml", "openapi-yaml", &s.document.yaml},
		{"/api/docs", "reference", &s.document.page},
		{"/api/docs/style.css", "reference-style", &s.document.style},
	} {
		s.plain(operation{id: d.id, method: http.MethodGet, path: d.path, needs: NeedsNothing}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			d.f.serve(w, r)
		})
	}
}

// publish makes the document once all operations are declared.
func (s *API) publish() error {
	doc := s.huma.OpenAPI()
	// huma documents its own form of errors beside ours, which translate takes the place of.
	delete(doc.Components.Schemas.Map(), "ErrorModel")
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
	plain, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	yaml, err := doc.YAML()
	if err != nil {
		return err
	}
	page, style, err := reference(doc)
	if err != nil {
		return err
	}
	s.document.json = newServed("application/openapi+json", plain)
	s.document.yaml = newServed("application/openapi+yaml", yaml)
	s.document.page = newServed("text/html; charset=utf-8", page)
	s.document.style = newServed("text/css; charset=utf-8", style)
	return nil
}
