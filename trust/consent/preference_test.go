package consent_test

import (
	"slices"
	"strings"
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/consent"
)

func words(string, consent.Channel) consent.Wording {
	return consent.Wording{Language: "en", Text: "Yes, please."}
}

func (w *world) set(who consent.Who, on ...string) {
	w.t.Helper()
	if err := w.consents.SetPreferences(w.t.Context(), w.org.ID, who, func(p string, c consent.Channel) bool { return slices.Contains(on, p+" "+string(c)) }, words, consent.ByWebForm); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) on(who consent.Who) []string {
	w.t.Helper()
	all, err := w.consents.Preferences(w.t.Context(), w.org.ID, who)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, c := range all {
		if d := w.may(who, c.Purpose, c.Channel); d.Allowed != c.On {
			w.t.Errorf("the page shows %s by %s as %v, the gate says %v", c.Purpose, c.Channel, c.On, d.Allowed)
		}
		if c.On {
			out = append(out, c.Purpose+" "+string(c.Channel))
		}
	}
	return out
}

// TestAnyAllOrNone sets every one of the 16 combinations of channels for one purpose, from every other.
func TestAnyAllOrNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		pick := func(mask int) []string {
			out := []string{}
			for i, c := range consent.Channels() {
				if mask&(1<<i) != 0 {
					out = append(out, "marketing "+string(c))
				}
			}
			return out
		}
		for _, mask := range []int{15, 0, 1, 2, 4, 8, 3, 5, 6, 9, 10, 12, 7, 11, 13, 14, 0, 15} {
			w.set(asha, pick(mask)...)
			if got := w.on(asha); !slices.Equal(got, pick(mask)) && len(got)+len(pick(mask)) > 0 {
				t.Errorf("set %v, got %v", pick(mask), got)
			}
		}
	}, schemas...)
}

func TestOnlyWhatChangesIsEntered(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.set(asha, "marketing sms", "service_notice call", "service_notice sms", "service_notice email", "service_notice messenger")
	w.set(asha, "marketing sms", "service_notice call", "service_notice sms", "service_notice email", "service_notice messenger")
	all, err := w.consents.Ledger(t.Context(), w.db, w.org.ID, asha)
	if err != nil || len(all) != 1 {
		t.Errorf("entered %+v, %v", all, err)
	}
}

func TestStopEndsEverythingAndOneThingCanBeWantedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.set(asha, "marketing sms", "marketing call", "service_notice sms")
		if err := w.consents.Stop(t.Context(), w.org.ID, asha, consent.None, consent.ByWebForm, ""); err != nil {
			t.Fatal(err)
		}
		if got := w.on(asha); len(got) != 0 {
			t.Errorf("still on: %v", got)
		}
		w.set(asha, "marketing sms")
		if got := w.on(asha); !slices.Equal(got, []string{"marketing sms"}) {
			t.Errorf("on: %v", got)
		}
		// A stop holds for purposes that come later, on every channel but the one that was opened again.
		policy = append(policy, consent.Purpose{Key: "news", Basis: "legitimate_interest"})
		defer func() { policy = policy[:3] }()
		w.want(asha, "news", consent.Call, consent.IsSuppressed)
		w.want(asha, "news", consent.SMS, "")
	}, schemas...)
}

func TestAReplyOfStopEndsItsChannel(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.set(asha, "marketing sms", "marketing call")
	if stopped, err := w.consents.Reply(t.Context(), w.org.ID, asha, consent.SMS, "see you at five"); stopped || err != nil {
		t.Error(stopped, err)
	}
	if stopped, err := w.consents.Reply(t.Context(), w.org.ID, asha, consent.SMS, "  STOP!\n"); !stopped || err != nil {
		t.Error(stopped, err)
	}
	w.want(asha, "marketing", consent.SMS, consent.IsSuppressed)
	w.want(asha, "service_notice", consent.SMS, consent.IsSuppressed)
	w.want(asha, "marketing", consent.Call, "")
	all, _ := w.consents.Ledger(t.Context(), w.db, w.org.ID, asha)
	if last := all[len(all)-1]; last.How != consent.ByReply || last.State != consent.Withdrawn {
		t.Errorf("the ledger says %+v", last)
	}
}

func TestStopWords(t *testing.T) {
	for _, text := range []string{
		"STOP", "Stop.", " stop ", "Please stop", "STOP now please!", "Unsubscribe", "please unsubscribe me from this list", "Opt-out", "Don't contact me", "रोकें", "कृपया बंद करें", "बंद करो।", "band karo", "বন্ধ করুন", "நிறுத்து",
		"ఆపండి", "थांबवा", "બંધ કરો", "ನಿಲ್ಲಿಸಿ", "നിർത്തുക", "ਬੰਦ ਕਰੋ", "بند کریں", "إلغاء الاشتراك", "STOPP bitte", "Abmelden", "Arrêt", "Désabonner", "Baja", "Sair", "Cancellami", "Uitschrijven", "СТОП", "Wypisz mnie", "İPTAL", "退订", "配信停止", "Berhenti",
		"Stop\n\nOn Monday Asha Traders wrote:\n> our offers\n", "stop\r\n> Reply STOP to end\r\n", "Stop\n\n--\nRavi", "STOP\nSent from my phone",
	} {
		if !consent.IsStop(text) {
			t.Errorf("%q is not taken as a stop", text)
		}
	}
	for _, text := range []string{"", "stop by at five", "Do not stop the service", "ok", "yes", "Thanks, bus stop is near", "> STOP", "On Monday Asha wrote:\n> stop", "I will cancel my order tomorrow", "please", "the end of the month", strings.Repeat("unsubscribe ", 20)} {
		if consent.IsStop(text) {
			t.Errorf("%q is taken as a stop", text)
		}
	}
}

