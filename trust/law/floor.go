package law

import (
	"cmp"
	"slices"
	"strings"

	"parley/platform/fault"
)

// Floor is a duty to keep data. Before NotBefore of its row it does not bind.
type Floor struct {
	Min        Span
	Categories []string // of the policy; "*" = all
	Row        Row
}

// RetentionFloors lists the duties to keep data of a category at a place, the longest first. A place without a row has
// none: a floor without a source does not count.
func (t *Tables) RetentionFloors(p Place, category string) []Floor {
	var out []Floor
	for _, r := range t.rows {
		if r.Topic != floorTopic || !r.sourced() || !t.covers(r.Jurisdiction, p) {
			continue
		}
		for _, v := range r.values() {
			f, err := parseFloor(v)
			if err == nil && (slices.Contains(f.Categories, "*") || slices.Contains(f.Categories, category)) {
				f.Row = r
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Floor) int { return cmp.Compare(b.Min.least(), a.Min.least()) })
	return out
}

// ErasureNotice is how long before an erasure people must be told at a place, and the row that says so. It is the zero Span
// where no row says so.
func (t *Tables) ErasureNotice(p Place) (Span, Row) {
	for _, r := range t.rows {
		if r.Topic == noticeTopic && t.covers(r.Jurisdiction, p) {
			if s, err := ParseSpan(r.Value); err == nil {
				return s, r
			}
		}
	}
	return Span{}, Row{}
}

// parseFloor reads "365d weblog audit", or "365d *".
func parseFloor(text string) (Floor, error) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return Floor{}, fault.New(fault.Invalid, "%q is no floor. Write a time and the categories that it is for, or *.", text)
	}
	min, err := ParseSpan(words[0])
	return Floor{Min: min, Categories: words[1:]}, err
}
