package followup

import (
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
)

// clockTime is the instant at which the clocks of a zone show some minutes after midnight of a day. A time that the clocks
// leave out when they go forward is taken by the clocks from before, so 2:30 becomes 3:30; of one that comes twice the first
// counts. RFC 5545, section 3.3.5, has it so.
func clockTime(day civil.Day, minute int, zone *time.Location) time.Time {
	y, m, d := day.Date()
	guess := time.Date(y, m, d, 0, minute, 0, 0, time.UTC)
	by := func(near time.Time) time.Time {
		_, offset := near.In(zone).Zone()
		return guess.Add(-time.Duration(offset) * time.Second)
	}
	before, after := by(guess.Add(-36*time.Hour)), by(guess.Add(36*time.Hour))
	shows := func(t time.Time) bool {
		in := t.In(zone)
		return civil.DayOf(t, zone) == day && in.Hour()*60+in.Minute() == minute
	}
	if !shows(before) && shows(after) {
		return after
	}
	return before
}

// minuteOf is what the clocks of a zone show, in minutes after midnight.
func minuteOf(t time.Time, zone *time.Location) int {
	in := t.In(zone)
	return in.Hour()*60 + in.Minute()
}

// opening is when working hours begin on a day, whether it is worked on or not.
func opening(org *account.Org, day civil.Day) time.Time {
	return clockTime(day, org.WorkFrom, org.Location())
}

// workday is the first working day after one; the day after where the organisation has none.
func workday(org *account.Org, after civil.Day) civil.Day {
	for day := after + 1; day <= after+7; day++ {
		if org.Workdays.Has(day.Weekday()) {
			return day
		}
	}
	return after + 1
}

// Preset is a usual way to put something off.
type Preset string

// The presets.
const (
	TenMinutes  Preset = "10m"
	OneHour     Preset = "1h"
	Tomorrow    Preset = "tomorrow" // when working hours begin, whatever day it is
	NextWorkday Preset = "workday"  // when working hours begin on the next working day
)

// After is the moment that a preset means.
func (p Preset) After(org *account.Org, now time.Time) (time.Time, error) {
	today := civil.DayOf(now, org.Location())
	switch p {
	case TenMinutes:
		return now.Add(10 * time.Minute), nil
	case OneHour:
		return now.Add(time.Hour), nil
	case Tomorrow:
		return opening(org, today+1), nil
	case NextWorkday:
		return opening(org, workday(org, today)), nil
	default:
		return time.Time{}, fault.Field("until", "%q is no time to put a follow-up off to. Choose 10m, 1h, tomorrow or workday, or give a time.", string(p))
	}
}
