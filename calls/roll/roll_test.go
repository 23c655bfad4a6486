package roll_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
)

var dayStart = time.Date(2026, 4, 15, 0, 0, 0, 0, time.UTC)

// at is a call some seconds after midnight.
func at(seconds int64, n number.ID, t call.Type, talk int) roll.Row {
	return roll.Row{Start: (dayStart.Unix() + seconds) * 1000, Number: n, Type: t, Seconds: talk}
}

func build(rows ...roll.Row) *roll.Day {
	var d roll.Day
	d.Build(rows, dayStart, roll.Rules{ConnectedFrom: 1, GapMinutes: 15})
	return &d
}

func TestWhatFollowedTheLastMiss(t *testing.T) {
	in, out := call.TypeIncoming, call.TypeOutgoing
	for _, c := range []struct {
		name   string
		rows   []roll.Row
		flags  roll.Flags
		sequel roll.Sequel
	}{
		{"nothing", []roll.Row{at(9, 1, call.TypeMissed, 0)}, roll.Unattended, 0},
		{"we called back", []roll.Row{at(9, 1, call.TypeMissed, 0), at(60, 1, out, 30)},
			roll.Unattended | roll.ConnectedOut | roll.Recovered, roll.BackOut},
		{"the caller tried again", []roll.Row{at(9, 1, call.TypeRejected, 0), at(60, 1, in, 30)},
			roll.Unattended | roll.ConnectedIn | roll.Recovered, roll.BackIn},
		{"we tried, then they reached us", []roll.Row{at(9, 1, call.TypeVoicemail, 0), at(50, 1, out, 0), at(60, 1, in, 30), at(70, 1, out, 9)},
			roll.Unattended | roll.NotPickedUp | roll.Connected | roll.Recovered, roll.Tried | roll.BackIn | roll.InFirst},
		{"reached before, missed after", []roll.Row{at(9, 1, in, 30), at(60, 1, call.TypeMissed, 0)}, roll.Unattended | roll.ConnectedIn, 0},
		{"recovered, then missed again", []roll.Row{at(9, 1, call.TypeMissed, 0), at(20, 1, out, 5), at(60, 1, in, 0)},
			roll.Unattended | roll.ConnectedOut | roll.Recovered, 0},
		{"at the same instant", []roll.Row{at(9, 1, in, 30), at(9, 1, call.TypeMissed, 0)},
			roll.Unattended | roll.ConnectedIn | roll.Recovered, roll.BackIn},
	} {
		d := build(c.rows...)
		if len(d.Numbers) != 1 || d.Numbers[0].Flags != c.flags || d.Numbers[0].Sequel != c.sequel {
			t.Errorf("%s: %+v, want flags %b, sequel %b", c.name, d.Numbers, c.flags, c.sequel)
		}
	}
}

func TestSpanAndActiveTime(t *testing.T) {
	// From 9:00 for an hour, a call within it, a pause of 20 minutes, one of 10.
	d := build(at(9*3600, 1, call.TypeOutgoing, 3600), at(9*3600+60, 2, call.TypeIncoming, 5),
		at(10*3600+1200, 3, call.TypeOutgoing, 0), at(10*3600+1800, 0, call.TypeIncoming, 60))
	if d.First != 9*3600 || d.Span != 3600+1800+60 || d.Idle != 1200 {
		t.Errorf("first %d, span %d, idle %d", d.First, d.Span, d.Idle)
	}
	if len(d.Numbers) != 3 {
		t.Errorf("the withheld number is among %+v", d.Numbers)
	}
}

func TestAHiddenNumberCountsNowhereButAmongTheNumbers(t *testing.T) {
	hidden := at(9, 4, call.TypeMissed, 0)
	hidden.Hidden = true
	d := build(hidden)
	if d.Calls() != 0 || d.UnattendedCalls() != 0 || len(d.Numbers) != 1 || d.Numbers[0].Flags&roll.Hidden == 0 {
		t.Errorf("%+v", d)
	}
}

