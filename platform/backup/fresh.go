package backup

import (
	"context"
	"fmt"
	"time"

	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/vault"
)

const (
	// late is when a day's backup counts as missed: a day, and time to make it.
	late = 26 * time.Hour
	// again is how long the service waits after a backup that failed.
	again = 15 * time.Minute
)

// State says in a word how backups stand.
type State string

// The states. All but Fresh need somebody's attention.
const (
	Fresh       State = "fresh"
	NoPlace     State = "no_place"     // no place is configured
	Waiting     State = "waiting"      // none was made yet
	Failing     State = "failing"      // none went well yet, or the last good one is too old and attempts fail
	Late        State = "late"         // the last good one is too old
	DrillFailed State = "drill_failed" // the last drill failed
)

// Status is how backups stand.
type Status struct {
	State      State     `json:"state"`
	Configured bool      `json:"configured"`
	Where      string    `json:"where"`
	KeysOnly   bool      `json:"keys_only"` // the data is in PostgreSQL
	Fresh      bool      `json:"fresh"`
	Sentence   string    `json:"sentence"`
	Targets    []*Target `json:"targets"`
	Overdue    []string  `json:"overdue,omitempty"` // a sentence for each place that may hold keys which should be destroyed
}

// Target is what is known of the configured place; nil when nothing is.
func (s *Status) Target() *Target { return (&state{s.Targets}).target(s.Where) }

// Status tells how backups stand. It reads what is remembered, and asks no place.
func (s *Service) Status() (*Status, error) {
	targets, err := s.Targets()
	if err != nil {
		return nil, err
	}
	now := s.Now()
	out := &Status{Configured: s.Config.Where != "", Where: s.Config.Where, Targets: targets, KeysOnly: s.DB.Engine() != db.SQLite}
	out.State, out.Sentence = s.freshness(out.Target(), now)
	out.Fresh = out.State == Fresh
	for _, t := range targets {
		if held, ok := overdue(t, now); ok {
			out.Overdue = append(out.Overdue, fmt.Sprintf("%s may still hold keys of backups that were to be destroyed by %s. Connect it and run \"parley backup sync\", or destroy the %s there.", t.Where, held, vault.EpochsFile))
		}
	}
	return out, nil
}

func (s *Service) freshness(t *Target, now time.Time) (State, string) {
	switch {
	case s.Config.Where == "":
		return NoPlace, "No backups are made by themselves. Set backup.target to a folder on another disk, or to a bucket."
	case t == nil || t.Good == nil && t.Last == nil:
		return Waiting, fmt.Sprintf("No backup was made to %s yet. The server makes the first one when it runs.", s.Config.Where)
	case t.Good == nil:
		return Failing, fmt.Sprintf("No backup to %s went well yet. The last attempt says: %s", s.Config.Where, t.Last.Sentence)
	case now.Sub(t.Good.At) > late && t.Last != nil && t.Last.Sentence != "":
		return Failing, fmt.Sprintf("The last good backup to %s is of %s. The last attempt says: %s", s.Config.Where, when(t.Good.At), t.Last.Sentence)
	case now.Sub(t.Good.At) > late:
		return Late, fmt.Sprintf("The last good backup to %s is of %s. Backups are made while the server runs; see its log.", s.Config.Where, when(t.Good.At))
	case t.Drill != nil && !t.Drill.OK:
		return DrillFailed, fmt.Sprintf("The last backup to %s is of %s, but the last restore drill failed: %s", s.Config.Where, when(t.Good.At), t.Drill.Sentence)
	default:
		return Fresh, fmt.Sprintf("The last backup to %s is of %s.", s.Config.Where, when(t.Good.At))
	}
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

// overdue tells whether a place was not reached since a key in its copy of epochs.keys was to be destroyed, and when that
// was.
func overdue(t *Target, now time.Time) (civil.Day, bool) {
	oldest, err := civil.Parse(t.Oldest)
	if err != nil { // there is no copy
		return 0, false
	}
	due := oldest + vault.EpochDays
	return due, civil.Today(now, time.UTC) >= due
}

// Due tells whether the day's backup is to be made now.
func (s *Service) Due() (bool, error) {
	if s.Config.Where == "" {
		return false, nil
	}
	targets, err := s.Targets()
	if err != nil {
		return false, err
	}
	now := s.Now()
	t := (&state{targets}).target(s.Config.Where)
	if t == nil || t.Last == nil {
		return true, nil
	}
	if t.Last.Sentence != "" && now.Sub(t.Last.At) < again && !t.Last.At.After(now) {
		return false, nil
	}
	y, m, d := now.Date()
	last := time.Date(y, m, d, s.Config.Hour, 0, 0, 0, now.Location())
	if last.After(now) {
		last = last.AddDate(0, 0, -1)
	}
	return t.Good == nil || t.Good.At.Before(last), nil
}

// DrillDue tells whether it is time to restore a backup for trial.
func (s *Service) DrillDue() (bool, error) {
	if s.Config.Where == "" || s.Config.DrillDays <= 0 {
		return false, nil
	}
	targets, err := s.Targets()
	if err != nil {
		return false, err
	}
	t := (&state{targets}).target(s.Config.Where)
	if t == nil || t.Good == nil {
		return false, nil
	}
	return t.Drill == nil || s.Now().Sub(t.Drill.At) >= time.Duration(s.Config.DrillDays)*24*time.Hour, nil
}

// Tick is what the server calls every minute: it destroys keys that are due, makes the backup that is due, and tries one
// that is due to be tried. did is told of each thing that was done, with its error.
func (s *Service) Tick(ctx context.Context, did func(what string, err error)) {
	if s.changed() {
		if err := s.Sync(ctx); err != nil {
			did("keys of backups", err)
		}
	}
	due, err := s.Due()
	if due {
		_, err = s.Run(ctx, "", false, nil)
	}
	if due || err != nil {
		did("backup", err)
	}
	due, err = s.DrillDue()
	if due {
		_, err = s.Drill(ctx, "", nil)
	}
	if due || err != nil {
		did("restore drill", err)
	}
}

// changed tells whether copies of our files should be looked after: once an hour, and when somebody was erased or
// lost access.
func (s *Service) changed() bool {
	erased, err := s.Keys.ErasedFile()
	if err != nil {
		return true
	}
	revoked, err := s.Revoked.File()
	if err != nil {
		return true
	}
	size := len(erased) + len(revoked)
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if size == s.looked.bytes && now.Sub(s.looked.at) < time.Hour && !now.Before(s.looked.at) {
		return false
	}
	s.looked.bytes, s.looked.at = size, now
	return true
}
