package retain

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Archived is one item in the archive. What is in it opens with Open only.
type Archived struct {
	ID       string
	Keeper   string
	Category string
	Item     string
	Who      subject.Ref // zero = nobody in particular
	At       time.Time   // the event that the first period counted from
	Rows     int64
	Since    time.Time // when it was archived
	Ends     time.Time // when it is erased; filled by Archive
}

const archiveColumns = `id, keeper, category, item, person, at_ms, row_count, archived_ms`

func scanArchived(r db.Scanner) (a Archived, err error) {
	var person string
	var event, since int64
	if err := r.Scan(&a.ID, &a.Keeper, &a.Category, &a.Item, &person, &event, &a.Rows, &since); err != nil {
		return a, err
	}
	a.At, a.Since = at(event), at(since)
	if person != "" {
		a.Who, err = subject.Parse(person)
	}
	return a, err
}

// keyOf is the key of a person outside, whether they are known by a number or as a contact; 0 for anybody else.
func keyOf(who subject.Ref) int64 { return max(who.Num(), who.Con()) }

// owner is whose key seals an item: the person outside, else the first person.
func owner(who []subject.Ref) subject.Ref {
	for _, w := range who {
		if keyOf(w) > 0 {
			return w
		}
	}
	if len(who) > 0 {
		return who[0]
	}
	return subject.Ref{}
}

func sealedField(item string) string { return "archive|" + item }

func seal(ctx context.Context, k *vault.OrgKeys, who subject.Ref, item string, plain []byte) ([]byte, error) {
	if n := keyOf(who); n > 0 {
		var err error
		if plain, err = k.SealSubject(ctx, n, sealedField(item), plain); err != nil {
			return nil, err
		}
	}
	return k.SealArchive(sealedField(item), plain), nil
}

func open(ctx context.Context, k *vault.OrgKeys, who subject.Ref, item string, sealed []byte) ([]byte, error) {
	plain, err := k.OpenArchive(sealedField(item), sealed)
	if err != nil || keyOf(who) <= 0 {
		return plain, err
	}
	return k.OpenSubject(ctx, keyOf(who), sealedField(item), plain)
}

// copyItems is how many items one transaction copies into the archive or erases from it, and copyRows about how many rows a
// keeper is asked to copy at once: the more, the less often it reads the same days.
const (
	copyItems = 250
	copyRows  = 100_000
)

// chunks divides items so that each part has at most so many rows, but for single items.
func chunks(items []Item) (out [][]Item) {
	for len(items) > 0 {
		n, rows := 1, items[0].Rows
		for n < len(items) && rows+items[n].Rows <= copyRows {
			rows += items[n].Rows
			n++
		}
		out, items = append(out, items[:n]), items[n:]
	}
	return out
}

// archive puts copies of the items aside, and gives the id of each. They count once they are settled, when the rows are
// removed.
func (s *Sweeper) archive(ctx context.Context, org account.OrgID, k *Keeper, o Order, p *Plan) (map[string]string, error) {
	keys, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	if err := s.unarchive(ctx, org, p); err != nil { // of a run that was broken off
		return nil, err
	}
	copies := make(map[string]string, len(o.Items))
	for _, part := range chunks(o.Items) {
		if err := s.copy(ctx, org, keys, k, part, p, copies); err != nil {
			return nil, err
		}
	}
	return copies, nil
}

// copiesAtOnce is how many copies one statement stores.
const copiesAtOnce = 20

