package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/person"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/incident"
	"parley/trust/subject"
)

const tagIncidents = "Incidents and authorities"

// Incident is the file of one incident with people's data.
type Incident struct {
	ID         string          `json:"id"`
	Title      string          `json:"title"`
	What       string          `json:"what"`
	State      incident.State  `json:"state" enum:"open,closed"`
	Risk       incident.Risk   `json:"risk" enum:"low,high"`
	Categories []string        `json:"categories"`
	Places     []string        `json:"places" doc:"Whose law applies besides the organisation's own"`
	NoticedAt  *time.Time      `json:"noticed_at" doc:"Clocks count from here"`
	BeganAt    *time.Time      `json:"began_at,omitempty"`
	EndedAt    *time.Time      `json:"ended_at,omitempty"`
	People     *int64          `json:"people,omitempty" doc:"Whom it concerns, when it was last counted"`
	ClosedAt   *time.Time      `json:"closed_at,omitempty"`
	Report     string          `json:"report,omitempty"`
	Clocks     []IncidentClock `json:"clocks,omitempty" doc:"Of one file that was asked for"`
	Steps      []IncidentStep  `json:"steps,omitempty" doc:"Of one file that was asked for"`
}

// IncidentClock is one duty to tell somebody.
type IncidentClock struct {
	Key     string     `json:"key"`
	Whom    string     `json:"whom"`
	Kind    string     `json:"kind" enum:"authority,report,people"`
	Within  string     `json:"within" example:"72 hours"`
	DueAt   *time.Time `json:"due_at"`
	DoneAt  *time.Time `json:"done_at,omitempty"`
	Waived  bool       `json:"waived,omitempty" doc:"Somebody decided that it need not be told"`
	Overdue bool       `json:"overdue"`
	Law     string     `json:"law,omitempty"`
}

// IncidentStep is one thing that was done.
type IncidentStep struct {
	N     int64            `json:"n"`
	Kind  string           `json:"kind"`
	Clock string           `json:"clock,omitempty"`
	By    account.MemberID `json:"by,omitempty"`
	At    *time.Time       `json:"at"`
	Text  string           `json:"text"`
}

// NewIncident opens a file.
type NewIncident struct {
	Title        string             `json:"title" minLength:"1" maxLength:"200"`
	What         string             `json:"what,omitempty" maxLength:"20000"`
	Systems      string             `json:"systems,omitempty" maxLength:"20000"`
	Consequences string             `json:"consequences,omitempty" maxLength:"20000"`
	Advice       string             `json:"advice,omitempty" maxLength:"20000"`
	Categories   []string           `json:"categories,omitempty" maxItems:"50"`
	Places       []string           `json:"places,omitempty" maxItems:"300"`
	Risk         string             `json:"risk,omitempty" enum:"low,high" doc:"high, when it is left out"`
	NoticedAt    *time.Time         `json:"noticed_at,omitempty" doc:"Now, when it is left out"`
	BeganAt      *time.Time         `json:"began_at,omitempty"`
	EndedAt      *time.Time         `json:"ended_at,omitempty"`
	From         string             `json:"from,omitempty" format:"date" doc:"First day of the calls concerned"`
	To           string             `json:"to,omitempty" format:"date" doc:"Last day of the calls concerned"`
	Agents       []account.MemberID `json:"agents,omitempty" maxItems:"10000" doc:"Left out: all"`
	Numbers      []string           `json:"numbers,omitempty" maxItems:"10000" doc:"Left out: all"`
}

// NewStep is something that was done about an incident.
type NewStep struct {
	Kind  string `json:"kind" enum:"note,measure,decision,notice,waived"`
	Clock string `json:"clock,omitempty" doc:"Of a notice or a waiver: which clock stops"`
	Text  string `json:"text" minLength:"1" maxLength:"20000"`
}

// IncidentEnd closes a file.
type IncidentEnd struct {
	Lessons string `json:"lessons" minLength:"1" maxLength:"20000" doc:"What caused it, and what keeps it from happening again"`
}

// AffectedPerson is somebody whom an incident concerns.
type AffectedPerson struct {
	Number  string `json:"number"`
	Country string `json:"country,omitempty"`
	Calls   int64  `json:"calls"`
}

// NoticeDraft is the draft of a notice.
type NoticeDraft struct {
	Text string `json:"text"`
}

