package attach

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/consent"
)

// originCall is what contacts that a call made have as their origin.
const originCall = "call"

// stale is how old the last change of a call may be, before the writer noted it, for the call to make a lead: one that only
// moved, as when the organisation's zone changes, makes none again.
const stale = time.Minute

// caller is an unknown caller with the first call that can make a lead.
type caller struct {
	row  call.Row
	text string // the number, canonical
	line LeadLine
}

// makeLeads makes leads of those among the touched numbers that belong to nobody and called on a line that makes leads. A lead
// that cannot be made, such as one in a pipeline that was archived, is left out.
func (a *Attach) makeLeads(ctx context.Context, org *account.Org, all *touched, noted time.Time) error {
	lines, err := a.LeadLines(ctx, a.DB, org.ID)
	if err != nil || len(lines) == 0 {
		return err
	}
	var callers []caller
	if err := a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		callers, err = a.callers(ctx, tx, org, all, lines, noted)
		return err
	}); err != nil {
		return err
	}
	for _, c := range callers {
		err := a.makeLead(ctx, org, c, a.Assign)
		if cannot(err) && a.Assign != nil { // whoever was to get it may have left this moment: then nobody has it yet
			err = a.makeLead(ctx, org, c, nil)
		}
		if err != nil && !cannot(err) {
			return err
		}
	}
	return nil
}

// cannot tells of an error that trying again does not mend.
func cannot(err error) bool {
	return slices.Contains([]fault.Kind{fault.Invalid, fault.NotFound, fault.Denied, fault.Gone, fault.Conflict}, fault.KindOf(err))
}

// callers finds the unknown callers among touched numbers who may become leads, each with the first of the touched calls.
func (a *Attach) callers(ctx context.Context, tx *db.Tx, org *account.Org, all *touched, lines []LeadLine, noted time.Time) ([]caller, error) {
	having, err := a.Contacts.ByNumber(ctx, tx, org.ID, all.numbers...)
	if err != nil {
		return nil, err
	}
	unknown := slices.DeleteFunc(slices.Clone(all.numbers), func(n number.ID) bool { return len(having[n]) > 0 })
	if len(unknown) == 0 {
		return nil, nil
	}
	first := map[number.ID]caller{}
	for _, d := range all.days {
		where := call.Where(org.ID).And(`day = ?`, d.Day).And(`agent = ?`, d.Agent)
		if err := call.Each(ctx, tx, where, "", func(r *call.Row) error {
			if _, ok := slices.BinarySearch(unknown, r.Number); !ok || time.Unix(r.Synced, 0).Before(noted.Add(-stale)) {
				return nil
			}
			i := slices.IndexFunc(lines, func(l LeadLine) bool { return l.Line == r.Line && l.takes(r) })
			if had, ok := first[r.Number]; i >= 0 && (!ok || r.Start < had.row.Start) {
				first[r.Number] = caller{row: *r, line: lines[i]}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return a.welcome(ctx, tx, org, first)
}

// welcome leaves out whoever is not to become a lead: numbers that are kept out or restricted, own numbers, those of whom a
// person was erased, and those who do not want to be called.
func (a *Attach) welcome(ctx context.Context, tx *db.Tx, org *account.Org, first map[number.ID]caller) ([]caller, error) {
	if len(first) == 0 {
		return nil, nil
	}
	kept, err := a.Book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	ours, err := a.Devices.Ours(ctx, org)
	if err != nil {
		return nil, err
	}
	buried, err := a.Consents.Tombstones(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	nums := make([]number.ID, 0, len(first))
	for n := range first {
		nums = append(nums, n)
	}
	texts, err := a.Book.Show(ctx, tx, org.ID, nums)
	if err != nil {
		return nil, err
	}
	var out []caller
	for n, c := range first {
		c.text = texts[n]
		_, own := ours(c.text)
		_, erased := buried.Erased(c.text)
		if c.text == "" || kept.Hidden[n] || kept.Drops(c.text) || own || erased || c.text == phone.Parse(org.ContactPhone, org.Country).Canonical() {
			continue
		}
		stops, err := a.Consents.Suppressions(ctx, tx, org.ID, consent.Who{Number: c.text})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(stops, func(s consent.Suppression) bool {
			return s.Scope.Channel == consent.None || s.Scope.Channel == consent.Call
		}) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(x, y caller) int {
		return cmp.Or(cmp.Compare(x.row.Start, y.row.Start), cmp.Compare(x.row.Number, y.row.Number))
	})
	return out, nil
}

// makeLead makes a contact and a lead of a caller, unless somebody has entered the number meanwhile.
func (a *Attach) makeLead(ctx context.Context, org *account.Org, c caller, assign Assign) error {
	var committed func()
	err := a.DB.Tx(ctx, func(tx *db.Tx) error {
		committed = nil
		having, err := a.Contacts.ByNumber(ctx, tx, org.ID, c.row.Number)
		if err != nil || len(having[c.row.Number]) > 0 {
			return err
		}
		names, err := a.Book.Names(ctx, tx, org.ID, []number.ID{c.row.Number})
		if err != nil {
			return err
		}
		p := contact.Person{First: names[c.row.Number], Numbers: []contact.Labelled{{Text: c.text}}}
		who, done, err := a.Contacts.Add(ctx, tx, org, "", contact.New{Person: p, Origin: originCall})
		if err != nil {
			return err
		}
		committed = done
		n := lead.New{Contact: who.ID, Pipeline: c.line.Pipeline, Source: c.line.Source, SourceDay: civil.DayOf(c.row.At(), org.Location())}
		var given Given
		if assign != nil {
			of := Caller{Number: c.row.Number, Contact: who.ID, Line: c.row.Line, Agent: c.row.Agent, At: c.row.At(), Pipeline: c.line.Pipeline, Source: c.line.Source}
			if given, err = assign(ctx, tx, org, of); err != nil {
				return err
			}
			n.Owner, n.Team, n.Why = given.Owner, given.Team, given.Why
		}
		l, err := a.Leads.Add(ctx, tx, org, "", n)
		if err != nil {
			return err
		}
		if given.Keep != nil {
			if err := given.Keep(ctx, tx, l.ID); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO call_leads (org_id, lead, num, start, line) VALUES ($1, $2, $3, $4, $5)`,
			org.ID, l.ID, c.row.Number, c.row.Start, c.row.Line); err != nil {
			return err
		}
		return a.Mark(ctx, tx, org.ID, who.ID)
	})
	if err == nil && committed != nil {
		committed()
	}
	return err
}

// madeByCalls tells, of the leads that a call made, when that call began.
func madeByCalls(ctx context.Context, c db.Conn, org account.OrgID, leads []lead.ID) (map[lead.ID]time.Time, error) {
	out := map[lead.ID]time.Time{}
	for part := range slices.Chunk(leads, atOnce) {
		args := []any{org}
		for _, id := range part {
			args = append(args, id)
		}
		if _, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
			var id lead.ID
			var start int64
			err := r.Scan(&id, &start)
			out[id] = time.UnixMilli(start)
			return struct{}{}, err
		}, `SELECT lead, start FROM call_leads WHERE org_id = $1 AND lead IN `+db.In(2, len(part)), args...); err != nil {
			return nil, err
		}
	}
	return out, nil
}
