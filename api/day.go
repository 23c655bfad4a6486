package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/fault"
)

// DayItem is one line of somebody's day.
type DayItem struct {
	Reason   followup.Reason   `json:"reason" doc:"Why they come now: promise_broken, missed_waits, answer_due, due, …"`
	Also     []followup.Reason `json:"also,omitempty" doc:"Further reasons to call the same person"`
	At       *time.Time        `json:"at"`
	AllDay   bool              `json:"all_day,omitempty"`
	Calls    int               `json:"calls,omitempty" doc:"Of a missed caller: how often they called"`
	Left     *int64            `json:"left_seconds,omitempty" doc:"Working time until it should be done, negative when that is over; of missed callers and new leads"`
	Score    int               `json:"score"`
	Points   []DayPoints       `json:"points" doc:"What the score is made of"`
	Contact  contact.ID        `json:"contact,omitempty"`
	Lead     lead.ID           `json:"lead,omitempty"`
	FollowUp *FollowUp         `json:"follow_up,omitempty"`
	Name     string            `json:"name,omitempty"`
	Company  string            `json:"company,omitempty"`
	Number   string            `json:"number,omitempty" doc:"To be dialled; absent when it may not be told"`
	Stopped  string            `json:"stopped,omitempty" doc:"Why they are not to be called: suppressed, restricted, …"`
}

// DayPoints is a part of a score.
type DayPoints struct {
	For    string `json:"for"`
	Points int    `json:"points"`
	Figure int64  `json:"figure" doc:"Minutes, hours or days behind it"`
}

// Notice tells a member of something.
type Notice struct {
	ID   string              `json:"id"`
	Kind followup.NoticeKind `json:"kind" enum:"reminder,given,escalation"`
	Link string              `json:"link" doc:"The page that shows it"`
	At   *time.Time          `json:"at"`
}

// SeenNotices are notices that were seen.
type SeenNotices struct {
	IDs []string `json:"ids,omitempty" maxItems:"500" doc:"Left out: all"`
}

// CalendarLink is where a calendar program finds what a member is to do.
type CalendarLink struct {
	Path string `json:"path" doc:"Behind the address of the server. Whoever has it reads the calendar"`
}

// FollowUpSettings say how an organisation works with leads.
type FollowUpSettings struct {
	Rev            int64         `json:"rev"`
	Outcomes       []CallOutcome `json:"outcomes"`
	AfterConnected bool          `json:"outcome_after_connected" doc:"What a connected call with an open lead came to must be said"`
	AfterTried     bool          `json:"outcome_after_tried" doc:"The same of a call that tried to reach them in vain"`
	Reminders      []int         `json:"reminders" doc:"Minutes before, of follow-ups that do not say others"`
	Mail           bool          `json:"mail" doc:"Reminders go out by mail, too"`
	Escalate       int           `json:"escalate_hours" doc:"Working hours until a manager hears of an overdue follow-up; 0: never"`
	Recovery       int           `json:"recovery_minutes" doc:"Working minutes within which a missed caller is to be called back"`
	Response       int           `json:"response_minutes" doc:"Working minutes within which a new lead is to be answered"`
	Stale          int           `json:"stale_days" doc:"Days without a touch after which an open lead is stale"`
	Details        bool          `json:"calendar_details" doc:"Calendars that members subscribe to carry names, numbers and words"`
}

// CallOutcome is something that a call can have come to.
type CallOutcome struct {
	Key     string `json:"key" maxLength:"40" doc:"Lower-case letters, digits and underscores"`
	Title   string `json:"title" maxLength:"80"`
	Next    bool   `json:"next" doc:"A next step must be agreed"`
	Retired bool   `json:"retired,omitempty" doc:"Cannot be chosen any more"`
}

