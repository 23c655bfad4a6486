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
		"03/04/2026 10:11": errOrder, "2026-07-28": errNoClock, "10:11:12": errNoDate, "": errNoStart, "yesterday": errNoTime,
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

func TestCellsOfAWorkbookByTheirStyles(t *testing.T) {
	b := &book{styles: []numberStyle{plainNumber, builtIn("14"), styleOf("dd/mm/yyyy hh:mm"), styleOf("[h]:mm:ss"), styleOf("h:mm"), styleOf(`"days" 0.00`)}}
	for _, c := range []struct {
		raw   string
		style int
		want  string
	}{
		{"9.19812300001E11", 0, "919812300001"}, {"0.5", 0, "0.5"}, {"46231", 1, "2026-07-28"}, {"46231.447696759", 2, "2026-07-28 10:44:41"},
		{"1.0868055555", 3, "26:05:00"}, {"0.00144675925", 4, "0:02:05"}, {"46231.5", 4, "2026-07-28 12:00:00"}, {"3", 5, "3"}, {"1E400", 0, "1E400"}, {"7", 99, "7"},
	} {
		if got := b.number(c.raw, c.style); got != c.want {
			t.Errorf("%s in style %d is %q, want %q", c.raw, c.style, got, c.want)
		}
	}
	b.since1904 = true
	if got := b.number("44769", 1); got != "2026-07-28" {
		t.Errorf("counted from 1904: %q", got)
	}
}
