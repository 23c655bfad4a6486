package policy

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Schema holds the tables of this package, series "policy", and says what is in their columns.
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// Version is one published document.
type Version struct {
	Number    int              `json:"version"` // from 1; 0 is the shipped document of an organisation that published none
	Hash      string           `json:"hash"`    // SHA-256 of the text, in hexadecimal
	Author    account.MemberID `json:"author,omitempty"`
	Published time.Time        `json:"published"`
	Effective time.Time        `json:"effective"`
	Material  bool             `json:"material"`
	Document  *Document        `json:"-"`
}

// Policies keeps the policies of all organisations.
type Policies struct {
	db       *db.DB
	keys     *vault.Keys
	accounts *account.Accounts
	log      *audit.Log
	now      func() time.Time

	mu       sync.Mutex
	versions map[account.OrgID][]*Version // oldest first; all that are published
	shipped  map[account.OrgID]shipped
}

// shipped is the shipped document filled in for an organisation.
type shipped struct {
	facts    Facts
	document *Document
}

// New gives the policies kept in d. now is the clock.
func New(d *db.DB, keys *vault.Keys, accounts *account.Accounts, log *audit.Log, now func() time.Time) *Policies {
	return &Policies{db: d, keys: keys, accounts: accounts, log: log, now: now, versions: map[account.OrgID][]*Version{}, shipped: map[account.OrgID]shipped{}}
}

// Hash is what a text is known by: whoever has the file can reckon it themselves.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Current gives the document in force. An organisation that published none lives under the shipped one.
func (p *Policies) Current(ctx context.Context, org account.OrgID) (*Document, error) {
	v, err := p.At(ctx, org, p.now())
	if err != nil {
		return nil, err
	}
	return v.Document, nil
}

// At gives the version in force at a time.
func (p *Policies) At(ctx context.Context, org account.OrgID, at time.Time) (*Version, error) {
	all, err := p.Versions(ctx, org)
	if err != nil {
		return nil, err
	}
	for _, v := range slices.Backward(all) {
		if !v.Effective.After(at) {
			return v, nil
		}
	}
	return p.ship(ctx, org)
}

// InForce tells which published version is in force now; 0 is the shipped document.
func (p *Policies) InForce(ctx context.Context, org account.OrgID) (int, error) {
	all, err := p.Versions(ctx, org)
	if err != nil {
		return 0, err
	}
	for _, v := range slices.Backward(all) {
		if !v.Effective.After(p.now()) {
			return v.Number, nil
		}
	}
	return 0, nil
}

// Get gives one published version; 0 is the shipped document.
func (p *Policies) Get(ctx context.Context, org account.OrgID, number int) (*Version, error) {
	if number == 0 {
		return p.ship(ctx, org)
	}
	all, err := p.Versions(ctx, org)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.Number == number {
			return v, nil
		}
	}
	return nil, fault.New(fault.NotFound, "There is no version %d of this policy. \"parley policy versions\" lists those there are.", number)
}

// Versions lists what was published, oldest first, the coming one included.
func (p *Policies) Versions(ctx context.Context, org account.OrgID) ([]*Version, error) {
	p.mu.Lock()
	all, ok := p.versions[org]
	p.mu.Unlock()
	if ok {
		return all, nil
	}
	all, err := p.read(ctx, p.db, org)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.versions[org] = all
	return all, nil
}

func (p *Policies) read(ctx context.Context, c db.Conn, org account.OrgID) ([]*Version, error) {
	return db.Select(ctx, c, func(r db.Scanner) (*Version, error) {
		var v Version
		var text string
		var published, effective int64
		var material int
		if err := r.Scan(&v.Number, &text, &v.Hash, &v.Author, &published, &effective, &material); err != nil {
			return nil, err
		}
		v.Published, v.Effective, v.Material = time.UnixMilli(published), time.UnixMilli(effective), material == 1
		if Hash(text) != v.Hash {
			return nil, fault.New(fault.Unavailable, "Version %d of the privacy policy is not the text that was published: its hash differs. Somebody changed it in the database. Restore a backup.", v.Number)
		}
		var err error
		v.Document, err = Parse([]byte(text))
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "Version %d of the privacy policy cannot be read by this version of Parley.", v.Number)
		}
		return &v, nil
	}, `SELECT version, text, hash, author, published_ms, effective_ms, material FROM policies WHERE org_id = $1 ORDER BY version`, org)
}

