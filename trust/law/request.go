package law

import (
	"strings"

	"parley/platform/civil"
	"parley/platform/fault"
)

// Clocks is how soon a law wants people answered. What it does not set is the zero Span.
type Clocks struct {
	Answer    Span // the full answer
	Extension Span // how much longer, when the person is told in time; the zero Span: never
	Confirm   Span // that the request came in
	Complaint Span // that a complaint came in
	Grievance Span // the answer to a complaint
	OptOut    Span // no more sale, sharing or contact
	Signal    Span // the same, for the browser's signal
	Pause     bool // the clock stops while the person is asked what they mean
	Rows      []Row
	Guessed   bool // the strictest of all laws counts, since none is known here
}

// RequestClocks are the clocks of a request from a person at a place, or at any of several: the shortest of each. A person
// whose place is unknown, or has no law in the tables, gets the shortest of all laws. day is when the request came.
func (t *Tables) RequestClocks(day civil.Day, places ...Place) Clocks {
	var out Clocks
	if len(places) == 0 {
		places = []Place{{}}
	}
	for i, p := range places {
		c := t.clocksAt(day, p)
		if i == 0 {
			out = c
			continue
		}
		out = out.stricter(c)
		out.Rows, out.Guessed = append(out.Rows, c.Rows...), out.Guessed || c.Guessed
	}
	return out
}

// clocksAt puts a place's rows together; each sets clocks of its own.
func (t *Tables) clocksAt(day civil.Day, p Place) Clocks {
	rows, complete := t.settle(requestTopic, p, day)
	if !complete {
		c := t.strictestClocks()
		c.Rows, c.Guessed = rows, true
		return c
	}
	var out Clocks
	for i, r := range rows {
		c := reportedClocks(r)
		if r.Confidence == Unverified {
			c, out.Guessed = t.strictestClocks(), true
		}
		guessed := out.Guessed
		if i == 0 {
			out = c
		} else {
			out = out.join(c)
		}
		out.Guessed = guessed
	}
	out.Rows = rows
	return out
}

// join adds the clocks of another row of the same law. More time belongs to the row that sets the answer.
func (c Clocks) join(o Clocks) Clocks {
	j := c.stricter(o)
	switch {
	case !o.Answer.Set():
		j.Extension, j.Pause = c.Extension, c.Pause
	case !c.Answer.Set():
		j.Extension, j.Pause = o.Extension, o.Pause
	}
	return j
}

// stricter takes the shorter of each clock. A relief, such as more time, counts only where both have it.
func (c Clocks) stricter(o Clocks) Clocks {
	c.Answer, c.Confirm, c.Complaint = shorter(c.Answer, o.Answer), shorter(c.Confirm, o.Confirm), shorter(c.Complaint, o.Complaint)
	c.Grievance, c.OptOut, c.Signal = shorter(c.Grievance, o.Grievance), shorter(c.OptOut, o.OptOut), shorter(c.Signal, o.Signal)
	if !c.Extension.Set() || !o.Extension.Set() {
		c.Extension = Span{}
	} else {
		c.Extension = shorter(c.Extension, o.Extension)
	}
	c.Pause = c.Pause && o.Pause
	return c
}

func (t *Tables) strictestClocks() Clocks {
	var out Clocks
	for _, r := range t.sourced(requestTopic) {
		out = out.stricter(reportedClocks(r))
	}
	return out
}

func reportedClocks(r Row) Clocks {
	var out Clocks
	for i, v := range r.values() {
		c, err := parseClocks(v)
		if err != nil { // read has refused it
			continue
		}
		if i == 0 {
			out = c
		} else {
			out = out.stricter(c)
		}
	}
	return out
}

// parseClocks reads "answer 45d; extend 45d; confirm 10bd; complaint 30d; grievance 90d; optout 15bd; signal 0d; pause".
func parseClocks(text string) (Clocks, error) {
	var c Clocks
	at := map[string]*Span{"answer": &c.Answer, "extend": &c.Extension, "confirm": &c.Confirm, "complaint": &c.Complaint,
		"grievance": &c.Grievance, "optout": &c.OptOut, "signal": &c.Signal}
	for part := range strings.SplitSeq(text, "; ") {
		if part == "pause" {
			c.Pause = true
			continue
		}
		name, span, ok := strings.Cut(part, " ")
		to := at[name]
		if !ok || to == nil {
			return c, fault.New(fault.Invalid, "%q is no clock. Write answer, extend, confirm, complaint, grievance, optout or signal and a time, or pause.", part)
		}
		var err error
		if *to, err = ParseSpan(span); err != nil {
			return c, err
		}
	}
	return c, nil
}
