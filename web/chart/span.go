package chart

import "html/template"

// Stretch is a part of a day, in shares of it from 0 to 1, before another part of it.
type Stretch struct {
	From, To         float64
	BackFrom, BackTo float64 // drawn behind, such as the working hours; both 0 for none
}

// Span draws a stretch of a day as a bar on the line of the whole day, as high as a line of text.
func Span(s Stretch, title string) template.HTML {
	var c canvas
	c.put(`<svg class="chart span" width="100%%" height="12" role="img" aria-label="%s">`, template.HTMLEscapeString(title))
	c.put(`<rect class="day" x="0" y="5" width="100%%" height="2" rx="1"/>`)
	c.stretch("back", s.BackFrom, s.BackTo, 3, 6)
	c.stretch("a", s.From, s.To, 1, 10)
	return c.close()
}

func (c *canvas) stretch(class string, from, to, y, height float64) {
	from, to = min(sane(from), 1), min(sane(to), 1)
	if to <= from && class == "back" {
		return
	}
	width := max(to-from, 0.004) // a single short call can still be seen
	c.put(`<rect class="%s" x="%s%%" y="%s" width="%s%%" height="%s" rx="1.5"/>`, class, num(min(from, 1-width)*100), num(y), num(width*100), num(height))
}
