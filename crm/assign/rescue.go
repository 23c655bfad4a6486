package assign

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
)

const (
	// tryAgain is how much working time passes until a lead is tried again that nobody could take.
	tryAgain = 30 * time.Minute
	// lookAgain is when a lead is looked at again that no rule is for now, or whose contact's data is restricted.
	lookAgain = 24 * time.Hour
)

// Reassign does what is due in one organisation: leads that waited for somebody are given out, and leads that wait too long for their
// owner are given to somebody else, as the rescues say. Each lead is moved in a transaction of its own; what is not done when ctx
// ends is done the next time. It is called every minute or so.
func (a *Assign) Reassign(ctx context.Context, org *account.Org, now time.Time) error {
	if !org.ClosingAt.IsZero() {
		return nil
	}
	if err := errors.Join(a.serveQueue(ctx, org, now), dropMarks(ctx, a.d.DB, org.ID, now)); err != nil {
		return err
	}
	rescues, err := a.Rescues(ctx, a.d.DB, org.ID)
	rescues = slices.DeleteFunc(rescues, func(r *Rescue) bool { return r.Off })
	if err != nil || len(rescues) == 0 {
		return err
	}
	s, err := a.Settings(ctx, a.d.DB, org.ID)
	if err != nil {
		return err
	}
	j := &rescuing{a: a, org: org, now: now, clock: newClock(org, s), rescues: rescues}
	if err := j.follow(ctx); err != nil {
		return err
	}
	return errors.Join(j.untried(ctx), j.late(ctx))
}

// rescuing is one round through an organisation's leads that wait too long.
type rescuing struct {
	a       *Assign
	org     *account.Org
	now     time.Time
	clock   *clock
	rescues []*Rescue
}

// rescueFor is the first rule that a lead is taken away by for a reason; nil = none.
func (j *rescuing) rescueFor(reason Overdue, pipeline, source string) *Rescue {
	for _, r := range j.rescues {
		if r.Reason == reason && (len(r.Pipelines) == 0 || slices.Contains(r.Pipelines, pipeline)) && (len(r.Sources) == 0 || has(r.Sources, tidy(source))) {
			return r
		}
	}
	return nil
}

// untried takes away the leads that nobody tried to reach in time.
func (j *rescuing) untried(ctx context.Context) error {
	due, err := db.Select(ctx, j.a.d.DB, scanLead, `SELECT lead FROM assign_watch WHERE org_id = $1 AND due_ms > 0 AND due_ms <= $2 ORDER BY due_ms, lead LIMIT $3`,
		j.org.ID, j.now.UnixMilli(), atOnce)
	if err != nil {
		return err
	}
	return j.each(ctx, due, NoAttempt)
}

// late takes away the leads whose follow-ups are overdue.
func (j *rescuing) late(ctx context.Context) error {
	soonest := time.Duration(-1)
	for _, r := range j.rescues {
		if r.Reason == LateFollowUp && (soonest < 0 || r.after() < soonest) {
			soonest = r.after()
		}
	}
	if soonest < 0 {
		return nil
	}
	due, err := db.Select(ctx, j.a.d.DB, scanLead, `SELECT l.lead FROM leads l LEFT JOIN assign_watch w ON w.org_id = l.org_id AND w.lead = l.lead
		WHERE l.org_id = $1 AND l.due_ms > 0 AND l.due_ms <= $2 AND l.state = 0 AND l.owner <> '' AND (w.late_ms IS NULL OR w.late_ms <= $3)
		ORDER BY l.due_ms, l.lead LIMIT $4`, j.org.ID, j.now.Add(-soonest).UnixMilli(), j.now.UnixMilli(), atOnce)
	if err != nil {
		return err
	}
	return j.each(ctx, due, LateFollowUp)
}

func scanLead(r db.Scanner) (l lead.ID, err error) { return l, r.Scan(&l) }

