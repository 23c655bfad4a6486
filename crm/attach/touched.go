package attach

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Heard keeps what a transaction changes of calls, in that transaction: for ingest.Writer.Watch. One small row is written,
// whatever the numbers are; Run finds out whose they are.
func (a *Attach) Heard(ctx context.Context, tx *db.Tx, org account.OrgID, c *ingest.Changes) error {
	b := packTouched(c)
	if len(b) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO touched_calls (org_id, seq, at_ms, b)
		VALUES ($1, (SELECT coalesce(max(seq), 0) + 1 FROM touched_calls WHERE org_id = $1), $2, $3)`, org, a.Now().UnixMilli(), b)
	return err
}

// touched is what some transactions changed of calls: on which agents' days, and whose calls those are.
type touched struct {
	days    []ingest.AgentDay
	numbers []number.ID // ascending, each once
}

// packTouched writes changes as bytes: how many agents' days, the day and agent of each, and then the numbers, ascending, each
// as its distance from the one before. It is nil when there are no numbers.
func packTouched(c *ingest.Changes) []byte {
	numbers := slices.Concat(c.Numbers, c.Flagged)
	if len(numbers) == 0 {
		return nil
	}
	slices.Sort(numbers)
	b := make([]byte, 0, 4+4*len(c.Days)+2*len(numbers))
	b = binary.AppendUvarint(b, uint64(len(c.Days)))
	for _, d := range c.Days {
		b = binary.AppendVarint(b, int64(d.Day))
		b = binary.AppendUvarint(b, uint64(d.Agent))
	}
	last := number.Withheld
	for _, n := range numbers {
		if n != last {
			b = binary.AppendUvarint(b, uint64(n-last))
			last = n
		}
	}
	return b
}

// add reads what packTouched wrote, and adds it to what t has.
func (t *touched) add(b []byte) error {
	broken := false
	unsigned := func() uint64 {
		v, n := binary.Uvarint(b)
		if broken = broken || n <= 0; broken {
			return 0
		}
		b = b[n:]
		return v
	}
	for left := unsigned(); left > 0 && !broken; left-- {
		day, n := binary.Varint(b)
		if broken = n <= 0; broken {
			break
		}
		b = b[n:]
		t.days = append(t.days, ingest.AgentDay{Day: civil.Day(day), Agent: account.AgentNo(unsigned())})
	}
	for last := number.Withheld; len(b) > 0 && !broken; {
		last += number.ID(unsigned())
		t.numbers = append(t.numbers, last)
	}
	if broken {
		return fault.New(fault.Internal, "A row of touched_calls does not read. Restore a backup with \"parley restore\".")
	}
	slices.SortFunc(t.days, func(x, y ingest.AgentDay) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Agent, y.Agent))
	})
	slices.Sort(t.numbers)
	t.days, t.numbers = slices.Compact(t.days), slices.Compact(t.numbers)
	return nil
}
