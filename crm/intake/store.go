package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
)

// origin is what contacts of an import have as their origin.
const origin = "import"

// store writes what a batch settled. The returned functions are to be called once the transaction has committed.
func (b *batch) store(ctx context.Context, tx *db.Tx) (committed []func(), err error) {
	ids, done, err := b.storePeople(ctx, tx)
	if err != nil {
		return nil, err
	}
	committed = done
	if b.m.Spec.Kind == Leads {
		if err := b.storeLeads(ctx, tx, ids); err != nil {
			return nil, err
		}
	}
	var notes []contact.Remark
	for n, who := range b.people {
		for _, text := range who.notes {
			notes = append(notes, contact.Remark{Contact: ids[n], Text: text})
		}
	}
	return committed, b.i.d.Contacts.AddNotes(ctx, tx, b.org.ID, b.m.By, notes)
}

// storePeople makes and changes contacts, and gives the id of each person of the batch.
func (b *batch) storePeople(ctx context.Context, tx *db.Tx) (ids []contact.ID, committed []func(), err error) {
	ids = make([]contact.ID, len(b.people))
	var news []contact.New
	var at []int
	for n, who := range b.people {
		switch {
		case who.fresh:
			news = append(news, contact.New{Person: who.Person, Tags: who.Tags, Owner: who.Owner, Team: b.m.Spec.Team, Origin: origin, Import: b.m.ID})
			at = append(at, n)
			continue
		case who.dirty || len(who.notes) > 0:
			after, done, err := who.was, func() {}, error(nil)
			if who.dirty {
				after, done, err = b.i.d.Contacts.Change(ctx, tx, b.org, b.m.By, who.was.ID, 0, who.Person, who.Tags)
			}
			if err != nil {
				return nil, nil, err
			}
			committed = append(committed, done)
			if err := b.i.journal(ctx, tx, b.org.ID, b.m, change{contact: after.ID, subject: after.Subject, rev: after.Rev, Person: &who.was.Person, Tags: who.was.Tags, made: who.was.Import == b.m.ID}); err != nil {
				return nil, nil, err
			}
		}
		ids[n] = who.was.ID
	}
	made, done, err := b.i.d.Contacts.AddMany(ctx, tx, b.org, b.m.By, news)
	if err != nil {
		return nil, nil, err
	}
	for j, c := range made {
		ids[at[j]] = c.ID
	}
	return ids, append(committed, done), nil
}

// storeLeads makes and changes leads, and notes what the rules decided.
func (b *batch) storeLeads(ctx context.Context, tx *db.Tx, ids []contact.ID) error {
	var fresh []*chance
	for n, who := range b.people {
		for _, c := range who.Leads {
			switch {
			case c.fresh:
				c.Lead.Contact, c.Lead.Import = ids[n], b.m.ID
				fresh = append(fresh, c)
			case c.dirty:
				if err := b.storeLead(ctx, tx, c); err != nil {
					return err
				}
			}
		}
	}
	slices.SortStableFunc(fresh, func(x, y *chance) int { return cmp.Compare(x.row, y.row) })
	news := make([]lead.New, len(fresh))
	for n, c := range fresh {
		news[n] = c.Lead
	}
	made, err := b.i.d.Leads.AddMany(ctx, tx, b.org, b.m.By, news)
	if err != nil || b.assigner == nil || b.assigner.Keep == nil || b.m.Spec.Give != ByRules {
		return err
	}
	var decided []lead.ID
	for n, c := range fresh {
		if c.asked {
			decided = append(decided, made[n].ID)
		}
	}
	return b.assigner.Keep(ctx, tx, decided)
}

func (b *batch) storeLead(ctx context.Context, tx *db.Tx, c *chance) error {
	l, was := &c.Lead, c.was
	ch := lead.Change{Tags: &l.Tags, Custom: map[string]string{}}
	if l.Value != was.Value || l.Currency != was.Currency {
		ch.Value, ch.Currency = &l.Value, &l.Currency
	}
	if l.Source != was.Source {
		ch.Source = &l.Source
	}
	if l.SourceDay != was.SourceDay {
		ch.SourceDay = &l.SourceDay
	}
	for key, v := range l.Custom {
		if was.Custom[key] != v {
			ch.Custom[key] = v
		}
	}
	after, err := b.i.d.Leads.Change(ctx, tx, b.org, b.m.By, was.ID, 0, ch)
	if err != nil {
		return err
	}
	before := &leadBefore{Value: was.Value, Currency: was.Currency, Source: was.Source, SourceDay: was.SourceDay, Tags: was.Tags, Custom: map[string]string{}}
	for key := range ch.Custom {
		before.Custom[key] = was.Custom[key]
	}
	return b.i.journal(ctx, tx, b.org.ID, b.m, change{contact: was.Contact, lead: was.ID, subject: was.Subject, rev: after.Rev, Lead: before, made: was.Import == b.m.ID})
}

// change is what an import changed that was there before.
type change struct {
	contact contact.ID
	lead    lead.ID // "" = of the contact
	subject int64
	rev     int64 // what the change made of it
	made    bool  // by this import itself, further up in the file: there is nothing to go back to

	Person *contact.Person `json:"person,omitempty"`
	Tags   []string        `json:"tags,omitempty"`
	Lead   *leadBefore     `json:"lead,omitempty"`
}

// leadBefore is what a lead was before.
type leadBefore struct {
	Value     int64             `json:"value"`
	Currency  string            `json:"currency"`
	Source    string            `json:"source"`
	SourceDay civil.Day         `json:"source_day"`
	Tags      []string          `json:"tags"`
	Custom    map[string]string `json:"custom"` // those that were changed; "" = there was none
}

func changeField(no string) string { return "crm_import_changes|" + no }

// journal notes a change for whoever undoes the import. What it was before the first change of an import stays; the rev is that
// of the last.
func (i *Imports) journal(ctx context.Context, tx *db.Tx, org account.OrgID, m *Import, c change) error {
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	if c.made {
		c.Person, c.Tags, c.Lead = nil, nil, nil
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sealed, err := k.SealSubject(ctx, c.subject, changeField(m.ID), plain)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO crm_import_changes (org_id, no, contact, lead, subject, rev, sealed, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org_id, no, contact, lead) DO UPDATE SET rev = excluded.rev`, org, m.No, c.contact, c.lead, c.subject, c.rev, sealed, millis(i.d.Now()))
	return err
}
