package api

import (
	"context"

	"parley/account"
	"parley/calls/calltest"
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
	"parley/platform/db/dbtest"
)

// outsideSchemas are the tables of the people outside.
func outsideSchemas() []dbtest.Schema {
	return []dbtest.Schema{{Series: "field", Files: field.Schema}, {Series: "contact", Files: contact.Schema}, {Series: "lead", Files: lead.Schema}, {Series: "assign", Files: assign.Schema},
		{Series: "followup", Files: followup.Schema}, {Series: "file", Files: file.Schema}, {Series: "attach", Files: attach.Schema}, {Series: "intake", Files: intake.Schema}}
}

// outside makes what keeps the people outside, as the app does.
func outside(w *calltest.World, d *Deps) {
	d.Fields = field.New(w.DB)
	d.Contacts = contact.NewContacts(contact.Deps{DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Fields: d.Fields, Gate: w.Holds.Check, Consents: w.Consents, Now: w.Now})
	d.Leads = lead.NewLeads(lead.Deps{DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Contacts: d.Contacts, Fields: d.Fields, Gate: w.Holds.Check, Now: w.Now})
	d.Contacts.OnGone(d.Leads.ContactsGone)
	d.Assign = assign.New(assign.Deps{DB: w.DB, Accounts: w.Accounts, Book: w.Book, Devices: w.Devices, Contacts: d.Contacts, Leads: d.Leads, Now: w.Now})
	d.FollowUps = followup.NewFollowUps(followup.Deps{DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Contacts: d.Contacts, Leads: d.Leads, Log: w.Log, Gate: w.Holds.Check, Now: w.Now})
	d.Files = file.New(file.Deps{DB: w.DB, Keys: w.Keys, Contacts: d.Contacts, Gate: w.Holds.Check, Now: w.Now})
	d.Attach = attach.New(attach.Deps{DB: w.DB, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Devices: w.Devices, Reporter: w.Reporter, Callbacks: w.Callbacks,
		Consents: w.Consents, Contacts: d.Contacts, Leads: d.Leads, FollowUps: d.FollowUps, Gate: w.Holds.Check, Now: w.Now})
	w.Writer.Watch(d.Attach.Heard)
	d.Contacts.OnNumbers(d.Attach.Mark)
	d.Contacts.OnGone(d.Attach.ContactsGone)
	d.Leads.OnTurn(d.Attach.Mark)
	d.Leads.OnGone(d.Attach.LeadsGone)
	d.Intake = intake.New(intake.Deps{DB: w.DB, Keys: w.Keys, Accounts: w.Accounts, Book: w.Book, Devices: w.Devices, Fields: d.Fields, Contacts: d.Contacts, Leads: d.Leads, Gate: w.Holds.Check,
		Collects: func(context.Context, account.OrgID, string) (bool, error) { return true, nil }, Now: w.Now})
	w.Reports.Wire(funnel.New(funnel.Deps{DB: w.DB, Accounts: w.Accounts, Leads: d.Leads, Attach: d.Attach, FollowUps: d.FollowUps, Reporter: w.Reporter, Callbacks: w.Callbacks, Reports: w.Reports, Now: w.Now}).Sheet)
	d.Timelines = timeline.New(timeline.Deps{DB: w.DB, Accounts: w.Accounts, Book: w.Book, Calls: w.Calls, Reporter: w.Reporter, Contacts: d.Contacts, Leads: d.Leads,
		FollowUps: d.FollowUps, Files: d.Files, Consents: w.Consents, Now: w.Now})
}
