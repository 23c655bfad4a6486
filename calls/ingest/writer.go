// Package ingest is the one way calls come in: from phones that sync and from files that are dropped. Everything goes
// through one writer, which commits what arrives together as one transaction and answers after the commit.
package ingest

import (
	"context"
	"embed"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
	"parley/trust/hold"
)

// Schema holds the package's tables, series "ingest".
//
//go:embed schema/*.sql schema/data.tsv
var Schema embed.FS

// State says what became of one call that was handed in.
type State int8

// The states.
const (
	New State = iota + 1
	Known
	Changed
	Excluded
	Refused
	Erased // the person's data was erased after the call: nothing was stored
)

var stateWords = [...]string{"", "new", "known", "changed", "excluded", "refused", "erased"}

// String is the state's word in the API.
func (s State) String() string { return stateWords[s] }

// Answer is what became of one call. Key is set when the call is stored; Reason when it was refused.
type Answer struct {
	State  State
	Key    call.Key
	Reason string
}

// Item is one call to be stored.
type Item struct {
	Agent        account.AgentNo
	Line         call.LineNo
	Start        time.Time
	Number       string // canonical; "" when withheld
	Direction    call.Direction
	Type         call.Type
	Seconds      int
	Source       call.Source
	Presentation call.Presentation
	Name         string // contact name as the source logged it
	Note         string
	Tags         []string
	// Ref is positive for the hash of a device's own key of the call, and negative for the number of an import.
	Ref int64
}

// Bounds of what can be true of a call.
const (
	earliest   = 946_684_800_000 // 2000-01-01 in Unix ms: older dates come from clocks that were never set
	maxSeconds = 7 * 24 * 3600
	maxAhead   = 48 * time.Hour // clocks and zones may be off by a day
	maxNumber  = 64             // characters; longer ones are not numbers
)

// check refuses what cannot be a call.
func (it *Item) check(now time.Time) error {
	switch ms := it.Start.UnixMilli(); {
	case it.Agent <= 0:
		return fault.New(fault.Invalid, "The call belongs to no agent. Give the line an agent first.")
	case ms < earliest:
		return fault.New(fault.Invalid, "The call starts on %s, before the year 2000: the clock that logged it was not set. Correct the time and send it again.", it.Start.UTC().Format(time.DateOnly))
	case it.Start.After(now.Add(maxAhead)):
		return fault.New(fault.Invalid, "The call starts on %s, more than two days ahead of the server's clock. Correct the time and send it again.", it.Start.UTC().Format(time.DateOnly))
	case it.Seconds < 0 || it.Seconds > maxSeconds:
		return fault.New(fault.Invalid, "The call lasted %d s; a duration is from 0 s to 7 days. Send it in seconds.", it.Seconds)
	case len(it.Number) > maxNumber:
		return fault.New(fault.Invalid, "The number has %d characters; at most %d fit. Check that the field really holds a number.", len(it.Number), maxNumber)
	}
	return nil
}

// Limits of one group of writes that commit together.
const (
	groupCalls = 5000
	queue      = 256
)

// job is one request to the writer: do runs inside the group's transaction and may run again after a failed one.
type job struct {
	calls int
	do    func(ctx context.Context, u *unit) error
	done  chan error
	alone bool // in a transaction of its own
}

// Writer is the only writer of calls. Run must be running.
type Writer struct {
	db      *db.DB
	keys    *vault.Keys
	book    *number.Book
	trust   Trust
	now     func() time.Time
	jobs    chan *job
	next    *job // was taken from jobs and belongs to the next group; of Run alone
	ended   chan struct{}
	inserts [len(insertSizes)]string
	recent  recent
	watch   func(ctx context.Context, tx *db.Tx, org account.OrgID, c *Changes) error // nil when nobody does
	trip    func(step string) error                                                   // of tests alone
}

// Trust is what privacy has to say about calls. The zero value has nothing to say.
type Trust struct {
	// Buried gives an organisation's erased numbers as they are now. It is not asked in a transaction that buries.
	Buried func(ctx context.Context, c db.Conn, org account.OrgID) (Buried, error)
	// Bury marks a canonical number as erased now.
	Bury func(ctx context.Context, tx *db.Tx, org account.OrgID, canonical string) error
	// Gate is asked before calls are deleted.
	Gate call.Gate
}

// Buried are the numbers of persons whose data was erased.
type Buried interface {
	Len() int
	// Erased tells whether and when a canonical number was erased. What began before then is not stored.
	Erased(canonical string) (time.Time, bool)
}

// NewWriter makes a Writer; run it with Run.
func NewWriter(d *db.DB, keys *vault.Keys, book *number.Book, trust Trust, now func() time.Time) *Writer {
	return &Writer{db: d, keys: keys, book: book, trust: trust, now: now, jobs: make(chan *job, queue), ended: make(chan struct{}),
		inserts: insertTexts(), recent: recent{days: map[orgDay]*recentDay{}}}
}

