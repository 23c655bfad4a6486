package contact_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/rights"
	"parley/trust/subject"
)

// known makes a person with two contacts, merged, that leave something in every table; and somebody who shares a number.
func (w *world) known(t *testing.T) (one, merged, other *contact.Contact) {
	t.Helper()
	one, merged = w.pair(t)
	other = w.Contact(t, "Other", "Person", "+919800000002", "+919800000077")
	must(t, w.merge(t, one.ID, merged.ID))
	w.Tx(t, func(tx *db.Tx) error {
		_, err := w.Contacts.AddNote(t.Context(), tx, w.Org.ID, w.ravi.ID, one.ID, "sings")
		return err
	})
	w.Tx(t, func(tx *db.Tx) error { return w.Contacts.Apart(t.Context(), tx, w.Org.ID, "", one.ID, other.ID) })
	return w.load(t, one.ID), merged, w.load(t, other.ID)
}

// rows counts the rows of contacts.
func (w *world) rows(t *testing.T, ids ...contact.ID) (n int64) {
	t.Helper()
	for _, x := range ids {
		for _, q := range []string{`SELECT count(*) FROM contacts WHERE org_id = $1 AND contact = $2`, `SELECT count(*) FROM contact_numbers WHERE org_id = $1 AND contact = $2`,
			`SELECT count(*) FROM contact_events WHERE org_id = $1 AND contact = $2`, `SELECT count(*) FROM contact_notes WHERE org_id = $1 AND contact = $2`,
			`SELECT count(*) FROM contact_distinct WHERE org_id = $1 AND (one = $2 OR other = $2)`} {
			var k int64
			must(t, w.DB.Row(t.Context(), q, w.Org.ID, x).Scan(&k))
			n += k
		}
	}
	return n
}

func (w *world) indexed(t *testing.T, keys ...int64) (n int64) {
	t.Helper()
	for _, k := range keys {
		var some int64
		must(t, w.DB.Row(t.Context(), `SELECT count(*) FROM contact_index WHERE org_id = $1 AND subject = $2`, w.Org.ID, k).Scan(&some))
		n += some
	}
	return n
}

// destroyed tells whether a key is gone.
func (w *world) destroyed(t *testing.T, key int64) bool {
	t.Helper()
	k, err := w.Keys.Org(t.Context(), int64(w.Org.ID))
	must(t, err)
	_, err = k.SealSubject(t.Context(), key, "test", []byte("x"))
	return fault.KindOf(err) == fault.Gone
}

func TestAPersonHasTheNamesOfTheirContactsAndNumbers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, merged, other := w.known(t)
		names, err := w.Contacts.Names(t.Context(), w.DB, w.Org.ID, subject.OfContact(one.Subject))
		must(t, err)
		want := []subject.Ref{subject.OfContact(one.Subject), subject.OfContact(merged.Subject), subject.OfNumber(int64(one.Nums[0]))}
		slices.SortFunc(names[1:], func(a, b subject.Ref) int { return strings.Compare(a.String(), b.String()) })
		if !slices.Equal(names, want) { // not the number that somebody else has, too
			t.Errorf("the names are %v, want %v", names, want)
		}
		names, err = w.Contacts.Names(t.Context(), w.DB, w.Org.ID, subject.OfNumber(int64(other.Nums[0])))
		must(t, err)
		for _, r := range []subject.Ref{subject.OfContact(one.Subject), subject.OfContact(merged.Subject), subject.OfContact(other.Subject), subject.OfNumber(int64(other.Nums[1]))} {
			if !slices.Contains(names, r) {
				t.Errorf("who has the shared number is not %v: %v", r, names)
			}
		}
		member := subject.OfMember(string(w.ravi.ID))
		if names, err = w.Contacts.Names(t.Context(), w.DB, w.Org.ID, member); err != nil || !slices.Equal(names, []subject.Ref{member}) {
			t.Errorf("a member is %v %v", names, err)
		}
	})
}

