package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

const tagLeads = "Leads"

// Lead is one chance of business with a contact.
type Lead struct {
	ID         lead.ID          `json:"id"`
	Rev        int64            `json:"rev" doc:"Grows with every change; send it along with yours"`
	Contact    contact.ID       `json:"contact"`
	Who        *Contact         `json:"who,omitempty" doc:"The contact; absent once they were erased, and while their data is restricted"`
	Pipeline   string           `json:"pipeline"`
	Stage      string           `json:"stage"`
	State      string           `json:"state" enum:"open,won,lost"`
	Reason     string           `json:"reason,omitempty" doc:"Why it was won or lost, a key of the reasons"`
	Value      int64            `json:"value" doc:"In the currency's minor unit: paise, cents"`
	Currency   string           `json:"currency"`
	Source     string           `json:"source,omitempty"`
	SourceDay  string           `json:"source_day,omitempty" doc:"Day of the enquiry, such as 2026-03-02"`
	Owner      account.MemberID `json:"owner,omitempty" doc:"Absent: nobody's"`
	Team       account.TeamID   `json:"team,omitempty"`
	Tags       []string         `json:"tags"`
	Custom     []FieldValue     `json:"custom" doc:"The organisation's own fields"`
	Import     string           `json:"import,omitempty"`
	DueAt      *time.Time       `json:"due_at,omitempty"`
	Attempts   int              `json:"attempts" doc:"Calls to reach the contact since the lead was made"`
	Connected  int              `json:"connected" doc:"Those that did"`
	FirstAt    *time.Time       `json:"first_answer_at,omitempty" doc:"First attempt to call them, or first connected call"`
	LastAt     *time.Time       `json:"last_touch_at,omitempty"`
	StagedAt   *time.Time       `json:"staged_at" doc:"When it came to its stage"`
	ClosedAt   *time.Time       `json:"closed_at,omitempty"`
	CreatedAt  *time.Time       `json:"created_at"`
	CreatedBy  account.MemberID `json:"created_by,omitempty"`
	ChangedAt  *time.Time       `json:"changed_at"`
	AssignedBy string           `json:"assigned_because,omitempty" doc:"In the answer to making it by the rules of assignment: why its owner has it"`
}

// LeadText is what is said about a lead. What is left out of a change stays.
type LeadText struct {
	Value     *int64          `json:"value,omitempty" minimum:"0" doc:"In the currency's minor unit"`
	Currency  *string         `json:"currency,omitempty" maxLength:"3" doc:"ISO 4217; left out of a new lead: the pipeline's, else the country's"`
	Source    *string         `json:"source,omitempty" maxLength:"200"`
	SourceDay *string         `json:"source_day,omitempty" doc:"Such as 2026-03-02; empty text removes it"`
	Team      *account.TeamID `json:"team,omitempty"`
	DueAt     *time.Time      `json:"due_at,omitempty"`
	Tags      *[]string       `json:"tags,omitempty" maxItems:"100" doc:"All tags that it is to have"`
	Custom    []FieldValue    `json:"custom,omitempty" maxItems:"200" doc:"Own fields; those that are left out stay"`
}

// NewLead is a lead to be made, with its contact where that is new.
type NewLead struct {
	LeadText
	Contact  contact.ID       `json:"contact,omitempty" doc:"Whom it is about; or who, in place of it"`
	Who      *ContactText     `json:"who,omitempty" doc:"A person: the contact who has one of the numbers or addresses, else a new one"`
	Pipeline string           `json:"pipeline,omitempty" doc:"Left out: the first"`
	Stage    string           `json:"stage,omitempty" doc:"Left out: the first"`
	Owner    account.MemberID `json:"owner,omitempty" doc:"A member's id, rules: whom the rules of assignment say, or none: nobody. Left out: rules, for whoever may assign leads; else the caller"`
}

// LeadChange changes a lead.
type LeadChange struct {
	LeadText
	AddTags  []string `json:"add_tags,omitempty" maxItems:"100" doc:"Single tags, whatever others did to the rest"`
	DropTags []string `json:"drop_tags,omitempty" maxItems:"100"`
	NoDue    bool     `json:"no_due,omitempty" doc:"Removes the time by which something is to be done"`
	Rev      int64    `json:"rev" minimum:"0" doc:"The rev that you saw. When somebody changed the same field since, nothing is changed and the answer says who. 0 changes the lead as it is"`
}

// LeadPath names a lead.
type LeadPath struct {
	Lead lead.ID `path:"lead"`
}

