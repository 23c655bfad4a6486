// Package seal encrypts streams, such as recordings and backups, in the streaming format AES256-GCM-HKDF of Tink with
// segments of 64 KiB. Nothing can be changed, dropped, swapped, repeated, added or cut off unseen, and a reader can begin
// anywhere in the stream without reading what comes before.
//
// The format is the one at https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming. Byte 0 of a stream is
// the length of its header, 40; then come a salt of 32 bytes and a nonce prefix of 7. Segment i lies in bytes i × 65,536
// to (i + 1) × 65,536 of the stream, segment 0 after the header, and ends with a tag of 16 bytes. Segments are sealed by
// AES-256-GCM under HKDF-SHA-256 of the key with the salt and the associated data; the nonce is the prefix, the number
// of the segment in 4 bytes, and 1 for the last segment or 0 for any other.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

const (
	segment     = 64 << 10 // sealed, with its tag; the first one also holds the header
	saltBytes   = 32
	prefixBytes = 7
	headBytes   = 1 + saltBytes + prefixBytes
	tagBytes    = 16
	keyBytes    = 32

	firstPlain = segment - headBytes - tagBytes
	otherPlain = segment - tagBytes
)

// ErrBroken says that a stream was changed, cut off, lengthened, or sealed under another key or other associated data.
var ErrBroken = errors.New("the sealed stream was changed, cut off, or sealed under another key")

// errKey is a mistake of ours.
var errKey = errors.New("a stream's key has 32 bytes")

// errLong says that segments ran out of numbers.
var errLong = errors.New("a sealed stream holds at most 2^32 segments, 256 TiB")

// segments seals and opens the segments of one stream.
type segments struct {
	aead  cipher.AEAD
	nonce [12]byte
}

// newSegments reads a stream's header. associated is bound to the stream.
func newSegments(key, head, associated []byte) (*segments, error) {
	if len(key) != keyBytes {
		return nil, errKey
	}
	if len(head) != headBytes || head[0] != headBytes {
		return nil, ErrBroken
	}
	k, err := hkdf.Key(sha256.New, key, head[1:1+saltBytes], string(associated), keyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	s := &segments{}
	copy(s.nonce[:], head[1+saltBytes:])
	s.aead, err = cipher.NewGCM(block)
	return s, err
}

func (s *segments) at(i int64, last bool) []byte {
	binary.BigEndian.PutUint32(s.nonce[prefixBytes:], uint32(i))
	s.nonce[11] = 0
	if last {
		s.nonce[11] = 1
	}
	return s.nonce[:]
}

// open decrypts segment i in place.
func (s *segments) open(i int64, last bool, sealed []byte) ([]byte, error) {
	plain, err := s.aead.Open(sealed[:0], s.at(i, last), sealed, nil)
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}

// plainBytes is how much fits into segment i.
func plainBytes(i int64) int {
	if i == 0 {
		return firstPlain
	}
	return otherPlain
}

// Writer seals what is written to it. Close writes the last segment, and does not close what is below.
type Writer struct {
	to     io.Writer
	s      *segments
	count  int64
	plain  []byte
	sealed []byte
	err    error
}

// NewWriter begins a stream under a key of 32 bytes. associated is bound to the stream and must be given again to read it.
func NewWriter(to io.Writer, key, associated []byte) (*Writer, error) {
	head := make([]byte, headBytes)
	_, _ = rand.Read(head) // never fails, see crypto/rand
	head[0] = headBytes
	s, err := newSegments(key, head, associated)
	if err != nil {
		return nil, err
	}
	if _, err := to.Write(head); err != nil {
		return nil, err
	}
	return &Writer{to: to, s: s, plain: make([]byte, 0, otherPlain), sealed: make([]byte, 0, segment)}, nil
}

// Write seals whole segments as they fill.
func (w *Writer) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		room := plainBytes(w.count) - len(w.plain)
		if room == 0 { // kept back until more comes: the last segment is marked
			if err := w.flush(false); err != nil {
				return written - len(b), err
			}
			continue
		}
		n := min(len(b), room)
		w.plain, b = append(w.plain, b[:n]...), b[n:]
	}
	return written, w.err
}

func (w *Writer) flush(last bool) error {
	if w.err != nil {
		return w.err
	}
	if w.count > math.MaxUint32 {
		w.err = errLong
		return w.err
	}
	w.sealed = w.s.aead.Seal(w.sealed[:0], w.s.at(w.count, last), w.plain, nil)
	w.count++
	w.plain = w.plain[:0]
	_, w.err = w.to.Write(w.sealed)
	return w.err
}

// Close seals what is left. Without it the stream counts as cut off.
func (w *Writer) Close() error {
	if err := w.flush(true); err != nil {
		return err
	}
	w.err = errors.New("the sealed stream is closed")
	return nil
}

// Reader opens a stream from its beginning to its end. It gives bytes only after their segment was found to be whole.
type Reader struct {
	from  io.Reader
	s     *segments
	count int64
	next  []byte // the sealed segment to be opened next, read already
	spare []byte
	plain []byte
	ended bool
}

// NewReader begins to read a stream that was made with the same key and associated data.
func NewReader(from io.Reader, key, associated []byte) (*Reader, error) {
	head := make([]byte, headBytes)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, broken(err)
	}
	s, err := newSegments(key, head, associated)
	if err != nil {
		return nil, err
	}
	r := &Reader{from: from, s: s, spare: make([]byte, segment)}
	r.next, err = r.fetch(make([]byte, segment)[:segment-headBytes])
	return r, err
}

func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrBroken
	}
	return err
}

// fetch reads one sealed segment into b; it is short or empty at the end.
func (r *Reader) fetch(b []byte) ([]byte, error) {
	n, err := io.ReadFull(r.from, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:n], err
}

// Read gives the next bytes, io.EOF after the marked end, and ErrBroken when the stream is not whole.
func (r *Reader) Read(b []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		if err := r.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

func (r *Reader) advance() error {
	sealed := r.next
	next, err := r.fetch(r.spare)
	if err != nil {
		return err
	}
	last := len(next) == 0
	plain, err := r.s.open(r.count, last, sealed)
	if err != nil {
		return err
	}
	r.plain, r.next, r.spare, r.ended = plain, next, sealed[:cap(sealed)], last
	r.count++
	return nil
}
