package number_test

import (
	"context"
	"fmt"
	"testing"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
)

func TestAfterAReIndexEveryNumberIsFoundUnderTheNewKey(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		ctx := t.Context()
		var all []string
		for i := range 120 {
			all = append(all, fmt.Sprintf("+9198123%05d", i))
		}
		ids := s.resolve(ours, all...)
		others := s.resolve(theirs, all[:3]...)
		if err := s.db.Tx(ctx, func(tx *db.Tx) error {
			return s.Exclude(ctx, tx, ours, number.Exclusion{Number: all[5], Strength: number.NeverStored, Label: "home"})
		}); err != nil {
			t.Fatal(err)
		}
		old, err := s.keys.Org(ctx, int64(ours))
		if err != nil {
			t.Fatal(err)
		}
		if err := old.DestroySubject(ctx, int64(ids[all[7]])); err != nil {
			t.Fatal(err)
		}
		keyBefore, err := s.Key(ctx, ours, all[1])
		if err != nil {
			t.Fatal(err)
		}
		next, _, err := s.keys.NextIndex(ctx, int64(ours))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.db.Tx(ctx, func(tx *db.Tx) error { return s.Reindex(ctx, tx, ours, next, nil) }); err != nil {
			t.Fatal(err)
		}
		if n, ok, err := s.Find(ctx, s.db, ours, all[1]); ok || err != nil {
			t.Errorf("under the old key number %d is found (%v)", n, err)
		}
		if err := s.keys.CommitIndex(ctx, int64(ours)); err != nil {
			t.Fatal(err)
		}
		for i, text := range all {
			n, ok, err := s.Find(ctx, s.db, ours, text)
			if err != nil || ok != (i != 7) || ok && n != ids[text] {
				t.Errorf("%s is %d, %v (%v), want %d", text, n, ok, err, ids[text])
			}
		}
		if n, ok, err := s.Find(ctx, s.db, theirs, all[1]); err != nil || !ok || n != others[all[1]] {
			t.Errorf("another organisation's number is %d, %v (%v)", n, ok, err)
		}
		if found, err := s.FindEnding(ctx, s.db, ours, "0011"); err != nil || len(found) != 1 || found[0] != ids[all[11]] {
			t.Errorf("by its last digits a number is found as %v (%v)", found, err)
		}
		if keyAfter, err := s.Key(ctx, ours, all[1]); err != nil || keyAfter == keyBefore {
			t.Errorf("the public name is still %s (%v)", keyAfter, err)
		}
		list, err := s.Excluded(ctx, s.db, ours)
		if err != nil || !list.Dropped[all[5]] || !list.Hidden[ids[all[5]]] {
			t.Errorf("kept out are %+v (%v)", list, err)
		}
		if err := s.db.Tx(ctx, func(tx *db.Tx) error { // the same one, not a second
			return s.Exclude(ctx, tx, ours, number.Exclusion{Number: all[5], Strength: number.Hidden})
		}); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Exclusions(ctx, s.db, ours); err != nil || len(again) != 1 {
			t.Errorf("kept out are %+v (%v)", again, err)
		}
		if ids := s.resolve(ours, all[1], "+919812399999"); len(ids) != 2 {
			t.Errorf("resolving gives %v", ids)
		}
	})
}

func TestNumbersInTheArchiveAreIndexedAnewToo(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		ctx := t.Context()
		const text = "+919812300001"
		n := s.resolve(ours, text)[text]
		for _, q := range []string{
			`INSERT INTO archived_numbers (org_id, idx, num) SELECT org_id, idx, num FROM number_index WHERE org_id = $1`,
			`DELETE FROM number_index WHERE org_id = $1`, `DELETE FROM numbers WHERE org_id = $1`,
		} {
			if _, err := s.db.Exec(ctx, q, ours); err != nil {
				t.Fatal(err)
			}
		}
		next, _, err := s.keys.NextIndex(ctx, int64(ours))
		if err != nil {
			t.Fatal(err)
		}
		reindex := func(archived number.Archived) error {
			return s.db.Tx(ctx, func(tx *db.Tx) error { return s.Reindex(ctx, tx, ours, next, archived) })
		}
		if err := reindex(func(_ context.Context, _ *db.Tx, org account.OrgID, ids []number.ID) (map[number.ID]string, error) {
			if org != ours || len(ids) != 1 || ids[0] != n {
				t.Errorf("asked for %v of organisation %d", ids, org)
			}
			return map[number.ID]string{n: text}, nil
		}); err != nil {
			t.Fatal(err)
		}
		var idx []byte
		if err := s.db.Row(ctx, `SELECT idx FROM archived_numbers WHERE org_id = $1 AND num = $2`, ours, n).Scan(&idx); err != nil {
			t.Fatal(err)
		}
		if want := next.Index("number", text)[:10]; string(idx[2:]) != string(want) {
			t.Errorf("the index is %x, want %x", idx[2:], want)
		}
	})
}
