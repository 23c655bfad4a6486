package ingest

import (
	"context"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/trust/hold"
)

// unit is one group of writes in one transaction: the agent-days it touches, as they were and as they will be.
type unit struct {
	w         *Writer
	tx        *db.Tx
	houses    map[account.OrgID]*house
	days      map[dayKey]*agentDay
	gens      map[orgDay]int64
	names     map[nameKey]loggedName
	changes   map[account.OrgID]*Changes // for whoever watches
	committed []func()
	load      func(ctx context.Context, h *house, k dayKey) (*agentDay, error)
	rehearses bool // nothing is written

	rollRows []roll.Row // scratch
}

type dayKey struct {
	org   account.OrgID
	day   civil.Day
	agent account.AgentNo
}

type nameKey struct {
	org account.OrgID
	num number.ID
}

// loggedName is a contact name and the start of the call it was logged with, in Unix milliseconds.
type loggedName struct {
	text string
	at   int64
}

func newUnit(w *Writer, tx *db.Tx) *unit {
	u := &unit{w: w, tx: tx}
	u.load = u.loadDay
	u.restart()
	return u
}

// restart forgets what was read and is written.
func (u *unit) restart() {
	u.houses, u.days = map[account.OrgID]*house{}, map[dayKey]*agentDay{}
	u.gens, u.names, u.changes = map[orgDay]int64{}, map[nameKey]loggedName{}, map[account.OrgID]*Changes{}
}

// put stores calls. taken is of the import that brings them, nil for a phone's.
func (u *unit) put(ctx context.Context, org *account.Org, items []Item, taken *claims) ([]Answer, error) {
	h, err := u.enter(ctx, org)
	if err != nil {
		return nil, err
	}
	answers, wanted := screen(items, h, u.w.now())
	ids, committed, err := u.w.book.Resolve(ctx, u.tx, org.ID, wanted)
	if err != nil {
		return nil, err
	}
	u.committed = append(u.committed, committed)
	h.excluded.Learn(ids)
	return answers, u.mergeAll(ctx, h, items, answers, func(canonical string) number.ID { return ids[canonical] }, taken)
}

// mergeAll answers the items that have no answer yet.
func (u *unit) mergeAll(ctx context.Context, h *house, items []Item, answers []Answer, idOf func(canonical string) number.ID, taken *claims) (err error) {
	for i := range items {
		if answers[i].State != 0 {
			continue
		}
		if answers[i], err = u.merge(ctx, h, &items[i], idOf(items[i].Number), taken); err != nil {
			return err
		}
	}
	return nil
}

// merge decides what a call is to those already kept: the same one, a changed one, or a new one.
func (u *unit) merge(ctx context.Context, h *house, it *Item, n number.ID, taken *claims) (Answer, error) {
	r := u.row(h, it, n)
	d, err := u.day(ctx, h, r.Day, r.Agent)
	if err != nil {
		return Answer{}, err
	}
	if i, ok := d.find(&r.Key); ok {
		taken.take(&r.Key, r.Start)
		return u.mergeSame(ctx, d, i, &r, it)
	}
	if i, ok := d.byRef(&r); ok { // the device corrected its own call
		return u.replace(ctx, d, i, d, &r, it)
	}
	from, i, err := u.nearby(ctx, d, &r, taken)
	if err != nil {
		return Answer{}, err
	}
	if from != nil {
		old := &from.rows[i]
		if r.Ref >= 0 && old.Ref < 0 { // a phone confirms what a file brought: the phone's own row stands
			return u.replace(ctx, from, i, d, &r, it)
		}
		taken.take(&old.Key, r.Start)
		return Answer{State: Known, Key: old.Key}, nil
	}
	d.insert(&r)
	return Answer{State: New, Key: r.Key}, u.extras(ctx, h.id, &r, it)
}

// nearby finds the same call as another source tells it. Within two seconds of midnight it may lie on the other day. The
// day is nil when there is none.
func (u *unit) nearby(ctx context.Context, d *agentDay, r *call.Row, taken *claims) (*agentDay, int, error) {
	if i, ok := d.nearby(r, taken); ok {
		return d, i, nil
	}
	other := r.Day
	switch {
	case r.Start-d.bounds.from <= nearMillis:
		other--
	case d.bounds.to-r.Start <= nearMillis:
		other++
	default:
		return nil, 0, nil
	}
	o, err := u.day(ctx, d.house, other, r.Agent)
	if err != nil {
		return nil, 0, err
	}
	if i, ok := o.nearby(r, taken); ok {
		return o, i, nil
	}
	return nil, 0, nil
}

