package consent

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/platform/id"
)

// LinkLife is how long a link to the preference page opens it.
const LinkLife = 2 * 366 * 24 * time.Hour

const (
	linkPrefix = "plp"
	linkField  = "preference link"
)

// Link makes the secret part of a link by which a person reaches their preferences without an account. It is sealed, so
// that it tells nothing and cannot be made up; nothing of it is stored.
func (s *Consents) Link(ctx context.Context, org account.OrgID, who Who) (string, error) {
	who, err := s.full(ctx, s.DB, org, who)
	if err != nil {
		return "", err
	}
	kind, text := byte('n'), who.Number
	if text == "" {
		kind, text = 'e', foldEmail(who.Email)
	}
	if text == "" {
		return "", fault.Field("number", "Give the number or e-mail address that the link is for.")
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return "", err
	}
	plain := binary.BigEndian.AppendUint32([]byte{kind}, uint32(s.Now().Add(LinkLife).Unix()/3600))
	return linkPrefix + "_" + strconv.FormatInt(int64(org), 10) + "_" + id.Encode(k.Seal(linkField, append(plain, text...))), nil
}

// OpenLink tells whom a link is for. One that was made up, changed or cut off is NotFound, one that is too old Gone.
func (s *Consents) OpenLink(ctx context.Context, token string) (*account.Org, Who, error) {
	unknown := fault.New(fault.NotFound, "This link is not complete, or was not made here. Open it again from the message that it came in, or ask whoever sent it for a new one.")
	parts := strings.Split(token, "_")
	if len(parts) != 3 || parts[0] != linkPrefix {
		return nil, Who{}, unknown
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	sealed, decodeErr := id.Decode(parts[2])
	if err != nil || decodeErr != nil || n <= 0 || strconv.FormatInt(n, 10) != parts[1] || id.Encode(sealed) != parts[2] { // one form only
		return nil, Who{}, unknown
	}
	org, err := s.Accounts.Org(ctx, account.OrgID(n)) // before its keys are asked for, which would make them
	if fault.KindOf(err) == fault.NotFound {
		return nil, Who{}, unknown
	}
	if err != nil {
		return nil, Who{}, err
	}
	k, err := s.Keys.Org(ctx, n)
	if err != nil {
		return nil, Who{}, err
	}
	plain, err := k.Open(linkField, sealed)
	if err != nil || len(plain) < 6 {
		return nil, Who{}, unknown
	}
	if until := time.Unix(int64(binary.BigEndian.Uint32(plain[1:5]))*3600, 0); !until.After(s.Now()) {
		return nil, Who{}, fault.New(fault.Gone, "This link is too old. Use the one in a newer message, or ask for a new one.")
	}
	if plain[0] == 'e' {
		return org, Who{Email: string(plain[5:])}, nil
	}
	return org, Who{Number: string(plain[5:])}, nil
}
