package ingest

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/logfile"
	"parley/platform/fault"
	"parley/platform/phone"
)

// staff is who an import's calls can belong to.
type staff struct {
	i       *Imports
	org     *account.Org
	fixed   account.AgentNo // whose calls all of them are; 0 = the file says
	dry     bool
	agents  map[string]account.AgentNo // by name, address and id in lower case; -1 = several
	lines   []*device.Line
	numbers map[string]*device.Line // by canonical number; lines in use go first
	holders *device.Holders
	first   map[account.AgentNo]call.LineNo // default lines met so far
	made    map[string]account.AgentNo      // agents that this import made, by number
	known   map[[2]string]ownerOf           // what owner found for agent and line as written
}

type ownerOf struct {
	agent  account.AgentNo
	line   call.LineNo
	byLine bool // the agent is whoever held the line
}

// Bounds of an import's memory and of what it makes.
const (
	maxMade   = 500
	maxOwners = 4096
)

// several stands for a name that more than one agent has.
const several account.AgentNo = -1

func (i *Imports) loadStaff(ctx context.Context, org *account.Org, spec *ImportSpec) (*staff, error) {
	s := &staff{i: i, org: org, fixed: spec.Agent, dry: spec.DryRun, agents: map[string]account.AgentNo{}, numbers: map[string]*device.Line{},
		first: map[account.AgentNo]call.LineNo{}, made: map[string]account.AgentNo{}, known: map[[2]string]ownerOf{}}
	if spec.Agent != 0 {
		if _, err := i.accounts.AgentByNo(ctx, org.ID, spec.Agent); err != nil {
			return nil, err
		}
	}
	members, err := i.accounts.Agents(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		for _, word := range []string{m.Name, m.Email, string(m.ID)} {
			s.nameAgent(word, m.Agent)
		}
	}
	if s.lines, err = i.devices.Lines(ctx, org); err != nil {
		return nil, err
	}
	for _, archived := range []bool{true, false} {
		for _, l := range s.lines {
			if l.Number != "" && l.Archived() == archived {
				s.numbers[l.Number] = l
			}
		}
	}
	s.holders, err = i.devices.Holders(ctx, org)
	return s, err
}

func (s *staff) nameAgent(word string, agent account.AgentNo) {
	word = fold(word)
	if word == "" {
		return
	}
	if was, ok := s.agents[word]; ok && was != agent {
		agent = several
	}
	s.agents[word] = agent
}

