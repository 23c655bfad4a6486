package main

import (
	"context"
	"time"

	"parley/bench/contract"
	"parley/bench/seed"
)

// engine keeps calls and answers questions about them.
type engine interface {
	Name() string
	// Version names the engine's version and the settings that matter.
	Version() string
	// Load stores a stream, repeats and all, so that each call counts once.
	Load(ctx context.Context, s *seed.Stream) error
	Run(ctx context.Context, q contract.Query) (contract.Result, error)
	// CPU is the processor time used so far by whoever does the engine's work.
	CPU() (time.Duration, error)
	// Bytes is the space that the calls take on disk.
	Bytes(ctx context.Context) (int64, error)
	Close() error
}
