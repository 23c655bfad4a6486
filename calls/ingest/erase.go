package ingest

import (
	"context"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/roll"
	"parley/platform/db"
)

// Erasure says of whom everything is to be erased.
type Erasure struct {
	Numbers []number.ID
	// Nameless says that those whose number is not in the book any more are meant, too: they had been archived. Their
	// tombstones lie already.
	Nameless bool
	// First runs at the beginning of the transaction that begins the erasure: it asks whether it may be, and removes what other
	// packages keep of the persons. It may run again after a failed transaction.
	First func(ctx context.Context, tx *db.Tx) error
	// Bury leaves a tombstone; nil leaves one that says now. It is for those who were erased before, and whom a restored backup
	// brought back.
	Bury func(ctx context.Context, tx *db.Tx, n number.ID, canonical string) error
}

// Removed counts what an erasure removed.
type Removed struct {
	Numbers int64 // of the book
	Names   int64
	Notes   int64
	Tags    int64
	Rejects int64    // rows that imports did not take and that had one of the numbers
	Calls   int64    // detached: they stay without their number
	Orders  []string // to phones, see device.Ordered
}

func (e *Removed) add(o *Removed) {
	e.Numbers += o.Numbers
	e.Names += o.Names
	e.Notes += o.Notes
	e.Tags += o.Tags
	e.Rejects += o.Rejects
	e.Calls += o.Calls
	e.Orders = append(e.Orders, o.Orders...)
}

// eraseAtOnce is how many persons one transaction takes out of the book.
const eraseAtOnce = 250

// Erase erases persons outside: numbers, names, notes and tags go, their keys are destroyed, and their calls stay as calls
// of nobody, so that no count of calls changes. Their phones are ordered to forget them, and what was erased is not taken in
// again. It returns when nothing is left, not even in the write-ahead log; the roll-ups say so, too.
//
// Broken off anywhere, it goes on when it is called again, and at the next start (Resume). Erasing who is erased does
// nothing.
func (w *Writer) Erase(ctx context.Context, devices *device.Devices, org *account.Org, e Erasure) (Removed, error) {
	var out Removed
	for part := range slices.Chunk(e.Numbers, eraseAtOnce) {
		some := e
		some.Numbers = part
		begun, err := w.BeginErasing(ctx, devices, org, some)
		out.add(&begun)
		if err != nil {
			return out, err
		}
	}
	calls, err := w.EndErasing(ctx, devices, org)
	out.Calls += calls
	return out, err
}

// BeginErasing takes persons out of everything but their calls, in one transaction. From the commit on nothing new comes in
// about them, and EndErasing, or the next start, carries the erasure out.
func (w *Writer) BeginErasing(ctx context.Context, devices *device.Devices, org *account.Org, e Erasure) (Removed, error) {
	var out Removed
	numbers := e.Numbers
	bury := e.Bury
	if bury == nil {
		bury = func(ctx context.Context, tx *db.Tx, _ number.ID, canonical string) error {
			return w.buryNow(ctx, tx, org.ID, canonical)
		}
	}
	err := w.hand(ctx, &job{alone: true, done: make(chan error, 1), do: func(ctx context.Context, u *unit) error {
		out = Removed{}
		if e.First != nil {
			if err := e.First(ctx, u.tx); err != nil {
				return err
			}
		}
		texts, err := w.book.Texts(ctx, u.tx, org.ID, numbers)
		if err != nil {
			return err
		}
		out.Numbers = int64(len(texts))
		gone := make([]number.ID, 0, len(numbers))
		for _, n := range numbers {
			if _, there := texts[n]; !there && !e.Nameless {
				continue
			}
			gone = append(gone, n)
			if texts[n] != "" {
				if err := bury(ctx, u.tx, n, texts[n]); err != nil {
					return err
				}
			}
			if err := u.begin(ctx, devices, org, n, texts[n], &out); err != nil {
				return err
			}
		}
		if len(gone) == 0 {
			return nil
		}
		return u.strike(ctx, org, gone, texts, &out)
	}})
	if err != nil {
		return Removed{}, err
	}
	return out, w.tripped("begun")
}

