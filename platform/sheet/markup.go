package sheet

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"parley/platform/fault"
)

// Markup walks over the elements of an XML file in constant memory. It is no encoding/xml, because that gives up on what
// exports really hold: emoji written as two surrogates (&#55357;&#56832;), control characters, a damaged element
// amid good ones. Names are local names, without prefix; document types are refused, so there are no entities to expand.
type Markup struct {
	r      *bufio.Reader
	depth  int
	open   bool // the start tag's attributes are unread
	closed bool // the start tag closed itself, so an end is due
	name   []byte
	tag    []byte
}

// NewMarkup begins to read a file.
func NewMarkup(r io.Reader) *Markup { return &Markup{r: bufio.NewReaderSize(NewText(r), 1<<16)} }

// MarkupKind tells the two ends of an element apart.
type MarkupKind int

// The ends.
const (
	StartTag MarkupKind = iota
	EndTag
)

const (
	errStray ErrText = `The entry is damaged: an attribute has no closing quotation mark. Correct it, or export the file again.`
	errLong  ErrText = `The entry is longer than 256 KB, which no record is. Remove it, or export without attachments.`
)

const (
	maxDepth = 64
	maxName  = 128
)

// Next gives the next start or end of an element. The name is good until the call after. It returns io.EOF after the
// root's end, io.ErrUnexpectedEOF before it, and a fault for what is refused.
func (x *Markup) Next() (MarkupKind, []byte, error) {
	if x.open {
		if err := x.readTag(0); err != nil {
			return 0, nil, err
		}
	}
	if x.closed {
		x.closed = false
		x.depth--
		return EndTag, x.name, nil
	}
	for {
		if err := x.skipTo('<'); err != nil {
			return 0, nil, x.ending(err)
		}
		b, err := x.r.Peek(1)
		if err != nil {
			return 0, nil, x.ending(err)
		}
		switch {
		case b[0] == '?':
			err = x.instruction()
		case b[0] == '!':
			err = x.declaration()
		case b[0] == '/':
			return x.end()
		case nameByte(b[0]):
			return x.start()
		}
		if err != nil {
			return 0, nil, x.ending(err)
		}
	}
}

// ending tells a whole file from one that was Cut off.
func (x *Markup) ending(err error) error {
	if err == io.EOF && x.depth > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b >= utf8.RuneSelf
}

