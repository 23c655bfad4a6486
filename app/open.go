package app

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley/account"
	"parley/api"
	"parley/calls/call"
	"parley/calls/callback"
	"parley/calls/device"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/calls/person"
	"parley/calls/report"
	"parley/calls/roll"
	"parley/calls/stats"
	"parley/crm/assign"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/funnel"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/audit"
	"parley/platform/backup"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
	"parley/platform/revoke"
	"parley/platform/vault"
	"parley/reach/mail"
	"parley/trust/attest"
	"parley/trust/consent"
	"parley/trust/hold"
	"parley/trust/incident"
	"parley/trust/policy"
	"parley/trust/prove"
	"parley/trust/recipient"
	"parley/trust/retain"
	"parley/trust/rights"
)

//go:embed schema/*.sql schema/data.tsv
var schema embed.FS

// Names of files in the data folder.
const (
	masterFile = "master.key"
	rootFile   = "root.key"
	keysFile   = "keys.db"
	dataFile   = "parley.db"
	socketFile = "parley.sock"
	uploadDir  = "uploads"
)

// Parley is an open installation: everything over one data folder, which it holds until Close.
type Parley struct {
	Config    *Config
	Log       *slog.Logger
	Now       func() time.Time
	Keys      *vault.Keys
	DB        *db.DB
	Accounts  *account.Accounts
	Book      *number.Book
	Calls     *call.Store
	Devices   *device.Devices
	Writer    *ingest.Writer
	Reporter  *stats.Reporter
	Imports   *ingest.Imports
	Callbacks *callback.Callbacks
	Fields    *field.Fields
	Contacts  *contact.Contacts
	Leads     *lead.Leads
	Assign    *assign.Assign
	FollowUps *followup.FollowUps
	Files     *file.Files
	Funnel    *funnel.Funnel
	Attach    *attach.Attach
	Intake    *intake.Imports
	Timelines *timeline.Timelines
	Reports   *report.Reports
	Mail      *mail.Mailer
	Backups   *backup.Service
	Revoked   *revoke.Journal // nil in data that is being restored, which only reads another
	Out       *recipient.Out
	Audit     *audit.Log
	Holds     *hold.Holds
	Consents  *consent.Consents
	Retain    *retain.Sweeper
	Incidents *incident.Incidents
	Policies  *policy.Policies
	Persons   *person.Persons
	Rights    *rights.Rights
	Proofs    *prove.Proofs
	Attested  *attest.Attestations

	master  vault.Master
	held    *lock
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open opens the installation whose folder the caller holds, and brings its tables to this version. It refuses with a
// sentence when the data is damaged, belongs to another master key or was written by a newer version. The lock is let
// go of by Close, and when Open fails.
func Open(ctx context.Context, c *Config, held *lock, log *slog.Logger) (*Parley, error) {
	p := &Parley{Config: c, Log: log, Now: time.Now, held: held, Revoked: revoke.InFolder(c.Data)}
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Parley) open(ctx context.Context) error {
	if _, err := finishRestore(p.Config.Data); err != nil { // one that was broken off between two moves
		return err
	}
	var err error
	if p.master, err = p.openMaster(); err != nil {
		return err
	}
	if p.Keys, err = vault.Open(ctx, p.Config.Data, p.master); err != nil {
		return readable(err, filepath.Join(p.Config.Data, keysFile))
	}
	return p.openData(ctx)
}

// openData opens what the keys are for.
func (p *Parley) openData(ctx context.Context) (err error) {
	if p.Config.Database == "" {
		if err := p.checkNotLost(ctx); err != nil {
			return err
		}
		p.DB, err = db.OpenSQLite(ctx, filepath.Join(p.Config.Data, dataFile), p.Keys.DatabaseKey())
	} else {
		p.DB, err = db.OpenPostgres(ctx, p.Config.Database)
	}
	if err == nil {
		err = p.migrate(ctx)
	}
	if err == nil {
		err = p.checkKeyStore(ctx)
	}
	if err == nil {
		err = p.assemble()
	}
	if err == nil {
		err = p.settleIndexes(ctx)
	}
	if err == nil {
		err = p.Accounts.NoteLeft(ctx)
	}
	if err == nil {
		err = p.Book.Date(ctx)
	}
	if err != nil {
		return readable(err, filepath.Join(p.Config.Data, dataFile))
	}
	return p.Backups.Tidy()
}

// checkNotLost refuses to begin a new database where the keys tell that there was one.
func (p *Parley) checkNotLost(ctx context.Context) error {
	path := filepath.Join(p.Config.Data, dataFile)
	if info, err := os.Stat(path); err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // opening it says what is wrong with it
	}
	used, err := p.Keys.InUse(ctx)
	if err != nil || !used {
		return err
	}
	return fault.New(fault.Unavailable, "The database %s is missing or empty, but the keys beside it belong to organisations that were in it. "+
		"Put the file back, or restore a backup with \"parley restore\". To begin anew, choose another folder with --data.", path)
}

