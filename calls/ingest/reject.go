package ingest

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
)

// Bounds of what is kept of rows that were not taken.
const (
	maxRejects = 10_000
	maxSkips   = 1_000 // calls between two own numbers can be most of a file
)

// reject is one row that was not taken.
type reject struct {
	Row     int    `json:"row"`
	File    string `json:"file,omitempty"`
	Column  string `json:"column,omitempty"`
	Value   string `json:"value,omitempty"`
	Reason  string `json:"reason"`
	Skipped bool   `json:"skipped,omitempty"`
}

const rejectsField = "import_rejects"

// keepRejects stores rows within their bounds and counts them in m.
func (i *Imports) keepRejects(ctx context.Context, tx *db.Tx, org account.OrgID, m *Import, rows []reject) error {
	kept := make([]reject, 0, len(rows))
	for _, r := range rows {
		bound, count := maxRejects, &m.rejects
		if r.Skipped {
			bound, count = maxSkips, &m.skips
			m.Skipped++
		} else {
			m.Refused++
		}
		if *count < bound {
			*count++
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	plain, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	k, err := i.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	m.parts++
	_, err = tx.Exec(ctx, `INSERT INTO import_rejects (org_id, no, part, sealed) VALUES ($1, $2, $3, $4)`, org, m.No, m.parts, k.Seal(rejectsField, plain))
	return err
}

// Rejected writes the rows that an import did not take as CSV: row, column, reason, value, and the file or sheet where
// there are several. No value is one that a spreadsheet would compute.
func (i *Imports) Rejected(ctx context.Context, org *account.Org, id string, w io.Writer) error {
	m, err := i.One(ctx, org, id)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write([]string{"row", "column", "reason", "value", "file"}); err != nil {
		return err
	}
	listed, err := i.writeRejects(ctx, org, m, out)
	if err != nil {
		return err
	}
	if rest := m.Refused + m.Skipped - listed; rest > 0 {
		if err := out.Write([]string{"", "", fmt.Sprintf("%d more rows were not taken; their places were not kept.", rest), "", ""}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (i *Imports) writeRejects(ctx context.Context, org *account.Org, m *Import, out *csv.Writer) (listed int64, err error) {
	k, err := i.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return 0, err
	}
	for part := 1; ; part++ {
		sealed, ok, err := db.One(ctx, i.db, scanBytes, `SELECT sealed FROM import_rejects WHERE org_id = $1 AND no = $2 AND part = $3`, org.ID, m.No, part)
		if err != nil || !ok {
			return listed, err
		}
		plain, err := k.Open(rejectsField, sealed)
		if err != nil {
			return listed, err
		}
		var rows []reject
		if err := json.Unmarshal(plain, &rows); err != nil {
			return listed, err
		}
		for _, r := range rows {
			listed++
			if err := out.Write([]string{strconv.Itoa(r.Row), inert(r.Column), inert(r.Reason), inert(r.Value), inert(r.File)}); err != nil {
				return listed, err
			}
		}
	}
}

func scanBytes(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }

// inert is text that no spreadsheet takes for a formula: one that begins like it gets an apostrophe in front.
func inert(text string) string {
	start := strings.TrimLeft(text, " \u00a0")
	if start != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(start)[0]) {
		return "'" + text
	}
	return text
}
