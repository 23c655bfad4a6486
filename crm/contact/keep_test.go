package contact_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/policy"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

func erasure(nums ...number.ID) ingest.Erasure { return ingest.Erasure{Numbers: nums} }

// keeper finds one, and what is due for it now.
func (w *world) keeper(t *testing.T, name string) (retain.Keeper, retain.Cut, []retain.Item) {
	t.Helper()
	cut := retain.Cut{From: policy.LastActivity, Before: w.Now().AddDate(-1, 0, 0)}
	for _, k := range w.Contacts.Keepers() {
		if k.Name == name {
			due, err := k.Due(t.Context(), w.Org.ID, cut)
			must(t, err)
			return k, cut, due
		}
	}
	t.Fatalf("there is no keeper %q", name)
	return retain.Keeper{}, cut, nil
}

func keysOf(items []retain.Item) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Key)
	}
	slices.Sort(out)
	return out
}

func TestContactsArePastTheirPeriodWhenNothingHappenedWithThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, merged, _ := w.known(t)
		busy, fresh := w.Contact(t, "Busy", "One"), w.Contact(t, "Fresh", "One")
		w.Contacts.OnAlive(func(context.Context, db.Conn, account.OrgID, time.Time) ([]contact.ID, error) {
			return []contact.ID{busy.ID}, nil
		})
		w.Clock.Advance(400 * 24 * time.Hour)
		w.Tx(t, func(tx *db.Tx) error { return w.Contacts.SetLast(t.Context(), tx, w.Org.ID, fresh.ID, w.Now()) })
		k, cut, due := w.keeper(t, "contact cards")
		if len(due) != 2 || !slices.Contains(keysOf(due), string(one.ID)) || slices.Contains(keysOf(due), string(busy.ID)) || slices.Contains(keysOf(due), string(fresh.ID)) {
			t.Fatalf("due: %+v", due)
		}
		i := slices.IndexFunc(due, func(i retain.Item) bool { return i.Key == string(one.ID) })
		if due[i].Rows != 2 || !slices.Contains(due[i].Who, subject.OfContact(one.Subject)) || !slices.Contains(due[i].Who, subject.OfNumber(int64(one.Nums[0]))) {
			t.Errorf("the item is %+v", due[i])
		}
		var loose []number.ID
		w.Contacts.OnLoose(func(_ context.Context, _ account.OrgID, nums []number.ID) error { loose = nums; return nil })
		order := retain.Order{Cut: cut, Items: due[i : i+1]}
		w.Tx(t, func(tx *db.Tx) error { // somebody writes meanwhile
			_, err := w.Contacts.AddNote(t.Context(), tx, w.Org.ID, "", one.ID, "back again")
			return err
		})
		_, err := k.Remove(t.Context(), w.Org.ID, order)
		want(t, err, fault.Conflict)
		w.Clock.Advance(400 * 24 * time.Hour)
		_, cut, due = w.keeper(t, "contact cards")
		i = slices.IndexFunc(due, func(i retain.Item) bool { return i.Key == string(one.ID) })
		n, err := k.Remove(t.Context(), w.Org.ID, retain.Order{Cut: cut, Items: due[i : i+1]})
		must(t, err)
		if n != 2 || w.rows(t, one.ID, merged.ID) != 0 || !w.destroyed(t, one.Subject) || !slices.Equal(loose, one.Nums[:1]) {
			t.Errorf("%d removed, %d rows left, loose %v", n, w.rows(t, one.ID, merged.ID), loose)
		}
	})
}

func TestAnArchivedContactComesBackOrIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, merged, _ := w.known(t)
		w.Clock.Advance(400 * 24 * time.Hour)
		k, cut, due := w.keeper(t, "contact cards")
		i := slices.IndexFunc(due, func(i retain.Item) bool { return i.Key == string(one.ID) })
		had := w.rows(t, one.ID, merged.ID)
		shelve := func() []byte {
			bundle, err := k.Bundle(t.Context(), w.Org.ID, due[i])
			must(t, err)
			if !json.Valid(bundle) {
				t.Fatalf("the bundle is %s", bundle)
			}
			order := retain.Order{Cut: cut, Items: due[i : i+1]}
			order.Archived = true
			_, err = k.Remove(t.Context(), w.Org.ID, order)
			must(t, err)
			return bundle
		}
		bundle := shelve()
		if w.rows(t, one.ID, merged.ID) != 0 || w.destroyed(t, one.Subject) {
			t.Error("archiving left rows, or took the key")
		}
		names, err := w.Contacts.Names(t.Context(), w.DB, w.Org.ID, subject.OfNumber(int64(one.Nums[0])))
		must(t, err)
		if !slices.Contains(names, subject.OfContact(one.Subject)) || !slices.Contains(names, subject.OfContact(merged.Subject)) {
			t.Errorf("who asks by number is not known to be in the archive: %v", names)
		}
		must(t, k.Return(t.Context(), w.Org.ID, due[i].Key, bundle))
		must(t, k.Return(t.Context(), w.Org.ID, due[i].Key, bundle))
		back := w.load(t, merged.ID)
		if back == nil || !reflect.DeepEqual(back.Person, one.Person) || back.Rev != one.Rev || w.rows(t, one.ID, merged.ID) != had-2 { // who was called two persons is asked again
			t.Errorf("back came %+v with %d rows of %d", back, w.rows(t, one.ID, merged.ID), had)
		}
		if ids := w.find(t, "meera"); !slices.Equal(ids, []contact.ID{one.ID}) {
			t.Errorf("found again: %v", ids)
		}
		must(t, w.split(t, merged.ID))
		must(t, w.merge(t, one.ID, merged.ID))
		w.Clock.Advance(400 * 24 * time.Hour)
		k, cut, due = w.keeper(t, "contact cards")
		i = slices.IndexFunc(due, func(i retain.Item) bool { return i.Key == string(one.ID) })
		shelve()
		plan, err := w.Contacts.Store().Plan(t.Context(), w.Org.ID, subject.OfNumber(int64(one.Nums[0])))
		must(t, err)
		if len(plan) == 0 || plan[0].Count != 2 {
			t.Errorf("the plan says nothing of the archive: %+v", plan)
		}
		must(t, k.Forget(t.Context(), w.Org.ID, []subject.Ref{subject.OfContact(one.Subject), subject.OfContact(merged.Subject)}))
		if !w.destroyed(t, one.Subject) || !w.destroyed(t, merged.Subject) {
			t.Error("the keys are still there after the archive's end")
		}
	})
}

