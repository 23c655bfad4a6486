package audit_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"parley/platform/audit"
	"parley/platform/db/dbtest"
	"parley/platform/fault"
)

// found tells whether verifying an exported log finds something wrong with it.
func found(text string, known audit.Known) bool {
	v, err := audit.Verify(strings.NewReader(text), known)
	return err != nil || !v.OK()
}

// TestEveryChangeToAnExportedLogIsFound changes each entry, takes each away, adds one at each place, swaps each two,
// cuts the file at each line, and changes each byte of it.
func TestEveryChangeToAnExportedLogIsFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 21)
		w.fill(2, 21)
		whole := w.export(1)
		if v, err := audit.Verify(strings.NewReader(whole), audit.Known{}); err != nil || !v.OK() || v.Entries != 21 || v.KeyKnown {
			t.Fatalf("the whole log: %+v, %v", v, err)
		}
		lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
		lines[len(lines)-1] += "\n"
		foreign := strings.SplitAfter(w.export(2), "\n")
		tried := 0
		try := func(what string, changed []string) {
			t.Helper()
			tried++
			if !found(strings.Join(changed, ""), audit.Known{}) {
				t.Errorf("%s was not found", what)
			}
		}
		with := func(i int, line string) []string {
			c := slices.Clone(lines)
			c[i] = line
			return c
		}
		for i := 1; i < len(lines); i++ {
			for _, edit := range [][2]string{{"number.opened", "number.listed"}, {`"policy":3`, `"policy":2`}, {"call_ops", "security"}, {`"ok"`, `"no"`}, {"09:0", "08:0"}, {"member:", "mamber:"}} {
				if edited := strings.Replace(lines[i], edit[0], edit[1], 1); edited == lines[i] {
					t.Fatalf("there is no %s in %s", edit[0], edit[1])
				} else {
					try(fmt.Sprintf("entry %d with %s", i-1, edit[1]), with(i, edited))
				}
			}
			try(fmt.Sprintf("entry %d of another log", i-1), with(i, foreign[i]))
			try(fmt.Sprintf("the removal of entry %d", i-1), slices.Delete(slices.Clone(lines), i, i+1))
			try(fmt.Sprintf("entry %d twice", i-1), slices.Insert(slices.Clone(lines), i, lines[i]))
			try(fmt.Sprintf("an empty line before entry %d", i-1), slices.Insert(slices.Clone(lines), i, "\n"))
			try(fmt.Sprintf("the end before entry %d", i-1), lines[:i])
			for j := i + 1; j < len(lines); j++ {
				swapped := slices.Clone(lines)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				try(fmt.Sprintf("entries %d and %d swapped", i-1, j-1), swapped)
			}
		}
		if tried < 400 {
			t.Errorf("only %d changes were tried", tried)
		}
	})
}

func TestEveryByteOfAnExportedLogCounts(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, dbtest.Schema{Series: "audit", Files: audit.Schema}))
	w.fill(1, 5)
	whole := w.export(1)
	known := audit.Known{}
	var err error
	known.Key, err = w.Key(t.Context(), 1)
	w.must(err)
	for i := range len(whole) {
		changed := []byte(whole)
		changed[i] ^= 1
		if !found(string(changed), known) {
			t.Errorf("byte %d (%q) can be changed unseen", i, whole[max(0, i-20):min(len(whole), i+20)])
		}
		if !found(whole[:i], known) {
			t.Errorf("the file can be cut at byte %d unseen", i)
		}
	}
}

