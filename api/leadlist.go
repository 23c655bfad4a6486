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
	More  string   `json:"more,omitempty" doc:"Send it as cursor with the stage for what comes after them"`
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
	Sort   lead.Sort  `json:"sort,omitempty" doc:"As the list's"`
	// Columns are kept as they are: which ones there are is the page's matter.
	Columns []string `json:"columns,omitempty" maxItems:"40" doc:"Which columns the table shows, and in what order; none: the usual ones"`
}

// LeadViewChange is a view as it is to be.
type LeadViewChange struct {
	NewLeadView
	Rev int64 `json:"rev" minimum:"1" doc:"The rev that you saw"`
}

// LeadViewPath names a view.
type LeadViewPath struct {
	View string `path:"view"`
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
			return s.saveView(ctx, "", 0, &in.Body)
		})
	handle(s, does(http.MethodGet, "/lead-views/{view}", "get-lead-view", account.ReadLeads, tagLeads, "One saved view"),
		func(ctx context.Context, in *LeadViewPath) (*body[LeadView], error) {
			v, err := s.Leads.View(ctx, s.DB, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, in.View)
			if err != nil {
				return nil, err
			}
			return answerOf(viewOf(v)), nil
		})
	handle(s, does(http.MethodPut, "/lead-views/{view}", "change-lead-view", account.WriteLeads, tagLeads, "Change a view of one's own").saying("The whole view."),
		func(ctx context.Context, in *struct {
			LeadViewPath
			Body LeadViewChange
		}) (*body[LeadView], error) {
			return s.saveView(ctx, in.View, in.Body.Rev, &in.Body.NewLeadView)
		})
	handle(s, does(http.MethodDelete, "/lead-views/{view}", "delete-lead-view", account.WriteLeads, tagLeads, "Remove a view of one's own").giving(http.StatusNoContent),
		func(ctx context.Context, in *LeadViewPath) (*struct{}, error) {
			return nil, s.DB.Tx(ctx, func(tx *db.Tx) error {
				return s.Leads.DropView(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, in.View)
			})
		})
}

// saveView keeps a new view (without id), or changes one of the caller's.
func (s *API) saveView(ctx context.Context, id string, rev int64, n *NewLeadView) (*body[LeadView], error) {
	f, err := n.Filter.filter(ctx)
	if err != nil {
		return nil, err
	}
	var v *lead.View
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		v, err = s.Leads.SaveView(ctx, tx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, lead.View{ID: id, Rev: rev, Name: n.Name, Shared: n.Shared, Filter: f, Sort: n.Sort, Columns: n.Columns})
		return err
	})
	if err != nil {
		return nil, err
	}
	return answerOf(viewOf(v)), nil
}

func viewOf(v *lead.View) LeadView {
	f := v.Filter
	out := LeadView{ID: v.ID, Rev: v.Rev, Name: v.Name, Member: v.Member, Shared: v.Shared, Sort: v.Sort, Columns: v.Columns}
	out.Filter = LeadFilter{Text: f.Text, Pipeline: f.Pipeline, Stages: f.Stages, Teams: f.Teams, Sources: f.Sources, Reasons: f.Reasons, Tags: f.Tags, Import: f.Import, Contacts: f.Contacts,
		DueBefore: f.DueBefore, DueNever: f.DueNever, MadeFrom: f.MadeFrom, MadeTo: f.MadeTo, ClosedFrom: f.ClosedFrom, ClosedTo: f.ClosedTo, TouchedBefore: f.TouchedBefore, AttemptsMin: f.AttemptsMin}
	if f.AttemptsMax != nil {
		out.Filter.AttemptsMax, out.Filter.NeverTried = *f.AttemptsMax, *f.AttemptsMax == 0
	}
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
	Paging
}) (*body[Page[Lead]], error) {
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	f, err := in.filter(ctx)
	if err != nil {
		return nil, err
	}
	cards, next, err := s.Leads.MoreCards(ctx, s.DB, callerOf(ctx).org.ID, sight, in.Pipeline, in.Stage, f, in.Cursor, in.Limit)
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
