package contact

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

// maxMerges is how many merges one after the other are followed: a chain that long is not made by people.
const maxMerges = 20

// Merge makes two contacts one: into keeps its id and gets the numbers, addresses, tags and empty fields of from. What each of
// them was stays in the history of into, so that Split can take it back. Notes, calls and leads of both are shown together.
func (s *Contacts) Merge(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, into, from ID) (*Contact, func(), error) {
	a, err := s.locked(ctx, tx, org.ID, into)
	if err != nil {
		return nil, nil, err
	}
	b, err := s.locked(ctx, tx, org.ID, from)
	if err != nil {
		return nil, nil, err
	}
	if a.ID == b.ID {
		return nil, nil, fault.New(fault.Invalid, "These are the same contact already, so there is nothing to merge.")
	}
	family, err := s.Family(ctx, tx, org.ID, a.ID, b.ID)
	if err != nil {
		return nil, nil, err
	}
	if len(family) > maxMerges {
		return nil, nil, fault.New(fault.Invalid, "At most %d contacts can be merged into one.", maxMerges)
	}
	next := clone(a)
	join(next, b)
	out, committed, err := s.keep(ctx, tx, org, by, a, next)
	if err != nil {
		return nil, nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, nil, err
	}
	if out.Rev == a.Rev { // b had nothing that a had not
		out = next
		out.Rev++
		if _, err := tx.Exec(ctx, `UPDATE contacts SET rev = $3, changed_ms = $4, changed_by = $5 WHERE org_id = $1 AND contact = $2`, org.ID, a.ID, out.Rev, millis(s.d.Now()), by); err != nil {
			return nil, nil, err
		}
	}
	e := Event{Contact: a.ID, Rev: out.Rev, At: s.d.Now(), By: by, Field: fieldMerged, To: string(b.ID), subject: a.Subject}
	if err := record(ctx, tx, k, org.ID, e); err != nil {
		return nil, nil, err
	}
	if _, err := tx.Exec(ctx, `UPDATE contacts SET merged_into = $3, changed_ms = $4, changed_by = $5 WHERE org_id = $1 AND contact = $2`, org.ID, b.ID, a.ID, millis(s.d.Now()), by); err != nil {
		return nil, nil, err
	}
	if err := dropNumbers(ctx, tx, org.ID, b.ID, b.Nums); err != nil { // they are a's now
		return nil, nil, err
	}
	if err := s.renumber(ctx, tx, org.ID, a.ID); err != nil {
		return nil, nil, err
	}
	if b.Last.After(a.Last) {
		err = s.SetLast(ctx, tx, org.ID, a.ID, b.Last)
	}
	if err == nil {
		err = dropIndex(ctx, tx, org.ID, b.Subject)
	}
	return out, committed, err
}

// join puts into a what b has and a has not.
func join(a, b *Contact) {
	p, q := &a.Person, &b.Person
	for _, x := range []struct {
		to   *string
		from string
	}{{&p.First, q.First}, {&p.Last, q.Last}, {&p.Company, q.Company}, {&p.Title, q.Title}, {&p.Photo, q.Photo}, {&p.Language, q.Language}} {
		if *x.to == "" {
			*x.to = x.from
		}
	}
	if p.Address == (Address{}) {
		p.Address = q.Address
	}
	add := func(to []Labelled, from []Labelled) []Labelled {
		for _, n := range from {
			if !slices.ContainsFunc(to, func(o Labelled) bool { return strings.EqualFold(o.Text, n.Text) }) && len(to) < maxEach {
				to = append(to, n)
			}
		}
		return to
	}
	p.Numbers, p.Emails = add(p.Numbers, q.Numbers), add(p.Emails, q.Emails)
	for key, v := range q.Custom {
		if p.Custom[key] == "" {
			if p.Custom == nil {
				p.Custom = map[string]string{}
			}
			p.Custom[key] = v
		}
	}
	for _, t := range b.Tags {
		if !hasTag(a.Tags, t) && len(a.Tags) < maxTags {
			a.Tags = append(a.Tags, t)
		}
	}
	slices.SortFunc(a.Tags, func(x, y string) int { return strings.Compare(strings.ToLower(x), strings.ToLower(y)) })
}

