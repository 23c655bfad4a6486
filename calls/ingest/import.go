package ingest

import (
	"context"
	"sync"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/logfile"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Ours says which numbers are the organisation's own, for files that name caller and callee.
type Ours string

// The ways to say it. Without one, OursList is meant where numbers are listed, and OursAgents otherwise.
const (
	OursAgents Ours = "agents" // the numbers of the organisation's lines
	OursAll    Ours = "all"    // every number: whoever calls is an agent, and is made one when there is none
	OursList   Ours = "list"   // the numbers listed beside it
)

// ParseOurs reads the word for whose numbers are ours; "" leaves it open.
func ParseOurs(word string) (Ours, error) {
	switch o := Ours(word); o {
	case "", OursAgents, OursAll, OursList:
		return o, nil
	default:
		return "", fault.Field("ours", "%q does not say which numbers are yours. Use agents (the numbers of your lines), all (every number) or list them.", word)
	}
}

// ImportState is how far an import is.
type ImportState string

// The states. ImportDry is a rehearsal that ended: nothing was written.
const (
	ImportRunning ImportState = "running"
	ImportDone    ImportState = "done"
	ImportFailed  ImportState = "failed"
	ImportUndone  ImportState = "undone"
	ImportDry     ImportState = "dry"
)

// ImportSpec says how a file is to be imported.
type ImportSpec struct {
	Name       string          // the file's name
	Agent      account.AgentNo // whose calls they are; 0 = the file's columns or the numbers say it
	Zone       string          // of times without one; "" = the organisation's
	Format     logfile.Format  // "" = by the file's content
	Mapping    *logfile.Mapping
	Ours       Ours
	OurNumbers []string
	DryRun     bool // everything but writing
	By         account.MemberID
}

// Import is one import of a file. Rows is how many rows were read; each is counted once more in New, Known, Changed,
// Excluded, Erased, Refused or Skipped.
type Import struct {
	ID             string
	No             int64
	Name, Format   string
	State          ImportState
	Rows           int64
	New            int64
	Known          int64 // there already
	Changed        int64
	Excluded       int64 // with a number that is never stored
	Erased         int64 // with a number whose person's data was erased since
	Refused        int64 // see Imports.Rejected
	Skipped        int64 // calls between two of our own numbers
	Bytes          int64
	BytesDone      int64
	From, To       time.Time // first and last call that was added; zero when none was
	StartedAt      time.Time
	EndedAt        time.Time
	By             account.MemberID
	Sentence       string // why it failed, or what undoing it did
	DryRun         bool
	rejects, parts int
	skips          int
}

// sentences of imports that did not come to their end.
const (
	interrupted = "The server stopped during this import; import the file again: what is there already is not added twice."
	cancelled   = "The import was stopped. What it had added stays: import the file again to go on, or undo this import."
	nothingKept = " Nothing of the file was kept."
	partKept    = " What was added before that stays; import the file again: what is there already is not added twice."
)

// Imports keeps the imports of files.
type Imports struct {
	db       *db.DB
	keys     *vault.Keys
	accounts *account.Accounts
	devices  *device.Devices
	w        *Writer
	now      func() time.Time

	mu    sync.Mutex
	turns map[account.OrgID]chan struct{} // one import at a time: holds one token per organisation
}

// NewImports gives the imports kept in d. Calls go through w, which must be running.
func NewImports(d *db.DB, keys *vault.Keys, accounts *account.Accounts, devices *device.Devices, w *Writer, now func() time.Time) *Imports {
	return &Imports{db: d, keys: keys, accounts: accounts, devices: devices, w: w, now: now, turns: map[account.OrgID]chan struct{}{}}
}

// turn waits until no other import of the organisation runs. The returned function ends the turn.
func (i *Imports) turn(ctx context.Context, org account.OrgID) (func(), error) {
	i.mu.Lock()
	t, ok := i.turns[org]
	if !ok {
		t = make(chan struct{}, 1)
		i.turns[org] = t
	}
	i.mu.Unlock()
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "Another import is still running, and this one was given up while it waited. Try again when that one is done.")
	}
}

