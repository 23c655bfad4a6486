package intake

import "testing"

func TestAmountsAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]struct {
		minor int64
		code  string
	}{
		"125000": {12500000, "INR"}, "₹1,25,000.50": {12500050, "INR"}, "Rs. 500": {50000, "INR"}, "1,250.5": {125050, "INR"}, "EUR 1.250,00": {125000, "EUR"}, "$99.9": {9990, "USD"},
		"1.250.000": {125000000, "INR"}, "12,5": {1250, "INR"}, "5000 JPY": {5000, "JPY"}, "0": {0, "INR"}, "1250.5": {125050, "INR"}, "1,250": {125000, "INR"}, "10.000": {1000000, "INR"}, "100.00": {10000, "INR"},
	} {
		if minor, code, bad := money(text, "INR"); minor != want.minor || code != want.code || bad != "" {
			t.Errorf("%q is %d %s %s, want %v", text, minor, code, bad, want)
		}
	}
	for _, text := range []string{"much", "-5", "5 lakh", "1e5", "1.234567", "", "₹"} {
		if minor, code, bad := money(text, "INR"); bad == "" {
			t.Errorf("%q was taken as %d %s", text, minor, code)
		}
	}
}

func TestCountriesAndLanguagesByName(t *testing.T) {
	for text, want := range map[string]string{"India": "IN", "भारत": "IN", "in": "in", "USA": "US", "United  Kingdom": "GB", "DEU": "DE", "Atlantis": "Atlantis", "": ""} {
		if got := countryCode(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"Hindi": "hi", "हिन्दी": "hi", "ta": "ta", "தமிழ்": "ta", "Elvish": "Elvish"} {
		if got := languageCode(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestNumbersThatASpreadsheetBent(t *testing.T) {
	for text, want := range map[string]string{"9.19812300001E+11": "919812300001", "919812300001.0": "919812300001", `="+919812300001"`: "+919812300001", "'0800": "0800", "+91 98 00000000": "+91 98 00000000"} {
		if got, bad := numberText(text); got != want || bad != "" {
			t.Errorf("%q is %q %s, want %q", text, got, bad, want)
		}
	}
	for _, text := range []string{"9.1E+11", "9.198E11", "910000000000"} {
		if got, bad := numberText(text); bad == "" {
			t.Errorf("%q was taken as %q", text, got)
		}
	}
}
