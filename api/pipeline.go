package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/crm/attach"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
)

// Stage is a step of a pipeline.
type Stage struct {
	Key         string `json:"key,omitempty" doc:"Left out of a new one"`
	Title       string `json:"title" minLength:"1" maxLength:"80"`
	Probability int    `json:"probability" minimum:"0" maximum:"100" doc:"How likely a lead at this stage is won, in per cent"`
	Gone        bool   `json:"gone,omitempty" doc:"Taken out; leads do not come here any more"`
}

// Pipeline is the way that leads of one kind go.
type Pipeline struct {
	Key        string  `json:"key,omitempty" doc:"Left out of a new one"`
	Rev        int64   `json:"rev" doc:"The one that you saw"`
	Title      string  `json:"title" minLength:"1" maxLength:"80"`
	Place      int     `json:"place"`
	Currency   string  `json:"currency,omitempty" maxLength:"3" doc:"Of leads whose currency nobody says; absent: the country's"`
	WinReason  bool    `json:"win_reason" doc:"A lead is not won without a reason"`
	LoseReason bool    `json:"lose_reason" doc:"A lead is not lost without a reason"`
	Archived   bool    `json:"archived" doc:"Takes no new leads"`
	Stages     []Stage `json:"stages" nullable:"false" minItems:"1" maxItems:"50" doc:"In order. Those that are left out of a change are taken out, unless open leads stand there"`
	Attempted  string  `json:"moves_at_attempt,omitempty" doc:"The stage to which the first attempt to call moves a lead on"`
	Connected  string  `json:"moves_at_connected,omitempty" doc:"The stage to which the first connected call moves a lead on"`
}

// LeadReason is why leads are won or lost.
type LeadReason struct {
	Key   string `json:"key,omitempty" doc:"Left out of a new one"`
	Title string `json:"title" minLength:"1" maxLength:"80"`
	State string `json:"state" enum:"won,lost"`
	Gone  bool   `json:"gone,omitempty" doc:"Not offered any more"`
}

// LeadReasons are all reasons that are offered.
type LeadReasons struct {
	Items []LeadReason `json:"items" nullable:"false" maxItems:"200"`
}

// LeadLine says that a line makes leads of unknown callers.
type LeadLine struct {
	Line       device.LineID `json:"line"`
	Incoming   bool          `json:"incoming" doc:"Calls that come in make leads"`
	Outgoing   bool          `json:"outgoing" doc:"Calls that go out do, too"`
	MinSeconds int           `json:"min_seconds,omitempty" minimum:"0" maximum:"3600" doc:"Of talk; 0 takes missed calls, too"`
	Pipeline   string        `json:"pipeline,omitempty" doc:"Absent: the first"`
	Source     string        `json:"source,omitempty" maxLength:"200" doc:"Of the leads"`
}

func (s *API) pipelines() {
	handle(s, does(http.MethodGet, "/pipelines", "list-pipelines", account.ReadLeads, tagLeads, "Pipelines with their stages"), s.listPipelines)
	handle(s, does(http.MethodPut, "/pipelines", "save-pipeline", account.ManagePipelines, tagLeads, "Change a pipeline, or make one").
		saying("The whole pipeline; one without a key is new. Calls can move leads on by themselves, and never back."), s.savePipeline)
	handle(s, does(http.MethodGet, "/lead-reasons", "list-lead-reasons", account.ReadLeads, tagLeads, "Why leads are won and lost"),
		func(ctx context.Context, _ *struct{}) (*body[LeadReasons], error) {
			all, err := s.Leads.Reasons(ctx, s.DB, callerOf(ctx).org.ID)
			return reasonsAnswer(all, err)
		})
	handle(s, does(http.MethodPut, "/lead-reasons", "save-lead-reasons", account.ManagePipelines, tagLeads, "Say why leads are won and lost").
		saying("All of them; those that are left out are not offered any more."), s.saveReasons)
	handle(s, does(http.MethodGet, "/lead-lines", "list-lead-lines", account.ReadLeads, tagLeads, "Lines that make leads of unknown callers"), s.listLeadLines)
	handle(s, does(http.MethodPut, "/lead-lines", "save-lead-line", account.ManagePipelines, tagLeads, "Have a line make leads of unknown callers").
		saying("From now on. One that takes neither direction makes none any more.").giving(http.StatusNoContent), s.saveLeadLine)
}

func stageOf(s lead.Stage) Stage {
	return Stage{Key: s.Key, Title: s.Title, Probability: s.Probability, Gone: s.Gone}
}

