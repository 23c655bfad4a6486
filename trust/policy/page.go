package policy

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Page is a text made of a document, in one language: the public page, a register, an annex.
type Page struct {
	Language string    `json:"language"`
	Title    string    `json:"title"`
	Lead     []Line    `json:"lead,omitempty"`
	Sections []Section `json:"sections"`
}

// Section is a part of a page.
type Section struct {
	ID     string  `json:"id"`    // unique on the page
	Level  int     `json:"level"` // 2 or 3
	Title  string  `json:"title"`
	Blocks []Block `json:"blocks"`
}

// Block is one of: a line, a list, terms with their texts, a table.
type Block struct {
	Line  *Line  `json:"line,omitempty"`
	List  []Line `json:"list,omitempty"`
	Terms []Term `json:"terms,omitempty"`
	Table *Table `json:"table,omitempty"`
}

// Line is a sentence or a few, and where it leads.
type Line struct {
	Text string `json:"text"`
	Href string `json:"href,omitempty"` // written after the text
}

// Term is a word and what belongs to it.
type Term struct {
	Name  string   `json:"name"`
	Texts []string `json:"texts"`
}

// Table is a table.
type Table struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// PageFacts are what a page says besides the document.
type PageFacts struct {
	Version     *Version
	Former      bool     // the version is not in force any more
	Coming      *Version // a version that is published and not in force yet; nil when there is none
	Request     string   // address of the page where people ask about their data; "" when there is none
	Preferences string   // address of the page where people choose what they get; "" when there is none
	MailServer  string   // whose mail server mails go through; "" when there is none
	All         []VersionLink
	Proof       *PageProof // nil when the organisation does not show it
}

// PageProof is what a page says of how the promises of the text were tried.
type PageProof struct {
	At       time.Time // of the last run; zero when there was none
	Broken   int       // promises that it found broken
	Promises []ProvedPromise
	Href     string // where the rest stands
}

// ProvedPromise is a promise that was tried.
type ProvedPromise struct {
	ID, Title string
	Since     time.Time // when it was last found kept; zero when it never was
	Broken    bool      // now
}

// VersionLink is a version at its stable address.
type VersionLink struct {
	Number    int
	Effective time.Time
	Hash      string
	Href      string
}

// writer collects a page.
type writer struct {
	*speaker
	f    PageFacts
	page *Page
}

func (w *writer) section(id string, level int, title string) {
	w.page.Sections = append(w.page.Sections, Section{ID: id, Level: level, Title: title})
}

func (w *writer) add(b Block) {
	s := &w.page.Sections[len(w.page.Sections)-1]
	s.Blocks = append(s.Blocks, b)
}

func (w *writer) say(text string) { w.add(Block{Line: &Line{Text: text}}) }

func (w *writer) items(all ...string) {
	var lines []Line
	for _, a := range all {
		lines = append(lines, Line{Text: a})
	}
	w.add(Block{List: lines})
}

// PublicPage writes the privacy page that everybody can read.
func (d *Document) PublicPage(lang string, f PageFacts) *Page {
	s := speak(d, lang)
	w := &writer{speaker: s, f: f, page: &Page{Language: s.lang, Title: s.t("page.title", "controller", d.Controller.Name)}}
	w.lead()
	for _, part := range []func(){w.who, w.short, w.data, w.purposes, w.long, w.gets, w.lies, w.rights, w.complain, w.phones, w.cookies, w.security, w.young, w.stays, w.clauses, w.proof, w.changes} {
		part()
	}
	return w.page
}

