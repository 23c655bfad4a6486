package sheet_test

import (
	"testing"

	"parley/platform/sheet"
)

// A cell that a spreadsheet would take for a formula, or for a number that it is not, must not be in a CSV.
func TestCSVIsSafeInASpreadsheet(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+1+1": "'+1+1", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", " =1+1": "' =1+1",
		"＝1+1": "'＝1+1", "+919812300001": "tel:+919812300001", "+91 98123 00001": "'+91 98123 00001", "+": "'+", "+९१": "'+९१",
		"Asha": "Asha", "": "", "a=1": "a=1", "é=": "é=", "12": "12",
	} {
		if got := sheet.SafeText(text, false); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
}