// FollowUpSettingsChange changes them. What is left out stays.
type FollowUpSettingsChange struct {
	Rev            int64          `json:"rev" minimum:"0" doc:"The rev that you saw"`
	Outcomes       *[]CallOutcome `json:"outcomes,omitempty" maxItems:"50" doc:"All that can be chosen from now on; the others are retired"`
	AfterConnected *bool          `json:"outcome_after_connected,omitempty" doc:"Counts from now on: nothing is owed for earlier calls"`
	AfterTried     *bool          `json:"outcome_after_tried,omitempty"`
	Reminders      *[]int         `json:"reminders,omitempty" maxItems:"5"`
	Mail           *bool          `json:"mail,omitempty"`
	Escalate       *int           `json:"escalate_hours,omitempty" minimum:"0"`
	Recovery       *int           `json:"recovery_minutes,omitempty" minimum:"1"`
	Response       *int           `json:"response_minutes,omitempty" minimum:"1"`
	Stale          *int           `json:"stale_days,omitempty" minimum:"1"`
	Details        *bool          `json:"calendar_details,omitempty"`
}

// WaitingCaller is a missed caller who waits to be called back, whatever line and colleague they reached nobody at.
type WaitingCaller struct {
	Person  Person           `json:"person"`
	Contact contact.ID       `json:"contact,omitempty"`
	Lead    lead.ID          `json:"lead,omitempty"`
	Owner   account.MemberID `json:"owner,omitempty" doc:"Whose contact it is"`
	Target  int64            `json:"target_seconds" doc:"Working time within which to call back"`
	Left    int64            `json:"left_seconds" doc:"What is left of it; negative when it is over"`
}

// CallOutcomeText is what somebody says of a call.
type CallOutcomeText struct {
	Outcome string       `json:"outcome" doc:"A key of the follow-up settings; empty takes back what was said"`
	Note    *string      `json:"note,omitempty" maxLength:"10000"`
	Next    *NewFollowUp `json:"next,omitempty" doc:"The next step, planned with whom the call was with"`
	NextID  followup.ID  `json:"next_id,omitempty" doc:"Or a follow-up that there is"`
	NoNext  bool         `json:"no_next,omitempty" doc:"Or: no next step is needed"`
}

// CallMatch is whom a call belongs to.
type CallMatch struct {
	Contact contact.ID  `json:"contact,omitempty"`
	Lead    lead.ID     `json:"lead,omitempty"`
	Rule    attach.Rule `json:"rule" enum:"no_contact,only_one,agents_lead,open_lead,agents_own,last_touched" doc:"Which rule decided, where several contacts have the number"`
	Outcome string      `json:"outcome,omitempty" doc:"What was said that the call came to"`
	Next    string      `json:"next,omitempty" doc:"The next step: a follow-up, or none"`
}

