package stats

import (
	"cmp"
	"maps"
	"slices"
)

// shortTalk is up to how many seconds talk times are counted in an array; longer ones are rare and kept in a map.
const shortTalk = 4 * 3600

// talkTimes is a histogram of talk times by the second: medians from it are exact.
type talkTimes struct {
	short []int32
	long  map[int32]int64
	n     int64
}

func (t *talkTimes) add(seconds []int32) {
	if t.short == nil && len(seconds) > 0 {
		t.short = make([]int32, shortTalk)
	}
	for _, s := range seconds {
		t.put(s, 1)
	}
}

func (t *talkTimes) put(s int32, n int64) {
	t.n += n
	if s < shortTalk {
		t.short[s] += int32(n)
		return
	}
	if t.long == nil {
		t.long = map[int32]int64{}
	}
	t.long[s] += n
}

func (t *talkTimes) merge(o *talkTimes) {
	if o.n == 0 {
		return
	}
	if t.short == nil {
		t.short = make([]int32, shortTalk)
	}
	for s, n := range o.short {
		if n > 0 {
			t.put(int32(s), int64(n))
		}
	}
	for s, n := range o.long {
		t.put(s, n)
	}
}

// runs lists the talk times with their counts, ascending.
func (t *talkTimes) runs() []run {
	var out []run
	for s, n := range t.short {
		if n > 0 {
			out = append(out, run{int32(s), n})
		}
	}
	for _, s := range slices.Sorted(maps.Keys(t.long)) {
		out = append(out, run{s, int32(t.long[s])})
	}
	return slices.Clip(out)
}

func (t *talkTimes) addRuns(runs []run) {
	if t.short == nil && len(runs) > 0 {
		t.short = make([]int32, shortTalk)
	}
	for _, r := range runs {
		t.put(r.seconds, int64(r.calls))
	}
}

// median is the middle talk time, or the mean of the two middle ones.
func (t *talkTimes) median() (float64, bool) {
	if t.n == 0 {
		return 0, false
	}
	return float64(t.nth((t.n-1)/2)+t.nth(t.n/2)) / 2, true
}

// nth is the talk time at position i of all, ascending from 0.
func (t *talkTimes) nth(i int64) int64 {
	for s, n := range t.short {
		if i -= int64(n); i < 0 {
			return int64(s)
		}
	}
	for _, s := range slices.SortedFunc(maps.Keys(t.long), cmp.Compare[int32]) {
		if i -= t.long[s]; i < 0 {
			return int64(s)
		}
	}
	return 0
}
