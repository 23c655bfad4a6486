// Package freetext finds, in what people write by hand, numbers that have no business there: of payment cards (Luhn's check
// digit, ISO/IEC 7812), of India's Aadhaar (Verhoeff's check digit) and of its income tax (PAN). Phone numbers are none of
// these.
package freetext

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/platform/fault"
	"parley/platform/phone"
)

// Kind is what a number is.
type Kind string

// The kinds.
const (
	Card    Kind = "card"
	Aadhaar Kind = "aadhaar"
	PAN     Kind = "pan"
)

// Find is a number that was found: its place in the text, in bytes.
type Find struct {
	Kind     Kind
	From, To int
}

// group is some digits in one piece.
type group struct {
	digits   []byte
	from, to int
	joined   bool // to the one before, by a single blank or hyphen
	dialled  bool // begins as a phone number does: with + or 00; so are those that are joined to it
}

// taxNumber is a PAN: five letters of which the fourth says whose it is, four digits, a letter.
var taxNumber = regexp.MustCompile(`(?i)\b[a-z]{3}[abcfghljpt][a-z][0-9]{4}[a-z]\b`)

// aadhaarWord says that a number near it is one, whatever it looks like.
var aadhaarWord = regexp.MustCompile(`(?i)\baadhaa?r\b|\buidai?\b|आधार`)

// All finds every such number in a text.
func All(text string) []Find {
	var out []Find
	named := aadhaarWord.MatchString(text)
	all := groups(text)
	for i := 0; i < len(all); {
		kind, n := number(all[i:], named)
		if n == 0 {
			i++
			continue
		}
		out = append(out, Find{kind, all[i].from, all[i+n-1].to})
		i += n
	}
	for _, at := range taxNumber.FindAllStringIndex(text, -1) {
		out = append(out, Find{PAN, at[0], at[1]})
	}
	slices.SortFunc(out, func(a, b Find) int { return a.From - b.From })
	return out
}

// mostGroups is in how many groups at most the digits of a card are written.
const mostGroups = 5

// number tells what the digits at the beginning of a row are, and how many groups make it up; 0 = nothing.
func number(row []group, named bool) (Kind, int) {
	if row[0].dialled {
		return "", 0
	}
	var digits []byte
	var lengths []int
	for n := range min(mostGroups, len(row)) {
		if n > 0 && !row[n].joined {
			break
		}
		digits, lengths = append(digits, row[n].digits...), append(lengths, len(row[n].digits))
		whole := n == 0 && !isPhone(digits)
		switch {
		case (whole || cardGroups(lengths)) && isCard(digits):
			return Card, n + 1
		case (whole || named || slices.Equal(lengths, []int{4, 4, 4})) && isAadhaar(digits):
			return Aadhaar, n + 1
		}
	}
	return "", 0
}

// cardGroups tells whether digits are grouped as on cards: by fours, or 4-6-5 and 4-6-4.
func cardGroups(lengths []int) bool {
	if len(lengths) == 3 && lengths[0] == 4 && lengths[1] == 6 {
		return true
	}
	last := len(lengths) - 1
	return last >= 3 && !slices.ContainsFunc(lengths[:last], func(n int) bool { return n != 4 }) && lengths[last] <= 4
}

// isPhone tells whether digits, written in one piece, are a phone number with its country's code.
func isPhone(digits []byte) bool {
	const longest = 15 // ITU-T E.164
	return len(digits) <= longest && phone.Parse("+"+string(digits), "").E164 != ""
}

// Check refuses a text with such numbers, with a sentence about a field.
func Check(field, text string) error {
	found := All(text)
	if len(found) == 0 {
		return nil
	}
	what := map[Kind]string{Card: "the number of a payment card", Aadhaar: "an Aadhaar number", PAN: "a PAN"}[found[0].Kind]
	return fault.Field(field, "The text has what looks like %s. Such numbers must not be kept here: whoever may read the calls could read them. Remove it, or write its last four digits alone.", what)
}

