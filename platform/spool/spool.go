// Package spool keeps a file that somebody sent on disk while it is worked on. What lies there is unreadable to
// everybody else, and after a crash to us too: it is encrypted under a key that only this process's memory has, and the
// file has no name.
package spool

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"syscall"

	"parley/platform/fault"
)

// File is a spooled file: written once from the beginning, then read anywhere. Its bytes are not authenticated; they
// never leave this process's hands.
type File struct {
	f     *os.File
	name  string // "" once the system has forgotten it
	block cipher.Block
	write cipher.Stream
	size  int64
	buf   []byte
}

// New begins a file in dir, the system's temporary folder when dir is "".
func New(dir string) (*File, error) {
	f, err := os.CreateTemp(dir, "parley-upload-*")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The file cannot be put aside. Check that there is room and that the folder for temporary files can be written to.")
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	s := &File{f: f, name: f.Name(), block: block, write: cipher.NewCTR(block, make([]byte, aes.BlockSize)), buf: make([]byte, 64<<10)}
	if os.Remove(s.name) == nil { // systems that cannot remove an open file do it in Close
		s.name = ""
	}
	return s, nil
}

// Write appends to the file.
func (s *File) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := s.buf[:min(len(p), len(s.buf))]
		s.write.XORKeyStream(part, p[:len(part)])
		m, err := s.f.Write(part)
		s.size += int64(m)
		n += m
		if err != nil {
			return n, full(err)
		}
		p = p[len(part):]
	}
	return n, nil
}

func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Wrap(fault.Unavailable, err, "The disk is full, so the file could not be put aside. Free some space and send it again.")
	}
	return err
}

// ReadFrom writes everything that r gives.
func (s *File) ReadFrom(r io.Reader) (int64, error) {
	type writer struct{ io.Writer } // hides ReadFrom, which io.Copy would call again
	return io.Copy(writer{s}, r)
}

// ReadAt reads as io.ReaderAt does; it may be called from several goroutines.
func (s *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.f.ReadAt(p, off)
	iv := make([]byte, aes.BlockSize)
	binary.BigEndian.PutUint64(iv[8:], uint64(off/aes.BlockSize))
	stream := cipher.NewCTR(s.block, iv)
	if skip := off % aes.BlockSize; skip > 0 {
		waste := bytes.Repeat([]byte{0}, int(skip))
		stream.XORKeyStream(waste, waste)
	}
	stream.XORKeyStream(p[:n], p[:n])
	return n, err
}

// Size is how many bytes were written.
func (s *File) Size() int64 { return s.size }

// Close forgets the file.
func (s *File) Close() error {
	err := s.f.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}
