package contact

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

// Alive gives the contacts with which something happened since a moment, as far as somebody else knows of it.
type Alive func(ctx context.Context, c db.Conn, org account.OrgID, since time.Time) ([]ID, error)

// Loose is told of numbers that a contact had who is not kept any longer.
type Loose func(ctx context.Context, org account.OrgID, nums []number.ID) error

// OnAlive says who is asked before a contact counts as idle. It is called at wiring.
func (s *Contacts) OnAlive(a Alive) { s.alive = append(s.alive, a) }

// OnLoose says who is told of numbers that nobody has any more. It is called at wiring.
func (s *Contacts) OnLoose(l Loose) { s.loose = l }

// Keepers are what retention asks of contacts: of notes by themselves, and of contacts with everything about them.
func (s *Contacts) Keepers() []retain.Keeper {
	return []retain.Keeper{s.noteKeeper(), s.contactKeeper()}
}

// Idle is a contact with which nothing happened for a while; it stands for all that were merged into it.
type Idle struct {
	*Contact
	Family []ID
}

// Idle lists those with which nothing happened from a moment on, neither to what stands here nor elsewhere. Restricted ones are
// kept as they are.
func (s *Contacts) Idle(ctx context.Context, c db.Conn, org account.OrgID, before time.Time) ([]Idle, error) {
	ids, err := db.Select(ctx, c, scanID, `SELECT contact FROM contacts WHERE org_id = $1 AND merged_into = '' AND last_ms < $2 ORDER BY contact`, org, millis(before))
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	busy := map[ID]bool{}
	for _, a := range s.alive {
		some, err := a(ctx, c, org, before)
		if err != nil {
			return nil, err
		}
		for _, x := range some {
			busy[x] = true
		}
	}
	var out []Idle
	for part := range slices.Chunk(ids, 1000) {
		found, err := s.load(ctx, c, org, part)
		if err == nil {
			err = s.usable(ctx, c, org, found)
		}
		if err != nil {
			return nil, err
		}
		for _, x := range part {
			if found[x] == nil {
				continue
			}
			family, err := s.Family(ctx, c, org, x)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(family, func(m ID) bool { return busy[m] }) {
				out = append(out, Idle{found[x], family})
			}
		}
	}
	return out, nil
}

// due is idle as retention wants it; rows counts what a keeper has of a family.
func (s *Contacts) due(ctx context.Context, c db.Conn, org account.OrgID, before time.Time, rows func(ctx context.Context, c db.Conn, org account.OrgID, family []ID) (int64, error)) ([]retain.Item, map[string]Idle, error) {
	all, err := s.Idle(ctx, c, org, before)
	if err != nil {
		return nil, nil, err
	}
	var out []retain.Item
	byKey := map[string]Idle{}
	for _, x := range all {
		n, err := rows(ctx, c, org, x.Family)
		if err != nil {
			return nil, nil, err
		}
		if n > 0 {
			out = append(out, retain.Item{Key: string(x.ID), Who: x.Refs(), At: x.Last, Rows: n})
			byKey[string(x.ID)] = x
		}
	}
	return out, byKey, nil
}

// settled refuses, as a Conflict, when something happened with what an order is about.
func (s *Contacts) settled(ctx context.Context, tx *db.Tx, org account.OrgID, o retain.Order, rows func(ctx context.Context, c db.Conn, org account.OrgID, family []ID) (int64, error)) ([]Idle, error) {
	if err := o.Gate(ctx, tx); err != nil {
		return nil, err
	}
	now, byKey, err := s.due(ctx, tx, org, o.Before, rows)
	if err != nil {
		return nil, err
	}
	var out []Idle
	for _, want := range o.Items {
		i := slices.IndexFunc(now, func(have retain.Item) bool { return have.Key == want.Key })
		if i < 0 || now[i].Rows != want.Rows || !now[i].At.Equal(want.At) {
			return nil, fault.New(fault.Conflict, "Something happened with contacts meanwhile, so nothing was removed.")
		}
		out = append(out, byKey[want.Key])
	}
	return out, nil
}

