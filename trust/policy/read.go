package policy

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of a document.
const (
	maxBytes = 256 << 10
	maxDepth = 20
	maxItems = 500 // entries of one list or mapping
)

// Parse reads a document strictly: everything in it must be known, said once and of its kind. The error is Findings.
// A document that was read may still hold traps; Lint finds those.
func Parse(text []byte) (*Document, error) {
	d := &Document{text: string(text), lines: map[string]int{}}
	root, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	r := &reader{lines: d.lines}
	r.guard(root, 0)
	if len(r.found) == 0 {
		r.read(root, reflect.ValueOf(d).Elem(), "")
	}
	if len(r.found) > 0 {
		return nil, r.found.sorted()
	}
	return d, nil
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func parseYAML(text []byte) (*yaml.Node, error) {
	if len(text) > maxBytes {
		return nil, Findings{{1, "size", "", sentence("The document has %d KB; it may have at most %d.", len(text)>>10, maxBytes>>10), "A policy is a few pages. Take out what does not belong to it."}}
	}
	if !utf8.Valid(text) || bytes.ContainsRune(text, 0) {
		return nil, Findings{{1, "syntax", "", "The document is not text in UTF-8.", "Save it as plain text in UTF-8."}}
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := in.Decode(&doc); err != nil {
		return nil, syntaxFinding(err)
	}
	if err := in.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxFinding(err)
		}
		return nil, Findings{{more.Line, "documents", "", "A second document begins here; a policy is one.", "Take out the line \"---\" and join what follows to the first."}}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, Findings{{1, "syntax", "", "The document is no mapping of keys to values.", "Begin with a line such as \"version: 1\". \"parley policy show\" prints a whole document to begin with."}}
	}
	return doc.Content[0], nil
}

func syntaxFinding(err error) Findings {
	if errors.Is(err, io.EOF) {
		return Findings{{1, "syntax", "", "The document is empty.", "\"parley policy show\" prints a whole document to begin with."}}
	}
	line := 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			line = n
		}
	}
	return Findings{{line, "syntax", "", "This is not YAML: " + yamlLine.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "here") + ".", "Look for a missing colon, quote or bracket, and indent with spaces."}}
}

// reader fills a document from the nodes of its text, and collects what is wrong.
type reader struct {
	lines map[string]int
	found Findings
}

func (r *reader) add(n *yaml.Node, rule, reason, mend string) {
	r.found = append(r.found, Finding{n.Line, rule, "", reason, mend})
}

// guard refuses what a policy has no need of and what attacks are made of.
func (r *reader) guard(n *yaml.Node, depth int) {
	switch {
	case depth > maxDepth:
		r.add(n, "depth", sentence("This is nested more than %d deep.", maxDepth), "Nothing in a policy is.")
		return
	case n.Kind == yaml.AliasNode:
		r.add(n, "alias", sentence("*%s stands for text of another place. Whoever reads a policy must see what it says where it says it.", n.Value), "Write the text out.")
		return
	case n.Anchor != "":
		r.add(n, "alias", sentence("&%s names this text to be used elsewhere.", n.Anchor), "Take the name out, and write the text out wherever it is needed.")
	case n.Style&yaml.TaggedStyle != 0:
		r.add(n, "tag", sentence("%s says how to read the value. The kind of every value is fixed.", n.Tag), "Take it out.")
	case n.Kind == yaml.SequenceNode && len(n.Content) > maxItems || len(n.Content) > 2*maxItems:
		r.add(n, "size", sentence("This has more than %d entries.", maxItems), "Take out what does not belong to a policy.")
		return
	}
	for _, c := range n.Content {
		r.guard(c, depth+1)
	}
}

var (
	periodType = reflect.TypeFor[Period]()
	dateType   = reflect.TypeFor[Date]()
)

// read puts a node into a value of a document.
func (r *reader) read(n *yaml.Node, v reflect.Value, path string) {
	r.lines[path] = n.Line
	switch {
	case v.Type() == periodType:
		r.readPeriod(n, v, path)
	case v.Type() == dateType:
		r.readDate(n, v, path)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.read(n, v.Elem(), path)
	case v.Kind() == reflect.Struct:
		r.readStruct(n, v, path)
	case v.Kind() == reflect.Map:
		r.readMap(n, v, path)
	case v.Kind() == reflect.Slice:
		r.readList(n, v, path)
	default:
		r.readScalar(n, v, path)
	}
}

// pairs gives the keys and values of a mapping; a key that stands there twice is refused.
func (r *reader) pairs(n *yaml.Node, path string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.add(n, "kind", sentence("%s must be a mapping of keys to values.", named(path)), "Write one \"key: value\" to a line, indented.")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			r.add(key, "kind", "A key must be a word.", "Write the word before the colon.")
			continue
		}
		if first := seen[key.Value]; first > 0 {
			r.add(key, "duplicate_key", sentence("%q stands in %s twice, first on line %d. Only one of them can count.", key.Value, named(path), first), "Take one out.")
			continue
		}
		seen[key.Value] = key.Line
		each(key, value)
	}
}

