package ui

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"
	"time"

	"parley/platform/civil"
	"parley/platform/fault"
	"parley/web/chart"
	"parley/web/phrase"
)

// GalleryPage shows every part with invented figures, so that a change of looks can be seen at a glance.
type GalleryPage struct {
	Frame
	Tiles    []Tile
	Trend    Figure
	Hours    Figure
	Week     Figure
	Board    Table
	Pipeline Board
	Calls    Table
	Nothing  Table
	Fields   []Field
	Drop     Drop
	Running  []Progress
	Tags     []Tag
	Notes    []Note
	Waiting  Complete
	Whole    Complete
	Facts    []Fact
	Actions  []Action
	Leaflet  map[string]string
	Autosave map[string]any
}

// Gallery serves the gallery: ?lang=hi for Hindi, ?form=wrong for a form that came back, ?bare=1 for the frame of
// sign-in pages, ?hits=1 for an answer to the palette. It is for developers and shows no real data.
func (u *UI) Gallery() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		zone, err := time.LoadLocation("Asia/Kolkata")
		if err != nil {
			zone = time.UTC
		}
		p := phrase.For(q.Get("lang") + "-IN").In(zone)
		if q.Get("hits") != "" || IsFragment(r) {
			u.Fragment(w, http.StatusOK, "gallery", "hits", p, sampleHits())
			return
		}
		page := u.sample(p)
		page.Bare = q.Get("bare") != ""
		if q.Get("form") == "wrong" {
			page.Errors = fault.Fields(fault.Join(
				fault.Field("email", "“asha@” is no e-mail address. Write one such as asha@example.com."),
				fault.Field("country", "Choose the country whose numbers you dial without a prefix."),
			))
			for i, f := range page.Fields {
				page.Fields[i].Error = page.Wrong(f.Name)
			}
		}
		u.Render(w, http.StatusOK, "gallery", page)
	})
}

func sampleHits() []Hits {
	return []Hits{
		{Title: "Agents", Items: []Hit{{Title: "Asha Kulkarni", Aside: "Pune", Href: "#asha", Icon: "user"}}},
		{Title: "Numbers", Items: []Hit{{Title: "098123 00001", Aside: "14 calls", Href: "#n1", Icon: "call"}}},
	}
}

func (u *UI) sample(p *phrase.Phrases) *GalleryPage {
	today := civil.Today(u.now(), p.Zone())
	page := &GalleryPage{
		Frame:    sampleFrame(p, today),
		Tiles:    sampleTiles(p),
		Pipeline: samplePipeline(p),
		Trend:    sampleTrend(p, today),
		Hours:    sampleHours(p),
		Week:     sampleWeek(p),
		Board:    sampleBoard(p),
		Calls:    u.sampleCalls(p),
		Fields:   sampleFields(p),
		Drop:     Drop{Name: "file", Help: "SMS Backup & Restore, Asterisk, FreePBX, FreeSWITCH, Google Takeout, CSV or XLSX", Accept: ".xml,.csv,.zip,.xlsx,.json"},
		Running:  []Progress{{Title: "calls-20260401.xml", Text: p.Number(12000) + " / " + p.Number(40000), Ratio: 0.3}, {Title: "cdr.csv", Text: "…", Busy: true}, {Title: "takeout.zip", Text: p.Number(123456), Ratio: 1, Kind: Good}},
		Waiting:  Complete{Phones: 2, Href: "#devices"},
		Whole:    Complete{Whole: true},
		Notes:    []Note{{Kind: Warn, Title: "Asha’s phone is silent.", Text: "It has sent nothing for 26 hours on a working day.", Action: &Action{Title: p.T("nav.devices"), Href: "#devices"}}},
		Actions:  []Action{{Title: p.T("range.apply"), Href: "#a", Primary: true}, {Title: p.T("nav.imports"), Href: "#b", Icon: "import"}, {Title: p.T("demo.remove"), Href: "/dev/gallery", Post: true, Danger: true, Icon: "trash", Confirm: p.T("demo.remove_title"), ConfirmText: p.T("demo.remove_text")}},
		Leaflet:  map[string]string{"ID": "code", "Text": "parley import --agent asha calls-20260401.xml"},
		Autosave: map[string]any{"ID": "gallery-note", "Label": "Note", "Value": "Asked for the price list.", "Href": "/dev/gallery",
			"Fields": []Param{{"call", "cal_01"}}},
	}
	for _, o := range []struct {
		key  string
		kind Kind
		icon string
	}{{"connected", Good, "call"}, {"missed", Bad, "call-missed"}, {"not_picked_up", Warn, "call-out"}, {"voicemail", Info, "voicemail"}, {"unknown", Plain, ""}} {
		page.Tags = append(page.Tags, Tag{Text: p.T("outcome." + o.key), Kind: o.kind, Icon: o.icon})
	}
	page.Facts = []Fact{{p.T("nav.devices"), Cell{Text: "Pixel 8a", Dot: true, State: Good}}, {p.T("nav.calls"), Cell{Text: p.Number(123456), Href: "#calls"}}, {p.T("nav.teams"), Cell{Tag: &Tag{Text: "Pune"}}}}
	page.Nothing = Table{Title: p.T("nav.imports"), Empty: &Empty{Icon: "empty", Title: "No file was imported yet", Text: "Files you drop in are listed here with what became of each row.", Action: &Action{Title: "Import a call log", Href: "#import", Primary: true, Icon: "import"}}}
	return page
}