// ship gives the shipped document with what the organisation says of itself.
func (p *Policies) ship(ctx context.Context, org account.OrgID) (*Version, error) {
	o, err := p.accounts.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	f := Facts{Name: o.Name, Country: o.Country, Contact: o.Email}
	p.mu.Lock()
	s, ok := p.shipped[org]
	p.mu.Unlock()
	if !ok || s.facts != f {
		d, err := Default(f)
		if err != nil {
			return nil, err
		}
		d.Version = 0
		s = shipped{f, d}
		p.mu.Lock()
		p.shipped[org] = s
		p.mu.Unlock()
	}
	return &Version{Hash: Hash(s.document.text), Published: o.CreatedAt, Effective: o.CreatedAt, Document: s.document}, nil
}

// Reload forgets what is remembered of an organisation, after its rows changed in another way.
func (p *Policies) Reload(org account.OrgID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.versions, org)
	delete(p.shipped, org)
}

// Draft is the version that is being written.
type Draft struct {
	Text    string
	Author  account.MemberID // "" where nobody wrote one yet, or the operator did
	Changed time.Time        // zero where nobody wrote one yet
}

// Draft gives the draft of an organisation: where nobody wrote one, the latest document with its next number.
func (p *Policies) Draft(ctx context.Context, by *account.Actor) (*Draft, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	org := by.Org.ID
	k, err := p.keys.Org(ctx, int64(org))
	if err != nil {
		return nil, err
	}
	var d Draft
	_, ok, err := db.One(ctx, p.db, func(r db.Scanner) (struct{}, error) {
		var sealed []byte
		var changed int64
		if err := r.Scan(&sealed, &d.Author, &changed); err != nil {
			return struct{}{}, err
		}
		d.Changed = time.UnixMilli(changed)
		plain, err := k.Open(draftField, sealed)
		d.Text = string(plain)
		return struct{}{}, err
	}, `SELECT sealed, author, changed_ms FROM policy_drafts WHERE org_id = $1`, org)
	if ok || err != nil {
		return &d, err
	}
	all, err := p.Versions(ctx, org)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		last := all[len(all)-1]
		return &Draft{Text: numbered(last.Document.text, last.Number+1)}, nil
	}
	v, err := p.ship(ctx, org)
	if err != nil {
		return nil, err
	}
	return &Draft{Text: v.Document.text}, nil
}

const draftField = "policy_drafts.sealed"

// SaveDraft keeps a draft as it is, findings or not, so that nothing typed is lost.
func (p *Policies) SaveDraft(ctx context.Context, by *account.Actor, text string) error {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return err
	}
	if len(text) > maxBytes {
		return fault.Field("text", "The policy has %d KB; it may have at most %d.", len(text)>>10, maxBytes>>10)
	}
	k, err := p.keys.Org(ctx, int64(by.Org.ID))
	if err != nil {
		return err
	}
	_, err = p.db.Exec(ctx, `INSERT INTO policy_drafts (org_id, sealed, author, changed_ms) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id) DO UPDATE SET sealed = excluded.sealed, author = excluded.author, changed_ms = excluded.changed_ms`,
		by.Org.ID, k.Seal(draftField, []byte(plainLines(text))), by.Member.ID, p.now().UnixMilli())
	return err
}

// DropDraft throws a draft away.
func (p *Policies) DropDraft(ctx context.Context, by *account.Actor) error {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return err
	}
	_, err := p.db.Exec(ctx, `DELETE FROM policy_drafts WHERE org_id = $1`, by.Org.ID)
	return err
}

var versionLine = regexp.MustCompile(`(?m)^version:.*$`)

// numbered writes a number into the line that says the version.
func numbered(text string, number int) string {
	at := versionLine.FindStringIndex(text)
	if at == nil {
		return text
	}
	return text[:at[0]] + "version: " + strconv.Itoa(number) + text[at[1]:]
}

var crlf = regexp.MustCompile(`\r\n?`)

// plainLines ends every line in the same way, as forms and editors do not.
func plainLines(text string) string { return crlf.ReplaceAllString(text, "\n") }

// Delete removes all rows of an organisation that is closed.
func (p *Policies) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	p.Reload(org)
	for _, table := range []string{`policies`, `policy_drafts`, `policy_acceptances`, `policy_notices`, `public_names`} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE org_id = $1`, org); err != nil {
			return err
		}
	}
	return nil
}
