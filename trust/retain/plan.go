package retain

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/subject"
)

// State says where a plan stands.
type State string

// The states.
const (
	Draft     State = "draft"     // only shown
	Waiting   State = "waiting"   // for its time, or for a person
	Applied   State = "applied"   // what it showed and was still due is gone
	Cancelled State = "cancelled" // nothing was removed
	Failed    State = "failed"    // a keeper removed something else than was shown
)

// Kept is an item that is due and stays.
type Kept struct {
	Item
	Hold  string    // id of the legal hold
	Law   string    // citation of the floor
	Until time.Time // when the law's period ends
}

// Plan is what one rule would remove from one keeper, or has removed.
type Plan struct {
	ID       string
	Keeper   string
	Category string
	Part     string
	Period   string // such as 365d
	Cut      Cut
	Archives bool // items go to the archive first
	State    State

	Items  []Item // of a draft, and while the plan waits
	Held   []Kept // only of a draft
	Locked []Kept // only of a draft

	Count, Rows, Bytes     int64 // of Items
	HeldCount, LockedCount int64
	Total                  int64 // rows that the keeper had
	Oldest, Newest         time.Time
	Digest                 []byte // of Items
	Wide                   bool   // takes an unusual share of the category

	MadeAt      time.Time
	DueAt       time.Time // when it is applied
	Told        int64     // mails that went out
	ConfirmedBy account.MemberID
	ConfirmedAt time.Time // zero = not confirmed
	EndedAt     time.Time
	Removed     int64
	RemovedSum  []byte // digest of what was removed
	Why         string

	Before *Change // against the last plan of the same keeper and rule; only of a draft
}

// Change is how a draft differs from the plan before.
type Change struct {
	Plan        string
	Rows, Count int64 // of that plan
	More, Fewer int64 // items; exact while that plan waits, else by their counts
}

// Stopped tells whether the plan waits for a person.
func (p *Plan) Stopped() bool { return p.State == Waiting && p.Wide && p.ConfirmedAt.IsZero() }

// Share is how much of the category the plan takes, in per cent, rounded up.
func (p *Plan) Share() int {
	if p.Total <= 0 {
		return 0
	}
	return int((p.Rows*100 + p.Total - 1) / p.Total)
}

func sums(items []Item) (count, rows, bytes int64) {
	for _, i := range items {
		rows += i.Rows
		bytes += i.Bytes
	}
	return int64(len(items)), rows, bytes
}

// Digest is a fingerprint of items, whatever their order: their names, events and rows.
func Digest(items []Item) []byte {
	sorted := slices.SortedFunc(slices.Values(items), func(a, b Item) int { return cmp.Compare(a.Key, b.Key) })
	h := sha256.New()
	var n [8]byte
	for _, i := range sorted {
		for _, v := range []int64{int64(len(i.Key)), i.At.UnixMilli(), i.Rows} {
			binary.BigEndian.PutUint64(n[:], uint64(v))
			h.Write(n[:])
		}
		h.Write([]byte(i.Key))
	}
	return h.Sum(nil)
}

// Plans shows what each rule would remove now. Nothing is changed.
func (s *Sweeper) Plans(ctx context.Context, org account.OrgID) ([]*Plan, error) {
	duties, _, err := s.duties(ctx, org)
	if err != nil {
		return nil, err
	}
	var out []*Plan
	for _, d := range duties {
		p, err := s.draft(ctx, org, d)
		if err != nil {
			return nil, err
		}
		if p.Before, err = s.change(ctx, org, p); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// draft makes the plan of one rule and one keeper. Members are told a while before, so the plan looks that far ahead.
func (s *Sweeper) draft(ctx context.Context, org account.OrgID, d duty) (*Plan, error) {
	now := s.d.Now()
	due := now
	if d.rule.Notice.Said() {
		due = d.rule.Notice.After(now, nil)
	}
	p := &Plan{
		ID: id.New("rtp"), Keeper: d.keeper.Name, Category: d.rule.Category, Part: d.rule.Part, Period: d.rule.Max.String(), Cut: d.rule.cut(due),
		Archives: d.rule.Archive.Said() && !d.rule.Unused, State: Draft, MadeAt: now, DueAt: due,
	}
	items, err := d.keeper.Due(ctx, org, p.Cut)
	if err != nil {
		return nil, err
	}
	if err := s.sort(ctx, org, d, p, items); err != nil {
		return nil, err
	}
	p.measure()
	if len(p.Items) == 0 || d.keeper.Count == nil {
		return p, nil
	}
	if p.Total, err = d.keeper.Count(ctx, org); err != nil {
		return nil, err
	}
	p.Wide = !d.keeper.Routine && p.Rows >= fewRows && p.Rows*100 > p.Total*int64(s.d.MaxShare)
	return p, nil
}

// sort puts each item among those that go, are held or are locked.
func (s *Sweeper) sort(ctx context.Context, org account.OrgID, d duty, p *Plan, items []Item) error {
	cover, err := s.d.Holds.Cover(ctx, s.d.DB, org, d.rule.Category)
	if err != nil {
		return err
	}
	for _, i := range items {
		if !i.At.Before(p.Cut.Before) {
			return fault.New(fault.Internal, "The keeper %s called %s due, whose time has not come.", d.keeper.Name, i.Key)
		}
		if name, held := cover.Holds(i.Who...); held {
			p.Held = append(p.Held, Kept{Item: i, Hold: name})
			continue
		}
		if f, until := d.rule.floor(i.At); until.After(p.DueAt) {
			p.Locked = append(p.Locked, Kept{Item: i, Law: f.Cite, Until: until})
			continue
		}
		p.Items = append(p.Items, i)
	}
	return nil
}

func (p *Plan) measure() {
	p.Count, p.Rows, p.Bytes = sums(p.Items)
	p.HeldCount, p.LockedCount = int64(len(p.Held)), int64(len(p.Locked))
	p.Digest = Digest(p.Items)
	p.Oldest, p.Newest = time.Time{}, time.Time{}
	for _, i := range p.Items {
		if p.Oldest.IsZero() || i.At.Before(p.Oldest) {
			p.Oldest = i.At
		}
		if i.At.After(p.Newest) {
			p.Newest = i.At
		}
	}
}

// change compares a draft with the plan of the same rule before it.
func (s *Sweeper) change(ctx context.Context, org account.OrgID, p *Plan) (*Change, error) {
	last, err := s.last(ctx, org, p)
	if err != nil || last == nil {
		return nil, err
	}
	c := &Change{Plan: last.ID, Rows: last.Rows, Count: last.Count}
	if last.State != Waiting {
		c.More, c.Fewer = max(0, p.Count-last.Count), max(0, last.Count-p.Count)
		return c, nil
	}
	before, err := s.items(ctx, s.d.DB, org, last.ID)
	if err != nil {
		return nil, err
	}
	for _, i := range p.Items {
		if _, ok := before[i.Key]; !ok {
			c.More++
		}
	}
	c.Fewer = int64(len(before)) - (p.Count - c.More)
	return c, nil
}

// members are the members among the persons of items.
func members(items []Item) []subject.Ref {
	var out []subject.Ref
	seen := map[subject.Ref]bool{}
	for _, i := range items {
		for _, w := range i.Who {
			if w.Kind == subject.Member && !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return out
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