func (w *writer) lead() {
	v := w.f.Version
	lead := func(text string) { w.page.Lead = append(w.page.Lead, Line{Text: text}) }
	switch {
	case v.Number == 0:
		lead(w.t("page.shipped", "controller", w.d.Controller.Name))
	case w.f.Former:
		lead(w.t("page.former", "date", w.date(v.Effective)))
	default:
		lead(w.t("page.version", "version", strconv.Itoa(v.Number), "date", w.date(v.Effective)))
	}
	if c := w.f.Coming; c != nil && c.Number == v.Number {
		w.page.Lead = nil
		lead(w.t("page.coming", "version", strconv.Itoa(c.Number), "date", w.date(c.Effective)))
	} else if c != nil {
		lead(w.t("page.coming", "version", strconv.Itoa(c.Number), "date", w.date(c.Effective)))
		for _, l := range w.f.All {
			if l.Number == c.Number {
				w.page.Lead[len(w.page.Lead)-1].Href = l.Href
			}
		}
	}
	lead(w.t("page.executed"))
	if len(w.d.Languages) > 1 && w.lang != w.d.Languages[0] {
		lead(w.t("page.language", "language", map[string]string{"en": "English", "hi": "हिन्दी"}[w.d.Languages[0]]))
	}
}

func (w *writer) who() {
	c := w.d.Controller
	w.section("who", 2, w.t("who.title"))
	var terms []Term
	term := func(key string, texts ...string) {
		if texts[0] != "" {
			terms = append(terms, Term{w.t(key), texts})
		}
	}
	term("who.name", c.Name)
	term("who.address", c.Address)
	term("who.country", w.place(c.Country))
	term("who.regulator", c.RegulatorID)
	term("who.contact", c.Contact)
	term("who.phone", c.Phone)
	for _, o := range []struct {
		key string
		o   Officer
	}{{"who.officer", c.PrivacyOfficer}, {"who.grievance", c.GrievanceOfficer}} {
		if o.o.Name != "" {
			term(o.key, strings.Join(slices.DeleteFunc([]string{o.o.Name, o.o.Email, o.o.Phone}, func(s string) bool { return s == "" }), ", "))
		}
	}
	w.add(Block{Terms: terms})
}

func (w *writer) short() {
	w.section("short", 2, w.t("short.title"))
	sale := w.t("short.sale")
	w.items(w.t("short.calls"), sale, w.t("short.ends"), w.t("short.rights"))
}

// ordered gives the keys of a mapping at a path in the order of the text.
func ordered[V any](d *Document, path string, m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(d.lines[join(path, a)], d.lines[join(path, b)]), strings.Compare(a, b))
	})
}

// kept lists the categories with one of the defaults, in the order of the text.
func (d *Document) kept(switches ...Switch) []string {
	return slices.DeleteFunc(ordered(d, "categories", d.Categories), func(key string) bool { return !slices.Contains(switches, d.Categories[key].Default) })
}

func (w *writer) titles(keys []string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = w.category(k)
	}
	return w.list(out)
}

func (w *writer) data() {
	w.section("data", 2, w.t("data.title"))
	if off := w.d.kept(Off); len(off) > 0 {
		w.say(w.t("data.off", "list", w.titles(off)))
	}
	for _, key := range slices.Concat(w.d.kept(On), w.d.kept(Ask)) {
		w.one(key)
	}
}

// one writes the part about one category.
func (w *writer) one(key string) {
	c := w.d.Categories[key]
	w.section("data-"+strings.ReplaceAll(key, ".", "-"), 3, w.in(c.Title))
	if c.Default == Ask {
		w.say(w.t("switch.ask"))
	}
	if about := w.in(c.About); about != "" {
		w.say(about)
	}
	terms := []Term{{w.t("data.whose"), []string{w.subjects(c.Subjects)}}, {w.t("data.fields"), w.fields(key)}}
	if source := w.in(c.Source); source != "" {
		terms = append(terms, Term{w.t("data.source"), []string{source}})
	}
	var uses []string
	for _, p := range w.d.Live(key) {
		uses = append(uses, w.t("data.use.line", "purpose", w.purpose(p), "basis", w.basis(w.d.Purposes[p])))
	}
	if c.Special {
		uses = append(uses, w.t("data.special", "basis", w.t("basis."+string(c.Basis))))
	}
	who := w.t("role."+string(c.Role), "controller", w.d.Controller.Name)
	terms = append(terms, Term{w.t("data.use"), uses}, Term{w.t("data.long"), w.keeping(key)}, Term{w.t("data.safe"), []string{w.t("store." + string(c.Store.Class))}},
		Term{w.t("data.gets"), []string{w.getting(c)}}, Term{w.t("data.who"), []string{who}}, Term{w.t("data.rights"), []string{w.granted(c.Rights)}})
	w.add(Block{Terms: terms})
}

