package report

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/calls/device"
	"parley/platform/fault"
)

// Ask is a report as people and programs ask for it: the words of a query string, of flags, of a JSON body. The zero
// value asks for the last 30 days of everybody the asker may see.
type Ask struct {
	From     string         `json:"from,omitempty"`    // first day, such as 2026-03-02, in the organisation's zone
	To       string         `json:"to,omitempty"`      // the day after the last one
	Through  string         `json:"through,omitempty"` // the last day, in place of To
	Preset   string         `json:"preset,omitempty"`  // one of Presets, in place of days
	Team     account.TeamID `json:"team,omitempty"`
	Agent    string         `json:"agent,omitempty"` // a member's id
	Line     device.LineID  `json:"line,omitempty"`
	Types    []string       `json:"types,omitempty"`
	Outcomes []string       `json:"outcomes,omitempty"`
	Sources  []string       `json:"sources,omitempty"`
	// Number is a number as people write it, its key, or at least its last four digits.
	Number     string `json:"number,omitempty"`
	Tag        string `json:"tag,omitempty"`
	MinSeconds int    `json:"min_seconds,omitempty"`
	MaxSeconds int    `json:"max_seconds,omitempty"` // 0 = no bound
	HourFrom   int    `json:"hour_from,omitempty"`   // local hours [HourFrom, HourTo), over midnight when HourFrom is the later; both 0 = all day
	HourTo     int    `json:"hour_to,omitempty"`
	Excluded   bool   `json:"excluded,omitempty"` // numbers hidden from reports, too
	Compare    string `json:"compare,omitempty"`  // one of Comparisons
	By         string `json:"by,omitempty"`       // what a report about leads is grouped by
}

// texts are the fields that hold one word, by their name in a query.
func (a *Ask) texts() []struct {
	name string
	at   *string
} {
	return []struct {
		name string
		at   *string
	}{
		{"from", &a.From}, {"to", &a.To}, {"through", &a.Through}, {"preset", &a.Preset}, {"team", (*string)(&a.Team)}, {"agent", &a.Agent},
		{"line", (*string)(&a.Line)}, {"number", &a.Number}, {"tag", &a.Tag}, {"compare", &a.Compare}, {"by", &a.By},
	}
}

func (a *Ask) lists() []struct {
	name string
	at   *[]string
} {
	return []struct {
		name string
		at   *[]string
	}{{"type", &a.Types}, {"outcome", &a.Outcomes}, {"source", &a.Sources}}
}

func (a *Ask) ints() []struct {
	name string
	at   *int
} {
	return []struct {
		name string
		at   *int
	}{{"min_seconds", &a.MinSeconds}, {"max_seconds", &a.MaxSeconds}, {"hour_from", &a.HourFrom}, {"hour_to", &a.HourTo}}
}

// AskFromQuery reads an Ask from a query string. Lists (type, outcome, source) may be repeated or written with commas.
// What an Ask does not know is left alone: it belongs to the page. Errors name the query's field.
func AskFromQuery(v url.Values) (Ask, error) {
	var a Ask
	for _, f := range a.texts() {
		*f.at = strings.TrimSpace(v.Get(f.name))
	}
	for _, f := range a.lists() {
		*f.at = words(v[f.name])
	}
	var errs []error
	for _, f := range a.ints() {
		text := strings.TrimSpace(v.Get(f.name))
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			errs = append(errs, fault.Field(f.name, "%q is not a whole number. Write digits alone, for example 30.", text))
			continue
		}
		*f.at = n
	}
	switch text := strings.ToLower(strings.TrimSpace(v.Get("excluded"))); text {
	case "", "0", "false", "no", "off":
	case "1", "true", "yes", "on":
		a.Excluded = true
	default:
		errs = append(errs, fault.Field("excluded", "%q is neither yes nor no. Write 1 to count hidden numbers, or leave it out.", text))
	}
	return a, fault.Join(errs...)
}

// words splits lists at commas and drops empty and repeated ones.
func words(values []string) []string {
	var out []string
	for _, v := range values {
		for w := range strings.SplitSeq(v, ",") {
			if w = strings.ToLower(strings.TrimSpace(w)); w != "" && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// Query writes the Ask as AskFromQuery reads it; what was not asked for is left out.
func (a Ask) Query() url.Values {
	v := url.Values{}
	for _, f := range a.texts() {
		if *f.at != "" {
			v.Set(f.name, *f.at)
		}
	}
	for _, f := range a.lists() {
		for _, w := range *f.at {
			v.Add(f.name, w)
		}
	}
	for _, f := range a.ints() {
		if *f.at != 0 {
			v.Set(f.name, strconv.Itoa(*f.at))
		}
	}
	if a.Excluded {
		v.Set("excluded", "1")
	}
	return v
}

// WithoutRange is the Ask with its scope and filters alone.
func (a Ask) WithoutRange() Ask {
	a.From, a.To, a.Through, a.Preset, a.Compare = "", "", "", "", ""
	return a
}
