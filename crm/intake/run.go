package intake

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/crm/vcard"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/sheet"
)

const (
	// batchRows is how many rows of a file commit together.
	batchRows = 1000
	// progressEvery is how often progress is told at most.
	progressEvery = 200 * time.Millisecond
)

// running is an import that runs.
type running struct {
	i        *Imports
	org      *account.Org
	m        *Import // as committed
	src      *opened
	k        *converter
	contacts *contact.Checker
	leads    *lead.Checker
	sight    contact.Sight
	ours     func(canonical string) (call.LineNo, bool)
	assigner *Assigner
	memory   memory // of a dry run
	progress func(Import)
	told     time.Time
}

// opened is a file whose rows are about to be read.
type opened struct {
	*file
	table   *table // nil for cards
	mapping *Mapping
	heads   []Head
}

// Run brings a file in, or rehearses it. It waits for other imports of the organisation. progress, if not nil, is told how far
// it is from the beginning on. The import is given even where it failed, once it had begun.
func (i *Imports) Run(ctx context.Context, actor *account.Actor, f io.ReaderAt, size int64, spec Spec, progress func(Import)) (*Import, error) {
	if err := actor.Require(account.ImportLeads); err != nil {
		return nil, err
	}
	org := actor.Org
	end, err := i.turn(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	defer end()
	r := &running{i: i, org: org, progress: progress}
	if err := r.prepare(ctx, actor, f, size, spec); err != nil {
		return nil, err
	}
	if r.m.Spec.DryRun {
		scratch, err := rehearse(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { _ = scratch.close() }() // a scratch file; the import is told by its own errors
		r.memory = scratch
	}
	if err := i.d.DB.Tx(ctx, func(tx *db.Tx) error { return i.begin(ctx, tx, org.ID, r.m) }); err != nil {
		return nil, err
	}
	r.tell(true)
	err = r.stream(ctx)
	err = r.finish(context.WithoutCancel(ctx), err) // its end is recorded even when nobody waits for it any more
	r.tell(true)
	return r.m, err
}

// prepare opens the file and looks up what all rows need.
func (r *running) prepare(ctx context.Context, actor *account.Actor, f io.ReaderAt, size int64, spec Spec) (err error) {
	i, org := r.i, r.org
	if err := i.check(ctx, org, &spec); err != nil {
		return err
	}
	if r.sight, err = contact.SightOf(ctx, i.d.Accounts, actor); err != nil {
		return err
	}
	if r.k, err = i.converter(ctx, org, &spec); err != nil {
		return err
	}
	if r.src, err = i.openRows(ctx, org, f, size, &spec, r.k); err != nil {
		return err
	}
	if r.contacts, err = i.d.Contacts.Checker(ctx, i.d.DB, org); err != nil {
		return err
	}
	if r.leads, err = i.d.Leads.Checker(ctx, i.d.DB, org); err != nil {
		return err
	}
	if r.ours, err = i.d.Devices.Ours(ctx, org); err != nil {
		return err
	}
	if spec.Give == ByRules && i.d.Assign != nil {
		if r.assigner, err = i.d.Assign(ctx, org); err != nil {
			return err
		}
	}
	r.m = (&Import{ID: id.New("cim"), Spec: spec, Format: r.src.format, State: Running, Bytes: size, StartedAt: i.d.Now(), By: actor.Member.ID}).clone()
	r.k.spec = &Spec{}
	*r.k.spec = r.m.Spec // which the reading goroutine has for itself
	return nil
}

// check refuses what is said of all rows where it cannot be, before a row is read.
func (i *Imports) check(ctx context.Context, org *account.Org, spec *Spec) (err error) {
	if _, err = ParseKind(string(spec.Kind)); err != nil {
		return err
	}
	if spec.Policy, err = ParsePolicy(string(spec.Policy)); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]Give{Nobody, ByRules, Fixed}, spec.Give):
		return fault.Field("give", "%q does not say who gets the rows. Write rules, member or nothing.", string(spec.Give))
	case spec.Give == Fixed && spec.Member == "":
		return fault.Field("member", "Choose the member who is to get the rows.")
	case spec.Give == ByRules && spec.Kind == Contacts:
		return fault.Field("give", "The rules of assignment give out leads, not contacts. Choose a member, or nobody.")
	case spec.Give != Fixed:
		spec.Member = ""
	}
	if spec.Tags, err = contact.CleanTags(spec.Tags); err != nil {
		return err
	}
	probe := lead.New{Pipeline: spec.Pipeline, Stage: spec.Stage, Source: spec.Source, Owner: spec.Member, Team: spec.Team, Tags: spec.Tags}
	k, err := i.d.Leads.Checker(ctx, i.d.DB, org)
	if err != nil {
		return err
	}
	if err := k.Check(ctx, i.d.DB, &probe); err != nil {
		return err
	}
	spec.Source = probe.Source
	return nil
}