func pipelineOf(p *lead.Pipeline, r attach.StageRule) Pipeline {
	out := Pipeline{Key: p.Key, Rev: p.Rev, Title: p.Title, Place: p.Place, Currency: p.Currency, WinReason: p.WinReason, LoseReason: p.LoseReason, Archived: p.Archived, Attempted: r.Attempted, Connected: r.Connected}
	for _, st := range p.Stages {
		out.Stages = append(out.Stages, stageOf(st))
	}
	return out
}

func (s *API) listPipelines(ctx context.Context, _ *struct{}) (*body[Page[Pipeline]], error) {
	org := callerOf(ctx).org.ID
	all, err := s.Leads.Pipelines(ctx, s.DB, org)
	if err != nil {
		return nil, err
	}
	rules, err := s.Attach.StageRules(ctx, s.DB, org)
	out := Page[Pipeline]{Items: []Pipeline{}}
	for _, p := range all {
		out.Items = append(out.Items, pipelineOf(p, rules[p.Key]))
	}
	return answerOf(out), err
}

func (s *API) savePipeline(ctx context.Context, in *struct{ Body Pipeline }) (*body[Pipeline], error) {
	b := in.Body
	p := lead.Pipeline{Key: b.Key, Rev: b.Rev, Title: b.Title, Place: b.Place, Currency: b.Currency, WinReason: b.WinReason, LoseReason: b.LoseReason, Archived: b.Archived}
	for _, st := range b.Stages {
		p.Stages = append(p.Stages, lead.Stage{Key: st.Key, Title: st.Title, Probability: st.Probability, Gone: st.Gone})
	}
	r := attach.StageRule{Attempted: b.Attempted, Connected: b.Connected}
	var kept *lead.Pipeline
	if err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if kept, err = s.Leads.SavePipeline(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, p); err != nil {
			return err
		}
		rules, err := s.Attach.StageRules(ctx, tx, callerOf(ctx).org.ID)
		if err != nil || rules[kept.Key] == r {
			return err
		}
		return s.Attach.SetStageRule(ctx, tx, actorOf(ctx), kept.Key, r)
	}); err != nil {
		return nil, err
	}
	return answerOf(pipelineOf(kept, r)), nil
}

func reasonsAnswer(all []lead.Reason, err error) (*body[LeadReasons], error) {
	out := LeadReasons{Items: []LeadReason{}}
	for _, r := range all {
		out.Items = append(out.Items, LeadReason{Key: r.Key, Title: r.Title, State: r.State.String(), Gone: r.Gone})
	}
	return answerOf(out), err
}

func (s *API) saveReasons(ctx context.Context, in *struct{ Body LeadReasons }) (*body[LeadReasons], error) {
	var all []lead.Reason
	for _, r := range in.Body.Items {
		st, err := lead.ParseState(r.State)
		if err != nil {
			return nil, err
		}
		all = append(all, lead.Reason{Key: r.Key, Title: r.Title, State: st, Gone: r.Gone})
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		all, err = s.Leads.SaveReasons(ctx, tx, callerOf(ctx).org, all)
		return err
	})
	return reasonsAnswer(all, err)
}

func (s *API) listLeadLines(ctx context.Context, _ *struct{}) (*body[Page[LeadLine]], error) {
	lines, err := s.linesByNo(ctx, callerOf(ctx).org)
	if err != nil {
		return nil, err
	}
	all, err := s.Attach.LeadLines(ctx, s.DB, callerOf(ctx).org.ID)
	out := Page[LeadLine]{Items: []LeadLine{}}
	for _, l := range all {
		out.Items = append(out.Items, LeadLine{Line: lines[l.Line], Incoming: l.Incoming, Outgoing: l.Outgoing, MinSeconds: int(l.Min.Seconds()), Pipeline: l.Pipeline, Source: l.Source})
	}
	return answerOf(out), err
}

func (s *API) saveLeadLine(ctx context.Context, in *struct{ Body LeadLine }) (*struct{}, error) {
	b := in.Body
	lines, err := s.linesByNo(ctx, callerOf(ctx).org)
	if err != nil {
		return nil, err
	}
	no, ok := lineNo(lines, b.Line)
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no line %.80q.", b.Line)
	}
	return nil, s.Attach.SetLeadLine(ctx, actorOf(ctx), attach.LeadLine{Line: no, Incoming: b.Incoming, Outgoing: b.Outgoing, Min: time.Duration(b.MinSeconds) * time.Second, Pipeline: b.Pipeline, Source: b.Source})
}
