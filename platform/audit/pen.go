package audit

import (
	"context"
	"strconv"
	"sync"
	"time"

	"parley/platform/vault"
)

// entry is an entry on its way into a log: what can be made of it before its place is known, which is most of the work, is
// made by whoever records it, and not one after the other by whoever writes.
type entry struct {
	*Entry
	by     *pen      // that made the rest; nil = not made yet
	leaf   [3][]byte // the text around its place and its time
	actor  int64
	about  int64
	sealed []byte
}

func draft(entries []Entry) []*entry {
	out := make([]*entry, len(entries))
	for i := range entries {
		out[i] = &entry{Entry: &entries[i]}
	}
	return out
}

// pen is what entries of one log are written with.
type pen struct {
	keys   *vault.OrgKeys
	secret []byte // of the keyed hashes; never changes
}

// pens remembers the pens of the logs that were written to.
type pens struct {
	mu sync.Mutex
	of map[int64]*pen
}

// take gives the pen of a log whose state was read, and remembers it.
func (p *pens) take(h *head) *pen {
	mine := &pen{keys: h.keys, secret: h.secret}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of[h.org] = mine
	return mine
}

// write makes what it can of entries of a log, where the pen is known.
func (p *pens) write(ctx context.Context, org int64, entries []*entry) error {
	p.mu.Lock()
	mine := p.of[org]
	p.mu.Unlock()
	if mine == nil {
		return nil
	}
	h := newHasher(mine.secret)
	for _, e := range entries {
		if err := mine.write(ctx, h, e); err != nil {
			return err
		}
	}
	return nil
}

// write makes everything of an entry but what its place decides.
func (p *pen) write(ctx context.Context, h *hasher, e *entry) error {
	if err := e.check(); err != nil {
		return err
	}
	f := Leaf{Action: e.Action, Policy: e.Policy, Purpose: e.Purpose, Result: e.Result, V: leafVersion}
	if f.Result == "" {
		f.Result = OK
	}
	f.Actor, f.About, f.Object = h.pseudonym(e.who()), h.pseudonym(e.About), h.pseudonym(e.Object)
	e.actor, e.about = searchKey(f.Actor), searchKey(f.About)
	commitment, opening, err := commit(&payload{About: e.About, Actor: e.who(), Details: e.Details, Object: e.Object})
	if err != nil {
		return err
	}
	f.Commitment = commitment
	if e.leaf, err = f.around(); err != nil {
		return err
	}
	if e.sealed, err = seal(ctx, p.keys, e.About, opening); err != nil {
		return err
	}
	e.by = p
	return nil
}

// row is an entry, ready to be stored.
type row struct {
	n            int64
	at           int64
	action       string
	actor, about int64
	leaf         string
	sealed       []byte
}

// place makes the leaf of an entry that is to stand at the end of the log.
func (l *Log) place(h *head, e *entry) row {
	h.last = max(h.last, l.now().UnixMilli()) // times never go back, so that they can be searched
	text := make([]byte, 0, len(e.leaf[0])+len(e.leaf[1])+len(e.leaf[2])+20+len(leafTime))
	text = strconv.AppendInt(append(text, e.leaf[0]...), h.size, 10)
	text = time.UnixMilli(h.last).UTC().AppendFormat(append(text, e.leaf[1]...), leafTime)
	text = append(text, e.leaf[2]...)
	return row{n: h.size, at: h.last, action: string(e.Action), actor: e.actor, about: e.about, leaf: string(text), sealed: e.sealed}
}
