package law

import (
	"fmt"
	"strings"
	"testing"

	"parley/platform/civil"
)

func TestClocksOfRequests(t *testing.T) {
	tables := load(t)
	later := civil.Date(2027, 5, 13) // the Indian rules begin
	for _, c := range []struct {
		places  string
		day     civil.Day
		want    string // answer, extension, confirm, complaint, grievance, opt-out, signal
		pause   bool
		guessed bool
	}{
		{"DE", checked(), "1mo 2mo - - - - -", false, false},
		{"NO", checked(), "1mo 2mo - - - - -", false, false},
		{"GB", checked(), "1mo 2mo - 30d - - -", true, false},
		{"US-CA", checked(), "45d 45d 10bd - - 15bd 0d", false, false},
		{"US-NY", checked(), "15d - 10bd 30d 90d 15bd 0d", false, true},
		{"BR", checked(), "15d - - - - - -", false, false},
		{"IN", later - 1, "15d - 10bd 30d 90d 15bd 0d", false, true}, // no rule is in force yet
		{"IN", later, "- - - - 90d - -", false, false},
		{"CA", checked(), "15d - 10bd 30d 90d 15bd 0d", false, true},
		{"AU", checked(), "15d - 10bd 30d 90d 15bd 0d", false, true},
		{"CH", checked(), "15d - 10bd 30d 90d 15bd 0d", false, true},
		{"", checked(), "15d - 10bd 30d 90d 15bd 0d", false, true},
		// Two places: the shorter of each, and more time only where both laws give it.
		{"DE GB", checked(), "1mo 2mo - 30d - - -", false, false},
		{"DE US-CA", checked(), "1mo 45d 10bd - - 15bd 0d", false, false},
		{"DE BR", checked(), "15d - - - - - -", false, false},
		{"BR DE", checked(), "15d - - - - - -", false, false},
		{"IN DE", later, "1mo - - - 90d - -", false, false},
		{"DE ZZ", checked(), "15d - 10bd 30d 90d 15bd 0d", false, true},
	} {
		var places []Place
		for text := range strings.FieldsSeq(c.places) {
			places = append(places, place(t, text))
		}
		k := tables.RequestClocks(c.day, places...)
		got := fmt.Sprintln(short(k.Answer), short(k.Extension), short(k.Confirm), short(k.Complaint), short(k.Grievance), short(k.OptOut), short(k.Signal))
		if strings.TrimSpace(got) != c.want || k.Pause != c.pause || k.Guessed != c.guessed {
			t.Errorf("%q on %s: %s pause %v guessed %v, want %+v", c.places, c.day, strings.TrimSpace(got), k.Pause, k.Guessed, c)
		}
	}
}

func short(s Span) string {
	if !s.Set() {
		return "-"
	}
	return fmt.Sprint(s.N, s.Unit)
}

func TestClocksOfABreach(t *testing.T) {
	tables := load(t)
	later := civil.Date(2027, 5, 13)
	for _, c := range []struct {
		places string
		day    civil.Day
		want   string
	}{
		{"IN", later - 1, "authority CERT-In 6 hours"},
		{"IN", later, "people every affected person without delay; authority the Data Protection Board without delay; authority CERT-In 6 hours; report the Data Protection Board 72 hours"},
		{"DE", later, "people people at high risk without undue delay; authority the data protection authority 72 hours"},
		{"DE FR", later, "people people at high risk without undue delay; authority the data protection authority 72 hours"},
		{"GB", later, "authority the Information Commissioner 72 hours"},
		{"US-TX", later, "people every affected person without delay; authority the authority 6 hours"},
		{"CA", later, "people every affected person without delay; authority the authority 6 hours"},
		{"GB AU", later, "people every affected person without delay; authority the authority 6 hours; authority the Information Commissioner 72 hours"},
		{"", later, "people every affected person without delay; authority the authority 6 hours"},
	} {
		var places []Place
		for text := range strings.FieldsSeq(c.places) {
			places = append(places, place(t, text))
		}
		var got []string
		for _, b := range tables.BreachClocks(c.day, places...) {
			got = append(got, fmt.Sprint(b.Whom, " ", b.Name, " ", b.Within))
			if b.Guessed == (b.Row.Topic != "") {
				t.Errorf("%q: %+v is guessed and has a row, or neither", c.places, b)
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%q on %s:\n%s, want\n%s", c.places, c.day, strings.Join(got, "; "), c.want)
		}
	}
}

func TestFloors(t *testing.T) {
	tables := load(t)
	for _, c := range []struct{ place, category, want string }{
		{"IN", "call.meta", "365 days from 2027-05-13"},
		{"IN", "weblog", "365 days from 2027-05-13, 365 days from 2027-05-13, 180 days"},
		{"CA", "suppression", "1109 days"},
		{"CA", "call.meta", ""},
		{"DE", "call.meta", ""},
		{"", "weblog", ""},
	} {
		var got []string
		for _, f := range tables.RetentionFloors(place(t, c.place), c.category) {
			text := f.Min.String()
			if f.Row.NotBefore > 0 {
				text += " from " + f.Row.NotBefore.String()
			}
			if f.Row.Source == "" || f.Row.Conditions == "" {
				t.Errorf("a floor without a citation: %+v", f)
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s, %s: %q, want %q", c.place, c.category, got, c.want)
		}
	}
	if s, r := tables.ErasureNotice(place(t, "IN")); s != (Span{48, Hours}) || r.Source == "" {
		t.Errorf("notice before an erasure in India: %v", s)
	}
	if s, _ := tables.ErasureNotice(place(t, "DE")); s.Set() {
		t.Errorf("notice before an erasure in Germany: %v", s)
	}
}
