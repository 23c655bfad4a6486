package vault

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
)

// EpochsFile is the name of the file of epoch keys, in the data folder and beside backups.
const EpochsFile = "epochs.keys"

// EpochDays is how many days a backup can be opened: the key of its epoch is destroyed on the 30th day after it was made.
const EpochDays = 30

// Epochs are the keys that seal backups: one for each day (in UTC) on which there was one, wrapped under the master key in
// a file of their own. A key that is destroyed there, and in the copies beside backups, takes all backups of its day along.
type Epochs struct {
	path  string // "" for a copy that is only read
	store string

	mu     sync.Mutex
	master Master
	days   map[civil.Day][]byte
	raw    []byte // the file as it stands
}

// epochFile is the form of the file. Wrapped is an epochSecret, once for each master key; there are two of them only
// while the master key changes.
type epochFile struct {
	Form  string      `json:"form"`
	Store string      `json:"store"` // whose backups they are, see StoreID
	Wraps []epochWrap `json:"wraps"`
}

type epochWrap struct {
	Master  string `json:"master"`
	Wrapped []byte `json:"wrapped"`
}

type epochSecret struct {
	Store string            `json:"store"` // as outside, where anybody could change it
	Days  map[string][]byte `json:"days"`
}

const epochForm = "parley epochs 1"

func openEpochs(ctx context.Context, path string, m Master, store string) (*Epochs, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Epochs{path: path, store: store, master: m, days: map[civil.Day][]byte{}}, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The file %s, with the keys of backups, cannot be read. Check that it belongs to the user who runs Parley.", path)
	}
	e, err := ReadEpochs(ctx, raw, m)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "The file %s, with the keys of backups, cannot be used: %s Move it away to go on; backups that were made until now then cannot be opened.", path, fault.Sentence(err))
	}
	if e.store != store {
		return nil, fault.New(fault.Unavailable, "The file %s belongs to another installation. Move it away to go on; backups that need it cannot be opened without it.", path)
	}
	e.path = path
	return e, nil
}

// ReadEpochs opens a copy of the file, as it lies beside backups. Invalid when it is no such file, Unavailable when the
// master key does not fit.
func ReadEpochs(ctx context.Context, raw []byte, m Master) (*Epochs, error) {
	f, err := parseEpochs(raw)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(f.Wraps, func(w epochWrap) bool { return w.Master == m.KeyID() })
	if at < 0 {
		return nil, fault.New(fault.Unavailable, "It opens only with the master key %s; the one given here is %s.", f.Wraps[0].Master, m.KeyID())
	}
	plain, err := m.Unwrap(ctx, useEpochs, f.Wraps[at].Wrapped)
	if fault.KindOf(err) == fault.Unavailable {
		return nil, err
	}
	var s epochSecret
	if err == nil {
		err = json.Unmarshal(plain, &s)
	}
	if err != nil || s.Store != f.Store {
		return nil, fault.Wrap(fault.Invalid, err, "It is damaged: what is in it does not open under its master key.")
	}
	e := &Epochs{store: s.Store, master: m, days: map[civil.Day][]byte{}, raw: raw}
	for text, key := range s.Days {
		day, err := civil.Parse(text)
		if err != nil || len(key) != keyBytes {
			return nil, fault.New(fault.Invalid, "It is damaged: %q is no day with a key.", text)
		}
		e.days[day] = key
	}
	return e, nil
}

func parseEpochs(raw []byte) (f epochFile, err error) {
	if err := json.Unmarshal(raw, &f); err != nil || f.Form != epochForm || len(f.Wraps) == 0 {
		return f, fault.New(fault.Invalid, "It is damaged, or no file of epoch keys.")
	}
	return f, nil
}

// EpochsStore tells whose backups a copy of the file belongs to, without opening it.
func EpochsStore(raw []byte) (string, error) {
	f, err := parseEpochs(raw)
	return f.Store, err
}

// Store names the key store whose backups these keys open, see StoreID.
func (e *Epochs) Store() string { return e.store }

// Today gives the key that seals the backups of the day, made when there is none, and destroys the keys that are due.
func (e *Epochs) Today(ctx context.Context, now time.Time) (civil.Day, []byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	today := civil.Today(now, time.UTC)
	due := e.drop(today)
	key, ok := e.days[today]
	if ok && due == 0 {
		return today, key, nil
	}
	if !ok {
		key = newKey()
		e.days[today] = key
	}
	return today, key, e.save(ctx, e.master)
}

// Expire destroys the keys that are due, and tells how many there were.
func (e *Epochs) Expire(ctx context.Context, now time.Time) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	due := e.drop(civil.Today(now, time.UTC))
	if due == 0 {
		return 0, nil
	}
	return due, e.save(ctx, e.master)
}

func (e *Epochs) drop(today civil.Day) (dropped int) {
	for day, key := range e.days {
		if today-day >= EpochDays {
			clear(key)
			delete(e.days, day)
			dropped++
		}
	}
	return dropped
}

// Key gives the key of a day. A destroyed one is a Gone fault, and so is one that is due to be destroyed.
func (e *Epochs) Key(day civil.Day, now time.Time) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	today := civil.Today(now, time.UTC)
	if today-day >= EpochDays {
		return nil, fault.New(fault.Gone, "The backup was made on %s, and its key was destroyed %d days later, as promised to the people whose data was erased since. "+
			"Nobody can open it any more. (Today is %s by this machine's clock.)", day, EpochDays, today)
	}
	key, ok := e.days[day]
	if !ok {
		return nil, fault.New(fault.Gone, "The key of the backups of %s is not among the keys of this installation: it was destroyed, or the file %s is older than the backup. "+
			"Use the %s that lay beside the backup.", day, EpochsFile, EpochsFile)
	}
	return slices.Clone(key), nil
}

// Days lists the days that have a key, the oldest first.
func (e *Epochs) Days() []civil.Day {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.days))
}

// File is the file as it stands, to be laid beside backups; nil while there is none.
func (e *Epochs) File() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.raw)
}

// share lets another master key open the file too.
func (e *Epochs) share(ctx context.Context, next Master) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.raw == nil {
		return nil
	}
	return e.save(ctx, e.master, next)
}

// move lets another master key alone open the file.
func (e *Epochs) move(ctx context.Context, next Master) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.master = next
	if e.raw == nil {
		return nil
	}
	return e.save(ctx, next)
}

func (e *Epochs) save(ctx context.Context, masters ...Master) error {
	if e.path == "" {
		return errors.New("a copy of the epoch keys is only read")
	}
	s := epochSecret{Store: e.store, Days: map[string][]byte{}}
	for day, key := range e.days {
		s.Days[day.String()] = key
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f := epochFile{Form: epochForm, Store: e.store}
	for _, m := range masters {
		w, err := m.Wrap(ctx, useEpochs, plain)
		if err != nil {
			return err
		}
		f.Wraps = append(f.Wraps, epochWrap{m.KeyID(), w})
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := rewrite(e.path, append(raw, '\n')); err != nil {
		return err
	}
	e.raw = append(raw, '\n')
	return nil
}
