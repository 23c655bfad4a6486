package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/crm/assign"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
)

const tagAssign = "Assignment"

// AssignChoice is how somebody is found.
type AssignChoice struct {
	To          assign.Target  `json:"to,omitzero" doc:"Members, teams, or all agents"`
	Fallback    assign.Target  `json:"fallback,omitzero" doc:"Where nobody of to can have it"`
	Way         assign.Way     `json:"way,omitempty" enum:"round_robin,weighted,least_open,least_talk" doc:"Left out: round_robin"`
	Weights     []MemberWeight `json:"weights,omitempty" maxItems:"1000" doc:"Of the way weighted; who is not named has 1"`
	SpokeDays   int            `json:"spoke_days,omitempty" minimum:"0" doc:"First to whoever spoke with one of its numbers in the last so many days"`
	OwnContacts bool           `json:"own_contacts,omitempty" doc:"Then to whoever looks after the contact"`
	Speaks      bool           `json:"speaks,omitempty" doc:"Only those who speak the lead's language"`
	Covers      bool           `json:"covers,omitempty" doc:"Only those who work the lead's territory"`
	Silent      int            `json:"silent,omitempty" minimum:"0" doc:"Nobody whose phone has told nothing for more than so many working hours; 0: phones are not looked at"`
	Phoneless   bool           `json:"phoneless,omitempty" doc:"Those without a phone, too"`
	Working     bool           `json:"working,omitempty" doc:"In working hours alone"`
	Away        assign.Away    `json:"away,omitempty" enum:"queue" doc:"Left out: somebody else gets it; queue: it waits until somebody is back"`
	Wait        int            `json:"wait,omitempty" minimum:"0" doc:"For how many hours it waits at most; 0: three days"`
}

// MemberWeight is a member's share.
type MemberWeight struct {
	Member account.MemberID `json:"member"`
	Weight int              `json:"weight" minimum:"0" maximum:"100"`
}

func choiceOf(c *assign.Choice) AssignChoice {
	out := AssignChoice{To: c.To, Fallback: c.Fallback, Way: c.Way, SpokeDays: c.SpokeDays, OwnContacts: c.OwnContacts, Speaks: c.Speaks, Covers: c.Covers, Silent: c.Silent, Phoneless: c.Phoneless,
		Working: c.Working, Away: c.Away, Wait: c.Wait}
	for _, m := range slices.Sorted(maps.Keys(c.Weights)) {
		out.Weights = append(out.Weights, MemberWeight{m, c.Weights[m]})
	}
	return out
}

func (c *AssignChoice) choice() assign.Choice {
	out := assign.Choice{To: c.To, Fallback: c.Fallback, Way: c.Way, SpokeDays: c.SpokeDays, OwnContacts: c.OwnContacts, Speaks: c.Speaks, Covers: c.Covers, Silent: c.Silent, Phoneless: c.Phoneless,
		Working: c.Working, Away: c.Away, Wait: c.Wait}
	for _, w := range c.Weights {
		if out.Weights == nil {
			out.Weights = map[account.MemberID]int{}
		}
		out.Weights[w.Member] = w.Weight
	}
	return out
}

// AssignWhen says which leads a rule is for. What is left out does not restrict.
type AssignWhen struct {
	Sources     []string           `json:"sources,omitempty"`
	Words       []string           `json:"words,omitempty" doc:"In the campaign or the source"`
	Countries   []string           `json:"countries,omitempty"`
	Territories []assign.Territory `json:"territories,omitempty"`
	Languages   []string           `json:"languages,omitempty"`
	Tags        []string           `json:"tags,omitempty"`
	Pipelines   []string           `json:"pipelines,omitempty"`
	Lines       []device.LineID    `json:"lines,omitempty" doc:"Of the call that made the lead"`
	Teams       []account.TeamID   `json:"teams,omitempty"`
	Hours       assign.Hours       `json:"hours,omitempty" enum:"within,outside" doc:"Working hours. Left out: at any time"`
}

// AssignRule says who gets the leads that it is for.
type AssignRule struct {
	ID     assign.RuleID `json:"id,omitempty" doc:"Left out of a new one"`
	Rev    int64         `json:"rev,omitempty" doc:"The one that you saw"`
	Name   string        `json:"name" minLength:"1" maxLength:"100"`
	Off    bool          `json:"off,omitempty"`
	When   AssignWhen    `json:"when,omitzero"`
	Onward bool          `json:"onward,omitempty" doc:"Where nobody can have the lead, the rules below try"`
	AssignChoice
}

