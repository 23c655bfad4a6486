package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/datamap"
	"parley/trust/policy"
	"parley/trust/prove"
	"parley/trust/recipient"
)

type proveCmd struct {
	inOrg
	asJSON
	Out string `placeholder:"FILE" help:"Write the signed report to this file, too."`
}

func (c *proveCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	show, done := r.progress()
	report, certified, err := r.p.Prove(ctx, org, audit.Operator, func(n, of int, title string) { show(title, int64(n), int64(of)) })
	done()
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.WriteFile(r.path(c.Out), append(certified, '\n'), 0o600); err != nil {
			return fault.Wrap(fault.Unavailable, err, "The report cannot be written to %s (%s).", r.path(c.Out), plainReason(err))
		}
	}
	if c.JSON {
		err = writeJSON(r, json.RawMessage(certified))
	} else {
		err = printProof(r, report)
	}
	if err != nil || report.Passed {
		return err
	}
	if broken := report.Broken(); len(broken) > 0 {
		return fault.New(fault.Conflict, "The policy does not hold: %s.", strings.Join(broken, ", "))
	}
	return fault.New(fault.Unavailable, "The run could not try everything, so it proves nothing of that. %s", strings.Join(report.Unfinished(), " "))
}

func printProof(r *Run, report *prove.Report) error {
	for _, s := range report.Steps {
		if err := r.printf("%-8s %s (%d ms)\n", s.Result, s.Title, s.Millis); err != nil {
			return err
		}
		for _, f := range s.Facts {
			if err := r.printf("         %s\n", f); err != nil {
				return err
			}
		}
		for _, f := range s.Failures {
			if err := r.printf("         BROKEN: %s\n", f); err != nil {
				return err
			}
		}
	}
	for _, s := range report.Unfinished() {
		if err := r.printf("NOT TRIED %s\n", s); err != nil {
			return err
		}
	}
	n := map[prove.Result]int{}
	for _, p := range report.Promises {
		n[p.Result]++
		if p.Result == prove.Broken {
			if err := r.printf("%s %s: broken (%s)\n", p.ID, p.Title, p.Rule); err != nil {
				return err
			}
		}
		if p.Result == prove.NotTried {
			if err := r.printf("%s %s: not tried: %s\n", p.ID, p.Title, p.Why); err != nil {
				return err
			}
		}
	}
	return r.printf("%d promises proved in this run, %d by the tests of this version, %d without either, %d of features that are not there yet, %d not tried, %d broken; %.1f s.\n",
		n[prove.Passed], n[prove.Tested], n[prove.Untested], n[prove.NotYet], n[prove.NotTried], n[prove.Broken], float64(report.Millis)/1000)
}

// Prove tries on the living installation whether an organisation's policy holds, without touching its data: what needs a
// person uses one who does not exist, what needs another time works on a copy. The signed report is kept.
func (p *Parley) Prove(ctx context.Context, org *account.Org, actor string, said func(n, of int, title string)) (report *prove.Report, certified []byte, err error) {
	turn, err := p.Proofs.Begin(org.ID, p.Now())
	if err != nil {
		return nil, nil, err
	}
	return p.proveIn(ctx, org, actor, turn, said)
}

// proveBegun makes a run whose turn was taken by whoever does not wait for it.
func (p *Parley) proveBegun(ctx context.Context, org *account.Org, actor string, turn *prove.Turn) error {
	_, _, err := p.proveIn(ctx, org, actor, turn, func(int, int, string) {})
	return err
}

// proveIn makes a run and gives the turn back.
func (p *Parley) proveIn(ctx context.Context, org *account.Org, actor string, turn *prove.Turn, said func(n, of int, title string)) (report *prove.Report, certified []byte, err error) {
	defer func() { turn.End(err) }()
	dir, err := os.MkdirTemp(p.Config.Data, "proof-")
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "The proof run has no place to work in %s. Check that there is room for a copy of the data.", p.Config.Data)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	doc, err := p.Policies.Current(ctx, org.ID)
	if err != nil {
		return nil, nil, err
	}
	head := prove.Report{Org: org.ID, Version: version(), Policy: doc.Version, PolicyHash: policy.Hash(doc.Source())}
	if report, err = prove.Run(ctx, head, p.proofSteps(org, dir), p.Now, func(n, of int, title string) {
		turn.Said(n, of, title)
		said(n, of, title)
	}); err != nil {
		return nil, nil, err
	}
	certified, err = p.Proofs.Keep(ctx, report, actor)
	return report, certified, err
}

