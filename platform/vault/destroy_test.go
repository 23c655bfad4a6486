package vault_test

import (
	"bytes"
	"crypto/aes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/xts"

	"parley/platform/fault"
	"parley/platform/vault"
)

// plainFiles are the files of the key store as SQLite wrote them, before they were encrypted as a whole: every sector of
// 512 bytes is AES-XTS under the store's key, with its number as the tweak.
func plainFiles(t *testing.T, dir string, key []byte) map[string][]byte {
	t.Helper()
	c, err := xts.NewCipher(aes.NewCipher, key)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, name := range []string{"keys.db", "keys.db-wal", "keys.db-journal"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		const sector = 512
		for i := 0; i+sector <= len(raw); i += sector {
			c.Decrypt(raw[i:i+sector], raw[i:i+sector], uint64(i/sector))
		}
		out[name] = raw
	}
	if !bytes.HasPrefix(out["keys.db"], []byte("SQLite format 3")) {
		t.Fatal("the store was not decrypted, so this story would prove nothing")
	}
	return out
}

// copies counts where a piece of a secret stands in files: pieces, since an overflow page may cut a value in two.
func copies(files map[string][]byte, secret []byte) (n int) {
	for part := range slices.Chunk(secret, 16) {
		for _, raw := range files {
			n += bytes.Count(raw, part)
		}
	}
	return n
}

