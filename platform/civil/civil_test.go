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
