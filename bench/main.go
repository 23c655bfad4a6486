// Command bench loads the same made-up calls into Parley, PostgreSQL and DuckDB, asks all of them the same questions in
// turn, checks that the answers are equal, and prints what each answer cost. See README.md for the method.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parley/bench/contract"
	"parley/bench/duck"
	"parley/bench/measure"
	"parley/bench/ours"
	"parley/bench/pg"
	"parley/bench/seed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	seed.Options
	ranges, runs int
	engines      []string
	core         int
	dir          string
	serve        string
	profiles     string
}

func parse(args []string) (o options, err error) {
	var size, engines string
	var unsplit int64
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.StringVar(&size, "n", "1m", "how many calls: 20k, 1m, 10m, 50m")
	set.IntVar(&o.Agents, "agents", 0, "how many agents make them (0: a number that fits: 200 for 1m, 1,000 for 10m)")
	set.IntVar(&o.Days, "days", 365, "over how many days")
	set.Int64Var(&unsplit, "seed", 7, "other seeds make other calls and ranges")
	set.IntVar(&o.ranges, "ranges", 2, "how many ranges to draw for each scope and length")
	set.IntVar(&o.runs, "runs", 6, "how often each question is timed; even, so that each engine goes first as often as last")
	set.StringVar(&engines, "engines", "ours,pg,duckdb", "which engines take part; the first one's answers are the measure")
	set.IntVar(&o.core, "core", -1, "the core everything runs on (-1: the last one allowed)")
	set.StringVar(&o.dir, "dir", "", "where the data goes, removed at the end (default: the temporary folder)")
	set.StringVar(&o.serve, "serve", "", "measure a start and serving on an existing Parley folder and print JSON; bench runs itself so")
	set.StringVar(&o.profiles, "profiles", "", "an existing folder for processor profiles of loading (load.pprof) and asking (ask.pprof)")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	o.Seed = uint64(unsplit)
	o.engines = strings.Split(engines, ",")
	if o.Calls, err = parseSize(size); err != nil {
		return o, err
	}
	if o.Agents == 0 {
		o.Agents = agentsFor(o.Calls)
	}
	if o.Agents < 1 || o.Days < 1 || o.ranges < 1 || o.runs < 1 {
		return o, errors.New("-agents, -days, -ranges and -runs start at 1")
	}
	if o.core < 0 {
		cores, err := measure.Cores()
		if err != nil {
			return o, err
		}
		o.core = cores[len(cores)-1]
	}
	return o, nil
}

func parseSize(text string) (int, error) {
	digits := strings.TrimRight(strings.ToLower(text), "km")
	n, err := strconv.Atoi(digits)
	switch unit := strings.ToLower(text)[len(digits):]; {
	case err != nil || n < 1 || len(unit) > 1:
		return 0, fmt.Errorf("-n %s is no number of calls; write for example 20k, 1m or 10m", text)
	case unit == "k":
		n *= 1_000
	case unit == "m":
		n *= 1_000_000
	}
	return n, nil
}

// agentsFor keeps agents busy: 14 to 27 calls on each day.
func agentsFor(calls int) int {
	if calls >= 10_000_000 {
		return calls / 10_000
	}
	return max(60, calls/5_000)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := pinned(o.core); err != nil {
		return err
	}
	if o.serve != "" {
		return serve(ctx, o, out)
	}
	dir, err := os.MkdirTemp(o.dir, "parley-bench-")
	if err != nil {
		return err
	}
	// PostgreSQL's own user must be able to reach its folder in here.
	if err := os.Chmod(dir, 0o711); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return errors.Join(contest(ctx, o, dir, out), os.RemoveAll(dir))
}

// pinned makes sure that all threads of this process and its children run on one core: it binds itself and starts over,
// so that the Go runtime, too, counts one core.
func pinned(core int) error {
	if runtime.NumCPU() == 1 {
		return nil
	}
	runtime.LockOSThread()
	if err := measure.Pin(0, core); err != nil {
		return fmt.Errorf("binding the process to core %d: %w", core, err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, os.Environ())
}

// contest is the whole run.
func contest(ctx context.Context, o options, dir string, out io.Writer) (err error) {
	began := time.Now()
	stream := seed.Make(o.Options)
	p := &printer{out: out}
	p.printf("%d calls (%d delivered, repeats included), %d agents, %d numbers, %d days from 2025-01-01, seed %d; one core (number %d); made in %s\n",
		stream.Distinct, len(stream.Calls), o.Agents, stream.Numbers, o.Days, o.Seed, o.core, short(time.Since(began)))
	engines, err := open(ctx, o, dir)
	defer func() {
		for _, e := range engines {
			err = errors.Join(err, e.Close())
		}
	}()
	if err != nil {
		return err
	}
	for _, e := range engines {
		p.printf("  %s: %s\n", e.Name(), e.Version())
	}
	var loads []load
	if err := profiled(o.profiles, "load.pprof", func() (err error) {
		loads, err = loadAll(ctx, engines, stream)
		return err
	}); err != nil {
		return err
	}
	p.loads(loads)
	queries := contract.Queries(stream, o.Seed, o.ranges)
	stream.Calls = nil // its memory must not make garbage collections rarer than they would be
	debug.FreeOSMemory()
	var results []result
	if err := profiled(o.profiles, "ask.pprof", func() (err error) {
		results, err = race(ctx, engines, queries, o.runs)
		return err
	}); err != nil {
		return err
	}
	p.results(results, names(engines))
	v := verdict{calls: o.Calls, loads: loads, results: results, names: names(engines)}
	if i := slices.IndexFunc(engines, func(e engine) bool { return e.Name() == ourName }); i >= 0 {
		parley := engines[i].(*ours.Engine)
		v.ingest = &parley.Ingest
		if err := parley.Close(); err != nil {
			return err
		}
		if v.serving, err = spawn(ctx, o, filepath.Join(dir, "ours")); err != nil {
			return err
		}
	}
	p.verdict(&v)
	return errors.Join(p.err, differences(results))
}

// profiled runs do under the processor profiler where a folder for profiles is given.
func profiled(dir, name string, do func() error) error {
	if dir == "" {
		return do()
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = do()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

// Names that engines give themselves.
const (
	ourName  = "Parley"
	pgName   = "PostgreSQL"
	duckName = "DuckDB"
)

func open(ctx context.Context, o options, dir string) (engines []engine, err error) {
	for _, name := range o.engines {
		var e engine
		switch name {
		case "ours":
			e, err = ours.Open(ctx, filepath.Join(dir, "ours"))
		case "pg":
			e, err = pg.Open(ctx, dir, o.core)
		case "duckdb":
			e, err = duck.Open(ctx, dir)
		default:
			err = fmt.Errorf("there is no engine %q; choose from ours, pg and duckdb", name)
		}
		if err != nil {
			return engines, err
		}
		engines = append(engines, e)
	}
	return engines, nil
}

func names(engines []engine) []string {
	out := make([]string, len(engines))
	for i, e := range engines {
		out[i] = e.Name()
	}
	return out
}
