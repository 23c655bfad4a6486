package logfile

import (
	"io"
	"strings"
	"time"

	"parley/calls/call"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// plan is a mapping compiled against a header: the column of each field.
type plan struct {
	at      map[Field]int
	headers []string
	unit    unit
	width   int  // columns of the header; longer rows are refused
	sides   bool // the file names caller and callee
}

func (p *plan) column(f Field) int {
	if i, ok := p.at[f]; ok {
		return i
	}
	return -1
}

// compile finds the mapped columns in a header.
func compile(header []string, m Mapping, name string) (*plan, error) {
	p := &plan{at: map[Field]int{}, headers: header, width: len(header), unit: seconds}
	if m.NoHeader {
		p.headers, p.width = sheet.Numbered(len(header)), 0
	}
	for _, field := range Fields() {
		want, ok := m.Columns[field]
		if !ok {
			continue
		}
		i, err := p.find(want, field, name)
		if err != nil {
			return nil, err
		}
		p.at[field] = i
	}
	if i := p.column(FieldDuration); i >= 0 {
		p.unit = unitOf(p.headers[i])
	}
	_, caller := p.at[FieldCaller]
	_, callee := p.at[FieldCallee]
	p.sides = caller && callee
	return p, p.complete(name)
}

// find is the one column with a header: as written, else whatever the case and the blanks.
func (p *plan) find(want string, field Field, name string) (int, error) {
	for _, same := range [...]func(string) bool{
		func(h string) bool { return strings.TrimSpace(h) == strings.TrimSpace(want) },
		func(h string) bool { return plainHeader(h) == plainHeader(want) && plainHeader(h) != "" },
	} {
		found := -1
		for i, h := range p.headers {
			if !same(h) {
				continue
			}
			if found >= 0 {
				return 0, fault.Field("columns", "%s has two columns %q, so the field %s cannot tell which is meant. Rename one of them in the file, or map another column.", sheet.FileNamed(name), sheet.Cut(want), field)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	return 0, fault.Field("columns", "%s has no column %q for the field %s. Its columns are: %s.", sheet.FileNamed(name), sheet.Cut(want), field, headerList(p.headers))
}

// complete says which fields a table lacks to be read at all.
func (p *plan) complete(name string) error {
	if p.column(FieldNumber) < 0 && !p.sides {
		if p.column(FieldCaller) >= 0 || p.column(FieldCallee) >= 0 {
			return fault.Field("columns", "Only one of caller and callee is mapped for %s. Map both, or map the other party's number as \"number\".", sheet.FileNamed(name))
		}
		return fault.Field("columns", "No column of %s is mapped to the number. Map \"number\", or both \"caller\" and \"callee\". Its columns are: %s.", sheet.FileNamed(name), headerList(p.headers))
	}
	switch {
	case p.column(FieldStart) >= 0, p.column(FieldDate) >= 0 && p.column(FieldTime) >= 0, p.column(FieldEnd) >= 0 && p.column(FieldDuration) >= 0, p.column(FieldDate) >= 0:
		return nil
	}
	return fault.Field("columns", "No column of %s is mapped to the time of the call. Map \"start\", or \"date\" and \"time\", or \"end\" and \"duration\". Its columns are: %s.", sheet.FileNamed(name), headerList(p.headers))
}

func headerList(headers []string) string {
	const most = 40
	var out []string
	for i, h := range headers {
		if i == most {
			out = append(out, "…")
			break
		}
		out = append(out, sheet.Cut(strings.TrimSpace(h)))
	}
	return strings.Join(out, ", ")
}

// tableLog reads the rows of a table by a plan.
type tableLog struct {
	rows  sheet.Rows
	plan  *plan
	clock sheet.Clock
	file  string
	name  string
	skip  int // rows up to and with the header
}

func (t *tableLog) Close() error { return t.rows.Close() }

func (t *tableLog) Next() (*Record, error) {
	for {
		cells, row, err := t.rows.Next()
		if bad, ok := err.(*RowError); ok {
			if t.skip > 0 {
				t.skip--
				continue
			}
			return nil, bad.At(t.file, bad.Row)
		}
		if err == io.EOF {
			return nil, err
		}
		if err != nil {
			return nil, sheet.Stop(err, t.name, "row", row)
		}
		if t.skip > 0 || sheet.Blank(cells) {
			t.skip = max(t.skip-1, 0)
			continue
		}
		r, bad := t.record(cells)
		if bad != nil {
			return nil, bad.At(t.file, row)
		}
		r.Row, r.File = row, t.file
		return r, nil
	}
}

// cell is a field's text in a row, "" where it has none.
func (t *tableLog) cell(cells []string, f Field) string {
	if i := t.plan.column(f); i >= 0 && i < len(cells) {
		return strings.TrimSpace(cells[i])
	}
	return ""
}

// wrong refuses a field of a row, by its header.
func (t *tableLog) wrong(f Field, value, format string, a ...any) *RowError {
	column := ""
	if i := t.plan.column(f); i >= 0 {
		column = t.plan.headers[i]
	}
	return sheet.Refuse(column, value, format, a...)
}

func (t *tableLog) record(cells []string) (*Record, *RowError) {
	if bad := t.shape(cells); bad != nil {
		return nil, bad
	}
	r := &Record{Source: call.SourcePhone}
	talk, bad := t.duration(cells)
	if bad != nil {
		return nil, bad
	}
	r.Seconds = talk
	status := wordOf(t.cell(cells, FieldStatus))
	if t.plan.sides {
		// "Missed" beside a caller and a callee says that nobody answered, not which side is ours.
		status.kind, status.direction = call.TypeUnknown, call.NoDirection
	}
	settle(r, wordOf(t.cell(cells, FieldType)), wordOf(t.cell(cells, FieldDirection)), status)
	if r.Start, bad = t.start(cells, talk); bad != nil {
		return nil, bad
	}
	r.Name, r.Note, r.Key = personName(t.cell(cells, FieldName)), absent(t.cell(cells, FieldNote)), absent(t.cell(cells, FieldKey))
	r.Line, r.Agent, r.Tags = absent(t.cell(cells, FieldLine)), absent(t.cell(cells, FieldAgent)), tagsOf(t.cell(cells, FieldTags))
	if t.plan.sides {
		bad = t.parties(cells, r)
	} else {
		bad = t.number(cells, r)
	}
	return r, bad
}

// shape refuses rows whose cells have shifted.
func (t *tableLog) shape(cells []string) *RowError {
	if t.plan.width > 0 && len(cells) > t.plan.width && !sheet.Blank(cells[t.plan.width:]) {
		return sheet.Refuse("", strings.Join(cells, " | "), "The row has %d cells where the header has %d, so its columns have shifted. Put texts that hold the delimiter in quotation marks.", len(cells), t.plan.width)
	}
	for _, c := range cells {
		if strings.IndexByte(c, 0) >= 0 {
			return sheet.Refuse("", strings.ReplaceAll(c, "\x00", "␀"), "The row holds a NUL character, so the file is damaged here. Export it again, or remove the row.")
		}
	}
	return nil
}

func (t *tableLog) duration(cells []string) (int, *RowError) {
	text := t.cell(cells, FieldDuration)
	n, err := parseDuration(text, t.plan.unit)
	if err != nil {
		return 0, t.wrong(FieldDuration, text, "%s", err)
	}
	return n, nil
}

func (t *tableLog) start(cells []string, talk int) (at time.Time, bad *RowError) {
	field := FieldStart
	text := t.cell(cells, FieldStart)
	var err error
	switch {
	case t.plan.column(FieldStart) >= 0:
		at, _, err = t.clock.Parse(text)
	case t.plan.column(FieldDate) >= 0 && t.plan.column(FieldTime) >= 0:
		field, text = FieldDate, t.cell(cells, FieldDate)
		hours := t.cell(cells, FieldTime)
		if at, _, err = t.clock.Join(text, hours); err != nil {
			text = strings.TrimSpace(text + " " + hours)
		}
	case t.plan.column(FieldDate) >= 0:
		field, text = FieldDate, t.cell(cells, FieldDate)
		at, _, err = t.clock.Parse(text)
	default:
		field, text = FieldEnd, t.cell(cells, FieldEnd)
		at, _, err = t.clock.Parse(text)
		at = at.Add(-time.Duration(talk) * time.Second)
	}
	if err != nil {
		return at, t.wrong(field, text, "%s", err)
	}
	return at, nil
}

// number reads the other party of a file that names one number.
func (t *tableLog) number(cells []string, r *Record) *RowError {
	text := t.cell(cells, FieldNumber)
	number, hidden, bad := numberText(text)
	if bad != nil {
		return t.wrong(FieldNumber, text, "%s", bad.Sentence)
	}
	if code := strings.TrimLeft(t.cell(cells, FieldCountryCode), "+0"); number != "" && number[0] != '+' && sheet.Digits(code) && len(code) <= 3 {
		number = "+" + code + strings.TrimLeft(number, "0 ")
	}
	r.Number, r.Presentation, r.Unanswered = number, hidden, false
	return nil
}

// parties reads caller and callee. Where a direction is given too it settles who the other party is.
func (t *tableLog) parties(cells []string, r *Record) *RowError {
	from, to := t.cell(cells, FieldCaller), t.cell(cells, FieldCallee)
	caller, hidden, bad := numberText(from)
	if bad != nil {
		return t.wrong(FieldCaller, from, "%s", bad.Sentence)
	}
	callee, unsaid, bad := numberText(to)
	if bad != nil {
		return t.wrong(FieldCallee, to, "%s", bad.Sentence)
	}
	if caller == "" && callee == "" {
		return t.wrong(FieldCaller, from, "The row names neither caller nor callee. Fill in at least one, or remove the row.")
	}
	r.Source = call.SourcePBX
	if i := t.plan.column(FieldName); i >= 0 && plainHeader(t.plan.headers[i]) == "calleridname" && r.Direction != call.Incoming {
		r.Name = "" // the caller's, who may be a colleague
	}
	own := caller
	switch r.Direction {
	case call.Incoming:
		r.Number, r.Presentation, own = caller, hidden, callee
	case call.Outgoing:
		r.Number, r.Presentation = callee, unsaid
	default:
		r.Caller, r.Callee, r.Presentation = caller, callee, hidden
		if caller != "" {
			r.Presentation = unsaid
		}
		return nil // without a status, a call without talk stays what it is: incoming or outgoing, of 0 s
	}
	r.Unanswered = false
	if r.Line == "" {
		r.Line = own
	}
	return nil
}

// tagsOf splits labels at commas, semicolons and bars.
func tagsOf(s string) []string {
	var out []string
	for _, tag := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
		if tag = absent(tag); tag != "" && len(out) < 50 {
			out = append(out, tag)
		}
	}
	return out
}
