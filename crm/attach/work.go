package attach

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

const (
	pause       = time.Second         // between two looks when there was nothing to do
	patience    = time.Minute         // until a contact that could not be reckoned is tried again
	logAtOnce   = 100                 // transactions of the writer whose changes are looked at together
	duesAtOnce  = 100                 // contacts that are reckoned together
	callsAtOnce = 500                 // calls that are looked through at a time
	lately      = 30 * 24 * time.Hour // how far back the calls of contacts without leads are read at first
)

// Run does what there is to do until ctx ends; failed hears what went wrong. What is not done when it ends is done by the next
// Run.
func (a *Attach) Run(ctx context.Context, failed func(error)) {
	for ctx.Err() == nil {
		more, err := a.Work(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Work does a part of what there is to do in every organisation, and tells whether there may be more.
func (a *Attach) Work(ctx context.Context) (more bool, err error) {
	busy, err := db.Select(ctx, a.DB, func(r db.Scanner) (org account.OrgID, err error) { return org, r.Scan(&org) }, `
		SELECT org_id FROM touched_calls UNION SELECT org_id FROM due_contacts WHERE after_ms <= $1
		UNION SELECT o.org_id FROM organisations o WHERE NOT EXISTS
			(SELECT 1 FROM attach_reckoned r WHERE r.org_id = o.org_id AND r.connected_from = o.connected_from)`, a.Now().UnixMilli())
	if err != nil {
		return false, err
	}
	var errs []error
	for _, id := range busy {
		again, err := a.work(ctx, id)
		more = more || again
		if fault.KindOf(err) != fault.NotFound { // closed meanwhile
			errs = append(errs, err)
		}
	}
	return more, errors.Join(errs...)
}

// work does a part of what there is to do in one organisation.
func (a *Attach) work(ctx context.Context, id account.OrgID) (more bool, err error) {
	org, err := a.Accounts.Org(ctx, id)
	if err != nil {
		return false, err
	}
	if err := a.followThreshold(ctx, org); err != nil {
		return false, err
	}
	if more, err = a.spread(ctx, org); err != nil {
		return false, err
	}
	due, err := db.Select(ctx, a.DB, func(r db.Scanner) (d mark, err error) { return d, r.Scan(&d.contact, &d.n) },
		`SELECT contact, n FROM due_contacts WHERE org_id = $1 AND after_ms <= $2 ORDER BY contact LIMIT $3`, id, a.Now().UnixMilli(), duesAtOnce)
	if err != nil || len(due) == 0 {
		return more, err
	}
	return more || len(due) == duesAtOnce, a.settleAll(ctx, org, due)
}

// followThreshold has every lead reckoned anew when the organisation changed from how much talk on a call counts as connected.
func (a *Attach) followThreshold(ctx context.Context, org *account.Org) error {
	had, ok, err := db.One(ctx, a.DB, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT connected_from FROM attach_reckoned WHERE org_id = $1`, org.ID)
	if err != nil || ok && had == org.ConnectedFrom {
		return err
	}
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO attach_reckoned (org_id, connected_from) VALUES ($1, $2)
			ON CONFLICT (org_id) DO UPDATE SET connected_from = excluded.connected_from`, org.ID, org.ConnectedFrom); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO due_contacts (org_id, contact, n, after_ms) SELECT DISTINCT org_id, contact, 1, 0 FROM leads WHERE org_id = $1
			ON CONFLICT (org_id, contact) DO UPDATE SET n = due_contacts.n + 1, after_ms = 0`, org.ID)
		return err
	})
}

// spread turns what the writer noted into marks of the contacts concerned, and makes leads of unknown callers.
func (a *Attach) spread(ctx context.Context, org *account.Org) (more bool, err error) {
	type row struct {
		seq, at int64
		b       []byte
	}
	rows, err := db.Select(ctx, a.DB, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.seq, &x.at, &x.b) },
		`SELECT seq, at_ms, b FROM touched_calls WHERE org_id = $1 ORDER BY seq LIMIT $2`, org.ID, logAtOnce)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	var all touched
	for _, x := range rows {
		if err := all.add(x.b); err != nil {
			return false, err
		}
	}
	if err := a.makeLeads(ctx, org, &all, moment(rows[0].at)); err != nil {
		return false, err
	}
	if err := a.tripped("leads made"); err != nil {
		return false, err
	}
	return len(rows) == logAtOnce, a.DB.Tx(ctx, func(tx *db.Tx) error {
		having, err := a.Contacts.ByNumber(ctx, tx, org.ID, all.numbers...)
		if err != nil {
			return err
		}
		if err := a.Mark(ctx, tx, org.ID, slices.Concat(slices.Collect(maps.Values(having))...)...); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM touched_calls WHERE org_id = $1 AND seq >= $2 AND seq <= $3`, org.ID, rows[0].seq, rows[len(rows)-1].seq)
		return err
	})
}

