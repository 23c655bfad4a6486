package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"parley/account"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// State is how far an import is.
type State string

// The states. Dry is a rehearsal that ended: nothing was written.
const (
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
	Undone  State = "undone"
	Dry     State = "dry"
)

// Spec says how a file is to be brought in.
type Spec struct {
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"`              // the file's name
	Mapping *Mapping `json:"mapping,omitempty"` // of tables; nil = as Detect proposes
	Policy  Policy   `json:"policy"`

	Give   Give             `json:"give,omitempty"`
	Member account.MemberID `json:"member,omitempty"` // of Fixed
	Team   account.TeamID   `json:"team,omitempty"`

	// What is said of all rows. A source, a day or a stage that a row names goes before.
	Pipeline  string    `json:"pipeline,omitempty"` // "" = the first
	Stage     string    `json:"stage,omitempty"`
	Tags      []string  `json:"tags,omitempty"`
	Source    string    `json:"source,omitempty"`
	SourceDay civil.Day `json:"source_day,omitempty"`

	DryRun bool `json:"-"` // everything but writing

	// Headers are the columns of the file, as they stood there. Run fills them in.
	Headers []string `json:"headers,omitempty"`
}

// Counts is what became of an import's rows. Each row is counted once in New, Updated, Same, Skipped, Left, Erased or Refused.
type Counts struct {
	Rows    int64 `json:"rows"`
	New     int64 `json:"new"`     // made a contact or a lead
	Updated int64 `json:"updated"` // changed what was there
	Same    int64 `json:"same"`    // said nothing new
	Skipped int64 `json:"skipped"` // about somebody who is known, see Skip
	Left    int64 `json:"left"`    // with a number of one's own lines, or one that is kept out
	Erased  int64 `json:"erased"`  // of a person who was erased
	Refused int64 `json:"refused"` // see Imports.Rejected

	Contacts int64                      `json:"contacts"` // made
	Leads    int64                      `json:"leads"`    // made
	Pictures int64                      `json:"pictures"` // within cards, which are not kept
	Owners   map[account.MemberID]int64 `json:"owners"`   // of the leads that were made, or of the contacts; "" = nobody

	// Of an import that was undone.
	Removed  int64 `json:"removed,omitempty"`  // contacts and leads that it had made
	Restored int64 `json:"restored,omitempty"` // contacts and leads that it had changed
	Kept     int64 `json:"kept,omitempty"`     // of both, changed or used since
}

// Import is one import of a file.
type Import struct {
	ID        string // such as "cim_06c1…": contacts and leads name it
	No        int64
	Spec      Spec
	Format    string
	State     State
	Counts    Counts
	Bytes     int64
	BytesDone int64
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
	By        account.MemberID
	UndoneBy  account.MemberID
	Sentence  string // why it failed, or what undoing it did

	parts, rejects, skips int
}

// sentences of imports that did not come to their end.
const (
	cancelled = "The import was stopped."
	stopped   = "The server stopped during this import."
	goOn      = " Import the file again with the known ones skipped to go on: what is there already is not added twice. Or undo this import."
)

// kept says what an import that broke off has left.
func (m *Import) kept() string {
	c := &m.Counts
	if m.State == Dry || m.Spec.DryRun {
		return " It was a dry run, so nothing was written."
	}
	if c.Contacts+c.Leads+c.Updated == 0 {
		return " Nothing of the file was kept."
	}
	return fmt.Sprintf(" Of the file's first %d rows, %d contacts and %d leads were made and %d rows changed what was there.", c.Rows, c.Contacts, c.Leads, c.Updated) + goOn
}

const importColumns = `import, no, kind, format, state, dry, sealed, counts, bytes, bytes_done, started_ms, ended_ms, by_member, sentence, undone_by`

const specField = "crm_imports"

func (i *Imports) scan(ctx context.Context, org account.OrgID) (func(db.Scanner) (*Import, error), error) {
	k, err := i.d.Keys.Org(ctx, int64(org))
	return func(r db.Scanner) (*Import, error) {
		var m Import
		var kind Kind
		var sealed []byte
		var counts string
		var dry int
		var started, ended int64
		if err := r.Scan(&m.ID, &m.No, &kind, &m.Format, &m.State, &dry, &sealed, &counts, &m.Bytes, &m.BytesDone, &started, &ended, &m.By, &m.Sentence, &m.UndoneBy); err != nil {
			return nil, err
		}
		plain, err := k.Open(specField, sealed)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(plain, &m.Spec); err != nil {
			return nil, err
		}
		m.Spec.Kind, m.Spec.DryRun, m.StartedAt, m.EndedAt = kind, dry == 1, moment(started), moment(ended)
		return &m, json.Unmarshal([]byte(counts), &m.Counts)
	}, err
}

