package number

import (
	"sync"

	"parley/account"
)

type cacheKey struct {
	org account.OrgID
	idx index
}

// cache remembers the ids of numbers met lately, in two generations: when the young one is full it becomes the old one.
type cache struct {
	mu         sync.Mutex
	young, old map[cacheKey]ID
}

func (c *cache) get(k cacheKey) (ID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.young[k]; ok {
		return n, true
	}
	n, ok := c.old[k]
	if ok {
		c.keep(k, n)
	}
	return n, ok
}

func (c *cache) keep(k cacheKey, n ID) {
	if len(c.young) >= cacheSize {
		c.old, c.young = c.young, make(map[cacheKey]ID, cacheSize/4)
	}
	c.young[k] = n
}

func (c *cache) put(org account.OrgID, m map[index]ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, n := range m {
		c.keep(cacheKey{org, i}, n)
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = map[cacheKey]ID{}, nil
}

// drop forgets indexes whose numbers are gone.
func (c *cache) drop(org account.OrgID, gone []index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range gone {
		delete(c.young, cacheKey{org, i})
		delete(c.old, cacheKey{org, i})
	}
}
