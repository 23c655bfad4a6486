package law

import (
	"strings"

	"parley/platform/civil"
	"parley/platform/fault"
)

// Consent is how many of the parties must agree to a recording.
type Consent string

// The rules.
const (
	One Consent = "one" // one party may record
	All Consent = "all" // every party must consent
)

// Rule is what a recording needs.
type Rule struct {
	Consent Consent
	Notice  bool  // everybody is told before the first byte of audio
	Rows    []Row // what it comes from; a place without a row gives none
	Guessed bool  // at least one place has no sourced rule of its own, so the strictest one counts
}

// stricter is both rules together.
func (r Rule) stricter(o Rule) Rule {
	if o.Consent == All {
		r.Consent = All
	}
	r.Notice = r.Notice || o.Notice
	return r
}

// Recording is the rule for a call between people at places: the stricter of all. Without a place nothing is known, and
// the strictest rule counts. day is when the call is.
func (t *Tables) Recording(day civil.Day, places ...Place) Rule {
	out := Rule{Consent: One}
	if len(places) == 0 {
		places = []Place{{}}
	}
	for _, p := range places {
		rows, complete := t.settle(recordingTopic, p, day)
		for _, r := range rows {
			out = out.stricter(t.rule(r))
			out.Guessed = out.Guessed || r.Confidence == Unverified
		}
		if !complete {
			out = out.stricter(t.strictestRule())
			out.Guessed = true
		}
		out.Rows = append(out.Rows, rows...)
	}
	return out
}

// rule is what a row makes the engine do.
func (t *Tables) rule(r Row) Rule {
	if r.Confidence == Unverified {
		return t.strictestRule()
	}
	return reportedRule(r)
}

// reportedRule is the strictest of a row's reported values.
func reportedRule(r Row) Rule {
	out := Rule{Consent: One}
	for _, v := range r.values() {
		if one, err := parseRule(v); err == nil { // read has refused any other
			out = out.stricter(one)
		}
	}
	return out
}

func (t *Tables) strictestRule() Rule {
	out := Rule{Consent: One}
	for _, r := range t.sourced(recordingTopic) {
		out = out.stricter(reportedRule(r))
	}
	return out
}

// parseRule reads one, all, one+notice or all+notice.
func parseRule(text string) (Rule, error) {
	consent, notice := strings.CutSuffix(text, "+notice")
	r := Rule{Consent: Consent(consent), Notice: notice}
	if r.Consent != One && r.Consent != All {
		return r, fault.New(fault.Invalid, "%q is no rule for recordings. Write one or all, and +notice where everybody must be told.", text)
	}
	return r, nil
}
