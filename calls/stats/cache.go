package stats

import (
	"slices"
	"sync"
)

// cache keeps values that were used last, up to a number of bytes. A value holds only for the generation of the days it
// was made from, and is never changed.
type cache[K comparable, V any] struct {
	limit int // bytes

	mu    sync.Mutex
	size  int
	clock int64
	kept  map[K]*kept[V]
}

type kept[V any] struct {
	value     V
	gen, used int64
	bytes     int
}

func (c *cache[K, V]) get(k K, gen int64) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[k]
	if !ok || e.gen != gen {
		return v, false
	}
	c.clock++
	e.used = c.clock
	return e.value, true
}

func (c *cache[K, V]) put(k K, gen int64, v V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[K]*kept[V]{}
	}
	if old, ok := c.kept[k]; ok {
		c.size -= old.bytes
	}
	c.clock++
	c.kept[k] = &kept[V]{v, gen, c.clock, bytes}
	if c.size += bytes; c.size > c.limit {
		c.shrink()
	}
}

// offer is put for a value that is not worth the place of another.
func (c *cache[K, V]) offer(k K, gen int64, v V, bytes int) {
	c.mu.Lock()
	fits := c.size+bytes <= c.limit
	c.mu.Unlock()
	if fits {
		c.put(k, gen, v, bytes)
	}
}

// shrink drops the half that was used longest ago.
func (c *cache[K, V]) shrink() {
	ages := make([]int64, 0, len(c.kept))
	for _, e := range c.kept {
		ages = append(ages, e.used)
	}
	slices.Sort(ages)
	middle := ages[len(ages)/2]
	for k, e := range c.kept {
		if e.used <= middle && c.size > c.limit/2 {
			c.size -= e.bytes
			delete(c.kept, k)
		}
	}
}
