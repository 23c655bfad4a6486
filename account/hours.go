package account

import (
	"time"

	"parley/platform/civil"
)

// WorkingTime is how much of the time between two instants lies within the organisation's working days and hours, by
// the clocks of its zone.
func (o *Org) WorkingTime(from, to time.Time) time.Duration {
	zone := o.Location()
	var sum time.Duration
	for day := civil.DayOf(from, zone); day <= civil.DayOf(to, zone); day++ {
		if !o.Workdays.Has(day.Weekday()) {
			continue
		}
		y, m, d := day.Date()
		opens := time.Date(y, m, d, 0, o.WorkFrom, 0, 0, zone)
		closes := time.Date(y, m, d, 0, o.WorkTo, 0, 0, zone)
		if opens.Before(from) {
			opens = from
		}
		if closes.After(to) {
			closes = to
		}
		if within := closes.Sub(opens); within > 0 {
			sum += within
		}
	}
	return sum
}
