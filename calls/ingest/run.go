package ingest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"parley/account"
	"parley/calls/logfile"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

const (
	// importBatch is how many rows of a file commit together.
	importBatch = 2000
	// progressEvery is how often progress is told at most.
	progressEvery = 200 * time.Millisecond
)

// source is an opened file.
type source struct {
	reader  logfile.Reader
	format  logfile.Format
	columns []string // headers of a table
	mapping *logfile.Mapping
	size    int64
	done    func() int64 // bytes read so far
}

// running is an import that runs.
type running struct {
	i         *Imports
	org       *account.Org
	spec      ImportSpec
	src       *source
	m         Import // as committed
	resolver  *resolver
	taken     claims
	rehearsal *rehearsal // of a dry run
	progress  func(Import)
	told      time.Time
}

// run is Run for an opened file.
func (i *Imports) run(ctx context.Context, org *account.Org, src *source, spec ImportSpec, progress func(Import)) (*Import, error) {
	end, err := i.turn(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	defer end()
	r := &running{i: i, org: org, spec: spec, src: src, progress: progress}
	if r.resolver, err = i.newResolver(ctx, org, &r.spec, 0); err != nil {
		return nil, err
	}
	if spec.DryRun {
		if r.rehearsal, err = i.w.rehearse(ctx); err != nil {
			return nil, err
		}
		defer func() { _ = r.rehearsal.close() }() // a scratch file; the import is told by its own errors
	}
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	r.resolver.ref = -r.m.No
	r.tell(true)
	err = r.stream(ctx)
	steady := context.WithoutCancel(ctx) // its end is recorded even when nobody waits for it any more
	if err != nil {
		err = r.fail(steady, err)
	} else {
		err = r.finish(steady)
	}
	r.tell(true)
	return &r.m, err
}

// begin records the import.
func (r *running) begin(ctx context.Context) error {
	k, err := r.i.keys.Org(ctx, int64(r.org.ID))
	if err != nil {
		return err
	}
	r.m = Import{ID: id.New("imp"), Name: r.spec.Name, Format: string(r.src.format), State: ImportRunning, Bytes: r.src.size, StartedAt: r.i.now(),
		By: r.spec.By, DryRun: r.spec.DryRun}
	dry := 0
	if r.m.DryRun {
		dry = 1
	}
	return r.i.w.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := r.i.markInterrupted(ctx, tx, r.org.ID); err != nil { // nobody else of the organisation's runs now
			return err
		}
		var next int64
		if err := tx.Row(ctx, `INSERT INTO import_counters (org_id, next) VALUES ($1, 2)
			ON CONFLICT (org_id) DO UPDATE SET next = import_counters.next + 1 RETURNING next`, r.org.ID).Scan(&next); err != nil {
			return err
		}
		r.m.No = next - 1
		_, err := tx.Exec(ctx, `INSERT INTO imports (org_id, `+importColumns+`, undone_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, 0, $8, 0, 0, 0, $9, 0, $10, '', 0, '')`,
			r.org.ID, r.m.ID, r.m.No, k.Seal(nameField, []byte(r.m.Name)), r.m.Format, r.m.State, dry, r.m.Bytes, r.m.StartedAt.UnixMilli(), r.m.By)
		return err
	})
}

// parcel is a part of a file, ready to be stored.
type parcel struct {
	items   []Item
	rows    []reject // where each item stands, to say so when it is refused
	rejects []reject
	read    int64 // records
	bytes   int64 // of the file, up to its end
}

// stream reads and stores at the same time, one batch ahead.
func (r *running) stream(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	parcels := make(chan *parcel, 1)
	var failed error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(parcels)
		failed = r.read(ctx, parcels)
	})
	defer reading.Wait()
	defer stop()
	steady := context.WithoutCancel(ctx) // a batch that was handed in is waited for, so that it is counted
	for p := range parcels {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.put(steady, p); err != nil {
			return err
		}
	}
	return failed
}

// unreadable marks an error of the file itself, as opposed to one of the server.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

