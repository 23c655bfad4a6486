package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned writes a certificate for localhost and gives a pool that trusts it.
func selfSigned(t *testing.T, dir string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(certPEM)
	for name, b := range map[string][]byte{"cert.pem": certPEM, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

func TestTLSIsAtLeastOneTwo(t *testing.T) {
	dir := t.TempDir()
	pool := selfSigned(t, dir, 1)
	s := &server{p: &Parley{Config: &Config{TLS: TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Redirect: "localhost:0"}}, Log: slog.New(slog.DiscardHandler)}}
	plain, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, handler, end, err := s.secure(t.Context(), plain, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("secret")) }))
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	hs := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() { _ = hs.Serve(listener) }()
	defer hs.Close()
	_, port, _ := net.SplitHostPort(plain.Addr().String())
	address := net.JoinHostPort("localhost", port)
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, MinVersion: old, MaxVersion: old}); err == nil {
			t.Errorf("a connection by TLS %x was taken", old)
			_ = c.Close()
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12}}}
	r, err := client.Get("https://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if got := r.Header.Get("Strict-Transport-Security"); got != hstsAge {
		t.Errorf("the header HSTS is %q", got)
	}
	if r, err := http.Get("http://" + address + "/"); err == nil {
		defer r.Body.Close()
		if r.StatusCode == http.StatusOK {
			t.Error("the page was given by plain HTTP")
		}
	}
}

func TestPlainHTTPIsOnlyRedirected(t *testing.T) {
	for port, want := range map[string]string{"443": "https://calls.example.com/missed?x=1", "8443": "https://calls.example.com:8443/missed?x=1"} {
		w := httptest.NewRecorder()
		toTLS(port).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://calls.example.com:80/missed?x=1", nil))
		if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != want {
			t.Errorf("port %s: %d to %q, want %q", port, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestARenewedCertificateIsTakenUp(t *testing.T) {
	dir := t.TempDir()
	selfSigned(t, dir, 1)
	c, err := openCertificate(&TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.SerialNumber.String()
	}
	if got := serial(); got != "1" {
		t.Fatalf("serial %s", got)
	}
	selfSigned(t, dir, 2)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "cert.pem"), later, later); err != nil {
		t.Fatal(err)
	}
	c.looked = time.Time{}
	if got := serial(); got != "2" {
		t.Errorf("the renewed certificate was not taken: serial %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.looked = time.Time{}
	if got := serial(); got != "2" {
		t.Errorf("a half-written file took the certificate away: serial %s", got)
	}
	_, err = openCertificate(&TLS{Cert: filepath.Join(dir, "cert.pem")}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "belong together") {
		t.Errorf("a certificate without its key gave %v", err)
	}
}