// TestEveryChangeToAStoredLogIsFound changes the rows behind the program's back.
func TestEveryChangeToAStoredLogIsFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const size = 9
		next := int64(0)
		log := func() int64 { // a log of its own for each change
			next++
			w.fill(next, size)
			_, err := w.Checkpoint(t.Context(), next)
			w.must(err)
			if f := w.faults(next); len(f) > 0 {
				t.Fatal(f)
			}
			return next
		}
		try := func(what string, org int64) {
			t.Helper()
			if len(w.faults(org)) == 0 {
				t.Errorf("%s was not found", what)
			}
		}
		for n := range size {
			for column, value := range map[string]any{"at_ms": 1, "action": "call.opened", "actor": 7, "about": 0, "leaf": "{}"} {
				org := log()
				w.exec(`UPDATE audit_entries SET `+column+` = $3 WHERE org_id = $1 AND n = $2`, org, n, value)
				try(fmt.Sprintf("%s of entry %d", column, n), org)
			}
			org := log()
			w.exec(`DELETE FROM audit_entries WHERE org_id = $1 AND n = $2`, org, n)
			try(fmt.Sprintf("the removal of entry %d", n), org)
			org = log()
			w.exec(`UPDATE audit_entries SET leaf = (SELECT leaf FROM audit_entries WHERE org_id = $1 AND n = $3) WHERE org_id = $1 AND n = $2`, org, n, (n+1)%size)
			try(fmt.Sprintf("another entry in the place of %d", n), org)
			org = log()
			w.exec(`DELETE FROM audit_secrets WHERE org_id = $1 AND n = $2`, org, n)
			w.exec(`UPDATE audit_secrets SET n = $2 WHERE org_id = $1 AND n = $3`, org, n, (n+1)%size)
			try(fmt.Sprintf("what belongs to another entry beside entry %d", n), org)
		}
		org := log()
		w.exec(`UPDATE audit_logs SET size = 8, peaks = substr(peaks, 1, 32) WHERE org_id = $1`, org)
		try("a log set back to its first 8 entries", org)
		w.exec(`DELETE FROM audit_entries WHERE org_id = $1 AND n = 8`, org)
		try("the same without the last entry", org)
		org = log()
		w.exec(`UPDATE audit_checkpoints SET size = 5 WHERE org_id = $1`, org)
		try("a checkpoint in another's place", org)
	})
}

func TestAChangedSumOfABlockIsFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 300)
		if f := w.faults(1); len(f) > 0 {
			t.Fatal(f)
		}
		w.exec(`UPDATE audit_blocks SET root = $2 WHERE org_id = $1 AND block = 0`, 1, make([]byte, 32))
		if len(w.faults(1)) == 0 {
			t.Error("a changed sum was not found")
		}
	})
}

// TestALogWrittenAnewIsFoundByAnOlderCheckpoint lets somebody who has the keys and the data rewrite the log from each
// position on, and sign it.
func TestALogWrittenAnewIsFoundByAnOlderCheckpoint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const size = 12
		for from := range int64(size) {
			org := from + 1
			w.fill(org, int(from))
			var peaks []byte
			if from > 0 {
				w.must(w.db.Row(t.Context(), `SELECT peaks FROM audit_logs WHERE org_id = $1`, org).Scan(&peaks))
			}
			w.fill(org, int(size-from))
			older, err := w.Checkpoint(t.Context(), org)
			w.must(err)
			key, err := w.Key(t.Context(), org)
			w.must(err)
			for _, table := range []string{"audit_entries", "audit_secrets"} {
				w.exec(`DELETE FROM `+table+` WHERE org_id = $1 AND n >= $2`, org, from)
			}
			w.exec(`DELETE FROM audit_checkpoints WHERE org_id = $1`, org)
			if peaks == nil {
				peaks = []byte{}
			}
			w.exec(`UPDATE audit_logs SET size = $2, peaks = $3 WHERE org_id = $1`, org, from, peaks)
			w.fill(org, size)
			if f := w.faults(org); len(f) > 0 {
				t.Fatalf("the rewritten log is not whole, so this shows nothing: %v", f)
			}
			anew := w.export(org)
			if found(anew, audit.Known{Key: key}) {
				t.Fatal("the rewritten log is not signed, so this shows nothing")
			}
			if !found(anew, audit.Known{Key: key, Checkpoints: []string{older.Note}}) {
				t.Errorf("a log written anew from entry %d on was not found", from)
			}
			g, err := w.ProveGrowth(t.Context(), org, size)
			w.must(err)
			if _, err := g.Check(key, older.Note); fault.KindOf(err) != fault.Conflict {
				t.Errorf("the proof of growth of a log written anew from %d on: %v", from, err)
			}
		}
	})
}

