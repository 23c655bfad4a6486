package freetext_test

import (
	"strconv"
	"strings"
	"testing"

	"parley/platform/fault"
	"parley/trust/freetext"
)

func kinds(text string) string {
	var out []string
	for _, f := range freetext.All(text) {
		out = append(out, string(f.Kind))
	}
	return strings.Join(out, " ")
}

// The cards are the test numbers of the networks; the Aadhaar numbers are made up with right check digits.
func TestNumbersOfCardsAndIdentitiesAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"paid with 4111 1111 1111 1111 today": "card",
		"4111111111111111":                    "card",
		"5555-5555-5555-4444, expires 04/29":  "card",
		"amex 378282246310005":                "card",
		"amex 3782 822463 10005":              "card",
		"diners 3056 930902 5904":             "card",
		"rupay 6521 1111 1111 1110":           "card",
		"कार्ड ४१११ ११११ ११११ ११११": "card",
		"card4111111111111111":                         "",
		"4111 1111 1111 1112":                          "", // the check digit is wrong
		"order 9111111111111111":                       "", // no network begins so
		"2345 6789 0124":                               "aadhaar",
		"aadhaar 234567890124":                         "aadhaar",
		"2345-6789-0124 and 4111111111111111":          "aadhaar card",
		"2345 6789 0125":                               "", // the check digit is wrong
		"1345 6789 0124":                               "",
		"his PAN is ABCPE1234F.":                       "pan",
		"pan abcpe1234f":                               "pan",
		"ABCDE1234F":                                   "", // the fourth letter says nothing
		"XABCPE1234F":                                  "",
		"call back on +91 98123 00001 or 9812300001":   "",
		"919812300001, 00919812300017, +4915112345678": "",
		"invoice 20260415-0017, 12 pieces at 1,499.00": "",
		"valid 4111 1111 1111 1111 12/27":              "card",
		"4111 1111 1111 1111 2345 6789 0124":           "card aadhaar",
		"7 4111 1111 1111 1111":                        "card",
		"AADHAAR 23456 78901 24":                       "aadhaar",
		"23456 78901 24":                               "", // grouped as a phone number may be
		"":                                             "",
	} {
		if got := kinds(text); got != want {
			t.Errorf("%q has %q, want %q", text, got, want)
		}
	}
}

// No phone number is taken for something else, whatever its last digits are.
func TestPhoneNumbersAreNeverRefused(t *testing.T) {
	for i := range 20_000 {
		n := 9812300000 + i*37
		local := strconv.Itoa(n)
		for _, text := range []string{local, "+91" + local, "+91 " + local[:5] + " " + local[5:], "91" + local, "0091" + local, "0" + local, local[:5] + "-" + local[5:],
			"91 " + local[:5] + " " + local[5:], "91-" + local, "0091 " + local[:5] + " " + local[5:], local + " 22", local[:3] + " " + local[3:6] + " " + local[6:]} {
			if got := kinds("ring " + text); got != "" {
				t.Fatalf("%q is taken for %s", text, got)
			}
		}
	}
}

func TestATextIsRefusedOrMasked(t *testing.T) {
	const text = "Card 4111 1111 1111 1111, PAN ABCPE1234F, ring +91 98123 00001"
	err := freetext.Check("note", text)
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "payment card") || strings.Contains(fault.Sentence(err), "4111") {
		t.Errorf("the check says %v", err)
	}
	if err := freetext.Check("note", "ring +91 98123 00001"); err != nil {
		t.Error(err)
	}
	if got := freetext.Mask(text); got != "Card [card number removed], PAN [PAN removed], ring +91 98123 00001" {
		t.Errorf("masked: %s", got)
	}
	if got := freetext.Mask(freetext.Mask(text)); freetext.All(got) != nil {
		t.Errorf("masked twice: %s", got)
	}
}

func FuzzMaskedTextsHoldNothing(f *testing.F) {
	for _, s := range []string{"4111 1111 1111 1111", "२३४५ ६७८९ ०१२४", "ABCPE1234F", "\xff4111111111111111\x00", "4111-1111-1111-1111-2345 6789 0124"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range freetext.All(text) {
			if x.From < 0 || x.To > len(text) || x.From >= x.To {
				t.Fatalf("%+v of %d bytes", x, len(text))
			}
		}
		if left := freetext.All(freetext.Mask(text)); len(left) > 0 {
			t.Errorf("%q is masked as %q, in which is %+v", text, freetext.Mask(text), left)
		}
	})
}