func TestErasureLeavesNothingReadable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, merged, other := w.known(t)
		store, who := w.Contacts.Store(), subject.OfNumber(int64(one.Nums[0]))
		plan, err := store.Plan(t.Context(), w.Org.ID, who)
		must(t, err)
		var said []string
		for _, l := range plan {
			said = append(said, fmt.Sprint(l.Name, " ", l.Count))
		}
		if got := strings.Join(said, ", "); got != "keys of contacts 2, entries of the search index 7, contacts 2, numbers of contacts 2, changes of contacts 5, notes about contacts 1" {
			t.Errorf("the plan is %s", got)
		}
		h, err := w.Holds.Add(t.Context(), w.Accounts.Operator(w.Org), hold.Hold{Scope: hold.Person, Persons: []subject.Ref{subject.OfContact(merged.Subject)}, Reason: "A case.", Owner: w.ravi.ID, Ends: w.Now().AddDate(0, 1, 0)})
		must(t, err)
		err = w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Contacts.Delete(t.Context(), tx, w.Org.ID, one.ID); return err })
		want(t, err, fault.Conflict)
		_, err = w.Holds.Release(t.Context(), w.Accounts.Operator(w.Org), h.ID, "Over.")
		must(t, err)
		lines, err := store.Erase(t.Context(), w.Org.ID, who, rights.Decision{At: w.Now()})
		must(t, err)
		if len(lines) != len(plan) || lines[0].Count != 2 {
			t.Errorf("erased: %+v", lines)
		}
		if n := w.rows(t, one.ID, merged.ID) + w.indexed(t, one.Subject, merged.Subject); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		if !w.destroyed(t, one.Subject) || !w.destroyed(t, merged.Subject) || w.destroyed(t, other.Subject) {
			t.Error("the wrong keys are destroyed")
		}
		if got := w.load(t, other.ID); got == nil || got.Name() != "Other Person" {
			t.Errorf("somebody else is %+v", got)
		}
		if plan, err = store.Plan(t.Context(), w.Org.ID, who); err != nil || len(plan) != 0 {
			t.Errorf("still planned: %v %v", plan, err)
		}
		if lines, err = store.Erase(t.Context(), w.Org.ID, who, rights.Decision{At: w.Now()}); err != nil || len(lines) != 0 {
			t.Errorf("erased twice: %v %v", lines, err)
		}
		again := func(origin string, p contact.Person) error {
			return w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, _, err := w.Contacts.Add(t.Context(), tx, w.Org, "", contact.New{Person: p, Origin: origin})
				return err
			})
		}
		mail := contact.Person{First: "Mira", Emails: []contact.Labelled{{Text: "MIRA@lotus.example"}}}
		for _, origin := range []string{"import", "manual"} {
			want(t, again(origin, mail), fault.Gone)
		}
	})
}

func TestWhoWasErasedComesBackByTheirOwnCallAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Contact(t, "Meera", "Nair", "+919800000001")
		_, err := w.Writer.Erase(t.Context(), w.Devices, w.Org, erasure(c.Nums[0]))
		must(t, err)
		add := func(origin string) error {
			return w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, _, err := w.Contacts.Add(t.Context(), tx, w.Org, "", contact.New{Origin: origin, Person: contact.Person{Numbers: []contact.Labelled{{Text: "98000 00001"}}}})
				return err
			})
		}
		want(t, add("import"), fault.Gone)
		want(t, add("manual"), fault.Gone)
		w.Tx(t, func(tx *db.Tx) error { // a later call enters the number anew
			_, _, err := w.Book.Resolve(t.Context(), tx, w.Org.ID, []string{"+919800000001"})
			return err
		})
		want(t, add("import"), fault.Gone)
		want(t, add("phone"), fault.Gone)
		must(t, add("manual"))
	})
}

