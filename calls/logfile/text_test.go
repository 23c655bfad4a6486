package logfile

import (
	"strings"
	"testing"

	"parley/platform/sheet"
)

func TestDurationsInEveryUnit(t *testing.T) {
	for _, c := range []struct {
		text, header string
		want         int
	}{
		{"95", "Duration", 95}, {"", "Duration", 0}, {"-", "Duration", 0}, {"1:35", "Duration", 95}, {"125:03", "Duration", 7503}, {"0:01:35", "Duration", 95},
		{"1h 2m 3s", "Duration", 3723}, {"2 min", "Duration", 120}, {"2 minutes 5 seconds", "", 125}, {"1 Std. 2 Min. 3 Sek.", "Dauer", 3723},
		{"2 मिनट 5 सेकंड", "अवधि", 125}, {"PT1M23S", "", 83}, {"12.7", "billsec", 12}, {"1,234", "", 1234}, {"2.5", "Duration (min)", 150},
		{"0.95", "Duration (hours)", 3420}, {"95000", "talk_ms", 95}, {"1:35", "Duration (hh:mm)", 5700}, {"0h 0m 0s", "", 0},
	} {
		if got, err := parseDuration(c.text, unitOf(c.header)); err != nil || got != c.want {
			t.Errorf("%q under %q = %d, %v; want %d", c.text, c.header, got, err, c.want)
		}
	}
	for text, want := range map[string]sheet.ErrText{"-5": errNegative, "-0:05": errNegative, "95000": errHours, "30:00:00": errHours, "0.0125": errFraction, "soon": errDuration,
		"1:75": errDuration, "1:2:3:4:5": errDuration, "5 parsecs": errDuration, "99999999999999999999999": errDuration, "1e5": errDuration} {
		if got, err := parseDuration(text, seconds); err != want {
			t.Errorf("%q = %d, %v; want %v", text, got, err, want)
		}
	}
}

func TestNumbersStayAsWrittenUnlessASpreadsheetBentThem(t *testing.T) {
	for text, want := range map[string]string{
		"+91 98123 00001": "+91 98123 00001", "9.19812300001E+11": "919812300001", "9,19812300001E+11": "919812300001", "919812300001.0": "919812300001", `="+919812300001"`: "+919812300001",
		"'+919812300001": "+919812300001", "tel:+919812300001": "+919812300001", "*123#": "*123#", "AD-BANK": "AD-BANK", "110": "110",
		"(Unknown)": "", "Private number": "", "-1": "", "-2": "", "null": "", "": "", "1234567890123456789012345678901234567890": "1234567890123456789012345678901234567890",
	} {
		if got, _, bad := numberText(text); bad != nil || got != want {
			t.Errorf("%q = %q, %v; want %q", text, got, bad, want)
		}
	}
	for _, text := range []string{"9.198E+11", "9.198e11", strings.Repeat("9", 200), "98123\x0000001"} {
		if got, _, bad := numberText(text); bad == nil {
			t.Errorf("%q was taken as %q", text, got)
		}
	}
}

func TestLegsAtTheSameTimeCountOnce(t *testing.T) {
	for _, c := range []struct {
		legs []talk
		want int64
	}{
		{nil, 0}, {[]talk{{10, 70}}, 60}, {[]talk{{10, 70}, {100, 130}}, 90}, {[]talk{{100, 130}, {10, 70}}, 90}, {[]talk{{10, 70}, {40, 90}}, 80}, {[]talk{{10, 70}, {20, 30}}, 60}, {[]talk{{10, 70}, {20, 30}, {60, 80}}, 70},
	} {
		if got := spokenSeconds(c.legs); got != c.want {
			t.Errorf("%v is %d seconds, want %d", c.legs, got, c.want)
		}
	}
}
