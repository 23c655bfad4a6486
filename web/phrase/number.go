package phrase

import (
	"math"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

func whole(v any) (int64, bool) {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return 0, false
	case r.CanInt():
		return r.Int(), true
	case r.CanUint():
		return int64(r.Uint()), true
	default:
		return 0, false
	}
}

// lakh tells whether digits are grouped as in India: 12,34,567.
func (p *Phrases) lakh() bool {
	switch p.region {
	case "IN", "PK", "BD", "NP":
		return true
	default:
		return false
	}
}

// Number writes a whole number with its digits grouped: 1,23,456 in India, 123,456 elsewhere.
func (p *Phrases) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "−", digits[1:]
	}
	return sign + p.group(digits)
}

func (p *Phrases) group(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	size := 3
	if p.lakh() {
		size = 2
	}
	head, tail := digits[:len(digits)-3], digits[len(digits)-3:]
	var groups []string
	for len(head) > size {
		groups = append([]string{head[len(head)-size:]}, groups...)
		head = head[:len(head)-size]
	}
	groups = append([]string{head}, groups...)
	return strings.Join(append(groups, tail), ",")
}

// Decimal writes f with so many places after the point.
func (p *Phrases) Decimal(f float64, places int) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "–"
	}
	s := strconv.FormatFloat(math.Abs(f), 'f', places, 64)
	head, tail, _ := strings.Cut(s, ".")
	out := p.group(head)
	if tail != "" {
		out += "." + tail
	}
	if f < 0 && strings.Trim(s, "0.") != "" {
		out = "−" + out
	}
	return out
}

// Percent writes a ratio of 0 to 1 as a percentage: whole from 10 %, with one place below.
func (p *Phrases) Percent(ratio float64) string {
	value := ratio * 100
	places := 0
	if a := math.Abs(value); a < 9.95 && a != math.Trunc(a) {
		places = 1
	}
	s := p.Decimal(value, places)
	if s == "–" {
		return s
	}
	return s + "%"
}

// Short writes a number in few signs for axes and tiles: 950, 12.3K, 4.5M; in India 12.3K, 4.5L (lakh), 6.7Cr (crore).
func (p *Phrases) Short(n float64) string {
	steps := []struct {
		from   float64
		suffix string
	}{{1e9, "B"}, {1e6, "M"}, {1e3, "K"}}
	if p.lakh() {
		steps = append(steps[:0], []struct {
			from   float64
			suffix string
		}{{1e7, p.T("number.crore")}, {1e5, p.T("number.lakh")}, {1e3, p.T("number.thousand")}}...)
	}
	for _, s := range steps {
		if math.Abs(n) < s.from {
			continue
		}
		v := n / s.from
		places := 1
		if v >= 100 || v == math.Trunc(v) {
			places = 0
		}
		return p.Decimal(v, places) + s.suffix
	}
	if n == math.Trunc(n) {
		return p.Decimal(n, 0)
	}
	return p.Decimal(n, 1)
}

// Money writes an amount of a currency's minor unit, whose digits are how many places that has: ₹1,25,000.50. Amounts that
// are whole are written without places, as people do.
func (p *Phrases) Money(amount int64, code string, digits int) string {
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	sign := ""
	if amount < 0 {
		sign, amount = "−", -amount
	}
	out := p.group(strconv.FormatInt(amount/unit, 10))
	if rest := amount % unit; rest > 0 {
		text := strconv.FormatInt(rest, 10)
		out += "." + strings.Repeat("0", digits-len(text)) + text
	}
	if c, err := currency.ParseISO(code); err == nil {
		symbol := message.NewPrinter(language.English).Sprint(currency.NarrowSymbol(c))
		if symbol != code {
			return sign + symbol + out
		}
	}
	return sign + code + "\u00a0" + out
}
