package intake

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"parley/crm/lead"
)

// countries are the codes of countries by their names in English and Hindi, in small letters, with what people write besides.
var countries = sync.OnceValue(func() map[string]string {
	out := map[string]string{
		"usa": "US", "united states of america": "US", "u.s.a.": "US", "u.s.": "US", "america": "US", "uk": "GB", "u.k.": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
		"uae": "AE", "u.a.e.": "AE", "bharat": "IN", "hindustan": "IN", "korea": "KR", "south korea": "KR", "russia": "RU", "vietnam": "VN", "czech republic": "CZ", "turkey": "TR", "holland": "NL",
		"hong kong": "HK", "macau": "MO", "burma": "MM", "ivory coast": "CI", "republic of india": "IN",
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			r, err := language.ParseRegion(string(a) + string(b))
			if err != nil || !r.IsCountry() || r.String() != string(a)+string(b) {
				continue
			}
			for _, names := range []display.Namer{display.English.Regions(), display.Regions(language.Hindi)} {
				if name := strings.ToLower(names.Name(r)); name != "" && out[name] == "" {
					out[name] = r.String()
				}
			}
		}
	}
	return out
})

// countryCode is the code of a country that is written as a name or a code; what is neither stays as it is.
func countryCode(text string) string {
	key := strings.ToLower(strings.Join(strings.Fields(text), " "))
	if code := countries()[key]; code != "" {
		return code
	}
	if len(text) == 3 {
		if r, err := language.ParseRegion(text); err == nil && r.IsCountry() {
			return r.String()
		}
	}
	return text
}

// languages are the codes of languages by their names in English, in Hindi and in themselves, in small letters.
var languages = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for code := range strings.FieldsSeq("hi bn mr te ta gu ur kn or ml pa as ne sd ks sa kok mai doi mni sat bho en de fr es it pt nl ru ar fa he tr zh ja ko th vi id ms si my pl uk") {
		t, err := language.Parse(code)
		if err != nil {
			continue
		}
		for _, name := range []string{display.English.Languages().Name(t), display.Languages(language.Hindi).Name(t), display.Self.Name(t)} {
			if name = strings.ToLower(name); name != "" && out[name] == "" {
				out[name] = code
			}
		}
	}
	return out
})

// languageCode is the code of a language that is written as a name or a code; what is neither stays as it is.
func languageCode(text string) string {
	if code := languages()[strings.ToLower(strings.TrimSpace(text))]; code != "" {
		return code
	}
	return text
}

// symbols are the currencies that people write by a sign.
func symbols() map[string]string {
	return map[string]string{"₹": "INR", "rs": "INR", "rs.": "INR", "re": "INR", "रु": "INR", "रु.": "INR", "रुपये": "INR", "$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
}

// money reads an amount, such as "₹ 1,25,000.50", "EUR 1.250,00" or 1250.5, into the minor unit of its currency, which is the
// given one where the text names none. A text that is none gives a sentence.
func money(text, currency string) (minor int64, code, sentence string) {
	const no = "It is no amount. Write digits with a point before the cents, such as 125000.50, with the currency before it where it is another one."
	word := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || strings.ContainsRune("-+, '’", r) || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text))
	word = strings.Trim(strings.ToLower(word), ".")
	if i := strings.LastIndexByte(word, '.'); i >= 0 && strings.Trim(word, ".") != "" && !strings.HasPrefix(word, "u.") {
		word = strings.ReplaceAll(word, ".", "")
	}
	code = currency
	switch {
	case word == "":
	case symbols()[word] != "":
		code = symbols()[word]
	case len(word) == 3 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "":
		code = strings.ToUpper(word)
	default:
		return 0, "", no
	}
	digits := strings.Trim(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' || r == ',' || r == '-' {
			return r
		}
		return -1
	}, text), ".,")
	if strings.HasPrefix(digits, "-") {
		return 0, "", "A lead's value cannot be less than nothing. Correct it, or leave the cell empty."
	}
	whole, cents := decimal(digits)
	places := lead.MinorDigits(code)
	if strings.Trim(whole+cents, "0123456789") != "" || whole == "" || len(whole) > 15 || len(cents) > places && strings.Trim(cents[places:], "0") != "" {
		return 0, "", no
	}
	for _, d := range whole + (cents + strings.Repeat("0", places))[:places] {
		minor = minor*10 + int64(d-'0')
	}
	return minor, code, ""
}

// decimal cuts an amount at its decimal mark and takes the marks between thousands out. The last mark counts, unless it
// stands before three digits or more than once.
func decimal(s string) (whole, cents string) {
	point, comma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	at := max(point, comma)
	if at < 0 {
		return s, ""
	}
	mark := s[at : at+1]
	after := s[at+1:]
	both := point >= 0 && comma >= 0
	if strings.Count(s, mark) > 1 || !both && len(after) == 3 && (mark == "," || at <= 3 && s[0] != '0') {
		return strings.NewReplacer(".", "", ",", "").Replace(s), ""
	}
	return strings.NewReplacer(".", "", ",", "").Replace(s[:at]), after
}
