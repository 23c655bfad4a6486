package report

import (
	"context"
	"io"
)

// WriteXLSXOf writes a workbook whose worksheets have at most maxRows rows.
func WriteXLSXOf(ctx context.Context, s *Sheet, w io.Writer, maxRows int) error {
	return s.writeXLSX(ctx, w, maxRows)
}
