package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/platform/fault"
	"parley/platform/vault"
)

func open(t testing.TB, dir string) *vault.Keys {
	t.Helper()
	m, err := vault.MasterFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := vault.Open(t.Context(), dir, m)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func orgKeys(t *testing.T, k *vault.Keys, org int64) *vault.OrgKeys {
	t.Helper()
	o, err := k.Org(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestKeysSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	o := orgKeys(t, k, 1)
	if err := o.EnsureSubjects(t.Context(), 300); err != nil {
		t.Fatal(err)
	}
	sealed, err := o.SealOnce(t.Context(), 300, "number", []byte("+919812300001"))
	if err != nil {
		t.Fatal(err)
	}
	index, key := o.Index("number", "+919812300001"), k.DatabaseKey()
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir)
	defer k.Close()
	o = orgKeys(t, k, 1)
	got, err := o.OpenOnce(t.Context(), 300, "number", sealed)
	if err != nil || string(got) != "+919812300001" {
		t.Errorf("got %q, %v", got, err)
	}
	if !bytes.Equal(o.Index("number", "+919812300001"), index) || !bytes.Equal(k.DatabaseKey(), key) {
		t.Error("a key changed with the restart")
	}
}

func TestAnotherOrganisationsKeysOpenNothing(t *testing.T) {
	k := open(t, t.TempDir())
	defer k.Close()
	a, b := orgKeys(t, k, 1), orgKeys(t, k, 2)
	sealed := a.Seal("line", []byte("x"))
	if _, err := b.Open("line", sealed); err == nil {
		t.Error("organisation 2 opened what organisation 1 sealed")
	}
	if _, err := a.Open("name", sealed); err == nil {
		t.Error("a sealed value opened in another field's place")
	}
	if bytes.Equal(a.Index("n", "1"), b.Index("n", "1")) {
		t.Error("two organisations share a blind index")
	}
}

func TestADestroyedKeyTakesItsPersonAlone(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	defer k.Close()
	o, ctx := orgKeys(t, k, 1), t.Context()
	if err := o.EnsureSubjects(ctx, 5); err != nil {
		t.Fatal(err)
	}
	gone, err := o.SealSubject(ctx, 4, "name", []byte("Asha"))
	if err != nil {
		t.Fatal(err)
	}
	stays, err := o.SealSubject(ctx, 5, "name", []byte("Ravi"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.DestroySubject(ctx, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := o.OpenSubject(ctx, 4, "name", gone); fault.KindOf(err) != fault.Gone {
		t.Errorf("an erased person's name gave %v, want Gone", err)
	}
	if got, err := o.OpenSubject(ctx, 5, "name", stays); err != nil || string(got) != "Ravi" {
		t.Errorf("a neighbour's name gave %q, %v", got, err)
	}
	if err := o.EnsureSubjects(ctx, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := o.OpenSubject(ctx, 4, "name", gone); fault.KindOf(err) != fault.Gone {
		t.Errorf("making keys again brought an erased person back: %v", err)
	}
}

func TestAWrongOrMissingMasterIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	other, err := vault.MasterFile(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(t.Context(), dir, other); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "master key") {
		t.Errorf("another master key gave %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.MasterFile(filepath.Join(dir, "master.key")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a lost master key gave %v, want a refusal and no new key", err)
	}
}
