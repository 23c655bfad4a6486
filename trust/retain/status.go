package retain

import (
	"context"
	"slices"
	"time"

	"parley/account"
)

// Standing is one rule and how it is carried out.
type Standing struct {
	Rule
	Keepers []string // by name; none: nothing of the category is kept yet
	// Unreckoned are keepers of the category where none can count from the rule's event, so that the rule does not hold.
	Unreckoned []string
}

// Status is how retention stands in an organisation.
type Status struct {
	Rules   []Standing
	Waiting []*Plan // plans that wait for their time or for a person
	Locks   []Lock
	Reviews []*Review // that are open
	LastRun time.Time // zero = never
	NextRun time.Time
	Alarms  []Alarm
}

// Alarm is something that somebody must look at.
type Alarm struct {
	Kind   string // "stopped", "overdue_review", "failed", "not_run", "unreckoned"
	Object string // id of the plan or review, or name of the keeper
}

// Between runs.
const (
	daily = 24 * time.Hour
	stale = 2 * daily // a daily run that did not happen is an alarm
)

// failures is how far back failed plans are an alarm.
const failures = 30 * daily

// Due tells whether the daily run of an organisation is due.
func (s *Sweeper) Due(ctx context.Context, org account.OrgID) (bool, error) {
	last, failed, err := s.lastRun(ctx, org)
	return err == nil && (failed || last.IsZero() || s.d.Now().Sub(last) >= daily), err
}

// Status tells how retention stands.
func (s *Sweeper) Status(ctx context.Context, org account.OrgID) (*Status, error) {
	duties, rules, err := s.duties(ctx, org)
	if err != nil {
		return nil, err
	}
	out := &Status{Rules: s.standings(duties, rules)}
	if out.Waiting, err = s.waiting(ctx, org); err != nil {
		return nil, err
	}
	if out.Locks, err = s.Locks(ctx, org); err != nil {
		return nil, err
	}
	reviews, err := s.Reviews(ctx, org, 100)
	if err != nil {
		return nil, err
	}
	out.Reviews = slices.DeleteFunc(reviews, func(r *Review) bool { return r.Decision != Undecided })
	last, failed, err := s.lastRun(ctx, org)
	if err != nil {
		return nil, err
	}
	out.LastRun = last
	if out.NextRun = last.Add(daily); last.IsZero() || out.NextRun.Before(s.d.Now()) {
		out.NextRun = s.d.Now()
	}
	out.Alarms, err = s.alarms(ctx, org, out, failed)
	return out, err
}

func (s *Sweeper) standings(duties []duty, rules []Rule) []Standing {
	var out []Standing
	for _, r := range rules {
		st := Standing{Rule: r}
		for _, d := range duties {
			if d.rule.Reserved == "" && d.rule.Category == r.Category && d.rule.Part == r.Part && d.rule.From == r.From {
				st.Keepers = append(st.Keepers, d.keeper.Name)
			}
		}
		for _, k := range s.d.Keepers {
			if len(st.Keepers) == 0 && k.Category == r.Category && k.Part == r.Part && !slices.Contains(k.Events, r.From) {
				st.Unreckoned = append(st.Unreckoned, k.Name)
			}
		}
		out = append(out, st)
	}
	for _, d := range duties {
		if d.rule.Reserved != "" {
			out = append(out, Standing{Rule: d.rule, Keepers: []string{d.keeper.Name}})
		}
	}
	return out
}

func (s *Sweeper) alarms(ctx context.Context, org account.OrgID, st *Status, failed bool) ([]Alarm, error) {
	var out []Alarm
	now := s.d.Now()
	for _, p := range st.Waiting {
		if p.Stopped() {
			out = append(out, Alarm{"stopped", p.ID})
		}
	}
	for _, r := range st.Reviews {
		if r.Overdue(now) {
			out = append(out, Alarm{"overdue_review", r.ID})
		}
	}
	for _, r := range st.Rules {
		for _, k := range r.Unreckoned {
			out = append(out, Alarm{"unreckoned", k})
		}
	}
	if failed || !st.LastRun.IsZero() && now.Sub(st.LastRun) > stale {
		out = append(out, Alarm{Kind: "not_run"})
	}
	history, err := s.History(ctx, org, 200)
	for _, p := range history {
		if p.State == Failed && now.Sub(p.EndedAt) < failures {
			out = append(out, Alarm{"failed", p.ID})
		}
	}
	return out, err
}
