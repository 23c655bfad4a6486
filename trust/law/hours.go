package law

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/platform/civil"
)

// Purpose is why somebody is called.
type Purpose string

// The purposes. The hours are the same for both, since no source exempts calls about a contract; prior consent and caps on
// sales calls are not asked of them.
const (
	Promotion Purpose = "promotion"
	Service   Purpose = "service" // about a contract that exists, or as the person asked
)

// Reason says in a word why a call is not allowed at a time.
type Reason string

// The reasons.
const (
	Open        Reason = ""
	OutOfHours  Reason = "hours"
	ClosedDay   Reason = "day"
	OnHoliday   Reason = "holiday"
	UnknownTime Reason = "unknown_time" // nobody knows which time it is there
)

// Hour is whether somebody may be called at a time.
type Hour struct {
	Allowed bool
	Reason  Reason
	Why     string    // a sentence
	Next    time.Time // when it is allowed; zero when nobody can tell
	Consent bool      // and only if the person agreed before
	Caps    []Cap     // and no more often than this
	Rows    []Row     // what it comes from
	Guessed bool      // the strictest hours of all laws count, since those of the place are not known
}

// farthest is how far ahead the next open time is looked for.
const farthest = 31

// Hours tells whether a person at a place may be called at a time, by the clocks and the public holidays there. Where a
// place has several time zones and the person's is not known, the call must be allowed in each.
func (t *Tables) Hours(p Place, at time.Time, why Purpose) Hour {
	out := Hour{}
	rules := t.schedules(p, at, &out)
	for _, s := range rules {
		out.Caps = append(out.Caps, s.caps...)
		out.Consent = out.Consent || s.consent
	}
	out.Caps = lowest(out.Caps)
	if why == Service {
		out.Consent, out.Caps = false, nil
	}
	zones := t.zonesOf(p)
	if len(zones) == 0 {
		out.Reason, out.Why = UnknownTime, "Nobody knows which time it is in "+p.name()+", so nobody is called there."
		return out
	}
	out.Reason, out.Why = judge(rules, zones, p, at)
	if out.Allowed = out.Reason == Open; out.Allowed {
		out.Next = at
		return out
	}
	out.Next = nextOpen(rules, zones, p, at)
	return out
}

// schedules are the rules that all must be open, each by one clock.
func (t *Tables) schedules(p Place, at time.Time, out *Hour) []schedule {
	rows, complete := t.settle(hoursTopic, p, civil.DayOf(at, time.UTC))
	var rules []schedule
	for _, r := range rows {
		if r.Confidence == Unverified {
			out.Guessed = true
			s := t.strictestHours(p)
			s.consent = s.consent || r.hours.consent
			rules = append(rules, s)
			continue
		}
		rules = append(rules, *r.hours)
	}
	if !complete {
		out.Guessed = true
		rules = append(rules, t.strictestHours(p))
	}
	out.Rows = rows
	return rules
}

// strictestHours are open where every sourced rule of the place's kind is: of the states, within a country that leaves the
// hours to them, else of the countries.
func (t *Tables) strictestHours(p Place) schedule {
	states := p.Country != "" && t.regional(hoursTopic, p.Country)
	out := always()
	for _, r := range t.sourced(hoursTopic) {
		if own := strings.HasPrefix(r.Jurisdiction, p.Country+"-"); states == own && (own || !strings.Contains(r.Jurisdiction, "-")) {
			out = out.stricter(*r.hours)
		}
	}
	return out
}

// zonesOf lists the time zones that a person at a place may be in; none when nobody can tell.
func (t *Tables) zonesOf(p Place) []*time.Location {
	names := t.zones[p.String()]
	if len(names) == 0 {
		for _, z := range civil.Zones() {
			if p.Country != "" && z.Country == p.Country {
				names = append(names, z.Name)
			}
		}
	}
	if p.Zone != "" {
		names = []string{p.Zone}
	}
	var out []*time.Location
	for _, name := range names {
		if z := t.location(name); z != nil {
			out = append(out, z)
		}
	}
	return out
}

// location is a time zone, nil for one that is not known. Zones are read from the disk once.
func (t *Tables) location(name string) *time.Location {
	if z, ok := t.locations.Load(name); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	t.locations.Store(name, z)
	return z
}

// judge tells whether all rules are open at a time in all zones, and if not, why.
func judge(rules []schedule, zones []*time.Location, p Place, at time.Time) (Reason, string) {
	for _, s := range rules {
		for _, zone := range s.clocks(zones) {
			local := at.In(zone)
			if day := holiday(p.Country, local); s.holidays && day != "" {
				return OnHoliday, fmt.Sprintf("It is %s in %s: nobody is called there on a public holiday.", day, p.name())
			}
			windows := s.days[local.Weekday()]
			if len(windows) == 0 {
				return ClosedDay, fmt.Sprintf("It is %s in %s: nobody is called there on that day.", local.Weekday(), p.name())
			}
			if !s.openAt(local) {
				return OutOfHours, fmt.Sprintf("It is %s in %s: people there are called from %s.", local.Format("15:04"), p.name(), spoken(windows))
			}
		}
	}
	return Open, ""
}

// clocks are the zones by which a rule is read.
func (s schedule) clocks(zones []*time.Location) []*time.Location {
	if s.zone == nil {
		return zones
	}
	return []*time.Location{s.zone}
}

func spoken(windows []window) string {
	var out []string
	for _, w := range windows {
		out = append(out, strings.Replace(w.String(), "-", " to ", 1))
	}
	return strings.Join(out, " and from ")
}

// nextOpen is the first time after at when all rules are open; zero when there is none within a month. It looks at every
// start of a rule's window by every clock.
func nextOpen(rules []schedule, zones []*time.Location, p Place, at time.Time) time.Time {
	var starts []time.Time
	for _, s := range rules {
		for _, zone := range s.clocks(zones) {
			today := civil.DayOf(at, zone)
			for day := today; day <= today+farthest; day++ {
				y, m, d := day.Date()
				for _, w := range s.days[day.Weekday()] {
					starts = append(starts, time.Date(y, m, d, 0, w.from, 0, 0, zone))
				}
			}
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	for _, start := range starts {
		if !start.After(at) {
			continue
		}
		if reason, _ := judge(rules, zones, p, start); reason == Open {
			return start.UTC()
		}
	}
	return time.Time{}
}

// String says a cap in words.
func (c Cap) String() string {
	per := fmt.Sprintf("%d hours", int(c.Per.Hours()))
	if days := c.Per.Hours() / 24; days > 1 {
		per = fmt.Sprintf("%d days", int(days))
	}
	return fmt.Sprintf("at most %d calls in %s", c.Calls, per)
}
