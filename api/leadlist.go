package api

import (
	"context"
	"net/http"

	"parley/account"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
)

// Amount is a sum in one currency.
type Amount struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount" doc:"In the minor unit"`
}

// BoardColumn is what stands at one stage.
type BoardColumn struct {
	Stage Stage    `json:"stage"`
	Count int64    `json:"count"`
	Sums  []Amount `json:"sums" doc:"Of all leads in it, by currency"`
	Leads []Lead   `json:"leads" doc:"The first ones, in the order of the column"`
	More  string   `json:"more,omitempty" doc:"Send it as more with the stage for what comes after them"`
}

// Board is the open leads of a pipeline, by stage.
type Board struct {
	Pipeline string        `json:"pipeline"`
	Columns  []BoardColumn `json:"columns"`
}

// DueDay is what is due on one day.
type DueDay struct {
	Day   string `json:"day"`
	Count int    `json:"count"`
	Leads []Lead `json:"leads" doc:"The first ones, by the time at which they are due"`
}

// LeadView is a saved view of the table of leads.
type LeadView struct {
	ID      string           `json:"id"`
	Rev     int64            `json:"rev"`
	Name    string           `json:"name"`
	Member  account.MemberID `json:"member" doc:"Who made it"`
	Shared  bool             `json:"shared" doc:"All colleagues see it"`
	Filter  LeadFilter       `json:"filter"`
	Sort    lead.Sort        `json:"sort,omitempty"`
	Columns []string         `json:"columns,omitempty"`
}

// NewLeadView is a view to be saved.
type NewLeadView struct {
	Name   string     `json:"name" minLength:"1" maxLength:"80"`
	Shared bool       `json:"shared,omitempty"`
	Filter LeadFilter `json:"filter"`
	Sort   lead.Sort  `json:"sort,omitempty"`
}

// leadLists are the ways to look at many leads.
func (s *API) leadLists() {
	handle(s, does(http.MethodGet, "/lead-board", "get-lead-board", account.ReadLeads, tagLeads, "The open leads of a pipeline, by stage"), s.leadBoard)
	handle(s, does(http.MethodGet, "/lead-board/{stage}", "get-lead-board-stage", account.ReadLeads, tagLeads, "What comes further down at a stage"), s.moreCards)
	handle(s, does(http.MethodGet, "/lead-calendar", "get-lead-calendar", account.ReadLeads, tagLeads, "What is due on which day").saying("At most 62 days, by the organisation's clocks."), s.leadCalendar)
	handle(s, does(http.MethodGet, "/lead-tags", "list-lead-tags", account.ReadLeads, tagLeads, "Tags of leads in use"),
		func(ctx context.Context, _ *struct{}) (*body[Page[TagUse]], error) {
			all, err := s.Leads.Tags(ctx, s.DB, callerOf(ctx).org.ID)
			out := Page[TagUse]{Items: []TagUse{}}
			for _, t := range all {
				out.Items = append(out.Items, TagUse{t.Tag, t.Leads})
			}
			return answerOf(out), err
		})
	handle(s, does(http.MethodGet, "/lead-views", "list-lead-views", account.ReadLeads, tagLeads, "Saved views").saying("One's own, and those that colleagues share."),
		func(ctx context.Context, _ *struct{}) (*body[Page[LeadView]], error) {
			all, err := s.Leads.Views(ctx, s.DB, callerOf(ctx).org.ID, actorOf(ctx).Member.ID)
			out := Page[LeadView]{Items: []LeadView{}}
			for _, v := range all {
				out.Items = append(out.Items, viewOf(v))
			}
			return answerOf(out), err
		})
	handle(s, does(http.MethodPost, "/lead-views", "add-lead-view", account.WriteLeads, tagLeads, "Save a view").giving(http.StatusCreated),
		func(ctx context.Context, in *struct{ Body NewLeadView }) (*body[LeadView], error) {
			f, err := in.Body.Filter.filter(ctx)
			if err != nil {
				return nil, err
			}
			var v *lead.View
			err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
				v, err = s.Leads.SaveView(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, lead.View{Name: in.Body.Name, Shared: in.Body.Shared, Filter: f, Sort: in.Body.Sort})
				return err
			})
			if err != nil {
				return nil, err
			}
			return answerOf(viewOf(v)), nil
		})
	handle(s, does(http.MethodDelete, "/lead-views/{view}", "delete-lead-view", account.WriteLeads, tagLeads, "Remove a view of one's own").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			View string `path:"view"`
		}) (*struct{}, error) {
			return nil, s.DB.Tx(ctx, func(tx *db.Tx) error {
				return s.Leads.DropView(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, in.View)
			})
		})
}

