package report

import (
	"context"
	"slices"
	"time"

	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// The ways to compare a range.
const (
	ComparePrevious = "previous" // the range just before; for a week or month by name, the one before it
	CompareYear     = "year"     // the same days a year before
	CompareWeekdays = "weekdays" // one day alone: the average of the same weekday over the last eight weeks
)

// Comparisons lists the words for comparisons.
func Comparisons() []string { return []string{ComparePrevious, CompareYear, CompareWeekdays} }

func checkComparison(a *Ask, from, to civil.Day) error {
	switch {
	case a.Compare == "" || a.Compare == ComparePrevious || a.Compare == CompareYear:
		return nil
	case a.Compare != CompareWeekdays:
		return fault.Field("compare", "There is no comparison %q. Choose from %s.", a.Compare, list(Comparisons()))
	case to-from > 1:
		return fault.Field("compare", "Only a single day can be compared with the same weekday; this range has %d days. Choose %s or %s.", to-from, ComparePrevious, CompareYear)
	default:
		return nil
	}
}

// Compare gives the view of the range that a view is compared with, or nil where it is compared with none or with an
// average (see SameWeekdays).
func (r *Reports) Compare(_ context.Context, v *View) (*View, error) {
	var move func(from, to civil.Day) (civil.Day, civil.Day)
	switch v.Ask.Compare {
	case ComparePrevious:
		move = justBefore
		if p, ok := findPreset(v.Ask.Preset); ok {
			move = p.before
		}
	case CompareYear:
		move = yearBefore
	default:
		return nil, nil
	}
	out := *v
	out.From, out.To = move(v.From, v.To)
	out.Query.From, out.Query.To = out.From, out.To
	out.Ask.Preset, out.Ask.Through, out.Ask.Compare = "", "", ""
	out.Ask.From, out.Ask.To = out.From.String(), out.To.String()
	return &out, nil
}

// comparison is what the figures of a summary are compared with.
type comparison struct {
	with     string
	from, to civil.Day // of the other range; of the oldest and after the newest day that was averaged
	values   []stats.Value
}

// compared gives the other figures that a view asks for, nil when it asks for none.
func (r *Reports) compared(ctx context.Context, v *View) (*comparison, error) {
	if v.Ask.Compare == CompareWeekdays {
		usual, err := r.SameWeekdays(ctx, v)
		if err != nil || len(usual.Days) == 0 {
			return nil, err
		}
		return &comparison{v.Ask.Compare, usual.Days[len(usual.Days)-1], usual.Days[0] + 1, usual.Values}, nil
	}
	other, err := r.Compare(ctx, v)
	if err != nil || other == nil {
		return nil, err
	}
	rep, err := r.reporter.Report(ctx, other.Org, other.Query, stats.WithPeople)
	if err != nil {
		return nil, err
	}
	return &comparison{v.Ask.Compare, other.From, other.To, rep.Values()}, nil
}

// weeks is how many of the same weekday are averaged.
const weeks = 8

// Average is what a usual day looks like: means over the same weekday of the weeks before.
type Average struct {
	Days   []civil.Day   // the days that were averaged, newest first
	Values []stats.Value // means in the registry's order; rates and average talk are those of all the days together
	// SoFar are the means of calls, connected, unattended and talk_seconds up to the present time of day; nil unless the
	// view is of today. Within the hour at hand calls are taken to be spread evenly.
	SoFar []stats.Value
}

// SameWeekdays averages the same weekday over the last eight weeks, for a view of a single day. Days on which the whole
// organisation had no call, such as holidays and days before it began, are left out; with none left, Days is empty.
func (r *Reports) SameWeekdays(ctx context.Context, v *View) (*Average, error) {
	if v.To != v.From+1 {
		return nil, fault.Field("compare", "Only a single day can be compared with the same weekday; this range has %d days.", v.To-v.From)
	}
	days, err := r.daysWithCalls(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &Average{Days: days}
	var sum sums
	for _, day := range days {
		q := v.Query
		q.From, q.To = day, day+1
		rep, err := r.reporter.Report(ctx, v.Org, q, stats.WithPeople)
		if err != nil {
			return nil, err
		}
		sum.add(rep)
	}
	out.Values = sum.means()
	now := r.now().In(v.Org.Location())
	if v.From == civil.Today(now, v.Org.Location()) {
		out.SoFar = sum.soFar(now)
	}
	return out, nil
}

func (r *Reports) daysWithCalls(ctx context.Context, v *View) ([]civil.Day, error) {
	args := []any{v.Org.ID}
	for k := range civil.Day(weeks) {
		args = append(args, v.From-7*(k+1))
	}
	days, err := db.Select(ctx, r.db, func(s db.Scanner) (d civil.Day, err error) { return d, s.Scan(&d) },
		`SELECT day FROM days WHERE org_id = $1 AND day IN `+db.In(2, weeks)+` ORDER BY day DESC`, args...)
	return days, err
}

// sums adds up days.
type sums struct {
	days   int
	all    stats.Figures // what rates are computed from
	values []float64     // per metric
	known  []int         // on how many days each metric had a value
	hours  [24]stats.HourSum
}

func (s *sums) add(rep *stats.Report) {
	values := rep.Values()
	if s.values == nil {
		s.values, s.known = make([]float64, len(values)), make([]int, len(values))
	}
	s.days++
	for i, v := range values {
		if v.OK {
			s.values[i] += v.Value
			s.known[i]++
		}
	}
	for t, n := range rep.Types {
		s.all.Types[t] += n
	}
	s.all.ConnectedIn += rep.ConnectedIn
	s.all.ConnectedOut += rep.ConnectedOut
	s.all.TalkIn += rep.TalkIn
	s.all.TalkOut += rep.TalkOut
	for h := range rep.Hours {
		x := &rep.Hours[h]
		s.hours[h].Calls += x.Calls
		s.hours[h].Connected += x.Connected
		s.hours[h].Unattended += x.Unattended
		s.hours[h].Talk += x.Talk
	}
}

// quotients are metrics whose mean is that of all days' sums, so that a quiet day weighs less.
func quotients() []stats.MetricID {
	return []stats.MetricID{"average_talk_seconds", "connection_rate", "answer_rate"}
}

func (s *sums) means() []stats.Value {
	metrics := stats.Metrics()
	out := make([]stats.Value, len(metrics))
	for i, m := range metrics {
		out[i].ID = m.ID
		switch {
		case s.days == 0:
		case slices.Contains(quotients(), m.ID):
			out[i].Value, out[i].OK = m.Value(&s.all)
		case s.known[i] > 0:
			out[i].Value, out[i].OK = s.values[i]/float64(s.known[i]), true
		}
	}
	return out
}

// soFar are means up to a time of day.
func (s *sums) soFar(now time.Time) []stats.Value {
	out := []stats.Value{{ID: "calls"}, {ID: "connected"}, {ID: "unattended"}, {ID: "talk_seconds"}}
	if s.days == 0 {
		return out
	}
	for h := range now.Hour() + 1 {
		share := 1.0
		if h == now.Hour() {
			share = float64(now.Minute()) / 60
		}
		x := &s.hours[h]
		for i, n := range []int64{x.Calls, x.Connected, x.Unattended, x.Talk} {
			out[i].Value += share * float64(n)
		}
	}
	for i := range out {
		out[i].Value, out[i].OK = out[i].Value/float64(s.days), true
	}
	return out
}
