// Package consent keeps what people agreed to and what they do not want: the ledger of consents, the suppression list,
// and the tombstones of erased numbers. It answers the question of every message and call: may this person be contacted
// for this purpose, this way, now?
package consent

import (
	"context"
	"embed"
	"encoding/hex"
	"net/mail"
	"strings"
	"sync"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/platform/vault"
	"parley/trust/subject"
)

// Schema holds the tables of this package, series "consent".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Channel is a way to reach a person.
type Channel string

// The channels. None stands for a consent that is about no channel, such as one to a disclosure.
const (
	None      Channel = ""
	Call      Channel = "call"
	SMS       Channel = "sms"
	Email     Channel = "email"
	Messenger Channel = "messenger"
)

// Channels lists the channels.
func Channels() []Channel { return []Channel{Call, SMS, Email, Messenger} }

// ParseChannel reads a channel's word.
func ParseChannel(word string) (Channel, error) {
	for _, c := range Channels() {
		if string(c) == strings.ToLower(strings.TrimSpace(word)) {
			return c, nil
		}
	}
	return None, fault.Field("channel", "%q is not a channel. The channels are call, sms, email and messenger.", word)
}

// Who is the person asked about: what the caller knows of them. Number is canonical.
type Who struct {
	Ref    subject.Ref
	Number string
	Email  string
}

// People finds and names the persons outside; the number book does it.
type People struct {
	Find func(ctx context.Context, c db.Conn, org account.OrgID, number string) (subject.Ref, bool, error)
	// Make is Find that enters a new number.
	Make   func(ctx context.Context, tx *db.Tx, org account.OrgID, number string) (subject.Ref, error)
	Number func(ctx context.Context, c db.Conn, org account.OrgID, who subject.Ref) (string, bool, error)
}

// Basis is why the policy allows a purpose.
type Basis string

// ByConsent is the basis of purposes that need the person's consent. Of any other, a person can object.
const ByConsent Basis = "consent"

// Purpose is a purpose for which people are contacted.
type Purpose struct {
	Key   string
	Basis Basis
	Plain bool              // a use of data without a contact: one choice, on no channel
	Title map[string]string // by language
}

// channels are those on which a purpose is chosen.
func (p Purpose) channels(who Who) []Channel {
	switch {
	case p.Plain:
		return []Channel{None}
	case who.Number == "" && who.Email != "":
		return []Channel{Email}
	default:
		return Channels()
	}
}

// Purposes gives the purposes of an organisation's policy for which people may be contacted and have a choice.
type Purposes func(ctx context.Context, org account.OrgID) ([]Purpose, error)

// Bar is one more reason against a contact, such as the hour at the person's place or a restriction that they asked for.
// Its check says what it looked at, whether or not it is against.
type Bar func(ctx context.Context, c db.Conn, org account.OrgID, q Question) (Check, error)

// Deps are what Consents is made from. All but Bars are needed.
type Deps struct {
	DB       *db.DB
	Keys     *vault.Keys
	Accounts *account.Accounts
	Log      *audit.Log
	People   People
	Purposes Purposes
	Bars     []Bar
	Now      func() time.Time
}

// Consents keeps the consents, suppressions and tombstones of all organisations.
type Consents struct {
	Deps

	mu     sync.Mutex
	buried map[account.OrgID]*Tombstones
}

// New gives what is kept in the database of d.
func New(d Deps) *Consents { return &Consents{Deps: d, buried: map[account.OrgID]*Tombstones{}} }

// organisation is the person of consents that an administrator gives for the organisation, such as to an integration.
const organisation = "organisation"

// person is the name of a person in the ledger, "" when they are not known here.
func (s *Consents) person(ctx context.Context, c db.Conn, org account.OrgID, who Who) (string, error) {
	if who.Ref != (subject.Ref{}) {
		return who.Ref.String(), nil
	}
	if who.Number != "" {
		ref, ok, err := s.People.Find(ctx, c, org, who.Number)
		if err != nil || ok {
			return ref.String(), err
		}
	}
	if who.Email == "" {
		return "", nil
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return "", err
	}
	// Not the blind index, whose key may change: the address itself is not kept, so it could not be indexed anew.
	return "email/" + hex.EncodeToString(k.Suppress("consent email:"+foldEmail(who.Email))), nil
}

// full adds the number of a person who is known by their id alone.
func (s *Consents) full(ctx context.Context, c db.Conn, org account.OrgID, who Who) (Who, error) {
	if who.Number != "" || who.Ref.Num() == 0 {
		return who, nil
	}
	text, _, err := s.People.Number(ctx, c, org, who.Ref)
	who.Number = text
	return who, err
}

func foldEmail(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// Delete removes everything of an organisation that is closed.
func (s *Consents) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM consents WHERE org_id = $1`, `DELETE FROM consent_wordings WHERE org_id = $1`, `DELETE FROM suppressions WHERE org_id = $1`,
		`DELETE FROM tombstones WHERE org_id = $1`, `DELETE FROM minors WHERE org_id = $1`, `DELETE FROM tombstone_generations WHERE org_id = $1`, `DELETE FROM contact_decisions WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}

// ParseWho reads a phone number, as people of a country write it, or an e-mail address.
func ParseWho(text, country string) (Who, error) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "@") {
		a, err := mail.ParseAddress(text)
		if err != nil || a.Address != text || len(text) > 254 {
			return Who{}, fault.Field("person", "%q is not an e-mail address. Write it like asha@example.com.", text)
		}
		return Who{Email: text}, nil
	}
	n := phone.Parse(text, country)
	if n.E164 == "" {
		return Who{}, fault.Field("person", "%q is not a phone number that can be called. Write it with the country's code, such as +91 98123 00001.", text)
	}
	return Who{Number: n.E164}, nil
}
