package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"path/filepath"

	"parley/platform/db"
	"parley/platform/fault"
)

// upgrade brings organisations of the older form, where the root key sealed the content and the index key themselves, to
// the present one. No data is touched.
func (k *Keys) upgrade(ctx context.Context) error {
	old, err := db.Select(ctx, k.store, scanInt, `SELECT org_id FROM org_keys WHERE form = $1`, formPair)
	if err != nil || len(old) == 0 {
		return err
	}
	for _, org := range old {
		if err := k.store.Tx(ctx, func(tx *db.Tx) error { return k.upgradeOrg(ctx, tx, org) }); err != nil {
			return err
		}
	}
	return k.store.Checkpoint(ctx)
}

func (k *Keys) upgradeOrg(ctx context.Context, tx *db.Tx, org int64) error {
	sealed, _, err := db.One(ctx, tx, scanBytes, `SELECT sealed FROM org_keys WHERE org_id = $1`, org)
	if err != nil {
		return err
	}
	pair, err := k.rootAEAD().Open(nil, nil, sealed, orgField(org))
	if err != nil || len(pair) != 2*keyBytes {
		return damaged(err, org)
	}
	wrap, err := k.setWrapping(ctx, tx, org)
	if err != nil {
		return err
	}
	for kind, key := range map[string][]byte{
		kindContent: pair[:keyBytes], kindIndex: pair[keyBytes:], kindSuppression: newKey(), kindArchive: newKey(),
	} {
		if err := putKey(ctx, tx, wrap, org, kind, 1, key); err != nil {
			return err
		}
	}
	return rewrapBlocks(ctx, tx, org, newAEAD(pair[:keyBytes]), wrap)
}

// rewrapBlocks moves the keys of an organisation's subjects from one wrapping key to another.
func rewrapBlocks(ctx context.Context, tx *db.Tx, org int64, from, to cipher.AEAD) error {
	blocks, err := db.Select(ctx, tx, scanInt, `SELECT block FROM subject_keys WHERE org_id = $1 ORDER BY block`, org)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		plain, err := readBlock(ctx, tx, from, org, b)
		if err != nil {
			return err
		}
		if err := writeBlock(ctx, tx, to, org, b, plain); err != nil {
			return err
		}
	}
	return nil
}

// RotateOrg gives an organisation a new wrapping key. The keys under it are sealed anew; no content is, and what was open
// stays open.
func (k *Keys) RotateOrg(ctx context.Context, org int64) error {
	known, err := k.has(ctx, org)
	if err != nil {
		return err
	}
	if !known {
		return fault.New(fault.NotFound, "There are no keys of an organisation %d. \"parley org list\" shows the numbers.", org)
	}
	o, err := k.Org(ctx, org)
	if err != nil {
		return err
	}
	o.turn.Lock()
	defer o.turn.Unlock()
	var wrap cipher.AEAD
	if err := k.store.Tx(ctx, func(tx *db.Tx) error {
		all, err := opened(ctx, tx, o.wrap, org)
		if err != nil {
			return err
		}
		if wrap, err = k.setWrapping(ctx, tx, org); err != nil {
			return err
		}
		for kind, w := range all {
			if err := putKey(ctx, tx, wrap, org, kind, w.generation, w.key); err != nil {
				return err
			}
		}
		return rewrapBlocks(ctx, tx, org, o.wrap, wrap)
	}); err != nil {
		return err
	}
	o.wrap = wrap
	return k.store.Checkpoint(ctx) // the write-ahead log would keep the old ones
}

func (k *Keys) has(ctx context.Context, org int64) (bool, error) {
	var n int
	err := k.store.Row(ctx, `SELECT count(*) FROM org_keys WHERE org_id = $1`, org).Scan(&n)
	return n > 0, err
}

// RotateMaster moves everything that the master key wraps under another. It may be broken off anywhere: one of the two
// keys opens what is there. Once it has returned, the old key opens nothing.
func (k *Keys) RotateMaster(ctx context.Context, next Master) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.epochs.share(ctx, next); err != nil {
		return err
	}
	wrapped, err := next.Wrap(ctx, useRoot, k.root)
	if err != nil {
		return err
	}
	if err := rewrite(filepath.Join(k.dir, rootFile), wrapped); err != nil {
		return err
	}
	k.master = next
	return k.epochs.move(ctx, next)
}

// IndexGeneration tells which generation an organisation's index key is, and which the next one is that a re-index has
// begun with; 0 = none.
func (k *Keys) IndexGeneration(ctx context.Context, org int64) (current, next int64, err error) {
	err = k.store.Row(ctx, `SELECT coalesce(max(CASE WHEN kind = $2 THEN generation END), 0), coalesce(max(CASE WHEN kind = $3 THEN generation END), 0)
		FROM wrapped_keys WHERE org_id = $1`, org, kindIndex, kindNextIndex).Scan(&current, &next)
	return current, next, err
}

// NextIndex makes an organisation's next index key, or takes the one that was made, and gives the organisation's keys with
// it in place. Nothing else uses it until CommitIndex.
//
// A re-index is done while nobody else works on the data: NextIndex, then every index made anew in one transaction of the
// data that also notes the generation, then CommitIndex. Whether one that was broken off is to be committed or dropped
// shows from the generation that the data has noted.
func (k *Keys) NextIndex(ctx context.Context, org int64) (*OrgKeys, int64, error) {
	o, err := k.Org(ctx, org)
	if err != nil {
		return nil, 0, err
	}
	current, next, err := k.IndexGeneration(ctx, org)
	if err != nil {
		return nil, 0, err
	}
	o.turn.RLock()
	defer o.turn.RUnlock()
	if next == 0 {
		next = current + 1
		if err := k.store.Tx(ctx, func(tx *db.Tx) error { return putKey(ctx, tx, o.wrap, org, kindNextIndex, next, newKey()) }); err != nil {
			return nil, 0, err
		}
	}
	fresh, err := k.load(ctx, org, o.wrap, kindNextIndex)
	return fresh, next, err
}

// CommitIndex puts the next index key in the place of the present one, which is destroyed.
func (k *Keys) CommitIndex(ctx context.Context, org int64) error {
	o, err := k.Org(ctx, org)
	if err != nil {
		return err
	}
	o.turn.RLock()
	defer o.turn.RUnlock()
	var next wrapped
	if err := k.store.Tx(ctx, func(tx *db.Tx) error {
		all, err := opened(ctx, tx, o.wrap, org)
		if err != nil {
			return err
		}
		var ok bool
		if next, ok = all[kindNextIndex]; !ok {
			return fault.New(fault.Conflict, "Organisation %d has no next index key. Begin with \"parley keys rotate --index\".", org)
		}
		if err := putKey(ctx, tx, o.wrap, org, kindIndex, next.generation, next.key); err != nil {
			return err
		}
		return dropNext(ctx, tx, org)
	}); err != nil {
		return err
	}
	o.index.Store(newMAC(next.key))
	return k.store.Checkpoint(ctx)
}

// DropNextIndex forgets a next index key that nothing was indexed under.
func (k *Keys) DropNextIndex(ctx context.Context, org int64) error {
	return errors.Join(k.store.Tx(ctx, func(tx *db.Tx) error { return dropNext(ctx, tx, org) }), k.store.Checkpoint(ctx))
}

func dropNext(ctx context.Context, tx *db.Tx, org int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM wrapped_keys WHERE org_id = $1 AND kind = $2`, org, kindNextIndex)
	return err
}
