package policy

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Register writes the register of processing activities (Art. 30 GDPR): one row per category.
func (d *Document) Register(lang string, v *Version) *Page {
	s := speak(d, lang)
	w := &writer{speaker: s, f: PageFacts{Version: v}, page: &Page{Language: s.lang, Title: s.t("register.title", "controller", d.Controller.Name)}}
	w.page.Lead = []Line{{Text: s.t("register.lead", "version", strconv.Itoa(v.Number), "hash", v.Hash)}}
	w.who()
	w.section("activities", 2, s.t("register.activities"))
	t := &Table{Columns: []string{s.t("col.data"), s.t("col.role"), s.t("col.whose"), s.t("col.fields"), s.t("col.purpose"), s.t("col.live"), s.t("col.sum"), s.t("col.recipients"), s.t("col.safe"), s.t("col.rights")}}
	for _, key := range d.kept(On, Ask) {
		c := d.Categories[key]
		var uses []string
		for _, p := range d.Live(key) {
			uses = append(uses, s.t("data.use.line", "purpose", s.purpose(p), "basis", s.basis(d.Purposes[p])))
		}
		t.Rows = append(t.Rows, []string{s.category(key), s.t("role."+string(c.Role), "controller", d.Controller.Name), s.subjects(c.Subjects), strings.Join(w.fields(key), "; "),
			strings.Join(uses, "; "), strings.Join(s.keeping(key), " "), s.sum(key), w.getting(c), s.t("store." + string(c.Store.Class)), w.granted(c.Rights)})
	}
	w.add(Block{Table: t})
	w.gets()
	w.lies()
	w.security()
	return w.page
}

// Subprocessors writes the register of recipients.
func (d *Document) Subprocessors(lang string, v *Version) *Page {
	s := speak(d, lang)
	w := &writer{speaker: s, f: PageFacts{Version: v}, page: &Page{Language: s.lang, Title: s.t("subprocessors.title", "controller", d.Controller.Name)}}
	w.page.Lead = []Line{{Text: s.t("subprocessors.lead", "days", s.period(Period{d.Notice.MaterialChangeDays, Days}))}}
	w.gets()
	w.lies()
	return w.page
}

// Annex writes the annex to the agreement between a customer, who decides about the data, and the organisation that
// processes it for them. customer is their name, "" where it is filled in by hand.
func (d *Document) Annex(lang string, v *Version, customer string) *Page {
	s := speak(d, lang)
	w := &writer{speaker: s, f: PageFacts{Version: v}, page: &Page{Language: s.lang, Title: s.t("annex.title", "controller", d.Controller.Name)}}
	w.page.Lead = []Line{{Text: s.t("register.lead", "version", strconv.Itoa(v.Number), "hash", v.Hash)}}
	w.section("parties", 2, s.t("annex.parties"))
	if customer == "" {
		customer = "____________"
	}
	w.add(Block{Terms: []Term{{s.t("who.name"), []string{customer}}, {s.t("annex.processor"), []string{d.Controller.Name + ", " + d.Controller.Address}}}})
	w.section("subject", 2, s.t("annex.subject"))
	w.say(s.t("annex.subject.text", "period", s.period(d.Deadlines.EraseAccount)))
	w.say(s.t("annex.orders"))
	w.section("data", 2, s.t("annex.data"))
	t := &Table{Columns: []string{s.t("col.data"), s.t("col.whose"), s.t("col.fields"), s.t("col.sum")}}
	for _, key := range slices.DeleteFunc(d.kept(On, Ask), func(k string) bool { return !slices.Contains(d.Categories[k].Subjects, Contact) }) {
		c := d.Categories[key]
		t.Rows = append(t.Rows, []string{s.category(key), s.subjects(c.Subjects), strings.Join(w.fields(key), "; "), s.sum(key)})
	}
	w.add(Block{Table: t})
	w.gets()
	w.lies()
	w.section("measures", 2, s.t("annex.measures"))
	w.items(s.measures()...)
	w.say(s.t("annex.sign"))
	return w.page
}

// Text writes a page as plain text that is Markdown at once, to be kept or signed.
func (p *Page) Text() string {
	var b strings.Builder
	b.WriteString("# " + p.Title + "\n\n")
	for _, l := range p.Lead {
		b.WriteString(l.plain() + "\n\n")
	}
	for _, s := range p.Sections {
		b.WriteString(strings.Repeat("#", s.Level) + " " + s.Title + "\n\n")
		for _, block := range s.Blocks {
			block.plain(&b)
		}
	}
	return b.String()
}

func (l *Line) plain() string {
	if l.Href == "" {
		return l.Text
	}
	return l.Text + " " + l.Href
}

func (k *Block) plain(b *strings.Builder) {
	if k.Line != nil {
		b.WriteString(k.Line.plain() + "\n\n")
	}
	for _, t := range k.Terms {
		b.WriteString("**" + t.Name + "**\n")
		for _, x := range t.Texts {
			b.WriteString("- " + x + "\n")
		}
		if len(k.List) == 0 {
			b.WriteString("\n")
		}
	}
	for _, l := range k.List {
		b.WriteString("- " + l.plain() + "\n")
	}
	if len(k.List) > 0 {
		b.WriteString("\n")
	}
	if k.Table != nil {
		row := func(cells []string) {
			for _, c := range cells {
				b.WriteString("| " + strings.NewReplacer("|", "\\|", "\n", " ").Replace(c) + " ")
			}
			b.WriteString("|\n")
		}
		row(k.Table.Columns)
		row(slices.Repeat([]string{"---"}, len(k.Table.Columns)))
		for _, r := range k.Table.Rows {
			row(r)
		}
		b.WriteString("\n")
	}
}

// WriteCSV writes the tables of a page, one after the other. Cells that a spreadsheet would take for a formula are
// written as text.
func (p *Page) WriteCSV(to io.Writer) error {
	out := csv.NewWriter(to)
	for _, s := range p.Sections {
		for _, k := range s.Blocks {
			if k.Table == nil {
				continue
			}
			for _, r := range append([][]string{k.Table.Columns}, k.Table.Rows...) {
				safe := make([]string, len(r))
				for i, c := range r {
					if safe[i] = c; c != "" && strings.ContainsRune("=+-@\t", rune(c[0])) {
						safe[i] = "'" + c
					}
				}
				if err := out.Write(safe); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}
