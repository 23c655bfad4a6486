package law

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/platform/fault"
)

// window is a part of a day in which people may be called, in minutes after midnight.
type window struct{ from, to int }

func (w window) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", w.from/60, w.from%60, w.to/60, w.to%60)
}

// Cap is how often one person may be called.
type Cap struct {
	Calls   int
	Per     time.Duration
	Subject bool // counts calls on the same subject only
}

// schedule is one rule for the hours of calls.
type schedule struct {
	days     [7][]window // by day of the week
	holidays bool        // closed on public holidays
	consent  bool        // only who agreed before may be called
	caps     []Cap
	zone     *time.Location // whose clock counts; nil = the callee's
	unknown  bool           // nobody knows the hours
}

// always is open at any time.
func always() schedule {
	var s schedule
	for d := range s.days {
		s.days[d] = []window{{0, 24 * 60}}
	}
	return s
}

// stricter is open only where both are. The clocks of both must be the same.
func (s schedule) stricter(o schedule) schedule {
	out := schedule{holidays: s.holidays || o.holidays, consent: s.consent || o.consent, zone: s.zone, unknown: s.unknown || o.unknown}
	for d := range s.days {
		for _, a := range s.days[d] {
			for _, b := range o.days[d] {
				if w := (window{max(a.from, b.from), min(a.to, b.to)}); w.from < w.to {
					out.days[d] = append(out.days[d], w)
				}
			}
		}
	}
	out.caps = lowest(append(slices.Clone(s.caps), o.caps...))
	return out
}

// lowest keeps the lowest cap of each length of time. One on the same subject counts as one on all calls: nobody keeps
// subjects apart.
func lowest(caps []Cap) []Cap {
	var out []Cap
	for _, c := range caps {
		i := slices.IndexFunc(out, func(o Cap) bool { return o.Per == c.Per })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i] = Cap{min(out[i].Calls, c.Calls), c.Per, out[i].Subject && c.Subject}
	}
	return out
}

// dayNames are the words for sets of days.
func dayNames(word string) []time.Weekday {
	switch word {
	case "daily":
		return []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	case "weekdays":
		return []time.Weekday{1, 2, 3, 4, 5}
	case "mon-sat":
		return []time.Weekday{1, 2, 3, 4, 5, 6}
	case "sat":
		return []time.Weekday{6}
	case "sun":
		return []time.Weekday{0}
	}
	return nil
}

// parseSchedule reads "weekdays 10:00-13:00 14:00-20:00; sat none; sun ?; holidays none; cap 3/24h; consent". Every day must
// be said. A day whose hours are not known (?) is closed; a rule of which nothing is known is "?" alone, with consent or not.
func parseSchedule(text string) (schedule, error) {
	var s schedule
	said := map[time.Weekday]bool{}
	for part := range strings.SplitSeq(text, "; ") {
		words := strings.Fields(part)
		var err error
		switch {
		case part == "?":
			s.unknown = true
		case part == "consent":
			s.consent = true
		case part == "holidays none":
			s.holidays = true
		case len(words) >= 2 && words[0] == "cap":
			err = s.addCap(words[1:])
		case len(words) == 2 && words[0] == "zone":
			s.zone, err = time.LoadLocation(words[1])
		case len(words) >= 2 && dayNames(words[0]) != nil:
			for _, d := range dayNames(words[0]) {
				s.days[d], err = parseWindows(words[1:])
				said[d] = true
			}
		default:
			err = fault.New(fault.Invalid, "unknown")
		}
		if err != nil {
			return s, fault.Wrap(fault.Invalid, err, "%q is no rule for the hours of calls. Write days and times, a cap, consent or holidays none.", part)
		}
	}
	if !s.unknown && len(said) < 7 {
		return s, fault.New(fault.Invalid, "%q does not say when calls may be made on every day of the week.", text)
	}
	return s, nil
}

// reported is open where all of a row's reported values are.
func reported(values []string) (schedule, error) {
	out := always()
	for i, v := range values {
		s, err := parseSchedule(v)
		if err != nil {
			return s, err
		}
		if i == 0 {
			out.zone = s.zone
		}
		out = out.stricter(s)
	}
	return out, nil
}

func parseWindows(words []string) ([]window, error) {
	if slices.Equal(words, []string{"none"}) || slices.Equal(words, []string{"?"}) {
		return nil, nil
	}
	var out []window
	for _, word := range words {
		var h1, m1, h2, m2 int
		if n, err := fmt.Sscanf(word, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); n != 4 {
			return nil, err
		}
		w := window{h1*60 + m1, h2*60 + m2}
		if w.from < 0 || w.from >= w.to || w.to > 24*60 || w.String() != word {
			return nil, fault.New(fault.Invalid, "%q is no time of a day.", word)
		}
		out = append(out, w)
	}
	return out, nil
}

// addCap reads "3/24h" or "4/30d", and "subject".
func (s *schedule) addCap(words []string) error {
	calls, per, _ := strings.Cut(words[0], "/")
	n, err := strconv.Atoi(calls)
	if err != nil || n < 1 {
		return fault.New(fault.Invalid, "%q is no number of calls.", calls)
	}
	span, err := ParseSpan(per)
	if err != nil || span.least() <= 0 {
		return fault.New(fault.Invalid, "%q is no time.", per)
	}
	s.caps = append(s.caps, Cap{n, span.least(), slices.Equal(words[1:], []string{"subject"})})
	return nil
}

// openAt tells whether a moment lies in one of the day's windows.
func (s schedule) openAt(local time.Time) bool {
	minute := local.Hour()*60 + local.Minute()
	return slices.ContainsFunc(s.days[local.Weekday()], func(w window) bool { return w.from <= minute && minute < w.to })
}
