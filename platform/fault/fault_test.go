package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/platform/fault"
)

func TestAWrappedFaultKeepsKindAndSentence(t *testing.T) {
	err := fmt.Errorf("while saving: %w", fault.Wrap(fault.Conflict, errors.New("row 7"), "The team %q exists already.", "North"))
	if got := fault.KindOf(err); got != fault.Conflict {
		t.Errorf("kind %v, want Conflict", got)
	}
	if got, want := fault.Sentence(err), `The team "North" exists already.`; got != want {
		t.Errorf("sentence %q, want %q", got, want)
	}
	if !strings.Contains(err.Error(), "row 7") {
		t.Errorf("the log text %q lost its cause", err)
	}
}

func TestAStrangersErrorShowsNothingOfItself(t *testing.T) {
	err := errors.New("pq: relation secret does not exist")
	if got := fault.Sentence(err); strings.Contains(got, "secret") {
		t.Errorf("sentence %q shows internals", got)
	}
	if got := fault.KindOf(err).Status(); got != 500 {
		t.Errorf("status %d, want 500", got)
	}
}

func TestJoinCarriesEveryField(t *testing.T) {
	err := fault.Join(nil, fault.Field("name", "Enter a name."), fault.Field("zone", "Choose a time zone."))
	if got := len(fault.Fields(err)); got != 2 {
		t.Fatalf("%d fields, want 2", got)
	}
	if fault.KindOf(err).Status() != 422 {
		t.Errorf("status %d, want 422", fault.KindOf(err).Status())
	}
	if fault.Join(nil, nil) != nil {
		t.Error("joining nothing gave an error")
	}
}
