package funnel

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"parley/account"
	"parley/calls/callback"
	"parley/calls/report"
	"parley/calls/stats"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/fault"
)

// Deps are what Funnel is made from.
type Deps struct {
	DB        *db.DB
	Accounts  *account.Accounts
	Leads     *lead.Leads
	Attach    *attach.Attach
	FollowUps *followup.FollowUps
	Reporter  *stats.Reporter
	Callbacks *callback.Callbacks
	Reports   *report.Reports
	Now       func() time.Time
}

// Funnel makes the reports about leads.
type Funnel struct{ d Deps }

// New gives a Funnel.
func New(d Deps) *Funnel { return &Funnel{d} }

// By says what the leads of a report are grouped by.
type By string

// The groups.
const (
	BySource   By = "source"
	ByOwner    By = "owner"
	ByTeam     By = "team"
	ByPipeline By = "pipeline"
	ByStage    By = "stage"
	ByNothing  By = "all"
)

// Group is the figures of one group.
type Group struct {
	Key      string // a source, a member's id, a team's, a pipeline's key, or pipeline/stage; "" = none
	Title    string // of members, teams, pipelines and stages; of others the key
	Currency string // of the amounts; "" where there are none
	Figures
}

// Report is one report about leads.
type Report struct {
	ID      report.ID
	By      By
	Metrics []Metric // the columns
	Groups  []Group
	Total   []Group // one for each currency; one without where there are no amounts
}

// kind is what is known about one report.
type kind struct {
	by      []By // what it may be grouped by; the first where nobody says
	metrics []stats.MetricID
	count   func(f *Funnel, ctx context.Context, q *query) ([]Group, error)
}

func kinds() map[report.ID]kind {
	return map[report.ID]kind{
		report.LeadPipeline:   {[]By{ByStage, ByPipeline}, []stats.MetricID{"open_leads", "open_value", "weighted_value", "stage_age_seconds", "stage_age_90_seconds", "overdue_leads"}, (*Funnel).leads},
		report.LeadConversion: {[]By{BySource, ByOwner, ByTeam, ByPipeline}, []stats.MetricID{"new_leads", "conversion_rate", "won_leads", "lost_leads", "win_rate", "won_value", "time_to_win_seconds"}, (*Funnel).leads},
		report.LeadResponse:   {[]By{ByOwner, ByTeam, BySource, ByPipeline}, []stats.MetricID{"new_leads", "first_response_seconds", "first_response_wall_seconds", "answered_in_time_rate", "never_attempted_leads", "attempts_per_lead"}, (*Funnel).leads},
		report.Discipline:     {[]By{ByOwner, ByTeam}, []stats.MetricID{"due_follow_ups", "discipline_rate", "follow_ups_in_time", "follow_ups_late", "follow_ups_left", "put_off_times", "promises_kept_rate"}, (*Funnel).planned},
		report.Recovery:       {[]By{ByOwner, ByTeam}, []stats.MetricID{"missed_callers", "recovered_callers", "recovery_rate", "recovered_in_time_rate", "recovered_by_caller", "recovery_seconds"}, (*Funnel).recovered},
	}
}

// Ways lists what a report may be grouped by; the first where nobody says.
func Ways(id report.ID) []By { return kinds()[id].by }

// query is what is counted.
type query struct {
	view     *report.View
	org      *account.Org
	by       By
	from, to time.Time
	now      time.Time
	sees     func(owner account.MemberID) bool
	members  map[account.MemberID]*account.Member
	agents   map[account.AgentNo]account.MemberID
	set      followup.Settings
	chance   map[string]int // by pipeline/stage
	titles   map[string]string
	order    map[string]int // of stages and pipelines
}

// Report counts what a report is about: of the view's scope and range. by "" is the first of Ways. The actor needs read_leads.
func (f *Funnel) Report(ctx context.Context, v *report.View, id report.ID, by By) (*Report, error) {
	k, ok := kinds()[id]
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no report %q about leads.", string(id))
	}
	if err := v.Actor.Require(account.ReadLeads); err != nil {
		return nil, err
	}
	if by == "" {
		by = k.by[0]
	}
	if !slices.Contains(k.by, by) {
		return nil, fault.Field("by", "This report is not grouped by %.40q. Choose one of %v.", string(by), k.by)
	}
	q, err := f.query(ctx, v, by)
	if err != nil {
		return nil, err
	}
	groups, err := k.count(f, ctx, q)
	if err != nil {
		return nil, err
	}
	out := &Report{ID: id, By: by, Metrics: pick(k.metrics...), Groups: groups}
	totals := map[string]*Group{}
	for i := range groups {
		t := totals[groups[i].Currency]
		if t == nil {
			t = &Group{Currency: groups[i].Currency}
			totals[t.Currency] = t
		}
		t.add(&groups[i].Figures)
	}
	for _, t := range totals {
		out.Total = append(out.Total, *t)
	}
	slices.SortFunc(out.Total, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Made+b.Open+b.Won, a.Made+a.Open+a.Won), cmp.Compare(a.Currency, b.Currency))
	})
	q.sort(out.Groups)
	return out, nil
}

