package consent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
	"parley/trust/subject"
)

// State is what an entry of the ledger says.
type State string

// The states.
const (
	Given     State = "given"
	Noticed   State = "noticed"   // the person was told; never a consent
	Withdrawn State = "withdrawn" // consent taken back, or not wanted this way
	Objected  State = "objected"
	Used      State = "used" // a consent to one disclosure, after it
)

// How is the act by which a person said it.
type How string

// The acts. A notice or a tone is no act of the person: it tells them something and gives no consent.
const (
	ByNotice  How = "notice"
	ByTone    How = "tone"
	BySpoken  How = "spoken"
	ByKey     How = "key_press"
	ByWebForm How = "web_form"
	ByPaper   How = "paper"
	ByImport  How = "import"
	ByReply   How = "reply"     // a stop word sent back
	ByOneTap  How = "one_click" // the unsubscribe button of a mail program
	ByRequest How = "request"   // a request under a law
	BySystem  How = "system"    // written by the program, such as a use
)

// Acts lists how staff can say that a consent was given.
func Acts() []How { return []How{BySpoken, ByKey, ByWebForm, ByPaper, ByImport} }

func (h How) act() bool { return slices.Contains(Acts(), h) }

func (h How) known() bool {
	return h.act() || slices.Contains([]How{ByNotice, ByTone, ByReply, ByOneTap, ByRequest, BySystem}, h)
}

// needsEvidence tells of acts that leave no trace here by themselves.
func (h How) needsEvidence() bool { return h == BySpoken || h == ByPaper || h == ByImport }

// Wording is the text that the person agreed to. Without a version it gets one from the text itself.
type Wording struct {
	Version  string
	Language string // such as en
	Text     string
}

// Change is something that a person said, about some purposes on some channels.
type Change struct {
	Who      Who
	Purposes []string
	Channels []Channel // of a Withdrawn or Objected, none stands for all
	State    State
	How      How
	Wording  Wording // needed for Given and Noticed
	Evidence string  // where the act can be found again, such as a recording's id or the place of the paper
	Expires  time.Time
	By       account.MemberID // who wrote it down; "" = the person themself

	// Of a consent to a disclosure:
	Recipient  string
	Categories []string
	MustShow   []string // the recipient's name and the titles of the categories, which the wording has to contain
	Once       bool     // for one disclosure only
}

// Entry is one row of the ledger.
type Entry struct {
	N           int64
	ID          string
	Purpose     string
	Channel     Channel
	State       State
	How         How
	Wording     string // version
	WordingHash []byte
	Language    string
	Recipient   string
	Categories  []string
	Once        bool
	Evidence    string
	By          account.MemberID
	At          time.Time
	Expires     time.Time // zero = never
	LogN        int64     // the entry of the audit log that proves it
}

// Effective is what an entry means at a time: a consent that has run out is none.
func (e *Entry) Effective(at time.Time) bool {
	return e.State == Given && (e.Expires.IsZero() || at.Before(e.Expires))
}

const maxEvidence, maxWording = 2000, 8000

// Record writes what a person said into the ledger, at once in force. A withdrawal or an objection stops the contacts also
// through the suppression list, for good; a consent lifts what it covers from there. Who may write is the caller's
// matter: the person by their link, staff with manage_privacy.
func (s *Consents) Record(ctx context.Context, org account.OrgID, in Change) error {
	return s.recordAll(ctx, org, []Change{in})
}

// record is Record inside a transaction. A person who is unknown here and wants nothing gets no entry: they are on the
// suppression list then.
func (s *Consents) record(ctx context.Context, tx *db.Tx, org account.OrgID, in Change) error {
	purposes, err := s.Purposes(ctx, org)
	if err != nil {
		return err
	}
	if err := in.check(s.Now(), purposes); err != nil {
		return err
	}
	if in.Who, err = s.full(ctx, tx, org, in.Who); err != nil {
		return err
	}
	if err := s.settle(ctx, tx, org, &in, purposes); err != nil {
		return err
	}
	person, err := s.person(ctx, tx, org, in.Who)
	if err != nil {
		return err
	}
	if person == "" {
		return s.logStop(ctx, tx, org, &in)
	}
	if in.Wording, err = s.keepWording(ctx, tx, org, in.Wording); err != nil {
		return err
	}
	err = s.insert(ctx, tx, org, person, &in, in.scopes(purposes))
	if fault.KindOf(err) == fault.Gone && in.State != Given { // erased: the suppression remains
		return s.logStop(ctx, tx, org, &in)
	}
	return err
}

