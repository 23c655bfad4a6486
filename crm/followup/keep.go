package followup

import (
	"context"
	"encoding/json"
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

// Keepers are what retention asks of follow-ups, in the order in which it is to ask: words before what they are of. The period
// counts from the last moment at which anything happened with a follow-up or its contact, and for what is to be done later from
// then; the longest period of all from when it was made.
func (s *FollowUps) Keepers() []retain.Keeper {
	keeper := func(name, category, which string, remove func(context.Context, *db.Tx, account.OrgID, []ID) error) retain.Keeper {
		k := retain.Keeper{Name: name, Category: category, Events: []policy.Event{policy.LastActivity, policy.Created}}
		k.Count = func(ctx context.Context, org account.OrgID) (n int64, err error) {
			return n, s.d.DB.Row(ctx, `SELECT count(*) FROM follow_ups WHERE org_id = $1 AND `+which, org).Scan(&n)
		}
		k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
			return s.idle(ctx, s.d.DB, org, cut, which)
		}
		k.Remove = func(ctx context.Context, org account.OrgID, o retain.Order) (int64, error) {
			return o.Rows(), s.d.DB.Tx(ctx, func(tx *db.Tx) error {
				ids, err := s.settled(ctx, tx, org, o, which)
				if err != nil {
					return err
				}
				return remove(ctx, tx, org, ids)
			})
		}
		// The key of the contact is the contact's to destroy.
		k.Forget = func(context.Context, account.OrgID, []subject.Ref) error { return nil }
		return k
	}
	notes, rows := keeper("words of follow-ups", CategoryNote, "sealed IS NOT NULL", strip), keeper("follow-ups", Category, "1 = 1", remove)
	notes.Bundle, notes.Return = s.bundleWords, s.returnWords
	rows.Bundle, rows.Return = s.bundle, s.giveBack
	return []retain.Keeper{notes, rows}
}

// Expiring are rows that end by age: what members were told, and calendars of members who left.
func Expiring() []expire.Table {
	return []expire.Table{
		{Name: "notices", Category: categoryMember, Part: "notices", From: "created", Days: 90, Routine: true,
			Count:  `SELECT count(*) FROM notices WHERE org_id = $1`,
			Due:    `SELECT notice, 'member/' || member, at_ms, 1, 0 FROM notices WHERE org_id = $1 AND at_ms < $2`,
			Remove: `DELETE FROM notices WHERE org_id = $1 AND at_ms < $2 AND notice = $3`},
		{Name: "calendar links", Category: categoryAccount, From: "account_closed",
			Count: `SELECT count(*) FROM calendar_feeds WHERE org_id = $1`,
			Due: `SELECT f.member, 'member/' || f.member, m.left_ms, 1, 0 FROM calendar_feeds f JOIN members m ON m.org_id = f.org_id AND m.id = f.member
				WHERE f.org_id = $1 AND m.active = 0 AND m.left_ms > 0 AND m.left_ms < $2`,
			Remove: `DELETE FROM calendar_feeds WHERE org_id = $1 AND member IN (SELECT id FROM members WHERE org_id = $1 AND active = 0 AND left_ms > 0 AND left_ms < $2) AND member = $3`},
	}
}

