package person

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/subject"
)

// Keepers are what retention asks of calls, in the order in which it is to ask: contacts before what is kept of them, since
// calls tell who is a contact of whom until they go.
func (p *Persons) Keepers() []retain.Keeper {
	return []retain.Keeper{p.contacts(), p.notes(), p.callbacks(), p.calls()}
}

// numberKey names what a keeper has of one number.
func numberKey(n number.ID) string { return "number/" + strconv.FormatInt(int64(n), 10) }

// bundleKey names what a keeper has of one agent's day with one number.
func bundleKey(b ingest.Bundle) string {
	return b.Day.String() + "/" + strconv.Itoa(int(b.Agent)) + "/" + strconv.FormatInt(int64(b.Number), 10)
}

// readKey reads either; a number's has no day.
func readKey(key string) (b ingest.Bundle, err error) {
	if text, ok := strings.CutPrefix(key, "number/"); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		b.Number = number.ID(n)
		return b, err
	}
	parts := strings.Split(key, "/")
	if len(parts) != 3 {
		return b, fault.New(fault.Internal, "%q names nothing that calls keep.", key)
	}
	if b.Day, err = civil.Parse(parts[0]); err != nil {
		return b, err
	}
	agent, err := strconv.Atoi(parts[1])
	if err != nil {
		return b, err
	}
	n, err := strconv.ParseInt(parts[2], 10, 64)
	b.Agent, b.Number = account.AgentNo(agent), number.ID(n)
	return b, err
}

func readKeys(items []retain.Item) (out []ingest.Bundle, numbers []number.ID, err error) {
	for _, i := range items {
		b, err := readKey(i.Key)
		if err != nil {
			return nil, nil, err
		}
		out, numbers = append(out, b), append(numbers, b.Number)
	}
	return out, numbers, nil
}

// rows is how many rows a keeper has of some numbers.
type rows func(ctx context.Context, c db.Conn, org account.OrgID) (map[number.ID]int64, error)

