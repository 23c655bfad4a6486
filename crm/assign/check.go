package assign

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
)

// Limits of a rule.
const (
	maxName   = 80      // characters
	maxList   = 200     // entries of a condition
	maxEntry  = 80      // characters of one
	maxPeople = 500     // members and teams of a target
	maxWeight = 100     // of a member
	maxDays   = 365     // that a conversation counts
	maxHours  = 30 * 24 // that a phone may be silent, and a lead may wait
	maxAfter  = 30 * 24 * 60
	maxMost   = 10
)

// check refuses a rule that cannot be kept, and puts what was written into its canonical form.
func (a *Assign) check(ctx context.Context, c db.Conn, org *account.Org, r *Rule) error {
	var err error
	if r.Name, err = name(r.Name); err != nil {
		return err
	}
	if err := checkWhen(&r.When); err != nil {
		return err
	}
	if err := a.checkNamed(ctx, c, org.ID, &r.When); err != nil {
		return err
	}
	return a.checkChoice(ctx, c, org, &r.Choice)
}

func (a *Assign) checkRescue(ctx context.Context, c db.Conn, org *account.Org, r *Rescue) error {
	var err error
	if r.Name, err = name(r.Name); err != nil {
		return err
	}
	if r.Reason != NoAttempt && r.Reason != LateFollowUp {
		return fault.Field("reason", "%q is no reason to take a lead away. Write attempt or follow_up.", string(r.Reason))
	}
	if r.Most == 0 {
		r.Most = 2
	}
	if err := fault.Join(between("after", "working minutes after which a lead is taken away", r.After, 1, maxAfter),
		between("most", "times that a lead is taken away", r.Most, 1, maxMost)); err != nil {
		return err
	}
	w := When{Pipelines: r.Pipelines, Sources: r.Sources}
	if err := checkWhen(&w); err != nil {
		return err
	}
	if err := a.checkNamed(ctx, c, org.ID, &w); err != nil {
		return err
	}
	r.Pipelines, r.Sources = w.Pipelines, w.Sources
	if r.ByRule {
		r.Choice = Choice{Way: RoundRobin}
		return nil
	}
	if r.Away != PassOver {
		return fault.Field("away", "A lead that waited too long does not wait for somebody to be back. Pass over whoever is away.")
	}
	return a.checkChoice(ctx, c, org, &r.Choice)
}

// name is a rule's name as it is kept.
func name(text string) (string, error) {
	text = tidy(strings.ToValidUTF8(text, ""))
	switch {
	case text == "":
		return "", fault.Field("name", "Give the rule a name. It is what the log and the history of leads say.")
	case utf8.RuneCountInString(text) > maxName:
		return "", fault.Field("name", "The name has more than %d characters. Shorten it.", maxName)
	default:
		return text, freetext.Check("name", text)
	}
}

func between(field, what string, n, least, most int) error {
	if n < least || n > most {
		return fault.Field(field, "The %s are between %d and %d; %d is outside.", what, least, most, n)
	}
	return nil
}

// checkWhen tidies conditions.
func checkWhen(w *When) (err error) {
	for _, l := range []struct {
		field string
		list  *[]string
		form  func(string) string
	}{
		{"sources", &w.Sources, tidy}, {"words", &w.Words, tidy}, {"countries", &w.Countries, strings.ToUpper}, {"languages", &w.Languages, tongue},
		{"tags", &w.Tags, tidy}, {"pipelines", &w.Pipelines, tidy},
	} {
		if *l.list, err = list(l.field, *l.list, l.form); err != nil {
			return err
		}
	}
	for _, country := range w.Countries {
		if err := checkCountry("countries", country); err != nil {
			return err
		}
	}
	if w.Territories, err = territories(w.Territories); err != nil {
		return err
	}
	if w.Hours != AnyTime && w.Hours != Within && w.Hours != Outside {
		return fault.Field("hours", "%q is no time. Write within or outside, or leave it empty.", string(w.Hours))
	}
	return nil
}

// list tidies the entries of a condition; empty ones and those that come twice are left out.
func list(field string, in []string, form func(string) string) ([]string, error) {
	var out []string
	for _, x := range in {
		x = form(strings.TrimSpace(strings.ToValidUTF8(x, "")))
		if x == "" || has(out, x) {
			continue
		}
		if utf8.RuneCountInString(x) > maxEntry {
			return nil, fault.Field(field, "An entry has more than %d characters. Shorten it.", maxEntry)
		}
		if err := freetext.Check(field, x); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	if len(out) > maxList {
		return nil, fault.Field(field, "There are %d entries; at most %d fit. Make two rules of it.", len(out), maxList)
	}
	return out, nil
}

func checkCountry(field, code string) error {
	if len(code) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z' {
		return fault.Field(field, "%q is no country. Write its two letters, such as IN.", code)
	}
	return nil
}