func TestWhoLiesInTheArchiveIsErasedThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, merged, _ := w.known(t)
		w.Clock.Advance(400 * 24 * time.Hour)
		k, cut, due := w.keeper(t, "contact cards")
		_, err := k.Remove(t.Context(), w.Org.ID, retain.Order{Cut: cut, Archived: true, Items: due})
		must(t, err)
		_, err = w.Contacts.Store().Erase(t.Context(), w.Org.ID, subject.OfNumber(int64(one.Nums[0])), rights.Decision{At: w.Now()})
		must(t, err)
		if !w.destroyed(t, one.Subject) || !w.destroyed(t, merged.Subject) {
			t.Error("the keys still work")
		}
		names, err := w.Contacts.Names(t.Context(), w.DB, w.Org.ID, subject.OfNumber(int64(one.Nums[0])))
		must(t, err)
		if len(names) != 1 {
			t.Errorf("still known as %v", names)
		}
	})
}

func TestOldNotesGoOneByOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.Contact(t, "Meera", "Nair")
		add := func(text string) {
			w.Tx(t, func(tx *db.Tx) error {
				_, err := w.Contacts.AddNote(t.Context(), tx, w.Org.ID, "", c.ID, text)
				return err
			})
		}
		add("old")
		w.Clock.Advance(6 * 365 * 24 * time.Hour)
		add("new")
		k, _, _ := w.keeper(t, "notes about contacts")
		cut := retain.Cut{From: policy.Created, Before: w.Now().AddDate(-5, 0, 0)}
		due, err := k.Due(t.Context(), w.Org.ID, cut)
		must(t, err)
		if len(due) != 1 || !slices.Contains(due[0].Who, subject.OfContact(c.Subject)) {
			t.Fatalf("due: %+v", due)
		}
		bundle, err := k.Bundle(t.Context(), w.Org.ID, due[0])
		must(t, err)
		_, err = k.Remove(t.Context(), w.Org.ID, retain.Order{Cut: cut, Items: due})
		must(t, err)
		_, err = k.Remove(t.Context(), w.Org.ID, retain.Order{Cut: cut, Items: due})
		want(t, err, fault.Conflict)
		texts := func() (out []string) {
			all, err := w.Contacts.Notes(t.Context(), w.DB, w.Org.ID, c.ID, time.Time{}, 9)
			must(t, err)
			for _, n := range all {
				out = append(out, n.Text)
			}
			return out
		}
		if got := texts(); !slices.Equal(got, []string{"new"}) {
			t.Errorf("left: %v", got)
		}
		must(t, k.Return(t.Context(), w.Org.ID, due[0].Key, bundle))
		if got := texts(); !slices.Equal(got, []string{"new", "old"}) {
			t.Errorf("after the return: %v", got)
		}
	})
}

func TestNotesGoByThemselvesAndKeepTheContact(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, _, _ := w.known(t)
		w.Clock.Advance(400 * 24 * time.Hour)
		k, cut, due := w.keeper(t, "notes about contacts")
		if len(due) != 1 || due[0].Rows != 1 {
			t.Fatalf("due: %+v", due)
		}
		bundle, err := k.Bundle(t.Context(), w.Org.ID, due[0])
		must(t, err)
		_, err = k.Remove(t.Context(), w.Org.ID, retain.Order{Cut: cut, Items: due})
		must(t, err)
		notes := func() int {
			all, err := w.Contacts.Notes(t.Context(), w.DB, w.Org.ID, one.ID, time.Time{}, 9)
			must(t, err)
			return len(all)
		}
		if notes() != 0 || w.load(t, one.ID) == nil {
			t.Error("the notes stayed, or the contact went")
		}
		must(t, k.Return(t.Context(), w.Org.ID, due[0].Key, bundle))
		if notes() != 1 {
			t.Error("the note did not come back")
		}
	})
}
