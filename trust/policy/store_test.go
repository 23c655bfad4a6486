package policy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/policy"
)

type world struct {
	*testing.T
	db       *db.DB
	clock    time.Time
	accounts *account.Accounts
	log      *audit.Log
	policies *policy.Policies
	org      *account.Org
	owner    *account.Actor
}

func each(t *testing.T, story func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		master, err := vault.MasterText(strings.Repeat("QUFB", 10) + "QUE=")
		if err != nil {
			t.Fatal(err)
		}
		keys, err := vault.Open(t.Context(), t.TempDir(), master)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := keys.Close(); err != nil {
				t.Error(err)
			}
		})
		w := &world{T: t, db: d, clock: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)}
		now := func() time.Time { return w.clock }
		w.accounts = account.New(d, keys, now)
		w.log = audit.New(d, keys, now)
		w.policies = policy.New(d, keys, w.accounts, w.log, now)
		w.accounts.SetGate(w.policies.Gate)
		w.org, err = w.accounts.CreateOrg(t.Context(), account.NewOrg{Name: "Asha Traders", Country: "IN", Zone: "Asia/Kolkata", OwnerName: "Asha", OwnerEmail: "asha@asha.example"})
		w.must(err)
		w.signIn()
		story(w)
	}, dbtest.Schema{Series: "account", Files: account.Schema}, dbtest.Schema{Series: "audit", Files: audit.Schema}, dbtest.Schema{Series: "policy", Files: policy.Schema})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// signIn gives the owner as a request of theirs has them.
func (w *world) signIn() {
	w.Helper()
	m, err := w.accounts.Owner(w.Context(), w.org.ID)
	w.must(err)
	w.owner, err = w.accounts.As(w.Context(), w.org.ID, m.ID)
	w.must(err)
}

func (w *world) publish(edits ...string) *policy.Version {
	w.Helper()
	text := policy.DefaultText(facts())
	if all, err := w.policies.Versions(w.Context(), w.org.ID); err == nil && len(all) > 0 {
		text = all[len(all)-1].Document.Source()
	}
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			w.Fatalf("the document does not contain %q", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	v, err := w.policies.Publish(w.Context(), w.owner, text)
	w.must(err)
	return v
}

func (w *world) current() *policy.Document {
	w.Helper()
	d, err := w.policies.Current(w.Context(), w.org.ID)
	w.must(err)
	return d
}

func TestAnOrganisationLivesUnderTheShippedDocumentUntilItPublishesOne(t *testing.T) {
	each(t, func(w *world) {
		d := w.current()
		if d.Version != 0 || d.Controller.Name != "Asha Traders" || d.Controller.Contact != "asha@asha.example" || !d.Allows("call_ops", "call.meta") {
			w.Errorf("shipped: version %d of %q", d.Version, d.Controller.Name)
		}
		draft, err := w.policies.Draft(w.Context(), w.owner)
		w.must(err)
		_, err = w.policies.Publish(w.Context(), w.owner, draft.Text)
		found, ok := errors.AsType[policy.Findings](err)
		if !ok || len(found) != 2 || fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "line ") {
			w.Errorf("a document with gaps was not refused for them: %v", err)
		}
		v := w.publish()
		if got := w.current(); got.Version != 1 || v.Number != 1 || v.Hash != policy.Hash(got.Source()) || !v.Effective.Equal(w.clock) {
			w.Errorf("published: %+v", v)
		}
		if _, err := w.policies.Publish(w.Context(), w.owner, w.current().Source()); fault.KindOf(err) != fault.Conflict {
			w.Errorf("the same was published again: %v", err)
		}
		entries, _, err := w.log.List(w.Context(), int64(w.org.ID), audit.Filter{})
		w.must(err)
		if len(entries) != 1 || entries[0].Action != audit.PolicyChanged || entries[0].Details["hash"] != v.Hash {
			w.Errorf("the audit log says %+v", entries)
		}
	})
}

