package person

import (
	"context"
	"maps"
	"slices"
	"time"

	"parley/account"
	"parley/calls/callback"
	"parley/calls/ingest"
	"parley/calls/number"
	"parley/platform/db"
	"parley/trust/consent"
)

// EraseAgain erases persons outside whom a restored backup brought back; at tells when each was erased. It does so also where
// their keys are destroyed already, and asks no hold: that they were erased shows that they could be.
func (p *Persons) EraseAgain(ctx context.Context, org *account.Org, consents *consent.Consents, at map[number.ID]time.Time) error {
	given, err := p.Book.Count(ctx, p.DB, org.ID)
	if err != nil {
		return err
	}
	numbers := slices.DeleteFunc(slices.Sorted(maps.Keys(at)), func(n number.ID) bool { return n <= number.Withheld || n >= given })
	if len(numbers) == 0 {
		return nil
	}
	if err := p.Writer.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, n := range numbers {
			if _, err := callback.Remove(ctx, tx, org.ID, n); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err = p.Writer.Erase(ctx, p.Devices, org, ingest.Erasure{Numbers: numbers, Nameless: true,
		Bury: func(ctx context.Context, tx *db.Tx, n number.ID, canonical string) error {
			return consents.BuryAt(ctx, tx, org.ID, canonical, at[n])
		}})
	return err
}