func TestWhatALawKeepsIsLocked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, _, _ := w.known(t)
		store, who := w.Contacts.Store(), subject.OfContact(one.Subject)
		_, err := store.Erase(t.Context(), w.Org.ID, who, rights.Decision{At: w.Now(), Keep: []rights.Lock{{Category: contact.Category, Until: w.Now().AddDate(1, 0, 0), Law: "GST Act"}}})
		must(t, err)
		c := w.load(t, one.ID)
		if c == nil || !c.Restricted || w.destroyed(t, one.Subject) {
			t.Fatalf("the contact is %+v", c)
		}
		_, err = w.Contacts.Get(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, one.ID)
		want(t, err, fault.Denied)
		if notes, err := w.Contacts.Notes(t.Context(), w.DB, w.Org.ID, one.ID, time.Time{}, 9); err != nil || len(notes) != 0 {
			t.Errorf("notes are left: %v %v", notes, err)
		}
		must(t, w.Contacts.Heed(t.Context(), w.Org.ID, nil))
		if _, err = w.Contacts.Get(t.Context(), w.DB, w.Org.ID, contact.Sight{All: true}, one.ID); err != nil {
			t.Errorf("still restricted: %v", err)
		}
		must(t, w.Contacts.Heed(t.Context(), w.Org.ID, map[subject.Ref]bool{who: true}))
		if ids := w.find(t, "meera"); len(ids) != 0 {
			t.Errorf("a restricted person is found: %v", ids)
		}
	})
}

func TestACopyHasEverythingAndACorrectionIsWritten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, _, _ := w.known(t)
		store, who := w.Contacts.Store(), subject.OfContact(one.Subject)
		var out copied
		must(t, contact.Export(w.Contacts, t.Context(), w.Org.ID, who, &out))
		all := out.String()
		for _, word := range []string{"Meera", "Nair", "Lotus", "+919800000001", "+919800000002", "mira@lotus.example", "export", "vip", "sings", "contact_history", "company"} {
			if !strings.Contains(all, word) {
				t.Errorf("the copy lacks %q:\n%s", word, all)
			}
		}
		if strings.Contains(all, "+919800000077") || strings.Contains(all, string(w.ravi.ID)) {
			t.Errorf("the copy names others:\n%s", all)
		}
		for _, f := range store.Fields {
			if f.Key != "contact.last" || f.Kind != subject.Contact {
				continue
			}
			must(t, f.Write(t.Context(), w.Org.ID, who, "Pillai"))
			if got, err := f.Read(t.Context(), w.Org.ID, who); err != nil || got != "Pillai" || len(w.find(t, "pillai")) != 1 {
				t.Errorf("corrected to %q %v", got, err)
			}
			return
		}
		t.Error("the last name cannot be corrected")
	})
}

// copied is a person's copy as a text.
type copied struct{ strings.Builder }

func (c *copied) Table(category, name string, columns []string, each func(add func(values ...any) error) error) error {
	fmt.Fprintln(c, category, name, columns)
	return each(func(values ...any) error { fmt.Fprintln(c, values...); return nil })
}

func TestAContactIsDeletedWithEverythingUnlessSomebodyIsHeld(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, merged, _ := w.known(t)
		var told []contact.ID
		w.Contacts.OnGone(func(_ context.Context, _ *db.Tx, _ account.OrgID, ids []contact.ID) error {
			told = append(told, ids...)
			return nil
		})
		var destroy func(context.Context) error
		w.Tx(t, func(tx *db.Tx) (err error) {
			destroy, err = w.Contacts.Delete(t.Context(), tx, w.Org.ID, one.ID)
			return err
		})
		must(t, destroy(t.Context()))
		if n := w.rows(t, one.ID, merged.ID) + w.indexed(t, one.Subject, merged.Subject); n != 0 || len(told) != 2 || !w.destroyed(t, one.Subject) || !w.destroyed(t, merged.Subject) {
			t.Errorf("%d rows left, told %v", n, told)
		}
		err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Contacts.Delete(t.Context(), tx, w.Org.ID, one.ID); return err })
		want(t, err, fault.NotFound)
	})
}