// mark is a contact to be reckoned.
type mark struct {
	contact contact.ID
	n       int64
}

// settleAll reckons contacts. When one of them cannot be, the others are, and that one is tried again later.
func (a *Attach) settleAll(ctx context.Context, org *account.Org, due []mark) error {
	err := a.settle(ctx, org, due)
	if err == nil || ctx.Err() != nil || fault.KindOf(err) == fault.Unavailable {
		return err
	}
	var errs []error
	for _, d := range due {
		err := a.settle(ctx, org, []mark{d})
		if err == nil {
			continue
		}
		errs = append(errs, err)
		if _, err := a.DB.Exec(ctx, `UPDATE due_contacts SET after_ms = $3 WHERE org_id = $1 AND contact = $2`, org.ID, d.contact, a.Now().Add(patience).UnixMilli()); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// settle reads the calls of contacts in one snapshot, and writes in one transaction what they say.
func (a *Attach) settle(ctx context.Context, org *account.Org, due []mark) error {
	var all []*reckoning
	if err := a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		all, err = a.read(ctx, tx, org, due)
		return err
	}); err != nil {
		return err
	}
	if err := a.tripped("read"); err != nil {
		return err
	}
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		rules, err := a.StageRules(ctx, tx, org.ID)
		if err != nil {
			return err
		}
		pipelines, err := a.Leads.Pipelines(ctx, tx, org.ID)
		if err != nil {
			return err
		}
		for _, r := range all {
			if err := a.write(ctx, tx, org, r, rules, pipelines); err != nil {
				return err
			}
		}
		for _, d := range due {
			if _, err := tx.Exec(ctx, `DELETE FROM due_contacts WHERE org_id = $1 AND contact = $2 AND n = $3`, org.ID, d.contact, d.n); err != nil {
				return err
			}
		}
		return a.tripped("written")
	})
}

// reckoning is a contact with what its calls say.
type reckoning struct {
	contact *contact.Contact
	rows    []call.Row // in order of time; all since the first of its leads was made
	last    time.Time  // of its calls; zero = none
	touches map[lead.ID]lead.Touch
}

