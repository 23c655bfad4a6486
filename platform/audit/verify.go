package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"parley/platform/db"
	"parley/platform/fault"
)

// Verdict is what verifying a log found.
type Verdict struct {
	Log         string    `json:"log"`
	Entries     int64     `json:"entries"`
	Root        tlog.Hash `json:"root"`
	First       time.Time `json:"first"` // zero when there are no entries
	Last        time.Time `json:"last"`
	Checkpoints int       `json:"checkpoints"` // that were compared with the entries
	Witnesses   []string  `json:"witnesses"`   // who cosigned one of them
	KeyKnown    bool      `json:"key_known"`   // the key is one that the verifier had
	Faults      []string  `json:"faults"`      // empty for a whole log; sentences
}

// maxFaults bounds what is told of a log that is wrong everywhere.
const maxFaults = 20

// OK tells whether the log is whole.
func (v *Verdict) OK() bool { return len(v.Faults) == 0 }

func (v *Verdict) wrong(format string, a ...any) {
	if len(v.Faults) < maxFaults {
		v.Faults = append(v.Faults, fmt.Sprintf(format, a...))
	}
}

// Known is what whoever verifies a log knows of it from elsewhere. All of it may be empty.
type Known struct {
	Key         string   // the log's public key
	Checkpoints []string // older checkpoints
	Witnesses   []string // public keys of witnesses that are trusted
}

// walk adds up leaves and compares the sums with checkpoints on the way.
type walk struct {
	*Verdict
	peaks
	points []*Checkpoint // by size
	last   time.Time
	block  tlog.Hash // root of the newest complete block
}

func newWalk(points []*Checkpoint) *walk {
	slices.SortStableFunc(points, func(a, b *Checkpoint) int { return int(a.Size - b.Size) })
	return &walk{Verdict: &Verdict{Witnesses: []string{}, Faults: []string{}}, points: points}
}

// found is what can be told of a leaf by itself.
type found struct {
	Leaf
	at   time.Time
	ok   bool
	hash tlog.Hash
}

func lookAt(leaf []byte) *found {
	f := &found{hash: tlog.RecordHash(leaf)}
	f.Leaf, f.at, f.ok = parseLeaf(leaf)
	return f
}

// add takes the next leaf.
func (w *walk) add(f *found) error {
	switch {
	case !f.ok:
		w.wrong("Entry %d is not written as entries are: it was changed.", w.size)
	case f.N != w.size:
		w.wrong("Where entry %d should stand, there is entry %d: entries were removed, added or moved.", w.size, f.N)
	case f.at.Before(w.last):
		w.wrong("Entry %d is older than the one before it.", w.size)
	}
	if f.ok {
		w.last = f.at
		if w.size == 0 {
			w.First = f.at
		}
	}
	if block, full := w.push(f.hash); full {
		w.block = block
	}
	return w.compare()
}

// compare looks at the checkpoints of the size that was reached.
func (w *walk) compare() error {
	for len(w.points) > 0 && w.points[0].Size <= w.size {
		p := w.points[0]
		w.points = w.points[1:]
		root, err := w.root()
		if err != nil {
			return err
		}
		w.Checkpoints++
		if p.Size != w.size || root != p.Root {
			w.wrong("The first %d entries do not add up to the checkpoint that was signed%s: something in them was changed.", p.Size, signedAt(p))
			continue
		}
		for _, name := range p.By[1:] {
			if !slices.Contains(w.Witnesses, name) {
				w.Witnesses = append(w.Witnesses, name)
			}
		}
	}
	return nil
}

func signedAt(p *Checkpoint) string {
	if p.At.IsZero() {
		return ""
	}
	return " on " + p.At.UTC().Format("2006-01-02 15:04 UTC")
}

// end says what is left over.
func (w *walk) end() (*Verdict, error) {
	for _, p := range w.points {
		w.Checkpoints++
		w.wrong("A checkpoint of %d entries was signed%s, but only %d are here: the end is missing.", p.Size, signedAt(p), w.size)
	}
	root, err := w.root()
	w.Entries, w.Root, w.Last = w.size, root, w.last
	return w.Verdict, err
}

// maxLine bounds a line of an exported log.
const maxLine = 16 << 20

