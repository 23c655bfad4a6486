package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"parley/account"
	"parley/trust/retain"
	"parley/trust/subject"
)

const tagRetention = "Retention"

// RetentionRule is how long something is kept.
type RetentionRule struct {
	Category string           `json:"category" doc:"Key of the privacy policy"`
	Part     string           `json:"part,omitempty" doc:"Of the category: address is masked and not removed; others are rules of the program itself"`
	From     string           `json:"counts_from" example:"last_activity"`
	Max      string           `json:"max" doc:"d days, bd business days, mo months" example:"365d"`
	Archive  string           `json:"archive,omitempty" example:"90d"`
	Notice   string           `json:"notice,omitempty" doc:"How long before members are told" example:"2d"`
	Floors   []RetentionFloor `json:"floors,omitempty" doc:"Laws that demand keeping"`
	Unused   bool             `json:"unused,omitempty" doc:"No purpose needs it any more: all of it goes"`
	Keepers  []string         `json:"kept_in" doc:"Empty: nothing of the category is kept yet"`
}

// RetentionFloor is a duty to keep.
type RetentionFloor struct {
	Place string `json:"place"`
	Min   string `json:"min"`
	Law   string `json:"law"`
}

// RetentionPlan is what one rule removes from one place.
type RetentionPlan struct {
	ID       string     `json:"id,omitempty" doc:"Absent while it is only shown"`
	Keeper   string     `json:"kept_in"`
	Category string     `json:"category"`
	From     string     `json:"counts_from"`
	Period   string     `json:"period"`
	State    string     `json:"state" enum:"draft,waiting,applied,cancelled,failed"`
	Stopped  bool       `json:"waits_for_a_person" doc:"It takes an unusual share; confirm it to let it go on"`
	Items    int64      `json:"items"`
	Rows     int64      `json:"rows"`
	Share    int        `json:"share_per_cent"`
	Oldest   *time.Time `json:"oldest,omitempty"`
	Newest   *time.Time `json:"newest,omitempty"`
	Held     int64      `json:"held" doc:"Items that a legal hold keeps"`
	Locked   int64      `json:"locked" doc:"Items that a law keeps"`
	Digest   string     `json:"digest" doc:"Fingerprint of what goes"`
	DueAt    *time.Time `json:"due_at"`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
	Removed  int64      `json:"removed_rows"`
	Why      string     `json:"why,omitempty"`
}

// RetentionLock is something that a law keeps for a while.
type RetentionLock struct {
	Category string     `json:"category"`
	Item     string     `json:"item,omitempty"`
	Person   string     `json:"person,omitempty" example:"member/mem_…"`
	Law      string     `json:"law"`
	Until    *time.Time `json:"until"`
}

// RetentionAlarm is something that somebody must look at.
type RetentionAlarm struct {
	Kind   string `json:"kind" enum:"stopped,overdue_review,failed,not_run,unreckoned"`
	Object string `json:"object,omitempty"`
}

// Retention is how retention stands.
type Retention struct {
	Rules   []RetentionRule  `json:"rules"`
	Waiting []RetentionPlan  `json:"waiting"`
	Locked  []RetentionLock  `json:"locked"`
	Reviews []ArchiveReview  `json:"open_reviews"`
	Alarms  []RetentionAlarm `json:"alarms"`
	LastRun *time.Time       `json:"last_run,omitempty"`
	NextRun *time.Time       `json:"next_run"`
}

// ArchiveReview is one review of the archive.
type ArchiveReview struct {
	ID        string           `json:"id"`
	Category  string           `json:"category"`
	Items     int64            `json:"items"`
	OpenedAt  *time.Time       `json:"opened_at"`
	DueAt     *time.Time       `json:"due_at"`
	Decision  string           `json:"decision,omitempty" enum:"keep,erase"`
	Signer    account.MemberID `json:"signer,omitempty"`
	DecidedAt *time.Time       `json:"decided_at,omitempty"`
	Removed   int64            `json:"removed"`
}

