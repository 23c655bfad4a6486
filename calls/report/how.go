package report

import (
	"slices"

	"parley/calls/call"
	"parley/calls/stats"
	"parley/platform/fault"
)

// How gives a metric's published definition.
func How(id stats.MetricID) (stats.Metric, error) {
	all := stats.Metrics()
	if i := slices.IndexFunc(all, func(m stats.Metric) bool { return m.ID == id }); i >= 0 {
		return all[i], nil
	}
	known := make([]stats.MetricID, len(all))
	for i, m := range all {
		known[i] = m.ID
	}
	return stats.Metric{}, fault.New(fault.NotFound, "There is no figure %q. The figures are %s.", string(id), list(known))
}

// RowsAsk gives the report that lists what a figure of a view counts, and the Ask to open it with. Where the view's own
// filter leaves nothing to the figure, that report is empty, too.
func RowsAsk(v *View, id stats.MetricID) (Ask, ID, error) {
	m, err := How(id)
	if err != nil {
		return Ask{}, "", err
	}
	a := v.Ask
	a.Compare = ""
	if m.List != "" {
		return a, listID(m.List), nil
	}
	f := m.Rows()
	types, some := both(a.Types, f.Types)
	outcomes, other := both(a.Outcomes, f.Outcomes)
	a.Types, a.Outcomes = types, outcomes
	if !some || !other {
		// No call is logged as missed and has the outcome of an outgoing one.
		a.Types, a.Outcomes = []string{call.TypeMissed.String()}, []string{call.OutcomeNotPickedUp.String()}
	}
	return a, Calls, nil
}

// both keeps what two lists allow, where an empty one allows everything; ok is false when they allow nothing.
func both[T interface{ String() string }](asked []string, wanted []T) (out []string, ok bool) {
	if len(wanted) == 0 {
		return asked, true
	}
	for _, w := range wanted {
		if len(asked) == 0 || slices.Contains(asked, w.String()) {
			out = append(out, w.String())
		}
	}
	return out, len(out) > 0
}
