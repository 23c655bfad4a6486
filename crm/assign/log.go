package assign

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
)

// Kind says what a decision was about.
type Kind int8

// The kinds.
const (
	NewLead Kind = iota
	Rescued      // a lead that waited too long
)

// Entry is a decision as the log has it.
type Entry struct {
	Decision
	Seq  int64 // grows with every decision of the organisation
	At   time.Time
	Kind Kind
	Lead lead.ID
	Was  account.MemberID // who had it before

	subject int64
}

// take reserves n places of the log, and has nobody else decide until the transaction ends. It gives the first.
func (a *Assign) take(ctx context.Context, tx *db.Tx, org account.OrgID, n int) (int64, error) {
	var next int64
	err := tx.Row(ctx, `INSERT INTO assign_counters (org_id, next) VALUES ($1, $2)
		ON CONFLICT (org_id) DO UPDATE SET next = assign_counters.next + $3 RETURNING next`, org, n+1, n).Scan(&next)
	return next - int64(n), err
}

// Keep writes down what was decided since the last Keep, in the transaction that makes the leads: whose turn it was, the log, and
// which leads wait. leads are in the order of the decisions; "" is one that was not made. It may run again with the transaction.
func (r *Run) Keep(ctx context.Context, tx *db.Tx, at time.Time, leads []lead.ID) error {
	if len(leads) != len(r.fresh) {
		return fault.New(fault.Internal, "%d leads were made of %d decisions.", len(leads), len(r.fresh))
	}
	entries := make([]Entry, 0, len(leads))
	unmade := map[slot]map[account.MemberID]int64{}
	for i, d := range r.fresh {
		if leads[i] == "" {
			r.untake(&d, unmade)
			continue
		}
		if len(r.rules) == 0 && len(d.Why) == 1 { // who has no rules, and did not ask, is told nothing of them
			continue
		}
		entries = append(entries, Entry{Decision: d, At: at, Lead: leads[i]})
	}
	r.kept = true // until the next decision
	if err := r.keepTurns(ctx, tx, unmade); err != nil {
		return err
	}
	if err := r.a.enter(ctx, tx, r.org.ID, entries); err != nil {
		return err
	}
	return r.a.queue(ctx, tx, r.org.ID, entries)
}

// Forget lets go of what was decided since the last Keep: in a dry run, and where the leads could not be made. In this run their
// turns count on.
func (r *Run) Forget() { r.kept = true }

// untake gives back the turn that a lead took which was not made.
func (r *Run) untake(d *Decision, unmade map[slot]map[account.MemberID]int64) {
	if d.turn.rule == "" {
		return
	}
	if unmade[d.turn] == nil {
		unmade[d.turn] = map[account.MemberID]int64{}
	}
	unmade[d.turn][d.Owner] += unit
}

// keepTurns adds what turns changed to what is kept of them. Adding lets runs and single decisions go on side by side.
func (r *Run) keepTurns(ctx context.Context, tx *db.Tx, unmade map[slot]map[account.MemberID]int64) error {
	for s, delta := range r.delta {
		text, had, err := db.One(ctx, tx, func(row db.Scanner) (t string, err error) { return t, row.Scan(&t) },
			`SELECT credits FROM assign_turns WHERE org_id = $1 AND rule = $2 AND part = $3`+forUpdate(tx), r.org.ID, s.rule, s.part)
		if err != nil {
			return err
		}
		credits := parseCredits(text)
		for m, n := range delta {
			credits[m] += n
		}
		for m, n := range unmade[s] {
			credits[m] += n
		}
		query := `INSERT INTO assign_turns (org_id, rule, part, credits) VALUES ($1, $2, $3, $4)`
		if had {
			query = `UPDATE assign_turns SET credits = $4 WHERE org_id = $1 AND rule = $2 AND part = $3`
		}
		if _, err := tx.Exec(ctx, query, r.org.ID, s.rule, s.part, creditsText(credits)); err != nil {
			return err
		}
	}
	return nil
}

func forUpdate(tx *db.Tx) string {
	if tx.Engine() == db.Postgres {
		return ` FOR UPDATE`
	}
	return ""
}

// rows is how many decisions one statement writes.
const rows = 50

// enter writes decisions into the log, and gives them their places.
func (a *Assign) enter(ctx context.Context, tx *db.Tx, org account.OrgID, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	first, err := a.take(ctx, tx, org, len(entries))
	if err != nil {
		return err
	}
	if err := subjects(ctx, tx, org, entries); err != nil {
		return err
	}
	const width = 13
	for part := range slices.Chunk(entries, rows) {
		args := make([]any, 0, len(part)*width)
		for i := range part {
			e := &part[i]
			e.Seq = first
			first++
			why, err := json.Marshal(e.Why)
			if err != nil {
				return err
			}
			args = append(args, org, e.Seq, e.At.UnixMilli(), e.Kind, e.Lead, e.subject, e.Rule, e.Owner, e.Was, e.Team, string(why), skipsText(e.Skipped), millis(e.Until))
		}
		if _, err := tx.Exec(ctx, `INSERT INTO assign_log (org_id, seq, at_ms, kind, lead, subject, rule, owner, was, team, why, skipped, until_ms) VALUES `+db.Values(len(part), width), args...); err != nil {
			return err
		}
	}
	return nil
}

