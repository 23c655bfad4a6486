package assign

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// The kinds of rules.
const (
	kindRule   = 0
	kindRescue = 1
)

// maxRules is how many rules of a kind an organisation has.
const maxRules = 100

// Rules gives an organisation's rules of assignment in their order.
func (a *Assign) Rules(ctx context.Context, c db.Conn, org account.OrgID) ([]*Rule, error) {
	return load(ctx, c, org, kindRule, func(id RuleID, rev int64) (*Rule, any) {
		r := &Rule{ID: id, Rev: rev}
		return r, r
	})
}

// Rescues gives an organisation's rules about leads that wait too long, in their order.
func (a *Assign) Rescues(ctx context.Context, c db.Conn, org account.OrgID) ([]*Rescue, error) {
	return load(ctx, c, org, kindRescue, func(id RuleID, rev int64) (*Rescue, any) {
		r := &Rescue{ID: id, Rev: rev}
		return r, r
	})
}

func load[T any](ctx context.Context, c db.Conn, org account.OrgID, kind int, empty func(id RuleID, rev int64) (T, any)) ([]T, error) {
	return db.Select(ctx, c, func(r db.Scanner) (T, error) {
		var id RuleID
		var rev int64
		var spec []byte
		if err := r.Scan(&id, &rev, &spec); err != nil {
			var none T
			return none, err
		}
		rule, into := empty(id, rev)
		return rule, json.Unmarshal(spec, into)
	}, `SELECT rule, rev, spec FROM assign_rules WHERE org_id = $1 AND kind = $2 ORDER BY place, rule`, org, kind)
}

// SaveRule keeps a rule: a new one (without ID) behind the others, a changed one where it stands. Rev is the one that the editor
// saw. by needs manage_pipelines.
func (a *Assign) SaveRule(ctx context.Context, by *account.Actor, r Rule) (*Rule, error) {
	if err := by.Require(account.ManagePipelines); err != nil {
		return nil, err
	}
	return &r, a.d.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if err := a.check(ctx, tx, by.Org, &r); err != nil {
			return err
		}
		r.ID, r.Rev, err = a.save(ctx, tx, by, kindRule, r.ID, r.Rev, &r)
		return err
	})
}

// SaveRescue keeps a rule about leads that wait too long, as SaveRule does.
func (a *Assign) SaveRescue(ctx context.Context, by *account.Actor, r Rescue) (*Rescue, error) {
	if err := by.Require(account.ManagePipelines); err != nil {
		return nil, err
	}
	return &r, a.d.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if err := a.checkRescue(ctx, tx, by.Org, &r); err != nil {
			return err
		}
		if r.ID, r.Rev, err = a.save(ctx, tx, by, kindRescue, r.ID, r.Rev, &r); err != nil {
			return err
		}
		return a.followAnew(ctx, tx, by.Org.ID)
	})
}

// save keeps a rule and gives its name and revision.
func (a *Assign) save(ctx context.Context, tx *db.Tx, by *account.Actor, kind int, rule RuleID, rev int64, spec any) (RuleID, int64, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return "", 0, err
	}
	org, now := by.Org.ID, a.d.Now().UnixMilli()
	if rule == "" {
		var n, last int
		if err := tx.Row(ctx, `SELECT count(*), coalesce(max(place), 0) FROM assign_rules WHERE org_id = $1 AND kind = $2`, org, kind).Scan(&n, &last); err != nil {
			return "", 0, err
		}
		if n >= maxRules {
			return "", 0, fault.New(fault.Conflict, "There are %d rules, and more do not fit. Delete one that you do not need.", n)
		}
		rule = RuleID(id.New("rul"))
		_, err := tx.Exec(ctx, `INSERT INTO assign_rules (org_id, rule, kind, place, spec, rev, changed_ms, changed_by) VALUES ($1, $2, $3, $4, $5, 1, $6, $7)`,
			org, rule, kind, last+1, string(text), now, by.Member.ID)
		return rule, 1, err
	}
	n, err := tx.Exec(ctx, `UPDATE assign_rules SET spec = $5, rev = rev + 1, changed_ms = $6, changed_by = $7 WHERE org_id = $1 AND rule = $2 AND kind = $3 AND rev = $4`,
		org, rule, kind, rev, string(text), now, by.Member.ID)
	if err == nil && n == 0 {
		err = a.stale(ctx, tx, by.Org, rule)
	}
	return rule, rev + 1, err
}

// stale says why a rule was not changed.
func (a *Assign) stale(ctx context.Context, c db.Conn, org *account.Org, rule RuleID) error {
	type change struct {
		who string
		at  int64
	}
	last, ok, err := db.One(ctx, c, func(r db.Scanner) (x change, err error) { return x, r.Scan(&x.who, &x.at) },
		`SELECT coalesce((SELECT name FROM members m WHERE m.org_id = r.org_id AND m.id = r.changed_by), ''), r.changed_ms FROM assign_rules r WHERE r.org_id = $1 AND r.rule = $2`, org.ID, rule)
	if err != nil {
		return err
	}
	if !ok {
		return errNoRule(rule)
	}
	if last.who == "" {
		last.who = "Somebody"
	}
	return fault.New(fault.Conflict, "%s changed this rule on %s, after you opened it. Nothing of yours was saved. Look at the rule as it is now, and change it again if that is still right.",
		last.who, written(moment(last.at), org))
}

func written(t time.Time, org *account.Org) string {
	return t.In(org.Location()).Format("2 January 2006, 15:04")
}

func errNoRule(rule RuleID) error {
	return fault.New(fault.NotFound, "There is no rule %q here. It may have been deleted.", string(rule))
}

// DropRule deletes a rule of either kind. What it decided stays in the log. by needs manage_pipelines.
func (a *Assign) DropRule(ctx context.Context, by *account.Actor, rule RuleID) error {
	if err := by.Require(account.ManagePipelines); err != nil {
		return err
	}
	org := by.Org.ID
	return a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM assign_rules WHERE org_id = $1 AND rule = $2`, org, rule)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoRule(rule)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM assign_turns WHERE org_id = $1 AND rule = $2`, org, rule); err != nil {
			return err
		}
		return a.followAnew(ctx, tx, org)
	})
}

// OrderRules puts the rules of assignment into an order: all of them, each once. by needs manage_pipelines.
func (a *Assign) OrderRules(ctx context.Context, by *account.Actor, order []RuleID) error {
	if err := by.Require(account.ManagePipelines); err != nil {
		return err
	}
	return a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		rules, err := a.Rules(ctx, tx, by.Org.ID)
		if err != nil {
			return err
		}
		had := make([]RuleID, len(rules))
		for i, r := range rules {
			had[i] = r.ID
		}
		sorted := slices.Sorted(slices.Values(order))
		slices.Sort(had)
		if !slices.Equal(sorted, had) {
			return fault.New(fault.Conflict, "The rules are not the ones that you saw: one came or went meanwhile. Open them again and put them in order.")
		}
		for i, rule := range order {
			if _, err := tx.Exec(ctx, `UPDATE assign_rules SET place = $3 WHERE org_id = $1 AND rule = $2`, by.Org.ID, rule, i+1); err != nil {
				return err
			}
		}
		return nil
	})
}