func TestNothingOfADestroyedKeyIsLeftInAnyFile(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	defer k.Close()
	o, ctx := orgKeys(t, k, 1), t.Context()
	if err := o.EnsureSubjects(ctx, 2000); err != nil {
		t.Fatal(err)
	}
	sealed, plain, err := o.Block(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	victim := plain[17*32 : 18*32]                                                   // of subject 3 × 256 + 17
	if n := copies(plainFiles(t, dir, k.StoreKey()), sealed); n < len(sealed)/16-4 { // the pieces that pages cut
		t.Fatalf("of the wrapped block, %d pieces are in the files before: the scan finds nothing", n)
	}
	if err := o.DestroySubject(ctx, 3*256+17); err != nil {
		t.Fatal(err)
	}
	files := plainFiles(t, dir, k.StoreKey())
	if n := copies(files, sealed); n > 0 {
		t.Errorf("%d pieces of the wrapped block are left", n)
	}
	if n := copies(files, victim); n > 0 {
		t.Errorf("%d pieces of the key itself are left", n)
	}
	if len(files["keys.db-wal"]) > 0 {
		t.Errorf("the write-ahead log has %d bytes", len(files["keys.db-wal"]))
	}
	if _, after, err := o.Block(ctx, 3); err != nil || !bytes.Equal(after[:17*32], plain[:17*32]) || !bytes.Equal(after[18*32:], plain[18*32:]) {
		t.Errorf("a neighbour's key was touched (%v)", err)
	}
}

func TestNothingOfADestroyedOrganisationsKeysIsLeftInAnyFile(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	defer k.Close()
	ctx := t.Context()
	o := orgKeys(t, k, 1)
	if err := o.EnsureSubjects(ctx, 600); err != nil {
		t.Fatal(err)
	}
	if err := orgKeys(t, k, 2).EnsureSubjects(ctx, 600); err != nil {
		t.Fatal(err)
	}
	var secrets [][]byte
	for b := range int64(3) {
		sealed, _, err := o.Block(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, sealed)
	}
	if err := k.Destroy(ctx, 1); err != nil {
		t.Fatal(err)
	}
	files := plainFiles(t, dir, k.StoreKey())
	for b, s := range secrets {
		if n := copies(files, s); n > 0 {
			t.Errorf("%d pieces of block %d are left", n, b)
		}
	}
}

// A rotation must not leave the blocks as the old wrapping key sealed them.
func TestNothingOfAnOldWrappingIsLeftInAnyFile(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	defer k.Close()
	o := orgKeys(t, k, 1)
	if err := o.EnsureSubjects(t.Context(), 600); err != nil {
		t.Fatal(err)
	}
	sealed, _, err := o.Block(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.RotateOrg(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n := copies(plainFiles(t, dir, k.StoreKey()), sealed); n > 0 {
		t.Errorf("%d pieces of the old wrapping are left", n)
	}
}

func TestABlockReadBeforeADestructionIsNotRemembered(t *testing.T) {
	k := open(t, t.TempDir())
	defer k.Close()
	o, ctx := orgKeys(t, k, 1), t.Context()
	if err := o.EnsureSubjects(ctx, 600); err != nil {
		t.Fatal(err)
	}
	sealed, err := o.SealSubject(ctx, 9, "name", []byte("Asha"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.ReadSlowly(ctx, 0, func() {
		if err := o.DestroySubject(ctx, 9); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.OpenSubject(ctx, 9, "name", sealed); fault.KindOf(err) != fault.Gone {
		t.Errorf("a key that was read before it was destroyed is remembered: %v", err)
	}
}

// at is a moment some minutes after a day's beginning.
func at(minutes int) time.Time {
	return time.Date(2026, 11, 24, 2, minutes, 0, 0, time.UTC)
}

func TestAnErasureThatACrashBrokeOffIsFinished(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	ctx := t.Context()
	o := orgKeys(t, k, 1)
	if err := o.EnsureSubjects(ctx, 10); err != nil {
		t.Fatal(err)
	}
	sealed, err := o.SealSubject(ctx, 4, "name", []byte("Asha"))
	if err != nil {
		t.Fatal(err)
	}
	orgKeys(t, k, 2)
	if err := k.Journal(vault.Erasure{At: at(0), Org: 1, Subject: 4}, vault.Erasure{At: at(0), Org: 2, Subject: vault.Everybody}); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, vault.ErasedFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("2026-11-24T02:01:00.000Z 1 "); err != nil { // cut off while it was written
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir)
	defer k.Close()
	if _, err := orgKeys(t, k, 1).OpenSubject(ctx, 4, "name", sealed); fault.KindOf(err) != fault.Gone {
		t.Errorf("opening gives %v, want Gone", err)
	}
	if orgs, err := k.Orgs(ctx); err != nil || !slices.Equal(orgs, []int64{1}) {
		t.Errorf("organisations with keys: %v (%v)", orgs, err)
	}
	// The next line goes behind whole lines.
	if err := orgKeys(t, k, 1).DestroySubject(ctx, 5); err != nil {
		t.Fatal(err)
	}
	raw, err := k.ErasedFile()
	if err != nil {
		t.Fatal(err)
	}
	if list, err := vault.ReadErasures(raw); err != nil || len(list) != 3 || list[2].Subject != 5 {
		t.Errorf("the journal holds %v (%v)", list, err)
	}
}

func TestARestoredStoreForgetsWhatWasErasedSince(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	ctx := t.Context()
	k.Now = func() time.Time { return at(0) }
	o := orgKeys(t, k, 1)
	if err := o.EnsureSubjects(ctx, 300); err != nil {
		t.Fatal(err)
	}
	sealed := map[int64][]byte{}
	for s := range int64(6) {
		b, err := o.SealSubject(ctx, s, "name", []byte("Asha"))
		if err != nil {
			t.Fatal(err)
		}
		sealed[s] = b
	}
	backup := t.TempDir()
	for _, name := range []string{"root.key", "master.key"} {
		if err := os.WriteFile(filepath.Join(backup, name), read(t, filepath.Join(dir, name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.DestroySubject(ctx, 1); err != nil { // before the backup
		t.Fatal(err)
	}
	if err := k.CopyTo(ctx, filepath.Join(backup, "keys.db")); err != nil {
		t.Fatal(err)
	}
	k.Now = func() time.Time { return at(10) }
	if err := o.DestroySubject(ctx, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := o.EnsureSubjects(ctx, 600); err != nil {
		t.Fatal(err)
	}
	if err := o.DestroySubject(ctx, 600); err != nil { // is not in the backup
		t.Fatal(err)
	}
	raw, err := k.ErasedFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	list, err := vault.ReadErasures(raw)
	if err != nil || len(list) != 4 {
		t.Fatalf("the journal holds %v (%v)", list, err)
	}
	k = open(t, backup)
	k.Now = func() time.Time { return at(20) }
	if n, err := k.Replay(ctx, append(list, list...), at(5)); n != 2 || err != nil {
		t.Errorf("%d keys were destroyed (%v), want 2", n, err)
	}
	for s, b := range sealed {
		_, err := orgKeys(t, k, 1).OpenSubject(ctx, s, "name", b)
		if gone := s >= 1 && s <= 3; gone != (fault.KindOf(err) == fault.Gone) || !gone && err != nil {
			t.Errorf("subject %d gives %v", s, err)
		}
	}
	// Number 600 may belong to somebody else now: the next start must not take them for the erased one.
	if err := orgKeys(t, k, 1).EnsureSubjects(ctx, 600); err != nil {
		t.Fatal(err)
	}
	other, err := orgKeys(t, k, 1).SealSubject(ctx, 600, "name", []byte("Ravi"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k = open(t, backup)
	defer k.Close()
	if got, err := orgKeys(t, k, 1).OpenSubject(ctx, 600, "name", other); err != nil || string(got) != "Ravi" {
		t.Errorf("a newcomer is %q (%v)", got, err)
	}
	after, err := k.ErasedFile()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := vault.ReadErasures(after); err != nil || len(again) != 4 {
		t.Errorf("the journal that was taken over holds %v (%v)", again, err)
	}
}

func TestADamagedJournalIsRefused(t *testing.T) {
	for _, bad := range []string{"x\n", "2026-11-24T02:00:00.000Z 1\n", "2026-11-24T02:00:00.000Z one 2\n", "2026-11-24 1 2\n"} {
		if list, err := vault.ReadErasures([]byte(bad)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q gives %v (%v)", bad, list, err)
		}
	}
}
