package incident

import (
	"context"
	"strings"

	"parley/account"
	"parley/platform/db"
	"parley/trust/subject"
)

// Carry puts the files that another database has of an organisation in the place of those here: the clocks of a breach run
// on whatever is restored. rename tells who a person there is here.
func (x *Incidents) Carry(ctx context.Context, from *Incidents, tx *db.Tx, org account.OrgID, rename func(subject.Ref) (subject.Ref, error)) error {
	change := func(column string, v any) (any, error) {
		text, ok := v.(string)
		if column != "person" && column != "persons" || !ok {
			return v, nil
		}
		words := strings.Fields(text)
		for i, w := range words {
			ref, err := subject.Parse(w)
			if err != nil { // somebody who is not known by a reference
				continue
			}
			if ref, err = rename(ref); err != nil {
				return nil, err
			}
			words[i] = ref.String()
		}
		return strings.Join(words, " "), nil
	}
	for _, table := range []string{"incidents", "incident_steps", "incident_alarms", "legal_requests", "legal_decisions", "transfers", "transfer_objections", "security_events"} {
		if err := db.CopyRows(ctx, from.d.DB, tx, table, int64(org), change); err != nil {
			return err
		}
	}
	return nil
}
