package lead

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/trust/rights"
	"parley/trust/subject"
)

// categoryMember is what saved views are data of.
const categoryMember = "org.member"

// Store is what rights asks of leads: those of a contact, and a member's saved views. A person who is known by a number is
// asked for by each of their contacts, too. The contacts' store takes the keys away and is registered behind this one.
func (s *Leads) Store() rights.Store {
	return rights.Store{
		Name: "leads", Tables: []string{"leads", "lead_tags", "lead_events", "lead_bulks", "lead_views", "pipelines"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
			return s.export(ctx, org, who, to)
		},
		Plan: s.plan, Erase: s.erase,
	}
}

// of lists the leads that are kept under a contact's own key; none for anybody else. What was merged has a name of its own.
func (s *Leads) of(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) ([]*Lead, error) {
	if who.Con() <= 0 {
		return nil, nil
	}
	contacts, err := s.d.Contacts.Of(ctx, c, org, who)
	if err != nil || len(contacts) == 0 {
		return nil, err
	}
	all, err := s.OfContacts(ctx, c, org, contacts...)
	return slices.DeleteFunc(all, func(l *Lead) bool { return l.Subject != who.Con() }), err
}

func idsOf(leads []*Lead) []ID {
	ids := make([]ID, len(leads))
	for i, l := range leads {
		ids[i] = l.ID
	}
	return ids
}

// copies takes the tables of a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
}

