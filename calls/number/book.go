// Package number is the number book: every phone number that called or was called, encrypted under a key of its own,
// found by a keyed blind index, and known to the call tables by a small dense id.
package number

import (
	"context"
	"embed"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
	"parley/platform/id"
	"parley/platform/phone"
	"parley/platform/vault"
)

// Schema holds the package's tables.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// ID is a number's dense id within its organisation. Withheld (0) stands for every call whose number was not shown.
type ID int64

// Withheld is the id of all numbers that were not shown.
const Withheld ID = 0

// Key is a number's public name: its blind index as text. It is the same in every answer and says nothing about the
// number to those who lack the index key.
type Key string

const (
	field = "number"
	// tailDigits are the last digits that can be searched for without the whole number.
	tailDigits = 4
	indexBytes = 12
	// chunk is how many rows one statement handles.
	chunk = 50
	// cacheSize bounds each of the two generations of the look-up cache.
	cacheSize = 1 << 17
)

type index [indexBytes]byte

// Book keeps the numbers of all organisations.
type Book struct {
	db    *db.DB
	keys  *vault.Keys
	now   func() time.Time
	cache cache
}

// New makes a Book over d.
func New(d *db.DB, keys *vault.Keys) *Book {
	return &Book{db: d, keys: keys, now: time.Now, cache: cache{young: map[cacheKey]ID{}}}
}

// Clock has the book tell the time by another clock than the computer's. It is called at wiring.
func (b *Book) Clock(now func() time.Time) { b.now = now }

// Date gives numbers that came into the book before such times were kept the present as theirs, so that nothing of them goes
// at once.
func (b *Book) Date(ctx context.Context) error {
	_, err := b.db.Exec(ctx, `UPDATE numbers SET made_ms = $1 WHERE made_ms = 0`, b.now().UnixMilli())
	return err
}

// EachMade visits the numbers that came into the book before a moment, with when they did.
func (b *Book) EachMade(ctx context.Context, c db.Conn, org account.OrgID, before time.Time, visit func(n ID, at time.Time)) error {
	_, err := db.Select(ctx, c, func(r db.Scanner) (x struct{}, err error) {
		var n ID
		var at int64
		if err = r.Scan(&n, &at); err == nil {
			visit(n, time.UnixMilli(at))
		}
		return x, err
	}, `SELECT num, made_ms FROM numbers WHERE org_id = $1 AND made_ms > 0 AND made_ms < $2`, org, before.UnixMilli())
	return err
}

// indexOf is the blind index of a canonical number. Its first two bytes depend on the last four digits alone, so that
// one index answers both searches; which candidates really end so is settled by opening them.
func indexOf(k *vault.OrgKeys, canonical string) index {
	var i index
	copy(i[:2], k.Index("number tail", tail(canonical)))
	copy(i[2:], k.Index("number", canonical))
	return i
}

func tail(canonical string) string {
	d := phone.Digits(canonical)
	return d[max(0, len(d)-tailDigits):]
}

// Resolve gives the ids of canonical numbers, making those that are new. It runs inside the transaction that uses them;
// call the returned function once that transaction has committed.
func (b *Book) Resolve(ctx context.Context, tx *db.Tx, org account.OrgID, canonical []string) (ids map[string]ID, committed func(), err error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, nil, err
	}
	ids, learned, unknown, err := b.known(ctx, tx, k, org, canonical)
	if err != nil {
		return nil, nil, err
	}
	back, err := b.unarchive(ctx, tx, k, org, unknown)
	if err != nil {
		return nil, nil, err
	}
	for i, n := range back {
		ids[unknown[i]] = n
		learned[i] = n
		delete(unknown, i)
	}
	made, err := b.add(ctx, tx, k, org, unknown)
	if err != nil {
		return nil, nil, err
	}
	for i, n := range made {
		ids[unknown[i]] = n
		learned[i] = n
	}
	return ids, func() { b.cache.put(org, learned) }, nil
}

