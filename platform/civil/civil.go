// Package civil counts local calendar days.
package civil

import (
	"time"

	"parley/platform/fault"
)

// Day is a calendar day as the number of days since 1970-01-01 on the same calendar; it has no zone of its own.
type Day int32

// DayOf is the calendar day that t falls on in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Date(y, m, d)
}

// Date is the day of a year, month and day of month.
func Date(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Parse reads a day written as 2026-03-02.
func Parse(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fault.New(fault.Invalid, "%q is not a day. Write it as year-month-day, for example 2026-03-02.", s)
	}
	return Day(t.Unix() / 86400), nil
}

func (d Day) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String writes the day as 2026-03-02.
func (d Day) String() string { return d.utc().Format(time.DateOnly) }

// Date is the day's year, month and day of month.
func (d Day) Date() (int, time.Month, int) { return d.utc().Date() }

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

// Start is the first instant of the day in zone. Where clocks change at midnight, midnight may be missing, or come twice.
func (d Day) Start(zone *time.Location) time.Time {
	y, m, dd := d.Date()
	t := time.Date(y, m, dd, 0, 0, 0, 0, zone)
	for DayOf(t, zone) < d {
		t = t.Add(quarter)
	}
	for DayOf(t.Add(-quarter), zone) == d {
		t = t.Add(-quarter)
	}
	return t
}

// quarter is the finest step by which zones change their clocks.
const quarter = 15 * time.Minute

// Today is the day of now in zone.
func Today(now time.Time, zone *time.Location) Day { return DayOf(now, zone) }
