package report

import (
	"context"
	"slices"
	"strings"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/civil"
	"parley/platform/fault"
	"parley/platform/phone"
)

// ScopeKind says what a report is limited to.
type ScopeKind string

// The kinds of scope.
const (
	ScopeOrg   ScopeKind = "organisation"
	ScopeTeams ScopeKind = "teams" // those of a manager
	ScopeTeam  ScopeKind = "team"
	ScopeAgent ScopeKind = "agent"
	ScopeLine  ScopeKind = "line"
)

// Scope is what a report is limited to, with the name of the narrowest part.
type Scope struct {
	Kind  ScopeKind `json:"kind"`
	Title string    `json:"title"`
}

// View is a report that may be made: whose calls, which days, which filter, and who asks.
type View struct {
	Org        *account.Org
	Actor      *account.Actor
	Ask        Ask
	Query      stats.Query
	From, To   civil.Day                           // To exclusive
	Agents     map[account.AgentNo]*account.Member // everybody the actor may see
	Scope      Scope
	ScopeTitle string
}

// AgentName is the name of the agent with a number.
func (v *View) AgentName(no account.AgentNo) string {
	if m := v.Agents[no]; m != nil {
		return m.Name
	}
	return ""
}

// agentID is the public id of an agent.
func (v *View) agentID(no account.AgentNo) string {
	if m := v.Agents[no]; m != nil {
		return string(m.ID)
	}
	return ""
}

// View settles what an Ask means for an actor. It takes the permission to read reports, and those of also (such as
// account.ExportCalls). A team, agent, line or number that the actor may not see is NotFound, like one that does not
// exist; other errors name the field of the query.
func (r *Reports) View(ctx context.Context, actor *account.Actor, a Ask, also ...account.Permission) (*View, error) {
	for _, p := range append([]account.Permission{account.ReadReports}, also...) {
		if err := actor.Require(p); err != nil {
			return nil, err
		}
	}
	v := &View{Org: actor.Org, Actor: actor, Ask: a}
	if err := v.readSpan(civil.Today(r.now(), v.Org.Location())); err != nil {
		return nil, err
	}
	if err := a.readFilter(&v.Query.Filter); err != nil {
		return nil, err
	}
	if err := r.scope(ctx, v); err != nil {
		return nil, err
	}
	if err := r.numbers(ctx, v); err != nil {
		return nil, err
	}
	return v, nil
}

func (v *View) readSpan(today civil.Day) (err error) {
	v.From, v.To, err = v.Ask.span(today)
	if err != nil {
		return err
	}
	v.Query.From, v.Query.To = v.From, v.To
	return checkComparison(&v.Ask, v.From, v.To)
}

// scope narrows the view to what was asked for and the actor may see.
func (r *Reports) scope(ctx context.Context, v *View) error {
	seen, err := v.Actor.Agents(ctx)
	if err != nil {
		return err
	}
	members, err := r.accounts.Agents(ctx, v.Org.ID)
	if err != nil {
		return err
	}
	v.Agents = make(map[account.AgentNo]*account.Member, len(members))
	for _, m := range members {
		if seen == nil || slices.Contains(seen, m.Agent) {
			v.Agents[m.Agent] = m
		}
	}
	v.Query.Agents = seen
	v.Scope = v.widest()
	for _, narrow := range []func(context.Context, *View) error{r.team, r.agent, r.line} {
		if err := narrow(ctx, v); err != nil {
			return err
		}
	}
	v.ScopeTitle = v.Scope.Title
	return nil
}

// widest is the scope of an actor who asks for nothing narrower.
func (v *View) widest() Scope {
	switch {
	case v.Query.Agents == nil:
		return Scope{ScopeOrg, v.Org.Name}
	case v.Actor.Member.Role == account.Manager:
		return Scope{ScopeTeams, "Teams of " + v.Actor.Member.Name}
	default:
		return Scope{ScopeAgent, v.Actor.Member.Name}
	}
}

// narrow keeps the agents that are in the scope so far and in the given ones.
func (v *View) narrow(to []account.AgentNo) {
	if v.Query.Agents != nil {
		to = slices.DeleteFunc(slices.Clone(to), func(a account.AgentNo) bool { return !slices.Contains(v.Query.Agents, a) })
	}
	if to == nil {
		to = []account.AgentNo{} // nobody, where nil is everybody
	}
	v.Query.Agents = to
}

