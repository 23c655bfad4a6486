package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley/platform/fault"
	"parley/platform/revoke"
	"parley/platform/vault"
)

// Source is a place that backups are fetched from.
type Source struct {
	p      *place
	set    *Set
	epochs *vault.Epochs
	// EpochsRaw is the copy of epochs.keys that the backup's key comes from.
	EpochsRaw []byte
	now       time.Time
}

// OpenSource chooses a backup: the one of a name, or the newest when name is "". live is the epochs.keys of the data that
// is there, nil when there is none; where it belongs to the same key store, what it has destroyed stays destroyed.
func OpenSource(ctx context.Context, where, name string, a Access, master vault.Master, live []byte, now time.Time) (s *Source, err error) {
	p, err := openPlace(where, a)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	sets, err := p.sets(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sets, func(s *Set) bool { return name == "" || s.Name == name })
	switch {
	case len(sets) == 0:
		return nil, fault.New(fault.NotFound, "There is no backup in %s. Check the path.", p)
	case i < 0:
		return nil, fault.New(fault.NotFound, "There is no backup %s in %s. \"parley backup list\" shows those that are there.", name, p)
	}
	s = &Source{p: p, set: sets[i], now: now}
	return s, s.findEpochs(ctx, master, live)
}

// findEpochs opens the file of epoch keys.
func (s *Source) findEpochs(ctx context.Context, master vault.Master, live []byte) error {
	raw, err := s.p.read(ctx, vault.EpochsFile)
	if err != nil {
		return err
	}
	if raw == nil && live == nil {
		return fault.New(fault.Unavailable, "The file %s does not lie beside the backups in %s. Put the newest copy of it there: without it no backup can be opened.", vault.EpochsFile, s.p)
	}
	if live != nil {
		ours, err := vault.EpochsStore(live)
		theirs, errThere := vault.EpochsStore(raw)
		if err == nil && (raw == nil || errThere != nil || ours == theirs) {
			raw = live
		}
	}
	if s.epochs, err = vault.ReadEpochs(ctx, raw, master); err != nil {
		return fault.Wrap(fault.KindOf(err), err, "The backups in %s cannot be opened with their %s. %s If the master key is lost, the backups are lost with it: nobody can open them, and neither can we.", s.p, vault.EpochsFile, fault.Sentence(err))
	}
	s.EpochsRaw = raw
	return nil
}

// Close lets go of the place.
func (s *Source) Close() error { return s.p.close() }

// Set is the backup that was chosen.
func (s *Source) Set() *Set { return s.set }

// Store names the key store that the backup belongs to.
func (s *Source) Store() string { return s.epochs.Store() }

// Erased gives the journal of destroyed keys that lies beside the backups.
func (s *Source) Erased(ctx context.Context) ([]vault.Erasure, error) {
	raw, err := s.p.read(ctx, vault.ErasedFile)
	if err != nil {
		return nil, err
	}
	return vault.ReadErasures(raw)
}

// Revoked gives the journal of access that was taken away, which lies beside the backups.
func (s *Source) Revoked(ctx context.Context) ([]revoke.Entry, error) {
	raw, err := s.p.read(ctx, revoke.FileName)
	if err != nil {
		return nil, err
	}
	return revoke.Read(raw)
}

// Fetch opens the backup's parts into an empty folder: parley.db, keys.db and root.key, wrapped under master.
func (s *Source) Fetch(ctx context.Context, dir string, parts []Part, master vault.Master, progress Progress) (*Header, error) {
	var head *Header
	for _, part := range parts {
		if !s.set.Has(part) {
			return nil, fault.New(fault.NotFound, "The backup %s has no %s.", s.set.Name, part)
		}
		h, err := s.fetchPart(ctx, dir, part, progress)
		if err != nil {
			return nil, err
		}
		head = h
		if part != Keys {
			continue
		}
		path := filepath.Join(dir, rootFile)
		root, err := os.ReadFile(path)
		if err == nil {
			err = errors.Join(vault.WriteRoot(ctx, dir, master, root), os.Remove(path))
		}
		if err != nil {
			return nil, err
		}
	}
	return head, nil
}

