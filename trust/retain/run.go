package retain

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Outcome is what a run did for an organisation.
type Outcome struct {
	Applied []*Plan // ended now: applied, cancelled or failed
	Waiting []*Plan // new plans that wait for their time or for a person
	Erased  int64   // items of the archive whose time came
	Reviews int     // reviews of the archive that were opened

	locked []Lock
}

// Run does what is due for an organisation: it applies plans whose notice has passed, plans what comes due, tells members,
// and empties the archive. It is called daily; calling it more often changes nothing. Failures of one keeper do not stop
// the others.
func (s *Sweeper) Run(ctx context.Context, org account.OrgID) (*Outcome, error) {
	out := &Outcome{}
	duties, _, err := s.duties(ctx, org)
	if err == nil {
		err = s.applyDue(ctx, org, duties, out)
		for _, d := range duties {
			err = errors.Join(err, s.plan(ctx, org, d, out))
		}
		if err == nil { // else it is not known of all items whether they are locked
			err = s.lockItems(ctx, org, out.locked)
		}
		err = errors.Join(err, s.tendArchive(ctx, org, out))
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	return out, errors.Join(err, s.ran(ctx, org, err != nil))
}

// applyDue applies the plans whose time has come.
func (s *Sweeper) applyDue(ctx context.Context, org account.OrgID, duties []duty, out *Outcome) error {
	waiting, err := s.waiting(ctx, org)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		if p.DueAt.After(s.d.Now()) || p.Stopped() {
			continue
		}
		planErr := s.apply(ctx, org, find(duties, p), p)
		if planErr == nil || p.State == Failed {
			out.Applied = append(out.Applied, p)
		}
		err = errors.Join(err, planErr)
	}
	return err
}

func find(duties []duty, p *Plan) *duty {
	for i := range duties {
		if d := &duties[i]; d.keeper.Name == p.Keeper && d.rule.From == p.Cut.From && d.rule.Part == p.Part {
			return d
		}
	}
	return nil
}

// plan makes the plan of one duty: what no other plan speaks of yet. Without notice it is applied at once.
func (s *Sweeper) plan(ctx context.Context, org account.OrgID, d duty, out *Outcome) error {
	p, err := s.draft(ctx, org, d)
	if err != nil {
		return err
	}
	for _, k := range p.Locked {
		out.locked = append(out.locked, locksOf(k, p.Category, s.d.Now())...)
	}
	planned, err := s.planned(ctx, org, p.Keeper)
	if err != nil {
		return err
	}
	p.Items = without(p.Items, planned)
	if len(p.Items) == 0 {
		return nil
	}
	p.measure()
	p.Wide = p.Wide && p.Rows >= fewRows
	p.State = Waiting
	if err := s.insert(ctx, org, p); err != nil {
		return err
	}
	if p.Wide || d.rule.Notice.Said() {
		if err := s.tell(ctx, org, p); err != nil {
			return err
		}
	}
	if p.DueAt.After(s.d.Now()) || p.Stopped() {
		out.Waiting = append(out.Waiting, p)
		return nil
	}
	if err = s.apply(ctx, org, &d, p); err == nil || p.State == Failed {
		out.Applied = append(out.Applied, p)
	}
	return err
}

func without(items []Item, planned map[string]bool) []Item {
	var out []Item
	for _, i := range items {
		if !planned[i.Key] {
			out = append(out, i)
		}
	}
	return out
}

func (s *Sweeper) tell(ctx context.Context, org account.OrgID, p *Plan) error {
	n := Notice{Plan: p, People: members(p.Items)}
	if p.Wide {
		n.Alarm = "wide"
	}
	told, err := s.d.Tell(ctx, org, n)
	if err != nil {
		return err
	}
	p.Told = int64(told)
	return s.noteTold(ctx, org, p)
}

// apply removes what a plan showed and is still due. What changed meanwhile stays, for a later plan.
func (s *Sweeper) apply(ctx context.Context, org account.OrgID, d *duty, p *Plan) error {
	if d == nil {
		return s.cancel(ctx, org, p, "The policy has no such rule any more.")
	}
	if latest := d.rule.cut(s.d.Now()).Before; p.Cut.Before.After(latest) {
		return s.cancel(ctx, org, p, "The period was made longer since.")
	}
	now, err := s.stillDue(ctx, org, *d, p)
	if err != nil {
		return err
	}
	gone, err := s.recover(ctx, org, p, now)
	if err != nil {
		return err
	}
	if len(now)+len(gone) == 0 {
		return s.cancel(ctx, org, p, "Nothing of it is due any more.")
	}
	o := Order{Cut: p.Cut, Items: now, Archived: p.Archives, gate: s.gate(org, p), parts: &parts{org: org}}
	removed, err := s.remove(ctx, org, d.keeper, o, p)
	why := o.parts.why
	if fault.KindOf(err) == fault.Conflict { // something came in between; the next run looks again
		err, now, why = nil, nil, fault.Sentence(err)
	} else if o.parts.used() {
		now = o.parts.done
	}
	if err != nil {
		return err
	}
	if now = append(now, gone...); len(now) == 0 {
		return s.cancel(ctx, org, p, why)
	}
	_, expected, _ := sums(now)
	_, before, _ := sums(gone)
	p.State, p.Why, p.Removed, p.RemovedSum = Applied, why, removed+before, Digest(now)
	if p.Removed != expected {
		p.State, p.Why = Failed, "The plan spoke of "+number(expected)+" rows, and "+number(p.Removed)+" were removed."
	}
	return s.end(ctx, org, p)
}

