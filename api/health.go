package api

import (
	"context"
	"net/http"
	"time"

	"parley/platform/db"
	"parley/platform/fault"
)

// Health says that the server answers.
type Health struct {
	Status  string    `json:"status" enum:"ok"`
	Version string    `json:"version" doc:"The program's version"`
	Time    time.Time `json:"time" doc:"The server's clock, in UTC"`
}

func (s *API) health() {
	o := does(http.MethodGet, "/health", "get-health", NeedsNothing, "Server", "Whether the server answers").
		saying("Reads one value from the database. 503 when that fails.")
	handle(s, o, func(ctx context.Context, _ *struct{}) (*body[Health], error) {
		_, _, err := db.One(ctx, s.DB, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1`)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "The database does not answer. Try again in a minute.")
		}
		return answerOf(Health{Status: "ok", Version: s.Version, Time: s.Now().UTC()}), nil
	})
}
