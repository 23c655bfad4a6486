package account

import (
	"context"
	"net/mail"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/platform/fault"
	"parley/platform/vault"
)

// maxEmail is the longest address that mail servers take (RFC 5321, 4.5.3.1.3).
const maxEmail = 254

// parseEmail reads an address as people type it. Addresses are compared in lower case.
func parseEmail(field, s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return "", fault.Field(field, "An e-mail address is needed.")
	}
	p, err := mail.ParseAddress(s)
	if err != nil || p.Address != s || len(s) > maxEmail {
		return "", fault.Field(field, "This is not an e-mail address. Write it like name@example.com.")
	}
	return s, nil
}

// installation is the organisation number under which the vault keeps the keys of the installation itself.
const installation = 0

// personKey is the index under which an address is found, in whatever organisation.
func (a *Accounts) personKey(ctx context.Context, email string) ([]byte, error) {
	k, err := a.keys.Org(ctx, installation)
	if err != nil {
		return nil, err
	}
	return k.Index("email", email), nil
}

// seal encrypts a text of an organisation; an empty text is kept as NULL.
func seal(k *vault.OrgKeys, field, text string) any {
	if text == "" {
		return nil
	}
	return k.Seal(field, []byte(text))
}

func open(k *vault.OrgKeys, field string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := k.Open(field, sealed)
	return string(plain), err
}

const maxName = 100

// cleanName reads one line of text. what is how the sentence calls it.
func cleanName(field, what, s string) (string, error) {
	s, err := cleanText(field, what, s)
	if err == nil && s == "" {
		return "", fault.Field(field, "%s is needed.", what)
	}
	return s, err
}

// cleanText is cleanName for what may stay empty.
func cleanText(field, what, s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fault.Field(field, "%s has characters that cannot be shown. Type it again.", what)
	}
	if n := utf8.RuneCountInString(s); n > maxName {
		return "", fault.Field(field, "%s has %d characters; it may have at most %d.", what, n, maxName)
	}
	return s, nil
}

// plural writes a count of something, as in "1 minute" and "5 minutes".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
