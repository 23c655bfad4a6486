// Package mail sends e-mail. What is to be sent is kept first, sealed, and delivered by SMTP afterwards, so that a mail
// outlives a restart and a mail server that is away. Without an SMTP server mails stay in a local outbox.
package mail

import (
	"context"
	"embed"
	"encoding/json"
	"net/mail"
	"strings"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/expire"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/vault"
)

// Schema holds the package's table, series "mail".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// State says where a mail is.
type State string

// The states.
const (
	Waiting State = "waiting" // to be delivered
	Done    State = "sent"    // the mail server has it
	Failed  State = "failed"  // given up
	Local   State = "local"   // no mail server is configured: it can be read here
)

// keptFor is how many days mails are kept after they ended.
const keptFor = 30

// Message is a mail to be sent.
type Message struct {
	Org     account.OrgID // 0 when it belongs to a person and to no organisation
	To      string
	Subject string
	Text    string // plain text
}

// Sent is a mail as it is kept.
type Sent struct {
	Message
	ID        string
	State     State
	Attempts  int
	CreatedAt time.Time
	EndedAt   time.Time // zero while it waits
	Sentence  string    // why the last attempt failed
}

// Mailer keeps and delivers mails. Run must be running for mails to leave.
type Mailer struct {
	// OnLocal is told of each mail that stays here because no mail server is configured. It may be nil.
	OnLocal func(Sent)

	db     *db.DB
	keys   *vault.Keys
	now    func() time.Time
	server Server
	wake   chan struct{}
}

// New gives a Mailer that delivers through server. now is the clock.
func New(d *db.DB, keys *vault.Keys, server Server, now func() time.Time) *Mailer {
	return &Mailer{db: d, keys: keys, server: server, now: now, wake: make(chan struct{}, 1)}
}

// Configured tells whether mails leave this machine.
func (m *Mailer) Configured() bool { return m.server.Host != "" }

// Send keeps a mail for delivery. It is durable when Send returns.
func (m *Mailer) Send(ctx context.Context, msg Message) error {
	var committed func()
	err := m.db.Tx(ctx, func(tx *db.Tx) (err error) {
		committed, err = m.Keep(ctx, tx, msg)
		return err
	})
	if err == nil {
		committed()
	}
	return err
}

// Keep is Send in the caller's transaction, for a mail that is kept together with the reason for it, or not at all. Call
// committed once the transaction has.
func (m *Mailer) Keep(ctx context.Context, tx *db.Tx, msg Message) (committed func(), err error) {
	if err := msg.check(); err != nil {
		return nil, err
	}
	sent := Sent{Message: msg, ID: id.New("mai"), State: Waiting, CreatedAt: m.now()}
	if !m.Configured() {
		sent.State, sent.EndedAt = Local, sent.CreatedAt
	}
	return func() { m.kept(sent) }, m.insert(ctx, tx, &sent)
}

// kept has a mail delivered that is durable.
func (m *Mailer) kept(sent Sent) {
	if sent.State == Local {
		if m.OnLocal != nil {
			m.OnLocal(sent)
		}
		return
	}
	select {
	case m.wake <- struct{}{}:
	default: // a look at the table is due already
	}
}

func (m *Message) check() error {
	if a, err := mail.ParseAddress(m.To); err != nil || a.Address != m.To {
		return fault.Field("to", "A mail cannot be sent: the address is not an e-mail address.")
	}
	if strings.ContainsAny(m.Subject, "\r\n") || m.Subject == "" {
		return fault.Field("subject", "A mail needs a subject of one line.")
	}
	return nil
}

const sealedField = "mails"

// letter is what is sealed of a mail.
type letter struct{ To, Subject, Text string }

func (m *Mailer) insert(ctx context.Context, tx *db.Tx, s *Sent) error {
	k, err := m.keys.Org(ctx, int64(s.Org))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(letter{s.To, s.Subject, s.Text})
	if err != nil {
		return err
	}
	ended := int64(0)
	if !s.EndedAt.IsZero() {
		ended = s.EndedAt.UnixMilli()
	}
	_, err = tx.Exec(ctx, `INSERT INTO mails (org_id, id, sealed, state, attempts, next_ms, created_ms, ended_ms, sentence, to_hash)
		VALUES ($1, $2, $3, $4, 0, $5, $5, $6, '', $7)`, s.Org, s.ID, k.Seal(sealedField+"|"+s.ID, plain), s.State, s.CreatedAt.UnixMilli(), ended, toHash(k, s.To))
	return err
}

const columns = `org_id, id, sealed, state, attempts, created_ms, ended_ms, sentence`

func (m *Mailer) scan(ctx context.Context) func(db.Scanner) (Sent, error) {
	return func(r db.Scanner) (Sent, error) {
		var s Sent
		var sealed []byte
		var created, ended int64
		if err := r.Scan(&s.Org, &s.ID, &sealed, &s.State, &s.Attempts, &created, &ended, &s.Sentence); err != nil {
			return s, err
		}
		s.CreatedAt = time.UnixMilli(created)
		if ended != 0 {
			s.EndedAt = time.UnixMilli(ended)
		}
		k, err := m.keys.Org(ctx, int64(s.Org))
		if err != nil {
			return s, err
		}
		plain, err := k.Open(sealedField+"|"+s.ID, sealed)
		if err != nil {
			return s, err
		}
		var l letter
		err = json.Unmarshal(plain, &l)
		s.To, s.Subject, s.Text = l.To, l.Subject, l.Text
		return s, err
	}
}

// Recent lists the last n mails of an organisation, newest first. Organisation 0 gives those that belong to none.
func (m *Mailer) Recent(ctx context.Context, org account.OrgID, n int) ([]Sent, error) {
	return db.Select(ctx, m.db, m.scan(ctx), `SELECT `+columns+` FROM mails WHERE org_id = $1 ORDER BY created_ms DESC, id DESC LIMIT $2`, org, n)
}

// Counts tells how many mails wait and how many were given up, in all organisations.
func (m *Mailer) Counts(ctx context.Context) (waiting, failed int64, err error) {
	err = m.db.Row(ctx, `SELECT COALESCE(SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0)
		FROM mails WHERE org_id >= 0`).Scan(&waiting, &failed)
	return waiting, failed, err
}

// Expiring lists what ends by age: mails as the policy says, and a month after they left at the latest.
func Expiring() []expire.Table {
	const count = `SELECT count(*) FROM mails WHERE org_id = $1`
	return []expire.Table{
		{
			Name: "mails", Category: "correspondence", From: "created", Routine: true, Count: count,
			Due:    `SELECT id, '', created_ms, 1, length(sealed) FROM mails WHERE org_id = $1 AND created_ms < $2`,
			Remove: `DELETE FROM mails WHERE org_id = $1 AND created_ms < $2 AND id = $3`,
		},
		{
			Name: "mails that left", Category: "correspondence", Part: "outbox", From: "sent", Days: keptFor, Routine: true, Count: count,
			Due:    `SELECT id, '', ended_ms, 1, length(sealed) FROM mails WHERE org_id = $1 AND ended_ms > 0 AND ended_ms < $2`,
			Remove: `DELETE FROM mails WHERE org_id = $1 AND ended_ms > 0 AND ended_ms < $2 AND id = $3`,
		},
	}
}

// Delete removes all mails of an organisation.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `DELETE FROM mails WHERE org_id = $1`, org)
	return err
}
