package call

import (
	"cmp"
	"embed"
	"encoding/binary"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/id"
)

// Schema holds the package's tables.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// LineNo is a line's dense number within its organisation.
type LineNo int32

// Key is a call's natural identity within its organisation.
type Key struct {
	Day       civil.Day
	Agent     account.AgentNo
	Start     int64 // Unix milliseconds
	Number    number.ID
	Direction Direction
	Line      LineNo
}

// Compare orders keys as the table does.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Day, o.Day), cmp.Compare(k.Agent, o.Agent), cmp.Compare(k.Start, o.Start),
		cmp.Compare(k.Number, o.Number), cmp.Compare(k.Direction, o.Direction), cmp.Compare(k.Line, o.Line))
}

// args are the key's columns after org_id, in the table's order.
func (k Key) args(org account.OrgID) []any {
	return []any{org, k.Day, k.Agent, k.Start, k.Number, k.Direction, k.Line}
}

// keyWhere is the condition that args fill.
const keyWhere = `org_id = $1 AND day = $2 AND agent = $3 AND start = $4 AND num = $5 AND dir = $6 AND line = $7`

// Row is one row of the calls table.
type Row struct {
	Key
	Type         Type
	Seconds      int
	Source       Source
	Presentation Presentation
	Ref          int64
	Synced       int64 // Unix seconds
}

// Columns are the columns that Row.Scan reads.
const Columns = `day, agent, start, num, dir, line, type, seconds, source, pres, ref, synced`

// Scan reads a row of Columns.
func (r *Row) Scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.Day, &r.Agent, &r.Start, &r.Number, &r.Direction, &r.Line, &r.Type, &r.Seconds, &r.Source, &r.Presentation, &r.Ref, &r.Synced)
}

// Outcome is how the call ended under the organisation's threshold.
func (r *Row) Outcome(connectedFrom int) Outcome { return OutcomeOf(r.Type, r.Seconds, connectedFrom) }

// At is when the call started.
func (r *Row) At() time.Time { return time.UnixMilli(r.Start) }

const idPrefix = "cal_"

// ID is the call's public name. It holds the organisation, so that another organisation's is recognised as such.
func (k Key) ID(org account.OrgID) string {
	b := make([]byte, 0, 24)
	for _, v := range [...]int64{int64(org), int64(k.Day), int64(k.Agent), k.Start, int64(k.Number), int64(k.Direction), int64(k.Line)} {
		b = binary.AppendVarint(b, v)
	}
	return idPrefix + id.Encode(b)
}

// ParseID reads a call's public name. One of another organisation is NotFound, like one that means nothing.
func ParseID(org account.OrgID, text string) (Key, error) {
	missing := fault.New(fault.NotFound, "There is no call %q here. It may have been deleted.", text)
	if len(text) < len(idPrefix) || len(text) > 80 || text[:len(idPrefix)] != idPrefix {
		return Key{}, missing
	}
	b, err := id.Decode(text[len(idPrefix):])
	if err != nil {
		return Key{}, missing
	}
	var v [7]int64
	for i := range v {
		n := 0
		if v[i], n = binary.Varint(b); n <= 0 {
			return Key{}, missing
		}
		b = b[n:]
	}
	if account.OrgID(v[0]) != org || len(b) != 0 {
		return Key{}, missing
	}
	return Key{civil.Day(v[1]), account.AgentNo(v[2]), v[3], number.ID(v[4]), Direction(v[5]), LineNo(v[6])}, nil
}