// query looks up what counting needs.
func (f *Funnel) query(ctx context.Context, v *report.View, by By) (*query, error) {
	org := v.Org
	q := &query{view: v, org: org, by: by, from: v.From.Start(org.Location()), to: v.To.Start(org.Location()), now: f.d.Now(), members: map[account.MemberID]*account.Member{}, agents: map[account.AgentNo]account.MemberID{},
		chance: map[string]int{}, titles: map[string]string{}, order: map[string]int{}}
	sight, err := contact.SightOf(ctx, f.d.Accounts, v.Actor)
	if err != nil {
		return nil, err
	}
	all, err := f.d.Accounts.Members(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	scope := map[account.MemberID]bool{}
	for _, m := range all {
		q.members[m.ID] = m
		q.titles[string(m.ID)] = m.Name
		if m.Agent != 0 {
			q.agents[m.Agent] = m.ID
			scope[m.ID] = v.Query.Agents == nil || slices.Contains(v.Query.Agents, m.Agent)
		}
	}
	narrowed := v.Ask.Team != "" || v.Ask.Agent != "" || v.Ask.Line != ""
	q.sees = func(owner account.MemberID) bool { return sight.Sees(owner) && (!narrowed || scope[owner]) }
	if q.set, err = f.d.FollowUps.Settings(ctx, f.d.DB, org.ID); err != nil {
		return nil, err
	}
	teams, err := f.d.Accounts.Teams(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		q.titles[string(t.ID)] = t.Name
	}
	return q, f.stages(ctx, q)
}

// stages looks up the pipelines with their stages.
func (f *Funnel) stages(ctx context.Context, q *query) error {
	ways, err := f.d.Leads.Pipelines(ctx, f.d.DB, q.org.ID)
	for _, p := range ways {
		q.titles[p.Key], q.order[p.Key] = p.Title, len(q.order)+1
		for _, s := range p.Stages {
			key := p.Key + "/" + s.Key
			q.chance[key], q.titles[key], q.order[key] = s.Probability, s.Title, len(q.order)+1
			if len(ways) > 1 {
				q.titles[key] = p.Title + ": " + s.Title
			}
		}
	}
	return err
}

// groups keeps figures by key and currency.
type groups map[[2]string]*Group

func (g groups) of(q *query, key, currency string) *Group {
	x := g[[2]string{key, currency}]
	if x == nil {
		x = &Group{Key: key, Title: q.titles[key], Currency: currency}
		if x.Title == "" {
			x.Title = key
		}
		g[[2]string{key, currency}] = x
	}
	return x
}

func (g groups) list() []Group {
	out := make([]Group, 0, len(g))
	for _, x := range g {
		out = append(out, *x)
	}
	return out
}

// sort puts stages and pipelines into their order, and other groups by their size.
func (q *query) sort(all []Group) {
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(q.order[a.Key], q.order[b.Key]), cmp.Compare(b.size(), a.size()), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Currency, b.Currency))
	})
}

func (g *Group) size() int64 { return g.Made + g.Open + g.Won + g.Lost + g.Due + g.Missed }

// key is the group of a lead.
func (q *query) key(l *lead.Lead) string {
	switch q.by {
	case ByOwner:
		return string(l.Owner)
	case ByTeam:
		return string(l.Team)
	case ByPipeline:
		return l.Pipeline
	case ByStage:
		return l.Pipeline + "/" + l.Stage
	default:
		return l.Source
	}
}

// leads counts leads: those made or closed in the range, and those open now.
func (f *Funnel) leads(ctx context.Context, q *query) ([]Group, error) {
	out := groups{}
	err := f.d.DB.Read(ctx, func(tx *db.Tx) error {
		clear(out)
		var made []*lead.Lead
		if err := f.d.Leads.EachFigure(ctx, tx, q.org.ID, q.from, func(l *lead.Lead) error {
			if !q.sees(l.Owner) {
				return nil
			}
			g := out.of(q, q.key(l), l.Currency)
			q.stand(&g.Figures, l)
			if !l.Made.Before(q.from) && l.Made.Before(q.to) {
				one := *l
				made = append(made, &one)
			}
			return nil
		}); err != nil {
			return err
		}
		since, err := f.d.Attach.Since(ctx, tx, q.org.ID, made...)
		if err != nil {
			return err
		}
		for _, l := range made {
			q.fresh(&out.of(q, q.key(l), l.Currency).Figures, l, since[l.ID])
		}
		return nil
	})
	for x, g := range out {
		if g.size() == 0 {
			delete(out, x)
		}
	}
	return out.list(), err
}

