package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/call"
	"parley/calls/logfile"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/freetext"
)

// resolver turns the records of one file into calls of agents and lines.
type resolver struct {
	org   *account.Org
	spec  *ImportSpec
	ours  Ours
	ref   int64
	staff *staff
	list  map[string]bool // canonical numbers that are ours by OursList
	phone phoneMemo
}

// errSkipped is the answer to a call between two own numbers.
var errSkipped = errors.New("both numbers are yours")

func (i *Imports) newResolver(ctx context.Context, org *account.Org, spec *ImportSpec, ref int64) (*resolver, error) {
	s := &resolver{org: org, spec: spec, ours: spec.Ours, ref: ref, list: map[string]bool{}, phone: phoneMemo{country: org.Country}}
	if s.ours == "" {
		if s.ours = OursAgents; len(spec.OurNumbers) > 0 {
			s.ours = OursList
		}
	}
	if _, err := ParseOurs(string(s.ours)); err != nil {
		return nil, err
	}
	if s.ours == OursList && len(spec.OurNumbers) == 0 {
		return nil, fault.Field("ours", "No number of yours is listed. List at least one, or choose agents or all.")
	}
	for _, raw := range spec.OurNumbers {
		n := phone.Parse(raw, org.Country)
		if len(phone.Digits(n.Raw)) < 2 {
			return nil, fault.Field("ours", "%q is no phone number. Write it with its country code, for example +919812300001, or as an extension of at least two digits.", raw)
		}
		s.list[n.Canonical()] = true
	}
	var err error
	s.staff, err = i.loadStaff(ctx, org, spec)
	return s, err
}

// item is a record as a call. The error is a *logfile.RowError for a record that is refused, errSkipped for one that is
// left out, and any other when the import cannot go on.
func (s *resolver) item(ctx context.Context, rec *logfile.Record) (Item, error) {
	if n := utf8.RuneCountInString(rec.Note); n > maxNote {
		return Item{}, refuseRecord(rec, "note", "", "The note has %d characters; at most %d fit. Shorten it.", n, maxNote)
	}
	for i, t := range rec.Tags {
		rec.Tags[i] = freetext.Mask(t)
	}
	tags, err := call.CleanTags(rec.Tags)
	if err != nil {
		return Item{}, refuseRecord(rec, "tags", strings.Join(rec.Tags, ", "), "%s", fault.Sentence(err))
	}
	it := Item{
		Start: rec.Start, Seconds: rec.Seconds, Source: rec.Source, Type: rec.Type, Direction: rec.Direction, Presentation: rec.Presentation,
		Name: cut(strings.TrimSpace(rec.Name), maxName), Note: freetext.Mask(strings.TrimSpace(rec.Note)), Tags: tags, Ref: s.ref,
	}
	if rec.Number == "" && (rec.Caller != "" || rec.Callee != "") {
		return it, s.twoParties(ctx, rec, &it)
	}
	if it.Type != call.TypeUnknown {
		it.Direction = it.Type.Direction()
	}
	it.Number, it.Presentation = s.phone.read(rec.Number, rec.Presentation)
	it.Agent, it.Line, err = s.staff.owner(ctx, rec)
	return it, err
}

// twoParties settles who of caller and callee is ours.
func (s *resolver) twoParties(ctx context.Context, rec *logfile.Record, it *Item) error {
	caller, callerShown := s.phone.read(rec.Caller, rec.Presentation)
	callee, _ := s.phone.read(rec.Callee, call.PresentationUnsaid)
	outgoing, err := s.side(rec, caller, callee)
	if err != nil {
		return err
	}
	own, column := callee, "callee"
	it.Number, it.Presentation, it.Direction = caller, callerShown, call.Incoming
	if outgoing {
		own, column = caller, "caller"
		it.Number, it.Presentation, it.Direction = callee, call.PresentationUnsaid, call.Outgoing
	}
	it.Type = twoPartyType(rec, it.Direction)
	if rec.Unanswered {
		it.Seconds = 0
	}
	if it.Agent, it.Line, err = s.ownLine(ctx, own, rec.Start); err == nil {
		return nil
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.NotFound:
		return refuseRecord(rec, column, own, "%s", fault.Sentence(err))
	}
	return err
}

