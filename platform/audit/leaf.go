package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"strings"
	"time"
)

// Leaf is what the tree holds of an entry. Persons and things are "kind:hash" with a keyed hash of 16 bytes in hex, or
// just the kind. The commitment is SHA-256 of salt and payload, in base64. The fields stand in the order of their names,
// and the text has no spaces: there is one way to write a leaf.
type Leaf struct {
	About      string `json:"about"`
	Action     Action `json:"action"`
	Actor      string `json:"actor"`
	Commitment string `json:"commitment"`
	N          int64  `json:"n"`
	Object     string `json:"object"`
	Policy     int    `json:"policy"`
	Purpose    string `json:"purpose"`
	Result     string `json:"result"`
	Time       string `json:"time"` // RFC 3339 in UTC, to the millisecond
	V          int    `json:"v"`    // of this form: 1
}

const (
	leafVersion = 1
	leafTime    = "2006-01-02T15:04:05.000Z"
)

func (f *Leaf) encode() ([]byte, error) { return json.Marshal(f) }

// around is the text of a leaf without its place and its time, in three parts: before, between and after them. A quote in a
// value is escaped, so that the names of these fields are found where they stand.
func (f *Leaf) around() (parts [3][]byte, err error) {
	f.N, f.Time = 0, ""
	text, err := f.encode()
	if err != nil {
		return parts, err
	}
	const place, moment = `"n":`, `"time":"`
	n := bytes.Index(text, []byte(place)) + len(place)
	t := bytes.LastIndex(text, []byte(moment)) + len(moment)
	return [3][]byte{text[:n], text[n+1 : t], text[t:]}, nil
}

// parseLeaf reads a leaf that encode wrote. ok is false for any other text, even one that means the same.
func parseLeaf(text []byte) (f Leaf, at time.Time, ok bool) {
	if json.Unmarshal(text, &f) != nil || f.V != leafVersion {
		return f, at, false
	}
	again, err := f.encode()
	if err != nil || string(again) != string(text) {
		return f, at, false
	}
	at, err = time.Parse(leafTime, f.Time)
	return f, at, err == nil
}

// payload is what the commitment binds, and what is sealed beside the leaf.
type payload struct {
	About   string            `json:"about,omitempty"`
	Actor   string            `json:"actor"`
	Details map[string]string `json:"details,omitempty"` // written in the order of its keys
	Object  string            `json:"object,omitempty"`
}

// hasher makes the keyed hashes of one log.
type hasher struct{ mac hash.Hash }

func newHasher(key []byte) *hasher { return &hasher{hmac.New(sha256.New, key)} }

// pseudonym is how a person or thing stands in a leaf: as kind and keyed hash, or as itself when it has no name.
func (h *hasher) pseudonym(ref string) string {
	kind, _, named := strings.Cut(ref, "/")
	if !named {
		return ref
	}
	h.mac.Reset()
	h.mac.Write([]byte(ref))
	return kind + ":" + hex.EncodeToString(h.mac.Sum(nil)[:16])
}

// searchKey is what finds a pseudonym: a number made of 8 bytes, the same for the same; 0 for none.
func searchKey(pseudonym string) int64 {
	if pseudonym == "" {
		return 0
	}
	_, hash, hashed := strings.Cut(pseudonym, ":")
	b, err := hex.DecodeString(hash)
	if !hashed || err != nil || len(b) < 8 {
		sum := sha256.Sum256([]byte(pseudonym))
		b = sum[:]
	}
	return int64(binary.BigEndian.Uint64(b))
}

const saltBytes = 16

// commit gives the commitment to a payload, and what it was made of.
func commit(p *payload) (commitment string, opening []byte, err error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", nil, err
	}
	opening = make([]byte, saltBytes, saltBytes+len(text))
	_, _ = rand.Read(opening) // never fails, see crypto/rand
	opening = append(opening, text...)
	return commitmentOf(opening), opening, nil
}

func commitmentOf(opening []byte) string {
	sum := sha256.Sum256(opening)
	return base64.StdEncoding.EncodeToString(sum[:])
}
