package datamap

import (
	"context"
	"slices"
	"strings"

	"parley/platform/db"
	"parley/platform/fault"
)

// place is a column that a database really has.
type place struct{ table, column string }

// CheckSchema compares the map with the tables that are really there. Its error names every column that the map lacks and
// every one that it describes and that is not there.
func (m *Map) CheckSchema(ctx context.Context, d *db.DB) error {
	there, err := live(ctx, d)
	if err != nil {
		return err
	}
	var unknown, gone []string
	for _, p := range there {
		if _, ok := m.Column(p.table, p.column); !ok {
			unknown = append(unknown, p.table+"."+p.column)
		}
	}
	for _, c := range m.columns {
		if !slices.Contains(there, place{c.Table, c.Name}) {
			gone = append(gone, c.Table+"."+c.Name)
		}
	}
	var errs []error
	if len(unknown) > 0 {
		errs = append(errs, fault.New(fault.Internal, "Nobody said what is in %s. Describe each in the schema/%s beside its SQL: category, subject, class.", strings.Join(unknown, ", "), file))
	}
	if len(gone) > 0 {
		errs = append(errs, fault.New(fault.Internal, "The data map describes %s, which the database does not have. Take the lines out of schema/%s.", strings.Join(gone, ", "), file))
	}
	return fault.Join(errs...)
}

// CheckCategories tells which categories of the map the policy does not have. A column of such a category would be kept
// for ever and for no purpose.
func (m *Map) CheckCategories(known func(category string) bool) error {
	var missing []string
	for _, category := range m.Categories() {
		if !known(category) {
			columns := m.where(func(c Column) bool { return c.Category == category })
			missing = append(missing, category+" (of "+columns[0].Table+"."+columns[0].Name+")")
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.Internal, "The data map names categories that the policy does not have: %s. Add each to the policy, with purposes and a period, or correct the map.", strings.Join(missing, ", "))
	}
	return nil
}

// live lists the columns of a database, but for those of the engine itself.
func live(ctx context.Context, d *db.DB) ([]place, error) {
	query := `SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY m.name, c.cid`
	if d.Engine() == db.Postgres {
		query = `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`
	}
	return db.Select(ctx, d, func(r db.Scanner) (p place, err error) { return p, r.Scan(&p.table, &p.column) }, query)
}