func TestHoursOfDaysWhoseClocksChange(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []civil.Day{civil.Date(2026, 3, 29), civil.Date(2026, 10, 25), civil.Date(2026, 7, 1)} {
		var rows []roll.Row
		var want [24]int32
		for start := day.Start(berlin); start.Before((day + 1).Start(berlin)); start = start.Add(10 * time.Minute) {
			rows = append(rows, roll.Row{Start: start.UnixMilli(), Number: 1, Type: call.TypeMissed})
			want[start.Hour()]++
		}
		var d roll.Day
		d.Build(rows, day.Start(berlin), roll.Rules{ConnectedFrom: 1, GapMinutes: 15})
		for h := range want {
			if d.Hours[h].Calls != want[h] {
				t.Errorf("%s has %d calls at %d o'clock, want %d", day, d.Hours[h].Calls, h, want[h])
			}
		}
	}
}

// fuzzRows reads rows from bytes: each takes 8 of them.
func fuzzRows(b []byte) []roll.Row {
	var rows []roll.Row
	for ; len(b) >= 8; b = b[8:] {
		r := at(int64(binary.LittleEndian.Uint16(b))*2%86_400, number.ID(b[2]%16), call.TypeOf(int(b[3]%8)), int(binary.LittleEndian.Uint16(b[4:])))
		r.Start += int64(b[6]) * 4
		if b[7]%3 == 0 {
			r.Seconds = int(b[7]) / 32
		}
		r.Hidden = r.Number == 5
		rows = append(rows, r)
	}
	return rows
}

// Whatever was built comes back the same from its encoding, whole and in parts.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("8 bytes.a call is"))
	f.Add(slices.Repeat([]byte{1, 2, 3, 1, 5, 6, 7, 8, 90, 2, 3, 2, 5, 0, 7, 9}, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		built := build(fuzzRows(b)...)
		blob := built.Encode(nil)
		var whole, sums roll.Day
		if err := whole.Decode(blob); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(built, &whole, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		numbers, err := roll.DecodeNumbers(blob, nil)
		if d := cmp.Diff(built.Numbers, numbers, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Fatal(d, err)
		}
		if err := sums.DecodeSums(blob); err != nil {
			t.Fatal(err)
		}
		whole.Numbers = nil
		if d := cmp.Diff(&whole, &sums, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		for n := number.ID(1); n < 18; n++ {
			want := slices.ContainsFunc(built.Numbers, func(e roll.Entry) bool { return e.Number == n })
			if has, err := roll.Holds(blob, roll.SetOf(n, 400)); err != nil || has != want {
				t.Fatalf("it holds %d: %v, %v", n, has, err)
			}
		}
	})
}

// A damaged roll-up is refused or read as some other one, and never more than that.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Add(build(at(9, 1, call.TypeMissed, 0), at(10, 2, call.TypeOutgoing, 90), at(11, 1, call.TypeIncoming, 70_000)).Encode(nil))
	f.Add(build(at(86_399, 1<<30, call.TypeUnknown, 3)).Encode(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d roll.Day
		err := d.Decode(b)
		_, errNumbers := roll.DecodeNumbers(b, nil)
		if err == nil && errNumbers != nil {
			t.Fatal("the whole can be read and its numbers cannot")
		}
		if _, err := roll.Holds(b, roll.SetOf(1, 2)); err != nil && errNumbers == nil {
			t.Fatal("the numbers can be read and not searched")
		}
		if err != nil {
			return
		}
		if len(d.Numbers) > len(b) || len(d.TalksIn)+len(d.TalksOut) > len(b) {
			t.Fatal("more was read than there is")
		}
		for i, e := range d.Numbers {
			if e.Number <= number.Withheld || i > 0 && e.Number <= d.Numbers[i-1].Number {
				t.Fatalf("numbers do not ascend: %+v", d.Numbers)
			}
		}
	})
}

func TestAnotherVersionIsRefusedWithAdvice(t *testing.T) {
	b := build(at(9, 1, call.TypeMissed, 0)).Encode(nil)
	b[0]++
	var d roll.Day
	if err := d.Decode(b); err == nil || err.Error() != `a roll-up is damaged: rebuild it with "parley doctor --rebuild"` {
		t.Errorf("error is %v", err)
	}
}
