package vcard

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"parley/platform/sheet"
)

// Limits of a card. Real ones have some dozen properties; only pictures are long, and they are not kept.
const (
	maxLine       = 64 << 10 // bytes of a property; pictures may be longer, as they are passed over
	maxProperties = 1000     // of a card
	maxEach       = 100      // numbers, addresses, notes and other repeated properties that are kept
)

// Reader reads cards one after the other, in constant memory.
type Reader struct {
	r       *bufio.Reader
	eol     byte
	card    int  // of the card at hand, from 1
	begun   bool // its BEGIN was read
	buf     []byte
	long    bool // the property was longer than maxLine and is cut there
	version string
}

// NewReader begins to read a file of cards.
func NewReader(src io.Reader) *Reader {
	b := bufio.NewReaderSize(src, 64<<10)
	head, _ := b.Peek(1 << 10)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		b.Discard(3)
	case bytes.IndexByte(head, 0) >= 0 || bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")):
		b = bufio.NewReaderSize(sheet.NewText(b), 64<<10) // UTF-16
	}
	r := &Reader{r: b, eol: '\n'}
	if head, _ = b.Peek(16 << 10); bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		r.eol = '\r'
	}
	return r
}

// Is tells a file of cards by its first bytes, as text.
func Is(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) >= 11 && bytes.EqualFold(head[:11], []byte("BEGIN:VCARD"))
}

// Next gives the next card. It returns io.EOF at the end, io.ErrUnexpectedEOF where the file ends within a card, a
// *sheet.RowError, whose row is the place of the card, for one that is refused, and any other error when the file cannot be
// read further.
func (r *Reader) Next() (*Card, error) {
	for !r.begun {
		err := r.property()
		if err != nil {
			return nil, err
		}
		r.begun = isLine(r.buf, "BEGIN:VCARD")
	}
	r.begun = false
	r.card++
	r.version = ""
	b := builder{groups: map[string]string{}}
	return r.body(&b)
}

// Card is the place of the card that was read last, from 1.
func (r *Reader) Card() int { return r.card }

// body reads the properties of a card up to its end.
func (r *Reader) body(b *builder) (*Card, error) {
	depth := 1
	agent := false // the property before was a card within the card, as 2.1 has them
	for n := 0; ; n++ {
		if err := r.property(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		switch {
		case isLine(r.buf, "BEGIN:VCARD"):
			if !agent {
				r.begun = true
				return nil, r.refuse("The card has no end: END:VCARD is missing. Export it again.")
			}
			depth++
		case isLine(r.buf, "END:VCARD"):
			if depth--; depth == 0 {
				return b.done(n > maxProperties, r)
			}
		case depth > 1 || n > maxProperties:
			continue
		default:
			p := parse(r.buf)
			agent = p.name == "AGENT"
			if p.name == "VERSION" {
				r.version = string(p.value)
			}
			if r.long && !isBinary(p.name) {
				b.long = p.name
				continue
			}
			b.add(p)
		}
	}
}

func (r *Reader) refuse(sentence string) error {
	return &sheet.RowError{Row: r.card, Sentence: sentence}
}

func isLine(line []byte, want string) bool {
	return bytes.EqualFold(bytes.TrimSpace(line), []byte(want))
}

// property reads one property with the lines that it goes on in.
func (r *Reader) property() error {
	r.buf, r.long = r.buf[:0], false
	for len(bytes.TrimSpace(r.buf)) == 0 {
		r.buf = r.buf[:0]
		if err := r.line(); err != nil {
			return err
		}
	}
	for {
		next, err := r.r.Peek(1)
		soft := len(r.buf) > 0 && r.buf[len(r.buf)-1] == '=' && quoted(r.buf)
		switch {
		case err != nil:
			return nil
		case soft:
			r.buf = r.buf[:len(r.buf)-1]
		case next[0] == ' ' || next[0] == '\t':
			if r.version != "2.1" { // which keeps the blank that it folds at
				r.r.Discard(1)
			}
		default:
			return nil
		}
		if err := r.line(); err != nil && err != io.EOF {
			return err
		}
	}
}

// quoted tells whether a property is in quoted-printable, whose lines go on after a =.
func quoted(line []byte) bool {
	head, _, ok := bytes.Cut(line, []byte(":"))
	return ok && bytes.Contains(bytes.ToUpper(head), []byte("QUOTED-PRINTABLE"))
}

// line appends a line without its end, as far as it fits.
func (r *Reader) line() error {
	for {
		part, err := r.r.ReadSlice(r.eol)
		room := maxLine - len(r.buf)
		whole := err == nil
		if len(part) > 0 && err == io.EOF {
			err, whole = nil, true
		}
		part = bytes.TrimRight(part, "\r\n")
		if len(part) > room {
			part, r.long = part[:room], true
		}
		r.buf = append(r.buf, part...)
		if whole || err != bufio.ErrBufferFull {
			return err
		}
	}
}

// raw is a property taken apart: ITEM1.TEL;TYPE=cell:+91…
type raw struct {
	group, name string // in capitals
	params      map[string][]string
	value       []byte
}

// parse takes a property apart. What is no property has no name.
func parse(line []byte) raw {
	p := raw{params: map[string][]string{}}
	head, value, ok := cutOutside(line, ':')
	if !ok {
		return p
	}
	p.value = value
	parts := splitOutside(head, ';')
	name := strings.ToUpper(string(bytes.TrimSpace(parts[0])))
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		p.group, name = name[:i], name[i+1:]
	}
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return p
	}
	p.name = name
	for _, part := range parts[1:] {
		key, values, ok := cutOutside(part, '=')
		word := strings.ToUpper(string(bytes.TrimSpace(key)))
		if !ok { // 2.1 writes TEL;CELL
			switch word {
			case "QUOTED-PRINTABLE", "BASE64":
				p.params["ENCODING"] = append(p.params["ENCODING"], word)
			default:
				p.params["TYPE"] = append(p.params["TYPE"], word)
			}
			continue
		}
		for _, v := range splitOutside(values, ',') {
			v = bytes.Trim(bytes.TrimSpace(v), `"`)
			for one := range strings.SplitSeq(string(v), ",") { // TYPE="cell,work"
				p.params[word] = append(p.params[word], one)
			}
		}
	}
	return p
}

