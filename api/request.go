package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/account"
	"parley/trust/rights"
)

const tagRequests = "Requests of people"

// PersonRequest is what a person asked about their own data.
type PersonRequest struct {
	ID         string           `json:"id"`
	Kind       rights.Kind      `json:"kind" enum:"access,portability,correction,erasure,restriction,objection,withdrawal,complaint"`
	Channel    rights.Channel   `json:"channel" enum:"page,mail,phone,api,member"`
	State      rights.State     `json:"state" enum:"received,verifying,verified,planned,approved,running,waiting,locked,done,refused"`
	Reason     rights.Reason    `json:"reason,omitempty" doc:"Why it was refused"`
	Proof      rights.Proof     `json:"proof,omitempty" doc:"How the person proved who they are: session, code or human; absent before. Nothing is looked up before."`
	Contact    string           `json:"contact,omitempty" doc:"E-mail address or phone number; absent once it was forgotten"`
	Name       string           `json:"name,omitempty"`
	Text       string           `json:"text,omitempty"`
	Purposes   []string         `json:"purposes,omitempty"`
	Place      string           `json:"place,omitempty"`
	Minor      bool             `json:"minor" doc:"About a child"`
	Known      bool             `json:"known" doc:"Something may be kept about the person; false before the proof"`
	Clock      string           `json:"clock" doc:"Whose time runs: a law, policy or strictest"`
	ReceivedAt *time.Time       `json:"received_at"`
	DueAt      *time.Time       `json:"due_at"`
	Overdue    bool             `json:"overdue"`
	RunAfter   *time.Time       `json:"run_after,omitempty" doc:"It is not carried out before"`
	ClosedAt   *time.Time       `json:"closed_at,omitempty"`
	Plan       *RequestPlan     `json:"plan,omitempty"`
	PlanHash   string           `json:"plan_hash,omitempty" doc:"What is approved"`
	Recipients []RequestOutcome `json:"recipients,omitempty" doc:"Only of a single request"`
}

// RequestPlan says what carrying a request out will do.
type RequestPlan struct {
	Policy     int           `json:"policy" doc:"Version of the privacy policy"`
	Lines      []RequestLine `json:"lines" doc:"What is kept about the person"`
	Locks      []RequestLock `json:"locks,omitempty" doc:"What a law keeps for a while"`
	Holds      []RequestHold `json:"holds,omitempty" doc:"Legal holds that stop it"`
	Recipients []string      `json:"recipients,omitempty" doc:"Who will be told"`
	Others     []string      `json:"others,omitempty" doc:"Other open erasures of the same person"`
	MadeAt     *time.Time    `json:"made_at"`
}

// RequestLine is one thing that is kept about a person.
type RequestLine struct {
	Store    string       `json:"store"`
	Thing    rights.Thing `json:"thing" enum:"rows,keys,indexes,blobs,devices"`
	Name     string       `json:"name"`
	Category string       `json:"category,omitempty" doc:"Key of the privacy policy"`
	Count    int64        `json:"count"`
}

// RequestLock is what a law keeps.
type RequestLock struct {
	Category string     `json:"category"`
	Until    *time.Time `json:"until"`
	Law      string     `json:"law"`
}

// RequestHold is a legal hold over some of it.
type RequestHold struct {
	Hold     string `json:"hold"`
	Category string `json:"category"`
}

// RequestOutcome is what came of telling a recipient.
type RequestOutcome struct {
	Recipient  string        `json:"recipient"`
	ToldAt     *time.Time    `json:"told_at,omitempty"`
	Answer     rights.Answer `json:"answer,omitempty"`
	AnsweredAt *time.Time    `json:"answered_at,omitempty"`
}

