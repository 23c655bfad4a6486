package number_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
)

// shelf is a book, and the ids of two organisations that write in it.
type shelf struct {
	*number.Book
	t    *testing.T
	db   *db.DB
	keys *vault.Keys
}

const (
	ours   account.OrgID = 1
	theirs account.OrgID = 2
)

func eachBook(t *testing.T, story func(t *testing.T, s *shelf)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := t.TempDir()
		master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := vault.Open(t.Context(), dir, master)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := keys.Close(); err != nil {
				t.Error(err)
			}
		})
		story(t, &shelf{Book: number.New(d, keys), t: t, db: d, keys: keys})
	}, dbtest.Schema{Series: "number", Files: number.Schema})
}

func (s *shelf) resolve(org account.OrgID, canonical ...string) map[string]number.ID {
	s.t.Helper()
	var ids map[string]number.ID
	var committed func()
	if err := s.db.Tx(s.t.Context(), func(tx *db.Tx) (err error) {
		ids, committed, err = s.Resolve(s.t.Context(), tx, org, canonical)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	committed()
	return ids
}

func TestANumberKeepsItsID(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		first := s.resolve(ours, "+919812300001", "", "+919812300002", "+919812300001")
		if len(first) != 3 || first[""] != number.Withheld || first["+919812300001"] == first["+919812300002"] || first["+919812300001"] < 1 {
			t.Fatalf("the ids are %v", first)
		}
		again := number.New(s.db, s.keys) // has nothing in its cache
		for name, b := range map[string]*number.Book{"the same book": s.Book, "another": again} {
			s := *s
			s.Book = b
			ids := s.resolve(ours, "+919812300003", "+919812300002", "+919812300001")
			if ids["+919812300001"] != first["+919812300001"] || ids["+919812300002"] != first["+919812300002"] {
				t.Errorf("%s gives %v after %v", name, ids, first)
			}
		}
		if n, err := s.Count(t.Context(), s.db, ours); err != nil || n != 4 {
			t.Errorf("the next id is %d (%v), want 4: ids are dense", n, err)
		}
		known, err := s.Known(t.Context(), s.db, ours, []string{"+919812300001", "+919812399999", ""})
		if err != nil || len(known) != 2 || known["+919812300001"] != first["+919812300001"] {
			t.Errorf("known are %v (%v), want the one and withheld", known, err)
		}
	})
}

func TestARolledBackNumberIsNotRemembered(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		stop := fault.New(fault.Invalid, "stop")
		if err := s.db.Tx(t.Context(), func(tx *db.Tx) error {
			if _, _, err := s.Resolve(t.Context(), tx, ours, []string{"+919812300001"}); err != nil {
				return err
			}
			return stop
		}); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if _, ok, err := s.Find(t.Context(), s.db, ours, "+919812300001"); ok || err != nil {
			t.Errorf("the number is in the book (%v)", err)
		}
		if id := s.resolve(ours, "+919812300001")["+919812300001"]; id != 1 {
			t.Errorf("the id is %d, want 1", id)
		}
	})
}

