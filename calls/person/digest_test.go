package person_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"parley/calls/device"
	"parley/platform/civil"
)

// digest is what a phone reckons, as docs/device-protocol.md has it.
func digest(line device.LineID, day civil.Day, rows []string) device.Digest {
	sum := sha256.Sum256([]byte(strings.Join(rows, "")))
	return device.Digest{Line: line, Day: day, Count: len(rows), Hash: hex.EncodeToString(sum[:])}
}

// marks tells, as a phone does, whether an order means a number.
func marks(f device.Forget, canonical string) bool {
	salt, err := hex.DecodeString(f.Salt)
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(canonical))
	return err == nil && hex.EncodeToString(h.Sum(nil)[:16]) == f.Hash
}