func TestAnotherKeyIsFound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 3)
		key, err := w.Key(t.Context(), 2)
		w.must(err)
		if !found(w.export(1), audit.Known{Key: key}) {
			t.Error("a log with another key was taken")
		}
		if _, err := audit.Verify(strings.NewReader("no log\n"), audit.Known{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a file that is no log: %v", err)
		}
		if v, err := audit.Verify(strings.NewReader(w.export(3)), audit.Known{}); err != nil || !v.OK() || v.Entries != 0 {
			t.Errorf("an empty log: %+v, %v", v, err)
		}
	})
}

func TestProofsOfEveryEntryAtEverySize(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var older []*audit.Checkpoint
		for size := int64(1); size <= 20; size++ {
			w.fill(1, 1)
			c, err := w.Checkpoint(t.Context(), 1)
			w.must(err)
			older = append(older, c)
			for n := range size {
				p, err := w.Prove(t.Context(), 1, n)
				w.must(err)
				if _, err := p.Check(p.Key); err != nil {
					t.Errorf("entry %d of %d: %v", n, size, err)
				}
				p.Leaf = strings.Replace(p.Leaf, "ops", "osp", 1)
				if _, err := p.Check(p.Key); err == nil {
					t.Errorf("a changed entry %d of %d was proved", n, size)
				}
			}
			for _, o := range older {
				g, err := w.ProveGrowth(t.Context(), 1, o.Size)
				w.must(err)
				if _, err := g.Check(g.Key, o.Note); err != nil {
					t.Errorf("growth from %d to %d: %v", o.Size, size, err)
				}
			}
		}
		for _, n := range []int64{-1, 20} {
			if _, err := w.Prove(t.Context(), 1, n); fault.KindOf(err) != fault.NotFound {
				t.Errorf("a proof of entry %d: %v", n, err)
			}
		}
	})
}

func TestProofsReachOverBlocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 1)
		older, err := w.Checkpoint(t.Context(), 1)
		w.must(err)
		some := make([]audit.Entry, 1299)
		for i := range some {
			some[i] = audit.Entry{Action: audit.CallsListed}
		}
		w.must(w.Record(t.Context(), 1, some...))
		for _, n := range []int64{0, 255, 256, 511, 1023, 1024, 1299} {
			p, err := w.Prove(t.Context(), 1, n)
			w.must(err)
			if _, err := p.Check(p.Key); err != nil {
				t.Errorf("entry %d: %v", n, err)
			}
		}
		g, err := w.ProveGrowth(t.Context(), 1, 1)
		w.must(err)
		if _, err := g.Check(g.Key, older.Note); err != nil {
			t.Error(err)
		}
		var signed int
		w.must(w.db.Row(t.Context(), `SELECT count(*) FROM audit_checkpoints WHERE org_id = 1`).Scan(&signed))
		if signed != 2 { // of entry 1, and of what crossed 1024
			t.Errorf("%d checkpoints", signed)
		}
	})
}

