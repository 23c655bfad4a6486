package roll

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"

	"parley/calls/number"
)

// version is the first byte of an encoded roll-up. Version 2 added talk, outgoing calls and sequels to the numbers.
const version = 2

// Codes of a number's entry: most numbers have one call a day, which the code alone describes; codeFull is followed by
// the flags and the three counts.
const (
	codeNone = iota
	codeUnattended
	codeConnectedIn
	codeConnectedOut
	codeNotPickedUp
	codeIncomingNone // came in, nothing to attend (blocked)
	codeFull
	codeBits = 3
)

// Encode appends d's encoding to b: a version byte, then unsigned varints:
//
//	8 × calls by type, zero-second incoming, connected in, connected out, first, span, idle
//	mask of the local hours with calls, then per set hour: calls, connected, unattended, talk
//	count and gaps of the ascending talk times, incoming then outgoing
//	per number, ascending, to the end: gap to the previous id << 3 | code; for codeFull a byte of flags, a byte of the
//	sequel, calls, incoming, outgoing, unattended; then the talk, where a call connected
//
// The sums of talk are those of the talk times.
func (d *Day) Encode(b []byte) []byte {
	b = append(b, version)
	put := func(v int64) { b = binary.AppendUvarint(b, uint64(v)) }
	for _, n := range d.Types {
		put(int64(n))
	}
	for _, n := range [...]int32{d.ZeroIncoming, d.ConnectedIn, d.ConnectedOut, d.First, d.Span, d.Idle} {
		put(int64(n))
	}
	var mask uint32
	for h, x := range d.Hours {
		if x.Calls > 0 {
			mask |= 1 << h
		}
	}
	put(int64(mask))
	for _, h := range d.Hours {
		if h.Calls > 0 {
			put(int64(h.Calls))
			put(int64(h.Connected))
			put(int64(h.Unattended))
			put(h.Talk)
		}
	}
	for _, talks := range [...][]int32{d.TalksIn, d.TalksOut} {
		last := int32(0)
		for _, s := range talks { // their counts are ConnectedIn and ConnectedOut
			put(int64(s - last))
			last = s
		}
	}
	last := number.ID(0)
	for _, e := range d.Numbers {
		code := codeOf(e)
		put(int64(e.Number-last)<<codeBits | int64(code))
		if code == codeFull {
			b = append(b, byte(e.Flags), byte(e.Sequel))
			put(int64(e.Calls))
			put(int64(e.Incoming))
			put(int64(e.Outgoing))
			put(int64(e.Unattended))
		}
		if e.Flags&Connected != 0 {
			put(int64(e.Talk))
		}
		last = e.Number
	}
	return b
}

func codeOf(e Entry) int {
	if e.Calls != 1 {
		return codeFull
	}
	switch e.Flags {
	case 0:
		if e.Incoming == 1 {
			return codeIncomingNone
		}
		return codeNone // of unknown type: it neither came in nor went out
	case Unattended:
		return codeUnattended
	case ConnectedIn:
		return codeConnectedIn
	case ConnectedOut:
		return codeConnectedOut
	case NotPickedUp:
		return codeNotPickedUp
	default:
		return codeFull
	}
}

// single is what each one-call code stands for.
var single = [...]Entry{
	codeNone:         {Calls: 1},
	codeUnattended:   {Flags: Unattended, Calls: 1, Incoming: 1, Unattended: 1},
	codeConnectedIn:  {Flags: ConnectedIn, Calls: 1, Incoming: 1},
	codeConnectedOut: {Flags: ConnectedOut, Calls: 1, Outgoing: 1},
	codeNotPickedUp:  {Flags: NotPickedUp, Calls: 1, Outgoing: 1},
	codeIncomingNone: {Calls: 1, Incoming: 1},
}

var errDamaged = errors.New("a roll-up is damaged: rebuild it with \"parley doctor --rebuild\"")

// reader walks varints; its first failure sticks.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) next() int64 {
	b := r.b
	if len(b) > 1 { // nearly always one byte or two
		if b[0] < 0x80 {
			r.b = b[1:]
			return int64(b[0])
		}
		if b[1] < 0x80 {
			r.b = b[2:]
			return int64(b[0]&0x7f) | int64(b[1])<<7
		}
	}
	return r.long()
}

func (r *reader) long() int64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

// Decode reads what Encode wrote into d, whose slices are used again.
func (d *Day) Decode(b []byte) error {
	r := reader{b: b}
	d.sums(&r)
	d.Numbers = r.numbers(d.Numbers)
	return r.err()
}

// DecodeSums is Decode without the numbers, which are most of a roll-up: d.Numbers is empty afterwards.
func (d *Day) DecodeSums(b []byte) error {
	r := reader{b: b}
	d.sums(&r)
	d.Numbers = d.Numbers[:0]
	return r.err()
}

// DecodeNumbers reads the numbers alone; everything else in d is left as it is.
func (d *Day) DecodeNumbers(b []byte) error {
	r := reader{b: b}
	r.toNumbers()
	d.Numbers = r.numbers(d.Numbers)
	return r.err()
}

func (r *reader) err() error {
	if r.bad {
		return errDamaged
	}
	return nil
}

