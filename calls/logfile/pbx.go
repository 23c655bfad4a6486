package logfile

import (
	"io"
	"strings"
	"time"

	"parley/calls/call"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// joinWindow is how many calls are kept open for further rows. A system writes a call's rows when its legs end, so they
// stand near each other; past the window a late row counts as a call of its own.
const joinWindow = 2048

// joinRows is how far after a call's first row its last may stand.
const joinRows = 4 * joinWindow

// pbxLog reads the call records of telephone systems and joins the rows of one call: a queue or ring group writes one
// for every phone that rang.
type pbxLog struct {
	rows   sheet.Rows
	layout layout
	clock  sheet.Clock
	file   string
	name   string
	header bool
	queue  []*pbxCall // in the order of their first rows
	open   map[string]*pbxCall
	end    error
	next   int // in queue
	row    int // last read
}

// pbxCall is one call in the making, or a refused row that waits for its turn.
type pbxCall struct {
	keys     []string
	r        Record
	legs     []talk
	answered bool
	voice    bool // answered by voicemail
	lines    []string
	external bool // the caller's name belongs to somebody outside
	refused  *RowError
}

// talk is when two people spoke on one leg, in Unix seconds.
type talk struct{ from, to int64 }

func openPBX(m member, name string, l layout, header bool, comma byte, o Options) (Reader, error) {
	f, err := m.open()
	if err != nil {
		return nil, err
	}
	return &pbxLog{rows: sheet.NewCSV(f, comma), layout: l, header: header, clock: sheet.Clock{Zone: o.zone(), Country: o.Country}, file: m.name,
		name: shown(m, name), open: map[string]*pbxCall{}}, nil
}

func (p *pbxLog) Close() error { return p.rows.Close() }

func (p *pbxLog) Next() (*Record, error) {
	for p.end == nil && p.wants() {
		p.end = p.take()
	}
	if p.next == len(p.queue) {
		return nil, p.end
	}
	c := p.queue[p.next]
	p.queue[p.next] = nil
	if p.next++; p.next >= joinWindow {
		p.queue = append(p.queue[:0], p.queue[p.next:]...)
		p.next = 0
	}
	if c.refused != nil {
		return nil, c.refused
	}
	for _, k := range c.keys {
		if p.open[k] == c {
			delete(p.open, k)
		}
	}
	return c.finish(), nil
}

// wants says that more rows may belong to the first call of the queue.
func (p *pbxLog) wants() bool {
	waiting := len(p.queue) - p.next
	return waiting == 0 || waiting < joinWindow && p.row-p.queue[p.next].r.Row < joinRows
}

// take reads one row into the queue: as a new call or into the one it belongs to.
func (p *pbxLog) take() error {
	cells, row, err := p.rows.Next()
	p.row = row
	if bad, ok := err.(*RowError); ok {
		p.refuse(bad, bad.Row)
		return nil
	}
	if err == io.EOF {
		return err
	}
	if err != nil {
		return sheet.Stop(err, p.name, "row", row)
	}
	if p.header || sheet.Blank(cells) {
		p.header = false
		return nil
	}
	leg, bad := p.leg(cells)
	if bad != nil {
		p.refuse(bad, row)
		return nil
	}
	leg.r.Row, leg.r.File = row, p.file
	for _, k := range leg.keys {
		if c := p.open[k]; c != nil {
			c.add(leg)
			p.know(leg.keys, c)
			return nil
		}
	}
	for _, k := range leg.keys {
		p.open[k] = leg
	}
	p.queue = append(p.queue, leg)
	return nil
}

// know makes a call the owner of the ids of one of its rows.
func (p *pbxLog) know(keys []string, c *pbxCall) {
	for _, k := range keys {
		if p.open[k] == nil {
			p.open[k] = c
			c.keys = append(c.keys, k)
		}
	}
}

// refuse puts a bad row in its place among the calls.
func (p *pbxLog) refuse(bad *RowError, row int) {
	p.queue = append(p.queue, &pbxCall{r: Record{Row: row}, refused: bad.At(p.file, row)})
}

// leg reads one row.
func (p *pbxLog) leg(row []string) (*pbxCall, *RowError) {
	l := &p.layout
	start, bad := p.start(row)
	if bad != nil {
		return nil, bad
	}
	seconds, bad := p.talk(row)
	if bad != nil {
		return nil, bad
	}
	c := &pbxCall{r: Record{Start: start, Source: call.SourcePBX}, keys: p.keys(row)}
	if len(c.keys) > 0 {
		c.r.Key = c.keys[0]
	}
	if bad := p.parties(row, c); bad != nil {
		return nil, bad
	}
	app, bridged := l.cell(row, l.app), l.cell(row, l.dstchannel) != ""
	c.answered = l.cell(row, l.disposition) == "ANSWERED"
	if l.causes {
		c.answered = l.cell(row, l.answer) != "" && seconds > 0
	}
	if machine(app) && !bridged {
		c.voice = c.answered && strings.EqualFold(app, "VoiceMail")
		c.answered = false
	}
	if c.answered && seconds > 0 {
		c.legs = []talk{spoken(start, l.cell(row, l.duration), seconds)}
	}
	return c, nil
}

// machine names the applications that answer a caller without a person: a row that ends in one and was never bridged
// to a phone is a caller who gave up or spoke to a machine, though the system logs ANSWERED.
func machine(app string) bool {
	switch strings.ToLower(app) {
	case "queue", "background", "playback", "waitexten", "musiconhold", "voicemail", "read", "ringing":
		return true
	}
	return false
}

func (p *pbxLog) start(row []string) (time.Time, *RowError) {
	text := p.layout.cell(row, p.layout.start)
	if text == "" && len(row) < p.layout.least {
		return time.Time{}, sheet.Refuse("", strings.Join(row, ","), "The row has %d columns; a call of %s has at least %d. Remove it, or export the file again.", len(row), p.layout.format.Title(), p.layout.least)
	}
	t, _, err := p.clock.Parse(text)
	if err != nil {
		return t, sheet.Refuse("start", text, "%s", err)
	}
	return t, nil
}

// talk is the billed seconds: those after the answer.
func (p *pbxLog) talk(row []string) (int, *RowError) {
	text := p.layout.cell(row, p.layout.billsec)
	if strings.HasPrefix(text, "0.") {
		return 0, nil
	}
	n, err := parseDuration(text, seconds)
	if err != nil {
		return 0, sheet.Refuse("billsec", text, "%s", err)
	}
	return n, nil
}

// spoken is when a leg's talk was: the billed seconds are the last of the whole duration.
func spoken(start time.Time, duration string, billed int) talk {
	total, err := parseDuration(duration, seconds)
	if err != nil {
		total = billed
	}
	from := start.Unix() + int64(max(total-billed, 0))
	return talk{from, from + int64(billed)}
}

// keys are the ids that rows of one call share. Asterisk's uniqueid is "1772439000.12", perhaps after a system's name.
func (p *pbxLog) keys(row []string) []string {
	l := &p.layout
	if id := l.cell(row, l.linked); id != "" && len(id) <= maxNumber {
		return []string{id} // all legs of the call carry it
	}
	var out []string
	for _, column := range [...]int{l.unique, l.other} {
		id := l.cell(row, column)
		if id != "" && len(id) <= maxNumber && (l.causes || l.format == FreePBX || uniqueID(id)) {
			out = append(out, id)
		}
	}
	return out
}

func uniqueID(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i < 1 || !sheet.Digits(s[i+1:]) {
		return false
	}
	j := strings.LastIndexByte(s[:i], '-')
	return sheet.Digits(s[j+1 : i])
}

// parties reads who called whom, as written, and which extension took part.
func (p *pbxLog) parties(row []string, c *pbxCall) *RowError {
	l := &p.layout
	caller, hidden, bad := numberText(l.cell(row, l.src))
	if bad != nil {
		bad.Column = "src"
		return bad
	}
	callee := l.cell(row, l.dst)
	from, to := extension(l.cell(row, l.channel)), extension(l.cell(row, l.dstchannel))
	if !dialable(callee) {
		if did := l.cell(row, l.did); did != "" {
			callee = did
		} else if to != "" {
			callee = to
		} else if len(callee) == 1 {
			callee = "" // s, h, t and i are places in the dialplan
		}
	}
	if len(callee) > maxNumber {
		return sheet.Refuse("dst", callee, "It is longer than any phone number. Check the layout of the file.")
	}
	c.r.Caller, c.r.Callee, c.r.Presentation = caller, callee, hidden
	if to == "" {
		to = from
	}
	if to != "" {
		c.lines = []string{to}
	}
	c.r.Name = p.callerName(row, caller)
	c.external = len(caller) > 6
	return nil
}

// dialable says that a destination is a number and not a place in the dialplan such as "s" or "h".
func dialable(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.Trim(s, "+*#0123456789- ()") == ""
}

// extension is the extension in a channel's name: "PJSIP/201-0000001a", "Local/201@from-queue-1;1", "sofia/internal/1001@host".
func extension(channel string) string {
	i := strings.LastIndexByte(channel, '/')
	if i < 0 {
		return ""
	}
	name := channel[i+1:]
	if end := strings.IndexAny(name, "-@"); end >= 0 {
		name = name[:end]
	}
	if len(name) < 2 || len(name) > 6 || !sheet.Digits(name) {
		return ""
	}
	return name
}

// callerName is the name in a caller id such as "Asha Traders" <02226200001>, unless it only repeats the number.
func (p *pbxLog) callerName(row []string, number string) string {
	name := p.layout.cell(row, p.layout.names)
	if name == "" {
		name, _, _ = strings.Cut(p.layout.cell(row, p.layout.clid), "<")
		name = strings.Trim(name, `" `)
	}
	if name == number || sheet.Digits(strings.TrimPrefix(name, "+")) {
		return ""
	}
	return personName(name)
}

// add joins another row of the same call.
func (c *pbxCall) add(leg *pbxCall) {
	if leg.r.Start.Before(c.r.Start) {
		c.r.Start = leg.r.Start
	}
	switch {
	case leg.answered && !c.answered:
		c.r.Callee, c.lines = leg.r.Callee, leg.lines
	case leg.answered == c.answered && len(c.lines) < 32:
		c.lines = append(c.lines, leg.lines...)
	}
	if c.r.Caller == "" && leg.r.Caller != "" {
		c.r.Caller, c.r.Presentation, c.external = leg.r.Caller, call.PresentationUnsaid, leg.external
	}
	if c.r.Name == "" {
		c.r.Name = leg.r.Name
	}
	c.answered = c.answered || leg.answered
	c.voice = c.voice || leg.voice
	if len(c.legs) < 64 {
		c.legs = append(c.legs, leg.legs...)
	}
}

// finish gives the call's record: it lasted as long as anybody spoke, legs at the same time counted once.
func (c *pbxCall) finish() *Record {
	r := &c.r
	r.Seconds = int(spokenSeconds(c.legs))
	r.Unanswered = !c.answered
	if c.voice && !c.answered {
		r.Type = call.TypeVoicemail
	}
	if !c.external {
		r.Name = "" // a colleague's, not the other party's
	}
	for i, line := range c.lines {
		if i == 0 {
			r.Line = line
		} else if line != r.Line && !c.answered {
			r.Line = "" // several phones rang and none was picked up
			break
		}
	}
	return r
}

// spokenSeconds is the length of the union of legs.
func spokenSeconds(legs []talk) (total int64) {
	for i := 1; i < len(legs); i++ {
		for j := i; j > 0 && legs[j].from < legs[j-1].from; j-- {
			legs[j], legs[j-1] = legs[j-1], legs[j]
		}
	}
	var end int64
	for i, l := range legs {
		if i == 0 || l.from > end {
			end = l.from
		}
		if l.to > end {
			total += l.to - end
			end = l.to
		}
	}
	return total
}

// notPBX refuses a file that was said to come from a telephone system.
func notPBX(name string, f Format) error {
	return fault.New(fault.Invalid, "%s is not laid out like a file of %s. Leave the format out to let the content decide, or import it as a table with a column mapping.", sheet.FileNamed(name), f.Title())
}
