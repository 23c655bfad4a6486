package mail_test

import (
	"testing"
	"time"

	"parley/platform/db"
	"parley/reach/mail"
)

func TestMailsToOnePersonAreFoundAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d, mail.Server{})
		k.send(t)
		k.send(t)
		if err := k.Send(t.Context(), mail.Message{Org: 1, To: "bina@example.com", Subject: "Hello", Text: "x"}); err != nil {
			t.Fatal(err)
		}
		found, err := k.To(t.Context(), 1, "Asha@Example.com")
		if err != nil || len(found) != 2 || found[0].To != "asha@example.com" {
			t.Fatalf("found %+v, %v", found, err)
		}
		var past []mail.Sent
		for at, below := k.now.Add(time.Hour), ""; ; at, below = past[len(past)-1].CreatedAt, past[len(past)-1].ID {
			page, err := k.Past(t.Context(), d, 1, "Asha@Example.com", at, below, 1)
			if err != nil {
				t.Fatal(err)
			}
			if past = append(past, page...); len(page) == 0 {
				break
			}
		}
		if len(past) != 2 || past[0].ID != found[0].ID || past[1].ID != found[1].ID {
			t.Errorf("page by page %+v were found, want %+v", past, found)
		}
		if other, err := k.To(t.Context(), 2, "asha@example.com"); err != nil || len(other) != 0 {
			t.Errorf("another organisation has %+v, %v", other, err)
		}
		var n int64
		if err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
			n, err = mail.Remove(t.Context(), tx, 1, []string{found[0].ID, found[1].ID})
			return err
		}); err != nil || n != 2 {
			t.Errorf("removed %d, %v", n, err)
		}
		if left, err := k.Recent(t.Context(), 1, 10); err != nil || len(left) != 1 || left[0].To != "bina@example.com" {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
}
