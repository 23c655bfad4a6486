package recipient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/recipient"
)

const org account.OrgID = 7

func today() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

func day(y int, m time.Month, d int) policy.Date {
	return policy.Date{Time: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

// document is the shipped policy with one recipient, an Indian help desk that may get times of calls to keep calls.
func document(t *testing.T, hosts ...string) *policy.Document {
	t.Helper()
	d, err := policy.Default(policy.Facts{Name: "Asha Traders", Country: "IN", Contact: "privacy@asha.example"})
	if err != nil {
		t.Fatal(err)
	}
	d.Recipients = map[string]*policy.Recipient{"desk": {
		LegalName: "Desk Ltd", Kind: policy.ByOrder, Country: "IN", Contract: day(2026, 10, 1), PolicyURL: "https://desk.example/privacy",
		Purposes: []string{"call_ops"}, Categories: []string{"call.meta"}, Fields: []string{"call.meta/start"}, Hosts: hosts,
	}}
	d.Categories["call.meta"].Recipients = []string{"desk"}
	return d
}

// server answers every request and counts them.
func server(t *testing.T, handler http.HandlerFunc) (s *httptest.Server, asked *int) {
	t.Helper()
	asked = new(int)
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		handler(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, asked
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func host(t *testing.T, s *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func roots(servers ...*httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, s := range servers {
		pool.AddCert(s.Certificate())
	}
	return pool
}

func out(d *policy.Document, more ...func(*recipient.Options)) *recipient.Out {
	o := recipient.Options{Now: today, Private: true, Policy: func(_ context.Context, of account.OrgID) (*policy.Document, error) {
		if of != org {
			return nil, fault.New(fault.NotFound, "There is no such organisation.")
		}
		return d, nil
	}}
	for _, change := range more {
		change(&o)
	}
	return recipient.New(o)
}

func get(t *testing.T, c *http.Client, address string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("payload"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// refused holds an attempt to its refusal, and to the count of it.
func refused(t *testing.T, o *recipient.Out, err error, of account.OrgID, key string, why recipient.Reason) {
	t.Helper()
	if fault.KindOf(err) != fault.Denied || fault.Sentence(err) == "" {
		t.Errorf("%s: got %v, want a refusal", why, err)
	}
	if n := o.Refused()[recipient.Refusal{Org: of, Recipient: key, Reason: why}]; n != 1 {
		t.Errorf("%s was counted %d times: %v", why, n, o.Refused())
	}
}

func TestOnlyDeclaredServersAreReached(t *testing.T) {
	s, asked := server(t, hello)
	other, otherAsked := server(t, hello)
	trusted := func(o *recipient.Options) { o.Roots = roots(s, other) }
	o := out(document(t, host(t, s)), trusted)
	if err := get(t, o.Client(org, "desk"), s.URL+"/calls"); err != nil || *asked != 1 {
		t.Fatalf("a declared server was not reached: %v", err)
	}
	refused(t, o, get(t, o.Client(org, "desk"), other.URL), org, "desk", recipient.OtherHost)
	refused(t, o, get(t, o.Client(org, "bank"), s.URL), org, "bank", recipient.Undeclared)
	refused(t, o, get(t, o.Client(0, "desk"), s.URL), 0, "desk", recipient.Undeclared) // an organisation's is not the installation's
	none := out(document(t), trusted)
	refused(t, none, get(t, none.Client(org, "desk"), s.URL), org, "desk", recipient.OtherHost)
	if *asked != 1 || *otherAsked != 0 {
		t.Errorf("the servers were asked %d and %d times", *asked, *otherAsked)
	}
	if err := get(t, o.Client(8, "desk"), s.URL); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another organisation: %v", err)
	}
}

func TestARedirectDoesNotLeadElsewhere(t *testing.T) {
	elsewhere, asked := server(t, hello)
	plain := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(plain.Close)
	to := elsewhere.URL
	s, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/end" {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		}
	})
	trusted := func(o *recipient.Options) { o.Roots = roots(s, elsewhere) }
	o := out(document(t, host(t, s), strings.TrimPrefix(plain.URL, "http://")), trusted)
	refused(t, o, get(t, o.Client(org, "desk"), s.URL), org, "desk", recipient.OtherHost)
	to = plain.URL // a declared server, but without TLS
	refused(t, o, get(t, o.Client(org, "desk"), s.URL), org, "desk", recipient.NoTLS)
	to = s.URL + "/end"
	if err := get(t, o.Client(org, "desk"), s.URL); err != nil {
		t.Errorf("a redirect to the same server: %v", err)
	}
	if *asked != 0 {
		t.Error("a redirect led to a server that nobody declared")
	}
}

func TestConnectionsAreEncryptedAndCertificatesChecked(t *testing.T) {
	s, asked := server(t, hello)
	if err := get(t, out(document(t, host(t, s))).Client(org, "desk"), s.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	named := strings.Replace(host(t, s), "127.0.0.1", "localhost", 1)
	trusted := func(o *recipient.Options) { o.Roots = roots(s) }
	if err := get(t, out(document(t, named), trusted).Client(org, "desk"), "https://"+named); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate for another name: %v", err)
	}
	old := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS()
	t.Cleanup(old.Close)
	if err := get(t, out(document(t, host(t, old)), func(o *recipient.Options) { o.Roots = roots(old) }).Client(org, "desk"), old.URL); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	for _, address := range []string{"http://" + host(t, s), "ftp://" + host(t, s)} {
		o := out(document(t, host(t, s)), trusted)
		refused(t, o, get(t, o.Client(org, "desk"), address), org, "desk", recipient.NoTLS)
	}
	if *asked != 0 {
		t.Errorf("the server was asked %d times", *asked)
	}
}

func TestThePortCounts(t *testing.T) {
	s, _ := server(t, hello)
	o := out(document(t, "127.0.0.1"), func(o *recipient.Options) { o.Roots = roots(s) }) // which means port 443
	refused(t, o, get(t, o.Client(org, "desk"), s.URL), org, "desk", recipient.OtherHost)
}

func TestOrganisationsDoNotReachIntoOurNetwork(t *testing.T) {
	s, asked := server(t, hello)
	for _, name := range []string{host(t, s), strings.Replace(host(t, s), "127.0.0.1", "localhost", 1)} {
		o := out(document(t, name), func(o *recipient.Options) { o.Roots, o.Private = roots(s), false })
		refused(t, o, get(t, o.Client(org, "desk"), "https://"+name), org, "desk", recipient.PrivateAddress)
	}
	if *asked != 0 {
		t.Error("an organisation reached a server in our network")
	}
}

func TestARecipientIsSwitchedOnOnlyWhenItIsReady(t *testing.T) {
	s, asked := server(t, hello)
	for name, change := range map[string]func(*policy.Document, *policy.Recipient){
		"no contract":            func(_ *policy.Document, r *policy.Recipient) { r.Contract = policy.Date{} },
		"a contract of tomorrow": func(_ *policy.Document, r *policy.Recipient) { r.Contract = day(2026, 11, 23) },
		"a sale":                 func(_ *policy.Document, r *policy.Recipient) { r.Kind = policy.Sale },
		"abroad, no mechanism": func(d *policy.Document, r *policy.Recipient) {
			r.Country = "US"
			d.Regions.Allowed = append(d.Regions.Allowed, "US")
		},
		"abroad, no region": func(_ *policy.Document, r *policy.Recipient) { r.Country, r.Mechanism = "US", "SCC" },
		"nowhere":           func(_ *policy.Document, r *policy.Recipient) { r.Country = "" },
	} {
		d := document(t, host(t, s))
		change(d, d.Recipients["desk"])
		o := out(d, func(o *recipient.Options) { o.Roots = roots(s) })
		refused(t, o, get(t, o.Client(org, "desk"), s.URL), org, "desk", recipient.NotReady)
		if all, err := o.Register(t.Context(), org); err != nil || len(all) != 1 || all[0].Problem == nil {
			t.Errorf("%s: the register says %+v, %v", name, all, err)
		}
	}
	d := document(t, host(t, s))
	d.Recipients["desk"].Country, d.Recipients["desk"].Mechanism, d.Regions.Allowed = "US", "SCC", append(d.Regions.Allowed, "US")
	if err := get(t, out(d, func(o *recipient.Options) { o.Roots = roots(s) }).Client(org, "desk"), s.URL); err != nil || *asked != 1 {
		t.Errorf("abroad, with all that is needed: %v", err)
	}
}

func TestOurOwnRecipients(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(plain.Close)
	address := strings.TrimPrefix(plain.URL, "http://")
	o := out(document(t, address), func(o *recipient.Options) {
		o.Private = false // our own servers may stand in our own network
		o.Own = []recipient.Own{{Key: "bucket", Name: "the bucket", Host: address, Plain: true}, {Key: "mail", Name: "the mail server", Host: address}, {Key: "unset"}}
	})
	if err := get(t, o.Client(0, "bucket"), plain.URL); err != nil {
		t.Errorf("an own server: %v", err)
	}
	refused(t, o, get(t, o.Client(0, "mail"), plain.URL), 0, "mail", recipient.NoTLS)
	refused(t, o, get(t, o.Client(org, "bucket"), plain.URL), org, "bucket", recipient.Undeclared)
	refused(t, o, get(t, o.Client(0, "unset"), plain.URL), 0, "unset", recipient.Undeclared)

	conn, err := o.Dial(t.Context(), 0, "mail", "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	_, port, _ := net.SplitHostPort(address)
	_, err = o.Dial(t.Context(), 0, "mail", "tcp", net.JoinHostPort("localhost", port))
	refused(t, o, err, 0, "mail", recipient.OtherHost)
	if _, err := o.Dial(t.Context(), org, "mail", "tcp", address); fault.KindOf(err) != fault.Denied {
		t.Errorf("an organisation dials our mail server: %v", err)
	}
	all, err := o.Register(t.Context(), org)
	if err != nil || len(all) != 3 || all[0].Key != "bucket" || !all[0].Own || all[1].Key != "mail" || all[2].Key != "desk" || all[2].Own || all[2].Problem != nil {
		t.Errorf("the register is %+v, %v", all, err)
	}
}

func TestOnlyDeclaredFieldsAreSent(t *testing.T) {
	d := document(t, "api.desk.example")
	start := map[string]any{"call.meta/start": 1}
	if got, err := out(d).Fields(t.Context(), org, "desk", "call_ops", start); err != nil || len(got) != 1 || got["call.meta/start"] != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	for name, c := range map[string]struct {
		key, purpose string
		payload      map[string]any
		why          recipient.Reason
	}{
		"another field":         {"desk", "call_ops", map[string]any{"call.meta/start": 1, "call.meta/number": "+91"}, recipient.OtherField},
		"a category by itself":  {"desk", "call_ops", map[string]any{"call.meta": 1}, recipient.OtherField},
		"another category":      {"desk", "call_ops", map[string]any{"contact/start": 1}, recipient.OtherField},
		"another purpose":       {"desk", "marketing", start, recipient.OtherField},
		"a purpose of nobody":   {"desk", "", start, recipient.OtherField},
		"a recipient of nobody": {"bank", "call_ops", start, recipient.Undeclared},
	} {
		o := out(d)
		got, err := o.Fields(t.Context(), org, c.key, c.purpose, c.payload)
		if got != nil {
			t.Errorf("%s: %v was let through", name, got)
		}
		refused(t, o, err, org, c.key, c.why)
	}
	d.Categories["call.meta"].NeverShare = true
	if _, err := out(d).Fields(t.Context(), org, "desk", "call_ops", start); fault.KindOf(err) != fault.Denied {
		t.Errorf("what is never shared: %v", err)
	}
}

func TestTheBrowsersSignal(t *testing.T) {
	for value, want := range map[string]bool{"1": true, "0": false, "": false, "true": false, "1, 1": false} {
		if got := recipient.OptedOut(http.Header{"Sec-Gpc": {value}}); got != want {
			t.Errorf("Sec-GPC: %s is an opt-out: %v", value, got)
		}
	}
}
