package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley/bench/contract"
	"parley/bench/ours"
)

// printer writes the report and remembers the first error.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) printf(format string, a ...any) {
	if _, err := fmt.Fprintf(p.out, format, a...); err != nil && p.err == nil {
		p.err = err
	}
}

// table writes rows of cells in columns; the first column is text, the others are figures.
func (p *printer) table(rows [][]string) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r[0]))
	}
	for _, r := range rows {
		fmt.Fprintf(w, "%-*s\t%s\t\n", widest, r[0], strings.Join(r[1:], "\t"))
	}
	if err := w.Flush(); err != nil && p.err == nil {
		p.err = err
	}
	p.printf("%s", b.String())
}

// short writes a duration with three figures.
func short(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.0f s", ms/1000)
	}
}

func times(a, b time.Duration) string {
	if b <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f×", float64(a)/float64(b))
}

func (p *printer) loads(loads []load) {
	p.printf("\nLoading\n")
	rows := [][]string{{"", "CPU", "wall", "CPU per call", "calls/s (wall)", "bytes per call"}}
	for _, l := range loads {
		rows = append(rows, []string{l.name, short(l.cpu), short(l.wall), fmt.Sprintf("%.1f µs", float64(l.cpu.Microseconds())/float64(l.delivered)),
			fmt.Sprintf("%.0f", float64(l.delivered)/l.wall.Seconds()), fmt.Sprintf("%.1f", float64(l.bytes)/float64(l.calls))})
	}
	p.table(rows)
}

// line sums up results of one kind, or of all: medians added over ranges.
type line struct {
	first, cpu, wall []time.Duration // by engine
	equal            bool
}

func sum(results []result, engines int) line {
	l := line{first: make([]time.Duration, engines), cpu: make([]time.Duration, engines), wall: make([]time.Duration, engines), equal: true}
	for i := range results {
		r := &results[i]
		for e := range r.times {
			l.first[e] += r.times[e].first
			l.cpu[e] += r.times[e].CPU()
			l.wall[e] += r.times[e].Wall()
		}
		l.equal = l.equal && r.difference == ""
	}
	return l
}

// mean is the line for one range instead of n.
func (l line) mean(n int) line {
	for e := range l.cpu {
		l.first[e] /= time.Duration(n)
		l.cpu[e] /= time.Duration(n)
		l.wall[e] /= time.Duration(n)
	}
	return l
}

func (l line) cells() []string {
	var out []string
	for e := range l.cpu {
		out = append(out, short(l.cpu[e]), short(l.wall[e]))
		if e > 0 {
			out = append(out, times(l.cpu[e], l.cpu[0]))
		}
	}
	if len(l.cpu) < 2 {
		return out
	}
	if l.equal {
		return append(out, "✓ equal")
	}
	return append(out, "DIFFERENT")
}

// groups lists the groups in results in their order.
func groups(results []result) []contract.Group {
	var out []contract.Group
	for i := range results {
		if g := results[i].query.Group; !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

func in(results []result, keep func(contract.Query) bool) []result {
	var out []result
	for _, r := range results {
		if keep(r.query) {
			out = append(out, r)
		}
	}
	return out
}

// results prints a table per group: medians, averaged over the drawn ranges.
func (p *printer) results(results []result, names []string) {
	head := []string{""}
	for i, n := range names {
		head = append(head, n+" CPU", "wall")
		if i > 0 {
			head = append(head, "CPU ÷ "+names[0])
		}
	}
	if len(names) > 1 {
		head = append(head, "answers")
	}
	for _, g := range groups(results) {
		mine := in(results, func(q contract.Query) bool { return q.Group == g })
		ranges := len(mine) / len(contract.Kinds())
		p.printf("\n%s (ranges drawn: %d)\n", g, ranges)
		rows := [][]string{head}
		for _, k := range contract.Kinds() {
			of := in(mine, func(q contract.Query) bool { return q.Kind == k })
			rows = append(rows, append([]string{string(k)}, sum(of, len(names)).mean(ranges).cells()...))
		}
		singly := in(mine, func(q contract.Query) bool { return q.Kind != contract.AtOnce })
		rows = append(rows, append([]string{"all, one by one"}, sum(singly, len(names)).mean(ranges).cells()...))
		p.table(rows)
	}
	all := uint64(0)
	for _, r := range results {
		all = all*31 + r.checksum
	}
	p.printf("\n%d questions, checksum of all answers %016x\n", len(results), all)
}

// verdict is what the targets are held against.
type verdict struct {
	calls   int
	loads   []load
	results []result
	names   []string
	ingest  *ours.Ingest
	serving *serving
}

const targetCalls = 10_000_000

func (p *printer) verdict(v *verdict) {
	if v.ingest == nil || v.names[0] != ourName {
		return
	}
	p.printf("\nTargets")
	if v.calls != targetCalls {
		p.printf(" (they are meant for 10 million calls; this was %d)", v.calls)
	}
	p.printf("\n")
	rows := [][]string{{"", "target", "measured", ""}}
	for _, t := range v.targets() {
		rows = append(rows, []string{t.what, t.want, t.got, t.word()})
	}
	p.table(rows)
	p.printf("\n")
	for _, x := range []struct {
		how  string
		pace ours.Pace
	}{{fmt.Sprintf("%d senders at once", ours.Senders), v.ingest.Together}, {"one sender", v.ingest.Alone}} {
		p.printf("Ingest, %s: %d calls, %.0f/s, %.1f µs CPU per call, slowest batch %s.\n", x.how, x.pace.Calls, x.pace.Rate(),
			float64(x.pace.PerCall().Nanoseconds())/1000, short(x.pace.Slowest))
	}
	p.printf("Coarse sets, made once loading was done: %s CPU.\n", short(v.ingest.Settle))
	p.printf("Serving: %.0f MB resident at the end of %d questions.\n", float64(v.serving.Resident)/1e6, v.serving.Questions)
}
