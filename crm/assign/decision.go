package assign

import (
	"strconv"
	"strings"
	"time"

	"parley/account"
)

// Decision is who gets a lead, and why.
type Decision struct {
	Owner   account.MemberID // "" = nobody
	Team    account.TeamID   // through which they get it; "" = none
	Rule    RuleID           // that decided; "" = none fits
	Why     []Part
	Skipped []Skip
	Until   time.Time // when it is tried again, where it waits for somebody to be back; zero = it does not wait

	turn slot // whose turn was taken; rule "" = nobody's
}

// Part is a part of the sentence that says why: a key of the catalogue, below "assign.why.", and what stands in it.
type Part struct {
	Key  Key               `json:"k"`
	Args map[string]string `json:"a,omitempty"`
}

// Key names a part of a reason.
type Key string

// The parts. Times are Unix milliseconds, amounts whole numbers, days as 2006-01-02.
const (
	ByRule       Key = "rule"        // Rule: its name
	ByTurn       Key = "turn"        // it was their turn
	ByWeight     Key = "weight"      // it was their turn, as the weights say; Weight, Of
	ByOpen       Key = "open"        // they had the fewest open leads; Count
	ByTalk       Key = "talk"        // they had talked least today; Minutes
	BySpoken     Key = "spoke"       // they spoke with this number; Day
	ByContact    Key = "contact"     // they look after the contact
	ByFallback   Key = "fallback"    // nobody of the rule's own people could have it
	OnwardRule   Key = "onward"      // nobody of the rule Rule could have it
	NobodyFits   Key = "nobody"      // nobody of the rule's people can have it
	NoRule       Key = "no_rule"     // no rule is for this lead
	Waits        Key = "waits"       // until when it waits; Until
	Restricted   Key = "restricted"  // the contact's data is restricted
	TooLate      Key = "attempt"     // nobody tried within Minutes working minutes
	TooLateTask  Key = "follow_up"   // a follow-up was overdue by Minutes working minutes
	Untouchable  Key = "limit"       // it was taken away Count times already
	StaysForNow  Key = "stays"       // it stays where it is
	AgentIsBack  Key = "back"        // it had waited for somebody
	ByHandOfRule Key = "asked_rules" // somebody asked the rules
)

// sentences are the parts in English, for the histories of leads and for logs. Pages take theirs from the catalogue.
func sentences() map[Key]string {
	return map[Key]string{
		ByRule: "By the rule “{Rule}”.", ByTurn: "It was their turn.", ByWeight: "It was their turn, with {Weight} of {Of} shares.",
		ByOpen: "They had the fewest open leads ({Count}).", ByTalk: "They had talked least today ({Minutes} minutes).",
		BySpoken: "They spoke with this number on {Day}.", ByContact: "They look after the contact.",
		ByFallback: "Nobody of the rule’s own people could have it.", OnwardRule: "Nobody of the rule “{Rule}” could have it.",
		NobodyFits: "Nobody of the rule’s people can have it now.", NoRule: "No rule is for this lead.", Waits: "It waits until somebody is back.",
		Restricted: "The contact’s data is restricted, so nothing is done with it.", TooLate: "Nobody had tried to call within {Minutes} working minutes.",
		TooLateTask: "A follow-up was overdue by {Minutes} working minutes.", Untouchable: "It was taken away {Count} times already.",
		StaysForNow: "It stays where it is.", AgentIsBack: "It had waited for somebody to be back.", ByHandOfRule: "Somebody asked the rules.",
	}
}

// Sentence is the reason in English.
func (d *Decision) Sentence() string {
	words := sentences()
	var out []string
	for _, p := range d.Why {
		var args []string
		for name, v := range p.Args {
			args = append(args, "{"+name+"}", v)
		}
		out = append(out, strings.NewReplacer(args...).Replace(words[p.Key]))
	}
	return strings.Join(out, " ")
}

// part makes one: names and values take turns.
func part(key Key, args ...string) Part {
	p := Part{Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[args[i]] = args[i+1]
	}
	return p
}

func number10(n int64) string { return strconv.FormatInt(n, 10) }

// Reason is why somebody was passed over.
type Reason string

// The reasons.
const (
	HasLeft      Reason = "left"      // deactivated
	MayNot       Reason = "role"      // with their role they do not work on leads
	IsPaused     Reason = "paused"    // they get no leads by rules
	HadIt        Reason = "had_it"    // they had it before, or it is taken from them
	IsAway       Reason = "away"      // Detail: until when, Unix ms
	IsClosed     Reason = "closed"    // outside working hours; Detail: until when
	IsSilent     Reason = "silent"    // their phone; Detail: for how many working minutes
	HasNoPhone   Reason = "no_phone"  // that is paired
	DayFull      Reason = "day_cap"   // Detail: the cap
	OpenFull     Reason = "open_cap"  // Detail: the cap
	NoLanguage   Reason = "language"  // nobody said that they speak it
	NoTerritory  Reason = "territory" // nobody said that they work there
	WeightIsZero Reason = "weight"
)

// Skip is somebody who was passed over.
type Skip struct {
	Member account.MemberID
	Reason Reason
	Detail int64
}

// slot is a round of turns: of a rule's own people, or of those behind them.
type slot struct {
	rule RuleID
	part int
}