func TestAMaterialChangeWaitsForItsNotice(t *testing.T) {
	each(t, func(w *world) {
		w.publish()
		w.clock = w.clock.AddDate(0, 2, 0)
		shorter := w.publish("max: 90d}\n    rights: [access, export, erase, restrict, complain]", "max: 60d}\n    rights: [access, export, erase, restrict, complain]")
		if shorter.Material || !shorter.Effective.Equal(w.clock) || w.current().Category("correspondence").Retention.Max.N != 60 {
			w.Errorf("a shorter period did not take effect at once: %+v", shorter)
		}
		longer := w.publish("retention: {from: created, max: 60d}", "retention: {from: created, max: 200d}")
		if want := w.clock.AddDate(0, 0, 30); !longer.Material || !longer.Effective.Equal(want) || w.current().Category("correspondence").Retention.Max.N != 60 {
			w.Errorf("a longer period takes effect %s, want %s", longer.Effective, want)
		}
		w.clock = w.clock.AddDate(0, 0, 10)
		if wording := w.publish("Letters and e-mails", "Letters and mails"); !wording.Effective.Equal(longer.Effective) {
			w.Errorf("a change of words over a coming version takes effect %s, before what it contains", wording.Effective)
		}
		w.clock = w.clock.AddDate(0, 0, 19)
		if w.current().Version != 2 {
			w.Errorf("version %d is in force a day too early", w.current().Version)
		}
		w.clock = w.clock.AddDate(0, 0, 1)
		if got := w.current(); got.Version != 4 || got.Category("correspondence").Retention.Max.N != 200 {
			w.Errorf("version %d is in force after the notice", got.Version)
		}
		old, err := w.policies.At(w.Context(), w.org.ID, w.clock.AddDate(0, -2, 0))
		w.must(err)
		if old.Number != 1 {
			w.Errorf("two months ago version %d was in force", old.Number)
		}
	})
}

func TestANewPurposeStaysOffUntilItIsAccepted(t *testing.T) {
	each(t, func(w *world) {
		w.publish("purposes: [call_ops, reports, security, rights, legal]", "purposes: [call_ops, security, rights, legal]")
		w.signIn()
		if err := w.owner.Require(account.ReadReports); fault.KindOf(err) != fault.Denied || !strings.Contains(fault.Sentence(err), "privacy policy does not allow") {
			w.Errorf("reports without the purpose: %v", err)
		}
		if err := w.owner.Require(account.ReadCalls); err != nil {
			w.Errorf("calls are denied, too: %v", err)
		}
		w.clock = w.clock.AddDate(0, 2, 0)
		v := w.publish("purposes: [call_ops, security, rights, legal]", "purposes: [call_ops, reports, security, rights, legal]")
		w.clock = v.Effective
		w.signIn()
		if err := w.owner.Require(account.ReadReports); fault.KindOf(err) != fault.Denied || !strings.Contains(fault.Sentence(err), "accept it first") {
			w.Errorf("a new use is on before it was accepted: %v", err)
		}
		if pending, err := w.policies.Pending(w.Context(), w.org.ID, w.owner.Member.ID); err != nil || pending == nil || pending.Number != v.Number {
			w.Errorf("pending: %v, %v", pending, err)
		}
		w.must(w.policies.Accept(w.Context(), w.owner, v.Number, "I have read version 2 and agree."))
		w.signIn()
		if err := w.owner.Require(account.ReadReports); err != nil {
			w.Errorf("denied after it was accepted: %v", err)
		}
		if pending, err := w.policies.Pending(w.Context(), w.org.ID, w.owner.Member.ID); err != nil || pending != nil {
			w.Errorf("still pending: %v, %v", pending, err)
		}
	})
}

func TestNobodyLocksThemselvesOut(t *testing.T) {
	each(t, func(w *world) {
		text := strings.ReplaceAll(policy.DefaultText(facts()), "purposes: [rights, legal]", "purposes: [legal]")
		if _, err := w.policies.Publish(w.Context(), w.owner, text); err == nil || !strings.Contains(err.Error(), "lock_out") {
			w.Errorf("published: %v", err)
		}
		missing := policy.DefaultText(facts())
		before, rest, _ := strings.Cut(missing, "  usage:")
		_, after, _ := strings.Cut(rest, "  weblog:")
		if _, err := w.policies.Publish(w.Context(), w.owner, before+"  weblog:"+after); err == nil || !strings.Contains(err.Error(), "category_missing") {
			w.Errorf("published without a category that is kept: %v", err)
		}
	})
}