func TestAWitness(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.fill(1, 4)
		c, err := w.Checkpoint(ctx, 1)
		w.must(err)
		sign := func(name, text string) (signed, key string) {
			t.Helper()
			skey, vkey, err := note.GenerateKey(rand.Reader, name)
			w.must(err)
			signer, err := note.NewSigner(skey)
			w.must(err)
			own, err := w.Key(ctx, 1)
			w.must(err)
			v, err := note.NewVerifier(own)
			w.must(err)
			n, err := note.Open([]byte(text), note.VerifierList(v))
			if err != nil {
				n = &note.Note{Text: text}
			}
			b, err := note.Sign(n, signer)
			w.must(err)
			return string(b), vkey
		}
		signed, key := sign("witness.example", c.Note)
		got, err := w.Cosign(ctx, 1, signed, key)
		w.must(err)
		if len(got.By) != 2 || got.By[1] != "witness.example" {
			t.Errorf("cosigned by %v", got.By)
		}
		if _, err = w.Cosign(ctx, 1, signed, key); err != nil {
			t.Errorf("the same again: %v", err)
		}
		again, key2 := sign("second.example", c.Note)
		if got, err = w.Cosign(ctx, 1, again, key2); err != nil || len(got.By) != 3 {
			t.Errorf("cosigned by %v, %v", got, err)
		}
		other, otherKey := sign("witness.example", c.Note)
		if _, err := w.Cosign(ctx, 1, other, otherKey); fault.KindOf(err) != fault.Conflict {
			t.Errorf("another key of the same witness: %v", err)
		}
		if _, err := w.Cosign(ctx, 1, c.Note, key); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a checkpoint that the witness did not sign: %v", err)
		}
		forged, forgedKey := sign("third.example", strings.Replace(strings.SplitAfter(c.Note, "\n\n")[0], "4", "5", 1))
		if _, err := w.Cosign(ctx, 1, forged, forgedKey); err == nil {
			t.Error("a checkpoint that the log did not sign was taken")
		}
		w.fill(1, 2)
		last, ok, err := w.LastCosigned(ctx, 1)
		if err != nil || !ok || last.Size != 4 || len(last.By) != 3 {
			t.Errorf("the last one that was cosigned is %+v, %v, %v", last, ok, err)
		}
		if f := w.faults(1); len(f) > 0 {
			t.Error(f)
		}
		v, err := audit.Verify(strings.NewReader(w.export(1)), audit.Known{})
		w.must(err)
		if !v.OK() || !slices.Equal(v.Witnesses, []string{"second.example", "witness.example"}) && !slices.Equal(v.Witnesses, []string{"witness.example", "second.example"}) {
			t.Errorf("%+v", v)
		}
	})
}

func TestALeafIsWrittenInOneWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 1)
		got, _, err := w.List(t.Context(), 1, audit.Filter{})
		w.must(err)
		var m map[string]any
		w.must(json.Unmarshal([]byte(got[0].Leaf), &m))
		again, err := json.Marshal(m) // in the order of the names
		w.must(err)
		if string(again) != got[0].Leaf {
			t.Errorf("%s\n%s", again, got[0].Leaf)
		}
		w.fill(1, 1)
		w.fill(2, 1)
		again1, _, err := w.List(t.Context(), 1, audit.Filter{Limit: 1})
		w.must(err)
		other, _, err := w.List(t.Context(), 2, audit.Filter{})
		w.must(err)
		if got[0].AboutHash == "" || again1[0].AboutHash != got[0].AboutHash || other[0].AboutHash == got[0].AboutHash {
			t.Errorf("number/1 stands as %q and %q in log 1, and as %q in log 2", got[0].AboutHash, again1[0].AboutHash, other[0].AboutHash)
		}
	})
}

func TestACheckpointIsMailedOnceADayWhenThereIsNews(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		due := func() int64 {
			t.Helper()
			c, ok, err := w.ToMail(t.Context(), 1, w.now().Add(-24*time.Hour))
			w.must(err)
			if !ok {
				return 0
			}
			w.must(w.Mailed(t.Context(), 1, c.Size))
			return c.Size
		}
		step := func(what string, want int64) {
			t.Helper()
			if got := due(); got != want {
				t.Errorf("%s: %d entries were mailed, want %d", what, got, want)
			}
		}
		step("an empty log", 0)
		w.fill(1, 3)
		step("the first", 3)
		w.fill(1, 1)
		step("news within a day", 0)
		w.advance(25 * time.Hour)
		step("the day after", 4)
		w.advance(25 * time.Hour)
		step("a day without news", 0)
	})
}

func TestACheckpointIsFoundInAMail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fill(1, 3)
		c, err := w.Checkpoint(t.Context(), 1)
		w.must(err)
		for _, mail := range []string{c.Note, "Dear owner,\r\n\r\n  " + strings.ReplaceAll(c.Note, "\n", "\r\n  ") + "\r\nKeep this.\r\n"} {
			if got, ok := audit.FindCheckpoint(mail); !ok || got != c.Note {
				t.Errorf("found %q, want %q", got, c.Note)
			}
		}
		for _, none := range []string{"", "a\n\n— b", "Dear\n\nyou"} {
			if got, ok := audit.FindCheckpoint(none); ok {
				t.Errorf("found %q in %q", got, none)
			}
		}
	})
}
