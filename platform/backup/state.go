package backup

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley/platform/fault"
)

// stateFile is where the service remembers what it did; it lies in the data folder and goes into no backup.
const stateFile = "backups.json"

// Result is how one backup went.
type Result struct {
	Set      string    `json:"set,omitempty"` // "" when it failed
	At       time.Time `json:"at"`
	Bytes    int64     `json:"bytes,omitempty"`
	Took     float64   `json:"took_seconds"`
	Sentence string    `json:"sentence,omitempty"` // why it failed
}

// DrillResult is how one restore drill went.
type DrillResult struct {
	Set      string    `json:"set"`
	At       time.Time `json:"at"`
	OK       bool      `json:"ok"`
	Tables   int       `json:"tables"`
	Rows     int64     `json:"rows"`
	Took     float64   `json:"took_seconds"`
	Sentence string    `json:"sentence"`
}

// Target is a place that has backups of ours, and what is known of it.
type Target struct {
	Where  string       `json:"where"`
	Since  time.Time    `json:"since"`
	Last   *Result      `json:"last,omitempty"`  // the last attempt
	Good   *Result      `json:"good,omitempty"`  // the last that went well
	Drill  *DrillResult `json:"drill,omitempty"` // the last drill
	Synced time.Time    `json:"synced"`          // when the copy of epochs.keys there was last made equal to ours
	Oldest string       `json:"oldest"`          // the oldest day in that copy
}

// state is the file.
type state struct {
	Targets []*Target `json:"targets"`
}

func (s *state) target(where string) *Target {
	i := slices.IndexFunc(s.Targets, func(t *Target) bool { return t.Where == where })
	if i < 0 {
		return nil
	}
	return s.Targets[i]
}

// known gives the target at where, new when it is.
func (s *state) known(where string, now time.Time) *Target {
	if t := s.target(where); t != nil {
		return t
	}
	t := &Target{Where: where, Since: now}
	s.Targets = append(s.Targets, t)
	return t
}

func readState(dir string) (*state, error) {
	path := filepath.Join(dir, stateFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{}, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The file %s cannot be read. Check that it belongs to the user who runs Parley.", path)
	}
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The file %s is damaged. Remove it; the next backup makes it anew.", path)
	}
	return &s, nil
}

func (s *state) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, stateFile)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
