package consent_test

import (
	"testing"

	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
	"parley/trust/consent"
)

// P145: what a child agreed to counts for nothing, and nobody advertises to a child.
func TestAChildIsNotAdvertisedTo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, ctx := newWorld(t, d), t.Context()
		for _, who := range []consent.Who{asha, mira} {
			for _, c := range consent.Channels() {
				w.record(give(who, c))
			}
			w.want(who, "marketing", consent.Email, "")
			if err := w.consents.SetMinor(ctx, w.org.ID, who, true, "staff", ""); err != nil {
				t.Fatal(err)
			}
			for _, c := range consent.Channels() {
				w.want(who, "marketing", c, consent.IsMinor)
			}
			w.want(who, "service_notice", consent.Email, "")
			w.record(give(who, consent.Email)) // a later yes changes nothing
			w.want(who, "marketing", consent.Email, consent.IsMinor)
		}
		w.want(ravi, "marketing", consent.Email, consent.NoConsent)
		w.tx(func(tx *db.Tx) error { // erased, and calls again
			ref, _, err := w.consents.People.Find(ctx, tx, w.org.ID, asha.Number)
			if err != nil {
				return err
			}
			return w.consents.Forget(ctx, tx, w.org.ID, ref)
		})
		w.record(give(asha, consent.Call))
		w.want(asha, "marketing", consent.Call, consent.IsMinor)
		if err := w.consents.SetMinor(ctx, w.org.ID, asha, false, "staff", ""); err != nil {
			t.Fatal(err)
		}
		w.want(asha, "marketing", consent.Call, "")
		if under, err := w.consents.Minor(ctx, d, w.org.ID, mira); err != nil || !under {
			t.Errorf("the other child is one no more (%v)", err)
		}
		if err := w.consents.SetMinor(ctx, w.org.ID, consent.Who{}, true, "staff", ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("nobody was marked: %v", err)
		}
	}, schemas...)
}
