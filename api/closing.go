package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
)

// ClosingOrder closes the organisation.
type ClosingOrder struct {
	Days int `json:"days,omitempty" minimum:"1" maximum:"30" default:"7" doc:"During which it can be taken back"`
}

// Closing says whether the organisation is being closed.
type Closing struct {
	Closing  bool       `json:"closing"`
	AskedAt  *time.Time `json:"asked_at,omitempty"`
	ClosesAt *time.Time `json:"closes_at,omitempty" doc:"When it will be gone"`
}

func (s *API) closing() {
	handle(s, does(http.MethodPost, "/organisation/close", "close-organisation", account.CloseOrg, tagOrganisation, "Close the organisation").
		saying("It is locked now: owners can still look and take copies. When the days are over everything is removed and the keys are destroyed; the owners get a receipt by mail."),
		func(ctx context.Context, in *struct{ Body ClosingOrder }) (*body[Closing], error) {
			org, err := s.Accounts.CloseOrg(ctx, actorOf(ctx), time.Duration(in.Body.Days)*24*time.Hour)
			return closingOf(org, err)
		})
	handle(s, does(http.MethodPost, "/organisation/reopen", "reopen-organisation", account.CloseOrg, tagOrganisation, "Take the closing back"),
		func(ctx context.Context, _ *struct{}) (*body[Closing], error) {
			org, err := s.Accounts.ReopenOrg(ctx, actorOf(ctx))
			return closingOf(org, err)
		})
}

func closingOf(org *account.Org, err error) (*body[Closing], error) {
	if err != nil {
		return nil, err
	}
	return answerOf(Closing{Closing: org.Closing(), AskedAt: at(org, org.ClosingAt), ClosesAt: at(org, org.ClosesAt)}), nil
}