// grouped counts rows by number.
func grouped(queries ...string) rows {
	return func(ctx context.Context, c db.Conn, org account.OrgID) (map[number.ID]int64, error) {
		out := map[number.ID]int64{}
		for _, q := range queries {
			if _, err := db.Select(ctx, c, func(r db.Scanner) (struct{}, error) {
				var n number.ID
				var count int64
				err := r.Scan(&n, &count)
				out[n] += count
				return struct{}{}, err
			}, q, org); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// counted counts rows of tables.
func (p *Persons) counted(queries ...string) func(ctx context.Context, org account.OrgID) (int64, error) {
	return func(ctx context.Context, org account.OrgID) (sum int64, err error) {
		for _, q := range queries {
			var n int64
			if err := p.DB.Row(ctx, q, org).Scan(&n); err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	}
}

// dueIdle lists the idle persons of whom there are rows; nil stands for their calls.
func (p *Persons) dueIdle(ctx context.Context, id account.OrgID, cut retain.Cut, have rows) (out []retain.Item, err error) {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return nil, err
	}
	members, err := p.members(ctx, id)
	if err != nil {
		return nil, err
	}
	err = p.DB.Read(ctx, func(tx *db.Tx) error {
		idle, err := p.idle(ctx, tx, org, cut.Before)
		if err != nil || len(idle) == 0 {
			return err
		}
		var counts map[number.ID]int64
		if have != nil {
			if counts, err = have(ctx, tx, id); err != nil {
				return err
			}
		}
		out = nil
		for n, i := range idle {
			rows := i.calls
			if have != nil {
				rows = counts[n]
			}
			if rows > 0 && i.last.Before(cut.Before) {
				out = append(out, retain.Item{Key: numberKey(n), Who: whose(n, members, i.agents...), At: i.last, Rows: rows})
			}
		}
		return nil
	})
	return out, err
}

// dueOld lists agents' days with a number that are older than a moment. query gives day, agent, number and rows of the days
// before $2.
func (p *Persons) dueOld(ctx context.Context, id account.OrgID, cut retain.Cut, queries ...string) ([]retain.Item, error) {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return nil, err
	}
	members, err := p.members(ctx, id)
	if err != nil {
		return nil, err
	}
	zone := org.Location()
	before := civil.DayOf(cut.Before, zone)
	found := map[ingest.Bundle]int64{}
	for _, q := range queries {
		if _, err := db.Select(ctx, p.DB, func(r db.Scanner) (struct{}, error) {
			var b ingest.Bundle
			var rows int64
			err := r.Scan(&b.Day, &b.Agent, &b.Number, &rows)
			found[b] += rows
			return struct{}{}, err
		}, q, id, before); err != nil {
			return nil, err
		}
	}
	out := make([]retain.Item, 0, len(found))
	for b, rows := range found {
		out = append(out, retain.Item{Key: bundleKey(b), Who: whose(b.Number, members, b.Agent), At: dayEnd(b.Day, zone), Rows: rows})
	}
	return out, nil
}

// forget erases those of the persons for good whose number left the book when it was archived.
func (p *Persons) forget(ctx context.Context, id account.OrgID, who []subject.Ref) error {
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return err
	}
	keys, err := p.Keys.Org(ctx, int64(id))
	if err != nil {
		return err
	}
	var gone []number.ID
	for _, w := range who {
		n := number.ID(w.Num())
		if n <= number.Withheld {
			continue
		}
		there, err := p.stored(ctx, id, n)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		// Each keeper of calls is asked, one after the other: who was erased by the first is not again.
		_, err = keys.SealSubject(ctx, int64(n), "forget", nil)
		if fault.KindOf(err) == fault.Gone {
			continue
		}
		if err != nil {
			return err
		}
		gone = append(gone, n)
	}
	_, err = p.Writer.Erase(ctx, p.Devices, org, ingest.Erasure{Numbers: gone, Nameless: true})
	return err
}

// contact is a number in the archive.
type contact struct {
	Number string    `json:"number"`
	Name   string    `json:"name,omitempty"`
	Named  time.Time `json:"named,omitzero"` // start of the call that the name was logged with
}

const contactKeeper = "contacts"

// Archived gives the numbers that are in the archive, to index them anew.
func (p *Persons) Archived(archive *retain.Sweeper) number.Archived {
	return func(ctx context.Context, tx *db.Tx, org account.OrgID, ids []number.ID) (map[number.ID]string, error) {
		out := make(map[number.ID]string, len(ids))
		return out, archive.Contents(ctx, tx, org, contactKeeper, func(item string, content []byte) error {
			b, err := readKey(item)
			if err != nil {
				return err
			}
			var c contact
			if err := json.Unmarshal(content, &c); err != nil {
				return err
			}
			out[b.Number] = c.Number
			return nil
		})
	}
}

// contacts keeps numbers and their names.
func (p *Persons) contacts() retain.Keeper {
	have := grouped(`SELECT num, 1 FROM numbers WHERE org_id = $1`, `SELECT num, 1 FROM number_names WHERE org_id = $1`)
	k := retain.Keeper{Name: contactKeeper, Category: call.CategoryContact, Events: []policy.Event{policy.LastActivity}, Forget: p.forget}
	k.Count = p.counted(`SELECT count(*) FROM numbers WHERE org_id = $1`, `SELECT count(*) FROM number_names WHERE org_id = $1`)
	k.Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
		return p.dueIdle(ctx, org, cut, have)
	}
	k.Remove = p.removeContacts
	k.Bundles = p.bundleContacts
	k.Bundle = single(p.bundleContacts)
	k.Return = func(ctx context.Context, org account.OrgID, key string, bundle []byte) error {
		b, err := readKey(key)
		if err != nil {
			return err
		}
		var c contact
		if err := json.Unmarshal(bundle, &c); err != nil {
			return err
		}
		return p.Writer.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
			if err := p.Book.Unshelve(ctx, tx, org, c.Number); err != nil {
				return err
			}
			return p.Book.Rename(ctx, tx, org, b.Number, c.Name, c.Named.UnixMilli())
		})
	}
	return k
}

