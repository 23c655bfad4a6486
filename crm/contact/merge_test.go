package contact_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// pair makes two contacts that are one person.
func (w *world) pair(t *testing.T) (a, b *contact.Contact) {
	t.Helper()
	a = w.Add(t, contact.New{Owner: w.ravi.ID, Tags: []string{"vip"}, Person: contact.Person{First: "Meera", Last: "Nair", Numbers: []contact.Labelled{{Text: "+919800000001"}}}})
	b = w.Add(t, contact.New{Owner: w.meera.ID, Tags: []string{"export"}, Person: contact.Person{First: "Mira", Last: "Nair", Company: "Lotus",
		Numbers: []contact.Labelled{{Text: "+919800000002"}, {Text: "+919800000001"}}, Emails: []contact.Labelled{{Text: "mira@lotus.example"}}}})
	return a, b
}

func TestMergedContactsAreOneAndCanBeSplit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		was, had := w.load(t, a.ID), w.load(t, b.ID)
		w.Tx(t, func(tx *db.Tx) error {
			_, err := w.Contacts.AddNote(t.Context(), tx, w.Org.ID, w.ravi.ID, b.ID, "likes blue")
			return err
		})
		must(t, w.merge(t, a.ID, b.ID))
		c := w.load(t, b.ID) // an old link leads to the one that is left
		if c.ID != a.ID || c.Name() != "Meera Nair" || c.Person.Company != "Lotus" || !slices.Equal(texts(c.Person.Numbers), []string{"+919800000001", "+919800000002"}) || !slices.Equal(c.Tags, []string{"export", "vip"}) {
			t.Errorf("merged: %+v", c)
		}
		with, err := w.Contacts.ByNumber(t.Context(), w.DB, w.Org.ID, b.Nums...)
		must(t, err)
		for n, ids := range with {
			if !slices.Equal(ids, []contact.ID{a.ID}) {
				t.Errorf("the number %d leads to %v", n, ids)
			}
		}
		for _, q := range []string{"lotus", "mira@lotus.example", "0002"} {
			if got := w.find(t, q); !slices.Equal(got, []contact.ID{a.ID}) {
				t.Errorf("%q finds %v", q, got)
			}
		}
		if notes, err := w.Contacts.Notes(t.Context(), w.DB, w.Org.ID, a.ID, time.Time{}, 9); err != nil || len(notes) != 1 {
			t.Errorf("the notes of both are %v %v", notes, err)
		}
		page, err := w.Contacts.List(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, contact.Ask{})
		must(t, err)
		if len(page.Contacts) != 1 {
			t.Errorf("%d contacts are listed", len(page.Contacts))
		}
		_, err = w.change(t, w.ravi, a.ID, 0, func(p *contact.Person) {
			p.Title = "Buyer"
			p.Numbers = append(p.Numbers, contact.Labelled{Text: "+919800000003"})
		})
		must(t, err)

		must(t, w.split(t, b.ID))
		now, again := w.load(t, a.ID), w.load(t, b.ID)
		was.Person.Title = "Buyer"
		was.Person.Numbers = append(was.Person.Numbers, contact.Labelled{Text: "+919800000003"})
		if !reflect.DeepEqual(now.Person, was.Person) || !slices.Equal(now.Tags, was.Tags) {
			t.Errorf("after the split the first is %+v, want %+v", now.Person, was.Person)
		}
		if again.ID != b.ID || !reflect.DeepEqual(again.Person, had.Person) || !slices.Equal(again.Tags, had.Tags) || !slices.Equal(again.Nums, had.Nums) {
			t.Errorf("after the split the second is %+v, want %+v", again, had)
		}
		if with, err = w.Contacts.ByNumber(t.Context(), w.DB, w.Org.ID, b.Nums...); err != nil || len(with) != 2 || len(with[a.Nums[0]]) != 2 {
			t.Errorf("after the split the numbers lead to %v %v", with, err)
		}
		if got := w.find(t, "lotus"); !slices.Equal(got, []contact.ID{b.ID}) {
			t.Errorf("the second is found as %v", got)
		}
		want(t, w.split(t, b.ID), fault.Conflict)
	})
}

