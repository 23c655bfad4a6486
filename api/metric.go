package api

import (
	"context"
	"net/http"

	"parley/account"
	"parley/calls/stats"
	"parley/crm/funnel"
)

const tagReports = "Reports"

// Metric is one figure with its published definition.
type Metric struct {
	ID         stats.MetricID `json:"id"`
	Title      string         `json:"title"`
	Definition string         `json:"definition"`
	Unit       stats.Unit     `json:"unit" enum:"calls,people,seconds,ratio,leads,follow_ups,amount"`
	List       stats.List     `json:"list,omitempty" doc:"The list of people behind the figure; absent where its rows are calls"`
	LessBetter bool           `json:"less_is_better"`
}

func (s *API) metrics() {
	handle(s, does(http.MethodGet, "/metrics", "list-metrics", account.ReadReports, tagReports, "Every metric with its definition").
		saying("The ids are the same in pages, answers, exports and on the command line."),
		func(context.Context, *struct{}) (*body[Page[Metric]], error) {
			out := Page[Metric]{}
			for _, m := range stats.Metrics() {
				out.Items = append(out.Items, Metric{ID: m.ID, Title: m.Title, Definition: m.Definition, Unit: m.Unit, List: m.List, LessBetter: m.Down})
			}
			for _, m := range funnel.Metrics() {
				out.Items = append(out.Items, Metric{ID: m.ID, Title: m.Title, Definition: m.Definition, Unit: m.Unit, LessBetter: m.Down})
			}
			return answerOf(out), nil
		})
}
