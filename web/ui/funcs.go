package ui

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/platform/fault"
	"parley/web/phrase"
)

// funcs are what templates can call, in the words and formats of p.
func (u *UI) funcs(p *phrase.Phrases) template.FuncMap {
	return template.FuncMap{
		"t":         p.T,
		"rich":      p.Rich,
		"num":       func(n any) (string, error) { return number(p, n) },
		"short":     p.Short,
		"pct":       p.Percent,
		"dec":       p.Decimal,
		"dur":       func(s any) (string, error) { return seconds(s, p.Duration) },
		"clock":     func(s any) (string, error) { return seconds(s, p.Clock) },
		"day":       p.Day,
		"daymonth":  p.DayMonth,
		"date":      p.Date,
		"longdate":  p.LongDate,
		"weekday":   p.Weekday,
		"hour":      p.Hour,
		"datetime":  func(t time.Time) template.HTML { return stamp(p, t, p.DateTime(t), "") },
		"moment":    func(t time.Time) template.HTML { return stamp(p, t, p.Moment(t, u.now()), "") },
		"ago":       func(t time.Time) template.HTML { return stamp(p, t, p.Ago(t, u.now()), " data-ago") },
		"tel":       tel,
		"lang":      p.Lang,
		"languages": phrase.Languages,

		"asset":    u.built.url,
		"missing":  u.Missing,
		"icon":     u.icon,
		"iconlg":   func(name string) template.HTML { return u.svg(name, "icon icon-lg") },
		"initials": Initials,
		"meter":    meter,
		"wrong":    func(f *Frame, field string) string { return wrong(f.Errors, field) },
		"fieldid":  func(e fault.FieldError) string { return "f-" + e.Field },
		"has":      func(list []string, s string) bool { return slices.Contains(list, s) },
		"dict":     dict,
		"list":     func(items ...any) []any { return items },
		"id":       func(prefix string, i int) string { return prefix + "-" + strconv.Itoa(i) },
	}
}

// tel is the address that calls a number (RFC 3966). What is no digit is left out, so that the address is safe as it is.
func tel(canonical string) template.URL {
	var out strings.Builder
	out.WriteString("tel:")
	for i, r := range canonical {
		if r >= '0' && r <= '9' || r == '+' && i == 0 || r == '*' || r == '#' {
			out.WriteString(url.QueryEscape(string(r)))
		}
	}
	return template.URL(strings.Replace(out.String(), "%2B", "+", 1))
}

func number(p *phrase.Phrases, n any) (string, error) {
	i, err := whole(n)
	if err != nil {
		return "", err
	}
	return p.Number(i), nil
}

func seconds(s any, write func(int64) string) (string, error) {
	i, err := whole(s)
	if err != nil {
		return "", err
	}
	return write(i), nil
}

func whole(n any) (int64, error) {
	switch v := n.(type) {
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case int64:
		return v, nil
	case uint32:
		return int64(v), nil
	case float64:
		return int64(math.Round(v)), nil
	case time.Duration:
		return int64(v / time.Second), nil
	default:
		return 0, fmt.Errorf("%T is no number that a page can write", n)
	}
}

// stamp is a time as people read it, with the exact one for machines and on hover.
func stamp(p *phrase.Phrases, t time.Time, text, attr string) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s"%s>%s</time>`, t.In(p.Zone()).Format(time.RFC3339),
		template.HTMLEscapeString(p.DateTime(t)), attr, template.HTMLEscapeString(text)))
}

func (u *UI) icon(name string) template.HTML { return u.svg(name, "icon") }

// svg refers to an icon in the sprite. Without built assets there is none: icons only ever stand beside words.
func (u *UI) svg(name, class string) template.HTML {
	sprite := u.built.url("icons.svg")
	if name == "" || sprite == "" {
		return ""
	}
	return template.HTML(`<svg class="` + class + `" aria-hidden="true"><use href="` + sprite + "#" + template.HTMLEscapeString(name) + `"></use></svg>`)
}

// meter is a thin bar filled to a share of 0 to 1.
func meter(share float64) template.HTML {
	width := strconv.FormatFloat(min(max(share, 0), 1)*100, 'f', 1, 64)
	return template.HTML(`<svg class="meter" aria-hidden="true"><rect class="rest" width="100%" height="3" rx="1.5"/><rect width="` + width + `%" height="3" rx="1.5"/></svg>`)
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict wants names and values in pairs, got %d", len(pairs))
	}
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict wants a name, got %T", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}