// buryNow leaves the tombstone of a number that is erased now.
func (w *Writer) buryNow(ctx context.Context, tx *db.Tx, org account.OrgID, canonical string) error {
	if w.trust.Bury == nil {
		return nil
	}
	return w.trust.Bury(ctx, tx, org, canonical)
}

// begin notes that a number is being erased, and makes the order for phones.
func (u *unit) begin(ctx context.Context, devices *device.Devices, org *account.Org, n number.ID, canonical string, out *Removed) (err error) {
	order, sealed, err := orderFor(ctx, devices, org, canonical)
	if err != nil {
		return err
	}
	if order != "" {
		out.Orders = append(out.Orders, order)
	}
	_, err = u.tx.Exec(ctx, `INSERT INTO erasing_numbers (org_id, num, order_id, sealed, begun_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		org.ID, n, order, sealed, u.w.now().UnixMilli())
	return err
}

// strike removes what is kept of numbers beside calls.
func (u *unit) strike(ctx context.Context, org *account.Org, gone []number.ID, texts map[number.ID]string, out *Removed) (err error) {
	if out.Rejects, err = u.scrubRejects(ctx, org.ID, texts); err != nil {
		return err
	}
	if out.Notes, out.Tags, err = call.RemoveNotes(ctx, u.tx, org.ID, gone); err != nil {
		return err
	}
	names, err := u.w.book.LoggedNames(ctx, u.tx, org.ID, gone)
	if err != nil {
		return err
	}
	out.Names = int64(len(names))
	for _, n := range gone {
		for _, q := range []string{`DELETE FROM unsettled_numbers WHERE org_id = $1 AND num = $2`, `DELETE FROM taking_numbers WHERE org_id = $1 AND num = $2`} {
			if _, err := u.tx.Exec(ctx, q, org.ID, n); err != nil {
				return err
			}
		}
	}
	forget, err := u.w.book.Remove(ctx, u.tx, org.ID, gone)
	u.committed = append(u.committed, forget)
	return err
}

// erasing is a person whose erasure has begun.
type erasing struct {
	num    number.ID
	order  string
	sealed []byte
}

func (w *Writer) erasing(ctx context.Context, org account.OrgID) (map[number.ID]erasing, error) {
	all, err := db.Select(ctx, w.db, func(r db.Scanner) (e erasing, err error) { return e, r.Scan(&e.num, &e.order, &e.sealed) },
		`SELECT num, order_id, sealed FROM erasing_numbers WHERE org_id = $1`, org)
	out := make(map[number.ID]erasing, len(all))
	for _, e := range all {
		out[e.num] = e
	}
	return out, err
}

// EndErasing brings every erasure of an organisation that has begun to its end, and tells how many calls were detached.
func (w *Writer) EndErasing(ctx context.Context, devices *device.Devices, org *account.Org) (calls int64, err error) {
	todo, err := w.erasing(ctx, org.ID)
	if err != nil || len(todo) == 0 {
		return 0, err
	}
	keys, err := w.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return 0, err
	}
	numbers, subjects := make([]number.ID, 0, len(todo)), make([]int64, 0, len(todo))
	for n := range todo {
		numbers, subjects = append(numbers, n), append(subjects, int64(n))
	}
	if err := keys.DestroySubject(ctx, subjects...); err != nil {
		return 0, err
	}
	if err := w.tripped("keys"); err != nil {
		return 0, err
	}
	if calls, err = w.detachAll(ctx, devices, org, roll.LastDay, todo); err != nil {
		return calls, err
	}
	return calls, w.endErasing(ctx, org, numbers)
}

// endErasing forgets that persons were erased.
func (w *Writer) endErasing(ctx context.Context, org *account.Org, numbers []number.ID) error {
	if err := w.tripped("detached"); err != nil {
		return err
	}
	if err := w.db.Checkpoint(ctx); err != nil { // the write-ahead log would keep what was deleted
		return err
	}
	return w.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, n := range numbers {
			if _, err := tx.Exec(ctx, `DELETE FROM erasing_numbers WHERE org_id = $1 AND num = $2`, org.ID, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// detachDays detaches the calls of some agent-days.
func (w *Writer) detachDays(ctx context.Context, devices *device.Devices, org *account.Org, days []dayKey, who map[number.ID]erasing) (calls int64, err error) {
	err = w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
		calls = 0
		h, err := u.enter(ctx, org)
		if err != nil {
			return err
		}
		told := map[number.ID][]device.LineDay{}
		for _, k := range days {
			d, err := u.day(ctx, h, k.day, k.agent)
			if err != nil {
				return err
			}
			calls += d.detach(who, told, w.now().Unix())
			d.changed = true // also where only the roll-up has the number
			if err := roll.Forget(ctx, u.tx, org.ID, k.day); err != nil {
				return err
			}
		}
		for n, at := range told {
			if who[n].order == "" {
				continue
			}
			if err := devices.IssueForget(ctx, u.tx, org.ID, who[n].order, who[n].sealed, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return calls, w.tripped("some detached")
}

// detach makes the calls of some persons calls of nobody. told collects whose calls were on which line's day.
func (d *agentDay) detach(who map[number.ID]erasing, told map[number.ID][]device.LineDay, synced int64) (calls int64) {
	seen := map[[2]int64]bool{}
	for i, n := 0, len(d.rows); i < n; i++ {
		if _, ok := who[d.rows[i].Number]; !ok || d.gone[i] {
			continue
		}
		r := d.rows[i]
		if k := [2]int64{int64(r.Number), int64(r.Line)}; !seen[k] {
			seen[k] = true
			d.strike(r.Number)
			told[r.Number] = append(told[r.Number], device.LineDay{Line: r.Line, Day: r.Day})
		}
		d.remove(i)
		r.Number, r.Presentation, r.Synced = number.Withheld, call.PresentationErased, synced
		r.Ref = min(r.Ref, 0) // the hash of the phone's key, which may be made of the number
		d.free(&r.Key)
		d.insert(&r)
		calls++
	}
	return calls
}

func (d *agentDay) strike(n number.ID) {
	if !slices.Contains(d.struck, n) {
		d.struck = append(d.struck, n)
	}
}

// free moves a start by milliseconds to where no other call of the day has the same key, so that no call is lost: two
// persons may have called within the second that a telephone system tells.
func (d *agentDay) free(k *call.Key) {
	start := k.Start
	for step := int64(1); ; step++ {
		if _, taken := d.find(k); !taken {
			return
		}
		if k.Start = start + step; k.Start >= d.bounds.to {
			k.Start = start - step
		}
	}
}

// tripped lets tests break an erasure off.
func (w *Writer) tripped(step string) error {
	if w.trip == nil {
		return nil
	}
	return w.trip(step)
}

// Shelve moves numbers out of the book into the list of archived ones. Calls with them from before now are not taken in
// again; a later one brings its number back. Phones that had calls with them, on the days of DaysOf, are ordered to forget
// them. first is asked in the transaction. It tells how many rows of numbers and names went.
func (w *Writer) Shelve(ctx context.Context, devices *device.Devices, org *account.Org, numbers []number.ID, days map[number.ID][]device.LineDay, first func(ctx context.Context, tx *db.Tx) error) (rows int64, err error) {
	return rows, w.hand(ctx, &job{alone: true, done: make(chan error, 1), do: func(ctx context.Context, u *unit) error {
		if err := first(ctx, u.tx); err != nil {
			return err
		}
		texts, err := w.book.Texts(ctx, u.tx, org.ID, numbers)
		if err != nil {
			return err
		}
		names, err := w.book.LoggedNames(ctx, u.tx, org.ID, numbers)
		if err != nil {
			return err
		}
		rows = int64(len(texts) + len(names))
		for n, text := range texts {
			if err := w.buryNow(ctx, u.tx, org.ID, text); err != nil {
				return err
			}
			if len(days[n]) == 0 {
				continue
			}
			order, sealed, err := devices.NewForget(ctx, org.ID, text)
			if err != nil {
				return err
			}
			if err := devices.IssueForget(ctx, u.tx, org.ID, order, sealed, days[n]); err != nil {
				return err
			}
		}
		forget, err := w.book.Shelve(ctx, u.tx, org.ID, numbers)
		u.committed = append(u.committed, forget)
		return err
	}})
}
