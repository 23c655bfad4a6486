package retain

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/trust/policy"
)

// Address is the part of a category that is masked and not removed: network addresses.
const Address = "address"

// Rule says how long something is kept.
type Rule struct {
	Category string
	Part     string
	From     policy.Event  // what Max counts from
	Max      policy.Period // then it is archived, or erased where there is no archive
	Archive  policy.Period // counts from the day of archiving; none: erased at once
	Notice   policy.Period // how long before members are told
	Review   policy.Period // how often the archive is reviewed
	Floors   []Floor       // duties to keep that are in force
	Unused   bool          // no purpose of the document needs it any more: all of it goes
	Reserved string        // the keeper's name, for a rule of the program's own
}

// Floor is a duty to keep.
type Floor struct {
	Place string // whose law
	Min   policy.Period
	Cite  string
}

// cut is what the rule lets go at a time.
func (r Rule) cut(at time.Time) Cut {
	if r.Unused {
		return Cut{From: r.From, Before: at}
	}
	return Cut{From: r.From, Before: r.Max.Before(at)}
}

// floor tells until when a law keeps what had its event at a time. The longest counts.
func (r Rule) floor(event time.Time) (f Floor, until time.Time) {
	for _, x := range r.Floors {
		if end := x.Min.After(event, nil); end.After(until) {
			f, until = x, end
		}
	}
	return f, until
}

// Of gives the rules of a policy document that are in force on a day.
func Of(d *policy.Document, day time.Time) []Rule {
	var out []Rule
	for key, c := range d.Categories {
		r := Rule{
			Category: key, From: c.Retention.From, Max: c.Retention.Max, Archive: c.Retention.Archive, Notice: d.Deadlines.EraseNotice,
			Review: d.Deadlines.ReviewArchive, Unused: len(d.Live(key)) == 0, Floors: floors(d, c, day),
		}
		out = append(out, r)
		if c.Retention.Ceiling.Said() {
			r.From, r.Max, r.Archive = policy.Created, c.Retention.Ceiling, policy.Period{}
			out = append(out, r)
		}
		if key == webLog {
			out = append(out, Rule{Category: key, Part: Address, From: policy.Created, Max: d.Deadlines.MaskWebLog})
		}
	}
	slices.SortFunc(out, func(a, b Rule) int {
		return compare(a.Category+"\x00"+a.Part+"\x00"+string(a.From), b.Category+"\x00"+b.Part+"\x00"+string(b.From))
	})
	return out
}

// webLog is the category that network addresses belong to.
const webLog = "weblog"

func floors(d *policy.Document, c *policy.Category, day time.Time) []Floor {
	var out []Floor
	for place, f := range c.Retention.Floor {
		if f.Cite == "" || !slices.Contains(d.Laws, place) || f.NotBefore.After(day) {
			continue
		}
		out = append(out, Floor{Place: place, Min: f.Min, Cite: f.Cite})
	}
	slices.SortFunc(out, func(a, b Floor) int { return compare(a.Place, b.Place) })
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// duty is one rule with one keeper that carries it out.
type duty struct {
	rule   Rule
	keeper *Keeper
}

// duties pairs rules and keepers of an organisation. A keeper that no rule speaks of follows its own.
func (s *Sweeper) duties(ctx context.Context, org account.OrgID) ([]duty, []Rule, error) {
	rules, err := s.d.Rules(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	var out []duty
	for i := range s.d.Keepers {
		k := &s.d.Keepers[i]
		for _, r := range rules {
			if r.Category == k.Category && r.Part == k.Part && slices.Contains(k.Events, r.From) {
				out = append(out, duty{rule: k.soften(r), keeper: k})
			}
		}
		if k.Own != nil {
			own := *k.Own
			own.Category, own.Part, own.Reserved = k.Category, k.Part, k.Name
			out = append(out, duty{rule: own, keeper: k})
		}
	}
	return out, rules, nil
}

// soften is the rule as a keeper can carry it out.
func (k *Keeper) soften(r Rule) Rule {
	if k.Routine {
		r.Notice = policy.Period{}
	}
	if k.Bundle == nil {
		r.Archive = policy.Period{}
	}
	return r
}
