package lead

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

// Keepers are what retention asks of leads, in the order in which it is to ask: tags before the leads that they are on. The
// period of a lead, open or closed, counts from the last moment at which anything happened with it or with its contact; the
// longest period of all from when it was made.
func (s *Leads) Keepers() []retain.Keeper { return []retain.Keeper{s.tagKeeper(), s.leadKeeper()} }

// Expiring are rows that end by age: of changes of many leads, by what they could be taken back, and saved views of members
// who left.
func Expiring() []expire.Table {
	const left = `(SELECT id FROM members WHERE org_id = $1 AND active = 0 AND left_ms > 0 AND left_ms < $2)`
	return []expire.Table{
		{Name: "changes of many leads", Category: Category, Part: "bulk", From: "created", Days: 30, Routine: true,
			Count:  `SELECT count(*) FROM lead_bulks WHERE org_id = $1`,
			Due:    `SELECT bulk, '', at_ms, 1, 0 FROM lead_bulks WHERE org_id = $1 AND at_ms < $2`,
			Remove: `DELETE FROM lead_bulks WHERE org_id = $1 AND at_ms < $2 AND bulk = $3`},
		{Name: "saved views of leads", Category: categoryMember, From: "account_closed",
			Count: `SELECT count(*) FROM lead_views WHERE org_id = $1`,
			Due: `SELECT v.lead_view, 'member/' || v.member, m.left_ms, 1, 0 FROM lead_views v JOIN members m ON m.org_id = v.org_id AND m.id = v.member
				WHERE v.org_id = $1 AND m.active = 0 AND m.left_ms > 0 AND m.left_ms < $2`,
			Remove: `DELETE FROM lead_views WHERE org_id = $1 AND member IN ` + left + ` AND lead_view = $3`},
	}
}

// activity is a lead's last moment as queries reckon it, see Lead.Activity.
const activity = `CASE WHEN last_ms > changed_ms AND last_ms > closed_ms THEN last_ms WHEN closed_ms > changed_ms THEN closed_ms ELSE changed_ms END`

// idle lists the leads that are due by a cut, each with the moment that its period counts from: the last at which something
// happened with the lead or its contact, or the one at which it was made. which is a further condition.
func (s *Leads) idle(ctx context.Context, c db.Conn, org account.OrgID, cut retain.Cut, which string) ([]*Lead, map[ID]time.Time, error) {
	from := activity
	if cut.From == policy.Created {
		from = "made_ms"
	}
	leads, err := db.Select(ctx, c, s.scan(ctx, org), `SELECT `+columns+` FROM leads WHERE org_id = $1 AND `+which+` AND `+from+` < $2 ORDER BY lead`, org, millis(cut.Before))
	if err != nil {
		return nil, nil, err
	}
	last := make(map[ID]time.Time, len(leads))
	var idle []*Lead
	for part := range slices.Chunk(leads, 1000) {
		who := map[contact.ID]*contact.Contact{}
		if cut.From != policy.Created {
			ids := make([]contact.ID, len(part))
			for i, l := range part {
				ids[i] = l.Contact
			}
			if who, err = s.d.Contacts.Load(ctx, c, org, ids...); err != nil {
				return nil, nil, err
			}
		}
		for _, l := range part {
			at := l.Made
			if cut.From != policy.Created {
				at = l.Activity()
			}
			if x := who[l.Contact]; x != nil {
				at = later(at, x.Last)
			}
			if at.Before(cut.Before) {
				idle = append(idle, l)
				last[l.ID] = at
			}
		}
	}
	return idle, last, nil
}

// due is idle as retention wants it.
func (s *Leads) due(ctx context.Context, org account.OrgID, cut retain.Cut, which string, rows func(*Lead) int64) ([]retain.Item, error) {
	leads, last, err := s.idle(ctx, s.d.DB, org, cut, which)
	out := make([]retain.Item, len(leads))
	for i, l := range leads {
		out[i] = retain.Item{Key: string(l.ID), Who: []subject.Ref{subject.OfContact(l.Subject)}, At: last[l.ID], Rows: rows(l)}
	}
	return out, err
}

// settled refuses, as a Conflict, when something happened with what an order is about.
func (s *Leads) settled(ctx context.Context, tx *db.Tx, org account.OrgID, o retain.Order, which string, rows func(*Lead) int64) ([]ID, error) {
	if err := o.Gate(ctx, tx); err != nil {
		return nil, err
	}
	leads, last, err := s.idle(ctx, tx, org, o.Cut, which)
	if err != nil {
		return nil, err
	}
	now := make(map[string]*Lead, len(leads))
	for _, l := range leads {
		now[string(l.ID)] = l
	}
	ids := make([]ID, len(o.Items))
	for i, x := range o.Items {
		l := now[x.Key]
		if l == nil || rows(l) != x.Rows || !last[l.ID].Equal(x.At) {
			return nil, fault.New(fault.Conflict, "Something happened with leads meanwhile, so nothing was removed.")
		}
		ids[i] = l.ID
	}
	return ids, nil
}

// single counts a lead as one row.
func single(*Lead) int64 { return 1 }