// LeadFilter says which leads are meant. What is left out does not restrict.
type LeadFilter struct {
	Text          string             `query:"q" json:"q,omitempty" maxLength:"200" doc:"Name, company, e-mail address or number of the contact"`
	Pipeline      string             `query:"pipeline" json:"pipeline,omitempty"`
	Stages        []string           `query:"stage" json:"stages,omitempty"`
	States        []string           `query:"state" json:"states,omitempty" doc:"open, won, lost"`
	Owners        []account.MemberID `query:"owner" json:"owners,omitempty" doc:"Ids of members, me, or none for those of nobody"`
	Teams         []account.TeamID   `query:"team" json:"teams,omitempty"`
	Sources       []string           `query:"source" json:"sources,omitempty"`
	Reasons       []string           `query:"reason" json:"reasons,omitempty"`
	Tags          []string           `query:"tag" json:"tags,omitempty" doc:"All of them"`
	Import        string             `query:"import" json:"import,omitempty"`
	Contacts      []contact.ID       `query:"contact" json:"contacts,omitempty"`
	DueBefore     time.Time          `query:"due_before" json:"due_before,omitzero" doc:"Due before this moment"`
	DueNever      bool               `query:"due_never" json:"due_never,omitempty" doc:"Nothing is due"`
	MadeFrom      time.Time          `query:"made_from" json:"made_from,omitzero"`
	MadeTo        time.Time          `query:"made_to" json:"made_to,omitzero" doc:"Not part of it"`
	ClosedFrom    time.Time          `query:"closed_from" json:"closed_from,omitzero" doc:"Won or lost from this moment on"`
	ClosedTo      time.Time          `query:"closed_to" json:"closed_to,omitzero" doc:"Not part of it"`
	TouchedBefore time.Time          `query:"touched_before" json:"touched_before,omitzero" doc:"Last touched, or made where never touched, before this moment"`
	AttemptsMin   int                `query:"attempts_min" json:"attempts_min,omitempty" minimum:"0"`
	AttemptsMax   int                `query:"attempts_max" json:"attempts_max,omitempty" minimum:"0" doc:"0 does not restrict; never_tried leaves those without any"`
	NeverTried    bool               `query:"never_tried" json:"never_tried,omitempty" doc:"Nobody has tried to call"`
}

func (s *API) leads() {
	handle(s, does(http.MethodGet, "/leads", "list-leads", account.ReadLeads, tagLeads, "List or find leads").
		saying("With their contacts. An agent sees their own, a manager those of their teams and of nobody. With view, what that saved view says counts in place of the filter."), s.listLeads)
	handle(s, does(http.MethodPost, "/leads", "add-lead", account.WriteLeads, tagLeads, "Make a lead").
		saying("For a contact that there is, or for a person: whoever has one of the numbers or addresses, or a new contact. The rules of assignment say whose it is, unless an owner is named.").giving(http.StatusCreated), s.addLead)
	handle(s, does(http.MethodGet, "/leads/{lead}", "get-lead", account.ReadLeads, tagLeads, "One lead"),
		func(ctx context.Context, in *LeadPath) (*body[Lead], error) {
			l, err := s.theLead(ctx, in.Lead)
			return s.leadAnswer(ctx, l, err)
		})
	handle(s, does(http.MethodPatch, "/leads/{lead}", "change-lead", account.WriteLeads, tagLeads, "Change a lead"), s.changeLead)
	handle(s, does(http.MethodDelete, "/leads/{lead}", "delete-lead", account.DeleteLeads, tagLeads, "Delete a lead for good").
		saying("With its history. The contact stays. A legal hold stops it.").giving(http.StatusNoContent),
		func(ctx context.Context, in *LeadPath) (*struct{}, error) {
			l, err := s.theLead(ctx, in.Lead)
			if err != nil {
				return nil, err
			}
			return nil, s.DB.Tx(ctx, func(tx *db.Tx) error {
				return s.Leads.Delete(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, l.ID)
			})
		})
	s.leadWork()
	s.leadLists()
	s.pipelines()
}

// theLead is a lead that the caller sees, whose contact the running operation is about.
func (s *API) theLead(ctx context.Context, id lead.ID) (*lead.Lead, error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.Leads.Get(ctx, s.DB, callerOf(ctx).org.ID, sight, id)
	if err != nil {
		return nil, err
	}
	return l, s.concernContacts(ctx, l.Contact)
}

func (s *API) leadAnswer(ctx context.Context, l *lead.Lead, err error) (*body[Lead], error) {
	if err != nil {
		return nil, err
	}
	found, err := s.Contacts.Load(ctx, s.DB, callerOf(ctx).org.ID, l.Contact)
	if err != nil {
		return nil, err
	}
	return answerOf(leadOf(ctx, lead.Row{Lead: l, Who: found[l.Contact]})), nil
}