// Mask puts words in the place of such numbers: for texts that come from phones and files, whose calls must not be lost.
func Mask(text string) string {
	found := All(text)
	if len(found) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, f := range found {
		if f.From < at { // within one that is masked already
			continue
		}
		b.WriteString(text[at:f.From])
		b.WriteString(mark(f.Kind))
		at = f.To
	}
	b.WriteString(text[at:])
	return b.String()
}

func mark(k Kind) string {
	switch k {
	case Card:
		return "[card number removed]"
	case Aadhaar:
		return "[Aadhaar number removed]"
	default:
		return "[PAN removed]"
	}
}

// groups are the digits of a text, those of other scripts too, piece by piece. What follows a letter directly is no number of
// its own.
func groups(text string) []group {
	var out []group
	var last, before rune
	in, word, end := false, false, 0 // in a group; in digits that follow a letter; where the last group ended
	for i, c := range text {
		d, ok := digit(c)
		word = ok && !in && (word || unicode.IsLetter(last))
		if ok && !in && !word {
			g := group{from: i, joined: len(out) > 0 && i > 0 && end == i-utf8.RuneLen(last) && joins(last)}
			g.dialled = last == '+' || last == ' ' && before == '+' || g.joined && out[len(out)-1].dialled
			out = append(out, g)
		}
		in = ok && !word
		if in {
			g := &out[len(out)-1]
			g.digits = append(g.digits, d...)
			g.to = i + utf8.RuneLen(c)
			g.dialled = g.dialled || string(g.digits) == "00"
			end = g.to
		}
		before, last = last, c
	}
	return out
}

func joins(c rune) bool { return c == ' ' || c == '-' || c == '\u00a0' || c == '\u2011' }

// digit gives the ASCII digit that a decimal digit of any script is.
func digit(c rune) (string, bool) {
	if c < 0x80 && (c < '0' || c > '9') {
		return "", false
	}
	d := phone.Digits(string(c))
	return d, d != ""
}

// isCard tells whether digits are a payment card's: the beginning and length of a network, and Luhn's check digit.
func isCard(digits []byte) bool {
	return network(string(digits)) && luhn(digits)
}

// network tells whether digits begin as the cards of a network do and are as long: Visa, Mastercard, American Express,
// Diners Club, Discover, JCB, RuPay, UnionPay, Maestro.
func network(d string) bool {
	n := len(d)
	if n < 13 || n > 19 {
		return false
	}
	begins := func(from, to string) bool { return d[:len(from)] >= from && d[:len(to)] <= to }
	switch {
	case begins("4", "4"):
		return n == 13 || n == 16 || n == 19
	case begins("51", "55"), begins("2221", "2720"):
		return n == 16
	case begins("34", "34"), begins("37", "37"):
		return n == 15
	case begins("30", "30"), begins("36", "36"), begins("38", "39"):
		return n >= 14
	case begins("35", "35"), begins("60", "60"), begins("64", "65"), begins("81", "82"), begins("508", "508"):
		return n >= 16
	case begins("62", "62"):
		return n >= 16
	case begins("50", "50"), begins("56", "58"), begins("6", "6"):
		return n >= 13
	default:
		return false
	}
}

// luhn checks the last digit by ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// isAadhaar tells whether digits are an Aadhaar number: twelve, of which the first is 2 to 9 and the last Verhoeff's.
func isAadhaar(d []byte) bool {
	return len(d) == 12 && d[0] >= '2' && verhoeff(d)
}

// verhoeff checks the last digit by J. Verhoeff, Error Detecting Decimal Codes (1969): the group of the pentagon's symmetries,
// after a permutation that depends on the place.
func verhoeff(d []byte) bool {
	permutation := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		for range i % 8 {
			n = permutation[n]
		}
		sum = compose(sum, n)
	}
	return sum == 0
}

// compose multiplies in the dihedral group of order ten: 0 to 4 are turns, 5 to 9 turns after a reflection.
func compose(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b)%5
	case b < 5:
		return 5 + (a-b+5)%5
	default:
		return (a - b + 5) % 5
	}
}