// Split takes a merge back: from stands for itself again with what it had, and the contact that it was part of loses what came
// in with it and has not changed since.
func (s *Contacts) Split(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, from ID) (*Contact, func(), error) {
	found, err := s.load(ctx, tx, org.ID, []ID{from})
	if err != nil {
		return nil, nil, err
	}
	b := found[from]
	if b == nil {
		return nil, nil, errNone(from)
	}
	if b.MergedInto == "" {
		return nil, nil, fault.New(fault.Conflict, "This contact stands for itself already, so there is no merge to take back.")
	}
	into := b.MergedInto
	if found, err = s.load(ctx, tx, org.ID, []ID{into}); err != nil || found[into] == nil {
		if err == nil {
			err = errNone(into)
		}
		return nil, nil, err
	}
	if found[into].MergedInto != "" {
		return nil, nil, fault.New(fault.Conflict, "The contact that this one became part of was merged itself since. Take that merge back first.")
	}
	a, err := s.locked(ctx, tx, org.ID, into)
	if err != nil {
		return nil, nil, err
	}
	next, err := s.part(ctx, tx, org, a, b)
	if err != nil {
		return nil, nil, err
	}
	out, done, err := s.keep(ctx, tx, org, by, a, next)
	if err != nil {
		return nil, nil, err
	}
	k, err := s.d.Keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, nil, err
	}
	rev := out.Rev + 1
	if err := record(ctx, tx, k, org.ID, Event{Contact: a.ID, Rev: rev, At: s.d.Now(), By: by, Field: fieldSplit, To: string(b.ID), subject: a.Subject}); err != nil {
		return nil, nil, err
	}
	if _, err := tx.Exec(ctx, `UPDATE contacts SET rev = $3 WHERE org_id = $1 AND contact = $2`, org.ID, a.ID, rev); err != nil {
		return nil, nil, err
	}
	if _, err := tx.Exec(ctx, `UPDATE contacts SET merged_into = '', owner = $3 WHERE org_id = $1 AND contact = $2`, org.ID, b.ID, a.Owner); err != nil {
		return nil, nil, err
	}
	if err := s.renumber(ctx, tx, org.ID, a.ID, b.ID); err != nil {
		return nil, nil, err
	}
	was := clone(b)
	was.Nums, was.Person, was.Tags = nil, Person{}, nil // its numbers and index were taken away
	b.MergedInto, b.Rev, b.Changed, b.ChangedBy, b.Owner = "", b.Rev+1, s.d.Now(), by, a.Owner
	again, err := s.write(ctx, tx, k, org.ID, was, b)
	return b, func() { done(); again() }, err
}

// part is the contact a without what came in with b and nobody changed since.
func (s *Contacts) part(ctx context.Context, tx *db.Tx, org *account.Org, a, b *Contact) (*Contact, error) {
	events, err := s.events(ctx, tx, org.ID, a.Subject, `contact = $2 ORDER BY rev DESC, field`, org.ID, a.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(events, func(e Event) bool { return e.Field == fieldMerged && e.To == string(b.ID) })
	if i < 0 {
		return nil, fault.New(fault.Conflict, "The history no longer says what this contact brought in, so the merge cannot be taken back. Make a new contact instead.")
	}
	next := clone(a)
	have := a.values()
	for _, e := range events {
		if e.Rev != events[i].Rev || e.Field == fieldMerged {
			continue
		}
		switch {
		case have[e.Field] == e.To:
			err = next.put(e.Field, e.From)
		case e.Field == "numbers" || e.Field == "emails":
			err = next.dropOf(e)
		case e.Field == "tags":
			brought := without2(strings.Split(e.To, ", "), strings.Split(e.From, ", "))
			next.Tags = slices.DeleteFunc(next.Tags, func(t string) bool { return slices.Contains(brought, t) })
		}
		if err != nil {
			return nil, err
		}
	}
	return next, nil
}

// dropOf takes the numbers or addresses away that a merge brought.
func (c *Contact) dropOf(e Event) error {
	var from, to []Labelled
	if e.From != "" {
		if err := json.Unmarshal([]byte(e.From), &from); err != nil {
			return err
		}
	}
	if err := json.Unmarshal([]byte(e.To), &to); err != nil {
		return err
	}
	brought := map[string]bool{}
	for _, n := range to {
		brought[n.Text] = true
	}
	for _, n := range from {
		delete(brought, n.Text)
	}
	list := &c.Person.Numbers
	if e.Field == "emails" {
		list = &c.Person.Emails
	}
	*list = slices.DeleteFunc(*list, func(n Labelled) bool { return brought[n.Text] })
	return nil
}

func without2(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(t string) bool { return slices.Contains(b, t) })
}

// Family gives contacts with all that were merged into them, however many steps ago.
func (s *Contacts) Family(ctx context.Context, c db.Conn, org account.OrgID, ids ...ID) ([]ID, error) {
	all := map[ID]bool{}
	for _, x := range ids {
		all[x] = true
	}
	edge := ids
	for range maxMerges {
		var next []ID
		for part := range slices.Chunk(edge, 4*chunk) {
			args := []any{org}
			for _, x := range part {
				args = append(args, x)
			}
			found, err := db.Select(ctx, c, scanID, `SELECT contact FROM contacts WHERE org_id = $1 AND merged_into <> '' AND merged_into IN `+db.In(2, len(part)), args...)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		edge = slices.DeleteFunc(next, func(x ID) bool { return all[x] })
		if len(edge) == 0 {
			break
		}
		for _, x := range edge {
			all[x] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}
