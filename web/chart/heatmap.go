package chart

import (
	"html/template"
	"math"
)

// Heat is a heatmap: rows × columns of values.
type Heat struct {
	Rows, Cols []string    // labels
	Values     [][]float64 // by row, then column
	// Tip says the words of a cell, and Href where it leads; both may be nil.
	Tip  func(row, col int) string
	Href func(row, col int) string
}

const cellHeight = 26

// levels is how many shades there are besides the one of nothing.
const levels = 5

func level(v, most float64) int {
	if v <= 0 || most <= 0 {
		return 0
	}
	return min(1+int(v/most*levels*0.9999), levels)
}

// Heatmap draws cells that are the darker the more they hold, with their values in them where there is room.
func Heatmap(m Heat, o Options) template.HTML {
	var c canvas
	height := float64(len(m.Rows)*cellHeight + below)
	c.open("axis heat", height, &o, m.Href != nil)
	most := 0.0
	for _, row := range m.Values {
		for _, v := range row {
			most = max(most, sane(v))
		}
	}
	width := 100 / float64(max(len(m.Cols), 1))
	for r, row := range m.Values {
		y := float64(r * cellHeight)
		if r < len(m.Rows) {
			c.put(`<text x="-8" y="%s" dy="0.32em" text-anchor="end">%s</text>`, num(y+cellHeight/2), template.HTMLEscapeString(m.Rows[r]))
		}
		for col, v := range row {
			c.cell(m, r, col, sane(v), most, width, &o)
		}
	}
	for i, label := range m.Cols {
		class := "label"
		if len(m.Cols) > mostLabels && i%3 != 0 {
			class = "label roomy"
		}
		c.text(class, num((float64(i)+0.5)*width)+"%", num(height-6), "middle", label)
	}
	if most == 0 && o.None != "" {
		c.text("none", "50%", num(math.Max(height-below, cellHeight)/2), "middle", o.None)
	}
	return c.close()
}

func (c *canvas) cell(m Heat, row, col int, v, most, width float64, o *Options) {
	tip, href := "", ""
	if m.Tip != nil {
		tip = m.Tip(row, col)
	} else if row < len(m.Rows) && col < len(m.Cols) {
		tip = m.Rows[row] + ", " + m.Cols[col] + ": " + o.write(v)
	}
	if m.Href != nil && v > 0 { // nothing lies behind an empty cell
		href = m.Href(row, col)
	}
	l := level(v, most)
	y := float64(row * cellHeight)
	c.mark(tip, href, func() {
		c.put(`<rect class="cell cell-%d" x="%s%%" y="%s" width="%s%%" height="%d"/>`, l, num(float64(col)*width), num(y), num(width), cellHeight)
	})
	if v == 0 {
		return
	}
	class := "value"
	if l == levels {
		class = "value on"
	}
	// The figure stands beside the link, which says it already.
	c.put(`<text aria-hidden="true" class="%s" x="%s%%" y="%s" dy="0.35em" text-anchor="middle">%s</text>`, class, num((float64(col)+0.5)*width), num(y+cellHeight/2), template.HTMLEscapeString(o.write(v)))
}
