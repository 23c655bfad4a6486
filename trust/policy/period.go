package policy

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"parley/platform/fault"
)

// Unit is what a period counts.
type Unit string

// The units.
const (
	Days         Unit = "d"
	BusinessDays Unit = "bd"
	Months       Unit = "mo"
)

// Period is a span such as 365d, 7bd (business days) or 60mo. The zero value is no period: nothing was said.
type Period struct {
	N    int
	Unit Unit
}

// maxPeriod keeps arithmetic with days far from the ends of time.
const maxPeriod = 36500

var periodForm = regexp.MustCompile(`^(\d{1,5})(d|bd|mo)$`)

// ParsePeriod reads a period as String writes it.
func ParsePeriod(text string) (Period, error) {
	m := periodForm.FindStringSubmatch(text)
	if m == nil {
		return Period{}, fault.New(fault.Invalid, "%q is no period. Write days as 365d, business days as 7bd, months as 60mo.", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > maxPeriod {
		return Period{}, fault.New(fault.Invalid, "%q is longer than %d days or months.", text, maxPeriod)
	}
	return Period{n, Unit(m[2])}, nil
}

// Said tells whether there is a period at all. 0d is one: at once.
func (p Period) Said() bool { return p.Unit != "" }

// String is the form that ParsePeriod reads, and "" for no period.
func (p Period) String() string {
	if !p.Said() {
		return ""
	}
	return fmt.Sprintf("%d%s", p.N, p.Unit)
}

// After is the end of the period that begins at t. holiday tells which days business days pass over, weekends aside;
// nil means none.
func (p Period) After(t time.Time, holiday func(time.Time) bool) time.Time {
	switch p.Unit {
	case Months:
		return addMonths(t, p.N)
	case BusinessDays:
		for left := p.N; left > 0; {
			t = t.AddDate(0, 0, 1)
			if d := t.Weekday(); d != time.Saturday && d != time.Sunday && (holiday == nil || !holiday(t)) {
				left--
			}
		}
		return t
	default:
		return t.AddDate(0, 0, p.N)
	}
}

// Before is the beginning of the period of days or months that ends at t. Business days are counted without holidays.
func (p Period) Before(t time.Time) time.Time {
	switch p.Unit {
	case Months:
		return addMonths(t, -p.N)
	case BusinessDays:
		for left := p.N; left > 0; {
			t = t.AddDate(0, 0, -1)
			if d := t.Weekday(); d != time.Saturday && d != time.Sunday {
				left--
			}
		}
		return t
	default:
		return t.AddDate(0, 0, -p.N)
	}
}

// addMonths adds months and stays in the month it comes to: one month after 31 January is 28 February.
func addMonths(t time.Time, n int) time.Time {
	to := t.AddDate(0, n, 0)
	if to.Day() != t.Day() {
		to = to.AddDate(0, 0, -to.Day())
	}
	return to
}

// Most is the largest number of days that the period can last.
func (p Period) Most() int {
	switch p.Unit {
	case Months:
		return p.N/12*366 + p.N%12*31
	case BusinessDays:
		return (p.N + 4) / 5 * 7
	default:
		return p.N
	}
}

// least is the smallest number of days that the period can last.
func (p Period) least() int {
	if p.Unit == Months {
		return p.N/12*365 + p.N%12*28
	}
	return p.N
}

// shorter tells whether p, together with what follows it, may end before q does.
func (p Period) shorter(q Period, following ...Period) bool {
	if p.Unit == q.Unit && p.N >= q.N {
		return false
	}
	least := p.least()
	for _, f := range following {
		least += f.least()
	}
	return least < q.Most()
}
