// Package password hashes passwords with argon2id and refuses those that are easily guessed.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"parley/platform/fault"
)

// The cost of one hash: OWASP's argon2id recommendation (Password Storage Cheat Sheet), 19 MiB and two passes.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32
)

// Bounds of what a stored hash may ask for, so that a tampered row cannot take the machine's memory.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
)

// Hasher makes and checks hashes, a few at a time: each takes 19 MiB while it runs.
type Hasher struct {
	slots chan struct{}
	dummy string // what a password for nobody is compared with
}

// NewHasher makes a Hasher that runs as many hashes at once as there are processors, at most four.
func NewHasher() *Hasher {
	salt, key := make([]byte, saltBytes), make([]byte, keyBytes)
	_, _ = rand.Read(salt) // never fails, see crypto/rand
	_, _ = rand.Read(key)
	return &Hasher{slots: make(chan struct{}, min(runtime.GOMAXPROCS(0), 4)), dummy: encode(memoryKiB, passes, lanes, salt, key)}
}

// Hash gives the text to store for a password, in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails, see crypto/rand
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return encode(memoryKiB, passes, lanes, salt, argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, keyBytes)), nil
}

// Matches tells whether password is the one that encoded was made from. With encoded empty it takes the same time and
// says no, so that its duration does not tell whether an account exists.
func (h *Hasher) Matches(ctx context.Context, encoded, password string) (bool, error) {
	nobody := encoded == ""
	if nobody {
		encoded = h.dummy
	}
	c, err := decode(encoded)
	if err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	got := argon2.IDKey([]byte(password), c.salt, c.passes, c.memory, c.lanes, uint32(len(c.key)))
	return subtle.ConstantTimeCompare(got, c.key) == 1 && !nobody, nil
}

// Stale tells whether encoded was made with another cost than today's and should be made anew.
func Stale(encoded string) bool {
	c, err := decode(encoded)
	return err != nil || c.memory != memoryKiB || c.passes != passes || c.lanes != lanes
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) leave() { <-h.slots }

type cost struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func encode(memory, passes uint32, lanes uint8, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes, b64(salt), b64(key))
}

func decode(encoded string) (cost, error) {
	var c cost
	var version int
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, unreadable(nil)
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.memory, &c.passes, &c.lanes); err != nil {
		return c, unreadable(err)
	}
	if version != argon2.Version || c.memory > maxMemoryKiB || c.passes < 1 || c.passes > maxPasses || c.lanes < 1 {
		return c, unreadable(nil)
	}
	var err error
	if c.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, unreadable(err)
	}
	if c.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(c.key) < 16 || len(c.key) > 64 {
		return c, unreadable(err)
	}
	return c, nil
}

func unreadable(cause error) error {
	return fault.Wrap(fault.Internal, cause, "A stored password hash has a form this version does not know. The person can set a new password by mail.")
}