// proofSteps are what a run tries, in order.
func (p *Parley) proofSteps(org *account.Org, dir string) []prove.Step {
	steps := p.steps(org, dir)
	for i := range steps {
		run, id := steps[i].Run, steps[i].ID
		steps[i].Run = func(ctx context.Context) ([]string, error) {
			facts, err := run(ctx)
			if err != nil && ctx.Err() == nil { // the report has the sentences alone
				p.Log.Error("proof step failed", "step", id, "err", err)
			}
			return facts, err
		}
	}
	return steps
}

func (p *Parley) steps(org *account.Org, dir string) []prove.Step {
	return []prove.Step{
		{ID: "lint", Title: "The policy document has no trap", Promises: []string{"P27", "P53", "P81", "P98", "P99", "P100", "P101", "P124", "P134", "P136", "P138", "P143", "P144", "P147", "P151", "P152", "P153", "P154"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveLint(ctx, org) }},
		{ID: "schema", Title: "Every column is in the data map, and every category in the policy", Promises: []string{"P2", "P9", "P23", "P26"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveSchema(ctx, org) }},
		{ID: "canary", Title: "A person who does not exist is called, found, given their data, erased and looked for everywhere",
			Promises: []string{"P5", "P6", "P25", "P28", "P42", "P43", "P48", "P77", "P79", "P87", "P88", "P89", "P90", "P92", "P93", "P94", "P104", "P112"},
			Run:      func(ctx context.Context) ([]string, error) { return p.proveCanary(ctx, dir) }},
		{ID: "purposes", Title: "What the document does not allow is refused", Promises: []string{"P24", "P27", "P33"},
			Run: func(ctx context.Context) ([]string, error) { return p.provePurposes(ctx, org) }},
		{ID: "retention", Title: "On a copy a year later, nothing is kept longer than promised", Promises: []string{"P71", "P72", "P73", "P76", "P82"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveRetention(ctx, org, dir) }},
		{ID: "drill", Title: "A backup restores", Promises: []string{"P54", "P77"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveDrill(ctx, dir) }},
		{ID: "log", Title: "The audit log is whole", Promises: []string{"P64"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveLog(ctx, org) }},
		{ID: "egress", Title: "Nothing leaves but to declared recipients", Promises: []string{"P122", "P125", "P126", "P132"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveEgress(ctx, org) }},
		{ID: "web", Title: "Pages set only registered cookies, load nothing from elsewhere, and come by TLS", Promises: []string{"P22", "P41", "P117", "P119", "P120", "P135"},
			Run: func(ctx context.Context) ([]string, error) { return p.proveWeb(ctx, org, dir) }},
	}
}

