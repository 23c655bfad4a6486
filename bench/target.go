package main

import (
	"fmt"
	"slices"
	"time"

	"parley/bench/contract"
	"parley/bench/ours"
)

// target is one promise and what came of it.
type target struct {
	what, want, got string
	reached         bool
}

func (t target) word() string {
	if t.reached {
		return "reached"
	}
	return "NOT reached"
}

// slowest holds every question's median processor time against a bound.
func (v *verdict) slowest(what string, bound time.Duration, keep func(contract.Query) bool) target {
	worst, name := time.Duration(0), ""
	var wall, first time.Duration
	for _, r := range in(v.results, keep) {
		if t := r.times[0].CPU(); t >= worst {
			worst, wall, first, name = t, r.times[0].Wall(), r.times[0].first, string(r.query.Kind)
		}
	}
	return target{
		what: what, want: "≤ " + short(bound),
		got:     fmt.Sprintf("%s CPU (%s; wall %s, first time %s)", short(worst), name, short(wall), short(first)),
		reached: worst <= bound,
	}
}

// lead holds the ratio of processor times against a bound, in the group where it is smallest.
func (v *verdict) lead(other, how string, bound float64, keep func(contract.Kind) bool) (target, bool) {
	e := slices.Index(v.names, other)
	if e < 0 {
		return target{}, false
	}
	least, where := 0.0, ""
	for _, g := range groups(v.results) {
		if g.Days < 30 {
			continue
		}
		l := sum(in(v.results, func(q contract.Query) bool { return q.Group == g && keep(q.Kind) }), len(v.names))
		ratio := float64(l.cpu[e]) / float64(max(1, l.cpu[0]))
		if where == "" || ratio < least {
			least, where = ratio, g.String()
		}
	}
	return target{
		what: "less CPU than " + other + ", 30 days and more, " + how, want: fmt.Sprintf("≥ %.0f×", bound),
		got: fmt.Sprintf("%.1f× at least (%s)", least, where), reached: least >= bound,
	}, where != ""
}

func (v *verdict) targets() []target {
	longest := 0
	for _, g := range groups(v.results) {
		longest = max(longest, g.Days)
	}
	out := []target{
		v.slowest("any report, agent or team, up to 30 days", 10*time.Millisecond, func(q contract.Query) bool {
			return q.Group.Scope != contract.Org && q.Group.Days <= 30
		}),
		v.slowest("any report, organisation, 30 days", 60*time.Millisecond, func(q contract.Query) bool {
			return q.Group == contract.Group{Scope: contract.Org, Days: 30}
		}),
		v.slowest("unique clients, organisation, the whole range", 15*time.Millisecond, func(q contract.Query) bool {
			return q.Group == contract.Group{Scope: contract.Org, Days: longest} && q.Kind == contract.Clients
		}),
	}
	for _, l := range []struct {
		name  string
		bound float64
	}{{duckName, 5}, {pgName, 30}} {
		for _, way := range []struct {
			how  string
			keep func(contract.Kind) bool
		}{
			{"all reports at once", func(k contract.Kind) bool { return k == contract.AtOnce }},
			{"one by one", func(k contract.Kind) bool { return k != contract.AtOnce }},
		} {
			if t, ok := v.lead(l.name, way.how, l.bound, way.keep); ok {
				out = append(out, t)
			}
		}
	}
	return append(out, v.resources()...)
}

func (v *verdict) resources() []target {
	const rate, perCall, memory, start = 40_000, 80.0, 300, 500 * time.Millisecond
	bytes := float64(v.loads[0].bytes) / float64(v.loads[0].calls)
	resident := v.serving.MostResident / 1_000_000
	ingest := func(how string, p ours.Pace) target {
		return target{"ingest in batches of 500, durable, encrypted, 25 % new numbers, " + how, fmt.Sprintf("≥ %d/s", rate), fmt.Sprintf("%.0f/s", p.Rate()), p.Rate() >= rate}
	}
	return []target{
		ingest(fmt.Sprintf("%d senders", ours.Senders), v.ingest.Together),
		ingest("one sender, at the end", v.ingest.Alone),
		{"bytes per call on disk, all files", fmt.Sprintf("≤ %.0f", perCall), fmt.Sprintf("%.1f", bytes), bytes <= perCall},
		{"resident memory while serving, at worst", fmt.Sprintf("≤ %d MB", memory), fmt.Sprintf("%d MB", resident), resident <= memory},
		{"start of the program to the first page's reports", "< " + short(start), short(v.serving.Start), v.serving.Start < start},
	}
}
