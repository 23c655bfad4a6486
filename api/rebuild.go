package api

import (
	"context"

	"parley/account"
)

// rebuild has all figures of an organisation computed anew in the background.
func (s *API) rebuild(ctx context.Context, org *account.Org) {
	s.work.run(ctx, func(ctx context.Context) {
		if err := s.Writer.Rebuild(ctx, org, nil); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "rebuild failed", "org", org.ID, "error", err)
		}
	})
}