func TestNumbersAreFoundByWholeAndByLastDigits(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		many := []string{"+919812300001", "+14155300001", "*123#", "1800-FLOWERS 0001"}
		for n := range 120 { // several statements' worth
			many = append(many, fmt.Sprintf("+9198999%05d", n))
		}
		ids := s.resolve(ours, many...)
		s.resolve(theirs, "+447700900001")
		for _, c := range many {
			if id, ok, err := s.Find(t.Context(), s.db, ours, c); err != nil || !ok || id != ids[c] {
				t.Fatalf("%q is found as %d, %t (%v)", c, id, ok, err)
			}
		}
		for digits, want := range map[string][]string{
			"0001": {"+919812300001", "+14155300001", "1800-FLOWERS 0001", "+919899900001"}, "300001": {"+919812300001", "+14155300001"},
			"00 099": {"+919899900099"}, "+91 98123 00001": {"+919812300001"}, "५३००००१": {"+14155300001"}, "9999": nil,
		} {
			found, err := s.FindEnding(t.Context(), s.db, ours, digits)
			if err != nil {
				t.Fatal(err)
			}
			var wanted []number.ID
			for _, c := range want {
				wanted = append(wanted, ids[c])
			}
			slices.Sort(found)
			slices.Sort(wanted)
			if !slices.Equal(found, wanted) {
				t.Errorf("ending in %q are %v, want %v", digits, found, wanted)
			}
		}
		_, err := s.FindEnding(t.Context(), s.db, ours, "123")
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "4 digits") {
			t.Errorf("three digits give %v", err)
		}
		all := make([]number.ID, 0, len(ids))
		for _, id := range ids {
			all = append(all, id, id)
		}
		texts, err := s.Show(t.Context(), s.db, ours, all)
		if err != nil || len(texts) != len(many) {
			t.Fatalf("%d numbers are shown (%v), want %d", len(texts), err, len(many))
		}
		for c, id := range ids {
			if texts[id] != c {
				t.Errorf("%d is shown as %q, want %q", id, texts[id], c)
			}
		}
	})
}

func TestAnotherOrganisationsKeyIsNotFound(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		id := s.resolve(ours, "+919812300001")["+919812300001"]
		s.resolve(theirs, "+919812300001")
		key, err := s.Key(t.Context(), ours, "+919812300001")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.ByKey(t.Context(), s.db, ours, key); err != nil || got != id {
			t.Errorf("the key leads to %d (%v), want %d", got, err, id)
		}
		for _, k := range []number.Key{key, "", "nonsense", key + "0", key[1:]} {
			if _, err := s.ByKey(t.Context(), s.db, theirs, k); fault.KindOf(err) != fault.NotFound {
				t.Errorf("the key %q gives another organisation %v", k, err)
			}
		}
	})
}

func TestTheLastNameLoggedStays(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		id := s.resolve(ours, "+919812300001")["+919812300001"]
		if err := s.db.Tx(t.Context(), func(tx *db.Tx) error {
			for _, n := range []struct {
				name string
				at   int64
			}{{"Meera", 10}, {"Meera Shop", 30}, {"Old", 20}, {"", 40}} {
				if err := s.Rename(t.Context(), tx, ours, id, n.name, n.at); err != nil {
					return err
				}
			}
			return s.Rename(t.Context(), tx, ours, number.Withheld, "Nobody", 1)
		}); err != nil {
			t.Fatal(err)
		}
		names, err := s.Names(t.Context(), s.db, ours, []number.ID{id, number.Withheld})
		if err != nil || len(names) != 1 || names[id] != "Meera Shop" {
			t.Errorf("the names are %v (%v)", names, err)
		}
	})
}

func TestAnErasedNumberIsLeftOut(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		ids := s.resolve(ours, "+919812300001", "+919812300002")
		k, err := s.keys.Org(t.Context(), int64(ours))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.DestroySubject(t.Context(), int64(ids["+919812300001"])); err != nil {
			t.Fatal(err)
		}
		texts, err := s.Show(t.Context(), s.db, ours, []number.ID{ids["+919812300001"], ids["+919812300002"]})
		if err != nil || len(texts) != 1 || texts[ids["+919812300002"]] != "+919812300002" {
			t.Errorf("shown are %v (%v), want the second alone", texts, err)
		}
		found, err := s.FindEnding(t.Context(), s.db, ours, "0001")
		if err != nil || len(found) != 0 {
			t.Errorf("the erased number is found as %v (%v)", found, err)
		}
	})
}