// Verify reads an exported log and says whether it is whole: nothing in it was changed, removed, added or moved since
// its checkpoint was signed, nor since any checkpoint in known. It needs nothing but the file. The error is for a file
// that is no log; all else is in the verdict.
func Verify(r io.Reader, known Known) (*Verdict, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	line, err := readLine(in)
	if err != nil {
		return nil, notALog(err)
	}
	var h heading
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil || h.Format != fileFormat {
		return nil, notALog(err)
	}
	if h.Version != fileVersion {
		return nil, fault.New(fault.Unsupported, "This audit log has version %d of its format, which this version of Parley does not know. Use a newer one.", h.Version)
	}
	points, err := h.checkpoints(&known)
	if err != nil {
		return nil, err
	}
	w := newWalk(points)
	w.Log, w.KeyKnown = logName(h.Key), known.Key != ""
	if err := w.compare(); err != nil { // of an empty log
		return nil, err
	}
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err != nil {
			w.wrong("The last line is broken off.")
		}
		if err := w.add(lookAt(line)); err != nil {
			return nil, err
		}
	}
	v, err := w.end()
	if err == nil && v.Entries != sizeOf(points, h.Checkpoint) {
		v.wrong("The file has %d entries, and its checkpoint was signed for %d.", v.Entries, sizeOf(points, h.Checkpoint))
	}
	return v, err
}

// sizeOf is the size of the checkpoint with a note.
func sizeOf(points []*Checkpoint, text string) int64 {
	for _, p := range points {
		if p.Note == text {
			return p.Size
		}
	}
	return -1
}

// checkpoints opens all that the entries are to be compared with. One that does not open spoils the whole.
func (h *heading) checkpoints(known *Known) ([]*Checkpoint, error) {
	keys, err := newRing(h.Key, h.Successions)
	if err != nil {
		return nil, err
	}
	if own, below, _ := strings.Cut(strings.TrimSpace(known.Key), "\n"); known.Key != "" && !keys.has(strings.TrimSpace(own)) {
		keys, err = newRing(h.Key, append(findSuccessions(below), h.Successions...)) // the file may be older than what is known
		if err != nil || !keys.has(strings.TrimSpace(own)) {
			return nil, fault.New(fault.Conflict, "The file was signed with another key (%s) than the one you gave (%s). It is not the log you know: another one, or one that was written anew.", logName(h.Key), logName(own))
		}
	}
	witnesses := append(slices.Clone(known.Witnesses), h.Witnesses...)
	var out []*Checkpoint
	for i, text := range append(append([]string{h.Checkpoint}, h.Checkpoints...), known.Checkpoints...) {
		c, err := openCheckpoint(text, keys, witnesses...)
		if i == 0 && (err != nil || c.Key != h.Key) {
			return nil, fault.Wrap(fault.Conflict, err, "The checkpoint of this file is not signed by the log's key: the file was changed.")
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// readLine gives a line without its end. With io.EOF comes what stands after the last line end.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fault.New(fault.TooLarge, "A line of this file is longer than a line of an audit log can be.")
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(line, []byte("\n")), err
		}
	}
}

func notALog(err error) error {
	return fault.Wrap(fault.Invalid, err, "This is no audit log of Parley. Export one with \"parley audit export FILE\".")
}

// Verify checks the log where it is kept: every entry against every checkpoint ever signed, the columns that are searched
// against the leaves, and what is kept beside the entries against its commitments.
func (l *Log) Verify(ctx context.Context, org int64) (*Verdict, error) {
	h, ok, err := l.head(ctx, l.db, org, false)
	if err != nil {
		return nil, err
	}
	if !ok {
		w := newWalk(nil)
		return w.end()
	}
	var w *walk
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		if h, _, err = l.head(ctx, tx, org, false); err != nil {
			return err
		}
		points, bad, err := l.allCheckpoints(ctx, tx, h)
		if err != nil {
			return err
		}
		w = newWalk(points)
		w.Log, w.KeyKnown = logName(h.vkey), true
		for range bad {
			w.wrong("A checkpoint that was kept is not signed by this log: it was changed.")
		}
		if err := w.compare(); err != nil {
			return err
		}
		for from := int64(0); from < h.size; from += exportAtOnce {
			if err := l.verifySome(ctx, tx, h, w, from, min(from+exportAtOnce, h.size)); err != nil {
				return err
			}
		}
		return l.verifyHead(ctx, tx, h, w)
	})
	if err != nil {
		return nil, err
	}
	return w.end()
}

func (l *Log) allCheckpoints(ctx context.Context, tx *db.Tx, h *head) (points []*Checkpoint, bad int, err error) {
	witnesses, err := l.witnesses(ctx, tx, h.org)
	if err != nil {
		return nil, 0, err
	}
	keys, err := h.ring(ctx, tx)
	if err != nil {
		return nil, 0, err
	}
	points, err = db.Select(ctx, tx, func(r db.Scanner) (*Checkpoint, error) {
		var text string
		var size, at int64
		if err := r.Scan(&size, &at, &text); err != nil {
			return nil, err
		}
		p, err := openCheckpoint(text, keys, witnesses...)
		if err != nil || p.Size != size {
			bad++
			return nil, nil //nolint:nilnil,nilerr // counted
		}
		p.At = time.UnixMilli(at)
		return p, nil
	}, `SELECT size, at_ms, note FROM audit_checkpoints WHERE org_id = $1 ORDER BY size`, h.org)
	return slices.DeleteFunc(points, func(p *Checkpoint) bool { return p == nil }), bad, err
}

