// Package chart draws small charts as SVG text: bars, lines, heatmaps and sparks. A chart is as wide as its place:
// positions across are per cent and heights are pixels, so that type keeps its size on a phone. Colours come from the
// page's styles by class. A page that shows a chart also offers its figures as a table.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Point is one place along the axis.
type Point struct {
	Label  string
	Value  float64
	Second float64 // of the second series; NaN where it has none
	Tip    string  // words for this point; made of label and values when empty
	Href   string  // opens the rows behind it
}

// Options say what a chart is about.
type Options struct {
	Title  string // what it shows, read out by screen readers
	Desc   string // what one sees in it, read out after the title
	First  string // name of the first series
	Second string // name of the second series; "" when there is one series only
	None   string // shown in the middle when there is nothing to draw
	Height int    // pixels of the drawing area, 160 when 0
	// Format writes a value on the axis and in the words of a point; plain digits when nil.
	Format func(float64) string
	// Seconds puts the lines of the axis at minutes and hours.
	Seconds bool
	// Fractions lets the axis have lines between 0 and 1, as ratios need and counts do not.
	Fractions bool
	// Stacked puts the second series on top of the first one in bars; else they stand side by side.
	Stacked bool
	// Alarm draws the second series of bars in the colour of what went wrong.
	Alarm bool
}

const (
	above      = 8  // pixels over the drawing area
	below      = 22 // pixels for the labels under it
	mostLabels = 12 // labels along the axis that a wide page has room for; a phone shows every other one
)

func (o *Options) height() float64 {
	if o.Height > 0 {
		return float64(o.Height)
	}
	return 160
}

func (o *Options) write(v float64) string {
	if o.Format != nil {
		return o.Format(v)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func (o *Options) tip(p Point) string {
	if p.Tip != "" {
		return p.Tip
	}
	s := p.Label + ": " + o.write(sane(p.Value))
	if o.Second == "" {
		return s
	}
	s = p.Label + "\n" + o.First + ": " + o.write(sane(p.Value))
	if !math.IsNaN(p.Second) {
		s += "\n" + o.Second + ": " + o.write(sane(p.Second))
	}
	return s
}

// sane makes a value fit to draw: what is no number, endless or negative counts as 0.
func sane(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0
	}
	return v
}

// num writes a coordinate with at most two places.
func num(f float64) string {
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// canvas collects the parts of one SVG.
type canvas struct{ strings.Builder }

func (c *canvas) put(format string, a ...any) { fmt.Fprintf(c, format, a...) }

// open begins the SVG. A chart with links in it is a group, since an image hides what is inside it from screen readers.
func (c *canvas) open(class string, height float64, o *Options, links bool) {
	role := "img"
	if links {
		role = "group"
	}
	c.put(`<svg class="chart %s" width="100%%" height="%s" role="%s" aria-label="%s">`, class, num(height), role, html.EscapeString(o.Title))
	if o.Desc != "" {
		c.put(`<desc>%s</desc>`, html.EscapeString(o.Desc))
	}
}

func (c *canvas) close() template.HTML {
	c.WriteString(`</svg>`)
	return template.HTML(c.String())
}

// mark wraps the shapes of one point, with its words and, where it has one, its link.
func (c *canvas) mark(tip, href string, shapes func()) {
	tip = html.EscapeString(tip)
	if !inside(href) {
		c.put(`<g class="mark"><title>%s</title>`, tip)
		shapes()
		c.WriteString(`</g>`)
		return
	}
	c.put(`<a href="%s" aria-label="%s"><title>%s</title>`, html.EscapeString(href), tip, tip)
	shapes()
	c.WriteString(`</a>`)
}

// inside tells whether href leads to a page of ours: no scheme, no other host.
func inside(href string) bool {
	return strings.HasPrefix(href, "?") || strings.HasPrefix(href, "#") ||
		strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//")
}

func (c *canvas) text(class, x, y, anchor, s string) {
	c.put(`<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>`, class, x, y, anchor, html.EscapeString(s))
}

// grid draws the lines of the axis with their values and returns the value at the top.
func (c *canvas) grid(most float64, o *Options) (top float64) {
	step := stepFor(most, o)
	top = max(math.Ceil(most/step), 1) * step
	h := o.height()
	for i := 0; float64(i)*step <= top+step/2; i++ {
		if most == 0 && i > 0 {
			break // an axis of nothing has no values to show
		}
		v := float64(i) * step
		y := num(above + h - v/top*h)
		class := "grid"
		if i == 0 {
			class = "base"
		}
		c.put(`<line class="%s" x1="0" x2="100%%" y1="%s" y2="%s"/>`, class, y, y)
		c.put(`<text x="-8" y="%s" dy="0.32em" text-anchor="end">%s</text>`, y, html.EscapeString(o.write(v)))
	}
	return top
}

// stepFor is the distance of the axis lines: a round number that makes three to five of them.
func stepFor(most float64, o *Options) float64 {
	if most <= 0 || most <= 4 && !o.Fractions && !o.Seconds {
		return 1
	}
	rough := most / 4
	if o.Seconds && rough <= 12*3600 {
		for _, s := range []float64{1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600, 12 * 3600} {
			if s >= rough {
				return s
			}
		}
	}
	scale := math.Pow(10, math.Floor(math.Log10(rough)))
	if o.Seconds { // whole hours: 20 h, 50 h, 100 h
		scale = 3600 * math.Pow(10, math.Floor(math.Log10(rough/3600)))
	}
	for _, f := range []float64{1, 2, 5} {
		if f*scale >= rough {
			return f * scale
		}
	}
	return 10 * scale
}

// labels writes the words under the axis, as many as there is room for. at gives the place of point i in per cent.
func (c *canvas) labels(points []Point, y float64, at func(i int) float64) {
	every := (len(points) + mostLabels - 1) / mostLabels
	shown := 0
	for i := 0; i < len(points); i += max(every, 1) {
		class := "label"
		if len(points) > mostLabels/2 && shown%2 == 1 {
			class = "label roomy"
		}
		shown++
		c.text(class, num(at(i))+"%", num(y), "middle", points[i].Label)
	}
}

// drawn is points without what the options have no series for.
func drawn(points []Point, o *Options) []Point {
	if o.Second != "" {
		return points
	}
	out := slices.Clone(points)
	for i := range out {
		out[i].Second = 0
	}
	return out
}

func nothing(points []Point) bool {
	for _, p := range points {
		if sane(p.Value) > 0 || sane(p.Second) > 0 {
			return false
		}
	}
	return true
}

func linked(points []Point) bool {
	for _, p := range points {
		if inside(p.Href) {
			return true
		}
	}
	return false
}