// readable gives a sentence to whatever an engine says about a file it cannot use.
func readable(err error, path string) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "The database %s cannot be used: it is damaged, or not the one that belongs to this folder's keys. Restore a backup with \"parley restore\".", path)
}

func (p *Parley) openMaster() (vault.Master, error) {
	switch c := p.Config; {
	case vault.IsTransit(c.MasterKey):
		return vault.Transit{URL: c.MasterKey, Token: c.MasterToken, Client: p.wayOut().Client(0, vaultKey)}.Master()
	case c.MasterKey != "":
		return vault.MasterText(c.MasterKey)
	default:
		return vault.MasterFile(filepath.Join(c.Data, masterFile))
	}
}

// migrate brings every package's tables to their newest version.
func (p *Parley) migrate(ctx context.Context) error {
	for _, s := range schemas() {
		if err := p.DB.Migrate(ctx, s.series, s.files); err != nil {
			return err
		}
	}
	if flaw.On(flaw.ExtraColumn) {
		_, _ = p.DB.Exec(ctx, `ALTER TABLE numbers ADD COLUMN remark TEXT`) // fails when it is there already
	}
	return nil
}

type series struct {
	series string
	files  fs.FS
}

func schemas() []series {
	return []series{
		{"installation", schema}, {"account", account.Schema}, {"audit", audit.Schema}, {"policy", policy.Schema}, {"hold", hold.Schema}, {"retain", retain.Schema}, {"incident", incident.Schema}, {"rights", rights.Schema}, {"prove", prove.Schema}, {"attest", attest.Schema}, {"consent", consent.Schema}, {"number", number.Schema}, {"call", call.Schema}, {"roll", roll.Schema},
		{"device", device.Schema}, {"ingest", ingest.Schema}, {"callback", callback.Schema}, {"field", field.Schema}, {"contact", contact.Schema}, {"lead", lead.Schema}, {"assign", assign.Schema}, {"followup", followup.Schema}, {"file", file.Schema}, {"attach", attach.Schema}, {"intake", intake.Schema}, {"mail", mail.Schema}, {"api", api.Schema},
	}
}

// checkKeyStore refuses a database that was made with another key store. The embedded database would not even open, but
// PostgreSQL does not know our keys.
func (p *Parley) checkKeyStore(ctx context.Context) error {
	mine := []byte(p.Keys.StoreID())
	if err := p.nameKeyStore(ctx, mine); err != nil {
		return err
	}
	var made []byte
	if err := p.DB.Row(ctx, `SELECT value FROM installation WHERE name = 'store'`).Scan(&made); err != nil {
		return err
	}
	if !bytes.Equal(made, mine) {
		return fault.New(fault.Unavailable, "The keys in %s are not the ones that the data was made with, so nothing could be read. "+
			"Use the data folder that belongs to this database, or restore its keys with \"parley restore\".", p.Config.Data)
	}
	return nil
}

