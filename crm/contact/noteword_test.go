package contact_test

import (
	"fmt"
	"testing"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/platform/db"
)

// Notes are found by their words while they are there, by who sees their contact, and by nobody once they are gone.
func TestNotesAreFoundByTheirWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		mine := w.Add(t, contact.New{Owner: w.ravi.ID, Person: contact.Person{First: "Meera"}})
		other := w.Contact(t, "Sara", "")
		var n *contact.Note
		w.Tx(t, func(tx *db.Tx) (err error) {
			if n, err = w.Contacts.AddNote(ctx, tx, w.Org.ID, w.ravi.ID, mine.ID, "Wants the Élégance catalogue; ठीक है 🍋"); err != nil {
				return err
			}
			time.Sleep(2 * time.Millisecond) // ids of one millisecond come in any order
			_, err = w.Contacts.AddNote(ctx, tx, w.Org.ID, w.ravi.ID, other.ID, "Has the catalogue already")
			return err
		})
		want := func(sight contact.Sight, text string, most int, want ...contact.ID) {
			t.Helper()
			found, err := w.Contacts.FindNotes(ctx, w.DB, w.Org.ID, sight, text, most)
			must(t, err)
			var got []contact.ID
			for _, n := range found {
				got = append(got, n.Contact)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%q finds the notes of %v, want %v", text, got, want)
			}
		}
		all := contact.Sight{All: true}
		want(all, "elegan wants", 9, mine.ID)
		want(all, "ठीक", 9, mine.ID)
		want(all, "catalogue", 9, other.ID, mine.ID)
		want(all, "catalogue", 1, other.ID)
		want(all, "c", 9)
		want(all, "elegant", 9)
		want(contact.Sight{Members: []account.MemberID{w.ravi.ID}}, "catalogue", 9, mine.ID)
		want(contact.Sight{Unowned: true}, "catalogue", 9, other.ID)
		w.Tx(t, func(tx *db.Tx) error {
			return w.Contacts.ChangeNote(ctx, tx, w.Org.ID, w.ravi.ID, mine.ID, n.ID, "Nothing more")
		})
		want(all, "elegance", 9)
		want(all, "nothing", 9, mine.ID)
		k, err := w.Keys.Org(ctx, int64(w.Org.ID))
		must(t, err)
		w.Tx(t, func(tx *db.Tx) error { return w.Contacts.Reindex(ctx, tx, w.Org.ID, k) })
		want(all, "nothing more", 9, mine.ID)
		w.Tx(t, func(tx *db.Tx) error { return w.Contacts.DropNote(ctx, tx, w.Org.ID, w.ravi.ID, mine.ID, n.ID) })
		want(all, "nothing", 9)
		var done func() error
		w.Tx(t, func(tx *db.Tx) error {
			committed, err := w.Contacts.Delete(ctx, tx, w.Org.ID, other.ID)
			done = func() error { return committed(ctx) }
			return err
		})
		must(t, done())
		var left int
		must(t, w.DB.Row(ctx, `SELECT count(*) FROM contact_note_words WHERE org_id = $1`, w.Org.ID).Scan(&left))
		if left != 0 {
			t.Errorf("%d words of notes are left", left)
		}
	})
}
