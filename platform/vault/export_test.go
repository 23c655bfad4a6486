package vault

import (
	"context"

	"parley/platform/db"
)

// ShareEpochs is the first step of RotateMaster.
func (k *Keys) ShareEpochs(ctx context.Context, next Master) error { return k.epochs.share(ctx, next) }

// StoreKey is the key of the file keys.db.
func (k *Keys) StoreKey() []byte { return k.storeKey() }

// Block gives a block of subjects' keys as it is stored and opened.
func (o *OrgKeys) Block(ctx context.Context, b int64) (sealed, plain []byte, err error) {
	sealed, _, err = db.One(ctx, o.keys.store, scanBytes, `SELECT sealed FROM subject_keys WHERE org_id = $1 AND block = $2`, o.org, b)
	if err != nil {
		return nil, nil, err
	}
	plain, err = readBlock(ctx, o.keys.store, o.wrap, o.org, b)
	return sealed, plain, err
}

// Journal adds erasures to the journal and destroys nothing, as a crash would.
func (k *Keys) Journal(list ...Erasure) error { return k.note(list...) }

// Derive expands a key both ways.
func Derive(key []byte, use string) (slow, quick []byte) {
	return derive(key, use, keyBytes), derive32(key, use)
}

// ReadSlowly opens a block as SealSubject does, with something else happening between reading and remembering.
func (o *OrgKeys) ReadSlowly(ctx context.Context, b int64, meanwhile func()) error {
	_, before := o.remembered(b)
	plain, err := o.fetch(ctx, b)
	meanwhile()
	o.remember(b, plain, before)
	return err
}
