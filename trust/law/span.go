package law

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/platform/fault"
)

// Unit is what a span counts.
type Unit string

// The units. At once comes in two wordings of the laws.
const (
	Now          Unit = "now"  // without delay
	Soon         Unit = "soon" // without undue delay
	Hours        Unit = "h"
	Days         Unit = "d"
	BusinessDays Unit = "bd"
	Months       Unit = "mo"
)

// Span is how long something may take or must last: 72h, 45d, 10bd, 1mo, now, soon. The zero Span is no time at all: the
// law sets none.
type Span struct {
	N    int
	Unit Unit
}

// ParseSpan reads a span as its table writes it. "none" is the zero Span.
func ParseSpan(text string) (Span, error) {
	if text == "none" {
		return Span{}, nil
	}
	if text == string(Now) || text == string(Soon) {
		return Span{Unit: Unit(text)}, nil
	}
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	s := Span{Unit: Unit(text[len(digits):])}
	n, err := strconv.Atoi(digits)
	switch s.Unit {
	case Hours, Days, BusinessDays, Months:
	default:
		err = fault.New(fault.Invalid, "unit")
	}
	if err != nil || n < 0 || n > 100_000 || digits[0] == '+' {
		return Span{}, fault.New(fault.Invalid, "%q is no time. Write hours as 72h, days as 45d, business days as 10bd, months as 1mo, or now, soon, none.", text)
	}
	s.N = n
	return s, nil
}

// Set tells whether the law sets a time.
func (s Span) Set() bool { return s.Unit != "" }

// String says the span in words.
func (s Span) String() string {
	words := map[Unit][2]string{Hours: {"hour", "hours"}, Days: {"day", "days"}, BusinessDays: {"business day", "business days"}, Months: {"month", "months"}}
	switch w, counted := words[s.Unit]; {
	case s.Unit == Now:
		return "without delay"
	case s.Unit == Soon:
		return "without undue delay"
	case !counted:
		return "no fixed time"
	case s.N == 1:
		return "1 " + w[0]
	default:
		return fmt.Sprintf("%d %s", s.N, w[1])
	}
}

// least is the shortest time the span can take, to compare spans.
func (s Span) least() time.Duration {
	const day = 24 * time.Hour
	switch s.Unit {
	case Now:
		return -1
	case Hours:
		return time.Duration(s.N) * time.Hour
	case Days:
		return time.Duration(s.N) * day
	case BusinessDays:
		return time.Duration(s.N) * day * 7 / 5
	case Months:
		return time.Duration(s.N) * 28 * day
	default:
		return 0
	}
}

// shorter is the stricter of two clocks: the one that ends earlier. One that is not set gives way.
func shorter(a, b Span) Span {
	if !a.Set() || b.Set() && b.least() < a.least() {
		return b
	}
	return a
}

// Due is the end of the span that begins at from. Days are whole days of the calendar's zone: the day of from is not
// counted, and the last one counts to its end. Hours run at once.
func (s Span) Due(from time.Time, c *Calendar) time.Time {
	switch s.Unit {
	case Hours:
		return from.Add(time.Duration(s.N) * time.Hour)
	case Days:
		return c.endOf(c.day(from).AddDate(0, 0, s.N))
	case BusinessDays:
		return c.endOf(c.addBusiness(c.day(from), s.N))
	case Months:
		return c.endOf(addMonths(c.day(from), s.N))
	default:
		return from
	}
}

// addMonths adds months and stays in the month it comes to: one month after 31 January is 28 February.
func addMonths(day time.Time, n int) time.Time {
	to := day.AddDate(0, n, 0)
	if to.Day() != day.Day() {
		to = to.AddDate(0, 0, -to.Day())
	}
	return to
}
