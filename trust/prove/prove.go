// Package prove shows that the privacy policy holds. A run is a list of steps over the live installation, each of which
// speaks for some promises; its outcome is one signed report: promise, rule, test, result, time. A promise whose step
// failed is shown as broken.
package prove

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Schema holds the tables of this package, series "prove".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Result is what became of a step or a promise.
type Result string

// The results.
const (
	Passed   Result = "passed"
	Broken   Result = "broken"    // it was tried, and does not hold
	Tested   Result = "tested"    // no step of a run speaks for it; the tests that the version was built with do
	Untested Result = "untested"  // neither a step nor a test speaks for it
	NotYet   Result = "not_yet"   // the feature is not in this version
	NotTried Result = "not_tried" // a step that speaks for it could not be carried out so far
)

// Step is one thing that a run tries.
type Step struct {
	ID       string // such as "canary"
	Title    string
	Promises []string
	// Run tries it and tells in sentences what it found. What does not hold is a Failure; any other error is one of the run
	// itself, and says nothing about the promises that were not reached: see Stop.
	Run func(ctx context.Context) (facts []string, err error)
}

// Failure is an error of a step that names the promises it breaks, where that is not all of the step's.
type Failure struct {
	Promises []string
	Sentence string
}

func (f *Failure) Error() string { return f.Sentence }

// Fail is a Failure with a formatted sentence. promises are names with spaces between; none means all of the step's.
func Fail(promises, sentence string, args ...any) error {
	return &Failure{Promises: strings.Fields(promises), Sentence: fmt.Sprintf(sentence, args...)}
}

// Stopped is an error of the run itself, as of a full disk, that names the promises it kept from being tried.
type Stopped struct {
	Promises []string
	Err      error
}

func (s *Stopped) Error() string { return fault.Sentence(s.Err) }

// Unwrap is the error itself.
func (s *Stopped) Unwrap() error { return s.Err }

// Stop is err, when it is one, as what kept some promises from being tried. Any other error keeps all of the step's from it
// that no Failure names.
func Stop(err error, promises ...string) error {
	if err == nil {
		return nil
	}
	return &Stopped{Promises: promises, Err: err}
}

// Failures gathers what does not hold, so that one step tells everything it finds.
type Failures []error

// Add notes err, when it is one.
func (f *Failures) Add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

// Err is nil when nothing was noted.
func (f Failures) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f Failures) Error() string {
	sentences := make([]string, len(f))
	for i, err := range f {
		sentences[i] = sentence(err)
	}
	return strings.Join(sentences, " ")
}

func sentence(err error) string {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Sentence
	}
	return fault.Sentence(err)
}

// StepResult is what became of one step.
type StepResult struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Result   Result   `json:"result"`
	Facts    []string `json:"facts"`
	Failures []string `json:"failures,omitempty"`
	// Stopped are errors of the run itself: what could not be tried, and why.
	Stopped []string `json:"stopped,omitempty"`
	Millis  int64    `json:"millis"`
	breaks  map[string]bool
	untried map[string]string // why
}

// PromiseResult is what became of one promise.
type PromiseResult struct {
	ID     string    `json:"id"`
	Kind   Kind      `json:"kind"`
	Title  string    `json:"title"`
	Rule   string    `json:"rule"`
	Tests  []string  `json:"tests,omitempty"`
	Steps  []string  `json:"steps,omitempty"`
	Result Result    `json:"result"`
	Why    string    `json:"why,omitempty"` // it was not tried
	At     time.Time `json:"at"`
}

// Report is the outcome of a run.
type Report struct {
	ID         string          `json:"id"`
	Org        account.OrgID   `json:"org"`
	At         time.Time       `json:"at"`
	Version    string          `json:"version"`
	Policy     int             `json:"policy_version"`
	PolicyHash string          `json:"policy_sha256"`
	Passed     bool            `json:"passed"`
	Millis     int64           `json:"millis"`
	Steps      []StepResult    `json:"steps"`
	Promises   []PromiseResult `json:"promises"`
}

