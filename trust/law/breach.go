package law

import (
	"cmp"
	"slices"
	"strings"

	"parley/platform/civil"
	"parley/platform/fault"
)

// Whom is what sort of reader a notice of a breach has.
type Whom string

// The readers.
const (
	Authority Whom = "authority" // first notice to an authority
	Report    Whom = "report"    // full report to an authority
	People    Whom = "people"    // the people concerned
)

// BreachClock is one duty to tell of a breach.
type BreachClock struct {
	Whom    Whom
	Name    string // "CERT-In", "people at high risk"
	Within  Span   // from when the breach was noticed
	Place   string // whose law it is, "" for the strictest of all
	Row     Row    // zero for the strictest of all
	Guessed bool   // the place's own law is not known
}

// BreachClocks lists every duty of the laws of the places where people concerned live, the most urgent first. Each law's
// own clocks stand in it: a shorter one of another place ends none. Where a law is not known, the shortest clocks of all
// laws stand for it. day is when the breach was noticed.
func (t *Tables) BreachClocks(day civil.Day, places ...Place) []BreachClock {
	var out []BreachClock
	if len(places) == 0 {
		places = []Place{{}}
	}
	add := func(c BreachClock) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for _, p := range places {
		rows, complete := t.settle(breachTopic, p, day)
		for _, r := range rows {
			if r.Confidence == Unverified {
				complete = false
				continue
			}
			for _, v := range r.values() {
				clocks, err := parseNotices(v)
				if err != nil { // read has refused it
					continue
				}
				for _, c := range clocks {
					c.Place, c.Row = r.Jurisdiction, r
					add(c)
				}
			}
		}
		if !complete {
			for _, c := range t.strictestNotices() {
				c.Guessed, c.Place = true, p.String()
				add(c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b BreachClock) int { return cmp.Compare(a.Within.least(), b.Within.least()) })
	return out
}

// strictestNotices are the shortest sourced times for an authority, and for people. A report belongs to one authority alone.
func (t *Tables) strictestNotices() []BreachClock {
	authority, people := BreachClock{Whom: Authority, Name: "the authority"}, BreachClock{Whom: People, Name: "every affected person"}
	for _, r := range t.sourced(breachTopic) {
		for _, v := range r.values() {
			clocks, err := parseNotices(v)
			if err != nil {
				continue
			}
			for _, c := range clocks {
				switch {
				case c.Whom == Authority && c.Within.N > 0: // "without delay" is no number of hours to set an alarm to
					authority.Within = shorter(authority.Within, c.Within)
				case c.Whom == People:
					people.Within = shorter(people.Within, c.Within)
				}
			}
		}
	}
	return []BreachClock{people, authority}
}

// parseNotices reads "authority 72h the data protection authority; people soon everybody at high risk"; "?" is none.
func parseNotices(text string) ([]BreachClock, error) {
	if text == "?" {
		return nil, nil
	}
	var out []BreachClock
	for part := range strings.SplitSeq(text, "; ") {
		words := strings.SplitN(part, " ", 3)
		if len(words) < 3 || !slices.Contains([]Whom{Authority, Report, People}, Whom(words[0])) {
			return nil, fault.New(fault.Invalid, "%q is no duty to tell. Write authority, report or people, a time and who that is.", part)
		}
		within, err := ParseSpan(words[1])
		if err != nil {
			return nil, err
		}
		out = append(out, BreachClock{Whom: Whom(words[0]), Name: words[2], Within: within})
	}
	return out, nil
}
