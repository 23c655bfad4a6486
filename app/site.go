package app

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/api"
	"parley/web"
)

// site is everything that the server answers.
type site struct {
	handler http.Handler
	api     *api.API
	stop    context.CancelFunc
	working sync.WaitGroup // what pages do not wait for
}

// site puts the pages, the API and what machines ask for behind one handler. uploads is the folder where files wait.
func (p *Parley) site(uploads string) (*site, error) {
	s := &site{}
	ctx, stop := context.WithCancel(context.Background()) // close ends it
	s.stop = stop
	pages, err := web.New(web.Deps{
		DB: p.DB, Audit: p.Audit, Accounts: p.Accounts, Devices: p.Devices, Book: p.Book, Calls: p.Calls, Writer: p.Writer, Reporter: p.Reporter,
		Reports: p.Reports, Callbacks: p.Callbacks, Imports: p.Imports, Mail: p.Mail, Backups: p.Backups, Holds: p.Holds, Consents: p.Consents, Policy: p.policyOf, Policies: p.Policies, Attested: p.Attested, Bill: bill, Proofs: p.Proofs, Prove: p.proveBegun, Rights: p.Rights, Fields: p.Fields, Contacts: p.Contacts, Leads: p.Leads, AssignLead: p.assignLead, Assign: p.Assign, FollowUps: p.FollowUps, Files: p.Files, Attach: p.Attach, Intake: p.Intake, Timelines: p.Timelines, Funnel: p.Funnel, MailServer: p.Config.Mail.Host,
		Retain: p.Retain, Incidents: p.Incidents, RemoveOrg: p.RemoveOrg, SignUp: p.Config.SignUp, URL: p.Config.URL, Dev: p.Config.Dev, Version: version(), TempDir: uploads, Now: p.Now, Log: p.Log,
		Background: func(what string, do func(context.Context) error) {
			s.working.Go(func() {
				if err := do(ctx); err != nil && ctx.Err() == nil {
					p.Log.Error("duty failed", "duty", what, "err", err)
				}
			})
		},
	})
	if err != nil {
		stop()
		return nil, err
	}
	if s.api, err = p.newAPI(uploads); err != nil {
		stop()
		return nil, err
	}
	gauges := newGauges(p)
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/api/", s.api)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", p.ready)
	mux.Handle("GET /metrics", p.guardMetrics(gauges.handler()))
	s.handler = gauges.count(mux)
	return s, nil
}

// uploads gives an empty folder where files wait until they are read: beside the data, since the system's own is often
// kept in memory, which a large file would fill.
func (p *Parley) uploads() (string, error) {
	dir := filepath.Join(p.Config.Data, uploadDir)
	if err := os.RemoveAll(dir); err != nil { // left by a server that was killed; their keys are gone with it
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

func (p *Parley) newAPI(uploads string) (*api.API, error) {
	return api.New(api.Deps{
		Audit: p.Audit, Consents: p.Consents, Holds: p.Holds, Rights: p.Rights, Policies: p.Policies, Accounts: p.Accounts, Devices: p.Devices, Calls: p.Calls, Book: p.Book, Writer: p.Writer, Reporter: p.Reporter, Reports: p.Reports,
		Retain: p.Retain, Incidents: p.Incidents, Attested: p.Attested, Bill: bill, Proofs: p.Proofs, Prove: p.proveBegun, Callbacks: p.Callbacks, Imports: p.Imports,
		Fields: p.Fields, Contacts: p.Contacts, Leads: p.Leads, Assign: p.Assign, FollowUps: p.FollowUps, Files: p.Files, Attach: p.Attach, Intake: p.Intake, Timelines: p.timelines(),
		Keys: p.Keys, DB: p.DB, Now: p.Now, Log: p.Log, Version: version(), TempDir: uploads,
	})
}

// close ends what pages and API do in the background, and waits for it.
func (s *site) close() {
	s.stop()
	s.working.Wait()
	s.api.Close()
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the asker went away
}

const readyTime = 2 * time.Second

// ready tells whether the database and the keys can be used.
func (p *Parley) ready(w http.ResponseWriter, r *http.Request) {
	ctx, stop := context.WithTimeout(r.Context(), readyTime)
	defer stop()
	checks := map[string]string{"database": "ok", "keys": "ok"}
	status := http.StatusOK
	var one int
	if err := p.DB.Row(ctx, `SELECT 1`).Scan(&one); err != nil {
		p.Log.Error("not ready", "check", "database", "err", err)
		checks["database"], status = "failed", http.StatusServiceUnavailable
	}
	if _, err := p.Keys.Org(ctx, 0); err != nil {
		p.Log.Error("not ready", "check", "keys", "err", err)
		checks["keys"], status = "failed", http.StatusServiceUnavailable
	}
	answer(w, status, checks)
}

// guardMetrics lets in whoever has the token and, where none is set, this machine.
func (p *Parley) guardMetrics(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.mayMeasure(r) {
			answer(w, http.StatusForbidden, map[string]string{"error": "Metrics are given to this machine, or to whoever sends the token that is set as metrics.token."})
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (p *Parley) mayMeasure(r *http.Request) bool {
	if want := p.Config.Metrics; want != "" {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return subtle.ConstantTimeCompare([]byte(token), []byte(want)) == 1
	}
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" { // a proxy on this machine asks for somebody else
		return false
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// gauges are what is measured of the server.
type gauges struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newGauges(p *Parley) *gauges {
	g := &gauges{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "parley_http_request_seconds", Help: "Time to answer requests.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"part", "code"})}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_mails_waiting", Help: "Mails that wait to be delivered."}, func() float64 {
		n, _, err := p.Mail.Counts(context.Background())
		if err != nil {
			return -1
		}
		return float64(n)
	})
	g.registry.MustRegister(g.requests, waiting, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return g
}

func (g *gauges) handler() http.Handler {
	return promhttp.HandlerFor(g.registry, promhttp.HandlerOpts{})
}

// count measures requests by part of the site, never by address: addresses hold names and numbers.
func (g *gauges) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, seen := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(seen, r)
		part := "pages"
		if strings.HasPrefix(r.URL.Path, "/api/") {
			part = "api"
		}
		g.requests.WithLabelValues(part, strconv.Itoa(seen.status)).Observe(time.Since(began).Seconds())
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
