package api

import (
	"context"
	"sync"
)

// background runs work that outlives its request, and ends it when the API is closed.
type background struct {
	mu      sync.Mutex
	running sync.WaitGroup
	next    int
	cancels map[int]context.CancelFunc
	closed  bool
}

// run runs fn with the values of ctx but not its end. After close it does nothing and returns false.
func (b *background) run(ctx context.Context, fn func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if b.cancels == nil {
		b.cancels = map[int]context.CancelFunc{}
	}
	b.next++
	no := b.next
	b.cancels[no] = cancel
	b.running.Go(func() {
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.cancels, no)
			cancel()
		}()
		fn(ctx)
	})
	return true
}

func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	for _, cancel := range b.cancels {
		cancel()
	}
	b.mu.Unlock()
	b.running.Wait()
}
