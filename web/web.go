// Package web serves the pages for people. One file per noun holds its routes, its page structs and its handlers; the
// parts they are made of live in ui, the words in phrase, the charts in chart.
//
// A handler returns an error instead of writing one: visit turns its kind into a page or a redirect, once.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

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
	"parley/crm/funnel"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/audit"
	"parley/platform/backup"
	"parley/platform/db"
	"parley/reach/mail"
	"parley/trust/attest"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/incident"
	"parley/trust/policy"
	"parley/trust/prove"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/web/assets"
	"parley/web/template"
	"parley/web/ui"
)

// Deps are what the pages are made from. All fields are needed but SignUp, URL, Dev and Version.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Log
	Accounts  *account.Accounts
	Devices   *device.Devices
	Book      *number.Book
	Calls     *call.Store
	Writer    *ingest.Writer
	Reporter  *stats.Reporter
	Reports   *report.Reports
	Callbacks *callback.Callbacks
	Imports   *ingest.Imports
	Mail      *mail.Mailer
	Backups   *backup.Service
	Holds     *hold.Holds
	Consents  *consent.Consents
	Retain    *retain.Sweeper
	Incidents *incident.Incidents
	Policy    func(ctx context.Context, org account.OrgID) (*policy.Document, error) // in force
	Policies  *policy.Policies
	Attested  *attest.Attestations
	Bill      func() (*attest.Bill, error) // what the program is made of
	Proofs    *prove.Proofs
	Prove     func(ctx context.Context, org *account.Org, actor string, turn *prove.Turn) error // makes a proof run and ends its turn
	Rights    *rights.Rights
	Fields    *field.Fields
	Contacts  *contact.Contacts
	Leads     *lead.Leads
	FollowUps *followup.FollowUps
	Files     *file.Files
	Assign    *assign.Assign
	Attach    *attach.Attach
	Intake    *intake.Imports
	Timelines *timeline.Timelines
	Funnel    *funnel.Funnel
	// AssignLead gives a new lead to whom the rules of assignment say, inside the transaction that makes it.
	AssignLead func(ctx context.Context, tx *db.Tx, org *account.Org, l *lead.Lead) error
	MailServer string                                             // host of the mail server, for the privacy page; "" = none
	RemoveOrg  func(ctx context.Context, org account.OrgID) error // deletes an organisation everywhere, keys included

	// Background carries out what a page does not wait for. Whoever runs the pages waits for it at the end, and logs its error.
	Background func(what string, do func(ctx context.Context) error)

	SignUp  bool   // strangers may open an organisation
	URL     string // public base address such as https://calls.example.com; "" = as the browser asks
	Dev     bool   // shows the developer's pages to everybody who may see them, and the gallery
	Version string
	TempDir string // where uploads wait, unreadable; "" = the system's
	Now     func() time.Time
	Log     *slog.Logger
}

// site is the running web part.
type site struct {
	Deps
	ui      *ui.UI
	staging *staging
	lists   *staging // files with contacts and leads
	tally   tally    // figures beside pages of the navigation
	guessed guesses
}

// New gives the handler of all pages and assets. It fails when a route does not say whom it is for.
func New(d Deps) (http.Handler, error) {
	s := &site{Deps: d, staging: newStaging(), lists: newStaging()}
	var err error
	if s.ui, err = ui.New(ui.Options{Templates: template.Files, Assets: assets.Built(), Now: d.Now, Log: d.Log}); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		if err := r.check(); err != nil {
			return nil, err
		}
		mux.Handle(r.pattern, s.serve(r))
	}
	mux.Handle("GET "+ui.Prefix, s.ui.Assets())
	mux.Handle("/", s.serve(route{pattern: "/", needs: Public, handle: nothingHere}))
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(s.serve(route{pattern: "/", needs: Public, handle: foreignForm}))
	return ui.Secure(guard.Handler(mux)), nil
}

// base is the address that links in mails begin with.
func (s *site) base(r *http.Request) string {
	if s.URL != "" {
		return strings.TrimRight(s.URL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// secure tells whether browsers reach us over TLS, so that cookies can be kept to it.
func (s *site) secure(r *http.Request) bool {
	if s.URL != "" {
		return strings.HasPrefix(s.URL, "https:")
	}
	return r.TLS != nil
}

// from says where a request comes from. The address is that of the connection: a proxy's header could be forged.
func from(r *http.Request) account.SignInFrom {
	ip := ""
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		ip = a.Addr().Unmap().String()
	}
	return account.SignInFrom{IP: ip, UserAgent: r.UserAgent()}
}

// local is path when it leads to a page of ours, and "/" otherwise, so that a link cannot send people elsewhere.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// patternError tells a programmer what is wrong with a route.
func patternError(pattern, what string) error {
	return fmt.Errorf("web: the route %q %s", pattern, what)
}