// export writes what leads hold of a person. Colleagues are not named: that is those people's data.
func (s *Leads) export(ctx context.Context, org account.OrgID, who subject.Ref, to copies) error {
	if who.Kind == subject.Member {
		return s.exportViews(ctx, org, account.MemberID(who.ID), to)
	}
	leads, err := s.of(ctx, s.d.DB, org, who)
	if err != nil {
		return err
	}
	if err := to.Table(Category, "leads", []string{"lead", "made", "pipeline", "stage", "state", "reason", "value_minor", "currency", "source", "source_day", "due", "closed",
		"attempts", "connected", "first_answer", "last_touch", "fields"}, func(add func(...any) error) error {
		for _, l := range leads {
			fields, err := json.Marshal(l.Custom)
			if err != nil {
				return err
			}
			if err := add(string(l.ID), l.Made, l.Pipeline, l.Stage, l.State.String(), l.Reason, l.Value, l.Currency, l.Source, l.texts()[fieldDay], l.Due, l.Closed,
				l.Attempts, l.Connected, l.First, l.Last, string(fields)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := to.Table(CategoryTags, "lead_tags", []string{"lead", "tag"}, func(add func(...any) error) error {
		for _, l := range leads {
			for _, t := range l.Tags {
				if err := add(string(l.ID), t); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return s.exportHistory(ctx, org, leads, to)
}

func (s *Leads) exportHistory(ctx context.Context, org account.OrgID, leads []*Lead, to copies) error {
	events, err := s.Histories(ctx, s.d.DB, org, idsOf(leads)...)
	if err != nil {
		return err
	}
	slices.SortFunc(events, func(a, b Event) int {
		if n := a.At.Compare(b.At); n != 0 {
			return n
		}
		return strings.Compare(string(a.Lead)+a.Field, string(b.Lead)+b.Field)
	})
	return to.Table(Category, "lead_history", []string{"lead", "at", "field", "from", "to", "why"}, func(add func(...any) error) error {
		for _, e := range events {
			if e.Field == fieldOwner || e.Field == fieldTeam {
				e.From, e.To = "", ""
			}
			if err := add(string(e.Lead), e.At, e.Field, e.From, e.To, e.Why); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Leads) exportViews(ctx context.Context, org account.OrgID, m account.MemberID, to copies) error {
	views, err := s.views(ctx, s.d.DB, org, `member = $2 ORDER BY lead_view`, m)
	if err != nil {
		return err
	}
	return to.Table(categoryMember, "saved_views", []string{"name", "filter", "sort", "columns", "shared", "changed"}, func(add func(...any) error) error {
		for _, v := range views {
			filter, err := json.Marshal(v.Filter)
			if err != nil {
				return err
			}
			if err := add(v.Name, string(filter), string(v.Sort), v.Columns, v.Shared, v.Changed); err != nil {
				return err
			}
		}
		return nil
	})
}

// plan lists what an erasure would remove.
func (s *Leads) plan(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	if who.Kind == subject.Member {
		views, err := s.views(ctx, s.d.DB, org, `member = $2`, who.ID)
		line := rights.Line{Thing: rights.Rows, Name: "saved views of leads", Category: categoryMember, Count: int64(len(views))}
		for _, v := range views {
			line.Newest = later(line.Newest, v.Changed)
		}
		return []rights.Line{line}, err
	}
	leads, err := s.of(ctx, s.d.DB, org, who)
	if err != nil {
		return nil, err
	}
	return s.count(ctx, s.d.DB, org, leads)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// count says how many rows there are of leads.
func (s *Leads) count(ctx context.Context, c db.Conn, org account.OrgID, leads []*Lead) ([]rights.Line, error) {
	lines := []rights.Line{
		{Thing: rights.Rows, Name: "leads", Category: Category, Count: int64(len(leads))},
		{Thing: rights.Rows, Name: "history of leads", Category: Category},
		{Thing: rights.Rows, Name: "tags on leads", Category: CategoryTags},
	}
	for _, l := range leads {
		lines[0].Newest = later(lines[0].Newest, l.Made)
		lines[2].Count += int64(len(l.Tags))
	}
	for part := range slices.Chunk(idsOf(leads), chunk) {
		var n, newest int64
		if err := c.Row(ctx, `SELECT count(*), coalesce(max(at_ms), 0) FROM lead_events WHERE org_id = $1 AND lead IN `+db.In(2, chunk), listArgs(org, part)...).Scan(&n, &newest); err != nil {
			return nil, err
		}
		lines[1].Count += n
		lines[1].Newest = later(lines[1].Newest, at(newest))
		lines[2].Newest = lines[1].Newest
	}
	return lines, nil
}

// erase removes the leads of somebody outside with their history, or their tags alone where a law keeps the rest. Leads
// whose tags a law keeps stay as a whole.
func (s *Leads) erase(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	if who.Kind == subject.Member {
		return s.eraseViews(ctx, org, account.MemberID(who.ID), d)
	}
	if d.Keeps(CategoryTags) {
		return nil, nil
	}
	return lines, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		leads, err := s.of(ctx, tx, org, who)
		if err != nil || len(leads) == 0 {
			return err
		}
		if lines, err = s.count(ctx, tx, org, leads); err != nil {
			return err
		}
		if err := d.Gate(ctx, tx, CategoryTags); err != nil {
			return err
		}
		if d.Keeps(Category) {
			lines = lines[2:]
			return s.stripTags(ctx, tx, org, idsOf(leads))
		}
		if err := d.Gate(ctx, tx, Category); err != nil {
			return err
		}
		_, err = s.remove(ctx, tx, org, idsOf(leads))
		return err
	})
}

// stripTags takes the tags off leads, out of their history, too.
func (s *Leads) stripTags(ctx context.Context, tx *db.Tx, org account.OrgID, ids []ID) error {
	for part := range slices.Chunk(ids, chunk) {
		for _, q := range []string{
			`UPDATE leads SET tags = NULL WHERE org_id = $1 AND lead IN `,
			`DELETE FROM lead_tags WHERE org_id = $1 AND lead IN `,
			`DELETE FROM lead_events WHERE field = 'tags' AND org_id = $1 AND lead IN `,
		} {
			if _, err := tx.Exec(ctx, q+db.In(2, chunk), listArgs(org, part)...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Leads) eraseViews(ctx context.Context, org account.OrgID, m account.MemberID, d rights.Decision) ([]rights.Line, error) {
	if d.Keeps(categoryMember) {
		return nil, nil
	}
	line := rights.Line{Thing: rights.Rows, Name: "saved views of leads", Category: categoryMember}
	err := s.d.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if err := d.Gate(ctx, tx, categoryMember); err != nil {
			return err
		}
		line.Count, err = tx.Exec(ctx, `DELETE FROM lead_views WHERE org_id = $1 AND member = $2`, org, m)
		return err
	})
	return []rights.Line{line}, err
}
