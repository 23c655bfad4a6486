package timeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/timeline"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func each(t *testing.T, story func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { story(newWorld(t, d)) }, schemas()...)
}

// live lets n things happen, several of them at the same millisecond.
func (w *world) live(n int) {
	rnd := rand.New(rand.NewPCG(5, 6))
	deeds := []func(){w.note, w.follow, w.change, w.say, w.write, w.ask, w.file,

		func() { w.Put(w.t, w.call(w.asha, num(1), 5), w.call(w.ravi, num(2), 0)) },
		func() { w.Put(w.t, w.call(w.ravi, num(1), 5), w.call(w.asha, num(2), 9), w.call(w.asha, num(3), 9)) }}
	for range n {
		deeds[rnd.IntN(len(deeds))]()
		if rnd.IntN(3) > 0 {
			w.Clock.Advance(time.Duration(rnd.IntN(100)) * time.Minute)
		}
	}
}

// naive counts what the tables have of the person, by kind.
func (w *world) naive(agents ...account.AgentNo) map[timeline.Kind]int {
	w.t.Helper()
	count := func(query string, args ...any) (n int) {
		w.t.Helper()
		w.must(w.DB.Row(w.t.Context(), query, append([]any{w.Org.ID}, args...)...).Scan(&n))
		return n
	}
	out := map[timeline.Kind]int{timeline.Origin: 1}
	for _, r := range w.Rows(w.t) {
		if slices.Contains(w.who.Nums, r.Number) && (len(agents) == 0 || slices.Contains(agents, r.Agent)) {
			out[timeline.Call]++
		}
	}
	out[timeline.Note] = count(`SELECT count(*) FROM contact_notes WHERE org_id = $1`)
	out[timeline.FollowUp] = count(`SELECT count(*) FROM follow_up_events WHERE org_id = $1`)
	out[timeline.Change] = count(`SELECT count(*) FROM (SELECT DISTINCT rev FROM lead_events WHERE org_id = $1) AS x`) + count(`SELECT count(*) FROM (SELECT DISTINCT rev FROM contact_events WHERE org_id = $1) AS x`)
	out[timeline.Consent] = count(`SELECT count(*) FROM consents WHERE org_id = $1`)
	out[timeline.Message] = count(`SELECT count(*) FROM mails WHERE org_id = $1`)
	out[timeline.Filed] = count(`SELECT count(*) FROM contact_files WHERE org_id = $1`)
	out[timeline.Request] = count(`SELECT count(*) FROM requests WHERE org_id = $1`)
	return out
}

// all reads a whole timeline in pages.
func (w *world) all(as *account.Actor, limit int, q timeline.Query) (items []timeline.Item, hidden int) {
	w.t.Helper()
	q.Limit = limit
	for pages := 0; ; pages++ {
		page, err := w.lines.Timeline(w.t.Context(), as, q)
		w.must(err)
		if len(page.Items) > limit || pages > 5000 {
			w.t.Fatalf("page %d has %d items, at most %d were asked for", pages, len(page.Items), limit)
		}
		items, hidden = append(items, page.Items...), hidden+page.Hidden
		if q.After = page.Next; q.After == "" {
			return items, hidden
		}
	}
}

