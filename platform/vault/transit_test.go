package vault_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/platform/fault"
	"parley/platform/vault"
)

// fakeTransit answers as HashiCorp Vault's transit engine does.
type fakeTransit struct {
	keys   map[string]cipher.AEAD
	token  string
	status int // given to every call, when set
}

func newTransit(t *testing.T, keys ...string) (*fakeTransit, string) {
	t.Helper()
	f := &fakeTransit{keys: map[string]cipher.AEAD{}, token: "s.token"}
	for i, name := range keys {
		block, err := aes.NewCipher(bytes.Repeat([]byte{byte(i)}, 32))
		if err != nil {
			t.Fatal(err)
		}
		if f.keys[name], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, "vault+" + s.URL + "/transit/"
}

func (f *fakeTransit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	fail := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"errors":["` + text + `"]}`))
	}
	switch {
	case f.status != 0:
		fail(f.status, "asked for")
		return
	case r.Header.Get("X-Vault-Token") != f.token:
		fail(http.StatusForbidden, "permission denied")
		return
	case r.Method != http.MethodPost || len(path) != 3 || path[0] != "transit":
		fail(http.StatusNotFound, "no handler for route")
		return
	}
	var body map[string]string
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(http.StatusBadRequest, "failed to parse JSON")
		return
	}
	key, ok := f.keys[path[2]]
	if !ok {
		fail(http.StatusNotFound, "encryption key not found")
		return
	}
	data := map[string]string{}
	associated := []byte(body["associated_data"])
	if path[1] == "encrypt" {
		plain, err := base64.StdEncoding.DecodeString(body["plaintext"])
		if err != nil {
			fail(http.StatusBadRequest, "failed to base64-decode plaintext")
			return
		}
		data["ciphertext"] = "vault:v1:" + base64.StdEncoding.EncodeToString(key.Seal(nil, nil, plain, associated))
	} else {
		sealed, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(body["ciphertext"], "vault:v1:"))
		if err == nil {
			sealed, err = key.Open(nil, nil, sealed, associated)
		}
		if err != nil {
			fail(http.StatusBadRequest, "cipher: message authentication failed")
			return
		}
		data["plaintext"] = base64.StdEncoding.EncodeToString(sealed)
	}
	if err := json.NewEncoder(w).Encode(map[string]any{"data": data}); err != nil {
		panic(err)
	}
}

func transitMaster(t *testing.T, url, token string) vault.Master {
	t.Helper()
	m, err := vault.Transit{URL: url, Token: token, Client: &http.Client{}}.Master()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAVaultHoldsTheMasterKey(t *testing.T) {
	f, url := newTransit(t, "parley", "other")
	dir, ctx := t.TempDir(), t.Context()
	m := transitMaster(t, url+"parley", f.token)
	k, err := vault.Open(ctx, dir, m)
	if err != nil {
		t.Fatal(err)
	}
	sealed := orgKeys(t, k, 1).Seal("line", []byte("x"))
	if _, _, err := k.Epochs().Today(ctx, k.Now()); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if k, err = vault.Open(ctx, dir, m); err != nil {
		t.Fatal(err)
	}
	if got, err := orgKeys(t, k, 1).Open("line", sealed); err != nil || string(got) != "x" || k.MasterID() != "vault:transit/parley" {
		t.Errorf("after a restart under %s: %q (%v)", k.MasterID(), got, err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	refuse := func(name string, m vault.Master, want string) {
		t.Helper()
		if _, err := vault.Open(ctx, dir, m); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), want) {
			t.Errorf("%s gives %v, want a sentence with %q", name, err, want)
		}
	}
	refuse("another key of the Vault", transitMaster(t, url+"other", f.token), "not the one that this data was made with")
	refuse("a key that is not there", transitMaster(t, url+"none", f.token), "no key")
	refuse("a wrong token", transitMaster(t, url+"parley", "s.wrong"), "token")
	refuse("no Vault at all", transitMaster(t, "vault+http://127.0.0.1:1/transit/parley", f.token), "does not answer")
	f.status = http.StatusServiceUnavailable
	refuse("a sealed Vault", m, "sealed")
	f.status = http.StatusTeapot
	refuse("a strange status", m, "418")
	f.status = 0
	file, err := vault.NextMaster(filepath.Join(t.TempDir(), "m"))
	if err != nil {
		t.Fatal(err)
	}
	refuse("a file", file, "not the one that this data was made with")
}

func TestTheMasterKeyMovesIntoAVault(t *testing.T) {
	dir, values := oldStore(t)
	k := open(t, dir)
	f, url := newTransit(t, "parley")
	m := transitMaster(t, url+"parley", f.token)
	f.status = http.StatusServiceUnavailable
	if err := k.RotateMaster(t.Context(), m); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("into a sealed Vault: %v", err)
	}
	checkOld(t, k, values)
	f.status = 0
	if err := k.RotateMaster(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(dir, "root.key"))
	if err != nil || !bytes.HasPrefix(root, []byte("vault:v1:")) {
		t.Errorf("the root key is %.20q (%v)", root, err)
	}
	if k, err = vault.Open(t.Context(), dir, m); err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	checkOld(t, k, values)
}

func TestAWrongAddressOfAVaultIsRefused(t *testing.T) {
	for _, url := range []string{"vault://", "vault://host", "vault://host/key", "vault://user:pass@host/transit/key", "vault://host/transit/", "https://host/transit/key"} {
		if _, err := (vault.Transit{URL: url, Token: "x", Client: &http.Client{}}).Master(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s gives %v", url, err)
		}
	}
	if _, err := (vault.Transit{URL: "vault://host/transit/key"}).Master(); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a token: %v", err)
	}
	if m, err := (vault.Transit{URL: "vault://host/a/b/key?namespace=n", Token: "x", Client: &http.Client{}}).Master(); err != nil || m.KeyID() != "vault:a/b/key" {
		t.Errorf("a deep mount gives %v (%v)", m, err)
	}
}
