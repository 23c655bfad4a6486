package app

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/platform/civil"
	"parley/platform/phone"
	"parley/reach/mail"
	"parley/trust/incident"
	"parley/trust/law"
	"parley/trust/rights"
	"parley/trust/subject"
	"parley/web/phrase"
)

// incidents makes the files of incidents, requests of authorities and transfers.
func (p *Parley) incidents() (*incident.Incidents, error) {
	laws, err := law.Load()
	if err != nil {
		return nil, err
	}
	x := incident.New(incident.Deps{
		DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Log: p.Audit, Laws: laws, Policy: p.policyOf, Affected: p.affected, Tell: p.tellIncident, Now: p.Now,
		Export: func(ctx context.Context, org account.OrgID, s incident.LegalScope, w io.Writer) (int64, error) {
			return p.Rights.WritePart(ctx, org, s.Persons, rights.Part{Categories: s.Categories, From: s.From, To: s.To}, w)
		},
	})
	p.Accounts.OnSecurity(func(ctx context.Context, e account.SecurityEvent) error {
		return errors.Join(p.logSecurity(ctx, e), x.RecordSecurity(ctx, e))
	})
	return x, nil
}

// affected lists the people outside who have calls within a scope.
func (p *Parley) affected(ctx context.Context, org *account.Org, s incident.Scope) ([]incident.Person, error) {
	var agents []account.AgentNo
	for _, id := range s.Agents {
		m, err := p.Accounts.Member(ctx, org.ID, id)
		if err != nil {
			return nil, err
		}
		if m.Agent == 0 {
			return nil, invalidf("%s has no calls, so the incident cannot be about theirs. Name agents.", m.Name)
		}
		agents = append(agents, m.Agent)
	}
	all, err := p.Calls.Concerned(ctx, org.ID, s.From, s.To, agents)
	if err != nil {
		return nil, err
	}
	ids := make([]number.ID, len(all))
	for i, c := range all {
		ids[i] = c.Number
	}
	texts, err := p.Book.Texts(ctx, p.DB, org.ID, ids)
	if err != nil {
		return nil, err
	}
	var only []string
	for _, n := range s.Numbers {
		only = append(only, phone.Parse(n, org.Country).Canonical())
	}
	out := make([]incident.Person, 0, len(all))
	for _, c := range all {
		text := texts[c.Number]
		if len(only) > 0 && !slices.Contains(only, text) {
			continue
		}
		out = append(out, incident.Person{Who: subject.OfNumber(int64(c.Number)), Number: text, Country: phone.Country(text), Calls: c.Calls})
	}
	return out, nil
}

// tellIncident mails the owners and privacy officers about a clock, and everybody about a transfer.
func (p *Parley) tellIncident(ctx context.Context, org *account.Org, l incident.Letter) (int, error) {
	members, err := p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return 0, err
	}
	words := phrase.For(org.Locale).In(org.Location())
	told := 0
	for _, m := range members {
		if m.Email == "" || !m.Active || l.Kind == incident.ClockAlarm && m.Role != account.Owner && m.Role != account.PrivacyOfficer {
			continue
		}
		var subject, text string
		if l.Kind == incident.ClockAlarm {
			args := []any{"Organisation", org.Name, "Whom", l.Clock.Name, "Within", l.Clock.Within.String(), "Time", words.DateTime(l.Clock.Due), "Link", p.Config.base() + "/trust/incidents/" + l.Incident.ID}
			subject, text = words.T("mail.incident.subject", args...), words.T("mail.incident.text", args...)
			if l.Clock.Overdue(p.Now()) {
				text = words.T("mail.incident.over", args...)
			}
		} else {
			args := []any{"Organisation", org.Name, "Successor", l.Transfer.Successor, "Reason", l.Transfer.Reason, "Contact", l.Transfer.Contact, "Day", words.Date(civil.DayOf(l.Transfer.Until, org.Location()))}
			subject, text = words.T("mail.transfer.subject", args...), words.T("mail.transfer.text", args...)
		}
		if err := p.Mail.Send(ctx, mail.Message{Org: org.ID, To: m.Email, Subject: subject, Text: text}); err != nil {
			return told, err
		}
		told++
	}
	return told, nil
}

