package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/trust/consent"
)

// Happened is one thing of a timeline. Of the objects, the one of its kind is there.
type Happened struct {
	Kind   timeline.Kind    `json:"kind" enum:"call,note,follow_up,change,consent,message,request,file,origin"`
	At     *time.Time       `json:"at"`
	ID     string           `json:"id" doc:"Of the call, note, follow-up, lead, contact, consent, message, request or file"`
	By     account.MemberID `json:"by,omitempty" doc:"Who did it; absent: the person, the program or, of a call, its agent"`
	Source string           `json:"source" doc:"Where it is known from: phone, pbx, browser, notes, follow-ups, contact, lead, ledger, mail, request, files, import, …"`

	Call     *Call          `json:"call,omitempty"`
	Note     *ContactNote   `json:"note,omitempty"`
	FollowUp *FollowUp      `json:"follow_up,omitempty"`
	Step     string         `json:"step,omitempty" doc:"What was done with the follow-up"`
	Changes  []FieldChange  `json:"changes,omitempty" doc:"Of the contact, or of one of its leads"`
	Consent  *ConsentChange `json:"consent,omitempty"`
	Message  *Letter        `json:"message,omitempty"`
	Request  string         `json:"request,omitempty" doc:"The kind of the request under a law"`
	File     *ContactFile   `json:"file,omitempty"`
	Origin   string         `json:"origin,omitempty" doc:"How the contact came here: manual, import, call, phone or api"`
}

// FieldChange is one field that was changed.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty" doc:"Moments in Unix milliseconds, values as 150000 INR in the minor unit, stages as pipeline/stage, lists as JSON"`
	To    string `json:"to,omitempty"`
	Why   string `json:"why,omitempty"`
}

// ConsentChange is what somebody said about a purpose.
type ConsentChange struct {
	State   consent.State   `json:"state"`
	Purpose string          `json:"purpose"`
	Channel consent.Channel `json:"channel,omitempty"`
}

// Letter is a message that went, or is to go, to the person.
type Letter struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	State   string `json:"state"`
}

// TimelinePage is a part of a timeline, newest first.
type TimelinePage struct {
	Items  []Happened `json:"items"`
	Next   string     `json:"next,omitempty" doc:"Send it as cursor for the next page; absent on the last one"`
	Hidden int        `json:"hidden_calls,omitempty" doc:"How many calls of colleagues whose calls you do not see took place within the page"`
}

// TimelineAsk is which part of a timeline is wanted.
type TimelineAsk struct {
	Kinds  []timeline.Kind `query:"kind" doc:"Only these, several with commas: call, note, follow_up, change, consent, message, request, file, origin"`
	Cursor string          `query:"cursor" maxLength:"2000" doc:"The field next of the page before"`
	Limit  int             `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *API) timelines() {
	handle(s, does(http.MethodGet, "/contacts/{contact}/timeline", "get-contact-timeline", account.ReadLeads, tagContacts, "Everything that happened with a contact").
		saying("Calls, notes, follow-ups, changes of the contact and its leads, consents, messages, requests, files and how they came here, the newest first. A page costs the same however far back it lies."),
		func(ctx context.Context, in *struct {
			ContactPath
			TimelineAsk
		}) (*body[TimelinePage], error) {
			c, err := s.theContact(ctx, in.Contact)
			if err != nil {
				return nil, err
			}
			return s.timeline(ctx, &in.TimelineAsk, timeline.Query{Contact: c.ID})
		})
	handle(s, does(http.MethodGet, "/numbers/{number}/timeline", "get-number-timeline", account.ReadCalls, tagContacts, "Everything that happened with a number").
		saying("Of somebody who is no contact."),
		func(ctx context.Context, in *struct {
			Number number.Key `path:"number"`
			TimelineAsk
		}) (*body[TimelinePage], error) {
			return s.timeline(ctx, &in.TimelineAsk, timeline.Query{Number: in.Number})
		})
}

func (s *API) timeline(ctx context.Context, in *TimelineAsk, q timeline.Query) (*body[TimelinePage], error) {
	q.Kinds, q.After, q.Limit = in.Kinds, in.Cursor, in.Limit
	page, err := s.Timelines.Timeline(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	d, err := s.dresser(ctx)
	if err != nil {
		return nil, err
	}
	out := TimelinePage{Items: []Happened{}, Next: page.Next, Hidden: page.Hidden}
	for i := range page.Items {
		out.Items = append(out.Items, d.happened(&page.Items[i]))
	}
	return answerOf(out), nil
}

// happened is one thing of a timeline as answers give it.
func (d *dresser) happened(i *timeline.Item) Happened {
	out := Happened{Kind: i.Kind, At: at(d.org, i.At), ID: i.ID, By: i.By, Source: i.Source, Step: i.Step, Origin: i.Origin}
	if i.Call != nil {
		out.Call = new(d.call(i.Call))
	}
	if i.Note != nil {
		out.Note = new(noteOf(d.org, i.Note))
	}
	if i.FollowUp != nil {
		out.FollowUp = new(followUpOf(d.org, i.FollowUp))
	}
	for _, e := range i.Contact {
		out.Changes = append(out.Changes, contactChange(&e))
	}
	for _, e := range i.Lead {
		out.Changes = append(out.Changes, leadChange(&e))
	}
	if i.Consent != nil {
		out.Consent = &ConsentChange{State: i.Consent.State, Purpose: i.Consent.Purpose, Channel: i.Consent.Channel}
	}
	if i.Message != nil {
		out.Message = &Letter{To: i.Message.To, Subject: i.Message.Subject, State: i.Message.State}
	}
	if i.Request != nil {
		out.Request = string(i.Request.Kind)
	}
	if i.File != nil {
		out.File = new(fileOf(d.org, i.File))
	}
	return out
}

func contactChange(e *contact.Event) FieldChange {
	return FieldChange{Field: e.Field, From: e.From, To: e.To}
}

func leadChange(e *lead.Event) FieldChange {
	return FieldChange{Field: e.Field, From: e.From, To: e.To, Why: e.Why}
}