func fold(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// held tells whether an agent holds or ever held a line.
func (s *staff) held(line call.LineNo, agent account.AgentNo) bool {
	return slices.Contains(s.holders.Of(line), agent)
}

// owner settles whose call a record is that names the other party alone.
func (s *staff) owner(ctx context.Context, rec *logfile.Record) (account.AgentNo, call.LineNo, error) {
	k := [2]string{rec.Agent, rec.Line}
	o, ok := s.known[k]
	if !ok {
		var err error
		if o, err = s.find(ctx, rec); err != nil {
			return 0, 0, err
		}
		if len(s.known) >= maxOwners {
			clear(s.known)
		}
		s.known[k] = o
	}
	if !o.byLine {
		return o.agent, o.line, nil
	}
	agent, ok := s.holders.At(o.line, rec.Start)
	if !ok {
		return 0, 0, refuseRecord(rec, "line", rec.Line, "Nobody held the line when the call took place. Give the line an agent first.")
	}
	return agent, o.line, nil
}

// find settles agent and line as they are written.
func (s *staff) find(ctx context.Context, rec *logfile.Record) (ownerOf, error) {
	agent := s.fixed
	if agent == 0 && rec.Agent != "" {
		agent = s.agents[fold(rec.Agent)]
		if l := s.lineCalled(rec.Agent, 0); agent == 0 && l != nil { // some systems name agents by their number
			return ownerOf{line: l.No, byLine: true}, nil
		}
	}
	if agent > 0 {
		if l := s.lineCalled(rec.Line, agent); l != nil {
			return ownerOf{agent: agent, line: l.No}, nil
		}
		line, err := s.defaultLine(ctx, agent)
		return ownerOf{agent: agent, line: line}, err
	}
	if l := s.lineCalled(rec.Line, 0); l != nil {
		return ownerOf{line: l.No, byLine: true}, nil
	}
	return ownerOf{}, s.refuse(rec, agent)
}

func (s *staff) refuse(rec *logfile.Record, agent account.AgentNo) error {
	switch {
	case agent == several:
		return refuseRecord(rec, "agent", rec.Agent, "Several agents have this name. Write the e-mail address or the number instead, or import each agent's calls by themselves with --agent.")
	case rec.Agent != "":
		return refuseRecord(rec, "agent", rec.Agent, "There is no agent of this name, address or number. Add the agent, correct the file, or say whose calls these are with --agent.")
	case rec.Line != "":
		return refuseRecord(rec, "line", rec.Line, "There is no line with this number or label. Add the line, or say whose calls these are with --agent.")
	default:
		return refuseRecord(rec, "", "", "The file does not say whose call this is. Say it with --agent, or map a column to agent or line.")
	}
}

// lineCalled finds a line by number, label, id or SIM as written, among those an agent holds or held, 0 for all. A label
// that several lines have finds none.
func (s *staff) lineCalled(text string, agent account.AgentNo) *device.Line {
	word := fold(text)
	if word == "" {
		return nil
	}
	mine := func(l *device.Line) bool { return agent == 0 || s.held(l.No, agent) }
	if l, ok := s.numbers[phone.Parse(text, s.org.Country).Canonical()]; ok && mine(l) {
		return l
	}
	var found *device.Line
	for _, l := range s.lines {
		bySlot := agent != 0 && l.SIMSlot != 0 && (word == "sim "+strconv.Itoa(l.SIMSlot) || word == "sim"+strconv.Itoa(l.SIMSlot))
		if l.Archived() || !mine(l) || (fold(l.Label) != word && string(l.ID) != word && !bySlot) {
			continue
		}
		if found != nil {
			return nil
		}
		found = l
	}
	return found
}

// defaultLine is an agent's first line in use, made when there is none. A dry run makes none: its line 0 meets no call,
// as a new line would not.
func (s *staff) defaultLine(ctx context.Context, agent account.AgentNo) (call.LineNo, error) {
	if no, ok := s.first[agent]; ok {
		return no, nil
	}
	var no call.LineNo
	for _, l := range s.lines {
		if !l.Archived() && l.Agent == agent {
			no = l.No
			break
		}
	}
	if no == 0 && !s.dry {
		l, err := s.i.devices.DefaultLine(ctx, s.org, agent)
		if err != nil {
			return 0, err
		}
		no = l.No
	}
	s.first[agent] = no
	return no, nil
}

// make makes an agent and a line called by a number, where every caller is one of ours. A dry run gives them numbers that
// no real ones have.
func (s *staff) make(ctx context.Context, own string) (account.AgentNo, call.LineNo, error) {
	if len(s.made) >= maxMade {
		return 0, 0, fault.New(fault.Invalid, "%d agents were made of the callers of this file already. If most of them are customers, undo the import and choose --ours agents or list your numbers.", maxMade)
	}
	if d := phone.Digits(own); len(d) < 2 || len(own) > 32 {
		return 0, 0, fault.New(fault.Invalid, "This is no phone number, so it cannot be one of your lines. Correct it, or list your numbers with --ours.")
	}
	const pretend = 1 << 30
	agent, line := account.AgentNo(pretend+len(s.made)), &device.Line{No: call.LineNo(pretend + len(s.made)), Number: own}
	if !s.dry {
		m, err := s.i.accounts.FindAgent(ctx, s.org.ID, own) // an import that was interrupted between the two
		if fault.KindOf(err) == fault.NotFound {
			m, err = s.i.accounts.AddAgent(ctx, s.org.ID, account.NewAgent{Name: own})
		}
		if err != nil {
			return 0, 0, err
		}
		if line, err = s.i.devices.AddLine(ctx, s.org, device.NewLine{Agent: m.Agent, Number: own}); err != nil {
			return 0, 0, err
		}
		agent = m.Agent
	}
	s.lines, s.numbers[own], s.made[own] = append(s.lines, line), line, agent
	return agent, line.No, nil
}
