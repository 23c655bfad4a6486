package app

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/vault"
)

// openTransit answers as a Vault does, and hides nothing.
func openTransit(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask map[string]string
		if r.Header.Get("X-Vault-Token") != "s.token" || json.NewDecoder(r.Body).Decode(&ask) != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		data := map[string]string{}
		if strings.Contains(r.URL.Path, "/encrypt/") {
			data["ciphertext"] = "vault:v1:" + ask["associated_data"] + "." + ask["plaintext"]
		} else {
			bound, plain, _ := strings.Cut(strings.TrimPrefix(ask["ciphertext"], "vault:v1:"), ".")
			if bound != ask["associated_data"] {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			data["plaintext"] = plain
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(s.Close)
	return "vault+" + s.URL + "/transit/parley"
}

func TestTheMasterKeyMovesIntoAVaultAndBack(t *testing.T) {
	dir := t.TempDir()
	place := filepath.Join(dir, "place")
	if err := os.Mkdir(place, 0o700); err != nil {
		t.Fatal(err)
	}
	parley(t, dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	parley(t, dir, 0, "backup", "place")
	address := openTransit(t)
	t.Setenv("PARLEY_MASTER_TOKEN", "s.token")
	if out := parley(t, dir, 0, "keys", "rotate", "--master", "--to", address); !strings.Contains(out, "Set master_key to "+address) {
		t.Errorf("the move says\n%s", out)
	}
	if out := parley(t, dir, 1, "org", "list"); !strings.Contains(out, "not the one that this data was made with") {
		t.Errorf("the old master key gives\n%s", out)
	}
	t.Setenv("PARLEY_MASTER_KEY", address)
	if out := parley(t, dir, 0, "org", "list"); !strings.Contains(out, "First") {
		t.Errorf("under the Vault the organisations are\n%s", out)
	}
	if out := parley(t, dir, 0, "doctor"); !strings.Contains(out, "vault:transit/parley") {
		t.Errorf("the doctor says\n%s", out)
	}
	parley(t, dir, 0, "restore", "place", "--force") // made before, under the file
	t.Setenv("PARLEY_MASTER_TOKEN", "s.wrong")
	if out := parley(t, dir, 1, "org", "list"); !strings.Contains(out, "token") {
		t.Errorf("a wrong token gives\n%s", out)
	}
	t.Setenv("PARLEY_MASTER_TOKEN", "s.token")
	key := filepath.Join(dir, "new.key")
	parley(t, dir, 0, "keys", "rotate", "--master", "--to", key)
	t.Setenv("PARLEY_MASTER_KEY", "")
	if err := os.Unsetenv("PARLEY_MASTER_KEY"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PARLEY_MASTER_KEY_FILE", key)
	if out := parley(t, dir, 0, "org", "list"); !strings.Contains(out, "First") {
		t.Errorf("under the new file the organisations are\n%s", out)
	}
	if _, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(mustRead(t, key)))); err != nil {
		t.Error(err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// founded is an open installation with an organisation.
func founded(t *testing.T) *Parley {
	t.Helper()
	dir := t.TempDir()
	parley(t, dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "owner@example.com")
	p := open(t, dir)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// A change of an index key may be broken off after the data was indexed, or before.
func TestABrokenOffReIndexIsSettledAtTheNextStart(t *testing.T) {
	for _, indexed := range []bool{true, false} {
		p, ctx := founded(t), t.Context()
		next, generation, err := p.Keys.NextIndex(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		if indexed {
			if err := p.reindex(ctx, 0, next, generation); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.settleIndexes(ctx); err != nil {
			t.Fatal(err)
		}
		current, left, err := p.Keys.IndexGeneration(ctx, 0)
		if err != nil || left != 0 || (current == 2) != indexed {
			t.Errorf("indexed %v: the generation is %d, the next %d (%v)", indexed, current, left, err)
		}
		if noted, err := p.generation(ctx, 0); err != nil || noted != current {
			t.Errorf("the data notes generation %d (%v), the keys %d", noted, err, current)
		}
	}
}

// Data that was restored alone under keys whose index key changed since is indexed anew.
func TestDataOfAnOlderIndexKeyIsIndexedAnew(t *testing.T) {
	p, ctx := founded(t), t.Context()
	for range 2 {
		if err := p.rotateIndex(ctx, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.DB.Exec(ctx, `DELETE FROM installation WHERE name = 'index/0'`); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DB.Exec(ctx, `UPDATE members SET email_key = $1 WHERE email_key IS NOT NULL`, []byte("of the first key")); err != nil {
		t.Fatal(err)
	}
	if err := p.settleIndexes(ctx); err != nil {
		t.Fatal(err)
	}
	k, err := p.Keys.Org(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	var key []byte
	if err := p.DB.Row(ctx, `SELECT email_key FROM members WHERE email_key IS NOT NULL`).Scan(&key); err != nil || string(key) != string(k.Index("email", "owner@example.com")) {
		t.Errorf("the index is %x (%v)", key, err)
	}
	if noted, err := p.generation(ctx, 0); err != nil || noted != 3 {
		t.Errorf("the data notes generation %d (%v)", noted, err)
	}
}

// Notes of calls are found by a blind index, too.
func TestNotesOfCallsAreIndexedUnderANewKey(t *testing.T) {
	p, ctx := founded(t), t.Context()
	k, err := p.Keys.Org(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	key := call.Key{Day: 20_558, Agent: 1, Start: 1_776_240_000_123}
	if err := p.DB.Tx(ctx, func(tx *db.Tx) error { return call.WriteNote(ctx, tx, k, 1, key, "lemons", "", 0) }); err != nil {
		t.Fatal(err)
	}
	var idx [2][]byte
	for i := range idx {
		if i > 0 {
			if err := p.rotateIndex(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.DB.Row(ctx, `SELECT idx FROM call_note_words WHERE org_id = 1`).Scan(&idx[i]); err != nil {
			t.Fatal(err)
		}
	}
	if string(idx[0]) == string(idx[1]) {
		t.Errorf("under both keys the index is %x", idx[0])
	}
}

func TestAPersonErasedSinceStaysErasedInARestore(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "place"), 0o700); err != nil {
		t.Fatal(err)
	}
	parley(t, dir, 0, "org", "create", "--name", "First", "--country", "IN", "--zone", "Asia/Kolkata", "--owner", "a@example.com")
	erase := func(sealed []byte) []byte { // seals a value, or tells whether it opens
		p := open(t, dir)
		defer func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}()
		k, err := p.Keys.Org(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if sealed != nil {
			_, err := k.OpenSubject(t.Context(), 3, "name", sealed)
			if err == nil {
				t.Error("a person who was erased is back")
			}
			return nil
		}
		if err := k.EnsureSubjects(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		out, err := k.SealSubject(t.Context(), 3, "name", []byte("Asha"))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	sealed := erase(nil)
	parley(t, dir, 0, "backup", "place")
	p := open(t, dir)
	k, err := p.Keys.Org(t.Context(), 1)
	if err == nil {
		err = k.DestroySubject(t.Context(), 3)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if out := parley(t, dir, 0, "restore", "place", "--force"); !strings.Contains(out, "erased in it too") {
		t.Errorf("the restore says\n%s", out)
	}
	erase(sealed)
	if list, err := vault.ReadErasures(mustRead(t, filepath.Join(dir, "data", vault.ErasedFile))); err != nil || len(list) != 1 {
		t.Errorf("the journal holds %v (%v)", list, err)
	}
}

// P65: a change of a key is an action of its own in the logs of those whose key it is, and what was signed before verifies.
func TestChangesOfKeysAreLogged(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"First", "Second"} {
		parley(t, dir, 0, "org", "create", "--name", name, "--country", "IN", "--zone", "Asia/Kolkata", "--owner", strings.ToLower(name)+"@example.com")
	}
	parley(t, dir, 0, "user", "list", "--org", "First")
	old := filepath.Join(dir, "old.jsonl")
	parley(t, dir, 0, "audit", "export", "--org", "First", old)
	before := parley(t, dir, 0, "audit", "checkpoint", "--key", "--org", "First")
	parley(t, dir, 0, "keys", "rotate", "--master")
	parley(t, dir, 0, "keys", "rotate", "--index")
	parley(t, dir, 0, "keys", "rotate", "--org", "First")
	parley(t, dir, 0, "keys", "rotate", "--log", "--org", "First")
	parley(t, dir, 1, "keys", "rotate", "--log", "--master")
	logged := func(of ...string) []string {
		var entries []loggedEntry
		if err := json.Unmarshal([]byte(parley(t, dir, 0, append([]string{"audit", "list", "--json", "--action", "key.changed,command.run"}, of...)...)), &entries); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range entries {
			if strings.HasPrefix(e.Object, "key") || e.Object == "command/keys rotate" {
				out = append(out, string(e.Action)+" "+e.Object+" "+e.Result)
			}
		}
		return out
	}
	for of, want := range map[string][]string{
		"First":  {"key.changed key/log ok", "key.changed key/organisation ok", "key.changed key/index ok"},
		"Second": {"key.changed key/index ok"},
		"":       {"key.changed key failed", "key.changed key/index ok", "key.changed key/master ok"},
	} {
		which := []string{"--org", of}
		if of == "" {
			which = []string{"--installation"}
		}
		if got := logged(which...); !slices.Equal(got, want) {
			t.Errorf("the log of %q has %q, want %q", of, got, want)
		}
	}
	key, keys := filepath.Join(dir, "key"), filepath.Join(dir, "keys")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(key, before)
	write(keys, parley(t, dir, 0, "audit", "checkpoint", "--keys", "--org", "First"))
	now := filepath.Join(dir, "now.jsonl")
	parley(t, dir, 0, "audit", "export", "--org", "First", now)
	for _, known := range []string{key, keys} {
		for _, file := range []string{old, now} {
			parley(t, dir, 0, "audit", "verify", file, "--key", known)
		}
	}
	write(key, parley(t, dir, 0, "audit", "checkpoint", "--key", "--org", "First"))
	parley(t, dir, 1, "audit", "verify", old, "--key", key) // the new key alone does not tell of the old one
	parley(t, dir, 0, "audit", "check", "--org", "First")
}

// Names and notes that an older version kept without an index are found by their words from the first start on.
func TestWhatAnOlderVersionKeptIsIndexedAtTheStart(t *testing.T) {
	p, ctx := founded(t), t.Context()
	k, err := p.Keys.Org(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	key := call.Key{Day: 20_558, Agent: 1, Start: 1_776_240_000_123}
	for _, lost := range []string{"number_name_words", "call_note_words"} {
		var n number.ID
		committed := func() {}
		if err := p.DB.Tx(ctx, func(tx *db.Tx) error {
			ids, done, err := p.Book.Resolve(ctx, tx, 1, []string{"+919812300001"})
			if err != nil {
				return err
			}
			committed, n = done, ids["+919812300001"]
			if err := p.Book.Rename(ctx, tx, 1, n, "Ramesh Plumber", 1); err != nil {
				return err
			}
			if err := call.WriteNote(ctx, tx, k, 1, key, "lemons", "", 0); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `DELETE FROM `+lost+` WHERE org_id = 1`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		committed()
		if err := p.settleIndexes(ctx); err != nil {
			t.Fatal(err)
		}
		var found []number.ID
		if err := p.Book.Named(ctx, p.DB, 1, "plumb", func(ids []number.ID) (bool, error) { found = ids; return true, nil }); err != nil || len(found) != 1 || found[0] != n {
			t.Errorf("without %s the name finds %v (%v)", lost, found, err)
		}
		var notes int
		if err := p.DB.Row(ctx, `SELECT count(*) FROM call_note_words WHERE org_id = 1`).Scan(&notes); err != nil || notes != 1 {
			t.Errorf("without %s %d words of notes are kept (%v)", lost, notes, err)
		}
	}
}
