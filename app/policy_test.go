package app

import (
	"slices"
	"testing"

	"parley/trust/datamap"
	"parley/trust/policy"
)

// What the shipped policy promises of protection is how the columns of each category are kept, and every column belongs to
// a category of it.
func TestThePolicySaysHowColumnsAreKept(t *testing.T) {
	m, err := dataMap()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := policy.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckCategories(func(c string) bool { return doc.Category(c) != nil }); err != nil {
		t.Error(err)
	}
	kept := map[policy.StoreClass][]datamap.Class{
		policy.StoredClear: {datamap.Clear}, policy.StoredOrg: {datamap.Org}, policy.StoredSubject: {datamap.Subject}, policy.StoredHash: {datamap.Index, datamap.Hash},
	}
	checked := 0
	for name, c := range doc.Categories {
		columns := m.ByCategory(name)
		if len(columns) == 0 {
			continue // comes with a later feature
		}
		checked++
		if !slices.ContainsFunc(columns, func(x datamap.Column) bool { return slices.Contains(kept[c.Store.Class], x.Class) }) {
			t.Errorf("the policy says that %q is kept as %q, and no column is", name, c.Store.Class)
		}
		if c.Default == policy.Off {
			t.Errorf("the policy says that %q is not kept, and there are columns for it, such as %s.%s", name, columns[0].Table, columns[0].Name)
		}
	}
	if checked < 12 {
		t.Errorf("only %d categories have columns", checked)
	}
}
