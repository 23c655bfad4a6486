package assign

import (
	"context"
	"errors"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
)

// CaseOf is what rules look at of a lead that there is.
func CaseOf(l *lead.Lead, who *contact.Contact) Case {
	c := Case{Contact: l.Contact, Source: l.Source, Tags: l.Tags, Team: l.Team, Pipeline: l.Pipeline}
	if who == nil {
		return c
	}
	p := &who.Person
	c.Owner, c.Numbers, c.Language = who.Owner, who.Nums, p.Language
	c.Country, c.State, c.Postcode = p.Address.Country, p.Address.State, p.Address.Postcode
	c.Tags = append(c.Tags[:len(c.Tags):len(c.Tags)], who.Tags...)
	if c.Country == "" && len(p.Numbers) > 0 {
		c.Country = phone.Country(p.Numbers[0].Text)
	}
	return c
}

// Give gives an open lead to whomever the rules say; where they say nobody, it stays as it is, or waits. by is who asked, "" the
// program. What was decided is in the log, as in what it returns.
func (a *Assign) Give(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id lead.ID) (*Decision, error) {
	at := a.d.Now()
	r, err := a.Turn(ctx, tx, org, at)
	if err != nil {
		return nil, err
	}
	l, who, err := a.load(ctx, tx, org.ID, id)
	if err != nil {
		return nil, err
	}
	return a.hand(ctx, tx, r, by, at, l, who, CaseOf(l, who))
}

// load gives a lead and its contact.
func (a *Assign) load(ctx context.Context, c db.Conn, org account.OrgID, id lead.ID) (*lead.Lead, *contact.Contact, error) {
	all, err := a.d.Leads.Load(ctx, c, org, id)
	if err != nil {
		return nil, nil, err
	}
	l := all[id]
	if l == nil {
		return nil, nil, fault.New(fault.NotFound, "There is no lead %q here. It may have been deleted.", string(id))
	}
	found, err := a.d.Contacts.Load(ctx, c, org, l.Contact)
	return l, found[l.Contact], err
}

// hand decides about a lead and carries it out.
func (a *Assign) hand(ctx context.Context, tx *db.Tx, r *Run, by account.MemberID, at time.Time, l *lead.Lead, who *contact.Contact, cs Case) (*Decision, error) {
	if l.State != lead.Open {
		return nil, fault.New(fault.Conflict, "This lead is closed. Open it again before somebody gets it.")
	}
	var d Decision
	var err error
	r.anew()
	if who != nil && who.Restricted {
		d.Why = []Part{part(Restricted)}
	} else if d, _, err = r.byRules(ctx, tx, at, &cs); err != nil {
		return nil, err
	}
	if by != "" {
		d.Why = append([]Part{part(ByHandOfRule)}, d.Why...)
	}
	if !cs.Since.IsZero() {
		d.Why = append([]Part{part(AgentIsBack)}, d.Why...)
	}
	r.fresh = append(r.fresh, d)
	if err := a.carryOut(ctx, tx, r.org, by, l, &d); err != nil {
		return nil, err
	}
	return &d, r.Keep(ctx, tx, at, []lead.ID{l.ID})
}

// carryOut gives a lead to whomever a decision says.
func (a *Assign) carryOut(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, l *lead.Lead, d *Decision) error {
	if d.Owner == "" {
		return nil
	}
	if d.Team != "" && d.Team != l.Team {
		if _, err := a.d.Leads.Change(ctx, tx, org, by, l.ID, 0, lead.Change{Team: &d.Team}); err != nil {
			return err
		}
	}
	return a.d.Leads.SetOwner(ctx, tx, org, by, l.ID, d.Owner, d.Sentence())
}

