package account_test

import (
	"encoding/base64"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"parley/account"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
)

const secretWords = "neun lila elefanten"

// world is an installation with a clock that a story moves.
type world struct {
	*account.Accounts
	t   *testing.T
	db  *db.DB
	now time.Time
}

// each runs a story on every engine.
func each(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := t.TempDir()
		master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
		must(t, err)
		keys, err := vault.Open(t.Context(), dir, master)
		must(t, err)
		t.Cleanup(func() { must(t, keys.Close()) })
		w := &world{t: t, db: d, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
		w.Accounts = account.New(d, keys, func() time.Time { return w.now })
		story(t, w)
	}, dbtest.Schema{Series: "account", Files: account.Schema})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks that an error is of a kind.
func refused(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Errorf("%s: got %v, want a refusal of kind %d", what, err, want)
	}
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

func asha() account.SignUp {
	return account.SignUp{Company: "Asha Traders", ContactName: "Asha Patel", ContactPhone: "+91 98123 00001", Email: "Asha@Example.com",
		Password: secretWords, Industry: "Retail", Country: "IN", Zone: "Asia/Kolkata", AcceptTerms: true, Adult: true}
}

// signUp opens an organisation with an owner.
func (w *world) signUp(s account.SignUp) (*account.Org, *account.Member) {
	w.t.Helper()
	org, owner, err := w.SignUp(w.t.Context(), s)
	must(w.t, err)
	return org, owner
}

// signIn gives who a password lets in.
func (w *world) signIn(email, password string) *account.Actor {
	w.t.Helper()
	_, secret, err := w.SignIn(w.t.Context(), email, password, account.SignInFrom{IP: "203.0.113.9", UserAgent: "Firefox"})
	must(w.t, err)
	return w.actor(secret)
}

func (w *world) actor(session string) *account.Actor {
	w.t.Helper()
	a, err := w.Session(w.t.Context(), session)
	must(w.t, err)
	return a
}

// join invites somebody new and accepts for them.
func (w *world) join(by *account.Actor, n account.NewInvitation) *account.Member {
	w.t.Helper()
	secret, _, err := w.Invite(w.t.Context(), by, n)
	must(w.t, err)
	m, err := w.Accept(w.t.Context(), secret, yes("Somebody"))
	must(w.t, err)
	return m
}

// as gives a member as an actor, without a password.
func (w *world) as(m *account.Member) *account.Actor {
	w.t.Helper()
	a, err := w.As(w.t.Context(), m.Org, m.ID)
	must(w.t, err)
	return a
}

func yes(name string) account.Acceptance {
	return account.Acceptance{Name: name, Password: secretWords, AcceptTerms: true, Adult: true}
}

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	must(w.t, w.db.Row(w.t.Context(), query, args...).Scan(&n))
	return n
}

// cheapHash is a password's hash at a lower cost than today's.
func cheapHash(password string) string {
	salt := []byte("0123456789abcdef")
	b64 := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$m=4096,t=1,p=1$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(password), salt, 1, 4096, 1, 32))
}
