package ingest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/civil"
	"parley/platform/db"
)

// unit is one group of writes in one transaction: the agent-days it touches, as they were and as they will be.
type unit struct {
	w         *Writer
	tx        *db.Tx
	days      map[dayKey]*agentDay
	excluded  map[account.OrgID]number.Excluded
	committed []func()
}

type dayKey struct {
	org   account.OrgID
	day   civil.Day
	agent account.AgentNo
}

// agentDay is one agent's calls of one day in memory.
type agentDay struct {
	org     *account.Org
	rows    []call.Row
	gone    []bool // rows that were deleted
	fresh   []bool // rows that are to be written
	exact   map[exactKey]int
	near    map[nearKey][]int
	refs    map[int64]int
	changed bool
}

type exactKey struct {
	start int64
	num   number.ID
	dir   call.Direction
	line  call.LineNo
}

type nearKey struct {
	num     number.ID
	dir     call.Direction
	seconds int
}

// nearMillis is how far two sources may disagree about the start of one call.
const nearMillis = 2000

func newUnit(w *Writer, tx *db.Tx) *unit {
	return &unit{w: w, tx: tx, days: map[dayKey]*agentDay{}, excluded: map[account.OrgID]number.Excluded{}}
}

// enter prepares the unit for an organisation's calls.
func (u *unit) enter(ctx context.Context, org *account.Org) (number.Excluded, error) {
	if ex, ok := u.excluded[org.ID]; ok {
		return ex, nil
	}
	if u.tx.Engine() == db.Postgres {
		// Agent-days are read, changed and written back: another process must wait for this one.
		if _, err := u.tx.Exec(ctx, `INSERT INTO number_counters (org_id, next) VALUES ($1, 1)
			ON CONFLICT (org_id) DO UPDATE SET next = number_counters.next`, org.ID); err != nil {
			return number.Excluded{}, err
		}
	}
	ex, err := u.w.book.Excluded(ctx, u.tx, org.ID)
	u.excluded[org.ID] = ex
	return ex, err
}

