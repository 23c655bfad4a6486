package sheet

import (
	"strings"
	"time"
)

// DateOrder says how the dates of a table are written.
type DateOrder string

// The orders. FromData takes the order that the file's dates prove, and is refused where they prove none.
const (
	FromData     DateOrder = ""
	DayFirst     DateOrder = "dmy"
	MonthFirst   DateOrder = "mdy"
	YearFirst    DateOrder = "ymd"
	EpochSeconds DateOrder = "epoch"
	EpochMillis  DateOrder = "epoch_ms"
)

// Evidence counts what dates tell about the order of day and month.
type Evidence struct {
	Dates  int // that were seen
	Zoned  int // those that carry their zone
	day    int // those that can only be day-first
	month  int // those that can only be month-first
	either int
}

// See looks at the text of a date; an empty one tells nothing.
func (e *Evidence) See(text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	text = Tidy(text)
	e.Dates++
	unknown := Clock{}
	if _, zoned, ok := (&Clock{Zone: time.UTC}).number(text); ok {
		if zoned {
			e.Zoned++
		}
		return
	}
	m, err := unknown.Read(text)
	if err == nil && (m.zone != nil || m.zoneName != "") {
		e.Zoned++
	}
	if err == ErrOrder {
		e.either++
		return
	}
	byDay, byMonth := possible(DayFirst, text), possible(MonthFirst, text)
	switch {
	case byDay && !byMonth:
		e.day++
	case byMonth && !byDay:
		e.month++
	}
}

func possible(o DateOrder, text string) bool {
	m, err := (&Clock{Order: o}).Read(text)
	return err == nil && m.Dated && m.month >= 1 && m.month <= 12 && m.day >= 1 && m.year > 0 && m.day <= daysIn(m.year, m.month)
}

// Open says that the order matters and nothing settled it yet.
func (e *Evidence) Open() bool { return e.either > 0 && e.day == 0 && e.month == 0 }

// Order is what the dates prove. settled is false where the order matters and they prove none, or both.
func (e *Evidence) Order() (order DateOrder, settled bool) {
	switch {
	case e.day > 0 && e.month == 0:
		return DayFirst, true
	case e.month > 0 && e.day == 0:
		return MonthFirst, true
	default:
		return FromData, e.either == 0 && e.day == 0
	}
}

// Day reads a date without a time of day, which may be there and is left out.
func (c *Clock) Day(text string) (year, month, day int, err error) {
	if days, ok := Serial(text); ok && days > 1 {
		t := excelTime(days, false, time.UTC)
		return t.Year(), int(t.Month()), t.Day(), nil
	}
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	if t, _, ok := (&Clock{Order: c.Order, Zone: zone}).number(Tidy(text)); ok {
		t = t.In(zone)
		return t.Year(), int(t.Month()), t.Day(), nil
	}
	m, err := c.Read(Tidy(text))
	switch {
	case err != nil:
		return 0, 0, 0, err
	case !m.Dated:
		return 0, 0, 0, ErrText(`It is no date. Write it like 2026-07-28.`)
	case m.year < 1 || m.year > 9999 || m.month < 1 || m.month > 12 || m.day < 1 || m.day > daysIn(m.year, m.month):
		return 0, 0, 0, errImpossible
	}
	return m.year, m.month, m.day, nil
}