// RescueRule takes leads away from whoever leaves them lying.
type RescueRule struct {
	ID        assign.RuleID  `json:"id,omitempty" doc:"Left out of a new one"`
	Rev       int64          `json:"rev,omitempty"`
	Name      string         `json:"name" minLength:"1" maxLength:"100"`
	Off       bool           `json:"off,omitempty"`
	Reason    assign.Overdue `json:"reason" enum:"attempt,follow_up" doc:"Nobody tried to reach the contact, or what was to be done is overdue"`
	After     int            `json:"after_minutes" minimum:"1" doc:"Working minutes"`
	Pipelines []string       `json:"pipelines,omitempty"`
	Sources   []string       `json:"sources,omitempty"`
	Most      int            `json:"most" minimum:"1" doc:"How often a lead is taken away in all"`
	ByRule    bool           `json:"by_rule,omitempty" doc:"The rules of assignment say who gets it"`
	AssignChoice
}

// RuleOrder is all rules of assignment, each once.
type RuleOrder struct {
	Rules []assign.RuleID `json:"rules" nullable:"false"`
}

// Assigned is a decision of the rules.
type Assigned struct {
	Seq     int64            `json:"seq,omitempty"`
	At      *time.Time       `json:"at,omitempty"`
	Lead    lead.ID          `json:"lead,omitempty"`
	Rescued bool             `json:"rescued,omitempty" doc:"It was taken from somebody who left it lying"`
	Was     account.MemberID `json:"was,omitempty" doc:"Who had it before"`
	Owner   account.MemberID `json:"owner,omitempty" doc:"Absent: nobody got it"`
	Team    account.TeamID   `json:"team,omitempty"`
	Rule    assign.RuleID    `json:"rule,omitempty"`
	Why     string           `json:"why" doc:"In a sentence"`
	Passed  []PassedOver     `json:"passed_over" doc:"Who could not have it"`
	Until   *time.Time       `json:"waits_until,omitempty"`
	Tried   []TriedRule      `json:"tried,omitempty" doc:"Of a trial: the rules that were looked at"`
}

// PassedOver is somebody who could not have a lead.
type PassedOver struct {
	Member account.MemberID `json:"member"`
	Reason assign.Reason    `json:"reason" enum:"left,role,paused,had_it,away,closed,silent,no_phone,day_cap,open_cap,language,territory,weight"`
}

// TriedRule is a rule that was looked at.
type TriedRule struct {
	Rule   assign.RuleID `json:"rule"`
	Name   string        `json:"name"`
	Miss   assign.Miss   `json:"misses,omitempty" enum:"source,word,country,territory,language,tag,pipeline,line,team,hours,off" doc:"The condition that the lead did not fit"`
	Nobody bool          `json:"nobody,omitempty" doc:"It fits, and nobody could have the lead"`
}

// Absence is a time during which a member is away.
type Absence struct {
	ID     assign.AbsenceID `json:"id,omitempty"`
	Member account.MemberID `json:"member"`
	From   time.Time        `json:"from"`
	Until  time.Time        `json:"until"`
}

// ClosedDays say on which days nobody works.
type ClosedDays struct {
	Rev      int64       `json:"rev"`
	Closed   []ClosedDay `json:"closed" nullable:"false" maxItems:"200"`
	Holidays bool        `json:"holidays" doc:"The public holidays of the organisation's country, too"`
}

// ClosedDay is a day on which the organisation is closed.
type ClosedDay struct {
	Day   string `json:"day"`
	Title string `json:"title,omitempty" maxLength:"100"`
}

// AssigneeText is what a member takes, by whatever rule.
type AssigneeText struct {
	Member account.MemberID `json:"member,omitempty"`
	assign.Assignee
}

// Talking says that a colleague talks to a number, or did just now.
type Talking struct {
	Member account.MemberID `json:"member,omitempty"`
	Since  *time.Time       `json:"since"`
	Ended  *time.Time       `json:"ended,omitempty" doc:"Absent: it goes on, as far as is known"`
	Said   bool             `json:"said,omitempty" doc:"They said that they are about to call"`
}

// CalledNumber is a number that somebody calls.
type CalledNumber struct {
	Number string `json:"number" minLength:"1" maxLength:"60" doc:"As people write it"`
}

