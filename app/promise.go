package app

import (
	"context"
	"strings"

	"parley/platform/fault"
	"parley/trust/prove"
)

type policyTestCmd struct {
	asJSON
	All bool `help:"List every promise, not only those without a rule or a test."`
}

// promiseRow is a promise as JSON.
type promiseRow struct {
	ID    string   `json:"id"`
	Kind  string   `json:"kind"`
	Title string   `json:"title"`
	Rule  string   `json:"rule"`
	Tests []string `json:"tests"`
	State string   `json:"state"` // kept, open, lacking
}

func (c *policyTestCmd) plain(_ context.Context, r *Run) error {
	var rows []promiseRow
	count := map[string]int{}
	var lacking []string
	for _, p := range prove.Promises() {
		row := promiseRow{p.ID, string(p.Kind), p.Title, p.Rule, p.Tests, "kept"}
		switch {
		case p.Open():
			row.State = "open"
		case !p.Kept():
			row.State = "lacking"
			if p.Kind != prove.Attested {
				lacking = append(lacking, p.ID)
			}
		}
		count[row.State]++
		rows = append(rows, row)
	}
	if c.JSON {
		if err := writeJSON(r, rows); err != nil {
			return err
		}
	} else if err := c.print(r, rows, count); err != nil {
		return err
	}
	if len(lacking) > 0 {
		return fault.New(fault.Conflict, "%d promises of features that are here lack a rule or a test: %s.", len(lacking), strings.Join(lacking, ", "))
	}
	return nil
}

func (c *policyTestCmd) print(r *Run, rows []promiseRow, count map[string]int) error {
	for _, row := range rows {
		if row.State == "kept" && !c.All {
			continue
		}
		if err := r.printf("%-5s %s %-8s %s (%s)\n", row.ID, row.Kind, row.State, row.Title, row.Rule); err != nil {
			return err
		}
		if c.All {
			for _, t := range row.Tests {
				if err := r.printf("                 %s\n", t); err != nil {
					return err
				}
			}
		}
	}
	return r.printf("%d promises: %d kept by a rule and a test, %d open until their feature comes, %d lacking.\n", len(rows), count["kept"], count["open"], count["lacking"])
}