// LegalRequest is the file of an authority's request. It is decided by two members on the pages, not by programs.
type LegalRequest struct {
	ID         string     `json:"id"`
	State      string     `json:"state" enum:"open,refused,disclosed,closed"`
	Authority  string     `json:"authority"`
	Law        string     `json:"law"`
	Reference  string     `json:"reference,omitempty"`
	Asked      string     `json:"asked,omitempty"`
	Categories []string   `json:"categories"`
	Persons    []string   `json:"persons" example:"[\"number/17\"]"`
	From       *time.Time `json:"from,omitempty"`
	To         *time.Time `json:"to,omitempty"`
	ReceivedAt *time.Time `json:"received_at"`
	DueAt      *time.Time `json:"due_at,omitempty"`
	Barred     bool       `json:"barred" doc:"The persons must not be told"`
	Approvals  int        `json:"approvals" doc:"Two are needed"`
	NoticeDue  bool       `json:"notice_due" doc:"The persons are to be told now"`
	SHA256     string     `json:"package_sha256,omitempty"`
}

// NewLegalRequest opens a file.
type NewLegalRequest struct {
	Authority   string             `json:"authority" minLength:"1" maxLength:"2000"`
	Law         string             `json:"law" minLength:"1" maxLength:"2000"`
	Reference   string             `json:"reference,omitempty" maxLength:"2000"`
	Asked       string             `json:"asked,omitempty" maxLength:"20000"`
	Numbers     []string           `json:"numbers,omitempty" maxItems:"1000"`
	Members     []account.MemberID `json:"members,omitempty" maxItems:"1000"`
	Categories  []string           `json:"categories" minItems:"1" maxItems:"50"`
	From        *time.Time         `json:"from,omitempty"`
	To          *time.Time         `json:"to,omitempty" doc:"Not within it"`
	ReceivedAt  *time.Time         `json:"received_at,omitempty"`
	DueAt       *time.Time         `json:"due_at,omitempty"`
	BarReason   string             `json:"bar_reason,omitempty" maxLength:"2000" doc:"Order that forbids to tell the persons"`
	BarredUntil *time.Time         `json:"barred_until,omitempty"`
}

// SecurityEvent is something that happened around signing in.
type SecurityEvent struct {
	ID      string           `json:"id"`
	Kind    string           `json:"kind" enum:"guesses,new_browser"`
	Member  account.MemberID `json:"member,omitempty"`
	Times   int64            `json:"times"`
	LastAt  *time.Time       `json:"last_at"`
	Address string           `json:"address,omitempty" doc:"Masked after a while"`
	Browser string           `json:"browser,omitempty"`
}

// IncidentPath names a file.
type IncidentPath struct {
	Incident string `path:"incident"`
}

func (s *API) incidents() {
	handle(s, does(http.MethodGet, "/incidents", "list-incidents", account.ReadPrivacy, tagIncidents, "List incidents with people's data"), s.listIncidents)
	handle(s, does(http.MethodPost, "/incidents", "add-incident", account.ManagePrivacy, tagIncidents, "Open the file of an incident").
		saying("The people concerned are counted, and the clocks of the laws run from when it was noticed.").giving(http.StatusCreated), s.addIncident)
	handle(s, does(http.MethodGet, "/incidents/{incident}", "get-incident", account.ReadPrivacy, tagIncidents, "One incident with its clocks and steps"),
		func(ctx context.Context, in *IncidentPath) (*body[Incident], error) {
			i, err := s.Incidents.One(ctx, actorOf(ctx), in.Incident)
			return s.incidentAnswer(ctx, i, err)
		})
	handle(s, does(http.MethodPost, "/incidents/{incident}/count", "count-incident", account.ManagePrivacy, tagIncidents, "Count the people concerned anew"),
		func(ctx context.Context, in *IncidentPath) (*body[Incident], error) {
			i, err := s.Incidents.Count(ctx, actorOf(ctx), in.Incident)
			return s.incidentAnswer(ctx, i, err)
		})
	handle(s, does(http.MethodGet, "/incidents/{incident}/people", "list-incident-people", account.ReadPrivacy, tagIncidents, "List the people concerned").saying("It stands in the audit log."), s.incidentPeople)
	handle(s, does(http.MethodPost, "/incidents/{incident}/steps", "add-incident-step", account.ManagePrivacy, tagIncidents, "Write down what was done"),
		func(ctx context.Context, in *struct {
			IncidentPath
			Body NewStep
		}) (*body[Incident], error) {
			if err := s.Incidents.Step(ctx, actorOf(ctx), in.Incident, incident.Step{Kind: incident.Kind(in.Body.Kind), Clock: in.Body.Clock, Text: in.Body.Text}); err != nil {
				return nil, err
			}
			i, err := s.Incidents.One(ctx, actorOf(ctx), in.Incident)
			return s.incidentAnswer(ctx, i, err)
		})
	handle(s, does(http.MethodGet, "/incidents/{incident}/draft", "draft-notice", account.ReadPrivacy, tagIncidents, "Draft the notice that a clock asks for"),
		func(ctx context.Context, in *struct {
			IncidentPath
			Clock    string `query:"clock" required:"true"`
			Language string `query:"language" enum:"en,hi" default:"en"`
		}) (*body[NoticeDraft], error) {
			text, err := s.Incidents.Draft(ctx, actorOf(ctx), in.Incident, in.Clock, in.Language)
			return answerOf(NoticeDraft{text}), err
		})
	handle(s, does(http.MethodPost, "/incidents/{incident}/close", "close-incident", account.ManagePrivacy, tagIncidents, "Close a file with its report"),
		func(ctx context.Context, in *struct {
			IncidentPath
			Body IncidentEnd
		}) (*body[Incident], error) {
			i, err := s.Incidents.Close(ctx, actorOf(ctx), in.Incident, in.Body.Lessons)
			return s.incidentAnswer(ctx, i, err)
		})
	handle(s, does(http.MethodGet, "/legal-requests", "list-legal-requests", account.ReadPrivacy, tagIncidents, "List requests of authorities"), s.listLegal)
	handle(s, does(http.MethodPost, "/legal-requests", "add-legal-request", account.ManagePrivacy, tagIncidents, "Open the file of an authority's request").
		saying("Two members decide on it on the pages; nothing is handed over before.").giving(http.StatusCreated), s.addLegal)
	handle(s, does(http.MethodGet, "/security-events", "list-security-events", account.ReadPrivacy, tagIncidents, "What happened around signing in"), s.listSecurity)
}

