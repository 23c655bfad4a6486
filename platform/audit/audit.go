// Package audit keeps a log that shows when it was tampered with: one Merkle tree per organisation (RFC 6962, by
// golang.org/x/mod/sumdb/tlog), whose root is signed in checkpoints (the format of C2SP tlog-checkpoint, notes by
// golang.org/x/mod/sumdb/note).
//
// A leaf holds no personal data: persons and things stand in it as keyed hashes, and what they are is kept beside it,
// sealed, with the salt of the commitment that binds it to the leaf. Erasing a person deletes what stands beside, and
// every proof still holds. The package knows persons as texts of the form "kind/id" and nothing else of them.
package audit

import (
	"bytes"
	"context"
	"embed"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Schema holds the tables of this package, series "audit", and says what is in their columns.
//
//go:embed schema/*
var Schema embed.FS

// Who acts, besides members.
const (
	Operator = "operator" // runs commands on the server
	System   = "system"   // what Parley does by itself
	Public   = "public"   // somebody who is not signed in
)

// Results.
const (
	OK     = "ok"
	Denied = "denied"
)

// Entry is one thing that happened.
type Entry struct {
	Actor   string // a member's id, Operator (also as ""), System, Public, or a person outside as "kind/id"
	Action  Action
	About   string // the person it is about, as "kind/id"; "" for none or many
	Object  string // the thing it is about, as "kind/id" or "kind"
	Purpose string // why, as a key of the policy; ""
	Policy  int    // version of the policy in force; 0 = none
	Result  string // "" = OK
	Details map[string]string
}

// Log writes and reads the logs of an installation.
type Log struct {
	db   *db.DB
	keys *vault.Keys
	now  func() time.Time
	// policy tells the version of the privacy policy in force; nil where there is none.
	policy func(ctx context.Context, org int64) (int, error)

	queue  queue
	recent recent
	pens   pens
}

// New gives the logs kept in d. now is the clock.
func New(d *db.DB, keys *vault.Keys, now func() time.Time) *Log {
	return &Log{db: d, keys: keys, now: now, recent: recent{seen: map[string]time.Time{}}, pens: pens{of: map[int64]*pen{}}}
}

// UnderPolicy has every entry of an organisation that names no version of the privacy policy name the one in force. It is
// called once, at wiring.
func (l *Log) UnderPolicy(inForce func(ctx context.Context, org int64) (int, error)) {
	l.policy = inForce
}

// dated are entries with the version of the policy in force.
func (l *Log) dated(ctx context.Context, org int64, entries []Entry) ([]Entry, error) {
	if l.policy == nil || org == 0 || !slices.ContainsFunc(entries, func(e Entry) bool { return e.Policy == 0 }) {
		return entries, nil
	}
	version, err := l.policy(ctx, org)
	if err != nil || version == 0 {
		return entries, err
	}
	out := slices.Clone(entries)
	for i := range out {
		if out[i].Policy == 0 {
			out[i].Policy = version
		}
	}
	return out, nil
}

// Append writes an entry in the caller's transaction, and gives its position. What is rolled back is not logged. On
// PostgreSQL the log of the organisation stays locked until the transaction ends, so append late in long ones.
func (l *Log) Append(ctx context.Context, tx *db.Tx, org int64, e Entry) (n int64, err error) {
	all, err := l.dated(ctx, org, []Entry{e})
	if err != nil {
		return 0, err
	}
	return l.appendAll(ctx, tx, org, draft(all))
}

// Record writes entries in a transaction of its own, together with what others record at the same moment. They are
// durable when it returns. It must not be called inside a transaction.
func (l *Log) Record(ctx context.Context, org int64, entries ...Entry) error {
	for i := range entries {
		if err := entries[i].check(); err != nil { // before it can spoil a group
			return err
		}
	}
	if len(entries) == 0 {
		return nil
	}
	entries, err := l.dated(ctx, org, entries)
	if err != nil {
		return err
	}
	drafts := draft(entries)
	if err := l.pens.write(ctx, org, drafts); err != nil {
		return err
	}
	return l.queue.add(ctx, l, org, drafts)
}

// RecordOnce is Record for what may come again and again, such as a page that is reloaded: entries that say the same as
// one of the last pause are left out.
func (l *Log) RecordOnce(ctx context.Context, org int64, pause time.Duration, entries ...Entry) error {
	fresh, keys := l.recent.fresh(l.now(), pause, org, entries)
	if err := l.Record(ctx, org, fresh...); err != nil {
		return err
	}
	l.recent.note(l.now(), pause, keys)
	return nil
}

// recent remembers what was recorded, so that it need not be again. What is forgotten by a restart is recorded once more.
type recent struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

const maxRecent = 20_000

func (r *recent) fresh(now time.Time, pause time.Duration, org int64, entries []Entry) (fresh []Entry, keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		key := e.key(org)
		if at, ok := r.seen[key]; ok && now.Sub(at) < pause {
			continue
		}
		fresh, keys = append(fresh, e), append(keys, key)
	}
	return fresh, keys
}

