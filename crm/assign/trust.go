package assign

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Categories of what is kept of members, and of who is about to call whom.
const (
	categoryMember = "org.member"
	categoryCall   = "call.meta"
)

// Store is what rights asks of assignment: the decisions about the leads of a contact, who said that they are about to call a number,
// and what a member takes and when they are away.
func (a *Assign) Store() rights.Store {
	return rights.Store{
		Name: "assignment of leads", Tables: []string{"assign_log", "assign_queue", "assign_watch", "assign_followed", "assign_rules", "assign_settings", "assign_turns",
			"assign_counters", "assign_loads", "assignees", "member_absences", "dial_marks"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
			return a.export(ctx, org, who, to)
		},
		Plan: a.plan, Erase: a.erase,
	}
}

// copies takes the tables of a person's copy, as rights.Package does.
type copies interface {
	Table(category, name string, columns []string, each func(add func(values ...any) error) error) error
}

// export writes what was decided about somebody's leads, without naming colleagues, or what is kept of a member.
func (a *Assign) export(ctx context.Context, org account.OrgID, who subject.Ref, to copies) error {
	if who.Kind == subject.Member {
		return a.exportMember(ctx, org, account.MemberID(who.ID), to)
	}
	if who.Con() <= 0 {
		return nil
	}
	all, err := db.Select(ctx, a.d.DB, scanEntry, `SELECT `+entryColumns+` FROM assign_log WHERE org_id = $1 AND subject = $2 ORDER BY seq`, org, who.Con())
	if err != nil {
		return err
	}
	return to.Table(Category, "assignments", []string{"lead", "at", "given", "why"}, func(add func(...any) error) error {
		for _, e := range all {
			if err := add(string(e.Lead), e.At, e.Owner != "", e.Sentence()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *Assign) exportMember(ctx context.Context, org account.OrgID, m account.MemberID, to copies) error {
	all, err := a.Assignees(ctx, a.d.DB, org)
	if err != nil {
		return err
	}
	if err := to.Table(categoryMember, "leads_taken", []string{"languages", "territories", "a_day", "open", "paused"}, func(add func(...any) error) error {
		for _, x := range all {
			if x.Member != m {
				continue
			}
			territories, err := json.Marshal(x.Territories)
			if err != nil {
				return err
			}
			if err := add(x.Languages, string(territories), x.DayCap, x.OpenCap, x.Paused); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	away, err := a.absencesOf(ctx, a.d.DB, org, m)
	if err != nil {
		return err
	}
	return to.Table(categoryMember, "absences", []string{"from", "until", "entered"}, func(add func(...any) error) error {
		for _, x := range away {
			if err := add(x.From, x.Until, x.Made); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *Assign) absencesOf(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) ([]Absence, error) {
	return absences(ctx, c, `SELECT absence, member, from_ms, until_ms, made_ms, made_by FROM member_absences WHERE org_id = $1 AND member = $2 ORDER BY from_ms, absence`, org, m)
}

// holding says where rows about a person are: a statement that counts them, and those that remove them.
type holding struct {
	line   rights.Line
	count  string
	remove []string
}

// holdings are the rows about a person; $2 is who.
func holdings(who subject.Ref) (of any, all []holding) {
	line := func(name, category string) rights.Line {
		return rights.Line{Thing: rights.Rows, Name: name, Category: category}
	}
	switch {
	case who.Con() > 0:
		return who.Con(), []holding{{line("decisions who gets a lead", Category), `SELECT count(*), coalesce(max(at_ms), 0) FROM assign_log WHERE org_id = $1 AND subject = $2`, []string{
			`DELETE FROM assign_log WHERE org_id = $1 AND subject = $2`, `DELETE FROM assign_queue WHERE org_id = $1 AND subject = $2`, `DELETE FROM assign_watch WHERE org_id = $1 AND subject = $2`}}}
	case who.Num() > 0:
		return who.Num(), []holding{{line("marks of a call to come", categoryCall), `SELECT count(*), coalesce(max(at_ms), 0) FROM dial_marks WHERE org_id = $1 AND num = $2`, []string{
			`DELETE FROM dial_marks WHERE org_id = $1 AND num = $2`}}}
	case who.Kind == subject.Member:
		return who.ID, []holding{
			{line("absences", categoryMember), `SELECT count(*), coalesce(max(made_ms), 0) FROM member_absences WHERE org_id = $1 AND member = $2`, []string{`DELETE FROM member_absences WHERE org_id = $1 AND member = $2`}},
			{line("what leads they take", categoryMember), `SELECT count(*), coalesce(max(changed_ms), 0) FROM assignees WHERE org_id = $1 AND member = $2`, []string{
				`DELETE FROM assignees WHERE org_id = $1 AND member = $2`, `DELETE FROM assign_loads WHERE org_id = $1 AND member = $2`}},
			{line("marks of a call to come", categoryCall), `SELECT count(*), coalesce(max(at_ms), 0) FROM dial_marks WHERE org_id = $1 AND member = $2`, []string{`DELETE FROM dial_marks WHERE org_id = $1 AND member = $2`}},
		}
	default:
		return nil, nil
	}
}

func (h *holding) counted(ctx context.Context, c db.Conn, org account.OrgID, of any) (rights.Line, error) {
	l := h.line
	var newest int64
	err := c.Row(ctx, h.count, org, of).Scan(&l.Count, &newest)
	l.Newest = moment(newest)
	return l, err
}

// plan lists what an erasure would remove.
func (a *Assign) plan(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	of, all := holdings(who)
	var out []rights.Line
	for i := range all {
		l, err := all[i].counted(ctx, a.d.DB, org, of)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// erase removes it, but for what a law keeps. A member who is erased is taken out of the rules, too.
func (a *Assign) erase(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) (lines []rights.Line, err error) {
	of, all := holdings(who)
	return lines, a.d.DB.Tx(ctx, func(tx *db.Tx) error {
		lines = nil
		var asked []string
		for i := range all {
			h := &all[i]
			if d.Keeps(h.line.Category) {
				continue
			}
			l, err := h.counted(ctx, tx, org, of)
			if err != nil {
				return err
			}
			if !slices.Contains(asked, h.line.Category) {
				if err := d.Gate(ctx, tx, h.line.Category); err != nil {
					return err
				}
				asked = append(asked, h.line.Category)
			}
			for _, q := range h.remove {
				if _, err := tx.Exec(ctx, q, org, of); err != nil {
					return err
				}
			}
			lines = append(lines, l)
		}
		if who.Kind != subject.Member || d.Keeps(categoryMember) {
			return nil
		}
		return a.unname(ctx, tx, org, account.MemberID(who.ID))
	})
}

// unname takes a member out of the rules and turns of an organisation.
func (a *Assign) unname(ctx context.Context, tx *db.Tx, org account.OrgID, m account.MemberID) error {
	put := func(id RuleID, x *Choice, spec any) error {
		is := func(n account.MemberID) bool { return n == m }
		x.To.Members, x.Fallback.Members = slices.DeleteFunc(x.To.Members, is), slices.DeleteFunc(x.Fallback.Members, is)
		delete(x.Weights, m)
		text, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE assign_rules SET spec = $3 WHERE org_id = $1 AND rule = $2`, org, id, string(text))
		return err
	}
	rules, err := a.Rules(ctx, tx, org)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if err := put(r.ID, &r.Choice, r); err != nil {
			return err
		}
	}
	rescues, err := a.Rescues(ctx, tx, org)
	if err != nil {
		return err
	}
	for _, r := range rescues {
		if err := put(r.ID, &r.Choice, r); err != nil {
			return err
		}
	}
	return dropTurns(ctx, tx, org, m)
}

// dropTurns takes a member out of the turns.
func dropTurns(ctx context.Context, tx *db.Tx, org account.OrgID, m account.MemberID) error {
	type turns struct {
		slot
		credits string
	}
	all, err := db.Select(ctx, tx, func(r db.Scanner) (t turns, err error) { return t, r.Scan(&t.rule, &t.part, &t.credits) },
		`SELECT rule, part, credits FROM assign_turns WHERE org_id = $1`, org)
	if err != nil {
		return err
	}
	for _, t := range all {
		credits := parseCredits(t.credits)
		delete(credits, m)
		if _, err := tx.Exec(ctx, `UPDATE assign_turns SET credits = $4 WHERE org_id = $1 AND rule = $2 AND part = $3`, org, t.rule, t.part, creditsText(credits)); err != nil {
			return err
		}
	}
	return nil
}

// Expiring are rows that end by age. The log of a lead goes when nothing was decided about it for as long as the policy says; with the
// lead it goes at once.
func Expiring() []expire.Table {
	const left = `(SELECT id FROM members WHERE org_id = $1 AND active = 0 AND left_ms > 0 AND left_ms < $2)`
	return []expire.Table{
		{Name: "decisions who gets a lead", Category: Category, From: "last_activity",
			Count: `SELECT count(*) FROM assign_log WHERE org_id = $1`,
			Due: `SELECT lead, 'contact/' || min(subject), max(at_ms), count(*), 0 FROM assign_log WHERE org_id = $1 GROUP BY lead HAVING max(at_ms) < $2
				ORDER BY lead`,
			Do: removeLog},
		{Name: "absences", Category: categoryMember, Part: "absence", From: "created", Days: 366, Routine: true,
			Count:  `SELECT count(*) FROM member_absences WHERE org_id = $1`,
			Due:    `SELECT absence, 'member/' || member, until_ms, 1, 0 FROM member_absences WHERE org_id = $1 AND until_ms < $2`,
			Remove: `DELETE FROM member_absences WHERE org_id = $1 AND until_ms < $2 AND absence = $3`},
		{Name: "what leads members take", Category: categoryMember, From: "account_closed",
			Count: `SELECT count(*) FROM assignees WHERE org_id = $1`,
			Due: `SELECT a.member, 'member/' || a.member, m.left_ms, 1, 0 FROM assignees a JOIN members m ON m.org_id = a.org_id AND m.id = a.member
				WHERE a.org_id = $1 AND m.active = 0 AND m.left_ms > 0 AND m.left_ms < $2`,
			Remove: `DELETE FROM assignees WHERE org_id = $1 AND member IN ` + left + ` AND member = $3`},
		{Name: "numbers of open leads", Category: categoryMember, From: "account_closed",
			Count: `SELECT count(*) FROM assign_loads WHERE org_id = $1`,
			Due: `SELECT a.member, 'member/' || a.member, m.left_ms, 1, 0 FROM assign_loads a JOIN members m ON m.org_id = a.org_id AND m.id = a.member
				WHERE a.org_id = $1 AND m.active = 0 AND m.left_ms > 0 AND m.left_ms < $2`,
			Remove: `DELETE FROM assign_loads WHERE org_id = $1 AND member IN ` + left + ` AND member = $3`},
		{Name: "marks of a call to come", Category: categoryCall, Part: "marks", From: "created", Days: 1, Routine: true,
			Count:  `SELECT count(*) FROM dial_marks WHERE org_id = $1`,
			Due:    `SELECT num || '/' || member, '', until_ms, 1, 0 FROM dial_marks WHERE org_id = $1 AND until_ms < $2`,
			Remove: `DELETE FROM dial_marks WHERE org_id = $1 AND until_ms < $2 AND num || '/' || member = $3`},
	}
}

// removeLog removes the log of a lead, unless something was decided about it meanwhile.
func removeLog(ctx context.Context, tx *db.Tx, org int64, before time.Time, row expire.Row) (int64, error) {
	var newest int64
	if err := tx.Row(ctx, `SELECT coalesce(max(at_ms), 0) FROM assign_log WHERE org_id = $1 AND lead = $2`, org, row.Key).Scan(&newest); err != nil || newest >= before.UnixMilli() {
		return 0, err
	}
	return tx.Exec(ctx, `DELETE FROM assign_log WHERE org_id = $1 AND lead = $2`, org, row.Key)
}