func (d *Day) sums(r *reader) {
	if len(r.b) == 0 || r.b[0] != version {
		r.bad, r.b = true, nil
		return
	}
	r.b = r.b[1:]
	for i := range d.Types {
		d.Types[i] = int32(r.next())
	}
	for _, p := range [...]*int32{&d.ZeroIncoming, &d.ConnectedIn, &d.ConnectedOut, &d.First, &d.Span, &d.Idle} {
		*p = int32(r.next())
	}
	mask := uint32(r.next())
	d.Hours = [24]Hour{}
	for mask &= 1<<24 - 1; mask != 0; mask &= mask - 1 {
		h := &d.Hours[bits.TrailingZeros32(mask)]
		h.Calls, h.Connected, h.Unattended, h.Talk = int32(r.next()), int32(r.next()), int32(r.next()), r.next()
	}
	d.TalksIn, d.TalkIn = r.talks(d.TalksIn, d.ConnectedIn)
	d.TalksOut, d.TalkOut = r.talks(d.TalksOut, d.ConnectedOut)
}

func (r *reader) talks(into []int32, n int32) ([]int32, int64) {
	if int(n) > len(r.b) || n < 0 {
		r.bad = true
		return into[:0], 0
	}
	into = slices.Grow(into[:0], int(n))
	last, sum := int64(0), int64(0)
	for range n {
		last += r.next()
		sum += last
		into = append(into, int32(last))
	}
	return into, sum
}

func (r *reader) numbers(into []Entry) []Entry {
	into = into[:0]
	last := number.ID(0)
	for len(r.b) > 0 {
		v := r.gap()
		last += number.ID(v >> codeBits)
		e, ok := r.entry(int(v & (1<<codeBits - 1)))
		if !ok || v < 1<<codeBits || last > maxNumber {
			r.bad = true
			return into
		}
		e.Number = last
		into = append(into, e)
	}
	return into
}

// gap is next for what has three bytes or four in large organisations.
func (r *reader) gap() int64 {
	b := r.b
	if len(b) > 3 && b[0] >= 0x80 && b[1] >= 0x80 {
		v := int64(b[0]&0x7f) | int64(b[1]&0x7f)<<7
		if b[2] < 0x80 {
			r.b = b[3:]
			return v | int64(b[2])<<14
		}
		if b[3] < 0x80 {
			r.b = b[4:]
			return v | int64(b[2]&0x7f)<<14 | int64(b[3])<<21
		}
	}
	return r.next()
}

// maxNumber bounds the ids that a roll-up can hold: reports keep them in 32 bits.
const maxNumber = math.MaxInt32

func (r *reader) entry(code int) (e Entry, ok bool) {
	switch {
	case code < codeFull:
		e = single[code]
	case code > codeFull || len(r.b) < 2:
		return e, false
	default:
		e.Flags, e.Sequel = Flags(r.b[0]), Sequel(r.b[1])
		r.b = r.b[2:]
		e.Calls, e.Incoming, e.Outgoing, e.Unattended = int32(r.next()), int32(r.next()), int32(r.next()), int32(r.next())
	}
	if e.Flags&Connected != 0 {
		e.Talk = int32(r.next())
	}
	return e, true
}

// DecodeNumbers reads the numbers alone into a slice that is used again.
func DecodeNumbers(b []byte, into []Entry) ([]Entry, error) {
	r := reader{b: b}
	r.toNumbers()
	into = r.numbers(into)
	return into, r.err()
}

// toNumbers skips what stands before the numbers.
func (r *reader) toNumbers() {
	if len(r.b) == 0 || r.b[0] != version {
		r.bad, r.b = true, nil
		return
	}
	r.b = r.b[1:]
	r.skip(8 + 1)
	talks := r.next() + r.next()
	r.skip(3)
	hours := bits.OnesCount64(uint64(r.next()) & (1<<24 - 1))
	if talks < 0 || talks > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return
	}
	r.skip(4*hours + int(talks))
}

// skip passes over n integers.
func (r *reader) skip(n int) {
	i := 0
	for ; n > 0 && i < len(r.b); i++ {
		if r.b[i] < 0x80 {
			n--
		}
	}
	r.b = r.b[i:]
	if n > 0 {
		r.bad = true
	}
}

// Set is a set of numbers: bit n is number n.
type Set []uint64

// SetOf makes a set of numbers.
func SetOf(numbers ...number.ID) Set {
	var s Set
	if len(numbers) > 0 {
		s = make(Set, slices.Max(numbers)/64+1)
	}
	for _, n := range numbers {
		s[n/64] |= 1 << (n % 64)
	}
	return s
}

// Has tells whether n is in the set.
func (s Set) Has(n number.ID) bool {
	return n >= 0 && n/64 < number.ID(len(s)) && s[n/64]>>(n%64)&1 == 1
}

// Holds tells whether a roll-up has one of the wanted numbers.
func Holds(b []byte, want Set) (bool, error) {
	r := reader{b: b}
	r.toNumbers()
	last, end := number.ID(0), number.ID(len(want))*64
	for len(r.b) > 0 && last < end { // they ascend
		v := r.next()
		last += number.ID(v >> codeBits)
		if want.Has(last) {
			return true, r.err()
		}
		r.pass(int(v & (1<<codeBits - 1)))
	}
	return false, r.err()
}

// pass skips an entry.
func (r *reader) pass(code int) {
	switch {
	case code == codeConnectedIn || code == codeConnectedOut:
		r.skip(1)
	case code < codeFull:
	case code > codeFull || len(r.b) < 2:
		r.bad, r.b = true, nil
	default:
		n := 4
		if Flags(r.b[0])&Connected != 0 {
			n++
		}
		r.b = r.b[2:]
		r.skip(n)
	}
}
