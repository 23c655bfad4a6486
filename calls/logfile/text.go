package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"parley/platform/sheet"
)

// lines reads a text line by line and passes over lines that are too long to be calls.
type lines struct {
	r   *bufio.Reader
	row int
}

// next returns a line without its end; the bytes are good until the next call.
func (l *lines) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		return nil, err
	}
	l.row++
	if errors.Is(err, bufio.ErrBufferFull) {
		start := sheet.Cut(string(line[:4*80]))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.r.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		return nil, (&RowError{Value: start, Sentence: sheet.TooLong}).At("", l.row)
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
