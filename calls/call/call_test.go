package call_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		typ     call.Type
		seconds int
		from    int
		want    string
	}{
		{call.TypeIncoming, 0, 0, "missed"}, {call.TypeIncoming, 1, 0, "connected"}, {call.TypeIncoming, 0, 5, "missed"},
		{call.TypeIncoming, 4, 5, "short"}, {call.TypeIncoming, 5, 5, "connected"},
		{call.TypeOutgoing, 0, 1, "not_picked_up"}, {call.TypeOutgoing, 4, 5, "not_picked_up"}, {call.TypeOutgoing, 5, 5, "connected"},
		{call.TypeMissed, 0, 1, "missed"}, {call.TypeMissed, 30, 1, "missed"}, // phones log how long it rang
		{call.TypeVoicemail, 30, 1, "voicemail"}, {call.TypeRejected, 30, 1, "rejected"}, {call.TypeBlocked, 30, 1, "blocked"},
		{call.TypeUnknown, 30, 1, "unknown"}, {call.TypeAnsweredElsewhere, 30, 1, "unknown"}, {call.TypeOf(99), 30, 1, "unknown"},
	} {
		if got := call.OutcomeOf(c.typ, c.seconds, c.from).String(); got != c.want {
			t.Errorf("%s of %d s with threshold %d is %s, want %s", c.typ, c.seconds, c.from, got, c.want)
		}
	}
}

func TestWordsAreReadAsTheyAreWritten(t *testing.T) {
	for o := call.OutcomeUnknown; o <= call.OutcomeShort; o++ {
		if got, ok := call.ParseOutcome(" " + strings.ToUpper(o.String())); !ok || got != o {
			t.Errorf("%s is read as %s", o, got)
		}
	}
	for typ := call.TypeUnknown; typ <= call.TypeAnsweredElsewhere; typ++ {
		if got, ok := call.ParseType(typ.String()); !ok || got != typ {
			t.Errorf("%s is read as %s", typ, got)
		}
	}
	for s := call.SourcePhone; s <= call.SourceMessenger; s++ {
		if got, ok := call.ParseSource(s.String()); !ok || got != s {
			t.Errorf("%s is read as %s", s, got)
		}
	}
	if _, ok := call.ParseOutcome("picked"); ok {
		t.Error("an unknown word was read as an outcome")
	}
}

func TestIDs(t *testing.T) {
	k := call.Key{Day: 20_558, Agent: 3, Start: 1_776_240_000_123, Number: 77, Direction: call.Incoming, Line: 9}
	id := k.ID(4)
	if got, err := call.ParseID(4, id); err != nil || got != k {
		t.Errorf("%s is read as %+v (%v)", id, got, err)
	}
	for _, wrong := range []string{"", "cal_", "cal_!!", id[:len(id)-2], id + "00", "lin_" + id[4:], strings.Repeat("cal_0", 40), k.ID(5)} {
		if _, err := call.ParseID(4, wrong); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q gives %v, want not found", wrong, err)
		}
	}
}

// world is an organisation whose threshold is 3 s, with an agent.
func world(t *testing.T, d *db.DB) (*calltest.World, account.AgentNo) {
	t.Helper()
	w := calltest.New(t, d)
	s := w.Org.Settings()
	s.ConnectedFrom = 3
	org, err := w.Accounts.UpdateOrg(t.Context(), w.Accounts.Operator(w.Org), w.Org.ID, s)
	if err != nil {
		t.Fatal(err)
	}
	w.Org = org
	return w, w.Agent(t, "Asha").Agent
}

func item(w *calltest.World, agent account.AgentNo, back time.Duration, n string, typ call.Type, seconds int, ref int64) ingest.Item {
	return ingest.Item{Agent: agent, Line: 1, Start: w.Now().Add(-back), Number: n, Direction: typ.Direction(), Type: typ, Seconds: seconds, Ref: ref}
}

