package ui

import (
	"html/template"
	"slices"
	"time"
)

// Link is a titled address.
type Link struct {
	Title   string
	Href    string
	Current bool
	Count   string // beside a tab's title
}

// Param is a hidden field that a form carries along.
type Param struct{ Name, Value string }

// Tile shows one figure: {{template "tile" .}} inside <div class="tiles">.
type Tile struct {
	Title  string
	Figure string // written out: "1,234", "71%", "2 h 05 min", "–"
	Unit   string // small, after the figure
	Href   string // the rows behind it
	Kind   Kind   // colours the figure; for what wants care only
	Change *Change
	How    string // the definition, under "How is this computed?"
	Spark  template.HTML
}

// Change is a figure against another time.
type Change struct {
	Text    string // "+12%", "−3"
	Up      bool   // the arrow's direction
	Same    bool   // no change: no arrow
	Kind    Kind   // Good, Bad or Plain
	Against string // "the average of the last 8 Mondays"
}

// Tag is a few words with a tint.
type Tag struct {
	Text string
	Kind Kind
	Icon string
	Href string
}

// Action is a link, or a form of one button where Post is set.
type Action struct {
	Title   string
	Href    string
	Dial    string // a number to call, in place of Href
	Icon    string
	Post    bool
	Fields  []Param
	Primary bool
	Danger  bool
	// Confirm asks before a post, in a dialog; ConfirmText says what will happen. The button carries Title.
	Confirm, ConfirmText string
	// Swap lets a post change just the row of the table it stands in, where there is script.
	Swap bool
}

// Table is the data table: {{template "table" .}}.
type Table struct {
	ID      string // for links to it
	Title   string // its heading and, for screen readers, its caption
	Note    string // small, after the heading: how many rows, of what
	Columns []Column
	Rows    []Row
	Total   []Cell // a last line of sums; nil for none
	Exports []Link // CSV, XLSX, JSON
	Pager   *Pager
	Empty   *Empty // shown in place of a table without rows
	Matrix  bool   // on a phone it scrolls sideways instead of becoming cards
}

// Column heads a column. The first one names the row.
type Column struct {
	Title   string
	Numeric bool   // to the right, in tabular figures
	SortURL string // address that sorts by it
	Sorted  string // "ascending", "descending" or ""
	Help    string // what it means, on hover
	Hide    bool   // the title is for screen readers only
	Acts    bool   // it holds actions
}

// Row is a line of a table.
type Row struct {
	ID    string
	Cells []Cell
	Muted bool // settled: it stands back
}

// RowOf is one row for {{template "row" .}}, to be put in place of the one before.
type RowOf struct {
	Row     Row
	Columns []Column
}

// Of pairs a row with its columns.
func (t Table) Of(r Row) RowOf { return RowOf{r, t.Columns} }

// Cell is one value. Zero fields show nothing.
type Cell struct {
	Text   string
	Sub    string // small, under the text
	Href   string
	Icon   string
	Tag    *Tag
	Tags   []Tag
	State  Kind // a dot before the text; needs Dot
	Dot    bool // show the dot of State
	Strong bool
	Muted  bool
	Share  float64 // 0 to 1: a thin bar under the text; needs Meter
	Meter  bool
	Time   time.Time // shown as "15:05", "yesterday, 15:05" or "2 Mar"
	Ago    time.Time // shown as "5 minutes ago"
	Chart  template.HTML
	Acts   []Action
}

// Pager leads to the rows before and after, by key and not by page number.
type Pager struct {
	Newer, Older string // addresses, "" at the ends
	First        string // address of the first page, where one cannot go back page by page
	Text         string // "1–50 of 1,234"
}

// Empty says what would be here and offers the one step that fills it.
type Empty struct {
	Icon   string
	Title  string
	Text   string
	Action *Action
}

