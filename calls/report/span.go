package report

import (
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
)

// defaultDays is how many days a report covers when nothing was said.
const defaultDays = 30

// preset is a range with a name. All but those that lie in the past end with today.
type preset struct {
	word   string
	days   func(today civil.Day) (from, to civil.Day)
	before func(from, to civil.Day) (civil.Day, civil.Day) // the range it is compared with
}

func presets() []preset {
	rolling := func(n civil.Day) func(civil.Day) (civil.Day, civil.Day) {
		return func(today civil.Day) (civil.Day, civil.Day) { return today + 1 - n, today + 1 }
	}
	return []preset{
		{"today", rolling(1), justBefore},
		{"yesterday", func(today civil.Day) (civil.Day, civil.Day) { return today - 1, today }, justBefore},
		{"last_7_days", rolling(7), justBefore},
		{"last_30_days", rolling(30), justBefore},
		{"this_week", func(today civil.Day) (civil.Day, civil.Day) { return monday(today), today + 1 }, weekBefore},
		{"last_week", func(today civil.Day) (civil.Day, civil.Day) { return monday(today) - 7, monday(today) }, weekBefore},
		{"this_month", func(today civil.Day) (civil.Day, civil.Day) { return firstOfMonth(today), today + 1 }, monthBefore},
		{"last_month", func(today civil.Day) (civil.Day, civil.Day) {
			return firstOfMonth(firstOfMonth(today) - 1), firstOfMonth(today)
		}, monthBefore},
	}
}

// Presets lists the words for ranges. Weeks begin on Monday.
func Presets() []string {
	var out []string
	for _, p := range presets() {
		out = append(out, p.word)
	}
	return out
}

func findPreset(word string) (preset, bool) {
	for _, p := range presets() {
		if p.word == word {
			return p, true
		}
	}
	return preset{}, false
}

func monday(d civil.Day) civil.Day { return d - civil.Day(d.Weekday()+6)%7 }

func firstOfMonth(d civil.Day) civil.Day {
	y, m, _ := d.Date()
	return civil.Date(y, m, 1)
}

func justBefore(from, to civil.Day) (civil.Day, civil.Day) { return from - (to - from), from }

func weekBefore(from, to civil.Day) (civil.Day, civil.Day) { return from - 7, to - 7 }

// monthBefore is as many days of the month before, and at most all of them.
func monthBefore(from, to civil.Day) (civil.Day, civil.Day) {
	first := firstOfMonth(from - 1)
	if to == firstOfMonth(to) { // a whole month goes with a whole month
		return first, from
	}
	return first, min(first+(to-from), from)
}

// yearBefore moves a range back by a year; 29 February becomes the 28th.
func yearBefore(from, to civil.Day) (civil.Day, civil.Day) {
	back := func(d civil.Day) civil.Day {
		y, m, day := d.Date()
		if m == time.February && day == 29 {
			day = 28
		}
		return civil.Date(y-1, m, day)
	}
	return back(from), back(to-1) + 1
}

// span settles the days of an Ask: [from, to).
func (a *Ask) span(today civil.Day) (from, to civil.Day, err error) {
	if a.Preset != "" {
		if a.From != "" || a.To != "" || a.Through != "" {
			return 0, 0, fault.Field("preset", "Choose either a range by name (%s) or days of your own, not both.", a.Preset)
		}
		p, ok := findPreset(a.Preset)
		if !ok {
			return 0, 0, fault.Field("preset", "There is no range called %q. The names are %s.", a.Preset, list(Presets()))
		}
		from, to = p.days(today)
		return from, to, nil
	}
	return a.days(today)
}

func (a *Ask) days(today civil.Day) (from, to civil.Day, err error) {
	from, to = today+1-defaultDays, today+1
	if a.To != "" && a.Through != "" {
		return 0, 0, fault.Field("through", "Give the end of the range once: either to, the day after the last, or through, the last day.")
	}
	if a.From == "" && (a.To != "" || a.Through != "") {
		return 0, 0, fault.Field("from", "The range has an end and no beginning. Give its first day, for example 2026-03-02.")
	}
	var errs [3]error
	if a.From != "" {
		from, errs[0] = parseDay("from", a.From)
	}
	if a.To != "" {
		to, errs[1] = parseDay("to", a.To)
	}
	if a.Through != "" {
		to, errs[2] = parseDay("through", a.Through)
		to++
	}
	if err := fault.Join(errs[:]...); err != nil {
		return 0, 0, err
	}
	return from, to, checkSpan(a, from, to)
}

// maxDays bounds a range: 54 years.
const maxDays = 20_000

func checkSpan(a *Ask, from, to civil.Day) error {
	switch {
	case to > from && to-from <= maxDays:
		return nil
	case to > from:
		return fault.Field("from", "The range has %d days; at most %d fit. Choose a later start.", to-from, maxDays)
	case a.Through != "":
		return fault.Field("through", "The range ends on %s, before its first day %s. Choose a later end.", to-1, from)
	case a.To != "":
		return fault.Field("to", "The range ends before %s, which leaves no day from %s on. Choose a later end; that day is not part of the range itself.", to, from)
	default:
		return fault.Field("from", "The range begins on %s, which has not come yet. Choose an earlier day, or give an end.", from)
	}
}

func parseDay(field, text string) (civil.Day, error) {
	d, err := civil.Parse(text)
	if err != nil {
		return 0, fault.Field(field, "%s", fault.Sentence(err))
	}
	return d, nil
}
