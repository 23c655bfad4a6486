package attach

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
)

// Waiting is a missed caller who waits to be called back, on whatever line and by whomever they were missed.
type Waiting struct {
	Person   stats.Person
	Callback callback.Callback // what was agreed about it; the zero value when nothing was
	Contact  contact.ID        // "" = nobody we know
	Lead     lead.ID           // the open lead of the contact; "" = none
	Owner    account.MemberID  // whose contact it is; "" = nobody's
	// Target is how much working time there was to call back, Left what is left of it: negative when the target is broken.
	Target, Left time.Duration
}

// Broken tells whether the caller has waited longer than the organisation wants.
func (w *Waiting) Broken() bool { return w.Left < 0 }

// waitingDays is how many days back missed callers are looked for.
const waitingDays civil.Day = 14

// Recovery lists the missed callers of the last 14 days who still wait, the longest wait first: of all lines and colleagues,
// as far as the contact belongs to somebody within sight. Callers whom nobody knows are for whoever sees contacts without an
// owner. A caller who was reached by anybody, on any line, or called again and was answered, waits no more; nor does one of
// whom somebody said that no call is needed.
func (a *Attach) Recovery(ctx context.Context, org *account.Org, sight contact.Sight, now time.Time) ([]Waiting, error) {
	agreed, err := a.Callbacks.All(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	today := civil.Today(now, org.Location())
	q := stats.PeopleQuery{
		Query: stats.Query{From: today - waitingDays, To: today + 1, Until: today + 1}, List: stats.ListMissed,
		States: []stats.Recovery{stats.Open, stats.Attempted}, Settled: callback.HandledAt(agreed), Sort: stats.SortWaiting,
	}
	var all []stats.Person
	if err := a.Reporter.EachPerson(ctx, org, q, func(p *stats.Person) error {
		all = append(all, *p)
		return nil
	}); err != nil || len(all) == 0 {
		return nil, err
	}
	var out []Waiting
	err = a.DB.Read(ctx, func(tx *db.Tx) error {
		s, err := a.FollowUps.Settings(ctx, tx, org.ID)
		if err != nil {
			return err
		}
		out, err = a.waiting(ctx, tx, org, sight, all, agreed, time.Duration(s.Recovery)*time.Minute)
		return err
	})
	return out, err
}

// waiting says whose missed callers are.
func (a *Attach) waiting(ctx context.Context, tx *db.Tx, org *account.Org, sight contact.Sight, all []stats.Person, agreed map[number.ID]callback.Callback, target time.Duration) ([]Waiting, error) {
	keys := make([]call.Key, len(all))
	for i := range all {
		keys[i] = call.Key{Agent: all[i].MissedBy, Number: all[i].ID}
	}
	matches, err := a.attachAll(ctx, tx, org.ID, keys)
	if err != nil {
		return nil, err
	}
	var ids []contact.ID
	for _, m := range matches {
		if m.Contact != "" {
			ids = append(ids, m.Contact)
		}
	}
	slices.Sort(ids)
	contacts, err := a.Contacts.Load(ctx, tx, org.ID, slices.Compact(ids)...)
	if err != nil {
		return nil, err
	}
	var out []Waiting
	for i, p := range all {
		m := matches[keys[i]]
		w := Waiting{Person: p, Callback: agreed[p.ID], Contact: m.Contact, Lead: m.Lead, Target: target, Left: target - p.WaitingBusiness}
		if c := contacts[m.Contact]; c != nil {
			w.Owner = c.Owner
		}
		if sight.Sees(w.Owner) {
			out = append(out, w)
		}
	}
	return out, nil
}