func (r *running) read(ctx context.Context, to chan<- *parcel) error {
	p := &parcel{}
	send := func() error {
		p.bytes = r.src.done()
		select {
		case to <- p:
			p = &parcel{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		rec, err := r.src.reader.Next()
		if err == io.EOF {
			if p.read == 0 {
				return nil
			}
			return send()
		}
		p.read++
		var it Item
		if err == nil {
			it, err = r.resolver.item(ctx, rec)
		} else if !isRowError(err) {
			return unreadable{err}
		}
		switch bad, refused := errors.AsType[*logfile.RowError](err); {
		case err == nil:
			p.items, p.rows = append(p.items, it), append(p.rows, reject{Row: rec.Row, File: rec.File})
		case refused:
			p.rejects = append(p.rejects, reject{Row: bad.Row, File: bad.File, Column: bad.Column, Value: bad.Value, Reason: bad.Sentence})
		case err == errSkipped:
			p.rejects = append(p.rejects, reject{Row: rec.Row, File: rec.File, Reason: "Both numbers are yours: a call between colleagues is left out.", Skipped: true})
		default:
			return err
		}
		if p.read >= importBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

func isRowError(err error) bool {
	_, ok := errors.AsType[*logfile.RowError](err)
	return ok
}

// put stores a parcel together with the import's new counts.
func (r *running) put(ctx context.Context, p *parcel) error {
	var next Import
	record := func(ctx context.Context, tx *db.Tx, answers []Answer) error {
		next = r.m
		rejects := next.count(p, answers)
		if err := r.i.keepRejects(ctx, tx, r.org.ID, &next, rejects); err != nil {
			return err
		}
		return r.i.update(ctx, tx, r.org.ID, &next)
	}
	var err error
	if r.rehearsal != nil {
		var answers []Answer
		if answers, err = r.rehearsal.put(ctx, r.org, p.items); err == nil {
			err = r.i.w.Do(ctx, func(ctx context.Context, tx *db.Tx) error { return record(ctx, tx, answers) })
		}
	} else {
		err = r.i.w.putImport(ctx, r.org, p.items, &r.taken, record)
	}
	if err != nil {
		return err
	}
	r.m = next
	r.tell(false)
	return nil
}

// count adds a parcel's answers, and gives the rows that are to be kept as not taken.
func (m *Import) count(p *parcel, answers []Answer) []reject {
	rejects := p.rejects[:len(p.rejects):len(p.rejects)]
	m.Rows += p.read
	m.BytesDone = p.bytes
	for j, a := range answers {
		switch a.State {
		case New:
			m.New++
			at := p.items[j].Start
			if m.From.IsZero() || at.Before(m.From) {
				m.From = at
			}
			if at.After(m.To) {
				m.To = at
			}
		case Known:
			m.Known++
		case Changed:
			m.Changed++
		case Excluded:
			m.Excluded++
		case Erased:
			m.Erased++
		default:
			bad := p.rows[j]
			bad.Reason = a.Reason
			rejects = append(rejects, bad)
		}
	}
	return rejects
}

func (i *Imports) update(ctx context.Context, tx *db.Tx, org account.OrgID, m *Import) error {
	_, err := tx.Exec(ctx, `UPDATE imports SET state = $3, row_count = $4, new_count = $5, known_count = $6, changed_count = $7, excluded_count = $8,
		refused_count = $9, skipped_count = $10, bytes_done = $11, from_ms = $12, to_ms = $13, ended_ms = $14, sentence = $15, erased_count = $16
		WHERE org_id = $1 AND no = $2`, org, m.No, m.State, m.Rows, m.New, m.Known, m.Changed, m.Excluded, m.Refused, m.Skipped, m.BytesDone,
		millis(m.From), millis(m.To), millis(m.EndedAt), m.Sentence, m.Erased)
	return err
}

func (r *running) tell(always bool) {
	if r.progress == nil {
		return
	}
	if now := time.Now(); always || now.Sub(r.told) >= progressEvery {
		r.told = now
		r.progress(r.m)
	}
}

// finish records the end, and what the table was read by.
func (r *running) finish(ctx context.Context) error {
	next := r.m
	next.State, next.EndedAt, next.BytesDone = ImportDone, r.i.now(), next.Bytes
	if next.DryRun {
		next.State = ImportDry
	}
	err := r.i.w.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		if r.src.mapping != nil && len(r.src.columns) > 0 && !next.DryRun {
			had := RememberedMapping{Mapping: *r.src.mapping, Zone: r.spec.Zone, Agent: r.spec.Agent, Ours: r.spec.Ours, OurNumbers: r.spec.OurNumbers}
			if err := r.i.remember(ctx, tx, r.org.ID, r.src.columns, had); err != nil {
				return err
			}
		}
		return r.i.update(ctx, tx, r.org.ID, &next)
	})
	if err == nil {
		r.m = next
	}
	return err
}

// fail records why the import ended early, and takes a file back that cannot be read to its end. It gives the error for
// whoever imports.
func (r *running) fail(ctx context.Context, cause error) error {
	next := r.m
	next.State, next.EndedAt = ImportFailed, r.i.now()
	err := cause
	switch {
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		next.Sentence = cancelled
		err = fault.Wrap(fault.Unavailable, cause, "%s", cancelled)
	case isUnreadable(cause):
		if _, undo := r.i.removeAdded(ctx, r.org, &next); undo != nil {
			next.Sentence = fault.Sentence(cause) + partKept
			err = errors.Join(cause, undo)
			break
		}
		next.New, next.From, next.To = 0, time.Time{}, time.Time{}
		next.Sentence = fault.Sentence(cause) + nothingKept
	default:
		next.Sentence = fault.Sentence(cause) + partKept
	}
	r.m = next
	return errors.Join(err, r.i.w.Do(ctx, func(ctx context.Context, tx *db.Tx) error { return r.i.update(ctx, tx, r.org.ID, &next) }))
}

func isUnreadable(err error) bool {
	_, ok := errors.AsType[unreadable](err)
	return ok
}
