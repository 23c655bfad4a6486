package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/bench/contract"
	"parley/bench/measure"
	"parley/bench/seed"
)

// load is how an engine took the calls in.
type load struct {
	name      string
	wall, cpu time.Duration
	bytes     int64
	calls     int // distinct
	delivered int
}

func loadAll(ctx context.Context, engines []engine, s *seed.Stream) ([]load, error) {
	var out []load
	for _, e := range engines {
		l := load{name: e.Name(), calls: s.Distinct, delivered: len(s.Calls)}
		before, err := e.CPU()
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if err := e.Load(ctx, s); err != nil {
			return nil, fmt.Errorf("loading %s: %w", e.Name(), err)
		}
		l.wall = time.Since(began)
		after, err := e.CPU()
		if err != nil {
			return nil, err
		}
		l.cpu = after - before
		if l.bytes, err = e.Bytes(ctx); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// timed is what one engine needed for one question.
type timed struct {
	first     time.Duration // processor time of the very first run, when nothing of the answer was in memory
	cpu, wall []time.Duration
}

// result is one question with everybody's times.
type result struct {
	query      contract.Query
	rows       int
	checksum   uint64
	times      []timed
	difference string // "" when all answers are equal
}

// race asks every question of every engine. The first run is for the answer; the timed ones go through the engines in
// order and then in reverse, so that a slow spell of the machine hits all alike.
func race(ctx context.Context, engines []engine, queries []contract.Query, runs int) ([]result, error) {
	var out []result
	for _, q := range queries {
		r := result{query: q, times: make([]timed, len(engines))}
		repeat := make([]int, len(engines))
		var measure contract.Result
		for i, e := range engines {
			answer, err := first(ctx, e, q, &r.times[i])
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", e.Name(), q, err)
			}
			if i == 0 {
				measure = answer
				r.rows, r.checksum = len(answer), answer.Checksum()
			} else if d := q.Difference(measure, answer); d != "" && r.difference == "" {
				r.difference = fmt.Sprintf("%s and %s differ in %s: %s", engines[0].Name(), e.Name(), q, d)
			}
			if repeat[i], err = repeats(ctx, e, q); err != nil {
				return nil, err
			}
		}
		if empty(q, measure) {
			return nil, fmt.Errorf("%s says that there are no calls in %s; an empty database is fast, but that is not the question", engines[0].Name(), q)
		}
		for run := range runs {
			for _, i := range order(len(engines), run) {
				if err := again(ctx, engines[i], q, repeat[i], &r.times[i]); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// empty tells whether a summary of more than one agent counts no calls.
func empty(q contract.Query, r contract.Result) bool {
	return q.Kind == contract.Summary && q.Group.Scope != contract.Agent && (len(r) == 0 || r[0][0] == 0)
}

func order(n, run int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	if run%2 == 1 {
		slices.Reverse(out)
	}
	return out
}

func first(ctx context.Context, e engine, q contract.Query, t *timed) (contract.Result, error) {
	before, err := e.CPU()
	if err != nil {
		return nil, err
	}
	answer, err := e.Run(ctx, q)
	if err != nil {
		return nil, err
	}
	after, err := e.CPU()
	t.first = after - before
	return answer, err
}

// repeats is how often a quick question is asked for one measurement, so that it lasts long enough for the clocks.
func repeats(ctx context.Context, e engine, q contract.Query) (int, error) {
	const enough, most = 10 * time.Millisecond, 200
	began := time.Now()
	if _, err := e.Run(ctx, q); err != nil {
		return 0, err
	}
	return max(1, min(most, int(enough/max(time.Since(began), time.Microsecond)))), nil
}

func again(ctx context.Context, e engine, q contract.Query, repeat int, t *timed) error {
	before, err := e.CPU()
	if err != nil {
		return err
	}
	began := time.Now()
	for range repeat {
		if _, err := e.Run(ctx, q); err != nil {
			return err
		}
	}
	wall := time.Since(began)
	after, err := e.CPU()
	if err != nil {
		return err
	}
	t.cpu = append(t.cpu, (after-before)/time.Duration(repeat))
	t.wall = append(t.wall, wall/time.Duration(repeat))
	return nil
}

// CPU and Wall are medians.
func (t *timed) CPU() time.Duration  { return measure.Median(t.cpu) }
func (t *timed) Wall() time.Duration { return measure.Median(t.wall) }

func differences(results []result) error {
	var errs []error
	for _, r := range results {
		if r.difference != "" {
			errs = append(errs, errors.New(r.difference))
		}
	}
	return errors.Join(errs...)
}
