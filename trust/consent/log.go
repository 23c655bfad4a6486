package consent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/trust/subject"
)

func actionOf(s State) audit.Action {
	switch s {
	case Given:
		return audit.ConsentGiven
	case Noticed:
		return audit.NoticeGiven
	case Used:
		return audit.DisclosureUsed
	default:
		return audit.ConsentWithdrawn
	}
}

// actor is who entered something: a member, the program, or the person themself.
func actor(by account.MemberID, how How) string {
	switch {
	case by != "":
		return string(by)
	case how == BySystem:
		return audit.System
	default:
		return audit.Public
	}
}

// logEntry binds an entry of the ledger into the audit log by its hash.
func (s *Consents) logEntry(ctx context.Context, tx *db.Tx, org account.OrgID, person string, e *Entry) (int64, error) {
	sum, err := e.sum()
	if err != nil {
		return 0, err
	}
	entry := audit.Entry{Actor: actor(e.By, e.How), Action: actionOf(e.State), Object: "consent/" + e.ID, Purpose: e.Purpose, Details: map[string]string{
		"entry": sum, "channel": string(e.Channel), "how": string(e.How), "state": string(e.State), "wording": e.Wording, "recipient": e.Recipient}}
	if _, err := subject.Parse(person); err == nil {
		entry.About = person
	}
	return s.Log.Append(ctx, tx, int64(org), entry)
}

// logStop logs a stop of somebody who is not known here, or not any more.
func (s *Consents) logStop(ctx context.Context, tx *db.Tx, org account.OrgID, in *Change) error {
	channels := make([]string, len(in.Channels))
	for i, c := range in.Channels {
		channels[i] = string(c)
	}
	_, err := s.Log.Append(ctx, tx, int64(org), audit.Entry{Actor: actor(in.By, in.How), Action: audit.ConsentWithdrawn, Object: "suppression", Details: map[string]string{
		"purposes": strings.Join(in.Purposes, " "), "channels": strings.Join(channels, " "), "how": string(in.How), "state": string(in.State)}})
	return err
}

// said is the form of an entry that is hashed and exported.
type said struct {
	N           int64    `json:"n"`
	ID          string   `json:"id"`
	Purpose     string   `json:"purpose"`
	Channel     Channel  `json:"channel,omitempty"`
	State       State    `json:"state"`
	How         How      `json:"how"`
	Wording     string   `json:"wording,omitempty"`
	WordingHash string   `json:"wording_sha256,omitempty"`
	Language    string   `json:"language,omitempty"`
	Recipient   string   `json:"recipient,omitempty"`
	Categories  []string `json:"categories,omitempty"`
	Once        bool     `json:"once,omitempty"`
	Evidence    string   `json:"evidence,omitempty"`
	By          string   `json:"recorded_by,omitempty"`
	At          string   `json:"at"`
	Expires     string   `json:"expires,omitempty"`
}

const stamp = "2006-01-02T15:04:05.000Z"

func (e *Entry) said() said {
	out := said{e.N, e.ID, e.Purpose, e.Channel, e.State, e.How, e.Wording, hex.EncodeToString(e.WordingHash), e.Language, e.Recipient, e.Categories, e.Once, e.Evidence, string(e.By), utc(e.At), ""}
	if !e.Expires.IsZero() {
		out.Expires = utc(e.Expires)
	}
	return out
}

func utc(t time.Time) string { return t.UTC().Format(stamp) }

// sum is the hash of an entry that stands in the audit log.
func (e *Entry) sum() (string, error) { return e.said().sum() }

func (e said) sum() (string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
