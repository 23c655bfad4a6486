package number

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
)

// Strength says how far a number is kept out.
type Strength int8

// The strengths.
const (
	Hidden      Strength = 1 // stored, and hidden from reports unless they ask for it
	NeverStored Strength = 2 // never stored: calls with it are counted as excluded and dropped
)

// ParseStrength reads a strength's word.
func ParseStrength(word string) (Strength, error) {
	switch word {
	case "hidden":
		return Hidden, nil
	case "never_stored":
		return NeverStored, nil
	default:
		return 0, fault.Field("strength", "%q is not a way to exclude a number. Choose hidden (stored, left out of reports) or never_stored.", word)
	}
}

// String is the strength's word.
func (s Strength) String() string {
	if s == NeverStored {
		return "never_stored"
	}
	return "hidden"
}

// Exclusion is one number that is kept out.
type Exclusion struct {
	Key      Key
	Number   string // canonical; "" when the person's data was erased: the number is kept out without being known
	Strength Strength
	Label    string
	AddedBy  string // who added it, a member's id
	AddedAt  time.Time
}

// Exclusions lists the numbers that an organisation keeps out, for people: restricted numbers are left out.
func (b *Book) Exclusions(ctx context.Context, c db.Conn, org account.OrgID) ([]Exclusion, error) {
	all, err := b.exclusions(ctx, c, org)
	if err != nil || len(all) == 0 {
		return all, err
	}
	kept, err := b.Excluded(ctx, c, org)
	return slices.DeleteFunc(all, func(e Exclusion) bool { return kept.restrictedTexts[e.Number] }), err
}

// Exclusion gives the exclusion of one number, restricted or not.
func (b *Book) Exclusion(ctx context.Context, c db.Conn, org account.OrgID, canonical string) (e Exclusion, ok bool, err error) {
	all, err := b.exclusions(ctx, c, org)
	for _, e := range all {
		if e.Number == canonical {
			return e, true, nil
		}
	}
	return e, false, err
}

func (b *Book) exclusions(ctx context.Context, c db.Conn, org account.OrgID) ([]Exclusion, error) {
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, func(r db.Scanner) (Exclusion, error) {
		var e Exclusion
		var idx, sealed []byte
		var at int64
		if err := r.Scan(&idx, &e.Strength, &sealed, &e.Label, &e.AddedBy, &at); err != nil {
			return e, err
		}
		e.Key, e.AddedAt = Key(id.Encode(idx)), time.UnixMilli(at)
		if len(sealed) == 0 {
			return e, nil
		}
		plain, err := k.Open("excluded_numbers", sealed)
		e.Number = string(plain)
		return e, err
	}, `SELECT idx, strength, sealed, label, added_by, added_at FROM excluded_numbers WHERE org_id = $1 ORDER BY added_at, idx`, org)
}

// Exclude adds or changes an exclusion. The caller rebuilds the roll-ups that hold the number.
func (b *Book) Exclude(ctx context.Context, tx *db.Tx, org account.OrgID, e Exclusion) error {
	if e.Number == "" {
		return fault.Field("number", "Enter the number to exclude.")
	}
	k, err := b.keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	i := indexOf(k, e.Number)
	_, err = tx.Exec(ctx, `INSERT INTO excluded_numbers (org_id, idx, strength, sealed, label, added_by, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, idx) DO UPDATE SET strength = excluded.strength, label = excluded.label, sealed = excluded.sealed`,
		org, i[:], e.Strength, k.Seal("excluded_numbers", []byte(e.Number)), e.Label, e.AddedBy, e.AddedAt.UnixMilli())
	return err
}

// Include takes an exclusion back.
func (b *Book) Include(ctx context.Context, tx *db.Tx, org account.OrgID, key Key) error {
	raw, err := id.Decode(string(key))
	if err != nil {
		return notFound(key)
	}
	n, err := tx.Exec(ctx, `DELETE FROM excluded_numbers WHERE org_id = $1 AND idx = $2`, org, raw)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "That number is not excluded, or was taken off the list already.")
	}
	return err
}

// Excluded is what is kept out of ingest and reports.
type Excluded struct {
	Dropped    map[string]bool // canonical numbers that are never stored, as far as they are known; see Drops
	Hidden     map[ID]bool     // ids of stored numbers hidden from reports unless they ask for them; restricted ones, too
	Restricted map[ID]bool     // ids of stored numbers that no report may have

	listed          []string // canonical numbers, all of them
	restrictedTexts map[string]bool

	// Of the numbers of people whose data was erased, the index alone is kept.
	keys     *vault.OrgKeys
	nameless map[index]Strength
}

// Drops tells whether calls with a canonical number are never stored.
func (e *Excluded) Drops(canonical string) bool {
	if e.Dropped[canonical] {
		return true
	}
	return len(e.nameless) > 0 && canonical != "" && e.nameless[indexOf(e.keys, canonical)] == NeverStored
}

// Learn marks numbers of the list that have got their ids after it was loaded.
func (e *Excluded) Learn(ids map[string]ID) {
	for _, canonical := range e.listed {
		if n, ok := ids[canonical]; ok {
			e.Hidden[n] = true
		}
	}
	if len(e.nameless) == 0 {
		return
	}
	for canonical, n := range ids {
		if canonical != "" && e.nameless[indexOf(e.keys, canonical)] != 0 {
			e.Hidden[n] = true
		}
	}
}

// Excluded loads the list.
func (b *Book) Excluded(ctx context.Context, c db.Conn, org account.OrgID) (Excluded, error) {
	out := Excluded{Dropped: map[string]bool{}, Hidden: map[ID]bool{}, restrictedTexts: map[string]bool{}}
	var err error
	if out.Restricted, err = b.Restricted(ctx, c, org); err != nil {
		return out, err
	}
	for n := range out.Restricted {
		out.Hidden[n] = true
	}
	all, err := b.exclusions(ctx, c, org)
	if err != nil || len(all) == 0 {
		return out, err
	}
	if out.keys, err = b.keys.Org(ctx, int64(org)); err != nil {
		return out, err
	}
	out.nameless = map[index]Strength{}
	indexes := make(map[index]string, len(all))
	for _, e := range all {
		raw, err := id.Decode(string(e.Key))
		if err != nil {
			return out, err
		}
		indexes[index(raw)] = e.Number
		if e.Number == "" {
			out.nameless[index(raw)] = e.Strength
			continue
		}
		out.listed = append(out.listed, e.Number)
		if e.Strength == NeverStored {
			out.Dropped[e.Number] = true
		}
	}
	// A number stored before it was excluded is hidden whatever the strength.
	stored, err := b.lookUp(ctx, c, org, indexes)
	for i, n := range stored {
		out.Hidden[n] = true
		if out.Restricted[n] {
			out.restrictedTexts[indexes[i]] = true
		}
	}
	return out, err
}