func TestChainsOfMergesAndNoCircles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b, c := w.Contact(t, "A", "Nair", "+919800000001"), w.Contact(t, "B", "Nair", "+919800000002"), w.Contact(t, "C", "Nair", "+919800000003")
		must(t, w.merge(t, b.ID, a.ID))
		must(t, w.merge(t, c.ID, b.ID))
		if got := w.load(t, a.ID); got.ID != c.ID || len(got.Person.Numbers) != 3 {
			t.Errorf("%+v", got)
		}
		for _, circle := range [][2]contact.ID{{a.ID, c.ID}, {a.ID, b.ID}, {b.ID, c.ID}, {c.ID, c.ID}, {c.ID, a.ID}} {
			want(t, w.merge(t, circle[0], circle[1]), fault.Invalid)
		}
		want(t, w.split(t, a.ID), fault.Conflict) // b was merged itself
		must(t, w.split(t, b.ID))
		if got := w.load(t, a.ID); got.ID != b.ID {
			t.Errorf("a is part of %v", got)
		}
		must(t, w.split(t, a.ID))
		for _, x := range []*contact.Contact{a, b, c} {
			if got := w.load(t, x.ID); got.ID != x.ID || !reflect.DeepEqual(got.Person, x.Person) {
				t.Errorf("%v came back as %+v", x.Person, got.Person)
			}
		}
		family, err := w.Contacts.Family(t.Context(), w.DB, w.Org.ID, c.ID)
		must(t, err)
		if !slices.Equal(family, []contact.ID{c.ID}) {
			t.Errorf("the family is %v", family)
		}
	})
}

func TestDuplicatesAreSuggestedPageByPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := func(first, n string) *contact.Contact { return w.Contact(t, first, "", n) }
		a, b := number("Anu", "+919800000001"), number("Anita", "+919800000001")
		mail := func(first, e string) *contact.Contact {
			return w.Add(t, contact.New{Owner: w.ravi.ID, Person: contact.Person{First: first, Emails: []contact.Labelled{{Text: e}}}})
		}
		c, d := mail("Chitra", "c@lotus.example"), mail("Chithra", "C@lotus.example")
		e, f := w.Contact(t, "Élodie", "Nair"), w.Contact(t, "Nair", "Elodie")
		w.Contact(t, "Nobody", "Else", "+919800000009")
		list := func(sight contact.Sight, limit int) (out [][]contact.ID, whys []string) {
			for cursor := ""; ; {
				groups, next, err := w.Contacts.Duplicates(t.Context(), w.DB, w.Org.ID, sight, cursor, limit)
				must(t, err)
				for _, g := range groups {
					ids := idsOf(g.Contacts)
					slices.Sort(ids)
					out, whys = append(out, ids), append(whys, g.Why)
				}
				if cursor = next; cursor == "" {
					return out, whys
				}
			}
		}
		wanted := [][]contact.ID{{a.ID, b.ID}, {c.ID, d.ID}, {e.ID, f.ID}}
		for _, pair := range wanted {
			slices.Sort(pair) // ids of one millisecond come in any order
		}
		for _, limit := range []int{1, 2, 50} {
			got, whys := list(contact.Sight{All: true}, limit)
			if !reflect.DeepEqual(got, wanted) || !slices.Equal(whys, []string{"number", "email", "name"}) {
				t.Errorf("by %d: %v %v", limit, got, whys)
			}
		}
		if got, _ := list(contact.Sight{Unowned: true}, 5); len(got) != 2 {
			t.Errorf("who does not see Chitra is shown %v", got)
		}
		twins, err := w.Contacts.Twins(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, w.load(t, f.ID))
		must(t, err)
		if len(twins) != 1 || twins[0].Contact.ID != e.ID || !slices.Equal(twins[0].Why, []string{"name"}) {
			t.Errorf("twins: %+v", twins)
		}
		w.Tx(t, func(tx *db.Tx) error { return w.Contacts.Apart(t.Context(), tx, w.Org.ID, w.ravi.ID, e.ID, f.ID) })
		must(t, w.merge(t, a.ID, b.ID))
		if got, _ := list(contact.Sight{All: true}, 5); !reflect.DeepEqual(got, wanted[1:2]) {
			t.Errorf("after all is settled: %v", got)
		}
		for _, bad := range []string{"nonsense", id.Encode([]byte(`{"s":9}`))} {
			_, _, err = w.Contacts.Duplicates(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, bad, 5)
			want(t, err, fault.Invalid)
		}
	})
}
