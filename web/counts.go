package web

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/stats"
	"parley/platform/civil"
)

// counts are the figures beside pages of the navigation.
type counts struct {
	missed  int64 // people who called today in vain and still wait
	devices device.Summary
}

// countsFor is how long counts are good for: they stand on every page, and every page would ask.
const countsFor = 30 * time.Second

// mostCounts bounds what is kept, in scopes.
const mostCounts = 10_000

// tally keeps counts by organisation and scope.
type tally struct {
	mu   sync.Mutex
	kept map[string]tallied
}

type tallied struct {
	counts
	until time.Time
}

// of gives the counts of a scope, from memory while they are good.
func (t *tally) of(scope string, now time.Time, count func() (counts, error)) (counts, error) {
	t.mu.Lock()
	have, ok := t.kept[scope]
	t.mu.Unlock()
	if ok && now.Before(have.until) {
		return have.counts, nil
	}
	c, err := count()
	if err != nil {
		return c, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= mostCounts {
		t.kept = map[string]tallied{}
	}
	t.kept[scope] = tallied{c, now.Add(countsFor)}
	return c, nil
}

// forget drops the counts of a scope, so that what somebody just did shows at once.
func (t *tally) forget(scope string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.kept, scope)
}

// scope names whose calls the actor sees.
func (v *visit) scope() (string, []account.AgentNo, error) {
	agents, err := v.actor.Agents(v.ctx())
	return fmt.Sprintf("%d %t %v", v.org().ID, agents == nil, agents), agents, err
}

// counts are those of whoever is signed in.
func (v *visit) counts() (counts, error) {
	scope, agents, err := v.scope()
	if err != nil {
		return counts{}, err
	}
	return v.tally.of(scope, v.Now(), func() (counts, error) { return v.count(v.ctx(), agents) })
}

func (v *visit) count(ctx context.Context, agents []account.AgentNo) (c counts, err error) {
	today := civil.Today(v.Now(), v.org().Location())
	if v.actor.Can(account.ReadReports) {
		kept, err := v.settled()
		if err != nil {
			return c, err
		}
		page, err := v.Reporter.People(ctx, v.org(), stats.PeopleQuery{
			Query: stats.Query{Agents: agents, From: today, To: today + 1}, List: stats.ListMissed,
			States: []stats.Recovery{stats.Open, stats.Attempted}, Settled: handledAt(kept), Limit: 1,
		})
		if err != nil {
			return c, err
		}
		c.missed = page.Total
	}
	if v.actor.Can(account.ReadDevices) {
		c.devices, err = v.Devices.Health(ctx, v.org(), agents)
	}
	return c, err
}
