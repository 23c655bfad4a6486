package app

import (
	"context"
	"io/fs"

	"parley/platform/db"
	"parley/trust/datamap"
	"parley/trust/policy"
)

// dataMap is what every column of the database holds, as each package says of its own tables.
func dataMap() (*datamap.Map, error) {
	files := []fs.FS{db.Schema}
	for _, s := range schemas() {
		files = append(files, s.files)
	}
	return datamap.Read(files...)
}

// saidBy tells how a policy says that the content of a category lies in the database.
func saidBy(d *policy.Document) func(category string) (datamap.Class, bool) {
	return func(category string) (datamap.Class, bool) {
		c := d.Category(category)
		if c == nil {
			return "", false
		}
		return datamap.Class(c.Store.Class), true
	}
}

// checkDataMap compares the map with the tables that are really there, where somebody may have added one by hand, and
// with the policy that every organisation begins with.
func checkDataMap(ctx context.Context, r *Run) finding {
	const name = "data map"
	m, err := dataMap()
	if err == nil {
		err = m.CheckSchema(ctx, r.p.DB)
	}
	if err == nil {
		var d *policy.Document
		if d, err = policy.Shipped(); err == nil {
			err = m.CheckCategories(saidBy(d))
		}
	}
	if err != nil {
		return failed(name, err)
	}
	return ok(name, "every column of %d tables has a category, a person and a class", len(m.Tables()))
}
