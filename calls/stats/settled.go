package stats

import (
	"context"

	"parley/platform/civil"
	"parley/platform/db"
)

// settle marks those of whom somebody said, after their last unattended call, that no call is needed. Roll-ups know the
// day of that call; where it was said on the same day, the calls tell which came first.
func (l *list) settle(ctx context.Context, tx *db.Tx) error {
	if len(l.q.Settled) == 0 {
		return nil
	}
	sameDay := map[civil.Day][]*tally{}
	for _, t := range l.members {
		at, ok := l.q.Settled[t.number()]
		if !ok || !t.state.waits() {
			continue
		}
		switch said, missed := civil.DayOf(at, l.zone), l.dayAt(t.missDay); {
		case said > missed:
			t.state = handled
		case said == missed:
			sameDay[missed] = append(sameDay[missed], t)
		}
	}
	for day, tallies := range sameDay {
		by, err := l.callsOn(ctx, tx, day, tallies)
		if err != nil {
			return err
		}
		for _, t := range tallies {
			var u pursuit
			u.follow(by[t.number()], l.q.To, l.org.ConnectedFrom)
			if u.last != nil && !l.q.Settled[t.number()].Before(u.last.At()) {
				t.state = handled
			}
		}
	}
	return nil
}
