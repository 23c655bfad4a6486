package device

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Digest is what one side holds of a line's calls on a local day of the organisation.
//
// Hash is the SHA-256, in lower-case hexadecimal, over the day's calls sorted by start and then by number, each written
// as
//
//	start_ms|direction|type|seconds|canonical number\n
//
// Direction is 0 unknown, 1 incoming, 2 outgoing; type is Android's code, 0 for codes that are not published; the number
// is the form that a sync answered with, empty when withheld. Calls with numbers that are never stored, or were erased, are
// left out, and calls that agree in line, start, direction and number count once. A day without calls has count 0 and the
// hash of nothing.
type Digest struct {
	Line  LineID
	Day   civil.Day
	Count int
	Hash  string

	archived bool // some numbers of the day lie in the archive, so that nobody can compare
}

// DayDiff is a line's day on which the two sides differ. The phone answers by sending that day's calls again.
type DayDiff struct {
	Line  LineID
	Day   civil.Day
	Count int // calls held here
	// Lacking says that the server lacks calls. When it holds more calls than the phone it is not said: phones drop
	// the oldest calls from their log.
	Lacking bool
}

// maxDigests bounds one request: two lines over half a year.
const maxDigests = 400

type lineDay struct {
	line call.LineNo
	day  civil.Day
}

// SetDigest compares a phone's digests with what is held here, keeps the outcome, and lists the days that differ.
func (s *Devices) SetDigest(ctx context.Context, d *Device, digests []Digest) ([]DayDiff, error) {
	if len(digests) > maxDigests {
		return nil, fault.New(fault.TooLarge, "A request may hold %d digests; %d were sent. Send them in parts.", maxDigests, len(digests))
	}
	org, err := s.accounts.Org(ctx, d.Org)
	if err != nil {
		return nil, err
	}
	theirs := make(map[lineDay]Digest, len(digests))
	for _, g := range digests {
		no, err := d.Line(g.Line, "")
		if err != nil || g.Line == "" {
			return nil, fault.New(fault.NotFound, "This phone reports for no line %q. Fetch the configuration again for the lines it has.", string(g.Line))
		}
		if g.Count < 0 || g.Count > maxWaiting || len(g.Hash) != 2*sha256.Size {
			return nil, fault.Field("hash", "The digest of %s is not a count and a SHA-256 in hexadecimal.", g.Day)
		}
		theirs[lineDay{no, g.Day}] = g
	}
	var diffs []DayDiff
	lacking := map[lineDay]bool{}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		ours, err := s.digests(ctx, tx, org, slices.Collect(maps.Keys(theirs)))
		for k, g := range theirs {
			if own := ours[k]; own.Hash != g.Hash && !own.archived {
				lacking[k] = own.Count <= g.Count
				diffs = append(diffs, DayDiff{Line: g.Line, Day: g.Day, Count: own.Count, Lacking: lacking[k]})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(diffs, func(a, b DayDiff) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Day, b.Day)) })
	return diffs, s.keepDigests(ctx, d, theirs, lacking)
}

// keepRows is how many digests one statement writes.
const keepRows = 50

func (s *Devices) keepDigests(ctx context.Context, d *Device, theirs map[lineDay]Digest, lacking map[lineDay]bool) error {
	keys, now := slices.Collect(maps.Keys(theirs)), s.now().UnixMilli()
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		for part := range slices.Chunk(keys, keepRows) {
			var args []any
			for _, k := range part {
				g := theirs[k]
				args = append(args, d.Org, k.line, k.day, d.ID, g.Count, g.Hash, b2i(lacking[k]), now)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO digests (org_id, line, day, device_id, calls, hash, lacking, at_ms) VALUES `+db.Values(len(part), 8)+`
				ON CONFLICT (org_id, line, day) DO UPDATE SET device_id = excluded.device_id, calls = excluded.calls, hash = excluded.hash,
					lacking = excluded.lacking, at_ms = excluded.at_ms`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// digests reckons what is held here of lines' days. Days without calls are there, too.
func (s *Devices) digests(ctx context.Context, tx *db.Tx, org *account.Org, want []lineDay) (map[lineDay]Digest, error) {
	held, err := holders(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	excluded, err := s.book.Excluded(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	calls := make(map[lineDay][]call.Row, len(want))
	seen := map[number.ID]bool{}
	for _, k := range want {
		calls[k] = nil
		agents := held.Of(k.line) // names the rows by the table's key
		if len(agents) == 0 {
			continue
		}
		where := call.Where(org.ID).And(`day = ?`, k.day).Agents(agents).And(`line = ?`, k.line)
		if err := call.Each(ctx, tx, where, "", func(r *call.Row) error {
			calls[k] = append(calls[k], *r)
			seen[r.Number] = true
			return nil
		}); err != nil {
			return nil, err
		}
	}
	delete(seen, number.Withheld)
	texts, err := s.book.Texts(ctx, tx, org.ID, slices.Collect(maps.Keys(seen)))
	if err != nil {
		return nil, err
	}
	out := make(map[lineDay]Digest, len(want))
	for k, rows := range calls {
		g := digestOf(rows, texts, excluded.Dropped)
		g.Day = k.day
		out[k] = g
	}
	return out, nil
}

func digestOf(rows []call.Row, texts map[number.ID]string, dropped map[string]bool) Digest {
	rows = slices.DeleteFunc(rows, func(r call.Row) bool {
		return dropped[texts[r.Number]] || r.Presentation == call.PresentationErased
	})
	out := Digest{Count: len(rows)}
	slices.SortFunc(rows, func(a, b call.Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(texts[a.Number], texts[b.Number]), cmp.Compare(a.Direction, b.Direction))
	})
	h, line := sha256.New(), []byte(nil)
	for i := range rows {
		r := &rows[i]
		out.archived = out.archived || r.Number != number.Withheld && texts[r.Number] == ""
		line = strconv.AppendInt(line[:0], r.Start, 10)
		for _, v := range [...]int64{int64(r.Direction), int64(r.Type), int64(r.Seconds)} {
			line = strconv.AppendInt(append(line, '|'), v, 10)
		}
		line = append(append(append(line, '|'), texts[r.Number]...), '\n')
		h.Write(line)
	}
	out.Hash = hex.EncodeToString(h.Sum(nil))
	return out
}