// territories tidies a list of them.
func territories(in []Territory) ([]Territory, error) {
	var out []Territory
	for _, t := range in {
		t = Territory{Country: strings.ToUpper(strings.TrimSpace(t.Country)), State: tidy(strings.ToValidUTF8(t.State, "")), Postcode: postcode(strings.TrimSpace(strings.ToValidUTF8(t.Postcode, "")))}
		if t == (Territory{}) || slices.Contains(out, t) {
			continue
		}
		if t.Country != "" {
			if err := checkCountry("territories", t.Country); err != nil {
				return nil, err
			}
		}
		if utf8.RuneCountInString(t.State) > maxEntry || utf8.RuneCountInString(t.Postcode) > maxEntry {
			return nil, fault.Field("territories", "A state or postcode has more than %d characters. Shorten it.", maxEntry)
		}
		if err := freetext.Check("territories", t.State); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	if len(out) > maxList {
		return nil, fault.Field("territories", "There are %d territories; at most %d fit. Write whole states, or beginnings of postcodes.", len(out), maxList)
	}
	return out, nil
}

// checkNamed refuses pipelines and teams that there are not.
func (a *Assign) checkNamed(ctx context.Context, c db.Conn, org account.OrgID, w *When) error {
	for _, p := range w.Pipelines {
		if _, err := a.d.Leads.Pipeline(ctx, c, org, p); err != nil {
			return err
		}
	}
	return checkTeams(ctx, c, org, w.Teams)
}

func (a *Assign) checkChoice(ctx context.Context, c db.Conn, org *account.Org, x *Choice) error {
	if x.Way == "" {
		x.Way = RoundRobin
	}
	switch {
	case !slices.Contains(Ways(), x.Way):
		return fault.Field("way", "%q is no way to choose somebody. Write round_robin, weighted, least_open or least_talk.", string(x.Way))
	case x.Away != PassOver && x.Away != Queue:
		return fault.Field("away", "%q does not say what to do when people are away. Write queue, or leave it empty.", string(x.Away))
	case x.To.Empty() && x.SpokeDays == 0 && !x.OwnContacts:
		return fault.Field("to", "The rule gives leads to nobody. Choose members or teams, or all agents.")
	}
	if err := fault.Join(between("spoke_days", "days that a conversation counts", x.SpokeDays, 0, maxDays),
		between("silent", "working hours that a phone may be silent", x.Silent, 0, maxHours), between("wait", "hours that a lead waits", x.Wait, 0, maxHours)); err != nil {
		return err
	}
	for m, w := range x.Weights {
		if w < 0 || w > maxWeight {
			return fault.Field("weights", "A weight is between 0 and %d; %d is outside.", maxWeight, w)
		}
		if err := checkMember(ctx, c, org.ID, m); err != nil {
			return err
		}
	}
	for _, t := range []*Target{&x.To, &x.Fallback} {
		if len(t.Members)+len(t.Teams) > maxPeople {
			return fault.Field("to", "There are %d members and teams; at most %d fit. Make a team of them.", len(t.Members)+len(t.Teams), maxPeople)
		}
		for _, m := range t.Members {
			if err := checkMember(ctx, c, org.ID, m); err != nil {
				return err
			}
		}
		if err := checkTeams(ctx, c, org.ID, t.Teams); err != nil {
			return err
		}
	}
	return nil
}

// checkMember refuses a member that there is not. One who left may be named: they get nothing, and may come back.
func checkMember(ctx context.Context, c db.Conn, org account.OrgID, m account.MemberID) error {
	_, ok, err := db.One(ctx, c, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1 FROM members WHERE org_id = $1 AND id = $2`, org, m)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no member %q in this organisation.", string(m))
	}
	return err
}

func checkTeams(ctx context.Context, c db.Conn, org account.OrgID, teams []account.TeamID) error {
	for _, t := range teams {
		_, ok, err := db.One(ctx, c, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1 FROM teams WHERE org_id = $1 AND id = $2`, org, t)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "There is no team %q in this organisation.", string(t))
		}
	}
	return nil
}