// Known gives the ids of those of the canonical numbers that are in the book.
func (b *Book) Known(ctx context.Context, c db.Conn, org account.OrgID, canonical []string) (map[string]ID, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	ids, _, _, err := b.known(ctx, c, k, org, canonical)
	return ids, err
}

// known gives the ids that the cache or the table has, those that the table gave, and the numbers that are in neither.
func (b *Book) known(ctx context.Context, c db.Conn, k *vault.OrgKeys, org account.OrgID, canonical []string) (ids map[string]ID, learned map[index]ID, unknown map[index]string, err error) {
	ids = make(map[string]ID, len(canonical))
	unknown = map[index]string{}
	for _, text := range canonical {
		if text == "" {
			ids[text] = Withheld
			continue
		}
		if _, ok := ids[text]; ok {
			continue
		}
		i := indexOf(k, text)
		if n, ok := b.cache.get(cacheKey{org, i}); ok {
			ids[text] = n
			continue
		}
		unknown[i] = text
	}
	if learned, err = b.lookUp(ctx, c, org, unknown); err != nil {
		return nil, nil, nil, err
	}
	for i, n := range learned {
		ids[unknown[i]] = n
		delete(unknown, i)
	}
	return ids, learned, unknown, nil
}

func sortedIndexes(m map[index]string) []index {
	keys := make([]index, 0, len(m))
	for i := range m {
		keys = append(keys, i)
	}
	slices.SortFunc(keys, func(a, b index) int { return slices.Compare(a[:], b[:]) }) // neighbours share pages
	return keys
}

func (b *Book) lookUp(ctx context.Context, c db.Conn, org account.OrgID, want map[index]string) (map[index]ID, error) {
	return look(ctx, c, org, want, `SELECT idx, num FROM number_index WHERE org_id = $1 AND idx IN `)
}

