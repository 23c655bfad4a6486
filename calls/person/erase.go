package person

import (
	"context"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/rights"
	"parley/trust/subject"
)

// tables are those whose rows about people this package answers for.
func tables() []string {
	return []string{"numbers", "number_index", "number_names", "number_name_words", "excluded_numbers", "restricted_numbers", "archived_numbers", "unsettled_numbers", "erasing_numbers", "taking_numbers",
		"calls", "call_notes", "call_note_words", "call_tags", "call_outcomes", "callbacks", "rolls", "coarse", "import_rejects", "imports", "import_mappings", "lines", "line_holders", "devices",
		"device_lines", "digests", "pairing_codes", "forget_orders"}
}

// Store is what rights asks of calls. It takes the number itself away, so it is registered behind every store that needs the
// number to find its rows.
func (p *Persons) Store() rights.Store {
	export := func(ctx context.Context, org account.OrgID, who subject.Ref, to *rights.Package) error {
		return p.export(ctx, org, who, to)
	}
	return rights.Store{Name: "calls", Tables: tables(), Export: export, Plan: p.plan, Erase: p.erase, Fields: []rights.Field{p.nameField()}}
}

// count is what calls hold of one person outside.
type count struct {
	numbers, archived, names, notes, tags, callbacks, exclusions, calls, phones int64
	newest                                                                      time.Time // start of the last call
	lines                                                                       map[call.LineNo]bool
}

