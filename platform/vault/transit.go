package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/platform/fault"
)

// Transit is a master key that never leaves a HashiCorp Vault: its transit engine wraps and unwraps. Parley speaks the
// two calls of https://developer.hashicorp.com/vault/api-docs/secret/transit by itself.
type Transit struct {
	URL    string       // vault://HOST[:PORT]/MOUNT/KEY[?namespace=NAME]; vault+http:// without TLS, for a Vault on this machine
	Token  string       // with the permission to update MOUNT/encrypt/KEY and MOUNT/decrypt/KEY
	Client *http.Client // the way out to the Vault
}

// The address schemes of a Vault.
const (
	transitScheme      = "vault"
	transitSchemePlain = "vault+http"
)

// IsTransit tells whether the text of a master key is the address of a Vault.
func IsTransit(text string) bool {
	return strings.HasPrefix(text, transitScheme+"://") || IsPlainTransit(text)
}

// IsPlainTransit tells whether it is one that is spoken to without TLS.
func IsPlainTransit(text string) bool { return strings.HasPrefix(text, transitSchemePlain+"://") }

// Bounds of a call. A Vault that seals itself, or is far away, must not hold a start for longer.
const (
	transitTime  = 20 * time.Second
	transitBytes = 1 << 20
)

type transit struct {
	base, mount, key, namespace, token string
	client                             *http.Client
}

// Master reads the address. It asks nothing of the Vault yet.
func (t Transit) Master() (Master, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || u.User != nil || !IsTransit(t.URL) {
		return nil, fault.New(fault.Invalid, "The address of the Vault that holds the master key is not right. Write vault://HOST:8200/transit/KEY; the token belongs into master_token.")
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(path) < 2 || path[0] == "" || path[len(path)-1] == "" {
		return nil, fault.New(fault.Invalid, "The address of the Vault names no key. Write vault://HOST:8200/transit/KEY, where transit is the mount of the transit engine.")
	}
	if t.Token == "" {
		return nil, fault.New(fault.Invalid, "The Vault that holds the master key asks for a token. Set master_token, or PARLEY_MASTER_TOKEN_FILE.")
	}
	scheme := "https"
	if u.Scheme == transitSchemePlain {
		scheme = "http"
	}
	if t.Client == nil {
		return nil, fault.New(fault.Unavailable, "There is no way out to the Vault that holds the master key.")
	}
	return &transit{base: scheme + "://" + u.Host, mount: strings.Join(path[:len(path)-1], "/"), key: path[len(path)-1],
		namespace: u.Query().Get("namespace"), token: t.Token, client: t.Client}, nil
}

func (t *transit) KeyID() string { return "vault:" + t.mount + "/" + t.key }

func (t *transit) Wrap(ctx context.Context, use string, plain []byte) ([]byte, error) {
	answer, err := t.call(ctx, "encrypt", map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain)}, use)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(answer.Ciphertext, "vault:") {
		return nil, t.strange()
	}
	return []byte(answer.Ciphertext), nil
}

func (t *transit) Unwrap(ctx context.Context, use string, wrapped []byte) ([]byte, error) {
	if !bytes.HasPrefix(wrapped, []byte("vault:")) { // do not show another key's work to the Vault
		return nil, fault.New(fault.Invalid, "It was wrapped by another master key, not by a Vault.")
	}
	answer, err := t.call(ctx, "decrypt", map[string]string{"ciphertext": string(wrapped)}, use)
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(answer.Plaintext)
	if err != nil {
		return nil, t.strange()
	}
	return plain, nil
}

func (t *transit) strange() error {
	return fault.New(fault.Unavailable, "What answers at %s is no Vault that this version understands. Check the address of the master key.", t.base)
}

// transitAnswer is what the two calls give.
type transitAnswer struct {
	Ciphertext string `json:"ciphertext"`
	Plaintext  string `json:"plaintext"`
}

func (t *transit) call(ctx context.Context, what string, body map[string]string, use string) (a transitAnswer, err error) {
	body["associated_data"] = base64.StdEncoding.EncodeToString([]byte("parley " + use))
	text, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	ctx, stop := context.WithTimeout(ctx, transitTime)
	defer stop()
	address := t.base + "/v1/" + t.mount + "/" + what + "/" + url.PathEscape(t.key)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Vault-Token", t.token)
	req.Header.Set("X-Vault-Request", "true")
	if t.namespace != "" {
		req.Header.Set("X-Vault-Namespace", t.namespace)
	}
	res, err := t.client.Do(req)
	if err != nil {
		return a, fault.Wrap(fault.Unavailable, err, "The Vault at %s, which holds the master key, does not answer. Nothing is lost: start again when it does.", t.base)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, transitBytes))
	if err != nil {
		return a, fault.Wrap(fault.Unavailable, err, "The Vault at %s broke its answer off. Try again.", t.base)
	}
	if res.StatusCode != http.StatusOK {
		return a, t.refused(res.StatusCode, what)
	}
	var out struct {
		Data transitAnswer `json:"data"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return a, t.strange()
	}
	return out.Data, nil
}

// refused gives a sentence to a status of the Vault. What it says itself is left out: it may repeat what was sent.
func (t *transit) refused(status int, what string) error {
	switch {
	case status == http.StatusForbidden:
		return fault.New(fault.Unavailable, "The Vault at %s does not let us %s with the key %s/%s. Check that the token is valid and may update %s/%s/%s.", t.base, what, t.mount, t.key, t.mount, what, t.key)
	case status == http.StatusServiceUnavailable:
		return fault.New(fault.Unavailable, "The Vault at %s, which holds the master key, is sealed. Unseal it and start again; nothing is lost.", t.base)
	case status == http.StatusNotFound:
		return fault.New(fault.Unavailable, "The Vault at %s has no transit engine at %q, or no key %q in it. Check the address of the master key.", t.base, t.mount, t.key)
	case status == http.StatusBadRequest && what == "decrypt":
		return fault.New(fault.Invalid, "The Vault at %s cannot unwrap it: it was wrapped by another key, or by a version of the key that was removed from the Vault.", t.base)
	default:
		return fault.New(fault.Unavailable, "The Vault at %s, which holds the master key, answered with status %d. See its log.", t.base, status)
	}
}
