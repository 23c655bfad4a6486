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

// CheckCategories compares the map with a policy, which gives the class that a category's content is said to lie in. It
// names the categories that the policy does not have: their columns would be kept for ever and for no purpose. And those
// whose content is sealed less than the policy says.
func (m *Map) CheckCategories(said func(category string) (class Class, known bool)) error {
	var missing, weaker []string
	for _, category := range m.Categories() {
		columns := m.where(func(c Column) bool { return c.Category == category })
		class, known := said(category)
		if !known {
			missing = append(missing, category+" (of "+columns[0].Table+"."+columns[0].Name+")")
			continue
		}
		// What lies in sealed files has no column here. A hash is one with or without a key.
		if slices.Contains([]Class{Org, Subject, Hash}, class) &&
			!slices.ContainsFunc(columns, func(c Column) bool { return c.Class == class || class == Hash && c.Class == Index }) {
			weaker = append(weaker, category+" ("+string(class)+")")
		}
	}
	var errs []error
	if len(missing) > 0 {
		errs = append(errs, fault.New(fault.Internal, "The data map names categories that the policy does not have: %s. Add each to the policy, with purposes and a period, or correct the map.", strings.Join(missing, ", ")))
	}
	if len(weaker) > 0 {
		errs = append(errs, fault.New(fault.Internal, "The policy says that these categories are sealed, and no column of them is: %s.", strings.Join(weaker, ", ")))
	}
	return fault.Join(errs...)
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
