package assign

import (
	"time"

	"parley/account"
)

// Target is whom a rule gives leads to: members, teams or all agents, taken together. The agents of a team and "all agents" are
// those whose calls are kept and who may work on leads; a member who is named may be anybody who may work on leads.
type Target struct {
	Members []account.MemberID `json:"members,omitempty"`
	Teams   []account.TeamID   `json:"teams,omitempty"`
	All     bool               `json:"all,omitempty"`
}

// Empty tells whether the target is nobody.
func (t *Target) Empty() bool { return len(t.Members) == 0 && len(t.Teams) == 0 && !t.All }

// Way is how one is chosen of those who can have a lead.
type Way string

// The ways. Among equals it is somebody's turn, as in round robin.
const (
	RoundRobin Way = "round_robin"
	Weighted   Way = "weighted"   // round robin, in which some come more often
	LeastOpen  Way = "least_open" // whoever has the fewest open leads
	LeastTalk  Way = "least_talk" // whoever has talked least today; a lead that they were given today counts as three minutes
)

// Ways lists the ways.
func Ways() []Way { return []Way{RoundRobin, Weighted, LeastOpen, LeastTalk} }

// Away says what is done when whoever could have a lead is absent, or it is outside working hours.
type Away string

// What is done.
const (
	PassOver Away = ""      // the lead goes to somebody else
	Queue    Away = "queue" // the lead waits until somebody is back
)

// Choice is how somebody is found.
type Choice struct {
	To       Target                   `json:"to"`
	Fallback Target                   `json:"fallback,omitzero"` // where nobody of To can have it
	Way      Way                      `json:"way"`
	Weights  map[account.MemberID]int `json:"weights,omitempty"` // 0 to 100; who is not named has 1
	// SpokeDays and OwnContacts go before the way: the lead goes to whoever spoke with one of its numbers in the last so many
	// days, the latest first, and then to whoever looks after the contact, in To or not.
	SpokeDays   int  `json:"spoke_days,omitempty"`
	OwnContacts bool `json:"own_contacts,omitempty"`
	// Speaks and Covers take only those of whom somebody said that they speak the lead's language, or work its territory. Where
	// the lead has no language or no place, all do.
	Speaks bool `json:"speaks,omitempty"`
	Covers bool `json:"covers,omitempty"`
	// Silent passes over whoever's phone has told nothing for more than so many working hours; 0 does not look at phones.
	// Phoneless takes along those who have no phone at all.
	Silent    int  `json:"silent,omitempty"`
	Phoneless bool `json:"phoneless,omitempty"`
	// Working gives out leads in working hours alone.
	Working bool `json:"working,omitempty"`
	Away    Away `json:"away,omitempty"`
	// Wait is for how many hours at most a lead waits for somebody to be back; 0 = three days.
	Wait int `json:"wait,omitempty"`
}

// usualWait is how long a lead waits at most where the rule does not say.
const usualWait = 72 * time.Hour

func (c *Choice) wait() time.Duration {
	if c.Wait == 0 {
		return usualWait
	}
	return time.Duration(c.Wait) * time.Hour
}

// weight is a member's share, of which only the proportion counts.
func (c *Choice) weight(m account.MemberID) int {
	if w, ok := c.Weights[m]; ok && c.Way == Weighted {
		return w
	}
	return 1
}

// Rule says who gets the leads that it is for. The first rule that a lead fits decides; where nobody can have it, Onward lets the
// rules below try.
type Rule struct {
	ID     RuleID `json:"-"`
	Rev    int64  `json:"-"`
	Name   string `json:"name"`
	Off    bool   `json:"off,omitempty"`
	When   When   `json:"when,omitzero"`
	Choice        // whom it goes to
	Onward bool   `json:"onward,omitempty"`
}

// Overdue says for what a lead is taken away from its owner.
type Overdue string

// The reasons.
const (
	NoAttempt    Overdue = "attempt"   // nobody tried to reach the contact since the owner got it, nor were they reached
	LateFollowUp Overdue = "follow_up" // what was to be done on it is overdue
)

// Rescue takes leads away from whoever leaves them lying, and gives them to somebody else.
type Rescue struct {
	ID        RuleID   `json:"-"`
	Rev       int64    `json:"-"`
	Name      string   `json:"name"`
	Off       bool     `json:"off,omitempty"`
	Reason    Overdue  `json:"reason"`
	After     int      `json:"after"`               // working minutes
	Pipelines []string `json:"pipelines,omitempty"` // none = all
	Sources   []string `json:"sources,omitempty"`   // none = all
	// Most is how often a lead is taken away in all; after that it stays where it is.
	Most   int  `json:"most"`
	ByRule bool `json:"by_rule,omitempty"` // the rules of assignment say who gets it; Choice is not looked at
	Choice
}

func (r *Rescue) after() time.Duration { return time.Duration(r.After) * time.Minute }
