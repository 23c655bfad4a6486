package funnel

import (
	"context"

	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/lead"
)

// Sheet makes the rows of a report: for report.Reports.Outside. Amounts are in the currency's usual unit.
func (f *Funnel) Sheet(ctx context.Context, v *report.View, id report.ID) ([]report.Column, [][]report.Value, error) {
	r, err := f.Report(ctx, v, id, By(v.Ask.By))
	if err != nil {
		return nil, nil, err
	}
	columns := []report.Column{{Key: string(r.By), Title: "Group", Kind: report.Text}, {Key: "title", Title: "Name", Kind: report.Text}}
	money := false
	for _, m := range r.Metrics {
		money = money || m.Unit == UnitAmount
	}
	if money {
		columns = append(columns, report.Column{Key: "currency", Title: "Currency", Kind: report.Text})
	}
	for _, m := range r.Metrics {
		columns = append(columns, report.Column{Key: string(m.ID), Title: m.Title, Kind: kindOf(m.Unit)})
	}
	var rows [][]report.Value
	for i := range r.Groups {
		g := &r.Groups[i]
		row := []report.Value{g.Key, g.Title}
		if money {
			row = append(row, g.Currency)
		}
		for _, m := range r.Metrics {
			row = append(row, cell(&m, g))
		}
		rows = append(rows, row)
	}
	return columns, rows, nil
}

func kindOf(u stats.Unit) report.Kind {
	switch u {
	case stats.UnitRatio:
		return report.Ratio
	case stats.UnitSeconds:
		return report.Seconds
	case UnitAmount, stats.UnitCalls:
		return report.Mixed
	default:
		return report.Count
	}
}

// cell is a figure as sheets have it: nil where there is nothing to divide by.
func cell(m *Metric, g *Group) report.Value {
	v, ok := m.Value(&g.Figures)
	switch {
	case !ok:
		return nil
	case m.Unit == UnitAmount:
		for range lead.MinorDigits(g.Currency) {
			v /= 10
		}
		return v
	case m.Unit == stats.UnitRatio || m.Unit == stats.UnitSeconds || m.ID == "attempts_per_lead":
		return v
	default:
		return int64(v)
	}
}