// subjects fills in whose keys the leads are sealed under.
func subjects(ctx context.Context, tx *db.Tx, org account.OrgID, entries []Entry) error {
	of := make(map[lead.ID]int64, len(entries))
	for part := range slices.Chunk(entries, 4*rows) {
		args := []any{org}
		for _, e := range part {
			args = append(args, e.Lead)
		}
		if _, err := db.Select(ctx, tx, func(r db.Scanner) (struct{}, error) {
			var l lead.ID
			var subject int64
			err := r.Scan(&l, &subject)
			of[l] = subject
			return struct{}{}, err
		}, `SELECT lead, subject FROM leads WHERE org_id = $1 AND lead IN `+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	for i := range entries {
		subject, ok := of[entries[i].Lead]
		if !ok {
			return fault.New(fault.NotFound, "There is no lead %q here.", string(entries[i].Lead))
		}
		entries[i].subject = subject
	}
	return nil
}

func skipsText(all []Skip) string {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(string(s.Member) + " " + string(s.Reason))
		if s.Detail != 0 {
			b.WriteString(" " + number10(s.Detail))
		}
	}
	return b.String()
}

func parseSkips(text string) []Skip {
	var out []Skip
	for one := range strings.SplitSeq(text, ";") {
		f := strings.Fields(one)
		if len(f) < 2 {
			continue
		}
		s := Skip{Member: account.MemberID(f[0]), Reason: Reason(f[1])}
		if len(f) > 2 {
			s.Detail, _ = strconv.ParseInt(f[2], 10, 64)
		}
		out = append(out, s)
	}
	return out
}

// Filter says which decisions are listed. What is zero is not looked at.
type Filter struct {
	Lead   lead.ID
	Rule   RuleID
	Owner  account.MemberID
	Nobody bool // those that gave a lead to nobody
	Before int64
}

// maxPage is how many decisions a page has at most.
const maxPage = 200

// Log pages through the decisions that somebody sees, the newest first: those that gave a lead to, or took it from, somebody whose
// leads they see. next is what Filter.Before is for the page behind; 0 = there is none.
func (a *Assign) Log(ctx context.Context, c db.Conn, org account.OrgID, sight contact.Sight, f Filter, limit int) (page []Entry, next int64, err error) {
	limit = max(1, min(limit, maxPage))
	where, args := `org_id = $1`, []any{org}
	and := func(term string, values ...any) {
		where += ` AND ` + term
		args = append(args, values...)
	}
	at := func(n int) string { return `$` + strconv.Itoa(len(args)+n) }
	if f.Lead != "" {
		and(`lead = `+at(1), f.Lead)
	}
	if f.Rule != "" {
		and(`rule = `+at(1), f.Rule)
	}
	if f.Owner != "" {
		and(`owner = `+at(1), f.Owner)
	}
	if f.Nobody {
		and(`owner = ''`)
	}
	if f.Before > 0 {
		and(`seq < `+at(1), f.Before)
	}
	if !sight.All {
		seen := make([]any, 0, len(sight.Members)+1)
		for _, m := range sight.Members {
			seen = append(seen, m)
		}
		if sight.Unowned {
			seen = append(seen, "")
		}
		if len(seen) == 0 {
			return nil, 0, nil
		}
		in := db.In(len(args)+1, len(seen))
		and(`(owner IN `+in+` OR was <> '' AND was IN `+in+`)`, seen...)
	}
	page, err = db.Select(ctx, c, scanEntry, `SELECT `+entryColumns+` FROM assign_log WHERE `+where+` ORDER BY seq DESC LIMIT `+at(1), append(args, limit+1)...)
	if err != nil || len(page) <= limit {
		return page, 0, err
	}
	page = page[:limit]
	return page, page[limit-1].Seq, nil
}

const entryColumns = `seq, at_ms, kind, lead, subject, rule, owner, was, team, why, skipped, until_ms`

func scanEntry(r db.Scanner) (e Entry, err error) {
	var at, until int64
	var why []byte
	var skipped string
	if err := r.Scan(&e.Seq, &at, &e.Kind, &e.Lead, &e.subject, &e.Rule, &e.Owner, &e.Was, &e.Team, &why, &skipped, &until); err != nil {
		return e, err
	}
	e.At, e.Until, e.Skipped = moment(at), moment(until), parseSkips(skipped)
	return e, json.Unmarshal(why, &e.Why)
}
