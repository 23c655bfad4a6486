package intake

import (
	"slices"
	"strings"

	"parley/crm/field"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// Column is a column of a table with what it means.
type Column struct {
	Header string `json:"header"`        // as written; the column's position ("1" is the first) where the table has no header
	Nth    int    `json:"nth,omitempty"` // of several columns with the same header, from 0
	Field  Field  `json:"field"`
}

// Mapping says how a table is read.
type Mapping struct {
	Columns   []Column        `json:"columns"`
	Sheet     string          `json:"sheet,omitempty"` // of a workbook; "" = the first with rows
	NoHeader  bool            `json:"no_header,omitempty"`
	Delimiter string          `json:"delimiter,omitempty"` // of a text table; "" = as found
	DateOrder sheet.DateOrder `json:"date_order,omitempty"`
}

// Head is a column of a table as it stands in the file.
type Head struct {
	Header string
	Nth    int    // of several columns with the same header, from 0
	Place  int    // from 1
	Field  Field  // as proposed, or as the given mapping has it; "" = left out
	Sample string // the first text in the column
}

// Guess is what a look at the head of a file tells.
type Guess struct {
	Format     string // "csv", "xlsx" or "vcard"
	Heads      []Head
	Mapping    Mapping
	Remembered bool       // the mapping is the one that a table with these headers was brought in with last
	Sheets     []string   // of a workbook
	Sample     [][]string // the first rows; of cards name, company, numbers and addresses
	Missing    []Field    // what has to be mapped or said before the table can be read
}

// plan is a mapping compiled against a header: the columns of each field.
type plan struct {
	at     map[Field][]int
	labels map[int]int // column of a number or an address → column with what it is for
	heads  []Head
	width  int // columns of the header; longer rows are refused; 0 = any
}

// headsOf numbers the columns of a header.
func headsOf(header []string, sample [][]string) []Head {
	seen := map[string]int{}
	out := make([]Head, len(header))
	for i, h := range header {
		h = strings.TrimSpace(h)
		out[i] = Head{Header: h, Nth: seen[folded(h)], Place: i + 1}
		seen[folded(h)]++
		for _, row := range sample {
			if i < len(row) && strings.TrimSpace(row[i]) != "" {
				out[i].Sample = sheet.Cut(strings.TrimSpace(row[i]))
				break
			}
		}
	}
	return out
}

// folded is a header without case and repeated blanks.
func folded(h string) string { return strings.ToLower(strings.Join(strings.Fields(h), " ")) }

// is tells whether a mapping means a column.
func (c *Column) is(h Head) bool { return folded(h.Header) == folded(c.Header) && h.Nth == c.Nth }

// compile finds the mapped columns among the heads.
func compile(heads []Head, m *Mapping, known []Field, name string) (*plan, error) {
	p := &plan{at: map[Field][]int{}, labels: map[int]int{}, heads: heads, width: len(heads)}
	if m.NoHeader {
		p.width = 0
	}
	for _, c := range m.Columns {
		if c.Field == "" {
			continue
		}
		if !slices.Contains(known, c.Field) {
			return nil, noField(string(c.Field))
		}
		i := slices.IndexFunc(heads, c.is)
		if i < 0 {
			return nil, fault.Field("mapping", "%s has no column %q. Its columns are: %s.", sheet.FileNamed(name), sheet.Cut(c.Header), headerList(heads))
		}
		if len(p.at[c.Field]) > 0 && !c.Field.repeats() {
			return nil, fault.Field("mapping", "Two columns are mapped to %s, and only one fits: %s. Leave one of them out.", c.Field, sheet.Cut(c.Header))
		}
		p.at[c.Field] = append(p.at[c.Field], i)
		heads[i].Field = c.Field
	}
	for _, f := range []Field{FieldNumber, FieldEmail} {
		for _, i := range p.at[f] {
			want := labelHeaders(heads[i].Header)
			if j := slices.IndexFunc(heads, func(h Head) bool { return slices.Contains(want, plain(h.Header)) }); j >= 0 {
				p.labels[i] = j
			}
		}
	}
	return p, nil
}

// says tells whether a mapping has a column that says who somebody is.
func (p *plan) says() bool {
	for _, f := range []Field{FieldName, FieldFirst, FieldLast, FieldCompany, FieldNumber, FieldEmail} {
		if len(p.at[f]) > 0 {
			return true
		}
	}
	return false
}

func headerList(heads []Head) string {
	var out []string
	for i, h := range heads {
		if i == 40 {
			out = append(out, "…")
			break
		}
		if h.Header != "" {
			out = append(out, sheet.Cut(h.Header))
		}
	}
	return strings.Join(out, ", ")
}

// adviser proposes what columns mean.
type adviser struct {
	kind            Kind
	contacts, leads []field.Def
	owner, stage    func(cell string) bool // tell members and stages
}

// findHeader takes the row, among the first ten, with the most headers that are known: lists have titles above. Where no row
// has any and the first holds data, there is no header: -1.
func (a *adviser) findHeader(rows [][]string) int {
	known := map[string]bool{}
	for _, s := range synonyms() {
		for w := range strings.SplitSeq(s.words, ",") {
			known[plain(w)] = true
		}
	}
	for _, d := range slices.Concat(a.contacts, a.leads) {
		known[plain(d.Title)] = true
	}
	best, score := 0, 0
	for i, row := range rows[:min(len(rows), 10)] {
		n := 0
		for _, c := range row {
			if known[plain(c)] {
				n++
			}
		}
		if n > score {
			best, score = i, n
		}
	}
	if score == 0 {
		best = slices.IndexFunc(rows, func(r []string) bool { return !sheet.Blank(r) })
		if best < 0 || slices.ContainsFunc(rows[best], likeContact) {
			return -1
		}
	}
	return best
}

// likeContact tells a cell that is a number or an e-mail address, and so no header.
func likeContact(c string) bool {
	if strings.Contains(c, "@") {
		return true
	}
	n := 0
	for _, r := range strings.TrimSpace(c) {
		switch {
		case r >= '0' && r <= '9':
			n++
		case !strings.ContainsRune("+-() .", r):
			return false
		}
	}
	return n >= 7
}

// propose maps columns by their headers and, where those say nothing, by what stands in them.
func (a *adviser) propose(heads []Head, rows [][]string) []Column {
	fields := Fields(a.kind, a.contacts, a.leads)
	taken := map[Field]bool{}
	take := func(i int, f Field) {
		heads[i].Field = f
		taken[f] = true
	}
	for _, d := range slices.Concat(a.contacts, a.leads) { // own fields have the names that the organisation gave them
		f := Field(ownContact + d.Key)
		if d.Of == field.OfLead {
			f = Field(ownLead + d.Key)
		}
		for _, name := range []string{plain(ownTitle(d)), plain(d.Title)} {
			for i := range heads {
				if heads[i].Field == "" && !taken[f] && plain(heads[i].Header) == name && slices.Contains(fields, f) {
					take(i, f)
				}
			}
		}
	}
	for _, s := range synonyms() {
		if !slices.Contains(fields, s.field) {
			continue
		}
		for w := range strings.SplitSeq(s.words, ",") {
			for i := range heads {
				if heads[i].Field == "" && plain(heads[i].Header) == plain(w) && (!taken[s.field] || s.field.repeats()) && a.agrees(s.field, heads, i, rows) {
					take(i, s.field)
				}
			}
		}
	}
	if taken[FieldFirst] || taken[FieldLast] {
		for i := range heads { // the whole name says nothing more
			if heads[i].Field == FieldName {
				heads[i].Field = ""
			}
		}
	}
	a.byContent(heads, rows, taken, take)
	var out []Column
	for _, h := range heads {
		if h.Field != "" {
			out = append(out, Column{h.Header, h.Nth, h.Field})
		}
	}
	return out
}

// agrees checks a column's cells where a header is often used for something else.
func (a *adviser) agrees(f Field, heads []Head, i int, rows [][]string) bool {
	switch f {
	case FieldOwner:
		return a.owner != nil && share(rows, i, a.owner) >= 0.5
	case FieldStage:
		return a.stage != nil && share(rows, i, a.stage) >= 0.5
	case FieldNumber, FieldEmail:
		return share(rows, i, likeContact) >= 0.3
	case FieldSourceDay, FieldDue:
		return share(rows, i, func(c string) bool { return strings.ContainsAny(c, "0123456789") }) >= 0.5
	case FieldTitle: // Outlook and Salesforce have Mr and Ms there, beside a column for the position
		return plain(heads[i].Header) != "title" || !slices.ContainsFunc(heads, func(h Head) bool { return plain(h.Header) == "jobtitle" })
	case FieldPhoto:
		return share(rows, i, func(c string) bool { return strings.HasPrefix(c, "https://") }) >= 0.5
	}
	return true
}

// byContent finds numbers and addresses whose headers did not tell.
func (a *adviser) byContent(heads []Head, rows [][]string, taken map[Field]bool, take func(int, Field)) {
	for i := range heads {
		if heads[i].Field != "" || heads[i].Sample == "" {
			continue
		}
		switch {
		case !taken[FieldEmail] && share(rows, i, func(c string) bool { return strings.Contains(c, "@") }) >= 0.8:
			take(i, FieldEmail)
		case !taken[FieldNumber] && share(rows, i, func(c string) bool { return likeContact(c) && !strings.Contains(c, "@") }) >= 0.8:
			take(i, FieldNumber)
		}
	}
}

// share is the part of a column's filled cells that pass; 1 where none is filled.
func share(rows [][]string, column int, pass func(string) bool) float64 {
	filled, good := 0, 0
	for _, row := range rows {
		if column >= len(row) || strings.TrimSpace(row[column]) == "" {
			continue
		}
		filled++
		one, _, _ := strings.Cut(row[column], ":::")
		if pass(strings.TrimSpace(sheet.PlainText(strings.TrimSpace(one)))) {
			good++
		}
	}
	if filled == 0 {
		return 1
	}
	return float64(good) / float64(filled)
}

// ParseColumns reads what columns mean as programs write it: field=Column, several with commas. What is wrong with a field or a column is
// said by whoever reads the table.
func ParseColumns(text string) (out []Column) {
	seen := map[string]int{}
	for pair := range strings.SplitSeq(text, ",") {
		field, header, _ := strings.Cut(pair, "=")
		header = strings.TrimSpace(header)
		out = append(out, Column{Header: header, Nth: seen[header], Field: Field(strings.TrimSpace(field))})
		seen[header]++
	}
	return out
}
