package stats_test

import (
	"cmp"
	"math"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
)

// naive computes every report straight from the rows, sentence by sentence as the metric contract has them, slowly and
// without anything that the reports use but the rows.
type naive struct {
	org    *account.Org
	rows   []call.Row // all of the organisation
	tags   map[call.Key][]string
	hidden map[number.ID]bool
	now    time.Time

	working map[int64]bool // whether minutes are working time, by Unix seconds
}

func (n *naive) connected(r *call.Row) bool {
	return (r.Type == call.TypeIncoming || r.Type == call.TypeOutgoing) && r.Seconds >= n.org.ConnectedFrom
}

func (n *naive) unattended(r *call.Row) bool {
	switch r.Type {
	case call.TypeMissed, call.TypeRejected, call.TypeVoicemail:
		return true
	case call.TypeIncoming:
		return !n.connected(r)
	default:
		return false
	}
}

func (n *naive) notPickedUp(r *call.Row) bool { return r.Type == call.TypeOutgoing && !n.connected(r) }

func missed(r *call.Row) bool {
	return r.Type == call.TypeMissed || r.Type == call.TypeIncoming && r.Seconds == 0
}

func (n *naive) outcome(r *call.Row) call.Outcome {
	switch {
	case n.connected(r):
		return call.OutcomeConnected
	case missed(r):
		return call.OutcomeMissed
	case r.Type == call.TypeIncoming:
		return call.OutcomeShort
	case r.Type == call.TypeRejected:
		return call.OutcomeRejected
	case r.Type == call.TypeBlocked:
		return call.OutcomeBlocked
	case r.Type == call.TypeVoicemail:
		return call.OutcomeVoicemail
	case n.notPickedUp(r):
		return call.OutcomeNotPickedUp
	default:
		return call.OutcomeUnknown
	}
}

// takes tells whether a row is in a scope and passes a filter.
func (n *naive) takes(r *call.Row, agents []account.AgentNo, f *call.Filter) bool {
	in := func(ok bool) bool { return ok }
	hour := r.At().In(n.org.Location()).Hour()
	window := f.HourFrom == 0 && f.HourTo == 0 || f.HourFrom <= f.HourTo && hour >= f.HourFrom && hour < f.HourTo ||
		f.HourFrom > f.HourTo && (hour >= f.HourFrom || hour < f.HourTo)
	return in(agents == nil || slices.Contains(agents, r.Agent)) &&
		in(len(f.Types) == 0 || slices.Contains(f.Types, r.Type)) &&
		in(len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, n.outcome(r))) &&
		in(r.Seconds >= f.MinSeconds) && in(f.MaxSeconds == 0 || r.Seconds <= f.MaxSeconds) &&
		in(len(f.Numbers) == 0 || slices.Contains(f.Numbers, r.Number)) &&
		in(f.Tag == "" || slices.Contains(n.tags[r.Key], f.Tag)) &&
		in(len(f.Sources) == 0 || slices.Contains(f.Sources, r.Source)) &&
		in(f.Line == 0 || r.Line == f.Line) && window && in(f.Excluded || !n.hidden[r.Number])
}

// calls are those of days [from, to), in order of time; at one instant unattended ones come first, then by type and key.
func (n *naive) calls(agents []account.AgentNo, f call.Filter, from, to civil.Day) []call.Row {
	var out []call.Row
	for i := range n.rows {
		if r := &n.rows[i]; r.Day >= from && r.Day < to && n.takes(r, agents, &f) {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, n.order)
	return out
}

func (n *naive) order(a, b call.Row) int {
	late := func(r *call.Row) int {
		if n.unattended(r) {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Start, b.Start), late(&a)-late(&b), cmp.Compare(a.Type, b.Type), a.Compare(b.Key))
}

func count(rows []call.Row, is func(*call.Row) bool) (c int64) {
	for i := range rows {
		if is(&rows[i]) {
			c++
		}
	}
	return c
}

func ofType(t call.Type) func(*call.Row) bool {
	return func(r *call.Row) bool { return r.Type == t }
}

func (n *naive) talks(rows []call.Row, t call.Type) (out []int64) {
	for i := range rows {
		if r := &rows[i]; n.connected(r) && (t == 0 || r.Type == t) {
			out = append(out, int64(r.Seconds))
		}
	}
	slices.Sort(out)
	return out
}

func sum(all []int64) (s int64) {
	for _, v := range all {
		s += v
	}
	return s
}

func most(all []int64) int64 {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1]
}

func middle(all []int64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return float64(all[(len(all)-1)/2]+all[len(all)/2]) / 2
}

func over(part, all int64) float64 { return float64(part) / float64(all) } // NaN where nothing was counted

