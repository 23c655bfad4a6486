// Package sheet reads and writes tables: text tables in any encoding and dialect, and Excel workbooks, row by row and in
// constant memory, guarded against files that are made to break their reader. It knows nothing of what the tables are about.
package sheet

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/platform/fault"
)

// RowError says why one row was refused. The rows after it can still be read.
type RowError struct {
	Row      int
	File     string
	Column   string // "" when the whole row is meant
	Value    string // as written, cut to 80 characters
	Sentence string // what is wrong and what to do; it does not repeat the value, which may be personal
}

// Error is the place and the sentence, without the value.
func (e *RowError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ", ")
	}
	b.WriteString("row " + strconv.Itoa(e.Row))
	if e.Column != "" {
		b.WriteString(", column " + e.Column)
	}
	return b.String() + ": " + e.Sentence
}

// Refuse makes the error of a value that is refused; At says where it stands.
func Refuse(column, value, format string, a ...any) *RowError {
	return &RowError{Column: column, Value: Cut(value), Sentence: fmt.Sprintf(format, a...)}
}

// At says where a refused value stands.
func (e *RowError) At(file string, row int) *RowError {
	e.File, e.Row = file, row
	return e
}

// ErrText is a sentence about a value; the caller adds the place.
type ErrText string

// Error is the sentence.
func (e ErrText) Error() string { return string(e) }

// valueLength is the most of a refused value that is kept, in characters.
const valueLength = 80

// Cut shortens a value for display to 80 characters, never within one.
func Cut(s string) string {
	if len(s) <= valueLength {
		return strings.ToValidUTF8(s, "�")
	}
	n := 0
	for i := range s {
		if n == valueLength {
			return strings.ToValidUTF8(s[:i], "�") + "…"
		}
		n++
	}
	return strings.ToValidUTF8(s, "�")
}

// FileNamed is a file in a sentence: its name within quotes, or "The file".
func FileNamed(name string) string {
	if name == "" {
		return "The file"
	}
	if utf8.RuneCountInString(name) > valueLength {
		name = Cut(name)
	}
	return "The file " + strconv.Quote(name)
}

// TooLong is the sentence about a row longer than MaxLine.
const TooLong = "The row is longer than 256 KB, which no record is. Remove it, or export without attachments."

// Stop turns an error of reading into one with a sentence that says where the reading ended.
func Stop(err error, name, what string, row int) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.New(fault.Invalid, "%s ends in the middle of %s %d: the copy or download was cut off. Export the file again.", FileNamed(name), what, row)
	}
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(fault.Internal, err, "%s cannot be read after %s %d.", FileNamed(name), what, row)
}

// Digits tells whether a text is digits and nothing else.
func Digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// ShortNumber is the quick way for whole numbers of up to seven digits.
func ShortNumber(s string) (int, bool) {
	if len(s) == 0 || len(s) > 7 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

// Blank tells whether a row has no text.
func Blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// Numbered are the names of the columns of a table without header: 1, 2, 3.
func Numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i + 1)
	}
	return out
}

// WholeNumber undoes what spreadsheets make of long numbers: 9.19812300001E+11 and 919812300001.0. A text that is no
// such number is returned as it is; one whose last digits are lost gives a sentence.
func WholeNumber(t string) (number, sentence string) {
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(t), "E")
	whole, fraction, _ := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	if !Digits(whole) || fraction != "" && !Digits(fraction) {
		return t, ""
	}
	if !scientific {
		if strings.Trim(fraction, "0") == "" && strings.Contains(t, ".") {
			return whole, ""
		}
		return t, ""
	}
	places, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	if err != nil {
		return t, ""
	}
	if places < 0 || places > 20 || len(fraction) != places {
		return "", "A spreadsheet rounded this number (scientific notation) and its last digits are lost. Format the column as text or as a whole number in the original file and export it again."
	}
	return whole + fraction, ""
}
