package sheet

import (
	"bufio"
	"bytes"
	"io"
)

// Rows gives the rows of a table: the cells, which are good until the next call, and the row's place from 1. Next returns
// io.EOF at the end, a *RowError for one row that was refused (and may be called again), and any other error when the table
// cannot be read further.
type Rows interface {
	Next() (cells []string, row int, err error)
	io.Closer
}

// CSV reads text tables, in any encoding that NewText knows. Unlike encoding/csv it gives up only the row with a stray quote, not everything up to the
// next quote, and it bounds what it holds.
type CSV struct {
	src   io.Closer
	r     *bufio.Reader
	comma byte
	eol   byte
	line  int // the next row's line
	buf   []byte
	ends  []int
	cells []string
}

// NewCSV begins to read a table whose cells stand between commas, or another character of one byte.
func NewCSV(src io.ReadCloser, comma byte) *CSV {
	c := &CSV{src: src, r: bufio.NewReaderSize(NewText(src), MaxLine), comma: comma, eol: '\n', line: 1}
	head, _ := c.r.Peek(MaxLine / 4)
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		c.eol = '\r'
	}
	if first, _, _ := bytes.Cut(head, []byte{c.eol}); len(first) < 16 && separatorLine(first) != 0 {
		c.r.Discard(min(len(first)+1, len(head)))
		c.line++
	}
	return c
}

// separatorLine reads Excel's first line "sep=;".
func separatorLine(line []byte) byte {
	line = bytes.TrimRight(line, "\r\n")
	if rest, ok := bytes.CutPrefix(line, []byte("sep=")); ok && len(rest) == 1 {
		return rest[0]
	}
	return 0
}

// Close closes the source.
func (c *CSV) Close() error { return c.src.Close() }

type csvState int

const (
	csvRow   csvState = iota
	csvMore           // the row goes on after the window
	csvQuote          // a stray quote
)

// Next gives the next row.
func (c *CSV) Next() ([]string, int, error) {
	if _, err := c.r.Peek(1); err != nil {
		return nil, c.line, err
	}
	window, _ := c.r.Peek(c.r.Buffered())
	used, state := c.parse(window, false)
	if state == csvMore {
		var end error
		window, end = c.r.Peek(MaxLine)
		used, state = c.parse(window, end == io.EOF)
		if state == csvMore && end != nil {
			return nil, c.line, end
		}
	}
	row := c.line
	if state != csvRow {
		return nil, row, c.skipLine(window, state)
	}
	c.line += bytes.Count(window[:used], []byte{c.eol})
	if used > 0 && window[used-1] != c.eol {
		c.line++
	}
	c.r.Discard(used)
	return c.split(), row, nil
}

// parse takes a row apart into buf and ends. last says that nothing follows the window.
func (c *CSV) parse(w []byte, last bool) (used int, state csvState) {
	c.buf, c.ends = c.buf[:0], c.ends[:0]
	for i := 0; ; {
		start := i
		for i < len(w) && w[i] == ' ' {
			i++
		}
		if i < len(w) && w[i] == '"' {
			if i, state = c.quoted(w, i+1, last); state != csvRow {
				return 0, state
			}
		} else {
			i = c.unquoted(w, start)
		}
		c.ends = append(c.ends, len(c.buf))
		switch {
		case i >= len(w) && last:
			return i, csvRow
		case i >= len(w):
			return 0, csvMore
		case w[i] == c.eol:
			return i + 1, csvRow
		}
		i++
	}
}

// unquoted takes a cell up to the delimiter or the line's end.
func (c *CSV) unquoted(w []byte, i int) int {
	from := i
	for i < len(w) && w[i] != c.comma && w[i] != c.eol {
		i++
	}
	cell := w[from:i]
	if c.eol == '\n' && len(cell) > 0 && cell[len(cell)-1] == '\r' {
		cell = cell[:len(cell)-1]
	}
	c.buf = append(c.buf, cell...)
	return i
}

// quoted takes a cell from after its opening quote to the delimiter or line's end that follows its closing one.
func (c *CSV) quoted(w []byte, i int, last bool) (int, csvState) {
	for {
		n := bytes.IndexByte(w[i:], '"')
		if n < 0 {
			return i, unclosed(last)
		}
		c.buf = append(c.buf, w[i:i+n]...)
		i += n + 1
		if i < len(w) && w[i] == '"' {
			c.buf = append(c.buf, '"')
			i++
			continue
		}
		break
	}
	for i < len(w) && (w[i] == ' ' || w[i] == '\r' && c.eol == '\n') {
		i++
	}
	switch {
	case i < len(w) && w[i] != c.comma && w[i] != c.eol:
		return i, csvQuote
	case i >= len(w) && !last:
		return i, csvMore
	}
	return i, csvRow
}

func unclosed(last bool) csvState {
	if last {
		return csvQuote
	}
	return csvMore
}

// skipLine passes over one line that is no row, and says why.
func (c *CSV) skipLine(window []byte, state csvState) error {
	row := c.line
	c.line++
	n := bytes.IndexByte(window, c.eol)
	if n >= 0 {
		value := string(window[:min(n, 4*valueLength)])
		c.r.Discard(n + 1)
		return (&RowError{Row: row, Value: Cut(value), Sentence: `The row has a quotation mark in the wrong place, or one that is never closed. Write a quotation mark within a cell twice (""), or remove it.`})
	}
	value := string(window[:min(len(window), 4*valueLength)])
	sentence := TooLong
	if state == csvQuote {
		sentence = `The row has a quotation mark that is never closed. Remove it, or close the cell with a second one.`
	}
	for {
		_, err := c.r.ReadSlice(c.eol)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		return &RowError{Row: row, Value: Cut(value), Sentence: sentence}
	}
}

// split cuts the row's text into cells. One string is made per row, whatever the number of cells.
func (c *CSV) split() []string {
	text, from := string(c.buf), 0
	c.cells = c.cells[:0]
	for _, end := range c.ends {
		c.cells = append(c.cells, text[from:end])
		from = end
	}
	return c.cells
}

// DelimiterOf finds the character between the cells of a text's first lines: the one that gives most lines the same
// number of cells, and more than one.
func DelimiterOf(head []byte) byte {
	if first, _, _ := bytes.Cut(head, []byte("\n")); separatorLine(first) != 0 {
		return separatorLine(first)
	}
	best, bestScore := byte(','), 0
	for _, comma := range [...]byte{',', ';', '\t', '|'} {
		c := NewCSV(io.NopCloser(bytes.NewReader(head)), comma)
		counts, most := map[int]int{}, 0
		for range 50 {
			cells, _, err := c.Next()
			if _, bad := err.(*RowError); bad {
				continue
			}
			if err != nil {
				break
			}
			if n := len(cells); n > 1 {
				counts[n]++
				most = max(most, counts[n]*1000+min(n, 999))
			}
		}
		if most > bestScore {
			best, bestScore = comma, most
		}
	}
	return best
}