func (r *Reports) team(ctx context.Context, v *View) error {
	id := v.Ask.Team
	if id == "" {
		return nil
	}
	missing := fault.New(fault.NotFound, "There is no team %s in this organisation.", id)
	if v.Query.Agents != nil && !slices.Contains(v.Actor.Member.Teams, id) {
		return missing
	}
	teams, err := r.accounts.Teams(ctx, v.Org.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(teams, func(t account.Team) bool { return t.ID == id })
	if i < 0 {
		return missing
	}
	agents, err := r.accounts.TeamAgents(ctx, v.Org.ID, id)
	if err != nil {
		return err
	}
	v.narrow(agents)
	v.Scope = Scope{ScopeTeam, teams[i].Name}
	return nil
}

func (r *Reports) agent(_ context.Context, v *View) error {
	id := account.MemberID(v.Ask.Agent)
	if id == "" {
		return nil
	}
	for no, m := range v.Agents {
		if m.ID != id {
			continue
		}
		if v.Query.Agents != nil && !slices.Contains(v.Query.Agents, no) {
			return fault.Field("agent", "%s is not in the team %s. Leave one of the two out.", m.Name, v.Scope.Title)
		}
		v.narrow([]account.AgentNo{no})
		v.Scope = Scope{ScopeAgent, m.Name}
		return nil
	}
	return fault.New(fault.NotFound, "There is no agent %s in this organisation.", id)
}

// line narrows to a line and to whoever held it, so that roll-ups of others are not looked at.
func (r *Reports) line(ctx context.Context, v *View) error {
	id := v.Ask.Line
	if id == "" {
		return nil
	}
	l, err := r.devices.Line(ctx, v.Org, id)
	if err != nil {
		return err
	}
	holders, err := r.devices.Holders(ctx, v.Org)
	if err != nil {
		return err
	}
	v.narrow(holders.Of(l.No))
	if len(v.Query.Agents) == 0 {
		return fault.New(fault.NotFound, "There is no line %q in this organisation.", string(id))
	}
	v.Query.Filter.Line = l.No
	v.Scope = Scope{ScopeLine, lineTitle(l.Label, l.Number, v.Org.Country)}
	return nil
}

func lineTitle(label, canonical, country string) string {
	switch shown := phone.Display(canonical, country); {
	case label == "" && shown == "":
		return "Line without a number"
	case label == "":
		return shown
	case shown == "":
		return label
	default:
		return label + " (" + shown + ")"
	}
}

// nobody is an id that no number has: a filter for a number that is not in the book.
const nobody number.ID = -1

// numbers resolves what was written as a number: a key, a whole number, or last digits.
func (r *Reports) numbers(ctx context.Context, v *View) error {
	text := v.Ask.Number
	if text == "" {
		return nil
	}
	f := &v.Query.Filter
	if key := number.Key(text); looksLikeKey(text) {
		n, err := r.book.ByKey(ctx, r.db, v.Org.ID, key)
		if err == nil {
			f.Numbers = []number.ID{n}
			return nil
		}
		if fault.KindOf(err) != fault.NotFound || phone.Digits(text) != text {
			return err
		}
	}
	parsed := phone.Parse(text, v.Org.Country)
	n, ok, err := r.book.Seek(ctx, r.db, v.Org.ID, parsed.Canonical())
	if err != nil {
		return err
	}
	if ok {
		f.Numbers = []number.ID{n}
		return nil
	}
	if f.Numbers, err = r.ending(ctx, v, parsed); err == nil && len(f.Numbers) == 0 {
		f.Numbers = []number.ID{nobody}
	}
	return err
}

// ending finds numbers by their last digits, where that is what was written.
func (r *Reports) ending(ctx context.Context, v *View, n phone.Number) ([]number.ID, error) {
	digits := phone.Digits(n.Raw)
	if n.Raw != "" && n.Raw[0] == '+' || digits == "" {
		return nil, nil
	}
	return r.book.FindEnding(ctx, r.db, v.Org.ID, digits)
}

// keyLength is how long a number's public name is.
const keyLength = 20

func looksLikeKey(text string) bool { return len(text) == keyLength }

// readFilter reads the words of an Ask that are about calls themselves.
func (a *Ask) readFilter(f *call.Filter) error {
	var errs [6]error
	f.Types, errs[0] = parseWords("type", "type of call", a.Types, types())
	f.Outcomes, errs[1] = parseWords("outcome", "outcome", a.Outcomes, outcomes())
	f.Sources, errs[2] = parseWords("source", "source of calls", a.Sources, sources())
	f.MinSeconds, f.MaxSeconds, f.HourFrom, f.HourTo = a.MinSeconds, a.MaxSeconds, a.HourFrom, a.HourTo
	f.Tag, f.Excluded = a.Tag, a.Excluded
	if a.MinSeconds < 0 || a.MaxSeconds < 0 {
		errs[3] = fault.Field("min_seconds", "A call cannot last less than 0 seconds. Write a whole number of seconds.")
	}
	if a.MaxSeconds > 0 && a.MaxSeconds < a.MinSeconds {
		errs[4] = fault.Field("max_seconds", "No call lasts at least %d and at most %d seconds. Swap the two.", a.MinSeconds, a.MaxSeconds)
	}
	if a.HourFrom < 0 || a.HourFrom > 23 || a.HourTo < 0 || a.HourTo > 24 || a.HourFrom == a.HourTo && a.HourTo != 0 {
		errs[5] = fault.Field("hour_from", "Hours run from 0 to 24 and the two must differ; %d to %d is no window. For the morning write 9 and 12, for the night 22 and 6.", a.HourFrom, a.HourTo)
	}
	return fault.Join(errs[:]...)
}

func types() []call.Type {
	return []call.Type{call.TypeIncoming, call.TypeOutgoing, call.TypeMissed, call.TypeRejected, call.TypeBlocked, call.TypeVoicemail,
		call.TypeAnsweredElsewhere, call.TypeUnknown}
}

func outcomes() []call.Outcome {
	return []call.Outcome{call.OutcomeConnected, call.OutcomeMissed, call.OutcomeShort, call.OutcomeNotPickedUp, call.OutcomeRejected, call.OutcomeBlocked,
		call.OutcomeVoicemail, call.OutcomeUnknown}
}

func sources() []call.Source {
	return []call.Source{call.SourcePhone, call.SourceBrowser, call.SourceAssistant, call.SourcePBX, call.SourceMessenger}
}

// parseWords reads words of a closed set.
func parseWords[T interface{ String() string }](field, what string, words []string, all []T) ([]T, error) {
	var out []T
	for _, w := range words {
		i := slices.IndexFunc(all, func(t T) bool { return strings.EqualFold(t.String(), strings.TrimSpace(w)) })
		if i < 0 {
			known := make([]string, len(all))
			for j, t := range all {
				known[j] = t.String()
			}
			return nil, fault.Field(field, "There is no %s %q. Choose from %s.", what, w, list(known))
		}
		out = append(out, all[i])
	}
	return out, nil
}
