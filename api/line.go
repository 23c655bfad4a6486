package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
)

const tagLines = "Lines and devices"

// Line is an agent's SIM or extension.
type Line struct {
	ID         device.LineID `json:"id"`
	Agent      *AgentRef     `json:"agent" doc:"Who holds it now"`
	Number     string        `json:"number,omitempty" doc:"E.164 where it can be" example:"+919812300001"`
	Label      string        `json:"label"`
	SIMSlot    int           `json:"sim_slot" doc:"1 is SIM 1; 0 when not said"`
	Device     string        `json:"device,omitempty" doc:"The device that reports for it"`
	CreatedAt  *time.Time    `json:"created_at"`
	ArchivedAt *time.Time    `json:"archived_at,omitempty"`
}

// NewLine is a line to be added.
type NewLine struct {
	Agent   account.MemberID `json:"agent" minLength:"1"`
	Number  string           `json:"number,omitempty" maxLength:"60" doc:"As people write it, in the organisation's country"`
	Label   string           `json:"label,omitempty" maxLength:"200"`
	SIMSlot int              `json:"sim_slot,omitempty" minimum:"0" maximum:"8"`
}

// LineChange is what to change; what is left out stays.
type LineChange struct {
	Number  *string `json:"number,omitempty" maxLength:"60" doc:"Empty text removes it"`
	Label   *string `json:"label,omitempty" maxLength:"200"`
	SIMSlot *int    `json:"sim_slot,omitempty" minimum:"0" maximum:"8"`
}

// LineMove gives a line to another agent.
type LineMove struct {
	To account.MemberID `json:"to" minLength:"1" doc:"The agent who holds it from then on"`
	At *time.Time       `json:"at,omitempty" doc:"From when on; leave it out for now. Earlier calls stay with whoever held the line"`
}

// LinePath names a line.
type LinePath struct {
	Line device.LineID `path:"line"`
}

func (s *API) lines() {
	handle(s, does(http.MethodGet, "/lines", "list-lines", account.ReadPeople, tagLines, "List lines").
		saying("Those in use; with archived=true the archived ones, too. A manager sees the lines of their teams."), s.listLines)
	handle(s, does(http.MethodPost, "/lines", "add-line", account.ManagePeople, tagLines, "Add a line").giving(http.StatusCreated), s.addLine)
	handle(s, does(http.MethodGet, "/lines/{line}", "get-line", account.ReadPeople, tagLines, "One line"), s.getLine)
	handle(s, does(http.MethodPatch, "/lines/{line}", "update-line", account.ManagePeople, tagLines, "Change label, number or slot"), s.updateLine)
	handle(s, does(http.MethodPost, "/lines/{line}/move", "move-line", account.ManagePeople, tagLines, "Give a line to another agent").
		saying("History is not rewritten: earlier calls stay with whoever held the line when they took place."), s.moveLine)
	handle(s, does(http.MethodPost, "/lines/{line}/archive", "archive-line", account.ManagePeople, tagLines, "Take a line out of use").
		saying("Its calls stay, and its number is free for another line.").giving(http.StatusNoContent),
		func(ctx context.Context, in *LinePath) (*struct{}, error) {
			return nil, s.Devices.ArchiveLine(ctx, callerOf(ctx).org, in.Line)
		})
}

func lineOf(org *account.Org, l *device.Line, agents map[account.AgentNo]AgentRef) Line {
	out := Line{ID: l.ID, Number: l.Number, Label: l.Label, SIMSlot: l.SIMSlot, Device: l.Device, CreatedAt: at(org, l.CreatedAt), ArchivedAt: at(org, l.ArchivedAt)}
	out.Agent = refTo(agents, l.Agent)
	return out
}

// lineAnswer is one line with its agent's name.
func (s *API) lineAnswer(ctx context.Context, l *device.Line, err error) (*body[Line], error) {
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org
	agents, err := s.agentsByNo(ctx, org)
	return answerOf(lineOf(org, l, agents)), err
}

func (s *API) listLines(ctx context.Context, in *struct {
	Paging
	Archived bool             `query:"archived"`
	Agent    account.MemberID `query:"agent" doc:"Lines that this agent holds now"`
}) (*body[Page[Line]], error) {
	org := callerOf(ctx).org
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Devices.Lines(ctx, org)
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, org)
	if err != nil {
		return nil, err
	}
	out := []Line{}
	for _, l := range all {
		if sees(mine, l.Agent) && (in.Archived || !l.Archived()) && (in.Agent == "" || agents[l.Agent].ID == in.Agent) {
			out = append(out, lineOf(org, l, agents))
		}
	}
	return pageOf(out, in.Paging, func(l Line) string { return string(l.ID) })
}

func (s *API) line(ctx context.Context, id device.LineID) (*device.Line, error) {
	l, err := s.Devices.Line(ctx, callerOf(ctx).org, id)
	if err != nil {
		return nil, err
	}
	return l, mustSee(ctx, l.Agent, "There is no line %.60s in this organisation.", id)
}

func (s *API) getLine(ctx context.Context, in *LinePath) (*body[Line], error) {
	l, err := s.line(ctx, in.Line)
	return s.lineAnswer(ctx, l, err)
}

func (s *API) addLine(ctx context.Context, in *struct{ Body NewLine }) (*body[Line], error) {
	agent, err := s.agentNo(ctx, "agent", in.Body.Agent)
	if err != nil {
		return nil, err
	}
	l, err := s.Devices.AddLine(ctx, callerOf(ctx).org, device.NewLine{Agent: agent, Number: in.Body.Number, Label: in.Body.Label, SIMSlot: in.Body.SIMSlot})
	return s.lineAnswer(ctx, l, err)
}

func (s *API) updateLine(ctx context.Context, in *struct {
	LinePath
	Body LineChange
}) (*body[Line], error) {
	l, err := s.Devices.UpdateLine(ctx, callerOf(ctx).org, in.Line, device.LineChange{Label: in.Body.Label, Number: in.Body.Number, SIMSlot: in.Body.SIMSlot})
	return s.lineAnswer(ctx, l, err)
}

func (s *API) moveLine(ctx context.Context, in *struct {
	LinePath
	Body LineMove
}) (*body[Line], error) {
	to, err := s.agentNo(ctx, "to", in.Body.To)
	if err != nil {
		return nil, err
	}
	var from time.Time
	if in.Body.At != nil {
		from = *in.Body.At
	}
	l, err := s.Devices.MoveLine(ctx, callerOf(ctx).org, in.Line, to, from)
	return s.lineAnswer(ctx, l, err)
}

// linesByNo are the ids of an organisation's lines.
func (s *API) linesByNo(ctx context.Context, org *account.Org) (map[call.LineNo]device.LineID, error) {
	all, err := s.Devices.Lines(ctx, org)
	out := make(map[call.LineNo]device.LineID, len(all))
	for _, l := range all {
		out[l.No] = l.ID
	}
	return out, err
}

// sees tells whether an agent is among those that the caller sees; nil means all.
func sees(mine []account.AgentNo, agent account.AgentNo) bool {
	if mine == nil {
		return true
	}
	return slices.Contains(mine, agent)
}