// converter looks up what turns words of a file into members, stages and own fields.
func (i *Imports) converter(ctx context.Context, org *account.Org, spec *Spec) (*converter, error) {
	k := &converter{org: org, spec: spec, members: map[string]account.MemberID{}, stages: map[string]string{}, clock: sheet.Clock{Zone: org.Location(), Country: org.Country}}
	all, err := i.d.Accounts.Members(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if !m.Active {
			continue
		}
		k.members[strings.ToLower(m.Email)] = m.ID
		if name := strings.ToLower(strings.TrimSpace(m.Name)); name != "" {
			if _, twice := k.members[name]; twice {
				k.members[name] = ""
				continue
			}
			k.members[name] = m.ID
		}
	}
	delete(k.members, "")
	p, err := i.d.Leads.Pipeline(ctx, i.d.DB, org.ID, spec.Pipeline)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Active() {
		k.stages[strings.ToLower(s.Title)], k.stages[strings.ToLower(s.Key)] = s.Key, s.Key
	}
	k.currency = i.d.Leads.CurrencyOf(p, org)
	if k.contacts, err = i.d.Fields.Of(ctx, i.d.DB, org.ID, field.OfContact); err != nil {
		return nil, err
	}
	k.leads, err = i.d.Fields.Of(ctx, i.d.DB, org.ID, field.OfLead)
	return k, err
}

// adviser is who proposes what columns mean.
func (k *converter) adviser() *adviser {
	a := &adviser{kind: k.spec.Kind, contacts: k.contacts, leads: k.leads}
	a.owner = func(c string) bool { return k.members[strings.ToLower(c)] != "" }
	a.stage = func(c string) bool { return k.stages[strings.ToLower(c)] != "" }
	if k.spec.Kind == Contacts {
		a.leads = nil
	}
	return a
}

// openRows opens a file and settles how its columns are read.
func (i *Imports) openRows(ctx context.Context, org *account.Org, f io.ReaderAt, size int64, spec *Spec, k *converter) (*opened, error) {
	x, err := openFile(f, size, spec.Name)
	if err != nil || x.format == formatVCard {
		return &opened{file: x}, err
	}
	g, o, err := i.look(ctx, org, x, spec, k)
	if err != nil {
		return nil, err
	}
	if len(g.Missing) > 0 {
		if g.Missing[0] == FieldDateOrder {
			return nil, fault.Field("date_order", "The dates of %s could be day-first or month-first: no day in the file is past the 12th, or both orders occur. State the order: dmy for 31/12/2026, mdy for 12/31/2026.", sheet.FileNamed(x.name))
		}
		return nil, fault.Field("mapping", "No column of %s says who somebody is. Map a name, a company, a number or an e-mail address. Its columns are: %s.", sheet.FileNamed(x.name), headerList(o.heads))
	}
	spec.Mapping, spec.Headers = o.mapping, nil
	for _, h := range o.heads {
		spec.Headers = append(spec.Headers, h.Header)
	}
	return o, nil
}

// row is a row of a file: a draft, or why there is none.
type row struct {
	draft *draft
	bad   *sheet.RowError
	cells []string
}

// parcel is a part of a file, ready to be settled.
type parcel struct {
	rows     []row
	bytes    int64 // of the file, up to its end
	pictures int64
}

// stream reads and stores at the same time, one batch ahead.
func (r *running) stream(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	parcels := make(chan *parcel, 1)
	var failed error
	var reading sync.WaitGroup
	whole := r.m.Bytes // r.m is the storing side's
	reading.Go(func() {
		defer close(parcels)
		failed = r.read(ctx, whole, parcels)
	})
	defer reading.Wait()
	defer stop()
	steady := context.WithoutCancel(ctx) // a batch that was begun is waited for, so that it is counted
	for p := range parcels {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.put(steady, p); err != nil {
			return err
		}
	}
	return failed
}

