package report

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
)

// listID is the report that shows a list of people.
func listID(l stats.List) ID {
	if l == stats.ListNew {
		return NewClients
	}
	return ID(l)
}

// People is what the lists of people are read with: the view's query, and for missed callers what became of them since,
// up to today.
func (r *Reports) People(v *View, l stats.List) stats.PeopleQuery {
	q := stats.PeopleQuery{Query: v.Query, List: l}
	if l == stats.ListMissed || l == stats.ListNeverAttended {
		q.Sort = stats.SortWaiting
	}
	if l == stats.ListMissed {
		q.Until = max(v.To, civil.Today(r.now(), v.Org.Location())+1)
	}
	return q
}

func (r *Reports) clients(_ context.Context, v *View, s *Sheet) error {
	return r.people(v, s, stats.ListClients)
}
func (r *Reports) reached(_ context.Context, v *View, s *Sheet) error {
	return r.people(v, s, stats.ListReached)
}
func (r *Reports) newClients(_ context.Context, v *View, s *Sheet) error {
	return r.people(v, s, stats.ListNew)
}
func (r *Reports) neverPickedUp(_ context.Context, v *View, s *Sheet) error {
	return r.people(v, s, stats.ListNeverPickedUp)
}
func (r *Reports) neverAttended(_ context.Context, v *View, s *Sheet) error {
	return r.missedPeople(v, s, stats.ListNeverAttended)
}
func (r *Reports) missed(_ context.Context, v *View, s *Sheet) error {
	return r.missedPeople(v, s, stats.ListMissed)
}

func personColumns() []Column {
	return []Column{{"number", "Number", Phone}, {"name", "Name", Text}, {"number_key", "Number key", Text},
		{"calls", "Calls", Count}, {"incoming", "Came in", Count}, {"outgoing", "Went out", Count}, {"connected", "Connected", Count},
		{"unattended", "Unattended", Count}, {"not_picked_up", "Not picked up", Count}, {"talk_seconds", "Talk time", Seconds},
		{"first", "First call", Moment}, {"last", "Last call", Moment}, {"last_agent_name", "Agent of the last call", Text},
		{"last_connected", "Last connected call", Moment}, {"last_connected_agent_name", "Agent who spoke last", Text}}
}

func (r *Reports) people(v *View, s *Sheet, l stats.List) error {
	s.Columns = personColumns()
	s.eachPerson(r, r.People(v, l), func(row []Value, p *stats.Person) { v.person(row, p) })
	return nil
}

func (s *Sheet) eachPerson(r *Reports, q stats.PeopleQuery, fill func(row []Value, p *stats.Person)) {
	s.each = func(ctx context.Context, visit func([]Value) error) error {
		row := make([]Value, len(s.Columns))
		return r.reporter.EachPerson(ctx, s.View.Org, q, func(p *stats.Person) error {
			clear(row)
			fill(row, p)
			return visit(row)
		})
	}
}

func (v *View) person(row []Value, p *stats.Person) {
	row[0], row[1], row[2] = some(p.Number), some(p.Name), some(string(p.Key))
	for i, n := range []int64{p.Calls, p.Incoming, p.Outgoing, p.Connected, p.Unattended, p.NotPickedUp} {
		row[3+i] = n
	}
	row[9], row[10], row[11], row[12] = seconds(p.Talk), v.moment(p.First), v.moment(p.Last), some(v.AgentName(p.LastAgent))
	row[13], row[14] = v.moment(p.LastConnected), some(v.AgentName(p.LastConnectedBy))
}

func seconds(d time.Duration) Value { return int64(d / time.Second) }

// moment is a time in the organisation's zone, or nothing.
func (v *View) moment(t time.Time) Value {
	if t.IsZero() {
		return nil
	}
	return t.In(v.Org.Location())
}