func (s *API) assignment() {
	rules := "/assignment/rules"
	handle(s, does(http.MethodGet, rules, "list-assignment-rules", account.ReadLeads, tagAssign, "Rules of assignment, in order").saying("The first that a lead fits decides."), s.listRules)
	handle(s, does(http.MethodPut, rules, "save-assignment-rule", account.ManagePipelines, tagAssign, "Change a rule, or make one").saying("The whole rule; a new one comes behind the others."), s.saveRule)
	handle(s, does(http.MethodPut, rules+"/order", "order-assignment-rules", account.ManagePipelines, tagAssign, "Put the rules into an order").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct{ Body RuleOrder }) (*struct{}, error) {
			return nil, s.Assign.OrderRules(ctx, actorOf(ctx), in.Body.Rules)
		})
	handle(s, does(http.MethodDelete, rules+"/{rule}", "delete-assignment-rule", account.ManagePipelines, tagAssign, "Delete a rule of either kind").saying("What it decided stays in the log.").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			Rule assign.RuleID `path:"rule"`
		}) (*struct{}, error) {
			return nil, s.Assign.DropRule(ctx, actorOf(ctx), in.Rule)
		})
	handle(s, does(http.MethodGet, "/assignment/rescues", "list-rescue-rules", account.ReadLeads, tagAssign, "Rules about leads that are left lying"), s.listRescues)
	handle(s, does(http.MethodPut, "/assignment/rescues", "save-rescue-rule", account.ManagePipelines, tagAssign, "Change such a rule, or make one"), s.saveRescue)
	handle(s, does(http.MethodGet, "/assignment/log", "list-assignments", account.ReadLeads, tagAssign, "Who got which lead, and why").saying("The newest first, at most 200 on a page."), s.listAssigned)
	handle(s, does(http.MethodGet, "/leads/{lead}/assignment", "explain-assignment", account.ReadLeads, tagAssign, "Who would get a lead now, and why").saying("Changes nothing."), s.explain)
	handle(s, does(http.MethodGet, "/assignment/waiting", "list-waiting-leads", account.ReadLeads, tagAssign, "Leads that wait for somebody to be back").saying("At most 500, those that are tried again next first."), s.waitingLeads)
	handle(s, does(http.MethodGet, "/absences", "list-absences", account.ReadLeads, tagAssign, "Who is away now or later"), s.listAbsences)
	handle(s, does(http.MethodPost, "/absences", "add-absence", account.WriteLeads, tagAssign, "Say that somebody is away").saying("Of oneself; of others whoever may assign leads.").giving(http.StatusCreated),
		func(ctx context.Context, in *struct{ Body Absence }) (*body[Absence], error) {
			a, err := s.Assign.AddAbsence(ctx, actorOf(ctx), in.Body.Member, in.Body.From, in.Body.Until)
			if err != nil {
				return nil, err
			}
			return answerOf(absenceOf(callerOf(ctx).org, a)), nil
		})
	handle(s, does(http.MethodDelete, "/absences/{absence}", "delete-absence", account.WriteLeads, tagAssign, "Take an absence back").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			Absence assign.AbsenceID `path:"absence"`
		}) (*struct{}, error) {
			return nil, s.Assign.DropAbsence(ctx, actorOf(ctx), in.Absence)
		})
	handle(s, does(http.MethodGet, "/assignment/closed-days", "get-closed-days", account.ReadLeads, tagAssign, "Days on which nobody works"),
		func(ctx context.Context, _ *struct{}) (*body[ClosedDays], error) {
			return closedAnswer(s.Assign.Settings(ctx, s.DB, callerOf(ctx).org.ID))
		})
	handle(s, does(http.MethodPut, "/assignment/closed-days", "set-closed-days", account.ManagePipelines, tagAssign, "Say on which days nobody works"), s.setClosed)
	handle(s, does(http.MethodGet, "/assignment/members", "list-assignees", account.ReadLeads, tagAssign, "What members take: languages, territories, how many"),
		func(ctx context.Context, _ *struct{}) (*body[Page[AssigneeText]], error) {
			all, err := s.Assign.Assignees(ctx, s.DB, callerOf(ctx).org.ID)
			out := Page[AssigneeText]{Items: []AssigneeText{}}
			for _, a := range all {
				out.Items = append(out.Items, AssigneeText{a.Member, a})
			}
			return answerOf(out), err
		})
	handle(s, does(http.MethodPut, "/assignment/members/{member}", "set-assignee", account.ManagePeople, tagAssign, "Say what a member takes").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct {
			Member account.MemberID `path:"member"`
			Body   assign.Assignee
		}) (*struct{}, error) {
			in.Body.Member = in.Member
			return nil, s.Assign.SetAssignee(ctx, actorOf(ctx), in.Body)
		})
	s.talking()
}

