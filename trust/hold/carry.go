package hold

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/trust/subject"
)

// Carry puts into force here the holds that another database has of an organisation, and ends those that were released
// there. rename tells who a person there is here.
func (h *Holds) Carry(ctx context.Context, from *Holds, tx *db.Tx, org account.OrgID, rename func(subject.Ref) (subject.Ref, error)) error {
	all, err := from.List(ctx, org)
	if err != nil {
		return err
	}
	for _, in := range all {
		for i := range in.Persons {
			if in.Persons[i], err = rename(in.Persons[i]); err != nil {
				return err
			}
		}
		if err := h.Put(ctx, tx, org, in); err != nil {
			return err
		}
	}
	return nil
}
