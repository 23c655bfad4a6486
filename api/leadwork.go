package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"parley/account"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/db"
	"parley/platform/fault"
)

// LeadMove puts a lead at another stage or place.
type LeadMove struct {
	Pipeline string  `json:"pipeline,omitempty" doc:"Left out: the one it is in"`
	Stage    string  `json:"stage,omitempty" doc:"Left out: the one it is at"`
	Above    lead.ID `json:"above,omitempty" doc:"The lead right above which it comes; without neighbours it comes to the top"`
	Below    lead.ID `json:"below,omitempty" doc:"The lead right below which it comes"`
	Why      string  `json:"why,omitempty" maxLength:"500"`
	Rev      int64   `json:"rev" minimum:"0"`
}

// LeadClose says how a lead ended.
type LeadClose struct {
	State  string `json:"state" enum:"won,lost"`
	Reason string `json:"reason,omitempty" doc:"A key of the reasons; needed where the pipeline asks for one"`
	Why    string `json:"why,omitempty" maxLength:"500" doc:"In words, for the history"`
	Rev    int64  `json:"rev" minimum:"0"`
}

// LeadReopen takes a closing back.
type LeadReopen struct {
	Why string `json:"why,omitempty" maxLength:"500"`
	Rev int64  `json:"rev" minimum:"0"`
}

// LeadOwner gives a lead to somebody.
type LeadOwner struct {
	Owner account.MemberID `json:"owner" doc:"A member's id; empty: nobody; rules: whom the rules of assignment say, for the reason that they give"`
	Why   string           `json:"why,omitempty" maxLength:"500"`
	Rev   int64            `json:"rev,omitempty" minimum:"0" doc:"The rev that you saw; the rules look at the lead as it is"`
}

// LeadEvent is one field of a lead that was changed.
type LeadEvent struct {
	Rev  int64            `json:"rev" doc:"The lead's after the change"`
	At   *time.Time       `json:"at"`
	By   account.MemberID `json:"by,omitempty" doc:"Absent: the program, or the operator"`
	Bulk string           `json:"bulk,omitempty" doc:"The change of many leads that it was part of"`
	FieldChange
}

// LeadSelection says which leads are changed together: by their ids, or all of a filter.
type LeadSelection struct {
	IDs    []lead.ID   `json:"ids,omitempty" maxItems:"10000"`
	Filter *LeadFilter `json:"filter,omitempty" doc:"All leads of it; counts when there are no ids"`
}

// dueOf is the time by which something is to be done of a change: nil leaves it as it is, the zero time removes it.
func dueOf(at *time.Time, none bool) (*time.Time, error) {
	switch {
	case none && at != nil:
		return nil, fault.Field("no_due", "A change sets a due time or removes it. Send due_at or no_due, not both.")
	case none:
		return &time.Time{}, nil
	}
	return at, nil
}

// LeadBulk is one change of many leads.
type LeadBulk struct {
	LeadSelection
	Owner    *account.MemberID `json:"owner,omitempty" doc:"Empty: nobody"`
	Team     *account.TeamID   `json:"team,omitempty"`
	Pipeline string            `json:"pipeline,omitempty"`
	Stage    string            `json:"stage,omitempty" doc:"Alone: one of each lead's own pipeline"`
	AddTags  []string          `json:"add_tags,omitempty" maxItems:"100"`
	DropTags []string          `json:"drop_tags,omitempty" maxItems:"100"`
	DueAt    *time.Time        `json:"due_at,omitempty"`
	NoDue    bool              `json:"no_due,omitempty" doc:"Removes the time by which something is to be done"`
	Close    string            `json:"close,omitempty" enum:"won,lost"`
	Reason   string            `json:"reason,omitempty"`
	Why      string            `json:"why,omitempty" maxLength:"500"`
	DryRun   bool              `json:"dry_run,omitempty" doc:"Tell what would become of each lead, and change nothing"`
}

// BulkOutcome is what became of a change of many leads.
type BulkOutcome struct {
	Bulk    string        `json:"bulk,omitempty" doc:"Its name, to take it back by; absent when it was only tried"`
	Changed int           `json:"changed"`
	Same    int           `json:"same" doc:"Were already as they were to be"`
	Skipped []SkippedLead `json:"skipped"`
}