// NewRequest is a request that came in another way than by the public page.
type NewRequest struct {
	Kind       string     `json:"kind" enum:"access,portability,correction,erasure,restriction,objection,withdrawal,complaint"`
	Channel    string     `json:"channel,omitempty" enum:"api,mail,phone" default:"api"`
	Contact    string     `json:"contact,omitempty" maxLength:"254" doc:"E-mail address or phone number that it is about; only a complaint may have none"`
	Name       string     `json:"name,omitempty" maxLength:"100"`
	Text       string     `json:"text,omitempty" maxLength:"5000"`
	Place      string     `json:"place,omitempty" maxLength:"6" doc:"Where the person lives, such as IN or US-CA; left out, the strictest law counts"`
	Purposes   []string   `json:"purposes,omitempty" maxItems:"20" doc:"Of an objection or a withdrawal; left out: all that can be objected to"`
	Minor      bool       `json:"minor,omitempty"`
	ReceivedAt *time.Time `json:"received_at,omitempty" doc:"When it was received; now if left out"`
}

// RequestPath names a request.
type RequestPath struct {
	Request string `path:"request"`
}

// RequestText is a text about a request.
type RequestText struct {
	Text string `json:"text" minLength:"1" maxLength:"5000"`
}

// RequestRefusal turns a request down.
type RequestRefusal struct {
	Reason   string `json:"reason" enum:"unverified,no_data,unfounded,duplicate,legal_duty,others,undone,answered"`
	Sentence string `json:"sentence" minLength:"1" maxLength:"5000" doc:"Why, for the person"`
}

// RequestApproval approves a plan.
type RequestApproval struct {
	PlanHash string `json:"plan_hash" minLength:"1" maxLength:"64" doc:"Of the plan that was looked at"`
}

// RequestCorrection says what a correction is to write.
type RequestCorrection struct {
	Field string `json:"field" enum:"contact.name,member.name"`
	Value string `json:"value" maxLength:"5000"`
}

// RequestAnswer is what a recipient answered.
type RequestAnswer struct {
	Recipient string `json:"recipient" minLength:"1" maxLength:"100"`
	Answer    string `json:"answer" enum:"done,refused"`
}

// requestWithText is a deed on a request that takes a text.
type requestWithText struct {
	RequestPath
	Body RequestText
}

func (s *API) requests() {
	needs := account.AnswerRequests
	handle(s, does(http.MethodGet, "/requests", "list-requests", needs, tagRequests, "List requests of people").
		saying("Open ones by the day on which they are due, closed ones latest first."), s.listRequests)
	handle(s, does(http.MethodPost, "/requests", "add-request", needs, tagRequests, "Enter a request").
		saying("Its clock runs from when it was received. A person with an e-mail address gets the link to the page of their request, where a code proves who they are.").giving(http.StatusCreated), s.addRequest)
	handle(s, does(http.MethodGet, "/requests/{request}", "get-request", needs, tagRequests, "One request"), s.getRequest)
	handle(s, does(http.MethodPost, "/requests/{request}/plan", "plan-request", needs, tagRequests, "Plan a request anew").
		saying("What is kept about the person, and what stands in the way."), s.requestDeed(s.Rights.MakePlan))
	handle(s, does(http.MethodPost, "/requests/{request}/run", "run-request", needs, tagRequests, "Carry out an approved request").
		saying("Refused when what is kept has changed since the approval, or a legal hold covers it."), s.requestDeed(s.Rights.Run))
	handle(s, does(http.MethodPost, "/requests/{request}/review", "review-request", needs, tagRequests, "Say what evidence proved who asks").
		saying("Only a hash of the text is kept. Somebody else has to approve the plan."), s.requestText(s.Rights.Review))
	handle(s, does(http.MethodPost, "/requests/{request}/note", "note-request", needs, tagRequests, "Add a remark to the history"), s.requestText(s.Rights.Note))
	handle(s, does(http.MethodPost, "/requests/{request}/extend", "extend-request", needs, tagRequests, "Take the longer time that the law allows").
		saying("The text tells the person why."), s.requestText(s.Rights.Extend))
	handle(s, does(http.MethodPost, "/requests/{request}/answer", "answer-request", needs, tagRequests, "Answer a complaint"), s.requestText(s.Rights.Answer))
	handle(s, does(http.MethodPost, "/requests/{request}/lift", "lift-request", needs, tagRequests, "End a restriction or an objection"), s.requestText(s.Rights.Lift))
	s.requestDecisions(needs)
	pack := does(http.MethodGet, "/requests/{request}/package", "get-request-package", needs, tagRequests, "The package of an access request").
		saying("A ZIP with a signed manifest, which \"parley rights verify\" checks anywhere. Hand it to nobody but the person.")
	pack.files = []string{"application/zip"}
	handle(s, pack, s.requestPackage)
	handle(s, does(http.MethodGet, "/requests/{request}/receipts", "get-request-receipts", needs, tagRequests, "The signed receipts of a request").
		saying("One each time that it was carried out; \"parley rights verify\" checks each anywhere."), s.requestReceipts)
}

