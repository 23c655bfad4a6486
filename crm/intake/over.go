package intake

import (
	"slices"
	"strings"

	"parley/crm/contact"
)

// take puts what a row says of a person over what is known, and tells whether that changed anything. Numbers, addresses and
// tags are added.
func (s *someone) take(p *contact.Person, tags []string) (changed bool) {
	put := func(to *string, text string) {
		if text != "" && *to != text {
			*to, changed = text, true
		}
	}
	own := &s.Person
	if p.First != "" || p.Last != "" { // a whole name in one cell is not to leave half of the old one
		if own.First != p.First || own.Last != p.Last {
			own.First, own.Last, changed = p.First, p.Last, true
		}
	}
	put(&own.Company, p.Company)
	put(&own.Title, p.Title)
	put(&own.Photo, p.Photo)
	put(&own.Language, p.Language)
	put(&own.Address.Street, p.Address.Street)
	put(&own.Address.City, p.Address.City)
	put(&own.Address.State, p.Address.State)
	put(&own.Address.Postcode, p.Address.Postcode)
	put(&own.Address.Country, p.Address.Country)
	own.Numbers, changed = union(own.Numbers, p.Numbers, changed)
	own.Emails, changed = union(own.Emails, p.Emails, changed)
	for key, v := range p.Custom {
		if v != "" && own.Custom[key] != v {
			if own.Custom == nil {
				own.Custom = map[string]string{}
			}
			own.Custom[key], changed = v, true
		}
	}
	for _, t := range tags {
		if !slices.ContainsFunc(s.Tags, func(o string) bool { return strings.EqualFold(o, t) }) {
			s.Tags, changed = append(slices.Clone(s.Tags), t), true
		}
	}
	return changed
}

// union adds texts that are not there yet.
func union(have, more []contact.Labelled, changed bool) ([]contact.Labelled, bool) {
	for _, m := range more {
		if !slices.ContainsFunc(have, func(h contact.Labelled) bool { return strings.EqualFold(h.Text, m.Text) }) {
			have, changed = append(slices.Clone(have), m), true
		}
	}
	return have, changed
}
