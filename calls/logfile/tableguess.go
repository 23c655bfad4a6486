package logfile

import (
	"io"
	"strings"

	"parley/platform/fault"
	"parley/platform/sheet"
)

// previewRows is how many rows of data a guess shows.
const previewRows = 20

// table guesses the mapping of a table, or takes the given one, and finds the order of its dates.
func (d *detection) table(o Options, open func() (sheet.Rows, error)) error {
	s := d.sample
	var given Mapping
	if o.Mapping != nil {
		given = *o.Mapping
	}
	m := given
	switch {
	case given.NoHeader:
		s.header = -1
	case len(given.Columns) > 0:
		s.headerOf(given)
	default:
		s.findHeader()
	}
	if len(given.Columns) == 0 {
		m = s.guessMapping()
		m.DateOrder, m.Sheet, m.NoHeader = given.DateOrder, given.Sheet, s.header < 0
	}
	m.Delimiter = rune(d.comma)
	d.guess = Guess{Format: Table, Title: Table.Title(), Columns: s.headers(), Mapping: m}
	for _, row := range s.data()[:min(len(s.data()), previewRows)] {
		if !sheet.Blank(row) {
			d.guess.Sample = append(d.guess.Sample, row)
		}
	}
	_, direction := m.Columns[FieldDirection]
	_, kind := m.Columns[FieldType]
	_, sides := m.Columns[FieldCaller]
	d.guess.NeedsOurs = sides && !direction && !kind
	if len(given.Columns) == 0 {
		d.guess.Missing = lacking(m.Columns)
	}
	return d.dates(open)
}

// headerOf takes the row, among the first twenty, that has all mapped headers.
func (s *sample) headerOf(m Mapping) {
	s.header = 0
	if len(s.rows) == 0 {
		s.header = -1
	}
	for i, row := range s.rows[:min(len(s.rows), 20)] {
		have := map[string]bool{}
		for _, c := range row {
			have[plainHeader(c)] = true
			have[strings.TrimSpace(c)] = true
		}
		all := true
		for _, h := range m.Columns {
			all = all && (have[strings.TrimSpace(h)] || have[plainHeader(h)])
		}
		if all {
			s.header = i
			return
		}
	}
}

// lacking lists what a guessed mapping does not have.
func lacking(c map[Field]string) []Field {
	var out []Field
	has := func(f Field) bool { return c[f] != "" }
	if !has(FieldNumber) && !(has(FieldCaller) && has(FieldCallee)) {
		out = append(out, FieldNumber)
	}
	if !has(FieldStart) && !(has(FieldDate) && has(FieldTime)) && !(has(FieldEnd) && has(FieldDuration)) {
		out = append(out, FieldStart)
	}
	if !has(FieldType) && !has(FieldDirection) && !has(FieldCaller) {
		out = append(out, FieldType)
	}
	return out
}

// dates settles the order of the dates from the data: the sample, and where that leaves it open, more rows.
func (d *detection) dates(open func() (sheet.Rows, error)) error {
	m := &d.guess.Mapping
	column, ok := d.dateColumn()
	if !ok {
		return nil
	}
	var e sheet.Evidence
	for _, row := range d.sample.data() {
		see(&e, row, column)
	}
	d.guess.Zoned = e.Zoned > 0 && e.Zoned >= e.Dates
	if m.DateOrder != FromData {
		d.guess.Zoned = d.guess.Zoned || m.DateOrder == EpochSeconds || m.DateOrder == EpochMillis
		return nil
	}
	if e.Open() && len(d.sample.rows) == sampleRows {
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close()
		if err := seeMore(&e, r, column); err != nil {
			return sheet.Stop(err, d.u.name, "row", 1)
		}
	}
	order, settled := e.Order()
	if m.DateOrder = order; !settled {
		d.guess.Missing = append(d.guess.Missing, FieldDateOrder)
	}
	return nil
}