// What a filter says in SQL is what the rows say in Go.
func TestFiltersTakeWhatTheySay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		var items []ingest.Item
		for typ := call.TypeUnknown; typ <= call.TypeAnsweredElsewhere; typ++ {
			for i, seconds := range []int{0, 1, 2, 3, 60} {
				it := item(w, asha, time.Duration(len(items))*53*time.Minute, fmt.Sprintf("+91981230%04d", len(items)%5), typ, seconds, int64(len(items)+1))
				it.Line, it.Source = call.LineNo(1+i%2), call.Source(i)
				items = append(items, it)
			}
		}
		w.Put(t, items...)
		rows := w.Rows(t)
		kolkata := w.Org.Location()
		check := func(what string, f call.Filter, keep func(r *call.Row) bool) {
			t.Helper()
			var want, got []call.Key
			for i := range slices.Backward(rows) {
				if keep(&rows[i]) {
					want = append(want, rows[i].Key)
				}
			}
			for after := ""; ; {
				page, err := w.Calls.History(t.Context(), w.Org, call.HistoryQuery{From: 0, To: 1 << 30, Filter: f, Limit: 3, After: after})
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range page.Calls {
					got = append(got, c.Row.Key)
				}
				if after = page.Next; after == "" {
					break
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s:\n%s", what, d)
			}
		}
		for o := call.OutcomeUnknown; o <= call.OutcomeShort; o++ {
			check(o.String(), call.Filter{Outcomes: []call.Outcome{o}}, func(r *call.Row) bool { return r.Outcome(3) == o })
		}
		check("unattended", call.Filter{Outcomes: call.Unattended()}, func(r *call.Row) bool { return slices.Contains(call.Unattended(), r.Outcome(3)) })
		check("everything", call.Filter{}, func(*call.Row) bool { return true })
		check("short ones", call.Filter{MinSeconds: 1, MaxSeconds: 2}, func(r *call.Row) bool { return r.Seconds == 1 || r.Seconds == 2 })
		check("a line and a source", call.Filter{Line: 2, Sources: []call.Source{call.SourcePBX}}, func(r *call.Row) bool { return r.Line == 2 && r.Source == call.SourcePBX })
		check("a night", call.Filter{HourFrom: 21, HourTo: 6}, func(r *call.Row) bool {
			h := r.At().In(kolkata).Hour()
			return h >= 21 || h < 6
		})
		check("both of two", call.Filter{Types: []call.Type{1, 2, 3}}.With(call.Filter{Types: []call.Type{2, 3, 4}, Numbers: []number.ID{2, 3}}),
			func(r *call.Row) bool {
				return (r.Type == call.TypeOutgoing || r.Type == call.TypeMissed) && (r.Number == 2 || r.Number == 3)
			})
		check("nothing", call.Filter{Types: []call.Type{1}}.With(call.Filter{Types: []call.Type{2}}), func(*call.Row) bool { return false })
	}, calltest.Schemas()...)
}

// Pages neither lose nor repeat calls, also where many start at one instant and days end.
func TestPagesMeet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		bilal := w.Agent(t, "Bilal").Agent
		midnight := civil.Today(w.Now(), w.Org.Location()).Start(w.Org.Location())
		var items []ingest.Item
		for _, start := range []time.Time{midnight, midnight.Add(-time.Millisecond), midnight.Add(-20 * time.Hour)} {
			for i := range 12 {
				it := item(w, []account.AgentNo{asha, bilal}[i%2], 0, fmt.Sprintf("+91981230%04d", i/4), []call.Type{call.TypeOutgoing, call.TypeMissed}[i/2%2], 0, int64(len(items)+1))
				it.Start = start
				items = append(items, it)
			}
		}
		w.Put(t, items...)
		for _, limit := range []int{1, 5, 7, 12, 36, 500} {
			seen := map[string]bool{}
			last := int64(1) << 62
			for after := ""; ; {
				page, err := w.Calls.History(t.Context(), w.Org, call.HistoryQuery{From: 0, To: 1 << 30, Limit: limit, After: after})
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range page.Calls {
					if seen[c.ID] || c.Row.Start > last {
						t.Fatalf("pages of %d: %s comes twice or late", limit, c.ID)
					}
					seen[c.ID], last = true, c.Row.Start
				}
				if after = page.Next; after == "" {
					break
				}
			}
			if len(seen) != len(items) {
				t.Errorf("pages of %d show %d calls of %d", limit, len(seen), len(items))
			}
		}
		for _, q := range []call.HistoryQuery{{To: 1, Limit: 0}, {To: 1, Limit: 501}, {To: 1, Limit: 5, After: "cal_nonsense"}} {
			if _, err := w.Calls.History(t.Context(), w.Org, q); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%+v gives %v, want a refusal", q, err)
			}
		}
	}, calltest.Schemas()...)
}

// P14: numbers of cards and identities are not kept in free text; phone numbers are.
func TestNotesAndTagsHoldNoCardNumbers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		k := w.Put(t, item(w, asha, time.Hour, "+919812300001", call.TypeMissed, 0, 1))[0].Key
		ctx := t.Context()
		for _, text := range []string{"paid by 4111 1111 1111 1111", "aadhaar 2345 6789 0124", "PAN ABCPE1234F"} {
			if err := w.Calls.SetNote(ctx, w.Org, k, text, "mem_1"); fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), "must not be kept here") {
				t.Errorf("a note with %q: %v", text, err)
			}
			if err := w.Calls.SetTags(ctx, w.Org, k, []string{"hot", text}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("a tag with %q: %v", text, err)
			}
		}
		const fine = "ring +91 98123 00009 or 9812300008, invoice 20260415-0017"
		if err := w.Calls.SetNote(ctx, w.Org, k, fine, "mem_1"); err != nil {
			t.Fatal(err)
		}
		if c, err := w.Calls.One(ctx, w.Org, k); err != nil || c.Note != fine || len(c.Tags) != 0 {
			t.Errorf("the call is %+v (%v)", c, err)
		}
	}, calltest.Schemas()...)
}

func TestANoteIsSealedAndBoundToItsCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		answers := w.Put(t, item(w, asha, time.Hour, "+919812300001", call.TypeMissed, 0, 1), item(w, asha, 2*time.Hour, "", call.TypeMissed, 0, 2))
		for _, a := range answers {
			if err := w.Calls.SetNote(t.Context(), w.Org, a.Key, "  wants the blue one  ", "mem_1"); err != nil {
				t.Fatal(err)
			}
			if err := w.Calls.SetTags(t.Context(), w.Org, a.Key, []string{" price ", "price", "", "two  words"}); err != nil {
				t.Fatal(err)
			}
			c, err := w.Calls.One(t.Context(), w.Org, a.Key)
			if err != nil || c.Note != "wants the blue one" || c.NoteBy != "mem_1" || !slices.Equal(c.Tags, []string{"price", "two words"}) {
				t.Errorf("the call is %+v (%v)", c, err)
			}
		}
		sealed, err := db.Select(t.Context(), d, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT sealed FROM call_notes WHERE org_id = $1`, w.Org.ID)
		if err != nil || len(sealed) != 2 || bytes.Contains(bytes.Join(sealed, nil), []byte("blue")) {
			t.Errorf("notes at rest are %q (%v)", sealed, err)
		}
		if tags, err := w.Calls.Tags(t.Context(), w.Org.ID); err != nil || !slices.Equal(tags, []string{"price", "two words"}) {
			t.Errorf("the organisation's tags are %q (%v)", tags, err)
		}
		// Moved to another call, a note cannot be opened.
		if _, err := d.Exec(t.Context(), `UPDATE call_notes SET start = start + 1 WHERE org_id = $1`, w.Org.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(t.Context(), `UPDATE calls SET start = start + 1 WHERE org_id = $1`, w.Org.ID); err != nil {
			t.Fatal(err)
		}
		moved := answers[0].Key
		moved.Start++
		if c, err := w.Calls.One(t.Context(), w.Org, moved); err == nil {
			t.Errorf("the moved note says %q", c.Note)
		}
		if err := w.Calls.SetNote(t.Context(), w.Org, moved, " ", ""); err != nil {
			t.Fatal(err)
		}
		if c, err := w.Calls.One(t.Context(), w.Org, moved); err != nil || c.Note != "" {
			t.Errorf("an emptied note is %+v (%v)", c, err)
		}
	}, calltest.Schemas()...)
}

func TestWhatIsWrittenOnACallIsChecked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		key := w.Put(t, item(w, asha, time.Hour, "+919812300001", call.TypeMissed, 0, 1))[0].Key
		elsewhere := key
		elsewhere.Start++
		many := make([]string, 21)
		for i := range many {
			many[i] = fmt.Sprint("tag ", i)
		}
		for _, c := range []struct {
			err  error
			want fault.Kind
		}{
			{w.Calls.SetNote(t.Context(), w.Org, key, strings.Repeat("न", 10_001), ""), fault.Invalid},
			{w.Calls.SetNote(t.Context(), w.Org, elsewhere, "x", ""), fault.NotFound},
			{w.Calls.SetTags(t.Context(), w.Org, key, []string{strings.Repeat("x", 41)}), fault.Invalid},
			{w.Calls.SetTags(t.Context(), w.Org, key, many), fault.Invalid},
			{w.Calls.SetTags(t.Context(), w.Org, elsewhere, []string{"x"}), fault.NotFound},
			{w.Calls.SetNote(t.Context(), w.NewOrg(t, "Others"), key, "x", ""), fault.NotFound},
		} {
			if fault.KindOf(c.err) != c.want {
				t.Errorf("error is %v, want %v", c.err, c.want)
			}
		}
	}, calltest.Schemas()...)
}

func TestACorrectedCallKeepsItsNoteAndTags(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		it := item(w, asha, 30*time.Hour, "+919812300001", call.TypeMissed, 0, 1)
		key := w.Put(t, it)[0].Key
		if err := w.Calls.SetNote(t.Context(), w.Org, key, "call back", "mem_1"); err != nil {
			t.Fatal(err)
		}
		if err := w.Calls.SetTags(t.Context(), w.Org, key, []string{"price"}); err != nil {
			t.Fatal(err)
		}
		it.Start, it.Number = it.Start.Add(26*time.Hour), "+919812300002" // another day and another person
		answer, err := w.Writer.Correct(t.Context(), w.Org, key, it)
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.Calls.One(t.Context(), w.Org, answer.Key)
		if err != nil || c.Note != "call back" || c.NoteBy != "mem_1" || !slices.Equal(c.Tags, []string{"price"}) || c.Number != "+919812300002" {
			t.Errorf("the corrected call is %+v (%v)", c, err)
		}
		if _, err := w.Calls.One(t.Context(), w.Org, key); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the old call gives %v", err)
		}
		var left int
		if err := d.Row(t.Context(), `SELECT count(*) FROM call_tags WHERE org_id = $1`, w.Org.ID).Scan(&left); err != nil || left != 1 {
			t.Errorf("%d tags are left (%v)", left, err)
		}
	}, calltest.Schemas()...)
}
