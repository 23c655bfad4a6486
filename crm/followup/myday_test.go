package followup_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
)

// someone makes a contact with a number and, where n is not nil, a lead that is made now.
func (s *story) someone(t *testing.T, name string, num int, n *lead.New) (*contact.Contact, *lead.Lead) {
	t.Helper()
	c := s.Contact(t, name, "", fmt.Sprintf("+9198123002%02d", num))
	if n == nil {
		return c, nil
	}
	return c, s.leadOf(t, c, *n)
}

func (s *story) touch(t *testing.T, id lead.ID, last time.Time) {
	t.Helper()
	s.Tx(t, func(tx *db.Tx) error {
		return s.Leads.SetTouch(t.Context(), tx, s.Org.ID, id, lead.Touch{Attempts: 1, First: last, Last: last})
	})
}

// today is Asha's day, each line shortly.
func (s *story) today(t *testing.T) (out []string, items []followup.Item) {
	t.Helper()
	items, err := s.all.MyDay(t.Context(), s.Org, s.asha.ID, s.Now())
	must(t, err)
	for _, it := range items {
		var line strings.Builder
		line.WriteString(it.Name + " " + string(it.Reason))
		for _, also := range it.Also {
			line.WriteString("+" + string(also))
		}
		out = append(out, line.String())
	}
	return out, items
}

func TestMyDayIsInOrderOfNeed(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		now := s.Now() // Wednesday noon
		hour := time.Hour
		s.done(t, s.add(t, followup.New{Due: now.Add(hour)}).ID, followup.Finish{}) // Meera's: done
		s.touch(t, s.lead.ID, now.Add(-hour))

		s.Clock.Set(now.AddDate(0, 0, -20))
		_, idle := s.someone(t, "Idle", 1, &lead.New{})
		_, idler := s.someone(t, "Idler", 2, &lead.New{})
		s.touch(t, idle.ID, now.AddDate(0, 0, -15))
		s.touch(t, idler.ID, now.AddDate(0, 0, -18))
		_, planned := s.someone(t, "Planned", 3, &lead.New{})
		s.touch(t, planned.ID, now.AddDate(0, 0, -18))
		s.add(t, followup.New{Lead: planned.ID, Due: now.AddDate(0, 0, 3)})
		s.Clock.Set(now.Add(-5 * hour))
		s.someone(t, "Listed", 4, &lead.New{Import: "imp_1"})
		s.Clock.Set(now.Add(-2 * hour))
		s.someone(t, "Asking", 5, &lead.New{})
		s.someone(t, "ListedLater", 6, &lead.New{Import: "imp_2"})
		s.someone(t, "Binas", 7, &lead.New{Owner: s.bina.ID})

		soon, _ := s.someone(t, "Soon", 8, nil)
		s.add(t, followup.New{Contact: soon.ID, Due: now.Add(3 * hour), Kind: followup.Promised})
		sooner, _ := s.someone(t, "Sooner", 9, nil)
		s.add(t, followup.New{Contact: sooner.ID, Due: now.Add(hour)})
		over, _ := s.someone(t, "Over", 10, nil)
		s.add(t, followup.New{Contact: over.ID, Due: now.Add(-hour)})
		whole, _ := s.someone(t, "Whole", 11, nil)
		s.add(t, followup.New{Contact: whole.ID, Day: s.day(t, "2026-04-15")})
		promised, _ := s.someone(t, "Promised", 12, nil)
		s.add(t, followup.New{Contact: promised.ID, Due: now.Add(-hour), Kind: followup.Promised})
		longer, _ := s.someone(t, "PromisedLonger", 13, nil)
		s.add(t, followup.New{Contact: longer.ID, Due: now.AddDate(0, 0, -1), Kind: followup.Promised})
		tomorrow, _ := s.someone(t, "Tomorrow", 14, nil)
		s.add(t, followup.New{Contact: tomorrow.ID, Due: now.AddDate(0, 0, 1)})
		dated, _ := s.someone(t, "Dated", 15, nil)
		s.leadOf(t, dated, lead.New{Due: now.Add(2 * hour)})
		missed, _ := s.someone(t, "Missed", 16, nil)
		s.all.Wire(followup.Sources{Missed: func(_ context.Context, _ *account.Org, m account.MemberID, _ time.Time) ([]followup.Missed, error) {
			if m != s.asha.ID {
				t.Errorf("asked for the callers of %s", m)
			}
			return []followup.Missed{{Number: missed.Nums[0], Contact: missed.ID, Since: now.Add(-hour), Calls: 2, Waited: hour, Left: 0},
				{Number: over.Nums[0], Contact: over.ID, Since: now.Add(-2 * hour), Calls: 1, Waited: 2 * hour, Left: -hour}}, nil
		}})
		s.Clock.Set(now)
		got, items := s.today(t)
		want := []string{"PromisedLonger promise_broken", "Promised promise_broken", "Over missed_waits+due", "Missed missed_waits", "Asking answer_due",
			"Dated answer_due+due", "Whole due", "Sooner due", "Soon due", "ListedLater untouched", "Listed untouched", "Idler stale", "Idle stale"}
		if !slices.Equal(got, want) {
			t.Errorf("the day is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		score := items[0].Score + 1
		for i, it := range items {
			sum := 0
			for _, p := range it.Parts {
				sum += p.Points
			}
			if sum != it.Score || it.Score > score {
				t.Errorf("%s scores %d after %d, made of %+v", got[i], it.Score, score, it.Parts)
			}
			score = it.Score
			if it.Dial.Text == "" || it.Dial.Stopped != "" {
				t.Errorf("%s is not to be dialled: %+v", got[i], it.Dial)
			}
		}
		if it := items[2]; it.FollowUp == nil || it.Dial.Number != over.Nums[0] || it.Left != -hour || it.Count != 1 {
			t.Errorf("whoever was missed and is due besides: %+v", it)
		}
		if it := items[4]; it.Left != -hour || it.Waited != 2*hour { // to be answered within an hour
			t.Errorf("whoever asks has %v left of %v", it.Left, it.Waited)
		}
	})
}

