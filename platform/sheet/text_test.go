package sheet

import (
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
		got, zoned, err := (&Clock{Order: c.order, Zone: zone, Country: "IN"}).Parse(c.text)
		if err != nil || got.UTC().Truncate(time.Second).Format(time.RFC3339) != c.want || zoned != c.zoned {
			t.Errorf("%q (%s) = %v zoned %v, %v; want %s, %v", c.text, c.order, got.UTC(), zoned, err, c.want, c.zoned)
		}
	}
	for text, want := range map[string]ErrText{
		"31/02/2026 10:11": errImpossible, "2026-13-01 10:11:12": errImpossible, "2026-02-29 10:11:12": errImpossible, "28 Jul 2026 25:00": errImpossible,
		"03/04/2026 10:11": ErrOrder, "2026-07-28": errNoClock, "10:11:12": errNoDate, "": errNoStart, "yesterday": errNoTime,
		"2026-07-28 10:44 XQT": errZone, "28 Jul 2026 17:1": errNoTime,
	} {
		if at, _, err := (&Clock{Zone: zone, Country: "IN"}).Parse(text); err != want {
			t.Errorf("%q = %v, %v; want %v", text, at, err, want)
		}
	}
}

func TestReferencesBecomeCharacters(t *testing.T) {
	for raw, want := range map[string]string{
		"a &amp; b &lt;&gt;&quot;&apos;": `a & b <>"'`, "&#55357;&#56832;": "😀", "&#x1F600;": "😀", "&#2352;&#2357;&#2367;": "रवि",
		"&#55357; alone": " alone", "&#0;x": "x", "&nbsp;": "&nbsp;", "&": "&", "&#;": "&#;", "&#99999999;": "&#99999999;",
	} {
		if got := Unescape([]byte(raw)); got != want {
			t.Errorf("%q = %q, want %q", raw, got, want)
		}
	}
}

func TestCellsOfAWorkbookByTheirStyles(t *testing.T) {
	b := &Book{styles: []numberStyle{plainNumber, builtIn("14"), styleOf("dd/mm/yyyy hh:mm"), styleOf("[h]:mm:ss"), styleOf("h:mm"), styleOf(`"days" 0.00`)}}
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
