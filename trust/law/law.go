// Package law is what the laws of places say about calls and data, as tables: who must consent to a recording, when people
// may be called, how soon they are answered, how long data must be kept, whom a breach is told to. Every row carries its
// source, the day it was checked and how sure it is; where nobody knows, the strictest value that the tables hold counts.
// None of it is legal advice.
package law

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"parley/platform/civil"
	"parley/platform/fault"
)

// Advice is the sentence that stands wherever a rule of the tables is shown.
const Advice = "This table is no legal advice. Each row names its source and the day it was checked; ask a lawyer before you rely on one."

// Confidence is how sure a row is.
type Confidence string

// The degrees.
const (
	Verified   Confidence = "verified"   // the text of the law says so: the reported value counts
	Secondary  Confidence = "secondary"  // somebody says that the law says so: the reported value counts
	Conflict   Confidence = "conflict"   // sources disagree: the strictest reported value counts
	Unverified Confidence = "unverified" // no source: the strictest value of the whole topic counts
	Relaxed    Confidence = "relaxed"    // an administrator decided, with a reason and a citation
)

// Topic is what a row is about.
type Topic string

// The topics that are reckoned with. Facts have topics of their own.
const (
	recordingTopic Topic = "recording"
	hoursTopic     Topic = "hours"
	requestTopic   Topic = "request"
	breachTopic    Topic = "breach"
	floorTopic     Topic = "floor"
	noticeTopic    Topic = "notice"
)

// Row is one row of a table.
type Row struct {
	Jurisdiction string // "US-CA", "IN", "EEA", or "*" for any other place
	Topic        Topic
	Value        string // as reported; different reports with " | " between
	Conditions   string
	Source       string // short names, as Sources explains them
	SourceKind   string // statute, regulator or secondary
	CheckedOn    civil.Day
	Confidence   Confidence
	NotBefore    civil.Day // the day it starts; 0 = it counts already

	hours *schedule // the strictest reported value, of a row about hours
}

// String cites the row: where it comes from, how sure it is, when it was checked.
func (r Row) String() string {
	source := r.Source
	if source == "" {
		source = "no source"
	}
	return r.Jurisdiction + ": " + r.Value + " (" + source + "; " + string(r.Confidence) + "; checked on " + r.CheckedOn.String() + "). No legal advice."
}

// values are the reported values; usually one.
func (r *Row) values() []string { return strings.Split(r.Value, " | ") }

// sourced tells whether the row's value counts towards the strictest of its topic.
func (r *Row) sourced() bool { return r.Confidence != Unverified && r.Confidence != Relaxed }

// Place is where a person is, or an organisation. The zero Place is one that nobody knows.
type Place struct {
	Country string // ISO 3166-1, "US"
	Region  string // ISO 3166-2 without the country, "CA"; "" = not known, or it has no law of its own
	Zone    string // time zone, such as Asia/Kolkata; "" = any that the place has
}

// ParsePlace reads a place as "US-CA", "IN", or "" for one that nobody knows.
func ParsePlace(text string) (Place, error) {
	country, region, _ := strings.Cut(text, "-")
	p := Place{Country: country, Region: region}
	if text != "" && (!isCode(country, 2) || region != "" && !isCode(region, 3) || text != p.String()) {
		return Place{}, fault.New(fault.Invalid, "%q is no place. Write the country's code of two letters, and the state's after a hyphen where it has laws of its own, such as IN or US-CA.", text)
	}
	return p, nil
}

func isCode(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// String is the form that ParsePlace reads.
func (p Place) String() string {
	if p.Region == "" {
		return p.Country
	}
	return p.Country + "-" + p.Region
}

// name is the place for a sentence.
func (p Place) name() string { return cmp.Or(p.String(), "an unknown place") }

// Tables are the law tables. They do not change.
type Tables struct {
	rows    []Row
	groups  map[string][]string // EU → its countries
	zones   map[string][]string // US-TX → its time zones
	sources map[string]string
	relaxed []Row

	locations *sync.Map // time zones by name, as they are needed
}

// Rows lists the rows of the tables, with those that an administrator relaxed.
func (t *Tables) Rows() []Row { return append(slices.Clone(t.relaxed), t.rows...) }

// Sources explains the short names of a row's sources.
func (t *Tables) Sources(r Row) []string {
	var out []string
	for _, name := range names(r.Source) {
		out = append(out, cmp.Or(t.sources[name], name))
	}
	return out
}

// Facts lists what else the tables say about a place, for topics that begin with the given text, such as "preference".
func (t *Tables) Facts(p Place, topic string) []Row {
	var out []Row
	for _, r := range t.rows {
		if t.covers(r.Jurisdiction, p) && strings.HasPrefix(string(r.Topic), topic) {
			out = append(out, r)
		}
	}
	return out
}

// covers tells whether a jurisdiction is the place itself, its country or a group that its country belongs to.
func (t *Tables) covers(jurisdiction string, p Place) bool {
	return p.Country != "" && (jurisdiction == p.String() || jurisdiction == p.Country || slices.Contains(t.groups[jurisdiction], p.Country))
}

// Within tells whether a country, or a group of countries, is one of several places or lies in one.
func (t *Tables) Within(country string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool { return place == country || t.covers(place, Place{Country: country}) })
}

// settle finds the rows that decide a topic at a place on a day: its region's and its country's together, else its groups'.
// complete is false where they do not settle it, so that the strictest value of the topic counts, too: the place is
// unknown, it has no row, or its country leaves the matter to regions and this one has no row.
func (t *Tables) settle(topic Topic, p Place, day civil.Day) (rows []Row, complete bool) {
	if p.Country == "" {
		return nil, false
	}
	if r := t.find(t.relaxed, topic, p.String(), day); len(r) > 0 {
		return r, true
	}
	rows = t.find(t.rows, topic, p.Country, day)
	if t.regional(topic, p.Country) {
		var own []Row
		if p.Region != "" {
			own = t.find(t.rows, topic, p.String(), day)
		}
		return append(own, rows...), len(own) > 0
	}
	if len(rows) > 0 {
		return rows, true
	}
	for group, countries := range t.groups {
		if slices.Contains(countries, p.Country) {
			rows = append(rows, t.find(t.rows, topic, group, day)...)
		}
	}
	return rows, len(rows) > 0
}

func (t *Tables) find(in []Row, topic Topic, jurisdiction string, day civil.Day) []Row {
	var out []Row
	for _, r := range in {
		if r.Topic == topic && r.Jurisdiction == jurisdiction && r.NotBefore <= day {
			out = append(out, r)
		}
	}
	return out
}

// regional tells whether a country's regions have rows of their own on a topic.
func (t *Tables) regional(topic Topic, country string) bool {
	return slices.ContainsFunc(t.rows, func(r Row) bool {
		return r.Topic == topic && strings.HasPrefix(r.Jurisdiction, country+"-")
	})
}

// sourced lists the rows of a topic with a source, which the strictest value is reckoned from. Rows that begin later count,
// too: what will be the strictest is a safe choice today.
func (t *Tables) sourced(topic Topic) []Row {
	var out []Row
	for _, r := range t.rows {
		if r.Topic == topic && r.sourced() {
			out = append(out, r)
		}
	}
	return out
}

// names splits a list with ", " between.
func names(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}