// TestPagesMakeTheWholeTimeline: however small the pages, together they have everything once, in order.
func TestPagesMakeTheWholeTimeline(t *testing.T) {
	each(t, func(w *world) {
		w.live(150)
		owner := w.Accounts.Operator(w.Org)
		want := w.naive()
		whole, _ := w.all(owner, 200, timeline.Query{Contact: w.who.ID})
		for _, limit := range []int{1, 3, 7, 50} {
			items, hidden := w.all(owner, limit, timeline.Query{Contact: w.who.ID})
			got, seen := map[timeline.Kind]int{}, map[string]bool{}
			for i, x := range items {
				got[x.Kind]++
				name := fmt.Sprint(x.Kind, x.ID, x.At, x.Step, x.Source)
				if seen[name] && x.Kind != timeline.FollowUp && x.Kind != timeline.Change { // of those several may happen at once
					t.Errorf("in pages of %d an item comes twice: %s", limit, name)
				}
				seen[name] = true
				if i > 0 && x.At.After(items[i-1].At) {
					t.Errorf("in pages of %d an item of %s comes after one of %s", limit, x.At, items[i-1].At)
				}
				if whole[i].ID != x.ID || whole[i].Kind != x.Kind {
					t.Fatalf("in pages of %d item %d is %s %s, in large ones %s %s", limit, i, x.Kind, x.ID, whole[i].Kind, whole[i].ID)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || hidden != 0 {
				t.Errorf("in pages of %d there are %v and %d are hidden, want %v", limit, got, hidden, want)
			}
		}
		for _, k := range timeline.Kinds() {
			items, _ := w.all(owner, 5, timeline.Query{Contact: w.who.ID, Kinds: []timeline.Kind{k}})
			if len(items) != want[k] {
				t.Errorf("there are %d items of the kind %s, want %d", len(items), k, want[k])
			}
		}
		w.check(t, whole)
	})
}

// check looks whether items say what they are.
func (w *world) check(t *testing.T, items []timeline.Item) {
	t.Helper()
	for _, x := range items {
		ok := x.Source != "" && !x.At.IsZero() && x.ID != ""
		switch x.Kind {
		case timeline.Call:
			ok = ok && x.Call != nil && x.Call.ID == x.ID && x.Call.Number != "" && x.Link == "/calls/"+x.ID
		case timeline.Note:
			ok = ok && x.Note.Text == "a note" && x.By == w.asha.ID
		case timeline.FollowUp:
			ok = ok && x.FollowUp.Text == "x" && x.Step != ""
		case timeline.Change:
			ok = ok && len(x.Contact)+len(x.Lead) > 0
		case timeline.Consent:
			ok = ok && x.Consent.Purpose == "marketing"
		case timeline.Message:
			ok = ok && x.Message.Subject == "Hello"
		case timeline.Request:
			ok = ok && x.Request.ID == x.ID
		case timeline.Origin:
			ok = ok && x.Origin == "manual"
		}
		if !ok {
			t.Fatalf("an item does not say what it is: %+v", x)
		}
	}
}

// TestColleaguesCallsAreCounted: an agent sees their own calls, and how many others there were.
func TestColleaguesCallsAreCounted(t *testing.T) {
	each(t, func(w *world) {
		w.live(60)
		every, mine := w.naive()[timeline.Call], w.naive(w.asha.Agent)[timeline.Call]
		for _, limit := range []int{2, 200} {
			items, hidden := w.all(w.as(w.asha), limit, timeline.Query{Contact: w.who.ID, Kinds: []timeline.Kind{timeline.Call}})
			if len(items) != mine || hidden != every-mine || mine == 0 || hidden == 0 {
				t.Errorf("in pages of %d an agent sees %d calls and hears of %d, want %d and %d", limit, len(items), hidden, mine, every-mine)
			}
		}
		items, _ := w.all(w.as(w.asha), 50, timeline.Query{Contact: w.who.ID})
		if i := slices.IndexFunc(items, func(x timeline.Item) bool {
			return x.Kind == timeline.Request || x.Kind == timeline.Call && x.Agent != w.asha.Agent
		}); i >= 0 {
			t.Errorf("an agent sees %+v", items[i])
		}
	})
}

// TestManyCallsOfColleaguesDoNotHoldAPageUp: the marker goes on behind them.
func TestManyCallsOfColleaguesDoNotHoldAPageUp(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, schemas()...))
	w.Put(t, w.call(w.asha, num(1), 5))
	for range 2100 {
		w.Clock.Advance(time.Minute)
		w.Put(t, w.call(w.ravi, num(1), 5))
	}
	w.note()
	first, err := w.lines.Timeline(t.Context(), w.as(w.asha), timeline.Query{Contact: w.who.ID, Kinds: []timeline.Kind{timeline.Call, timeline.Note}, Limit: 10})
	if err != nil || len(first.Items) != 1 || first.Items[0].Kind != timeline.Note || first.Next == "" || first.Hidden < 1000 || first.Hidden > 1100 {
		t.Fatalf("the first page has %d items, %d are hidden, the next is at %q (%v)", len(first.Items), first.Hidden, first.Next, err)
	}
	items, hidden := w.all(w.as(w.asha), 10, timeline.Query{Contact: w.who.ID, Kinds: []timeline.Kind{timeline.Call, timeline.Note}})
	if len(items) != 2 || hidden != 2100 {
		t.Errorf("an agent sees %d items and hears of %d, want 2 and 2100", len(items), hidden)
	}
}

