package contact

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"parley/account"
	"parley/crm/field"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/freetext"
)

const (
	maxName   = 120 // characters of a name, a company, a line of an address
	maxEach   = 20  // numbers, and addresses, of one contact
	maxTag    = 40
	maxTags   = 30
	maxPhoto  = 1000
	maxOrigin = 40
)

// check puts a person into canonical form, or refuses with a sentence about the field. Numbers of the organisation's country
// may be written as they are dialled there.
func check(org *account.Org, defs []field.Def, p *Person) error {
	for _, f := range []struct {
		name string
		text *string
	}{
		{"first", &p.First}, {"last", &p.Last}, {"company", &p.Company}, {"title", &p.Title},
		{"street", &p.Address.Street}, {"city", &p.Address.City}, {"state", &p.Address.State}, {"postcode", &p.Address.Postcode},
	} {
		var err error
		if *f.text, err = line(f.name, *f.text); err != nil {
			return err
		}
	}
	for _, one := range []func() error{func() error { return checkCountry(p) }, func() error { return checkNumbers(org, p) }, func() error { return checkEmails(p) }, func() error { return checkPhoto(p) }, func() error { return checkLanguage(p) }} {
		if err := one(); err != nil {
			return err
		}
	}
	if p.Custom != nil {
		custom, err := field.Check(defs, p.Custom)
		if err != nil {
			return err
		}
		p.Custom = custom
	}
	if p.First == "" && p.Last == "" && p.Company == "" && len(p.Numbers) == 0 && len(p.Emails) == 0 {
		return fault.Field("first", "Nothing says who this is. Give a name, a company, a number or an e-mail address.")
	}
	return nil
}

// line is a text of one line: without line breaks, marks that turn the direction for what follows, and blanks at the ends.
func line(name, text string) (string, error) {
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d': // joiners, which some scripts and emoji need
			return r
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == '\ufeff':
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text, ""))), " ")
	if n := utf8.RuneCountInString(text); n > maxName {
		return "", fault.Field(name, "The text has %d characters; at most %d fit. Shorten it.", n, maxName)
	}
	return text, freetext.Check(name, text)
}

func checkCountry(p *Person) error {
	c := strings.ToUpper(strings.TrimSpace(p.Address.Country))
	if c == "" {
		p.Address.Country = ""
		return nil
	}
	if len(c) == 2 {
		if r, err := language.ParseRegion(c); err == nil && r.IsCountry() {
			p.Address.Country = r.String()
			return nil
		}
	}
	return fault.Field("country", "%q is no country. Write its code of two letters, such as IN.", p.Address.Country)
}

func checkNumbers(org *account.Org, p *Person) error {
	var out []Labelled
	for _, n := range p.Numbers {
		if strings.TrimSpace(n.Text) == "" {
			continue
		}
		num := phone.Parse(n.Text, org.Country)
		if d := len(phone.Digits(num.Raw)); d < 3 || d > 20 {
			return fault.Field("number", "%q is not a phone number. Write its digits, with the country code where it is abroad.", n.Text)
		}
		label, err := line("number", n.Label)
		if err != nil {
			return err
		}
		if text := num.Canonical(); !slices.ContainsFunc(out, func(o Labelled) bool { return o.Text == text }) {
			out = append(out, Labelled{label, text})
		}
	}
	if len(out) > maxEach {
		return fault.Field("number", "A contact can have at most %d numbers; %d were given.", maxEach, len(out))
	}
	p.Numbers = out
	return nil
}

func checkEmails(p *Person) error {
	var out []Labelled
	for _, e := range p.Emails {
		text := strings.TrimSpace(e.Text)
		if text == "" {
			continue
		}
		a, err := mail.ParseAddress(text)
		if err != nil || a.Address != text || len(text) > 254 {
			return fault.Field("email", "%q is not an e-mail address. Write one such as meera@example.com.", e.Text)
		}
		label, err := line("email", e.Label)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(out, func(o Labelled) bool { return strings.EqualFold(o.Text, text) }) {
			out = append(out, Labelled{label, text})
		}
	}
	if len(out) > maxEach {
		return fault.Field("email", "A contact can have at most %d e-mail addresses; %d were given.", maxEach, len(out))
	}
	p.Emails = out
	return nil
}

func checkPhoto(p *Person) error {
	if p.Photo = strings.TrimSpace(p.Photo); p.Photo == "" {
		return nil
	}
	u, err := url.Parse(p.Photo)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(p.Photo) > maxPhoto {
		return fault.Field("photo", "The photo's address must begin with https:// and have at most %d characters. The picture itself is not fetched.", maxPhoto)
	}
	return nil
}

func checkLanguage(p *Person) error {
	if p.Language = strings.TrimSpace(p.Language); p.Language == "" {
		return nil
	}
	t, err := language.Parse(p.Language)
	if err != nil {
		return fault.Field("language", "%q is no language. Write its code, such as hi or en-IN.", p.Language)
	}
	p.Language = t.String()
	return nil
}

// CleanTags trims tags, splits them at commas, drops empty and repeated ones whatever their capitals, and sorts them.
func CleanTags(tags []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for t := range strings.SplitSeq(strings.Join(tags, ","), ",") {
		t = strings.Join(strings.Fields(strings.ToValidUTF8(t, "")), " ")
		if t == "" || seen[strings.ToLower(t)] {
			continue
		}
		if n := utf8.RuneCountInString(t); n > maxTag {
			return nil, fault.Field("tags", "A tag has %d characters; at most %d fit. Shorten it.", n, maxTag)
		}
		if err := freetext.Check("tags", t); err != nil {
			return nil, err
		}
		seen[strings.ToLower(t)] = true
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, fault.Field("tags", "A contact can have at most %d tags; %d were given.", maxTags, len(out))
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return out, nil
}
