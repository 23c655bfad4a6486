package revoke_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"parley/platform/fault"
	"parley/platform/revoke"
)

func at(minute int) time.Time { return time.Date(2026, 3, 1, 9, minute, 0, 0, time.UTC) }

func TestWhatWasTakenAwayIsReadAgain(t *testing.T) {
	j := revoke.InFolder(t.TempDir())
	list := []revoke.Entry{
		{At: at(1), Org: 1, What: revoke.Token, ID: "tok_1", Now: revoke.None}, {At: at(2), Org: 1, What: revoke.Member, ID: "mem_1", Now: revoke.Out},
		{At: at(3), Org: 2, What: revoke.Member, ID: "mem_1", Now: revoke.Out}, {At: at(4), Org: 1, What: revoke.Member, ID: "mem_1", Now: revoke.In},
		{At: at(5), Org: 1, What: revoke.Teams, ID: "mem_1", Now: "tea_1,tea_2"},
	}
	for _, e := range list {
		if err := j.Note(e); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := j.File()
	if err != nil {
		t.Fatal(err)
	}
	got, err := revoke.Read(append(raw, "2026-03-01T09:05"...)) // cut off by a crash
	if err != nil || !slices.Equal(got, list) {
		t.Errorf("it holds %v, %v", got, err)
	}
	if got := revoke.Since(got, at(2)); !slices.Equal(got, []revoke.Entry{list[3], list[2], list[4]}) {
		t.Errorf("since the second minute the newest are %v", got)
	}
	if got := revoke.Join(list[2:], list[:3]); !slices.Equal(got, list) {
		t.Errorf("two copies make %v", got)
	}
	if err := j.Forget(at(3).Add(revoke.Kept)); err != nil {
		t.Fatal(err)
	}
	raw, err = j.File()
	if kept, readErr := revoke.Read(raw); err != nil || readErr != nil || !slices.Equal(kept, list[2:]) {
		t.Errorf("after a month it holds %v, %v %v", kept, err, readErr)
	}
}

func TestADamagedJournalIsRefused(t *testing.T) {
	for _, raw := range []string{"2026-03-01T09:05:00.000Z 1 token\n", "yesterday 1 token tok_1 -\n", "2026-03-01T09:05:00.000Z one token tok_1 -\n", "2026-03-01T09:05:00.000Z 1 ticket tok_1 -\n"} {
		if list, err := revoke.Read([]byte(raw)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q was read as %v, %v", raw, list, err)
		}
	}
	var none *revoke.Journal
	if err := errors.Join(none.Note(revoke.Entry{}), none.Forget(at(1))); err != nil {
		t.Errorf("where nothing is kept: %v", err)
	}
}
