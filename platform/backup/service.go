package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/revoke"
	"parley/platform/vault"
)

// Config is what the operator decides about backups.
type Config struct {
	Where     string // path of a folder or address of a bucket; "" = no backups by themselves
	Hour      int    // of the day, by this machine's clock, from which on the day's backup is made
	KeepDays  int    // 1 to vault.EpochDays
	DrillDays int    // how often one is restored for trial; 0 = only when asked
	Region    string // country where backups lie; "" = not said
	Access
}

// Service makes backups.
type Service struct {
	Config  Config
	Dir     string // the data folder
	Version string // of the program
	DB      *db.DB
	Keys    *vault.Keys
	Master  vault.Master
	Now     func() time.Time
	Revoked *revoke.Journal // of access that was taken away; a copy lies beside backups
	// Trial opens what was restored in a folder as a start would, and checks all of it.
	Trial func(ctx context.Context, dir string) error
	// Permit, which may be nil, refuses backups that must not be made.
	Permit func(ctx context.Context) error
	// Did, which may be nil, is told of each backup and drill, and of keys that were destroyed.
	Did func(ctx context.Context, d Deed) error

	mu     sync.Mutex // guards the state file, and what follows
	looked struct {   // when Tick last looked after the copies
		at    time.Time
		bytes int // of the journals then
	}
	working sync.Mutex // held by whoever makes or tries a backup
}

// Deed is something that was done about backups.
type Deed struct {
	What  What
	Where string
	Set   string // "" when it failed, or is not about one
	Keys  int    // destroyed
	Err   error
}

// What says which.
type What string

// The deeds.
const (
	Made      What = "made"
	Tried     What = "tried"
	Destroyed What = "keys_destroyed"
)

func (s *Service) did(ctx context.Context, d Deed) error {
	if s.Did == nil {
		return nil
	}
	return s.Did(context.WithoutCancel(ctx), d)
}

// errBusy is what a second one is told.
func errBusy() error {
	return fault.New(fault.Conflict, "A backup or a drill is being made just now. Wait until it is done.")
}

// Run makes a backup at where, "" for the configured place, and removes those that are too old there.
func (s *Service) Run(ctx context.Context, where string, keysOnly bool, progress Progress) (*Result, error) {
	where, err := s.where(where)
	if err != nil {
		return nil, err
	}
	if s.DB.Engine() != db.SQLite {
		keysOnly = true
	}
	if !s.working.TryLock() {
		return nil, errBusy()
	}
	defer s.working.Unlock()
	began := s.Now()
	result := &Result{At: began}
	if s.Permit != nil {
		err = s.Permit(ctx)
	}
	if err == nil {
		err = s.run(ctx, where, keysOnly, began, result, progress)
	}
	result.Took = s.Now().Sub(began).Seconds()
	if err != nil {
		result.Set, result.Bytes, result.Sentence = "", 0, fault.Sentence(err)
	}
	return result, errors.Join(err, s.note(where, func(t *Target) {
		t.Last = result
		if err == nil {
			t.Good = result
		}
	}), s.did(ctx, Deed{What: Made, Where: where, Set: result.Set, Err: err}))
}

func (s *Service) where(where string) (string, error) {
	if where == "" {
		where = s.Config.Where
	}
	if where == "" {
		return "", fault.New(fault.Invalid, "No place for backups is configured. Name a folder, or set backup.target.")
	}
	return where, nil
}

// note changes what is remembered of a target.
func (s *Service) note(where string, change func(*Target)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := readState(s.Dir)
	if err != nil {
		return err
	}
	change(st.known(where, s.Now()))
	return st.save(s.Dir)
}

func (s *Service) run(ctx context.Context, where string, keysOnly bool, began time.Time, result *Result, progress Progress) (err error) {
	to, err := openPlace(where, s.Config.Access)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	day, key, err := s.Keys.Epochs().Today(ctx, began)
	if err != nil {
		return err
	}
	if err := s.refresh(ctx, where, to); err != nil { // before what it opens
		return err
	}
	stage, err := os.MkdirTemp(s.Dir, stagePrefix)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The backup cannot be prepared in %s. Check that there is room for a copy of the data, and that the folder can be written to.", s.Dir)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	head := Header{MadeAt: began.UTC(), Version: s.Version, Store: s.Keys.StoreID(), Epoch: day.String(), Master: s.Keys.MasterID()}
	if result.Set, err = to.freshName(ctx, began); err != nil {
		return err
	}
	// The data first: every key that it needs was durable before, so it is in the later copy of the keys.
	parts := []Part{Data, Keys}
	if keysOnly {
		parts = parts[1:]
	}
	for _, part := range parts {
		head.Part = part
		n, err := s.upload(ctx, to, stage, key, head, result.Set, progress)
		if err != nil {
			return err
		}
		result.Bytes += n
	}
	if err := s.refresh(ctx, where, to); err != nil { // somebody may have been erased meanwhile
		return err
	}
	_, err = to.prune(ctx, began, s.keepDays())
	return err
}

func (s *Service) keepDays() int {
	if s.Config.KeepDays <= 0 || s.Config.KeepDays > vault.EpochDays {
		return vault.EpochDays
	}
	return s.Config.KeepDays
}

