package ingest

import (
	"context"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// house is what a unit knows of an organisation. It is read within the transaction, because whoever hands calls in may
// hold settings from before a change, and a call must never be filed by an old zone after the days were rebuilt.
type house struct {
	id       account.OrgID
	settings reckoning
	zone     *time.Location
	rules    roll.Rules
	excluded number.Excluded
	buried   Buried // nil when there are none
	last     dayBounds
	known    bool // what its days are reckoned with is on record
}

// reckoning is what days and roll-ups are reckoned with.
type reckoning struct {
	zone          string
	connectedFrom int
	gapMinutes    int
}

type dayBounds struct {
	day      civil.Day
	from, to int64 // Unix milliseconds, to exclusive
}

func boundsOf(day civil.Day, zone *time.Location) dayBounds {
	return dayBounds{day: day, from: day.Start(zone).UnixMilli(), to: (day + 1).Start(zone).UnixMilli()}
}

// dayOf is the local day of an instant in Unix milliseconds. Calls mostly come day by day, so the last one is tried first.
func (h *house) dayOf(ms int64) civil.Day {
	if ms < h.last.from || ms >= h.last.to {
		h.last = boundsOf(civil.DayOf(time.UnixMilli(ms), h.zone), h.zone)
	}
	return h.last.day
}

// enter prepares the unit for an organisation's calls.
func (u *unit) enter(ctx context.Context, org *account.Org) (*house, error) {
	if h, ok := u.houses[org.ID]; ok {
		return h, nil
	}
	if u.tx.Engine() == db.Postgres {
		// Agent-days are read, changed and written back: another process must wait for this one.
		if _, err := u.tx.Exec(ctx, `INSERT INTO number_counters (org_id, next) VALUES ($1, 1)
			ON CONFLICT (org_id) DO UPDATE SET next = number_counters.next`, org.ID); err != nil {
			return nil, err
		}
	}
	h, err := u.w.readHouse(ctx, u.tx, org)
	if err != nil {
		return nil, err
	}
	u.houses[org.ID] = h
	if h.known {
		return h, nil
	}
	// What a first call is filed by is remembered, so that a change of settings is noticed later.
	_, err = u.tx.Exec(ctx, `INSERT INTO rebuilds (org_id, zone, connected_from, gap_minutes, next_day, done) VALUES ($1, $2, $3, $4, 0, 1)
		ON CONFLICT (org_id) DO NOTHING`, org.ID, h.settings.zone, h.settings.connectedFrom, h.settings.gapMinutes)
	return h, err
}

// readHouse reads an organisation as it is now. org may be older.
func (w *Writer) readHouse(ctx context.Context, c db.Conn, org *account.Org) (*house, error) {
	var known int
	s, ok, err := db.One(ctx, c, func(r db.Scanner) (s reckoning, err error) {
		return s, r.Scan(&s.zone, &s.connectedFrom, &s.gapMinutes, &known)
	}, `SELECT zone, connected_from, gap_minutes, (SELECT count(*) FROM rebuilds r WHERE r.org_id = organisations.org_id)
		FROM organisations WHERE org_id = $1`, org.ID)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no organisation %d.", org.ID)
	}
	if err != nil {
		return nil, err
	}
	h := &house{id: org.ID, settings: s, zone: org.Location(), rules: roll.Rules{ConnectedFrom: s.connectedFrom, GapMinutes: s.gapMinutes}, known: known > 0}
	if s.zone != org.Zone {
		if h.zone, err = time.LoadLocation(s.zone); err != nil {
			return nil, err
		}
	}
	if h.excluded, err = w.book.Excluded(ctx, c, org.ID); err != nil || w.trust.Buried == nil {
		return h, err
	}
	if h.buried, err = w.trust.Buried(ctx, c, org.ID); err == nil && h.buried.Len() == 0 {
		h.buried = nil
	}
	return h, err
}

// erased tells whether a call belongs to what was erased of its person.
func (h *house) erased(it *Item) bool {
	if h.buried == nil || it.Number == "" {
		return false
	}
	at, ok := h.buried.Erased(it.Number)
	return ok && it.Start.Before(at)
}
