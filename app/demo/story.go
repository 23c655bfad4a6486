package demo

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"parley/calls/call"
	"parley/platform/civil"
)

// told is one call as its phone logged it.
type told struct {
	start   time.Time
	seconds int
	kind    call.Type
	number  string // "" = withheld
	name    string
	note    string
	tag     string
	sim     int
}

// event is a call in the making.
type event struct {
	agent   int
	at      time.Time
	kind    call.Type
	who     int // the person outside; 0 = withheld
	seconds int
	again   bool // follows a missed call: it gets no follower of its own
}

// story makes up the calls of all agents.
type story struct {
	rng    *rand.Rand
	now    time.Time
	zone   *time.Location
	staff  []person
	knows  [][]int // people each agent has spoken with, first met first
	people int     // so many people are known by now
	calls  [][]told
	desk   []told
}

func newStory(seed uint64, now time.Time, zone *time.Location, agents int) *story {
	s := &story{rng: rand.New(rand.NewPCG(seed, 0xde30)), now: now, zone: zone, staff: staff()[:agents], people: doctorNumber}
	s.knows, s.calls = make([][]int, agents), make([][]told, agents)
	return s
}

func (s *story) of(agent int) []told { return s.calls[agent] }

func (s *story) office() []told { return s.desk }

// Shares of the whole: calls that follow missed ones come on top of the planned ones, and the reception's besides.
const (
	plannedShare = 0.965
	deskCalls    = 1200
)

// write makes up every day, oldest first. Today's calls are made up whole and cut at now, so that the same day has the
// same calls whenever it is looked at.
func (s *story) write() {
	today := civil.Today(s.now, s.zone)
	weights, sum := make([]float64, days), 0.0
	for i := range weights {
		weights[i] = dayWeight(today-days+1+civil.Day(i)) * (0.88 + 0.24*s.rng.Float64()) * (0.92 + 0.16*float64(i)/days)
		sum += weights[i]
	}
	busy := 0.0
	for _, p := range s.staff {
		busy += p.busy
	}
	for i, w := range weights {
		day := today - days + 1 + civil.Day(i)
		var events []event
		for a, p := range s.staff {
			n := (totalCalls-deskCalls)*plannedShare*w/sum*p.busy/busy + s.rng.Float64()
			events = s.agentDay(events, a, day, int(n))
		}
		s.tell(events)
		s.reception(day, int(deskCalls*w/sum+s.rng.Float64()))
	}
}

// dayWeight is how busy a day is: Saturdays half, Sundays nearly nothing.
func dayWeight(d civil.Day) float64 {
	return [7]float64{0.03, 1.08, 1, 1, 0.98, 0.95, 0.5}[d.Weekday()]
}

// halfHours is how busy each half hour from 9:00 on is: a peak before noon, lunch, a peak in the afternoon, a tail.
func halfHours() [24]float64 {
	return [24]float64{2, 6, 9, 12, 14, 14, 13, 10, 6, 3.5, 4, 7, 10, 12, 13, 13, 11, 9, 6, 4, 2.5, 1.5, 0.8, 0.4}
}

func (s *story) moment(day civil.Day, later int) time.Time {
	weights, sum := halfHours(), 0.0
	for _, w := range weights {
		sum += w
	}
	x, at := s.rng.Float64()*sum, 0
	for i, w := range weights {
		if at = i; x < w {
			break
		}
		x -= w
	}
	const nine = 9 * time.Hour
	second := time.Duration(at)*30*time.Minute + time.Duration(s.rng.Int64N(int64(30*time.Minute)))
	shift := time.Duration(float64(later)*(1-float64(at)/24)) * time.Minute // who comes late still leaves with the others
	return day.Start(s.zone).Add(nine + second + shift).Truncate(time.Millisecond)
}

// agentDay plans one agent's day, and what follows from the calls that were missed.
func (s *story) agentDay(events []event, agent int, day civil.Day, n int) []event {
	p := s.staff[agent]
	for range n {
		e := event{agent: agent, at: s.moment(day, p.begins)}
		e.kind = s.kind(p)
		e.who = s.person(agent, e.kind)
		e.seconds = s.talk(p, e.kind)
		events = append(events, e)
		if e.kind == call.TypeMissed && e.who != 0 {
			events = s.after(events, e, day)
		}
	}
	return events
}

func (s *story) kind(p person) call.Type {
	if s.rng.Float64() < p.dials {
		return call.TypeOutgoing
	}
	switch x := s.rng.Float64(); {
	case x < 0.035:
		return call.TypeRejected
	case x < 0.039:
		return call.TypeBlocked
	case x < 0.043:
		return call.TypeVoicemail
	case x < 0.045:
		return call.TypeUnknown
	case s.rng.Float64() < p.answers:
		return call.TypeIncoming
	default:
		return call.TypeMissed
	}
}

// talk draws a talk time: log-normal, so that a few calls are very long.
func (s *story) talk(p person, k call.Type) int {
	const mu, sigma, longest = 4.15, 1.05, 5400
	switch k {
	case call.TypeIncoming:
	case call.TypeOutgoing:
		if s.rng.Float64() < 0.34 { // nobody picked up
			return 0
		}
	case call.TypeVoicemail:
		return 5 + s.rng.IntN(40)
	default:
		return 0
	}
	return int(min(longest, 2+math.Exp(mu+p.talks*0.6+sigma*s.rng.NormFloat64())))
}

