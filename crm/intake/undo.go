package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

const (
	// undoDays is how long an import can be undone: so long is kept what it changed.
	undoDays = 30
	// undoBatch is how many contacts and leads an undoing takes back in one transaction.
	undoBatch = 200
)

// Undo takes an import back: what it made is deleted, what it changed is as before, except what somebody changed or used since,
// which is counted and stays; see Remaining. An interrupted Undo can be given again. A legal hold stops it where it meets one.
func (i *Imports) Undo(ctx context.Context, actor *account.Actor, id string) (*Import, error) {
	if err := actor.Require(account.ImportLeads); err != nil {
		return nil, err
	}
	end, err := i.turn(ctx, actor.Org.ID)
	if err != nil {
		return nil, err
	}
	defer end()
	m, err := i.One(ctx, actor.Org.ID, id)
	if err != nil {
		return nil, err
	}
	switch {
	case m.State == Running:
		return nil, fault.New(fault.Conflict, "The import is still running. Stop it first, or wait for its end.")
	case m.State == Dry || m.Spec.DryRun:
		return nil, fault.New(fault.Conflict, "That was a dry run, which wrote nothing. There is nothing to undo.")
	case m.State == Undone:
		return nil, fault.New(fault.Conflict, "The import was undone already.")
	case i.d.Now().Sub(m.StartedAt) > undoDays*24*time.Hour:
		return nil, fault.New(fault.Conflict, "An import can be undone for %d days, and this one is older. Find what it brought by its name, and delete it there.", undoDays)
	}
	u := &undoing{i: i, org: actor.Org, by: actor.Member.ID, m: m.clone()}
	u.m.Counts.Kept = 0 // what stays is counted anew where an undoing goes on
	for _, step := range []func(context.Context) error{u.restore, u.dropLeads, u.dropContacts} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return u.m, i.d.DB.Tx(ctx, func(tx *db.Tx) error {
		c := &u.m.Counts
		u.m.State, u.m.UndoneBy = Undone, u.by
		u.m.Sentence = fmt.Sprintf("Undone: %d contacts and leads were removed and %d put back as they were.", c.Removed, c.Restored)
		if c.Kept > 0 {
			u.m.Sentence += fmt.Sprintf(" %d stay, because they were changed or used since.", c.Kept)
		}
		return i.update(ctx, tx, u.org.ID, u.m)
	})
}

// undoing is an import that is taken back.
type undoing struct {
	i     *Imports
	org   *account.Org
	by    account.MemberID
	m     *Import
	marks map[string]int64 // revs that the import itself left contacts and leads at, which it had made
}

// step runs part of an undoing in a transaction that keeps the counts, too.
func (u *undoing) step(ctx context.Context, do func(tx *db.Tx, c *Counts) error) error {
	next := u.m.clone()
	if err := u.i.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := do(tx, &next.Counts); err != nil {
			return err
		}
		return u.i.update(ctx, tx, u.org.ID, next)
	}); err != nil {
		return err
	}
	u.m = next
	return nil
}

// changes lists what the import changed, after one, in order.
func (i *Imports) changes(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, m *Import, after change) ([]change, error) {
	type found struct {
		change
		sealed []byte
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (f found, err error) {
		return f, r.Scan(&f.contact, &f.lead, &f.subject, &f.rev, &f.sealed)
	},
		`SELECT contact, lead, subject, rev, sealed FROM crm_import_changes WHERE org_id = $1 AND no = $2 AND (contact, lead) > ($3, $4) ORDER BY contact, lead LIMIT $5`,
		org, m.No, after.contact, after.lead, undoBatch)
	out := make([]change, 0, len(all))
	for _, f := range all {
		plain, err := k.OpenSubject(ctx, f.subject, changeField(m.ID), f.sealed)
		if err != nil && fault.KindOf(err) != fault.Gone { // erased since: there is nobody to put back
			return nil, err
		}
		if err == nil {
			if err := json.Unmarshal(plain, &f.change); err != nil {
				return nil, err
			}
		}
		out = append(out, f.change)
	}
	return out, err
}

