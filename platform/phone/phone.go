// Package phone turns phone numbers as people and devices write them into one canonical form.
package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxDigits is the longest number E.164 allows; anything longer is kept as it came.
const maxDigits = 15

// Number is a phone number as it came and, where it could be parsed, in E.164.
type Number struct {
	E164 string // "+919812300001", or "" when the number could not be parsed
	Raw  string // as it came, trimmed of invisible characters and blanks at the ends
}

// Canonical is the form a number is compared and kept by: E.164 where known, else the cleaned text.
func (n Number) Canonical() string {
	if n.E164 != "" {
		return n.E164
	}
	return n.Raw
}

// Parse reads a number written in the given country (ISO 3166 alpha-2). What cannot be parsed, such as a short code or
// a number of 40 digits, keeps only its raw text.
func Parse(raw, country string) Number {
	n := Number{Raw: clean(raw)}
	digits := Digits(n.Raw)
	if len(digits) < 5 || len(digits) > maxDigits+3 {
		return n
	}
	p, err := phonenumbers.Parse(n.Raw, country)
	if err != nil || !phonenumbers.IsPossibleNumber(p) {
		return n
	}
	n.E164 = phonenumbers.Format(p, phonenumbers.E164)
	return n
}

// clean drops blanks at the ends and the invisible marks that address books put around numbers.
func clean(raw string) string {
	drop := func(r rune) rune {
		switch {
		case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff, r < 0x20:
			return -1
		case r == 0xa0:
			return ' '
		default:
			return r
		}
	}
	return strings.TrimSpace(strings.Map(drop, raw))
}

// Display writes a canonical number for a reader: national format inside their country, international outside.
func Display(canonical, country string) string {
	if !strings.HasPrefix(canonical, "+") {
		return canonical
	}
	p, err := phonenumbers.Parse(canonical, "")
	if err != nil {
		return canonical
	}
	return phonenumbers.Format(p, phonenumbers.INTERNATIONAL)
}

// Country is the country (ISO 3166 alpha-2) that a canonical number belongs to, "" when that cannot be told.
func Country(canonical string) string {
	if !strings.HasPrefix(canonical, "+") {
		return ""
	}
	p, err := phonenumbers.Parse(canonical, "")
	if err != nil {
		return ""
	}
	region := phonenumbers.GetRegionCodeForNumber(p)
	if len(region) != 2 || region == "ZZ" { // "001" is a number of no country
		return ""
	}
	return region
}

// Digits keeps the decimal digits of s, in any script, as 0 to 9.
func Digits(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if d := digit(r); d >= 0 {
			out = append(out, byte('0'+d))
		}
	}
	return string(out)
}

// digit is the value of a decimal digit of the scripts people write numbers in here, or -1.
func digit(r rune) int {
	for _, zero := range [...]rune{'0', 0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0xff10} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}
