package incident

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/law"
	"parley/trust/policy"
)

//go:embed notice/*.txt
var notices embed.FS

// Languages are those that notices are drafted in.
func Languages() []string { return []string{"en", "hi"} }

// draft is what a notice is written from.
type draft struct {
	*Incident
	Organisation string
	Controller   policy.Controller
	To           string
	Law          string
	Contact      policy.Officer
	Categories   []string
	Measures     []Step
	Steps        []Step
	Clocks       []Clock
	Residents    []string
	zone         *time.Location
}

// Time writes a time in the organisation's zone.
func (d draft) Time(t time.Time) string {
	if t.IsZero() {
		return "?"
	}
	return t.In(d.zone).Format("2006-01-02 15:04 MST")
}

// Counted tells whether the people concerned were counted.
func (d draft) Counted() bool { return d.Affected >= 0 }

// Draft writes the notice that a clock asks for, in a language: to the authority, or to the people concerned. It is a
// draft: somebody reads it, completes it and sends it.
func (x *Incidents) Draft(ctx context.Context, by *account.Actor, incident, clock, language string) (string, error) {
	i, err := x.One(ctx, by, incident)
	if err != nil {
		return "", err
	}
	d, err := x.draftOf(ctx, by.Org, i, language)
	if err != nil {
		return "", err
	}
	for _, c := range d.Clocks {
		if c.Key != clock {
			continue
		}
		d.To, d.Law = c.Name, c.Row.Conditions
		name := "authority"
		if c.Whom == law.People {
			name = "people"
		}
		return d.write(name, language)
	}
	return "", fault.New(fault.NotFound, "This incident has no duty %q to tell somebody.", clock)
}

func (x *Incidents) draftOf(ctx context.Context, org *account.Org, i *Incident, language string) (*draft, error) {
	doc, err := x.d.Policy(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	steps, err := x.Steps(ctx, i)
	if err != nil {
		return nil, err
	}
	clocks, err := x.clocks(org, i, steps)
	if err != nil {
		return nil, err
	}
	d := &draft{Incident: i, Organisation: org.Name, Controller: doc.Controller, Steps: steps, Clocks: clocks, Contact: doc.Controller.PrivacyOfficer, Residents: i.Places, zone: org.Location()}
	if d.Contact.Email == "" {
		d.Contact = doc.Controller.GrievanceOfficer
	}
	for _, key := range i.Categories {
		if c := doc.Category(key); c != nil {
			d.Categories = append(d.Categories, c.Title.In(language, doc.Languages))
		}
	}
	for _, s := range steps {
		if s.Kind == Measure {
			d.Measures = append(d.Measures, s)
		}
	}
	return d, nil
}

func (d *draft) write(name, language string) (string, error) {
	if language != "hi" {
		language = "en"
	}
	t, err := template.ParseFS(notices, fmt.Sprintf("notice/%s.%s.txt", name, language))
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()) + "\n", nil
}

// Close closes a file with a report, written from its steps and clocks. It is refused while a clock runs: write down the
// notice, or why none was needed.
func (x *Incidents) Close(ctx context.Context, by *account.Actor, incident, lessons string) (*Incident, error) {
	i, err := x.open(ctx, by, incident)
	if err != nil {
		return nil, err
	}
	if lessons = strings.TrimSpace(lessons); lessons == "" || len(lessons) > maxText {
		return nil, fault.Field("lessons", "Say what caused it and what keeps it from happening again, in at most %d characters.", maxText)
	}
	d, err := x.draftOf(ctx, by.Org, i, "en")
	if err != nil {
		return nil, err
	}
	for _, c := range d.Clocks {
		if c.Running() {
			return nil, fault.New(fault.Conflict, "A clock still runs: %s is to be told (%s). Write down that it was, or why it need not be, then close the file.", c.Name, c.Within)
		}
	}
	i.State, i.ClosedBy, i.ClosedAt = Closed, by.Member.ID, x.d.Now()
	d.Steps = append(d.Steps, Step{N: int64(len(d.Steps)) + 1, Kind: reported, By: by.Member.ID, At: i.ClosedAt, Text: lessons})
	if i.Report, err = d.write("report", "en"); err != nil {
		return nil, err
	}
	return i, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		k, err := x.d.Keys.Org(ctx, int64(i.Org))
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE incidents SET state = $3, closed_by = $4, closed_ms = $5, report_sealed = $6 WHERE org_id = $1 AND id = $2 AND state = 'open'`,
			i.Org, i.ID, i.State, i.ClosedBy, ms(i.ClosedAt), k.Seal("incidents.report|"+i.ID, []byte(i.Report)))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "Somebody else closed this file a moment ago.")
		}
		return x.note(ctx, tx, by, i, "closed", nil)
	})
}
