package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"parley/account"
)

func TestTheDocumentIsAsWritten(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.do(t, "", http.MethodGet, "/api/openapi.yaml", nil).read(t, http.StatusOK, nil)
		golden(t, "openapi.yaml", r.text)
		etag := r.Header.Get("ETag")
		if again := h.do(t, "", http.MethodGet, "/api/openapi.yaml", nil, "If-None-Match", etag); again.StatusCode != http.StatusNotModified || etag == "" {
			t.Errorf("with its ETag: %d", again.StatusCode)
		}
		var doc struct {
			OpenAPI    string
			Paths      map[string]map[string]any
			Components struct{ Schemas map[string]any }
		}
		h.do(t, "", http.MethodGet, "/api/openapi.json", nil).read(t, http.StatusOK, &doc)
		if !strings.HasPrefix(doc.OpenAPI, "3.1") {
			t.Errorf("OpenAPI %s", doc.OpenAPI)
		}
		for _, route := range Routes() {
			if strings.HasPrefix(route.Path, root) && doc.Paths[route.Path][strings.ToLower(route.Method)] == nil {
				t.Errorf("%s %s is not in the document", route.Method, route.Path)
			}
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range regexp.MustCompile(`#/components/schemas/([A-Za-z]+)`).FindAllStringSubmatch(string(text), -1) {
			if doc.Components.Schemas[ref[1]] == nil {
				t.Errorf("the schema %s is missing", ref[1])
			}
		}
	})
}

func TestTheReferenceIsAPageWithoutScripts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.do(t, "", http.MethodGet, "/api/docs", nil).read(t, http.StatusOK, nil)
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("policy %q", csp)
		}
		if bad := regexp.MustCompile(`(?i)<script|style="|https?://|<style| on[a-z]+=`).FindString(r.text); bad != "" {
			t.Errorf("the page has %q", bad)
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(r.text, -1) {
			if ids[m[1]] {
				t.Errorf("the id %s stands twice", m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(r.text, -1) {
			if !ids[m[1]] {
				t.Errorf("the link to #%s leads nowhere", m[1])
			}
		}
		for _, status := range []int{400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 503} {
			slug, _ := sortOf(status)
			if !ids["problem-"+slug] {
				t.Errorf("problem %s is not explained", slug)
			}
		}
		h.do(t, "", http.MethodGet, "/api/docs/style.css", nil).read(t, http.StatusOK, nil)
	})
}

// TestProblemsRead shows problems as callers get them; read the file when it changes.
func TestProblemsRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, viewer := h.member(t, "Vera", account.Viewer)
		var out strings.Builder
		for _, x := range []struct{ title, token, method, path, body string }{
			{"no token", "", http.MethodGet, "/me", ""},
			{"a role that may not", viewer, http.MethodPost, "/teams", `{"name":"Sales"}`},
			{"something that is not there", h.owner, http.MethodGet, "/lines/lin_none", ""},
			{"an address that is not there", h.owner, http.MethodGet, "/linse", ""},
			{"a method that is not there", h.owner, http.MethodPut, "/lines", ""},
			{"no body", h.owner, http.MethodPost, "/teams", ""},
			{"half a body", h.owner, http.MethodPost, "/teams", "{\n  \"name\": \"Sal"},
			{"fields missing, misspelt and of wrong types", h.owner, http.MethodPost, "/lines", `{"Agnet":"x","sim_slot":"one","label":7}`},
			{"out of range", h.owner, http.MethodPatch, "/organisation", `{"connected_from_seconds":0,"gap_minutes":241,"name":""}`},
			{"words that are none of ours", h.owner, http.MethodPost, "/exclusions", `{"number":"9812345678","strength":"gone"}`},
			{"a query parameter that is not there", h.owner, http.MethodGet, "/calls?form=2026-04-15&limit=many", ""},
			{"a day that is none", h.owner, http.MethodGet, "/reports/summary?from=2026-02-30&to=2026-03-05", ""},
			{"a last owner", h.owner, http.MethodPost, "/members/$OWNER/deactivate", ""},
		} {
			owner, err := h.Accounts.Owner(t.Context(), h.Org.ID)
			if err != nil {
				t.Fatal(err)
			}
			var body any
			if x.body != "" {
				body = x.body
			}
			r := h.do(t, x.token, x.method, root+strings.ReplaceAll(x.path, "$OWNER", string(owner.ID)), body)
			r.problem(t, r.StatusCode)
			var p map[string]any
			r.read(t, r.StatusCode, &p)
			text, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			out.WriteString("# " + x.title + ": " + x.method + " " + x.path + " " + x.body + "\n" + string(text) + "\n\n")
		}
		golden(t, "testdata/problems.txt", out.String())
	})
}