// Run tries every step, the later ones too when one fails, and puts the report together. said hears each step's title
// before it begins.
func Run(ctx context.Context, head Report, steps []Step, now func() time.Time, said func(done, of int, title string)) (*Report, error) {
	out := &head
	out.ID, out.At, out.Passed = id.New("prf"), now().UTC(), true
	begun := now()
	for i := range steps {
		said(i, len(steps), steps[i].Title)
		r := try(ctx, &steps[i], now)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out.Passed = out.Passed && r.Result == Passed
		out.Steps = append(out.Steps, r)
	}
	out.Millis = now().Sub(begun).Milliseconds()
	out.Promises = judge(steps, out.Steps, now().UTC())
	return out, nil
}

func try(ctx context.Context, s *Step, now func() time.Time) (r StepResult) {
	r = StepResult{ID: s.ID, Title: s.Title, Result: Passed, breaks: map[string]bool{}, untried: map[string]string{}}
	begun := now()
	facts, err := s.Run(ctx)
	r.Facts, r.Millis = facts, now().Sub(begun).Milliseconds()
	if err == nil {
		return r
	}
	r.Result = NotTried
	all := Failures{err}
	if many, ok := errors.AsType[Failures](err); ok {
		all = many
	}
	for _, err := range all {
		if f, ok := errors.AsType[*Failure](err); ok {
			r.broke(f, s.Promises)
		} else {
			r.stopped(err, s.Promises)
		}
	}
	return r
}

// broke notes what does not hold. all are the promises of the step.
func (r *StepResult) broke(f *Failure, all []string) {
	r.Result = Broken
	r.Failures = append(r.Failures, f.Sentence)
	if len(f.Promises) > 0 {
		all = f.Promises
	}
	for _, p := range all {
		r.breaks[p] = true
	}
}

// stopped notes what could not be tried.
func (r *StepResult) stopped(err error, all []string) {
	why := sentence(err)
	r.Stopped = append(r.Stopped, why)
	if s, ok := errors.AsType[*Stopped](err); ok {
		all = s.Promises
	}
	for _, p := range all {
		if r.untried[p] == "" {
			r.untried[p] = why
		}
	}
}

// judge says of each promise what the steps and the tests say of it.
func judge(steps []Step, results []StepResult, at time.Time) []PromiseResult {
	by := map[string][]string{}
	for _, s := range steps {
		for _, p := range s.Promises {
			by[p] = append(by[p], s.ID)
		}
	}
	broken, untried := map[string]bool{}, map[string]string{}
	for _, r := range results {
		for p := range r.breaks {
			broken[p] = true
		}
		for p, why := range r.untried {
			untried[p] = r.Title + ": " + why
		}
	}
	var out []PromiseResult
	for _, p := range Promises() {
		r := PromiseResult{ID: p.ID, Kind: p.Kind, Title: p.Title, Rule: p.Rule, Tests: p.Tests, Steps: by[p.ID], At: at}
		switch {
		case broken[p.ID]:
			r.Result = Broken
		case untried[p.ID] != "":
			r.Result, r.Why = NotTried, untried[p.ID]
		case len(r.Steps) > 0:
			r.Result = Passed
		case p.Open():
			r.Result = NotYet
		case p.Kept():
			r.Result = Tested
		default:
			r.Result = Untested
		}
		out = append(out, r)
	}
	return out
}

// Broken lists the promises that the run found broken.
func (r *Report) Broken() []string {
	var out []string
	for _, p := range r.Promises {
		if p.Result == Broken {
			out = append(out, p.ID)
		}
	}
	return out
}

// Unfinished names the steps that could not be carried out to their end, each with why.
func (r *Report) Unfinished() []string {
	var out []string
	for _, s := range r.Steps {
		if len(s.Stopped) > 0 {
			out = append(out, s.ID+": "+strings.Join(s.Stopped, " "))
		}
	}
	return out
}