// Interrupted marks the imports that were running when the server stopped. It is called at the start, before others.
func (i *Imports) Interrupted(ctx context.Context) error {
	orgs, err := i.accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := i.w.Do(ctx, func(ctx context.Context, tx *db.Tx) error { return i.markInterrupted(ctx, tx, org.ID) }); err != nil {
			return err
		}
	}
	return nil
}

func (i *Imports) markInterrupted(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `UPDATE imports SET state = $2, sentence = $3, ended_ms = $4 WHERE org_id = $1 AND state = $5`,
		org, ImportFailed, interrupted, i.now().UnixMilli(), ImportRunning)
	return err
}

const importColumns = `id, no, name_sealed, format, state, dry, row_count, new_count, known_count, changed_count, excluded_count, refused_count,
	skipped_count, bytes, bytes_done, from_ms, to_ms, started_ms, ended_ms, by_member, sentence, erased_count`

const nameField = "imports.name"

func (i *Imports) scan(ctx context.Context, org account.OrgID) (func(db.Scanner) (Import, error), error) {
	k, err := i.keys.Org(ctx, int64(org))
	return func(r db.Scanner) (m Import, err error) {
		var name []byte
		var dry int
		var from, to, started, ended int64
		if err := r.Scan(&m.ID, &m.No, &name, &m.Format, &m.State, &dry, &m.Rows, &m.New, &m.Known, &m.Changed, &m.Excluded, &m.Refused, &m.Skipped,
			&m.Bytes, &m.BytesDone, &from, &to, &started, &ended, &m.By, &m.Sentence, &m.Erased); err != nil {
			return m, err
		}
		m.DryRun, m.From, m.To, m.StartedAt, m.EndedAt = dry == 1, moment(from), moment(to), moment(started), moment(ended)
		plain, err := k.Open(nameField, name)
		m.Name = string(plain)
		return m, err
	}, err
}

// moment reads a stored time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// millis is how a time is stored.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// List gives an organisation's newest imports, 1 to 500 of them, rehearsals included.
func (i *Imports) List(ctx context.Context, org *account.Org, limit int) ([]Import, error) {
	if limit < 1 || limit > 500 {
		return nil, fault.Field("limit", "A page holds 1 to 500 imports; %d were asked for.", limit)
	}
	scan, err := i.scan(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, i.db, scan, `SELECT `+importColumns+` FROM imports WHERE org_id = $1 ORDER BY no DESC LIMIT $2`, org.ID, limit)
}

// One gives one import.
func (i *Imports) One(ctx context.Context, org *account.Org, id string) (*Import, error) {
	scan, err := i.scan(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	m, ok, err := db.One(ctx, i.db, scan, `SELECT `+importColumns+` FROM imports WHERE org_id = $1 AND id = $2`, org.ID, id)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no import %q here.", cut(id, maxClientKey))
	}
	return &m, err
}

// Delete removes everything that is kept about an organisation's imports and rebuilds.
func (i *Imports) Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	return Delete(ctx, tx, org)
}

// Delete removes everything that this package keeps about an organisation. Its calls are another package's.
func Delete(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	for _, q := range []string{
		`DELETE FROM import_mappings WHERE org_id = $1`, `DELETE FROM import_rejects WHERE org_id = $1`, `DELETE FROM import_counters WHERE org_id = $1`,
		`DELETE FROM imports WHERE org_id = $1`, `DELETE FROM unsettled_numbers WHERE org_id = $1`, `DELETE FROM rebuilds WHERE org_id = $1`,
		`DELETE FROM erasing_numbers WHERE org_id = $1`,
		`DELETE FROM taking_numbers WHERE org_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, org); err != nil {
			return err
		}
	}
	return nil
}
