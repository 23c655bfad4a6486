package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
)

// rehearsal answers what putting calls would answer, and writes nothing but a scratch database of its own. That holds the
// calls that would have been added, so that a repeat far down the file is known as one, however large the file is.
type rehearsal struct {
	w       *Writer
	dir     string
	scratch *db.DB
	taken   claims
}

// rehearse opens the scratch database, encrypted under a key that nobody keeps.
func (w *Writer) rehearse(ctx context.Context) (*rehearsal, error) {
	dir, err := os.MkdirTemp("", "parley-dry-run-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "There is no place for the temporary file of a dry run. Free some space in the temporary folder, or import without it.")
	}
	r := &rehearsal{w: w, dir: dir}
	key := make([]byte, db.KeyBytes)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	if r.scratch, err = db.OpenSQLite(ctx, filepath.Join(dir, "calls.db"), key); err != nil {
		return nil, errors.Join(err, r.close())
	}
	if err := r.scratch.Migrate(ctx, "call", call.Schema); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *rehearsal) close() error {
	var err error
	if r.scratch != nil {
		err = r.scratch.Close()
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

func (r *rehearsal) put(ctx context.Context, org *account.Org, items []Item) ([]Answer, error) {
	var answers []Answer
	var fresh []call.Row
	err := r.w.db.Read(ctx, func(tx *db.Tx) error {
		u := newUnit(r.w, tx)
		u.load, u.rehearses = r.load(tx), true
		h, err := r.w.readHouse(ctx, tx, org)
		if err != nil {
			return err
		}
		var wanted []string
		answers, wanted = screen(items, h, r.w.now())
		ids, err := r.w.book.Known(ctx, tx, org.ID, wanted)
		if err != nil {
			return err
		}
		if err := u.mergeAll(ctx, h, items, answers, pretended(ids), &r.taken); err != nil {
			return err
		}
		for _, d := range u.days {
			fresh = d.collect(fresh)
		}
		return nil
	})
	if err != nil || len(fresh) == 0 {
		return answers, err
	}
	return answers, r.scratch.Tx(ctx, func(tx *db.Tx) error { return insertCalls(ctx, tx, &r.w.inserts, org.ID, fresh) })
}

// load reads an agent's day as it would be by now.
func (r *rehearsal) load(tx *db.Tx) func(ctx context.Context, h *house, k dayKey) (*agentDay, error) {
	return func(ctx context.Context, h *house, k dayKey) (*agentDay, error) {
		d := newAgentDay(h, boundsOf(k.day, h.zone))
		for _, c := range []db.Conn{tx, r.scratch} {
			if err := d.read(ctx, c, k); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
}

// pretended gives every number an id: its own, or for one that is not in the book a negative one made of its text.
func pretended(known map[string]number.ID) func(canonical string) number.ID {
	return func(canonical string) number.ID {
		if n, ok := known[canonical]; ok || canonical == "" {
			return n
		}
		h := fnv.New64a()
		h.Write([]byte(canonical))
		return -1 - number.ID(h.Sum64()>>1)
	}
}
