package law

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// week writes down when a place is open in a week without holidays, by the clocks of its first zone: for Monday,
// Saturday and Sunday the open hours, found by asking for every half hour.
func week(t *testing.T, tables *Tables, p Place) string {
	t.Helper()
	zone := tables.zonesOf(p)[0]
	var out []string
	for _, day := range []int{9, 14, 15} { // Monday, Saturday, Sunday
		var open []string
		from := -1
		for half := 0; half <= 48; half++ {
			allowed := half < 48 && tables.Hours(p, time.Date(2026, 3, day, 0, half*30, 0, 0, zone), Promotion).Allowed
			if allowed && from < 0 {
				from = half
			}
			if !allowed && from >= 0 {
				open = append(open, fmt.Sprintf("%s-%s", clock(from), clock(half)))
				from = -1
			}
		}
		out = append(out, strings.Join(open, "+"))
	}
	return strings.Join(out, " ")
}

func clock(half int) string {
	if half%2 == 1 {
		return fmt.Sprintf("%d:30", half/2)
	}
	return fmt.Sprint(half / 2)
}

func TestHoursOfEveryPlace(t *testing.T) {
	tables := load(t)
	const strictState, strictCountry = "10-18  ", "10-13+14-20  "
	for text, want := range map[string]string{
		// Monday, Saturday, Sunday. Zones are given where a state has several, so that the table is about hours alone.
		"US-AL": "8-20 8-20 ", "US-CT": "9-20 9-20 9-20", "US-FL/America/New_York": "8-20 8-20 8-20", "US-IL": "9-21 9-21 9-21",
		"US-KY/America/New_York": "10-21 10-21 10-21", "US-LA": "8-20 8-20 ", "US-MD": "8-20 8-20 8-20", "US-MA": "8-20 8-20 8-20",
		"US-MI/America/Detroit": "9-21 9-21 9-21", "US-MN": "9-21 9-21 9-21", "US-NM": "9-21 9-21 9-21", "US-MS": "8-20 8-20 ",
		"US-NV/America/Los_Angeles": "9-20 9-20 9-20", "US-OK": "8-20 8-20 8-20", "US-PA": "8-21  ", "US-RI": "9-18  ",
		"US-TX/America/Chicago": strictState, "US-UT": strictState, "US-WA": strictState, "US-WY": strictState, "US-SC": strictState,
		"US-SD/America/Chicago": strictState, "US-CA": strictState, "US-NY": strictState, "US/America/New_York": strictState,
		"IN": "10-21 10-21 10-21", "CA/America/Toronto": "9-21:30 10-18 10-18", "AU/Australia/Sydney": "9-20 9-17 ", "FR": "10-13+14-20  ",
		"ES/Europe/Madrid": "9-21  ", "GB": strictCountry, "DE/Europe/Berlin": strictCountry, "IT": strictCountry, "NG": strictCountry, "/Asia/Kolkata": strictCountry,
	} {
		name, zone, _ := strings.Cut(text, "/")
		p := place(t, name)
		p.Zone = zone
		if got := week(t, tables, p); got != want {
			t.Errorf("%s may be called %q, want %q", text, got, want)
		}
	}
}

func TestConsentAndCaps(t *testing.T) {
	tables := load(t)
	noon := moment(t, "2026-03-11T12:00:00Z")
	for _, c := range []struct {
		place, caps string
		consent     bool
		guessed     bool
	}{
		{"US-MD", "at most 3 calls in 24 hours", false, false},
		{"US-FL", "at most 3 calls in 24 hours", false, false},
		{"US-MA", "", false, false},
		{"US-NY", "at most 3 calls in 24 hours", false, true},
		{"FR", "at most 4 calls in 30 days", true, false},
		{"IN", "", false, false},
		{"DE", "at most 4 calls in 30 days", true, true},
		{"NG", "at most 4 calls in 30 days", true, true},
	} {
		h := tables.Hours(place(t, c.place), noon, Promotion)
		var caps []string
		for _, one := range h.Caps {
			caps = append(caps, one.String())
		}
		if strings.Join(caps, ", ") != c.caps || h.Consent != c.consent || h.Guessed != c.guessed {
			t.Errorf("%s: %q, consent %v, guessed %v; want %+v", c.place, caps, h.Consent, h.Guessed, c)
		}
		if h := tables.Hours(place(t, c.place), noon, Service); h.Consent || len(h.Caps) > 0 {
			t.Errorf("%s: a call about a contract needs %+v", c.place, h)
		}
	}
}

