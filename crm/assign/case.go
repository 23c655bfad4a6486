package assign

import (
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
)

// Case is a lead that somebody is to get, as far as rules look at it.
type Case struct {
	Contact  contact.ID         // "" = new
	Owner    account.MemberID   // who looks after the contact; "" = nobody
	Numbers  []number.ID        // the contact's; those that are not in the book are left out
	Country  string             // ISO 3166 alpha-2
	State    string             // as written
	Postcode string             // as written
	Language string             // BCP 47
	Source   string             // as written
	Campaign string             // as written
	Tags     []string           // in any case
	Team     account.TeamID     // that it was given to already; "" = none
	Pipeline string             // key; "" = the organisation's first
	Line     call.LineNo        // of the call that made it; 0 = none
	Not      []account.MemberID // who is not to get it
	Since    time.Time          // since when it waits; zero = it is new
}

// Territory is a part of the world. What is empty is not looked at.
type Territory struct {
	Country  string `json:"country,omitempty"`  // ISO 3166 alpha-2
	State    string `json:"state,omitempty"`    // as written, in any case
	Postcode string `json:"postcode,omitempty"` // its beginning
}

// has tells whether a case lies in the territory.
func (t Territory) has(c *Case) bool {
	return (t.Country == "" || strings.EqualFold(t.Country, c.Country)) && (t.State == "" || strings.EqualFold(t.State, c.State)) &&
		(t.Postcode == "" || strings.HasPrefix(c.Postcode, t.Postcode))
}

// postcode is a postcode as it is compared: capitals and digits alone.
func postcode(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToUpper(s))
}

func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

// tongue is the language that a BCP 47 tag is of, without region and script.
func tongue(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	tag, _, _ = strings.Cut(tag, "_")
	return strings.TrimSpace(tag)
}

// When says which cases a rule is for: those that fit each list that is not empty.
type When struct {
	Sources     []string         `json:"sources,omitempty"`
	Words       []string         `json:"words,omitempty"` // in the campaign or the source
	Countries   []string         `json:"countries,omitempty"`
	Territories []Territory      `json:"territories,omitempty"`
	Languages   []string         `json:"languages,omitempty"`
	Tags        []string         `json:"tags,omitempty"`
	Pipelines   []string         `json:"pipelines,omitempty"`
	Lines       []call.LineNo    `json:"lines,omitempty"`
	Teams       []account.TeamID `json:"teams,omitempty"`
	Hours       Hours            `json:"hours,omitempty"`
}

// Hours says at what time a rule is for a case.
type Hours string

// The times.
const (
	AnyTime Hours = ""
	Within  Hours = "within"  // the organisation's working hours
	Outside Hours = "outside" // of them
)

// Miss is the condition that a case did not fit; "" = it fits.
type Miss string

// The conditions.
const (
	MissSource    Miss = "source"
	MissWord      Miss = "word"
	MissCountry   Miss = "country"
	MissTerritory Miss = "territory"
	MissLanguage  Miss = "language"
	MissTag       Miss = "tag"
	MissPipeline  Miss = "pipeline"
	MissLine      Miss = "line"
	MissTeam      Miss = "team"
	MissHours     Miss = "hours"
	MissOff       Miss = "off" // the rule is switched off
)

// misses is the first condition that a case, which was tidied, does not fit; open tells whether the organisation works now.
func (w *When) misses(c *Case, first string, open func() bool) Miss {
	pipeline := c.Pipeline
	if pipeline == "" {
		pipeline = first
	}
	text := strings.ToLower(c.Campaign + "\n" + c.Source)
	switch {
	case len(w.Sources) > 0 && !has(w.Sources, c.Source):
		return MissSource
	case len(w.Words) > 0 && !slices.ContainsFunc(w.Words, func(x string) bool { return strings.Contains(text, strings.ToLower(x)) }):
		return MissWord
	case len(w.Countries) > 0 && !has(w.Countries, c.Country):
		return MissCountry
	case len(w.Territories) > 0 && !slices.ContainsFunc(w.Territories, func(t Territory) bool { return t.has(c) }):
		return MissTerritory
	case len(w.Languages) > 0 && !has(w.Languages, c.Language):
		return MissLanguage
	case len(w.Tags) > 0 && !slices.ContainsFunc(c.Tags, func(t string) bool { return has(w.Tags, t) }):
		return MissTag
	case len(w.Pipelines) > 0 && !slices.Contains(w.Pipelines, pipeline):
		return MissPipeline
	case len(w.Lines) > 0 && !slices.Contains(w.Lines, c.Line):
		return MissLine
	case len(w.Teams) > 0 && !slices.Contains(w.Teams, c.Team):
		return MissTeam
	case w.Hours != AnyTime && open() != (w.Hours == Within):
		return MissHours
	default:
		return ""
	}
}

func has(all []string, one string) bool {
	return slices.ContainsFunc(all, func(x string) bool { return strings.EqualFold(x, one) })
}