func TestExclusionsAreListedAndTakenBack(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		id := s.resolve(ours, "+919812300001")["+919812300001"]
		at := time.UnixMilli(1_776_236_400_000)
		exclude := func(canonical string, strength number.Strength) {
			t.Helper()
			if err := s.db.Tx(t.Context(), func(tx *db.Tx) error {
				return s.Exclude(t.Context(), tx, ours, number.Exclusion{Number: canonical, Strength: strength, Label: "home", AddedBy: "mem_1", AddedAt: at})
			}); err != nil {
				t.Fatal(err)
			}
		}
		exclude("+919812300001", number.Hidden)
		exclude("+919812300002", number.NeverStored)
		exclude("+919812300001", number.NeverStored)
		list, err := s.Exclusions(t.Context(), s.db, ours)
		if err != nil || len(list) != 2 {
			t.Fatalf("excluded are %+v (%v)", list, err)
		}
		slices.SortFunc(list, func(a, b number.Exclusion) int { return strings.Compare(a.Number, b.Number) })
		if e := list[0]; e.Number != "+919812300001" || e.Strength != number.NeverStored || e.Label != "home" || e.AddedBy != "mem_1" || !e.AddedAt.Equal(at) {
			t.Errorf("the first is %+v", e)
		}
		ex, err := s.Excluded(t.Context(), s.db, ours)
		if err != nil || len(ex.Dropped) != 2 || len(ex.Hidden) != 1 || !ex.Hidden[id] {
			t.Errorf("excluded are %+v (%v)", ex, err)
		}
		later := s.resolve(ours, "+919812300002")
		ex.Learn(later)
		if !ex.Hidden[later["+919812300002"]] {
			t.Error("a number that came into the book after the list was read is not hidden")
		}
		include := func(org account.OrgID, k number.Key) error {
			return s.db.Tx(t.Context(), func(tx *db.Tx) error { return s.Include(t.Context(), tx, org, k) })
		}
		if err := include(theirs, list[0].Key); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another organisation takes it back with %v", err)
		}
		if err := include(ours, list[0].Key); err != nil {
			t.Errorf("taken back: %v", err)
		}
		if left, err := s.Exclusions(t.Context(), s.db, ours); err != nil || len(left) != len(list)-1 || left[0].Key == list[0].Key {
			t.Errorf("left are %+v (%v)", left, err)
		}
	})
}

func TestTheRawFileHoldsNoNumber(t *testing.T) {
	d := dbtest.SQLite(t, dbtest.Schema{Series: "number", Files: number.Schema})
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(t.Context(), dir, master)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	s := &shelf{Book: number.New(d, keys), t: t, db: d, keys: keys}
	id := s.resolve(ours, "+919812345678")["+919812345678"]
	if err := d.Tx(t.Context(), func(tx *db.Tx) error {
		if err := s.Rename(t.Context(), tx, ours, id, "Meera Canary", 1); err != nil {
			return err
		}
		return s.Exclude(t.Context(), tx, ours, number.Exclusion{Number: "+919876543210", Strength: number.Hidden})
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{d.Path(), d.Path() + "-wal", filepath.Join(dir, "keys.db"), filepath.Join(dir, "keys.db-wal")} {
		raw, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		holds(t, path, raw)
	}
	// Even whoever opens the database finds the number only with the keys, which lie apart.
	for _, column := range []string{"SELECT sealed FROM numbers", "SELECT idx FROM number_index", "SELECT sealed FROM number_names", "SELECT sealed FROM excluded_numbers"} {
		values, err := db.Select(t.Context(), d, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, column)
		if err != nil || len(values) == 0 {
			t.Fatalf("%s: %d values (%v)", column, len(values), err)
		}
		for _, v := range values {
			holds(t, column, v)
		}
	}
}

// holds fails the test when raw bytes show a number or name.
func holds(t *testing.T, where string, raw []byte) {
	t.Helper()
	for _, canary := range []string{"9812345678", "2345678", "9876543210", "Meera Canary"} {
		if bytes.Contains(raw, []byte(canary)) {
			t.Errorf("%s shows %q", where, canary)
		}
	}
}
