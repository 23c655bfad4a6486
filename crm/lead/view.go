package lead

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/freetext"
)

// View is a saved view of the table of leads.
type View struct {
	ID      string           `json:"-"` // "" = a new one
	Member  account.MemberID `json:"-"` // who made it
	Shared  bool             `json:"-"` // all colleagues see it
	Rev     int64            `json:"-"`
	Changed time.Time        `json:"-"`
	Name    string           `json:"name"`
	Filter  Filter           `json:"filter"`
	Sort    Sort             `json:"sort,omitempty"`
	Columns []string         `json:"columns,omitempty"` // as the page names them; none = the usual ones
}

const (
	maxViews   = 200 // of one member
	maxColumns = 40
)

func viewField(id string) string { return "lead_views|" + id }

// Views lists a member's views and those that are shared, by name.
func (s *Leads) Views(ctx context.Context, c db.Conn, org account.OrgID, member account.MemberID) ([]*View, error) {
	all, err := s.views(ctx, c, org, `(member = $2 OR shared = 1)`, member)
	slices.SortFunc(all, func(a, b *View) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all, err
}

func (s *Leads) views(ctx context.Context, c db.Conn, org account.OrgID, which string, args ...any) ([]*View, error) {
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (*View, error) {
		var v View
		var sealed []byte
		var shared int
		var ms int64
		if err := r.Scan(&v.ID, &v.Member, &shared, &sealed, &v.Rev, &ms); err != nil {
			return nil, err
		}
		v.Shared, v.Changed = shared == 1, at(ms)
		plain, err := k.Open(viewField(v.ID), sealed)
		if err != nil {
			return nil, err
		}
		return &v, json.Unmarshal(plain, &v)
	}, `SELECT lead_view, member, shared, sealed, rev, changed_ms FROM lead_views WHERE org_id = $1 AND `+which, append([]any{org}, args...)...)
}

// View gives one view that a member may use.
func (s *Leads) View(ctx context.Context, c db.Conn, org account.OrgID, member account.MemberID, view string) (*View, error) {
	found, err := s.views(ctx, c, org, `lead_view = $2 AND (member = $3 OR shared = 1)`, view, member)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "There is no view %q here.", view)
	}
	return found[0], nil
}

// SaveView keeps a view for a member, who alone can change it. v.Rev is the one that the member saw.
func (s *Leads) SaveView(ctx context.Context, tx *db.Tx, org account.OrgID, member account.MemberID, v View) (*View, error) {
	var err error
	if v.Name, err = title("name", v.Name); err != nil {
		return nil, err
	}
	if err := freetext.Check("name", v.Name); err != nil {
		return nil, err
	}
	if v.Sort != "" {
		if _, _, err := v.Sort.expression(); err != nil {
			return nil, err
		}
	}
	if len(v.Columns) > maxColumns {
		return nil, fault.Field("columns", "A view has %d columns; at most %d fit.", len(v.Columns), maxColumns)
	}
	mine, err := s.views(ctx, tx, org, `member = $2`, member)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(mine, func(o *View) bool { return o.ID != v.ID && strings.EqualFold(o.Name, v.Name) }) {
		return nil, fault.Field("name", "You have a view %q already. Choose another name.", v.Name)
	}
	if v.ID == "" {
		if len(mine) >= maxViews {
			return nil, fault.New(fault.Invalid, "You have %d views, and no more fit. Delete one that you do not use.", maxViews)
		}
		v.ID, v.Rev = id.New("viw"), 0
	} else if i := slices.IndexFunc(mine, func(o *View) bool { return o.ID == v.ID }); i < 0 {
		return nil, fault.New(fault.NotFound, "You have no view %q. A view that a colleague shares is changed by them; save a copy of your own.", v.ID)
	} else if mine[i].Rev != v.Rev {
		return nil, fault.New(fault.Conflict, "This view was changed in another window since you opened it. Nothing was saved. Open it again.")
	}
	v.Member, v.Rev, v.Changed = member, v.Rev+1, s.d.Now()
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO lead_views (org_id, lead_view, member, shared, sealed, rev, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, lead_view) DO UPDATE SET shared = excluded.shared, sealed = excluded.sealed, rev = excluded.rev, changed_ms = excluded.changed_ms`,
		org, v.ID, member, flag(v.Shared), k.Seal(viewField(v.ID), plain), v.Rev, millis(v.Changed))
	return &v, err
}

// DropView removes one of a member's views.
func (s *Leads) DropView(ctx context.Context, tx *db.Tx, org account.OrgID, member account.MemberID, view string) error {
	n, err := tx.Exec(ctx, `DELETE FROM lead_views WHERE org_id = $1 AND lead_view = $2 AND member = $3`, org, view, member)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "You have no view %q.", view)
	}
	return err
}
