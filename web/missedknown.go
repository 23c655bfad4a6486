package web

import (
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/calls/stats"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/web/ui"
)

// knownCallers is what contacts and leads know of missed callers, and how soon they are to be called back.
type knownCallers struct {
	contacts map[number.ID]*contact.Contact
	leads    map[contact.ID]*lead.Lead
	names    map[account.MemberID]string
	target   time.Duration // of working time; 0 = none
}

// knownCallers looks up whose numbers missed callers have, as far as the actor sees them.
func (v *visit) knownCallers(people []stats.Person) (*knownCallers, error) {
	k := &knownCallers{contacts: map[number.ID]*contact.Contact{}, leads: map[contact.ID]*lead.Lead{}}
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return nil, err
	}
	k.target = time.Duration(set.Recovery) * time.Minute
	if !v.actor.Can(account.ReadLeads) || len(people) == 0 {
		return k, nil
	}
	d, err := v.desk()
	if err != nil {
		return nil, err
	}
	k.names = d.names
	var nums []number.ID
	for i := range people {
		nums = append(nums, people[i].ID)
	}
	with, err := v.Contacts.ByNumber(v.ctx(), v.DB, v.org().ID, nums...)
	if err != nil {
		return nil, err
	}
	var ids []contact.ID
	for _, all := range with {
		ids = append(ids, all...)
	}
	if len(ids) == 0 {
		return k, nil
	}
	slices.Sort(ids)
	found, err := v.Contacts.Load(v.ctx(), v.DB, v.org().ID, slices.Compact(ids)...)
	if err != nil {
		return nil, err
	}
	var seen []contact.ID
	for n, all := range with {
		for _, x := range all {
			if c := found[x]; c != nil && k.contacts[n] == nil && d.sight.Sees(c.Owner) && !c.Restricted {
				k.contacts[n] = c
				seen = append(seen, c.ID)
			}
		}
	}
	if len(seen) == 0 {
		return k, nil
	}
	leads, err := v.Leads.OfContacts(v.ctx(), v.DB, v.org().ID, seen...)
	for _, l := range leads {
		if l.State == lead.Open && k.leads[l.Contact] == nil && d.sight.Sees(l.Owner) {
			k.leads[l.Contact] = l
		}
	}
	return k, err
}

// tell adds to the row of a missed caller who they are, whose, and what is left of the time to call back.
func (k *knownCallers) tell(v *visit, p *stats.Person, handled bool, row *ui.Row) {
	if c := k.contacts[p.ID]; c != nil {
		v.concernContact(c)
		who := &row.Cells[0]
		who.Sub = nonEmpty(v.contactName(c), who.Sub)
		if l := k.leads[c.ID]; l != nil {
			who.Tags = append(who.Tags, ui.Tag{Text: v.t("missed.lead_of", "Owner", nonEmpty(k.names[l.Owner], v.t("lead.unowned"))), Icon: "target"})
			acts := &row.Cells[len(row.Cells)-1]
			acts.Acts = append(acts.Acts, ui.Action{Title: v.t("missed.open_lead"), Href: "/leads/" + string(l.ID), Icon: "target"})
		}
	}
	if k.target == 0 || handled || !p.State.Waiting() {
		return
	}
	state := &row.Cells[1]
	if left := k.target - p.WaitingBusiness; left >= 0 {
		state.Sub = v.t("missed.left", "Time", v.worked(left))
	} else {
		state.Sub = v.t("missed.late")
	}
}

// lateCallers tells how many callers of all lines and colleagues have waited for longer than the organisation wants; nil where nobody
// has, or the tab is not about those who wait.
func (s *sight) lateCallers(tab missedTab) (*ui.Note, error) {
	if tab.word != "open" || !s.actor.Can(account.ReadLeads) || s.Ask.Team != "" || s.Ask.Agent != "" || s.Ask.Line != "" {
		return nil, nil
	}
	d, err := s.desk()
	if err != nil {
		return nil, err
	}
	all, err := s.Attach.Recovery(s.ctx(), s.Org, d.sight, s.Now())
	late, target := 0, time.Duration(0)
	for i := range all {
		if target = all[i].Target; all[i].Broken() {
			late++
		}
	}
	if err != nil || late == 0 {
		return nil, err
	}
	return &ui.Note{Kind: ui.Warn, Text: s.t("missed.past_target", "Count", late, "Target", s.worked(target))}, nil
}
