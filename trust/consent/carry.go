package consent

import (
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/subject"
)

// Carry puts the ledger and the lists that another database has of an organisation in the place of those here: a restored
// backup must not know less of what people said than is known. rename tells who a person there is here. A tombstone that
// only one of both has stays.
func (s *Consents) Carry(ctx context.Context, from *Consents, tx *db.Tx, org account.OrgID, rename func(subject.Ref) (subject.Ref, error)) error {
	tombs, err := from.AllTombstones(ctx, from.DB, org)
	if err != nil {
		return err
	}
	if err := s.PutTombstones(ctx, tx, org, tombs); err != nil {
		return err
	}
	for _, table := range []string{"suppressions", "minors", "consent_wordings"} {
		if err := db.CopyRows(ctx, from.DB, tx, table, int64(org), nil); err != nil {
			return err
		}
	}
	persons, err := db.Select(ctx, from.DB, scanText, `SELECT DISTINCT person FROM consents WHERE org_id = $1 ORDER BY person`, org)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM consents WHERE org_id = $1`, org); err != nil {
		return err
	}
	for _, person := range persons {
		if err := s.carryLedger(ctx, from, tx, org, person, rename); err != nil {
			return err
		}
	}
	return nil
}

// carryLedger copies the entries of one person, sealed under the key that they have here.
func (s *Consents) carryLedger(ctx context.Context, from *Consents, tx *db.Tx, org account.OrgID, person string, rename func(subject.Ref) (subject.Ref, error)) error {
	entries, err := from.entries(ctx, from.DB, org, person)
	if err != nil {
		return err
	}
	if ref, err := subject.Parse(person); err == nil {
		if ref, err = rename(ref); err != nil {
			return err
		}
		person = ref.String()
	}
	k, err := s.Keys.Org(ctx, int64(org))
	if err != nil {
		return err
	}
	for i := range entries {
		err := insertEntry(ctx, tx, k, org, person, &entries[i])
		if fault.KindOf(err) == fault.Gone { // erased
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
