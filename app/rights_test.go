package app

import (
	"slices"
	"testing"
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
