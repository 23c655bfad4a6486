// Package seal encrypts streams that are read from beginning to end, such as backups: AES-256-GCM over segments of 64 KiB
// whose nonces count them and mark the last, so that nothing can be changed, dropped, repeated or cut off unseen (the
// STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, as age uses it).
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
)

const (
	segment   = 64 << 10
	saltBytes = 32
	keyBytes  = 32
)

// ErrBroken says that a stream was changed, cut off, or sealed under another key.
var ErrBroken = errors.New("the sealed stream was changed, cut off, or sealed under another key")

// Writer seals what is written to it. Close writes the last segment, and does not close what is below.
type Writer struct {
	to     io.Writer
	aead   cipher.AEAD
	count  uint64
	plain  []byte
	sealed []byte
}

// NewWriter begins a stream under key. header is bound to the stream and must be given again to read it.
func NewWriter(to io.Writer, key, header []byte) (*Writer, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails, see crypto/rand
	aead, err := streamKey(key, salt, header)
	if err != nil {
		return nil, err
	}
	if _, err := to.Write(salt); err != nil {
		return nil, err
	}
	return &Writer{to: to, aead: aead, plain: make([]byte, 0, segment)}, nil
}

func streamKey(key, salt, header []byte) (cipher.AEAD, error) {
	sum := sha256.Sum256(header)
	k, err := hkdf.Key(sha256.New, key, salt, "parley stream"+string(sum[:]), keyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// nonce counts segments in eleven bytes and marks the last in the twelfth.
func nonce(count uint64, last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n[3:11], count)
	if last {
		n[11] = 1
	}
	return n
}

// Write seals whole segments as they fill.
func (w *Writer) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		if len(w.plain) == segment { // kept back until more comes: the last segment is marked
			if err := w.flush(false); err != nil {
				return written - len(b), err
			}
		}
		n := min(len(b), segment-len(w.plain))
		w.plain, b = append(w.plain, b[:n]...), b[n:]
	}
	return written, nil
}

func (w *Writer) flush(last bool) error {
	w.sealed = w.aead.Seal(w.sealed[:0], nonce(w.count, last), w.plain, nil)
	w.count++
	w.plain = w.plain[:0]
	_, err := w.to.Write(w.sealed)
	return err
}

// Close seals what is left. Without it the stream counts as cut off.
func (w *Writer) Close() error { return w.flush(true) }

// Reader opens a stream. It gives bytes only after their segment was found to be whole.
type Reader struct {
	from   io.Reader
	aead   cipher.AEAD
	count  uint64
	sealed []byte // the segment to be opened next, read already
	plain  []byte
	ended  bool
}

// NewReader begins to read a stream that NewWriter made with the same key and header.
func NewReader(from io.Reader, key, header []byte) (*Reader, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(from, salt); err != nil {
		return nil, broken(err)
	}
	aead, err := streamKey(key, salt, header)
	if err != nil {
		return nil, err
	}
	r := &Reader{from: from, aead: aead}
	r.sealed, err = r.fetch()
	return r, err
}

func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrBroken
	}
	return err
}

// fetch reads one sealed segment; it is short or empty at the end.
func (r *Reader) fetch() ([]byte, error) {
	b := make([]byte, segment+r.aead.Overhead())
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
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

func (r *Reader) open() error {
	next, err := r.fetch()
	if err != nil {
		return err
	}
	last := len(next) == 0
	plain, err := r.aead.Open(r.sealed[:0], nonce(r.count, last), r.sealed, nil)
	if err != nil {
		return ErrBroken
	}
	r.plain, r.sealed, r.ended = plain, next, last
	r.count++
	return nil
}
