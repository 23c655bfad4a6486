package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"parley/platform/fault"
)

// maxMerged is how many merged cells of a sheet are filled.
const maxMerged = 10_000

// Merge is a cell that stands over several rows, in the first of its columns.
type Merge struct {
	Column, From, To int // the column from 0, rows from 1, both counted
}

// Merged lists the cells of a sheet that stand over several rows. A sheet names them behind its rows, so it is passed over once.
func (b *Book) Merged(s Sheet) ([]Merge, error) {
	f := b.u.Part(s.path)
	if f == nil {
		return nil, nil // Open says so
	}
	src, err := b.u.Unpack(f)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	r := bufio.NewReaderSize(src, 256<<10)
	var out []Merge
	for len(out) < maxMerged {
		tag, err := r.ReadSlice('>')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return out, nil // reading the rows says where it was cut off
		case err != nil && fault.KindOf(err) == fault.Internal:
			return nil, Stop(err, b.u.Name, "part", 1)
		case err != nil:
			return nil, err
		}
		if m, ok := mergeOf(tag); ok {
			out = append(out, m)
		}
	}
	return out, nil
}

// mergeOf reads <mergeCell ref="B2:C5"/>.
func mergeOf(tag []byte) (m Merge, ok bool) {
	_, after, found := bytes.Cut(tag, []byte("mergeCell "))
	if !found {
		return m, false
	}
	for name, value := range Attributes(after) {
		from, to, two := bytes.Cut(value, []byte(":"))
		if string(name) != "ref" || !two {
			continue
		}
		m = Merge{Column: columnOf(from), From: rowOf(from), To: rowOf(to)}
		return m, m.Column >= 0 && m.From > 0 && m.To > m.From
	}
	return m, false
}

// rowOf is the row of a reference such as "AB12", or 0.
func rowOf(ref []byte) int {
	n, _ := ShortNumber(string(bytes.TrimLeft(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
	return n
}

// Filled gives the rows of a sheet with each merged cell's text in all rows that it stands over. A row of nothing else stays
// blank.
func Filled(rows Rows, merged []Merge) Rows {
	if len(merged) == 0 {
		return rows
	}
	byRow := map[int][]Merge{}
	for _, m := range merged {
		byRow[m.From] = append(byRow[m.From], m)
	}
	return &filled{Rows: rows, begins: byRow}
}

// filled remembers the merged cells that reach the row at hand.
type filled struct {
	Rows
	begins map[int][]Merge
	open   []span
}

type span struct {
	Merge
	text string
}

// Next gives the next row.
func (f *filled) Next() ([]string, int, error) {
	cells, row, err := f.Rows.Next()
	if err != nil {
		return cells, row, err
	}
	if !Blank(cells) {
		kept := f.open[:0]
		for _, s := range f.open {
			if s.To < row {
				continue
			}
			kept = append(kept, s)
			for len(cells) <= s.Column {
				cells = append(cells, "")
			}
			if cells[s.Column] == "" {
				cells[s.Column] = s.text
			}
		}
		f.open = kept
	}
	for _, m := range f.begins[row] {
		if m.Column < len(cells) && cells[m.Column] != "" {
			f.open = append(f.open, span{m, cells[m.Column]})
		}
	}
	return cells, row, nil
}
