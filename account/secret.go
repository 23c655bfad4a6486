package account

import (
	"strconv"
	"strings"

	"parley/platform/id"
)

// Secrets begin with what they are for and the organisation they belong to, so that each is looked up inside its
// organisation: "ply_12_…". Only their hash is stored.
const (
	tokenPrefix      = "ply"
	sessionPrefix    = "pls"
	linkPrefix       = "pll"
	invitationPrefix = "pli"
	resetPrefix      = "plr" // about a person: no organisation
)

// secretBytes of randomness cannot be guessed, so a fast hash is enough for what is stored.
const secretBytes = 24

func newSecret(prefix string, org OrgID) string {
	return prefix + "_" + strconv.FormatInt(int64(org), 10) + "_" + id.Secret(secretBytes)
}

// readSecret gives the organisation a secret belongs to, and its hash; ok is false for text that is no such secret.
func readSecret(prefix, secret string) (org OrgID, hash []byte, ok bool) {
	parts := strings.Split(strings.TrimSpace(secret), "_")
	if len(parts) != 3 || parts[0] != prefix {
		return 0, nil, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || n < 0 {
		return 0, nil, false
	}
	return OrgID(n), id.Hash(strings.TrimSpace(secret)), true
}
