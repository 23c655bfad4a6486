package person

import (
	"context"
	"encoding/json"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/trust/policy"
	"parley/trust/retain"
)

const oldCalls = `SELECT day, agent, num, count(*) FROM calls WHERE org_id = $1 AND day < $2 GROUP BY day, agent, num`

// calls keeps the calls. Those of somebody with whom nothing happened for long lose their number and stay as nobody's, so
// that figures do not change; those that are too old altogether are deleted.
func (p *Persons) calls() retain.Keeper {
	k := retain.Keeper{Name: "calls", Category: call.CategoryCall, Events: []policy.Event{policy.LastActivity, policy.Created}, Forget: p.forget}
	k.Count = p.counted(`SELECT count(*) FROM calls WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		if cut.From == policy.Created {
			return p.dueOld(ctx, org, cut, oldCalls)
		}
		return p.dueIdle(ctx, org, cut, nil)
	}
	k.Remove = p.removeCalls
	k.Bundles = p.bundleCalls
	k.Bundle = single(p.bundleCalls)
	k.Return = func(ctx context.Context, id account.OrgID, _ string, bundle []byte) error {
		var rows []call.Row
		if err := json.Unmarshal(bundle, &rows); err != nil {
			return err
		}
		org, err := p.Accounts.Org(ctx, id)
		if err != nil {
			return err
		}
		return p.Writer.PutBack(ctx, org, rows)
	}
	return k
}

// bundleCalls copies the calls of persons.
func (p *Persons) bundleCalls(ctx context.Context, org account.OrgID, items []retain.Item, each func(retain.Item, []byte) error) error {
	_, numbers, err := readKeys(items)
	if err != nil {
		return err
	}
	rows := make(map[number.ID][]call.Row, len(numbers))
	if err := p.Writer.EachOfAll(ctx, org, numbers, func(r *call.Row) error {
		rows[r.Number] = append(rows[r.Number], *r)
		return nil
	}); err != nil {
		return err
	}
	return encoded(items, func(n number.ID) []call.Row { return rows[n] }, each)
}

func (p *Persons) removeCalls(ctx context.Context, id account.OrgID, o retain.Order) (int64, error) {
	if o.From == policy.Created {
		return p.dropCalls(ctx, id, o)
	}
	todo, err := p.settled(ctx, id, o, p.calls().Due)
	if err != nil {
		return 0, err
	}
	if _, err := p.Writer.EndTaking(ctx, p.Devices, todo.org); err != nil { // of a run that was broken off
		return 0, err
	}
	cut := civil.DayOf(o.Before, todo.org.Location())
	if err := todo.each(todo.Items, func(numbers []number.ID, first func(context.Context, *db.Tx) error) error {
		return p.Writer.BeginTaking(ctx, p.Devices, todo.org, numbers, cut, first)
	}); err != nil {
		return 0, err
	}
	return p.Writer.EndTaking(ctx, p.Devices, todo.org)
}

// dropCalls deletes calls that are too old altogether.
func (p *Persons) dropCalls(ctx context.Context, id account.OrgID, o retain.Order) (int64, error) {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return 0, err
	}
	bundles, _, err := readKeys(o.Items)
	if err != nil {
		return 0, err
	}
	now, err := p.calls().Due(ctx, id, o.Cut)
	if err != nil {
		return 0, err
	}
	if len(unchanged(now, o.Items)) < len(o.Items) {
		return 0, changed()
	}
	return p.Writer.Drop(ctx, org, bundles, func(ctx context.Context, tx *db.Tx) error { return o.Gate(ctx, tx) })
}

// callbacks keeps what was agreed about calling people back.
func (p *Persons) callbacks() retain.Keeper {
	have := grouped(`SELECT num, 1 FROM callbacks WHERE org_id = $1`)
	k := retain.Keeper{Name: "call-backs", Category: call.CategoryCall, Events: []policy.Event{policy.LastActivity}, Forget: p.forget}
	k.Count = p.counted(`SELECT count(*) FROM callbacks WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		return p.dueIdle(ctx, org, cut, have)
	}
	k.Remove = func(ctx context.Context, org account.OrgID, o retain.Order) (removed int64, err error) {
		todo, err := p.settled(ctx, org, o, k.Due)
		if err != nil {
			return 0, err
		}
		return removed, todo.each(todo.Items, func(numbers []number.ID, first func(context.Context, *db.Tx) error) error {
			var gone int64
			if err := p.DB.Tx(ctx, func(tx *db.Tx) error {
				if err := first(ctx, tx); err != nil {
					return err
				}
				if gone, err = callback.Remove(ctx, tx, org, numbers...); err == nil && gone != int64(len(numbers)) {
					err = changed()
				}
				return err
			}); err != nil {
				return err
			}
			removed += gone
			return nil
		})
	}
	k.Bundles = func(ctx context.Context, org account.OrgID, items []retain.Item, each func(retain.Item, []byte) error) error {
		_, numbers, err := readKeys(items)
		if err != nil {
			return err
		}
		of, err := p.Callbacks.Of(ctx, org, numbers)
		if err != nil {
			return err
		}
		return encoded(items, func(n number.ID) callback.Callback { return of[n] }, each)
	}
	k.Bundle = single(k.Bundles)
	k.Return = func(ctx context.Context, org account.OrgID, _ string, bundle []byte) error {
		var c callback.Callback
		if err := json.Unmarshal(bundle, &c); err != nil {
			return err
		}
		return p.DB.Tx(ctx, func(tx *db.Tx) error { return p.Callbacks.Put(ctx, tx, org, c) })
	}
	return k
}