func sampleFrame(p *phrase.Phrases, today civil.Day) Frame {
	return Frame{
		Title:   p.T("nav.today"),
		Lead:    p.Rich("gallery.lead", "Count", 14, "Waiting", 9),
		Phrases: p,
		Demo:    true,
		Path:    "/dev/gallery",
		Org:     &Org{Name: "Asha Traders & Sons Private Limited", Others: []Link{{Title: "Asha Traders & Sons Private Limited", Href: "1", Current: true}, {Title: "Demo", Href: "2"}}},
		Me:      &Me{Name: "Meera Kulkarni", Role: p.T("role.manager"), Href: "#me"},
		Flashes: []Flash{{Kind: Good, Text: "1,204 calls were imported; 3 rows were refused."}},
		Tabs:    []Link{{Title: p.T("nav.today"), Href: "#", Current: true}, {Title: p.T("nav.missed"), Href: "#m", Count: "14"}, {Title: p.T("nav.leaderboard"), Href: "#l"}},
		Nav: []NavGroup{
			{Items: []NavItem{
				{Title: p.T("nav.today"), Href: "/dev/gallery", Icon: "today", Key: "t", Dock: true, Current: true},
				{Title: p.T("nav.missed"), Short: p.T("outcome.missed"), Href: "#missed", Icon: "call-missed", Key: "m", Count: 14, Hot: true, Dock: true},
				{Title: p.T("nav.calls"), Href: "#calls", Icon: "call", Key: "c", Dock: true},
				{Title: p.T("nav.reports"), Href: "#reports", Icon: "reports", Key: "r", Dock: true},
				{Title: p.T("nav.leaderboard"), Href: "#leaderboard", Icon: "leaderboard", Key: "l"},
			}},
			{Title: "Asha Traders", Items: []NavItem{
				{Title: p.T("nav.agents"), Href: "#agents", Icon: "agents", Key: "a"},
				{Title: p.T("nav.devices"), Href: "#devices", Icon: "device", Key: "d", Count: 2},
				{Title: p.T("nav.imports"), Href: "#imports", Icon: "import", Key: "i"},
				{Title: p.T("nav.settings"), Href: "#settings", Icon: "settings", Key: "s"},
			}},
		},
		Range: &Range{
			Action: "/dev/gallery", Label: p.Range(today-6, today+1), Against: "24–30 Nov", From: (today - 6).String(), Through: today.String(), Max: today.String(),
			Presets: []Link{{Title: p.T("range.today"), Href: "?r=1"}, {Title: p.T("range.yesterday"), Href: "?r=2"}, {Title: p.T("range.last_7_days"), Href: "?r=7", Current: true}, {Title: p.T("range.this_month"), Href: "?r=m"}, {Title: p.T("range.last_month"), Href: "?r=l"}},
			Choices: []Option{{Value: "", Title: p.T("range.none")}, {Value: "previous", Title: p.T("range.previous")}, {Value: "year", Title: p.T("range.year_before")}},
			Compare: "previous", Keep: []Param{{"lang", p.Lang()}},
		},
	}
}

func sampleTiles(p *phrase.Phrases) []Tile {
	tile := func(id, figure, unit string, kind Kind, change *Change) Tile {
		return Tile{Title: p.T("metric." + id), Figure: figure, Unit: unit, Kind: kind, Change: change, Href: "#rows", How: p.T("metric." + id + ".how")}
	}
	against := "the average of the last 8 Mondays"
	return []Tile{
		tile("calls", p.Number(123456), "", Plain, &Change{Text: "+12%", Up: true, Kind: Good, Against: against}),
		tile("never_attended_clients", "14", "", Bad, &Change{Text: "+3", Up: true, Kind: Bad, Against: against}),
		tile("answer_rate", p.Percent(0.71), "", Plain, &Change{Same: true, Against: against}),
		tile("talk_seconds", p.Duration(18300), "", Plain, &Change{Text: "−4%", Kind: Bad, Against: against}),
		tile("unique_clients", p.Number(342), "", Plain, nil),
		{Title: p.T("metric.working_span_seconds"), Figure: "–", Spark: chart.Spark([]float64{3, 6, 4, 9, 7, 12, 8}, "")},
	}
}

