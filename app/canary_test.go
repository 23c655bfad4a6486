package app

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"parley/trust/prove"
)

// A run that stops half way says of what it was kept, and does not call that broken.
func TestACanaryThatIsStoppedBreaksNothing(t *testing.T) {
	p := founded(t)
	c := newCanary(p, filepath.Join(t.TempDir(), "missing"))
	c.failed.Add(c.run(t.Context()))
	var untried []string
	for _, err := range c.failed {
		if f, ok := errors.AsType[*prove.Failure](err); ok {
			t.Errorf("broken: %v", f)
		}
		if s, ok := errors.AsType[*prove.Stopped](err); ok {
			untried = append(untried, s.Promises...)
		}
	}
	slices.Sort(untried)
	if want := []string{"P112", "P6", "P77", "P87", "P92"}; !slices.Equal(slices.Compact(untried), want) {
		t.Errorf("not tried are %v, want %v: %v", untried, want, c.failed)
	}
	orgs, err := p.Accounts.Orgs(t.Context())
	if err != nil || len(orgs) != 1 {
		t.Errorf("%d organisations are left (%v)", len(orgs), err)
	}
}