// bundles copies many items.
type bundles func(ctx context.Context, org account.OrgID, items []retain.Item, each func(retain.Item, []byte) error) error

// single copies one.
func single(all bundles) func(ctx context.Context, org account.OrgID, item retain.Item) ([]byte, error) {
	return func(ctx context.Context, org account.OrgID, item retain.Item) (content []byte, err error) {
		err = all(ctx, org, []retain.Item{item}, func(_ retain.Item, b []byte) error {
			content = b
			return nil
		})
		return content, err
	}
}

// encoded hands out what there is of each item as JSON.
func encoded[T any](items []retain.Item, of func(n number.ID) T, each func(retain.Item, []byte) error) error {
	for _, i := range items {
		b, err := readKey(i.Key)
		if err != nil {
			return err
		}
		text, err := json.Marshal(of(b.Number))
		if err == nil {
			err = each(i, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bundleContacts copies numbers with their names.
func (p *Persons) bundleContacts(ctx context.Context, org account.OrgID, items []retain.Item, each func(retain.Item, []byte) error) error {
	_, numbers, err := readKeys(items)
	if err != nil {
		return err
	}
	texts, err := p.Book.Texts(ctx, p.DB, org, numbers)
	if err != nil {
		return err
	}
	names, err := p.Book.LoggedNames(ctx, p.DB, org, numbers)
	if err != nil {
		return err
	}
	named := map[number.ID]time.Time{}
	for part := range slices.Chunk(numbers, together) {
		args := []any{org}
		for _, n := range part {
			args = append(args, n)
		}
		if _, err := db.Select(ctx, p.DB, func(r db.Scanner) (x struct{}, err error) {
			var n number.ID
			var at int64
			err = r.Scan(&n, &at)
			named[n] = time.UnixMilli(at)
			return x, err
		}, `SELECT num, at FROM number_names WHERE org_id = $1 AND num IN `+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	return encoded(items, func(n number.ID) contact { return contact{Number: texts[n], Name: names[n], Named: named[n]} }, each)
}

// removeContacts takes numbers out of the book: into the archive's list, from which a later call brings them back, or for
// good. Either way calls from before do not come in again, and phones are ordered to forget them.
func (p *Persons) removeContacts(ctx context.Context, id account.OrgID, o retain.Order) (removed int64, err error) {
	todo, err := p.settled(ctx, id, o, p.contacts().Due)
	if err != nil {
		return 0, err
	}
	if flaw.On(flaw.KeptExpired) && len(todo.Items) > 0 {
		todo.Items = todo.Items[1:]
	}
	if o.Archived {
		return p.shelve(ctx, todo)
	}
	if err := todo.each(todo.Items, func(numbers []number.ID, first func(context.Context, *db.Tx) error) error {
		r, err := p.Writer.BeginErasing(ctx, p.Devices, todo.org, ingest.Erasure{Numbers: numbers, First: first})
		removed += r.Numbers + r.Names
		return err
	}); err != nil {
		return removed, err
	}
	_, err = p.Writer.EndErasing(ctx, p.Devices, todo.org)
	return removed, err
}

// shelve takes numbers out of the book that lie in the archive.
func (p *Persons) shelve(ctx context.Context, todo *order) (removed int64, err error) {
	phones, err := p.Devices.Any(ctx, todo.org.ID)
	if err != nil {
		return 0, err
	}
	for items := range slices.Chunk(todo.Items, atOnce) {
		var days map[number.ID][]device.LineDay
		if phones {
			_, numbers, err := readKeys(items)
			if err != nil {
				return removed, err
			}
			if days, err = p.Writer.DaysOf(ctx, todo.org.ID, numbers); err != nil {
				return removed, err
			}
		}
		if err := todo.each(items, func(numbers []number.ID, first func(context.Context, *db.Tx) error) error {
			rows, err := p.Writer.Shelve(ctx, p.Devices, todo.org, numbers, days, first)
			if err == nil {
				removed += rows
			}
			return err
		}); err != nil {
			return removed, err
		}
	}
	return removed, nil
}