func TestALinkNamesItsPersonAndCannotBeMadeUp(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	other := w.newOrg("Other")
	for _, who := range []consent.Who{asha, mira} {
		token, err := w.consents.Link(t.Context(), w.org.ID, who)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(token, "9812300001") {
			t.Error("the link shows the number")
		}
		org, got, err := w.consents.OpenLink(t.Context(), token)
		want := who
		want.Email = strings.ToLower(who.Email)
		if err != nil || org.ID != w.org.ID || got != want {
			t.Errorf("the link of %v opened as %v, %v", who, got, err)
		}
		for i := range token {
			for _, c := range "0z" {
				if forged := token[:i] + string(c) + token[i+1:]; forged != token {
					if _, _, err := w.consents.OpenLink(t.Context(), forged); fault.KindOf(err) != fault.NotFound {
						t.Errorf("a link changed at %d gave %v", i, err)
					}
				}
			}
		}
		for _, c := range "0123456789abcdefghjkmnpqrstvwxyz" { // a last letter that means the same bytes is refused, too
			if forged := token[:len(token)-1] + string(c); forged != token {
				if _, _, err := w.consents.OpenLink(t.Context(), forged); fault.KindOf(err) != fault.NotFound {
					t.Errorf("a link that ends in %c gave %v", c, err)
				}
			}
		}
		parts := strings.Split(token, "_")
		for _, forged := range []string{"", "plp", token[:len(token)-1], token + "0", "plp_2_" + parts[2], "plp_99_" + parts[2], "plp_0_" + parts[2], "plp_-1_" + parts[2], "plp_x_" + parts[2], "pll_1_" + parts[2]} {
			if _, _, err := w.consents.OpenLink(t.Context(), forged); fault.KindOf(err) != fault.NotFound {
				t.Errorf("the link %q gave %v", forged, err)
			}
		}
	}
	if other.ID != 2 {
		t.Fatal("the other organisation is not the one that was tried")
	}
	token, _ := w.consents.Link(t.Context(), w.org.ID, asha)
	w.now = w.now.Add(consent.LinkLife)
	if _, _, err := w.consents.OpenLink(t.Context(), token); fault.KindOf(err) != fault.Gone {
		t.Errorf("an old link gave %v", err)
	}
	if _, err := w.consents.Link(t.Context(), w.org.ID, consent.Who{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a link for nobody gave %v", err)
	}
}

func TestAnAddressHasOnlyItsChannel(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.set(mira, "marketing email")
	if got := w.on(mira); !slices.Equal(got, []string{"marketing email", "service_notice email"}) && !slices.Equal(got, []string{"marketing email"}) {
		t.Errorf("on: %v", got)
	}
	all, err := w.consents.Preferences(t.Context(), w.org.ID, mira)
	if err != nil || len(all) != len(policy) {
		t.Errorf("%d choices for an address, %v", len(all), err)
	}
	w.tx(func(tx *db.Tx) error {
		return w.consents.Suppress(t.Context(), tx, w.org.ID, mira, consent.Scope{}, "staff")
	})
	if got := w.on(mira); len(got) != 0 {
		t.Errorf("on: %v", got)
	}
}

func TestAUseWithoutContactIsOneChoice(t *testing.T) {
	policy = append(policy, consent.Purpose{Key: "personalise", Basis: consent.ByConsent, Plain: true}, consent.Purpose{Key: "learn", Basis: "legitimate_interest", Plain: true})
	defer func() { policy = policy[:3] }()
	w := newWorld(t, dbtest.SQLite(t, schemas...))
	w.want(asha, "personalise", consent.None, consent.NoConsent)
	w.set(asha, "personalise ", "marketing call")
	w.want(asha, "personalise", consent.None, "")
	w.want(asha, "learn", consent.None, consent.IsSuppressed)
	if err := w.consents.Stop(t.Context(), w.org.ID, asha, consent.None, consent.ByWebForm, ""); err != nil {
		t.Fatal(err)
	}
	w.want(asha, "personalise", consent.None, consent.IsSuppressed)
	w.set(asha, "personalise ")
	if got := w.on(asha); !slices.Equal(got, []string{"personalise "}) {
		t.Errorf("on: %v", got)
	}
	w.want(asha, "service_notice", consent.Call, consent.IsSuppressed)
	w.set(asha, "service_notice sms")
	if got := w.on(asha); !slices.Equal(got, []string{"service_notice sms"}) {
		t.Errorf("on: %v", got)
	}
	if _, err := w.consents.MayContact(t.Context(), w.org.ID, asha, "personalise", consent.SMS, w.now); err == nil {
		t.Error("a channel was taken for a use without contact")
	}
}
