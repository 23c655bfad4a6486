package app

import (
	"context"
	"time"

	"parley/account"
	"parley/crm/assign"
	"parley/crm/attach"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/file"
	"parley/crm/followup"
	"parley/crm/funnel"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/crm/timeline"
	"parley/platform/db"
	"parley/platform/vault"
)

// crm makes whatever keeps the people outside, and ties it together.
func (p *Parley) crm() {
	p.Fields = field.New(p.DB)
	p.Contacts = contact.NewContacts(contact.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Fields: p.Fields, Gate: p.Holds.Check, Consents: p.Consents, Now: p.Now})
	p.Leads = lead.NewLeads(lead.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Contacts: p.Contacts, Fields: p.Fields, Gate: p.Holds.Check, Now: p.Now})
	p.Contacts.OnGone(p.Leads.ContactsGone)
	p.Assign = assign.New(assign.Deps{DB: p.DB, Accounts: p.Accounts, Book: p.Book, Devices: p.Devices, Contacts: p.Contacts, Leads: p.Leads, Handed: p.handFollowUps, Now: p.Now})
	p.FollowUps = followup.NewFollowUps(followup.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Contacts: p.Contacts, Leads: p.Leads, Log: p.Audit, Gate: p.Holds.Check, Now: p.Now})
	p.Files = file.New(file.Deps{DB: p.DB, Keys: p.Keys, Contacts: p.Contacts, Gate: p.Holds.Check, Now: p.Now})
	p.attachCalls()
	p.wireFollowUps()
	p.Funnel = funnel.New(funnel.Deps{DB: p.DB, Accounts: p.Accounts, Leads: p.Leads, Attach: p.Attach, FollowUps: p.FollowUps, Reporter: p.Reporter, Callbacks: p.Callbacks, Reports: p.Reports, Now: p.Now})
	p.Reports.Wire(p.Funnel.Sheet)
	p.takeLists()
}

// watchContacts lets contacts be kept for as long as anything happens with them, and their numbers for as long as they are.
func (p *Parley) watchContacts() {
	p.Contacts.OnAlive(p.Leads.ActiveSince)
	p.Contacts.OnAlive(p.FollowUps.ActiveSince)
	p.Contacts.OnLoose(p.Persons.LetGo)
	p.Persons.OnIdle(p.Contacts.NumbersSince)
}

// attachCalls has calls meet people.
func (p *Parley) attachCalls() {
	p.Attach = attach.New(attach.Deps{DB: p.DB, Accounts: p.Accounts, Book: p.Book, Calls: p.Calls, Devices: p.Devices, Reporter: p.Reporter, Callbacks: p.Callbacks,
		Consents: p.Consents, Contacts: p.Contacts, Leads: p.Leads, FollowUps: p.FollowUps, Gate: p.Holds.Check, Assign: p.assignCaller, Now: p.Now})
	p.Writer.Watch(p.Attach.Heard)
	p.Contacts.OnNumbers(p.Attach.Mark)
	p.Contacts.OnGone(p.Attach.ContactsGone)
	p.Leads.OnTurn(p.Attach.Mark)
	p.Leads.OnGone(p.Attach.LeadsGone)
}

// takeLists has lists of contacts and leads come in and go out.
func (p *Parley) takeLists() {
	p.Intake = intake.New(intake.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Devices: p.Devices, Fields: p.Fields, Contacts: p.Contacts, Leads: p.Leads, Gate: p.Holds.Check,
		Busy: func(ctx context.Context, c db.Conn, org account.OrgID, contacts ...contact.ID) (map[contact.ID]bool, error) {
			all, err := p.FollowUps.OfContacts(ctx, c, org, contacts...)
			out := make(map[contact.ID]bool, len(all))
			for _, f := range all {
				out[f.Contact] = true
			}
			return out, err
		},
		Assign: p.assignImport, Collects: p.collects, Now: p.Now})
	p.Contacts.OnGone(p.Intake.ContactsGone)
	p.Leads.OnGone(p.Intake.LeadsGone)
}

// timelines puts together what happened with people, from everybody who keeps some of it.
func (p *Parley) timelines() *timeline.Timelines {
	return timeline.New(timeline.Deps{DB: p.DB, Accounts: p.Accounts, Book: p.Book, Calls: p.Calls, Reporter: p.Reporter, Contacts: p.Contacts, Leads: p.Leads,
		FollowUps: p.FollowUps, Files: p.Files, Consents: p.Consents, Rights: p.Rights, Now: p.Now,
		Letters: func(ctx context.Context, c db.Conn, org account.OrgID, address string, at time.Time, below string, limit int) ([]timeline.Letter, error) {
			all, err := p.Mail.Past(ctx, c, org, address, at, below, limit)
			out := make([]timeline.Letter, len(all))
			for i, m := range all {
				out[i] = timeline.Letter{ID: m.ID, To: m.To, Subject: m.Subject, State: string(m.State), At: m.CreatedAt}
			}
			return out, err
		}})
}

// reindexCRM makes the indexes of contacts and leads anew.
func reindexCRM(ctx context.Context, p *Parley, tx *db.Tx, org int64, k *vault.OrgKeys) error {
	if org == 0 {
		return nil
	}
	if err := p.Contacts.Reindex(ctx, tx, account.OrgID(org), k); err != nil {
		return err
	}
	return p.Leads.Reindex(ctx, tx, account.OrgID(org), k)
}
