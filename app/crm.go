package app

import (
	"context"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/platform/vault"
)

// crm makes whatever keeps the people outside, and ties it together.
func (p *Parley) crm() {
	p.Fields = field.New(p.DB)
	p.Contacts = contact.NewContacts(contact.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Book: p.Book, Fields: p.Fields, Gate: p.Holds.Check, Consents: p.Consents, Now: p.Now})
	p.Leads = lead.NewLeads(lead.Deps{DB: p.DB, Keys: p.Keys, Accounts: p.Accounts, Contacts: p.Contacts, Fields: p.Fields, Gate: p.Holds.Check, Now: p.Now})
	p.Contacts.OnGone(p.Leads.ContactsGone)
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