// leadOf is a lead as answers give it.
func leadOf(ctx context.Context, r lead.Row) Lead {
	org, l := callerOf(ctx).org, r.Lead
	out := Lead{ID: l.ID, Rev: l.Rev, Contact: l.Contact, Pipeline: l.Pipeline, Stage: l.Stage, State: l.State.String(), Reason: l.Reason, Value: l.Value, Currency: l.Currency, Source: l.Source,
		Owner: l.Owner, Team: l.Team, Tags: listed(l.Tags), Custom: fieldValues(l.Custom), Import: l.Import, DueAt: at(org, l.Due), Attempts: l.Attempts, Connected: l.Connected, FirstAt: at(org, l.First), LastAt: at(org, l.Last),
		StagedAt: at(org, l.Staged), ClosedAt: at(org, l.Closed), CreatedAt: at(org, l.Made), CreatedBy: l.MadeBy, ChangedAt: at(org, l.Changed)}
	if l.SourceDay != 0 {
		out.SourceDay = l.SourceDay.String()
	}
	if r.Who != nil && !r.Who.Restricted {
		concernContact(ctx, r.Who)
		out.Who = new(contactOf(org, r.Who))
	}
	return out
}

func leadsOf(ctx context.Context, rows []lead.Row) []Lead {
	out := make([]Lead, len(rows))
	for i := range rows {
		out[i] = leadOf(ctx, rows[i])
	}
	return out
}

// filter is what a request's filter means.
func (f *LeadFilter) filter(ctx context.Context) (lead.Filter, error) {
	out := lead.Filter{Text: f.Text, Pipeline: f.Pipeline, Stages: f.Stages, Teams: f.Teams, Sources: f.Sources, Reasons: f.Reasons, Tags: f.Tags, Import: f.Import, Contacts: f.Contacts,
		DueBefore: f.DueBefore, DueNever: f.DueNever, MadeFrom: f.MadeFrom, MadeTo: f.MadeTo, ClosedFrom: f.ClosedFrom, ClosedTo: f.ClosedTo, TouchedBefore: f.TouchedBefore, AttemptsMin: f.AttemptsMin}
	switch {
	case f.NeverTried:
		out.AttemptsMax = new(0)
	case f.AttemptsMax > 0:
		out.AttemptsMax = new(f.AttemptsMax)
	}
	for _, word := range f.Owners {
		out.Owners = append(out.Owners, ownerOf(ctx, word))
	}
	for _, word := range f.States {
		st, err := lead.ParseState(word)
		if err != nil {
			return out, err
		}
		out.States = append(out.States, st)
	}
	return out, nil
}

// LeadPage is a part of the list of leads.
type LeadPage struct {
	Items []Lead `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send it as cursor for the next page; absent on the last one"`
	Total *int64 `json:"total,omitempty" doc:"On all pages, when count was asked for"`
}

func (s *API) listLeads(ctx context.Context, in *struct {
	LeadFilter
	View  string    `query:"view" maxLength:"100" doc:"A saved view"`
	Sort  lead.Sort `query:"sort" doc:"made, changed, due, value, touched, staged or attempts; a minus before it turns the order round. Left out: the view's order, or the newest first"`
	Count bool      `query:"count" doc:"Count the leads of all pages, too"`
	Paging
}) (*body[LeadPage], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx)
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org.ID
	if in.View != "" {
		v, err := s.Leads.View(ctx, s.DB, org, actorOf(ctx).Member.ID, in.View)
		if err != nil {
			return nil, err
		}
		if f = v.Filter; in.Sort == "" {
			in.Sort = v.Sort
		}
	}
	page, err := s.Leads.Table(ctx, s.DB, org, sight, lead.Ask{Filter: f, Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit, Count: in.Count})
	if err != nil {
		return nil, err
	}
	out := LeadPage{Items: leadsOf(ctx, page.Rows), Next: page.Cursor}
	if in.Count {
		out.Total = &page.Count
	}
	return answerOf(out), nil
}

// dayOf reads a day; "" is none.
func dayOf(field string, text *string) (civil.Day, error) {
	if text == nil || *text == "" {
		return 0, nil
	}
	d, err := civil.Parse(*text)
	if err != nil {
		err = fault.Field(field, "%.40q is no day. Write it like 2026-03-02.", *text)
	}
	return d, err
}

