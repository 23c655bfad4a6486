package followup

import (
	"encoding/json"
	"iter"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/fault"
)

// Unit is what a repetition counts.
type Unit string

// The units.
const (
	Once    Unit = ""
	Daily   Unit = "daily"
	Weekly  Unit = "weekly"
	Monthly Unit = "monthly" // on the day of the month of the first; on the last day of a month that is too short
)

// Repeat says when a follow-up comes again. The next one is made when one ends.
type Repeat struct {
	Unit  Unit             `json:"unit,omitempty"`
	Every int              `json:"every,omitempty"` // days, weeks or months from one to the next; 0 = 1
	Days  account.Weekdays `json:"days,omitempty"`  // of weekly ones; 0 = the first one's
	Until civil.Day        `json:"until,omitempty"` // the last day on which one may fall; 0 = no end
	Count int              `json:"count,omitempty"` // how many there are in all, missed ones with them; 0 = no end
	First civil.Day        `json:"first,omitempty"` // filled by Add
}

// Limits of repetitions.
const (
	maxTimes = 1000
	maxAhead = 10 * 366 // days
)

// every is how many of each unit may lie between one and the next.
func mostEvery(u Unit) int {
	switch u {
	case Daily:
		return 365
	case Weekly:
		return 52
	default:
		return 24
	}
}

// check refuses a repetition that is none, and fills it in for a series that begins on a day.
func (r Repeat) check(first civil.Day) (Repeat, error) {
	if r.Unit == Once {
		return Repeat{}, nil
	}
	if r.Unit != Daily && r.Unit != Weekly && r.Unit != Monthly {
		return r, fault.Field("repeat", "%q is no way to repeat. Choose daily, weekly or monthly.", string(r.Unit))
	}
	if r.Every == 0 {
		r.Every = 1
	}
	if most := mostEvery(r.Unit); r.Every < 1 || r.Every > most {
		return r, fault.Field("every", "A %s follow-up comes every 1 to %d; %d is outside.", r.Unit, most, r.Every)
	}
	r.First = first
	if r.Unit != Weekly {
		r.Days = 0
	} else if r.Days == 0 {
		r.Days = r.Days.With(first.Weekday())
	}
	switch {
	case r.Days>>7 != 0:
		return r, fault.Field("days", "The days of the week are none.")
	case r.Unit == Weekly && !r.Days.Has(first.Weekday()):
		return r, fault.Field("days", "The first one falls on a %s, which is not among the days on which it repeats. Add that day, or begin on another.", first.Weekday())
	case r.Count < 0 || r.Count > maxTimes:
		return r, fault.Field("count", "A follow-up comes at most %d times; %d is outside.", maxTimes, r.Count)
	case r.Until != 0 && (r.Until < first || r.Until > first+maxAhead):
		return r, fault.Field("until", "A repetition ends on or after its first day, and within ten years.")
	}
	return r, nil
}

// all gives the days on which it falls, with the place of each in the series.
func (r Repeat) all() iter.Seq2[int, civil.Day] {
	return func(yield func(int, civil.Day) bool) {
		nth := 0
		give := func(day civil.Day) bool {
			if day < r.First {
				return true
			}
			nth++
			return (r.Until == 0 || day <= r.Until) && (r.Count == 0 || nth <= r.Count) && day <= r.First+maxAhead && yield(nth, day)
		}
		for i := 0; ; i += r.Every {
			switch r.Unit {
			case Daily:
				if !give(r.First + civil.Day(i)) {
					return
				}
			case Monthly:
				if !give(monthsAfter(r.First, i)) {
					return
				}
			case Weekly:
				monday := r.First - civil.Day((r.First.Weekday()+6)%7) + civil.Day(7*i)
				for day := monday; day < monday+7; day++ {
					if r.Days.Has(day.Weekday()) && !give(day) {
						return
					}
				}
			default:
				return
			}
		}
	}
}

// monthsAfter is the same day of a later month, or its last one.
func monthsAfter(first civil.Day, n int) civil.Day {
	y, m, d := first.Date()
	last := civil.Date(y, m+time.Month(n)+1, 1) - 1 // civil.Date takes months past December
	_, _, most := last.Date()
	return last - civil.Day(max(0, most-d))
}

// next is the first day of the series after one, and its place; late tells which are over already and are left out. ok is false
// when the series has ended.
func (r Repeat) next(after civil.Day, late func(civil.Day) bool) (nth int, day civil.Day, ok bool) {
	for n, d := range r.all() {
		if d > after && !late(d) {
			return n, d, true
		}
	}
	return 0, 0, false
}

// text is how a repetition is stored.
func (r Repeat) text() (string, error) {
	if r.Unit == Once {
		return "", nil
	}
	b, err := json.Marshal(r)
	return string(b), err
}

func parseRepeat(text string) (r Repeat, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &r)
	}
	return r, err
}