// requestDecisions are the deeds that take more than a text.
func (s *API) requestDecisions(needs account.Permission) {
	handle(s, does(http.MethodPost, "/requests/{request}/approve", "approve-request", needs, tagRequests, "Approve the plan of a request"),
		func(ctx context.Context, in *struct {
			RequestPath
			Body RequestApproval
		}) (*body[PersonRequest], error) {
			return s.requestAnswer(ctx)(s.Rights.Approve(ctx, actorOf(ctx), in.Request, in.Body.PlanHash))
		})
	handle(s, does(http.MethodPost, "/requests/{request}/refuse", "refuse-request", needs, tagRequests, "Turn a request down"),
		func(ctx context.Context, in *struct {
			RequestPath
			Body RequestRefusal
		}) (*body[PersonRequest], error) {
			return s.requestAnswer(ctx)(s.Rights.Refuse(ctx, actorOf(ctx), in.Request, rights.Reason(in.Body.Reason), in.Body.Sentence))
		})
	handle(s, does(http.MethodPost, "/requests/{request}/correction", "correct-request", needs, tagRequests, "Say what a correction is to write").
		saying("It is written when the plan was approved and is carried out."),
		func(ctx context.Context, in *struct {
			RequestPath
			Body RequestCorrection
		}) (*body[PersonRequest], error) {
			return s.requestAnswer(ctx)(s.Rights.Propose(ctx, actorOf(ctx), in.Request, in.Body.Field, in.Body.Value))
		})
	handle(s, does(http.MethodPost, "/requests/{request}/recipients", "hear-recipient", needs, tagRequests, "Note what a recipient answered"),
		func(ctx context.Context, in *struct {
			RequestPath
			Body RequestAnswer
		}) (*body[PersonRequest], error) {
			return s.requestAnswer(ctx)(s.Rights.Hear(ctx, actorOf(ctx), in.Request, in.Body.Recipient, rights.Answer(in.Body.Answer)))
		})
}

// requestDeed is a handler of a deed that takes nothing.
func (s *API) requestDeed(do func(context.Context, *account.Actor, string) (*rights.Request, error)) func(context.Context, *RequestPath) (*body[PersonRequest], error) {
	return func(ctx context.Context, in *RequestPath) (*body[PersonRequest], error) {
		return s.requestAnswer(ctx)(do(ctx, actorOf(ctx), in.Request))
	}
}

// requestText is a handler of a deed that takes a text.
func (s *API) requestText(do func(context.Context, *account.Actor, string, string) (*rights.Request, error)) func(context.Context, *requestWithText) (*body[PersonRequest], error) {
	return func(ctx context.Context, in *requestWithText) (*body[PersonRequest], error) {
		return s.requestAnswer(ctx)(do(ctx, actorOf(ctx), in.Request, in.Body.Text))
	}
}

func (s *API) requestAnswer(ctx context.Context) func(*rights.Request, error) (*body[PersonRequest], error) {
	return func(q *rights.Request, err error) (*body[PersonRequest], error) {
		if err != nil {
			return nil, err
		}
		return answerOf(s.requestOf(callerOf(ctx).org, q)), nil
	}
}

func (s *API) requestOf(org *account.Org, q *rights.Request) PersonRequest {
	out := PersonRequest{ID: q.ID, Kind: q.Kind, Channel: q.Channel, State: q.State, Reason: q.Reason, Proof: q.Proof, Contact: q.Contact.Email + q.Contact.Number, Name: q.Contact.Name, Text: q.Text,
		Purposes: q.Purposes, Place: q.Place, Minor: q.Minor, Known: q.Known(), Clock: q.Law, ReceivedAt: at(org, q.Received), DueAt: at(org, q.Due), Overdue: q.Overdue(s.Now()),
		RunAfter: at(org, q.RunAfter), ClosedAt: at(org, q.Closed)}
	if q.Plan != nil {
		out.Plan, out.PlanHash = requestPlanOf(org, q.Plan), q.Plan.Hash()
	}
	return out
}

