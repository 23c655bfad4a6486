package ingest

import (
	"context"

	"parley/account"
	"parley/calls/logfile"
)

// RunRecords is Run for a file that was opened already.
func (i *Imports) RunRecords(ctx context.Context, org *account.Org, r logfile.Reader, spec ImportSpec, progress func(Import)) (*Import, error) {
	src := &source{reader: r, format: logfile.Table, size: 100, done: func() int64 { return 50 }}
	if spec.Mapping != nil {
		src.mapping = spec.Mapping
		for _, c := range spec.Mapping.Columns {
			src.columns = append(src.columns, c)
		}
	}
	return i.run(ctx, org, src, spec, progress)
}

// Trip breaks erasures off at the steps for which fn gives an error.
func (w *Writer) Trip(fn func(step string) error) { w.trip = fn }
