package chart_test

import (
	"encoding/xml"
	"flag"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/web/chart"
)

var update = flag.Bool("update", false, "write the golden files anew")

func days(n int) []chart.Point {
	points := make([]chart.Point, n)
	for i := range points {
		points[i] = chart.Point{Label: fmt.Sprintf("%d Mar", i+1), Value: float64(i * i % 37), Second: float64(i * 7 % 29)}
	}
	return points
}

func week() chart.Heat {
	h := chart.Heat{Rows: []string{"सोम", "मंगल", "बुध"}, Cols: []string{"9", "10", "11", "12"}}
	for r := range h.Rows {
		row := make([]float64, len(h.Cols))
		for c := range row {
			row[c] = float64(r * c * 7)
		}
		h.Values = append(h.Values, row)
	}
	return h
}

func charts() map[string]template.HTML {
	two := chart.Options{Title: "Calls by day", Desc: "Most on 13 March", First: "Connected", Second: "Missed", Alarm: true, Stacked: true}
	linked := days(3)
	for i := range linked {
		linked[i].Href = fmt.Sprintf("/calls?day=%d&type=missed", i)
	}
	gap := days(5)
	gap[2].Value = math.NaN()
	nils := []chart.Point{{Label: "a"}, {Label: "b"}}
	heatLinks := week()
	heatLinks.Href = func(r, c int) string { return fmt.Sprintf("/calls?weekday=%d&hour=%d", r, c) }
	return map[string]template.HTML{
		"bars":          chart.Bars(days(14), two),
		"bars-beside":   chart.Bars(days(4), chart.Options{Title: "In and out", First: "In", Second: "Out"}),
		"bars-linked":   chart.Bars(linked, chart.Options{Title: "Missed"}),
		"bars-none":     chart.Bars(nils, chart.Options{Title: "Nothing", None: "No calls in these days"}),
		"bars-empty":    chart.Bars(nil, chart.Options{Title: "Nothing", None: "No calls in these days"}),
		"bars-huge":     chart.Bars([]chart.Point{{Label: "a", Value: 9e15}, {Label: "b", Value: 1}, {Label: "c", Value: math.Inf(1)}, {Label: "d", Value: -4}}, chart.Options{Title: "Huge"}),
		"bars-seconds":  chart.Bars([]chart.Point{{Label: "Asha", Value: 16200}}, chart.Options{Title: "Talk", Seconds: true, Format: func(v float64) string { return fmt.Sprintf("%g min", v/60) }}),
		"bars-escaped":  chart.Bars([]chart.Point{{Label: `"><script>`, Value: 1, Href: `"onclick=`, Tip: "<b>"}}, chart.Options{Title: `"<i>`, Desc: "<u>"}),
		"line":          chart.Line(days(31), chart.Options{Title: "Calls a day", First: "These days", Second: "The days before"}),
		"line-one":      chart.Line(days(2)[1:], chart.Options{Title: "One day"}),
		"line-ratio":    chart.Line([]chart.Point{{Label: "a", Value: 0.4}, {Label: "b", Value: 0.71}}, chart.Options{Title: "Answer rate", Fractions: true}),
		"line-gap":      chart.Line(gap, chart.Options{Title: "With a gap"}),
		"line-empty":    chart.Line(nil, chart.Options{Title: "Nothing", None: "No calls yet"}),
		"heatmap":       chart.Heatmap(week(), chart.Options{Title: "Calls by weekday and hour"}),
		"heatmap-links": chart.Heatmap(heatLinks, chart.Options{Title: "Calls by weekday and hour"}),
		"heatmap-empty": chart.Heatmap(chart.Heat{}, chart.Options{Title: "Nothing", None: "No calls"}),
		"spark":         chart.Spark([]float64{1, 5, 3, 8}, ""),
		"spark-one":     chart.Spark([]float64{4}, "One day"),
		"spark-zero":    chart.Spark([]float64{0, 0}, ""),
	}
}

func TestChartsLookAsTheyDid(t *testing.T) {
	for name, got := range charts() {
		file := filepath.Join("testdata", name+".svg")
		shown := strings.ReplaceAll(string(got), "><", ">\n<") + "\n"
		if *update {
			if err := os.WriteFile(file, []byte(shown), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if shown != string(want) {
			t.Errorf("%s differs from its golden file; look at it and run the test with -update if it is right", name)
		}
	}
}

func TestChartsAreWholeAndFinite(t *testing.T) {
	for name, got := range charts() {
		d := xml.NewDecoder(strings.NewReader(string(got)))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s does not parse: %v", name, err)
			}
			start, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			for _, a := range start.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("%s: %s of a %s is %q", name, a.Name.Local, start.Name.Local, a.Value)
				}
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("%s: a %s has the attribute %s, which the pages' policy forbids", name, start.Name.Local, a.Name.Local)
				}
			}
		}
	}
}

func TestAChartLeadsNowhereElse(t *testing.T) {
	for _, href := range []string{"javascript:alert(1)", "//elsewhere.example/", "https://elsewhere.example/"} {
		got := string(chart.Bars([]chart.Point{{Label: "a", Value: 1, Href: href}}, chart.Options{}))
		if strings.Contains(got, "href") {
			t.Errorf("a bar leads to %s", href)
		}
	}
}

func TestAChartWithLinksIsNoImage(t *testing.T) {
	for name, got := range charts() {
		links, image := strings.Contains(string(got), "<a "), strings.Contains(string(got), `role="img"`)
		if links && image {
			t.Errorf("%s is an image with links in it, which screen readers cannot reach", name)
		}
	}
}
