package vault_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/platform/fault"
	"parley/platform/vault"
)

// oldStore is a copy of a key store that the first form of this package wrote, and the values it sealed.
func oldStore(t *testing.T) (dir string, values map[string][]byte) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/form1")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "values.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	return dir, values
}

// checkOld opens what the first form sealed.
func checkOld(t *testing.T, k *vault.Keys, values map[string][]byte) {
	t.Helper()
	ctx := t.Context()
	if !bytes.Equal(k.DatabaseKey(), values["database"]) {
		t.Error("the key of the database is another one")
	}
	for org, name := range []string{"0", "1"} {
		o := orgKeys(t, k, int64(org))
		if got, err := o.Open("setting", values["setting "+name]); err != nil || string(got) != "hello" {
			t.Errorf("a setting of organisation %s is %q (%v)", name, got, err)
		}
		if !bytes.Equal(o.Index("number", "+919812300001"), values["index "+name]) {
			t.Errorf("the index of organisation %s is another one", name)
		}
	}
	o := orgKeys(t, k, 1)
	if got, err := o.OpenOnce(ctx, 7, "number", values["number 7"]); err != nil || string(got) != "+919812300007" {
		t.Errorf("a number is %q (%v)", got, err)
	}
	if got, err := o.OpenSubject(ctx, 300, "name", values["name 300"]); err != nil || string(got) != "Asha" {
		t.Errorf("a name is %q (%v)", got, err)
	}
	if _, err := o.OpenOnce(ctx, 8, "number", values["number 8"]); fault.KindOf(err) != fault.Gone {
		t.Errorf("the number that was erased gives %v", err)
	}
}

