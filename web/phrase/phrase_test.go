package phrase_test

import (
	"testing"
	"time"

	"parley/platform/civil"
	"parley/web/phrase"
)

func TestDigitsAreGroupedAsTheRegionDoes(t *testing.T) {
	for _, c := range []struct {
		locale string
		n      int64
		want   string
	}{
		{"en-IN", 123456, "1,23,456"}, {"en-IN", 12345678, "1,23,45,678"}, {"hi", 100000, "1,00,000"},
		{"en", 123456, "123,456"}, {"en-US", 1234567, "1,234,567"}, {"en", 999, "999"}, {"en-IN", -4321, "−4,321"}, {"en", 0, "0"},
	} {
		if got := phrase.For(c.locale).Number(c.n); got != c.want {
			t.Errorf("%s: %d is written %q, want %q", c.locale, c.n, got, c.want)
		}
	}
}

func TestFewSigns(t *testing.T) {
	in, en := phrase.For("en-IN"), phrase.For("en-GB")
	for _, c := range []struct {
		p    *phrase.Phrases
		n    float64
		want string
	}{{en, 950, "950"}, {en, 12340, "12.3K"}, {en, 4.5e6, "4.5M"}, {in, 450000, "4.5 L"}, {in, 3e7, "3 Cr"}, {en, 0.5, "0.5"}} {
		if got := c.p.Short(c.n); got != c.want {
			t.Errorf("%v is written %q, want %q", c.n, got, c.want)
		}
	}
	if got := en.Percent(0.0712); got != "7.1%" {
		t.Errorf("got %q", got)
	}
	if got := en.Percent(0.713); got != "71%" {
		t.Errorf("got %q", got)
	}
}

func TestDurations(t *testing.T) {
	p := phrase.For("en")
	for seconds, want := range map[int64][2]string{
		0: {"0 s", "0:00"}, 42: {"42 s", "0:42"}, 200: {"3 min 20 s", "3:20"}, 180: {"3 min", "3:00"},
		7500: {"2 h 05 min", "2:05:00"}, 3600: {"1 h", "1:00:00"},
	} {
		if got := p.Duration(seconds); got != want[0] {
			t.Errorf("%d s is written %q, want %q", seconds, got, want[0])
		}
		if got := p.Clock(seconds); got != want[1] {
			t.Errorf("%d s is clocked %q, want %q", seconds, got, want[1])
		}
	}
}

func TestDaysAndTimes(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 9, 35, 0, 0, time.UTC)
	monday := civil.Date(2026, time.March, 2)
	in, us, hi, gb := phrase.For("en-IN").In(kolkata), phrase.For("en-US").In(kolkata), phrase.For("hi").In(kolkata), phrase.For("en-GB")
	for _, c := range []struct{ got, want string }{
		{in.Time(at), "3:05 pm"}, {gb.Time(at), "09:35"}, {in.Day(monday), "Mon, 2 Mar"}, {us.Date(monday), "Mar 2, 2026"},
		{hi.Day(monday), "सोम, 2 मार्च"}, {in.DateTime(at), "2 Mar 2026, 3:05 pm"},
		{in.Range(monday, monday+7), "2–8 Mar 2026"}, {in.Range(monday-2, monday+1), "28 Feb – 2 Mar 2026"}, {in.Range(monday, monday+1), "2 Mar 2026"},
		{us.Range(monday, monday+7), "Mar 2–8, 2026"}, {in.Hour(0), "12 am"}, {in.Hour(15), "3 pm"}, {gb.Hour(7), "07"},
		{in.Ago(at, at.Add(20*time.Second)), "just now"}, {in.Ago(at, at.Add(61*time.Second)), "1 minute ago"}, {hi.Ago(at, at.Add(3*time.Hour)), "3 घंटे पहले"},
		{in.Ago(at, at.AddDate(0, 0, 9)), "2 Mar 2026"}, {in.Moment(at, at.Add(time.Hour)), "3:05 pm"}, {in.Moment(at, at.AddDate(0, 0, 1)), "yesterday, 3:05 pm"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestMessages(t *testing.T) {
	en, hi := phrase.For("en-IN"), phrase.For("hi-IN")
	if got := en.T("ago.hours", "Count", 1); got != "1 hour ago" {
		t.Errorf("got %q", got)
	}
	if got := en.T("complete.waiting", "Count", 123456); got != "Not complete: 1,23,456 phones have not reported yet." {
		t.Errorf("got %q", got)
	}
	if got := hi.T("nav.today"); got != "आज" {
		t.Errorf("got %q", got)
	}
	if got := phrase.For("fr-FR").T("nav.today"); got != "Today" {
		t.Errorf("an unknown language reads %q", got)
	}
	if en.Has("no.such.key") || !en.Has("nav.today") {
		t.Error("Has does not know what the catalogue has")
	}
	if got := en.Rich("sort.by", "Column", "**<b>**"); got != "Sort by <strong>&lt;b&gt;</strong>" {
		t.Errorf("got %q", got)
	}
}
