package vault

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"

	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/flaw"
)

// blockSubjects is how many subjects' keys lie in one sealed row: enough that new subjects rarely cost a commit of their
// own, few enough that opening one key costs microseconds.
const blockSubjects = 256

// maxBlocks bounds the opened blocks kept in memory (8 KiB each).
const maxBlocks = 512

// EnsureSubjects makes keys for every subject from 0 up to and including last. It is durable when it returns, so data
// sealed afterwards can never be left without its key.
func (o *OrgKeys) EnsureSubjects(ctx context.Context, last int64) error {
	top := last / blockSubjects
	o.mu.Lock()
	_, ok := o.blocks[top]
	o.mu.Unlock()
	if ok {
		return nil
	}
	o.turn.RLock()
	defer o.turn.RUnlock()
	return o.keys.store.Tx(ctx, func(tx *db.Tx) error {
		have, _, err := db.One(ctx, tx, scanInt, `SELECT coalesce(max(block), -1) FROM subject_keys WHERE org_id = $1`, o.org)
		if err != nil {
			return err
		}
		for b := have + 1; b <= top; b++ {
			plain := make([]byte, blockSubjects*keyBytes)
			_, _ = rand.Read(plain) // never fails, see crypto/rand
			if err := writeBlock(ctx, tx, o.wrap, o.org, b, plain); err != nil {
				return err
			}
		}
		return nil
	})
}

// SealOnce encrypts the one value that a subject's field ever has (a number never changes under its id). The field's
// key comes from the subject's own key and seals nothing else, so no nonce is stored.
func (o *OrgKeys) SealOnce(ctx context.Context, subject int64, field string, plain []byte) ([]byte, error) {
	gcm, err := o.once(ctx, subject, field)
	if err != nil {
		return nil, err
	}
	return gcm.Seal([]byte{onceVersion}, make([]byte, gcm.NonceSize()), plain, nil), nil
}

const onceVersion = 1

// OpenOnce is the reverse of SealOnce. A destroyed key gives a Gone fault.
func (o *OrgKeys) OpenOnce(ctx context.Context, subject int64, field string, sealed []byte) ([]byte, error) {
	gcm, err := o.once(ctx, subject, field)
	if err != nil {
		return nil, err
	}
	if len(sealed) < 1 || sealed[0] != onceVersion {
		return nil, fault.New(fault.Internal, "A sealed value (%s) has a form this version does not know.", field)
	}
	plain, err := gcm.Open(nil, make([]byte, gcm.NonceSize()), sealed[1:], nil)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "A sealed value (%s) does not open under its subject's key.", field)
	}
	return plain, nil
}

func (o *OrgKeys) once(ctx context.Context, subject int64, field string) (cipher.AEAD, error) {
	key, err := o.subject(ctx, subject)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derive32(key, field+"|"+strconv.FormatInt(subject, 10)))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// SealSubject encrypts a value about a subject that may change, such as a name or a note.
func (o *OrgKeys) SealSubject(ctx context.Context, subject int64, field string, plain []byte) ([]byte, error) {
	key, err := o.subject(ctx, subject)
	if err != nil {
		return nil, err
	}
	return newAEAD(derive32(key, "values")).Seal(nil, nil, plain, []byte(field)), nil
}

// OpenSubject is the reverse of SealSubject.
func (o *OrgKeys) OpenSubject(ctx context.Context, subject int64, field string, sealed []byte) ([]byte, error) {
	key, err := o.subject(ctx, subject)
	if err != nil {
		return nil, err
	}
	plain, err := newAEAD(derive32(key, "values")).Open(nil, nil, sealed, []byte(field))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "A sealed value (%s) does not open under its subject's key.", field)
	}
	return plain, nil
}

// DestroySubject destroys the keys of subjects: what was sealed under them, in backups too, can never be opened again. The
// journal says so before it is done, so that no restored backup brings them back.
func (o *OrgKeys) DestroySubject(ctx context.Context, subjects ...int64) error {
	if len(subjects) == 0 || flaw.On(flaw.KeptKey) {
		return nil
	}
	at := o.keys.Now()
	list := make([]Erasure, len(subjects))
	for i, s := range subjects {
		list[i] = Erasure{At: at, Org: o.org, Subject: s}
	}
	if err := o.keys.note(list...); err != nil {
		return err
	}
	n, err := o.destroy(ctx, subjects)
	if err != nil {
		return err
	}
	return o.keys.tell(ctx, o.org, int64(n))
}

// subject gives one subject's key.
func (o *OrgKeys) subject(ctx context.Context, subject int64) ([]byte, error) {
	b := subject / blockSubjects
	plain, before := o.remembered(b)
	if plain == nil {
		var err error
		if plain, err = o.fetch(ctx, b); err != nil {
			return nil, err
		}
		o.remember(b, plain, before)
	}
	key := slot(plain, subject)
	if bytes.Equal(key, make([]byte, keyBytes)) {
		return nil, fault.New(fault.Gone, "This person's data was erased.")
	}
	return key, nil
}

// remembered gives an opened block, nil when it is not in memory, and how often keys were destroyed so far.
func (o *OrgKeys) remembered(b int64) (plain []byte, destroyed int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blocks[b], o.destroyed
}

// remember keeps a block that was read, unless keys were destroyed since: it may hold one of them.
func (o *OrgKeys) remember(b int64, plain []byte, before int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.destroyed != before {
		return
	}
	if len(o.blocks) >= maxBlocks {
		for _, old := range slices.Sorted(maps.Keys(o.blocks))[:maxBlocks/2] { // the oldest people are asked for least
			delete(o.blocks, old)
		}
	}
	o.blocks[b] = plain
}

func (o *OrgKeys) fetch(ctx context.Context, b int64) ([]byte, error) {
	o.turn.RLock()
	defer o.turn.RUnlock()
	return readBlock(ctx, o.keys.store, o.wrap, o.org, b)
}

func readBlock(ctx context.Context, c db.Conn, wrap cipher.AEAD, org, b int64) ([]byte, error) {
	sealed, ok, err := db.One(ctx, c, scanBytes, `SELECT sealed FROM subject_keys WHERE org_id = $1 AND block = $2`, org, b)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.Internal, "The key store lacks block %d of organisation %d. Restore the key store that belongs to this data.", b, org)
	}
	plain, err := wrap.Open(nil, nil, sealed, blockField(org, b))
	if err != nil || len(plain) != blockSubjects*keyBytes {
		return nil, damaged(err, org)
	}
	return plain, nil
}

func writeBlock(ctx context.Context, tx *db.Tx, wrap cipher.AEAD, org, b int64, plain []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO subject_keys (org_id, block, sealed) VALUES ($1, $2, $3)
		ON CONFLICT (org_id, block) DO UPDATE SET sealed = excluded.sealed`, org, b, wrap.Seal(nil, nil, plain, blockField(org, b)))
	return err
}

func blockField(org, b int64) []byte {
	return []byte("subject_keys|" + strconv.FormatInt(org, 10) + "|" + strconv.FormatInt(b, 10))
}

func slot(block []byte, subject int64) []byte {
	i := subject % blockSubjects * keyBytes
	return block[i : i+keyBytes : i+keyBytes]
}
