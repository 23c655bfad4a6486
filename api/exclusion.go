package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/phone"
)

// Exclusion is one number that is kept out.
type Exclusion struct {
	ID       number.Key       `json:"id" doc:"The number's id"`
	Number   string           `json:"number"`
	Strength string           `json:"strength" enum:"hidden,never_stored" doc:"hidden: stored, and left out of reports; never_stored: dropped on the phone, and again here"`
	Label    string           `json:"label,omitempty"`
	AddedBy  account.MemberID `json:"added_by,omitempty"`
	AddedAt  *time.Time       `json:"added_at"`
}

// NewExclusion is a number to be kept out.
type NewExclusion struct {
	Number   string `json:"number" minLength:"1" maxLength:"60" doc:"As people write it, in the organisation's country"`
	Strength string `json:"strength" enum:"hidden,never_stored"`
	Label    string `json:"label,omitempty" maxLength:"200"`
}

func (s *API) exclusions() {
	handle(s, does(http.MethodGet, "/exclusions", "list-exclusions", account.ManageExclusions, tagLines, "List excluded numbers"), s.listExclusions)
	handle(s, does(http.MethodPost, "/exclusions", "exclude-number", account.ManageExclusions, tagLines, "Exclude a number").
		saying("Excluding it again changes strength and label. Calls that are stored already are hidden from reports, whatever the strength.").giving(http.StatusCreated), s.exclude)
	handle(s, does(http.MethodDelete, "/exclusions/{number}", "include-number", account.ManageExclusions, tagLines, "Take a number off the list").giving(http.StatusNoContent),
		func(ctx context.Context, in *NumberPath) (*struct{}, error) {
			return nil, s.Writer.Include(ctx, callerOf(ctx).org, in.Number)
		})
}

func exclusionOf(org *account.Org, e *number.Exclusion) Exclusion {
	return Exclusion{ID: e.Key, Number: e.Number, Strength: e.Strength.String(), Label: e.Label, AddedBy: account.MemberID(e.AddedBy), AddedAt: at(org, e.AddedAt)}
}

func (s *API) listExclusions(ctx context.Context, in *struct{ Paging }) (*body[Page[Exclusion]], error) {
	org := callerOf(ctx).org
	all, err := s.Book.Exclusions(ctx, s.DB, org.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Exclusion, len(all))
	for i := range all {
		out[i] = exclusionOf(org, &all[i])
	}
	return pageOf(out, in.Paging, func(e Exclusion) string { return string(e.ID) })
}

func (s *API) exclude(ctx context.Context, in *struct{ Body NewExclusion }) (*body[Exclusion], error) {
	a := actorOf(ctx)
	strength, err := number.ParseStrength(in.Body.Strength)
	if err != nil {
		return nil, err
	}
	e := number.Exclusion{
		Number: phone.Parse(in.Body.Number, a.Org.Country).Canonical(), Strength: strength, Label: in.Body.Label, AddedBy: string(a.Member.ID), AddedAt: s.Now(),
	}
	if err := s.Writer.Exclude(ctx, a.Org, e); err != nil {
		return nil, err
	}
	e.Key, err = s.Book.Key(ctx, a.Org.ID, e.Number)
	return answerOf(exclusionOf(a.Org, &e)), err
}