// ArchivedItem is one item in the archive.
type ArchivedItem struct {
	ID       string          `json:"id"`
	Category string          `json:"category"`
	Item     string          `json:"item"`
	Rows     int64           `json:"rows"`
	Since    *time.Time      `json:"since"`
	Ends     *time.Time      `json:"ends,omitempty"`
	Content  json.RawMessage `json:"content,omitempty" doc:"Of one item that was asked for"`
}

// ReviewDecision signs a review.
type ReviewDecision struct {
	Decision string `json:"decision" enum:"keep,erase"`
	Note     string `json:"note,omitempty" maxLength:"2000"`
}

// PlanConfirmation shows that the plan was seen.
type PlanConfirmation struct {
	Digest string `json:"digest" minLength:"1" doc:"The plan's digest"`
}

func (s *API) retention() {
	handle(s, does(http.MethodGet, "/retention", "get-retention", account.ReadPrivacy, tagRetention, "How retention stands"), s.getRetention)
	handle(s, does(http.MethodGet, "/retention/plan", "plan-retention", account.ReadPrivacy, tagRetention, "What each rule would remove now").saying("Nothing is changed by asking."), s.planRetention)
	handle(s, does(http.MethodGet, "/retention/plans", "list-retention-plans", account.ReadPrivacy, tagRetention, "What was planned and removed, newest first"), s.listPlans)
	handle(s, does(http.MethodPost, "/retention/plans/{plan}/confirm", "confirm-retention-plan", account.ManagePrivacy, tagRetention, "Let a plan go on that takes an unusual share"),
		func(ctx context.Context, in *struct {
			Plan string `path:"plan"`
			Body PlanConfirmation
		}) (*body[RetentionPlan], error) {
			p, err := s.Retain.Confirm(ctx, actorOf(ctx), in.Plan, in.Body.Digest)
			if err != nil {
				return nil, err
			}
			return answerOf(planOf(callerOf(ctx).org, p)), nil
		})
	handle(s, does(http.MethodGet, "/archive", "list-archive", account.OpenArchive, tagRetention, "List what is in the archive"), s.listArchive)
	handle(s, does(http.MethodGet, "/archive/{item}", "open-archived", account.OpenArchive, tagRetention, "Open one archived item").saying("It stands in the audit log."), s.openArchived)
	handle(s, does(http.MethodGet, "/archive-reviews", "list-archive-reviews", account.ReadPrivacy, tagRetention, "List reviews of the archive, newest first"), s.listReviews)
	handle(s, does(http.MethodPost, "/archive-reviews/{review}/decide", "decide-archive-review", account.OpenArchive, tagRetention, "Sign a review of the archive"),
		func(ctx context.Context, in *struct {
			Review string `path:"review"`
			Body   ReviewDecision
		}) (*body[ArchiveReview], error) {
			r, err := s.Retain.Decide(ctx, actorOf(ctx), in.Review, retain.Decision(in.Body.Decision), in.Body.Note)
			if err != nil {
				return nil, err
			}
			return answerOf(reviewOf(callerOf(ctx).org, r)), nil
		})
}

func planOf(org *account.Org, p *retain.Plan) RetentionPlan {
	out := RetentionPlan{ID: p.ID, Keeper: p.Keeper, Category: p.Category, From: string(p.Cut.From), Period: p.Period, State: string(p.State), Stopped: p.Stopped(), Items: p.Count, Rows: p.Rows,
		Share: p.Share(), Oldest: at(org, p.Oldest), Newest: at(org, p.Newest), Held: p.HeldCount, Locked: p.LockedCount, Digest: hex.EncodeToString(p.Digest), DueAt: at(org, p.DueAt), EndedAt: at(org, p.EndedAt),
		Removed: p.Removed, Why: p.Why}
	if p.State == retain.Draft {
		out.ID = ""
	}
	return out
}

func reviewOf(org *account.Org, r *retain.Review) ArchiveReview {
	return ArchiveReview{ID: r.ID, Category: r.Category, Items: r.Items, OpenedAt: at(org, r.OpenedAt), DueAt: at(org, r.DueAt), Decision: string(r.Decision), Signer: r.Signer, DecidedAt: at(org, r.DecidedAt), Removed: r.Removed}
}

