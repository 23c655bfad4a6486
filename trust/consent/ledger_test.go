package consent_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/consent"
)

func TestConsentIsGivenAndTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.want(asha, "marketing", consent.SMS, consent.NoConsent)
		in := give(asha, consent.SMS)
		in.How, in.Evidence, in.By, in.Expires = consent.BySpoken, "recording rec_1 at 1:20", "mem_1", w.now.AddDate(1, 0, 0)
		w.record(in)
		w.want(asha, "marketing", consent.SMS, "")
		w.want(asha, "marketing", consent.Email, consent.NoConsent)
		w.want(asha, "surveys", consent.SMS, consent.NoConsent)
		w.want(ravi, "marketing", consent.SMS, consent.NoConsent)
		w.record(take(asha, consent.SMS))
		w.want(asha, "marketing", consent.SMS, consent.IsSuppressed)
		if rows := w.may(asha, "marketing", consent.SMS).Rows; rows[4].Reason != consent.HasWithdrawn {
			t.Errorf("the decision does not show that consent was withdrawn: %+v", rows)
		}
		w.record(give(asha, consent.SMS))
		w.want(asha, "marketing", consent.SMS, "")
		all, err := w.consents.Ledger(t.Context(), d, w.org.ID, asha)
		if err != nil || len(all) != 3 {
			t.Fatal(all, err)
		}
		sum := sha256.Sum256([]byte(in.Wording.Text))
		if e := all[0]; e.Evidence != in.Evidence || e.By != "mem_1" || string(e.WordingHash) != string(sum[:]) || e.Language != "en" || e.How != consent.BySpoken || !e.At.Equal(w.now) || !e.Expires.Equal(in.Expires) {
			t.Errorf("the entry came back as %+v", e)
		}
		if text, err := w.consents.WordingText(t.Context(), w.org.ID, all[0].Wording, "en"); err != nil || text != in.Wording.Text {
			t.Errorf("the wording came back as %q, %v", text, err)
		}
		if all[1].State != consent.Withdrawn || all[2].State != consent.Given || all[2].N != 3 {
			t.Errorf("the ledger is not in order: %+v", all)
		}
		var past []consent.Entry
		for at, below := w.now.Add(time.Hour), int64(0); ; at, below = past[len(past)-1].At, past[len(past)-1].N {
			page, err := w.consents.Past(t.Context(), d, w.org.ID, asha, at, below, 2)
			if err != nil {
				t.Fatal(err)
			}
			if past = append(past, page...); len(page) == 0 {
				break
			}
		}
		slices.Reverse(past)
		if diff := cmp.Diff(all, past, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("page by page the ledger is another:\n%s", diff)
		}
	}, schemas...)
}

func TestAnObjectionWithoutChannelIsAboutAll(t *testing.T) {
	policy = append(policy, consent.Purpose{Key: "personalise", Basis: consent.ByConsent, Plain: true})
	defer func() { policy = policy[:3] }()
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.record(give(asha, consent.SMS))
	w.record(consent.Change{Who: asha, Purposes: []string{"marketing", "service_notice", "personalise"}, State: consent.Objected, How: consent.ByRequest, Evidence: "req_1"})
	all, err := w.consents.Ledger(t.Context(), w.db, w.org.ID, asha)
	if err != nil || len(all) != 1+4+4+1 {
		t.Errorf("entered %d, %v", len(all), err)
	}
	w.want(asha, "service_notice", consent.Messenger, consent.IsSuppressed)
	w.want(asha, "personalise", consent.None, consent.IsSuppressed)
}

func TestConsentRunsOut(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	in := give(asha, consent.SMS)
	in.Expires = w.now.Add(time.Hour)
	w.record(in)
	w.now = w.now.Add(time.Hour - time.Millisecond)
	w.want(asha, "marketing", consent.SMS, "")
	w.now = w.now.Add(time.Millisecond)
	w.want(asha, "marketing", consent.SMS, consent.HasExpired)
}

