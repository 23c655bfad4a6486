package attach

import (
	"context"
	"slices"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/lead"
	"parley/platform/db"
	"parley/trust/rights"
)

// LeadsGone removes what is kept about leads that are about to be deleted: for lead.Leads.OnGone. That calls made them is
// forgotten with them; a call that was there before does not make them again, see makeLeads.
func (a *Attach) LeadsGone(ctx context.Context, tx *db.Tx, org account.OrgID, leads []lead.ID) error {
	return deleteOf(ctx, tx, `DELETE FROM call_leads WHERE org_id = $1 AND lead IN `, org, leads)
}

// ContactsGone removes what is kept about contacts that are about to be deleted: for contact.Contacts.OnGone.
func (a *Attach) ContactsGone(ctx context.Context, tx *db.Tx, org account.OrgID, contacts []contact.ID) error {
	if err := deleteOf(ctx, tx, `DELETE FROM settled_follow_ups WHERE org_id = $1 AND contact IN `, org, contacts); err != nil {
		return err
	}
	return deleteOf(ctx, tx, `DELETE FROM due_contacts WHERE org_id = $1 AND contact IN `, org, contacts)
}

func deleteOf[T any](ctx context.Context, tx *db.Tx, query string, org account.OrgID, ids []T) error {
	for part := range slices.Chunk(ids, atOnce) {
		args := []any{org}
		for _, id := range part {
			args = append(args, id)
		}
		if _, err := tx.Exec(ctx, query+db.In(2, len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// Store is what rights asks of attachments: nothing, since their rows about people go with the leads and contacts that they
// belong to, and say nothing that those and the calls do not.
func (a *Attach) Store() rights.Store {
	return rights.Store{Name: "calls of leads", Tables: []string{"touched_calls", "due_contacts", "call_leads", "settled_follow_ups", "lead_lines", "stage_rules"}}
}
