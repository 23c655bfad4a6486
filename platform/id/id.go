// Package id makes identifiers and secrets. Identifiers are text, ordered by the time they were made.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// lower is Crockford-like: no padding, lower case, sorts as its bytes do.
var lower = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New makes an identifier such as "lin_06c1…": the prefix, 48 bits of Unix milliseconds and 72 random bits.
func New(prefix string) string {
	var b [15]byte
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(time.Now().UnixMilli()))
	copy(b[:6], ms[2:])
	_, _ = rand.Read(b[6:]) // never fails, see crypto/rand
	return prefix + "_" + lower.EncodeToString(b[:])
}

// Secret makes n random bytes as text, for links, tokens and sessions.
func Secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return lower.EncodeToString(b)
}

// Hash is what is stored of a secret.
func Hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// Encode writes bytes in the alphabet of identifiers.
func Encode(b []byte) string { return lower.EncodeToString(b) }

// Decode reads what Encode wrote.
func Decode(s string) ([]byte, error) { return lower.DecodeString(s) }