func requestPlanOf(org *account.Org, p *rights.Plan) *RequestPlan {
	out := &RequestPlan{Policy: p.Policy, Lines: []RequestLine{}, Recipients: p.Recipients, Others: p.Others, MadeAt: at(org, p.Made)}
	for _, l := range p.Lines {
		out.Lines = append(out.Lines, RequestLine{l.Store, l.Thing, l.Name, l.Category, l.Count})
	}
	for _, l := range p.Locks {
		out.Locks = append(out.Locks, RequestLock{l.Category, at(org, l.Until), l.Law})
	}
	for _, h := range p.Holds {
		out.Holds = append(out.Holds, RequestHold{h.Hold, h.Category})
	}
	return out
}

func (s *API) listRequests(ctx context.Context, in *struct {
	Paging
	Closed  bool   `query:"closed" doc:"Those that were answered or refused"`
	Overdue bool   `query:"overdue" doc:"Only those whose answer is late"`
	Kind    string `query:"kind" enum:"access,portability,correction,erasure,restriction,objection,withdrawal,complaint"`
}) (*body[Page[PersonRequest]], error) {
	all, err := s.Rights.List(ctx, actorOf(ctx), rights.Queue{Closed: in.Closed, Overdue: in.Overdue, Kind: rights.Kind(in.Kind), Limit: 500})
	if err != nil {
		return nil, err
	}
	out := make([]PersonRequest, len(all))
	for i, q := range all {
		out[i] = s.requestOf(callerOf(ctx).org, q)
	}
	return pageOf(out, in.Paging, func(q PersonRequest) string { return q.ID })
}

func (s *API) addRequest(ctx context.Context, in *struct{ Body NewRequest }) (*body[PersonRequest], error) {
	org := callerOf(ctx).org
	a := rights.Ask{Kind: rights.Kind(in.Body.Kind), Channel: rights.Channel(in.Body.Channel), Contact: in.Body.Contact, Name: in.Body.Name, Text: in.Body.Text, Place: in.Body.Place,
		Locale: org.Locale, Purposes: in.Body.Purposes, Minor: in.Body.Minor}
	if in.Body.ReceivedAt != nil {
		a.Received = *in.Body.ReceivedAt
	}
	return s.requestAnswer(ctx)(s.Rights.Take(ctx, actorOf(ctx), a))
}

func (s *API) getRequest(ctx context.Context, in *RequestPath) (*body[PersonRequest], error) {
	org := callerOf(ctx).org
	q, err := s.Rights.One(ctx, actorOf(ctx), in.Request)
	if err != nil {
		return nil, err
	}
	out := s.requestOf(org, q)
	all, err := s.Rights.Recipients(ctx, org.ID, q.ID)
	for _, o := range all {
		out.Recipients = append(out.Recipients, RequestOutcome{o.Recipient, at(org, o.Told), o.Answer, at(org, o.Answered)})
	}
	return answerOf(out), err
}

// RequestReceipts are signed receipts.
type RequestReceipts struct {
	Receipts []json.RawMessage `json:"receipts" doc:"Oldest first"`
}

func (s *API) requestReceipts(ctx context.Context, in *RequestPath) (*body[RequestReceipts], error) {
	q, err := s.Rights.One(ctx, actorOf(ctx), in.Request)
	if err != nil {
		return nil, err
	}
	all, err := s.Rights.Receipts(ctx, q.Org, q.ID)
	out := RequestReceipts{Receipts: []json.RawMessage{}}
	for _, text := range all {
		out.Receipts = append(out.Receipts, text)
	}
	return answerOf(out), err
}

func (s *API) requestPackage(ctx context.Context, in *RequestPath) (*huma.StreamResponse, error) {
	from, q, err := s.Rights.FetchFor(ctx, actorOf(ctx), in.Request)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": rights.PackageName(q.ID)}))
		_, err := io.Copy(w, from)
		if err = errors.Join(err, from.Close()); err != nil {
			if ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "api package broke off", "error", err)
			}
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
