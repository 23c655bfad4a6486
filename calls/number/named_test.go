package number_test

import (
	"fmt"
	"slices"
	"testing"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
)

// names looks for names, and gives the numbers that were found, in ascending order.
func (s *shelf) named(t *testing.T, org account.OrgID, text string) (out []number.ID) {
	t.Helper()
	if err := s.Named(t.Context(), s.db, org, text, func(found []number.ID) (bool, error) {
		out = append(out, found...)
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// call has phones log names with numbers.
func (s *shelf) call(t *testing.T, org account.OrgID, at int64, names map[number.ID]string) {
	t.Helper()
	if err := s.db.Tx(t.Context(), func(tx *db.Tx) error {
		for n, name := range names {
			if err := s.Rename(t.Context(), tx, org, n, name, at); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNumbersAreFoundByTheNamesThatPhonesLogged(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		ctx := t.Context()
		ids := s.resolve(ours, "+919812300001", "+919812300002", "+919812300003")
		a, b, c := ids["+919812300001"], ids["+919812300002"], ids["+919812300003"]
		other := s.resolve(theirs, "+919812300001")["+919812300001"]
		s.call(t, ours, 10, map[number.ID]string{a: "Ramesh Plumber", b: "रमेश मिस्त्री 🔧", c: "Ramesh"})
		s.call(t, theirs, 10, map[number.ID]string{other: "Ramesh Theirs"})
		find := func(what, text string, want ...number.ID) {
			t.Helper()
			slices.Sort(want)
			if got := s.named(t, ours, text); !slices.Equal(got, want) {
				t.Errorf("%s: %q finds %v, want %v", what, text, got, want)
			}
		}
		find("a word", "ramesh", a, c)
		find("the beginnings of words", "PLU rame", a)
		find("another script", "मिस्त्री", b)
		find("no such word", "ramesh electrician")
		find("one letter", "r")
		find("nothing", "")
		s.call(t, ours, 5, map[number.ID]string{a: "Earlier Name"})
		s.call(t, ours, 20, map[number.ID]string{a: "Ramesh Plumber", c: "Suresh"})
		find("an earlier name", "earlier")
		find("the same name again", "plumber", a)
		find("a name that is no more", "ramesh", a)
		find("the name that is", "suresh", c)
		if err := s.db.Tx(ctx, func(tx *db.Tx) error { _, err := s.Restrict(ctx, tx, ours, a, true, 30); return err }); err != nil {
			t.Fatal(err)
		}
		find("somebody restricted", "plumber")
		if err := s.db.Tx(ctx, func(tx *db.Tx) error { _, err := s.Unname(ctx, tx, ours, c); return err }); err != nil {
			t.Fatal(err)
		}
		find("a name that was taken away", "suresh")
		k, err := s.keys.Org(ctx, int64(ours))
		if err != nil {
			t.Fatal(err)
		}
		next, _, err := s.keys.NextIndex(ctx, int64(ours))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.DestroySubject(ctx, int64(a)); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Tx(ctx, func(tx *db.Tx) error { return s.Reindex(ctx, tx, ours, next, nil) }); err != nil {
			t.Fatal(err)
		}
		find("under the old key", "मिस्त्री")
		if err := s.keys.CommitIndex(ctx, int64(ours)); err != nil {
			t.Fatal(err)
		}
		find("under the new key", "मिस्त्री", b)
		if got := s.named(t, theirs, "ramesh"); !slices.Equal(got, []number.ID{other}) {
			t.Errorf("the other organisation finds %v", got)
		}
	})
}

// Of very many people with one name some are found, quickly, and a search ends when it has enough.
func TestASearchForAFrequentNameEnds(t *testing.T) {
	eachBook(t, func(t *testing.T, s *shelf) {
		var all []string
		for i := range 200 {
			all = append(all, fmt.Sprintf("+9198123%05d", i))
		}
		names := map[number.ID]string{}
		for _, n := range s.resolve(ours, all...) {
			names[n] = "Customer"
		}
		s.call(t, ours, 1, names)
		if got := s.named(t, ours, "cust"); len(got) != 200 {
			t.Errorf("%d are found", len(got))
		}
		asked := 0
		if err := s.Named(t.Context(), s.db, ours, "customer", func([]number.ID) (bool, error) { asked++; return false, nil }); err != nil || asked != 1 {
			t.Errorf("asked %d times (%v)", asked, err)
		}
	})
}
