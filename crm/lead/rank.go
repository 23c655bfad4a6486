package lead

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"math/big"
)

// rank is a lead's place in its column: columns are ordered by the bytes. Between any two there is always another, so a lead
// that is moved is the only one that is written. Each is chosen at random within its gap, so two people who drop leads at
// the same place at the same moment do not choose the same. A gap that is used again and again makes ranks longer by about
// a byte in five drops.
type rank []byte

const (
	// headBytes are the bytes of a rank that was never squeezed between others.
	headBytes = 8
	// step is how far apart leads are put at the ends of a column: two thousand million fit before ranks grow.
	step = 1 << 32
	// room is how many ranks a gap must offer before one is chosen.
	room = 1 << 24
)

// middle is the rank of the first lead in a column.
func middle() rank {
	var b [headBytes]byte
	binary.BigEndian.PutUint64(b[:], 1<<63+uint64(random(step)))
	return trimmed(b[:])
}

// before gives n ranks in a row before a column's first; an empty first is that of an empty column.
func before(first rank, n int) []rank {
	out := make([]rank, n)
	next := first
	for i := n - 1; i >= 0; i-- {
		if len(next) == 0 {
			next = middle()
		} else {
			next = above(next)
		}
		out[i] = next
	}
	return out
}

// above is a rank a step before r.
func above(r rank) rank {
	if head := headOf(r); head > 2*step {
		var b [headBytes]byte
		binary.BigEndian.PutUint64(b[:], head-step-uint64(random(step)))
		return trimmed(b[:])
	}
	return between(nil, r)
}

// below is a rank a step after r.
func below(r rank) rank {
	if head := headOf(r); head < 1<<64-1-3*step {
		var b [headBytes]byte
		binary.BigEndian.PutUint64(b[:], head+step+uint64(random(step)))
		return trimmed(b[:])
	}
	return between(r, nil)
}

func headOf(r rank) uint64 {
	var b [headBytes]byte
	copy(b[:], r)
	return binary.BigEndian.Uint64(b[:])
}

// between is a rank after a and before b; an empty a is the beginning, an empty b the end. a must be before b.
func between(a, b rank) rank {
	for n := max(len(a), len(b), 1); ; n++ {
		low, high := digits(a, n), digits(b, n)
		if len(b) == 0 {
			high = new(big.Int).Lsh(big.NewInt(1), uint(8*n))
		}
		gap := new(big.Int).Sub(high, low)
		if gap.Cmp(big.NewInt(room)) < 0 {
			continue
		}
		third := new(big.Int).Div(gap, big.NewInt(3))
		more, _ := rand.Int(rand.Reader, third) // never fails, see crypto/rand
		return trimmed(low.Add(low, third).Add(low, more).FillBytes(make([]byte, n)))
	}
}

// digits reads a rank as a number of n bytes.
func digits(r rank, n int) *big.Int {
	b := make([]byte, n)
	copy(b, r)
	return new(big.Int).SetBytes(b)
}

// trimmed leaves out zeros at the end, which change nothing in the order.
func trimmed(b []byte) rank { return bytes.TrimRight(b, "\x00") }

func random(below int64) int64 {
	n, _ := rand.Int(rand.Reader, big.NewInt(below)) // never fails, see crypto/rand
	return n.Int64()
}