// SkippedLead is a lead that was left as it is.
type SkippedLead struct {
	Lead lead.ID `json:"lead"`
	Why  string  `json:"why"`
}

// leadWork are the ways of a lead from stage to stage, and changes of many.
func (s *API) leadWork() {
	handle(s, does(http.MethodPost, "/leads/{lead}/move", "move-lead", account.WriteLeads, tagLeads, "Put a lead at another stage or place"),
		func(ctx context.Context, in *struct {
			LeadPath
			Body LeadMove
		}) (*body[Lead], error) {
			b := in.Body
			return s.withLead(ctx, in.Lead, func(tx *db.Tx, l *lead.Lead) (*lead.Lead, error) {
				return s.Leads.Move(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, l.ID, b.Rev, lead.Spot{Pipeline: b.Pipeline, Stage: b.Stage, Above: b.Above, Below: b.Below, Why: b.Why})
			})
		})
	handle(s, does(http.MethodPost, "/leads/{lead}/close", "close-lead", account.WriteLeads, tagLeads, "Close a lead as won or lost"),
		func(ctx context.Context, in *struct {
			LeadPath
			Body LeadClose
		}) (*body[Lead], error) {
			b := in.Body
			return s.withLead(ctx, in.Lead, func(tx *db.Tx, l *lead.Lead) (*lead.Lead, error) {
				end := s.Leads.Win
				if b.State == lead.Lost.String() {
					end = s.Leads.Lose
				}
				return end(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, l.ID, b.Rev, b.Reason, b.Why)
			})
		})
	handle(s, does(http.MethodPost, "/leads/{lead}/reopen", "reopen-lead", account.WriteLeads, tagLeads, "Open a closed lead again"),
		func(ctx context.Context, in *struct {
			LeadPath
			Body LeadReopen
		}) (*body[Lead], error) {
			return s.withLead(ctx, in.Lead, func(tx *db.Tx, l *lead.Lead) (*lead.Lead, error) {
				return s.Leads.Reopen(ctx, tx, callerOf(ctx).org, actorOf(ctx).Member.ID, l.ID, in.Body.Rev, in.Body.Why)
			})
		})
	handle(s, does(http.MethodPost, "/leads/{lead}/owner", "give-lead", account.AssignLeads, tagLeads, "Give a lead to somebody"), s.giveLead)
	handle(s, does(http.MethodGet, "/leads/{lead}/history", "get-lead-history", account.ReadLeads, tagLeads, "What was changed about a lead").
		saying("The newest first. What one change did to several fields comes on one page."), s.leadHistory)
	handle(s, does(http.MethodGet, "/leads/{lead}/timeline", "get-lead-timeline", account.ReadLeads, tagLeads, "Everything that happened with a lead's contact").
		saying("The timeline of its contact."),
		func(ctx context.Context, in *struct {
			LeadPath
			TimelineAsk
		}) (*body[TimelinePage], error) {
			l, err := s.theLead(ctx, in.Lead)
			if err != nil {
				return nil, err
			}
			c, err := s.theContact(ctx, l.Contact)
			if err != nil {
				return nil, err
			}
			return s.timeline(ctx, &in.TimelineAsk, timeline.Query{Contact: c.ID})
		})
	handle(s, does(http.MethodPost, "/leads/bulk", "change-leads", account.WriteLeads, tagLeads, "Change many leads at once").
		saying("Each by the rules that it alone would be changed by; one that cannot be changed is left out with a sentence. Taken back as one."), s.changeLeads)
	handle(s, does(http.MethodPost, "/leads/bulk/{bulk}/undo", "undo-lead-change", account.WriteLeads, tagLeads, "Take a change of many leads back").
		saying("Each field that it changed and that nobody changed since is again what it was."),
		func(ctx context.Context, in *struct {
			Bulk string `path:"bulk"`
		}) (*body[BulkOutcome], error) {
			return bulkAnswer(s.Leads.Undo(ctx, actorOf(ctx), in.Bulk))
		})
}

// withLead changes a lead in sight.
func (s *API) withLead(ctx context.Context, id lead.ID, do func(tx *db.Tx, l *lead.Lead) (*lead.Lead, error)) (*body[Lead], error) {
	l, err := s.theLead(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		l, err = do(tx, l)
		return err
	})
	return s.leadAnswer(ctx, l, err)
}