// stored is a row of an entry with what is kept beside it, and what was found about it.
type stored struct {
	row
	gone   bool
	found  *found
	faults []string
}

func (l *Log) verifySome(ctx context.Context, tx *db.Tx, h *head, w *walk, from, to int64) error {
	rows, err := db.Select(ctx, tx, func(r db.Scanner) (s stored, err error) {
		err = r.Scan(&s.n, &s.at, &s.action, &s.actor, &s.about, &s.leaf, &s.sealed)
		s.gone = len(s.sealed) == 0
		return s, err
	}, `SELECT e.n, e.at_ms, e.action, e.actor, e.about, e.leaf, s.sealed FROM audit_entries e
		LEFT JOIN audit_secrets s ON s.org_id = e.org_id AND s.n = e.n WHERE e.org_id = $1 AND e.n >= $2 AND e.n < $3 ORDER BY e.n`, h.org, from, to)
	if err != nil {
		return err
	}
	if int64(len(rows)) != to-from {
		w.wrong("Of the entries %d to %d only %d are there: some were removed.", from, to-1, len(rows))
	}
	if err := verifyRows(ctx, h, rows); err != nil {
		return err
	}
	for i := range rows {
		for _, fault := range rows[i].faults {
			w.wrong("%s", fault)
		}
		if err := w.add(rows[i].found); err != nil {
			return err
		}
		if w.size%blockSize != 0 {
			continue
		}
		if err := verifyBlock(ctx, tx, h, w); err != nil {
			return err
		}
	}
	return nil
}

// verifyRows looks at each row by itself, on all processors: that is most of the work.
func verifyRows(ctx context.Context, h *head, rows []stored) error {
	part := max(1, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	errs := make([]error, (len(rows)+part-1)/part)
	var work sync.WaitGroup
	for n := range errs {
		work.Go(func() {
			for i := n * part; i < min((n+1)*part, len(rows)) && errs[n] == nil; i++ {
				errs[n] = verifyRow(ctx, h, &rows[i])
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

// verifyRow compares the columns with the leaf, and what is beside it with its commitment.
func verifyRow(ctx context.Context, h *head, s *stored) error {
	s.found = lookAt([]byte(s.leaf))
	f := s.found
	if !f.ok {
		return nil // the walk tells
	}
	if f.N != s.n || f.at.UnixMilli() != s.at || string(f.Action) != s.action || searchKey(f.Actor) != s.actor || searchKey(f.About) != s.about {
		s.faults = append(s.faults, fmt.Sprintf("Entry %d is found under what it does not say: its columns were changed.", s.n))
	}
	if s.gone {
		return nil
	}
	opening, ok, err := unseal(ctx, h.keys, s.sealed)
	if ok {
		_, err = readOpening(opening, f.Commitment)
	}
	if err != nil && fault.KindOf(err) != fault.Internal {
		return err
	}
	if err != nil {
		s.faults = append(s.faults, fmt.Sprintf("What is kept beside entry %d is not what was logged: it was changed.", s.n))
	}
	return nil
}

func verifyBlock(ctx context.Context, tx *db.Tx, h *head, w *walk) error {
	block := w.size/blockSize - 1
	kept, ok, err := db.One(ctx, tx, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT root FROM audit_blocks WHERE org_id = $1 AND block = $2`, h.org, block)
	if err != nil {
		return err
	}
	if !ok || !bytes.Equal(kept, w.block[:]) {
		w.wrong("The sum of the entries %d to %d is not the one that is kept: one of them, or the sum, was changed.", block*blockSize, (block+1)*blockSize-1)
	}
	return nil
}

func (l *Log) verifyHead(ctx context.Context, tx *db.Tx, h *head, w *walk) error {
	var beyond int64
	if err := tx.Row(ctx, `SELECT count(*) FROM audit_entries WHERE org_id = $1 AND (n >= $2 OR n < 0)`, h.org, h.size).Scan(&beyond); err != nil {
		return err
	}
	if beyond > 0 {
		w.wrong("There are %d entries beyond the end of the log: they were added, or the end was set back.", beyond)
	}
	if w.size == h.size && !slices.Equal(w.roots, h.roots) {
		w.wrong("The sum that the log goes on from is not that of its %d entries: one of them, or the sum, was changed.", h.size)
	}
	return nil
}