// stand counts how a lead stands, or how it ended in the range.
func (q *query) stand(g *Figures, l *lead.Lead) {
	if l.State == lead.Open {
		g.Open++
		g.OpenValue += l.Value
		g.Weighted += int64(math.Round(float64(l.Value) * float64(q.chance[l.Pipeline+"/"+l.Stage]) / 100))
		g.Ages = append(g.Ages, int64(q.now.Sub(l.Staged)/time.Second))
		if !l.Due.IsZero() && l.Due.Before(q.now) {
			g.Overdue++
		}
		return
	}
	if l.Closed.Before(q.from) || !l.Closed.Before(q.to) {
		return
	}
	if l.State == lead.Lost {
		g.Lost++
		return
	}
	g.Won++
	g.WonValue += l.Value
	g.ToWin = append(g.ToWin, int64(l.Closed.Sub(l.Made)/time.Second))
}

// fresh counts a lead that was made in the range.
func (q *query) fresh(g *Figures, l *lead.Lead, since time.Time) {
	g.Made++
	g.Attempts += int64(l.Attempts)
	switch l.State {
	case lead.Won:
		g.MadeWon++
	case lead.Lost:
		g.MadeLost++
	default:
		g.MadeOpen++
		if l.Attempts == 0 {
			g.Never++
		}
	}
	target := time.Duration(q.set.Response) * time.Minute
	r, ok := attach.FirstResponse(q.org, since, l.First)
	switch {
	case ok:
		g.Answered++
		g.Asked++
		g.Business = append(g.Business, int64(r.Business/time.Second))
		g.Wall = append(g.Wall, int64(r.Wall/time.Second))
		if r.Business <= target {
			g.InTime++
		}
	case l.State == lead.Open && q.org.WorkingTime(since, q.now) > target:
		g.Asked++
	}
}

// planned counts follow-ups that were planned for the range.
func (f *Funnel) planned(ctx context.Context, q *query) ([]Group, error) {
	out := groups{}
	err := f.d.FollowUps.EachDue(ctx, f.d.DB, q.org.ID, q.from, q.to, func(x *followup.FollowUp) error {
		if !q.sees(x.Owner) || x.State == followup.Cancelled {
			return nil
		}
		for _, key := range q.keysOf(x.Owner) {
			q.due(&out.of(q, key, "").Figures, x)
		}
		return nil
	})
	return out.list(), err
}

func (q *query) due(g *Figures, x *followup.FollowUp) {
	g.Due++
	g.PutOff += int64(x.Snoozes)
	over, kept := false, false
	switch {
	case x.State == followup.Done && !x.Ended.After(x.Late):
		g.Done++
		over, kept = true, true
	case x.State == followup.Done:
		g.DoneLate++
		over = true
	case x.Late.Before(q.now):
		g.Left++
		over = true
	}
	if x.Kind == followup.Promised && over {
		g.Promised++
		if kept {
			g.Kept++
		}
	}
}

// keysOf are the groups of a member's work: themself, or their teams.
func (q *query) keysOf(m account.MemberID) []string {
	if q.by != ByTeam {
		return []string{string(m)}
	}
	who := q.members[m]
	if who == nil || len(who.Teams) == 0 {
		return []string{""}
	}
	var out []string
	for _, t := range who.Teams {
		out = append(out, string(t))
	}
	return out
}

// recovered counts the callers who were missed in the range, and what became of them.
func (f *Funnel) recovered(ctx context.Context, q *query) ([]Group, error) {
	agreed, err := f.d.Callbacks.All(ctx, q.org.ID)
	if err != nil {
		return nil, err
	}
	out := groups{}
	target := time.Duration(q.set.Recovery) * time.Minute
	ask := f.d.Reports.People(q.view, stats.ListMissed)
	ask.Settled = callback.HandledAt(agreed)
	err = f.d.Reporter.EachPerson(ctx, q.org, ask, func(p *stats.Person) error {
		for _, key := range q.keysOf(q.agents[p.MissedBy]) {
			g := out.of(q, key, "")
			g.Missed++
			if p.State != stats.RecoveredByUs && p.State != stats.RecoveredByCaller {
				continue
			}
			g.Recovered++
			g.Recovery = append(g.Recovery, int64(p.WaitingBusiness/time.Second))
			if p.WaitingBusiness <= target {
				g.RecoveredInTime++
			}
			if p.State == stats.RecoveredByCaller {
				g.ByCaller++
			}
		}
		return nil
	})
	return out.list(), err
}
