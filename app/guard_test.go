package app

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// P56: the server listens only where it is told, this machine unless somebody says otherwise, and what is measured is given to
// this machine or against the token.
func TestMetricsAreForThisMachine(t *testing.T) {
	p := founded(t)
	site := ok1[*site](t)(p.site(t.TempDir()))
	defer site.close()
	ask := func(from string, header ...string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.RemoteAddr = from
		if len(header) == 2 {
			r.Header.Set(header[0], header[1])
		}
		w := httptest.NewRecorder()
		site.handler.ServeHTTP(w, r)
		return w.Code
	}
	for _, c := range []struct {
		from   string
		header []string
		want   int
	}{
		{"127.0.0.1:5000", nil, 200},
		{"[::1]:5000", nil, 200},
		{"203.0.113.9:5000", nil, 403},
		{"10.0.0.7:5000", nil, 403},
		{"[2001:db8::7]:5000", nil, 403},
		{"nonsense", nil, 403},
		{"127.0.0.1:5000", []string{"X-Forwarded-For", "203.0.113.9"}, 403}, // by way of a proxy here
		{"127.0.0.1:5000", []string{"Forwarded", "for=203.0.113.9"}, 403},
		{"203.0.113.9:5000", []string{"Authorization", "Bearer guessed"}, 403},
	} {
		if got := ask(c.from, c.header...); got != c.want {
			t.Errorf("metrics for %s with %v give %d, want %d", c.from, c.header, got, c.want)
		}
	}
	p.Config.Metrics = "the token"
	if got := ask("203.0.113.9:5000", "Authorization", "Bearer the token"); got != 200 {
		t.Errorf("the token gives %d", got)
	}
	if got := ask("127.0.0.1:5000"); got != 403 {
		t.Errorf("without the token this machine gets %d", got)
	}
	c, err := readConfig(map[string]string{}, "", func(string) (string, bool) { return "", false })
	must(t, err)
	host, _, err := net.SplitHostPort(c.Listen)
	must(t, err)
	for _, ip := range ok1[[]net.IPAddr](t)(net.DefaultResolver.LookupIPAddr(t.Context(), host)) {
		if !ip.IP.IsLoopback() {
			t.Errorf("unless told otherwise the server listens on %s", ip.IP)
		}
	}
}