func TestConsentNeedsAnActItsWordsAndEvidence(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	for _, c := range []struct {
		field string
		spoil func(*consent.Change)
	}{
		{"how", func(in *consent.Change) { in.How = consent.ByNotice }},
		{"how", func(in *consent.Change) { in.How = consent.ByTone }},
		{"how", func(in *consent.Change) { in.How = "use of the site" }},
		{"how", func(in *consent.Change) { in.How = consent.ByReply }},
		{"purpose", func(in *consent.Change) { in.Purposes = nil }},
		{"purpose", func(in *consent.Change) { in.Purposes = []string{"profiling"} }},
		{"channel", func(in *consent.Change) { in.Channels = nil }},
		{"channel", func(in *consent.Change) { in.Channels = []consent.Channel{"fax"} }},
		{"wording", func(in *consent.Change) { in.Wording.Text = " " }},
		{"wording", func(in *consent.Change) { in.Wording.Text = strings.Repeat("x", 8001) }},
		{"wording", func(in *consent.Change) { in.Wording = consent.Wording{Version: "never-seen", Language: "en"} }},
		{"language", func(in *consent.Change) { in.Wording.Language = "" }},
		{"evidence", func(in *consent.Change) { in.How = consent.ByImport }},
		{"evidence", func(in *consent.Change) { in.How = consent.ByPaper }},
		{"evidence", func(in *consent.Change) { in.Evidence = strings.Repeat("x", 2001) }},
		{"expires", func(in *consent.Change) { in.Expires = w.now }},
		{"state", func(in *consent.Change) { in.State = "implied" }},
	} {
		in := give(asha, consent.SMS)
		c.spoil(&in)
		err := w.consents.Record(t.Context(), w.org.ID, in)
		if f := fault.Fields(err); len(f) != 1 || f[0].Field != c.field {
			t.Errorf("a consent with a bad %s gave %v", c.field, err)
		}
	}
	if all, err := w.consents.Ledger(t.Context(), w.db, w.org.ID, asha); err != nil || len(all) != 0 {
		t.Errorf("refused consents were kept: %v, %v", all, err)
	}
	w.want(asha, "marketing", consent.SMS, consent.NoConsent)
}

func TestANoticeIsKeptAndIsNoConsent(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	in := give(asha, consent.Call)
	in.State, in.How = consent.Noticed, consent.ByNotice
	w.record(in)
	w.want(asha, "marketing", consent.Call, consent.NoConsent)
	if all, _ := w.consents.Ledger(t.Context(), w.db, w.org.ID, asha); len(all) != 1 || all[0].State != consent.Noticed {
		t.Errorf("kept %+v", all)
	}
}

func TestAWordingNeverChangesUnderItsVersion(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	in := give(asha, consent.SMS)
	in.Wording.Version = "2026-1"
	w.record(in)
	in.Wording.Text = "Anybody may tell me anything."
	if err := w.consents.Record(t.Context(), w.org.ID, in); fault.KindOf(err) != fault.Conflict {
		t.Errorf("other words under the same version gave %v", err)
	}
	in.Wording = consent.Wording{Version: "2026-1", Language: "en"}
	w.record(in)
	if all, _ := w.consents.Ledger(t.Context(), w.db, w.org.ID, asha); len(all) != 2 || string(all[1].WordingHash) != string(all[0].WordingHash) {
		t.Errorf("a version alone did not stand for its words: %+v", all)
	}
}

func TestWhatAPersonDoesNotWantOutlivesTheirErasure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.record(give(asha, consent.SMS))
		w.record(give(asha, consent.Call))
		w.record(take(asha, consent.SMS))
		w.erase(asha.Number)
		if all, err := w.consents.Ledger(t.Context(), d, w.org.ID, asha); err != nil || len(all) != 0 {
			t.Fatalf("the ledger kept an erased person: %v, %v", all, err)
		}
		w.want(asha, "marketing", consent.SMS, consent.IsSuppressed)
		w.want(asha, "marketing", consent.Call, consent.NoConsent)
		// The number comes in again, as a new person.
		w.tx(func(tx *db.Tx) error {
			_, err := w.make(t.Context(), tx, w.org.ID, asha.Number)
			return err
		})
		w.want(asha, "marketing", consent.SMS, consent.IsSuppressed)
		w.want(asha, "service_notice", consent.SMS, "")
		if d.Engine() == db.SQLite {
			scan(t, d, asha.Number)
		}
	}, schemas...)
}

func TestAWithdrawalOfAnErasedOrUnknownPersonStillCounts(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.record(give(asha, consent.SMS))
	ref := w.numbers[asha.Number]
	w.erase(asha.Number)
	stale := consent.Who{Ref: ref, Number: asha.Number} // a link made before
	w.record(take(stale, consent.Call))
	w.want(asha, "marketing", consent.Call, consent.IsSuppressed)
	w.record(take(ravi, consent.Call))
	w.want(ravi, "marketing", consent.Call, consent.IsSuppressed)
	if len(w.numbers) != 1 {
		t.Errorf("a withdrawal entered the person: %v", w.numbers)
	}
	w.record(take(mira, consent.Email))
	w.want(consent.Who{Email: " mira@example.COM"}, "marketing", consent.Email, consent.IsSuppressed)
}

func TestManyEntriesAtOnceKeepTheirOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.record(give(asha, consent.SMS))
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() {
				if err := w.consents.Record(t.Context(), w.org.ID, give(consent.Who{Ref: w.numbers[asha.Number]}, consent.Call)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		all, err := w.consents.Ledger(t.Context(), d, w.org.ID, asha)
		if err != nil || len(all) != 3 || all[1].N != 2 || all[2].N != 3 {
			t.Errorf("kept %+v, %v", all, err)
		}
	}, schemas...)
}

func TestADisclosureNeedsConsentThatNamesIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		credit := consent.Disclosure{Who: asha, Purpose: "call_ops", Recipient: "scorer", Category: "contact"}
		disclose := func(what consent.Disclosure) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error { return w.consents.Disclose(t.Context(), tx, w.org.ID, what) })
		}
		if err := disclose(credit); fault.KindOf(err) != fault.Denied {
			t.Errorf("without an entry: %v", err)
		}
		in := consent.Change{Who: asha, Purposes: []string{"call_ops"}, State: consent.Given, How: consent.ByWebForm, Recipient: "scorer", Categories: []string{"contact"}, Once: true,
			MustShow: []string{"Example Scoring Ltd", "Contacts"}, Wording: consent.Wording{Language: "en", Text: "You may ask about me once."}}
		if err := w.consents.Record(t.Context(), w.org.ID, in); len(fault.Fields(err)) != 1 {
			t.Errorf("a wording that names nobody gave %v", err)
		}
		in.Wording.Text = "You may give my contacts to Example Scoring Ltd, once."
		w.record(in)
		other := credit
		other.Category = "call.meta"
		if err := disclose(other); fault.KindOf(err) != fault.Denied {
			t.Errorf("another category: %v", err)
		}
		if err := disclose(credit); err != nil {
			t.Errorf("with consent: %v", err)
		}
		if err := disclose(credit); fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "one time") {
			t.Errorf("a second use: %v", err)
		}
		in.Once = false
		w.record(in)
		for range 2 {
			if err := disclose(credit); err != nil {
				t.Errorf("a standing consent: %v", err)
			}
		}
		in.State = consent.Withdrawn
		w.record(in)
		if err := disclose(credit); fault.KindOf(err) != fault.Denied {
			t.Errorf("after the withdrawal: %v", err)
		}
	}, schemas...)
}

func TestAnIntegrationIsAllowedWithAnEnd(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	what := consent.Disclosure{Purpose: "call_ops", Recipient: "crm", Category: "call.meta"}
	disclose := func() error {
		return w.db.Tx(t.Context(), func(tx *db.Tx) error { return w.consents.Disclose(t.Context(), tx, w.org.ID, what) })
	}
	in := consent.Change{Purposes: []string{"call_ops"}, How: consent.ByWebForm, Recipient: "crm", Categories: []string{"call.meta"}, MustShow: []string{"CRM Inc"},
		Wording: consent.Wording{Language: "en", Text: "CRM Inc gets our calls."}}
	if err := w.consents.AllowRecipient(t.Context(), w.by, in); len(fault.Fields(err)) != 1 || fault.Fields(err)[0].Field != "expires" {
		t.Errorf("without an end: %v", err)
	}
	in.Expires = w.now.AddDate(0, 1, 0)
	if err := w.consents.AllowRecipient(t.Context(), w.by, in); err != nil {
		t.Fatal(err)
	}
	if err := disclose(); err != nil {
		t.Errorf("allowed: %v", err)
	}
	w.now = w.now.AddDate(0, 1, 0)
	if err := disclose(); fault.KindOf(err) != fault.Denied {
		t.Errorf("after its end: %v", err)
	}
	in.Expires = w.now.AddDate(0, 1, 0)
	if err := w.consents.AllowRecipient(t.Context(), w.by, in); err != nil {
		t.Fatal(err)
	}
	if err := w.consents.RevokeRecipient(t.Context(), w.by, "crm", "call_ops"); err != nil {
		t.Fatal(err)
	}
	if err := disclose(); fault.KindOf(err) != fault.Denied {
		t.Errorf("revoked: %v", err)
	}
}