func (s *Source) fetchPart(ctx context.Context, dir string, part Part, progress Progress) (h *Header, err error) {
	name := partName(s.set.Name, part)
	info, err := s.p.List(ctx, name)
	if err != nil {
		return nil, err
	}
	var size int64
	for _, i := range info {
		size += i.Size
	}
	from, err := s.p.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	return unpack(ctx, from, size, name, dir, func(h *Header) ([]byte, error) { return s.keyOf(h, part, name) }, progress)
}

func (s *Source) keyOf(h *Header, part Part, name string) ([]byte, error) {
	if h.Part != part {
		return nil, fault.New(fault.Invalid, "%s is not what its name says: it holds the %s. Rename it.", name, h.Part)
	}
	if h.Store != s.epochs.Store() {
		return nil, fault.New(fault.Invalid, "The backup %s belongs to another installation than the %s beside it.", name, vault.EpochsFile)
	}
	day, err := h.day()
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s is no backup that Parley wrote.", name)
	}
	return s.epochs.Key(day, s.now)
}

// Drill restores the newest backup of a place, "" for the configured one, into a folder of its own, counts its rows, opens
// it as a start would, and removes it again. What it found is remembered; a failed drill is an error, too.
func (s *Service) Drill(ctx context.Context, where string, progress Progress) (*DrillResult, error) {
	where, err := s.where(where)
	if err != nil {
		return nil, err
	}
	if !s.working.TryLock() {
		return nil, errBusy()
	}
	defer s.working.Unlock()
	result := &DrillResult{At: s.Now()}
	err = s.drill(ctx, where, result, progress)
	result.OK, result.Took = err == nil, s.Now().Sub(result.At).Seconds()
	result.Sentence = fmt.Sprintf("%s opens: %d rows in %d tables are as they were when it was made.", result.Set, result.Rows, result.Tables)
	if err != nil {
		result.Sentence = fault.Sentence(err)
	}
	if ctx.Err() != nil {
		return nil, err // stopped, which says nothing about the backup
	}
	return result, errors.Join(err, s.note(where, func(t *Target) { t.Drill = result }), s.did(ctx, Deed{What: Tried, Where: where, Set: result.Set, Err: err}))
}

func (s *Service) drill(ctx context.Context, where string, result *DrillResult, progress Progress) (err error) {
	from, err := OpenSource(ctx, where, "", s.Config.Access, s.Master, s.Keys.Epochs().File(), s.Now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	result.Set = from.Set().Name
	dir, err := os.MkdirTemp(s.Dir, drillPrefix)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The drill cannot be held in %s. Check that there is room for a copy of the data.", s.Dir)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := from.Fetch(ctx, dir, from.Set().Parts, s.Master, progress); err != nil {
		return err
	}
	if from.Set().Has(Data) {
		if result.Tables, result.Rows, err = compare(ctx, dir, s.Keys.DatabaseKey()); err != nil {
			return err
		}
	}
	return s.Trial(ctx, dir)
}

// compare counts the rows that were restored against those that were counted when the backup was made.
func compare(ctx context.Context, dir string, key []byte) (tables int, rows int64, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, countsFile))
	if err != nil {
		return 0, 0, err
	}
	var want map[string]int64
	if err := json.Unmarshal(raw, &want); err != nil {
		return 0, 0, err
	}
	have, err := countFile(ctx, filepath.Join(dir, dataFile), key)
	if err != nil {
		return 0, 0, err
	}
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if have[table] != want[table] {
			return 0, 0, fault.New(fault.Internal, "The restored table %s has %d rows; it had %d when the backup was made.", table, have[table], want[table])
		}
		rows += have[table]
	}
	if len(have) != len(want) {
		return 0, 0, fault.New(fault.Internal, "The restored data has %d tables; it had %d when the backup was made.", len(have), len(want))
	}
	return len(want), rows, os.Remove(filepath.Join(dir, countsFile))
}
