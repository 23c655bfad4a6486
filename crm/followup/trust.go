package followup

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Categories of what is kept of members.
const (
	categoryMember  = "org.member"
	categoryAccount = "account"
)

// Store is what rights asks of follow-ups: those of a contact, or of all contacts with a number, and what a member was told and
// subscribed to. It finds them by the contacts, whose store takes their keys away and is registered behind it.
func (s *FollowUps) Store() rights.Store {
	return rights.Store{
		Name: "follow-ups", Tables: []string{"follow_ups", "follow_up_events", "notices", "calendar_feeds", "crm_settings"}, Once: true,
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
			return s.export(ctx, org, who, to)
		},
		Plan: s.plan, Erase: s.erase,
	}
}

// of lists the follow-ups of somebody outside; none for anybody else.
func (s *FollowUps) of(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]*FollowUp, error) {
	if who.Kind == subject.Member {
		return nil, nil
	}
	contacts, err := s.d.Contacts.Of(ctx, c, org, who)
	if err != nil {
		return nil, err
	}
	return s.OfContacts(ctx, c, org, contacts...)
}

// copies takes the tables of a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
}

// export writes what follow-ups hold of a person. Colleagues are not named: that is those people's data.
func (s *FollowUps) export(ctx context.Context, org account.OrgID, who subject.Ref, to copies) error {
	if who.Kind == subject.Member {
		return s.exportMember(ctx, org, account.MemberID(who.ID), to)
	}
	all, err := s.of(ctx, s.d.DB, org, who)
	if err != nil {
		return err
	}
	if err := to.Table(Category, "follow_ups", []string{"follow_up", "lead", "kind", "state", "planned", "all_day", "put_off_to", "times_put_off", "repeats", "outcome", "made", "ended"},
		func(add func(...any) error) error {
			for _, f := range all {
				repeat, err := f.Repeat.text()
				if err != nil {
					return err
				}
				if err := add(string(f.ID), string(f.Lead), string(f.Kind), f.State.String(), f.Due, f.AllDay, f.Snoozed, f.Snoozes, repeat, f.Outcome, f.Made, f.Ended); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
		return err
	}
	return to.Table(CategoryNote, "follow_up_words", []string{"follow_up", "text", "result"}, func(add func(...any) error) error {
		for _, f := range all {
			if f.Text == "" && f.Result == "" {
				continue
			}
			if err := add(string(f.ID), f.Text, f.Result); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *FollowUps) exportMember(ctx context.Context, org account.OrgID, m account.MemberID, to copies) error {
	told, err := s.told(ctx, s.d.DB, org, m)
	if err != nil {
		return err
	}
	if err := to.Table(categoryMember, "notices", []string{"kind", "about", "at", "seen"}, func(add func(...any) error) error {
		for _, n := range told {
			if err := add(string(n.Kind), string(n.About), n.At, n.Seen); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	feed, err := s.FeedOf(ctx, s.d.DB, org, m)
	if err != nil || feed.Made.IsZero() {
		return err
	}
	return to.Table(categoryAccount, "calendar_links", []string{"made", "last_used"}, func(add func(...any) error) error { return add(feed.Made, feed.Used) })
}

// plan lists what an erasure would remove.
func (s *FollowUps) plan(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	if who.Kind == subject.Member {
		return s.planMember(ctx, s.d.DB, org, account.MemberID(who.ID))
	}
	all, err := s.of(ctx, s.d.DB, org, who)
	return count(all), err
}

// count says how many rows and words there are.
func count(all []*FollowUp) []rights.Line {
	lines := []rights.Line{
		{Thing: rights.Rows, Name: "follow-ups", Category: Category, Count: int64(len(all))},
		{Thing: rights.Rows, Name: "words of follow-ups", Category: CategoryNote},
	}
	for _, f := range all {
		lines[0].Newest = later(lines[0].Newest, f.Made)
		if f.Text != "" || f.Result != "" {
			lines[1].Count++
			lines[1].Newest = later(lines[1].Newest, f.Changed)
		}
	}
	return lines
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *FollowUps) planMember(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) ([]rights.Line, error) {
	told, err := s.told(ctx, c, org, m)
	if err != nil {
		return nil, err
	}
	feed, err := s.FeedOf(ctx, c, org, m)
	lines := []rights.Line{
		{Thing: rights.Rows, Name: "notices", Category: categoryMember, Count: int64(len(told))},
		{Thing: rights.Rows, Name: "calendar link", Category: categoryAccount, Newest: feed.Made},
	}
	for _, n := range told {
		lines[0].Newest = later(lines[0].Newest, n.At)
	}
	if !feed.Made.IsZero() {
		lines[1].Count = 1
	}
	return lines, err
}

// erase removes the follow-ups of somebody outside, or their words alone where a law keeps the rest. Those whose words a law
// keeps stay as a whole.
func (s *FollowUps) erase(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	if who.Kind == subject.Member {
		return s.eraseMember(ctx, org, account.MemberID(who.ID), d)
	}
	if d.Keeps(CategoryNote) {
		return nil, nil
	}
	return lines, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		all, err := s.of(ctx, tx, org, who)
		if err != nil || len(all) == 0 {
			return err
		}
		lines = count(all)
		if err := d.Gate(ctx, tx, CategoryNote); err != nil {
			return err
		}
		if d.Keeps(Category) {
			lines = lines[1:]
			return strip(ctx, tx, org, idsOf(all))
		}
		if err := d.Gate(ctx, tx, Category); err != nil {
			return err
		}
		return remove(ctx, tx, org, idsOf(all))
	})
}

func (s *FollowUps) eraseMember(ctx context.Context, org account.OrgID, m account.MemberID, d rights.Decision) (lines []rights.Line, err error) {
	return lines, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		all, err := s.planMember(ctx, tx, org, m)
		if err != nil {
			return err
		}
		lines = nil
		for i, q := range []string{`DELETE FROM notices WHERE org_id = $1 AND member = $2`, `DELETE FROM calendar_feeds WHERE org_id = $1 AND member = $2`} {
			if d.Keeps(all[i].Category) {
				continue
			}
			if err := d.Gate(ctx, tx, all[i].Category); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, q, org, m); err != nil {
				return err
			}
			lines = append(lines, all[i])
		}
		return nil
	})
}

func idsOf(all []*FollowUp) []ID {
	ids := make([]ID, len(all))
	for i, f := range all {
		ids[i] = f.ID
	}
	return ids
}

// remove deletes follow-ups with their history and what members were told of them. The holds were asked.
func remove(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) error {
	for _, q := range []string{
		`DELETE FROM notices WHERE org_id = $1 AND about IN `,
		`DELETE FROM follow_up_events WHERE org_id = $1 AND follow_up IN `,
		`DELETE FROM follow_ups WHERE org_id = $1 AND follow_up IN `,
	} {
		if err := forAll(ctx, tx, org, q, ids); err != nil {
			return err
		}
	}
	return nil
}

// strip takes the words off follow-ups.
func strip(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) error {
	return forAll(ctx, tx, org, `UPDATE follow_ups SET sealed = NULL WHERE org_id = $1 AND follow_up IN `, ids)
}

// forAll runs a statement that ends with a list of ids.
func forAll(ctx context.Context, tx *db.Tx, org account.OrgID, query string, ids []ID) error {
	for part := range slices.Chunk(ids, chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		if _, err := tx.Exec(ctx, query+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// contactsGone removes what was to be done for contacts that are deleted.
func (s *FollowUps) contactsGone(ctx context.Context, tx *db.Tx, org account.OrgID, contacts []contact.ID) error {
	all, err := read(ctx, tx, s, org, "contact", contacts, "1 = 1", "follow_up")
	if err != nil {
		return err
	}
	return remove(ctx, tx, org, idsOf(all))
}

// leadsGone removes what was to be done on leads that are deleted.
func (s *FollowUps) leadsGone(ctx context.Context, tx *db.Tx, org account.OrgID, leads []lead.ID) error {
	all, err := read(ctx, tx, s, org, "lead", leads, "lead <> ''", "follow_up")
	if err != nil {
		return err
	}
	return remove(ctx, tx, org, idsOf(all))
}

// leadsTurned has leads that were opened again know what is due on them.
func (s *FollowUps) leadsTurned(ctx context.Context, tx *db.Tx, org account.OrgID, contacts ...contact.ID) error {
	for part := range slices.Chunk(contacts, chunk) {
		args := []any{org}
		for _, x := range part {
			args = append(args, x)
		}
		ids, err := db.Select(ctx, tx, func(r db.Scanner) (id lead.ID, err error) { return id, r.Scan(&id) },
			`SELECT DISTINCT l.lead FROM leads l JOIN follow_ups f ON f.org_id = l.org_id AND f.lead = l.lead AND f.lead <> '' AND f.state = 0
			WHERE l.org_id = $1 AND l.state = 0 AND l.due_ms = 0 AND l.contact IN `+db.In(2, len(part)), args...)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.setDue(ctx, tx, org, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteOrg removes everything that follow-ups keep of an organisation.
func (s *FollowUps) DeleteOrg(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM follow_ups WHERE org_id = $1`, `DELETE FROM follow_up_events WHERE org_id = $1`, `DELETE FROM notices WHERE org_id = $1`,
		`DELETE FROM calendar_feeds WHERE org_id = $1`, `DELETE FROM crm_settings WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