// notes keeps notes and tags. Those on calls without number are nobody's, and go by their own age.
func (p *Persons) notes() retain.Keeper {
	have := grouped(`SELECT num, count(*) FROM call_notes WHERE org_id = $1 GROUP BY num`, `SELECT num, count(*) FROM call_tags WHERE org_id = $1 GROUP BY num`,
		`SELECT num, count(*) FROM call_outcomes WHERE org_id = $1 GROUP BY num`)
	k := retain.Keeper{Name: "notes and tags", Category: call.CategoryNote, Events: []policy.Event{policy.LastActivity, policy.Created}, Forget: p.forget}
	k.Count = p.counted(`SELECT count(*) FROM call_notes WHERE org_id = $1`, `SELECT count(*) FROM call_tags WHERE org_id = $1`, `SELECT count(*) FROM call_outcomes WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		const old = ` WHERE org_id = $1 AND day < $2 GROUP BY day, agent, num`
		if cut.From == policy.Created {
			return p.dueOld(ctx, org, cut, `SELECT day, agent, num, count(*) FROM call_notes`+old, `SELECT day, agent, num, count(*) FROM call_tags`+old,
				`SELECT day, agent, num, count(*) FROM call_outcomes`+old)
		}
		const nobodys = ` WHERE org_id = $1 AND day < $2 AND num = 0 GROUP BY day, agent, num`
		out, err := p.dueIdle(ctx, org, cut, have)
		if err != nil {
			return nil, err
		}
		more, err := p.dueOld(ctx, org, cut, `SELECT day, agent, num, count(*) FROM call_notes`+nobodys, `SELECT day, agent, num, count(*) FROM call_tags`+nobodys,
			`SELECT day, agent, num, count(*) FROM call_outcomes`+nobodys)
		return append(out, more...), err
	}
	k.Remove = func(ctx context.Context, org account.OrgID, o retain.Order) (int64, error) {
		now, err := k.Due(ctx, org, o.Cut)
		if err != nil {
			return 0, err
		}
		if len(unchanged(now, o.Items)) < len(o.Items) {
			return 0, changed()
		}
		return p.removeNotes(ctx, org, o)
	}
	k.Bundle = func(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
		b, err := readKey(item.Key)
		if err != nil {
			return nil, err
		}
		written, err := p.Calls.Written(ctx, p.DB, org, b.Day, b.Agent, b.Number)
		if err != nil {
			return nil, err
		}
		return json.Marshal(written)
	}
	k.Return = func(ctx context.Context, org account.OrgID, _ string, bundle []byte) error {
		var written []call.Written
		if err := json.Unmarshal(bundle, &written); err != nil {
			return err
		}
		return p.DB.Tx(ctx, func(tx *db.Tx) error { return p.Calls.Rewrite(ctx, tx, org, written) })
	}
	return k
}

func (p *Persons) removeNotes(ctx context.Context, org account.OrgID, o retain.Order) (removed int64, err error) {
	bundles, _, err := readKeys(o.Items)
	if err != nil {
		return 0, err
	}
	var numbers []number.ID
	return removed, p.DB.Tx(ctx, func(tx *db.Tx) error {
		removed, numbers = 0, numbers[:0]
		if err := o.Gate(ctx, tx); err != nil {
			return err
		}
		for _, b := range bundles {
			if b.Agent == 0 {
				numbers = append(numbers, b.Number)
				continue
			}
			n, err := call.RemoveNotesOf(ctx, tx, org, b.Day, b.Agent, b.Number)
			if err != nil {
				return err
			}
			removed += n
		}
		notes, tags, err := call.RemoveNotes(ctx, tx, org, slices.Clone(numbers))
		if removed += notes + tags; err == nil && removed != o.Rows() {
			err = changed()
		}
		return err
	})
}
