package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// SafeText is a text for a cell of a CSV that no spreadsheet takes for a formula or a number:
//
//   - A text that begins like a formula (=, +, -, @, their full-width forms, a tab, a line break, also after blanks) gets
//     an apostrophe in front.
//   - A phone number is written as the URI tel:+919812300001 (RFC 3966). A spreadsheet takes +919812300001 for the number
//     919812300001 and shows 9.2E+11, and drops the zeros of 0800…; it keeps the URI as it is, and so do programs, which
//     can read it as a number again without guessing what was put in front.
//
// phone says that a number stands here, so that digits alone are one.
func SafeText(text string, phone bool) string {
	if isNumber(text, phone) {
		return "tel:" + text
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, func(r rune) bool { return r == ' ' || r == '\u00a0' || r == '\u200b' || r == '\ufeff' }))
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && text != "" {
		return "'" + text
	}
	return text
}

// isNumber tells whether a text is a phone number of digits alone: with a plus anywhere, without one where numbers stand.
func isNumber(text string, phone bool) bool {
	digits, plus := strings.CutPrefix(text, "+")
	return digits != "" && (plus || phone) && strings.IndexFunc(digits, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsDigit(r) }) < 0
}

// PlainText takes back what SafeText puts in front.
func PlainText(text string) string {
	if rest, ok := strings.CutPrefix(text, "tel:"); ok && isNumber(rest, true) {
		return rest
	}
	if rest, ok := strings.CutPrefix(text, "'"); ok && SafeText(rest, false) != rest {
		return rest
	}
	return text
}