// read gives what the calls of contacts say. Contacts that are gone, and those with a restricted number, are left out: nothing
// about them may be used, and they are marked again when the restriction ends.
func (a *Attach) read(ctx context.Context, tx *db.Tx, org *account.Org, due []mark) ([]*reckoning, error) {
	ids := make([]contact.ID, len(due))
	for i, d := range due {
		ids[i] = d.contact
	}
	p, err := a.people(ctx, tx, org.ID, ids)
	if err != nil {
		return nil, err
	}
	kept, err := a.Book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	since, err := a.since(ctx, tx, org.ID, p)
	if err != nil {
		return nil, err
	}
	from := a.Now().Add(-lately)
	var out []*reckoning
	var nums []number.ID
	seen := map[contact.ID]bool{}
	for _, id := range ids {
		c := p.contacts[id]
		if c == nil || seen[c.ID] || slices.ContainsFunc(c.Nums, func(n number.ID) bool { return kept.Restricted[n] }) {
			continue
		}
		seen[c.ID] = true
		out, nums = append(out, &reckoning{contact: c, touches: map[lead.ID]lead.Touch{}}), append(nums, c.Nums...)
		for _, l := range p.leads[c.ID] {
			if at := since[l.ID]; at.Before(from) {
				from = at
			}
		}
	}
	promised, err := a.FollowUps.OfContacts(ctx, tx, org.ID, slices.Collect(maps.Keys(seen))...)
	if err != nil {
		return nil, err
	}
	for _, f := range promised {
		if waitsForCall(f) && f.Made.Before(from) {
			from = f.Made
		}
	}
	slices.Sort(nums)
	rows, err := a.Reporter.RowsOf(ctx, tx, org, slices.Compact(nums), civil.DayOf(from, org.Location())-1)
	if err != nil {
		return nil, err
	}
	by := map[number.ID][]call.Row{}
	for _, r := range rows {
		by[r.Number] = append(by[r.Number], r)
	}
	for _, r := range out {
		r.tell(by, p.leads[r.contact.ID], since, org.ConnectedFrom)
	}
	return out, a.findLast(ctx, tx, org, out)
}

// tell fills in what a contact's calls say of its leads.
func (r *reckoning) tell(by map[number.ID][]call.Row, leads []*lead.Lead, since map[lead.ID]time.Time, connectedFrom int) {
	for _, n := range r.contact.Nums {
		r.rows = append(r.rows, by[n]...)
	}
	slices.SortStableFunc(r.rows, func(x, y call.Row) int { return cmp.Or(cmp.Compare(x.Start, y.Start), x.Compare(y.Key)) })
	if len(r.rows) > 0 {
		r.last = r.rows[len(r.rows)-1].At()
	}
	for _, l := range leads {
		r.touches[l.ID] = reckon(r.rows, since[l.ID], l.Closed, connectedFrom)
	}
}

// findLast finds the last call of those contacts of whom none was read: of all together, since most have none at all.
func (a *Attach) findLast(ctx context.Context, tx *db.Tx, org *account.Org, all []*reckoning) error {
	for after := ""; ; {
		var nums []number.ID
		for _, r := range all {
			if r.last.IsZero() {
				nums = append(nums, r.contact.Nums...)
			}
		}
		slices.Sort(nums)
		rows, next, err := a.Reporter.NewestOf(ctx, tx, org, nil, slices.Compact(nums), after, callsAtOnce)
		if err != nil {
			return err
		}
		for i := range rows {
			for _, r := range all {
				if r.last.IsZero() && slices.Contains(r.contact.Nums, rows[i].Number) {
					r.last = rows[i].At()
				}
			}
		}
		if after = next; after == "" {
			return nil
		}
	}
}

// since tells from when on the calls of leads count: from when each was made, or from the call that made it.
func (a *Attach) since(ctx context.Context, c db.Conn, org account.OrgID, p *people) (map[lead.ID]time.Time, error) {
	var ids []lead.ID
	out := map[lead.ID]time.Time{}
	for _, leads := range p.leads {
		for _, l := range leads {
			ids = append(ids, l.ID)
			out[l.ID] = l.Made
		}
	}
	made, err := madeByCalls(ctx, c, org, ids)
	maps.Copy(out, made)
	return out, err
}

// Since tells from when on the calls of some leads count: see reckon.
func (a *Attach) Since(ctx context.Context, c db.Conn, org account.OrgID, leads ...*lead.Lead) (map[lead.ID]time.Time, error) {
	p := &people{leads: map[contact.ID][]*lead.Lead{"": leads}}
	return a.since(ctx, c, org, p)
}

func (a *Attach) tripped(step string) error {
	if a.trip == nil {
		return nil
	}
	return a.trip(step)
}