// person draws who is on the other end: somebody new, somebody known of late, an old acquaintance (the first ones most
// often, so that a few people call all the time), or a colleague's.
func (s *story) person(agent int, k call.Type) int {
	const lately = 25
	if k != call.TypeOutgoing && s.rng.IntN(120) == 0 {
		return 0
	}
	own := s.knows[agent]
	switch x := s.rng.IntN(1000); {
	case x < 3:
		return familyNumber
	case x < 165 || len(own) == 0:
		s.people++
		s.knows[agent] = append(own, s.people)
		return s.people
	case x < 215:
		other := s.knows[s.rng.IntN(len(s.knows))]
		if len(other) == 0 {
			return own[0]
		}
		return other[s.rng.IntN(len(other))]
	case x < 600:
		return own[len(own)-1-s.rng.IntN(min(lately, len(own)))]
	default:
		u := s.rng.Float64()
		return own[int(u*u*u*float64(len(own)))]
	}
}

// after makes up what follows a missed call: the agent calls back, a colleague does, or the caller tries again.
func (s *story) after(events []event, missed event, day civil.Day) []event {
	p, e := s.staff[missed.agent], event{agent: missed.agent, who: missed.who, again: true}
	const median, sigma = 35.0, 1.3 // minutes
	e.at = missed.at.Add(time.Duration(median*math.Exp(sigma*s.rng.NormFloat64())*60) * time.Second)
	if closing := day.Start(s.zone).Add(19*time.Hour + 30*time.Minute); e.at.After(closing) {
		e.at = (day + 1).Start(s.zone).Add(9*time.Hour + 40*time.Minute + time.Duration(s.rng.IntN(80))*time.Minute)
		if (day + 1).Weekday() == time.Sunday {
			return events
		}
	}
	switch x := s.rng.Float64(); {
	case x < p.returns*0.75:
		e.kind = call.TypeOutgoing
	case x < p.returns*0.85:
		e.kind, e.agent = call.TypeOutgoing, s.rng.IntN(len(s.staff))
	case s.rng.Float64() < 0.35:
		e.kind = call.TypeIncoming
		if s.rng.Float64() > p.answers {
			e.kind = call.TypeMissed
		}
	default:
		return events
	}
	e.seconds = s.talk(s.staff[e.agent], e.kind)
	return append(events, e)
}

// tell writes a day's events down as the phones would log them: who speaks cannot answer, and dials afterwards.
func (s *story) tell(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.agent, b.agent), a.at.Compare(b.at)) })
	var free time.Time
	for i, e := range events {
		if i == 0 || events[i-1].agent != e.agent {
			free = time.Time{}
			if had := s.calls[e.agent]; len(had) > 0 {
				end := had[len(had)-1]
				free = end.start.Add(time.Duration(end.seconds) * time.Second)
			}
		}
		if e.at.Before(free) {
			if e.kind == call.TypeOutgoing {
				e.at = free.Add(time.Duration(4+s.rng.IntN(40)) * time.Second)
			} else if e.kind == call.TypeIncoming {
				e.kind, e.seconds = call.TypeMissed, 0
			}
		}
		t := s.write1(e)
		if end := t.start.Add(time.Duration(t.seconds) * time.Second); end.After(s.now) {
			continue // not yet, or not over
		} else if end.After(free) {
			free = end
		}
		s.calls[e.agent] = append(s.calls[e.agent], t)
	}
	for a := range s.calls { // calls that were put off to the morning after, and missed ones during a call
		slices.SortStableFunc(s.calls[a], func(x, y told) int { return x.start.Compare(y.start) })
	}
}

// write1 adds to a call what phones and people add: a name, now and then a note or a tag.
func (s *story) write1(e event) told {
	t := told{start: e.at, seconds: e.seconds, kind: e.kind, sim: 1}
	if e.who != 0 {
		t.number, t.name = customerNumber(e.who), customerName(e.who)
	}
	if s.staff[e.agent].secondSIM && s.rng.IntN(4) == 0 {
		t.sim = 2
	}
	if e.seconds > 60 && s.rng.IntN(90) == 0 {
		t.note = notes()[s.rng.IntN(len(notes()))]
	}
	if e.seconds > 60 && s.rng.IntN(220) == 0 {
		t.tag = tags()[s.rng.IntN(len(tags()))]
	}
	return t
}

// reception makes up the calls of the office line. Its telephone system knows no names.
func (s *story) reception(day civil.Day, n int) {
	p := person{dials: 0.2, answers: 0.85}
	for range n {
		e := event{agent: 0, at: s.moment(day, 0).Truncate(time.Second)}
		e.kind = s.kind(p)
		if e.kind != call.TypeOutgoing && e.kind != call.TypeIncoming {
			e.kind = call.TypeMissed
		}
		if e.seconds = s.talk(p, e.kind); e.at.Add(time.Duration(e.seconds) * time.Second).After(s.now) {
			continue
		}
		t := told{start: e.at, seconds: e.seconds, kind: e.kind}
		if e.who = s.person(0, e.kind); e.who != 0 {
			t.number = customerNumber(e.who)
		}
		s.desk = append(s.desk, t)
	}
	slices.SortStableFunc(s.desk, func(x, y told) int { return x.start.Compare(y.start) })
}