// nameKeyStore notes in new data which key store it belongs to. Data of the first versions has a note that was made with
// the index key, which may change.
func (p *Parley) nameKeyStore(ctx context.Context, mine []byte) error {
	k, err := p.Keys.Org(ctx, 0)
	if err != nil {
		return err
	}
	return p.DB.Tx(ctx, func(tx *db.Tx) error {
		old, noted, err := db.One(ctx, tx, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT value FROM installation WHERE name = 'key_store'`)
		if err != nil || noted && !bytes.Equal(old, k.Index("installation", "key store")) {
			mine = old // of another key store
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO installation (name, value) VALUES ('store', $1) ON CONFLICT DO NOTHING`, mine); err != nil || !noted {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM installation WHERE name = 'key_store'`)
		return err
	})
}

// assemble makes every service and starts the writer.
func (p *Parley) assemble() (err error) {
	p.Accounts = account.New(p.DB, p.Keys, p.Now)
	p.Accounts.SetJournal(p.Revoked)
	p.Audit = audit.New(p.DB, p.Keys, p.Now)
	p.Proofs = prove.New(p.DB, p.Audit)
	p.Policies = policy.New(p.DB, p.Keys, p.Accounts, p.Audit, p.Now)
	p.Accounts.SetGate(p.Policies.Gate)
	p.Audit.UnderPolicy(func(ctx context.Context, org int64) (int, error) { return p.Policies.InForce(ctx, account.OrgID(org)) })
	p.Holds = hold.New(p.DB, p.Keys, p.Accounts, p.Audit, p.Now)
	p.Attested = attest.New(p.DB, p.Keys, p.Audit, p.Holds.Check, version(), p.Now)
	p.Book = number.New(p.DB, p.Keys)
	p.Book.Clock(p.Now)
	if p.Consents, err = p.consents(); err != nil {
		return err
	}
	p.Calls = call.New(p.DB, p.Keys, p.Book, p.Holds.Check, p.Now)
	p.Devices = device.New(p.DB, p.Keys, p.Accounts, p.Book, p.Now)
	p.Devices.OnlyWhat(p.collects)
	p.Devices.SetJournal(p.Revoked)
	p.Writer = ingest.NewWriter(p.DB, p.Keys, p.Book, person.Trust(p.Consents, p.Holds.Check), p.Now)
	p.Reporter = stats.New(p.DB, p.Book, p.Calls, p.Now)
	p.Imports = ingest.NewImports(p.DB, p.Keys, p.Accounts, p.Devices, p.Writer, p.Now)
	p.Callbacks = callback.New(p.DB, p.Keys, p.Book, p.Holds.Check, p.Now)
	p.Reports = report.New(p.DB, p.Accounts, p.Devices, p.Book, p.Calls, p.Reporter, p.Callbacks, p.Now)
	p.Mail = mail.New(p.DB, p.Keys, p.mailServer(), p.Now)
	p.crm()
	p.Persons = person.New(person.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Calls: p.Calls, Devices: p.Devices, Writer: p.Writer, Callbacks: p.Callbacks, Now: p.Now})
	p.watchContacts()
	if p.Rights, err = p.requests(); err != nil {
		return err
	}
	p.Timelines = p.timelines()
	if p.Incidents, err = p.incidents(); err != nil {
		return err
	}
	p.Retain = p.retention()
	p.Backups = p.backups()
	ctx, stop := context.WithCancel(context.Background()) // Close ends it, after everybody who writes
	p.stop = stop
	refusals, written := context.WithCancel(context.Background()) // ends after the writer, which may refuse until its end
	p.running.Go(func() {
		defer written()
		p.Writer.Run(ctx)
	})
	p.running.Go(func() {
		p.Holds.Run(refusals, func(err error) { p.Log.Error("refusal of a legal hold not kept", "err", err) })
	})
	return nil
}

// Close finishes what the writer has begun, closes everything and lets go of the folder.
func (p *Parley) Close() error {
	if p.stop != nil {
		p.stop()
		p.running.Wait()
	}
	var errs []error
	if p.DB != nil {
		errs = append(errs, p.DB.Close())
	}
	if p.Keys != nil {
		errs = append(errs, p.Keys.Close())
	}
	if p.held != nil {
		errs = append(errs, p.held.release())
	}
	return errors.Join(errs...)
}

// exists tells whether the folder holds an installation.
func exists(dir string) bool {
	for _, file := range []string{rootFile, filepath.Join(stageDir, readyFile)} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return true
		}
	}
	return false
}