// made is the lead that is asked for, without its contact and owner.
func (n *NewLead) made() (out lead.New, err error) {
	out = lead.New{Contact: n.Contact, Pipeline: n.Pipeline, Stage: n.Stage, Custom: customOf(n.Custom), Due: moment(n.DueAt)}
	if n.Value != nil {
		out.Value = *n.Value
	}
	if n.Currency != nil {
		out.Currency = *n.Currency
	}
	if n.Source != nil {
		out.Source = *n.Source
	}
	if n.Team != nil {
		out.Team = *n.Team
	}
	if n.Tags != nil {
		out.Tags = *n.Tags
	}
	out.SourceDay, err = dayOf("source_day", n.SourceDay)
	return out, err
}

func (s *API) addLead(ctx context.Context, in *struct{ Body NewLead }) (*body[Lead], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	if (in.Body.Contact == "") == (in.Body.Who == nil) {
		return nil, fault.Field("contact", "Say whom the lead is about: either contact, the id of one, or who, a person.")
	}
	n, err := in.Body.made()
	if err != nil {
		return nil, err
	}
	byRules := false
	if n.Owner, byRules, err = s.leadOwner(ctx, sight, in.Body.Owner); err != nil {
		return nil, err
	}
	if n.Contact != "" {
		if _, err := s.theContact(ctx, n.Contact); err != nil {
			return nil, err
		}
	}
	var l *lead.Lead
	var why string
	org, by := callerOf(ctx).org, actorOf(ctx).Member.ID
	err = s.settle(ctx, func(tx *db.Tx) (done func(), err error) {
		if in.Body.Who != nil {
			if n.Contact, done, err = s.contactFor(ctx, tx, sight, in.Body.Who, n.Owner); err != nil {
				return nil, err
			}
		}
		if l, err = s.Leads.Add(ctx, tx, org, by, n); err != nil || !byRules {
			return done, err
		}
		d, err := s.Assign.Give(ctx, tx, org, "", l.ID) // nobody asked for it: new leads are given out
		if err != nil {
			return nil, err
		}
		why = d.Sentence()
		now, err := s.Leads.Load(ctx, tx, org.ID, l.ID)
		l = now[l.ID]
		return done, err
	})
	out, err := s.leadAnswer(ctx, l, err)
	if err == nil {
		out.Body.AssignedBy = why
	}
	return out, err
}

// leadOwner settles whose a new lead is to be, or that the rules of assignment say it.
func (s *API) leadOwner(ctx context.Context, sight contact.Sight, said account.MemberID) (owner account.MemberID, byRules bool, err error) {
	a := actorOf(ctx)
	switch said {
	case "", "rules", "none":
	default:
		owner, err = s.ownerFor(ctx, sight, said)
		return owner, false, err
	}
	if said == "" && !a.Can(account.AssignLeads) {
		return a.Member.ID, false, nil
	}
	return "", said != "none", a.Require(account.AssignLeads)
}

// contactFor is the contact of a person: the one in sight with one of their numbers or addresses, or a new one.
func (s *API) contactFor(ctx context.Context, tx *db.Tx, sight contact.Sight, text *ContactText, owner account.MemberID) (contact.ID, func(), error) {
	org := callerOf(ctx).org
	who, tags := text.over(contact.Person{}, nil)
	known, err := s.Contacts.Known(ctx, tx, org, sight, who)
	if err != nil {
		return "", nil, err
	}
	if known != nil {
		return known.ID, nil, s.Contacts.CheckUse(ctx, tx, org.ID, known)
	}
	c, done, err := s.Contacts.Add(ctx, tx, org, actorOf(ctx).Member.ID, contact.New{Person: who, Tags: tags, Owner: owner, Origin: "api"})
	if err != nil {
		return "", nil, err
	}
	return c.ID, done, nil
}

func (s *API) changeLead(ctx context.Context, in *struct {
	LeadPath
	Body LeadChange
}) (*body[Lead], error) {
	l, err := s.theLead(ctx, in.Lead)
	if err != nil {
		return nil, err
	}
	b := in.Body
	ch := lead.Change{Value: b.Value, Currency: b.Currency, Source: b.Source, Team: b.Team, Tags: b.Tags, AddTags: b.AddTags, DropTags: b.DropTags, Custom: customOf(b.Custom)}
	if b.SourceDay != nil {
		day, err := dayOf("source_day", b.SourceDay)
		if err != nil {
			return nil, err
		}
		ch.SourceDay = &day
	}
	if ch.Due, err = dueOf(b.DueAt, b.NoDue); err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		l, err = s.Leads.Change(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, l.ID, b.Rev, ch)
		return err
	})
	return s.leadAnswer(ctx, l, err)
}
