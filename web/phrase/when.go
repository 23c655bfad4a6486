package phrase

import (
	"fmt"
	"strconv"
	"time"

	"parley/platform/civil"
)

// Duration writes seconds in words of their size: "42 s", "3 min 20 s", "2 h 05 min".
func (p *Phrases) Duration(seconds int64) string {
	if seconds < 0 {
		return "−" + p.Duration(-seconds)
	}
	h, m, s := seconds/3600, seconds/60%60, seconds%60
	switch {
	case h > 0 && m == 0:
		return p.T("duration.h", "H", h)
	case h > 0:
		return p.T("duration.hm", "H", h, "M", fmt.Sprintf("%02d", m))
	case m > 0 && s == 0:
		return p.T("duration.m", "M", m)
	case m > 0:
		return p.T("duration.ms", "M", m, "S", fmt.Sprintf("%02d", s))
	default:
		return p.T("duration.s", "S", s)
	}
}

// Clock writes seconds as a clock does: 0:42, 12:05, 1:02:05.
func (p *Phrases) Clock(seconds int64) string {
	if seconds < 0 {
		return "−" + p.Clock(-seconds)
	}
	h, m, s := seconds/3600, seconds/60%60, seconds%60
	if h > 0 {
		return fmt.Sprintf("%s:%02d:%02d", p.Number(h), m, s)
	}
	return fmt.Sprintf("%d:%02d", m, s)
}

func (p *Phrases) monthFirst() bool { return p.region == "US" }

// twelve tells whether hours run to 12 with am and pm.
func (p *Phrases) twelve() bool {
	switch p.region {
	case "IN", "US", "PK", "BD", "NP", "AU", "CA", "NZ", "PH", "EG", "SA", "KE":
		return true
	default:
		return false
	}
}

func (p *Phrases) month(m time.Month) string { return p.T("month." + strconv.Itoa(int(m))) }

// Month writes the month of a day: March 2026.
func (p *Phrases) Month(d civil.Day) string {
	y, m, _ := d.Date()
	return p.month(m) + " " + strconv.Itoa(y)
}

// Weekday is the name of a day of the week.
func (p *Phrases) Weekday(w time.Weekday) string { return p.T("weekday." + strconv.Itoa(int(w))) }

// WeekdayShort is the name of a day of the week in three letters or so.
func (p *Phrases) WeekdayShort(w time.Weekday) string {
	return p.T("weekday.short." + strconv.Itoa(int(w)))
}

// DayMonth writes "2 Mar".
func (p *Phrases) DayMonth(d civil.Day) string {
	_, m, day := d.Date()
	if p.monthFirst() {
		return p.month(m) + " " + strconv.Itoa(day)
	}
	return strconv.Itoa(day) + " " + p.month(m)
}

// Day writes "Mon, 2 Mar".
func (p *Phrases) Day(d civil.Day) string {
	return p.WeekdayShort(d.Weekday()) + ", " + p.DayMonth(d)
}

// Date writes "2 Mar 2026".
func (p *Phrases) Date(d civil.Day) string {
	y, _, _ := d.Date()
	if p.monthFirst() {
		return p.DayMonth(d) + ", " + strconv.Itoa(y)
	}
	return p.DayMonth(d) + " " + strconv.Itoa(y)
}

// LongDate writes "Monday, 2 Mar 2026".
func (p *Phrases) LongDate(d civil.Day) string {
	return p.Weekday(d.Weekday()) + ", " + p.Date(d)
}

// Range writes the days from (inclusive) to (exclusive): "2 Mar 2026", "2–8 Mar 2026", "28 Feb – 6 Mar 2026".
func (p *Phrases) Range(from, to civil.Day) string {
	last := to - 1
	if last <= from {
		return p.Date(from)
	}
	fy, fm, fd := from.Date()
	ly, lm, ld := last.Date()
	switch {
	case fy != ly:
		return p.Date(from) + " – " + p.Date(last)
	case fm != lm:
		return p.DayMonth(from) + " – " + p.Date(last)
	case p.monthFirst():
		return fmt.Sprintf("%s %d–%d, %d", p.month(lm), fd, ld, ly)
	default:
		return fmt.Sprintf("%d–%d %s %d", fd, ld, p.month(lm), ly)
	}
}

// Time writes the time of day in the zone: "15:05", or "3:05 pm" where hours run to 12.
func (p *Phrases) Time(t time.Time) string {
	t = t.In(p.zone)
	if !p.twelve() {
		return t.Format("15:04")
	}
	return t.Format("3:04") + " " + p.half(t.Hour())
}

func (p *Phrases) half(hour int) string {
	if hour < 12 {
		return p.T("time.am")
	}
	return p.T("time.pm")
}

// Hour writes an hour of the day for an axis: "15", or "3 pm" where hours run to 12.
func (p *Phrases) Hour(hour int) string {
	if !p.twelve() {
		return fmt.Sprintf("%02d", hour)
	}
	return strconv.Itoa((hour+11)%12+1) + " " + p.half(hour)
}

// DateTime writes "2 Mar 2026, 15:05".
func (p *Phrases) DateTime(t time.Time) string {
	return p.Date(civil.DayOf(t, p.zone)) + ", " + p.Time(t)
}

// Moment writes when t was in as few words as are clear at now: the time today, "yesterday, 15:05", "2 Mar, 15:05"
// this year, and the full date before.
func (p *Phrases) Moment(t, now time.Time) string {
	day, today := civil.DayOf(t, p.zone), civil.DayOf(now, p.zone)
	y, _, _ := day.Date()
	ty, _, _ := today.Date()
	switch {
	case day == today:
		return p.Time(t)
	case day == today-1:
		return p.T("time.yesterday", "Time", p.Time(t))
	case y == ty:
		return p.DayMonth(day) + ", " + p.Time(t)
	default:
		return p.DateTime(t)
	}
}

// Ago writes how long before now t was: "just now", "5 minutes ago", "3 days ago", and the date after a week.
func (p *Phrases) Ago(t, now time.Time) string {
	s := int64(now.Sub(t) / time.Second)
	switch {
	case s < -60:
		return p.Moment(t, now)
	case s < 60:
		return p.T("ago.now")
	case s < 3600:
		return p.T("ago.minutes", "Count", s/60)
	case s < 86400:
		return p.T("ago.hours", "Count", s/3600)
	case s < 7*86400:
		return p.T("ago.days", "Count", s/86400)
	default:
		return p.Date(civil.DayOf(t, p.zone))
	}
}