// cutOutside cuts at the first separator that stands outside quotation marks.
func cutOutside(text []byte, sep byte) (before, after []byte, found bool) {
	within := false
	for i, c := range text {
		switch {
		case c == '"':
			within = !within
		case c == sep && !within:
			return text[:i], text[i+1:], true
		}
	}
	if within { // a quotation mark that is never closed means nothing
		return bytes.Cut(text, []byte{sep})
	}
	return text, nil, false
}

func splitOutside(text []byte, sep byte) [][]byte {
	var out [][]byte
	for {
		before, after, found := cutOutside(text, sep)
		out = append(out, before)
		if !found {
			return out
		}
		text = after
	}
}

func (p *raw) has(param, word string) bool {
	return slices.ContainsFunc(p.params[param], func(v string) bool { return strings.EqualFold(v, word) })
}

// text is the value as UTF-8, still with its escapes.
func (p *raw) text() string {
	value := p.value
	if p.has("ENCODING", "QUOTED-PRINTABLE") {
		plain, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(value))) // as far as it is well formed
		value = plain
	}
	if p.has("ENCODING", "b") || p.has("ENCODING", "BASE64") {
		plain, err := base64.StdEncoding.DecodeString(string(bytes.Map(noBlank, value)))
		if err != nil {
			return ""
		}
		value = plain
	}
	if utf8.Valid(value) {
		return string(value)
	}
	if sets := p.params["CHARSET"]; len(sets) > 0 {
		if set, err := htmlindex.Get(sets[0]); err == nil {
			if plain, err := set.NewDecoder().Bytes(value); err == nil {
				return string(plain)
			}
		}
	}
	plain, err := charmap.Windows1252.NewDecoder().Bytes(value)
	if err != nil {
		return ""
	}
	return string(plain)
}

func noBlank(r rune) rune {
	if r == ' ' || r == '\t' {
		return -1
	}
	return r
}

// web is an address on the web, or "".
func web(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(text, " \n\\") {
		return ""
	}
	return text
}

// isBinary names the properties that hold pictures, sounds and keys.
func isBinary(name string) bool {
	return name == "PHOTO" || name == "LOGO" || name == "SOUND" || name == "KEY"
}