// read cuts the file of so many bytes into parcels.
func (r *running) read(ctx context.Context, whole int64, to chan<- *parcel) error {
	next, closing, err := r.rows()
	if err != nil {
		return err
	}
	defer closing()
	p := &parcel{}
	send := func() error {
		p.bytes = min(r.src.done.Load(), whole)
		select {
		case to <- p:
			p = &parcel{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		x, pictures, err := next()
		if err == io.EOF {
			if len(p.rows) == 0 {
				return nil
			}
			return send()
		}
		if err != nil {
			return err
		}
		p.pictures += int64(pictures)
		if p.rows = append(p.rows, x); len(p.rows) >= batchRows {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

// rows begins to read the file and gives what gives one row after the other, with the pictures that were left out of it.
func (r *running) rows() (next func() (row, int, error), closing func(), err error) {
	if r.src.format == formatVCard {
		src, err := r.src.open()
		if err != nil {
			return nil, nil, err
		}
		r.src.done.Store(0)
		cards := vcard.NewReader(src)
		return func() (row, int, error) { return r.card(cards) }, func() { _ = src.Close() }, nil // it was only read
	}
	rows, err := r.src.table.rows()
	if err != nil {
		return nil, nil, err
	}
	r.src.done.Store(0)
	skip := r.src.table.header + 1
	return func() (row, int, error) {
		for {
			cells, n, err := rows.Next()
			bad, refused := errors.AsType[*sheet.RowError](err)
			switch {
			case skip > 0 && (err == nil || refused):
				skip--
			case refused:
				return row{bad: bad}, 0, nil
			case err == io.EOF:
				return row{}, 0, err
			case err != nil:
				return row{}, 0, sheet.Stop(err, r.src.name, "row", n)
			case sheet.Blank(cells) || r.header(cells):
			default:
				x := row{cells: slices.Clone(cells)}
				if x.draft, x.bad = r.k.row(cells); x.bad != nil {
					x.bad.Row = n
				} else {
					x.draft.row = n
				}
				return x, 0, nil
			}
		}
	}, func() { _ = rows.Close() }, nil
}

// header tells a header that stands among the rows again, as in lists that were put together from several.
func (r *running) header(cells []string) bool {
	same := 0
	for n, h := range r.src.heads {
		if n < len(cells) && strings.TrimSpace(cells[n]) != "" {
			if r.src.mapping.NoHeader || strings.TrimSpace(cells[n]) != h.Header {
				return false
			}
			same++
		}
	}
	return same > 1
}

func (r *running) card(cards *vcard.Reader) (row, int, error) {
	c, err := cards.Next()
	if bad, refused := errors.AsType[*sheet.RowError](err); refused {
		return row{bad: bad}, 0, nil
	}
	if err == io.EOF {
		return row{}, 0, err
	}
	if err != nil {
		return row{}, 0, sheet.Stop(err, r.src.name, "card", cards.Card())
	}
	x := row{cells: cardCells(c)}
	if x.draft, x.bad = r.k.card(c); x.bad != nil {
		x.bad.Row = cards.Card()
	} else {
		x.draft.row = cards.Card()
	}
	return x, c.Dropped, nil
}

// cardCells is a card in the list of what was not taken: name, company, numbers, addresses.
func cardCells(c *vcard.Card) []string {
	list := func(all []vcard.Typed) string {
		var out []string
		for _, t := range all {
			out = append(out, t.Text)
		}
		return strings.Join(out, "; ")
	}
	return []string{c.Formatted, c.Company, list(c.Phones), list(c.Emails)}
}

// put settles and stores a parcel together with the import's new counts. Where something about a row speaks against all of
// them only when they are written, the parcel is cut until the row stands alone.
func (r *running) put(ctx context.Context, p *parcel) error {
	next := r.m.clone()
	next.Counts.Pictures += p.pictures
	next.BytesDone = p.bytes
	var drafts []*draft
	for _, x := range p.rows {
		if x.draft != nil {
			d := *x.draft // settling changes it, and may be done again
			drafts = append(drafts, &d)
		}
	}
	err := r.take(ctx, next, p, drafts)
	if err != nil && user(err) && len(p.rows) > 1 {
		half := len(p.rows) / 2
		for _, part := range []*parcel{{rows: p.rows[:half], bytes: r.m.BytesDone, pictures: p.pictures}, {rows: p.rows[half:], bytes: p.bytes}} {
			if err := r.put(ctx, part); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil && user(err) && p.rows[0].draft != nil {
		bad := r.k.refused(err)
		bad.Row = p.rows[0].draft.row
		alone := &parcel{rows: []row{{bad: bad, cells: p.rows[0].cells}}, bytes: p.bytes, pictures: p.pictures}
		return r.put(ctx, alone)
	}
	if err != nil {
		return err
	}
	r.m = next
	r.tell(false)
	return nil
}

// take settles drafts and writes what becomes of them, of the rows that are none, and the counts.
func (r *running) take(ctx context.Context, next *Import, p *parcel, drafts []*draft) error {
	if r.memory == nil {
		var committed []func()
		err := r.i.d.DB.Tx(ctx, func(tx *db.Tx) error {
			r.forget() // of an attempt that did not come to its end
			b, err := r.settle(ctx, tx, drafts)
			if err != nil {
				return err
			}
			if committed, err = b.store(ctx, tx); err != nil {
				return err
			}
			return r.record(ctx, tx, next, b, p)
		})
		if err != nil {
			return err
		}
		for _, done := range committed {
			done()
		}
		return nil
	}
	var b *batch
	err := r.i.d.DB.Read(ctx, func(tx *db.Tx) (err error) {
		b, err = r.settle(ctx, tx, drafts)
		return err
	})
	r.forget()
	if err != nil {
		return err
	}
	if err := r.memory.remember(ctx, b.people); err != nil {
		return err
	}
	return r.i.d.DB.Tx(ctx, func(tx *db.Tx) error { return r.record(ctx, tx, next, b, p) })
}

// forget lets go of what the rules decided and was not kept.
func (r *running) forget() {
	if r.assigner != nil && r.assigner.Forget != nil {
		r.assigner.Forget()
	}
}

// record counts a batch and keeps the rows that were not taken.
func (r *running) record(ctx context.Context, tx *db.Tx, next *Import, b *batch, p *parcel) error {
	var problems []Problem
	n := 0
	for _, x := range p.rows {
		v := verdict{fateRefused, x.bad}
		if x.draft != nil {
			v = b.verdicts[n]
			n++
			if v.bad != nil {
				v.bad.Row = x.draft.row
			}
		}
		next.Counts.add(v.fate)
		if v.bad != nil {
			problems = append(problems, Problem{Row: v.bad.Row, Column: v.bad.Column, Value: v.bad.Value, Reason: v.bad.Sentence, Cells: x.cells, Skipped: v.fate != fateRefused})
		}
	}
	for _, who := range b.people {
		next.Counts.made(who, next.Spec.Kind)
	}
	if err := r.i.keepRejects(ctx, tx, r.org.ID, next, problems); err != nil {
		return err
	}
	return r.i.update(ctx, tx, r.org.ID, next)
}

func (c *Counts) add(f fate) {
	c.Rows++
	switch f {
	case fateNew:
		c.New++
	case fateUpdated:
		c.Updated++
	case fateSame:
		c.Same++
	case fateSkipped:
		c.Skipped++
	case fateLeft:
		c.Left++
	case fateErased:
		c.Erased++
	default:
		c.Refused++
	}
}

// made counts the contacts and leads that were made of somebody.
func (c *Counts) made(who *someone, kind Kind) {
	if who.fresh {
		c.Contacts++
		if kind == Contacts {
			c.Owners[who.Owner]++
		}
	}
	for _, x := range who.Leads {
		if x.fresh {
			c.Leads++
			c.Owners[x.Lead.Owner]++
		}
	}
}

func (r *running) tell(always bool) {
	if r.progress == nil {
		return
	}
	if now := time.Now(); always || now.Sub(r.told) >= progressEvery {
		r.told = now
		r.progress(*r.m)
	}
}

// finish records how the import ended, and what the table was read by.
func (r *running) finish(ctx context.Context, cause error) error {
	next := r.m.clone()
	next.EndedAt = r.i.d.Now()
	err := cause
	switch {
	case cause == nil:
		if next.State, next.BytesDone = Done, next.Bytes; next.Spec.DryRun {
			next.State = Dry
		}
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		next.State, next.Sentence = Failed, cancelled+next.kept()
		err = fault.Wrap(fault.Unavailable, cause, "%s", next.Sentence)
	default:
		next.State, next.Sentence = Failed, fault.Sentence(cause)+next.kept()
	}
	recording := r.i.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if next.State == Done && r.src.mapping != nil {
			if err := r.i.remember(ctx, tx, r.org.ID, &next.Spec); err != nil {
				return err
			}
		}
		return r.i.update(ctx, tx, r.org.ID, next)
	})
	r.m = next
	return errors.Join(err, recording)
}
