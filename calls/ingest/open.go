package ingest

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"parley/account"
	"parley/calls/logfile"
	"parley/platform/fault"
)

// counted is a file that counts what is read of it.
type counted struct {
	io.ReaderAt
	read atomic.Int64
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read.Add(int64(n))
	return n, err
}

// Run imports a file of size bytes and gives the import as it ended. Rows are read as a stream and committed a batch at a
// time together with the import's counts, so a batch that was counted is there, once, whatever happens afterwards; the
// same file again adds nothing. progress, which may be nil, hears of the import at its start, at most five times a second
// while it runs, and at its end. Imports of one organisation wait for each other.
//
// A file that turns out to be unreadable in the middle is taken back as a whole. When ctx ends or the writer fails, what
// was committed stays.
func (i *Imports) Run(ctx context.Context, org *account.Org, f io.ReaderAt, size int64, spec ImportSpec, progress func(Import)) (*Import, error) {
	src, err := i.open(ctx, org, f, size, &spec)
	if err != nil {
		return nil, err
	}
	m, err := i.run(ctx, org, src, spec, progress)
	return m, errors.Join(err, src.reader.Close())
}

func (i *Imports) open(ctx context.Context, org *account.Org, f io.ReaderAt, size int64, spec *ImportSpec) (*source, error) {
	if spec.Zone == "" {
		spec.Zone = org.Zone
	}
	zone, err := time.LoadLocation(spec.Zone)
	if err != nil || spec.Zone == "Local" {
		return nil, fault.Field("zone", "%q is not a time zone. Write its name in the time zone database, for example Asia/Kolkata or Europe/Berlin.", spec.Zone)
	}
	guess, err := logfile.Detect(f, size, spec.Name)
	if err != nil {
		return nil, err
	}
	src := &source{format: spec.Format, size: size}
	if src.format == "" {
		src.format = guess.Format
	}
	if spec.Format == "" && spec.Mapping != nil && len(spec.Mapping.Columns) > 0 {
		src.format = logfile.Table
	}
	if src.format == logfile.Table {
		src.columns = guess.Columns
		if src.mapping, err = i.mapping(ctx, org, guess, spec.Mapping); err != nil {
			return nil, err
		}
	}
	file := &counted{ReaderAt: f}
	src.done = func() int64 { return min(file.read.Load(), size) }
	src.reader, err = logfile.Open(file, size, spec.Name, logfile.Options{Zone: zone, Country: org.Country, Now: i.now(), Format: src.format, Mapping: src.mapping})
	return src, err
}

// mapping is the mapping of a table: as given, or else as it was used last for the same headers, or else as guessed.
func (i *Imports) mapping(ctx context.Context, org *account.Org, guess *logfile.Guess, given *logfile.Mapping) (*logfile.Mapping, error) {
	if given != nil && len(given.Columns) > 0 {
		return given, nil
	}
	out := guess.Mapping
	had, ok, err := i.Remembered(ctx, org, guess.Columns)
	if err != nil {
		return nil, err
	}
	if ok {
		out.Columns, out.DateOrder = had.Mapping.Columns, had.Mapping.DateOrder
	}
	if given != nil {
		if given.DateOrder != "" {
			out.DateOrder = given.DateOrder
		}
		if given.Delimiter != 0 {
			out.Delimiter = given.Delimiter
		}
		if given.Sheet != "" {
			out.Sheet = given.Sheet
		}
	}
	return &out, nil
}
