package attach

import (
	"cmp"
	"context"
	"slices"

	"parley/account"
	"parley/calls/call"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
)

// Rule says why a call belongs to the contact and the lead that it belongs to.
type Rule string

// The rules, in the order in which they are tried.
const (
	NoContact   Rule = "no_contact"   // nobody has the number, or it was withheld
	OnlyOne     Rule = "only_one"     // one contact has the number
	AgentsLead  Rule = "agents_lead"  // of several, the one whose open lead belongs to the agent of the call
	OpenLead    Rule = "open_lead"    // of several, the one with an open lead; of those, the newest lead
	AgentsOwn   Rule = "agents_own"   // of several, the one that belongs to the agent of the call
	LastTouched Rule = "last_touched" // of several, the one with whom there was something last
)

// Match is whom a call belongs to.
type Match struct {
	Contact contact.ID // "" = nobody
	Lead    lead.ID    // "" = the contact has no open lead
	Rule    Rule
}

// Attach tells which contact and open lead a call belongs to, as things stand now.
//
// The contact is the one that has the number. Where several have it, as with a switchboard, the first of these rules that
// leaves one decides: whose open lead belongs to the agent of the call; who has an open lead, of several the newest; who
// belongs to the agent; with whom there was something last; who was entered first.
//
// The lead is one of the contact's open ones: of those that belong to the agent of the call, else of all, the newest. A lead
// is newest by when it was made. Closed leads take no calls, so a call to a contact without an open lead belongs to the
// contact alone.
func (a *Attach) Attach(ctx context.Context, c db.Conn, org account.OrgID, k call.Key) (Match, error) {
	all, err := a.attachAll(ctx, c, org, []call.Key{k})
	return all[k], err
}

// attachAll is Attach for several calls.
func (a *Attach) attachAll(ctx context.Context, c db.Conn, org account.OrgID, keys []call.Key) (map[call.Key]Match, error) {
	out := make(map[call.Key]Match, len(keys))
	var nums []number.ID
	for _, k := range keys {
		out[k] = Match{Rule: NoContact}
		if k.Number != number.Withheld {
			nums = append(nums, k.Number)
		}
	}
	slices.Sort(nums)
	having, err := a.Contacts.ByNumber(ctx, c, org, slices.Compact(nums)...)
	if err != nil || len(having) == 0 {
		return out, err
	}
	var ids []contact.ID
	for _, of := range having {
		ids = append(ids, of...)
	}
	p, err := a.people(ctx, c, org, ids)
	if err != nil {
		return nil, err
	}
	members := map[account.AgentNo]account.MemberID{}
	for _, k := range keys {
		of := having[k.Number]
		if len(of) == 0 {
			continue
		}
		m, ok := members[k.Agent]
		if !ok {
			if m, err = memberOf(ctx, c, org, k.Agent); err != nil {
				return nil, err
			}
			members[k.Agent] = m
		}
		out[k] = p.match(of, m)
	}
	return out, nil
}

// people are contacts, by the ids that were asked for, with their leads, the newest first.
type people struct {
	contacts map[contact.ID]*contact.Contact
	leads    map[contact.ID][]*lead.Lead // by the id that the contact has now
}

// open are the open leads of somebody.
func (p *people) open(id contact.ID) []*lead.Lead {
	return slices.DeleteFunc(slices.Clone(p.leads[p.contacts[id].ID]), func(l *lead.Lead) bool { return l.State != lead.Open })
}

func (a *Attach) people(ctx context.Context, c db.Conn, org account.OrgID, ids []contact.ID) (*people, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	p := &people{leads: map[contact.ID][]*lead.Lead{}}
	var err error
	if p.contacts, err = a.Contacts.Load(ctx, c, org, ids...); err != nil {
		return nil, err
	}
	var now []contact.ID
	for _, found := range p.contacts {
		now = append(now, found.ID)
	}
	slices.Sort(now)
	leads, err := a.Leads.OfContacts(ctx, c, org, slices.Compact(now)...)
	if err != nil {
		return nil, err
	}
	// A lead may still name somebody who was merged into another since.
	var of []contact.ID
	for _, l := range leads {
		of = append(of, l.Contact)
	}
	slices.Sort(of)
	whose, err := a.Contacts.Load(ctx, c, org, slices.Compact(of)...)
	if err != nil {
		return nil, err
	}
	for _, l := range leads {
		if x := whose[l.Contact]; x != nil {
			p.leads[x.ID] = append(p.leads[x.ID], l)
		}
	}
	return p, nil
}

// match picks one of the contacts that have a number, for a call of a member.
func (p *people) match(of []contact.ID, agent account.MemberID) Match {
	of = slices.DeleteFunc(slices.Clone(of), func(id contact.ID) bool { return p.contacts[id] == nil })
	if len(of) == 0 {
		return Match{Rule: NoContact}
	}
	// The newest of some leads first, so that the first contact with one decides.
	newest := func(id contact.ID, of func(*lead.Lead) bool) *lead.Lead {
		open := p.open(id)
		if i := slices.IndexFunc(open, of); i >= 0 {
			return open[i]
		}
		return nil
	}
	agents := func(l *lead.Lead) bool { return agent != "" && l.Owner == agent }
	anys := func(*lead.Lead) bool { return true }
	if len(of) == 1 {
		return p.leadOf(of[0], agent, OnlyOne)
	}
	for _, try := range []struct {
		rule Rule
		of   func(*lead.Lead) bool
	}{{AgentsLead, agents}, {OpenLead, anys}} {
		best := slices.MaxFunc(of, func(a, b contact.ID) int { return older(newest(a, try.of), newest(b, try.of)) })
		if newest(best, try.of) != nil {
			return p.leadOf(best, agent, try.rule)
		}
	}
	rule := LastTouched
	if own := slices.DeleteFunc(slices.Clone(of), func(id contact.ID) bool { return agent == "" || p.contacts[id].Owner != agent }); len(own) > 0 {
		of, rule = own, AgentsOwn
	}
	best := slices.MaxFunc(of, func(a, b contact.ID) int {
		x, y := p.contacts[a], p.contacts[b]
		return cmp.Or(x.Last.Compare(y.Last), y.Made.Compare(x.Made), cmp.Compare(y.ID, x.ID))
	})
	return p.leadOf(best, agent, rule)
}

// older orders leads by when they were made; none is the oldest.
func older(a, b *lead.Lead) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(flag(a != nil), flag(b != nil))
	default:
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID))
	}
}

// leadOf is a contact with the lead that a call of a member belongs to.
func (p *people) leadOf(id contact.ID, agent account.MemberID, rule Rule) Match {
	m := Match{Contact: p.contacts[id].ID, Rule: rule}
	open := p.open(id)
	i := slices.IndexFunc(open, func(l *lead.Lead) bool { return agent != "" && l.Owner == agent })
	if i < 0 && len(open) > 0 {
		i = 0
	}
	if i >= 0 {
		m.Lead = open[i].ID
	}
	return m
}
