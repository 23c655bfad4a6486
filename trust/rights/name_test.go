package rights_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/hold"
	"parley/trust/rights"
	"parley/trust/subject"
)

// sameAs lets persons be one another for as long as something is kept in the last store.
func (w *world) sameAs(t *testing.T, names ...subject.Ref) {
	t.Helper()
	w.Names = func(ctx context.Context, _ db.Conn, _ account.OrgID, who subject.Ref) ([]subject.Ref, error) {
		n, err := w.count(ctx, "key", names[0])
		if err != nil || n == 0 {
			return []subject.Ref{who}, err
		}
		out := []subject.Ref{who}
		for _, o := range names {
			if o != who {
				out = append(out, o)
			}
		}
		return out, nil
	}
	w.Stores[2].Once = true
}

func TestAPersonIsErasedUnderEveryName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who, also, other := subject.OfNumber(7), subject.OfContact(9), subject.OfNumber(8)
		w.know(t, who, "meera@example.com")
		w.know(t, also)
		w.know(t, other)
		w.sameAs(t, who, also)
		_, q := w.approved(t, w.erasure())
		if q.Plan.Count() != 6+6+3 { // the last store finds both by either
			t.Errorf("the plan lists %+v", q.Plan.Lines)
		}
		h, err := w.Holds.Add(t.Context(), w.owner, hold.Hold{Scope: hold.Person, Persons: []subject.Ref{also}, Reason: "A case about the other name.", Owner: w.owner.Member.ID, Ends: w.now.AddDate(0, 1, 0)})
		must(t, err)
		q, err = w.MakePlan(t.Context(), w.off, q.ID)
		must(t, err)
		if len(q.Plan.Holds) == 0 {
			t.Error("the plan shows no hold of the other name")
		}
		q, err = w.Approve(t.Context(), w.owner, q.ID, q.Plan.Hash())
		must(t, err)
		_, err = w.Run(t.Context(), w.owner, q.ID)
		refused(t, err, fault.Conflict, "hold")
		_, err = w.Holds.Release(t.Context(), w.owner, h.ID, "It is over.")
		must(t, err)
		q, err = w.MakePlan(t.Context(), w.off, q.ID)
		must(t, err)
		q, err = w.Approve(t.Context(), w.owner, q.ID, q.Plan.Hash())
		must(t, err)
		w.now = w.now.Add(time.Hour)
		q, err = w.Run(t.Context(), w.owner, q.ID)
		must(t, err)
		calls, err := w.count(t.Context(), "calls", also)
		must(t, err)
		if q.State != rights.Done || w.left(t, who) != 0 || calls != 0 || w.left(t, other) != 9 {
			t.Errorf("state %s, %d left of the first name, %d calls of the other, %d of somebody else", q.State, w.left(t, who), calls, w.left(t, other))
		}
		if restricted, err := w.Restricted(t.Context(), w.db, w.org.ID); err != nil || len(restricted) != 0 {
			t.Errorf("still marked: %v %v", restricted, err)
		}
	})
}

func TestACopyAndARestrictionCoverEveryName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who, also := subject.OfNumber(7), subject.OfNumber(9)
		w.know(t, who, "meera@example.com")
		w.know(t, also)
		w.sameAs(t, who, also)
		_, q := w.approved(t, rights.Ask{Kind: rights.Access, Contact: "meera@example.com"})
		if q.State != rights.Done {
			var err error
			q, err = w.Run(t.Context(), w.owner, q.ID)
			must(t, err)
		}
		from, _, err := w.FetchFor(t.Context(), w.off, q.ID)
		must(t, err)
		raw, err := io.ReadAll(from)
		must(t, err)
		must(t, from.Close())
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		must(t, err)
		seen := map[string]bool{}
		for _, f := range z.File {
			seen[f.Name] = true
		}
		if !seen["data/call.meta/calls.json"] || !seen["also-1/data/call.meta/calls.json"] {
			t.Errorf("the package has %v", seen)
		}
		_, q = w.proved(t, rights.Ask{Kind: rights.Restriction, Contact: "meera@example.com"})
		restricted, err := w.Restricted(t.Context(), w.db, w.org.ID)
		must(t, err)
		if !restricted[who] || !restricted[also] {
			t.Errorf("restricted: %v", restricted)
		}
		_, err = w.Lift(t.Context(), w.off, q.ID, "Asked for on the phone.")
		must(t, err)
		if restricted, err = w.Restricted(t.Context(), w.db, w.org.ID); err != nil || len(restricted) != 0 {
			t.Errorf("still restricted: %v %v", restricted, err)
		}
	})
}
