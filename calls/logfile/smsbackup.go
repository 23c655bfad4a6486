package logfile

import (
	"io"
	"strings"

	"parley/platform/sheet"
)

// smsBackup reads calls-*.xml of SMS Backup & Restore: <call …/> elements wherever they stand, also among messages.
// Rows are counted in calls.
type smsBackup struct {
	src  io.Closer
	x    *sheet.Markup
	name string
	file string
	row  int
	root bool
}

func openSMSBackup(m member, name string) (Reader, error) {
	f, err := m.open()
	if err != nil {
		return nil, err
	}
	return &smsBackup{src: f, x: sheet.NewMarkup(f), name: shown(m, name), file: m.name}, nil
}

// shown is the name by which a sentence calls a member.
func shown(m member, upload string) string {
	if m.name != "" {
		return m.name
	}
	return upload
}

func (s *smsBackup) Close() error { return s.src.Close() }

func (s *smsBackup) Next() (*Record, error) {
	for {
		kind, name, err := s.x.Next()
		switch {
		case err == io.EOF && !s.root:
			return nil, notXML(s.name)
		case err == io.EOF:
			return nil, err
		case err != nil:
			return nil, sheet.Stop(err, s.name, "call", s.row+1)
		}
		s.root = true
		if kind == sheet.StartTag && string(name) == "call" {
			s.row++
			return s.call()
		}
	}
}

func (s *smsBackup) call() (*Record, error) {
	tag, err := s.x.Attributes()
	if damage, ok := err.(sheet.ErrText); ok {
		return nil, (&RowError{Value: sheet.Cut(string(tag)), Sentence: damage.Error()}).At(s.file, s.row)
	}
	if err != nil {
		return nil, sheet.Stop(err, s.name, "call", s.row)
	}
	p := phoneCallOf(tag)
	r, bad := p.record()
	if bad != nil {
		return nil, bad.At(s.file, s.row)
	}
	r.Row, r.File = s.row, s.file
	return r, nil
}

func phoneCallOf(tag []byte) phoneCall {
	var p phoneCall
	for name, value := range sheet.Attributes(tag) {
		switch string(name) {
		case "number":
			p.number = sheet.Unescape(value)
		case "date":
			p.date = sheet.Unescape(value)
		case "duration":
			p.duration = sheet.Unescape(value)
		case "type":
			p.kind = strings.TrimSpace(sheet.Unescape(value))
		case "presentation":
			p.presentation = strings.TrimSpace(sheet.Unescape(value))
		case "contact_name":
			p.name = sheet.Unescape(value)
		case "subscription_id":
			p.subscription = sheet.Unescape(value)
		case "subscription_component_name":
			p.component = sheet.Unescape(value)
		}
	}
	return p
}
