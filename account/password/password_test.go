package password_test

import (
	"context"
	"strings"
	"testing"

	"parley/account/password"
	"parley/platform/fault"
)

func TestAHashMatchesItsPasswordOnly(t *testing.T) {
	h := password.NewHasher()
	encoded, err := h.Hash(t.Context(), "neun lila elefanten")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") || password.Stale(encoded) {
		t.Errorf("the hash %q does not carry today's cost", encoded)
	}
	for guess, want := range map[string]bool{"neun lila elefanten": true, "neun lila elefanteN": false, "": false} {
		if got, err := h.Matches(t.Context(), encoded, guess); err != nil || got != want {
			t.Errorf("%q matches: %v, %v; want %v", guess, got, err, want)
		}
	}
	if got, err := h.Matches(t.Context(), "", ""); got || err != nil {
		t.Errorf("a password for nobody matched: %v, %v", got, err)
	}
}

func TestAnOldCostIsStaleAndAnAbsurdOneRefused(t *testing.T) {
	old := "$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHRzb21lc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
	if !password.Stale(old) {
		t.Error("a cheaper hash is not called stale")
	}
	h := password.NewHasher()
	if _, err := h.Matches(t.Context(), old, "x"); err != nil {
		t.Errorf("a cheaper hash cannot be checked: %v", err)
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", strings.Replace(old, "m=4096", "m=99999999", 1), strings.Replace(old, "t=1", "t=0", 1), strings.Replace(old, "p=1", "p=0", 1)} {
		if _, err := h.Matches(t.Context(), bad, "x"); fault.KindOf(err) != fault.Internal || err == nil {
			t.Errorf("%q gave %v, want a refusal", bad, err)
		}
	}
}

func TestHashingStopsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := password.NewHasher()
	for range 100 { // select takes either branch when both are ready
		if _, err := h.Hash(ctx, "x"); err != nil {
			return
		}
	}
	t.Error("a hash for a caller who left was never refused")
}

func TestEasilyGuessedPasswordsAreRefused(t *testing.T) {
	about := []string{"asha.patel@example.com", "Asha Patel", "Asha Traders"}
	for _, bad := range []string{"short", "password1234", "Passw0rd123", "1234567890", "qwertyuiop", "aaaaaaaaaaaa", "iloveyou123", "9876543210", "asdfghjkl;", "P@ssword123",
		"asha.patel@example.com", "AshaTraders1", "asha patel 99", strings.Repeat("x7", 70)} {
		err := password.Check(bad, about...)
		if fault.KindOf(err) != fault.Invalid || err == nil || fault.Fields(err)[0].Field != "password" {
			t.Errorf("%q gave %v, want a refusal about the password", bad, err)
		}
	}
	for _, good := range []string{"neun lila elefanten", "correct horse battery", "Kq7#vT2!mZ9x", "चाय और बारह बंदर", strings.Repeat("wo rd5 ", 18)} {
		if err := password.Check(good, about...); err != nil {
			t.Errorf("%q was refused: %v", good, err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for b.Loop() {
		_ = password.Check(strings.Repeat("a1b2", 32))
	}
}