func (p *Persons) count(ctx context.Context, org account.OrgID, n number.ID) (*count, error) {
	c := &count{lines: map[call.LineNo]bool{}}
	if err := p.Writer.EachOf(ctx, org, n, func(r *call.Row) error {
		c.calls++
		c.lines[r.Line] = true
		if at := r.At(); at.After(c.newest) {
			c.newest = at
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, q := range []struct {
		into  *int64
		query string
	}{
		{&c.numbers, `SELECT count(*) FROM numbers WHERE org_id = $1 AND num = $2`},
		{&c.archived, `SELECT count(*) FROM archived_numbers WHERE org_id = $1 AND num = $2`},
		{&c.names, `SELECT count(*) FROM number_names WHERE org_id = $1 AND num = $2`},
		{&c.notes, `SELECT (SELECT count(*) FROM call_notes WHERE org_id = $1 AND num = $2) + (SELECT count(*) FROM call_outcomes WHERE org_id = $1 AND num = $2)`},
		{&c.tags, `SELECT count(*) FROM call_tags WHERE org_id = $1 AND num = $2`},
		{&c.callbacks, `SELECT count(*) FROM callbacks WHERE org_id = $1 AND num = $2`},
		{&c.exclusions, `SELECT count(*) FROM excluded_numbers e JOIN number_index i ON i.org_id = e.org_id AND i.idx = e.idx WHERE e.org_id = $1 AND i.num = $2`},
	} {
		if err := p.DB.Row(ctx, q.query, org, n).Scan(q.into); err != nil {
			return nil, err
		}
	}
	var err error
	c.phones, err = p.Devices.PhonesOf(ctx, org, c.lines)
	return c, err
}

// plan lists what an erasure would remove.
func (p *Persons) plan(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	if who.Kind == subject.Member {
		return p.planMember(ctx, org, who)
	}
	n := number.ID(who.Num())
	if n <= number.Withheld {
		return nil, nil
	}
	c, err := p.count(ctx, org, n)
	if err != nil {
		return nil, err
	}
	all := []rights.Line{
		{Thing: rights.Keys, Name: "key of the person", Count: c.numbers + c.archived},
		{Thing: rights.Indexes, Name: "entries of the number index", Category: call.CategoryContact, Count: c.numbers + c.archived},
		{Thing: rights.Rows, Name: "phone numbers", Category: call.CategoryContact, Count: c.numbers, Newest: c.newest},
		{Thing: rights.Rows, Name: "names from phone books", Category: call.CategoryContact, Count: c.names, Newest: c.newest},
		{Thing: rights.Rows, Name: "numbers kept out, which stay so without the number", Category: "suppression", Count: c.exclusions},
		{Thing: rights.Rows, Name: "calls, which stay without the person", Category: call.CategoryCall, Count: c.calls, Newest: c.newest},
		{Thing: rights.Rows, Name: "call-backs", Category: call.CategoryCall, Count: c.callbacks, Newest: c.newest},
		{Thing: rights.Rows, Name: "notes", Category: call.CategoryNote, Count: c.notes, Newest: c.newest},
		{Thing: rights.Rows, Name: "tags", Category: call.CategoryNote, Count: c.tags, Newest: c.newest},
		{Thing: rights.Devices, Name: "phones that had calls with the person", Count: c.phones},
	}
	return there(all), nil
}

// there are the lines that count something.
func there(all []rights.Line) []rights.Line {
	var out []rights.Line
	for _, l := range all {
		if l.Count > 0 {
			out = append(out, l)
		}
	}
	return out
}

// erase erases a person. Where a law keeps some of it, the person's calls and number stay, and nobody may use them.
func (p *Persons) erase(ctx context.Context, id account.OrgID, who subject.Ref, d rights.Decision) ([]rights.Line, error) {
	if who.Kind == subject.Member {
		return p.eraseMember(ctx, id, who, d)
	}
	n := number.ID(who.Num())
	if n <= number.Withheld {
		return nil, nil
	}
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.KeepsAny() {
		return p.lock(ctx, org, n, d)
	}
	before, err := p.count(ctx, id, n)
	if err != nil {
		return nil, err
	}
	var callbacks int64
	removed, err := p.Writer.Erase(ctx, p.Devices, org, ingest.Erasure{Numbers: []number.ID{n}, Nameless: before.calls+before.archived > 0, First: func(ctx context.Context, tx *db.Tx) error {
		if err := gates(ctx, tx, d, call.CategoryContact, call.CategoryCall, call.CategoryNote, "import.file"); err != nil {
			return err
		}
		callbacks, err = callback.Remove(ctx, tx, id, n)
		return err
	}})
	if err != nil {
		return nil, err
	}
	all := []rights.Line{
		{Thing: rights.Keys, Name: "key of the person", Count: removed.Numbers + before.archived},
		{Thing: rights.Indexes, Name: "entries of the number index", Category: call.CategoryContact, Count: removed.Numbers + before.archived},
		{Thing: rights.Rows, Name: "phone numbers", Category: call.CategoryContact, Count: removed.Numbers},
		{Thing: rights.Rows, Name: "names from phone books", Category: call.CategoryContact, Count: removed.Names},
		{Thing: rights.Rows, Name: "numbers kept out, which stay so without the number", Category: "suppression", Count: before.exclusions},
		{Thing: rights.Rows, Name: "calls, which stay without the person", Category: call.CategoryCall, Count: removed.Calls, Newest: before.newest},
		{Thing: rights.Rows, Name: "call-backs", Category: call.CategoryCall, Count: callbacks},
		{Thing: rights.Rows, Name: "notes", Category: call.CategoryNote, Count: removed.Notes},
		{Thing: rights.Rows, Name: "tags", Category: call.CategoryNote, Count: removed.Tags},
		{Thing: rights.Rows, Name: "rows that imports had refused", Category: "import.file", Count: removed.Rejects},
	}
	if removed.Numbers > 0 {
		all = append(all, rights.Line{Thing: rights.Devices, Name: "phones that had calls with the person", Count: before.phones})
	}
	return there(all), nil
}

func gates(ctx context.Context, c db.Conn, d rights.Decision, categories ...string) error {
	for _, category := range categories {
		if err := d.Gate(ctx, c, category); err != nil {
			return err
		}
	}
	return nil
}

// lock removes what no law keeps, and keeps the rest from every use. Key, number and calls stay until Erase is called
// without anything to keep.
func (p *Persons) lock(ctx context.Context, org *account.Org, n number.ID, d rights.Decision) ([]rights.Line, error) {
	var names, notes, tags, callbacks int64
	if err := p.Writer.Do(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if !d.Keeps(call.CategoryContact) {
			if err := d.Gate(ctx, tx, call.CategoryContact); err != nil {
				return err
			}
			if names, err = p.Book.Unname(ctx, tx, org.ID, n); err != nil {
				return err
			}
		}
		if !d.Keeps(call.CategoryNote) {
			if err := d.Gate(ctx, tx, call.CategoryNote); err != nil {
				return err
			}
			if notes, tags, err = call.RemoveNotes(ctx, tx, org.ID, []number.ID{n}); err != nil {
				return err
			}
		}
		if d.Keeps(call.CategoryCall) {
			return nil
		}
		if err := d.Gate(ctx, tx, call.CategoryCall); err != nil {
			return err
		}
		callbacks, err = callback.Remove(ctx, tx, org.ID, n)
		return err
	}); err != nil {
		return nil, err
	}
	if err := p.Restrict(ctx, org, n, true); err != nil {
		return nil, err
	}
	return there([]rights.Line{
		{Thing: rights.Rows, Name: "names from phone books", Category: call.CategoryContact, Count: names},
		{Thing: rights.Rows, Name: "call-backs", Category: call.CategoryCall, Count: callbacks},
		{Thing: rights.Rows, Name: "notes", Category: call.CategoryNote, Count: notes},
		{Thing: rights.Rows, Name: "tags", Category: call.CategoryNote, Count: tags},
	}), p.DB.Checkpoint(ctx)
}

// Restrict keeps a person's data from every use but being stored, erased, and given to the person; or ends that. It takes
// effect before it returns, in every report, list, page and search.
func (p *Persons) Restrict(ctx context.Context, org *account.Org, n number.ID, on bool) error {
	stored, err := p.stored(ctx, org.ID, n)
	if err != nil {
		return err
	}
	if !stored {
		return fault.New(fault.NotFound, "There is no number %d in the book. The person's data may have been erased.", n)
	}
	return p.Writer.Restrict(ctx, org, n, on)
}