func (r *reader) readStruct(n *yaml.Node, v reflect.Value, path string) {
	fields := map[string]int{}
	var known []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name != "" {
			fields[name] = i
			known = append(known, name)
		}
	}
	got := map[string]bool{}
	before := len(r.found)
	r.pairs(n, path, func(key, value *yaml.Node) {
		i, ok := fields[key.Value]
		if !ok {
			r.add(key, "unknown_key", sentence("%q is not known in %s.", key.Value, named(path)), didYouMean(key.Value, known))
			return
		}
		got[key.Value] = true
		r.read(value, v.Field(i), join(path, key.Value))
		r.lines[join(path, key.Value)] = key.Line
	})
	if len(r.found) > before && n.Kind != yaml.MappingNode {
		return
	}
	for _, name := range known {
		if !got[name] && !strings.HasSuffix(v.Type().Field(fields[name]).Tag.Get("yaml"), ",optional") {
			r.add(n, "missing_key", sentence("%s does not say %q.", named(path), name), sentence("Add a line \"%s:\" to it.", name))
		}
	}
}

func (r *reader) readMap(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	r.pairs(n, path, func(key, value *yaml.Node) {
		if !r.plainWord(key, named(path)) {
			return
		}
		if !keyForm.MatchString(key.Value) {
			r.add(key, "key", sentence("%q cannot be a key of %s.", key.Value, named(path)), "Use letters, digits, dots, hyphens and underscores, at most 60.")
			return
		}
		one := reflect.New(v.Type().Elem()).Elem()
		r.read(value, one, join(path, key.Value))
		r.lines[join(path, key.Value)] = key.Line
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), one)
	})
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$`)

func (r *reader) readList(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		r.add(n, "kind", sentence("%s must be a list.", named(path)), "Write it as [one, two].")
		return
	}
	seen := map[string]bool{}
	for i, c := range n.Content {
		if c.Kind == yaml.ScalarNode && seen[c.Value] {
			r.add(c, "duplicate_key", sentence("%q stands in %s twice.", c.Value, named(path)), "Take one out.")
			continue
		}
		seen[c.Value] = c.Kind == yaml.ScalarNode
		one := reflect.New(v.Type().Elem()).Elem()
		r.read(c, one, join(path, strconv.Itoa(i)))
		v.Set(reflect.Append(v, one))
	}
}

// scalar tells whether a node is one value.
func (r *reader) scalar(n *yaml.Node, path string) bool {
	if n.Kind != yaml.ScalarNode {
		r.add(n, "kind", sentence("%s must be one value.", named(path)), "Write it behind the colon.")
		return false
	}
	return true
}

// plainWord refuses words that one reader of YAML takes for a word and another for true or false.
func (r *reader) plainWord(n *yaml.Node, what string) bool {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return true
	}
	switch strings.ToLower(n.Value) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "":
		if n.Value == "" {
			r.add(n, "empty", sentence("%s has no value.", what), "Write one, or \"\" where nothing is meant.")
		} else {
			r.add(n, "unquoted", sentence("%s is %s without quotes, which many programs read as true, false or nothing.", what, n.Value), sentence("Write %q with the quotes.", n.Value))
		}
		return false
	}
	if n.Tag != "!!str" {
		r.add(n, "unquoted", sentence("%s is %s without quotes, which is read as a number or a date.", what, n.Value), sentence("Write %q with the quotes.", n.Value))
		return false
	}
	return true
}

func (r *reader) readScalar(n *yaml.Node, v reflect.Value, path string) {
	if !r.scalar(n, path) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		if n.Tag != "!!bool" || n.Value != "true" && n.Value != "false" {
			r.add(n, "kind", sentence("%s must be true or false; it says %q.", named(path), n.Value), "Write true or false, without quotes.")
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil || n.Tag != "!!int" || i < 0 || i > 1_000_000 {
			r.add(n, "kind", sentence("%s must be a whole number; it says %q.", named(path), n.Value), "Write digits, without quotes.")
			return
		}
		v.SetInt(int64(i))
	default:
		r.readWord(n, v, path)
	}
}

func (r *reader) readWord(n *yaml.Node, v reflect.Value, path string) {
	if !r.plainWord(n, named(path)) {
		return
	}
	if w, ok := v.Interface().(interface{ words() []string }); ok && !slices.Contains(w.words(), n.Value) {
		r.add(n, "unknown_word", sentence("%s cannot be %q.", named(path), n.Value), sentence("Write one of: %s.", quoted(w.words())))
		return
	}
	v.SetString(n.Value)
}

func (r *reader) readPeriod(n *yaml.Node, v reflect.Value, path string) {
	if !r.scalar(n, path) {
		return
	}
	p, err := ParsePeriod(n.Value)
	if err != nil {
		r.add(n, "period", sentence("%s is no period that can be reckoned with: %q.", named(path), n.Value), "Write days as 365d, business days as 7bd, months as 60mo.")
		return
	}
	v.Set(reflect.ValueOf(p))
}

func (r *reader) readDate(n *yaml.Node, v reflect.Value, path string) {
	if !r.scalar(n, path) {
		return
	}
	day, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		r.add(n, "date", sentence("%s is no date: %q.", named(path), n.Value), "Write it as 2026-12-31.")
		return
	}
	v.Set(reflect.ValueOf(Date{day}))
}

func named(path string) string {
	if path == "" {
		return "The document"
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return ""
}
