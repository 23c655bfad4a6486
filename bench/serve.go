package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"time"

	"parley/bench/contract"
	"parley/bench/measure"
	"parley/bench/ours"
	"parley/bench/seed"
)

// serving is what a process of its own measured on a Parley folder: its start, and its memory after every question.
type serving struct {
	FirstUnixNano int64         // when the first report was there
	Start         time.Duration // from before the process was started until then
	Resident      int64         // bytes, at the end
	MostResident  int64         // bytes, at worst
	Questions     int
}

// spawn runs this program again on a Parley folder. Neither the stream nor another engine shares the child's memory.
func spawn(ctx context.Context, o options, dir string) (*serving, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", dir, "-n", strconv.Itoa(o.Calls), "-agents", strconv.Itoa(o.Agents), "-days", strconv.Itoa(o.Days),
		"-seed", strconv.FormatUint(o.Seed, 10), "-ranges", strconv.Itoa(o.ranges), "-core", strconv.Itoa(o.core))
	cmd.Stderr = os.Stderr
	began := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("measuring a process that serves: %w", err)
	}
	var s serving
	if err := json.Unmarshal(out, &s); err != nil {
		return nil, err
	}
	s.Start = time.Duration(s.FirstUnixNano - began.UnixNano())
	return &s, nil
}

// serve is the child: it opens the folder, answers what a manager's first page shows (the newest day and the 30 days up
// to it, the whole organisation, with people and agents), and then every other question twice.
func serve(ctx context.Context, o options, out io.Writer) error {
	debug.SetGCPercent(20) // as "parley serve" does
	e, err := ours.Open(ctx, o.serve)
	if err != nil {
		return err
	}
	s := &seed.Stream{Days: o.Days, Agents: o.Agents}
	for _, days := range []int32{1, 30} {
		for _, k := range []contract.Kind{contract.Leaderboard, contract.NeverAttended} {
			if _, err := e.Run(ctx, contract.Query{Kind: k, From: s.To() - min(days, int32(o.Days)), To: s.To()}); err != nil {
				return err
			}
		}
	}
	m := serving{FirstUnixNano: time.Now().UnixNano()}
	queries := contract.Queries(s, o.Seed, o.ranges)
	for range 2 {
		for _, q := range queries {
			if _, err := e.Run(ctx, q); err != nil {
				return err
			}
			m.Questions++
		}
	}
	if m.Resident, m.MostResident, err = measure.Resident(); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(m)
}
