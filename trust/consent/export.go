package consent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/fault"
)

// Export is everything a person said, with the proof of each entry. VerifyExport checks it anywhere, with nothing but the
// public key of the organisation's audit log.
type Export struct {
	Format       string          `json:"format"`
	Version      int             `json:"version"`
	Organisation string          `json:"organisation"`
	Person       string          `json:"person"`
	At           string          `json:"exported"`
	Key          string          `json:"key"` // of the audit log
	Wordings     []exportWording `json:"wordings"`
	Entries      []exportEntry   `json:"entries"`
	Suppressions []exportStop    `json:"suppressions"`
}

const exportFormat, exportVersion = "parley consents", 1

type exportWording struct {
	Version  string `json:"version"`
	Language string `json:"language"`
	Text     string `json:"text"`
}

type exportEntry struct {
	Said    said         `json:"said"`
	Opening []byte       `json:"opening"` // what the log's commitment was made of
	Proof   *audit.Proof `json:"proof"`
}

type exportStop struct {
	Purpose string  `json:"purpose,omitempty"`
	Channel Channel `json:"channel,omitempty"`
	Source  string  `json:"source"`
	At      string  `json:"at"`
}

// Export gathers what one person said.
func (s *Consents) Export(ctx context.Context, org *account.Org, who Who) (*Export, error) {
	who, err := s.full(ctx, s.DB, org.ID, who)
	if err != nil {
		return nil, err
	}
	out := &Export{Format: exportFormat, Version: exportVersion, Organisation: org.Name, Person: who.Number, At: utc(s.Now()), Wordings: []exportWording{}, Entries: []exportEntry{}, Suppressions: []exportStop{}}
	if out.Person == "" {
		out.Person = who.Email
	}
	if out.Key, err = s.Log.Key(ctx, int64(org.ID)); err != nil {
		return nil, err
	}
	entries, err := s.Ledger(ctx, s.DB, org.ID, who)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		e := exportEntry{Said: entries[i].said()}
		if e.Proof, err = s.Log.Prove(ctx, int64(org.ID), entries[i].LogN); err != nil {
			return nil, err
		}
		if e.Opening, _, err = s.Log.Opening(ctx, int64(org.ID), entries[i].LogN); err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, e)
	}
	if out.Wordings, err = s.wordingsOf(ctx, org.ID, entries); err != nil {
		return nil, err
	}
	stops, err := s.Suppressions(ctx, s.DB, org.ID, who)
	for _, e := range stops {
		out.Suppressions = append(out.Suppressions, exportStop{e.Scope.Purpose, e.Scope.Channel, e.Source, utc(e.At)})
	}
	return out, err
}

func (s *Consents) wordingsOf(ctx context.Context, org account.OrgID, entries []Entry) ([]exportWording, error) {
	out, seen := []exportWording{}, map[exportWording]bool{}
	for _, e := range entries {
		w := exportWording{Version: e.Wording, Language: e.Language}
		if w.Version == "" || seen[w] {
			continue
		}
		seen[w] = true
		var err error
		if w.Text, err = s.WordingText(ctx, org, e.Wording, e.Language); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// Verified is what VerifyExport found.
type Verified struct {
	Person       string
	Organisation string
	Key          string // of the log that all proofs are from
	Entries      int
	Size         int64 // of the log, by the newest checkpoint
}

// VerifyExport checks an export: that every entry is the one that was logged, that none between the first and the last is
// missing, and that the texts are those that were agreed to. key is the log's public key as the reader knows it; "" takes
// the one in the file, which shows only that the file agrees with itself.
func VerifyExport(r io.Reader, key string) (*Verified, error) {
	text, err := io.ReadAll(io.LimitReader(r, 64<<20))
	if err != nil {
		return nil, err
	}
	var x Export
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil || x.Format != exportFormat || x.Version != exportVersion {
		return nil, fault.New(fault.Invalid, "This is not an export of consents that this version of Parley can read. Give the file as \"parley consent export\" wrote it.")
	}
	if key == "" {
		key = x.Key
	}
	another := fault.New(fault.Invalid, "The export was made with the log of another key (%s). Ask the organisation for its key.", x.Key)
	foreign := key != x.Key // the log may have had both, as the proofs then say
	if foreign && len(x.Entries) == 0 {
		return nil, another
	}
	out := &Verified{Person: x.Person, Organisation: x.Organisation, Key: x.Key, Entries: len(x.Entries)}
	for i, e := range x.Entries {
		if e.Said.N != int64(i+1) {
			return nil, fault.New(fault.Invalid, "Entry %d is missing or out of its place.", i+1)
		}
		c, err := e.check(x.Key)
		if err == nil && foreign {
			if _, err = e.check(key); err != nil {
				return nil, another
			}
		}
		if err != nil {
			return nil, err
		}
		if c.Size > out.Size {
			out.Size = c.Size
		}
	}
	return out, x.checkWordings()
}

func (e *exportEntry) check(key string) (*audit.Checkpoint, error) {
	if e.Proof == nil {
		return nil, fault.New(fault.Invalid, "Entry %d has no proof.", e.Said.N)
	}
	c, err := e.Proof.Check(key)
	if err != nil {
		return nil, err
	}
	logged, err := e.Proof.Open(e.Opening)
	if err != nil {
		return nil, err
	}
	sum, err := e.Said.sum()
	if err != nil {
		return nil, err
	}
	if logged.Details["entry"] != sum || logged.Object != "consent/"+e.Said.ID {
		return nil, fault.New(fault.Invalid, "Entry %d is not what was logged: it was changed.", e.Said.N)
	}
	return c, nil
}

func (x *Export) checkWordings() error {
	texts := map[exportWording]string{}
	for _, w := range x.Wordings {
		sum := sha256.Sum256([]byte(w.Text))
		texts[exportWording{Version: w.Version, Language: w.Language}] = hex.EncodeToString(sum[:])
	}
	for _, e := range x.Entries {
		if e.Said.Wording != "" && texts[exportWording{Version: e.Said.Wording, Language: e.Said.Language}] != e.Said.WordingHash {
			return fault.New(fault.Invalid, "The wording %q (%s) is not the text that the person agreed to.", e.Said.Wording, e.Said.Language)
		}
	}
	return nil
}
