package assign

import (
	"slices"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/trust/law"
)

// everyDay is the week of somebody who never rests: a calendar over it shows holidays alone.
const everyDay account.Weekdays = 0b1111111

// clock is when an organisation works: its working days and hours, without the days on which it is closed.
type clock struct {
	org      *account.Org
	zone     *time.Location
	closed   []civil.Day // ascending
	holidays *law.Calendar
	known    map[civil.Day]bool // whether a day is worked on
}

func newClock(org *account.Org, s *Settings) *clock {
	c := &clock{org: org, zone: org.Location(), known: map[civil.Day]bool{}}
	for _, d := range s.Closed {
		c.closed = append(c.closed, d.Day)
	}
	slices.Sort(c.closed)
	if s.Holidays {
		c.holidays = law.NewCalendar(org.Country, everyDay, c.zone)
	}
	return c
}

// works tells whether a day is worked on.
func (c *clock) works(day civil.Day) bool {
	if !c.org.Workdays.Has(day.Weekday()) {
		return false
	}
	worked, known := c.known[day]
	if !known {
		_, closed := slices.BinarySearch(c.closed, day)
		worked = !closed && (c.holidays == nil || c.holidays.IsBusiness(day))
		c.known[day] = worked
	}
	return worked
}

// hours are the working hours of a day.
func (c *clock) hours(day civil.Day) (opens, closes time.Time) {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, c.org.WorkFrom, 0, 0, c.zone), time.Date(y, m, d, 0, c.org.WorkTo, 0, 0, c.zone)
}

// open tells whether the organisation works at an instant.
func (c *clock) open(at time.Time) bool {
	day := civil.DayOf(at, c.zone)
	if !c.works(day) {
		return false
	}
	opens, closes := c.hours(day)
	return !at.Before(opens) && at.Before(closes)
}

// farthest is how far ahead working time is looked for: an organisation that never works has none.
const farthest civil.Day = 400

// next is the first instant, from at on, at which the organisation works; zero when there is none.
func (c *clock) next(at time.Time) time.Time { return c.after(at, 0) }

// after is the instant at which so much working time has passed since from, within working hours; zero when there is none.
func (c *clock) after(from time.Time, d time.Duration) time.Time {
	first := civil.DayOf(from, c.zone)
	for day := first; day <= first+farthest; day++ {
		if !c.works(day) {
			continue
		}
		opens, closes := c.hours(day)
		if opens.Before(from) {
			opens = from
		}
		within := closes.Sub(opens)
		if within <= 0 {
			continue
		}
		if d < within {
			return opens.Add(d)
		}
		d -= within
	}
	return time.Time{}
}
