package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/prove"
)

const tagProof = "Proof"

// Proof is how the promises of the policy stand.
type Proof struct {
	Running   *ProofRunning   `json:"running,omitempty" doc:"The run under way"`
	Failure   string          `json:"failure,omitempty" doc:"Why the last run that was begun made no report"`
	Report    *ProofReport    `json:"report,omitempty" doc:"The last run; absent before the first"`
	Certified json.RawMessage `json:"certified,omitempty" doc:"The same as it was signed, with its proof in the audit log"`
}

// ProofRunning is how far a run is.
type ProofRunning struct {
	Begun *time.Time `json:"begun"`
	Done  int        `json:"done_steps"`
	Of    int        `json:"steps" doc:"0 before the first begins"`
	Step  string     `json:"step,omitempty" doc:"The one that is tried now"`
}

// ProofReport is the outcome of a run.
type ProofReport struct {
	ID       string         `json:"id"`
	At       *time.Time     `json:"at"`
	Version  string         `json:"version" doc:"Of Parley"`
	Policy   int            `json:"policy_version"`
	Hash     string         `json:"policy_sha256"`
	Passed   bool           `json:"passed"`
	Millis   int64          `json:"millis"`
	Steps    []ProofStep    `json:"steps"`
	Promises []ProofPromise `json:"promises" doc:"Broken ones first"`
}

// ProofStep is one thing that was tried.
type ProofStep struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	Result   prove.Result `json:"result" enum:"passed,broken"`
	Facts    []string     `json:"facts"`
	Failures []string     `json:"failures"`
	Millis   int64        `json:"millis"`
}

// ProofPromise is how one promise stands.
type ProofPromise struct {
	ID     string       `json:"id" example:"P5"`
	Title  string       `json:"title"`
	Rule   string       `json:"rule" doc:"What keeps it"`
	Tests  []string     `json:"tests"`
	Steps  []string     `json:"steps" doc:"Of the run, which speak for it"`
	Result prove.Result `json:"result" enum:"passed,broken,tested,untested,not_yet" doc:"passed: in this run; tested: by the tests that this version was built with; untested: by neither; not_yet: the feature is not in this version"`
	Since  *time.Time   `json:"last_proved,omitempty"`
}

func (s *API) proofs() {
	handle(s, does(http.MethodGet, "/proof", "get-proof", account.ReadPrivacy, tagProof, "How the promises of the policy stand").
		saying("The last proof run, and the one under way."), s.getProof)
	handle(s, does(http.MethodPost, "/proof", "run-proof", account.ManagePrivacy, tagProof, "Prove the policy now").
		saying("Begins a run over the living installation, which touches no data of yours and takes a minute or so. Ask for it with GET until `running` is gone. One run is made at a time.").
		giving(http.StatusAccepted), s.runProof)
}

func (s *API) getProof(ctx context.Context, _ *struct{}) (*body[Proof], error) {
	org := callerOf(ctx).org
	at := s.Proofs.Progress(org.ID)
	out := Proof{Running: runningOf(org, at), Failure: at.Failure}
	r, certified, ok, err := s.Proofs.Last(ctx, org.ID)
	if err != nil || !ok {
		return answerOf(out), err
	}
	since, err := s.Proofs.Since(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out.Report, out.Certified = reportOfProof(org, r, since), certified
	return answerOf(out), nil
}

func runningOf(org *account.Org, p prove.Progress) *ProofRunning {
	if !p.Running {
		return nil
	}
	return &ProofRunning{Begun: at(org, p.Begun), Done: p.Done, Of: p.Of, Step: p.Title}
}

func reportOfProof(org *account.Org, r *prove.Report, since map[string]time.Time) *ProofReport {
	out := &ProofReport{ID: r.ID, At: at(org, r.At), Version: r.Version, Policy: r.Policy, Hash: r.PolicyHash, Passed: r.Passed, Millis: r.Millis, Steps: []ProofStep{}, Promises: []ProofPromise{}}
	for _, x := range r.Steps {
		out.Steps = append(out.Steps, ProofStep{ID: x.ID, Title: x.Title, Result: x.Result, Facts: append([]string{}, x.Facts...), Failures: append([]string{}, x.Failures...), Millis: x.Millis})
	}
	for _, x := range r.Ordered() {
		out.Promises = append(out.Promises, ProofPromise{ID: x.ID, Title: x.Title, Rule: x.Rule, Tests: append([]string{}, x.Tests...), Steps: append([]string{}, x.Steps...), Result: x.Result, Since: at(org, since[x.ID])})
	}
	return out
}

func (s *API) runProof(ctx context.Context, _ *struct{}) (*body[Proof], error) {
	org, actor := callerOf(ctx).org, string(actorOf(ctx).Member.ID)
	turn, err := s.Proofs.Begin(org.ID, s.Now())
	if err != nil {
		return nil, err
	}
	begun := runningOf(org, s.Proofs.Progress(org.ID))
	if !s.work.run(ctx, func(ctx context.Context) {
		if err := s.Prove(ctx, org, actor, turn); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "proof failed", "org", org.ID, "error", err)
		}
	}) {
		err := fault.New(fault.Unavailable, "The server is stopping. Try again in a moment.")
		turn.End(err)
		return nil, err
	}
	return answerOf(Proof{Running: begun}), nil
}
