package chart

import (
	"html/template"
	"math"
	"strings"
)

// Line draws a trend with a soft area under it, and the second series as a dashed line to compare it with. A value that
// is NaN leaves a gap.
func Line(points []Point, o Options) template.HTML {
	var c canvas
	points = drawn(points, &o)
	h := o.height()
	c.open("axis trend", above+h+below, &o, linked(points))
	most := 0.0
	for _, p := range points {
		most = max(most, sane(p.Value), sane(p.Second))
	}
	top := c.grid(most, &o)
	slot := 100 / float64(max(len(points), 1))
	at := func(i int) float64 { return (float64(i) + 0.5) * slot }
	y := func(v float64) float64 { return above + h - sane(v)/top*h }

	// A path cannot have per cent in it, so the lines live in an SVG of their own that stretches across.
	c.put(`<svg width="100%%" height="%s" viewBox="0 0 1000 %s" preserveAspectRatio="none">`, num(above+h), num(above+h))
	first := func(p Point) float64 { return p.Value }
	c.area(points, first, at, y, above+h)
	if o.Second != "" {
		c.path("line b", points, func(p Point) float64 { return p.Second }, at, y)
	}
	c.path("line", points, first, at, y)
	c.WriteString(`</svg>`)

	for i, p := range points {
		if math.IsNaN(p.Value) {
			continue
		}
		c.mark(o.tip(p), p.Href, func() {
			c.put(`<rect class="hit" x="%s%%" y="0" width="%s%%" height="%s"/>`, num(float64(i)*slot), num(slot), num(above+h))
			if len(points) == 1 || i == len(points)-1 {
				c.put(`<circle class="dot" cx="%s%%" cy="%s" r="4"/>`, num(at(i)), num(y(p.Value)))
			}
		})
	}
	c.labels(points, above+h+15, at)
	if nothing(points) && o.None != "" {
		c.text("none", "50%", num(above+h/2), "middle", o.None)
	}
	return c.close()
}

// runs cuts the points into stretches without gaps.
func runs(points []Point, value func(Point) float64) [][2]int {
	var out [][2]int
	start := -1
	for i, p := range points {
		gap := math.IsNaN(value(p))
		if !gap && start < 0 {
			start = i
		}
		if gap && start >= 0 {
			out = append(out, [2]int{start, i})
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, [2]int{start, len(points)})
	}
	return out
}

func trace(points []Point, run [2]int, value func(Point) float64, at func(int) float64, y func(float64) float64) string {
	steps := make([]string, 0, run[1]-run[0])
	for i := run[0]; i < run[1]; i++ {
		steps = append(steps, num(at(i)*10)+" "+num(y(value(points[i]))))
	}
	return strings.Join(steps, "L")
}

func (c *canvas) path(class string, points []Point, value func(Point) float64, at func(int) float64, y func(float64) float64) {
	var d strings.Builder
	for _, run := range runs(points, value) {
		d.WriteString("M" + trace(points, run, value, at, y))
	}
	if d.Len() > 0 {
		c.put(`<path class="%s" d="%s" vector-effect="non-scaling-stroke"/>`, class, d.String())
	}
}

func (c *canvas) area(points []Point, value func(Point) float64, at func(int) float64, y func(float64) float64, ground float64) {
	for _, run := range runs(points, value) {
		if run[1]-run[0] < 2 {
			continue
		}
		left, right := num(at(run[0])*10), num(at(run[1]-1)*10)
		c.put(`<path class="area" d="M%s %sL%sL%s %sZ"/>`, left, num(ground), trace(points, run, value, at, y), right, num(ground))
	}
}

// Spark draws a trend without an axis, as high as a line of text. Without a title it is decoration for the figure beside
// it and hidden from screen readers.
func Spark(values []float64, title string) template.HTML {
	var c canvas
	if title == "" {
		c.WriteString(`<svg class="chart spark" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">`)
	} else {
		c.put(`<svg class="chart spark" viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label="%s">`, template.HTMLEscapeString(title))
	}
	points := make([]Point, len(values))
	most := 0.0
	for i, v := range values {
		points[i].Value = v
		most = max(most, sane(v))
	}
	if most == 0 {
		most = 1
	}
	at := func(i int) float64 { return float64(i) / float64(max(len(values)-1, 1)) * 100 }
	y := func(v float64) float64 { return 22 - sane(v)/most*20 }
	value := func(p Point) float64 { return p.Value }
	c.area(points, value, at, y, 24)
	c.path("line", points, value, at, y)
	return c.close()
}