func TestWhyAndWhenNext(t *testing.T) {
	tables := load(t)
	for _, c := range []struct {
		place, at string
		reason    Reason
		next      string // in UTC
		why       string
	}{
		// Kolkata is at UTC+5:30: 10:00 there is 04:30.
		{"IN", "2026-03-11T04:29:59Z", OutOfHours, "2026-03-11T04:30:00Z", "It is 09:59 in IN: people there are called from 10:00 to 21:00."},
		{"IN", "2026-03-11T04:30:00Z", Open, "2026-03-11T04:30:00Z", ""},
		{"IN", "2026-03-11T15:29:59Z", Open, "2026-03-11T15:29:59Z", ""},
		{"IN", "2026-03-11T15:30:00Z", OutOfHours, "2026-03-12T04:30:00Z", "It is 21:00"},
		// Paris, winter, UTC+1: closed for lunch, at weekends, on holidays.
		{"FR", "2026-03-11T12:30:00Z", OutOfHours, "2026-03-11T13:00:00Z", "from 10:00 to 13:00 and from 14:00 to 20:00"},
		{"FR", "2026-03-14T10:00:00Z", ClosedDay, "2026-03-16T09:00:00Z", "It is Saturday in FR"},
		{"FR", "2026-05-01T10:00:00Z", OnHoliday, "2026-05-04T08:00:00Z", "It is Fête du Travail in FR"},
		{"FR", "2026-12-24T19:00:00Z", OutOfHours, "2026-12-28T09:00:00Z", ""}, // then Christmas, and a weekend
		// Louisiana, UTC-5 in summer: Independence Day 2026 is a Saturday and observed on Friday; Sunday is closed.
		{"US-LA", "2026-07-03T15:00:00Z", OnHoliday, "2026-07-06T13:00:00Z", "Independence Day"},
		{"US-MS", "2026-07-03T15:00:00Z", Open, "2026-07-03T15:00:00Z", ""}, // holidays are open there
		// A state with two zones: open only where both are. 10:00 in Chicago is 11:00 in New York; 21:00 in New York is 20:00 in Chicago.
		{"US-KY", "2026-03-11T14:30:00Z", OutOfHours, "2026-03-11T15:00:00Z", ""}, // 10:30 in New York, 9:30 in Chicago (both in summer time)
		{"US-KY", "2026-03-12T01:00:00Z", OutOfHours, "2026-03-12T15:00:00Z", ""}, // 21:00 in New York
		{"US-KY", "2026-03-12T00:59:00Z", Open, "2026-03-12T00:59:00Z", ""},
		// Anzac Day 2026 is a Saturday.
		{"AU", "2026-04-25T03:00:00Z", OnHoliday, "", ""},
		{"", "2026-03-11T12:00:00Z", UnknownTime, "", "Nobody knows which time it is in an unknown place"},
		{"ZZ", "2026-03-11T12:00:00Z", UnknownTime, "", ""},
	} {
		h := tables.Hours(place(t, c.place), moment(t, c.at), Promotion)
		if h.Reason != c.reason || h.Allowed != (c.reason == Open) || !strings.Contains(h.Why, c.why) {
			t.Errorf("%s at %s: %q %v %q, want %q %q", c.place, c.at, h.Reason, h.Allowed, h.Why, c.reason, c.why)
		}
		if c.next != "" && !h.Next.Equal(moment(t, c.next)) {
			t.Errorf("%s at %s: next at %s, want %s", c.place, c.at, h.Next.Format(time.RFC3339), c.next)
		}
		if c.reason == UnknownTime && !h.Next.IsZero() {
			t.Errorf("%s: next at %s, which nobody can know", c.place, h.Next)
		}
	}
}