func (u *unit) put(ctx context.Context, org *account.Org, items []Item) ([]Answer, error) {
	ex, err := u.enter(ctx, org)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(items))
	wanted := make([]string, 0, len(items))
	now := u.w.now()
	for i := range items {
		if err := items[i].check(now); err != nil {
			answers[i] = Answer{State: Refused, Reason: err.Error()}
			continue
		}
		if ex.Dropped[items[i].Number] {
			answers[i] = Answer{State: Excluded}
			continue
		}
		wanted = append(wanted, items[i].Number)
	}
	ids, committed, err := u.w.book.Resolve(ctx, u.tx, org.ID, wanted)
	if err != nil {
		return nil, err
	}
	u.committed = append(u.committed, committed)
	zone := org.Location()
	for i := range items {
		if answers[i].State != 0 {
			continue
		}
		if answers[i], err = u.merge(ctx, org, zone, &items[i], ids[items[i].Number]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// row is the stored form of an item.
func (u *unit) row(zone *time.Location, it *Item, n number.ID) call.Row {
	return call.Row{
		Key:  call.Key{Day: civil.DayOf(it.Start, zone), Agent: it.Agent, Start: it.Start.UnixMilli(), Number: n, Direction: it.Direction, Line: it.Line},
		Type: it.Type, Seconds: it.Seconds, Source: it.Source, Presentation: it.Presentation, Ref: it.Ref, Synced: u.w.now().Unix(),
	}
}

// merge decides what a call is to those already kept: the same one, a changed one, or a new one.
func (u *unit) merge(ctx context.Context, org *account.Org, zone *time.Location, it *Item, n number.ID) (Answer, error) {
	r := u.row(zone, it, n)
	d, err := u.day(ctx, org, r.Day, r.Agent)
	if err != nil {
		return Answer{}, err
	}
	if i, ok := d.exact[exactOf(&r)]; ok {
		return u.mergeSame(ctx, d, i, &r, it)
	}
	if i, ok := d.byRef(&r); ok { // the device corrected its own call
		return u.replace(ctx, d, i, d, r, it)
	}
	if i, ok := d.nearby(&r); ok {
		old := &d.rows[i]
		if r.Ref >= 0 && old.Ref < 0 { // a phone confirms what a file brought: the phone's own row stands
			return u.replace(ctx, d, i, d, r, it)
		}
		return Answer{State: Known, Key: old.Key}, nil
	}
	d.insert(r)
	return Answer{State: New, Key: r.Key}, u.extras(ctx, org.ID, &r, it)
}

// mergeSame handles a call whose natural key is kept already. Files never change what is there; phones do.
func (u *unit) mergeSame(ctx context.Context, d *agentDay, i int, r *call.Row, it *Item) (Answer, error) {
	old := &d.rows[i]
	same := old.Type == r.Type && old.Seconds == r.Seconds && old.Presentation == r.Presentation
	takesOver := r.Ref >= 0 && old.Ref < 0
	if r.Ref < 0 || same && !takesOver {
		return Answer{State: Known, Key: old.Key}, nil
	}
	d.overwrite(i, *r)
	state := Changed
	if same {
		state = Known
	}
	return Answer{State: state, Key: r.Key}, u.extras(ctx, d.org.ID, r, it)
}

// replace puts r in the place of row i of from, on the same day or another, and carries note and tags along.
func (u *unit) replace(ctx context.Context, from *agentDay, i int, to *agentDay, r call.Row, it *Item) (Answer, error) {
	old := from.rows[i].Key
	if err := call.Move(ctx, u.tx, u.w.keys, from.org.ID, old, r.Key); err != nil {
		return Answer{}, err
	}
	from.remove(i)
	to.insert(r)
	return Answer{State: Changed, Key: r.Key}, u.extras(ctx, to.org.ID, &r, it)
}

// extras keeps what comes with a call beside its row: contact name, note, tags.
func (u *unit) extras(ctx context.Context, org account.OrgID, r *call.Row, it *Item) error {
	if it.Name != "" {
		if err := u.w.book.Rename(ctx, u.tx, org, r.Number, it.Name, r.Start); err != nil {
			return err
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

func (u *unit) delete(ctx context.Context, org *account.Org, k call.Key) (bool, error) {
	if _, err := u.enter(ctx, org); err != nil {
		return false, err
	}
	d, err := u.day(ctx, org, k.Day, k.Agent)
	if err != nil {
		return false, err
	}
	i, ok := d.exact[exactKey{k.Start, k.Number, k.Direction, k.Line}]
	if ok {
		d.remove(i)
	}
	return ok, nil
}

func (u *unit) correct(ctx context.Context, org *account.Org, k call.Key, it Item) (Answer, error) {
	if err := it.check(u.w.now()); err != nil {
		return Answer{State: Refused, Reason: err.Error()}, nil
	}
	ex, err := u.enter(ctx, org)
	if err != nil {
		return Answer{}, err
	}
	from, err := u.day(ctx, org, k.Day, k.Agent)
	if err != nil {
		return Answer{}, err
	}
	i, ok := from.exact[exactKey{k.Start, k.Number, k.Direction, k.Line}]
	if !ok {
		return Answer{State: Refused, Reason: "There is no such call here; it may have been deleted."}, nil
	}
	if ex.Dropped[it.Number] {
		from.remove(i)
		return Answer{State: Excluded}, nil
	}
	ids, committed, err := u.w.book.Resolve(ctx, u.tx, org.ID, []string{it.Number})
	if err != nil {
		return Answer{}, err
	}
	u.committed = append(u.committed, committed)
	if it.Ref == 0 {
		it.Ref = from.rows[i].Ref
	}
	r := u.row(org.Location(), &it, ids[it.Number])
	if r.Key == k {
		from.overwrite(i, r)
		return Answer{State: Changed, Key: k}, u.extras(ctx, org.ID, &r, &it)
	}
	to, err := u.day(ctx, org, r.Day, r.Agent)
	if err != nil {
		return Answer{}, err
	}
	if _, taken := to.exact[exactOf(&r)]; taken {
		return Answer{State: Refused, Reason: "Another call with the same line, number, direction and start is kept already. Delete one of the two."}, nil
	}
	return u.replace(ctx, from, i, to, r, &it)
}

// day loads an agent's day once per unit.
func (u *unit) day(ctx context.Context, org *account.Org, day civil.Day, agent account.AgentNo) (*agentDay, error) {
	k := dayKey{org.ID, day, agent}
	if d, ok := u.days[k]; ok {
		return d, nil
	}
	d := &agentDay{org: org, exact: map[exactKey]int{}, near: map[nearKey][]int{}, refs: map[int64]int{}}
	err := call.Each(ctx, u.tx, call.Where(org.ID).And(`day = ?`, day).And(`agent = ?`, agent), "", func(r *call.Row) error {
		d.append(*r, false)
		return nil
	})
	if err != nil {
		return nil, err
	}
	u.days[k] = d
	return d, nil
}

func exactOf(r *call.Row) exactKey { return exactKey{r.Start, r.Number, r.Direction, r.Line} }
func nearOf(r *call.Row) nearKey   { return nearKey{r.Number, r.Direction, r.Seconds} }

func (d *agentDay) append(r call.Row, fresh bool) {
	i := len(d.rows)
	d.rows, d.gone, d.fresh = append(d.rows, r), append(d.gone, false), append(d.fresh, fresh)
	d.exact[exactOf(&r)] = i
	d.near[nearOf(&r)] = append(d.near[nearOf(&r)], i)
	if r.Ref > 0 {
		d.refs[r.Ref] = i
	}
}

func (d *agentDay) insert(r call.Row) {
	d.append(r, true)
	d.changed = true
}

func (d *agentDay) remove(i int) {
	delete(d.exact, exactOf(&d.rows[i]))
	if r := d.rows[i].Ref; d.refs[r] == i {
		delete(d.refs, r)
	}
	d.gone[i] = true
	d.changed = true
}

func (d *agentDay) overwrite(i int, r call.Row) {
	d.remove(i)
	d.append(r, true)
}

// byRef finds the call that the same device sent under the same key of its own.
func (d *agentDay) byRef(r *call.Row) (int, bool) {
	if r.Ref <= 0 {
		return 0, false
	}
	i, ok := d.refs[r.Ref]
	return i, ok && d.rows[i].Line == r.Line
}

// nearby finds the same call as another source tells it: number, direction and duration equal, the start within two
// seconds. Calls of one source are told apart by their exact starts.
func (d *agentDay) nearby(r *call.Row) (int, bool) {
	for _, i := range d.near[nearOf(r)] {
		old := &d.rows[i]
		if d.gone[i] || (old.Ref >= 0 && r.Ref >= 0) || old.Ref == r.Ref {
			continue
		}
		if diff := old.Start - r.Start; diff >= -nearMillis && diff <= nearMillis {
			return i, true
		}
	}
	return 0, false
}

// flush writes what changed: deleted rows, fresh rows, the roll-up of each touched agent-day, the mark of each day.
func (u *unit) flush(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(u.days), func(a, b dayKey) int {
		return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.day, b.day), cmp.Compare(a.agent, b.agent))
	})
	touched := map[dayKey]bool{}
	fresh := map[account.OrgID][]call.Row{}
	var scratch []byte
	var rollup roll.Day
	for _, k := range keys {
		d := u.days[k]
		if !d.changed {
			continue
		}
		if err := u.deleteGone(ctx, d); err != nil {
			return err
		}
		fresh[k.org] = d.collect(fresh[k.org])
		rollup.Build(d.forRoll(u.excluded[k.org].Hidden), k.day.Start(d.org.Location()), roll.Of(d.org))
		var err error
		if scratch, err = roll.Put(ctx, u.tx, k.org, k.day, k.agent, &rollup, scratch); err != nil {
			return err
		}
		touched[dayKey{org: k.org, day: k.day}] = true
	}
	for org, rows := range fresh {
		if err := u.insert(ctx, org, rows); err != nil {
			return err
		}
	}
	for k := range touched {
		if err := call.Touch(ctx, u.tx, k.org, k.day); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) deleteGone(ctx context.Context, d *agentDay) error {
	for i := range d.rows {
		if !d.gone[i] || d.fresh[i] {
			continue
		}
		if j, ok := d.exact[exactOf(&d.rows[i])]; ok && !d.gone[j] {
			continue // the same key is written again and keeps its note and tags
		}
		if _, err := call.DeleteRow(ctx, u.tx, d.org.ID, d.rows[i].Key); err != nil {
			return err
		}
	}
	return nil
}

func (d *agentDay) collect(into []call.Row) []call.Row {
	for i := range d.rows {
		if d.fresh[i] && !d.gone[i] {
			into = append(into, d.rows[i])
		}
	}
	return into
}

func (d *agentDay) forRoll(hidden map[number.ID]bool) []roll.Row {
	out := make([]roll.Row, 0, len(d.rows))
	for i := range d.rows {
		if r := &d.rows[i]; !d.gone[i] {
			out = append(out, roll.Row{Start: r.Start, Number: r.Number, Type: r.Type, Seconds: r.Seconds, Line: int32(r.Line), Hidden: hidden[r.Number]})
		}
	}
	return out
}

// insertSizes are the row counts of insert statements: few texts, so that each stays prepared.
var insertSizes = [...]int{50, 10, 1}

const callColumns = 13

func (u *unit) insert(ctx context.Context, org account.OrgID, rows []call.Row) error {
	slices.SortFunc(rows, func(a, b call.Row) int { return a.Compare(b.Key) })
	args := make([]any, 0, insertSizes[0]*callColumns)
	for i, size := range insertSizes {
		for len(rows) >= size {
			args = args[:0]
			for j := range rows[:size] {
				r := &rows[j]
				args = append(args, org, r.Day, r.Agent, r.Start, r.Number, r.Direction, r.Line, r.Type, r.Seconds, r.Source, r.Presentation, r.Ref, r.Synced)
			}
			if _, err := u.tx.Exec(ctx, u.w.inserts[i], args...); err != nil {
				return err
			}
			rows = rows[size:]
		}
	}
	return nil
}

// insertTexts are the statements for insertSizes.
func insertTexts() (texts [len(insertSizes)]string) {
	for i, rows := range insertSizes {
		texts[i] = `INSERT INTO calls (org_id, ` + call.Columns + `) VALUES ` + db.Values(rows, callColumns) + `
			ON CONFLICT (org_id, day, agent, start, num, dir, line) DO UPDATE SET type = excluded.type, seconds = excluded.seconds,
			source = excluded.source, pres = excluded.pres, ref = excluded.ref, synced = excluded.synced`
	}
	return texts
}
