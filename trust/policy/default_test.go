package policy_test

import (
	"slices"
	"strings"
	"testing"

	"parley/trust/policy"
)

func facts() policy.Facts {
	return policy.Facts{
		Name: "Asha Traders", Address: "12 Ring Road, Pune", Country: "IN", Contact: "privacy@asha.example",
		Grievance: policy.Officer{Name: "Asha Verma", Email: "grievance@asha.example"},
	}
}

func sound(t *testing.T) *policy.Document {
	t.Helper()
	d, err := policy.Default(facts())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheShippedDocumentIsSound(t *testing.T) {
	if found := sound(t).Lint(); len(found) > 0 {
		t.Errorf("findings in the shipped document:\n%v", found)
	}
}

func TestAFreshOrganisationIsToldWhatIsMissing(t *testing.T) {
	d, err := policy.Default(policy.Facts{Name: "Asha Traders", Country: "IN"})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range d.Lint() {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	if got := strings.Join(rules, " "); got != "contact_missing controller_missing grievance_officer" {
		t.Errorf("a fresh organisation is told %q", got)
	}
}

func TestANameCannotBecomeStructure(t *testing.T) {
	f := facts()
	f.Name = "\"}\nversion: 9\n- &a *a ${country} \u2028 \xff'"
	d, err := policy.Default(f)
	if err != nil {
		t.Fatal(err)
	}
	if d.Version != 1 || !strings.HasPrefix(d.Controller.Name, `"} version: 9 - &a *a`) {
		t.Errorf("version %d, name %q", d.Version, d.Controller.Name)
	}
}

func TestEveryCategoryIsAllowedWhatItListsAndNothingElse(t *testing.T) {
	d := sound(t)
	for name, c := range d.Categories {
		for purpose := range d.Purposes {
			if got, want := d.Allows(purpose, name), slices.Contains(c.Purposes, purpose); got != want {
				t.Errorf("%s for %s: allowed %v", name, purpose, got)
			}
		}
		if d.Allows("profiling", name) || d.Allows("", name) {
			t.Errorf("%s is allowed for a purpose that nobody declared", name)
		}
	}
	if d.Allows("call_ops", "diary") || d.Allows("marketing", "weblog") || !d.Allows("call_ops", "call.meta") {
		t.Error("the matrix is wrong")
	}
}