// queue notes which leads wait, and that others do not any more.
func (a *Assign) queue(ctx context.Context, tx *db.Tx, org account.OrgID, entries []Entry) error {
	for i := range entries {
		e := &entries[i]
		if e.Until.IsZero() {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO assign_queue (org_id, lead, subject, since_ms, due_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (org_id, lead) DO UPDATE SET due_ms = excluded.due_ms`, org, e.Lead, e.subject, e.At.UnixMilli(), e.Until.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// atOnce is how many leads are looked at in one go.
const atOnce = 100

// waiting is a lead in the queue.
type waiting struct {
	lead  lead.ID
	since int64
}

// serveQueue decides again about the leads whose time to wait is over.
func (a *Assign) serveQueue(ctx context.Context, org *account.Org, now time.Time) error {
	due, err := db.Select(ctx, a.d.DB, func(r db.Scanner) (w waiting, err error) { return w, r.Scan(&w.lead, &w.since) },
		`SELECT lead, since_ms FROM assign_queue WHERE org_id = $1 AND due_ms <= $2 ORDER BY due_ms, lead LIMIT $3`, org.ID, now.UnixMilli(), atOnce)
	var errs []error
	for _, w := range due {
		if ctx.Err() != nil {
			break
		}
		errs = append(errs, a.d.DB.Tx(ctx, func(tx *db.Tx) error { return a.serve(ctx, tx, org, now, w) }))
	}
	return errors.Join(append(errs, err)...)
}

// serve decides again about one lead that waited, unless somebody got it meanwhile.
func (a *Assign) serve(ctx context.Context, tx *db.Tx, org *account.Org, now time.Time, w waiting) error {
	r, err := a.Turn(ctx, tx, org, now)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `DELETE FROM assign_queue WHERE org_id = $1 AND lead = $2 AND due_ms <= $3`, org.ID, w.lead, now.UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	l, who, err := a.load(ctx, tx, org.ID, w.lead)
	if err != nil || l.Owner != "" || l.State != lead.Open {
		return err
	}
	cs := CaseOf(l, who)
	cs.Since = moment(w.since)
	d, err := a.hand(ctx, tx, r, "", now, l, who, cs)
	if err != nil || d.Until.IsZero() {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE assign_queue SET since_ms = $3 WHERE org_id = $1 AND lead = $2`, org.ID, w.lead, w.since)
	return err
}

// Waiting lists the leads that wait for somebody to be back, and until when, the next first.
func (a *Assign) Waiting(ctx context.Context, c db.Conn, org account.OrgID, limit int) (map[lead.ID]time.Time, error) {
	out := map[lead.ID]time.Time{}
	_, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
		var l lead.ID
		var due int64
		err := r.Scan(&l, &due)
		out[l] = moment(due)
		return struct{}{}, err
	}, `SELECT lead, due_ms FROM assign_queue WHERE org_id = $1 ORDER BY due_ms, lead LIMIT $2`, org, limit)
	return out, err
}

// leadsGone removes what is kept about leads that are about to be deleted.
func (a *Assign) leadsGone(ctx context.Context, tx *db.Tx, org account.OrgID, leads []lead.ID) error {
	owners, err := ownersOf(ctx, tx, org, leads)
	if err != nil {
		return err
	}
	if err := a.leadsOwned(ctx, tx, org, owners...); err != nil {
		return err
	}
	return forLeads(ctx, tx, org, leads, `DELETE FROM assign_log WHERE org_id = $1 AND lead IN `, `DELETE FROM assign_queue WHERE org_id = $1 AND lead IN `,
		`DELETE FROM assign_watch WHERE org_id = $1 AND lead IN `)
}

// forLeads runs statements that end with a list of leads.
func forLeads(ctx context.Context, tx *db.Tx, org account.OrgID, leads []lead.ID, queries ...string) error {
	for len(leads) > 0 {
		part := leads[:min(len(leads), 4*rows)]
		leads = leads[len(part):]
		args := []any{org}
		for _, l := range part {
			args = append(args, l)
		}
		for _, q := range queries {
			if _, err := tx.Exec(ctx, q+db.In(2, len(part)), args...); err != nil {
				return err
			}
		}
	}
	return nil
}
