package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"

	"parley/platform/fault"
)

// Lengths in characters. The lower bound is above NIST SP 800-63B's 8, since there is no second factor yet; the upper
// one keeps hashing and guessing cheap.
const (
	MinLength = 10
	MaxLength = 128
)

const (
	// minScore is zxcvbn's 0 to 4: below 2 fewer than a million guesses suffice.
	minScore = 2
	// judged is how many characters the estimate looks at: its cost grows with the square of the length.
	judged = 48
	// telling is the shortest word about a person that a password must not consist of.
	telling = 4
)

// Check refuses a password that is too short, common, or made of what others know about the person: about lists the
// e-mail address, the names of person and company.
func Check(password string, about ...string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return fault.Field("password", "The password has characters that cannot be read. Type it again.")
	case n < MinLength:
		return fault.Field("password", "The password has %d characters; it needs at least %d. Three or four words in a row are easy to remember.", n, MinLength)
	case n > MaxLength:
		return fault.Field("password", "The password has %d characters; it may have at most %d.", n, MaxLength)
	}
	words := aboutWords(about)
	if rest := without(password, words); utf8.RuneCountInString(rest) < MinLength/2 {
		return fault.Field("password", "The password is made of your name, e-mail address or company, which others know. Choose words that have nothing to do with you.")
	}
	if zxcvbn.PasswordStrength(string([]rune(password)[:min(n, judged)]), words).Score < minScore {
		return fault.Field("password", "This password is among the first that people try. Take three or four words that do not belong together.")
	}
	return nil
}

// aboutWords cuts what is known about a person into words, lower case, the whole texts first.
func aboutWords(about []string) []string {
	var words []string
	for _, text := range about {
		text = strings.ToLower(strings.TrimSpace(text))
		parts := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, w := range append([]string{text}, parts...) {
			if utf8.RuneCountInString(w) >= telling {
				words = append(words, w)
			}
		}
	}
	return words
}

// without is what is left of a password when the words are taken out of it.
func without(password string, words []string) string {
	rest := strings.ToLower(password)
	for _, w := range words {
		rest = strings.ReplaceAll(rest, w, "")
	}
	return rest
}