// TestMergedPeopleHaveOneTimeline: what came with either of them is there.
func TestMergedPeopleHaveOneTimeline(t *testing.T) {
	each(t, func(w *world) {
		w.live(20)
		other := w.Add(t, contact.New{Person: contact.Person{First: "Two", Numbers: []contact.Labelled{{Text: num(3)}}}, Owner: w.asha.ID, Origin: "phone", Import: "imp_1"})
		w.Tx(t, func(tx *db.Tx) error {
			if _, err := w.Contacts.AddNote(t.Context(), tx, w.Org.ID, w.asha.ID, other.ID, "a note"); err != nil {
				return err
			}
			_, _, err := w.Contacts.Merge(t.Context(), tx, w.Org, "", w.who.ID, other.ID)
			return err
		})
		w.Put(t, w.call(w.asha, num(3), 5))
		items, _ := w.all(w.Accounts.Operator(w.Org), 10, timeline.Query{Contact: other.ID}) // its old id leads to the same
		origins, calls := 0, 0
		for _, x := range items {
			switch {
			case x.Kind == timeline.Origin:
				origins++
			case x.Kind == timeline.Call && x.Call.Number == num(3):
				calls++
			}
		}
		if origins != 2 || calls == 0 {
			t.Errorf("of two merged people %d ways they came and %d calls are shown", origins, calls)
		}
	})
}

// TestWhoMaySeeATimeline goes through what is refused.
func TestWhoMaySeeATimeline(t *testing.T) {
	each(t, func(w *world) {
		ctx := context.Background()
		w.live(10)
		owner := w.Accounts.Operator(w.Org)
		elsewhere := w.Accounts.Operator(w.NewOrg(t, "Elsewhere"))
		key, err := w.Book.Key(ctx, w.Org.ID, num(1))
		w.must(err)
		for what, try := range map[string]struct {
			as   *account.Actor
			q    timeline.Query
			kind fault.Kind
		}{
			"a colleague's contact":  {w.as(w.ravi), timeline.Query{Contact: w.who.ID, Limit: 5}, fault.NotFound},
			"another organisation's": {elsewhere, timeline.Query{Contact: w.who.ID, Limit: 5}, fault.NotFound},
			"its number":             {elsewhere, timeline.Query{Number: key, Limit: 5}, fault.NotFound},
			"nobody":                 {owner, timeline.Query{Contact: "con_nobody", Limit: 5}, fault.NotFound},
			"no limit":               {owner, timeline.Query{Contact: w.who.ID}, fault.Invalid},
			"too much":               {owner, timeline.Query{Contact: w.who.ID, Limit: 201}, fault.Invalid},
			"no kind":                {owner, timeline.Query{Contact: w.who.ID, Limit: 5, Kinds: []timeline.Kind{"dream"}}, fault.Invalid},
			"no marker":              {owner, timeline.Query{Contact: w.who.ID, Limit: 5, After: "nonsense!"}, fault.Invalid},
		} {
			if _, err := w.lines.Timeline(ctx, try.as, try.q); fault.KindOf(err) != try.kind || err == nil {
				t.Errorf("%s: got %v, want kind %d", what, err, try.kind)
			}
		}
		alone, _ := w.all(owner, 5, timeline.Query{Number: key})
		if i := slices.IndexFunc(alone, func(x timeline.Item) bool { return x.Kind != timeline.Call && x.Kind != timeline.Consent }); i >= 0 || len(alone) == 0 {
			t.Errorf("of a number alone %d items are shown, %+v", len(alone), alone)
		}
		w.must(w.Writer.Restrict(ctx, w.Org, number.ID(w.who.Nums[0]), true))
		if _, err := w.lines.Timeline(ctx, owner, timeline.Query{Contact: w.who.ID, Limit: 5}); fault.KindOf(err) != fault.Denied {
			t.Errorf("of somebody restricted: %v", err)
		}
	})
}
