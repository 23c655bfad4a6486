package prove

import (
	"context"
	"sync"
	"time"

	"parley/account"
	"parley/platform/fault"
)

// Progress is how far a run is, or how the last one ended.
type Progress struct {
	Running  bool
	Begun    time.Time
	Done, Of int    // steps; Of is 0 before the first begins
	Title    string // of the step that is tried
	Failure  string // why the last run made no report; "" when it made one, or none was begun since the start
}

// turns is who has the turn: one run at a time, since each copies the whole of the data.
type turns struct {
	mu   sync.Mutex
	who  account.OrgID
	busy bool
	of   map[account.OrgID]*Progress
}

// Turn is the right to make the one run that may be under way. Whoever has it calls End.
type Turn struct {
	all *turns
	org account.OrgID
}

// Begin takes the turn for an organisation. While another run is under way, it is a Conflict.
func (p *Proofs) Begin(org account.OrgID, now time.Time) (*Turn, error) {
	t := &p.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.busy && t.who == org:
		return nil, fault.New(fault.Conflict, "A proof run is under way already. Wait until it is done.")
	case t.busy:
		return nil, fault.New(fault.Conflict, "The server is proving the policy of another organisation. Try again in a few minutes.")
	}
	if t.of == nil {
		t.of = map[account.OrgID]*Progress{}
	}
	t.who, t.busy = org, true
	t.of[org] = &Progress{Running: true, Begun: now}
	return &Turn{t, org}, nil
}

// Said notes which step is tried now.
func (t *Turn) Said(done, of int, title string) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	p := t.all.of[t.org]
	p.Done, p.Of, p.Title = done, of, title
}

// End gives the turn back; err is why there is no report, or nil.
func (t *Turn) End(err error) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	p := &Progress{}
	if err != nil {
		p.Failure = fault.Sentence(err)
	}
	t.all.busy, t.all.of[t.org] = false, p
}

// Progress tells how far an organisation's run is.
func (p *Proofs) Progress(org account.OrgID) Progress {
	p.turns.mu.Lock()
	defer p.turns.mu.Unlock()
	if at := p.turns.of[org]; at != nil {
		return *at
	}
	return Progress{}
}

// Due tells whether an organisation's last run is older than some days, or there was none.
func (p *Proofs) Due(ctx context.Context, org account.OrgID, days int, now time.Time) (bool, error) {
	r, _, ok, err := p.Last(ctx, org)
	return err == nil && (!ok || !now.Before(r.At.AddDate(0, 0, days))), err
}