func TestEverybodyIsToldOnceByBothWays(t *testing.T) {
	each(t, func(w *world) {
		w.publish()
		w.clock = w.clock.AddDate(0, 2, 0)
		v := w.publish("retention: {from: created, max: 90d}", "retention: {from: created, max: 91d}")
		for _, channel := range []string{policy.ByEmail, policy.InApp} {
			told, members, err := w.policies.Untold(w.Context(), w.org.ID, channel)
			w.must(err)
			if told == nil || told.Number != v.Number || len(members) != 1 {
				w.Fatalf("%s: %v, %d members", channel, told, len(members))
			}
			for _, first := range []bool{true, false} {
				if got, err := w.policies.Told(w.Context(), w.org.ID, v.Number, members[0].ID, channel); err != nil || got != first {
					w.Errorf("told by %s, first %v: %v", channel, got, err)
				}
			}
			if _, members, err := w.policies.Untold(w.Context(), w.org.ID, channel); err != nil || len(members) != 0 {
				w.Errorf("%d members are told again: %v", len(members), err)
			}
		}
		deeds, err := w.policies.Deeds(w.Context(), w.db, w.org.ID, w.owner.Member.ID)
		w.must(err)
		if len(deeds) != 2 {
			w.Errorf("deeds: %+v", deeds)
		}
		w.must(w.db.Tx(w.Context(), func(tx *db.Tx) error {
			_, err := w.policies.Erase(w.Context(), tx, w.org.ID, w.owner.Member.ID)
			return err
		}))
		if deeds, err := w.policies.Deeds(w.Context(), w.db, w.org.ID, w.owner.Member.ID); err != nil || len(deeds) != 0 {
			w.Errorf("after the erasure: %+v, %v", deeds, err)
		}
	})
}

func TestADraftIsKeptAsTyped(t *testing.T) {
	each(t, func(w *world) {
		w.must(w.policies.SaveDraft(w.Context(), w.owner, "version: 1\r\nhalf: a thought"))
		d, err := w.policies.Draft(w.Context(), w.owner)
		w.must(err)
		if d.Text != "version: 1\nhalf: a thought" || d.Author != w.owner.Member.ID {
			w.Errorf("draft %q by %q", d.Text, d.Author)
		}
		w.must(w.policies.DropDraft(w.Context(), w.owner))
		if d, err := w.policies.Draft(w.Context(), w.owner); err != nil || !d.Changed.IsZero() {
			w.Errorf("the draft is still there: %v", err)
		}
	})
}

func TestAVersionThatWasAlteredIsNoticed(t *testing.T) {
	each(t, func(w *world) {
		w.publish()
		_, err := w.db.Exec(w.Context(), `UPDATE policies SET text = REPLACE(text, '365d', '366d')`)
		w.must(err)
		w.policies.Reload(w.org.ID)
		if _, err := w.policies.Current(w.Context(), w.org.ID); fault.KindOf(err) != fault.Unavailable {
			w.Errorf("read: %v", err)
		}
	})
}

func TestAPublicNameIsItsOwnAndStays(t *testing.T) {
	each(t, func(w *world) {
		second, err := w.accounts.CreateOrg(w.Context(), account.NewOrg{Name: "Asha, Traders!", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "b@asha.example"})
		w.must(err)
		hindi, err := w.accounts.CreateOrg(w.Context(), account.NewOrg{Name: "आशा", Country: "IN", Zone: "Asia/Kolkata", OwnerEmail: "c@asha.example"})
		w.must(err)
		for want, org := range map[string]account.OrgID{"asha-traders": w.org.ID, "asha-traders-2": second.ID, "organisation-1": hindi.ID} {
			if want == "asha-traders-2" {
				if _, err := w.policies.Name(w.Context(), w.org.ID); err != nil {
					w.Fatal(err)
				}
			}
			name, err := w.policies.Name(w.Context(), org)
			w.must(err)
			found, err := w.policies.Find(w.Context(), name)
			w.must(err)
			if name != want || found.ID != org {
				w.Errorf("%q leads to %d, want %q to %d", name, found.ID, want, org)
			}
		}
		w.must(w.db.Tx(w.Context(), func(tx *db.Tx) error { return w.policies.Delete(w.Context(), tx, w.org.ID) }))
		if _, err := w.policies.Find(w.Context(), "asha-traders"); fault.KindOf(err) != fault.NotFound {
			w.Errorf("a closed organisation still has its page: %v", err)
		}
	})
}

func TestEveryPermissionDeclaresWhatItIsFor(t *testing.T) {
	d := sound(t)
	for _, p := range account.Permissions() {
		u, ok := policy.UseOf(p)
		if !ok {
			t.Errorf("%s declares no use of data: add it to the table", p)
			continue
		}
		if len(u.Categories) == 0 {
			t.Errorf("%s declares no categories", p)
		}
		for _, c := range u.Categories {
			if !d.Allows(u.Purpose, c) {
				t.Errorf("the shipped document does not allow %s: %s for %s", p, c, u.Purpose)
			}
		}
	}
	if len(policy.Uses()) != len(account.Permissions()) {
		t.Errorf("%d uses for %d permissions", len(policy.Uses()), len(account.Permissions()))
	}
}
