package api

import (
	"context"
	"net/http"
	"testing"

	"parley/account"
	"parley/calls/calltest"
	"parley/trust/prove"
)

// proving gives the API proof runs of one step.
func proving(w *calltest.World, d *Deps) {
	d.Proofs = prove.New(w.DB, w.Log)
	d.Prove = func(ctx context.Context, org *account.Org, actor string, turn *prove.Turn) (err error) {
		defer func() { turn.End(err) }()
		step := prove.Step{ID: "log", Title: "The log", Promises: []string{"P64", "P65"}, Run: func(context.Context) ([]string, error) {
			return []string{"The log was read."}, prove.Fail("P65", "A key did not rotate.")
		}}
		r, err := prove.Run(ctx, prove.Report{Org: org.ID, Version: "test"}, []prove.Step{step}, w.Now, turn.Said)
		if err != nil {
			return err
		}
		_, err = d.Proofs.Keep(ctx, r, actor)
		return err
	}
}

func TestAProofRunForPrograms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var p Proof
		if h.get(t, "/proof", &p); p.Report != nil || p.Running != nil {
			t.Errorf("before the first run: %+v", p)
		}
		turn, err := h.api.Proofs.Begin(h.Org.ID, h.Now())
		if err != nil {
			t.Fatal(err)
		}
		turn.Said(3, 9, "Canary")
		if h.get(t, "/proof", &p); p.Running == nil || p.Running.Done != 3 || p.Running.Of != 9 {
			t.Errorf("under way: %+v", p.Running)
		}
		h.do(t, h.owner, http.MethodPost, root+"/proof", nil).problem(t, http.StatusConflict)
		turn.End(nil)

		if h.send(t, http.MethodPost, "/proof", nil, http.StatusAccepted, &p); p.Running == nil {
			t.Error("a run that was begun does not run")
		}
		h.api.work.running.Wait()
		h.get(t, "/proof", &p)
		if p.Running != nil || p.Report == nil || p.Report.Passed || len(p.Report.Promises) != 156 {
			t.Fatalf("after the run: %+v", p)
		}
		if first := p.Report.Promises[0]; first.ID != "P65" || first.Result != prove.Broken || first.Since != nil {
			t.Errorf("the broken promise does not stand first: %+v", first)
		}
		if s := p.Report.Steps[0]; len(s.Failures) != 1 || s.Facts[0] != "The log was read." {
			t.Errorf("the step is %+v", s)
		}
		if r, err := prove.Verify(p.Certified, ""); err != nil || r.ID != p.Report.ID {
			t.Errorf("what was signed does not verify: %v", err)
		}
	})
}
