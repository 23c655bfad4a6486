package assign

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
)

// candidate is somebody who may get a lead, and the team through which.
type candidate struct {
	*person
	team account.TeamID
}

// candidates are those of a target, each once, in an order that does not change.
func (r *Run) candidates(t *Target) []candidate {
	if had, ok := r.targets[t]; ok {
		return had
	}
	var out []candidate
	for _, p := range r.all {
		x := candidate{person: p}
		agent := p.agent != 0 && p.works()
		in := slices.Contains(t.Members, p.id)
		if i := slices.IndexFunc(t.Teams, func(team account.TeamID) bool { return slices.Contains(p.teams, team) }); i >= 0 && agent {
			x.team, in = t.Teams[i], true
		}
		if in || t.All && agent {
			out = append(out, x)
		}
	}
	r.targets[t] = out
	return out
}

// choose finds somebody for a case. found says that somebody was found, or that the lead waits.
func (r *Run) choose(ctx context.Context, c db.Conn, at time.Time, cs *Case, rule RuleID, x *Choice, d *Decision) (found bool, err error) {
	if err := r.prepare(ctx, c, at, x); err != nil {
		return false, err
	}
	if x.SpokeDays > 0 {
		all, err := r.spokeWith(ctx, c, at, cs.Numbers, x.SpokeDays)
		if err != nil {
			return false, err
		}
		for _, s := range all {
			if found, err = r.mine(ctx, c, r.byAgent[s.agent], at, cs, x, d, part(BySpoken, "Day", s.day.String())); err != nil || found {
				return found, err
			}
		}
	}
	if x.OwnContacts {
		if found, err = r.mine(ctx, c, r.byID[cs.Owner], at, cs, x, d, part(ByContact)); err != nil || found {
			return found, err
		}
	}
	for i, t := range []*Target{&x.To, &x.Fallback} {
		if t.Empty() {
			continue
		}
		if i == 1 {
			d.Why = append(d.Why, part(ByFallback))
		}
		if found, err = r.among(ctx, c, at, cs, slot{rule, i}, t, x, d); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// prepare looks up what a choice asks for.
func (r *Run) prepare(ctx context.Context, c db.Conn, at time.Time, x *Choice) error {
	if x.Working {
		if err := r.needClock(ctx, c); err != nil {
			return err
		}
	}
	want := fact(0)
	switch x.Way {
	case LeastOpen:
		if err := r.countOpen(ctx, c, at, r.all...); err != nil {
			return err
		}
	case LeastTalk:
		want = factTalk | factGiven
	case RoundRobin, Weighted:
	}
	if x.Silent > 0 || !x.Phoneless {
		want |= factPhone
	}
	return r.need(ctx, c, at, want)
}

// mine gives a lead to somebody who knows the person already, if they can have it, or has it wait for them.
func (r *Run) mine(ctx context.Context, c db.Conn, p *person, at time.Time, cs *Case, x *Choice, d *Decision, why Part) (bool, error) {
	if p == nil || p.passed == r.cases {
		return false, nil
	}
	free := *x
	free.Speaks, free.Covers, free.Way = false, false, RoundRobin // they spoke already, wherever and whatever their share
	reason, detail := r.look(p, at, cs, &free)
	if reason == "" {
		var err error
		if reason, detail, err = r.full(ctx, c, at, p); err != nil {
			return false, err
		}
	}
	switch {
	case reason == "":
		r.give(candidate{person: p}, d, why)
		return true, nil
	case r.waits(reason, detail, at, cs, x):
		r.wait(d, detail, why)
		return true, nil
	default:
		r.pass(p, d, reason, detail)
		return false, nil
	}
}

// among gives a lead to one of a target, or has it wait for one of them.
func (r *Run) among(ctx context.Context, c db.Conn, at time.Time, cs *Case, s slot, t *Target, x *Choice, d *Decision) (bool, error) {
	var able []candidate
	soonest := int64(0)
	for _, y := range r.candidates(t) {
		if y.passed == r.cases {
			continue
		}
		reason, detail := r.look(y.person, at, cs, x)
		if reason == "" {
			able = append(able, y)
			continue
		}
		if r.waits(reason, detail, at, cs, x) && (soonest == 0 || detail < soonest) {
			soonest = detail
		}
		r.pass(y.person, d, reason, detail)
	}
	for len(able) > 0 {
		best, why := r.best(able, x)
		chosen, pay, err := r.turn(ctx, c, s, best, x.weight)
		if err != nil {
			return false, err
		}
		reason, detail, err := r.full(ctx, c, at, chosen.person)
		if err != nil {
			return false, err
		}
		if reason != "" {
			r.pass(chosen.person, d, reason, detail)
			able = slices.DeleteFunc(able, func(y candidate) bool { return y.person == chosen.person })
			continue
		}
		pay()
		d.turn = s
		r.give(chosen, d, why(chosen))
		return true, nil
	}
	if soonest > 0 {
		r.wait(d, soonest)
	}
	return soonest > 0, nil
}

// aLead is what a lead that was given today counts as where talk is compared, in seconds: without it, a whole list would go to
// whoever has talked least.
const aLead = 180

// best leaves those among whom it is somebody's turn, and says how they were chosen.
func (r *Run) best(able []candidate, x *Choice) ([]candidate, func(candidate) Part) {
	fewest := func(of func(candidate) int64) []candidate {
		least := slices.MinFunc(able, func(a, b candidate) int { return int(of(a) - of(b)) })
		return slices.DeleteFunc(slices.Clone(able), func(y candidate) bool { return of(y) > of(least) })
	}
	switch x.Way {
	case LeastOpen:
		return fewest(func(y candidate) int64 { return int64(y.open) }), func(y candidate) Part { return part(ByOpen, "Count", number10(int64(y.open))) }
	case LeastTalk:
		return fewest(func(y candidate) int64 { return y.talk + aLead*int64(y.given) }), func(y candidate) Part { return part(ByTalk, "Minutes", number10(y.talk/60)) }
	case Weighted:
		sum := 0
		for _, y := range able {
			sum += x.weight(y.id)
		}
		return able, func(y candidate) Part {
			return part(ByWeight, "Weight", number10(int64(x.weight(y.id))), "Of", number10(int64(sum)))
		}
	default:
		return able, func(candidate) Part { return part(ByTurn) }
	}
}

// give makes somebody the owner.
func (r *Run) give(y candidate, d *Decision, why Part) {
	d.Owner, d.Team, d.Why = y.id, y.team, append(d.Why, why)
	y.open++
	y.given++
}

// wait has a lead wait until an instant.
func (r *Run) wait(d *Decision, until int64, why ...Part) {
	d.Until, d.Why = moment(until), append(append(d.Why, why...), part(Waits, "Until", number10(until)))
}

// pass passes over somebody.
func (r *Run) pass(p *person, d *Decision, reason Reason, detail int64) {
	p.passed = r.cases
	d.Skipped = append(d.Skipped, Skip{p.id, reason, detail})
}

// waits tells whether a lead waits for somebody who is passed over.
func (r *Run) waits(reason Reason, until int64, at time.Time, cs *Case, x *Choice) bool {
	if x.Away != Queue || reason != IsAway && reason != IsClosed || until == 0 {
		return false
	}
	since := at
	if !cs.Since.IsZero() {
		since = cs.Since
	}
	return !moment(until).After(since.Add(x.wait()))
}

// look tells why somebody cannot have a lead; "" = they can, unless they are full.
func (r *Run) look(p *person, at time.Time, cs *Case, x *Choice) (Reason, int64) {
	switch {
	case !p.active:
		return HasLeft, 0
	case !p.role.Can(account.WriteLeads):
		return MayNot, 0
	case slices.Contains(cs.Not, p.id):
		return HadIt, 0
	case p.takes.Paused:
		return IsPaused, 0
	case x.Speaks && cs.Language != "" && !has(p.takes.Languages, cs.Language):
		return NoLanguage, 0
	case x.Covers && cs.placed() && !slices.ContainsFunc(p.takes.Territories, func(t Territory) bool { return t.has(cs) }):
		return NoTerritory, 0
	case x.weight(p.id) == 0:
		return WeightIsZero, 0
	}
	if reason, until := r.present(p, at, x); reason != "" {
		return reason, until
	}
	switch {
	case !p.phone && !x.Phoneless:
		return HasNoPhone, 0
	case p.phone && x.Silent > 0 && p.silent > time.Duration(x.Silent)*time.Hour:
		return IsSilent, int64(p.silent / time.Minute)
	default:
		return "", 0
	}
}

// present tells whether somebody is there, and when they are where not.
func (r *Run) present(p *person, at time.Time, x *Choice) (Reason, int64) {
	reason, now := Reason(""), at.UnixMilli()
	until := now
	for range 2 * maxAbsences {
		then := back(p.away, until)
		if then != until && reason == "" {
			reason = IsAway
		}
		if x.Working {
			next := r.clock.next(moment(then))
			if next.IsZero() {
				return IsClosed, 0
			}
			if !next.Equal(moment(then)) && reason == "" {
				reason = IsClosed
			}
			then = next.UnixMilli()
		}
		if then == until {
			break
		}
		until = then
	}
	if reason == "" {
		return "", 0
	}
	return reason, until
}

// placed tells whether it is known where a lead is from.
func (c *Case) placed() bool { return c.Country != "" || c.State != "" || c.Postcode != "" }