// Field is one field of a form: {{template "field" .}}.
type Field struct {
	Name     string
	Label    string
	Help     string
	Error    string
	Type     string // text (default), email, password, new-password, tel, url, number, date, time, search, textarea, select, radio, checks, check, file
	Value    string
	Values   []string // of checks
	Options  []Option // of select, radio and checks
	Checked  bool     // of check
	Optional bool
	Size     string // "short", "medium" or "" for full width
	Complete string // autocomplete, for example "email"
	Mode     string // inputmode, for example "numeric"
	Accept   string // of file
	Min, Max string
	Rows     int    // of textarea
	Focus    bool   // gets the cursor when the page opens
	Row      bool   // of checks and radio: beside each other where there is room
	Least    int    // of new-password: how many characters are needed at least
	Follows  string // of select: the name of another one, whose choice picks the option that is For it
}

// ID is the field's id, which the error summary links to.
func (f Field) ID() string { return "f-" + f.Name }

// Option is a choice.
type Option struct {
	Value, Title, Help string
	For                string // a value of the field that this one follows
}

// Range is the choice of days: presets as links, and two dates with a comparison as a form.
type Range struct {
	Action  string // path of the page; the form adds from, to and compare
	Label   string // "2–8 Mar 2026"
	Against string // "the days before"; "" when nothing is compared
	Presets []Link
	From    string // "2026-03-02"
	Through string // the last day, inclusive as people mean it; sent as "through"
	Max     string // the last day one can choose
	Compare string
	Choices []Option // of Compare
	Keep    []Param  // the page's other parameters
}

// Filter narrows a page down: {{template "filter" .}} is a form of the method GET, whose address can be kept and sent.
type Filter struct {
	Action string
	Keep   []Param // the page's other parameters
	Scope  []Field // always in sight: whose calls
	Fields []Field // behind a button
	Active []Link  // what narrows the page now; each leads to the page without it
	Clear  string  // address of the page without any of them
}

// Open tells whether something behind the button is wrong, so that it has to be seen.
func (f Filter) Open() bool {
	return slices.ContainsFunc(f.Fields, func(x Field) bool { return x.Error != "" })
}

// Progress is a bar with words.
type Progress struct {
	Title string
	Text  string // "12,000 of 40,000 rows"
	Ratio float64
	Busy  bool // under way and not measurable
	Kind  Kind
}

// Percent is the ratio in whole per cent, as the bar wants it.
func (p Progress) Percent() int { return int(min(max(p.Ratio, 0), 1) * 100) }

// Drop is the place where a file is dropped.
type Drop struct {
	Name     string // of the file field
	Title    string // "Drop a call log here"; a general one when empty
	Help     string // which files
	Accept   string // ".xml,.csv,.zip"
	Multiple bool
	Error    string
}

// ID is the field's id, which the error summary links to.
func (d Drop) ID() string { return "f-" + d.Name }

// Note is a message that stays on the page.
type Note struct {
	Kind   Kind
	Title  string
	Text   string
	Action *Action
}

// Complete states whether a report has all it needs.
type Complete struct {
	Whole  bool
	Text   string // "" for the usual words
	Phones int64  // how many have not reported
	Since  string // "since 9:40 am: Asha’s phone"
	Href   string // to the devices
}

// Series names the lines or bars of a chart: {{template "legend" .}} in its figcaption.
type Series struct {
	Title string
	Class string // "", "b", "c" or "dash"
}

// Figure is a chart with its heading: {{template "figure" .}}.
type Figure struct {
	Title  string
	Note   string
	Series []Series
	Chart  template.HTML
	Table  *Table // the same figures, behind "Show as a table"
}

// Fact is a line of {{template "facts" .}}.
type Fact struct {
	Title string
	Cell  Cell
}

// Hit is a line in the results of the palette.
type Hit struct {
	Title, Aside, Href, Icon string
}

// Hits are results under one heading: {{template "hits" .}} with a list of them.
type Hits struct {
	Title string
	Items []Hit
}
