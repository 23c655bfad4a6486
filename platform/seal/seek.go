package seal

import (
	"errors"
	"io"
	"math"
	"sync"
)

// ReaderAt opens a stream anywhere. It keeps the segment that was opened last; a lock makes it safe for several users at
// once, but each of them is better served by a ReaderAt of their own.
type ReaderAt struct {
	from  io.ReaderAt
	s     *segments
	last  int64 // number of the last segment
	size  int64 // of the plain stream
	total int64 // of the sealed stream

	mu    sync.Mutex
	have  int64 // the segment in plain; -1 = none
	plain []byte
	buf   []byte
}

// NewReaderAt reads a stream of size bytes that was made with the same key and associated data. The last segment is
// opened at once, so a stream that was cut off or lengthened is ErrBroken before it gives any byte.
func NewReaderAt(from io.ReaderAt, size int64, key, associated []byte) (*ReaderAt, error) {
	if size < headBytes+tagBytes {
		return nil, ErrBroken
	}
	head := make([]byte, headBytes)
	if _, err := from.ReadAt(head, 0); err != nil {
		return nil, broken(err)
	}
	s, err := newSegments(key, head, associated)
	if err != nil {
		return nil, err
	}
	count := (size + segment - 1) / segment
	if count-1 > math.MaxUint32 {
		return nil, ErrBroken
	}
	r := &ReaderAt{from: from, s: s, last: count - 1, size: size - headBytes - tagBytes*count, total: size, have: -1, buf: make([]byte, segment)}
	if r.size < 0 || r.size < plainStart(r.last) { // the last segment is shorter than its tag
		return nil, ErrBroken
	}
	return r, r.load(r.last)
}

// plainStart is where segment i begins in the plain stream.
func plainStart(i int64) int64 {
	if i == 0 {
		return 0
	}
	return firstPlain + (i-1)*otherPlain
}

// segmentOf is the segment that holds byte off of the plain stream.
func segmentOf(off int64) int64 {
	if off < firstPlain {
		return 0
	}
	return 1 + (off-firstPlain)/otherPlain
}

// Size is the length of the plain stream.
func (r *ReaderAt) Size() int64 { return r.size }

// load opens segment i.
func (r *ReaderAt) load(i int64) error {
	if r.have == i {
		return nil
	}
	from, to := max(i*segment, headBytes), min((i+1)*segment, r.total)
	r.have = -1
	b := r.buf[:to-from]
	if n, err := r.from.ReadAt(b, from); err != nil && (n < len(b) || !errors.Is(err, io.EOF)) {
		return broken(err)
	}
	plain, err := r.s.open(i, i == r.last, b)
	if err != nil {
		return err
	}
	r.have, r.plain = i, plain
	return nil
}

// ReadAt gives bytes of the plain stream from off on.
func (r *ReaderAt) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("a read before the beginning of a sealed stream")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(b) {
		if off >= r.size {
			return n, io.EOF
		}
		i := segmentOf(off)
		if err := r.load(i); err != nil {
			return n, err
		}
		m := copy(b[n:], r.plain[off-plainStart(i):])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}

// Seeker is the whole plain stream as http.ServeContent takes it.
func (r *ReaderAt) Seeker() io.ReadSeeker { return io.NewSectionReader(r, 0, r.size) }
