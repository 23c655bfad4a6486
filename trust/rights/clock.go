package rights

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/trust/law"
	"parley/trust/policy"
)

// ClockOf reckons the time for an answer: the law of the person's place (the strictest of all where it is unknown) and what
// the organisation promises in its policy, whichever is shorter.
func ClockOf(t *law.Tables, d *policy.Document, org *account.Org, q Question) (Clock, error) {
	place, err := law.ParsePlace(q.Place)
	if err != nil {
		return Clock{}, fault.Field("place", "%q is no place. Write a country such as IN, or a state such as US-CA.", q.Place)
	}
	calendar := law.NewCalendar(org.Country, org.Workdays, org.Location())
	lawful := t.RequestClocks(civil.DayOf(q.Received, org.Location()), place)
	answer := lawful.Answer
	switch {
	case q.Kind == Complaint && lawful.Grievance.Set():
		answer = lawful.Grievance
	case (q.Kind == Objection || q.Kind == Withdrawal) && lawful.OptOut.Set():
		answer = lawful.OptOut
	}
	c := Clock{Law: lawName(lawful)}
	if answer.Set() {
		c.Due = answer.Due(q.Received, calendar)
		if lawful.Extension.Set() {
			c.Extend = lawful.Extension.Due(c.Due.Add(-time.Second), calendar)
		}
	}
	if lawful.Confirm.Set() {
		c.Confirm = lawful.Confirm.Due(q.Received, calendar)
	}
	own, err := promised(d.Deadlines, q).due(q.Received, calendar)
	if err != nil {
		return Clock{}, err
	}
	if !own.IsZero() && (c.Due.IsZero() || own.Before(c.Due)) {
		c.Law, c.Due = "policy", own
	}
	if c.Due.IsZero() {
		return Clock{}, fault.New(fault.Internal, "Neither a law nor the policy says when a request of the kind %s is to be answered.", q.Kind)
	}
	return c, nil
}

// lawName cites the rows that set the clocks.
func lawName(c law.Clocks) string {
	if c.Guessed || len(c.Rows) == 0 {
		return "strictest"
	}
	return c.Rows[0].Jurisdiction + ": " + c.Rows[0].Conditions
}

// period is a period of the policy.
type period policy.Period

// promised is the shortest time that the policy promises for a request.
func promised(d policy.Deadlines, q Question) period {
	switch {
	case q.Kind == Complaint:
		return period(d.Grievance)
	case q.Kind == Erasure && q.Minor:
		return period(d.EraseMinor)
	case q.Kind == Erasure:
		return period(d.EraseLive)
	default:
		return period(d.Answer)
	}
}

func (p period) due(from time.Time, calendar *law.Calendar) (time.Time, error) {
	if !policy.Period(p).Said() {
		return time.Time{}, nil
	}
	span, err := law.ParseSpan(policy.Period(p).String())
	if err != nil {
		return time.Time{}, err
	}
	return span.Due(from, calendar), nil
}

// PolicyOf takes from a policy what requests need of it.
func PolicyOf(v *policy.Version) (Policy, error) {
	d := v.Document
	out := Policy{Version: v.Number, Hash: v.Hash}
	for key := range d.Recipients {
		out.Recipients = append(out.Recipients, key)
	}
	out.Objectable = Objectable(d)
	for _, key := range out.Objectable {
		if d.Purposes[key].Basis == policy.Consent {
			out.Consented = append(out.Consented, key)
		}
	}
	slices.Sort(out.Recipients)
	var err error
	out.Facts, err = json.Marshal(factsOf(d))
	return out, err
}

// Objectable lists the purposes of a policy that a person may object to, or take their consent back for.
func Objectable(d *policy.Document) []string {
	var out []string
	for key, p := range d.Purposes {
		if p.Basis == policy.Consent || p.Basis == policy.LegitimateInterest && key != "security" {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// fact is what a policy says of one category, for whoever asked for access.
type fact struct {
	Category   string            `json:"category"`
	Title      policy.Text       `json:"title"`
	Purposes   map[string]string `json:"purposes"` // key: legal basis
	Kept       string            `json:"kept"`     // period and the event it counts from
	Source     policy.Text       `json:"source,omitempty"`
	Recipients []string          `json:"recipients,omitempty"`
}

func factsOf(d *policy.Document) any {
	var facts []fact
	for key, c := range d.Categories {
		f := fact{Category: key, Title: c.Title, Purposes: map[string]string{}, Source: c.Source}
		for _, p := range c.Purposes {
			if of := d.Purpose(p); of != nil {
				f.Purposes[p] = string(cmp.Or(of.Basis, "none"))
			}
		}
		if c.Retention.Max.Said() {
			f.Kept = c.Retention.Max.String() + " from " + string(c.Retention.From)
		}
		for _, r := range c.Recipients {
			if of := d.Recipient(r); of != nil {
				f.Recipients = append(f.Recipients, of.LegalName+" ("+of.Country+")")
			}
		}
		facts = append(facts, f)
	}
	slices.SortFunc(facts, func(a, b fact) int { return cmp.Compare(a.Category, b.Category) })
	return struct {
		Controller policy.Controller `json:"controller"`
		Categories []fact            `json:"categories"`
	}{d.Controller, facts}
}

// FloorOf tells until when the laws of the policy that are in force now demand that data of a category is kept.
func FloorOf(d *policy.Document, category string, newest, now time.Time) (Lock, bool) {
	f, ok := d.Floor(category, now)
	if !ok {
		return Lock{}, false
	}
	return Lock{Category: category, Until: f.Min.After(newest, nil), Law: f.Cite}, true
}
