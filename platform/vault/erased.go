package vault

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/journal"
)

// ErasedFile is the name of the journal of destroyed keys, in the data folder and beside backups. It holds numbers and
// times, and nothing about persons: whoever restores a backup learns from it which keys must not come back.
const ErasedFile = "erased.log"

// Everybody stands for all subjects of an organisation, and the organisation itself.
const Everybody int64 = -1

// Erasure is one destroyed key.
type Erasure struct {
	At      time.Time
	Org     int64
	Subject int64 // or Everybody
}

// restoredMark is the line that a restore leaves: what stands before it is settled, and its numbers may mean others now.
const restoredMark = "restored"

func (e Erasure) line() string {
	who := "*"
	if e.Subject != Everybody {
		who = strconv.FormatInt(e.Subject, 10)
	}
	return fmt.Sprintf("%s %d %s\n", e.At.UTC().Format(journal.Stamp), e.Org, who)
}

// note puts erasures into the journal. A line is on disk before its key is destroyed, so that a destruction that was broken
// off is finished at the next start.
func (k *Keys) note(list ...Erasure) error {
	var b bytes.Buffer
	for _, e := range list {
		b.WriteString(e.line())
	}
	if err := k.erased.Add(b.Bytes()); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The journal %s cannot be written to, so nothing was erased. Check that it belongs to the user who runs Parley.", k.erased.Path())
	}
	return nil
}

// ReadErasures reads a journal. A last line that was cut off in the middle is left out: its key was not destroyed.
func ReadErasures(raw []byte) ([]Erasure, error) {
	list, _, err := readJournal(raw)
	return list, err
}

// readJournal also gives the number of erasures that stand before the last restore.
func readJournal(raw []byte) (list []Erasure, settled int, err error) {
	lines := bufio.NewScanner(bytes.NewReader(journal.Whole(raw)))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 2 && words[1] == restoredMark {
			settled = len(list)
			continue
		}
		e, ok := parseErasure(words)
		if !ok {
			return nil, 0, fault.New(fault.Invalid, "Line %d of the journal of erasures (%s) cannot be read, so it is not known whose keys must stay destroyed. Use an undamaged copy of it.", n, ErasedFile)
		}
		list = append(list, e)
	}
	return list, settled, lines.Err()
}

func parseErasure(words []string) (e Erasure, ok bool) {
	if len(words) != 3 {
		return e, false
	}
	var errs [3]error
	e.At, errs[0] = time.Parse(journal.Stamp, words[0])
	e.Org, errs[1] = strconv.ParseInt(words[1], 10, 64)
	e.Subject = Everybody
	if words[2] != "*" {
		e.Subject, errs[2] = strconv.ParseInt(words[2], 10, 64)
	}
	return e, errors.Join(errs[:]...) == nil
}

// ErasedFile is the journal as it stands, to be laid beside backups.
func (k *Keys) ErasedFile() ([]byte, error) { return k.erased.Read() }

// finishErasing destroys the keys of the last lines of the journal, if a crash kept them.
func (k *Keys) finishErasing(ctx context.Context) error {
	raw, err := k.erased.Read()
	if err != nil {
		return err
	}
	list, settled, err := readJournal(raw)
	if err != nil {
		return err
	}
	list = list[settled:]
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1].At
	_, err = k.destroyAll(ctx, slices.DeleteFunc(list, func(e Erasure) bool { return !e.At.Equal(last) }))
	return err
}

// Replay destroys, in a store that was restored from a backup made at since, the keys that were destroyed after that, and
// takes the journal over. It tells how many keys it destroyed.
func (k *Keys) Replay(ctx context.Context, list []Erasure, since time.Time) (int, error) {
	slices.SortStableFunc(list, func(a, b Erasure) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Org, b.Org), cmp.Compare(a.Subject, b.Subject))
	})
	list = slices.CompactFunc(list, func(a, b Erasure) bool { return a.At.Equal(b.At) && a.Org == b.Org && a.Subject == b.Subject })
	since = since.Truncate(time.Millisecond)
	n, err := k.destroyAll(ctx, slices.DeleteFunc(slices.Clone(list), func(e Erasure) bool { return e.At.Before(since) }))
	if err != nil {
		return n, err
	}
	var b bytes.Buffer
	for _, e := range list {
		b.WriteString(e.line())
	}
	if len(list) > 0 {
		fmt.Fprintf(&b, "%s %s\n", k.Now().UTC().Format(journal.Stamp), restoredMark)
	}
	return n, rewrite(k.erased.Path(), b.Bytes())
}

// destroyAll destroys those of the listed keys that are there.
func (k *Keys) destroyAll(ctx context.Context, list []Erasure) (destroyed int, err error) {
	subjects := map[int64][]int64{}
	for _, e := range list {
		if e.Subject != Everybody {
			subjects[e.Org] = append(subjects[e.Org], e.Subject)
			continue
		}
		there, err := k.has(ctx, e.Org)
		if err != nil {
			return destroyed, err
		}
		if there {
			destroyed++
			if err := k.destroyOrg(ctx, e.Org); err != nil {
				return destroyed, err
			}
		}
	}
	for org, who := range subjects {
		there, err := k.has(ctx, org)
		if err != nil {
			return destroyed, err
		}
		if !there {
			continue
		}
		o, err := k.Org(ctx, org)
		if err != nil {
			return destroyed, err
		}
		n, err := o.destroy(ctx, who)
		destroyed += n
		if err != nil {
			return destroyed, err
		}
	}
	return destroyed, nil
}

// destroy overwrites the keys of subjects with zeros. It tells how many there were.
func (o *OrgKeys) destroy(ctx context.Context, subjects []int64) (destroyed int, err error) {
	byBlock := map[int64][]int64{}
	for _, s := range subjects {
		byBlock[s/blockSubjects] = append(byBlock[s/blockSubjects], s)
	}
	o.turn.RLock()
	defer o.turn.RUnlock()
	if err := o.keys.store.Tx(ctx, func(tx *db.Tx) error {
		destroyed = 0
		for b, who := range byBlock {
			n, err := o.blot(ctx, tx, b, who)
			if err != nil {
				return err
			}
			destroyed += n
		}
		return nil
	}); err != nil {
		return 0, err
	}
	o.mu.Lock()
	o.destroyed++
	for b := range byBlock {
		delete(o.blocks, b)
	}
	o.mu.Unlock()
	if destroyed == 0 {
		return 0, nil
	}
	return destroyed, o.keys.store.Checkpoint(ctx) // the write-ahead log would keep the old blocks
}

// blot overwrites keys in one block.
func (o *OrgKeys) blot(ctx context.Context, tx *db.Tx, b int64, subjects []int64) (blotted int, err error) {
	var there int
	if err := tx.Row(ctx, `SELECT count(*) FROM subject_keys WHERE org_id = $1 AND block = $2`, o.org, b).Scan(&there); err != nil || there == 0 {
		return 0, err
	}
	plain, err := readBlock(ctx, tx, o.wrap, o.org, b)
	if err != nil {
		return 0, err
	}
	for _, s := range subjects {
		if key := slot(plain, s); !bytes.Equal(key, make([]byte, keyBytes)) {
			clear(key)
			blotted++
		}
	}
	if blotted == 0 {
		return 0, nil
	}
	return blotted, writeBlock(ctx, tx, o.wrap, o.org, b, plain)
}
