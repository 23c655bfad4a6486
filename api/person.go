package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"parley/account"
	"parley/calls/callback"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/platform/fault"
)

// Figures are what the calls say about one person.
type Figures struct {
	Calls           int64      `json:"calls"`
	Connected       int64      `json:"connected"`
	Incoming        int64      `json:"incoming" doc:"All that came in, missed and rejected ones too"`
	Outgoing        int64      `json:"outgoing"`
	Unattended      int64      `json:"unattended"`
	NotPickedUp     int64      `json:"not_picked_up"`
	TalkSeconds     int64      `json:"talk_seconds"`
	First           *time.Time `json:"first,omitempty"`
	Last            *time.Time `json:"last,omitempty"`
	Agents          []AgentRef `json:"agents" doc:"Who had calls with them, most first"`
	LastConnected   *time.Time `json:"last_connected,omitempty"`
	LastConnectedBy *AgentRef  `json:"last_connected_by,omitempty"`
	Recovery        *Recovery  `json:"recovery,omitempty" doc:"Of those who called in vain"`
}

// Recovery is what became of somebody who called in vain, judged from the last such call.
type Recovery struct {
	State           stats.Recovery `json:"state" enum:"open,attempted,recovered_by_us,recovered_by_caller,settled"`
	FirstMissed     *time.Time     `json:"first_missed"`
	LastMissed      *time.Time     `json:"last_missed"`
	MissedBy        *AgentRef      `json:"missed_by,omitempty" doc:"Whose line rang last"`
	Attempts        int64          `json:"attempts" doc:"Our calls since that were not picked up"`
	RecoveredAt     *time.Time     `json:"recovered_at,omitempty"`
	RecoveredBy     *AgentRef      `json:"recovered_by,omitempty"`
	Waiting         int64          `json:"waiting_seconds" doc:"Up to the recovery, or to now"`
	WaitingBusiness int64          `json:"waiting_business_seconds" doc:"The part of it within working days and hours"`
	Suggested       *Suggestion    `json:"suggested,omitempty" doc:"Who should call back, while somebody waits"`
}

// Suggestion is who should call back, and why.
type Suggestion struct {
	Agent AgentRef  `json:"agent"`
	Why   stats.Why `json:"why" doc:"spoke_last: they spoke with the caller last; knows_them: they had calls with them; missed_it: it was their line that rang"`
}

// Person is one number in a list.
type Person struct {
	ID       number.Key `json:"id" doc:"The number's id"`
	Number   string     `json:"number,omitempty" doc:"Absent when erased"`
	Name     string     `json:"name,omitempty"`
	Callback *Callback  `json:"callback,omitempty"`
	Figures
}

// People is a page of people.
type People struct {
	Total   int64                    `json:"total" doc:"On all pages"`
	ByState map[stats.Recovery]int64 `json:"by_state,omitempty" doc:"Of missed callers: how many are in each state, whatever states were asked for"`
	Items   []Person                 `json:"items"`
	Next    string                   `json:"next,omitempty" doc:"Send it as cursor for the next page; absent on the last one"`
}

// PeopleInput asks for a list of people.
type PeopleInput struct {
	List   stats.List `query:"list" required:"true" enum:"clients,reached,new,missed,never_attended,never_picked_up" doc:"clients: with any call; reached: with a connected one; new: with none before the range; missed: with an unattended one, recovered or not; never_attended and never_picked_up: as the metrics of these names"`
	States []string   `query:"state" doc:"Missed callers in these states alone: open, attempted, recovered_by_us, recovered_by_caller, settled; several with commas"`
	Sort   stats.Sort `query:"sort" enum:"last,calls,incoming,outgoing,talk,waiting" doc:"last: the newest last call first; waiting: whoever waits longest first, which missed callers begin with"`
	Ask
	Paging
}

func (s *API) people() {
	handle(s, does(http.MethodGet, "/people", "list-people", account.ReadCalls, tagReports, "People behind the figures").
		saying("Clients, missed callers with their recovery and who should call back, and the rest, for the days, scope and filter asked for."), s.listPeople)
}

func (s *API) listPeople(ctx context.Context, in *PeopleInput) (*body[People], error) {
	v, err := s.view(ctx, &in.Ask)
	if err != nil {
		return nil, err
	}
	agreed, err := s.Callbacks.All(ctx, v.Org.ID)
	if err != nil {
		return nil, err
	}
	q := s.Reports.People(v, in.List)
	q.After, q.Limit, q.Settled = in.Cursor, in.Limit, callback.HandledAt(agreed)
	if in.Sort != "" {
		q.Sort = in.Sort
	}
	for _, w := range lower(in.States) {
		state := stats.Recovery(w)
		if !slices.Contains(stats.Recoveries(), state) {
			return nil, fault.Field("state", "There is no state %.40q. The states are open, attempted, recovered_by_us, recovered_by_caller and settled.", w)
		}
		q.States = append(q.States, state)
	}
	found, err := s.Reporter.People(ctx, v.Org, q)
	if err != nil {
		return nil, err
	}
	agents, err := s.agentsByNo(ctx, v.Org)
	if err != nil {
		return nil, err
	}
	out := People{Total: found.Total, ByState: found.ByState, Items: make([]Person, len(found.People)), Next: found.Next}
	for i := range found.People {
		p := &found.People[i]
		out.Items[i] = Person{ID: p.Key, Number: p.Number, Name: p.Name, Figures: figuresOf(v.Org, p, agents)}
		if c, ok := agreed[p.ID]; ok {
			out.Items[i].Callback = callbackOf(v.Org, c, p.LastMissed, agents)
		}
	}
	return answerOf(out), nil
}

func figuresOf(org *account.Org, p *stats.Person, agents map[account.AgentNo]AgentRef) Figures {
	out := Figures{
		Calls: p.Calls, Connected: p.Connected, Incoming: p.Incoming, Outgoing: p.Outgoing, Unattended: p.Unattended, NotPickedUp: p.NotPickedUp,
		TalkSeconds: int64(p.Talk / time.Second), First: at(org, p.First), Last: at(org, p.Last), Agents: []AgentRef{},
		LastConnected: at(org, p.LastConnected), LastConnectedBy: refTo(agents, p.LastConnectedBy),
	}
	for _, no := range p.Agents {
		if a, ok := agents[no]; ok {
			out.Agents = append(out.Agents, a)
		}
	}
	if !p.LastMissed.IsZero() {
		out.Recovery = recoveryOf(org, p, agents)
	}
	return out
}

func recoveryOf(org *account.Org, p *stats.Person, agents map[account.AgentNo]AgentRef) *Recovery {
	out := &Recovery{
		State: p.State, FirstMissed: at(org, p.FirstMissed), LastMissed: at(org, p.LastMissed), MissedBy: refTo(agents, p.MissedBy), Attempts: p.Attempts,
		RecoveredAt: at(org, p.RecoveredAt), RecoveredBy: refTo(agents, p.RecoveredBy),
		Waiting: int64(p.Waiting / time.Second), WaitingBusiness: int64(p.WaitingBusiness / time.Second),
	}
	for _, c := range p.Candidates {
		if a, ok := agents[c.Agent]; ok && a.active && p.State.Waiting() {
			out.Suggested = &Suggestion{Agent: a, Why: c.Why}
			break
		}
	}
	return out
}

// refTo names an agent, or nobody.
func refTo(agents map[account.AgentNo]AgentRef, no account.AgentNo) *AgentRef {
	if a, ok := agents[no]; ok {
		return &a
	}
	return nil
}