// TestMississippiKeepsCentralTime: its rule names the clock, so a person who is elsewhere just now changes nothing.
func TestMississippiKeepsCentralTime(t *testing.T) {
	tables := load(t)
	p := place(t, "US-MS")
	p.Zone = "America/Los_Angeles"
	if h := tables.Hours(p, moment(t, "2026-03-11T14:00:00Z"), Promotion); h.Reason != OutOfHours || !strings.Contains(h.Why, "07:00") {
		t.Errorf("at 9 in Jackson, 7 in Los Angeles: %+v", h) // the federal 8 o'clock is by the callee's clock
	}
	if h := tables.Hours(p, moment(t, "2026-03-12T01:30:00Z"), Promotion); h.Reason != OutOfHours || !strings.Contains(h.Why, "20:30") {
		t.Errorf("at 20:30 in Jackson, 18:30 in Los Angeles: %+v", h)
	}
}

func TestClocksThatChange(t *testing.T) {
	tables := load(t)
	for _, c := range []struct{ place, at, next string }{
		// New York goes to summer time on 8 March 2026 at 2:00; 9:00 in Connecticut is 14:00 UTC the day before, 13:00 UTC on the day.
		{"US-CT", "2026-03-07T10:00:00Z", "2026-03-07T14:00:00Z"},
		{"US-CT", "2026-03-08T01:30:00Z", "2026-03-08T13:00:00Z"},
		{"US-CT", "2026-03-08T12:59:59Z", "2026-03-08T13:00:00Z"},
		// And back on 1 November 2026 at 2:00.
		{"US-CT", "2026-11-01T01:30:00Z", "2026-11-01T14:00:00Z"},
		// Madrid and Paris change on 29 March and 25 October 2026, both Sundays: Monday's opening moves by an hour.
		{"FR", "2026-03-27T19:00:00Z", "2026-03-30T08:00:00Z"},
		{"FR", "2026-10-23T19:00:00Z", "2026-10-26T09:00:00Z"},
		// Sydney is at UTC+11 until 5 April 2026.
		{"AU", "2026-04-05T20:00:00Z", "2026-04-06T23:00:00Z"}, // Monday 6 April is Easter Monday; Perth opens last, see below
	} {
		p := place(t, c.place)
		if c.place == "AU" {
			p.Zone = "Australia/Sydney"
		}
		if h := tables.Hours(p, moment(t, c.at), Promotion); h.Allowed || !h.Next.Equal(moment(t, c.next)) {
			t.Errorf("%s at %s: allowed %v, next at %s, want %s", c.place, c.at, h.Allowed, h.Next.Format(time.RFC3339), c.next)
		}
	}
	// Where clocks jump over the beginning of a window, it begins with the first minute that there is. A made-up rule: 2:30 in Berlin.
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSchedule("daily 02:30-05:00")
	if err != nil {
		t.Fatal(err)
	}
	jump := moment(t, "2026-03-29T01:00:00Z") // 2:00 becomes 3:00
	if got := nextOpen([]schedule{s}, []*time.Location{berlin}, Place{}, jump.Add(-time.Hour)); got.Before(jump) || got.After(jump.Add(30*time.Minute)) {
		t.Errorf("the window begins at %s", got)
	}
	// An hour that comes twice is open twice.
	back := moment(t, "2026-10-25T00:30:00Z") // 2:30 in summer time, and an hour later 2:30 again
	for _, at := range []time.Time{back, back.Add(time.Hour)} {
		if reason, _ := judge([]schedule{s}, []*time.Location{berlin}, Place{}, at); reason != Open {
			t.Errorf("at %s: %s", at, reason)
		}
	}
}

// TestNextIsTheFirst compares the next open time with a search minute by minute.
func TestNextIsTheFirst(t *testing.T) {
	tables := load(t)
	for _, text := range []string{"IN", "FR", "US-KY", "US-RI", "AU", "CA", "US", "US-MS"} {
		p := place(t, text)
		for _, start := range []string{"2026-03-06T17:13:00Z", "2026-12-24T23:59:00Z", "2026-10-31T03:30:00Z"} {
			from := moment(t, start)
			next := tables.Hours(p, from, Promotion).Next
			at := from
			for !tables.Hours(p, at, Promotion).Allowed && at.Before(next.Add(time.Minute)) {
				at = at.Add(15 * time.Minute).Truncate(15 * time.Minute)
			}
			if !at.Equal(next) {
				t.Errorf("%s from %s: next at %s, found %s", text, start, next.Format(time.RFC3339), at.Format(time.RFC3339))
			}
		}
	}
}