// upload seals one part into its place.
func (s *Service) upload(ctx context.Context, to *place, stage string, key []byte, head Header, set string, progress Progress) (int64, error) {
	entries, err := s.collect(ctx, stage, head.Part)
	if err != nil {
		return 0, err
	}
	out, in := io.Pipe()
	var sealing sync.WaitGroup
	sealing.Go(func() { _ = in.CloseWithError(write(ctx, in, key, head, entries, progress)) }) // never fails, see io.Pipe
	counter := &counted{ctx: ctx, from: out}
	err = to.Put(ctx, partName(set, head.Part), counter)
	_ = out.CloseWithError(err) // ends the sealing when the place failed
	sealing.Wait()
	if err != nil {
		return 0, err
	}
	if head.Part == Data {
		err = os.Remove(filepath.Join(stage, dataFile))
	}
	return counter.done, err
}

// collect copies what goes into a part, as it is at one moment.
func (s *Service) collect(ctx context.Context, stage string, part Part) ([]entry, error) {
	if part == Keys {
		path := filepath.Join(stage, keysFile)
		return []entry{{name: rootFile, bytes: s.Keys.Root()}, {name: keysFile, path: path}}, s.Keys.CopyTo(ctx, path)
	}
	path := filepath.Join(stage, dataFile)
	if err := s.DB.CopyTo(ctx, path, s.Keys.DatabaseKey()); err != nil {
		return nil, err
	}
	counts, err := countFile(ctx, path, s.Keys.DatabaseKey())
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(counts)
	return []entry{{name: countsFile, bytes: raw}, {name: dataFile, path: path}}, err
}

// countFile counts the rows of each table of a copy.
func countFile(ctx context.Context, path string, key []byte) (counts map[string]int64, err error) {
	d, err := db.OpenSQLite(ctx, path, key)
	if err != nil {
		return nil, err
	}
	counts, err = countRows(ctx, d)
	return counts, errors.Join(err, d.Close())
}

func countRows(ctx context.Context, d *db.DB) (map[string]int64, error) {
	tables, err := db.Select(ctx, d, func(r db.Scanner) (s string, err error) { return s, r.Scan(&s) },
		`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, t := range tables {
		var n int64
		if err := d.Row(ctx, fmt.Sprintf(`SELECT count(*) FROM %q`, t)).Scan(&n); err != nil {
			return nil, err
		}
		out[t] = n
	}
	return out, nil
}

// Sync destroys the keys of epochs that are due, here and in every place that has backups of ours, and takes what was
// erased there. It gives an error for each place that could not be reached; of places that were only used once, only when
// something there is overdue.
func (s *Service) Sync(ctx context.Context) error {
	due, err := s.Keys.Epochs().Expire(ctx, s.Now())
	if err == nil && due > 0 {
		err = s.did(ctx, Deed{What: Destroyed, Keys: due})
	}
	if err != nil {
		return err
	}
	targets, err := s.Targets()
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range targets {
		err := s.syncOne(ctx, t.Where)
		if _, due := overdue(t, s.Now()); due || t.Where == s.Config.Where {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *Service) syncOne(ctx context.Context, where string) (err error) {
	to, err := openPlace(where, s.Config.Access)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	return s.refresh(ctx, where, to)
}

// refresh looks after the copies of our files in a place, and remembers which keys lie there.
func (s *Service) refresh(ctx context.Context, where string, to *place) error {
	if err := to.refresh(ctx, s.Keys, s.Revoked); err != nil {
		return err
	}
	oldest := ""
	if days := s.Keys.Epochs().Days(); len(days) > 0 {
		oldest = days[0].String()
	}
	return s.note(where, func(t *Target) { t.Synced, t.Oldest = s.Now(), oldest })
}

// Tidy removes what a crash left of backups and drills, and data that was kept aside for longer than backups may be.
func (s *Service) Tidy() error {
	list, err := os.ReadDir(s.Dir)
	errs := []error{err}
	for _, e := range list {
		name := e.Name()
		at, err := time.Parse(KeptPrefix+nameStamp, name)
		old := err == nil && s.Now().Sub(at) >= vault.EpochDays*24*time.Hour
		if e.IsDir() && (old || strings.HasPrefix(name, stagePrefix) || strings.HasPrefix(name, drillPrefix)) {
			errs = append(errs, os.RemoveAll(filepath.Join(s.Dir, name)))
		}
	}
	return errors.Join(errs...)
}

// Beginnings of the names of folders in the data folder.
const (
	stagePrefix = "backup-"
	drillPrefix = "drill-"
	// KeptPrefix is of folders with what a restore replaced. The time follows.
	KeptPrefix = "before-restore-"
)

// KeptName is the name of the folder for what a restore replaces.
func KeptName(now time.Time) string { return KeptPrefix + now.UTC().Format(nameStamp) }

// Targets lists the places that have backups of ours.
func (s *Service) Targets() ([]*Target, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := readState(s.Dir)
	if err != nil {
		return nil, err
	}
	return st.Targets, nil
}

// Forget strikes a place off the list: its keys of epochs are not destroyed any more when they are due.
func (s *Service) Forget(where string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := readState(s.Dir)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(st.Targets, func(t *Target) bool { return t.Where == where })
	if i < 0 {
		return fault.New(fault.NotFound, "No backups are known to be in %s. \"parley backup status\" lists the places.", where)
	}
	st.Targets = slices.Delete(st.Targets, i, i+1)
	return st.save(s.Dir)
}

// List gives the backups in a place, "" for the configured one, the newest first.
func (s *Service) List(ctx context.Context, where string) (sets []*Set, err error) {
	if where, err = s.where(where); err != nil {
		return nil, err
	}
	return List(ctx, where, s.Config.Access)
}

// List gives the backups in a place, the newest first.
func List(ctx context.Context, where string, a Access) (sets []*Set, err error) {
	p, err := openPlace(where, a)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	return p.sets(ctx)
}
