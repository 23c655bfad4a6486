package consent_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/vault"
	"parley/trust/consent"
	"parley/trust/subject"
)

var schemas = []dbtest.Schema{{Series: "account", Files: account.Schema}, {Series: "audit", Files: audit.Schema}, {Series: "consent", Files: consent.Schema}}

// world is an organisation with a little number book, and a policy of three purposes.
type world struct {
	t        *testing.T
	db       *db.DB
	keys     *vault.Keys
	org      *account.Org
	accounts *account.Accounts
	by       *account.Actor
	consents *consent.Consents
	log      *audit.Log
	now      time.Time
	numbers  map[string]subject.Ref
	bar      consent.Bar
}

var policy = []consent.Purpose{{Key: "marketing", Basis: consent.ByConsent}, {Key: "surveys", Basis: consent.ByConsent}, {Key: "service_notice", Basis: "contract"}}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	dir := t.TempDir()
	master, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: d, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), numbers: map[string]subject.Ref{}}
	if w.keys, err = vault.Open(t.Context(), dir, master); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.keys.Close() })
	now := func() time.Time { return w.now }
	w.log = audit.New(d, w.keys, now)
	w.accounts = account.New(d, w.keys, now)
	w.org = w.newOrg("Asha Traders")
	w.by = w.accounts.Operator(w.org)
	w.consents = w.service()
	return w
}

// service is a fresh Consents, as after a restart.
func (w *world) service() *consent.Consents {
	return consent.New(consent.Deps{
		DB: w.db, Keys: w.keys, Accounts: w.accounts, Log: w.log, People: consent.People{Find: w.find, Make: w.make, Number: w.number}, Now: func() time.Time { return w.now },
		Purposes: func(context.Context, account.OrgID) ([]consent.Purpose, error) { return policy, nil },
		Bars: []consent.Bar{func(ctx context.Context, c db.Conn, org account.OrgID, q consent.Question) (consent.Check, error) {
			if w.bar == nil {
				return consent.Check{Rule: "hours"}, nil
			}
			return w.bar(ctx, c, org, q)
		}},
	})
}

func (w *world) newOrg(name string) *account.Org {
	w.t.Helper()
	org, err := w.accounts.CreateOrg(w.t.Context(), account.NewOrg{Name: name, Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Owner", OwnerEmail: "owner@example.com"})
	if err != nil {
		w.t.Fatal(err)
	}
	return org
}

func (w *world) find(_ context.Context, _ db.Conn, _ account.OrgID, number string) (subject.Ref, bool, error) {
	ref, ok := w.numbers[number]
	return ref, ok, nil
}

func (w *world) make(ctx context.Context, _ *db.Tx, org account.OrgID, number string) (subject.Ref, error) {
	ref, ok := w.numbers[number]
	if !ok {
		k, err := w.keys.Org(ctx, int64(org))
		if err != nil {
			return ref, err
		}
		ref = subject.OfNumber(int64(len(w.numbers) + 1))
		if err := k.EnsureSubjects(ctx, ref.Num()); err != nil {
			return ref, err
		}
		w.numbers[number] = ref
	}
	return ref, nil
}

func (w *world) number(_ context.Context, _ db.Conn, _ account.OrgID, who subject.Ref) (string, bool, error) {
	for text, ref := range w.numbers {
		if ref == who {
			return text, true, nil
		}
	}
	return "", false, nil
}

// erase does to a person what an erasure does.
func (w *world) erase(number string) {
	w.t.Helper()
	ref := w.numbers[number]
	w.tx(func(tx *db.Tx) error {
		if err := w.consents.Forget(w.t.Context(), tx, w.org.ID, ref); err != nil {
			return err
		}
		return w.consents.Bury(w.t.Context(), tx, w.org.ID, number)
	})
	k, err := w.keys.Org(w.t.Context(), int64(w.org.ID))
	if err == nil {
		err = k.DestroySubject(w.t.Context(), ref.Num())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.numbers[number+" erased"] = ref
	delete(w.numbers, number)
}

func (w *world) tx(do func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.db.Tx(w.t.Context(), do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(in consent.Change) {
	w.t.Helper()
	if err := w.consents.Record(w.t.Context(), w.org.ID, in); err != nil {
		w.t.Fatal(err)
	}
}

// give is a consent in a web form, to marketing on one channel.
func give(who consent.Who, c consent.Channel) consent.Change {
	return consent.Change{Who: who, Purposes: []string{"marketing"}, Channels: []consent.Channel{c}, State: consent.Given, How: consent.ByWebForm,
		Wording: consent.Wording{Language: "en", Text: "Asha Traders may tell me about offers."}}
}

// take is give's reverse.
func take(who consent.Who, c consent.Channel) consent.Change {
	return consent.Change{Who: who, Purposes: []string{"marketing"}, Channels: []consent.Channel{c}, State: consent.Withdrawn, How: consent.ByWebForm}
}

func (w *world) may(who consent.Who, purpose string, c consent.Channel) consent.Decision {
	w.t.Helper()
	d, err := w.consents.MayContact(w.t.Context(), w.org.ID, who, purpose, c, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) want(who consent.Who, purpose string, c consent.Channel, reason string) {
	w.t.Helper()
	if d := w.may(who, purpose, c); d.Reason != reason || d.Allowed != (reason == "") {
		w.t.Errorf("%s by %s: allowed %v, reason %q, want reason %q", purpose, c, d.Allowed, d.Reason, reason)
	}
}

var (
	asha = consent.Who{Number: "+919812300001"}
	ravi = consent.Who{Number: "+919812300002"}
	mira = consent.Who{Email: "Mira@Example.com"}
)