func (s *API) days() {
	handle(s, does(http.MethodGet, "/my-day", "get-my-day", account.ReadLeads, tagFollowUps, "What you are to do next").
		saying("The most urgent first: broken promises, missed callers, new leads without an answer, what is due, leads that nobody called yet, and stale ones. A person comes once."), s.myDay)
	handle(s, does(http.MethodGet, "/notices", "list-notices", account.ReadLeads, tagFollowUps, "What you have not seen yet"), s.listNotices)
	handle(s, does(http.MethodPost, "/notices/seen", "see-notices", account.WriteLeads, tagFollowUps, "Note that you saw notices").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct{ Body SeenNotices }) (*struct{}, error) {
			return nil, s.FollowUps.See(ctx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, in.Body.IDs...)
		})
	handle(s, does(http.MethodPost, "/calendar-link", "make-calendar-link", account.WriteLeads, tagFollowUps, "Make the secret link to your calendar").
		saying("For a calendar program. An earlier link does not work any more.").giving(http.StatusCreated),
		func(ctx context.Context, _ *struct{}) (*body[CalendarLink], error) {
			secret, err := s.FollowUps.NewFeed(ctx, actorOf(ctx))
			return answerOf(CalendarLink{"/calendar/" + secret}), err
		})
	handle(s, does(http.MethodDelete, "/calendar-link", "drop-calendar-link", account.WriteLeads, tagFollowUps, "Switch your calendar link off").giving(http.StatusNoContent),
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, s.FollowUps.DropFeed(ctx, actorOf(ctx))
		})
	handle(s, does(http.MethodGet, "/follow-up-settings", "get-follow-up-settings", account.ReadLeads, tagFollowUps, "Outcomes, reminders and targets"),
		func(ctx context.Context, _ *struct{}) (*body[FollowUpSettings], error) {
			set, err := s.FollowUps.Settings(ctx, s.DB, callerOf(ctx).org.ID)
			return answerOf(settingsOf(&set)), err
		})
	handle(s, does(http.MethodPatch, "/follow-up-settings", "change-follow-up-settings", account.ManagePipelines, tagFollowUps, "Change outcomes, reminders and targets"), s.changeFollowUpSettings)
	handle(s, does(http.MethodGet, "/missed-callers", "list-missed-callers", account.ReadCalls, tagFollowUps, "Missed callers who wait, and how long there is left").
		saying("Of all lines and colleagues, of the last 14 days, the longest wait first. Who was reached by anybody waits no more."), s.waitingCallers)
	handle(s, does(http.MethodGet, "/calls/{call}/match", "get-call-match", account.ReadLeads, tagCalls, "Whom a call belongs to").
		saying("The contact who has the number and their open lead, with the rule that decided where several have it."), s.callMatch)
	handle(s, does(http.MethodPut, "/calls/{call}/outcome", "set-call-outcome", account.WriteCalls, tagCalls, "Say what a call came to").
		saying("With a note and the next step, all or nothing."), s.setOutcome)
}

func (s *API) myDay(ctx context.Context, _ *struct{}) (*body[Page[DayItem]], error) {
	org := callerOf(ctx).org
	all, err := s.FollowUps.MyDay(ctx, org, actorOf(ctx).Member.ID, s.Now())
	if err != nil {
		return nil, err
	}
	out := Page[DayItem]{Items: []DayItem{}}
	var about []contact.ID
	for _, i := range all {
		x := DayItem{Reason: i.Reason, Also: i.Also, At: at(org, i.At), AllDay: i.AllDay, Calls: i.Count, Score: i.Score, Points: []DayPoints{}, Contact: i.Contact, Lead: i.Lead,
			Name: i.Name, Company: i.Company, Number: i.Dial.Text, Stopped: i.Dial.Stopped}
		if i.Reason == followup.MissedWaits || i.Reason == followup.AnswerDue {
			x.Left = new(int64(i.Left / time.Second))
		}
		for _, p := range i.Parts {
			x.Points = append(x.Points, DayPoints{p.For, p.Points, p.N})
		}
		if i.FollowUp != nil {
			x.FollowUp = new(followUpOf(org, i.FollowUp))
		}
		if i.Contact != "" {
			about = append(about, i.Contact)
		}
		concernNumber(ctx, i.Dial.Number)
		out.Items = append(out.Items, x)
	}
	return answerOf(out), s.concernContacts(ctx, about...)
}

func (s *API) listNotices(ctx context.Context, _ *struct{}) (*body[Page[Notice]], error) {
	const most = 200
	org := callerOf(ctx).org
	all, err := s.FollowUps.Unseen(ctx, s.DB, org.ID, actorOf(ctx).Member.ID, most)
	out := Page[Notice]{Items: []Notice{}}
	for _, n := range all {
		out.Items = append(out.Items, Notice{ID: n.ID, Kind: n.Kind, Link: n.Link, At: at(org, n.At)})
	}
	return answerOf(out), err
}

