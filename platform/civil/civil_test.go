package civil_test

import (
	"testing"
	"time"

	"parley/platform/civil"
)

func TestADayIsTheLocalOne(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 19, 0, 0, 0, time.UTC) // 00:30 of the next day in India
	if got := civil.DayOf(at, kolkata).String(); got != "2026-03-02" {
		t.Errorf("got %s, want 2026-03-02", got)
	}
	if got := civil.DayOf(at, time.UTC).String(); got != "2026-03-01" {
		t.Errorf("got %s, want 2026-03-01", got)
	}
}

func TestDaysAcrossAChangeOfClocksAreOneApart(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := civil.Parse("2026-03-28")
	after, _ := civil.Parse("2026-03-29")
	if after-before != 1 {
		t.Errorf("%d days apart, want 1", after-before)
	}
	if got := (after + 1).Start(berlin).Sub(after.Start(berlin)); got != 23*time.Hour {
		t.Errorf("the day of the change has %v, want 23h", got)
	}
}

func TestParseRefusesWithASentence(t *testing.T) {
	if _, err := civil.Parse("02/03/2026"); err == nil {
		t.Error("a day written day-first was taken")
	}
}

func TestTheFirstInstantWhereClocksChangeAtMidnight(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"Asia/Amman", "2021-10-29", "2021-10-29T00:00:00+03:00"},          // 01:00 became 00:00: midnight came twice
		{"America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00"},      // the same, west of Greenwich
		{"Asia/Beirut", "2024-03-31", "2024-03-31T01:00:00+03:00"},         // midnight was missing
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"},   // the same, west of Greenwich
		{"Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+02:00"},       // a day of 25 hours
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-05T00:00:00+11:00"}, // half an hour back, at two
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := civil.Parse(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := day.Start(zone).Format(time.RFC3339); got != c.want {
			t.Errorf("%s begins at %s in %s, want %s", c.day, got, c.zone, c.want)
		}
	}
}
