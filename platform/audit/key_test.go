package audit_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

func (w *world) rotate(org int64) string {
	w.t.Helper()
	key, err := w.RotateKey(w.t.Context(), org, audit.Operator)
	w.must(err)
	return key
}

func (w *world) prove(org, n int64) *audit.Proof {
	w.t.Helper()
	p, err := w.Prove(w.t.Context(), org, n)
	w.must(err)
	return p
}

// P65: the key that signs the log is changed, and all that was signed before and after verifies offline with either key.
func TestALogGoesOnUnderAnotherKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.fill(1, 5)
		first, err := w.Key(ctx, 1)
		w.must(err)
		older, err := w.Checkpoint(ctx, 1)
		w.must(err)
		before, oldFile := w.prove(1, 2), w.export(1)
		second := w.rotate(1)
		w.fill(1, 3)
		third := w.rotate(1)
		w.fill(1, 1)
		file, err := w.KeyFile(ctx, 1)
		w.must(err)
		if f := w.faults(1); len(f) > 0 || first == second || second == third {
			t.Fatalf("%v; keys %s, %s, %s", f, first, second, third)
		}
		for name, known := range map[string]string{"none": "", "the first": first, "the second": second, "the last": third, "all": file} {
			v, err := audit.Verify(strings.NewReader(w.export(1)), audit.Known{Key: known, Checkpoints: []string{older.Note}})
			if err != nil || !v.OK() || v.Entries != 11 || v.Checkpoints != 2 {
				t.Errorf("with %s key known: %+v, %v", name, v, err)
			}
			if _, err := w.prove(1, 7).Check(known); err != nil {
				t.Errorf("a new proof with %s key known: %v", name, err)
			}
			if known == third || known == second {
				continue // they alone do not tell of the first
			}
			if _, err := before.Check(known); err != nil {
				t.Errorf("an old proof with %s key known: %v", name, err)
			}
			if v, err := audit.Verify(strings.NewReader(oldFile), audit.Known{Key: known}); err != nil || !v.OK() {
				t.Errorf("an old file with %s key known: %+v, %v", name, v, err)
			}
		}
		g, err := w.ProveGrowth(ctx, 1, older.Size)
		w.must(err)
		for _, known := range []string{first, third} {
			if _, err := g.Check(known, older.Note); err != nil {
				t.Errorf("growth: %v", err)
			}
		}
		last, err := w.Checkpoint(ctx, 1)
		w.must(err)
		keys, err := w.Keys(ctx, 1)
		w.must(err)
		if last.Key != third || older.Key != first || len(keys) != 3 || keys[0].Key != third || keys[2].Key != first || keys[1].From != 5 || keys[2].Until.IsZero() || !keys[0].Until.IsZero() {
			t.Errorf("the last checkpoint is by %s; keys %+v", last.Key, keys)
		}
		entries, _, err := w.List(ctx, 1, audit.Filter{Actions: []audit.Action{audit.KeyChanged}})
		if err != nil || len(entries) != 2 || entries[0].Object != "key/log" || entries[0].Actor != audit.Operator {
			t.Errorf("%+v, %v", entries, err)
		}
	})
}

func TestKeysThatDoNotFollowAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 5)
		first, err := w.Key(t.Context(), 1)
		w.must(err)
		w.rotate(1)
		w.fill(1, 2)
		whole := w.export(1)
		w.fill(2, 1)
		other, err := w.Key(t.Context(), 2)
		w.must(err)
		heading, rest, _ := strings.Cut(whole, "\n")
		edited := func(change func(h map[string]any)) string {
			h := map[string]any{}
			w.must(json.Unmarshal([]byte(heading), &h))
			change(h)
			text, err := json.Marshal(h)
			w.must(err)
			return string(text) + "\n" + rest
		}
		for name, c := range map[string]struct{ file, key string }{
			"the link is left out": {edited(func(h map[string]any) { delete(h, "successions") }), first},
			"another size": {edited(func(h map[string]any) {
				link := h["successions"].([]any)[0].(string)
				h["successions"] = []any{strings.Replace(link, "\n5\n", "\n6\n", 1)}
			}), ""},
			"one signature": {edited(func(h map[string]any) {
				lines := strings.SplitAfter(h["successions"].([]any)[0].(string), "\n")
				h["successions"] = []any{strings.Join(lines[:len(lines)-2], "")}
			}), ""},
			"the old key again": {edited(func(h map[string]any) { h["key"] = first }), ""},
			"another log":       {whole, other},
		} {
			v, err := audit.Verify(strings.NewReader(c.file), audit.Known{Key: c.key})
			if kind := fault.KindOf(err); err == nil || kind != fault.Conflict && kind != fault.Invalid {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
		}
		w.exec(`UPDATE audit_successions SET note = $1`, "parley audit key succession\n")
		if _, err := w.Verify(t.Context(), 1); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a link that was changed where it is kept: %v", err)
		}
	})
}

// An old key that somebody stole signs nothing about later entries.
func TestAnOldKeyHasNoSayAnyMore(t *testing.T) {
	const log = "parley/log_x"
	pair := func() (note.Signer, string) {
		skey, vkey, err := note.GenerateKey(rand.Reader, log)
		if err != nil {
			t.Fatal(err)
		}
		s, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		return s, vkey
	}
	sign := func(text string, by ...note.Signer) string {
		b, err := note.Sign(&note.Note{Text: text}, by...)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	old, oldKey := pair()
	now, nowKey := pair()
	link := sign(strings.Join([]string{"parley audit key succession", log, "5", oldKey, nowKey, ""}, "\n"), old, now)
	root := strings.Repeat("A", 43) + "="
	for _, c := range []struct {
		size string
		by   note.Signer
		word string
	}{{"5", old, "does not show"}, {"6", old, "another time"}, {"4", now, "another time"}, {"6", now, "does not show"}} {
		p := audit.Proof{Key: nowKey, Checkpoint: sign(strings.Join([]string{log, c.size, root, ""}, "\n"), c.by), Successions: []string{link}}
		for _, key := range []string{"", oldKey} {
			if _, err := p.Check(key); err == nil || !strings.Contains(fault.Sentence(err), c.word) {
				t.Errorf("%s entries: %v, want %q", c.size, err, c.word)
			}
		}
	}
}

// P27: entries name the version of the policy in force.
func TestEntriesNameThePolicyInForce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		version := 4
		w.UnderPolicy(func(_ context.Context, org int64) (int, error) { return version, nil })
		w.must(w.Record(ctx, 1, audit.Entry{Action: audit.CallOpened}, audit.Entry{Action: audit.CallOpened, Policy: 2}))
		version = 5
		w.must(w.db.Tx(ctx, func(tx *db.Tx) error {
			_, err := w.Append(ctx, tx, 1, audit.Entry{Action: audit.HoldChanged})
			return err
		}))
		w.must(w.Visited(ctx, 1, audit.Visit{Entry: audit.Entry{Actor: "mem_1", Action: audit.NumberOpened}, About: []string{"number/1"}}))
		w.must(w.Record(ctx, 0, audit.Entry{Action: audit.BackupMade}))
		all, _, err := w.List(ctx, 1, audit.Filter{})
		w.must(err)
		var got []int
		for _, e := range all {
			got = append(got, e.Policy)
		}
		if !slices.Equal(got, []int{5, 5, 2, 4}) {
			t.Errorf("versions %v, the newest first", got)
		}
		if own, _, err := w.List(ctx, 0, audit.Filter{}); err != nil || own[0].Policy != 0 {
			t.Errorf("the installation's own entry names version %d (%v)", own[0].Policy, err)
		}
	})
}
