package attach

import (
	"context"
	"slices"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/db"
)

// write keeps what the calls of a contact say: of each lead, of the contact, and of what was promised to them.
func (a *Attach) write(ctx context.Context, tx *db.Tx, org *account.Org, r *reckoning, rules map[string]StageRule, pipelines []*lead.Pipeline) error {
	ids := make([]lead.ID, 0, len(r.touches))
	for id := range r.touches {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	leads, err := a.Leads.Load(ctx, tx, org.ID, ids...) // as they are now
	if err != nil {
		return err
	}
	for _, id := range ids {
		if l := leads[id]; l != nil {
			if err := a.writeLead(ctx, tx, org, l, r.touches[id], rules, pipelines); err != nil {
				return err
			}
		}
	}
	if err := a.Contacts.SetLast(ctx, tx, org.ID, r.contact.ID, r.last); err != nil {
		return err
	}
	return a.settleFollowUps(ctx, tx, org, r)
}

// writeLead keeps what the calls of a lead say, and moves it where its pipeline says so.
func (a *Attach) writeLead(ctx context.Context, tx *db.Tx, org *account.Org, l *lead.Lead, now lead.Touch, rules map[string]StageRule, pipelines []*lead.Pipeline) error {
	if l.Attempts == now.Attempts && l.Connected == now.Connected && l.First.Equal(now.First) && l.Last.Equal(now.Last) {
		return nil
	}
	if err := a.Leads.SetTouch(ctx, tx, org.ID, l.ID, now); err != nil {
		return err
	}
	i := slices.IndexFunc(pipelines, func(p *lead.Pipeline) bool { return p.Key == l.Pipeline })
	if l.State != lead.Open || i < 0 || pipelines[i].Archived {
		return nil
	}
	to := rules[l.Pipeline].stageFor(pipelines[i], l, now)
	if to == "" {
		return nil
	}
	_, err := a.Leads.Move(ctx, tx, org, "", l.ID, 0, lead.Spot{Stage: to, Why: whyMoved(now)})
	return err
}

// whyMoved is what the history of a lead says of a move that calls made.
func whyMoved(t lead.Touch) string {
	if t.Connected > 0 {
		return "first connected call"
	}
	return "first attempt to call"
}
