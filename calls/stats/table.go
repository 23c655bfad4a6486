package stats

import (
	"math"

	"parley/calls/number"
	"parley/calls/roll"
)

// seen is what a scope knows of one number over a range. Its day fields are positions in the range plus one; 0 is never.
// It has 16 bytes, since there is one for each number of the organisation.
type seen struct {
	unattended      int32
	firstUnattended uint16
	lastUnattended  uint16
	lastConnected   uint16
	firstParts      uint8 // agent-days with unattended calls on the first such day, at most 255
	connectedParts  uint8 // agent-days with connected calls on the last such day, at most 255
	flags           roll.Flags
	marks           uint8
}

// Marks on a seen number.
const (
	markMet       = 1 << iota // it had a call
	markRecovered             // on the first unattended day one agent connected after missing
	markBoth                  // the last connected agent-day had unattended calls, too
)

// add takes in one agent-day's entry; day is the position in the range plus one. Days and agents may come in any order.
func (s *seen) add(f roll.Flags, unattended int32, day uint16) {
	s.marks |= markMet
	s.flags |= f
	if f&roll.Unattended != 0 {
		s.miss(f, unattended, day)
	}
	if f&roll.Connected != 0 {
		s.connect(f, day)
	}
}

// table holds seen numbers by id, so that a figure costs one touch of memory per roll-up entry. It is used again and
// cleared by the list of ids it met.
//
// A large organisation's table is larger than the processor's caches, and entries come agent by agent, all over it. So
// entries are put aside by the part of the table they go to, and each part is worked on when enough of them are there.
type table struct {
	at     []seen
	met    []int32
	aside  [][]entry // by part; nil while the table is small
	parted bool
}

// entry is a roll-up's entry put aside: number << 32 | day << 16 | unattended calls << 8 | flags.
type entry uint64

const (
	partBits  = 13   // numbers of a part: its 128 KiB stay in the second cache
	asideMost = 1024 // entries put aside per part
	smallest  = 1 << 16
	mostAside = 0xff // unattended calls that an entry can say
)

// size makes room for numbers below n; parted chooses to put entries aside.
func (t *table) size(n number.ID, parted bool) {
	if int(n) > len(t.at) {
		t.at = make([]seen, n+n/8+1024)
		t.met = t.met[:0]
		t.aside = nil
	}
	t.parted = parted && len(t.at) > smallest
	if t.parted && t.aside == nil {
		t.aside = make([][]entry, len(t.at)>>partBits+1)
	}
}

func (t *table) clear() {
	for _, n := range t.met {
		t.at[n] = seen{}
	}
	t.met = t.met[:0]
}

func (t *table) add(e *roll.Entry, day uint16) {
	if !t.parted || e.Unattended > mostAside {
		t.put(int32(e.Number), e.Flags, e.Unattended, day)
		return
	}
	part := &t.aside[e.Number>>partBits]
	if *part == nil {
		*part = make([]entry, 0, asideMost)
	}
	*part = append(*part, entry(e.Number)<<32|entry(day)<<16|entry(e.Unattended)<<8|entry(e.Flags))
	if len(*part) == asideMost {
		t.work(part)
	}
}

// settle works on everything that was put aside.
func (t *table) settle() {
	for i := range t.aside {
		t.work(&t.aside[i])
	}
}

func (t *table) work(part *[]entry) {
	for _, e := range *part {
		t.put(int32(e>>32), roll.Flags(e&0xff), int32(e>>8&0xff), uint16(e>>16))
	}
	*part = (*part)[:0]
}

func (t *table) put(n int32, f roll.Flags, unattended int32, day uint16) {
	s := &t.at[n]
	if s.marks == 0 {
		t.met = append(t.met, n)
	}
	s.add(f, unattended, day)
}

// find is what is known of a number, or nil.
func (t *table) find(n number.ID) *seen {
	if int(n) >= len(t.at) {
		return nil
	}
	return &t.at[n]
}

// few holds the numbers that one agent met, which are few: a hash table that stays in the processor's first caches.
type few struct {
	numbers []number.ID // by slot; 0, the withheld number's id, marks a free one
	at      []seen
	used    []int32 // slots
}

const fewSlots = 1024 // at first; a power of two

func (t *few) add(e *roll.Entry, day uint16) {
	if 2*len(t.used) >= len(t.numbers) {
		t.grow()
	}
	t.slot(e.Number).add(e.Flags, e.Unattended, day)
}

func (t *few) slot(n number.ID) *seen {
	mask := len(t.numbers) - 1
	i := hashSlot(n) & mask
	for t.numbers[i] != n {
		if t.numbers[i] == number.Withheld {
			t.numbers[i] = n
			t.used = append(t.used, int32(i))
			break
		}
		i = (i + 1) & mask
	}
	return &t.at[i]
}

// find is what is known of a number, or nil.
func (t *few) find(n number.ID) *seen {
	if len(t.numbers) == 0 {
		return nil
	}
	mask := len(t.numbers) - 1
	for i := hashSlot(n) & mask; t.numbers[i] != number.Withheld; i = (i + 1) & mask {
		if t.numbers[i] == n {
			return &t.at[i]
		}
	}
	return nil
}

func hashSlot(n number.ID) int { return int(uint64(n) * 0x9e3779b97f4a7c15 >> 32) }

func (t *few) grow() {
	old := *t
	n := max(fewSlots, 2*len(old.numbers))
	*t = few{numbers: make([]number.ID, n), at: make([]seen, n), used: make([]int32, 0, n/2)}
	for _, i := range old.used {
		*t.slot(old.numbers[i]) = old.at[i]
	}
}

func (t *few) clear() {
	for _, i := range t.used {
		t.numbers[i], t.at[i] = number.Withheld, seen{}
	}
	t.used = t.used[:0]
}

func (s *seen) miss(f roll.Flags, unattended int32, day uint16) {
	s.unattended += unattended
	s.lastUnattended = max(s.lastUnattended, day)
	switch {
	case s.firstUnattended == 0 || day < s.firstUnattended:
		s.firstUnattended, s.firstParts = day, 1
		s.marks &^= markRecovered
	case day == s.firstUnattended && s.firstParts < math.MaxUint8:
		s.firstParts++
	}
	if day == s.firstUnattended && f&roll.Recovered != 0 {
		s.marks |= markRecovered
	}
}

func (s *seen) connect(f roll.Flags, day uint16) {
	switch {
	case day > s.lastConnected:
		s.lastConnected, s.connectedParts = day, 1
		s.marks &^= markBoth
	case day < s.lastConnected:
		return
	case s.connectedParts < math.MaxUint8:
		s.connectedParts++
	}
	if f&roll.Unattended != 0 {
		s.marks |= markBoth
	}
}

// attendance is what the roll-ups alone can say.
type attendance int8

const (
	notMissed attendance = iota
	attended
	neverAttended
	unsettled // several agents' calls of one day must be put in order
)

func (s *seen) attendance() attendance {
	switch {
	case s.firstUnattended == 0:
		return notMissed
	case s.lastConnected > s.firstUnattended, s.marks&markRecovered != 0:
		return attended
	case s.lastConnected < s.firstUnattended:
		return neverAttended
	case s.connectedParts == 1 && s.firstParts == 1 && s.marks&markBoth != 0:
		return neverAttended // one agent: connected first, missed later
	default:
		return unsettled
	}
}

func (s *seen) neverPickedUp() bool {
	return s.flags&roll.NotPickedUp != 0 && s.flags&roll.Connected == 0
}
