package region_test

import (
	"testing"
	"time"

	"parley/web/region"
)

func TestCountriesAreNamedInTheReadersLanguage(t *testing.T) {
	for lang, want := range map[string]string{"en": "India", "hi": "भारत"} {
		countries := region.Countries(lang)
		if len(countries) < 240 {
			t.Errorf("%s lists %d countries, want all of about 248", lang, len(countries))
		}
		found := ""
		for _, c := range countries {
			if c.Code == "IN" {
				found = c.Name
			}
			if c.Name == "" || region.MainZone(c.Code) == "" {
				t.Errorf("%s: country %s has the name %q and the zone %q", lang, c.Code, c.Name, region.MainZone(c.Code))
			}
		}
		if found != want {
			t.Errorf("%s calls India %q, want %q", lang, found, want)
		}
	}
}

func TestAZoneIsGuessedFromTheCountry(t *testing.T) {
	for country, want := range map[string]string{"IN": "Asia/Kolkata", "DE": "Europe/Berlin", "US": "America/New_York", "RU": "Europe/Moscow", "AU": "Australia/Sydney", "ZZ": ""} {
		if got := region.MainZone(country); got != want {
			t.Errorf("the zone of %s is %q, want %q", country, got, want)
		}
	}
}

func TestEveryZoneIsKnownToTheMachine(t *testing.T) {
	for _, z := range region.Zones() {
		if _, err := time.LoadLocation(z.Name); err != nil {
			t.Errorf("%s: %v", z.Name, err)
		}
	}
}

func TestOffsetsAndLanguages(t *testing.T) {
	at := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	for zone, want := range map[string]string{"Asia/Kolkata": "UTC+5:30", "Europe/Berlin": "UTC+1", "America/St_Johns": "UTC−3:30", "UTC": "UTC+0"} {
		if got := region.Offset(zone, at); got != want {
			t.Errorf("%s is at %q, want %q", zone, got, want)
		}
	}
	for header, want := range map[string]string{"hi,en-IN;q=0.8": "IN", "de-DE,de;q=0.9": "DE", "en": "", "": "", "%": ""} {
		if got := region.Guess(header); got != want {
			t.Errorf("%q speaks of %q, want %q", header, got, want)
		}
	}
}
