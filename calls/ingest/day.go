package ingest

import (
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/roll"
)

// agentDay is one agent's calls of one day in memory.
type agentDay struct {
	house   *house
	bounds  dayBounds
	rows    []call.Row
	gone    []bool // rows that were deleted
	fresh   []bool // rows that are to be written
	chain   []int32
	head    map[number.ID]int32 // the last row of each number; chain leads to those before it, -1 ends it
	refs    map[int64]int32
	changed bool
	dropped bool        // a row is gone
	struck  []number.ID // all their rows are gone
	gen     int64
}

// nearMillis is how far two sources may disagree about the start of one call.
const nearMillis = 2000

func newAgentDay(h *house, bounds dayBounds) *agentDay {
	return &agentDay{house: h, bounds: bounds, head: map[number.ID]int32{}, refs: map[int64]int32{}}
}

func (d *agentDay) append(r *call.Row, fresh bool) {
	i := int32(len(d.rows))
	d.rows, d.gone, d.fresh = append(d.rows, *r), append(d.gone, false), append(d.fresh, fresh)
	before, ok := d.head[r.Number]
	if !ok {
		before = -1
	}
	d.chain = append(d.chain, before)
	d.head[r.Number] = i
	if r.Ref > 0 {
		d.refs[r.Ref] = i
	}
}

func (d *agentDay) insert(r *call.Row) {
	d.append(r, true)
	d.changed = true
}

func (d *agentDay) remove(i int) {
	if r := d.rows[i].Ref; r > 0 && d.refs[r] == int32(i) {
		delete(d.refs, r)
	}
	d.gone[i] = true
	d.changed, d.dropped = true, true
}

func (d *agentDay) overwrite(i int, r *call.Row) {
	d.remove(i)
	d.append(r, true)
}

// settle makes the day, whose changes are stored now, one without changes.
func (d *agentDay) settle() *agentDay {
	d.house = nil // the next unit has its own
	if !d.dropped {
		clear(d.fresh)
		d.changed = false
		return d
	}
	out := newAgentDay(nil, d.bounds)
	for i := range d.rows {
		if !d.gone[i] {
			out.append(&d.rows[i], false)
		}
	}
	return out
}

// find gives the row with the same natural key.
func (d *agentDay) find(k *call.Key) (int, bool) {
	i, ok := d.head[k.Number]
	for ; ok && i >= 0; i = d.chain[i] {
		if r := &d.rows[i]; !d.gone[i] && r.Start == k.Start && r.Direction == k.Direction && r.Line == k.Line {
			return int(i), true
		}
	}
	return 0, false
}

// byRef finds the call that the same device sent under the same key of its own.
func (d *agentDay) byRef(r *call.Row) (int, bool) {
	if r.Ref <= 0 {
		return 0, false
	}
	i, ok := d.refs[r.Ref]
	return int(i), ok && d.rows[i].Line == r.Line
}

// nearby finds the same call as another source tells it: number, direction and duration equal, the start within two
// seconds; of several the nearest. Calls of one source are told apart by their exact starts, so a call that an earlier
// row of the same file was found to be is not offered to the next.
func (d *agentDay) nearby(r *call.Row, taken *claims) (int, bool) {
	best, least := -1, int64(nearMillis+1)
	i, ok := d.head[r.Number]
	for ; ok && i >= 0; i = d.chain[i] {
		old := &d.rows[i]
		if d.gone[i] || old.Presentation == call.PresentationErased || old.Direction != r.Direction || old.Seconds != r.Seconds || (old.Ref >= 0 && r.Ref >= 0) || old.Ref == r.Ref {
			continue
		}
		if diff := max(old.Start-r.Start, r.Start-old.Start); diff < least && !taken.other(&old.Key, r.Start) {
			best, least = int(i), diff
		}
	}
	return best, best >= 0
}

// collect appends the rows that are to be written.
func (d *agentDay) collect(into []call.Row) []call.Row {
	for i := range d.rows {
		if d.fresh[i] && !d.gone[i] {
			into = append(into, d.rows[i])
		}
	}
	return into
}

// forRoll appends what the roll-up needs of the rows.
func (d *agentDay) forRoll(into []roll.Row) []roll.Row {
	out := &d.house.excluded // no hidden number means no restricted one either
	for i := range d.rows {
		if r := &d.rows[i]; !d.gone[i] {
			hidden := len(out.Hidden) > 0 && out.Hidden[r.Number]
			into = append(into, roll.Row{Start: r.Start, Number: r.Number, Type: r.Type, Seconds: r.Seconds, Line: int32(r.Line), Hidden: hidden,
				Restricted: hidden && out.Restricted[r.Number]})
		}
	}
	return into
}

// claims remember which stored calls the rows of one import were found to be, by the start of the row. Only rows close
// to each other can meet, so two generations of a few thousand are enough. A nil *claims remembers nothing.
type claims struct {
	young, old map[call.Key]int64
}

const maxClaims = 4096

// take notes that the row that starts at start is the call k.
func (c *claims) take(k *call.Key, start int64) {
	if c == nil {
		return
	}
	if len(c.young) >= maxClaims || c.young == nil {
		c.old, c.young = c.young, make(map[call.Key]int64)
	}
	c.young[*k] = start
}

// other tells whether another row than the one that starts at start is the call k.
func (c *claims) other(k *call.Key, start int64) bool {
	if c == nil {
		return false
	}
	at, ok := c.young[*k]
	if !ok {
		at, ok = c.old[*k]
	}
	return ok && at != start
}