// metrics are all figures of a query by id. rows are those of the range and later ones those up to Until.
func (n *naive) metrics(rows, later []call.Row, from civil.Day, excluded bool) map[stats.MetricID]float64 {
	in, out := n.talks(rows, call.TypeIncoming), n.talks(rows, call.TypeOutgoing)
	all := n.talks(rows, 0)
	var span, active int64
	for _, d := range n.workingDays(rows) {
		span += int64(d.Span / time.Second)
		active += int64(d.Active / time.Second)
	}
	m := map[stats.MetricID]float64{}
	whole := func(id stats.MetricID, v int64) { m[id] = float64(v) }
	whole("calls", int64(len(rows)))
	whole("incoming", count(rows, ofType(call.TypeIncoming)))
	whole("outgoing", count(rows, ofType(call.TypeOutgoing)))
	whole("missed", count(rows, missed))
	whole("rejected", count(rows, ofType(call.TypeRejected)))
	whole("blocked", count(rows, ofType(call.TypeBlocked)))
	whole("voicemail", count(rows, ofType(call.TypeVoicemail)))
	whole("connected", int64(len(all)))
	whole("connected_in", int64(len(in)))
	whole("connected_out", int64(len(out)))
	whole("talk_seconds", sum(all))
	whole("talk_in_seconds", sum(in))
	whole("talk_out_seconds", sum(out))
	m["average_talk_seconds"], m["median_talk_seconds"] = over(sum(all), int64(len(all))), middle(all)
	whole("longest_talk_seconds", most(all))
	whole("unattended", count(rows, n.unattended))
	whole("not_picked_up", count(rows, n.notPickedUp))
	whole("working_span_seconds", span)
	whole("active_seconds", active)
	m["connection_rate"] = over(int64(len(out)), count(rows, ofType(call.TypeOutgoing)))
	m["answer_rate"] = over(int64(len(in)), count(rows, func(r *call.Row) bool {
		return r.Type == call.TypeIncoming || r.Type == call.TypeMissed || r.Type == call.TypeRejected || r.Type == call.TypeVoicemail
	}))
	people := n.people(rows, later, from, excluded)
	for list, id := range map[stats.List]stats.MetricID{
		stats.ListClients: "unique_clients", stats.ListReached: "reached_clients", stats.ListNew: "new_clients", stats.ListMissed: "unattended_clients",
		stats.ListNeverAttended: "never_attended_clients", stats.ListNeverPickedUp: "never_picked_up_clients",
	} {
		whole(id, int64(len(people[list])))
	}
	never := count(rows, func(r *call.Row) bool {
		return n.unattended(r) && slices.Contains(people[stats.ListNeverAttended], r.Number)
	})
	whole("never_attended_calls", never)
	return m
}

// people are the members of every list.
func (n *naive) people(rows, later []call.Row, from civil.Day, excluded bool) map[stats.List][]number.ID {
	out := map[stats.List][]number.ID{}
	mine := map[number.ID][]call.Row{}
	for _, r := range rows {
		if r.Number != number.Withheld {
			mine[r.Number] = append(mine[r.Number], r)
		}
	}
	for id, calls := range mine {
		is := func(l stats.List, yes bool) {
			if yes {
				out[l] = append(out[l], id)
			}
		}
		is(stats.ListClients, true)
		is(stats.ListReached, slices.ContainsFunc(calls, func(r call.Row) bool { return n.connected(&r) }))
		is(stats.ListNew, !slices.ContainsFunc(n.rows, func(r call.Row) bool {
			return r.Number == id && r.Day < from && (excluded || !n.hidden[id])
		}))
		is(stats.ListNeverPickedUp, slices.ContainsFunc(calls, func(r call.Row) bool { return n.notPickedUp(&r) }) &&
			!slices.ContainsFunc(calls, func(r call.Row) bool { return n.connected(&r) }))
		first := slices.IndexFunc(calls, func(r call.Row) bool { return n.unattended(&r) })
		is(stats.ListMissed, first >= 0)
		is(stats.ListNeverAttended, first >= 0 && !slices.ContainsFunc(slices.Concat(calls, later), func(r call.Row) bool {
			return r.Number == id && r.Start >= calls[first].Start && n.connected(&r)
		}))
	}
	return out
}

// workingDays are the spans per agent and day; gaps longer than the limit are not active time.
func (n *naive) workingDays(rows []call.Row) []stats.Span {
	type agentDay struct {
		day   civil.Day
		agent account.AgentNo
	}
	mine := map[agentDay][]call.Row{}
	for _, r := range rows {
		k := agentDay{r.Day, r.Agent}
		mine[k] = append(mine[k], r)
	}
	var out []stats.Span
	for k, calls := range mine {
		s := stats.Span{Agent: k.agent, Day: k.day, Calls: int64(len(calls)), Talk: time.Duration(sum(n.talks(calls, 0))) * time.Second}
		var busyUntil time.Time
		for i := range calls {
			start := time.Unix(calls[i].Start/1000, 0)
			end := start.Add(time.Duration(calls[i].Seconds) * time.Second)
			if i == 0 {
				s.First, busyUntil = start, start
			}
			if gap := start.Sub(busyUntil); gap > 0 && gap <= time.Duration(n.org.GapMinutes)*time.Minute {
				s.Active += gap
			}
			if end.After(busyUntil) {
				if start.Before(busyUntil) {
					start = busyUntil
				}
				s.Active += end.Sub(start)
				busyUntil = end
			} else if start.After(busyUntil) {
				busyUntil = start
			}
		}
		s.Last, s.Span = busyUntil, busyUntil.Sub(s.First)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b stats.Span) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Agent, b.Agent))
	})
	return out
}

// hours are calls by local weekday and hour.
func (n *naive) heat(rows []call.Row) (heat [7][24]stats.HourSum) {
	for i := range rows {
		r := &rows[i]
		at := r.At().In(n.org.Location())
		h := &heat[at.Weekday()][at.Hour()]
		h.Calls++
		if n.connected(r) {
			h.Connected++
			h.Talk += int64(r.Seconds)
		}
		if n.unattended(r) {
			h.Unattended++
		}
	}
	return heat
}
