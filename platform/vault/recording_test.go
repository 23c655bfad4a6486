package vault_test

import (
	"bytes"
	"strings"
	"testing"

	"parley/platform/fault"
	"parley/platform/vault"
)

func TestARecordingEndsWithAnyOfItsPersons(t *testing.T) {
	k := open(t, t.TempDir())
	defer k.Close()
	o, ctx := orgKeys(t, k, 1), t.Context()
	if err := o.EnsureSubjects(ctx, 10); err != nil {
		t.Fatal(err)
	}
	both, wrapped, err := o.NewRecordingKey(ctx, []int64{3, 7})
	if err != nil || len(both) != 32 {
		t.Fatalf("the key has %d bytes (%v)", len(both), err)
	}
	alone, wrappedAlone, err := o.NewRecordingKey(ctx, []int64{7})
	if err != nil || bytes.Equal(both, alone) {
		t.Fatalf("two recordings have one key (%v)", err)
	}
	if got, err := o.OpenRecordingKey(ctx, []int64{7, 3, 7}, wrapped); err != nil || !bytes.Equal(got, both) {
		t.Errorf("in another order the key is %x (%v)", got, err)
	}
	for _, who := range [][]int64{{3}, {7}, {3, 8}, {3, 7, 8}} {
		if _, err := o.OpenRecordingKey(ctx, who, wrapped); err == nil {
			t.Errorf("the keys of %v open the recording of 3 and 7", who)
		}
	}
	if _, err := o.OpenRecordingKey(ctx, nil, wrapped); err == nil {
		t.Error("nobody's key opens a recording")
	}
	if err := o.DestroySubject(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := o.OpenRecordingKey(ctx, []int64{3, 7}, wrapped); fault.KindOf(err) != fault.Gone {
		t.Errorf("after one was erased: %v", err)
	}
	if got, err := o.OpenRecordingKey(ctx, []int64{7}, wrappedAlone); err != nil || !bytes.Equal(got, alone) {
		t.Errorf("the other's own recording is %x (%v)", got, err)
	}
}

// The promise: at most 2 µs each.
func BenchmarkField(b *testing.B) {
	k := open(b, b.TempDir())
	defer k.Close()
	o, err := k.Org(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	if err := o.EnsureSubjects(b.Context(), 1000); err != nil {
		b.Fatal(err)
	}
	plain := []byte("Meera Krishnamurthy")
	sealed, err := o.SealSubject(b.Context(), 500, "name", plain)
	if err != nil {
		b.Fatal(err)
	}
	ofOrg := o.Seal("name", plain)
	for name, f := range map[string]func() error{
		"seal":      func() error { _, err := o.SealSubject(b.Context(), 500, "name", plain); return err },
		"open":      func() error { _, err := o.OpenSubject(b.Context(), 500, "name", sealed); return err },
		"seal once": func() error { _, err := o.SealOnce(b.Context(), 500, "name", plain); return err },
		"seal org":  func() error { o.Seal("name", plain); return nil },
		"open org":  func() error { _, err := o.Open("name", ofOrg); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestTheQuickDerivationIsHKDF(t *testing.T) {
	for n := range 70 {
		use := strings.Repeat("u", 3*n)
		if slow, quick := vault.Derive(bytes.Repeat([]byte{byte(n)}, 32), use); !bytes.Equal(slow, quick) {
			t.Errorf("a use of %d bytes gives %x, want %x", len(use), quick, slow)
		}
	}
}
