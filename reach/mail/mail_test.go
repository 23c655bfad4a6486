package mail_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
	"parley/reach/mail"
)

type desk struct {
	*mail.Mailer
	db   *db.DB
	keys *vault.Keys
	now  time.Time
}

func newDesk(t *testing.T, d *db.DB, s mail.Server) *desk {
	t.Helper()
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
	k := &desk{db: d, keys: keys, now: time.Date(2026, 4, 15, 6, 30, 0, 0, time.UTC)}
	k.Mailer = mail.New(d, keys, s, func() time.Time { return k.now })
	return k
}

func (k *desk) send(t *testing.T) {
	t.Helper()
	if err := k.Send(t.Context(), mail.Message{Org: 1, To: "asha@example.com", Subject: "Ihre Einladung für Asha", Text: "Öffnen Sie\n\nhttps://calls.example.com/invitation/x\n"}); err != nil {
		t.Fatal(err)
	}
}

// deliver runs a round and gives the mail as it is then.
func (k *desk) deliver(t *testing.T) (mail.Sent, time.Time) {
	t.Helper()
	next, err := k.Deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := k.Recent(t.Context(), 1, 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d mails are kept (%v)", len(all), err)
	}
	return all[0], next
}

func server(p *post) mail.Server {
	return mail.Server{Host: "127.0.0.1", Port: p.port(), From: "Parley <parley@example.com>", TLS: mail.TLSNone, Dial: (&net.Dialer{}).DialContext}
}

func each(t *testing.T, story func(t *testing.T, d *db.DB)) {
	dbtest.Each(t, story, dbtest.Schema{Series: "mail", Files: mail.Schema})
}

func TestAMailIsDelivered(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, nil, false)
		k := newDesk(t, d, server(p))
		k.send(t)
		m, _ := k.deliver(t)
		if m.State != mail.Done || m.Attempts != 1 || !m.EndedAt.Equal(k.now) {
			t.Errorf("the mail is %+v", m)
		}
		k.deliver(t)
		got := p.taken()
		if len(got) != 1 {
			t.Fatalf("the server took %d mails, want 1", len(got))
		}
		for _, want := range []string{"From: \"Parley\" <parley@example.com>", "To: <asha@example.com>", "Auto-Submitted: auto-generated", "Message-ID: <" + m.ID + "@example.com>",
			"https://calls.example.com/invitation/x"} {
			if !strings.Contains(got[0], want) {
				t.Errorf("the mail lacks %q:\n%s", want, got[0])
			}
		}
	})
}

func TestAServerThatIsBusyIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, nil, false)
		p.say("451 try later")
		k := newDesk(t, d, server(p))
		k.send(t)
		m, next := k.deliver(t)
		if m.State != mail.Waiting || !next.Equal(k.now.Add(time.Minute)) || !strings.Contains(m.Sentence, "451") {
			t.Errorf("the mail is %+v, next at %s", m, next)
		}
		if m, _ = k.deliver(t); m.Attempts != 1 {
			t.Errorf("it was tried again before it was due")
		}
		k.now = next
		p.say("")
		if m, _ = k.deliver(t); m.State != mail.Done || m.Attempts != 2 {
			t.Errorf("the mail is %+v", m)
		}
	})
}

func TestARefusalForGoodIsNotRepeated(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newPost(t, nil, false)
		p.say("550 no such user")
		k := newDesk(t, d, server(p))
		k.send(t)
		m, _ := k.deliver(t)
		if m.State != mail.Failed || strings.Contains(m.Sentence, "asha") {
			t.Errorf("the mail is %+v", m)
		}
		if waiting, failed, err := k.Counts(t.Context()); err != nil || waiting != 0 || failed != 1 {
			t.Errorf("%d wait, %d failed (%v)", waiting, failed, err)
		}
	})
}

func TestAServerThatIsAwayIsGivenUpAfterTwoDays(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d, mail.Server{Host: "127.0.0.1", Port: 1, From: "parley@example.com", TLS: mail.TLSNone, Dial: (&net.Dialer{}).DialContext})
		k.send(t)
		began := k.now
		m, next := k.deliver(t)
		for m.State == mail.Waiting {
			k.now = next
			m, next = k.deliver(t)
		}
		if took := k.now.Sub(began); m.State != mail.Failed || took < 40*time.Hour || took > 48*time.Hour {
			t.Errorf("it is %s after %s", m.State, took)
		}
	})
}

func TestTLSIsKeptTo(t *testing.T) {
	d := dbtest.SQLite(t, dbtest.Schema{Series: "mail", Files: mail.Schema})
	offer, roots := certificate(t)
	for name, c := range map[string]struct {
		offer *tlsOffer
		tls   mail.TLS
		want  mail.State
	}{
		"required and offered":     {&tlsOffer{offer, roots}, mail.TLSRequired, mail.Done},
		"required and not offered": {nil, mail.TLSRequired, mail.Waiting},
		"not trusted":              {&tlsOffer{offer, nil}, mail.TLSRequired, mail.Waiting},
		"when offered, and not":    {nil, mail.TLSWhenOffered, mail.Done},
		"from the first byte":      {&tlsOffer{offer, roots}, mail.TLSImplicit, mail.Done},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := d.Exec(t.Context(), `DELETE FROM mails`); err != nil {
				t.Fatal(err)
			}
			p := newPost(t, c.offer.config(), c.tls == mail.TLSImplicit)
			s := server(p)
			s.TLS = c.tls
			if c.offer != nil {
				s.Roots = c.offer.roots
			}
			k := newDesk(t, d, s)
			k.send(t)
			if m, _ := k.deliver(t); m.State != c.want {
				t.Errorf("the mail is %s (%s), want %s", m.State, m.Sentence, c.want)
			}
		})
	}
}

