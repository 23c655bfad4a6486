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
	k.Bundle = func(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
		b, err := readKey(item.Key)
		if err != nil {
			return nil, err
		}
		var rows []call.Row
		if err := p.Writer.EachOf(ctx, org, b.Number, func(r *call.Row) error {
			rows = append(rows, *r)
			return nil
		}); err != nil {
			return nil, err
		}
		return json.Marshal(rows)
	}
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

func (p *Persons) removeCalls(ctx context.Context, id account.OrgID, o retain.Order) (int64, error) {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return 0, err
	}
	bundles, numbers, err := readKeys(o.Items)
	if err != nil {
		return 0, err
	}
	now, err := p.calls().Due(ctx, id, o.Cut)
	if err != nil {
		return 0, err
	}
	if err := same(now, o); err != nil {
		return 0, err
	}
	if o.From == policy.Created {
		return p.Writer.Drop(ctx, org, bundles, func(ctx context.Context, tx *db.Tx) error { return o.Gate(ctx, tx) })
	}
	first, err := p.calm(ctx, org, o, numbers)
	if err != nil {
		return 0, err
	}
	return p.Writer.Take(ctx, org, numbers, civil.DayOf(o.Before, org.Location()), first)
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
		_, numbers, err := readKeys(o.Items)
		if err != nil {
			return 0, err
		}
		now, err := k.Due(ctx, org, o.Cut)
		if err != nil {
			return 0, err
		}
		if err := same(now, o); err != nil {
			return 0, err
		}
		return removed, p.DB.Tx(ctx, func(tx *db.Tx) error {
			if err := o.Gate(ctx, tx); err != nil {
				return err
			}
			if removed, err = callback.Remove(ctx, tx, org, numbers...); err == nil && removed != o.Rows() {
				err = changed()
			}
			return err
		})
	}
	k.Bundle = func(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
		b, err := readKey(item.Key)
		if err != nil {
			return nil, err
		}
		of, err := p.Callbacks.Of(ctx, org, []number.ID{b.Number})
		if err != nil {
			return nil, err
		}
		return json.Marshal(of[b.Number])
	}
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
		if err := same(now, o); err != nil {
			return 0, err
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