// talking are the operations that keep two colleagues from calling the same person at once.
func (s *API) talking() {
	handle(s, does(http.MethodGet, "/talking", "list-talking", account.ReadLeads, tagAssign, "Who talks to a number").
		saying("Colleagues who talk to it, did in the last 15 minutes, or said in the last five that they are about to call. Phones tell of a call when it is over."),
		func(ctx context.Context, in *struct {
			Number string `query:"number" required:"true" minLength:"1" maxLength:"60" doc:"As people write it"`
		}) (*body[Page[Talking]], error) {
			return s.colleagues(ctx, in.Number, func(n number.ID) ([]assign.Talk, error) {
				all, err := s.Assign.Talking(ctx, callerOf(ctx).org, n, s.Now())
				me := actorOf(ctx).Member.ID
				return slices.DeleteFunc(all, func(t assign.Talk) bool { return t.Member == me }), err
			})
		})
	handle(s, does(http.MethodPost, "/talking", "announce-call", account.WriteLeads, tagAssign, "Say that you are about to call a number").
		saying("Colleagues who look at it are told for five minutes. Gives those who talk to it, or did in the last 15 minutes. Of a number that is in no call and of no contact nothing is kept."),
		func(ctx context.Context, in *struct{ Body CalledNumber }) (*body[Page[Talking]], error) {
			return s.colleagues(ctx, in.Body.Number, func(n number.ID) ([]assign.Talk, error) {
				return s.Assign.Calling(ctx, callerOf(ctx).org, actorOf(ctx).Member.ID, n, s.Now())
			})
		})
	handle(s, does(http.MethodPost, "/talking/end", "end-call-announcement", account.WriteLeads, tagAssign, "Say that you are done with a number").giving(http.StatusNoContent),
		func(ctx context.Context, in *struct{ Body CalledNumber }) (*struct{}, error) {
			n, ok, err := s.numberWritten(ctx, in.Body.Number)
			if err != nil || !ok {
				return nil, err
			}
			return nil, s.Assign.HungUp(ctx, callerOf(ctx).org.ID, actorOf(ctx).Member.ID, n)
		})
}

// numberWritten is the number that somebody wrote, if it is known, which the running operation is about.
func (s *API) numberWritten(ctx context.Context, text string) (number.ID, bool, error) {
	org := callerOf(ctx).org
	n, ok, err := s.Book.Find(ctx, s.DB, org.ID, phone.Parse(text, org.Country).Canonical())
	if err != nil || !ok || n == number.Withheld {
		return 0, false, err
	}
	concernNumber(ctx, n)
	return n, true, nil
}

// colleagues answers with those who talk to a number that somebody wrote.
func (s *API) colleagues(ctx context.Context, text string, of func(number.ID) ([]assign.Talk, error)) (*body[Page[Talking]], error) {
	out := Page[Talking]{Items: []Talking{}}
	n, ok, err := s.numberWritten(ctx, text)
	if err != nil || !ok {
		return answerOf(out), err
	}
	all, err := of(n)
	for _, t := range all {
		out.Items = append(out.Items, Talking{t.Member, at(callerOf(ctx).org, t.Since), at(callerOf(ctx).org, t.Ended), t.Said})
	}
	return answerOf(out), err
}

func ruleOf(r *assign.Rule, lines map[call.LineNo]device.LineID) AssignRule {
	w := r.When
	out := AssignRule{ID: r.ID, Rev: r.Rev, Name: r.Name, Off: r.Off, Onward: r.Onward, AssignChoice: choiceOf(&r.Choice),
		When: AssignWhen{w.Sources, w.Words, w.Countries, w.Territories, w.Languages, w.Tags, w.Pipelines, nil, w.Teams, w.Hours}}
	for _, n := range w.Lines {
		out.When.Lines = append(out.When.Lines, lines[n])
	}
	return out
}

func (s *API) listRules(ctx context.Context, _ *struct{}) (*body[Page[AssignRule]], error) {
	lines, err := s.linesByNo(ctx, callerOf(ctx).org)
	if err != nil {
		return nil, err
	}
	all, err := s.Assign.Rules(ctx, s.DB, callerOf(ctx).org.ID)
	out := Page[AssignRule]{Items: []AssignRule{}}
	for _, r := range all {
		out.Items = append(out.Items, ruleOf(r, lines))
	}
	return answerOf(out), err
}

