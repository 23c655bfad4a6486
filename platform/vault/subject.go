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
	return o.store.Tx(ctx, func(tx *db.Tx) error {
		have, _, err := db.One(ctx, tx, func(r db.Scanner) (n int64, err error) { return n, r.Scan(&n) },
			`SELECT coalesce(max(block), -1) FROM subject_keys WHERE org_id = $1`, o.org)
		if err != nil {
			return err
		}
		for b := have + 1; b <= top; b++ {
			plain := make([]byte, blockSubjects*keyBytes)
			_, _ = rand.Read(plain) // never fails, see crypto/rand
			if _, err := tx.Exec(ctx, `INSERT INTO subject_keys (org_id, block, sealed) VALUES ($1, $2, $3)`, o.org, b, o.sealBlock(b, plain)); err != nil {
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
	block, err := aes.NewCipher(derive(key, field+"|"+strconv.FormatInt(subject, 10), keyBytes))
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
	return newAEAD(derive(key, "values", keyBytes)).Seal(nil, nil, plain, []byte(field)), nil
}

// OpenSubject is the reverse of SealSubject.
func (o *OrgKeys) OpenSubject(ctx context.Context, subject int64, field string, sealed []byte) ([]byte, error) {
	key, err := o.subject(ctx, subject)
	if err != nil {
		return nil, err
	}
	plain, err := newAEAD(derive(key, "values", keyBytes)).Open(nil, nil, sealed, []byte(field))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "A sealed value (%s) does not open under its subject's key.", field)
	}
	return plain, nil
}

// DestroySubject destroys one subject's key: what was sealed under it, in backups too, can never be opened again.
func (o *OrgKeys) DestroySubject(ctx context.Context, subject int64) error {
	b := subject / blockSubjects
	if err := o.store.Tx(ctx, func(tx *db.Tx) error {
		plain, err := o.readBlock(ctx, tx, b)
		if err != nil {
			return err
		}
		clear(slot(plain, subject))
		_, err = tx.Exec(ctx, `UPDATE subject_keys SET sealed = $3 WHERE org_id = $1 AND block = $2`, o.org, b, o.sealBlock(b, plain))
		return err
	}); err != nil {
		return err
	}
	o.mu.Lock()
	delete(o.blocks, b)
	o.mu.Unlock()
	return o.store.Checkpoint(ctx) // the write-ahead log would keep the old block
}

// subject gives one subject's key.
func (o *OrgKeys) subject(ctx context.Context, subject int64) ([]byte, error) {
	b := subject / blockSubjects
	o.mu.Lock()
	plain, ok := o.blocks[b]
	o.mu.Unlock()
	if !ok {
		var err error
		if plain, err = o.readBlock(ctx, o.store, b); err != nil {
			return nil, err
		}
		o.mu.Lock()
		if len(o.blocks) >= maxBlocks {
			for _, old := range slices.Sorted(maps.Keys(o.blocks))[:maxBlocks/2] { // the oldest people are asked for least
				delete(o.blocks, old)
			}
		}
		o.blocks[b] = plain
		o.mu.Unlock()
	}
	key := slot(plain, subject)
	if bytes.Equal(key, make([]byte, keyBytes)) {
		return nil, fault.New(fault.Gone, "This person's data was erased.")
	}
	return key, nil
}

func (o *OrgKeys) readBlock(ctx context.Context, c db.Conn, b int64) ([]byte, error) {
	sealed, ok, err := db.One(ctx, c, scanBytes, `SELECT sealed FROM subject_keys WHERE org_id = $1 AND block = $2`, o.org, b)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.Internal, "The key store lacks block %d of organisation %d. Restore the key store that belongs to this data.", b, o.org)
	}
	return o.Open(o.blockField(b), sealed)
}

func (o *OrgKeys) sealBlock(b int64, plain []byte) []byte { return o.Seal(o.blockField(b), plain) }

func (o *OrgKeys) blockField(b int64) string {
	return "subject_keys|" + strconv.FormatInt(o.org, 10) + "|" + strconv.FormatInt(b, 10)
}

func slot(block []byte, subject int64) []byte {
	i := subject % blockSubjects * keyBytes
	return block[i : i+keyBytes : i+keyBytes]
}
