// Package api is the interface for programs: everything under /api/, described by an OpenAPI 3.1 document that it serves
// itself.
//
// Each operation declares what its caller needs: a permission of package account, a device's token, or nothing. One that
// declares nothing does not start. Errors are RFC 9457 problems made of the sentences of package fault. It is the only
// importer of huma.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/assign"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/vault"
	"parley/trust/attest"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/incident"
	"parley/trust/policy"
	"parley/trust/prove"
	"parley/trust/retain"
	"parley/trust/rights"
)

// Deps is what the API works with. All of it must be given, unless said otherwise.
type Deps struct {
	Audit     *audit.Log
	Consents  *consent.Consents
	Holds     *hold.Holds
	Policies  *policy.Policies
	Proofs    *prove.Proofs
	Prove     func(ctx context.Context, org *account.Org, actor string, turn *prove.Turn) error // makes a proof run and ends its turn
	Rights    *rights.Rights
	Retain    *retain.Sweeper
	Incidents *incident.Incidents
	Attested  *attest.Attestations
	Bill      func() (*attest.Bill, error) // what the program is made of
	Accounts  *account.Accounts
	Devices   *device.Devices
	Calls     *call.Store
	Book      *number.Book
	Writer    *ingest.Writer
	Reporter  *stats.Reporter
	Reports   *report.Reports
	Callbacks *callback.Callbacks
	Imports   *ingest.Imports
	Fields    *field.Fields
	Contacts  *contact.Contacts
	Leads     *lead.Leads
	Assign    *assign.Assign
	FollowUps *followup.FollowUps
	Files     *file.Files
	Attach    *attach.Attach
	Intake    *intake.Imports
	Timelines *timeline.Timelines
	Keys      *vault.Keys
	DB        *db.DB
	Now       func() time.Time
	Log       *slog.Logger
	Version   string
	Limits    Limits // zero values mean the usual ones
	TempDir   string // where uploaded files wait until they are read; "" = the system's folder
}

// API serves the interface. Close it before the database.
type API struct {
	Deps
	mux      *http.ServeMux
	huma     huma.API
	routes   []Route
	declared map[string]*operation // by pattern, such as "GET /api/v1/teams"
	faults   []error
	limits   *limiter
	work     background
	document document
}

// New gives the handler of everything under /api/. It fails when an operation does not say what its caller needs.
func New(d Deps) (*API, error) {
	s := newAPI(d)
	s.register()
	if err := errors.Join(s.faults...); err != nil {
		return nil, err
	}
	if err := s.publish(); err != nil {
		return nil, err
	}
	return s, nil
}

// newAPI is an API without operations.
func newAPI(d Deps) *API {
	s := &API{Deps: d, mux: http.NewServeMux(), declared: map[string]*operation{}, limits: newLimiter(d.Limits)}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.huma = huma.NewAPI(s.config(), adapter(s))
	return s
}

// register declares every operation, in the order of the reference.
func (s *API) register() {
	s.organisations()
	s.teams()
	s.members()
	s.invitations()
	s.lines()
	s.devices()
	s.exclusions()
	s.calls()
	s.numbers()
	s.people()
	s.metrics()
	s.reports()
	s.imports()
	s.contacts()
	s.timelines()
	s.ownFields()
	s.leads()
	s.assignment()
	s.followUps()
	s.lists()
	s.addressBooks()
	s.search()
	s.consents()
	s.holds()
	s.requests()
	s.retention()
	s.incidents()
	s.transfers()
	s.attestations()
	s.closing()
	s.policies()
	s.proofs()
	s.tokens()
	s.sessions()
	s.collectors()
	s.health()
	s.auditLog()
	s.documents()
}

// Close ends what runs in the background and waits for it.
func (s *API) Close() { s.work.close() }

// Routes lists every operation with what it needs, for the table of roles and routes.
func Routes() []Route {
	s := newAPI(Deps{})
	s.register()
	return s.routes
}

// ServeHTTP answers a request. Whatever is not an operation is answered with a problem, too.
func (s *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	defer s.rescue(w, r)
	// An address with an empty part, as a missing id leaves it, would be redirected to another operation.
	if path.Clean(r.URL.Path) != r.URL.Path {
		writeProblem(w, noSuchAddress())
		return
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.nowhere(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// rescue turns a panic into a problem. An aborted answer stays aborted, so that its reader sees that it is not whole.
func (s *API) rescue(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		s.Log.ErrorContext(r.Context(), "api panic", "method", r.Method, "pattern", r.Pattern, "panic", p)
		writeProblem(w, problemOf(errors.New("panic")))
	}
}

// callerKey is the context key of the caller.
type callerKey struct{}

// caller is whoever a request comes from: a member through a token or session, or a device. Both are nil on public
// operations.
type caller struct {
	actor  *account.Actor
	device *device.Device
	org    *account.Org
	id     string   // of the token, session or device; names its rate limit
	about  []string // persons whose data is shown or changed, for the audit log
	body   []byte   // of a request that is read before its handler; nil for an upload
}

func callerOf(ctx context.Context) *caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	if c == nil {
		return &caller{}
	}
	return c
}

// actorOf gives who acts; gate has made sure of them.
func actorOf(ctx context.Context) *account.Actor { return callerOf(ctx).actor }