func (s *Leads) leadKeeper() retain.Keeper {
	k := retain.Keeper{Name: "leads", Category: Category, Events: []policy.Event{policy.LastActivity, policy.Created}}
	k.Count = s.counting(`SELECT count(*) FROM leads WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		return s.due(ctx, org, cut, `1 = 1`, single)
	}
	k.Remove = func(ctx context.Context, org account.OrgID, o retain.Order) (n int64, err error) {
		return n, s.d.DB.Tx(ctx, func(tx *db.Tx) error {
			ids, err := s.settled(ctx, tx, org, o, `1 = 1`, single)
			if err != nil {
				return err
			}
			n, err = s.remove(ctx, tx, org, ids)
			return err
		})
	}
	k.Bundle = s.bundle
	k.Return = s.giveBack
	// The key of the contact is the contact's to destroy.
	k.Forget = func(context.Context, account.OrgID, []subject.Ref) error { return nil }
	return k
}

func (s *Leads) tagKeeper() retain.Keeper {
	const tagged = `tags IS NOT NULL`
	rows := func(l *Lead) int64 { return int64(len(l.Tags)) }
	k := retain.Keeper{Name: "tags on leads", Category: CategoryTags, Events: []policy.Event{policy.LastActivity, policy.Created}}
	k.Count = s.counting(`SELECT count(*) FROM lead_tags WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		return s.due(ctx, org, cut, tagged, rows)
	}
	k.Remove = func(ctx context.Context, org account.OrgID, o retain.Order) (int64, error) {
		return o.Rows(), s.d.DB.Tx(ctx, func(tx *db.Tx) error {
			ids, err := s.settled(ctx, tx, org, o, tagged, rows)
			if err != nil {
				return err
			}
			return s.stripTags(ctx, tx, org, ids)
		})
	}
	k.Bundle = func(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
		found, err := s.Load(ctx, s.d.DB, org, ID(item.Key))
		if err != nil {
			return nil, err
		}
		if l := found[ID(item.Key)]; l != nil {
			return json.Marshal(l.Tags)
		}
		return []byte(`[]`), nil
	}
	k.Return = func(ctx context.Context, org account.OrgID, key string, bundle []byte) error {
		var tags []string
		if err := json.Unmarshal(bundle, &tags); err != nil {
			return err
		}
		return s.d.DB.Tx(ctx, func(tx *db.Tx) error { return s.retag(ctx, tx, org, ID(key), tags) })
	}
	k.Forget = func(context.Context, account.OrgID, []subject.Ref) error { return nil }
	return k
}

// retag gives a lead tags back without a word in the history. A lead that is not there any more has none.
func (s *Leads) retag(ctx context.Context, tx *db.Tx, org account.OrgID, id ID, tags []string) error {
	l, err := s.locked(ctx, tx, org, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	if l.Tags, err = cleanTags(append(l.Tags, tags...)); err != nil {
		return err
	}
	if err := update(ctx, tx, k, org, l); err != nil {
		return err
	}
	return putTags(ctx, tx, k, org, l)
}

func (s *Leads) counting(query string) func(ctx context.Context, org account.OrgID) (int64, error) {
	return func(ctx context.Context, org account.OrgID) (n int64, err error) {
		return n, s.d.DB.Row(ctx, query, org).Scan(&n)
	}
}

// archived is a lead in the archive.
type archived struct {
	Lead   *Lead   `json:"lead"`
	Rank   []byte  `json:"rank"`
	Events []Event `json:"events"`
}

func (s *Leads) bundle(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
	id := ID(item.Key)
	found, err := s.Load(ctx, s.d.DB, org, id)
	if err != nil || found[id] == nil {
		return []byte(`{}`), err
	}
	events, err := s.Histories(ctx, s.d.DB, org, id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(archived{found[id], found[id].rank, events})
}

// giveBack brings a lead back from the archive.
func (s *Leads) giveBack(ctx context.Context, org account.OrgID, _ string, bundle []byte) error {
	var a archived
	if err := json.Unmarshal(bundle, &a); err != nil || a.Lead == nil {
		return err
	}
	l := a.Lead
	l.rank = a.Rank
	k, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		_, there, err := db.One(ctx, tx, scanID, `SELECT lead FROM leads WHERE org_id = $1 AND lead = $2`, org, l.ID)
		if err != nil || there {
			return err
		}
		if err := insert(ctx, tx, k, org, []*Lead{l}); err != nil {
			return err
		}
		if err := s.own(ctx, tx, org, l); err != nil {
			return err
		}
		for _, e := range a.Events {
			then := *l
			then.Rev = e.Rev
			if err := recordAt(ctx, tx, k, org, e.At, e.By, e.Bulk, []event{{lead: &then, Event: e}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ActiveSince gives the contacts whose leads something happened with since a moment.
func (s *Leads) ActiveSince(ctx context.Context, c db.Conn, org account.OrgID, since time.Time) ([]contact.ID, error) {
	return db.Select(ctx, c, func(r db.Scanner) (x contact.ID, err error) { return x, r.Scan(&x) },
		`SELECT DISTINCT contact FROM leads WHERE org_id = $1 AND `+activity+` >= $2`, org, millis(since))
}
