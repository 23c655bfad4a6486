package chart

import (
	"html/template"
	"math"
)

// Bars draws one bar a point, or two where there is a second series.
func Bars(points []Point, o Options) template.HTML {
	var c canvas
	points = drawn(points, &o)
	h := o.height()
	c.open("axis bars", above+h+below, &o, linked(points))
	most := 0.0
	for _, p := range points {
		v, s := sane(p.Value), sane(p.Second)
		if o.Stacked {
			most = max(most, v+s)
		} else {
			most = max(most, v, s)
		}
	}
	top := c.grid(most, &o)
	slot := 100 / float64(max(len(points), 1))
	for i, p := range points {
		left := float64(i) * slot
		c.mark(o.tip(p), p.Href, func() {
			c.put(`<rect class="hit" x="%s%%" y="0" width="%s%%" height="%s"/>`, num(left), num(slot), num(above+h))
			c.bar(p, left, slot, top, &o)
		})
	}
	c.labels(points, above+h+15, func(i int) float64 { return (float64(i) + 0.5) * slot })
	if nothing(points) && o.None != "" {
		c.text("none", "50%", num(above+h/2), "middle", o.None)
	}
	return c.close()
}

// bar draws the bar or bars of one point into its slot.
func (c *canvas) bar(p Point, left, slot, top float64, o *Options) {
	v, s := sane(p.Value), sane(p.Second)
	second := "b"
	if o.Alarm {
		second = "c"
	}
	switch {
	case o.Second == "":
		c.rect("a", left+slot*0.16, slot*0.68, 0, v, top, o)
	case o.Stacked:
		c.rect("a", left+slot*0.16, slot*0.68, 0, v, top, o)
		c.rect(second, left+slot*0.16, slot*0.68, v, s, top, o)
	default:
		c.rect("a", left+slot*0.12, slot*0.37, 0, v, top, o)
		c.rect(second, left+slot*0.51, slot*0.37, 0, s, top, o)
	}
}

// rect draws a value v that stands on from. What is not 0 is at least one pixel high, so that it can be seen.
func (c *canvas) rect(class string, x, width, from, v, top float64, o *Options) {
	if v == 0 {
		return
	}
	h := o.height()
	tall := math.Max(v/top*h, 1)
	c.put(`<rect class="%s" x="%s%%" width="%s%%" y="%s" height="%s"/>`, class, num(x), num(width), num(above+h-from/top*h-tall), num(tall))
}
