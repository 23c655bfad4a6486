package api

import (
	"context"
	"strings"

	"parley/account"
	"parley/calls/device"
	"parley/calls/report"
)

// Ask says which calls are meant: days, scope and filter. Without days, the last 30 are.
type Ask struct {
	From       string           `query:"from" doc:"First day, such as 2026-03-02, in the organisation's zone"`
	To         string           `query:"to" doc:"The day after the last one"`
	Through    string           `query:"through" doc:"The last day, in place of to"`
	Preset     string           `query:"preset" doc:"today, yesterday, last_7_days, last_30_days, this_week, last_week, this_month or last_month, in place of days"`
	Team       account.TeamID   `query:"team" doc:"Calls of this team's agents alone"`
	Agent      account.MemberID `query:"agent" doc:"Calls of this agent alone"`
	Line       device.LineID    `query:"line" doc:"Calls of this line alone"`
	Types      []string         `query:"type" doc:"As logged: incoming, outgoing, missed, voicemail, rejected, blocked, answered_elsewhere, unknown; several with commas"`
	Outcomes   []string         `query:"outcome" doc:"How it ended: connected, missed, rejected, blocked, not_picked_up, voicemail, unknown; several with commas"`
	Sources    []string         `query:"source" doc:"phone, browser, assistant, pbx, messenger; several with commas"`
	Number     string           `query:"number" maxLength:"60" doc:"A number as people write it, its id, or at least its last four digits"`
	Tag        string           `query:"tag" maxLength:"200" doc:"Calls with this tag alone"`
	MinSeconds int              `query:"min_seconds" minimum:"0" doc:"Talk time at least"`
	MaxSeconds int              `query:"max_seconds" minimum:"0" doc:"Talk time at most; 0 for no bound"`
	HourFrom   int              `query:"hour_from" minimum:"0" maximum:"24" doc:"Calls that start at or after this local hour"`
	HourTo     int              `query:"hour_to" minimum:"0" maximum:"24" doc:"Calls that start before this local hour"`
	Excluded   bool             `query:"excluded" doc:"Count numbers that are hidden from reports, too"`
}

func (a *Ask) ask() report.Ask {
	return report.Ask{
		From: a.From, To: a.To, Through: a.Through, Preset: a.Preset, Team: a.Team, Agent: string(a.Agent), Line: a.Line,
		Types: lower(a.Types), Outcomes: lower(a.Outcomes), Sources: lower(a.Sources), Number: a.Number, Tag: a.Tag,
		MinSeconds: a.MinSeconds, MaxSeconds: a.MaxSeconds, HourFrom: a.HourFrom, HourTo: a.HourTo, Excluded: a.Excluded,
	}
}

func lower(words []string) []string {
	var out []string
	for _, w := range words {
		if w = strings.ToLower(strings.TrimSpace(w)); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// view settles what is asked for: whose calls, which days, which filter.
func (s *API) view(ctx context.Context, a *Ask, also ...account.Permission) (*report.View, error) {
	return s.Reports.View(ctx, actorOf(ctx), a.ask(), also...)
}
