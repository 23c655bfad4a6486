package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	"parley/platform/fault"
)

// NewRecordingKey makes the 32-byte key of one recording, and wraps it for the persons whose erasure ends it: the keys of
// all of them together open it, so it is gone with the first that is destroyed.
func (o *OrgKeys) NewRecordingKey(ctx context.Context, subjects []int64) (key, wrapped []byte, err error) {
	aead, field, err := o.together(ctx, subjects)
	if err != nil {
		return nil, nil, err
	}
	key = newKey()
	return key, aead.Seal(nil, nil, key, field), nil
}

// OpenRecordingKey is the reverse of NewRecordingKey, for the same persons in any order. A destroyed key of any of them
// gives a Gone fault.
func (o *OrgKeys) OpenRecordingKey(ctx context.Context, subjects []int64, wrapped []byte) ([]byte, error) {
	aead, field, err := o.together(ctx, subjects)
	if err != nil {
		return nil, err
	}
	key, err := aead.Open(nil, nil, wrapped, field)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "The key of a recording does not open under the keys of its persons.")
	}
	return key, nil
}

// together is the cipher that needs the keys of all subjects.
func (o *OrgKeys) together(ctx context.Context, subjects []int64) (cipher.AEAD, []byte, error) {
	if len(subjects) == 0 {
		return nil, nil, fault.New(fault.Internal, "A recording's key was asked for without a person whom it belongs to.")
	}
	who := slices.Clone(subjects)
	slices.Sort(who)
	who = slices.Compact(who)
	secret := make([]byte, 0, len(who)*keyBytes)
	names := make([]string, len(who))
	for i, s := range who {
		key, err := o.subject(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		secret = append(secret, key...)
		names[i] = strconv.FormatInt(s, 10)
	}
	defer clear(secret)
	field := "recording|" + strconv.FormatInt(o.org, 10) + "|" + strings.Join(names, ",")
	key, err := hkdf.Key(sha256.New, secret, nil, field, keyBytes)
	if err != nil {
		return nil, nil, err
	}
	return newAEAD(key), []byte(field), nil
}
