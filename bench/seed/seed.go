// Package seed makes calls that look like a year of a business on the phone: the same calls for the same options, in
// the order in which phones would deliver them, some late and some twice.
package seed

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Call is one delivered call in 16 bytes.
type Call struct {
	Agent   uint32 // from 1
	Start   uint32 // Unix seconds; no agent starts two calls in one second
	Number  uint32 // from 1, dense; 0 is a withheld number
	Seconds uint16
	Type    uint8 // Android's codes, 0 where unknown
	Line    uint8 // 1 or 2
}

// The zone of the made-up organisation, Asia/Kolkata, has had one offset since 1945. Plain arithmetic is therefore
// exact, and no engine is charged for looking up zone rules.
const (
	Zone       = "Asia/Kolkata"
	ZoneOffset = 19_800 // seconds east of UTC
	daySeconds = 86_400
)

// FirstDay is the first local day of every stream, in days since 1970-01-01: 2025-01-01, a Wednesday.
const FirstDay = 20_089

// Day is the local day a call belongs to.
func (c Call) Day() int32 { return int32((int64(c.Start) + ZoneOffset) / daySeconds) }

// Millis is the start in Unix milliseconds. The part below a second is drawn from the call itself, so that it costs
// no space in the record.
func (c Call) Millis() int64 {
	h := (uint64(c.Agent)<<32 | uint64(c.Start)) * 0x9e3779b97f4a7c15
	return int64(c.Start)*1000 + int64(h>>40)%1000
}

// Phone numbers of the made-up people: an odd factor modulo 2³¹ spreads neighbouring ids, and its inverse leads back.
const (
	spread      = 1_640_531_527
	phoneBase   = 6_000_000_000
	phonePrefix = "+91"
	modulus     = 1 << 31
)

// Phone is a number's E.164 form; a withheld one has none.
func Phone(number uint32) string {
	if number == 0 {
		return ""
	}
	return phonePrefix + strconv.FormatUint(phoneBase+uint64(number)*spread%modulus, 10)
}

// NumberOf leads from a number's E.164 form back to it.
func NumberOf(phone string) (uint32, error) {
	if phone == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(phone[len(phonePrefix):], 10, 64)
	if err != nil {
		return 0, err
	}
	inverse := uint64(1)
	for range 5 { // Newton: each round doubles the bits that are right
		inverse *= 2 - spread*inverse
	}
	return uint32((n - phoneBase) * (inverse % modulus) % modulus), nil
}

// Options say which calls to make.
type Options struct {
	Calls  int // distinct ones; some are delivered twice on top
	Agents int
	Days   int
	Seed   uint64
}

// Stream is calls in order of arrival.
type Stream struct {
	Calls    []Call
	Distinct int
	Numbers  int
	Days     int
	Agents   int
}

// To is the first local day after the stream's.
func (s *Stream) To() int32 { return FirstDay + int32(s.Days) }

// Make makes the stream of o.
func Make(o Options) *Stream {
	m := &maker{o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x5eed)), next: 1}
	m.agents()
	calls, batches := m.year()
	slices.SortStableFunc(batches, func(a, b batch) int { return cmp.Compare(a.arrival, b.arrival) })
	total := 0
	for _, b := range batches {
		total += int(b.count)
	}
	s := &Stream{Calls: make([]Call, 0, total), Distinct: len(calls), Numbers: int(m.next - 1), Days: o.Days, Agents: o.Agents}
	for _, b := range batches {
		s.Calls = append(s.Calls, calls[b.first:b.first+b.count]...)
	}
	return s
}

type maker struct {
	o      Options
	rng    *rand.Rand
	weight []float64  // each agent's activity
	own    [][]uint32 // numbers each agent knows, oldest first
	next   uint32     // the next number nobody has met
}

// batch is calls[first : first+count] as one phone delivered them.
type batch struct {
	arrival      int64 // Unix seconds
	first, count uint32
}

func (m *maker) agents() {
	const sigma = 0.6
	m.weight = make([]float64, m.o.Agents)
	m.own = make([][]uint32, m.o.Agents)
	for i := range m.weight {
		m.weight[i] = math.Exp(sigma * m.rng.NormFloat64())
	}
}

// weekdayWeight is how busy a day is, Sunday first.
func weekdayWeight(day int32) float64 {
	const thursday = 4 // 1970-01-01
	return [7]float64{0.08, 1, 1, 1, 1, 1, 0.5}[(day+thursday)%7]
}

