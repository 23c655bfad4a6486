package logfile

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"parley/platform/sheet"
)

// longestCall is the longest talk that is believed, in seconds. Networks cut calls after some hours; what is longer was
// written in another unit.
const longestCall = 86_400

const (
	errDuration sheet.ErrText = `It is no duration. Write seconds (95), minutes and seconds (1:35), hours (0:01:35) or 1m 35s.`
	errNegative sheet.ErrText = `A call cannot last less than nothing. Correct the duration; a missed call has 0.`
	errHours    sheet.ErrText = `It would be a call of more than a day. The column may count milliseconds, or hours where minutes are meant: write seconds or h:mm:ss, or name the unit in the header, such as "Duration (ms)".`
	errFraction sheet.ErrText = `It is a part of a second, so it probably counts hours or days. Write seconds or h:mm:ss, or name the unit in the header, such as "Duration (hours)".`
)

// unit is what a plain number in a column of durations counts.
type unit float64

const (
	seconds      unit = 1
	milliseconds unit = 0.001
	minutes      unit = 60
	hours        unit = 3600
	hoursMinutes unit = -1 // hh:mm stands in the header: 1:35 is 95 minutes
)

// unitOf reads the unit that a header names: "Duration (min)", "Talk_ms", "Dauer [Sek.]".
func unitOf(header string) unit {
	words := strings.FieldsFunc(strings.ToLower(header), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ':' })
	for _, w := range words {
		switch w {
		case "ms", "msec", "millis", "milliseconds", "millisekunden":
			return milliseconds
		case "min", "mins", "minutes", "minuten", "मिनट":
			return minutes
		case "h", "hr", "hrs", "hours", "stunden", "std", "घंटे", "घंटा":
			return hours
		case "hh:mm", "h:mm":
			return hoursMinutes
		}
	}
	return seconds
}

// parseDuration reads a talk time. Nothing, or a dash, is none: that is how missed calls are listed.
func parseDuration(text string, u unit) (int, error) {
	if n, ok := sheet.ShortNumber(text); ok && u == seconds {
		if n > longestCall {
			return 0, errHours
		}
		return n, nil
	}
	s := strings.ToLower(sheet.Tidy(text))
	switch s {
	case "", "-", "–", "—", "n/a", "na", "null", "none":
		return 0, nil
	}
	if s[0] == '-' {
		return 0, errNegative
	}
	value, err := durationOf(s, u)
	switch {
	case err != nil:
		return 0, err
	case value > longestCall:
		return 0, errHours
	}
	return int(value), nil
}

func durationOf(s string, u unit) (float64, error) {
	if strings.Contains(s, ":") {
		return colons(s, u)
	}
	if plain := ungrouped(s); plain != "" {
		f, err := strconv.ParseFloat(plain, 64)
		if err != nil || math.IsInf(f, 0) {
			return 0, errDuration
		}
		if u == seconds && f > 0 && f < 1 {
			return 0, errFraction
		}
		if u == hoursMinutes {
			u = minutes
		}
		// A thousandth of a second is added because 0.95 hours are 3419.9999 seconds here.
		return math.Floor(f*float64(u) + 0.001), nil
	}
	return named(s)
}

// ungrouped is a decimal number without commas between thousands, or "".
func ungrouped(s string) string {
	whole, fraction, point := strings.Cut(s, ".")
	groups := strings.Split(whole, ",")
	for i, g := range groups {
		if !sheet.Digits(g) || i > 0 && len(g) != 3 || len(groups) > 1 && (len(g) > 3 || len(groups) > 4) {
			return ""
		}
	}
	if point && fraction != "" && !sheet.Digits(fraction) || len(s) > 20 {
		return ""
	}
	return strings.Join(groups, "") + "." + fraction + "0"
}

// colons reads mm:ss, hh:mm:ss and d:hh:mm:ss. Minutes may go past 59 where they come first.
func colons(s string, u unit) (float64, error) {
	parts := strings.Split(s, ":")
	if len(parts) > 4 {
		return 0, errDuration
	}
	total := 0
	for i, p := range parts {
		if i == len(parts)-1 {
			p, _, _ = strings.Cut(p, ".")
		}
		p = strings.TrimSpace(p)
		if !sheet.Digits(p) || len(p) > 6 {
			return 0, errDuration
		}
		n := sheet.Small(p)
		base := 60
		if len(parts)-i == 3 {
			base = 24
		}
		if i > 0 && n >= base {
			return 0, errDuration
		}
		total = total*base + n
	}
	if len(parts) == 2 && u == hoursMinutes {
		total *= 60
	}
	return float64(total), nil
}

// named reads "1h 2m 3s", "2 min", "1 Std. 5 Min.", "2 मिनट 5 सेकंड" and ISO's pt1m23s.
func named(s string) (float64, error) {
	if iso, ok := strings.CutPrefix(s, "pt"); ok {
		s = iso
	}
	total, found := 0.0, false
	for s = strings.TrimLeft(s, " ,"); s != ""; s = strings.TrimLeft(s, " ,") {
		rest := strings.TrimLeft(s, "0123456789.")
		n, err := strconv.ParseFloat(strings.TrimSuffix(s[:len(s)-len(rest)], "."), 64)
		if err != nil || n > 1e7 {
			return 0, errDuration
		}
		rest = strings.TrimLeft(rest, " ")
		s = strings.TrimLeftFunc(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || r == '.' })
		factor := factorOf(strings.Trim(rest[:len(rest)-len(s)], "."))
		if factor == 0 {
			return 0, errDuration
		}
		total, found = total+n*factor, true
	}
	if !found {
		return 0, errDuration
	}
	return math.Floor(total + 0.001), nil
}

func factorOf(w string) float64 {
	switch w {
	case "s", "sec", "secs", "second", "seconds", "sek", "sekunde", "sekunden", "से", "सेकंड", "सेकेंड", "सेकण्ड":
		return 1
	case "m", "min", "mins", "minute", "minutes", "minuten", "मि", "मिनट":
		return 60
	case "h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "घं", "घंटा", "घंटे", "घण्टे":
		return 3600
	case "d", "day", "days":
		return 86_400
	default:
		return 0
	}
}
