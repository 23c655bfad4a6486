// Package logfile reads the files that phones, telephone systems and services write about calls, one record at a time
// and in constant memory. It judges nothing but form: numbers stay as written, and whether a time is plausible is for
// the importer to say.
package logfile

import (
	"io"
	"strings"
	"time"

	"parley/calls/call"
	"parley/platform/fault"
	"parley/platform/sheet"
)

// Format names a layout of a file of calls.
type Format string

// The formats.
const (
	SMSBackup  Format = "smsbackup"
	Asterisk   Format = "asterisk"
	FreePBX    Format = "freepbx"
	FreeSWITCH Format = "freeswitch"
	Takeout    Format = "takeout"
	Termux     Format = "termux"
	SMSIE      Format = "smsie"
	Table      Format = "table"
)

// Formats lists every format in the order in which people are offered them.
func Formats() []Format {
	return []Format{SMSBackup, Asterisk, FreePBX, FreeSWITCH, Takeout, Termux, SMSIE, Table}
}

// ParseFormat reads a format's name; "" means that the file's content decides.
func ParseFormat(word string) (Format, error) {
	w := Format(strings.ToLower(strings.TrimSpace(word)))
	if w == "" || w.Title() != "" {
		return w, nil
	}
	names := make([]string, 0, 8)
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return "", fault.Field("format", "%q is no format of call logs. Use one of %s, or leave it out to let the file's content decide.", sheet.Cut(word), strings.Join(names, ", "))
}

// Title is the name under which people know a format; "" for a format that is not one of ours.
func (f Format) Title() string {
	switch f {
	case SMSBackup:
		return "SMS Backup & Restore"
	case Asterisk:
		return "Asterisk Master.csv"
	case FreePBX:
		return "FreePBX CDR"
	case FreeSWITCH:
		return "FreeSWITCH CDR"
	case Takeout:
		return "Google Takeout Voice"
	case Termux:
		return "Termux call log"
	case SMSIE:
		return "SMS Import / Export"
	case Table:
		return "Table"
	default:
		return ""
	}
}

// Record is one call as its file tells it.
type Record struct {
	Row          int    // line, sheet row or element where it stands, from 1, counted within File
	File         string // file within a zip or sheet within a workbook; "" otherwise
	Start        time.Time
	Seconds      int // talk time
	Type         call.Type
	Direction    call.Direction // NoDirection where the file names caller and callee instead
	Number       string         // the other party as written; "" = not shown
	Presentation call.Presentation
	Caller       string // set instead of Number where the file says who called whom, with Callee; "" = not shown
	Callee       string
	Unanswered   bool // caller and callee only: nobody answered, or the line was busy or failed
	Name, Note   string
	Tags         []string
	Line, Agent  string // SIM or extension, and agent, as written; "" where the file has none
	Key          string // the source's own id of the call, "" where none
	Source       call.Source
}

// RowError says why one row was refused. The rows after it can still be read.
type RowError = sheet.RowError

// Reader gives the records of a file in the order of the file. Next returns io.EOF at the end, a *RowError for one row
// that was refused (and may be called again), and any other error when the file cannot be read further.
type Reader interface {
	Next() (*Record, error)
	Close() error
}

// Options say how to read a file.
type Options struct {
	Zone    *time.Location // of times that carry none themselves; nil = UTC
	Country string         // ISO 3166 alpha-2; settles abbreviations such as IST
	Now     time.Time
	Format  Format   // "" = as Detect says, or Table when there is a Mapping
	Mapping *Mapping // of tables; nil = as Detect guesses
}

func (o Options) zone() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// lasting makes the end of a file, good or bad, the answer to every later Next.
type lasting struct {
	Reader
	end error
}

func (l *lasting) Next() (*Record, error) {
	if l.end != nil {
		return nil, l.end
	}
	r, err := l.Reader.Next()
	if err == nil {
		return r, nil
	}
	if _, one := err.(*RowError); !one {
		l.end = err
	}
	return nil, err
}

// series reads several files as one.
type series struct {
	files []member
	open  func(member) (Reader, error)
	cur   Reader
}

func (s *series) Next() (*Record, error) {
	for {
		if s.cur == nil {
			if len(s.files) == 0 {
				return nil, io.EOF
			}
			r, err := s.open(s.files[0])
			if err != nil {
				return nil, err
			}
			s.cur, s.files = r, s.files[1:]
		}
		r, err := s.cur.Next()
		if err != io.EOF {
			return r, err
		}
		if err := s.cur.Close(); err != nil {
			return nil, err
		}
		s.cur = nil
	}
}

func (s *series) Close() error {
	if s.cur == nil {
		return nil
	}
	return s.cur.Close()
}