// writeAffected writes the people whom an incident concerns as CSV.
func writeAffected(w io.Writer, people []incident.Person) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"number", "country", "calls"}); err != nil {
		return err
	}
	for _, x := range people {
		if err := out.Write([]string{x.Number, x.Country, strconv.FormatInt(x.Calls, 10)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

type incidentCmd struct {
	Add    incidentAddCmd    `cmd:"" help:"Open the file of an incident with people's data. The clocks of the laws run from when it was noticed."`
	List   incidentListCmd   `cmd:"" help:"List the files."`
	Show   incidentShowCmd   `cmd:"" help:"Show one file with its clocks and steps."`
	Count  incidentCountCmd  `cmd:"" help:"Count the people concerned."`
	People incidentPeopleCmd `cmd:"" help:"Write the people concerned as CSV."`
	Step   incidentStepCmd   `cmd:"" help:"Write down what was done: a note, measure, decision, notice, or why nobody need be told."`
	Draft  incidentDraftCmd  `cmd:"" help:"Draft the notice that a clock asks for."`
	Close  incidentCloseCmd  `cmd:"" help:"Close a file with its report."`
}

type incidentAddCmd struct {
	inOrg
	Title        string   `arg:"" help:"What it is, in a few words."`
	What         string   `help:"What happened."`
	Systems      string   `help:"Which systems."`
	Consequences string   `help:"Likely consequences for the people concerned."`
	Advice       string   `help:"What they can do."`
	Category     []string `help:"Categories of the privacy policy, such as call.meta."`
	Place        []string `help:"Countries of people concerned, besides the organisation's own, such as DE."`
	Risk         string   `enum:"low,high" default:"high" help:"For the people concerned: low or high."`
	Noticed      string   `placeholder:"2027-06-01T14:30" help:"When it was noticed; now, when nothing is said."`
	Began        string   `placeholder:"2027-06-01T14:30" help:"When it began."`
	Ended        string   `placeholder:"2027-06-01T14:30" help:"When it ended."`
	From         string   `placeholder:"2027-05-01" help:"First day of the calls concerned."`
	To           string   `placeholder:"2027-05-31" help:"Last day of the calls concerned."`
	Agent        []string `help:"Agents whose calls are concerned, by name, e-mail address or id; all, when none is named."`
	Number       []string `help:"Phone numbers concerned; all, when none is named."`
}

func (c *incidentAddCmd) facts(ctx context.Context, r *Run, org *account.Org) (f incident.Facts, err error) {
	f = incident.Facts{Title: c.Title, What: c.What, Systems: c.Systems, Consequences: c.Consequences, Advice: c.Advice, Categories: c.Category, Places: c.Place, Risk: incident.Risk(c.Risk)}
	for _, t := range []struct {
		text string
		to   *time.Time
	}{{c.Noticed, &f.Noticed}, {c.Began, &f.Began}, {c.Ended, &f.Ended}} {
		if *t.to, err = momentIn(t.text, org); err != nil {
			return f, err
		}
	}
	for _, d := range []struct {
		text string
		to   *civil.Day
	}{{c.From, &f.Scope.From}, {c.To, &f.Scope.To}} {
		if d.text == "" {
			continue
		}
		if *d.to, err = civil.Parse(d.text); err != nil {
			return f, invalidf("%q is no day. Write it as 2027-05-31.", d.text)
		}
	}
	for _, name := range c.Agent {
		m, err := r.p.Accounts.FindAgent(ctx, org.ID, name)
		if err != nil {
			return f, err
		}
		f.Scope.Agents = append(f.Scope.Agents, m.ID)
	}
	for _, n := range c.Number {
		f.Scope.Numbers = append(f.Scope.Numbers, phone.Parse(n, org.Country).Canonical())
	}
	return f, nil
}

// momentIn reads a local time of an organisation; "" is no time.
func momentIn(text string, org *account.Org) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, org.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, invalidf("%q is no time. Write it as 2027-06-01T14:30.", text)
}

func (c *incidentAddCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	f, err := c.facts(ctx, r, org)
	if err != nil {
		return err
	}
	by := r.p.Accounts.Operator(org)
	i, err := r.p.Incidents.Add(ctx, by, f)
	if err != nil {
		return err
	}
	if i, err = r.p.Incidents.Count(ctx, by, i.ID); err != nil {
		return err
	}
	if err := r.printf("The file %s is open; %d people are concerned.\n", i.ID, i.Affected); err != nil {
		return err
	}
	return printClocks(ctx, r, org, i)
}

func printClocks(ctx context.Context, r *Run, org *account.Org, i *incident.Incident) error {
	clocks, err := r.p.Incidents.Clocks(ctx, i)
	if err != nil {
		return err
	}
	return asJSON{}.write(r, nil, func(t *table) {
		t.row("CLOCK", "WHOM", "WITHIN", "UNTIL", "DONE", "LAW")
		for _, c := range clocks {
			done := clockText(org, c.Done)
			if c.Running() && c.Overdue(r.p.Now()) {
				done = "OVERDUE"
			}
			if c.Waived {
				done += " (not told)"
			}
			t.row(c.Key, c.Name, c.Within, clockText(org, c.Due), done, c.Row.Conditions)
		}
	})
}

func clockText(org *account.Org, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(org.Location()).Format("2006-01-02 15:04")
}

type incidentListCmd struct {
	inOrg
	asJSON
}

// incidentView is a file as JSON.
type incidentView struct {
	ID         string    `json:"id"`
	Title      string    `json:"title"`
	State      string    `json:"state"`
	Risk       string    `json:"risk"`
	Noticed    time.Time `json:"noticed"`
	Categories []string  `json:"categories"`
	Places     []string  `json:"places"`
	Affected   int64     `json:"people"` // -1 = not counted
	Closed     time.Time `json:"closed,omitzero"`
}

func viewIncident(i *incident.Incident) incidentView {
	return incidentView{i.ID, i.Title, string(i.State), string(i.Risk), i.Noticed, i.Categories, i.Places, i.Affected, i.ClosedAt}
}

func (c *incidentListCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Incidents.List(ctx, r.p.Accounts.Operator(org))
	if err != nil {
		return err
	}
	out := make([]incidentView, len(all))
	for i, x := range all {
		out[i] = viewIncident(x)
	}
	return c.write(r, out, func(t *table) {
		t.row("ID", "NOTICED", "STATE", "RISK", "PEOPLE", "TITLE")
		for _, v := range out {
			t.row(v.ID, clockText(org, v.Noticed), v.State, v.Risk, v.Affected, v.Title)
		}
	})
}

// ofIncident is a command about one file.
type ofIncident struct {
	inOrg
	ID string `arg:"" help:"The file, from \"parley incident list\"."`
}

func (c *ofIncident) open(ctx context.Context, r *Run) (*account.Actor, *incident.Incident, error) {
	org, err := c.find(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	by := r.p.Accounts.Operator(org)
	i, err := r.p.Incidents.One(ctx, by, c.ID)
	return by, i, err
}

type incidentShowCmd struct{ ofIncident }

func (c *incidentShowCmd) onData(ctx context.Context, r *Run) error {
	by, i, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	if i.Report != "" {
		return r.printf("%s", i.Report)
	}
	steps, err := r.p.Incidents.Steps(ctx, i)
	if err != nil {
		return err
	}
	if err := r.printf("%s: %s\n%s\nNoticed %s, risk %s, %d people.\n\n", i.ID, i.Title, i.What, clockText(by.Org, i.Noticed), i.Risk, i.Affected); err != nil {
		return err
	}
	for _, s := range steps {
		if err := r.printf("%d. %s %s: %s\n", s.N, clockText(by.Org, s.At), strings.TrimSpace(string(s.Kind)+" "+s.Clock), plainCell(s.Text)); err != nil {
			return err
		}
	}
	return printClocks(ctx, r, by.Org, i)
}

type incidentCountCmd struct{ ofIncident }

func (c *incidentCountCmd) onData(ctx context.Context, r *Run) error {
	by, _, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	i, err := r.p.Incidents.Count(ctx, by, c.ID)
	if err != nil {
		return err
	}
	return r.printf("%d people are concerned.\n", i.Affected)
}

type incidentPeopleCmd struct{ ofIncident }

func (c *incidentPeopleCmd) onData(ctx context.Context, r *Run) error {
	by, _, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	people, err := r.p.Incidents.People(ctx, by, c.ID)
	if err != nil {
		return err
	}
	return writeAffected(r.Out, people)
}

type incidentStepCmd struct {
	ofIncident
	Kind  string `arg:"" enum:"note,measure,decision,notice,waived" help:"note, measure, decision, notice, or waived (somebody need not be told)."`
	Text  string `arg:"" help:"What was done, or why."`
	Clock string `help:"For a notice or a waiver: which clock stops, from \"parley incident show\"."`
}

func (c *incidentStepCmd) onData(ctx context.Context, r *Run) error {
	by, i, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	if err := r.p.Incidents.Step(ctx, by, c.ID, incident.Step{Kind: incident.Kind(c.Kind), Clock: c.Clock, Text: c.Text}); err != nil {
		return err
	}
	return printClocks(ctx, r, by.Org, i)
}

type incidentDraftCmd struct {
	ofIncident
	Clock    string `arg:"" help:"Which clock, from \"parley incident show\"."`
	Language string `enum:"en,hi" default:"en" help:"en or hi."`
}

func (c *incidentDraftCmd) onData(ctx context.Context, r *Run) error {
	by, _, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	text, err := r.p.Incidents.Draft(ctx, by, c.ID, c.Clock, c.Language)
	if err != nil {
		return err
	}
	return r.printf("%s", text)
}

type incidentCloseCmd struct {
	ofIncident
	Lessons string `arg:"" help:"What caused it, and what keeps it from happening again."`
}

func (c *incidentCloseCmd) onData(ctx context.Context, r *Run) error {
	by, _, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	i, err := r.p.Incidents.Close(ctx, by, c.ID, c.Lessons)
	if err != nil {
		return err
	}
	return r.printf("%s", i.Report)
}