func (p *Parley) proveLint(ctx context.Context, org *account.Org) ([]string, error) {
	doc, err := p.Policies.Current(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	var f prove.Failures
	for _, x := range policy.Check([]byte(doc.Source())) {
		f.Add(prove.Fail(strings.ReplaceAll(x.Promise, ",", " "), "Line %d (%s): %s %s", x.Line, x.Rule, x.Reason, x.Mend))
	}
	return []string{"Version " + strconv.Itoa(doc.Version) + " of the document: " + plural(len(doc.Categories), "category", "categories") + ", " + plural(len(doc.Purposes), "purpose", "purposes") + ", " + plural(len(doc.Recipients), "recipient", "recipients") + "."}, f.Err()
}

func (p *Parley) proveSchema(ctx context.Context, org *account.Org) ([]string, error) {
	m, err := dataMap()
	if err != nil {
		return nil, err
	}
	doc, err := p.Policies.Current(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	var f prove.Failures
	if err := m.CheckSchema(ctx, p.DB); err != nil {
		f.Add(prove.Fail("P2 P26", "%s", fault.Sentence(err)))
	}
	if err := m.CheckCategories(saidBy(doc)); err != nil {
		f.Add(prove.Fail("P26", "%s", fault.Sentence(err)))
	}
	for _, c := range m.ByCategory("weblog") {
		if slices.ContainsFunc(c.Subjects, func(l datamap.Link) bool { return l.Kind == datamap.Number }) {
			f.Add(prove.Fail("P23", "The column %s.%s ties a web log to a person outside.", c.Table, c.Name))
		}
	}
	return []string{"Every column of " + plural(len(m.Tables()), "table", "tables") + " has a category, a person and a class."}, f.Err()
}

func (p *Parley) proveCanary(ctx context.Context, dir string) ([]string, error) {
	c := newCanary(p, dir)
	err := c.run(ctx)
	if err != nil {
		c.failed.Add(err)
	}
	return c.facts, c.failed.Err()
}

// provePurposes asks the gate for every purpose and category, and compares it with what the document lists.
func (p *Parley) provePurposes(ctx context.Context, org *account.Org) ([]string, error) {
	doc, err := p.Policies.Current(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	var f prove.Failures
	tried, denied := 0, 0
	for category, c := range doc.Categories {
		for _, purpose := range append(keysOf(doc.Purposes), "profiling") {
			listed := slices.Contains(c.Purposes, purpose) && doc.Purpose(purpose) != nil
			tried++
			if allowed := doc.Allows(purpose, category); allowed != listed {
				f.Add(prove.Fail("P27", "The purpose %s on %s is allowed: %v; the document says %v.", purpose, category, allowed, listed))
			} else if !allowed {
				denied++
			}
		}
	}
	gate, err := p.Policies.Gate(ctx, org.ID, "")
	if err != nil {
		return nil, err
	}
	if err := gate(account.Permission("profiling")); err == nil {
		f.Add(prove.Fail("P24 P27", "A permission without a declared purpose is allowed."))
	}
	return []string{plural(tried, "pair", "pairs") + " of purpose and category were tried, " + plural(denied, "was", "were") + " refused, as the document says."}, f.Err()
}

func keysOf[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (p *Parley) proveDrill(ctx context.Context, dir string) (facts []string, err error) {
	if p.DB.Engine() != db.SQLite {
		return []string{"The calls are in PostgreSQL, which has its own backups; the key store's was restored with the person who does not exist."}, nil
	}
	where := filepath.Join(dir, "drill")
	if err := os.Mkdir(where, 0o700); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Backups.Forget(where)) }()
	quiet := func(string, int64, int64) {}
	if _, err := p.Backups.Run(ctx, where, false, quiet); err != nil {
		return nil, err
	}
	r, err := p.Backups.Drill(ctx, where, quiet)
	if err != nil {
		return nil, err
	}
	status, err := p.Backups.Status()
	if err != nil {
		return nil, err
	}
	var f prove.Failures
	for _, sentence := range status.Overdue {
		f.Add(prove.Fail("P77", "%s", sentence))
	}
	return []string{"The backup " + r.Sentence, status.Sentence}, f.Err()
}

func (p *Parley) proveLog(ctx context.Context, org *account.Org) ([]string, error) {
	var f prove.Failures
	var facts []string
	for _, log := range []int64{int64(org.ID), 0} {
		v, err := p.Audit.Verify(ctx, log)
		if err != nil {
			return nil, err
		}
		for _, fault := range v.Faults {
			f.Add(prove.Fail("P64", "%s", fault))
		}
		facts = append(facts, "The log "+v.Log+" has "+plural(int(v.Entries), "entry", "entries")+" and "+plural(v.Checkpoints, "checkpoint", "checkpoints")+".")
	}
	return facts, f.Err()
}

// proveEgress compares the register that people read with what the way out lets through, and tries a host that is in
// neither. The name is reserved: even if it were let through, nobody would be there.
func (p *Parley) proveEgress(ctx context.Context, org *account.Org) ([]string, error) {
	var f prove.Failures
	all, err := p.Out.Register(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	doc, err := p.Policies.Current(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	for key := range doc.Recipients {
		if !slices.ContainsFunc(all, func(r recipient.Recipient) bool { return r.Key == key }) {
			f.Add(prove.Fail("P126 P132", "The recipient %s of the document is not in the register of the way out.", key))
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://undeclared.invalid/", http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := p.Out.Client(org.ID, "undeclared").Do(req)
	if err == nil {
		f.Add(prove.Fail("P122", "A server that nobody declared was reached."))
		if err := answer.Body.Close(); err != nil {
			return nil, err
		}
	} else if fault.KindOf(err) != fault.Denied {
		f.Add(prove.Fail("P122", "A server that nobody declared was not refused by the way out: %v", err))
	}
	return []string{plural(len(all), "recipient is", "recipients are") + " declared; a server that is not was refused."}, f.Err()
}

// proveWeb asks the pages that need no account what they set and load, in this process.
func (p *Parley) proveWeb(ctx context.Context, org *account.Org, dir string) (facts []string, err error) {
	site, err := p.site(dir) // beside the one that serves, whose folder of uploads is its own
	if err != nil {
		return nil, err
	}
	defer site.close()
	name, err := p.Policies.Name(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	var f prove.Failures
	pages := []string{"/sign-in", "/terms", "/forgot", "/privacy/" + name, "/privacy/" + name + "/request"}
	if on, err := p.Proofs.Published(ctx, org.ID); err != nil {
		return nil, err
	} else if on {
		pages = append(pages, "/privacy/"+name+"/proof")
	}
	if p.Config.SignUp {
		pages = append(pages, "/sign-up")
	}
	for _, path := range pages {
		r, err := ask(ctx, site.handler, path)
		if err != nil {
			return nil, err
		}
		if r.status != http.StatusOK {
			f.Add(prove.Fail("P22", "The page %s answers %d.", path, r.status))
		}
		for _, cookie := range r.cookies() {
			if !slices.Contains(policy.Cookies(), cookie) {
				f.Add(prove.Fail("P117", "The page %s sets the cookie %s, which is not in the register.", path, cookie))
			}
			f.Add(prove.Fail("P22", "The public page %s sets a cookie (%s).", path, cookie))
		}
		csp := r.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") && !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "http:") || strings.Contains(csp, "https:") || strings.Contains(csp, "*") {
			f.Add(prove.Fail("P119 P120", "The page %s may load from other hosts: its content security policy is %q.", path, csp))
		}
		if ref := r.header.Get("Referrer-Policy"); ref != "no-referrer" && ref != "same-origin" {
			f.Add(prove.Fail("P135", "The page %s tells other sites where people come from: its referrer policy is %q.", path, ref))
		}
	}
	facts = []string{plural(len(pages), "public page sets", "public pages set") + " no cookie and load nothing from other hosts."}
	switch {
	case p.Config.TLS.on():
		c, err := openCertificate(&p.Config.TLS, p.Log)
		if err != nil {
			return nil, err
		}
		if c.config().MinVersion < tls.VersionTLS12 {
			f.Add(prove.Fail("P41", "The server takes connections older than TLS 1.2."))
		}
		facts = append(facts, "The server itself speaks TLS 1.2 or later.")
	case strings.HasPrefix(p.Config.URL, "https://"), local(p.Config.Listen):
		facts = append(facts, "The server listens on "+p.Config.Listen+" by plain HTTP; TLS is its proxy's part.")
	default:
		f.Add(prove.Fail("P41", "The server listens on %s by plain HTTP for other machines. Set tls.cert and tls.key, or listen on localhost behind a proxy that speaks TLS.", p.Config.Listen))
	}
	return facts, f.Err()
}

// local tells whether an address can be reached from this machine alone.
func local(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// plural is a count with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// page is what a page answered.
type page struct {
	status int
	header http.Header
}

func (p *page) cookies() []string {
	var names []string
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		names = append(names, c.Name)
	}
	return names
}

// ask gets a page from a handler in this process, as a stranger's browser would.
func ask(ctx context.Context, h http.Handler, path string) (*page, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:1"
	w := &pageWriter{page{header: http.Header{}}}
	h.ServeHTTP(w, r)
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &w.page, nil
}

// pageWriter keeps status and headers of an answer.
type pageWriter struct{ page }

func (w *pageWriter) Header() http.Header         { return w.header }
func (w *pageWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w *pageWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