func (s *API) saveRule(ctx context.Context, in *struct{ Body AssignRule }) (*body[AssignRule], error) {
	b := in.Body
	lines, err := s.linesByNo(ctx, callerOf(ctx).org)
	if err != nil {
		return nil, err
	}
	w := b.When
	r := assign.Rule{ID: b.ID, Rev: b.Rev, Name: b.Name, Off: b.Off, Onward: b.Onward, Choice: b.choice(),
		When: assign.When{Sources: w.Sources, Words: w.Words, Countries: w.Countries, Territories: w.Territories, Languages: w.Languages, Tags: w.Tags, Pipelines: w.Pipelines, Teams: w.Teams, Hours: w.Hours}}
	for _, id := range w.Lines {
		no, ok := lineNo(lines, id)
		if !ok {
			return nil, fault.Field("when.lines", "There is no line %.80q.", id)
		}
		r.When.Lines = append(r.When.Lines, no)
	}
	kept, err := s.Assign.SaveRule(ctx, actorOf(ctx), r)
	if err != nil {
		return nil, err
	}
	return answerOf(ruleOf(kept, lines)), nil
}

// lineNo is a line's number by its id.
func lineNo(lines map[call.LineNo]device.LineID, id device.LineID) (call.LineNo, bool) {
	for n, x := range lines {
		if x == id {
			return n, true
		}
	}
	return 0, false
}

func rescueOf(r *assign.Rescue) RescueRule {
	return RescueRule{ID: r.ID, Rev: r.Rev, Name: r.Name, Off: r.Off, Reason: r.Reason, After: r.After, Pipelines: r.Pipelines, Sources: r.Sources, Most: r.Most, ByRule: r.ByRule, AssignChoice: choiceOf(&r.Choice)}
}

func (s *API) listRescues(ctx context.Context, _ *struct{}) (*body[Page[RescueRule]], error) {
	all, err := s.Assign.Rescues(ctx, s.DB, callerOf(ctx).org.ID)
	out := Page[RescueRule]{Items: []RescueRule{}}
	for _, r := range all {
		out.Items = append(out.Items, rescueOf(r))
	}
	return answerOf(out), err
}

func (s *API) saveRescue(ctx context.Context, in *struct{ Body RescueRule }) (*body[RescueRule], error) {
	b := in.Body
	kept, err := s.Assign.SaveRescue(ctx, actorOf(ctx), assign.Rescue{ID: b.ID, Rev: b.Rev, Name: b.Name, Off: b.Off, Reason: b.Reason, After: b.After, Pipelines: b.Pipelines, Sources: b.Sources,
		Most: b.Most, ByRule: b.ByRule, Choice: b.choice()})
	if err != nil {
		return nil, err
	}
	return answerOf(rescueOf(kept)), nil
}

func assignedOf(org *account.Org, d *assign.Decision) Assigned {
	out := Assigned{Owner: d.Owner, Team: d.Team, Rule: d.Rule, Why: d.Sentence(), Passed: []PassedOver{}, Until: at(org, d.Until)}
	for _, x := range d.Skipped {
		out.Passed = append(out.Passed, PassedOver{x.Member, x.Reason})
	}
	return out
}

func (s *API) listAssigned(ctx context.Context, in *struct {
	Lead   lead.ID          `query:"lead"`
	Rule   assign.RuleID    `query:"rule"`
	Owner  account.MemberID `query:"owner"`
	Nobody bool             `query:"nobody" doc:"Those that gave a lead to nobody"`
	Paging
}) (*body[Page[Assigned]], error) {
	org := callerOf(ctx).org
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	f := assign.Filter{Lead: in.Lead, Rule: in.Rule, Owner: ownerOf(ctx, in.Owner), Nobody: in.Nobody || in.Owner == "none", Before: before}
	all, next, err := s.Assign.Log(ctx, s.DB, org.ID, sight, f, in.Limit)
	if err != nil {
		return nil, err
	}
	out := Page[Assigned]{Items: []Assigned{}, Next: cursorBefore(next)}
	var ids []lead.ID
	for i := range all {
		e := &all[i]
		x := assignedOf(org, &e.Decision)
		x.Seq, x.At, x.Lead, x.Rescued, x.Was = e.Seq, at(org, e.At), e.Lead, e.Kind == assign.Rescued, e.Was
		out.Items, ids = append(out.Items, x), append(ids, e.Lead)
	}
	return answerOf(out), s.concernLeads(ctx, ids...)
}