// copy puts copies of some items aside.
func (s *Sweeper) copy(ctx context.Context, org account.OrgID, keys *vault.OrgKeys, k *Keeper, items []Item, p *Plan, copies map[string]string) error {
	now := ms(s.d.Now())
	var rows [][]any
	flush := func() error {
		defer func() { rows = rows[:0] }()
		return s.putAside(ctx, rows)
	}
	if err := k.bundles(ctx, org, items, func(i Item, plain []byte) error {
		who := owner(i.Who)
		sealed, err := seal(ctx, keys, who, i.Key, plain)
		if err != nil {
			return err
		}
		copies[i.Key] = id.New("arc")
		rows = append(rows, []any{org, copies[i.Key], k.Name, p.Category, i.Key, Lock{Who: who}.person(), ms(i.At), i.Rows, now, p.ID, 0, sealed})
		if len(rows) < copyItems {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	return flush()
}

// putAside stores copies.
func (s *Sweeper) putAside(ctx context.Context, rows [][]any) error {
	return s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		for part := range slices.Chunk(rows, copiesAtOnce) {
			if _, err := tx.Exec(ctx, `INSERT INTO archive_items (org_id, `+archiveColumns+`, plan, settled, sealed) VALUES `+db.Values(len(part), len(part[0])), slices.Concat(part...)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// bundles copies items, all at once where the keeper can.
func (k *Keeper) bundles(ctx context.Context, org account.OrgID, items []Item, each func(Item, []byte) error) error {
	if k.Bundles != nil {
		return k.Bundles(ctx, org, items, each)
	}
	for _, i := range items {
		plain, err := k.Bundle(ctx, org, i)
		if err == nil {
			err = each(i, plain)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recover finds what a run that was broken off had removed already: it lies in the archive, and is not due any more.
func (s *Sweeper) recover(ctx context.Context, org account.OrgID, p *Plan, due []Item) ([]Item, error) {
	if !p.Archives {
		return nil, nil
	}
	left, err := db.Select(ctx, s.d.DB, scanArchived, `SELECT `+archiveColumns+` FROM archive_items WHERE org_id = $1 AND plan = $2`, org, p.ID)
	if err != nil {
		return nil, err
	}
	still := map[string]bool{}
	for _, i := range due {
		still[i.Key] = true
	}
	var gone []Item
	for _, a := range left {
		if still[a.Item] {
			continue
		}
		gone = append(gone, Item{Key: a.Item, Who: []subject.Ref{a.Who}, At: a.At, Rows: a.Rows})
		if _, err := s.d.DB.Exec(ctx, `UPDATE archive_items SET settled = 1 WHERE org_id = $1 AND id = $2 AND settled = 0`, org, a.ID); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

func (s *Sweeper) unarchive(ctx context.Context, org account.OrgID, p *Plan) error {
	if !p.Archives {
		return nil
	}
	_, err := s.d.DB.Exec(ctx, `DELETE FROM archive_items WHERE org_id = $1 AND plan = $2 AND settled = 0`, org, p.ID)
	return err
}

func (s *Sweeper) settle(ctx context.Context, org account.OrgID, p *Plan) error {
	if !p.Archives {
		return nil
	}
	_, err := s.d.DB.Exec(ctx, `UPDATE archive_items SET settled = 1 WHERE org_id = $1 AND plan = $2 AND settled = 0`, org, p.ID)
	return err
}

// Archive lists what is in the archive, what ends first before the rest.
func (s *Sweeper) Archive(ctx context.Context, by *account.Actor) ([]Archived, error) {
	if err := by.Require(account.OpenArchive); err != nil {
		return nil, err
	}
	_, rules, err := s.duties(ctx, by.Org.ID)
	if err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, s.d.DB, scanArchived, `SELECT `+archiveColumns+` FROM archive_items WHERE org_id = $1 AND settled = 1 ORDER BY archived_ms, id`, by.Org.ID)
	for i := range all {
		all[i].Ends = ends(rules, &all[i])
	}
	return all, err
}

// ends is when an archived item is erased: after the archive's period, and not before a law allows it.
func ends(rules []Rule, a *Archived) time.Time {
	end := a.Since
	for _, r := range rules {
		if r.Category != a.Category || r.Part != "" {
			continue
		}
		if r.Archive.Said() && !r.Unused {
			if e := r.Archive.After(a.Since, nil); e.After(end) {
				end = e
			}
		}
		if _, until := r.floor(a.At); until.After(end) {
			end = until
		}
	}
	return end
}

// Open gives what an archived item holds. Who opened it stands in the audit log.
func (s *Sweeper) Open(ctx context.Context, by *account.Actor, archived string) (*Archived, []byte, error) {
	if err := by.Require(account.OpenArchive); err != nil {
		return nil, nil, err
	}
	a, plain, err := s.opened(ctx, by.Org.ID, archived)
	if err != nil {
		return nil, nil, err
	}
	return a, plain, s.logArchive(ctx, by, audit.ArchiveOpened, a)
}

func (s *Sweeper) opened(ctx context.Context, org account.OrgID, archived string) (*Archived, []byte, error) {
	a, ok, err := db.One(ctx, s.d.DB, scanArchived, `SELECT `+archiveColumns+` FROM archive_items WHERE org_id = $1 AND id = $2 AND settled = 1`, org, archived)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, fault.New(fault.NotFound, "There is no item %q in the archive; its time may have come.", archived)
	}
	var sealed []byte
	if err := s.d.DB.Row(ctx, `SELECT sealed FROM archive_items WHERE org_id = $1 AND id = $2`, org, archived).Scan(&sealed); err != nil {
		return nil, nil, err
	}
	keys, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, nil, err
	}
	plain, err := open(ctx, keys, a.Who, a.Item, sealed)
	return &a, plain, err
}

// Return brings an item back from the archive. Its period counts anew from its old event, so something must have changed:
// the policy, or a legal hold.
func (s *Sweeper) Return(ctx context.Context, by *account.Actor, archived string) error {
	if err := by.Require(account.OpenArchive); err != nil {
		return err
	}
	a, plain, err := s.opened(ctx, by.Org.ID, archived)
	if err != nil {
		return err
	}
	k := s.keeper(a.Keeper)
	if k == nil || k.Return == nil {
		return fault.New(fault.Unsupported, "Items of %s cannot be brought back from the archive.", a.Keeper)
	}
	if err := k.Return(ctx, by.Org.ID, a.Item, plain); err != nil {
		return err
	}
	if _, err := s.d.DB.Exec(ctx, `DELETE FROM archive_items WHERE org_id = $1 AND id = $2`, by.Org.ID, archived); err != nil {
		return err
	}
	return s.logArchive(ctx, by, audit.ArchiveReturned, a)
}

func (s *Sweeper) logArchive(ctx context.Context, by *account.Actor, action audit.Action, a *Archived) error {
	e := audit.Entry{Actor: string(by.Member.ID), Action: action, Object: "archive/" + a.ID, Details: map[string]string{"category": a.Category, "keeper": a.Keeper, "rows": number(a.Rows)}}
	if a.Who != (subject.Ref{}) {
		e.About = a.Who.String()
	}
	return s.d.Log.Record(ctx, int64(by.Org.ID), e)
}

// tendArchive erases what has been in the archive for its period, and opens reviews.
func (s *Sweeper) tendArchive(ctx context.Context, org account.OrgID, out *Outcome) error {
	_, rules, err := s.duties(ctx, org)
	if err != nil {
		return err
	}
	all, err := db.Select(ctx, s.d.DB, scanArchived, `SELECT `+archiveColumns+` FROM archive_items WHERE org_id = $1 AND settled = 1 ORDER BY archived_ms, id`, org)
	if err != nil {
		return err
	}
	now := s.d.Now()
	var due, rest []Archived
	for i := range all {
		if ends(rules, &all[i]).After(now) {
			rest = append(rest, all[i])
		} else {
			due = append(due, all[i])
		}
	}
	if out.Erased, err = s.eraseArchived(ctx, org, due); err != nil {
		return err
	}
	out.Reviews, err = s.openReviews(ctx, org, rules, rest)
	return err
}

// eraseArchived erases items for good, but those that a legal hold keeps, and tells how many.
func (s *Sweeper) eraseArchived(ctx context.Context, org account.OrgID, items []Archived) (int64, error) {
	byCategory := map[string][]Archived{}
	for _, a := range items {
		byCategory[a.Category] = append(byCategory[a.Category], a)
	}
	var erased int64
	gone := map[string]map[subject.Ref]bool{} // by keeper
	for _, category := range slices.Sorted(maps.Keys(byCategory)) {
		for part := range slices.Chunk(byCategory[category], copyItems) {
			free, err := s.eraseSome(ctx, org, category, part)
			if err != nil {
				return erased, err
			}
			erased += int64(len(free))
			for _, a := range free {
				if gone[a.Keeper] == nil {
					gone[a.Keeper] = map[subject.Ref]bool{}
				}
				gone[a.Keeper][a.Who] = true
			}
		}
	}
	if erased == 0 {
		return 0, nil
	}
	var errs []error
	for name, who := range gone {
		errs = append(errs, s.forget(ctx, org, name, who))
	}
	errs = append(errs, s.d.Log.Record(ctx, int64(org), audit.Entry{Actor: audit.System, Action: audit.ArchiveErased, Object: "archive", Details: map[string]string{"items": number(erased)}}))
	return erased, errors.Join(errs...)
}

// eraseSome erases those items of one category that no legal hold keeps, in one transaction, and gives them. That some were
// kept is noted as a refusal.
func (s *Sweeper) eraseSome(ctx context.Context, org account.OrgID, category string, items []Archived) (free []Archived, err error) {
	var held []Archived
	if err := s.d.DB.Tx(ctx, func(tx *db.Tx) error {
		free, held = nil, nil
		cover, err := s.d.Holds.Cover(ctx, tx, org, category)
		if err != nil {
			return err
		}
		args := []any{org}
		for _, a := range items {
			if _, is := cover.Holds(a.persons()...); is {
				held = append(held, a)
			} else {
				free, args = append(free, a), append(args, a.ID)
			}
		}
		if len(free) == 0 {
			return nil
		}
		_, err = tx.Exec(ctx, `DELETE FROM archive_items WHERE org_id = $1 AND id IN `+db.In(2, len(free)), args...)
		return err
	}); err != nil || len(held) == 0 {
		return free, err
	}
	d := hold.Deletion{Category: category, Path: hold.ArchiveExpire}
	for _, a := range held {
		d.Who = append(d.Who, a.persons()...)
	}
	if err := s.d.Holds.Check(ctx, s.d.DB, org, d); err != nil && fault.KindOf(err) != fault.Conflict {
		return free, err
	}
	return free, nil
}

func (a *Archived) persons() []subject.Ref {
	if a.Who == (subject.Ref{}) {
		return nil
	}
	return []subject.Ref{a.Who}
}

// forget tells a keeper which persons have nothing in the archive any more.
func (s *Sweeper) forget(ctx context.Context, org account.OrgID, keeper string, who map[subject.Ref]bool) error {
	k := s.keeper(keeper)
	if k == nil || k.Forget == nil {
		return nil
	}
	none, err := s.unkept(ctx, org, who)
	if err != nil {
		return err
	}
	if len(none) == 0 {
		return nil
	}
	return k.Forget(ctx, org, none)
}

// unkept are those of the persons of whom nothing lies in the archive.
func (s *Sweeper) unkept(ctx context.Context, org account.OrgID, who map[subject.Ref]bool) ([]subject.Ref, error) {
	all := map[string]subject.Ref{}
	for w := range who {
		if w != (subject.Ref{}) {
			all[w.String()] = w
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(all)), copyItems) {
		args := []any{org}
		for _, w := range part {
			args = append(args, w)
		}
		there, err := db.Select(ctx, s.d.DB, func(r db.Scanner) (p string, err error) { return p, r.Scan(&p) },
			`SELECT DISTINCT person FROM archive_items WHERE org_id = $1 AND person IN `+db.In(2, len(part)), args...)
		if err != nil {
			return nil, err
		}
		for _, w := range there {
			delete(all, w)
		}
	}
	return slices.Collect(maps.Values(all)), nil
}

// ArchivedOf tells how many items of a person lie in the archive.
func (s *Sweeper) ArchivedOf(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) (n int64, err error) {
	return n, c.Row(ctx, `SELECT count(*) FROM archive_items WHERE org_id = $1 AND person = $2`, org, who.String()).Scan(&n)
}

// EachArchived opens every archived item of a person, for a copy that the person asked for.
func (s *Sweeper) EachArchived(ctx context.Context, org account.OrgID, who subject.Ref, each func(a *Archived, content []byte) error) error {
	all, err := db.Select(ctx, s.d.DB, scanArchived, `SELECT `+archiveColumns+` FROM archive_items WHERE org_id = $1 AND person = $2 AND settled = 1 ORDER BY archived_ms, id`, org, who.String())
	if err != nil {
		return err
	}
	for _, a := range all {
		_, plain, err := s.opened(ctx, org, a.ID)
		if err == nil {
			err = each(&a, plain)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Contents opens what a keeper put into the archive, for work on the archive itself that shows nothing to anybody. What
// belonged to somebody erased is passed over.
func (s *Sweeper) Contents(ctx context.Context, c db.Conn, org account.OrgID, keeper string, each func(item string, content []byte) error) error {
	keys, err := s.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	type row struct {
		item, person string
		sealed       []byte
	}
	all, err := db.Select(ctx, c, func(r db.Scanner) (x row, err error) { return x, r.Scan(&x.item, &x.person, &x.sealed) },
		`SELECT item, person, sealed FROM archive_items WHERE org_id = $1 AND keeper = $2`, org, keeper)
	if err != nil {
		return err
	}
	for _, x := range all {
		var who subject.Ref
		if x.person != "" {
			if who, err = subject.Parse(x.person); err != nil {
				return err
			}
		}
		plain, err := open(ctx, keys, who, x.item, x.sealed)
		if fault.KindOf(err) == fault.Gone {
			continue
		}
		if err == nil {
			err = each(x.item, plain)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// EraseOf erases what is in the archive about a person who asked for it, and tells how many items that were.
func EraseOf(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM archive_items WHERE org_id = $1 AND person = $2`, org, who.String())
}