func sampleTrend(p *phrase.Phrases, today civil.Day) Figure {
	points := make([]chart.Point, 30)
	rows := make([]Row, 0, len(points))
	for i := range points {
		d := today - civil.Day(len(points)-1-i)
		v := math.Round(420 + 130*math.Sin(float64(i)/3) - 260*float64((i+2)%7/6))
		points[i] = chart.Point{Label: p.DayMonth(d), Value: v, Second: math.Round(380 + 90*math.Cos(float64(i)/4)), Href: "#" + d.String()}
		rows = append(rows, Row{Cells: []Cell{{Text: p.Day(d)}, {Text: p.Number(int64(v))}}})
	}
	return Figure{
		Title:  p.T("metric.calls"),
		Series: []Series{{Title: "These days"}, {Title: "The days before", Class: "dash"}},
		Chart:  chart.Line(points, chart.Options{Title: p.T("metric.calls"), First: "These days", Second: "The days before", Format: p.Short}),
		Table:  &Table{Title: p.T("metric.calls"), Columns: []Column{{Title: p.T("range.today")}, {Title: p.T("nav.calls"), Numeric: true}}, Rows: rows[:5]},
	}
}

func sampleHours(p *phrase.Phrases) Figure {
	points := make([]chart.Point, 14)
	for i := range points {
		points[i] = chart.Point{Label: p.Hour(i + 8), Value: float64((i*37 + 11) % 60), Second: float64((i * 13) % 17)}
	}
	return Figure{
		Title:  "By hour",
		Series: []Series{{Title: p.T("outcome.connected")}, {Title: p.T("outcome.missed"), Class: "c"}},
		Chart:  chart.Bars(points, chart.Options{Title: "Calls by hour", First: p.T("outcome.connected"), Second: p.T("outcome.missed"), Stacked: true, Alarm: true, Format: p.Short}),
	}
}

func sampleWeek(p *phrase.Phrases) Figure {
	var h chart.Heat
	for hour := 8; hour < 21; hour++ {
		h.Cols = append(h.Cols, p.Hour(hour))
	}
	for d := range 7 {
		weekday := time.Weekday((d + 1) % 7)
		h.Rows = append(h.Rows, p.WeekdayShort(weekday))
		row := make([]float64, len(h.Cols))
		for c := range row {
			if weekday != time.Sunday {
				row[c] = math.Round(34 * math.Exp(-math.Pow(float64(c-4+d%3), 2)/14))
			}
		}
		h.Values = append(h.Values, row)
	}
	h.Href = func(row, col int) string { return fmt.Sprintf("#w%d-%d", row, col) }
	return Figure{Title: "By weekday and hour", Chart: chart.Heatmap(h, chart.Options{Title: "Calls by weekday and hour", Format: p.Short})}
}

func sampleBoard(p *phrase.Phrases) Table {
	t := Table{
		ID: "board", Title: p.T("nav.leaderboard"), Note: "12",
		Columns: []Column{{Title: p.T("role.agent")}, {Title: p.T("metric.calls"), Numeric: true, SortURL: "?sort=calls", Sorted: "descending"}, {Title: p.T("metric.connected"), Numeric: true, SortURL: "?sort=connected"}, {Title: p.T("metric.talk_seconds"), Numeric: true, SortURL: "?sort=talk"}, {Title: p.T("metric.missed"), Numeric: true, SortURL: "?sort=missed"}, {Title: p.T("metric.connection_rate"), Numeric: true}},
		Exports: []Link{{Title: "CSV", Href: "?as=csv"}, {Title: "XLSX", Href: "?as=xlsx"}, {Title: "JSON", Href: "?as=json"}},
	}
	names := []string{"Asha Kulkarni", "Rohan Deshpande", "फ़ातिमा शेख", "Vikram Rao", "Sunita Iyer"}
	for i, name := range names {
		calls := int64(1312 - i*197)
		t.Rows = append(t.Rows, Row{Cells: []Cell{
			{Text: name, Href: "#agent", Strong: true, Sub: "Pune"},
			{Text: p.Number(calls), Meter: true, Share: float64(calls) / 1312}, {Text: p.Number(calls * 7 / 10)}, {Text: p.Duration(calls * 41)}, {Text: p.Number(int64(i * 9))}, {Text: p.Percent(0.71 - float64(i)*0.06)},
		}})
	}
	t.Total = []Cell{{Text: "All"}, {Text: p.Number(4590)}, {Text: p.Number(3213)}, {Text: p.Duration(188190)}, {Text: "90"}, {Text: p.Percent(0.6)}}
	return t
}

