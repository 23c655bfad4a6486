package call

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
)

// Filter narrows calls down. The zero value takes all that are not excluded.
type Filter struct {
	Types      []Type
	Outcomes   []Outcome
	MinSeconds int
	MaxSeconds int // 0 = no bound
	Numbers    []number.ID
	Tag        string
	Sources    []Source
	Line       LineNo // 0 = any
	HourFrom   int    // local hours [HourFrom, HourTo); both 0 = all day
	HourTo     int
	Excluded   bool // hidden numbers, too
	SyncedFrom int64
}

// IsZero tells whether the filter takes every call that reports count, so that roll-ups can answer.
func (f *Filter) IsZero() bool {
	return len(f.Types) == 0 && len(f.Outcomes) == 0 && f.MinSeconds == 0 && f.MaxSeconds == 0 && len(f.Numbers) == 0 && f.Tag == "" &&
		len(f.Sources) == 0 && f.Line == 0 && f.HourFrom == 0 && f.HourTo == 0 && !f.Excluded && f.SyncedFrom == 0
}

// With is the filter that takes what both f and o take; where both name a tag, a line or hours, o's stand. An
// intersection that nothing can pass keeps one value that no call has.
func (f Filter) With(o Filter) Filter {
	f.Types = both(f.Types, o.Types, Type(-1))
	f.Outcomes = both(f.Outcomes, o.Outcomes, Outcome(-1))
	f.Numbers = both(f.Numbers, o.Numbers, number.ID(-1))
	f.Sources = both(f.Sources, o.Sources, Source(-1))
	f.MinSeconds = max(f.MinSeconds, o.MinSeconds)
	if f.MaxSeconds == 0 || o.MaxSeconds > 0 && o.MaxSeconds < f.MaxSeconds {
		f.MaxSeconds = o.MaxSeconds
	}
	f.SyncedFrom = max(f.SyncedFrom, o.SyncedFrom)
	f.Tag = cmp.Or(o.Tag, f.Tag)
	f.Line = cmp.Or(o.Line, f.Line)
	if o.HourFrom != 0 || o.HourTo != 0 {
		f.HourFrom, f.HourTo = o.HourFrom, o.HourTo
	}
	f.Excluded = f.Excluded || o.Excluded
	return f
}

func both[T comparable](a, b []T, none T) []T {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	var out []T
	for _, v := range a {
		if slices.Contains(b, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		out = []T{none}
	}
	return out
}

// Condition is a WHERE clause in the making, with its arguments.
type Condition struct {
	text strings.Builder
	Args []any
}

// Where starts a condition with the organisation.
func Where(org account.OrgID) *Condition {
	c := &Condition{Args: []any{org}}
	c.text.WriteString(`org_id = $1`)
	return c
}

// And adds a term in which each ? stands for one of args.
func (c *Condition) And(term string, args ...any) *Condition {
	c.text.WriteString(" AND ")
	for part := range strings.SplitAfterSeq(term, "?") {
		if before, ok := strings.CutSuffix(part, "?"); ok {
			c.Args = append(c.Args, args[0])
			args = args[1:]
			part = before + "$" + strconv.Itoa(len(c.Args))
		}
		c.text.WriteString(part)
	}
	return c
}

// String is the clause.
func (c *Condition) String() string { return c.text.String() }

func marks(n int) string { return "(?" + strings.Repeat(",?", n-1) + ")" }

func anys[T any](s []T) []any {
	out := make([]any, len(s))
	for i, v := range s {
		out[i] = v
	}
	return out
}

// Agents narrows to agents; nil means all of the organisation.
func (c *Condition) Agents(agents []account.AgentNo) *Condition {
	switch {
	case agents == nil:
		return c
	case len(agents) == 0:
		return c.And(`1 = 0`)
	default:
		return c.And(`agent IN `+marks(len(agents)), anys(agents)...)
	}
}

// Filter adds every term of f that one row's columns can answer: hours and hidden numbers need more and are tested by
// Match. connectedFrom is the organisation's threshold in seconds.
func (c *Condition) Filter(f *Filter, connectedFrom int) *Condition {
	if len(f.Types) > 0 {
		c.And(`type IN `+marks(len(f.Types)), anys(f.Types)...)
	}
	if len(f.Outcomes) > 0 {
		c.outcomes(f.Outcomes, connectedFrom)
	}
	if f.MinSeconds > 0 {
		c.And(`seconds >= ?`, f.MinSeconds)
	}
	if f.MaxSeconds > 0 {
		c.And(`seconds <= ?`, f.MaxSeconds)
	}
	if len(f.Numbers) > 0 {
		c.And(`num IN `+marks(len(f.Numbers)), anys(f.Numbers)...)
	}
	if len(f.Sources) > 0 {
		c.And(`source IN `+marks(len(f.Sources)), anys(f.Sources)...)
	}
	if f.Line != 0 {
		c.And(`line = ?`, f.Line)
	}
	if f.SyncedFrom > 0 {
		c.And(`synced >= ?`, f.SyncedFrom)
	}
	if f.Tag != "" {
		c.And(`EXISTS (SELECT 1 FROM call_tags t WHERE t.org_id = calls.org_id AND t.day = calls.day AND t.agent = calls.agent AND t.start = calls.start
			AND t.num = calls.num AND t.dir = calls.dir AND t.line = calls.line AND t.tag = ?)`, f.Tag)
	}
	return c
}

// outcomes says in SQL what OutcomeOf says in Go.
func (c *Condition) outcomes(want []Outcome, connectedFrom int) {
	threshold := max(connectedFrom, 1)
	var terms []string
	var args []any
	add := func(term string, a ...any) { terms, args = append(terms, term), append(args, a...) }
	for _, o := range want {
		switch o {
		case OutcomeConnected:
			add(`(type IN (1, 2) AND seconds >= ?)`, threshold)
		case OutcomeMissed:
			add(`(type = 3 OR (type = 1 AND seconds <= 0))`)
		case OutcomeShort:
			add(`(type = 1 AND seconds > 0 AND seconds < ?)`, threshold)
		case OutcomeNotPickedUp:
			add(`(type = 2 AND seconds < ?)`, threshold)
		case OutcomeRejected:
			add(`type = 5`)
		case OutcomeBlocked:
			add(`type = 6`)
		case OutcomeVoicemail:
			add(`type = 4`)
		case OutcomeUnknown:
			add(`type IN (0, 7)`)
		default:
			add(`1 = 0`)
		}
	}
	c.And(`(`+strings.Join(terms, ` OR `)+`)`, args...)
}

// Match tests what SQL does not: the local hour, hidden numbers and restricted ones, which no filter takes.
func (f *Filter) Match(r *Row, zone *time.Location, excluded *number.Excluded) bool {
	if excluded.Hidden[r.Number] && (!f.Excluded || excluded.Restricted[r.Number]) {
		return false
	}
	if f.HourFrom == 0 && f.HourTo == 0 {
		return true
	}
	h := r.At().In(zone).Hour()
	if f.HourFrom <= f.HourTo {
		return h >= f.HourFrom && h < f.HourTo
	}
	return h >= f.HourFrom || h < f.HourTo // over midnight
}