// settle enters the person where a consent needs them, and brings the suppression list in line.
func (s *Consents) settle(ctx context.Context, tx *db.Tx, org account.OrgID, in *Change, purposes []Purpose) (err error) {
	stands := in.State == Given || in.State == Noticed
	if stands && in.Who.Ref == (subject.Ref{}) && in.Who.Number != "" {
		if in.Who.Ref, err = s.People.Make(ctx, tx, org, in.Who.Number); err != nil {
			return err
		}
	}
	if in.State == Noticed || in.State == Used || in.Recipient != "" || in.Who.Number == "" && in.Who.Email == "" {
		return nil
	}
	for _, at := range in.scopes(purposes) {
		if stands {
			err = s.lift(ctx, tx, org, in.Who, at, purposes)
		} else {
			err = s.Suppress(ctx, tx, org, in.Who, at, string(in.How))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scopes are the purposes and channels that a change is about, one by one. A use without a contact has no channel, and
// neither has a disclosure.
func (in *Change) scopes(purposes []Purpose) []Scope {
	var out []Scope
	for _, key := range in.Purposes {
		channels := in.Channels
		switch i := slices.IndexFunc(purposes, func(p Purpose) bool { return p.Key == key }); {
		case in.Recipient != "" || i >= 0 && purposes[i].Plain:
			channels = []Channel{None}
		case len(channels) == 0:
			channels = Channels()
		}
		for _, c := range channels {
			out = append(out, Scope{key, c})
		}
	}
	return out
}

func (in *Change) check(now time.Time, purposes []Purpose) error {
	if !in.How.known() {
		return fault.Field("how", "%q is not a way to say it. The ways are spoken, key_press, web_form, paper and import.", string(in.How))
	}
	if len(in.Purposes) == 0 {
		return fault.Field("purpose", "Say for which purpose.")
	}
	for _, c := range in.Channels {
		if _, err := ParseChannel(string(c)); err != nil {
			return err
		}
	}
	if in.State == Given && len(in.Channels) == 0 && slices.ContainsFunc(in.scopes(purposes), func(s Scope) bool { return s.Channel != None }) {
		return fault.Field("channel", "Say on which channel: call, sms, email or messenger.")
	}
	if len(in.Evidence) > maxEvidence {
		return fault.Field("evidence", "The evidence is too long; at most %d characters are kept. Name the place where it lies.", maxEvidence)
	}
	switch in.State {
	case Withdrawn, Objected, Used:
		return nil
	case Given, Noticed:
		return in.checkGiven(now, purposes)
	default:
		return fault.Field("state", "%q is not something a person can say about a purpose.", string(in.State))
	}
}

func (in *Change) checkGiven(now time.Time, purposes []Purpose) error {
	for _, p := range in.Purposes {
		if !slices.ContainsFunc(purposes, func(known Purpose) bool { return known.Key == p }) && in.Recipient == "" {
			return fault.Field("purpose", "The privacy policy has no purpose %q for which people are asked. See the purposes in the policy.", p)
		}
	}
	text := in.Wording.Text
	switch {
	case in.State == Given && !in.How.act():
		return fault.Field("how", "A notice or a tone is no consent: the person has to do something. Record what they said, pressed, wrote or chose.")
	case strings.TrimSpace(text) == "" && in.Wording.Version == "":
		return fault.Field("wording", "Give the words that the person agreed to.")
	case len(text) > maxWording:
		return fault.Field("wording", "The wording is too long; at most %d characters are kept.", maxWording)
	case in.Wording.Language == "":
		return fault.Field("language", "Say in which language the person agreed.")
	case in.State == Given && in.How.needsEvidence() && strings.TrimSpace(in.Evidence) == "":
		return fault.Field("evidence", "Say where the act can be found again: the recording, the paper, the file that was imported.")
	case !in.Expires.IsZero() && !in.Expires.After(now):
		return fault.Field("expires", "The consent would have run out already. Choose a later day, or none.")
	case in.Recipient != "" && len(in.Categories) == 0:
		return fault.Field("categories", "Say which categories of data %s may get.", in.Recipient)
	case in.Recipient != "" && len(in.MustShow) == 0:
		return fault.Field("wording", "The wording of a consent to a disclosure names the recipient and the categories.")
	}
	for _, words := range in.MustShow {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(words)) {
			return fault.Field("wording", "The wording does not name %q. Who agrees to a disclosure must see who gets what.", words)
		}
	}
	return nil
}

// keepWording stores a text under its version, and reads the text of a version that was stored before.
func (s *Consents) keepWording(ctx context.Context, tx *db.Tx, org account.OrgID, w Wording) (Wording, error) {
	w.Text = strings.TrimSpace(w.Text)
	if w.Text == "" && w.Version == "" {
		return w, nil
	}
	if w.Version == "" {
		sum := sha256.Sum256([]byte(w.Text))
		w.Version = hex.EncodeToString(sum[:6])
	}
	have, ok, err := db.One(ctx, tx, scanText, `SELECT text FROM consent_wordings WHERE org_id = $1 AND version = $2 AND language = $3`, org, w.Version, w.Language)
	switch {
	case err != nil:
		return w, err
	case ok && w.Text == "":
		w.Text = have
		return w, nil
	case ok && have != w.Text:
		return w, fault.New(fault.Conflict, "The wording %q (%s) was used with other words before. A changed text needs a new version.", w.Version, w.Language)
	case ok:
		return w, nil
	case w.Text == "":
		return w, fault.Field("wording", "There is no wording %q in the language %q yet. Give its text.", w.Version, w.Language)
	}
	_, err = tx.Exec(ctx, `INSERT INTO consent_wordings (org_id, version, language, text, created_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		org, w.Version, w.Language, w.Text, s.Now().UnixMilli())
	return w, err
}

func (s *Consents) insert(ctx context.Context, tx *db.Tx, org account.OrgID, person string, in *Change, about []Scope) error {
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	last, _, err := db.One(ctx, tx, scanInt, `SELECT coalesce(max(n), 0) FROM consents WHERE org_id = $1 AND person = $2`, org, person)
	if err != nil {
		return err
	}
	var sum []byte
	if in.Wording.Text != "" {
		h := sha256.Sum256([]byte(in.Wording.Text))
		sum = h[:]
	}
	for _, at := range about {
		last++
		e := Entry{
			N: last, ID: id.New("cns"), Purpose: at.Purpose, Channel: at.Channel, State: in.State, How: in.How, Wording: in.Wording.Version, WordingHash: sum, Language: in.Wording.Language,
			Recipient: in.Recipient, Categories: in.Categories, Once: in.Once, Evidence: strings.TrimSpace(in.Evidence), By: in.By, At: s.Now(), Expires: in.Expires,
		}
		if e.LogN, err = s.logEntry(ctx, tx, org, person, &e); err != nil {
			return err
		}
		if err := insertEntry(ctx, tx, k, org, person, &e); err != nil {
			return err
		}
	}
	return nil
}

func insertEntry(ctx context.Context, tx *db.Tx, k *vault.OrgKeys, org account.OrgID, person string, e *Entry) error {
	evidence, err := sealEvidence(ctx, k, person, e.Evidence)
	if err != nil {
		return err
	}
	var expires int64
	if !e.Expires.IsZero() {
		expires = e.Expires.UnixMilli()
	}
	once := 0
	if e.Once {
		once = 1
	}
	_, err = tx.Exec(ctx, `INSERT INTO consents (org_id, person, n, id, purpose, channel, state, how, wording, wording_hash, language, recipient, categories, once, evidence_sealed, recorded_by, at_ms, expires_ms, log_n)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		org, person, e.N, e.ID, e.Purpose, e.Channel, e.State, e.How, e.Wording, e.WordingHash, e.Language, e.Recipient, strings.Join(e.Categories, " "), once, evidence, e.By,
		e.At.UnixMilli(), expires, e.LogN)
	return err
}

const evidenceField = "consents.evidence"

// sealEvidence seals under the key of a person outside, whose erasure then takes it along; a person without such a key has
// it under the organisation's. The key of an erased person gives Gone, also when there is nothing to seal.
func sealEvidence(ctx context.Context, k *vault.OrgKeys, person, text string) ([]byte, error) {
	if ref, err := subject.Parse(person); err == nil && ref.Num() > 0 {
		return k.SealSubject(ctx, ref.Num(), evidenceField, []byte(text))
	}
	if text == "" {
		return nil, nil
	}
	return k.Seal(evidenceField, []byte(text)), nil
}

func openEvidence(ctx context.Context, k *vault.OrgKeys, person string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	if ref, err := subject.Parse(person); err == nil && ref.Num() > 0 {
		plain, err := k.OpenSubject(ctx, ref.Num(), evidenceField, sealed)
		if fault.KindOf(err) == fault.Gone {
			return "", nil
		}
		return string(plain), err
	}
	plain, err := k.Open(evidenceField, sealed)
	return string(plain), err
}

// Ledger lists everything a person said, oldest first.
func (s *Consents) Ledger(ctx context.Context, c db.Conn, org account.OrgID, who Who) ([]Entry, error) {
	person, err := s.person(ctx, c, org, who)
	if err != nil || person == "" {
		return nil, err
	}
	return s.entries(ctx, c, org, person)
}

// Past lists what a person said before a moment, or in its millisecond as an entry below one, newest first and at most limit.
func (s *Consents) Past(ctx context.Context, c db.Conn, org account.OrgID, who Who, at time.Time, below int64, limit int) ([]Entry, error) {
	person, err := s.person(ctx, c, org, who)
	if err != nil || person == "" {
		return nil, err
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, scanEntry(ctx, k, person), `SELECT `+entryColumns+` FROM consents WHERE org_id = $1 AND person = $2
		AND (at_ms < $3 OR at_ms = $3 AND n < $4) ORDER BY n DESC LIMIT $5`, org, person, at.UnixMilli(), below, limit)
}

func (s *Consents) entries(ctx context.Context, c db.Conn, org account.OrgID, person string) ([]Entry, error) {
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, c, scanEntry(ctx, k, person), `SELECT `+entryColumns+` FROM consents WHERE org_id = $1 AND person = $2 ORDER BY n`, org, person)
}

const entryColumns = `n, id, purpose, channel, state, how, wording, wording_hash, language, recipient, categories, once, evidence_sealed, recorded_by, at_ms, expires_ms, log_n`

// scanEntry gives what reads entryColumns of a person.
func scanEntry(ctx context.Context, k *vault.OrgKeys, person string) func(db.Scanner) (Entry, error) {
	return func(r db.Scanner) (e Entry, err error) {
		var sealed []byte
		var categories string
		var once int
		var at, expires int64
		if err := r.Scan(&e.N, &e.ID, &e.Purpose, &e.Channel, &e.State, &e.How, &e.Wording, &e.WordingHash, &e.Language, &e.Recipient, &categories, &once, &sealed, &e.By, &at, &expires, &e.LogN); err != nil {
			return e, err
		}
		e.Categories, e.Once, e.At = strings.Fields(categories), once == 1, time.UnixMilli(at)
		if expires > 0 {
			e.Expires = time.UnixMilli(expires)
		}
		e.Evidence, err = openEvidence(ctx, k, person, sealed)
		return e, err
	}
}

// latest is the entry that counts for a purpose on a channel, or for a recipient.
func latest(all []Entry, purpose string, channel Channel, recipient string) *Entry {
	for i := range slices.Backward(all) {
		if e := &all[i]; e.Purpose == purpose && e.Channel == channel && e.Recipient == recipient {
			return e
		}
	}
	return nil
}

// WordingText gives the text of a version in a language.
func (s *Consents) WordingText(ctx context.Context, org account.OrgID, version, language string) (string, error) {
	text, ok, err := db.One(ctx, s.DB, scanText, `SELECT text FROM consent_wordings WHERE org_id = $1 AND version = $2 AND language = $3`, org, version, language)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no wording %q in the language %q.", version, language)
	}
	return text, err
}

// Forget removes what the ledger and the decisions hold of a person who is erased. What they did not want stays on the
// suppression list.
func (s *Consents) Forget(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) error {
	if _, err := tx.Exec(ctx, `DELETE FROM consents WHERE org_id = $1 AND person = $2`, org, who.String()); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM contact_decisions WHERE org_id = $1 AND person = $2`, org, who.String())
	return err
}

func scanText(r db.Scanner) (t string, err error) { return t, r.Scan(&t) }
