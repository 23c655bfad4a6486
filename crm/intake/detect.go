package intake

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"parley/account"
	"parley/crm/vcard"
	"parley/platform/db"
	"parley/platform/sheet"
)

// previewRows is how many rows a guess shows.
const previewRows = 20

// Detect says what a file is and how it might be read: as spec has it, else as a table with these headers was brought in last,
// else as its headers and cells suggest. It looks at the head only, but for dates whose order the head does not tell.
func (i *Imports) Detect(ctx context.Context, actor *account.Actor, f io.ReaderAt, size int64, spec Spec) (*Guess, error) {
	if err := actor.Require(account.ImportLeads); err != nil {
		return nil, err
	}
	if _, err := ParseKind(string(spec.Kind)); err != nil {
		return nil, err
	}
	k, err := i.converter(ctx, actor.Org, &spec)
	if err != nil {
		return nil, err
	}
	x, err := openFile(f, size, spec.Name)
	if err != nil {
		return nil, err
	}
	if x.format == formatVCard {
		return x.cards()
	}
	g, _, err := i.look(ctx, actor.Org, x, &spec, k)
	return g, err
}

// cards is the guess about a file of cards: there is nothing to map.
func (x *file) cards() (*Guess, error) {
	g := &Guess{Format: formatVCard}
	src, err := x.open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	r := vcard.NewReader(src)
	for len(g.Sample) < previewRows {
		c, err := r.Next()
		if err == io.EOF {
			break
		}
		if _, bad := errors.AsType[*sheet.RowError](err); bad {
			continue
		}
		if err != nil {
			return nil, sheet.Stop(err, x.name, "card", r.Card())
		}
		g.Sample = append(g.Sample, cardCells(c))
	}
	return g, nil
}

// look settles how a table is read, and makes the converter ready for it.
func (i *Imports) look(ctx context.Context, org *account.Org, x *file, spec *Spec, k *converter) (*Guess, *opened, error) {
	a := k.adviser()
	t, err := x.table(spec.Mapping, a)
	if err != nil {
		return nil, nil, err
	}
	g := &Guess{Format: x.format, Heads: t.heads()}
	if x.book != nil {
		for _, s := range x.book.Sheets {
			g.Sheets = append(g.Sheets, s.Name)
		}
	}
	known := Fields(spec.Kind, k.contacts, k.leads)
	m := Mapping{}
	if spec.Mapping != nil {
		m = *spec.Mapping
	}
	var usual sheet.DateOrder // of tables with these headers, where the dates do not tell
	if len(m.Columns) == 0 {
		last, ok, err := i.remembered(ctx, org.ID, spec.Kind, g.Heads)
		if err != nil {
			return nil, nil, err
		}
		if g.Remembered = ok && fits(last.Columns, known); g.Remembered {
			m.Columns, usual = last.Columns, last.DateOrder
		} else {
			m.Columns = a.propose(g.Heads, t.data())
		}
	}
	m.NoHeader, m.Sheet = t.header < 0, t.sheet.Name
	if x.book == nil {
		m.Delimiter = string(rune(x.comma))
	}
	if k.plan, err = compile(g.Heads, &m, known, x.name); err != nil {
		return nil, nil, err
	}
	if x.book != nil {
		k.plan.width = 0 // cells of a sheet cannot shift
	}
	data := t.data()
	g.Sample = data[:min(len(data), previewRows)]
	if !k.plan.says() {
		g.Missing = append(g.Missing, FieldName)
	}
	if err := dates(t, &m, usual, g, k); err != nil {
		return nil, nil, err
	}
	k.clock.Order, g.Mapping = m.DateOrder, m
	return g, &opened{file: x, table: t, mapping: &m, heads: g.Heads}, nil
}

// fits tells whether all fields of a remembered mapping are there still.
func fits(columns []Column, known []Field) bool {
	return !slices.ContainsFunc(columns, func(c Column) bool { return !slices.Contains(known, c.Field) })
}

// dates settles the order of day and month: as the dates prove it, else as tables with these headers had it.
func dates(t *table, m *Mapping, usual sheet.DateOrder, g *Guess, k *converter) error {
	var columns []int
	for f, at := range k.plan.at {
		if dated(f, k.contacts, k.leads) {
			columns = append(columns, at...)
		}
	}
	if len(columns) == 0 || m.DateOrder != sheet.FromData {
		return nil
	}
	order, settled, err := t.order(columns)
	if m.DateOrder = order; !settled && usual != sheet.FromData {
		m.DateOrder = usual
	} else if !settled {
		g.Missing = append(g.Missing, FieldDateOrder)
	}
	return err
}

const mappingField = "crm_import_mappings"

// headerKey is the keyed index of a table's headers. Case and blanks do not matter, the order does.
func (i *Imports) headerKey(ctx context.Context, org account.OrgID, headers []string) ([]byte, error) {
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	clean := make([]string, len(headers))
	for j, c := range headers {
		clean[j] = folded(c)
	}
	return k.Index(mappingField, strings.Join(clean, "\x00")), nil
}

// remembered gives the mapping that a table with these headers was brought in with last.
func (i *Imports) remembered(ctx context.Context, org account.OrgID, kind Kind, heads []Head) (m Mapping, ok bool, err error) {
	headers := make([]string, len(heads))
	for n, h := range heads {
		headers[n] = h.Header
	}
	key, err := i.headerKey(ctx, org, headers)
	if err != nil {
		return m, false, err
	}
	sealed, ok, err := db.One(ctx, i.d.DB, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT sealed FROM crm_import_mappings WHERE org_id = $1 AND kind = $2 AND headers = $3`, org, kind, key)
	if err != nil || !ok {
		return m, false, err
	}
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return m, false, err
	}
	plain, err := k.Open(mappingField, sealed)
	if err != nil {
		return m, false, err
	}
	return m, true, json.Unmarshal(plain, &m)
}

// remember keeps the mapping that a table was brought in with.
func (i *Imports) remember(ctx context.Context, tx *db.Tx, org account.OrgID, spec *Spec) error {
	key, err := i.headerKey(ctx, org, spec.Headers)
	if err != nil {
		return err
	}
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(spec.Mapping)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO crm_import_mappings (org_id, kind, headers, sealed, used_ms) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, kind, headers) DO UPDATE SET sealed = excluded.sealed, used_ms = excluded.used_ms`, org, spec.Kind, key, k.Seal(mappingField, plain), millis(i.d.Now()))
	return err
}
