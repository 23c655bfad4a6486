package logfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"

	"parley/calls/call"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// jsonText is a value that apps write as text or as a number.
type jsonText string

// UnmarshalJSON takes text, numbers, true, false and null.
func (t *jsonText) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = jsonText(s)
	case '{', '[':
		return errNested
	case 'n':
		*t = ""
	default:
		*t = jsonText(b)
	}
	return nil
}

const (
	errNested   sheet.ErrText = `A value of the entry is a list or an object where text or a number is expected. Export the log again with the app that wrote it.`
	errNoObject sheet.ErrText = `The entry is no object of a call ({"number": …}). Remove it, or export the log again.`
)

// jsonCall is a call as termux-call-log (the first four, with type and date as text) and SMS Import / Export (the columns of
// Android's call log) write it.
type jsonCall struct {
	PhoneNumber  jsonText `json:"phone_number"`
	Name         jsonText `json:"name"`
	SIM          jsonText `json:"sim_id"`
	Duration     jsonText `json:"duration"`
	Type         jsonText `json:"type"`
	Date         jsonText `json:"date"`
	Number       jsonText `json:"number"`
	Presentation jsonText `json:"presentation"`
	DisplayName  jsonText `json:"display_name"`
	Subscription jsonText `json:"subscription_id"`
	Component    jsonText `json:"subscription_component_name"`
}

// jsonLog reads a list of calls, or one call a line. Rows are counted in calls.
type jsonLog struct {
	src    io.Closer
	source *rationed
	dec    *json.Decoder // of a list; nil for lines
	lines  *lines
	begun  bool
	row    int
	name   string
	file   string
	termux bool
	clock  sheet.Clock
}

// rationed hands out at most so many bytes until it is filled again, so that no value of a file can grow without bound.
type rationed struct {
	r    io.Reader
	left int
}

const errRation sheet.ErrText = "An entry of the file is longer than 1 MB, so it is no call. Export the calls without attachments."

func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errRation
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

func openJSON(m member, name string, format Format, o Options) (Reader, error) {
	f, err := m.open()
	if err != nil {
		return nil, err
	}
	j := &jsonLog{src: f, name: shown(m, name), file: m.name, termux: format == Termux, clock: sheet.Clock{Zone: o.zone(), Country: o.Country}}
	b := bufio.NewReaderSize(sheet.NewText(f), sheet.MaxLine)
	head, _ := b.Peek(sheet.MaxLine)
	if aLine(head) {
		j.lines = &lines{r: b}
		return j, nil
	}
	j.source = &rationed{r: b}
	j.dec = json.NewDecoder(j.source)
	return j, nil
}

// aLine says that the first line holds a whole object, so the file has one per line.
func aLine(head []byte) bool {
	head = bytes.TrimLeftFunc(head, unicode.IsSpace)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return len(line) > 0 && line[0] == '{' && json.Valid(line)
}

func (j *jsonLog) Close() error { return j.src.Close() }

func (j *jsonLog) Next() (*Record, error) {
	var c jsonCall
	err := j.read(&c)
	if err == io.EOF {
		return nil, err
	}
	var sentence sheet.ErrText
	if bad, ok := err.(*RowError); ok {
		return nil, bad
	}
	if errors.As(err, &sentence) && sentence != errRation {
		return nil, (&RowError{Sentence: sentence.Error()}).At(j.file, j.row)
	}
	if err != nil {
		return nil, j.broken(err)
	}
	r, bad := j.record(&c)
	if bad != nil {
		return nil, bad.At(j.file, j.row)
	}
	r.Row, r.File = j.row, j.file
	return r, nil
}

// read takes the next call of the list or the next line.
func (j *jsonLog) read(c *jsonCall) error {
	if j.lines != nil {
		return j.readLine(c)
	}
	j.source.left = 1 << 20
	if !j.begun {
		j.begun = true
		if open, err := j.dec.Token(); err != nil {
			return err
		} else if open != json.Delim('[') {
			return fault.New(fault.Invalid, "%s holds no list of calls. It should begin with [ and hold one object per call.", sheet.FileNamed(j.name))
		}
	}
	if !j.dec.More() {
		if _, err := j.dec.Token(); err != nil && err != io.EOF {
			return err
		} else if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return io.EOF
	}
	j.row++
	return ofObject(j.dec.Decode(c))
}

func (j *jsonLog) readLine(c *jsonCall) error {
	for {
		line, err := j.lines.next()
		j.row = j.lines.row
		if bad, ok := err.(*RowError); ok {
			return bad.At(j.file, bad.Row)
		}
		if err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		err = ofObject(json.Unmarshal(line, c))
		if _, syntax := errors.AsType[*json.SyntaxError](err); syntax {
			return (&RowError{Value: sheet.Cut(string(line[:min(len(line), 4*80)])), Sentence: "The line is no valid JSON. Correct or remove it, or export the log again."}).At(j.file, j.row)
		}
		return err
	}
}

// ofObject turns the error of an entry of another kind into a sentence.
func ofObject(err error) error {
	if _, kind := errors.AsType[*json.UnmarshalTypeError](err); kind {
		return errNoObject
	}
	return err
}

// broken ends the reading of a list whose JSON is damaged.
func (j *jsonLog) broken(err error) error {
	if errors.Is(err, errRation) {
		return fault.New(fault.TooLarge, "%s cannot be read past call %d. %s", sheet.FileNamed(j.name), j.row, errRation)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		if strings.Contains(syntax.Error(), "unexpected end") {
			return sheet.Stop(io.ErrUnexpectedEOF, j.name, "call", j.row)
		}
		return fault.Wrap(fault.Invalid, err, "%s is damaged at call %d (byte %d): it is no valid JSON there. Export the log again.", sheet.FileNamed(j.name), j.row, syntax.Offset)
	}
	return sheet.Stop(err, j.name, "call", j.row)
}

func (j *jsonLog) record(c *jsonCall) (*Record, *RowError) {
	if j.termux || c.Number == "" && c.PhoneNumber != "" {
		return j.termuxRecord(c)
	}
	if c.Number == "" && c.Date == "" && c.Type == "" {
		return nil, sheet.Refuse("", "", "The entry has no number, date and type, so it is no call. Check that this is the export of calls and not of messages.")
	}
	name := c.DisplayName
	if name == "" {
		name = c.Name
	}
	p := phoneCall{number: string(c.Number), date: string(c.Date), duration: string(c.Duration), kind: string(c.Type), presentation: string(c.Presentation),
		name: string(name), subscription: string(c.Subscription), component: string(c.Component)}
	return p.record()
}

// termuxRecord reads {"phone_number", "type":"INCOMING", "date":"2026-03-02 10:11:12", "duration":"01:20", "sim_id"}. The
// date is the phone's local time.
func (j *jsonLog) termuxRecord(c *jsonCall) (*Record, *RowError) {
	start, _, err := j.clock.Parse(string(c.Date))
	if err != nil {
		return nil, sheet.Refuse("date", string(c.Date), "%s", err)
	}
	p := phoneCall{number: string(c.PhoneNumber), date: strconv.FormatInt(start.UnixMilli(), 10), duration: string(c.Duration),
		name: string(c.Name), subscription: string(c.SIM)}
	r, bad := p.record()
	if bad != nil {
		return nil, bad
	}
	w := wordOf(string(c.Type))
	r.Type, r.Direction = w.kind, w.direction
	if r.Type != call.TypeUnknown {
		r.Direction = r.Type.Direction()
	}
	return r, nil
}
