package lead

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"
)

func TestThereIsAlwaysARankBetween(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	column := []rank{middle()}
	for range 3000 {
		at := r.Intn(len(column) + 1)
		var x rank
		switch {
		case at == 0:
			x = before(column[0], 1)[0]
		case at == len(column):
			x = below(column[at-1])
		default:
			x = between(column[at-1], column[at])
		}
		column = slices.Insert(column, at, x)
	}
	longest := 0
	for i := range column {
		if i > 0 && bytes.Compare(column[i-1], column[i]) >= 0 {
			t.Fatalf("%x is not before %x", column[i-1], column[i])
		}
		longest = max(longest, len(column[i]))
	}
	if longest > 20 {
		t.Errorf("a rank has %d bytes", longest)
	}
}

func TestAGapThatIsUsedAgainAndAgainGrowsSlowly(t *testing.T) {
	a, b := middle(), below(middle())
	if bytes.Compare(a, b) > 0 {
		a, b = b, a
	}
	for i := range 1000 {
		x := between(a, b)
		if bytes.Compare(a, x) >= 0 || bytes.Compare(x, b) >= 0 {
			t.Fatalf("after %d: %x is not between %x and %x", i, x, a, b)
		}
		b = x
	}
	if len(b) > 250 {
		t.Errorf("after 1000 drops at the same place a rank has %d bytes", len(b))
	}
}

func TestTheEndsOfAColumnGiveWay(t *testing.T) {
	first, last := rank{0, 0, 0, 0, 0, 1}, rank{255, 255, 255, 255, 255, 255, 255, 254}
	for range 100 {
		x, y := before(first, 1)[0], below(last)
		if bytes.Compare(x, first) >= 0 || bytes.Compare(y, last) <= 0 || len(x) == 0 {
			t.Fatalf("%x before %x, %x after %x", x, first, y, last)
		}
		first, last = x, y
	}
	many := before(middle(), 1000)
	if !slices.IsSortedFunc(many, func(a, b rank) int { return bytes.Compare(a, b) }) {
		t.Error("ranks that were made together are not in order")
	}
}