func settingsOf(set *followup.Settings) FollowUpSettings {
	out := FollowUpSettings{Rev: set.Rev, Outcomes: []CallOutcome{}, AfterConnected: !set.AfterConnected.IsZero(), AfterTried: !set.AfterTried.IsZero(), Reminders: listed(set.Reminders), Mail: set.Mail,
		Escalate: set.Escalate, Recovery: set.Recovery, Response: set.Response, Stale: set.Stale, Details: set.Details}
	for _, o := range set.Outcomes {
		out.Outcomes = append(out.Outcomes, CallOutcome(o))
	}
	return out
}

func (s *API) changeFollowUpSettings(ctx context.Context, in *struct{ Body FollowUpSettingsChange }) (*body[FollowUpSettings], error) {
	b := in.Body
	n := followup.NewSettings{AfterConnected: b.AfterConnected, AfterTried: b.AfterTried, Reminders: b.Reminders, Mail: b.Mail, Escalate: b.Escalate, Recovery: b.Recovery, Response: b.Response, Stale: b.Stale, Details: b.Details}
	if b.Outcomes != nil {
		all := make([]followup.Outcome, len(*b.Outcomes))
		for i, o := range *b.Outcomes {
			all[i] = followup.Outcome(o)
		}
		n.Outcomes = &all
	}
	set, err := s.FollowUps.SetSettings(ctx, actorOf(ctx), b.Rev, n)
	if err != nil {
		return nil, err
	}
	return answerOf(settingsOf(&set)), nil
}

func (s *API) waitingCallers(ctx context.Context, _ *struct{}) (*body[Page[WaitingCaller]], error) {
	org := callerOf(ctx).org
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Attach.Recovery(ctx, org, sight, s.Now())
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, org)
	if err != nil {
		return nil, err
	}
	out := Page[WaitingCaller]{Items: []WaitingCaller{}}
	for i := range all {
		w := &all[i]
		concernNumber(ctx, w.Person.ID)
		who := Person{ID: w.Person.Key, Number: w.Person.Number, Name: w.Person.Name, Figures: figuresOf(org, &w.Person, agents)}
		out.Items = append(out.Items, WaitingCaller{Person: who, Contact: w.Contact, Lead: w.Lead, Owner: w.Owner, Target: int64(w.Target / time.Second), Left: int64(w.Left / time.Second)})
	}
	return answerOf(out), nil
}

// callMatch tells whom a call belongs to, as far as the caller sees them.
func (s *API) callMatch(ctx context.Context, in *CallPath) (*body[CallMatch], error) {
	k, err := s.callKey(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org.ID
	m, err := s.Attach.Attach(ctx, s.DB, org, k)
	if err != nil {
		return nil, err
	}
	said, err := call.SaidOf(ctx, s.DB, org, k)
	if err != nil {
		return nil, err
	}
	out := CallMatch{Rule: m.Rule, Outcome: said[k].Outcome, Next: said[k].Next}
	if m.Contact == "" {
		return answerOf(out), nil
	}
	switch _, err := s.theContact(ctx, m.Contact); fault.KindOf(err) {
	case fault.NotFound, fault.Denied:
		return answerOf(out), nil
	default:
		if err != nil {
			return nil, err
		}
	}
	out.Contact, out.Lead = m.Contact, m.Lead
	return answerOf(out), nil
}

func (s *API) setOutcome(ctx context.Context, in *struct {
	CallPath
	Body CallOutcomeText
}) (*body[CallMatch], error) {
	k, err := s.callKey(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	b := in.Body
	n := attach.NewOutcome{Outcome: b.Outcome, Note: b.Note, Next: string(b.NextID)}
	if b.NoNext {
		n.Next = call.NoNext
	}
	if b.Next != nil {
		plan, err := s.planned(ctx, b.Next)
		if err != nil {
			return nil, err
		}
		n.Plan = &plan
	}
	if err := s.Attach.SetOutcome(ctx, actorOf(ctx), k, n); err != nil {
		return nil, err
	}
	return s.callMatch(ctx, &in.CallPath)
}