func (s *API) incidentAnswer(ctx context.Context, i *incident.Incident, err error) (*body[Incident], error) {
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org
	out := incidentOf(org, i)
	clocks, err := s.Incidents.Clocks(ctx, i)
	if err != nil {
		return nil, err
	}
	for _, c := range clocks {
		out.Clocks = append(out.Clocks, IncidentClock{Key: c.Key, Whom: c.Name, Kind: string(c.Whom), Within: c.Within.String(), DueAt: at(org, c.Due), DoneAt: at(org, c.Done), Waived: c.Waived, Overdue: c.Overdue(s.Now()), Law: c.Row.Conditions})
	}
	steps, err := s.Incidents.Steps(ctx, i)
	for _, x := range steps {
		out.Steps = append(out.Steps, IncidentStep{x.N, string(x.Kind), x.Clock, x.By, at(org, x.At), x.Text})
	}
	return answerOf(out), err
}

func incidentOf(org *account.Org, i *incident.Incident) Incident {
	out := Incident{ID: i.ID, Title: i.Title, What: i.What, State: i.State, Risk: i.Risk, Categories: append([]string{}, i.Categories...), Places: append([]string{}, i.Places...), NoticedAt: at(org, i.Noticed),
		BeganAt: at(org, i.Began), EndedAt: at(org, i.Ended), ClosedAt: at(org, i.ClosedAt), Report: i.Report}
	if i.Affected >= 0 {
		out.People = &i.Affected
	}
	return out
}

func (s *API) listIncidents(ctx context.Context, in *struct{ Paging }) (*body[Page[Incident]], error) {
	all, err := s.Incidents.List(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]Incident, len(all))
	for i, x := range all {
		out[i] = incidentOf(callerOf(ctx).org, x)
	}
	return pageOf(out, in.Paging, func(i Incident) string { return i.ID })
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func (s *API) addIncident(ctx context.Context, in *struct{ Body NewIncident }) (*body[Incident], error) {
	b, a := in.Body, actorOf(ctx)
	f := incident.Facts{Title: b.Title, What: b.What, Systems: b.Systems, Consequences: b.Consequences, Advice: b.Advice, Categories: b.Categories, Places: b.Places, Risk: incident.Risk(b.Risk),
		Noticed: moment(b.NoticedAt), Began: moment(b.BeganAt), Ended: moment(b.EndedAt)}
	f.Scope.Agents = b.Agents
	for _, m := range b.Agents {
		if _, err := s.Accounts.Member(ctx, a.Org.ID, m); err != nil {
			return nil, err
		}
	}
	for _, n := range b.Numbers {
		f.Scope.Numbers = append(f.Scope.Numbers, phone.Parse(n, a.Org.Country).Canonical())
	}
	for _, d := range []struct {
		field, text string
		to          *civil.Day
	}{{"from", b.From, &f.Scope.From}, {"to", b.To, &f.Scope.To}} {
		if d.text == "" {
			continue
		}
		day, err := civil.Parse(d.text)
		if err != nil {
			return nil, fault.Field(d.field, "%s", fault.Sentence(err))
		}
		*d.to = day
	}
	i, err := s.Incidents.Add(ctx, a, f)
	if err != nil {
		return nil, err
	}
	i, err = s.Incidents.Count(ctx, a, i.ID)
	return s.incidentAnswer(ctx, i, err)
}