// dateColumn is where the dates stand.
func (d *detection) dateColumn() (int, bool) {
	for _, f := range [...]Field{FieldStart, FieldDate, FieldEnd} {
		want, ok := d.guess.Mapping.Columns[f]
		if !ok {
			continue
		}
		for i, h := range d.guess.Columns {
			if strings.TrimSpace(h) == strings.TrimSpace(want) || plainHeader(h) == plainHeader(want) && plainHeader(h) != "" {
				return i, true
			}
		}
	}
	return 0, false
}

// see shows a row's date to what tells the order.
func see(e *sheet.Evidence, row []string, column int) {
	if column < len(row) {
		e.See(row[column])
	}
}

// seeMore reads on until a date settles the order, at most as many rows as take a moment.
func seeMore(e *sheet.Evidence, r sheet.Rows, column int) error {
	const most = 50_000
	for range most {
		cells, _, err := r.Next()
		if err == io.EOF || !e.Open() {
			return nil
		}
		if _, bad := err.(*RowError); bad {
			continue
		}
		if err != nil {
			return err
		}
		see(e, cells, column)
	}
	return nil
}

// open begins to read what was detected.
func (d *detection) open(o Options) (Reader, error) {
	switch d.guess.Format {
	case SMSBackup:
		return &series{files: d.u.files, open: func(m member) (Reader, error) { return openSMSBackup(m, d.u.name) }}, nil
	case Takeout:
		return openTakeout(d.u, o)
	case Termux, SMSIE:
		return &series{files: d.u.files, open: func(m member) (Reader, error) { return openJSON(m, d.u.name, d.guess.Format, o) }}, nil
	case Asterisk, FreePBX, FreeSWITCH:
		return &series{files: d.u.files, open: func(m member) (Reader, error) { return openPBX(m, d.u.name, d.layout, d.header, d.comma, o) }}, nil
	}
	if err := d.ready(); err != nil {
		return nil, err
	}
	p, err := compile(d.sample.headers(), d.guess.Mapping, d.u.name)
	if err != nil {
		return nil, err
	}
	t := tableLog{plan: p, clock: sheet.Clock{Order: d.guess.Mapping.DateOrder, Zone: o.zone(), Country: o.Country}, name: d.u.name, skip: d.sample.header + 1}
	if d.book != nil {
		t.file, p.width = d.sheet.Name, 0 // cells of a sheet cannot shift
		t.rows, err = d.book.Open(d.sheet)
		return &t, err
	}
	return &series{files: d.u.files, open: func(m member) (Reader, error) {
		f, err := m.open()
		if err != nil {
			return nil, err
		}
		one := t
		one.rows, one.file, one.name = sheet.NewCSV(f, d.comma), m.name, shown(m, d.u.name)
		return &one, nil
	}}, nil
}

// ready refuses a table that somebody has to map first.
func (d *detection) ready() error {
	name, columns := sheet.FileNamed(d.u.name), headerList(d.guess.Columns)
	if len(d.sample.rows) == 0 {
		return fault.New(fault.Invalid, "%s has no rows. Export it again.", name)
	}
	for _, f := range d.guess.Missing {
		switch f {
		case FieldNumber:
			return fault.Field("columns", "Which column of %s holds the phone number? Map \"number\", or \"caller\" and \"callee\". Its columns are: %s.", name, columns)
		case FieldStart:
			return fault.Field("columns", "Which column of %s holds the time of the call? Map \"start\", or \"date\" and \"time\", or \"end\" and \"duration\". Its columns are: %s.", name, columns)
		case FieldType:
			return fault.Field("columns", "No column of %s says whether a call came in or went out. Map \"type\" or \"direction\", or \"caller\" and \"callee\". Its columns are: %s.", name, columns)
		case FieldDateOrder:
			return fault.Field("date_order", "The dates of %s could be day-first or month-first: no day in the file is past the 12th, or both orders occur. State the order: dmy for 31/12/2026, mdy for 12/31/2026.", name)
		}
	}
	return nil
}
