package sheet

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// NewText turns the bytes of a text file into UTF-8 without a byte order mark: UTF-16 of either order is recognised by
// its mark or by its zero bytes, and bytes that are no UTF-8 are read as Windows-1252, of which Latin-1 is a part.
func NewText(r io.Reader) io.Reader {
	b := bufio.NewReaderSize(r, 1<<15)
	head, _ := b.Peek(1 << 10)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		b.Discard(3)
		return &mender{src: b}
	case bytes.HasPrefix(head, []byte("\xff\xfe")), wide(head, 1):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(b)
	case bytes.HasPrefix(head, []byte("\xfe\xff")), wide(head, 0):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(b)
	default:
		return &mender{src: b}
	}
}

// wide tells UTF-16 without a mark by its zero bytes, which stand at every other place of mostly Latin text.
func wide(head []byte, zero int) bool {
	if len(head) < 8 {
		return false
	}
	zeros, others := 0, 0
	for i, c := range head {
		switch {
		case c != 0:
		case i%2 == zero:
			zeros++
		default:
			others++
		}
	}
	return zeros*4 > len(head) && others*20 < zeros
}

// mender passes valid UTF-8 on and reads every other byte as Windows-1252.
type mender struct {
	src  io.Reader
	buf  [1 << 15]byte
	tail int    // bytes of an unfinished character kept at the start of buf
	copy []byte // what out lies in
	out  []byte // mended, not yet handed on
	end  error
}

func (m *mender) Read(p []byte) (int, error) {
	for len(m.out) == 0 {
		if m.end != nil {
			return 0, m.end
		}
		m.fill()
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

func (m *mender) fill() {
	n, err := m.src.Read(m.buf[m.tail:])
	data := m.buf[:m.tail+n]
	m.end, m.tail = err, 0
	keep := 0
	if err == nil {
		keep = unfinished(data)
	}
	whole := data[:len(data)-keep]
	// What is handed on is a copy, because the tail moves to the front of buf before p has taken everything.
	if utf8.Valid(whole) {
		m.copy = append(m.copy[:0], whole...)
	} else {
		m.copy = mend(m.copy[:0], whole)
	}
	m.out = m.copy
	m.tail = copy(m.buf[:], data[len(data)-keep:])
}

// unfinished is how many bytes at the end of data may be the beginning of a longer character.
func unfinished(data []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if c := data[len(data)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(data[len(data)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

func mend(out, data []byte) []byte {
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(data[0])
		}
		out, data = utf8.AppendRune(out, r), data[n:]
	}
	return out
}

// MaxLine is the longest line or tag that is read whole. The longest real ones, records with notes, have a few kilobytes.
const MaxLine = 256 << 10
