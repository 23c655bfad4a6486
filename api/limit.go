package api

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/platform/fault"
)

// Limits are how many requests a caller may make per minute. The zero value of each stands for the usual.
type Limits struct {
	Token    int // of a token or a session: 600
	Device   int // of a device: 240
	Address  int // public operations, from one network address: 120
	Failures int // failed sign-ins from one network address: 30
}

func (l Limits) orUsual() Limits {
	usual := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	usual(&l.Token, 600)
	usual(&l.Device, 240)
	usual(&l.Address, 120)
	usual(&l.Failures, 30)
	return l
}

// limiter keeps a bucket for each caller.
type limiter struct {
	of      Limits
	mu      sync.Mutex
	buckets map[string]*bucket
	swept   time.Time
}

type bucket struct {
	*rate.Limiter
	used time.Time
}

func newLimiter(l Limits) *limiter {
	return &limiter{of: l.orUsual(), buckets: map[string]*bucket{}}
}

// spend takes one request from the caller's bucket, tells the bucket's state in headers, and refuses when it is empty.
func (l *limiter) spend(w http.ResponseWriter, who string, perMinute int, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(who, perMinute, now)
	ok := b.AllowN(now, 1)
	left, perSecond := b.TokensAt(now), float64(perMinute)/60
	h := w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(perMinute))
	h.Set("RateLimit-Remaining", strconv.Itoa(max(int(left), 0)))
	h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil((float64(perMinute)-left)/perSecond))))
	if ok {
		return nil
	}
	wait := max(int(math.Ceil((1-left)/perSecond)), 1)
	h.Set("Retry-After", strconv.Itoa(wait))
	return fault.New(fault.TooMany, "That was more than %d requests in a minute. Wait %d s, then go on; the headers RateLimit-Remaining and Retry-After tell how things stand.", perMinute, wait)
}

// bucket finds a caller's bucket or makes a full one. Those not used for two minutes are full again, and forgotten.
func (l *limiter) bucket(who string, perMinute int, now time.Time) *bucket {
	if now.Sub(l.swept) > time.Minute {
		for k, b := range l.buckets {
			if now.Sub(b.used) > 2*time.Minute {
				delete(l.buckets, k)
			}
		}
		l.swept = now
	}
	b, ok := l.buckets[who]
	if !ok {
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)}
		l.buckets[who] = b
	}
	b.used = now
	return b
}
