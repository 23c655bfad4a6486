package device

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/platform/civil"
	"parley/platform/db"
)

// WaitingDevice is a phone that has not told everything about a range.
type WaitingDevice struct {
	DeviceID    string
	Name        string
	Agent       account.AgentNo
	Since       time.Time   // it has told everything up to then
	Waiting     int         // calls that it says are left
	MissingDays []civil.Day // days of which it has calls that we lack
}

// Completeness is what every report says about itself.
type Completeness struct {
	Complete bool
	Waiting  []WaitingDevice
}

// settled is how long a phone that has told everything counts as up to date: it may have had calls since, but phones
// report at least hourly.
const settled = onlineFor

// Complete tells whether all phones of agents have told everything about the local days [from, to); nil agents means all
// of the organisation. Agents without a paired phone, whose calls come from files, are never waited for.
func (s *Devices) Complete(ctx context.Context, org *account.Org, agents []account.AgentNo, from, to civil.Day) (Completeness, error) {
	var out Completeness
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		phones, err := s.devices(ctx, tx, org.ID, `AND unpaired_ms = 0`)
		if err != nil {
			return err
		}
		phones = slices.DeleteFunc(phones, func(d *Device) bool {
			return len(d.Lines) == 0 || agents != nil && !slices.Contains(agents, d.Agent)
		})
		missing, err := s.missing(ctx, tx, org, phones, from, to)
		if err != nil {
			return err
		}
		end := to.Start(org.Location())
		due := minTime(end, s.now().Add(-settled))
		out.Waiting = nil
		for _, d := range phones {
			since := d.CompleteAt
			if since.IsZero() {
				since = d.PairedAt
			}
			late := d.CompleteAt.IsZero() || d.CompleteAt.Before(due) || d.Waiting > 0 && d.CompleteAt.Before(end)
			if days := missing[d.ID]; late || len(days) > 0 {
				out.Waiting = append(out.Waiting, WaitingDevice{DeviceID: d.ID, Name: d.Name, Agent: d.Agent, Since: since, Waiting: d.Waiting, MissingDays: days})
			}
		}
		return nil
	})
	out.Complete = err == nil && len(out.Waiting) == 0
	return out, err
}

// missing lists, by phone, the days on which calls were lacking when the phone last sent its digest and still are.
func (s *Devices) missing(ctx context.Context, tx *db.Tx, org *account.Org, phones []*Device, from, to civil.Day) (map[string][]civil.Day, error) {
	type said struct {
		lineDay
		hash string
	}
	rows, err := db.Select(ctx, tx, func(r db.Scanner) (x said, err error) { return x, r.Scan(&x.line, &x.day, &x.hash) },
		`SELECT line, day, hash FROM digests WHERE org_id = $1 AND day >= $2 AND day < $3 AND lacking = 1`, org.ID, from, to)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	phone := map[call.LineNo]string{}
	for _, d := range phones {
		for _, l := range d.Lines {
			phone[l.No] = d.ID
		}
	}
	rows = slices.DeleteFunc(rows, func(x said) bool { return phone[x.line] == "" })
	want := make([]lineDay, len(rows))
	for i, x := range rows {
		want[i] = x.lineDay
	}
	ours, err := s.digests(ctx, tx, org, want)
	out := map[string][]civil.Day{}
	for _, x := range rows {
		if id := phone[x.line]; ours[x.lineDay].Hash != x.hash && !ours[x.lineDay].archived && !slices.Contains(out[id], x.day) {
			out[id] = append(out[id], x.day)
		}
	}
	for _, days := range out {
		slices.Sort(days)
	}
	return out, err
}