// each moves leads one by one.
func (j *rescuing) each(ctx context.Context, leads []lead.ID, reason Overdue) error {
	var errs []error
	for _, id := range leads {
		if ctx.Err() != nil {
			break
		}
		err := j.a.d.DB.Tx(ctx, func(tx *db.Tx) error { return j.rescue(ctx, tx, id, reason) })
		if fault.KindOf(err) != fault.NotFound { // deleted meanwhile
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// rescue moves one lead, if it is still overdue now that nobody else moves it.
func (j *rescuing) rescue(ctx context.Context, tx *db.Tx, id lead.ID, reason Overdue) error {
	r, err := j.a.Turn(ctx, tx, j.org, j.now)
	if err != nil {
		return err
	}
	l, who, err := j.a.load(ctx, tx, j.org.ID, id)
	if err != nil {
		return err
	}
	w, err := j.watched(ctx, tx, l)
	if err != nil {
		return err
	}
	rule := j.rescueFor(reason, l.Pipeline, l.Source)
	due := j.due(reason, rule, l, w)
	switch {
	case who == nil || who.Restricted:
		return w.set(ctx, tx, j.org.ID, reason, j.now.Add(lookAgain).UnixMilli())
	case due.IsZero() && reason == NoAttempt:
		return w.set(ctx, tx, j.org.ID, reason, never)
	case due.IsZero():
		return w.set(ctx, tx, j.org.ID, reason, j.now.Add(lookAgain).UnixMilli())
	case due.After(j.now):
		return w.set(ctx, tx, j.org.ID, reason, due.UnixMilli())
	case w.moves >= rule.Most:
		return j.leave(ctx, tx, w, l, reason, rule)
	}
	return j.move(ctx, tx, r, rule, w, l, who)
}

// due is when a lead has waited too long; zero = it does not wait.
func (j *rescuing) due(reason Overdue, rule *Rescue, l *lead.Lead, w *watched) time.Time {
	if rule == nil || l.State != lead.Open || l.Owner == "" {
		return time.Time{}
	}
	if reason == NoAttempt {
		if !l.First.IsZero() {
			return time.Time{}
		}
		return j.clock.after(w.since, rule.after())
	}
	if l.Due.IsZero() {
		return time.Time{}
	}
	return j.clock.after(later(l.Due, w.since), rule.after()) // whoever got it meanwhile has as long as the other had
}

// never is a time that does not come.
const never = 1 << 62

// leave says once that a lead stays where it is, because it was taken away often enough.
func (j *rescuing) leave(ctx context.Context, tx *db.Tx, w *watched, l *lead.Lead, reason Overdue, rule *Rescue) error {
	d := Decision{Owner: l.Owner, Team: l.Team, Rule: rule.ID, Why: []Part{part(ByRule, "Rule", rule.Name), j.tooLate(reason, rule), part(Untouchable, "Count", number10(int64(w.moves))), part(StaysForNow)}}
	if err := j.a.enter(ctx, tx, j.org.ID, []Entry{{Decision: d, At: j.now, Kind: Rescued, Lead: l.ID, Was: l.Owner}}); err != nil {
		return err
	}
	return w.set(ctx, tx, j.org.ID, reason, never)
}

func (j *rescuing) tooLate(reason Overdue, rule *Rescue) Part {
	key := TooLate
	if reason == LateFollowUp {
		key = TooLateTask
	}
	return part(key, "Minutes", number10(int64(rule.After)))
}

// move gives a lead to somebody who did not have it yet.
func (j *rescuing) move(ctx context.Context, tx *db.Tx, r *Run, rule *Rescue, w *watched, l *lead.Lead, who *contact.Contact) error {
	had, err := j.hadBy(ctx, tx, l)
	if err != nil {
		return err
	}
	cs := CaseOf(l, who)
	cs.Not = had
	d, err := j.decide(ctx, tx, r, rule, &cs)
	if err != nil {
		return err
	}
	d.Until = time.Time{} // it is not without an owner meanwhile
	if d.Owner == "" {
		return j.stay(ctx, tx, w, l, rule, d)
	}
	if err := j.a.carryOut(ctx, tx, j.org, "", l, &d); err != nil {
		return err
	}
	if err := r.keepTurns(ctx, tx, nil); err != nil {
		return err
	}
	if err := j.a.enter(ctx, tx, j.org.ID, []Entry{{Decision: d, At: j.now, Kind: Rescued, Lead: l.ID, Was: l.Owner}}); err != nil {
		return err
	}
	if h := j.a.d.Handed; h != nil {
		if err := h(ctx, tx, j.org, l, l.Owner, d.Owner); err != nil {
			return err
		}
	}
	return j.moved(ctx, tx, w, d.Owner)
}

// decide finds somebody else for a lead.
func (j *rescuing) decide(ctx context.Context, tx *db.Tx, r *Run, rule *Rescue, cs *Case) (Decision, error) {
	why := []Part{part(ByRule, "Rule", rule.Name), j.tooLate(rule.Reason, rule)}
	if rule.ByRule {
		d, _, err := r.byRules(ctx, tx, j.now, cs)
		d.Why = append(why, d.Why...)
		return d, err
	}
	d := Decision{Rule: rule.ID, Why: why}
	if err := r.begin(ctx, tx, j.now, cs); err != nil {
		return d, err
	}
	found, err := r.choose(ctx, tx, j.now, cs, rule.ID, &rule.Choice, &d)
	if err == nil && !found {
		d.Why = append(d.Why, part(NobodyFits))
	}
	return d, err
}

// stay leaves a lead where it is until it is tried again; the log says so the first time.
func (j *rescuing) stay(ctx context.Context, tx *db.Tx, w *watched, l *lead.Lead, rule *Rescue, d Decision) error {
	if !w.told {
		d.Owner, d.Team, d.Why = l.Owner, l.Team, append(d.Why, part(StaysForNow))
		if err := j.a.enter(ctx, tx, j.org.ID, []Entry{{Decision: d, At: j.now, Kind: Rescued, Lead: l.ID, Was: l.Owner}}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE assign_watch SET told = 1 WHERE org_id = $1 AND lead = $2`, j.org.ID, l.ID); err != nil {
			return err
		}
	}
	next := j.clock.after(j.now, tryAgain)
	if next.IsZero() {
		next = j.now.Add(tryAgain)
	}
	return w.set(ctx, tx, j.org.ID, rule.Reason, next.UnixMilli())
}

// hadBy lists who had a lead, now or before, and does not get it again.
func (j *rescuing) hadBy(ctx context.Context, c db.Conn, l *lead.Lead) ([]account.MemberID, error) {
	had, err := db.Select(ctx, c, func(r db.Scanner) (m account.MemberID, err error) { return m, r.Scan(&m) },
		`SELECT DISTINCT was FROM assign_log WHERE org_id = $1 AND lead = $2 AND kind = 1 AND was <> ''`, j.org.ID, l.ID)
	return append(had, l.Owner), err
}