// Run writes until ctx ends; then it finishes what it has begun and refuses what still waits.
func (w *Writer) Run(ctx context.Context) {
	defer close(w.ended)
	steady := context.WithoutCancel(ctx) // a commit that began is finished
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-w.jobs:
			for w.next = first; w.next != nil; {
				w.commit(steady, w.gather())
			}
		}
	}
}

// gather takes along what already waits. It does not wait itself: while one group is flushed to disk the next one
// collects, which under load fills groups by itself and with one client adds no delay.
func (w *Writer) gather() []*job {
	group, calls := []*job{w.next}, w.next.calls
	w.next = nil
	for calls < groupCalls && !group[0].alone {
		select {
		case j := <-w.jobs:
			if j.alone {
				w.next = j
				return group
			}
			group = append(group, j)
			calls += j.calls
		default:
			return group
		}
	}
	return group
}

// commit writes a group as one transaction. When one of several fails, each is tried alone, so that nobody pays for a
// neighbour's fault.
func (w *Writer) commit(ctx context.Context, group []*job) {
	err := w.attempt(ctx, group)
	if err == nil || len(group) == 1 {
		for _, j := range group {
			j.done <- err
		}
		return
	}
	for _, j := range group {
		j.done <- w.attempt(ctx, []*job{j})
	}
}

func (w *Writer) attempt(ctx context.Context, group []*job) error {
	var u *unit
	err := w.db.Tx(ctx, func(tx *db.Tx) error {
		u = newUnit(w, tx)
		for _, j := range group {
			if err := j.do(ctx, u); err != nil {
				return err
			}
		}
		return u.flush(ctx)
	})
	if err != nil {
		return err
	}
	for _, fn := range u.committed {
		fn()
	}
	return nil
}

// errEnded tells callers that the server is going down.
func errEnded() error {
	return fault.New(fault.Unavailable, "The server is stopping and takes no more calls. Send them again in a moment.")
}

// submit hands a job to the writer and waits for the commit. When ctx ends first the job may still be carried out;
// sending it again is safe.
func (w *Writer) submit(ctx context.Context, calls int, do func(ctx context.Context, u *unit) error) error {
	return w.hand(ctx, &job{calls: calls, do: do, done: make(chan error, 1)})
}

func (w *Writer) hand(ctx context.Context, j *job) error {
	select {
	case w.jobs <- j:
	case <-w.ended:
		return errEnded()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-j.done:
		return err
	case <-w.ended:
		select {
		case err := <-j.done:
			return err
		default:
			return errEnded()
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Put stores calls and tells what became of each, in order, after they are durable.
func (w *Writer) Put(ctx context.Context, org *account.Org, items []Item) ([]Answer, error) {
	var answers []Answer
	err := w.submit(ctx, len(items), func(ctx context.Context, u *unit) (err error) {
		answers, err = u.put(ctx, org, items, nil)
		return err
	})
	return answers, err
}

// Delete removes calls and tells for each whether it was there. Nothing is removed when a legal hold keeps one of them.
func (w *Writer) Delete(ctx context.Context, org *account.Org, keys []call.Key) ([]bool, error) {
	there := make([]bool, len(keys))
	err := w.submit(ctx, len(keys), func(ctx context.Context, u *unit) (err error) {
		if err := w.trust.Gate.Ask(ctx, u.tx, org.ID, hold.CallDelete, call.CategoryCall, keys...); err != nil {
			return err
		}
		for i, k := range keys {
			if there[i], err = u.delete(ctx, org, k, 0); err != nil {
				return err
			}
		}
		return nil
	})
	return there, err
}

// Correct puts item in the place of the call at key, whose note and tags it keeps.
func (w *Writer) Correct(ctx context.Context, org *account.Org, key call.Key, item Item) (Answer, error) {
	var answer Answer
	err := w.submit(ctx, 1, func(ctx context.Context, u *unit) (err error) {
		answer, err = u.correct(ctx, org, key, item)
		return err
	})
	return answer, err
}

// Do runs fn in the writer's transaction, for changes that must commit together with calls. What was handed in before it
// is in the tables when it runs.
func (w *Writer) Do(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	return w.submit(ctx, 0, func(ctx context.Context, u *unit) error {
		if err := u.flush(ctx); err != nil {
			return err
		}
		u.restart() // fn may change what was read
		return fn(ctx, u.tx)
	})
}

// putImport stores calls of an import together with what also, in the same transaction, records of it. also may run
// again after a failed transaction.
func (w *Writer) putImport(ctx context.Context, org *account.Org, items []Item, taken *claims, also func(ctx context.Context, tx *db.Tx, answers []Answer) error) error {
	return w.submit(ctx, len(items), func(ctx context.Context, u *unit) error {
		answers, err := u.put(ctx, org, items, taken)
		if err != nil {
			return err
		}
		return also(ctx, u.tx, answers)
	})
}