func TestWithoutAServerMailsStay(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d, mail.Server{})
		var heard []mail.Sent
		k.OnLocal = func(s mail.Sent) { heard = append(heard, s) }
		k.send(t)
		if m, _ := k.deliver(t); m.State != mail.Local || len(heard) != 1 || heard[0].Text != m.Text {
			t.Errorf("the mail is %+v, heard of %d", m, len(heard))
		}
		if other, err := k.Recent(t.Context(), 2, 10); err != nil || len(other) != 0 {
			t.Errorf("another organisation sees %d mails (%v)", len(other), err)
		}
		k.now = k.now.Add(29 * 24 * time.Hour)
		k.expire(t)
		k.deliver(t)
		k.now = k.now.Add(2 * 24 * time.Hour)
		k.expire(t)
		if left, err := k.Recent(t.Context(), 1, 10); err != nil || len(left) != 0 {
			t.Errorf("%d mails are kept after 31 days (%v)", len(left), err)
		}
	})
}

// expire removes what ends by the program's own rule.
func (k *desk) expire(t *testing.T) {
	t.Helper()
	for _, x := range mail.Expiring() {
		if x.Days == 0 {
			continue
		}
		before := k.now.AddDate(0, 0, -x.Days)
		old, err := x.Old(t.Context(), k.db, 1, before)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Clear(t.Context(), k.db, 1, before, old, func(context.Context, db.Conn) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMailsGoByTheirAgeWhateverBecameOfThem(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d, server(newPost(t, nil, false)))
		k.send(t) // and waits
		x := mail.Expiring()[0]
		old, err := x.Old(t.Context(), k.db, 1, k.now)
		if err != nil || len(old) != 0 {
			t.Fatalf("%d mails are old at once (%v)", len(old), err)
		}
		if old, err = x.Old(t.Context(), k.db, 1, k.now.Add(time.Millisecond)); err != nil || len(old) != 1 || old[0].Bytes == 0 {
			t.Fatalf("old are %+v (%v)", old, err)
		}
		n, err := x.Clear(t.Context(), k.db, 1, k.now.Add(time.Millisecond), old, func(context.Context, db.Conn) error { return nil })
		if left, _ := k.Recent(t.Context(), 1, 10); err != nil || n != 1 || len(left) != 0 {
			t.Errorf("%d went, %d are left (%v)", n, len(left), err)
		}
	})
}

func TestMailsLieSealed(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d, mail.Server{})
		k.send(t)
		var sealed []byte
		if err := d.Row(t.Context(), `SELECT sealed FROM mails`).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("asha")) || bytes.Contains(sealed, []byte("invitation")) {
			t.Error("the mail can be read in the table")
		}
		if d.Engine() == db.SQLite {
			raw, err := os.ReadFile(d.Path())
			if err != nil || bytes.Contains(raw, []byte("asha@example.com")) {
				t.Errorf("the address can be read in the file (%v)", err)
			}
		}
	})
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	d := dbtest.SQLite(t, dbtest.Schema{Series: "mail", Files: mail.Schema})
	k := newDesk(t, d, mail.Server{})
	for _, m := range []mail.Message{
		{To: "nobody", Subject: "x"}, {To: "a@example.com", Subject: "x\r\nBcc: b@example.com"}, {To: "a@example.com\r\nX: y", Subject: "x"}, {To: "a@example.com"},
	} {
		if err := k.Send(t.Context(), m); err == nil {
			t.Errorf("%q to %q was taken", m.Subject, m.To)
		}
	}
}

func TestServersAreChecked(t *testing.T) {
	for want, s := range map[string]mail.Server{
		"mail.from is missing": {Host: "mail.example.com"},
		"not an e-mail":        {Host: "mail.example.com", From: "me"},
		"Choose required":      {Host: "mail.example.com", From: "me@example.com", TLS: "maybe"},
		"in the clear":         {Host: "mail.example.com", From: "me@example.com", TLS: mail.TLSNone, User: "me"},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want %q", s, err, want)
		}
	}
	if err := (&mail.Server{}).Check(); err != nil {
		t.Error(err)
	}
}

func TestAMailIsKeptWithItsReasonOrNotAtAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d, mail.Server{})
		var shown []mail.Sent
		k.OnLocal = func(s mail.Sent) { shown = append(shown, s) }
		msg := mail.Message{Org: 1, To: "asha@example.com", Subject: "Call back at 15:00", Text: "Look here."}
		gone := errors.New("the reason is gone")
		for _, ends := range []error{gone, nil} {
			var committed func()
			err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
				if committed, err = k.Keep(t.Context(), tx, msg); err != nil {
					return err
				}
				return ends
			})
			if !errors.Is(err, ends) {
				t.Fatal(err)
			}
			if err == nil {
				committed()
			}
		}
		if all, err := k.Recent(t.Context(), 1, 10); err != nil || len(all) != 1 || len(shown) != 1 || shown[0].ID != all[0].ID {
			t.Errorf("kept %+v (%v), shown %+v", all, err, shown)
		}
	}, dbtest.Schema{Series: "mail", Files: mail.Schema})
}
