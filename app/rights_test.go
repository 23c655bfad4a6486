package app

import (
	"slices"
	"testing"

	"parley/account"
	"parley/trust/consent"
	"parley/trust/rights"
)

// known are tables with data about people that no store answers for, and why.
func known() map[string]string {
	return map[string]string{
		"hold_persons":   "whom a legal hold keeps: it ends with the hold",
		"hold_refusals":  "that a hold kept somebody from being erased",
		"holds":          "who answers for a hold: a duty, which outlasts the member's account",
		"imports":        "who brought in a file",
		"suppressions":   "survives an erasure on purpose, as a keyed hash",
		"tombstones":     "survives an erasure on purpose, as a keyed hash",
		"minors":         "survives an erasure on purpose, as a keyed hash",
		"request_limits": "keyed hashes, for a day",
	}
}

// TestEveryTableAboutPeopleHasAStore finds tables that would be left out of a person's copy, or survive their erasure.
func TestEveryTableAboutPeopleHasAStore(t *testing.T) {
	dir := t.TempDir()
	parley(t, dir, 0, "org", "create", "--name", "Asha Traders", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "owner@example.com")
	p := open(t, dir)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	m, err := dataMap()
	if err != nil {
		t.Fatal(err)
	}
	covered := p.Rights.Tables()
	for _, table := range m.Tables() {
		about := false
		for _, c := range m.Columns(table) {
			about = about || len(c.Subjects) > 0
		}
		if _, ok := known()[table]; about && !ok && !slices.Contains(covered, table) {
			t.Errorf("the table %s holds data about people, and no store of people's requests answers for it", table)
		}
	}
	for _, table := range covered {
		if !slices.Contains(m.Tables(), table) {
			t.Errorf("a store answers for the table %s, which there is not", table)
		}
	}
}

// P145: who is reported to be a child is not advertised to, whatever they agreed to, also when they call again.
func TestAReportedChildIsNotAdvertisedTo(t *testing.T) {
	p, ctx := founded(t), t.Context()
	org := ok1[*account.Org](t)(p.Accounts.FindOrg(ctx, "First"))
	yes := func() {
		must(t, p.Consents.Record(ctx, org.ID, consent.Change{Who: consent.Who{Number: uma}, Purposes: []string{"marketing"}, Channels: []consent.Channel{consent.Email},
			State: consent.Given, How: consent.ByWebForm, Wording: consent.Wording{Language: "en", Text: "Yes."}}))
	}
	reason := func() string {
		return ok1[consent.Decision](t)(p.Consents.MayContact(ctx, org.ID, consent.Who{Number: uma}, "marketing", consent.Email, p.Now())).Reason
	}
	yes()
	if got := reason(); got != "" {
		t.Fatalf("before the report the gate says %q", got)
	}
	q, err := p.Rights.ReportMinor(ctx, p.Accounts.Operator(org), rights.Ask{Channel: rights.Phone, Contact: uma}, "The father called and named the child's age.")
	if err != nil || q.State != rights.Done {
		t.Fatalf("the report gives %+v (%v)", q, err)
	}
	yes()
	if got := reason(); got != consent.IsMinor {
		t.Errorf("the gate says %q", got)
	}
}
