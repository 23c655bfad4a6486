package vcard

import (
	"slices"
	"strings"
)

// builder puts a card together from its properties.
type builder struct {
	c      Card
	groups map[string]string // own labels by group: item1 → Site office
	phones []draft
	emails []draft
	places []place
	long   string // a property that was too long
}

// draft is a number or address whose own label may come later.
type draft struct {
	group     string
	preferred bool
	Typed
}

type place struct {
	group     string
	preferred bool
	Address
}

// add takes one property in. Those without a meaning here are left out.
func (b *builder) add(p raw) {
	c := &b.c
	switch p.name {
	case "FN":
		if c.Formatted == "" {
			c.Formatted = p.line()
		}
	case "N":
		b.name(&p)
	case "ORG":
		if parts := p.parts(); c.Company == "" {
			c.Company = oneLine(parts[0])
			c.Units = filled(parts[1:])
		}
	case "TITLE":
		if c.Title == "" {
			c.Title = p.line()
		}
	case "TEL":
		b.phones = append(b.phones, p.draft(p.number()))
	case "EMAIL":
		b.emails = append(b.emails, p.draft(cutPrefix(p.line(), "mailto:")))
	case "ADR":
		b.address(&p)
	case "NOTE":
		if note := clean(unescape(p.text())); note != "" && len(c.Notes) < maxEach {
			c.Notes = append(c.Notes, note)
		}
	case "CATEGORIES":
		for _, t := range p.list(',') {
			if t = oneLine(t); t != "" && len(c.Categories) < maxEach && !slices.Contains(c.Categories, t) {
				c.Categories = append(c.Categories, t)
			}
		}
	case "LANG", "X-LANG":
		if c.Language == "" {
			c.Language = p.line()
		}
	case "X-ABLABEL":
		b.groups[p.group] = ownLabel(unescape(p.text()))
	case "PHOTO", "LOGO", "SOUND", "KEY":
		b.binary(&p)
	default:
		if text := clean(unescape(p.text())); strings.HasPrefix(p.name, "X-") && len(p.name) > 2 && text != "" && len(c.Extra) < maxEach {
			c.Extra = append(c.Extra, Property{p.name, text})
		}
	}
}

func (b *builder) name(p *raw) {
	c := &b.c
	if joined("", c.Last, c.First, c.Middle, c.Prefix, c.Suffix) != "" {
		return
	}
	for i, to := range []*string{&c.Last, &c.First, &c.Middle, &c.Prefix, &c.Suffix} {
		if parts := p.parts(); i < len(parts) {
			*to = oneLine(parts[i])
		}
	}
}

func (b *builder) address(p *raw) {
	parts := p.parts()
	for len(parts) < 7 {
		parts = append(parts, "")
	}
	for i := range parts {
		parts[i] = oneLine(parts[i])
	}
	a := place{group: p.group, preferred: p.preferred(), Address: Address{
		Label: labelOf(p.params["TYPE"]), Street: joined(", ", parts[0], parts[1], parts[2]), City: parts[3], State: parts[4], Postcode: parts[5], Country: parts[6],
	}}
	if joined("", a.Street, a.City, a.State, a.Postcode, a.Country) != "" {
		b.places = append(b.places, a)
	}
}

// binary keeps a photo's address on the web and counts what is within the card.
func (b *builder) binary(p *raw) {
	if len(p.params["ENCODING"]) == 0 {
		if at := web(strings.TrimSpace(string(p.value))); at != "" {
			if p.name == "PHOTO" && b.c.Photo == "" {
				b.c.Photo = at
			}
			return
		}
	}
	b.c.Dropped++
}

// done gives the card, or says what is wrong with it.
func (b *builder) done(crowded bool, r *Reader) (*Card, error) {
	switch {
	case crowded:
		return nil, r.refuse("The card has more than 1,000 properties, which no card of a person has. Remove some, or export it again.")
	case b.long != "":
		return nil, r.refuse("The card's property " + b.long + " is longer than 64 KB. Shorten it, or remove it from the card.")
	}
	c := &b.c
	c.Phones, c.Emails = b.typed(b.phones), b.typed(b.emails)
	slices.SortStableFunc(b.places, func(x, y place) int { return first(x.preferred, y.preferred) })
	for _, a := range b.places[:min(len(b.places), maxEach)] {
		if own, ok := b.groups[a.group]; ok && a.group != "" {
			a.Label = own
		}
		c.Addresses = append(c.Addresses, a.Address)
	}
	if c.Formatted == "" {
		c.Formatted = joined(" ", c.Prefix, c.First, c.Middle, c.Last, c.Suffix)
	}
	return c, nil
}

// typed gives numbers or addresses, the preferred ones first.
func (b *builder) typed(drafts []draft) []Typed {
	slices.SortStableFunc(drafts, func(x, y draft) int { return first(x.preferred, y.preferred) })
	var out []Typed
	for _, d := range drafts {
		if own, ok := b.groups[d.group]; ok && d.group != "" {
			d.Label = own
		}
		if d.Text != "" && len(out) < maxEach {
			out = append(out, d.Typed)
		}
	}
	return out
}

func first(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	default:
		return 1
	}
}

func (p *raw) draft(text string) draft {
	return draft{group: p.group, preferred: p.preferred(), Typed: Typed{Label: labelOf(p.params["TYPE"]), Text: strings.TrimSpace(text)}}
}

// number is a phone number: as it stands, or out of an URI such as tel:+91-98123-00001;ext=7.
func (p *raw) number() string {
	text := p.line()
	if rest := cutPrefix(text, "tel:"); rest != text {
		text, _, _ = strings.Cut(rest, ";")
	}
	return text
}

// cutPrefix takes a scheme away, whatever its capitals.
func cutPrefix(text, scheme string) string {
	if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		return text[len(scheme):]
	}
	return text
}

// preferred tells whether a property is the first choice: TYPE=pref of 3.0, PREF=1 of 4.0.
func (p *raw) preferred() bool { return p.has("TYPE", "pref") || p.has("PREF", "1") }

func (p *raw) line() string { return oneLine(unescape(p.text())) }

// parts are the components of a structured value: texts between semicolons.
func (p *raw) parts() []string { return p.list(';') }

// list cuts the value at a separator that is not escaped, and takes the escapes out.
func (p *raw) list(sep byte) []string {
	text := p.text()
	var out []string
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case sep:
			out = append(out, unescape(text[from:i]))
			from = i + 1
		}
	}
	return append(out, unescape(text[from:]))
}

func filled(texts []string) []string {
	var out []string
	for _, t := range texts {
		if t = oneLine(t); t != "" && len(out) < maxEach {
			out = append(out, t)
		}
	}
	return out
}

// unescape puts characters for \n, \, \; \: and \\.
func unescape(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case 'n', 'N':
			b.WriteByte('\n')
		case ',', ';', ':', '\\':
			b.WriteByte(text[i])
		default: // no escape: a path of Windows
			b.WriteByte('\\')
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