// moment reads a stored time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// List gives an organisation's newest imports, 1 to 500 of them, rehearsals included.
func (i *Imports) List(ctx context.Context, org account.OrgID, limit int) ([]*Import, error) {
	if limit < 1 || limit > 500 {
		return nil, fault.Field("limit", "A page holds 1 to 500 imports; %d were asked for.", limit)
	}
	scan, err := i.scan(ctx, org)
	if err != nil {
		return nil, err
	}
	return db.Select(ctx, i.d.DB, scan, `SELECT `+importColumns+` FROM crm_imports WHERE org_id = $1 ORDER BY no DESC LIMIT $2`, org, limit)
}

// One gives one import.
func (i *Imports) One(ctx context.Context, org account.OrgID, id string) (*Import, error) {
	scan, err := i.scan(ctx, org)
	if err != nil {
		return nil, err
	}
	m, ok, err := db.One(ctx, i.d.DB, scan, `SELECT `+importColumns+` FROM crm_imports WHERE org_id = $1 AND import = $2`, org, id)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no import %q here.", id[:min(len(id), 40)])
	}
	return m, err
}

// begin records an import.
func (i *Imports) begin(ctx context.Context, tx *db.Tx, org account.OrgID, m *Import) error {
	if err := i.interrupt(ctx, tx, org); err != nil { // nobody else of the organisation's runs now
		return err
	}
	k, err := i.d.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(m.Spec)
	if err != nil {
		return err
	}
	var next int64
	if err := tx.Row(ctx, `INSERT INTO crm_import_counters (org_id, next) VALUES ($1, 2)
		ON CONFLICT (org_id) DO UPDATE SET next = crm_import_counters.next + 1 RETURNING next`, org).Scan(&next); err != nil {
		return err
	}
	m.No = next - 1
	dry := 0
	if m.Spec.DryRun {
		dry = 1
	}
	_, err = tx.Exec(ctx, `INSERT INTO crm_imports (org_id, `+importColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}', $9, 0, $10, 0, $11, '', '')`,
		org, m.ID, m.No, m.Spec.Kind, m.Format, m.State, dry, k.Seal(specField, plain), m.Bytes, millis(m.StartedAt), m.By)
	return err
}

// update writes how far an import is.
func (i *Imports) update(ctx context.Context, tx *db.Tx, org account.OrgID, m *Import) error {
	counts, err := json.Marshal(m.Counts)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE crm_imports SET state = $3, counts = $4, bytes_done = $5, ended_ms = $6, sentence = $7, undone_by = $8 WHERE org_id = $1 AND no = $2`,
		org, m.No, m.State, string(counts), m.BytesDone, millis(m.EndedAt), m.Sentence, m.UndoneBy)
	return err
}

// clone gives an import whose counts can be changed by themselves.
func (m *Import) clone() *Import {
	next := *m
	next.Counts.Owners = maps.Clone(m.Counts.Owners)
	if next.Counts.Owners == nil {
		next.Counts.Owners = map[account.MemberID]int64{}
	}
	return &next
}

// Interrupted marks the imports that were running when the server stopped. It is called at the start, before others.
func (i *Imports) Interrupted(ctx context.Context) error {
	orgs, err := i.d.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := i.d.DB.Tx(ctx, func(tx *db.Tx) error { return i.interrupt(ctx, tx, org.ID) }); err != nil {
			return err
		}
	}
	return nil
}

func (i *Imports) interrupt(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	scan, err := i.scan(ctx, org)
	if err != nil {
		return err
	}
	left, err := db.Select(ctx, tx, scan, `SELECT `+importColumns+` FROM crm_imports WHERE org_id = $1 AND state = $2`, org, Running)
	if err != nil {
		return err
	}
	for _, m := range left {
		m.State, m.EndedAt, m.Sentence = Failed, i.d.Now(), stopped+m.kept()
		if err := i.update(ctx, tx, org, m); err != nil {
			return err
		}
	}
	return nil
}
