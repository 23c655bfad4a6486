package web

import (
	"parley/account"
	"parley/calls/call"
	"parley/crm/attach"
	"parley/crm/followup"
	"parley/platform/fault"
	"parley/web/ui"
)

// calledPerson is whom a call was with, and what it came to.
type calledPerson struct {
	Facts    []ui.Fact
	Action   string // where the form is sent; "" for who may not write
	Outcomes []ui.Option
	Outcome  string
	Next     string // the follow-up that was agreed, as its path; "" = none
	NoNext   bool
}

// calledPerson tells whom a call was with; nil where nobody in sight has the number.
func (v *visit) calledPerson(c *call.Call, k call.Key) (*calledPerson, error) {
	if !v.actor.Can(account.ReadLeads) {
		return nil, nil
	}
	d, err := v.desk()
	if err != nil {
		return nil, err
	}
	m, err := v.Attach.Attach(v.ctx(), v.DB, v.org().ID, k)
	if err != nil || m.Contact == "" {
		return nil, err
	}
	who, err := v.Contacts.Get(v.ctx(), v.DB, v.org().ID, d.sight, m.Contact)
	if fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Denied {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v.concernContact(who)
	p := &calledPerson{Facts: []ui.Fact{{Title: v.t("lead.contact"), Cell: ui.Cell{Text: nonEmpty(v.contactName(who), v.t("contact.nameless")), Href: contactPath(who.ID), Strong: true}}}}
	if m.Lead != "" {
		p.Facts = append(p.Facts, ui.Fact{Title: v.t("timeline.lead"), Cell: ui.Cell{Text: v.t("followup.open_lead"), Href: "/leads/" + string(m.Lead)}})
	}
	said, err := call.SaidOf(v.ctx(), v.DB, v.org().ID, k)
	if err != nil {
		return nil, err
	}
	set, err := v.FollowUps.Settings(v.ctx(), v.DB, v.org().ID)
	if err != nil {
		return nil, err
	}
	p.Outcome = said[k].Outcome
	switch next := said[k].Next; next {
	case "":
	case call.NoNext:
		p.NoNext = true
	default:
		p.Next = followup.Link(followup.ID(next))
	}
	p.Outcomes = append(p.Outcomes, ui.Option{Title: v.t("followup.no_outcome")})
	for _, o := range set.Outcomes {
		if !o.Retired || o.Key == p.Outcome {
			p.Outcomes = append(p.Outcomes, ui.Option{Value: o.Key, Title: o.Title})
		}
	}
	if v.actor.Can(account.WriteCalls) {
		p.Action = "/calls/" + c.ID + "/outcome"
	}
	return p, nil
}

// sayOutcome keeps what a call came to, and plans the next step where a time is given.
func sayOutcome(v *visit) error {
	k, err := v.theCall()
	if err != nil {
		return err
	}
	in := attach.NewOutcome{Outcome: v.form("outcome")}
	due, err := v.moment("next")
	if err != nil {
		return err
	}
	switch {
	case in.Outcome == "":
	case !due.IsZero():
		in.Plan = &followup.New{Kind: followup.Call, Due: due}
	case v.checked("no_next"):
		in.Next = call.NoNext
	default:
		said, err := call.SaidOf(v.ctx(), v.DB, v.org().ID, k)
		if err != nil {
			return err
		}
		in.Next = said[k].Next
	}
	if err := v.Attach.SetOutcome(v.ctx(), v.actor, k, in); err != nil {
		return err
	}
	return v.to("/calls/"+k.ID(v.org().ID), v.good("call.outcome_kept"))
}