// restore puts back what the import changed.
func (u *undoing) restore(ctx context.Context) error {
	u.marks = map[string]int64{}
	k, err := u.i.d.Keys.Org(ctx, int64(u.org.ID))
	if err != nil {
		return err
	}
	for after := (change{}); ; {
		all, err := u.i.changes(ctx, u.i.d.DB, k, u.org.ID, u.m, after)
		if err != nil || len(all) == 0 {
			return err
		}
		after = all[len(all)-1]
		var committed []func()
		if err := u.step(ctx, func(tx *db.Tx, c *Counts) error {
			committed = nil
			for _, x := range all {
				if x.Person == nil && x.Lead == nil { // made by the import itself
					u.marks[string(x.contact)+"|"+string(x.lead)] = x.rev
					continue
				}
				done, err := u.back(ctx, tx, x)
				if err != nil {
					return err
				}
				if done == nil {
					c.Kept++
					continue
				}
				c.Restored++
				committed = append(committed, done)
				if _, err := tx.Exec(ctx, `DELETE FROM crm_import_changes WHERE org_id = $1 AND no = $2 AND contact = $3 AND lead = $4`, u.org.ID, u.m.No, x.contact, x.lead); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		for _, done := range committed {
			done()
		}
	}
}

// back puts one contact or lead back. It gives nil for one that is another by now, or cannot be as it was any more, such as
// with a value of a field that is not there now.
func (u *undoing) back(ctx context.Context, tx *db.Tx, x change) (committed func(), err error) {
	if x.Lead != nil {
		leads, err := u.i.d.Leads.Load(ctx, tx, u.org.ID, x.lead)
		if err != nil {
			return nil, err
		}
		if l := leads[x.lead]; l == nil || l.Rev != x.rev {
			return nil, nil
		}
		b := x.Lead
		_, err = u.i.d.Leads.Change(ctx, tx, u.org, u.by, x.lead, 0, lead.Change{Value: &b.Value, Currency: &b.Currency, Source: &b.Source, SourceDay: &b.SourceDay, Tags: &b.Tags, Custom: b.Custom})
		return either(func() {}, err)
	}
	found, err := u.i.d.Contacts.Load(ctx, tx, u.org.ID, x.contact)
	if err != nil {
		return nil, err
	}
	who := found[x.contact]
	if who == nil || who.ID != x.contact || who.Rev != x.rev {
		return nil, nil
	}
	notes, err := u.i.d.Contacts.Notes(ctx, tx, u.org.ID, x.contact, time.Time{}, 100)
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		if u.ours(n) {
			if err := u.i.d.Contacts.DropNote(ctx, tx, u.org.ID, n.By, x.contact, n.ID); err != nil {
				return nil, err
			}
		}
	}
	_, committed, err = u.i.d.Contacts.Change(ctx, tx, u.org, u.by, x.contact, 0, *x.Person, x.Tags)
	return either(committed, err)
}

// either gives what is to be done after the commit, nothing for an error that is about the contact or lead, or another error.
func either(committed func(), err error) (func(), error) {
	switch {
	case err == nil:
		return committed, nil
	case user(err):
		return nil, nil
	default:
		return nil, err
	}
}

// untouched tells whether something that the import made is as it left it.
func (u *undoing) untouched(c contact.ID, l lead.ID, rev int64) bool {
	return rev == 1 || u.marks[string(c)+"|"+string(l)] == rev
}

// dropLeads deletes the leads that the import made. Those that somebody worked on stay.
func (u *undoing) dropLeads(ctx context.Context) error {
	made, err := u.i.d.Leads.Brought(ctx, u.i.d.DB, u.org.ID, u.m.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(made)), undoBatch) {
		if err := u.step(ctx, func(tx *db.Tx, c *Counts) error {
			leads, err := u.i.d.Leads.Load(ctx, tx, u.org.ID, part...)
			if err != nil {
				return err
			}
			busy, err := u.busy(ctx, tx, slices.Collect(func(yield func(contact.ID) bool) {
				for _, l := range leads {
					if !yield(l.Contact) {
						return
					}
				}
			}))
			if err != nil {
				return err
			}
			var gone []lead.ID
			for _, id := range part {
				l := leads[id]
				switch {
				case l == nil:
				case u.untouched(l.Contact, l.ID, l.Rev) && l.State == lead.Open && l.Attempts == 0 && l.First.IsZero() && !busy[l.Contact]:
					gone = append(gone, id)
				default:
					c.Kept++
				}
			}
			c.Removed += int64(len(gone))
			if len(gone) == 0 {
				return nil
			}
			return u.i.d.Leads.Delete(ctx, tx, u.org, u.by, gone...)
		}); err != nil {
			return err
		}
	}
	return nil
}

// busy tells with whom somebody has work.
func (u *undoing) busy(ctx context.Context, c db.Conn, contacts []contact.ID) (map[contact.ID]bool, error) {
	if u.i.d.Busy == nil || len(contacts) == 0 {
		return nil, nil
	}
	return u.i.d.Busy(ctx, c, u.org.ID, contacts...)
}

// dropContacts deletes the contacts that the import made, unless they have leads, notes of others, or work to be done.
func (u *undoing) dropContacts(ctx context.Context) error {
	made, err := u.i.d.Contacts.Brought(ctx, u.i.d.DB, u.org.ID, u.m.ID)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(made)), undoBatch) {
		var committed func(context.Context) error
		if err := u.step(ctx, func(tx *db.Tx, c *Counts) error {
			committed = nil
			gone, err := u.free(ctx, tx, part, c)
			if err != nil || len(gone) == 0 {
				return err
			}
			c.Removed += int64(len(gone))
			committed, err = u.i.d.Contacts.Delete(ctx, tx, u.org.ID, gone...)
			return err
		}); err != nil {
			return err
		}
		if committed != nil {
			if err := committed(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// free gives those of the contacts that nobody changed or used since, and counts the others.
func (u *undoing) free(ctx context.Context, tx *db.Tx, part []contact.ID, c *Counts) ([]contact.ID, error) {
	all, err := u.i.d.Contacts.Load(ctx, tx, u.org.ID, part...)
	if err != nil {
		return nil, err
	}
	leads, err := u.i.d.Leads.OfContacts(ctx, tx, u.org.ID, part...)
	if err != nil {
		return nil, err
	}
	used, err := u.busy(ctx, tx, part)
	if err != nil {
		return nil, err
	}
	if used = maps.Clone(used); used == nil {
		used = map[contact.ID]bool{}
	}
	for _, l := range leads {
		used[l.Contact] = true
	}
	var gone []contact.ID
	for _, id := range part {
		who := all[id]
		if who == nil {
			continue
		}
		if who.ID == id && u.untouched(id, "", who.Rev) && !used[id] {
			notes, err := u.i.d.Contacts.Notes(ctx, tx, u.org.ID, id, time.Time{}, 100)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(notes, func(n contact.Note) bool { return !u.ours(n) }) {
				gone = append(gone, id)
				continue
			}
		}
		c.Kept++
	}
	return gone, nil
}

// ours tells whether the import wrote a note.
func (u *undoing) ours(n contact.Note) bool {
	return n.By == u.m.By && n.At.Equal(n.Changed) && !n.At.Before(u.m.StartedAt) && (u.m.EndedAt.IsZero() || !n.At.After(u.m.EndedAt))
}

// Remaining lists what of an undone import stayed, since somebody changed or used it: contacts and leads that it made.
func (i *Imports) Remaining(ctx context.Context, org account.OrgID, m *Import) (contacts []contact.ID, leads []lead.ID, err error) {
	c, err := i.d.Contacts.Brought(ctx, i.d.DB, org, m.ID)
	if err != nil {
		return nil, nil, err
	}
	l, err := i.d.Leads.Brought(ctx, i.d.DB, org, m.ID)
	return slices.Sorted(maps.Keys(c)), slices.Sorted(maps.Keys(l)), err
}
