package call

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
)

// Said is what a call has come to, as somebody says.
type Said struct {
	Outcome string           `json:",omitempty"` // a key of the organisation's list; "" = nobody said
	Next    string           `json:",omitempty"` // the follow-up that is agreed, NoNext, or "" when nobody said
	By      account.MemberID `json:",omitempty"`
	At      time.Time        `json:",omitzero"`
}

// NoNext says that no next step is needed after a call.
const NoNext = "none"

const saidColumns = `day, agent, start, num, dir, line, outcome, next, by_member, at`

// keyed is a Said with its call.
type keyed struct {
	key Key
	Said
}

func scanSaid(r db.Scanner) (x keyed, err error) {
	var at int64
	k := &x.key
	err = r.Scan(&k.Day, &k.Agent, &k.Start, &k.Number, &k.Direction, &k.Line, &x.Outcome, &x.Next, &x.By, &at)
	x.At = time.UnixMilli(at)
	return x, err
}

// WriteSaid keeps what a call has come to inside a running transaction; without an outcome it removes what was said. Whether
// that may go, and whether the outcome is on the list, is for the caller to ask.
func WriteSaid(ctx context.Context, tx *db.Tx, org account.OrgID, k Key, s Said) error {
	if s.Outcome == "" {
		_, err := tx.Exec(ctx, `DELETE FROM call_outcomes WHERE `+keyWhere, k.args(org)...)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO call_outcomes (org_id, `+saidColumns+`) VALUES `+db.In(1, 11)+`
		ON CONFLICT (org_id, day, agent, start, num, dir, line) DO UPDATE SET outcome = excluded.outcome, next = excluded.next,
		by_member = excluded.by_member, at = excluded.at`, append(k.args(org), s.Outcome, s.Next, s.By, s.At.UnixMilli())...)
	return err
}

// SaidOf gives what was said of calls; those of which nothing was said are left out.
func SaidOf(ctx context.Context, c db.Conn, org account.OrgID, keys ...Key) (map[Key]Said, error) {
	out := map[Key]Said{}
	for part := range slices.Chunk(keys, numbersAtOnce) {
		want := make(map[Key]bool, len(part))
		from, to := part[0].Start, part[0].Start
		var numbers []number.ID
		for _, k := range part {
			want[k] = true
			from, to = min(from, k.Start), max(to, k.Start)
			numbers = append(numbers, k.Number)
		}
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
		all, err := db.Select(ctx, c, scanSaid, `SELECT `+saidColumns+` FROM call_outcomes WHERE org_id = $1 AND start >= $2 AND start <= $3 AND num IN `+db.In(4, len(numbers)),
			append([]any{org, from, to}, anys(numbers)...)...)
		if err != nil {
			return nil, err
		}
		for _, x := range all {
			if want[x.key] {
				out[x.key] = x.Said
			}
		}
	}
	return out, nil
}

// dressSaid adds what was said of calls.
func dressSaid(ctx context.Context, c db.Conn, org account.OrgID, calls []Call) error {
	keys := make([]Key, len(calls))
	for i := range calls {
		keys[i] = calls[i].Row.Key
	}
	said, err := SaidOf(ctx, c, org, keys...)
	for i := range calls {
		calls[i].Said = said[keys[i]]
	}
	return err
}

// moveSaid has what was said of a call follow it to another key.
func moveSaid(ctx context.Context, tx *db.Tx, org account.OrgID, from, to Key) error {
	x, ok, err := db.One(ctx, tx, scanSaid, `SELECT `+saidColumns+` FROM call_outcomes WHERE `+keyWhere, from.args(org)...)
	if err != nil || !ok {
		return err
	}
	return WriteSaid(ctx, tx, org, to, x.Said)
}