// twoPartyType is the type of a call that its file tells as caller, callee and whether it was answered.
func twoPartyType(rec *logfile.Record, d call.Direction) call.Type {
	switch {
	case rec.Type != call.TypeUnknown && rec.Type.Direction() == d && !(rec.Unanswered && rec.Type == call.TypeIncoming):
		return rec.Type
	case d == call.Outgoing:
		return call.TypeOutgoing
	case rec.Unanswered:
		return call.TypeMissed
	default:
		return call.TypeIncoming
	}
}

// side tells whether the caller is ours (or else the callee), and refuses or skips what cannot be told.
func (s *resolver) side(rec *logfile.Record, caller, callee string) (outgoing bool, err error) {
	if s.ours == OursAll {
		return caller != "" && rec.Direction != call.Incoming, nil
	}
	callerOurs, calleeOurs := s.isOurs(caller), s.isOurs(callee)
	switch {
	case callerOurs && calleeOurs:
		return false, errSkipped
	case callerOurs || calleeOurs:
		return callerOurs, nil
	default:
		return false, refuseRecord(rec, "caller and callee", shown(caller)+" → "+shown(callee),
			"Neither %s nor %s is a number of %s. Add the line it belongs to, or choose --ours all, which takes every caller for one of yours.", shown(caller), shown(callee), s.whose())
	}
}

func shown(number string) string {
	if number == "" {
		return "(withheld)"
	}
	return number
}

func (s *resolver) whose() string {
	if s.ours == OursAgents && s.spec.Agent != 0 {
		return "this agent's lines"
	}
	return "yours"
}

func (s *resolver) isOurs(canonical string) bool {
	if canonical == "" {
		return false
	}
	if s.ours == OursList {
		return s.list[canonical]
	}
	l, ok := s.staff.numbers[canonical]
	return ok && (s.spec.Agent == 0 || s.staff.held(l.No, s.spec.Agent))
}

// ownLine gives the agent and line of one of our numbers at a time.
func (s *resolver) ownLine(ctx context.Context, own string, at time.Time) (account.AgentNo, call.LineNo, error) {
	l, known := s.staff.numbers[own]
	if s.spec.Agent != 0 {
		if known && s.staff.held(l.No, s.spec.Agent) {
			return s.spec.Agent, l.No, nil
		}
		line, err := s.staff.defaultLine(ctx, s.spec.Agent)
		return s.spec.Agent, line, err
	}
	if known {
		agent, ok := s.staff.holders.At(l.No, at)
		if made := s.staff.made[own]; made != 0 {
			agent, ok = made, true
		}
		if !ok {
			return 0, 0, fault.New(fault.Invalid, "Nobody held the line when the call took place. Give the line an agent first.")
		}
		return agent, l.No, nil
	}
	if s.ours != OursAll {
		return 0, 0, fault.New(fault.Invalid, "%s is listed as yours, but it is no agent's line. Add it as a line, or say whose calls these are with --agent.", own)
	}
	if own == "" {
		return 0, 0, fault.New(fault.Invalid, "Both numbers are withheld, so nobody knows whose call this is.")
	}
	return s.staff.make(ctx, own)
}

func refuseRecord(rec *logfile.Record, column, value, format string, a ...any) *logfile.RowError {
	return &logfile.RowError{Row: rec.Row, File: rec.File, Column: column, Value: cut(value, 80), Sentence: fmt.Sprintf(format, a...)}
}

// phoneMemo remembers the canonical forms of numbers met lately, in two generations: parsing one costs more than all else
// that is done with a row.
type phoneMemo struct {
	country    string
	young, old map[string]string
}

const maxPhones = 1 << 14

// read gives a number's canonical form, "" where it was not shown, and how it was presented.
func (m *phoneMemo) read(raw string, p call.Presentation) (string, call.Presentation) {
	canonical, ok := m.young[raw]
	if !ok {
		canonical, ok = m.old[raw]
		if !ok {
			if why := withheld(raw); why != call.PresentationUnsaid {
				if p == call.PresentationUnsaid || p == call.PresentationAllowed {
					p = why
				}
				return "", p
			}
			canonical = phone.Parse(raw, m.country).Canonical()
		}
		if len(m.young) >= maxPhones || m.young == nil {
			m.old, m.young = m.young, make(map[string]string)
		}
		m.young[raw] = canonical
	}
	return canonical, p
}
