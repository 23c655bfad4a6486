// Package region knows the countries and time zones that people choose from on forms.
package region

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"parley/platform/civil"
)

// Country is a country under its ISO 3166-1 code.
type Country struct {
	Code string // "IN"
	Name string // in the reader's language
}

// Zones lists the zones, sorted by name, with UTC as the last.
func Zones() []civil.Zone {
	out := slices.SortedFunc(slices.Values(civil.Zones()), func(a, b civil.Zone) int { return strings.Compare(a.Name, b.Name) })
	return append(out, civil.Zone{Name: "UTC"})
}

// MainZone is the zone in which most people of a country live, "" for a country that is not known.
func MainZone(country string) string {
	for _, z := range civil.Zones() {
		if z.Country == country {
			return z.Name
		}
	}
	return ""
}

// Offset is what a zone's clocks show at a time against UTC: "UTC+5:30".
func Offset(zone string, at time.Time) string {
	z, err := time.LoadLocation(zone)
	if err != nil {
		return ""
	}
	_, seconds := at.In(z).Zone()
	sign, minutes := "+", seconds/60
	if minutes < 0 {
		sign, minutes = "−", -minutes
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("UTC%s%d", sign, minutes/60)
	}
	return fmt.Sprintf("UTC%s%d:%02d", sign, minutes/60, minutes%60)
}

// Countries lists every country that has an inhabited time zone, named and sorted in a language such as "en" or "hi".
func Countries(lang string) []Country {
	tag := language.Make(lang)
	names := display.Regions(tag)
	var out []Country
	for _, z := range civil.Zones() {
		if !z.Main {
			continue
		}
		if r, err := language.ParseRegion(z.Country); err == nil && r.IsCountry() {
			out = append(out, Country{Code: z.Country, Name: names.Name(r)})
		}
	}
	order := collate.New(tag)
	slices.SortFunc(out, func(a, b Country) int { return order.CompareString(a.Name, b.Name) })
	return out
}

// Guess is the country that a browser's Accept-Language speaks of, "" when it names none.
func Guess(acceptLanguage string) string {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return ""
	}
	for _, t := range tags {
		if r, sure := t.Region(); sure == language.Exact && MainZone(r.String()) != "" {
			return r.String()
		}
	}
	return ""
}
