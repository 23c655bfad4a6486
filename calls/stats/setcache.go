package stats

import (
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"parley/account"
)

// setBytes bounds the coarse sets kept in memory: what a report over a year of ten million calls needs, twice.
const setBytes = 24 << 20

// setCache keeps the coarse sets that were used last, up to a number of bytes. A set holds only for the generation of
// its period that it was read at. Sets in it are never changed.
type setCache struct {
	mu    sync.Mutex
	size  int
	clock int64
	sets  map[setKey]*cachedSet
}

type setKey struct {
	org    account.OrgID
	level  int
	period int32
	kind   kind
}

type cachedSet struct {
	*roaring.Bitmap
	gen, used int64
	bytes     int
}

func (c *setCache) get(k setKey, gen int64) *roaring.Bitmap {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.sets[k]
	if !ok || s.gen != gen {
		return nil
	}
	c.clock++
	s.used = c.clock
	return s.Bitmap
}

func (c *setCache) put(k setKey, gen int64, m *roaring.Bitmap, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sets == nil {
		c.sets = map[setKey]*cachedSet{}
	}
	if old, ok := c.sets[k]; ok {
		c.size -= old.bytes
	}
	c.clock++
	c.sets[k] = &cachedSet{m, gen, c.clock, bytes}
	if c.size += bytes; c.size > setBytes {
		c.shrink()
	}
}

// shrink drops the half that was used longest ago.
func (c *setCache) shrink() {
	ages := make([]int64, 0, len(c.sets))
	for _, s := range c.sets {
		ages = append(ages, s.used)
	}
	slices.Sort(ages)
	middle := ages[len(ages)/2]
	for k, s := range c.sets {
		if s.used <= middle && c.size > setBytes/2 {
			c.size -= s.bytes
			delete(c.sets, k)
		}
	}
}
