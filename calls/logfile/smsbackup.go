package logfile

import (
	"io"
	"strings"
)

// smsBackup reads calls-*.xml of SMS Backup & Restore: <call …/> elements wherever they stand, also among messages.
// Rows are counted in calls.
type smsBackup struct {
	src  io.Closer
	x    *markup
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
	return &smsBackup{src: f, x: newMarkup(f), name: shown(m, name), file: m.name}, nil
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
		kind, name, err := s.x.next()
		switch {
		case err == io.EOF && !s.root:
			return nil, notXML(s.name)
		case err == io.EOF:
			return nil, err
		case err != nil:
			return nil, stop(err, s.name, "call", s.row+1)
		}
		s.root = true
		if kind == startTag && string(name) == "call" {
			s.row++
			return s.call()
		}
	}
}

func (s *smsBackup) call() (*Record, error) {
	tag, err := s.x.attributes()
	if damage, ok := err.(errText); ok {
		return nil, (&RowError{Value: cut(string(tag)), Sentence: damage.Error()}).at(s.file, s.row)
	}
	if err != nil {
		return nil, stop(err, s.name, "call", s.row)
	}
	p := phoneCallOf(tag)
	r, bad := p.record()
	if bad != nil {
		return nil, bad.at(s.file, s.row)
	}
	r.Row, r.File = s.row, s.file
	return r, nil
}

func phoneCallOf(tag []byte) phoneCall {
	var p phoneCall
	for name, value := range attributes(tag) {
		switch string(name) {
		case "number":
			p.number = unescape(value)
		case "date":
			p.date = unescape(value)
		case "duration":
			p.duration = unescape(value)
		case "type":
			p.kind = strings.TrimSpace(unescape(value))
		case "presentation":
			p.presentation = strings.TrimSpace(unescape(value))
		case "contact_name":
			p.name = unescape(value)
		case "subscription_id":
			p.subscription = unescape(value)
		case "subscription_component_name":
			p.component = unescape(value)
		}
	}
	return p
}