func (x *Markup) skipTo(b byte) error {
	for {
		_, err := x.r.ReadSlice(b)
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// skipPast passes over everything up to and with a mark of two or three bytes.
func (x *Markup) skipPast(mark string) error {
	for {
		if err := x.skipTo(mark[0]); err != nil {
			return unexpected(err)
		}
		rest, err := x.r.Peek(len(mark) - 1)
		if err != nil {
			return unexpected(err)
		}
		if string(rest) == mark[1:] {
			x.r.Discard(len(rest))
			return nil
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// instruction reads <?xml …?>, for its encoding, and skips others.
func (x *Markup) instruction() error {
	head, _ := x.r.Peek(200)
	if decl, _, ok := bytes.Cut(head, []byte("?>")); ok && bytes.HasPrefix(decl, []byte("?xml ")) {
		for name, value := range Attributes(decl[5:]) {
			if string(name) == "encoding" && !knownEncoding(string(bytes.ToLower(value))) {
				return fault.New(fault.Unsupported, "The file is written in the encoding %q, which is not read. Save it as UTF-8.", Cut(string(value)))
			}
		}
	}
	return x.skipPast("?>")
}

func knownEncoding(name string) bool {
	switch name {
	case "utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
		return true
	}
	return false
}

func (x *Markup) declaration() error {
	head, _ := x.r.Peek(8)
	switch {
	case bytes.HasPrefix(head, []byte("!--")):
		x.r.Discard(3)
		return x.skipPast("-->")
	case bytes.HasPrefix(head, []byte("![CDATA[")):
		x.r.Discard(8)
		return x.skipPast("]]>")
	default:
		return fault.New(fault.Invalid, "The file holds a document type (<!DOCTYPE …>), which such files never do and which can hide an attack. Export it again, or remove that line.")
	}
}

// end reads the rest of </name>.
func (x *Markup) end() (MarkupKind, []byte, error) {
	x.r.Discard(1)
	x.name = x.name[:0]
	for {
		b, err := x.r.ReadByte()
		if err != nil {
			return 0, nil, unexpected(err)
		}
		if b == '>' {
			break
		}
		if len(x.name) < maxName {
			x.name = append(x.name, b)
		}
	}
	x.name = local(bytes.TrimSpace(x.name))
	if x.depth--; x.depth < 0 {
		return 0, nil, fault.New(fault.Invalid, "The file is no valid XML: it closes an element, %q, that it never opened. Export it again.", Cut(string(x.name)))
	}
	return EndTag, x.name, nil
}

// start reads the name of a start tag and leaves the attributes.
func (x *Markup) start() (MarkupKind, []byte, error) {
	x.name = x.name[:0]
	for {
		b, err := x.r.ReadByte()
		if err != nil {
			return 0, nil, unexpected(err)
		}
		if b == '>' || b == '/' || b == ' ' || b == '\n' || b == '\t' || b == '\r' {
			x.r.UnreadByte()
			break
		}
		if len(x.name) >= maxName {
			return 0, nil, fault.New(fault.Invalid, "The file is no valid XML: the name of an element is longer than %d bytes. Export it again.", maxName)
		}
		x.name = append(x.name, b)
	}
	x.name = local(x.name)
	if x.depth++; x.depth > maxDepth {
		return 0, nil, fault.New(fault.Invalid, "The file nests its elements more than %d deep, which no such file does. Export it again.", maxDepth)
	}
	x.open = true
	return StartTag, x.name, nil
}

func local(name []byte) []byte {
	if i := bytes.LastIndexByte(name, ':'); i >= 0 {
		return append(name[:0], name[i+1:]...)
	}
	return name
}

// Attributes reads the attributes of the start tag just returned. errStray and errLong leave the walk after the damage.
func (x *Markup) Attributes() ([]byte, error) {
	if !x.open {
		return nil, nil
	}
	err := x.readTag(MaxLine)
	return x.tag, err
}

// readTag reads up to the > of a start tag and keeps at most keep bytes; with 0 the tag is skipped, however long.
func (x *Markup) readTag(keep int) error {
	x.tag, x.open = x.tag[:0], false
	quote, before, long := byte(0), byte(0), false
	for {
		if _, err := x.r.Peek(1); err != nil {
			return unexpected(err)
		}
		w, _ := x.r.Peek(x.r.Buffered())
		n, done := len(w), false
		for i, b := range w {
			switch {
			case b == '<' && keep > 0:
				// Attributes never hold a bare <, so this element lost its end. What follows is read as the next one.
				x.tag = append(x.tag, w[:min(i, keep)]...)
				x.r.Discard(i)
				x.closed = true
				return errStray
			case quote != 0:
				if b == quote {
					quote = 0
				}
			case b == '"' || b == '\'':
				quote = b
			case b == '>':
				n, done = i, true
			}
			if done {
				break
			}
			before = b
		}
		if room := keep - len(x.tag); room < n && keep > 0 {
			long = true
		} else if keep > 0 {
			x.tag = append(x.tag, w[:n]...)
		}
		if !done {
			x.r.Discard(n)
			continue
		}
		x.r.Discard(n + 1)
		x.closed = before == '/'
		x.tag = bytes.TrimSuffix(x.tag, []byte("/"))
		if long {
			return errLong
		}
		return nil
	}
}

// Text reads the characters of the element just begun, up to its end or its first child.
func (x *Markup) Text(most int) (string, error) {
	if x.open {
		if err := x.readTag(0); err != nil {
			return "", err
		}
	}
	if x.closed {
		return "", nil
	}
	var out []byte
	for {
		part, err := x.r.ReadSlice('<')
		if err != nil && err != bufio.ErrBufferFull {
			return "", unexpected(err)
		}
		whole := err == nil
		if whole {
			part = part[:len(part)-1]
		}
		if len(out) == 0 && whole && len(part) <= most {
			out = part
		} else if len(out)+len(part) <= most {
			out = append(bytes.Clone(out), part...)
		}
		if !whole {
			continue
		}
		text := Unescape(out)
		x.r.UnreadByte()
		if head, _ := x.r.Peek(9); !bytes.HasPrefix(head, []byte("<![CDATA[")) {
			return text, nil
		}
		x.r.Discard(9)
		inner, err := x.cdata(most)
		return text + inner, err
	}
}

func (x *Markup) cdata(most int) (string, error) {
	var out []byte
	for {
		part, err := x.r.ReadSlice('>')
		if err != nil && err != bufio.ErrBufferFull {
			return "", unexpected(err)
		}
		if len(out)+len(part) <= most+3 {
			out = append(out, part...)
		}
		if bytes.HasSuffix(part, []byte("]]>")) {
			return string(bytes.TrimSuffix(out, []byte("]]>"))), nil
		}
	}
}

// Attributes goes through the names and raw values of a tag.
func Attributes(tag []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for {
			eq := bytes.IndexByte(tag, '=')
			if eq < 0 {
				return
			}
			name := local(bytes.TrimSpace(tag[:eq]))
			tag = bytes.TrimLeft(tag[eq+1:], " \t\r\n")
			if len(tag) == 0 || tag[0] != '"' && tag[0] != '\'' {
				return
			}
			end := bytes.IndexByte(tag[1:], tag[0])
			if end < 0 {
				return
			}
			if !yield(name, tag[1:1+end]) {
				return
			}
			tag = tag[end+2:]
		}
	}
}

// Unescape puts characters for references. Two surrogates become the character they stand for; what is no reference
// stays as it is, and NUL is dropped.
func Unescape(raw []byte) string {
	if bytes.IndexByte(raw, '&') < 0 {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	var high rune
	for i := 0; i < len(raw); {
		r, n := reference(raw[i:])
		if n == 0 {
			out = append(out, raw[i])
			i++
			continue
		}
		i += n
		switch {
		case utf16.IsSurrogate(r) && r < 0xdc00:
			high = r
			continue
		case utf16.IsSurrogate(r):
			r = utf16.DecodeRune(high, r)
		}
		high = 0
		if r != 0 {
			out = utf8.AppendRune(out, r)
		}
	}
	return string(out)
}

// reference reads a reference such as &amp; or &#x1F600; and says how long it is, 0 for none.
func reference(raw []byte) (rune, int) {
	if raw[0] != '&' {
		return 0, 0
	}
	end := bytes.IndexByte(raw[:min(len(raw), 12)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(raw[1:end]); {
	case name == "amp":
		return '&', end + 1
	case name == "lt":
		return '<', end + 1
	case name == "gt":
		return '>', end + 1
	case name == "quot":
		return '"', end + 1
	case name == "apos":
		return '\'', end + 1
	case name[0] == '#':
		digits, base := name[1:], 10
		if digits != "" && (digits[0] == 'x' || digits[0] == 'X') {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseUint(digits, base, 21)
		if err != nil || n > utf8.MaxRune {
			return 0, 0
		}
		return rune(n), end + 1
	}
	return 0, 0
}
