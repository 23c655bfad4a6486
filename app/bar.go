package app

import (
	"fmt"
	"strings"
	"time"
)

// bar shows how far long work has come, on a terminal that somebody watches, and nowhere else.
type bar struct {
	run   *Run
	title string
	shown time.Time
	drawn bool
}

func newBar(r *Run, title string) *bar { return &bar{run: r, title: title} }

// Drawing more often than this would cost more than it tells.
const barEvery = 100 * time.Millisecond

// show draws the bar, at most ten times a second.
func (b *bar) show(done, total int64) {
	if !b.run.Terminal || total <= 0 || time.Since(b.shown) < barEvery {
		return
	}
	b.shown, b.drawn = time.Now(), true
	const width = 30
	share := min(float64(done)/float64(total), 1)
	full := int(share * width)
	_, _ = fmt.Fprintf(b.run.Err, "\r%s [%s%s] %3.0f %%", b.title, strings.Repeat("#", full), strings.Repeat(".", width-full), share*100) // only decoration
}

// done wipes the bar away.
func (b *bar) done() {
	if b.drawn {
		_, _ = fmt.Fprint(b.run.Err, "\r\x1b[K")
	}
}
