package seed

import (
	"slices"
	"testing"
	"time"
	"unsafe"
)

func small() Options { return Options{Calls: 50_000, Agents: 60, Days: 90, Seed: 7} }

type key struct{ agent, start uint32 }

func distinct(s *Stream) map[key]Call {
	m := map[key]Call{}
	for _, c := range s.Calls {
		m[key{c.Agent, c.Start}] = c
	}
	return m
}

func TestTheSameSeedMakesTheSameCalls(t *testing.T) {
	a, b := Make(small()), Make(small())
	if !slices.Equal(a.Calls, b.Calls) {
		t.Error("two streams of one seed differ")
	}
	other := small()
	other.Seed++
	if slices.Equal(a.Calls, Make(other).Calls) {
		t.Error("another seed made the same calls")
	}
}

func TestACallTakes16Bytes(t *testing.T) {
	if got := unsafe.Sizeof(Call{}); got != 16 {
		t.Errorf("a call takes %d bytes, want 16", got)
	}
}

func TestTheStreamHoldsWhatWasAskedFor(t *testing.T) {
	s := Make(small())
	calls := distinct(s)
	if len(calls) != 50_000 || s.Distinct != 50_000 {
		t.Errorf("%d distinct calls, said to be %d, want 50000", len(calls), s.Distinct)
	}
	if twice := len(s.Calls) - s.Distinct; twice < 500 || twice > 1500 {
		t.Errorf("%d calls come twice, want about 2 %% of 50000", twice)
	}
	numbers := map[uint32]bool{}
	for _, c := range calls {
		if d := c.Day(); d < FirstDay || d >= s.To() {
			t.Fatalf("a call on day %d, outside [%d, %d)", d, FirstDay, s.To())
		}
		if c.Number > 0 {
			numbers[c.Number] = true
		}
	}
	if len(numbers) != s.Numbers {
		t.Errorf("%d numbers met, said to be %d", len(numbers), s.Numbers)
	}
	if share := float64(s.Numbers) / 50_000; share < 0.23 || share > 0.28 {
		t.Errorf("%.0f %% new numbers, want 25 %%", 100*share)
	}
}

func TestShapeOfTheDays(t *testing.T) {
	zone, err := time.LoadLocation(Zone)
	if err != nil {
		t.Fatal(err)
	}
	var weekdays [7]int
	var hours [24]int
	types := map[uint8]int{}
	for _, c := range distinct(Make(small())) {
		at := time.Unix(int64(c.Start), 0).In(zone)
		y, m, d := at.Date()
		if day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / daySeconds; int32(day) != c.Day() {
			t.Fatalf("a call at %s is put on day %d, want %d", at, c.Day(), day)
		}
		weekdays[at.Weekday()]++
		hours[at.Hour()]++
		types[c.Type]++
	}
	if weekdays[time.Sunday]*5 > weekdays[time.Monday] || weekdays[time.Saturday] > weekdays[time.Friday] {
		t.Errorf("calls by weekday %v: Sundays and Saturdays should be quieter", weekdays)
	}
	if hours[11] < hours[13] || hours[15] < hours[13] || hours[3]*20 > hours[11] {
		t.Errorf("calls by hour %v: want peaks at 11 and 15 and quiet nights", hours)
	}
	for kind, thousandths := range map[uint8]int{outgoing: 500, incoming: 280, missed: 157, rejected: 50} {
		if got := types[kind] / 50; got < thousandths*9/10 || got > thousandths*11/10 {
			t.Errorf("type %d: %d of 1000 calls, want about %d", kind, got, thousandths)
		}
	}
	for _, kind := range []uint8{0, voicemail, blocked, elsewhere} {
		if types[kind] == 0 {
			t.Errorf("no call of type %d", kind)
		}
	}
}

func TestSomeCallsArriveLate(t *testing.T) {
	s := Make(small())
	newest, late := uint32(0), 0
	for _, c := range s.Calls {
		if newest > c.Start+daySeconds {
			late++
		}
		newest = max(newest, c.Start)
	}
	if share := float64(late) / float64(len(s.Calls)); share < 0.05 || share > 0.12 {
		t.Errorf("%.1f %% of calls arrive over a day late, want about 8 %%", 100*share)
	}
}

func TestPhoneNumbersLeadBack(t *testing.T) {
	seen := map[string]bool{}
	for n := range uint32(10_000) {
		p := Phone(n)
		back, err := NumberOf(p)
		if err != nil || back != n || seen[p] {
			t.Fatalf("number %d became %q and then %d (seen before: %t, error %v)", n, p, back, seen[p], err)
		}
		seen[p] = true
	}
}