// idle lists the follow-ups that are due by a cut. which is a further condition.
func (s *FollowUps) idle(ctx context.Context, c db.Conn, org account.OrgID, cut retain.Cut, which string) ([]retain.Item, error) {
	old := `changed_ms < $2 AND at_ms < $2`
	if cut.From == policy.Created {
		old = `made_ms < $2`
	}
	all, err := db.Select(ctx, c, s.scan(ctx, org), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND `+old+` AND `+which+` ORDER BY follow_up`, org, millis(cut.Before))
	if err != nil {
		return nil, err
	}
	who := map[contact.ID]*contact.Contact{}
	if cut.From != policy.Created {
		ids := make([]contact.ID, len(all))
		for i, f := range all {
			ids[i] = f.Contact
		}
		if who, err = s.d.Contacts.Load(ctx, c, org, ids...); err != nil {
			return nil, err
		}
	}
	var out []retain.Item
	for _, f := range all {
		at := f.Made
		if cut.From != policy.Created {
			at = later(f.Changed, f.At)
		}
		if one := who[f.Contact]; one != nil {
			at = later(at, one.Last)
		}
		if at.Before(cut.Before) {
			out = append(out, retain.Item{Key: string(f.ID), Who: []subject.Ref{subject.OfContact(f.Subject)}, At: at, Rows: 1})
		}
	}
	return out, nil
}

// settled refuses, as a Conflict, when something happened with what an order is about.
func (s *FollowUps) settled(ctx context.Context, tx *db.Tx, org account.OrgID, o retain.Order, which string) ([]ID, error) {
	if err := o.Gate(ctx, tx); err != nil {
		return nil, err
	}
	due, err := s.idle(ctx, tx, org, o.Cut, which)
	if err != nil {
		return nil, err
	}
	now := make(map[string]time.Time, len(due))
	for _, i := range due {
		now[i.Key] = i.At
	}
	ids := make([]ID, len(o.Items))
	for i, x := range o.Items {
		if at, ok := now[x.Key]; !ok || !at.Equal(x.At) {
			return nil, fault.New(fault.Conflict, "Something happened with follow-ups meanwhile, so nothing was removed.")
		}
		ids[i] = ID(x.Key)
	}
	return ids, nil
}

func (s *FollowUps) bundleWords(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
	found, err := s.Load(ctx, s.d.DB, org, ID(item.Key))
	var w words
	if f := found[ID(item.Key)]; f != nil {
		w = words{f.Text, f.Result}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// returnWords brings words back from the archive. A follow-up that is not there any more, or has new ones, keeps what it has.
func (s *FollowUps) returnWords(ctx context.Context, org account.OrgID, key string, bundle []byte) error {
	var w words
	if err := json.Unmarshal(bundle, &w); err != nil {
		return err
	}
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		f, err := s.locked(ctx, tx, org, ID(key))
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil || f.Text != "" || f.Result != "" {
			return err
		}
		f.Text, f.Result = w.Text, w.Result
		return s.put(ctx, tx, org, f)
	})
}

// archived is a follow-up in the archive.
type archived struct {
	FollowUp *FollowUp `json:"follow_up"`
	Minute   int       `json:"minute"`
	Events   []past    `json:"events"`
}

// past is an event as it is stored.
type past struct {
	Event
	Was string `json:"was"`
}

func (s *FollowUps) bundle(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
	id := ID(item.Key)
	found, err := s.Load(ctx, s.d.DB, org, id)
	if err != nil || found[id] == nil {
		return []byte(`{}`), err
	}
	events, err := s.History(ctx, s.d.DB, org, id)
	if err != nil {
		return nil, err
	}
	a := archived{FollowUp: found[id], Minute: found[id].minute}
	for _, e := range events {
		a.Events = append(a.Events, past{e, e.was})
	}
	return json.Marshal(a)
}

// giveBack brings a follow-up back from the archive. Nobody is reminded of it.
func (s *FollowUps) giveBack(ctx context.Context, org account.OrgID, _ string, bundle []byte) error {
	var a archived
	if err := json.Unmarshal(bundle, &a); err != nil || a.FollowUp == nil {
		return err
	}
	f := a.FollowUp
	f.minute = a.Minute
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		there, err := s.Load(ctx, tx, org, f.ID)
		if err != nil || there[f.ID] != nil {
			return err
		}
		if err := s.put(ctx, tx, org, f); err != nil {
			return err
		}
		for _, e := range a.Events {
			e.was = e.Was
			if err := putEvent(ctx, tx, org, f, &e.Event); err != nil {
				return err
			}
		}
		return s.setDue(ctx, tx, org, f.Lead)
	})
}

// ActiveSince gives the contacts with whom something was, or is, to be done since a moment.
func (s *FollowUps) ActiveSince(ctx context.Context, c db.Conn, org account.OrgID, since time.Time) ([]contact.ID, error) {
	return db.Select(ctx, c, func(r db.Scanner) (x contact.ID, err error) { return x, r.Scan(&x) },
		`SELECT DISTINCT contact FROM follow_ups WHERE org_id = $1 AND (changed_ms >= $2 OR at_ms >= $2)`, org, millis(since))
}
