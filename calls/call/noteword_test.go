package call_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/calltest"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/db/dbtest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// finds fails unless a text finds the notes of certain calls, in this order.
func finds(t *testing.T, w *calltest.World, agents []account.AgentNo, text string, want ...call.Key) {
	t.Helper()
	found, err := w.Calls.FindNotes(t.Context(), w.DB, w.Org, agents, text, 9)
	must(t, err)
	var got []call.Key
	for _, c := range found {
		if got = append(got, c.Row.Key); c.Note == "" {
			t.Errorf("%q finds a call without its note: %+v", text, c)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q finds the notes of %+v, want %+v", text, got, want)
	}
}

// wordRows counts what notes are found by.
func wordRows(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	must(t, d.Row(t.Context(), `SELECT count(*) FROM call_note_words`).Scan(&n))
	return n
}

// Notes are found by their words while they are there, by who sees their call, and by nobody once they are gone.
func TestNotesOfCallsAreFoundByTheirWords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		ctx, bilal := t.Context(), w.Agent(t, "Bilal").Agent
		old := item(w, asha, 50*time.Hour, "+919812300001", call.TypeMissed, 0, 1)
		old.Note = "Wants the Élégance catalogue; ठीक है, नींबू 🍋"
		late := item(w, bilal, time.Hour, "+919812300002", call.TypeOutgoing, 60, 2)
		late.Note = "Has the catalogue already"
		unknown := item(w, asha, 2*time.Hour, "", call.TypeMissed, 0, 3)
		unknown.Note = "Asked for a catalogue and hung up"
		answers := w.Put(t, old, late, unknown, item(w, asha, 3*time.Hour, "+919812300001", call.TypeMissed, 0, 4))
		hers, his, nobodys, bare := answers[0].Key, answers[1].Key, answers[2].Key, answers[3].Key

		finds(t, w, nil, "catalogue", his, nobodys, hers)
		finds(t, w, nil, "CATALOG el", hers)
		finds(t, w, nil, "elegant")
		finds(t, w, nil, "ठीक", hers)
		finds(t, w, nil, "नी", hers)
		finds(t, w, nil, "🍋")
		finds(t, w, nil, "🍋 c")
		finds(t, w, nil, "नींबू cat", hers)
		finds(t, w, nil, "c")
		finds(t, w, nil, "")
		finds(t, w, []account.AgentNo{asha}, "catalogue", nobodys, hers)
		finds(t, w, []account.AgentNo{bilal, 77}, "catalogue", his)
		finds(t, w, []account.AgentNo{}, "catalogue")
		if found, err := w.Calls.FindNotes(ctx, d, w.Org, nil, "catalogue", 1); err != nil || len(found) != 1 || found[0].Note != late.Note || found[0].Number != late.Number {
			t.Errorf("the newest is %+v (%v)", found, err)
		}
		if found, err := w.Calls.FindNotes(ctx, d, w.NewOrg(t, "Others"), nil, "catalogue", 9); err != nil || len(found) != 0 {
			t.Errorf("another organisation finds %+v (%v)", found, err)
		}

		must(t, w.Calls.SetNote(ctx, w.Org, hers, "🍋🍋 nothing more", "mem_1"))
		finds(t, w, nil, "elegance")
		finds(t, w, nil, "🍋🍋", hers)
		next, _, err := w.Keys.NextIndex(ctx, int64(w.Org.ID))
		must(t, err)
		must(t, d.Tx(ctx, func(tx *db.Tx) error {
			if err := w.Book.Reindex(ctx, tx, w.Org.ID, next, nil); err != nil {
				return err
			}
			return w.Calls.Reindex(ctx, tx, w.Org.ID, next)
		}))
		finds(t, w, nil, "nothing mor") // the index of another key
		must(t, w.Keys.CommitIndex(ctx, int64(w.Org.ID)))
		finds(t, w, nil, "nothing mor", hers)
		finds(t, w, nil, "catalogue", his, nobodys)

		must(t, w.Writer.Restrict(ctx, w.Org, his.Number, true))
		finds(t, w, nil, "catalogue", nobodys)
		must(t, w.Writer.Restrict(ctx, w.Org, his.Number, false))
		finds(t, w, nil, "catalogue", his, nobodys)
		must(t, w.Writer.Exclude(ctx, w.Org, number.Exclusion{Number: late.Number, Strength: number.Hidden, AddedAt: w.Now()}))
		finds(t, w, nil, "catalogue", nobodys)

		must(t, w.Calls.SetNote(ctx, w.Org, hers, "", "mem_1"))
		finds(t, w, nil, "nothing")
		_, err = w.Writer.Delete(ctx, w.Org, []call.Key{his, nobodys, bare})
		must(t, err)
		if n := wordRows(t, d); n != 0 {
			t.Errorf("%d words of notes are left", n)
		}
	}, calltest.Schemas()...)
}

