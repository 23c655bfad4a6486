package lead

import (
	"context"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// DueDay is what is due on one day.
type DueDay struct {
	Day   civil.Day
	Count int
	Rows  []Row // the first ones, by the time at which they are due
}

// maxDays is how many days a calendar shows at most: a year and a week on either side.
const maxDays = 380

// Calendar gives what is due on the days from from up to and including to, by the organisation's clocks: of the open leads
// that somebody sees, of each day at most perDay with their contacts. Days on which nothing is due are there, too.
func (s *Leads) Calendar(ctx context.Context, c db.Conn, org *account.Org, sight contact.Sight, from, to civil.Day, perDay int) ([]DueDay, error) {
	if to < from || to-from >= maxDays {
		return nil, fault.Field("to", "A calendar shows between 1 and %d days. Choose another end.", maxDays)
	}
	zone := org.Location()
	days := make([]DueDay, to-from+1)
	for i := range days {
		days[i].Day = from + civil.Day(i)
	}
	w := whereOrg(org.ID)
	w.see(sight)
	w.and("state = 0 AND due_ms > 0 AND due_ms >= %s AND due_ms < %s", millis(from.Start(zone)), millis((to + 1).Start(zone)))
	type due struct {
		id ID
		at time.Time
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (d due, err error) {
		var ms int64
		err = r.Scan(&d.id, &ms)
		d.at = at(ms)
		return d, err
	}, `SELECT lead, due_ms FROM leads WHERE `+w.text.String()+` ORDER BY due_ms, lead`, w.args...)
	if err != nil {
		return nil, err
	}
	var show []ID
	on := map[ID]int{}
	for _, d := range all {
		i := int(civil.DayOf(d.at, zone) - from)
		if days[i].Count++; days[i].Count <= perDay {
			show = append(show, d.id)
			on[d.id] = i
		}
	}
	leads, err := s.Load(ctx, c, org.ID, show...)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, x := range show {
		if l := leads[x]; l != nil {
			rows = append(rows, Row{Lead: l})
		}
	}
	if err := s.dress(ctx, c, org.ID, rows); err != nil {
		return nil, err
	}
	for _, r := range rows {
		i := on[r.ID]
		days[i].Rows = append(days[i].Rows, r)
	}
	return days, nil
}