func (w *writer) fields(category string) []string {
	var out []string
	c := w.d.Categories[category]
	for _, f := range ordered(w.d, "categories."+category+".fields", c.Fields) {
		key := "field.optional"
		if c.Fields[f].Required {
			key = "field.required"
		}
		out = append(out, w.t(key, "title", w.in(c.Fields[f].Title)))
	}
	return out
}

func (w *writer) getting(c *Category) string {
	switch {
	case c.NeverShare:
		return w.t("data.gets.never")
	case len(c.Recipients) == 0:
		return w.t("data.gets.none")
	}
	return w.recipients(c)
}

func (w *writer) granted(all []Right) string {
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = w.t("right." + string(r))
	}
	return w.list(out)
}

// keeping writes how long a category is kept: each period, and their sum.
func (s *speaker) keeping(key string) []string {
	c, residue := s.d.Categories[key], s.d.Deadlines.BackupResidue
	r := c.Retention
	out := []string{s.t("keep.live", "period", s.period(r.Max), "event", s.t("event."+string(r.From)))}
	if r.Archive.Said() {
		out = append(out, s.t("keep.archive", "period", s.period(r.Archive)))
	}
	out = append(out, s.t("keep.backup", "period", s.period(residue)), s.t("keep.sum", "days", s.sum(key)))
	if r.Ceiling.Said() {
		out = append(out, s.t("keep.ceiling", "period", s.period(r.Ceiling)))
	}
	if key == "weblog" {
		out = append(out, s.t("keep.mask", "period", s.period(s.d.Deadlines.MaskWebLog)))
	}
	for _, place := range slices.Sorted(maps.Keys(r.Floor)) {
		f := r.Floor[place]
		if !slices.Contains(s.d.Laws, place) {
			continue
		}
		phrase := "keep.floor"
		if !f.NotBefore.IsZero() {
			phrase = "keep.floor.from"
		}
		out = append(out, s.t(phrase, "place", s.place(place), "period", s.period(f.Min), "cite", f.Cite, "date", s.date(f.NotBefore.Time)))
	}
	return out
}

// sum is live, archive and backups together.
func (s *speaker) sum(key string) string {
	return s.period(Period{s.d.Longest(key), Days})
}

func (w *writer) purposes() {
	w.section("purposes", 2, w.t("purposes.title"))
	w.say(w.t("purposes.lead"))
	t := &Table{Columns: []string{w.t("col.purpose"), w.t("col.basis"), w.t("col.consent"), w.t("col.data")}}
	for _, key := range ordered(w.d, "purposes", w.d.Purposes) {
		p := w.d.Purposes[key]
		used := slices.DeleteFunc(w.d.kept(On, Ask), func(c string) bool { return !w.d.Allows(key, c) })
		if len(used) == 0 {
			continue
		}
		where := "–"
		if p.Basis == Consent {
			where = w.t("act." + p.ConsentPoint)
		}
		t.Rows = append(t.Rows, []string{w.in(p.Title), w.basis(p), where, w.titles(used)})
	}
	w.add(Block{Table: t})
	if w.d.Purposes["profiling"] == nil {
		w.say(w.t("purposes.profiling"))
	}
}

func (w *writer) long() {
	w.section("how-long", 2, w.t("long.title"))
	w.say(w.t("long.lead"))
	w.add(Block{Table: w.periods()})
	w.say(w.t("long.notice", "period", w.period(w.d.Deadlines.EraseNotice)))
}

func (s *speaker) periods() *Table {
	t := &Table{Columns: []string{s.t("col.data"), s.t("col.from"), s.t("col.live"), s.t("col.archive"), s.t("col.backup"), s.t("col.sum")}}
	for _, key := range s.d.kept(On, Ask) {
		r := s.d.Categories[key].Retention
		archive := "–"
		if r.Archive.Said() {
			archive = s.period(r.Archive)
		}
		t.Rows = append(t.Rows, []string{s.category(key), s.t("event." + string(r.From)), s.period(r.Max), archive, s.period(s.d.Deadlines.BackupResidue), s.sum(key)})
	}
	return t
}