func single(_ context.Context, _ db.Conn, _ account.OrgID, family []ID) (int64, error) {
	return int64(len(family)), nil
}

func notes(ctx context.Context, c db.Conn, org account.OrgID, family []ID) (n int64, err error) {
	args := []any{org}
	for _, x := range family {
		args = append(args, x)
	}
	return n, c.Row(ctx, `SELECT count(*) FROM contact_notes WHERE org_id = $1 AND contact IN `+db.In(2, len(family)), args...).Scan(&n)
}

func (s *Contacts) counting(query string) func(ctx context.Context, org account.OrgID) (int64, error) {
	return func(ctx context.Context, org account.OrgID) (n int64, err error) {
		return n, s.d.DB.Row(ctx, query, org).Scan(&n)
	}
}

// noteKeeper keeps notes: for as long as something happens with the contact, and for the longest period from when each was
// written.
func (s *Contacts) noteKeeper() retain.Keeper {
	k := retain.Keeper{Name: "notes about contacts", Category: CategoryNote, Events: []policy.Event{policy.LastActivity, policy.Created}}
	k.Count = s.counting(`SELECT count(*) FROM contact_notes WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		if cut.From == policy.Created {
			return s.oldNotes(ctx, s.d.DB, org, cut.Before)
		}
		out, _, err := s.due(ctx, s.d.DB, org, cut.Before, notes)
		return out, err
	}
	k.Remove = func(ctx context.Context, org account.OrgID, o retain.Order) (int64, error) {
		return o.Rows(), s.d.DB.Tx(ctx, func(tx *db.Tx) error {
			if o.From == policy.Created {
				return s.dropOld(ctx, tx, org, o)
			}
			all, err := s.settled(ctx, tx, org, o, notes)
			if err != nil {
				return err
			}
			for _, x := range all {
				for _, m := range x.Family {
					if _, err := tx.Exec(ctx, `DELETE FROM contact_notes WHERE org_id = $1 AND contact = $2`, org, m); err != nil {
						return err
					}
					if err := dropNoteWords(ctx, tx, org, m, ""); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	k.Bundle = s.bundleNotes
	k.Return = s.giveBack
	k.Forget = func(context.Context, account.OrgID, []subject.Ref) error { return nil } // the key is the contact's to destroy
	return k
}

// oldNotes lists notes that were written before a moment.
func (s *Contacts) oldNotes(ctx context.Context, c db.Conn, org account.OrgID, before time.Time) ([]retain.Item, error) {
	type written struct {
		note    NoteID
		contact ID
		at      int64
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (n written, err error) { return n, r.Scan(&n.note, &n.contact, &n.at) },
		`SELECT note, contact, at_ms FROM contact_notes WHERE org_id = $1 AND at_ms < $2 ORDER BY note`, org, millis(before))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids := make([]ID, len(all))
	for i, n := range all {
		ids[i] = n.contact
	}
	found, err := s.load(ctx, c, org, ids)
	out := make([]retain.Item, len(all))
	for i, n := range all {
		out[i] = retain.Item{Key: string(n.note), At: at(n.at), Rows: 1}
		if found[n.contact] != nil {
			out[i].Who = found[n.contact].Refs()
		}
	}
	return out, err
}

func (s *Contacts) dropOld(ctx context.Context, tx *db.Tx, org account.OrgID, o retain.Order) error {
	if err := o.Gate(ctx, tx); err != nil {
		return err
	}
	for _, i := range o.Items {
		n, err := tx.Exec(ctx, `DELETE FROM contact_notes WHERE org_id = $1 AND note = $2`, org, i.Key)
		if err == nil && n != 1 {
			err = fault.New(fault.Conflict, "Notes about contacts were deleted meanwhile, so nothing was removed.")
		}
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM contact_note_words WHERE org_id = $1 AND note = $2`, org, i.Key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bundleNotes copies the notes about a contact, or one note.
func (s *Contacts) bundleNotes(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
	x, old, err := db.One(ctx, s.d.DB, scanID, `SELECT contact FROM contact_notes WHERE org_id = $1 AND note = $2`, org, item.Key)
	if err != nil {
		return nil, err
	}
	if !old {
		x = ID(item.Key)
	}
	all, err := s.bundle(ctx, org, x)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Contact, all[i].Events = nil, nil
		if old {
			all[i].Notes = slices.DeleteFunc(all[i].Notes, func(n Note) bool { return string(n.ID) != item.Key })
		}
	}
	return json.Marshal(all)
}

func (s *Contacts) contactKeeper() retain.Keeper {
	k := retain.Keeper{Name: "contact cards", Category: Category, Events: []policy.Event{policy.LastActivity}, Forget: s.forget, Return: s.giveBack}
	k.Count = s.counting(`SELECT count(*) FROM contacts WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		out, _, err := s.due(ctx, s.d.DB, org, cut.Before, single)
		return out, err
	}
	k.Remove = s.expire
	k.Bundle = func(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
		all, err := s.bundle(ctx, org, ID(item.Key))
		if err != nil {
			return nil, err
		}
		return json.Marshal(all)
	}
	return k
}

// expire removes contacts that are past their period, with everything about them. Numbers that nobody has any more, and that no
// call is kept with, go with them.
func (s *Contacts) expire(ctx context.Context, org account.OrgID, o retain.Order) (int64, error) {
	var destroy []func(context.Context) error
	var loose []number.ID
	if err := s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		destroy, loose = nil, nil
		all, err := s.settled(ctx, tx, org, o, single)
		if err != nil {
			return err
		}
		for _, x := range all {
			own, err := s.ownNumbers(ctx, tx, org, x.Family)
			if err != nil {
				return err
			}
			loose = append(loose, own...)
			if o.Archived {
				if err := s.shelve(ctx, tx, org, x); err != nil {
					return err
				}
			}
			committed, err := s.remove(ctx, tx, org, x.Family)
			if err != nil {
				return err
			}
			destroy = append(destroy, committed)
		}
		return nil
	}); err != nil {
		return 0, err
	}
	if o.Archived {
		return o.Rows(), nil
	}
	for _, d := range destroy {
		if err := d(ctx); err != nil {
			return 0, err
		}
	}
	if s.loose != nil && len(loose) > 0 {
		return o.Rows(), s.loose(ctx, org, loose)
	}
	return o.Rows(), nil
}

// shelve notes that a contact lies in the archive, by its numbers.
func (s *Contacts) shelve(ctx context.Context, tx *db.Tx, org account.OrgID, x Idle) error {
	keys, err := s.keysOf(ctx, tx, org, x.Family)
	if err != nil {
		return err
	}
	for _, n := range append(slices.Clone(x.Nums), 0) {
		for _, key := range slices.Sorted(maps.Values(keys)) {
			if _, err := tx.Exec(ctx, `INSERT INTO archived_contacts (org_id, num, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, org, n, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func unshelve(ctx context.Context, tx *db.Tx, org account.OrgID, key int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM archived_contacts WHERE org_id = $1 AND subject = $2`, org, key)
	return err
}

// forget destroys the keys of contacts of whom nothing is in the archive any more.
func (s *Contacts) forget(ctx context.Context, org account.OrgID, who []subject.Ref) error {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	for _, w := range who {
		if w.Con() <= 0 {
			continue
		}
		_, there, err := db.One(ctx, s.d.DB, scanID, `SELECT contact FROM contacts WHERE org_id = $1 AND subject = $2`, org, w.Con())
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := k.DestroySubject(ctx, w.Con()); err != nil {
			return err
		}
		if err := s.d.DB.Tx(ctx, func(tx *db.Tx) error { return unshelve(ctx, tx, org, w.Con()) }); err != nil {
			return err
		}
	}
	return nil
}

// archived is a contact in the archive; its notes may lie there without it.
type archived struct {
	Contact *Contact `json:"contact,omitempty"`
	ID      ID       `json:"id"`
	Notes   []Note   `json:"notes,omitempty"`
	Events  []Event  `json:"events,omitempty"`
}

func (s *Contacts) bundle(ctx context.Context, org account.OrgID, x ID) ([]archived, error) {
	kin, err := s.Kin(ctx, s.d.DB, org, x)
	if err != nil {
		return nil, err
	}
	var out []archived
	for _, c := range kin {
		a := archived{Contact: c, ID: c.ID}
		if a.Notes, err = s.PastNotes(ctx, s.d.DB, org, c.ID, farAway(), "", maxRows); err != nil {
			return nil, err
		}
		if a.Events, err = s.events(ctx, s.d.DB, org, c.Subject, `contact = $2 ORDER BY rev, field`, org, c.ID); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// giveBack brings contacts, or their notes, back from the archive.
func (s *Contacts) giveBack(ctx context.Context, org account.OrgID, _ string, bundle []byte) error {
	var all []archived
	if err := json.Unmarshal(bundle, &all); err != nil {
		return err
	}
	committed := func() {}
	err := s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, a := range all {
			done, err := s.giveOne(ctx, tx, org, a)
			if err != nil {
				return err
			}
			before := committed
			committed = func() { before(); done() }
		}
		return nil
	})
	if err == nil {
		committed()
	}
	return err
}

func (s *Contacts) giveOne(ctx context.Context, tx *db.Tx, org account.OrgID, a archived) (func(), error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	key, there, err := db.One(ctx, tx, scanInt, `SELECT subject FROM contacts WHERE org_id = $1 AND contact = $2`, org, a.ID)
	if err != nil {
		return nil, err
	}
	committed := func() {}
	if c := a.Contact; c != nil && !there {
		key = c.Subject
		if c.Nums = nil; c.MergedInto == "" {
			var texts []string
			for _, n := range c.Person.Numbers {
				texts = append(texts, n.Text)
			}
			nums, done, err := s.d.Book.Resolve(ctx, tx, org, texts)
			if err != nil {
				return nil, err
			}
			c.Nums, committed = numsOf(nums, c.Person), done
		}
		if err := insert(ctx, tx, k, org, []*Contact{c}); err != nil {
			return nil, err
		}
		for i := range a.Events {
			a.Events[i].subject = c.Subject
		}
		if err := record(ctx, tx, k, org, a.Events...); err != nil {
			return nil, err
		}
		if err := unshelve(ctx, tx, org, c.Subject); err != nil {
			return nil, err
		}
	} else if !there {
		return committed, nil // notes of somebody who is not kept any more
	}
	for _, n := range a.Notes {
		sealed, err := k.SealSubject(ctx, key, "contact_notes", []byte(n.Text))
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO contact_notes (org_id, contact, note, sealed, by_member, at_ms, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			org, a.ID, n.ID, sealed, n.By, millis(n.At), millis(n.Changed)); err != nil {
			return nil, err
		}
		if err := putNoteWords(ctx, tx, k, org, noteRow{a.ID, n.ID, n.Text}); err != nil {
			return nil, err
		}
	}
	return committed, nil
}

// NumbersSince gives the numbers of contacts with which something happened since a moment: they are kept, whatever their calls.
func (s *Contacts) NumbersSince(ctx context.Context, c db.Conn, org account.OrgID, since time.Time) ([]number.ID, error) {
	return db.Select(ctx, c, scanNum, `SELECT n.num FROM contacts c JOIN contact_numbers n ON n.org_id = c.org_id AND n.contact = c.contact WHERE c.org_id = $1 AND c.last_ms >= $2`, org, millis(since))
}