func (r *recent) note(now time.Time, pause time.Duration, keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		r.seen[key] = now
	}
	if len(r.seen) <= maxRecent {
		return
	}
	for key, at := range r.seen {
		if now.Sub(at) >= pause || len(r.seen) > maxRecent {
			delete(r.seen, key) // at worst something is recorded twice
		}
	}
}

// word tells whether a text is one of the words that code uses: small letters, digits, underscores and points.
func word(text string) bool {
	if text == "" || len(text) > 64 || text[0] < 'a' || text[0] > 'z' {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// thing tells whether a text is a "kind" or "kind/id".
func thing(text string) bool {
	kind, id, named := strings.Cut(text, "/")
	return word(kind) && len(id) <= 200 && named == (id != "")
}

// check refuses what the program got wrong: these are words of the code, not of people.
func (e *Entry) check() error {
	wrong := func(what, text string) error {
		return fault.New(fault.Internal, "An entry of the audit log (%q) has a %s that is none: %q.", e.Action, what, text)
	}
	switch {
	case !word(string(e.Action)):
		return wrong("action", string(e.Action))
	case e.About != "" && (!thing(e.About) || !strings.Contains(e.About, "/")):
		return wrong("person", e.About)
	case e.Object != "" && !thing(e.Object):
		return wrong("object", e.Object)
	case e.Purpose != "" && !word(e.Purpose):
		return wrong("purpose", e.Purpose)
	case e.Result != "" && !word(e.Result):
		return wrong("result", e.Result)
	case len(e.Actor) > 200:
		return wrong("actor", e.Actor[:200])
	}
	return nil
}

// key is equal for entries that say the same.
func (e *Entry) key(org int64) string {
	var b bytes.Buffer
	b.WriteByte(byte(org))
	b.WriteByte(byte(org >> 8))
	b.WriteByte(byte(org >> 16))
	b.WriteByte(byte(org >> 24))
	for _, part := range []string{e.Actor, string(e.Action), e.About, e.Object, e.Purpose, e.Result} {
		b.WriteByte(0)
		b.WriteString(part)
	}
	return b.String()
}

// who is the actor as a person or a thing.
func (e *Entry) who() string { return actorRef(e.Actor) }

func actorRef(actor string) string {
	switch {
	case actor == "":
		return Operator
	case actor == Operator, actor == System, actor == Public, strings.Contains(actor, "/"):
		return actor
	default:
		return "member/" + actor
	}
}

// actorOf is the reverse of actorRef.
func actorOf(ref string) string { return strings.TrimPrefix(ref, "member/") }

// Delete removes the log of an organisation that is closed.
func Delete(ctx context.Context, tx *db.Tx, org int64) error {
	for _, stmt := range []string{
		`DELETE FROM audit_secrets WHERE org_id = $1`, `DELETE FROM audit_entries WHERE org_id = $1`, `DELETE FROM audit_blocks WHERE org_id = $1`,
		`DELETE FROM audit_checkpoints WHERE org_id = $1`, `DELETE FROM audit_witnesses WHERE org_id = $1`, `DELETE FROM audit_successions WHERE org_id = $1`, `DELETE FROM audit_logs WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, stmt, org); err != nil {
			return err
		}
	}
	return nil
}