func TestTasksStandBesidesAndErasedPeopleAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		s.add(t, followup.New{Kind: followup.Task, Due: s.Now().Add(-time.Hour), Text: "Send the quote"})
		s.add(t, followup.New{Due: s.Now().Add(-time.Hour)})
		if got, _ := s.today(t); !slices.Equal(got, []string{"Meera Joshi answer_due+due", "Meera Joshi due"}) {
			t.Errorf("the day is %v", got)
		}
	})
}

func TestWhoIsNotToBeCalledIsNotDialled(t *testing.T) {
	each(t, func(t *testing.T, s *story) {
		now := s.Now()
		s.add(t, followup.New{Due: now.Add(-time.Hour), Text: "Secret"})
		stopped, _ := s.someone(t, "Stopped", 1, nil)
		s.add(t, followup.New{Contact: stopped.ID, Due: now.Add(-2 * time.Hour)})
		bare := s.Add(t, contact.New{Person: contact.Person{First: "Bare", Emails: []contact.Labelled{{Text: "bare@example.com"}}}})
		s.add(t, followup.New{Contact: bare.ID, Due: now.Add(-3 * time.Hour)})
		s.all.Wire(followup.Sources{Stopped: func(_ context.Context, _ *account.Org, all map[number.ID]string) (map[number.ID]string, error) {
			out := map[number.ID]string{}
			for n, text := range all {
				if n == stopped.Nums[0] && text == "+919812300201" {
					out[n] = followup.StopSuppressed
				}
			}
			return out, nil
		}})
		s.Tx(t, func(tx *db.Tx) error {
			_, err := s.Book.Restrict(t.Context(), tx, s.Org.ID, s.meera.Nums[0], true, now.UnixMilli())
			return err
		})
		_, items := s.today(t)
		by := map[string]followup.Item{}
		for _, it := range items {
			by[it.Name] = it
		}
		if it := by["Bare"]; it.Dial.Stopped != followup.StopMissing || it.Dial.Text != "" {
			t.Errorf("without a number: %+v", it.Dial)
		}
		if it := by["Stopped"]; it.Dial.Stopped != followup.StopSuppressed || it.Dial.Text != "+919812300201" {
			t.Errorf("suppressed: %+v", it.Dial)
		}
		it, there := by[""] // restricted: without a name
		if !there || it.Dial != (followup.Dial{Stopped: followup.StopRestricted}) || it.FollowUp.Text != "" || it.Company != "" {
			t.Errorf("restricted: %+v", it)
		}
	})
}