func TestAStoreOfTheFirstFormIsTakenOver(t *testing.T) {
	dir, values := oldStore(t)
	for range 2 { // the second time it is of the present form
		k := open(t, dir)
		checkOld(t, k, values)
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnOrganisationsWrappingKeyIsRotatedWithoutItsContent(t *testing.T) {
	dir, values := oldStore(t)
	k := open(t, dir)
	o := orgKeys(t, k, 1)
	suppressed := o.Suppress("+919812300001")
	archived := o.SealArchive("call", []byte("then"))
	if err := k.RotateOrg(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := k.RotateOrg(t.Context(), 5); fault.KindOf(err) != fault.NotFound {
		t.Errorf("rotating the key of nobody gives %v", err)
	}
	checkOld(t, k, values) // with the keys that are open
	if err := o.EnsureSubjects(t.Context(), 900); err != nil {
		t.Fatal(err)
	}
	sealed, err := o.SealSubject(t.Context(), 900, "name", []byte("Ravi"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir)
	defer k.Close()
	checkOld(t, k, values)
	o = orgKeys(t, k, 1)
	if got, err := o.OpenSubject(t.Context(), 900, "name", sealed); err != nil || string(got) != "Ravi" {
		t.Errorf("what was sealed after the rotation is %q (%v)", got, err)
	}
	if !bytes.Equal(o.Suppress("+919812300001"), suppressed) {
		t.Error("the suppression list was lost with the rotation")
	}
	if got, err := o.OpenArchive("call", archived); err != nil || string(got) != "then" {
		t.Errorf("the archive is %q (%v)", got, err)
	}
	if _, err := o.Open("call", archived); err == nil {
		t.Error("the content key opens the archive")
	}
}

func TestTheMasterKeyIsRotatedWithoutTheStore(t *testing.T) {
	dir, values := oldStore(t)
	k := open(t, dir)
	if _, _, err := k.Epochs().Today(t.Context(), k.Now()); err != nil {
		t.Fatal(err)
	}
	store := read(t, filepath.Join(dir, "keys.db"))
	old, err := os.ReadFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "master.key")
	next, err := vault.NextMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.RotateMaster(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if err := vault.AdoptMaster(path); err != nil {
		t.Fatal(err)
	}
	checkOld(t, k, values)
	if k.MasterID() != next.KeyID() {
		t.Error("the old master key is still named")
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, filepath.Join(dir, "keys.db")), store) {
		t.Error("the key store was written anew")
	}
	past, err := vault.MasterText(string(old))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(t.Context(), dir, past); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the old master key gives %v", err)
	}
	if _, err := vault.ReadEpochs(t.Context(), read(t, filepath.Join(dir, vault.EpochsFile)), past); err == nil {
		t.Error("the old master key opens the keys of the epochs")
	}
	k = open(t, dir)
	defer k.Close()
	checkOld(t, k, values)
	if len(k.Epochs().Days()) != 1 {
		t.Error("the keys of the epochs were lost")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A change of the master key may be broken off before the root key is wrapped anew, or after.
func TestABrokenOffRotationOfTheMasterKeyIsSettled(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		dir, values := oldStore(t)
		k := open(t, dir)
		if _, _, err := k.Epochs().Today(t.Context(), k.Now()); err != nil {
			t.Fatal(err)
		}
		next, err := vault.NextMaster(filepath.Join(dir, "master.key"))
		if err != nil {
			t.Fatal(err)
		}
		if wrapped {
			if err := k.RotateMaster(t.Context(), next); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		k = open(t, dir)
		checkOld(t, k, values)
		if (k.MasterID() == next.KeyID()) != wrapped {
			t.Errorf("wrapped %v: the master key is %s, the next was %s", wrapped, k.MasterID(), next.KeyID())
		}
		if len(k.Epochs().Days()) != 1 {
			t.Error("the keys of the epochs were lost")
		}
		if _, err := os.Stat(filepath.Join(dir, "master.key.next")); !os.IsNotExist(err) {
			t.Errorf("the next master key lies about (%v)", err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Between the root key and the keys of the epochs a crash leaves the latter under both masters.
func TestEpochsOpenUnderEitherMasterWhileItChanges(t *testing.T) {
	dir, _ := oldStore(t)
	k := open(t, dir)
	if _, _, err := k.Epochs().Today(t.Context(), k.Now()); err != nil {
		t.Fatal(err)
	}
	old, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	next, err := vault.NextMaster(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.ShareEpochs(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	raw := read(t, filepath.Join(dir, vault.EpochsFile))
	for _, m := range []vault.Master{old, next} {
		if e, err := vault.ReadEpochs(t.Context(), raw, m); err != nil || len(e.Days()) != 1 {
			t.Errorf("master %s gives %v", m.KeyID(), err)
		}
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheIndexKeyHasTwoGenerationsDuringAReIndex(t *testing.T) {
	dir, values := oldStore(t)
	k := open(t, dir)
	ctx := t.Context()
	next, generation, err := k.NextIndex(ctx, 1)
	if err != nil || generation != 2 {
		t.Fatalf("the next generation is %d (%v)", generation, err)
	}
	fresh := next.Index("number", "+919812300001")
	if bytes.Equal(fresh, values["index 1"]) {
		t.Error("the next index key is the present one")
	}
	if got, err := next.OpenOnce(ctx, 7, "number", values["number 7"]); err != nil || string(got) != "+919812300007" {
		t.Errorf("with the next index key a number is %q (%v)", got, err)
	}
	checkOld(t, k, values)
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir) // broken off: the next key is still there
	defer k.Close()
	if now, then, err := k.IndexGeneration(ctx, 1); now != 1 || then != 2 || err != nil {
		t.Errorf("the generations are %d and %d (%v)", now, then, err)
	}
	again, _, err := k.NextIndex(ctx, 1)
	if err != nil || !bytes.Equal(again.Index("number", "+919812300001"), fresh) {
		t.Errorf("a second begin made another key (%v)", err)
	}
	o := orgKeys(t, k, 1)
	suppressed := o.Suppress("x")
	if err := k.CommitIndex(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(o.Index("number", "+919812300001"), fresh) {
		t.Error("the next key did not take over")
	}
	if !bytes.Equal(o.Suppress("x"), suppressed) {
		t.Error("the suppression list was lost with the index key")
	}
	if now, then, err := k.IndexGeneration(ctx, 1); now != 2 || then != 0 || err != nil {
		t.Errorf("the generations are %d and %d (%v)", now, then, err)
	}
	if err := k.CommitIndex(ctx, 1); fault.KindOf(err) != fault.Conflict {
		t.Errorf("taking over twice gives %v", err)
	}
	if _, _, err := k.NextIndex(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := k.DropNextIndex(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if now, then, err := k.IndexGeneration(ctx, 1); now != 2 || then != 0 || err != nil {
		t.Errorf("after dropping the generations are %d and %d (%v)", now, then, err)
	}
}

func TestALostMasterKeySaysThatTheDataIsGone(t *testing.T) {
	dir, _ := oldStore(t)
	if err := os.Remove(filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	_, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "the data is gone") {
		t.Errorf("got %v", err)
	}
	other, err := vault.MasterText("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(t.Context(), dir, other); !strings.Contains(fault.Sentence(err), "the data is gone") {
		t.Errorf("another key gives %v", err)
	}
}
