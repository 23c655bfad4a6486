package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/platform/db/dbtest"
	"parley/web"
)

var (
	anchor = regexp.MustCompile(`<(?:a|form|area)\b[^>]*>`)
	leads  = regexp.MustCompile(`(?:href|action)="([^"]*)"`)
)

// foreign lists the links of a page that lead to another site and tell it where they were followed, or by whom.
func foreign(page, own string) (out []string, links int) {
	for _, tag := range anchor.FindAllString(page, -1) {
		at := leads.FindStringSubmatch(tag)
		if at == nil {
			continue
		}
		links++
		u, err := url.Parse(strings.ReplaceAll(at[1], "&amp;", "&"))
		if err == nil && (u.Host == "" || u.Host == own) {
			continue
		}
		if err != nil || u.RawQuery != "" || !regexp.MustCompile(`rel="[^"]*\bnoreferrer\b`).MatchString(tag) {
			out = append(out, tag)
		}
	}
	return out, links
}

// P135: no page lets a browser tell another site where it came from, and no link to another site carries an identifier.
func TestPagesTellOtherSitesNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...), nil)
	w.publish(policyText())
	name, err := w.Policies.Name(t.Context(), w.Org.ID)
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	blank := regexp.MustCompile(`\{[^}]*\}`)
	paths := []string{"/privacy/" + name, "/privacy/" + name + "/recipients", "/privacy/" + name + "/request", "/privacy/" + name + "/v/1"}
	for _, r := range web.Routes() {
		if method, pattern, _ := strings.Cut(r.Pattern, " "); method == http.MethodGet && !strings.HasPrefix(pattern, "/assets") {
			paths = append(paths, blank.ReplaceAllString(strings.ReplaceAll(pattern, "{$}", ""), "none"))
		}
	}
	links := 0
	for _, b := range []*browser{w.stranger(), w.owner()} {
		for _, path := range paths {
			got := b.get(path)
			if p := got.header.Get("Referrer-Policy"); !slices.Contains([]string{"no-referrer", "same-origin"}, p) {
				t.Errorf("%s has the Referrer-Policy %q", path, p)
			}
			bad, n := foreign(got.text, own.Host)
			links += n
			for _, tag := range bad {
				t.Errorf("%s leads elsewhere: %s", path, tag)
			}
		}
	}
	if links < 500 {
		t.Errorf("only %d links were looked at", links)
	}
	if bad, _ := foreign(`<a href="https://other.example/" rel="noreferrer">fine</a><a href="https://other.example/">x</a><a rel="noreferrer" href="https://other.example/?id=17">y</a>`, own.Host); len(bad) != 2 {
		t.Errorf("of two such links %d are found", len(bad))
	}
}
