package callback

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
)

const columns = `num, agent, assigned_by, assigned_ms, handled_by, handled_ms, note_sealed`

// scan reads columns and opens the note.
func (c *Callbacks) scan(ctx context.Context, org account.OrgID) func(db.Scanner) (Callback, error) {
	return func(r db.Scanner) (Callback, error) {
		var b Callback
		var assigned, handled int64
		var sealed []byte
		if err := r.Scan(&b.Number, &b.AssignedTo, &b.AssignedBy, &assigned, &b.HandledBy, &handled, &sealed); err != nil {
			return b, err
		}
		b.AssignedAt, b.HandledAt = moment(assigned), moment(handled)
		var err error
		b.Note, err = c.open(ctx, org, b.Number, sealed)
		return b, err
	}
}

func (c *Callbacks) open(ctx context.Context, org account.OrgID, n number.ID, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	k, err := c.keys.Org(ctx, int64(org))
	if err != nil {
		return "", err
	}
	plain, err := k.OpenSubject(ctx, int64(n), noteField, sealed)
	if fault.KindOf(err) == fault.Gone {
		return "", nil
	}
	return string(plain), err
}

// chunk is how many numbers one statement asks for.
const chunk = 100

// Of gives what is kept about some numbers; those of which nothing is kept are left out.
func (c *Callbacks) Of(ctx context.Context, org account.OrgID, numbers []number.ID) (map[number.ID]Callback, error) {
	out := map[number.ID]Callback{}
	for part := range slices.Chunk(numbers, chunk) {
		args := []any{org}
		for _, n := range part {
			args = append(args, n)
		}
		found, err := db.Select(ctx, c.db, c.scan(ctx, org), `SELECT `+columns+` FROM callbacks WHERE org_id = $1 AND num IN `+db.In(2, len(part)), args...)
		if err != nil {
			return nil, err
		}
		for _, b := range found {
			out[b.Number] = b
		}
	}
	return out, nil
}

// All gives everything that is kept about an organisation's callbacks.
func (c *Callbacks) All(ctx context.Context, org account.OrgID) (map[number.ID]Callback, error) {
	found, err := db.Select(ctx, c.db, c.scan(ctx, org), `SELECT `+columns+` FROM callbacks WHERE org_id = $1`, org)
	out := make(map[number.ID]Callback, len(found))
	for _, b := range found {
		out[b.Number] = b
	}
	return out, err
}

// HandledAt is when each number was handled, for those that were.
func HandledAt(all map[number.ID]Callback) map[number.ID]time.Time {
	out := make(map[number.ID]time.Time, len(all))
	for n, c := range all {
		if !c.HandledAt.IsZero() {
			out[n] = c.HandledAt
		}
	}
	return out
}

// Task is a callback in somebody's hands.
type Task struct {
	Callback
	Key  number.Key
	Text string // the number, canonical
	Name string // contact name as phones logged it
}

// Mine lists what the actor is to call back and has not handled, the oldest first. Somebody without calls of their own
// has no tasks.
func (c *Callbacks) Mine(ctx context.Context, actor *account.Actor) ([]Task, error) {
	if err := actor.Require(account.ReadOwn); err != nil {
		return nil, err
	}
	if actor.Member.Agent == 0 {
		return nil, nil
	}
	org := actor.Org.ID
	var out []Task
	err := c.db.Read(ctx, func(tx *db.Tx) error {
		mine, err := db.Select(ctx, tx, c.scan(ctx, org), `SELECT `+columns+` FROM callbacks
			WHERE org_id = $1 AND agent = $2 AND assigned_ms > handled_ms ORDER BY assigned_ms, num`, org, actor.Member.Agent)
		if err != nil {
			return err
		}
		out, err = c.dress(ctx, tx, org, mine)
		return err
	})
	return out, err
}

// dress adds what people know a number by. An erased number is nobody's task any more.
func (c *Callbacks) dress(ctx context.Context, tx *db.Tx, org account.OrgID, mine []Callback) ([]Task, error) {
	ids := make([]number.ID, len(mine))
	for i, b := range mine {
		ids[i] = b.Number
	}
	texts, err := c.book.Show(ctx, tx, org, ids)
	if err != nil {
		return nil, err
	}
	names, err := c.book.Names(ctx, tx, org, ids)
	if err != nil {
		return nil, err
	}
	var out []Task
	for _, b := range mine {
		text, ok := texts[b.Number]
		if !ok {
			continue
		}
		key, err := c.book.Key(ctx, org, text)
		if err != nil {
			return nil, err
		}
		out = append(out, Task{Callback: b, Key: key, Text: text, Name: names[b.Number]})
	}
	return out, nil
}

// moment reads a stored time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