func (s *API) incidentPeople(ctx context.Context, in *struct {
	IncidentPath
	Paging
}) (*body[Page[AffectedPerson]], error) {
	all, err := s.Incidents.People(ctx, actorOf(ctx), in.Incident)
	if err != nil {
		return nil, err
	}
	out := make([]AffectedPerson, len(all))
	names := map[string]string{}
	for i, x := range all {
		out[i] = AffectedPerson{Number: x.Number, Country: x.Country, Calls: x.Calls}
		names[x.Number] = x.Who.ID // cursors stand in addresses, where numbers have no place
	}
	return pageOf(out, in.Paging, func(p AffectedPerson) string { return names[p.Number] })
}

func (s *API) legalOf(org *account.Org, q *incident.LegalRequest) LegalRequest {
	out := LegalRequest{ID: q.ID, State: string(q.State), Authority: q.Authority, Law: q.Law, Reference: q.Reference, Asked: q.Asked, Categories: append([]string{}, q.Scope.Categories...), Persons: []string{},
		From: at(org, q.Scope.From), To: at(org, q.Scope.To), ReceivedAt: at(org, q.Received), DueAt: at(org, q.Due), Barred: q.Barred, Approvals: q.Approvals(), NoticeDue: q.NoticeDue(s.Now()), SHA256: q.SHA256}
	for _, who := range q.Scope.Persons {
		out.Persons = append(out.Persons, who.String())
	}
	return out
}

func (s *API) listLegal(ctx context.Context, in *struct{ Paging }) (*body[Page[LegalRequest]], error) {
	all, err := s.Incidents.LegalRequests(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]LegalRequest, len(all))
	for i, q := range all {
		out[i] = s.legalOf(callerOf(ctx).org, q)
	}
	return pageOf(out, in.Paging, func(q LegalRequest) string { return q.ID })
}

func (s *API) addLegal(ctx context.Context, in *struct{ Body NewLegalRequest }) (*body[LegalRequest], error) {
	b, a := in.Body, actorOf(ctx)
	f := incident.LegalFacts{Authority: b.Authority, Law: b.Law, Reference: b.Reference, Asked: b.Asked, Received: moment(b.ReceivedAt), Due: moment(b.DueAt), Barred: b.BarReason != "", BarReason: b.BarReason, BarredUntil: moment(b.BarredUntil)}
	f.Scope.Categories, f.Scope.From, f.Scope.To = b.Categories, moment(b.From), moment(b.To)
	for _, m := range b.Members {
		if _, err := s.Accounts.Member(ctx, a.Org.ID, m); err != nil {
			return nil, err
		}
		f.Scope.Persons = append(f.Scope.Persons, subject.OfMember(string(m)))
	}
	numbers, err := person.Enter(ctx, s.DB, s.Book, a.Org, "numbers", b.Numbers)
	if err != nil {
		return nil, err
	}
	f.Scope.Persons = append(f.Scope.Persons, numbers...)
	q, err := s.Incidents.AddLegal(ctx, a, f)
	if err != nil {
		return nil, err
	}
	return answerOf(s.legalOf(a.Org, q)), nil
}

func (s *API) listSecurity(ctx context.Context, in *struct{ Paging }) (*body[Page[SecurityEvent]], error) {
	all, err := s.Incidents.Security(ctx, actorOf(ctx), plansShown)
	if err != nil {
		return nil, err
	}
	out := make([]SecurityEvent, len(all))
	for i, e := range all {
		out[i] = SecurityEvent{e.ID, string(e.Kind), e.Member, e.Times, at(callerOf(ctx).org, e.At), e.IP, e.Browser}
	}
	return pageOf(out, in.Paging, func(e SecurityEvent) string { return e.ID })
}