// A corrected call takes its note along, and with an organisation's calls go the words.
func TestTheWordsOfANoteMoveWithItsCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		ctx := t.Context()
		it := item(w, asha, 30*time.Hour, "+919812300001", call.TypeMissed, 0, 1)
		it.Note = "Ring before the festival"
		key := w.Put(t, it)[0].Key
		before := wordRows(t, d)
		moved := it
		moved.Note, moved.Start, moved.Number = "", it.Start.Add(26*time.Hour), "+919812300002" // another day and another person
		answer, err := w.Writer.Correct(ctx, w.Org, key, moved)
		must(t, err)
		finds(t, w, nil, "fest", answer.Key)
		if n := wordRows(t, d); n != before || before != 4 || answer.Key == key {
			t.Errorf("%d words were kept, %d are after the correction to %+v", before, n, answer.Key)
		}
		written, err := w.Calls.Written(ctx, d, w.Org.ID, 0, 0, answer.Key.Number)
		must(t, err)
		must(t, d.Tx(ctx, func(tx *db.Tx) error {
			_, err := call.RemoveNotesOf(ctx, tx, w.Org.ID, answer.Key.Day, asha, answer.Key.Number)
			return err
		}))
		finds(t, w, nil, "festival")
		must(t, d.Tx(ctx, func(tx *db.Tx) error { return w.Calls.Rewrite(ctx, tx, w.Org.ID, written) })) // out of the archive
		finds(t, w, nil, "festival", answer.Key)
		must(t, d.Tx(ctx, func(tx *db.Tx) error {
			_, _, err := call.RemoveNotes(ctx, tx, w.Org.ID, []number.ID{answer.Key.Number})
			return err
		}))
		if n := wordRows(t, d); n != 0 {
			t.Errorf("%d words are left of a removed note", n)
		}
		must(t, w.Calls.SetNote(ctx, w.Org, answer.Key, "once more", "mem_1"))
		must(t, d.Tx(ctx, func(tx *db.Tx) error { return call.Delete(ctx, tx, w.Org.ID) }))
		if n := wordRows(t, d); n != 0 {
			t.Errorf("%d words are left of a removed organisation", n)
		}
	}, calltest.Schemas()...)
}

// A note as long as notes can be is found by its first and by its last word; and what very many notes have finds the newest of
// them, also by a beginning, and words that many have, but few together, find those that have both.
func TestLongAndManyNotesAreFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, asha := world(t, d)
		bilal := w.Agent(t, "Bilal").Agent
		var long strings.Builder
		long.WriteString("aardvark ")
		for i := 0; long.Len() < 9_980; i++ {
			fmt.Fprintf(&long, "w%dx ", i)
		}
		long.WriteString("zymurgy")
		key := w.Put(t, item(w, asha, time.Hour, "+919812300001", call.TypeMissed, 0, 1))[0].Key
		must(t, w.Calls.SetNote(t.Context(), w.Org, key, long.String(), ""))
		finds(t, w, nil, "aardvark zymurgy w999x", key)

		many := call.ManyRows + 50
		items := make([]ingest.Item, many)
		for i := range items {
			items[i] = item(w, asha, time.Duration(100+i)*time.Minute, fmt.Sprintf("+91981231%04d", i), call.TypeMissed, 0, int64(i+10))
			items[i].Note = "call again, " + []string{"pear", "plum"}[i%2]
		}
		items[many-1].Note = "call about the orchid, again" // the oldest
		items[many-3].Note = "pear or plum"
		items[many-2].Agent = bilal
		answers := w.Put(t, items...)
		for _, text := range []string{"again", "again call", "ag"} {
			found, err := w.Calls.FindNotes(t.Context(), d, w.Org, nil, text, 3)
			must(t, err)
			if len(found) != 3 || found[0].Row.Key != answers[0].Key || found[2].Row.Key != answers[2].Key {
				t.Errorf("%q finds %+v, want the newest", text, found)
			}
		}
		finds(t, w, nil, "again orch", answers[many-1].Key)
		finds(t, w, nil, "pear plum", answers[many-3].Key)
		finds(t, w, []account.AgentNo{bilal}, "again orchid")
	}, calltest.Schemas()...)
}

// BenchmarkFindNotes looks for notes among PARLEY_BENCH_NOTES of some 15 words each, of an agent among 20 and of everybody.
func BenchmarkFindNotes(b *testing.B) {
	notes := 5_000
	if n, err := strconv.Atoi(os.Getenv("PARLEY_BENCH_NOTES")); err == nil {
		notes = n
	}
	d := dbtest.SQLite(b, calltest.Schemas()...)
	w := calltest.New(b, d)
	var items []ingest.Item
	for i := range notes {
		it := item(w, account.AgentNo(1+i%20), time.Duration(i)*7*time.Minute, fmt.Sprintf("+9198%08d", 10_000_000+i%50_000), call.TypeMissed, 0, int64(i+1))
		it.Note = fmt.Sprintf("call again about the price of product%d for customer%d, she wants it before friday and can pay half%d", i%500, i%7_000, i)
		if items = append(items, it); len(items) == 5_000 || i == notes-1 {
			w.Put(b, items...)
			items = items[:0]
		}
	}
	for name, q := range map[string]struct {
		text   string
		agents []account.AgentNo
	}{
		"common": {"call again", nil}, "beginning": {"ca", nil}, "rare": {"product77 customer4077", nil}, "both": {"again customer40", nil},
		"agent": {"friday", []account.AgentNo{7}}, "nothing": {"friday friend", nil}, "hard": {"call again about price cust", []account.AgentNo{7}},
		"never together": {"product1 half2", nil}, "many apart": {"product customer1", nil},
	} {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			found := 0
			for b.Loop() {
				got, err := w.Calls.FindNotes(b.Context(), d, w.Org, q.agents, q.text, 20)
				must(b, err)
				found = len(got)
			}
			b.ReportMetric(float64(found), "found")
		})
	}
}
