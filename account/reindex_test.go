package account_test

import (
	"path/filepath"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
)

func TestPeopleSignInAfterAReIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir, ctx := t.TempDir(), t.Context()
		master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
		must(t, err)
		keys, err := vault.Open(ctx, dir, master)
		must(t, err)
		t.Cleanup(func() { must(t, keys.Close()) })
		w := &world{t: t, db: d, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
		w.Accounts = account.New(d, keys, func() time.Time { return w.now })
		org, owner := w.signUp(asha())
		w.join(w.as(owner), account.NewInvitation{Email: "ravi@example.com", Role: account.Manager})
		waiting, _, err := w.Invite(ctx, w.as(owner), account.NewInvitation{Email: "mira@example.com", Role: account.Manager})
		must(t, err)
		must(t, exec(d, t, `INSERT INTO credentials (email_key, password_hash, changed_ms) VALUES ($1, 'x', 0)`, []byte("somebody who left")))

		next, _, err := keys.NextIndex(ctx, 0)
		must(t, err)
		for range 2 { // a second time changes nothing
			must(t, d.Tx(ctx, func(tx *db.Tx) error { return w.Reindex(ctx, tx, next) }))
		}
		if _, _, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{}); err == nil {
			t.Error("the old index key still finds people")
		}
		must(t, keys.CommitIndex(ctx, 0))
		for _, email := range []string{"asha@example.com", "ravi@example.com"} {
			if a := w.signIn(email, secretWords); a.Org.ID != org.ID {
				t.Errorf("%s is in organisation %d", email, a.Org.ID)
			}
		}
		if n := w.count(`SELECT count(*) FROM credentials`); n != 2 {
			t.Errorf("%d passwords are kept, want those of two people", n)
		}
		_, err = w.Accept(ctx, waiting, yes("Mira"))
		must(t, err)
		w.signIn("mira@example.com", secretWords)
	}, dbtest.Schema{Series: "account", Files: account.Schema})
}

func exec(d *db.DB, t *testing.T, query string, args ...any) error {
	_, err := d.Exec(t.Context(), query, args...)
	return err
}
