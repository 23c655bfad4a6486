package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/calls/person"
	"parley/trust/hold"
	"parley/trust/subject"
)

// Hold is one legal hold.
type Hold struct {
	ID         string             `json:"id"`
	Scope      hold.Scope         `json:"scope" enum:"person,case,category"`
	Case       string             `json:"case,omitempty"`
	Numbers    []number.Key       `json:"numbers,omitempty" doc:"Ids of numbers"`
	Members    []account.MemberID `json:"members,omitempty"`
	Categories []string           `json:"categories,omitempty" doc:"Absent: all"`
	Reason     string             `json:"reason"`
	Owner      account.MemberID   `json:"owner" doc:"Who answers for it"`
	EndsAt     *time.Time         `json:"ends_at"`
	Active     bool               `json:"active"`
	CreatedAt  *time.Time         `json:"created_at"`
	ReleasedAt *time.Time         `json:"released_at,omitempty"`
	Released   string             `json:"release_reason,omitempty"`
	Refused    int64              `json:"refused" doc:"Deletions it has stopped"`
}

// NewHold is a hold that is to come into force.
type NewHold struct {
	Scope      string             `json:"scope" enum:"person,case,category"`
	Case       string             `json:"case,omitempty" maxLength:"200"`
	Numbers    []string           `json:"numbers,omitempty" maxItems:"1000" doc:"Phone numbers, as people write them; they need not have called yet"`
	Members    []account.MemberID `json:"members,omitempty" maxItems:"1000"`
	Categories []string           `json:"categories,omitempty" maxItems:"50" doc:"Keys of the privacy policy; left out: all"`
	Reason     string             `json:"reason" minLength:"1" maxLength:"2000"`
	Owner      account.MemberID   `json:"owner" minLength:"1" doc:"The member who answers for it"`
	EndsAt     time.Time          `json:"ends_at"`
}

// HoldEnd is a hold's new end.
type HoldEnd struct {
	EndsAt time.Time `json:"ends_at"`
}

// HoldRelease says why a hold ends.
type HoldRelease struct {
	Reason string `json:"reason" minLength:"1" maxLength:"2000"`
}

// HoldPath names a hold.
type HoldPath struct {
	Hold string `path:"hold"`
}

func (s *API) holds() {
	handle(s, does(http.MethodGet, "/holds", "list-holds", account.ReadPrivacy, tagConsent, "List legal holds").saying("Ended ones too, newest first."), s.listHolds)
	handle(s, does(http.MethodPost, "/holds", "add-hold", account.ManagePrivacy, tagConsent, "Put a legal hold into force").
		saying("What it covers is not deleted by anybody until it ends or is released.").giving(http.StatusCreated), s.addHold)
	handle(s, does(http.MethodGet, "/holds/{hold}", "get-hold", account.ReadPrivacy, tagConsent, "One legal hold"),
		func(ctx context.Context, in *HoldPath) (*body[Hold], error) {
			h, err := s.Holds.Get(ctx, callerOf(ctx).org.ID, in.Hold)
			return s.holdAnswer(ctx, h, err)
		})
	handle(s, does(http.MethodPost, "/holds/{hold}/extend", "extend-hold", account.ManagePrivacy, tagConsent, "Move the end of a legal hold"),
		func(ctx context.Context, in *struct {
			HoldPath
			Body HoldEnd
		}) (*body[Hold], error) {
			h, err := s.Holds.Extend(ctx, actorOf(ctx), in.Hold, in.Body.EndsAt)
			return s.holdAnswer(ctx, h, err)
		})
	handle(s, does(http.MethodPost, "/holds/{hold}/release", "release-hold", account.ManagePrivacy, tagConsent, "Release a legal hold"),
		func(ctx context.Context, in *struct {
			HoldPath
			Body HoldRelease
		}) (*body[Hold], error) {
			h, err := s.Holds.Release(ctx, actorOf(ctx), in.Hold, in.Body.Reason)
			return s.holdAnswer(ctx, h, err)
		})
}

func (s *API) holdAnswer(ctx context.Context, h *hold.Hold, err error) (*body[Hold], error) {
	if err != nil {
		return nil, err
	}
	out, err := s.holdOf(ctx, callerOf(ctx).org, h)
	return answerOf(out), err
}

func (s *API) holdOf(ctx context.Context, org *account.Org, h *hold.Hold) (Hold, error) {
	out := Hold{ID: h.ID, Scope: h.Scope, Case: h.Case, Categories: h.Categories, Reason: h.Reason, Owner: h.Owner, EndsAt: at(org, h.Ends), Active: h.Active(s.Now()),
		CreatedAt: at(org, h.CreatedAt), ReleasedAt: at(org, h.ReleasedAt), Released: h.ReleaseReason}
	for _, r := range h.Refused {
		out.Refused += r.Times
	}
	var ids []number.ID
	for _, p := range h.Persons {
		if n := p.Num(); n > 0 {
			ids = append(ids, number.ID(n))
		} else {
			out.Members = append(out.Members, account.MemberID(p.ID))
		}
	}
	texts, err := s.Book.Show(ctx, s.DB, org.ID, ids)
	if err != nil {
		return out, err
	}
	for _, n := range ids {
		if text, ok := texts[n]; ok {
			key, err := s.Book.Key(ctx, org.ID, text)
			if err != nil {
				return out, err
			}
			out.Numbers = append(out.Numbers, key)
		}
	}
	return out, nil
}

func (s *API) listHolds(ctx context.Context, in *struct{ Paging }) (*body[Page[Hold]], error) {
	org := callerOf(ctx).org
	all, err := s.Holds.List(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Hold, len(all))
	for i, h := range all {
		if out[i], err = s.holdOf(ctx, org, h); err != nil {
			return nil, err
		}
	}
	return pageOf(out, in.Paging, func(h Hold) string { return h.ID })
}

func (s *API) addHold(ctx context.Context, in *struct{ Body NewHold }) (*body[Hold], error) {
	b, a := in.Body, actorOf(ctx)
	h := hold.Hold{Scope: hold.Scope(b.Scope), Case: b.Case, Categories: b.Categories, Reason: b.Reason, Owner: b.Owner, Ends: b.EndsAt}
	for _, m := range b.Members {
		if _, err := s.Accounts.Member(ctx, a.Org.ID, m); err != nil {
			return nil, err
		}
		h.Persons = append(h.Persons, subject.OfMember(string(m)))
	}
	numbers, err := person.Enter(ctx, s.DB, s.Book, a.Org, "numbers", b.Numbers)
	if err != nil {
		return nil, err
	}
	h.Persons = append(h.Persons, numbers...)
	made, err := s.Holds.Add(ctx, a, h)
	return s.holdAnswer(ctx, made, err)
}
