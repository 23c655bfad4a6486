package intake

import (
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/crm/field"
	"parley/crm/lead"
)

// leadSheet is what the rows of leads are written with.
type leadSheet struct {
	zone      *time.Location
	owners    map[account.MemberID]string
	pipelines []*lead.Pipeline
	reasons   []lead.Reason
	own       []field.Def
}

// leadHeaders are the columns about a lead. An import knows all again but pipeline, outcome, reason and the moments.
func leadHeaders() []string {
	return []string{"Value", "Currency", "Lead source", "Lead date", "Stage", "Due date", "Pipeline", "Outcome", "Reason", "Attempts", "Made", "Closed", "Last touch"}
}

func (x *leadSheet) cells(r lead.Row) []cell {
	l := r.Lead
	out := personCells(r.Who, x.owners[l.Owner], l.Tags)
	day := ""
	if l.SourceDay != 0 {
		day = l.SourceDay.String()
	}
	due := ""
	if !l.Due.IsZero() {
		due = l.Due.In(x.zone).Format(time.DateOnly)
	}
	value := ""
	if l.Value != 0 {
		value = amount(l.Value, l.Currency)
	}
	pipeline, stage := l.Pipeline, l.Stage
	for _, p := range x.pipelines {
		if p.Key != l.Pipeline {
			continue
		}
		pipeline = p.Title
		if s, ok := p.Stage(l.Stage); ok {
			stage = s.Title
		}
	}
	reason := l.Reason
	for _, one := range x.reasons {
		if one.Key == l.Reason {
			reason = one.Title
		}
	}
	out = append(out, texts(value, l.Currency, l.Source, day, stage, due, pipeline, l.State.String(), reason, strconv.Itoa(l.Attempts), x.moment(l.Made), x.moment(l.Closed), x.moment(l.Last))...)
	for _, d := range x.own {
		if d.Of == field.OfLead {
			out = append(out, cell{text: l.Custom[d.Key]})
		} else {
			out = append(out, cell{text: r.Who.Person.Custom[d.Key]})
		}
	}
	return out
}

func (x *leadSheet) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(x.zone).Format(time.DateTime)
}

// amount writes an amount of the minor unit: 125000.50.
func amount(minor int64, currency string) string {
	places := lead.MinorDigits(currency)
	digits := strconv.FormatInt(minor, 10)
	if places == 0 {
		return digits
	}
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	return digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}