// concernLeads notes whose leads the running operation is about.
func (s *API) concernLeads(ctx context.Context, ids ...lead.ID) error {
	leads, err := s.Leads.Load(ctx, s.DB, callerOf(ctx).org.ID, ids...)
	if err != nil {
		return err
	}
	var about []contact.ID
	for _, l := range leads {
		about = append(about, l.Contact)
	}
	slices.Sort(about)
	return s.concernContacts(ctx, slices.Compact(about)...)
}

func (s *API) explain(ctx context.Context, in *LeadPath) (*body[Assigned], error) {
	org := callerOf(ctx).org
	l, err := s.theLead(ctx, in.Lead)
	if err != nil {
		return nil, err
	}
	c, err := s.theContact(ctx, l.Contact)
	if err != nil {
		return nil, err
	}
	e, err := s.Assign.Explain(ctx, s.DB, org, s.Now(), assign.CaseOf(l, c))
	if err != nil {
		return nil, err
	}
	out := assignedOf(org, &e.Decision)
	for _, t := range e.Tried {
		out.Tried = append(out.Tried, TriedRule{t.Rule, t.Name, t.Miss, t.Nobody})
	}
	return answerOf(out), nil
}

func (s *API) waitingLeads(ctx context.Context, _ *struct{}) (*body[Page[Assigned]], error) {
	const most = 500
	org := callerOf(ctx).org
	sight, err := s.sight(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := s.Assign.Waiting(ctx, s.DB, org.ID, most)
	if err != nil {
		return nil, err
	}
	var ids []lead.ID
	for id := range waiting {
		ids = append(ids, id)
	}
	leads, err := s.Leads.Load(ctx, s.DB, org.ID, ids...)
	if err != nil {
		return nil, err
	}
	out := Page[Assigned]{Items: []Assigned{}}
	ids = ids[:0] // from here on those in sight
	for id, until := range waiting {
		if l := leads[id]; l != nil && sight.Sees(l.Owner) {
			ids = append(ids, id)
			out.Items = append(out.Items, Assigned{Lead: id, Owner: l.Owner, Until: at(org, until), Passed: []PassedOver{}})
		}
	}
	slices.SortFunc(out.Items, func(a, b Assigned) int {
		if c := a.Until.Compare(*b.Until); c != 0 {
			return c
		}
		return strings.Compare(string(a.Lead), string(b.Lead))
	})
	return answerOf(out), s.concernLeads(ctx, ids...)
}

func absenceOf(org *account.Org, a *assign.Absence) Absence {
	return Absence{ID: a.ID, Member: a.Member, From: *at(org, a.From), Until: *at(org, a.Until)}
}

func (s *API) listAbsences(ctx context.Context, _ *struct{}) (*body[Page[Absence]], error) {
	all, err := s.Assign.Absences(ctx, s.DB, callerOf(ctx).org.ID, s.Now())
	out := Page[Absence]{Items: []Absence{}}
	for i := range all {
		out.Items = append(out.Items, absenceOf(callerOf(ctx).org, &all[i]))
	}
	return answerOf(out), err
}

func closedAnswer(set *assign.Settings, err error) (*body[ClosedDays], error) {
	if err != nil {
		return nil, err
	}
	out := ClosedDays{Rev: set.Rev, Closed: []ClosedDay{}, Holidays: set.Holidays}
	for _, d := range set.Closed {
		out.Closed = append(out.Closed, ClosedDay{d.Day.String(), d.Title})
	}
	return answerOf(out), nil
}

func (s *API) setClosed(ctx context.Context, in *struct{ Body ClosedDays }) (*body[ClosedDays], error) {
	set := assign.Settings{Rev: in.Body.Rev, Holidays: in.Body.Holidays}
	for _, d := range in.Body.Closed {
		day, err := civil.Parse(d.Day)
		if err != nil {
			return nil, fault.Field("closed", "%.40q is no day. Write it like 2026-03-02.", d.Day)
		}
		set.Closed = append(set.Closed, assign.ClosedDay{Day: day, Title: d.Title})
	}
	return closedAnswer(s.Assign.SetSettings(ctx, actorOf(ctx), set))
}