func viewOf(v *lead.View) LeadView {
	f := v.Filter
	out := LeadView{ID: v.ID, Rev: v.Rev, Name: v.Name, Member: v.Member, Shared: v.Shared, Sort: v.Sort, Columns: v.Columns}
	out.Filter = LeadFilter{Text: f.Text, Pipeline: f.Pipeline, Stages: f.Stages, Owners: nil, Teams: f.Teams, Sources: f.Sources, Reasons: f.Reasons, Tags: f.Tags, Import: f.Import, Contacts: f.Contacts,
		DueBefore: f.DueBefore, DueNever: f.DueNever, MadeFrom: f.MadeFrom, MadeTo: f.MadeTo, TouchedBefore: f.TouchedBefore, AttemptsMin: f.AttemptsMin, NeverTried: f.AttemptsMax != nil && *f.AttemptsMax == 0}
	for _, st := range f.States {
		out.Filter.States = append(out.Filter.States, st.String())
	}
	for _, m := range f.Owners {
		if m == "" {
			m = "none"
		}
		out.Filter.Owners = append(out.Filter.Owners, m)
	}
	return out
}

func (s *API) leadBoard(ctx context.Context, in *struct {
	LeadFilter
	PerStage int `query:"per_stage" minimum:"1" maximum:"1000" default:"50" doc:"Leads of each stage at most"`
}) (*body[Board], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx)
	if err != nil {
		return nil, err
	}
	b, err := s.Leads.Board(ctx, s.DB, callerOf(ctx).org.ID, sight, in.Pipeline, f, in.PerStage)
	if err != nil {
		return nil, err
	}
	out := Board{Pipeline: b.Pipeline.Key, Columns: []BoardColumn{}}
	for _, c := range b.Columns {
		col := BoardColumn{Stage: stageOf(c.Stage), Count: c.Count, Sums: []Amount{}, Leads: leadsOf(ctx, c.Cards), More: c.More}
		for _, m := range c.Sum {
			col.Sums = append(col.Sums, Amount(m))
		}
		out.Columns = append(out.Columns, col)
	}
	return answerOf(out), nil
}

func (s *API) moreCards(ctx context.Context, in *struct {
	LeadFilter
	Stage string `path:"stage"`
	More  string `query:"more" maxLength:"2000" doc:"The column's field more; left out: from the top"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}) (*body[Page[Lead]], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx)
	if err != nil {
		return nil, err
	}
	cards, next, err := s.Leads.MoreCards(ctx, s.DB, callerOf(ctx).org.ID, sight, in.Pipeline, in.Stage, f, in.More, in.Limit)
	if err != nil {
		return nil, err
	}
	return answerOf(Page[Lead]{Items: leadsOf(ctx, cards), Next: next}), nil
}

// mostDays bounds a calendar.
const mostDays = 62

func (s *API) leadCalendar(ctx context.Context, in *struct {
	From    string `query:"from" required:"true" doc:"First day, such as 2026-03-02"`
	Through string `query:"through" required:"true" doc:"Last day"`
	PerDay  int    `query:"per_day" minimum:"1" maximum:"500" default:"50"`
}) (*body[Page[DueDay]], error) {
	from, err := dayOf("from", &in.From)
	if err != nil {
		return nil, err
	}
	through, err := dayOf("through", &in.Through)
	if err != nil {
		return nil, err
	}
	if through < from || through-from >= civil.Day(mostDays) {
		return nil, fault.Field("through", "Ask for 1 to %d days.", mostDays)
	}
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	days, err := s.Leads.Calendar(ctx, s.DB, callerOf(ctx).org, sight, from, through, in.PerDay)
	out := Page[DueDay]{Items: []DueDay{}}
	for _, d := range days {
		out.Items = append(out.Items, DueDay{Day: d.Day.String(), Count: d.Count, Leads: leadsOf(ctx, d.Rows)})
	}
	return answerOf(out), err
}