// Verify checks a certified report without the installation it came from; key is the public key of the organisation's log,
// and "" takes the one in the file.
func Verify(text []byte, key string) (*Report, error) {
	c, _, err := audit.ReadCertified(text, key)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	return r, json.Unmarshal(c.Statement, r)
}

// Proofs keeps the reports of all runs.
type Proofs struct {
	db    *db.DB
	log   *audit.Log
	turns turns
}

// New makes Proofs.
func New(d *db.DB, log *audit.Log) *Proofs { return &Proofs{db: d, log: log} }

// keepRuns is how many reports of an organisation are kept.
const keepRuns = 100

// Keep enters a report in the organisation's audit log, stores it with its proof, and drops the oldest reports over the
// number that is kept. It gives the certified form.
func (p *Proofs) Keep(ctx context.Context, r *Report, actor string) ([]byte, error) {
	result := audit.OK
	if !r.Passed {
		result = "failed"
	}
	text, err := p.log.Certify(ctx, int64(r.Org), audit.Entry{Actor: actor, Action: audit.PolicyProved, Purpose: "legal", Policy: r.Policy, Result: result}, r)
	if err != nil {
		return nil, err
	}
	return text, p.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO proofs (org_id, id, at_ms, passed, report) VALUES ($1, $2, $3, $4, $5)`,
			r.Org, r.ID, r.At.UnixMilli(), flag(r.Passed), text); err != nil {
			return err
		}
		if err := keepDates(ctx, tx, r); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM proofs WHERE org_id = $1 AND at_ms < (
			SELECT min(at_ms) FROM (SELECT at_ms FROM proofs WHERE org_id = $1 ORDER BY at_ms DESC LIMIT $2) newest)`, r.Org, keepRuns)
		return err
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Last gives an organisation's newest report and its certified form; ok is false when there was no run yet.
func (p *Proofs) Last(ctx context.Context, org account.OrgID) (r *Report, certified []byte, ok bool, err error) {
	certified, ok, err = db.One(ctx, p.db, scanReport, `SELECT report FROM proofs WHERE org_id = $1 ORDER BY at_ms DESC, id DESC LIMIT 1`, org)
	if err != nil || !ok {
		return nil, nil, false, err
	}
	r, err = read(certified)
	return r, certified, true, err
}

func scanReport(s db.Scanner) (b []byte, err error) { return b, s.Scan(&b) }

func read(certified []byte) (*Report, error) {
	c, r := &audit.Certified{}, &Report{}
	if err := json.Unmarshal(certified, c); err != nil {
		return nil, err
	}
	return r, json.Unmarshal(c.Statement, r)
}

// keepDates notes what passed, so that the date is still there when the report is not.
func keepDates(ctx context.Context, tx *db.Tx, r *Report) error {
	for _, x := range r.Promises {
		if x.Result != Passed {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO proof_dates (org_id, promise, at_ms) VALUES ($1, $2, $3) ON CONFLICT (org_id, promise) DO UPDATE SET at_ms = excluded.at_ms`,
			r.Org, x.ID, x.At.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// Since tells when each promise was last proved: the time of the newest run in which it passed.
func (p *Proofs) Since(ctx context.Context, org account.OrgID) (map[string]time.Time, error) {
	type date struct {
		promise string
		at      int64
	}
	all, err := db.Select(ctx, p.db, func(s db.Scanner) (d date, err error) { return d, s.Scan(&d.promise, &d.at) }, `SELECT promise, at_ms FROM proof_dates WHERE org_id = $1`, org)
	out := map[string]time.Time{}
	for _, d := range all {
		out[d.promise] = time.UnixMilli(d.at).UTC()
	}
	return out, err
}

// Delete removes everything that is kept of an organisation's runs.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, table := range []string{"proofs", "proof_dates", "proof_settings"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
			return err
		}
	}
	return nil
}
