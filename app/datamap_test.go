package app

import (
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
	"parley/trust/datamap"
	"parley/trust/policy"
)

func TestEveryColumnIsDescribed(t *testing.T) {
	m, err := dataMap()
	if err != nil {
		t.Fatal(err)
	}
	var all []dbtest.Schema
	for _, s := range schemas() {
		all = append(all, dbtest.Schema{Series: s.series, Files: s.files})
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := m.CheckSchema(t.Context(), d); err != nil {
			t.Error(err)
		}
	}, all...)
}

func TestEveryColumnOfTheKeyStoreIsDescribed(t *testing.T) {
	m, err := datamap.Read(vault.Schema, db.Schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckSchema(t.Context(), dbtest.SQLite(t, dbtest.Schema{Series: "keys", Files: vault.Schema})); err != nil {
		t.Error(err)
	}
	if got := m.Categories(); len(got) > 0 {
		t.Errorf("the key store holds personal data: %v", got)
	}
}

func TestThePolicyKnowsWhatIsKept(t *testing.T) {
	m, err := dataMap()
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckCategories(saidBy(d)); err != nil {
		t.Error(err)
	}
}
