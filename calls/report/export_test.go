package report

import (
	"context"
	"io"
)

// SafeText is safeText for a text that stands where no number is expected.
func SafeText(text string) string { return safeText(text) }

// WriteXLSXOf writes a workbook whose worksheets have at most maxRows rows.
func WriteXLSXOf(ctx context.Context, s *Sheet, w io.Writer, maxRows int) error {
	return s.writeXLSX(ctx, w, maxRows)
}