// look asks a table for indexes; query ends where their list begins.
func look(ctx context.Context, c db.Conn, org account.OrgID, want map[index]string, query string) (map[index]ID, error) {
	found := make(map[index]ID, len(want))
	for part := range slices.Chunk(sortedIndexes(want), chunk) {
		args := []any{org}
		for _, i := range part {
			args = append(args, i[:])
		}
		for len(args) <= chunk { // one statement text for every size
			args = append(args, args[1])
		}
		rows, err := c.Rows(ctx, query+db.In(2, chunk), args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var raw []byte
			var n ID
			if err := rows.Scan(&raw, &n); err != nil {
				rows.Close()
				return nil, err
			}
			found[index(raw)] = n
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (b *Book) add(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, want map[index]string) (map[index]ID, error) {
	if len(want) == 0 {
		return nil, nil
	}
	first, err := take(ctx, tx, k, org, len(want))
	if err != nil {
		return nil, err
	}
	made, now := make(map[index]ID, len(want)), b.now().UnixMilli()
	// Ids follow the order of the indexes, so both tables are written in their own order.
	for part := range slices.Chunk(sortedIndexes(want), chunk) {
		var numbers, indexes []any
		for _, i := range part {
			n := ID(first)
			first++
			sealed, err := k.SealOnce(ctx, int64(n), field, []byte(want[i]))
			if err != nil {
				return nil, err
			}
			if flaw.On(flaw.ClearNumber) {
				sealed = []byte(want[i])
			}
			numbers = append(numbers, org, n, sealed, now)
			indexes = append(indexes, org, i[:], n)
			made[i] = n
		}
		if _, err := tx.Exec(ctx, `INSERT INTO numbers (org_id, num, sealed, made_ms) VALUES `+db.Values(len(part), 4), numbers...); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO number_index (org_id, idx, num) VALUES `+db.Values(len(part), 3), indexes...); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// NewSubjects sets n ids aside for persons who are no numbers, such as contacts, and makes their keys. Numbers and those
// persons share one row of ids, because an id is above all the name of a key. The first id is given, the rest follow.
func (b *Book) NewSubjects(ctx context.Context, tx *db.Tx, org account.OrgID, n int) (first int64, err error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return 0, err
	}
	return take(ctx, tx, k, org, n)
}

// take gives the first of n new ids, whose keys are there.
func take(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, n int) (first int64, err error) {
	var next int64
	if err := tx.Row(ctx, `INSERT INTO number_counters (org_id, next) VALUES ($1, $2 + 1)
		ON CONFLICT (org_id) DO UPDATE SET next = number_counters.next + $2 RETURNING next`, org, int64(n)).Scan(&next); err != nil {
		return 0, err
	}
	return next - int64(n), k.EnsureSubjects(ctx, next)
}

// Find gives the id of a canonical number that is in the book, restricted or not: for those who store, and for what people
// ask about their own data. Whoever shows numbers to others asks Seek.
func (b *Book) Find(ctx context.Context, c db.Conn, org account.OrgID, canonical string) (ID, bool, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return 0, false, err
	}
	i := indexOf(k, canonical)
	return b.byIndex(ctx, c, org, i[:])
}

func (b *Book) byIndex(ctx context.Context, c db.Conn, org account.OrgID, i []byte) (ID, bool, error) {
	return db.One(ctx, c, scanID, `SELECT num FROM number_index WHERE org_id = $1 AND idx = $2`, org, i)
}

// Key is the public name of a canonical number.
func (b *Book) Key(ctx context.Context, org account.OrgID, canonical string) (Key, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return "", err
	}
	i := indexOf(k, canonical)
	return Key(id.Encode(i[:])), nil
}

// ByKey gives the id behind a public name; a name of another organisation is NotFound, a restricted number is Denied.
func (b *Book) ByKey(ctx context.Context, c db.Conn, org account.OrgID, key Key) (ID, error) {
	n, err := b.IDOf(ctx, c, org, key)
	if err != nil {
		return 0, err
	}
	return n, b.CheckUse(ctx, c, org, n)
}

// IDOf is ByKey for those who store: restricted or not.
func (b *Book) IDOf(ctx context.Context, c db.Conn, org account.OrgID, key Key) (ID, error) {
	raw, err := id.Decode(string(key))
	if err != nil || len(raw) != indexBytes {
		return 0, notFound(key)
	}
	n, ok, err := b.byIndex(ctx, c, org, raw)
	if err == nil && !ok {
		err = notFound(key)
	}
	return n, err
}

func notFound(key Key) error {
	return fault.New(fault.NotFound, "There is no number %q here. It may have been erased, or the address is incomplete.", string(key))
}

// FindEnding lists the numbers whose digits end in the given ones, at least four; restricted ones are left out. Only the
// candidates that share the last four digits are opened.
func (b *Book) FindEnding(ctx context.Context, c db.Conn, org account.OrgID, digits string) (out []ID, err error) {
	err = b.Endings(ctx, c, org, digits, func(found []ID) (bool, error) {
		out = append(out, found...)
		return true, nil
	})
	return out, err
}

// Endings gives what FindEnding lists bit by bit, until each wants no more: opening them is what takes time.
func (b *Book) Endings(ctx context.Context, c db.Conn, org account.OrgID, digits string, each func(found []ID) (more bool, err error)) error {
	digits = phone.Digits(digits)
	if len(digits) < tailDigits {
		return fault.Field("number", "Enter at least the last %d digits of the number.", tailDigits)
	}
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	prefix := k.Index("number tail", tail(digits))[:2]
	from := append(slices.Clone(prefix), make([]byte, indexBytes-2)...)
	to := append(slices.Clone(prefix), slices.Repeat([]byte{0xff}, indexBytes-2)...)
	candidates, err := db.Select(ctx, c, scanID, `SELECT num FROM number_index WHERE org_id = $1 AND idx >= $2 AND idx <= $3`, org, from, to)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(candidates, fewCandidates) {
		texts, err := b.Show(ctx, c, org, part)
		if err != nil {
			return err
		}
		var found []ID
		for _, n := range part {
			if strings.HasSuffix(phone.Digits(texts[n]), digits) {
				found = append(found, n)
			}
		}
		if len(found) == 0 {
			continue
		}
		if more, err := each(found); err != nil || !more {
			return err
		}
	}
	return nil
}

// fewCandidates is how many numbers with one ending are opened at a time.
const fewCandidates = 24

// Show opens the canonical forms of numbers for people. Erased, archived and restricted numbers are left out.
func (b *Book) Show(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) (map[ID]string, error) {
	out, err := b.Texts(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	return out, dropRestricted(ctx, b, c, org, out)
}

// Texts is Show with the restricted numbers: for those who store and compare, and for what people ask about their own data.
func (b *Book) Texts(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) (map[ID]string, error) {
	return b.open(ctx, c, org, ids, `SELECT num, sealed FROM numbers WHERE org_id = $1 AND num IN `,
		func(k *vault.OrgKeys, n ID, sealed []byte) ([]byte, error) {
			if flaw.On(flaw.ClearNumber) {
				return sealed, nil
			}
			return k.OpenOnce(ctx, int64(n), field, sealed)
		})
}

// Names opens the contact names that phones last logged with numbers, for people: restricted numbers are left out.
func (b *Book) Names(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) (map[ID]string, error) {
	out, err := b.LoggedNames(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	return out, dropRestricted(ctx, b, c, org, out)
}

// LoggedNames is Names with the restricted numbers.
func (b *Book) LoggedNames(ctx context.Context, c db.Conn, org account.OrgID, ids []ID) (map[ID]string, error) {
	return b.open(ctx, c, org, ids, `SELECT num, sealed FROM number_names WHERE org_id = $1 AND num IN `,
		func(k *vault.OrgKeys, n ID, sealed []byte) ([]byte, error) {
			return k.OpenSubject(ctx, int64(n), "name", sealed)
		})
}

func (b *Book) open(ctx context.Context, c db.Conn, org account.OrgID, ids []ID, query string, open func(*vault.OrgKeys, ID, []byte) ([]byte, error)) (map[ID]string, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	ids = sorted(ids)
	out := make(map[ID]string, len(ids))
	type row struct {
		n      ID
		sealed []byte
	}
	for part := range slices.Chunk(ids, chunk) {
		args := []any{org}
		for _, n := range part {
			args = append(args, n)
		}
		for len(args) <= chunk {
			args = append(args, part[0])
		}
		rows, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.n, &x.sealed) }, query+db.In(2, chunk), args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			plain, err := open(k, r.n, r.sealed)
			if fault.KindOf(err) == fault.Gone {
				continue
			}
			if err != nil {
				return nil, err
			}
			out[r.n] = string(plain)
		}
	}
	return out, nil
}

// Count is how many ids the organisation has given out: every id is below it.
func (b *Book) Count(ctx context.Context, c db.Conn, org account.OrgID) (ID, error) {
	n, _, err := db.One(ctx, c, scanID, `SELECT next FROM number_counters WHERE org_id = $1`, org)
	return n, err
}

// Delete removes every number of an organisation.
func (b *Book) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	b.cache.clear()
	for _, q := range []string{
		`DELETE FROM numbers WHERE org_id = $1`, `DELETE FROM number_index WHERE org_id = $1`, `DELETE FROM number_names WHERE org_id = $1`, `DELETE FROM number_name_words WHERE org_id = $1`,
		`DELETE FROM number_counters WHERE org_id = $1`, `DELETE FROM excluded_numbers WHERE org_id = $1`,
		`DELETE FROM restricted_numbers WHERE org_id = $1`, `DELETE FROM archived_numbers WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}

func scanID(r db.Scanner) (n ID, err error) { return n, r.Scan(&n) }
