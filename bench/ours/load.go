package ours

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"parley/account"
	"parley/bench/seed"
	"parley/calls/call"
	"parley/calls/ingest"
)

const (
	// Batch is how many calls a phone hands in at once at most.
	Batch = 500
	// Senders is how many hand in at the same time; the writer commits together what waits together.
	Senders = 8
)

// Ingest is how loading went.
type Ingest struct {
	Together Pace          // the first nine tenths: Senders at once
	Alone    Pace          // the last tenth: one after the other, each batch a commit of its own
	Settle   time.Duration // processor time of the coarse sets, made when the server is idle
}

// Pace is how a part of the stream went in.
type Pace struct {
	Calls     int // handed in, repeats too
	Wall, CPU time.Duration
	Slowest   time.Duration // until the slowest batch was answered
}

// Rate is calls per second.
func (p Pace) Rate() float64 {
	if p.Wall <= 0 {
		return 0
	}
	return float64(p.Calls) / p.Wall.Seconds()
}

// PerCall is the processor time of one call.
func (p Pace) PerCall() time.Duration { return p.CPU / time.Duration(max(1, p.Calls)) }

// Load hands the stream in as phones would, in batches of 500, each durable before it is answered. Afterwards it closes
// and opens the folder, so that what follows meets it as after a start.
func (e *Engine) Load(ctx context.Context, s *seed.Stream) error {
	if err := e.put(ctx, s); err != nil {
		return err
	}
	before, err := e.CPU()
	if err != nil {
		return err
	}
	for done := false; !done; {
		if done, err = e.stats.Settle(ctx, e.org, math.MaxInt32, 100); err != nil {
			return err
		}
	}
	after, err := e.CPU()
	if err != nil {
		return err
	}
	e.Ingest.Settle = after - before
	if err := e.close(); err != nil {
		return err
	}
	return e.open(ctx)
}

func (e *Engine) put(ctx context.Context, s *seed.Stream) (err error) {
	running, stop := context.WithCancel(ctx)
	w := ingest.NewWriter(e.data, e.keys, e.book, ingest.Trust{}, time.Now)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(running)
	}()
	defer func() { stop(); <-ended }()
	most := len(s.Calls) * 9 / 10
	if e.Ingest.Together, err = e.paced(ctx, w, s.Calls[:most], Senders); err != nil {
		return err
	}
	e.Ingest.Alone, err = e.paced(ctx, w, s.Calls[most:], 1)
	return err
}

// paced hands calls in from a number of senders, each taking the next batch when its last was answered.
func (e *Engine) paced(ctx context.Context, w *ingest.Writer, calls []seed.Call, senders int) (Pace, error) {
	cpu, err := e.CPU()
	if err != nil {
		return Pace{}, err
	}
	began := time.Now()
	var next atomic.Int64
	slowest, errs := make([]time.Duration, senders), make([]error, senders)
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() { slowest[i], errs[i] = e.send(ctx, w, calls, &next) })
	}
	all.Wait()
	p := Pace{Calls: len(calls), Wall: time.Since(began)}
	for _, d := range slowest {
		p.Slowest = max(p.Slowest, d)
	}
	now, err := e.CPU()
	p.CPU = now - cpu
	return p, errors.Join(append(errs, err)...)
}

func (e *Engine) send(ctx context.Context, w *ingest.Writer, calls []seed.Call, next *atomic.Int64) (slowest time.Duration, err error) {
	items := make([]ingest.Item, 0, Batch)
	for {
		from := int(next.Add(Batch)) - Batch
		if from >= len(calls) {
			return slowest, nil
		}
		items = items[:0]
		for _, c := range calls[from:min(from+Batch, len(calls))] {
			items = append(items, item(c))
		}
		sent := time.Now()
		answers, err := w.Put(ctx, e.org, items)
		if err != nil {
			return slowest, err
		}
		slowest = max(slowest, time.Since(sent))
		for i, a := range answers {
			if a.State != ingest.New && a.State != ingest.Known {
				return slowest, fmt.Errorf("call %d of the stream was answered %s (%s); only new and known calls were sent", from+i+1, a.State, a.Reason)
			}
		}
	}
}

// item is a call as the device API hands it to ingest. Ref stands for the hash of the phone's own key of the call.
func item(c seed.Call) ingest.Item {
	t := call.TypeOf(int(c.Type))
	millis := c.Millis()
	return ingest.Item{
		Agent: account.AgentNo(c.Agent), Line: call.LineNo(2*c.Agent + uint32(c.Line)), Start: time.UnixMilli(millis), Number: seed.Phone(c.Number),
		Direction: t.Direction(), Type: t, Seconds: int(c.Seconds), Presentation: presentation(c),
		Ref: int64(uint64(millis)*0x9e3779b97f4a7c15>>1) | 1,
	}
}

func presentation(c seed.Call) call.Presentation {
	if c.Number == 0 {
		return call.PresentationRestricted
	}
	return call.PresentationAllowed
}
