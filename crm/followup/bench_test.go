package followup_test

import (
	"fmt"
	"testing"
	"time"

	"parley/crm/contact"
	"parley/crm/crmtest"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

// BenchmarkMyDay opens the day of somebody with 5,000 leads, 300 follow-ups of which are due.
func BenchmarkMyDay(b *testing.B) {
	d := dbtest.SQLite(b, append(crmtest.Schemas(), dbtest.Schema{Series: "followup", Files: followup.Schema})...)
	s := newStory(b, d)
	ctx := b.Context()
	for part := range 10 {
		var people []contact.New
		for i := range 500 {
			people = append(people, contact.New{Person: contact.Person{First: fmt.Sprintf("P%d", i), Numbers: []contact.Labelled{{Text: fmt.Sprintf("+9198%03d%05d", part, i)}}}})
		}
		var done func()
		s.Tx(b, func(tx *db.Tx) error {
			all, committed, err := s.Contacts.AddMany(ctx, tx, s.Org, "", people)
			if err != nil {
				return err
			}
			done = committed
			news := make([]lead.New, len(all))
			for i, c := range all {
				news[i] = lead.New{Contact: c.ID, Owner: s.asha.ID, Import: "imp_1"}
			}
			leads, err := s.Leads.AddMany(ctx, tx, s.Org, "", news)
			if err != nil {
				return err
			}
			for i, l := range leads[:30] {
				if _, err := s.all.Add(ctx, tx, s.Org, s.asha.ID, followup.New{Kind: followup.Call, Lead: l.ID, Due: s.Now().Add(time.Duration(i-15) * time.Hour)}); err != nil {
					return err
				}
			}
			return nil
		})
		done()
	}
	for b.Loop() {
		items, err := s.all.MyDay(ctx, s.Org, s.asha.ID, s.Now())
		if err != nil || len(items) < 200 {
			b.Fatal(len(items), err)
		}
	}
}