func (s *API) giveLead(ctx context.Context, in *struct {
	LeadPath
	Body LeadOwner
}) (*body[Lead], error) {
	b := in.Body
	sight, err := s.sight(ctx)
	if err == nil && b.Owner != "" && b.Owner != "rules" {
		_, err = s.ownerFor(ctx, sight, b.Owner)
	}
	if err != nil {
		return nil, err
	}
	org, by, why := callerOf(ctx).org, actorOf(ctx).Member.ID, ""
	out, err := s.withLead(ctx, in.Lead, func(tx *db.Tx, l *lead.Lead) (*lead.Lead, error) {
		if b.Owner != "rules" {
			return s.Leads.Give(ctx, tx, org, by, l.ID, b.Rev, b.Owner, b.Why)
		}
		d, err := s.Assign.Give(ctx, tx, org, by, l.ID)
		if err != nil {
			return nil, err
		}
		why = d.Sentence()
		now, err := s.Leads.Load(ctx, tx, org.ID, l.ID)
		return now[l.ID], err
	})
	if err == nil {
		out.Body.AssignedBy = why
	}
	return out, err
}

func (s *API) leadHistory(ctx context.Context, in *struct {
	LeadPath
	Paging
}) (*body[Page[LeadEvent]], error) {
	l, err := s.theLead(ctx, in.Lead)
	if err != nil {
		return nil, err
	}
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	all, next, err := s.changes(ctx, l.ID, before, in.Limit)
	out := Page[LeadEvent]{Items: []LeadEvent{}, Next: cursorBefore(next)}
	for i := range all {
		e := &all[i]
		out.Items = append(out.Items, LeadEvent{Rev: e.Rev, At: at(callerOf(ctx).org, e.At), By: e.By, Bulk: e.Bulk, FieldChange: leadChange(e)})
	}
	return answerOf(out), err
}

// changes gives the changes of a lead before a rev, at most limit where one change alone does not have more fields. next is the
// rev for those behind them; 0 = there are none.
func (s *API) changes(ctx context.Context, id lead.ID, before int64, limit int) (all []lead.Event, next int64, err error) {
	for n := limit + 1; ; n *= 2 {
		all, err = s.Leads.History(ctx, s.DB, callerOf(ctx).org.ID, id, before, n)
		if err != nil || len(all) < n {
			return all, 0, err
		}
		last := all[n-1].Rev // which may have more fields
		if whole := slices.IndexFunc(all, func(e lead.Event) bool { return e.Rev == last }); whole > 0 {
			return all[:whole], all[whole-1].Rev, nil
		}
	}
}

func (s *API) changeLeads(ctx context.Context, in *struct{ Body LeadBulk }) (*body[BulkOutcome], error) {
	b := in.Body
	sel := lead.Selection{IDs: b.IDs}
	if b.Filter != nil {
		f, err := b.Filter.filter(ctx)
		if err != nil {
			return nil, err
		}
		sel.Filter = &f
	}
	e := lead.Edit{Owner: b.Owner, Team: b.Team, Pipeline: b.Pipeline, Stage: b.Stage, AddTags: b.AddTags, DropTags: b.DropTags, Reason: b.Reason, Why: b.Why}
	var err error
	if e.Due, err = dueOf(b.DueAt, b.NoDue); err != nil {
		return nil, err
	}
	if b.Close != "" {
		st, err := lead.ParseState(b.Close)
		if err != nil {
			return nil, err
		}
		e.Close = st
	}
	if b.DryRun {
		return bulkAnswer(s.Leads.Try(ctx, actorOf(ctx), sel, e))
	}
	return bulkAnswer(s.Leads.Bulk(ctx, actorOf(ctx), sel, e))
}

func bulkAnswer(o *lead.Outcome, err error) (*body[BulkOutcome], error) {
	if err != nil {
		return nil, err
	}
	out := BulkOutcome{Bulk: o.Bulk, Changed: o.Changed, Same: o.Same, Skipped: []SkippedLead{}}
	for _, x := range o.Skipped {
		out.Skipped = append(out.Skipped, SkippedLead{x.Lead, x.Sentence})
	}
	return answerOf(out), nil
}
