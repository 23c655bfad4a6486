package intake

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/sheet"
)

// Bounds of what is kept of rows that were not taken.
const (
	maxRejects = 10_000
	maxSkips   = 1_000    // known persons can be most of a file
	maxCells   = 16 << 10 // bytes of one row
)

// Problem is one row that was not taken. Cells is the row as it stood in the file.
type Problem struct {
	Row     int      `json:"row"` // of a card its place in the file
	Column  string   `json:"column,omitempty"`
	Value   string   `json:"value,omitempty"`
	Reason  string   `json:"reason"`
	Skipped bool     `json:"skipped,omitempty"` // left out, not refused
	Cells   []string `json:"cells,omitempty"`
}

const rejectsField = "crm_import_rejects"

// keepRejects stores rows within their bounds.
func (i *Imports) keepRejects(ctx context.Context, tx *db.Tx, org account.OrgID, m *Import, rows []Problem) error {
	kept := make([]Problem, 0, len(rows))
	for _, r := range rows {
		bound, count := maxRejects, &m.rejects
		if r.Skipped {
			bound, count = maxSkips, &m.skips
		}
		if *count == bound {
			continue
		}
		*count++
		size := 0
		for n, c := range r.Cells {
			if size += len(c); size > maxCells {
				r.Cells = r.Cells[:n]
				break
			}
		}
		kept = append(kept, r)
	}
	if len(kept) == 0 {
		return nil
	}
	m.parts++
	return i.putRejects(ctx, tx, org, m.No, m.parts, kept)
}

// putRejects writes a part.
func (i *Imports) putRejects(ctx context.Context, tx *db.Tx, org account.OrgID, no int64, part int, rows []Problem) error {
	plain, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO crm_import_rejects (org_id, no, part, sealed) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, no, part) DO UPDATE SET sealed = excluded.sealed`, org, no, part, k.Seal(rejectsField, plain))
	return err
}

// part is some rows of an import that were not taken.
type part struct {
	no   int64
	n    int
	rows []Problem
}

// nextPart gives the first part after one; ok is false at the end. Of all imports, no 0 is before the first.
func (i *Imports) nextPart(ctx context.Context, c db.Conn, org account.OrgID, after part, one bool) (p part, ok bool, err error) {
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return p, false, err
	}
	where := ``
	if one {
		where = ` AND no = $2`
	}
	sealed, ok, err := db.One(ctx, c, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&p.no, &p.n, &b) },
		`SELECT no, part, sealed FROM crm_import_rejects WHERE org_id = $1 AND (no, part) > ($2, $3)`+where+` ORDER BY no, part LIMIT 1`, org, after.no, after.n)
	if err != nil || !ok {
		return p, false, err
	}
	plain, err := k.Open(rejectsField, sealed)
	if err != nil {
		return p, false, err
	}
	return p, true, json.Unmarshal(plain, &p.rows)
}

// Problems gives the first rows that an import did not take, refused ones before those that were left out.
func (i *Imports) Problems(ctx context.Context, org account.OrgID, m *Import, limit int) ([]Problem, error) {
	var refused, left []Problem
	for p := (part{no: m.No}); len(refused) < limit; {
		var ok bool
		var err error
		if p, ok, err = i.nextPart(ctx, i.d.DB, org, p, true); err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		for _, r := range p.rows {
			switch {
			case !r.Skipped && len(refused) < limit:
				refused = append(refused, r)
			case r.Skipped && len(left) < limit:
				left = append(left, r)
			}
		}
	}
	return append(refused, left[:min(len(left), limit-len(refused))]...), nil
}

// Rejected writes the rows that an import did not take as CSV, as they stood in the file, with the row, the reason and the
// column in front, so that they can be corrected and brought in again. No value is one that a spreadsheet would compute.
func (i *Imports) Rejected(ctx context.Context, org account.OrgID, m *Import, w io.Writer) error {
	header := []string{"Row", "Reason", "Column"}
	if len(m.Spec.Headers) == 0 { // of cards
		header = append(header, "Name", "Company", "Phone", "Email")
	}
	header = append(header, m.Spec.Headers...)
	out := csv.NewWriter(w)
	if err := out.Write(safe(header)); err != nil {
		return err
	}
	listed := int64(0)
	for p := (part{no: m.No}); ; {
		var ok bool
		var err error
		if p, ok, err = i.nextPart(ctx, i.d.DB, org, p, true); err != nil {
			return err
		}
		if !ok {
			break
		}
		for _, r := range p.rows {
			listed++
			row := append([]string{strconv.Itoa(r.Row), r.Reason, r.Column}, r.Cells...)
			for len(row) < len(header) {
				row = append(row, "")
			}
			if err := out.Write(safe(row)); err != nil {
				return err
			}
		}
	}
	c := &m.Counts
	if rest := c.Refused + c.Skipped + c.Left + c.Erased - listed; rest > 0 {
		row := make([]string, len(header))
		row[1] = fmt.Sprintf("%d more rows were not taken; their places were not kept.", rest)
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func safe(row []string) []string {
	out := make([]string, len(row))
	for n, c := range row {
		out[n] = sheet.SafeText(strings.TrimSpace(c), false)
	}
	return out
}
