package account_test

import (
	"testing"

	"parley/account"
	"parley/platform/db"
)

func TestWhatIsKeptOfAMember(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, owner := w.signUp(asha())
		_, secret, err := w.SignIn(ctx, "asha@example.com", secretWords, account.SignInFrom{IP: "203.0.113.77"})
		must(t, err)
		by := w.actor(secret)
		other, err := w.AddAgent(ctx, by.Org.ID, account.NewAgent{Name: "Ravi"})
		must(t, err)
		rows := func(m account.MemberID) map[string]int64 {
			t.Helper()
			all, err := w.KeptOf(ctx, by.Org.ID, m)
			must(t, err)
			out := map[string]int64{}
			for _, k := range all {
				out[k.Table] = k.Rows
				if k.Table == "sessions" && k.Rows > 0 && !k.Newest.Equal(w.now) {
					t.Errorf("the newest session is of %s", k.Newest)
				}
			}
			return out
		}
		if got := rows(owner.ID); got["members"] != 1 || got["acceptances"] != 1 || got["sessions"] != 1 {
			t.Errorf("of the owner there are %v", got)
		}
		terms, err := w.AcceptedOf(ctx, by.Org.ID, owner.ID)
		must(t, err)
		if len(terms) != 1 || terms[0].Terms != account.Terms || !terms[0].Adult || !terms[0].At.Equal(w.now) {
			t.Errorf("the owner accepted %+v", terms)
		}
		if got := rows(other.ID); got["members"] != 1 || got["sessions"] != 0 {
			t.Errorf("of an agent there are %v", got)
		}
		must(t, w.db.Tx(ctx, func(tx *db.Tx) error { return w.EraseMember(ctx, tx, by.Org.ID, other.ID) }))
		for table, n := range rows(other.ID) {
			if n != 0 {
				t.Errorf("%d rows of %s are left of who was erased", n, table)
			}
		}
	})
}