func missedColumns() []Column {
	return append(personColumns(), Column{"first_missed", "First missed", Moment}, Column{"last_missed", "Last missed", Moment},
		Column{"missed_agent_name", "Missed by", Text}, Column{"recovery", "Recovery", Text}, Column{"attempts", "Attempts since", Count},
		Column{"recovered_at", "Recovered at", Moment}, Column{"recovered_agent_name", "Recovered by", Text},
		Column{"waiting_seconds", "Waiting", Seconds}, Column{"waiting_business_seconds", "Waiting in working hours", Seconds},
		Column{"suggested_agent_name", "Who should call back", Text}, Column{"suggested_reason", "Why", Text},
		Column{"callback", "Callback", Text}, Column{"assigned_agent_name", "Assigned to", Text}, Column{"handled_at", "Handled at", Moment},
		Column{"callback_note", "Callback note", Text})
}

// missedPeople lists missed callers with what became of them. The callbacks are read before the walk: they are few, and
// the list may be long.
func (r *Reports) missedPeople(v *View, s *Sheet, l stats.List) error {
	s.Columns = missedColumns()
	s.each = func(ctx context.Context, visit func([]Value) error) error {
		agreed, err := r.callbacks.All(ctx, v.Org.ID)
		if err != nil {
			return err
		}
		return r.eachMissed(ctx, v, l, agreed, len(s.Columns), visit)
	}
	return nil
}

func (r *Reports) eachMissed(ctx context.Context, v *View, l stats.List, agreed map[number.ID]callback.Callback, columns int, visit func([]Value) error) error {
	row := make([]Value, columns)
	own := len(personColumns())
	q := r.People(v, l)
	q.Settled = callback.HandledAt(agreed)
	return r.reporter.EachPerson(ctx, v.Org, q, func(p *stats.Person) error {
		clear(row)
		v.person(row, p)
		v.recovery(row[own:], p)
		v.callback(row[own+11:], agreed[p.ID], p)
		return visit(row)
	})
}

func (v *View) recovery(row []Value, p *stats.Person) {
	row[0], row[1], row[2], row[3], row[4] = v.moment(p.FirstMissed), v.moment(p.LastMissed), some(v.AgentName(p.MissedBy)), some(string(p.State)), p.Attempts
	row[5], row[6] = v.moment(p.RecoveredAt), some(v.AgentName(p.RecoveredBy))
	row[7], row[8] = seconds(p.Waiting), seconds(p.WaitingBusiness)
	if c, ok := p.Suggested(); ok && p.State.Waiting() {
		row[9], row[10] = some(v.AgentName(c.Agent)), some(string(c.Why))
	}
}

// callback says who has a missed caller. Once the caller was reached nobody has to call any more.
func (v *View) callback(row []Value, c callback.Callback, p *stats.Person) {
	switch state := c.State(p.LastMissed); {
	case state == callback.Handled:
		row[0], row[2], row[3] = string(state), v.moment(c.HandledAt), some(c.Note)
	case !p.State.Waiting():
	case state == callback.Assigned:
		row[0], row[1] = string(state), some(v.AgentName(c.AssignedTo))
	default:
		row[0] = string(state)
	}
}

// tasksBack is how many days back a connected call is looked for that settles a task.
const tasksBack civil.Day = 90

// Tasks lists what the actor is to call back, the oldest first: callbacks.Mine without those whose caller was reached,
// by whomever, since it was assigned.
func (r *Reports) Tasks(ctx context.Context, actor *account.Actor) ([]callback.Task, error) {
	mine, err := r.callbacks.Mine(ctx, actor)
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	zone := actor.Org.Location()
	today := civil.Today(r.now(), zone)
	q := stats.PeopleQuery{List: stats.ListReached, Query: stats.Query{From: max(civil.DayOf(mine[0].AssignedAt, zone), today-tasksBack), To: today + 1}}
	for _, m := range mine {
		q.Filter.Numbers = append(q.Filter.Numbers, m.Number)
	}
	reached := map[number.ID]time.Time{}
	if err := r.reporter.EachPerson(ctx, actor.Org, q, func(p *stats.Person) error {
		reached[p.ID] = p.LastConnected
		return nil
	}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(mine, func(m callback.Task) bool {
		at, ok := reached[m.Number]
		return ok && !at.Before(m.AssignedAt)
	}), nil
}
