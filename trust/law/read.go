package law

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"parley/platform/civil"
	"parley/platform/fault"
)

//go:embed table/*.tsv
var tables embed.FS

// header is the first line of a table.
const header = "jurisdiction\ttopic\tvalue\tconditions\tsource\tsource_kind\tchecked_on\tconfidence\tnot_before"

// Load reads the tables that come with the program. It refuses a row without a source that does not say so, a row without
// the day it was checked, and a value that cannot be reckoned with.
func Load() (*Tables, error) {
	files, err := fs.Sub(tables, "table")
	if err != nil {
		return nil, err
	}
	return read(files)
}

func read(files fs.FS) (*Tables, error) {
	t := &Tables{locations: &sync.Map{}}
	var err error
	if t.sources, err = readPairs(files, "sources.tsv", func(s string) string { return s }); err != nil {
		return nil, err
	}
	if t.groups, err = readPairs(files, "groups.tsv", strings.Fields); err != nil {
		return nil, err
	}
	if t.zones, err = readPairs(files, "zones.tsv", strings.Fields); err != nil {
		return nil, err
	}
	all, err := fs.Glob(files, "*.tsv")
	if err != nil {
		return nil, err
	}
	for _, name := range all {
		if slices.Contains([]string{"sources.tsv", "groups.tsv", "zones.tsv"}, name) {
			continue
		}
		if err := t.add(files, name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Tables) add(files fs.FS, name string) error {
	lines, err := readLines(files, name)
	if err != nil {
		return err
	}
	if len(lines) == 0 || lines[0].text != header {
		return fault.New(fault.Internal, "The law table %s does not begin with its columns: %s.", name, strings.ReplaceAll(header, "\t", ", "))
	}
	for _, l := range lines[1:] {
		r, err := parseRow(l.text)
		if err == nil {
			err = t.check(&r)
		}
		if err != nil {
			return fault.Wrap(fault.Internal, err, "The law table %s is not right in line %d: %s", name, l.no, fault.Sentence(err))
		}
		t.rows = append(t.rows, r)
	}
	return nil
}

func parseRow(text string) (Row, error) {
	p := strings.Split(text, "\t")
	if want := strings.Count(header, "\t") + 1; len(p) != want {
		return Row{}, fault.New(fault.Internal, "it has %d columns, not %d.", len(p), want)
	}
	r := Row{Jurisdiction: p[0], Topic: Topic(p[1]), Value: p[2], Conditions: p[3], Source: p[4], SourceKind: p[5], Confidence: Confidence(p[7])}
	var err error
	if p[6] == "" {
		return r, fault.New(fault.Internal, "it does not say on which day it was checked.")
	}
	if r.CheckedOn, err = civil.Parse(p[6]); err != nil {
		return r, err
	}
	if p[8] != "" {
		r.NotBefore, err = civil.Parse(p[8])
	}
	return r, err
}

// check holds a row to the rules for rows.
func (t *Tables) check(r *Row) error {
	switch {
	case r.Jurisdiction == "" || r.Topic == "" || r.Value == "":
		return fault.New(fault.Internal, "a row needs a jurisdiction, a topic and a value.")
	case !slices.Contains([]Confidence{Verified, Secondary, Conflict, Unverified}, r.Confidence):
		return fault.New(fault.Internal, "%q is no confidence. Choose verified, secondary, conflict or unverified.", r.Confidence)
	case r.Source == "" && r.Confidence != Unverified:
		return fault.New(fault.Internal, "it has no source. Name one, or mark the row unverified, so that the strictest value counts.")
	case r.Source == "" && r.SourceKind != "":
		return fault.New(fault.Internal, "it says what kind of source it has, and names none.")
	case r.Source != "" && !slices.Contains([]string{"statute", "regulator", "secondary"}, r.SourceKind):
		return fault.New(fault.Internal, "%q is no kind of source. Choose statute, regulator or secondary.", r.SourceKind)
	case r.Confidence == Conflict && len(r.values()) < 2:
		return fault.New(fault.Internal, "sources are in conflict, but only one value is reported. Write both with \" | \" between.")
	case r.Confidence != Conflict && len(r.values()) > 1:
		return fault.New(fault.Internal, "several values are reported, so its confidence is conflict.")
	}
	for _, name := range names(r.Source) {
		if t.sources[name] == "" {
			return fault.New(fault.Internal, "its source %q is not in sources.tsv.", name)
		}
	}
	return checkValue(r)
}

// checkValue reads the values of the topics that are reckoned with.
func checkValue(r *Row) error {
	if r.Topic == hoursTopic {
		hours, err := reported(r.values())
		if err != nil {
			return err
		}
		r.hours = &hours
	}
	var err error
	for _, v := range r.values() {
		if r.sourced() && strings.HasPrefix(v, "?") {
			return fault.New(fault.Internal, "nothing is known, so its confidence is unverified.")
		}
		switch r.Topic {
		case recordingTopic:
			_, err = parseRule(v)
		case requestTopic:
			_, err = parseClocks(v)
		case breachTopic:
			_, err = parseNotices(v)
		case floorTopic:
			_, err = parseFloor(v)
		case noticeTopic:
			_, err = ParseSpan(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type numbered struct {
	no   int
	text string
}

// readLines reads a table without its comments.
func readLines(files fs.FS, name string) ([]numbered, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var out []numbered
	no := 0
	for line := range strings.Lines(string(text)) {
		no++
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, numbered{no, line})
		}
	}
	return out, nil
}

func readPairs[V any](files fs.FS, name string, value func(string) V) (map[string]V, error) {
	lines, err := readLines(files, name)
	if err != nil {
		return nil, err
	}
	out := map[string]V{}
	for _, l := range lines {
		k, v, ok := strings.Cut(l.text, "\t")
		if _, twice := out[k]; !ok || twice {
			return nil, fault.New(fault.Internal, "The law table %s is not right in line %d: write each name once, a tab and what it stands for.", name, l.no)
		}
		out[k] = value(v)
	}
	return out, nil
}