// remove lets the keeper remove an order, after copies were put into the archive where the rule says so.
func (s *Sweeper) remove(ctx context.Context, org account.OrgID, k *Keeper, o Order, p *Plan) (removed int64, err error) {
	if len(o.Items) == 0 {
		return 0, nil
	}
	if o.Archived {
		if o.parts.copies, err = s.archive(ctx, org, k, o, p); err != nil {
			return 0, err
		}
	}
	removed, err = k.Remove(ctx, org, o)
	if fault.KindOf(err) == fault.Conflict || err == nil && o.parts.used() { // nothing else was removed
		if err := s.unarchive(ctx, org, p); err != nil {
			return 0, err
		}
	}
	if err != nil { // what was removed is not known; recover finds out
		return 0, err
	}
	if o.parts.used() { // each part has let its copies count
		return removed, nil
	}
	return removed, s.settle(ctx, org, p)
}

// stillDue are the items of a stored plan as they were planned, that are due now, and neither held nor locked.
func (s *Sweeper) stillDue(ctx context.Context, org account.OrgID, d duty, p *Plan) ([]Item, error) {
	planned, err := s.items(ctx, s.d.DB, org, p.ID)
	if err != nil {
		return nil, err
	}
	fresh, err := d.keeper.Due(ctx, org, p.Cut)
	if err != nil {
		return nil, err
	}
	now := &Plan{Cut: p.Cut, DueAt: s.d.Now()}
	if err := s.sort(ctx, org, d, now, fresh); err != nil {
		return nil, err
	}
	var out []Item
	for _, i := range now.Items {
		if was, ok := planned[i.Key]; ok && was.Rows == i.Rows && ms(was.At) == ms(i.At) {
			out = append(out, i)
		}
	}
	return out, nil
}

// gate asks the legal holds about items, in the transaction that deletes.
func (s *Sweeper) gate(org account.OrgID, p *Plan) func(context.Context, db.Conn, []Item) error {
	return func(ctx context.Context, c db.Conn, items []Item) error {
		var who []subject.Ref
		seen := map[subject.Ref]bool{}
		for _, i := range items {
			for _, w := range i.Who {
				if !seen[w] {
					seen[w] = true
					who = append(who, w)
				}
			}
		}
		if len(who) > 0 {
			return s.d.Holds.Check(ctx, c, org, hold.Deletion{Who: who, Category: p.Category, Path: hold.RetainApply})
		}
		// Items of nobody in particular: a hold on single persons does not stop them, a hold on the category does.
		cover, err := s.d.Holds.Cover(ctx, c, org, p.Category)
		if err == nil && cover.Everybody != "" {
			err = fault.New(fault.Conflict, "The legal hold %s keeps everything of the category %s, so nothing was removed.", cover.Everybody, p.Category)
		}
		return err
	}
}

func (s *Sweeper) cancel(ctx context.Context, org account.OrgID, p *Plan, why string) error {
	p.State, p.Why, p.RemovedSum = Cancelled, why, []byte{}
	return s.end(ctx, org, p)
}

// end stores how a plan ended, and forgets which items it was about.
func (s *Sweeper) end(ctx context.Context, org account.OrgID, p *Plan) error {
	p.EndedAt = s.d.Now()
	err := s.store(ctx, org, p, entry("", audit.RetentionApplied, p, map[string]string{
		"planned": number(p.Rows), "removed": number(p.Removed), "digest": hex.EncodeToString(p.RemovedSum), "exact": yes(bytes.Equal(p.Digest, p.RemovedSum)),
	}))
	if p.State == Failed {
		err = errors.Join(err, fault.New(fault.Internal, "Retention of %s removed something else than was planned (plan %s): %s", p.Keeper, p.ID, p.Why))
	}
	return err
}

// Confirm lets a plan go on that takes an unusual share. Whoever confirms it must give the digest of what they saw.
func (s *Sweeper) Confirm(ctx context.Context, by *account.Actor, plan, digest string) (*Plan, error) {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return nil, err
	}
	p, err := s.Plan(ctx, by.Org.ID, plan)
	if err != nil {
		return nil, err
	}
	if !p.Stopped() {
		return nil, fault.New(fault.Conflict, "The plan %s does not wait for a person. Look at the list of plans.", plan)
	}
	if !strings.EqualFold(digest, hex.EncodeToString(p.Digest)) {
		return nil, fault.New(fault.Conflict, "The plan %s is not the one that was shown. Look at it again, then confirm it.", plan)
	}
	p.ConfirmedBy, p.ConfirmedAt = by.Member.ID, s.d.Now()
	return p, s.store(ctx, by.Org.ID, p, entry(by.Member.ID, audit.RetentionConfirmed, p, map[string]string{"rows": number(p.Rows), "share": number(int64(p.Share())), "digest": digest}))
}

// entry is what the audit log keeps of a plan.
func entry(by account.MemberID, action audit.Action, p *Plan, details map[string]string) audit.Entry {
	details["keeper"], details["category"], details["period"], details["state"] = p.Keeper, p.Category, p.Period, string(p.State)
	if p.Why != "" {
		details["why"] = p.Why
	}
	actor := string(by)
	if action != audit.RetentionConfirmed {
		actor = audit.System
	}
	return audit.Entry{Actor: actor, Action: action, Object: "plan/" + p.ID, Details: details}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