func (s *API) getRetention(ctx context.Context, _ *struct{}) (*body[Retention], error) {
	org := callerOf(ctx).org
	st, err := s.Retain.Status(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := Retention{Rules: []RetentionRule{}, Waiting: []RetentionPlan{}, Locked: []RetentionLock{}, Reviews: []ArchiveReview{}, Alarms: []RetentionAlarm{}, LastRun: at(org, st.LastRun), NextRun: at(org, st.NextRun)}
	for _, r := range st.Rules {
		rule := RetentionRule{Category: r.Category, Part: r.Part, From: string(r.From), Max: r.Max.String(), Archive: r.Archive.String(), Notice: r.Notice.String(), Unused: r.Unused, Keepers: append([]string{}, r.Keepers...)}
		for _, f := range r.Floors {
			rule.Floors = append(rule.Floors, RetentionFloor{f.Place, f.Min.String(), f.Cite})
		}
		out.Rules = append(out.Rules, rule)
	}
	for _, p := range st.Waiting {
		out.Waiting = append(out.Waiting, planOf(org, p))
	}
	for _, l := range st.Locks {
		lock := RetentionLock{Category: l.Category, Item: l.Item, Law: l.Law, Until: at(org, l.Until)}
		if l.Who != (subject.Ref{}) {
			lock.Person = l.Who.String()
		}
		out.Locked = append(out.Locked, lock)
	}
	for _, r := range st.Reviews {
		out.Reviews = append(out.Reviews, reviewOf(org, r))
	}
	for _, a := range st.Alarms {
		out.Alarms = append(out.Alarms, RetentionAlarm{a.Kind, a.Object})
	}
	return answerOf(out), nil
}

func (s *API) planRetention(ctx context.Context, _ *struct{}) (*body[[]RetentionPlan], error) {
	org := callerOf(ctx).org
	plans, err := s.Retain.Plans(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := make([]RetentionPlan, len(plans))
	for i, p := range plans {
		out[i] = planOf(org, p)
	}
	return answerOf(out), nil
}

// plansShown is how far back the API lists.
const plansShown = 1000

func (s *API) listPlans(ctx context.Context, in *struct{ Paging }) (*body[Page[RetentionPlan]], error) {
	org := callerOf(ctx).org
	plans, err := s.Retain.History(ctx, org.ID, plansShown)
	if err != nil {
		return nil, err
	}
	out := make([]RetentionPlan, len(plans))
	for i, p := range plans {
		out[i] = planOf(org, p)
	}
	return pageOf(out, in.Paging, func(p RetentionPlan) string { return p.ID })
}

func (s *API) listArchive(ctx context.Context, in *struct{ Paging }) (*body[Page[ArchivedItem]], error) {
	org := callerOf(ctx).org
	all, err := s.Retain.Archive(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]ArchivedItem, len(all))
	for i, a := range all {
		out[i] = ArchivedItem{ID: a.ID, Category: a.Category, Item: a.Item, Rows: a.Rows, Since: at(org, a.Since), Ends: at(org, a.Ends)}
	}
	return pageOf(out, in.Paging, func(a ArchivedItem) string { return a.ID })
}

func (s *API) openArchived(ctx context.Context, in *struct {
	Item string `path:"item"`
}) (*body[ArchivedItem], error) {
	org := callerOf(ctx).org
	a, content, err := s.Retain.Open(ctx, actorOf(ctx), in.Item)
	if err != nil {
		return nil, err
	}
	if !json.Valid(content) {
		if content, err = json.Marshal(content); err != nil {
			return nil, err
		}
	}
	return answerOf(ArchivedItem{ID: a.ID, Category: a.Category, Item: a.Item, Rows: a.Rows, Since: at(org, a.Since), Content: content}), nil
}

func (s *API) listReviews(ctx context.Context, in *struct{ Paging }) (*body[Page[ArchiveReview]], error) {
	org := callerOf(ctx).org
	all, err := s.Retain.Reviews(ctx, org.ID, plansShown)
	if err != nil {
		return nil, err
	}
	out := make([]ArchiveReview, len(all))
	for i, r := range all {
		out[i] = reviewOf(org, r)
	}
	return pageOf(out, in.Paging, func(r ArchiveReview) string { return r.ID })
}