// mergeSame handles a call whose natural key is kept already. Files never change what is there; phones do.
func (u *unit) mergeSame(ctx context.Context, d *agentDay, i int, r *call.Row, it *Item) (Answer, error) {
	old := &d.rows[i]
	if old.Presentation == call.PresentationErased { // what is left of an erased person's call stands for this one, too
		return Answer{State: Known, Key: old.Key}, nil
	}
	same := old.Type == r.Type && old.Seconds == r.Seconds && old.Presentation == r.Presentation
	takesOver := r.Ref >= 0 && old.Ref < 0
	if r.Ref < 0 || same && !takesOver {
		return Answer{State: Known, Key: old.Key}, nil
	}
	d.overwrite(i, r)
	state := Changed
	if same {
		state = Known
	}
	return Answer{State: state, Key: r.Key}, u.extras(ctx, d.house.id, r, it)
}

// replace puts r in the place of row i of from, on the same day or another, and carries note and tags along.
func (u *unit) replace(ctx context.Context, from *agentDay, i int, to *agentDay, r *call.Row, it *Item) (Answer, error) {
	if err := u.move(ctx, from, i, to, r); err != nil {
		return Answer{}, err
	}
	return Answer{State: Changed, Key: r.Key}, u.extras(ctx, to.house.id, r, it)
}

func (u *unit) move(ctx context.Context, from *agentDay, i int, to *agentDay, r *call.Row) error {
	if err := call.Move(ctx, u.tx, u.w.keys, from.house.id, from.rows[i].Key, r.Key); err != nil {
		return err
	}
	from.remove(i)
	to.insert(r)
	return nil
}

// extras keeps what comes with a call beside its row: contact name, note, tags.
func (u *unit) extras(ctx context.Context, org account.OrgID, r *call.Row, it *Item) error {
	if u.rehearses {
		return nil
	}
	if it.Name != "" && r.Number != number.Withheld {
		k := nameKey{org, r.Number}
		if had, ok := u.names[k]; !ok || had.at <= r.Start { // the latest name of the unit is written at its end
			u.names[k] = loggedName{it.Name, r.Start}
		}
	}
	if it.Note != "" {
		keys, err := u.w.keys.Org(ctx, int64(org))
		if err != nil {
			return err
		}
		if err := call.WriteNote(ctx, u.tx, keys, org, r.Key, it.Note, "", r.Synced*1000); err != nil {
			return err
		}
	}
	if len(it.Tags) == 0 {
		return nil
	}
	return call.WriteTags(ctx, u.tx, org, r.Key, it.Tags)
}

// delete removes a call and tells whether it was there. With a ref that is not 0 it must be the call's.
func (u *unit) delete(ctx context.Context, org *account.Org, k call.Key, ref int64) (bool, error) {
	h, err := u.enter(ctx, org)
	if err != nil {
		return false, err
	}
	d, err := u.day(ctx, h, k.Day, k.Agent)
	if err != nil {
		return false, err
	}
	i, ok := d.find(&k)
	if ok && ref != 0 && d.rows[i].Ref != ref {
		return false, nil
	}
	if ok {
		d.remove(i)
	}
	return ok, nil
}

func (u *unit) correct(ctx context.Context, org *account.Org, k call.Key, it Item) (Answer, error) {
	if err := it.check(u.w.now()); err != nil {
		return Answer{State: Refused, Reason: err.Error()}, nil
	}
	h, err := u.enter(ctx, org)
	if err != nil {
		return Answer{}, err
	}
	from, err := u.day(ctx, h, k.Day, k.Agent)
	if err != nil {
		return Answer{}, err
	}
	i, ok := from.find(&k)
	if !ok {
		return Answer{State: Refused, Reason: "There is no such call here; it may have been deleted."}, nil
	}
	if from.rows[i].Presentation == call.PresentationErased {
		return Answer{State: Erased}, nil
	}
	if dropped := h.excluded.Drops(it.Number); dropped || h.erased(&it) {
		if err := u.w.trust.Gate.Ask(ctx, u.tx, org.ID, hold.CallDelete, call.CategoryCall, k); err != nil {
			return Answer{}, err
		}
		from.remove(i)
		if dropped {
			return Answer{State: Excluded}, nil
		}
		return Answer{State: Erased}, nil
	}
	ids, committed, err := u.w.book.Resolve(ctx, u.tx, org.ID, []string{it.Number})
	if err != nil {
		return Answer{}, err
	}
	u.committed = append(u.committed, committed)
	h.excluded.Learn(ids)
	if it.Ref == 0 {
		it.Ref = from.rows[i].Ref
	}
	r := u.row(h, &it, ids[it.Number])
	if r.Key == k {
		from.overwrite(i, &r)
		return Answer{State: Changed, Key: k}, u.extras(ctx, org.ID, &r, &it)
	}
	to, err := u.day(ctx, h, r.Day, r.Agent)
	if err != nil {
		return Answer{}, err
	}
	if r.Number != k.Number { // a call with one person becomes one with another
		if err := u.w.trust.Gate.Ask(ctx, u.tx, org.ID, hold.CallDelete, call.CategoryCall, k); err != nil {
			return Answer{}, err
		}
	}
	if _, taken := to.find(&r.Key); taken {
		return Answer{State: Refused, Reason: "Another call with the same line, number, direction and start is kept already. Delete one of the two."}, nil
	}
	return u.replace(ctx, from, i, to, &r, &it)
}