// year makes all calls, agent-day by agent-day. Fractions are carried along, so that exactly o.Calls come out.
func (m *maker) year() ([]Call, []batch) {
	shares := make([]float64, m.o.Days*m.o.Agents)
	sum := 0.0
	for d := range m.o.Days {
		for a := range m.o.Agents {
			const swing = 0.4
			w := m.weight[a] * weekdayWeight(FirstDay+int32(d)) * (1 - swing + 2*swing*m.rng.Float64())
			shares[d*m.o.Agents+a] = w
			sum += w
		}
	}
	calls := make([]Call, 0, m.o.Calls)
	batches := make([]batch, 0, m.o.Calls/8)
	wanted := 0.0
	for i, w := range shares {
		wanted += w / sum * float64(m.o.Calls)
		upTo := int(wanted)
		if i == len(shares)-1 {
			upTo = m.o.Calls
		}
		first := len(calls)
		calls = m.agentDay(calls, i%m.o.Agents, FirstDay+int32(i/m.o.Agents), upTo-first)
		batches = m.deliver(batches, calls, first)
	}
	return calls, batches
}

// hourWeights has the two peaks of an office day and little at night.
func hourWeights() [24]float64 {
	return [24]float64{0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.6, 1.5, 4, 8, 11, 12, 9, 6, 9, 11.5, 11, 8.5, 6, 4, 2.5, 1.5, 0.8, 0.4}
}

func (m *maker) agentDay(calls []Call, agent int, day int32, count int) []Call {
	midnight := int64(day)*daySeconds - ZoneOffset
	starts := make([]int, count)
	for i := range starts {
		starts[i] = m.secondOfDay()
	}
	slices.Sort(starts)
	for i := 1; i < len(starts); i++ {
		starts[i] = max(starts[i], starts[i-1]+1)
	}
	for i := len(starts) - 1; i >= 0; i-- { // what was pushed over midnight moves back in
		starts[i] = min(starts[i], daySeconds-len(starts)+i)
	}
	for _, s := range starts {
		c := Call{Agent: uint32(agent + 1), Start: uint32(midnight + int64(s)), Line: 1}
		if m.rng.IntN(5) == 0 {
			c.Line = 2
		}
		c.Type, c.Seconds = m.kind()
		c.Number = m.number(agent, c.Type)
		calls = append(calls, c)
	}
	return calls
}

func (m *maker) secondOfDay() int {
	weights := hourWeights()
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	x := m.rng.Float64() * sum
	for h, w := range weights {
		if x < w {
			return h*3600 + m.rng.IntN(3600)
		}
		x -= w
	}
	return daySeconds - 1
}

// Android's type codes.
const (
	incoming = 1 + iota
	outgoing
	missed
	voicemail
	rejected
	blocked
	elsewhere
)

// kind draws a type and a duration, in shares of a thousand.
func (m *maker) kind() (kind uint8, seconds uint16) {
	switch x := m.rng.IntN(1000); {
	case x < 190:
		return outgoing, 0
	case x < 500:
		return outgoing, m.talk()
	case x < 503:
		return incoming, 0
	case x < 780:
		return incoming, m.talk()
	case x < 937:
		return missed, 0
	case x < 987:
		return rejected, 0
	case x < 992:
		return blocked, 0
	case x < 997:
		return voicemail, uint16(m.rng.IntN(60)) // somebody spoke, nobody listened
	case x < 999:
		return 0, m.talk()
	default:
		return elsewhere, m.talk()
	}
}

func (m *maker) talk() uint16 {
	const mu, sigma, most = 4.1, 1.1, 7200
	return uint16(min(most, 1+math.Exp(mu+sigma*m.rng.NormFloat64())))
}

// number draws who was on the other end: 25 % somebody new, 2 % somebody that any colleague knows, 43 % somebody met
// lately, the rest older contacts of the agent's own, the oldest most often. One caller in a hundred withholds.
func (m *maker) number(agent int, kind uint8) uint32 {
	const lately = 20
	if kind != outgoing && m.rng.IntN(100) == 0 {
		return 0
	}
	own := m.own[agent]
	x := m.rng.IntN(100)
	switch {
	case x < 25 || len(own) == 0:
		n := m.next
		m.next++
		m.own[agent] = append(own, n)
		return n
	case x < 27:
		return 1 + m.rng.Uint32N(m.next-1)
	case x < 70:
		k := min(lately, len(own))
		return own[len(own)-1-m.rng.IntN(k)]
	default:
		u := m.rng.Float64()
		return own[int(u*u*float64(len(own)))]
	}
}

// deliver splits calls[first:] into the batches of a phone.
func (m *maker) deliver(batches []batch, calls []Call, first int) []batch {
	const most, day = 20, daySeconds
	for first < len(calls) {
		n := min(1+m.rng.IntN(most), len(calls)-first)
		last := calls[first+n-1]
		b := batch{arrival: int64(last.Start) + int64(last.Seconds) + m.rng.Int64N(300), first: uint32(first), count: uint32(n)}
		switch x := m.rng.IntN(100); {
		case x < 6:
			b.arrival += day + m.rng.Int64N(2*day)
		case x < 7:
			b.arrival += 7*day + m.rng.Int64N(23*day)
		}
		batches = append(batches, b)
		if m.rng.IntN(50) == 0 {
			b.arrival += 60 + m.rng.Int64N(2*day)
			batches = append(batches, b)
		}
		first += n
	}
	return batches
}
