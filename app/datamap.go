package app

import (
	"context"
	"io/fs"

	"parley/platform/db"
	"parley/trust/datamap"
)

// dataMap is what every column of the database holds, as each package says of its own tables.
func dataMap() (*datamap.Map, error) {
	files := []fs.FS{db.Schema}
	for _, s := range schemas() {
		files = append(files, s.files)
	}
	return datamap.Read(files...)
}

// checkDataMap compares the map with the tables that are really there: whoever adds one by hand hears of it.
func checkDataMap(ctx context.Context, r *Run) finding {
	const name = "data map"
	m, err := dataMap()
	if err == nil {
		err = m.CheckSchema(ctx, r.p.DB)
	}
	if err != nil {
		return failed(name, err)
	}
	return ok(name, "every column of %d tables has a category, a person and a class", len(m.Tables()))
}
