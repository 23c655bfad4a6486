package law

import (
	"testing"
	"time"

	"parley/account"
	"parley/platform/civil"
)

func calendar(t *testing.T, country, zone string, workdays account.Weekdays, own ...civil.Day) *Calendar {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return NewCalendar(country, workdays, z, own...)
}

func TestHowLongSpansLast(t *testing.T) {
	const sixDays = account.MondayToFriday | 1<<6
	diwali := civil.Date(2026, 11, 8)
	for _, c := range []struct {
		name     string
		calendar *Calendar
		span     string
		from     string
		want     string // the first instant after it
	}{
		{"days end with the last day", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "15d", "2026-03-02T10:00:00+05:30", "2026-03-18T00:00:00+05:30"},
		{"hours run at once", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "6h", "2026-03-01T22:00:00+05:30", "2026-03-02T04:00:00+05:30"},
		{"hours run on over a change of clocks", calendar(t, "DE", "Europe/Berlin", account.MondayToFriday), "72h", "2026-03-28T12:00:00+01:00", "2026-03-31T13:00:00+02:00"},
		{"days do not", calendar(t, "DE", "Europe/Berlin", account.MondayToFriday), "3d", "2026-03-28T12:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		{"a month of 28 days", calendar(t, "DE", "Europe/Berlin", account.MondayToFriday), "1mo", "2026-01-31T12:00:00+01:00", "2026-03-01T00:00:00+01:00"},
		{"a month over a year", calendar(t, "DE", "Europe/Berlin", account.MondayToFriday), "2mo", "2026-12-15T12:00:00+01:00", "2027-02-16T00:00:00+01:00"},
		{"the local day counts", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "1d", "2026-03-01T20:00:00Z", "2026-03-04T00:00:00+05:30"},
		{"business days pass over a weekend", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "1bd", "2026-03-06T10:00:00+05:30", "2026-03-10T00:00:00+05:30"},
		{"from a Saturday on", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "1bd", "2026-03-07T10:00:00+05:30", "2026-03-10T00:00:00+05:30"},
		{"a working Saturday counts", calendar(t, "IN", "Asia/Kolkata", sixDays), "1bd", "2026-03-06T10:00:00+05:30", "2026-03-08T00:00:00+05:30"},
		{"ten over two weekends", calendar(t, "US", "America/New_York", account.MondayToFriday), "10bd", "2026-03-02T10:00:00-05:00", "2026-03-17T00:00:00-04:00"},
		{"ten over Thanksgiving", calendar(t, "US", "America/New_York", account.MondayToFriday), "10bd", "2026-11-20T10:00:00-05:00", "2026-12-08T00:00:00-05:00"},
		{"Christmas, St Stephen's Day, New Year in Berlin", calendar(t, "DE", "Europe/Berlin", account.MondayToFriday), "7bd", "2026-12-23T10:00:00+01:00", "2027-01-06T00:00:00+01:00"},
		{"Republic Day in India", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "1bd", "2026-01-23T10:00:00+05:30", "2026-01-28T00:00:00+05:30"},
		{"Easter in London", calendar(t, "GB", "Europe/London", account.MondayToFriday), "2bd", "2026-04-01T10:00:00+01:00", "2026-04-08T00:00:00+01:00"},
		{"a holiday of its own", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday, diwali+1), "1bd", "2026-11-06T10:00:00+05:30", "2026-11-11T00:00:00+05:30"},
		{"who works on Mondays only keeps five days", calendar(t, "IN", "Asia/Kolkata", 1<<1), "5bd", "2026-03-02T10:00:00+05:30", "2026-03-10T00:00:00+05:30"},
		{"no holidays known", calendar(t, "NG", "Africa/Lagos", account.MondayToFriday), "1bd", "2026-12-24T10:00:00+01:00", "2026-12-26T00:00:00+01:00"},
		{"at once", calendar(t, "IN", "Asia/Kolkata", account.MondayToFriday), "now", "2026-03-01T22:00:00+05:30", "2026-03-01T22:00:00+05:30"},
	} {
		span, err := ParseSpan(c.span)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := span.Due(moment(t, c.from), c.calendar), moment(t, c.want); !got.Equal(want) {
			t.Errorf("%s: %s from %s is over at %s, want %s", c.name, c.span, c.from, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestSpansAreReadStrictly(t *testing.T) {
	for text, want := range map[string]string{"72h": "72 hours", "1mo": "1 month", "10bd": "10 business days", "0d": "0 days", "now": "without delay", "soon": "without undue delay", "none": "no fixed time"} {
		if s, err := ParseSpan(text); err != nil || s.String() != want {
			t.Errorf("%q became %q, %v", text, s, err)
		}
	}
	for _, bad := range []string{"", "d", "1", "-1d", "1y", "1.5d", "1 d", "now1", "1now", "999999999d", "+1d"} {
		if s, err := ParseSpan(bad); err == nil {
			t.Errorf("%q was taken as %q", bad, s)
		}
	}
}

func TestHolidays(t *testing.T) {
	for _, c := range []struct {
		country, day, want string
	}{
		{"US", "2026-07-03", "Independence Day"}, {"US", "2026-07-04", "Independence Day"}, {"US", "2026-07-06", ""},
		{"US", "2026-11-26", "Thanksgiving Day"}, {"FR", "2026-05-14", "Ascension"}, {"ES", "2026-01-06", "Día de Reyes"},
		{"IN", "2026-08-15", "Independence Day"}, {"IN", "2026-11-08", ""}, {"AU", "2026-01-26", "Australia Day"}, {"NG", "2026-12-25", ""},
		{"GB", "2026-12-28", "Boxing Day"}, {"US", "2021-12-31", "New Year's Day"}, // a Saturday's holiday kept the year before
	} {
		day, err := civil.Parse(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := holiday(c.country, day.Start(time.UTC)); got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.day, c.country, got, c.want)
		}
	}
	c := calendar(t, "US", "America/New_York", account.MondayToFriday)
	for text, want := range map[string]bool{"2026-07-02": true, "2026-07-03": false, "2026-07-04": false, "2026-07-06": true} {
		if day, err := civil.Parse(text); err != nil || c.IsBusiness(day) != want {
			t.Errorf("%s is a business day: %v", text, !want)
		}
	}
}