func (u *UI) sampleCalls(p *phrase.Phrases) Table {
	t := Table{
		Title:   p.T("nav.calls"),
		Columns: []Column{{Title: "Number"}, {Title: "When"}, {Title: "Outcome"}, {Title: p.T("metric.talk_seconds"), Numeric: true}, {Title: p.T("role.agent")}, {Title: "Synced"}, {Title: p.T("table.actions"), Acts: true}},
		Pager:   &Pager{Newer: "?before=a", Older: "?after=b", Text: "51–100 / " + p.Number(123456)},
		Exports: []Link{{Title: "CSV", Href: "?as=csv"}},
	}
	outcomes := []Tag{{Text: p.T("outcome.connected"), Kind: Good, Icon: "call-in"}, {Text: p.T("outcome.missed"), Kind: Bad, Icon: "call-missed"}, {Text: p.T("outcome.not_picked_up"), Kind: Warn, Icon: "call-out"}}
	for i, o := range outcomes {
		at := u.now().Add(-time.Duration(i*i*9+1) * time.Hour)
		t.Rows = append(t.Rows, Row{Cells: []Cell{
			{Text: fmt.Sprintf("098123 0000%d", i+1), Href: "#number", Strong: true, Sub: "Sharma Hardware"},
			{Time: at}, {Tag: &o}, {Text: p.Clock(int64(i*i*3000 + 42))}, {Text: "Asha Kulkarni", Href: "#agent"}, {Ago: at},
			{Acts: []Action{{Title: "Call back", Href: "tel:+919812300001", Icon: "call-back"}}},
		}})
	}
	return t
}

func sampleFields(p *phrase.Phrases) []Field {
	return []Field{
		{Name: "name", Label: "Company name", Value: "Asha Traders", Complete: "organization"},
		{Name: "email", Label: "E-mail address", Type: "email", Help: "We write to it only about signing in.", Value: "asha@", Complete: "email"},
		{Name: "password", Label: "Password", Type: "new-password", Help: "At least 10 characters. A sentence is easy to remember.", Least: 10},
		{Name: "country", Label: "Country", Type: "select", Size: "medium", Value: "IN", Options: []Option{{Value: "IN", Title: "India"}, {Value: "GB", Title: "United Kingdom"}}},
		{Name: "note", Label: "Note", Type: "textarea", Optional: true},
		{Name: "dates", Label: "How are dates written?", Type: "radio", Value: "dmy", Options: []Option{{Value: "dmy", Title: "Day first", Help: "02/03/2026 is 2 March"}, {Value: "mdy", Title: "Month first", Help: "02/03/2026 is 3 February"}}},
		{Name: "days", Label: "Working days", Type: "checks", Row: true, Values: []string{"1", "2"}, Options: []Option{{Value: "1", Title: p.Weekday(time.Monday)}, {Value: "2", Title: p.Weekday(time.Tuesday)}, {Value: "0", Title: p.Weekday(time.Sunday)}}},
		{Name: "terms", Label: "I accept the terms and am 18 or older", Type: "check"},
	}
}

// Marks shows the palette of the current theme in the gallery.
func (*GalleryPage) Marks() template.HTML {
	var out strings.Builder
	for _, class := range []string{"bg-base-100", "bg-base-200", "bg-base-300", "bg-primary", "bg-success", "bg-warning", "bg-error", "bg-neutral"} {
		out.WriteString(`<span class="inline-block size-8 border border-line ` + class + `"></span>`)
	}
	return template.HTML(out.String())
}

func samplePipeline(p *phrase.Phrases) Board {
	stages := []Option{{Value: "new", Title: "New"}, {Value: "talking", Title: "Talking"}, {Value: "offer", Title: "Offer made"}}
	lead := func(id, name, sub, worth string) Card {
		return Card{ID: id, Rev: 1, Title: name, Href: "#" + id, Sub: sub, Side: worth, Move: "/" + id, Stages: stages}
	}
	rao, khan, iyer := lead("l1", "Meera Rao", "Rao Textiles", "₹40,000"), lead("l2", "Imran Khan", "", "₹1,25,000"), lead("l3", "Iyer Stores", "Chennai", "")
	rao.Facts = []CardFact{{Icon: "clock", Text: "Yesterday", Kind: Bad}, {Icon: "call-out", Text: "2"}}
	rao.Late = true
	khan.Tags = []Tag{{Text: "solar"}}
	return Board{Label: "Sales", Hint: p.T("board.hint"), Lanes: []Lane{
		{ID: "new", Title: "New", Count: "2", Note: "₹1,65,000", Cards: []Card{rao, khan}},
		{ID: "talking", Title: "Talking", Count: "1", Cards: []Card{iyer}},
		{ID: "offer", Title: "Offer made", Count: "0", Empty: "Nobody here."},
	}}
}
