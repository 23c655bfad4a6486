package subject_test

import (
	"testing"

	"parley/trust/subject"
)

func TestRefsAreReadBack(t *testing.T) {
	for _, r := range []subject.Ref{subject.OfNumber(17), subject.OfMember("01J")} {
		got, err := subject.Parse(r.String())
		if err != nil || got != r {
			t.Errorf("%v came back as %v, %v", r, got, err)
		}
	}
	for _, bad := range []string{"", "number", "number/", "number/x", "number/0", "org/1"} {
		if r, err := subject.Parse(bad); err == nil {
			t.Errorf("%q was read as %v", bad, r)
		}
	}
	if n := subject.OfMember("5").Num(); n != 0 {
		t.Errorf("a member has number %d", n)
	}
}
