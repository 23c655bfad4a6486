package app

import (
	"context"
	"errors"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
)

// How often the server looks whether a proof run is due, and in which hours of the organisation's night it makes one:
// after the day's backup.
const (
	proveEvery = 20 * time.Minute
	nightFrom  = 3
	nightTo    = 5
)

// prove makes the proof runs that are due. The first look comes after a while: a start has other things to do.
func (s *server) prove(ctx context.Context) {
	if rest(ctx, proveEvery) != nil {
		return
	}
	s.every(ctx, proveEvery, "proof", s.p.proveDue)
}

// proveDue makes the run of every organisation whose last one is old enough, when it is night there.
func (p *Parley) proveDue(ctx context.Context) error {
	if p.Config.ProveDays == 0 {
		return nil
	}
	orgs, err := p.Accounts.Orgs(ctx)
	errs := []error{err}
	for _, org := range orgs {
		if hour := p.Now().In(org.Location()).Hour(); hour < nightFrom || hour >= nightTo || !org.ClosingAt.IsZero() || ctx.Err() != nil {
			continue
		}
		due, err := p.Proofs.Due(ctx, org.ID, p.Config.ProveDays, p.Now())
		if err == nil && due {
			err = p.proveTonight(ctx, org)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// proveTonight makes a run, and raises the alarm when it finds a broken promise.
func (p *Parley) proveTonight(ctx context.Context, org *account.Org) error {
	report, _, err := p.Prove(ctx, org, audit.System, func(int, int, string) {})
	if fault.KindOf(err) == fault.Conflict { // somebody is at it; the next look is soon
		return nil
	}
	if err == nil && !report.Passed {
		p.Log.Error("the policy does not hold", "org", org.ID, "broken", report.Broken())
	}
	return err
}

// checkProofs tells of organisations whose last proof run found something broken, or is long ago.
func checkProofs(ctx context.Context, r *Run) finding {
	const name = "proofs"
	orgs, err := r.p.Accounts.Orgs(ctx)
	if err != nil {
		return failed(name, err)
	}
	oldest := 2 * r.Config.ProveDays
	late := 0
	for _, org := range orgs {
		last, _, ok, err := r.p.Proofs.Last(ctx, org.ID)
		switch {
		case err != nil:
			return failed(name, err)
		case ok && !last.Passed:
			return failed(name, fault.New(fault.Unavailable, "The last proof run of organisation %d, of %s, found that its policy does not hold. Run: parley prove --org %d", org.ID, last.At.Format(time.RFC3339), org.ID))
		case oldest == 0:
		case !ok && r.p.Now().Before(org.CreatedAt.AddDate(0, 0, oldest)), ok && r.p.Now().Before(last.At.AddDate(0, 0, oldest)):
		default:
			late++
		}
	}
	if late > 0 {
		return warning(name, "%d of %d organisations had no proof run for %d days, though one is due every %d. Let the server run by night, or run: parley prove", late, len(orgs), oldest, r.Config.ProveDays)
	}
	return ok(name, "no organisation's last proof run found a broken promise")
}
