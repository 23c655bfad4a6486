package app

import (
	"context"
	"errors"
	"strconv"

	"parley/account"
	"parley/platform/db"
	"parley/platform/vault"
)

// reindexers make every index of an organisation anew, 0 for the installation, with the index key of k. Whatever is kept
// by an index needs a step here, or is kept by a hash of Suppress, whose key does not change.
func reindexers() []func(ctx context.Context, p *Parley, tx *db.Tx, org int64, k *vault.OrgKeys) error {
	return []func(context.Context, *Parley, *db.Tx, int64, *vault.OrgKeys) error{reindexInstallation, reindexNumbers, reindexCRM}
}

func reindexInstallation(ctx context.Context, p *Parley, tx *db.Tx, org int64, k *vault.OrgKeys) error {
	if org != 0 {
		return nil
	}
	if err := p.Accounts.Reindex(ctx, tx, k); err != nil {
		return err
	}
	return p.Devices.ReindexInstallation(ctx, tx)
}

func reindexNumbers(ctx context.Context, p *Parley, tx *db.Tx, org int64, k *vault.OrgKeys) error {
	if org == 0 {
		return nil
	}
	if err := p.Book.Reindex(ctx, tx, account.OrgID(org), k, p.Persons.Archived(p.Retain)); err != nil {
		return err
	}
	if err := p.Calls.Reindex(ctx, tx, account.OrgID(org), k); err != nil {
		return err
	}
	return p.Devices.Reindex(ctx, tx, account.OrgID(org), k)
}

// rotateIndex gives an organisation a new index key. Nobody else may work on the data meanwhile.
func (p *Parley) rotateIndex(ctx context.Context, org int64) error {
	next, generation, err := p.Keys.NextIndex(ctx, org)
	if err != nil {
		return err
	}
	if err := p.reindex(ctx, org, next, generation); err != nil {
		return errors.Join(err, p.Keys.DropNextIndex(context.WithoutCancel(ctx), org))
	}
	return p.Keys.CommitIndex(ctx, org)
}

// reindex makes every index of an organisation anew, and notes the key's generation in the same transaction.
func (p *Parley) reindex(ctx context.Context, org int64, k *vault.OrgKeys, generation int64) error {
	return p.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, step := range reindexers() {
			if err := step(ctx, p, tx, org, k); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			generationName(org), []byte(strconv.FormatInt(generation, 10)))
		return err
	})
}

func generationName(org int64) string { return "index/" + strconv.FormatInt(org, 10) }

// generation is which index key the data of an organisation was indexed under: the first unless it is noted.
func (p *Parley) generation(ctx context.Context, org int64) (int64, error) {
	value, ok, err := db.One(ctx, p.DB, func(r db.Scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT value FROM installation WHERE name = $1`, generationName(org))
	if err != nil || !ok {
		return 1, err
	}
	return strconv.ParseInt(string(value), 10, 64)
}

// settleIndexes finishes a change of an index key that was broken off, and indexes anew data that was restored under keys
// which have changed since, or that an older version kept which had no index for it.
func (p *Parley) settleIndexes(ctx context.Context) error {
	orgs, err := p.Keys.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := p.settleIndex(ctx, org); err != nil {
			return err
		}
	}
	return nil
}

func (p *Parley) settleIndex(ctx context.Context, org int64) error {
	current, next, err := p.Keys.IndexGeneration(ctx, org)
	if err != nil {
		return err
	}
	noted, err := p.generation(ctx, org)
	if err != nil {
		return err
	}
	if next != 0 && noted == next {
		return p.Keys.CommitIndex(ctx, org)
	}
	if next != 0 {
		if err := p.Keys.DropNextIndex(ctx, org); err != nil {
			return err
		}
	}
	if noted == current {
		lacks, err := p.unindexed(ctx, org)
		if err != nil || !lacks {
			return err
		}
	}
	k, err := p.Keys.Org(ctx, org)
	if err != nil {
		return err
	}
	return p.reindex(ctx, org, k, current)
}

// unindexed tells whether an organisation has texts none of which is found by its words.
func (p *Parley) unindexed(ctx context.Context, org int64) (bool, error) {
	for texts, index := range map[string]string{"number_names": "number_name_words", "call_notes": "call_note_words", "contact_notes": "contact_note_words"} {
		var lacks bool
		if err := p.DB.Row(ctx, `SELECT EXISTS (SELECT 1 FROM `+texts+` WHERE org_id = $1) AND NOT EXISTS (SELECT 1 FROM `+index+` WHERE org_id = $1)`, org).Scan(&lacks); err != nil || lacks {
			return lacks, err
		}
	}
	return false, nil
}
