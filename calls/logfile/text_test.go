package logfile

import (
	"strings"
	"testing"
	"time"
)

func TestTimesAsPeopleAndProgramsWriteThem(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text  string
		order DateOrder
		want  string // UTC
		zoned bool
	}{
		{"2026-07-28 10:44:41", "", "2026-07-28T05:14:41Z", false},
		{"2026-07-28 10:44:41 IST", "", "2026-07-28T05:14:41Z", true},
		{"2026-07-28T10:44:41+02:00", "", "2026-07-28T08:44:41Z", true},
		{"2026-07-28T10:44:41.250Z", "", "2026-07-28T10:44:41Z", true},
		{"2026-07-28 10:44:41 +0530", "", "2026-07-28T05:14:41Z", true},
		{"2026-07-28 10:44 GMT+5:30", "", "2026-07-28T05:14:00Z", true},
		{"28 Jul 2026, 05:11 PM", "", "2026-07-28T11:41:00Z", false},
		{"28 Jul 2026, 05:11\u202fpm", "", "2026-07-28T11:41:00Z", false},
		{"Jul 28, 2026 5:11:02 p.m.", "", "2026-07-28T11:41:02Z", false},
		{"Tue, 28-Jul-26 17:11", "", "2026-07-28T11:41:00Z", false},
		{"28.07.2026 17:11 Uhr", "", "2026-07-28T11:41:00Z", false},
		{"28. Juli 2026 17:11", "", "2026-07-28T11:41:00Z", false},
		{"28 जुलाई 2026, 05:11 अपराह्न", "", "2026-07-28T11:41:00Z", false},
		{"२८/०७/२०२६ १७:११", "dmy", "2026-07-28T11:41:00Z", false},
		{"03/04/2026 10:11", "dmy", "2026-04-03T04:41:00Z", false},
		{"03/04/2026 10:11", "mdy", "2026-03-04T04:41:00Z", false},
		{"26/04/03 10:11", "ymd", "2026-04-03T04:41:00Z", false},
		{"13/04/2026 10:11", "", "2026-04-13T04:41:00Z", false},
		{"4/13/26 12:05 AM", "mdy", "2026-04-12T18:35:00Z", false},
		{"10:11 28-07-2026", "dmy", "2026-07-28T04:41:00Z", false},
		{"1775015400", "", "2026-04-01T03:50:00Z", true},
		{"1775015400000", "", "2026-04-01T03:50:00Z", true},
		{"1775015400.5", "epoch", "2026-04-01T03:50:00Z", true},
		{"86400", "epoch", "1970-01-02T00:00:00Z", true},
		{"0", "epoch_ms", "1970-01-01T00:00:00Z", true},
		{"20260728104441", "", "2026-07-28T05:14:41Z", false},
		{"46231.447696759", "", "2026-07-28T05:14:41Z", false},
		{"Tue Jul 28 2026 10:44:41 GMT+0530 (India Standard Time)", "", "2026-07-28T05:14:41Z", true},
		{"2099-12-31 23:59:59", "", "2099-12-31T18:29:59Z", false},
	} {
		got, zoned, err := (&clock{order: c.order, zone: zone, country: "IN"}).parse(c.text)
		if err != nil || got.UTC().Truncate(time.Second).Format(time.RFC3339) != c.want || zoned != c.zoned {
			t.Errorf("%q (%s) = %v zoned %v, %v; want %s, %v", c.text, c.order, got.UTC(), zoned, err, c.want, c.zoned)
		}
	}
	for text, want := range map[string]errText{
		"31/02/2026 10:11": errImpossible, "2026-13-01 10:11:12": errImpossible, "2026-02-29 10:11:12": errImpossible, "28 Jul 2026 25:00": errImpossible,
		"03/04/2026 10:11": errOrder, "2026-07-28": errNoClock, "10:11:12": errNoDate, "": errNoDate, "yesterday": errNoTime,
		"2026-07-28 10:44 XQT": errZone, "28 Jul 2026 17:1": errNoTime,
	} {
		if at, _, err := (&clock{zone: zone, country: "IN"}).parse(text); err != want {
			t.Errorf("%q = %v, %v; want %v", text, at, err, want)
		}
	}
}

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
	for text, want := range map[string]errText{"-5": errNegative, "-0:05": errNegative, "95000": errHours, "30:00:00": errHours, "0.0125": errFraction, "soon": errDuration,
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

func TestReferencesBecomeCharacters(t *testing.T) {
	for raw, want := range map[string]string{
		"a &amp; b &lt;&gt;&quot;&apos;": `a & b <>"'`, "&#55357;&#56832;": "😀", "&#x1F600;": "😀", "&#2352;&#2357;&#2367;": "रवि",
		"&#55357; alone": " alone", "&#0;x": "x", "&nbsp;": "&nbsp;", "&": "&", "&#;": "&#;", "&#99999999;": "&#99999999;",
	} {
		if got := unescape([]byte(raw)); got != want {
			t.Errorf("%q = %q, want %q", raw, got, want)
		}
	}
}
