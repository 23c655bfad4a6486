// Package contract holds the questions that every engine is asked, what an answer looks like, and the metric contract
// as SQL for the engines that are asked in SQL.
package contract

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"parley/bench/seed"
)

// Kind is what a query asks for.
type Kind string

// The kinds.
const (
	Summary       Kind = "summary"
	Leaderboard   Kind = "leaderboard"
	Heatmap       Kind = "heatmap"
	Clients       Kind = "clients"
	NeverAttended Kind = "never attended"
	NeverPickedUp Kind = "never picked up"
	Working       Kind = "working time"
	History       Kind = "history page"
	// AtOnce asks for all reports of a range together, as a dashboard does. An engine may answer them in one go.
	AtOnce Kind = "reports at once"
)

// Kinds lists them all.
func Kinds() []Kind { return append(reports(), History, AtOnce) }

func reports() []Kind {
	return []Kind{Summary, Leaderboard, Heatmap, Clients, NeverAttended, NeverPickedUp, Working}
}

// OneByOne answers AtOnce for an engine that has to be asked each report by itself.
func (q Query) OneByOne(ask func(q Query) (Result, error)) (Result, error) {
	var out Result
	for _, k := range reports() {
		q.Kind = k
		r, err := ask(q)
		if err != nil {
			return nil, err
		}
		out = append(out, r...)
	}
	return out, nil
}

// Each gives the answers to the reports, one after the other, as the answer to AtOnce.
func Each(answer func(k Kind) Result) Result {
	var out Result
	for _, k := range reports() {
		out = append(out, answer(k)...)
	}
	return out
}

// Columns names the columns of a kind's answer.
func (k Kind) Columns() []string {
	switch k {
	case Summary:
		return []string{"calls", "incoming", "outgoing", "missed", "rejected", "blocked", "voicemail", "connected", "connected_in",
			"connected_out", "talk_seconds", "not_picked_up", "unattended"}
	case Leaderboard:
		return []string{"agent", "calls", "incoming", "outgoing", "missed", "connected", "talk_seconds", "not_picked_up", "unique_clients"}
	case Heatmap:
		return []string{"weekday", "hour", "calls", "connected", "unattended", "talk_seconds"}
	case Clients:
		return []string{"unique_clients", "reached_clients", "new_clients"}
	case NeverAttended:
		return []string{"never_attended_clients", "never_attended_calls"}
	case NeverPickedUp:
		return []string{"never_picked_up_clients"}
	case Working:
		return []string{"agent_days", "working_span_seconds", "active_seconds"}
	case AtOnce:
		return []string{"rows of all reports"}
	default:
		return []string{"start_ms", "agent", "number", "type", "seconds"}
	}
}

// PageRows is how many calls a history page shows.
const PageRows = 50

// GapSeconds is the longest pause between two calls that counts as active time.
const GapSeconds = 15 * 60

// Scope is whose calls a query is about.
type Scope string

// The scopes.
const (
	Agent Scope = "agent"
	Team  Scope = "team of 50"
	Org   Scope = "organisation"
)

const teamSize = 50

// Group is the queries of one scope and length of range.
type Group struct {
	Scope Scope
	Days  int
}

// String names the group in the output.
func (g Group) String() string {
	if g.Days == 1 {
		return string(g.Scope) + ", 1 day"
	}
	return fmt.Sprintf("%s, %d days", g.Scope, g.Days)
}

// Query is one question.
type Query struct {
	Kind     Kind
	Group    Group
	Agents   []int32 // ascending; nil is everybody
	From, To int32   // local days, To exclusive
}

// String tells the question.
func (q Query) String() string {
	return fmt.Sprintf("%s (%s, local days %d to %d)", q.Kind, q.Group, q.From, q.To)
}

// Queries draws the list of questions over a stream: ranges for each group, or one where the range is all there is, and
// each kind for each range.
func Queries(s *seed.Stream, random uint64, ranges int) []Query {
	rng := rand.New(rand.NewPCG(random, 0xa5c))
	var out []Query
	for _, scope := range []Scope{Agent, Team, Org} {
		for _, days := range []int{1, 30, 365} {
			days = min(days, s.Days)
			g := Group{scope, days}
			if len(out) > 0 && out[len(out)-1].Group == g {
				continue // the stream is shorter than this range
			}
			n := ranges
			if days == s.Days && scope == Org {
				n = 1
			}
			for range n {
				out = append(out, drawn(rng, s, g)...)
			}
		}
	}
	return out
}

// drawn is every kind over one drawn range and scope. A single day is never a Sunday, when hardly anybody works.
func drawn(rng *rand.Rand, s *seed.Stream, g Group) []Query {
	from := seed.FirstDay + rng.Int32N(int32(s.Days-g.Days)+1)
	if sunday := (from+4)%7 == 0; sunday && g.Days == 1 && s.Days > 1 {
		from += 1 - 2*rng.Int32N(2)
		from = max(seed.FirstDay, min(from, s.To()-1))
	}
	agents := drawAgents(rng, s.Agents, g.Scope)
	var out []Query
	for _, k := range Kinds() {
		out = append(out, Query{Kind: k, Group: g, Agents: agents, From: from, To: from + int32(g.Days)})
	}
	return out
}

func drawAgents(rng *rand.Rand, all int, scope Scope) []int32 {
	n := 1
	switch scope {
	case Org:
		return nil
	case Team:
		n = min(teamSize, all)
	}
	agents := make([]int32, n)
	for i, a := range rng.Perm(all)[:n] {
		agents[i] = int32(a + 1)
	}
	slices.Sort(agents)
	return agents
}

// Result is an answer: rows in the order the question asks for.
type Result [][]int64

// Difference says where two answers to q part, and "" when they are equal.
func (q Query) Difference(a, b Result) string {
	for i := range min(len(a), len(b)) {
		if !slices.Equal(a[i], b[i]) {
			return fmt.Sprintf("row %d of %v: %d against %d", i+1, q.Kind.Columns(), a[i], b[i])
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("%d rows against %d", len(a), len(b))
	}
	return ""
}

// Checksum sums up an answer in one number (FNV-1a over its cells).
func (r Result) Checksum() uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, row := range r {
		for _, v := range row {
			for range 8 {
				h = (h ^ uint64(v)&0xff) * prime
				v >>= 8
			}
		}
	}
	return h
}
