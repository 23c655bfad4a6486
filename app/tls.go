package app

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"parley/platform/fault"
)

// TLS says how the server encrypts what it sends, when no proxy does it.
type TLS struct {
	Cert, Key string // files in PEM; both empty = plain HTTP, for a proxy on the same machine
	Redirect  string // address on which plain HTTP is sent to HTTPS; "" = none
}

func (t *TLS) on() bool { return t.Cert != "" || t.Key != "" }

// hstsAge is how long browsers remember to come by HTTPS only: a year, as the preload lists ask.
const hstsAge = "max-age=31536000; includeSubDomains"

// certificate gives the newest certificate in the files: whoever renews them need not restart the server.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	at     time.Time // when the files were written
	looked time.Time
}

// lookEvery is how often the files are looked at.
const lookEvery = time.Minute

func openCertificate(t *TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: t.Cert, key: t.Key, log: log}
	if t.Cert == "" || t.Key == "" {
		return nil, fault.New(fault.Invalid, "tls.cert and tls.key belong together, and one of them is missing. Name both files, or neither.")
	}
	if err := c.load(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The certificate %s with the key %s cannot be used (%s). Check that both files are there in PEM form, belong together and may be read.", t.Cert, t.Key, plainReason(err))
	}
	return c, nil
}

func (c *certificate) load() error {
	info, err := os.Stat(c.cert)
	if err != nil {
		return err
	}
	if c.loaded != nil && info.ModTime().Equal(c.at) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.loaded, c.at = &pair, info.ModTime()
	return nil
}

// get is called for each connection.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) > lookEvery {
		c.looked = now
		if err := c.load(); err != nil { // half-written files: the old one serves on
			c.log.Warn("the renewed certificate cannot be used yet", "err", err)
		}
	}
	return c.loaded, nil
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

// onlyTLS tells browsers to come by HTTPS from now on.
func onlyTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", hstsAge)
		next.ServeHTTP(w, r)
	})
}

// toTLS answers plain HTTP with the same address under HTTPS, and nothing else.
func toTLS(port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if port != "443" {
			host = net.JoinHostPort(host, port)
		}
		to := url.URL{Scheme: "https", Host: host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
	})
}

// secure puts a listener and what it answers under TLS, and starts the redirect; end stops that.
func (s *server) secure(ctx context.Context, listener net.Listener, handler http.Handler) (net.Listener, http.Handler, func(), error) {
	t := &s.p.Config.TLS
	if !t.on() {
		return listener, handler, func() {}, nil
	}
	cert, err := openCertificate(t, s.p.Log)
	if err != nil {
		return nil, nil, nil, err
	}
	end := func() {}
	if t.Redirect != "" {
		plain, err := net.Listen("tcp", t.Redirect)
		if err != nil {
			return nil, nil, nil, fault.Wrap(fault.Unavailable, err, "Plain HTTP cannot be redirected from %s (%s). Choose another address for tls.redirect, or leave it empty.", t.Redirect, plainReason(err))
		}
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, nil, nil, err
		}
		hs := &http.Server{Handler: toTLS(port), ReadHeaderTimeout: headerTime, MaxHeaderBytes: maxHeader,
			BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(s.p.Log.Handler(), slog.LevelDebug)}
		var running sync.WaitGroup
		running.Go(func() { _ = hs.Serve(plain) }) // it ends when it is closed
		end = func() {
			_ = hs.Close() // nothing is under way there
			running.Wait()
		}
	}
	return tls.NewListener(listener, cert.config()), onlyTLS(handler), end, nil
}
